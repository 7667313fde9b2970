//! A kubelet whose machine is off: nothing of its pods runs, and nothing of them is told until it
//! comes back. What the cluster makes of its silence is `control/outage.rs`.

use crate::sim::model::{Pod, PodId, RecordState};
use crate::sim::world::World;
use crate::trace::EventId;

/// All pods of a node stop where they are; nobody hears of it.
pub(crate) fn freeze(world: &World, node: &str) {
    let ids: Vec<PodId> = {
        let state = world.st();
        let there = |pod: &&Pod| pod.node.as_deref() == Some(node);
        state.pods.values().filter(there).map(|pod| pod.id).collect()
    };
    let now = world.now();
    for id in ids {
        let sandbox = world.pod(id, |pod| {
            pod.kubelet.frozen = true;
            pod.kubelet.sandbox.take()
        });
        world.st().runs.retain(|_, (pod, _)| *pod != id);
        if let Some(sandbox) = sandbox.flatten() {
            world.rt().remove(now, sandbox);
        }
    }
}

/// The kubelet is back: what ran is found dead, and each pod is looked at anew.
pub(crate) fn thaw(world: &World, node: &str, event: EventId) {
    let now = world.now();
    let mut woken = Vec::new();
    for (id, pod) in &mut world.st().pods {
        if pod.node.as_deref() != Some(node) || !std::mem::take(&mut pod.kubelet.frozen) {
            continue;
        }
        woken.push(*id);
        let actual = &mut pod.kubelet.actual;
        actual.sandbox = false;
        actual.had_sandbox |= !actual.records.is_empty();
        for newest in actual.records.values_mut().filter_map(|list| list.last_mut()) {
            if newest.state == RecordState::Running {
                newest.state = RecordState::Exited;
                (newest.exit_code, newest.reason) = (255, "Unknown");
                (newest.finished_at, newest.event) = (now, event);
            }
        }
        pod.kubelet.seen = pod.kubelet.actual.clone();
        pod.kubelet.seen_at = now;
    }
    for id in woken {
        super::want_sync(world, id, event);
    }
}

/// Waits while the pod's node is off.
pub(crate) async fn powered(world: &World, id: PodId) {
    while world.pod(id, |pod| pod.kubelet.frozen) == Some(true) {
        super::happens(world, id, crate::time::SimTime::MAX).await;
    }
}

/// Whether a node is off, as far as a pod bound to it can be.
pub(crate) fn is_off(world: &World, id: PodId) -> bool {
    let state = world.st();
    let node = state.pods.get(&id).and_then(|pod| pod.node.as_ref());
    node.is_some_and(|name| state.nodes.iter().any(|node| node.down && node.name == *name))
}
