//! ReplicaSets: as many pods as wanted, made and given up in the order controllers do.

use super::{Meta, api, owner, workload};
use crate::sim::model::{Pod, PodId, PodTemplate};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;

#[derive(Clone)]
pub(crate) struct ReplicaSet {
    pub(crate) meta: Meta,
    /// The Deployment it belongs to.
    pub(crate) owner: Option<Name>,
    pub(crate) template: PodTemplate,
    pub(crate) selector: LabelSelector,
    pub(crate) hash: String,
    pub(crate) replicas: u32,
    pub(crate) revision: u32,
    pub(crate) min_ready: i32,
    /// What asked for the present number.
    pub(crate) cause: EventId,
    pub(crate) status: Counts,
    /// How often in a row the server refused a pod, and when to try again.
    pub(crate) refusals: u32,
    pub(crate) retry_at: SimTime,
    /// The newest change of its pods when the last one was refused.
    pub(crate) refused_at: EventId,
}

impl ReplicaSet {
    /// Those of its template, which are its own too.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.template.labels.clone();
        if !self.hash.is_empty() {
            labels.insert(HASH.to_owned(), self.hash.clone());
        }
        labels
    }
}

pub(crate) const HASH: &str = "pod-template-hash";

/// What a status counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) replicas: u32,
    pub(crate) ready: u32,
    pub(crate) available: u32,
}

/// Most pods made or given up in one look.
const BURST: usize = 500;

fn count(world: &World, ids: &[PodId], min_ready: i32) -> Counts {
    let (state, now) = (world.st(), world.now());
    let mut counts = Counts::default();
    for pod in ids.iter().filter_map(|id| state.pods.get(id)) {
        counts.replicas += 1;
        counts.ready += u32::from(pod.is_ready());
        counts.available += u32::from(workload::is_available(pod, min_ready, now));
    }
    counts
}

// Models pkg/controller/replicaset/replica_set.go syncReplicaSet (v1.36).
pub(crate) fn reconcile(world: &World) {
    let names = workload::names(&world.st().controllers.replicasets);
    for name in names {
        let Some(set) = world.st().controllers.replicasets.get(&name).cloned() else { continue };
        sync(world, set);
    }
}

fn sync(world: &World, mut set: ReplicaSet) {
    owner::claim(world, "ReplicaSet", &set.meta, &set.selector, &|_| true);
    let active = active_pods(world, &set.meta.name);
    // The status tells what was there when the look began.
    let counts = count(world, &active, set.min_ready);
    let wanted = set.replicas as usize;
    let cause = workload::newest_cause(&world.st(), &active, set.cause);
    if set.meta.deleted_by.is_some() {
        // Its pods are on their way out, and it makes no others.
    } else if active.len() < wanted {
        for _ in 0..(wanted - active.len()).min(BURST) {
            // A change of its pods makes it look again before the time, too.
            let waits = world.now() < set.retry_at;
            if waits && set.refused_at == cause {
                break;
            }
            let name = workload::generated(world, set.meta.plain());
            let template = PodTemplate { labels: set.labels(), ..set.template.clone() };
            let kind = "ReplicaSet";
            let new = workload::Child { kind, name, index: None, target: None, template };
            if workload::create(world, &set.meta, new, cause) {
                set.refusals = 0;
            } else {
                // The queue keeps the earlier of two times.
                let at = workload::retry(world, set.refusals);
                set.retry_at = if waits { at.min(set.retry_at) } else { at };
                (set.refusals, set.refused_at) = (set.refusals + 1, cause);
                break;
            }
        }
    } else if active.len() > wanted {
        let n_over = (active.len() - wanted).min(BURST);
        let victims = workload::victims_first(&world.st(), active);
        for id in victims.into_iter().take(n_over) {
            give_up(world, &set.meta, id, set.cause);
        }
    }
    if counts.ready != counts.available || counts.ready != set.status.ready {
        workload::look_again(world, set.min_ready);
    }
    set.status = counts;
    let cells = [set.replicas, counts.replicas, counts.ready].map(|n| n.to_string());
    let state = &mut world.st();
    let before = set.meta.row.clone();
    workload::show_row(state, &mut set.meta, cells.to_vec(), cause);
    let changed = before != set.meta.row;
    if let Some(kept) = state.controllers.replicasets.get_mut(&set.meta.name) {
        let other = kept.status != set.status;
        (kept.status, kept.meta.row) = (set.status, set.meta.row);
        kept.meta.shown_at = set.meta.shown_at;
        (kept.refusals, kept.retry_at) = (set.refusals, set.retry_at);
        kept.refused_at = set.refused_at;
        if changed || other {
            state.touch();
        }
    }
}

pub(crate) fn active_pods(world: &World, name: &str) -> Vec<PodId> {
    let state = world.st();
    let ids = api::owned(&state, "ReplicaSet", name);
    ids.into_iter().filter(|id| state.pods.get(id).is_some_and(Pod::is_active)).collect()
}

/// Deletes one pod for its controller, and tells so.
pub(crate) fn give_up(world: &World, meta: &Meta, id: PodId, cause: EventId) {
    let Some(name) = world.pod(id, |pod| pod.plain().to_owned()) else { return };
    let message = format!("Deleted pod: {name}");
    let event = workload::report(&mut world.st(), meta, "SuccessfulDelete", message, cause);
    api::delete_pod(world, id, None, event);
}

/// Shows a new ReplicaSet's first row.
pub(crate) fn announce(world: &World, mut set: ReplicaSet) {
    let state = &mut world.st();
    let cells = vec![set.replicas.to_string(), "0".to_owned(), "0".to_owned()];
    let cause = set.meta.applied;
    workload::show_row(state, &mut set.meta, cells, cause);
    state.controllers.replicasets.insert(set.meta.name.clone(), set);
    state.touch();
}
