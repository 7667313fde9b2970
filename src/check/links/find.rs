//! The places of a manifest in which names are given and used, as tables of paths. Not what is
//! done with them.

use super::{Place, Symbol};
use crate::check::cursor::At;
use crate::check::hazards;
use crate::check::rules::selector;
use crate::yaml::Node;

/// In a pod's spec: a path, `*` for each item of a list, and the kind of object it names.
const OF_PODS: &[(&str, &str)] = &[
    ("volumes.*.configMap.name", "ConfigMap"),
    ("volumes.*.secret.secretName", "Secret"),
    ("volumes.*.persistentVolumeClaim.claimName", "PersistentVolumeClaim"),
    ("volumes.*.projected.sources.*.configMap.name", "ConfigMap"),
    ("volumes.*.projected.sources.*.secret.name", "Secret"),
    ("imagePullSecrets.*.name", "Secret"),
    ("serviceAccountName", "ServiceAccount"),
    ("serviceAccount", "ServiceAccount"),
    ("priorityClassName", "PriorityClass"),
    ("runtimeClassName", "RuntimeClass"),
];

/// In a container.
const OF_CONTAINERS: &[(&str, &str)] = &[
    ("envFrom.*.configMapRef.name", "ConfigMap"),
    ("envFrom.*.secretRef.name", "Secret"),
    ("env.*.valueFrom.configMapKeyRef.name", "ConfigMap"),
    ("env.*.valueFrom.secretKeyRef.name", "Secret"),
];

/// In other objects: kind, path, kind named; "" where the neighbouring `kind` says it.
const OF_OBJECTS: &[(&str, &str, &str)] = &[
    ("Ingress", "spec.tls.*.secretName", "Secret"),
    ("Ingress", "spec.defaultBackend.service.name", "Service"),
    ("Ingress", "spec.rules.*.http.paths.*.backend.service.name", "Service"),
    ("Ingress", "spec.ingressClassName", "IngressClass"),
    ("StatefulSet", "spec.serviceName", "Service"),
    ("StatefulSet", "spec.volumeClaimTemplates.*.spec.storageClassName", "StorageClass"),
    ("PersistentVolumeClaim", "spec.storageClassName", "StorageClass"),
    ("PersistentVolumeClaim", "spec.volumeName", "PersistentVolume"),
    ("HorizontalPodAutoscaler", "spec.scaleTargetRef.name", ""),
    ("RoleBinding", "subjects.*.name", ""),
    ("RoleBinding", "roleRef.name", ""),
    ("ClusterRoleBinding", "subjects.*.name", ""),
    ("ClusterRoleBinding", "roleRef.name", ""),
    ("ServiceAccount", "imagePullSecrets.*.name", "Secret"),
];

/// Lists that name keys of an object: path of the map, name in it, keys in it, kind.
const KEYS_OF_PODS: &[(&str, &str, &str, &str)] = &[
    ("volumes.*.configMap", "name", "items.*.key", "ConfigMap"),
    ("volumes.*.secret", "secretName", "items.*.key", "Secret"),
    ("volumes.*.projected.sources.*.configMap", "name", "items.*.key", "ConfigMap"),
    ("volumes.*.projected.sources.*.secret", "name", "items.*.key", "Secret"),
];
const KEYS_OF_CONTAINERS: &[(&str, &str, &str, &str)] = &[
    ("env.*.valueFrom.configMapKeyRef", "name", "key", "ConfigMap"),
    ("env.*.valueFrom.secretKeyRef", "name", "key", "Secret"),
];

