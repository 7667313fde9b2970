//! Making, signalling, ending and waiting for processes; the container's log.

use super::container::LOG_LINE_MAX;
use super::process::{Proc, ProcState, Signals};
use super::{
    ContainerId, Credentials, Disposition, Env, Kernel, NetNsId, NoticeKind, Output, Pid, PidNsId,
};
use super::{ProcId, WaitStatus};
use crate::shell::signal::DefaultAction;
use crate::shell::{Errno, Signal, bytes};
use crate::time::SimTime;
use std::rc::Rc;

/// Which child to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    Any,
    Pid(Pid),
}

impl Kernel {
    /// The processes of a PID namespace, oldest first.
    pub fn of_namespace(&self, ns: PidNsId) -> impl Iterator<Item = &Proc> {
        let ids = self.pid_namespaces.get(&ns).into_iter().flat_map(|ns| ns.by_pid.values());
        ids.filter_map(|id| self.procs.get(id))
    }

    /// The processes of a container, oldest first.
    pub fn members(&self, id: ContainerId) -> impl Iterator<Item = &Proc> {
        let ns = self.containers.get(&id).map(|container| container.pidns);
        let all = ns.into_iter().flat_map(|ns| self.of_namespace(ns));
        all.filter(move |p| p.container == id)
    }

    /// The children of a process, which live in its namespace, oldest first.
    fn children(&self, id: ProcId) -> impl Iterator<Item = &Proc> {
        let ns = self.procs.get(&id).map(|parent| parent.pidns);
        let all = ns.into_iter().flat_map(|ns| self.of_namespace(ns));
        all.filter(move |p| p.parent == Some(id))
    }

    /// Takes the next number of a PID namespace.
    fn next_pid(&mut self, parent: &Proc) -> Option<Pid> {
        let ns = self.pid_namespaces.get_mut(&parent.pidns)?;
        ns.next += 1;
        Some(ns.next)
    }

    /// A copy of a process that runs something else. The task comes from the caller.
    pub fn fork(&mut self, id: ProcId) -> Result<ProcId, Errno> {
        let parent = self.procs.get(&id).ok_or(Errno::Srch)?;
        let container = parent.container;
        let n_alive = self.members(container).count();
        if n_alive >= self.limits.processes {
            let first = self.containers.get_mut(&container).map(|c| !c.told_processes);
            if first == Some(true) {
                if let Some(c) = self.containers.get_mut(&container) {
                    c.told_processes = true;
                }
                let sentence = format!("more than {} processes at once", self.limits.processes);
                self.notice(Some(container), NoticeKind::Limit { sentence });
            }
            return Err(Errno::Again);
        }
        let parent = self.procs.remove(&id).ok_or(Errno::Srch)?;
        let child_id = self.fresh_proc();
        let pid = self.next_pid(&parent);
        let mut child = parent.child(child_id, pid.unwrap_or(0));
        self.procs.insert(id, parent);
        child.started = self.now;
        child.busy_until = self.now;
        if let Some(ns) = self.pid_namespaces.get_mut(&child.pidns) {
            ns.by_pid.insert(child.pid, child_id);
        }
        self.procs.insert(child_id, child);
        Ok(child_id)
    }

    /// The sandbox's own process: number 1 of a namespace that a pod's containers share. It does
    /// nothing but reap.
    pub fn add_pause(&mut self, ns: PidNsId) {
        let id = self.fresh_proc();
        let now = self.now;
        let Some(space) = self.pid_namespaces.get_mut(&ns) else { return };
        space.by_pid.insert(1, id);
        self.procs.insert(id, Proc::pause(id, ns, now));
    }

    /// A namespace that nobody needs any more, with what is left in it.
    pub fn forget_namespace(&mut self, ns: PidNsId) {
        let left: Vec<ProcId> = self.of_namespace(ns).map(|p| p.id).collect();
        for id in left {
            if let Some(proc) = self.procs.get_mut(&id) {
                // Nobody is told.
                (proc.parent, proc.exec_leader) = (None, false);
            }
            self.end_process(id, WaitStatus::Signaled(Signal::KILL));
            self.reap(id);
        }
        self.pid_namespaces.remove(&ns);
    }

