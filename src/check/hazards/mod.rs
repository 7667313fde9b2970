//! Accepted by the server, but it will fail or mislead when it runs. Few and right rather than
//! many: each of these has a cause a learner can see in the manifest at hand.

mod between;
mod container;

use super::cursor::At;
use super::fix;
use super::report::Report;
use super::rules::selector;
use crate::shell::syntax;
use crate::text::Span;
use crate::yaml::{Node, Value};
use std::collections::BTreeSet;

/// The pods a manifest makes: the labels and the spec of each.
pub(super) struct Pod<'a> {
    pub kind: &'a str,
    /// Of the object that makes them.
    pub name: &'a str,
    /// That object.
    pub maker: At<'a>,
    pub labels: At<'a>,
    /// Keys and values of the labels, read once: Services ask them all.
    pub pairs: Vec<(&'a str, &'a str)>,
    pub spec: At<'a>,
}

/// Looks at all objects of a manifest together.
pub(super) fn of(roots: &[&Node], practices: bool, r: &mut Report) {
    let objects: Vec<At> = roots.iter().map(|root| At::root(root)).collect();
    let pods: Vec<Pod> = objects.iter().filter_map(pod_of).collect();
    if practices {
        super::practices::of(&objects, &pods, r);
    }
    between::of(&objects, &pods, r);
    for pod in &pods {
        container::of(pod, r);
        references(pod, &objects, r);
        unused_volumes(pod, r);
        probe_ports(pod, r);
        scripts(pod, r);
        if matches!(pod.kind, "Job" | "CronJob") {
            endless_in_job(pod, r);
        }
    }
    // Kinds that only others know make pods from templates as well.
    let strange = objects.iter().filter(|o| pod_of(o).is_none());
    let strange: Vec<At> = strange.map(|o| o.get("spec.template.metadata.labels")).collect();
    let strange: Vec<At> = strange.into_iter().filter(At::here).collect();
    for service in objects.iter().filter(|o| o.str_of("kind") == "Service") {
        unselected(&service.get("spec"), &strange, &pods, r);
    }
}

/// The pods an object makes, if it makes any.
pub(super) fn pod_of<'a>(root: &At<'a>) -> Option<Pod<'a>> {
    let kind = root.str_of("kind");
    let at = match kind {
        "Pod" => root.clone(),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "Job"
        | "ReplicationController" => root.get("spec.template"),
        "CronJob" => root.get("spec.jobTemplate.spec.template"),
        _ => return None,
    };
    let name = root.get("metadata").str_of("name");
    let labels = at.get("metadata.labels");
    let pairs = labels.entries().iter().map(|(e, value)| (e.key.as_str(), value.str())).collect();
    Some(Pod { kind, name, maker: root.clone(), labels, pairs, spec: at.get("spec") })
}

pub(super) fn containers<'a>(spec: &At<'a>) -> Vec<At<'a>> {
    let mut all = spec.get("initContainers").items();
    all.extend(spec.get("containers").items());
    all
}

/// ConfigMaps, Secrets and claims a pod cannot start without.
fn references(pod: &Pod, objects: &[At], r: &mut Report) {
    // A StatefulSet puts its own claim in the place of a volume of that name.
    let claims = pod.maker.get("spec.volumeClaimTemplates").items();
    let claimed = |name: &str| claims.iter().any(|c| c.get("metadata").str_of("name") == name);
    for volume in pod.spec.get("volumes").items() {
        if claimed(volume.str_of("name")) {
            continue;
        }
        for (key, kind, name) in [
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("persistentVolumeClaim", "PersistentVolumeClaim", "claimName"),
        ] {
            let at = volume.get(key);
            if at.here() {
                reference(&at, &at.get(name), kind, None, objects, r);
            }
        }
        for source in volume.get("projected.sources").items() {
            for (key, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                let at = source.get(key);
                reference(&at, &at.get("name"), kind, None, objects, r);
            }
        }
    }
    for container in containers(&pod.spec) {
        for one in container.get("envFrom").items() {
            for (key, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                let at = one.get(key);
                reference(&at, &at.get("name"), kind, None, objects, r);
            }
        }
        for one in container.get("env").items() {
            for (key, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
                let at = one.get("valueFrom").get(key);
                reference(&at, &at.get("name"), kind, Some(&at.get("key")), objects, r);
            }
        }
    }
}

