//! System calls on processes, signals and identity.

use super::Sys;
use crate::shell::kernel::inode::Kind;
use crate::shell::kernel::process::ProcState;
use crate::shell::kernel::procfs::state_letter;
use crate::shell::kernel::procs::WaitFor;
use crate::shell::kernel::{Credentials, Disposition, Env, Pid, Task, WaitStatus};
use crate::shell::{Errno, Program, Signal};
use crate::time::SimTime;
use std::future::Future;
use std::rc::Rc;

/// A row of `ps`.
#[derive(Clone, Debug)]
pub struct ProcInfo {
    pub pid: Pid,
    pub ppid: Pid,
    pub pgid: Pid,
    pub uid: u32,
    pub gid: u32,
    /// Empty for a zombie.
    pub argv: Vec<String>,
    pub comm: String,
    /// R, S, T or Z.
    pub state: char,
    pub started: SimTime,
    pub cpu_used: SimTime,
}

/// Virtual time between a fork and the child's first step, in microseconds.
const FORK_MICROS: u64 = 140;
/// What starting a program costs.
const EXEC_MICROS: u64 = 400;

impl Sys {
    pub fn pid(&self) -> Pid {
        self.with_proc(|p| p.pid)
    }

    pub fn ppid(&self) -> Pid {
        let kernel = self.k();
        kernel.procs.get(&self.id).map_or(0, |p| kernel.ppid(p))
    }

    pub fn pgid(&self) -> Pid {
        self.with_proc(|p| p.pgid)
    }

    fn with_proc<T: Default>(
        &self,
        ask: impl FnOnce(&mut crate::shell::kernel::process::Proc) -> T,
    ) -> T {
        self.k().procs.get_mut(&self.id).map(ask).unwrap_or_default()
    }

    /// Puts a process of the own family into a group (0: the group of its own number).
    pub fn set_pgid(&self, pid: Pid, pgid: Pid) -> Result<(), Errno> {
        let mut kernel = self.k();
        let id = if pid == 0 { Some(self.id) } else { kernel.by_pid(self.id, pid) };
        let proc = id.and_then(|id| kernel.procs.get_mut(&id)).ok_or(Errno::Srch)?;
        proc.pgid = if pgid == 0 { proc.pid } else { pgid };
        Ok(())
    }

    /// Starts a copy of this process (its files, directory, signal settings) that runs `run`.
    pub fn fork<F>(&self, run: impl FnOnce(Sys) -> F) -> Result<Pid, Errno>
    where
        F: Future<Output = i32> + 'static,
    {
        let (child, pid) = {
            let mut kernel = self.k();
            let child = kernel.fork(self.id)?;
            let pid = kernel.procs.get(&child).map_or(0, |p| p.pid);
            let start = kernel.now + SimTime(FORK_MICROS);
            kernel.schedule(child, start);
            (child, pid)
        };
        let task: Task = Box::pin(run(Sys::new(self.kernel(), child)));
        self.k().new_tasks.push((child, task));
        Ok(pid)
    }

    /// What is at `path` to run: checks that it is there and executable.
    pub fn executable(&self, path: &str) -> Result<Executable, Errno> {
        let kernel = self.k();
        let found = kernel.walk(self.id, path, true)?;
        let node = found.must()?;
        if node.is_dir() || !kernel.may(self.id, node, crate::shell::kernel::path::EXEC) {
            return Err(Errno::Access);
        }
        match &node.kind {
            Kind::Program(program) => Ok(Executable::Program(*program)),
            Kind::File(data) => {
                let data = data.borrow();
                let first = data.split(|b| *b == b'\n').next().unwrap_or(&[]);
                let Some(rest) = first.strip_prefix(b"#!") else {
                    return Ok(Executable::Text);
                };
                let line = crate::shell::bytes::to_text(&rest[..rest.len().min(255)]);
                let line = line.trim_matches([' ', '\t']);
                let (name, arg) = line.split_once([' ', '\t']).unwrap_or((line, ""));
                let arg = arg.trim_matches([' ', '\t']);
                let arg = (!arg.is_empty()).then(|| arg.to_owned());
                Ok(Executable::Script { interpreter: name.to_owned(), arg })
            }
            _ => Err(Errno::Access),
        }
    }

    /// Becomes another program and runs it to its end: `Ok` is its exit code, which the caller
    /// hands on as its own. `NoExec` is a text without `#!`.
    pub async fn exec(&self, path: &str, argv: Vec<String>, env: Env) -> Result<i32, Errno> {
        let mut argv = argv;
        let mut path = path.to_owned();
        // A script keeps its own name while its interpreter runs.
        let comm = path.clone();
        // An interpreter may be a script itself, a few times over.
        for _ in 0..5 {
            match self.executable(&path)? {
                Executable::Program(program) => {
                    self.become_program(&comm, &argv, env);
                    self.burn(EXEC_MICROS).await;
                    return Ok(program(self.clone(), argv).await);
                }
                Executable::Text => return Err(Errno::NoExec),
                Executable::Script { interpreter, arg } => {
                    let rest = argv.split_off(argv.len().min(1));
                    argv = vec![interpreter.clone()];
                    argv.extend(arg);
                    argv.push(path);
                    argv.extend(rest);
                    path = interpreter;
                }
            }
        }
        Err(Errno::Loop)
    }

