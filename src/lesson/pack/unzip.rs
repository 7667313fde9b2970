//! Reads the zip of a pack: stored entries, all in one folder. No decompression, so that a small
//! file cannot become a large one; other zips are refused with a sentence.

use super::{FILE_BYTES_MAX, NAME_MAX, PACK_BYTES_MAX, is_plain, is_slug};
use std::collections::BTreeMap;

const ENTRY: &[u8] = b"PK\x03\x04";
/// Bytes of an entry's header, its name not counted.
const HEADER: usize = 30;
const ENTRIES_MAX: usize = 300;
const TORN: &str = "This zip is torn: it ends in the midst of a file.";

/// The name of the one folder, and its files.
pub(super) fn unzip(zip: &[u8]) -> Result<(String, BTreeMap<String, Vec<u8>>), String> {
    if zip.len() > PACK_BYTES_MAX {
        let most = PACK_BYTES_MAX >> 20;
        return Err(format!("A pack of lessons has {most} MiB at most; this has more."));
    }
    let (mut folder, mut files) = (String::new(), BTreeMap::new());
    let mut rest = zip;
    while rest.starts_with(ENTRY) {
        let (path, content, after) = entry(rest)?;
        rest = after;
        if path.ends_with('/') && content.is_empty() {
            continue;
        }
        let parts = path.split_once('/').filter(|(dir, file)| is_slug(dir) && is_file(file));
        let Some((dir, file)) = parts.filter(|(dir, _)| folder.is_empty() || folder == *dir) else {
            let path: String = path.chars().take(80).collect();
            return Err(format!("A pack is one folder of files; `{path}` is not of it."));
        };
        if content.len() > FILE_BYTES_MAX || files.len() >= ENTRIES_MAX {
            return Err(format!("`{file}` is too large, or one file too many."));
        }
        dir.clone_into(&mut folder);
        files.insert(file.to_owned(), content.to_vec());
    }
    if files.is_empty() {
        return Err("This is no zip, or there is nothing in it.".to_owned());
    }
    Ok((folder, files))
}

fn is_file(name: &str) -> bool {
    name.len() < 2 * NAME_MAX && name.strip_suffix(".bin").is_some_and(is_plain)
}

/// The path and content of the first entry, and what comes behind it.
fn entry(zip: &[u8]) -> Result<(&str, &[u8], &[u8]), String> {
    let number = |at: usize, n: usize| {
        let bytes = zip.get(at..at + n).unwrap_or_default();
        bytes.iter().rev().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte))
    };
    let (flags, method) = (number(6, 2), number(8, 2));
    let (len, name_len, extra_len) = (number(18, 4), number(26, 2), number(28, 2));
    if method != 0 || flags & 0b1001 != 0 {
        return Err("Podlab reads packs as `podlab lessons pack` writes them, not compressed \
                    or encrypted."
            .to_owned());
    }
    let name = zip.get(HEADER..HEADER + name_len).ok_or(TORN)?;
    let name = std::str::from_utf8(name).map_err(|_| "A name in this zip is not text.")?;
    let from = HEADER + name_len + extra_len;
    let content = zip.get(from..from + len).ok_or(TORN)?;
    Ok((name, content, zip.get(from + len..).unwrap_or_default()))
}
