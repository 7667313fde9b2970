//! The scheduler: finds a node for a pod, or tells why there is none and tries again.

use super::fit::{self, Refusal};
use super::preemption::{self, Attempt};
use super::{claims, node::Node};
use crate::order::Order;
use crate::sim::kubelet;
use crate::sim::kubelet::publish;
use crate::sim::model::{Pod, PodId};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, What};
use std::collections::BTreeMap;

/// When a pod that found no node is tried again at the latest.
const FLUSH: SimTime = SimTime::from_secs(300);

/// Binds the pod to a node, or tells why not and tries again when something changed.
// Models pkg/scheduler/schedule_one.go (v1.36).
pub(crate) async fn run(world: &World, id: PodId) {
    world.pause(10).await;
    if let Some(name) = world.pod(id, |pod| pod.template.spec.node_name.clone()).flatten() {
        return assigned(world, id, &name);
    }
    let gated = world.pod(id, |pod| {
        pod.template.spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty())
    });
    if gated == Some(true) {
        return gate(world, id);
    }
    let mut before = String::new();
    let mut quiet_until = SimTime::ZERO;
    loop {
        let live = world.pod(id, |pod| pod.deletion.is_none() && !pod.removed);
        if live != Some(true) {
            return;
        }
        let found = {
            let state = world.st();
            state.pods.get(&id).map(|pod| choose(&state, pod))
        };
        let message = match found {
            None => return,
            Some(Ok(node)) if claims::ready(world, id) => return bind(world, id, node),
            Some(Ok(_)) => String::new(),
            Some(Err(_)) if awaits_victims(world, id) => String::new(),
            Some(Err(unfit)) => unfit.message(world, id),
        };
        let repeats = world.now() >= quiet_until;
        if !message.is_empty() && (repeats || message != before) {
            quiet_until = world.now() + FLUSH;
            before.clone_from(&message);
            unschedulable(world, id, message);
        }
        let flag = world.st().api_flag.clone();
        flag.raised(&world.clock, world.now() + FLUSH).await;
        world.pause(20).await;
    }
}

fn awaits_victims(world: &World, id: PodId) -> bool {
    let state = world.st();
    state.pods.get(&id).is_some_and(|pod| preemption::waits(&state, pod))
}

/// Why no node takes a pod.
struct Unfit {
    n_nodes: usize,
    why: String,
    /// It was found before any node was looked at.
    is_early: bool,
    /// Nodes that might take it once other pods are gone.
    might: Vec<String>,
}

impl Unfit {
    /// The scheduler's sentence, once it tried whether other pods could make room.
    // Models pkg/scheduler/framework/types.go FitError (v1.36).
    fn message(&self, world: &World, id: PodId) -> String {
        let n = self.n_nodes;
        let head = format!("0/{n} nodes are available: {}.", self.why);
        // The plugin that is asked for room next has not prepared itself then, and its error ends
        // the sentence. Models plugins/dynamicresources/dynamicresources.go PostFilter (v1.36).
        if self.is_early {
            return format!("{head} not found");
        }
        let cause = world.pod(id, |pod| pod.created_by).unwrap_or(EventId(0));
        match super::work().map(|work| (work.preempt)(world, id, &self.might, cause)) {
            None | Some(Attempt::Nominated) => head,
            Some(Attempt::Futile(why)) => {
                format!("{head} no new claims to deallocate, preemption: {why}")
            }
        }
    }
}

