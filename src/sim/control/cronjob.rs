//! CronJobs: a Job at each time of a schedule.

use super::job::{self, Job};
use super::{Meta, api, cron, load, namespace, workload};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What, plain};
use k8s_openapi::api::batch::v1 as batch;
use std::collections::BTreeMap;

#[derive(Clone)]
pub(crate) struct CronJob {
    pub(crate) meta: Meta,
    pub(crate) spec: batch::CronJobSpec,
    pub(crate) active: Vec<Name>,
    /// Oldest first: (name, succeeded).
    pub(crate) finished: Vec<(Name, bool)>,
    pub(crate) last: Option<SimTime>,
    /// The scheduled time, Unix and of the run, that passed while another Job was still active.
    pub(crate) missed: Option<(i64, SimTime)>,
    /// Grows with each new schedule; who waits for a time of an old one stops.
    pub(crate) edition: u32,
}

/// The Jobs it made that may still be there.
pub(crate) fn jobs(one: &CronJob) -> Vec<Name> {
    let finished = one.finished.iter().map(|(name, _)| name);
    one.active.iter().chain(finished).cloned().collect()
}

/// The controller acts this long after a scheduled time, in milliseconds.
const LATE_MILLIS: u64 = 100;

pub(crate) fn add(world: &World, cronjob: CronJob) {
    let name = cronjob.meta.name.clone();
    world.st().controllers.cronjobs.insert(name.clone(), cronjob);
    show(world, &name);
    follow(world, &name);
    let copy = world.clone();
    world.clock.spawn(async move { watch_loop(copy, name).await });
}

/// Follows the schedule as it is now.
fn follow(world: &World, name: &Name) {
    let Some((text, edition)) = with(world, name, |c| {
        c.edition += 1;
        (c.spec.schedule.clone(), c.edition)
    }) else {
        return;
    };
    if let Some(schedule) = cron::Schedule::parse(&text) {
        let (copy, name) = (world.clone(), name.clone());
        world.clock.spawn(async move { fire_loop(copy, name, (schedule, edition)).await });
    }
}

/// The spec changed while it runs.
pub(crate) fn edited(world: &World, name: &Name, spec: batch::CronJobSpec) {
    let other = with(world, name, |c| {
        let other = c.spec.schedule != spec.schedule;
        c.spec = spec;
        other
    });
    if other == Some(true) {
        follow(world, name);
    }
    show(world, name);
}

fn with<T>(world: &World, name: &Name, change: impl FnOnce(&mut CronJob) -> T) -> Option<T> {
    world.st().controllers.cronjobs.get_mut(name).map(change)
}

// Models pkg/controller/cronjob/cronjob_controllerv2.go syncCronJob (v1.36).
async fn fire_loop(world: World, name: Name, (schedule, edition): (cron::Schedule, u32)) {
    let start = world.scenario.started_unix_secs;
    loop {
        let unix = start + world.now().as_secs() as i64;
        let Some(due) = schedule.next_after(unix) else { return };
        let at = SimTime::from_secs((due - start).max(0) as u64);
        world.clock.sleep_until(at + SimTime::from_millis(LATE_MILLIS)).await;
        let Some(cronjob) = with(&world, &name, |c| c.clone()) else { return };
        if cronjob.edition != edition {
            return;
        }
        if cronjob.spec.suspend != Some(true) {
            fire(&world, cronjob, due, at);
        }
    }
}

fn fire(world: &World, cronjob: CronJob, due: i64, at: SimTime) {
    let (meta, name) = (&cronjob.meta, cronjob.meta.name.clone());
    match cronjob.spec.concurrency_policy.as_deref() {
        Some("Forbid") if !cronjob.active.is_empty() => {
            already_active(world, meta);
            let state = &mut world.st();
            if let Some(kept) = state.controllers.cronjobs.get_mut(&name) {
                kept.missed = Some((due, at));
            }
            return;
        }
        Some("Replace") => {
            for old in &cronjob.active {
                let message = format!("Deleted job {}", plain(old));
                let state = &mut world.st();
                workload::report(state, meta, "SuccessfulDelete", message, meta.applied);
            }
            cronjob.active.iter().for_each(|old| job::remove(world, old));
            with(world, &name, |c| c.active.clear());
        }
        _ => {}
    }
    let called = format!("{}-{}", meta.plain(), due / 60);
    let job = namespace::enter(&mut world.st(), "job", &meta.namespace, &called);
    let applied = {
        let state = &mut world.st();
        let message = format!("Created job {called}");
        let event = workload::report(state, meta, "SuccessfulCreate", message, meta.applied);
        let subject = Subject::Object { kind: "job".into(), name: job.clone() };
        let origin = meta.source.span("spec.jobTemplate");
        state.emit(subject, What::Applied, Some(event), origin)
    };
    let made = make(world, &cronjob, job.clone(), applied);
    with(world, &name, |c| {
        c.active.push(job);
        c.last = Some(at);
        c.missed = None;
    });
    job::add(world, made);
    show(world, &name);
}

fn make(world: &World, cronjob: &CronJob, name: Name, applied: EventId) -> Job {
    let spec = cronjob.spec.job_template.spec.clone().unwrap_or_default();
    let meta = Meta {
        kind: "job",
        name,
        applied,
        created_at: world.now(),
        row: Vec::new(),
        ..cronjob.meta.clone()
    };
    load::new_job(meta, spec, "spec.jobTemplate.spec.template")
}

