//! Filters that look at other pods: topology spread, pod affinity and anti-affinity. Only judges.

use super::fit::{Refusal, on_node, wants};
use super::node::Node;
use crate::kube::selector;
use crate::sim::model::Pod;
use crate::sim::world::State;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;

fn refusal(reason: &str, might: bool) -> Option<Refusal> {
    Some(Refusal { reasons: vec![reason.to_owned()], might })
}

/// Pods on all nodes that share the node's value of `key`.
fn around<'a>(state: &'a State, node: &'a Node, key: &'a str) -> impl Iterator<Item = &'a Pod> {
    let value = node.labels.get(key);
    let nodes = state.nodes.iter();
    let near = nodes.filter(move |other| value.is_some() && other.labels.get(key) == value);
    near.flat_map(move |other| on_node(state, other))
}

// Models pkg/scheduler/framework/plugins/podtopologyspread/filtering.go Filter (v1.36).
pub(crate) fn constraints(state: &State, pod: &Pod, node: &Node) -> Option<Refusal> {
    let spec = &pod.template.spec;
    let hard = spec.topology_spread_constraints.iter().flatten();
    for one in hard.filter(|c| c.when_unsatisfiable == "DoNotSchedule") {
        let key = one.topology_key.as_str();
        let unlabelled =
            "node(s) didn't match pod topology spread constraints (missing required label)";
        let Some(own) = node.labels.get(key) else { return refusal(unlabelled, false) };
        let selects = |other: &&Pod| {
            let selector = one.label_selector.as_ref();
            other.deletion.is_none()
                && other.namespace == pod.namespace
                && selector.is_some_and(|s| selector::matches(s, &other.template.labels))
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for other in state.nodes.iter().filter(|n| wants(spec, n)) {
            let Some(value) = other.labels.get(key) else { continue };
            *counts.entry(value).or_default() += on_node(state, other).filter(selects).count();
        }
        let few = one.min_domains.is_some_and(|min| (counts.len() as i64) < i64::from(min));
        let least = if few { 0 } else { counts.values().copied().min().unwrap_or(0) };
        let here = counts.get(own.as_str()).copied().unwrap_or(0);
        let skew = here as i64 + i64::from(selects(&pod)) - least as i64;
        if skew > i64::from(one.max_skew) {
            return refusal("node(s) didn't match pod topology spread constraints", true);
        }
    }
    None
}

type Terms<'a> = &'a [core::PodAffinityTerm];

fn affinity_terms(pod: &Pod) -> Terms<'_> {
    let affinity = pod.template.spec.affinity.as_ref().and_then(|a| a.pod_affinity.as_ref());
    let terms =
        affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_deref());
    terms.unwrap_or_default()
}

pub(crate) fn anti_terms(pod: &Pod) -> Terms<'_> {
    let affinity = pod.template.spec.affinity.as_ref().and_then(|a| a.pod_anti_affinity.as_ref());
    let terms =
        affinity.and_then(|a| a.required_during_scheduling_ignored_during_execution.as_deref());
    terms.unwrap_or_default()
}

/// Whether the term of `owner` speaks of `other`.
fn speaks_of(term: &core::PodAffinityTerm, owner: &Pod, other: &Pod) -> bool {
    let listed = term.namespaces.as_deref().unwrap_or_default();
    let there = match (&term.namespace_selector, listed.is_empty()) {
        (Some(_), true) => true,
        (_, false) => listed.contains(&other.namespace),
        (None, true) => owner.namespace == other.namespace,
    };
    let selector = term.label_selector.as_ref();
    there && selector.is_some_and(|s| selector::matches(s, &other.template.labels))
}

// Models pkg/scheduler/framework/plugins/interpodaffinity/filtering.go Filter (v1.36).
pub(crate) fn affinity(state: &State, pod: &Pod, node: &Node) -> Option<Refusal> {
    let near = |term: &core::PodAffinityTerm| {
        around(state, node, &term.topology_key).any(|other| speaks_of(term, pod, other))
    };
    let wanted = affinity_terms(pod);
    let labelled = wanted.iter().all(|term| node.labels.contains_key(&term.topology_key));
    // The first of a group that wants to be with itself may start anywhere.
    let first = || {
        let nodes = state.nodes.iter();
        let mut all = nodes.flat_map(|n| on_node(state, n));
        let any = all.any(|other| wanted.iter().any(|term| speaks_of(term, pod, other)));
        !any && wanted.iter().all(|term| speaks_of(term, pod, pod))
    };
    if !wanted.is_empty() && !(labelled && (wanted.iter().all(near) || first())) {
        return refusal("node(s) didn't match pod affinity rules", false);
    }
    if anti_terms(pod).iter().any(near) {
        return refusal("node(s) didn't match pod anti-affinity rules", true);
    }
    let objects = |other: &Pod| {
        let mut terms = anti_terms(other).iter();
        let at = |key: &str| other.node.as_ref().and_then(|name| label(state, name, key));
        terms.any(|term| {
            let here = node.labels.get(&term.topology_key);
            here.is_some() && here == at(&term.topology_key) && speaks_of(term, other, pod)
        })
    };
    let mut others = state.nodes.iter().flat_map(|n| on_node(state, n));
    if state.has_anti_affinity && others.any(objects) {
        return refusal("node(s) didn't satisfy existing pods anti-affinity rules", true);
    }
    None
}

fn label<'a>(state: &'a State, node: &str, key: &str) -> Option<&'a String> {
    state.nodes.iter().find(|n| n.name == node)?.labels.get(key)
}
