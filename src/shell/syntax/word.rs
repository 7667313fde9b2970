//! Words: quotes, expansions, and where they end. Models readtoken1 of busybox ash.

use super::parser::{Aliases, Parser};
use super::tokens::{Check, Token};
use super::{Op, Param, Part, SyntaxError, Word, is_name_char, is_name_start};
use crate::shell::bytes;
use crate::text::Span;
use std::rc::Rc;

/// What surrounds the characters being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A word of a command: ends at blanks and operators.
    Plain,
    /// The word after `<<`: no expansions.
    Delimiter,
    /// Between double quotes: ends at `"`.
    Double,
    /// In `${x-...}`: ends at `}`.
    Brace,
    /// The same between double quotes.
    DoubleBrace,
    /// A here-document's body: ends with the text.
    Here,
    /// In `$((...))`: ends at `))`.
    Arith,
}

impl Mode {
    fn is_double(self) -> bool {
        matches!(self, Mode::Double | Mode::DoubleBrace | Mode::Here | Mode::Arith)
    }
}

/// The parts of a word as they are collected.
#[derive(Default)]
struct Builder {
    parts: Vec<Part>,
    quoted: bool,
}

impl Builder {
    fn lit(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Lit(text)) => text.push(c),
            _ => self.parts.push(Part::Lit(c.to_string())),
        }
    }

    fn quote(&mut self, c: char) {
        match self.parts.last_mut() {
            Some(Part::Quoted(text)) => text.push(c),
            _ => self.parts.push(Part::Quoted(c.to_string())),
        }
    }

    /// A character of the text around: literal, or quoted between double quotes.
    fn put(&mut self, c: char, mode: Mode) {
        if mode.is_double() { self.quote(c) } else { self.lit(c) }
    }
}

impl Parser {
    pub(super) fn read_word(
        &mut self,
        delimiter: bool,
        aliases: &Aliases,
    ) -> Result<Word, SyntaxError> {
        let mode = if delimiter { Mode::Delimiter } else { Mode::Plain };
        let mut builder = Builder::default();
        self.read_parts(mode, &mut builder, aliases)?;
        Ok(Word { parts: builder.parts, span: Span::default(), quoted: builder.quoted })
    }

    pub(super) fn parts(
        &mut self,
        mode: Mode,
        aliases: &Aliases,
    ) -> Result<Vec<Part>, SyntaxError> {
        let mut builder = Builder::default();
        self.read_parts(mode, &mut builder, aliases)?;
        Ok(builder.parts)
    }

    /// A prompt's parts: read like a here-document's body.
    pub fn prompt(&mut self, aliases: &Aliases) -> Result<Vec<Part>, SyntaxError> {
        self.parts(Mode::Here, aliases)
    }

    fn ends(&mut self, c: char, mode: Mode) -> bool {
        match mode {
            Mode::Plain | Mode::Delimiter => match c {
                '<' | '>' => mode == Mode::Delimiter || self.input.peek_second() != Some('('),
                _ => matches!(c, '\n' | ' ' | '\t' | ';' | '&' | '|' | '(' | ')'),
            },
            Mode::Double => c == '"',
            Mode::Brace | Mode::DoubleBrace => c == '}',
            Mode::Here | Mode::Arith => false,
        }
    }

    fn read_parts(
        &mut self,
        mode: Mode,
        into: &mut Builder,
        aliases: &Aliases,
    ) -> Result<(), SyntaxError> {
        self.enter()?;
        let mut parens = 0_u32;
        while let Some(c) = self.input.peek() {
            if self.ends(c, mode) {
                break;
            }
            self.input.next();
            match c {
                '\\' => self.backslash(mode, into),
                '\'' if !mode.is_double() => self.single_quoted(into)?,
                '"' if mode == Mode::Here => into.quote('"'),
                '"' if mode == Mode::Arith => {}
                '"' if mode == Mode::DoubleBrace => self.inner_double(into, aliases)?,
                '"' => self.double_quoted(into, aliases)?,
                '$' if mode == Mode::Delimiter => into.lit('$'),
                '`' if mode == Mode::Delimiter => into.lit('`'),
                '$' => self.dollar(mode, into, aliases)?,
                '`' => self.backquoted(mode, into, aliases)?,
                '(' if mode == Mode::Arith => {
                    parens += 1;
                    into.quote('(');
                }
                ')' if mode == Mode::Arith && parens > 0 => {
                    parens -= 1;
                    into.quote(')');
                }
                ')' if mode == Mode::Arith && self.input.eat(')') => return self.leave(),
                '<' | '>' if matches!(mode, Mode::Plain) => {
                    self.input.next();
                    let body = self.substituted(aliases)?;
                    into.parts.push(Part::Process { body, reads: c == '<' });
                }
                _ => into.put(c, mode),
            }
        }
        if mode == Mode::Arith {
            return Err(self.cut_short("missing '))'"));
        }
        self.leave()
    }

