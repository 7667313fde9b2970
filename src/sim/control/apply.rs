//! `apply` of a whole manifest while the cluster runs: what is new is made, what is there becomes
//! as it says. What may not change was refused before; who judges that comes with the scenario.
//!
//! Models k8s.io/kubectl/pkg/cmd/apply (v1.36), the three-way merge as far as actions here set
//! fields a manifest leaves out: replicas, pausing, labels, annotations, variables.

use super::node::Node;
use super::{Meta, api, claims, cronjob, deployment, load, outage, scheduler};
use crate::kube::tree::Tree;
use crate::kube::{self, Kind, Object, Origins};
use crate::sim::kubelet;
use crate::sim::model::{PodId, PodTemplate, Source, containers_of};
use crate::sim::world::World;
use crate::text::LineIndex;
use crate::trace::{EventId, Name, Subject, What, plain};
use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Applies a manifest at this instant.
pub(crate) fn apply(world: &World, text: &str, event: EventId) {
    applied(world, text, event, false);
}

/// What was applied before may be the object as it is: then this is a patch of it.
fn applied(world: &World, text: &str, event: EventId, patch: bool) {
    let live = |object: &Object| last_applied(world, object).map(|old| old.origins);
    let (desired, refusals) = match world.scenario.review {
        Some(review) => review(text, &live),
        None => (kube::read(text), Vec::new()),
    };
    for text in refusals {
        world.st().emit(Subject::Cluster, What::Note { text }, Some(event), None);
    }
    for object in &desired.objects {
        match last_applied(world, object) {
            Some(old) => {
                tell_places(world, text, (&old, object), event);
                update(world, &old, object, event, patch);
            }
            None => load::apply_one(world, object, Some(event)),
        }
    }
    world.st().touch();
}

/// Most places of a changed object that are told.
const PLACES_MAX: usize = 3;

/// Says where in the applied text an object became another: events point into the run's own text
/// alone.
fn tell_places(world: &World, text: &str, (old, new): (&Object, &Object), event: EventId) {
    let tree = |one: &Object| one.origins.root.as_deref().map(Tree::of_node).unwrap_or_default();
    let mut paths = Vec::new();
    differences(&tree(old), &tree(new), "", &mut paths);
    let index = LineIndex::new(text);
    let place = |path: &String| {
        let line = index.line(new.origins.span(path)?.start);
        Some(format!("line {line}, {path}"))
    };
    let mut places: Vec<String> = paths.iter().filter_map(place).collect();
    if places.is_empty() {
        return;
    }
    let more = places.len() > PLACES_MAX;
    places.truncate(PLACES_MAX);
    let more = if more { " and more" } else { "" };
    let text = format!("what was applied differs: {}{more}", places.join("; "));
    let (kind, namespace, name) = load::key_of(world, new);
    let name = world.st().key(&kind, &namespace, &name);
    let subject = Subject::Object { kind: kind.as_str().into(), name };
    world.st().emit(subject, What::Note { text }, Some(event), None);
}

