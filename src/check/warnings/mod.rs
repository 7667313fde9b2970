//! What the server accepts with a warning, in its order.
//! Models pkg/api/pod/warnings.go, pkg/api/service/warnings.go and the strategies (v1.36).

mod storage;

use super::cursor::At;
use super::report::Report;
use super::rules::PROJECTIONS;
use super::rules::resources::listed;
use super::show;
use crate::kube::names;
use crate::yaml::base64;
use std::collections::BTreeMap;

/// Warnings for an object without errors.
pub(super) fn of(kind: &str, root: &At, r: &mut Report) {
    let spec = root.get("spec");
    match kind {
        "Pod" => {
            host_name(root, "this is used in the Pod's hostname", r);
            pod(&root.get("metadata"), &spec, true, r);
        }
        "Deployment" | "ReplicaSet" | "Job" | "ReplicationController" => {
            host_name(root, "this is used in Pod names and hostnames", r);
            template(&spec.get("template"), r);
        }
        "CronJob" => {
            host_name(root, "this is used in Pod names and hostnames", r);
            template(&spec.get("jobTemplate.spec.template"), r);
        }
        "StatefulSet" => {
            template(&spec.get("template"), r);
            let history = spec.get("revisionHistoryLimit");
            if history.int().is_some_and(|n| n < 0) {
                let text = "a negative value retains all historical revisions; a value >= 0 is \
                            recommended";
                r.warn("negative-history", &history, format!("{}: {text}", history.path));
            }
            for claim in spec.get("volumeClaimTemplates").items() {
                storage(&claim.get("spec.resources"), &format!("{}.resources", claim.path), r);
            }
        }
        "DaemonSet" => template(&spec.get("template"), r),
        "PersistentVolumeClaim" => {
            storage::annotations(&root.get("metadata.annotations"), false, r);
            let resources = spec.get("resources");
            storage(&resources, &resources.path.clone(), r);
        }
        "PersistentVolume" => {
            storage::annotations(&root.get("metadata.annotations"), true, r);
            storage::volume(&spec, r);
        }
        "PodTemplate" => template(&root.get("template"), r),
        "EndpointSlice" if root.str_of("addressType") == "FQDN" => {
            let at = root.get("addressType");
            let text = "spec.addressType: FQDN endpoints are deprecated".to_owned();
            r.warn("deprecated-value", &at, text);
        }
        "Secret" if root.str_of("type") == "kubernetes.io/tls" => certificate(root, r),
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
    for (entry, value) in spec.get("overhead").entries() {
        if ["memory", "ephemeral-storage"].contains(&entry.key.as_str()) {
            fraction(&value, &value.path.clone(), r);
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
    ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

fn volume_warnings(volume: &At, r: &mut Report) {
    for (kind, text) in GONE {
        let at = volume.get(if kind == "storageOS" { "storageos" } else { kind });
        if at.here() {
            let text = format!("{}.{kind}: {text}", volume.path);
            r.warn("deprecated-volume", &at, text);
        }
    }
    let name = volume.str_of("name");
    let kinds = [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")];
    for (key, kind, of) in kinds {
        let at = volume.get(key);
        let what = format!("{kind} {}", show::quote(at.str_of(of)));
        overlaps(name, &what, &at, &bare(&at), r);
    }
    let info = volume.get("downwardAPI");
    overlaps(name, "DownwardAPI", &info, &bare(&info), r);
    let mixed = volume.get("projected");
    if !mixed.here() {
        return;
    }
    let sources = mixed.get("sources").items();
    if let Some(empty) = sources.iter().find(|s| !PROJECTIONS.iter().any(|k| s.get(k).here())) {
        let text = format!("volume {} (Projected) has no sources provided", show::quote(name));
        r.warn("no-sources", empty, text);
    }
    let mut all = Vec::new();
    for source in &sources {
        for (key, kind) in
            [("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")]
        {
            let from = source.get(key);
            let named = match key {
                "downwardAPI" => kind.to_owned(),
                _ => format!("{kind} {}", show::quote(from.str_of("name"))),
            };
            all.extend(paths(&from).into_iter().map(|path| (path, format!(" ({named})"))));
        }
        let token = source.get("serviceAccountToken").str_of("path");
        all.extend((!token.is_empty()).then(|| (token, " (ServiceAccountToken)".to_owned())));
    }
    overlaps(name, "Projected", &mixed, &all, r);
}

fn paths<'a>(at: &At<'a>) -> Vec<&'a str> {
    at.get("items").items().iter().map(|item| item.str_of("path")).collect()
}

fn bare<'a>(at: &At<'a>) -> Vec<(&'a str, String)> {
    paths(at).into_iter().map(|path| (path, String::new())).collect()
}

/// Models checkVolumeMappingForOverlap.
fn overlaps(volume: &str, what: &str, at: &At, paths: &[(&str, String)], r: &mut Report) {
    for (i, (path, of)) in paths.iter().enumerate() {
        let path = path.trim_end_matches('/');
        for (other, other_of) in &paths[..i] {
            let other = other.trim_end_matches('/');
            let below = |long: &str, short: &str| {
                long.strip_prefix(short)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if path.is_empty() || other.is_empty() || !below(path, other) && !below(other, path) {
                continue;
            }
            let (name, path, other) = (show::quote(volume), show::quote(path), show::quote(other));
            let text = format!(
                "volume {name} ({what}): overlapping paths: {path}{of} with {other}{other_of}"
            );
            r.warn("overlapping-paths", at, text);
        }
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
    let worth = listed(value);
    if !worth.is_integer() {
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

fn storage(resources: &At, path: &str, r: &mut Report) {
    for list in ["requests", "limits"] {
        for (entry, value) in resources.get(list).entries() {
            if entry.key == "storage" {
                fraction(&value, &format!("{path}.{list}[storage]"), r);
            }
        }
    }
}

/// What is in a certificate is not read, but whether it can be one is.
fn certificate(root: &At, r: &mut Report) {
    for (key, what) in [("tls.crt", "certificate"), ("tls.key", "key")] {
        let of = |list: &str| root.get(list).entries().into_iter().find(|(e, _)| e.key == key);
        let plain = of("stringData").map(|(_, at)| (at.str().contains("-----BEGIN"), at));
        let coded = || {
            let (_, at) = of("data")?;
            let bytes = base64::decode(at.str()).unwrap_or_default();
            Some((String::from_utf8_lossy(&bytes).contains("-----BEGIN"), at))
        };
        if let Some((false, at)) = plain.or_else(coded) {
            let text = format!("tls: failed to find any PEM data in {what} input");
            r.warn("no-certificate", &at, text);
            return;
        }
    }
}

fn hidden_variables(list: &At, r: &mut Report) {
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    for one in list.items() {
        let (name, value) = (one.str_of("name"), one.str_of("value"));
        let itself = format!("$({name})");
        let uses_old = value.contains(&itself) && value != itself;
        if seen.contains_key(name) && !uses_old {
            let text = format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                one.path,
                show::quote(name)
            );
            r.warn("hidden-variable", &one.get("name").called(one.path.clone()), text);
        }
        seen.insert(name, ());
    }
}

/// Ports are compared over all containers: they share one network.
fn ports(spec: &At, r: &mut Report) {
    // By the last bits of the number, so that thousands of ports are not compared with each other.
    let mut seen: Vec<Vec<(i64, &str, At)>> = vec![Vec::new(); 256];
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for list in ["initContainers", "containers"] {
        for container in spec.get(list).items() {
            for port in container.get("ports").items() {
                host_ip(&port, r);
                let (number, protocol) = (number(&port, "containerPort"), protocol(&port));
                let near = &mut seen[(number & 255) as usize];
                for (_, _, other) in near.iter().filter(|(n, p, _)| (*n, *p) == (number, protocol))
                {
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
                near.push((number, protocol, port));
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
