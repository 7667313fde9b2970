//! From the manifest's objects to the API server's: applied in order, each with an event.

use super::admission::{Namespace, Refused};
use super::api::{self, NewPod};
use super::cronjob::{self, CronJob};
use super::daemonset::DaemonSet;
use super::deployment::{self, Deployment};
use super::job::{self, Job};
use super::namespace;
use super::node::{self, Node};
use super::replicaset::{self, ReplicaSet};
use super::statefulset::StatefulSet;
use super::{Meta, admission, budget, claims, hpa, ingress, policy, security, service, workload};
use crate::kube::{Desired, Kind, Object, Origins};
use crate::sim::model::{PodTemplate, Source};
use crate::sim::world::{Config, World};
use crate::time::SimTime;
use crate::trace::{EventId, Subject, What};
use k8s_openapi::api::apps::v1 as apps;
use k8s_openapi::api::batch::v1 as batch;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// Applies all objects at this instant.
pub(crate) fn apply(world: &World, desired: &Arc<Desired>, cause: Option<EventId>) {
    if cause.is_none() {
        furnish(world, desired);
    }
    for object in &desired.objects {
        apply_one(world, object, cause);
    }
    world.st().touch();
}

/// What the cluster has before anything is applied to it.
fn furnish(world: &World, desired: &Desired) {
    let state = &mut world.st();
    for object in &desired.objects {
        if let Kind::Other { kind, name, .. } = &object.kind
            && kind == "Node"
        {
            state.nodes.push(Node::written(name, &object.origins));
        }
    }
    if state.nodes.is_empty() {
        state.nodes.push(Node::new(node::NODE));
    }
    if let Some(name) = &world.scenario.storage_class {
        state.storage.classes.insert(name.clone(), claims::usual_class());
    }
}

/// Kinds whose work nobody does here, and what that leaves undone.
const NOT_SIMULATED: &[(&str, &str)] = &[
    ("VerticalPodAutoscaler", "resizing by load"),
    ("Gateway", "routing from outside by a Gateway"),
    ("HTTPRoute", "routing from outside by an HTTPRoute"),
    ("RuntimeClass", "other container runtimes"),
    ("CustomResourceDefinition", "controllers of custom resources"),
];

const HPA: &str = "horizontalpodautoscaler";

/// Objects that say what others may be.
fn rule(world: &World, kind: &str, name: &str, namespace: String, origins: &Origins) {
    let state = &mut world.st();
    let key = (namespace.clone(), name.to_owned());
    match kind {
        "Namespace" => {
            let mut labels: BTreeMap<String, String> = origins.read("metadata.labels");
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
            let created_at = Some(state.now());
            let known = Namespace { labels, created_at, ..Namespace::default() };
            state.rules.namespaces.insert(name.to_owned(), known);
        }
        "ServiceAccount" => {
            let automounts: Option<bool> = origins.read("automountServiceAccountToken");
            state.rules.accounts.insert(key, automounts.unwrap_or(true));
        }
        "ResourceQuota" => {
            let hard = origins.read("spec.hard");
            state.rules.quotas.insert(key, hard);
        }
        "LimitRange" => drop(state.rules.ranges.insert(key, crate::kube::limits::ranges(origins))),
        "PodDisruptionBudget" => {
            state.budgets.retain(|old| (&old.namespace, &*old.name) != (&namespace, name));
            state.budgets.push(budget::budget(name.to_owned(), namespace, origins));
        }
        "PriorityClass" => {
            state.rules.priorities.insert(name.to_owned(), admission::priority(origins));
        }
        "StorageClass" => {
            let class = claims::class(origins);
            if class.default {
                state.storage.classes.values_mut().for_each(|other| other.default = false);
            }
            state.storage.classes.insert(name.to_owned(), class);
        }
        "PersistentVolume" => {
            state.storage.disks.insert(name.to_owned(), claims::disk(origins));
        }
        _ => {}
    }
}

pub(super) fn apply_one(world: &World, object: &Object, cause: Option<EventId>) {
    let source = source_of(object, cause.is_some());
    world.st().applied.insert(key_of(world, object), object.clone());
    match &object.kind {
        Kind::Pod(pod) => {
            add_pod(world, pod, source, cause);
        }
        Kind::ConfigMap(map) => {
            keep(world, "configmap", &map.metadata, source, cause, data_of(&object.kind));
        }
        Kind::Secret(secret) => {
            keep(world, "secret", &secret.metadata, source, cause, data_of(&object.kind));
        }
        _ => {
            if let Some(work) = super::work() {
                (work.apply)(world, object, source, cause);
            }
        }
    }
}

/// Where an object was written; `late` where it came while the cluster ran.
pub(super) fn source_of(object: &Object, late: bool) -> Source {
    Source { origins: object.origins.clone(), prefix: String::new(), foreign: late }
}

