//! One document on its way: is it an object of a kind the server knows, does it decode, is it
//! valid. Answers all of it at once; who prints for kubectl picks the stage that fails first.

use super::cursor::At;
use super::known::Known;
use super::report::Report;
use super::{decode, fix, rules, show, warnings};
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::kube::schema::{self, Kind};
use crate::text::Span;
use crate::yaml::{Node, Value};

/// What came of one object.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    /// The kind, where the server knows it.
    pub kind: Option<&'static Kind>,
    /// The kind as written.
    pub written: String,
    pub name: String,
    pub namespace: String,
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks the object `root` is.
pub(super) fn check(root: &Node, text: &str, known: &Known) -> Verdict {
    let mut r = Report::new(text);
    let at = At::root(root);
    let meta = at.get("metadata");
    let mut verdict = Verdict {
        kind: None,
        written: at.str_of("kind").to_owned(),
        name: meta.str_of("name").to_owned(),
        namespace: meta.str_of("namespace").to_owned(),
        diagnostics: Vec::new(),
    };
    if envelope(root, &at, &mut r) {
        let (version, kind) = (at.str_of("apiVersion"), at.str_of("kind"));
        verdict.kind = schema::kind(version, kind).filter(|k| k.kind != "List");
        match verdict.kind {
            None => {
                verdict.kind = lower_case_kind(&at, &mut r);
                if verdict.kind.is_none() {
                    unknown_kind(&at, &meta, &mut r);
                }
            }
            Some(kind) => object(root, &at, kind, known, &mut r),
        }
    }
    verdict.diagnostics = r.found;
    verdict
}

/// Nothing is created in a namespace that is not there.
/// Models staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle (v1.36).
pub(super) fn missing_namespace(root: &Node, text: &str, known: &Known) -> Option<Diagnostic> {
    let at = At::root(root).get("metadata.namespace");
    let name = at.str();
    if name.is_empty() || known.has_namespace(name) {
        return None;
    }
    let message = format!("namespaces {} not found", show::quote(name));
    let one = Diagnostic::new(Severity::Error, Stage::Admission, "no-namespace", at.span, message);
    let later = known.comes_later("Namespace", name);
    let mut one = one.at_field(at.path.clone());
    if later.is_none() && crate::kube::names::label(name).is_empty() && !text.starts_with('{') {
        let document = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n---\n");
        one.fixes.push(fix::replace(Span::new(0, 0), &document, "Create the namespace first"));
    }
    one.help = Some(later.unwrap_or_else(|| {
        format!("Create it first: `kubectl create namespace {name}`, or a Namespace above this.")
    }));
    Some(one)
}

fn object(root: &Node, at: &At, kind: &'static Kind, known: &Known, r: &mut Report) {
    let Some(of) = kind.type_name.and_then(schema::by_name) else { return };
    decode::object(root, of, r);
    let n_decode = r.found.len();
    if let Some(rules) = rules::of(kind.kind) {
        if kind.kind == "Pod" {
            rules::admit_pod(at, known, r);
        }
        rules(at, r);
        if !kind.namespaced {
            // The server clears it before it looks.
            r.found.retain(|d| d.stage == Stage::Decode || d.field != "metadata.namespace");
        }
        quiet_followers(r, n_decode);
        if !r.found.iter().any(|d| d.severity == Severity::Error) {
            warnings::of(kind.kind, at, r);
            if kind.kind == "Pod" {
                rules::admit_valid_pod(at, known, r);
            }
        }
    }
}

/// A field that did not decode reads as absent; what its absence causes is not worth saying.
fn quiet_followers(r: &mut Report, n_decode: usize) {
    let poisoned: Vec<String> = r.found[..n_decode].iter().flat_map(meant_field).collect();
    if poisoned.is_empty() {
        return;
    }
    let mut idx = 0;
    r.found.retain(|d| {
        idx += 1;
        let follows = || {
            poisoned.iter().any(|p| {
                d.field.strip_prefix(p.as_str()).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with(['.', '[']) || p.is_empty()
                })
            })
        };
        idx <= n_decode || !follows()
    });
}

/// The field a decoding problem is about, under its right name.
fn meant_field(one: &Diagnostic) -> Option<String> {
    if one.code == "unknown-field" {
        let name = &one.fixes.first()?.edits.first()?.text;
        let parent = one.field.rsplit_once('.').map_or("", |(parent, _)| parent);
        return Some(if parent.is_empty() { name.clone() } else { format!("{parent}.{name}") });
    }
    Some(one.field.clone())
}

