//! nginx's own life: options, start with its order of failures, master and workers, signals.

use super::conf::{self, Directive};
use super::log::{self, ERROR_LOG, Logs};
use super::meaning::{self, Conf, Shared};
use super::serve;
use crate::order::Order;
use crate::shell::programs::args::not_simulated;
use crate::shell::programs::web;
use crate::shell::{
    Credentials, Disposition, Errno, Fd, OpenHow, Pid, Signal, Sys, WaitFor, WaitStatus,
};
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

const CONF: &str = "/etc/nginx/nginx.conf";
/// Most worker processes started.
const WORKERS_MAX: u32 = 8;
/// What `worker_processes auto` comes to on a node of the lab.
const CPUS: u32 = 2;
/// Memory of the master and of each worker, in bytes.
const MEMORY: u64 = 3 << 20;
const TEMP: &[(&str, &str)] = &[
    ("client_body_temp_path", "/var/cache/nginx/client_temp"),
    ("proxy_temp_path", "/var/cache/nginx/proxy_temp"),
    ("fastcgi_temp_path", "/var/cache/nginx/fastcgi_temp"),
    ("uwsgi_temp_path", "/var/cache/nginx/uwsgi_temp"),
    ("scgi_temp_path", "/var/cache/nginx/scgi_temp"),
];

struct Options {
    conf: String,
    globals: String,
    test: bool,
    dump: bool,
    signal: Option<String>,
}

pub(in super::super) fn version(sys: &Sys) -> String {
    sys.getenv("NGINX_VERSION").unwrap_or_else(|| "1.29.3".to_owned())
}

async fn say(sys: &Sys, text: &str) {
    let _ = sys.write(2, format!("nginx: {text}\n").as_bytes()).await;
}

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let mut options = Options {
        conf: CONF.to_owned(),
        globals: String::new(),
        test: false,
        dump: false,
        signal: None,
    };
    let mut rest = argv.iter().skip(1);
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-t" => options.test = true,
            "-T" => (options.test, options.dump) = (true, true),
            "-q" => {}
            "-v" | "-V" => {
                say(
                    &sys,
                    &format!("version: nginx/{}", version(&sys)).replace("version: ", "version: "),
                )
                .await;
                return 0;
            }
            "-c" | "-g" | "-s" | "-p" | "-e" => {
                let Some(value) = rest.next() else {
                    say(&sys, &format!("option \"{arg}\" requires parameter")).await;
                    return 1;
                };
                match arg.as_str() {
                    "-c" => options.conf = value.clone(),
                    "-g" => {
                        options.globals = format!("{};", value.trim_end().trim_end_matches(';'))
                    }
                    "-s" => options.signal = Some(value.clone()),
                    _ => return not_simulated(&sys, "nginx", &format!("the option {arg}")).await,
                }
            }
            _ => {
                say(&sys, &format!("invalid option: \"{arg}\"")).await;
                return 1;
            }
        }
    }
    start(sys, options).await
}

/// A sentence of nginx at its start: in the default error log and on stderr.
async fn both(sys: &Sys, log: Option<Fd>, level: &str, text: &str) {
    if let Some(fd) = log {
        let _ = sys.write(fd, log::line(sys, level, text).as_bytes()).await;
    }
    say(sys, &format!("[{level}] {text}")).await;
}

/// The log nginx was built to write to while it has read nothing yet.
async fn first_log(sys: &Sys) -> Option<Fd> {
    match sys.open(ERROR_LOG, OpenHow::APPEND).await {
        Ok(fd) => Some(fd),
        Err(errno) => {
            let why = format!("({}: {})", errno.number(), errno.text());
            let text =
                format!("could not open error log file: open() \"{ERROR_LOG}\" failed {why}");
            say(sys, &format!("[alert] {text}")).await;
            None
        }
    }
}

