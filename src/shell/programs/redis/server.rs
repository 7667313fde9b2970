//! `redis-server`: one event loop over its clients, its master and its times. What a command does
//! is in the files beside.

use super::commands;
use super::options::{Options, Refused};
use super::replica::{Link, Replica};
use super::resp::{self, Parsed, Reply};
use super::store::{Bytes, Store};
use crate::shell::programs::args::not_simulated;
use crate::shell::programs::clock;
use crate::shell::{Disposition, Errno, Fd, Signal, Sys};
use crate::time::SimTime;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

pub(super) const VERSION: &str = "7.4.2";
/// A client that sends more than this without a whole command is cut off, in bytes.
const PENDING_MAX: usize = 4 << 20;
/// Memory of a server with nothing in it, in bytes.
const MEMORY: u64 = 9 << 20;

/// A command's name as it was written, and its words.
type Command = (String, Vec<Bytes>);

pub(super) struct Client {
    pub(super) fd: Fd,
    pub(super) pending: Vec<u8>,
    pub(super) trusted: bool,
    pub(super) peer: (Ipv4Addr, u16),
    pub(super) name: Bytes,
    pub(super) channels: BTreeSet<Bytes>,
    pub(super) patterns: BTreeSet<Bytes>,
    /// Commands since MULTI, and whether one was refused.
    pub(super) queue: Option<(Vec<Command>, bool)>,
    pub(super) replica: Option<Replica>,
    pub(super) blocked: Option<Blocked>,
}

/// A client that waits for something to pop.
pub(super) struct Blocked {
    pub(super) keys: Vec<Bytes>,
    pub(super) left: bool,
    pub(super) until: Option<SimTime>,
}

impl Client {
    /// A replica that gets every write.
    pub(super) fn is_fed(&self) -> bool {
        self.replica.as_ref().is_some_and(|replica| replica.online)
    }
}

pub(super) struct Server {
    pub(super) sys: Sys,
    pub(super) options: Options,
    pub(super) store: Store,
    pub(super) clients: Vec<Client>,
    pub(super) begun: SimTime,
    /// This run's own number, in 40 digits.
    pub(super) id: String,
    /// Bytes of commands handed on, or taken from the master.
    pub(super) offset: u64,
    pub(super) link: Link,
    /// When waiting replicas get their copy.
    pub(super) sync_at: Option<SimTime>,
    pub(super) next_ping: SimTime,
    /// Changes since the last save, and when that was, in milliseconds since 1970.
    pub(super) dirty: u64,
    pub(super) saved: i64,
    pub(super) append: Option<Fd>,
    pub(super) n_connections: u64,
    pub(super) n_commands: u64,
    pub(super) n_evicted: u64,
    pub(super) n_hits: u64,
    pub(super) n_misses: u64,
}

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    if argv.get(1).is_some_and(|arg| arg == "-v" || arg == "--version") {
        let text =
            format!("Redis server v={VERSION} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n");
        let _ = sys.write(1, text.as_bytes()).await;
        return 0;
    }
    let options = match Options::read(&sys, &argv) {
        Ok(options) => options,
        Err(Refused::NotSimulated(what)) => {
            return not_simulated(&sys, "redis-server", &what).await;
        }
        Err(Refused::Bad(text)) => {
            let _ = sys.write(2, text.as_bytes()).await;
            return 1;
        }
        Err(Refused::Fatal(text)) => {
            log(&sys, 'C', &format!("# {text}")).await;
            return 1;
        }
    };
    let mut server = Server::new(sys, options);
    match server.start().await {
        Ok(listener) => server.serve(listener).await,
        Err(code) => code,
    }
}

const NO_CONFIG: &str = "# Warning: no config file specified, using the default config. In order \
                         to specify a config file use redis-server /path/to/redis.conf";

pub(super) async fn log(sys: &Sys, role: char, line: &str) {
    let text = format!("{}:{role} {} {line}\n", sys.pid(), clock::redis(sys));
    let _ = sys.write(1, text.as_bytes()).await;
}

