//! DaemonSets: one pod on each node that takes it.

use super::node::Node;
use super::{Meta, api, fit, owner, replicaset, workload};
use crate::sim::model::{Pod, PodId, PodTemplate};
use crate::sim::world::World;
use crate::trace::EventId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeSet;

#[derive(Clone)]
pub(crate) struct DaemonSet {
    pub(crate) meta: Meta,
    pub(crate) template: PodTemplate,
    pub(crate) selector: LabelSelector,
    pub(crate) on_delete: bool,
    /// How many pods an update may take away at a time.
    pub(crate) unavailable: usize,
    /// How many new pods may run beside the old ones; then none is taken away before its time.
    pub(crate) surge: usize,
    pub(crate) min_ready: i32,
    pub(crate) revision: u32,
    pub(crate) cause: EventId,
}

const REVISION: &str = "controller-revision-hash";

impl DaemonSet {
    /// As its pods are labelled.
    fn revision_hash(&self, seed: u64) -> String {
        workload::hash(seed, self.meta.plain(), self.revision)
    }
}

// Models pkg/controller/daemon/daemon_controller.go syncDaemonSet (v1.36).
pub(crate) fn reconcile(world: &World) {
    let names = workload::names(&world.st().controllers.daemonsets);
    for name in names {
        let found = world.st().controllers.daemonsets.get(&name).cloned();
        if let Some(set) = found {
            sync(world, set);
        }
    }
}

fn sync(world: &World, mut set: DaemonSet) {
    if set.meta.deleted_by.is_some() {
        return;
    }
    owner::claim(world, "DaemonSet", &set.meta, &set.selector, &|_| true);
    let all = api::owned(&world.st(), "DaemonSet", &set.meta.name);
    let cause = workload::newest_cause(&world.st(), &all, set.cause);
    let is =
        |id: &PodId, test: &dyn Fn(&Pod) -> bool| world.pod(*id, |pod| test(pod)) == Some(true);
    // Those on their way out are counted while they still run.
    let there: Vec<PodId> =
        all.iter().copied().filter(|id| is(id, &|p| !p.status.is_terminal())).collect();
    let nodes: Vec<String> = {
        let state = world.st();
        let open = |node: &&Node| fit::admits(&set.template.spec, true, node).is_none();
        state.nodes.iter().filter(open).map(|node| node.name.clone()).collect()
    };
    show(world, &mut set, (&there, nodes.len()), cause);
    for id in all.iter().filter(|id| is(id, &|p| p.status.is_terminal() && p.deletion.is_none())) {
        replicaset::give_up(world, &set.meta, *id, cause);
    }
    let at = |node: &String| there.iter().find(|id| is(id, &|p| p.target.as_ref() == Some(node)));
    // The old pod leaves before the new one comes.
    let missing: Vec<&String> = nodes.iter().filter(|node| at(node).is_none()).collect();
    for node in missing {
        create(world, &set, node, cause);
    }
    if !set.on_delete && set.surge > 0 {
        surge(world, &set, (&nodes, &there), cause);
    } else if !set.on_delete {
        update(world, &set, &there);
    }
    let strays = |p: &Pod| p.is_active() && p.target.as_ref().is_some_and(|t| !nodes.contains(t));
    for id in there.iter().filter(|id| is(id, &strays)) {
        replicaset::give_up(world, &set.meta, *id, cause);
    }
}

fn create(world: &World, set: &DaemonSet, node: &str, cause: EventId) {
    let name = workload::generated(world, set.meta.plain());
    let mut template = set.template.clone();
    template.labels.insert(REVISION.to_owned(), set.revision_hash(world.scenario.seed));
    let generation = ("pod-template-generation".to_owned(), set.revision.to_string());
    template.labels.extend([generation]);
    let target = Some(node.to_owned());
    let new = workload::Child { kind: "DaemonSet", name, index: None, target, template };
    workload::create(world, &set.meta, new, cause);
}

