//! `md5sum`, `sha1sum`, `sha256sum`, `sha512sum`, `cksum` and `sum`: their options, lists and
//! words. Not the functions behind the first four, which are a library's.

use super::Answer;
use super::common::{Cx, cx::files_or_stdin};
use crate::shell::bytes::to_text;

type Sum = fn(&[u8]) -> Vec<u8>;

pub(super) async fn md5sum(cx: &mut Cx) -> Answer {
    sums(cx, digest::<md5::Md5>).await
}

pub(super) async fn sha1sum(cx: &mut Cx) -> Answer {
    sums(cx, digest::<sha1::Sha1>).await
}

pub(super) async fn sha256sum(cx: &mut Cx) -> Answer {
    sums(cx, digest::<sha2::Sha256>).await
}

pub(super) async fn sha512sum(cx: &mut Cx) -> Answer {
    sums(cx, digest::<sha2::Sha512>).await
}

async fn sums(cx: &mut Cx, digest: Sum) -> Answer {
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

fn digest<D: sha2::Digest>(data: &[u8]) -> Vec<u8> {
    D::digest(data).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests() {
        let cases: [(Sum, &[u8], &str); 4] = [
            (digest::<md5::Md5>, b"abc", "900150983cd24fb0d6963f7d28e17f72"),
            (digest::<sha1::Sha1>, b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                digest::<sha2::Sha256>,
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                digest::<sha2::Sha512>,
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
