//! Making containers and volumes, starting them, and running commands inside.

use super::{Image, Machine, StartError, Thing, image};
use crate::shell::Errno;
use crate::shell::kernel::container::Pace;
use crate::shell::kernel::fd::{FdEntry, FdTable, OpenFile, Opened, Sink};
use crate::shell::kernel::inode::{Kind, Node};
use crate::shell::kernel::pipe::Pipe;
use crate::shell::kernel::process::Proc;
use crate::shell::kernel::{
    Container, ContainerId, Credentials, ExecId, Kernel, Mount, NetNsId, OpenHow, PidNsId, ProcId,
    VolumeId,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A container to make. Paths are absolute.
#[derive(Clone)]
pub struct ContainerSpec {
    /// For sentences, e.g. `app`.
    pub name: String,
    pub image: Image,
    pub argv: Vec<String>,
    pub env: Vec<(String, String)>,
    pub cwd: String,
    pub credentials: Credentials,
    pub hostname: String,
    pub mounts: Vec<MountSpec>,
    /// Files the kubelet puts there: `/etc/hosts`, `/etc/resolv.conf`, `/etc/hostname`.
    pub files: Vec<(String, Thing)>,
    pub read_only_root: bool,
    pub network: NetNsId,
    pub pids: PidNsId,
    pub cpu_millis: Option<u32>,
    pub memory_bytes: Option<u64>,
    /// Capability CHOWN was dropped.
    pub no_chown: bool,
    /// Standard input stays open, with nobody who writes to it.
    pub stdin: bool,
    /// Date of the image's files in microseconds since 1970; the present when absent.
    pub image_time: Option<i64>,
}

impl ContainerSpec {
    /// Root's, in `/`, with a host of its name; without mounts, a kubelet's files, variables and
    /// limits.
    pub fn plain(
        name: &str,
        image: Image,
        argv: Vec<String>,
        (network, pids): (NetNsId, PidNsId),
    ) -> ContainerSpec {
        ContainerSpec {
            name: name.to_owned(),
            image,
            argv,
            env: Vec::new(),
            cwd: "/".to_owned(),
            credentials: Credentials::default(),
            hostname: name.to_owned(),
            mounts: Vec::new(),
            files: Vec::new(),
            read_only_root: false,
            network,
            pids,
            cpu_millis: None,
            memory_bytes: None,
            no_chown: false,
            stdin: false,
            image_time: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct MountSpec {
    pub at: String,
    pub volume: VolumeId,
    /// Below the volume's root; made as a directory when absent. Empty is the root.
    pub sub_path: String,
    pub read_only: bool,
}

#[derive(Clone, Default)]
pub struct VolumeSpec {
    /// As the trace writes it: `volume:logs`.
    pub label: String,
    pub size_limit: Option<u64>,
    /// In memory: `tmpfs` to `df` and `mount`.
    pub memory: bool,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub things: Vec<(String, Thing)>,
    /// Date of the things in microseconds since 1970; the present when absent.
    pub time: Option<i64>,
}

impl Machine {
    pub fn new_volume(&mut self, spec: &VolumeSpec) -> VolumeId {
        let mut kernel = self.kernel.borrow_mut();
        let id = VolumeId(kernel.fresh_id());
        let kind = if spec.memory { "tmpfs" } else { "ext4" };
        let fs = kernel.new_fs(spec.label.clone(), kind, true);
        let now = spec.time.unwrap_or_else(|| kernel.wall_micros());
        let root = fs.make_dir(spec.mode, (spec.uid, spec.gid), now);
        for (path, thing) in &spec.things {
            image::put(&mut kernel, &root, path, thing, spec.time);
        }
        fs.size_limit.set(spec.size_limit);
        self.volumes.insert(id, root);
        id
    }

    pub fn remove_volume(&mut self, id: VolumeId) {
        self.volumes.remove(&id);
    }

    /// Makes a container with a fresh root; it does not run yet.
    pub fn create(&mut self, spec: &ContainerSpec) -> ContainerId {
        let mut kernel = self.kernel.borrow_mut();
        let id = ContainerId(kernel.fresh_id());
        let fs = kernel.new_fs("rootfs".to_owned(), "overlay", true);
        let now = spec.image_time.unwrap_or_else(|| kernel.wall_micros());
        let root = fs.make_dir(0o755, (0, 0), now);
        spec.image.copy_to(&mut kernel, &root, spec.image_time);
        for (path, thing) in &spec.files {
            image::put(&mut kernel, &root, path, thing, spec.image_time);
        }
        let mut mounts = vec![mount("/", root.clone(), spec.read_only_root, "")];
        mounts.extend(runtime_mounts(&root));
        for wanted in &spec.mounts {
            mounts.extend(self.mount_volume(&mut kernel, &root, wanted));
        }
        if !spec.cwd.is_empty() && spec.cwd != "/" {
            ensure_dir(&mut kernel, &root, &spec.cwd);
        }
        mounts.reverse();
        let container = Container {
            name: spec.name.clone(),
            pidns: spec.pids,
            netns: spec.network,
            mounts,
            cred: Rc::new(spec.credentials.clone()),
            env: Rc::new(spec.env.clone()),
            cwd: Rc::from(if spec.cwd.is_empty() { "/" } else { spec.cwd.as_str() }),
            hostname: spec.hostname.clone(),
            umask: 0o022,
            cpu_millis: spec.cpu_millis,
            memory_limit: spec.memory_bytes,
            init: None,
            ended: false,
            pace: Pace::new(spec.cpu_millis, kernel.limits.steps_per_second),
            partial: Default::default(),
            stdio: stdio(&root, |stderr| Sink::Log { container: id, stderr }),
            argv: spec.argv.clone(),
            oom: false,
            memory_peak: 0,
            cpu_used: crate::time::SimTime::ZERO,
            no_chown: spec.no_chown,
            told_processes: false,
        };
        kernel.containers.insert(id, container);
        drop(kernel);
        if spec.stdin {
            let open = Pipe { writers: 1, readers: 1, ..Pipe::default() };
            self.put_stdin(id, Opened::PipeRead(Rc::new(RefCell::new(open))));
        }
        id
    }

    fn mount_volume(
        &self,
        kernel: &mut Kernel,
        root: &Node,
        wanted: &MountSpec,
    ) -> Option<Rc<Mount>> {
        let mut node = self.volumes.get(&wanted.volume)?.clone();
        let sub = wanted.sub_path.trim_matches('/');
        if !sub.is_empty() {
            node = followed(&node, sub).unwrap_or_else(|| {
                ensure_dir(kernel, &node, sub);
                lookup(&node, sub).unwrap_or_else(|| node.clone())
            });
        }
        let at = normal(&wanted.at);
        match node.is_dir() {
            true => ensure_dir(kernel, root, &at),
            false if lookup(root, &at).is_none() => {
                image::put(kernel, root, &at, &Thing::file(""), None);
            }
            false => {}
        }
        Some(mount(&at, node, wanted.read_only, sub))
    }

    /// What the first process reads on its stdin; nothing when never called.
    pub fn set_stdin(&mut self, id: ContainerId, data: &[u8]) {
        self.put_stdin(id, Opened::Text(data.to_vec()));
    }

    fn put_stdin(&mut self, id: ContainerId, what: Opened) {
        let mut kernel = self.kernel.borrow_mut();
        let Some(container) = kernel.containers.get_mut(&id) else { return };
        let file = Rc::new(OpenFile { what, how: OpenHow::READ, offset: Cell::new(0) });
        container.stdio.set(0, Some(FdEntry { file, close_on_exec: false }));
    }

    /// Starts the container's first process.
    pub fn start(&mut self, id: ContainerId) -> Result<(), StartError> {
        let argv = self.kernel.borrow().containers.get(&id).map(|c| c.argv.clone());
        let init = self.first_process(id, &argv.unwrap_or_default(), None)?;
        if let Some(container) = self.kernel.borrow_mut().containers.get_mut(&id) {
            container.init = Some(init);
        }
        self.adopt();
        Ok(())
    }

    /// Runs a command inside a running container; its end is an `ExecDone` notice.
    pub fn exec(&mut self, id: ContainerId, argv: &[String]) -> Result<ExecId, StartError> {
        let exec = ExecId(self.kernel.borrow_mut().fresh_id());
        self.first_process(id, argv, Some(exec))?;
        self.kernel.borrow_mut().exec_output.insert(exec, Default::default());
        self.adopt();
        Ok(exec)
    }

    /// A process with no parent inside the container: its first one, or an exec's.
    fn first_process(
        &mut self,
        id: ContainerId,
        argv: &[String],
        exec: Option<ExecId>,
    ) -> Result<ProcId, StartError> {
        let proc_id = {
            let mut kernel = self.kernel.borrow_mut();
            insert_process(&mut kernel, id, exec)
                .ok_or_else(|| StartError { message: "container is not running".to_owned() })?
        };
        let sys = self.sys(proc_id);
        let name = argv.first().cloned().unwrap_or_default();
        let found = sys.find_in_path(&name);
        let path = match found {
            Ok(path) => path,
            Err(errno) => {
                let mut kernel = self.kernel.borrow_mut();
                kernel.reap(proc_id);
                return Err(StartError { message: start_message(&name, errno) });
            }
        };
        let (argv, env) = (argv.to_vec(), sys.env());
        let task = async move {
            match sys.exec(&path, argv, env).await {
                Ok(code) => code,
                Err(errno) => {
                    let text = format!("exec {path}: {}\n", errno.text().to_ascii_lowercase());
                    let _ = sys.write(2, text.as_bytes()).await;
                    255
                }
            }
        };
        let mut kernel = self.kernel.borrow_mut();
        kernel.new_tasks.push((proc_id, Box::pin(task)));
        kernel.wake(proc_id);
        Ok(proc_id)
    }
}

/// Models opencontainers/runc libcontainer: exec.LookPath and execve errors.
fn start_message(name: &str, errno: Errno) -> String {
    match errno {
        Errno::NoEnt if !name.contains('/') => {
            format!("exec: {name:?}: executable file not found in $PATH")
        }
        Errno::NoEnt => format!("exec: {name:?}: stat {name}: no such file or directory"),
        _ => format!("exec: {name:?}: {}", errno.text().to_ascii_lowercase()),
    }
}

fn insert_process(kernel: &mut Kernel, id: ContainerId, exec: Option<ExecId>) -> Option<ProcId> {
    let proc_id = kernel.fresh_proc();
    let n_threads = kernel.limits.starter_threads;
    let container = kernel.containers.get(&id)?;
    if container.ended || (exec.is_some() && container.init.is_none()) {
        return None;
    }
    let ns = kernel.pid_namespaces.get_mut(&container.pidns)?;
    ns.next += 1;
    let pid = ns.next;
    ns.next += n_threads;
    ns.by_pid.insert(pid, proc_id);
    let mut proc = Proc::first(proc_id, pid, id, container);
    proc.started = kernel.now;
    proc.busy_until = kernel.now;
    proc.exec = exec;
    proc.exec_leader = exec.is_some();
    if let Some(exec) = exec {
        let root = container.mounts.last()?.root.clone();
        proc.fds = stdio(&root, |stderr| Sink::Exec { exec, stderr });
    }
    kernel.procs.insert(proc_id, proc);
    Some(proc_id)
}

/// Descriptors 0, 1 and 2: nothing to read, two places to write.
fn stdio(root: &Node, sink: impl Fn(bool) -> Sink) -> FdTable {
    let mut table = FdTable::default();
    let null =
        root.fs.make(Kind::Device(crate::shell::kernel::inode::Device::Null), 0o666, (0, 0), 0);
    let what = Opened::Inode { node: null, path: "/dev/null".to_owned(), place: String::new() };
    let stdin = OpenFile { what, how: OpenHow::READ, offset: Cell::new(0) };
    let _ = table.insert(Rc::new(stdin), 0, false);
    for stderr in [false, true] {
        let how = OpenHow { create: false, truncate: false, ..OpenHow::WRITE };
        let file = OpenFile { what: Opened::Sink(sink(stderr)), how, offset: Cell::new(0) };
        let _ = table.insert(Rc::new(file), 0, false);
    }
    table
}

/// What runtimes mount over the image: they stay writable under a read-only root.
fn runtime_mounts(root: &Node) -> Vec<Rc<Mount>> {
    let entries = ["/dev", "/dev/shm", "/proc"];
    entries.iter().filter_map(|at| Some(mount(at, lookup(root, at)?, false, ""))).collect()
}

fn mount(at: &str, root: Node, read_only: bool, prefix: &str) -> Rc<Mount> {
    Rc::new(Mount { at: at.to_owned(), root, read_only, prefix: prefix.to_owned() })
}

fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty() && *p != ".").collect();
    format!("/{}", parts.join("/"))
}

fn ensure_dir(kernel: &mut Kernel, root: &Node, path: &str) {
    if lookup(root, path).is_none() {
        image::put(kernel, root, path, &Thing::dir(), None);
    }
}

/// The inode at a path below `root`, following no links.
pub(super) fn lookup(root: &Node, path: &str) -> Option<Node> {
    let mut node = root.clone();
    for name in path.split('/').filter(|p| !p.is_empty()) {
        let next = node.dir()?.borrow().get(name).cloned()?;
        node = next;
    }
    Some(node)
}

/// The inode at a path below `root`, following links that stay inside, as a sub-path does: what
/// is mounted then is the file itself, not the link to it.
fn followed(root: &Node, path: &str) -> Option<Node> {
    /// Links on the way.
    const LINKS_MAX: usize = 20;
    let mut left: Vec<String> =
        path.split('/').rev().filter(|p| !p.is_empty()).map(str::to_owned).collect();
    let mut trail = vec![root.clone()];
    let mut n_links = 0;
    while let Some(name) = left.pop() {
        if name == ".." {
            trail.truncate((trail.len() - 1).max(1));
            continue;
        }
        let next = trail.last()?.dir()?.borrow().get(&name).cloned()?;
        match &next.kind {
            Kind::Symlink(target) if !target.starts_with('/') && n_links < LINKS_MAX => {
                n_links += 1;
                let parts = target.split('/').rev().filter(|p| !p.is_empty() && *p != ".");
                left.extend(parts.map(str::to_owned));
            }
            _ => trail.push(next),
        }
    }
    trail.pop()
}

/// What is at a path as a container's mounts show it: `None` when nothing is.
pub(super) fn peek(kernel: &Kernel, id: ContainerId, path: &str) -> Option<super::Leaf> {
    let node = resolve(kernel, id, path)?;
    Some(match &node.kind {
        Kind::File(data) => super::Leaf::File(data.borrow().clone()),
        Kind::Dir(entries) => super::Leaf::Dir(entries.borrow().keys().cloned().collect()),
        Kind::Symlink(target) => super::Leaf::Link(target.clone()),
        _ => super::Leaf::Other,
    })
}

fn resolve(kernel: &Kernel, id: ContainerId, path: &str) -> Option<Node> {
    let container = kernel.containers.get(&id)?;
    let at = normal(path);
    let below = |m: &&Rc<Mount>| m.at == "/" || at == m.at || at.starts_with(&format!("{}/", m.at));
    let mount = container.mounts.iter().find(below)?;
    let rest = at.strip_prefix(mount.at.trim_end_matches('/')).unwrap_or("");
    lookup(&mount.root, rest)
}

/// A file's bytes as a container's mounts show them.
pub(super) fn look(kernel: &Kernel, id: ContainerId, path: &str) -> Option<Vec<u8>> {
    match peek(kernel, id, path)? {
        super::Leaf::File(data) => Some(data),
        _ => None,
    }
}
