//! Containers: a root, mounts, identity, a log, and how fast they may run.

use super::fd::FdTable;
use super::inode::Node;
use super::{Credentials, Env, NetNsId, PidNsId, ProcId};
use crate::time::SimTime;
use std::rc::Rc;

/// A tree mounted at a path of a container.
#[derive(Clone, Debug)]
pub struct Mount {
    /// Absolute, no trailing slash except for `/`.
    pub at: String,
    pub root: Node,
    pub read_only: bool,
    /// Where `root` is below its file system's root (sub-paths), no slashes at its ends.
    pub prefix: String,
}

#[derive(Debug)]
pub struct Container {
    pub name: String,
    pub pidns: PidNsId,
    pub netns: NetNsId,
    /// Longest path first, `/` last.
    pub mounts: Vec<Rc<Mount>>,
    pub cred: Rc<Credentials>,
    pub env: Env,
    pub cwd: Rc<str>,
    pub hostname: String,
    pub umask: u32,
    pub cpu_millis: Option<u32>,
    pub memory_limit: Option<u64>,
    /// The first process, once started.
    pub init: Option<ProcId>,
    pub ended: bool,
    pub pace: Pace,
    /// Log lines not yet ended by a newline: stdout, stderr.
    pub partial: [Vec<u8>; 2],
    /// What the first process starts with: null, log, log.
    pub stdio: FdTable,
    /// The first process's command.
    pub argv: Vec<String>,
    pub oom: bool,
    /// Root may not change owners (capability CHOWN dropped).
    pub no_chown: bool,
    /// The limit on processes was reached and told of.
    pub told_processes: bool,
}

/// Longest log line kept whole, in bytes, as container runtimes do.
pub const LOG_LINE_MAX: usize = 16 << 10;

/// How fast a container's steps go. A container that keeps busy gets slower in steps (each step
/// takes longer in virtual time), so that an endless loop costs a bounded amount of real work.
#[derive(Debug, Default)]
pub struct Pace {
    /// Thousandths of a CPU; 0 is no limit.
    pub cpu_millis: u32,
    pub steps_per_second: u64,
    second: u64,
    steps: u64,
    busy_seconds: u32,
    told: bool,
}

impl Pace {
    pub fn new(cpu_millis: Option<u32>, steps_per_second: u64) -> Pace {
        Pace { cpu_millis: cpu_millis.unwrap_or(0), steps_per_second, ..Pace::default() }
    }

    /// The virtual time of a step of `micros`, and a sentence when the budget is first passed.
    pub fn cost(&mut self, now: SimTime, micros: u64) -> (SimTime, Option<String>) {
        let second = now.as_secs();
        if second != self.second {
            let busy = self.steps > self.steps_per_second && second == self.second + 1;
            self.busy_seconds = if busy { self.busy_seconds + 1 } else { 0 };
            (self.second, self.steps) = (second, 0);
        }
        self.steps += 1;
        let mut cost = micros;
        if (1..1000).contains(&self.cpu_millis) {
            cost = cost * 1000 / u64::from(self.cpu_millis);
        }
        if self.steps <= self.steps_per_second && self.busy_seconds == 0 {
            return (SimTime(cost), None);
        }
        // Busy: 10 times slower, and after ten busy seconds in a row 100 times.
        cost *= if self.busy_seconds < 10 { 10 } else { 100 };
        let first = !std::mem::replace(&mut self.told, true);
        let sentence = first.then(|| {
            format!(
                "more than {} steps within one second: from here its steps take longer",
                self.steps_per_second
            )
        });
        (SimTime(cost), sentence)
    }
}
