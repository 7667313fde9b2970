//! Processes as the kernel sees them: identity, descriptors, signals, scheduling.

use super::fd::FdTable;
use super::{ContainerId, ExecId, NetNsId, PidNsId};
use crate::shell::Signal;
use crate::time::SimTime;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A process, unique in its machine for all time. Not the number a program sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProcId(pub u32);

/// The number a program sees, in its PID namespace.
pub type Pid = u32;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStatus {
    Exited(i32),
    Signaled(Signal),
    Stopped(Signal),
}

impl WaitStatus {
    /// What a shell shows as `$?`.
    pub fn code(self) -> i32 {
        match self {
            WaitStatus::Exited(code) => code & 0xff,
            WaitStatus::Signaled(signal) | WaitStatus::Stopped(signal) => 128 + i32::from(signal.0),
        }
    }
}

/// What a process does about a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disposition {
    #[default]
    Default,
    Ignore,
    /// It is queued; blocked calls end with `EINTR` and the program asks [`super::super::Sys`].
    Catch,
}

/// User and groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

impl Credentials {
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    pub fn in_group(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}

/// `KEY` and value pairs in order.
pub type Env = Rc<Vec<(String, String)>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcState {
    Running,
    /// Ended, but nobody asked how yet.
    Zombie(WaitStatus),
}

#[derive(Debug)]
pub struct Proc {
    pub id: ProcId,
    pub pid: Pid,
    pub parent: Option<ProcId>,
    pub pgid: Pid,
    pub container: ContainerId,
    pub pidns: PidNsId,
    pub netns: NetNsId,
    pub state: ProcState,
    pub cred: Rc<Credentials>,
    pub cwd: Rc<str>,
    pub umask: u32,
    pub env: Env,
    /// What `ps` shows.
    pub argv: Rc<Vec<String>>,
    pub comm: Rc<str>,
    pub fds: FdTable,
    pub signals: Signals,
    pub exec: Option<ExecId>,
    /// A process of the kubelet, in no container.
    pub outside: bool,
    pub started: SimTime,
    pub cpu_used: SimTime,
    /// It was told to stop and does not run until it is told to go on.
    pub stopped: Option<Signal>,
    /// A wake-up that came while it was stopped.
    pub missed_wake: bool,
    /// Its place in the agenda.
    pub scheduled: Option<(SimTime, u64)>,
    /// How far its own work has got; it cannot wake before that.
    pub busy_until: SimTime,
    /// Waiting for a child.
    pub waiting_child: bool,
    /// It is being polled right now.
    pub running: bool,
    /// Its children vanish by themselves (`SIGCHLD` ignored, or a sandbox's process 1).
    pub reaps: bool,
    /// Caught signals so far; a call that sees it grow was interrupted.
    pub signal_count: u64,
    /// Memory it claims.
    pub memory_bytes: u64,
    /// Data it keeps besides: variables, lines, buffers.
    pub held_bytes: u64,
    /// The first process of its exec: the exec ends with it.
    pub exec_leader: bool,
}

#[derive(Debug, Default)]
pub struct Signals {
    caught: BTreeSet<u8>,
    ignored: BTreeSet<u8>,
    /// Caught signals the program has not fetched yet.
    pub pending: BTreeSet<u8>,
}

impl Signals {
    pub fn disposition(&self, signal: Signal) -> Disposition {
        if self.caught.contains(&signal.0) {
            Disposition::Catch
        } else if self.ignored.contains(&signal.0) {
            Disposition::Ignore
        } else {
            Disposition::Default
        }
    }

    /// The signals so disposed of, signal 1 as the lowest bit, as `/proc` shows them.
    pub fn mask(&self, of: Disposition) -> u64 {
        let set = if of == Disposition::Ignore { &self.ignored } else { &self.caught };
        set.iter().fold(0, |mask, number| mask | 1 << ((number - 1) & 63))
    }

    pub fn set(&mut self, signal: Signal, to: Disposition) {
        self.caught.remove(&signal.0);
        self.ignored.remove(&signal.0);
        match to {
            Disposition::Catch => drop(self.caught.insert(signal.0)),
            Disposition::Ignore => drop(self.ignored.insert(signal.0)),
            Disposition::Default => {}
        }
    }

    /// What a new program starts with: handlers are gone, ignored signals stay ignored.
    pub fn after_exec(&mut self) {
        self.caught.clear();
        self.pending.clear();
    }

    /// What a forked child starts with.
    pub fn for_child(&self) -> Signals {
        Signals {
            caught: self.caught.clone(),
            ignored: self.ignored.clone(),
            pending: BTreeSet::new(),
        }
    }
}