impl Server {
    pub(super) fn new(sys: Sys, options: Options) -> Server {
        let begun = sys.now();
        let digit = |_| char::from_digit(sys.random(16) as u32, 16).unwrap_or('0');
        let id = (0..40).map(digit).collect();
        let saved = sys.wall_unix_micros() / 1_000;
        Server {
            sys,
            options,
            store: Store::default(),
            clients: Vec::new(),
            begun,
            id,
            offset: 0,
            link: Link::default(),
            sync_at: None,
            next_ping: begun,
            dirty: 0,
            saved,
            append: None,
            n_connections: 0,
            n_commands: 0,
            n_evicted: 0,
            n_hits: 0,
            n_misses: 0,
        }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.sys.wall_unix_micros() / 1_000
    }

    pub(super) async fn log(&self, line: &str) {
        log(&self.sys, if self.options.master.is_some() { 'S' } else { 'M' }, line).await;
    }

    /// Up to `Ready to accept connections`; the exit code where it ends before.
    async fn start(&mut self) -> Result<Fd, i32> {
        let sys = self.sys.clone();
        let pid = sys.pid();
        log(&sys, 'C', "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo").await;
        let what = format!("Redis version={VERSION}, bits=64, commit=00000000, modified=0");
        log(&sys, 'C', &format!("* {what}, pid={pid}, just started")).await;
        let text = if self.options.configured { "* Configuration loaded" } else { NO_CONFIG };
        log(&sys, 'C', text).await;
        if let Err(errno) = sys.chdir(&self.options.dir) {
            let dir = &self.options.dir;
            let text = format!("# Can't chdir to '{dir}': {}", errno.text());
            log(&sys, 'C', &text).await;
            return Err(1);
        }
        self.log("* monotonic clock: POSIX clock_gettime").await;
        let port = self.options.port;
        let Ok(listener) = sys.listen(Ipv4Addr::UNSPECIFIED, port) else {
            let bind = "bind: Address already in use";
            self.log(&format!(
                "# Warning: Could not create server TCP listening socket *:{port}: {bind}"
            ))
            .await;
            self.log(&format!("# Failed listening on port {port} (tcp), aborting.")).await;
            return Err(1);
        };
        self.log(&format!("* Running mode=standalone, port={port}.")).await;
        self.log("* Server initialized").await;
        sys.claim_memory(MEMORY);
        self.load().await?;
        self.log("* Ready to accept connections tcp").await;
        for signal in [Signal::TERM, Signal::INT] {
            sys.set_signal(signal, Disposition::Catch);
        }
        sys.set_signal(Signal::PIPE, Disposition::Ignore);
        Ok(listener)
    }

    /// Until a signal asks to stop and nothing keeps it; the exit code.
    async fn serve(&mut self, listener: Fd) -> i32 {
        loop {
            self.due().await;
            let link = self.link.fd();
            let mut fds: Vec<Fd> = [listener].into_iter().chain(link).collect();
            fds.extend(self.clients.iter().map(|c| c.fd));
            let ready = self.sys.readable(&fds, self.next_due()).await;
            if !self.sys.take_signals().is_empty() {
                if self.shut_down().await {
                    return 0;
                }
                continue;
            }
            match ready {
                Ok(fd) if fd == listener => self.take(listener).await,
                Ok(fd) if Some(fd) == link => self.hear_master().await,
                Ok(fd) => {
                    if !self.answer(fd).await {
                        let _ = self.sys.close(fd);
                        self.clients.retain(|c| c.fd != fd);
                    }
                }
                Err(Errno::Intr | Errno::TimedOut) => {}
                Err(_) => return 1,
            }
        }
    }

