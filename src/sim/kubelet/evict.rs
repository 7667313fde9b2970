//! Eviction for too much local storage: looked at every ten seconds.

use crate::kube::quantity::Quantity;
use crate::sim::control::node::Node;
use crate::sim::control::{fit, work};
use crate::sim::model::{Container, Ending, Pod, PodId};
use crate::sim::quantity;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::EventId;
use k8s_openapi::api::core::v1 as core;

const PERIOD: SimTime = SimTime::from_secs(10);
/// Volumes are measured by a loop of their own: first within a minute of the pod's start, then
/// after one to two minutes each time. These are the means.
// Models pkg/kubelet/server/stats fs_resource_analyzer.go and volume_stat_calculator.go (v1.36).
const FIRST_MEASURE: SimTime = SimTime::from_secs(25);
const NEXT_MEASURE: SimTime = SimTime::from_secs(90);
/// What evicted pods are given; the runtime's minimum comes on top.
const GRACE_SECS: u64 = 1;

// Models pkg/kubelet/eviction/eviction_manager.go localStorageEviction (v1.36).
pub(crate) async fn run(world: World) {
    loop {
        world.clock.sleep(PERIOD).await;
        let ids: Vec<PodId> = world.st().pods.keys().copied().collect();
        for id in ids {
            measure(&world, id);
            if let Some((message, path)) = over_limit(&world, id) {
                evict(&world, id, message, &path, None);
            }
        }
        // Only nodes this small can be filled by what runs here.
        let is_tight = world.st().nodes.iter().any(Node::is_tight);
        if is_tight && let Some(work) = work() {
            (work.pressure)(&world);
        }
    }
}

/// Takes down what the volumes of a pod hold, if it is time to.
fn measure(world: &World, id: PodId) {
    let now = world.now();
    let due = world.pod(id, |pod| {
        let first = pod.status.start_time? + FIRST_MEASURE;
        let books = &mut pod.kubelet;
        let due = now >= *books.measure_at.get_or_insert(first);
        if due {
            books.measure_at = Some(now + NEXT_MEASURE);
        }
        due.then(|| books.volumes.clone())
    });
    let Some(Some(volumes)) = due else { return };
    let measured = volumes.into_iter().map(|(name, at)| (name, world.rt().usage(at))).collect();
    world.pod(id, |pod| pod.kubelet.measured = measured);
}

/// The message and the field of the limit a pod is over: volumes first, then the pod, then its
/// containers.
fn over_limit(world: &World, id: PodId) -> Option<(String, String)> {
    let (spec, measured, containers, runs) = world
        .pod(id, |pod| {
            let live = !pod.status.is_terminal() && pod.kubelet.ending.is_none();
            let spec = pod.template.spec.clone();
            let newest = |c: &Container| pod.kubelet.actual.newest(&c.name)?.handle;
            let runs: Vec<_> = pod.containers.iter().map(newest).collect();
            live.then(|| (spec, pod.kubelet.measured.clone(), pod.containers.clone(), runs))
        })
        .flatten()?;
    let used = |name: &str| measured.get(name).copied().unwrap_or(0);
    for (idx, volume) in spec.volumes.iter().flatten().enumerate() {
        let Some((bytes, text)) = limit_of(volume) else { continue };
        if used(&volume.name) > bytes {
            let name = &volume.name;
            let message =
                format!("Usage of EmptyDir volume \"{name}\" exceeds the limit \"{text}\". ");
            return Some((message, format!("spec.volumes[{idx}].emptyDir.sizeLimit")));
        }
    }
    let storage = |c: &Container| {
        let limits = c.spec.resources.as_ref()?.limits.as_ref()?;
        limits.get("ephemeral-storage").and_then(quantity::units_of)
    };
    if containers.iter().all(|c| storage(c).is_none()) {
        return None;
    }
    let field = |c: &Container| format!("{}.resources.limits", c.path);
    let written = |idx: usize| {
        let run = runs.get(idx).copied().flatten();
        run.map_or(0, |run| world.rt().written(run))
    };
    let on_disk = spec.volumes.iter().flatten().filter(|v| {
        v.empty_dir.as_ref().is_some_and(|dir| dir.medium.as_deref() != Some("Memory"))
    });
    let volumes: u64 = on_disk.map(|v| used(&v.name)).sum();
    let total = volumes + (0..containers.len()).map(written).sum::<u64>();
    let limit = fit::total(&containers, storage);
    let limited = || containers.iter().enumerate().filter(|(_, c)| storage(c).is_some());
    if total > limit {
        let limit = Quantity::from_bytes(i64::try_from(limit).unwrap_or(i64::MAX));
        let message = format!(
            "Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "
        );
        return limited().next().map(|(_, c)| (message, field(c)));
    }
    let mut mains = limited().filter(|(_, c)| c.is_main());
    let (_, over) = mains.find(|(idx, c)| storage(c).is_some_and(|most| written(*idx) > most))?;
    let most = storage(over).and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX);
    let message = format!(
        "Container {} exceeded its local ephemeral storage limit \"{}\". ",
        over.name,
        Quantity::from_bytes(most)
    );
    Some((message, field(over)))
}

fn limit_of(volume: &core::Volume) -> Option<(u64, String)> {
    let limit = volume.empty_dir.as_ref()?.size_limit.as_ref()?;
    Some((quantity::units_of(limit)?, limit.0.clone())).filter(|(bytes, _)| *bytes > 0)
}

/// Ends a pod for what it or its node has too little of, for `cause` or for its own sake.
pub(super) fn evict(world: &World, id: PodId, message: String, path: &str, cause: Option<EventId>) {
    let mut state = world.st();
    let origin = |pod: &Pod| pod.span(path);
    let Some(pod) = state.pods.get(&id) else { return };
    let (subject, own, origin) = (pod.subject(), pod.created_by, origin(pod));
    let what = crate::trace::What::Reported {
        warning: true,
        reason: "Evicted".into(),
        field_path: None,
        message: message.clone(),
    };
    let event = state.emit(subject, what, cause.or(Some(own)), origin);
    let ending = Ending { reason: "Evicted", message, grace_secs: GRACE_SECS, event };
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.kubelet.ending = Some(ending);
    }
    drop(state);
    super::raise(world, id);
}
