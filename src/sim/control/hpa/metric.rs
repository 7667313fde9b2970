//! A HorizontalPodAutoscaler's metrics: what they are now, what they ask for, and their words.

use super::replicas::{self, Metric, PodView, Proposal, Target, Tolerances};
use super::{Current, Scale, Scaler, Status};
use crate::kube::quantity::Quantity;
use crate::kube::selector;
use crate::sim::model::Pod;
use crate::sim::world::{State, World};
use k8s_openapi::api::autoscaling::v2 as autoscaling;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Without a behaviour that says otherwise, a metric may be off by this share of its target.
const TOLERANCE: f64 = 0.1;

/// What one metric came to, or why it could not be had: an event's reason, its message, and the
/// words before the message where several metrics are summed up.
type Outcome = Result<(Proposal, String), (&'static str, String, String)>;

/// The highest number any metric asks for, and the name of that metric; None where the metrics
/// decide nothing, which is told.
// Models computeReplicasForMetrics.
pub(super) fn compute(world: &World, scaler: &mut Scaler, scale: &Scale) -> Option<(i64, String)> {
    let specs = scaler.spec.metrics.clone().unwrap_or_default();
    let (mut best, mut name) = (0, String::new());
    let mut failures = Vec::new();
    let mut currents = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let outcome = one(world, scaler, scale, (i, spec));
        match outcome {
            Ok((proposal, called)) => {
                currents.push(Some(current(spec, &proposal)));
                if best == 0 || proposal.replicas > best {
                    (best, name) = (proposal.replicas, called);
                }
            }
            Err((reason, why, before)) => {
                scaler.warn(world, reason, why.clone());
                currents.push(None);
                failures.push((reason, why, before));
            }
        }
    }
    scaler.status.metrics = currents;
    let n_failed = failures.len();
    if let Some((reason, why, before)) = failures.into_iter().next()
        && (n_failed == specs.len() || best < scale.replicas)
    {
        let text = format!("the HPA was unable to compute the replica count: {why}");
        scaler.set(world, "ScalingActive", false, (reason, &text));
        let all = specs.len();
        let text = format!(
            "invalid metrics ({n_failed} invalid out of {all}), first error is: {before}: {why}"
        );
        scaler.warn(world, "FailedComputeMetricsReplicas", text);
        return None;
    }
    let text = format!("the HPA was able to successfully calculate a replica count from {name}");
    scaler.set(world, "ScalingActive", true, ("ValidMetricFound", &text));
    Some((best, name))
}

/// The resource a metric is about, the container it is narrowed to, and its target.
fn resource(
    spec: &autoscaling::MetricSpec,
) -> Option<(&str, Option<&str>, &autoscaling::MetricTarget)> {
    let of_pod = spec.resource.as_ref().map(|one| (one.name.as_str(), None, &one.target));
    let of_container = spec.container_resource.as_ref();
    let of_container =
        of_container.map(|one| (one.name.as_str(), Some(one.container.as_str()), &one.target));
    if spec.type_ == "ContainerResource" { of_container } else { of_pod }
}

// Models computeReplicasForMetric.
fn one(
    world: &World,
    scaler: &Scaler,
    scale: &Scale,
    (i, spec): (usize, &autoscaling::MetricSpec),
) -> Outcome {
    let origins = &scaler.meta.source.origins;
    let text = |path: &str| -> String { origins.read(&format!("spec.metrics[{i}].{path}")) };
    let none = "no custom metrics API (custom.metrics.k8s.io) registered";
    match spec.type_.as_str() {
        "Resource" | "ContainerResource" => by_resource(world, scaler, scale, spec),
        "Pods" => {
            let name = text("pods.metric.name");
            let why = format!(
                "unable to get metric {name}: unable to fetch metrics from custom metrics API: \
                 {none}"
            );
            Err(("FailedGetPodsMetric", why, "failed to get pods metric value".to_owned()))
        }
        "Object" => {
            let name = text("object.metric.name");
            let kind = text("object.describedObject.kind");
            let object = text("object.describedObject.name");
            let namespace = &scaler.meta.namespace;
            // The words of the server come in this order.
            let why = format!(
                "unable to get metric {name}: {kind} on {namespace} {object}/unable to fetch \
                 metrics from custom metrics API: {none}"
            );
            Err(("FailedGetObjectMetric", why, "failed to get object metric value".to_owned()))
        }
        _ => {
            let name = text("external.metric.name");
            let path = format!("spec.metrics[{i}].external.metric.selector");
            let chosen = origins.node(&path).map(|_| origins.read::<LabelSelector>(&path));
            let why = format!(
                "unable to get external metric {}/{name}/{}: unable to fetch metrics from \
                 external metrics API: the server could not find the requested resource (get \
                 {name}.external.metrics.k8s.io)",
                scaler.meta.namespace,
                chosen.map_or("nil".to_owned(), |chosen| go_words(&chosen))
            );
            Err((
                "FailedGetExternalMetric",
                why,
                format!("failed to get {name} external metric value"),
            ))
        }
    }
}

