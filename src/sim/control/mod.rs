//! Controllers: each looks at what is wanted and what is there, and does the next step. Knows the
//! API objects and no container.

pub(crate) mod admission;
pub(crate) mod api;
pub(crate) mod apply;
pub(crate) mod budget;
pub(crate) mod change;
pub(crate) mod claims;
mod cron;
pub(crate) mod cronjob;
pub(crate) mod daemonset;
pub(crate) mod debug;
pub(crate) mod deployment;
pub(crate) mod edit;
pub(crate) mod finalizers;
pub(crate) mod fit;
pub(crate) mod hpa;
pub(crate) mod ingress;
pub(crate) mod job;
mod job_rules;
pub(crate) mod load;
mod namespace;
pub(crate) mod node;
pub(crate) mod outage;
pub(crate) mod owner;
pub(crate) mod policy;
pub(crate) mod preemption;
pub(crate) mod replicaset;
pub(crate) mod scheduler;
mod security;
pub(crate) mod service;
mod spread;
pub(crate) mod statefulset;
pub(crate) mod workload;

use crate::kube::Object;
use crate::part::part;
use crate::sim::actions;
use crate::sim::kubelet;
use crate::sim::model::{PodId, PodTemplate, Source};
use crate::sim::world::{State, World};
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{self, EventId, Name, Subject};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;
use std::rc::Rc;

/// All objects of controllers, by name.
#[derive(Default)]
pub(crate) struct Controllers {
    pub(crate) services: BTreeMap<Name, Service>,
    pub(crate) deployments: BTreeMap<Name, deployment::Deployment>,
    pub(crate) replicasets: BTreeMap<Name, replicaset::ReplicaSet>,
    pub(crate) statefulsets: BTreeMap<Name, statefulset::StatefulSet>,
    pub(crate) daemonsets: BTreeMap<Name, daemonset::DaemonSet>,
    pub(crate) jobs: BTreeMap<Name, job::Job>,
    pub(crate) cronjobs: BTreeMap<Name, cronjob::CronJob>,
    pub(crate) policies: policy::Policies,
    pub(crate) scalers: hpa::Scalers,
    pub(crate) ingresses: ingress::Ingresses,
    pub(crate) proxy: service::Proxy,
}

impl Controllers {
    fn is_empty(&self) -> bool {
        self.services.is_empty()
            && self.deployments.is_empty()
            && self.replicasets.is_empty()
            && self.statefulsets.is_empty()
            && self.daemonsets.is_empty()
            && self.jobs.is_empty()
            && self.cronjobs.is_empty()
            && self.policies.is_empty()
    }
}

/// What all objects have.
#[derive(Clone)]
pub(crate) struct Meta {
    /// `deployment`, as kubectl writes it.
    pub(crate) kind: &'static str,
    /// What the run calls it; see `trace::plain`.
    pub(crate) name: Name,
    pub(crate) namespace: String,
    pub(crate) source: Rc<Source>,
    pub(crate) applied: EventId,
    pub(crate) created_at: SimTime,
    /// The cells shown last.
    pub(crate) row: Vec<String>,
    /// When they came to be so.
    pub(crate) shown_at: SimTime,
    /// It was deleted and waits for what it owns.
    pub(crate) deleted_by: Option<EventId>,
}

impl Meta {
    /// `metadata.name`.
    pub(crate) fn plain(&self) -> &str {
        trace::plain(&self.name)
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject::Object { kind: self.kind.into(), name: self.name.clone() }
    }
}

pub(crate) struct Service {
    pub(crate) meta: Meta,
    pub(crate) spec: core::ServiceSpec,
    /// None for a headless one.
    pub(crate) ip: Option<String>,
    pub(crate) shown: Option<(Vec<String>, Vec<String>)>,
}

/// How long controllers take to notice a change, in milliseconds.
const NOTICE_MILLIS: u64 = 20;

/// Starts the loop that runs all controllers whenever something changed.
pub(crate) fn start(world: &World) {
    let copy = world.clone();
    world.clock.spawn(async move {
        loop {
            let dirty = std::mem::take(&mut copy.st().api_dirty);
            if dirty {
                copy.pause(NOTICE_MILLIS).await;
                reconcile(&copy);
                continue;
            }
            let flag = copy.st().api_flag.clone();
            flag.raised(&copy.clock, SimTime::MAX).await;
        }
    });
}

/// A sentence and the place in the manifest it is about.
pub(crate) type Why = (String, Option<Span>);

/// What only a cluster with more than pods needs, or one that somebody acts on.
pub(crate) struct Work {
    /// Applies an object that is neither a pod nor settings.
    pub(crate) apply: fn(&World, &Object, Source, Option<EventId>),
    reconcile: fn(&World),
    /// Why a namespace's pod security refuses a pod, and where that is written.
    insecure: fn(&State, &str, &PodTemplate) -> Option<Why>,
    /// Warns of what a namespace's pod security would rather not have.
    warn: fn(&World, Subject, &str, &PodTemplate, EventId),
    /// Makes room for a pod that no node takes.
    preempt: fn(&World, PodId, &[String], EventId) -> preemption::Attempt,
    /// Looks which nodes run short of something.
    pub(crate) pressure: fn(&World),
    /// Does what a person does; the error says what of it we do not understand or find.
    pub(crate) perform: fn(&World, &str, EventId) -> Result<(), String>,
}

part! {
    WORK: Work =
        &Work {
            apply: load::apply_other,
            reconcile: each_in_turn,
            insecure: security::refuses,
            warn: security::warn,
            preempt: preemption::attempt,
            pressure: kubelet::pressure::look,
            perform: actions::perform,
        },
    in Controllers;
}

/// The controllers' part, if it is there.
pub(crate) fn work() -> Option<&'static Work> {
    loaded()
}

fn reconcile(world: &World) {
    let idle = {
        let state = world.st();
        state.controllers.is_empty() && state.storage.claims.is_empty()
    };
    if !idle && let Some(work) = work() {
        (work.reconcile)(world);
    }
}

fn each_in_turn(world: &World) {
    claims::reconcile(world);
    replicaset::reconcile(world);
    deployment::reconcile(world);
    statefulset::reconcile(world);
    daemonset::reconcile(world);
    service::reconcile(world);
    ingress::reconcile(world);
    policy::reconcile(world);
}
