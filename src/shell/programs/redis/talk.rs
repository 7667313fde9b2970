//! Commands of Redis that are about a connection or the server itself: signing in, channels,
//! transactions, waiting, settings, replication.

use super::commands;
use super::options::Options;
use super::replica::Replica;
use super::resp::Reply;
use super::server::{Blocked, Server};
use super::store::{Bytes, NOT_INTEGER, bulk, error, float, integer, ok};
use crate::shell::Fd;
use crate::shell::bytes::to_text;
use crate::shell::programs::wild::wild;
use crate::time::SimTime;

impl Server {
    /// One command of a client; false when it ends the connection.
    pub(super) async fn one(
        &mut self,
        fd: Fd,
        written: &str,
        args: &[Bytes],
        out: &mut Vec<u8>,
    ) -> bool {
        self.n_commands += 1;
        let name = written.to_uppercase();
        let Some(client) = self.client(fd) else { return false };
        let listens = !client.channels.is_empty() || !client.patterns.is_empty();
        match (name.as_str(), args) {
            ("QUIT", _) => {
                ok().write(out);
                return false;
            }
            ("AUTH", [.., password]) if args.len() <= 2 => {
                self.sign_in(fd, args.len(), password).write(out);
                return true;
            }
            _ if !client.trusted => {
                error("NOAUTH Authentication required.").write(out);
                return true;
            }
            ("SUBSCRIBE" | "PSUBSCRIBE" | "UNSUBSCRIBE", _) => {
                self.channels(fd, &name, args, out);
                return true;
            }
            ("PING", _) if listens => {
                let text = args.first().cloned().unwrap_or_default();
                Reply::Array(vec![bulk(b"pong"), bulk(&text)]).write(out);
                return true;
            }
            _ if listens => {
                let text = format!(
                    "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT \
                     / RESET are allowed in this context",
                    name.to_lowercase()
                );
                Reply::Error(text).write(out);
                return true;
            }
            _ => {}
        }
        self.in_order(fd, &name, (written, args), out).await;
        true
    }

    /// A command of a client that may ask anything.
    async fn in_order(
        &mut self,
        fd: Fd,
        name: &str,
        (written, args): (&str, &[Bytes]),
        out: &mut Vec<u8>,
    ) {
        let Some(client) = self.client(fd) else { return };
        match (name, args) {
            ("EXEC" | "DISCARD" | "MULTI", []) => {
                return self.transaction(fd, name).await.write(out);
            }
            _ if client.queue.is_some() => {
                client.queue.iter_mut().for_each(|q| q.0.push((written.to_owned(), args.to_vec())));
                Reply::Simple("QUEUED".to_owned()).write(out);
                return;
            }
            ("REPLCONF", [what, value, ..]) => {
                self.about_replica(fd, &to_text(what).to_lowercase(), value, out);
                return;
            }
            ("PSYNC", _) => {
                self.asked_to_sync(fd).await;
                return;
            }
            ("BLPOP" | "BRPOP", [keys @ .., wait]) if !keys.is_empty() => {
                if let Some(reply) = self.pop_or_wait(fd, name, keys, wait).await {
                    reply.write(out);
                }
                return;
            }
            _ => {}
        }
        self.plain(fd, written, args).await.write(out);
    }

