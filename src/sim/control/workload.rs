//! What controllers of pods share: making pods, choosing victims, telling rows and events.

use super::Meta;
use super::admission::{self, Refused};
use super::api::{self, NewPod};
use crate::order::Order;
use crate::sim::model::{Owner, Pod, PodId, PodTemplate};
use crate::sim::world::{State, World};
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{EventId, Name, What};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::rc::Rc;

/// The template of a controller's pods; `source` is the controller's.
pub(crate) fn template(
    source: &crate::sim::model::Source,
    path: &str,
    metadata: Option<&ObjectMeta>,
    spec: Option<&core::PodSpec>,
) -> PodTemplate {
    PodTemplate {
        labels: metadata.and_then(|m| m.labels.clone()).unwrap_or_default(),
        annotations: metadata.and_then(|m| m.annotations.clone()).unwrap_or_default(),
        spec: Rc::new(spec.cloned().unwrap_or_default()),
        source: Rc::new(crate::sim::model::Source {
            origins: source.origins.clone(),
            prefix: format!("{path}."),
            foreign: source.foreign,
        }),
    }
}

/// Shows the cells of an object, where they changed.
pub(crate) fn show_row(
    state: &mut State,
    meta: &mut Meta,
    cells: Vec<String>,
    cause: EventId,
) -> Option<EventId> {
    if meta.row == cells {
        return None;
    }
    meta.row.clone_from(&cells);
    meta.shown_at = state.now();
    Some(state.emit(meta.subject(), What::ObjectRow { cells }, Some(cause), None))
}

/// An Event object about a controller's object.
pub(crate) fn report(
    state: &mut State,
    meta: &Meta,
    reason: &str,
    message: String,
    cause: EventId,
) -> EventId {
    report_at(state, meta, reason, message, cause, meta.source.span("metadata.name"))
}

/// As `report`, made so by another place of the manifest.
pub(crate) fn report_at(
    state: &mut State,
    meta: &Meta,
    reason: &str,
    message: String,
    cause: EventId,
    origin: Option<Span>,
) -> EventId {
    let warning = matches!(
        reason,
        "BackoffLimitExceeded"
            | "DeadlineExceeded"
            | "FailedComputeMetricsReplicas"
            | "FailedConvertHPA"
            | "FailedCreate"
            | "FailedGetContainerResourceMetric"
            | "FailedGetExternalMetric"
            | "FailedGetObjectMetric"
            | "FailedGetPodsMetric"
            | "FailedGetResourceMetric"
            | "FailedGetScale"
            | "FailedIndexes"
            | "MaxFailedIndexesExceeded"
            | "PodFailurePolicy"
    );
    let reason = Name::from(reason);
    let message = state.combined((meta.subject(), warning, reason.clone()), message);
    let what = What::Reported { warning, reason, field_path: None, message };
    state.emit(meta.subject(), what, Some(cause), origin)
}

/// A pod a controller wants.
pub(crate) struct Child {
    /// The controller's: `ReplicaSet`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) index: Option<u32>,
    pub(crate) target: Option<String>,
    pub(crate) template: PodTemplate,
}

/// Makes one pod of a controller and tells so, or tells why the server refuses it.
pub(crate) fn create(world: &World, meta: &Meta, child: Child, cause: EventId) -> bool {
    let Child { kind, name, index, target, mut template } = child;
    let of_set = kind == "StatefulSet";
    let admitted = admission::admit(&world.st(), &meta.namespace, (&name, !of_set), &mut template);
    if let Err(Refused { why, origin }) = admitted {
        let message = match of_set {
            true => {
                format!("Create Pod {name} in StatefulSet {} failed error: {why}", meta.plain())
            }
            false => format!("Error creating: {why}"),
        };
        let origin = origin.or_else(|| meta.source.span("metadata.name"));
        report_at(&mut world.st(), meta, "FailedCreate", message, cause, origin);
        return false;
    }
    let message = match of_set {
        true => format!("Create Pod {name} in StatefulSet {} successful", meta.plain()),
        false => format!("Created pod: {name}"),
    };
    let event = report(&mut world.st(), meta, "SuccessfulCreate", message, cause);
    let new = NewPod {
        name,
        namespace: meta.namespace.clone(),
        owner: Some(Owner { kind, name: meta.name.clone() }),
        index,
        target,
        template,
        cause: event,
    };
    api::create_pod(world, new);
    true
}

