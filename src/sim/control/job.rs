//! Jobs: pods until enough of them succeeded, or too many failed.

use super::{Meta, api, replicaset, workload};
use crate::sim::model::{Pod, PodId, PodTemplate, RecordState};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeSet;
use std::rc::Rc;

#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) meta: Meta,
    pub(crate) spec: batch::JobSpec,
    pub(crate) template: PodTemplate,
    /// Pods already counted.
    pub(crate) counted: BTreeSet<PodId>,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    /// Completion indexes done.
    pub(crate) done_indexes: BTreeSet<u32>,
    pub(crate) failures_in_a_row: u32,
    pub(crate) last_finish: SimTime,
    /// `Complete` or `Failed`.
    pub(crate) ended: Option<&'static str>,
}

/// Finished pods are gathered for this long before a Job acts on them.
const BATCH: SimTime = SimTime::from_secs(1);
const BACK_OFF_FIRST: u64 = 10;
const BACK_OFF_MAX: u64 = 600;

/// Takes a Job in and works it off.
pub(crate) fn add(world: &World, job: Job) {
    let name = job.meta.name.clone();
    {
        let state = &mut world.st();
        state.controllers.jobs.insert(name.clone(), job);
        state.touch();
    }
    let copy = world.clone();
    world.clock.spawn(async move { work(copy, name).await });
}

async fn work(world: World, name: Name) {
    world.pause(20).await;
    let begun = world.now();
    loop {
        let Some(ended) = with(&world, &name, |job| job.ended) else { return };
        if ended.is_some() {
            return clean_up(&world, &name).await;
        }
        let next = sync(&world, &name, begun);
        if with(&world, &name, |job| job.ended).flatten().is_some() {
            continue;
        }
        if !news(&world, &name) {
            let flag = world.st().api_flag.clone();
            flag.raised(&world.clock, next).await;
        }
        if news(&world, &name) {
            world.clock.sleep(BATCH).await;
        } else {
            world.pause(5).await;
        }
    }
}

fn with<T>(world: &World, name: &Name, change: impl FnOnce(&mut Job) -> T) -> Option<T> {
    world.st().controllers.jobs.get_mut(name).map(change)
}

/// Whether a pod of it finished that is not counted yet.
fn news(world: &World, name: &Name) -> bool {
    let state = world.st();
    let Some(job) = state.controllers.jobs.get(name) else { return false };
    let pods = api::owned(&state, "Job", name);
    pods.iter().any(|id| {
        let finished = state.pods.get(id).is_some_and(|pod| pod.status.is_terminal());
        finished && !job.counted.contains(id)
    })
}

fn number(value: Option<i32>, default: u32) -> u32 {
    value.map_or(default, |v| v.max(0) as u32)
}

/// One look; says when to look again at the latest.
// Models pkg/controller/job/job_controller.go syncJob (v1.36).
fn sync(world: &World, name: &Name, begun: SimTime) -> SimTime {
    let Some(mut job) = with(world, name, |job| job.clone()) else { return SimTime::MAX };
    let pods = api::owned(&world.st(), "Job", name);
    let cause = workload::newest_cause(&world.st(), &pods, job.meta.applied);
    count(world, &mut job, &pods);
    let is_active = |id: &&PodId| world.pod(**id, |pod| pod.is_active()) == Some(true);
    let active: Vec<PodId> = pods.iter().filter(is_active).copied().collect();
    let mut next = SimTime::MAX;
    if let Some((reason, message)) = failure(world, &job, &active, begun) {
        for id in &active {
            replicaset::give_up(world, &job.meta, *id, cause);
        }
        end(world, &mut job, "Failed", (reason, message), cause);
    } else if is_complete(&job, active.len()) {
        let message = "Job completed".to_owned();
        end(world, &mut job, "Complete", ("Completed", message), cause);
    } else {
        show(world, &mut job, "Running", cause);
        next = manage(world, &mut job, &active, cause);
        if let Some(secs) = job.spec.active_deadline_seconds {
            next = next.min(begun + SimTime::from_secs(secs.max(0) as u64));
        }
    }
    with(world, name, |kept| *kept = job);
    next
}

fn count(world: &World, job: &mut Job, pods: &[PodId]) {
    for id in pods {
        if job.counted.contains(id) {
            continue;
        }
        let done = world.pod(*id, |pod| match pod.status.phase {
            "Succeeded" => Some((true, pod.index, finished_at(pod))),
            "Failed" => Some((false, pod.index, finished_at(pod))),
            _ => None,
        });
        let Some((ok, index, at)) = done.flatten() else { continue };
        job.counted.insert(*id);
        job.last_finish = job.last_finish.max(at);
        if ok {
            job.succeeded += 1;
            job.failures_in_a_row = 0;
            job.done_indexes.extend(index);
        } else {
            job.failed += 1;
            job.failures_in_a_row += 1;
        }
    }
}

/// When the last container of a pod ended, in whole seconds as statuses have it.
fn finished_at(pod: &Pod) -> SimTime {
    let records = pod.kubelet.actual.records.values().flatten();
    let ended = records.filter(|r| r.state == RecordState::Exited).map(|r| r.finished_at).max();
    SimTime::from_secs(ended.unwrap_or(pod.created_at).as_secs())
}

fn is_complete(job: &Job, n_active: usize) -> bool {
    match job.spec.completions {
        Some(wanted) => job.succeeded >= number(Some(wanted), 1),
        None => job.succeeded > 0 && n_active == 0,
    }
}

