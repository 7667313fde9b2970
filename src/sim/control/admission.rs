//! What the API server says to a new pod before it keeps it: service account, limit ranges,
//! quotas. Changes only the template it is given.

use super::fit;
use super::node::amount_of;
use crate::kube::Origins;
use crate::kube::limits::{self, Amounts, Range};
use crate::kube::quantity::Quantity;
use crate::sim::model::{Pod, PodTemplate, containers_of};
use crate::sim::world::State;
use crate::text::Span;
use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Objects that say what others may be, by namespace and name.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) namespaces: BTreeMap<String, Namespace>,
    /// And whether their pods find a token.
    pub(crate) accounts: BTreeMap<(String, String), bool>,
    pub(crate) quotas: BTreeMap<(String, String), Amounts>,
    pub(crate) ranges: BTreeMap<(String, String), Vec<Range>>,
    /// Of the whole cluster, by name.
    pub(crate) priorities: BTreeMap<String, Priority>,
}

/// A PriorityClass.
#[derive(Clone, Default)]
pub(crate) struct Priority {
    value: i32,
    default: bool,
    policy: Option<String>,
}

pub(crate) fn priority(origins: &Origins) -> Priority {
    Priority {
        value: origins.read("value"),
        default: origins.read("globalDefault"),
        policy: origins.read("preemptionPolicy"),
    }
}

/// A Namespace object.
#[derive(Default)]
pub(crate) struct Namespace {
    pub(crate) labels: BTreeMap<String, String>,
    /// It is deleted and waits for what lives in it.
    pub(crate) terminating: bool,
    /// When it came to be; None for those a cluster has from the beginning.
    pub(crate) created_at: Option<SimTime>,
}

/// Why the server does not take a pod, and what in the manifest made it so.
pub(crate) struct Refused {
    pub(crate) why: String,
    pub(crate) origin: Option<Span>,
}

/// What of a pod the namespace's Pod Security level refuses, and where that is written.
pub(super) fn insecure(
    state: &State,
    namespace: &str,
    template: &PodTemplate,
) -> Option<(String, Option<Span>)> {
    state.rules.namespaces.get(namespace)?;
    (super::work()?.insecure)(state, namespace, template)
}

/// Completes the template, or says why the server refuses the pod. `generated` names end in
/// symbols that are not known yet when the first checks are made.
pub(crate) fn admit(
    state: &State,
    namespace: &str,
    (name, generated): (&str, bool),
    template: &mut PodTemplate,
) -> Result<(), Refused> {
    let stem = match generated {
        true => name.get(..name.len().saturating_sub(5)).unwrap_or(name),
        false => name,
    };
    let forbidden = |name: &str, why: String, origin: Option<Span>| Refused {
        why: format!("pods \"{name}\" is forbidden: {why}"),
        origin,
    };
    // Models plugin/pkg/admission/namespace/lifecycle/admission.go Admit (v1.36).
    if state.rules.namespaces.get(namespace).is_some_and(|known| known.terminating) {
        let why = format!(
            "unable to create new content in namespace {namespace} because it is being terminated"
        );
        return Err(forbidden(stem, why, None));
    }
    account(state, namespace, template).map_err(|why| forbidden(stem, why, None))?;
    prioritize(state, template).map_err(|why| forbidden(stem, why, None))?;
    limit(state, namespace, template).map_err(|why| forbidden(name, why, None))?;
    if let Some((why, origin)) = insecure(state, namespace, template) {
        return Err(forbidden(name, why, origin));
    }
    quota(state, namespace, template).map_err(|why| forbidden(name, why, None))
}

// Models plugin/pkg/admission/serviceaccount Admit (v1.36).
fn account(state: &State, namespace: &str, template: &PodTemplate) -> Result<(), String> {
    let spec = &template.spec;
    let name = spec.service_account_name.as_deref().or(spec.service_account.as_deref());
    let name = name.filter(|name| !name.is_empty()).unwrap_or("default");
    let key = (namespace.to_owned(), name.to_owned());
    if name == "default" || state.rules.accounts.contains_key(&key) {
        return Ok(());
    }
    Err(format!(
        "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
    ))
}

/// The classes each cluster has.
const SYSTEM: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

// Models plugin/pkg/admission/priority admitPod (v1.36).
fn prioritize(state: &State, template: &mut PodTemplate) -> Result<(), String> {
    let all = &state.rules.priorities;
    let written = template.spec.priority_class_name.as_deref().filter(|name| !name.is_empty());
    let system = |name: &str| {
        let found = SYSTEM.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| Priority { value: *value, ..Priority::default() })
    };
    let (name, class) = match written {
        Some(name) => {
            let class = all.get(name).cloned().or_else(|| system(name));
            let missing = || format!("no PriorityClass with name {name} was found");
            (name.to_owned(), class.ok_or_else(missing)?)
        }
        None => {
            let defaults = all.iter().filter(|(_, class)| class.default);
            let Some((name, class)) = defaults.min_by_key(|(_, class)| class.value) else {
                return Ok(());
            };
            (name.clone(), class.clone())
        }
    };
    let mut spec = (*template.spec).clone();
    spec.priority_class_name = Some(name);
    spec.priority = Some(class.value);
    if spec.preemption_policy.is_none() {
        spec.preemption_policy =
            Some(class.policy.unwrap_or_else(|| "PreemptLowerPriority".to_owned()));
    }
    template.spec = Rc::new(spec);
    Ok(())
}