fn reference(at: &At, name: &At, kind: &str, key: Option<&At>, objects: &[At], r: &mut Report) {
    // Each namespace has this one from the start.
    let given = name.str() == "kube-root-ca.crt";
    let made = objects.iter().any(|object| makes(object, kind, name.str()));
    if name.str().is_empty() || at.get("optional").bool() || given || made {
        return;
    }
    let of_kind = || objects.iter().filter(|o| o.str_of("kind") == kind);
    let names: Vec<&str> = of_kind().map(|o| o.get("metadata").str_of("name")).collect();
    let found = of_kind().find(|o| o.get("metadata").str_of("name") == name.str());
    let Some(found) = found else {
        let fix = fix::nearest_value(r.text, name, &names);
        let text = format!("no {kind} `{}` in this manifest", name.str());
        let one = r.hazard("dangling-reference", name, text);
        one.help = Some(match kind {
            "PersistentVolumeClaim" => {
                "The pod stays Pending until a claim of that name exists.".to_owned()
            }
            _ => format!(
                "The container waits until a {kind} of that name exists, unless the reference is \
                 `optional: true`."
            ),
        });
        one.fixes.extend(fix);
        return;
    };
    if let Some(key) = key.filter(|key| !key.str().is_empty()) {
        missing_key(found, key, kind, r);
    }
}

/// Whether an object has another one made of this kind and name.
fn makes(object: &At, kind: &str, name: &str) -> bool {
    let (own, spec) = (object.get("metadata").str_of("name"), object.get("spec"));
    match (object.str_of("kind"), kind) {
        ("SealedSecret", "Secret") => {
            let other = spec.get("template.metadata").str_of("name");
            name == if other.is_empty() { own } else { other }
        }
        ("ExternalSecret", "Secret") => {
            let other = spec.get("target").str_of("name");
            name == if other.is_empty() { own } else { other }
        }
        ("Certificate", "Secret") => name == spec.str_of("secretName"),
        ("StatefulSet", "PersistentVolumeClaim") => {
            spec.get("volumeClaimTemplates").items().iter().any(|claim| {
                let before = format!("{}-{own}-", claim.get("metadata").str_of("name"));
                name.strip_prefix(&before).is_some_and(|n| n.parse::<u32>().is_ok())
            })
        }
        _ => false,
    }
}

fn missing_key(object: &At, key: &At, kind: &str, r: &mut Report) {
    let lists = ["data", "stringData", "binaryData"];
    let entries = lists.iter().flat_map(|list| object.get(list).entries());
    let keys: Vec<&str> = entries.map(|(e, _)| e.key.as_str()).collect();
    if keys.contains(&key.str()) {
        return;
    }
    let name = object.get("metadata").str_of("name");
    let fix = fix::nearest_value(r.text, key, &keys);
    let text = format!("{kind} `{name}` has no key `{}`", key.str());
    let one = r.hazard("dangling-key", key, text);
    one.help = Some("The container waits in CreateContainerConfigError until it has.".to_owned());
    one.fixes.extend(fix);
}

fn unused_volumes(pod: &Pod, r: &mut Report) {
    let mounted: BTreeSet<&str> = containers(&pod.spec)
        .iter()
        .flat_map(|c| ["volumeMounts", "volumeDevices"].map(|list| c.get(list).items()))
        .flatten()
        .map(|mount| mount.str_of("name"))
        .collect();
    for volume in pod.spec.get("volumes").items() {
        let name = volume.get("name");
        if !name.str().is_empty() && !mounted.contains(name.str()) {
            let text = format!("no container mounts the volume `{}`", name.str());
            r.hazard("unused-volume", &name, text).help = Some(
                "A volume is seen by those containers only that name it in `volumeMounts`."
                    .to_owned(),
            );
        }
    }
}

