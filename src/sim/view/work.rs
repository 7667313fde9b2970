//! Controllers' objects as the API server shows them. Their numbers are those the controllers told
//! last, so that a table and an object never disagree.

use super::pods::reference;
use super::{View, object, template, uid};
use crate::kube::tree::{Raise, Tree};
use crate::sim::control::Meta;
use crate::sim::control::cronjob::CronJob;
use crate::sim::control::daemonset::DaemonSet;
use crate::sim::control::deployment::Deployment;
use crate::sim::control::job::Job;
use crate::sim::control::replicaset::ReplicaSet;
use crate::sim::control::statefulset::{REVISION, StatefulSet};
use crate::sim::model::Pod;
use crate::sim::world::State;
use crate::time::SimTime;

pub(super) fn all(view: &View, state: &State) -> Vec<Tree> {
    let all = &state.controllers;
    let mut out: Vec<Tree> = Vec::new();
    out.extend(all.deployments.values().map(|one| deployment(view, state, one)));
    out.extend(all.replicasets.values().map(|one| replica_set(view, state, one)));
    out.extend(all.statefulsets.values().map(|one| stateful_set(view, state, one)));
    out.extend(all.daemonsets.values().map(|one| daemon_set(view, state, one)));
    out.extend(all.jobs.values().map(|one| job(view, state, one)));
    out.extend(all.cronjobs.values().map(|one| cron_job(view, state, one)));
    out
}

