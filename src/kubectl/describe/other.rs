//! `kubectl describe` of Services, ConfigMaps, Secrets, nodes and kinds that are only kept.

use super::tabs::Page;
use super::{annotations, clock, head, labels, list_events, or, tags};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::{kinds, select};

pub(super) fn describe(
    cluster: &Cluster,
    kind: &str,
    mut page: Page,
    one: &Tree,
    events: Option<&[&Tree]>,
) -> String {
    let page_ref = &mut page;
    match kind {
        "Service" => service(cluster, page_ref, one),
        "ConfigMap" => config_map(page_ref, one),
        "Secret" => {
            secret(page_ref, one);
            return page.finish();
        }
        "Node" => node(cluster, page_ref, one),
        "Namespace" => {
            page.field(0, "Name", one.text("metadata.name"));
            tags(&mut page, one);
            page.field(0, "Status", one.text("status.phase"));
            page.line(0, "\nNo resource quota.\n\nNo LimitRange resource.");
            return page.finish();
        }
        _ => generic(page_ref, one),
    }
    if let Some(events) = events {
        list_events(cluster, &mut page, events);
    }
    page.finish()
}

/// Models describeService.
fn service(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let spec = one.get("spec");
    head(page, one);
    tags(page, one);
    page.field(0, "Selector", &select::show_map(spec.get("selector")));
    page.field(0, "Type", spec.text("type"));
    if !spec.text("ipFamilyPolicy").is_empty() {
        page.field(0, "IP Family Policy", spec.text("ipFamilyPolicy"));
    }
    let joined = |key: &str| {
        let all: Vec<&str> = spec.get(key).items().iter().map(Tree::str).collect();
        all.join(",")
    };
    page.field(0, "IP Families", or(&joined("ipFamilies"), "<none>"));
    page.field(0, "IP", spec.text("clusterIP"));
    page.field(0, "IPs", or(&joined("clusterIPs"), "<none>"));
    if !spec.get("externalIPs").items().is_empty() {
        page.field(0, "External IPs", &joined("externalIPs"));
    }
    if !spec.text("externalName").is_empty() {
        page.field(0, "External Name", spec.text("externalName"));
    }
    for port in spec.get("ports").items() {
        let (name, protocol) = (or(port.text("name"), "<unset>"), port.text("protocol"));
        page.put(0, format_args!("Port:\t{name}\t{}/{protocol}\n", port.int("port")));
        let target = port.get("targetPort").show();
        page.put(0, format_args!("TargetPort:\t{target}/{protocol}\n"));
        if port.int("nodePort") != 0 {
            page.put(0, format_args!("NodePort:\t{name}\t{}/{protocol}\n", port.int("nodePort")));
        }
        page.field(0, "Endpoints", &behind(cluster, one, port.text("name")));
    }
    page.field(0, "Session Affinity", spec.text("sessionAffinity"));
    for (label, key) in [
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
    ] {
        if !spec.text(key).is_empty() {
            page.field(0, label, spec.text(key));
        }
    }
}

/// Ready addresses of one port. Models formatEndpointSlices.
pub(super) fn behind(cluster: &Cluster, service: &Tree, port: &str) -> String {
    let namespace = service.text("metadata.namespace");
    let mine = |slice: &&Tree| {
        let of = slice.at("metadata.labels").get("kubernetes.io/service-name");
        of.str() == service.text("metadata.name")
    };
    let slices = kinds::of("EndpointSlice").map(|kind| cluster.list(kind, Some(namespace)));
    let mut slices = slices.into_iter().flatten().filter(mine).peekable();
    if slices.peek().is_none() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for slice in slices {
        let ready = |e: &&Tree| e.is_true("conditions.ready");
        for one in slice.get("ports").items().iter().filter(|one| one.text("name") == port) {
            for end in slice.get("endpoints").items().iter().filter(ready) {
                all.push(format!("{}:{}", end.text("addresses.0"), one.int("port")));
            }
        }
    }
    let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    match all.len() {
        0..=3 => shown,
        n => format!("{shown} + {} more...", n - 3),
    }
}

/// Bytes a base64 text stands for.
fn decoded_len(text: &str) -> usize {
    text.trim_end_matches('=').len() * 3 / 4
}

