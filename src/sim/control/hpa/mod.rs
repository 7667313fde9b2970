//! HorizontalPodAutoscalers: every fifteen seconds as many replicas as the measured load asks for.
//!
//! Models pkg/controller/podautoscaler/horizontal.go (v1.36). Metrics of pods, objects and the
//! outside need an adapter, which no run has: they fail as they do on a cluster without one.

mod limits;
mod measure;
mod metric;
mod replicas;

use super::{Meta, change, workload};
use crate::kube::Origins;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, What};
use k8s_openapi::api::autoscaling::v2 as autoscaling;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use limits::{Past, Verdict, Wish};
use std::collections::BTreeMap;

/// How often each one looks; the first time so long after it came.
const PERIOD: SimTime = SimTime::from_secs(15);

#[derive(Default)]
pub(crate) struct Scalers {
    pub(crate) all: BTreeMap<Name, Scaler>,
    metrics: measure::Metrics,
    measuring: bool,
}

#[derive(Clone)]
pub(crate) struct Scaler {
    pub(crate) meta: Meta,
    /// With defaults.
    pub(crate) spec: autoscaling::HorizontalPodAutoscalerSpec,
    pub(crate) status: Status,
    past: Past,
    /// What changed it last.
    cause: EventId,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Status {
    pub(crate) current: i64,
    pub(crate) desired: i64,
    pub(crate) last_scale: Option<SimTime>,
    /// As many as the spec has; None where one could not be had.
    pub(crate) metrics: Vec<Option<Current>>,
    pub(crate) conditions: Vec<Condition>,
}

/// The value of a metric: in percent where the target is, and as an amount.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Current {
    pub(crate) utilization: Option<i64>,
    pub(crate) average: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) kind: &'static str,
    pub(crate) status: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) since: SimTime,
}

/// What is scaled, as its `scale` subresource shows it.
struct Scale {
    replicas: i64,
    selector: meta::LabelSelector,
    /// `deployment/web`.
    target: String,
}

pub(super) fn add(world: &World, meta: Meta) {
    let spec = spec_of(&meta.source.origins);
    let (name, cause) = (meta.name.clone(), meta.applied);
    let (status, past) = (Status::default(), Past::default());
    let scaler = Scaler { spec, status, past, meta, cause };
    world.st().controllers.scalers.all.insert(name.clone(), scaler.clone());
    keep(world, scaler);
    if !std::mem::replace(&mut world.st().controllers.scalers.measuring, true) {
        let copy = world.clone();
        world.clock.spawn(async move { measure::run(copy).await });
    }
    let copy = world.clone();
    world.clock.spawn(async move {
        loop {
            copy.clock.sleep(PERIOD).await;
            let found = copy.st().controllers.scalers.all.get(&name).cloned();
            let Some(scaler) = found.filter(|scaler| scaler.meta.applied == cause) else { return };
            sync(&copy, scaler);
        }
    });
}

// Models pkg/apis/autoscaling/v2/defaults.go SetDefaults_HorizontalPodAutoscaler (v1.36).
fn spec_of(origins: &Origins) -> autoscaling::HorizontalPodAutoscalerSpec {
    let mut spec: autoscaling::HorizontalPodAutoscalerSpec = origins.read("spec");
    spec.min_replicas.get_or_insert(1);
    if spec.metrics.as_ref().is_none_or(Vec::is_empty) {
        // What the first version of the API wrote.
        let percent: Option<i32> = origins.read("spec.targetCPUUtilizationPercentage");
        let target = autoscaling::MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(percent.unwrap_or(80)),
            ..autoscaling::MetricTarget::default()
        };
        let resource = autoscaling::ResourceMetricSource { name: "cpu".to_owned(), target };
        spec.metrics = Some(vec![autoscaling::MetricSpec {
            type_: "Resource".to_owned(),
            resource: Some(resource),
            ..autoscaling::MetricSpec::default()
        }]);
    }
    if let Some(behavior) = &mut spec.behavior {
        behavior.scale_up = Some(limits::with_defaults(behavior.scale_up.as_ref(), true));
        behavior.scale_down = Some(limits::with_defaults(behavior.scale_down.as_ref(), false));
    }
    spec
}

