//! What looks after Envoy's hosts: names looked up again, health checks, the end of ejections.

use super::cluster::{Cluster, Host};
use super::conf::Conf;
use crate::shell::Sys;
use crate::shell::programs::web::{self, Patience};
use crate::time::SimTime;
use std::rc::Rc;

pub(super) struct Check {
    /// None: a connection is enough.
    pub(super) path: Option<String>,
    pub(super) interval: SimTime,
    pub(super) timeout: SimTime,
    pub(super) bad: u64,
    pub(super) good: u64,
}

/// Looks up the hosts of a cluster by name; a host that stays keeps what is known of it.
pub(super) async fn resolve(sys: &Sys, cluster: &Cluster) {
    if cluster.kind == "STATIC" {
        return;
    }
    let mut hosts = Vec::new();
    for (name, port) in &cluster.endpoints {
        let mut addrs = sys.resolve(name).await;
        if cluster.kind == "LOGICAL_DNS" {
            addrs.truncate(1);
        }
        if addrs.is_empty() {
            cluster.count("update_failure");
            // A name that does not resolve now leaves the hosts as they were.
            return;
        }
        for addr in addrs {
            let fresh = Host::new(name, addr, *port);
            let old = cluster.hosts.borrow().iter().find(|h| h.place() == fresh.place()).cloned();
            hosts.push(old.unwrap_or(fresh));
        }
    }
    *cluster.hosts.borrow_mut() = hosts;
}

/// Looks after one cluster for ever.
pub(super) async fn watch(sys: Sys, conf: Rc<Conf>, idx: usize) {
    let Some(cluster) = conf.clusters.get(idx) else { return };
    let mut next_names = sys.now() + SimTime::from_secs(5);
    let mut next_check = sys.now();
    let mut next_out = sys.now();
    loop {
        let now = sys.now();
        if cluster.kind != "STATIC" && now >= next_names {
            resolve(&sys, cluster).await;
            next_names = now + SimTime::from_secs(5);
        }
        if let Some(check) = &cluster.check
            && now >= next_check
        {
            all(&sys, cluster, check).await;
            next_check = now + check.interval;
        }
        if let Some(outlier) = &cluster.outlier
            && now >= next_out
        {
            cluster.take_back(sys.now());
            next_out = now + outlier.interval;
        }
        let mut wake =
            if cluster.kind == "STATIC" { now + SimTime::from_secs(3600) } else { next_names };
        if cluster.check.is_some() {
            wake = wake.min(next_check);
        }
        if cluster.outlier.is_some() {
            wake = wake.min(next_out);
        }
        if wake > sys.now() {
            web::sleep(&sys, wake - sys.now()).await;
        } else {
            web::sleep(&sys, SimTime::from_millis(10)).await;
        }
    }
}

async fn all(sys: &Sys, cluster: &Cluster, check: &Check) {
    let hosts = cluster.hosts.borrow().clone();
    for host in hosts {
        let good = one(sys, cluster, check, &host).await;
        cluster.count("health_check.attempt");
        cluster.count(if good { "health_check.success" } else { "health_check.failure" });
        cluster.with_host(&host.place(), |own| {
            if good == own.healthy {
                own.turned = 0;
                return;
            }
            own.turned += 1;
            // An HTTP answer that is wrong counts at once; a host never seen well too.
            let wanted = if good { check.good } else { check.bad };
            if own.turned >= wanted {
                own.healthy = good;
                own.turned = 0;
            }
        });
    }
}

async fn one(sys: &Sys, cluster: &Cluster, check: &Check, host: &Host) -> bool {
    let label = format!("{}:{}", host.name, host.port);
    let to = (host.addr, host.port);
    let patience = Patience { connect: check.timeout, read: check.timeout };
    let Some(path) = &check.path else {
        let until = Some(sys.now() + check.timeout);
        return match sys.connect_addr(&label, host.addr, host.port, until).await {
            Ok(fd) => {
                let _ = sys.close(fd);
                true
            }
            Err(_) => false,
        };
    };
    let headers = [
        ("host".to_owned(), cluster.name.clone()),
        ("user-agent".to_owned(), "Envoy/HC".to_owned()),
        ("connection".to_owned(), "close".to_owned()),
    ];
    let request = web::request_bytes(&format!("GET {path} HTTP/1.1"), &headers, b"");
    let got = web::fetch_at(sys, &label, to, &request, patience).await;
    got.is_ok_and(|(head, _)| head.status() == Some(200))
}
