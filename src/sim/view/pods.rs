//! Pods as the API server shows them: metadata, the admitted spec, the status.

use super::{View, filled, hex_of, object, show_resources, suffix_of, uid};
use crate::kube::defaults::pod::admit_pod;
use crate::kube::tree::{Raise, Tree};
use crate::order::Order;
use crate::sim::kubelet::env::NODE_IP;
use crate::sim::kubelet::token::TOKEN_DIR;
use crate::sim::model::{Container, Owner, Pod, Status};
use crate::sim::world::State;
use crate::trace::{ContainerStatus, State as Stage, plain};
use k8s_openapi::api::core::v1 as core;

pub(super) fn all(view: &View, state: &State) -> Vec<Tree> {
    let mut pods: Vec<&Pod> = state.pods.values().filter(|pod| !pod.removed).collect();
    pods.order_by(|a, b| (&a.namespace, a.plain()).cmp(&(&b.namespace, b.plain())));
    pods.into_iter().map(|pod| one(view, state, pod)).collect()
}

fn one(view: &View, state: &State, pod: &Pod) -> Tree {
    let mut tree = object("v1", "Pod", metadata(view, state, pod));
    tree.put("spec", spec(pod));
    tree.put("status", status(view, pod));
    tree
}

fn metadata(view: &View, state: &State, pod: &Pod) -> Tree {
    let owner = pod.owner.as_ref().map(|owner| owned_by(view, state, owner));
    let alone = pod.owner.is_none().then_some(&pod.template.source);
    let kept = alone.and_then(|source| source.origins.node("metadata.finalizers"));
    let mut tree = Tree::of(vec![
        ("annotations", filled(pod.template.annotations.raise())),
        ("creationTimestamp", view.stamp(pod.created_at)),
        ("finalizers", kept.map_or(Tree::Null, Tree::of_node)),
        ("generation", Tree::Int(pod.generation)),
        ("labels", filled(labels(state, pod))),
        ("name", Tree::from(pod.plain())),
        ("namespace", Tree::from(pod.namespace.as_str())),
        ("ownerReferences", owner.map_or(Tree::Null, |owner| Tree::List(vec![owner]))),
        ("resourceVersion", Tree::from((1_000 + pod.changed_by.0).to_string())),
        ("uid", Tree::from(pod.uid.as_str())),
    ]);
    if let Some(deletion) = pod.deletion {
        let deadline = deletion.at + crate::time::SimTime::from_secs(deletion.grace_secs);
        tree.put("deletionTimestamp", view.stamp(deadline));
        tree.put("deletionGracePeriodSeconds", Tree::Int(deletion.grace_secs as i64));
    }
    if let Some(Owner { kind, name }) = pod.owner.as_ref().filter(|o| o.kind != "StatefulSet") {
        let name = plain(name);
        let generated = *kind != "Job" || pod.plain().starts_with(name);
        tree.put("generateName", Tree::from(generated.then(|| format!("{name}-"))));
    }
    tree
}

/// Its own labels; pods of a Job carry the Job's uid too.
fn labels(state: &State, pod: &Pod) -> Tree {
    let mut labels = pod.template.labels.raise();
    let job = pod.owner.as_ref().filter(|owner| owner.kind == "Job");
    if let Some(job) = job.and_then(|owner| state.controllers.jobs.get(&owner.name)) {
        let uid = uid(job.meta.kind, &job.meta.name, job.meta.created_at);
        for prefix in ["", "batch.kubernetes.io/"] {
            labels.put(format!("{prefix}controller-uid"), Tree::from(uid.as_str()));
        }
    }
    labels
}

fn owned_by(_view: &View, state: &State, owner: &Owner) -> Tree {
    let all = &state.controllers;
    let name = &owner.name;
    let meta = match owner.kind {
        "ReplicaSet" => all.replicasets.get(name).map(|one| &one.meta),
        "StatefulSet" => all.statefulsets.get(name).map(|one| &one.meta),
        "DaemonSet" => all.daemonsets.get(name).map(|one| &one.meta),
        "Job" => all.jobs.get(name).map(|one| &one.meta),
        _ => None,
    };
    let uid = meta.map(|meta| uid(meta.kind, &meta.name, meta.created_at));
    let api_version = if owner.kind == "Job" { "batch/v1" } else { "apps/v1" };
    reference(api_version, owner.kind, plain(name), uid)
}

