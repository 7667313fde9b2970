//! What happened: events with cause and origin, their fold into snapshots, and the text they make.
//!
//! Events are the only truth; `Snapshot::apply` is the only writer of a snapshot. A trace never
//! names a browser, a manifest's text or the simulator that made it.

mod snapshot;
pub mod text;
pub mod words;

pub use snapshot::{ContainerView, FileView, ObjectView, PodView, Snapshot};

use crate::text::Span;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub type Name = Arc<str>;

/// The name an object has in its namespace. A run calls an object by its name alone, as long as no
/// other of its kind has that name; one that comes later, in another namespace, is
/// `NAMESPACE/NAME` wherever events name it.
pub fn plain(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// Index of an event in its timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId(pub u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub at: SimTime,
    pub subject: Subject,
    pub what: What,
    /// The event that made this one happen; None for what the person did and the run's start.
    pub cause: Option<EventId>,
    /// The bytes of the manifest that say so.
    pub origin: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Cluster,
    Node(Name),
    Pod(Name),
    Container {
        pod: Name,
        container: Name,
    },
    /// `kind` in lower case as kubectl writes it, e.g. `deployment`.
    Object {
        kind: Name,
        name: Name,
    },
}

/// What happened. Variants in groups: asked, shown by the API server, inside the pod, honesty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// The person acted, in kubectl's words: `delete pod/x`.
    Acted {
        action: String,
    },
    /// A manifest's object reached the API server.
    Applied,
    /// The object left the API server.
    Removed,

    /// A pod exists: everything about it that does not change, for the picture.
    PodAdded(Box<PodShape>),
    /// A container came to a pod that was there already.
    ContainerAdded(Box<ContainerShape>),
    /// The line of `kubectl get pods`. `restarted_at` is when the newest counted restart's
    /// predecessor finished, for `3 (12s ago)`.
    Row {
        ready: u32,
        total: u32,
        status: String,
        restarts: u32,
        restarted_at: Option<SimTime>,
    },
    Phase {
        phase: String,
    },
    Condition {
        kind: Name,
        status: bool,
        reason: Option<String>,
        message: Option<String>,
    },
    /// `status.reason` and `status.message` of the pod.
    PodReason {
        reason: String,
        message: String,
    },
    /// Deletion was asked for; gone at the latest at `deadline`.
    Deleting {
        grace_secs: u64,
        deadline: SimTime,
    },
    /// A controller took a pod that nobody owned: `ReplicaSet/web-5d4`.
    Adopted {
        owner: String,
    },
    /// A controller let go of a pod that it no longer selects.
    Released {
        owner: String,
    },
    /// A container's status as the API server shows it.
    Status(ContainerStatus),
    /// An Event object: `reason` is CamelCase, `field_path` as `spec.containers{app}`.
    Reported {
        warning: bool,
        reason: Name,
        field_path: Option<String>,
        message: String,
    },
    /// Cells of `kubectl get KIND` without name and age.
    ObjectRow {
        cells: Vec<String>,
    },
    /// Addresses of a Service: `10.244.0.5:80` items.
    Endpoints {
        ready: Vec<String>,
        not_ready: Vec<String>,
    },

    /// An image is being pulled and will be there at `done_at`.
    Pulling {
        image: String,
        done_at: SimTime,
    },
    /// The container's first process started (the real moment, before the API shows it).
    Started {
        pid: u32,
    },
    /// The container's first process ended. `signal` where one killed it.
    Exited {
        code: i32,
        signal: Option<Name>,
        oom: bool,
    },
    Log {
        stderr: bool,
        line: String,
    },
    Wrote(Box<FileChange>),
    Listening {
        address: String,
        port: u16,
    },
    StoppedListening {
        port: u16,
    },
    /// A connection or request and what came of it.
    Request(Box<Request>),
    Probe {
        probe: ProbeKind,
        ok: bool,
        detail: String,
    },
    /// A verdict crossed its threshold.
    ProbeVerdict {
        probe: ProbeKind,
        ok: bool,
    },
    HookStarted {
        hook: HookKind,
    },
    HookEnded {
        hook: HookKind,
        ok: bool,
        detail: String,
    },
    Signalled {
        signal: Name,
    },
    /// The kubelet waits before it starts the container again (or pulls its image again).
    BackOff {
        until: SimTime,
        delay: SimTime,
    },
    /// The container has until then to stop by itself.
    Grace {
        until: SimTime,
    },
    Usage {
        cpu_millis: u32,
        memory_bytes: u64,
    },

    /// Our interpreter met something it does not simulate; never passed off as success.
    NotSimulated {
        what: String,
    },
    /// A limit was reached, in a sentence.
    Limit {
        sentence: String,
    },
    /// A word of ours for the learner, e.g. "shipper now starts after app".
    Note {
        text: String,
    },
}

