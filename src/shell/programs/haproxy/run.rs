//! haproxy's own life: options, start with its order of failures, master and worker, signals.

use super::check;
use super::conf::{self, Said, Section};
use super::http;
use super::log::{self, say};
use super::meaning;
use super::model::{Conf, Proxy};
use super::tcp;
use crate::order::Order;
use crate::shell::programs::args::not_simulated;
use crate::shell::programs::threads::Threads;
use crate::shell::programs::web;
use crate::shell::{Disposition, Errno, Fd, FileType, Pid, Signal, Sys, WaitFor};
use crate::time::SimTime;
use std::cell::Cell;
use std::rc::Rc;

/// Memory of the worker, in bytes.
const MEMORY: u64 = 14 << 20;

#[derive(Default)]
struct Options {
    files: Vec<String>,
    only_check: bool,
    master: bool,
    daemon: bool,
    quiet: bool,
    name: String,
}

fn version(sys: &Sys) -> String {
    sys.getenv("HAPROXY_VERSION").unwrap_or_else(|| "2.8.16".to_owned())
}

/// What a worker's threads share.
pub(super) struct Worker {
    pub(super) sys: Sys,
    pub(super) conf: Rc<Conf>,
    pub(super) threads: Threads,
    /// Connections open now.
    pub(super) open: Cell<usize>,
}

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut options =
        Options { name: argv.first().cloned().unwrap_or_default(), ..Options::default() };
    let mut args = argv.iter().skip(1).peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-f" => options.files.extend(args.next().cloned()),
            "--" => options.files.extend(args.by_ref().cloned()),
            "-c" => options.only_check = true,
            "-W" | "-Ws" => options.master = true,
            "-D" => options.daemon = true,
            "-db" => options.daemon = false,
            "-q" => options.quiet = true,
            "-V" | "-d" => {}
            "-n" | "-N" | "-m" | "-p" | "-L" | "-x" | "-S" => drop(args.next()),
            "-sf" | "-st" => while args.next_if(|a| a.parse::<u32>().is_ok()).is_some() {},
            "-v" | "-vv" => {
                let text = format!(
                    "HAProxy version {} - https://haproxy.org/\nStatus: long-term supported \
                     branch.\n",
                    version(&sys)
                );
                let _ = sys.write(1, text.as_bytes()).await;
                return 0;
            }
            other => return not_simulated(&sys, "haproxy", &format!("the option {other}")).await,
        }
    }
    start(sys, options).await
}

/// Tells what is wrong; before the first of it comes who is speaking.
async fn tell(sys: &Sys, said: &mut Said, first: &mut bool) {
    for (alert, text) in std::mem::take(&mut said.lines) {
        if std::mem::take(first) {
            say(sys, "NOTICE", &format!("haproxy version is {}", version(sys))).await;
            say(sys, "NOTICE", "path to executable is /usr/local/sbin/haproxy").await;
        }
        say(sys, if alert { "ALERT" } else { "WARNING" }, &text).await;
    }
}

async fn start(sys: Sys, options: Options) -> i32 {
    let (mut said, mut first) = (Said::default(), true);
    let sections = match load(&sys, &options, &mut said).await {
        Ok(sections) => sections,
        Err(text) => {
            said.alert(text);
            tell(&sys, &mut said, &mut first).await;
            return 1;
        }
    };
    let conf = meaning::understand(&sys, &sections, &mut said);
    if said.is_fatal() {
        for file in &options.files {
            said.alert(format!("Error(s) found in configuration file : {file}"));
        }
    } else {
        meaning::together(&conf, &mut said);
    }
    let warned = !said.lines.is_empty();
    for line in &mut said.lines {
        line.1.insert_str(0, "config : ");
    }
    if said.is_fatal() {
        said.alert("config : Fatal errors found in configuration.".to_owned());
        tell(&sys, &mut said, &mut first).await;
        return 1;
    }
    resolve(&sys, &conf, &mut said).await;
    let unresolved = said.is_fatal();
    tell(&sys, &mut said, &mut first).await;
    if unresolved {
        return 1;
    }
    said.not_simulated.order();
    said.not_simulated.dedup();
    for what in said.not_simulated.iter().take(20) {
        sys.not_simulated(&format!("haproxy: {what}"), None);
    }
    if options.only_check {
        let warnings = if warned { "Warnings were found.\n" } else { "" };
        let text = format!("{warnings}Configuration file is valid\n");
        if !options.quiet {
            let _ = sys.write(1, text.as_bytes()).await;
        }
        return 0;
    }
    go(sys, options, conf, (said, first)).await
}

