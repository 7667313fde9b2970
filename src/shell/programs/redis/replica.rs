//! Replication: a replica's way to its master, and what a master sends its replicas. Always the
//! whole data first and every change after it; no partial resynchronisation.

use super::disk;
use super::resp::{self, Parsed, write_command};
use super::server::Server;
use super::store::Store;
use crate::shell::{Errno, Fd, NetError};
use crate::time::SimTime;

/// How long a master waits between two pings of its replicas.
const PING: SimTime = SimTime::from_secs(10);
/// Longest silence of a master, and of one that does not take a connection.
const SILENCE: SimTime = SimTime::from_secs(60);
const CONNECT: SimTime = SimTime::from_millis(200);

/// A replica, seen by its master.
pub(super) struct Replica {
    pub(super) port: u16,
    pub(super) online: bool,
    pub(super) acked: u64,
    pub(super) waits: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Off,
    Ping,
    Auth,
    Port,
    Capa,
    Psync,
    Bulk,
    Up,
}

/// A master, seen by its replica.
#[derive(Default)]
pub(super) struct Link {
    fd: Option<Fd>,
    stage: Stage,
    pending: Vec<u8>,
    /// When to try again or to say how far it is.
    next: SimTime,
    heard: SimTime,
}

impl Link {
    pub(super) fn fd(&self) -> Option<Fd> {
        self.fd
    }

    pub(super) fn is_up(&self) -> bool {
        self.stage == Stage::Up
    }

    /// -1 while there is no connection.
    pub(super) fn silent_secs(&self, now: SimTime) -> i64 {
        if self.is_up() { (now - self.heard).as_secs() as i64 } else { -1 }
    }
}

impl Server {
    pub(super) fn replication_next(&self) -> Option<SimTime> {
        let link = self.options.master.is_some().then_some(self.link.next);
        let ping = self.clients.iter().any(super::server::Client::is_fed).then_some(self.next_ping);
        [link, ping, self.sync_at].into_iter().flatten().min()
    }

    pub(super) async fn replication_due(&mut self, now: SimTime) {
        if self.sync_at.is_some_and(|at| at <= now) {
            self.sync_at = None;
            self.synchronise().await;
        }
        if self.clients.iter().any(super::server::Client::is_fed) && self.next_ping <= now {
            self.next_ping = now + PING;
            self.feed(b"*1\r\n$4\r\nPING\r\n").await;
        }
        if self.options.master.is_none() || self.link.next > now {
            return;
        }
        self.link.next = now + SimTime::from_secs(1);
        match self.link.stage {
            Stage::Off => self.connect().await,
            Stage::Up => {
                let offset = self.offset.to_string();
                self.send_master(&["REPLCONF", "ACK", &offset]).await;
            }
            _ if now - self.link.heard > SILENCE => {
                self.lose("# Timeout connecting to the MASTER...").await;
            }
            _ => {}
        }
    }

    async fn connect(&mut self) {
        let Some((host, port)) = self.options.master.clone() else { return };
        self.log(&format!("* Connecting to MASTER {host}:{port}")).await;
        let until = self.sys.now() + CONNECT;
        match self.sys.connect(&host, port, Some(until)).await {
            Ok(fd) => {
                self.log("* MASTER <-> REPLICA sync started").await;
                self.log("* Non blocking connect for SYNC fired the event.").await;
                self.link.fd = Some(fd);
                self.link.pending.clear();
                self.link.heard = self.sys.now();
                self.link.stage = Stage::Ping;
                self.send_master(&["PING"]).await;
            }
            Err(NetError::BadAddress) => {
                self.log("# Unable to connect to MASTER: Name does not resolve").await;
            }
            Err(NetError::Errno(errno)) => {
                self.log("* MASTER <-> REPLICA sync started").await;
                let why = errno.text();
                self.log(&format!("# Error condition on socket for SYNC: {why}")).await;
            }
        }
    }

