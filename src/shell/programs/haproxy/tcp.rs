//! haproxy in TCP mode: a connection is looked at, given to a backend's server and carried both
//! ways until both sides have ended.

use super::log;
use super::model::{Proxy, Server};
use super::run::Worker;
use super::sample::Scene;
use super::server;
use crate::shell::programs::{clock, web};
use crate::shell::{Errno, Fd, Sys};
use crate::time::SimTime;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// How much of a client's data is looked at, in bytes.
const BUFFER_MAX: usize = 16 << 10;

pub(super) fn serve(worker: &Rc<Worker>, idx: usize, listener: Fd) {
    let worker = Rc::clone(worker);
    let threads = worker.threads.clone();
    threads.start(async move {
        loop {
            match worker.sys.accept(listener, None).await {
                Ok(fd) => {
                    let own = Rc::clone(&worker);
                    worker.threads.start(async move {
                        own.open.set(own.open.get() + 1);
                        session(&own, idx, fd).await;
                        let _ = own.sys.close(fd);
                        own.open.set(own.open.get().saturating_sub(1));
                    });
                }
                Err(Errno::Intr) => {}
                Err(_) => return,
            }
        }
    });
}

/// What is told of a connection when it is over.
pub(super) struct Record<'a> {
    pub(super) worker: &'a Worker,
    pub(super) front: &'a Proxy,
    pub(super) back: Option<&'a Proxy>,
    pub(super) server: String,
    pub(super) source: (Ipv4Addr, u16),
    pub(super) target: (Ipv4Addr, u16),
    pub(super) begun: SimTime,
    pub(super) date: String,
    /// Milliseconds until a connection stood; -1 where none did.
    pub(super) connect_ms: i64,
    /// Bytes to the client.
    pub(super) bytes: usize,
    /// How it ended: `--` is well.
    pub(super) ended: &'static str,
    pub(super) retries: u32,
    /// Method, target and version, status, and milliseconds until the answer: HTTP only.
    pub(super) http: Option<(String, u16, i64)>,
}

impl<'a> Record<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        front: &'a Proxy,
        source: (Ipv4Addr, u16),
        target: (Ipv4Addr, u16),
    ) -> Record<'a> {
        let at = clock::now(&worker.sys);
        let date = clock::common_log(&worker.sys);
        let date = format!("{}.{:03}", date.split(' ').next().unwrap_or(""), at.millis);
        Record {
            worker,
            front,
            back: None,
            server: "<NOSRV>".to_owned(),
            source,
            target,
            begun: worker.sys.now(),
            date,
            connect_ms: -1,
            bytes: 0,
            ended: "--",
            retries: 0,
            http: None,
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        let back = self.back.unwrap_or(self.front);
        let waited = if self.connect_ms < 0 { -1 } else { 0 };
        let total = (self.worker.sys.now() - self.begun).as_millis();
        let (line, status, answer) = match &self.http {
            Some((line, status, ms)) => (line.as_str(), *status, *ms),
            None => ("", 0, -1),
        };
        let part = |n: usize| line.split(' ').nth(n).unwrap_or("").to_owned();
        Some(match name {
            "ci" => self.source.0.to_string(),
            "cp" => self.source.1.to_string(),
            "fi" | "bi" => self.target.0.to_string(),
            "fp" => self.target.1.to_string(),
            "t" | "tr" | "trl" => self.date.clone(),
            "T" => clock::common_log(&self.worker.sys),
            "f" | "ft" => self.front.id.clone(),
            "b" => back.id.clone(),
            "s" => self.server.clone(),
            "Tw" => waited.to_string(),
            "Tc" => self.connect_ms.to_string(),
            "Tt" | "Ta" | "Tu" => total.to_string(),
            "TR" | "Tq" | "Ti" | "Th" | "U" | "sq" | "bq" => "0".to_owned(),
            "Tr" => answer.to_string(),
            "B" => self.bytes.to_string(),
            "ts" => self.ended.to_owned(),
            "tsc" => format!("{}--", self.ended),
            "ac" => self.worker.open.get().max(1).to_string(),
            "fc" => self.front.open.get().to_string(),
            "bc" => self.back.map_or(0, |b| b.open.get()).to_string(),
            "sc" => self.open().to_string(),
            "rc" => self.retries.to_string(),
            "ST" => status.to_string(),
            "r" => line.to_owned(),
            "HM" => part(0),
            "HU" => part(1),
            "HP" => part(1).split('?').next().unwrap_or("").to_owned(),
            "HV" => part(2),
            "hr" | "hs" => String::new(),
            "H" => self.worker.sys.hostname(),
            "pid" => self.worker.sys.pid().to_string(),
            _ => return None,
        })
    }

    fn open(&self) -> u32 {
        let servers = self.back.map_or(&[][..], |back| &back.servers);
        servers.iter().find(|s| s.id == self.server).map_or(0, |s| s.state.borrow().open)
    }

    /// Writes the line, in the form the frontend asks for.
    pub(super) async fn tell(&self, scene: &Scene<'_>) {
        let front = self.front;
        let well = self.ended == "--" && self.http.as_ref().is_none_or(|h| h.1 < 500);
        if well && front.has("dontlog-normal") {
            return;
        }
        const TCP: &str = "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";
        const HTTP: &str = "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B - - %tsc \
                            %ac/%fc/%bc/%sc/%rc %sq/%bq %{+Q}r";
        let format = match &front.log_format {
            Some(own) => own.as_str(),
            None if front.has("httplog") && self.http.is_some() => HTTP,
            None if front.has("tcplog") => TCP,
            None => "",
        };
        let text = match format {
            "" => {
                let mode = if front.http { "HTTP" } else { "TCP" };
                let ((from, from_port), (to, to_port)) = (self.source, self.target);
                let id = &front.id;
                format!("Connect from {from}:{from_port} to {to}:{to_port} ({id}/{mode})")
            }
            format => log::fill(format, scene, &|name| self.value(name)),
        };
        log::send(&self.worker.sys, &self.worker.conf, front, log::INFO, &text).await;
    }
}