async fn start(sys: Sys, options: Options) -> i32 {
    let log = first_log(&sys).await;
    let made = load(&sys, &options).await;
    let (conf, warnings) = match made {
        Ok(made) => made,
        Err(problem) => {
            both(&sys, log, "emerg", &problem).await;
            if options.test {
                let file = &options.conf;
                say(&sys, &format!("configuration file {file} test failed")).await;
            }
            return 1;
        }
    };
    for warning in &warnings {
        both(&sys, log, "warn", warning).await;
    }
    if let Some(word) = &options.signal {
        return send(&sys, &conf, word).await;
    }
    if options.test {
        say(&sys, &format!("the configuration file {} syntax is ok", options.conf)).await;
    }
    let result = prepare(&sys, &conf, log, options.test).await;
    let (logs, listeners) = match result {
        Ok(made) => made,
        Err(problem) => {
            both(&sys, log, "emerg", &problem).await;
            return 1;
        }
    };
    if options.test {
        say(&sys, &format!("configuration file {} test is successful", options.conf)).await;
        if options.dump {
            let text = sys.peek_file(&options.conf).unwrap_or_default();
            let head = format!("# configuration file {}:\n", options.conf);
            let _ = sys.write(1, &[head.as_bytes(), &text].concat()).await;
        }
        return 0;
    }
    if let Some(fd) = log {
        let _ = sys.close(fd);
    }
    let mut master =
        Master { sys: sys.clone(), conf, logs, listeners, workers: Vec::new(), options };
    let daemon = master.conf.root.get("daemon").is_none_or(|d| d.arg(0) != "off");
    if !daemon {
        return master.live().await;
    }
    let child = sys.fork(move |sys| async move {
        master.sys = sys;
        master.live().await
    });
    i32::from(child.is_err())
}

/// Reads and understands the configuration; notes once what has no effect here.
async fn load(sys: &Sys, options: &Options) -> Result<(Shared, Vec<String>), String> {
    let mut read = conf::read(sys, &options.conf, &options.globals)?;
    let conf: Conf = meaning::understand(sys, &mut read).await?;
    read.not_simulated.order();
    read.not_simulated.dedup();
    for what in read.not_simulated.iter().take(20) {
        sys.not_simulated(&format!("nginx: {what}"), None);
    }
    Ok((Rc::new(conf), read.warnings))
}

async fn send(sys: &Sys, conf: &Conf, word: &str) -> i32 {
    let signal = match word {
        "stop" => Signal::TERM,
        "quit" => Signal::QUIT,
        "reload" => Signal::HUP,
        "reopen" => Signal::USR1,
        _ => {
            say(sys, &format!("invalid option: \"-s {word}\"")).await;
            return 1;
        }
    };
    let _ = sys.write(2, log::line(sys, "notice", "signal process started").as_bytes()).await;
    let path = pid_path(conf);
    let Some(text) = sys.peek_file(&path) else {
        let why = "failed (2: No such file or directory)";
        say(sys, &format!("[error] open() \"{path}\" {why}")).await;
        return 1;
    };
    let pid: i64 = String::from_utf8_lossy(&text).trim().parse().unwrap_or(0);
    if pid <= 0 {
        say(sys, &format!("[error] invalid PID number \"\" in \"{path}\"")).await;
        return 1;
    }
    match sys.kill(pid, Some(signal)) {
        Ok(()) => 0,
        Err(errno) => {
            let why = format!("({}: {})", errno.number(), errno.text());
            say(sys, &format!("[alert] kill({pid}, {}) failed {why}", signal.0)).await;
            1
        }
    }
}

fn pid_path(conf: &Conf) -> String {
    conf.root.get("pid").map_or("/run/nginx.pid", |d| d.arg(0)).to_owned()
}

/// The user workers run as: from `user`, else the one nginx was built with.
fn user(sys: &Sys, conf: &Conf) -> Result<Credentials, String> {
    let directive = conf.root.get("user");
    let name = directive.map_or("nginx", |d| d.arg(0));
    let passwd = sys.peek_file("/etc/passwd").unwrap_or_default();
    let text = String::from_utf8_lossy(&passwd);
    let fields = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let mut found = fields.filter(|f| f.first() == Some(&name) && f.len() > 3);
    let ids = found.next().and_then(|f| Some((f[2].parse().ok()?, f[3].parse().ok()?)));
    match ids {
        Some((uid, gid)) => Ok(Credentials { uid, gid, groups: Vec::new() }),
        None => {
            let place = directive.map_or(String::new(), |d| format!(" in {}", d.place));
            Err(format!("getpwnam(\"{name}\") failed (2: No such file or directory){place}"))
        }
    }
}

type Listeners = BTreeMap<(Ipv4Addr, u16), Fd>;

