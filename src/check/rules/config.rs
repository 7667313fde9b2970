//! ConfigMaps, Secrets, Namespaces, ServiceAccounts.
//! Models pkg/apis/core/validation ValidateConfigMap, ValidateSecret (v1.36).

use super::meta;
use crate::check::cursor::At;
use crate::check::report::Report;
use crate::check::show;
use crate::diagnostic::Stage;
use crate::kube::names;
use crate::yaml::{base64, json};

const SIZE_MAX: usize = 1_048_576;

pub(in crate::check) fn config_map(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let (text, binary) = (root.get("data"), root.get("binaryData"));
    let others: Vec<&str> = binary.entries().iter().map(|(e, _)| e.key.as_str()).collect();
    let mut size = 0;
    for (entry, value) in text.entries() {
        let at = At { span: entry.key_span, ..value.clone() };
        key(&entry.key, &at, r);
        if others.contains(&entry.key.as_str()) {
            let text = "duplicate of key present in binaryData";
            r.invalid_as(&at, &show::quote(&entry.key), text);
        }
        size += value.str().len();
    }
    for (entry, value) in binary.entries() {
        key(&entry.key, &At { span: entry.key_span, ..value.clone() }, r);
        size += value.str().len() / 4 * 3;
    }
    if size > SIZE_MAX {
        r.too_long(&root.called("[]"), SIZE_MAX);
    }
}

fn key(name: &str, at: &At, r: &mut Report) {
    for objection in names::config_key(name) {
        r.invalid_as(at, &show::quote(name), &objection).code = "bad-name".into();
    }
}

/// Keys each type of Secret has to have.
const TYPED: [(&str, &[&str]); 4] = [
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
];

pub(in crate::check) fn secret(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    meta::object(&meta, names::subdomain, r);
    let data = root.get("data");
    let mut keys: Vec<&str> = Vec::new();
    let mut filled: Vec<&str> = Vec::new();
    let mut size = 0;
    for list in ["data", "stringData"] {
        for (entry, value) in root.get(list).entries() {
            size += value.str().len();
            filled.extend((!value.str().is_empty()).then_some(entry.key.as_str()));
            if !keys.contains(&entry.key.as_str()) {
                keys.push(&entry.key);
                let path = format!("data[{}]", entry.key);
                key(&entry.key, &At { span: entry.key_span, path, ..value.clone() }, r);
            }
        }
    }
    if size > SIZE_MAX {
        r.too_long(&data, SIZE_MAX);
    }
    let kind = root.str_of("type");
    for wanted in TYPED.iter().filter(|(t, _)| *t == kind).flat_map(|(_, keys)| *keys) {
        let of = if *wanted == "ssh-privatekey" { &filled } else { &keys };
        if !of.contains(wanted) {
            r.required(&data.plus(&format!("[{wanted}]")), "");
        } else if wanted.starts_with(".docker") {
            docker_config(root, wanted, r);
        }
    }
    let login = ["username", "password"];
    if kind == "kubernetes.io/basic-auth" && !login.iter().any(|k| keys.contains(k)) {
        for wanted in login {
            r.required(&data.plus(&format!("[{wanted}]")), "");
        }
    }
    let account = "kubernetes.io/service-account.name";
    if kind == "kubernetes.io/service-account-token" {
        let notes = meta.get("annotations");
        if !notes.entries().iter().any(|(e, v)| e.key == account && !v.str().is_empty()) {
            r.required(&notes.plus(&format!("[{account}]")), "");
        }
    }
}

/// What a registry login holds has to be a JSON object.
fn docker_config(root: &At, key: &str, r: &mut Report) {
    let found = |list: &str| root.get(list).entries().into_iter().find(|(e, _)| e.key == key);
    let plain = found("stringData").map(|(_, at)| (at.str().as_bytes().to_vec(), at));
    let coded = || found("data").map(|(_, at)| (base64::decode(at.str()).unwrap_or_default(), at));
    let Some((bytes, at)) = plain.or_else(coded) else { return };
    if let Some(text) = json::object_objection(&String::from_utf8_lossy(&bytes)) {
        let at = at.called(format!("data[{key}]"));
        r.invalid_as(&at, "\"<secret contents redacted>\"", &text);
    }
}

const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];

pub(in crate::check) fn namespace(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    meta::object(&meta, names::label, r);
    let name = meta.get("name");
    // The server labels the namespace with its own name.
    let own = name.called("metadata.labels");
    for objection in names::label_value(name.str()) {
        r.invalid(&own, &objection);
    }
    meta::finalizers(&root.get("spec.finalizers"), false, r);
    if r.found.iter().any(|d| d.stage == Stage::Validation) {
        // Pod security is looked at last, and only in objects that are valid so far.
        return;
    }
    for (entry, value) in meta.get("labels").entries() {
        let Some(mode) = entry.key.strip_prefix("pod-security.kubernetes.io/") else { continue };
        match mode {
            "enforce" | "audit" | "warn" if !LEVELS.contains(&value.str()) => {
                r.invalid(&value, "must be one of privileged, baseline, restricted");
            }
            "enforce-version" | "audit-version" | "warn-version" => {
                let minor = value.str().strip_prefix("v1.");
                let good = value.str() == "latest"
                    || minor
                        .is_some_and(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_digit()));
                if !good {
                    r.invalid(&value, "must be \"latest\" or \"v1.x\"");
                }
            }
            _ => {}
        }
    }
}

pub(in crate::check) fn service_account(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
}
