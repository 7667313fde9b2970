//! What the server refuses when a manifest takes the place of an object that runs already: fields
//! that may not change. Says nothing of the new manifest's own faults.
//!
//! Models the ValidateXUpdate functions of pkg/apis/*/validation (v1.36).

use super::cursor::At;
use super::report::Report;
use super::rules::selector;
use super::show;
use crate::diagnostic::Diagnostic;
use crate::order::Order;
use crate::yaml::{Node, Value};

/// How the server puts it that a field has changed.
#[derive(Clone, Copy)]
enum How {
    /// `Invalid value: NEW: TEXT`
    Shown(&'static str),
    /// `Forbidden: TEXT`
    Forbidden(&'static str),
    /// As `Forbidden`, where the old object was `immutable: true`.
    Sealed,
    /// As `Forbidden`, unless only fields of this list have changed.
    Except(&'static [&'static str], &'static str),
}

const FIELD: How = How::Shown("field is immutable");
const STATEFUL: &[&str] = &[
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];
const STATEFUL_TEXT: &str = "updates to statefulset spec for fields other than 'replicas', \
                             'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', \
                             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are \
                             forbidden";
const POD: &[&str] =
    &["containers", "initContainers", "activeDeadlineSeconds", "tolerations", "schedulingGates"];
const POD_TEXT: &str = "pod updates may not change fields other than \
                        `spec.containers[*].image`,`spec.initContainers[*].image`,\
                        `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                        existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to \
                        be set to 1 if it was previously negative)";
const CLAIM_TEXT: &str = "spec is immutable after creation except resources.requests and \
                          volumeAttributesClassName for bound claims";

/// Kind, field, how a change of it is refused.
const FIXED: [(&str, &str, How); 31] = [
    ("Deployment", "spec.selector", FIELD),
    ("ReplicaSet", "spec.selector", FIELD),
    ("DaemonSet", "spec.selector", FIELD),
    ("StatefulSet", "spec", How::Except(STATEFUL, STATEFUL_TEXT)),
    ("Pod", "spec", How::Except(POD, POD_TEXT)),
    ("Job", "spec.completions", FIELD),
    ("Job", "spec.selector", FIELD),
    ("Job", "spec.template", FIELD),
    ("Job", "spec.completionMode", FIELD),
    ("Job", "spec.podFailurePolicy", FIELD),
    ("Job", "spec.backoffLimitPerIndex", FIELD),
    ("Job", "spec.managedBy", FIELD),
    ("Job", "spec.successPolicy", FIELD),
    ("Service", "spec.loadBalancerClass", How::Shown("may not change once set")),
    ("ConfigMap", "immutable", How::Sealed),
    ("ConfigMap", "data", How::Sealed),
    ("ConfigMap", "binaryData", How::Sealed),
    ("Secret", "type", FIELD),
    ("Secret", "immutable", How::Sealed),
    ("Secret", "data", How::Sealed),
    ("Secret", "stringData", How::Sealed),
    (
        "PersistentVolumeClaim",
        "spec",
        How::Except(&["resources", "volumeAttributesClassName", "volumeName"], CLAIM_TEXT),
    ),
    ("PersistentVolumeClaim", "spec.volumeMode", FIELD),
    ("StorageClass", "parameters", How::Forbidden("updates to parameters are forbidden.")),
    ("StorageClass", "provisioner", How::Forbidden("updates to provisioner are forbidden.")),
    ("StorageClass", "reclaimPolicy", How::Forbidden("updates to reclaimPolicy are forbidden.")),
    ("RoleBinding", "roleRef", How::Shown("cannot change roleRef")),
    ("ClusterRoleBinding", "roleRef", How::Shown("cannot change roleRef")),
    ("PriorityClass", "value", How::Forbidden("may not be changed in an update.")),
    ("RuntimeClass", "handler", FIELD),
    ("IngressClass", "spec.controller", FIELD),
];

/// The refusals of replacing `old` by `new`, two objects of one kind and name; `text` is the new
/// manifest's.
pub fn update(old: &Node, new: &Node, text: &str) -> Vec<Diagnostic> {
    let mut r = Report::new(text);
    let (was, now) = (At::root(old), At::root(new));
    let kind = now.str_of("kind");
    if kind != was.str_of("kind") {
        return r.found;
    }
    for (_, path, how) in FIXED.iter().filter(|(of, ..)| *of == kind) {
        field(&was, &now, path, *how, &mut r);
    }
    match kind {
        "Pod" => containers(&was, &now, &mut r),
        "Service" => address(&was.get("spec"), &now.get("spec"), &mut r),
        _ => {}
    }
    for one in &mut r.found {
        one.code = "immutable-field".into();
        one.help = Some("Delete the object and create it anew, or give the new one a name.".into());
    }
    r.found
}

fn field(was: &At, now: &At, path: &str, how: How, r: &mut Report) {
    let (before, after) = (was.get(path), now.get(path));
    if let How::Except(free, text) = how {
        if others(&before, free) != others(&after, free) {
            r.forbidden(&after, text);
        }
        return;
    }
    // What the server would fill in by itself is no change.
    let generated = path == "spec.selector" && now.str_of("kind") == "Job" && !after.here();
    if canonical(before.node) == canonical(after.node) || generated {
        return;
    }
    match how {
        How::Sealed if was.get("immutable").bool() => {
            r.forbidden(&after, "field is immutable when `immutable` is set");
        }
        How::Sealed | How::Except(..) => {}
        How::Forbidden(text) => drop(r.forbidden(&after, text)),
        How::Shown(text) => {
            let shown = match path {
                "spec.selector" => selector::json(&after),
                _ => after.node.map_or("null".to_owned(), show::json),
            };
            r.invalid_as(&after, &shown, text);
        }
    }
}

/// A value as one text, nulls and empty parts left out: to be compared, not to be read.
fn canonical(node: Option<&Node>) -> String {
    let Some(node) = node else { return String::new() };
    match &node.value {
        Value::Null => String::new(),
        Value::Map(entries) => {
            let mut parts: Vec<String> = entries
                .iter()
                .map(|e| (&e.key, canonical(Some(&e.value))))
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| format!("{key:?}:{value}"))
                .collect();
            parts.order();
            if parts.is_empty() { String::new() } else { format!("{{{}}}", parts.join(",")) }
        }
        Value::Seq(items) if items.is_empty() => String::new(),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(|i| canonical(Some(i))).collect();
            format!("[{}]", items.join(","))
        }
        _ => show::json(node),
    }
}

