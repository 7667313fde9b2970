//! Pattern text to a tree, with glibc's errors in glibc's places.
//! Models glibc posix/regcomp.c parse_expression, peek_token, parse_dup_op.

use super::class::{ByteSet, is_word};
use super::{Flavor, Options};

/// Why a pattern is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    BadRepeat,
    BadBraces,
    BadClass,
    BadCollation,
    BadRange,
    BadBackref,
    BadPattern,
    OpenBracket,
    OpenParen,
    OpenBrace,
    TrailingBackslash,
    TooBig,
}

impl Error {
    /// `regerror`'s text.
    pub fn message(self) -> &'static str {
        match self {
            Error::BadRepeat => "Invalid preceding regular expression",
            Error::BadBraces => "Invalid content of \\{\\}",
            Error::BadClass => "Invalid character class name",
            Error::BadCollation => "Invalid collation character",
            Error::BadRange => "Invalid range end",
            Error::BadBackref => "Invalid back reference",
            Error::BadPattern => "Invalid regular expression",
            Error::OpenBracket => "Unmatched [, [^, [:, [., or [=",
            Error::OpenParen => "Unmatched ( or \\(",
            Error::OpenBrace => "Unmatched \\{",
            Error::TrailingBackslash => "Trailing backslash",
            Error::TooBig => "Regular expression too big",
        }
    }
}

/// Places a match may be held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordEdge,
    NotWordEdge,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Empty,
    Byte(u8),
    Set(Box<ByteSet>),
    Place(Place),
    Group(usize, Box<Node>),
    Cat(Vec<Node>),
    Alt(Vec<Node>),
    Repeat { node: Box<Node>, min: u32, max: Option<u32> },
    Backref(usize),
}

/// Parentheses inside parentheses; more is refused as too big.
const DEPTH_MAX: usize = 200;
/// glibc's RE_DUP_MAX.
const REPEAT_MAX: u32 = 0x7fff;

