//! A namespace that is deleted: all that lives in it goes first, and nothing new comes in.

use super::owner::{self, Cascade};
use super::{api, change};
use crate::kube::{Kind, schema};
use crate::sim::model::PodId;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};

/// Models plugin/pkg/admission/namespace/lifecycle/admission.go immortalNamespaces (v1.36).
const IMMORTAL: [&str; 3] = ["default", "kube-public", "kube-system"];
/// Waits while a namespace empties, at most.
const LOOKS_MAX: u32 = 10_000;

// Models pkg/controller/namespace/deletion/namespaced_resources_deleter.go Delete (v1.36).
pub(crate) fn delete(world: &World, name: &Name, event: EventId) -> Result<(), String> {
    if IMMORTAL.contains(&&**name) {
        return Err(format!(
            "Error from server (Forbidden): namespaces \"{name}\" is forbidden: this namespace \
             may not be deleted"
        ));
    }
    let event = {
        let state = &mut world.st();
        let own = **name == *world.scenario.namespace;
        match state.rules.namespaces.get_mut(&**name) {
            Some(known) if known.terminating => return Ok(()),
            Some(known) => known.terminating = true,
            None if own => {
                state.rules.namespaces.entry(name.to_string()).or_default().terminating = true
            }
            None => return Err(change::missing("namespace", name)),
        }
        let text = "waits until all that lives in it is gone".to_owned();
        state.emit(subject(name), What::Note { text }, Some(event), None)
    };
    empty(world, name, event);
    let (copy, name) = (world.clone(), name.clone());
    world.clock.spawn(async move { finish(&copy, &name, event).await });
    Ok(())
}

fn subject(name: &Name) -> Subject {
    Subject::Object { kind: "namespace".into(), name: name.clone() }
}

/// Asks for the end of everything in a namespace.
fn empty(world: &World, namespace: &str, event: EventId) {
    let owners = owners(&world.st(), namespace);
    for (kind, name) in owners {
        // It was there a moment ago.
        let _ = owner::delete(world, (kind, &name), Cascade::Background, event);
    }
    let pods = pods(&world.st(), namespace);
    for id in pods {
        api::delete_pod(world, id, None, event);
    }
    let state = &mut world.st();
    let all = &mut state.controllers;
    all.services.retain(|_, one| one.meta.namespace != namespace);
    all.scalers.all.retain(|_, one| one.meta.namespace != namespace);
    all.ingresses.all.retain(|one| one.namespace != namespace);
    all.policies.retain(|(of, _), _| of != namespace);
    state.configs.retain(|(_, of, _), _| of != namespace);
    state.storage.claims.retain(|(of, _), _| of != namespace);
    state.budgets.retain(|one| one.namespace != namespace);
    state.rules.accounts.retain(|(of, _), _| of != namespace);
    state.rules.quotas.retain(|(of, _), _| of != namespace);
    state.rules.ranges.retain(|(of, _), _| of != namespace);
    let mut gone = Vec::new();
    state.applied.retain(|(kind, of, name), object| {
        let stays = of != namespace || is_cluster_wide(&object.kind);
        if !stays && kind != "pod" && !owner::owns(kind) {
            gone.push((kind.clone(), name.clone()));
        }
        stays
    });
    for (kind, name) in gone {
        let name = state.key(&kind, namespace, &name);
        let subject = Subject::Object { kind: kind.as_str().into(), name };
        state.emit(subject, What::Removed, Some(event), None);
    }
    state.touch();
}

fn is_cluster_wide(kind: &Kind) -> bool {
    let Kind::Other { api_version, kind, .. } = kind else { return false };
    schema::kind(api_version, kind).is_some_and(|known| !known.namespaced)
}

fn owners(state: &State, namespace: &str) -> Vec<(&'static str, Name)> {
    let all = &state.controllers;
    let mut out = Vec::new();
    let mut add = |meta: &super::Meta| {
        if meta.namespace == namespace {
            out.push((meta.kind, meta.name.clone()));
        }
    };
    all.deployments.values().for_each(|one| add(&one.meta));
    all.cronjobs.values().for_each(|one| add(&one.meta));
    all.statefulsets.values().for_each(|one| add(&one.meta));
    all.daemonsets.values().for_each(|one| add(&one.meta));
    all.replicasets.values().for_each(|one| add(&one.meta));
    all.jobs.values().for_each(|one| add(&one.meta));
    out
}

fn pods(state: &State, namespace: &str) -> Vec<PodId> {
    let there = state.pods.values().filter(|pod| !pod.removed && pod.namespace == namespace);
    there.map(|pod| pod.id).collect()
}

/// Looks again after half the longest grace, until nothing is left.
// Models pkg/controller/namespace/namespace_controller.go worker (v1.36).
async fn finish(world: &World, name: &Name, event: EventId) {
    for _ in 0..LOOKS_MAX {
        let grace = {
            let state = world.st();
            let left = pods(&state, name);
            let grace = left.iter().filter_map(|id| state.pods.get(id)).map(|pod| pod.grace_secs());
            grace.max()
        };
        let Some(secs) = grace else { break };
        world.clock.sleep(SimTime::from_secs(secs / 2 + 1)).await;
    }
    let state = &mut world.st();
    state.rules.namespaces.remove(&**name);
    state.emit(subject(name), What::Removed, Some(event), None);
    state.touch();
}

/// What the run calls an object that comes now: a name that another namespace has already is said
/// with the namespace.
pub(super) fn enter(state: &mut State, kind: &str, namespace: &str, name: &str) -> Name {
    let elsewhere = |meta: &super::Meta| meta.namespace != namespace;
    let all = &state.controllers;
    let taken = match kind {
        "pod" => state
            .pods
            .values()
            .any(|pod| !pod.removed && &*pod.name == name && pod.namespace != namespace),
        "deployment" => all.deployments.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "replicaset" => all.replicasets.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "statefulset" => all.statefulsets.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "daemonset" => all.daemonsets.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "job" => all.jobs.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "cronjob" => all.cronjobs.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "service" => all.services.get(name).is_some_and(|one| elsewhere(&one.meta)),
        "horizontalpodautoscaler" => {
            all.scalers.all.get(name).is_some_and(|one| elsewhere(&one.meta))
        }
        _ => {
            let known = |(k, of, n): &(String, String, String)| {
                k == kind && n == name && of != namespace && &*state.key(kind, of, n) == name
            };
            state.applied.keys().any(known)
        }
    };
    state.new_key(kind, (namespace, name), taken)
}