/// What kubectl looks at before all else. Models kubectl pkg/validation getObjectKind.
fn envelope(root: &Node, at: &At, r: &mut Report) -> bool {
    if !matches!(root.value, Value::Map(_)) {
        let one = problem("not-an-object", root.span, "invalid object to validate".to_owned());
        r.push(one.with_help(
            "A manifest is a map that begins with `apiVersion:`, `kind:` and `metadata:`.",
        ));
        return false;
    }
    let before = r.found.len();
    for key in ["apiVersion", "kind"] {
        let field = at.get(key);
        match field.node.map(|n| &n.value) {
            Some(Value::Str(_)) => {}
            Some(_) => {
                let one = problem("wrong-type", field.span, format!("{key} isn't string type"));
                r.push(one.at_field(key));
            }
            None => {
                let help = match key {
                    "kind" => "Say what this is: `kind: Pod`, `kind: Deployment`, ...",
                    _ => {
                        "Say in which version of the API it is written: `apiVersion: v1` for a Pod."
                    }
                };
                let missing = format!("{key} not set");
                let mut one = problem("required", field.span, missing).with_help(help);
                one.fixes.extend(envelope_fix(root, at, key, r.text));
                r.push(one.at_field(key));
            }
        }
    }
    let version = at.get("apiVersion");
    if version.str().matches('/').count() > 1 {
        let text = format!("unexpected GroupVersion string: {}", version.str());
        r.push(problem("unknown-version", version.span, text).at_field("apiVersion"));
    }
    r.found.len() == before
}

fn envelope_fix(root: &Node, at: &At, key: &str, text: &str) -> Option<crate::diagnostic::Fix> {
    let known = match key {
        "apiVersion" => {
            let kind = at.str_of("kind");
            schema::kinds().iter().find(|k| k.kind == kind).map(|k| k.api_version)?
        }
        _ => return None,
    };
    // The key may stand there with nothing behind it.
    if let Some(entry) = root.entries().iter().rfind(|entry| entry.key == key) {
        return Some(change(entry.value.span, known)).filter(|_| !text.is_empty());
    }
    let edit = super::edit::prepend(text, root, &[&format!("{key}: {known}")])?;
    let title = format!("Add `{key}: {known}`");
    Some(crate::diagnostic::Fix { title, edits: vec![edit] })
}

fn problem(code: &'static str, span: Span, text: String) -> Diagnostic {
    Diagnostic::new(Severity::Error, Stage::Schema, code, span, text)
}

/// kubectl finds kinds in lower case too; the server then does not.
fn lower_case_kind(at: &At, r: &mut Report) -> Option<&'static Kind> {
    let (version, kind) = (at.str_of("apiVersion"), at.get("kind"));
    let right = schema::kinds()
        .iter()
        .find(|k| k.api_version == version && k.kind.to_ascii_lowercase() == kind.str())?;
    let text = format!(
        "no kind {} is registered for version {} in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
        show::quote(kind.str()),
        show::quote(version)
    );
    let mut one = Diagnostic::new(Severity::Error, Stage::Decode, "unknown-kind", kind.span, text)
        .at_field("kind")
        .with_help(format!("Kinds are written in capitals: `{}`.", right.kind));
    if !r.text.is_empty() {
        one.fixes.push(change(kind.span, right.kind));
    }
    r.push(one);
    Some(right)
}

/// Models kubectl's "resource mapping not found".
fn unknown_kind(at: &At, meta: &At, r: &mut Report) {
    let (version, kind) = (at.get("apiVersion"), at.get("kind"));
    let text = format!(
        "resource mapping not found for name: {} namespace: {} from \"STDIN\": no matches for \
         kind {} in version {}",
        show::quote(meta.str_of("name")),
        show::quote(meta.str_of("namespace")),
        show::quote(kind.str()),
        show::quote(version.str())
    );
    let same: Vec<&Kind> = schema::kinds().iter().filter(|k| k.kind == kind.str()).collect();
    let mut one = problem("unknown-kind", kind.span, text).at_field("kind");
    if let Some(gone) = schema::removed(version.str(), kind.str()) {
        one.code = "removed-version".into();
        one.span = version.span;
        one.help = Some(match gone.successor {
            Some(to) => format!(
                "Kubernetes {} removed {} from `{}`; write `{to}`.",
                gone.since, gone.kind, gone.api_version
            ),
            None => format!("Kubernetes {} removed {} for good.", gone.since, gone.kind),
        });
        one.fixes.extend(gone.successor.map(|to| change(version.span, to)));
    } else if let Some(right) = same.first() {
        one.code = "unknown-version".into();
        one.span = version.span;
        one.help = Some(format!("A {} is of `apiVersion: {}`.", right.kind, right.api_version));
        one.fixes.push(change(version.span, right.api_version));
    } else {
        let kinds: Vec<&str> = schema::kinds().iter().map(|k| k.kind).collect();
        let near = fix::nearest(kind.str(), &kinds);
        one.help = Some(match near {
            Some(name) => format!("There is no kind `{}`; did you mean `{name}`?", kind.str()),
            None => format!(
                "There is no kind `{}` in a plain cluster; others come with the software that \
                 defines them.",
                kind.str()
            ),
        });
        one.fixes.extend(near.map(|name| change(kind.span, name)));
    }
    if r.text.is_empty() {
        one.fixes.clear();
    }
    r.push(one);
}

fn change(span: Span, to: &str) -> crate::diagnostic::Fix {
    // An empty value may stand right after a colon or a tag.
    let gap = if span.start == span.end { " " } else { "" };
    fix::replace(span, &format!("{gap}{to}"), &format!("Change to `{to}`"))
}
