//! A kubelet: per pod one worker, probe workers, a relist of what runs each second, a work queue.
//! Knows the API objects of its pods; knows no controller.

pub(crate) mod actions;
pub(crate) mod backoff;
pub(crate) mod endpoint;
pub(crate) mod env;
pub(crate) mod evict;
pub(crate) mod exec;
pub(crate) mod image;
pub(crate) mod kill;
pub(crate) mod notices;
pub(crate) mod outage;
pub(crate) mod pressure;
pub(crate) mod prober;
pub(crate) mod publish;
pub(crate) mod restart_all;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod usage;
pub(crate) mod volumes;
pub(crate) mod worker;

use super::model::{Pod, PodId, RecordState};
use super::world::World;
use crate::time::SimTime;
use crate::trace::EventId;

const RELIST: SimTime = SimTime::from_secs(1);
const TICK: SimTime = SimTime::from_secs(1);

/// Starts the loops that concern all pods.
pub(crate) fn start(world: &World) {
    let (one, two, three, four) = (world.clone(), world.clone(), world.clone(), world.clone());
    world.clock.spawn(async move { relist_loop(one).await });
    world.clock.spawn(async move { tick_loop(two).await });
    world.clock.spawn(async move { evict::run(three).await });
    world.clock.spawn(async move { usage::run(four).await });
}

/// A pod was bound to this node.
pub(crate) fn adopt(world: &World, id: PodId, cause: EventId) {
    let frozen = outage::is_off(world, id);
    world.pod(id, |pod| {
        pod.kubelet.wanted = Some(cause);
        pod.kubelet.frozen = frozen;
    });
    let copy = world.clone();
    world.clock.spawn(async move { worker::run(copy, id).await });
}

/// Asks for a sync of this pod; asking twice before it begins is asking once.
pub(crate) fn want_sync(world: &World, id: PodId, cause: EventId) {
    world.pod(id, |pod| pod.kubelet.wanted = Some(cause));
    raise(world, id);
}

pub(crate) fn raise(world: &World, id: PodId) {
    let flag = world.pod(id, |pod| pod.flag.clone());
    if let Some(flag) = flag {
        flag.raise(&world.clock);
    }
}

/// Waits for something to happen to this pod, or for `deadline`.
pub(crate) async fn happens(world: &World, id: PodId, deadline: SimTime) {
    if let Some(flag) = world.pod(id, |pod| pod.flag.clone()) {
        flag.raised(&world.clock, deadline).await;
    }
}

/// Waits for a look at the runtime that is newer than `since`.
// Models pkg/kubelet/container/cache.go GetNewerThan (v1.36).
pub(crate) async fn newer_than(world: &World, id: PodId, since: SimTime) {
    loop {
        let relisted = world.st().relisted_at;
        let seen = world.pod(id, |pod| pod.kubelet.seen_at);
        let fresh = seen.is_none_or(|seen| seen.max(relisted) > since);
        world.pod(id, |pod| pod.kubelet.awaits_look = !fresh);
        if fresh {
            return;
        }
        happens(world, id, SimTime::MAX).await;
    }
}

/// What the relist tells is news: something runs or ended that was not seen so before.
fn is_news(pod: &Pod) -> Option<EventId> {
    let (seen, actual) = (&pod.kubelet.seen, &pod.kubelet.actual);
    if seen.sandbox != actual.sandbox {
        return Some(pod.changed_by);
    }
    let changed = actual.records.iter().filter_map(|(name, list)| {
        let newest = list.last()?;
        let known = seen
            .newest(name)
            .is_some_and(|s| (s.state, s.restart_count) == (newest.state, newest.restart_count));
        (!known && newest.state != RecordState::Created).then_some(newest.event)
    });
    changed.max()
}

/// Looks at one pod's containers now.
pub(crate) fn relist(world: &World, id: PodId) {
    let now = world.now();
    if world.pod(id, |pod| pod.kubelet.frozen) == Some(true) {
        return;
    }
    let news = world.pod(id, |pod| {
        let news = is_news(pod);
        if pod.kubelet.seen != pod.kubelet.actual {
            pod.kubelet.seen = pod.kubelet.actual.clone();
        }
        pod.kubelet.seen_at = now;
        news
    });
    if let Some(cause) = news.flatten() {
        want_sync(world, id, cause);
    }
}

// Models pkg/kubelet/pleg/generic.go Relist (v1.36).
async fn relist_loop(world: World) {
    let phase = world.st().phase();
    world.clock.sleep_until(phase).await;
    loop {
        let now = world.now();
        world.st().relisted_at = now;
        let ids: Vec<PodId> = world.st().pods.keys().copied().collect();
        for id in ids {
            relist(&world, id);
            // Only who waits for this look, or keeps volumes fresh, has anything to do now.
            let waits = |pod: &mut Pod| pod.kubelet.awaits_look || !pod.kubelet.volumes.is_empty();
            if world.pod(id, waits) == Some(true) {
                raise(&world, id);
            }
        }
        world.clock.sleep(RELIST).await;
    }
}

// Models pkg/kubelet/kubelet.go syncLoopIteration and its work queue (v1.36).
async fn tick_loop(world: World) {
    let phase = world.st().phase();
    world.clock.sleep_until(SimTime(phase.0 + 50_000)).await;
    loop {
        let now = world.now();
        let mut due = Vec::new();
        for (id, pod) in world.st().pods.iter_mut().filter(|(_, pod)| !pod.kubelet.frozen) {
            let queued = pod.kubelet.work_at.is_some_and(|at| at <= now);
            if queued {
                pod.kubelet.work_at = None;
            }
            if queued || deadline_passed(pod, now) {
                due.push((*id, pod.changed_by));
            }
        }
        for (id, cause) in due {
            want_sync(&world, id, cause);
        }
        world.clock.sleep(TICK).await;
    }
}

// Models pkg/kubelet/active_deadline.go (v1.36).
pub(crate) fn deadline_passed(pod: &Pod, now: SimTime) -> bool {
    let Some(secs) = pod.template.spec.active_deadline_seconds else { return false };
    let Some(start) = pod.status.start_time else { return false };
    !pod.status.is_terminal()
        && !pod.kubelet.terminating
        && pod.kubelet.ending.is_none()
        && now >= start + SimTime::from_secs(secs.max(0) as u64)
}
