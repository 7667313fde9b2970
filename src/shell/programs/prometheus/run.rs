//! Prometheus' own life: options, start, reload, stop; and `promtool check config`.

use super::conf::{self, Conf};
use super::scrape::{self, Base};
use super::serve;
use crate::shell::programs::args::not_simulated;
use crate::shell::programs::threads::Threads;
use crate::shell::programs::web::{self, Answer, Handler, Server};
use crate::shell::programs::{clock, image_version};
use crate::shell::{Disposition, Errno, Fd, OpenHow, Signal, Sys};
use crate::time::SimTime;
use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;

struct Options {
    file: String,
    dir: String,
    listen: String,
    lifecycle: bool,
}

/// Options that change nothing here.
const QUIET: &str = " web.console.libraries web.console.templates web.external-url web.page-title \
    web.read-timeout web.max-connections web.enable-admin-api web.cors.origin log.level log.format \
    storage.tsdb.retention.time storage.tsdb.retention.size storage.tsdb.wal-compression \
    storage.tsdb.min-block-duration storage.tsdb.max-block-duration storage.tsdb.no-lockfile \
    query.timeout query.max-concurrency query.lookback-delta enable-feature auto-gomemlimit \
    auto-gomaxprocs storage.tsdb.allow-overlapping-blocks ";

fn options(argv: &[String]) -> Result<Options, String> {
    let mut options = Options {
        file: "prometheus.yml".to_owned(),
        dir: "data/".to_owned(),
        listen: "0.0.0.0:9090".to_owned(),
        lifecycle: false,
    };
    let mut args = argv.iter().skip(1);
    while let Some(arg) = args.next() {
        let Some(long) = arg.strip_prefix("--") else { return Err(format!("unexpected {arg}")) };
        let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
        let bare = [
            "web.enable-lifecycle",
            "web.enable-admin-api",
            "storage.tsdb.no-lockfile",
            "storage.tsdb.wal-compression",
            "agent",
        ];
        let value = match value {
            Some(value) => value.to_owned(),
            None if bare.contains(&name) => String::new(),
            None => args.next().cloned().unwrap_or_default(),
        };
        match name {
            "config.file" => options.file = value,
            "storage.tsdb.path" => options.dir = value,
            "web.listen-address" => options.listen = value,
            "web.enable-lifecycle" => options.lifecycle = true,
            name if QUIET.split_ascii_whitespace().any(|own| own == name) => {}
            _ => return Err(format!("unknown long flag '--{name}'")),
        }
    }
    Ok(options)
}

struct Life {
    sys: Sys,
    options: Options,
    version: (u16, u16),
}

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let version = image_version(&sys).unwrap_or((3, 5));
    let options = match options(&argv) {
        Ok(options) => options,
        Err(why) => {
            let text =
                format!("Error parsing command line arguments: {why}\nprometheus: error: {why}\n");
            let _ = sys.write(2, text.as_bytes()).await;
            return 2;
        }
    };
    Life { sys, options, version }.live().await
}

impl Life {
    /// A line in the form of its version.
    async fn log(&self, level: &str, place: &str, text: &str, more: &str) {
        let at = clock::now(&self.sys);
        let stamp = format!("{}.{:03}Z", clock::iso(&self.sys), at.millis);
        let more = if more.is_empty() { String::new() } else { format!(" {more}") };
        let line = if self.version.0 >= 3 {
            let level = level.to_uppercase();
            format!("time={stamp} level={level} source={place} msg=\"{text}\"{more}\n")
        } else {
            format!("ts={stamp} caller={place} level={level} msg=\"{text}\"{more}\n")
        };
        let _ = self.sys.write(2, line.as_bytes()).await;
    }

    async fn info(&self, place: &str, text: &str, more: &str) {
        self.log("info", place, text, more).await;
    }

