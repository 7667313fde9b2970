//! Envoy's HTTP connection manager and router: which route, which host, tried how often.

use super::access::{self, Seen};
use super::cluster::{Cluster, Host};
use super::conf::{Conf, Does, Forward, Listener, Match, Route, Serves, VirtualHost};
use super::run::Envoy;
use crate::shell::http::Head;
use crate::shell::programs::web::{self, Answer, Fail, Handler, Patience, Request};
use crate::time::SimTime;
use std::rc::Rc;

const CONNECT: &str = "upstream connect error or disconnect/reset before headers. ";

pub(super) fn handler(envoy: &Rc<Envoy>, idx: usize) -> Handler {
    let envoy = Rc::clone(envoy);
    Rc::new(move |request| {
        let envoy = Rc::clone(&envoy);
        Box::pin(async move {
            match envoy.conf.listeners.get(idx) {
                Some(listener) => exchange(&envoy, listener, request).await,
                None => Answer::text(404, "text/plain", ""),
            }
        })
    })
}

/// What came back and how it is told.
struct Outcome {
    answer: Answer,
    flags: &'static str,
    upstream: String,
    cluster: String,
    service_ms: Option<u64>,
}

impl Outcome {
    fn local(status: u16, text: &str, flags: &'static str) -> Outcome {
        let mut answer = Answer { status, body: text.as_bytes().to_vec(), ..Answer::default() };
        if !text.is_empty() {
            answer.headers.push(("content-type".to_owned(), "text/plain".to_owned()));
        }
        Outcome { answer, flags, upstream: String::new(), cluster: String::new(), service_ms: None }
    }
}

async fn exchange(envoy: &Envoy, listener: &Listener, mut request: Request) -> Answer {
    let sys = &envoy.sys;
    if request.head.get("x-request-id").is_none() {
        request.head.headers.push(("x-request-id".to_owned(), envoy.uuid()));
    }
    let (begun, at) = (access::stamp(sys), sys.now());
    envoy.count("downstream_rq_total");
    let route = find(listener, &request);
    let mut outcome = match route {
        None => Outcome::local(404, "", "NR"),
        Some(route) => act(envoy, route, &request).await,
    };
    if let Some(route) = route {
        outcome.answer.headers.extend(route.add_to_answer.iter().cloned());
    }
    let answer = &mut outcome.answer;
    answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("server"));
    if let Some(ms) = outcome.service_ms {
        answer.headers.push(("x-envoy-upstream-service-time".to_owned(), ms.to_string()));
    }
    if !answer.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
        answer.headers.push(("date".to_owned(), crate::shell::programs::clock::http(sys)));
    }
    answer.headers.push(("server".to_owned(), "envoy".to_owned()));
    let seen = Seen {
        request: Some(&request),
        status: answer.status,
        flags: outcome.flags,
        received: request.body.len(),
        sent: answer.body.len(),
        took_ms: (sys.now() - at).as_millis(),
        service_ms: outcome.service_ms,
        upstream: outcome.upstream,
        cluster: outcome.cluster,
        route: String::new(),
        peer: format!("{}:{}", request.peer.0, request.peer.1),
        local: format!("{}:{}", request.local.0, request.local.1),
        begun,
    };
    seen.tell(sys, &listener.logs).await;
    outcome.answer
}

/// The first route that fits in the virtual host that fits best.
fn find<'c>(listener: &'c Listener, request: &Request) -> Option<&'c Route> {
    let Serves::Http(hosts) = &listener.serves else { return None };
    let host = request.head.get("Host").unwrap_or("").to_lowercase();
    let exact = |own: &&VirtualHost| own.domains.iter().any(|d| d.to_lowercase() == host);
    let wild = |own: &&VirtualHost| {
        own.domains
            .iter()
            .any(|d| d.len() > 1 && d.contains('*') && crate::shell::programs::wild::wild(d, &host))
    };
    let any = |own: &&VirtualHost| own.domains.iter().any(|d| d == "*");
    let found = hosts.iter().find(exact).or_else(|| hosts.iter().find(wild));
    let found = found.or_else(|| hosts.iter().find(any))?;
    found.routes.iter().find(|route| {
        let path = request.path();
        let on = match &route.on {
            Match::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Match::Path(own) => path == own,
            Match::Regex(regex) => regex.is_match(path.as_bytes()).unwrap_or(false),
        };
        let header = |(name, wanted): &(String, Option<String>)| match request.head.get(name) {
            Some(value) => wanted.as_ref().is_none_or(|wanted| wanted == value),
            None => false,
        };
        on && route.headers.iter().all(header)
    })
}