/// Ready for at least `min_ready` seconds.
// Models pkg/api/v1/pod/util.go IsPodAvailable (v1.36).
pub(crate) fn is_available(pod: &Pod, min_ready: i32, now: SimTime) -> bool {
    let ready = pod.status.condition("Ready").filter(|c| c.status);
    let long = SimTime::from_secs(min_ready.max(0) as u64);
    ready.is_some_and(|c| c.since + long <= now)
}

/// Looks again when a pod that is ready now becomes available.
pub(crate) fn look_again(world: &World, min_ready: i32) {
    if min_ready > 0 {
        let copy = world.clone();
        let span = SimTime::from_secs(min_ready as u64) + SimTime::from_millis(20);
        world.clock.spawn(async move {
            copy.clock.sleep(span).await;
            copy.st().touch();
        });
    }
}

/// Looks again after a refusal, each time later.
// Models client-go util/workqueue DefaultTypedControllerRateLimiter (v1.36).
pub(crate) fn retry(world: &World, refusals: u32) -> SimTime {
    let span = SimTime::from_millis((5u64 << refusals.min(18)).min(1_000_000));
    let (copy, at) = (world.clone(), world.now() + span);
    world.clock.spawn(async move {
        copy.clock.sleep_until(at).await;
        copy.st().touch();
    });
    at
}

/// Pods in the order a ReplicaSet gives them up.
// Models pkg/controller/controller_utils.go ActivePodsWithRanks (v1.36).
pub(crate) fn victims_first(state: &State, mut ids: Vec<PodId>) -> Vec<PodId> {
    let cost = |pod: &Pod| -> i64 {
        let text = pod.template.annotations.get("controller.kubernetes.io/pod-deletion-cost");
        text.and_then(|t| t.parse().ok()).unwrap_or(0)
    };
    ids.order_by_key(|id| {
        let Some(pod) = state.pods.get(id) else { return (false, 0, false, 0, SimTime::MAX, 0) };
        let phase = match pod.status.phase {
            "Pending" => 0u8,
            "Running" => 2,
            _ => 1,
        };
        let since = pod.status.condition("Ready").map_or(SimTime::ZERO, |c| c.since);
        // Shorter ready goes first, on a scale of powers of two.
        let age = (state.now() - since).as_secs().checked_ilog2().unwrap_or(0);
        let newer = SimTime(SimTime::MAX.0 - pod.created_at.0);
        (pod.scheduled, phase, pod.is_ready(), cost(pod), SimTime(u64::from(age)), newer.0)
    });
    ids
}

/// The newest event that changed one of these pods, else `default`.
pub(crate) fn newest_cause(state: &State, ids: &[PodId], default: EventId) -> EventId {
    let changed = ids.iter().filter_map(|id| state.pods.get(id)).map(|pod| pod.changed_by);
    changed.max().unwrap_or(default).max(default)
}

/// A number or a percentage of `total`.
pub(crate) fn share(value: Option<&IntOrString>, total: u32, up: bool) -> Option<u32> {
    match value? {
        IntOrString::Int(number) => u32::try_from(*number).ok(),
        IntOrString::String(text) => {
            let percent: u64 = text.trim_end_matches('%').parse().ok()?;
            let hundredths = percent * u64::from(total);
            let rounded = if up { hundredths.div_ceil(100) } else { hundredths / 100 };
            u32::try_from(rounded).ok()
        }
    }
}

/// Ten symbols that stand for a template, as `pod-template-hash` has them.
pub(crate) fn hash(seed: u64, name: &str, revision: u32) -> String {
    let mut hash = 0x811c_9dc5_u32 ^ (seed as u32) ^ revision.wrapping_mul(0x9e37_79b9);
    for byte in name.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    // Decimal digits, each as the safe alphabet writes it.
    let symbols = b"456789bcdf";
    let digit = |c: char| symbols.get(c as usize - '0' as usize).copied().unwrap_or(b'4') as char;
    hash.to_string().chars().map(digit).collect()
}

/// The name of a pod a controller generates.
pub(crate) fn generated(world: &World, base: &str) -> String {
    let base: String = base.chars().take(58).collect();
    let suffix = world.st().suffix(5);
    format!("{base}-{suffix}")
}

/// A name to borrow from a table without holding the table.
pub(crate) fn names<T>(table: &std::collections::BTreeMap<Name, T>) -> Vec<Name> {
    table.keys().cloned().collect()
}
