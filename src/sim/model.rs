//! What the cluster knows of a pod: the API object, and the kubelet's own books. Data, no rules.

use super::exec::Flag;
use super::kubelet::prober::Probers;
use super::runtime::{Handle, SandboxRef, VolumeRef};
use crate::kube::Origins;
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{self, ContainerStatus, EventId, Name, Role, State, Subject};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;
use std::rc::Rc;

/// One pod, never reused: a StatefulSet's `web-0` is a new one each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PodId(pub(crate) u32);

/// Where an object's fields stand in the manifest: `prefix` is `spec.template.` for pods of a
/// controller.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    pub(crate) origins: Origins,
    pub(crate) prefix: String,
    /// Applied while the cluster ran: its text is not the run's, so it has no places to show.
    pub(crate) foreign: bool,
}

impl Source {
    pub(crate) fn span(&self, path: &str) -> Option<Span> {
        if self.foreign {
            return None;
        }
        self.origins.span(&format!("{}{path}", self.prefix))
    }

    /// Where the byte `offset` of the string at `path` stands.
    pub(crate) fn span_in(&self, path: &str, offset: u32) -> Option<Span> {
        if self.foreign {
            return None;
        }
        self.origins.span_in(&format!("{}{path}", self.prefix), offset)
    }
}

/// One container of the spec.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) name: Name,
    pub(crate) role: Role,
    /// `spec.containers[0]`.
    pub(crate) path: String,
    pub(crate) spec: core::Container,
    /// Of an ephemeral one the container whose processes it sees.
    pub(crate) target: Option<Name>,
}

impl Container {
    /// `spec.containers{app}`, as Event objects name it.
    pub(crate) fn field(&self) -> String {
        let list = match self.role {
            Role::Init | Role::Sidecar => "initContainers",
            Role::Main => "containers",
            Role::Ephemeral => "ephemeralContainers",
        };
        format!("spec.{list}{{{}}}", self.name)
    }

    /// Listed among the init containers, sidecars included.
    pub(crate) fn is_init(&self) -> bool {
        matches!(self.role, Role::Init | Role::Sidecar)
    }

    pub(crate) fn is_sidecar(&self) -> bool {
        self.role == Role::Sidecar
    }

    pub(crate) fn is_main(&self) -> bool {
        self.role == Role::Main
    }

    /// Added to the running pod, to look round in.
    pub(crate) fn is_ephemeral(&self) -> bool {
        self.role == Role::Ephemeral
    }

    pub(crate) fn image(&self) -> &str {
        self.spec.image.as_deref().unwrap_or("")
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) kind: &'static str,
    pub(crate) status: bool,
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: Option<String>,
    pub(crate) since: SimTime,
}

/// A pod's `status` as the API server shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Status {
    pub(crate) phase: &'static str,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) start_time: Option<SimTime>,
    pub(crate) has_ip: bool,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) containers: BTreeMap<Name, ContainerStatus>,
}

impl Status {
    pub(crate) fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    pub(crate) fn is(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| c.status)
    }

    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.phase, "Succeeded" | "Failed")
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Deletion {
    pub(crate) at: SimTime,
    pub(crate) grace_secs: u64,
    /// Whether main containers could have run by then.
    pub(crate) initialized: bool,
    pub(crate) event: EventId,
}

/// Who made a pod: `ReplicaSet`, its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Owner {
    pub(crate) kind: &'static str,
    pub(crate) name: Name,
}

/// What a new pod is made of.
#[derive(Clone, Debug)]
pub(crate) struct PodTemplate {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) spec: Rc<core::PodSpec>,
    pub(crate) source: Rc<Source>,
}

pub(crate) struct Pod {
    pub(crate) id: PodId,
    /// What the run calls it; see `trace::plain`.
    pub(crate) name: Name,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) ip: String,
    pub(crate) owner: Option<Owner>,
    /// Its place among its siblings: a Job's completion index.
    pub(crate) index: Option<u32>,
    /// The only node it may go to, where its controller says so.
    pub(crate) target: Option<String>,
    /// Where it is bound to.
    pub(crate) node: Option<String>,
    /// Where others were sent away for it, until it is bound.
    pub(crate) nominated: Option<String>,
    pub(crate) template: PodTemplate,
    pub(crate) containers: Rc<Vec<Container>>,
    pub(crate) created_at: SimTime,
    pub(crate) created_by: EventId,
    pub(crate) deletion: Option<Deletion>,
    /// `metadata.generation`: 1, and one more with each change of the spec and with deletion.
    pub(crate) generation: i64,
    /// Gone from the API server; the kubelet may still be busy with it.
    pub(crate) removed: bool,
    pub(crate) scheduled: bool,
    pub(crate) status: Status,
    /// The last event that changed what the API shows.
    pub(crate) changed_by: EventId,
    pub(crate) row: Option<super::row::Row>,
    /// Raised at whatever happens to this pod.
    pub(crate) flag: Flag,
    pub(crate) kubelet: Books,
}

