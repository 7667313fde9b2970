//! How checks walk over a pod and put what they find into words. Not the checks.

use super::Violation;
use k8s_openapi::api::core::v1 as core;
use std::collections::{BTreeMap, BTreeSet};

/// A pod to be looked at, as of a minor version. Ephemeral containers can't be part of a new pod.
pub(super) struct Pod<'a> {
    pub(super) annotations: &'a BTreeMap<String, String>,
    pub(super) spec: &'a core::PodSpec,
    pub(super) security: core::PodSecurityContext,
    pub(super) minor: u32,
    /// Init containers first, with their paths.
    containers: Vec<(String, &'a core::Container)>,
}

impl<'a> Pod<'a> {
    pub(super) fn new(
        annotations: &'a BTreeMap<String, String>,
        spec: &'a core::PodSpec,
        minor: u32,
    ) -> Pod<'a> {
        let inits = spec.init_containers.iter().flatten().enumerate();
        let inits = inits.map(|(i, c)| (format!("spec.initContainers[{i}]"), c));
        let mains = spec.containers.iter().enumerate();
        let mains = mains.map(|(i, c)| (format!("spec.containers[{i}]"), c));
        let containers = inits.chain(mains).collect();
        let security = spec.security_context.clone().unwrap_or_default();
        Pod { annotations, spec, security, minor, containers }
    }

    pub(super) fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }

    /// In a user namespace of its own, root is nobody outside.
    pub(super) fn has_own_users(&self) -> bool {
        self.spec.host_users == Some(false)
    }

    /// The containers about which `bad` is true; `field` is where in them that is written.
    pub(super) fn those(&self, field: &str, bad: impl Fn(&core::Container) -> bool) -> Found {
        let mut found = Found::default();
        for (path, container) in self.containers.iter().filter(|(_, c)| bad(c)) {
            found.names.push(container.name.clone());
            found.paths.push(format!("{path}.{field}"));
        }
        found
    }

    /// All values containers have at some place.
    pub(super) fn values<T: Ord>(&self, of: impl Fn(&core::Container) -> Vec<T>) -> BTreeSet<T> {
        self.containers.iter().flat_map(|(_, c)| of(c)).collect()
    }
}

/// A container's own security settings; an absent block is an empty one.
pub(super) fn security(container: &core::Container) -> core::SecurityContext {
    container.security_context.clone().unwrap_or_default()
}

/// Containers and where in the manifest they are wrong.
#[derive(Default)]
pub(super) struct Found {
    pub(super) names: Vec<String>,
    pub(super) paths: Vec<String>,
}

impl Found {
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// `containers "a", "b"`.
    pub(super) fn words(&self) -> String {
        format!("{} {}", plural("container", "containers", self.names.len()), quoted(&self.names))
    }

    /// `pod and container "a"`: whoever sets something wrong.
    pub(super) fn with_pod(&self, pod: bool) -> String {
        let pod = pod.then(|| "pod".to_owned());
        let own = (!self.is_empty()).then(|| self.words());
        pod.into_iter().chain(own).collect::<Vec<_>>().join(" and ")
    }
}

pub(super) fn violation(
    reason: &str,
    detail: String,
    paths: impl IntoIterator<Item = String>,
) -> Option<Violation> {
    let paths = paths.into_iter().collect();
    Some(Violation { reason: reason.to_owned(), detail, paths })
}

/// The paths of containers, with the pod's own field where it is wrong as well.
pub(super) fn places(pod: Option<&str>, found: Found) -> Vec<String> {
    pod.map(str::to_owned).into_iter().chain(found.paths).collect()
}

pub(super) fn plural<'a>(one: &'a str, many: &'a str, n: usize) -> &'a str {
    if n == 1 { one } else { many }
}

/// `"a", "b"`.
pub(super) fn quoted<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let quoted = items.into_iter().map(|item| format!("\"{}\"", item.as_ref()));
    quoted.collect::<Vec<_>>().join(", ")
}
