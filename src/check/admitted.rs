//! What a plain cluster refuses of a valid Pod, and warns of: limit ranges, Pod Security, quotas
//! that stand before it in the text. Not what is wrong with the Pod itself: that is `rules`.

use super::known::Known;
use super::report::Report;
use super::show;
use crate::diagnostic::{Diagnostic, POD_REFUSED, Severity, Stage};
use crate::kube::pod_security::{self, Policy};
use crate::kube::quantity::Quantity;
use crate::kube::{Kind, Object, limits};
use crate::part::part;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

/// The spec of the pods an object makes, their metadata, and where they stand in it.
fn pods(kind: &Kind) -> Option<(Option<&ObjectMeta>, &core::PodSpec, &'static str)> {
    let below = "spec.template.";
    let (template, path) = match kind {
        Kind::Pod(pod) => return Some((Some(&pod.metadata), pod.spec.as_ref()?, "")),
        Kind::Deployment(one) => (&one.spec.as_ref()?.template, below),
        Kind::ReplicaSet(one) => (one.spec.as_ref()?.template.as_ref()?, below),
        Kind::StatefulSet(one) => (&one.spec.as_ref()?.template, below),
        Kind::DaemonSet(one) => (&one.spec.as_ref()?.template, below),
        Kind::Job(one) => (&one.spec.as_ref()?.template, below),
        Kind::CronJob(one) => {
            let job = one.spec.job_template.spec.as_ref()?;
            (&job.template, "spec.jobTemplate.spec.template.")
        }
        _ => return None,
    };
    Some((template.metadata.as_ref(), template.spec.as_ref()?, path))
}

fn space(object: &Object) -> &str {
    object.namespace().filter(|name| !name.is_empty()).unwrap_or("default")
}

/// The objects of a text that the server has taken so far.
#[derive(Default)]
pub(super) struct Taken<'a> {
    objects: Vec<&'a Object>,
    /// Whether one of them says what pods may be.
    rules_pods: bool,
}

impl<'a> Taken<'a> {
    pub(super) fn push(&mut self, object: &'a Object) {
        let kind = object.kind.name();
        self.rules_pods |= ["Namespace", "LimitRange", "ResourceQuota"].contains(&kind);
        self.objects.push(object);
    }

    /// What the server says to a valid object that comes next.
    pub(super) fn admit(&self, object: &Object, known: &Known, text: &str) -> Vec<Diagnostic> {
        match self.rules_pods.then(loaded).flatten() {
            Some(admit) => admit(object, &self.objects, known, text),
            None => Vec::new(),
        }
    }
}

type Admit = fn(&Object, &[&Object], &Known, &str) -> Vec<Diagnostic>;

part! { ADMIT: Admit = &(admit as Admit), in Rules; }

fn admit(object: &Object, before: &[&Object], known: &Known, text: &str) -> Vec<Diagnostic> {
    let Some((meta, spec, path)) = pods(&object.kind) else { return Vec::new() };
    let mut r = Report::new(text);
    let mut spec = spec.clone();
    let is_pod = matches!(object.kind, Kind::Pod(_));
    let refused = is_pod && limit(object, before, &mut spec, &mut r);
    if !refused && !security(object, (meta, &spec, path), known, &mut r) && is_pod {
        quota(object, before, &spec, &mut r);
    }
    r.found
}

/// Where a path of the object stands; its first line where it does not.
fn refuse(object: &Object, path: &str, why: &str, r: &mut Report) {
    let span = object.origins.span(path).unwrap_or_default();
    let text = format!("pods {} is forbidden: {why}", show::quote(object.name()));
    r.push(Diagnostic::new(Severity::Error, Stage::Admission, POD_REFUSED, span, text));
}

fn limit(object: &Object, before: &[&Object], spec: &mut core::PodSpec, r: &mut Report) -> bool {
    let near = before.iter().filter(|o| o.kind.name() == "LimitRange" && space(o) == space(object));
    let ranges: Vec<limits::Range> = near.flat_map(|o| limits::ranges(&o.origins)).collect();
    if ranges.is_empty() {
        return false;
    }
    let wrong = limits::apply(&ranges.iter().collect::<Vec<_>>(), spec);
    let text = match wrong.as_slice() {
        [] => return false,
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    refuse(object, "spec.containers", &text, r);
    true
}

/// Says whether the pod was refused; whoever makes pods by a controller is warned only.
fn security(
    object: &Object,
    (meta, spec, path): (Option<&ObjectMeta>, &core::PodSpec, &str),
    known: &Known,
    r: &mut Report,
) -> bool {
    let Some(namespace) = known.find("Namespace", space(object)) else { return false };
    let labels = namespace.get("metadata.labels").entries();
    let labels: BTreeMap<String, String> =
        labels.iter().map(|(e, at)| (e.key.clone(), at.str().to_owned())).collect();
    let policy = Policy::of_labels(&labels);
    if policy.is_free() {
        return false;
    }
    let none = BTreeMap::new();
    let notes = meta.and_then(|meta| meta.annotations.as_ref()).unwrap_or(&none);
    let place = |paths: &[String]| {
        let first = paths.first().map_or("spec", String::as_str);
        format!("{path}{first}")
    };
    if path.is_empty()
        && let Some((why, paths)) = pod_security::refusal(&policy, notes, spec)
    {
        refuse(object, &place(&paths), &why, r);
        return true;
    }
    if let Some((text, paths)) = pod_security::warning(&policy, notes, spec) {
        let span = object.origins.span(&place(&paths)).unwrap_or_default();
        let mut one =
            Diagnostic::new(Severity::Warning, Stage::Admission, "pod-security", span, text);
        one.help = (!path.is_empty()).then(|| {
            "The object is taken, and its pods are held against the namespace's labels one by one."
                .to_owned()
        });
        r.push(one);
    }
    false
}

/// Models staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota CheckRequest (v1.36).
fn quota(object: &Object, before: &[&Object], spec: &core::PodSpec, r: &mut Report) {
    let near = |o: &&&Object| space(o) == space(object);
    for quota in before.iter().filter(near).filter(|o| o.kind.name() == "ResourceQuota") {
        let hard: limits::Amounts = quota.origins.read("spec.hard");
        let missing = limits::unspecified(spec, &hard);
        let name = quota.name();
        if !missing.is_empty() {
            let text = format!("failed quota: {name}: must specify {}", missing.join("; "));
            return refuse(object, "spec.containers", &text, r);
        }
        let [mut asked, mut used, mut most] = [const { Vec::new() }; 3];
        for (key, bound) in &hard {
            let own = limits::usage(spec, key).filter(|own| *own > Quantity::ZERO);
            let (Some(own), Some(limit)) = (own, Quantity::of(bound)) else { continue };
            let others = before.iter().filter(near).filter_map(|o| match &o.kind {
                Kind::Pod(pod) => limits::usage(pod.spec.as_ref()?, key),
                _ => None,
            });
            let sum = others.fold(Quantity::ZERO, |a, b| a + b);
            if sum + own > limit {
                asked.push(format!("{key}={own}"));
                used.push(format!("{key}={sum}"));
                most.push(format!("{key}={}", bound.0));
            }
        }
        if !asked.is_empty() {
            let [asked, used, most] = [asked, used, most].map(|list| list.join(","));
            let text = format!(
                "exceeded quota: {name}, requested: {asked}, used: {used}, limited: {most}"
            );
            return refuse(object, "metadata.name", &text, r);
        }
    }
}