fn already_active(world: &World, meta: &Meta) {
    let message =
        "Not starting job because prior execution is running and concurrency policy is Forbid";
    let (state, cause) = (&mut world.st(), meta.applied);
    workload::report(state, meta, "JobAlreadyActive", message.to_owned(), cause);
}

/// A Job changed: while a time is missed for it, that is told again.
// Models pkg/controller/cronjob/cronjob_controllerv2.go updateJob (v1.36).
fn tell_again(world: &World, name: &Name) {
    let meta = with(world, name, |c| c.missed.map(|_| c.meta.clone()));
    if let Some(meta) = meta.flatten() {
        already_active(world, &meta);
    }
}

fn n_ready(world: &World, job: &Name) -> usize {
    let state = world.st();
    let pods = api::owned(&state, "Job", job);
    pods.iter().filter_map(|id| state.pods.get(id)).filter(|pod| pod.is_ready()).count()
}

/// Notices Jobs that change, and those that ended.
async fn watch_loop(world: World, name: Name) {
    let mut seen: BTreeMap<Name, usize> = BTreeMap::new();
    loop {
        let flag = world.st().api_flag.clone();
        flag.raised(&world.clock, SimTime::MAX).await;
        world.pause(10).await;
        let Some(active) = with(&world, &name, |c| c.active.clone()) else { return };
        for job in active {
            let ended = world.st().controllers.jobs.get(&job).and_then(|j| j.ended);
            let ready = n_ready(&world, &job);
            let before = seen.insert(job.clone(), ready);
            if ended.is_some() || before.is_some_and(|before| before != ready) {
                tell_again(&world, &name);
            }
            if let Some(word) = ended {
                seen.remove(&job);
                saw_end(&world, &name, &job, word);
            }
        }
    }
}

fn saw_end(world: &World, name: &Name, job: &Name, word: &'static str) {
    let Some(meta) = with(world, name, |c| c.meta.clone()) else { return };
    let over = with(world, name, |c| {
        c.active.retain(|one| one != job);
        c.finished.push((job.clone(), word == "Complete"));
        over_history(c)
    });
    let over = over.unwrap_or_default();
    // History is cleaned up before Jobs are looked at, so one of which none is kept is just gone.
    let (last, last_words) = match over.contains(job) {
        true => ("MissingJob", format!("Active job went missing: {}", plain(job))),
        false => {
            ("SawCompletedJob", format!("Saw completed job: {}, condition: {word}", plain(job)))
        }
    };
    for old in over {
        let state = &mut world.st();
        let message = format!("Deleted job {}", plain(&old));
        workload::report(state, &meta, "SuccessfulDelete", message, meta.applied);
        drop_later(world, old);
    }
    workload::report(&mut world.st(), &meta, last, last_words, meta.applied);
    start_missed(world, name);
    show(world, name);
}

/// A time that passed while another Job ran is made up for as soon as that one is done.
fn start_missed(world: &World, name: &Name) {
    let Some(cronjob) = with(world, name, |c| c.clone()) else { return };
    let Some((due, at)) = cronjob.missed.filter(|_| cronjob.spec.suspend != Some(true)) else {
        return;
    };
    let deadline = cronjob.spec.starting_deadline_seconds;
    let late = (world.now() - at).as_secs() as i64;
    if deadline.is_none_or(|secs| late <= secs) {
        fire(world, cronjob, due, at);
    }
}

fn drop_later(world: &World, job: Name) {
    let copy = world.clone();
    world.clock.spawn(async move { job::remove(&copy, &job) });
}

/// Finished Jobs beyond what is to be kept, taken off the list.
fn over_history(cronjob: &mut CronJob) -> Vec<Name> {
    let mut over = Vec::new();
    for (ok, limit) in [
        (true, cronjob.spec.successful_jobs_history_limit.unwrap_or(3)),
        (false, cronjob.spec.failed_jobs_history_limit.unwrap_or(1)),
    ] {
        let n = cronjob.finished.iter().filter(|(_, o)| *o == ok).count();
        let mut surplus = n.saturating_sub(limit.max(0) as usize);
        cronjob.finished.retain(|(name, o)| {
            let goes = *o == ok && surplus > 0;
            if goes {
                surplus -= 1;
                over.push(name.clone());
            }
            !goes
        });
    }
    over
}

fn show(world: &World, name: &Name) {
    let state = &mut world.st();
    let Some(cronjob) = state.controllers.cronjobs.get(name).cloned() else { return };
    let suspended = if cronjob.spec.suspend == Some(true) { "True" } else { "False" };
    let cells = vec![
        cronjob.spec.schedule.clone(),
        cronjob.spec.time_zone.clone().unwrap_or_else(|| "<none>".to_owned()),
        suspended.to_owned(),
        cronjob.active.len().to_string(),
    ];
    let mut meta = cronjob.meta;
    let cause = meta.applied;
    workload::show_row(state, &mut meta, cells, cause);
    if let Some(kept) = state.controllers.cronjobs.get_mut(name) {
        kept.meta.row = meta.row;
    }
}
