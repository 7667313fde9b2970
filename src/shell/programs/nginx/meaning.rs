//! What nginx's directives mean to each other: servers and their addresses, upstreams, and the
//! mistakes nginx only finds once it has read a whole block.

use super::conf::{Directive, Read};
use super::vars;
use crate::shell::Sys;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// A configuration that nginx would start with.
pub(super) struct Conf {
    pub(super) root: Directive,
    pub(super) listens: Vec<Listen>,
    pub(super) upstreams: Vec<Upstream>,
}

pub(super) struct Listen {
    pub(super) addr: Ipv4Addr,
    pub(super) port: u16,
    /// Places of its servers in the `http` block; the first is the default one.
    pub(super) servers: Vec<usize>,
}

/// Where a name leads, and how its servers have been doing.
pub(super) struct Upstream {
    pub(super) name: String,
    pub(super) least_conn: bool,
    pub(super) by_client: bool,
    pub(super) peers: RefCell<Vec<Peer>>,
}

#[derive(Clone)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) addr: Ipv4Addr,
    pub(super) port: u16,
    pub(super) weight: i64,
    pub(super) backup: bool,
    pub(super) down: bool,
    pub(super) max_fails: u32,
    pub(super) fail_secs: u64,
    pub(super) current: i64,
    pub(super) fails: u32,
    pub(super) checked: u64,
    pub(super) open: u32,
}

impl Peer {
    fn new(host: String, addr: Ipv4Addr, port: u16) -> Peer {
        Peer {
            host,
            addr,
            port,
            weight: 1,
            backup: false,
            down: false,
            max_fails: 1,
            fail_secs: 10,
            current: 0,
            fails: 0,
            checked: 0,
            open: 0,
        }
    }
}

impl Conf {
    pub(super) fn http(&self) -> Option<&Directive> {
        self.root.get("http")
    }
}

/// Checks what was read; the error is nginx's sentence.
pub(super) async fn understand(sys: &Sys, read: &mut Read) -> Result<Conf, String> {
    let root = read.root.clone();
    let mut conf = Conf { root, listens: Vec::new(), upstreams: Vec::new() };
    let whole = conf.root.clone();
    if let Some(http) = whole.get("http") {
        upstreams(sys, http, &mut conf.upstreams).await?;
        for (idx, server) in http.block.iter().enumerate().filter(|(_, d)| d.name == "server") {
            addresses(sys, server, idx, &mut conf.listens, read).await?;
            locations(server)?;
        }
        implicit(sys, http, &mut conf.upstreams, &mut read.not_simulated).await?;
        vars::check(http)?;
    }
    if read.root.get("events").is_none() {
        return Err("no \"events\" section in configuration".to_owned());
    }
    names(&conf, &mut read.warnings);
    Ok(conf)
}

/// Seconds of `10s`, `1m`; the plain number is seconds.
pub(super) fn millis(text: &str) -> u64 {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let n: u64 = digits.parse().unwrap_or(0);
    n.saturating_mul(match &text[digits.len()..] {
        "ms" => 1,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 1_000,
    })
}

/// Host and port; the port is `default` where none is written.
pub(super) fn host_port(text: &str, default: u16) -> Option<(&str, u16)> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with(':') && !host.is_empty() => {
            Some((host, port.parse().ok().filter(|p| *p > 0)?))
        }
        _ => Some((text, default)),
    }
}

async fn upstreams(sys: &Sys, http: &Directive, out: &mut Vec<Upstream>) -> Result<(), String> {
    for block in http.all("upstream") {
        let (name, place) = (block.arg(0), &block.place);
        if out.iter().any(|u| u.name == name) {
            return Err(format!("duplicate upstream \"{name}\" in {place}"));
        }
        let mut peers = Vec::new();
        for server in block.all("server") {
            peers.extend(peer(sys, server).await?);
        }
        if peers.is_empty() {
            return Err(format!("no servers are inside upstream in {place}"));
        }
        out.push(Upstream {
            name: name.to_owned(),
            least_conn: block.get("least_conn").is_some(),
            by_client: block.get("ip_hash").is_some(),
            peers: RefCell::new(peers),
        });
    }
    Ok(())
}

