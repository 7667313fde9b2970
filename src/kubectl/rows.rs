//! The server's tables: columns of each kind and the cells of an object.
//!
//! Models pkg/printers/internalversion/printers.go (v1.36).

use super::cluster::Cluster;
use super::kinds::Kind;
use super::{clock, human_duration, select};
use crate::kube::tree::Tree;
use crate::time::SimTime;
use crate::trace::What;

/// (kind, columns, columns `-o wide` adds).
const COLUMNS: &[(&str, &str, &str)] = &[
    ("Pod", "NAME|READY|STATUS|RESTARTS|AGE", "IP|NODE|NOMINATED NODE|READINESS GATES"),
    ("Service", "NAME|TYPE|CLUSTER-IP|EXTERNAL-IP|PORT(S)|AGE", "SELECTOR"),
    ("Deployment", "NAME|READY|UP-TO-DATE|AVAILABLE|AGE", "CONTAINERS|IMAGES|SELECTOR"),
    ("ReplicaSet", "NAME|DESIRED|CURRENT|READY|AGE", "CONTAINERS|IMAGES|SELECTOR"),
    ("StatefulSet", "NAME|READY|AGE", "CONTAINERS|IMAGES"),
    (
        "DaemonSet",
        "NAME|DESIRED|CURRENT|READY|UP-TO-DATE|AVAILABLE|NODE SELECTOR|AGE",
        "CONTAINERS|IMAGES|SELECTOR",
    ),
    ("Job", "NAME|STATUS|COMPLETIONS|DURATION|AGE", "CONTAINERS|IMAGES|SELECTOR"),
    (
        "CronJob",
        "NAME|SCHEDULE|TIMEZONE|SUSPEND|ACTIVE|LAST SCHEDULE|AGE",
        "CONTAINERS|IMAGES|SELECTOR",
    ),
    ("ConfigMap", "NAME|DATA|AGE", ""),
    ("Secret", "NAME|TYPE|DATA|AGE", ""),
    ("Event", "LAST SEEN|TYPE|REASON|OBJECT|MESSAGE", "SUBOBJECT|SOURCE|FIRST SEEN|COUNT|NAME"),
    ("Namespace", "NAME|STATUS|AGE", ""),
    (
        "Node",
        "NAME|STATUS|ROLES|AGE|VERSION",
        "INTERNAL-IP|EXTERNAL-IP|OS-IMAGE|KERNEL-VERSION|CONTAINER-RUNTIME",
    ),
    ("Endpoints", "NAME|ENDPOINTS|AGE", ""),
    ("EndpointSlice", "NAME|ADDRESSTYPE|PORTS|ENDPOINTS|AGE", ""),
    (
        "PersistentVolumeClaim",
        "NAME|STATUS|VOLUME|CAPACITY|ACCESS MODES|STORAGECLASS|VOLUMEATTRIBUTESCLASS|AGE",
        "VOLUMEMODE",
    ),
    ("NetworkPolicy", "NAME|POD-SELECTOR|AGE", ""),
    ("Ingress", "NAME|CLASS|HOSTS|ADDRESS|PORTS|AGE", ""),
    ("PodDisruptionBudget", "NAME|MIN AVAILABLE|MAX UNAVAILABLE|ALLOWED DISRUPTIONS|AGE", ""),
    ("HorizontalPodAutoscaler", "NAME|REFERENCE|TARGETS|MINPODS|MAXPODS|REPLICAS|AGE", ""),
];

/// Headings, how many of them `-o wide` adds.
pub(super) fn columns(kind: &Kind) -> (Vec<&'static str>, usize) {
    let found = COLUMNS.iter().find(|(name, ..)| *name == kind.name);
    let (_, plain, wide) = found.unwrap_or(&("", "NAME|AGE", ""));
    let mut all: Vec<&str> = plain.split('|').collect();
    let wide: Vec<&str> = wide.split('|').filter(|w| !w.is_empty()).collect();
    all.extend(&wide);
    (all, wide.len())
}

fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

/// An object's cells, wide ones included.
pub(super) fn cells(cluster: &Cluster, kind: &Kind, object: &Tree) -> Vec<String> {
    let name = object.text("metadata.name").to_owned();
    let age = clock::since(object.text("metadata.creationTimestamp"), cluster.now_millis());
    match kind.name {
        "Pod" => pod(cluster, object, name, age),
        "Service" => service(object, name, age),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob" => {
            workload(cluster, kind.name, object, name, age)
        }
        "ConfigMap" => {
            let n = ["data", "binaryData"].map(|key| object.get(key).entries().len());
            vec![name, (n[0] + n[1]).to_string(), age]
        }
        "Secret" => {
            let n = object.get("data").entries().len();
            vec![name, object.text("type").to_owned(), n.to_string(), age]
        }
        "Namespace" => vec![name, object.text("status.phase").to_owned(), age],
        "Event" => event(cluster, object),
        "Node" => node(object, name, age),
        "Endpoints" => vec![name, or_none(endpoints(object)), age],
        "EndpointSlice" => slice(object, name, age),
        "NetworkPolicy" => vec![name, select::show(object.at("spec.podSelector")), age],
        _ => other(kind.name, object, name, age),
    }
}

