//! Envoy's bootstrap: listeners, routes and clusters as the lab runs them, and what is wrong with
//! it in Envoy's words.

use super::cluster::{Cluster, Host};
use super::fields;
use crate::regex::{Flavor, Options, Regex};
use crate::shell::programs::nginx::posix;
use crate::time::SimTime;
use crate::yaml::{self, Node};
use std::net::Ipv4Addr;

#[derive(Default)]
pub(super) struct Conf {
    pub(super) listeners: Vec<Listener>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) admin: Option<(Ipv4Addr, u16)>,
    pub(super) not_simulated: Vec<String>,
}

pub(super) struct Listener {
    pub(super) name: String,
    pub(super) addr: Ipv4Addr,
    pub(super) port: u16,
    pub(super) serves: Serves,
    /// Forms of access log lines for stdout.
    pub(super) logs: Vec<Form>,
}

pub(super) enum Serves {
    Http(Vec<VirtualHost>),
    Tcp(String),
    Nothing,
}

/// How an access log line is made.
pub(super) enum Form {
    Text(String),
    Json(Vec<(String, String)>),
}

pub(super) struct VirtualHost {
    pub(super) domains: Vec<String>,
    pub(super) routes: Vec<Route>,
}

pub(super) enum Match {
    Prefix(String),
    Path(String),
    Regex(Regex),
}

pub(super) struct Route {
    pub(super) on: Match,
    /// Header name and the value it must have, where one is asked for.
    pub(super) headers: Vec<(String, Option<String>)>,
    pub(super) does: Does,
    pub(super) add_to_request: Vec<(String, String)>,
    pub(super) add_to_answer: Vec<(String, String)>,
}

pub(super) enum Does {
    Forward(Forward),
    Redirect { host: Option<String>, path: Option<String>, https: bool, code: u16 },
    Direct(u16, String),
}

pub(super) struct Forward {
    /// Names with their weights.
    pub(super) clusters: Vec<(String, u64)>,
    pub(super) timeout: SimTime,
    pub(super) prefix_rewrite: Option<String>,
    pub(super) host_rewrite: Option<String>,
    pub(super) auto_host: bool,
    pub(super) retry: Retry,
}

#[derive(Clone, Default)]
pub(super) struct Retry {
    pub(super) on: Vec<String>,
    pub(super) codes: Vec<u16>,
    pub(super) n: u64,
    pub(super) per_try: Option<SimTime>,
}

/// A field by its name with underscores, also where it is written as `camelCase`.
pub(super) fn get<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let found = node.get(name);
    found.or_else(|| {
        node.entries().iter().find(|entry| fields::snake(&entry.key) == name).map(|e| &e.value)
    })
}

fn at<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('.').try_fold(node, get)
}

fn list<'a>(node: &'a Node, path: &str) -> &'a [Node] {
    at(node, path).map_or(&[][..], Node::items)
}

fn text(node: Option<&Node>) -> Option<String> {
    node?.shown()
}

fn number(node: Option<&Node>) -> Option<u64> {
    text(node)?.parse().ok()
}

/// `0.25s` as protobuf writes durations.
fn span(node: Option<&Node>) -> Option<SimTime> {
    let text = text(node)?;
    let secs: f64 = text.strip_suffix('s')?.parse().ok()?;
    Some(SimTime((secs.clamp(0.0, 1e9) * 1_000_000.0) as u64))
}

fn socket(node: &Node) -> Option<(String, u16)> {
    let socket = at(node, "address.socket_address")?;
    Some((text(get(socket, "address"))?, number(get(socket, "port_value"))? as u16))
}

/// Reads a bootstrap; the error follows `error initializing configuration 'X': `.
pub(super) fn read(source: &str) -> Result<Conf, String> {
    let parsed = yaml::parse(source);
    if let Some(problem) = parsed.diagnostics.first() {
        let before = source.get(..problem.span.start as usize).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
        let why = problem.message.rsplit(": ").next().unwrap_or("");
        let place = format!("line {line}, column {column}");
        return Err(format!("Unable to convert YAML as JSON: yaml-cpp: error at {place}: {why}"));
    }
    let Some(root) = parsed.docs.first().and_then(|doc| doc.root.as_ref()) else {
        return Err("Unable to convert YAML as JSON: ".to_owned());
    };
    if let Some(why) = fields::unknown(root, "envoy.config.bootstrap.v3.Bootstrap", "") {
        return Err(why);
    }
    let mut conf = Conf::default();
    for what in ["dynamic_resources", "overload_manager", "stats_sinks", "tracing"] {
        if get(root, what).is_some() {
            conf.not_simulated.push(what.to_owned());
        }
    }
    conf.admin =
        get(root, "admin").and_then(socket).and_then(|(ip, port)| Some((ip.parse().ok()?, port)));
    for node in list(root, "static_resources.clusters") {
        let cluster = cluster(node, &mut conf.not_simulated)?;
        conf.clusters.push(cluster);
    }
    for node in list(root, "static_resources.listeners") {
        let listener = listener(node, &mut conf)?;
        conf.listeners.push(listener);
    }
    for listener in &conf.listeners {
        named(listener, &conf.clusters)?;
    }
    Ok(conf)
}

