//! Probes and lifecycle hooks: what they call, and how often.
//! Models pkg/apis/core/validation validateHandler, validateProbe, validateLifecycle (v1.36).

use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::kube::names;

const HANDLERS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// `grace`: the pod's termination grace period, which bounds a `sleep`.
fn handler(at: &At, grace: i64, r: &mut Report) {
    let mut n_seen = 0;
    for kind in HANDLERS {
        let one = at.get(kind);
        if !one.here() {
            continue;
        }
        n_seen += 1;
        if n_seen > 1 {
            r.forbidden(&one, "may not specify more than 1 handler type").code =
                "two-handlers".into();
            continue;
        }
        match kind {
            "exec" => drop(r.must(&one.get("command"), Must::Required)),
            "httpGet" => http(&one, r),
            "tcpSocket" => drop(r.must(&one.get("port"), Must::PortOrName)),
            "grpc" => drop(r.must(&one.get("port"), Must::PortOrName)),
            _ => sleep(&one, grace, r),
        }
    }
    if n_seen == 0 {
        r.required(at, "must specify a handler type").help =
            Some("Say what to call: `exec`, `httpGet`, `tcpSocket` or `grpc`.".to_owned());
    }
}

fn http(at: &At, r: &mut Report) {
    r.must(&at.get("port"), Must::PortOrName);
    r.must(&at.get("scheme"), Must::OneOf(&["HTTP", "HTTPS"]));
    let headers = at.get("httpHeaders");
    for header in headers.items() {
        let name = header.get("name").called(headers.path.clone());
        for objection in names::http_header(name.str()) {
            r.invalid(&name, &objection);
        }
    }
}

fn sleep(at: &At, grace: i64, r: &mut Report) {
    let seconds = at.get("seconds").int().unwrap_or(0);
    if seconds < 0 || seconds > grace {
        let text =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
        r.invalid_as(at, &seconds.to_string(), &text);
    }
}

#[derive(Clone, Copy, PartialEq)]
pub(in crate::check) enum Probe {
    Liveness,
    Readiness,
    Startup,
}

fn probe(at: &At, kind: Probe, grace: i64, r: &mut Report) {
    if !at.here() {
        return;
    }
    handler(at, grace, r);
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        r.must(&at.get(key), Must::NonNegative);
    }
    let own = at.get("terminationGracePeriodSeconds");
    if own.int().is_some_and(|s| s <= 0) {
        r.invalid(&own, "must be greater than 0");
    }
    if kind == Probe::Readiness {
        if own.here() {
            r.invalid(&own, "must not be set for readinessProbes");
        }
        return;
    }
    let threshold = at.get("successThreshold");
    if !matches!(threshold.int(), None | Some(0 | 1)) {
        r.invalid(&threshold, "must be 1").help =
            Some("Only a readiness probe may ask for several successes in a row.".to_owned());
    }
}

/// Lifecycle and probes of a container that may have them, in the server's order.
pub(in crate::check) fn all(container: &At, grace: i64, r: &mut Report) {
    let lifecycle = container.get("lifecycle");
    for hook in ["postStart", "preStop"] {
        let hook = lifecycle.get(hook);
        if hook.here() {
            handler(&hook, grace, r);
        }
    }
    probe(&container.get("livenessProbe"), Probe::Liveness, grace, r);
    probe(&container.get("readinessProbe"), Probe::Readiness, grace, r);
    probe(&container.get("startupProbe"), Probe::Startup, grace, r);
}
