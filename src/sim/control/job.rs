//! Jobs: pods until enough of them succeeded, or too many failed.

use super::job_rules as rules;
use super::{Meta, api, replicaset, workload};
use crate::sim::model::{Pod, PodId, PodTemplate};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use std::collections::{BTreeMap, BTreeSet};
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
    /// Completion indexes done, and those given up.
    pub(crate) done_indexes: BTreeSet<u32>,
    pub(crate) failed_indexes: BTreeSet<u32>,
    /// Failures of each index: those counted, all of them, and when the last one was.
    pub(crate) index_failures: BTreeMap<u32, (u32, u32, SimTime)>,
    pub(crate) failures_in_a_row: u32,
    pub(crate) last_finish: SimTime,
    /// What it comes to once the last of its pods is gone.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) suspension_told: bool,
    /// How often in a row the server refused a pod, and when to try again.
    pub(crate) refusals: u32,
    pub(crate) retry_at: SimTime,
    /// When it last began to run; deadlines count from here.
    pub(crate) begun: SimTime,
    /// `Complete` or `Failed`.
    pub(crate) ended: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) word: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

/// Finished pods are gathered for this long before a Job acts on them.
const BATCH: SimTime = SimTime::from_secs(1);
const BACK_OFF_FIRST: u64 = 10;
const BACK_OFF_MAX: u64 = 600;
/// Most indexes looked at in one go.
const INDEXES_MAX: usize = 500;

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
    with(&world, &name, |job| job.begun = begun);
    loop {
        let Some(ended) = with(&world, &name, |job| job.ended) else { return };
        if ended.is_some() {
            return clean_up(&world, &name).await;
        }
        let next = sync(&world, &name);
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

/// Whether a pod of it finished that is not counted yet, or the last one is gone.
fn news(world: &World, name: &Name) -> bool {
    let state = world.st();
    let Some(job) = state.controllers.jobs.get(name) else { return false };
    let pods = api::owned(&state, "Job", name);
    let pods = || pods.iter().filter_map(|id| state.pods.get(id));
    if job.verdict.is_some() {
        return !pods().any(is_terminating);
    }
    pods().any(|pod| !job.counted.contains(&pod.id) && rules::outcome(job, pod).is_some())
}

/// A pod of a Job stays until the Job has counted it.
// Models pkg/controller/job/tracking_utils.go, the finalizer batch.kubernetes.io/job-tracking.
pub(crate) fn awaits_count(state: &State, id: PodId) -> bool {
    let owner = state.pods.get(&id).and_then(|pod| pod.owner.as_ref());
    let Some(owner) = owner.filter(|owner| owner.kind == "Job") else { return false };
    let job = state.controllers.jobs.get(&owner.name);
    job.is_some_and(|job| job.ended.is_none() && !job.counted.contains(&id))
}

fn is_terminating(pod: &Pod) -> bool {
    pod.deletion.is_some() && !pod.removed && !pod.status.is_terminal()
}

fn number(value: Option<i32>, default: u32) -> u32 {
    value.map_or(default, |v| v.max(0) as u32)
}

/// One look; says when to look again at the latest.
// Models pkg/controller/job/job_controller.go syncJob (v1.36).
fn sync(world: &World, name: &Name) -> SimTime {
    let Some(mut job) = with(world, name, |job| job.clone()) else { return SimTime::MAX };
    let pods = api::owned(&world.st(), "Job", name);
    let cause = workload::newest_cause(&world.st(), &pods, job.meta.applied);
    let counted = job.succeeded;
    let policy = count(world, &mut job, &pods);
    let is_active = |id: &&PodId| world.pod(**id, |pod| pod.is_active()) == Some(true);
    let active: Vec<PodId> = pods.iter().filter(is_active).copied().collect();
    let mut next = SimTime::MAX;
    if job.verdict.is_none() {
        job.verdict = policy
            .or_else(|| failure(world, &job, &active))
            .or_else(|| rules::indexes_failed(&job))
            .or_else(|| rules::success_policy(&job));
        if job.verdict.is_some() {
            give_up(world, &mut job, &active, cause);
        } else if is_complete(&job, active.len()) {
            let (reason, message) = ("Completed", "Job completed".to_owned());
            job.verdict = Some(Verdict { word: "Complete", reason, message });
        }
    }
    if job.verdict.is_some() {
        end(world, &mut job, counted, &pods, cause);
    } else {
        show(world, &mut job, "Running", cause);
        next = manage(world, &mut job, &active, cause);
        tell_suspension(world, &mut job, cause);
        next = next.min(deadline(&job).unwrap_or(SimTime::MAX));
    }
    with(world, name, |kept| *kept = job);
    next
}

/// Deletes pods that count for nothing any more.
fn give_up(world: &World, job: &mut Job, pods: &[PodId], cause: EventId) {
    job.counted.extend(pods);
    with(world, &job.meta.name, |kept| kept.counted.extend(pods));
    for id in pods {
        replicaset::give_up(world, &job.meta, *id, cause);
    }
}

/// When `activeDeadlineSeconds` is over; a suspended Job has all the time.
// Models pkg/controller/job/job_controller.go pastActiveDeadline (v1.36).
fn deadline(job: &Job) -> Option<SimTime> {
    let secs = job.spec.active_deadline_seconds.filter(|_| job.spec.suspend != Some(true))?;
    Some(job.begun + SimTime::from_secs(secs.max(0) as u64))
}

fn tell_suspension(world: &World, job: &mut Job, cause: EventId) {
    let suspended = job.spec.suspend == Some(true);
    if suspended != job.suspension_told {
        job.suspension_told = suspended;
        if !suspended {
            job.begun = world.now();
        }
        let (reason, message) =
            if suspended { ("Suspended", "Job suspended") } else { ("Resumed", "Job resumed") };
        workload::report(&mut world.st(), &job.meta, reason, message.to_owned(), cause);
    }
}

/// Counts pods that finished since; what their failure says of the whole Job, if anything.
fn count(world: &World, job: &mut Job, pods: &[PodId]) -> Option<Verdict> {
    let mut verdict = None;
    for id in pods {
        if job.counted.contains(id) {
            continue;
        }
        let Some(outcome) = world.pod(*id, |pod| rules::outcome(job, pod)).flatten() else {
            continue;
        };
        job.counted.insert(*id);
        let idle = world.pod(*id, |pod| pod.deletion.is_some() && !pod.scheduled);
        if idle == Some(true) {
            api::remove_pod(world, *id);
        }
        crate::sim::kubelet::raise(world, *id);
        job.last_finish = job.last_finish.max(outcome.at);
        if outcome.ok {
            job.failures_in_a_row = 0;
            if outcome.index.is_none_or(|index| job.done_indexes.insert(index)) {
                job.succeeded += 1;
            }
            continue;
        }
        job.failures_in_a_row += 1;
        job.failed += u32::from(outcome.counts);
        rules::count_index(job, &outcome);
        verdict = verdict.or(outcome.verdict);
    }
    verdict
}

fn is_complete(job: &Job, n_active: usize) -> bool {
    let enough = match job.spec.completions {
        Some(wanted) => job.succeeded >= number(Some(wanted), 1),
        None => job.succeeded > 0,
    };
    enough && n_active == 0
}

fn failure(world: &World, job: &Job, active: &[PodId]) -> Option<Verdict> {
    let no_limit = job.spec.backoff_limit_per_index.map(|_| u32::MAX);
    let limit = number(job.spec.backoff_limit, no_limit.unwrap_or(6));
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
        return Some(Verdict { word: "Failed", reason: "BackoffLimitExceeded", message });
    }
    if world.now() >= deadline(job)? {
        let message = "Job was active longer than specified deadline".to_owned();
        return Some(Verdict { word: "Failed", reason: "DeadlineExceeded", message });
    }
    None
}

