//! Services, their endpoints, ConfigMaps, Secrets, claims and what else was applied, as the API
//! server shows them.

use super::{View, filled, object, suffix_of, uid};
use crate::kube::tree::{Raise, Tree};
use crate::kube::{Kind, Object};
use crate::sim::Scenario;
use crate::sim::control::{Meta, Service, budget, ingress};
use crate::sim::world::{Config, State};
use crate::time::SimTime;
use k8s_openapi::ByteString;

pub(super) fn all(view: &View, state: &State, scenario: &Scenario) -> Vec<Tree> {
    let mut out = Vec::new();
    for service in state.controllers.services.values() {
        out.push(one_service(view, state, service));
        if service.spec.selector.is_some() {
            out.push(endpoints(view, state, service));
            out.push(slice(view, state, service));
        }
    }
    for ((kind, namespace, name), config) in &state.configs {
        out.push(one_config(view, state, (kind, namespace, name), config));
    }
    out.extend(state.storage.claims.values().map(|claim| one_claim(view, state, &claim.meta)));
    let mut kept: Vec<Tree> =
        state.applied.values().filter_map(|one| other(view, state, scenario, one)).collect();
    kept.iter_mut().for_each(|one| budget_status(state, one));
    kept.iter_mut().for_each(|one| ingress_status(state, one));
    out.extend(kept);
    out
}

// Models pkg/registry/core/service/storage alloc of addresses (v1.36), as far as it is seen.
fn one_service(view: &View, state: &State, service: &Service) -> Tree {
    let mut spec = service.spec.raise();
    let external = spec.text("type") == "ExternalName";
    if !external {
        let ip = Tree::from(service.ip.as_deref().unwrap_or("None"));
        spec.put("clusterIP", ip.clone());
        spec.put("clusterIPs", Tree::List(vec![ip]));
        spec.put_new("internalTrafficPolicy", Tree::from("Cluster"));
        spec.put_new("ipFamilies", Tree::List(vec![Tree::from("IPv4")]));
        spec.put_new("ipFamilyPolicy", Tree::from("SingleStack"));
    }
    spec.put_new("sessionAffinity", Tree::from("None"));
    spec.put_new("type", Tree::from("ClusterIP"));
    if let Some(Tree::List(ports)) = spec.get_mut("ports") {
        for port in ports {
            let number = port.get("port").clone();
            port.put_new("targetPort", number);
            port.put_new("protocol", Tree::from("TCP"));
        }
    }
    let mut tree = object("v1", "Service", view.metadata(state, &service.meta));
    tree.put("spec", spec);
    tree.put("status", Tree::of(vec![("loadBalancer", Tree::map())]));
    tree
}

fn shown(service: &Service) -> (&[String], &[String]) {
    service.shown.as_ref().map_or((&[], &[]), |(ready, not_ready)| (ready, not_ready))
}

/// Addresses and ports of `10.244.0.5:8080` items, in order, each once.
fn split(items: &[String]) -> (Vec<&str>, Vec<i64>) {
    let (mut ips, mut ports) = (Vec::new(), Vec::new());
    for item in items {
        let (ip, port) = item.rsplit_once(':').unwrap_or((item, ""));
        if !ips.contains(&ip) {
            ips.push(ip);
        }
        if let Ok(port) = port.parse::<i64>()
            && !ports.contains(&port)
        {
            ports.push(port);
        }
    }
    (ips, ports)
}

fn own_metadata(view: &View, state: &State, service: &Service, kind: &str) -> Tree {
    let mut metadata = view.metadata(state, &service.meta);
    metadata.put("uid", Tree::from(uid(kind, &service.meta.name, service.meta.created_at)));
    metadata
}

fn endpoints(view: &View, state: &State, service: &Service) -> Tree {
    let (ready, not_ready) = shown(service);
    let ((ips, mut ports), (waiting, more)) = (split(ready), split(not_ready));
    ports.extend(more.into_iter().filter(|_| ips.is_empty()));
    let list = |ips: Vec<&str>| {
        let one = |ip: &str| Tree::of(vec![("ip", Tree::from(ip))]);
        if ips.is_empty() { Tree::Null } else { Tree::List(ips.into_iter().map(one).collect()) }
    };
    let subset = Tree::of(vec![
        ("addresses", list(ips)),
        ("notReadyAddresses", list(waiting)),
        ("ports", port_trees(service, &ports)),
    ]);
    let mut tree = object("v1", "Endpoints", own_metadata(view, state, service, "endpoints"));
    if !ready.is_empty() || !not_ready.is_empty() {
        tree.put("subsets", Tree::List(vec![subset]));
    }
    tree
}

