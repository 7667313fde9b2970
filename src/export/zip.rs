//! A zip file whose entries are stored, not compressed: a kilobyte of code, and any program opens
//! it. Deterministic: every entry carries the same date.

/// 2026-01-01 00:00, as DOS writes it: seven bits of year from 1980, four of month, five of day.
const DATE: u16 = ((2026 - 1980) << 9) | (1 << 5) | 1;
/// Version 1.0 of the format is enough to extract.
const VERSION: u16 = 10;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;

/// (path with `/`, content); paths are written in the order given. At most 65,535 entries and
/// 4 GiB, far above what a lesson has.
pub fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for (path, content) in files {
        let at = out.len() as u32;
        let entry = entry(path, content);
        out.extend(b"PK\x03\x04");
        out.extend(&entry);
        out.extend(path.as_bytes());
        out.extend(content);
        central.extend(b"PK\x01\x02");
        // Made by Unix, so that readers believe the file mode below.
        put16(&mut central, (3 << 8) | VERSION);
        central.extend(&entry);
        for _comment_disk_internal in 0..3 {
            put16(&mut central, 0);
        }
        put32(&mut central, mode(path) << 16);
        put32(&mut central, at);
        central.extend(path.as_bytes());
    }
    let (start, len) = (out.len() as u32, central.len() as u32);
    out.extend(central);
    out.extend(b"PK\x05\x06");
    let n = files.len() as u16;
    for number in [0, 0, n, n] {
        put16(&mut out, number);
    }
    put32(&mut out, len);
    put32(&mut out, start);
    put16(&mut out, 0);
    out
}

/// A script may be run, everything else only read and written by its owner.
fn mode(path: &str) -> u32 {
    if path.ends_with(".sh") { 0o100_755 } else { 0o100_644 }
}

/// What the local header and the central directory have in common.
fn entry(path: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let len = content.len() as u32;
    for number in [VERSION, FLAGS, 0, 0, DATE] {
        put16(&mut out, number);
    }
    for number in [crc32(content), len, len] {
        put32(&mut out, number);
    }
    put16(&mut out, path.len() as u16);
    put16(&mut out, 0);
    out
}

fn put16(out: &mut Vec<u8>, number: u16) {
    out.extend(number.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

/// The checksum of zip and PNG (polynomial 0xEDB88320), bit by bit: our files are small.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let low = crc & 1;
            crc = (crc >> 1) ^ (0xEDB8_8320 * low);
        }
    }
    !crc
}
