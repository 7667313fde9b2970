//! A pod's volumes: made before its first container, retried while something is missing.

use super::token;
use super::worker::ends;
use crate::sim::control::{claims, fit};
use crate::sim::model::{Container, Pod, PodId};
use crate::sim::quantity;
use crate::sim::runtime::{VolumeFile, VolumeRef, VolumeSpec};
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{Change, EventId, FileChange, Name, Subject, What};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;

/// One sync waits this long for volumes.
const PATIENCE: SimTime = SimTime::from_secs(123);
const FIRST_RETRY: SimTime = SimTime::from_millis(500);
const LAST_RETRY: SimTime = SimTime::from_secs(122);
/// Longest content told of one file, and of all files of a run.
pub(crate) const FILE_MAX: usize = 64 << 10;
pub(crate) const RUN_MAX: u64 = 4 << 20;

/// Waits until all volumes are there; false when the pod ends or patience does.
pub(crate) async fn wait(world: &World, id: PodId, cause: EventId) -> bool {
    let begun = world.pod(id, |pod| {
        let volumes = pod.template.spec.volumes.clone().unwrap_or_default();
        let names: Vec<Name> = volumes.iter().map(|v| v.name.as_str().into()).collect();
        let begun = std::mem::replace(&mut pod.kubelet.volumes_begun, true);
        (begun, volumes, names)
    });
    let Some((begun, volumes, names)) = begun else { return false };
    if !begun {
        token::mount(world, id);
        for (idx, volume) in volumes.into_iter().enumerate() {
            let copy = world.clone();
            let path = format!("spec.volumes[{idx}]");
            world.clock.spawn(async move { keep_mounted(copy, id, volume, path, cause).await });
        }
    }
    let deadline = world.now() + PATIENCE;
    loop {
        let all = world.pod(id, |pod| names.iter().all(|n| pod.kubelet.volumes.contains_key(n)));
        if all == Some(true) {
            return true;
        }
        if all.is_none() || ends(world, id) || world.now() >= deadline {
            return false;
        }
        super::happens(world, id, deadline).await;
    }
}

/// Tries until it works, each time later.
async fn keep_mounted(world: World, id: PodId, volume: core::Volume, path: String, cause: EventId) {
    let mut delay = FIRST_RETRY;
    loop {
        let made = make(&mut world.st(), id, &volume);
        match made {
            Err(problem) => {
                let message =
                    format!("MountVolume.SetUp failed for volume \"{}\" : {problem}", volume.name);
                world.st().report(id, None, "FailedMount", message, Some(cause));
            }
            Ok(spec) => {
                mount(&world, id, &volume, &spec, &path, cause);
                super::raise(&world, id);
                keep_fresh(world, id, volume, spec, path).await;
                return;
            }
        }
        world.clock.sleep(delay).await;
        delay = SimTime(delay.0 * 2).min(LAST_RETRY);
        if ends(&world, id) {
            return;
        }
    }
}

fn mount(
    world: &World,
    id: PodId,
    volume: &core::Volume,
    spec: &VolumeSpec,
    path: &str,
    cause: EventId,
) {
    let handle = kept(world, id, volume, cause, || world.rt().volume(spec));
    world.pod(id, |pod| {
        pod.kubelet.volumes.insert(volume.name.as_str().into(), handle);
    });
    tell_files(&mut world.st(), id, spec, &spec.files, path, cause);
}

/// Volumes that live elsewhere are empty directories here, and that is said.
fn foreign(world: &World, id: PodId, volume: &core::Volume, cause: EventId) {
    let known = volume.empty_dir.is_some()
        || volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.projected.is_some()
        || volume.downward_api.is_some();
    if known {
        return;
    }
    let what = format!("what is in volume {}: it is an empty directory here", volume.name);
    if let Some(subject) = world.pod(id, |pod| pod.subject()) {
        world.st().emit(subject, What::NotSimulated { what }, Some(cause), None);
    }
}

/// The volume itself: what a claim or a node holds outlives the pods that mount it.
fn kept(
    world: &World,
    id: PodId,
    volume: &core::Volume,
    cause: EventId,
    make: impl Fn() -> VolumeRef,
) -> VolumeRef {
    if let Some(source) = &volume.host_path {
        let key = on_node(world, id, source, cause);
        let found = world.st().host_paths.get(&key).copied();
        let handle = found.unwrap_or_else(make);
        world.st().host_paths.insert(key, handle);
        return handle;
    }
    let Some(source) = &volume.persistent_volume_claim else {
        foreign(world, id, volume, cause);
        return make();
    };
    let namespace = world.pod(id, |pod| pod.namespace.clone()).unwrap_or_default();
    let claim = source.claim_name.as_str();
    let found = claims::data(&mut world.st(), &namespace, claim).and_then(|data| *data);
    let handle = found.unwrap_or_else(make);
    if let Some(data) = claims::data(&mut world.st(), &namespace, claim) {
        *data = Some(handle);
    }
    handle
}

