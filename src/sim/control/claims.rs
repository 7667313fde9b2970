//! Claims on volumes that outlive pods: binding to what the manifest offers, or to what a storage
//! class makes.

use super::{Meta, workload};
use crate::kube::{Origins, selector};
use crate::sim::model::{Pod, PodId, Source};
use crate::sim::quantity;
use crate::sim::runtime::VolumeRef;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Subject, What};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;
use std::rc::Rc;

type Key = (String, String);

/// All storage of the cluster. Claims are by namespace and name.
#[derive(Default)]
pub(crate) struct Storage {
    pub(crate) claims: BTreeMap<Key, Claim>,
    pub(crate) disks: BTreeMap<String, Disk>,
    pub(crate) classes: BTreeMap<String, Class>,
}

#[derive(Clone)]
pub(crate) struct Claim {
    pub(crate) meta: Meta,
    spec: core::PersistentVolumeClaimSpec,
    class: String,
    /// The persistent volume it is bound to.
    pub(crate) disk: Option<String>,
    /// A pod that uses it was found a node.
    wanted: bool,
    /// A volume is being made for it, ready then.
    ready_at: Option<SimTime>,
    told: Option<(String, SimTime)>,
}

/// A persistent volume.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    bytes: u64,
    capacity: String,
    modes: Vec<String>,
    class: String,
    labels: BTreeMap<String, String>,
    /// The claim it is kept for.
    kept_for: Option<Key>,
    /// Its files, once a pod mounted it.
    pub(crate) data: Option<VolumeRef>,
}

pub(crate) struct Class {
    pub(crate) provisioner: String,
    /// Made only once a pod that uses the claim has a node.
    pub(crate) waits: bool,
    pub(crate) default: bool,
    /// Its volumes may grow.
    expands: bool,
}

const PROVISIONING: SimTime = SimTime::from_secs(2);
/// The controller looks at unbound claims this often.
const RESYNC: SimTime = SimTime::from_secs(15);

/// The class of a cluster made for learning, as the small ones have it.
pub(crate) fn usual_class() -> Class {
    let provisioner = "rancher.io/local-path".to_owned();
    Class { provisioner, waits: true, default: true, expands: false }
}

pub(crate) fn class(origins: &Origins) -> Class {
    let mode: String = origins.read("volumeBindingMode");
    let notes: BTreeMap<String, String> = origins.read("metadata.annotations");
    let default = notes.get("storageclass.kubernetes.io/is-default-class");
    Class {
        provisioner: origins.read("provisioner"),
        waits: mode == "WaitForFirstConsumer",
        default: default.is_some_and(|value| value == "true"),
        expands: origins.read("allowVolumeExpansion"),
    }
}

pub(crate) fn disk(origins: &Origins) -> Disk {
    let capacity: Quantity = origins.read("spec.capacity.storage");
    let owner: Option<String> = origins.read("spec.claimRef.name");
    let namespace: String = origins.read("spec.claimRef.namespace");
    Disk {
        bytes: quantity::units_of(&capacity).unwrap_or(0),
        capacity: capacity.0,
        modes: origins.read("spec.accessModes"),
        class: origins.read("spec.storageClassName"),
        labels: origins.read("metadata.labels"),
        kept_for: owner.map(|name| (namespace, name)),
        data: None,
    }
}

/// Takes a claim in; the server gives it the default class where it names none.
pub(crate) fn add(world: &World, meta: Meta, spec: core::PersistentVolumeClaimSpec) {
    let key = (meta.namespace.clone(), meta.plain().to_owned());
    let state = &mut world.st();
    let default = state.storage.classes.iter().find(|(_, class)| class.default);
    let default = default.map(|(name, _)| name.clone()).unwrap_or_default();
    let class = spec.storage_class_name.clone().unwrap_or(default);
    let (disk, wanted, ready_at, told) = (None, false, None, None);
    let mut claim = Claim { meta, spec, class, disk, wanted, ready_at, told };
    show(state, &mut claim);
    state.storage.claims.insert(key, claim);
    state.touch();
}

