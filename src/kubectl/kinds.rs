//! Kinds as kubectl knows them: plural, short names, group. Data and look-ups.

/// A row of `kubectl api-resources`.
#[derive(Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) plural: &'static str,
    pub(super) short: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) namespaced: bool,
    pub(super) name: &'static str,
}

macro_rules! kinds {
    ($($plural:literal $short:literal $group:literal $version:literal $namespaced:literal
        $name:literal)*) => {
        &[$(Kind { plural: $plural, short: $short, group: $group, version: $version,
            namespaced: $namespaced, name: $name }),*]
    };
}

/// In the order `kubectl api-resources` prints them.
pub(super) static KINDS: &[Kind] = kinds! {
    "configmaps" "cm" "" "v1" true "ConfigMap"
    "endpoints" "ep" "" "v1" true "Endpoints"
    "events" "ev" "" "v1" true "Event"
    "limitranges" "limits" "" "v1" true "LimitRange"
    "namespaces" "ns" "" "v1" false "Namespace"
    "nodes" "no" "" "v1" false "Node"
    "persistentvolumeclaims" "pvc" "" "v1" true "PersistentVolumeClaim"
    "persistentvolumes" "pv" "" "v1" false "PersistentVolume"
    "pods" "po" "" "v1" true "Pod"
    "podtemplates" "" "" "v1" true "PodTemplate"
    "replicationcontrollers" "rc" "" "v1" true "ReplicationController"
    "resourcequotas" "quota" "" "v1" true "ResourceQuota"
    "secrets" "" "" "v1" true "Secret"
    "serviceaccounts" "sa" "" "v1" true "ServiceAccount"
    "services" "svc" "" "v1" true "Service"
    "controllerrevisions" "" "apps" "v1" true "ControllerRevision"
    "daemonsets" "ds" "apps" "v1" true "DaemonSet"
    "deployments" "deploy" "apps" "v1" true "Deployment"
    "replicasets" "rs" "apps" "v1" true "ReplicaSet"
    "statefulsets" "sts" "apps" "v1" true "StatefulSet"
    "horizontalpodautoscalers" "hpa" "autoscaling" "v2" true "HorizontalPodAutoscaler"
    "cronjobs" "cj" "batch" "v1" true "CronJob"
    "jobs" "" "batch" "v1" true "Job"
    "endpointslices" "" "discovery.k8s.io" "v1" true "EndpointSlice"
    "ingressclasses" "" "networking.k8s.io" "v1" false "IngressClass"
    "ingresses" "ing" "networking.k8s.io" "v1" true "Ingress"
    "networkpolicies" "netpol" "networking.k8s.io" "v1" true "NetworkPolicy"
    "runtimeclasses" "" "node.k8s.io" "v1" false "RuntimeClass"
    "poddisruptionbudgets" "pdb" "policy" "v1" true "PodDisruptionBudget"
    "clusterrolebindings" "" "rbac.authorization.k8s.io" "v1" false "ClusterRoleBinding"
    "clusterroles" "" "rbac.authorization.k8s.io" "v1" false "ClusterRole"
    "rolebindings" "" "rbac.authorization.k8s.io" "v1" true "RoleBinding"
    "roles" "" "rbac.authorization.k8s.io" "v1" true "Role"
    "priorityclasses" "pc" "scheduling.k8s.io" "v1" false "PriorityClass"
    "storageclasses" "sc" "storage.k8s.io" "v1" false "StorageClass"
};

/// The category `all`, in the order the server lists it.
const ALL: [&str; 8] = [
    "pods",
    "services",
    "daemonsets",
    "deployments",
    "replicasets",
    "statefulsets",
    "horizontalpodautoscalers",
    "cronjobs",
];

impl Kind {
    /// `deployments.apps`, as errors write it.
    pub(super) fn full(&self) -> String {
        dotted(self.plural, self.group)
    }

    /// `deployment.apps`, as `-o name` and answers write it.
    pub(super) fn prefix(&self) -> String {
        dotted(&self.name.to_lowercase(), self.group)
    }

    /// `Deployment.apps`, as errors about kinds write it.
    pub(super) fn gk(&self) -> String {
        dotted(self.name, self.group)
    }

    /// `apps/v1`.
    pub(super) fn group_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    fn is_called(&self, word: &str) -> bool {
        let plain = word.strip_suffix(self.group).and_then(|w| w.strip_suffix('.'));
        // `deployments.v1.apps` names the version, too.
        let plain = plain.map(|w| w.strip_suffix(self.version).unwrap_or(w));
        let plain = plain.map(|w| w.strip_suffix('.').unwrap_or(w));
        let plain = plain.filter(|_| !self.group.is_empty()).unwrap_or(word);
        plain == self.plural
            || (plain == self.short && !self.short.is_empty())
            || plain == self.name.to_lowercase()
    }
}

fn dotted(name: &str, group: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{name}.{group}") }
}

/// All that a server of 1.36 has, as `api-resources` prints it: plural, short names (`-` where it
/// has none), group and version, whether in namespaces, kind.
pub(super) fn resources() -> impl Iterator<Item = [&'static str; 5]> {
    let rows = include_str!("resources.txt").lines();
    rows.filter_map(|row| row.split(' ').collect::<Vec<_>>().try_into().ok())
}

/// What is said of a kind that is none of the lab's.
pub(super) fn missing(word: &str) -> String {
    let called = |row: &[&str; 5]| {
        let plain = word.split('.').next().unwrap_or(word).to_lowercase();
        row[0] == plain
            || row[1].split(',').any(|one| one == plain)
            || row[4].to_lowercase() == plain
    };
    match resources().any(|row| called(&row)) {
        true => format!("not simulated: the resource type \"{word}\""),
        false => format!("the server doesn't have a resource type \"{word}\""),
    }
}

/// The kind a word names, case aside.
pub(super) fn find(word: &str) -> Option<&'static Kind> {
    let word = word.to_lowercase();
    KINDS.iter().find(|kind| kind.is_called(&word))
}

/// The kind an object says it is.
pub(super) fn of(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Kinds of `pods,svc` or `all`, in the order asked; the error is kubectl's.
pub(super) fn list(words: &str) -> Result<Vec<&'static Kind>, String> {
    let mut out = Vec::new();
    for word in words.split(',') {
        if word == "all" {
            out.extend(ALL.iter().chain(&["jobs"]).filter_map(|name| find(name)));
            continue;
        }
        out.push(find(word).ok_or_else(|| missing(word))?);
    }
    Ok(out)
}
