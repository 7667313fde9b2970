//! Base64 with padding, as Go's standard encoding reads it. Not the URL alphabet.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes; None where the text is no base64. Line breaks are skipped.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    decode_at(text).ok()
}

/// As `decode`, with the offset of the first byte that does not fit, as Go's error names it.
pub fn decode_at(text: &str) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut input = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    loop {
        let mut digits = [0_u32; 4];
        for place in 0..4 {
            let Some((at, byte)) = input.next() else {
                return if place == 0 { Ok(out) } else { Err(text.len() - place.min(text.len())) };
            };
            if byte == b'=' && place >= 2 {
                return padded(text, at, place, digits, &mut input).map(|tail| {
                    out.extend(tail);
                    out
                });
            }
            let Some(digit) = ALPHABET.iter().position(|one| *one == byte) else {
                return Err(at);
            };
            digits[place] = digit as u32;
        }
        out.extend(&joined(digits)[..]);
    }
}

fn joined(digits: [u32; 4]) -> [u8; 3] {
    let all = digits.iter().fold(0, |all, digit| all << 6 | digit);
    [(all >> 16) as u8, (all >> 8) as u8, all as u8]
}

/// The last group, from its first `=` on: nothing but padding may follow.
fn padded(
    text: &str,
    at: usize,
    place: usize,
    digits: [u32; 4],
    rest: &mut dyn Iterator<Item = (usize, u8)>,
) -> Result<Vec<u8>, usize> {
    if place == 2 {
        match rest.next() {
            None => return Err(text.len()),
            Some((_, b'=')) => {}
            Some((_, _)) => return Err(at),
        }
    }
    match rest.next() {
        Some((more, _)) => Err(more),
        None => Ok(joined(digits)[..place - 1].to_vec()),
    }
}

/// The text of bytes, padded.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let all = (0..3).fold(0_u32, |all, i| all << 8 | u32::from(*group.get(i).unwrap_or(&0)));
        for place in 0..4 {
            let digit = (all >> (18 - 6 * place)) as usize & 63;
            out.push(if place <= group.len() { ALPHABET[digit] as char } else { '=' });
        }
    }
    out
}