/// The claim of a StatefulSet's pod, made before the pod where it is not there yet.
// Models pkg/controller/statefulset/stateful_pod_control.go createPersistentVolumeClaims (v1.36).
pub(crate) fn for_pod(
    world: &World,
    set: &Meta,
    template: &core::PersistentVolumeClaim,
    pod: &str,
    cause: EventId,
) {
    let base = template.metadata.name.as_deref().unwrap_or("");
    let name = format!("{base}-{pod}");
    if world.st().storage.claims.contains_key(&(set.namespace.clone(), name.clone())) {
        return;
    }
    let message = format!("Create Claim {name} Pod {pod} in StatefulSet {} success", set.plain());
    let applied = {
        let state = &mut world.st();
        let event = workload::report(state, set, "SuccessfulCreate", message, cause);
        let subject =
            Subject::Object { kind: "persistentvolumeclaim".into(), name: name.as_str().into() };
        state.emit(
            subject,
            What::Applied,
            Some(event),
            set.source.span("spec.volumeClaimTemplates"),
        )
    };
    let meta = Meta {
        kind: "persistentvolumeclaim",
        name: name.into(),
        applied,
        created_at: world.now(),
        row: Vec::new(),
        source: Rc::new(Source::default()),
        ..set.clone()
    };
    add(world, meta, template.spec.clone().unwrap_or_default());
}

fn claims_of(pod: &Pod) -> Vec<Key> {
    let volumes = pod.template.spec.volumes.iter().flatten();
    let sources = volumes.filter_map(|v| v.persistent_volume_claim.as_ref());
    sources.map(|s| (pod.namespace.clone(), s.claim_name.clone())).collect()
}

/// Why no node can be looked for yet.
// Models pkg/scheduler/framework/plugins/volumebinding PreFilter (v1.36).
pub(crate) fn missing(state: &State, pod: &Pod) -> Option<String> {
    for key in claims_of(pod) {
        let Some(claim) = state.storage.claims.get(&key) else {
            return Some(format!("persistentvolumeclaim \"{}\" not found", key.1));
        };
        let waits = state.storage.classes.get(&claim.class).is_some_and(|class| class.waits);
        if claim.disk.is_none() && !waits {
            return Some("pod has unbound immediate PersistentVolumeClaims".to_owned());
        }
    }
    None
}

/// Whether all claims of a pod that has a node are bound; those that waited for it are made now.
pub(crate) fn ready(world: &World, id: PodId) -> bool {
    let Some(keys) = world.pod(id, |pod| claims_of(pod)) else { return true };
    let state = &mut world.st();
    let mut ready = true;
    for key in keys {
        let Some(claim) = state.storage.claims.get_mut(&key) else { continue };
        if claim.disk.is_none() {
            ready = false;
            let fresh = !std::mem::replace(&mut claim.wanted, true);
            if fresh {
                state.touch();
            }
        }
    }
    ready
}

/// Binds what can be bound.
// Models pkg/controller/volume/persistentvolume/pv_controller.go syncUnboundClaim (v1.36).
pub(crate) fn reconcile(world: &World) {
    let open: Vec<Key> = {
        let state = world.st();
        let claims = state.storage.claims.iter().filter(|(_, claim)| claim.disk.is_none());
        claims.map(|(key, _)| key.clone()).collect()
    };
    for key in open {
        let found = world.st().storage.claims.get(&key).cloned();
        let Some(mut claim) = found else { continue };
        step(world, &key, &mut claim);
        let state = &mut world.st();
        show(state, &mut claim);
        let bound = claim.disk.is_some();
        state.storage.claims.insert(key, claim);
        if bound {
            state.touch();
        }
    }
}

