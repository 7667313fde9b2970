//! Where the scanner stands, its tokens and its complaint. Not what they mean.

use super::Scalar;

/// A position as goyaml counts: lines and columns from 0, columns and index in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Mark {
    /// Byte offset in the whole text.
    pub(super) at: usize,
    pub(super) index: usize,
    /// From the start of the document's chunk, as kubectl counts.
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A token's type; `Fail` stands for all tokens after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum T {
    StreamEnd,
    Version,
    TagDirective,
    DocStart,
    DocEnd,
    BlockSeqStart,
    BlockMapStart,
    BlockEnd,
    FlowSeqStart,
    FlowSeqEnd,
    FlowMapStart,
    FlowMapEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    Tag,
    Scalar,
    Fail,
}

#[derive(Clone, Debug)]
pub(super) enum Payload {
    None,
    Word(String),
    Pair(String, String),
    Scalar(Scalar),
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) t: T,
    pub(super) start: Mark,
    pub(super) end: Mark,
    pub(super) payload: Payload,
}

/// Why reading stopped, in goyaml's words.
#[derive(Clone, Debug)]
pub(super) struct Complaint {
    pub(super) problem: String,
    pub(super) at: Mark,
    /// Where the construct began that could not be finished.
    pub(super) context: Option<Mark>,
    /// Scanner errors name the line counted from 1, parser errors from 0 (goyaml's `fail`).
    pub(super) scanner: bool,
}

impl Complaint {
    /// Models go.yaml.in/yaml/v2 decode.go `(*parser).fail`.
    pub(super) fn words(&self) -> String {
        let line = match (self.at.line, self.context) {
            (0, Some(context)) => context.line,
            (0, None) => 0,
            (line, _) => line + usize::from(self.scanner),
        };
        match line {
            0 => self.problem.clone(),
            n => format!("line {n}: {}", self.problem),
        }
    }
}
