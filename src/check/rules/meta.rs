//! `metadata` of every kind, labels and annotations wherever they stand.
//! Models apimachinery pkg/api/validation/objectmeta.go ValidateObjectMeta (v1.36).

use crate::check::cursor::At;
use crate::check::must::{Must, Rule};
use crate::check::report::Report;
use crate::kube::names;

pub(in crate::check) const NOT_STANDARD: &str =
    "name is neither a standard finalizer name nor is it fully qualified";
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// What the server puts behind a `generateName`: five such letters, others each time.
const SUFFIX: &str = "x7k4w";

/// The name that is made of a prefix is looked at as well.
/// Models apiserver pkg/storage/names SimpleNameGenerator.
fn generated(prefix: &At, rule: Rule, r: &mut Report) {
    let start: String = prefix.str().chars().take(63 - SUFFIX.len()).collect();
    let name = format!("{start}{SUFFIX}");
    for objection in rule(&name) {
        let at = prefix.called("metadata.name");
        r.invalid_as(&at, &super::super::show::quote(&name), &objection).code = "bad-name".into();
    }
}

/// Checks the metadata of an object whose name is under `rule`.
pub(in crate::check) fn object(meta: &At, rule: Rule, r: &mut Report) {
    let prefix = meta.get("generateName");
    if !prefix.str().is_empty() {
        for objection in rule(&masked(prefix.str())) {
            r.invalid(&prefix, &objection).code = "bad-name".into();
        }
    }
    let name = meta.get("name");
    if name.str().is_empty() && !prefix.str().is_empty() {
        generated(&prefix, rule, r);
    }
    if name.str().is_empty() && prefix.str().is_empty() {
        r.required(&name, "name or generateName is required")
            .help
            .replace("Every object needs a name: add `name:` under `metadata`.".to_owned());
    } else if !name.str().is_empty() {
        for objection in rule(name.str()) {
            let fix = super::super::fix::lower_name(r.text, &name);
            let one = r.invalid(&name, &objection);
            one.code = "bad-name".into();
            one.fixes.extend(fix);
        }
    }
    let namespace = meta.get("namespace");
    if !namespace.str().is_empty() {
        for objection in names::label(namespace.str()) {
            r.invalid(&namespace, &objection).code = "bad-name".into();
        }
    }
    labels(&meta.get("labels"), r);
    annotations(&meta.get("annotations"), r);
    owners(&meta.get("ownerReferences"), r);
    finalizers(&meta.get("finalizers"), true, r);
    for entry in meta.get("managedFields").items() {
        let (operation, kind) = (entry.get("operation"), entry.get("fieldsType"));
        if !["Apply", "Update"].contains(&operation.str()) {
            r.invalid(&operation, "must be `Apply` or `Update`");
        }
        if !["", "FieldsV1"].contains(&kind.str()) {
            r.invalid(&kind, "must be `FieldsV1`");
        }
    }
}

/// A prefix may end in `-`: the server adds random letters to it.
fn masked(prefix: &str) -> String {
    match prefix.strip_suffix('-') {
        Some(rest) if prefix.len() > 1 => format!("{rest}a"),
        _ => prefix.to_owned(),
    }
}

/// Labels; the server names the map, not the key.
pub(in crate::check) fn labels(at: &At, r: &mut Report) {
    for (entry, value) in at.entries() {
        let key = At { span: entry.key_span, ..value.called(at.path.clone()) };
        for objection in names::qualified(&entry.key) {
            r.invalid_as(&key, &super::super::show::quote(&entry.key), &objection).code =
                "bad-label".into();
        }
        let value = value.called(at.path.clone());
        for objection in names::label_value(value.str()) {
            r.invalid(&value, &objection).code = "bad-label".into();
        }
    }
}

pub(in crate::check) fn annotations(at: &At, r: &mut Report) {
    let mut total = 0;
    for (entry, value) in at.entries() {
        total += entry.key.len() + value.str().len();
        let key = At { span: entry.key_span, ..value.called(at.path.clone()) };
        for objection in names::qualified(&entry.key.to_ascii_lowercase()) {
            r.invalid_as(&key, &super::super::show::quote(&entry.key), &objection).code =
                "bad-label".into();
        }
    }
    if total > ANNOTATIONS_MAX {
        r.too_long(at, ANNOTATIONS_MAX);
    }
}

fn owners(at: &At, r: &mut Report) {
    let mut controllers: Vec<String> = Vec::new();
    for owner in at.items() {
        let owner = owner.called(at.path.clone());
        if owner.get("controller").bool() {
            controllers.push(format!("{}/{}", owner.str_of("kind"), owner.str_of("name")));
        }
        let version = owner.get("apiVersion");
        // What is no group and version reads as none.
        let slashes = version.str().matches('/').count();
        if slashes > 1 || version.str().rsplit('/').next().is_none_or(str::is_empty) {
            r.invalid(&version, "version must not be empty");
        }
        for key in ["kind", "name", "uid"] {
            let field = owner.get(key);
            if field.str().is_empty() {
                r.invalid(&field, "must not be empty");
            }
        }
    }
    let first = controllers.first().cloned().unwrap_or_default();
    for other in controllers.iter().skip(1) {
        let text = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for \
             {first} and {other}"
        );
        r.invalid_as(at, &owners_json(at), &text);
    }
}

/// The references by the names of their JSON, in the order of the server's struct.
fn owners_json(at: &At) -> String {
    let one = |owner: &At<'_>| {
        let text = |key: &str| super::super::show::json_text(owner.str_of(key));
        let mut fields: Vec<String> = ["apiVersion", "kind", "name", "uid"]
            .map(|key| format!("\"{key}\":{}", text(key)))
            .into();
        for key in ["controller", "blockOwnerDeletion"] {
            let at = owner.get(key);
            fields.extend(at.here().then(|| format!("\"{key}\":{}", at.bool())));
        }
        format!("{{{}}}", fields.join(","))
    };
    let all: Vec<String> = at.items().iter().map(one).collect();
    format!("[{}]", all.join(","))
}

pub(in crate::check) fn finalizers(at: &At, indexed: bool, r: &mut Report) {
    const STANDARD: [&str; 4] =
        ["kubernetes", "orphan", "foregroundDeletion", "kubernetes.io/pv-protection"];
    for one in at.items() {
        let named = one.called(at.path.clone());
        r.must(&named, Must::Is(names::qualified));
        if !one.str().contains('/') && !STANDARD.contains(&one.str()) {
            r.invalid(if indexed { &one } else { &named }, NOT_STANDARD);
        }
    }
}