/// Opens the sockets and runs, alone or under a master.
async fn go(sys: Sys, options: Options, conf: Conf, (mut said, mut first): (Said, bool)) -> i32 {
    let listeners = match listen(&sys, &conf, &options.name, &mut said) {
        Some(listeners) => listeners,
        None => {
            tell(&sys, &mut said, &mut first).await;
            return 1;
        }
    };
    let conf = Rc::new(conf);
    if options.daemon && !options.master {
        let child = sys.fork(move |sys| async move { worker(sys, conf, listeners).await });
        return i32::from(child.is_err());
    }
    if options.master {
        return master(sys, conf, listeners).await;
    }
    worker(sys, conf, listeners).await
}

/// The sections of all files; a directory stands for its `.cfg` files.
async fn load(sys: &Sys, options: &Options, said: &mut Said) -> Result<Vec<Section>, String> {
    let mut sections = Vec::new();
    for path in &options.files {
        let cannot = |errno: Errno| {
            format!("Cannot open configuration file/directory {path} : {}", errno.text())
        };
        let is_dir = sys.stat(path).map_err(cannot)?.file_type == FileType::Dir;
        let mut files = vec![path.clone()];
        if is_dir {
            let mut names = sys.readdir(path).map_err(cannot)?;
            names.retain(|name| name.ends_with(".cfg") && !name.starts_with('.'));
            names.order();
            files = names.into_iter().map(|name| format!("{path}/{name}")).collect();
        }
        for file in files {
            let data = sys.read_file(&file).await.map_err(|errno| {
                format!("Could not open configuration file {file} : {}", errno.text())
            })?;
            sections.extend(conf::read(sys, &file, &data, said));
        }
    }
    Ok(sections)
}

async fn resolve(sys: &Sys, conf: &Conf, said: &mut Said) {
    let mut failed = false;
    for proxy in conf.proxies.iter().filter(|p| !p.disabled) {
        for server in &proxy.servers {
            let addr = sys.resolve(&server.host).await.first().copied();
            server.addr.set(addr);
            if addr.is_some() {
                continue;
            }
            let place = format!(
                "config : {} : 'server {}/{}' : could not resolve address '{}'",
                server.line.place(),
                proxy.id,
                server.id,
                server.host
            );
            match server.may_lack_addr {
                true => said.warning(format!("{place}, disabling server.")),
                false => {
                    failed = true;
                    said.alert(format!("{place}."));
                }
            }
        }
    }
    if failed {
        said.alert("config : Failed to initialize server(s) addr.".to_owned());
    }
}

/// A listening socket of the proxy with this number.
type Listening = (usize, Fd);

fn listen(sys: &Sys, conf: &Conf, name: &str, said: &mut Said) -> Option<Vec<Listening>> {
    let mut out = Vec::new();
    for (idx, proxy) in conf.proxies.iter().enumerate().filter(|(_, p)| !p.disabled) {
        for bind in &proxy.binds {
            match sys.listen(bind.addr, bind.port) {
                Ok(fd) => out.push((idx, fd)),
                Err(errno) => said.alert(format!(
                    "Binding {} for {} {}: protocol tcpv4: cannot bind socket ({}) for [{}:{}].",
                    bind.line.place(),
                    proxy.type_name(),
                    proxy.id,
                    errno.text(),
                    bind.addr,
                    bind.port
                )),
            }
        }
    }
    if said.is_fatal() {
        said.alert(format!(
            "[{name}.main()] Some protocols failed to start their listeners! Exiting."
        ));
        return None;
    }
    if out.is_empty() {
        said.alert(format!(
            "[{name}.main()] No enabled listener found (check for 'bind' directives) ! Exiting."
        ));
        return None;
    }
    Some(out)
}

/// Watches over one worker.
async fn master(sys: Sys, conf: Rc<Conf>, listeners: Vec<Listening>) -> i32 {
    let signals = [Signal::TERM, Signal::INT, Signal::USR1, Signal::HUP, Signal::USR2];
    for signal in signals {
        sys.set_signal(signal, Disposition::Catch);
    }
    let fds: Vec<Fd> = listeners.iter().map(|(_, fd)| *fd).collect();
    let child = sys.fork(move |sys| async move { worker(sys, conf, listeners).await });
    let Ok(child) = child else { return 1 };
    for fd in fds {
        let _ = sys.close(fd);
    }
    say(&sys, "NOTICE", &format!("New worker ({child}) forked")).await;
    say(&sys, "NOTICE", "Loading success.").await;
    let mut leaving = false;
    loop {
        match sys.wait(WaitFor::Any).await {
            Ok((pid, status)) if pid == child => {
                return ended(&sys, child, status.code(), leaving).await;
            }
            Ok(_) => {}
            Err(Errno::Intr) => {
                for signal in sys.take_signals() {
                    if matches!(signal, Signal::HUP | Signal::USR2) {
                        sys.not_simulated("haproxy: reading the configuration again", None);
                        continue;
                    }
                    leaving = true;
                    say(&sys, "NOTICE", &format!("haproxy version is {}", version(&sys))).await;
                    say(&sys, "NOTICE", "path to executable is /usr/local/sbin/haproxy").await;
                    say(&sys, "WARNING", "Exiting Master process...").await;
                    let _ = sys.kill(i64::from(child), Some(signal));
                }
            }
            Err(_) => return 1,
        }
    }
}

