//! Scalars in their five styles, anchors, tags and directives, character by character.
//! Every scalar keeps marks from its value back to the text.
//!
//! Models go.yaml.in/yaml/v2 scannerc.go `yaml_parser_scan_*`.

use super::mark::{Mark, Payload, T};
use super::scan::{Scan, Scanner};
use super::{Scalar, Style};

/// Text being put together, with marks to where its pieces come from.
#[derive(Default)]
struct Out {
    text: String,
    marks: Vec<(u32, u32)>,
}

impl Out {
    fn push(&mut self, at: usize, piece: &str) {
        let (to, from) = (self.text.len() as u32, at as u32);
        let goes_on = self.marks.last().is_some_and(|(t, s)| from.wrapping_sub(*s) == to - t);
        if !goes_on {
            self.marks.push((to, from));
        }
        self.text.push_str(piece);
    }

    /// Moves all of `other` to the end.
    fn append(&mut self, other: &mut Out) {
        let shift = self.text.len() as u32;
        self.marks.extend(other.marks.drain(..).map(|(t, s)| (t + shift, s)));
        self.text.push_str(&other.text);
        other.text.clear();
    }

    fn clear(&mut self) {
        self.text.clear();
        self.marks.clear();
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn scalar(self, style: Style) -> Scalar {
        Scalar { text: self.text, style, marks: self.marks }
    }
}

/// Blanks and breaks inside a flow scalar, kept back until it is known what they fold to.
#[derive(Default)]
struct Gap {
    blanks: Out,
    first_break: Out,
    more_breaks: Out,
    broken: bool,
}

impl Gap {
    /// One break folds to a space, more to one less.
    fn fold_into(&mut self, out: &mut Out) {
        if !self.broken {
            out.append(&mut self.blanks);
            return;
        }
        if !self.first_break.text.starts_with('\n') {
            out.append(&mut self.first_break);
            out.append(&mut self.more_breaks);
        } else if self.more_breaks.is_empty() {
            out.push(self.first_break.marks.first().map_or(0, |m| m.1 as usize), " ");
        } else {
            out.append(&mut self.more_breaks);
        }
        self.first_break.clear();
        self.more_breaks.clear();
        self.broken = false;
    }
}

impl Scanner<'_> {
    fn read(&mut self, out: &mut Out) {
        let start = self.mark.at;
        self.skip();
        out.push(start, &self.text[start..self.mark.at]);
    }

    fn read_line(&mut self, out: &mut Out) {
        let start = self.mark.at;
        let text = self.skip_line();
        out.push(start, text);
    }

    fn read_gap(&mut self, gap: &mut Gap) {
        if self.is_blank(0) {
            if gap.broken {
                self.skip();
            } else {
                self.read(&mut gap.blanks);
            }
        } else if gap.broken {
            self.read_line(&mut gap.more_breaks);
        } else {
            gap.blanks.clear();
            self.read_line(&mut gap.first_break);
            gap.broken = true;
        }
    }