pub(super) fn reference(
    api_version: &'static str,
    kind: &str,
    name: &str,
    uid: Option<String>,
) -> Tree {
    Tree::of(vec![
        ("apiVersion", Tree::from(api_version)),
        ("blockOwnerDeletion", Tree::Bool(true)),
        ("controller", Tree::Bool(true)),
        ("kind", Tree::from(kind)),
        ("name", Tree::from(name)),
        ("uid", Tree::from(uid)),
    ])
}

/// The spec as admission leaves it: token volume, tolerations, account.
// Models plugin/pkg/admission/serviceaccount/admission.go mountServiceAccountToken (v1.36).
fn spec(pod: &Pod) -> Tree {
    let mut admitted =
        core::Pod { spec: Some((*pod.template.spec).clone()), ..core::Pod::default() };
    admit_pod(&mut admitted);
    let typed = admitted.spec.unwrap_or_default();
    let mut spec = typed.raise();
    show_resources(&mut spec);
    spec.put_new("enableServiceLinks", Tree::Bool(true));
    spec.put_new("securityContext", Tree::map());
    spec.put("nodeName", Tree::from(pod.node.as_deref()));
    if pod.owner.as_ref().is_some_and(|owner| owner.kind == "DaemonSet") {
        daemon_tolerations(&mut spec);
    }
    if has_token(pod) {
        mount_token(&mut spec, &format!("kube-api-access-{}", suffix_of(&pod.uid, 5)));
    }
    spec
}

// Models pkg/controller/daemon/util/daemonset_util.go AddOrUpdateDaemonPodTolerations (v1.36).
fn daemon_tolerations(spec: &mut Tree) {
    let keys = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    let Some(Tree::List(list)) = spec.get_mut("tolerations") else { return };
    list.retain(|one| one.at("tolerationSeconds").is_null());
    for (key, effect) in keys {
        list.push(Tree::of(vec![
            ("effect", Tree::from(effect)),
            ("key", Tree::from(format!("node.kubernetes.io/{key}"))),
            ("operator", Tree::from("Exists")),
        ]));
    }
}

fn mount_token(spec: &mut Tree, volume: &str) {
    let file = |key: &'static str, path: &'static str| {
        Tree::List(vec![Tree::of(vec![("key", Tree::from(key)), ("path", Tree::from(path))])])
    };
    let token =
        Tree::of(vec![("expirationSeconds", Tree::Int(3_607)), ("path", Tree::from("token"))]);
    let certificate = Tree::of(vec![
        ("items", file("ca.crt", "ca.crt")),
        ("name", Tree::from("kube-root-ca.crt")),
    ]);
    let field = Tree::of(vec![
        ("apiVersion", Tree::from("v1")),
        ("fieldPath", Tree::from("metadata.namespace")),
    ]);
    let namespace = Tree::of(vec![("fieldRef", field), ("path", Tree::from("namespace"))]);
    let downward = Tree::of(vec![("items", Tree::List(vec![namespace]))]);
    let sources = vec![
        Tree::of(vec![("serviceAccountToken", token)]),
        Tree::of(vec![("configMap", certificate)]),
        Tree::of(vec![("downwardAPI", downward)]),
    ];
    let projected =
        Tree::of(vec![("defaultMode", Tree::Int(420)), ("sources", Tree::List(sources))]);
    push(spec, "volumes", Tree::of(vec![("name", Tree::from(volume)), ("projected", projected)]));
    for list in ["containers", "initContainers"] {
        let Some(Tree::List(items)) = spec.get_mut(list) else { continue };
        for one in items {
            let taken = |mount: &Tree| mount.text("mountPath") == TOKEN_DIR;
            if one.get("volumeMounts").items().iter().any(taken) {
                continue;
            }
            let mount = Tree::of(vec![
                ("mountPath", Tree::from(TOKEN_DIR)),
                ("name", Tree::from(volume)),
                ("readOnly", Tree::Bool(true)),
            ]);
            push(one, "volumeMounts", mount);
        }
    }
}

/// Adds to a list that may not be there yet.
fn push(tree: &mut Tree, key: &'static str, item: Tree) {
    match tree.get_mut(key) {
        Some(Tree::List(items)) => items.push(item),
        _ => tree.put(key, Tree::List(vec![item])),
    }
}