    /// Ends a process: its files close, its children find a new parent, its parent may wait.
    pub fn end_process(&mut self, id: ProcId, status: WaitStatus) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        if proc.state != ProcState::Running {
            return;
        }
        proc.state = ProcState::Zombie(status);
        let scheduled = proc.scheduled.take();
        let files = proc.fds.take_all();
        let (container, parent, outside) = (proc.container, proc.parent, proc.outside);
        let exec = proc.exec.filter(|_| proc.exec_leader);
        if let Some(key) = scheduled {
            self.agenda.remove(&key);
        }
        self.dead_tasks.push(id);
        for entry in files {
            self.forget(Some(entry));
        }
        self.reparent(id);
        let is_init = self.containers.get(&container).is_some_and(|c| c.init == Some(id));
        if is_init {
            let guests = self.guests(id);
            self.end_container(container, status);
            for guest in guests {
                self.end_process(guest, WaitStatus::Signaled(Signal::KILL));
            }
            return;
        }
        if let Some(exec) = exec {
            let output = self.exec_output.remove(&exec).unwrap_or_default();
            let [stdout, stderr, all] = output.map(|one| bytes::to_text(&one));
            let output = Output { all, stdout, stderr };
            let kind = NoticeKind::ExecDone { exec, code: status.code(), output };
            self.notice(Some(container), kind);
        }
        match parent.filter(|_| !outside) {
            Some(parent) => self.child_ended(parent, id),
            None => self.reap(id),
        }
    }

    fn child_ended(&mut self, parent: ProcId, child: ProcId) {
        let Some(proc) = self.procs.get_mut(&parent) else { return self.reap(child) };
        if proc.reaps {
            return self.reap(child);
        }
        if proc.waiting_child {
            proc.waiting_child = false;
            self.wake(parent);
        }
        self.send_signal(parent, Signal::CHLD, false);
    }

    fn reparent(&mut self, id: ProcId) {
        let heir = self.heir(id);
        let children: Vec<ProcId> = self.children(id).map(|p| p.id).collect();
        for child in children {
            let Some(proc) = self.procs.get_mut(&child) else { continue };
            proc.parent = heir;
            if matches!(proc.state, ProcState::Zombie(_)) {
                match heir {
                    Some(heir) => self.child_ended(heir, child),
                    None => self.reap(child),
                }
            }
        }
    }

    /// Process 1 of the namespace, unless it is the sandbox's or the one that ends.
    fn heir(&self, id: ProcId) -> Option<ProcId> {
        let ns = self.pid_namespaces.get(&self.procs.get(&id)?.pidns)?;
        let init = ns.by_pid.get(&1).copied()?;
        (init != id).then_some(init)
    }

    /// Forgets a process that ended.
    pub fn reap(&mut self, id: ProcId) {
        let Some(proc) = self.procs.remove(&id) else { return };
        if let Some(ns) = self.pid_namespaces.get_mut(&proc.pidns)
            && ns.by_pid.get(&proc.pid) == Some(&id)
        {
            ns.by_pid.remove(&proc.pid);
        }
    }

    /// The first process ended: everything else of the container dies silently.
    fn end_container(&mut self, id: ContainerId, status: WaitStatus) {
        let others: Vec<ProcId> = self.members(id).map(|p| p.id).collect();
        for other in &others {
            if let Some(proc) = self.procs.get_mut(other) {
                // Nobody is told: the whole family goes.
                proc.parent = None;
            }
        }
        for other in others {
            self.end_process(other, WaitStatus::Signaled(Signal::KILL));
            self.reap(other);
        }
        for stderr in [false, true] {
            self.flush_log(id, stderr);
        }
        let Some(container) = self.containers.get_mut(&id) else { return };
        container.ended = true;
        let oom = container.oom;
        let signal = match status {
            WaitStatus::Signaled(signal) => Some(signal),
            _ => None,
        };
        self.notice(Some(id), NoticeKind::Exited { code: status.code(), signal, oom });
    }

    /// Who joined the namespace of a process 1 from other containers: they die with it.
    // Models the kernel's zap_pid_ns_processes.
    fn guests(&self, id: ProcId) -> Vec<ProcId> {
        let Some(proc) = self.procs.get(&id).filter(|proc| proc.pid == 1) else {
            return Vec::new();
        };
        let all = self.of_namespace(proc.pidns).filter(|p| p.container != proc.container);
        all.map(|p| p.id).collect()
    }

    /// Sends a signal. From inside its own namespace, process 1 only gets what it handles.
    pub fn send_signal(&mut self, id: ProcId, signal: Signal, from_outside: bool) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        if proc.state != ProcState::Running {
            return;
        }
        let protected = proc.pid == 1 && !proc.outside;
        if signal == Signal::CONT && proc.stopped.take().is_some() {
            self.wake(id);
        }
        let Some(proc) = self.procs.get_mut(&id) else { return };
        let unstoppable = signal == Signal::KILL || signal == Signal::STOP;
        match proc.signals.disposition(signal) {
            Disposition::Catch if !unstoppable => {
                proc.signals.pending.insert(signal.0);
                proc.signal_count += 1;
                return self.wake(id);
            }
            Disposition::Ignore if !unstoppable => return,
            _ => {}
        }
        let kill_from_outside = from_outside && unstoppable;
        if protected && !kill_from_outside {
            return;
        }
        match signal.default_action() {
            DefaultAction::Ignore | DefaultAction::Continue => {}
            DefaultAction::Stop => self.stop(id, signal),
            DefaultAction::Terminate => self.end_process(id, WaitStatus::Signaled(signal)),
        }
    }

    fn stop(&mut self, id: ProcId, signal: Signal) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        proc.stopped = Some(signal);
        proc.missed_wake = true;
        if let Some(key) = proc.scheduled.take() {
            self.agenda.remove(&key);
        }
    }

    /// Looks for a child that ended (or, if asked, stopped) and takes its status.
    pub fn try_wait(
        &mut self,
        id: ProcId,
        which: WaitFor,
    ) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        let mut any = false;
        let mut done = None;
        for child in self.children(id) {
            if let WaitFor::Pid(pid) = which
                && child.pid != pid
            {
                continue;
            }
            any = true;
            if let ProcState::Zombie(status) = child.state {
                done = Some((child.id, child.pid, status));
                break;
            }
        }
        if let Some((child, pid, status)) = done {
            self.reap(child);
            return Ok(Some((pid, status)));
        }
        if !any {
            return Err(Errno::Child);
        }
        if let Some(proc) = self.procs.get_mut(&id) {
            proc.waiting_child = true;
        }
        Ok(None)
    }

    /// `kill`: `pid` > 0 one process, 0 the own group, -1 all but process 1, else a group.
    pub fn kill(&mut self, id: ProcId, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
        let me = self.procs.get(&id).ok_or(Errno::Srch)?;
        let (ns, my_group, cred) = (me.pidns, me.pgid, Rc::clone(&me.cred));
        let wanted = |p: &Proc| match pid {
            0 => p.pgid == my_group,
            -1 => p.pid != 1 && p.id != id,
            _ if pid < 0 => i64::from(p.pgid) == -pid,
            _ => i64::from(p.pid) == pid,
        };
        let targets: Vec<(ProcId, bool)> = self
            .of_namespace(ns)
            .filter(|p| !p.outside && wanted(p))
            .map(|p| (p.id, cred.is_root() || p.cred.uid == cred.uid))
            .collect();
        if targets.is_empty() {
            let sandbox = pid == 1 && self.pid_namespaces.get(&ns).is_some_and(|n| n.shared);
            return if sandbox { Ok(()) } else { Err(Errno::Srch) };
        }
        if targets.iter().all(|(_, may)| !may) {
            return Err(Errno::Perm);
        }
        let Some(signal) = signal else { return Ok(()) };
        for (target, _) in targets.into_iter().filter(|(_, may)| *may) {
            self.send_signal(target, signal, false);
        }
        Ok(())
    }

    /// Adds output to a container's log, line by line.
    pub fn log(&mut self, id: ContainerId, stderr: bool, data: &[u8]) {
        for piece in data.split_inclusive(|b| *b == b'\n') {
            let Some(container) = self.containers.get_mut(&id) else { return };
            let buffer = &mut container.partial[usize::from(stderr)];
            let ended = piece.last() == Some(&b'\n');
            let text = &piece[..piece.len() - usize::from(ended)];
            buffer.extend_from_slice(text);
            if !ended && buffer.len() < LOG_LINE_MAX {
                return;
            }
            let line = bytes::to_text(&std::mem::take(buffer));
            self.notice(Some(id), NoticeKind::LogLine { stderr, line, cut: !ended });
        }
    }

    fn flush_log(&mut self, id: ContainerId, stderr: bool) {
        let Some(container) = self.containers.get_mut(&id) else { return };
        let rest = std::mem::take(&mut container.partial[usize::from(stderr)]);
        if !rest.is_empty() {
            let line = bytes::to_text(&rest);
            self.notice(Some(id), NoticeKind::LogLine { stderr, line, cut: true });
        }
    }
}