async fn peer(sys: &Sys, server: &Directive) -> Result<Vec<Peer>, String> {
    let (url, place) = (server.arg(0), &server.place);
    let Some((host, port)) = host_port(url, 80) else {
        return Err(format!("invalid port in upstream \"{url}\" in {place}"));
    };
    let mut made = Peer::new(url.to_owned(), Ipv4Addr::UNSPECIFIED, port);
    for parameter in server.args.iter().skip(1) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let number = value.parse::<u32>();
        match (name, number) {
            ("weight", Ok(n)) if n > 0 => made.weight = i64::from(n),
            ("max_fails", Ok(n)) => made.max_fails = n,
            ("fail_timeout", _) => made.fail_secs = millis(value) / 1000,
            ("backup", _) => made.backup = true,
            ("down", _) => made.down = true,
            ("max_conns", Ok(_)) | ("resolve", _) => {}
            _ => return Err(format!("invalid parameter \"{parameter}\" in {place}")),
        }
    }
    let addrs = sys.resolve(host).await;
    if addrs.is_empty() {
        return Err(format!("host not found in upstream \"{url}\" in {place}"));
    }
    Ok(addrs.into_iter().map(|addr| Peer { addr, ..made.clone() }).collect())
}

/// The servers that `proxy_pass` names without an `upstream` of that name.
async fn implicit(
    sys: &Sys,
    block: &Directive,
    out: &mut Vec<Upstream>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    let mut todo = vec![block];
    while let Some(block) = todo.pop() {
        for directive in block.block.iter().rev() {
            todo.push(directive);
        }
        if block.name != "proxy_pass" || block.arg(0).contains('$') {
            continue;
        }
        let (url, place) = (block.arg(0), &block.place);
        let (rest, default) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (rest, 80),
            (_, Some(rest)) => {
                notes.push("TLS to a server (https:// in proxy_pass)".to_owned());
                (rest, 443)
            }
            _ => return Err(format!("invalid URL prefix in {place}")),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or("");
        if out.iter().any(|u| u.name == authority) {
            continue;
        }
        let Some((host, port)) = host_port(authority, default) else {
            return Err(format!("invalid port in upstream \"{authority}\" in {place}"));
        };
        let addrs = sys.resolve(host).await;
        if addrs.is_empty() {
            return Err(format!("host not found in upstream \"{host}\" in {place}"));
        }
        let peers = addrs.into_iter().map(|addr| Peer::new(format!("{host}:{port}"), addr, port));
        out.push(Upstream {
            name: authority.to_owned(),
            least_conn: false,
            by_client: false,
            peers: RefCell::new(peers.collect()),
        });
    }
    Ok(())
}

async fn addresses(
    sys: &Sys,
    server: &Directive,
    idx: usize,
    listens: &mut Vec<Listen>,
    read: &mut Read,
) -> Result<(), String> {
    let mut n_written = 0;
    for listen in server.all("listen") {
        n_written += 1;
        let (text, place) = (listen.arg(0), &listen.place);
        if text.starts_with('[') {
            // Pods of the lab have no IPv6 addresses.
            continue;
        }
        let (host, port) = match text.rsplit_once(':') {
            _ if text.starts_with("unix:") => {
                read.not_simulated.push("listen on a unix socket".to_owned());
                continue;
            }
            Some((host, port)) => (host, port),
            None if text.chars().all(|c| c.is_ascii_digit()) => ("*", text),
            None => (text, "80"),
        };
        let Some(port) = port.parse::<u16>().ok().filter(|p| *p > 0) else {
            return Err(format!(
                "invalid port in \"{text}\" of the \"listen\" directive in {place}"
            ));
        };
        let addr = match host {
            "*" | "0.0.0.0" => Some(Ipv4Addr::UNSPECIFIED),
            host => sys.resolve(host).await.first().copied(),
        };
        let Some(addr) = addr else {
            return Err(format!(
                "host not found in \"{text}\" of the \"listen\" directive in {place}"
            ));
        };
        if listen.args.iter().any(|a| a == "ssl" || a == "quic") {
            tls(server, listen, read)?;
        }
        let first = listen.args.iter().any(|a| a == "default_server" || a == "default");
        add_listen(listens, (addr, port), idx, first);
    }
    if n_written == 0 {
        let port = if sys.uid() == 0 { 80 } else { 8000 };
        add_listen(listens, (Ipv4Addr::UNSPECIFIED, port), idx, false);
    }
    Ok(())
}

