//! Text -> tokens, with goyaml's rules on simple keys and indentation, so that what kubectl
//! refuses is refused here with the same words. Scalars, anchors and tags are read in `lexeme`.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go, a port of libyaml's scanner.

use super::Scalar;
use super::mark::{Complaint, Mark, Payload, T, Token};
use crate::text::Span;
use std::collections::VecDeque;

const DEPTH_MAX: usize = 10_000;

/// A place where a key may have begun, to be confirmed by a later `:`.
#[derive(Clone, Copy, Debug, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) text: &'a str,
    pub(super) end: usize,
    pub(super) mark: Mark,
    pub(super) flow_level: usize,
    pub(super) indent: i64,
    pub(super) key_allowed: bool,
    indents: Vec<i64>,
    keys: Vec<SimpleKey>,
    tokens: VecDeque<Token>,
    n_taken: usize,
    ended: bool,
    pub(super) comments: Vec<Span>,
    pub(super) complaint: Option<Complaint>,
}

/// An error has been noted in `complaint`.
pub(super) struct Failed;
pub(super) type Scan<R = ()> = Result<R, Failed>;

impl<'a> Scanner<'a> {
    /// Scans `text[start..end]`; all marks count bytes of the whole text.
    pub(super) fn new(text: &'a str, start: usize, end: usize) -> Scanner<'a> {
        Scanner {
            bytes: text.as_bytes(),
            text,
            end,
            mark: Mark { at: start, ..Mark::default() },
            flow_level: 0,
            indent: -1,
            key_allowed: true,
            indents: Vec::new(),
            keys: vec![SimpleKey::default()],
            tokens: VecDeque::new(),
            n_taken: 0,
            ended: false,
            comments: Vec::new(),
            complaint: None,
        }
    }

    /// The next token's type and place; `Fail` once something could not be read.
    pub(super) fn peek(&mut self) -> (T, Mark, Mark) {
        if self.complaint.is_none() {
            let _ = self.fetch_more();
        }
        match self.tokens.front() {
            Some(token) if self.complaint.is_none() => (token.t, token.start, token.end),
            _ => (T::Fail, self.mark, self.mark),
        }
    }

    /// Takes the token that `peek` has shown.
    pub(super) fn take(&mut self) -> Payload {
        match self.tokens.pop_front() {
            Some(token) => {
                self.n_taken += 1;
                token.payload
            }
            None => Payload::None,
        }
    }

    pub(super) fn fail<R>(&mut self, context: Option<Mark>, problem: impl Into<String>) -> Scan<R> {
        self.complain(Complaint { problem: problem.into(), at: self.mark, context, scanner: true });
        Err(Failed)
    }

    /// Notes the first complaint; later ones are its consequences.
    pub(super) fn complain(&mut self, complaint: Complaint) {
        self.complaint.get_or_insert(complaint);
    }

    /// The byte `ahead` of the position, 0 past the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        let at = self.mark.at + ahead;
        if at < self.end { self.bytes[at] } else { 0 }
    }