    pub(super) fn plain(&mut self) -> Scan<(Scalar, Mark)> {
        let start = self.mark;
        let (mut out, mut gap, mut end) = (Out::default(), Gap::default(), self.mark);
        let indent = self.indent + 1;
        loop {
            if self.is_document_indicator() || self.byte(0) == b'#' {
                break;
            }
            let run = self.mark.at;
            while !self.is_blankz(0) && !self.ends_plain() {
                self.skip();
            }
            if self.mark.at > run {
                if gap.broken || !gap.blanks.is_empty() {
                    gap.fold_into(&mut out);
                }
                out.push(run, &self.text[run..self.mark.at]);
                end = self.mark;
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            while self.is_blank(0) || self.is_break(0) {
                let column = self.mark.column as i64;
                if gap.broken && column < indent && self.byte(0) == b'\t' {
                    let problem = "found a tab character that violates indentation";
                    return self.fail(Some(start), problem);
                }
                self.read_gap(&mut gap);
            }
            if self.flow_level == 0 && (self.mark.column as i64) < indent {
                break;
            }
        }
        if gap.broken {
            self.key_allowed = true;
        }
        Ok((out.scalar(Style::Plain), end))
    }

    fn ends_plain(&self) -> bool {
        match self.byte(0) {
            b':' => self.is_blankz(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    pub(super) fn quoted(&mut self, single: bool) -> Scan<(T, Mark, Payload)> {
        let start = self.mark;
        let quote = if single { b'\'' } else { b'"' };
        let (mut out, mut gap) = (Out::default(), Gap::default());
        self.skip();
        loop {
            if self.is_document_indicator() {
                return self.fail(Some(start), "found unexpected document indicator");
            }
            if self.is_end() {
                return self.fail(Some(start), "found unexpected end of stream");
            }
            while !self.is_blankz(0) {
                match self.byte(0) {
                    b'\'' if single && self.byte(1) == b'\'' => {
                        out.push(self.mark.at, "'");
                        self.skip();
                        self.skip();
                    }
                    byte if byte == quote => break,
                    b'\\' if !single && self.is_break(1) => {
                        self.skip();
                        self.skip_line();
                        gap.broken = true;
                        break;
                    }
                    b'\\' if !single => self.escape(start, &mut out)?,
                    _ => self.read(&mut out),
                }
            }
            if self.byte(0) == quote {
                break;
            }
            while self.is_blank(0) || self.is_break(0) {
                self.read_gap(&mut gap);
            }
            gap.fold_into(&mut out);
        }
        self.skip();
        let style = if single { Style::SingleQuoted } else { Style::DoubleQuoted };
        Ok((T::Scalar, start, Payload::Scalar(out.scalar(style))))
    }

    fn escape(&mut self, start: Mark, out: &mut Out) -> Scan {
        let at = self.mark.at;
        let n_digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let plain = match self.byte(1) {
            b'0' => "\0",
            b'a' => "\x07",
            b'b' => "\x08",
            b't' | b'\t' => "\t",
            b'n' => "\n",
            b'v' => "\x0B",
            b'f' => "\x0C",
            b'r' => "\r",
            b'e' => "\x1B",
            b' ' => " ",
            b'"' => "\"",
            b'\'' => "'",
            b'\\' => "\\",
            b'N' => "\u{85}",
            b'_' => "\u{A0}",
            b'L' => "\u{2028}",
            b'P' => "\u{2029}",
            b'x' | b'u' | b'U' => "",
            _ => return self.fail(Some(start), "found unknown escape character"),
        };
        self.skip();
        self.skip();
        if n_digits == 0 {
            out.push(at, plain);
            return Ok(());
        }
        let mut code = 0_u32;
        for ahead in 0..n_digits {
            let Some(digit) = (self.byte(ahead) as char).to_digit(16) else {
                return self.fail(Some(start), "did not find expected hexdecimal number");
            };
            code = code.wrapping_shl(4) | digit;
        }
        let Some(ch) = char::from_u32(code) else {
            return self.fail(Some(start), "found invalid Unicode character escape code");
        };
        (0..n_digits).for_each(|_| self.skip());
        out.push(at, ch.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    /// The scalar, and the mark after its last line with text or break.
    pub(super) fn block_scalar(&mut self, literal: bool) -> Scan<(Mark, Scalar, Mark)> {
        let start = self.mark;
        let (chomping, mut indent) = self.block_header(start)?;
        let (mut out, mut first, mut more) = (Out::default(), Out::default(), Out::default());
        let mut end = self.mark;
        self.block_breaks(&mut indent, &mut more, start, &mut end)?;
        let mut leading_blank = false;
        while self.mark.column == indent && !self.is_end() {
            let blank = self.is_blank(0);
            if !literal && !leading_blank && !blank && first.text.starts_with('\n') {
                if more.is_empty() {
                    out.push(first.marks.first().map_or(0, |m| m.1 as usize), " ");
                }
                first.clear();
            } else {
                out.append(&mut first);
            }
            out.append(&mut more);
            leading_blank = blank;
            let line = self.mark.at;
            while !self.is_breakz(0) {
                self.skip();
            }
            out.push(line, &self.text[line..self.mark.at]);
            self.read_line(&mut first);
            self.block_breaks(&mut indent, &mut more, start, &mut end)?;
        }
        if chomping != -1 {
            out.append(&mut first);
        }
        if chomping == 1 {
            out.append(&mut more);
        }
        let style = if literal { Style::Literal } else { Style::Folded };
        Ok((start, out.scalar(style), end))
    }

    /// Chomping (-1, 0, 1) and the given indentation (0 where it is to be found out).
    fn block_header(&mut self, start: Mark) -> Scan<(i8, usize)> {
        let (mut chomping, mut increment) = (0, 0);
        self.skip();
        for _ in 0..2 {
            match self.byte(0) {
                b'+' if chomping == 0 => chomping = 1,
                b'-' if chomping == 0 => chomping = -1,
                b'0' if increment == 0 => {
                    let problem = "found an indentation indicator equal to 0";
                    return self.fail(Some(start), problem);
                }
                digit @ b'1'..=b'9' if increment == 0 => increment = usize::from(digit - b'0'),
                _ => break,
            }
            self.skip();
        }
        self.end_of_line(start)?;
        let indent = if increment > 0 { self.indent.max(0) as usize + increment } else { 0 };
        Ok((chomping, indent))
    }

    /// Blanks and a comment, then the line must end; `start` is where what it belongs to began.
    fn end_of_line(&mut self, start: Mark) -> Scan<()> {
        while self.is_blank(0) {
            self.skip();
        }
        self.skip_comment();
        if !self.is_breakz(0) {
            return self.fail(Some(start), "did not find expected comment or line break");
        }
        if self.is_break(0) {
            self.skip_line();
        }
        Ok(())
    }

    fn block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut Out,
        start: Mark,
        end: &mut Mark,
    ) -> Scan {
        *end = self.mark;
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b' ' {
                self.skip();
            }
            widest = widest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b'\t' {
                let problem = "found a tab character where an indentation space is expected";
                return self.fail(Some(start), problem);
            }
            if !self.is_break(0) {
                break;
            }
            self.read_line(breaks);
            *end = self.mark;
        }
        if *indent == 0 {
            *indent = widest.max((self.indent + 1).max(1) as usize);
        }
        Ok(())
    }

    fn word(&mut self) -> String {
        let start = self.mark.at;
        while self.is_word() {
            self.skip();
        }
        self.text[start..self.mark.at].to_owned()
    }

    pub(super) fn anchor(&mut self, t: T) -> Scan<(T, Mark, Payload)> {
        let start = self.mark;
        self.skip();
        let name = self.word();
        let follows = matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !(follows || self.is_blankz(0)) {
            let problem = "did not find expected alphabetic or numeric character";
            return self.fail(Some(start), problem);
        }
        Ok((t, start, Payload::Word(name)))
    }

    /// Handle and suffix of a tag; the handle is empty for a verbatim one and for `!`.
    pub(super) fn tag(&mut self) -> Scan<(T, Mark, Payload)> {
        let start = self.mark;
        let (handle, suffix);
        if self.byte(1) == b'<' {
            self.skip();
            self.skip();
            (handle, suffix) = (String::new(), self.tag_uri(start, "")?);
            if self.byte(0) != b'>' {
                return self.fail(Some(start), "did not find the expected '>'");
            }
            self.skip();
        } else {
            let head = self.tag_handle(start, false)?;
            if head.len() > 1 && head.ends_with('!') {
                suffix = self.tag_uri(start, "")?;
                handle = head;
            } else {
                let rest = self.tag_uri(start, &head)?;
                let bare = rest.is_empty();
                handle = if bare { String::new() } else { "!".to_owned() };
                suffix = if bare { "!".to_owned() } else { rest };
            }
        }
        if !self.is_blankz(0) {
            return self.fail(Some(start), "did not find expected whitespace or line break");
        }
        Ok((T::Tag, start, Payload::Pair(handle, suffix)))
    }

    fn tag_handle(&mut self, start: Mark, directive: bool) -> Scan<String> {
        if self.byte(0) != b'!' {
            return self.fail(Some(start), "did not find expected '!'");
        }
        self.skip();
        let mut handle = format!("!{}", self.word());
        if self.byte(0) == b'!' {
            self.skip();
            handle.push('!');
        } else if directive && handle != "!" {
            return self.fail(Some(start), "did not find expected '!'");
        }
        Ok(handle)
    }

    /// The rest of a tag; `%xx` stays as written, no tag kubectl knows has one.
    fn tag_uri(&mut self, start: Mark, head: &str) -> Scan<String> {
        let from = self.mark.at;
        while self.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.byte(0)) {
            self.skip();
        }
        let rest = &self.text[from..self.mark.at];
        if head.is_empty() && rest.is_empty() {
            return self.fail(Some(start), "did not find expected tag URI");
        }
        Ok(format!("{}{rest}", head.get(1..).unwrap_or("")))
    }

    pub(super) fn directive(&mut self) -> Scan<(T, Mark, Payload)> {
        let start = self.mark;
        self.skip();
        let name = self.word();
        if name.is_empty() {
            return self.fail(Some(start), "could not find expected directive name");
        }
        if !self.is_blankz(0) {
            return self.fail(Some(start), "found unexpected non-alphabetical character");
        }
        while self.is_blank(0) {
            self.skip();
        }
        let (t, payload) = match name.as_str() {
            "YAML" => (T::Version, Payload::Word(self.version(start)?)),
            "TAG" => (T::TagDirective, self.tag_directive(start)?),
            _ => return self.fail(Some(start), "found unknown directive name"),
        };
        self.end_of_line(start)?;
        Ok((t, start, payload))
    }

    fn version(&mut self, start: Mark) -> Scan<String> {
        let from = self.mark.at;
        self.version_number(start)?;
        if self.byte(0) != b'.' {
            return self.fail(Some(start), "did not find expected digit or '.' character");
        }
        self.skip();
        self.version_number(start)?;
        Ok(self.text[from..self.mark.at].to_owned())
    }

    fn version_number(&mut self, start: Mark) -> Scan {
        let from = self.mark.at;
        while self.byte(0).is_ascii_digit() {
            if self.mark.at - from == 2 {
                return self.fail(Some(start), "found extremely long version number");
            }
            self.skip();
        }
        if self.mark.at == from {
            return self.fail(Some(start), "did not find expected version number");
        }
        Ok(())
    }

    fn tag_directive(&mut self, start: Mark) -> Scan<Payload> {
        let handle = self.tag_handle(start, true)?;
        if !self.is_blank(0) {
            return self.fail(Some(start), "did not find expected whitespace");
        }
        while self.is_blank(0) {
            self.skip();
        }
        let prefix = self.tag_uri(start, "")?;
        if !self.is_blankz(0) {
            return self.fail(Some(start), "did not find expected whitespace or line break");
        }
        Ok(Payload::Pair(handle, prefix))
    }
}
