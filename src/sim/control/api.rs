//! What the API server and the scheduler do with pods: create, bind, delete, remove.

use super::{finalizers, job, namespace, scheduler, spread};
use crate::sim::kubelet::publish;
use crate::sim::model::{Deletion, Owner, Pod, PodId, PodTemplate, Status, containers_of};
use crate::sim::quantity;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{ContainerShape, EventId, MountShape, PodShape, ProbeKind, VolumeShape, What};
use k8s_openapi::api::core::v1 as core;
use std::rc::Rc;

pub(crate) struct NewPod {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) owner: Option<Owner>,
    pub(crate) index: Option<u32>,
    /// The only node it may go to.
    pub(crate) target: Option<String>,
    pub(crate) template: PodTemplate,
    pub(crate) cause: EventId,
}

/// Creates a pod and lets the scheduler and the kubelet have it.
pub(crate) fn create_pod(world: &World, new: NewPod) -> PodId {
    let id = {
        let state = &mut world.st();
        state.next_pod += 1;
        let id = PodId(state.next_pod);
        let uid = state.uid();
        let containers = Rc::new(containers_of(&new.template.spec));
        let n = id.0 + 4;
        let pod = Pod {
            id,
            name: namespace::enter(state, "pod", &new.namespace, &new.name),
            namespace: new.namespace,
            uid,
            ip: format!("10.244.{}.{}", n / 250, n % 250),
            owner: new.owner,
            index: new.index,
            target: new.target,
            node: None,
            nominated: None,
            template: new.template,
            containers,
            created_at: state.now(),
            created_by: new.cause,
            deletion: None,
            generation: 1,
            removed: false,
            scheduled: false,
            status: Status { phase: "Pending", ..Status::default() },
            changed_by: new.cause,
            row: None,
            flag: crate::sim::exec::Flag::default(),
            kubelet: crate::sim::model::Books::default(),
        };
        let shape = shape(&pod);
        let (subject, origin) = (pod.subject(), pod.span("spec"));
        state.live.insert(pod.name.clone());
        state.has_anti_affinity |= !spread::anti_terms(&pod).is_empty();
        state.pods.insert(id, pod);
        let event =
            state.emit(subject.clone(), What::PodAdded(Box::new(shape)), Some(new.cause), origin);
        let phase = "Pending".to_owned();
        state.emit(subject, What::Phase { phase }, Some(event), None);
        if let Some(pod) = state.pods.get_mut(&id) {
            (pod.created_by, pod.changed_by) = (event, event);
        }
        publish::tell_row(state, id, event);
        state.touch();
        id
    };
    let copy = world.clone();
    world.clock.spawn(async move { scheduler::run(&copy, id).await });
    id
}

/// Asks for a pod's deletion; `grace` in seconds where the person says so.
// Models pkg/registry/core/pod/strategy.go CheckGracefulDelete (v1.36).
pub(crate) fn delete_pod(world: &World, id: PodId, grace: Option<u64>, cause: EventId) {
    let at = world.now();
    let asked = world.pod(id, |pod| {
        let done = !pod.scheduled || pod.status.is_terminal();
        let grace_secs = if done { 0 } else { grace.unwrap_or(pod.grace_secs()) };
        let initialized = pod.shows_initialized();
        if pod.deletion.is_some_and(|d| d.grace_secs <= grace_secs) || pod.removed {
            return None;
        }
        let origin = pod.span("spec.terminationGracePeriodSeconds");
        Some((grace_secs, done, initialized, pod.subject(), origin))
    });
    let Some((grace_secs, done, initialized, subject, origin)) = asked.flatten() else { return };
    let state = &mut world.st();
    let deadline = at + SimTime::from_secs(grace_secs);
    let what = What::Deleting { grace_secs, deadline };
    let event = state.emit(subject, what, Some(cause), origin);
    if let Some(pod) = state.pods.get_mut(&id) {
        pod.generation += i64::from(pod.deletion.is_none());
        pod.deletion = Some(Deletion { at, grace_secs, initialized, event });
        pod.changed_by = event;
        pod.flag.clone().raise(&world.clock);
    }
    if finalizers::hold_pod(state, id) {
        finalizers::free_pod(world, id);
    } else if done && !job::awaits_count(state, id) {
        return remove(state, id);
    }
    publish::tell_row(state, id, event);
    state.touch();
    if grace_secs == 0 {
        remove_soon(world, id);
    }
}

/// A grace of nothing takes the object away at once; the kubelet cleans up after it.
// Models staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete (v1.36).
fn remove_soon(world: &World, id: PodId) {
    let copy = world.clone();
    world.clock.spawn(async move {
        copy.pause(30).await;
        remove_pod(&copy, id);
    });
}

/// `--force --grace-period=0`: the object goes at once, the kubelet cleans up after it.
pub(crate) fn force_delete(world: &World, id: PodId, cause: EventId) {
    delete_pod(world, id, Some(1), cause);
    remove_soon(world, id);
}