    pub(super) fn is_end(&self) -> bool {
        self.mark.at >= self.end
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// Line breaks of YAML 1.1: CR, LF, NEL, LS, PS.
    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xC2 => self.byte(ahead + 1) == 0x85,
            0xE2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xA8 | 0xA9),
            _ => false,
        }
    }

    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.mark.at + ahead >= self.end || self.is_break(ahead)
    }

    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    pub(super) fn is_word(&self) -> bool {
        let byte = self.byte(0);
        byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
    }

    /// `---` or `...` at the start of a line.
    pub(super) fn is_document_indicator(&self) -> bool {
        let three = [self.byte(0), self.byte(1), self.byte(2)];
        self.mark.column == 0 && (three == *b"---" || three == *b"...") && self.is_blankz(3)
    }

    /// Steps over one character that is no line break.
    pub(super) fn skip(&mut self) {
        let width = match self.byte(0) {
            0..=0x7F => 1,
            0x80..=0xDF => 2,
            0xE0..=0xEF => 3,
            _ => 4,
        };
        self.mark.at = (self.mark.at + width).min(self.end);
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Steps over one line break and gives it as it counts in a scalar.
    pub(super) fn skip_line(&mut self) -> &'static str {
        let (width, text) = match (self.byte(0), self.byte(2)) {
            (b'\r', _) if self.byte(1) == b'\n' => (2, "\n"),
            (0xE2, 0xA8) => (3, "\u{2028}"),
            (0xE2, _) => (3, "\u{2029}"),
            (0xC2, _) => (2, "\n"),
            _ => (1, "\n"),
        };
        self.mark.index += if self.byte(0) == b'\r' { width } else { 1 };
        self.mark.at = (self.mark.at + width).min(self.end);
        self.mark.column = 0;
        self.mark.line += 1;
        text
    }

    pub(super) fn skip_comment(&mut self) {
        if self.byte(0) != b'#' {
            return;
        }
        let start = self.mark.at;
        while !self.is_breakz(0) {
            self.skip();
        }
        self.comments.push(Span::new(start, self.mark.at));
    }

    fn push(&mut self, t: T, start: Mark, payload: Payload) {
        let end = self.mark;
        self.tokens.push_back(Token { t, start, end, payload });
    }

    fn insert(&mut self, number: usize, t: T, mark: Mark) {
        let idx = number.saturating_sub(self.n_taken).min(self.tokens.len());
        self.tokens.insert(idx, Token { t, start: mark, end: mark, payload: Payload::None });
    }

    fn next_number(&self) -> usize {
        self.n_taken + self.tokens.len()
    }

    /// A token may be handed out once it is sure that no key or map starts before it.
    fn fetch_more(&mut self) -> Scan {
        loop {
            if self.ended {
                return Ok(());
            }
            if !self.tokens.is_empty() {
                let key = |key: &SimpleKey| key.possible && key.token == self.n_taken;
                let Some(key_idx) = self.keys.iter().rposition(key) else {
                    return Ok(());
                };
                if !self.key_is_valid(key_idx)? {
                    return Ok(());
                }
            }
            self.fetch_next()?;
        }
    }

    fn fetch_next(&mut self) -> Scan {
        self.skip_to_token();
        self.unroll_indent(self.mark.column as i64);
        if self.is_end() {
            return self.fetch_end();
        }
        let (byte, flow) = (self.byte(0), self.flow_level > 0);
        if self.mark.column == 0 && byte == b'%' {
            self.unroll_indent(-1);
            self.remove_key()?;
            self.key_allowed = false;
            let (t, start, payload) = self.directive()?;
            self.push(t, start, payload);
            return Ok(());
        }
        if self.is_document_indicator() {
            return self.fetch_document_indicator(byte);
        }
        match byte {
            b'[' => self.fetch_flow_start(T::FlowSeqStart),
            b'{' => self.fetch_flow_start(T::FlowMapStart),
            b']' => self.fetch_flow_end(T::FlowSeqEnd),
            b'}' => self.fetch_flow_end(T::FlowMapEnd),
            b',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.fetch_one(T::FlowEntry)
            }
            b'-' if self.is_blankz(1) => self.fetch_block_entry(),
            b'?' if flow || self.is_blankz(1) => self.fetch_key(),
            b':' if flow || self.is_blankz(1) => self.fetch_value(),
            b'*' => self.fetch_lexeme(|s| s.anchor(T::Alias)),
            b'&' => self.fetch_lexeme(|s| s.anchor(T::Anchor)),
            b'!' => self.fetch_lexeme(Scanner::tag),
            b'|' | b'>' if !flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let (start, scalar, end) = self.block_scalar(byte == b'|')?;
                self.tokens.push_back(Token {
                    t: T::Scalar,
                    start,
                    end,
                    payload: Payload::Scalar(scalar),
                });
                Ok(())
            }
            b'\'' | b'"' => self.fetch_lexeme(|s| s.quoted(byte == b'\'')),
            _ if self.starts_plain(byte, flow) => self.fetch_plain(),
            _ => self.fail(Some(self.mark), "found character that cannot start any token"),
        }
    }

    fn starts_plain(&self, byte: u8, flow: bool) -> bool {
        match byte {
            b'-' => !self.is_blank(1),
            b'?' | b':' => !flow && !self.is_blankz(1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
            | b'"' | b'%' | b'@' | b'`' => false,
            _ => !self.is_blankz(0),
        }
    }

    /// Reads something that may turn out to be a key.
    fn fetch_lexeme(&mut self, read: impl FnOnce(&mut Self) -> Scan<(T, Mark, Payload)>) -> Scan {
        self.save_key()?;
        self.key_allowed = false;
        let (t, start, payload) = read(self)?;
        self.push(t, start, payload);
        Ok(())
    }

    fn fetch_plain(&mut self) -> Scan {
        self.save_key()?;
        self.key_allowed = false;
        let start = self.mark;
        let (scalar, end): (Scalar, Mark) = self.plain()?;
        let payload = Payload::Scalar(scalar);
        self.tokens.push_back(Token { t: T::Scalar, start, end, payload });
        Ok(())
    }

    fn fetch_one(&mut self, t: T) -> Scan {
        let start = self.mark;
        self.skip();
        self.push(t, start, Payload::None);
        Ok(())
    }

    fn fetch_end(&mut self) -> Scan {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        self.ended = true;
        self.push(T::StreamEnd, self.mark, Payload::None);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, byte: u8) -> Scan {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.key_allowed = false;
        let start = self.mark;
        (0..3).for_each(|_| self.skip());
        self.push(if byte == b'-' { T::DocStart } else { T::DocEnd }, start, Payload::None);
        Ok(())
    }

    fn fetch_flow_start(&mut self, t: T) -> Scan {
        self.save_key()?;
        self.keys.push(SimpleKey { mark: self.mark, ..SimpleKey::default() });
        self.flow_level += 1;
        if self.flow_level > DEPTH_MAX {
            return self.fail(Some(self.mark), format!("exceeded max depth of {DEPTH_MAX}"));
        }
        self.key_allowed = true;
        self.fetch_one(t)
    }

    fn fetch_flow_end(&mut self, t: T) -> Scan {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.keys.pop();
        }
        self.key_allowed = false;
        self.fetch_one(t)
    }

    fn fetch_block_entry(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.key_allowed {
                let problem = "block sequence entries are not allowed in this context";
                return self.fail(Some(self.mark), problem);
            }
            self.roll_indent(self.mark.column, None, T::BlockSeqStart, self.mark)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.fetch_one(T::BlockEntry)
    }

    fn fetch_key(&mut self) -> Scan {
        if self.flow_level == 0 {
            if !self.key_allowed {
                let problem = "mapping keys are not allowed in this context";
                return self.fail(Some(self.mark), problem);
            }
            self.roll_indent(self.mark.column, None, T::BlockMapStart, self.mark)?;
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.fetch_one(T::Key)
    }

    fn fetch_value(&mut self) -> Scan {
        let key_idx = self.keys.len() - 1;
        if self.key_is_valid(key_idx)? {
            let key = self.keys[key_idx];
            self.insert(key.token, T::Key, key.mark);
            self.roll_indent(key.mark.column, Some(key.token), T::BlockMapStart, key.mark)?;
            self.keys[key_idx].possible = false;
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    let problem = "mapping values are not allowed in this context";
                    return self.fail(Some(self.mark), problem);
                }
                self.roll_indent(self.mark.column, None, T::BlockMapStart, self.mark)?;
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.fetch_one(T::Value)
    }

    /// A key ends on its line and within 1024 characters.
    fn key_is_valid(&mut self, idx: usize) -> Scan<bool> {
        let Some(key) = self.keys.get(idx).copied().filter(|key| key.possible) else {
            return Ok(false);
        };
        if key.mark.line < self.mark.line || key.mark.index + 1024 < self.mark.index {
            if key.required {
                return self.fail(Some(key.mark), "could not find expected ':'");
            }
            self.keys[idx].possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_key(&mut self) -> Scan {
        if !self.key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == self.mark.column as i64;
        let token = self.next_number();
        let key = SimpleKey { possible: true, required, token, mark: self.mark };
        self.remove_key()?;
        let last = self.keys.len() - 1;
        self.keys[last] = key;
        Ok(())
    }

    fn remove_key(&mut self) -> Scan {
        let last = self.keys.len() - 1;
        let key = self.keys[last];
        if key.possible {
            if key.required {
                return self.fail(Some(key.mark), "could not find expected ':'");
            }
            self.keys[last].possible = false;
        }
        Ok(())
    }

    fn roll_indent(&mut self, column: usize, number: Option<usize>, t: T, mark: Mark) -> Scan {
        let column = column as i64;
        if self.flow_level > 0 || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        if self.indents.len() > DEPTH_MAX {
            return self.fail(Some(self.mark), format!("exceeded max depth of {DEPTH_MAX}"));
        }
        let number = number.unwrap_or_else(|| self.next_number());
        self.insert(number, t, mark);
        Ok(())
    }

    fn unroll_indent(&mut self, column: i64) {
        while self.flow_level == 0 && self.indent > column {
            self.push(T::BlockEnd, self.mark, Payload::None);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            if self.mark.column == 0 && self.text[self.mark.at..self.end].starts_with('\u{FEFF}') {
                self.skip();
            }
            while self.byte(0) == b' '
                || (self.byte(0) == b'\t' && (self.flow_level > 0 || !self.key_allowed))
            {
                self.skip();
            }
            self.skip_comment();
            if !self.is_break(0) {
                return;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }
}
