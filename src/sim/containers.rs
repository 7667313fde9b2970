//! The cluster's runtime on the shell's machine: one machine for all pods of a run.

use super::kubelet::env::NODE_IP;
use super::runtime::{
    Answer, Ask, Handle, News, Notice, Route, RunSpec, Runtime, SandboxRef, SandboxSpec,
    StartError, VolumeRef, VolumeSpec,
};
use super::written::{managed_files, projected_things, top_link, tops};
use super::{Scenario, rootfs};
use crate::shell::kernel::net::NoRoute;
use crate::shell::kernel::notice::ClientResult;
use crate::shell::kernel::service::{Backends, Services};
use crate::shell::kernel::wall::Wall;
use crate::shell::kernel::{self, ClientId, ContainerId, ExecId, NetNsId, NoticeKind, PidNsId};
use crate::shell::kernel::{Limits, VolumeId};
use crate::shell::machine::{
    Ask as Wanted, ContainerSpec, Machine, MountSpec, VolumeSpec as Wants,
};
use crate::shell::{Credentials, Signal};
use crate::time::SimTime;
use crate::trace::{Change, Request};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(super) fn runtime(scenario: &Scenario) -> Box<dyn Runtime> {
    let limits = Limits {
        steps_per_second: scenario.limits.steps_per_second,
        memory_bytes: scenario.limits.memory_bytes,
        starter_threads: 5,
        ..Limits::default()
    };
    let mut machine = Machine::new(scenario.seed, scenario.started_unix_secs, limits);
    machine.set_no_route(NoRoute::Silence);
    Box::new(Containers {
        machine,
        sandboxes: BTreeMap::new(),
        sizes: BTreeMap::new(),
        next_sandbox: 0,
        looked: BTreeMap::new(),
        roots: BTreeMap::new(),
        projected: BTreeMap::new(),
        started_unix_secs: scenario.started_unix_secs,
    })
}

struct Containers {
    machine: Machine,
    sandboxes: BTreeMap<SandboxRef, Sandbox>,
    /// Sizes of files by (place, path), so that appended ones are told with their whole size.
    sizes: BTreeMap<(String, String), u64>,
    next_sandbox: u32,
    /// When each container's processor time was last looked at, and what it was.
    looked: BTreeMap<Handle, (SimTime, SimTime)>,
    /// Bytes in each container's root when it was made.
    roots: BTreeMap<Handle, u64>,
    /// Of each projected volume the directory its files are in, and their first names.
    projected: BTreeMap<VolumeRef, (String, Vec<String>)>,
    started_unix_secs: i64,
}

struct Sandbox {
    spec: SandboxSpec,
    network: NetNsId,
    shared_pids: Option<PidNsId>,
    containers: Vec<ContainerId>,
}

/// Containers run at most this far ahead of what is told about them.
const WINDOW: SimTime = SimTime::from_millis(1);
/// The kubelet's own limits are shorter.
const CLIENT_TIMEOUT: SimTime = SimTime::from_secs(600);

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap_or(Ipv4Addr::UNSPECIFIED)
}

/// Bytes added to a file in many small writes at once are told as one change.
fn joins(last: &mut Notice, next: &Notice) -> bool {
    let News::Wrote { place, path, change: Change::Append { content, size } } = &next.news else {
        return false;
    };
    let from = last.from;
    match &mut last.news {
        News::Wrote { place: to, path: at, change: Change::Append { content: all, size: n } }
            if from == next.from && to == place && at == path =>
        {
            all.extend_from_slice(content);
            *n = *size;
            true
        }
        _ => false,
    }
}

fn id(run: Handle) -> ContainerId {
    ContainerId(run.0)
}

impl Containers {
    /// A new directory for a projected volume's files, named by the present instant.
    fn data_dir(&self) -> String {
        let now = self.machine.now();
        let stamp = super::stamp(self.started_unix_secs + now.as_secs() as i64);
        let stamp = stamp.trim_end_matches('Z').replace(['-', 'T', ':'], "_");
        format!("..{stamp}.{:010}", 1 + now.0 % 1_000_000_000)
    }

