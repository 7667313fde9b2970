//! The checks that the level `restricted` adds, in the server's order: by their names.

use super::Violation;
use super::baseline::{masked_proc, wrong_seccomp};
use super::visit::{Pod, places, plural, quoted, security, violation};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeSet;

pub(super) const CHECKS: &[fn(&Pod) -> Option<Violation>] = &[
    privilege_escalation,
    capabilities,
    proc_mount,
    volumes,
    run_as_non_root,
    run_as_user,
    seccomp,
];

/// Windows pods have no such fields; since 1.25 they are let through.
fn is_free_windows(pod: &Pod) -> bool {
    pod.minor >= 25 && pod.is_windows()
}

// Models k8s.io/pod-security-admission policy/check_allowPrivilegeEscalation.go (v1.36).
fn privilege_escalation(pod: &Pod) -> Option<Violation> {
    let bad = |c: &core::Container| security(c).allow_privilege_escalation != Some(false);
    let found = pod.those("securityContext.allowPrivilegeEscalation", bad);
    if found.is_empty() || pod.minor < 8 || is_free_windows(pod) {
        return None;
    }
    let words = found.words();
    let detail = format!("{words} must set securityContext.allowPrivilegeEscalation=false");
    violation("allowPrivilegeEscalation != false", detail, found.paths)
}

// Models k8s.io/pod-security-admission policy/check_capabilities_restricted.go (v1.36).
fn capabilities(pod: &Pod) -> Option<Violation> {
    if pod.minor < 22 || is_free_windows(pod) {
        return None;
    }
    let lists = |c: &core::Container| security(c).capabilities.unwrap_or_default();
    let keeps = |c: &core::Container| !lists(c).drop.iter().flatten().any(|one| one == "ALL");
    let added = |c: &core::Container| -> Vec<String> {
        let added = lists(c).add.unwrap_or_default();
        added.into_iter().filter(|one| one != "NET_BIND_SERVICE").collect()
    };
    let missing = pod.those("securityContext.capabilities", keeps);
    let adding = pod.those("securityContext.capabilities.add", |c| !added(c).is_empty());
    let mut details = Vec::new();
    if !missing.is_empty() {
        let words = missing.words();
        details.push(format!("{words} must set securityContext.capabilities.drop=[\"ALL\"]"));
    }
    if !adding.is_empty() {
        let (words, all) = (adding.words(), quoted(pod.values(added)));
        let what = "in securityContext.capabilities.add";
        details.push(format!("{words} must not include {all} {what}"));
    }
    if details.is_empty() {
        return None;
    }
    let paths = missing.paths.into_iter().chain(adding.paths);
    violation("unrestricted capabilities", details.join("; "), paths)
}

// Models k8s.io/pod-security-admission policy/check_procMount_restricted.go (v1.36).
fn proc_mount(pod: &Pod) -> Option<Violation> {
    if pod.minor < 35 { None } else { masked_proc(pod) }
}

/// What a volume is that this level does not allow.
fn forbidden_volume(volume: &core::Volume) -> Option<&'static str> {
    let allowed = volume.config_map.is_some()
        || volume.csi.is_some()
        || volume.downward_api.is_some()
        || volume.empty_dir.is_some()
        || volume.ephemeral.is_some()
        || volume.image.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.projected.is_some()
        || volume.secret.is_some();
    let kinds = [
        ("hostPath", volume.host_path.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephfs", volume.cephfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("fc", volume.fc.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("storageos", volume.storageos.is_some()),
    ];
    let kind = kinds.iter().find(|(_, is)| *is).map_or("unknown", |(kind, _)| kind);
    (!allowed).then_some(kind)
}

// Models k8s.io/pod-security-admission policy/check_restrictedVolumes.go (v1.36).
fn volumes(pod: &Pod) -> Option<Violation> {
    let all = pod.spec.volumes.iter().flatten().enumerate();
    let bad: Vec<_> = all.filter_map(|(i, v)| Some((i, v, forbidden_volume(v)?))).collect();
    if bad.is_empty() {
        return None;
    }
    let kinds: BTreeSet<&str> = bad.iter().map(|(_, _, kind)| *kind).collect();
    let n = kinds.len();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", bad.len()),
        quoted(bad.iter().map(|(_, volume, _)| &volume.name)),
        plural("uses", "use", bad.len()),
        plural("restricted volume type", "restricted volume types", n),
        quoted(kinds)
    );
    let paths = bad.iter().map(|(i, ..)| format!("spec.volumes[{i}]"));
    violation("restricted volume types", detail, paths)
}

// Models k8s.io/pod-security-admission policy/check_runAsNonRoot.go (v1.36).
fn run_as_non_root(pod: &Pod) -> Option<Violation> {
    const REASON: &str = "runAsNonRoot != true";
    const FIELD: &str = "securityContext.runAsNonRoot";
    if pod.minor >= 35 && pod.has_own_users() {
        return None;
    }
    let of_pod = pod.security.run_as_non_root;
    let of = |c: &core::Container| security(c).run_as_non_root;
    let wrong = pod.those(FIELD, |c| of(c) == Some(false));
    let setters = wrong.with_pod(of_pod == Some(false));
    if !setters.is_empty() {
        let detail = format!("{setters} must not set securityContext.runAsNonRoot=false");
        let pod_path = (of_pod == Some(false)).then_some("spec.securityContext.runAsNonRoot");
        return violation(REASON, detail, places(pod_path, wrong));
    }
    let silent = pod.those(FIELD, |c| of(c).is_none() && of_pod != Some(true));
    if silent.is_empty() {
        return None;
    }
    let detail = format!("pod or {} must set securityContext.runAsNonRoot=true", silent.words());
    violation(REASON, detail, silent.paths)
}

// Models k8s.io/pod-security-admission policy/check_runAsUser.go (v1.36).
fn run_as_user(pod: &Pod) -> Option<Violation> {
    if pod.minor < 23 || (pod.minor >= 35 && pod.has_own_users()) {
        return None;
    }
    let of_pod = pod.security.run_as_user == Some(0);
    let root = |c: &core::Container| security(c).run_as_user == Some(0);
    let found = pod.those("securityContext.runAsUser", root);
    let setters = found.with_pod(of_pod);
    if setters.is_empty() {
        return None;
    }
    let pod_path = of_pod.then_some("spec.securityContext.runAsUser");
    violation("runAsUser=0", format!("{setters} must not set runAsUser=0"), places(pod_path, found))
}

// Models k8s.io/pod-security-admission policy/check_seccompProfile_restricted.go (v1.36).
fn seccomp(pod: &Pod) -> Option<Violation> {
    if pod.minor < 19 || is_free_windows(pod) {
        return None;
    }
    if let Some(wrong) = wrong_seccomp(pod) {
        return Some(wrong);
    }
    let silent = |c: &core::Container| security(c).seccomp_profile.is_none();
    let field = "securityContext.seccompProfile";
    let found = pod.those(field, |c| silent(c) && pod.security.seccomp_profile.is_none());
    if found.is_empty() {
        return None;
    }
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\"",
        found.words()
    );
    violation("seccompProfile", detail, found.paths)
}