/// Tells the content of files that come from ConfigMaps, Secrets and the like.
fn tell_files(
    state: &mut State,
    id: PodId,
    spec: &VolumeSpec,
    files: &[VolumeFile],
    path: &str,
    cause: EventId,
) {
    let Some(pod) = state.pods.get(&id) else { return };
    let (subject, origin) = (pod.subject(), pod.span(path));
    for file in files {
        let change = set_change(state, &subject, &file.content, cause);
        let what = What::Wrote(Box::new(FileChange {
            place: spec.label.as_str().into(),
            path: file.path.clone(),
            change,
        }));
        state.emit(subject.clone(), what, Some(cause), origin);
    }
}

/// New content, cut at the limits, with a sentence the first time the run's limit is met.
pub(crate) fn set_change(
    state: &mut State,
    subject: &Subject,
    content: &[u8],
    cause: EventId,
) -> Change {
    Change::Set { content: told(state, subject, content, cause), size: content.len() as u64 }
}

pub(crate) fn told(
    state: &mut State,
    subject: &Subject,
    content: &[u8],
    cause: EventId,
) -> Vec<u8> {
    let before = state.told_bytes;
    let room = RUN_MAX.saturating_sub(before) as usize;
    let n = content.len().min(FILE_MAX).min(room);
    state.told_bytes += n as u64;
    if before < RUN_MAX && state.told_bytes >= RUN_MAX {
        let sentence =
            "more than 4 MB were written to files: later content is not shown".to_owned();
        state.emit(subject.clone(), What::Limit { sentence }, Some(cause), None);
    }
    content.get(..n).unwrap_or(content).to_vec()
}

/// How long after a sync of the pod its volumes are looked at again, in milliseconds.
const REMOUNT_MILLIS: u64 = 100;

/// ConfigMaps, Secrets and labels reach the files of a running pod with its next sync: a minute or
/// so after they change, where nothing else happens to the pod.
// Models pkg/kubelet/volumemanager ReprocessPod and MarkRemountRequired (v1.36).
async fn keep_fresh(
    world: World,
    id: PodId,
    volume: core::Volume,
    mut spec: VolumeSpec,
    path: String,
) {
    if !spec.projected {
        return;
    }
    let syncs = |world: &World| {
        world.pod(id, |pod| (!pod.kubelet.stopped).then_some(pod.kubelet.n_syncs)).flatten()
    };
    let mut seen = syncs(&world);
    loop {
        super::happens(&world, id, SimTime::MAX).await;
        let n_syncs = syncs(&world);
        if n_syncs.is_none() {
            return;
        }
        if std::mem::replace(&mut seen, n_syncs) == n_syncs {
            continue;
        }
        world.pause(REMOUNT_MILLIS).await;
        let cause = newest_change(&world.st(), id);
        let made = make(&mut world.st(), id, &volume);
        match made {
            Ok(fresh) if fresh.files != spec.files => {
                renew(&world, id, (&volume, &path), (&spec, &fresh), cause);
                spec = fresh;
            }
            Ok(_) => {}
            Err(problem) => {
                let message =
                    format!("MountVolume.SetUp failed for volume \"{}\" : {problem}", volume.name);
                world.st().report(id, None, "FailedMount", message, Some(cause));
            }
        }
    }
}

/// The newest event that changed settings of the pod's namespace, else the pod itself.
fn newest_change(state: &State, id: PodId) -> EventId {
    let Some(pod) = state.pods.get(&id) else { return EventId(0) };
    let near = state.configs.iter().filter(|((_, namespace, _), _)| *namespace == pod.namespace);
    near.filter_map(|(_, config)| config.changed_by).max().unwrap_or(pod.changed_by)
}

