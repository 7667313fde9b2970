//! Requests and limits of containers and pods.
//! Models pkg/apis/core/validation ValidateContainerResourceRequirements (v1.36).

use crate::check::cursor::At;
use crate::check::must::NON_NEGATIVE;
use crate::check::report::Report;
use crate::check::{names, show};
use crate::kube::quantity::Quantity;

const STANDARD: &str = "must be a standard resource type or fully qualified";
const FOR_CONTAINERS: &str = "must be a standard resource for containers";
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
const KNOWN: [&str; 22] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
    "count/pods",
    "count/services",
];

/// The amount at a place; text and bare numbers both count.
pub(in crate::check) fn amount(at: &At) -> Quantity {
    let Some(node) = at.node else { return Quantity::ZERO };
    let text = node.as_str().map_or_else(|| show::json(node), str::to_owned);
    Quantity::parse(&text).unwrap_or(Quantity::ZERO)
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

fn may_overcommit(name: &str) -> bool {
    !name.contains('/') && !is_huge_pages(name)
}

/// Objections to a resource name of a container.
/// Models validateContainerResourceName.
pub(in crate::check) fn name_objections(name: &str) -> Vec<String> {
    let mut found = names::qualified(name);
    let good = found.is_empty();
    if !name.contains('/') {
        if good && !KNOWN.contains(&name) && !is_huge_pages(name) {
            found.push(STANDARD.to_owned());
        }
        if !COMPUTE.contains(&name) && !is_huge_pages(name) {
            found.push(FOR_CONTAINERS.to_owned());
        }
    } else if !is_native(name) && !is_extended(name) {
        found.push("doesn't follow extended resource name standard".to_owned());
    }
    found
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

/// `resources` of a container. `bare_pod`: missing requests are taken from the limits first.
pub(in crate::check) fn container(at: &At, bare_pod: bool, r: &mut Report) {
    let (limits, requests) = (at.get("limits"), at.get("requests"));
    let (mut huge, mut base) = (false, false);
    for (entry, value) in limits.entries() {
        one(&entry.key, entry.key_span, &value, r);
        huge |= is_huge_pages(&entry.key);
        base |= entry.key == "cpu" || entry.key == "memory";
    }
    let written = requests.entries();
    for (entry, value) in &written {
        one(&entry.key, entry.key_span, value, r);
        against_limit(&entry.key, value, &requests, &limits, r);
        huge |= is_huge_pages(&entry.key);
        base |= entry.key == "cpu" || entry.key == "memory";
    }
    if bare_pod {
        for (entry, value) in limits.entries() {
            if !written.iter().any(|(e, _)| e.key == entry.key) {
                let path = format!("{}[{}]", requests.path, entry.key);
                one(&entry.key, entry.key_span, &value.called(path), r);
            }
        }
    }
    if huge && !base {
        r.forbidden(at, "HugePages require cpu or memory");
    }
    for claim in at.get("claims").items() {
        let name = claim.get("name");
        if name.str().is_empty() {
            r.required(&name, "");
        } else {
            let shown = name.shown();
            let text = "must be one of the names in pod.spec.resourceClaims which is empty";
            r.field(
                "not-found",
                &At { span: name.span, ..claim.clone() },
                format!("Not found: {shown}: {text}"),
            );
        }
    }
}

fn one(name: &str, key: crate::text::Span, value: &At, r: &mut Report) {
    let at_key = At { span: key, ..value.clone() };
    for objection in name_objections(name) {
        let one = r.invalid_as(&at_key, &show::quote(name), &objection);
        one.code = "bad-resource-name".into();
    }
    let worth = amount(value);
    if worth < Quantity::ZERO {
        r.invalid_as(value, &show::quote(&worth.to_string()), NON_NEGATIVE);
    }
    if is_extended(name) && !worth.is_whole() {
        r.invalid_as(value, &show::quote(&worth.to_string()), "must be an integer");
    }
}

fn against_limit(name: &str, value: &At, requests: &At, limits: &At, r: &mut Report) {
    let request = amount(value);
    let limit = limits.entries().into_iter().find(|(e, _)| e.key == name);
    let whole = At { span: value.span, ..requests.clone() };
    let shown = show::quote(&request.to_string());
    match limit {
        Some((_, limit)) => {
            let limit = amount(&limit);
            if !may_overcommit(name)
                && request.partial_cmp(&limit) != Some(std::cmp::Ordering::Equal)
            {
                let text = format!("must be equal to {name} limit of {limit}");
                r.invalid_as(&whole, &shown, &text);
            } else if request > limit {
                let text = format!("must be less than or equal to {name} limit of {limit}");
                r.invalid_as(&whole, &shown, &text).code = "request-above-limit".into();
            }
        }
        None if !may_overcommit(name) => {
            r.required(limits, "Limit must be set for non overcommitable resources");
        }
        None => {}
    }
}
