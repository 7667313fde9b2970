//! A machine: the kernel, the futures of its processes, and the loop that runs them. This is what
//! a simulator holds; it makes containers and volumes, advances time, and drains notices.

mod client;
mod image;
mod setup;

pub use client::Ask;
pub use image::{Image, Thing};
pub use setup::{ContainerSpec, MountSpec, VolumeSpec};

use super::Signal;
use super::kernel::process::ProcState;
use super::kernel::service::Services;
use super::kernel::{
    Change, ContainerId, ExecId, Kernel, KernelRef, Limits, NetNsId, Notice, ProcId, Task,
    WaitStatus,
};
use super::kernel::{NoticeKind, PidNs, PidNsId, VolumeId, wall::Wall};
use super::sys::Sys;
use crate::order::Order;
use crate::time::SimTime;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Why a container or an exec did not start, in the container runtime's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError {
    /// E.g. `exec: "foo": executable file not found in $PATH`.
    pub message: String,
}

/// What `peek` finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    File(Vec<u8>),
    /// Names, sorted.
    Dir(Vec<String>),
    Link(String),
    Other,
}

pub struct Machine {
    // Dropped before the kernel, which the tasks refer to.
    tasks: BTreeMap<ProcId, Task>,
    kernel: KernelRef,
    volumes: BTreeMap<VolumeId, super::kernel::inode::Node>,
    outside: Option<ContainerId>,
}

impl Machine {
    /// `start_unix_secs` is what `date` shows at time zero.
    pub fn new(seed: u64, start_unix_secs: i64, limits: Limits) -> Machine {
        let kernel = Rc::new(RefCell::new(Kernel::new(seed, start_unix_secs, limits)));
        Machine { tasks: BTreeMap::new(), kernel, volumes: BTreeMap::new(), outside: None }
    }

    /// The time of the next thing that happens by itself.
    pub fn next_wake(&self) -> Option<SimTime> {
        self.kernel.borrow().agenda.first_key_value().map(|(key, _)| key.0)
    }

    /// Runs up to `until` or until `budget` interpreter steps are spent; subtracts what it used
    /// and tells how far it came. Things done to the machine next happen at that time.
    pub fn run_until(&mut self, until: SimTime, budget: &mut u64) -> SimTime {
        {
            let mut kernel = self.kernel.borrow_mut();
            kernel.budget = *budget;
            kernel.horizon = until;
        }
        self.adopt();
        while let Some(id) = self.next_due(until) {
            self.poll(id);
            self.adopt();
        }
        let mut kernel = self.kernel.borrow_mut();
        *budget = kernel.budget;
        let next = kernel.agenda.first_key_value().map(|(key, _)| key.0);
        kernel.now = match next {
            Some(at) if at <= until => at,
            _ => until,
        };
        kernel.now
    }

    /// Takes the next process that is due.
    fn next_due(&mut self, until: SimTime) -> Option<ProcId> {
        let mut kernel = self.kernel.borrow_mut();
        let (&key, &id) = kernel.agenda.first_key_value()?;
        if key.0 > until || kernel.budget == 0 {
            return None;
        }
        kernel.agenda.remove(&key);
        kernel.now = key.0;
        kernel.budget -= 1;
        if let Some(proc) = kernel.procs.get_mut(&id) {
            proc.scheduled = None;
            proc.running = true;
        }
        Some(id)
    }

    fn poll(&mut self, id: ProcId) {
        let Some(mut task) = self.tasks.remove(&id) else { return };
        let mut context = Context::from_waker(Waker::noop());
        let polled = task.as_mut().poll(&mut context);
        let mut kernel = self.kernel.borrow_mut();
        let now = kernel.now;
        let alive = match kernel.procs.get_mut(&id) {
            Some(proc) => {
                proc.running = false;
                proc.busy_until = now;
                proc.state == ProcState::Running
            }
            None => false,
        };
        match polled {
            Poll::Ready(code) => kernel.end_process(id, WaitStatus::Exited(code & 0xff)),
            Poll::Pending if alive => drop(self.tasks.insert(id, task)),
            Poll::Pending => {}
        }
    }

    /// Takes in new processes and drops the futures of dead ones.
    fn adopt(&mut self) {
        let (new, dead) = {
            let mut kernel = self.kernel.borrow_mut();
            (std::mem::take(&mut kernel.new_tasks), std::mem::take(&mut kernel.dead_tasks))
        };
        self.tasks.extend(new);
        for id in dead {
            self.tasks.remove(&id);
        }
    }

    /// What happened since the last call, in order of time.
    pub fn drain(&mut self) -> Vec<Notice> {
        let mut notices = std::mem::take(&mut self.kernel.borrow_mut().notices);
        notices.order_by_key(|notice| notice.at);
        notices
    }

