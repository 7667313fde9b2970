//! Children of the shell: forking, waiting, and what is said of those that died.

use super::{Res, Shell, TrapKey};
use crate::shell::syntax::{Node, NodeKind};
use crate::shell::{Disposition, Errno, Pid, Signal, WaitFor, WaitStatus};
use std::future::Future;

/// Why the shell forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fork {
    Foreground,
    Background,
    /// A command substitution.
    NoJob,
}

#[derive(Clone, Debug)]
pub(in crate::shell) struct Job {
    /// Counted from 1.
    pub(in crate::shell) id: u32,
    pub(in crate::shell) procs: Vec<(Pid, Option<WaitStatus>)>,
    /// Its end was asked for by `wait`: it may go.
    pub(in crate::shell) waited: bool,
}

impl Job {
    pub(in crate::shell) fn is_done(&self) -> bool {
        self.procs.iter().all(|(_, status)| status.is_some())
    }

    pub(in crate::shell) fn last_pid(&self) -> Pid {
        self.procs.last().map_or(0, |(pid, _)| *pid)
    }

    /// `$?` of the whole job.
    fn code(&self, pipefail: bool) -> i32 {
        let code = |(_, status): &(Pid, Option<WaitStatus>)| status.map_or(0, WaitStatus::code);
        if pipefail {
            return self.procs.iter().rev().map(code).find(|code| *code != 0).unwrap_or(0);
        }
        self.procs.last().map_or(0, code)
    }
}

/// What waiting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Waited {
    /// A child ended: its job.
    Child(Option<u32>),
    NoChildren,
    /// A caught signal came.
    Signal,
}

/// What a fork costs the parent: a little less than the child takes to start, so that
/// `job & next` goes on with `next` first, as it mostly does.
const FORK_MICROS: u64 = 120;

impl Shell {
    /// Forks; the child runs `run` as a shell of its own.
    pub(super) async fn fork<F>(
        &mut self,
        node: &Node,
        how: Fork,
        run: impl FnOnce(Shell) -> F,
    ) -> Res<Pid>
    where
        F: Future<Output = i32> + 'static,
    {
        let forked = self.sys.fork(|sys| {
            let mut child = self.clone();
            child.sys = sys;
            child.become_child(node);
            let own = child.sys.clone();
            let task = run(child);
            async move {
                if how == Fork::Background {
                    own.set_signal(Signal::INT, Disposition::Ignore);
                    own.set_signal(Signal::QUIT, Disposition::Ignore);
                }
                task.await
            }
        });
        self.sys.burn(FORK_MICROS).await;
        match forked {
            Ok(pid) => Ok(pid),
            Err(errno) => self.raise(&format!("can't fork: {errno}")).await,
        }
    }

    fn become_child(&mut self, node: &Node) {
        if is_bare(node, "trap") {
            self.shown_traps = Some(self.traps.clone());
        }
        self.clear_traps();
        // Background jobs ignore interrupts, but only once they run.
        let ignored = TrapKey::parse("QUIT").is_some_and(|key| self.traps.contains_key(&key));
        if self.is_root_shell && !ignored {
            self.sys.set_signal(Signal::QUIT, Disposition::Default);
        }
        self.is_root_shell = false;
        // A process of its own has a stack of its own.
        self.depth = 0;
        if !is_bare(node, "jobs") {
            self.jobs.clear();
        }
    }

    pub(super) fn add_job(&mut self, pid: Pid) -> u32 {
        // Finished jobs that nobody asked for do not pile up.
        const JOBS_MAX: usize = 100;
        self.jobs.retain(|job| !(job.waited && job.is_done()));
        if self.jobs.len() > JOBS_MAX
            && let Some(at) = self.jobs.iter().position(Job::is_done)
        {
            self.jobs.remove(at);
        }
        let taken = |id: &u32| self.jobs.iter().any(|job| job.id == *id);
        let id = (1..).find(|id| !taken(id)).unwrap_or(1);
        let procs = vec![(pid, None)];
        self.jobs.push(Job { id, procs, waited: false });
        id
    }

    pub(super) fn add_to_job(&mut self, id: u32, pid: Pid) {
        if let Some(job) = self.jobs.iter_mut().find(|job| job.id == id) {
            job.procs.push((pid, None));
        }
    }

    pub(in crate::shell) fn job(&self, id: u32) -> Option<&Job> {
        self.jobs.iter().find(|job| job.id == id)
    }

    /// Waits for a foreground job to end; signals wait until it did. Gives its status.
    pub(super) async fn wait_for_job(&mut self, id: u32) -> i32 {
        while self.job(id).is_some_and(|job| !job.is_done()) {
            match self.wait_child(Some(id)).await {
                Waited::NoChildren => break,
                Waited::Child(_) | Waited::Signal => {}
            }
        }
        let pipefail = self.options.named("pipefail");
        let code = self.job(id).map_or(0, |job| job.code(pipefail));
        self.jobs.retain(|job| job.id != id);
        code
    }

    pub(in crate::shell) fn job_code(&self, id: u32) -> i32 {
        self.job(id).map_or(127, |job| job.code(self.options.named("pipefail")))
    }

    /// Waits for any child. A child of the job waited for that a signal killed is spoken of.
    pub(in crate::shell) async fn wait_child(&mut self, for_job: Option<u32>) -> Waited {
        let (pid, status) = match self.sys.wait(WaitFor::Any).await {
            Ok(ended) => ended,
            Err(Errno::Intr) => return Waited::Signal,
            Err(_) => return Waited::NoChildren,
        };
        let mut ended_job = None;
        for job in &mut self.jobs {
            if let Some(proc) = job.procs.iter_mut().find(|(p, s)| *p == pid && s.is_none()) {
                proc.1 = Some(status);
                ended_job = Some(job.id);
                break;
            }
        }
        if ended_job.is_some()
            && ended_job == for_job
            && let WaitStatus::Signaled(signal) = status
            && signal != Signal::INT
            && signal != Signal::PIPE
        {
            self.write_text(2, &format!("{}\n", signal.words())).await;
        }
        Waited::Child(ended_job)
    }

    /// Takes in children that ended meanwhile, without waiting.
    pub(in crate::shell) fn collect_children(&mut self) {
        while let Ok(Some((pid, status))) = self.sys.try_wait(WaitFor::Any) {
            for job in &mut self.jobs {
                if let Some(proc) = job.procs.iter_mut().find(|(p, s)| *p == pid && s.is_none()) {
                    proc.1 = Some(status);
                    break;
                }
            }
        }
    }
}

/// Whether a command is just this word (`jobs` may have arguments).
fn is_bare(node: &Node, name: &str) -> bool {
    match &node.kind {
        NodeKind::Simple(simple) => {
            let first = simple.words.first().and_then(|word| word.literal());
            first == Some(name) && (name == "jobs" || simple.words.len() == 1)
        }
        _ => false,
    }
}
