//! What a program sees of the machine: a cheap handle with system calls for methods.
//!
//! Calls that may wait are `async`; a killed process never returns from one. Programs hold no
//! borrow across an await, so they are plain sequential code.

mod files;
mod net;
mod procs;
pub mod stdio;

pub use procs::ProcInfo;

use super::Errno;
use super::kernel::process::ProcState;
use super::kernel::{Kernel, KernelRef, NoticeKind, ProcId};
use crate::time::SimTime;
use std::cell::RefMut;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// The handle of one process.
#[derive(Clone)]
pub struct Sys {
    kernel: KernelRef,
    id: ProcId,
}

/// Pending once: gives the machine back to whoever is next. The caller has seen to it before that
/// somebody will wake it.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        Poll::Pending
    }
}

/// What one interpreter step costs, in microseconds of a full CPU.
const STEP_MICROS: u64 = 1;
/// What a system call costs.
const CALL_MICROS: u64 = 2;

impl Sys {
    pub(crate) fn new(kernel: KernelRef, id: ProcId) -> Sys {
        Sys { kernel, id }
    }

    fn k(&self) -> RefMut<'_, Kernel> {
        self.kernel.borrow_mut()
    }

    /// Virtual time since the run's start.
    pub fn now(&self) -> SimTime {
        self.kernel.borrow().now
    }

    /// Unix time in microseconds.
    pub fn wall_unix_micros(&self) -> i64 {
        self.kernel.borrow().wall_micros()
    }

    /// One step of an interpreter: burns virtual CPU and lets others run when it is their turn.
    /// Every loop of a program over its input calls this now and then.
    pub async fn tick(&self) {
        self.burn(STEP_MICROS).await;
    }

    /// Burns `micros` of a full CPU.
    pub async fn burn(&self, micros: u64) {
        let pause = {
            let mut kernel = self.k();
            kernel.charge(self.id, micros);
            if kernel.should_yield() {
                let now = kernel.now;
                kernel.schedule(self.id, now);
                true
            } else {
                !self.runs(&kernel)
            }
        };
        if pause {
            self.pause().await;
        }
    }

    fn runs(&self, kernel: &Kernel) -> bool {
        let proc = kernel.procs.get(&self.id);
        proc.is_some_and(|p| p.state == ProcState::Running && p.stopped.is_none())
    }

    /// Waits until something wakes this process and it may run.
    async fn pause(&self) {
        loop {
            Pause(false).await;
            if self.runs(&self.kernel.borrow()) {
                return;
            }
        }
    }

    /// Burns the price of a system call; a process that was killed or stopped meanwhile waits.
    async fn enter(&self) {
        self.burn(CALL_MICROS).await;
    }

    /// Sleeps for `span`. Ends early when a caught signal comes; tells the time left.
    pub async fn sleep(&self, span: SimTime) -> SimTime {
        let (deadline, seen) = {
            let kernel = self.kernel.borrow();
            (kernel.now + span, self.signals_seen(&kernel))
        };
        loop {
            {
                let mut kernel = self.k();
                if kernel.now >= deadline || self.signals_seen(&kernel) != seen {
                    return deadline - kernel.now;
                }
                kernel.schedule(self.id, deadline);
            }
            self.pause().await;
        }
    }

    fn signals_seen(&self, kernel: &Kernel) -> u64 {
        kernel.procs.get(&self.id).map_or(0, |p| p.signal_count)
    }

    /// Says visibly that something is not simulated. The caller then fails; it never goes on as
    /// if it had succeeded. `offset` is a byte of the container's own script, where known.
    pub fn not_simulated(&self, what: &str, offset: Option<u32>) {
        let mut kernel = self.k();
        let container = kernel.procs.get(&self.id).map(|p| p.container);
        kernel.notice(container, NoticeKind::NotSimulated { what: what.to_owned(), offset });
    }

    /// Tells that a limit was reached.
    pub fn limit_reached(&self, sentence: &str) {
        let mut kernel = self.k();
        let container = kernel.procs.get(&self.id).map(|p| p.container);
        kernel.notice(container, NoticeKind::Limit { sentence: sentence.to_owned() });
    }

    /// A number in `0..below` from the machine's seeded source.
    pub fn random(&self, below: u64) -> u64 {
        self.k().rng.below(below)
    }

    /// Waits for a condition that `ask` checks, or until `deadline`, or for a caught signal.
    /// `ask` answers `None` to wait on; it must have put the process on a waiting list then.
    async fn wait_for<T>(
        &self,
        deadline: Option<SimTime>,
        mut ask: impl FnMut(&mut Kernel) -> Result<Option<T>, Errno>,
    ) -> Result<T, Errno> {
        self.enter().await;
        let seen = self.signals_seen(&self.kernel.borrow());
        loop {
            {
                let mut kernel = self.k();
                if let Some(done) = ask(&mut kernel)? {
                    return Ok(done);
                }
                if self.signals_seen(&kernel) != seen {
                    return Err(Errno::Intr);
                }
                if let Some(deadline) = deadline {
                    if kernel.now >= deadline {
                        return Err(Errno::TimedOut);
                    }
                    kernel.schedule(self.id, deadline);
                }
            }
            self.pause().await;
        }
    }

    /// Two handles of the same machine.
    pub(crate) fn kernel(&self) -> KernelRef {
        Rc::clone(&self.kernel)
    }
}
