//! sed's scripts: lines glued at backslashes, addresses, commands with their arguments.

use super::{Command, Script};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::bytes::to_text;
use std::rc::Rc;

/// A script out of its lines, or sed's message.
pub(super) fn parse(lines: &[Vec<u8>], extended: bool) -> Result<Script, String> {
    let mut parser =
        Parser { script: Script::default(), extended, previous: None, text: Vec::new(), at: 0 };
    let mut glued: Option<Vec<u8>> = None;
    for (i, line) in lines.iter().enumerate() {
        let mut text = match glued.take() {
            Some(mut text) => {
                text.push(b'\n');
                text.extend_from_slice(line);
                text
            }
            None => line.clone(),
        };
        let backslashes = text.iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes % 2 == 1 {
            text.pop();
            if i + 1 < lines.len() {
                glued = Some(text);
                continue;
            }
            text.push(b'\n');
        }
        parser.text = text;
        parser.at = 0;
        parser.line()?;
    }
    Ok(parser.script)
}

struct Parser {
    script: Script,
    extended: bool,
    /// What an empty address regex stands for.
    previous: Option<Rc<Regex>>,
    text: Vec<u8>,
    at: usize,
}

enum Address {
    None,
    Line(i64),
    Match(Rc<Regex>),
}

impl Parser {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or(&[])
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn line(&mut self) -> Result<(), String> {
        loop {
            while matches!(self.peek(), Some(b';' | b' ' | b'\n' | b'\r' | b'\t' | 0x0b)) {
                self.at += 1;
            }
            match self.peek() {
                None => return Ok(()),
                Some(b'#') => {
                    let first = self.at == 0 && self.script.commands.is_empty();
                    self.script.quiet |=
                        first && self.text.get(1) == Some(&b'n') && self.text.len() == 2;
                    let end = self.rest().iter().position(|b| matches!(b, b'\n' | b'\r'));
                    match end {
                        Some(end) => self.at += end,
                        None => return Ok(()),
                    }
                }
                Some(_) => self.command()?,
            }
        }
    }

    fn command(&mut self) -> Result<(), String> {
        let mut command = Command::default();
        match self.address()? {
            Address::None => {}
            Address::Line(line) => command.begin_line = line,
            Address::Match(regex) => command.begin_match = Some(regex),
        }
        if self.peek() == Some(b',') {
            self.at += 1;
            let plus = self.peek() == Some(b'+')
                && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            if plus {
                self.at += 1;
                command.end_line = -2 - self.number();
            } else {
                match self.address()? {
                    Address::None => return Err("no address after comma".to_owned()),
                    Address::Line(line) => command.end_line = line,
                    Address::Match(regex) => command.end_match = Some(regex),
                }
            }
        }
        command.begin_line_orig = command.begin_line;
        command.end_line_orig = command.end_line;
        self.blanks();
        if self.peek() == Some(b'!') {
            command.invert = true;
            self.at += 1;
            self.blanks();
        }
        let Some(letter) = self.peek() else { return Err("missing command".to_owned()) };
        self.at += 1;
        command.letter = letter;
        self.arguments(&mut command)?;
        self.script.commands.push(command);
        Ok(())
    }