fn step(world: &World, key: &Key, claim: &mut Claim) {
    let now = world.now();
    if let Some(at) = claim.ready_at {
        if now >= at {
            provisioned(world, key, claim);
        }
        return;
    }
    let waits = {
        let state = &mut world.st();
        let class = state.storage.classes.get(&claim.class);
        class.map(|class| (class.waits, class.provisioner.clone()))
    };
    let found = matching(&world.st(), key, claim);
    let held = waits.as_ref().is_some_and(|(waits, _)| *waits && !claim.wanted);
    if let Some(name) = found.filter(|_| !held) {
        if let Some(disk) = world.st().storage.disks.get_mut(&name) {
            disk.kept_for = Some(key.clone());
        }
        claim.disk = Some(name);
        return;
    }
    let (reason, message) = match &waits {
        Some((true, _)) if !claim.wanted => (
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding".to_owned(),
        ),
        Some((_, provisioner)) => {
            claim.ready_at = Some(now + PROVISIONING);
            look_again(world, PROVISIONING);
            (
                "ExternalProvisioning",
                format!(
                    "Waiting for a volume to be created either by the external provisioner \
                     '{provisioner}' or manually by the system administrator. If volume creation \
                     is delayed, please verify that the provisioner is running and correctly \
                     registered."
                ),
            )
        }
        None if claim.class.is_empty() => (
            "FailedBinding",
            "no persistent volumes available for this claim and no storage class is set".to_owned(),
        ),
        None => (
            "ProvisioningFailed",
            format!("storageclass.storage.k8s.io \"{}\" not found", claim.class),
        ),
    };
    tell(world, claim, reason, message);
}

/// One event of a kind for each look of the controller.
fn tell(world: &World, claim: &mut Claim, reason: &str, message: String) {
    let now = world.now();
    let again = claim.told.as_ref().is_none_or(|(what, at)| what != reason || now >= *at + RESYNC);
    if again {
        claim.told = Some((reason.to_owned(), now));
        let cause = claim.meta.applied;
        workload::report(&mut world.st(), &claim.meta, reason, message, cause);
        if claim.ready_at.is_none() {
            look_again(world, RESYNC);
        }
    }
}

fn look_again(world: &World, span: SimTime) {
    let (copy, at) = (world.clone(), world.now() + span);
    world.clock.spawn(async move {
        copy.clock.sleep_until(at).await;
        copy.st().touch();
    });
}

fn provisioned(world: &World, key: &Key, claim: &mut Claim) {
    let state = &mut world.st();
    let name = format!("pvc-{}", state.uid());
    let message = format!("Successfully provisioned volume {name}");
    workload::report(state, &claim.meta, "ProvisioningSucceeded", message, claim.meta.applied);
    let disk = Disk {
        bytes: wanted_bytes(claim),
        capacity: wanted_text(claim),
        modes: claim.spec.access_modes.clone().unwrap_or_default(),
        class: claim.class.clone(),
        kept_for: Some(key.clone()),
        ..Disk::default()
    };
    state.storage.disks.insert(name.clone(), disk);
    claim.disk = Some(name);
}

/// A claim asks for more: its volume grows a little later, with all that is in it.
// Models plugin/pkg/admission/storage/persistentvolume/resize/admission.go Validate and
// pkg/controller/volume/expand/expand_controller.go syncHandler (v1.36).
pub(crate) fn grow(
    world: &World,
    key: &Key,
    spec: core::PersistentVolumeClaimSpec,
    tell: impl Fn() -> EventId,
) -> Result<(), String> {
    let Some(mut claim) = world.st().storage.claims.get(key).cloned() else { return Ok(()) };
    let before = wanted_bytes(&claim);
    claim.spec.resources = spec.resources;
    if wanted_bytes(&claim) <= before {
        return Ok(());
    }
    let Some(disk) = claim.disk.clone() else {
        return Err("Only bound persistent volume claims can be expanded".to_owned());
    };
    if !world.st().storage.classes.get(&claim.class).is_some_and(|class| class.expands) {
        return Err("only dynamically provisioned pvc can be resized and the storageclass that \
                    provisions the pvc must support resize"
            .to_owned());
    }
    let event = tell();
    let state = &mut world.st();
    let waits = "waiting for an external controller to expand this PVC".to_owned();
    workload::report(state, &claim.meta, "ExternalExpanding", waits, event);
    let resizing = format!("External resizer is resizing volume {disk}");
    let event = workload::report(state, &claim.meta, "Resizing", resizing, event);
    state.storage.claims.insert(key.clone(), claim);
    let (copy, key) = (world.clone(), key.clone());
    world.clock.spawn(async move {
        copy.clock.sleep(PROVISIONING).await;
        grown(&mut copy.st(), &key, event);
    });
    Ok(())
}