async fn session(worker: &Worker, idx: usize, fd: Fd) {
    let sys = &worker.sys;
    let Some(front) = worker.conf.proxies.get(idx) else { return };
    let nowhere = (Ipv4Addr::UNSPECIFIED, 0);
    let source = sys.peer_addr(fd).unwrap_or(nowhere);
    let target = sys.local_addr(fd).unwrap_or(nowhere);
    front.total.set(front.total.get() + 1);
    front.open.set(front.open.get() + 1);
    let mut record = Record::new(worker, front, source, target);
    let mut buffer = Vec::new();
    match inspect(&record, fd, &mut buffer).await {
        true => carry(&mut record, fd, buffer).await,
        false => record.ended = "PR",
    }
    front.open.set(front.open.get().saturating_sub(1));
    let null = record.bytes == 0 && front.has("dontlognull");
    if !null {
        let scene = scene(&record, &[], false);
        record.tell(&scene).await;
    }
}

fn scene<'a>(record: &'a Record, buffer: &'a [u8], waits: bool) -> Scene<'a> {
    Scene {
        conf: &record.worker.conf,
        proxy: &record.front.id,
        source: record.source,
        target: record.target,
        buffer,
        waits,
        request: None,
    }
}

/// Runs the rules that look at a connection; false turns it away.
async fn inspect(record: &Record<'_>, fd: Fd, buffer: &mut Vec<u8>) -> bool {
    let (sys, front) = (&record.worker.sys, record.front);
    for rule in &front.connection_rules {
        let holds = rule
            .condition
            .as_ref()
            .is_none_or(|c| c.holds(&scene(record, &[], false)).unwrap_or(false));
        if holds {
            if !rule.accepts {
                return false;
            }
            break;
        }
    }
    let until = front.inspect_ms.map(|ms| sys.now() + SimTime::from_millis(ms));
    let mut ended = false;
    'looking: loop {
        let waits = !ended && until.is_some_and(|at| sys.now() < at) && buffer.len() < BUFFER_MAX;
        for rule in &front.content_rules {
            let seen = scene(record, buffer, waits);
            let holds = rule.condition.as_ref().map_or(Some(true), |c| c.holds(&seen));
            match holds {
                Some(true) => return rule.accepts,
                Some(false) => {}
                None => {
                    match sys.read_until(fd, 4096, until).await {
                        Ok(data) => {
                            ended = data.is_empty();
                            buffer.extend(data);
                        }
                        Err(Errno::Intr) => {}
                        Err(_) => ended = true,
                    }
                    continue 'looking;
                }
            }
        }
        return true;
    }
}

/// The backend a frontend gives this to.
pub(super) fn backend<'c>(
    worker: &'c Worker,
    front: &'c Proxy,
    scene: &Scene,
) -> Option<&'c Proxy> {
    for (target, condition) in &front.switching {
        if condition.as_ref().is_none_or(|c| c.holds(scene).unwrap_or(false)) {
            let name = log::fill(target, scene, &|_| None);
            if let Some(found) = worker.conf.backend(&name) {
                return Some(found);
            }
        }
    }
    match &front.default_backend {
        Some(name) => worker.conf.backend(name),
        None => front.is_back().then_some(front),
    }
}

