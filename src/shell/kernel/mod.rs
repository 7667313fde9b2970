//! The kernel: all state of a machine behind one `RefCell`. Tasks (the futures of processes) live
//! in [`super::machine`], so that a process being polled may borrow the kernel freely.
//!
//! Time: every process has its own CPU. It runs until it blocks or gets ahead of what else is due,
//! burning virtual time as it goes; the agenda orders wake-ups by (time, asking order).

pub mod cgroup;
pub mod container;
pub mod fd;
pub mod files;
pub mod inode;
pub mod io;
pub mod locks;
pub mod memory;
pub mod net;
pub mod notice;
pub mod path;
pub mod pipe;
pub mod process;
pub mod procfs;
pub mod procs;
pub mod service;
pub mod wall;

pub use container::{Container, Mount};
pub use fd::{Fd, OpenHow};
pub use notice::{Change, Notice, NoticeKind, Output};
pub use process::{Credentials, Disposition, Env, Pid, ProcId, WaitStatus};

use crate::rng::Rng;
use crate::time::SimTime;
use container::Cost;
use inode::FileSystem;
use process::Proc;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

pub type KernelRef = Rc<RefCell<Kernel>>;
/// A process's own future; its output is the exit code.
pub type Task = Pin<Box<dyn Future<Output = i32>>>;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        $($(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u32);)*
    };
}

ids! {
    /// A container, one run of it: a restart is a new one.
    ContainerId,
    /// A probe or hook command run inside a container.
    ExecId,
    /// A network namespace: one per pod.
    NetNsId,
    /// A PID namespace: one per container, or one per pod that shares it.
    PidNsId,
    /// A volume that outlives containers.
    VolumeId,
    /// A connection made from outside, e.g. by the kubelet.
    ClientId,
}

/// Bounds of a machine; reaching one is a notice with a sentence.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Interpreter steps of one container in one virtual second before its steps get slower.
    pub steps_per_second: u64,
    /// Bytes in all files, pipes and memory claims of the machine.
    pub memory_bytes: u64,
    /// Processes alive in one container.
    pub processes: usize,
    /// Numbers that the threads of the runtime's own starter take after a container's or a
    /// command's first process, before they are gone.
    // Models opencontainers/runc libcontainer: `runc init` is a Go program of some five threads.
    pub starter_threads: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            steps_per_second: 200_000,
            memory_bytes: 64 << 20,
            processes: 200,
            starter_threads: 0,
        }
    }
}

#[derive(Debug, Default)]
pub struct PidNs {
    pub next: Pid,
    pub by_pid: BTreeMap<Pid, ProcId>,
    /// Process 1 is the sandbox's, which does nothing but reap.
    pub shared: bool,
}

pub struct Kernel {
    /// The local time of whatever runs now.
    pub now: SimTime,
    /// Unix time of the run's start, in microseconds.
    pub start_unix_micros: i64,
    pub limits: Limits,
    pub agenda: BTreeMap<(SimTime, u64), ProcId>,
    seq: u64,
    pub procs: BTreeMap<ProcId, Proc>,
    next_proc: u32,
    pub pid_namespaces: BTreeMap<PidNsId, PidNs>,
    pub containers: BTreeMap<ContainerId, Container>,
    pub net: net::Net,
    pub notices: Vec<Notice>,
    /// Futures of processes made since the last look.
    pub new_tasks: Vec<(ProcId, Task)>,
    /// Processes whose futures are to be dropped.
    pub dead_tasks: Vec<ProcId>,
    pub rng: Rng,
    /// Steps left in this slice of the run.
    pub budget: u64,
    /// Until when this slice runs.
    pub horizon: SimTime,
    /// Where `/proc` and `/dev` entries belong.
    pub pseudo_fs: Rc<FileSystem>,
    next_fs: u32,
    next_id: u32,
    n_pipes: u32,
    /// Output of running execs: stdout, stderr, and both in their order.
    pub exec_output: BTreeMap<ExecId, [Vec<u8>; 3]>,
    /// Bytes in all file systems.
    pub stored: u64,
    pub locks: locks::Locks,
    /// Processor time of all containers so far.
    pub cpu_used: SimTime,
}

/// Bytes read that cost as much of the budget as a step of a script.
const BYTES_PER_STEP: u64 = 1024;