/// What a forked process is taken to need of its own, in bytes.
const CHILD_BYTES: u64 = 200 << 10;

/// The process and network namespaces of a process.
type Spaces = (super::PidNsId, super::NetNsId);

impl Proc {
    fn child(&self, id: ProcId, pid: Pid) -> Proc {
        Proc {
            parent: Some(self.id),
            pgid: self.pgid,
            cred: Rc::clone(&self.cred),
            cwd: Rc::clone(&self.cwd),
            umask: self.umask,
            env: Env::clone(&self.env),
            argv: Rc::clone(&self.argv),
            comm: Rc::clone(&self.comm),
            fds: self.fds.clone(),
            signals: self.signals.for_child(),
            exec: self.exec,
            outside: self.outside,
            memory_bytes: CHILD_BYTES,
            ..Proc::blank(id, pid, self.container, (self.pidns, self.netns))
        }
    }

    /// The sandbox's process, which belongs to no container.
    fn pause(id: ProcId, pidns: PidNsId, now: SimTime) -> Proc {
        Proc {
            cred: Rc::new(Credentials { uid: 65_535, gid: 65_535, groups: Vec::new() }),
            cwd: Rc::from("/"),
            umask: 0o022,
            argv: Rc::new(vec!["/pause".to_owned()]),
            comm: Rc::from("pause"),
            started: now,
            busy_until: now,
            reaps: true,
            ..Proc::blank(id, 1, ContainerId(0), (pidns, NetNsId(0)))
        }
    }

