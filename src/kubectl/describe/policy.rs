//! `kubectl describe` of autoscalers, disruption budgets, network policies, ingresses, claims and
//! service accounts. Not of what runs pods.

use super::tabs::Page;
use super::{annotations, clock, head, labels, or, other, tags};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::{kinds, rows, select};

/// The page of one of these kinds, and whether its events follow; None for all other kinds.
pub(super) fn describe(cluster: &Cluster, kind: &str, page: &mut Page, one: &Tree) -> Option<bool> {
    match kind {
        "HorizontalPodAutoscaler" => scaler(page, one),
        "PodDisruptionBudget" => budget(page, one),
        "NetworkPolicy" => {
            policy(page, one);
            return Some(false);
        }
        "Ingress" => ingress(cluster, page, one),
        "PersistentVolumeClaim" => claim(cluster, page, one),
        "ServiceAccount" => account(page, one),
        _ => return None,
    }
    Some(true)
}

/// Models describeHorizontalPodAutoscalerV2.
fn scaler(page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    tags(page, one);
    let born = clock::written(one.text("metadata.creationTimestamp"));
    page.field(0, "CreationTimestamp", &born);
    let target = spec.get("scaleTargetRef");
    page.put(0, format_args!("Reference:\t{}/{}\n", target.text("kind"), target.text("name")));
    page.line(0, "Metrics:\t( current / target )");
    for (i, metric) in spec.get("metrics").items().iter().enumerate() {
        let current = status.at(&format!("currentMetrics.{i}"));
        page.line(1, &metric_line(metric, current));
    }
    page.field(0, "Min replicas", or(&spec.get("minReplicas").show(), "<unset>"));
    page.field(0, "Max replicas", &spec.int("maxReplicas").to_string());
    if !spec.get("behavior").is_null() {
        page.line(0, "Behavior:");
        direction(page, "Scale Up", spec.at("behavior.scaleUp"));
        direction(page, "Scale Down", spec.at("behavior.scaleDown"));
    }
    let [now, wanted] = ["currentReplicas", "desiredReplicas"].map(|key| status.int(key));
    let kind = target.text("kind");
    page.put(0, format_args!("{kind} pods:\t{now} current / {wanted} desired\n"));
    let conditions = status.get("conditions").items();
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------");
    }
    for one in conditions {
        let cells = ["type", "status", "reason", "message"].map(|key| one.text(key));
        page.line(1, &cells.join("\t"));
    }
}

fn metric_line(metric: &Tree, current: &Tree) -> String {
    let (kind, key) = match metric.text("type") {
        kind @ "External" => (kind, "external"),
        kind @ "Pods" => (kind, "pods"),
        kind @ "Object" => (kind, "object"),
        kind @ "Resource" => (kind, "resource"),
        kind @ "ContainerResource" => (kind, "containerResource"),
        kind => return format!("<unknown metric type {kind:?}>"),
    };
    let (of, target) = (metric.get(key), metric.get(key).get("target"));
    let seen = |name: &str| match current.get(key).get("current").get(name).show() {
        text if text.is_empty() => "<unknown>".to_owned(),
        text => text,
    };
    let by_average = !target.get("averageValue").is_null();
    let (goal, value) = match by_average {
        true => ("average value", "averageValue"),
        false => ("value", "value"),
    };
    let pair = |value: &str| format!("{} / {}", seen(value), target.get(value).show());
    let name = of.text("metric.name");
    match kind {
        "External" => format!("\"{name}\" (target {goal}):\t{}", pair(value)),
        "Pods" => format!("\"{name}\" on pods:\t{}", pair("averageValue")),
        "Object" => {
            let [kind, on] = ["kind", "name"].map(|key| of.get("describedObject").text(key));
            format!("\"{name}\" on {kind}/{on} (target {goal}):\t{}", pair(value))
        }
        _ => {
            let inside = match of.text("container") {
                "" => String::new(),
                container => format!(" of container \"{container}\""),
            };
            let what = format!("resource {}{inside} on pods", of.text("name"));
            if by_average {
                return format!("{what}:\t{}", pair("averageValue"));
            }
            let now = match seen("averageUtilization").as_str() {
                "<unknown>" => "<unknown>".to_owned(),
                share => format!("{share}% ({})", seen("averageValue")),
            };
            let goal = match target.get("averageUtilization") {
                Tree::Int(share) => format!("{share}%"),
                _ => "<auto>".to_owned(),
            };
            format!("{what}  (as a percentage of request):\t{now} / {goal}")
        }
    }
}