async fn ended(sys: &Sys, child: Pid, code: i32, leaving: bool) -> i32 {
    let why = match code {
        143 => "Terminated",
        130 => "Interrupt",
        137 => "Killed",
        _ => "Exit",
    };
    let kind = if code < 128 { "NOTICE" } else { "ALERT" };
    say(sys, kind, &format!("Current worker ({child}) exited with code {code} ({why})")).await;
    let calm = leaving || matches!(code, 0 | 130 | 143);
    if !calm {
        let text = "exit-on-failure: killing every processes with SIGTERM";
        say(sys, "ALERT", text).await;
    }
    let code = if calm { 0 } else { code };
    say(sys, "WARNING", &format!("All workers exited. Exiting... ({code})")).await;
    code
}

async fn worker(sys: Sys, conf: Rc<Conf>, listeners: Vec<Listening>) -> i32 {
    for signal in [Signal::TERM, Signal::INT, Signal::USR1] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    sys.claim_memory(MEMORY);
    let threads = Threads::default();
    let worker = Rc::new(Worker {
        sys: sys.clone(),
        conf: Rc::clone(&conf),
        threads: threads.clone(),
        open: Cell::new(0),
    });
    let idle = SimTime::from_secs(10);
    let server = web::Server::new(&sys, &threads, idle);
    for (idx, fd) in &listeners {
        let Some(proxy) = conf.proxies.get(*idx) else { continue };
        match proxy.http {
            true => server.serve(*fd, http::handler(&worker, *idx)),
            false => tcp::serve(&worker, *idx, *fd),
        }
    }
    for place in checked(&conf) {
        let (sys, conf) = (sys.clone(), Rc::clone(&conf));
        threads.start(check::watch(sys, conf, (place.0, place.1), place.2));
    }
    let life = live(&worker, &server, &listeners);
    threads.run(life).await
}

/// Servers to check with when each begins: spread over the shortest interval.
fn checked(conf: &Conf) -> Vec<(usize, usize, SimTime)> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    let mut shortest = 2000;
    for (p, proxy) in conf.proxies.iter().enumerate().filter(|(_, p)| !p.disabled) {
        for (s, server) in proxy.servers.iter().enumerate() {
            if server.checked && !server.disabled && server.addr.get().is_some() {
                places.push((p, s));
                shortest = shortest.min(server.inter_ms);
            }
        }
    }
    let n = places.len().max(1) as u64;
    let each = |(idx, (p, s)): (usize, (usize, usize))| {
        (p, s, SimTime::from_millis(shortest * idx as u64 / n))
    };
    places.into_iter().enumerate().map(each).collect()
}

async fn live(worker: &Worker, server: &web::Server, listeners: &[Listening]) -> i32 {
    let sys = &worker.sys;
    let proxies = || worker.conf.proxies.iter().filter(|p| !p.disabled);
    for proxy in proxies() {
        log::send(sys, &worker.conf, proxy, log::NOTICE, &format!("Proxy {} started.", proxy.id))
            .await;
    }
    let signal = web::signal(sys).await;
    if signal != Signal::USR1 {
        return 128 + signal.0 as i32;
    }
    for (_, fd) in listeners {
        let _ = sys.close(*fd);
    }
    server.closing.set(true);
    for proxy in proxies() {
        let text = format!("Stopping {} {} in 0 ms.", proxy.type_name(), proxy.id);
        say(sys, "WARNING", &text).await;
        log::send(sys, &worker.conf, proxy, 4, &text).await;
        let text = stopped(proxy);
        say(sys, "WARNING", &text).await;
        log::send(sys, &worker.conf, proxy, 4, &text).await;
    }
    let until = worker.conf.hard_stop_ms.map(|ms| sys.now() + SimTime::from_millis(ms));
    while worker.open.get() + server.open.get() > 0 && until.is_none_or(|at| sys.now() < at) {
        if sys.take_signals().contains(&Signal::TERM) {
            return 143;
        }
        sys.sleep(SimTime::from_millis(20)).await;
    }
    0
}

fn stopped(proxy: &Proxy) -> String {
    let n = proxy.total.get();
    let (front, back) = if proxy.is_front() { (n, 0) } else { (0, n) };
    format!("Proxy {} stopped (cumulated conns: FE: {front}, BE: {back}).", proxy.id)
}
