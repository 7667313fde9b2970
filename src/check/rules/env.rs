//! Environment variables and where their values come from.
//! Models pkg/apis/core/validation ValidateEnv and ValidateEnvFrom (v1.36).

use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::rules::resources::amount;
use crate::check::show;
use crate::kube::names;

pub(in crate::check) const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
pub(in crate::check) const VOLUME_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
];
/// Labels the server can convert at all.
const KNOWN_FIELDS: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "spec.hostNetwork",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];
pub(in crate::check) const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const SOURCES: [&str; 5] =
    ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

pub(in crate::check) fn variables(list: &At, r: &mut Report) {
    for one in list.items() {
        let name = one.get("name");
        if r.must(&name, Must::Required) {
            r.must(&name, Must::Name(names::env_name));
        }
        if one.get("valueFrom").here() {
            value_from(&one, r);
        }
    }
}

fn value_from(variable: &At, r: &mut Report) {
    let at = variable.get("valueFrom");
    let mut n_sources = 0;
    for kind in SOURCES {
        let from = at.get(kind);
        if !from.here() {
            continue;
        }
        n_sources += 1;
        match kind {
            "fieldRef" => field_ref(&from, ENV_FIELDS, r),
            "resourceFieldRef" => resource_ref(&from, false, r),
            "fileKeyRef" => {
                r.must(&from.get("volumeName"), Must::Named(names::label));
                if r.must(&from.get("path"), Must::Required) {
                    super::volume::local_path(&from.get("path"), r);
                }
                r.must(&from.get("key"), Must::Named(names::env_name));
            }
            _ => key_ref(&from, r),
        }
    }
    let text = match n_sources {
        0 => {
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
              `secretKeyRef` or `fileKeyRef`"
        }
        _ if !variable.str_of("value").is_empty() => {
            "may not be specified when `value` is not empty"
        }
        1 => return,
        _ => "may not have more than one field specified at a time",
    };
    r.invalid_as(&at, "\"\"", text);
}

fn key_ref(at: &At, r: &mut Report) {
    let name = at.get("name");
    for objection in names::subdomain(name.str()) {
        r.invalid(&name, &objection);
    }
    r.must(&at.get("key"), Must::Named(names::config_key));
}

pub(in crate::check) fn field_ref(at: &At, allowed: &[&str], r: &mut Report) {
    let path = at.get("fieldPath");
    let text = path.str();
    let version = at.str_of("apiVersion");
    if text.is_empty() {
        r.required(&path, "");
        return;
    }
    if !["", "v1"].contains(&version) {
        let text = format!("error converting fieldPath: unsupported pod version: {version}");
        r.invalid(&path, &text);
        return;
    }
    if let Some((field, key)) = text.strip_suffix("']").and_then(|t| t.split_once("['")) {
        match field {
            "metadata.annotations" | "metadata.labels" => {
                for objection in names::qualified(key) {
                    r.invalid_as(at, &show::quote(key), &objection);
                }
            }
            _ => {
                let text = format!(
                    "error converting fieldPath: field label does not support subscript: {text}"
                );
                r.invalid(&path, &text);
            }
        }
    } else if !KNOWN_FIELDS.contains(&text) {
        let text = format!("error converting fieldPath: field label not supported: {text}");
        let fix = super::super::fix::nearest_value(r.text, &path, allowed);
        r.invalid(&path, &text).fixes.extend(fix);
    } else if !allowed.contains(&text) {
        r.unsupported_text(&path, allowed);
    }
}

/// `volume`: in a volume the container has to be named.
pub(in crate::check) fn resource_ref(at: &At, volume: bool, r: &mut Report) {
    if volume && !r.must(&at.get("containerName"), Must::Required) {
        return;
    }
    let resource = at.get("resource");
    let name = resource.str();
    if name.is_empty() {
        r.required(&resource, "");
        return;
    }
    let huge = name.starts_with("requests.hugepages-") || name.starts_with("limits.hugepages-");
    if !huge && !RESOURCES.contains(&name) {
        r.unsupported_text(&resource, RESOURCES);
    }
    divisor(at, name, r);
}

fn divisor(at: &At, resource: &str, r: &mut Report) {
    let worth = amount(&at.get("divisor"));
    if worth.is_zero() {
        return;
    }
    let kind = resource.split_once('.').map_or("", |(_, kind)| kind);
    let (allowed, word): (&str, &str) = match kind {
        "cpu" => ("1m and 1", "cpu"),
        "memory" => (SIZES, "memory"),
        "ephemeral-storage" => (SIZES, "local ephemeral storage"),
        _ if kind.starts_with("hugepages-") => (SIZES, "hugepages"),
        _ => return,
    };
    let good = match kind {
        "cpu" => [1, 1000].contains(&worth.milli()),
        _ => is_size(&worth.to_string()),
    };
    if !good {
        let shown = show::quote(resource);
        let text =
            format!("only divisor's values {allowed} are supported with the {word} resource");
        r.invalid_as(&at.get("divisor"), &shown, &text);
    }
}

const SIZES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";

fn is_size(text: &str) -> bool {
    SIZES.split(", ").any(|size| size == text)
}

/// `envFrom`; the server leaves the index out where no source is named.
pub(in crate::check) fn from(list: &At, r: &mut Report) {
    for one in list.items() {
        r.must(&one.get("prefix"), Must::Name(names::env_name));
        let mut n_sources = 0;
        for kind in ["configMapRef", "secretRef"] {
            let source = one.get(kind);
            if source.here() {
                n_sources += 1;
                r.must(&source.get("name"), Must::Named(names::subdomain));
            }
        }
        let whole = At { span: one.span, ..list.clone() };
        match n_sources {
            0 => {
                let text = "must specify one of: `configMapRef` or `secretRef`";
                r.invalid_as(&whole, "\"\"", text);
            }
            1 => {}
            _ => {
                let text = "may not have more than one field specified at a time";
                r.invalid_as(&whole, "\"\"", text);
            }
        }
    }
}