    /// A command with one reply.
    async fn plain(&mut self, fd: Fd, written: &str, args: &[Bytes]) -> Reply {
        let name = written.to_uppercase();
        match (name.as_str(), args) {
            ("PING", []) => Reply::Simple("PONG".to_owned()),
            ("PING" | "ECHO", [text]) => bulk(text),
            ("SELECT", [db]) => match integer(db) {
                Some(0) => ok(),
                Some(1..=15) => {
                    self.sys.not_simulated("redis-server: databases other than 0", None);
                    error("ERR only database 0 is simulated")
                }
                Some(_) => error("ERR DB index is out of range"),
                None => error(NOT_INTEGER),
            },
            ("INFO", _) => {
                let wanted = args.first().map(|s| to_text(s).to_lowercase()).unwrap_or_default();
                bulk(self.info(&wanted).as_bytes())
            }
            ("ROLE", []) => self.role(),
            ("TIME", []) => {
                let micros = self.sys.wall_unix_micros();
                let part = |n: i64| bulk(n.to_string().as_bytes());
                Reply::Array(vec![part(micros / 1_000_000), part(micros % 1_000_000)])
            }
            ("LASTSAVE", []) => Reply::Integer(self.saved / 1_000),
            ("SAVE", []) => {
                let saved = self.save('M').await;
                (self.dirty, self.saved) = (0, self.now_ms());
                if saved { ok() } else { error("ERR") }
            }
            ("BGSAVE", _) => {
                self.save_behind().await;
                Reply::Simple("Background saving started".to_owned())
            }
            ("WAIT", [_, _]) => {
                let n = self.clients.iter().filter(|c| c.is_fed()).count();
                Reply::Integer(n as i64)
            }
            ("PUBLISH", [channel, text]) => Reply::Integer(self.publish(channel, text).await),
            ("REPLICAOF" | "SLAVEOF", [host, port]) => self.follow(host, port).await,
            ("CONFIG", [what, rest @ ..]) => self.config(&to_text(what).to_uppercase(), rest),
            ("CLIENT", [what, rest @ ..]) => {
                self.about_client(fd, &to_text(what).to_uppercase(), rest)
            }
            ("COMMAND", _) => Reply::Array(Vec::new()),
            _ => match self.execute(&name, args).await {
                Some(reply) => reply,
                None => match commands::refuse(&name, written, args) {
                    Ok(reply) => reply,
                    Err(what) => {
                        self.sys.not_simulated(&format!("redis-server: {what}"), None);
                        Reply::Error(format!("ERR {name} is not simulated"))
                    }
                },
            },
        }
    }

    fn sign_in(&mut self, fd: Fd, n: usize, password: &[u8]) -> Reply {
        let Some(own) = self.options.password.clone() else {
            if n == 2 {
                return error("WRONGPASS invalid username-password pair or user is disabled.");
            }
            return error(
                "ERR AUTH <password> called without any password configured for the default \
                 user. Are you sure your configuration is correct?",
            );
        };
        let right = own.as_bytes() == password;
        if let Some(client) = self.client(fd) {
            client.trusted = right;
        }
        match right {
            true => ok(),
            false => error("WRONGPASS invalid username-password pair or user is disabled."),
        }
    }

    fn channels(&mut self, fd: Fd, name: &str, args: &[Bytes], out: &mut Vec<u8>) {
        let Some(client) = self.client(fd) else { return };
        let mut names = args.to_vec();
        if name == "UNSUBSCRIBE" && names.is_empty() {
            names = client.channels.iter().cloned().collect();
        }
        if names.is_empty() {
            let name = name.to_lowercase();
            let text = format!("ERR wrong number of arguments for '{name}' command");
            return Reply::Error(text).write(out);
        }
        for channel in names {
            match name {
                "SUBSCRIBE" => drop(client.channels.insert(channel.clone())),
                "PSUBSCRIBE" => drop(client.patterns.insert(channel.clone())),
                _ => drop(client.channels.remove(&channel)),
            }
            let n = client.channels.len() + client.patterns.len();
            let kind = name.to_lowercase();
            let parts = vec![bulk(kind.as_bytes()), bulk(&channel), Reply::Integer(n as i64)];
            Reply::Array(parts).write(out);
        }
    }

    async fn publish(&mut self, channel: &[u8], text: &[u8]) -> i64 {
        let mut sent = Vec::new();
        for client in &self.clients {
            if client.channels.contains(channel) {
                sent.push((client.fd, vec![bulk(b"message"), bulk(channel), bulk(text)]));
            }
            for pattern in &client.patterns {
                if wild(&to_text(pattern), &to_text(channel)) {
                    let parts = vec![bulk(b"pmessage"), bulk(pattern), bulk(channel), bulk(text)];
                    sent.push((client.fd, parts));
                }
            }
        }
        let n = sent.len() as i64;
        for (fd, parts) in sent {
            let mut bytes = Vec::new();
            Reply::Array(parts).write(&mut bytes);
            let _ = self.sys.write(fd, &bytes).await;
        }
        n
    }

