//! Containers and pod templates as `describe` shows them.

use super::tabs::Page;
use super::{annotations, clock, labels, or, pod, truth, volumes};
use crate::kube::quantity::Quantity;
use crate::kube::tree::Tree;
use crate::order::Order;

/// Models describeContainers. `pod` is there where values of its fields are.
pub(super) fn list(
    page: &mut Page,
    title: &str,
    spec: &Tree,
    status: &Tree,
    pod: Option<&Tree>,
    indent: &str,
) {
    let (specs, states) = match title {
        "Init Containers" => ("initContainers", "initContainerStatuses"),
        "Containers" => ("containers", "containerStatuses"),
        _ => ("ephemeralContainers", "ephemeralContainerStatuses"),
    };
    let all = spec.get(specs).items();
    let none = if all.is_empty() { " <none>" } else { "" };
    page.put(0, format_args!("{indent}{title}:{none}\n"));
    let states = status.get(states).items();
    for one in all {
        let state = states.iter().find(|state| state.text("name") == one.text("name"));
        basic(page, one, state, if indent.is_empty() { "" } else { " " });
        for (title, key) in [("Command", "command"), ("Args", "args")] {
            let words = one.get(key).items();
            if !words.is_empty() {
                page.put(2, format_args!("{title}:\n"));
            }
            for line in words.iter().flat_map(|word| word.str().split('\n')) {
                page.line(3, line);
            }
        }
        if let Some(state) = state {
            states_of(page, state);
        }
        resources(page, one.get("resources"));
        for (title, key) in [
            ("Liveness", "livenessProbe"),
            ("Readiness", "readinessProbe"),
            ("Startup", "startupProbe"),
        ] {
            if !one.get(key).is_null() {
                page.field(2, title, &probe(one.get(key)));
            }
        }
        environment(page, one, pod);
        mounts(page, one);
    }
}

fn basic(page: &mut Page, one: &Tree, state: Option<&Tree>, indent: &str) {
    page.put(1, format_args!("{indent}{}:\n", one.text("name")));
    if let Some(state) = state {
        page.field(2, "Container ID", state.text("containerID"));
    }
    page.field(2, "Image", one.text("image"));
    if let Some(state) = state {
        page.field(2, "Image ID", state.text("imageID"));
    }
    for (title, key) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let port = |port: &Tree| {
            let name = match port.text("name") {
                "" => String::new(),
                name => format!(" ({name})"),
            };
            format!("{}/{}{name}", port.int(key), or(port.text("protocol"), "TCP"))
        };
        let all: Vec<String> = one.get("ports").items().iter().map(port).collect();
        let plural = if all.len() > 1 { "s" } else { "" };
        page.put(2, format_args!("{title}{plural}:\t{}\n", or(&all.join(", "), "<none>")));
    }
    let profile = one.at("securityContext.seccompProfile");
    if !profile.is_null() {
        page.field(2, "SeccompProfile", profile.text("type"));
    }
}

fn states_of(page: &mut Page, state: &Tree) {
    stage(page, "State", state.get("state"));
    if !state.at("lastState.terminated").is_null() {
        stage(page, "Last State", state.get("lastState"));
    }
    page.field(2, "Ready", truth(state.get("ready")));
    page.field(2, "Restart Count", &state.int("restartCount").to_string());
}

/// Models describeStatus.
fn stage(page: &mut Page, title: &str, state: &Tree) {
    let found = ["running", "waiting", "terminated"].into_iter().find(|k| !state.get(k).is_null());
    let inside = state.get(found.unwrap_or("waiting"));
    match found {
        Some("running") => {
            page.field(2, title, "Running");
            page.field(3, "Started", &clock::written(inside.text("startedAt")));
        }
        Some("terminated") => {
            page.field(2, title, "Terminated");
            for (label, key) in [("Reason", "reason"), ("Message", "message")] {
                if !inside.text(key).is_empty() {
                    page.field(3, label, inside.text(key));
                }
            }
            page.field(3, "Exit Code", &inside.int("exitCode").to_string());
            page.field(3, "Started", &clock::written(inside.text("startedAt")));
            page.field(3, "Finished", &clock::written(inside.text("finishedAt")));
        }
        _ => {
            page.field(2, title, "Waiting");
            if !inside.text("reason").is_empty() {
                page.field(3, "Reason", inside.text("reason"));
            }
        }
    }
}

