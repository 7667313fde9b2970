//! Whether a node takes a pod: the scheduler's filters in their order and words. Only judges.

use super::node::{Node, amount_of};
use super::preemption::priority;
use super::spread;
use crate::sim::model::{Container, Pod};
use crate::sim::world::State;
use crate::trace::Role;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeSet;

/// Why a node does not take a pod.
pub(crate) struct Refusal {
    pub(crate) reasons: Vec<String>,
    /// Whether the node might take it once other pods are gone.
    pub(crate) might: bool,
}

fn refusal(reason: &str, might: bool) -> Option<Refusal> {
    Some(Refusal { reasons: vec![reason.to_owned()], might })
}

/// The reasons of the first filter that refuses.
// Models pkg/scheduler/framework/runtime RunFilterPlugins in the default order (v1.36).
pub(crate) fn refuses(state: &State, pod: &Pod, node: &Node) -> Option<Refusal> {
    let daemon = pod.owner.as_ref().is_some_and(|o| o.kind == "DaemonSet");
    elsewhere(pod, node)
        .or_else(|| admits(&pod.template.spec, daemon, node))
        .or_else(|| ports(state, pod, node))
        .or_else(|| resources(state, pod, node))
        .or_else(|| spread::constraints(state, pod, node))
        .or_else(|| spread::affinity(state, pod, node))
}

/// A DaemonSet's pod is for one node.
fn elsewhere(pod: &Pod, node: &Node) -> Option<Refusal> {
    pod.target.as_ref().filter(|target| **target != node.name)?;
    refusal("node(s) didn't satisfy plugin(s) [NodeAffinity]", false)
}

/// The filters that look at the node alone, as DaemonSets use them too.
pub(crate) fn admits(spec: &core::PodSpec, daemon: bool, node: &Node) -> Option<Refusal> {
    let cordon = taint("node.kubernetes.io/unschedulable", "NoSchedule");
    if node.unschedulable && !tolerates(spec, daemon, &cordon) {
        return refusal("node(s) were unschedulable", false);
    }
    let hard = |t: &&core::Taint| matches!(t.effect.as_str(), "NoSchedule" | "NoExecute");
    if node.taints.iter().filter(hard).any(|taint| !tolerates(spec, daemon, taint)) {
        return refusal("node(s) had untolerated taint(s)", false);
    }
    if !wants(spec, node) {
        return refusal("node(s) didn't match Pod's node affinity/selector", false);
    }
    None
}

fn taint(key: &str, effect: &str) -> core::Taint {
    let (key, effect) = (key.to_owned(), effect.to_owned());
    core::Taint { key, effect, ..core::Taint::default() }
}

// Models staging/src/k8s.io/component-helpers/scheduling/corev1 ToleratesTaint (v1.36).
pub(crate) fn tolerates(spec: &core::PodSpec, daemon: bool, taint: &core::Taint) -> bool {
    // What the DaemonSet controller adds to its pods.
    if daemon && taint.key.starts_with("node.kubernetes.io/") {
        return true;
    }
    spec.tolerations.iter().flatten().any(|one| {
        let key = one.key.as_deref().unwrap_or("");
        let effect = one.effect.as_deref().unwrap_or("");
        let value = match one.operator.as_deref() {
            Some("Exists") => true,
            _ => one.value.as_deref().unwrap_or("") == taint.value.as_deref().unwrap_or(""),
        };
        (effect.is_empty() || effect == taint.effect)
            && (key == taint.key || (key.is_empty() && one.operator.as_deref() == Some("Exists")))
            && value
    })
}

/// Node selector and required node affinity.
// Models staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity (v1.36).
pub(crate) fn wants(spec: &core::PodSpec, node: &Node) -> bool {
    let mut pairs = spec.node_selector.iter().flatten();
    let chosen = pairs.all(|(key, value)| node.labels.get(key) == Some(value));
    let affinity = spec.affinity.as_ref().and_then(|a| a.node_affinity.as_ref());
    let required =
        affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_ref());
    chosen && required.is_none_or(|r| r.node_selector_terms.iter().any(|term| meets(term, node)))
}

fn meets(term: &core::NodeSelectorTerm, node: &Node) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    let label = |one: &core::NodeSelectorRequirement| node.labels.get(&one.key).cloned();
    let field = |one: &core::NodeSelectorRequirement| {
        (one.key == "metadata.name").then(|| node.name.clone())
    };
    // A term without requirements selects nothing.
    !(expressions.is_empty() && fields.is_empty())
        && expressions.iter().all(|one| holds(one, label(one)))
        && fields.iter().all(|one| holds(one, field(one)))
}

fn holds(one: &core::NodeSelectorRequirement, value: Option<String>) -> bool {
    let values = one.values.as_deref().unwrap_or_default();
    let listed = || value.as_ref().is_some_and(|value| values.contains(value));
    let number = |text: Option<&String>| text.and_then(|t| t.parse::<i64>().ok());
    let pair = || number(value.as_ref()).zip(number(values.first()));
    match one.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => pair().is_some_and(|(own, wanted)| own > wanted),
        "Lt" => pair().is_some_and(|(own, wanted)| own < wanted),
        _ => false,
    }
}