impl Scaler {
    fn set(
        &mut self,
        world: &World,
        kind: &'static str,
        status: bool,
        (reason, message): (&str, &str),
    ) {
        let now = world.now();
        let old = self.status.conditions.iter().position(|c| c.kind == kind);
        let since = old.map(|i| self.status.conditions[i].clone());
        let same = since.as_ref().is_some_and(|c| c.status == status && c.reason == reason);
        let since = since.filter(|c| c.status == status).map_or(now, |c| c.since);
        let (reason, message) = (reason.to_owned(), message.to_owned());
        let told = (Some(reason.clone()), Some(message.clone()));
        let condition = Condition { kind, status, reason, message, since };
        match old {
            Some(i) => self.status.conditions[i] = condition,
            None => self.status.conditions.push(condition),
        }
        if !same {
            let (reason, message) = told;
            let what = What::Condition { kind: kind.into(), status, reason, message };
            world.st().emit(self.meta.subject(), what, Some(self.cause), None);
        }
    }

    fn warn(&self, world: &World, reason: &str, message: String) {
        workload::report(&mut world.st(), &self.meta, reason, message, self.cause);
    }

    fn number(&self, state: &State) -> Result<Scale, String> {
        let target = &self.spec.scale_target_ref;
        let kind = target.kind.to_ascii_lowercase();
        let name = state.key(&kind, &self.meta.namespace, &target.name);
        let all = &state.controllers;
        let missing = |plural: &str| format!("{plural}/scale.apps \"{}\" not found", target.name);
        let (kind, replicas, of) = match target.kind.as_str() {
            "Deployment" => {
                let one = all.deployments.get(&name).ok_or_else(|| missing("deployments"))?;
                ("deployment", one.replicas, &one.meta)
            }
            "StatefulSet" => {
                let one = all.statefulsets.get(&name).ok_or_else(|| missing("statefulsets"))?;
                ("statefulset", one.replicas, &one.meta)
            }
            "ReplicaSet" => {
                let one = all.replicasets.get(&name).ok_or_else(|| missing("replicasets"))?;
                ("replicaset", one.replicas, &one.meta)
            }
            other => {
                let group = target.api_version.as_deref().unwrap_or("");
                let group = group.split_once('/').map_or("", |(group, _)| group);
                return Err(format!("no matches for kind \"{other}\" in group \"{group}\""));
            }
        };
        if of.namespace != self.meta.namespace {
            return Err(missing(&format!("{kind}s")));
        }
        Ok(Scale {
            replicas: i64::from(replicas),
            selector: of.source.origins.read("spec.selector"),
            target: format!("{kind}/{name}"),
        })
    }
}

// Models reconcileAutoscaler.
fn sync(world: &World, mut scaler: Scaler) {
    let found = scaler.number(&world.st());
    let scale = match found {
        Ok(scale) => scale,
        Err(why) => {
            scaler.warn(world, "FailedGetScale", why.clone());
            let text = "the HPA controller was unable to get the target's current scale";
            let text = format!("{text}: {why}");
            scaler.set(world, "AbleToScale", false, ("FailedGetScale", &text));
            keep(world, scaler);
            return;
        }
    };
    let text = "the HPA controller was able to get the target's current scale";
    quietly(&mut scaler, world, "AbleToScale", ("SucceededGetScale", text));
    let current = scale.replicas;
    if scaler.past.recommended.is_empty() {
        scaler.past.recommended.push((world.now(), current));
    }
    scaler.status.current = current;
    let (min, max) =
        (scaler.spec.min_replicas.unwrap_or(1).into(), i64::from(scaler.spec.max_replicas));
    let bounds = match current {
        0 => {
            let text = "scaling is disabled since the replica count of the target is zero";
            scaler.set(world, "ScalingActive", false, ("ScalingDisabled", text));
            scaler.status.desired = 0;
            scaler.status.metrics.clear();
            keep(world, scaler);
            return;
        }
        n if n > max => Some((max, "Current number of replicas above Spec.MaxReplicas")),
        n if n < min => Some((min, "Current number of replicas below Spec.MinReplicas")),
        _ => None,
    };
    let (desired, reason) = match bounds {
        Some((number, reason)) => {
            scaler.status.metrics.clear();
            (number, reason.to_owned())
        }
        None => match by_load(world, &mut scaler, &scale, (min, max)) {
            Some(decided) => decided,
            None => {
                keep(world, scaler);
                return;
            }
        },
    };
    if desired != current {
        rescale(world, &mut scaler, &scale, (desired, reason));
    }
    scaler.status.desired = desired;
    keep(world, scaler);
}

