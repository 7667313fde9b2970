//! What a container is started with: argv, environment, identity, mounts. Only looks things up.

use super::start::Failure;
use super::token::TOKEN_DIR;
use crate::order::Order;
use crate::sim::control::service;
use crate::sim::images::Image;
use crate::sim::model::{Container, Pod, PodId};
use crate::sim::quantity;
use crate::sim::runtime::{Handle, MountSpec, RunSpec, SandboxSpec};
use crate::sim::world::{State, World};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
pub(crate) const NODE_IP: &str = "192.168.1.10";

pub(crate) fn hostname(pod: &Pod) -> String {
    let name = pod.template.spec.hostname.clone().unwrap_or(pod.plain().to_owned());
    name.chars().take(63).collect()
}

pub(crate) fn sandbox(pod: &Pod) -> SandboxSpec {
    let spec = &pod.template.spec;
    let domain = format!("{}.svc.cluster.local", pod.namespace);
    let aliases = spec.host_aliases.iter().flatten();
    SandboxSpec {
        hostname: hostname(pod),
        ip: pod.ip.clone(),
        share_pids: spec.share_process_namespace.unwrap_or(false),
        hosts: aliases
            .map(|alias| (alias.ip.clone(), alias.hostnames.clone().unwrap_or_default()))
            .collect(),
        search: vec![domain, "svc.cluster.local".to_owned(), "cluster.local".to_owned()],
    }
}

fn config_error(message: String) -> Failure {
    Failure { reason: "CreateContainerConfigError", message }
}

// Models pkg/kubelet/kuberuntime/kuberuntime_container.go generateContainerConfig (v1.36).
pub(crate) fn prepare(
    world: &World,
    id: PodId,
    container: &Container,
    image: Image,
) -> Result<RunSpec, Failure> {
    let state = world.st();
    let Some(pod) = state.pods.get(&id) else { return Err(config_error(String::new())) };
    let own = container.spec.security_context.as_ref();
    let shared = pod.template.spec.security_context.as_ref();
    let user = own.and_then(|s| s.run_as_user).or(shared.and_then(|s| s.run_as_user));
    non_root(pod, container, &image, user)?;
    let env = environment(&state, pod, container, &image)?;
    let group = own.and_then(|s| s.run_as_group).or(shared.and_then(|s| s.run_as_group));
    let uid = user.map_or(image.uid, |u| u as u32);
    let gid = match (group, user) {
        (Some(group), _) => group as u32,
        (None, Some(_)) => 0,
        (None, None) => image.gid,
    };
    let groups = shared.and_then(|s| s.fs_group).into_iter();
    let groups =
        groups.chain(shared.iter().flat_map(|s| s.supplemental_groups.iter().flatten().copied()));
    let argv = argv(container, &image, &env.lookup);
    if argv.is_empty() {
        let message = "failed to generate container spec: failed to generate spec: no command \
                       specified";
        return Err(Failure { reason: "CreateContainerError", message: message.to_owned() });
    }
    let limits = container.spec.resources.as_ref().and_then(|r| r.limits.as_ref());
    let limit = |name: &str| limits.and_then(|l| l.get(name));
    Ok(RunSpec {
        name: format!("{}/{}", pod.name, container.name),
        image,
        argv,
        env: env.all,
        cwd: container.spec.working_dir.clone().unwrap_or(image.dir.to_owned()),
        uid,
        gid,
        groups: sorted(groups.map(|g| g as u32).chain([gid]).collect()),
        mounts: mounts(pod, container, &env.lookup)?,
        read_only_root: own.and_then(|s| s.read_only_root_filesystem).unwrap_or(false),
        no_chown: !may_chown(container),
        cpu_millis: limit("cpu").and_then(quantity::millis_of).and_then(|m| u32::try_from(m).ok()),
        memory_bytes: limit("memory").and_then(quantity::units_of),
        ports: declared_ports(container),
        stdin: container.spec.stdin.unwrap_or(false),
        target: target(pod, container)?,
    })
}