async fn act(envoy: &Envoy, route: &Route, request: &Request) -> Outcome {
    match &route.does {
        Does::Direct(status, body) => Outcome::local(*status, body, ""),
        Does::Redirect { host, path, https, code } => {
            let own = request.head.get("Host").unwrap_or("");
            let scheme = if *https { "https" } else { "http" };
            let to = format!(
                "{scheme}://{}{}",
                host.as_deref().unwrap_or(own),
                path.as_deref().unwrap_or(&request.target)
            );
            let mut outcome = Outcome::local(*code, "", "");
            outcome.answer.headers.push(("location".to_owned(), to));
            outcome
        }
        Does::Forward(forward) => {
            let total: u64 = forward.clusters.iter().map(|(_, weight)| weight).sum();
            let mut place = envoy.sys.random(total.max(1));
            let name = forward.clusters.iter().find(|(_, weight)| {
                let own = place < *weight;
                place = place.saturating_sub(*weight);
                own
            });
            let cluster =
                name.and_then(|(name, _)| envoy.conf.clusters.iter().find(|c| c.name == *name));
            match cluster {
                Some(cluster) => {
                    let mut outcome = through(envoy, route, forward, cluster, request).await;
                    outcome.cluster.clone_from(&cluster.name);
                    outcome
                }
                None => Outcome::local(503, "", "NC"),
            }
        }
    }
}

/// Tries hosts of a cluster until one answers well, the tries or the time are up.
async fn through(
    envoy: &Envoy,
    route: &Route,
    forward: &Forward,
    cluster: &Cluster,
    request: &Request,
) -> Outcome {
    let sys = &envoy.sys;
    if cluster.open.get() >= cluster.limits[2] {
        cluster.count("upstream_rq_pending_overflow");
        let mut outcome = Outcome::local(503, &format!("{CONNECT}reset reason: overflow"), "UO");
        outcome.answer.headers.push(("x-envoy-overloaded".to_owned(), "true".to_owned()));
        return outcome;
    }
    cluster.open.set(cluster.open.get() + 1);
    let until = match forward.timeout {
        SimTime::ZERO => SimTime(u64::MAX / 2),
        timeout => sys.now() + timeout,
    };
    let mut attempt = 0;
    let outcome = loop {
        cluster.count("upstream_rq_total");
        let outcome = once(envoy, route, forward, cluster, request, until).await;
        let again = attempt < forward.retry.n && sys.now() < until && retries(forward, &outcome);
        if !again {
            break match outcome.flags {
                "UF" if attempt > 0 => Outcome { flags: "UF,URX", ..outcome },
                "" if attempt > 0 && retries(forward, &outcome) => {
                    Outcome { flags: "URX", ..outcome }
                }
                _ => outcome,
            };
        }
        if cluster.retrying.get() >= cluster.limits[3] {
            cluster.count("upstream_rq_retry_overflow");
            break outcome;
        }
        cluster.count("upstream_rq_retry");
        cluster.retrying.set(cluster.retrying.get() + 1);
        // From nothing up to 25 ms, then twice, four times as much.
        let most = (25_000_u64 << attempt.min(4)).saturating_sub(25_000).max(25_000);
        web::sleep(sys, SimTime(sys.random(most.min(250_000)))).await;
        cluster.retrying.set(cluster.retrying.get().saturating_sub(1));
        attempt += 1;
    };
    cluster.open.set(cluster.open.get().saturating_sub(1));
    outcome
}

fn retries(forward: &Forward, outcome: &Outcome) -> bool {
    let status = outcome.answer.status;
    let connect = outcome.flags == "UF";
    let reset = matches!(outcome.flags, "UC" | "UF" | "UT");
    forward.retry.on.iter().any(|on| match on.as_str() {
        "5xx" => status >= 500 && outcome.flags != "UH",
        "gateway-error" => matches!(status, 502..=504) && outcome.flags != "UH",
        "connect-failure" => connect,
        "reset" | "refused-stream" => reset,
        "retriable-4xx" => status == 409,
        "retriable-status-codes" => forward.retry.codes.contains(&status),
        _ => false,
    })
}

