//! What is wrong with a text, where, and what would repair it. Not how it is found.

mod render;

pub use render::render;

use crate::text::{Edit, Span};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How bad: the first two are the API server's and kubectl's, the others are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Refused by kubectl or the API server.
    Error,
    /// Accepted with a warning by the API server.
    Warning,
    /// Accepted, but will fail or mislead when it runs.
    Hazard,
    /// Best practice, off unless a lesson asks for it.
    Practice,
}

/// Where in the server's way of an object the problem is met; later stages are not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    Yaml,
    Schema,
    Decode,
    Admission,
    Validation,
    Beyond,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    pub stage: Stage,
    /// Kebab-case name of the rule, e.g. `unknown-field`.
    pub code: Cow<'static, str>,
    pub span: Span,
    /// The server's own words where it has any.
    pub message: String,
    /// One sentence for a learner: why, and what to try.
    pub help: Option<String>,
    /// Dotted field path as the server writes it, e.g. `spec.containers[0].image`; may be empty.
    pub field: String,
    /// Other places that belong to the story, each with a word on why.
    pub related: Vec<(Span, String)>,
    pub fixes: Vec<Fix>,
}

/// More text than any lesson needs; the API server itself takes 3 MiB at most.
const BYTES_MAX: usize = 1024 * 1024;

/// The one problem of a text that is too long to be read.
pub fn too_large(text: &str) -> Option<Diagnostic> {
    if text.len() <= BYTES_MAX {
        return None;
    }
    let mib = text.len() as f64 / 1_048_576.0;
    let words = format!("{mib:.1} MiB of text: the lab reads 1 MiB at most");
    let cut = (0..=200).rev().find(|cut| text.is_char_boundary(*cut)).unwrap_or(0);
    let one = Diagnostic::new(Severity::Error, Stage::Yaml, "too-large", Span::new(0, cut), words);
    Some(one.with_help("Split it into several files."))
}

/// Code of errors that are about a Pod and the rest of the cluster: a run meets them by itself.
pub const POD_REFUSED: &str = "pod-refused";

/// Something that can be typed at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// What the list shows.
    pub label: String,
    /// What goes in for `span`.
    pub insert: String,
    /// A word on it: type, owner.
    pub detail: String,
    pub span: Span,
}

/// What a field is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hover {
    pub span: Span,
    /// As the server writes it, e.g. `spec.containers[0].image`.
    pub path: String,
    pub type_name: String,
    pub required: bool,
    /// A word of ours, the values it may have, its default.
    pub doc: String,
    /// Where Kubernetes' own description stands: its type in the field tables, and the field.
    pub described: (String, String),
}

/// A name of the manifest: where it is given, and where it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// `volume`, `container`, `port`, `service port`, `label`, `key`, or the kind of an object.
    pub what: String,
    pub name: String,
    /// Empty where nothing in the text gives it.
    pub definitions: Vec<Span>,
    pub uses: Vec<Span>,
}

/// Edits that rename something everywhere, or a sentence on why it cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    pub edits: Vec<Edit>,
    /// Empty where the edits do it.
    pub problem: String,
}

/// A repair: edits that keep comments and style.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, as a command: "Rename to `containerPort`".
    pub title: String,
    pub edits: Vec<Edit>,
}

impl Diagnostic {
    pub fn new(
        severity: Severity,
        stage: Stage,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic {
            severity,
            stage,
            code: Cow::Borrowed(code),
            span,
            message: message.into(),
            help: None,
            field: String::new(),
            related: Vec::new(),
            fixes: Vec::new(),
        }
    }

    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub fn at_field(mut self, field: impl Into<String>) -> Diagnostic {
        self.field = field.into();
        self
    }

    pub fn with_fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Diagnostic {
        self.fixes.push(Fix { title: title.into(), edits });
        self
    }
}
