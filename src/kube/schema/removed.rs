//! API versions that once served a kind and no longer do, with what took their place.
//! From the deprecated API migration guide of kubernetes.io; no kind that never was stable.

/// A version of a kind that kube-apiserver 1.36 does not serve any more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Removed {
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The Kubernetes version that removed it, e.g. `1.16`.
    pub since: &'static str,
    /// The apiVersion to write instead; None where nothing took its place.
    pub successor: Option<&'static str>,
}

const fn row(
    api_version: &'static str,
    kind: &'static str,
    since: &'static str,
    to: &'static str,
) -> Removed {
    let successor = if to.is_empty() { None } else { Some(to) };
    Removed { api_version, kind, since, successor }
}

const TABLE: &[Removed] = &[
    row("extensions/v1beta1", "Deployment", "1.16", "apps/v1"),
    row("extensions/v1beta1", "DaemonSet", "1.16", "apps/v1"),
    row("extensions/v1beta1", "ReplicaSet", "1.16", "apps/v1"),
    row("extensions/v1beta1", "NetworkPolicy", "1.16", "networking.k8s.io/v1"),
    row("extensions/v1beta1", "PodSecurityPolicy", "1.16", ""),
    row("extensions/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1"),
    row("apps/v1beta1", "Deployment", "1.16", "apps/v1"),
    row("apps/v1beta1", "StatefulSet", "1.16", "apps/v1"),
    row("apps/v1beta2", "Deployment", "1.16", "apps/v1"),
    row("apps/v1beta2", "DaemonSet", "1.16", "apps/v1"),
    row("apps/v1beta2", "ReplicaSet", "1.16", "apps/v1"),
    row("apps/v1beta2", "StatefulSet", "1.16", "apps/v1"),
    row("networking.k8s.io/v1beta1", "Ingress", "1.22", "networking.k8s.io/v1"),
    row("networking.k8s.io/v1beta1", "IngressClass", "1.22", "networking.k8s.io/v1"),
    row("rbac.authorization.k8s.io/v1beta1", "Role", "1.22", "rbac.authorization.k8s.io/v1"),
    row("rbac.authorization.k8s.io/v1beta1", "RoleBinding", "1.22", "rbac.authorization.k8s.io/v1"),
    row("rbac.authorization.k8s.io/v1beta1", "ClusterRole", "1.22", "rbac.authorization.k8s.io/v1"),
    row(
        "rbac.authorization.k8s.io/v1beta1",
        "ClusterRoleBinding",
        "1.22",
        "rbac.authorization.k8s.io/v1",
    ),
    row("scheduling.k8s.io/v1beta1", "PriorityClass", "1.22", "scheduling.k8s.io/v1"),
    row("storage.k8s.io/v1beta1", "StorageClass", "1.22", "storage.k8s.io/v1"),
    row(
        "apiextensions.k8s.io/v1beta1",
        "CustomResourceDefinition",
        "1.22",
        "apiextensions.k8s.io/v1",
    ),
    row("coordination.k8s.io/v1beta1", "Lease", "1.22", "coordination.k8s.io/v1"),
    row("batch/v1beta1", "CronJob", "1.25", "batch/v1"),
    row("batch/v2alpha1", "CronJob", "1.21", "batch/v1"),
    row("discovery.k8s.io/v1beta1", "EndpointSlice", "1.25", "discovery.k8s.io/v1"),
    row("events.k8s.io/v1beta1", "Event", "1.25", "events.k8s.io/v1"),
    row("autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.25", "autoscaling/v2"),
    row("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.26", "autoscaling/v2"),
    row("policy/v1beta1", "PodDisruptionBudget", "1.25", "policy/v1"),
    row("policy/v1beta1", "PodSecurityPolicy", "1.25", ""),
    row("node.k8s.io/v1beta1", "RuntimeClass", "1.25", "node.k8s.io/v1"),
];

/// What became of a kind's former version.
pub fn removed(api_version: &str, kind: &str) -> Option<&'static Removed> {
    TABLE.iter().find(|row| row.api_version == api_version && row.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_are_served_and_removed_ones_are_not() {
        for row in TABLE {
            let served = super::super::kind(row.api_version, row.kind);
            assert!(served.is_none(), "{row:?}");
            if let Some(successor) = row.successor {
                assert!(super::super::kind(successor, row.kind).is_some(), "{row:?}");
            }
        }
        assert_eq!(removed("batch/v1", "CronJob"), None);
    }
}
