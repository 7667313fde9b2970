//! Eviction for too much local storage: looked at every ten seconds.

use crate::sim::model::{Ending, Pod, PodId};
use crate::sim::quantity;
use crate::sim::world::World;
use crate::time::SimTime;
use k8s_openapi::api::core::v1 as core;

const PERIOD: SimTime = SimTime::from_secs(10);
/// What evicted pods are given; the runtime's minimum comes on top.
const GRACE_SECS: u64 = 1;

// Models pkg/kubelet/eviction/eviction_manager.go localStorageEviction (v1.36).
pub(crate) async fn run(world: World) {
    loop {
        world.clock.sleep(PERIOD).await;
        let ids: Vec<PodId> = world.st().pods.keys().copied().collect();
        for id in ids {
            if let Some((message, path)) = over_limit(&world, id) {
                evict(&world, id, message, &path);
            }
        }
    }
}

fn over_limit(world: &World, id: PodId) -> Option<(String, String)> {
    let volumes = world.pod(id, |pod| {
        let live = !pod.status.is_terminal() && pod.kubelet.ending.is_none();
        let spec = pod.template.spec.clone();
        live.then(|| (spec, pod.kubelet.volumes.clone()))
    });
    let (spec, handles) = volumes.flatten()?;
    for (idx, volume) in spec.volumes.iter().flatten().enumerate() {
        let Some(limit) = limit_of(volume) else { continue };
        let Some(handle) = handles.get(volume.name.as_str()) else { continue };
        let used = world.rt().usage(*handle);
        let (bytes, text) = limit;
        if used > bytes {
            let name = &volume.name;
            let message =
                format!("Usage of EmptyDir volume \"{name}\" exceeds the limit \"{text}\". ");
            return Some((message, format!("spec.volumes[{idx}].emptyDir.sizeLimit")));
        }
    }
    None
}

fn limit_of(volume: &core::Volume) -> Option<(u64, String)> {
    let limit = volume.empty_dir.as_ref()?.size_limit.as_ref()?;
    Some((quantity::units_of(limit)?, limit.0.clone())).filter(|(bytes, _)| *bytes > 0)
}

fn evict(world: &World, id: PodId, message: String, path: &str) {
    let mut state = world.st();
    let origin = |pod: &Pod| pod.span(path);
    let Some(pod) = state.pods.get(&id) else { return };
    let (subject, cause, origin) = (pod.subject(), pod.created_by, origin(pod));
    let what = crate::trace::What::Reported {
        warning: true,
        reason: "Evicted".into(),
        field_path: None,
        message: message.clone(),
    };
    let event = state.emit(subject, what, Some(cause), origin);
    let ending = Ending { reason: "Evicted", message, grace_secs: GRACE_SECS, event };
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.kubelet.ending = Some(ending);
    }
    drop(state);
    super::raise(world, id);
}
