//! The eviction API: a deletion that asks the disruption budgets first.

use super::{api, workload};
use crate::kube::{Origins, selector};
use crate::sim::kubelet::publish;
use crate::sim::model::{Pod, PodId};
use crate::sim::world::{State, World};
use crate::trace::EventId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// A PodDisruptionBudget.
pub(crate) struct Budget {
    pub(crate) name: String,
    pub(crate) namespace: String,
    selector: Option<meta::LabelSelector>,
    least: Option<IntOrString>,
    most_missing: Option<IntOrString>,
    always_allow_unready: bool,
}

pub(crate) fn budget(name: String, namespace: String, origins: &Origins) -> Budget {
    Budget {
        name,
        namespace,
        selector: origins.read("spec.selector"),
        least: origins.read("spec.minAvailable"),
        most_missing: origins.read("spec.maxUnavailable"),
        always_allow_unready: origins.read::<String>("spec.unhealthyPodEvictionPolicy")
            == "AlwaysAllow",
    }
}

/// What a budget says now.
struct Count {
    healthy: u32,
    desired: u32,
    expected: u32,
}

fn selects(budget: &Budget, pod: &Pod) -> bool {
    let selector = budget.selector.as_ref();
    pod.namespace == budget.namespace
        && selector.is_some_and(|s| selector::matches(s, &pod.template.labels))
}

/// How many pods the controllers of these want in all.
// Models pkg/controller/disruption/disruption.go getExpectedScale (v1.36).
fn expected(state: &State, pods: &[&Pod]) -> u32 {
    let mut owners = std::collections::BTreeMap::new();
    let mut alone = 0;
    for pod in pods {
        let Some(owner) = &pod.owner else {
            alone += 1;
            continue;
        };
        let controllers = &state.controllers;
        let set = controllers.replicasets.get(&owner.name);
        let found = match owner.kind {
            "ReplicaSet" => set.map(|set| match &set.owner {
                Some(name) => {
                    let deployment = controllers.deployments.get(name);
                    (name.clone(), deployment.map_or(set.replicas, |d| d.replicas))
                }
                None => (owner.name.clone(), set.replicas),
            }),
            "StatefulSet" => controllers
                .statefulsets
                .get(&owner.name)
                .map(|set| (owner.name.clone(), set.replicas)),
            _ => None,
        };
        owners.extend(found);
    }
    owners.values().sum::<u32>() + alone
}

// Models pkg/controller/disruption/disruption.go getExpectedPodCount (v1.36).
fn count(state: &State, budget: &Budget) -> Count {
    let pods = state.pods.values().filter(|p| !p.removed && !p.status.is_terminal());
    let pods: Vec<&Pod> = pods.filter(|p| selects(budget, p)).collect();
    let healthy = pods.iter().filter(|p| p.deletion.is_none() && p.is_ready()).count() as u32;
    let whole = pods.len() as u32;
    let (desired, expected) = match (&budget.least, &budget.most_missing) {
        (Some(IntOrString::Int(n)), _) => (u32::try_from(*n).unwrap_or(0), whole),
        (Some(least), _) => {
            let expected = expected(state, &pods);
            (workload::share(Some(least), expected, true).unwrap_or(0), expected)
        }
        (None, most) => {
            let expected = expected(state, &pods);
            let missing = workload::share(most.as_ref(), expected, true).unwrap_or(0);
            (expected.saturating_sub(missing), expected)
        }
    };
    Count { healthy, desired, expected }
}

impl Count {
    fn allowed(&self) -> u32 {
        if self.expected == 0 { 0 } else { self.healthy.saturating_sub(self.desired) }
    }
}

/// (allowed disruptions, healthy, wanted healthy, expected) of the budget of this name.
pub(crate) fn status(state: &State, namespace: &str, name: &str) -> Option<[u32; 4]> {
    let mut all = state.budgets.iter();
    let budget = all.find(|one| one.name == name && one.namespace == namespace)?;
    let now = count(state, budget);
    Some([now.allowed(), now.healthy, now.desired, now.expected])
}

/// Those of the pods, most important first, whose going a budget does not allow any more.
// Models defaultpreemption filterPodsWithPDBViolation (v1.36).
pub(crate) fn violating(state: &State, ids: &[PodId]) -> Vec<PodId> {
    let mut left: Vec<i64> =
        state.budgets.iter().map(|one| i64::from(count(state, one).allowed())).collect();
    let mut out = Vec::new();
    for pod in ids.iter().filter_map(|id| state.pods.get(id)) {
        let mut violated = false;
        for (budget, left) in state.budgets.iter().zip(&mut left) {
            if selects(budget, pod) {
                *left -= 1;
                violated |= *left < 0;
            }
        }
        out.extend(violated.then_some(pod.id));
    }
    out
}

/// The sentence of the server that refuses, in kubectl's frame.
// Models pkg/registry/core/pod/storage/eviction.go Create (v1.36).
fn refusal(state: &State, pod: &Pod) -> Option<String> {
    let free = pod.status.phase == "Pending" || pod.status.is_terminal() || pod.deletion.is_some();
    if free {
        return None;
    }
    let mut budgets = state.budgets.iter().filter(|budget| selects(budget, pod));
    let budget = budgets.next()?;
    if budgets.next().is_some() {
        return Some(
            "Error from server (InternalError): This pod has more than one PodDisruptionBudget, \
             which the eviction subresource does not support."
                .to_owned(),
        );
    }
    let count = count(state, budget);
    let unready = !pod.is_ready();
    let covered = count.healthy >= count.desired && count.desired > 0;
    if (unready && (budget.always_allow_unready || covered)) || count.allowed() > 0 {
        return None;
    }
    Some(format!(
        "Error from server (TooManyRequests): Cannot evict pod as it would violate the pod's \
         disruption budget. The disruption budget {} needs {} healthy pods and has {} currently",
        budget.name, count.desired, count.healthy
    ))
}

/// Evicts a pod unless a budget forbids it.
pub(crate) fn evict(world: &World, id: PodId, event: EventId) -> Result<(), String> {
    let why = {
        let state = world.st();
        state.pods.get(&id).and_then(|pod| refusal(&state, pod))
    };
    if let Some(why) = why {
        return Err(why);
    }
    let (kind, reason) = ("DisruptionTarget", Some("EvictionByEvictionAPI"));
    let message = Some("Eviction API: evicting".to_owned());
    publish::set_condition(&mut world.st(), id, kind, true, reason, message, event);
    api::delete_pod(world, id, None, event);
    Ok(())
}