    /// The container's first process gets a signal, from outside.
    pub fn signal(&mut self, id: ContainerId, signal: Signal) {
        let mut kernel = self.kernel.borrow_mut();
        if let Some(init) = kernel.containers.get(&id).and_then(|c| c.init) {
            kernel.send_signal(init, signal, true);
        }
    }

    /// Kills the whole container.
    pub fn kill(&mut self, id: ContainerId) {
        self.signal(id, Signal::KILL);
    }

    /// Forgets a container; one that still runs is killed without notice.
    pub fn remove(&mut self, id: ContainerId) {
        self.kill(id);
        let mut kernel = self.kernel.borrow_mut();
        let pids = kernel.containers.remove(&id).map(|container| container.pidns);
        kernel.notices.retain(|n| n.container != Some(id) || n.at < SimTime::MAX);
        // A namespace of its own goes with the last container that lives in it.
        let used = |ns: PidNsId| kernel.containers.values().any(|other| other.pidns == ns);
        if let Some(ns) = pids.filter(|ns| !used(*ns))
            && kernel.pid_namespaces.get(&ns).is_some_and(|space| !space.shared)
        {
            kernel.forget_namespace(ns);
        }
    }

    /// The pod is gone, and with it the namespace that its containers shared.
    pub fn remove_pid_namespace(&mut self, id: PidNsId) {
        self.kernel.borrow_mut().forget_namespace(id);
    }

    /// The PID namespace of a container, for another one to join.
    pub fn pids_of(&self, id: ContainerId) -> Option<PidNsId> {
        self.kernel.borrow().containers.get(&id).map(|container| container.pidns)
    }

    pub fn is_running(&self, id: ContainerId) -> bool {
        let kernel = self.kernel.borrow();
        kernel.containers.get(&id).is_some_and(|c| c.init.is_some() && !c.ended)
    }

    /// The first process's number in its own namespace.
    pub fn init_pid(&self, id: ContainerId) -> Option<u32> {
        let kernel = self.kernel.borrow();
        let init = kernel.containers.get(&id)?.init?;
        kernel.procs.get(&init).map(|p| p.pid)
    }

    /// CPU time used by all processes of a container so far, and the bytes it holds.
    pub fn usage(&self, id: ContainerId) -> (SimTime, u64) {
        let kernel = self.kernel.borrow();
        let cpu = kernel.containers.get(&id).map_or(SimTime::ZERO, |c| c.cpu_used);
        (cpu, kernel.memory_used(id))
    }

    /// Kills an exec that takes too long. It ends with a notice all the same.
    pub fn kill_exec(&mut self, exec: ExecId) {
        let mut kernel = self.kernel.borrow_mut();
        let members: Vec<ProcId> =
            kernel.procs.values().filter(|p| p.exec == Some(exec)).map(|p| p.id).collect();
        for id in members {
            kernel.send_signal(id, Signal::KILL, true);
        }
    }

    pub fn new_pid_namespace(&mut self, shared: bool) -> PidNsId {
        let mut kernel = self.kernel.borrow_mut();
        let id = PidNsId(kernel.fresh_id());
        // In a shared one the sandbox's process is number 1.
        let next = if shared { 1 + kernel.limits.starter_threads } else { 0 };
        let ns = PidNs { next, by_pid: BTreeMap::new(), shared };
        kernel.pid_namespaces.insert(id, ns);
        if shared {
            kernel.add_pause(id);
        }
        id
    }

    /// A pod's network; `ip` is its address, `search` the domains tried for short names.
    pub fn new_network(&mut self, ip: Option<Ipv4Addr>, search: Vec<String>) -> NetNsId {
        let mut kernel = self.kernel.borrow_mut();
        let id = NetNsId(kernel.fresh_id());
        let has_dns = !search.is_empty();
        let ns = super::kernel::net::NetNs { ip, search, has_dns, ..Default::default() };
        kernel.net.namespaces.insert(id, ns);
        if let Some(ip) = ip {
            kernel.net.by_ip.insert(ip, id);
        }
        id
    }

    /// The pod is gone: nobody answers at its address any more.
    pub fn remove_network(&mut self, id: NetNsId) {
        let mut kernel = self.kernel.borrow_mut();
        let gone = kernel.net.namespaces.remove(&id).and_then(|ns| ns.ip);
        if let Some(ip) = gone.filter(|ip| kernel.net.by_ip.get(ip) == Some(&id)) {
            kernel.net.by_ip.remove(&ip);
        }
    }

    /// What the name server knows: full names without the dot at the end.
    pub fn set_names(&mut self, names: BTreeMap<String, Vec<Ipv4Addr>>) {
        self.kernel.borrow_mut().net.names = names;
    }

    /// Where service addresses lead; those without backends refuse.
    pub fn set_services(&mut self, services: Services) {
        let net = &mut self.kernel.borrow_mut().net;
        net.stuck.retain(|(at, _), _| services.contains_key(at));
        net.services = services;
    }