    fn spec(&mut self, pod: SandboxRef, spec: RunSpec) -> Option<ContainerSpec> {
        let sandbox = self.sandboxes.get(&pod)?;
        let shared = sandbox.shared_pids;
        let network = sandbox.network;
        let (hostname, files) = (sandbox.spec.hostname.clone(), managed_files(&sandbox.spec));
        let joined = spec.target.and_then(|run| self.machine.pids_of(id(run)));
        let pids = shared.or(joined).unwrap_or_else(|| self.machine.new_pid_namespace(false));
        let mounts = spec.mounts.iter().map(|mount| MountSpec {
            at: mount.path.clone(),
            volume: VolumeId(mount.volume.0),
            sub_path: mount.sub_path.clone(),
            read_only: mount.read_only,
        });
        let image = rootfs::of(&spec.image, &spec.argv, &spec.ports);
        let mut env = spec.env;
        if !env.iter().any(|(name, _)| name == "HOME") {
            env.push(("HOME".to_owned(), image.home(spec.uid)));
        }
        Some(ContainerSpec {
            name: spec.name.rsplit('/').next().unwrap_or("").to_owned(),
            image,
            argv: spec.argv,
            env,
            cwd: spec.cwd,
            credentials: Credentials { uid: spec.uid, gid: spec.gid, groups: spec.groups },
            hostname,
            mounts: mounts.collect(),
            files,
            read_only_root: spec.read_only_root,
            network,
            pids,
            cpu_millis: spec.cpu_millis,
            memory_bytes: spec.memory_bytes,
            no_chown: spec.no_chown,
            stdin: spec.stdin,
            image_time: None,
        })
    }

    fn translate(&mut self, notice: kernel::Notice) -> Option<Notice> {
        let news = match notice.kind {
            NoticeKind::LogLine { stderr, line, .. } => News::Log { stderr, line },
            NoticeKind::Exited { code, signal, oom } => {
                News::Exited { code, signal: signal.map(Signal::name), oom }
            }
            NoticeKind::ExecDone { exec, code, output } => {
                News::Ran { ask: Ask(exec.0), code, output }
            }
            NoticeKind::ClientDone { client, result } => {
                let answer = match result {
                    ClientResult::Connected => Answer::Connected,
                    ClientResult::Http { status, body, .. } => Answer::Page { code: status, body },
                    ClientResult::Failed { error } => Answer::Failed(error),
                };
                News::Answered { ask: Ask(client.0), answer }
            }
            NoticeKind::Wrote { place, path, change } => {
                let change = self.change(&place, &path, change)?;
                News::Wrote { place, path, change }
            }
            NoticeKind::Listening { addr, port } => {
                News::Listening { address: addr.to_string(), port }
            }
            NoticeKind::StoppedListening { port, .. } => News::StoppedListening { port },
            NoticeKind::Request(request) => {
                let by = request.served_by.map(|c| Handle(c.0));
                let request = Box::new(Request {
                    to: request.to,
                    port: request.port,
                    served_by: None,
                    summary: request.summary,
                    outcome: request.outcome,
                    ok: request.ok,
                    took: request.took,
                });
                News::Request { request, by }
            }
            NoticeKind::Dropped(dropped) => News::Dropped(dropped),
            NoticeKind::NotSimulated { what, offset } => News::NotSimulated { what, offset },
            NoticeKind::Limit { sentence } => News::Limit { sentence },
        };
        Some(Notice { at: notice.at, from: notice.container.map(|c| Handle(c.0)), news })
    }

    fn change(&mut self, place: &str, path: &str, change: kernel::Change) -> Option<Change> {
        let key = (place.to_owned(), path.to_owned());
        Some(match change {
            kernel::Change::Set(content) => {
                let size = content.len() as u64;
                self.sizes.insert(key, size);
                Change::Set { content, size }
            }
            kernel::Change::Append(content) => {
                let size = self.sizes.entry(key).or_default();
                *size += content.len() as u64;
                Change::Append { size: *size, content }
            }
            kernel::Change::MakeDir => Change::MakeDir,
            kernel::Change::Link(target) => {
                let content = format!("-> {target}").into_bytes();
                Change::Set { size: content.len() as u64, content }
            }
            kernel::Change::Remove => {
                self.sizes.remove(&key);
                Change::Remove
            }
            kernel::Change::RenameTo { place: to, path } if to == place => {
                let size = self.sizes.remove(&key).unwrap_or(0);
                self.sizes.insert((to, path.clone()), size);
                Change::RenameTo { path }
            }
            kernel::Change::RenameTo { .. } => Change::Remove,
        })
    }
}

impl Runtime for Containers {
    fn sandbox(&mut self, spec: &SandboxSpec) -> SandboxRef {
        self.next_sandbox += 1;
        let network = self.machine.new_network(Some(ip(&spec.ip)), spec.search.clone());
        let shared_pids = spec.share_pids.then(|| self.machine.new_pid_namespace(true));
        let sandbox = Sandbox { spec: spec.clone(), network, shared_pids, containers: Vec::new() };
        self.sandboxes.insert(SandboxRef(self.next_sandbox), sandbox);
        SandboxRef(self.next_sandbox)
    }

