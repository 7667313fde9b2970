//! `md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, `cksum` and `sum`. The functions are those of
//! RFC 1321 and FIPS 180.

use super::Answer;
use super::common::{Cx, cx::files_or_stdin};
use crate::shell::bytes::to_text;

type Digest = fn(&[u8]) -> Vec<u8>;

pub(super) async fn md5sum(cx: &mut Cx) -> Answer {
    sums(cx, md5).await
}

pub(super) async fn sha1sum(cx: &mut Cx) -> Answer {
    sums(cx, sha1).await
}

pub(super) async fn sha256sum(cx: &mut Cx) -> Answer {
    sums(cx, sha256).await
}

pub(super) async fn sha512sum(cx: &mut Cx) -> Answer {
    sums(cx, sha512).await
}

async fn sums(cx: &mut Cx, digest: Digest) -> Answer {
    let opts = cx.opts("scwbt", "").await?;
    if !opts.has('c') {
        for path in files_or_stdin(opts.rest.clone()) {
            let Some(data) = cx.read_input(&path).await else { continue };
            cx.sys.burn(data.len() as u64 / 256).await;
            cx.text(&format!("{}  {path}\n", hex(&digest(&data)))).await;
        }
        return Ok(cx.status);
    }
    let (mut n_all, mut n_bad) = (0, 0);
    for list in files_or_stdin(opts.rest.clone()) {
        let Some(text) = cx.read_input(&list).await else { continue };
        for line in to_text(&text).lines() {
            let two = line.split_once(' ');
            let two = two.map(|(sum, name)| (sum, name.strip_prefix([' ', '*']).unwrap_or(name)));
            let Some((sum, name)) = two else {
                if opts.has('w') {
                    cx.fail("invalid format").await;
                }
                continue;
            };
            n_all += 1;
            let data = cx.read_input(name).await;
            let good = data.is_some_and(|data| hex(&digest(&data)).eq_ignore_ascii_case(sum));
            n_bad += usize::from(!good);
            if !opts.has('s') {
                cx.text(&format!("{name}: {}\n", if good { "OK" } else { "FAILED" })).await;
            }
        }
    }
    if n_bad > 0 {
        cx.status = 1;
        if !opts.has('s') {
            let text = format!("WARNING: {n_bad} of {n_all} computed checksums did NOT match");
            cx.fail(&text).await;
        }
    } else if n_all == 0 {
        cx.fail("no checksum lines found").await;
    }
    Ok(cx.status)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn cksum(cx: &mut Cx) -> Answer {
    let opts = cx.opts("", "").await?;
    let named = !opts.rest.is_empty();
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        let mut sum = data.iter().fold(0, |sum, byte| crc_step(sum, *byte));
        let mut length = data.len();
        while length > 0 {
            sum = crc_step(sum, length as u8);
            length >>= 8;
        }
        let name = if named { format!(" {path}") } else { String::new() };
        cx.text(&format!("{} {}{name}\n", !sum, data.len())).await;
    }
    Ok(cx.status)
}

/// Models coreutils/sum.c.
pub(super) async fn sum(cx: &mut Cx) -> Answer {
    let opts = cx.opts("sr", "").await?;
    let sysv = opts.has('s') && !opts.has('r');
    let named = opts.rest.len() > 1 || (sysv && !opts.rest.is_empty());
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        let name = if named { path.as_str() } else { "" };
        let line = match sysv {
            true => {
                let sum = data.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
                let sum = (sum & 0xffff) + (sum >> 16);
                let sum = (sum & 0xffff) + (sum >> 16);
                format!("{sum} {} {name}\n", data.len().div_ceil(512))
            }
            false => {
                let rotate = |sum: u32, byte: &u8| {
                    ((sum >> 1) + ((sum & 1) << 15) + u32::from(*byte)) & 0xffff
                };
                let sum = data.iter().fold(0, rotate);
                format!("{sum:05} {:5} {name}\n", data.len().div_ceil(1024))
            }
        };
        cx.text(&line).await;
    }
    Ok(cx.status)
}

