//! Finalizers that somebody wrote into an object: as long as it has any, it is deleted and still
//! there. Who is to take them away is no part of the simulation; a person can.
//!
//! Models staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
//! deletionFinalizersForGarbageCollection (v1.36). Not here: finalizers of templates' pods.

use super::change::parts;
use super::{api, change};
use crate::sim::model::PodId;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, plain};

/// What the run keeps beside labels and annotations that were given later.
pub(crate) const FINALIZERS: &str = "finalizers";
pub(crate) const DELETED: &str = "deleted";

fn written(state: &State, kind: &str, namespace: &str, name: &Name) -> Vec<String> {
    let key = (kind.to_owned(), namespace.to_owned(), plain(name).to_owned());
    let found = state.applied.get(&key);
    found.map(|one| one.origins.read("metadata.finalizers")).unwrap_or_default()
}

/// Those an object has now.
fn all(state: &State, kind: &str, namespace: &str, name: &Name) -> Vec<String> {
    let mut all = written(state, kind, namespace, name);
    if let Some(later) = state.marks.get(&(kind.to_owned(), name.clone(), FINALIZERS)) {
        all.retain(|one| later.get(one) != Some(&None));
        let more = later.iter().filter(|(_, given)| given.is_some()).map(|(one, _)| one.clone());
        all.extend(more.filter(|one| !all.contains(one)).collect::<Vec<_>>());
    }
    all
}

/// Whether an object stays although it is deleted.
pub(crate) fn hold(state: &State, kind: &str, namespace: &str, name: &Name) -> bool {
    !all(state, kind, namespace, name).is_empty()
}

pub(crate) fn hold_pod(state: &State, id: PodId) -> bool {
    let pod = state.pods.get(&id);
    pod.is_some_and(|pod| hold(state, "pod", &pod.namespace, &pod.name))
}

/// `finalizers deployment/web a b`: these and no others from now on.
pub(crate) fn set(world: &World, target: &str, names: &[&str]) -> Result<(), String> {
    let (kind, name) = parts(world, target);
    let namespace = change::namespace_of(world, target);
    let state = &mut world.st();
    let before = all(state, kind, &namespace, &name);
    let later = state.marks.entry((kind.to_owned(), name, FINALIZERS)).or_default();
    later.extend(before.into_iter().map(|one| (one, None)));
    later.extend(names.iter().map(|one| ((*one).to_owned(), Some(String::new()))));
    state.touch();
    Ok(())
}

/// Goes on with a deletion once nothing holds the object any more.
pub(crate) fn once_free(
    world: &World,
    (kind, namespace, name): (&str, &str, &Name),
    go_on: impl FnOnce(&World) + 'static,
) {
    let (copy, kind) = (world.clone(), kind.to_owned());
    let (namespace, name) = (namespace.to_owned(), name.clone());
    world.clock.spawn(async move {
        while hold(&copy.st(), &kind, &namespace, &name) {
            let flag = copy.st().api_flag.clone();
            flag.raised(&copy.clock, SimTime::MAX).await;
        }
        copy.st().marks.remove(&(kind, name, DELETED));
        go_on(&copy);
    });
}

/// A pod is deleted that something holds.
pub(crate) fn free_pod(world: &World, id: PodId) {
    let copy = world.clone();
    world.clock.spawn(async move {
        while hold_pod(&copy.st(), id) {
            let flag = copy.st().api_flag.clone();
            flag.raised(&copy.clock, SimTime::MAX).await;
        }
        let over = copy.pod(id, |pod| {
            pod.flag.clone().raise(&copy.clock);
            !pod.scheduled || pod.kubelet.stopped
        });
        if over == Some(true) {
            api::remove_pod(&copy, id);
        }
    });
}

/// Deletes an object that something holds: it says since when, and goes later.
pub(crate) fn delete(
    world: &World,
    (kind, name): (&str, &Name),
    target: &str,
    words: &[&str],
    event: EventId,
) {
    let namespace = change::namespace_of(world, target);
    let at = world.scenario.started_unix_secs + world.now().as_secs() as i64;
    let state = &mut world.st();
    let key = (kind.to_owned(), name.clone(), DELETED);
    if state.marks.contains_key(&key) {
        return;
    }
    state.marks.entry(key).or_default().insert("at".to_owned(), Some(at.to_string()));
    super::owner::rest(state, kind, name, Some(event));
    let (target, words) = (target.to_owned(), words.join(" "));
    once_free(world, (kind, &namespace, name), move |world| {
        let words: Vec<&str> = words.split_whitespace().collect();
        let (kind, name) = parts(world, &target);
        super::owner::rest(&mut world.st(), kind, &name, None);
        // Somebody may have taken it away meanwhile.
        let (kind, name) = target.split_once('/').unwrap_or(("", &target));
        let _ = change::delete(world, kind, name, &words, event);
    });
}
