//! Paths, and walking directories without recursion.

use crate::shell::{FileType, Stat, Sys};

/// Deeper trees are cut: a link loop followed would never end.
pub(crate) const DEPTH_MAX: usize = 200;

pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.ends_with('/') { format!("{dir}{name}") } else { format!("{dir}/{name}") }
}

/// The last part of a path, slashes at its end left out, as busybox's bb_get_last_path_component.
pub(crate) fn last_part(path: &str) -> &str {
    let bare = path.trim_end_matches('/');
    if bare.is_empty() && !path.is_empty() {
        return "/";
    }
    bare.rsplit('/').next().unwrap_or(bare)
}

pub(crate) fn is_dir(sys: &Sys, path: &str) -> bool {
    sys.stat(path).is_ok_and(|stat| stat.file_type == FileType::Dir)
}

/// The bits of `st_mode` that say what it is, with the permissions.
pub(crate) fn full_mode(stat: &Stat) -> u32 {
    let kind = match stat.file_type {
        FileType::File => 0o100_000,
        FileType::Dir => 0o040_000,
        FileType::Symlink => 0o120_000,
        FileType::Fifo => 0o010_000,
        FileType::Device => 0o020_000,
        FileType::Socket => 0o140_000,
    };
    kind | stat.mode
}

/// `-rwxr-xr-x`, with the special bits in their places.
pub(crate) fn mode_letters(stat: &Stat) -> String {
    let mut out = String::new();
    out.push(stat.file_type.letter());
    let special = [(0o4000, 's', 'S'), (0o2000, 's', 'S'), (0o1000, 't', 'T')];
    for (i, (bit, with_x, without_x)) in special.into_iter().enumerate() {
        let bits = stat.mode >> (6 - 3 * i);
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (stat.mode & bit != 0, bits & 1 != 0) {
            (true, true) => with_x,
            (true, false) => without_x,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// Everything below `path`, itself first, parents before children; links are not followed.
pub(crate) fn walk(sys: &Sys, path: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut open = vec![(path.to_owned(), 0)];
    while let Some((at, depth)) = open.pop() {
        let dir = sys.lstat(&at).is_ok_and(|stat| stat.file_type == FileType::Dir);
        out.push(at.clone());
        if dir && depth < DEPTH_MAX {
            let names = sys.readdir(&at).unwrap_or_default();
            open.extend(names.iter().rev().map(|name| (join(&at, name), depth + 1)));
        }
    }
    out
}

/// A mode such as `755`, `u+x`, `go-w,a=r`, `+t` applied to `old`. Models libbb/parse_mode.c.
pub(crate) fn parse_mode(text: &str, old: u32, is_dir: bool, umask: u32) -> Option<u32> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let octal = u32::from_str_radix(text, 8).ok();
        return octal.filter(|mode| *mode <= 0o7777);
    }
    let mut mode = old;
    for clause in text.split(',') {
        mode = symbolic(clause, mode, is_dir, umask)?;
    }
    Some(mode)
}

fn symbolic(clause: &str, old: u32, is_dir: bool, umask: u32) -> Option<u32> {
    let ops = clause.find(['+', '-', '='])?;
    let mut who = 0;
    for letter in clause[..ops].chars() {
        who |= match letter {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    let mut mode = old;
    let mut rest = &clause[ops..];
    while let Some(op) = rest.chars().next() {
        let end = rest[1..].find(['+', '-', '=']).map_or(rest.len(), |at| at + 1);
        let bits = letters(&rest[1..end], mode, is_dir)?;
        // Without a `who` the umask has a say; special bits need theirs named.
        let (mask, bits) = match who {
            0 => (0o777, bits & !umask),
            who => (who, bits & who),
        };
        mode = match op {
            '+' => mode | bits,
            '-' => mode & !bits,
            '=' => mode & !mask | bits,
            _ => return None,
        };
        rest = &rest[end..];
    }
    Some(mode)
}

/// Permission letters for everybody at once.
fn letters(text: &str, mode: u32, is_dir: bool) -> Option<u32> {
    let mut bits = 0;
    for letter in text.chars() {
        let copy = |of: u32| of * 0o111;
        bits |= match letter {
            'r' => 0o444,
            'w' => 0o222,
            'x' => 0o111,
            'X' if is_dir || mode & 0o111 != 0 => 0o111,
            'X' => 0,
            's' => 0o6000,
            't' => 0o1000,
            'u' => copy(mode >> 6 & 7),
            'g' => copy(mode >> 3 & 7),
            'o' => copy(mode & 7),
            _ => return None,
        };
    }
    Some(bits)
}