fn failure(
    world: &World,
    job: &Job,
    active: &[PodId],
    begun: SimTime,
) -> Option<(&'static str, String)> {
    let limit = number(job.spec.backoff_limit, 6);
    let on_failure = job.template.spec.restart_policy.as_deref() == Some("OnFailure");
    let restarts: u32 = active
        .iter()
        .filter_map(|id| {
            world.pod(*id, |pod| {
                pod.status.containers.values().map(|s| s.restart_count).sum::<u32>()
            })
        })
        .sum();
    let restarted_out = on_failure && restarts > 0 && restarts >= limit;
    if job.failed > limit || restarted_out {
        let message = "Job has reached the specified backoff limit".to_owned();
        return Some(("BackoffLimitExceeded", message));
    }
    let secs = job.spec.active_deadline_seconds?;
    if world.now() >= begun + SimTime::from_secs(secs.max(0) as u64) {
        let message = "Job was active longer than specified deadline".to_owned();
        return Some(("DeadlineExceeded", message));
    }
    None
}

/// Makes as many pods as may run now.
fn manage(world: &World, job: &mut Job, active: &[PodId], cause: EventId) -> SimTime {
    if job.spec.suspend == Some(true) {
        return SimTime::MAX;
    }
    let parallelism = number(job.spec.parallelism, 1);
    let wanted = match job.spec.completions {
        Some(completions) => {
            parallelism.min(number(Some(completions), 1).saturating_sub(job.succeeded))
        }
        None if job.succeeded > 0 => active.len() as u32,
        None => parallelism,
    };
    let missing = (wanted as usize).saturating_sub(active.len());
    if missing == 0 {
        return SimTime::MAX;
    }
    if job.failures_in_a_row > 0 {
        let doubled = BACK_OFF_FIRST << (job.failures_in_a_row - 1).min(10);
        let until = job.last_finish + SimTime::from_secs(doubled.min(BACK_OFF_MAX));
        if world.now() < until {
            return until;
        }
    }
    let indexed = job.spec.completion_mode.as_deref() == Some("Indexed");
    for _ in 0..missing {
        let index = if indexed { free_index(world, job) } else { None };
        if indexed && index.is_none() {
            break;
        }
        make_pod(world, job, index, cause);
    }
    SimTime::MAX
}

fn free_index(world: &World, job: &Job) -> Option<u32> {
    let state = world.st();
    let pods = api::owned(&state, "Job", &job.meta.name);
    let busy = |index: u32| {
        pods.iter()
            .filter_map(|id| state.pods.get(id))
            .any(|p| p.is_active() && p.index == Some(index))
    };
    let all = 0..number(job.spec.completions, 1);
    all.into_iter().find(|i| !job.done_indexes.contains(i) && !busy(*i))
}

fn make_pod(world: &World, job: &Job, index: Option<u32>, cause: EventId) {
    let mut template = job.template.clone();
    let labels = ["batch.kubernetes.io/job-name", "job-name"];
    let name = job.meta.name.to_string();
    template.labels.extend(labels.map(|label| (label.to_owned(), name.clone())));
    let base = match index {
        Some(index) => {
            let mut spec = (*template.spec).clone();
            spec.hostname = Some(format!("{name}-{index}"));
            let containers = spec.init_containers.iter_mut().flatten().chain(&mut spec.containers);
            for container in containers {
                container.env.get_or_insert_with(Vec::new).push(core::EnvVar {
                    name: "JOB_COMPLETION_INDEX".to_owned(),
                    value: Some(index.to_string()),
                    value_from: None,
                });
            }
            template.spec = Rc::new(spec);
            let key = "batch.kubernetes.io/job-completion-index".to_owned();
            template.annotations.insert(key, index.to_string());
            format!("{name}-{index}")
        }
        None => name,
    };
    let pod = workload::generated(world, &base);
    let message = format!("Created pod: {pod}");
    workload::create(world, &job.meta, "Job", (pod, index), template, message, cause);
}

fn show(world: &World, job: &mut Job, word: &str, cause: EventId) {
    let word = if job.spec.suspend == Some(true) && word == "Running" { "Suspended" } else { word };
    let wanted = match (job.spec.completions, number(job.spec.parallelism, 1)) {
        (Some(wanted), _) => wanted.to_string(),
        (None, 0 | 1) => "1".to_owned(),
        (None, parallelism) => format!("1 of {parallelism}"),
    };
    let cells = vec![word.to_owned(), format!("{}/{wanted}", job.succeeded)];
    let state = &mut world.st();
    workload::show_row(state, &mut job.meta, cells, cause);
}

fn end(
    world: &World,
    job: &mut Job,
    word: &'static str,
    (reason, message): (&str, String),
    cause: EventId,
) {
    // The criterion is shown before the pods it was met by are counted.
    let succeeded = job.succeeded;
    if word == "Complete" {
        job.succeeded = succeeded.saturating_sub(1);
    }
    let first = if word == "Complete" { "SuccessCriteriaMet" } else { "FailureTarget" };
    show(world, job, first, cause);
    job.succeeded = succeeded;
    show(world, job, word, cause);
    job.ended = Some(word);
    let state = &mut world.st();
    workload::report(state, &job.meta, reason, message, cause);
    state.touch();
}

async fn clean_up(world: &World, name: &Name) {
    let seconds = with(world, name, |job| job.spec.ttl_seconds_after_finished).flatten();
    let Some(seconds) = seconds else { return };
    world.clock.sleep(SimTime::from_secs(seconds.max(0) as u64)).await;
    remove(world, name);
}

/// Deletes a Job with its pods.
pub(crate) fn remove(world: &World, name: &Name) {
    let Some(job) = world.st().controllers.jobs.remove(name) else { return };
    let subject = Subject::Object { kind: "job".into(), name: name.clone() };
    let event = world.st().emit(subject, What::Removed, Some(job.meta.applied), None);
    let pods = api::owned(&world.st(), "Job", name);
    for id in pods {
        api::delete_pod(world, id, None, event);
    }
}
