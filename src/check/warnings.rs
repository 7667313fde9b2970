//! What the server accepts with a warning, in its order.
//! Models pkg/api/pod/warnings.go, pkg/api/service/warnings.go and the strategies (v1.36).

use super::cursor::At;
use super::report::Report;
use super::rules::resources::amount;
use super::{names, show};
use std::collections::BTreeMap;

/// Warnings for an object without errors.
pub(super) fn of(kind: &str, root: &At, r: &mut Report) {
    let spec = root.get("spec");
    match kind {
        "Pod" => {
            host_name(root, "this is used in the Pod's hostname", r);
            pod(&root.get("metadata"), &spec, true, r);
        }
        "Deployment" | "ReplicaSet" | "Job" => {
            host_name(root, "this is used in Pod names and hostnames", r);
            template(&spec.get("template"), r);
        }
        "CronJob" => {
            host_name(root, "this is used in Pod names and hostnames", r);
            template(&spec.get("jobTemplate.spec.template"), r);
        }
        "StatefulSet" => {
            template(&spec.get("template"), r);
            for claim in spec.get("volumeClaimTemplates").items() {
                let requests = claim.get("spec.resources.requests");
                storage(&requests, &format!("{}.resources.requests", claim.path), r);
            }
        }
        "DaemonSet" => template(&spec.get("template"), r),
        "PersistentVolumeClaim" => {
            let requests = spec.get("resources.requests");
            storage(&requests, &requests.path.clone(), r);
        }
        "Service" => service(&spec, r),
        "Ingress" => ingress(&root.get("metadata.annotations"), r),
        _ => {}
    }
}

fn host_name(root: &At, use_of_it: &str, r: &mut Report) {
    let name = root.get("metadata.name");
    let objections = names::label(name.str());
    if !name.str().is_empty() && !objections.is_empty() {
        let text = format!(
            "metadata.name: {use_of_it}, which can result in surprising behavior; a DNS label is \
             recommended: [{}]",
            objections.join(" ")
        );
        r.warn("host-name", &name, text);
    }
}

fn template(at: &At, r: &mut Report) {
    pod(&at.get("metadata"), &at.get("spec"), false, r);
}

/// A bare pod's negative grace period is put right without a word.
fn pod(meta: &At, spec: &At, bare: bool, r: &mut Report) {
    deprecated_labels(&spec.get("nodeSelector"), r);
    for one in spec.get("topologySpreadConstraints").items() {
        null_selector(&one, r);
    }
    annotations(&meta.get("annotations"), r);
    for volume in spec.get("volumes").items() {
        volume_warnings(&volume, r);
    }
    lists(spec, r);
    for list in ["initContainers", "containers"] {
        for container in spec.get(list).items() {
            fractions(&container, r);
            hidden_variables(&container.get("env"), r);
        }
    }
    ports(spec, r);
    let grace = spec.get("terminationGracePeriodSeconds");
    if !bare && grace.int().is_some_and(|s| s < 0) {
        let text = "must be >= 0; negative values are invalid and will be treated as 1";
        r.warn("negative-grace", &grace, format!("{}: {text}", grace.path));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let at = spec.get("affinity").get(kind);
        for term in at.get("requiredDuringSchedulingIgnoredDuringExecution").items() {
            null_selector(&term, r);
        }
        for term in at.get("preferredDuringSchedulingIgnoredDuringExecution").items() {
            null_selector(&term.get("podAffinityTerm"), r);
        }
    }
}

const LABELS: [(&str, &str, &str); 6] = [
    ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"),
    ("node-role.kubernetes.io/master", "v1.20", "node-role.kubernetes.io/control-plane"),
];

fn deprecated_labels(at: &At, r: &mut Report) {
    for (entry, value) in at.entries() {
        if let Some((_, since, now)) = LABELS.iter().find(|(old, ..)| *old == entry.key) {
            let text = format!("{}: deprecated since {since}; use \"{now}\" instead", value.path);
            r.warn("deprecated-label", &value, text);
        }
    }
}

fn null_selector(at: &At, r: &mut Report) {
    let selector = at.get("labelSelector");
    if !selector.here() {
        let text = "a null labelSelector results in matching no pod";
        r.warn("null-selector", &selector, format!("{}: {text}", selector.path));
    }
}

