//! One pod's worker: sync, then terminating, then terminated, never back; one thing at a time.

use super::{actions, happens, kill, newer_than, outage, publish, raise, start, volumes};
use crate::sim::control::{api, finalizers, job};
use crate::sim::model::{Ending, PodId};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, State};

/// What a sync came to.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) failed: bool,
    pub(crate) acted: bool,
    pub(crate) terminal: bool,
    /// When the first back-off that stopped it ends.
    pub(crate) back_off_ends: Option<SimTime>,
}

const RESYNC: SimTime = SimTime::from_secs(60);
const RETRY: SimTime = SimTime::from_secs(10);

// Models pkg/kubelet/pod_workers.go podWorkerLoop and completeWork (v1.36).
pub(crate) async fn run(world: World, id: PodId) {
    let mut last_sync = SimTime::ZERO;
    loop {
        outage::powered(&world, id).await;
        let Some(ends) = world.pod(id, must_end) else { return };
        if ends {
            break;
        }
        let Some(cause) = world.pod(id, |pod| pod.kubelet.wanted.take()).flatten() else {
            happens(&world, id, SimTime::MAX).await;
            continue;
        };
        if last_sync > SimTime::ZERO {
            newer_than(&world, id, last_sync).await;
        }
        // What came while it waited is looked at too, and is the better reason.
        let newer = world.pod(id, |pod| pod.kubelet.wanted).flatten();
        let cause = newer.unwrap_or(cause);
        let outcome = sync(&world, id, cause).await;
        last_sync = world.now();
        if outcome.terminal {
            break;
        }
        complete(&world, id, &outcome);
        if outcome.acted && !outcome.failed {
            // PLEGOnDemandRelist, on by default from 1.36: what just started is seen at once,
            // what ends right after only by the next look at all pods.
            last_sync = SimTime(last_sync.0.saturating_sub(1));
            super::relist(&world, id);
        }
    }
    terminate(&world, id, last_sync).await;
}

fn must_end(pod: &mut crate::sim::model::Pod) -> bool {
    pod.deletion.is_some() || pod.kubelet.ending.is_some()
}

/// Whether the pod is to end, so that what takes time now is given up.
pub(crate) fn ends(world: &World, id: PodId) -> bool {
    world.pod(id, must_end).unwrap_or(true)
}

fn complete(world: &World, id: PodId, outcome: &Outcome) {
    let now = world.now();
    let span = match (outcome.failed, outcome.back_off_ends) {
        (false, _) => RESYNC,
        (true, Some(ends)) => (ends - now).min(RESYNC),
        (true, None) => RETRY,
    };
    let at = now + world.st().jittered(span);
    world.pod(id, |pod| pod.kubelet.work_at = Some(at));
}

// Models pkg/kubelet/kubelet.go SyncPod (v1.36): the status is told before anything is done.
async fn sync(world: &World, id: PodId, cause: EventId) -> Outcome {
    let passed = world.pod(id, |pod| super::deadline_passed(pod, pod_now(world)));
    if passed == Some(true) {
        end_by_deadline(world, id);
    }
    let status = publish::refresh(world, id, false, cause);
    if status.is_terminal() {
        return Outcome { terminal: true, ..Outcome::default() };
    }
    let mut outcome = Outcome::default();
    if !volumes::wait(world, id, cause).await {
        outcome.failed = !ends(world, id);
        return outcome;
    }
    world.pod(id, |pod| pod.kubelet.n_syncs += 1);
    super::raise(world, id);
    let Some(plan) = world.pod(id, |pod| actions::compute(pod)) else { return outcome };
    super::prober::add_pod(world, id);
    outcome.acted = !plan.is_empty();
    if plan.kill_pod {
        let grace = world.pod(id, |pod| pod.grace_secs()).unwrap_or(30);
        kill::pod(world, id, grace, cause).await;
        stop_sandbox(world, id).await;
        return outcome;
    }
    if plan.reset {
        super::restart_all::reset(world, id, cause).await;
        return outcome;
    }
    for victim in &plan.kills {
        kill::one(world, id, victim, cause).await;
    }
    if plan.create_sandbox {
        make_sandbox(world, id, cause).await;
    }
    start::all(world, id, &plan, cause, &mut outcome).await;
    outcome
}

fn pod_now(world: &World) -> SimTime {
    world.clock.now()
}

/// `activeDeadlineSeconds` has passed.
fn end_by_deadline(world: &World, id: PodId) {
    let message = "Pod was active on the node longer than the specified deadline".to_owned();
    let mut state = world.st();
    let Some(pod) = state.pods.get(&id) else { return };
    let (grace_secs, started_by) = (pod.grace_secs(), pod.created_by);
    let event = state.report(id, None, "DeadlineExceeded", message.clone(), Some(started_by));
    let ending = Ending { reason: "DeadlineExceeded", message, grace_secs, event };
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.kubelet.ending = Some(ending);
    }
}