fn pod(cluster: &Cluster, object: &Tree, name: String, age: String) -> Vec<String> {
    let mut out = vec![name.clone()];
    if let Some(What::Row { ready, total, status, restarts, restarted_at }) =
        cluster.pod_row(object)
    {
        let ago = restarted_at.filter(|_| *restarts > 0).map(|at| {
            let whole = SimTime::from_secs(at.as_secs());
            format!(" ({} ago)", human_duration(cluster.now - whole))
        });
        out.push(format!("{ready}/{total}"));
        out.push(status.clone());
        out.push(format!("{restarts}{}", ago.unwrap_or_default()));
    } else {
        out.extend(["0/0", "Pending", "0"].map(str::to_owned));
    }
    out.push(age);
    out.push(or_none(object.text("status.podIP").to_owned()));
    out.push(or_none(object.text("spec.nodeName").to_owned()));
    out.extend(["<none>".to_owned(), gates(object)]);
    out
}

fn gates(object: &Tree) -> String {
    let gates = object.at("spec.readinessGates").items();
    if gates.is_empty() {
        return "<none>".to_owned();
    }
    let conditions = object.at("status.conditions").items();
    let met = |gate: &&Tree| {
        let kind = gate.text("conditionType");
        conditions.iter().any(|c| c.text("type") == kind && c.text("status") == "True")
    };
    format!("{}/{}", gates.iter().filter(met).count(), gates.len())
}

fn service(object: &Tree, name: String, age: String) -> Vec<String> {
    let kind = object.text("spec.type");
    let external = match kind {
        "ExternalName" => object.text("spec.externalName").to_owned(),
        "LoadBalancer" => "<pending>".to_owned(),
        _ => {
            let ips: Vec<String> =
                object.at("spec.externalIPs").items().iter().map(Tree::show).collect();
            or_none(ips.join(","))
        }
    };
    let port = |port: &Tree| {
        let node = match port.int("nodePort") {
            0 => String::new(),
            number => format!(":{number}"),
        };
        format!("{}{node}/{}", port.int("port"), port.text("protocol"))
    };
    let ports: Vec<String> = object.at("spec.ports").items().iter().map(port).collect();
    let ip = or_none(object.text("spec.clusterIP").to_owned());
    let selector = select::show_map(object.at("spec.selector"));
    vec![name, kind.to_owned(), ip, external, or_none(ports.join(",")), age, selector]
}

fn workload(c: &Cluster, kind: &str, one: &Tree, name: String, age: String) -> Vec<String> {
    let number = |path: &str| one.int(path).to_string();
    let ready = || format!("{}/{}", one.int("status.readyReplicas"), one.int("spec.replicas"));
    let mut out = vec![name];
    match kind {
        "Deployment" => {
            let more = ["status.updatedReplicas", "status.availableReplicas"].map(number);
            out.push(ready());
            out.extend(more);
        }
        "ReplicaSet" => {
            let paths = ["spec.replicas", "status.replicas", "status.readyReplicas"];
            out.extend(paths.map(number));
        }
        "StatefulSet" => out.push(ready()),
        "DaemonSet" => {
            let keys = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            out.extend(keys.map(|key| number(&format!("status.{key}"))));
            out.push(select::show_map(one.at("spec.template.spec.nodeSelector")));
        }
        "Job" => job(c, one, &mut out),
        _ => {
            out.push(one.text("spec.schedule").to_owned());
            out.push(or_none(one.text("spec.timeZone").to_owned()));
            out.push(if one.is_true("spec.suspend") { "True" } else { "False" }.to_owned());
            out.push(one.at("status.active").items().len().to_string());
            out.push(match one.text("status.lastScheduleTime") {
                "" => "<none>".to_owned(),
                at => clock::since(at, c.now_millis()),
            });
        }
    }
    out.push(age);
    let inside = if kind == "CronJob" { "spec.jobTemplate.spec" } else { "spec" };
    let containers = one.at(&format!("{inside}.template.spec.containers")).items();
    for key in ["name", "image"] {
        let all: Vec<&str> = containers.iter().map(|container| container.text(key)).collect();
        out.push(all.join(","));
    }
    if kind != "StatefulSet" {
        out.push(select::show(one.at(&format!("{inside}.selector"))));
    }
    out
}