fn annotations(at: &At, r: &mut Report) {
    for (entry, value) in at.entries() {
        let text = match entry.key.as_str() {
            "scheduler.alpha.kubernetes.io/critical-pod" => {
                "non-functional in v1.16+; use the \"priorityClassName\" field instead"
            }
            "security.alpha.kubernetes.io/sysctls"
            | "security.alpha.kubernetes.io/unsafe-sysctls" => {
                "non-functional in v1.11+; use the \"sysctls\" field instead"
            }
            key if key.starts_with("container.apparmor.security.beta.kubernetes.io/") => {
                "deprecated since v1.30; use the \"appArmorProfile\" field instead"
            }
            key if key.starts_with("seccomp.security.alpha.kubernetes.io/pod")
                || key.starts_with("container.seccomp.security.alpha.kubernetes.io/") =>
            {
                "non-functional in v1.27+; use the \"seccompProfile\" field instead"
            }
            _ => continue,
        };
        r.warn("deprecated-annotation", &value, format!("{}: {text}", value.path));
    }
}

const GONE: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

fn volume_warnings(volume: &At, r: &mut Report) {
    for (kind, text) in GONE {
        let at = volume.get(kind);
        if at.here() {
            r.warn("deprecated-volume", &at, format!("{}: {text}", at.path));
        }
    }
    let name = volume.str_of("name");
    let kinds = [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")];
    for (key, kind, of) in kinds {
        let at = volume.get(key);
        let what = format!("{kind} {}", show::quote(at.str_of(of)));
        overlaps(name, &what, &at, paths(&at), r);
    }
    let info = volume.get("downwardAPI");
    overlaps(name, "DownwardAPI", &info, paths(&info), r);
    let mixed = volume.get("projected");
    if !mixed.here() {
        return;
    }
    let sources = mixed.get("sources").items();
    let kinds = ["secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle"];
    if let Some(empty) = sources.iter().find(|s| !kinds.iter().any(|k| s.get(k).here())) {
        let text = format!("volume {} (Projected) has no sources provided", show::quote(name));
        r.warn("no-sources", empty, text);
    }
    let mut all = Vec::new();
    for source in &sources {
        for key in ["secret", "configMap", "downwardAPI"] {
            all.extend(paths(&source.get(key)));
        }
        let token = source.get("serviceAccountToken").str_of("path");
        all.extend((!token.is_empty()).then_some(token));
    }
    overlaps(name, "Projected", &mixed, all, r);
}

fn paths<'a>(at: &At<'a>) -> Vec<&'a str> {
    at.get("items").items().iter().map(|item| item.str_of("path")).collect()
}

fn overlaps(volume: &str, what: &str, at: &At, mut paths: Vec<&str>, r: &mut Report) {
    paths.sort_unstable();
    let mut found = Vec::new();
    for (i, path) in paths.iter().enumerate() {
        let below = |other: &&&str| {
            path == *other || path.strip_prefix(**other).is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(other) = paths[..i].iter().find(below) {
            found.push(format!("{} with {}", show::quote(path), show::quote(other)));
        }
    }
    if !found.is_empty() {
        let name = show::quote(volume);
        let text = format!("volume {name} ({what}): overlapping paths: {}", found.join(", "));
        r.warn("overlapping-paths", at, text);
    }
}

fn lists(spec: &At, r: &mut Report) {
    let mut seen = Vec::new();
    for alias in spec.get("hostAliases").items() {
        let ip = alias.get("ip");
        if seen.contains(&ip.str()) {
            let text = format!("{}: duplicate ip {}", ip.path, ip.shown());
            r.warn("duplicate-ip", &ip, text);
        }
        seen.push(ip.str());
    }
    seen.clear();
    for secret in spec.get("imagePullSecrets").items() {
        let name = secret.get("name");
        if name.str().is_empty() {
            r.warn("empty-name", &name, format!("{}: invalid empty name \"\"", name.path));
        } else if seen.contains(&name.str()) {
            let text = format!("{}: duplicate name {}", name.path, name.shown());
            r.warn("duplicate-name", &name, text);
        }
        seen.push(name.str());
    }
}

fn fraction(value: &At, path: &str, r: &mut Report) {
    let worth = amount(value);
    if !worth.is_whole() {
        let text = format!(
            "{path}: fractional byte value {} is invalid, must be an integer",
            show::quote(&worth.to_string())
        );
        r.warn("fractional-bytes", value, text).help =
            Some("The suffix `m` means thousandths; `M` and `Mi` are millions.".to_owned());
    }
}

fn fractions(container: &At, r: &mut Report) {
    for list in ["limits", "requests"] {
        for (entry, value) in container.get("resources").get(list).entries() {
            if ["memory", "ephemeral-storage"].contains(&entry.key.as_str()) {
                fraction(&value, &value.path.clone(), r);
            }
        }
    }
}

fn storage(requests: &At, path: &str, r: &mut Report) {
    for (entry, value) in requests.entries() {
        if entry.key == "storage" {
            fraction(&value, &format!("{path}[storage]"), r);
        }
    }
}

fn hidden_variables(list: &At, r: &mut Report) {
    let mut seen = Vec::new();
    for one in list.items() {
        let (name, value) = (one.str_of("name"), one.str_of("value"));
        let itself = format!("$({name})");
        let uses_old = value.contains(&itself) && value != itself;
        if seen.contains(&name) && !uses_old {
            let text = format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                one.path,
                show::quote(name)
            );
            r.warn("hidden-variable", &one.get("name").called(one.path.clone()), text);
        }
        seen.push(name);
    }
}