/// The ports behind a Service with the names the Service gives them.
fn port_trees(service: &Service, ports: &[i64]) -> Tree {
    let named = service.spec.ports.as_deref().unwrap_or_default();
    let one = |(i, port): (usize, &i64)| {
        let of = named.get(i);
        Tree::of(vec![
            ("name", Tree::from(of.and_then(|p| p.name.clone()))),
            ("port", Tree::Int(*port)),
            ("protocol", Tree::from(of.and_then(|p| p.protocol.as_deref()).unwrap_or("TCP"))),
        ])
    };
    Tree::List(ports.iter().enumerate().map(one).collect())
}

// Models staging/src/k8s.io/endpointslice/reconciler.go (v1.36), one slice a Service.
fn slice(view: &View, state: &State, service: &Service) -> Tree {
    let (ready, not_ready) = shown(service);
    let mut all: Vec<Tree> = Vec::new();
    let mut ports = Vec::new();
    for (items, is_ready) in [(ready, true), (not_ready, false)] {
        let (ips, some) = split(items);
        ports = if ports.is_empty() { some } else { ports };
        for ip in ips {
            let pod = state.pods.values().find(|pod| pod.ip == ip && !pod.removed);
            let gone = pod.is_some_and(|pod| pod.deletion.is_some());
            let serving = is_ready || pod.is_some_and(|pod| pod.is_ready());
            let conditions = Tree::of(vec![
                ("ready", Tree::Bool(is_ready)),
                ("serving", Tree::Bool(serving)),
                ("terminating", Tree::Bool(gone)),
            ]);
            let target = pod.map(|pod| {
                Tree::of(vec![("kind", Tree::from("Pod")), ("name", Tree::from(pod.plain()))])
            });
            all.push(Tree::of(vec![
                ("addresses", Tree::List(vec![Tree::from(ip)])),
                ("conditions", conditions),
                ("targetRef", target.unwrap_or_default()),
            ]));
        }
    }
    let mut metadata = own_metadata(view, state, service, "endpointslice");
    let name = format!("{}-{}", service.meta.plain(), suffix_of(&service.meta.name, 5));
    metadata.put("name", Tree::from(name));
    let mut labels = metadata.get("labels").clone();
    labels.put("kubernetes.io/service-name", Tree::from(service.meta.plain()));
    metadata.put("labels", labels);
    let mut tree = object("discovery.k8s.io/v1", "EndpointSlice", metadata);
    tree.put("addressType", Tree::from("IPv4"));
    tree.put("endpoints", Tree::List(all));
    tree.put("ports", port_trees(service, &ports));
    tree
}

/// What an object's manifest says under `metadata`, as far as it is kept.
fn written_metadata(view: &View, state: &State, kind: &str, name: &str, at: SimTime) -> Tree {
    let mut all = state.applied.iter();
    let found = all.find(|((of, _, own), _)| of == kind && own == name).map(|(_, one)| one);
    let root = found.and_then(|one| one.origins.root.as_deref());
    let mut metadata =
        root.and_then(|root| root.get("metadata")).map_or(Tree::map(), Tree::of_node);
    metadata.put("name", Tree::from(name));
    metadata.put("creationTimestamp", view.stamp(at));
    metadata.put("resourceVersion", Tree::from("1000"));
    metadata.put("uid", Tree::from(uid(kind, name, at)));
    metadata
}

