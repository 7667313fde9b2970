//! `printf`. Models coreutils/printf.c; the shell's builtin is the same function.

use super::Answer;
use super::common::{Cx, escape, format::Spec};
use super::echo::escaped;
use crate::shell::bytes::{to_bytes, to_text};

/// What a `printf` came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Printed {
    pub out: Vec<u8>,
    /// Error messages without the program's name in front.
    /// What is said on standard error, and after how many bytes of the output.
    pub errors: Vec<(usize, String)>,
    pub code: i32,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let args = cx.args().to_vec();
    let rest = if args.first().is_some_and(|a| a == "--") { &args[1..] } else { &args[..] };
    if rest.is_empty() {
        return Err(cx.usage().await);
    }
    let printed = printf(rest);
    let mut at = 0;
    for (place, error) in &printed.errors {
        cx.now(&printed.out[at..*place]).await;
        at = *place;
        cx.fail(error).await;
    }
    cx.put(&printed.out[at..]).await;
    Ok(printed.code)
}

/// What `printf FORMAT ARGS` prints; `args` is the format first and not empty.
pub fn printf(args: &[String]) -> Printed {
    let mut done = Printed::default();
    let Some((format, values)) = args.split_first() else { return done };
    let format = to_bytes(format);
    let mut rest = values;
    loop {
        let before = rest.len();
        match pass(&format, &mut rest, &mut done) {
            End::Format => {}
            End::Cut => break,
            End::Failed => {
                done.code = 1;
                break;
            }
        }
        if rest.is_empty() || rest.len() == before {
            break;
        }
    }
    done
}

enum End {
    Format,
    /// `\c`
    Cut,
    Failed,
}

/// The format once.
fn pass(format: &[u8], rest: &mut &[String], done: &mut Printed) -> End {
    let mut at = 0;
    while let Some(&byte) = format.get(at) {
        at += 1;
        match byte {
            b'\\' => {
                if format.get(at) == Some(&b'c') {
                    return End::Cut;
                }
                let (byte, used) = escape::escape(&format[at..]);
                done.out.push(byte);
                at += used;
            }
            b'%' if format.get(at) == Some(&b'%') => {
                done.out.push(b'%');
                at += 1;
            }
            b'%' if format.get(at) == Some(&b'b') => {
                at += 1;
                if escaped(&to_bytes(&take(rest)), &mut done.out) {
                    return End::Cut;
                }
            }
            b'%' => {
                let mut stars = Vec::new();
                let (spec, used) = Spec::parse(&format[at..], || star(rest, &mut stars));
                let place = done.out.len();
                done.errors.extend(stars.drain(..).map(|error| (place, error)));
                if !b"diouxXfeEgGcs".contains(&spec.letter) || spec.letter == 0 {
                    let text = to_text(&format[at - 1..]);
                    done.errors.push((done.out.len(), format!("{text}: invalid format")));
                    return End::Failed;
                }
                at += used;
                conversion(&spec, &take(rest), done);
            }
            byte => done.out.push(byte),
        }
    }
    End::Format
}

fn take(rest: &mut &[String]) -> String {
    let Some((first, others)) = rest.split_first() else { return String::new() };
    *rest = others;
    first.clone()
}

fn star(rest: &mut &[String], errors: &mut Vec<String>) -> i64 {
    if rest.is_empty() {
        return 0;
    }
    let text = take(rest);
    text.parse::<i32>().map_or_else(
        |_| {
            errors.push(format!("invalid number '{text}'"));
            0
        },
        i64::from,
    )
}

fn conversion(spec: &Spec, arg: &str, done: &mut Printed) {
    match spec.letter {
        b's' => spec.bytes(&to_bytes(arg), &mut done.out),
        b'c' => {
            let first = to_bytes(arg).first().copied().unwrap_or(0);
            spec.bytes(&[first], &mut done.out);
        }
        letter => {
            let text = number_text(arg, letter);
            let parsed = match letter {
                b'd' | b'i' => {
                    integer(&text).and_then(|n| i64::try_from(n).ok()).map(Number::Signed)
                }
                b'o' | b'u' | b'x' | b'X' => integer(&text).map(|n| Number::Unsigned(n as u64)),
                _ => float(&text).map(Number::Float),
            };
            if parsed.is_none() {
                done.errors.push((done.out.len(), format!("invalid number '{text}'")));
                done.code = 1;
            }
            match (parsed, letter) {
                (Some(Number::Signed(n)), _) => spec.signed(n, &mut done.out),
                (Some(Number::Unsigned(n)), _) => spec.unsigned(n, &mut done.out),
                (Some(Number::Float(n)), _) => spec.float(n, &mut done.out),
                (None, b'd' | b'i') => spec.signed(0, &mut done.out),
                (None, b'o' | b'u' | b'x' | b'X') => spec.unsigned(0, &mut done.out),
                (None, _) => spec.float(0.0, &mut done.out),
            }
        }
    }
}

enum Number {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

/// `'A` and `"A` stand for the character's code; blanks in front of integers do not count.
fn number_text(arg: &str, letter: u8) -> String {
    let arg = match letter {
        b'e' | b'E' | b'f' | b'g' | b'G' => arg,
        _ => arg.trim_start_matches(|c: char| c.is_ascii_whitespace()),
    };
    match arg.strip_prefix(['"', '\'']) {
        Some(rest) => to_bytes(rest).first().copied().unwrap_or(0).to_string(),
        None => arg.to_owned(),
    }
}

/// Decimal, `0x` or `0` octal, with a sign.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(rest) => (16, rest),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let value = i128::from_str_radix(digits, base).ok()?;
    (value <= i128::from(u64::MAX)).then_some(sign * value)
}

fn float(text: &str) -> Option<f64> {
    let trimmed = text.trim_start();
    if trimmed.is_empty() {
        return Some(0.0);
    }
    if let Some(hex) = trimmed.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(|n| n as f64);
    }
    trimmed.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let cases: &[(&[&str], &str, i32)] = &[
            (&["%s\\n", "a", "b"], "a\nb\n", 0),
            (&["%5.1f|%-5s|%05d|%x", "3.14159", "ab", "42", "255"], "  3.1|ab   |00042|ff", 0),
            (&["%d %d", "0x1f", "010"], "31 8", 0),
            (&["%d", "5x"], "0", 1),
            (&["%d"], "0", 1),
            (&["%d", "'A"], "65", 0),
            (&["a\\cb", "x"], "a", 0),
            (&["%b|", "x\\ty", "\\0101"], "x\ty|A|", 0),
            (&["%q"], "", 1),
            (&["%*d|%-*d|", "4", "7", "3", "8"], "   7|8  |", 0),
            (&["%e %g %G", "12345.678", "0.0001", "1e10"], "1.234568e+04 0.0001 1E+10", 0),
            (&["%+d % d %#x %#o", "5", "5", "255", "8"], "+5  5 0xff 010", 0),
            (&["%.3s|%8.3s|", "abcdef", "abcdef"], "abc|     abc|", 0),
            (&["plain"], "plain", 0),
            (&["plain", "extra"], "plain", 0),
        ];
        for (args, expected, code) in cases {
            let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
            let printed = printf(&args);
            assert_eq!(
                (to_text(&printed.out).as_str(), printed.code),
                (*expected, *code),
                "{args:?}"
            );
        }
    }
}
