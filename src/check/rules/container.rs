//! Containers, init containers and sidecars.
//! Models pkg/apis/core/validation validateContainers and validateInitContainers (v1.36).

use super::pod::Ctx;
use super::{env, handler, resources, security};
use crate::check::cursor::At;
use crate::check::fix;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use std::collections::BTreeSet;

pub(in crate::check) const PULL_POLICIES: &[&str] = &["Always", "IfNotPresent", "Never"];
const POLICIES: &[&str] = &["Always", "Never", "OnFailure"];
const NOT_FOR_INIT: &str = "may not be set for init containers without restartPolicy=Always";

/// `spec.containers`.
pub(in crate::check) fn apps(list: &At, ctx: &Ctx, r: &mut Report) {
    if list.len() == 0 {
        r.required(list, "");
        return;
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let containers = list.items();
    for one in &containers {
        common(one, ctx, r);
        let name = one.get("name");
        if !seen.insert(name.str()) {
            r.duplicate(&name).code = "duplicate-name".into();
        }
        handler::all(one, ctx.grace, r);
        restart_policy(one, r);
    }
    host_ports(&containers, ctx, r);
}

/// `spec.initContainers`, sidecars among them.
pub(in crate::check) fn inits(list: &At, main: &At, ctx: &Ctx, r: &mut Report) {
    let mains = main.items();
    let mut seen: BTreeSet<&str> = mains.iter().map(|c| c.str_of("name")).collect();
    for one in list.items() {
        common(&one, ctx, r);
        init_restart_policy(&one, r);
        let name = one.get("name");
        if !seen.insert(name.str()) && !name.str().is_empty() {
            r.duplicate(&name).code = "duplicate-name".into();
        }
        host_ports(std::slice::from_ref(&one), ctx, r);
        let sidecar = one.str_of("restartPolicy") == "Always";
        if sidecar {
            handler::all(&one, ctx.grace, r);
        } else {
            for key in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
                forbidden_for_init(&one, key, r);
            }
        }
        if !sidecar {
            for policy in one.get("resizePolicy").items() {
                let restart = policy.get("restartPolicy");
                if restart.str() == "RestartContainer" {
                    let text = "must not be set to 'RestartContainer' for non-sidecar \
                                initContainers";
                    r.invalid(&restart, text);
                }
            }
        }
    }
}