// The order of src/core/ngx_cycle.c ngx_init_cycle: directories, logs, sockets, and then main's
// PID file.
async fn prepare(
    sys: &Sys,
    conf: &Shared,
    log: Option<Fd>,
    test: bool,
) -> Result<(Logs, Listeners), String> {
    let failed =
        |call: &str, errno: Errno| format!("{call} failed ({}: {})", errno.number(), errno.text());
    if conf.http().is_some() {
        let owner = if sys.uid() == 0 { Some(user(sys, conf)?) } else { None };
        for (name, default) in TEMP {
            let path = conf.http().and_then(|http| http.get(name)).map_or(*default, |d| d.arg(0));
            match sys.mkdir(path, 0o700) {
                Ok(()) | Err(Errno::Exist) => {}
                Err(errno) => return Err(failed(&format!("mkdir() \"{path}\""), errno)),
            }
            if let Some(owner) = &owner
                && sys.stat(path).is_ok_and(|s| s.uid != owner.uid)
                && let Err(errno) = sys.chown(path, Some(owner.uid), None)
            {
                return Err(failed(&format!("chown(\"{path}\", {})", owner.uid), errno));
            }
        }
    }
    let logs = Logs::open(sys, conf).await?;
    let listeners = listen(sys, conf, log, &Listeners::new()).await?;
    if !test {
        let path = pid_path(conf);
        let fail = |errno| failed(&format!("open() \"{path}\""), errno);
        let fd = sys.open(&path, OpenHow::WRITE).await.map_err(fail)?;
        let _ = sys.write(fd, format!("{}\n", sys.pid()).as_bytes()).await;
        let _ = sys.close(fd);
    }
    Ok((logs, listeners))
}

/// Opens the sockets not open yet: five tries, half a second apart.
async fn listen(
    sys: &Sys,
    conf: &Conf,
    log: Option<Fd>,
    old: &Listeners,
) -> Result<Listeners, String> {
    let mut made = Listeners::new();
    for attempt in 0..5 {
        let mut busy = false;
        for listen in &conf.listens {
            let at = (listen.addr, listen.port);
            if let Some(fd) = old.get(&at) {
                made.insert(at, *fd);
            }
            if made.contains_key(&at) {
                continue;
            }
            match sys.listen(at.0, at.1) {
                Ok(fd) => drop(made.insert(at, fd)),
                Err(errno) => {
                    let why = format!("failed ({}: {})", errno.number(), errno.text());
                    let text = format!("bind() to {}:{} {why}", at.0, at.1);
                    if errno != Errno::AddrInUse {
                        return Err(text);
                    }
                    both(sys, log, "emerg", &text).await;
                    busy = true;
                }
            }
        }
        if !busy {
            return Ok(made);
        }
        if attempt < 5 {
            web::sleep(sys, SimTime::from_millis(500)).await;
        }
    }
    Err("still could not bind()".to_owned())
}

struct Master {
    sys: Sys,
    conf: Shared,
    logs: Logs,
    listeners: Listeners,
    workers: Vec<Pid>,
    options: Options,
}

impl Master {
    async fn notice(&self, text: &str) {
        let chain: [&Directive; 1] = [&self.conf.root];
        self.logs.error(&self.sys, &chain, "notice", text).await;
    }

    async fn live(&mut self) -> i32 {
        let words = [Signal::QUIT, Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1];
        for signal in words.into_iter().chain([Signal::CHLD]) {
            self.sys.set_signal(signal, Disposition::Catch);
        }
        self.sys.claim_memory(MEMORY);
        self.notice("using the \"epoll\" event method").await;
        self.notice(&format!("nginx/{}", version(&self.sys))).await;
        self.notice("OS: Linux 6.1.0").await;
        self.notice("getrlimit(RLIMIT_NOFILE): 1048576:1048576").await;
        self.notice("start worker processes").await;
        for first in [true, false] {
            let n = if first { 1 } else { self.n_workers().saturating_sub(1) };
            for _ in 0..n {
                self.start_worker(first).await;
            }
        }
        loop {
            match web::signal(&self.sys).await {
                Signal::QUIT => return self.stop(Signal::QUIT).await,
                Signal::HUP => self.reload().await,
                Signal::CHLD => self.reap().await,
                Signal::USR1 => self.notice("signal 10 (SIGUSR1) received, reopening logs").await,
                signal => return self.stop(signal).await,
            }
        }
    }

    fn n_workers(&self) -> u32 {
        let written = self.conf.root.get("worker_processes").map_or("1", |d| d.arg(0));
        if written == "auto" { CPUS } else { written.parse().unwrap_or(1).clamp(1, WORKERS_MAX) }
    }

