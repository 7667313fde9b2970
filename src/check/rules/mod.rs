//! The server's field rules, a file for each kind or part that several kinds share.

mod admission;
mod affinity;
mod claim;
mod cluster;
mod config;
mod container;
mod cron;
mod endpoints;
mod env;
mod handler;
mod ingress;
mod job;
mod meta;
mod net;
pub(super) mod pod;
mod policy;
mod quota;
mod rare;
mod rbac;
pub(super) mod resources;
mod scaler;
mod security;
pub(super) mod selector;
mod service;
mod storage;
mod volume;
mod windows;
pub(super) mod workload;

use super::cursor::At;
use super::report::Report;
use crate::part::part;
pub(super) use admission::{admit_pod, admit_valid_pod};
pub(super) use storage::is_source as is_volume_source;

/// The metadata of kinds that have no rules here.
pub(super) fn metadata(at: &At, r: &mut Report) {
    meta::object(at, crate::kube::names::subdomain, r);
}

pub(super) use volume::PROJECTIONS;

/// Checks an object from its root.
pub(super) type Rules = fn(&At, &mut Report);

/// The rules of what nearly every manifest holds, a line each.
const COMMON: &[(&str, Rules)] = &[
    ("Pod", pod::object),
    ("Service", service::object),
    ("ConfigMap", config::config_map),
    ("Secret", config::secret),
];

/// The rules of the other kinds, a line each.
const OTHERS: &[(&str, Rules)] = &[
    ("Deployment", workload::deployment),
    ("ReplicaSet", workload::replica_set),
    ("StatefulSet", workload::stateful_set),
    ("DaemonSet", workload::daemon_set),
    ("Job", job::object),
    ("CronJob", job::cron_job),
    ("Namespace", config::namespace),
    ("ServiceAccount", config::service_account),
    ("PersistentVolumeClaim", claim::object),
    ("Ingress", ingress::object),
    ("NetworkPolicy", policy::network),
    ("PodDisruptionBudget", policy::disruption_budget),
    ("HorizontalPodAutoscaler", scaler::object),
    ("Role", rbac::role),
    ("RoleBinding", rbac::role_binding),
    ("ClusterRole", rbac::cluster_role),
    ("ClusterRoleBinding", rbac::cluster_role_binding),
    ("PersistentVolume", storage::volume),
    ("StorageClass", storage::class),
    ("ResourceQuota", quota::quota),
    ("LimitRange", quota::limit_range),
    ("Endpoints", endpoints::endpoints),
    ("EndpointSlice", endpoints::slice),
    ("PriorityClass", cluster::priority_class),
    ("RuntimeClass", cluster::runtime_class),
    ("IngressClass", cluster::ingress_class),
    ("PodTemplate", cluster::pod_template),
    ("ReplicationController", cluster::replication_controller),
    ("Lease", cluster::named),
];

part! { LOADED: [(&'static str, Rules)] = OTHERS, in Rules; }

/// Fills in what the rules of the everyday kinds need seldom.
pub(super) fn fill_seldom() {
    windows::fill();
}

/// The rules of a kind, if it has any here.
pub(super) fn of(kind: &str) -> Option<Rules> {
    let among = |table: &[(&str, Rules)]| {
        table.iter().find(|(name, _)| *name == kind).map(|(_, rules)| *rules)
    };
    among(COMMON).or_else(|| loaded().and_then(among))
}
