//! The verdict: stages as kubectl and kube-apiserver have them, never running anything.
//!
//! `yaml::parse` gives marked trees; `document` takes each through the server's stages: envelope,
//! decoding, field rules, warnings. All stages speak at once here, because a learner wants to see
//! all mistakes; `server` and `kubectl` say what those two would print, who stop at the first
//! stage that fails.

mod admitted;
mod asked;
mod complete;
mod cursor;
mod custom;
mod decode;
mod document;
mod edit;
mod fix;
mod go_types;
mod hazards;
mod hover;
mod known;
pub mod kubectl;
mod lines;
mod links;
mod must;
mod practices;
mod report;
mod review;
mod rules;
pub mod server;
mod show;
mod update;
mod warnings;

use crate::diagnostic::{Diagnostic, POD_REFUSED, Severity};
use crate::kube::{self, Desired, Object};
use crate::order::Order;
use crate::text::Span;
use crate::yaml::{self, Node};
use admitted::Taken;
use known::Known;
use report::Report;
use std::collections::BTreeMap;
use std::sync::Arc;

pub use asked::{complete, hover, links, rename, review};
pub use complete::shape_name;
pub use hover::described;
pub use update::update;

/// Fills in what a first look at a pod does without.
pub fn fill_rules() {
    rules::fill();
    rules::fill_seldom();
    practices::fill();
    custom::fill();
    asked::fill();
    admitted::fill();
}

/// More problems than this help nobody.
const DIAGNOSTICS_MAX: usize = 500;

/// What the text asks for and everything wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub desired: Arc<Desired>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// The objects the server would take: those no error lies in. Pods that the server refuses for
    /// what else is in the cluster are among them: a run refuses them itself, for all to see.
    pub fn accepted(&self) -> Arc<Desired> {
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        let errors = errors.filter(|d| d.code != POD_REFUSED);
        let errors: Vec<Span> = errors.map(|d| d.span).collect();
        if errors.is_empty() {
            return self.desired.clone();
        }
        let broken = |object: &Object| {
            let span = object.origins.root.as_ref().map_or(Span::default(), |root| root.span);
            errors.iter().any(|e| span.start <= e.start && e.start < span.end.max(span.start + 1))
        };
        let objects = self.desired.objects.iter().filter(|o| !broken(o)).cloned().collect();
        Arc::new(Desired { objects })
    }
}

/// Codes and words of the fourth level: code, what it says, why.
pub fn practices() -> impl Iterator<Item = [&'static str; 3]> {
    practices::table().map(|[code, .., what, why]| [code, what, why])
}

/// Checks a manifest of any number of documents; always answers.
pub fn check(text: &str) -> Checked {
    check_with(text, false)
}

/// As `check`, with best practice too if asked for.
pub fn check_with(text: &str, practices: bool) -> Checked {
    let parsed = yaml::parse(text);
    let desired = Arc::new(kube::desired(&parsed));
    let mut diagnostics = parsed.diagnostics;
    let all = objects(&parsed.docs);
    let typed =
        desired.objects.iter().filter_map(|o| Some((o.origins.root.as_ref()?.span.start, o)));
    let typed: BTreeMap<u32, &Object> = typed.collect();
    let mut taken = Taken::default();
    let mut n_before = 0;
    for doc in &parsed.docs {
        let mut found: Vec<Diagnostic> = Vec::new();
        for root in objects(std::slice::from_ref(doc)) {
            let known = Known::at(&all, n_before);
            found.extend(object(root, text, &known, typed.get(&root.span.start), &mut taken));
            n_before += 1;
        }
        if !doc.complete {
            found = sure_of(found, doc, &diagnostics);
        }
        diagnostics.extend(found);
    }
    let mut together = Report::new(text);
    hazards::of(&all, practices, &mut together);
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let mut refused: Vec<(u32, u32)> = errors.map(|d| (d.span.start, d.span.end)).collect();
    refused.order();
    together.found.retain(|one| refused.binary_search(&(one.span.start, one.span.end)).is_err());
    diagnostics.extend(together.found);
    diagnostics.order_by_key(|d| (d.span.start, d.severity));
    diagnostics.dedup();
    diagnostics.truncate(DIAGNOSTICS_MAX);
    Checked { desired, diagnostics }
}

/// The problems of one object in the cluster it comes to.
fn object<'a>(
    root: &Node,
    text: &str,
    known: &Known,
    typed: Option<&&'a Object>,
    taken: &mut Taken<'a>,
) -> Vec<Diagnostic> {
    if let Some(found) = custom::check(root, text) {
        return found;
    }
    let verdict = document::check(root, text, known);
    let mut found = verdict.diagnostics;
    if verdict.kind.is_some_and(|kind| kind.namespaced) {
        found.extend(document::missing_namespace(root, text, known));
    }
    let good = |found: &[Diagnostic]| !found.iter().any(|d| d.severity == Severity::Error);
    if let Some(object) = typed.filter(|_| good(&found)) {
        found.extend(taken.admit(object, known, text));
        if good(&found) {
            taken.push(object);
        }
    }
    found
}

/// Of a document that could not be read to its end, what is certain: what stands before the
/// first thing that could not be read, and is not merely missing.
fn sure_of(found: Vec<Diagnostic>, doc: &yaml::Doc, yaml: &[Diagnostic]) -> Vec<Diagnostic> {
    let inside = |d: &&Diagnostic| doc.span.start <= d.span.start && d.span.end <= doc.span.end;
    let errors = yaml.iter().filter(|d| d.severity == Severity::Error).filter(inside);
    let Some(limit) = errors.map(|d| d.span.start).min() else { return found };
    let missing = |d: &Diagnostic| {
        d.code == "required" || d.code == "volume-not-found" || d.code == "selector-mismatch"
    };
    found.into_iter().filter(|d| d.span.end <= limit && !missing(d)).collect()
}

/// The objects of the documents that could be read, lists unfolded.
fn objects(docs: &[yaml::Doc]) -> Vec<&Node> {
    docs.iter().filter_map(|doc| doc.root.as_ref()).flat_map(unfold).collect()
}

/// kubectl takes a `List` apart.
fn unfold(root: &Node) -> Vec<&Node> {
    let is_list = root.get("kind").and_then(Node::as_str).is_some_and(|k| k.ends_with("List"));
    match root.get("items") {
        Some(items) if is_list => items.items().iter().collect(),
        _ => vec![root],
    }
}