async fn carry(record: &mut Record<'_>, fd: Fd, buffer: Vec<u8>) {
    let (worker, front) = (record.worker, record.front);
    let sys = &worker.sys;
    let found = backend(worker, front, &scene(record, &buffer, false));
    record.back = found;
    let Some(back) = found else {
        record.ended = "SC";
        return;
    };
    if back.id != front.id {
        back.total.set(back.total.get() + 1);
        back.open.set(back.open.get() + 1);
    }
    if let Some((server, to)) = connect(record, back).await {
        server.state.borrow_mut().open += 1;
        if !buffer.is_empty() {
            let _ = sys.write(to, &buffer).await;
        }
        tunnel(record, back, (fd, to)).await;
        let mut state = server.state.borrow_mut();
        state.open = state.open.saturating_sub(1);
        drop(state);
        let _ = sys.close(to);
    }
    if back.id != front.id {
        back.open.set(back.open.get().saturating_sub(1));
    }
}

/// Connects to a server of the backend, trying as often as it may.
async fn connect<'c>(record: &mut Record<'c>, back: &'c Proxy) -> Option<(&'c Server, Fd)> {
    let sys = &record.worker.sys;
    let begun = sys.now();
    let retries = back.retries.unwrap_or(3);
    let wait = back.timeout("connect").unwrap_or(SimTime::from_secs(120));
    let (mut tried, mut same) = (Vec::new(), None);
    for attempt in 0..=retries {
        record.retries = attempt;
        let random = sys.random(1 << 16);
        let next = same.or_else(|| server::pick(back, record.source.0, &tried, random));
        let Some(idx) = next else { break };
        let Some(server) = back.servers.get(idx) else { break };
        record.server.clone_from(&server.id);
        server.state.borrow_mut().total += 1;
        let addr = server.addr.get()?;
        let port = if server.port == 0 { record.target.1 } else { server.port };
        let label = format!("{}:{port}", server.host);
        let until = Some(sys.now() + wait);
        if let Ok(fd) = sys.connect_addr(&label, addr, port, until).await {
            record.connect_ms = (sys.now() - begun).as_millis() as i64;
            return Some((server, fd));
        }
        same = Some(idx);
        // The last try may go elsewhere; before another one at the same place it waits.
        if back.has("redispatch") && attempt + 1 >= retries {
            (same, tried) = (None, vec![idx]);
        } else if attempt < retries {
            web::sleep(sys, wait.min(SimTime::from_secs(1))).await;
        }
        if !server.usable() {
            same = None;
        }
    }
    record.ended = "SC";
    None
}

/// Carries bytes both ways; each side that ends its own is told on.
async fn tunnel(record: &mut Record<'_>, back: &Proxy, (client, server): (Fd, Fd)) {
    let sys: Sys = record.worker.sys.clone();
    let tunnel = back.timeout("tunnel").or(record.front.timeout("tunnel"));
    let spans = [record.front.timeout("client"), back.timeout("server")];
    let idle = tunnel.or_else(|| spans.into_iter().flatten().min());
    let mut open = vec![client, server];
    while !open.is_empty() {
        let fd = match sys.readable(&open, idle.map(|span| sys.now() + span)).await {
            Ok(fd) => fd,
            Err(Errno::Intr) => continue,
            Err(Errno::TimedOut) => {
                let of_client = spans[0].is_some_and(|c| spans[1].is_none_or(|s| c <= s));
                record.ended = if of_client { "cD" } else { "sD" };
                return;
            }
            Err(_) => return,
        };
        let to = if fd == client { server } else { client };
        let data = match sys.read(fd, 16 << 10).await {
            Ok(data) => data,
            Err(Errno::Intr) => continue,
            Err(_) => {
                record.ended = if fd == client { "CD" } else { "SD" };
                return;
            }
        };
        if data.is_empty() {
            open.retain(|own| *own != fd);
            let _ = sys.shut_write(to);
            // A server that has nothing more to say ends it for a client that waits.
            if fd == server {
                return;
            }
            continue;
        }
        if to == client {
            record.bytes += data.len();
        }
        if sys.write(to, &data).await.is_err() {
            record.ended = if to == client { "CD" } else { "SD" };
            return;
        }
    }
}
