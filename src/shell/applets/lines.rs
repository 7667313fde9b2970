//! Small filters of lines: `paste tac rev nl fold comm cmp strings dos2unix unix2dos split shuf`.

use super::Answer;
use super::common::{Cx, cx::files_or_stdin, escape::unescape, number};
use crate::shell::OpenHow;
use crate::shell::bytes::to_bytes;
use std::cmp::Ordering;

/// Lines without their ends.
fn lines(data: &[u8]) -> Vec<&[u8]> {
    let body = data.strip_suffix(b"\n").unwrap_or(data);
    if data.is_empty() { Vec::new() } else { body.split(|b| *b == b'\n').collect() }
}

/// A number given with a letter, or the default.
async fn count(cx: &mut Cx, text: Option<&str>, default: u64) -> Result<u64, i32> {
    match text {
        None => Ok(default),
        Some(text) => match number::with_suffix(text) {
            Some(n) => Ok(n),
            None => Err(cx.die(&format!("invalid number '{text}'")).await),
        },
    }
}

pub(super) async fn paste(cx: &mut Cx) -> Answer {
    let opts = cx.opts("d:s", "").await?;
    let delimiters = opts.value('d').map_or_else(|| b"\t".to_vec(), |d| unescape(&to_bytes(d)));
    // `\0` is no delimiter at all.
    let joiner =
        |i: usize| delimiters.get(i % delimiters.len().max(1)).copied().filter(|byte| *byte != 0);
    let mut inputs = Vec::new();
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { return Ok(1) };
        inputs.push(data);
    }
    let mut columns: Vec<Vec<&[u8]>> = inputs.iter().map(|data| lines(data)).collect();
    share_stdin(&opts.rest, &mut columns);
    if opts.has('s') {
        for column in columns {
            let mut out = Vec::new();
            for (i, cell) in column.iter().enumerate() {
                if i > 0 {
                    out.extend(joiner(i - 1));
                }
                out.extend_from_slice(cell);
            }
            out.push(b'\n');
            cx.put(&out).await;
        }
        return Ok(0);
    }
    for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
        let mut out = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            if i > 0 {
                out.extend(joiner(i - 1));
            }
            out.extend_from_slice(column.get(row).copied().unwrap_or(&[]));
        }
        out.push(b'\n');
        cx.put(&out).await;
    }
    Ok(0)
}

/// `-` given several times takes turns with the lines of standard input.
fn share_stdin(paths: &[String], columns: &mut [Vec<&[u8]>]) {
    let places: Vec<usize> =
        paths.iter().enumerate().filter(|(_, path)| *path == "-").map(|(i, _)| i).collect();
    let Some(all) = places.first().and_then(|i| columns.get(*i)).cloned() else { return };
    for (turn, place) in places.iter().enumerate() {
        if let Some(column) = columns.get_mut(*place) {
            *column = all.iter().skip(turn).step_by(places.len()).copied().collect();
        }
    }
}

pub(super) async fn tac(cx: &mut Cx) -> Answer {
    for path in files_or_stdin(cx.args().to_vec()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        for line in data.split_inclusive(|b| *b == b'\n').rev() {
            cx.put(line).await;
        }
    }
    Ok(cx.status)
}

pub(super) async fn rev(cx: &mut Cx) -> Answer {
    for path in files_or_stdin(cx.args().to_vec()) {
        let Some(fd) = cx.open_input(&path).await else { continue };
        let mut input = cx.lines(fd);
        while let Ok(Some(line)) = input.next().await {
            let ended = line.ends_with(b"\n");
            let body = line.strip_suffix(b"\n").unwrap_or(&line);
            let text: String = crate::shell::bytes::to_text(body).chars().rev().collect();
            cx.text(&text).await;
            cx.put(if ended { b"\n" } else { b"" }).await;
        }
        cx.close_input(fd);
    }
    Ok(cx.status)
}

pub(super) async fn nl(cx: &mut Cx) -> Answer {
    let opts = cx.opts("pw:s:v:i:l:b:", "").await?;
    let width = count(cx, opts.value('w'), 6).await? as usize;
    let step = count(cx, opts.value('i'), 1).await?;
    let mut next = count(cx, opts.value('v'), 1).await?;
    let separator = opts.value('s').unwrap_or("\t").to_owned();
    let kind = opts.value('b').unwrap_or("t").to_owned();
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        for line in lines(&data) {
            let numbered = kind == "a" || (kind == "t" && !line.is_empty());
            let front = match numbered {
                true => format!("{next:>w$}{separator}", w = width.min(1000)),
                false => " ".repeat(width.min(1000) + separator.len()),
            };
            next += if numbered { step } else { 0 };
            cx.text(&front).await;
            cx.put(line).await;
            cx.put(b"\n").await;
        }
    }
    Ok(cx.status)
}