    async fn take(&mut self, listener: Fd) {
        let Ok(fd) = self.sys.accept(listener, None).await else { return };
        self.n_connections += 1;
        self.clients.push(Client {
            fd,
            pending: Vec::new(),
            trusted: self.options.password.is_none(),
            peer: self.sys.peer_addr(fd).unwrap_or((Ipv4Addr::UNSPECIFIED, 0)),
            name: Vec::new(),
            channels: BTreeSet::new(),
            patterns: BTreeSet::new(),
            queue: None,
            replica: None,
            blocked: None,
        });
    }

    pub(super) fn client(&mut self, fd: Fd) -> Option<&mut Client> {
        self.clients.iter_mut().find(|c| c.fd == fd)
    }

    /// Reads what came and answers each whole command; false when the connection is over.
    async fn answer(&mut self, fd: Fd) -> bool {
        let data = match self.sys.read(fd, 16 << 10).await {
            Ok(data) if !data.is_empty() => data,
            Err(Errno::Intr) => return true,
            _ => return false,
        };
        let Some(client) = self.client(fd) else { return false };
        client.pending.extend(data);
        let mut stays = client.pending.len() <= PENDING_MAX;
        let mut out = Vec::new();
        while stays {
            let Some(client) = self.client(fd) else { return false };
            match resp::command(&client.pending) {
                Parsed::Whole(args, used) => {
                    client.pending.drain(..used);
                    self.sys.burn(20).await;
                    if let Some((name, args)) = args.split_first() {
                        let written = String::from_utf8_lossy(name).into_owned();
                        stays = self.one(fd, &written, args, &mut out).await;
                    }
                }
                Parsed::More => break,
                Parsed::Bad(why) => {
                    Reply::Error(format!("ERR {why}")).write(&mut out);
                    stays = false;
                }
            }
        }
        let sent = out.is_empty() || self.sys.write(fd, &out).await.is_ok();
        self.unblock().await;
        sent && stays
    }

    /// Runs a command on the data and hands a change on; None where it is not simulated.
    pub(super) async fn execute(&mut self, name: &str, args: &[Bytes]) -> Option<Reply> {
        let writes = commands::writes(name);
        if writes && self.options.master.is_some() && self.options.read_only {
            let text = "READONLY You can't write against a read only replica.";
            return Some(Reply::Error(text.to_owned()));
        }
        if writes && !self.has_room(name) {
            let text = "OOM command not allowed when used memory > 'maxmemory'.";
            return Some(Reply::Error(text.to_owned()));
        }
        let reply = self.store.run(name, args, self.now_ms())?;
        match (name, &reply) {
            ("GET", Reply::Bulk(Some(_))) => self.n_hits += 1,
            ("GET", Reply::Bulk(None)) => self.n_misses += 1,
            _ => {}
        }
        if writes && changed(name, &reply) {
            self.dirty += 1;
            self.hand_on(name, args, &reply).await;
        }
        Some(reply)
    }

    /// Makes room for more data, as the policy says.
    fn has_room(&mut self, name: &str) -> bool {
        let most = self.options.max_memory;
        let shrinks = ["DEL", "UNLINK", "EXPIRE", "FLUSHALL", "FLUSHDB", "LPOP", "RPOP", "SREM"];
        if most == 0 || shrinks.contains(&name) {
            return true;
        }
        while super::info::BASE + self.store.size() > most {
            let policy = &self.options.policy;
            if policy == "noeviction" || !self.store.evict(policy.starts_with("volatile")) {
                return false;
            }
            self.n_evicted += 1;
        }
        true
    }