/// Kind, namespace and name, as the cluster tells objects apart.
pub(super) fn key_of(world: &World, object: &Object) -> (String, String, String) {
    let written: Option<String> = object.origins.read("metadata.namespace");
    let namespace = written.unwrap_or_else(|| world.scenario.namespace.clone());
    (object.kind.name().to_ascii_lowercase(), namespace, object.name().to_owned())
}

/// What a ConfigMap or Secret holds.
pub(super) fn data_of(kind: &Kind) -> BTreeMap<String, Vec<u8>> {
    let mut data = BTreeMap::new();
    let (text, bytes) = match kind {
        Kind::ConfigMap(map) => (&map.data, &map.binary_data),
        Kind::Secret(secret) => (&secret.string_data, &secret.data),
        _ => return data,
    };
    data.extend(bytes.iter().flatten().map(|(key, value)| (key.clone(), value.0.clone())));
    let text = text.iter().flatten();
    data.extend(text.map(|(key, value)| (key.clone(), value.clone().into_bytes())));
    data
}

/// Objects that are more than pods and their settings.
pub(super) fn apply_other(world: &World, object: &Object, source: Source, cause: Option<EventId>) {
    match &object.kind {
        Kind::Service(one) => {
            let meta = meta(world, "service", &one.metadata, source, cause);
            service::add(world, meta, one.spec.clone().unwrap_or_default());
        }
        Kind::PersistentVolumeClaim(one) => {
            let meta = meta(world, "persistentvolumeclaim", &one.metadata, source, cause);
            claims::add(world, meta, one.spec.clone().unwrap_or_default());
        }
        Kind::Other { kind, name, .. } => {
            let metadata: ObjectMeta = source.origins.read("metadata");
            if kind == "HorizontalPodAutoscaler" {
                return hpa::add(world, meta(world, HPA, &metadata, source, cause));
            }
            let applied = tell(world, &kind.to_ascii_lowercase(), &metadata, &source, cause);
            let namespace = namespace_of(world, &metadata, &source);
            rule(world, kind, name, namespace.clone(), &source.origins);
            match kind.as_str() {
                "NetworkPolicy" => {
                    return policy::add(world, name, namespace, source, applied);
                }
                "Ingress" => return ingress::add(world, name, namespace, source, applied),
                _ => {}
            }
            let inert = NOT_SIMULATED.iter().find(|(known, _)| known == kind);
            if let Some((_, what)) = inert {
                let kind = kind.to_ascii_lowercase();
                let name = world.st().key(&kind, &namespace, name);
                let subject = Subject::Object { kind: kind.as_str().into(), name };
                let what = What::NotSimulated { what: (*what).to_owned() };
                world.st().emit(subject, what, cause, source.span("kind"));
            }
        }
        _ => {
            apply_workload(world, object, source.clone(), cause);
            security::warn_of_template(world, object, &source);
        }
    }
}

/// A pod of no controller, where the server takes it.
fn add_pod(world: &World, pod: &core::Pod, source: Source, cause: Option<EventId>) {
    let applied = tell(world, "pod", &pod.metadata, &source, cause);
    let namespace = namespace_of(world, &pod.metadata, &source);
    let mut template = PodTemplate {
        labels: pod.metadata.labels.clone().unwrap_or_default(),
        annotations: pod.metadata.annotations.clone().unwrap_or_default(),
        spec: Rc::new(pod.spec.clone().unwrap_or_default()),
        source: Rc::new(source),
    };
    let name = name_of(world, &pod.metadata);
    let admitted = admission::admit(&world.st(), &namespace, (&name, false), &mut template);
    if let Err(refused) = admitted {
        return refuse(world, &pod.metadata, &namespace, refused, applied);
    }
    if world.st().rules.namespaces.contains_key(&namespace)
        && let Some(work) = super::work()
    {
        let called = world.st().key("pod", &namespace, &name);
        let subject = Subject::Object { kind: "pod".into(), name: called };
        (work.warn)(world, subject, &namespace, &template, applied);
    }
    let new = NewPod {
        name,
        namespace,
        owner: None,
        index: None,
        target: None,
        template,
        cause: applied,
    };
    api::create_pod(world, new);
}

/// The server does not keep this pod.
fn refuse(world: &World, metadata: &ObjectMeta, namespace: &str, refused: Refused, cause: EventId) {
    let name = metadata.name.as_deref().or(metadata.generate_name.as_deref()).unwrap_or("");
    let name = world.st().key("pod", namespace, name);
    let subject = Subject::Object { kind: "pod".into(), name };
    let text = format!("Error from server (Forbidden): {}", refused.why);
    world.st().emit(subject, What::Note { text }, Some(cause), refused.origin);
}

