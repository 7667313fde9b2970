//! `bc` and `dc`: their files and standard input, and what they print. Models miscutils/bc.c of
//! busybox in what it prints; the numbers are our own.

mod code;
mod dc;
mod machine;
mod maths;
mod number;
mod operand;
mod ops;

use super::Answer;
use super::common::Cx;
use crate::shell::bytes::to_text;
use code::{Next, Parser};
use machine::{Machine, Status};
use std::rc::Rc;

/// Steps between two looks at the clock.
const STEPS: u32 = 16;

/// Everything on standard input, an error counting as its end.
async fn stdin(cx: &mut Cx) -> String {
    to_text(&cx.sys.read_all(0).await.unwrap_or_default())
}

/// How long an output line is by a variable that says so.
fn line_length(cx: &Cx) -> usize {
    match cx.sys.getenv("BC_LINE_LENGTH").and_then(|text| text.parse::<usize>().ok()) {
        Some(0 | 1) => usize::MAX,
        Some(n) => n.saturating_sub(2).max(1),
        None => number::LINE,
    }
}

pub(super) async fn bc(cx: &mut Cx) -> Answer {
    let opts = cx.opts("sqlwi", "mathlib=l warn=w standard=s quiet=q").await?;
    let mut bc = Machine::new(opts.has('l'), line_length(cx));
    for path in opts.rest.clone() {
        let Some(data) = cx.read_input(&path).await else { return Ok(1) };
        if let Some(code) = session(cx, &mut bc, &to_text(&data), Some(&path)).await {
            return Ok(code);
        }
    }
    let text = stdin(cx).await;
    Ok(session(cx, &mut bc, &text, None).await.unwrap_or(0))
}

/// Runs a text statement by statement; the exit code, where it ends bc.
async fn session(cx: &mut Cx, bc: &mut Machine, text: &str, file: Option<&str>) -> Option<i32> {
    let mut parser = Parser::new(text);
    loop {
        let next = parser.next();
        let why = match next {
            Ok(Next::End) => return None,
            Ok(Next::Quit) => return Some(0),
            Ok(Next::Function(name, func)) => {
                bc.funcs.insert(name, Rc::new(func));
                continue;
            }
            Ok(Next::Code(code)) => {
                bc.start(code);
                match run(cx, bc).await {
                    Ok(true) => continue,
                    Ok(false) => return Some(0),
                    Err(why) => why,
                }
            }
            Err(why) => why,
        };
        let place = file.map_or(String::new(), |file| format!("{file}:{}: ", parser.line()));
        cx.out.flush().await;
        cx.fail(&format!("{place}{why}")).await;
        return Some(1);
    }
}

/// Runs a statement to its end; false where it was `halt`.
async fn run(cx: &mut Cx, bc: &mut Machine) -> Result<bool, String> {
    loop {
        let status = bc.run(STEPS);
        let out = std::mem::take(&mut bc.out);
        cx.text(&out).await;
        match status {
            Status::More => cx.sys.tick().await,
            Status::Done => return Ok(true),
            Status::Halt => return Ok(false),
            Status::Failed(why) => return Err(why),
            Status::Read => {
                cx.out.flush().await;
                let line = line(cx).await;
                let digits = line.trim().trim_start_matches('-');
                let known = |c: char| c.is_ascii_digit() || c == '.' || ('A'..='F').contains(&c);
                if digits.is_empty() || !digits.chars().all(known) {
                    return Err("bad expression".to_owned());
                }
                bc.got(line.trim());
            }
        }
    }
}

/// A line of standard input, byte by byte, so that the rest stays where it is.
async fn line(cx: &mut Cx) -> String {
    let mut line = Vec::new();
    while let Ok(data) = cx.sys.read(0, 1).await {
        match data.first() {
            None | Some(b'\n') => break,
            Some(byte) => line.push(*byte),
        }
    }
    to_text(&line)
}

pub(super) async fn dc(cx: &mut Cx) -> Answer {
    let opts = cx.opts("xe:f:", "").await?;
    let mut dc = dc::Dc::new(number::LINE + 1);
    let mut given = false;
    for (letter, value) in opts.each().map(|(l, v)| (l, v.to_owned())).collect::<Vec<_>>() {
        let text = match letter {
            'e' => value.into_bytes(),
            'f' => match cx.read_input(&value).await {
                Some(data) => data,
                None => return Ok(1),
            },
            _ => continue,
        };
        given = true;
        if let Some(code) = dc_text(cx, &mut dc, &text).await {
            return Ok(code);
        }
    }
    for path in opts.rest.clone() {
        given = true;
        let Some(data) = cx.read_input(&path).await else { return Ok(1) };
        if let Some(code) = dc_text(cx, &mut dc, &data).await {
            return Ok(code);
        }
    }
    if given {
        return Ok(0);
    }
    let text = cx.sys.read_all(0).await.unwrap_or_default();
    Ok(dc_text(cx, &mut dc, &text).await.unwrap_or(0))
}

async fn dc_text(cx: &mut Cx, dc: &mut dc::Dc, text: &[u8]) -> Option<i32> {
    dc.start(text);
    loop {
        let status = dc.run(STEPS);
        let out = std::mem::take(&mut dc.out);
        cx.put(&out).await;
        match status {
            dc::Status::More => cx.sys.tick().await,
            dc::Status::Done => return None,
            dc::Status::Quit => return Some(0),
            dc::Status::Read => {
                let line = line(cx).await;
                dc.start(line.as_bytes());
            }
            dc::Status::Failed(why) => {
                cx.out.flush().await;
                cx.fail(&why).await;
                return Some(1);
            }
        }
    }
}