/// The unchanging side of a pod, for the picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodShape {
    pub namespace: String,
    pub labels: Vec<(String, String)>,
    /// `ReplicaSet/web-5d4`, where a controller owns it.
    pub owner: Option<String>,
    /// In spec order: init containers (sidecars among them), then the main ones.
    pub containers: Vec<ContainerShape>,
    pub volumes: Vec<VolumeShape>,
    pub grace_secs: u64,
    pub restart_policy: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerShape {
    pub name: Name,
    pub role: Role,
    pub image: String,
    pub command: Vec<String>,
    /// (port, name)
    pub ports: Vec<(u16, Option<String>)>,
    pub mounts: Vec<MountShape>,
    pub probes: Vec<ProbeKind>,
    pub cpu_limit_millis: Option<u32>,
    pub memory_limit_bytes: Option<u64>,
    pub origin: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    Init,
    /// An init container with `restartPolicy: Always`.
    Sidecar,
    Main,
    Ephemeral,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MountShape {
    pub volume: Name,
    pub path: String,
    pub read_only: bool,
    pub origin: Option<Span>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeShape {
    pub name: Name,
    /// `emptyDir`, `configMap`, `secret`, ...
    pub kind: String,
    /// Of what: the ConfigMap's name, `Memory`, `sizeLimit: 10Mi`.
    pub detail: String,
    pub origin: Option<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ProbeKind {
    Startup,
    Liveness,
    Readiness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HookKind {
    PostStart,
    PreStop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerStatus {
    pub state: State,
    /// The state before the present one, once terminated: `lastState`.
    pub last: Option<State>,
    pub restart_count: u32,
    pub ready: bool,
    pub started: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum State {
    Waiting {
        reason: String,
        message: Option<String>,
    },
    Running {
        started_at: SimTime,
    },
    Terminated {
        reason: String,
        exit_code: i32,
        message: Option<String>,
        started_at: SimTime,
        finished_at: SimTime,
    },
}

/// A file changed. `place` is `volume:NAME` or `rootfs` (of the subject container).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileChange {
    pub place: Name,
    /// Path below the volume's or container's root, no leading slash.
    pub path: String,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The whole new content (cut at a limit; `size` is the true one).
    Set {
        content: Vec<u8>,
        size: u64,
    },
    Append {
        content: Vec<u8>,
        size: u64,
    },
    MakeDir,
    Remove,
    RenameTo {
        path: String,
    },
}

/// A connection from the subject container (or a probe) and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// As asked: `localhost:8080`, `redis.default.svc:6379`.
    pub to: String,
    pub port: u16,
    /// The container that answered, where one of this cluster did: (pod, container).
    pub served_by: Option<(Name, Name)>,
    /// `GET /metrics`, `PING`, or empty for bytes we do not name.
    pub summary: String,
    /// `200 OK`, `connection refused`, `bad address`.
    pub outcome: String,
    pub ok: bool,
    pub took: SimTime,
}

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub events: Vec<Event>,
    /// The instant up to which it was simulated.
    pub now: SimTime,
    pub end: Option<End>,
    #[serde(skip)]
    keyframes: Vec<(usize, Snapshot)>,
}

/// Why a run went no further.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum End {
    /// The horizon asked for was reached.
    Horizon,
    /// Nothing can happen any more without someone acting.
    Settled,
    /// A limit stopped it; the sentence says which and where.
    Stopped { sentence: String },
}

/// A keyframe at least so many events after the last keeps any instant within a frame of time.
/// Where a snapshot has more pods and objects than that, it is so many as it has, so that a run's
/// keyframes cost no more than its events do.
const KEYFRAME_EVERY: usize = 512;

impl Timeline {
    /// Appends events of one slice and keeps keyframes.
    pub fn extend(&mut self, events: impl IntoIterator<Item = Event>, now: SimTime) {
        for event in events {
            let since = self.keyframes.last().map(|(upto, frame)| {
                (self.events.len() - upto, frame.pods.len() + frame.objects.len())
            });
            if since.is_none_or(|(n, size)| n >= size.max(KEYFRAME_EVERY)) {
                let frame = self.at_event(self.events.len());
                self.keyframes.push((self.events.len(), frame));
            }
            self.events.push(event);
        }
        self.now = self.now.max(now);
    }

    /// The number of events at or before `at`.
    pub fn upto(&self, at: SimTime) -> usize {
        self.events.partition_point(|e| e.at <= at)
    }

    /// Everything as it was at `at`.
    pub fn at(&self, at: SimTime) -> Snapshot {
        let mut snapshot = self.at_event(self.upto(at));
        snapshot.at = at;
        snapshot
    }

    /// Everything after the first `n` events.
    pub fn at_event(&self, n: usize) -> Snapshot {
        let n = n.min(self.events.len());
        let idx = self.keyframes.partition_point(|(upto, _)| *upto <= n);
        let (from, mut snapshot) = match idx.checked_sub(1).and_then(|i| self.keyframes.get(i)) {
            Some((from, frame)) => (*from, frame.clone()),
            None => (0, Snapshot::default()),
        };
        for event in &self.events[from..n] {
            snapshot.apply(event);
        }
        snapshot
    }

    /// The chain of causes of an event, the event itself first.
    pub fn causes(&self, id: EventId) -> Vec<&Event> {
        let mut chain = Vec::new();
        let mut next = self.events.get(id.0 as usize);
        while let Some(event) = next {
            chain.push(event);
            // Causes come before their effects, so the chain ends; a forged trace may not.
            next = event
                .cause
                .filter(|c| c.0 < event.id.0)
                .and_then(|c| self.events.get(c.0 as usize));
        }
        chain
    }
}
