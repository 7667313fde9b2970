//! The `s` command on one line. Models do_subst_command.

use super::Command;
use crate::regex::{Match, Regex, TooManySteps};

/// The line with what is to be replaced replaced, or nothing if nothing was.
pub(super) fn substitute(
    command: &Command,
    regex: &Regex,
    line: &[u8],
) -> Result<Option<Vec<u8>>, TooManySteps> {
    let Some(mut found) = regex.find_at(line, 0)? else { return Ok(None) };
    let mut out = Vec::with_capacity(line.len());
    let mut at = 0;
    let mut n_found = 0;
    let mut altered = false;
    let mut previous_empty = true;
    let mut tried_at_end = false;
    loop {
        let (start, end) = (found.start(), found.end());
        n_found += 1;
        if command.which != 0 && command.which != n_found {
            out.extend_from_slice(&line[at..end]);
            at = end;
            if start == end && end < line.len() {
                out.push(line[end]);
                at += 1;
            }
        } else {
            out.extend_from_slice(&line[at..start]);
            // An empty match right after another match does not count.
            if previous_empty || start != at || start != end {
                replace(&command.text, line, &found, &mut out);
                altered = true;
            }
            previous_empty = start == end;
            at = end;
            if previous_empty && end < line.len() {
                out.push(line[end]);
                at += 1;
            } else if previous_empty {
                tried_at_end = true;
            }
            if command.which != 0 {
                break;
            }
        }
        if at >= line.len() && std::mem::replace(&mut tried_at_end, true) {
            break;
        }
        match regex.find_at(line, at)? {
            Some(next) => found = next,
            None => break,
        }
    }
    out.extend_from_slice(&line[at..]);
    Ok(altered.then_some(out))
}

/// The replacement with `&` and `\1` filled in.
fn replace(text: &[u8], line: &[u8], found: &Match, out: &mut Vec<u8>) {
    let group = |idx: usize| found.group(idx).map_or(&[][..], |(a, b)| &line[a..b]);
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'&' => out.extend_from_slice(group(0)),
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'9') => {
                    out.extend_from_slice(group(usize::from(digit - b'0')));
                }
                Some(other) => out.push(other),
                None => {}
            },
            byte => out.push(byte),
        }
    }
}