fn config_map(page: &mut Page, one: &Tree) {
    head(page, one);
    tags(page, one);
    page.line(0, "\nData\n====");
    for (key, value) in one.get("data").entries() {
        page.put(0, format_args!("{key}:\n----\n{}\n\n", value.str()));
    }
    page.line(0, "\nBinaryData\n====");
    for (key, value) in one.get("binaryData").entries() {
        page.put(0, format_args!("{key}: {} bytes\n", decoded_len(value.str())));
    }
    page.line(0, "");
}

fn secret(page: &mut Page, one: &Tree) {
    head(page, one);
    tags(page, one);
    page.put(0, format_args!("\nType:\t{}\n\nData\n====\n", one.text("type")));
    for (key, value) in one.get("data").entries() {
        page.put(0, format_args!("{key}:\t{} bytes\n", decoded_len(value.str())));
    }
}

/// Models describeNode, without what pods ask of it in percent beyond CPU and memory.
fn node(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let status = one.get("status");
    page.field(0, "Name", one.text("metadata.name"));
    page.field(0, "Roles", "<none>");
    labels(page, "", "Labels", one.at("metadata.labels"));
    annotations(page, "Annotations", one.at("metadata.annotations"));
    let born = clock::written(one.text("metadata.creationTimestamp"));
    page.field(0, "CreationTimestamp", &born);
    taints(page, one.at("spec.taints").items());
    page.field(0, "Unschedulable", &one.is_true("spec.unschedulable").to_string());
    page.line(
        0,
        "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage",
    );
    page.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
    for one in status.get("conditions").items() {
        let [beat, since] =
            ["lastHeartbeatTime", "lastTransitionTime"].map(|key| clock::written(one.text(key)));
        let [kind, status, reason, message] =
            ["type", "status", "reason", "message"].map(|key| one.text(key));
        let line = format_args!("{kind} \t{status} \t{beat} \t{since} \t{reason} \t{message}\n");
        page.put(1, line);
    }
    page.line(0, "Addresses:");
    for address in status.get("addresses").items() {
        page.field(1, address.text("type"), address.text("address"));
    }
    for (title, key) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        page.put(0, format_args!("{title}:\n"));
        for (name, amount) in status.get(key).entries() {
            page.field(1, name, amount.str());
        }
    }
    page.line(0, "System Info:");
    for (label, key) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        page.field(1, label, status.at("nodeInfo").text(key));
    }
    if !one.text("spec.podCIDR").is_empty() {
        page.field(0, "PodCIDR", one.text("spec.podCIDR"));
        page.field(0, "PodCIDRs", one.text("spec.podCIDR"));
    }
    load(cluster, page, one);
}

fn taints(page: &mut Page, all: &[Tree]) {
    page.put(0, format_args!("Taints:\t"));
    if all.is_empty() {
        page.line(0, "<none>");
    }
    for (i, taint) in all.iter().enumerate() {
        let value = match taint.text("value") {
            "" => String::new(),
            value => format!("={value}"),
        };
        let lead = if i == 0 { "" } else { "\t" };
        page.put(0, format_args!("{lead}{}{value}:{}\n", taint.text("key"), taint.text("effect")));
    }
}