/// Why a pod ends, beside deletion.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ending {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) grace_secs: u64,
    pub(crate) event: EventId,
}

/// The kubelet's books on a pod.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) actual: View,
    /// What the last relist saw, and when.
    pub(crate) seen: View,
    pub(crate) seen_at: SimTime,
    /// The pod's worker waits for the next relist.
    pub(crate) awaits_look: bool,
    /// A sync is asked for, by this event.
    pub(crate) wanted: Option<EventId>,
    /// The generation that the shown status is about.
    pub(crate) observed: i64,
    /// How many syncs there were: with each, mounted settings follow what the API has.
    pub(crate) n_syncs: u32,
    /// The work queue: when to sync again.
    pub(crate) work_at: Option<SimTime>,
    pub(crate) reasons: BTreeMap<Name, (String, String)>,
    pub(crate) crash_backoff: BTreeMap<Name, BackOff>,
    pub(crate) image_backoff: BTreeMap<String, BackOff>,
    /// Newest error of each image, for `ImagePullBackOff` messages.
    pub(crate) image_errors: BTreeMap<String, String>,
    pub(crate) probers: Probers,
    pub(crate) volumes: BTreeMap<Name, VolumeRef>,
    pub(crate) volumes_begun: bool,
    /// What `/var/run/secrets` holds, for accounts that have it mounted.
    pub(crate) token: Option<VolumeRef>,
    /// What each volume held when it was last measured, in bytes, and when it will be again.
    pub(crate) measured: BTreeMap<Name, u64>,
    pub(crate) measure_at: Option<SimTime>,
    /// Newest log lines of containers whose end may be told with them.
    pub(crate) tails: BTreeMap<Name, Vec<String>>,
    pub(crate) sandbox: Option<SandboxRef>,
    pub(crate) ending: Option<Ending>,
    /// From the start of termination on, liveness and startup probes rest.
    pub(crate) terminating: bool,
    /// Its node is off: nothing here moves.
    pub(crate) frozen: bool,
    /// No container can be running any more.
    pub(crate) stopped: bool,
    /// That `activeDeadlineSeconds` passed was told once.
    pub(crate) deadline_told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BackOff {
    pub(crate) delay: SimTime,
    pub(crate) last_update: SimTime,
}

/// Sandbox and containers as the runtime has them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) sandbox: bool,
    /// Whether there ever was one.
    pub(crate) had_sandbox: bool,
    /// Newest last; older ones than the last two are dropped.
    pub(crate) records: BTreeMap<Name, Vec<Record>>,
}

impl View {
    pub(crate) fn newest(&self, name: &str) -> Option<&Record> {
        self.records.get(name).and_then(|list| list.last())
    }

    pub(crate) fn newest_exited(&self, name: &str) -> Option<&Record> {
        let list = self.records.get(name)?;
        list.iter().rev().find(|r| r.state == RecordState::Exited)
    }

    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.newest(name).is_some_and(|r| r.state == RecordState::Running)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordState {
    Created,
    Running,
    Exited,
}

/// One run of a container.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) handle: Option<Handle>,
    /// The image it was made of; another one in the spec is a changed definition.
    pub(crate) image: String,
    pub(crate) restart_count: u32,
    pub(crate) state: RecordState,
    pub(crate) started_at: SimTime,
    pub(crate) finished_at: SimTime,
    pub(crate) exit_code: i32,
    pub(crate) reason: &'static str,
    pub(crate) message: Option<String>,
    /// What made the present state.
    pub(crate) event: EventId,
}

impl Pod {
    /// `metadata.name`.
    pub(crate) fn plain(&self) -> &str {
        trace::plain(&self.name)
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject::Pod(self.name.clone())
    }

