//! The checks of the level `baseline`, in the server's order: by their names.

use super::Violation;
use super::visit::{Pod, places, plural, quoted, security, violation};
use crate::order::Order;
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeSet;

pub(super) struct Check {
    pub(super) look: fn(&Pod) -> Option<Violation>,
    /// From this minor version on, `restricted` has a stricter check in its place.
    pub(super) replaced_since: Option<u32>,
}

const fn check(look: fn(&Pod) -> Option<Violation>) -> Check {
    Check { look, replaced_since: None }
}

const fn replaced(look: fn(&Pod) -> Option<Violation>, since: u32) -> Check {
    Check { look, replaced_since: Some(since) }
}

pub(super) const CHECKS: &[Check] = &[
    check(app_armor),
    replaced(capabilities, 22),
    check(host_namespaces),
    replaced(host_paths, 0),
    check(host_ports),
    check(host_probes),
    check(privileged),
    replaced(proc_mount, 35),
    check(se_linux),
    replaced(seccomp, 19),
    check(sysctls),
    check(windows_host_process),
];

// Models k8s.io/pod-security-admission policy/check_appArmorProfile.go (v1.36).
fn app_armor(pod: &Pod) -> Option<Violation> {
    const KEY: &str = "container.apparmor.security.beta.kubernetes.io/";
    let bad = |profile: &Option<core::AppArmorProfile>| {
        let kind = profile.as_ref().map(|p| p.type_.clone());
        kind.filter(|kind| !matches!(kind.as_str(), "RuntimeDefault" | "Localhost"))
    };
    let of_pod = bad(&pod.security.app_armor_profile);
    let of = |c: &core::Container| bad(&security(c).app_armor_profile);
    let found = pod.those("securityContext.appArmorProfile", |c| of(c).is_some());
    let mut values = pod.values(|c| of(c).into_iter().collect());
    values.extend(of_pod.clone());
    let mut values: Vec<String> = values.into_iter().collect();
    let annotations = pod.annotations.iter().filter(|(key, value)| {
        let fine = value.is_empty() || *value == "runtime/default";
        key.starts_with(KEY) && !fine && !value.starts_with("localhost/")
    });
    let annotations: Vec<String> = annotations.map(|(k, v)| format!("{k}={v:?}")).collect();
    let mut setters = found.with_pod(of_pod.is_some());
    if !annotations.is_empty() {
        let and = if setters.is_empty() { "" } else { " and " };
        setters += and;
        setters += plural("annotation", "annotations", annotations.len());
    }
    if setters.is_empty() {
        return None;
    }
    let of_meta = (!annotations.is_empty()).then_some("metadata.annotations".to_owned());
    values.extend(annotations);
    let n = values.len();
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", n);
    let detail = format!("{setters} must not set AppArmor profile type to {}", quoted(&values));
    let pod_path = of_pod.map(|_| "spec.securityContext.appArmorProfile");
    violation(reason, detail, places(pod_path, found).into_iter().chain(of_meta))
}

const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

// Models k8s.io/pod-security-admission policy/check_capabilities_baseline.go (v1.36).
fn capabilities(pod: &Pod) -> Option<Violation> {
    let bad = |c: &core::Container| -> Vec<String> {
        let added = security(c).capabilities.and_then(|list| list.add).unwrap_or_default();
        added.into_iter().filter(|one| !DEFAULT_CAPABILITIES.contains(&one.as_str())).collect()
    };
    let found = pod.those("securityContext.capabilities.add", |c| !bad(c).is_empty());
    let detail = format!(
        "{} must not include {} in securityContext.capabilities.add",
        found.words(),
        quoted(pod.values(bad))
    );
    if found.is_empty() {
        return None;
    }
    violation("non-default capabilities", detail, found.paths)
}

// Models k8s.io/pod-security-admission policy/check_hostNamespaces.go (v1.36).
fn host_namespaces(pod: &Pod) -> Option<Violation> {
    let spec = pod.spec;
    let all = [
        ("hostNetwork", spec.host_network),
        ("hostPID", spec.host_pid),
        ("hostIPC", spec.host_ipc),
    ];
    let shared = || all.iter().filter(|(_, shared)| *shared == Some(true));
    let words: Vec<String> = shared().map(|(name, _)| format!("{name}=true")).collect();
    if words.is_empty() {
        return None;
    }
    violation("host namespaces", words.join(", "), shared().map(|(n, _)| format!("spec.{n}")))
}

// Models k8s.io/pod-security-admission policy/check_hostPathVolumes.go (v1.36).
fn host_paths(pod: &Pod) -> Option<Violation> {
    let volumes = pod.spec.volumes.iter().flatten().enumerate();
    let bad: Vec<_> = volumes.filter(|(_, volume)| volume.host_path.is_some()).collect();
    if bad.is_empty() {
        return None;
    }
    let names = quoted(bad.iter().map(|(_, volume)| &volume.name));
    let detail = format!("{} {names}", plural("volume", "volumes", bad.len()));
    violation("hostPath volumes", detail, bad.iter().map(|(i, _)| format!("spec.volumes[{i}]")))
}