fn resources(page: &mut Page, resources: &Tree) {
    for (title, key) in [("Limits", "limits"), ("Requests", "requests")] {
        let all = resources.get(key).entries();
        if !all.is_empty() {
            page.put(2, format_args!("{title}:\n"));
        }
        for (name, amount) in all {
            page.field(3, name, &quantity(amount.str()));
        }
    }
}

/// An amount as the server writes it.
pub(super) fn quantity(text: &str) -> String {
    Quantity::parse(text).map_or_else(|_| text.to_owned(), |amount| amount.to_string())
}

/// Models DescribeProbe.
fn probe(probe: &Tree) -> String {
    let number = |key: &str, default: i64| match probe.get(key) {
        Tree::Int(number) => *number,
        _ => default,
    };
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        number("initialDelaySeconds", 0),
        number("timeoutSeconds", 1),
        number("periodSeconds", 10),
        number("successThreshold", 1),
        number("failureThreshold", 3)
    );
    let of = |path: &str| probe.at(path).show();
    let what = if !probe.get("exec").is_null() {
        let words: Vec<&str> = probe.at("exec.command").items().iter().map(Tree::str).collect();
        format!("exec [{}]", words.join(" "))
    } else if !probe.get("httpGet").is_null() {
        let scheme = of("httpGet.scheme").to_lowercase();
        let host = of("httpGet.host");
        let host = if host.contains(':') { format!("[{host}]") } else { host };
        let path = of("httpGet.path");
        let slash = if path.starts_with('/') || path.is_empty() { "" } else { "/" };
        let (scheme, port) = (or(&scheme, "http"), of("httpGet.port"));
        format!("http-get {scheme}://{host}:{port}{slash}{}", escaped(&path))
    } else if !probe.get("tcpSocket").is_null() {
        format!("tcp-socket {}:{}", of("tcpSocket.host"), of("tcpSocket.port"))
    } else if !probe.get("grpc").is_null() {
        format!("grpc <pod>:{} {}", of("grpc.port"), of("grpc.service"))
    } else {
        "unknown".to_owned()
    };
    format!("{what} {attributes}")
}

/// A path as a URL writes it.
fn escaped(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3F").replace(' ', "%20").replace('#', "%23")
}

/// Models describeContainerEnvFrom and describeContainerEnvVars.
fn environment(page: &mut Page, one: &Tree, pod: Option<&Tree>) {
    let from = one.get("envFrom").items();
    if !from.is_empty() {
        page.line(2, "Environment Variables from:");
    }
    for source in from {
        let (kind, key) = match source.get("configMapRef").is_null() {
            false => ("ConfigMap", "configMapRef"),
            true => ("Secret", "secretRef"),
        };
        let prefix = match source.text("prefix") {
            "" => String::new(),
            prefix => format!(" with prefix '{prefix}'"),
        };
        let (of, optional) = (source.get(key), source.get(key).is_true("optional"));
        let name = of.text("name");
        page.put(3, format_args!("{name}\t{kind}{prefix}\tOptional: {optional}\n"));
    }
    let all = one.get("env").items();
    let none = if all.is_empty() { "\t<none>" } else { "" };
    page.put(2, format_args!("Environment:{none}\n"));
    for var in all {
        variable(page, one, var, pod);
    }
}

