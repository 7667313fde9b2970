//! The grammar: lists, pipelines, compound and simple commands. Models list(), andor(),
//! pipeline(), parse_command() and simplecmd() of busybox ash.

use super::heredoc::Pending;
use super::input::Input;
use super::tokens::{Check, Token};
use super::{Node, NodeKind, NodeRef, Part, Redirect, SyntaxError, Target, Word};
use crate::text::Span;
use std::collections::BTreeMap;
use std::rc::Rc;

pub type Aliases = BTreeMap<String, String>;

/// Deepest nesting of commands and words; more is refused in a sentence.
const DEPTH_MAX: u32 = 100;

/// Reads a script command by command.
pub struct Parser {
    pub(super) input: Input,
    pub(super) check: Check,
    pub(super) last: Token,
    pub(super) pushed_back: bool,
    pub(super) token_start: usize,
    pub(super) word: Word,
    pub(super) redirect: Option<Redirect>,
    pub(super) strip_tabs: bool,
    pub(super) heredocs: Vec<Pending>,
    depth: u32,
}

/// One command, as far as a newline ends it.
pub enum Parsed {
    /// An empty line.
    Nothing,
    Command(NodeRef),
    End,
}

/// What kind of list is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Ends with the line.
    Line,
    /// Goes over lines and holds at least one command.
    Filled,
    /// Goes over lines.
    MayBeEmpty,
}

pub(super) struct Saved {
    check: Check,
    pushed_back: bool,
    last: Token,
    token_start: usize,
    word: Word,
    redirect: Option<Redirect>,
    strip_tabs: bool,
    heredocs: Vec<Pending>,
}

impl Parser {
    /// `first_line` is the number of the first line in messages.
    pub fn new(text: Rc<str>, first_line: u32) -> Parser {
        Parser {
            input: Input::new(text, first_line),
            check: Check::default(),
            last: Token::Newline,
            pushed_back: false,
            token_start: 0,
            word: Word::default(),
            redirect: None,
            strip_tabs: false,
            heredocs: Vec::new(),
            depth: 0,
        }
    }

    /// The next command. After an error the rest of the text means nothing.
    pub fn next_command(&mut self, aliases: &Aliases) -> Result<Parsed, SyntaxError> {
        self.pushed_back = false;
        self.check = Check::default();
        let list = self.list(List::Line, aliases)?;
        match list {
            Some(node) => Ok(Parsed::Command(node)),
            None if self.last == Token::End => Ok(Parsed::End),
            None => Ok(Parsed::Nothing),
        }
    }

    /// Whether everything was read.
    pub fn at_end(&mut self) -> bool {
        (self.pushed_back && self.last == Token::End) || self.input.peek_raw().is_none()
    }

    /// The line being read, as messages count.
    pub fn line(&self) -> u32 {
        self.input.line()
    }

    /// The byte offset read up to.
    pub fn offset(&self) -> usize {
        self.input.offset()
    }

