//! What the cluster measures of its pods: a metrics server that looks at all containers every
//! fifteen seconds. The numbers are the runtime's.

use crate::sim::model::{PodId, RecordState};
use crate::sim::runtime::Handle;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::Name;
use std::collections::BTreeMap;

/// How often the metrics server looks, and when it does so first.
// Models kubernetes-sigs/metrics-server --metric-resolution (0.8).
const RESOLUTION: SimTime = SimTime::from_secs(15);
const PHASE: SimTime = SimTime::from_secs(12);
/// A container this old is measured from its start on, when it is new to the metrics server.
const FRESH: SimTime = SimTime::from_secs(10);

#[derive(Default)]
pub(crate) struct Metrics {
    /// When each container was looked at last, and its processor time then.
    last: BTreeMap<Handle, (SimTime, SimTime)>,
    pub(super) pods: BTreeMap<PodId, Sample>,
}

/// One look at a pod.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) at: SimTime,
    pub(super) window: SimTime,
    /// Processors in thousandths and bytes, by container.
    pub(super) containers: BTreeMap<Name, (i64, i64)>,
}

/// Looks again and again, for as long as the run lasts.
pub(super) async fn run(world: World) {
    world.clock.sleep(PHASE).await;
    loop {
        scrape(&world);
        world.clock.sleep(RESOLUTION).await;
    }
}

fn scrape(world: &World) {
    let mut running: BTreeMap<PodId, Vec<(Name, Handle, SimTime)>> = BTreeMap::new();
    for pod in world.st().pods.values().filter(|pod| !pod.removed) {
        for (name, records) in &pod.kubelet.actual.records {
            let newest = records.last().filter(|r| r.state == RecordState::Running);
            let Some((record, handle)) = newest.and_then(|r| Some((r, r.handle?))) else {
                continue;
            };
            let list = running.entry(pod.id).or_default();
            list.push((name.clone(), handle, record.started_at));
        }
    }
    let mut metrics = std::mem::take(&mut world.st().controllers.scalers.metrics);
    metrics.pods.retain(|id, _| running.contains_key(id));
    for (id, containers) in running {
        match sample(world, &mut metrics.last, &containers) {
            Some(sample) => drop(metrics.pods.insert(id, sample)),
            // A container without two points leaves its whole pod out.
            None => drop(metrics.pods.remove(&id)),
        }
    }
    world.st().controllers.scalers.metrics = metrics;
}

fn sample(
    world: &World,
    last: &mut BTreeMap<Handle, (SimTime, SimTime)>,
    containers: &[(Name, Handle, SimTime)],
) -> Option<Sample> {
    let now = world.now();
    let mut sample = Some(Sample { at: now, window: RESOLUTION, containers: BTreeMap::new() });
    for (name, handle, started_at) in containers {
        let (total, bytes) = world.rt().consumed(*handle)?;
        let old_enough = now >= *started_at + FRESH;
        let before = last.insert(*handle, (now, total));
        let before = before.or_else(|| old_enough.then_some((*started_at, SimTime::ZERO)));
        let Some((since, spent)) = before else {
            sample = None;
            continue;
        };
        let span = (now - since).0.max(1);
        let millis = ((total - spent).0 * 1000).div_ceil(span);
        if let Some(sample) = &mut sample {
            sample.window = sample.window.min(now - since);
            sample.containers.insert(name.clone(), (millis as i64, bytes as i64));
        }
    }
    sample
}
