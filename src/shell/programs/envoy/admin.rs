//! Envoy's admin pages.

use super::run::Envoy;
use crate::order::Order;
use crate::shell::programs::web::{Answer, Request};

const HELP: &str = "admin commands are:\n  /: Admin home page\n  /clusters: upstream cluster \
    status\n  /healthcheck/fail (POST): cause the server to fail health checks\n  /healthcheck/ok \
    (POST): cause the server to pass health checks\n  /help: print out list of admin commands\n  \
    /listeners: print listener info\n  /quitquitquit (POST): exit the server\n  /ready: print \
    server state, return 200 if LIVE, otherwise return 503\n  /server_info: print server \
    version/status information\n  /stats: print server stats\n  /stats/prometheus: print server \
    stats in prometheus format\n";

pub(super) fn answer(envoy: &Envoy, request: &Request) -> Answer {
    let plain = |status: u16, text: String| Answer::text(status, "text/plain; charset=UTF-8", text);
    let post = request.method == "POST";
    match request.path() {
        "/ready" if envoy.failing.get() => plain(503, "DRAINING\n".to_owned()),
        "/ready" => plain(200, "LIVE\n".to_owned()),
        "/clusters" => plain(200, clusters(envoy)),
        "/stats" => plain(200, stats(envoy, request.query())),
        "/stats/prometheus" => plain(200, prometheus(envoy)),
        "/listeners" => {
            let each = envoy.conf.listeners.iter();
            plain(200, each.map(|l| format!("{}::{}:{}\n", l.name, l.addr, l.port)).collect())
        }
        "/server_info" => {
            let state = if envoy.failing.get() { "DRAINING" } else { "LIVE" };
            let up = (envoy.sys.now() - envoy.begun).as_secs();
            let (major, minor) = envoy.version;
            let text = format!(
                "{{\n \"version\": \"{major}.{minor}.0/Clean/RELEASE/BoringSSL\",\n \"state\": \
                 \"{state}\",\n \"uptime_current_epoch\": \"{up}s\",\n \"hot_restart_version\": \
                 \"11.104\"\n}}\n"
            );
            Answer::text(200, "application/json", text)
        }
        "/healthcheck/fail" | "/drain_listeners" if post => {
            envoy.failing.set(true);
            plain(200, "OK\n".to_owned())
        }
        "/healthcheck/ok" if post => {
            envoy.failing.set(false);
            plain(200, "OK\n".to_owned())
        }
        "/quitquitquit" if post => {
            envoy.quits.set(true);
            plain(200, "OK\n".to_owned())
        }
        path @ ("/healthcheck/fail" | "/healthcheck/ok" | "/quitquitquit" | "/drain_listeners") => {
            let text = "Method GET not allowed, POST required.".to_owned();
            envoy.sys.not_simulated(&format!("envoy: GET {path}"), None);
            plain(405, text)
        }
        "/" | "/help" => plain(200, HELP.to_owned()),
        path
        @ ("/config_dump" | "/certs" | "/logging" | "/runtime" | "/memory" | "/contention") => {
            envoy.sys.not_simulated(&format!("envoy: the admin page {path}"), None);
            plain(501, format!("not simulated: {path}\n"))
        }
        _ => plain(404, format!("invalid path. {HELP}")),
    }
}