    pub(super) fn enter(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.error("nested too deeply"));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) -> Result<(), SyntaxError> {
        self.depth -= 1;
        Ok(())
    }

    /// Parses a text of its own (backquotes, here-documents) as part of this one.
    pub(super) fn inner<T>(
        &mut self,
        text: &str,
        first_line: u32,
        parse: impl FnOnce(&mut Parser) -> Result<T, SyntaxError>,
    ) -> Result<T, SyntaxError> {
        let mut inner = Parser::new(Rc::from(text), first_line);
        inner.depth = self.depth;
        parse(&mut inner).map_err(|error| {
            let mut outer = self.error(&error.message);
            outer.incomplete = false;
            outer.line = error.line;
            outer
        })
    }

    pub(super) fn save_tokens(&mut self) -> Saved {
        Saved {
            check: std::mem::take(&mut self.check),
            pushed_back: std::mem::take(&mut self.pushed_back),
            last: self.last,
            token_start: self.token_start,
            word: std::mem::take(&mut self.word),
            redirect: self.redirect.take(),
            strip_tabs: self.strip_tabs,
            heredocs: std::mem::take(&mut self.heredocs),
        }
    }

    pub(super) fn restore_tokens(&mut self, saved: Saved) {
        self.check = saved.check;
        self.pushed_back = saved.pushed_back;
        self.last = saved.last;
        self.token_start = saved.token_start;
        self.word = saved.word;
        self.redirect = saved.redirect;
        self.strip_tabs = saved.strip_tabs;
        self.heredocs = saved.heredocs;
    }

    pub(super) fn node(&self, kind: NodeKind, start: usize, line: u32) -> NodeRef {
        Rc::new(Node { kind, line, span: Span::new(start, self.input.offset().max(start)) })
    }

    pub(super) fn push_back(&mut self) {
        self.pushed_back = true;
    }

    pub(super) fn list(
        &mut self,
        kind: List,
        aliases: &Aliases,
    ) -> Result<Option<NodeRef>, SyntaxError> {
        self.enter()?;
        let check = if kind == List::Line { Check::COMMAND } else { Check::AFTER_NEWLINES };
        let mut nodes: Vec<NodeRef> = Vec::new();
        let mut may_end = kind == List::MayBeEmpty;
        loop {
            self.check = check;
            match self.token(aliases)? {
                Token::Newline => {
                    self.read_heredocs(aliases)?;
                    break;
                }
                Token::End => {
                    self.read_heredocs(aliases)?;
                    self.push_back();
                    self.last = Token::End;
                    // A body that is missing altogether is reported by whoever wants it.
                    if nodes.is_empty() && kind == List::Filled {
                        return Err(self.unexpected(None));
                    }
                    break;
                }
                token => {
                    self.push_back();
                    if may_end && token.ends_list() {
                        break;
                    }
                }
            }
            may_end = kind != List::Line;
            let (node, token) = self.one_of_list(aliases)?;
            nodes.push(node);
            match token {
                Token::End => {
                    self.read_heredocs(aliases)?;
                    self.push_back();
                    break;
                }
                Token::Newline => self.push_back(),
                Token::Background | Token::Semi => {}
                _ if kind == List::Line => return Err(self.unexpected(None)),
                _ => {
                    self.push_back();
                    break;
                }
            }
        }
        self.leave()?;
        if nodes.len() < 2 {
            return Ok(nodes.pop());
        }
        let (start, line) = nodes.first().map_or((0, 0), |n| (n.span.start as usize, n.line));
        Ok(Some(self.node(NodeKind::Sequence(nodes), start, line)))
    }

    /// An and-or list, in the background if `&` follows; and the token after it.
    fn one_of_list(&mut self, aliases: &Aliases) -> Result<(NodeRef, Token), SyntaxError> {
        let node = self.and_or(aliases)?;
        let token = self.token(aliases)?;
        if token == Token::Background {
            let (start, line) = (node.span.start as usize, node.line);
            return Ok((self.node(NodeKind::Background(node), start, line), token));
        }
        Ok((node, token))
    }

    fn and_or(&mut self, aliases: &Aliases) -> Result<NodeRef, SyntaxError> {
        let first = self.pipeline(aliases)?;
        let mut rest = Vec::new();
        loop {
            let token = self.token(aliases)?;
            if token != Token::And && token != Token::Or {
                self.push_back();
                break;
            }
            self.check = Check::AFTER_NEWLINES;
            rest.push((token == Token::And, self.pipeline(aliases)?));
        }
        if rest.is_empty() {
            return Ok(first);
        }
        let (start, line) = (first.span.start as usize, first.line);
        Ok(self.node(NodeKind::AndOr(first, rest), start, line))
    }

    fn pipeline(&mut self, aliases: &Aliases) -> Result<NodeRef, SyntaxError> {
        let not = self.token(aliases)? == Token::Not;
        let start = self.token_start;
        if not {
            self.check = Check::COMMAND;
        } else {
            self.push_back();
        }
        let first = self.command(aliases)?;
        let line = first.line;
        let mut node = first;
        if self.token(aliases)? == Token::Pipe {
            let mut stages = vec![node];
            loop {
                self.check = Check::AFTER_NEWLINES;
                stages.push(self.command(aliases)?);
                if self.token(aliases)? != Token::Pipe {
                    break;
                }
            }
            node = self.node(NodeKind::Pipeline(stages), start, line);
        }
        self.push_back();
        Ok(if not { self.node(NodeKind::Not(node), start, line) } else { node })
    }

    pub(super) fn expect(&mut self, wanted: Token, aliases: &Aliases) -> Result<(), SyntaxError> {
        if self.token(aliases)? == wanted {
            return Ok(());
        }
        Err(self.unexpected(Some(wanted)))
    }

    /// A list that must hold something.
    pub(super) fn body(&mut self, aliases: &Aliases) -> Result<NodeRef, SyntaxError> {
        match self.list(List::Filled, aliases)? {
            Some(node) => Ok(node),
            None => Err(self.unexpected(None)),
        }
    }

    pub(super) fn command(&mut self, aliases: &Aliases) -> Result<NodeRef, SyntaxError> {
        self.enter()?;
        let token = self.token(aliases)?;
        let (start, line) = (self.token_start, self.input.line());
        let (kind, end) = match token {
            Token::If => (self.if_command(aliases)?, Some(Token::Fi)),
            Token::While | Token::Until => {
                let test = self.body(aliases)?;
                self.expect(Token::Do, aliases)?;
                let body = self.body(aliases)?;
                let until = token == Token::Until;
                (NodeKind::While { until, test, body }, Some(Token::Done))
            }
            Token::For => (self.for_command(aliases)?, Some(Token::Done)),
            Token::Case => (self.case_command(aliases)?, None),
            Token::Open => {
                let body = self.body(aliases)?;
                (NodeKind::Subshell { body, redirects: Vec::new() }, Some(Token::Close))
            }
            Token::Begin => {
                let body = self.body(aliases)?;
                (NodeKind::Redirected { body, redirects: Vec::new() }, Some(Token::Finish))
            }
            Token::Function | Token::Word | Token::Redirect => {
                self.push_back();
                let node = self.simple(aliases)?;
                self.leave()?;
                return Ok(node);
            }
            _ => return Err(self.unexpected(None)),
        };
        if let Some(end) = end {
            self.expect(end, aliases)?;
        }
        self.check = Check::COMMAND;
        let redirects = self.redirects(aliases)?;
        self.leave()?;
        Ok(self.with_redirects(kind, redirects, start, line))
    }

    fn with_redirects(
        &self,
        kind: NodeKind,
        redirects: Vec<Redirect>,
        start: usize,
        line: u32,
    ) -> NodeRef {
        match kind {
            NodeKind::Subshell { body, .. } => {
                self.node(NodeKind::Subshell { body, redirects }, start, line)
            }
            NodeKind::Redirected { body, .. } if redirects.is_empty() => body,
            NodeKind::Redirected { body, .. } => {
                self.node(NodeKind::Redirected { body, redirects }, start, line)
            }
            kind => {
                let body = self.node(kind, start, line);
                if redirects.is_empty() {
                    return body;
                }
                self.node(NodeKind::Redirected { body, redirects }, start, line)
            }
        }
    }

    fn redirects(&mut self, aliases: &Aliases) -> Result<Vec<Redirect>, SyntaxError> {
        let mut redirects = Vec::new();
        while self.token(aliases)? == Token::Redirect {
            redirects.extend(self.redirect_target(aliases)?);
        }
        self.push_back();
        Ok(redirects)
    }

    /// The word of the redirection whose operator was just read.
    pub(super) fn redirect_target(
        &mut self,
        aliases: &Aliases,
    ) -> Result<Option<Redirect>, SyntaxError> {
        let Some(mut redirect) = self.redirect.take() else { return Ok(None) };
        let strip_tabs = self.strip_tabs;
        let here = matches!(redirect.to, Target::Here(_));
        self.check = if here { Check::DELIMITER } else { Check::default() };
        if self.token(aliases)? != Token::Word {
            return Err(self.unexpected(None));
        }
        let word = std::mem::take(&mut self.word);
        redirect.span = redirect.span.to(word.span);
        redirect.to = match redirect.to {
            Target::Here(body) => {
                let quoted = word.quoted;
                let delimiter = plain_text(&word);
                let body_ref = Rc::clone(&body);
                self.heredocs.push(Pending { body: body_ref, delimiter, quoted, strip_tabs });
                Target::Here(body)
            }
            Target::Read(_) => Target::Read(word),
            Target::Write(_) => Target::Write(word),
            Target::Clobber(_) => Target::Clobber(word),
            Target::Append(_) => Target::Append(word),
            Target::ReadWrite(_) => Target::ReadWrite(word),
            Target::WriteBoth(_) => Target::WriteBoth(word),
            Target::Dup { output, .. } => Target::Dup { word, output },
        };
        Ok(Some(redirect))
    }
}

/// The characters of a word with its quotes gone.
pub(super) fn plain_text(word: &Word) -> String {
    let mut text = String::new();
    for part in &word.parts {
        if let Part::Lit(piece) | Part::Quoted(piece) = part {
            text.push_str(piece);
        }
    }
    text
}
