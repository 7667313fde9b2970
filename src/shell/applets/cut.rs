//! `cut`: bytes, characters or fields of lines. Models coreutils/cut.c.

use super::Answer;
use super::common::{Cx, cx::files_or_stdin};
use crate::order::Order;
use crate::shell::bytes::to_bytes;

/// From and to, counted from zero, both in.
type Range = (usize, usize);

struct Cut {
    ranges: Vec<Range>,
    fields: bool,
    delimiter: u8,
    joiner: Vec<u8>,
    suppress: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("b:c:f:d:O:snD!F", "output-delimiter=O").await?;
    let Some(letter) = opts.last_of("bcf") else {
        return Err(cx.die("expected a list of bytes, characters, or fields").await);
    };
    let fields = letter == 'f';
    if !fields && opts.has('s') {
        let text = "suppressing non-delimited lines makes sense only when operating on fields";
        return Err(cx.die(text).await);
    }
    if !fields && opts.has('d') {
        let text = "a delimiter may be specified only when operating on fields";
        return Err(cx.die(text).await);
    }
    let ranges = match parse(opts.value(letter).unwrap_or(""), !opts.has('D')) {
        Ok(ranges) => ranges,
        Err(message) => return Err(cx.die(&message).await),
    };
    let delimiter = opts.value('d').and_then(|d| to_bytes(d).first().copied()).unwrap_or(b'\t');
    let joiner = opts.value('O').map_or_else(|| vec![delimiter], to_bytes);
    let cut = Cut { ranges, fields, delimiter, joiner, suppress: opts.has('s') };
    for path in files_or_stdin(opts.rest) {
        let Some(fd) = cx.open_input(&path).await else { continue };
        let mut lines = cx.lines(fd);
        while let Ok(Some(line)) = lines.next().await {
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let mut out = Vec::new();
            if cut.line(line, &mut out) {
                out.push(b'\n');
                cx.put(&out).await;
            }
        }
        cx.close_input(fd);
    }
    Ok(cx.status)
}

fn parse(text: &str, sorted: bool) -> Result<Vec<Range>, String> {
    let number = |text: &str| {
        super::common::number::digits(text)
            .filter(|n| *n <= i32::MAX as u64)
            .map(|n| n as usize)
            .ok_or_else(|| format!("invalid number '{text}'"))
    };
    let mut ranges = Vec::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').map_or((part, None), |(a, b)| (a, Some(b)));
        let start = if from.is_empty() { 0 } else { number(from)?.saturating_sub(1) };
        let end = match to {
            None => start,
            Some("") => usize::MAX,
            Some(to) => {
                let end = number(to)?;
                if end < start {
                    return Err(format!("{end}<{start}"));
                }
                end.wrapping_sub(1)
            }
        };
        ranges.push((start, end));
    }
    if ranges.is_empty() {
        return Err("missing list of positions".to_owned());
    }
    if sorted {
        ranges.order_by_key(|range| range.0);
    }
    Ok(ranges)
}

impl Cut {
    /// Writes what stays of a line; false when the line is left out.
    fn line(&self, line: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.fields {
            let mut next = 0;
            for &(start, end) in &self.ranges {
                let from = start.max(next).min(line.len());
                let to = end.saturating_add(1).min(line.len()).max(from);
                out.extend_from_slice(&line[from..to]);
                next = next.max(to);
            }
            return true;
        }
        if !line.contains(&self.delimiter) {
            out.extend_from_slice(line);
            return !self.suppress;
        }
        let parts: Vec<&[u8]> = line.split(|b| *b == self.delimiter).collect();
        let mut next = 0;
        let mut first = true;
        for &(start, end) in &self.ranges {
            let from = start.max(next).min(parts.len());
            let to = end.saturating_add(1).min(parts.len()).max(from);
            for part in &parts[from..to] {
                if !std::mem::replace(&mut first, false) {
                    out.extend_from_slice(&self.joiner);
                }
                out.extend_from_slice(part);
            }
            next = next.max(to);
        }
        true
    }
}
