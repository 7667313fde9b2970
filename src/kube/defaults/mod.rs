//! What the server fills in before anything else looks at an object. Not what it refuses.
//!
//! Models pkg/apis/{core,apps,batch}/v1/defaults.go (v1.36), and of admission what each pod gets:
//! service account, priority and the two tolerations.

pub mod pod;

pub use pod::{admit_pod, pod, pod_spec};

use super::{Desired, Kind};
use k8s_openapi::ByteString;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Applies them to all objects.
pub fn apply(desired: &mut Desired) {
    for object in &mut desired.objects {
        apply_to(&mut object.kind);
    }
}

/// Applies them to one object.
pub fn apply_to(kind: &mut Kind) {
    if let Some(metadata) = kind.metadata_mut() {
        namespace(metadata);
    }
    match kind {
        Kind::Pod(one) => {
            pod(one);
            admit_pod(one);
        }
        Kind::Deployment(one) => deployment(one),
        Kind::ReplicaSet(one) => replica_set(one),
        Kind::StatefulSet(one) => stateful_set(one),
        Kind::DaemonSet(one) => daemon_set(one),
        Kind::Job(one) => job(one),
        Kind::CronJob(one) => cron_job(one),
        Kind::Service(one) => service(one),
        Kind::Secret(one) => secret(one),
        Kind::PersistentVolumeClaim(one) => claim(one),
        Kind::ConfigMap(_) | Kind::Other { .. } => {}
    }
}

/// Sets what is not set.
fn fill<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

/// As `fill`; Go cannot tell an empty text from none.
fn fill_text(slot: &mut Option<String>, value: &str) {
    if slot.as_deref().unwrap_or("").is_empty() {
        *slot = Some(value.to_owned());
    }
}

fn namespace(metadata: &mut ObjectMeta) {
    fill_text(&mut metadata.namespace, "default");
}

fn template(template: &mut core::PodTemplateSpec) {
    template.spec.iter_mut().for_each(pod_spec);
}

pub fn deployment(object: &mut apps::Deployment) {
    let Some(spec) = &mut object.spec else { return };
    fill(&mut spec.replicas, 1);
    let strategy = spec.strategy.get_or_insert_default();
    fill_text(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = strategy.rolling_update.get_or_insert_default();
        fill(&mut rolling.max_unavailable, IntOrString::String("25%".into()));
        fill(&mut rolling.max_surge, IntOrString::String("25%".into()));
    }
    fill(&mut spec.revision_history_limit, 10);
    fill(&mut spec.progress_deadline_seconds, 600);
    template(&mut spec.template);
}

pub fn replica_set(object: &mut apps::ReplicaSet) {
    let Some(spec) = &mut object.spec else { return };
    fill(&mut spec.replicas, 1);
    spec.template.iter_mut().for_each(template);
}

pub fn stateful_set(object: &mut apps::StatefulSet) {
    let Some(spec) = &mut object.spec else { return };
    fill_text(&mut spec.pod_management_policy, "OrderedReady");
    let strategy = spec.update_strategy.get_or_insert_default();
    fill_text(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        fill(&mut strategy.rolling_update.get_or_insert_default().partition, 0);
    }
    let kept = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
    fill_text(&mut kept.when_deleted, "Retain");
    fill_text(&mut kept.when_scaled, "Retain");
    fill(&mut spec.replicas, 1);
    fill(&mut spec.revision_history_limit, 10);
    template(&mut spec.template);
    spec.volume_claim_templates.iter_mut().flatten().for_each(claim);
}

pub fn daemon_set(object: &mut apps::DaemonSet) {
    let Some(spec) = &mut object.spec else { return };
    let strategy = spec.update_strategy.get_or_insert_default();
    fill_text(&mut strategy.type_, "RollingUpdate");
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling = strategy.rolling_update.get_or_insert_default();
        fill(&mut rolling.max_unavailable, IntOrString::Int(1));
        fill(&mut rolling.max_surge, IntOrString::Int(0));
    }
    fill(&mut spec.revision_history_limit, 10);
    template(&mut spec.template);
}

pub fn job(object: &mut batch::Job) {
    let Some(spec) = &mut object.spec else { return };
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    fill(&mut spec.parallelism, 1);
    let limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    fill(&mut spec.backoff_limit, limit);
    if object.metadata.labels.as_ref().is_none_or(|labels| labels.is_empty()) {
        let metadata = spec.template.metadata.as_ref();
        object.metadata.labels = metadata.and_then(|metadata| metadata.labels.clone());
    }
    fill_text(&mut spec.completion_mode, "NonIndexed");
    fill(&mut spec.suspend, false);
    fill(&mut spec.manual_selector, false);
    let replaced = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    fill_text(&mut spec.pod_replacement_policy, replaced);
    let rules = spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules);
    for pattern in rules.flat_map(|rule| rule.on_pod_conditions.iter_mut().flatten()) {
        if pattern.status.as_deref().unwrap_or("").is_empty() {
            pattern.status = Some("True".into());
        }
    }
    template(&mut spec.template);
}

/// The job template's own defaults come only when a Job is made of it.
pub fn cron_job(object: &mut batch::CronJob) {
    let spec = &mut object.spec;
    fill_text(&mut spec.concurrency_policy, "Allow");
    fill(&mut spec.suspend, false);
    fill(&mut spec.successful_jobs_history_limit, 3);
    fill(&mut spec.failed_jobs_history_limit, 1);
    if let Some(job) = &mut spec.job_template.spec {
        template(&mut job.template);
    }
}

pub fn service(object: &mut core::Service) {
    let Some(spec) = &mut object.spec else { return };
    fill_text(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config = spec.session_affinity_config.get_or_insert_default();
            fill(&mut config.client_ip.get_or_insert_default().timeout_seconds, 10_800);
        }
        _ => {}
    }
    fill_text(&mut spec.type_, "ClusterIP");
    for port in spec.ports.iter_mut().flatten() {
        fill_text(&mut port.protocol, "TCP");
        let target = &mut port.target_port;
        let unset = match target {
            None | Some(IntOrString::Int(0)) => true,
            Some(IntOrString::String(name)) => name.is_empty(),
            Some(IntOrString::Int(_)) => false,
        };
        if unset {
            *target = Some(IntOrString::Int(port.port));
        }
    }
    let outside = matches!(spec.type_.as_deref(), Some("NodePort" | "LoadBalancer"));
    let has_addresses = spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty());
    if outside || has_addresses {
        fill_text(&mut spec.external_traffic_policy, "Cluster");
    }
    if outside || spec.type_.as_deref() == Some("ClusterIP") {
        fill_text(&mut spec.internal_traffic_policy, "Cluster");
    }
    if spec.type_.as_deref() == Some("LoadBalancer") {
        fill(&mut spec.allocate_load_balancer_node_ports, true);
    }
}

/// `stringData` is written into `data`, as storing it does.
pub fn secret(object: &mut core::Secret) {
    fill_text(&mut object.type_, "Opaque");
    if let Some(texts) = object.string_data.take() {
        let data = object.data.get_or_insert_default();
        data.extend(texts.into_iter().map(|(key, text)| (key, ByteString(text.into_bytes()))));
    }
}

pub fn claim(object: &mut core::PersistentVolumeClaim) {
    if let Some(spec) = &mut object.spec {
        fill_text(&mut spec.volume_mode, "Filesystem");
    }
}