/// The number in a cell told last: `2`, or the first or last of `1/2`.
fn cell(meta: &Meta, idx: usize, last: bool) -> i64 {
    let text = meta.row.get(idx).map_or("", String::as_str);
    let (first, second) = text.split_once('/').unwrap_or((text, text));
    let part = if last { second } else { first };
    part.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

/// Numbers of a status; Go leaves zeros out.
fn numbers(list: &[(&'static str, i64)]) -> Tree {
    let one = |(key, number): &(&'static str, i64)| {
        (*key, if *number == 0 { Tree::Null } else { Tree::Int(*number) })
    };
    Tree::of(list.iter().map(one).collect())
}

/// What the manifest wrote under `spec`, for kinds the simulation keeps no typed spec of.
fn written_spec(meta: &Meta) -> Tree {
    meta.source.origins.node("spec").map_or(Tree::map(), Tree::of_node)
}

fn annotate(tree: &mut Tree, key: &'static str, value: String) {
    let Some(metadata) = tree.get_mut("metadata") else { return };
    let mut all = metadata.get("annotations").clone();
    all.put(key, Tree::from(value));
    metadata.put("annotations", all);
}

fn deployment(view: &View, state: &State, one: &Deployment) -> Tree {
    let mut spec = one.spec.raise();
    spec.put("replicas", Tree::from(one.replicas));
    spec.put("template", template(&one.template));
    spec.put("paused", if one.paused { Tree::Bool(true) } else { Tree::Null });
    let sets = state.controllers.replicasets.values();
    let sets: Vec<&ReplicaSet> =
        sets.filter(|set| set.owner.as_ref() == Some(&one.meta.name)).collect();
    let total: u32 = sets.iter().map(|set| set.status.replicas).sum();
    let revision = sets.iter().map(|set| set.revision).max().unwrap_or(1);
    let (ready, updated, available) =
        (cell(&one.meta, 0, false), cell(&one.meta, 1, true), cell(&one.meta, 2, true));
    let wanted = i64::from(one.replicas);
    let mut status = numbers(&[
        ("availableReplicas", available),
        ("readyReplicas", ready),
        ("replicas", i64::from(total)),
        ("unavailableReplicas", (i64::from(total).max(wanted) - available).max(0)),
        ("updatedReplicas", updated),
    ]);
    let enough = available >= wanted - i64::from(one.unavailable);
    let complete = updated == wanted && i64::from(total) == wanted && available == wanted;
    let newest = sets.iter().max_by_key(|set| set.revision).map_or("", |set| set.meta.plain());
    let conditions = [
        match enough {
            true => (
                "Available",
                true,
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.".to_owned(),
            ),
            false => (
                "Available",
                false,
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.".to_owned(),
            ),
        },
        progress(view, one, newest, complete),
    ];
    status.put("conditions", conditions_of(view, &one.meta, &conditions));
    let leaving: i64 =
        sets.iter().map(|set| terminating(state, "ReplicaSet", &set.meta.name)).sum();
    status.put("terminatingReplicas", Tree::Int(leaving));
    status.put("observedGeneration", observed(state, &one.meta));
    let mut tree = object("apps/v1", "Deployment", view.metadata(state, &one.meta));
    annotate(&mut tree, "deployment.kubernetes.io/revision", revision.to_string());
    tree.put("spec", spec);
    tree.put("status", status);
    tree
}

/// (type, whether it holds, reason, message).
type Condition = (&'static str, bool, &'static str, String);

/// How long a rollout may stand still where nothing says so, in seconds.
const DEADLINE_SECS: i32 = 600;

// Models pkg/controller/deployment/progress.go syncRolloutStatus (v1.36); progress is whatever
// changed the deployment's row.
fn progress(view: &View, one: &Deployment, newest: &str, complete: bool) -> Condition {
    let deadline = one.spec.progress_deadline_seconds.unwrap_or(DEADLINE_SECS).max(0);
    let since = one.meta.shown_at;
    let late = view.now >= since + SimTime::from_secs(deadline as u64);
    let set = format!("ReplicaSet \"{newest}\"");
    match (one.paused, complete, late) {
        (true, false, _) => {
            ("Progressing", true, "DeploymentPaused", "Deployment is paused".to_owned())
        }
        (_, true, _) => (
            "Progressing",
            true,
            "NewReplicaSetAvailable",
            format!("{set} has successfully progressed."),
        ),
        (_, _, true) => (
            "Progressing",
            false,
            "ProgressDeadlineExceeded",
            format!("{set} has timed out progressing."),
        ),
        _ => ("Progressing", true, "ReplicaSetUpdated", format!("{set} is progressing.")),
    }
}

/// Pods of an owner that are on their way out.
fn terminating(state: &State, kind: &str, name: &str) -> i64 {
    let mine = state.pods.values().filter(|pod| {
        let owner = pod.owner.as_ref();
        let of_it = owner.is_some_and(|o| o.kind == kind && &*o.name == name);
        of_it && !pod.removed && pod.deletion.is_some() && !pod.status.is_terminal()
    });
    mine.count() as i64
}

fn conditions_of(view: &View, meta: &Meta, list: &[Condition]) -> Tree {
    let one = |(kind, holds, reason, message): &Condition| {
        // Jobs say when they looked, all others when they wrote.
        let seen = if meta.kind == "job" { "lastProbeTime" } else { "lastUpdateTime" };
        Tree::of(vec![
            ("lastTransitionTime", view.stamp(turned(kind, *holds, meta))),
            (seen, view.stamp(meta.shown_at)),
            ("message", Tree::from(message.as_str())),
            ("reason", Tree::from(*reason)),
            ("status", Tree::from(if *holds { "True" } else { "False" })),
            ("type", Tree::from(*kind)),
        ])
    };
    Tree::List(list.iter().map(one).collect())
}

/// A deployment progresses from its beginning, until it does not.
fn turned(kind: &str, holds: bool, meta: &Meta) -> SimTime {
    if kind == "Progressing" && holds { meta.created_at } else { meta.shown_at }
}

/// Controllers see a change almost at once.
fn observed(state: &State, meta: &Meta) -> Tree {
    Tree::Int(state.generation(meta.kind, &meta.name))
}

fn replica_set(view: &View, state: &State, one: &ReplicaSet) -> Tree {
    let mut metadata = view.metadata(state, &one.meta);
    let mut pods = template(&one.template);
    let deployment = one.owner.as_ref().and_then(|o| state.controllers.deployments.get(o));
    let generated = !one.hash.is_empty();
    let mut spec = if generated { Tree::map() } else { written_spec(&one.meta) };
    if generated {
        let labels = one.labels().raise();
        if let Some(inside) = pods.get_mut("metadata") {
            inside.put("labels", labels.clone());
        }
        spec.put("selector", one.selector.raise());
        metadata.put("labels", labels);
    }
    if let Some(deployment) = deployment {
        let meta = &deployment.meta;
        let uid = uid(meta.kind, &meta.name, meta.created_at);
        let owner = reference("apps/v1", "Deployment", meta.plain(), Some(uid));
        metadata.put("ownerReferences", Tree::List(vec![owner]));
        let marks = deployment.meta.source.origins.node("metadata.annotations");
        metadata.put("annotations", marks.map_or(Tree::Null, Tree::of_node));
    }
    let mut tree = object("apps/v1", "ReplicaSet", metadata);
    if let Some(deployment) = deployment {
        let most = deployment.replicas + if deployment.recreate { 0 } else { deployment.surge };
        for (key, value) in [
            ("deployment.kubernetes.io/desired-replicas", deployment.replicas),
            ("deployment.kubernetes.io/max-replicas", most),
            ("deployment.kubernetes.io/revision", one.revision),
        ] {
            annotate(&mut tree, key, value.to_string());
        }
    }
    spec.put("replicas", Tree::from(one.replicas));
    spec.put("template", pods);
    tree.put("spec", spec);
    let mut status = numbers(&[
        ("availableReplicas", i64::from(one.status.available)),
        ("fullyLabeledReplicas", i64::from(one.status.replicas)),
        ("readyReplicas", i64::from(one.status.ready)),
    ]);
    status.put("observedGeneration", observed(state, &one.meta));
    status.put("replicas", Tree::from(one.status.replicas));
    let leaving = terminating(state, "ReplicaSet", &one.meta.name);
    status.put("terminatingReplicas", Tree::Int(leaving));
    tree.put("status", status);
    tree
}

fn stateful_set(view: &View, state: &State, one: &StatefulSet) -> Tree {
    let mut spec = written_spec(&one.meta);
    spec.put("replicas", Tree::from(one.replicas));
    spec.put("template", template(&one.template));
    let management = if one.parallel { "Parallel" } else { "OrderedReady" };
    spec.put("podManagementPolicy", Tree::from(management));
    spec.put_new("revisionHistoryLimit", Tree::Int(10));
    let partition = Tree::of(vec![("partition", Tree::from(one.partition))]);
    spec.put(
        "updateStrategy",
        match one.on_delete {
            true => Tree::of(vec![("type", Tree::from("OnDelete"))]),
            false => {
                Tree::of(vec![("rollingUpdate", partition), ("type", Tree::from("RollingUpdate"))])
            }
        },
    );
    let revision = one.revision_name(view.seed);
    let mine = state.pods.values().filter(|pod| {
        let owner = pod.owner.as_ref();
        !pod.removed && owner.is_some_and(|o| o.kind == "StatefulSet" && o.name == one.meta.name)
    });
    let labelled = |pod: &&Pod| pod.template.labels.get(REVISION).cloned().unwrap_or_default();
    let all: Vec<String> = mine.map(|pod| labelled(&pod)).collect();
    let updated = all.iter().filter(|label| **label == revision).count();
    let old = all.iter().find(|label| **label != revision);
    let current = old.map_or(updated, |old| all.iter().filter(|label| *label == old).count());
    let mut status = numbers(&[
        ("currentReplicas", current as i64),
        ("readyReplicas", cell(&one.meta, 0, false)),
        ("updatedReplicas", updated as i64),
    ]);
    status.put("availableReplicas", Tree::Int(cell(&one.meta, 0, false)));
    status.put("collisionCount", Tree::Int(0));
    status.put("currentRevision", Tree::from(old.unwrap_or(&revision).as_str()));
    status.put("replicas", Tree::Int(all.len() as i64));
    status.put("updateRevision", Tree::from(revision));
    status.put("observedGeneration", observed(state, &one.meta));
    let mut tree = object("apps/v1", "StatefulSet", view.metadata(state, &one.meta));
    tree.put("spec", spec);
    tree.put("status", status);
    tree
}

fn daemon_set(view: &View, state: &State, one: &DaemonSet) -> Tree {
    let mut spec = written_spec(&one.meta);
    spec.put("template", template(&one.template));
    spec.put_new("revisionHistoryLimit", Tree::Int(10));
    let keys = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ];
    let mut status = Tree::map();
    for (idx, key) in keys.into_iter().enumerate() {
        status.put(key, Tree::Int(cell(&one.meta, idx, true)));
    }
    status.put("numberMisscheduled", Tree::Int(0));
    status.put("observedGeneration", observed(state, &one.meta));
    let mut tree = object("apps/v1", "DaemonSet", view.metadata(state, &one.meta));
    tree.put("spec", spec);
    tree.put("status", status);
    tree
}

/// A Job's own labels and selector, which it gives its pods too.
fn job_labels(uid: &str, name: &str) -> Tree {
    let mut labels = Tree::map();
    for prefix in ["", "batch.kubernetes.io/"] {
        labels.put(format!("{prefix}controller-uid"), Tree::from(uid));
        labels.put(format!("{prefix}job-name"), Tree::from(name));
    }
    labels
}

fn job(view: &View, state: &State, one: &Job) -> Tree {
    let uid = uid("job", &one.meta.name, one.meta.created_at);
    let labels = job_labels(&uid, one.meta.plain());
    let mut spec = one.spec.raise();
    let mut pods = template(&one.template);
    let mut all = pods.at("metadata.labels").clone();
    for (key, value) in labels.entries() {
        all.put(key.clone(), value.clone());
    }
    if let Some(inside) = pods.get_mut("metadata") {
        inside.put("labels", all.clone());
    }
    spec.put("template", pods);
    let mut pair = Tree::map();
    pair.put("batch.kubernetes.io/controller-uid", Tree::from(uid));
    spec.put("selector", Tree::of(vec![("matchLabels", pair)]));
    spec.put_new("suspend", Tree::Bool(false));
    let mut metadata = view.metadata(state, &one.meta);
    metadata.put("labels", all);
    let by = state.controllers.cronjobs.values().find(|by| {
        by.active.contains(&one.meta.name) || by.finished.iter().any(|(n, _)| *n == one.meta.name)
    });
    if let Some(by) = by {
        let uid = super::uid("cronjob", &by.meta.name, by.meta.created_at);
        let owner = reference("batch/v1", "CronJob", by.meta.plain(), Some(uid));
        metadata.put("ownerReferences", Tree::List(vec![owner]));
    }
    let mut tree = object("batch/v1", "Job", metadata);
    tree.put("spec", spec);
    tree.put("status", job_status(view, state, one));
    tree
}

// Models pkg/controller/job/job_controller.go (v1.36) as far as `kubectl get` shows it.
fn job_status(view: &View, state: &State, one: &Job) -> Tree {
    let mine = state.pods.values().filter(|pod| {
        let owner = pod.owner.as_ref();
        pod.is_active() && owner.is_some_and(|o| o.kind == "Job" && o.name == one.meta.name)
    });
    let (mut active, mut ready) = (0, 0);
    for pod in mine {
        active += 1;
        ready += i64::from(pod.is_ready());
    }
    let mut status = numbers(&[
        ("active", active),
        ("failed", i64::from(one.failed)),
        ("succeeded", i64::from(one.succeeded)),
    ]);
    status.put("ready", Tree::Int(ready));
    status.put("terminating", Tree::Int(terminating(state, "Job", &one.meta.name)));
    status.put("uncountedTerminatedPods", Tree::map());
    status.put("startTime", view.stamp(one.meta.created_at));
    let word = one.meta.row.first().map_or("", String::as_str);
    let (reason, message) = match &one.verdict {
        Some(verdict) if word == "Failed" => (verdict.reason, verdict.message.clone()),
        Some(verdict) if verdict.reason == "SuccessPolicy" => {
            (verdict.reason, verdict.message.clone())
        }
        _ => ("CompletionsReached", "Reached expected number of succeeded pods".to_owned()),
    };
    let met: Vec<Condition> = match word {
        "Complete" => vec![
            ("SuccessCriteriaMet", true, reason, message.clone()),
            ("Complete", true, reason, message),
        ],
        "Failed" => vec![
            ("FailureTarget", true, reason, message.clone()),
            ("Failed", true, reason, message),
        ],
        "Suspended" => vec![("Suspended", true, "JobSuspended", "Job suspended".to_owned())],
        _ => Vec::new(),
    };
    if !met.is_empty() {
        status.put("conditions", conditions_of(view, &one.meta, &met));
    }
    if word == "Complete" {
        status.put("completionTime", view.stamp(one.meta.shown_at));
    }
    status
}

fn cron_job(view: &View, state: &State, one: &CronJob) -> Tree {
    let mut spec = one.spec.raise();
    spec.put_new("suspend", Tree::Bool(false));
    let mut status = Tree::map();
    let active = one.active.iter().map(|name| {
        let job = state.controllers.jobs.get(name);
        let uid = job.map(|job| uid("job", name, job.meta.created_at));
        Tree::of(vec![
            ("apiVersion", Tree::from("batch/v1")),
            ("kind", Tree::from("Job")),
            ("name", Tree::from(&**name)),
            ("uid", Tree::from(uid)),
        ])
    });
    let active: Vec<Tree> = active.collect();
    if !active.is_empty() {
        status.put("active", Tree::List(active));
    }
    status.put("lastScheduleTime", one.last.map_or(Tree::Null, |at| view.stamp(at)));
    let mut tree = object("batch/v1", "CronJob", view.metadata(state, &one.meta));
    tree.put("spec", spec);
    tree.put("status", status);
    tree
}