/// The object leaves the API server.
pub(crate) fn remove_pod(world: &World, id: PodId) {
    remove(&mut world.st(), id);
}

fn remove(state: &mut State, id: PodId) {
    if finalizers::hold_pod(state, id) {
        return;
    }
    let Some(pod) = state.pods.get_mut(&id).filter(|pod| !pod.removed) else { return };
    pod.removed = true;
    let (name, cause) = (pod.name.clone(), pod.changed_by);
    let subject = pod.subject();
    state.emit(subject, What::Removed, Some(cause), None);
    state.live.remove(&name);
    state.touch();
}

/// The unchanging side of a pod, for the picture.
fn shape(pod: &Pod) -> PodShape {
    let spec = &pod.template.spec;
    PodShape {
        namespace: pod.namespace.clone(),
        labels: pod.template.labels.clone().into_iter().collect(),
        owner: pod.owner.as_ref().map(|o| format!("{}/{}", o.kind, o.name)),
        containers: pod.containers.iter().map(|c| container_shape(pod, c)).collect(),
        volumes: volume_shapes(pod, spec),
        grace_secs: pod.grace_secs(),
        restart_policy: pod.restart_policy().to_owned(),
    }
}

pub(super) fn container_shape(
    pod: &Pod,
    container: &crate::sim::model::Container,
) -> ContainerShape {
    let spec = &container.spec;
    let mounts = spec.volume_mounts.iter().flatten().enumerate().map(|(i, mount)| MountShape {
        volume: mount.name.as_str().into(),
        path: mount.mount_path.clone(),
        read_only: mount.read_only.unwrap_or(false),
        origin: pod.span(&format!("{}.volumeMounts[{i}]", container.path)),
    });
    let probes = [
        (ProbeKind::Startup, spec.startup_probe.is_some()),
        (ProbeKind::Liveness, spec.liveness_probe.is_some()),
        (ProbeKind::Readiness, spec.readiness_probe.is_some()),
    ];
    let limits = spec.resources.as_ref().and_then(|r| r.limits.as_ref());
    let limit = |name: &str| limits.and_then(|l| l.get(name));
    let ports = spec.ports.iter().flatten();
    ContainerShape {
        name: container.name.clone(),
        role: container.role,
        image: container.image().to_owned(),
        command: [spec.command.clone(), spec.args.clone()]
            .into_iter()
            .flatten()
            .flatten()
            .collect(),
        ports: ports.map(|p| (p.container_port as u16, p.name.clone())).collect(),
        mounts: mounts.collect(),
        probes: probes.into_iter().filter(|(_, has)| *has).map(|(kind, _)| kind).collect(),
        cpu_limit_millis: limit("cpu").and_then(quantity::millis_of).map(|m| m as u32),
        memory_limit_bytes: limit("memory").and_then(quantity::units_of),
        origin: pod.span(&container.path),
    }
}

fn volume_shapes(pod: &Pod, spec: &core::PodSpec) -> Vec<VolumeShape> {
    let one = |(i, volume): (usize, &core::Volume)| {
        let (kind, detail) = volume_words(volume);
        VolumeShape {
            name: volume.name.as_str().into(),
            kind: kind.to_owned(),
            detail,
            origin: pod.span(&format!("spec.volumes[{i}]")),
        }
    };
    spec.volumes.iter().flatten().enumerate().map(one).collect()
}

fn volume_words(volume: &core::Volume) -> (&'static str, String) {
    if let Some(source) = &volume.config_map {
        return ("configMap", source.name.clone());
    }
    if let Some(source) = &volume.secret {
        return ("secret", source.secret_name.clone().unwrap_or_default());
    }
    if let Some(source) = &volume.persistent_volume_claim {
        return ("persistentVolumeClaim", source.claim_name.clone());
    }
    if let Some(source) = &volume.host_path {
        return ("hostPath", source.path.clone());
    }
    if let Some(source) = &volume.empty_dir {
        let limit = source.size_limit.as_ref().map(|l| format!("sizeLimit: {}", l.0));
        let words = [source.medium.clone().filter(|m| !m.is_empty()), limit];
        return ("emptyDir", words.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
    if volume.projected.is_some() {
        return ("projected", String::new());
    }
    if volume.downward_api.is_some() {
        return ("downwardAPI", String::new());
    }
    ("other", String::new())
}

/// The pod that the run calls so now.
pub(crate) fn by_name(state: &State, name: &str) -> Option<PodId> {
    state.pods.values().find(|p| !p.removed && &*p.name == name).map(|p| p.id)
}

/// The pod that an action names.
pub(crate) fn said(state: &State, name: &str) -> Option<PodId> {
    by_name(state, &state.called("pod", name))
}

/// Pods of one owner, oldest first, those still shown by the API.
pub(crate) fn owned(state: &State, kind: &str, name: &str) -> Vec<PodId> {
    let mine = |pod: &&Pod| {
        !pod.removed && pod.owner.as_ref().is_some_and(|o| o.kind == kind && &*o.name == name)
    };
    state.pods.values().filter(mine).map(|pod| pod.id).collect()
}
