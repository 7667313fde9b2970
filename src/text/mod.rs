//! Positions in text: byte spans, lines and columns, edits. Knows nothing of what the text means.

mod edit;
pub mod number;
pub mod quote;
pub mod words;

use crate::order::Order;
use serde::{Deserialize, Serialize};

/// A half-open range of bytes of one text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Span {
        let clip = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { start: clip(start), end: clip(end.max(start)) }
    }

    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub fn contains(self, at: usize) -> bool {
        (self.start as usize) <= at && at < self.end as usize
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text it covers; empty where it does not fit the text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

/// Replaces `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

/// A place people can find: both count from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineCol {
    pub line: u32,
    pub column: u32,
}

/// Finds lines and columns of byte offsets and the other way round.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    pub fn new(text: &str) -> LineIndex {
        let mut starts = vec![0];
        starts.extend(
            text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1),
        );
        LineIndex { starts }
    }

    /// The line of a byte offset, counted from 1.
    pub fn line(&self, at: u32) -> u32 {
        self.starts.partition_point(|start| *start <= at) as u32
    }

    pub fn line_col(&self, text: &str, at: u32) -> LineCol {
        let line = self.line(at);
        let start = self.starts[line as usize - 1] as usize;
        let upto = text.get(start..(at as usize).min(text.len())).unwrap_or("");
        LineCol { line, column: upto.chars().count() as u32 + 1 }
    }

    /// The byte offset at which `line` (from 1) starts; the last line's for a line past the end.
    pub fn start_of(&self, line: u32) -> u32 {
        let idx = (line.max(1) as usize - 1).min(self.starts.len() - 1);
        self.starts[idx]
    }
}

/// Byte offset to UTF-16 code units, the unit of the browser's editor.
pub fn to_utf16(text: &str, byte: u32) -> u32 {
    let upto = text.get(..byte as usize).unwrap_or(text);
    upto.encode_utf16().count() as u32
}

/// Byte offsets of one text to UTF-16 code units, cheap where each is near the one before.
#[derive(Debug)]
pub struct Units<'t> {
    text: &'t str,
    byte: usize,
    units: usize,
}

impl<'t> Units<'t> {
    pub fn new(text: &'t str) -> Units<'t> {
        Units { text, byte: 0, units: 0 }
    }

    /// UTF-16 code units before `byte`.
    pub fn at(&mut self, byte: u32) -> u32 {
        let byte = (byte as usize).min(self.text.len());
        let count = |a: usize, b: usize| self.text.get(a..b).map(|t| t.encode_utf16().count());
        let units = if byte < self.byte {
            count(byte, self.byte).map(|n| self.units - n)
        } else {
            count(self.byte, byte).map(|n| self.units + n)
        };
        // Inside a character is no place: the one before stays.
        if let Some(units) = units {
            (self.byte, self.units) = (byte, units);
        }
        self.units as u32
    }
}

/// UTF-16 code units to byte offset.
pub fn from_utf16(text: &str, units: u32) -> u32 {
    let mut seen = 0;
    for (byte, ch) in text.char_indices() {
        if seen >= units {
            return byte as u32;
        }
        seen += ch.len_utf16() as u32;
    }
    text.len() as u32
}

/// Applies edits given in any order; overlapping ones are dropped, the first by position wins.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.order_by_key(|e| (e.span.start, e.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        if start < at || end > text.len() || text.get(start..end).is_none() {
            continue;
        }
        out.push_str(&text[at..start]);
        out.push_str(&edit.text);
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_on_and_back() {
        let text = "aé😀b\nü";
        let mut units = Units::new(text);
        for byte in [0, 1, 3, 7, 8, 3, 0, 11, 9, 99, 1] {
            assert_eq!(units.at(byte), to_utf16(text, byte), "byte {byte}");
        }
        assert_eq!(units.at(4), 1, "inside a character");
    }
}