    fn volume(&mut self, spec: &VolumeSpec) -> VolumeRef {
        let dir = self.data_dir();
        let mut things = Vec::new();
        if spec.projected {
            things = projected_things(spec, &dir);
            things.extend(tops(spec).iter().map(|top| top_link(top)));
        }
        let gid = spec.fs_group.unwrap_or(0);
        let wants = Wants {
            label: spec.label.clone(),
            size_limit: spec.memory_bytes,
            memory: spec.memory_bytes.is_some(),
            mode: if spec.fs_group.is_some() { 0o2777 } else { 0o777 },
            gid,
            things,
            ..Wants::default()
        };
        let volume = VolumeRef(self.machine.new_volume(&wants).0);
        if spec.projected {
            self.projected.insert(volume, (dir, tops(spec)));
        }
        volume
    }

    fn refresh(&mut self, volume: VolumeRef, spec: &VolumeSpec) {
        let (dir, id) = (self.data_dir(), VolumeId(volume.0));
        let new = tops(spec);
        let (old_dir, old) =
            self.projected.insert(volume, (dir.clone(), new.clone())).unwrap_or_default();
        for (path, thing) in projected_things(spec, &dir) {
            self.machine.put_into_volume(id, &path, &thing);
        }
        for top in new.iter().filter(|top| !old.contains(top)) {
            let (path, link) = top_link(top);
            self.machine.put_into_volume(id, &path, &link);
        }
        for gone in old.iter().filter(|top| !new.contains(top)).chain([&old_dir]) {
            self.machine.take_from_volume(id, gone);
        }
    }

    fn written(&self, run: Handle) -> u64 {
        let before = self.roots.get(&run).copied().unwrap_or(0);
        self.machine.root_used(id(run)).saturating_sub(before)
    }

    fn usage(&self, volume: VolumeRef) -> u64 {
        self.machine.volume_used(VolumeId(volume.0))
    }

    fn start(&mut self, _: SimTime, pod: SandboxRef, spec: RunSpec) -> Result<Handle, StartError> {
        let Some(spec) = self.spec(pod, spec) else {
            return Err(StartError("sandbox not found".to_owned()));
        };
        let made = self.machine.create(&spec);
        self.roots.insert(Handle(made.0), self.machine.root_used(made));
        if let Err(error) = self.machine.start(made) {
            self.machine.remove(made);
            return Err(StartError(format!(
                "failed to create containerd task: failed to create shim task: OCI runtime create \
                 failed: runc create failed: unable to start container process: {}: unknown",
                error.message
            )));
        }
        if let Some(sandbox) = self.sandboxes.get_mut(&pod) {
            sandbox.containers.push(made);
        }
        Ok(Handle(made.0))
    }

    fn pid(&self, run: Handle) -> Option<u32> {
        self.machine.init_pid(id(run))
    }

    fn exec(&mut self, _: SimTime, run: Handle, argv: &[String]) -> Result<Ask, StartError> {
        match self.machine.exec(id(run), argv) {
            Ok(exec) => Ok(Ask(exec.0)),
            Err(error) => Err(StartError(format!(
                "rpc error: code = Unknown desc = failed to exec in container: failed to start \
                 exec: OCI runtime exec failed: exec failed: unable to start container process: {}",
                error.message
            ))),
        }
    }

    fn abandon(&mut self, _: SimTime, ask: Ask) {
        self.machine.kill_exec(ExecId(ask.0));
    }

    fn signal(&mut self, _: SimTime, run: Handle, signal: &str) {
        let signal = Signal::parse(signal).unwrap_or(Signal::TERM);
        self.machine.signal(id(run), signal);
    }

    fn connect(&mut self, _: SimTime, address: &str, port: u16) -> Ask {
        let client: ClientId = self.machine.ask(ip(address), port, Wanted::Connect, CLIENT_TIMEOUT);
        Ask(client.0)
    }