// Models printJob and getJobStatus.
fn job(cluster: &Cluster, one: &Tree, out: &mut Vec<String>) {
    let has = |kind: &str| {
        let conditions = one.at("status.conditions").items();
        conditions.iter().any(|c| c.text("type") == kind && c.text("status") == "True")
    };
    let word =
        ["Complete", "Failed"].into_iter().find(|kind| has(kind)).unwrap_or_else(|| {
            match (one.at("metadata.deletionTimestamp").is_null(), has("Suspended")) {
                (false, _) => "Terminating",
                (true, true) => "Suspended",
                _ if has("FailureTarget") => "FailureTarget",
                _ if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
                _ => "Running",
            }
        });
    let wanted = match (one.at("spec.completions"), one.int("spec.parallelism")) {
        (Tree::Int(wanted), _) => wanted.to_string(),
        (_, parallelism @ 2..) => format!("1 of {parallelism}"),
        _ => "1".to_owned(),
    };
    out.push(word.to_owned());
    out.push(format!("{}/{wanted}", one.int("status.succeeded")));
    let (from, to) = (one.text("status.startTime"), one.text("status.completionTime"));
    out.push(match (from, to) {
        ("", _) => String::new(),
        (from, "") => clock::since(from, cluster.now_millis()),
        (from, to) => clock::between(from, to),
    });
}

fn event(cluster: &Cluster, object: &Tree) -> Vec<String> {
    let now = cluster.now_millis();
    let first = match object.text("eventTime") {
        "" => object.text("firstTimestamp"),
        at => at,
    };
    let newest = match (object.text("seriesAt"), object.text("eventTime")) {
        ("", "") => object.text("lastTimestamp"),
        ("", at) => at,
        (series, at) if !at.is_empty() => series,
        _ => object.text("lastTimestamp"),
    };
    let last = if newest.is_empty() { first } else { newest };
    let seen = clock::since(last, now);
    let of = |path: &str| object.text(path).to_owned();
    let target =
        format!("{}/{}", of("involvedObject.kind").to_lowercase(), of("involvedObject.name"));
    let message = of("message").trim().to_owned();
    let (sub, by) = (of("involvedObject.fieldPath"), of("source.component"));
    let (count, name) = (object.int("count").to_string(), of("metadata.name"));
    let first = clock::since(first, now);
    vec![seen, of("type"), of("reason"), target, message, sub, by, first, count, name]
}