    /// Which node each pod is on, and the nodes' own addresses, which refuse what is no service.
    pub fn set_places(&mut self, places: BTreeMap<Ipv4Addr, u32>, nodes: Vec<Ipv4Addr>) {
        let net = &mut self.kernel.borrow_mut().net;
        (net.places, net.nodes) = (places, nodes);
    }

    /// What connections to addresses nobody has end with.
    pub fn set_no_route(&mut self, to: super::kernel::net::NoRoute) {
        self.kernel.borrow_mut().net.no_route = to;
    }

    /// Replaces all walls around addresses.
    pub fn set_walls(&mut self, walls: BTreeMap<Ipv4Addr, Wall>) {
        let net = &mut self.kernel.borrow_mut().net;
        if net.walls != walls {
            net.walls = walls;
            net.told_drops.clear();
        }
    }

    /// Cuts or mends the way between two pods.
    pub fn set_cut(&mut self, a: NetNsId, b: NetNsId, cut: bool) {
        let mut kernel = self.kernel.borrow_mut();
        kernel.net.cut.retain(|pair| *pair != (a, b) && *pair != (b, a));
        if cut {
            kernel.net.cut.push((a, b));
        }
    }

    /// Makes each connection between two pods take that much longer; zero is as before.
    pub fn set_slow(&mut self, a: NetNsId, b: NetNsId, by: SimTime) {
        let mut kernel = self.kernel.borrow_mut();
        kernel.net.slow.retain(|(pair, _)| *pair != (a, b) && *pair != (b, a));
        if by > SimTime::ZERO {
            kernel.net.slow.push(((a, b), by));
        }
    }

    /// Ports listened on in a pod, with the container that does.
    pub fn listening(&self, id: NetNsId) -> Vec<(Ipv4Addr, u16, ContainerId)> {
        let kernel = self.kernel.borrow();
        let Some(ns) = kernel.net.namespaces.get(&id) else { return Vec::new() };
        ns.listeners.iter().map(|((port, addr), l)| (*addr, *port, l.container)).collect()
    }

    /// Bytes in a container's own root.
    pub fn root_used(&self, id: ContainerId) -> u64 {
        let kernel = self.kernel.borrow();
        let root = kernel.containers.get(&id).and_then(|container| container.mounts.last());
        root.map_or(0, |mount| mount.root.fs.used.get())
    }

    /// A file's bytes as a container sees them now; `None` where there is no such file.
    pub fn read_file(&self, id: ContainerId, path: &str) -> Option<Vec<u8>> {
        setup::look(&self.kernel.borrow(), id, path)
    }

    /// What is at a path of a container now.
    pub fn peek(&self, id: ContainerId, path: &str) -> Option<Leaf> {
        setup::peek(&self.kernel.borrow(), id, path)
    }

    /// Bytes in a volume.
    pub fn volume_used(&self, id: VolumeId) -> u64 {
        self.volumes.get(&id).map_or(0, |root| root.fs.used.get())
    }

    /// Puts a thing into a volume from outside. Nothing is told: who does it knows.
    pub fn put_into_volume(&mut self, id: VolumeId, path: &str, thing: &Thing) {
        let Some(root) = self.volumes.get(&id).cloned() else { return };
        image::put(&mut self.kernel.borrow_mut(), &root, path, thing, None);
    }

    /// Takes an entry of a volume's top away with all below it; who has a file open keeps it.
    pub fn take_from_volume(&mut self, id: VolumeId, name: &str) {
        let Some(root) = self.volumes.get(&id).cloned() else { return };
        let taken = root.dir().and_then(|entries| entries.borrow_mut().remove(name));
        if let Some(node) = taken {
            image::release(&mut self.kernel.borrow_mut(), &node);
        }
    }

    /// The machine's clock.
    pub fn now(&self) -> SimTime {
        self.kernel.borrow().now
    }

    /// Writes a file of a volume from outside, as the kubelet does; directories are made.
    pub fn write_volume(&mut self, id: VolumeId, path: &str, content: &[u8], mode: u32) {
        let Some(root) = self.volumes.get(&id).cloned() else { return };
        let mut kernel = self.kernel.borrow_mut();
        let thing = Thing::File { content: content.to_vec(), mode, uid: 0, gid: 0 };
        image::put(&mut kernel, &root, path, &thing, None);
        if root.fs.watched {
            let change = Change::Set(content.to_vec());
            let (place, path) = (root.fs.label.clone(), path.trim_matches('/').to_owned());
            kernel.notice(None, NoticeKind::Wrote { place, path, change });
        }
    }

    fn sys(&self, id: ProcId) -> Sys {
        Sys::new(Rc::clone(&self.kernel), id)
    }
}
