//! The cluster's nodes: one, or those the manifest writes down as Node objects.

use super::budget;
use crate::kube::Origins;
use crate::sim::model::{Pod, PodId};
use crate::sim::quantity;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) taints: Vec<core::Taint>,
    /// Cordoned.
    pub(crate) unschedulable: bool,
    /// The machine is off.
    pub(crate) down: bool,
    /// As the node controller knows it.
    pub(crate) ready: bool,
    /// How often it went down or up.
    pub(crate) epoch: u32,
    /// When memory and disk were last seen to be short, while that counts.
    pub(crate) pressure: [Option<SimTime>; 2],
    /// What pods may ask for: processors in thousandths, all else in units.
    pub(crate) room: BTreeMap<String, u64>,
}

/// The node of a cluster whose manifest names none.
pub(crate) const NODE: &str = "node-1";

impl Node {
    pub(crate) fn new(name: &str) -> Node {
        let labels = [
            ("kubernetes.io/hostname", name),
            ("kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
        ];
        let room =
            [("cpu", 2_000), ("memory", 24 << 30), ("ephemeral-storage", 100 << 30), ("pods", 110)];
        Node {
            name: name.to_owned(),
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            taints: Vec::new(),
            unschedulable: false,
            down: false,
            ready: true,
            epoch: 0,
            pressure: [None; 2],
            room: room.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }

    /// Small enough to run short of memory or disk.
    pub(crate) fn is_tight(&self) -> bool {
        let has = |name: &str| self.room.get(name).is_some_and(|bytes| *bytes < 1 << 30);
        has("memory") || has("ephemeral-storage")
    }

    /// A Node object of the manifest; what it does not say is as on every node.
    pub(crate) fn written(name: &str, origins: &Origins) -> Node {
        let mut node = Node::new(name);
        node.labels.extend(origins.read::<BTreeMap<String, String>>("metadata.labels"));
        let taints = origins.node("spec.taints").map_or(0, |list| list.items().len());
        let text = |path: String| origins.read::<Option<String>>(&path);
        node.taints = (0..taints)
            .map(|i| core::Taint {
                key: text(format!("spec.taints[{i}].key")).unwrap_or_default(),
                value: text(format!("spec.taints[{i}].value")),
                effect: text(format!("spec.taints[{i}].effect")).unwrap_or_default(),
                time_added: None,
            })
            .collect();
        node.unschedulable = origins.read("spec.unschedulable");
        for list in ["status.capacity", "status.allocatable"] {
            for (name, amount) in origins.read::<BTreeMap<String, Quantity>>(list) {
                if let Some(amount) = amount_of(&name, &amount) {
                    node.room.insert(name, amount);
                }
            }
        }
        node
    }
}

/// Closes a node to new pods, or opens it again.
pub(crate) fn cordon(
    world: &World,
    name: &str,
    closed: bool,
    event: EventId,
) -> Result<(), String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let state = &mut world.st();
    let Some(node) = state.nodes.iter_mut().find(|n| n.name == name) else {
        return Err(format!("Error from server (NotFound): nodes \"{name}\" not found"));
    };
    if std::mem::replace(&mut node.unschedulable, closed) == closed {
        return Ok(());
    }
    let (reason, word) = match closed {
        true => ("NodeNotSchedulable", "NodeNotSchedulable"),
        false => ("NodeSchedulable", "NodeSchedulable"),
    };
    let message = format!("Node {name} status is now: {word}");
    let (warning, field_path) = (false, None);
    let what = What::Reported { warning, reason: reason.into(), field_path, message };
    state.emit(Subject::Node(name.into()), what, Some(event), None);
    state.touch();
    Ok(())
}

/// Closes a node and evicts what runs there, as often as budgets make it try again.
// Models staging/src/k8s.io/kubectl/pkg/drain (v1.36).
pub(crate) fn drain(world: &World, name: &str, event: EventId) -> Result<(), String> {
    cordon(world, name, true, event)?;
    let name = name.rsplit('/').next().unwrap_or(name).to_owned();
    let copy = world.clone();
    world.clock.spawn(async move {
        for _ in 0..DRAIN_TRIES {
            if !evict_all(&copy, &name, event) {
                return;
            }
            copy.clock.sleep(DRAIN_PAUSE).await;
        }
    });
    Ok(())
}

/// kubectl tries again this often, for as long as a run may last.
const DRAIN_PAUSE: SimTime = SimTime::from_secs(5);
const DRAIN_TRIES: u32 = 720;

/// One round; true when some pod could not be evicted yet.
fn evict_all(world: &World, node: &str, event: EventId) -> bool {
    let ids: Vec<(PodId, Name)> = {
        let state = world.st();
        let daemon = |pod: &Pod| pod.owner.as_ref().is_some_and(|o| o.kind == "DaemonSet");
        let here = |pod: &&Pod| {
            pod.node.as_deref() == Some(node) && !pod.removed && pod.deletion.is_none()
        };
        let pods = state.pods.values().filter(here).filter(|pod| !daemon(pod));
        pods.map(|pod| (pod.id, pod.name.clone())).collect()
    };
    let mut again = false;
    for (id, name) in ids {
        let Err(why) = budget::evict(world, id, event) else { continue };
        again = true;
        let why = why.split_once(": ").map_or(why.as_str(), |(_, rest)| rest);
        let why = why.split(" The disruption budget").next().unwrap_or(why);
        let text = format!("error when evicting pods/\"{name}\" (will retry after 5s): {why}");
        world.st().emit(Subject::Pod(name), What::Note { text }, Some(event), None);
    }
    again
}

/// A quantity in the unit its resource is counted in.
pub(crate) fn amount_of(resource: &str, quantity: &Quantity) -> Option<u64> {
    match resource {
        "cpu" => quantity::millis_of(quantity),
        _ => quantity::units_of(quantity),
    }
}
