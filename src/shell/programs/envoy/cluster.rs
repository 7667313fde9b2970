//! Envoy's clusters: their hosts, which of them is next, and what is counted.

use super::health::Check;
use crate::time::SimTime;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

#[derive(Default)]
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) connect: SimTime,
    pub(super) least: bool,
    pub(super) random: bool,
    /// Most connections, pending requests, requests, retries at once.
    pub(super) limits: [u64; 4],
    pub(super) outlier: Option<Outlier>,
    pub(super) check: Option<Check>,
    /// As written.
    pub(super) endpoints: Vec<(String, u16)>,
    pub(super) hosts: RefCell<Vec<Host>>,
    pub(super) turn: Cell<usize>,
    pub(super) open: Cell<u64>,
    pub(super) retrying: Cell<u64>,
    pub(super) counts: RefCell<BTreeMap<&'static str, u64>>,
}

pub(super) struct Outlier {
    pub(super) consecutive: u64,
    pub(super) base: SimTime,
    pub(super) interval: SimTime,
    pub(super) most_percent: u64,
}

#[derive(Clone)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) addr: Ipv4Addr,
    pub(super) port: u16,
    pub(super) healthy: bool,
    /// Health checks in a row that went the other way.
    pub(super) turned: u64,
    pub(super) fives: u64,
    pub(super) ejected_until: Option<SimTime>,
    pub(super) n_ejected: u64,
    pub(super) open: u64,
    pub(super) counts: BTreeMap<&'static str, u64>,
}

impl Host {
    pub(super) fn new(name: &str, addr: Ipv4Addr, port: u16) -> Host {
        Host {
            name: name.to_owned(),
            addr,
            port,
            healthy: true,
            turned: 0,
            fives: 0,
            ejected_until: None,
            n_ejected: 0,
            open: 0,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.addr, self.port)
    }
}

impl Cluster {
    pub(super) fn count(&self, name: &'static str) {
        *self.counts.borrow_mut().entry(name).or_insert(0) += 1;
    }

    pub(super) fn with_host(&self, place: &str, act: impl FnOnce(&mut Host)) {
        if let Some(host) = self.hosts.borrow_mut().iter_mut().find(|h| h.place() == place) {
            act(host);
        }
    }

    /// The next host; none where none is fit. Past half of them unfit, all are tried again.
    // Models Envoy's panic threshold of 50 %.
    pub(super) fn pick(&self, random: u64) -> Option<Host> {
        let hosts = self.hosts.borrow();
        let fit: Vec<&Host> =
            hosts.iter().filter(|h| h.healthy && h.ejected_until.is_none()).collect();
        let panics = fit.len() * 2 < hosts.len();
        if panics && !hosts.is_empty() && fit.is_empty() && hosts.len() == 1 && self.check.is_none()
        {
            return hosts.first().cloned();
        }
        let all: Vec<&Host> = if panics { hosts.iter().collect() } else { fit };
        if all.is_empty() {
            return None;
        }
        if self.least {
            return all.into_iter().min_by_key(|h| h.open).cloned();
        }
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        let idx = if self.random { random as usize } else { turn };
        all.get(idx % all.len()).map(|h| (*h).clone())
    }

    /// Counts an answer in and puts a host out that has failed too often in a row.
    pub(super) fn seen(&self, place: &str, status: u16, now: SimTime) {
        let Some(outlier) = &self.outlier else { return };
        let (n, out) = {
            let hosts = self.hosts.borrow();
            (hosts.len() as u64, hosts.iter().filter(|h| h.ejected_until.is_some()).count() as u64)
        };
        // One host may always be put out.
        let room = out == 0 || (out + 1) * 100 <= outlier.most_percent * n;
        let mut ejected = false;
        self.with_host(place, |host| {
            host.fives = if status >= 500 { host.fives + 1 } else { 0 };
            if host.fives >= outlier.consecutive && host.ejected_until.is_none() && room {
                host.n_ejected += 1;
                host.fives = 0;
                let span = SimTime(outlier.base.0.saturating_mul(host.n_ejected));
                host.ejected_until = Some(now + span.min(SimTime::from_secs(300)));
                ejected = true;
            }
        });
        if ejected {
            self.count("outlier_detection.ejections_enforced_total");
            self.count("outlier_detection.ejections_enforced_consecutive_5xx");
        }
    }

    /// Takes hosts back whose time is over.
    pub(super) fn take_back(&self, now: SimTime) {
        for host in self.hosts.borrow_mut().iter_mut() {
            if host.ejected_until.is_some_and(|until| until <= now) {
                host.ejected_until = None;
            }
        }
    }
}