/// Selectors over pods' labels in objects, and in a pod's spec.
const SELECTORS: &[&str] = &[
    "spec.selector.matchLabels",
    "spec.podSelector.matchLabels",
    "spec.ingress.*.from.*.podSelector.matchLabels",
    "spec.egress.*.to.*.podSelector.matchLabels",
];
const SELECTORS_OF_PODS: &[&str] = &[
    "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.*.labelSelector.matchLabels",
    "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.*.labelSelector.matchLabels",
    "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution.*.podAffinityTerm.labelSelector.matchLabels",
    "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.*.podAffinityTerm.labelSelector.matchLabels",
    "topologySpreadConstraints.*.labelSelector.matchLabels",
];

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
const PORTS_ASKED: [&str; 10] = [
    "livenessProbe.httpGet.port",
    "livenessProbe.tcpSocket.port",
    "readinessProbe.httpGet.port",
    "readinessProbe.tcpSocket.port",
    "startupProbe.httpGet.port",
    "startupProbe.tcpSocket.port",
    "lifecycle.postStart.httpGet.port",
    "lifecycle.postStart.tcpSocket.port",
    "lifecycle.preStop.httpGet.port",
    "lifecycle.preStop.tcpSocket.port",
];

/// Kinds whose objects belong to no namespace.
const OF_CLUSTER: [&str; 7] = [
    "ClusterRole",
    "IngressClass",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
];

/// All values at a path; `*` goes through a list.
fn each<'a>(at: &At<'a>, path: &str) -> Vec<At<'a>> {
    let mut found = vec![at.clone()];
    for step in path.split('.') {
        found = match step {
            "*" => found.iter().flat_map(At::items).collect(),
            key => found.iter().map(|at| at.field(key)).filter(At::here).collect(),
        };
    }
    found
}

struct Finder {
    found: Vec<Place>,
}

impl Finder {
    fn add(&mut self, what: &str, owner: &str, at: &At, is_definition: bool) {
        let Some(name) = at.node.and_then(Node::as_str).filter(|name| !name.is_empty()) else {
            return;
        };
        let (what, owner, name) = (what.to_owned(), owner.to_owned(), name.to_owned());
        let span = at.node.map_or(at.span, |node| node.span);
        self.found.push(Place { symbol: Symbol { what, owner, name }, span, is_definition });
    }

    fn named(&mut self, kind: &str, space: &str, at: &At) {
        self.add(kind, if OF_CLUSTER.contains(&kind) { "" } else { space }, at, false);
    }

    fn keys(&mut self, at: &At, space: &str, table: &[(&str, &str, &str, &str)]) {
        for (path, name, keys, kind) in table {
            for source in each(at, path) {
                let owner = format!("{space}/{kind}/{}", source.str_of(name));
                for key in each(&source, keys) {
                    self.add("key", &owner, &key, false);
                }
            }
        }
    }

    /// `is_definition`: these are the labels of pods.
    fn labels(&mut self, at: &At, space: &str, is_definition: bool) {
        for (entry, value) in at.entries() {
            self.add("label", &format!("{space}/{}", entry.key), &value, is_definition);
        }
    }

    fn pod(&mut self, id: &str, space: &str, spec: &At) {
        for (path, kind) in OF_PODS {
            each(spec, path).iter().for_each(|at| self.named(kind, space, at));
        }
        self.keys(spec, space, KEYS_OF_PODS);
        for at in each(spec, "volumes.*.name") {
            self.add("volume", id, &at, true);
        }
        for at in each(spec, "volumes.*.downwardAPI.items.*.resourceFieldRef.containerName") {
            self.add("container", id, &at, false);
        }
        for path in SELECTORS_OF_PODS {
            each(spec, path).iter().for_each(|at| self.labels(at, space, false));
        }
        for one in CONTAINERS.iter().flat_map(|list| spec.get(list).items()) {
            self.container(id, space, &one);
        }
    }

    fn container(&mut self, id: &str, space: &str, one: &At) {
        self.add("container", id, &one.get("name"), true);
        self.add("container", id, &one.get("targetContainerName"), false);
        for (path, kind) in OF_CONTAINERS {
            each(one, path).iter().for_each(|at| self.named(kind, space, at));
        }
        self.keys(one, space, KEYS_OF_CONTAINERS);
        for path in ["volumeMounts.*.name", "volumeDevices.*.name"] {
            each(one, path).iter().for_each(|at| self.add("volume", id, at, false));
        }
        for at in each(one, "env.*.valueFrom.resourceFieldRef.containerName") {
            self.add("container", id, &at, false);
        }
        each(one, "ports.*.name").iter().for_each(|at| self.add("port", id, at, true));
        for path in PORTS_ASKED {
            each(one, path).iter().for_each(|at| self.add("port", id, at, false));
        }
    }

