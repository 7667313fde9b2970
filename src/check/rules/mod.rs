//! The server's field rules, a file for each kind or part that several kinds share.

mod admission;
mod affinity;
mod claim;
mod config;
mod container;
mod cron;
mod env;
mod handler;
mod ingress;
mod job;
mod meta;
mod net;
pub(super) mod pod;
mod policy;
mod rbac;
pub(super) mod resources;
mod scaler;
mod security;
pub(super) mod selector;
mod service;
mod volume;
mod workload;

use super::cursor::At;
use super::report::Report;
pub(super) use admission::admit_pod;

/// Checks an object from its root.
pub(super) type Rules = fn(&At, &mut Report);

/// The rules of each kind, a line each.
const KINDS: [(&str, Rules); 19] = [
    ("Pod", pod::object),
    ("Deployment", workload::deployment),
    ("ReplicaSet", workload::replica_set),
    ("StatefulSet", workload::stateful_set),
    ("DaemonSet", workload::daemon_set),
    ("Job", job::object),
    ("CronJob", job::cron_job),
    ("Service", service::object),
    ("ConfigMap", config::config_map),
    ("Secret", config::secret),
    ("Namespace", config::namespace),
    ("ServiceAccount", config::service_account),
    ("PersistentVolumeClaim", claim::object),
    ("Ingress", ingress::object),
    ("NetworkPolicy", policy::network),
    ("PodDisruptionBudget", policy::disruption_budget),
    ("HorizontalPodAutoscaler", scaler::object),
    ("Role", rbac::role),
    ("RoleBinding", rbac::role_binding),
];

/// The rules of a kind, if it has any here.
pub(super) fn of(kind: &str) -> Option<Rules> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, rules)| *rules)
}
