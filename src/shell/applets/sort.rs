//! `sort`. Models coreutils/sort.c: keys, their flags, and the tie break by the whole line.

use super::Answer;
use super::common::{Cx, Opts, calendar::MONTHS, cx::files_or_stdin};
use crate::order::Order;
use crate::shell::OpenHow;
use crate::shell::bytes::to_bytes;
use crate::shell::sys::stdio::Out;
use std::cmp::Ordering;

#[derive(Default)]
struct Key {
    /// Start field, start character, end field, end character; from 1, 0 is absent.
    range: [usize; 4],
    flags: String,
    /// `b` after the comma.
    trim_end: bool,
}

struct Sort {
    keys: Vec<Key>,
    separator: Option<u8>,
    flags: String,
    stable: bool,
    unique: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    cx.usage_status = 2;
    let opts = cx.opts("nghMVucszbrdfimS:T:o:k:t:", "").await?;
    let separator = match opts.value('t').map(to_bytes) {
        None => None,
        Some(bytes) if bytes.len() == 1 => bytes.first().copied(),
        Some(_) => return fatal(cx, "bad -t parameter").await,
    };
    let mut keys = Vec::new();
    for text in opts.values('k') {
        match parse_key(text) {
            Ok(key) => keys.push(key),
            Err(message) => return fatal(cx, message).await,
        }
    }
    if keys.is_empty() {
        keys.push(Key { range: [1, 0, 0, 0], ..Key::default() });
    }
    let flags = "nghMVbrdfi".chars().filter(|flag| opts.has(*flag)).collect();
    let sort = Sort { keys, separator, flags, stable: opts.has('s'), unique: opts.has('u') };
    let end = if opts.has('z') { 0 } else { b'\n' };
    let mut lines = Vec::new();
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { return Ok(2) };
        let mut parts: Vec<Vec<u8>> = data.split(|b| *b == end).map(<[u8]>::to_vec).collect();
        if parts.last().is_some_and(Vec::is_empty) {
            parts.pop();
        }
        cx.sys.burn(parts.len() as u64).await;
        lines.append(&mut parts);
    }
    if opts.has('c') {
        return check(cx, &sort, &lines).await;
    }
    lines.order_by(|a, b| sort.order(a, b, true));
    if sort.unique {
        lines.dedup_by(|b, a| sort.keys_order(a, b) == Ordering::Equal);
    }
    output(cx, &opts, &lines, end).await
}

async fn fatal(cx: &mut Cx, message: &str) -> Answer {
    cx.fail(message).await;
    Ok(2)
}

async fn check(cx: &mut Cx, sort: &Sort, lines: &[Vec<u8>]) -> Answer {
    for (i, pair) in lines.windows(2).enumerate() {
        let order = sort.order(&pair[0], &pair[1], !sort.unique);
        if order == Ordering::Greater || (sort.unique && order == Ordering::Equal) {
            cx.err(&format!("Check line {}\n", i + 1)).await;
            return Ok(1);
        }
    }
    Ok(0)
}

async fn output(cx: &mut Cx, opts: &Opts, lines: &[Vec<u8>], end: u8) -> Answer {
    if let Some(path) = opts.value('o') {
        match cx.sys.open(path, OpenHow::WRITE).await {
            Ok(fd) => cx.out = Out::new(&cx.sys, fd),
            Err(errno) => {
                cx.fail_on(path, errno).await;
                return Ok(2);
            }
        }
    }
    for line in lines {
        cx.put(line).await;
        cx.put(&[end]).await;
    }
    Ok(0)
}

fn parse_key(text: &str) -> Result<Key, &'static str> {
    let mut key = Key::default();
    for (i, part) in text.splitn(2, ',').enumerate() {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(part.len());
        let (position, flags) = part.split_at(end);
        let (field, char) =
            position.split_once('.').map_or((position, None), |(a, b)| (a, Some(b)));
        let number = |text: &str| match text.parse::<usize>() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err("bad field specification"),
        };
        key.range[2 * i] = number(field)?;
        if let Some(char) = char {
            key.range[2 * i + 1] = number(char)?;
        }
        for flag in flags.chars() {
            match flag {
                'b' if i == 1 => key.trim_end = true,
                'n' | 'g' | 'h' | 'M' | 'V' | 'b' | 'r' | 'd' | 'f' | 'i' => key.flags.push(flag),
                'u' | 'c' | 's' | 'z' => return Err("unknown sort type"),
                _ => return Err("unknown key option"),
            }
        }
    }
    Ok(key)
}

impl Sort {
    fn order(&self, a: &[u8], b: &[u8], tie_break: bool) -> Ordering {
        let order = self.keys_order(a, b);
        if order != Ordering::Equal || self.stable || self.unique || !tie_break {
            return order;
        }
        let order = a.cmp(b);
        if self.flags.contains('r') { order.reverse() } else { order }
    }

