//! `od` and `hexdump`: bytes made visible.

use super::Answer;
use super::common::{Cx, Opts, number};

/// How a line of bytes is written: bytes per cell, width of a cell, and the cell's text.
#[derive(Clone, Copy)]
struct Format {
    size: usize,
    kind: u8,
}

pub(super) async fn od(cx: &mut Cx) -> Answer {
    let opts = cx.opts("A:N:j:t:bcdDhHiIlLoOsSxXvw::a", "").await?;
    let mut formats = Vec::new();
    for (letter, value) in opts.each() {
        let format = match letter {
            't' => match type_of(value) {
                Some(format) => format,
                None => return Err(cx.not_simulated(&format!("-t {value}")).await),
            },
            'b' => Format { size: 1, kind: b'o' },
            'c' => Format { size: 1, kind: b'c' },
            'a' => Format { size: 1, kind: b'a' },
            'd' => Format { size: 2, kind: b'u' },
            'o' => Format { size: 2, kind: b'o' },
            'x' | 'h' => Format { size: 2, kind: b'x' },
            'i' | 's' => Format { size: 2, kind: b'd' },
            'D' => Format { size: 4, kind: b'u' },
            'O' => Format { size: 4, kind: b'o' },
            'X' | 'H' => Format { size: 4, kind: b'x' },
            'I' | 'l' | 'L' => Format { size: 8, kind: b'd' },
            _ => continue,
        };
        formats.push(format);
    }
    if formats.is_empty() {
        formats.push(Format { size: 2, kind: b'o' });
    }
    let Some(data) = input(cx, &opts, 'N', 'j').await? else { return Ok(1) };
    let (skip, data) = data;
    let radix = opts.value('A').and_then(|a| a.bytes().next()).unwrap_or(b'o');
    let address = |at: usize| match radix {
        b'n' => String::new(),
        b'd' => format!("{at:07}"),
        b'x' => format!("{at:06x}"),
        _ => format!("{at:07o}"),
    };
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (i, line) in data.chunks(16).enumerate() {
        if last == Some(line) && !opts.has('v') && line.len() == 16 {
            if !std::mem::replace(&mut starred, true) {
                cx.text("*\n").await;
            }
            continue;
        }
        starred = false;
        last = Some(line);
        for (j, format) in formats.iter().enumerate() {
            let front = address(skip + i * 16);
            let front = if j == 0 { front } else { " ".repeat(front.len()) };
            cx.text(&format!("{front}{}\n", format.line(line))).await;
        }
        cx.sys.tick().await;
    }
    if radix != b'n' {
        cx.text(&format!("{}\n", address(skip + data.len()))).await;
    }
    Ok(cx.status)
}

fn type_of(text: &str) -> Option<Format> {
    let kind = text.bytes().next()?;
    let size = match &text[1..] {
        "" if matches!(kind, b'a' | b'c') => 1,
        "" => 4,
        "C" | "1" => 1,
        "S" | "2" => 2,
        "I" | "4" => 4,
        "L" | "8" => 8,
        _ => return None,
    };
    b"acdoux".contains(&kind).then_some(Format { size, kind })
}