    /// Writes a change to the append-only file and to the replicas, with absolute times.
    async fn hand_on(&mut self, name: &str, args: &[Bytes], reply: &Reply) {
        let key = args.first().cloned().unwrap_or_default();
        let entry = self.store.keys.get(&key);
        let expires = entry.and_then(|entry| entry.expires).map(|at| at.to_string().into_bytes());
        let words = |words: &[&[u8]]| words.iter().map(|w| w.to_vec()).collect::<Vec<Bytes>>();
        let command = match (name, reply) {
            ("SET" | "SETEX" | "PSETEX" | "INCRBYFLOAT", _) => {
                let Reply::Bulk(Some(value)) = self.store.get(&key) else { return };
                let mut command = words(&[b"SET", &key, &value]);
                command.extend(expires.into_iter().flat_map(|at| [b"PXAT".to_vec(), at]));
                command
            }
            ("EXPIRE" | "PEXPIRE" | "EXPIREAT" | "PEXPIREAT", _) => match expires {
                Some(at) => words(&[b"PEXPIREAT", &key, &at]),
                None => words(&[b"DEL", &key]),
            },
            ("SPOP", Reply::Bulk(Some(item))) => words(&[b"SREM", &key, item]),
            _ => std::iter::once(name.as_bytes().to_vec()).chain(args.iter().cloned()).collect(),
        };
        let mut bytes = Vec::new();
        Reply::Array(command.iter().map(|word| super::store::bulk(word)).collect())
            .write(&mut bytes);
        if let Some(fd) = self.append {
            let _ = self.sys.write(fd, &bytes).await;
        }
        self.feed(&bytes).await;
    }

    /// Whether it may go.
    async fn shut_down(&mut self) -> bool {
        let secs = self.sys.wall_unix_micros() / 1_000_000;
        let pid = self.sys.pid();
        let text =
            format!("{pid}:signal-handler ({secs}) Received SIGTERM scheduling shutdown...\n");
        let _ = self.sys.write(1, text.as_bytes()).await;
        self.log("* User requested shutdown...").await;
        if !self.options.saves.is_empty() {
            self.log("* Saving the final RDB snapshot before exiting.").await;
            if !self.save('M').await {
                self.log("# Error trying to save the DB, can't exit.").await;
                let text = "# Errors trying to shut down the server. Check the logs for more \
                            information.";
                self.log(text).await;
                return false;
            }
        }
        self.log("# Redis is now ready to exit, bye bye...").await;
        true
    }

    /// What the clock brings: saving, replicas, the master, clients that waited long enough.
    async fn due(&mut self) {
        let (now, now_ms) = (self.sys.now(), self.now_ms());
        let late = |(secs, n): &&(u64, u64)| {
            self.dirty >= *n
                && self.dirty > 0
                && now_ms - self.saved >= (*secs as i64).saturating_mul(1_000)
        };
        if let Some((secs, n)) = self.options.saves.iter().find(late).copied() {
            self.log(&format!("* {n} changes in {secs} seconds. Saving...")).await;
            self.save_behind().await;
        }
        self.unblock_late(now).await;
        self.replication_due(now).await;
    }

    fn next_due(&self) -> Option<SimTime> {
        let now_ms = self.now_ms();
        let saves = self.options.saves.iter().filter(|(_, n)| self.dirty > 0 && self.dirty >= *n);
        let save = saves
            .map(|(secs, _)| {
                self.saved
                    .saturating_add((*secs as i64).saturating_mul(1_000))
                    .saturating_sub(now_ms)
            })
            .min();
        let save = save.map(|ms| self.sys.now() + SimTime::from_millis(ms.max(1) as u64));
        let waits = self.clients.iter().filter_map(|c| c.blocked.as_ref()?.until).min();
        [save, waits, self.replication_next()].into_iter().flatten().min()
    }
}

/// Whether a command that writes did anything.
fn changed(name: &str, reply: &Reply) -> bool {
    const MAY_NOT: &[&str] = &[
        "DEL",
        "UNLINK",
        "EXPIRE",
        "PEXPIRE",
        "EXPIREAT",
        "PEXPIREAT",
        "PERSIST",
        "SREM",
        "HDEL",
        "ZREM",
        "LREM",
        "SETNX",
        "HSETNX",
        "SADD",
        "RENAMENX",
        "LPUSHX",
        "RPUSHX",
    ];
    match reply {
        Reply::Error(_) | Reply::Bulk(None) => false,
        Reply::Integer(0) => !MAY_NOT.contains(&name),
        _ => true,
    }
}