/// A probe by name needs the name; one by number of a port its own container does not declare
/// most likely asks the wrong container.
fn probe_ports(pod: &Pod, r: &mut Report) {
    for container in containers(&pod.spec) {
        let ports = container.get("ports").items();
        let names: Vec<&str> = ports.iter().map(|p| p.str_of("name")).collect();
        let numbers: Vec<i64> = ports.iter().filter_map(|p| p.get("containerPort").int()).collect();
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            for handler in ["httpGet", "tcpSocket", "grpc"] {
                let port = container.get(probe).get(handler).get("port");
                if !port.str().is_empty() && !names.contains(&port.str()) {
                    let fix = fix::nearest_value(r.text, &port, &names);
                    let text = format!("no port of this container is called `{}`", port.str());
                    let one = r.hazard("probe-port", &port, text);
                    one.help = Some("The probe fails each time it is due.".to_owned());
                    one.fixes.extend(fix);
                } else if let Some(number) = port.int()
                    && !numbers.is_empty()
                    && !numbers.contains(&number)
                {
                    let text = format!("this container does not declare port {number}");
                    let help = "Declaring ports changes nothing, but a probe of another port than \
                                those declared is most often a slip.";
                    r.hazard("probe-port", &port, text).help = Some(help.to_owned());
                }
            }
        }
    }
}

/// Shells whose scripts the lab can read.
const SHELLS: [&str; 4] = ["sh", "/bin/sh", "ash", "/bin/ash"];

/// Programs that start another one which their arguments name.
const STARTERS: [&str; 8] =
    ["timeout", "env", "nice", "nohup", "setsid", "exec", "/sbin/tini", "dumb-init"];

/// Where containers say what to run, besides `command` and `args`.
const HOOKS: [[&str; 2]; 5] = [
    ["lifecycle", "postStart"],
    ["lifecycle", "preStop"],
    ["livenessProbe", ""],
    ["readinessProbe", ""],
    ["startupProbe", ""],
];

/// A script the shell will stop at: what stands before the error runs, nothing after it does.
fn scripts(pod: &Pod, r: &mut Report) {
    for container in containers(&pod.spec) {
        let mut words = container.get("command").items();
        words.extend(container.get("args").items());
        script(&words, r);
        for [key, hook] in HOOKS {
            let holder = container.get(key);
            let holder = if hook.is_empty() { holder } else { holder.get(hook) };
            script(&holder.get("exec").get("command").items(), r);
        }
    }
}

/// Checks `sh -c SCRIPT`, also behind a `timeout 5` or the like.
fn script(words: &[At], r: &mut Report) {
    let Some(shell) = words.iter().position(|word| SHELLS.contains(&word.str())) else { return };
    if shell > 0 && !STARTERS.contains(&words[0].str()) {
        return;
    }
    let is_flag = |w: &At| w.str().starts_with('-') && w.str().ends_with('c');
    let rest = &words[shell + 1..];
    let flag = rest.iter().position(is_flag);
    let Some(script) = flag.and_then(|i| rest.get(i + 1)) else { return };
    let Some((offset, message)) = syntax::parse_check(script.str()) else { return };
    let upto = script.str().get(..offset as usize).unwrap_or(script.str());
    let line = upto.matches('\n').count() + 1;
    let column = upto.len() - upto.rfind('\n').map_or(0, |at| at + 1);
    let text = format!("sh: line {line}: {message}");
    let at = At { span: place(script, line, column, r.text), ..script.clone() };
    r.hazard("shell-syntax", &at, text).help =
        Some("The shell ends with status 2 when it comes to this line.".to_owned());
}

/// Where a word of a script stands in the manifest, counted from its line's start; its whole line
/// where no word stands there, and the whole script where lines are not plain.
fn place(script: &At, line: usize, column: usize, text: &str) -> Span {
    let Some(Value::Str(scalar)) = script.node.map(|n| &n.value) else { return script.span };
    let before = scalar.text.split_inclusive('\n').take(line - 1);
    let start: usize = before.map(str::len).sum();
    let of_line = scalar.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
    let word = of_line.get(column..).unwrap_or("");
    let length = word.find([' ', '\t', ';', ')']).map_or(word.len(), |at| at.max(1));
    let from = match length {
        0 => of_line.len() - of_line.trim_start().len(),
        _ => column,
    };
    let to = if length == 0 { of_line.trim_end().len() } else { column + length };
    let offset = |at: usize| scalar.source_offset(u32::try_from(at).unwrap_or(u32::MAX)) as usize;
    let (from, to) = (offset(start + from), offset(start + to));
    match text.get(from..to) {
        Some(found) if !found.is_empty() && !found.contains('\n') => Span::new(from, to),
        _ => script.span,
    }
}