/// Models describeNodeResource.
fn load(cluster: &Cluster, page: &mut Page, node: &Tree) {
    let pods: Vec<&Tree> = kinds::of("Pod").map(|k| cluster.list(k, None)).unwrap_or_default();
    let here = pods.into_iter().filter(|pod| {
        let done = matches!(pod.text("status.phase"), "Succeeded" | "Failed");
        pod.text("spec.nodeName") == node.text("metadata.name") && !done
    });
    let here: Vec<&Tree> = here.collect();
    page.put(0, format_args!("Non-terminated Pods:\t({} in total)\n", here.len()));
    page.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    page.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let room = |name: &str| milli(node.at("status.allocatable").text(name)).max(1);
    let mut totals = [0i64; 4];
    for pod in here {
        let mut cells = Vec::new();
        let asked =
            [("requests", "cpu"), ("limits", "cpu"), ("requests", "memory"), ("limits", "memory")];
        for (i, (table, name)) in asked.into_iter().enumerate() {
            let amount = pod_amount(pod, table, name);
            totals[i] += amount;
            cells.push(shown(amount, name, room(name)));
        }
        let age = clock::since(pod.text("metadata.creationTimestamp"), cluster.now_millis());
        let (namespace, name) = (pod.text("metadata.namespace"), pod.text("metadata.name"));
        page.put(1, format_args!("{namespace}\t{name}\t\t{}\t{age}\n", cells.join("\t")));
    }
    page.line(
        0,
        "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)",
    );
    page.line(1, "Resource\tRequests\tLimits\n  --------\t--------\t------");
    for (i, name) in ["cpu", "memory"].into_iter().enumerate() {
        let [requests, limits] =
            [totals[2 * i], totals[2 * i + 1]].map(|amount| shown(amount, name, room(name)));
        page.put(1, format_args!("{name}\t{requests}\t{limits}\n"));
    }
    for name in ["ephemeral-storage", "hugepages-1Gi", "hugepages-2Mi"] {
        page.put(1, format_args!("{name}\t0 (0%)\t0 (0%)\n"));
    }
}

fn milli(text: &str) -> i64 {
    crate::kube::quantity::Quantity::parse(text).map_or(0, |amount| amount.milli())
}

/// What a pod asks for, in thousandths. Models resource.PodRequests.
fn pod_amount(pod: &Tree, table: &str, name: &str) -> i64 {
    let of = |one: &Tree| milli(one.at("resources").get(table).text(name));
    let mains: i64 = pod.at("spec.containers").items().iter().map(of).sum();
    let (mut sidecars, mut peak) = (0, 0);
    for one in pod.at("spec.initContainers").items() {
        if one.text("restartPolicy") == "Always" {
            sidecars += of(one);
            peak = peak.max(sidecars);
        } else {
            peak = peak.max(sidecars + of(one));
        }
    }
    peak.max(mains + sidecars)
}

fn shown(milli: i64, name: &str, room: i64) -> String {
    use crate::kube::quantity::Quantity;
    let amount = match (milli, name) {
        (0, _) => "0".to_owned(),
        (_, "memory") => Quantity::from_bytes(milli / 1_000).to_string(),
        _ => Quantity::from_milli(milli).to_string(),
    };
    format!("{amount} ({}%)", milli * 100 / room)
}

/// Kinds that are kept and not run: what the generic describer prints.
fn generic(page: &mut Page, one: &Tree) {
    head(page, one);
    tags(page, one);
    page.field(0, "API Version", one.text("apiVersion"));
    page.field(0, "Kind", one.text("kind"));
    let at = one.text("metadata.creationTimestamp").to_owned();
    page.put(0, format_args!("Metadata:\n  Creation Timestamp:\t{at}\n"));
    for key in ["spec", "status"] {
        if !one.get(key).is_null() {
            page.put(0, format_args!("{}:\n", label_of(key)));
            content(page, 1, one.get(key));
        }
    }
}

/// Models printUnstructuredContent.
fn content(page: &mut Page, level: usize, tree: &Tree) {
    for (key, value) in tree.entries() {
        let label = label_of(key);
        match value {
            Tree::Map(_) => {
                page.put(level, format_args!("{label}:\n"));
                content(page, level + 1, value);
            }
            Tree::List(items) => {
                page.put(level, format_args!("{label}:\n"));
                for item in items {
                    match item {
                        Tree::Map(_) => content(page, level + 1, item),
                        scalar => page.line(level + 1, &scalar.show()),
                    }
                }
            }
            scalar => page.field(level, &label, &scalar.show()),
        }
    }
}

/// `minAvailable` as `Min Available`. Models smartLabelFor.
fn label_of(key: &str) -> String {
    let mut out = String::new();
    for (i, ch) in key.chars().enumerate() {
        if i == 0 {
            out.extend(ch.to_uppercase());
        } else {
            if ch.is_uppercase() {
                out.push(' ');
            }
            out.push(ch);
        }
    }
    ["Api", "Ip", "Uri", "Url", "Uid"].iter().fold(out, |text, word| {
        match text.split(' ').any(|w| w == *word) {
            true => text.replace(word, &word.to_uppercase()),
            false => text,
        }
    })
}
