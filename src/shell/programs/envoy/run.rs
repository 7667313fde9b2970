//! Envoy's own life: options, start, listeners, stop.

use super::access::{self, Seen};
use super::conf::{self, Conf, Serves};
use super::{admin, health, http};
use crate::shell::programs::args::not_simulated;
use crate::shell::programs::threads::Threads;
use crate::shell::programs::web::{Handler, Server};
use crate::shell::programs::{clock, image_version};
use crate::shell::{Disposition, Errno, Fd, Signal, Sys};
use crate::time::SimTime;
use std::cell::Cell;
use std::rc::Rc;

pub(super) struct Envoy {
    pub(super) sys: Sys,
    pub(super) conf: Rc<Conf>,
    pub(super) version: (u16, u16),
    pub(super) begun: SimTime,
    pub(super) n_requests: Cell<u64>,
    /// Health checks of itself fail.
    pub(super) failing: Cell<bool>,
    pub(super) quits: Cell<bool>,
}

impl Envoy {
    pub(super) fn count(&self, _name: &str) {
        self.n_requests.set(self.n_requests.get() + 1);
    }

    pub(super) fn uuid(&self) -> String {
        let digits = |n: u32| -> String {
            (0..n).filter_map(|_| char::from_digit(self.sys.random(16) as u32, 16)).collect()
        };
        format!("{}-{}-4{}-a{}-{}", digits(8), digits(4), digits(3), digits(3), digits(12))
    }
}

/// Options with a value that change nothing here.
const QUIET: &[&str] = &[
    "-l",
    "--log-level",
    "--component-log-level",
    "--service-cluster",
    "--service-node",
    "--concurrency",
    "--base-id",
    "--drain-time-s",
    "--parent-shutdown-time-s",
    "--log-format",
    "--service-zone",
    "--file-flush-interval-msec",
    "--drain-strategy",
    "--restart-epoch",
];

async fn log(sys: &Sys, level: &str, name: &str, place: &str, text: &str) {
    let at = clock::now(sys);
    let stamp = format!("{}.{:03}", clock::iso(sys).replace('T', " "), at.millis);
    let line = format!("[{stamp}][{}][{level}][{name}] [{place}] {text}\n", sys.pid());
    let _ = sys.write(2, line.as_bytes()).await;
}

async fn info(sys: &Sys, name: &str, place: &str, text: &str) {
    log(sys, "info", name, place, text).await;
}

struct Options {
    file: Option<String>,
    yaml: Option<String>,
    validate: bool,
}

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut options = Options { file: None, yaml: None, validate: false };
    let mut args = argv.iter().skip(1);
    while let Some(arg) = args.next() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let mut value = || value.clone().or_else(|| args.next().cloned()).unwrap_or_default();
        match name {
            "-c" | "--config-path" => options.file = Some(value()),
            "--config-yaml" => options.yaml = Some(value()),
            "--mode" => options.validate = value() == "validate",
            "--version" => {
                let text = "\nenvoy  version: 1.35.0/Clean/RELEASE/BoringSSL\n";
                let _ = sys.write(1, text.as_bytes()).await;
                return 0;
            }
            "--disable-hot-restart" | "--use-dynamic-base-id" | "--enable-core-dump" => {}
            name if QUIET.contains(&name) => drop(value()),
            _ => return not_simulated(&sys, "envoy", &format!("the option {arg}")).await,
        }
    }
    start(sys, options).await
}

fn load(sys: &Sys, options: &Options) -> Result<Conf, String> {
    let text = match (&options.yaml, &options.file) {
        (Some(text), _) => text.clone(),
        (None, Some(path)) => match sys.access(path, 4) {
            Ok(()) => crate::shell::bytes::to_text(&sys.peek_file(path).unwrap_or_default()),
            Err(_) => return Err(format!("unable to read file: {path}")),
        },
        (None, None) => {
            return Err("At least one of --config-path or --config-yaml or \
                        Options::configProto() should be non-empty"
                .to_owned());
        }
    };
    conf::read(&text)
}