fn variable(page: &mut Page, one: &Tree, var: &Tree, pod: Option<&Tree>) {
    let (name, from) = (var.text("name"), var.get("valueFrom"));
    if from.is_null() {
        for (i, line) in var.text("value").split('\n').enumerate() {
            let lead = if i == 0 { format!("{name}:") } else { String::new() };
            page.put(3, format_args!("{lead}\t{line}\n"));
        }
        return;
    }
    let (field, resource) = (from.get("fieldRef"), from.get("resourceFieldRef"));
    for (key, set) in [("secretKeyRef", "in secret"), ("configMapKeyRef", "of config map")] {
        let source = from.get(key);
        if !source.is_null() {
            let (key, of, optional) =
                (source.text("key"), source.text("name"), source.is_true("optional"));
            page.put(
                3,
                format_args!(
                    "{name}:\t<set to the key '{key}' {set} '{of}'>\tOptional: {optional}\n"
                ),
            );
        }
    }
    if !field.is_null() {
        let path = field.text("fieldPath");
        let value = pod.map_or(String::new(), |pod| field_value(pod, path));
        let version = or(field.text("apiVersion"), "v1");
        page.put(3, format_args!("{name}:\t{value} ({version}:{path})\n"));
    } else if !resource.is_null() {
        let path = resource.text("resource");
        let value = resource_value(one, path, resource.at("divisor").str());
        page.put(3, format_args!("{name}:\t{value} ({path})\n"));
    }
}

/// Models fieldpath.ExtractFieldPathAsString.
fn field_value(pod: &Tree, path: &str) -> String {
    if let Some((map, key)) = path.split_once('[') {
        let key = key.trim_end_matches(']').trim_matches(['\'', '"']);
        return pod.at(map).get(key).show();
    }
    pod.at(path).show()
}

/// Models resource.ExtractContainerResourceValue.
fn resource_value(one: &Tree, path: &str, divisor: &str) -> String {
    let amount = Quantity::parse(one.text(&format!("resources.{path}")));
    let divisor = Quantity::parse(divisor).ok().filter(|d| !d.is_zero());
    let divisor = divisor.map_or(1_000, Quantity::milli);
    match amount {
        Ok(amount) if !amount.is_zero() => {
            let (milli, rest) = (amount.milli() / divisor, amount.milli() % divisor);
            (milli + i64::from(rest > 0)).to_string()
        }
        _ if path.starts_with("limits.") => "node allocatable".to_owned(),
        _ => "0".to_owned(),
    }
}

fn mounts(page: &mut Page, one: &Tree) {
    let mut all: Vec<&Tree> = one.get("volumeMounts").items().iter().collect();
    all.order_by_key(|mount| mount.text("mountPath"));
    let none = if all.is_empty() { "\t<none>" } else { "" };
    page.put(2, format_args!("Mounts:{none}\n"));
    for mount in all {
        let mode = if mount.is_true("readOnly") { "ro" } else { "rw" };
        let sub = match mount.text("subPath") {
            "" => String::new(),
            path => format!(",path={path:?}"),
        };
        let (path, name) = (mount.text("mountPath"), mount.text("name"));
        page.put(3, format_args!("{path} from {name} ({mode}{sub})\n"));
    }
}

/// Models DescribePodTemplate.
pub(super) fn template(page: &mut Page, template: &Tree) {
    let spec = template.get("spec");
    page.line(0, "Pod Template:");
    labels(page, "", "  Labels", template.at("metadata.labels"));
    if !template.at("metadata.annotations").entries().is_empty() {
        annotations(page, "  Annotations", template.at("metadata.annotations"));
    }
    if !spec.text("serviceAccountName").is_empty() {
        page.field(1, "Service Account", spec.text("serviceAccountName"));
    }
    if !spec.get("initContainers").items().is_empty() {
        list(page, "Init Containers", spec, &Tree::Null, None, "  ");
    }
    list(page, "Containers", spec, &Tree::Null, None, "  ");
    volumes::list(page, spec.get("volumes").items(), "  ");
    pod::spread(page, "  ", spec.get("topologySpreadConstraints").items());
    if !spec.text("priorityClassName").is_empty() {
        page.field(1, "Priority Class Name", spec.text("priorityClassName"));
    }
    labels(page, "", "  Node-Selectors", spec.get("nodeSelector"));
    pod::tolerations(page, "  ", spec.get("tolerations").items());
}

/// A template on its own, as `rollout history --revision` prints it: tabs stay tabs.
pub(in crate::kubectl) fn pod_template(tree: &Tree) -> String {
    let mut page = Page::default();
    template(&mut page, tree);
    page.raw()
}
