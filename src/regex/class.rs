//! Sets of bytes and the named classes `[:alpha:]` of the C locale.

/// A set of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ByteSet {
    bits: [u64; 4],
}

impl ByteSet {
    pub(super) const fn new() -> ByteSet {
        ByteSet { bits: [0; 4] }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.bits[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn remove(&mut self, byte: u8) {
        self.bits[usize::from(byte >> 6)] &= !(1 << (byte & 63));
    }

    pub(super) fn invert(&mut self) {
        for word in &mut self.bits {
            *word = !*word;
        }
    }

    pub(super) fn union(&mut self, other: &ByteSet) {
        for (word, more) in self.bits.iter_mut().zip(other.bits) {
            *word |= more;
        }
    }

    /// Adds the other case of each ASCII letter.
    pub(super) fn fold_case(&mut self) {
        for lower in b'a'..=b'z' {
            let upper = lower.to_ascii_uppercase();
            if self.contains(lower) || self.contains(upper) {
                self.insert(lower);
                self.insert(upper);
            }
        }
    }

    /// Adds the bytes of a class; false if there is none of that name.
    pub(super) fn insert_class(&mut self, name: &[u8]) -> bool {
        if class_contains(name, 0).is_none() {
            return false;
        }
        for byte in 0..=255 {
            if class_contains(name, byte) == Some(true) {
                self.insert(byte);
            }
        }
        true
    }
}

/// Whether `byte` is in the class called `name` (`alpha`, `space`, ...), if there is such a class.
pub fn class_contains(name: &[u8], byte: u8) -> Option<bool> {
    Some(match name {
        b"alpha" => byte.is_ascii_alphabetic(),
        b"digit" => byte.is_ascii_digit(),
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"upper" => byte.is_ascii_uppercase(),
        b"lower" => byte.is_ascii_lowercase(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"blank" => byte == b' ' || byte == b'\t',
        b"punct" => byte.is_ascii_punctuation(),
        b"print" => (0x20..0x7f).contains(&byte),
        b"graph" => (0x21..0x7f).contains(&byte),
        b"cntrl" => byte.is_ascii_control(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// A letter, digit or underscore: what `\w` and word boundaries go by.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