// Models plugin/pkg/admission/limitranger PodMutateLimitFunc, PodValidateLimitFunc (v1.36).
fn limit(state: &State, namespace: &str, template: &mut PodTemplate) -> Result<(), String> {
    let ranges = state.rules.ranges.iter().filter(|((ns, _), _)| ns == namespace);
    let ranges: Vec<&Range> =
        ranges.flat_map(|(_, list)| list).filter(|r| r.kind == "Container").collect();
    if ranges.is_empty() {
        return Ok(());
    }
    let mut spec = (*template.spec).clone();
    let wrong = limits::apply(&ranges, &mut spec);
    template.spec = Rc::new(spec);
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}

/// What a pod counts for under a quota's key; None for a key that counts no pods.
// Models pkg/quota/v1/evaluator/core/pods.go podComputeUsageHelper (v1.36).
fn usage(containers: &[crate::sim::model::Container], key: &str) -> Option<u64> {
    let (limits, name) = match key {
        "pods" | "count/pods" => return Some(1),
        "cpu" | "memory" | "ephemeral-storage" => (false, key),
        _ => match key.split_once('.')? {
            ("requests", name) => (false, name),
            ("limits", name) => (true, name),
            _ => return None,
        },
    };
    Some(fit::total(containers, |container| {
        let resources = container.spec.resources.as_ref()?;
        let limit = resources.limits.as_ref().and_then(|list| list.get(name));
        let request = resources.requests.as_ref().and_then(|list| list.get(name));
        let found = if limits { limit } else { request.or(limit) };
        found.and_then(|quantity| amount_of(name, quantity))
    }))
}

/// An amount in the words of the quota's own quantities.
fn words(key: &str, amount: u64) -> String {
    let amount = i64::try_from(amount).unwrap_or(i64::MAX);
    match key.rsplit('.').next() {
        Some("cpu") => Quantity::from_milli(amount).to_string(),
        Some("memory" | "ephemeral-storage") => Quantity::from_bytes(amount).to_string(),
        _ => amount.to_string(),
    }
}

// Models staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota CheckRequest (v1.36).
fn quota(state: &State, namespace: &str, template: &PodTemplate) -> Result<(), String> {
    if state.rules.quotas.is_empty() {
        return Ok(());
    }
    let containers = containers_of(&template.spec);
    for ((_, name), hard) in state.rules.quotas.iter().filter(|((ns, _), _)| ns == namespace) {
        unspecified(&containers, hard).map_err(|why| format!("failed quota: {name}: {why}"))?;
        let counted =
            |pod: &&Pod| pod.namespace == namespace && !pod.removed && !pod.status.is_terminal();
        let (mut asked, mut used, mut most) = (Vec::new(), Vec::new(), Vec::new());
        for (key, bound) in hard {
            let Some(own) = usage(&containers, key).filter(|own| *own > 0) else { continue };
            let pods = state.pods.values().filter(counted);
            let sum: u64 = pods.filter_map(|pod| usage(&pod.containers, key)).sum();
            let resource = key.rsplit('.').next().unwrap_or(key);
            if sum + own > amount_of(resource, bound).unwrap_or(u64::MAX) {
                asked.push(format!("{key}={}", words(key, own)));
                used.push(format!("{key}={}", words(key, sum)));
                most.push(format!("{key}={}", bound.0));
            }
        }
        if !asked.is_empty() {
            let [asked, used, most] = [asked, used, most].map(|list| list.join(","));
            return Err(format!(
                "exceeded quota: {name}, requested: {asked}, used: {used}, limited: {most}"
            ));
        }
    }
    Ok(())
}

/// Where cpu or memory is limited, each container must say what it wants.
fn unspecified(containers: &[crate::sim::model::Container], hard: &Amounts) -> Result<(), String> {
    const NEEDED: [&str; 6] =
        ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    let mut missing: Vec<String> = Vec::new();
    for key in NEEDED.iter().filter(|key| hard.contains_key(**key)) {
        let lacks = |c: &&crate::sim::model::Container| {
            let resources = c.spec.resources.as_ref();
            let (limits, name) = match key.split_once('.') {
                Some((list, name)) => (list == "limits", name),
                None => (false, *key),
            };
            let has = |list: Option<&Amounts>| list.is_some_and(|list| list.contains_key(name));
            let limit = has(resources.and_then(|r| r.limits.as_ref()));
            let request = has(resources.and_then(|r| r.requests.as_ref()));
            !(limit || (!limits && request))
        };
        let names: BTreeSet<&str> = containers.iter().filter(lacks).map(|c| &*c.name).collect();
        if !names.is_empty() {
            let names: Vec<&str> = names.into_iter().collect();
            missing.push(format!("{key} for: {}", names.join(",")));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("must specify {}", missing.join("; "))) }
}