/// The newest run of the container an ephemeral one is aimed at.
// Models pkg/kubelet/kuberuntime/kuberuntime_container.go getTargetID (v1.36).
fn target(pod: &Pod, container: &Container) -> Result<Option<Handle>, Failure> {
    let Some(name) = &container.target else { return Ok(None) };
    match pod.kubelet.seen.newest(name) {
        Some(record) => Ok(record.handle),
        None => {
            let message = format!("unable to find target container {name}");
            Err(config_error(message))
        }
    }
}

fn declared_ports(container: &Container) -> Vec<u16> {
    let ports = container.spec.ports.iter().flatten();
    ports.filter_map(|port| u16::try_from(port.container_port).ok()).collect()
}

// Models containerd internal/cri/opts WithCapabilities, over the runtime's default set.
/// Whether the capability CHOWN is left: `add` is done before `drop`, except that of `ALL`.
fn may_chown(container: &Container) -> bool {
    let own = container.spec.security_context.as_ref();
    let Some(capabilities) = own.and_then(|s| s.capabilities.as_ref()) else { return true };
    let names = |list: &Option<Vec<String>>, one: &str| {
        let plain = |name: &String| name.to_ascii_uppercase().trim_start_matches("CAP_") == one;
        list.iter().flatten().any(plain)
    };
    let added = names(&capabilities.add, "CHOWN") || names(&capabilities.add, "ALL");
    let all_dropped = names(&capabilities.drop, "ALL") && !added;
    !all_dropped && !names(&capabilities.drop, "CHOWN")
}

/// The kernel keeps a process's groups in order.
fn sorted(mut groups: Vec<u32>) -> Vec<u32> {
    groups.order();
    groups.dedup();
    groups
}

// Models pkg/kubelet/kuberuntime/security_context.go verifyRunAsNonRoot (v1.36).
fn non_root(
    pod: &Pod,
    container: &Container,
    image: &Image,
    user: Option<i64>,
) -> Result<(), Failure> {
    let own = container.spec.security_context.as_ref().and_then(|s| s.run_as_non_root);
    let shared = pod.template.spec.security_context.as_ref().and_then(|s| s.run_as_non_root);
    if !own.or(shared).unwrap_or(false) {
        return Ok(());
    }
    let place = format!("(pod: \"{}\", container: {})", pod.full_name(), container.name);
    let is_number = image.user.chars().all(|c| c.is_ascii_digit());
    match user {
        Some(0) => {
            Err(config_error(format!("container's runAsUser breaks non-root policy {place}")))
        }
        Some(_) => Ok(()),
        None if !is_number => Err(config_error(format!(
            "container has runAsNonRoot and image has non-numeric user ({}), cannot verify user \
             is non-root {place}",
            image.user
        ))),
        None if image.uid == 0 => Err(config_error(format!(
            "container has runAsNonRoot and image will run as root {place}"
        ))),
        None => Ok(()),
    }
}

fn argv(container: &Container, image: &Image, lookup: &BTreeMap<String, String>) -> Vec<String> {
    let given = |list: &Option<Vec<String>>| {
        let list = list.as_deref().unwrap_or_default();
        list.iter().map(|word| expand(word, lookup)).collect::<Vec<String>>()
    };
    let (command, args) = (given(&container.spec.command), given(&container.spec.args));
    match (command.is_empty(), args.is_empty()) {
        (true, true) => [image.entrypoint(), image.cmd()].concat(),
        (true, false) => [image.entrypoint(), args].concat(),
        (false, _) => [command, args].concat(),
    }
}

struct Environment {
    all: Vec<(String, String)>,
    /// What `$(NAME)` may name.
    lookup: BTreeMap<String, String>,
}