fn status(view: &View, pod: &Pod) -> Tree {
    let status = &pod.status;
    let ip = status.has_ip.then_some(pod.ip.as_str());
    let host = pod.node.as_ref().map(|_| NODE_IP);
    // The scheduler tells of the first one.
    let observed = pod.kubelet.observed.max(1);
    let list = |key: &'static str, ip: Option<&str>| {
        ip.map(|ip| Tree::List(vec![Tree::of(vec![(key, Tree::from(ip))])])).unwrap_or_default()
    };
    let statuses = |wanted: fn(&Container) -> bool| {
        let mut mine: Vec<&Container> = pod.containers.iter().filter(|one| wanted(one)).collect();
        if !mine.iter().any(|one| one.is_init()) {
            // Models pkg/kubelet/types SortedContainerStatuses (v1.36).
            mine.order_by_key(|one| one.name.clone());
        }
        let shown = mine.into_iter().filter_map(|one| {
            Some(container_status(view, pod, one, status.containers.get(&one.name)?))
        });
        let shown: Vec<Tree> = shown.collect();
        if shown.is_empty() { Tree::Null } else { Tree::List(shown) }
    };
    let some = |text: &str| if text.is_empty() { Tree::Null } else { Tree::from(text) };
    Tree::of(vec![
        ("conditions", conditions(view, status, observed)),
        ("containerStatuses", statuses(Container::is_main)),
        ("ephemeralContainerStatuses", statuses(Container::is_ephemeral)),
        ("hostIP", Tree::from(host)),
        ("hostIPs", list("ip", host)),
        ("initContainerStatuses", statuses(Container::is_init)),
        ("message", some(&status.message)),
        ("nominatedNodeName", Tree::from(pod.nominated.as_deref())),
        ("observedGeneration", Tree::Int(observed)),
        ("phase", Tree::from(status.phase)),
        ("podIP", Tree::from(ip)),
        ("podIPs", list("ip", ip)),
        ("qosClass", Tree::from(qos(pod))),
        ("reason", some(&status.reason)),
        ("startTime", status.start_time.map_or(Tree::Null, |at| view.stamp(at))),
    ])
}

/// In the order the kubelet writes them, those of others first.
// Models pkg/kubelet/kubelet_pods.go generateAPIPodStatus (v1.36).
fn conditions(view: &View, status: &Status, observed: i64) -> Tree {
    const OWN: [&str; 5] =
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    let mut list: Vec<_> = status.conditions.iter().collect();
    list.order_by_key(|one| OWN.iter().position(|own| *own == one.kind).map_or(0, |i| i + 1));
    let shown = list.into_iter().map(|one| {
        let shown = Tree::of(vec![
            ("lastTransitionTime", view.stamp(one.since)),
            ("message", Tree::from(one.message.clone())),
            ("observedGeneration", Tree::Int(observed)),
            ("reason", Tree::from(one.reason)),
            ("status", Tree::from(if one.status { "True" } else { "False" })),
            ("type", Tree::from(one.kind)),
        ]);
        // Go writes a time that never was as null.
        let mut entries = vec![("lastProbeTime".into(), Tree::Null)];
        entries.extend(shown.entries().iter().cloned());
        Tree::Map(entries)
    });
    Tree::List(shown.collect())
}

fn container_status(view: &View, pod: &Pod, one: &Container, status: &ContainerStatus) -> Tree {
    let was = |stage: &Stage| matches!(stage, Stage::Running { .. } | Stage::Terminated { .. });
    let began = was(&status.state) || status.last.is_some();
    let runs = status.restart_count + u32::from(was(&status.state));
    let id = |n: u32| began.then(|| container_id(pod, one, n));
    let image = one.image();
    let plain = image.split(['@']).next().unwrap_or(image);
    let name = plain.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).map_or(plain, |n| n.0);
    let host = if name.contains('/') { "docker.io" } else { "docker.io/library" };
    let image_id = format!("{host}/{name}@sha256:{}", hex_of(image, 64));
    let full = crate::sim::images::parse(image).map(|parsed| parsed.full());
    let full = full.unwrap_or_else(|_| image.to_owned());
    let resources = one.spec.resources.as_ref().map_or(Tree::map(), Raise::raise);
    let mounts = one.spec.volume_mounts.as_ref().map_or(Tree::Null, Raise::raise);
    Tree::of(vec![
        ("containerID", Tree::from(id(runs).unwrap_or_default())),
        ("allocatedResources", if began { resources.get("requests").clone() } else { Tree::Null }),
        ("image", Tree::from(if began { full.as_str() } else { image })),
        ("imageID", Tree::from(if began { image_id } else { String::new() })),
        (
            "lastState",
            match &status.last {
                Some(last) => stage(view, last, &container_id(pod, one, runs.saturating_sub(1))),
                None => Tree::map(),
            },
        ),
        ("name", Tree::from(&*one.name)),
        ("ready", Tree::Bool(status.ready)),
        ("resources", if began { resources } else { Tree::Null }),
        ("restartCount", Tree::from(status.restart_count)),
        ("started", if one.is_ephemeral() { Tree::Null } else { Tree::Bool(status.started) }),
        ("state", stage(view, &status.state, &id(runs).unwrap_or_default())),
        ("volumeMounts", if one.is_ephemeral() { mounts } else { status_mounts(pod, mounts) }),
    ])
}