/// Every cluster a route names must be there.
fn named(listener: &Listener, clusters: &[Cluster]) -> Result<(), String> {
    let known = |name: &str| clusters.iter().any(|cluster| cluster.name == name);
    match &listener.serves {
        Serves::Http(hosts) => {
            for route in hosts.iter().flat_map(|host| &host.routes) {
                let Does::Forward(forward) = &route.does else { continue };
                if let Some((name, _)) = forward.clusters.iter().find(|(name, _)| !known(name)) {
                    return Err(format!("route: unknown cluster '{name}'"));
                }
            }
        }
        Serves::Tcp(name) if !known(name) => {
            return Err(format!("tcp_proxy: unknown cluster '{name}'"));
        }
        _ => {}
    }
    Ok(())
}

fn cluster(node: &Node, noted: &mut Vec<String>) -> Result<Cluster, String> {
    let name = text(get(node, "name")).unwrap_or_default();
    if name.is_empty() {
        return Err(
            "Proto constraint validation failed (ClusterValidationError.Name: value length \
                    must be at least 1 characters)"
                .to_owned(),
        );
    }
    let kind = text(get(node, "type")).unwrap_or("STATIC".to_owned()).to_uppercase();
    if !matches!(kind.as_str(), "STATIC" | "STRICT_DNS" | "LOGICAL_DNS") {
        noted.push(format!("cluster {name} of type {kind}; it has no hosts"));
    }
    let policy = text(get(node, "lb_policy")).unwrap_or("ROUND_ROBIN".to_owned());
    if matches!(policy.as_str(), "RING_HASH" | "MAGLEV") {
        noted.push(format!("lb_policy {policy}; hosts take turns"));
    }
    if get(node, "transport_socket").is_some() {
        noted.push(format!("TLS towards cluster {name}; bytes travel as plain text"));
    }
    let endpoints = endpoints(node, &kind)?;
    let limits = list(node, "circuit_breakers.thresholds").first();
    let limit =
        |field: &str, default: u64| limits.and_then(|l| number(get(l, field))).unwrap_or(default);
    let check = get(node, "health_checks").and_then(|checks| checks.items().first());
    if check.is_some_and(|c| get(c, "grpc_health_check").is_some()) {
        noted.push(format!("gRPC health checks of cluster {name}; a connection is enough"));
    }
    let made = Cluster {
        connect: span(get(node, "connect_timeout")).unwrap_or(SimTime::from_secs(5)),
        kind,
        least: policy == "LEAST_REQUEST",
        random: policy == "RANDOM",
        limits: [
            limit("max_connections", 1024),
            limit("max_pending_requests", 1024),
            limit("max_requests", 1024),
            limit("max_retries", 3),
        ],
        outlier: get(node, "outlier_detection").map(outlier),
        check: check.map(health_check),
        endpoints,
        name,
        ..Cluster::default()
    };
    if made.kind == "STATIC" {
        let hosts = made
            .endpoints
            .iter()
            .filter_map(|(host, port)| Some(Host::new(host, host.parse().ok()?, *port)));
        *made.hosts.borrow_mut() = hosts.collect();
    }
    Ok(made)
}

fn endpoints(node: &Node, kind: &str) -> Result<Vec<(String, u16)>, String> {
    let mut endpoints = Vec::new();
    for locality in list(node, "load_assignment.endpoints") {
        for endpoint in list(locality, "lb_endpoints") {
            let Some((host, port)) = get(endpoint, "endpoint").and_then(socket) else { continue };
            if kind == "STATIC" && host.parse::<Ipv4Addr>().is_err() {
                return Err(format!(
                    "malformed IP address: {host}. Consider setting resolver_name or setting \
                     cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"
                ));
            }
            endpoints.push((host, port));
        }
    }
    Ok(endpoints)
}