fn crc_step(sum: u32, byte: u8) -> u32 {
    let mut sum = sum ^ u32::from(byte) << 24;
    for _ in 0..8 {
        sum = if sum & 1 << 31 != 0 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
    }
    sum
}

/// A message with its padding: the length in bits ends the last block of `block` bytes.
fn padded(data: &[u8], block: usize, big_endian: bool) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    while out.len() % block != block - 8 {
        out.push(0);
    }
    let bits = data.len() as u64 * 8;
    out.extend(if big_endian { bits.to_be_bytes() } else { bits.to_le_bytes() });
    out
}

fn md5(data: &[u8]) -> Vec<u8> {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let constant = |i: usize| ((i as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32;
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    let constants: Vec<u32> = (0..64).map(constant).collect();
    for block in padded(data, 64, false).chunks_exact(64) {
        let word = |i: usize| {
            let at = &block[4 * i..4 * i + 4];
            u32::from_le_bytes([at[0], at[1], at[2], at[3]])
        };
        let [mut a, mut b, mut c, mut d] = state;
        for i in 0..64 {
            let (mix, at) = match i / 16 {
                0 => (b & c | !b & d, i),
                1 => (d & b | !d & c, (5 * i + 1) % 16),
                2 => (b ^ c ^ d, (3 * i + 5) % 16),
                _ => (c ^ (b | !d), 7 * i % 16),
            };
            let sum = a.wrapping_add(mix).wrapping_add(constants[i]).wrapping_add(word(at));
            (a, d, c) = (d, c, b);
            b = b.wrapping_add(sum.rotate_left(SHIFTS[i / 16][i % 4]));
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d]) {
            *old = old.wrapping_add(new);
        }
    }
    state.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn sha1(data: &[u8]) -> Vec<u8> {
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in padded(data, 64, true).chunks_exact(64) {
        let mut words: Vec<u32> =
            block.chunks_exact(4).map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]])).collect();
        for i in 16..80 {
            let mix = words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16];
            words.push(mix.rotate_left(1));
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in words.iter().enumerate() {
            let (mix, constant) = match i / 20 {
                0 => (b & c | !b & d, 0x5a82_7999_u32),
                1 => (b ^ c ^ d, 0x6ed9_eba1),
                2 => (b & c | b & d | c & d, 0x8f1b_bcdc),
                _ => (b ^ c ^ d, 0xca62_c1d6),
            };
            let next = a.rotate_left(5).wrapping_add(mix).wrapping_add(e);
            let next = next.wrapping_add(constant).wrapping_add(*word);
            (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d, e]) {
            *old = old.wrapping_add(new);
        }
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// The first primes, whose roots the SHA-2 constants are.
fn primes(n: usize) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    let mut next = 2;
    while found.len() < n {
        if found.iter().all(|prime| next % prime != 0) {
            found.push(next);
        }
        next += 1;
    }
    found
}

/// The first 64 bits behind the point of the square (2) or cube (3) root, in whole numbers.
fn root_bits(prime: u64, power: u32) -> u64 {
    // floor(root * 2^64) by bisection: x^power <= prime * 2^(64 * power).
    let (mut low, mut high) = (0_u128, 32_u128 << 64);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if at_most(middle, prime, power) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u64
}

/// Whether (x / 2^64)^power <= prime, in limbs of 32 bits.
fn at_most(x: u128, prime: u64, power: u32) -> bool {
    let limbs = |x: u128| (0..4).map(|i| (x >> (32 * i)) as u32).collect::<Vec<u32>>();
    let mut product = limbs(x);
    for _ in 1..power {
        let mut next = vec![0_u32; product.len() + 4];
        for (i, a) in product.iter().enumerate() {
            let mut carry = 0_u64;
            for (j, b) in limbs(x).iter().enumerate() {
                let sum = u64::from(*a) * u64::from(*b) + u64::from(next[i + j]) + carry;
                next[i + j] = sum as u32;
                carry = sum >> 32;
            }
            next[i + 4] = carry as u32;
        }
        product = next;
    }
    // The whole part is above 64 * power bits.
    let from = 2 * power as usize;
    let whole = product.get(from..).unwrap_or(&[]);
    let high = whole.iter().skip(1).any(|limb| *limb != 0);
    let low = u64::from(whole.first().copied().unwrap_or(0));
    !high && (low < prime || (low == prime && product[..from].iter().all(|limb| *limb == 0)))
}

