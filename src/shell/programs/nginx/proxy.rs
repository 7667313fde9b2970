//! nginx as a proxy: which server of an upstream, what it is asked, what is made of its answer.

use super::conf::Directive;
use super::meaning::{Peer, Upstream, location, millis};
use super::serve::Exchange;
use crate::shell::Errno;
use crate::shell::programs::web;
use crate::shell::programs::web::{Answer, Fail, Patience, request_bytes};
use crate::time::SimTime;

/// Headers of a request that nginx does not hand on by itself.
const OWN: &[&str] =
    &["Host", "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Upgrade", "TE"];
/// Headers of an answer it keeps to itself.
const HIDDEN: &[&str] = &[
    "Date",
    "Server",
    "X-Pad",
    "X-Accel-Expires",
    "X-Accel-Redirect",
    "X-Accel-Limit-Rate",
    "X-Accel-Buffering",
    "X-Accel-Charset",
    "Connection",
    "Keep-Alive",
    "Transfer-Encoding",
    "Content-Length",
];

impl Upstream {
    /// The next server to try, beside those tried already.
    // Models src/http/ngx_http_upstream_round_robin.c ngx_http_upstream_get_peer.
    fn pick(&self, tried: &[usize], now_secs: u64, client: u32) -> Option<usize> {
        let mut peers = self.peers.borrow_mut();
        let alone = peers.iter().filter(|p| !p.backup).count() == 1;
        let usable = |idx: usize, peer: &Peer| {
            let failed = peer.max_fails > 0
                && peer.fails >= peer.max_fails
                && now_secs < peer.checked + peer.fail_secs;
            !peer.down && !tried.contains(&idx) && (alone || !failed)
        };
        for backup in [false, true] {
            let fit: Vec<usize> = (0..peers.len())
                .filter(|idx| peers[*idx].backup == backup && usable(*idx, &peers[*idx]))
                .collect();
            if fit.is_empty() {
                continue;
            }
            if self.by_client {
                return fit.get(client as usize % fit.len()).copied();
            }
            if self.least_conn {
                return fit.into_iter().min_by_key(|idx| peers[*idx].open);
            }
            let total: i64 = fit.iter().map(|idx| peers[*idx].weight).sum();
            let mut best = *fit.first()?;
            for idx in fit {
                peers[idx].current += peers[idx].weight;
                if peers[idx].current > peers[best].current {
                    best = idx;
                }
            }
            peers[best].current -= total;
            return Some(best);
        }
        None
    }

    fn count(&self, idx: usize, by: i32) {
        if let Some(peer) = self.peers.borrow_mut().get_mut(idx) {
            peer.open = peer.open.saturating_add_signed(by);
        }
    }

    fn mark(&self, idx: usize, good: bool, now_secs: u64) {
        if let Some(peer) = self.peers.borrow_mut().get_mut(idx) {
            peer.fails = if good { 0 } else { peer.fails + 1 };
            peer.checked = now_secs;
        }
    }
}

impl<'c> Exchange<'c> {
    fn span(&self, name: &str) -> SimTime {
        SimTime::from_millis(self.get(name).map_or(60_000, |d| millis(d.arg(0))))
    }

    /// Whether a failure of this kind is tried again elsewhere.
    fn goes_on(&self, kind: &str) -> bool {
        match self.get("proxy_next_upstream") {
            Some(list) => list.args.iter().any(|arg| arg == kind),
            None => matches!(kind, "error" | "timeout"),
        }
    }