/// Pods that hold room on a node.
pub(crate) fn on_node<'a>(state: &'a State, node: &'a Node) -> impl Iterator<Item = &'a Pod> {
    let there = state.bound.get(&node.name).into_iter().flatten();
    let holds = |p: &&Pod| !p.status.is_terminal() && !state.ignored.contains(&p.id);
    there.filter_map(|id| state.pods.get(id)).filter(holds)
}

/// Pods that count against a node's room for `pod`: those there, and those as important that
/// others were sent away for.
// Models pkg/scheduler/framework/runtime RunFilterPluginsWithNominatedPods (v1.36).
fn counted<'a>(state: &'a State, pod: &'a Pod, node: &'a Node) -> impl Iterator<Item = &'a Pod> {
    let coming = move |other: &&Pod| {
        other.nominated.as_deref() == Some(&*node.name)
            && other.id != pod.id
            && priority(other) >= priority(pod)
            && other.is_active()
    };
    let nominees = state.nominees.iter().filter_map(|id| state.pods.get(id));
    on_node(state, node).chain(nominees.filter(coming))
}

fn host_ports(pod: &Pod) -> impl Iterator<Item = (i32, &str, &str)> {
    let network = pod.template.spec.host_network == Some(true);
    let ports = pod.containers.iter().flat_map(|c| c.spec.ports.iter().flatten());
    ports.filter_map(move |port| {
        let own = port.host_port.filter(|p| *p > 0);
        let number = own.or(network.then_some(port.container_port))?;
        let any = "0.0.0.0";
        let address = port.host_ip.as_deref().filter(|ip| !ip.is_empty()).unwrap_or(any);
        Some((number, port.protocol.as_deref().unwrap_or("TCP"), address))
    })
}

// Models pkg/scheduler/framework/plugins/nodeports (v1.36).
fn ports(state: &State, pod: &Pod, node: &Node) -> Option<Refusal> {
    let wanted: Vec<_> = host_ports(pod).collect();
    let clash = |taken: (i32, &str, &str)| {
        let any = |address: &str| address == "0.0.0.0";
        wanted.iter().any(|(port, protocol, address)| {
            (*port, *protocol) == (taken.0, taken.1)
                && (any(address) || any(taken.2) || *address == taken.2)
        })
    };
    if wanted.is_empty() || !on_node(state, node).flat_map(host_ports).any(clash) {
        return None;
    }
    refusal("node(s) didn't have free ports for the requested pod ports", true)
}

/// What a pod asks for of one resource, as the scheduler counts it.
pub(crate) fn request(pod: &Pod, name: &str) -> u64 {
    total(&pod.containers, |container| {
        let resources = container.spec.resources.as_ref()?;
        let requested = resources.requests.as_ref().and_then(|list| list.get(name));
        let limit = resources.limits.as_ref().and_then(|list| list.get(name));
        requested.or(limit).and_then(|found| amount_of(name, found))
    })
}

/// What containers need together, given what each needs: init containers run one at a time.
// Models staging/src/k8s.io/component-helpers/resource/helpers.go PodRequests (v1.36).
pub(crate) fn total(containers: &[Container], of: impl Fn(&Container) -> Option<u64>) -> u64 {
    let (mut sidecars, mut peak, mut mains) = (0u64, 0u64, 0u64);
    for container in containers {
        let own = of(container).unwrap_or(0);
        match container.role {
            Role::Sidecar => {
                sidecars += own;
                peak = peak.max(sidecars);
            }
            Role::Init => peak = peak.max(own + sidecars),
            _ => mains += own,
        }
    }
    peak.max(mains + sidecars)
}

/// The resources a pod asks for.
fn resource_names(pod: &Pod) -> BTreeSet<&str> {
    let lists = pod.containers.iter().filter_map(|c| c.spec.resources.as_ref());
    let lists = lists.flat_map(|r| [r.requests.as_ref(), r.limits.as_ref()]).flatten();
    lists.flat_map(|list| list.keys().map(String::as_str)).collect()
}

// Models pkg/scheduler/framework/plugins/noderesources/fit.go fitsRequest (v1.36).
fn resources(state: &State, pod: &Pod, node: &Node) -> Option<Refusal> {
    let mut refusal = Refusal { reasons: Vec::new(), might: true };
    let most = node.room.get("pods").copied().unwrap_or(0);
    if counted(state, pod, node).count() as u64 >= most {
        refusal.reasons.push("Too many pods".to_owned());
    }
    for name in resource_names(pod) {
        let (wanted, room) = (request(pod, name), node.room.get(name).copied().unwrap_or(0));
        let used: u64 = counted(state, pod, node).map(|p| request(p, name)).sum();
        if wanted > 0 && used + wanted > room {
            refusal.reasons.push(format!("Insufficient {name}"));
            refusal.might &= wanted <= room;
        }
    }
    (!refusal.reasons.is_empty()).then_some(refusal)
}
