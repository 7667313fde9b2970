//! awk's record: $0 and its fields, each made from the other when asked for; and records out of
//! input bytes.

use super::value::Value;
use crate::regex::{Flavor, Options, Regex};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Compiled patterns by text; a program has few.
#[derive(Default)]
pub(super) struct Patterns {
    known: BTreeMap<(Vec<u8>, bool), Rc<Regex>>,
}

impl Patterns {
    pub(super) fn get(&mut self, text: &[u8], ignore_case: bool) -> Result<Rc<Regex>, String> {
        let key = (text.to_vec(), ignore_case);
        if let Some(regex) = self.known.get(&key) {
            return Ok(Rc::clone(regex));
        }
        let options = |flavor| Options { flavor, ignore_case, newline: false };
        // What is no extended pattern is tried as a basic one, as busybox does: `/{/`.
        let regex = Regex::new(text, options(Flavor::Extended))
            .or_else(|_| Regex::new(text, options(Flavor::Basic)))
            .map_err(|error| {
                let text = crate::shell::bytes::to_text(text);
                format!("bad regex '{text}': {}", error.message())
            })?;
        let regex = Rc::new(regex);
        if self.known.len() > 500 {
            self.known.clear();
        }
        self.known.insert(key, Rc::clone(&regex));
        Ok(regex)
    }
}

/// Fields wider than this number are refused: `$1e9 = 1` would fill memory.
const FIELDS_MAX: usize = 100_000;

#[derive(Default)]
pub(super) struct Record {
    whole: Rc<[u8]>,
    fields: Vec<Value>,
    /// The fields belong to `whole`.
    is_split: bool,
    /// `whole` has to be made from the fields.
    is_stale: bool,
}

impl Record {
    pub(super) fn set(&mut self, text: &[u8]) {
        self.whole = Rc::from(text);
        self.is_split = false;
        self.is_stale = false;
    }

    pub(super) fn whole(&mut self, joiner: &[u8], convfmt: &[u8]) -> Rc<[u8]> {
        if std::mem::take(&mut self.is_stale) {
            let texts: Vec<Rc<[u8]>> = self.fields.iter().map(|f| f.bytes(convfmt)).collect();
            self.whole = Rc::from(texts.join(joiner));
        }
        Rc::clone(&self.whole)
    }

    fn split(&mut self, separator: &[u8], patterns: &mut Patterns, ignore_case: bool) {
        if !std::mem::replace(&mut self.is_split, true) {
            let parts = split(&self.whole, separator, patterns, ignore_case);
            self.fields = parts.iter().map(|part| Value::input(part)).collect();
        }
    }

    pub(super) fn count(&mut self, by: &[u8], patterns: &mut Patterns, ignore_case: bool) -> usize {
        self.split(by, patterns, ignore_case);
        self.fields.len()
    }

    pub(super) fn field(&mut self, idx: usize) -> Value {
        self.fields.get(idx - 1).cloned().unwrap_or_default()
    }

    /// The fields must have been split before; false when there would be too many.
    pub(super) fn set_field(&mut self, idx: usize, value: Value) -> bool {
        if idx > FIELDS_MAX {
            return false;
        }
        if self.fields.len() < idx {
            self.fields.resize(idx, Value::Unset);
        }
        self.fields[idx - 1] = value;
        self.is_stale = true;
        true
    }

    pub(super) fn set_count(&mut self, n: usize) {
        self.fields.resize(n.min(FIELDS_MAX), Value::Unset);
        self.is_stale = true;
    }
}

/// A text cut by a separator as FS and `split` understand it.
pub(super) fn split<'a>(
    text: &'a [u8],
    separator: &[u8],
    patterns: &mut Patterns,
    ignore_case: bool,
) -> Vec<&'a [u8]> {
    if text.is_empty() {
        return Vec::new();
    }
    match separator {
        b" " => {
            let words = text.split(|b| matches!(b, b' ' | b'\t' | b'\n'));
            words.filter(|word| !word.is_empty()).collect()
        }
        b"" => text.chunks(1).collect(),
        [single] if *single != b'\\' => text.split(|b| b == single).collect(),
        pattern => {
            let Ok(regex) = patterns.get(pattern, ignore_case) else { return vec![text] };
            let mut parts = Vec::new();
            let mut from = 0;
            let mut look = 0;
            while let Ok(Some(found)) = regex.find_at(text, look) {
                if found.end() == found.start() {
                    look = found.end() + 1;
                    continue;
                }
                parts.push(&text[from..found.start()]);
                from = found.end();
                look = from;
            }
            parts.push(&text[from..]);
            parts
        }
    }
}

/// The first record of `data` and how much it takes with its separator. Nothing when more input
/// may be needed; at the end of input what is left is the last record.
pub(super) fn next_record(
    data: &[u8],
    separator: &[u8],
    at_end: bool,
    patterns: &mut Patterns,
) -> Option<(usize, usize)> {
    if data.is_empty() {
        return None;
    }
    let rest = || at_end.then_some((data.len(), data.len()));
    match separator {
        b"" => {
            let skip = data.iter().take_while(|b| **b == b'\n').count();
            let body = &data[skip..];
            match body.windows(2).position(|pair| pair == b"\n\n") {
                Some(end) => {
                    let gap = body[end..].iter().take_while(|b| **b == b'\n').count();
                    let whole = skip + end + gap;
                    (whole < data.len() || at_end).then_some((skip + end, whole))
                }
                None if at_end && !body.is_empty() => {
                    let end = body.strip_suffix(b"\n").unwrap_or(body).len();
                    Some((skip + end, data.len()))
                }
                None => None,
            }
        }
        [single] => match data.iter().position(|b| b == single) {
            Some(end) => Some((end, end + 1)),
            // What follows the last separator is a record with its newline.
            None => rest(),
        },
        pattern => {
            let found = patterns.get(pattern, false).ok()?.find_at(data, 0).ok().flatten();
            match found {
                Some(found)
                    if found.end() > found.start() && (found.end() < data.len() || at_end) =>
                {
                    Some((found.start(), found.end()))
                }
                _ => rest(),
            }
        }
    }
}
