//! The server's verdict over a manifest that is applied to objects already there: which of its
//! objects it takes, and what it says to the others, as `kubectl apply` prints it.

use super::document::{self, Verdict};
use super::known::Known;
use super::{kubectl, server, update};
use crate::diagnostic::Severity;
use crate::kube::{self, Desired, Object, Origins};
use crate::yaml;

/// Judges the objects of a text; `live` gives one of that kind and name as it was applied last.
pub(super) fn review(
    text: &str,
    live: &dyn Fn(&Object) -> Option<Origins>,
) -> (Desired, Vec<String>) {
    let parsed = yaml::parse(text);
    let broken = parsed.diagnostics.iter().find(|d| d.severity == Severity::Error);
    let mut said: Vec<String> = broken
        .map(|d| format!("error: error parsing the manifest: {}", d.message))
        .into_iter()
        .collect();
    let mut desired = kube::desired(&parsed);
    desired.objects.retain(|object| match refusal(object, text, live) {
        Some(why) => {
            said.push(why);
            false
        }
        None => true,
    });
    (desired, said)
}

fn refusal(
    object: &Object,
    text: &str,
    live: &dyn Fn(&Object) -> Option<Origins>,
) -> Option<String> {
    let root = object.origins.root.as_deref()?;
    let mut verdict = document::check(root, text, &Known::trusting());
    let old = live(object).and_then(|old| old.root);
    if old.is_some() {
        // What only new pods are asked: pkg/apis/core/validation ValidatePodCreate.
        verdict.diagnostics.retain(|one| !one.message.ends_with("cannot be set on create"));
    }
    let wrong = |verdict: &Verdict| server::of(verdict).code >= 300;
    if !wrong(&verdict)
        && let Some(old) = old
    {
        verdict.diagnostics.extend(update(&old, root, text));
    }
    wrong(&verdict).then(|| kubectl::refused(&verdict))
}