pub(super) async fn expand(cx: &mut Cx) -> Answer {
    let opts = cx.opts("it:", "initial=i tabs=t").await?;
    let width = count(cx, opts.value('t'), 8).await?.clamp(1, 1000) as usize;
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        let (mut out, mut column, mut indent) = (Vec::new(), 0, true);
        for &byte in &data {
            if byte == b'\t' && (indent || !opts.has('i')) {
                let n = width - column % width;
                out.resize(out.len() + n, b' ');
                column += n;
                continue;
            }
            indent = byte == b'\n' || (indent && byte == b' ');
            // Bytes that continue a UTF-8 character take no column.
            column = if byte == b'\n' { 0 } else { column + usize::from(byte & 0xc0 != 0x80) };
            out.push(byte);
        }
        cx.put(&out).await;
    }
    Ok(cx.status)
}

pub(super) async fn fold(cx: &mut Cx) -> Answer {
    let opts = cx.opts("bsw:", "").await?;
    let width = count(cx, opts.value('w'), 80).await?.max(1) as usize;
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        for line in data.split_inclusive(|b| *b == b'\n') {
            let mut rest = line.strip_suffix(b"\n").unwrap_or(line);
            while let Some(fits) = folded(rest, width, opts.has('b')) {
                let blank = rest[..fits].iter().rposition(|b| b.is_ascii_whitespace());
                let cut = match (opts.has('s'), blank) {
                    (true, Some(at)) => at + 1,
                    _ => fits.max(1),
                };
                cx.put(&rest[..cut]).await;
                cx.put(b"\n").await;
                rest = &rest[cut..];
            }
            cx.put(rest).await;
            cx.put(if line.ends_with(b"\n") { b"\n" } else { b"" }).await;
        }
    }
    Ok(cx.status)
}

/// How many bytes of a line stay within the width; `None` when all do.
fn folded(line: &[u8], width: usize, bytes: bool) -> Option<usize> {
    let mut column = 0_usize;
    for (i, byte) in line.iter().enumerate() {
        column = match byte {
            _ if bytes => column + 1,
            b'\t' => (column | 7) + 1,
            8 => column.saturating_sub(1),
            b'\r' => 0,
            _ => column + usize::from(byte & 0xc0 != 0x80),
        };
        if column > width {
            return Some(i);
        }
    }
    None
}

pub(super) async fn comm(cx: &mut Cx) -> Answer {
    let opts = cx.opts("123", "").await?;
    let [first, second] = &opts.rest[..] else { return Err(cx.usage().await) };
    let Some(a) = cx.read_input(first).await else { return Ok(1) };
    let Some(b) = cx.read_input(second).await else { return Ok(1) };
    let (a, b) = (lines(&a), lines(&b));
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let order = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => x.cmp(y),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let (column, line) = match order {
            Ordering::Less => ('1', a[i]),
            Ordering::Greater => ('2', b[j]),
            Ordering::Equal => ('3', a[i]),
        };
        i += usize::from(order.is_le());
        j += usize::from(order.is_ge());
        if opts.has(column) {
            continue;
        }
        let shown = |letter: char| column > letter && !opts.has(letter);
        let tabs = usize::from(shown('1')) + usize::from(shown('2'));
        cx.put(&vec![b'\t'; tabs]).await;
        cx.put(line).await;
        cx.put(b"\n").await;
    }
    Ok(0)
}

pub(super) async fn cmp(cx: &mut Cx) -> Answer {
    cx.usage_status = 2;
    let opts = cx.opts("sln:", "").await?;
    let Some(first) = opts.rest.first().cloned() else { return Err(cx.usage().await) };
    let second = opts.rest.get(1).cloned().unwrap_or_else(|| "-".to_owned());
    let Some(a) = cx.read_input(&first).await else { return Ok(2) };
    let Some(b) = cx.read_input(&second).await else { return Ok(2) };
    let most = count(cx, opts.value('n'), u64::MAX).await? as usize;
    let (a, b) = (&a[..a.len().min(most)], &b[..b.len().min(most)]);
    let mut differs = false;
    let mut line = 1;
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        if x != y {
            differs = true;
            if opts.has('l') {
                cx.text(&format!("{:4} {x:3o} {y:3o}\n", i + 1)).await;
                continue;
            }
            if !opts.has('s') {
                let text = format!("{first} {second} differ: char {}, line {line}\n", i + 1);
                cx.text(&text).await;
            }
            return Ok(1);
        }
        line += usize::from(*x == b'\n');
    }
    if a.len() != b.len() {
        differs = true;
        let short = if a.len() < b.len() { &first } else { &second };
        if !opts.has('s') {
            cx.err(&format!("cmp: EOF on {short}\n")).await;
        }
    }
    Ok(i32::from(differs))
}