/// What says plainly that a command never ends.
const ENDLESS: [&str; 8] = [
    "tail -f",
    "tail -F",
    "tail -n0 -f",
    "tail -n0 -F",
    "while true",
    "while :",
    "sleep infinity",
    "sleep inf",
];

fn never_ends(container: &At) -> bool {
    let words = ["command", "args"].map(|key| container.get(key).items());
    let words: Vec<&str> = words.iter().flatten().map(At::str).collect();
    let script = words.join(" ");
    // A loop that can be left ends; so does what runs in the background of a script.
    let ends = ["break", "exit", "return", "timeout", "kill", "&\n", "& "];
    let breaks = ends.iter().any(|word| script.contains(word));
    ENDLESS.iter().any(|sign| script.contains(sign)) && !breaks
}

/// A Job is done when all its containers are, so a sidecar among them keeps it from ending.
fn endless_in_job(pod: &Pod, r: &mut Report) {
    let list = pod.spec.get("containers").items();
    if list.len() < 2 {
        return;
    }
    for container in list {
        if never_ends(&container) {
            let name = container.get("name");
            let text = format!("`{}` never ends, so the Job never completes", name.str());
            r.hazard("sidecar-in-job", &name, text).help = Some(
                "Move it to `initContainers` with `restartPolicy: Always`: the kubelet stops such \
                 a sidecar when the other containers are done."
                    .to_owned(),
            );
        }
    }
}

/// Labels that controllers give their pods themselves: (kind, key).
const GIVEN: [(&str, &str); 7] = [
    ("StatefulSet", "statefulset.kubernetes.io/pod-name"),
    ("StatefulSet", "apps.kubernetes.io/pod-index"),
    ("StatefulSet", "controller-revision-hash"),
    ("DaemonSet", "controller-revision-hash"),
    ("Deployment", "pod-template-hash"),
    ("Job", "job-name"),
    ("Job", "batch.kubernetes.io/job-name"),
];

/// Whether pods have all these labels, or will have.
fn selects(wanted: &[(&str, &str)], pod: &Pod) -> bool {
    wanted.iter().all(|pair| GIVEN.contains(&(pod.kind, pair.0)) || pod.pairs.contains(pair))
}

/// A Service that selects none of the pods next to it, or a port by a name none of them has.
fn unselected(spec: &At, strange: &[At], pods: &[Pod], r: &mut Report) {
    let wanted = spec.get("selector");
    if pods.is_empty() || wanted.len() == 0 {
        return;
    }
    let pairs = wanted.entries();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(e, at)| (e.key.as_str(), at.str())).collect();
    let selected: Vec<&Pod> = pods.iter().filter(|pod| selects(&pairs, pod)).collect();
    if selected.is_empty() && strange.iter().any(|at| selector::matches_labels(&wanted, at)) {
        return;
    }
    if selected.is_empty() {
        let text = "this Service selects none of the pods in this manifest".to_owned();
        let one = r.hazard("selects-nothing", &wanted, text);
        one.help = Some(
            "A Service passes traffic to pods that have all labels of its `selector`.".to_owned(),
        );
        one.related.extend(
            pods.iter()
                .take(3)
                .map(|pod| (pod.labels.span, "the labels of these pods are here".to_owned())),
        );
        return;
    }
    let ports = spec.get("ports").items();
    if ports.iter().all(|port| port.str_of("targetPort").is_empty()) {
        return;
    }
    let names: Vec<&str> = selected
        .iter()
        .flat_map(|pod| containers(&pod.spec))
        .flat_map(|c| c.get("ports").items())
        .map(|port| port.str_of("name"))
        .collect();
    for port in ports {
        let target = port.get("targetPort");
        if !target.str().is_empty() && !names.contains(&target.str()) {
            let fix = fix::nearest_value(r.text, &target, &names);
            let text = format!("no port of the selected pods is called `{}`", target.str());
            let one = r.hazard("target-port", &target, text);
            one.help = Some("The Service has no endpoint for this port.".to_owned());
            one.fixes.extend(fix);
        }
    }
}
