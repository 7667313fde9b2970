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
    /// The most memory it ever used, in bytes.
    pub memory_peak: u64,
    /// Processor time of all its processes, dead ones too.
    pub cpu_used: SimTime,
    /// Root may not change owners (capability CHOWN dropped).
    pub no_chown: bool,
    /// The limit on processes was reached and told of.
    pub told_processes: bool,
}

/// Longest log line kept whole, in bytes, as container runtimes do.
pub const LOG_LINE_MAX: usize = 16 << 10;

/// How fast a container's steps go. With a limit it runs at full speed until the period's share is
/// used up, and then waits for the next period. A container that keeps busy gets slower in steps
/// (each step takes longer in virtual time), so that an endless loop costs a bounded amount of
/// real work.
// Models the kernel's CFS bandwidth control as cpu.max sets it, periods of 100 ms.
#[derive(Debug, Default)]
pub struct Pace {
    /// Thousandths of a CPU; 0 is no limit.
    pub cpu_millis: u32,
    pub steps_per_second: u64,
    second: u64,
    steps: u64,
    busy_seconds: u32,
    told: bool,
    /// The present period's number, and the processor time used in it.
    period: u64,
    ran: u64,
    /// Periods in which something ran, those of them in which it had to wait, and for how long.
    pub n_periods: u64,
    pub n_throttled: u64,
    pub throttled: SimTime,
}

/// What a step came to.
#[derive(Debug)]
pub struct Cost {
    /// Virtual time that passed.
    pub took: SimTime,
    /// Processor time used.
    pub ran: SimTime,
    /// A sentence when the budget of steps is first passed.
    pub told: Option<String>,
}

/// A period of bandwidth control, in microseconds.
const PERIOD: u64 = 100_000;

impl Pace {
    pub fn new(cpu_millis: Option<u32>, steps_per_second: u64) -> Pace {
        Pace { cpu_millis: cpu_millis.unwrap_or(0), steps_per_second, ..Pace::default() }
    }

    /// Work that takes time only in a container that is busy; tells whether it is.
    pub fn count(&mut self, n_steps: u64) -> bool {
        self.steps += n_steps;
        self.busy_seconds > 0 || self.steps > self.steps_per_second
    }

    /// A step of `micros` at full speed.
    pub fn cost(&mut self, now: SimTime, micros: u64) -> Cost {
        let (micros, told) = self.slowed(now, micros);
        let waited = self.throttle(now, micros);
        Cost { took: SimTime(micros + waited), ran: SimTime(micros), told }
    }

    /// How long the container has to wait before it may run for `micros`.
    fn throttle(&mut self, now: SimTime, micros: u64) -> u64 {
        if self.cpu_millis == 0 {
            return 0;
        }
        let quota = u64::from(self.cpu_millis) * PERIOD / 1000;
        let period = now.0 / PERIOD;
        if period > self.period || self.n_periods == 0 {
            self.n_periods += 1;
            (self.period, self.ran) = (period, 0);
        }
        if self.ran < quota {
            self.ran += micros;
            return 0;
        }
        // What a long step took too much is paid for in the periods after it.
        let n_over = (self.ran / quota.max(1)).max(1);
        let next = (self.period + n_over) * PERIOD;
        let waited = next.saturating_sub(now.0);
        self.n_periods += n_over;
        self.n_throttled += n_over;
        self.throttled = self.throttled + SimTime(waited);
        (self.period, self.ran) = (next / PERIOD, micros);
        waited
    }

    /// The step as a busy container's budget lets it go.
    fn slowed(&mut self, now: SimTime, micros: u64) -> (u64, Option<String>) {
        let second = now.as_secs();
        if second != self.second {
            let busy = self.steps > self.steps_per_second && second == self.second + 1;
            self.busy_seconds = if busy { self.busy_seconds + 1 } else { 0 };
            (self.second, self.steps) = (second, 0);
        }
        // Busy: 10 times slower, and after ten busy seconds in a row 100 times. A slow step counts
        // for as many, or whoever goes slower would not be busy any more.
        let slow = match self.busy_seconds {
            0 => 1,
            1..10 => 10,
            _ => 100,
        };
        self.steps += slow;
        if self.steps <= self.steps_per_second && self.busy_seconds == 0 {
            return (micros, None);
        }
        let cost = micros * slow.max(10);
        let first = !std::mem::replace(&mut self.told, true);
        let sentence = first.then(|| {
            format!(
                "more than {} steps within one second: from here its steps take longer",
                self.steps_per_second
            )
        });
        (cost, sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_share_of_each_period() {
        let mut pace = Pace::new(Some(200), u64::MAX);
        let mut now = SimTime::ZERO;
        let mut ran = 0;
        while now < SimTime::from_secs(1) {
            let cost = pace.cost(now, 500);
            (now, ran) = (now + cost.took, ran + cost.ran.0);
        }
        assert!((200_000..=201_000).contains(&ran), "{ran} of a second");
        assert_eq!((pace.n_periods, pace.n_throttled), (11, 10));
        let mut pace = Pace::new(Some(200), u64::MAX);
        assert_eq!(pace.cost(SimTime::ZERO, 5_000).took, SimTime(5_000), "a short burst is free");
        assert_eq!((pace.n_periods, pace.n_throttled), (1, 0));
    }

    #[test]
    fn many_bytes_make_a_container_busy() {
        let mut pace = Pace::new(None, 200_000);
        assert!(!pace.count(150_000));
        assert!(pace.count(150_000));
        assert!(pace.cost(SimTime(1), 1).took > SimTime(1));
    }

    #[test]
    fn an_endless_loop_costs_a_bounded_number_of_steps() {
        let mut pace = Pace::new(None, 200_000);
        let (mut now, mut n_steps) = (SimTime::ZERO, 0);
        while now < SimTime::from_secs(300) {
            now = now + pace.cost(now, 1).took;
            n_steps += 1;
        }
        assert!(n_steps < 5_000_000, "{n_steps} steps");
        // Who rested for a second is at full speed again.
        now = now + SimTime::from_secs(2);
        assert_eq!(pace.cost(now, 1).took, SimTime(1));
    }
}
