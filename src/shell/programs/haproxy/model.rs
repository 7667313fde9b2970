//! What a haproxy configuration comes to: proxies, servers and what they know while running.

use super::acl::{Acl, Condition};
use super::check::Check;
use super::conf::Line;
use super::rules::{HttpRule, TcpRule};
use crate::time::SimTime;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Where log lines go and which.
#[derive(Clone, Debug)]
pub(super) struct LogTarget {
    /// 1 or 2.
    pub(super) fd: i32,
    pub(super) format: String,
    pub(super) facility: usize,
    /// The highest level number let through; 7 is everything.
    pub(super) level: usize,
}

#[derive(Default)]
pub(super) struct Conf {
    pub(super) logs: Vec<LogTarget>,
    pub(super) proxies: Vec<Proxy>,
    pub(super) hard_stop_ms: Option<u64>,
}

impl Conf {
    pub(super) fn backend(&self, name: &str) -> Option<&Proxy> {
        self.proxies.iter().find(|p| p.id == name && p.is_back())
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Defaults,
    Frontend,
    Backend,
    Listen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Balance {
    #[default]
    RoundRobin,
    LeastConn,
    First,
    Source,
    Random,
}

#[derive(Clone, Debug)]
pub(super) struct Bind {
    pub(super) addr: Ipv4Addr,
    pub(super) port: u16,
    pub(super) line: Line,
}

/// A frontend, a backend or both.
#[derive(Clone, Default)]
pub(super) struct Proxy {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) http: bool,
    pub(super) disabled: bool,
    pub(super) binds: Vec<Bind>,
    pub(super) servers: Vec<Server>,
    pub(super) balance: Balance,
    pub(super) acls: Vec<Acl>,
    pub(super) switching: Vec<(String, Option<Condition>)>,
    pub(super) default_backend: Option<String>,
    /// Milliseconds by name: `client`, `connect`, `server`, `check`, `tunnel`...
    pub(super) timeouts: BTreeMap<String, u64>,
    pub(super) inspect_ms: Option<u64>,
    pub(super) connection_rules: Vec<TcpRule>,
    pub(super) content_rules: Vec<TcpRule>,
    pub(super) http_rules: Vec<HttpRule>,
    pub(super) answer_rules: Vec<HttpRule>,
    pub(super) check: Check,
    pub(super) options: BTreeSet<String>,
    pub(super) logs: Vec<LogTarget>,
    pub(super) uses_global_logs: bool,
    pub(super) log_format: Option<String>,
    pub(super) stats_uri: Option<String>,
    pub(super) monitor_uri: Option<String>,
    pub(super) retries: Option<u32>,
    pub(super) error_files: BTreeMap<u16, Vec<u8>>,
    pub(super) default_server: Vec<String>,
    /// Connections and requests taken so far, and open now.
    pub(super) total: Cell<u64>,
    pub(super) open: Cell<u32>,
}

impl Proxy {
    pub(super) fn is_front(&self) -> bool {
        matches!(self.kind, Kind::Frontend | Kind::Listen)
    }

    pub(super) fn is_back(&self) -> bool {
        matches!(self.kind, Kind::Backend | Kind::Listen)
    }

    /// How messages call it.
    pub(super) fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Frontend => "frontend",
            Kind::Backend => "backend",
            Kind::Listen => "proxy",
            Kind::Defaults => "defaults",
        }
    }

    pub(super) fn timeout(&self, name: &str) -> Option<SimTime> {
        self.timeouts.get(name).filter(|ms| **ms > 0).map(|ms| SimTime::from_millis(*ms))
    }

    pub(super) fn has(&self, option: &str) -> bool {
        self.options.contains(option)
    }

    /// Usable servers: (active, backup).
    pub(super) fn n_up(&self) -> (usize, usize) {
        let up = |backup: bool| {
            let fit = |s: &&Server| s.backup == backup && s.usable();
            self.servers.iter().filter(fit).count()
        };
        (up(false), up(true))
    }
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) line: Line,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) checked: bool,
    pub(super) check_port: Option<u16>,
    pub(super) inter_ms: u64,
    pub(super) fast_ms: Option<u64>,
    pub(super) down_ms: Option<u64>,
    pub(super) fall: u32,
    pub(super) rise: u32,
    pub(super) weight: i64,
    pub(super) backup: bool,
    pub(super) disabled: bool,
    pub(super) maxconn: u32,
    /// `init-addr` lets it start without an address.
    pub(super) may_lack_addr: bool,
    pub(super) addr: Cell<Option<Ipv4Addr>>,
    pub(super) state: RefCell<State>,
}

/// What a server is thought to be now.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) up: bool,
    /// 0 to rise + fall - 1; from rise on it is up.
    pub(super) health: u32,
    pub(super) open: u32,
    pub(super) total: u64,
    /// Running weight of the round.
    pub(super) current: i64,
    pub(super) last_check: String,
    pub(super) n_failed: u32,
    pub(super) n_down: u32,
}

impl Server {
    pub(super) fn usable(&self) -> bool {
        let state = self.state.borrow();
        state.up && !self.disabled && self.addr.get().is_some() && self.weight > 0
    }
}