// Models k8s.io/pod-security-admission policy/check_hostPorts.go (v1.36).
fn host_ports(pod: &Pod) -> Option<Violation> {
    let ports = |c: &core::Container| -> Vec<String> {
        let ports = c.ports.iter().flatten().filter_map(|port| port.host_port);
        ports.filter(|port| *port != 0).map(|port| port.to_string()).collect()
    };
    let found = pod.those("ports", |c| !ports(c).is_empty());
    if found.is_empty() {
        return None;
    }
    let all: Vec<String> = pod.values(ports).into_iter().collect();
    let uses = plural("uses", "use", found.names.len());
    let word = plural("hostPort", "hostPorts", all.len());
    let detail = format!("{} {uses} {word} {}", found.words(), all.join(", "));
    violation("hostPort", detail, found.paths)
}

/// Hosts that probes and hooks of a container name.
fn hosts(container: &core::Container) -> Vec<String> {
    let probes = [&container.liveness_probe, &container.readiness_probe, &container.startup_probe];
    let probes = probes.into_iter().flatten().map(|p| (&p.http_get, &p.tcp_socket));
    let hooks = container.lifecycle.iter().flat_map(|l| [&l.post_start, &l.pre_stop]);
    let hooks = hooks.flatten().map(|hook| (&hook.http_get, &hook.tcp_socket));
    let hosts = probes.chain(hooks).flat_map(|(http, tcp)| {
        let http = http.as_ref().and_then(|get| get.host.clone());
        [http, tcp.as_ref().and_then(|socket| socket.host.clone())]
    });
    hosts.flatten().filter(|host| !host.is_empty()).collect()
}

// Models k8s.io/pod-security-admission policy/check_hostProbesAndhostLifecycle.go (v1.36).
fn host_probes(pod: &Pod) -> Option<Violation> {
    let mut found = pod.those("name", |c| !hosts(c).is_empty());
    if found.is_empty() || pod.minor < 34 {
        return None;
    }
    found.names.order();
    let all = pod.values(hosts);
    let uses = plural("uses", "use", found.names.len());
    let word = plural("probe or lifecycle host", "probe or lifecycle hosts", all.len());
    let detail = format!("{} {uses} {word} {}", found.words(), quoted(all));
    violation("probe or lifecycle host", detail, found.paths)
}

// Models k8s.io/pod-security-admission policy/check_privileged.go (v1.36).
fn privileged(pod: &Pod) -> Option<Violation> {
    let bad = |c: &core::Container| security(c).privileged == Some(true);
    let found = pod.those("securityContext.privileged", bad);
    if found.is_empty() {
        return None;
    }
    let detail = format!("{} must not set securityContext.privileged=true", found.words());
    violation("privileged", detail, found.paths)
}

// Models k8s.io/pod-security-admission policy/check_procMount_baseline.go (v1.36).
fn proc_mount(pod: &Pod) -> Option<Violation> {
    let free = pod.minor >= 35 && pod.has_own_users();
    if free { None } else { masked_proc(pod) }
}

/// The check of both levels: nothing but the usual masks over `/proc`.
pub(super) fn masked_proc(pod: &Pod) -> Option<Violation> {
    let kind = |c: &core::Container| security(c).proc_mount.filter(|kind| kind != "Default");
    let found = pod.those("securityContext.procMount", |c| kind(c).is_some());
    if found.is_empty() {
        return None;
    }
    let kinds = quoted(pod.values(|c| kind(c).into_iter().collect()));
    let detail = format!("{} must not set securityContext.procMount to {kinds}", found.words());
    violation("procMount", detail, found.paths)
}

// Models k8s.io/pod-security-admission policy/check_seLinuxOptions.go (v1.36).
fn se_linux(pod: &Pod) -> Option<Violation> {
    const TYPES: [&str; 5] =
        ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    let types = if pod.minor >= 31 { &TYPES[..] } else { &TYPES[..4] };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let bad_type = |o: &core::SELinuxOptions| !types.contains(&text(&o.type_).as_str());
    let bad = |options: &Option<core::SELinuxOptions>| {
        options
            .clone()
            .filter(|o| bad_type(o) || !text(&o.user).is_empty() || !text(&o.role).is_empty())
    };
    let of_pod = bad(&pod.security.se_linux_options);
    let of = |c: &core::Container| bad(&security(c).se_linux_options);
    let found = pod.those("securityContext.seLinuxOptions", |c| of(c).is_some());
    let setters = found.with_pod(of_pod.is_some());
    if setters.is_empty() {
        return None;
    }
    let has = |get: fn(&core::SELinuxOptions) -> &Option<String>| {
        let own = pod.values(|c| of(c).map(|o| text(get(&o))).into_iter().collect());
        own.into_iter().chain(of_pod.iter().map(|o| text(get(o)))).any(|value| !value.is_empty())
    };
    let mut kinds: BTreeSet<String> =
        pod.values(|c| of(c).filter(bad_type).map(|o| text(&o.type_)).into_iter().collect());
    kinds.extend(of_pod.clone().filter(bad_type).map(|o| text(&o.type_)));
    let n = kinds.len();
    let kinds = (n > 0).then(|| format!("{} {}", plural("type", "types", n), quoted(kinds)));
    let user = has(|o| &o.user).then(|| "user may not be set".to_owned());
    let role = has(|o| &o.role).then(|| "role may not be set".to_owned());
    let data: Vec<String> = [kinds, user, role].into_iter().flatten().collect();
    let detail =
        format!("{setters} set forbidden securityContext.seLinuxOptions: {}", data.join("; "));
    let pod_path = of_pod.map(|_| "spec.securityContext.seLinuxOptions");
    violation("seLinuxOptions", detail, places(pod_path, found))
}

