//! Ingresses.
//! Models pkg/apis/networking/validation ValidateIngressCreate (v1.36).

use super::{meta, net};
use crate::check::cursor::At;
use crate::check::must::{Must, PORT};
use crate::check::report::Report;
use crate::kube::names;

const PATH_TYPES: &[&str] = &["Exact", "ImplementationSpecific", "Prefix"];

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    meta::object(&meta, names::subdomain, r);
    let spec = root.get("spec");
    let note = meta.get("annotations").entries();
    let note = note.iter().find(|(e, _)| e.key == "kubernetes.io/ingress.class");
    let class = spec.get("ingressClassName");
    if let Some((_, note)) = note
        && class.here()
        && note.str() != class.str()
    {
        let at = note.called("annotations.kubernetes.io/ingress.class");
        r.invalid(&at, "must match `ingressClassName` when both are specified");
    }
    let (default, rules) = (spec.get("defaultBackend"), spec.get("rules"));
    if rules.len() == 0 && !default.here() {
        let text = "either `defaultBackend` or `rules` must be specified";
        let shown = rules.node.map_or("null".to_owned(), crate::check::show::json);
        r.invalid_as(&spec, &shown, text);
    }
    if default.here() {
        backend(&default, r);
    }
    for rule in rules.items() {
        one_rule(&rule, r);
    }
    for tls in spec.get("tls").items() {
        for host in tls.get("hosts").items() {
            if host.str().contains('*') {
                r.must(&host, Must::Name(names::wildcard));
            } else {
                for objection in names::subdomain(host.str()) {
                    r.invalid(&host, &objection);
                }
            }
        }
        r.must(&tls.get("secretName"), Must::Name(names::subdomain));
    }
    if class.here() {
        for objection in names::subdomain(class.str()) {
            r.invalid(&class, &objection);
        }
    }
}

fn one_rule(rule: &At, r: &mut Report) {
    let host = rule.get("host");
    if !host.str().is_empty() {
        if net::is_address(host.str()) {
            r.invalid(&host, "must be a DNS name, not an IP address");
        }
        if host.str().contains('*') {
            r.must(&host, Must::Name(names::wildcard));
        } else {
            r.must(&host, Must::Name(names::subdomain));
        }
    }
    let http = rule.get("http");
    if !http.here() {
        return;
    }
    let paths = http.get("paths");
    if paths.len() == 0 {
        r.required(&paths, "");
    }
    for one in paths.items() {
        path(&one, r);
    }
}

fn path(one: &At, r: &mut Report) {
    let kind = one.get("pathType");
    if !kind.here() {
        r.required(&kind, "pathType must be specified").help =
            Some("Say how the path is compared: `Prefix` suits most.".to_owned());
        return;
    }
    let at = one.get("path");
    match kind.str() {
        "Exact" | "Prefix" => {
            if at.str().starts_with('/') {
                path_parts(&at, r);
            } else {
                r.invalid(&at, "must be an absolute path");
            }
        }
        "ImplementationSpecific" => {
            if !at.str().is_empty() && !at.str().starts_with('/') {
                r.invalid(&at, "must be an absolute path");
            }
        }
        _ => drop(r.unsupported(&kind, PATH_TYPES)),
    }
    backend(&one.get("backend"), r);
}

fn path_parts(at: &At, r: &mut Report) {
    for part in ["//", "/./", "/../", "%2f", "%2F"] {
        if at.str().contains(part) {
            r.invalid(at, &format!("must not contain '{part}'"));
        }
    }
    for end in ["/..", "/."] {
        if at.str().ends_with(end) {
            r.invalid(at, &format!("cannot end with '{end}'"));
        }
    }
}

fn backend(at: &At, r: &mut Report) {
    let (service, resource) = (at.get("service"), at.get("resource"));
    match (service.here(), resource.here()) {
        (true, true) => {
            r.invalid_as(at, "\"\"", "cannot set both resource and service backends");
        }
        (false, true) => {
            if resource.get("apiGroup").here() {
                r.must(&resource.get("apiGroup"), Must::Is(names::subdomain));
            }
            let segment = Must::Named(names::path_segment);
            r.all(&resource, &[("kind", segment), ("name", segment)]);
        }
        (true, false) => service_backend(at, &service, r),
        (false, false) => {
            r.invalid_as(at, "\"\"", "resource or service backend is required");
        }
    }
}

fn service_backend(at: &At, service: &At, r: &mut Report) {
    r.must(&service.get("name"), Must::Named(names::label));
    let (name, number) = (service.get("port.name"), service.get("port.number"));
    let n = number.int().unwrap_or(0);
    if !name.str().is_empty() && n != 0 {
        r.invalid_as(at, "\"\"", "cannot set both port name & port number");
    } else if !name.str().is_empty() {
        r.must(&name, Must::Name(names::port_name));
    } else if n != 0 {
        r.must(&number, Must::Between(1, 65535, PORT));
    } else {
        r.required(at, "port name or number is required");
    }
}
