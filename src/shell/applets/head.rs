//! `head`: output is kept back until the end. Models coreutils/head.c.

use super::Answer;
use super::common::{Cx, number};
use crate::shell::{Fd, sys::stdio::Lines};
use std::collections::VecDeque;

struct Count {
    n: u64,
    bytes: bool,
    /// All but the last `n`.
    all_but: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let mut args = cx.args().to_vec();
    // `-5` in front is `-n 5`.
    if let Some(first) = args.first_mut()
        && first.starts_with('-')
        && first[1..].starts_with(|c: char| c.is_ascii_digit())
    {
        *first = format!("-n{}", &first[1..]);
        cx.argv.truncate(1);
        cx.argv.extend(args);
    }
    let opts = cx.opts("n:c:qv", "").await?;
    let mut count = Count { n: 10, bytes: false, all_but: false };
    if let Some(letter) = opts.last_of("nc") {
        let text = opts.value(letter).unwrap_or("").to_owned();
        let bare = text.strip_prefix('-').unwrap_or(&text);
        let Some(n) = number::with_suffix(bare) else {
            return Err(cx.die(&format!("invalid number '{bare}'")).await);
        };
        count = Count { n, bytes: letter == 'c', all_but: bare.len() < text.len() };
    }
    let files = super::common::cx::files_or_stdin(opts.rest.clone());
    let headers = match opts.last_of("qv") {
        Some('q') => false,
        Some(_) => true,
        None => files.len() > 1,
    };
    let mut first = true;
    for path in files {
        let Some(fd) = cx.open_input(&path).await else { continue };
        if headers {
            let gap = if std::mem::replace(&mut first, false) { "" } else { "\n" };
            let name = if path == "-" { "standard input" } else { &path };
            cx.text(&format!("{gap}==> {name} <==\n")).await;
        }
        match count.bytes {
            true => bytes(cx, fd, &count).await,
            false => lines(cx, fd, &count).await,
        }
        cx.close_input(fd);
    }
    Ok(cx.status)
}

async fn lines(cx: &mut Cx, fd: Fd, count: &Count) {
    let mut input: Lines = cx.lines(fd);
    let mut held = VecDeque::new();
    let mut left = count.n;
    while left > 0 || count.all_but {
        let Ok(Some(line)) = input.next().await else { break };
        if !count.all_but {
            left -= 1;
            cx.put(&line).await;
            continue;
        }
        held.push_back(line);
        if held.len() as u64 > count.n
            && let Some(line) = held.pop_front()
        {
            cx.put(&line).await;
        }
    }
}

async fn bytes(cx: &mut Cx, fd: Fd, count: &Count) {
    if count.all_but {
        let data = cx.sys.read_all(fd).await.unwrap_or_default();
        let end = data.len().saturating_sub(count.n as usize);
        cx.put(&data[..end]).await;
        return;
    }
    let mut left = count.n;
    while left > 0 {
        let max = left.min(4096) as usize;
        match cx.sys.read(fd, max).await {
            Ok(data) if !data.is_empty() => {
                left -= data.len() as u64;
                cx.put(&data).await;
            }
            _ => break,
        }
    }
}