// Models k8s.io/pod-security-admission policy/check_seccompProfile_baseline.go (v1.36).
fn seccomp(pod: &Pod) -> Option<Violation> {
    if pod.minor < 19 {
        return seccomp_annotations(pod);
    }
    wrong_seccomp(pod)
}

fn seccomp_annotations(pod: &Pod) -> Option<Violation> {
    const POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
    const CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
    let mut keys = pod.values(|c| vec![format!("{CONTAINER}{}", c.name)]);
    keys.insert(POD.to_owned());
    let fine = |value: &str| {
        matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
    };
    let bad = pod.annotations.iter().filter(|(k, v)| keys.contains(*k) && !fine(v));
    let bad: Vec<String> = bad.map(|(k, v)| format!("{k}={v:?}")).collect();
    if bad.is_empty() {
        return None;
    }
    let word = plural("annotation", "annotations", bad.len());
    let detail = format!("forbidden {word} {}", bad.join(", "));
    violation("seccompProfile", detail, ["metadata.annotations".to_owned()])
}

/// The kind of a seccomp profile that is not allowed.
pub(super) fn bad_seccomp(profile: &Option<core::SeccompProfile>) -> Option<String> {
    let kind = profile.as_ref().map(|profile| profile.type_.clone());
    kind.filter(|kind| !matches!(kind.as_str(), "RuntimeDefault" | "Localhost"))
}

/// Pods and containers that set a profile of a kind not allowed.
pub(super) fn wrong_seccomp(pod: &Pod) -> Option<Violation> {
    let of_pod = bad_seccomp(&pod.security.seccomp_profile);
    let of = |c: &core::Container| bad_seccomp(&security(c).seccomp_profile);
    let found = pod.those("securityContext.seccompProfile", |c| of(c).is_some());
    let setters = found.with_pod(of_pod.is_some());
    if setters.is_empty() {
        return None;
    }
    let mut kinds = pod.values(|c| of(c).into_iter().collect());
    kinds.extend(of_pod.clone());
    let kinds = quoted(kinds);
    let detail = format!("{setters} must not set securityContext.seccompProfile.type to {kinds}");
    let pod_path = of_pod.map(|_| "spec.securityContext.seccompProfile");
    violation("seccompProfile", detail, places(pod_path, found))
}

/// Safe settings of the kernel, each with the minor version that began to allow it.
const SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

// Models k8s.io/pod-security-admission policy/check_sysctls.go (v1.36).
fn sysctls(pod: &Pod) -> Option<Violation> {
    let safe = |name: &str| SYSCTLS.iter().any(|(n, since)| *n == name && pod.minor >= *since);
    let all = pod.security.sysctls.iter().flatten().enumerate();
    let bad: Vec<_> = all.filter(|(_, one)| !safe(&one.name)).collect();
    if bad.is_empty() {
        return None;
    }
    let names: Vec<&str> = bad.iter().map(|(_, one)| one.name.as_str()).collect();
    let paths = bad.iter().map(|(i, _)| format!("spec.securityContext.sysctls[{i}]"));
    violation("forbidden sysctls", names.join(", "), paths)
}

// Models k8s.io/pod-security-admission policy/check_windowsHostProcess.go (v1.36).
fn windows_host_process(pod: &Pod) -> Option<Violation> {
    let set = |options: &Option<core::WindowsSecurityContextOptions>| {
        options.as_ref().and_then(|o| o.host_process) == Some(true)
    };
    let of_pod = set(&pod.security.windows_options);
    let field = "securityContext.windowsOptions.hostProcess";
    let found = pod.those(field, |c| set(&security(c).windows_options));
    let setters = found.with_pod(of_pod);
    if setters.is_empty() {
        return None;
    }
    let detail = format!("{setters} must not set securityContext.windowsOptions.hostProcess=true");
    let pod_path = of_pod.then_some("spec.securityContext.windowsOptions.hostProcess");
    violation("hostProcess", detail, places(pod_path, found))
}
