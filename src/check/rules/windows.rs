//! What pods for Windows may say. Few manifests do, so these rules are loaded when one does.
//! Models pkg/apis/core/validation validateWindows, validateLinux, validateWindowsHostProcessPod
//! and validateWindowsSecurityContextOptions (v1.36).

use super::Rules;
use crate::check::cursor::At;
use crate::check::report::Report;
use crate::kube::names;
use crate::part::part;

part! { LOADED: Rules = &(all as Rules), in Rules; }

const NOT_FOR_WINDOWS: &str = "cannot be set for a windows pod";
const NOT_FOR_LINUX: &str = "windows options cannot be set for a linux pod";
const OF_PODS: [&str; 13] = [
    "hostUsers",
    "shareProcessNamespace",
    "securityContext.appArmorProfile",
    "securityContext.seLinuxOptions",
    "securityContext.seccompProfile",
    "securityContext.fsGroup",
    "securityContext.fsGroupChangePolicy",
    "securityContext.sysctls",
    "securityContext.runAsUser",
    "securityContext.runAsGroup",
    "securityContext.supplementalGroups",
    "securityContext.supplementalGroupsPolicy",
    "securityContext.seLinuxChangePolicy",
];
const OF_CONTAINERS: [&str; 10] = [
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
];
const SPEC_MAX: usize = 64 * 1024;

/// The rules of a pod that speaks of Windows.
pub(super) fn pod(spec: &At, r: &mut Report) {
    let meant = spec.get("os").str_of("name") == "windows"
        || options(spec).here()
        || containers(spec).iter().any(|one| options(one).here());
    if let Some(rules) = meant.then(loaded).flatten() {
        rules(spec, r);
    }
}

fn options<'a>(at: &At<'a>) -> At<'a> {
    at.get("securityContext.windowsOptions")
}

fn containers<'a>(spec: &At<'a>) -> Vec<At<'a>> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    lists.iter().flat_map(|list| spec.get(list).items()).collect()
}

fn all(spec: &At, r: &mut Report) {
    let containers = containers(spec);
    for at in std::iter::once(spec).chain(&containers) {
        identity(&options(at), r);
    }
    host_process(spec, &containers, r);
    match spec.get("os").str_of("name") {
        "linux" => {
            for at in std::iter::once(spec).chain(&containers).map(options).filter(At::here) {
                r.forbidden(&at, NOT_FOR_LINUX);
            }
        }
        "windows" => not_for_windows(spec, &containers, r),
        _ => {}
    }
}

fn not_for_windows(spec: &At, containers: &[At], r: &mut Report) {
    let on = ["hostPID", "hostIPC"].map(|key| spec.get(key)).into_iter().filter(At::bool);
    let set = OF_PODS.iter().map(|key| spec.get(key)).filter(At::here);
    let filled = set.filter(|at| !at.path.ends_with("sysctls") || at.len() > 0);
    let own = containers.iter().map(|one| one.get("securityContext"));
    let own = own.flat_map(|at| OF_CONTAINERS.map(|key| at.get(key))).filter(At::here);
    for at in on.chain(filled).chain(own) {
        r.forbidden(&at, NOT_FOR_WINDOWS);
    }
}

fn identity(options: &At, r: &mut Report) {
    let mut wrong = |at: &At, text: &str| {
        r.invalid_as(at, &at.word(), text);
    };
    let name = options.get("gmsaCredentialSpecName");
    if name.here() {
        for objection in names::subdomain(name.str()) {
            wrong(&name, &objection);
        }
    }
    let spec = options.get("gmsaCredentialSpec");
    if spec.here() && spec.str().is_empty() {
        wrong(&spec, "gmsaCredentialSpec cannot be an empty string");
    } else if spec.str().len() > SPEC_MAX {
        wrong(&spec, "gmsaCredentialSpec size must be under 64 KiB");
    }
    let user = options.get("runAsUserName");
    if user.here() {
        for objection in user_objections(user.str()) {
            wrong(&user, objection);
        }
    }
}

fn user_objections(text: &str) -> Vec<&'static str> {
    if text.is_empty() {
        return vec!["runAsUserName cannot be an empty string"];
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        return vec!["runAsUserName cannot contain control characters"];
    }
    let (domain, user) = match text.split('\\').collect::<Vec<_>>()[..] {
        [user] => (None, user),
        [domain, user] => (Some(domain), user),
        _ => return vec!["runAsUserName cannot contain more than one backslash"],
    };
    let mut found = Vec::new();
    if domain.is_some_and(|domain| domain.len() >= 256) {
        found.push("runAsUserName's Domain length must be under 256 characters");
    }
    if domain.is_some_and(|domain| !is_net_bios(domain) && !is_domain(domain)) {
        found.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
    if user.is_empty() {
        found.push("runAsUserName's User cannot be empty");
    } else if user.len() > 104 {
        found.push("runAsUserName's User length must not be longer than 104 characters");
    }
    if !user.is_empty() && user.chars().all(|c| c == '.' || c == ' ') {
        found.push("runAsUserName's User cannot contain only periods or spaces");
    }
    if user.contains(|c| "\"/\\:;|=,+*?<>@[]".contains(c)) {
        found.push(
            "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]",
        );
    }
    found
}

fn is_net_bios(domain: &str) -> bool {
    let good = |c: char| !"\\/:*?\"<>|".contains(c);
    (1..=15).contains(&domain.chars().count())
        && !domain.starts_with('.')
        && domain.chars().all(good)
}

fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|part| names::label(&part.to_ascii_lowercase()).is_empty())
}

fn host_process(spec: &At, containers: &[At], r: &mut Report) {
    let of_pod = options(spec).get("hostProcess");
    let mut n_of_host = 0;
    for own in containers.iter().map(|one| options(one).get("hostProcess")) {
        if own.here() && of_pod.here() && own.bool() != of_pod.bool() {
            let was = of_pod.bool();
            let text =
                format!("pod hostProcess value must be identical if both are specified, was {was}");
            r.invalid(&own, &text);
        }
        n_of_host += usize::from(if own.here() { own.bool() } else { of_pod.bool() });
    }
    if n_of_host == 0 {
        return;
    }
    if n_of_host != containers.len() {
        let text = "If pod contains any hostProcess containers then all containers must be \
                    HostProcess containers";
        r.invalid_as(spec, "\"\"", text);
    }
    let network = spec.get("hostNetwork");
    if !network.bool() {
        let text = "hostNetwork must be true if pod contains any hostProcess containers";
        r.invalid_as(&network, "false", text);
    }
}