/// The tree of a pattern and its number of groups.
pub(super) fn parse(pattern: &[u8], options: Options) -> Result<(Node, usize), Error> {
    if options.flavor == Flavor::Fixed {
        return Ok((Node::Cat(pattern.iter().map(|&b| Node::Byte(b)).collect()), 0));
    }
    let extended = options.flavor == Flavor::Extended;
    let mut parser = Parser { pattern, at: 0, extended, options, n_groups: 0, closed: Vec::new() };
    let node = parser.alternatives(0)?;
    match parser.at < pattern.len() {
        // Only a closing parenthesis stops the outermost alternatives.
        true => Err(Error::OpenParen),
        false => Ok((node, parser.n_groups)),
    }
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    extended: bool,
    options: Options,
    n_groups: usize,
    closed: Vec<usize>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.pattern.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.pattern.get(self.at + ahead).copied()
    }

    /// Whether an operator that is `c` in extended and `\c` in basic patterns is next.
    fn sees(&self, c: u8) -> bool {
        match self.extended {
            true => self.peek() == Some(c),
            false => self.peek() == Some(b'\\') && self.peek_at(1) == Some(c),
        }
    }

    fn take(&mut self, c: u8) -> bool {
        let seen = self.sees(c);
        if seen {
            self.at += if self.extended { 1 } else { 2 };
        }
        seen
    }

    fn alternatives(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::TooBig);
        }
        let mut branches = vec![self.branch(depth)?];
        while self.take(b'|') {
            branches.push(self.branch(depth)?);
        }
        Ok(match branches.len() {
            1 => branches.remove(0),
            _ => Node::Alt(branches),
        })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Error> {
        let mut parts = Vec::new();
        // True where `*` has nothing to repeat.
        let mut fresh = true;
        while self.at < self.pattern.len() && !self.sees(b'|') {
            if self.sees(b')') && (depth > 0 || !self.extended) {
                break;
            }
            let atom = self.atom(depth, fresh, parts.is_empty())?;
            fresh = matches!(atom, Node::Place(_));
            let whole = if fresh { atom } else { self.repeats(atom)? };
            parts.push(whole);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.remove(0),
            _ => Node::Cat(parts),
        })
    }

    fn atom(&mut self, depth: usize, fresh: bool, first: bool) -> Result<Node, Error> {
        if self.take(b'(') {
            self.n_groups += 1;
            let idx = self.n_groups;
            let inner = self.alternatives(depth + 1)?;
            if !self.take(b')') {
                return Err(Error::OpenParen);
            }
            self.closed.push(idx);
            return Ok(Node::Group(idx, Box::new(inner)));
        }
        if fresh && self.operator_without_operand() {
            return Err(Error::BadRepeat);
        }
        let c = self.peek().unwrap_or(0);
        if c == b'\\' {
            return self.escape();
        }
        let at_end = self.dollar_is_anchor();
        self.at += 1;
        Ok(match c {
            b'.' => {
                let mut set = ByteSet::new();
                set.invert();
                if self.options.newline {
                    set.remove(b'\n');
                }
                Node::Set(Box::new(set))
            }
            b'[' => Node::Set(Box::new(self.bracket()?)),
            b'^' if self.extended || first => Node::Place(Place::LineStart),
            b'$' if at_end => Node::Place(Place::LineEnd),
            _ => Node::Byte(c),
        })
    }

    fn operator_without_operand(&self) -> bool {
        match self.extended {
            true => matches!(self.peek(), Some(b'*' | b'+' | b'?' | b'{')),
            false => self.sees(b'{'),
        }
    }

    fn dollar_is_anchor(&self) -> bool {
        let next = (self.peek_at(1), self.peek_at(2));
        self.extended || matches!(next, (None, _) | (Some(b'\\'), Some(b')' | b'|')))
    }

    fn escape(&mut self) -> Result<Node, Error> {
        let Some(c) = self.peek_at(1) else { return Err(Error::TrailingBackslash) };
        self.at += 2;
        Ok(match c {
            b'1'..=b'9' => {
                let idx = usize::from(c - b'0');
                if !self.closed.contains(&idx) {
                    return Err(Error::BadBackref);
                }
                Node::Backref(idx)
            }
            b'<' => Node::Place(Place::WordStart),
            b'>' => Node::Place(Place::WordEnd),
            b'b' => Node::Place(Place::WordEdge),
            b'B' => Node::Place(Place::NotWordEdge),
            b'`' => Node::Place(Place::TextStart),
            b'\'' => Node::Place(Place::TextEnd),
            b'w' | b'W' => set_of(is_word, c == b'W'),
            b's' | b'S' => set_of(|b| b.is_ascii_whitespace() || b == 0x0b, c == b'S'),
            _ => Node::Byte(c),
        })
    }

    fn repeats(&mut self, mut node: Node) -> Result<Node, Error> {
        loop {
            let (min, max) = if self.peek() == Some(b'*') {
                self.at += 1;
                (0, None)
            } else if self.take(b'+') {
                (1, None)
            } else if self.take(b'?') {
                (0, Some(1))
            } else if self.take(b'{') {
                self.braces()?
            } else {
                return Ok(node);
            };
            node = Node::Repeat { node: Box::new(node), min, max };
            if !self.extended && (self.peek() == Some(b'*') || self.sees(b'{')) {
                return Err(Error::BadRepeat);
            }
        }
    }

    fn number(&mut self) -> Result<Option<u32>, Error> {
        let mut value = None;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            let sum = value.unwrap_or(0) * 10 + u32::from(digit - b'0');
            if sum > REPEAT_MAX {
                return Err(Error::TooBig);
            }
            value = Some(sum);
            self.at += 1;
        }
        Ok(value)
    }

    fn braces(&mut self) -> Result<(u32, Option<u32>), Error> {
        let first = self.number()?;
        let (min, max) = if self.peek() == Some(b',') {
            self.at += 1;
            (first.unwrap_or(0), self.number()?)
        } else {
            (first.ok_or(self.wrong_brace())?, first)
        };
        if !self.take(b'}') {
            return Err(self.wrong_brace());
        }
        match max {
            Some(max) if max < min => Err(Error::BadBraces),
            _ => Ok((min, max)),
        }
    }

    /// A closing brace that is nowhere to come makes it an open one.
    fn wrong_brace(&self) -> Error {
        let rest = self.pattern.get(self.at..).unwrap_or(&[]);
        if rest.contains(&b'}') { Error::BadBraces } else { Error::OpenBrace }
    }

    fn bracket(&mut self) -> Result<ByteSet, Error> {
        let mut set = ByteSet::new();
        let inverted = self.peek() == Some(b'^');
        if inverted {
            self.at += 1;
        }
        let mut first = true;
        loop {
            match self.peek() {
                None if first => return Err(Error::BadPattern),
                None => return Err(Error::OpenBracket),
                Some(b']') if !first => break,
                Some(_) => self.bracket_item(&mut set)?,
            }
            first = false;
        }
        self.at += 1;
        if self.options.ignore_case {
            set.fold_case();
        }
        if inverted {
            set.invert();
            if self.options.newline {
                set.remove(b'\n');
            }
        }
        Ok(set)
    }

    fn bracket_item(&mut self, set: &mut ByteSet) -> Result<(), Error> {
        let Some(low) = self.bracket_element(set)? else {
            let range = self.peek() == Some(b'-') && !matches!(self.peek_at(1), Some(b']') | None);
            return if range { Err(Error::BadRange) } else { Ok(()) };
        };
        let range = self.peek() == Some(b'-') && self.peek_at(1) != Some(b']');
        if !range {
            set.insert(low);
            return Ok(());
        }
        self.at += 1;
        if self.peek().is_none() {
            return Err(Error::OpenBracket);
        }
        let high = self.bracket_element(set)?.ok_or(Error::BadRange)?;
        if high < low {
            return Err(Error::BadRange);
        }
        for byte in low..=high {
            set.insert(byte);
        }
        Ok(())
    }

    /// One element: a byte, or nothing for a class, which is put into the set at once.
    fn bracket_element(&mut self, set: &mut ByteSet) -> Result<Option<u8>, Error> {
        let c = self.peek().unwrap_or(0);
        let kind = self.peek_at(1).unwrap_or(0);
        self.at += 1;
        if c != b'[' || !matches!(kind, b':' | b'.' | b'=') {
            return Ok(Some(c));
        }
        let rest = self.pattern.get(self.at + 1..).unwrap_or(&[]);
        let end = super::find_bytes(rest, &[kind, b']'], 0);
        let Some(end) = end else {
            // `[[:x]` is a set of `[`, `:` and `x`, for glibc; the other two must be closed.
            return if kind == b':' { Ok(Some(c)) } else { Err(Error::OpenBracket) };
        };
        let name = &rest[..end];
        self.at += end + 3;
        match (kind, name) {
            (b':', name) => {
                let folded = self.options.ignore_case && matches!(name, b"upper" | b"lower");
                let name = if folded { b"alpha" } else { name };
                if set.insert_class(name) { Ok(None) } else { Err(Error::BadClass) }
            }
            (_, &[byte]) => Ok(Some(byte)),
            _ => Err(Error::BadCollation),
        }
    }
}

fn set_of(holds: impl Fn(u8) -> bool, inverted: bool) -> Node {
    let mut set = ByteSet::new();
    for byte in 0..=255 {
        if holds(byte) != inverted {
            set.insert(byte);
        }
    }
    Node::Set(Box::new(set))
}