    /// A first process, of no parent.
    pub fn first(id: ProcId, pid: Pid, container: ContainerId, of: &super::Container) -> Proc {
        Proc {
            cred: Rc::clone(&of.cred),
            cwd: Rc::clone(&of.cwd),
            umask: of.umask,
            env: Env::clone(&of.env),
            fds: of.stdio.clone(),
            memory_bytes: 1 << 20,
            ..Proc::blank(id, pid, container, (of.pidns, of.netns))
        }
    }

    /// A process that has not done anything yet and holds nothing.
    fn blank(id: ProcId, pid: Pid, container: ContainerId, of: Spaces) -> Proc {
        Proc {
            id,
            pid,
            parent: None,
            pgid: pid,
            container,
            pidns: of.0,
            netns: of.1,
            state: ProcState::Running,
            cred: Rc::default(),
            cwd: Rc::from(""),
            umask: 0,
            env: Rc::default(),
            argv: Rc::default(),
            comm: Rc::from(""),
            fds: super::fd::FdTable::default(),
            signals: Signals::default(),
            exec: None,
            exec_leader: false,
            outside: false,
            started: SimTime::ZERO,
            cpu_used: SimTime::ZERO,
            stopped: None,
            missed_wake: false,
            scheduled: None,
            busy_until: SimTime::ZERO,
            waiting_child: false,
            running: false,
            reaps: false,
            signal_count: 0,
            memory_bytes: 0,
            held_bytes: 0,
        }
    }
}
