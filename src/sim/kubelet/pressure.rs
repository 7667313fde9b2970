//! A node that runs short of memory or disk: its condition, its taint, and the pod that has to go.
//! Disk is what containers and their directories wrote; images take no room here.

use super::evict;
use super::publish;
use crate::kube::quantity::Quantity;
use crate::sim::control::node::Node;
use crate::sim::control::preemption::priority;
use crate::sim::model::{Container, Pod, PodId, RecordState};
use crate::sim::quantity;
use crate::sim::runtime::Handle;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Subject, What};
use k8s_openapi::api::core::v1 as core;
use std::cmp::Reverse;

/// `memory.available<100Mi`, and of a disk that holds images too `imagefs.available<15%`.
// Models pkg/kubelet/apis/config/v1beta1/defaults_linux.go DefaultEvictionHard (v1.36).
const MEMORY_LEAST: u64 = 100 << 20;
const DISK_LEAST_PERCENT: u128 = 15;
/// A condition holds for this long after it was last observed.
const TRANSITION: SimTime = SimTime::from_secs(300);
/// Pods as important as this stay.
const CRITICAL: i32 = 2_000_000_000;

/// One of the two things a node may run short of.
#[derive(Clone, Copy, PartialEq)]
enum Scarce {
    Memory,
    Disk,
}

impl Scarce {
    /// The resource, the taint's key, and the reasons of having too little and enough.
    fn words(self) -> [&'static str; 4] {
        match self {
            Scarce::Memory => [
                "memory",
                "node.kubernetes.io/memory-pressure",
                "NodeHasInsufficientMemory",
                "NodeHasSufficientMemory",
            ],
            Scarce::Disk => [
                "ephemeral-storage",
                "node.kubernetes.io/disk-pressure",
                "NodeHasDiskPressure",
                "NodeHasNoDiskPressure",
            ],
        }
    }
}

/// What each container of a pod uses of something, in bytes, and the pod as a whole.
struct Used {
    id: PodId,
    containers: Vec<u64>,
    total: u64,
}

// Models pkg/kubelet/eviction/eviction_manager.go synchronize (v1.36).
pub(crate) fn look(world: &World) {
    let n_nodes = world.st().nodes.len();
    for idx in 0..n_nodes {
        let node = world.st().nodes.get(idx).cloned();
        let Some(node) = node.filter(|node| !node.down) else { continue };
        let starved = [Scarce::Memory, Scarce::Disk].map(|what| observe(world, &node, what));
        // One pod at a time, and not before the last one is gone.
        if let Some(short) = starved.into_iter().flatten().next()
            && !is_leaving(&world.st(), &node)
        {
            reclaim(world, &short);
        }
    }
}

/// Too little of something.
struct Short {
    what: Scarce,
    least: u64,
    available: u64,
    used: Vec<Used>,
    event: EventId,
}

fn observe(world: &World, node: &Node, what: Scarce) -> Option<Short> {
    let [resource, key, low, enough] = what.words();
    let capacity = node.room.get(resource).copied().unwrap_or(u64::MAX);
    let used = usage(world, node, what);
    let available = capacity.saturating_sub(used.iter().map(|one| one.total).sum());
    let least = match what {
        Scarce::Memory => MEMORY_LEAST,
        Scarce::Disk => (u128::from(capacity) * DISK_LEAST_PERCENT / 100) as u64,
    };
    let is_short = available < least && !used.is_empty();
    let now = world.now();
    let state = &mut world.st();
    let known = state.nodes.iter_mut().find(|one| one.name == node.name)?;
    let since = &mut known.pressure[usize::from(what == Scarce::Disk)];
    let before = since.is_some();
    if is_short {
        *since = Some(now);
    } else if since.is_some_and(|last| now >= last + TRANSITION) {
        *since = None;
    }
    let after = since.is_some();
    if before != after {
        known.taints.retain(|taint| taint.key != key);
        if after {
            let (key, effect) = (key.to_owned(), "NoSchedule".to_owned());
            known.taints.push(core::Taint { key, effect, ..core::Taint::default() });
        }
        let word = if after { low } else { enough };
        tell(state, node, false, word, format!("Node {} status is now: {word}", node.name));
        state.touch();
    }
    is_short.then(|| {
        let message = format!("Attempting to reclaim {resource}");
        let event = tell(state, node, true, "EvictionThresholdMet", message);
        Short { what, least, available, used, event }
    })
}

fn tell(state: &mut State, node: &Node, warning: bool, reason: &str, message: String) -> EventId {
    let what = What::Reported { warning, reason: reason.into(), field_path: None, message };
    state.emit(Subject::Node(node.name.as_str().into()), what, None, None)
}