    fn number(&mut self) -> i64 {
        let mut value: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
            self.at += 1;
        }
        value.min(i64::from(i32::MAX))
    }

    fn address(&mut self) -> Result<Address, String> {
        match self.peek() {
            Some(b'0'..=b'9') => Ok(Address::Line(self.number())),
            Some(b'$') => {
                self.at += 1;
                Ok(Address::Line(-1))
            }
            Some(first @ (b'/' | b'\\')) => {
                self.at += 1;
                let delimiter = match first {
                    b'/' => b'/',
                    _ => {
                        self.at += 1;
                        self.text.get(self.at - 1).copied().unwrap_or(b'/')
                    }
                };
                let end = self.delimiter(delimiter, true)?;
                let text = self.text[self.at..end].to_vec();
                self.at = end + 1;
                if text.is_empty() {
                    let previous = self.previous.clone();
                    return previous.map(Address::Match).ok_or_else(|| "no previous regexp".into());
                }
                let regex = self.regex(&escapes(&text, None), false)?;
                self.previous = Some(Rc::clone(&regex));
                Ok(Address::Match(regex))
            }
            _ => Ok(Address::None),
        }
    }

    fn regex(&self, text: &[u8], ignore_case: bool) -> Result<Rc<Regex>, String> {
        let flavor = if self.extended { Flavor::Extended } else { Flavor::Basic };
        let options = Options { flavor, ignore_case, newline: false };
        Regex::new(text, options)
            .map(Rc::new)
            .map_err(|error| format!("bad regex '{}': {}", to_text(text), error.message()))
    }

    /// Where the next delimiter is that no backslash or bracket hides.
    fn delimiter(&self, delimiter: u8, brackets: bool) -> Result<usize, String> {
        let mut bracket: Option<usize> = None;
        let mut escaped = false;
        for (i, &byte) in self.text.iter().enumerate().skip(self.at) {
            if let Some(open) = bracket {
                let first = i == open + 1 || (i == open + 2 && self.text[open + 1] == b'^');
                if byte == b']' && !first {
                    bracket = None;
                }
            } else if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if brackets && byte == b'[' {
                bracket = Some(i);
            } else if byte == delimiter {
                return Ok(i);
            }
        }
        Err(format!("unmatched '{}'", to_text(&[delimiter])))
    }

    fn one_address(&self, command: &Command) -> Result<(), String> {
        if command.end_line != 0 || command.end_match.is_some() {
            let letter = char::from(command.letter);
            return Err(format!("command '{letter}' uses only one address"));
        }
        Ok(())
    }

    fn arguments(&mut self, command: &mut Command) -> Result<(), String> {
        match command.letter {
            b's' => self.substitution(command),
            b'a' | b'i' | b'c' => {
                if command.letter != b'c' {
                    self.one_address(command)?;
                }
                while let Some(byte) = self.peek() {
                    if byte == b'\n' || byte == b'\\' {
                        self.at += 1;
                        break;
                    }
                    if !byte.is_ascii_whitespace() {
                        break;
                    }
                    self.at += 1;
                }
                command.text = plain(&escapes(self.rest(), None));
                self.at = self.text.len();
                Ok(())
            }
            b'r' | b'w' => {
                if command.letter == b'r' {
                    self.one_address(command)?;
                }
                command.text = self.file_name()?;
                if command.letter == b'w' {
                    command.file = Some(self.output(&command.text.clone()));
                }
                Ok(())
            }
            b':' | b'b' | b't' | b'T' => {
                self.blanks();
                let rest = self.rest();
                let stop = |b: &u8| matches!(b, b';' | b' ' | b'\n' | b'\r' | b'\t' | 0x0b);
                let end = rest.iter().position(stop).unwrap_or(rest.len());
                command.text = rest[..end].to_vec();
                self.at += end;
                Ok(())
            }
            b'y' => self.transliteration(command),
            b'd' | b'D' | b'g' | b'G' | b'h' | b'H' | b'l' | b'n' | b'N' | b'p' | b'P' | b'q'
            | b'x' | b'=' | b'{' | b'}' => Ok(()),
            other => Err(format!("unsupported command {}", to_text(&[other]))),
        }
    }

    /// The parts of `s/a/b/` or `y/a/b/`; stops behind the last delimiter.
    fn parts(&mut self) -> Result<(Vec<u8>, Vec<u8>, u8), String> {
        let Some(delimiter) = self.peek() else {
            return Err("bad format in substitution expression".to_owned());
        };
        self.at += 1;
        let end = self.delimiter(delimiter, true)?;
        let pattern = escapes(&self.text[self.at..end], Some(delimiter));
        self.at = end + 1;
        let end = self.delimiter(delimiter, false)?;
        let keep = (delimiter != b'&').then_some(delimiter);
        let replacement = escapes(&self.text[self.at..end], keep);
        self.at = end + 1;
        Ok((pattern, replacement, delimiter))
    }

    fn substitution(&mut self, command: &mut Command) -> Result<(), String> {
        let (pattern, replacement, _) = self.parts()?;
        command.text = replacement;
        command.which = 1;
        let mut ignore_case = false;
        while let Some(flag) = self.peek() {
            match flag {
                b'0'..=b'9' => {
                    let which = self.number();
                    if pattern.first() != Some(&b'^') {
                        command.which = which as u32;
                    }
                    continue;
                }
                b'g' => command.which = 0,
                b'p' => command.print = true,
                b'i' | b'I' => ignore_case = true,
                b'w' => {
                    self.at += 1;
                    let name = self.file_name()?;
                    command.file = Some(self.output(&name));
                    continue;
                }
                b'#' => {
                    self.at = self.text.len();
                    break;
                }
                b';' | b'}' => break,
                byte if byte.is_ascii_whitespace() => {}
                _ => return Err("bad option in substitution expression".to_owned()),
            }
            self.at += 1;
        }
        if !pattern.is_empty() {
            command.regex = Some(self.regex(&pattern, ignore_case)?);
        }
        Ok(())
    }

    fn transliteration(&mut self, command: &mut Command) -> Result<(), String> {
        let (from, to, _) = self.parts()?;
        let unslash = |text: &[u8]| {
            let mut out = Vec::new();
            let mut bytes = text.iter().copied().peekable();
            while let Some(byte) = bytes.next() {
                if byte == b'\\' && bytes.peek() == Some(&b'\\') {
                    bytes.next();
                }
                out.push(byte);
            }
            out
        };
        let pairs = unslash(&from).into_iter().zip(unslash(&to));
        command.text = pairs.flat_map(|(a, b)| [a, b]).collect();
        Ok(())
    }

    /// The rest of the line, blanks in front left out.
    fn file_name(&mut self) -> Result<Vec<u8>, String> {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace() && b != b'\n') {
            self.at += 1;
        }
        let rest = self.rest();
        let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        if end == 0 {
            return Err("empty filename".to_owned());
        }
        let name = rest[..end].to_vec();
        self.at += end;
        Ok(name)
    }

    fn output(&mut self, name: &[u8]) -> usize {
        let name = to_text(name);
        if let Some(idx) = self.script.files.iter().position(|file| *file == name) {
            return idx;
        }
        self.script.files.push(name);
        self.script.files.len() - 1
    }
}

/// `\n`, `\t`, `\r` and an escaped delimiter as the bytes they are; the rest as it is.
fn escapes(text: &[u8], delimiter: Option<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let next = text.get(at + 1).copied();
        let single = match (byte, next) {
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(next)) if Some(next) == delimiter => Some(next),
            _ => None,
        };
        match (single, byte, next) {
            (Some(single), _, _) => {
                out.push(single);
                at += 2;
            }
            (None, b'\\', Some(next)) => {
                out.extend([b'\\', next]);
                at += 2;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// A backslash in front of anything is left out.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            byte => out.push(byte),
        }
    }
    out
}