/// Models printDirectionBehavior.
fn direction(page: &mut Page, title: &str, rules: &Tree) {
    if rules.is_null() {
        return;
    }
    page.line(1, &format!("{title}:"));
    if let Tree::Int(secs) = rules.get("stabilizationWindowSeconds") {
        page.line(2, &format!("Stabilization Window: {secs} seconds"));
    }
    let policies = rules.get("policies").items();
    if policies.is_empty() {
        return;
    }
    page.line(2, &format!("Select Policy: {}", or(rules.text("selectPolicy"), "Max")));
    page.line(2, "Policies:");
    for one in policies {
        let (kind, n, secs) = (one.text("type"), one.int("value"), one.int("periodSeconds"));
        page.line(3, &format!("- Type: {kind}\tValue: {n}\tPeriod: {secs} seconds"));
    }
}

/// Models describePodDisruptionBudgetV1.
fn budget(page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    match (spec.get("minAvailable"), spec.get("maxUnavailable")) {
        (Tree::Null, Tree::Null) => {}
        (Tree::Null, most) => page.field(0, "Max unavailable", &most.show()),
        (least, _) => page.field(0, "Min available", &least.show()),
    }
    let selector = match spec.get("selector") {
        Tree::Null => "<unset>".to_owned(),
        selector => select::show(selector),
    };
    page.field(0, "Selector", &selector);
    page.line(0, "Status:");
    for (label, key) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        page.field(2, label, &status.int(key).to_string());
    }
}

/// Models describeNetworkPolicy.
fn policy(page: &mut Page, one: &Tree) {
    let spec = one.get("spec");
    head(page, one);
    let born = one.text("metadata.creationTimestamp").replace('T', " ").replace('Z', " +0000 UTC");
    page.field(0, "Created on", &born);
    tags(page, one);
    page.line(0, "Spec:");
    let chosen = match select::show(spec.get("podSelector")).as_str() {
        "<none>" => {
            "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
        }
        chosen => chosen.to_owned(),
    };
    page.line(1, &format!("PodSelector:     {chosen}"));
    let types: Vec<&str> = spec.get("policyTypes").items().iter().map(Tree::str).collect();
    let egress = !spec.get("egress").is_null();
    let shown = match (types.is_empty(), egress) {
        (false, _) => types,
        (true, true) => vec!["Ingress", "Egress"],
        (true, false) => vec!["Ingress"],
    };
    for (kind, key, to, peers) in
        [("Ingress", "ingress", "From", "from"), ("Egress", "egress", "To", "to")]
    {
        let lower = kind.to_lowercase();
        if shown.contains(&kind) {
            page.line(1, &format!("Allowing {lower} traffic:"));
            traffic(page, &lower, spec.get(key).items(), to, peers);
        } else {
            page.line(1, &format!("Not affecting {lower} traffic"));
        }
    }
    page.line(1, &format!("Policy Types: {}", shown.join(", ")));
}

/// Models printNetworkPolicySpecIngressFrom and printNetworkPolicySpecEgressTo.
fn traffic(page: &mut Page, lower: &str, rules: &[Tree], to: &str, peers: &str) {
    if rules.is_empty() {
        page.line(2, &format!("<none> (Selected pods are isolated for {lower} connectivity)"));
    }
    for (i, rule) in rules.iter().enumerate() {
        if i > 0 {
            page.line(2, "----------");
        }
        let ports = rule.get("ports").items();
        if ports.is_empty() {
            page.line(2, "To Port: <any> (traffic allowed to all ports)");
        }
        for port in ports {
            let (first, protocol) = (port.get("port").show(), or(port.text("protocol"), "TCP"));
            page.line(
                2,
                &match port.get("endPort") {
                    Tree::Int(last) => format!("To Port Range: {first}-{last}/{protocol}"),
                    _ => format!("To Port: {first}/{protocol}"),
                },
            );
        }
        let all = rule.get(peers).items();
        if all.is_empty() {
            let side = if to == "From" { "source" } else { "destination" };
            page.line(2, &format!("{to}: <any> (traffic not restricted by {side})"));
        }
        for peer in all {
            page.line(2, &format!("{to}:"));
            for (label, key) in
                [("NamespaceSelector", "namespaceSelector"), ("PodSelector", "podSelector")]
            {
                if !peer.get(key).is_null() {
                    page.line(3, &format!("{label}: {}", select::show(peer.get(key))));
                }
            }
            let block = peer.get("ipBlock");
            if !block.is_null() {
                let except: Vec<&str> = block.get("except").items().iter().map(Tree::str).collect();
                page.line(3, &format!("IPBlock:\n        CIDR: {}", block.text("cidr")));
                page.line(4, &format!("Except: {}", except.join(", ")));
            }
        }
    }
}

