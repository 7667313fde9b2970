//! Pod Security admission: pods that a namespace's labels refuse, and warnings. The standards
//! themselves are `kube::pod_security`'s.

use super::{Why, workload};
use crate::kube::pod_security::{self, Policy};
use crate::kube::{Kind, Object};
use crate::order::Order;
use crate::sim::model::{PodTemplate, Source};
use crate::sim::world::{State, World};
use crate::text::Span;
use crate::trace::{EventId, Subject, What};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

fn policy(state: &State, namespace: &str) -> Policy {
    let known = state.rules.namespaces.get(namespace);
    known.map_or_else(Policy::default, |known| Policy::of_labels(&known.labels))
}

/// The first place that exists among those a violation names.
fn place(template: &PodTemplate, paths: &[String]) -> Option<Span> {
    paths.first().and_then(|path| template.source.span(path))
}

/// Why the namespace refuses a pod, and the place that makes it so.
// Models k8s.io/pod-security-admission admission/admission.go ValidatePod (v1.36).
pub(super) fn refuses(state: &State, namespace: &str, template: &PodTemplate) -> Option<Why> {
    let policy = policy(state, namespace);
    let (why, paths) = pod_security::refusal(&policy, &template.annotations, &template.spec)?;
    Some((why, place(template, &paths)))
}

/// Tells what whoever applies a pod, or its controller, is warned of, and what the server notes.
pub(super) fn warn(
    world: &World,
    subject: Subject,
    namespace: &str,
    template: &PodTemplate,
    cause: EventId,
) {
    let state = &mut world.st();
    let policy = policy(state, namespace);
    let (annotations, spec) = (&template.annotations, &template.spec);
    let warning = pod_security::warning(&policy, annotations, spec);
    let audited = pod_security::audited(&policy, annotations, spec);
    let warning = warning.map(|(text, paths)| (format!("Warning: {text}"), paths));
    let audited = audited.map(|(text, paths)| (format!("in the audit log: {text}"), paths));
    for (text, paths) in warning.into_iter().chain(audited) {
        let origin = place(template, &paths);
        state.emit(subject.clone(), What::Note { text }, Some(cause), origin);
    }
}

/// As `warn`, of the template of an object that makes pods.
// Models k8s.io/pod-security-admission admission/admission.go ValidatePodController (v1.36).
pub(super) fn warn_of_template(world: &World, object: &Object, source: &Source) {
    let (template, path) = match &object.kind {
        Kind::Deployment(one) => (one.spec.as_ref().map(|s| &s.template), "spec.template"),
        Kind::ReplicaSet(one) => {
            (one.spec.as_ref().and_then(|s| s.template.as_ref()), "spec.template")
        }
        Kind::StatefulSet(one) => (one.spec.as_ref().map(|s| &s.template), "spec.template"),
        Kind::DaemonSet(one) => (one.spec.as_ref().map(|s| &s.template), "spec.template"),
        Kind::Job(one) => (one.spec.as_ref().map(|s| &s.template), "spec.template"),
        Kind::CronJob(one) => {
            let job = one.spec.job_template.spec.as_ref();
            (job.map(|s| &s.template), "spec.jobTemplate.spec.template")
        }
        _ => return,
    };
    let Some(pods) = template else { return };
    let written: ObjectMeta = source.origins.read("metadata");
    let namespace = super::load::namespace_of(world, &written, source);
    if !world.st().rules.namespaces.contains_key(&namespace) {
        return;
    }
    let template = workload::template(source, path, pods.metadata.as_ref(), pods.spec.as_ref());
    let kind = object.kind.name().to_ascii_lowercase();
    let subject = Subject::Object { kind: kind.as_str().into(), name: object.name().into() };
    let cause = newest_applied(world, &subject);
    warn(world, subject, &namespace, &template, cause);
}

/// The event that told of this object just now.
fn newest_applied(world: &World, subject: &Subject) -> EventId {
    let state = world.st();
    let told = state.out.iter().rev().find(|e| e.subject == *subject && e.what == What::Applied);
    told.or(state.out.last()).map_or(EventId(0), |event| event.id)
}

/// What whoever sharpens a namespace's labels is warned of: pods there that break them.
// Models k8s.io/pod-security-admission admission/admission.go EvaluatePodsInNamespace (v1.36).
pub(super) fn warnings_of_namespace(state: &State, name: &str, before: &Policy) -> Vec<String> {
    let policy = policy(state, name);
    let relaxed = policy.enforce.minor == before.enforce.minor
        && policy.enforce.level <= before.enforce.level;
    if relaxed {
        return Vec::new();
    }
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    for pod in state.pods.values().filter(|pod| !pod.removed && pod.namespace == name) {
        let (annotations, spec) = (&pod.template.annotations, &pod.template.spec);
        let broken = pod_security::evaluate(policy.enforce, annotations, spec);
        let reasons: Vec<&str> = broken.iter().map(|v| v.reason.as_str()).collect();
        let reasons = reasons.join(", ");
        match found.iter_mut().find(|(known, _)| *known == reasons) {
            _ if reasons.is_empty() => {}
            Some((_, pods)) => pods.push(pod.plain()),
            None => found.push((reasons, vec![pod.plain()])),
        }
    }
    let words = |(reasons, mut pods): (String, Vec<&str>)| {
        pods.order();
        let first = pods.first().copied().unwrap_or("");
        match pods.len() {
            1 => format!("{first}: {reasons}"),
            2 => format!("{first} (and 1 other pod): {reasons}"),
            n => format!("{first} (and {} other pods): {reasons}", n - 1),
        }
    };
    let mut lines: Vec<String> = found.into_iter().map(words).collect();
    lines.order();
    if !lines.is_empty() {
        let enforce = policy.enforce;
        let title = format!(
            "existing pods in namespace \"{name}\" violate the new PodSecurity enforce level \
             \"{enforce}\""
        );
        lines.insert(0, title);
    }
    lines
}

/// `label namespace/NAME`: what a namespace asks of pods from now on.
pub(super) fn label_namespace(
    world: &World,
    name: &str,
    change: impl FnOnce(&mut std::collections::BTreeMap<String, String>),
    event: EventId,
) {
    let state = &mut world.st();
    let before = policy(state, name);
    change(&mut state.rules.namespaces.entry(name.to_owned()).or_default().labels);
    let subject = Subject::Object { kind: "namespace".into(), name: name.into() };
    for text in warnings_of_namespace(state, name, &before) {
        let text = format!("Warning: {text}");
        state.emit(subject.clone(), What::Note { text }, Some(event), None);
    }
    state.touch();
}