fn on_node<'a>(state: &'a State, node: &'a Node) -> impl Iterator<Item = &'a Pod> {
    let here = |pod: &&Pod| pod.node.as_ref() == Some(&node.name) && !pod.kubelet.stopped;
    state.pods.values().filter(here)
}

fn is_leaving(state: &State, node: &Node) -> bool {
    let evicted = |pod: &Pod| pod.kubelet.ending.as_ref().is_some_and(|e| e.reason == "Evicted");
    on_node(state, node).any(evicted)
}

/// What the pods of a node use.
fn usage(world: &World, node: &Node, what: Scarce) -> Vec<Used> {
    let state = world.st();
    let running = |pod: &Pod, container: &Container| -> Option<Handle> {
        let newest = pod.kubelet.actual.newest(&container.name)?;
        newest.handle.filter(|_| what == Scarce::Disk || newest.state == RecordState::Running)
    };
    let of = |pod: &Pod| {
        let one = |container: &Container| match (what, running(pod, container)) {
            (_, None) => 0,
            (Scarce::Memory, Some(run)) => state.measured.get(&run).map_or(0, |(_, bytes)| *bytes),
            (Scarce::Disk, Some(run)) => world.rt().written(run),
        };
        let containers: Vec<u64> = pod.containers.iter().map(one).collect();
        let on_disk = |volume: &&core::Volume| {
            let medium = volume.empty_dir.as_ref().map(|dir| dir.medium.as_deref());
            what == Scarce::Disk && medium.is_some_and(|medium| medium != Some("Memory"))
        };
        let volumes = pod.template.spec.volumes.iter().flatten().filter(on_disk);
        let handles = volumes.filter_map(|volume| pod.kubelet.volumes.get(&*volume.name));
        let kept: u64 = handles.map(|at| world.rt().usage(*at)).sum();
        let total = containers.iter().sum::<u64>() + kept;
        Used { id: pod.id, containers, total }
    };
    on_node(&state, node).map(of).collect()
}

fn request(container: &Container, resource: &str) -> u64 {
    let requests = container.spec.resources.as_ref().and_then(|r| r.requests.as_ref());
    requests.and_then(|list| list.get(resource)).and_then(quantity::units_of).unwrap_or(0)
}

/// Evicts the first pod in the order of the kubelet: who uses more than was asked for, then the
/// less important, then who uses most beyond the request.
// Models pkg/kubelet/eviction/helpers.go rankMemoryPressure, rankDiskPressureFunc (v1.36).
fn reclaim(world: &World, short: &Short) {
    let [resource, ..] = short.what.words();
    let victim = {
        let state = world.st();
        let rank = |used: &&Used| {
            let pod = state.pods.get(&used.id)?;
            let live = !pod.status.is_terminal() && pod.kubelet.ending.is_none();
            if !live || pod.deletion.is_some() || priority(pod) >= CRITICAL {
                return None;
            }
            let asked: u64 = pod.containers.iter().map(|c| request(c, resource)).sum();
            let beyond = i128::from(used.total) - i128::from(asked);
            Some((beyond <= 0, priority(pod), Reverse(beyond), used.id))
        };
        let ranked = short.used.iter().filter_map(|used| Some((rank(&used)?, used)));
        let first = ranked.min_by_key(|(rank, _)| *rank);
        first.map(|(_, used)| (used.id, message(&state, used, short)))
    };
    let Some((id, message)) = victim else { return };
    let (kind, reason) = ("DisruptionTarget", Some("TerminationByKubelet"));
    let told = Some(message.clone());
    publish::set_condition(&mut world.st(), id, kind, true, reason, told, short.event);
    evict::evict(world, id, message, "spec", Some(short.event));
}

// Models pkg/kubelet/eviction/helpers.go evictionMessage (v1.36).
fn message(state: &State, used: &Used, short: &Short) -> String {
    let [resource, ..] = short.what.words();
    let words = |bytes: u64| Quantity::from_bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
    let mut text = format!(
        "The node was low on resource: {resource}. Threshold quantity: {}, available: {}. ",
        words(short.least),
        words(short.available)
    );
    let Some(pod) = state.pods.get(&used.id) else { return text };
    for (container, bytes) in pod.containers.iter().zip(&used.containers) {
        let asked = request(container, resource);
        if *bytes > asked {
            text.push_str(&format!(
                "Container {} was using {}, request is {}, has larger consumption of {resource}. ",
                container.name,
                words(*bytes),
                words(asked)
            ));
        }
    }
    text
}