async fn start(sys: Sys, options: Options) -> i32 {
    let (main, server_cc) = ("main", "source/server/server.cc:430");
    let shown = options.file.clone().unwrap_or_default();
    if options.validate {
        return match load(&sys, &options) {
            Ok(_) => {
                let text = format!("configuration '{shown}' OK\n");
                let _ = sys.write(1, text.as_bytes()).await;
                0
            }
            Err(why) => {
                let text = format!("error initializing configuration '{shown}': {why}");
                log(&sys, "critical", main, server_cc, &text).await;
                1
            }
        };
    }
    let epoch = "initializing epoch 0 (base id=0, hot restart version=11.104)";
    info(&sys, main, server_cc, epoch).await;
    let conf = match load(&sys, &options) {
        Ok(conf) => conf,
        Err(why) => {
            let text = format!("error initializing configuration '{shown}': {why}");
            log(&sys, "critical", main, server_cc, &text).await;
            info(&sys, main, "source/server/server.cc:1031", "exiting").await;
            return 1;
        }
    };
    sys.claim_memory(28 << 20);
    for what in &conf.not_simulated {
        sys.not_simulated(&format!("envoy: {what}"), None);
    }
    live(sys, Rc::new(conf), &shown).await
}

/// The sockets: of a listener with its number, or of the admin pages.
async fn open(sys: &Sys, conf: &Conf, shown: &str) -> Option<Vec<(Option<usize>, Fd)>> {
    let mut listeners: Vec<(Option<usize>, Fd)> = Vec::new();
    let places = conf.listeners.iter().enumerate().map(|(idx, l)| (Some(idx), l.addr, l.port));
    let own = conf.admin.map(|(addr, port)| (None, addr, port));
    for (idx, addr, port) in own.into_iter().chain(places) {
        match sys.listen(addr, port) {
            Ok(fd) => listeners.push((idx, fd)),
            Err(errno) => {
                let why = format!("cannot bind '{addr}:{port}': {}", errno.text());
                let text = match idx {
                    Some(_) => format!("error adding listener '{addr}:{port}': {why}"),
                    None => why,
                };
                let text = format!("error initializing configuration '{shown}': {text}");
                log(sys, "critical", "main", "source/server/server.cc:430", &text).await;
                return None;
            }
        }
    }
    Some(listeners)
}

async fn begin(sys: &Sys, conf: &Conf) {
    let (main, config) = ("main", "source/server/configuration_impl.cc");
    let n = conf.clusters.len();
    info(sys, "config", &format!("{config}:140"), &format!("loading {n} cluster(s)")).await;
    let n = conf.listeners.len();
    info(sys, "config", &format!("{config}:144"), &format!("loading {n} listener(s)")).await;
    for cluster in &conf.clusters {
        health::resolve(sys, cluster).await;
    }
    for (name, place, text) in [
        (
            "upstream",
            "source/common/upstream/cluster_manager_impl.cc:240",
            "cm init: all clusters initialized",
        ),
        (
            main,
            "source/server/server.cc:958",
            "all clusters initialized. initializing init manager",
        ),
        (
            "config",
            "source/common/listener_manager/listener_manager_impl.cc:930",
            "all dependencies initialized. starting workers",
        ),
        (main, "source/server/server.cc:978", "starting main dispatch loop"),
    ] {
        info(sys, name, place, text).await;
    }
}