fn outlier(o: &Node) -> super::cluster::Outlier {
    super::cluster::Outlier {
        consecutive: number(get(o, "consecutive_5xx")).unwrap_or(5),
        base: span(get(o, "base_ejection_time")).unwrap_or(SimTime::from_secs(30)),
        interval: span(get(o, "interval")).unwrap_or(SimTime::from_secs(10)),
        most_percent: number(get(o, "max_ejection_percent")).unwrap_or(10),
    }
}

fn health_check(c: &Node) -> super::health::Check {
    super::health::Check {
        path: at(c, "http_health_check.path").and_then(|n| text(Some(n))),
        interval: span(get(c, "interval")).unwrap_or(SimTime::from_secs(10)),
        timeout: span(get(c, "timeout")).unwrap_or(SimTime::from_secs(1)),
        bad: number(get(c, "unhealthy_threshold")).unwrap_or(2),
        good: number(get(c, "healthy_threshold")).unwrap_or(2),
    }
}

fn listener(node: &Node, conf: &mut Conf) -> Result<Listener, String> {
    let name = text(get(node, "name")).unwrap_or_default();
    let (addr, port) = socket(node).ok_or_else(|| {
        "Proto constraint validation failed (ListenerValidationError.Address: value is required)".to_owned()
    })?;
    let addr = addr.parse().map_err(|_| format!("malformed IP address: {addr}"))?;
    let mut listener = Listener { name, addr, port, serves: Serves::Nothing, logs: Vec::new() };
    let chains = list(node, "filter_chains");
    if chains.len() > 1 {
        conf.not_simulated.push("more than one filter chain".to_owned());
    }
    let Some(chain) = chains.first() else { return Ok(listener) };
    if get(chain, "transport_socket").is_some() {
        let name = &listener.name;
        conf.not_simulated.push(format!("TLS of listener {name}; bytes travel as plain text"));
    }
    for filter in list(chain, "filters") {
        let name = text(get(filter, "name")).unwrap_or_default();
        let Some(typed) = get(filter, "typed_config") else {
            return Err(unregistered(&name, ""));
        };
        match fields::typed(typed).rsplit('.').next().unwrap_or("") {
            "HttpConnectionManager" => {
                for filter in list(typed, "http_filters") {
                    http_filter(filter, &mut conf.not_simulated)?;
                }
                if get(typed, "rds").is_some() {
                    conf.not_simulated.push("routes by RDS".to_owned());
                }
                listener.serves = Serves::Http(hosts(typed)?);
                listener.logs = logs(typed);
            }
            "TcpProxy" => {
                listener.serves = Serves::Tcp(text(get(typed, "cluster")).unwrap_or_default());
                listener.logs = logs(typed);
            }
            _ if name.is_empty() => return Err(unregistered(&name, "")),
            _ => conf.not_simulated.push(format!("the filter {name}")),
        }
    }
    Ok(listener)
}

fn unregistered(name: &str, url: &str) -> String {
    format!("Didn't find a registered implementation for '{name}' with type URL: '{url}'")
}

fn http_filter(filter: &Node, noted: &mut Vec<String>) -> Result<(), String> {
    let name = text(get(filter, "name")).unwrap_or_default();
    let Some(typed) = get(filter, "typed_config") else { return Err(unregistered(&name, "")) };
    if fields::typed(typed).rsplit('.').next() != Some("Router") {
        noted.push(format!("the HTTP filter {name}; requests pass it unchanged"));
    }
    Ok(())
}

fn logs(typed: &Node) -> Vec<Form> {
    let mut out = Vec::new();
    for log in list(typed, "access_log") {
        let Some(typed) = get(log, "typed_config") else { continue };
        let path = text(get(typed, "path")).unwrap_or("/dev/stdout".to_owned());
        if !matches!(path.as_str(), "/dev/stdout" | "/dev/stderr" | "/proc/self/fd/1") {
            continue;
        }
        let json = at(typed, "log_format.json_format").or_else(|| get(typed, "json_format"));
        let plain = at(typed, "log_format.text_format_source.inline_string")
            .or_else(|| at(typed, "log_format.text_format"))
            .or_else(|| get(typed, "format"));
        out.push(match (json, text(plain)) {
            (Some(json), _) => {
                let pair = |e: &yaml::Entry| Some((e.key.clone(), text(Some(&e.value))?));
                Form::Json(json.entries().iter().filter_map(pair).collect())
            }
            (None, Some(text)) => Form::Text(text),
            (None, None) => Form::Text(super::access::DEFAULT.to_owned()),
        });
    }
    out
}