/// The node that takes the pod, or why none does.
fn choose(state: &State, pod: &Pod) -> Result<String, Unfit> {
    let before = claims::missing(state, pod);
    let refusals: Vec<Option<Refusal>> =
        state.nodes.iter().map(|node| fit::refuses(state, pod, node)).collect();
    let open = state.nodes.iter().zip(&refusals).filter(|(_, r)| r.is_none());
    // A node that others were sent away from is tried first.
    let elsewhere = |node: &Node| pod.nominated.as_ref() != Some(&node.name);
    let best =
        open.map(|(node, _)| node).min_by_key(|node| (elsewhere(node), score(state, pod, node)));
    if let (None, Some(node)) = (&before, best) {
        return Ok(node.name.clone());
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut might = Vec::new();
    for (node, refusal) in state.nodes.iter().zip(&refusals) {
        let Some(refusal) = refusal else { continue };
        might.extend(refusal.might.then(|| node.name.clone()));
        refusal.reasons.iter().for_each(|r| *reasons.entry(r).or_default() += 1);
    }
    let is_early = before.is_some();
    let why = before.unwrap_or_else(|| counted(reasons));
    Err(Unfit { n_nodes: state.nodes.len(), why, is_early, might })
}

/// `1 REASON, 2 REASON`, sorted as strings.
pub(crate) fn counted(reasons: BTreeMap<&str, usize>) -> String {
    let reasons = reasons.into_iter().filter(|(_, n)| *n > 0);
    let mut words: Vec<String> = reasons.map(|(reason, n)| format!("{n} {reason}")).collect();
    words.order();
    words.join(", ")
}

/// The resources that count in a score.
const WEIGHED: [&str; 2] = ["cpu", "memory"];

/// Fewer siblings first, then more room. The real scores weigh more than this.
fn score(state: &State, pod: &Pod, node: &Node) -> (usize, u64) {
    let (mut siblings, mut used) = (0, [0u64; 2]);
    for other in fit::on_node(state, node) {
        siblings += usize::from(other.owner.is_some() && other.owner == pod.owner);
        for (sum, name) in used.iter_mut().zip(WEIGHED) {
            *sum += fit::request(other, name);
        }
    }
    let share = |(used, name): (u64, &str)| {
        let room = node.room.get(name).copied().unwrap_or(0).max(1);
        (u128::from(used) * 1000 / u128::from(room)) as u64
    };
    (siblings, used.into_iter().zip(WEIGHED).map(share).sum())
}

fn unschedulable(world: &World, id: PodId, message: String) {
    let state = &mut world.st();
    let Some(pod) = state.pods.get(&id) else { return };
    let (cause, subject) = (pod.created_by, pod.subject());
    let origin = pod.containers.iter().find(|c| c.spec.resources.is_some());
    let resources = origin.and_then(|c| pod.span(&format!("{}.resources", c.path)));
    let field = match message.as_str() {
        text if text.contains("affinity rules") => "spec.affinity",
        text if text.contains("affinity/selector") => "spec.nodeSelector",
        text if text.contains("taint(s)") => "spec.tolerations",
        text if text.contains("spread") => "spec.topologySpreadConstraints",
        text if text.to_ascii_lowercase().contains("persistentvolumeclaim") => "spec.volumes",
        text if text.contains("free ports") => "spec.containers",
        _ => "",
    };
    let origin = if field.is_empty() { resources } else { pod.span(field) };
    let what = What::Reported {
        warning: true,
        reason: "FailedScheduling".into(),
        field_path: None,
        message: message.clone(),
    };
    let event = state.emit(subject, what, Some(cause), origin);
    let reason = Some("Unschedulable");
    publish::set_condition(state, id, "PodScheduled", false, reason, Some(message), event);
}

/// A pod with gates is left alone.
fn gate(world: &World, id: PodId) {
    let state = &mut world.st();
    let Some(cause) = state.pods.get(&id).map(|pod| pod.created_by) else { return };
    let message = "Scheduling is blocked due to non-empty scheduling gates".to_owned();
    let reason = Some("SchedulingGated");
    publish::set_condition(state, id, "PodScheduled", false, reason, Some(message), cause);
}

/// The manifest names the node itself: no scheduler is asked, and an unknown node never answers.
fn assigned(world: &World, id: PodId, node: &str) {
    let event = {
        let state = &mut world.st();
        let known = state.nodes.iter().any(|n| n.name == node);
        let Some(pod) = state.pods.get(&id).filter(|_| known) else { return };
        let cause = pod.created_by;
        state.bind(id, node.to_owned());
        publish::set_condition(state, id, "PodScheduled", true, None, None, cause);
        cause
    };
    kubelet::adopt(world, id, event);
}

fn bind(world: &World, id: PodId, node: String) {
    let event = {
        let state = &mut world.st();
        let Some(pod) = state.pods.get(&id) else { return };
        let message = format!("Successfully assigned {}/{} to {node}", pod.namespace, pod.plain());
        let cause = pod.created_by;
        state.bind(id, node);
        let event = state.report(id, None, "Scheduled", message, Some(cause));
        publish::set_condition(state, id, "PodScheduled", true, None, None, event);
        event
    };
    let copy = world.clone();
    world.clock.spawn(async move {
        copy.pause(10).await;
        kubelet::adopt(&copy, id, event);
    });
}