pub(super) async fn strings(cx: &mut Cx) -> Answer {
    let opts = cx.opts("afon:t:", "").await?;
    let least = count(cx, opts.value('n'), 4).await? as usize;
    if opts.has('o') || opts.has('t') {
        return Err(cx.not_simulated("-o and -t").await);
    }
    for path in files_or_stdin(opts.rest.clone()) {
        let Some(data) = cx.read_input(&path).await else { continue };
        for run in data.split(|b| !((0x20..0x7f).contains(b) || *b == b'\t')) {
            if run.len() >= least {
                let front = if opts.has('f') { format!("{path}: ") } else { String::new() };
                cx.text(&front).await;
                cx.put(run).await;
                cx.put(b"\n").await;
            }
        }
    }
    Ok(cx.status)
}

pub(super) async fn dos2unix(cx: &mut Cx) -> Answer {
    let to_dos = cx.name() == "unix2dos";
    let opts = cx.opts("du", "").await?;
    let to_dos = opts.last_of("du").map_or(to_dos, |letter| letter == 'd');
    let convert = |data: &[u8]| {
        let mut out = Vec::with_capacity(data.len());
        for (i, &byte) in data.iter().enumerate() {
            let ends = byte == b'\r' && data.get(i + 1) == Some(&b'\n');
            if ends || (byte == b'\r' && !to_dos) {
                continue;
            }
            if byte == b'\n' && to_dos {
                out.push(b'\r');
            }
            out.push(byte);
        }
        out
    };
    if opts.rest.is_empty() {
        let data = cx.read_input("-").await.unwrap_or_default();
        cx.put(&convert(&data)).await;
        return Ok(cx.status);
    }
    for path in &opts.rest {
        let Some(data) = cx.read_input(path).await else { continue };
        match cx.sys.open(path, OpenHow::WRITE).await {
            Ok(fd) => {
                let _ = cx.sys.write(fd, &convert(&data)).await;
                let _ = cx.sys.close(fd);
            }
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }
    Ok(cx.status)
}

pub(super) async fn split(cx: &mut Cx) -> Answer {
    let opts = cx.opts("l:b:a:", "").await?;
    let n_lines = count(cx, opts.value('l'), 1000).await?.max(1) as usize;
    let n_bytes = count(cx, opts.value('b'), 0).await? as usize;
    let width = count(cx, opts.value('a'), 2).await?.clamp(1, 20) as u32;
    let path = opts.rest.first().cloned().unwrap_or_else(|| "-".to_owned());
    let prefix = opts.rest.get(1).cloned().unwrap_or_else(|| "x".to_owned());
    let Some(data) = cx.read_input(&path).await else { return Ok(1) };
    let parts: Vec<Vec<u8>> = if n_bytes > 0 {
        data.chunks(n_bytes).map(<[u8]>::to_vec).collect()
    } else {
        let all: Vec<&[u8]> = data.split_inclusive(|b| *b == b'\n').collect();
        all.chunks(n_lines).map(<[&[u8]]>::concat).collect()
    };
    for (i, part) in parts.iter().enumerate() {
        let mut suffix = String::new();
        let mut rest = i;
        for _ in 0..width {
            suffix.insert(0, char::from(b'a' + (rest % 26) as u8));
            rest /= 26;
        }
        if rest > 0 {
            return Err(cx.die("suffixes exhausted").await);
        }
        let name = format!("{prefix}{suffix}");
        match cx.sys.open(&name, OpenHow::WRITE).await {
            Ok(fd) => {
                let _ = cx.sys.write(fd, part).await;
                let _ = cx.sys.close(fd);
            }
            Err(errno) => {
                cx.fail_on(&format!("can't open '{name}'"), errno).await;
                return Ok(1);
            }
        }
    }
    Ok(0)
}

pub(super) async fn shuf(cx: &mut Cx) -> Answer {
    let opts = cx.opts("ei:n:z!o", "").await?;
    let most = count(cx, opts.value('n'), u64::MAX).await? as usize;
    let mut words: Vec<Vec<u8>> = if opts.has('e') {
        opts.rest.iter().map(|word| to_bytes(word)).collect()
    } else if let Some(range) = opts.value('i') {
        let ends =
            range.split_once('-').and_then(|(a, b)| Some((number::digits(a)?, number::digits(b)?)));
        let Some((low, high)) = ends else {
            return Err(cx.die(&format!("bad range '{range}'")).await);
        };
        (low..=high).take(100_000).map(|n| n.to_string().into_bytes()).collect()
    } else {
        let path = opts.rest.first().cloned().unwrap_or_else(|| "-".to_owned());
        let Some(data) = cx.read_input(&path).await else { return Ok(1) };
        lines(&data).into_iter().map(<[u8]>::to_vec).collect()
    };
    let end = if opts.has('z') { 0 } else { b'\n' };
    for _ in 0..most.min(words.len()) {
        let at = cx.sys.random(words.len() as u64) as usize;
        let word = words.swap_remove(at);
        cx.put(&word).await;
        cx.put(&[end]).await;
    }
    Ok(0)
}