fn hosts(typed: &Node) -> Result<Vec<VirtualHost>, String> {
    let mut out = Vec::new();
    for node in list(typed, "route_config.virtual_hosts") {
        let base = get(node, "retry_policy").map(retry).unwrap_or_default();
        let mut routes = Vec::new();
        for node in list(node, "routes") {
            routes.push(route(node, &base)?);
        }
        let domains = list(node, "domains").iter().filter_map(|d| text(Some(d))).collect();
        out.push(VirtualHost { domains, routes });
    }
    Ok(out)
}

fn retry(node: &Node) -> Retry {
    let on = text(get(node, "retry_on")).unwrap_or_default();
    Retry {
        on: on.split(',').map(|word| word.trim().to_owned()).filter(|w| !w.is_empty()).collect(),
        codes: list(node, "retriable_status_codes")
            .iter()
            .filter_map(|n| number(Some(n)))
            .map(|n| n as u16)
            .collect(),
        n: number(get(node, "num_retries")).unwrap_or(1),
        per_try: span(get(node, "per_try_timeout")),
    }
}

fn headers(node: &Node, name: &str) -> Vec<(String, String)> {
    let each = |node: &Node| {
        let header = get(node, "header")?;
        Some((text(get(header, "key"))?, text(get(header, "value")).unwrap_or_default()))
    };
    list(node, name).iter().filter_map(each).collect()
}

fn route(node: &Node, base: &Retry) -> Result<Route, String> {
    let matches = get(node, "match").ok_or(
        "Proto constraint validation failed (RouteValidationError.Match: value is required)",
    )?;
    let on = if let Some(prefix) = text(get(matches, "prefix")) {
        Match::Prefix(prefix)
    } else if let Some(path) = text(get(matches, "path")) {
        Match::Path(path)
    } else {
        let pattern =
            at(matches, "safe_regex.regex").and_then(|n| text(Some(n))).unwrap_or_default();
        let options = Options { flavor: Flavor::Extended, ..Options::default() };
        let regex = Regex::new(format!("^({})$", posix(&pattern)).as_bytes(), options);
        Match::Regex(regex.map_err(|_| format!("invalid regex '{pattern}'"))?)
    };
    let wanted = list(matches, "headers").iter().filter_map(|node| {
        let exact = text(get(node, "exact_match")).or_else(|| text(at(node, "string_match.exact")));
        Some((text(get(node, "name"))?, exact))
    });
    Ok(Route {
        on,
        headers: wanted.collect(),
        does: does(node, base),
        add_to_request: headers(node, "request_headers_to_add"),
        add_to_answer: headers(node, "response_headers_to_add"),
    })
}

fn does(node: &Node, base: &Retry) -> Does {
    if let Some(direct) = get(node, "direct_response") {
        let body = at(direct, "body.inline_string").and_then(|n| text(Some(n))).unwrap_or_default();
        return Does::Direct(number(get(direct, "status")).unwrap_or(200) as u16, body);
    }
    if let Some(redirect) = get(node, "redirect") {
        let code = match text(get(redirect, "response_code")).as_deref() {
            Some("FOUND") => 302,
            Some("SEE_OTHER") => 303,
            Some("TEMPORARY_REDIRECT") => 307,
            Some("PERMANENT_REDIRECT") => 308,
            _ => 301,
        };
        return Does::Redirect {
            host: text(get(redirect, "host_redirect")),
            path: text(get(redirect, "path_redirect")),
            https: get(redirect, "https_redirect").and_then(Node::as_bool).unwrap_or(false),
            code,
        };
    }
    let empty = yaml::parse("{}");
    let none = empty.docs.first().and_then(|doc| doc.root.as_ref());
    let Some(action) = get(node, "route").or(none) else { return Does::Direct(404, String::new()) };
    let mut clusters: Vec<(String, u64)> =
        text(get(action, "cluster")).map(|name| (name, 1)).into_iter().collect();
    for weighted in list(action, "weighted_clusters.clusters") {
        let name = text(get(weighted, "name")).unwrap_or_default();
        clusters.push((name, number(get(weighted, "weight")).unwrap_or(1)));
    }
    Does::Forward(Forward {
        clusters,
        timeout: span(get(action, "timeout")).unwrap_or(SimTime::from_secs(15)),
        prefix_rewrite: text(get(action, "prefix_rewrite")),
        host_rewrite: text(get(action, "host_rewrite_literal")),
        auto_host: get(action, "auto_host_rewrite").and_then(Node::as_bool).unwrap_or(false),
        retry: get(action, "retry_policy").map_or_else(|| base.clone(), retry),
    })
}
