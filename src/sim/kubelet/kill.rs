//! Stopping containers: preStop hook, turn, signal, grace, and at last SIGKILL.

use super::actions::Victim;
use super::start::run_hook;
use crate::sim::images;
use crate::sim::model::{Container, PodId, RecordState};
use crate::sim::runtime::Handle;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, HookKind, Name, ProbeKind, What};
use std::cell::Cell;
use std::rc::Rc;

/// The runtime always gets this long, whatever the pod says.
const MIN_GRACE_SECS: u64 = 2;

/// Stops one container of a pod that lives on.
pub(crate) async fn one(world: &World, id: PodId, victim: &Victim, cause: EventId) {
    let found = world.pod(id, |pod| {
        let container = pod.container(&victim.name)?.clone();
        let grace = probe_grace(&container, victim.probe).unwrap_or(pod.grace_secs());
        Some((container, grace))
    });
    let Some((container, grace)) = found.flatten() else { return };
    let cause = match victim.probe {
        Some(kind) => world
            .pod(id, |pod| pod.kubelet.probers.verdict_event(&victim.name, kind))
            .flatten()
            .unwrap_or(cause),
        None => cause,
    };
    let how = How { message: victim.message.clone(), grace_secs: grace, ordered: false };
    container_with(world, id, &container, &how, cause).await;
}

/// Stops one container without a hook and with the shortest grace, where it runs.
pub(crate) async fn at_once(world: &World, id: PodId, name: &Name, cause: EventId) {
    let found = world.pod(id, |pod| {
        let running = pod.kubelet.actual.is_running(name);
        pod.container(name).filter(|_| running).cloned()
    });
    let Some(container) = found.flatten() else { return };
    let how = How { message: "killing".to_owned(), grace_secs: 0, ordered: false };
    container_with(world, id, &container, &how, cause).await;
}

fn probe_grace(container: &Container, probe: Option<ProbeKind>) -> Option<u64> {
    let spec = match probe? {
        ProbeKind::Liveness => container.spec.liveness_probe.as_ref(),
        ProbeKind::Startup => container.spec.startup_probe.as_ref(),
        ProbeKind::Readiness => None,
    };
    spec?.termination_grace_period_seconds.map(|secs| secs.max(0) as u64)
}

/// Stops all running containers, each in its own time, sidecars last and in reverse order.
// Models pkg/kubelet/kuberuntime killContainersWithSyncResult (v1.36).
pub(crate) async fn pod(world: &World, id: PodId, grace_secs: u64, cause: EventId) {
    let Some(containers) = world.pod(id, |pod| pod.containers.clone()) else { return };
    let is_running =
        |name: &Name| world.pod(id, |pod| pod.kubelet.actual.is_running(name)).unwrap_or(false);
    let left = Rc::new(Cell::new(0usize));
    for container in containers.iter().filter(|c| is_running(&c.name)) {
        left.set(left.get() + 1);
        let message = format!("Stopping container {}", container.name);
        let how = How { message, grace_secs, ordered: true };
        let (world, container, left) = (world.clone(), container.clone(), left.clone());
        world.clone().clock.spawn(async move {
            container_with(&world, id, &container, &how, cause).await;
            left.set(left.get() - 1);
            super::raise(&world, id);
        });
    }
    while left.get() > 0 {
        super::happens(world, id, SimTime::MAX).await;
    }
}

struct How {
    message: String,
    grace_secs: u64,
    ordered: bool,
}

// Models pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer (v1.36).
async fn container_with(
    world: &World,
    id: PodId,
    container: &Container,
    how: &How,
    cause: EventId,
) {
    let started = world.now();
    let left = |now: SimTime| how.grace_secs.saturating_sub((now - started).as_secs());
    let message = how.message.clone();
    let killing = world.st().report(id, Some(container), "Killing", message, Some(cause));
    let hook = container.spec.lifecycle.as_ref().and_then(|l| l.pre_stop.as_ref());
    if let Some(hook) = hook.filter(|_| how.grace_secs > 0) {
        let deadline = started + SimTime::from_secs(how.grace_secs);
        let error = run_hook(world, id, container, HookKind::PreStop, hook, deadline).await;
        if let Some(error) = error {
            let text = "PreStopHook failed".to_owned();
            let cause = Some(error.event);
            world.st().report(id, Some(container), "FailedPreStopHook", text, cause);
        }
    }
    if how.ordered {
        let deadline = started + SimTime::from_secs(how.grace_secs);
        wait_for_turn(world, id, container, deadline).await;
    }
    let grace = left(world.now()).max(MIN_GRACE_SECS);
    let grace = shortened(world, id, started).map_or(grace, |g| g.min(grace));
    stop(world, id, container, SimTime::from_secs(grace), killing).await;
}