    async fn send_master(&mut self, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        if let Some(fd) = self.link.fd {
            let _ = self.sys.write(fd, &write_command(&words)).await;
        }
    }

    async fn lose(&mut self, why: &str) {
        self.log(why).await;
        if let Some(fd) = self.link.fd.take() {
            let _ = self.sys.close(fd);
        }
        self.link.stage = Stage::Off;
    }

    /// Forgets the master it had.
    pub(super) fn leave_master(&mut self) {
        if let Some(fd) = self.link.fd.take() {
            let _ = self.sys.close(fd);
        }
        self.link = Link { next: self.sys.now(), ..Link::default() };
    }

    pub(super) async fn hear_master(&mut self) {
        let Some(fd) = self.link.fd else { return };
        match self.sys.read(fd, 64 << 10).await {
            Ok(data) if !data.is_empty() => self.link.pending.extend(data),
            Err(Errno::Intr) => return,
            _ => return self.lose("* Connection with master lost.").await,
        }
        self.link.heard = self.sys.now();
        while self.link.fd.is_some() {
            let before = (self.link.stage, self.link.pending.len());
            match self.link.stage {
                Stage::Bulk => self.bulk().await,
                Stage::Up => self.apply().await,
                _ => {
                    let Some(end) = self.link.pending.iter().position(|b| *b == b'\n') else {
                        return;
                    };
                    let line: Vec<u8> = self.link.pending.drain(..=end).collect();
                    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                    self.shake_hands(&line).await;
                }
            }
            if before == (self.link.stage, self.link.pending.len()) {
                return;
            }
        }
    }

    /// One line of the master's while they agree on how to go on.
    async fn shake_hands(&mut self, line: &str) {
        let refused = line.starts_with('-');
        let port = self.options.port.to_string();
        match self.link.stage {
            Stage::Ping => {
                if refused && !line.starts_with("-NOAUTH") {
                    return self
                        .lose(&format!("# Error reply to PING from master: '{line}'"))
                        .await;
                }
                self.log("* Master replied to PING, replication can continue...").await;
                match self.options.master_password.clone() {
                    Some(password) => {
                        self.link.stage = Stage::Auth;
                        self.send_master(&["AUTH", &password]).await;
                    }
                    None => {
                        self.link.stage = Stage::Port;
                        self.send_master(&["REPLCONF", "listening-port", &port]).await;
                    }
                }
            }
            Stage::Auth if refused => {
                self.lose(&format!("# Unable to AUTH to MASTER: {line}")).await;
            }
            Stage::Auth => {
                self.link.stage = Stage::Port;
                self.send_master(&["REPLCONF", "listening-port", &port]).await;
            }
            Stage::Port => {
                if refused {
                    let what = "(Non critical) Master does not understand REPLCONF listening-port";
                    self.log(&format!("* {what}: {line}")).await;
                }
                self.link.stage = Stage::Capa;
                self.send_master(&["REPLCONF", "capa", "eof", "capa", "psync2"]).await;
            }
            Stage::Capa => {
                if refused {
                    let what = "(Non critical) Master does not understand REPLCONF capa";
                    self.log(&format!("* {what}: {line}")).await;
                }
                self.log("* Partial resynchronization not possible (no cached master)").await;
                self.link.stage = Stage::Psync;
                self.send_master(&["PSYNC", "?", "-1"]).await;
            }
            _ if line.is_empty() => {}
            _ => match line.strip_prefix("+FULLRESYNC ").and_then(|rest| rest.split_once(' ')) {
                Some((id, offset)) => {
                    self.log(&format!("* Full resync from master: {id}:{offset}")).await;
                    self.offset = offset.parse().unwrap_or(0);
                    self.link.stage = Stage::Bulk;
                }
                None => {
                    self.lose(&format!("# Unexpected reply to PSYNC from master: {line}")).await;
                }
            },
        }
    }

