//! What the cluster needs of whatever runs container processes: containers, volumes, commands,
//! connections from outside, and notices of what happened inside. Knows no kubelet.

use crate::shell::kernel::Output;
use crate::shell::kernel::wall::{Dropped, Wall};
use crate::time::SimTime;
use crate::trace::{Change, Request};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// One run of one container; a restart is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Handle(pub(crate) u32);

/// A command or a connection asked for from outside, answered later by a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ask(pub(crate) u32);

/// A directory that outlives containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VolumeRef(pub(crate) u32);

/// A pod's shared namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SandboxRef(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct SandboxSpec {
    pub(crate) hostname: String,
    /// Dotted quad.
    pub(crate) ip: String,
    pub(crate) share_pids: bool,
    /// Names of `/etc/hosts` beyond the pod's own: (address, names).
    pub(crate) hosts: Vec<(String, Vec<String>)>,
    /// Domains of `/etc/resolv.conf`, first tried first.
    pub(crate) search: Vec<String>,
}

/// What a new volume holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct VolumeSpec {
    /// As snapshots call it: `volume:NAME`.
    pub(crate) label: String,
    /// `emptyDir`, `configMap`, ...: the last ones are atomic trees of symbolic links.
    pub(crate) projected: bool,
    pub(crate) files: Vec<VolumeFile>,
    pub(crate) fs_group: Option<u32>,
    /// A memory-backed volume of this many bytes.
    pub(crate) memory_bytes: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct VolumeFile {
    pub(crate) path: String,
    pub(crate) content: Vec<u8>,
    pub(crate) mode: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct MountSpec {
    pub(crate) volume: VolumeRef,
    pub(crate) path: String,
    pub(crate) sub_path: String,
    pub(crate) read_only: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct RunSpec {
    pub(crate) name: String,
    pub(crate) image: super::images::Image,
    pub(crate) argv: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) cwd: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    pub(crate) mounts: Vec<MountSpec>,
    pub(crate) read_only_root: bool,
    /// Root may not change owners.
    pub(crate) no_chown: bool,
    pub(crate) cpu_millis: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    /// What the container says it listens on.
    pub(crate) ports: Vec<u16>,
    /// Standard input is held open.
    pub(crate) stdin: bool,
    /// The container whose processes it is to see, and be among.
    pub(crate) target: Option<Handle>,
}

/// Why a container or command could not be started, in the runtime's words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StartError(pub(crate) String);

/// Something happened inside.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) at: SimTime,
    pub(crate) from: Option<Handle>,
    pub(crate) news: News,
}

#[derive(Clone, Debug)]
pub(crate) enum News {
    Log {
        stderr: bool,
        line: String,
    },
    Exited {
        code: i32,
        signal: Option<String>,
        oom: bool,
    },
    /// A command ended with all it printed.
    Ran {
        ask: Ask,
        code: i32,
        output: Output,
    },
    /// A connection was made, or a page came.
    Answered {
        ask: Ask,
        answer: Answer,
    },
    Wrote {
        place: String,
        path: String,
        change: Change,
    },
    Listening {
        address: String,
        port: u16,
    },
    StoppedListening {
        port: u16,
    },
    /// `by` is the container that answered.
    Request {
        request: Box<Request>,
        by: Option<Handle>,
    },
    /// A wall stops a connection on its way.
    Dropped(Box<Dropped>),
    /// `offset` is the byte of the container's own `-c` script it happened at.
    NotSimulated {
        what: String,
        offset: Option<u32>,
    },
    Limit {
        sentence: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Connected,
    Page {
        code: u16,
        body: String,
    },
    /// In Go's words: `connect: connection refused`.
    Failed(String),
}

/// A Service as the network sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Route {
    /// `NAME.NAMESPACE.svc.cluster.local`.
    pub(crate) name: String,
    /// None for a headless one, whose name leads to the pods themselves.
    pub(crate) ip: Option<String>,
    /// (service port, [(pod address, pod port)]).
    pub(crate) ports: Vec<(u16, Vec<(String, u16)>)>,
    /// As `ports`, on the addresses of nodes.
    pub(crate) node_ports: Vec<(u16, Vec<(String, u16)>)>,
    /// For so long a client comes back to the same pod.
    pub(crate) affinity: Option<SimTime>,
    /// Clients reach pods on their own node only.
    pub(crate) local: bool,
    /// The name this one only stands for.
    pub(crate) alias: Option<String>,
    /// Addresses of the pods behind a headless one, with their host names where they have any.
    pub(crate) pods: Vec<(String, Option<String>)>,
}

pub(crate) trait Runtime {
    fn sandbox(&mut self, spec: &SandboxSpec) -> SandboxRef;
    fn volume(&mut self, spec: &VolumeSpec) -> VolumeRef;
    /// Replaces what a projected volume holds, all at once.
    fn refresh(&mut self, volume: VolumeRef, spec: &VolumeSpec);
    /// Bytes a container wrote to its own root since it was made.
    fn written(&self, run: Handle) -> u64;
    /// Bytes in a volume.
    fn usage(&self, volume: VolumeRef) -> u64;
    fn start(&mut self, now: SimTime, pod: SandboxRef, spec: RunSpec)
    -> Result<Handle, StartError>;
    /// The number of the container's first process in its namespace.
    fn pid(&self, run: Handle) -> Option<u32>;
    fn exec(&mut self, now: SimTime, run: Handle, argv: &[String]) -> Result<Ask, StartError>;
    /// Ends a command that took too long.
    fn abandon(&mut self, now: SimTime, ask: Ask);
    /// To the first process, `TERM` and the like.
    fn signal(&mut self, now: SimTime, run: Handle, signal: &str);
    fn connect(&mut self, now: SimTime, address: &str, port: u16) -> Ask;
    fn get(&mut self, now: SimTime, address: &str, port: u16, path: &str, host: &str) -> Ask;
    /// Replaces all Services; `places` are the pods' nodes by address.
    fn routes(&mut self, routes: &[Route], places: BTreeMap<Ipv4Addr, u32>);
    /// Replaces all walls around pods, by address.
    fn walls(&mut self, walls: BTreeMap<Ipv4Addr, Wall>);
    /// Cuts or mends the way between two pods.
    fn cut(&mut self, a: SandboxRef, b: SandboxRef, cut: bool);
    /// Makes each connection between two pods take that much longer.
    fn slow(&mut self, a: SandboxRef, b: SandboxRef, by: SimTime);
    /// Puts a file of so many bytes into a volume.
    fn fill(&mut self, volume: VolumeRef, bytes: usize);
    /// The sandbox is gone with all that ran in it.
    fn remove(&mut self, now: SimTime, pod: SandboxRef);
    /// The text at the container's termination message path.
    fn read(&self, run: Handle, path: &str) -> Option<Vec<u8>>;
    /// Cores (thousandths) used since the last look and bytes held.
    fn used(&mut self, now: SimTime, run: Handle) -> Option<(u32, u64)>;
    /// Processor time used since it began and bytes held, while it runs.
    fn consumed(&self, run: Handle) -> Option<(SimTime, u64)>;
    /// When something happens inside by itself; None while all is still.
    fn next(&self) -> Option<SimTime>;
    /// Lets containers run up to `until`, or until just after the first notice, or until `steps`
    /// are spent; says how far it came.
    fn run(&mut self, until: SimTime, steps: &mut u64) -> (SimTime, Vec<Notice>);
}
