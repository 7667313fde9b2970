//! `tr`: passes on at once. Models coreutils/tr.c.

use super::Answer;
use super::common::{Cx, escape};
use crate::regex::class_contains;
use crate::shell::Errno;
use crate::shell::bytes::to_bytes;

struct Table {
    map: [u8; 256],
    inside: [bool; 256],
    outside: [bool; 256],
    delete: bool,
    squeeze: bool,
    last: Option<u8>,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+Ccds", "complement=c delete=d squeeze-repeats=s").await?;
    let Some(first) = opts.rest.first() else { return Err(cx.usage().await) };
    let complement = opts.has('c') || opts.has('C');
    let from = expand(&to_bytes(first));
    let from: Vec<u8> = match complement {
        true => (0..=255).filter(|b| !from.contains(b)).collect(),
        false => from,
    };
    let to = match opts.rest.get(1) {
        Some(text) if text.is_empty() => {
            return Err(cx.die("STRING2 cannot be empty").await);
        }
        Some(text) => expand(&to_bytes(text)),
        None => Vec::new(),
    };
    let mut table = Table::new(&from, &to);
    table.delete = opts.has('d');
    table.squeeze = opts.has('s');
    loop {
        match cx.sys.read(0, 8192).await {
            Ok(data) if data.is_empty() => return Ok(0),
            Ok(data) => {
                let out = table.bytes(&data);
                cx.now(&out).await;
                if cx.out.failed().is_some() {
                    return Ok(1);
                }
            }
            Err(Errno::Intr) => {}
            Err(errno) => {
                cx.fail_on("read error", errno).await;
                return Ok(1);
            }
        }
    }
}

impl Table {
    fn new(from: &[u8], to: &[u8]) -> Table {
        let mut table = Table {
            map: std::array::from_fn(|i| i as u8),
            inside: [false; 256],
            outside: [false; 256],
            delete: false,
            squeeze: false,
            last: None,
        };
        for (i, &byte) in from.iter().enumerate() {
            table.inside[usize::from(byte)] = true;
            if let Some(&other) = to.get(i).or(to.last()) {
                table.map[usize::from(byte)] = other;
            }
        }
        for &byte in to {
            table.outside[usize::from(byte)] = true;
        }
        table
    }

    fn bytes(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        for &byte in data {
            let inside = self.inside[usize::from(byte)];
            if self.delete && inside {
                continue;
            }
            let coded = self.map[usize::from(byte)];
            let counts = inside || self.outside[usize::from(coded)];
            if self.squeeze && self.last == Some(coded) && counts {
                continue;
            }
            self.last = Some(coded);
            out.push(coded);
        }
        out
    }
}

/// `a-z`, `[:upper:]`, `[=x=]` and escapes written out.
fn expand(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'['
            && let Some(used) = class(&text[at..], &mut out)
        {
            at += used;
            continue;
        }
        let (low, used) = element(&text[at..]);
        at += used;
        if text.get(at) == Some(&b'-') && at + 1 < text.len() {
            let (high, used) = element(&text[at + 1..]);
            at += 1 + used;
            out.extend(low..=high);
        } else {
            out.push(low);
        }
    }
    out
}

fn element(text: &[u8]) -> (u8, usize) {
    match text {
        [b'\\', rest @ ..] => {
            let (byte, used) = escape::escape(rest);
            (byte, used + 1)
        }
        [byte, ..] => (*byte, 1),
        [] => (0, 1),
    }
}

/// A class at the start of `text`: how many bytes it is long.
fn class(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    match text {
        [b'[', b'=', byte, b'=', b']', ..] => {
            out.push(*byte);
            Some(5)
        }
        [b'[', b':', rest @ ..] => {
            let end = rest.windows(2).position(|pair| pair == b":]")?;
            let name = &rest[..end];
            if matches!(name, b"graph" | b"print") {
                return None;
            }
            class_contains(name, 0)?;
            // In `[:upper:] [:lower:]` pairs the order decides what becomes what.
            out.extend((0..=255).filter(|b| class_contains(name, *b) == Some(true)));
            Some(end + 4)
        }
        _ => None,
    }
}