    async fn start_worker(&mut self, serves: bool) {
        let (conf, logs) = (Rc::clone(&self.conf), self.logs.clone());
        let listeners = self.listeners.clone();
        let owner = if self.sys.uid() == 0 { user(&self.sys, &conf).ok() } else { None };
        let child = self.sys.fork(move |sys| async move {
            sys.claim_memory(MEMORY);
            if let Some(owner) = owner {
                let _ = sys.set_credentials(owner);
            }
            serve::worker(sys, conf, logs, listeners, serves).await
        });
        if let Ok(pid) = child {
            self.workers.push(pid);
            self.notice(&format!("start worker process {pid}")).await;
        }
    }

    async fn ended(&mut self, pid: Pid, status: WaitStatus) {
        self.workers.retain(|worker| *worker != pid);
        self.notice(&format!("signal 17 (SIGCHLD) received from {pid}")).await;
        match status {
            WaitStatus::Exited(code) => {
                self.notice(&format!("worker process {pid} exited with code {code}")).await;
            }
            WaitStatus::Signaled(signal) | WaitStatus::Stopped(signal) => {
                let chain: [&Directive; 1] = [&self.conf.root];
                let text = format!("worker process {pid} exited on signal {}", signal.0);
                self.logs.error(&self.sys, &chain, "alert", &text).await;
            }
        }
    }

    async fn reap(&mut self) {
        while let Ok(Some((pid, status))) = self.sys.try_wait(WaitFor::Any) {
            let first = self.workers.first() == Some(&pid);
            let own = self.workers.contains(&pid);
            self.ended(pid, status).await;
            if own && matches!(status, WaitStatus::Signaled(_)) {
                self.start_worker(first).await;
                self.workers.rotate_right(usize::from(first));
            }
        }
    }

    async fn reload(&mut self) {
        self.notice("signal 1 (SIGHUP) received, reconfiguring").await;
        self.notice("reconfiguring").await;
        let chain = self.conf.root.clone();
        let problem = match load(&self.sys, &self.options).await {
            Err(problem) => problem,
            Ok((conf, _)) => match listen(&self.sys, &conf, None, &self.listeners).await {
                Err(problem) => problem,
                Ok(listeners) => match Logs::open(&self.sys, &conf).await {
                    Err(problem) => problem,
                    Ok(logs) => return self.renew(conf, logs, listeners).await,
                },
            },
        };
        self.logs.error(&self.sys, &[&chain], "emerg", &problem).await;
    }

    async fn renew(&mut self, conf: Shared, logs: Logs, listeners: Listeners) {
        let old = std::mem::take(&mut self.workers);
        for (at, fd) in &self.listeners {
            if !listeners.contains_key(at) {
                let _ = self.sys.close(*fd);
            }
        }
        (self.conf, self.logs, self.listeners) = (conf, logs, listeners);
        self.notice("start worker processes").await;
        for idx in 0..self.n_workers() {
            self.start_worker(idx == 0).await;
        }
        for pid in old {
            let _ = self.sys.kill(i64::from(pid), Some(Signal::QUIT));
        }
    }

    async fn stop(&mut self, signal: Signal) -> i32 {
        let what = match signal {
            Signal::QUIT => "signal 3 (SIGQUIT) received, shutting down",
            Signal::INT => "signal 2 (SIGINT) received, exiting",
            _ => "signal 15 (SIGTERM) received, exiting",
        };
        self.notice(what).await;
        for pid in self.workers.clone() {
            let _ = self.sys.kill(i64::from(pid), Some(signal));
        }
        for fd in self.listeners.values() {
            let _ = self.sys.close(*fd);
        }
        while !self.workers.is_empty() {
            let harder = self.sys.take_signals().into_iter().find(|s| *s != Signal::CHLD);
            for pid in harder.iter().flat_map(|_| self.workers.clone()) {
                let _ = self.sys.kill(i64::from(pid), Some(Signal::TERM));
            }
            match self.sys.wait(WaitFor::Any).await {
                Ok((pid, status)) => self.ended(pid, status).await,
                Err(Errno::Intr) => {}
                Err(_) => break,
            }
        }
        let _ = self.sys.unlink(&pid_path(&self.conf));
        self.notice("exit").await;
        0
    }
}
