//! Characters of a script with aliases spliced in, and where they stand.

use crate::text::LineIndex;
use std::rc::Rc;

#[derive(Debug)]
struct Frame {
    text: Rc<str>,
    at: usize,
    /// The alias this text came from.
    alias: Option<String>,
}

/// The text being read. The bottom frame is the script; those above are aliases.
#[derive(Debug)]
pub(super) struct Input {
    frames: Vec<Frame>,
    lines: LineIndex,
    first_line: u32,
    /// An alias that ended in a blank was left: the next word may be an alias too.
    pub(super) alias_follows: bool,
}

impl Input {
    pub(super) fn new(text: Rc<str>, first_line: u32) -> Input {
        let lines = LineIndex::new(&text);
        let bottom = Frame { text, at: 0, alias: None };
        Input { frames: vec![bottom], lines, first_line, alias_follows: false }
    }

    /// The offset in the script.
    pub(super) fn offset(&self) -> usize {
        self.frames.first().map_or(0, |frame| frame.at)
    }

    pub(super) fn line(&self) -> u32 {
        self.line_at(self.offset())
    }

    pub(super) fn line_at(&self, offset: usize) -> u32 {
        self.lines.line(offset as u32) - 1 + self.first_line
    }

    pub(super) fn push_alias(&mut self, name: &str, text: &str) {
        let frame = Frame { text: Rc::from(text), at: 0, alias: Some(name.to_owned()) };
        self.frames.push(frame);
    }

    /// An alias does not expand within itself.
    pub(super) fn in_alias(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.alias.as_deref() == Some(name))
    }

    /// The next character as it is.
    pub(super) fn next_raw(&mut self) -> Option<char> {
        loop {
            let depth = self.frames.len();
            let frame = self.frames.last_mut()?;
            if let Some(c) = frame.text.get(frame.at..).and_then(|rest| rest.chars().next()) {
                frame.at += c.len_utf8();
                return Some(c);
            }
            if depth == 1 {
                return None;
            }
            self.alias_follows |= frame.text.ends_with([' ', '\t']);
            self.frames.pop();
        }
    }

    pub(super) fn peek_raw(&self) -> Option<char> {
        let mut frames = self.frames.iter().rev();
        frames.find_map(|frame| frame.text.get(frame.at..)?.chars().next())
    }

    /// The next two characters as they are.
    fn peek_two(&self) -> (Option<char>, Option<char>) {
        let mut chars =
            self.frames.iter().rev().flat_map(|f| f.text.get(f.at..).unwrap_or("").chars());
        (chars.next(), chars.next())
    }

    /// Skips `\` newline pairs.
    pub(super) fn skip_joins(&mut self) {
        while self.peek_two() == (Some('\\'), Some('\n')) {
            self.next_raw();
            self.next_raw();
        }
    }

    /// The next character; joined lines are one.
    pub(super) fn next(&mut self) -> Option<char> {
        self.skip_joins();
        self.next_raw()
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip_joins();
        self.peek_raw()
    }

    /// The character after the next; joined lines are one.
    pub(super) fn peek_second(&mut self) -> Option<char> {
        self.skip_joins();
        self.peek_two().1
    }

    /// Takes the next character if it is `c`.
    pub(super) fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.next();
        }
        found
    }

    /// The rest of the line without its newline, and whether there was any text left.
    pub(super) fn raw_line(&mut self) -> Option<String> {
        self.peek_raw()?;
        let mut line = String::new();
        while let Some(c) = self.next_raw() {
            if c == '\n' {
                break;
            }
            line.push(c);
        }
        Some(line)
    }
}