/// Models describeIngressV1.
fn ingress(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let spec = one.get("spec");
    page.field(0, "Name", one.text("metadata.name"));
    labels(page, "", "Labels", one.at("metadata.labels"));
    page.field(0, "Namespace", one.text("metadata.namespace"));
    page.field(0, "Address", &rows::balancers(one));
    page.field(0, "Ingress Class", or(spec.text("ingressClassName"), "<none>"));
    let rest = match spec.get("defaultBackend") {
        Tree::Null => "<default>".to_owned(),
        found => backend(cluster, one, found),
    };
    page.field(0, "Default backend", &rest);
    let secrets = spec.get("tls").items();
    if !secrets.is_empty() {
        page.line(0, "TLS:");
    }
    for one in secrets {
        let hosts: Vec<&str> = one.get("hosts").items().iter().map(Tree::str).collect();
        let hosts = hosts.join(",");
        page.line(
            1,
            &match one.text("secretName") {
                "" => format!("SNI routes {hosts}"),
                secret => format!("{secret} terminates {hosts}"),
            },
        );
    }
    page.line(0, "Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------");
    let rules = spec.get("rules").items().iter().filter(|rule| !rule.get("http").is_null());
    let rules: Vec<&Tree> = rules.collect();
    for rule in &rules {
        page.line(1, &format!("{}\t", or(rule.text("host"), "*")));
        for path in rule.at("http.paths").items() {
            let behind = backend(cluster, one, path.get("backend"));
            page.line(2, &format!("\t{} \t{behind}", path.text("path")));
        }
    }
    if rules.is_empty() {
        page.line(1, &format!("*\t*\t{rest}"));
    }
    annotations(page, "Annotations", one.at("metadata.annotations"));
}

/// Models describeBackendV1.
fn backend(cluster: &Cluster, ingress: &Tree, of: &Tree) -> String {
    let service = of.get("service");
    if service.is_null() {
        let from = of.get("resource");
        let [group, kind, name] = ["apiGroup", "kind", "name"].map(|key| from.text(key));
        let group = or(group, "<none>");
        return format!("APIGroup: {group}, Kind: {kind}, Name: {name}");
    }
    let (name, port) = (service.text("name"), service.get("port"));
    let shown = match port.int("number") {
        0 => port.text("name").to_owned(),
        number => number.to_string(),
    };
    let namespace = ingress.text("metadata.namespace");
    let found = kinds::of("Service").and_then(|kind| cluster.one(kind, namespace, name));
    let Some(found) = found else {
        return format!("{name}:{shown} (<error: services \"{name}\" not found>)");
    };
    let ports = found.at("spec.ports").items().iter();
    let mut ports = ports.filter(|one| {
        let by_number = port.int("number") != 0 && port.int("number") == one.int("port");
        by_number || (!port.text("name").is_empty() && port.text("name") == one.text("name"))
    });
    let behind = other::behind(cluster, found, ports.next().map_or("", |one| one.text("name")));
    format!("{name}:{shown} ({behind})")
}

/// Models describePersistentVolumeClaim.
fn claim(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    page.field(0, "StorageClass", spec.text("storageClassName"));
    page.field(0, "Status", or(status.text("phase"), "Pending"));
    page.field(0, "Volume", spec.text("volumeName"));
    tags(page, one);
    let kept: Vec<&str> = one.at("metadata.finalizers").items().iter().map(Tree::str).collect();
    page.put(0, format_args!("Finalizers:\t[{}]\n", kept.join(" ")));
    let bound = !spec.text("volumeName").is_empty();
    let modes = if bound { rows::access_modes(spec.get("accessModes")) } else { String::new() };
    page.field(0, "Capacity", if bound { status.text("capacity.storage") } else { "" });
    page.field(0, "Access Modes", &modes);
    page.field(0, "VolumeMode", or(spec.text("volumeMode"), "Filesystem"));
    let pods = cluster.pods(one.text("metadata.namespace"));
    let mine = pods.into_iter().filter(|pod| {
        let volumes = pod.at("spec.volumes").items().iter();
        let mut names = volumes.map(|volume| volume.text("persistentVolumeClaim.claimName"));
        names.any(|name| name == one.text("metadata.name"))
    });
    let names: Vec<&str> = mine.map(|pod| pod.text("metadata.name")).collect();
    page.field(0, "Used By", or(&names.join("\n\t"), "<none>"));
}

fn account(page: &mut Page, one: &Tree) {
    head(page, one);
    tags(page, one);
    let pulls: Vec<&str> =
        one.get("imagePullSecrets").items().iter().map(|one| one.text("name")).collect();
    let pulls = pulls.join("\n                   \t");
    page.field(0, "Image pull secrets", or(&pulls, "<none>"));
}
