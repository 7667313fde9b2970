//! `base64`.

use super::Answer;
use super::common::{Cx, number};

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("dw:", "decode=d wrap=w").await?;
    let width = match opts.value('w') {
        None => 76,
        Some(text) => match number::digits(text) {
            Some(n) => n as usize,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        },
    };
    if opts.rest.len() > 1 {
        return Err(cx.usage().await);
    }
    let path = opts.rest.first().cloned().unwrap_or_else(|| "-".to_owned());
    let Some(data) = cx.read_input(&path).await else { return Ok(1) };
    if opts.has('d') {
        let (out, good) = decode(&data);
        cx.put(&out).await;
        return if good { Ok(0) } else { Err(cx.die("truncated input").await) };
    }
    let code = encode(&data);
    if width == 0 {
        cx.put(&code).await;
        return Ok(0);
    }
    for line in code.chunks(width) {
        cx.put(line).await;
        cx.put(b"\n").await;
    }
    Ok(0)
}

pub(in crate::shell) fn encode(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len().div_ceil(3) * 4);
    for chunk in data.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { letter } else { b'=' });
        }
    }
    out
}

/// What was decoded, and whether the input was whole.
fn decode(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut bits = 0_u32;
    let mut n_bits = 0;
    let mut n_letters = 0;
    for &byte in text.iter().filter(|b| !b.is_ascii_whitespace()) {
        if byte == b'=' {
            return (out, n_letters % 4 >= 2);
        }
        let Some(value) = LETTERS.iter().position(|letter| *letter == byte) else { continue };
        bits = (bits << 6 | value as u32) & 0xffff;
        n_bits += 6;
        n_letters += 1;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((bits >> n_bits & 0xff) as u8);
        }
    }
    (out, n_letters % 4 == 0)
}
