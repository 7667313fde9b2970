//! Nodes that go down and come up again: what the node controllers notice of it and when, taints,
//! and the pods that are sent away for them. The machine is off: nothing there runs or is told.

use super::node::Node;
use super::{api, fit};
use crate::kube::defaults::pod::admit_pod;
use crate::sim::kubelet::{self, publish};
use crate::sim::model::{Pod, PodId};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Subject, What};
use k8s_openapi::api::core::v1 as core;

type Done = Result<(), String>;

/// A kubelet renews its lease each 10 s, a silent one is given 50 s, and that is looked at each
/// 5 s: a node that dies in the middle of it all is found this much later.
// Models pkg/controller/nodelifecycle tryUpdateNodeHealth and its defaults (v1.36).
const UNNOTICED: SimTime = SimTime::from_millis(47_500);
/// From power on until the kubelet says that the node is ready.
const BOOT: SimTime = SimTime::from_secs(20);
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";

fn find<'a>(state: &'a mut State, name: &str) -> Result<&'a mut Node, String> {
    let found = state.nodes.iter_mut().find(|node| node.name == name);
    found.ok_or_else(|| format!("Error from server (NotFound): nodes \"{name}\" not found"))
}

fn bare(target: &str) -> &str {
    target.rsplit('/').next().unwrap_or(target)
}

/// `down node/x`: the machine is off at once; the cluster notices later.
pub(crate) fn down(world: &World, target: &str, event: EventId) -> Done {
    let name = bare(target).to_owned();
    let epoch = {
        let state = &mut world.st();
        let node = find(state, &name)?;
        if std::mem::replace(&mut node.down, true) {
            return Ok(());
        }
        node.epoch += 1;
        node.epoch
    };
    kubelet::outage::freeze(world, &name);
    let copy = world.clone();
    world.clock.spawn(async move {
        copy.clock.sleep(UNNOTICED).await;
        let still = find(&mut copy.st(), &name).is_ok_and(|node| node.epoch == epoch);
        if still {
            lost(&copy, &name, event);
        }
    });
    Ok(())
}

/// `up node/x`: its kubelet finds the pods it had, and starts their containers again.
pub(crate) fn up(world: &World, target: &str, event: EventId) -> Done {
    let name = bare(target).to_owned();
    {
        let state = &mut world.st();
        let node = find(state, &name)?;
        if !std::mem::replace(&mut node.down, false) {
            return Ok(());
        }
        node.epoch += 1;
    }
    let copy = world.clone();
    world.clock.spawn(async move {
        copy.clock.sleep(BOOT).await;
        if find(&mut copy.st(), &name).is_ok_and(|node| !node.down) {
            back(&copy, &name, event);
        }
    });
    Ok(())
}

fn tell(state: &mut State, node: &str, warning: bool, reason: &str, message: String) -> EventId {
    let what = What::Reported { warning, reason: reason.into(), field_path: None, message };
    state.emit(Subject::Node(node.into()), what, None, None)
}

fn back(world: &World, name: &str, event: EventId) {
    {
        let state = &mut world.st();
        let boot = state.uid();
        let message = format!("Node {name} has been rebooted, boot id: {boot}");
        tell(state, name, true, "Rebooted", message);
        let Ok(node) = find(state, name) else { return };
        let was_ready = std::mem::replace(&mut node.ready, true);
        node.taints.retain(|taint| taint.key != UNREACHABLE);
        if !was_ready {
            tell(state, name, false, "NodeReady", format!("Node {name} status is now: NodeReady"));
        }
    }
    kubelet::outage::thaw(world, name, event);
    world.st().touch();
}

/// The node controller finds that the kubelet is silent.
fn lost(world: &World, name: &str, event: EventId) {
    let state = &mut world.st();
    let Ok(node) = find(state, name) else { return };
    node.ready = false;
    let message = format!("Node {name} status is now: NodeNotReady");
    let event = {
        let what = What::Reported {
            warning: false,
            reason: "NodeNotReady".into(),
            field_path: None,
            message,
        };
        state.emit(Subject::Node(name.into()), what, Some(event), None)
    };
    for id in pods_on(state, name) {
        let ready = state.pods.get(&id).and_then(|pod| pod.status.condition("Ready").cloned());
        let Some(ready) = ready.filter(|ready| ready.status) else { continue };
        let told = "Node is not ready".to_owned();
        let event = state.report(id, None, "NodeNotReady", told, Some(event));
        let (reason, message) = (ready.reason, ready.message);
        publish::set_condition(state, id, "Ready", false, reason, message, event);
    }
    let evicts = evicts(state);
    for effect in ["NoSchedule", "NoExecute"].iter().take(if evicts { 2 } else { 1 }) {
        let (key, effect) = (UNREACHABLE.to_owned(), (*effect).to_owned());
        if let Ok(node) = find(state, name) {
            node.taints.push(core::Taint { key, effect, ..core::Taint::default() });
        }
    }
    tainted(world, state, name, event);
    state.touch();
}