/// Only for the record: what follows says more.
fn quietly(
    scaler: &mut Scaler,
    world: &World,
    kind: &'static str,
    (reason, message): (&str, &str),
) {
    let known = scaler.status.conditions.iter().any(|c| c.kind == kind && c.status);
    if !known {
        scaler.set(world, kind, true, (reason, message));
    }
}

/// The number the metrics ask for within its bounds, and why.
fn by_load(
    world: &World,
    scaler: &mut Scaler,
    scale: &Scale,
    (min, max): (i64, i64),
) -> Option<(i64, String)> {
    let current = scale.replicas;
    let (wanted, metric) = metric::compute(world, scaler, scale)?;
    // The row shows what was measured before anything comes of it.
    scaler.cause = keep(world, scaler.clone());
    let reason = match wanted > current {
        true => format!("{metric} above target"),
        false => "All metrics below target".to_owned(),
    };
    let wish = Wish { current, wanted, min, max };
    let verdict: Verdict = match scaler.spec.behavior.clone() {
        Some(autoscaling::HorizontalPodAutoscalerBehavior {
            scale_up: Some(up),
            scale_down: Some(down),
        }) => scaler.past.behaved(wish, (&up, &down), world.now()),
        _ => scaler.past.plain(wish, world.now()),
    };
    scaler.set(world, "AbleToScale", true, verdict.able);
    let limited = verdict.limited.is_some();
    scaler.set(world, "ScalingLimited", limited, verdict.limited.unwrap_or(limits::IN_RANGE));
    Some((verdict.replicas, reason))
}

fn rescale(world: &World, scaler: &mut Scaler, scale: &Scale, (desired, reason): (i64, String)) {
    let message = format!("New size: {desired}; reason: {reason}");
    let name = "SuccessfulRescale";
    let event = workload::report(&mut world.st(), &scaler.meta, name, message, scaler.cause);
    let number = u32::try_from(desired).unwrap_or(0);
    // The target was there a moment ago.
    let _ = change::scale(world, &scale.target, number, event);
    let text = format!("the HPA controller was able to update the target scale to {desired}");
    scaler.set(world, "AbleToScale", true, ("SucceededRescale", &text));
    if scaler.spec.behavior.is_some() {
        scaler.past.changed(world.now(), scale.replicas, desired);
    }
    scaler.status.last_scale = Some(world.now());
}

/// Puts the changed one back and shows its row; says which event changed it last.
fn keep(world: &World, mut scaler: Scaler) -> EventId {
    let state = &mut world.st();
    let name = scaler.meta.name.clone();
    let Some(kept) = state.controllers.scalers.all.remove(&name) else { return scaler.cause };
    scaler.meta.row = kept.meta.row;
    let target = &scaler.spec.scale_target_ref;
    let cells = vec![
        format!("{}/{}", target.kind, target.name),
        metric::targets(&scaler.spec, &scaler.status),
        scaler.spec.min_replicas.unwrap_or(1).to_string(),
        scaler.spec.max_replicas.to_string(),
        scaler.status.current.to_string(),
    ];
    let applied = scaler.meta.applied;
    let shown = workload::show_row(state, &mut scaler.meta, cells, applied);
    scaler.cause = shown.unwrap_or(scaler.cause);
    let cause = scaler.cause;
    state.controllers.scalers.all.insert(name, scaler);
    cause
}