    fn load(&self) -> Result<Conf, String> {
        let file = &self.options.file;
        if let Err(errno) = self.sys.access(file, 4) {
            return Err(format!("open {file}: {}", errno.text().to_lowercase()));
        }
        let data = self.sys.peek_file(file).unwrap_or_default();
        let text = crate::shell::bytes::to_text(&data);
        conf::read(&text).map_err(|why| format!("parsing YAML file {file}: {why}"))
    }

    /// Whether the data directory can be written; the exit code where it cannot.
    async fn storage(&self) -> Option<i32> {
        let dir = self.options.dir.trim_end_matches('/');
        let made = match self.sys.mkdir(dir, 0o777) {
            Ok(()) | Err(Errno::Exist) => {
                self.sys.open(&format!("{dir}/queries.active"), OpenHow::WRITE).await
            }
            Err(errno) => Err(errno),
        };
        match made {
            Ok(fd) => {
                let _ = self.sys.close(fd);
                None
            }
            Err(errno) => {
                let why = errno.text().to_lowercase();
                let more = format!(
                    "component=activeQueryTracker file={dir}/queries.active err=\"open \
                     {dir}/queries.active: {why}\""
                );
                self.log("error", "query_logger.go:113", "Error opening query log file", &more)
                    .await;
                let text = b"panic: Unable to create mmap-ed active query log\n";
                let _ = self.sys.write(2, text).await;
                Some(2)
            }
        }
    }

    async fn listen(&self) -> Option<Fd> {
        let (host, port) = self.options.listen.rsplit_once(':').unwrap_or(("", "9090"));
        let addr: Ipv4Addr = host.parse().unwrap_or(Ipv4Addr::UNSPECIFIED);
        let port: u16 = port.parse().unwrap_or(9090);
        let more = format!("component=web address={}", self.options.listen);
        let listener = match self.sys.listen(addr, port) {
            Ok(listener) => listener,
            Err(errno) => {
                let why = errno.text().to_lowercase();
                let listen = &self.options.listen;
                let more = format!("err=\"listen tcp {listen}: bind: {why}\"");
                self.log("error", "main.go:1050", "Unable to start web listener", &more).await;
                return None;
            }
        };
        self.info("web.go:661", "Start listening for connections", &more).await;
        Some(listener)
    }