async fn live(sys: Sys, conf: Rc<Conf>, shown: &str) -> i32 {
    let main = "main";
    let Some(listeners) = open(&sys, &conf, shown).await else { return 1 };
    if let Some((addr, port)) = conf.admin {
        let text = format!("admin address: {addr}:{port}");
        info(&sys, main, "source/server/server.cc:879", &text).await;
    }
    begin(&sys, &conf).await;
    for signal in [Signal::TERM, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    let envoy = Rc::new(Envoy {
        sys: sys.clone(),
        version: image_version(&sys).unwrap_or((1, 35)),
        begun: sys.now(),
        n_requests: Cell::new(0),
        failing: Cell::new(false),
        quits: Cell::new(false),
        conf,
    });
    let threads = Threads::default();
    serve(&envoy, &threads, &listeners);
    let signal = threads.run(stopping(&envoy)).await;
    if let Some(signal) = signal {
        let name = if signal == Signal::INT { "ENVOY_SIGINT" } else { "ENVOY_SIGTERM" };
        log(&sys, "warning", main, "source/server/server.cc:938", &format!("caught {name}")).await;
    }
    info(&sys, main, "source/server/server.cc:1069", "shutting down server instance").await;
    info(&sys, main, "source/server/server.cc:1008", "main dispatch loop exited").await;
    info(&sys, main, "source/server/server.cc:1060", "exiting").await;
    0
}

fn serve(envoy: &Rc<Envoy>, threads: &Threads, listeners: &[(Option<usize>, Fd)]) {
    let server = Server::new(&envoy.sys, threads, SimTime::from_secs(3600));
    for (idx, fd) in listeners {
        let own = Rc::clone(envoy);
        match idx.and_then(|idx| Some((idx, &envoy.conf.listeners.get(idx)?.serves))) {
            None => {
                let handler: Handler = Rc::new(move |request| {
                    let own = Rc::clone(&own);
                    Box::pin(async move { admin::answer(&own, &request) })
                });
                server.serve(*fd, handler);
            }
            Some((idx, Serves::Tcp(_))) => tcp(own, threads, idx, *fd),
            Some((idx, _)) => server.serve(*fd, http::handler(envoy, idx)),
        }
    }
    for idx in 0..envoy.conf.clusters.len() {
        threads.start(health::watch(envoy.sys.clone(), Rc::clone(&envoy.conf), idx));
    }
}

/// Until a signal comes, which is given, or the admin page says so.
async fn stopping(envoy: &Envoy) -> Option<Signal> {
    loop {
        if let Some(signal) = envoy.sys.take_signals().first() {
            return Some(*signal);
        }
        if envoy.quits.get() {
            return None;
        }
        envoy.sys.sleep(SimTime::from_millis(500)).await;
    }
}

/// Takes connections for a `tcp_proxy`.
fn tcp(envoy: Rc<Envoy>, threads: &Threads, idx: usize, listener: Fd) {
    let inner = threads.clone();
    threads.start(async move {
        loop {
            match envoy.sys.accept(listener, None).await {
                Ok(fd) => {
                    let own = Rc::clone(&envoy);
                    inner.start(async move {
                        carry(&own, idx, fd).await;
                        let _ = own.sys.close(fd);
                    });
                }
                Err(Errno::Intr) => {}
                Err(_) => return,
            }
        }
    });
}

async fn carry(envoy: &Envoy, idx: usize, fd: Fd) {
    let sys = &envoy.sys;
    let Some(listener) = envoy.conf.listeners.get(idx) else { return };
    let Serves::Tcp(name) = &listener.serves else { return };
    let (begun, at) = (access::stamp(sys), sys.now());
    let (mut received, mut sent, mut flags, mut upstream) = (0, 0, "", String::new());
    if let Some(cluster) = http::tcp_target(&envoy.conf, name) {
        cluster.count("upstream_cx_total");
        match cluster.pick(sys.random(1 << 20)) {
            None => flags = "UH",
            Some(host) => {
                upstream = host.place();
                let label = format!("{}:{}", host.name, host.port);
                let until = Some(sys.now() + cluster.connect);
                match sys.connect_addr(&label, host.addr, host.port, until).await {
                    Err(_) => {
                        cluster.count("upstream_cx_connect_fail");
                        flags = "UF,URX";
                    }
                    Ok(to) => {
                        (received, sent) = both_ways(sys, fd, to).await;
                        let _ = sys.close(to);
                    }
                }
            }
        }
    }
    let shown = |addr: Result<(std::net::Ipv4Addr, u16), Errno>| {
        addr.map(|(ip, port)| format!("{ip}:{port}")).unwrap_or_default()
    };
    let seen = Seen {
        request: None,
        status: 0,
        flags,
        received,
        sent,
        took_ms: (sys.now() - at).as_millis(),
        service_ms: None,
        upstream,
        cluster: name.clone(),
        route: String::new(),
        peer: shown(sys.peer_addr(fd)),
        local: shown(sys.local_addr(fd)),
        begun,
    };
    seen.tell(sys, &listener.logs).await;
}

/// Bytes from the client and to it.
async fn both_ways(sys: &Sys, client: Fd, server: Fd) -> (usize, usize) {
    let (mut received, mut sent) = (0, 0);
    let mut open = vec![client, server];
    while !open.is_empty() {
        let fd = match sys.readable(&open, None).await {
            Ok(fd) => fd,
            Err(Errno::Intr) => continue,
            Err(_) => break,
        };
        let to = if fd == client { server } else { client };
        match sys.read(fd, 16 << 10).await {
            Ok(data) if !data.is_empty() => {
                if fd == client {
                    received += data.len()
                } else {
                    sent += data.len()
                }
                if sys.write(to, &data).await.is_err() {
                    break;
                }
            }
            Err(Errno::Intr) => {}
            _ if fd == server => break,
            _ => {
                open.retain(|own| *own != fd);
                let _ = sys.shut_write(to);
            }
        }
    }
    (received, sent)
}