/// Objects that make pods.
fn apply_workload(world: &World, object: &Object, source: Source, cause: Option<EventId>) {
    match &object.kind {
        Kind::Deployment(one) => {
            let meta = meta(world, "deployment", &one.metadata, source, cause);
            add_deployment(world, meta, one.spec.clone().unwrap_or_default());
        }
        Kind::ReplicaSet(one) => {
            let meta = meta(world, "replicaset", &one.metadata, source, cause);
            let spec = one.spec.clone().unwrap_or_default();
            let pods = spec.template.as_ref();
            let template = template_of(&meta, "spec.template", pods);
            replicaset::announce(
                world,
                ReplicaSet {
                    owner: None,
                    template,
                    selector: spec.selector.clone(),
                    hash: String::new(),
                    replicas: count(spec.replicas),
                    revision: 1,
                    min_ready: spec.min_ready_seconds.unwrap_or(0),
                    cause: meta.applied,
                    status: replicaset::Counts::default(),
                    refusals: 0,
                    retry_at: SimTime::ZERO,
                    refused_at: EventId(0),
                    meta,
                },
            );
        }
        Kind::StatefulSet(one) => {
            let meta = meta(world, "statefulset", &one.metadata, source, cause);
            add_statefulset(world, meta, one.spec.clone().unwrap_or_default());
        }
        Kind::DaemonSet(one) => {
            let meta = meta(world, "daemonset", &one.metadata, source, cause);
            add_daemonset(world, meta, one.spec.clone().unwrap_or_default());
        }
        Kind::Job(one) => {
            let meta = meta(world, "job", &one.metadata, source, cause);
            let spec = one.spec.clone().unwrap_or_default();
            job::add(world, new_job(meta, spec, "spec.template"));
        }
        Kind::CronJob(one) => {
            let meta = meta(world, "cronjob", &one.metadata, source, cause);
            let spec = one.spec.clone();
            let (active, finished) = (Vec::new(), Vec::new());
            cronjob::add(
                world,
                CronJob { meta, spec, active, finished, last: None, missed: None, edition: 0 },
            );
        }
        _ => {}
    }
}

pub(super) fn count(replicas: Option<i32>) -> u32 {
    replicas.unwrap_or(1).max(0) as u32
}

pub(super) fn template_of(
    meta: &Meta,
    path: &str,
    pods: Option<&core::PodTemplateSpec>,
) -> PodTemplate {
    let metadata = pods.and_then(|p| p.metadata.as_ref());
    workload::template(&meta.source, path, metadata, pods.and_then(|p| p.spec.as_ref()))
}

fn add_deployment(world: &World, mut meta: Meta, spec: apps::DeploymentSpec) {
    let replicas = count(spec.replicas);
    let state = &mut world.st();
    let cells = vec![format!("0/{replicas}"), "0".to_owned(), "0".to_owned()];
    let cause = meta.applied;
    workload::show_row(state, &mut meta, cells, cause);
    let deployment = deployment_of(meta, spec);
    state.controllers.deployments.insert(deployment.meta.name.clone(), deployment);
}

pub(super) fn deployment_of(meta: Meta, spec: apps::DeploymentSpec) -> Deployment {
    let replicas = count(spec.replicas);
    let (surge, unavailable) = deployment::fenceposts(&spec, replicas);
    let strategy = spec.strategy.as_ref().and_then(|s| s.type_.as_deref());
    Deployment {
        template: template_of(&meta, "spec.template", Some(&spec.template)),
        replicas,
        min_ready: spec.min_ready_seconds.unwrap_or(0),
        recreate: strategy == Some("Recreate"),
        surge,
        unavailable,
        paused: spec.paused.unwrap_or(false),
        cause: meta.applied,
        scaled_for: replicas,
        scaled_most: replicas + if strategy == Some("Recreate") { 0 } else { surge },
        spec,
        meta,
    }
}

fn add_daemonset(world: &World, meta: Meta, spec: apps::DaemonSetSpec) {
    let set = daemonset_of(world, meta, spec);
    world.st().controllers.daemonsets.insert(set.meta.name.clone(), set);
}

pub(super) fn daemonset_of(world: &World, meta: Meta, spec: apps::DaemonSetSpec) -> DaemonSet {
    let strategy = spec.update_strategy.as_ref().and_then(|s| s.type_.as_deref());
    let rolling = spec.update_strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let unavailable = rolling.and_then(|r| r.max_unavailable.as_ref());
    let n_nodes = world.st().nodes.len() as u32;
    let unavailable = workload::share(unavailable, n_nodes, true).unwrap_or(1);
    let surge = rolling.and_then(|r| r.max_surge.as_ref());
    let surge = workload::share(surge, n_nodes, true).unwrap_or(0);
    DaemonSet {
        template: template_of(&meta, "spec.template", Some(&spec.template)),
        selector: spec.selector,
        on_delete: strategy == Some("OnDelete"),
        unavailable: unavailable as usize,
        surge: surge as usize,
        min_ready: spec.min_ready_seconds.unwrap_or(0),
        revision: 1,
        cause: meta.applied,
        meta,
    }
}