    fn become_program(&self, name: &str, argv: &[String], env: Env) {
        let mut kernel = self.k();
        let Some(proc) = kernel.procs.get_mut(&self.id) else { return };
        let comm: String = name.rsplit('/').next().unwrap_or(name).chars().take(15).collect();
        proc.comm = Rc::from(comm);
        proc.argv = Rc::new(argv.to_vec());
        proc.env = env;
        proc.held_bytes = 0;
        proc.signals.after_exec();
        let to_close: Vec<u32> = proc
            .fds
            .open_fds()
            .into_iter()
            .filter(|fd| proc.fds.entry(*fd).is_some_and(|e| e.close_on_exec))
            .collect();
        for fd in to_close {
            let _ = kernel.close(self.id, fd);
        }
    }

    /// Runs a program by name (searched in `$PATH` when it has no slash) in a child process with
    /// the same files and environment. The child answers 127 or 126 when it cannot be run, after
    /// `fail` had the chance to say so.
    pub fn spawn(
        &self,
        argv: Vec<String>,
        fail: impl Fn(&Sys, Errno) -> Vec<u8> + 'static,
    ) -> Result<Pid, Errno> {
        self.fork(move |sys| async move {
            let name = argv.first().cloned().unwrap_or_default();
            let env = sys.env();
            let failed = match sys.find_in_path(&name) {
                Ok(path) => match sys.exec(&path, argv, env).await {
                    Ok(code) => return code,
                    Err(errno) => errno,
                },
                Err(errno) => errno,
            };
            let text = fail(&sys, failed);
            let _ = sys.write(2, &text).await;
            if failed == Errno::NoEnt { 127 } else { 126 }
        })
    }

    /// Searches `$PATH`; a name with a slash is itself.
    pub fn find_in_path(&self, name: &str) -> Result<String, Errno> {
        if name.contains('/') {
            return self.executable(name).map(|_| name.to_owned());
        }
        let path = self.getenv("PATH").unwrap_or_else(|| "/sbin:/usr/sbin:/bin:/usr/bin".into());
        self.find_in(&path, name)
    }

    /// The first regular file of that name, executable or not, as a shell's lookup finds it.
    pub fn find_regular(&self, path: &str, name: &str) -> Result<String, Errno> {
        let mut worst = Errno::NoEnt;
        for dir in path.split(':') {
            let full = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
            match self.stat(&full) {
                Ok(stat) if stat.file_type == crate::shell::FileType::File => return Ok(full),
                Ok(_) => worst = Errno::Access,
                Err(Errno::NoEnt | Errno::NotDir) => {}
                Err(errno) => worst = errno,
            }
        }
        Err(worst)
    }

    /// Whether this is the first process of its container.
    pub fn is_init(&self) -> bool {
        let kernel = self.k();
        let container = kernel.procs.get(&self.id).map(|p| p.container);
        let container = container.and_then(|id| kernel.containers.get(&id));
        container.is_some_and(|c| c.init.is_none_or(|init| init == self.id))
    }

    /// Searches a list of directories separated by colons.
    pub fn find_in(&self, path: &str, name: &str) -> Result<String, Errno> {
        let mut worst = Errno::NoEnt;
        for dir in path.split(':') {
            let full = if dir.is_empty() { name.to_owned() } else { format!("{dir}/{name}") };
            match self.executable(&full) {
                Ok(_) => return Ok(full),
                Err(Errno::NoEnt | Errno::NotDir) => {}
                Err(_) if self.stat(&full).is_ok_and(|s| s.file_type.letter() == 'd') => {}
                Err(errno) => worst = errno,
            }
        }
        Err(worst)
    }

    /// Waits for a child to end. `Child` when there is none, `Intr` when a caught signal came.
    pub async fn wait(&self, which: WaitFor) -> Result<(Pid, WaitStatus), Errno> {
        self.wait_until(which, None).await
    }

    /// As `wait`, with `TimedOut` at `deadline`.
    pub async fn wait_until(
        &self,
        which: WaitFor,
        deadline: Option<SimTime>,
    ) -> Result<(Pid, WaitStatus), Errno> {
        self.wait_for(deadline, |kernel| kernel.try_wait(self.id, which)).await
    }

    /// Takes the status of a child that has ended, without waiting.
    pub fn try_wait(&self, which: WaitFor) -> Result<Option<(Pid, WaitStatus)>, Errno> {
        self.k().try_wait(self.id, which)
    }

    /// `pid` as for `kill(2)`; no signal only asks whether it could be sent.
    pub fn kill(&self, pid: i64, signal: Option<Signal>) -> Result<(), Errno> {
        self.k().kill(self.id, pid, signal)
    }

