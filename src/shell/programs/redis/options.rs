//! `redis-server`'s settings, from a file and the command line.

use crate::shell::Sys;
use crate::shell::bytes::to_text;

/// Settings that change nothing a client of the lab could see.
const HARMLESS: &str = " protected-mode bind timeout tcp-keepalive tcp-backlog loglevel databases hz maxclients \
    rdbcompression rdbchecksum stop-writes-on-bgsave-error appendfsync appendfilename \
    latency-monitor-threshold slowlog-log-slower-than slowlog-max-len activedefrag \
    io-threads always-show-logo supervised pidfile set-proc-title maxmemory-samples \
    no-appendfsync-on-rewrite auto-aof-rewrite-percentage auto-aof-rewrite-min-size \
    aof-load-truncated aof-use-rdb-preamble lazyfree-lazy-eviction lazyfree-lazy-expire \
    lazyfree-lazy-server-del replica-lazy-flush lazyfree-lazy-user-del \
    repl-disable-tcp-nodelay replica-priority repl-backlog-size repl-backlog-ttl \
    repl-timeout repl-ping-replica-period activerehashing jemalloc-bg-thread dynamic-hz \
    list-max-listpack-size set-max-intset-entries hash-max-listpack-entries \
    hash-max-listpack-value zset-max-listpack-entries proc-title-template \
    client-output-buffer-limit syslog-enabled crash-log-enabled rdb-del-sync-files \
    appenddirname oom-score-adj replica-serve-stale-data slave-serve-stale-data \
    repl-diskless-sync repl-diskless-load enable-debug-command disable-thp ";
/// Settings that would matter.
const OTHERS: &str = " include user aclfile rename-command cluster-enabled cluster-config-file \
    cluster-node-timeout tls-port tls-cert-file tls-key-file tls-ca-cert-file unixsocket \
    unixsocketperm notify-keyspace-events min-replicas-to-write min-replicas-max-lag \
    replica-announce-ip replica-announce-port loadmodule lua-time-limit port-tls logfile \
    daemonize masteruser tls-replication tls-auth-clients ";

pub(super) struct Options {
    pub(super) port: u16,
    pub(super) password: Option<String>,
    /// (seconds, changes) after which it saves.
    pub(super) saves: Vec<(u64, u64)>,
    pub(super) append: bool,
    pub(super) dir: String,
    pub(super) file: String,
    pub(super) max_memory: u64,
    pub(super) policy: String,
    pub(super) master: Option<(String, u16)>,
    pub(super) master_password: Option<String>,
    pub(super) read_only: bool,
    /// Milliseconds a first replica waits for others.
    pub(super) sync_delay: u64,
    /// Whether a configuration was given at all.
    pub(super) configured: bool,
    pub(super) not_simulated: Vec<String>,
}

/// Why it cannot start.
pub(super) enum Refused {
    /// Lines for stderr.
    Bad(String),
    /// A line of the log.
    Fatal(String),
    NotSimulated(String),
}

impl Options {
    pub(super) fn new() -> Options {
        Options {
            port: 6379,
            password: None,
            saves: vec![(3600, 1), (300, 100), (60, 10_000)],
            append: false,
            dir: ".".to_owned(),
            file: "dump.rdb".to_owned(),
            max_memory: 0,
            policy: "noeviction".to_owned(),
            master: None,
            master_password: None,
            read_only: true,
            sync_delay: 5_000,
            configured: false,
            not_simulated: Vec::new(),
        }
    }

    /// A file named first, then options: `--name value...` up to the next one.
    pub(super) fn read(sys: &Sys, argv: &[String]) -> Result<Options, Refused> {
        let mut options = Options::new();
        options.configured = argv.len() > 1;
        let mut text = String::new();
        let mut rest = argv.iter().skip(1).peekable();
        if let Some(path) = rest.next_if(|arg| !arg.starts_with('-')) {
            let readable = sys.access(path, 4).map(|()| sys.peek_file(path).unwrap_or_default());
            let data = readable.map_err(|errno| {
                let why = errno.text();
                Refused::Fatal(format!("Fatal error, can't open config file '{path}': {why}"))
            })?;
            text = to_text(&data);
        }
        let mut more = String::new();
        for arg in rest {
            match arg.strip_prefix("--") {
                Some(name) => {
                    more.push_str(&format!("{}{name} ", if more.is_empty() { "" } else { "\n" }))
                }
                None => more.push_str(&format!("\"{}\" ", arg.replace('"', "\\\""))),
            }
        }
        if options.configured {
            text.push('\n');
            text.push_str(&more);
        }
        let mut saves_given = false;
        for (idx, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = split(line);
            let (name, values) =
                words.split_first().map_or(("", &[][..]), |(n, v)| (n.as_str(), v));
            let name = name.to_lowercase();
            if name == "save" && !saves_given {
                saves_given = true;
                options.saves.clear();
            }
            options.set(&name, values).map_err(|why| {
                Refused::Bad(format!(
                    "\n*** FATAL CONFIG FILE ERROR (Redis {}) ***\nReading the configuration \
                     file, at line {}\n>>> '{line}'\n{why}\n",
                    super::server::VERSION,
                    idx + 1
                ))
            })?;
        }
        match options.not_simulated.first() {
            Some(what) => Err(Refused::NotSimulated(what.clone())),
            None => Ok(options),
        }
    }

