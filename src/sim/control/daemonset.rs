//! DaemonSets: one pod on each node that takes it; here that is one node.

use super::{Meta, api, replicaset, workload};
use crate::sim::model::{Pod, PodId, PodTemplate};
use crate::sim::world::World;
use crate::trace::EventId;

#[derive(Clone)]
pub(crate) struct DaemonSet {
    pub(crate) meta: Meta,
    pub(crate) template: PodTemplate,
    pub(crate) on_delete: bool,
    pub(crate) min_ready: i32,
    pub(crate) revision: u32,
    pub(crate) cause: EventId,
}

const REVISION: &str = "controller-revision-hash";

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
    let all = api::owned(&world.st(), "DaemonSet", &set.meta.name);
    let cause = workload::newest_cause(&world.st(), &all, set.cause);
    let revision = set.revision.to_string();
    let is =
        |id: &PodId, test: &dyn Fn(&Pod) -> bool| world.pod(*id, |pod| test(pod)) == Some(true);
    let active: Vec<PodId> = all.iter().copied().filter(|id| is(id, &Pod::is_active)).collect();
    // Those on their way out are counted while they still run.
    let there: Vec<PodId> =
        all.iter().copied().filter(|id| is(id, &|p| !p.status.is_terminal())).collect();
    show(world, &mut set, &there, cause);
    for id in all.iter().filter(|id| is(id, &|p| p.status.is_terminal() && p.deletion.is_none())) {
        replicaset::give_up(world, &set.meta, *id, cause);
    }
    let current = |id: &PodId| is(id, &|pod| pod.template.labels.get(REVISION) == Some(&revision));
    match active.first() {
        // The old pod leaves before the new one comes.
        None if there.is_empty() => {
            let name = workload::generated(world, &set.meta.name);
            let mut template = set.template.clone();
            template.labels.insert(REVISION.to_owned(), revision.clone());
            let (message, kind) = (format!("Created pod: {name}"), "DaemonSet");
            workload::create(world, &set.meta, kind, (name, None), template, message, cause);
        }
        Some(id) if !set.on_delete && !current(id) => {
            replicaset::give_up(world, &set.meta, *id, set.cause);
        }
        _ => {}
    }
}

fn show(world: &World, set: &mut DaemonSet, pods: &[PodId], cause: EventId) {
    let (now, revision) = (world.now(), set.revision.to_string());
    let count = |test: &dyn Fn(&Pod) -> bool| {
        pods.iter().filter(|id| world.pod(**id, |pod| test(pod)) == Some(true)).count()
    };
    let ready = count(&Pod::is_ready);
    let updated = count(&|pod| pod.template.labels.get(REVISION) == Some(&revision));
    let available = count(&|pod| workload::is_available(pod, set.min_ready, now));
    let numbers = [1, pods.len().min(1), ready, updated, available].map(|n| n.to_string());
    let mut cells = numbers.to_vec();
    let selector = set.template.spec.node_selector.iter().flatten();
    let selector: Vec<String> = selector.map(|(k, v)| format!("{k}={v}")).collect();
    cells.push(if selector.is_empty() { "<none>".to_owned() } else { selector.join(",") });
    let state = &mut world.st();
    workload::show_row(state, &mut set.meta, cells, cause);
    if let Some(kept) = state.controllers.daemonsets.get_mut(&set.meta.name) {
        kept.meta.row.clone_from(&set.meta.row);
    }
}