    /// The master's whole data, once it is all there.
    async fn bulk(&mut self) {
        while self.link.pending.first() == Some(&b'\n') {
            self.link.pending.remove(0);
        }
        let Some(end) = self.link.pending.iter().position(|b| *b == b'\n') else { return };
        let head = String::from_utf8_lossy(&self.link.pending[..end]).into_owned();
        let n: usize = head.trim().trim_start_matches('$').parse().unwrap_or(0);
        let Some(data) = self.link.pending.get(end + 1..end + 1 + n).map(<[u8]>::to_vec) else {
            return;
        };
        self.link.pending.drain(..end + 1 + n);
        let what = "* MASTER <-> REPLICA sync";
        self.log(&format!("{what}: receiving {n} bytes from master to disk")).await;
        self.log(&format!("{what}: Flushing old data")).await;
        self.log(&format!("{what}: Loading DB in memory")).await;
        let mut store = Store::default();
        if disk::load(&data, &mut store).is_none() {
            return self.lose("# Failed trying to load the MASTER synchronization DB").await;
        }
        let n = store.keys.len();
        self.store = store;
        self.log(&format!("* Done loading RDB, keys loaded: {n}, keys expired: 0.")).await;
        self.log(&format!("{what}: Finished with success")).await;
        self.link.stage = Stage::Up;
    }

    /// Changes the master sends.
    async fn apply(&mut self) {
        while let Parsed::Whole(args, used) = resp::command(&self.link.pending) {
            self.link.pending.drain(..used);
            self.offset += used as u64;
            if let Some((name, args)) = args.split_first() {
                let name = String::from_utf8_lossy(name).to_uppercase();
                self.store.run(&name, args, self.now_ms());
            }
        }
    }

    /// Sends a change to all replicas that follow.
    pub(super) async fn feed(&mut self, bytes: &[u8]) {
        let fds: Vec<Fd> = self.clients.iter().filter(|c| c.is_fed()).map(|c| c.fd).collect();
        if !fds.is_empty() {
            self.offset += bytes.len() as u64;
        }
        for fd in fds {
            let _ = self.sys.write(fd, bytes).await;
        }
    }

    /// A replica asked for everything.
    pub(super) async fn asked_to_sync(&mut self, fd: Fd) {
        let now = self.sys.now();
        let Some(client) = self.client(fd) else { return };
        let ip = client.peer.0;
        let replica = client.replica.get_or_insert(Replica {
            port: 0,
            online: false,
            acked: 0,
            waits: false,
        });
        replica.waits = true;
        let place = format!("{ip}:{}", replica.port);
        self.log(&format!("* Replica {place} asks for synchronization")).await;
        self.log(&format!("* Full resync requested by replica {place}")).await;
        if self.sync_at.is_none() {
            let id = self.id.clone();
            let none = "0".repeat(40);
            if self.offset == 0 {
                self.log(&format!(
                    "* Replication backlog created, my new replication IDs are '{id}' and '{none}'"
                ))
                .await;
            }
            self.log("* Delay next BGSAVE for diskless SYNC").await;
            self.sync_at = Some(now + SimTime::from_millis(self.options.sync_delay));
        }
    }

    /// Sends everything to the replicas that wait.
    async fn synchronise(&mut self) {
        self.log("* Starting BGSAVE for SYNC with target: replicas sockets").await;
        let data = disk::dump(&self.store);
        let head = format!("+FULLRESYNC {} {}\r\n${}\r\n", self.id, self.offset, data.len());
        let bytes = [head.as_bytes(), &data].concat();
        let mut done = Vec::new();
        for client in &mut self.clients {
            if let Some(replica) = client.replica.as_mut().filter(|r| r.waits) {
                (replica.waits, replica.online) = (false, true);
                done.push((client.fd, format!("{}:{}", client.peer.0, replica.port)));
            }
        }
        for (fd, _) in &done {
            let _ = self.sys.write(*fd, &bytes).await;
        }
        for (_, place) in done {
            self.log(&format!("* Synchronization with replica {place} succeeded")).await;
        }
        self.next_ping = self.sys.now() + PING;
    }
}
