//! Who owns what: controllers adopt pods nobody owns and let go of those they no longer select;
//! what a deleted owner leaves follows it, goes before it, or stays.

use super::change::missing;
use super::{Meta, api, cronjob, replicaset, workload};
use crate::kube::selector;
use crate::sim::model::{Owner, Pod, PodId};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// What becomes of what a deleted object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cascade {
    /// The owner goes at once, the rest follows.
    Background,
    /// The owner waits until the rest is gone.
    Foreground,
    /// The rest stays, owned by nobody.
    Orphan,
}

impl Cascade {
    /// Of `--cascade=WORD` among a command's words.
    // Models k8s.io/kubectl/pkg/cmd/util GetCascadingStrategy (v1.36).
    pub(crate) fn of(words: &[&str]) -> Result<Cascade, String> {
        let word = words.iter().find_map(|word| word.strip_prefix("--cascade="));
        match word.unwrap_or("background") {
            "background" | "true" => Ok(Cascade::Background),
            "foreground" => Ok(Cascade::Foreground),
            "orphan" | "false" => Ok(Cascade::Orphan),
            other => Err(format!("deleting with `--cascade={other}`")),
        }
    }
}

/// A pod whose name and labels say that it is the controller's becomes its own; one that is its
/// own and no longer says so is let go.
// Models pkg/controller/controller_ref_manager.go ClaimPods (v1.36).
pub(crate) fn claim(
    world: &World,
    kind: &'static str,
    meta: &Meta,
    wanted: &LabelSelector,
    fits: &dyn Fn(&Pod) -> bool,
) {
    if *wanted == LabelSelector::default() || meta.deleted_by.is_some() {
        return;
    }
    let state = &mut world.st();
    let near = state.pods.values().filter(|p| p.is_active() && p.namespace == meta.namespace);
    let change = |pod: &Pod| {
        let matches = selector::matches(wanted, &pod.template.labels) && fits(pod);
        let own = pod.owner.as_ref().map(|o| o.kind == kind && o.name == meta.name);
        (own.unwrap_or(true) && own.is_some() != matches).then_some((pod.id, matches))
    };
    let changes: Vec<(PodId, bool)> = near.filter_map(change).collect();
    for (id, adopted) in changes {
        let owner = Owner { kind, name: meta.name.clone() };
        own(state, id, owner, adopted, meta.applied);
    }
}

fn own(state: &mut State, id: PodId, owner: Owner, adopted: bool, cause: EventId) {
    let Some(pod) = state.pods.get_mut(&id) else { return };
    let named = format!("{}/{}", owner.kind, owner.name);
    let what = match adopted {
        true => What::Adopted { owner: named },
        false => What::Released { owner: named },
    };
    if adopted && owner.kind == "StatefulSet" {
        pod.index = pod.name.rsplit('-').next().and_then(|ordinal| ordinal.parse().ok());
    }
    pod.owner = adopted.then_some(owner);
    let subject = pod.subject();
    let event = state.emit(subject, what, Some(cause), None);
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.changed_by = event;
    }
    state.touch();
}

/// What an object owns directly.
enum Child {
    Pod(PodId),
    Set(Name),
    Job(Name),
}

/// The kind of an owner as pods name it.
fn owning(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "replicaset" => "ReplicaSet",
        "statefulset" => "StatefulSet",
        "daemonset" => "DaemonSet",
        "job" => "Job",
        _ => return None,
    })
}

fn children(state: &State, kind: &str, name: &Name) -> Vec<Child> {
    if let Some(kind) = owning(kind) {
        return api::owned(state, kind, name).into_iter().map(Child::Pod).collect();
    }
    let all = &state.controllers;
    match kind {
        "deployment" => {
            let sets = all.replicasets.values().filter(|set| set.owner.as_ref() == Some(name));
            sets.map(|set| Child::Set(set.meta.name.clone())).collect()
        }
        "cronjob" => {
            let jobs = all.cronjobs.get(name).map(cronjob::jobs).unwrap_or_default();
            let live = jobs.into_iter().filter(|job| all.jobs.contains_key(job));
            live.map(Child::Job).collect()
        }
        _ => Vec::new(),
    }
}

fn meta<'a>(state: &'a mut State, kind: &str, name: &Name) -> Option<&'a mut Meta> {
    let all = &mut state.controllers;
    match kind {
        "deployment" => all.deployments.get_mut(name).map(|one| &mut one.meta),
        "replicaset" => all.replicasets.get_mut(name).map(|one| &mut one.meta),
        "statefulset" => all.statefulsets.get_mut(name).map(|one| &mut one.meta),
        "daemonset" => all.daemonsets.get_mut(name).map(|one| &mut one.meta),
        "job" => all.jobs.get_mut(name).map(|one| &mut one.meta),
        "cronjob" => all.cronjobs.get_mut(name).map(|one| &mut one.meta),
        _ => None,
    }
}

/// Its controller rests while an owner that is deleted is still there.
pub(crate) fn rest(state: &mut State, kind: &str, name: &Name, by: Option<EventId>) {
    if let Some(meta) = meta(state, kind, name) {
        meta.deleted_by = by;
    }
}

