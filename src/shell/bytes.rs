//! Text and bytes without loss: argument and file bytes that are not UTF-8 travel through strings
//! as private-use characters, and come out again as the bytes they were.

/// Byte 0x80 is this character, and so on up to 0xFF. Private use: no script writes them by hand.
const FIRST: u32 = 0xF780;
/// All of them are three bytes that start with this one.
const FIRST_BYTE: u8 = 0xEF;

/// Bytes as text; bytes that are not UTF-8 become private-use characters, and so do the bytes of
/// such a character itself.
pub fn to_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_valid(&mut out, chunk.valid());
        out.extend(chunk.invalid().iter().map(|byte| escape(*byte)));
    }
    out
}

fn push_valid(out: &mut String, text: &str) {
    if !text.as_bytes().contains(&FIRST_BYTE) {
        out.push_str(text);
        return;
    }
    for ch in text.chars() {
        if byte_of(ch).is_some() {
            out.extend(ch.encode_utf8(&mut [0; 4]).bytes().map(escape));
        } else {
            out.push(ch);
        }
    }
}

/// The character that stands for a byte from 0x80 on.
pub fn escape(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte & 0x7f)).unwrap_or('\u{fffd}')
}

/// The inverse of [`to_text`].
pub fn to_bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if !text.as_bytes().contains(&FIRST_BYTE) {
        out.extend_from_slice(text.as_bytes());
        return out;
    }
    for ch in text.chars() {
        match byte_of(ch) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(ch.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}

/// The byte a character stands for, if it is one of ours.
pub fn byte_of(ch: char) -> Option<u8> {
    let code = (ch as u32).checked_sub(FIRST)?;
    (code < 0x80).then_some(code as u8 | 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_way_through_text() {
        let all: Vec<u8> = (0..=255).collect();
        for bytes in [&all[..], b"", "h\u{e9}llo \u{20ac}".as_bytes(), b"\xff\xc3", b"\xef\x9e\x80"]
        {
            assert_eq!(to_bytes(&to_text(bytes)), bytes);
        }
        assert_eq!(to_text(b"a\x80"), "a\u{f780}");
    }
}
