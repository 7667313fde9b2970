//! `kubectl describe pod`.

use super::tabs::Page;
use super::{clock, containers, controlled_by, head, labels, or, tags, volumes};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::order::Order;

/// Models describePod.
pub(super) fn describe(cluster: &Cluster, page: &mut Page, pod: &Tree) {
    let (spec, status) = (pod.get("spec"), pod.get("status"));
    head(page, pod);
    page.field(0, "Priority", &spec.int("priority").to_string());
    for (label, path) in [
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ] {
        if !spec.text(path).is_empty() {
            page.field(0, label, spec.text(path));
        }
    }
    let node = match spec.text("nodeName") {
        "" => "<none>".to_owned(),
        node => format!("{node}/{}", status.text("hostIP")),
    };
    page.field(0, "Node", &node);
    if !status.text("startTime").is_empty() {
        page.field(0, "Start Time", &clock::written(status.text("startTime")));
    }
    tags(page, pod);
    let terminal = matches!(status.text("phase"), "Failed" | "Succeeded");
    match pod.text("metadata.deletionTimestamp") {
        at if !at.is_empty() && !terminal => {
            let lasts = clock::since(at, cluster.now_millis());
            let grace = pod.int("metadata.deletionGracePeriodSeconds");
            page.field(0, "Status", &format!("Terminating (lasts {lasts})"));
            page.field(0, "Termination Grace Period", &format!("{grace}s"));
        }
        _ => page.field(0, "Status", status.text("phase")),
    }
    for (label, path) in [("Reason", "reason"), ("Message", "message")] {
        if !status.text(path).is_empty() {
            page.field(0, label, status.text(path));
        }
    }
    seccomp(page, spec);
    page.field(0, "IP", status.text("podIP"));
    addresses(page, status);
    controlled_by(page, pod);
    if !spec.get("initContainers").items().is_empty() {
        containers::list(page, "Init Containers", spec, status, Some(pod), "");
    }
    containers::list(page, "Containers", spec, status, Some(pod), "");
    if !spec.get("ephemeralContainers").items().is_empty() {
        containers::list(page, "Ephemeral Containers", spec, status, Some(pod), "");
    }
    conditions(page, pod);
    volumes::list(page, spec.get("volumes").items(), "");
    page.field(0, "QoS Class", status.text("qosClass"));
    labels(page, "", "Node-Selectors", spec.get("nodeSelector"));
    tolerations(page, "", spec.get("tolerations").items());
    spread(page, "", spec.get("topologySpreadConstraints").items());
}

fn seccomp(page: &mut Page, spec: &Tree) {
    let profile = spec.at("securityContext.seccompProfile");
    if !profile.is_null() {
        page.field(0, "SeccompProfile", profile.text("type"));
        if profile.text("type") == "Localhost" {
            page.field(0, "LocalhostProfile", profile.text("localhostProfile"));
        }
    }
}

fn addresses(page: &mut Page, status: &Tree) {
    let ips = status.get("podIPs").items();
    if ips.is_empty() {
        return page.field(0, "IPs", "<none>");
    }
    page.line(0, "IPs:");
    for ip in ips {
        page.field(1, "IP", ip.text("ip"));
    }
}

fn conditions(page: &mut Page, pod: &Tree) {
    let all = pod.at("status.conditions").items();
    let gates = pod.at("spec.readinessGates").items();
    if !gates.is_empty() {
        page.line(0, "Readiness Gates:\n  Type\tStatus");
    }
    for gate in gates {
        let kind = gate.text("conditionType");
        let met = all.iter().find(|one| one.text("type") == kind);
        let met = met.map_or("<none>", |one| one.text("status"));
        page.put(1, format_args!("{kind} \t{met} \n"));
    }
    if !all.is_empty() {
        page.line(0, "Conditions:\n  Type\tStatus");
    }
    for one in all {
        page.put(1, format_args!("{} \t{} \n", one.text("type"), one.text("status")));
    }
}

/// Models printTolerationsMultilineWithIndent.
pub(super) fn tolerations(page: &mut Page, indent: &str, all: &[Tree]) {
    page.put(0, format_args!("{indent}Tolerations:\t"));
    if all.is_empty() {
        page.line(0, "<none>");
    }
    let mut sorted: Vec<&Tree> = all.iter().collect();
    sorted.order_by_key(|one| one.text("key"));
    for (i, one) in sorted.into_iter().enumerate() {
        let mut text = one.text("key").to_owned();
        if !one.text("value").is_empty() {
            text.push_str(&format!("={}", one.text("value")));
        }
        if !one.text("effect").is_empty() {
            text.push_str(&format!(":{}", one.text("effect")));
        }
        if one.text("operator") == "Exists" && one.text("value").is_empty() {
            text.push_str(if text.is_empty() { "op=Exists" } else { " op=Exists" });
        }
        if !one.get("tolerationSeconds").is_null() {
            text.push_str(&format!(" for {}s", one.int("tolerationSeconds")));
        }
        let lead = if i == 0 { "" } else { "\t" };
        page.put(0, format_args!("{}{lead}{text}\n", if i == 0 { "" } else { indent }));
    }
}

/// Models describeTopologySpreadConstraints.
pub(super) fn spread(page: &mut Page, indent: &str, all: &[Tree]) {
    let mut sorted: Vec<&Tree> = all.iter().collect();
    sorted.order_by_key(|one| one.text("topologyKey"));
    for (i, one) in sorted.into_iter().enumerate() {
        let lead = match i {
            0 => format!("{indent}Topology Spread Constraints:\t"),
            _ => format!("{indent}\t"),
        };
        let when = or(one.text("whenUnsatisfiable"), "DoNotSchedule");
        let selector = match one.get("labelSelector") {
            Tree::Null => String::new(),
            tree => format!(" for selector {}", crate::kubectl::select::show(tree)),
        };
        let (key, skew) = (one.text("topologyKey"), one.int("maxSkew"));
        let line = format_args!("{lead}{key}:{when} when max skew {skew} is exceeded{selector}\n");
        page.put(0, line);
    }
}