async fn make_sandbox(world: &World, id: PodId, cause: EventId) {
    if world.pod(id, |pod| pod.kubelet.seen.had_sandbox) == Some(true) {
        let message = "Pod sandbox changed, it will be killed and re-created.".to_owned();
        world.st().report(id, None, "SandboxChanged", message, Some(cause));
    }
    world.pause(400).await;
    if ends(world, id) || world.pod(id, |pod| pod.kubelet.frozen) == Some(true) {
        return;
    }
    let Some(spec) = world.pod(id, |pod| super::env::sandbox(pod)) else { return };
    let sandbox = world.rt().sandbox(&spec);
    world.pod(id, |pod| {
        pod.kubelet.sandbox = Some(sandbox);
        pod.kubelet.actual.sandbox = true;
        pod.kubelet.actual.had_sandbox = true;
    });
    let state = &mut world.st();
    let kind = "PodReadyToStartContainers";
    publish::set_condition(state, id, kind, true, None, None, cause);
}

async fn stop_sandbox(world: &World, id: PodId) {
    world.pause(60).await;
    let sandbox = world.pod(id, |pod| {
        pod.kubelet.actual.sandbox = false;
        pod.kubelet.sandbox.take()
    });
    if let Some(sandbox) = sandbox.flatten() {
        let now = world.now();
        world.rt().remove(now, sandbox);
    }
}

/// Why this pod ends: what the person did, what the kubelet found, or its last container's end.
fn cause_of_end(world: &World, id: PodId) -> EventId {
    let cause = world.pod(id, |pod| {
        let ending = pod.kubelet.ending.as_ref().map(|e| e.event);
        pod.deletion.map(|d| d.event).or(ending).unwrap_or(pod.changed_by)
    });
    cause.unwrap_or(EventId(0))
}

// Models pkg/kubelet/kubelet.go SyncTerminatingPod and SyncTerminatedPod (v1.36).
async fn terminate(world: &World, id: PodId, last_sync: SimTime) {
    outage::powered(world, id).await;
    newer_than(world, id, last_sync).await;
    let cause = cause_of_end(world, id);
    world.pod(id, |pod| pod.kubelet.terminating = true);
    publish::refresh(world, id, false, cause);
    let grace = world.pod(id, |pod| {
        let ending = pod.kubelet.ending.as_ref().map(|e| e.grace_secs);
        pod.deletion.map(|d| d.grace_secs).or(ending).unwrap_or(pod.grace_secs())
    });
    kill::pod(world, id, grace.unwrap_or(30), cause).await;
    outage::powered(world, id).await;
    world.pause(100).await;
    stop_sandbox(world, id).await;
    super::prober::stop_all(world, id);
    world.pod(id, |pod| {
        pod.kubelet.seen = pod.kubelet.actual.clone();
        pod.kubelet.stopped = true;
    });
    publish::refresh(world, id, true, cause);
    let last_sync = world.now();
    outage::powered(world, id).await;
    newer_than(world, id, last_sync).await;
    settle(world, id, cause);
    while stays(world, id) {
        happens(world, id, SimTime::MAX).await;
    }
    api::remove_pod(world, id);
    raise(world, id);
    world.st().forget(id);
}

/// Whether the object of a pod that ended is kept.
fn stays(world: &World, id: PodId) -> bool {
    let state = world.st();
    let deleted = state.pods.get(&id).is_none_or(|pod| pod.deletion.is_some());
    !deleted || job::awaits_count(&state, id) || finalizers::hold_pod(&state, id)
}

/// Containers nobody ever saw end are shown as lost, and the pod's phase is final.
// Models pkg/kubelet/status/status_manager.go TerminatePod (v1.36).
fn settle(world: &World, id: PodId, cause: EventId) {
    publish::refresh(world, id, true, cause);
    let now = world.now();
    let found = world.pod(id, |pod| {
        let initialized = pod.deletion.map_or(pod.has_no_inits(), |d| d.initialized);
        (pod.status.clone(), pod.containers.clone(), initialized)
    });
    let Some((mut status, containers, initialized)) = found else { return };
    let tried = containers.iter().rposition(|c| {
        let one = status.containers.get(&c.name).filter(|_| c.is_init());
        one.is_some_and(|s| s.last.is_some() || !matches!(s.state, State::Waiting { .. }))
    });
    for (idx, container) in containers.iter().enumerate() {
        let Some(one) = status.containers.get_mut(&container.name) else { continue };
        if container.is_ephemeral() {
            continue;
        }
        // Init containers come first: those after the last one that was tried just never ran.
        let lost = if container.is_init() { idx <= tried.unwrap_or(0) } else { initialized };
        if lost && !matches!(one.state, State::Terminated { .. }) {
            let message = "The container could not be located when the pod was terminated";
            one.state = State::Terminated {
                reason: "ContainerStatusUnknown".to_owned(),
                exit_code: 137,
                message: Some(message.to_owned()),
                started_at: now,
                finished_at: now,
            };
            (one.ready, one.started) = (false, false);
        }
    }
    if !status.is_terminal() {
        status.phase = "Failed";
    }
    publish::publish(&mut world.st(), id, status, cause);
}