/// Another content for a mounted volume, at one stroke; tells what is new and what is gone.
fn renew(
    world: &World,
    id: PodId,
    (volume, path): (&core::Volume, &str),
    (old, fresh): (&VolumeSpec, &VolumeSpec),
    cause: EventId,
) {
    let handle = world.pod(id, |pod| pod.kubelet.volumes.get(&*volume.name).copied());
    let Some(handle) = handle.flatten() else { return };
    world.rt().refresh(handle, fresh);
    let new: Vec<VolumeFile> =
        fresh.files.iter().filter(|file| !old.files.contains(file)).cloned().collect();
    let state = &mut world.st();
    tell_files(state, id, fresh, &new, path, cause);
    let gone = |file: &&VolumeFile| !fresh.files.iter().any(|kept| kept.path == file.path);
    let Some(pod) = state.pods.get(&id) else { return };
    let (subject, origin) = (pod.subject(), pod.span(path));
    for file in old.files.iter().filter(gone) {
        let (place, path) = (fresh.label.as_str().into(), file.path.clone());
        let what = What::Wrote(Box::new(FileChange { place, path, change: Change::Remove }));
        state.emit(subject.clone(), what, Some(cause), origin);
    }
}

/// What a volume is to hold, or why it can't be made.
fn make(state: &mut State, id: PodId, volume: &core::Volume) -> Result<VolumeSpec, String> {
    let Some(pod) = state.pods.get(&id) else { return Ok(VolumeSpec::default()) };
    let security = pod.template.spec.security_context.as_ref();
    let mut spec = VolumeSpec {
        label: format!("volume:{}", volume.name),
        fs_group: security.and_then(|s| s.fs_group).and_then(|g| u32::try_from(g).ok()),
        ..VolumeSpec::default()
    };
    let lookup = Lookup { state, pod };
    if let Some(source) = &volume.config_map {
        let mode = mode(source.default_mode);
        let items = source.items.as_deref();
        let optional = source.optional.unwrap_or(false);
        spec.files = lookup.keys("configmap", &source.name, items, optional, mode)?;
        spec.projected = true;
    } else if let Some(source) = &volume.secret {
        let name = source.secret_name.as_deref().unwrap_or("");
        let (items, optional) = (source.items.as_deref(), source.optional.unwrap_or(false));
        spec.files = lookup.keys("secret", name, items, optional, mode(source.default_mode))?;
        spec.projected = true;
    } else if let Some(source) = &volume.downward_api {
        let items = source.items.as_deref().unwrap_or_default();
        spec.files = lookup.downward(items, mode(source.default_mode));
        spec.projected = true;
    } else if let Some(source) = &volume.projected {
        spec.files = lookup.projected(source)?;
        spec.projected = true;
    } else if let Some(source) = &volume.host_path {
        host_path(source)?;
    } else if let Some(source) = &volume.empty_dir
        && source.medium.as_deref() == Some("Memory")
    {
        spec.memory_bytes = Some(memory_size(state, pod, source));
    }
    Ok(spec)
}

/// How large a memory volume is: what it says, what the pod may use, or what the node has.
// Models pkg/volume/emptydir/empty_dir.go calculateEmptyDirMemorySize (v1.36).
fn memory_size(state: &State, pod: &Pod, source: &core::EmptyDirVolumeSource) -> u64 {
    let node = state.nodes.iter().find(|node| Some(&node.name) == pod.node.as_ref());
    let node = node.and_then(|node| node.room.get("memory").copied()).unwrap_or(u64::MAX);
    let limit = |c: &Container| {
        let limits = c.spec.resources.as_ref().and_then(|r| r.limits.as_ref());
        limits.and_then(|all| all.get("memory")).and_then(quantity::units_of)
    };
    let all_limited = pod.containers.iter().all(|c| limit(c).is_some());
    let pod_limit = if all_limited { fit::total(&pod.containers, limit) } else { 0 };
    let written = source.size_limit.as_ref().and_then(quantity::units_of).unwrap_or(0);
    [pod_limit, written].into_iter().filter(|n| *n > 0).fold(node, u64::min)
}

/// What every node has; anything else is there only once somebody made it.
const NODE_DIRS: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/etc/kubernetes",
    "/home",
    "/lib",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/log",
    "/var/log/containers",
    "/var/log/pods",
    "/var/run",
];
const NODE_FILES: &[&str] = &[
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/resolv.conf",
];
const NODE_SOCKETS: &[&str] =
    &["/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock"];

fn is_of_node(path: &str) -> bool {
    [NODE_DIRS, NODE_FILES, NODE_SOCKETS].iter().any(|list| list.contains(&path))
}

fn node_path(source: &core::HostPathVolumeSource) -> &str {
    let path = source.path.trim_end_matches('/');
    if path.is_empty() { "/" } else { path }
}

// Models pkg/volume/hostpath/host_path.go checkTypeInternal (v1.36).
fn host_path(source: &core::HostPathVolumeSource) -> Result<(), String> {
    let path = node_path(source);
    let (list, wanted) = match source.type_.as_deref() {
        Some("Directory") => (NODE_DIRS, "directory"),
        Some("File") => (NODE_FILES, "file"),
        Some("Socket") => (NODE_SOCKETS, "socket file"),
        Some("BlockDevice") => (&[][..], "block device"),
        _ => return Ok(()),
    };
    if list.contains(&path) {
        return Ok(());
    }
    Err(format!("hostPath type check failed: {} is not a {wanted}", source.path))
}

