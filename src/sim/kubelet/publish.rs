//! From a computed status to what the API server shows, one event for each change.

use crate::sim::model::{Condition, PodId, Status};
use crate::sim::row;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{ContainerStatus, EventId, Name, What};

/// Computes and publishes the status of a pod.
pub(crate) fn refresh(world: &World, id: PodId, terminal: bool, cause: EventId) -> Status {
    let now = world.now();
    let made = world.pod(id, |pod| {
        pod.kubelet.observed = pod.generation;
        super::status::generate(pod, terminal, now)
    });
    let Some(mut status) = made else { return Status::default() };
    deadline_again(world, id);
    let whole = status.clone();
    merge(&mut world.st(), id, &mut status);
    publish(&mut world.st(), id, status, cause);
    super::prober::after_status(world, id);
    whole
}

/// Each time a status is computed for a pod past its deadline, that is told again.
// Models pkg/kubelet/active_deadline.go ShouldEvict (v1.36).
fn deadline_again(world: &World, id: PodId) {
    let ending = world.pod(id, |pod| pod.kubelet.ending.clone()).flatten();
    let Some(ending) = ending.filter(|e| e.reason == "DeadlineExceeded") else { return };
    if world.pod(id, |pod| std::mem::replace(&mut pod.kubelet.deadline_told, true)) == Some(true) {
        world.st().report(id, None, ending.reason, ending.message, Some(ending.event));
    }
}

/// A phase that ends a pod is held back while a container may still run.
// Models pkg/kubelet/status/status_manager.go mergePodStatus (v1.36).
fn merge(state: &mut State, id: PodId, status: &mut Status) {
    let Some(pod) = state.pods.get(&id) else { return };
    if status.is_terminal() && !pod.status.is_terminal() && !pod.kubelet.stopped {
        status.phase = pod.status.phase;
        status.reason.clone_from(&pod.status.reason);
        status.message.clone_from(&pod.status.message);
    }
}

/// Shows `status`; what did not change is not told again.
pub(crate) fn publish(state: &mut State, id: PodId, mut status: Status, cause: EventId) {
    let now = state.now();
    let Some(pod) = state.pods.get_mut(&id) else { return };
    if pod.removed {
        return;
    }
    for condition in &mut status.conditions {
        if condition.since == SimTime::MAX {
            condition.since = now;
        }
    }
    let old = std::mem::replace(&mut pod.status, status.clone());
    if old == status {
        return;
    }
    let mut last = cause;
    for (name, one) in &status.containers {
        if old.containers.get(name) != Some(one) {
            last = tell_container(state, id, name, one, cause).max(last);
        }
    }
    for condition in &status.conditions {
        let before = old.condition(condition.kind);
        let same = |b: &Condition| b.status == condition.status && b.reason == condition.reason;
        if !before.is_some_and(same) {
            tell_condition(state, id, condition, last);
        }
    }
    if old.phase != status.phase {
        let phase = status.phase.to_owned();
        last = tell(state, id, What::Phase { phase }, last);
    }
    if (&old.reason, &old.message) != (&status.reason, &status.message) {
        let (reason, message) = (status.reason.clone(), status.message.clone());
        tell(state, id, What::PodReason { reason, message }, last);
    }
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.changed_by = last;
    }
    tell_row(state, id, last);
    state.touch();
}

fn tell(state: &mut State, id: PodId, what: What, cause: EventId) -> EventId {
    let Some(pod) = state.pods.get(&id) else { return cause };
    let subject = pod.subject();
    state.emit(subject, what, Some(cause), None)
}

fn tell_condition(state: &mut State, id: PodId, condition: &Condition, cause: EventId) {
    let what = What::Condition {
        kind: condition.kind.into(),
        status: condition.status,
        reason: condition.reason.map(str::to_owned),
        message: condition.message.clone(),
    };
    tell(state, id, what, cause);
}

/// The cause of a container's status is what happened to the container, where that is known.
fn tell_container(
    state: &mut State,
    id: PodId,
    name: &Name,
    status: &ContainerStatus,
    cause: EventId,
) -> EventId {
    let Some(pod) = state.pods.get(&id) else { return cause };
    let waiting = matches!(status.state, crate::trace::State::Waiting { .. });
    let record = pod.kubelet.seen.newest(name).filter(|_| !waiting);
    let cause = record.map_or(cause, |r| r.event);
    let origin = pod.container(name).and_then(|c| pod.span(&c.path));
    let subject = pod.container_subject(name);
    state.emit(subject, What::Status(status.clone()), Some(cause), origin)
}

/// The line of `kubectl get pods`, where it changed.
pub(crate) fn tell_row(state: &mut State, id: PodId, cause: EventId) {
    let Some(pod) = state.pods.get_mut(&id) else { return };
    let row = row::of(pod);
    if pod.removed || pod.row.as_ref() == Some(&row) {
        return;
    }
    pod.row = Some(row.clone());
    let what = What::Row {
        ready: row.ready,
        total: row.total,
        status: row.status,
        restarts: row.restarts,
        restarted_at: row.restarted_at,
    };
    tell(state, id, what, cause);
}

/// Sets one condition and shows the row that comes of it.
pub(crate) fn set_condition(
    state: &mut State,
    id: PodId,
    kind: &'static str,
    status: bool,
    reason: Option<&'static str>,
    message: Option<String>,
    cause: EventId,
) {
    let since = state.now();
    let Some(pod) = state.pods.get_mut(&id) else { return };
    let condition = Condition { kind, status, reason, message, since };
    match pod.status.conditions.iter_mut().find(|c| c.kind == kind) {
        Some(old) if old.status == status && old.reason == reason => return,
        Some(old) => *old = condition.clone(),
        None => pod.status.conditions.push(condition.clone()),
    }
    tell_condition(state, id, &condition, cause);
    tell_row(state, id, cause);
    state.touch();
}
