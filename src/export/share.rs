//! A text as the part of a link that comes after `#`: what differs from a text both sides have,
//! line by line. About forty characters for a small change; nothing is sent to any server. What
//! comes in is a stranger's until it has been read to its end.

use super::zip::crc32;

/// Grows when the form changes; old links keep being read.
const FORM: char = '1';
/// Longest text a link may make, in bytes.
const TEXT_MAX: usize = 256 << 10;
/// Lines times lines that are compared one by one; beyond it the middle counts as one change.
const PAIRS_MAX: usize = 4_000_000;

/// `text` as a change of `base`: letters, digits, `-` and `_`.
pub fn share(base: &str, text: &str) -> String {
    let mut bytes = Vec::new();
    for (keep, dropped, added) in changes(&lines(base), &lines(text)) {
        for number in [keep, dropped, added.len()] {
            put(&mut bytes, number);
        }
        for line in added {
            put(&mut bytes, line.len());
            bytes.extend(line.as_bytes());
        }
    }
    format!("{FORM}{}{}", check(base), letters(&bytes))
}

/// The text of a link. Otherwise a sentence that says what is wrong with it.
pub fn unshare(base: &str, link: &str) -> Result<String, String> {
    let Some(rest) = link.strip_prefix(FORM) else {
        return Err("This link is of a newer form than this page knows.".to_owned());
    };
    let (Some(sum), Some(rest)) = (rest.get(..6), rest.get(6..)) else {
        return Err("This link is cut short.".to_owned());
    };
    if sum != check(base) {
        return Err("This link was made with another version of the lesson.".to_owned());
    }
    let text = bytes_of(rest).and_then(|bytes| apply(&lines(base), &bytes));
    text.ok_or_else(|| "This link is damaged.".to_owned())
}

/// Lines with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn check(base: &str) -> String {
    format!("{:06x}", crc32(base.as_bytes()) & 0xff_ffff)
}

/// (lines kept, lines dropped, lines added) again and again; what is behind the last is kept.
fn changes<'a>(old: &[&str], new: &[&'a str]) -> Vec<(usize, usize, Vec<&'a str>)> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = tail.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut found = Vec::new();
    let (mut keep, mut dropped, mut added) = (head, 0, Vec::new());
    for step in steps(old, new) {
        match step {
            Step::Keep => {
                if dropped > 0 || !added.is_empty() {
                    found.push((keep, dropped, std::mem::take(&mut added)));
                    (keep, dropped) = (0, 0);
                }
                keep += 1;
            }
            Step::Drop => dropped += 1,
            Step::Add(line) => added.push(line),
        }
    }
    if dropped > 0 || !added.is_empty() {
        found.push((keep, dropped, added));
    }
    found
}

enum Step<'a> {
    Keep,
    Drop,
    Add(&'a str),
}

/// The fewest drops and additions, by the longest common subsequence.
fn steps<'a>(old: &[&str], new: &[&'a str]) -> Vec<Step<'a>> {
    let (n, m) = (old.len(), new.len());
    if n.saturating_mul(m) > PAIRS_MAX {
        let added = new.iter().map(|line| Step::Add(line));
        return old.iter().map(|_| Step::Drop).chain(added).collect();
    }
    // common[i][j]: how many lines old[i..] and new[j..] have in common.
    let mut common = vec![vec![0_u32; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            common[i][j] = match old[i] == new[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, Vec::new());
    while i < n || j < m {
        if i < n && j < m && old[i] == new[j] {
            found.push(Step::Keep);
            (i, j) = (i + 1, j + 1);
        } else if i < n && (j == m || common[i + 1][j] >= common[i][j + 1]) {
            found.push(Step::Drop);
            i += 1;
        } else {
            found.push(Step::Add(new[j]));
            j += 1;
        }
    }
    found
}

fn apply(base: &[&str], mut bytes: &[u8]) -> Option<String> {
    let mut out = String::new();
    let mut at = 0_usize;
    while !bytes.is_empty() {
        let (keep, dropped, added) = (take(&mut bytes)?, take(&mut bytes)?, take(&mut bytes)?);
        let kept_to = at.checked_add(keep)?;
        out.extend(base.get(at..kept_to)?.iter().copied());
        at = kept_to.checked_add(dropped).filter(|at| *at <= base.len())?;
        for _ in 0..added {
            let len = take(&mut bytes)?;
            let (line, rest) = bytes.split_at_checked(len)?;
            out.push_str(std::str::from_utf8(line).ok()?);
            bytes = rest;
        }
        if out.len() > TEXT_MAX {
            return None;
        }
    }
    out.extend(base.get(at..)?.iter().copied());
    Some(out)
}

/// Seven bits a byte, the lowest first.
fn put(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<usize> {
    let mut number = 0_usize;
    for idx in 0..4 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base 64 for addresses, without padding.
fn letters(bytes: &[u8]) -> String {
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let of = |idx: usize| u32::from(three.get(idx).copied().unwrap_or(0));
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for idx in 0..=three.len() {
            let six = bits >> (18 - 6 * idx) & 63;
            out.push(LETTERS.get(six as usize).map_or('A', |b| *b as char));
        }
    }
    out
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for idx in 0..4 {
            let six = match four.get(idx) {
                Some(byte) => LETTERS.iter().position(|own| own == byte)?,
                None => 0,
            };
            bits = bits << 6 | six as u32;
        }
        let n = four.len().checked_sub(1)?;
        out.extend(bits.to_be_bytes().get(1..=n)?);
    }
    (out.len() <= TEXT_MAX).then_some(out)
}