/// Whether the account's token is mounted, or will be.
fn has_token(pod: &Pod) -> bool {
    let waits = !pod.kubelet.volumes_begun;
    let opted_out = pod.template.spec.automount_service_account_token == Some(false);
    !opted_out && (waits || pod.kubelet.token.is_some())
}

/// A container's mounts as its status lists them, the token's last.
fn status_mounts(pod: &Pod, written: Tree) -> Tree {
    let mut all: Vec<Tree> = written.items().to_vec();
    let own = all.iter().any(|mount| mount.text("mountPath") == TOKEN_DIR);
    if !own && has_token(pod) {
        all.push(Tree::of(vec![
            ("mountPath", Tree::from(TOKEN_DIR)),
            ("name", Tree::from(format!("kube-api-access-{}", suffix_of(&pod.uid, 5)))),
            ("readOnly", Tree::Bool(true)),
        ]));
    }
    for mount in &mut all {
        if mount.is_true("readOnly") {
            mount.put_new("recursiveReadOnly", Tree::from("Disabled"));
        }
        for gone in ["subPath", "subPathExpr", "mountPropagation"] {
            mount.put(gone, Tree::Null);
        }
    }
    if all.is_empty() { Tree::Null } else { Tree::List(all) }
}

fn container_id(pod: &Pod, one: &Container, run: u32) -> String {
    format!("containerd://{}", hex_of(&format!("{}/{}/{run}", pod.uid, one.name), 64))
}

fn stage(view: &View, stage: &Stage, id: &str) -> Tree {
    let (key, inside) = match stage {
        Stage::Waiting { reason, message } => (
            "waiting",
            vec![("message", Tree::from(message.clone())), ("reason", Tree::from(reason.as_str()))],
        ),
        Stage::Running { started_at } => ("running", vec![("startedAt", view.stamp(*started_at))]),
        Stage::Terminated { reason, exit_code, message, started_at, finished_at } => (
            "terminated",
            vec![
                ("containerID", Tree::from(id)),
                ("exitCode", Tree::Int(i64::from(*exit_code))),
                ("finishedAt", view.stamp(*finished_at)),
                ("message", Tree::from(message.clone())),
                ("reason", Tree::from(reason.as_str())),
                ("startedAt", view.stamp(*started_at)),
            ],
        ),
    };
    Tree::of(vec![(key, Tree::of(inside))])
}

/// Models pkg/apis/core/v1/helper/qos/qos.go ComputePodQOS (v1.36).
fn qos(pod: &Pod) -> &'static str {
    let (mut any, mut guaranteed) = (false, true);
    for one in pod.containers.iter() {
        let resources = one.spec.resources.as_ref();
        let amount = |limits: bool, name: &str| {
            let table = resources
                .and_then(|r| if limits { r.limits.as_ref() } else { r.requests.as_ref() });
            table.and_then(|t| t.get(name)).and_then(crate::kube::quantity::Quantity::of)
        };
        for name in ["cpu", "memory"] {
            let (limit, request) = (amount(true, name), amount(false, name));
            let is_zero =
                |q: Option<crate::kube::quantity::Quantity>| q.is_none_or(|q| q.is_zero());
            any |= !is_zero(limit) || !is_zero(request);
            let same = request.is_none_or(|r| limit.is_some_and(|l| l.milli() == r.milli()));
            guaranteed &= !is_zero(limit) && same;
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
