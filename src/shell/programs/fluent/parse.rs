//! Parsers of log lines: JSON, regular expressions with named groups, and what both programs know
//! by name.

use super::record::{Record, object, quote};
use crate::regex::{Flavor, Options, Regex};

#[derive(Clone)]
pub(super) enum Format {
    /// The whole line under this key.
    Line(String),
    Json,
    Regex(Regex, Vec<String>),
    Logfmt,
}

#[derive(Clone)]
pub(super) struct Parser {
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) time_key: String,
    pub(super) time_format: String,
    pub(super) time_keep: bool,
}

pub(super) const NGINX: &str = r#"^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>[^\"]*)")"#;
pub(super) const APACHE: &str = r#"^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^ ]*) +\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>.*)")?$"#;

/// A Ruby pattern in POSIX words, with the names of its groups in order.
pub(super) fn regex(pattern: &str) -> Option<(Regex, Vec<String>)> {
    let mut out = String::new();
    let mut names = Vec::new();
    let mut rest = pattern.strip_prefix('/').and_then(|p| p.strip_suffix('/')).unwrap_or(pattern);
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let next = rest.chars().next()?;
                rest = &rest[next.len_utf8()..];
                match (next, in_class) {
                    ('d', false) => out.push_str("[0-9]"),
                    ('d', true) => out.push_str("0-9"),
                    ('s', true) => out.push_str(" \t"),
                    ('w', true) => out.push_str("A-Za-z0-9_"),
                    // A class of POSIX has no escapes; a bracket in it must come first.
                    (']', true) => out.push(']'),
                    (next, true) => out.push(next),
                    ('s' | 'S' | 'w' | 'W' | 'b', false) => out.extend(['\\', next]),
                    ('"' | '/' | '-' | ':' | '\'', false) => out.push(next),
                    (next, false) => out.extend(['\\', next]),
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if let Some(more) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = more;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '(' if !in_class => {
                out.push('(');
                let mut name = String::new();
                if let Some(more) = rest.strip_prefix("?:") {
                    rest = more;
                } else if let Some(more) = rest.strip_prefix("?<").or(rest.strip_prefix("?P<")) {
                    let (own, after) = more.split_once('>')?;
                    name = own.to_owned();
                    rest = after;
                }
                names.push(name);
            }
            '*' | '+' | '?' if !in_class => {
                out.push(c);
                // Sparing repetition is not POSIX's; the longest match mostly ends the same.
                rest = rest.strip_prefix('?').unwrap_or(rest);
            }
            c => out.push(c),
        }
    }
    let options = Options { flavor: Flavor::Extended, ..Options::default() };
    Regex::new(out.as_bytes(), options).ok().map(|regex| (regex, names))
}

impl Parser {
    /// The record of a line; nothing when it does not fit. `now` is the time without one of its
    /// own.
    pub(super) fn read(&self, line: &str, now: i64) -> Option<Record> {
        let fields = match &self.format {
            Format::Line(key) => vec![(key.clone(), quote(line))],
            Format::Json => object(line)?,
            Format::Regex(regex, names) => {
                let found = regex.find_at(line.as_bytes(), 0).ok()??;
                let groups = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
                let field = |(idx, name): (usize, &String)| {
                    let (from, to) = found.group(idx + 1)?;
                    Some((name.clone(), quote(line.get(from..to)?)))
                };
                groups.filter_map(field).collect()
            }
            Format::Logfmt => {
                let pairs = line.split(' ').filter_map(|pair| pair.split_once('='));
                pairs.map(|(key, value)| (key.to_owned(), quote(value.trim_matches('"')))).collect()
            }
        };
        let mut record = Record { fields, time: now };
        if let Some(text) = record.get(&self.time_key).map(super::record::plain)
            && !self.time_key.is_empty()
        {
            if let Some(time) = time(&text, &self.time_format) {
                record.time = time;
            }
            if !self.time_keep {
                let key = self.time_key.clone();
                record.remove(&key);
            }
        }
        Some(record)
    }
}

const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// Microseconds since 1970 of a text in `strptime`'s format with `%L` for parts of a second.
pub(super) fn time(text: &str, format: &str) -> Option<i64> {
    let mut rest = text;
    let (mut date, mut clock, mut micros, mut zone) = ([1970_i64, 1, 1], [0_i64; 3], 0, 0);
    let mut chars = format.replace("%T", "%H:%M:%S").replace("%F", "%Y-%m-%d");
    chars = chars.replace("%s", "%Q");
    let mut letters = chars.chars();
    while let Some(c) = letters.next() {
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let letter = letters.next()?;
        let digits = |n: usize| rest.bytes().take(n).take_while(u8::is_ascii_digit).count();
        match letter {
            'b' => {
                let at = MONTHS.find(rest.get(..3)?)?;
                date[1] = at as i64 / 3 + 1;
                rest = &rest[3..];
            }
            'z' => {
                if let Some(after) = rest.strip_prefix('Z') {
                    rest = after;
                    continue;
                }
                let sign = if rest.starts_with('-') { -1 } else { 1 };
                let number: i64 = rest.get(1..)?.replace(':', "").get(..4)?.parse().ok()?;
                zone = sign * (number / 100 * 3600 + number % 100 * 60);
                rest = rest.get(rest.len().min(if rest.contains(':') { 6 } else { 5 })..)?;
            }
            'L' => {
                let n = digits(9);
                let part = format!("{:0<6}", rest.get(..n.min(6))?);
                micros = part.parse().ok()?;
                rest = &rest[n..];
            }
            letter => {
                let n = digits(match letter {
                    'Y' => 4,
                    'Q' => 12,
                    _ => 2,
                });
                let number: i64 = rest.get(..n)?.parse().ok()?;
                rest = &rest[n..];
                match letter {
                    'Y' => date[0] = number,
                    'm' => date[1] = number,
                    'd' | 'e' => date[2] = number,
                    'H' => clock[0] = number,
                    'M' => clock[1] = number,
                    'S' => clock[2] = number,
                    'Q' => return Some(number * 1_000_000),
                    _ => return None,
                }
            }
        }
    }
    let secs = days(date) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2] - zone;
    Some(secs * 1_000_000 + micros)
}

/// Days since 1970 of a date.
fn days([year, month, day]: [i64; 3]) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}
