//! Pods and pod templates, in the server's order.
//! Models pkg/apis/core/validation ValidatePodCreate, ValidatePodSpec and
//! ValidatePodTemplateSpec (v1.36).

use super::volume::{self, Volumes};
use super::{affinity, container, meta, resources, security};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;

pub(in crate::check) const RESTART_POLICIES: &[&str] = &["Always", "OnFailure", "Never"];

/// What rules about containers need to know of their pod.
pub(in crate::check) struct Ctx<'a> {
    /// A Pod of its own, not a template: more is filled in before it is checked.
    pub bare: bool,
    pub host_network: bool,
    pub host_users: bool,
    /// terminationGracePeriodSeconds, 30 where it is absent.
    pub grace: i64,
    pub restart_policy: &'a str,
    pub volumes: Volumes<'a>,
    /// Names of `spec.resourceClaims`.
    pub claims: Vec<&'a str>,
    /// The pod spec, for repairs that add a volume.
    pub spec: At<'a>,
}

/// A Pod.
pub(in crate::check) fn object(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let name = root.get("metadata").str_of("name");
    let spec = root.get("spec");
    let ctx = pod_spec(&spec, Some(name), Volumes::new(), r);
    if !spec.str_of("serviceAccountName").is_empty() || spec.here() {
        image_spaces(&spec, r);
    }
    let scheduled = spec.get("nodeName");
    if !scheduled.str().is_empty() && spec.get("schedulingGates").len() > 0 {
        r.forbidden(&scheduled, "cannot be set until all schedulingGates have been cleared");
    }
    let debug = spec.get("ephemeralContainers");
    if debug.len() > 0 {
        r.forbidden(&debug, "cannot be set on create");
    }
    drop(ctx);
}

fn image_spaces(spec: &At, r: &mut Report) {
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for one in spec.get(list).items() {
            let image = one.get("image");
            if image.str() != image.str().trim() {
                r.invalid(&image, "must not have leading or trailing whitespace");
            }
        }
    }
}

/// The template of a workload; `claims` are volumes that come from elsewhere.
pub(in crate::check) fn template<'a>(at: &At<'a>, claims: Volumes<'a>, r: &mut Report) {
    let labels = at.get("metadata.labels");
    meta::labels(&labels.called(format!("{}.labels", at.path)), r);
    let annotations = at.get("metadata.annotations");
    meta::annotations(&annotations.called(format!("{}.annotations", at.path)), r);
    let spec = at.get("spec");
    pod_spec(&spec, None, claims, r);
    let debug = spec.get("ephemeralContainers");
    if debug.len() > 0 {
        r.forbidden(&debug, "ephemeral containers not allowed in pod template");
    }
}

/// `pod_name` is there for bare Pods only.
fn pod_spec<'a>(
    spec: &At<'a>,
    pod_name: Option<&str>,
    claims: Volumes<'a>,
    r: &mut Report,
) -> Ctx<'a> {
    let volumes = volume::all(&spec.get("volumes"), pod_name, claims, r);
    let policy = spec.get("restartPolicy").str();
    let ctx = Ctx {
        bare: pod_name.is_some(),
        host_network: spec.get("hostNetwork").bool(),
        host_users: spec.get("hostUsers").node.is_none_or(|n| n.as_bool() != Some(false)),
        grace: match spec.get("terminationGracePeriodSeconds").int().unwrap_or(30) {
            // Of a bare pod the server puts this right before it looks.
            n if n < 0 && pod_name.is_some() => 1,
            n => n,
        },
        restart_policy: policy,
        volumes,
        claims: resource_claims(&spec.get("resourceClaims"), r),
        spec: spec.clone(),
    };
    let main = spec.get("containers");
    container::apps(&main, &ctx, r);
    container::inits(&spec.get("initContainers"), &main, &ctx, r);
    container::ephemeral(spec, &ctx, r);
    resources::pod(spec, &ctx, r);
    if ctx.host_network {
        container::host_network(&main, r);
        container::host_network(&spec.get("initContainers"), r);
    }
    r.must(&spec.get("restartPolicy"), Must::OneOf(RESTART_POLICIES));
    r.must(&spec.get("dnsPolicy"), Must::OneOf(DNS_POLICIES));
    meta::labels(&spec.get("nodeSelector"), r);
    security::pod(spec, r);
    affinity::affinity(&spec.get("affinity"), r);
    dns(spec, r);
    for gate in spec.get("readinessGates").items() {
        for objection in names::qualified(gate.str_of("conditionType")) {
            r.invalid(&gate.get("conditionType"), &objection);
        }
    }
    gates(&spec.get("schedulingGates"), r);
    affinity::spread(&spec.get("topologySpreadConstraints"), r);
    host_users(spec, r);
    scalars(spec, r);
    resources::overhead(&spec.get("overhead"), r);
    os(&spec.get("os"), r);
    super::windows::pod(spec, r);
    file_keys(spec, r);
    ctx
}