/// Ports are compared over all containers: they share one network.
fn ports(spec: &At, r: &mut Report) {
    let mut seen: Vec<(String, At)> = Vec::new();
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for list in ["initContainers", "containers"] {
        for container in spec.get(list).items() {
            for port in container.get("ports").items() {
                host_ip(&port, r);
                let key = format!("{}/{}", number(&port, "containerPort"), protocol(&port));
                for (_, other) in seen.iter().filter(|(k, _)| *k == key) {
                    compare(&port, other, r);
                }
                let name = port.str_of("name");
                if let Some(first) = named.get(name).filter(|_| !name.is_empty()) {
                    let text = format!(
                        "{}: duplicate port name {} with {first}, services and probes that \
                         select ports by name will use {first}",
                        port.path,
                        show::quote(name)
                    );
                    r.warn("duplicate-port-name", &port, text);
                } else {
                    named.insert(name, port.path.clone());
                }
                seen.push((key, port));
            }
        }
    }
}

fn number(port: &At, key: &str) -> i64 {
    port.get(key).int().unwrap_or(0)
}

fn protocol<'a>(port: &At<'a>) -> &'a str {
    match port.str_of("protocol") {
        "" => "TCP",
        word => word,
    }
}

fn host_ip(port: &At, r: &mut Report) {
    let ip = port.get("hostIP");
    if !ip.str().is_empty() && number(port, "hostPort") == 0 {
        let text = format!(
            "{}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} \
             HostIP:{}}}",
            port.path,
            port.str_of("name"),
            number(port, "containerPort"),
            protocol(port),
            ip.str()
        );
        r.warn("host-ip", &ip.called(port.path.clone()), text);
    }
}

fn compare(port: &At, other: &At, r: &mut Report) {
    let (host, others) = (number(port, "hostPort"), number(other, "hostPort"));
    let (ip, other_ip) = (port.str_of("hostIP"), other.str_of("hostIP"));
    let how = if host == others && ip == other_ip {
        "duplicate"
    } else if host == 0 || others == 0 {
        "overlapping"
    } else if host == others && ip.is_empty() != other_ip.is_empty() {
        "dangerously ambiguous"
    } else {
        return;
    };
    let text = format!("{}: {how} port definition with {}", port.path, other.path);
    let at = port.get("containerPort").called(port.path.clone());
    let found = r.warn("duplicate-port", &at, text);
    found.related.push((other.get("containerPort").span, "the same port is here".to_owned()));
    found.help = Some(
        "All containers of a pod share one network: only one of them can listen on a port."
            .to_owned(),
    );
}

fn service(spec: &At, r: &mut Report) {
    let headless = spec.str_of("clusterIP") == "None";
    let affinity = spec.get("sessionAffinity");
    if headless && !["", "None"].contains(&affinity.str()) {
        let text = "spec.SessionAffinity is ignored for headless services";
        r.warn("ignored-field", &affinity, text.to_owned());
    }
    let outside = spec.get("externalIPs");
    if headless && outside.len() > 0 {
        let text = "spec.externalIPs is ignored for headless services";
        r.warn("ignored-field", &outside, text.to_owned());
    }
    let name = spec.get("externalName");
    if !name.str().is_empty() && spec.str_of("type") != "ExternalName" {
        let text = "spec.externalName is ignored when spec.type is not \"ExternalName\"";
        r.warn("ignored-field", &name, text.to_owned());
    }
    let near = spec.get("trafficDistribution");
    if near.str() == "PreferClose" {
        let text =
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
        r.warn("deprecated-value", &near, text.to_owned());
    }
    if outside.len() > 0 {
        let text =
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        r.warn("deprecated-field", &outside, text.to_owned());
    }
}

fn ingress(notes: &At, r: &mut Report) {
    for (entry, value) in notes.entries() {
        if entry.key == "kubernetes.io/ingress.class" {
            let text = "annotation \"kubernetes.io/ingress.class\" is deprecated, please use \
                        'spec.ingressClassName' instead";
            r.warn("deprecated-annotation", &value, text.to_owned());
        }
    }
}