fn tls(server: &Directive, listen: &Directive, read: &mut Read) -> Result<(), String> {
    let certificate = |block: &Directive| block.get("ssl_certificate").is_some();
    if !certificate(server) && !read.root.get("http").is_some_and(certificate) {
        return Err(format!(
            "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in {}",
            listen.place
        ));
    }
    read.not_simulated.push("TLS: the port speaks plain HTTP".to_owned());
    Ok(())
}

fn add_listen(listens: &mut Vec<Listen>, at: (Ipv4Addr, u16), idx: usize, first: bool) {
    let known = listens.iter_mut().find(|l| (l.addr, l.port) == at);
    match known {
        Some(listen) if listen.servers.contains(&idx) => {}
        Some(listen) if first => listen.servers.insert(0, idx),
        Some(listen) => listen.servers.push(idx),
        None => listens.push(Listen { addr: at.0, port: at.1, servers: vec![idx] }),
    }
}

/// A location's modifier (empty for a prefix) and its name.
pub(super) fn location(block: &Directive) -> (&str, &str) {
    if block.args.len() > 1 {
        return (block.arg(0), block.arg(1));
    }
    let name = block.arg(0);
    for modifier in ["~*", "^~", "~", "="] {
        if let Some(rest) = name.strip_prefix(modifier) {
            return (modifier, rest);
        }
    }
    ("", name)
}

fn locations(block: &Directive) -> Result<(), String> {
    let mut seen: Vec<(bool, &str)> = Vec::new();
    for inner in block.all("location") {
        let ((modifier, name), place) = (location(inner), &inner.place);
        if !matches!(modifier, "" | "=" | "^~" | "~" | "~*") {
            return Err(format!("invalid location modifier \"{modifier}\" in {place}"));
        }
        let regex = modifier.starts_with('~');
        let key = (modifier == "=", name);
        if !regex && seen.contains(&key) {
            return Err(format!("duplicate location \"{name}\" in {place}"));
        }
        seen.push(key);
        let outer = location(block).1;
        let is_inside = block.name == "location" && !regex && !outer.is_empty();
        if is_inside && !location(block).0.starts_with('~') && !name.starts_with(outer) {
            return Err(format!("location \"{name}\" is outside location \"{outer}\" in {place}"));
        }
        if let Some(pass) = inner.get("proxy_pass").filter(|p| !p.arg(0).contains('$')) {
            let rest = pass.arg(0).split_once("://").map_or("", |(_, rest)| rest);
            if rest.contains('/') && (regex || name.starts_with('@')) {
                return Err(format!(
                    "\"proxy_pass\" cannot have URI part in location given by regular expression, \
                     or inside named location, or inside \"if\" statement, or inside \
                     \"limit_except\" block in {}",
                    pass.place
                ));
            }
        }
        returns(inner)?;
        locations(inner)?;
    }
    returns(block)
}

fn returns(block: &Directive) -> Result<(), String> {
    for directive in block.all("return") {
        let code = directive.arg(0);
        let is_url = directive.args.len() == 1 && (code.contains("://") || code.starts_with('$'));
        if !is_url && code.parse::<u16>().ok().is_none_or(|c| c > 999) {
            return Err(format!("invalid return code \"{code}\" in {}", directive.place));
        }
    }
    for inner in block.all("if") {
        let text = inner.args.join(" ");
        if !(text.starts_with('(') && text.ends_with(')') && text.len() > 2) {
            return Err(format!("invalid condition \"{text}\" in {}", inner.place));
        }
        returns(inner)?;
    }
    Ok(())
}

fn names(conf: &Conf, warnings: &mut Vec<String>) {
    let Some(http) = conf.http() else { return };
    for listen in &conf.listens {
        let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
        for server in listen.servers.iter().filter_map(|idx| http.block.get(*idx)) {
            let own = server.all("server_name").flat_map(|d| d.args.iter());
            let own: Vec<&str> = own.map(String::as_str).collect();
            for name in if own.is_empty() { vec![""] } else { own } {
                if seen.insert(name, ()).is_some() {
                    let (addr, port) = (listen.addr, listen.port);
                    warnings.push(format!(
                        "conflicting server name \"{name}\" on {addr}:{port}, ignored"
                    ));
                }
            }
        }
    }
}

pub(super) type Shared = Rc<Conf>;