/// Bytes skipped and the bytes to show.
async fn input(
    cx: &mut Cx,
    opts: &Opts,
    limit: char,
    skip: char,
) -> Result<Option<(usize, Vec<u8>)>, i32> {
    let mut bounds = [usize::MAX, 0];
    for (i, letter) in [limit, skip].into_iter().enumerate() {
        let Some(text) = opts.value(letter) else { continue };
        match number::with_suffix(text) {
            Some(n) => bounds[i] = n as usize,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    let want = bounds[0].saturating_add(bounds[1]);
    let mut data = Vec::new();
    for path in super::common::cx::files_or_stdin(opts.rest.clone()) {
        let Some(fd) = cx.open_input(&path).await else { continue };
        while data.len() < want.min(16 << 20) {
            match cx.sys.read(fd, (want - data.len()).min(65_536)).await {
                Ok(more) if !more.is_empty() => data.extend_from_slice(&more),
                _ => break,
            }
        }
        cx.close_input(fd);
    }
    let skipped = bounds[1].min(data.len());
    data.drain(..skipped);
    Ok(Some((skipped, data)))
}

impl Format {
    fn line(self, line: &[u8]) -> String {
        let mut out = String::new();
        for cell in line.chunks(self.size) {
            let value = cell.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
            let bits = 8 * self.size as u32;
            let text = match self.kind {
                b'c' => char_name(value as u8),
                b'a' => ascii_name(value as u8),
                b'x' => format!("{value:0w$x}", w = 2 * self.size),
                b'o' => format!("{value:0w$o}", w = bits.div_ceil(3) as usize),
                b'u' => format!("{value:>w$}", w = digits(self.size)),
                _ => {
                    let shift = 64 - bits;
                    let signed = ((value << shift) as i64) >> shift;
                    format!("{signed:>w$}", w = digits(self.size) + 1)
                }
            };
            out.push(' ');
            out.push_str(&text);
        }
        out
    }
}

fn digits(size: usize) -> usize {
    match size {
        1 => 3,
        2 => 5,
        4 => 10,
        _ => 20,
    }
}

fn char_name(byte: u8) -> String {
    let name = match byte {
        0 => "\\0",
        7 => "\\a",
        8 => "\\b",
        9 => "\\t",
        10 => "\\n",
        11 => "\\v",
        12 => "\\f",
        13 => "\\r",
        0x20..=0x7e => return format!("{:>3}", char::from(byte)),
        _ => return format!("{byte:03o}"),
    };
    format!("{name:>3}")
}

fn ascii_name(byte: u8) -> String {
    const NAMES: [&str; 33] = [
        "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr",
        "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub",
        "esc", "fs", "gs", "rs", "us", "sp",
    ];
    let low = byte & 0x7f;
    match NAMES.get(usize::from(low)) {
        Some(name) => format!("{name:>3}"),
        None if low == 127 => "del".to_owned(),
        None => format!("{:>3}", char::from(low)),
    }
}

pub(super) async fn hexdump(cx: &mut Cx) -> Answer {
    let opts = cx.opts("bcodxCn:s:v!eR", "").await?;
    if ['b', 'c', 'o', 'd'].iter().any(|letter| opts.has(*letter)) {
        return Err(cx.not_simulated("-b, -c, -o and -d").await);
    }
    let Some((skip, data)) = input(cx, &opts, 'n', 's').await? else { return Ok(1) };
    let canonical = opts.has('C') || cx.name() == "hd";
    let wide = if canonical { 8 } else { 7 };
    let mut last: Option<&[u8]> = None;
    let mut starred = false;
    for (i, line) in data.chunks(16).enumerate() {
        if last == Some(line) && !opts.has('v') && line.len() == 16 {
            if !std::mem::replace(&mut starred, true) {
                cx.text("*\n").await;
            }
            continue;
        }
        starred = false;
        last = Some(line);
        let mut text = format!("{:0wide$x}", skip + i * 16);
        match canonical {
            true => canonical_line(line, &mut text),
            false => {
                for pair in line.chunks(2) {
                    let high = pair.get(1).copied().unwrap_or(0);
                    text.push_str(&format!(" {high:02x}{:02x}", pair[0]));
                }
                // Cells that are not there leave their room.
                let missing = 8 - line.len().div_ceil(2);
                text.push_str(&" ".repeat(5 * missing));
            }
        }
        cx.text(&(text + "\n")).await;
        cx.sys.tick().await;
    }
    if !data.is_empty() {
        cx.text(&format!("{:0wide$x}\n", skip + data.len())).await;
    }
    Ok(cx.status)
}

fn canonical_line(line: &[u8], text: &mut String) {
    for i in 0..16 {
        text.push_str(if i % 8 == 0 { "  " } else { " " });
        match line.get(i) {
            Some(byte) => text.push_str(&format!("{byte:02x}")),
            None => text.push_str("  "),
        }
    }
    text.push_str("  |");
    let visible = |b: &u8| if (0x20..0x7f).contains(b) { char::from(*b) } else { '.' };
    text.extend(line.iter().map(visible));
    text.push('|');
}
