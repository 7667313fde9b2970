//! The node, the namespaces and the account every pod runs as, as the API server shows them.

use super::{View, hex_of, object, uid};
use crate::kube::quantity::Quantity;
use crate::kube::tree::{Raise, Tree};
use crate::sim::control::node::Node;
use crate::sim::kubelet::env::NODE_IP;
use crate::sim::world::State;
use crate::time::SimTime;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeSet;

/// The cluster is this much older than the run, in seconds.
const CLUSTER_AGE_SECS: i64 = 6_240;
const VERSION: &str = "v1.36.2";

pub(super) fn all(view: &View, state: &State, namespace: &str) -> Vec<Tree> {
    let mut out: Vec<Tree> = state.nodes.iter().map(|one| node(view, one)).collect();
    let mut namespaces =
        BTreeSet::from(["default", "kube-node-lease", "kube-public", "kube-system"]);
    namespaces.insert(namespace);
    namespaces.extend(state.pods.values().map(|pod| pod.namespace.as_str()));
    namespaces.extend(state.rules.namespaces.keys().map(String::as_str));
    for name in &namespaces {
        let known = state.rules.namespaces.get(*name);
        let born = known.and_then(|known| known.created_at).map(|at| view.stamp(at));
        let mut meta = metadata(view, "namespace", name);
        if let Some(born) = &born {
            meta.put("creationTimestamp", born.clone());
        }
        let label = Tree::of(vec![("kubernetes.io/metadata.name", Tree::from(*name))]);
        meta.put("labels", label);
        if let Some(known) = known {
            meta.put("labels", known.labels.raise());
        }
        let mut one = object("v1", "Namespace", meta);
        let kept = Tree::List(vec![Tree::from("kubernetes")]);
        one.put("spec", Tree::of(vec![("finalizers", kept)]));
        let ends = known.is_some_and(|known| known.terminating);
        let phase = if ends { "Terminating" } else { "Active" };
        one.put("status", Tree::of(vec![("phase", Tree::from(phase))]));
        out.push(one);
        furnish(view, name, born.as_ref(), &mut out);
    }
    out
}

/// What controllers put into each namespace.
// Models pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher (v1.36).
fn furnish(view: &View, namespace: &str, born: Option<&Tree>, out: &mut Vec<Tree>) {
    let mut account = metadata(view, "serviceaccount", "default");
    account.put("namespace", Tree::from(namespace));
    let mut root = metadata(view, "configmap", "kube-root-ca.crt");
    root.put("namespace", Tree::from(namespace));
    if let Some(born) = born {
        account.put("creationTimestamp", born.clone());
        root.put("creationTimestamp", born.clone());
    }
    out.push(object("v1", "ServiceAccount", account));
    let mut certificate = object("v1", "ConfigMap", root);
    let mut data = Tree::map();
    data.put("ca.crt", Tree::from("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"));
    certificate.put("data", data);
    out.push(certificate);
}

fn metadata(view: &View, kind: &str, name: &str) -> Tree {
    let born = super::stamp(view.started - CLUSTER_AGE_SECS);
    let mut labels = Tree::map();
    if kind == "namespace" {
        labels.put("kubernetes.io/metadata.name", Tree::from(name));
    }
    Tree::of(vec![
        ("creationTimestamp", Tree::from(born)),
        ("labels", super::filled(labels)),
        ("name", Tree::from(name)),
        ("resourceVersion", Tree::from("300")),
        ("uid", Tree::from(uid(kind, name, SimTime::ZERO))),
    ])
}

