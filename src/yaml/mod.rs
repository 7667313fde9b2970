//! Any text -> marked tree + problems. Reads YAML as kubectl does (1.1 scalars); never fails.
//!
//! The tree that leaves this module has aliases expanded and merge keys merged (within a budget),
//! so nobody downstream ever sees either; expanded nodes keep the spans of the anchored text.

pub mod base64;
mod build;
mod flow;
pub mod json;
mod lexeme;
mod map;
mod mark;
mod read;
mod repair;
mod resolve;
mod scan;
mod words;

pub use read::parse;
pub use resolve::plain as resolve_plain;

use crate::diagnostic::Diagnostic;
use crate::text::Span;

/// All documents of a text, good or not, in order.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    pub docs: Vec<Doc>,
    pub diagnostics: Vec<Diagnostic>,
}

/// One document between `---` lines.
#[derive(Clone, Debug)]
pub struct Doc {
    /// From the end of the `---` line to the start of the next.
    pub span: Span,
    /// None for an empty document (nothing but comments).
    pub root: Option<Node>,
    /// False when this document could not be read to its end; `root` is then what was understood.
    pub complete: bool,
    /// Comments with their `#`.
    pub comments: Vec<Span>,
}

#[derive(Clone, Debug)]
pub struct Node {
    /// The value's own text, without key, quotes included.
    pub span: Span,
    pub value: Value,
}

#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Scalar),
    Seq(Vec<Node>),
    Map(Vec<Entry>),
}

/// A string and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    pub text: String,
    pub style: Style,
    /// Where pieces of `text` come from, sorted: (offset in `text`, offset in the source).
    /// Between two marks both sides advance byte by byte.
    pub marks: Vec<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Scalar {
    fn empty(at: usize) -> Scalar {
        let marks = vec![(0, at as u32)];
        Scalar { text: String::new(), style: Style::Plain, marks }
    }

    /// The source offset of an offset in `text`.
    pub fn source_offset(&self, at: u32) -> u32 {
        let idx = self.marks.partition_point(|(from, _)| *from <= at);
        match idx.checked_sub(1).and_then(|i| self.marks.get(i)) {
            Some((from, source)) => source + (at - from),
            None => at,
        }
    }
}

impl Node {
    fn null(at: usize) -> Node {
        Node { span: Span::new(at, at), value: Value::Null }
    }

    /// The value under `key` of a map; the last one where a key stands twice.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|e| e.key == key)
    }

    /// Follows a path such as `["spec", "containers", "0", "name"]`.
    pub fn at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Node> {
        path.into_iter().try_fold(self, |node, step| match &node.value {
            Value::Seq(items) => step.parse::<usize>().ok().and_then(|i| items.get(i)),
            _ => node.get(step),
        })
    }

    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entries, of a key that stands twice the last one only.
    pub fn last_entries(&self) -> Vec<&Entry> {
        let mut seen: std::collections::BTreeMap<&str, ()> = Default::default();
        let mut kept: Vec<&Entry> = self.entries().iter().rev().collect();
        kept.retain(|e| seen.insert(&e.key, ()).is_none());
        kept.reverse();
        kept
    }

    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::Seq(items) => items,
            _ => &[],
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// A scalar as its words, whatever kind it was read as.
    pub fn shown(&self) -> Option<String> {
        Some(match &self.value {
            Value::Str(scalar) => scalar.text.clone(),
            Value::Int(n) => n.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Float(n) => n.to_string(),
            _ => return None,
        })
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(number) => Some(number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}