/// Gives up old pods: those that serve nobody, and as many others as may be missing.
// Models pkg/controller/daemon/update.go rollingUpdate (v1.36).
fn update(world: &World, set: &DaemonSet, there: &[PodId]) {
    let (now, revision) = (world.now(), set.revision_hash(world.scenario.seed));
    let mut room = set.unavailable.max(1);
    let mut old = Vec::new();
    for id in there {
        let look = world.pod(*id, |pod| {
            let old = pod.template.labels.get(REVISION) != Some(&revision);
            (old, pod.is_active(), workload::is_available(pod, set.min_ready, now))
        });
        match look {
            Some((true, true, true)) => old.push((true, *id)),
            Some((true, true, false)) => old.insert(0, (false, *id)),
            _ => {}
        }
        // Whatever is not available counts against what may be missing.
        if look.is_some_and(|(_, active, available)| !active || !available) {
            room = room.saturating_sub(1);
        }
    }
    for (available, id) in old {
        if available && room == 0 {
            break;
        }
        room -= usize::from(available);
        replicaset::give_up(world, &set.meta, id, set.cause);
    }
}

/// New pods beside old ones: at once where the old one serves nobody, else as many as may be; an
/// old pod goes when the new one of its node is available.
// Models pkg/controller/daemon/update.go rollingUpdate (v1.36).
fn surge(world: &World, set: &DaemonSet, (nodes, there): (&[String], &[PodId]), cause: EventId) {
    let (now, revision) = (world.now(), set.revision_hash(world.scenario.seed));
    let mut room = set.surge;
    let (mut urgent, mut others) = (Vec::new(), Vec::new());
    for node in nodes {
        let (mut old, mut new) = (None, None);
        for id in there {
            world.pod(*id, |pod| {
                let is_new = pod.template.labels.get(REVISION) == Some(&revision);
                let look = (*id, workload::is_available(pod, set.min_ready, now));
                match (pod.is_active() && pod.target.as_ref() == Some(node), is_new) {
                    (true, true) => new = Some(look),
                    (true, false) => old = Some(look),
                    _ => {}
                }
            });
        }
        match (old, new) {
            (Some((_, false)), None) => urgent.push(node),
            (Some(_), None) => others.push(node),
            (Some((id, _)), Some((_, true))) => replicaset::give_up(world, &set.meta, id, cause),
            (Some(_), Some((_, false))) => room = room.saturating_sub(1),
            _ => {}
        }
    }
    for node in urgent.into_iter().chain(others.into_iter().take(room)) {
        create(world, set, node, cause);
    }
}

fn show(world: &World, set: &mut DaemonSet, (pods, n_wanted): (&[PodId], usize), cause: EventId) {
    let (now, revision) = (world.now(), set.revision_hash(world.scenario.seed));
    // Of two pods of a node the older one counts.
    let mut nodes = BTreeSet::new();
    let is_first = |id: &&PodId| nodes.insert(world.pod(**id, |pod| pod.target.clone()).flatten());
    let pods: Vec<PodId> = pods.iter().filter(is_first).copied().collect();
    let count = |test: &dyn Fn(&Pod) -> bool| {
        pods.iter().filter(|id| world.pod(**id, |pod| test(pod)) == Some(true)).count()
    };
    let ready = count(&Pod::is_ready);
    let updated = count(&|pod| pod.template.labels.get(REVISION) == Some(&revision));
    let available = count(&|pod| workload::is_available(pod, set.min_ready, now));
    let numbers =
        [n_wanted, pods.len().min(n_wanted), ready, updated, available].map(|n| n.to_string());
    let mut cells = numbers.to_vec();
    let selector = set.template.spec.node_selector.iter().flatten();
    let selector: Vec<String> = selector.map(|(k, v)| format!("{k}={v}")).collect();
    cells.push(if selector.is_empty() { "<none>".to_owned() } else { selector.join(",") });
    let state = &mut world.st();
    workload::show_row(state, &mut set.meta, cells, cause);
    if let Some(kept) = state.controllers.daemonsets.get_mut(&set.meta.name) {
        kept.meta.row.clone_from(&set.meta.row);
        kept.meta.shown_at = set.meta.shown_at;
    }
}