    pub(crate) fn container_subject(&self, container: &Name) -> Subject {
        Subject::Container { pod: self.name.clone(), container: container.clone() }
    }

    pub(crate) fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|c| &*c.name == name)
    }

    pub(crate) fn span(&self, path: &str) -> Option<Span> {
        // No manifest says these: they come while the pod runs.
        let late = path.starts_with("spec.ephemeralContainers");
        self.template.source.span(path).filter(|_| !late)
    }

    /// `NAME_NAMESPACE(UID)`, as the kubelet writes it.
    pub(crate) fn full_name(&self) -> String {
        format!("{}_{}({})", self.plain(), self.namespace, self.uid)
    }

    pub(crate) fn restart_policy(&self) -> &str {
        self.template.spec.restart_policy.as_deref().unwrap_or("Always")
    }

    pub(crate) fn grace_secs(&self) -> u64 {
        let secs = self.template.spec.termination_grace_period_seconds.unwrap_or(30);
        secs.max(0) as u64
    }

    pub(crate) fn has_no_inits(&self) -> bool {
        !self.containers.iter().any(Container::is_init)
    }

    /// Whether the API shows that a main container ran or could have.
    // Models pkg/kubelet/status/status_manager.go hasPodInitialized (v1.36).
    pub(crate) fn shows_initialized(&self) -> bool {
        let shown = |c: &Container| self.status.containers.get(&c.name);
        let ran = |c: &Container| {
            let waits = |s: &ContainerStatus| matches!(s.state, State::Waiting { .. });
            shown(c).is_some_and(|s| s.last.is_some() || !waits(s))
        };
        let done = |state: &State| matches!(state, State::Terminated { exit_code: 0, .. });
        let last = self.containers.iter().rfind(|c| c.is_init());
        let passed = |c: &Container| {
            shown(c).is_some_and(|s| match c.is_sidecar() {
                true => s.started && matches!(s.state, State::Running { .. }),
                false => done(&s.state) || s.last.as_ref().is_some_and(done),
            })
        };
        last.is_none_or(passed) || self.containers.iter().any(|c| c.is_main() && ran(c))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.status.is("Ready")
    }

    /// Neither finished nor being deleted: what controllers count.
    pub(crate) fn is_active(&self) -> bool {
        !self.removed && self.deletion.is_none() && !self.status.is_terminal()
    }
}

/// An ephemeral container as if it were any other; what it may not have is left out.
// Models pkg/kubelet/kuberuntime/kuberuntime_container.go ephemeralContainerStartSpec (v1.36).
pub(crate) fn common(one: &core::EphemeralContainer) -> core::Container {
    let one = one.clone();
    core::Container {
        args: one.args,
        command: one.command,
        env: one.env,
        env_from: one.env_from,
        image: one.image,
        image_pull_policy: one.image_pull_policy,
        name: one.name,
        security_context: one.security_context,
        stdin: one.stdin,
        termination_message_path: one.termination_message_path,
        termination_message_policy: one.termination_message_policy,
        tty: one.tty,
        volume_mounts: one.volume_mounts,
        working_dir: one.working_dir,
        ..core::Container::default()
    }
}

/// The containers of a spec in order: init containers first, ephemeral ones last.
pub(crate) fn containers_of(spec: &core::PodSpec) -> Vec<Container> {
    let inits = spec.init_containers.iter().flatten().enumerate().map(|(i, c)| {
        let always = c.restart_policy.as_deref() == Some("Always");
        let role = if always { Role::Sidecar } else { Role::Init };
        (role, format!("spec.initContainers[{i}]"), c)
    });
    let mains = spec.containers.iter().enumerate();
    let mains = mains.map(|(i, c)| (Role::Main, format!("spec.containers[{i}]"), c));
    let late = spec.ephemeral_containers.iter().flatten().enumerate().map(|(i, c)| Container {
        name: c.name.as_str().into(),
        role: Role::Ephemeral,
        path: format!("spec.ephemeralContainers[{i}]"),
        spec: common(c),
        target: c.target_container_name.as_deref().filter(|name| !name.is_empty()).map(Name::from),
    });
    inits
        .chain(mains)
        .map(|(role, path, c)| Container {
            name: c.name.as_str().into(),
            role,
            path,
            spec: c.clone(),
            target: None,
        })
        .chain(late)
        .collect()
}
