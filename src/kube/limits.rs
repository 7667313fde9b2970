//! What LimitRanges do to a pod's spec and what a spec counts for under a quota. Functions of
//! objects; nothing here refuses anything.

use super::Origins;
use super::quantity::Quantity;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource;
use std::collections::{BTreeMap, BTreeSet};

pub type Amounts = BTreeMap<String, resource::Quantity>;

/// One item of a LimitRange.
#[derive(Clone, Debug, Default)]
pub struct Range {
    /// `Container`, `Pod`, `PersistentVolumeClaim`.
    pub kind: String,
    max: Amounts,
    min: Amounts,
    default: Amounts,
    default_request: Amounts,
}

/// The items of a LimitRange, with the defaults they have for each other.
// Models pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem (v1.36).
pub fn ranges(origins: &Origins) -> Vec<Range> {
    let n = origins.node("spec.limits").map_or(0, |list| list.items().len());
    let one = |i: usize| {
        let read = |key: &str| origins.read::<Amounts>(&format!("spec.limits[{i}].{key}"));
        let mut range = Range {
            kind: origins.read(&format!("spec.limits[{i}].type")),
            max: read("max"),
            min: read("min"),
            default: read("default"),
            default_request: read("defaultRequest"),
        };
        if range.kind == "Container" {
            fill(&mut range.default, &range.max);
            fill(&mut range.default_request, &range.default);
            fill(&mut range.default_request, &range.min);
        }
        range
    };
    (0..n).map(one).collect()
}

fn fill(into: &mut Amounts, from: &Amounts) {
    for (key, value) in from {
        into.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// Fills a spec in from the ranges of its namespace; what of it is out of their bounds.
// Models plugin/pkg/admission/limitranger PodMutateLimitFunc, PodValidateLimitFunc (v1.36).
pub fn apply(ranges: &[&Range], spec: &mut core::PodSpec) -> Vec<String> {
    let mut wrong = Vec::new();
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        let resources = container.resources.get_or_insert_default();
        for range in ranges.iter().filter(|range| range.kind == "Container") {
            let limits = resources.limits.get_or_insert_default();
            let had = limits.clone();
            fill(limits, &range.default);
            let requests = resources.requests.get_or_insert_default();
            fill(requests, &had);
            fill(requests, &range.default_request);
            bounds(range, limits, requests, &mut wrong);
        }
    }
    wrong
}

fn bounds(range: &Range, limits: &Amounts, requests: &Amounts, wrong: &mut Vec<String>) {
    let amount = |list: &Amounts, name: &str| list.get(name).and_then(Quantity::of);
    let text = |list: &Amounts, name: &str| list.get(name).map_or("", |q| q.0.as_str()).to_owned();
    for (name, least) in &range.min {
        let bound = Quantity::of(least).unwrap_or(Quantity::ZERO);
        let start = format!("minimum {name} usage per Container is {}", least.0);
        match (amount(requests, name), amount(limits, name)) {
            (None, _) => wrong.push(format!("{start}.  No request is specified")),
            (Some(own), _) if own < bound => {
                wrong.push(format!("{start}, but request is {}", text(requests, name)));
            }
            (_, Some(own)) if own < bound => {
                wrong.push(format!("{start}, but limit is {}", text(limits, name)));
            }
            _ => {}
        }
    }
    for (name, most) in &range.max {
        let Some(bound) = Quantity::of(most) else { continue };
        let start = format!("maximum {name} usage per Container is {}", most.0);
        match (amount(limits, name), amount(requests, name)) {
            (None, _) => wrong.push(format!("{start}.  No limit is specified")),
            (Some(own), _) if own > bound => {
                wrong.push(format!("{start}, but limit is {}", text(limits, name)));
            }
            (_, Some(own)) if own > bound => {
                wrong.push(format!("{start}, but request is {}", text(requests, name)));
            }
            _ => {}
        }
    }
}

/// What one list of a container's resources says of `name`; a request that is absent is the limit.
fn own(container: &core::Container, limits: bool, name: &str) -> Option<Quantity> {
    let resources = container.resources.as_ref()?;
    let limit = || resources.limits.as_ref()?.get(name);
    let request = || resources.requests.as_ref()?.get(name);
    let found = if limits { limit() } else { request().or_else(limit) };
    found.and_then(Quantity::of)
}

/// A quota's key as a list and a resource: `limits.cpu` is (true, cpu), `cpu` and `requests.cpu`
/// are (false, cpu); None for what counts no amounts of containers.
fn amounts_of(key: &str) -> Option<(bool, &str)> {
    match key {
        "cpu" | "memory" | "ephemeral-storage" => Some((false, key)),
        _ => match key.split_once('.')? {
            ("requests", name) => Some((false, name)),
            ("limits", name) => Some((true, name)),
            _ => None,
        },
    }
}

/// What a pod counts for under a quota's key; None for a key that counts no pods.
// Models pkg/quota/v1/evaluator/core/pods.go podComputeUsageHelper (v1.36).
pub fn usage(spec: &core::PodSpec, key: &str) -> Option<Quantity> {
    if ["pods", "count/pods"].contains(&key) {
        return Some(Quantity::from_milli(1000));
    }
    let (limits, name) = amounts_of(key)?;
    let of = |one: &core::Container| own(one, limits, name).unwrap_or(Quantity::ZERO);
    let mut running = spec.containers.iter().map(of).fold(Quantity::ZERO, |a, b| a + b);
    let (mut sidecars, mut starting) = (Quantity::ZERO, Quantity::ZERO);
    for init in spec.init_containers.iter().flatten() {
        let now = sidecars + of(init);
        if init.restart_policy.as_deref() == Some("Always") {
            running = running + of(init);
            sidecars = now;
        }
        starting = if now > starting { now } else { starting };
    }
    Some(if starting > running { starting } else { running })
}

/// Where cpu or memory is limited, each container must say what it wants: the missing ones.
// Models pkg/quota/v1/evaluator/core/pods.go Constraints (v1.36).
pub fn unspecified(spec: &core::PodSpec, hard: &Amounts) -> Vec<String> {
    const NEEDED: [&str; 6] =
        ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    let all = || spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut missing = Vec::new();
    for key in NEEDED.iter().filter(|key| hard.contains_key(**key)) {
        let Some((limits, name)) = amounts_of(key) else { continue };
        let lacks = all().filter(|one| own(one, limits, name).is_none());
        let names: BTreeSet<&str> = lacks.map(|one| one.name.as_str()).collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            missing.push(format!("{key} for: {}", names.join(",")));
        }
    }
    missing
}
