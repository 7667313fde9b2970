//! The shell language as text becomes a tree. Not what the tree does.
//!
//! Parsing goes command by command, as the shell reads: what comes before an error has already
//! run when it is found. Models busybox 1.36 shell/ash.c, its parser and its words.

mod compound;
mod heredoc;
mod input;
mod parser;
mod simple;
mod tokens;
mod word;

pub use parser::{Aliases, Parsed, Parser};
pub use tokens::is_keyword;

use crate::text::Span;
use std::cell::RefCell;
use std::rc::Rc;

pub type NodeRef = Rc<Node>;

/// A command with its place. `line` counts as the shell counts for its messages.
#[derive(Debug)]
pub struct Node {
    pub kind: NodeKind,
    pub line: u32,
    pub span: Span,
}

#[derive(Debug)]
pub enum NodeKind {
    Simple(Simple),
    Pipeline(Vec<NodeRef>),
    /// Each with whether it runs after success (`&&`) or failure (`||`).
    AndOr(NodeRef, Vec<(bool, NodeRef)>),
    /// One after the other. Flat, so that a long list is no deeper than a short one.
    Sequence(Vec<NodeRef>),
    Not(NodeRef),
    Background(NodeRef),
    Subshell {
        body: NodeRef,
        redirects: Vec<Redirect>,
    },
    /// A compound command with redirections around it.
    Redirected {
        body: NodeRef,
        redirects: Vec<Redirect>,
    },
    If {
        test: NodeRef,
        then: NodeRef,
        otherwise: Option<NodeRef>,
    },
    While {
        until: bool,
        test: NodeRef,
        body: NodeRef,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: NodeRef,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
    Function {
        name: String,
        body: NodeRef,
    },
}

#[derive(Debug, Default)]
pub struct Simple {
    pub assigns: Vec<Assign>,
    pub words: Vec<Word>,
    pub redirects: Vec<Redirect>,
}

/// `name=value` before a command.
#[derive(Debug)]
pub struct Assign {
    pub name: String,
    pub value: Word,
}

#[derive(Debug)]
pub struct Arm {
    pub patterns: Vec<Word>,
    pub body: Option<NodeRef>,
}

#[derive(Debug)]
pub struct Redirect {
    pub fd: u32,
    pub to: Target,
    pub span: Span,
}

#[derive(Debug)]
pub enum Target {
    /// `<`
    Read(Word),
    /// `>`
    Write(Word),
    /// `>|`
    Clobber(Word),
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `&>`, and `>&` before something that is not a number: both streams.
    WriteBoth(Word),
    /// `<&` and `>&`; `-` closes. `output` tells which.
    Dup { word: Word, output: bool },
    /// A here-document, filled in when its body was read.
    Here(Rc<RefCell<Word>>),
}

/// A word before expansion.
#[derive(Clone, Debug, Default)]
pub struct Word {
    pub parts: Vec<Part>,
    pub span: Span,
    /// Some part was quoted.
    pub quoted: bool,
}

#[derive(Clone, Debug)]
pub enum Part {
    /// Characters as they are: they may split, match or be a tilde.
    Lit(String),
    /// Characters that stand for themselves. Empty for `""`.
    Quoted(String),
    Param(Rc<Param>),
    /// `$(..)` and backquotes; nothing inside is `None`.
    Command {
        body: Option<NodeRef>,
        quoted: bool,
    },
    Arith {
        word: Rc<Word>,
        quoted: bool,
    },
    /// `<(..)` and `>(..)`.
    Process {
        body: Option<NodeRef>,
        reads: bool,
    },
}

/// `$x` or `${x...}`.
#[derive(Clone, Debug)]
pub struct Param {
    /// A name, digits, or one of `@*#?-$!`.
    pub name: String,
    pub op: Op,
    pub quoted: bool,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Op {
    Plain,
    Length,
    /// `-`; `null` is the form with a colon.
    Default {
        word: Word,
        null: bool,
    },
    Assign {
        word: Word,
        null: bool,
    },
    Error {
        word: Word,
        null: bool,
    },
    Alternative {
        word: Word,
        null: bool,
    },
    TrimSuffix {
        pattern: Word,
        longest: bool,
    },
    TrimPrefix {
        pattern: Word,
        longest: bool,
    },
    Substring(Word),
    Replace {
        pattern: Word,
        with: Option<Word>,
        all: bool,
    },
    /// Not a substitution: an error when it is expanded, not when it is read.
    Bad,
}

/// What the shell says and where. `incomplete`: the text ended too early, more would repair it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// In the shell's words, after `syntax error: `.
    pub message: String,
    pub offset: u32,
    pub line: u32,
    pub incomplete: bool,
}

/// The first syntax error of a script, as (byte offset, message in the shell's words).
pub fn parse_check(script: &str) -> Option<(u32, String)> {
    let mut parser = Parser::new(Rc::from(script), 1);
    let no_aliases = Default::default();
    loop {
        match parser.next_command(&no_aliases) {
            Ok(Parsed::End) => return None,
            Ok(_) => {}
            Err(error) => return Some((error.offset, format!("syntax error: {}", error.message))),
        }
    }
}

impl Word {
    /// The text of a word without quotes and expansions.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Lit(text)] if !self.quoted => Some(text),
            _ => None,
        }
    }

    /// The name a word assigns to, if it reads `name=...`.
    pub fn assigns_to(&self) -> Option<&str> {
        let Some(Part::Lit(first)) = self.parts.first() else { return None };
        let (name, _) = first.split_once('=')?;
        is_name(name).then_some(name)
    }

    /// The word after `name=`.
    pub fn value_part(&self) -> Word {
        let mut word = self.clone();
        if let Some(Part::Lit(first)) = word.parts.first_mut() {
            let rest = first.split_once('=').map_or("", |(_, rest)| rest).to_owned();
            if rest.is_empty() {
                word.parts.remove(0);
            } else {
                *first = rest;
            }
        }
        word
    }
}

/// Whether a text is a variable name.
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

pub fn is_name_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

pub fn is_name_char(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}
