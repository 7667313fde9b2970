//! Words, quoted texts and /expressions/ of a goal, each with its place. Knows no grammar.

use super::{Expression, GoalProblem, Pattern};
use crate::regex::{Flavor, Options, Regex};
use crate::text::Span;
use crate::time::SimTime;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Word(String),
    Pattern(Pattern),
}

/// Splits one line, whose text starts at `offset` of the goal.
pub(super) fn tokens(line: &str, offset: usize) -> Result<Vec<Token>, GoalProblem> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = line.get(at..).and_then(|rest| rest.chars().next()) {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (len, kind) = match first {
            '"' | '/' => delimited(&line[at..], first, offset + at)?,
            _ => word(&line[at..]),
        };
        found.push(Token { span: Span::new(offset + at, offset + at + len), kind });
        at += len;
    }
    Ok(found)
}

fn word(rest: &str) -> (usize, Kind) {
    let len = rest.find(char::is_whitespace).unwrap_or(rest.len());
    (len, Kind::Word(rest[..len].to_owned()))
}

fn delimited(rest: &str, mark: char, at: usize) -> Result<(usize, Kind), GoalProblem> {
    let mut text = String::new();
    let mut escaped = false;
    for (idx, ch) in rest.char_indices().skip(1) {
        if escaped {
            // Only the mark itself needs a backslash; an expression keeps all its others.
            if ch != mark {
                text.push('\\');
            }
            text.push(ch);
            escaped = false;
        } else if ch == '\\' {
            escaped = true;
        } else if ch == mark {
            if mark == '"' {
                return Ok((idx + 1, Kind::Pattern(Pattern::Text(text))));
            }
            let pattern = expression(text)
                .map_err(|message| GoalProblem { span: Span::new(at, at + idx + 1), message })?;
            return Ok((idx + 1, Kind::Pattern(pattern)));
        } else {
            text.push(ch);
        }
    }
    let message = format!("no closing {mark} to this one");
    Err(GoalProblem { span: Span::new(at, at + rest.len()), message })
}

fn expression(text: String) -> Result<Pattern, String> {
    let options = Options { flavor: Flavor::Extended, ..Options::default() };
    match Regex::new(text.as_bytes(), options) {
        Ok(regex) => Ok(Pattern::Expression(Expression { text, regex })),
        Err(error) => Err(format!("not a POSIX extended regular expression: {error:?}")),
    }
}

/// `20s`, `1.5s`, `500ms`, `2m`, `1m30s`.
pub(in crate::lesson) fn duration(text: &str) -> Option<SimTime> {
    let mut total = SimTime::ZERO;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let unit_len = rest[digits..].find(|c: char| c.is_ascii_digit());
        let end = unit_len.map_or(rest.len(), |len| digits + len);
        let millis_per = match &rest[digits..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => return None,
        };
        total = total + SimTime::from_millis(scaled(&rest[..digits], millis_per)?);
        rest = &rest[end..];
    }
    Some(total)
}

/// A decimal number times `per`, without floating point; three digits behind the point count.
fn scaled(number: &str, per: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    let mut thousandths = 0;
    for idx in 0..3 {
        let digit = part.as_bytes().get(idx).map_or(Some(0), |b| (*b as char).to_digit(10))?;
        thousandths = thousandths * 10 + u64::from(digit);
    }
    whole.checked_mul(per)?.checked_add(thousandths * per / 1_000)
}