// Models pkg/kubelet/kubelet_pods.go makeEnvironmentVariables (v1.36).
fn environment(
    state: &State,
    pod: &Pod,
    container: &Container,
    image: &Image,
) -> Result<Environment, Failure> {
    let mut own: BTreeMap<String, String> = BTreeMap::new();
    for from in container.spec.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or("");
        for (key, value) in env_from(state, pod, from)? {
            own.insert(format!("{prefix}{key}"), value);
        }
    }
    let services = match pod.template.spec.enable_service_links {
        Some(false) => service::kubernetes_variables(),
        _ => service::variables(state, &pod.namespace),
    };
    let mut lookup: BTreeMap<String, String> = services.iter().cloned().collect();
    lookup.extend(own.clone());
    for var in container.spec.env.iter().flatten() {
        let value = match (&var.value, &var.value_from) {
            (_, Some(source)) => value_from(state, pod, container, source)?,
            (Some(text), None) => Some(expand(text, &lookup)),
            (None, None) => Some(String::new()),
        };
        let Some(value) = value else { continue };
        lookup.insert(var.name.clone(), value.clone());
        own.insert(var.name.clone(), value);
    }
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    all.insert("PATH".to_owned(), PATH.to_owned());
    all.insert("HOSTNAME".to_owned(), hostname(pod));
    all.extend(image.env().map(|(key, value)| (key.to_owned(), value.to_owned())));
    all.extend(services);
    all.extend(own);
    Ok(Environment { all: all.into_iter().collect(), lookup })
}

fn config<'a>(
    state: &'a State,
    pod: &Pod,
    kind: &'static str,
    name: &str,
) -> Option<&'a BTreeMap<String, Vec<u8>>> {
    let key = (kind, pod.namespace.clone(), name.to_owned());
    state.configs.get(&key).map(|config| &config.data)
}

fn env_from(
    state: &State,
    pod: &Pod,
    from: &core::EnvFromSource,
) -> Result<Vec<(String, String)>, Failure> {
    let (kind, name, optional) = match (&from.config_map_ref, &from.secret_ref) {
        (Some(map), _) => ("configmap", &map.name, map.optional),
        (None, Some(secret)) => ("secret", &secret.name, secret.optional),
        (None, None) => return Ok(Vec::new()),
    };
    match config(state, pod, kind, name) {
        Some(data) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            Ok(data.iter().map(|(key, value)| (key.clone(), text(value))).collect())
        }
        None if optional.unwrap_or(false) => Ok(Vec::new()),
        None => Err(config_error(format!("{kind} \"{name}\" not found"))),
    }
}

/// None where something optional is missing.
fn value_from(
    state: &State,
    pod: &Pod,
    container: &Container,
    source: &core::EnvVarSource,
) -> Result<Option<String>, Failure> {
    if let Some(field) = &source.field_ref {
        return Ok(field_text(pod, &field.field_path));
    }
    if let Some(resource) = &source.resource_field_ref {
        let name = resource.container_name.as_deref().unwrap_or(&container.name);
        return Ok(resource_text(pod, name, resource));
    }
    let (kind, word, name, key, optional) =
        match (&source.config_map_key_ref, &source.secret_key_ref) {
            (Some(map), _) => ("configmap", "ConfigMap", &map.name, &map.key, map.optional),
            (None, Some(s)) => ("secret", "Secret", &s.name, &s.key, s.optional),
            (None, None) => return Ok(Some(String::new())),
        };
    let optional = optional.unwrap_or(false);
    let Some(data) = config(state, pod, kind, name) else {
        let missing = config_error(format!("{kind} \"{name}\" not found"));
        return if optional { Ok(None) } else { Err(missing) };
    };
    match data.get(key) {
        Some(value) => Ok(Some(String::from_utf8_lossy(value).into_owned())),
        None if optional => Ok(None),
        None => {
            Err(config_error(format!("couldn't find key {key} in {word} {}/{name}", pod.namespace)))
        }
    }
}

/// A field of the downward API.
pub(crate) fn field_text(pod: &Pod, path: &str) -> Option<String> {
    let map_entry = |map: &BTreeMap<String, String>, rest: &str| {
        let key = rest.trim_start_matches(['[', '\'', '"']).trim_end_matches([']', '\'', '"']);
        map.get(key).cloned().unwrap_or_default()
    };
    let lines = |map: &BTreeMap<String, String>| {
        map.iter().map(|(key, value)| format!("{key}={value:?}\n")).collect::<String>()
    };
    Some(match path {
        "metadata.name" => pod.plain().to_owned(),
        "metadata.namespace" => pod.namespace.clone(),
        "metadata.uid" => pod.uid.clone(),
        "spec.nodeName" => pod.node.clone().unwrap_or_default(),
        "spec.serviceAccountName" => {
            let name = pod.template.spec.service_account_name.clone();
            name.unwrap_or_else(|| "default".to_owned())
        }
        "status.hostIP" | "status.hostIPs" => NODE_IP.to_owned(),
        "status.podIP" | "status.podIPs" => pod.ip.clone(),
        "metadata.labels" => lines(&pod.template.labels),
        "metadata.annotations" => lines(&pod.template.annotations),
        _ => {
            if let Some(rest) = path.strip_prefix("metadata.labels") {
                map_entry(&pod.template.labels, rest)
            } else {
                let rest = path.strip_prefix("metadata.annotations")?;
                map_entry(&pod.template.annotations, rest)
            }
        }
    })
}