/// Makes as many pods as may run now.
fn manage(world: &World, job: &mut Job, active: &[PodId], cause: EventId) -> SimTime {
    if job.meta.deleted_by.is_some() {
        return SimTime::MAX;
    }
    if job.spec.suspend == Some(true) {
        give_up(world, job, active, cause);
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
    let n_over = active.len().saturating_sub(wanted as usize);
    if n_over > 0 {
        // Less may run at once than before.
        let mut victims = workload::victims_first(&world.st(), active.to_vec());
        victims.truncate(n_over);
        give_up(world, job, &victims, cause);
        return SimTime::MAX;
    }
    // Pods on their way out are replaced at once, unless only failed ones are to be.
    let leaving = if rules::replaces_failed_only(job) {
        let state = world.st();
        let pods = api::owned(&state, "Job", &job.meta.name);
        pods.iter().filter_map(|id| state.pods.get(id)).filter(|p| is_terminating(p)).count()
    } else {
        0
    };
    let missing = (wanted as usize).saturating_sub(active.len() + leaving);
    if missing == 0 {
        return SimTime::MAX;
    }
    if world.now() < job.retry_at {
        return job.retry_at;
    }
    let until = back_off(job.failures_in_a_row, job.last_finish);
    if job.spec.backoff_limit_per_index.is_none() && world.now() < until {
        return until;
    }
    if job.spec.completion_mode.as_deref() != Some("Indexed") {
        let made = (0..missing).all(|_| make_pod(world, job, None, cause));
        return after(world, job, made, SimTime::MAX);
    }
    let free: Vec<u32> = free_indexes(world, job).into_iter().take(missing).collect();
    let due = |index: &u32| match job.index_failures.get(index) {
        Some((_, all, last)) if job.spec.backoff_limit_per_index.is_some() => back_off(*all, *last),
        _ => SimTime::ZERO,
    };
    let now = world.now();
    let (ready, later): (Vec<u32>, Vec<u32>) = free.into_iter().partition(|i| due(i) <= now);
    let next = later.iter().map(due).min().unwrap_or(SimTime::MAX);
    let made = ready.iter().all(|index| make_pod(world, job, Some(*index), cause));
    after(world, job, made, next)
}

/// When to look again; each refusal of the server makes it later.
// Models pkg/controller/job/job_controller.go DefaultJobApiBackOff, MaxJobApiBackOff (v1.36).
fn after(world: &World, job: &mut Job, made: bool, next: SimTime) -> SimTime {
    if made {
        (job.refusals, job.retry_at) = (0, SimTime::ZERO);
        return next;
    }
    let secs = (1u64 << job.refusals.min(6)).min(60);
    job.refusals += 1;
    job.retry_at = world.now() + SimTime::from_secs(secs);
    next.min(job.retry_at)
}

/// When the next pod may come after so many failures in a row.
fn back_off(failures: u32, last: SimTime) -> SimTime {
    let Some(doublings) = failures.checked_sub(1) else { return SimTime::ZERO };
    let doubled = BACK_OFF_FIRST << doublings.min(10);
    last + SimTime::from_secs(doubled.min(BACK_OFF_MAX))
}

fn free_indexes(world: &World, job: &Job) -> Vec<u32> {
    let state = world.st();
    let pods = api::owned(&state, "Job", &job.meta.name);
    let pods = pods.iter().filter_map(|id| state.pods.get(id));
    let busy: BTreeSet<u32> = pods.filter(|p| p.is_active()).filter_map(|p| p.index).collect();
    let taken = |index: &u32| {
        [&job.done_indexes, &job.failed_indexes, &busy].iter().any(|set| set.contains(index))
    };
    (0..number(job.spec.completions, 1)).filter(|index| !taken(index)).take(INDEXES_MAX).collect()
}

/// False where the server refuses it.
fn make_pod(world: &World, job: &Job, index: Option<u32>, cause: EventId) -> bool {
    let mut template = job.template.clone();
    let labels = ["batch.kubernetes.io/job-name", "job-name"];
    let name = job.meta.plain().to_owned();
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
    let name = workload::generated(world, &base);
    let new = workload::Child { kind: "Job", name, index, target: None, template };
    workload::create(world, &job.meta, new, cause)
}

fn show(world: &World, job: &mut Job, word: &str, cause: EventId) {
    let word = match word {
        "Running" if job.meta.deleted_by.is_some() => "Terminating",
        "Running" if job.spec.suspend == Some(true) => "Suspended",
        word => word,
    };
    let wanted = match (job.spec.completions, number(job.spec.parallelism, 1)) {
        (Some(wanted), _) => wanted.to_string(),
        (None, 0 | 1) => "1".to_owned(),
        (None, parallelism) => format!("1 of {parallelism}"),
    };
    let cells = vec![word.to_owned(), format!("{}/{wanted}", job.succeeded)];
    let state = &mut world.st();
    workload::show_row(state, &mut job.meta, cells, cause);
}

/// Shows the criterion that was met, and the end once no pod of it is on its way out.
// Models pkg/controller/job/job_controller.go enactJobFinished (v1.36).
fn end(world: &World, job: &mut Job, counted: u32, pods: &[PodId], cause: EventId) {
    let Some(Verdict { word, reason, message }) = job.verdict.clone() else { return };
    let first = if word == "Complete" { "SuccessCriteriaMet" } else { "FailureTarget" };
    // The criterion is shown before the pods it was met by are counted.
    let indexed = job.spec.completion_mode.as_deref() == Some("Indexed");
    let succeeded = job.succeeded;
    job.succeeded = if indexed { succeeded } else { counted };
    show(world, job, first, cause);
    job.succeeded = succeeded;
    let leaving = |id: &PodId| world.pod(*id, |pod| is_terminating(pod)) == Some(true);
    if pods.iter().any(leaving) {
        return show(world, job, first, cause);
    }
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