/// The paths of what differs, as deep as both have it.
fn differences(old: &Tree, new: &Tree, path: &str, out: &mut Vec<String>) {
    match (old, new) {
        _ if old == new => {}
        (Tree::Map(a), Tree::Map(b)) => {
            let keys: BTreeSet<&str> = a.iter().chain(b).map(|(key, _)| key.as_ref()).collect();
            let dot = if path.is_empty() { "" } else { "." };
            for key in keys {
                differences(old.get(key), new.get(key), &format!("{path}{dot}{key}"), out);
            }
        }
        (Tree::List(a), Tree::List(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}[{i}]"), out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

/// Two documents: an object as it is, and as a patch makes it. What was applied before stays what
/// later manifests are compared with.
pub(crate) fn patch(world: &World, text: &str, event: EventId) {
    let Some((base, patched)) = text.split_once("\n---\n") else { return };
    let kept = world.st().applied.clone();
    for object in kube::read(base).objects {
        let key = load::key_of(world, &object);
        world.st().applied.insert(key, object);
    }
    applied(world, patched, event, true);
    // Objects nobody acts on are nothing but what was applied.
    let typed = kept.into_iter().filter(|(_, object)| !matches!(object.kind, Kind::Other { .. }));
    world.st().applied.extend(typed);
}

/// An object of this kind and name as a manifest said it last, if it is still there.
fn last_applied(world: &World, object: &Object) -> Option<Object> {
    let key = load::key_of(world, object);
    let state = world.st();
    let old = state.applied.get(&key)?;
    let (kind, namespace, plain) = &key;
    let name = state.key(kind, namespace, plain);
    let all = &state.controllers;
    let config = |kind| state.configs.contains_key(&(kind, namespace.clone(), plain.clone()));
    let there = match &old.kind {
        Kind::Pod(_) => api::by_name(&state, &name).is_some(),
        Kind::Deployment(_) => all.deployments.contains_key(&name),
        Kind::ReplicaSet(_) => all.replicasets.contains_key(&name),
        Kind::StatefulSet(_) => all.statefulsets.contains_key(&name),
        Kind::DaemonSet(_) => all.daemonsets.contains_key(&name),
        Kind::Job(_) => all.jobs.contains_key(&name),
        Kind::CronJob(_) => all.cronjobs.contains_key(&name),
        Kind::Service(_) => all.services.contains_key(&name),
        Kind::ConfigMap(_) => config("configmap"),
        Kind::Secret(_) => config("secret"),
        _ => true,
    };
    there.then(|| old.clone())
}

/// One object that is there already, and what it is to become.
struct Edit<'a> {
    world: &'a World,
    old: &'a Origins,
    source: Source,
    name: Name,
    kind: String,
    namespace: String,
    event: EventId,
    /// `old` is the object as it is, with what the server filled in.
    patch: bool,
}

fn update(world: &World, old: &Object, new: &Object, event: EventId, patch: bool) {
    let key = load::key_of(world, new);
    let (kind, namespace, name) = key.clone();
    let (old_origins, name) = (&old.origins, world.st().key(&kind, &namespace, &name));
    let source = load::source_of(new, true);
    let edit = Edit { world, old: old_origins, source, name, kind, namespace, event, patch };
    world.st().applied.insert(key, new.clone());
    match (&old.kind, &new.kind) {
        (Kind::Pod(was), Kind::Pod(now)) => edit.pod(was, now),
        (Kind::Deployment(was), Kind::Deployment(now)) => edit.deployment(was, now),
        (Kind::ReplicaSet(_), Kind::ReplicaSet(now)) => edit.replicaset(now),
        (Kind::StatefulSet(was), Kind::StatefulSet(now)) => edit.statefulset(was, now),
        (Kind::DaemonSet(was), Kind::DaemonSet(now)) => edit.daemonset(was, now),
        (Kind::Job(_), Kind::Job(now)) => edit.job(now),
        (Kind::CronJob(was), Kind::CronJob(now)) => edit.cronjob(was, now),
        (Kind::Service(was), Kind::Service(now)) => edit.service(was, now),
        (Kind::ConfigMap(_), now @ Kind::ConfigMap(_)) => edit.config("configmap", now),
        (Kind::Secret(_), now @ Kind::Secret(_)) => edit.config("secret", now),
        _ if edit.is_same() => {}
        (Kind::PersistentVolumeClaim(_), Kind::PersistentVolumeClaim(now)) => {
            if !edit.claim(now) {
                let key = load::key_of(world, old);
                world.st().applied.insert(key, old.clone());
            }
        }
        (Kind::Other { kind, .. }, _) if kind == "Node" => edit.node(),
        _ => load::apply_other(world, new, edit.source, Some(event)),
    }
}

impl Edit<'_> {
    /// The manifest says of this object what it said before.
    fn is_same(&self) -> bool {
        let tree = |origins: &Origins| origins.root.as_deref().map(kube::tree::Tree::of_node);
        tree(self.old) == tree(&self.source.origins)
    }

    /// A field the new manifest has, or the one before had: else it is as others left it.
    fn says(&self, path: &str) -> bool {
        self.source.origins.node(path).is_some() || self.old.node(path).is_some()
    }

    fn tell(&self) -> EventId {
        let spec = |origins: &Origins| origins.node("spec").map(kube::tree::Tree::of_node);
        let kinds = ["deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"];
        let kind = kinds.into_iter().find(|kind| *kind == self.kind);
        if let Some(kind) = kind.filter(|_| spec(self.old) != spec(&self.source.origins)) {
            self.world.st().edited(kind, &self.name);
        }
        let subject = Subject::Object { kind: self.kind.as_str().into(), name: self.name.clone() };
        self.world.st().emit(subject, What::Applied, Some(self.event), None)
    }

    fn meta(&self, live: &Meta) -> Meta {
        Meta { source: Rc::new(self.source.clone()), ..live.clone() }
    }

    /// The template that comes of `new`; a patch of something else leaves it as it is.
    fn template(&self, last: &PodTemplate, live: &PodTemplate, new: PodTemplate) -> PodTemplate {
        let tree = |of: &Origins| of.node("spec.template").map(kube::tree::Tree::of_node);
        match self.patch && tree(self.old) == tree(&self.source.origins) {
            true => live.clone(),
            false => merged(last, live, new),
        }
    }

    fn deployment(&self, was: &apps::Deployment, now: &apps::Deployment) {
        let found = self.world.st().controllers.deployments.get(&self.name).cloned();
        let Some(live) = found else { return };
        let last = load::deployment_of(live.meta.clone(), was.spec.clone().unwrap_or_default());
        let meta = self.meta(&live.meta);
        let mut fresh = load::deployment_of(meta, now.spec.clone().unwrap_or_default());
        if !self.says("spec.replicas") {
            fresh.replicas = live.replicas;
            (fresh.surge, fresh.unavailable) = deployment::fenceposts(&fresh.spec, live.replicas);
        }
        if !self.says("spec.paused") {
            fresh.paused = live.paused;
        }
        fresh.template = self.template(&last.template, &live.template, fresh.template);
        let same = (fresh.replicas, fresh.paused) == (live.replicas, live.paused)
            && fresh.spec == live.spec
            && alike(&fresh.template, &live.template);
        if same && self.is_same() {
            return;
        }
        fresh.cause = self.tell();
        (fresh.scaled_for, fresh.scaled_most) = (live.scaled_for, live.scaled_most);
        let state = &mut self.world.st();
        let mine =
            |set: &&mut super::replicaset::ReplicaSet| set.owner.as_ref() == Some(&self.name);
        for set in state.controllers.replicasets.values_mut().filter(mine) {
            set.min_ready = fresh.min_ready;
        }
        state.controllers.deployments.insert(self.name.clone(), fresh);
    }

    fn replicaset(&self, now: &apps::ReplicaSet) {
        if self.is_same() {
            return;
        }
        let (cause, spec) = (self.tell(), now.spec.clone().unwrap_or_default());
        let state = &mut self.world.st();
        let Some(live) = state.controllers.replicasets.get_mut(&self.name) else { return };
        live.meta = self.meta(&live.meta);
        live.template = load::template_of(&live.meta, "spec.template", spec.template.as_ref());
        if self.says("spec.replicas") {
            live.replicas = load::count(spec.replicas);
        }
        live.min_ready = spec.min_ready_seconds.unwrap_or(0);
        live.cause = cause;
    }

    fn statefulset(&self, was: &apps::StatefulSet, now: &apps::StatefulSet) {
        let found = self.world.st().controllers.statefulsets.get(&self.name).cloned();
        let Some(live) = found else { return };
        let last = load::statefulset_of(live.meta.clone(), was.spec.clone().unwrap_or_default());
        let meta = self.meta(&live.meta);
        let mut fresh = load::statefulset_of(meta, now.spec.clone().unwrap_or_default());
        if !self.says("spec.replicas") {
            fresh.replicas = live.replicas;
        }
        fresh.template = self.template(&last.template, &live.template, fresh.template);
        let same = alike(&fresh.template, &live.template);
        if same && self.is_same() && fresh.replicas == live.replicas {
            return;
        }
        fresh.revision = live.revision + u32::from(!same);
        fresh.cause = self.tell();
        self.world.st().controllers.statefulsets.insert(self.name.clone(), fresh);
    }

    fn daemonset(&self, was: &apps::DaemonSet, now: &apps::DaemonSet) {
        let found = self.world.st().controllers.daemonsets.get(&self.name).cloned();
        let Some(live) = found else { return };
        let of = |meta, spec: &Option<apps::DaemonSetSpec>| {
            load::daemonset_of(self.world, meta, spec.clone().unwrap_or_default())
        };
        let last = of(live.meta.clone(), &was.spec);
        let mut fresh = of(self.meta(&live.meta), &now.spec);
        fresh.template = self.template(&last.template, &live.template, fresh.template);
        let same = alike(&fresh.template, &live.template);
        if same && self.is_same() {
            return;
        }
        fresh.revision = live.revision + u32::from(!same);
        fresh.cause = self.tell();
        self.world.st().controllers.daemonsets.insert(self.name.clone(), fresh);
    }

    fn job(&self, now: &batch::Job) {
        if self.is_same() {
            return;
        }
        self.tell();
        let state = &mut self.world.st();
        let Some(live) = state.controllers.jobs.get_mut(&self.name) else { return };
        live.meta = self.meta(&live.meta);
        let spec = now.spec.clone().unwrap_or_default();
        live.spec = load::new_job(live.meta.clone(), spec, "spec.template").spec;
    }

    fn cronjob(&self, was: &batch::CronJob, now: &batch::CronJob) {
        if was.spec == now.spec {
            return;
        }
        self.tell();
        cronjob::edited(self.world, &self.name, now.spec.clone());
    }

    fn service(&self, was: &core::Service, now: &core::Service) {
        if was.spec == now.spec && self.is_same() {
            return;
        }
        self.tell();
        let state = &mut self.world.st();
        let Some(live) = state.controllers.services.get_mut(&self.name) else { return };
        live.meta = self.meta(&live.meta);
        live.spec = now.spec.clone().unwrap_or_default();
    }

    /// Values of a ConfigMap or Secret: mounted files follow, variables of running containers
    /// never do.
    fn config(&self, kind: &'static str, now: &Kind) {
        let data = load::data_of(now);
        let key = (kind, self.namespace.clone(), plain(&self.name).to_owned());
        let live = self.world.st().configs.get(&key).map(|config| config.data.clone());
        if live.as_ref() == Some(&data) && self.is_same() {
            return;
        }
        let event = self.tell();
        if let Some(config) = self.world.st().configs.get_mut(&key) {
            (config.data, config.changed_by) = (data, Some(event));
        }
    }

    /// A claim that asks for more, where its class lets it grow; false where it does not.
    fn claim(&self, now: &core::PersistentVolumeClaim) -> bool {
        let key = (self.namespace.clone(), plain(&self.name).to_owned());
        let spec = now.spec.clone().unwrap_or_default();
        let Err(why) = claims::grow(self.world, &key, spec, || self.tell()) else { return true };
        let name = plain(&self.name);
        let text = format!(
            "Error from server (Forbidden): persistentvolumeclaims \"{name}\" is forbidden: \
             {why}"
        );
        self.world.st().emit(Subject::Cluster, What::Note { text }, Some(self.event), None);
        false
    }

    /// Other labels, taints and the like of a node.
    fn node(&self) {
        let (event, fresh) = (self.tell(), Node::written(&self.name, &self.source.origins));
        let state = &mut self.world.st();
        let Some(node) = state.nodes.iter_mut().find(|node| *node.name == *self.name) else {
            return;
        };
        (node.labels, node.room) = (fresh.labels, fresh.room);
        if self.says("spec.taints") {
            node.taints = fresh.taints;
        }
        if self.says("spec.unschedulable") {
            node.unschedulable = fresh.unschedulable;
        }
        outage::tainted(self.world, state, &self.name, event);
    }

    /// A running pod: another image restarts that container in place, labels only show.
    fn pod(&self, was: &core::Pod, now: &core::Pod) {
        let Some(id) = api::by_name(&self.world.st(), &self.name) else { return };
        let Some(live) = self.world.pod(id, |pod| pod.template.clone()) else { return };
        let template = |pod: &core::Pod| PodTemplate {
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            annotations: pod.metadata.annotations.clone().unwrap_or_default(),
            spec: Rc::new(pod.spec.clone().unwrap_or_default()),
            source: live.source.clone(),
        };
        let mut fresh = merged(&template(was), &live, template(now));
        fresh.spec = Rc::new(changeable(&live.spec, &fresh.spec));
        if alike(&fresh, &live) {
            return;
        }
        let event = self.tell();
        let freed = is_gated(&live) && !is_gated(&fresh);
        self.world.pod(id, |pod| {
            pod.generation += i64::from(pod.template.spec != fresh.spec);
            pod.containers = Rc::new(containers_of(&fresh.spec));
            pod.template = fresh;
        });
        notice(self.world, id, event, freed);
    }
}

/// A person changed a running pod by other means than a whole manifest.
pub(crate) fn change_pod(
    world: &World,
    name: &Name,
    event: EventId,
    change: impl FnOnce(&mut PodTemplate),
) -> Result<(), String> {
    let id = api::by_name(&world.st(), name).ok_or_else(|| super::change::missing("pod", name))?;
    world.pod(id, |pod| {
        let before = pod.template.spec.clone();
        change(&mut pod.template);
        pod.generation += i64::from(pod.template.spec != before);
        pod.containers = Rc::new(containers_of(&pod.template.spec));
    });
    notice(world, id, event, false);
    Ok(())
}

fn is_gated(template: &PodTemplate) -> bool {
    template.spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty())
}