pub(crate) fn resource_text(
    pod: &Pod,
    container: &str,
    source: &core::ResourceFieldSelector,
) -> Option<String> {
    let (list, name) = source.resource.split_once('.')?;
    let resources = pod.container(container)?.spec.resources.as_ref();
    let table = resources
        .and_then(|r| if list == "limits" { r.limits.as_ref() } else { r.requests.as_ref() });
    let value = match (table.and_then(|t| t.get(name)), name) {
        (Some(found), _) => quantity::millis(&found.0)?,
        // Without a limit a container may have the whole node.
        (None, "cpu") if list == "limits" => 2_000,
        (None, "memory") if list == "limits" => (24i128 << 30) * 1000,
        _ => 0,
    };
    let divisor = source.divisor.as_ref().and_then(|d| quantity::millis(&d.0)).filter(|d| *d > 0);
    let divisor = divisor.unwrap_or(1000);
    Some(((value + divisor - 1) / divisor).to_string())
}

fn mounts(
    pod: &Pod,
    container: &Container,
    lookup: &BTreeMap<String, String>,
) -> Result<Vec<MountSpec>, Failure> {
    let mut out = Vec::new();
    for mount in container.spec.volume_mounts.iter().flatten() {
        let Some(volume) = pod.kubelet.volumes.get(mount.name.as_str()) else {
            let message = format!("cannot find volume \"{}\" to mount into container", mount.name);
            return Err(config_error(message));
        };
        let sub_path = match (&mount.sub_path, &mount.sub_path_expr) {
            (Some(path), _) => path.clone(),
            (None, Some(text)) => expand(text, lookup),
            (None, None) => String::new(),
        };
        let spec = pod.template.spec.volumes.iter().flatten().find(|v| v.name == mount.name);
        let fixed = spec.is_some_and(|v| {
            v.config_map.is_some()
                || v.secret.is_some()
                || v.projected.is_some()
                || v.downward_api.is_some()
        });
        out.push(MountSpec {
            volume: *volume,
            path: mount.mount_path.clone(),
            sub_path,
            read_only: fixed || mount.read_only.unwrap_or(false),
        });
    }
    if let Some(volume) = pod.kubelet.token.filter(|_| !container.is_ephemeral())
        && !out.iter().any(|mount| mount.path == TOKEN_DIR)
    {
        let (path, sub_path) = (TOKEN_DIR.to_owned(), String::new());
        out.push(MountSpec { volume, path, sub_path, read_only: true });
    }
    Ok(out)
}

/// `$(NAME)` where it names something, `$$` for a dollar.
// Models third_party/forked/golang/expansion/expand.go (v1.36).
pub(crate) fn expand(text: &str, lookup: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some((name, tail)) =
            after.strip_prefix('(').and_then(|inner| inner.split_once(')'))
        {
            match lookup.get(name) {
                Some(value) => out.push_str(value),
                None => out.push_str(&format!("$({name})")),
            }
            rest = tail;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_as_the_kubelet_expands_them() {
        let lookup: BTreeMap<String, String> = [("A".to_owned(), "1".to_owned())].into();
        let cases = [
            ("$(A)", "1"),
            ("$(B)", "$(B)"),
            ("$$(A)", "$(A)"),
            ("$A ${A} $", "$A ${A} $"),
            ("$(A", "$(A"),
            ("x$(A)y$(A)", "x1y1"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text, &lookup), expected, "{text}");
        }
    }
}
