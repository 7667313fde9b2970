//! What kube-apiserver answers to a strict dry-run create of one object.

use super::document::{self, Verdict};
use super::known::Known;
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::kube::schema::Kind;
use crate::yaml::Node;

/// The parts of the server's `Status` that say what was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 201, 400, 403, 404 or 422.
    pub code: u16,
    /// `BadRequest`, `Invalid`; empty where it was accepted.
    pub reason: &'static str,
    pub message: String,
    pub causes: Vec<Cause>,
    pub warnings: Vec<String>,
}

/// One field error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub reason: &'static str,
    pub message: String,
    pub field: String,
}

const REASONS: [(&str, &str); 9] = [
    ("Required value", "FieldValueRequired"),
    ("Invalid value", "FieldValueInvalid"),
    ("Unsupported value", "FieldValueNotSupported"),
    ("Duplicate value", "FieldValueDuplicate"),
    ("Not found", "FieldValueNotFound"),
    ("Forbidden", "FieldValueForbidden"),
    ("Too long", "FieldValueTooLong"),
    ("Too many", "FieldValueTooMany"),
    ("Internal error", "InternalError"),
];

/// Answers for an object as it stands in a request body.
pub fn answer(root: &Node) -> Answer {
    of(&document::check(root, "", &Known::default()))
}

pub(super) fn of(verdict: &Verdict) -> Answer {
    let mut answer = stages(verdict);
    let mut warnings = deprecated(verdict.kind);
    warnings.append(&mut answer.warnings);
    Answer { warnings, ..answer }
}

fn stages(verdict: &Verdict) -> Answer {
    let errors = |stage: Stage| {
        let all = verdict.diagnostics.iter();
        all.filter(move |d| d.severity == Severity::Error && d.stage == stage)
    };
    let Some(kind) = verdict.kind else {
        let message = errors(Stage::Schema).next().map_or("", |d| d.message.as_str()).to_owned();
        return refused(400, "BadRequest", message);
    };
    if let Some(text) = decoding(errors(Stage::Decode)) {
        let version = kind.api_version.rsplit('/').next().unwrap_or("");
        let message = format!(
            "{} in version \"{version}\" cannot be handled as a {}: {text}",
            verdict.written, kind.kind
        );
        return refused(400, "BadRequest", message);
    }
    if let Some(first) = errors(Stage::Admission).next() {
        // What is refused late has been warned of before.
        let warnings = warnings(verdict);
        return Answer { warnings, ..refused(403, "Forbidden", first.message.clone()) };
    }
    let causes: Vec<Cause> = errors(Stage::Validation).map(cause).collect();
    let causes = before_all(kind, causes);
    if !causes.is_empty() {
        let message =
            format!("{} {:?} is invalid: {}", group_kind(kind), verdict.name, body(&causes));
        return Answer { causes, ..refused(422, "Invalid", message) };
    }
    let (causes, warnings) = (Vec::new(), warnings(verdict));
    Answer { code: 201, reason: "", message: String::new(), causes, warnings }
}

fn warnings(verdict: &Verdict) -> Vec<String> {
    let all = verdict.diagnostics.iter().filter(|d| d.severity == Severity::Warning);
    all.map(|d| d.message.clone()).collect()
}

/// Addresses are given to a Service before it is looked at, and faults in what it asks for of them
/// are all that is told. Models pkg/registry/core/service/storage/alloc.go initIPFamilyFields.
fn before_all(kind: &Kind, causes: Vec<Cause>) -> Vec<Cause> {
    let is_early = |cause: &Cause| {
        let of_addresses = ["spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"];
        of_addresses.iter().any(|field| cause.field.starts_with(field))
            && !["Forbidden", "Invalid value: \"None\""]
                .iter()
                .any(|w| cause.message.starts_with(w))
    };
    if kind.kind != "Service" || !causes.iter().any(is_early) {
        return causes;
    }
    causes.into_iter().filter(is_early).collect()
}

/// Kinds of which the server warns whatever it answers.
fn deprecated(kind: Option<&Kind>) -> Vec<String> {
    const ENDPOINTS: &str =
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
    let hit = kind.is_some_and(|kind| kind.kind == "Endpoints");
    hit.then(|| ENDPOINTS.to_owned()).into_iter().collect()
}

fn refused(code: u16, reason: &'static str, message: String) -> Answer {
    Answer { code, reason, message, causes: Vec::new(), warnings: Vec::new() }
}

/// The first type error, or all unknown fields.
pub(super) fn decoding<'a>(errors: impl Iterator<Item = &'a Diagnostic>) -> Option<String> {
    let (unknown, wrong): (Vec<_>, Vec<_>) = errors.partition(|d| d.code == "unknown-field");
    if let Some(first) = wrong.first() {
        return Some(first.message.clone());
    }
    let mut names: Vec<&str> = unknown.iter().map(|d| d.message.as_str()).collect();
    names.dedup();
    names.truncate(100);
    (!names.is_empty()).then(|| format!("strict decoding error: {}", names.join(", ")))
}

fn cause(one: &Diagnostic) -> Cause {
    let reason = REASONS.iter().find(|(start, _)| one.message.starts_with(start));
    Cause {
        reason: reason.map_or("InternalError", |(_, reason)| reason),
        message: one.message.clone(),
        field: one.field.clone(),
    }
}

/// `Deployment.apps`, or `Pod` of the core group.
pub(super) fn group_kind(kind: &Kind) -> String {
    match kind.api_version.split_once('/') {
        Some((group, _)) => format!("{}.{group}", kind.kind),
        None => kind.kind.to_owned(),
    }
}

/// Each error once; in brackets where there are several.
pub(super) fn lines(causes: &[Cause]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for one in causes {
        let line = format!("{}: {}", one.field, one.message);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn body(causes: &[Cause]) -> String {
    let lines = lines(causes);
    match &lines[..] {
        [one] => one.clone(),
        _ => format!("[{}]", lines.join(", ")),
    }
}