    fn cut_short(&self, message: &str) -> SyntaxError {
        let mut error = self.error(message);
        error.incomplete = true;
        error
    }

    fn backslash(&mut self, mode: Mode, into: &mut Builder) {
        let Some(c) = self.input.next_raw() else { return into.quote('\\') };
        let stays = match c {
            '\\' | '`' | '$' => false,
            '"' => mode == Mode::Here,
            '}' => mode != Mode::DoubleBrace,
            _ => true,
        };
        if mode.is_double() && stays {
            into.quote('\\');
        }
        into.quote(c);
        into.quoted = true;
    }

    fn single_quoted(&mut self, into: &mut Builder) -> Result<(), SyntaxError> {
        into.parts.push(Part::Quoted(String::new()));
        into.quoted = true;
        loop {
            match self.input.next_raw() {
                Some('\'') => return Ok(()),
                Some(c) => into.quote(c),
                None => return Err(self.cut_short("unterminated quoted string")),
            }
        }
    }

    fn double_quoted(&mut self, into: &mut Builder, aliases: &Aliases) -> Result<(), SyntaxError> {
        into.quoted = true;
        let before = into.parts.len();
        // Quoted text starts a part of its own, so that an empty pair of quotes is seen.
        into.parts.push(Part::Quoted(String::new()));
        self.read_parts(Mode::Double, into, aliases)?;
        let at_only = matches!(
            into.parts.get(before + 1),
            Some(Part::Param(param)) if param.name == "@"
        );
        if at_only && matches!(&into.parts[before], Part::Quoted(text) if text.is_empty()) {
            // `"$@"` without arguments is no word at all.
            into.parts.remove(before);
        }
        match self.input.next() {
            Some(_) => Ok(()),
            None => Err(self.cut_short("unterminated quoted string")),
        }
    }

    /// Quotes within `"${x-...}"` vanish; a brace between them is a character.
    fn inner_double(&mut self, into: &mut Builder, aliases: &Aliases) -> Result<(), SyntaxError> {
        self.read_parts(Mode::Double, into, aliases)?;
        match self.input.next() {
            Some(_) => Ok(()),
            None => Err(self.cut_short("unterminated quoted string")),
        }
    }

    fn dollar(
        &mut self,
        mode: Mode,
        into: &mut Builder,
        aliases: &Aliases,
    ) -> Result<(), SyntaxError> {
        let quoted = mode.is_double();
        let start = self.input.offset() - 1;
        match self.input.peek() {
            Some('(') => {
                self.input.next();
                if self.input.eat('(') {
                    let parts = self.parts(Mode::Arith, aliases)?;
                    let span = Span::new(start, self.input.offset());
                    let word = Rc::new(Word { parts, span, quoted: true });
                    into.parts.push(Part::Arith { word, quoted });
                    return Ok(());
                }
                let body = self.substituted(aliases)?;
                into.parts.push(Part::Command { body, quoted });
            }
            Some('{') => {
                self.input.next();
                let (name, op) = self.braced(mode, aliases)?;
                let span = Span::new(start, self.input.offset());
                into.parts.push(Part::Param(Rc::new(Param { name, op, quoted, span })));
            }
            Some(c) if is_name_start(c) || is_special(c) => {
                self.input.next();
                let mut name = c.to_string();
                while is_name_start(c) && self.input.peek().is_some_and(is_name_char) {
                    name.extend(self.input.next());
                }
                let span = Span::new(start, self.input.offset());
                let param = Param { name, op: Op::Plain, quoted, span };
                into.parts.push(Part::Param(Rc::new(param)));
            }
            Some('\'') if !quoted => {
                self.input.next();
                self.dollar_quoted(into)?;
            }
            _ => into.put('$', mode),
        }
        Ok(())
    }