/// A directory of the node, the same for all pods there; says so where its content is not known.
fn on_node(world: &World, id: PodId, source: &core::HostPathVolumeSource, cause: EventId) -> Key {
    let path = node_path(source).to_owned();
    let node = world.pod(id, |pod| pod.node.clone()).flatten().unwrap_or_default();
    if is_of_node(&path)
        && let Some(subject) = world.pod(id, |pod| pod.subject())
    {
        let what = What::NotSimulated { what: format!("what the node has at {path}") };
        world.st().emit(subject, what, Some(cause), None);
    }
    (node, path)
}

type Key = (String, String);

fn mode(written: Option<i32>) -> u32 {
    written.and_then(|m| u32::try_from(m).ok()).unwrap_or(0o644)
}

struct Lookup<'a> {
    state: &'a State,
    pod: &'a Pod,
}

impl Lookup<'_> {
    fn data(&self, kind: &'static str, name: &str) -> Option<&BTreeMap<String, Vec<u8>>> {
        let key = (kind, self.pod.namespace.clone(), name.to_owned());
        self.state.configs.get(&key).map(|config| &config.data)
    }

    fn keys(
        &self,
        kind: &'static str,
        name: &str,
        items: Option<&[core::KeyToPath]>,
        optional: bool,
        mode: u32,
    ) -> Result<Vec<VolumeFile>, String> {
        let Some(data) = self.data(kind, name) else {
            let missing = format!("{kind} \"{name}\" not found");
            return if optional { Ok(Vec::new()) } else { Err(missing) };
        };
        let Some(items) = items else {
            let all = data.iter();
            return Ok(all.map(|(key, content)| file(key, content, mode)).collect());
        };
        let mut files = Vec::new();
        for item in items {
            let own = item.mode.and_then(|m| u32::try_from(m).ok()).unwrap_or(mode);
            match data.get(&item.key) {
                Some(content) => files.push(file(&item.path, content, own)),
                None if optional => {}
                None if kind == "configmap" => {
                    let key = &item.key;
                    return Err(format!("configmap references non-existent config key: {key}"));
                }
                None => return Err(format!("references non-existent secret key: {}", item.key)),
            }
        }
        Ok(files)
    }

    fn downward(&self, items: &[core::DownwardAPIVolumeFile], mode: u32) -> Vec<VolumeFile> {
        let one = |item: &core::DownwardAPIVolumeFile| {
            let own = item.mode.and_then(|m| u32::try_from(m).ok()).unwrap_or(mode);
            let value = match (&item.field_ref, &item.resource_field_ref) {
                (Some(field), _) => super::env::field_text(self.pod, &field.field_path),
                (None, Some(resource)) => {
                    let name = resource.container_name.as_deref().unwrap_or("");
                    super::env::resource_text(self.pod, name, resource)
                }
                (None, None) => None,
            };
            file(&item.path, value.unwrap_or_default().as_bytes(), own)
        };
        items.iter().map(one).collect()
    }

    fn projected(&self, source: &core::ProjectedVolumeSource) -> Result<Vec<VolumeFile>, String> {
        let mode = mode(source.default_mode);
        let mut files = Vec::new();
        for one in source.sources.iter().flatten() {
            if let Some(map) = &one.config_map {
                let (items, optional) = (map.items.as_deref(), map.optional.unwrap_or(false));
                files.extend(self.keys("configmap", &map.name, items, optional, mode)?);
            }
            if let Some(secret) = &one.secret {
                let (items, optional) = (secret.items.as_deref(), secret.optional.unwrap_or(false));
                files.extend(self.keys("secret", &secret.name, items, optional, mode)?);
            }
            if let Some(downward) = &one.downward_api {
                files.extend(self.downward(downward.items.as_deref().unwrap_or_default(), mode));
            }
            if let Some(token) = &one.service_account_token {
                files.push(file(&token.path, token::TOKEN.as_bytes(), mode));
            }
        }
        Ok(files)
    }
}

impl PartialEq for VolumeFile {
    fn eq(&self, other: &VolumeFile) -> bool {
        (&self.path, &self.content, self.mode) == (&other.path, &other.content, other.mode)
    }
}

pub(super) fn file(path: &str, content: &[u8], mode: u32) -> VolumeFile {
    VolumeFile { path: path.to_owned(), content: content.to_vec(), mode }
}
