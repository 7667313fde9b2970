//! Backslash escapes as busybox reads them. Models libbb/process_escape_sequence.c (1.36).

/// The byte an escape stands for and how many bytes after the backslash it took. What is not an
/// escape is the backslash itself, taking nothing.
pub(crate) fn escape(after: &[u8]) -> (u8, usize) {
    let hex = after.first() == Some(&b'x');
    let (base, most) = if hex { (16, 3) } else { (8, 3) };
    let mut n: u32 = 0;
    let mut used = usize::from(hex);
    while used < most {
        let digit = after.get(used).and_then(|b| char::from(*b).to_digit(base));
        let Some(digit) = digit else { break };
        let sum = n * base + digit;
        if sum > 255 {
            break;
        }
        n = sum;
        used += 1;
    }
    if hex && used == 1 {
        return (b'\\', 0);
    }
    if used > 0 {
        return (n as u8, used);
    }
    let byte = match after.first() {
        Some(b'a') => 7,
        Some(b'b') => 8,
        Some(b'e') => 27,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 11,
        Some(b'\\') => b'\\',
        _ => return (b'\\', 0),
    };
    (byte, 1)
}

/// A whole text with its escapes read.
pub(crate) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte == b'\\' {
            let (byte, used) = escape(&text[at..]);
            out.push(byte);
            at += used;
        } else {
            out.push(byte);
        }
    }
    out
}
