//! The network: one namespace per pod, names, services, connections. Streams only.

use super::fd::{AcceptQueue, Listener, Opened, Stream};
use super::notice::Request;
use super::pipe::{Pipe, PipeRef};
use super::service::Services;
use super::wall::{self, Dropped, Wall};
use super::{ContainerId, Fd, Kernel, NetNsId, NoticeKind, OpenHow, ProcId};
use crate::shell::Errno;
use crate::time::SimTime;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;

pub const LOCALHOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
pub const ANY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// What happens to a connection nobody is there to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoRoute {
    /// Refused at once.
    Refuse,
    /// `Network is unreachable` at once.
    #[default]
    Unreachable,
    /// Nothing comes back; the connection times out after two minutes.
    Silence,
}

#[derive(Debug, Default)]
pub struct NetNs {
    pub ip: Option<Ipv4Addr>,
    pub listeners: BTreeMap<(u16, Ipv4Addr), Listening>,
    pub next_port: u16,
    /// Domains tried for names with few dots, in order.
    pub search: Vec<String>,
    /// A name server answers; without one, names outside `/etc/hosts` are unknown at once.
    pub has_dns: bool,
}

#[derive(Debug)]
pub struct Listening {
    pub queue: Rc<RefCell<AcceptQueue>>,
    pub container: ContainerId,
}

/// An address and a port.
pub type Place = (Ipv4Addr, u16);

#[derive(Debug, Default)]
pub struct Net {
    pub namespaces: BTreeMap<NetNsId, NetNs>,
    pub by_ip: BTreeMap<Ipv4Addr, NetNsId>,
    /// What the cluster's name server knows, fully qualified, no dot at the end.
    pub names: BTreeMap<String, Vec<Ipv4Addr>>,
    pub services: Services,
    /// Where a client of a service with affinity went last, and when.
    pub stuck: BTreeMap<(Place, Ipv4Addr), (Place, SimTime)>,
    /// The nodes that pods are on.
    pub places: BTreeMap<Ipv4Addr, u32>,
    /// Addresses of nodes.
    pub nodes: Vec<Ipv4Addr>,
    pub no_route: NoRoute,
    /// Pairs that cannot reach each other, in both directions.
    pub cut: Vec<(NetNsId, NetNsId)>,
    pub walls: BTreeMap<Ipv4Addr, Wall>,
    /// What was said to be stopped, by whom it was tried and where to.
    pub told_drops: BTreeSet<(ContainerId, Ipv4Addr, u16)>,
    /// Pairs whose connections take longer, and how much.
    pub slow: Vec<((NetNsId, NetNsId), SimTime)>,
    links: Vec<Link>,
}

/// A connection being watched for the request notice.
#[derive(Debug)]
struct Link {
    from: Option<ContainerId>,
    to: String,
    addr: Ipv4Addr,
    port: u16,
    served_by: Option<ContainerId>,
    since: SimTime,
    sent: Vec<u8>,
    answered: Vec<u8>,
    told: bool,
}

/// How much of each direction is kept for the summary, in bytes.
const SUMMARY_MAX: usize = 120;

/// Why a connection could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name is unknown.
    BadAddress,
    Errno(Errno),
}

/// Where a connection goes after services and routes.
pub enum Route {
    To(NetNsId, Ipv4Addr, u16),
    Fail(Errno, SimTime),
    Stopped(Box<Dropped>),
}

/// How long the kernel tries before a silent address is given up.
pub const SILENCE: SimTime = SimTime::from_secs(127);

impl Net {
    /// Notes what a connection carried, seen from the side that read or wrote.
    pub fn saw(&mut self, stream: &Stream, data: &[u8], wrote: bool) {
        let Some(link) = self.links.get_mut(stream.link as usize) else { return };
        if !stream.client || link.told {
            return;
        }
        let side = if wrote { &mut link.sent } else { &mut link.answered };
        let room = SUMMARY_MAX.saturating_sub(side.len());
        side.extend_from_slice(&data[..data.len().min(room)]);
    }