/// Models validatePodResourceClaims.
fn resource_claims<'a>(list: &At<'a>, r: &mut Report) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for one in list.items() {
        let name = one.get("name");
        if seen.contains(&name.str()) && !name.str().is_empty() {
            r.duplicate(&name);
        } else if r.must(&name, Must::Named(names::label)) || !name.str().is_empty() {
            seen.push(name.str());
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"].map(|key| one.get(key));
        let shown = || {
            let part = |at: &At| at.node.map_or("null".to_owned(), show::json);
            format!(
                "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
                show::json_text(name.str()),
                part(&sources[0]),
                part(&sources[1])
            )
        };
        let text = match sources.iter().filter(|at| at.here()).count() {
            0 => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            1 => "",
            _ => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
        };
        if !text.is_empty() {
            r.invalid_as(&one, &shown(), text);
        }
        for at in sources.iter().filter(|at| at.here()) {
            r.must(at, Must::Is(names::subdomain));
        }
    }
    seen
}

/// Variables from files stand in a volume the pod itself fills. Models validateFileKeyRefVolumes.
fn file_keys(spec: &At, r: &mut Report) {
    let volumes = spec.get("volumes").items();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let env = spec.get(list).items().into_iter().flat_map(|c| c.get("env").items());
        for from in env.map(|one| one.get("valueFrom.fileKeyRef")).filter(At::here) {
            let name = from.get("volumeName");
            let found = volumes.iter().rev().find(|v| v.str_of("name") == name.str());
            let Some(found) = found else {
                r.not_found(&name);
                continue;
            };
            let other = volume::SOURCES.iter().find(|key| found.get(key).here());
            if other.is_some_and(|key| *key != "emptyDir") {
                r.invalid(&name, "referenced volume must be of type emptyDir");
            }
        }
    }
}

fn os(at: &At, r: &mut Report) {
    match at.str_of("name") {
        _ if !at.here() => {}
        "linux" | "windows" => {}
        "" => drop(r.required(&at.get("name"), "")),
        word => drop(r.unsupported_as(at, &show::quote(word), &["linux", "windows"])),
    }
}

const DNS_POLICIES: &[&str] = &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];

fn scalars(spec: &At, r: &mut Report) {
    let subdomain = Must::Name(names::subdomain);
    let label = Must::Name(names::label);
    let seconds = "must be between 1 and 2147483647, inclusive";
    host_name_override(spec, r);
    let account = spec.get("serviceAccountName");
    // The field's former name still counts.
    let former = spec.get("serviceAccount").called(account.path.clone());
    r.must(if account.str().is_empty() { &former } else { &account }, subdomain);
    r.all(
        spec,
        &[
            ("nodeName", subdomain),
            ("activeDeadlineSeconds", Must::Between(1, i64::from(i32::MAX), seconds)),
            ("hostname", label),
            ("subdomain", label),
        ],
    );
    affinity::tolerations(&spec.get("tolerations"), r);
    host_aliases(&spec.get("hostAliases"), r);
    let runtime = spec.get("runtimeClassName");
    if runtime.here() && runtime.str().is_empty() {
        for objection in names::subdomain("") {
            r.invalid(&runtime, &objection).code = "bad-name".into();
        }
    }
    r.all(
        spec,
        &[
            ("priorityClassName", subdomain),
            ("runtimeClassName", subdomain),
            ("preemptionPolicy", Must::OneOf(&["PreemptLowerPriority", "Never"])),
        ],
    );
}

