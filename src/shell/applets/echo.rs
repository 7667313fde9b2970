//! `echo` and `yes`. Models coreutils/echo.c; the shell's builtin is the same function.

use super::Answer;
use super::common::{Cx, escape};
use crate::shell::bytes::to_bytes;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let text = echo(cx.args());
    cx.put(&text).await;
    Ok(0)
}

/// What `echo ARGS` prints: `-n -e -E` in front, escapes only with `-e`.
pub fn echo(args: &[String]) -> Vec<u8> {
    let mut newline = true;
    let mut escapes = false;
    let mut rest = args;
    while let Some((first, others)) = rest.split_first() {
        let Some(letters) = first.strip_prefix('-') else { break };
        if letters.is_empty() || !letters.chars().all(|c| "neE".contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                letter => escapes = letter == 'e',
            }
        }
        rest = others;
    }
    let mut out = Vec::new();
    for (i, arg) in rest.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        if !escapes {
            out.extend_from_slice(&to_bytes(arg));
        } else if escaped(&to_bytes(arg), &mut out) {
            return out;
        }
    }
    if newline {
        out.push(b'\n');
    }
    out
}

/// An argument of `echo -e` or `%b`; true when `\c` ends all output.
pub(super) fn escaped(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        if text.get(at) == Some(&b'c') {
            return true;
        }
        // `\0101`: the octal digits after the zero.
        if text.get(at) == Some(&b'0') && matches!(text.get(at + 1), Some(b'0'..=b'7')) {
            at += 1;
        }
        let (byte, used) = escape::escape(&text[at..]);
        out.push(byte);
        at += used;
    }
    false
}

pub(super) async fn yes(cx: &mut Cx) -> Answer {
    let words = if cx.args().is_empty() { "y".to_owned() } else { cx.args().join(" ") };
    let line = to_bytes(&(words + "\n"));
    loop {
        cx.put(&line).await;
        cx.sys.tick().await;
        if let Some(errno) = cx.out.failed() {
            cx.err(&format!("yes: standard output: {}\n", errno.text())).await;
            return Ok(1);
        }
    }
}