/// A selector as Go prints it.
// Models k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.go LabelSelector.String (v1.36).
fn go_words(selector: &LabelSelector) -> String {
    let pairs = selector.match_labels.iter().flatten();
    let pairs: String = pairs.map(|(key, value)| format!("{key}: {value},")).collect();
    let all = selector.match_expressions.iter().flatten();
    let one = |one: &LabelSelectorRequirement| {
        let values = one.values.as_deref().unwrap_or_default().join(" ");
        let (key, operator) = (&one.key, &one.operator);
        format!("LabelSelectorRequirement{{Key:{key},Operator:{operator},Values:[{values}],}},")
    };
    let all: String = all.map(one).collect();
    format!(
        "&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{all}}},}}"
    )
}

// Models computeStatusForResourceMetricGeneric.
fn by_resource(
    world: &World,
    scaler: &Scaler,
    scale: &Scale,
    spec: &autoscaling::MetricSpec,
) -> Outcome {
    let of_container = spec.type_ == "ContainerResource";
    let reason =
        if of_container { "FailedGetContainerResourceMetric" } else { "FailedGetResourceMetric" };
    let Some((name, container, target)) = resource(spec) else {
        return Err((reason, "invalid metric source".to_owned(), String::new()));
    };
    let before = match container {
        Some(container) => format!("failed to get {container} container metric value"),
        None => format!("failed to get {name} resource metric value"),
    };
    let average = target.average_value.as_ref().and_then(Quantity::of);
    let (wanted, word, called) = match (average, target.average_utilization) {
        (Some(amount), _) => (Target::Average(amount.milli()), "usage", format!("{name} resource")),
        (None, percent) => {
            let of = if of_container { " container" } else { "" };
            let called = format!("{name}{of} resource utilization (percentage of request)");
            (Target::Utilization(percent.unwrap_or(80).into()), "utilization", called)
        }
    };
    let made = {
        let state = world.st();
        pods(&state, scaler, scale, (name, container))
    };
    let made = made.and_then(|pods| {
        let (current, tolerances) = (scale.replicas, tolerances(&scaler.spec));
        replicas::propose(&pods, current, wanted, tolerances, (name == "cpu", world.now()))
    });
    match made {
        Ok(proposal) => Ok((proposal, called)),
        Err(why) => Err((reason, format!("failed to get {name} {word}: {why}"), before)),
    }
}

// Models tolerancesForHpa.
fn tolerances(spec: &autoscaling::HorizontalPodAutoscalerSpec) -> Tolerances {
    let behavior = spec.behavior.clone().unwrap_or_default();
    let own = |rules: Option<autoscaling::HPAScalingRules>| {
        let written = rules.and_then(|rules| Quantity::of(&rules.tolerance?));
        written.map_or(TOLERANCE, |amount| amount.milli() as f64 / 1000.0)
    };
    Tolerances { down: own(behavior.scale_down), up: own(behavior.scale_up) }
}

