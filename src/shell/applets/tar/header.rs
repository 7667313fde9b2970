//! Headers of a tar file: ustar, with GNU's long names. Models libarchive/get_header_tar.c.

use crate::shell::applets::common::tree;
use crate::shell::bytes::{to_bytes, to_text};
use crate::shell::{FileType, Stat};

pub(super) const BLOCK: usize = 512;

/// One member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// What a link points to.
    pub(super) link: Option<String>,
    /// `File` with a link is a hard link.
    pub(super) kind: FileType,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) user: String,
    pub(super) group: String,
    pub(super) size: usize,
    /// Seconds since 1970.
    pub(super) mtime: i64,
}

/// What a block of headers turned out to be.
pub(super) enum Read {
    Member(Member),
    /// A long name (`L`) or link (`K`) for the next member, of so many bytes.
    Long(u8, usize),
    /// To be skipped, with a warning if it has a letter.
    Skip(Option<char>, usize),
    /// An empty block.
    Zero,
    Bad(String),
}

fn octal(field: &[u8]) -> u64 {
    let text: String = field.iter().map(|byte| char::from(*byte)).collect();
    u64::from_str_radix(text.trim_matches([' ', '\0']), 8).unwrap_or(0)
}

fn text(field: &[u8]) -> String {
    to_text(field.split(|byte| *byte == 0).next().unwrap_or(&[]))
}

fn checksum(block: &[u8]) -> u64 {
    let byte =
        |(i, byte): (usize, &u8)| if (148..156).contains(&i) { 32 } else { u64::from(*byte) };
    block.iter().enumerate().map(byte).sum()
}

/// Reads a block of 512 bytes.
pub(super) fn read(block: &[u8]) -> Read {
    if block.iter().all(|byte| *byte == 0) {
        return Read::Zero;
    }
    if &block[257..262] != b"ustar" && block[257..262] != [0; 5] {
        return Read::Bad("invalid tar magic".to_owned());
    }
    if checksum(block) != octal(&block[148..156]) {
        return Read::Bad("invalid tar header checksum".to_owned());
    }
    // No member of an archive that fits in memory is larger.
    let size = octal(&block[124..136]).min(1 << 30) as usize;
    let mut name = text(&block[..100]);
    let prefix = text(&block[345..500]);
    if !prefix.is_empty() {
        name = tree::join(&prefix, &name);
    }
    let link = text(&block[157..257]);
    let kind = match block[156] {
        b'L' | b'K' => return Read::Long(block[156], size),
        b'x' | b'g' => return Read::Skip(None, size),
        b'V' => return Read::Skip(Some('V'), size),
        b'2' => FileType::Symlink,
        b'3' | b'4' => FileType::Device,
        b'5' => FileType::Dir,
        b'6' => FileType::Fifo,
        0 | b'0' | b'7' if name.ends_with('/') => FileType::Dir,
        0 | b'0' | b'1' | b'7' => FileType::File,
        other => return Read::Bad(format!("unknown typeflag: 0x{other:x}")),
    };
    let has_data = kind == FileType::File && block[156] != b'1';
    Read::Member(Member {
        name,
        link: (!link.is_empty()).then_some(link),
        kind,
        mode: octal(&block[100..108]) as u32 & 0o7777,
        uid: octal(&block[108..116]) as u32,
        gid: octal(&block[116..124]) as u32,
        user: text(&block[265..297]),
        group: text(&block[297..329]),
        size: if has_data { size } else { 0 },
        mtime: octal(&block[136..148]) as i64,
    })
}

fn put(block: &mut [u8; BLOCK], at: usize, max: usize, bytes: &[u8]) {
    let n = bytes.len().min(max);
    block[at..at + n].copy_from_slice(&bytes[..n]);
}

fn raw(name: &[u8], link: &[u8], flag: u8, member: &Member, size: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    put(&mut block, 0, 100, name);
    let number = |value: u64, width: usize| format!("{value:0width$o}").into_bytes();
    put(&mut block, 100, 8, &number(u64::from(member.mode), 7));
    put(&mut block, 108, 8, &number(u64::from(member.uid), 7));
    put(&mut block, 116, 8, &number(u64::from(member.gid), 7));
    put(&mut block, 124, 12, &number(size as u64, 11));
    put(&mut block, 136, 12, &number(member.mtime.max(0) as u64, 11));
    block[156] = flag;
    put(&mut block, 157, 100, link);
    put(&mut block, 257, 8, b"ustar  ");
    put(&mut block, 265, 31, &to_bytes(&member.user));
    put(&mut block, 297, 31, &to_bytes(&member.group));
    let sum = number(checksum(&block), 6);
    put(&mut block, 148, 8, &sum);
    block[155] = b' ';
    block
}

/// The blocks that stand before a member's data, long names first.
pub(super) fn write(member: &Member) -> Vec<u8> {
    let mut name = to_bytes(&member.name);
    let link = to_bytes(member.link.as_deref().unwrap_or(""));
    let flag = match member.kind {
        FileType::File if member.link.is_some() => b'1',
        FileType::File | FileType::Socket => b'0',
        FileType::Symlink => b'2',
        FileType::Device => b'3',
        FileType::Dir => b'5',
        FileType::Fifo => b'6',
    };
    if member.kind == FileType::Dir {
        name.push(b'/');
    }
    let mut out = Vec::new();
    for (flag, long) in [(b'K', &link), (b'L', &name)] {
        if long.len() >= 100 {
            let owner = Member { mode: 0, uid: 0, gid: 0, mtime: 0, ..member.clone() };
            out.extend(raw(b"././@LongLink", b"", flag, &owner, long.len() + 1));
            out.extend_from_slice(long);
            // The name ends in a zero, and the block with them.
            out.push(0);
            pad(&mut out);
        }
    }
    out.extend(raw(&name, &link, flag, member, member.size));
    out
}

pub(super) fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

/// A file as a member of an archive.
pub(super) fn of(stat: &Stat, name: &str, (user, group): (String, String)) -> Member {
    Member {
        name: name.to_owned(),
        link: None,
        kind: stat.file_type,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        user,
        group,
        size: if stat.file_type == FileType::File { stat.size as usize } else { 0 },
        mtime: stat.mtime.div_euclid(1_000_000),
    }
}

/// A name without what would lead out of the directory, and what was taken off.
/// Models archival/libarchive/unsafe_prefix.c.
pub(super) fn safe(name: &str) -> (&str, &str) {
    let mut rest = name;
    loop {
        if let Some(cut) = rest.strip_prefix('/') {
            rest = cut;
        } else if let Some(cut) = rest.strip_prefix("../") {
            rest = cut;
        } else if let Some(at) = rest.find("/../") {
            rest = &rest[at + 4..];
        } else {
            return (rest, &name[..name.len() - rest.len()]);
        }
    }
}
