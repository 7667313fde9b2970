//! haproxy's configuration text: words with their quotes and escapes, sections by their lines. What
//! the words mean is [`super::meaning`]'s business.

use crate::shell::Sys;
use crate::shell::bytes::to_text;
use std::rc::Rc;

/// Which keywords a section, an option or a server line knows, a line each.
const KEYWORDS: &str = include_str!("keywords.txt");
const SECTIONS: &[&str] = &["global", "defaults", "frontend", "backend", "listen"];
/// Sections that are read over.
const OTHERS: &[&str] = &[
    "userlist",
    "peers",
    "resolvers",
    "mailers",
    "cache",
    "program",
    "ring",
    "http-errors",
    "log-forward",
    "fcgi-app",
];
/// Lines of a configuration, at most.
const LINES_MAX: usize = 20_000;

/// Words of one line and where it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) no: usize,
    pub(super) file: Rc<str>,
    pub(super) words: Vec<String>,
}

impl Line {
    pub(super) fn word(&self, idx: usize) -> &str {
        self.words.get(idx).map_or("", String::as_str)
    }

    pub(super) fn rest(&self, from: usize) -> &[String] {
        self.words.get(from..).unwrap_or(&[])
    }

    /// `[FILE:LINE]`
    pub(super) fn place(&self) -> String {
        format!("[{}:{}]", self.file, self.no)
    }
}

/// A section: its head and the lines in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) head: Line,
    pub(super) lines: Vec<Line>,
}

/// What is to be said of a configuration; an alert is fatal.
#[derive(Default)]
pub(super) struct Said {
    pub(super) lines: Vec<(bool, String)>,
    pub(super) not_simulated: Vec<String>,
}

impl Said {
    pub(super) fn alert(&mut self, text: String) {
        self.lines.push((true, text));
    }

    pub(super) fn warning(&mut self, text: String) {
        self.lines.push((false, text));
    }

    pub(super) fn note(&mut self, what: String) {
        self.not_simulated.push(what);
    }

    pub(super) fn is_fatal(&self) -> bool {
        self.lines.iter().any(|(alert, _)| *alert)
    }
}

pub(super) fn keywords(kind: &str) -> impl Iterator<Item = &'static str> {
    let row = KEYWORDS.lines().find_map(|l| l.strip_prefix(kind)?.strip_prefix(' '));
    row.unwrap_or("").split(' ').filter(|word| !word.is_empty())
}

/// ` in 'X' section`, with the keyword that was perhaps meant.
pub(super) fn unknown(word: &str, section: &str, kind: &str) -> String {
    match closest(word, keywords(kind)) {
        Some(best) => {
            format!(
                "unknown keyword '{word}' in '{section}' section; did you mean '{best}' maybe ?"
            )
        }
        None => format!("unknown keyword '{word}' in '{section}' section"),
    }
}

/// How often each letter follows each other one.
// Models haproxy src/tools.c make_word_fingerprint: 28 stands before, after and for other bytes.
fn fingerprint(word: &str) -> Vec<u8> {
    let mut out = vec![0_u8; 1024];
    let mut from = 28;
    for c in word.bytes().map(|b| b.to_ascii_lowercase()) {
        let to = match c {
            b'a'..=b'z' => usize::from(c - b'a') + 1,
            b'0'..=b'9' => 27,
            _ => 28,
        };
        out[to] = 1;
        out[32 * from + to] += 1;
        from = to;
    }
    out[32 * from + 28] += 1;
    out
}

fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let own = fingerprint(word);
    let distance = |other: &str| {
        let pairs = own.iter().zip(fingerprint(other)).map(|(a, b)| i32::from(*a) - i32::from(b));
        pairs.map(|d| d * d).sum::<i32>() as usize
    };
    let (best, far) = known.map(|k| (k, distance(k))).min_by_key(|(_, far)| *far)?;
    (far <= 2 * word.len() && far <= 2 * best.len()).then_some(best)
}

/// Reads a file into sections, with what is wrong in its words.
pub(super) fn read(sys: &Sys, path: &str, data: &[u8], said: &mut Said) -> Vec<Section> {
    let text = to_text(data);
    let file: Rc<str> = Rc::from(path);
    let mut sections: Vec<Section> = Vec::new();
    let mut skipping = false;
    let n_lines = text.lines().count();
    for (idx, written) in text.lines().enumerate().take(LINES_MAX) {
        let no = idx + 1;
        let words = match words(sys, written) {
            Ok(words) => words,
            Err(why) => {
                said.alert(format!("parsing [{path}:{no}]: {why}"));
                continue;
            }
        };
        if no == n_lines && !text.ends_with('\n') {
            let at = written.len() + 1;
            said.alert(format!(
                "parsing [{path}:{no}]: Missing LF on last line, file might have been truncated \
                 at position {at}."
            ));
        }
        let Some(first) = words.first().cloned() else { continue };
        let line = Line { no, file: Rc::clone(&file), words };
        if SECTIONS.contains(&first.as_str()) {
            skipping = false;
            sections.push(Section { head: line, lines: Vec::new() });
        } else if OTHERS.contains(&first.as_str()) {
            skipping = true;
            said.note(format!("the section {first}"));
        } else if let (false, Some(section)) = (skipping, sections.last_mut()) {
            section.lines.push(line);
        } else if !skipping {
            said.alert(format!("parsing [{path}:{no}]: unknown keyword '{first}' out of section."));
        }
    }
    sections
}

/// The words of a line. Variables are filled in between double quotes only.
fn words(sys: &Sys, text: &str) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t' | '\r') => out.extend(word.take()),
            (None, '#') => break,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if q == c => quote = None,
            (None | Some('"'), '\\') => {
                let next = chars.peek().copied();
                let made = match next {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(c @ (' ' | '\\' | '#' | '"' | '\'' | '$')) => c,
                    _ => {
                        word.get_or_insert_default().push('\\');
                        continue;
                    }
                };
                chars.next();
                word.get_or_insert_default().push(made);
            }
            (Some('"'), '$') => {
                let braces = chars.next_if_eq(&'{').is_some();
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                if braces && chars.next() != Some('}') {
                    return Err("expecting '}' after the name of a variable".to_owned());
                }
                let value = sys.getenv(&name).unwrap_or_default();
                word.get_or_insert_default().push_str(&value);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(q) = quote {
        let kind = if q == '"' { "weak" } else { "strong" };
        return Err(format!("unmatched {kind} quote (starting with '{q}')."));
    }
    out.extend(word);
    Ok(out)
}

/// A time with its unit, in milliseconds unless said.
pub(super) fn time(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let n: u64 = text[..end].parse().ok()?;
    let per = match &text[end..] {
        "us" => return Some(n / 1000),
        "" | "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    n.checked_mul(per)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant() {
        assert_eq!(closest("defualt_backend", keywords("listen")), Some("default_backend"));
        assert_eq!(closest("zzzz", keywords("listen")), None);
        assert_eq!(time("5s"), Some(5000));
        assert_eq!(time("5x"), None);
    }
}