    async fn transaction(&mut self, fd: Fd, name: &str) -> Reply {
        let Some(client) = self.client(fd) else { return error("ERR") };
        match (name, client.queue.take()) {
            ("MULTI", None) => {
                client.queue = Some((Vec::new(), false));
                ok()
            }
            ("MULTI", queue) => {
                client.queue = queue;
                error("ERR MULTI calls can not be nested")
            }
            (name, None) => Reply::Error(format!("ERR {name} without MULTI")),
            ("DISCARD", _) => ok(),
            (_, Some((commands, _))) => {
                let mut replies = Vec::new();
                for (name, args) in commands {
                    replies.push(self.plain(fd, &name, &args).await);
                }
                Reply::Array(replies)
            }
        }
    }

    fn about_replica(&mut self, fd: Fd, what: &str, value: &[u8], out: &mut Vec<u8>) {
        let Some(client) = self.client(fd) else { return };
        let n = integer(value).unwrap_or(0);
        let fresh = || Replica { port: 0, online: false, acked: 0, waits: false };
        match what {
            "listening-port" => client.replica.get_or_insert_with(fresh).port = n as u16,
            "ack" => {
                client.replica.get_or_insert_with(fresh).acked = n as u64;
                return;
            }
            _ => {}
        }
        ok().write(out);
    }

    /// Pops from the first of the lists that has something, or has the client wait.
    async fn pop_or_wait(
        &mut self,
        fd: Fd,
        name: &str,
        keys: &[Bytes],
        wait: &[u8],
    ) -> Option<Reply> {
        let Some(secs) = float(wait).filter(|secs| *secs >= 0.0) else {
            return Some(error("ERR timeout is not a float or out of range"));
        };
        let left = name == "BLPOP";
        for key in keys {
            if let Some(reply) = self.pop_for(key, left).await {
                return Some(reply);
            }
        }
        let span = SimTime((secs.min(1e9) * 1_000_000.0) as u64);
        let until = (secs > 0.0).then(|| self.sys.now() + span);
        let client = self.client(fd)?;
        client.blocked = Some(Blocked { keys: keys.to_vec(), left, until });
        None
    }

    async fn pop_for(&mut self, key: &Bytes, left: bool) -> Option<Reply> {
        if !self.store.keys.contains_key(key) {
            return None;
        }
        let name = if left { "LPOP" } else { "RPOP" };
        match self.execute(name, std::slice::from_ref(key)).await {
            Some(Reply::Bulk(Some(item))) => Some(Reply::Array(vec![bulk(key), bulk(&item)])),
            Some(Reply::Bulk(None)) | None => None,
            other => other,
        }
    }

    /// Gives waiting clients what has come meanwhile, the longest waiting first.
    pub(super) async fn unblock(&mut self) {
        let waiting: Vec<Fd> =
            self.clients.iter().filter(|c| c.blocked.is_some()).map(|c| c.fd).collect();
        for fd in waiting {
            let Some(blocked) = self.client(fd).and_then(|c| c.blocked.take()) else { continue };
            let mut reply = None;
            for key in &blocked.keys {
                reply = self.pop_for(key, blocked.left).await;
                if reply.is_some() {
                    break;
                }
            }
            let Some(reply) = reply else {
                if let Some(client) = self.client(fd) {
                    client.blocked = Some(blocked);
                }
                continue;
            };
            let mut bytes = Vec::new();
            reply.write(&mut bytes);
            let _ = self.sys.write(fd, &bytes).await;
        }
    }