fn grown(state: &mut State, key: &Key, event: EventId) {
    let Some(mut claim) = state.storage.claims.get(key).cloned() else { return };
    let disk = claim.disk.as_ref().and_then(|name| state.storage.disks.get_mut(name));
    let Some(disk) = disk else { return };
    (disk.bytes, disk.capacity) = (wanted_bytes(&claim), wanted_text(&claim));
    let (reason, message) = ("VolumeResizeSuccessful", "Resize volume succeeded".to_owned());
    workload::report(state, &claim.meta, reason, message, event);
    show(state, &mut claim);
    state.storage.claims.insert(key.clone(), claim);
    state.touch();
}

fn wanted(claim: &Claim) -> Option<&Quantity> {
    claim.spec.resources.as_ref()?.requests.as_ref()?.get("storage")
}

fn wanted_bytes(claim: &Claim) -> u64 {
    wanted(claim).and_then(quantity::units_of).unwrap_or(0)
}

fn wanted_text(claim: &Claim) -> String {
    wanted(claim).map(|quantity| quantity.0.clone()).unwrap_or_default()
}

/// The smallest volume that is enough, or the one that is kept for the claim.
// Models staging/src/k8s.io/component-helpers/storage/volume FindMatchingVolume (v1.36).
fn matching(state: &State, key: &Key, claim: &Claim) -> Option<String> {
    let fits = |(name, disk): &(&String, &Disk)| {
        let named = claim.spec.volume_name.as_ref().filter(|wanted| !wanted.is_empty());
        let modes = claim.spec.access_modes.iter().flatten();
        let selector = claim.spec.selector.as_ref();
        disk.class == claim.class
            && disk.kept_for.as_ref().is_none_or(|kept| kept == key)
            && named.is_none_or(|wanted| wanted == *name)
            && disk.bytes >= wanted_bytes(claim)
            && modes.into_iter().all(|mode| disk.modes.contains(mode))
            && selector.is_none_or(|s| selector::matches(s, &disk.labels))
    };
    let all = state.storage.disks.iter().filter(fits);
    let best = all.min_by_key(|(_, disk)| (disk.kept_for.is_none(), disk.bytes));
    best.map(|(name, _)| name.clone())
}

// Models pkg/printers/internalversion/printers.go printPersistentVolumeClaim (v1.36).
fn show(state: &mut State, claim: &mut Claim) {
    let disk = claim.disk.as_ref().and_then(|name| state.storage.disks.get(name));
    let short = |mode: &String| match mode.as_str() {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        _ => "RWOP",
    };
    let (capacity, modes) = match disk {
        Some(disk) => {
            let modes: Vec<&str> = disk.modes.iter().map(short).collect();
            (disk.capacity.clone(), modes.join(","))
        }
        None => Default::default(),
    };
    let status = if disk.is_some() { "Bound" } else { "Pending" };
    let volume = claim.disk.clone().unwrap_or_default();
    let cells = [status.to_owned(), volume, capacity, modes, claim.class.clone()];
    let mut cells = cells.to_vec();
    cells.push("<unset>".to_owned());
    let cause = claim.meta.applied;
    workload::show_row(state, &mut claim.meta, cells, cause);
}

/// Where the files of a claim are; None while no pod ever mounted it.
pub(crate) fn data<'a>(
    state: &'a mut State,
    namespace: &str,
    claim: &str,
) -> Option<&'a mut Option<VolumeRef>> {
    let key = (namespace.to_owned(), claim.to_owned());
    let disk = state.storage.claims.get(&key)?.disk.clone()?;
    state.storage.disks.get_mut(&disk).map(|disk| &mut disk.data)
}