/// The kubelet hears of a changed pod, or the scheduler, once nothing holds the pod back.
fn notice(world: &World, id: PodId, event: EventId, freed: bool) {
    let copy = world.clone();
    world.clock.spawn(async move {
        if freed {
            scheduler::run(&copy, id).await;
        } else {
            copy.pause(10).await;
            kubelet::want_sync(&copy, id, event);
        }
    });
}

/// The spec of a running pod with what of a new one may change.
fn changeable(live: &core::PodSpec, new: &core::PodSpec) -> core::PodSpec {
    let mut spec = live.clone();
    spec.tolerations.clone_from(&new.tolerations);
    spec.active_deadline_seconds = new.active_deadline_seconds;
    spec.scheduling_gates.clone_from(&new.scheduling_gates);
    let images = new.init_containers.iter().flatten().chain(&new.containers);
    let images: BTreeMap<&str, &Option<String>> =
        images.map(|one| (one.name.as_str(), &one.image)).collect();
    for one in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        if let Some(image) = images.get(one.name.as_str()) {
            one.image.clone_from(image);
        }
    }
    spec
}

fn alike(a: &PodTemplate, b: &PodTemplate) -> bool {
    a.spec == b.spec && a.labels == b.labels && a.annotations == b.annotations
}

/// `new`, and what others than manifests put into the live template.
fn merged(last: &PodTemplate, live: &PodTemplate, mut new: PodTemplate) -> PodTemplate {
    type Map = BTreeMap<String, String>;
    let keep = |last: &Map, live: &Map, new: &mut Map| {
        for (key, value) in live.iter().filter(|(key, _)| !last.contains_key(*key)) {
            new.entry(key.clone()).or_insert_with(|| value.clone());
        }
    };
    keep(&last.labels, &live.labels, &mut new.labels);
    keep(&last.annotations, &live.annotations, &mut new.annotations);
    let mut spec = (*new.spec).clone();
    for one in &mut spec.containers {
        let env = |of: &PodTemplate| -> Vec<core::EnvVar> {
            let found = of.spec.containers.iter().find(|c| c.name == one.name);
            found.and_then(|c| c.env.clone()).unwrap_or_default()
        };
        let (last, live) = (env(last), env(live));
        for var in live.into_iter().filter(|var| !last.iter().any(|old| old.name == var.name)) {
            if !one.env.iter().flatten().any(|own| own.name == var.name) {
                one.env.get_or_insert_default().push(var);
            }
        }
    }
    new.spec = Rc::new(spec);
    // An unchanged template keeps its places in the run's own text.
    if alike(&new, live) { live.clone() } else { new }
}