fn clusters(envoy: &Envoy) -> String {
    let mut out = String::new();
    for cluster in &envoy.conf.clusters {
        let name = &cluster.name;
        out.push_str(&format!("{name}::observability_name::{name}\n"));
        for (priority, limits) in [("default", cluster.limits), ("high", [1024, 1024, 1024, 3])] {
            let names = ["max_connections", "max_pending_requests", "max_requests", "max_retries"];
            for (limit, n) in names.iter().zip(limits) {
                out.push_str(&format!("{name}::{priority}_priority::{limit}::{n}\n"));
            }
        }
        out.push_str(&format!("{name}::added_via_api::false\n"));
        for host in cluster.hosts.borrow().iter() {
            let head = format!("{name}::{}", host.place());
            let count = |key: &str| host.counts.get(key).copied().unwrap_or(0);
            let mut flags = String::new();
            if !host.healthy {
                flags.push_str("/failed_active_hc");
            }
            if host.ejected_until.is_some() {
                flags.push_str("/failed_outlier_check");
            }
            let flags = if flags.is_empty() { "healthy".to_owned() } else { flags };
            for (key, value) in [
                ("cx_active", host.open.to_string()),
                ("cx_connect_fail", count("cx_connect_fail").to_string()),
                ("cx_total", count("cx_total").to_string()),
                ("rq_active", host.open.to_string()),
                ("rq_error", count("rq_error").to_string()),
                ("rq_success", count("rq_success").to_string()),
                ("rq_timeout", count("rq_timeout").to_string()),
                ("rq_total", count("rq_total").to_string()),
                (
                    "hostname",
                    if cluster.kind == "STATIC" { String::new() } else { host.name.clone() },
                ),
                ("health_flags", flags),
                ("weight", "1".to_owned()),
                ("region", String::new()),
                ("zone", String::new()),
                ("sub_zone", String::new()),
                ("canary", "false".to_owned()),
                ("priority", "0".to_owned()),
                ("success_rate", "-1".to_owned()),
                ("local_origin_success_rate", "-1".to_owned()),
            ] {
                out.push_str(&format!("{head}::{key}::{value}\n"));
            }
        }
    }
    out
}

/// What is counted always, so that it is shown before it happens.
const ALWAYS: &[&str] = &[
    "upstream_cx_connect_fail",
    "upstream_cx_none_healthy",
    "upstream_rq_2xx",
    "upstream_rq_5xx",
    "upstream_rq_pending_overflow",
    "upstream_rq_retry",
    "upstream_rq_timeout",
    "upstream_rq_total",
];

fn all(envoy: &Envoy) -> Vec<(String, String, u64)> {
    let mut out = Vec::new();
    for cluster in &envoy.conf.clusters {
        let counts = cluster.counts.borrow();
        let mut names: Vec<&str> = counts.keys().copied().chain(ALWAYS.iter().copied()).collect();
        names.order();
        names.dedup();
        for name in names {
            out.push((
                cluster.name.clone(),
                name.to_owned(),
                counts.get(name).copied().unwrap_or(0),
            ));
        }
        let hosts = cluster.hosts.borrow();
        let healthy = hosts.iter().filter(|h| h.healthy && h.ejected_until.is_none()).count();
        out.push((cluster.name.clone(), "membership_healthy".to_owned(), healthy as u64));
        out.push((cluster.name.clone(), "membership_total".to_owned(), hosts.len() as u64));
    }
    out
}

fn stats(envoy: &Envoy, query: &str) -> String {
    let filter = query.split('&').find_map(|pair| pair.strip_prefix("filter=")).unwrap_or("");
    let each =
        all(envoy).into_iter().map(|(cluster, name, n)| format!("cluster.{cluster}.{name}: {n}"));
    let mut lines: Vec<String> = each.collect();
    lines.push(format!("http.downstream_rq_total: {}", envoy.n_requests.get()));
    lines.push("server.live: 1".to_owned());
    lines.push(format!("server.uptime: {}", (envoy.sys.now() - envoy.begun).as_secs()));
    lines.order();
    lines.retain(|line| line.contains(filter));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn prometheus(envoy: &Envoy) -> String {
    let mut items = all(envoy);
    items.order_by(|a, b| a.1.cmp(&b.1));
    let mut out = String::new();
    let mut last = String::new();
    for (cluster, name, n) in items {
        let metric = format!("envoy_cluster_{}", name.replace('.', "_"));
        if metric != last {
            let kind = if name.starts_with("membership") { "gauge" } else { "counter" };
            out.push_str(&format!("# TYPE {metric} {kind}\n"));
            last.clone_from(&metric);
        }
        out.push_str(&format!("{metric}{{envoy_cluster_name=\"{cluster}\"}} {n}\n"));
    }
    out.push_str("# TYPE envoy_server_live gauge\nenvoy_server_live{} 1\n");
    out
}