fn sha256(data: &[u8]) -> Vec<u8> {
    let constants: Vec<u32> =
        primes(64).into_iter().map(|prime| (root_bits(prime, 3) >> 32) as u32).collect();
    let mut state: Vec<u32> =
        primes(8).into_iter().map(|prime| (root_bits(prime, 2) >> 32) as u32).collect();
    for block in padded(data, 64, true).chunks_exact(64) {
        let mut words: Vec<u32> =
            block.chunks_exact(4).map(|w| u32::from_be_bytes([w[0], w[1], w[2], w[3]])).collect();
        for i in 16..64 {
            let (x, y) = (words[i - 15], words[i - 2]);
            let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ x >> 3;
            let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ y >> 10;
            let sum = words[i - 16].wrapping_add(s0).wrapping_add(words[i - 7]);
            words.push(sum.wrapping_add(s1));
        }
        let mut v = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let s1 = v[4].rotate_right(6) ^ v[4].rotate_right(11) ^ v[4].rotate_right(25);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let first = v[7].wrapping_add(s1).wrapping_add(choice);
            let first = first.wrapping_add(*constant).wrapping_add(*word);
            let s0 = v[0].rotate_right(2) ^ v[0].rotate_right(13) ^ v[0].rotate_right(22);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(first);
            v[0] = first.wrapping_add(s0.wrapping_add(majority));
        }
        for (old, new) in state.iter_mut().zip(v) {
            *old = old.wrapping_add(new);
        }
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn sha512(data: &[u8]) -> Vec<u8> {
    let constants: Vec<u64> = primes(80).into_iter().map(|prime| root_bits(prime, 3)).collect();
    let mut state: Vec<u64> = primes(8).into_iter().map(|prime| root_bits(prime, 2)).collect();
    // The length has 128 bits here: eight zeros before the usual eight bytes.
    let mut message = data.to_vec();
    message.push(0x80);
    while message.len() % 128 != 120 {
        message.push(0);
    }
    message.extend((data.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(128) {
        let word = |w: &[u8]| w.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let mut words: Vec<u64> = block.chunks_exact(8).map(word).collect();
        for i in 16..80 {
            let (x, y) = (words[i - 15], words[i - 2]);
            let s0 = x.rotate_right(1) ^ x.rotate_right(8) ^ x >> 7;
            let s1 = y.rotate_right(19) ^ y.rotate_right(61) ^ y >> 6;
            let sum = words[i - 16].wrapping_add(s0).wrapping_add(words[i - 7]);
            words.push(sum.wrapping_add(s1));
        }
        let mut v = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let s1 = v[4].rotate_right(14) ^ v[4].rotate_right(18) ^ v[4].rotate_right(41);
            let choice = v[4] & v[5] ^ !v[4] & v[6];
            let first = v[7].wrapping_add(s1).wrapping_add(choice);
            let first = first.wrapping_add(*constant).wrapping_add(*word);
            let s0 = v[0].rotate_right(28) ^ v[0].rotate_right(34) ^ v[0].rotate_right(39);
            let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2];
            v.rotate_right(1);
            v[4] = v[4].wrapping_add(first);
            v[0] = first.wrapping_add(s0.wrapping_add(majority));
        }
        for (old, new) in state.iter_mut().zip(v) {
            *old = old.wrapping_add(new);
        }
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let cases: [(Digest, &[u8], &str); 6] = [
            (md5, b"", "d41d8cd98f00b204e9800998ecf8427e"),
            (md5, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (sha1, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (sha256, b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                sha256,
                &[b'a'; 200],
                "c2a908d98f5df987ade41b5fce213067efbcc21ef2240212a41e54b5e7c28ae5",
            ),
            (
                sha512,
                b"abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                 2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ];
        for (digest, data, expected) in cases {
            assert_eq!(hex(&digest(data)), expected);
        }
    }
}
