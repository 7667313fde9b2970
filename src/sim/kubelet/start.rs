//! Starting the containers a plan names, one after another: image, configuration, create, start,
//! postStart hook.

use super::actions::Plan;
use super::worker::{Outcome, ends};
use super::{backoff, env, exec, image, kill};
use crate::sim::model::{Container, PodId, Record, RecordState, View};
use crate::sim::runtime::Handle;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, HookKind, Role, What};
use k8s_openapi::api::core::v1 as core;

/// Why a container did not start: the waiting reason and its message.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// How many runs of a container the node remembers: the present one and one dead one.
const RECORDS_KEPT: usize = 2;

pub(crate) async fn all(
    world: &World,
    id: PodId,
    plan: &Plan,
    cause: EventId,
    outcome: &mut Outcome,
) {
    let Some((containers, seen)) =
        world.pod(id, |pod| (pod.containers.clone(), pod.kubelet.seen.clone()))
    else {
        return;
    };
    for container in plan.starts.iter().filter_map(|idx| containers.get(*idx)) {
        if ends(world, id) {
            return;
        }
        let result = one(world, id, container, &seen, cause, outcome).await;
        let failed = result.is_err();
        world.pod(id, |pod| match result {
            Ok(()) => pod.kubelet.reasons.remove(&container.name),
            Err(Failure { reason, message }) => {
                let name = container.name.clone();
                pod.kubelet.reasons.insert(name, (reason.to_owned(), message))
            }
        });
        outcome.failed |= failed;
        // A failing init container holds up all that come after it, a failing sidecar nobody.
        if failed && container.role == Role::Init {
            return;
        }
    }
}

// Models pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer (v1.36).
async fn one(
    world: &World,
    id: PodId,
    container: &Container,
    seen: &View,
    cause: EventId,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let last_end = seen.newest(&container.name).map(|r| r.event);
    let cause = last_end.unwrap_or(cause);
    check_back_off(world, id, container, seen, cause, outcome)?;
    let image = image::ensure(world, id, container, cause).await?;
    if ends(world, id) {
        return Ok(());
    }
    let prepared = env::prepare(world, id, container, image);
    let spec = match prepared {
        Ok(spec) => spec,
        Err(failure) => {
            let message = format!("Error: {}", failure.message);
            world.st().report(id, Some(container), "Failed", message, Some(cause));
            return Err(failure);
        }
    };
    world.pause(50).await;
    let message = "Container created".to_owned();
    let created = world.st().report(id, Some(container), "Created", message, Some(cause));
    let restart_count = push_record(world, id, container, created);
    world.pause(60).await;
    let Some(Some(sandbox)) = world.pod(id, |pod| pod.kubelet.sandbox) else { return Ok(()) };
    if ends(world, id) {
        forget_created(world, id, &container.name);
        return Ok(());
    }
    let now = world.now();
    let started = world.rt().start(now, sandbox, spec);
    match started {
        Ok(handle) => mark_started(world, id, container, handle, (cause, restart_count)),
        Err(error) => return Err(start_failed(world, id, container, error.0, created)),
    }
    let hook = container.spec.lifecycle.as_ref().and_then(|l| l.post_start.as_ref());
    match hook {
        Some(hook) => post_start(world, id, container, hook).await,
        None => Ok(()),
    }
}

fn check_back_off(
    world: &World,
    id: PodId,
    container: &Container,
    seen: &View,
    cause: EventId,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let now = world.now();
    let held = world.pod(id, |pod| {
        let held = backoff::crash(pod, seen, &container.name, now)?;
        Some((held, pod.full_name(), pod.container_subject(&container.name)))
    });
    let Some(((delay, until), full_name, subject)) = held.flatten() else { return Ok(()) };
    let mut state = world.st();
    let message =
        format!("Back-off restarting failed container {} in pod {full_name}", container.name);
    let cause = state.report(id, Some(container), "BackOff", message, Some(cause));
    state.emit(subject, What::BackOff { until, delay }, Some(cause), None);
    outcome.back_off_ends = Some(outcome.back_off_ends.map_or(until, |b| b.min(until)));
    let message = format!(
        "back-off {} restarting failed container={} pod={full_name}",
        backoff::go_duration(delay),
        container.name
    );
    Err(Failure { reason: "CrashLoopBackOff", message })
}

fn push_record(world: &World, id: PodId, container: &Container, event: EventId) -> u32 {
    let now = world.now();
    let count = world.pod(id, |pod| {
        // Where the records are gone the count goes on from what the API shows.
        let shown = pod.status.containers.get(&container.name).map_or(0, |s| s.restart_count);
        let records = pod.kubelet.actual.records.entry(container.name.clone()).or_default();
        let restart_count = records.last().map_or(shown, |r| r.restart_count + 1);
        records.push(Record {
            handle: None,
            image: container.image().to_owned(),
            restart_count,
            state: RecordState::Created,
            started_at: now,
            finished_at: SimTime::ZERO,
            exit_code: 0,
            reason: "",
            message: None,
            event,
        });
        let n_old = records.len().saturating_sub(RECORDS_KEPT);
        records.drain(..n_old);
        restart_count
    });
    count.unwrap_or(0)
}

/// A container that was made but will never run.
fn forget_created(world: &World, id: PodId, name: &str) {
    world.pod(id, |pod| {
        if let Some(records) = pod.kubelet.actual.records.get_mut(name) {
            records.retain(|record| record.state != RecordState::Created);
        }
        pod.kubelet.actual.records.retain(|_, records| !records.is_empty());
    });
}