    /// One setting; the error is what stands below the line.
    pub(super) fn set(&mut self, name: &str, values: &[String]) -> Result<(), String> {
        let all = values.join(" ");
        let first = values.first().map_or("", String::as_str);
        const WRONG: &str = "Bad directive or wrong number of arguments";
        match name {
            "port" => {
                self.port =
                    first.parse().map_err(|_| "argument couldn't be parsed into an integer")?;
            }
            "requirepass" => self.password = Some(all).filter(|p| !p.is_empty()),
            "masterauth" => self.master_password = Some(all).filter(|p| !p.is_empty()),
            "save" => self.save(&all)?,
            "appendonly" => self.append = yes(first)?,
            "dir" => self.dir = all,
            "dbfilename" => self.file = all,
            "maxmemory" => {
                self.max_memory = memory(first).ok_or("argument must be a memory value")?
            }
            "maxmemory-policy" => self.policy = all,
            "replicaof" | "slaveof" if values.len() == 2 => {
                self.master = match (first, values[1].as_str()) {
                    ("no", "one") => None,
                    (host, port) => {
                        let port = port.parse().map_err(|_| "Invalid master port")?;
                        Some((host.to_owned(), port))
                    }
                };
            }
            "replica-read-only" | "slave-read-only" => self.read_only = yes(first)?,
            "repl-diskless-sync-delay" => {
                self.sync_delay = first.parse::<u64>().map_err(|_| WRONG)?.saturating_mul(1_000);
            }
            "daemonize" | "cluster-enabled" | "logfile" if matches!(first, "no" | "") => {}
            "notify-keyspace-events" if first.is_empty() => {}
            "version" | "v" | "help" | "sentinel" | "test-memory" => {
                self.not_simulated.push(format!("the option --{name}"));
            }
            _ if HARMLESS.split_ascii_whitespace().any(|own| own == name) => {}
            _ if OTHERS.split_ascii_whitespace().any(|own| own == name) => {
                self.not_simulated.push(format!("{name} {all}").trim().to_owned());
            }
            _ => return Err(WRONG.to_owned()),
        }
        Ok(())
    }

    /// `900 1 300 10`, or nothing at all.
    fn save(&mut self, text: &str) -> Result<(), String> {
        let numbers: Result<Vec<u64>, _> = text.split_whitespace().map(str::parse).collect();
        match numbers {
            Ok(numbers) if numbers.len().is_multiple_of(2) => {
                if numbers.is_empty() {
                    self.saves.clear();
                }
                self.saves.extend(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])));
                Ok(())
            }
            _ => Err("Invalid save parameters".to_owned()),
        }
    }

    /// The value `CONFIG GET` shows.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let yes_no = |b: bool| if b { "yes" } else { "no" }.to_owned();
        Some(match name {
            "port" => self.port.to_string(),
            "requirepass" => self.password.clone().unwrap_or_default(),
            "masterauth" => self.master_password.clone().unwrap_or_default(),
            "save" => {
                let pairs = self.saves.iter().map(|(secs, n)| format!("{secs} {n}"));
                pairs.collect::<Vec<_>>().join(" ")
            }
            "appendonly" => yes_no(self.append),
            "dir" => self.dir.clone(),
            "dbfilename" => self.file.clone(),
            "maxmemory" => self.max_memory.to_string(),
            "maxmemory-policy" => self.policy.clone(),
            "replicaof" => {
                self.master.as_ref().map_or(String::new(), |(host, port)| format!("{host} {port}"))
            }
            "replica-read-only" => yes_no(self.read_only),
            "timeout" => "0".to_owned(),
            "databases" => "16".to_owned(),
            "appendfsync" => "everysec".to_owned(),
            "maxclients" => "10000".to_owned(),
            _ => return None,
        })
    }

    /// Names `CONFIG GET` knows.
    pub(super) const NAMES: &[&str] = &[
        "port",
        "requirepass",
        "masterauth",
        "save",
        "appendonly",
        "dir",
        "dbfilename",
        "maxmemory",
        "maxmemory-policy",
        "replicaof",
        "replica-read-only",
        "timeout",
        "databases",
        "appendfsync",
        "maxclients",
    ];
}

fn yes(word: &str) -> Result<bool, String> {
    match word {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("argument must be 'yes' or 'no'".to_owned()),
    }
}

/// `100mb` in bytes.
fn memory(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let n: u64 = lower[..end].parse().ok()?;
    let per = match &lower[end..] {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    n.checked_mul(per)
}

/// Words of a line, with quotes as redis-cli and the configuration file have them.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('"'), '\\') => {
                let c = match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some(c) => c,
                    None => break,
                };
                word.get_or_insert_default().push(c);
            }
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => out.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word);
    out
}