/// All but the fields that may change.
fn others(at: &At, free: &[&str]) -> Vec<(String, String)> {
    let kept = at.entries().into_iter().filter(|(e, _)| !free.contains(&e.key.as_str()));
    let mut all: Vec<(String, String)> = kept
        .map(|(e, value)| (e.key.clone(), canonical(value.node)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    all.order();
    all
}

/// Containers of a running pod may change their images, nothing else.
fn containers(was: &At, now: &At, r: &mut Report) {
    for list in ["containers", "initContainers"] {
        let (before, after) = (was.get("spec").get(list), now.get("spec").get(list));
        if before.len() != after.len() {
            r.forbidden(&after, "pod updates may not add or remove containers");
            return;
        }
        let changed = before
            .items()
            .iter()
            .zip(after.items())
            .any(|(b, a)| others(b, &["image"]) != others(&a, &["image"]));
        if changed && !r.found.iter().any(|d| d.message.contains(POD_TEXT)) {
            r.forbidden(&now.get("spec"), POD_TEXT);
        }
    }
}

fn address(was: &At, now: &At, r: &mut Report) {
    let (before, after) = (was.get("clusterIP"), now.get("clusterIP"));
    let kept = [was, now].iter().all(|spec| spec.str_of("type") != "ExternalName");
    if kept && !before.str().is_empty() && after.here() && before.str() != after.str() {
        let at = after.called("spec.clusterIPs[0]");
        let shown = format!("[{}]", show::json_text(after.str()));
        r.invalid_as(&at, &shown, "may not change once set");
    }
}