    fn listening(&self, ns: NetNsId, addr: Ipv4Addr, port: u16) -> Option<&Listening> {
        let listeners = &self.namespaces.get(&ns)?.listeners;
        listeners.get(&(port, addr)).or_else(|| listeners.get(&(port, ANY)))
    }
}

/// The first line, where it is text.
fn first_line(data: &[u8]) -> String {
    let line = data.split(|b| *b == b'\r' || *b == b'\n').next().unwrap_or(&[]);
    match std::str::from_utf8(line) {
        Ok(text) if text.chars().all(|c| !c.is_control()) => text.to_owned(),
        _ => String::new(),
    }
}

/// `*2 $4 INCR $6 visits`, each on a line of its own, as `INCR visits`.
fn redis_command(data: &[u8]) -> String {
    let lines = data.split(|b| *b == b'\n').map(first_line).skip(2);
    lines.step_by(2).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

impl Kernel {
    /// Finds addresses of a name, as the C library does: numbers, `/etc/hosts`, then DNS.
    pub fn resolve(&self, id: ProcId, name: &str) -> Vec<Ipv4Addr> {
        if let Ok(addr) = name.parse() {
            return vec![addr];
        }
        let Some(proc) = self.procs.get(&id) else { return Vec::new() };
        if let Some(found) = self.hosts_file(id, name) {
            return found;
        }
        let Some(ns) = self.net.namespaces.get(&proc.netns).filter(|ns| ns.has_dns) else {
            return Vec::new();
        };
        let bare = name.trim_end_matches('.');
        let mut tried = Vec::new();
        let n_dots = bare.matches('.').count();
        if !name.ends_with('.') && n_dots < 5 {
            tried.extend(ns.search.iter().map(|domain| format!("{bare}.{domain}")));
        }
        tried.push(bare.to_owned());
        let known = tried.iter().find_map(|full| self.net.names.get(full));
        known.cloned().unwrap_or_default()
    }

    fn hosts_file(&self, id: ProcId, name: &str) -> Option<Vec<Ipv4Addr>> {
        let found = self.walk(id, "/etc/hosts", true).ok()?;
        let text = String::from_utf8(super::files::content_of(found.node.as_ref()?)).ok()?;
        let mut addrs = Vec::new();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let addr = words.next().and_then(|a| a.parse().ok());
            if let (Some(addr), true) = (addr, words.any(|w| w.eq_ignore_ascii_case(name))) {
                addrs.push(addr);
            }
        }
        (!addrs.is_empty()).then_some(addrs)
    }

    pub fn route(&mut self, ns: NetNsId, addr: Ipv4Addr, port: u16) -> Route {
        let own = self.net.namespaces.get(&ns).and_then(|n| n.ip);
        if addr.is_loopback() || addr == ANY || Some(addr) == own {
            let local = if addr == ANY { LOCALHOST } else { addr };
            return Route::To(ns, local, port);
        }
        let (mut addr, mut port) = (addr, port);
        if self.net.services.contains_key(&(addr, port)) {
            match self.backend((addr, port), own) {
                Ok(backend) => (addr, port) = backend,
                Err(after) if after > SimTime::ZERO => return Route::Fail(Errno::TimedOut, after),
                Err(_) => return Route::Fail(Errno::ConnRefused, SimTime::ZERO),
            }
        }
        let walls = &self.net.walls;
        let stopped = own.and_then(|own| wall::stopping(walls, own, (addr, port), false));
        if let Some(dropped) = stopped {
            return Route::Stopped(Box::new(dropped));
        }
        match self.net.by_ip.get(&addr) {
            Some(to) if self.is_cut(ns, *to) => Route::Fail(Errno::TimedOut, SILENCE),
            Some(to) => Route::To(*to, addr, port),
            None if self.net.nodes.contains(&addr) => {
                Route::Fail(Errno::ConnRefused, SimTime::ZERO)
            }
            None => match self.net.no_route {
                NoRoute::Refuse => Route::Fail(Errno::ConnRefused, SimTime::ZERO),
                NoRoute::Unreachable => Route::Fail(Errno::NetUnreach, SimTime::ZERO),
                NoRoute::Silence => Route::Fail(Errno::TimedOut, SILENCE),
            },
        }
    }

    /// How much longer a connection between two pods takes.
    pub fn delay(&self, a: NetNsId, b: NetNsId) -> SimTime {
        let mut slow = self.net.slow.iter();
        let found = slow.find(|(pair, _)| *pair == (a, b) || *pair == (b, a));
        found.map_or(SimTime::ZERO, |(_, by)| *by)
    }

    fn is_cut(&self, a: NetNsId, b: NetNsId) -> bool {
        self.net.cut.iter().any(|pair| *pair == (a, b) || *pair == (b, a))
    }

    fn ephemeral(&mut self, ns: NetNsId) -> u16 {
        let Some(ns) = self.net.namespaces.get_mut(&ns) else { return 0 };
        ns.next_port = if ns.next_port < 32_768 { 32_768 } else { ns.next_port + 1 };
        ns.next_port
    }

    /// Starts watching a connection attempt; the number goes to `connect_now` or `connect_failed`.
    pub fn attempt(
        &mut self,
        id: ProcId,
        to: &str,
        (addr, port): (Ipv4Addr, u16),
        since: SimTime,
    ) -> u32 {
        let proc = self.procs.get(&id);
        let from = proc.filter(|p| !p.outside).map(|p| p.container);
        self.net.links.push(Link {
            from,
            to: to.to_owned(),
            addr,
            port,
            served_by: None,
            since,
            sent: Vec::new(),
            answered: Vec::new(),
            told: false,
        });
        self.net.links.len() as u32 - 1
    }

    /// Tells, once for each destination, that a wall stops a container's packets.
    pub fn dropped(&mut self, id: ProcId, to: &str, dropped: Dropped) {
        let proc = self.procs.get(&id).filter(|p| !p.outside);
        let Some(container) = proc.map(|p| p.container) else { return };
        if self.net.told_drops.insert((container, dropped.addr, dropped.port)) {
            let dropped = Box::new(Dropped { to: to.to_owned(), ..dropped });
            self.notice(Some(container), NoticeKind::Dropped(dropped));
        }
    }

    /// Whether questions to the name server get lost; how long the C library then waits. The GNU
    /// one asks twice for the first name it tries and twice for the name as it is, five seconds
    /// each; musl gives up after five in all.
    pub fn lost_lookup(&mut self, id: ProcId, name: &str) -> Option<SimTime> {
        let netns = self.procs.get(&id)?.netns;
        let ns = self.net.namespaces.get(&netns).filter(|ns| ns.has_dns)?;
        let dropped = wall::stopping_names(&self.net.walls, ns.ip?)?;
        if self.hosts_file(id, name).is_some() {
            return None;
        }
        let musl = self.walk(id, "/etc/alpine-release", true).is_ok_and(|f| f.node.is_some());
        let n_names = if name.ends_with('.') { 1 } else { 2 };
        self.dropped(id, "kube-dns", dropped);
        Some(SimTime::from_secs(if musl { 5 } else { 10 * n_names }))
    }

    pub fn connect_failed(&mut self, link: u32, why: &str) {
        let Some(link) = self.net.links.get_mut(link as usize) else { return };
        link.told = true;
        let (from, request) = (
            link.from,
            Request {
                to: link.to.clone(),
                addr: (link.addr != ANY).then_some(link.addr),
                port: link.port,
                served_by: None,
                summary: String::new(),
                outcome: why.to_owned(),
                ok: false,
                took: self.now - link.since,
            },
        );
        if from.is_some() {
            self.notice(from, NoticeKind::Request(Box::new(request)));
        }
    }

    /// Connects to a namespace: the other side finds the stream in its queue.
    pub fn connect_now(
        &mut self,
        id: ProcId,
        to: (NetNsId, Ipv4Addr, u16),
        link: u32,
    ) -> Result<Fd, Errno> {
        let (ns, addr, port) = to;
        let my_ns = self.procs.get(&id).ok_or(Errno::Srch)?.netns;
        let own_ip = self.net.namespaces.get(&my_ns).and_then(|n| n.ip);
        let from_addr = if ns == my_ns { addr } else { own_ip.unwrap_or(LOCALHOST) };
        let local = (from_addr, self.ephemeral(my_ns));
        let listening = self.net.listening(ns, addr, port).ok_or(Errno::ConnRefused)?;
        let (queue, container) = (Rc::clone(&listening.queue), listening.container);
        let there = connected_pipe();
        let back = connected_pipe();
        let stream = |rx: &PipeRef, tx: &PipeRef, local, peer, client| Stream {
            rx: Rc::clone(rx),
            tx: Rc::clone(tx),
            local,
            peer,
            shut_write: Cell::new(false),
            link,
            client,
        };
        let server = stream(&there, &back, (addr, port), local, false);
        let client = stream(&back, &there, local, (addr, port), true);
        let waiting = {
            let mut queue = queue.borrow_mut();
            queue.ready.push_back(server);
            std::mem::take(&mut queue.waiting)
        };
        self.wake_all(waiting);
        if let Some(link) = self.net.links.get_mut(link as usize) {
            link.served_by = Some(container);
        }
        self.new_fd(id, Opened::Stream(client), OpenHow::READ_WRITE)
    }

    pub fn listen(&mut self, id: ProcId, addr: Ipv4Addr, port: u16) -> Result<Fd, Errno> {
        let proc = self.procs.get(&id).ok_or(Errno::Srch)?;
        let (netns, container) = (proc.netns, proc.container);
        let port = if port == 0 { self.ephemeral(netns) } else { port };
        let ns = self.net.namespaces.get_mut(&netns).ok_or(Errno::NetUnreach)?;
        if !(addr == ANY || addr.is_loopback() || Some(addr) == ns.ip) {
            return Err(Errno::AddrNotAvail);
        }
        let clash =
            |key: &(u16, Ipv4Addr)| key.0 == port && (key.1 == addr || key.1 == ANY || addr == ANY);
        if ns.listeners.keys().any(clash) {
            return Err(Errno::AddrInUse);
        }
        let queue = Rc::new(RefCell::new(AcceptQueue::default()));
        let listening = Listening { queue: Rc::clone(&queue), container };
        ns.listeners.insert((port, addr), listening);
        self.notice(Some(container), NoticeKind::Listening { addr, port });
        let listener = Listener { netns, addr, port, queue };
        self.new_fd(id, Opened::Listener(listener), OpenHow::READ)
    }

    /// Takes a waiting connection.
    pub fn accept(&mut self, id: ProcId, fd: Fd) -> Result<super::io::Step<Fd>, Errno> {
        let file = self.file(id, fd)?;
        let Opened::Listener(listener) = &file.what else { return Err(Errno::NotSock) };
        let taken = listener.queue.borrow_mut().ready.pop_front();
        let Some(stream) = taken else {
            let mut queue = listener.queue.borrow_mut();
            if !queue.waiting.contains(&id) {
                queue.waiting.push(id);
            }
            return Ok(super::io::Step::Block);
        };
        let container = self.procs.get(&id).map(|p| p.container);
        if let Some(link) = self.net.links.get_mut(stream.link as usize) {
            link.served_by = container;
        }
        self.new_fd(id, Opened::Stream(stream), OpenHow::READ_WRITE).map(super::io::Step::Done)
    }

    pub fn listener_closed(&mut self, listener: &Listener) {
        let key = (listener.port, listener.addr);
        let ns = self.net.namespaces.get_mut(&listener.netns);
        let removed = ns.and_then(|ns| ns.listeners.remove(&key));
        let waiting: Vec<Stream> = listener.queue.borrow_mut().ready.drain(..).collect();
        for stream in waiting {
            self.stream_closed(&stream);
        }
        if let Some(listening) = removed {
            let kind = NoticeKind::StoppedListening { addr: listener.addr, port: listener.port };
            self.notice(Some(listening.container), kind);
        }
    }

    /// One side is gone. Bytes it left unread reset the other side, as TCP does.
    pub fn stream_closed(&mut self, stream: &Stream) {
        let unread = !stream.rx.borrow().data.is_empty();
        if unread {
            let mut back = stream.tx.borrow_mut();
            // What was sent before still arrives; the reset follows it.
            back.reset = back.data.is_empty();
        }
        self.end_closed(&stream.rx, true, false);
        if !stream.shut_write.get() {
            self.end_closed(&stream.tx, false, true);
        }
        if stream.client {
            self.connection_over(stream.link);
        }
    }

    /// No more bytes from this side; the other side reads the end.
    pub fn shut_write(&mut self, id: ProcId, fd: Fd) -> Result<(), Errno> {
        let file = self.file(id, fd)?;
        let Opened::Stream(stream) = &file.what else { return Err(Errno::NotSock) };
        if !stream.shut_write.replace(true) {
            self.end_closed(&stream.tx, false, true);
        }
        Ok(())
    }

    fn connection_over(&mut self, link: u32) {
        let now = self.now;
        let Some(link) = self.net.links.get_mut(link as usize) else { return };
        if link.told {
            return;
        }
        link.told = true;
        let answer = first_line(&link.answered);
        let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..));
        // Something was asked and nothing came back: whoever took the connection let it fall.
        let dropped = link.answered.is_empty() && !link.sent.is_empty();
        let ok = !dropped && status.is_none_or(|s| s.starts_with('2') || s.starts_with('3'));
        let summary = match link.sent.first() {
            Some(b'*') => redis_command(&link.sent),
            _ => first_line(&link.sent),
        };
        let request = Request {
            to: std::mem::take(&mut link.to),
            addr: Some(link.addr),
            port: link.port,
            served_by: link.served_by,
            summary: summary.split(" HTTP/1.").next().unwrap_or("").to_owned(),
            outcome: match dropped {
                true => "closed without an answer".to_owned(),
                false => status.unwrap_or(&answer).to_owned(),
            },
            ok,
            took: now - link.since,
        };
        (link.sent, link.answered) = (Vec::new(), Vec::new());
        let from = link.from;
        if from.is_some() {
            self.notice(from, NoticeKind::Request(Box::new(request)));
        }
    }

    /// `/proc/net/tcp`: the sockets that listen.
    pub fn tcp_table(&self, viewer: ProcId) -> String {
        let mut out =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   \
                       uid  timeout inode\n"
                .to_owned();
        let ns = self.procs.get(&viewer).and_then(|p| self.net.namespaces.get(&p.netns));
        for (i, (port, addr)) in ns.iter().flat_map(|ns| ns.listeners.keys()).enumerate() {
            let addr = u32::from_le_bytes(addr.octets());
            out.push_str(&format!(
                "{i:4}: {addr:08X}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 \
                 00000000     0        0 {} 1 0000000000000000 100 0 0 10 0\n",
                30_000 + u32::from(*port)
            ));
        }
        out
    }
}

/// A pipe with one reader and one writer.
fn connected_pipe() -> PipeRef {
    let pipe = Pipe::new();
    {
        let mut ends = pipe.borrow_mut();
        (ends.readers, ends.writers) = (1, 1);
        (ends.readers_ever, ends.writers_ever) = (1, 1);
    }
    pipe
}