fn add_statefulset(world: &World, meta: Meta, spec: apps::StatefulSetSpec) {
    let set = statefulset_of(meta, spec);
    world.st().controllers.statefulsets.insert(set.meta.name.clone(), set);
}

pub(super) fn statefulset_of(meta: Meta, spec: apps::StatefulSetSpec) -> StatefulSet {
    let strategy = spec.update_strategy.as_ref();
    let rolling = strategy.and_then(|s| s.rolling_update.as_ref());
    StatefulSet {
        template: template_of(&meta, "spec.template", Some(&spec.template)),
        replicas: count(spec.replicas),
        selector: spec.selector.clone(),
        service_name: spec.service_name.clone().unwrap_or_default(),
        parallel: spec.pod_management_policy.as_deref() == Some("Parallel"),
        on_delete: strategy.and_then(|s| s.type_.as_deref()) == Some("OnDelete"),
        partition: rolling.and_then(|r| r.partition).unwrap_or(0).max(0) as u32,
        min_ready: spec.min_ready_seconds.unwrap_or(0),
        start: spec.ordinals.as_ref().and_then(|o| o.start).unwrap_or(0).max(0) as u32,
        claims: spec.volume_claim_templates.clone().unwrap_or_default(),
        revision: 1,
        cause: meta.applied,
        refusals: 0,
        retry_at: SimTime::ZERO,
        meta,
    }
}

/// A Job of its own or of a CronJob; `path` is where its pods' template stands.
pub(crate) fn new_job(meta: Meta, mut spec: batch::JobSpec, path: &str) -> Job {
    if spec.completions.is_none() && spec.parallelism.unwrap_or(1) == 1 {
        spec.completions = Some(1);
    }
    Job {
        template: template_of(&meta, path, Some(&spec.template)),
        spec,
        counted: BTreeSet::new(),
        succeeded: 0,
        failed: 0,
        done_indexes: BTreeSet::new(),
        failed_indexes: BTreeSet::new(),
        index_failures: BTreeMap::new(),
        failures_in_a_row: 0,
        last_finish: SimTime::ZERO,
        verdict: None,
        suspension_told: false,
        refusals: 0,
        retry_at: SimTime::ZERO,
        begun: SimTime::ZERO,
        ended: None,
        meta,
    }
}

fn keep(
    world: &World,
    kind: &'static str,
    metadata: &ObjectMeta,
    source: Source,
    cause: Option<EventId>,
    data: BTreeMap<String, Vec<u8>>,
) {
    let meta = meta(world, kind, metadata, source, cause);
    let changed_by = cause.map(|_| meta.applied);
    let config = Config { created_at: meta.created_at, data, changed_by };
    let key = (kind, meta.namespace.clone(), meta.plain().to_owned());
    world.st().configs.insert(key, config);
}

fn name_of(world: &World, metadata: &ObjectMeta) -> String {
    match (&metadata.name, &metadata.generate_name) {
        (Some(name), _) => name.clone(),
        (None, Some(base)) => format!("{base}{}", world.st().suffix(5)),
        (None, None) => String::new(),
    }
}

/// Objects that do not write their namespace live in the scenario's, whatever defaults filled in.
pub(super) fn namespace_of(world: &World, metadata: &ObjectMeta, source: &Source) -> String {
    let written = source.origins.node("metadata.namespace").is_some();
    let own = metadata.namespace.clone().filter(|_| written);
    own.unwrap_or_else(|| world.scenario.namespace.clone())
}

fn tell(
    world: &World,
    kind: &str,
    metadata: &ObjectMeta,
    source: &Source,
    cause: Option<EventId>,
) -> EventId {
    let namespace = namespace_of(world, metadata, source);
    let name = metadata.name.as_deref().or(metadata.generate_name.as_deref()).unwrap_or("");
    let state = &mut world.st();
    let name = namespace::enter(state, kind, &namespace, name);
    let subject = Subject::Object { kind: kind.into(), name };
    state.emit(subject, What::Applied, cause, source.span("metadata.name"))
}

fn meta(
    world: &World,
    kind: &'static str,
    metadata: &ObjectMeta,
    source: Source,
    cause: Option<EventId>,
) -> Meta {
    let applied = tell(world, kind, metadata, &source, cause);
    let (name, namespace) = (name_of(world, metadata), namespace_of(world, metadata, &source));
    Meta {
        kind,
        name: namespace::enter(&mut world.st(), kind, &namespace, &name),
        namespace,
        source: Rc::new(source),
        applied,
        created_at: world.now(),
        row: Vec::new(),
        shown_at: world.now(),
        deleted_by: None,
    }
}