async fn once(
    envoy: &Envoy,
    route: &Route,
    forward: &Forward,
    cluster: &Cluster,
    request: &Request,
    until: SimTime,
) -> Outcome {
    let sys = &envoy.sys;
    let Some(host) = cluster.pick(sys.random(1 << 20)) else {
        cluster.count("upstream_cx_none_healthy");
        return Outcome::local(503, "no healthy upstream", "UH");
    };
    let place = host.place();
    let mut read = until - sys.now();
    if let Some(span) = forward.retry.per_try {
        read = read.min(span);
    }
    cluster.with_host(&place, |own| {
        own.open += 1;
        *own.counts.entry("rq_total").or_insert(0) += 1;
        *own.counts.entry("cx_total").or_insert(0) += 1;
    });
    let bytes = outgoing(route, forward, &host, request);
    let patience = Patience { connect: cluster.connect.min(read), read };
    let label = format!("{}:{}", host.name, host.port);
    let begun = sys.now();
    let got = web::fetch_at(sys, &label, (host.addr, host.port), &bytes, patience).await;
    let took = (sys.now() - begun).as_millis();
    let mut outcome = told(cluster, got);
    if outcome.flags.is_empty() {
        outcome.service_ms = Some(took);
    }
    let status = outcome.answer.status;
    cluster.with_host(&place, |own| {
        own.open = own.open.saturating_sub(1);
        let name = match (outcome.flags, status) {
            ("UT", _) => "rq_timeout",
            ("UF", _) => "cx_connect_fail",
            (_, 500..) => "rq_error",
            _ => "rq_success",
        };
        *own.counts.entry(name).or_insert(0) += 1;
    });
    cluster.count(match status {
        200..300 => "upstream_rq_2xx",
        300..400 => "upstream_rq_3xx",
        400..500 => "upstream_rq_4xx",
        _ => "upstream_rq_5xx",
    });
    cluster.seen(&place, status, sys.now());
    outcome.upstream = place;
    outcome
}

fn told(cluster: &Cluster, got: Result<(Head, Vec<u8>), Fail>) -> Outcome {
    match got {
        Ok(got) => Outcome { answer: Answer::handed_on(got), ..Outcome::local(200, "", "") },
        Err(Fail::TimedOut) => {
            cluster.count("upstream_rq_timeout");
            Outcome::local(504, "upstream request timeout", "UT")
        }
        Err(Fail::Ended) => {
            let text = format!("{CONNECT}reset reason: connection termination");
            Outcome::local(503, &text, "UC")
        }
        Err(Fail::Connect(crate::shell::Errno::TimedOut)) => {
            cluster.count("upstream_cx_connect_timeout");
            let text = format!("{CONNECT}reset reason: connection timeout");
            Outcome::local(503, &text, "UF")
        }
        Err(_) => {
            cluster.count("upstream_cx_connect_fail");
            let text = format!(
                "{CONNECT}reset reason: remote connection failure, transport failure reason: \
                 delayed connect error: 111"
            );
            Outcome::local(503, &text, "UF")
        }
    }
}

/// The request as a host gets it.
fn outgoing(route: &Route, forward: &Forward, host: &Host, request: &Request) -> Vec<u8> {
    let own = |name: &str| {
        ["connection", "keep-alive", "content-length", "transfer-encoding"].contains(&name)
    };
    let lower = request.head.headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.clone()));
    let mut headers: Vec<(String, String)> = lower.filter(|(name, _)| !own(name)).collect();
    let rewrite =
        forward.host_rewrite.clone().or_else(|| forward.auto_host.then(|| host.name.clone()));
    if let Some(to) = rewrite {
        headers.retain(|(name, _)| name != "host");
        headers.insert(0, ("host".to_owned(), to));
    }
    headers.push(("x-forwarded-proto".to_owned(), "http".to_owned()));
    if forward.timeout > SimTime::ZERO {
        let ms = forward.timeout.as_millis().to_string();
        headers.push(("x-envoy-expected-rq-timeout-ms".to_owned(), ms));
    }
    headers.extend(route.add_to_request.iter().cloned());
    let mut target = request.target.clone();
    if let (Some(to), Match::Prefix(prefix) | Match::Path(prefix)) =
        (&forward.prefix_rewrite, &route.on)
        && let Some(rest) = target.strip_prefix(prefix.as_str())
    {
        headers.push(("x-envoy-original-path".to_owned(), request.target.clone()));
        target = format!("{to}{rest}");
    }
    if !request.body.is_empty() {
        headers.push(("content-length".to_owned(), request.body.len().to_string()));
    }
    web::request_bytes(&format!("{} {target} HTTP/1.1", request.method), &headers, &request.body)
}

/// Every name a listener's routes lead to has a cluster; `conf` made sure of it.
pub(super) fn tcp_target<'c>(conf: &'c Conf, name: &str) -> Option<&'c Cluster> {
    conf.clusters.iter().find(|cluster| cluster.name == name)
}