    /// The commands of `$(...)`; the opening is read.
    pub(super) fn substituted(
        &mut self,
        aliases: &Aliases,
    ) -> Result<Option<super::NodeRef>, SyntaxError> {
        let saved = self.save_tokens();
        let body = self.list(super::parser::List::MayBeEmpty, aliases)?;
        self.check = Check::default();
        if self.token(aliases)? != Token::Close {
            return Err(self.unexpected(Some(Token::Close)));
        }
        self.read_heredocs(aliases)?;
        self.restore_tokens(saved);
        Ok(body)
    }

    fn backquoted(
        &mut self,
        mode: Mode,
        into: &mut Builder,
        aliases: &Aliases,
    ) -> Result<(), SyntaxError> {
        let mut text = String::new();
        loop {
            match self.input.next() {
                Some('`') => break,
                Some('\\') => {
                    let next = self.input.next_raw();
                    let taken = matches!(next, Some('\\' | '`' | '$'))
                        || (mode.is_double() && next == Some('"'));
                    if !taken {
                        text.push('\\');
                    }
                    text.extend(next);
                }
                Some(c) => text.push(c),
                None => return Err(self.cut_short("EOF in backquote substitution")),
            }
        }
        // Lines within count from one less than the line it ends on.
        let line = self.input.line().saturating_sub(1);
        let list = super::parser::List::MayBeEmpty;
        let body = self.inner(&text, line, |inner| inner.list(list, aliases))?;
        into.parts.push(Part::Command { body, quoted: mode.is_double() });
        Ok(())
    }

    /// `${...}` after its brace: name and operation.
    fn braced(&mut self, mode: Mode, aliases: &Aliases) -> Result<(String, Op), SyntaxError> {
        let mut name = self.parameter_name();
        let mut length = false;
        if name == "#" {
            // `${#}` is the count; `${#x}` is a length; `${#-w}` is the count with a default.
            let next = self.input.peek();
            let named = next.is_some_and(|c| c == '_' || c.is_ascii_alphanumeric());
            let special = next.is_some_and(is_special) && self.input.peek_second() == Some('}');
            if named || special {
                name = self.parameter_name();
                length = true;
            }
        }
        if name.is_empty() || (name == "#" && self.input.peek() == Some('=')) {
            return self.bad(mode, aliases);
        }
        if length {
            if self.input.eat('}') {
                return Ok((name, Op::Length));
            }
            return self.bad(mode, aliases);
        }
        match self.operation(mode, aliases)? {
            Some(op) => Ok((name, op)),
            None => self.bad(mode, aliases),
        }
    }

    /// What follows the name in braces, up to the closing one; `None` for what is no operation.
    fn operation(&mut self, mode: Mode, aliases: &Aliases) -> Result<Option<Op>, SyntaxError> {
        let inner = if mode.is_double() { Mode::DoubleBrace } else { Mode::Brace };
        let Some(c) = self.input.next() else { return Err(self.cut_short("missing '}'")) };
        let null = c == ':';
        let sign = if null { self.input.peek() } else { Some(c) };
        let op = match sign {
            Some('}') if null => return Err(self.cut_short("missing '}'")),
            Some('}') => Op::Plain,
            Some(sign @ ('-' | '=' | '?' | '+')) => {
                if null {
                    self.input.next();
                }
                let word = self.brace_word(inner, aliases)?;
                match sign {
                    '-' => Op::Default { word, null },
                    '=' => Op::Assign { word, null },
                    '?' => Op::Error { word, null },
                    _ => Op::Alternative { word, null },
                }
            }
            _ if null => Op::Substring(self.brace_word(inner, aliases)?),
            Some('%') => {
                let longest = self.input.eat('%');
                Op::TrimSuffix { pattern: self.brace_word(Mode::Brace, aliases)?, longest }
            }
            Some('#') => {
                let longest = self.input.eat('#');
                Op::TrimPrefix { pattern: self.brace_word(Mode::Brace, aliases)?, longest }
            }
            Some('/') => {
                let all = self.input.eat('/');
                let (pattern, with) = split_at_slash(self.brace_word(Mode::Brace, aliases)?);
                Op::Replace { pattern, with, all }
            }
            _ => return Ok(None),
        };
        Ok(Some(op))
    }

