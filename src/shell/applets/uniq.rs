//! `uniq`. Models coreutils/uniq.c.

use super::Answer;
use super::common::{Cx, Opts, number};
use crate::shell::{OpenHow, sys::stdio::Out};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cduf:s:w:iz", "").await?;
    let mut limits = [0, 0, usize::MAX];
    for (i, letter) in ['f', 's', 'w'].into_iter().enumerate() {
        let Some(text) = opts.value(letter) else { continue };
        match number::digits(text) {
            Some(n) => limits[i] = n as usize,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    if opts.rest.len() > 2 {
        return Err(cx.usage().await);
    }
    let path = opts.rest.first().cloned().unwrap_or_else(|| "-".to_owned());
    let Some(fd) = cx.open_input(&path).await else { return Ok(1) };
    if let Some(path) = opts.rest.get(1).filter(|path| *path != "-") {
        match cx.sys.open(path, OpenHow::WRITE).await {
            Ok(out) => cx.out = Out::new(&cx.sys, out),
            Err(errno) => {
                cx.fail_on(&format!("can't open '{path}'"), errno).await;
                return Ok(1);
            }
        }
    }
    let mut lines = cx.lines(fd);
    let mut group: Option<(Vec<u8>, u64)> = None;
    loop {
        let line = lines.next().await.ok().flatten();
        let line = line.map(|line| line.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(line));
        let same = match (&line, &group) {
            (Some(line), Some((old, _))) => {
                let (a, b) = (key(line, limits), key(old, limits));
                if opts.has('i') { a.eq_ignore_ascii_case(b) } else { a == b }
            }
            _ => false,
        };
        if let (true, Some((_, n))) = (same, &mut group) {
            *n += 1;
            continue;
        }
        if let Some((line, n)) = group.take() {
            show(cx, &opts, &line, n).await;
        }
        match line {
            Some(line) => group = Some((line, 1)),
            None => return Ok(cx.status),
        }
    }
}

async fn show(cx: &mut Cx, opts: &Opts, line: &[u8], n: u64) {
    let hidden = if n > 1 { opts.has('u') } else { opts.has('d') };
    if hidden {
        return;
    }
    if opts.has('c') {
        cx.text(&format!("{n:7} ")).await;
    }
    cx.put(line).await;
    cx.put(b"\n").await;
}

/// The part of a line that is compared.
fn key(line: &[u8], [fields, chars, most]: [usize; 3]) -> &[u8] {
    let mut rest = line;
    for _ in 0..fields.min(line.len()) {
        let blank = rest.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(rest.len());
        rest = &rest[blank..];
        let word = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        rest = &rest[word..];
    }
    rest = &rest[chars.min(rest.len())..];
    &rest[..most.min(rest.len())]
}
