//! What `kubectl create --dry-run=server --validate=strict -f -` prints.
//! Models kubectl pkg/cmd/create and cli-runtime pkg/resource StreamVisitor (v1.36).

use super::document::{self, Verdict};
use super::known::Known;
use super::server::{self, Answer};
use super::unfold;
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::yaml::{self, Doc, Entry, Node, Parsed, Value};
use std::fmt::Write;

/// What a command printed, and its exit status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Namespaces each cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];
const TURN_OFF: &str =
    "if you choose to ignore these errors, turn validation off with --validate=false";

/// An error of one document: in kubectl's own words, or the server's answer.
enum Failure {
    Own(String),
    Server { verdict: Verdict, answer: Answer },
}

pub fn create(text: &str) -> Printed {
    let mut printed = Printed::default();
    let mut failures = Vec::new();
    let mut n_objects = 0;
    let parsed = yaml::parse(text);
    for doc in &parsed.docs {
        if let Some(broken) = broken(&parsed, doc) {
            failures.push(Failure::Own(format!("error parsing STDIN: {}", broken.message)));
            break;
        }
        let Some(root) = doc.root.as_ref().filter(|n| !n.is_null()) else { continue };
        let mut stop = false;
        for root in unfold(root) {
            n_objects += 1;
            let done = one(&as_sent(root), &mut printed);
            stop |=
                matches!(&done, Some(Failure::Own(text)) if text.starts_with("error validating"));
            failures.extend(done);
        }
        if stop {
            break;
        }
    }
    if failures.is_empty() && n_objects == 0 {
        failures.push(Failure::Own("no objects passed to create".to_owned()));
    }
    print_failures(&failures, &mut printed);
    printed
}

/// The YAML error that keeps kubectl from reading `doc`; a bad `---` line comes first, and spoils
/// the document before it.
fn broken<'a>(parsed: &'a Parsed, doc: &Doc) -> Option<&'a Diagnostic> {
    let last = parsed.docs.last().is_some_and(|last| last.span == doc.span);
    let errors = || parsed.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let separator = |d: &&Diagnostic| d.code == "yaml-separator" && d.span.start <= doc.span.end;
    let inside = |d: &&Diagnostic| {
        let at = d.span.start;
        doc.span.start <= at && at < doc.span.end || last && at == doc.span.end
    };
    errors().find(separator).or_else(|| errors().find(inside))
}

/// kubectl sends JSON: keys in order, each once.
fn as_sent(node: &Node) -> Node {
    let value = match &node.value {
        Value::Seq(items) => Value::Seq(items.iter().map(as_sent).collect()),
        Value::Map(entries) => {
            let mut sorted: std::collections::BTreeMap<&str, &Entry> = Default::default();
            for entry in entries {
                sorted.insert(&entry.key, entry);
            }
            let sent = |e: &&Entry| Entry { value: as_sent(&e.value), ..(*e).clone() };
            Value::Map(sorted.values().map(sent).collect())
        }
        other => other.clone(),
    };
    Node { span: node.span, value }
}

/// One object's way; None where it was created.
fn one(root: &Node, printed: &mut Printed) -> Option<Failure> {
    let verdict = document::check(root, "", &Known::default());
    if let Some(own) = before_sending(&verdict) {
        return Some(Failure::Own(own));
    }
    let namespace = verdict.namespace.as_str();
    let namespaced = verdict.kind.is_some_and(|k| k.namespaced);
    let answer = if namespaced && !namespace.is_empty() && !NAMESPACES.contains(&namespace) {
        Answer {
            code: 404,
            reason: "NotFound",
            message: format!("namespaces {namespace:?} not found"),
            causes: Vec::new(),
            warnings: Vec::new(),
        }
    } else {
        server::of(&verdict)
    };
    if answer.code >= 300 {
        return Some(Failure::Server { verdict, answer });
    }
    for warning in &answer.warnings {
        let _ = writeln!(printed.stderr, "Warning: {warning}");
    }
    let kind = verdict.kind.map_or(String::new(), |k| server::group_kind(k).to_ascii_lowercase());
    let _ = writeln!(printed.stdout, "{kind}/{} created (server dry run)", verdict.name);
    None
}

/// What kubectl refuses by itself: no kind, none it knows, metadata it cannot read.
fn before_sending(verdict: &Verdict) -> Option<String> {
    let errors = |stage: Stage| {
        let all = verdict.diagnostics.iter();
        all.filter(move |d| d.severity == Severity::Error && d.stage == stage)
    };
    let schema: Vec<&str> = errors(Stage::Schema).map(|d| d.message.as_str()).collect();
    if let Some(first) = schema.first() {
        if first.starts_with("resource mapping") {
            return Some(format!("{first}\nensure CRDs are installed first"));
        }
        let all = match schema[..] {
            [one] => one.to_owned(),
            _ => format!("[{}]", schema.join(", ")),
        };
        return Some(format!(
            "error validating \"STDIN\": error validating data: {all}; {TURN_OFF}"
        ));
    }
    let wrong = errors(Stage::Decode).find(|d| {
        d.code != "unknown-field" && (d.field == "metadata" || d.field.starts_with("metadata."))
    })?;
    let kind = verdict.kind.map_or("", |k| k.kind);
    let text = wrong
        .message
        .replace(&format!("field {kind}.metadata "), "field metadataOnlyObject.metadata ");
    Some(format!("unable to decode \"STDIN\": {text}"))
}

/// What is printed of one object that is not taken.
pub(super) fn refused(verdict: &Verdict) -> String {
    if let Some(own) = before_sending(verdict) {
        return format!("error: {own}");
    }
    let answer = server::of(verdict);
    match answer.code {
        422 => alone_invalid(verdict, &answer),
        _ => format!("Error from server ({}): {}", answer.reason, answer.message),
    }
}

fn print_failures(failures: &[Failure], printed: &mut Printed) {
    let alone = failures.len() == 1;
    for failure in failures {
        printed.exit = 1;
        let text = match failure {
            Failure::Own(text) if alone => format!("error: {text}"),
            Failure::Own(text) => text.clone(),
            Failure::Server { verdict, answer } if alone && answer.code == 422 => {
                alone_invalid(verdict, answer)
            }
            Failure::Server { answer, .. } => format!(
                "Error from server ({}): error when creating \"STDIN\": {}",
                answer.reason, answer.message
            ),
        };
        printed.stderr.push_str(&text);
        printed.stderr.push('\n');
    }
}

fn alone_invalid(verdict: &Verdict, answer: &Answer) -> String {
    let kind = verdict.kind.map_or("", |k| k.kind);
    let lines = server::lines(&answer.causes);
    let head = format!("The {kind} {:?} is invalid: ", verdict.name);
    match &lines[..] {
        [one] => format!("{head}{one}"),
        _ => format!("{head}\n* {}", lines.join("\n* ")),
    }
}