    fn object(&mut self, root: &At) {
        let kind = root.str_of("kind");
        let space = root.str_of("metadata.namespace");
        let name = root.get("metadata.name");
        self.add(kind, if OF_CLUSTER.contains(&kind) { "" } else { space }, &name, true);
        self.add("Namespace", "", &root.get("metadata.namespace"), false);
        for (_, path, named) in OF_OBJECTS.iter().filter(|(of, ..)| *of == kind) {
            let Some((holder, last)) = path.rsplit_once('.') else { continue };
            for holder in each(root, holder) {
                let named = if named.is_empty() { holder.str_of("kind") } else { named };
                self.named(named, space, &holder.get(last));
            }
        }
        if kind == "Service" {
            self.labels(&root.get("spec.selector"), space, false);
            let owner = format!("{space}/{}", name.str());
            for at in each(root, "spec.ports.*.name") {
                self.add("service port", &owner, &at, true);
            }
        } else {
            for path in SELECTORS {
                each(root, path).iter().for_each(|at| self.labels(at, space, false));
            }
        }
        if ["ConfigMap", "Secret"].contains(&kind) {
            self.data(root, &format!("{space}/{kind}/{}", name.str()));
        }
        if kind == "Ingress" {
            let paths =
                ["spec.defaultBackend.service", "spec.rules.*.http.paths.*.backend.service"];
            for service in paths.iter().flat_map(|path| each(root, path)) {
                let owner = format!("{space}/{}", service.str_of("name"));
                self.add("service port", &owner, &service.get("port.name"), false);
            }
        }
    }

    fn data(&mut self, root: &At, owner: &str) {
        for list in ["data", "stringData", "binaryData"] {
            for (entry, _) in root.get(list).entries() {
                let symbol = Symbol {
                    what: "key".to_owned(),
                    owner: owner.to_owned(),
                    name: entry.key.clone(),
                };
                self.found.push(Place { symbol, span: entry.key_span, is_definition: true });
            }
        }
    }
}

/// All places, in the order of the text's objects.
pub(super) fn places(roots: &[&Node]) -> Vec<Place> {
    let mut finder = Finder { found: Vec::new() };
    let objects: Vec<At> = roots.iter().map(|root| At::root(root)).collect();
    for (i, root) in objects.iter().enumerate() {
        finder.object(root);
        let Some(pod) = hazards::pod_of(root) else { continue };
        let (id, space) = (i.to_string(), root.str_of("metadata.namespace"));
        finder.labels(&pod.labels, space, true);
        finder.pod(&id, space, &pod.spec);
        for at in each(root, "spec.volumeClaimTemplates.*.metadata.name") {
            finder.add("volume", &id, &at, true);
        }
        for at in each(root, "spec.podFailurePolicy.rules.*.onExitCodes.containerName") {
            finder.add("container", &id, &at, false);
        }
        services(&objects, &pod, (&id, space), &mut finder);
    }
    finder.found
}

/// Services send to ports of the pods they select by the ports' names.
fn services(objects: &[At], pod: &hazards::Pod, (id, space): (&str, &str), finder: &mut Finder) {
    for service in objects.iter().filter(|o| o.str_of("kind") == "Service") {
        let wanted = service.get("spec.selector");
        let near = service.str_of("metadata.namespace") == space;
        if near && wanted.len() > 0 && selector::matches_labels(&wanted, &pod.labels) {
            for at in each(service, "spec.ports.*.targetPort") {
                finder.add("port", id, &at, false);
            }
        }
    }
}
