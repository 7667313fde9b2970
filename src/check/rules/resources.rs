//! Requests and limits of containers and pods.
//! Models pkg/apis/core/validation validateResourceRequirements, validatePodResources (v1.36).

use super::pod::Ctx;
use crate::check::cursor::At;
use crate::check::must::{Must, NON_NEGATIVE};
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use crate::kube::quantity::Quantity;
use crate::order::Order;

const STANDARD: &str = "must be a standard resource type or fully qualified";
const FOR_CONTAINERS: &str = "must be a standard resource for containers";
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// The last nine are counted in whole ones only.
const KNOWN: [&str; 20] = [
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
];

/// The amount at a place of a list of resources, rounded up to thousandths as the server does it.
/// Models SetDefaults_ResourceList.
pub(in crate::check) fn listed(at: &At) -> Quantity {
    amount(at).rounded()
}

pub(in crate::check) fn is_countable(name: &str) -> bool {
    KNOWN[11..].contains(&name)
}

/// Models IsIntegerResourceName.
pub(in crate::check) fn is_counted(name: &str) -> bool {
    is_countable(name) || is_extended(name)
}

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
    is_native(name) && !is_huge_pages(name)
}

/// Objections to any resource name. Models validateResourceName.
pub(in crate::check) fn any_name(name: &str) -> Vec<String> {
    let mut found = names::qualified(name);
    let plain = name.strip_prefix("requests.").unwrap_or(name);
    let known = name.contains('/') || KNOWN.contains(&name) || is_huge_pages(plain);
    if found.is_empty() && !known {
        found.push(STANDARD.to_owned());
    }
    found
}

/// Objections to a resource name of a container.
/// Models validateContainerResourceName.
pub(in crate::check) fn name_objections(name: &str) -> Vec<String> {
    let mut found = any_name(name);
    if !name.contains('/') {
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

pub(in crate::check) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

/// Whose resources they are, which decides on their names.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Container,
    Pod,
}

/// Resources of a pod as a whole.
const POD_LEVEL: [&str; 2] = ["cpu", "memory"];

/// `resources` of a container.
pub(in crate::check) fn container(at: &At, ctx: &Ctx, r: &mut Report) {
    requirements(at, Of::Container, r);
    // Of a pod of its own, missing requests are taken from the limits first.
    let (limits, requests) = (at.get("limits"), at.get("requests"));
    for (entry, value) in limits.entries().iter().filter(|_| ctx.bare) {
        if value_of(&requests, &entry.key).is_none() {
            let path = format!("{}[{}]", requests.path, entry.key);
            one(&entry.key, entry.key_span, &value.called(path), Of::Container, r);
        }
    }
    claims(&at.get("claims"), ctx, r);
}

/// `spec.overhead`, read as the limits of a container.
pub(in crate::check) fn overhead(at: &At, r: &mut Report) {
    let (mut huge, mut base) = (false, false);
    for (entry, value) in at.entries() {
        let path = format!("{}.limits[{}]", at.path, entry.key);
        one(&entry.key, entry.key_span, &value.called(path), Of::Container, r);
        huge |= is_huge_pages(&entry.key);
        base |= POD_LEVEL.contains(&entry.key.as_str());
    }
    if huge && !base {
        r.forbidden(at, "HugePages require cpu or memory");
    }
}

/// `spec.resources`. Models validatePodResources.
pub(in crate::check) fn pod(spec: &At, ctx: &Ctx, r: &mut Report) {
    let at = spec.get("resources");
    if !at.here() {
        return;
    }
    if spec.get("os").str_of("name") == "windows" {
        r.forbidden(&at, "may not be set for a windows pod");
        return;
    }
    let claims = at.get("claims");
    if claims.here() {
        r.forbidden(&claims, "claims may not be set for Resources at pod-level");
    }
    requirements(&at, Of::Pod, r);
    self::claims(&claims, ctx, r);
    let (limits, requests) = (at.get("limits"), at.get("requests"));
    for (name, needed) in aggregated(spec, ctx.bare) {
        if let Some(found) = value_of(&requests, &name).filter(|found| needed > listed(found)) {
            let text = format!(
                "must be greater than or equal to aggregate container requests of {needed}"
            );
            let found = found.called(format!("{}[{name}]", requests.path));
            r.invalid_as(&found, &show::quote(&listed(&found).to_string()), &text);
        }
    }
    for (i, container) in spec.get("containers").items().iter().enumerate() {
        for (entry, limit) in container.get("resources.limits").entries() {
            let Some(most) = value_of(&limits, &entry.key) else { continue };
            let (limit_worth, most) = (listed(&limit), listed(&most));
            if limit_worth > most {
                let path = format!("{}.containers[{i}][{}].limits", at.path, entry.key);
                let text = format!("must be less than or equal to pod limits of {most}");
                let shown = show::quote(&limit_worth.to_string());
                r.invalid_as(&limit.called(path), &shown, &text);
            }
        }
    }
}

/// What all containers together ask for, the greater of running and starting.
/// Models component-helpers AggregateContainerRequests.
pub(in crate::check) fn aggregated(spec: &At, from_limits: bool) -> Vec<(String, Quantity)> {
    let own = |container: &At, name: &str| {
        let resources = container.get("resources");
        let asked = value_of(&resources.get("requests"), name);
        let asked =
            asked.or_else(|| value_of(&resources.get("limits"), name).filter(|_| from_limits));
        asked.map_or(Quantity::ZERO, |at| listed(&at))
    };
    let (apps, inits) = (spec.get("containers").items(), spec.get("initContainers").items());
    let mut named: Vec<String> = Vec::new();
    for container in apps.iter().chain(&inits) {
        for list in ["requests", "limits"].iter().take(1 + usize::from(from_limits)) {
            let entries = container.get("resources").get(list).entries();
            named.extend(entries.iter().map(|(e, _)| e.key.clone()));
        }
    }
    named.order();
    named.dedup();
    let total = |name: &String| {
        let mut running = apps.iter().map(|c| own(c, name)).fold(Quantity::ZERO, |a, b| a + b);
        let (mut sidecars, mut starting) = (Quantity::ZERO, Quantity::ZERO);
        for init in &inits {
            let asked = own(init, name);
            let now = sidecars + asked;
            if init.str_of("restartPolicy") == "Always" {
                running = running + asked;
                sidecars = now;
            }
            starting = if now > starting { now } else { starting };
        }
        if starting > running { starting } else { running }
    };
    named.iter().map(|name| (name.clone(), total(name))).collect()
}

fn value_of<'a>(list: &At<'a>, name: &str) -> Option<At<'a>> {
    list.entries().into_iter().find(|(e, _)| e.key == name).map(|(_, at)| at)
}