fn node(view: &View, one: &Node) -> Tree {
    let mut meta = metadata(view, "node", &one.name);
    let mut labels = one.labels.raise();
    labels.put("beta.kubernetes.io/arch", Tree::from("amd64"));
    labels.put("beta.kubernetes.io/os", Tree::from("linux"));
    meta.put("labels", labels);
    let mut tree = object("v1", "Node", meta);
    let taint = |taint: &core::Taint| {
        Tree::of(vec![
            ("effect", Tree::from(taint.effect.as_str())),
            ("key", Tree::from(taint.key.as_str())),
            ("value", Tree::from(taint.value.clone())),
        ])
    };
    let mut taints: Vec<Tree> = one.taints.iter().map(taint).collect();
    if one.unschedulable {
        let (key, effect) = ("node.kubernetes.io/unschedulable", "NoSchedule");
        let own = vec![("effect", Tree::from(effect)), ("key", Tree::from(key))];
        taints.push(Tree::of(own));
    }
    let spec = Tree::of(vec![
        ("podCIDR", Tree::from("10.244.0.0/24")),
        ("taints", if taints.is_empty() { Tree::Null } else { Tree::List(taints) }),
        ("unschedulable", if one.unschedulable { Tree::Bool(true) } else { Tree::Null }),
    ]);
    tree.put("spec", spec);
    let amounts = amounts(one);
    let address = |kind: &'static str, text: &str| {
        Tree::of(vec![("address", Tree::from(text)), ("type", Tree::from(kind))])
    };
    let info = [
        ("architecture", "amd64".to_owned()),
        ("bootID", hex_of("boot", 32)),
        ("containerRuntimeVersion", "containerd://2.1.4".to_owned()),
        ("kernelVersion", "6.8.0".to_owned()),
        ("kubeProxyVersion", String::new()),
        ("kubeletVersion", VERSION.to_owned()),
        ("machineID", hex_of("machine", 32)),
        ("operatingSystem", "linux".to_owned()),
        ("osImage", "Podlab".to_owned()),
        ("systemUUID", hex_of("system", 32)),
    ];
    let addresses = vec![address("InternalIP", NODE_IP), address("Hostname", &one.name)];
    tree.put(
        "status",
        Tree::of(vec![
            ("addresses", Tree::List(addresses)),
            ("allocatable", amounts.clone()),
            ("capacity", amounts),
            ("conditions", conditions(view, one)),
            ("nodeInfo", Tree::of(info.map(|(key, text)| (key, Tree::from(text))).to_vec())),
        ]),
    );
    tree
}

fn amounts(one: &Node) -> Tree {
    let mut amounts = Tree::map();
    for (name, amount) in &one.room {
        let text = match name.as_str() {
            "cpu" => Quantity::from_milli(*amount as i64).to_string(),
            "memory" | "ephemeral-storage" => format!("{}Ki", amount >> 10),
            _ => amount.to_string(),
        };
        amounts.put(name.clone(), Tree::from(text));
    }
    for name in ["hugepages-1Gi", "hugepages-2Mi"] {
        amounts.put_new(name, Tree::from("0"));
    }
    amounts
}

const SILENT: &str = "Kubelet stopped posting node status.";

fn conditions(view: &View, node: &Node) -> Tree {
    let ready = node.ready;
    let [memory, disk] = node.pressure.map(|since| since.is_some());
    let since = super::stamp(view.started - CLUSTER_AGE_SECS);
    let list = [
        match memory {
            true => (
                "MemoryPressure",
                "True",
                "KubeletHasInsufficientMemory",
                "kubelet has insufficient memory available",
            ),
            false => (
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
        },
        match disk {
            true => ("DiskPressure", "True", "KubeletHasDiskPressure", "kubelet has disk pressure"),
            false => (
                "DiskPressure",
                "False",
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure",
            ),
        },
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ];
    let one = |(kind, status, reason, message): &(&str, &str, &str, &str)| {
        Tree::of(vec![
            ("lastHeartbeatTime", view.stamp(SimTime::ZERO)),
            ("lastTransitionTime", Tree::from(since.as_str())),
            ("message", Tree::from(if ready { *message } else { SILENT })),
            ("reason", Tree::from(if ready { *reason } else { "NodeStatusUnknown" })),
            ("status", Tree::from(if ready { *status } else { "Unknown" })),
            ("type", Tree::from(*kind)),
        ])
    };
    Tree::List(list.iter().map(one).collect())
}