impl Kernel {
    pub fn new(seed: u64, start_unix_secs: i64, limits: Limits) -> Kernel {
        Kernel {
            now: SimTime::ZERO,
            start_unix_micros: start_unix_secs.saturating_mul(1_000_000),
            limits,
            agenda: BTreeMap::new(),
            seq: 0,
            procs: BTreeMap::new(),
            next_proc: 1,
            pid_namespaces: BTreeMap::new(),
            containers: BTreeMap::new(),
            net: net::Net::default(),
            notices: Vec::new(),
            new_tasks: Vec::new(),
            dead_tasks: Vec::new(),
            rng: Rng::new(seed, "shell"),
            budget: 0,
            horizon: SimTime::ZERO,
            pseudo_fs: FileSystem::new(1, "proc".to_owned(), "proc", false),
            next_fs: 2,
            next_id: 1,
            n_pipes: 0,
            exec_output: BTreeMap::new(),
            stored: 0,
            locks: locks::Locks::default(),
            cpu_used: SimTime::ZERO,
        }
    }

    /// Unix time in microseconds.
    pub fn wall_micros(&self) -> i64 {
        self.start_unix_micros.saturating_add(self.now.0.min(i64::MAX as u64) as i64)
    }

    /// A number never given before; ids of all kinds draw from it.
    pub fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    pub fn fresh_proc(&mut self) -> ProcId {
        self.next_proc += 1;
        ProcId(self.next_proc)
    }

    pub fn new_fs(&mut self, label: String, kind: &'static str, watched: bool) -> Rc<FileSystem> {
        self.next_fs += 1;
        FileSystem::new(self.next_fs, label, kind, watched)
    }

    pub fn notice(&mut self, container: Option<ContainerId>, kind: NoticeKind) {
        self.notices.push(Notice { at: self.now, container, kind });
    }

    /// Wakes a process at `at`, or sooner if it is to wake sooner anyway.
    pub fn schedule(&mut self, id: ProcId, at: SimTime) {
        self.seq += 1;
        let Some(proc) = self.procs.get_mut(&id) else { return };
        if proc.stopped.is_some() {
            proc.missed_wake = true;
            return;
        }
        let at = at.max(proc.busy_until);
        if let Some(old) = proc.scheduled {
            if old.0 <= at {
                return;
            }
            self.agenda.remove(&old);
        }
        proc.scheduled = Some((at, self.seq));
        self.agenda.insert((at, self.seq), id);
    }

    pub fn wake(&mut self, id: ProcId) {
        self.schedule(id, self.now);
    }

    pub fn wake_all(&mut self, ids: Vec<ProcId>) {
        for id in ids {
            self.wake(id);
        }
    }

    /// Burns virtual CPU of a process: `micros` at full speed.
    pub fn charge(&mut self, id: ProcId, micros: u64) {
        self.budget = self.budget.saturating_sub(1);
        let Some(proc) = self.procs.get_mut(&id) else { return };
        let id = proc.container;
        let cost = match self.containers.get_mut(&id) {
            Some(container) => {
                let cost = container.pace.cost(self.now, micros);
                container.cpu_used = container.cpu_used + cost.ran;
                cost
            }
            None => Cost { took: SimTime(micros), ran: SimTime(micros), told: None },
        };
        proc.cpu_used = proc.cpu_used + cost.ran;
        self.cpu_used = self.cpu_used + cost.ran;
        self.now = self.now + cost.took;
        if let Some(sentence) = cost.told {
            self.notice(Some(id), NoticeKind::Limit { sentence });
        }
    }

    /// Bytes are work too, though they take no time until they are too many: an endless file is no
    /// way round the budgets of slice and container.
    pub fn moved(&mut self, id: ProcId, n_bytes: usize) {
        let n_steps = n_bytes as u64 / BYTES_PER_STEP;
        self.budget = self.budget.saturating_sub(n_steps);
        let container = self.procs.get(&id).map(|proc| proc.container);
        let container = container.and_then(|id| self.containers.get_mut(&id));
        if container.is_some_and(|container| container.pace.count(n_steps)) {
            self.charge(id, n_steps);
        }
    }

    /// Whether the running process should let others run now: somebody else is due before it
    /// goes on. Strict order of local times keeps causes before effects in every log.
    pub fn should_yield(&self) -> bool {
        let next = self.agenda.first_key_value().map_or(self.horizon, |(key, _)| key.0);
        self.budget == 0 || self.now >= self.horizon || self.now > next
    }
}