/// A second, shorter deletion cuts the grace that is left.
fn shortened(world: &World, id: PodId, started: SimTime) -> Option<u64> {
    let deletion = world.pod(id, |pod| pod.deletion).flatten()?;
    let used = (world.now() - started).as_secs();
    Some(deletion.grace_secs.saturating_sub(used).max(MIN_GRACE_SECS))
}

/// A sidecar waits for all main containers and for the sidecars listed after it.
// Models pkg/kubelet/kuberuntime/kuberuntime_termination_order.go (v1.36).
async fn wait_for_turn(world: &World, id: PodId, container: &Container, deadline: SimTime) {
    if !container.is_sidecar() {
        return;
    }
    loop {
        let waits = world.pod(id, |pod| {
            let mut later = false;
            pod.containers.iter().any(|other| {
                let before = later;
                later |= other.name == container.name;
                let counts = other.is_main() || (other.is_sidecar() && before);
                counts && pod.kubelet.actual.is_running(&other.name)
            })
        });
        if waits != Some(true) || world.now() >= deadline {
            return;
        }
        super::happens(world, id, deadline).await;
    }
}

/// The stop signal, then patience, then SIGKILL.
async fn stop(world: &World, id: PodId, container: &Container, grace: SimTime, cause: EventId) {
    let lifecycle = container.spec.lifecycle.as_ref();
    let own = lifecycle.and_then(|l| l.stop_signal.as_deref());
    let image = images::find(container.image()).map(|i| i.stop_signal);
    let signal = own.or(image).unwrap_or("TERM").trim_start_matches("SIG");
    let Some(handle) = send(world, id, container, signal, cause) else { return };
    let until = world.now() + grace;
    let subject = world.pod(id, |pod| pod.container_subject(&container.name));
    if let Some(subject) = subject {
        world.st().emit(subject, What::Grace { until }, Some(cause), None);
    }
    if await_end(world, id, &container.name, handle, until).await {
        return;
    }
    let sent = world.pod(id, |pod| pod.kubelet.actual.newest(&container.name).map(|r| r.event));
    let sent = sent.flatten().unwrap_or(cause);
    send(world, id, container, "KILL", sent);
    await_end(world, id, &container.name, handle, until + SimTime::from_secs(1)).await;
}

/// Sends a signal to the container's first process, if that still runs.
fn send(
    world: &World,
    id: PodId,
    container: &Container,
    signal: &str,
    cause: EventId,
) -> Option<Handle> {
    let found = world.pod(id, |pod| {
        let newest = pod.kubelet.actual.newest(&container.name)?;
        let running = newest.state == RecordState::Running;
        let origin = pod.span("spec.terminationGracePeriodSeconds");
        let subject = pod.container_subject(&container.name);
        running.then_some((newest.handle?, subject, origin))
    });
    let (handle, subject, origin) = found.flatten()?;
    let what = What::Signalled { signal: signal.into() };
    let event = world.st().emit(subject, what, Some(cause), origin);
    world.pod(id, |pod| {
        let records = pod.kubelet.actual.records.get_mut(&container.name);
        if let Some(newest) = records.and_then(|list| list.last_mut()) {
            newest.event = event;
        }
    });
    let now = world.now();
    world.rt().signal(now, handle, signal);
    Some(handle)
}

async fn await_end(world: &World, id: PodId, name: &Name, handle: Handle, until: SimTime) -> bool {
    loop {
        let runs = world.pod(id, |pod| {
            let newest = pod.kubelet.actual.newest(name);
            newest.is_some_and(|r| r.handle == Some(handle) && r.state == RecordState::Running)
        });
        if runs != Some(true) {
            return true;
        }
        if world.now() >= until {
            return false;
        }
        super::happens(world, id, until).await;
    }
}