fn with_newest(world: &World, id: PodId, name: &str, change: impl FnOnce(&mut Record)) {
    world.pod(id, |pod| {
        let records = pod.kubelet.actual.records.get_mut(name);
        if let Some(newest) = records.and_then(|list| list.last_mut()) {
            change(newest);
        }
    });
}

fn mark_started(
    world: &World,
    id: PodId,
    container: &Container,
    handle: Handle,
    (cause, _restart_count): (EventId, u32),
) {
    let now = world.now();
    let subject = world.pod(id, |pod| {
        let origin = pod.span(&format!("{}.command", container.path));
        (pod.container_subject(&container.name), origin)
    });
    let Some((subject, origin)) = subject else { return };
    let pid = world.rt().pid(handle).unwrap_or(1);
    let event = {
        let mut state = world.st();
        state.runs.insert(handle, (id, container.name.clone()));
        let event = state.emit(subject, What::Started { pid }, Some(cause), origin);
        let message = "Container started".to_owned();
        state.report(id, Some(container), "Started", message, Some(event));
        event
    };
    with_newest(world, id, &container.name, |record| {
        record.handle = Some(handle);
        record.state = RecordState::Running;
        record.started_at = now;
        record.event = event;
    });
}

fn start_failed(
    world: &World,
    id: PodId,
    container: &Container,
    message: String,
    cause: EventId,
) -> Failure {
    let now = world.now();
    let text = format!("Error: {message}");
    let event = world.st().report(id, Some(container), "Failed", text, Some(cause));
    with_newest(world, id, &container.name, |record| {
        record.state = RecordState::Exited;
        record.finished_at = now;
        record.exit_code = 128;
        record.reason = "StartError";
        record.message = Some(message.clone());
        record.event = event;
    });
    Failure { reason: "RunContainerError", message }
}

async fn post_start(
    world: &World,
    id: PodId,
    container: &Container,
    hook: &core::LifecycleHandler,
) -> Result<(), Failure> {
    let error = run_hook(world, id, container, HookKind::PostStart, hook, SimTime::MAX).await;
    let Some(error) = error else { return Ok(()) };
    let cause = error.event;
    let text = "PostStartHook failed".to_owned();
    world.st().report(id, Some(container), "FailedPostStartHook", text, Some(cause));
    let victim = super::actions::Victim {
        name: container.name.clone(),
        message: "FailedPostStartHook".to_owned(),
        probe: None,
    };
    kill::one(world, id, &victim, cause).await;
    Err(Failure { reason: "PostStartHookError", message: error.message })
}

pub(crate) struct HookError {
    pub(crate) message: String,
    pub(crate) event: EventId,
}

/// Runs a hook to its end or to `deadline`; what went wrong, if anything.
// Models pkg/kubelet/lifecycle/handlers.go Run (v1.36).
pub(crate) async fn run_hook(
    world: &World,
    id: PodId,
    container: &Container,
    kind: HookKind,
    hook: &core::LifecycleHandler,
    deadline: SimTime,
) -> Option<HookError> {
    let path = format!("{}.lifecycle.{}", container.path, kind.word());
    let found = world.pod(id, |pod| {
        let newest = pod.kubelet.actual.newest(&container.name)?;
        let subject = pod.container_subject(&container.name);
        Some((subject, newest.handle?, newest.event, pod.span(&path), pod.full_name()))
    });
    let (subject, handle, cause, origin, full_name) = found.flatten()?;
    let started =
        world.st().emit(subject.clone(), What::HookStarted { hook: kind }, Some(cause), origin);
    let error = perform(world, id, container, hook, (handle, deadline, &full_name)).await;
    let (ok, detail) = (error.is_none(), error.clone().unwrap_or_default());
    let what = What::HookEnded { hook: kind, ok, detail };
    let event = world.st().emit(subject, what, Some(started), origin);
    error.map(|message| HookError { message, event })
}

async fn perform(
    world: &World,
    id: PodId,
    container: &Container,
    hook: &core::LifecycleHandler,
    (handle, deadline, full_name): (Handle, SimTime, &str),
) -> Option<String> {
    let limit = deadline - world.now();
    if let Some(argv) = hook.exec.as_ref().and_then(|e| e.command.as_ref()) {
        let failed = |why: String| {
            Some(format!(
                "Exec lifecycle hook ([{}]) for Container \"{}\" in Pod \"{full_name}\" failed - \
                 error: {why}",
                argv.join(" "),
                container.name
            ))
        };
        return match exec::command(world, id, handle, argv, limit).await {
            exec::Ran::Done { code: 0, .. } => None,
            exec::Ran::Done { code, output } => failed(format!(
                "command '{}' exited with {code}: {}, message: {:?}",
                argv.join(" "),
                output.all,
                output.all
            )),
            exec::Ran::TimedOut => failed("context deadline exceeded".to_owned()),
            exec::Ran::Failed(why) => failed(format!("{why}, message: \"\"")),
        };
    }
    if let Some(sleep) = &hook.sleep {
        let span = SimTime::from_secs(sleep.seconds.max(0) as u64);
        let until = (world.now() + span).min(deadline);
        world.clock.sleep_until(until).await;
        return None;
    }
    if let Some(get) = &hook.http_get {
        let target = super::endpoint::target(world, id, container, get)?;
        let (host, port, path) = (target.0.as_str(), target.1, target.2.as_str());
        let limit = limit.min(SimTime::from_secs(30));
        return match exec::get(world, id, (host, port, path, ""), limit).await {
            Some(crate::sim::runtime::Answer::Failed(why)) => {
                Some(format!("Get \"http://{host}:{port}{path}\": {why}"))
            }
            None => Some(format!("Get \"http://{host}:{port}{path}\": context deadline exceeded")),
            Some(_) => None,
        };
    }
    None
}
