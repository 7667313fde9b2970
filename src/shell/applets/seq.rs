//! `seq`. Models coreutils/seq.c.

use super::Answer;
use super::common::Cx;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    // Negative numbers are no options.
    let mut args = cx.args().to_vec();
    let mut wide = false;
    let mut separator = "\n".to_owned();
    while let Some(first) = args.first().cloned() {
        let number =
            first[first.len().min(1)..].starts_with(|c: char| c.is_ascii_digit() || c == '.');
        if first == "--" {
            args.remove(0);
            break;
        } else if !first.starts_with('-') || number || first.len() < 2 {
            break;
        }
        args.remove(0);
        if let Some(joined) = first.strip_prefix("-s") {
            separator = match joined {
                "" if args.is_empty() => {
                    cx.fail("option requires an argument -- 's'").await;
                    return Err(cx.usage().await);
                }
                "" => args.remove(0),
                joined => joined.to_owned(),
            };
        } else if first == "-w" {
            wide = true;
        } else {
            let letter = first.chars().nth(1).unwrap_or('?');
            cx.fail(&format!("invalid option -- '{letter}'")).await;
            return Err(cx.usage().await);
        }
    }
    let (first, step, last) = match &args[..] {
        [last] => ("1", "1", last.as_str()),
        [first, last] => (first.as_str(), "1", last.as_str()),
        [first, step, last] => (first.as_str(), step.as_str(), last.as_str()),
        _ => return Err(cx.usage().await),
    };
    let mut numbers = [0.0; 3];
    for (i, text) in [first, step, last].into_iter().enumerate() {
        match text.parse::<f64>() {
            Ok(n) => numbers[i] = n,
            Err(_) => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    let precision = decimals(first).max(decimals(step));
    let width = if wide { shown(first, precision).max(shown(last, precision)) } else { 0 };
    print(cx, numbers, precision, width, &separator).await
}

fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, digits)| digits.len())
}

/// How wide a number is, printed with so many decimals.
fn shown(text: &str, precision: usize) -> usize {
    let whole = text.split('.').next().unwrap_or("").len();
    whole + if precision > 0 { precision + 1 } else { 0 }
}

async fn print(
    cx: &mut Cx,
    [first, step, last]: [f64; 3],
    precision: usize,
    width: usize,
    separator: &str,
) -> Answer {
    let mut n = 0_u64;
    let mut value = first;
    let slack = step.abs() * 1e-9;
    while if step >= 0.0 { value <= last + slack } else { value >= last - slack } {
        if n > 0 {
            cx.text(separator).await;
        }
        let text = match (value < 0.0, width) {
            (true, width) => format!("-{:0>w$.precision$}", -value, w = width.saturating_sub(1)),
            (false, width) => format!("{value:0>width$.precision$}"),
        };
        cx.text(&text).await;
        cx.sys.tick().await;
        n += 1;
        value = first + n as f64 * step;
        if cx.out.failed().is_some() {
            return Ok(1);
        }
    }
    if n > 0 {
        cx.put(b"\n").await;
    }
    Ok(0)
}