    pub(super) async fn unblock_late(&mut self, now: SimTime) {
        let late = |blocked: &Blocked| blocked.until.is_some_and(|until| until <= now);
        let fds: Vec<Fd> = self
            .clients
            .iter()
            .filter(|c| c.blocked.as_ref().is_some_and(late))
            .map(|c| c.fd)
            .collect();
        for fd in fds {
            if let Some(client) = self.client(fd) {
                client.blocked = None;
            }
            let _ = self.sys.write(fd, b"*-1\r\n").await;
        }
    }

    async fn follow(&mut self, host: &[u8], port: &[u8]) -> Reply {
        let words = [to_text(host).to_lowercase(), to_text(port).to_lowercase()];
        self.leave_master();
        if words == ["no", "one"] {
            self.options.master = None;
            self.log("* MASTER MODE enabled (user request from client)").await;
            return ok();
        }
        let values = [to_text(host), to_text(port)];
        match self.options.set("replicaof", &values) {
            Ok(()) => {
                let (host, port) = (&values[0], &values[1]);
                self.log(&format!("* REPLICAOF {host}:{port} enabled (user request)")).await;
                ok()
            }
            Err(why) => Reply::Error(format!("ERR {why}")),
        }
    }

    fn config(&mut self, what: &str, args: &[Bytes]) -> Reply {
        match (what, args) {
            ("GET", [_, ..]) => {
                let fits =
                    |name: &&&str| args.iter().any(|p| wild(&to_text(p).to_lowercase(), name));
                let each = |name: &&str| {
                    let value = self.options.get(name).unwrap_or_default();
                    [bulk(name.as_bytes()), bulk(value.as_bytes())]
                };
                Reply::Array(Options::NAMES.iter().filter(fits).flat_map(each).collect())
            }
            ("SET", [name, value]) => {
                let name = to_text(name).to_lowercase();
                let fixed = ["port", "dir", "appendonly", "databases"].contains(&name.as_str());
                let why = match fixed {
                    true => Err("can't set immutable config".to_owned()),
                    false => {
                        if name == "save" {
                            self.options.saves.clear();
                        }
                        self.options.set(&name, &[to_text(value)])
                    }
                };
                match why {
                    Ok(()) => ok(),
                    Err(why) if why.starts_with("Bad directive") => Reply::Error(format!(
                        "ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
                    )),
                    Err(why) => Reply::Error(format!(
                        "ERR CONFIG SET failed (possibly related to argument '{name}') - {why}"
                    )),
                }
            }
            ("RESETSTAT", []) => ok(),
            _ => {
                self.sys.not_simulated(&format!("redis-server: CONFIG {what}"), None);
                Reply::Error(format!("ERR CONFIG {what} is not simulated"))
            }
        }
    }

    fn about_client(&mut self, fd: Fd, what: &str, args: &[Bytes]) -> Reply {
        let place = self.clients.iter().position(|c| c.fd == fd).unwrap_or(0) as i64 + 1;
        let list = || {
            let each = |(idx, c): (usize, &super::server::Client)| {
                let (ip, port) = c.peer;
                format!("id={} addr={ip}:{port} name={} db=0\n", idx + 1, to_text(&c.name))
            };
            self.clients.iter().enumerate().map(each).collect::<String>()
        };
        match (what, args) {
            ("ID", []) => Reply::Integer(place),
            ("LIST", []) => bulk(list().as_bytes()),
            ("GETNAME", []) => {
                let name = self.client(fd).map(|c| c.name.clone()).unwrap_or_default();
                Reply::Bulk(Some(name).filter(|name| !name.is_empty()))
            }
            ("SETNAME", [name]) => {
                if let Some(client) = self.client(fd) {
                    client.name.clone_from(name);
                }
                ok()
            }
            ("SETINFO" | "NO-EVICT" | "NO-TOUCH", _) => ok(),
            _ => {
                self.sys.not_simulated(&format!("redis-server: CLIENT {what}"), None);
                Reply::Error(format!("ERR CLIENT {what} is not simulated"))
            }
        }
    }
}