/// Fields that a container for debugging may not have, in the server's order.
const NOT_EPHEMERAL: [&str; 9] = [
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "restartPolicyRules",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

/// `spec.ephemeralContainers`. Models validateEphemeralContainers.
pub(in crate::check) fn ephemeral(spec: &At, ctx: &Ctx, r: &mut Report) {
    let lists = ["containers", "initContainers"].map(|key| spec.get(key).items());
    let others: Vec<&str> = lists.iter().flatten().map(|c| c.str_of("name")).collect();
    let mut seen = others.clone();
    for one in spec.get("ephemeralContainers").items() {
        common(&one, ctx, r);
        let (name, target) = (one.get("name"), one.get("targetContainerName"));
        if seen.contains(&name.str()) {
            r.duplicate(&name).code = "duplicate-name".into();
        }
        seen.push(name.str());
        if !target.str().is_empty() && !others.contains(&target.str()) {
            r.not_found(&target);
        }
        let mounts = one.get("volumeMounts").items();
        let paths = mounts.iter().flat_map(|m| [m.get("subPath"), m.get("subPathExpr")]);
        let set =
            |key: &&str| one.get(key).here() && (**key != *"resources" || one.get(key).len() > 0);
        let fields = NOT_EPHEMERAL.iter().filter(|key| set(key)).map(|key| one.get(key));
        for at in fields.chain(paths.filter(|path| !path.str().is_empty())) {
            r.forbidden(&at, "cannot be set for an Ephemeral Container");
        }
    }
}

fn forbidden_for_init(one: &At, key: &str, r: &mut Report) {
    let at = one.get(key);
    let entries = at.node.map_or(&[][..], |n| n.entries());
    // A stop signal is behind a feature gate; the server drops it, and what is left empty by it.
    let dropped = entries.iter().any(|e| e.key == "stopSignal" && !e.value.is_null())
        && entries.iter().all(|e| e.key == "stopSignal" || e.value.is_null());
    if !at.here() || dropped {
        return;
    }
    let fixes = [
        fix::remove_field(r.text, one, key, &format!("Remove `{key}`")),
        fix::add_field(r.text, one, "restartPolicy", "Always", "Make it a sidecar"),
    ];
    let found = r.forbidden(&at, NOT_FOR_INIT);
    found.code = "init-container-handler".into();
    found.help = Some(
        "An init container runs once to its end, so nothing probes it; with `restartPolicy: \
         Always` it becomes a sidecar, which may be probed."
            .to_owned(),
    );
    found.fixes.extend(fixes.into_iter().flatten());
}

/// What all containers are held to, in the server's order.
fn common(at: &At, ctx: &Ctx, r: &mut Report) {
    r.must(&at.get("name"), Must::Named(names::label));
    image(&at.get("image"), r);
    r.must(&at.get("terminationMessagePolicy"), Must::OneOf(&["File", "FallbackToLogsOnError"]));
    ports(&at.get("ports"), ctx, r);
    env::variables(&at.get("env"), r);
    env::from(&at.get("envFrom"), r);
    mounts(at, ctx, r);
    devices(at, ctx, r);
    r.must(&at.get("imagePullPolicy"), Must::OneOf(PULL_POLICIES));
    resources::container(&at.get("resources"), ctx, r);
    resize_policies(&at.get("resizePolicy"), ctx, r);
    security::container(&at.get("securityContext"), ctx.host_users, r);
}

fn image(at: &At, r: &mut Report) {
    if at.str().is_empty() {
        r.required(at, "").help =
            Some("Every container runs an image: add `image:` with a name and tag.".to_owned());
    }
}

fn ports(list: &At, ctx: &Ctx, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for one in list.items() {
        let name = one.get("name");
        if !name.str().is_empty() {
            let good = r.must(&name, Must::Name(names::port_name));
            if good && seen.contains(&name.str()) {
                r.duplicate(&name).code = "duplicate-name".into();
            }
            seen.push(name.str());
        }
        let port = one.get("containerPort");
        match port.int() {
            None | Some(0) => drop(r.required(&port, "")),
            _ => drop(r.must(&port, Must::Port)),
        }
        let host = one.get("hostPort");
        if !matches!(host.int(), None | Some(0)) {
            r.must(&host, Must::Port);
        } else if ctx.bare && ctx.host_network && port.int() != Some(0) {
            // On the node's network the port of the container becomes the node's.
            r.must(&port.called(host.path), Must::Port);
        }
        r.must(&one.get("protocol"), Must::OneOf(&["SCTP", "TCP", "UDP"]));
    }
}

/// Two containers cannot take the same port of the node.
fn host_ports(containers: &[At], ctx: &Ctx, r: &mut Report) {
    let mut seen: Vec<String> = Vec::new();
    for container in containers {
        for port in container.get("ports").items() {
            let at = port.get("hostPort");
            let own = port.get("containerPort").int().unwrap_or(0);
            let number = match at.int() {
                None | Some(0) if ctx.bare && ctx.host_network => own,
                number => number.unwrap_or(0),
            };
            if number == 0 {
                continue;
            }
            let protocol = match port.str_of("protocol") {
                "" => "TCP",
                word => word,
            };
            let key = format!("{protocol}/{}/{number}", port.str_of("hostIP"));
            if seen.contains(&key) {
                r.duplicate_as(&at, &show::quote(&key)).code = "duplicate-port".into();
            }
            seen.push(key);
        }
    }
}

fn mounts(container: &At, ctx: &Ctx, r: &mut Report) {
    let list = container.get("volumeMounts");
    let devices = container.get("volumeDevices").items();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for one in list.items() {
        let name = one.get("name");
        if name.str().is_empty() {
            r.required(&name, "");
        }
        if !ctx.volumes.contains_key(name.str()) {
            let fixes = fix::missing_volume(r.text, ctx, &name);
            let found = r.not_found(&name);
            found.code = "volume-not-found".into();
            found.help = Some(match name.str() {
                "" => "A mount names one of the pod's `volumes`.".to_owned(),
                name => format!(
                    "No volume of this pod is called `{name}` (or it has a fault of its own): \
                     a mount names one of the pod's `volumes`."
                ),
            });
            found.fixes.extend(fixes);
        }
        let path = one.get("mountPath");
        if path.str().is_empty() {
            r.required(&path, "");
        }
        if !seen.insert(path.str()) {
            r.invalid(&path, "must be unique").help =
                Some("Two volumes cannot be mounted at one path of a container.".to_owned());
        }
        for device in &devices {
            if device.str_of("name") == name.str() && !name.str().is_empty() {
                r.invalid(&name, "must not already exist in volumeDevices");
            }
            if device.str_of("devicePath") == path.str() && !path.str().is_empty() {
                r.invalid(&path, "must not already exist as a path in volumeDevices");
            }
        }
        mount_paths(&one, &list, container, r);
    }
}

/// Sub-paths and propagation; the server leaves the mount's index out of these.
fn mount_paths(one: &At, list: &At, container: &At, r: &mut Report) {
    let bare = |key: &str| one.get(key).called(format!("{}.{key}", list.path));
    let sub = bare("subPath");
    if !sub.str().is_empty() {
        super::volume::local_path(&sub, r);
    }
    let expr = one.get("subPathExpr");
    if !expr.str().is_empty() {
        if !sub.str().is_empty() {
            r.invalid(&expr, "subPathExpr and subPath are mutually exclusive");
        }
        super::volume::local_path(&bare("subPathExpr"), r);
    }
    let spread = bare("mountPropagation");
    if spread.here() {
        let privileged = container.get("securityContext.privileged").bool();
        if spread.str() == "Bidirectional" && !privileged {
            let text = "Bidirectional mount propagation is available only to privileged containers";
            r.forbidden(&spread, text);
        }
        r.must(&spread, Must::OneOfOrEmpty(&["Bidirectional", "HostToContainer", "None"]));
    }
    let recursive = bare("recursiveReadOnly");
    if recursive.here() {
        let strict = ["Enabled", "IfPossible"].contains(&recursive.str());
        if strict && !one.get("readOnly").bool() {
            r.forbidden(&recursive, "may only be specified when readOnly is true");
        }
        if strict && !["", "None"].contains(&spread.str()) {
            let text = "may only be specified when mountPropagation is None or not specified";
            r.forbidden(&recursive, text);
        }
        r.must(&recursive, Must::OneOfOrEmpty(&["Disabled", "Enabled", "IfPossible"]));
    }
}

fn devices(container: &At, ctx: &Ctx, r: &mut Report) {
    let mounts = container.get("volumeMounts").items();
    let (mut names_seen, mut paths): (Vec<&str>, Vec<&str>) = Default::default();
    for one in container.get("volumeDevices").items() {
        let (name, path) = (one.get("name"), one.get("devicePath"));
        if name.str().is_empty() {
            r.required(&name, "");
        }
        if !name.str().is_empty() && names_seen.contains(&name.str()) {
            r.invalid(&name, "must be unique");
        }
        match ctx.volumes.get(name.str()) {
            None => drop(r.not_found(&name)),
            Some(&"persistentVolumeClaim" | &"ephemeral") => {}
            Some(_) => {
                let text = "can only use volume source type of PersistentVolumeClaim or \
                            Ephemeral for block mode";
                r.invalid(&name, text);
            }
        }
        if path.str().is_empty() {
            r.required(&path, "");
        }
        if paths.contains(&path.str()) {
            r.invalid(&path, "must be unique");
        }
        if path.str().split('/').any(|p| p == "..") {
            r.invalid(&path, "can not contain backsteps ('..')");
        }
        for mount in &mounts {
            if mount.str_of("name") == name.str() {
                r.invalid(&name, "must not already exist in volumeMounts");
            }
            if mount.str_of("mountPath") == path.str() {
                r.invalid(&path, "must not already exist as a path in volumeMounts");
            }
        }
        names_seen.push(name.str());
        paths.push(path.str());
    }
}

/// Models validateInitContainerRestartPolicy.
fn init_restart_policy(at: &At, r: &mut Report) {
    let policy = at.get("restartPolicy");
    if policy.here() {
        restart_policy(at, r);
    } else if at.get("restartPolicyRules").len() > 0 {
        r.required(&policy, "must specify restartPolicy when restart rules are used");
    }
}

fn restart_policy(at: &At, r: &mut Report) {
    let policy = at.get("restartPolicy");
    r.must(&policy, Must::OneOfOrEmpty(POLICIES));
    let rules = at.get("restartPolicyRules");
    if rules.len() > 0 && !policy.here() {
        r.required(&policy, "must specify restartPolicy when restart rules are used");
    }
    if rules.len() > 20 {
        r.too_many(&rules, rules.len(), 20);
    }
    for rule in rules.items() {
        r.must(&rule.get("action"), Must::Among(&["Restart", "RestartAllContainers"]));
        let codes = rule.get("exitCodes");
        if !codes.here() {
            r.required(&codes, "must be specified");
            continue;
        }
        r.must(&codes.get("operator"), Must::Among(&["In", "NotIn"]));
        let values = codes.get("values");
        if values.len() > 255 {
            r.too_many(&values, values.len(), 255);
        }
    }
}

fn resize_policies(list: &At, ctx: &Ctx, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for one in list.items() {
        // The server names the list, not the field.
        let named = |key: &str| one.get(key).called(list.path.clone());
        let (resource, policy) = (named("resourceName"), named("restartPolicy"));
        if seen.contains(&resource.str()) {
            r.duplicate_as(&one, &resource.shown());
        }
        seen.push(resource.str());
        for (at, words) in
            [(&resource, &["cpu", "memory"]), (&policy, &["NotRequired", "RestartContainer"])]
        {
            if at.str().is_empty() {
                r.required(at, "");
            } else if !words.contains(&at.str()) {
                r.unsupported(at, words);
            }
        }
        if ctx.restart_policy == "Never" && policy.str() != "NotRequired" {
            let text = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            r.invalid(&policy, text);
        }
    }
}

/// On the node's own network a container port is the node's port.
pub(in crate::check) fn host_network(list: &At, r: &mut Report) {
    for container in list.items() {
        for port in container.get("ports").items() {
            let (host, own) = (port.get("hostPort"), port.get("containerPort"));
            let number = host.int().unwrap_or(0);
            if number != 0 && number != own.int().unwrap_or(0) {
                r.invalid_int(&host, "must match `containerPort` when `hostNetwork` is true");
            }
        }
    }
}
