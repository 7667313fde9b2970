//! Security contexts of pods and containers.
//! Models pkg/apis/core/validation ValidatePodSpecificSecurityContext and
//! ValidateSecurityContext (v1.36).

use super::volume::local_path;
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;

const PROFILES: &[&str] = &["Localhost", "RuntimeDefault", "Unconfined"];

/// `spec.securityContext`; `host` tells hostNetwork, hostIPC and hostPID of the pod.
pub(in crate::check) fn pod(spec: &At, r: &mut Report) {
    let at = spec.get("securityContext");
    r.all(&at, &[("fsGroup", Must::Id), ("runAsUser", Must::Id), ("runAsGroup", Must::Id)]);
    for group in at.get("supplementalGroups").items() {
        r.must(&group, Must::Id);
    }
    if spec.get("shareProcessNamespace").bool() && spec.get("hostPID").bool() {
        let odd = format!("{}.shareProcessNamespace", at.path);
        let shared = spec.get("shareProcessNamespace").called(odd);
        r.invalid(&shared, "ShareProcessNamespace and HostPID cannot both be enabled");
    }
    sysctls(spec, &at.get("sysctls"), r);
    r.must(&at.get("fsGroupChangePolicy"), Must::OneOfOrEmpty(&["Always", "OnRootMismatch"]));
    seccomp(&at.get("seccompProfile"), r);
    app_armor(&at.get("appArmorProfile"), r);
    let merge = Must::OneOfOrEmpty(&["Merge", "Strict"]);
    r.must(&at.get("supplementalGroupsPolicy"), merge);
    let mount = Must::OneOfOrEmpty(&["Recursive"]);
    r.must(&at.get("seLinuxChangePolicy"), mount);
}

fn sysctls(spec: &At, list: &At, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for one in list.items() {
        let name = one.get("name");
        if name.str().is_empty() {
            r.required(&name, "");
        } else if !is_sysctl(name.str()) {
            let text = "must have at most 253 characters and match regex \
                        ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";
            r.invalid(&name, text);
        } else if seen.contains(&name.str()) {
            r.duplicate(&name);
        }
        let clash = |key: &str, starts: &[&str]| {
            spec.get(key).bool() && starts.iter().any(|s| name.str().starts_with(s))
        };
        if clash("hostNetwork", &["net."]) {
            r.invalid(&name, "may not be specified when 'hostNetwork' is true");
        }
        if clash("hostIPC", &["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."]) {
            r.invalid(&name, "may not be specified when 'hostIPC' is true");
        }
        seen.push(name.str());
    }
}

fn is_sysctl(name: &str) -> bool {
    let end = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 253
        && name.split(['.', '/']).all(|part| {
            let bytes = part.as_bytes();
            bytes.first().is_some_and(|b| end(*b))
                && bytes.last().is_some_and(|b| end(*b))
                && bytes.iter().all(|b| end(*b) || b"-_".contains(b))
        })
}

fn seccomp(at: &At, r: &mut Report) {
    if !at.here() {
        return;
    }
    let (kind, path) = (at.get("type"), at.get("localhostProfile"));
    if kind.str().is_empty() {
        r.required(&kind, "type is required when seccompProfile is set");
    } else {
        r.must(&kind, Must::OneOf(PROFILES));
    }
    if kind.str() == "Localhost" {
        if !path.here() {
            r.required(&path, "must be set when seccomp type is Localhost");
        } else {
            local_path(&path, r);
        }
    } else if path.here() {
        let shown = format!(
            "{{\"Type\":{},\"LocalhostProfile\":{}}}",
            show::json_text(kind.str()),
            show::json_text(path.str())
        );
        r.invalid_as(&path, &shown, "can only be set when seccomp type is Localhost");
    }
}

fn app_armor(at: &At, r: &mut Report) {
    if !at.here() {
        return;
    }
    let (kind, path) = (at.get("type"), at.get("localhostProfile"));
    match kind.str() {
        "Localhost" if !path.here() || path.str().trim().is_empty() => {
            r.required(&path, "must be set when AppArmor type is Localhost");
        }
        "Localhost" => {
            if path.str().trim() != path.str() {
                r.invalid(&path, "must not be padded with whitespace");
            }
            if path.str().len() > 4095 {
                r.too_long(&path, 4095);
            }
        }
        "" => drop(r.required(&kind, "type is required when appArmorProfile is set")),
        word => {
            if !PROFILES.contains(&word) {
                r.unsupported(&kind, PROFILES);
            } else if path.here() {
                r.invalid(&path, "can only be set when AppArmor type is Localhost");
            }
        }
    }
}

/// `securityContext` of a container; `host_users` is false in a user namespace.
pub(in crate::check) fn container(at: &At, host_users: bool, r: &mut Report) {
    if !at.here() {
        return;
    }
    r.all(at, &[("runAsUser", Must::Id), ("runAsGroup", Must::Id)]);
    let mount = at.get("procMount");
    if mount.here() {
        r.must(&mount, Must::OneOfOrEmpty(&["Default", "Unmasked"]));
        if mount.str() == "Unmasked" && host_users {
            r.invalid(&mount, "`hostUsers` must be false to use `Unmasked`");
        }
    }
    seccomp(&at.get("seccompProfile"), r);
    let escalation = at.get("allowPrivilegeEscalation");
    if escalation.here() && !escalation.bool() {
        let text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        if at.get("privileged").bool() {
            r.invalid_as(at, &go_struct(at), text);
        }
        let added = at.get("capabilities.add").items();
        if added.iter().any(|c| c.str() == "CAP_SYS_ADMIN") {
            let text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` \
                        CAP_SYS_ADMIN";
            r.invalid_as(at, &go_struct(at), text);
        }
    }
    app_armor(&at.get("appArmorProfile"), r);
}

/// The server prints this struct by its Go names.
fn go_struct(at: &At) -> String {
    let plain = |key: &str| at.get(key).node.map_or("null".to_owned(), show::json);
    let list = |key: &str| at.get(key).node.map_or("null".to_owned(), show::json);
    let capabilities = match at.get("capabilities").here() {
        true => format!(
            "{{\"Add\":{},\"Drop\":{}}}",
            list("capabilities.add"),
            list("capabilities.drop")
        ),
        false => "null".to_owned(),
    };
    let profile = |key: &str| match at.get(key).here() {
        true => format!(
            "{{\"Type\":{},\"LocalhostProfile\":{}}}",
            plain(&format!("{key}.type")),
            plain(&format!("{key}.localhostProfile"))
        ),
        false => "null".to_owned(),
    };
    let fields = [
        ("Capabilities", capabilities),
        ("Privileged", plain("privileged")),
        ("SELinuxOptions", plain("seLinuxOptions")),
        ("WindowsOptions", plain("windowsOptions")),
        ("RunAsUser", plain("runAsUser")),
        ("RunAsGroup", plain("runAsGroup")),
        ("RunAsNonRoot", plain("runAsNonRoot")),
        ("ReadOnlyRootFilesystem", plain("readOnlyRootFilesystem")),
        ("AllowPrivilegeEscalation", plain("allowPrivilegeEscalation")),
        ("ProcMount", plain("procMount")),
        ("SeccompProfile", profile("seccompProfile")),
        ("AppArmorProfile", profile("appArmorProfile")),
    ];
    let fields: Vec<String> = fields.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
    format!("{{{}}}", fields.join(","))
}