fn requirements(at: &At, of: Of, r: &mut Report) {
    let (limits, requests) = (at.get("limits"), at.get("requests"));
    let (mut huge, mut base) = (false, false);
    for list in [&limits, &requests] {
        for (entry, value) in list.entries() {
            one(&entry.key, entry.key_span, &value, of, r);
            if list.path == requests.path {
                against_limit(&entry.key, &value, &requests, &limits, r);
            }
            huge |= is_huge_pages(&entry.key);
            base |= POD_LEVEL.contains(&entry.key.as_str());
        }
    }
    if huge && !base {
        r.forbidden(at, "HugePages require cpu or memory");
    }
}

/// Models validateResourceClaimNames.
fn claims(list: &At, ctx: &Ctx, r: &mut Report) {
    let mut seen: Vec<String> = Vec::new();
    for claim in list.items() {
        let (name, request) = (claim.get("name"), claim.get("request"));
        let claim = At { span: name.span, ..claim.clone() };
        if name.str().is_empty() {
            r.required(&claim, "");
            continue;
        }
        r.must(&request, Must::Name(names::label));
        let key = match request.str() {
            "" => name.str().to_owned(),
            request => format!("{}/{request}", name.str()),
        };
        let whole = request.str().is_empty()
            && seen.iter().any(|s| s.split_once('/').is_some_and(|(of, _)| of == name.str()));
        if seen.iter().any(|s| *s == name.str() || *s == key) || whole {
            r.duplicate_as(&claim, &show::quote(&key));
        }
        seen.push(key);
        if !ctx.claims.contains(&name.str()) {
            let mut known = ctx.claims.clone();
            known.order();
            let known = match known.is_empty() {
                true => " which is empty".to_owned(),
                false => format!(": {}", known.join(", ")),
            };
            let text = format!("must be one of the names in pod.spec.resourceClaims{known}");
            r.field("not-found", &claim, format!("Not found: {}: {text}", name.shown()));
        }
    }
}

fn one(name: &str, key: crate::text::Span, value: &At, of: Of, r: &mut Report) {
    let at_key = At { span: key, ..value.clone() };
    let objections = match of {
        Of::Container => name_objections(name),
        Of::Pod => any_name(name),
    };
    for objection in &objections {
        let one = r.invalid_as(&at_key, &show::quote(name), objection);
        one.code = "bad-resource-name".into();
    }
    if of == Of::Pod && objections.is_empty() && !POD_LEVEL.contains(&name) && !is_huge_pages(name)
    {
        let supported = ["cpu", "hugepages-", "memory"];
        r.unsupported_as(&at_key, &show::quote(name), &supported);
    }
    let worth = listed(value);
    if worth < Quantity::ZERO {
        r.invalid_as(value, &show::quote(&worth.to_string()), NON_NEGATIVE);
    }
    if is_counted(name) && !worth.is_integer() {
        r.invalid_as(value, &show::quote(&worth.to_string()), "must be an integer");
    }
    let page = name.strip_prefix("hugepages-").map(|size| {
        let size = Quantity::parse(size).ok().filter(|size| size.is_integer());
        size.map_or(0, Quantity::value)
    });
    if page.is_some_and(|page| !worth.is_multiple_of(page)) {
        let text = format!("{worth} is not positive integer multiple of {name}");
        r.invalid_as(value, &show::quote(&worth.to_string()), &text);
    }
}

fn against_limit(name: &str, value: &At, requests: &At, limits: &At, r: &mut Report) {
    let request = listed(value);
    let limit = limits.entries().into_iter().find(|(e, _)| e.key == name);
    let whole = At { span: value.span, ..requests.clone() };
    let shown = show::quote(&request.to_string());
    match limit {
        Some((_, limit)) => {
            let limit = listed(&limit);
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