    pub(super) async fn pass(&mut self, pass: &'c Directive) -> Answer {
        let url = self.text(pass.arg(0));
        let rest = url.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, path) = match rest.find('/') {
            Some(at) => (&rest[..at], Some(&rest[at..])),
            None => (rest, None),
        };
        self.proxied = authority.to_owned();
        let conf = &self.worker.conf;
        let Some(idx) = conf.upstreams.iter().position(|u| u.name == authority) else {
            let host = authority.split(':').next().unwrap_or("");
            if host.parse::<std::net::Ipv4Addr>().is_err() && self.get("resolver").is_none() {
                self.error("error", &format!("no resolver defined to resolve {host}")).await;
                return self.page(502);
            }
            let (host, port) = super::meaning::host_port(authority, 80).unwrap_or((host, 80));
            let request = self.outgoing(path);
            let patience = Patience {
                connect: self.span("proxy_connect_timeout"),
                read: self.span("proxy_read_timeout"),
            };
            return match web::fetch(&self.worker.sys, (host, port), &request, patience).await {
                Ok(got) => self.handed_on(got),
                Err(Fail::NoName) => {
                    self.error(
                        "error",
                        &format!("{host} could not be resolved (3: Host not found)"),
                    )
                    .await;
                    self.page(502)
                }
                Err(fail) => {
                    self.error("error", words(fail).1).await;
                    self.page(if is_timeout(fail) { 504 } else { 502 })
                }
            };
        };
        self.through(idx, path).await
    }

    /// Tries the servers of an upstream in turn.
    async fn through(&mut self, idx: usize, path: Option<&str>) -> Answer {
        let worker = self.worker;
        let Some(upstream) = worker.conf.upstreams.get(idx) else { return self.page(502) };
        let (mut tried, mut last) = (Vec::new(), 502);
        let tries = self.get("proxy_next_upstream_tries").and_then(|d| d.arg(0).parse().ok());
        let tries = tries.filter(|n| *n > 0).unwrap_or(usize::MAX);
        let begun = worker.sys.now();
        let client = u32::from(self.request.peer.0) >> 8;
        while tried.len() < tries {
            let now = worker.sys.now().as_secs();
            let Some(at) = upstream.pick(&tried, now, client) else {
                if tried.is_empty() {
                    self.upstream.addr.clone_from(&upstream.name);
                    self.error("error", "no live upstreams while connecting to upstream").await;
                }
                break;
            };
            tried.push(at);
            let peer = upstream.peers.borrow().get(at).cloned();
            let Some(peer) = peer else { break };
            let address = format!("{}:{}", peer.addr, peer.port);
            let before = std::mem::replace(&mut self.upstream.addr, address.clone());
            let list = if before.is_empty() { address } else { format!("{before}, {address}") };
            let request = self.outgoing(path);
            upstream.count(at, 1);
            let got = self.ask(&peer, &request).await;
            upstream.count(at, -1);
            self.upstream.millis = Some((worker.sys.now() - begun).as_millis());
            match got {
                Ok(got) => {
                    let status = got.0.status().unwrap_or(502);
                    self.status_seen(status);
                    let bad = status >= 400 && self.goes_on(&format!("http_{status}"));
                    upstream.mark(at, !bad, now);
                    self.upstream.addr = list;
                    if bad && tried.len() < upstream.peers.borrow().len() {
                        continue;
                    }
                    return self.handed_on(got);
                }
                Err(fail) => {
                    let (kind, text) = words(fail);
                    upstream.mark(at, false, now);
                    self.error("error", text).await;
                    last = if is_timeout(fail) { 504 } else { 502 };
                    self.status_seen(last);
                    self.upstream.addr = list;
                    let safe = !matches!(self.request.method.as_str(), "POST" | "PATCH");
                    let connected = !matches!(fail, Fail::Connect(_));
                    if !self.goes_on(kind) || (connected && !safe) {
                        break;
                    }
                }
            }
        }
        self.page(last)
    }

    fn status_seen(&mut self, status: u16) {
        let before = std::mem::take(&mut self.upstream.status);
        let comma = if before.is_empty() { "" } else { ", " };
        self.upstream.status = format!("{before}{comma}{status}");
    }

    async fn ask(
        &self,
        peer: &Peer,
        request: &[u8],
    ) -> Result<(crate::shell::http::Head, Vec<u8>), Fail> {
        let patience = Patience {
            connect: self.span("proxy_connect_timeout"),
            read: self.span("proxy_read_timeout"),
        };
        let to = (peer.addr, peer.port);
        web::fetch_at(&self.worker.sys, &peer.host, to, request, patience).await
    }

    /// The request as the server behind gets it.
    fn outgoing(&mut self, path: Option<&str>) -> Vec<u8> {
        let request = self.request;
        let target = match path {
            // The URI of proxy_pass takes the place of the location's own prefix.
            Some(path) if !path.contains('$') => {
                let prefix = self.chain.last().map_or("", |block| location(block).1);
                let rest = self.uri.strip_prefix(prefix).unwrap_or("").to_owned();
                let mark = if self.args.is_empty() { "" } else { "?" };
                format!("{path}{rest}{mark}{}", self.args)
            }
            Some(path) => path.to_owned(),
            None if self.uri == request.path() => request.target.clone(),
            None => self.target(),
        };
        let version = self.get("proxy_http_version").map_or("1.0", |d| d.arg(0));
        let first = format!("{} {target} HTTP/{version}", request.method);
        let mut headers = Vec::new();
        let set = self.all("proxy_set_header");
        let is_set = |name: &str| set.iter().any(|d| d.arg(0).eq_ignore_ascii_case(name));
        if !is_set("Host") {
            headers.push(("Host".to_owned(), self.proxied.clone()));
        }
        if !is_set("Connection") {
            headers.push(("Connection".to_owned(), "close".to_owned()));
        }
        for directive in &set {
            let value = self.text(directive.arg(1));
            if !value.is_empty() {
                headers.push((directive.arg(0).to_owned(), value));
            }
        }
        if !request.body.is_empty() {
            headers.push(("Content-Length".to_owned(), request.body.len().to_string()));
        }
        for (name, value) in &request.head.headers {
            if !is_set(name) && !OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
                headers.push((name.clone(), value.clone()));
            }
        }
        request_bytes(&first, &headers, &request.body)
    }

    fn handed_on(&mut self, (head, body): (crate::shell::http::Head, Vec<u8>)) -> Answer {
        let hidden = self.all("proxy_hide_header");
        let keeps = |name: &str| {
            !HIDDEN.iter().any(|own| own.eq_ignore_ascii_case(name))
                && !hidden.iter().any(|d| d.arg(0).eq_ignore_ascii_case(name))
        };
        let mut headers: Vec<(String, String)> =
            head.headers.iter().filter(|(name, _)| keeps(name)).cloned().collect();
        headers.push(("X-Proxied".to_owned(), String::new()));
        self.upstream.length = body.len();
        let words = head.first.splitn(3, ' ').nth(2).unwrap_or("").to_owned();
        Answer { status: head.status().unwrap_or(502), headers, body, drop: false, words }
    }
}

fn is_timeout(fail: Fail) -> bool {
    matches!(fail, Fail::TimedOut | Fail::Connect(Errno::TimedOut))
}

/// The kind of a failure and nginx's sentence.
fn words(fail: Fail) -> (&'static str, &'static str) {
    match fail {
        Fail::TimedOut => (
            "timeout",
            "upstream timed out (110: Connection timed out) while reading response header from \
             upstream",
        ),
        Fail::Connect(Errno::TimedOut) => (
            "timeout",
            "upstream timed out (110: Connection timed out) while connecting to upstream",
        ),
        Fail::Connect(Errno::NetUnreach) => (
            "error",
            "connect() to upstream failed (101: Network is unreachable) while connecting to upstream",
        ),
        Fail::Connect(_) | Fail::NoName | Fail::LookupTimedOut => {
            ("error", "connect() failed (111: Connection refused) while connecting to upstream")
        }
        Fail::Ended => (
            "error",
            "upstream prematurely closed connection while reading response header from upstream",
        ),
    }
}