    fn parameter_name(&mut self) -> String {
        let mut name = String::new();
        match self.input.peek() {
            Some(c) if is_name_start(c) => {
                while self.input.peek().is_some_and(is_name_char) {
                    name.extend(self.input.next());
                }
            }
            Some(c) if c.is_ascii_digit() => {
                while self.input.peek().is_some_and(|c| c.is_ascii_digit()) {
                    name.extend(self.input.next());
                }
            }
            Some(c) if is_special(c) => name.extend(self.input.next()),
            _ => {}
        }
        name
    }

    /// Not a substitution; what is in it is skipped up to its brace.
    fn bad(&mut self, mode: Mode, aliases: &Aliases) -> Result<(String, Op), SyntaxError> {
        let inner = if mode.is_double() { Mode::DoubleBrace } else { Mode::Brace };
        self.brace_word(inner, aliases)?;
        Ok((String::new(), Op::Bad))
    }

    fn brace_word(&mut self, mode: Mode, aliases: &Aliases) -> Result<Word, SyntaxError> {
        let start = self.input.offset();
        let mut builder = Builder::default();
        self.read_parts(mode, &mut builder, aliases)?;
        let span = Span::new(start, self.input.offset());
        if self.input.next() != Some('}') {
            return Err(self.cut_short("missing '}'"));
        }
        Ok(Word { parts: builder.parts, span, quoted: builder.quoted })
    }

    /// `$'...'`
    fn dollar_quoted(&mut self, into: &mut Builder) -> Result<(), SyntaxError> {
        into.parts.push(Part::Quoted(String::new()));
        into.quoted = true;
        loop {
            match self.input.next_raw() {
                Some('\'') => return Ok(()),
                Some('\\') => self.c_escape(into),
                Some(c) => into.quote(c),
                None => return Err(self.cut_short("unterminated quoted string")),
            }
        }
    }

    fn c_escape(&mut self, into: &mut Builder) {
        let Some(c) = self.input.next_raw() else { return into.quote('\\') };
        let simple = match c {
            'n' => '\n',
            'r' => '\r',
            'b' => '\u{8}',
            't' => '\t',
            'f' => '\u{c}',
            'a' => '\u{7}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => c,
            '0'..='7' => return self.numbered(into, c.to_digit(8), 8, 2),
            'x' if self.input.peek_raw().is_some_and(|c| c.is_ascii_hexdigit()) => {
                return self.numbered(into, None, 16, 2);
            }
            _ => {
                into.quote('\\');
                c
            }
        };
        into.quote(simple);
    }

    fn numbered(&mut self, into: &mut Builder, first: Option<u32>, radix: u32, most: u32) {
        let mut value = first.unwrap_or(0);
        for _ in 0..most {
            let Some(digit) = self.input.peek_raw().and_then(|c| c.to_digit(radix)) else { break };
            self.input.next_raw();
            value = value * radix + digit;
        }
        match (value & 0xff) as u8 {
            0 => {}
            byte @ 1..0x80 => into.quote(char::from(byte)),
            byte => into.quote(bytes::escape(byte)),
        }
    }
}

fn is_special(c: char) -> bool {
    matches!(c, '!' | '#' | '$' | '*' | '-' | '0'..='9' | '?' | '@')
}

/// `pattern/with`: at the first bare slash, which is not the pattern's first character.
fn split_at_slash(word: Word) -> (Word, Option<Word>) {
    let mut first = true;
    for (i, part) in word.parts.iter().enumerate() {
        if let Part::Lit(text) = part {
            let skip = usize::from(first && text.starts_with('/'));
            if let Some(at) = text[skip..].find('/') {
                let at = at + skip;
                let (mut pattern, mut with) = (word.clone(), word.clone());
                pattern.parts.truncate(i);
                if at > 0 {
                    pattern.parts.push(Part::Lit(text[..at].to_owned()));
                }
                with.parts.drain(..=i);
                if at + 1 < text.len() {
                    with.parts.insert(0, Part::Lit(text[at + 1..].to_owned()));
                }
                return (pattern, Some(with));
            }
        }
        first = false;
    }
    (word, None)
}