    /// What this process does about a signal.
    pub fn set_signal(&self, signal: Signal, to: Disposition) {
        self.with_proc(|p| {
            p.signals.set(signal, to);
            if signal == Signal::CHLD {
                p.reaps = to == Disposition::Ignore;
            }
        });
    }

    pub fn signal(&self, signal: Signal) -> Disposition {
        self.with_proc(|p| p.signals.disposition(signal))
    }

    /// Takes the caught signals that came since the last call, lowest number first.
    pub fn take_signals(&self) -> Vec<Signal> {
        self.with_proc(|p| std::mem::take(&mut p.signals.pending)).into_iter().map(Signal).collect()
    }

    /// The caught signal that came last of those waiting to be taken.
    pub fn peek_signal(&self) -> Option<Signal> {
        self.with_proc(|p| p.signals.pending.last().copied()).map(Signal)
    }

    /// Whether a caught signal waits to be taken.
    pub fn has_signals(&self) -> bool {
        self.with_proc(|p| !p.signals.pending.is_empty())
    }

    /// Processes of this PID namespace, by number.
    pub fn processes(&self) -> Vec<ProcInfo> {
        let kernel = self.k();
        let Some(me) = kernel.procs.get(&self.id) else { return Vec::new() };
        let Some(ns) = kernel.pid_namespaces.get(&me.pidns) else { return Vec::new() };
        let procs = ns.by_pid.values().filter_map(|id| kernel.procs.get(id));
        let info = |p: &crate::shell::kernel::process::Proc| ProcInfo {
            pid: p.pid,
            ppid: kernel.ppid(p),
            pgid: p.pgid,
            uid: p.cred.uid,
            gid: p.cred.gid,
            argv: match p.state {
                ProcState::Running => p.argv.to_vec(),
                ProcState::Zombie(_) => Vec::new(),
            },
            comm: p.comm.to_string(),
            state: state_letter(p),
            started: p.started,
            cpu_used: p.cpu_used,
        };
        procs.map(info).collect()
    }

    pub fn credentials(&self) -> Credentials {
        self.with_proc(|p| (*p.cred).clone())
    }

    pub fn uid(&self) -> u32 {
        self.with_proc(|p| p.cred.uid)
    }

    pub fn gid(&self) -> u32 {
        self.with_proc(|p| p.cred.gid)
    }

    /// Becomes another user; only root may.
    pub fn set_credentials(&self, to: Credentials) -> Result<(), Errno> {
        let mut kernel = self.k();
        let proc = kernel.procs.get_mut(&self.id).ok_or(Errno::Srch)?;
        if !proc.cred.is_root() {
            return Err(Errno::Perm);
        }
        proc.cred = Rc::new(to);
        Ok(())
    }

    /// The environment this program was started with.
    pub fn env(&self) -> Env {
        self.with_proc(|p| Env::clone(&p.env))
    }

    pub fn getenv(&self, name: &str) -> Option<String> {
        self.env().iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    pub fn cwd(&self) -> String {
        self.with_proc(|p| p.cwd.to_string())
    }

    pub fn chdir(&self, path: &str) -> Result<(), Errno> {
        let mut kernel = self.k();
        let found = kernel.walk(self.id, path, true)?;
        let node = found.must()?;
        if !node.is_dir() {
            return Err(Errno::NotDir);
        }
        if !kernel.may(self.id, node, crate::shell::kernel::path::EXEC) {
            return Err(Errno::Access);
        }
        let proc = kernel.procs.get_mut(&self.id).ok_or(Errno::Srch)?;
        proc.cwd = Rc::from(found.path);
        Ok(())
    }

    /// Sets the umask and gives the old one.
    pub fn umask(&self, mask: u32) -> u32 {
        self.with_proc(|p| std::mem::replace(&mut p.umask, mask & 0o777))
    }

    pub fn hostname(&self) -> String {
        let kernel = self.k();
        let proc = kernel.procs.get(&self.id);
        let container = proc.and_then(|p| kernel.containers.get(&p.container));
        container.map_or_else(String::new, |c| c.hostname.clone())
    }

    /// Virtual CPU time used by this process.
    pub fn cpu_used(&self) -> SimTime {
        self.with_proc(|p| p.cpu_used)
    }

    /// Claims memory; past the container's limit the whole container is killed.
    pub fn claim_memory(&self, bytes: u64) {
        self.k().claim_memory(self.id, bytes);
    }

    /// Says how much data this process keeps, beside what its program needs.
    pub fn hold(&self, bytes: u64) {
        self.k().hold_memory(self.id, bytes);
    }
}

/// What running a path means.
#[derive(Clone, Debug)]
pub enum Executable {
    Program(Program),
    Script {
        interpreter: String,
        arg: Option<String>,
    },
    /// Text without `#!`: a shell runs it itself.
    Text,
}