/// Where all nodes are silent, or most of several, the fault is looked for elsewhere: nothing is
/// sent away.
// Models pkg/controller/nodelifecycle ComputeZoneState and handleDisruption (v1.36).
fn evicts(state: &State) -> bool {
    let n = state.nodes.len();
    let n_lost = state.nodes.iter().filter(|node| !node.ready).count();
    let partial = n_lost > 2 && n_lost * 100 >= n * 55;
    n_lost < n && !partial
}

fn pods_on(state: &State, node: &str) -> Vec<PodId> {
    let there = |pod: &&Pod| pod.node.as_deref() == Some(node) && !pod.removed;
    state.pods.values().filter(there).map(|pod| pod.id).collect()
}

/// `taint node/x key=value:Effect`, and `key:Effect-` to take one away.
pub(crate) fn taint(world: &World, target: &str, specs: &[&str], event: EventId) -> Done {
    let name = bare(target).to_owned();
    let state = &mut world.st();
    for spec in specs.iter().filter(|spec| !spec.starts_with("--")) {
        let (text, removes) = (spec.trim_end_matches('-'), spec.ends_with('-'));
        let (pair, effect) = text.split_once(':').unwrap_or((text, ""));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let node = find(state, &name)?;
        node.taints.retain(|old| old.key != key || (!effect.is_empty() && old.effect != effect));
        if !removes {
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            let (key, effect) = (key.to_owned(), effect.to_owned());
            node.taints.push(core::Taint { key, value, effect, time_added: None });
        }
    }
    tainted(world, state, &name, event);
    state.touch();
    Ok(())
}

/// The taints of a node changed: who does not tolerate them goes, at once or when its time is up.
// Models pkg/controller/tainteviction/taint_eviction.go processPodOnNode (v1.36).
pub(crate) fn tainted(world: &World, state: &State, name: &str, event: EventId) {
    for id in pods_on(state, name) {
        let (copy, name) = (world.clone(), name.to_owned());
        let at = state.pods.get(&id).and_then(|pod| due(state, pod, &name, world.now()));
        let Some(at) = at else { continue };
        world.clock.spawn(async move {
            copy.clock.sleep_until(at).await;
            evict(&copy, id, &name, event);
        });
    }
}

/// When a pod has to go for the taints its node has now; None where it may stay.
fn due(state: &State, pod: &Pod, node: &str, since: SimTime) -> Option<SimTime> {
    let node = state.nodes.iter().find(|one| one.name == node)?;
    let mut taints = node.taints.iter().filter(|taint| taint.effect == "NoExecute").peekable();
    taints.peek()?;
    let daemon = pod.owner.as_ref().is_some_and(|owner| owner.kind == "DaemonSet");
    let mut admitted =
        core::Pod { spec: Some((*pod.template.spec).clone()), ..core::Pod::default() };
    admit_pod(&mut admitted);
    let spec = admitted.spec.unwrap_or_default();
    let mut least: Option<u64> = None;
    for taint in taints {
        if daemon && taint.key.starts_with("node.kubernetes.io/") {
            continue;
        }
        let matching = spec.tolerations.iter().flatten().find(|one| {
            let alone = core::PodSpec {
                tolerations: Some(vec![(*one).clone()]),
                ..core::PodSpec::default()
            };
            fit::tolerates(&alone, false, taint)
        });
        let Some(matching) = matching else { return Some(since) };
        if let Some(secs) = matching.toleration_seconds {
            let secs = secs.max(0) as u64;
            least = Some(least.map_or(secs, |old| old.min(secs)));
        }
    }
    least.map(|secs| since + SimTime::from_secs(secs))
}

fn evict(world: &World, id: PodId, node: &str, event: EventId) {
    {
        let state = &mut world.st();
        let Some(pod) = state.pods.get(&id) else { return };
        let here = pod.node.as_deref() == Some(node) && pod.deletion.is_none() && !pod.removed;
        if !here || due(state, pod, node, SimTime::ZERO).is_none() {
            return;
        }
        let message = format!("Marking for deletion Pod {}/{}", pod.namespace, pod.plain());
        let event = state.report(id, None, "TaintManagerEviction", message, Some(event));
        let (kind, reason) = ("DisruptionTarget", Some("DeletionByTaintManager"));
        let message = Some("Taint manager: deleting due to NoExecute taint".to_owned());
        publish::set_condition(state, id, kind, true, reason, message, event);
    }
    api::delete_pod(world, id, None, event);
}