fn one_config(
    view: &View,
    state: &State,
    (kind, namespace, name): (&str, &str, &str),
    config: &Config,
) -> Tree {
    let secret = kind == "secret";
    let mut metadata = written_metadata(view, state, kind, name, config.created_at);
    metadata.put("namespace", Tree::from(namespace));
    let (mut data, mut binary) = (Tree::map(), Tree::map());
    for (key, value) in &config.data {
        match std::str::from_utf8(value) {
            Ok(text) if !secret => data.put(key.clone(), Tree::from(text)),
            _ if secret => data.put(key.clone(), ByteString(value.clone()).raise()),
            _ => binary.put(key.clone(), ByteString(value.clone()).raise()),
        }
    }
    let mut tree = object("v1", if secret { "Secret" } else { "ConfigMap" }, metadata);
    tree.put("data", filled(data));
    tree.put("binaryData", filled(binary));
    if secret {
        let written = state.applied.values().find_map(|one| match &one.kind {
            Kind::Secret(secret) if one.name() == name => secret.type_.clone(),
            _ => None,
        });
        tree.put("type", Tree::from(written.unwrap_or_else(|| "Opaque".to_owned())));
    }
    tree
}

/// A claim: what its table shows.
fn one_claim(view: &View, state: &State, meta: &Meta) -> Tree {
    let cell = |idx: usize| match meta.row.get(idx).map_or("", String::as_str) {
        "" => Tree::Null,
        text => Tree::from(text),
    };
    let node = meta.source.origins.node("spec.accessModes");
    let spec = Tree::of(vec![
        ("accessModes", node.map_or(Tree::Null, Tree::of_node)),
        ("resources", meta.source.origins.node("spec.resources").map_or(Tree::Null, Tree::of_node)),
        ("storageClassName", cell(4)),
        ("volumeMode", Tree::from("Filesystem")),
        ("volumeName", cell(1)),
    ]);
    let capacity = Tree::of(vec![("storage", cell(2))]);
    let mut status = Tree::of(vec![("phase", cell(0))]);
    if !capacity.get("storage").is_null() {
        status.put("capacity", capacity);
    }
    let mut tree = object("v1", "PersistentVolumeClaim", view.metadata(state, meta));
    tree.put("spec", spec);
    tree.put("status", status);
    tree
}

/// Objects the simulation only keeps: as they were written.
fn other(view: &View, state: &State, scenario: &Scenario, one: &Object) -> Option<Tree> {
    let own = ["Node", "Namespace", "HorizontalPodAutoscaler"].contains(&one.kind.name());
    let kept = matches!(one.kind, Kind::Other { .. }) && !own;
    let root = one.origins.root.as_deref().filter(|_| kept)?;
    let mut tree = Tree::of_node(root);
    let (name, kind) = (one.name(), one.kind.name().to_ascii_lowercase());
    let mut metadata = written_metadata(view, state, &kind, name, SimTime::ZERO);
    if one.namespace().is_some() || metadata.get("namespace").is_null() {
        metadata.put("namespace", Tree::from(one.namespace().unwrap_or(&scenario.namespace)));
    }
    tree.put("metadata", metadata);
    Some(tree)
}

/// The address the ingress controller writes into an Ingress.
fn ingress_status(state: &State, tree: &mut Tree) {
    let metadata = tree.get("metadata");
    let (namespace, name) = (metadata.text("namespace"), metadata.text("name"));
    let ours = tree.text("kind") == "Ingress";
    let at = ours.then(|| ingress::address(state, namespace, name)).flatten();
    let Some(at) = at else { return };
    let one = Tree::List(vec![Tree::of(vec![("ip", Tree::from(at))])]);
    let balancer = Tree::of(vec![("ingress", one)]);
    tree.put("status", Tree::of(vec![("loadBalancer", balancer)]));
}

/// What the disruption controller writes into a budget.
fn budget_status(state: &State, tree: &mut Tree) {
    let metadata = tree.get("metadata");
    let (namespace, name) = (metadata.text("namespace"), metadata.text("name"));
    let of_kind = tree.text("kind") == "PodDisruptionBudget";
    let status = of_kind.then(|| budget::status(state, namespace, name)).flatten();
    let Some([allowed, healthy, desired, expected]) = status else { return };
    let number = |n: u32| Tree::Int(n.into());
    let status = vec![
        ("currentHealthy", number(healthy)),
        ("desiredHealthy", number(desired)),
        ("disruptionsAllowed", number(allowed)),
        ("expectedPods", number(expected)),
        ("observedGeneration", Tree::Int(1)),
    ];
    tree.put("status", Tree::of(status));
}