    fn keys_order(&self, a: &[u8], b: &[u8]) -> Ordering {
        for key in &self.keys {
            let own = !key.flags.is_empty() || key.trim_end;
            let flags = if own { &key.flags } else { &self.flags };
            let trim_end = key.trim_end || (!own && self.flags.contains('b'));
            let order = compare(
                &self.cut(a, key, flags, trim_end),
                &self.cut(b, key, flags, trim_end),
                flags,
            );
            let order = if flags.contains('r') { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    /// Where field `n` ends, or begins for `ends == 0`; true when a separator stopped it.
    fn field_end(&self, line: &[u8], n: usize) -> (usize, bool) {
        let mut at = 0;
        let mut stopped = false;
        for _ in 0..n {
            stopped = false;
            match self.separator {
                Some(separator) => {
                    let rest = &line[at..];
                    match rest.iter().position(|b| *b == separator) {
                        Some(skip) => {
                            at += skip + 1;
                            stopped = true;
                        }
                        None => at = line.len(),
                    }
                }
                None => {
                    while line.get(at).is_some_and(u8::is_ascii_whitespace) {
                        at += 1;
                    }
                    while line.get(at).is_some_and(|b| !b.is_ascii_whitespace()) {
                        at += 1;
                    }
                }
            }
            if at >= line.len() {
                break;
            }
        }
        (at, stopped)
    }

    fn cut(&self, line: &[u8], key: &Key, flags: &str, trim_end: bool) -> Vec<u8> {
        let [start_field, start_char, end_field, end_char] = key.range;
        let (mut start, _) = self.field_end(line, start_field.saturating_sub(1));
        let mut end = match end_field {
            0 => line.len(),
            field => match self.field_end(line, field) {
                (end, true) => end - 1,
                (end, false) => end,
            },
        };
        if flags.contains('b') {
            while line.get(start).is_some_and(u8::is_ascii_whitespace) {
                start += 1;
            }
        }
        while trim_end && end > start && line[end - 1].is_ascii_whitespace() {
            end -= 1;
        }
        if end_char > 0 {
            end = end_char.min(line.len());
        }
        if start_char > 0 {
            start = (start + start_char - 1).min(line.len());
        }
        let mut text = line[start..end.max(start)].to_vec();
        if flags.contains('d') {
            text.retain(|b| b.is_ascii_whitespace() || b.is_ascii_alphanumeric());
        }
        if flags.contains('i') {
            text.retain(|b| (0x20..0x7f).contains(b));
        }
        if flags.contains('f') {
            text.make_ascii_uppercase();
        }
        text
    }
}

fn compare(a: &[u8], b: &[u8], flags: &str) -> Ordering {
    let kind = flags.chars().find(|flag| "nghMV".contains(*flag));
    match kind {
        None => a.cmp(b),
        Some('V') => version(a, b),
        Some('M') => month(a).cmp(&month(b)),
        Some('n') => float(number(a).0, number(b).0),
        Some(kind) => {
            let ((x, x_end), (y, y_end)) = (number(a), number(b));
            // What is no number comes before all numbers.
            match (x_end == 0, y_end == 0) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                _ if kind == 'h' => {
                    let scales = scale(&a[x_end..]).cmp(&scale(&b[y_end..]));
                    scales.then_with(|| float(x, y))
                }
                _ => float(x, y),
            }
        }
    }
}

fn float(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or(Ordering::Equal)
}

/// strtod: the number at the start (after blanks) and where it ends; 0 when there is none.
pub(super) fn number(text: &[u8]) -> (f64, usize) {
    let blanks = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let rest = &text[blanks..];
    let mut end = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let mut digits = 0;
    let mut dot = false;
    while let Some(byte) = rest.get(end) {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' if !dot => dot = true,
            _ => break,
        }
        end += 1;
    }
    if digits == 0 {
        return (0.0, 0);
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        let from = end + 1 + sign;
        let n = rest.get(from..).map_or(0, |r| r.iter().take_while(|b| b.is_ascii_digit()).count());
        if n > 0 {
            end = from + n;
        }
    }
    let value = std::str::from_utf8(&rest[..end]).ok().and_then(|t| t.parse().ok());
    (value.unwrap_or(0.0), blanks + end)
}

fn scale(rest: &[u8]) -> i32 {
    let Some(first) = rest.first() else { return -1 };
    let at = b"kmgtpezy".iter().position(|b| *b == first.to_ascii_lowercase());
    match at {
        Some(0) => 0,
        Some(at) if first.is_ascii_uppercase() => at as i32,
        _ => -1,
    }
}

/// 0 for what is no month.
fn month(text: &[u8]) -> usize {
    let start = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let Some(name) = text.get(start..start + 3) else { return 0 };
    let at = MONTHS.iter().position(|month| month.as_bytes()[..3].eq_ignore_ascii_case(name));
    at.map_or(0, |at| at + 1)
}

/// strverscmp, for runs of digits without leading zeros.
pub(super) fn version(a: &[u8], b: &[u8]) -> Ordering {
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i].is_ascii_digit() && b[j].is_ascii_digit() {
            let run = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
            let (n, m) = (run(&a[i..]), run(&b[j..]));
            let (x, y) = (&a[i..i + n], &b[j..j + m]);
            let zeros = x[0] == b'0' || y[0] == b'0';
            let order = if zeros { x.cmp(y) } else { n.cmp(&m).then_with(|| x.cmp(y)) };
            if order != Ordering::Equal {
                return order;
            }
            i += n;
            j += m;
        } else if a[i] == b[j] {
            i += 1;
            j += 1;
        } else {
            return a[i].cmp(&b[j]);
        }
    }
    (a.len() - i).cmp(&(b.len() - j))
}