/// The pods behind the target, with what is measured and asked for.
fn pods(
    state: &State,
    scaler: &Scaler,
    scale: &Scale,
    (resource, container): (&str, Option<&str>),
) -> Result<Vec<PodView>, String> {
    let chosen = |pod: &&Pod| {
        !pod.removed
            && pod.namespace == scaler.meta.namespace
            && selector::matches(&scale.selector, &pod.template.labels)
    };
    let samples = &state.controllers.scalers.metrics.pods;
    let pods: Vec<&Pod> = state.pods.values().filter(chosen).collect();
    if !pods.iter().any(|pod| samples.contains_key(&pod.id)) {
        let none = "no metrics returned from resource metrics API";
        return Err(format!("unable to get metrics for resource {resource}: {none}"));
    }
    let value = |(cpu, bytes): &(i64, i64)| if resource == "cpu" { *cpu } else { *bytes * 1000 };
    let view = |pod: &Pod| -> PodView {
        let sample = samples.get(&pod.id);
        let metric = sample.and_then(|sample| {
            let value = match container {
                Some(name) => value(sample.containers.get(name)?),
                None => sample.containers.values().map(value).sum(),
            };
            Some(Metric { value, at: sample.at, window: sample.window })
        });
        PodView {
            name: pod.name.to_string(),
            gone: pod.deletion.is_some() || pod.status.phase == "Failed",
            pending: pod.status.phase == "Pending",
            ready: pod.status.condition("Ready").map(|c| (c.status, c.since)),
            started: pod.status.start_time,
            metric,
            request: request(pod, resource, container),
        }
    };
    Ok(pods.into_iter().map(view).collect())
}

// Models calculateRequests.
fn request(pod: &Pod, resource: &str, container: Option<&str>) -> Result<i64, String> {
    let of = |resources: Option<&core::ResourceRequirements>| {
        let requests = resources.and_then(|r| r.requests.as_ref());
        requests.and_then(|list| list.get(resource)).and_then(Quantity::of).map(Quantity::milli)
    };
    let whole = pod.template.spec.resources.as_ref();
    let of_pod = whole.and_then(|r| r.requests.as_ref()).is_some_and(|list| !list.is_empty());
    if of_pod && container.is_none() {
        let missing = || format!("missing pod-level request for {resource} in Pod {}", pod.plain());
        return of(whole).ok_or_else(missing);
    }
    let mut sum = 0;
    let mains = pod.containers.iter().filter(|c| c.is_main());
    for one in mains.chain(pod.containers.iter().filter(|c| c.is_sidecar())) {
        if container.is_none_or(|name| name == &*one.name) {
            let missing = || {
                format!(
                    "missing request for {resource} in container {} of Pod {}",
                    one.name,
                    pod.plain()
                )
            };
            sum += of(one.spec.resources.as_ref()).ok_or_else(missing)?;
            if container.is_some() {
                return Ok(sum);
            }
        }
    }
    match container {
        Some(name) => Err(format!("container {name} not found in Pod {}", pod.plain())),
        None => Ok(sum),
    }
}

/// An amount in thousandths as the API writes it.
fn amount(resource: &str, milli: i64) -> String {
    match resource {
        "memory" => Quantity::from_bytes((milli + 999) / 1000).to_string(),
        _ => Quantity::from_milli(milli).to_string(),
    }
}

fn current(spec: &autoscaling::MetricSpec, proposal: &Proposal) -> Current {
    let name = resource(spec).map_or("", |(name, ..)| name);
    Current { utilization: proposal.utilization, average: amount(name, proposal.average) }
}

/// `cpu: 250%/50%, memory: <unknown>/64Mi`.
// Models pkg/printers/internalversion/printers.go formatHPAMetrics (v1.36).
pub(super) fn targets(spec: &autoscaling::HorizontalPodAutoscalerSpec, status: &Status) -> String {
    let specs = spec.metrics.as_deref().unwrap_or_default();
    let one = |(i, spec): (usize, &autoscaling::MetricSpec)| {
        let current = status.metrics.get(i).and_then(Option::as_ref);
        let unknown = || "<unknown>".to_owned();
        let Some((name, _, target)) = resource(spec) else {
            return format!("{}/{}", unknown(), "<custom>");
        };
        match &target.average_value {
            Some(wanted) => {
                let wanted = Quantity::of(wanted).map_or(wanted.0.clone(), |q| q.to_string());
                let current = current.map_or_else(unknown, |c| c.average.clone());
                format!("{name}: {current}/{wanted}")
            }
            None => {
                let current = current.and_then(|c| c.utilization);
                let current = current.map_or_else(unknown, |n| format!("{n}%"));
                let wanted = target.average_utilization.unwrap_or(80);
                format!("{name}: {current}/{wanted}%")
            }
        }
    };
    let list: Vec<String> = specs.iter().enumerate().map(one).collect();
    match list.len() {
        0 => "<none>".to_owned(),
        n @ 3.. => format!("{} + {} more...", list[..2].join(", "), n - 2),
        _ => list.join(", "),
    }
}