fn host_name_override(spec: &At, r: &mut Report) {
    let at = spec.get("hostnameOverride");
    if !at.here() {
        return;
    }
    r.must(&at, Must::Is(names::subdomain));
    if at.str().len() > 64 {
        r.too_long(&at, 64);
    }
    if spec.get("setHostnameAsFQDN").bool() {
        r.forbidden(&at, "may not be specified when setHostnameAsFQDN is true");
    }
    if spec.get("hostNetwork").bool() {
        r.forbidden(&at, "may not be specified when hostNetwork is true");
    }
}

fn dns(spec: &At, r: &mut Report) {
    let config = spec.get("dnsConfig");
    let none = spec.str_of("dnsPolicy") == "None";
    if none && !config.here() {
        r.required(&config, "must provide `dnsConfig` when `dnsPolicy` is None");
        return;
    }
    let servers = config.get("nameservers");
    if none && servers.len() == 0 {
        let text = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        r.required(&servers, text);
    }
    if servers.len() > 3 {
        r.invalid(&servers, "must not have more than 3 nameservers");
    }
    for one in servers.items() {
        for objection in super::net::ip(one.str()) {
            r.invalid(&one, &objection);
        }
    }
    let searches = config.get("searches");
    if searches.len() > 32 {
        r.invalid(&searches, "must not have more than 32 search paths");
    }
    for one in searches.items() {
        let domain = one.str().strip_suffix('.').unwrap_or(one.str()).replace('_', "a");
        if one.str() != "." {
            for objection in names::subdomain(&domain) {
                let objection = objection
                    .replace("characters, '-' or '.'", "characters, '_', '-' or '.'")
                    .replace("[a-z0-9](", "_?[a-z0-9](")
                    .replace("[-a-z0-9]*", "[-_a-z0-9]*");
                let shown = show::quote(one.str().strip_suffix('.').unwrap_or(one.str()));
                r.invalid_as(&one, &shown, &objection);
            }
        }
    }
    for option in config.get("options").items() {
        if option.str_of("name").is_empty() {
            r.required(&option, "must not be empty");
        }
    }
}

fn gates(list: &At, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for gate in list.items() {
        let name = gate.str_of("name");
        for objection in names::qualified(name) {
            r.invalid_as(&gate, &show::quote(name), &objection);
        }
        if seen.contains(&name) {
            r.duplicate_as(&gate, &show::quote(name));
        }
        seen.push(name);
    }
}

fn host_users(spec: &At, r: &mut Report) {
    let users = spec.get("hostUsers");
    if !users.here() || users.bool() {
        return;
    }
    for (key, path) in
        [("hostPID", "HostPID"), ("hostIPC", "HostIPC"), ("hostNetwork", "hostNetwork")]
    {
        let at = spec.get(key);
        if at.bool() {
            r.forbidden(&at.called(format!("{}.{path}", spec.path)), "when `hostUsers` is false");
        }
    }
}

fn host_aliases(list: &At, r: &mut Report) {
    for one in list.items() {
        let ip = one.get("ip");
        for objection in super::net::ip(ip.str()) {
            r.invalid(&ip, &objection);
        }
        for name in one.get("hostnames").items() {
            for objection in names::subdomain(name.str()) {
                r.invalid(&name, &objection);
            }
        }
    }
}