    fn get(&mut self, _: SimTime, address: &str, port: u16, path: &str, host: &str) -> Ask {
        let host = if host.is_empty() { format!("{address}:{port}") } else { host.to_owned() };
        let headers = [("User-Agent", "kube-probe/1.36"), ("Accept", "*/*")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let wanted = Wanted::Get { host, path: path.to_owned(), headers };
        Ask(self.machine.ask(ip(address), port, wanted, CLIENT_TIMEOUT).0)
    }

    fn routes(&mut self, routes: &[Route], places: BTreeMap<Ipv4Addr, u32>) {
        let mut names: BTreeMap<String, Vec<Ipv4Addr>> = BTreeMap::new();
        let mut services = Services::new();
        let node = ip(NODE_IP);
        for route in routes {
            let pods = || route.pods.iter().map(|(address, _)| ip(address));
            let own = route.ip.as_deref().map(ip);
            names.insert(route.name.clone(), own.map_or_else(|| pods().collect(), |at| vec![at]));
            for (address, host) in &route.pods {
                if let Some(host) = host {
                    names.insert(format!("{host}.{}", route.name), vec![ip(address)]);
                }
            }
            let backends = |behind: &[(String, u16)], local| Backends {
                to: behind.iter().map(|(address, port)| (ip(address), *port)).collect(),
                affinity: route.affinity,
                local,
            };
            for (port, behind) in &route.ports {
                let Some(own) = own else { continue };
                services.insert((own, *port), backends(behind, route.local));
            }
            for (port, behind) in &route.node_ports {
                services.insert((node, *port), backends(behind, false));
            }
        }
        for route in routes {
            let Some(alias) = &route.alias else { continue };
            let found = names.get(alias.trim_end_matches('.')).cloned().unwrap_or_default();
            names.insert(route.name.clone(), found);
        }
        self.machine.set_names(names);
        self.machine.set_services(services);
        self.machine.set_places(places, vec![node]);
    }

    fn walls(&mut self, walls: BTreeMap<Ipv4Addr, Wall>) {
        self.machine.set_walls(walls);
    }

    fn cut(&mut self, a: SandboxRef, b: SandboxRef, cut: bool) {
        let network = |pod| self.sandboxes.get(&pod).map(|sandbox| sandbox.network);
        if let Some((a, b)) = network(a).zip(network(b)) {
            self.machine.set_cut(a, b, cut);
        }
    }

    fn slow(&mut self, a: SandboxRef, b: SandboxRef, by: SimTime) {
        let network = |pod| self.sandboxes.get(&pod).map(|sandbox| sandbox.network);
        if let Some((a, b)) = network(a).zip(network(b)) {
            self.machine.set_slow(a, b, by);
        }
    }

    fn fill(&mut self, volume: VolumeRef, bytes: usize) {
        self.machine.write_volume(VolumeId(volume.0), "/filled", &vec![0; bytes], 0o644);
    }

    fn remove(&mut self, _: SimTime, pod: SandboxRef) {
        let Some(sandbox) = self.sandboxes.remove(&pod) else { return };
        for container in sandbox.containers {
            self.machine.remove(container);
            self.roots.remove(&Handle(container.0));
            self.looked.remove(&Handle(container.0));
        }
        if let Some(pids) = sandbox.shared_pids {
            self.machine.remove_pid_namespace(pids);
        }
        self.machine.remove_network(sandbox.network);
    }

    fn read(&self, run: Handle, path: &str) -> Option<Vec<u8>> {
        self.machine.read_file(id(run), path)
    }

    fn used(&mut self, now: SimTime, run: Handle) -> Option<(u32, u64)> {
        if !self.machine.is_running(id(run)) {
            return None;
        }
        let (cpu, bytes) = self.machine.usage(id(run));
        let (since, before) = self.looked.insert(run, (now, cpu)).unwrap_or_default();
        let span = (now - since).0.max(1);
        Some((((cpu - before).0 * 1000 / span) as u32, bytes))
    }

    fn consumed(&self, run: Handle) -> Option<(SimTime, u64)> {
        self.machine.is_running(id(run)).then(|| self.machine.usage(id(run)))
    }

    fn next(&self) -> Option<SimTime> {
        self.machine.next_wake()
    }

    fn run(&mut self, until: SimTime, steps: &mut u64) -> (SimTime, Vec<Notice>) {
        let mut came = SimTime::ZERO;
        while *steps > 0 {
            let target = match self.machine.next_wake() {
                Some(at) if at < until => until.min(at.max(came) + WINDOW),
                _ => until,
            };
            came = self.machine.run_until(target, steps);
            let notices = self.machine.drain();
            let mut told: Vec<Notice> = Vec::new();
            for notice in notices {
                let Some(next) = self.translate(notice) else { continue };
                if !told.last_mut().is_some_and(|last| joins(last, &next)) {
                    told.push(next);
                }
            }
            if !told.is_empty() || came >= until {
                return (came, told);
            }
        }
        (came, Vec::new())
    }
}
