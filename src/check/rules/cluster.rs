//! Small kinds of the cluster, and the two forerunners of workloads.
//! Models pkg/apis/{scheduling,node,networking,core}/validation (v1.36).

use super::volume::Volumes;
use super::{affinity, meta, pod, resources, selector, workload};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;

const SYSTEM: [(&str, i64); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
const USER_MAX: i64 = 1_000_000_000;

/// Kinds of which only the name is looked at.
pub(in crate::check) fn named(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
}

pub(in crate::check) fn priority_class(root: &At, r: &mut Report) {
    named(root, r);
    let (name, value) = (root.get("metadata.name"), root.get("value"));
    if name.str().starts_with("system-") {
        let known = SYSTEM.iter().find(|(known, _)| *known == name.str());
        let why = match known {
            None => format!("{} is not a known system priority class", name.str()),
            Some((_, worth)) if value.int() != Some(*worth) => {
                format!("value of {} PriorityClass must be {worth}", name.str())
            }
            Some(_) if root.get("globalDefault").bool() => {
                format!("globalDefault of {} PriorityClass must be false", name.str())
            }
            Some(_) => return,
        };
        let text = "priority class names with 'system-' prefix are reserved for system use only";
        r.forbidden(&name, &format!("{text}. error: {why}"));
    } else if value.int().is_some_and(|n| n > USER_MAX) {
        let text = format!("maximum allowed value of a user defined priority is {USER_MAX}");
        r.forbidden(&value, &text);
    }
    let policy = root.get("preemptionPolicy");
    if policy.here() && policy.str().is_empty() {
        r.required(&policy, "");
    }
    r.must(&policy, Must::OneOf(&["PreemptLowerPriority", "Never"]));
}

pub(in crate::check) fn runtime_class(root: &At, r: &mut Report) {
    named(root, r);
    // This kind's finalizers may be any qualified names.
    r.found.retain(|one| !one.message.ends_with(meta::NOT_STANDARD));
    r.must(&root.get("handler"), Must::Named(names::label));
    resources::overhead(&root.get("overhead.podFixed").called("overhead"), r);
    let scheduling = root.get("scheduling");
    meta::labels(&scheduling.get("nodeSelector"), r);
    affinity::own_tolerations(&scheduling.get("tolerations"), r);
}

/// `acme.io/foo`; the server shows the part it objects to. Models IsDomainPrefixedPath.
pub(in crate::check) fn domain_path(at: &At, r: &mut Report) {
    if at.str().is_empty() {
        r.required(at, "");
        return;
    }
    let host = at.str().split_once('/').filter(|(host, path)| !host.is_empty() && !path.is_empty());
    for objection in names::domain_path(at.str()) {
        r.invalid_as(at, &show::quote(host.map_or(at.str(), |(host, _)| host)), &objection);
    }
}

pub(in crate::check) fn ingress_class(root: &At, r: &mut Report) {
    named(root, r);
    let spec = root.get("spec");
    let controller = spec.get("controller");
    if controller.str().len() > 250 {
        r.too_long(&controller, 250);
    }
    domain_path(&controller, r);
    let at = spec.get("parameters");
    if !at.here() {
        return;
    }
    if at.get("apiGroup").here() {
        r.must(&at.get("apiGroup"), Must::Is(names::subdomain));
    }
    let segment = Must::Named(names::path_segment);
    r.all(&at, &[("kind", segment), ("name", segment)]);
    let (scope, space) = (at.get("scope"), at.get("namespace"));
    let scopes = ["Cluster", "Namespace"];
    if scope.here() && !scopes.contains(&scope.str()) {
        r.unsupported_text(&scope, &scopes);
    }
    match (scope.str(), space.here()) {
        ("Namespace", false) => {
            r.required(&space, "`parameters.scope` is set to 'Namespace'");
        }
        ("Namespace", true) => drop(r.must(&space, Must::Is(names::label))),
        // The server fills in an absent scope as Cluster.
        ("Cluster" | "", true) if scope.str() == "Cluster" || !scope.here() => {
            r.forbidden(&space, "`parameters.scope` is set to 'Cluster'");
        }
        _ => {}
    }
}

pub(in crate::check) fn pod_template(root: &At, r: &mut Report) {
    named(root, r);
    pod::template(&root.get("template"), Volumes::new(), r);
}

pub(in crate::check) fn replication_controller(root: &At, r: &mut Report) {
    named(root, r);
    let spec = root.get("spec");
    if root.get("metadata.labels").len() == 0 {
        let labels = spec.get("template.metadata.labels");
        meta::labels(&labels.called("metadata.labels"), r);
    }
    r.must(&spec.get("minReadySeconds"), Must::NonNegative);
    let (chosen, template) = (spec.get("selector"), spec.get("template"));
    let labels = template.get("metadata.labels");
    // The server fills in an absent selector from the template's labels.
    if chosen.len() + labels.len() == 0 {
        r.required(&chosen, "");
    }
    r.must(&spec.get("replicas"), Must::NonNegative);
    if !template.here() {
        r.required(&template, "");
        return;
    }
    if chosen.len() > 0 && !selector::matches_labels(&chosen, &labels) {
        let shown = labels.node.map_or("null".to_owned(), show::text_map);
        r.invalid_as(&labels, &shown, workload::MISMATCH).code = "selector-mismatch".into();
    }
    pod::template(&template, Volumes::new(), r);
    workload::always(&spec, "ReplicationController", r);
}