    async fn live(&self) -> i32 {
        let sys = &self.sys;
        let conf = match self.load() {
            Ok(conf) => conf,
            Err(why) => {
                let file = &self.options.file;
                let text = format!("Error loading config (--config.file={file})");
                let more = format!("file={file} err={}", super::labels::quote(&why));
                self.log("error", "main.go:627", &text, &more).await;
                return 2;
            }
        };
        sys.claim_memory(43 << 20);
        let (major, minor) = self.version;
        let text = "No time or size retention was set so using the default time retention";
        self.info("main.go:722", text, "duration=15d").await;
        let version = format!("mode=server version=\"(version={major}.{minor}.0, branch=HEAD)\"");
        self.info("main.go:769", "Starting Prometheus Server", &version).await;
        if let Some(code) = self.storage().await {
            return code;
        }
        let Some(listener) = self.listen().await else { return 1 };
        self.info("main.go:1287", "Starting TSDB ...", "").await;
        web::sleep(sys, SimTime::from_millis(60)).await;
        self.info("main.go:1308", "TSDB started", "").await;
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            sys.set_signal(signal, Disposition::Catch);
        }
        sys.set_signal(Signal::PIPE, Disposition::Ignore);
        let base = Rc::new(Base {
            sys: sys.clone(),
            version: self.version,
            series: RefCell::default(),
            conf: RefCell::new(Rc::new(Conf::default())),
            targets: RefCell::default(),
        });
        let threads = Threads::default();
        let wants = Rc::new(Cell::new(false));
        let server = Server::new(sys, &threads, SimTime::from_secs(60));
        server.serve(listener, self.handler(&base, &wants));
        threads.run(self.serve(&base, &threads, conf, &wants)).await;
        self.info(
            "main.go:1078",
            "Received an OS signal, exiting gracefully...",
            "signal=terminated",
        )
        .await;
        self.info("main.go:1103", "Stopping scrape discovery manager...", "").await;
        self.info("main.go:1150", "Stopping scrape manager...", "").await;
        self.info("main.go:1420", "See you next time!", "").await;
        0
    }

    fn handler(&self, base: &Rc<Base>, wants: &Rc<Cell<bool>>) -> Handler {
        let (base, wants, lifecycle) = (Rc::clone(base), Rc::clone(wants), self.options.lifecycle);
        Rc::new(move |request| {
            let (base, wants) = (Rc::clone(&base), Rc::clone(&wants));
            Box::pin(async move {
                if request.path() == "/-/reload" {
                    if !lifecycle {
                        return Answer::text(403, "text/plain", "Lifecycle API is not enabled.");
                    }
                    wants.set(true);
                    return Answer::text(200, "text/plain", "");
                }
                serve::answer(&base, &request)
            })
        })
    }

    /// Takes the configuration up, again whenever it is asked to, until it is to stop.
    async fn serve(&self, base: &Rc<Base>, threads: &Threads, conf: Conf, wants: &Cell<bool>) {
        self.take(base, threads, conf).await;
        self.info("main.go:1257", "Server is ready to receive web requests.", "").await;
        loop {
            let signals = self.sys.take_signals();
            if signals.iter().any(|signal| *signal != Signal::HUP) {
                return;
            }
            if !signals.is_empty() || wants.replace(false) {
                match self.load() {
                    Ok(conf) => self.take(base, threads, conf).await,
                    Err(why) => {
                        let file = &self.options.file;
                        let what = format!(
                            "couldn't load configuration (--config.file=\"{file}\"): {why}"
                        );
                        let more = format!("err={}", super::labels::quote(&what));
                        self.log("error", "main.go:1115", "Error reloading config", &more).await;
                    }
                }
            }
            self.sys.sleep(SimTime::from_millis(500)).await;
        }
    }

    async fn take(&self, base: &Rc<Base>, threads: &Threads, conf: Conf) {
        let more = format!("filename={}", self.options.file);
        self.info("main.go:1500", "Loading configuration file", &more).await;
        for what in &conf.not_simulated {
            self.sys.not_simulated(&format!("prometheus: {what}"), None);
        }
        let conf = Rc::new(conf);
        *base.conf.borrow_mut() = Rc::clone(&conf);
        let targets = scrape::targets(&conf);
        base.targets.borrow_mut().clone_from(&targets);
        for target in targets {
            threads.start(scrape::watch(Rc::clone(base), Rc::clone(&conf), target));
        }
        self.info("main.go:1540", "Completed loading of configuration file", &more).await;
    }
}

pub(in super::super) async fn promtool(sys: Sys, argv: Vec<String>) -> i32 {
    let words: Vec<&str> = argv.iter().skip(1).map(String::as_str).collect();
    let ["check", "config", files @ ..] = words.as_slice() else {
        return not_simulated(&sys, "promtool", &words.join(" ")).await;
    };
    let mut code = 0;
    for file in files.iter().filter(|file| !file.starts_with('-')) {
        let _ = sys.write(1, format!("Checking {file}\n").as_bytes()).await;
        let read = match sys.peek_file(file) {
            Some(data) => conf::read(&crate::shell::bytes::to_text(&data))
                .map_err(|why| format!("parsing YAML file {file}: {why}")),
            None => Err(format!("stat {file}: no such file or directory")),
        };
        match read {
            Ok(_) => {
                let text = format!(" SUCCESS: {file} is valid prometheus config file syntax\n\n");
                let _ = sys.write(1, text.as_bytes()).await;
            }
            Err(why) => {
                let _ = sys.write(2, format!("  FAILED: {why}\n\n").as_bytes()).await;
                code = 1;
            }
        }
    }
    code
}