fn node(object: &Tree, name: String, age: String) -> Vec<String> {
    let conditions = object.at("status.conditions").items();
    let ready = conditions.iter().find(|c| c.text("type") == "Ready");
    let mut status = match ready.map(|c| c.text("status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object.is_true("spec.unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    let info = |key: &str| object.text(&format!("status.nodeInfo.{key}")).to_owned();
    let addresses = object.at("status.addresses").items();
    let ip = addresses.iter().find(|a| a.text("type") == "InternalIP");
    let ip = or_none(ip.map_or(String::new(), |a| a.text("address").to_owned()));
    let roles = object
        .at("metadata.labels")
        .entries()
        .iter()
        .filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/").map(str::to_owned));
    let roles = or_none(roles.collect::<Vec<_>>().join(","));
    vec![
        name,
        status,
        roles,
        age,
        info("kubeletVersion"),
        ip,
        "<none>".to_owned(),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

/// At most three, then how many more.
fn some(list: &[String]) -> String {
    let shown = list.iter().take(3).cloned().collect::<Vec<_>>().join(",");
    match list.len() {
        0..=3 => shown,
        n => format!("{shown} + {} more...", n - 3),
    }
}

fn endpoints(object: &Tree) -> String {
    let mut all = Vec::new();
    for subset in object.get("subsets").items() {
        let ips: Vec<&str> = subset.get("addresses").items().iter().map(|a| a.text("ip")).collect();
        let ports = subset.get("ports").items();
        if ports.is_empty() {
            all.extend(ips.iter().map(|ip| (*ip).to_owned()));
        }
        for port in ports {
            all.extend(ips.iter().map(|ip| format!("{ip}:{}", port.int("port"))));
        }
    }
    some(&all)
}

fn slice(object: &Tree, name: String, age: String) -> Vec<String> {
    let ports: Vec<String> =
        object.get("ports").items().iter().map(|p| p.int("port").to_string()).collect();
    let all: Vec<String> =
        object.get("endpoints").items().iter().map(|e| e.text("addresses.0").to_owned()).collect();
    let ports = if ports.is_empty() { "<unset>".to_owned() } else { some(&ports) };
    let all = if all.is_empty() { "<unset>".to_owned() } else { some(&all) };
    vec![name, object.text("addressType").to_owned(), ports, all, age]
}

/// Kinds the simulation keeps and does not run: what their manifests say.
fn other(kind: &str, one: &Tree, name: String, age: String) -> Vec<String> {
    let shown = |path: &str, none: &str| match one.at(path).show() {
        text if text.is_empty() => none.to_owned(),
        text => text,
    };
    let mut out = vec![name];
    match kind {
        "PersistentVolumeClaim" => out.extend(claim(one, age)),
        "Ingress" => {
            let rules = one.at("spec.rules").items();
            let hosts: Vec<&str> = rules.iter().map(|rule| rule.text("host")).collect();
            let hosts: Vec<&str> = hosts.into_iter().filter(|h| !h.is_empty()).collect();
            let hosts = if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") };
            let tls = !one.at("spec.tls").items().is_empty();
            let ports = if tls { "80, 443" } else { "80" }.to_owned();
            out.extend([
                shown("spec.ingressClassName", "<none>"),
                hosts,
                balancers(one),
                ports,
                age,
            ]);
        }
        "PodDisruptionBudget" => out.extend([
            shown("spec.minAvailable", "N/A"),
            shown("spec.maxUnavailable", "N/A"),
            shown("status.disruptionsAllowed", "0"),
            age,
        ]),
        "HorizontalPodAutoscaler" => {
            let target = one.at("spec.scaleTargetRef");
            out.push(format!("{}/{}", target.text("kind"), target.text("name")));
            out.push(or_none(goals(one)));
            out.extend([
                shown("spec.minReplicas", "1"),
                shown("spec.maxReplicas", "0"),
                shown("status.currentReplicas", "0"),
                age,
            ]);
        }
        _ => out.push(age),
    }
    out
}

/// `cpu: 35%/70%, memory: <unknown>/80Mi` of an autoscaler; of many the first two.
/// Models formatHPAMetrics.
fn goals(one: &Tree) -> String {
    const SHOWN_MAX: usize = 2;
    let metrics = one.at("spec.metrics").items();
    let goal = |(i, metric): (usize, &Tree)| {
        let (key, named) = match metric.text("type") {
            "Resource" => ("resource", true),
            "ContainerResource" => ("containerResource", true),
            "Pods" => ("pods", false),
            "Object" => ("object", false),
            "External" => ("external", false),
            _ => return "<unknown type>".to_owned(),
        };
        let (of, now) = (metric.get(key), one.at(&format!("status.currentMetrics.{i}")).get(key));
        let values = ["averageUtilization", "averageValue", "value"];
        let value = values.into_iter().find(|value| !of.get("target").get(value).is_null());
        let Some(value) = value else { return "<auto>".to_owned() };
        let percent = if value == "averageUtilization" { "%" } else { "" };
        let seen = match now.get("current").get(value).show() {
            text if text.is_empty() => "<unknown>".to_owned(),
            text => text + percent,
        };
        let average =
            if !named && key != "pods" && value == "averageValue" { " (avg)" } else { "" };
        let name = if named { format!("{}: ", of.text("name")) } else { String::new() };
        format!("{name}{seen}/{}{percent}{average}", of.get("target").get(value).show())
    };
    let shown: Vec<String> = metrics.iter().enumerate().take(SHOWN_MAX).map(goal).collect();
    match metrics.len() {
        0..=SHOWN_MAX => shown.join(", "),
        n => format!("{} + {} more...", shown.join(", "), n - SHOWN_MAX),
    }
}

/// `RWO,ROX`.
pub(super) fn access_modes(modes: &Tree) -> String {
    let short = modes.items().iter().map(|mode| match mode.str() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        _ => "RWOP",
    });
    short.collect::<Vec<_>>().join(",")
}

/// Addresses of a load balancer in front of it.
pub(super) fn balancers(one: &Tree) -> String {
    let all = one.at("status.loadBalancer.ingress").items().iter();
    let all = all.map(|at| match at.text("ip") {
        "" => at.text("hostname"),
        ip => ip,
    });
    all.collect::<Vec<_>>().join(",")
}

fn claim(one: &Tree, age: String) -> Vec<String> {
    let shown = |path: &str, none: &str| match one.at(path).show() {
        text if text.is_empty() => none.to_owned(),
        text => text,
    };
    let bound = one.text("status.phase") == "Bound";
    let modes = if bound { access_modes(one.at("spec.accessModes")) } else { String::new() };
    vec![
        shown("status.phase", "Pending"),
        shown("spec.volumeName", ""),
        shown("status.capacity.storage", ""),
        modes,
        shown("spec.storageClassName", ""),
        shown("spec.volumeAttributesClassName", "<unset>"),
        age,
        shown("spec.volumeMode", "Filesystem"),
    ]
}