/// Whether objects of this kind own others.
pub(crate) fn owns(kind: &str) -> bool {
    owning(kind).is_some() || matches!(kind, "deployment" | "cronjob")
}

/// Deletes an object that owns others.
// Models pkg/controller/garbagecollector attemptToDeleteItem (v1.36).
pub(crate) fn delete(
    world: &World,
    (kind, name): (&str, &Name),
    cascade: Cascade,
    event: EventId,
) -> Result<(), String> {
    if meta(&mut world.st(), kind, name).is_none() {
        return Err(missing(kind, name));
    }
    match cascade {
        Cascade::Background => {
            let children = children(&world.st(), kind, name);
            let event = remove(world, kind, name, event);
            follow(world, children, cascade, event);
        }
        Cascade::Orphan => {
            let children = children(&world.st(), kind, name);
            let owner = owning(kind).map(|kind| Owner { kind, name: name.clone() });
            show_alone(&mut world.st(), kind, name, event);
            let event = remove(world, kind, name, event);
            let state = &mut world.st();
            for child in children {
                match (child, &owner) {
                    (Child::Pod(id), Some(owner)) => own(state, id, owner.clone(), false, event),
                    (Child::Set(set), _) => {
                        state.controllers.replicasets.entry(set).and_modify(|s| s.owner = None);
                    }
                    _ => {}
                }
            }
        }
        Cascade::Foreground => {
            let told = Subject::Object { kind: kind.into(), name: name.clone() };
            let text = "waits until what it owns is gone".to_owned();
            let event = world.st().emit(told, What::Note { text }, Some(event), None);
            if let Some(meta) = meta(&mut world.st(), kind, name) {
                meta.deleted_by = Some(event);
            }
            let children = children(&world.st(), kind, name);
            follow(world, children, cascade, event);
            let (copy, kind, name) = (world.clone(), kind.to_owned(), name.clone());
            world.clock.spawn(async move { wait(&copy, &kind, &name, event).await });
        }
    }
    world.st().touch();
    Ok(())
}

/// A ReplicaSet whose pods were let go says so before it goes itself.
fn show_alone(state: &mut State, kind: &str, name: &Name, event: EventId) {
    let sets = &state.controllers.replicasets;
    let Some(set) = sets.get(name).filter(|_| kind == "replicaset") else { return };
    let (mut meta, wanted) = (set.meta.clone(), set.replicas.to_string());
    let cells = vec![wanted, "0".to_owned(), "0".to_owned()];
    workload::show_row(state, &mut meta, cells, event);
}

/// An owner that is deleted in the foreground goes with the last of what it owns.
async fn wait(world: &World, kind: &str, name: &Name, event: EventId) {
    loop {
        let waits = meta(&mut world.st(), kind, name).is_some_and(|meta| meta.deleted_by.is_some());
        if !waits {
            return;
        }
        if children(&world.st(), kind, name).is_empty() {
            remove(world, kind, name, event);
            return world.st().touch();
        }
        let flag = world.st().api_flag.clone();
        flag.raised(&world.clock, SimTime::MAX).await;
        // Its controller shows the new numbers before the collector acts on them.
        world.pause(COLLECT_MILLIS).await;
    }
}

/// How long the collector takes to notice, in milliseconds.
const COLLECT_MILLIS: u64 = 60;

fn follow(world: &World, children: Vec<Child>, cascade: Cascade, event: EventId) {
    for child in children {
        let (kind, name) = match child {
            Child::Pod(id) => {
                api::delete_pod(world, id, None, event);
                continue;
            }
            Child::Set(name) => ("replicaset", name),
            Child::Job(name) => ("job", name),
        };
        // It was there a moment ago.
        let _ = delete(world, (kind, &name), cascade, event);
    }
}

/// The object itself leaves the server.
fn remove(world: &World, kind: &str, name: &Name, event: EventId) -> EventId {
    let state = &mut world.st();
    let all = &mut state.controllers;
    match kind {
        "deployment" => drop(all.deployments.remove(name)),
        "replicaset" => drop(all.replicasets.remove(name)),
        "statefulset" => drop(all.statefulsets.remove(name)),
        "daemonset" => drop(all.daemonsets.remove(name)),
        "job" => drop(all.jobs.remove(name)),
        _ => drop(all.cronjobs.remove(name)),
    }
    state.marks.retain(|(of, one, _), _| (of.as_str(), one) != (kind, name));
    let subject = Subject::Object { kind: kind.into(), name: name.clone() };
    state.emit(subject, What::Removed, Some(event), None)
}

/// ReplicaSets that a Deployment finds without an owner and selects become its own.
// Models pkg/controller/controller_ref_manager.go ClaimReplicaSets (v1.36).
pub(crate) fn claim_sets(world: &World, meta: &Meta, wanted: &LabelSelector) {
    if *wanted == LabelSelector::default() || meta.deleted_by.is_some() {
        return;
    }
    let mine = |set: &&mut replicaset::ReplicaSet| {
        set.owner.is_none()
            && set.meta.deleted_by.is_none()
            && set.meta.namespace == meta.namespace
            && selector::matches(wanted, &set.labels())
    };
    for set in world.st().controllers.replicasets.values_mut().filter(mine) {
        set.owner = Some(meta.name.clone());
    }
}
