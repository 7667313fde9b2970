//! Preemption: a pod of higher priority takes the room of others where that helps. Chooses the
//! victims and sends them away; binding is the scheduler's, once they are gone.

use super::node::Node;
use super::{api, budget, fit};
use crate::order::Order;
use crate::sim::kubelet::publish;
use crate::sim::model::{Pod, PodId};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::EventId;
use std::collections::BTreeMap;

const KIND: &str = "DisruptionTarget";
const REASON: &str = "PreemptionByScheduler";

/// What an attempt came to.
pub(crate) enum Attempt {
    /// Victims are on their way out.
    Nominated,
    /// The sentence that says why not.
    Futile(String),
}

pub(crate) fn priority(pod: &Pod) -> i32 {
    pod.template.spec.priority.unwrap_or(0)
}

/// Whether a pod it preempts is still on its way out of the node it is nominated to.
// Models defaultpreemption PodEligibleToPreemptOthers (v1.36).
pub(crate) fn waits(state: &State, pod: &Pod) -> bool {
    let Some(name) = &pod.nominated else { return false };
    let Some(node) = state.nodes.iter().find(|node| node.name == *name) else { return false };
    let leaving = |other: &Pod| {
        let condition = other.status.condition(KIND);
        other.deletion.is_some() && condition.is_some_and(|c| c.status && c.reason == Some(REASON))
    };
    fit::on_node(state, node).any(|other| priority(other) < priority(pod) && leaving(other))
}

/// Victims on one node, and how many of them a disruption budget protects.
struct Candidate {
    node: String,
    victims: Vec<PodId>,
    n_violating: usize,
}

/// Makes room for a pod that fits nowhere; `might` are the nodes where others are in its way.
// Models pkg/scheduler/framework/preemption/preemption.go Preempt (v1.36).
pub(crate) fn attempt(world: &World, id: PodId, might: &[String], cause: EventId) -> Attempt {
    let state = &mut world.st();
    let Some(pod) = state.pods.get(&id) else { return Attempt::Futile(String::new()) };
    if pod.template.spec.preemption_policy.as_deref() == Some("Never") {
        return Attempt::Futile("not eligible due to preemptionPolicy=Never.".to_owned());
    }
    let n = state.nodes.len();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    reasons.insert("Preemption is not helpful for scheduling".to_owned(), n - might.len());
    let mut candidates = Vec::new();
    for name in might {
        match candidate(state, id, name) {
            Ok(found) => candidates.push(found),
            Err(why) => why.into_iter().for_each(|r| *reasons.entry(r).or_default() += 1),
        }
    }
    let Some(best) = best(state, candidates) else {
        let reasons = reasons.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        let why = super::scheduler::counted(reasons);
        return Attempt::Futile(format!("0/{n} nodes are available: {why}."));
    };
    actuate(world, state, id, &best, cause);
    Attempt::Nominated
}

/// The fewest, least important pods whose going makes room on a node; or why that does not help.
// Models defaultpreemption SelectVictimsOnNode (v1.36).
fn candidate(state: &mut State, id: PodId, name: &str) -> Result<Candidate, Vec<String>> {
    let none = || vec!["No preemption victims found for incoming pod".to_owned()];
    let node = state.nodes.iter().find(|node| node.name == name).cloned().ok_or_else(none)?;
    let least = state.pods.get(&id).map_or(0, priority);
    let lower = fit::on_node(state, &node).filter(|other| priority(other) < least);
    let mut all: Vec<PodId> = lower.map(|other| other.id).collect();
    if all.is_empty() {
        return Err(none());
    }
    // The more important ones come back first.
    all.order_by_key(|id| {
        let Some(pod) = state.pods.get(id) else { return (0, SimTime::MAX) };
        (-i64::from(priority(pod)), pod.status.start_time.unwrap_or(SimTime::MAX))
    });
    state.ignored.extend(&all);
    if let Some(why) = refusal(state, id, &node) {
        state.ignored.clear();
        return Err(why);
    }
    let protected = budget::violating(state, &all);
    let violates = |one: &PodId| protected.contains(one);
    let order = all.iter().filter(|one| violates(one)).chain(all.iter().filter(|o| !violates(o)));
    let mut victims = Vec::new();
    for one in order {
        state.ignored.remove(one);
        if refusal(state, id, &node).is_some() {
            state.ignored.insert(*one);
            victims.push(*one);
        }
    }
    state.ignored.clear();
    victims.order_by_key(|one| all.iter().position(|other| other == one));
    let n_violating = victims.iter().filter(|one| violates(one)).count();
    Ok(Candidate { node: node.name, victims, n_violating })
}

fn refusal(state: &State, id: PodId, node: &Node) -> Option<Vec<String>> {
    fit::refuses(state, state.pods.get(&id)?, node).map(|refusal| refusal.reasons)
}

// Models pkg/scheduler/framework/preemption pickOneNodeForPreemption (v1.36).
fn best(state: &State, candidates: Vec<Candidate>) -> Option<Candidate> {
    let pods = |one: &Candidate| -> Vec<(i64, SimTime)> {
        let found = one.victims.iter().filter_map(|id| state.pods.get(id));
        let start = |pod: &Pod| pod.status.start_time.unwrap_or(SimTime::MAX);
        found.map(|pod| (i64::from(priority(pod)), start(pod))).collect()
    };
    candidates.into_iter().min_by_key(|one| {
        let pods = pods(one);
        let highest = pods.iter().map(|(priority, _)| *priority).max().unwrap_or(0);
        let sum: i64 = pods.iter().map(|(priority, _)| priority + (1 << 31)).sum();
        let important = pods.iter().filter(|(priority, _)| *priority == highest);
        let earliest = important.map(|(_, start)| *start).min().unwrap_or(SimTime::ZERO);
        (one.n_violating, highest, sum, pods.len(), SimTime(SimTime::MAX.0 - earliest.0))
    })
}

// Models pkg/scheduler/framework/preemption/executor.go PreemptPod (v1.36).
fn actuate(world: &World, state: &mut State, id: PodId, chosen: &Candidate, cause: EventId) {
    let Some(pod) = state.pods.get_mut(&id) else { return };
    pod.nominated = Some(chosen.node.clone());
    let message = format!("Preempted by pod {} on node {}", pod.uid, chosen.node);
    state.nominees.insert(id);
    for victim in &chosen.victims {
        let told = "default-scheduler: preempting to accommodate a higher priority pod".to_owned();
        publish::set_condition(state, *victim, KIND, true, Some(REASON), Some(told), cause);
        let event = state.report(*victim, None, "Preempted", message.clone(), Some(cause));
        let (copy, victim) = (world.clone(), *victim);
        world.clock.spawn(async move { api::delete_pod(&copy, victim, None, event) });
    }
}
