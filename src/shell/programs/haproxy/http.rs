//! haproxy in HTTP mode: rules, the backend they choose, the request handed on and its answer.

use super::model::{Proxy, Server};
use super::rules::Done;
use super::run::Worker;
use super::sample::Scene;
use super::tcp::{self, Record};
use super::{server, stats};
use crate::shell::http::Head;
use crate::shell::programs::web::{self, Answer, Fail, Handler, Patience, Request};
use crate::time::SimTime;
use std::rc::Rc;

/// haproxy's own pages: status and what stands in them.
const PAGES: &[(u16, &str, &str)] = &[
    (200, "200 OK", "Service ready."),
    (400, "400 Bad request", "Your browser sent an invalid request."),
    (401, "401 Unauthorized", "You need a valid user and password to access this content."),
    (403, "403 Forbidden", "Request forbidden by administrative rules."),
    (404, "404 Not Found", "The resource could not be found."),
    (429, "429 Too Many Requests", "You have sent too many requests in a given amount of time."),
    (500, "500 Internal Server Error", "An internal server error occurred."),
    (502, "502 Bad Gateway", "The server returned an invalid or incomplete response."),
    (503, "503 Service Unavailable", "No server is available to handle this request."),
    (504, "504 Gateway Time-out", "The server didn't respond in time."),
];

pub(super) fn page(status: u16) -> Answer {
    let found = PAGES.iter().find(|(own, ..)| *own == status);
    let (head, text) = found.map_or(("", ""), |(_, head, text)| (head, text));
    let body = format!("<html><body><h1>{head}</h1>\n{text}\n</body></html>\n");
    let body = if head.is_empty() { String::new() } else { body };
    let mut answer = Answer { status, body: body.into_bytes(), ..Answer::default() };
    answer.headers.push(("content-length".to_owned(), answer.body.len().to_string()));
    answer.headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
    answer.headers.push(("content-type".to_owned(), "text/html".to_owned()));
    answer
}

pub(super) fn handler(worker: &Rc<Worker>, idx: usize) -> Handler {
    let worker = Rc::clone(worker);
    Rc::new(move |request| {
        let worker = Rc::clone(&worker);
        Box::pin(async move {
            let Some(front) = worker.conf.proxies.get(idx) else { return page(500) };
            front.total.set(front.total.get() + 1);
            front.open.set(front.open.get() + 1);
            let answer = exchange(&worker, front, request).await;
            front.open.set(front.open.get().saturating_sub(1));
            answer
        })
    })
}

fn scene<'a>(worker: &'a Worker, proxy: &'a Proxy, request: &'a Request) -> Scene<'a> {
    Scene {
        conf: &worker.conf,
        proxy: &proxy.id,
        source: request.peer,
        target: request.local,
        buffer: &[],
        waits: false,
        request: Some(request),
    }
}

async fn exchange(worker: &Worker, front: &Proxy, mut request: Request) -> Answer {
    if front.monitor_uri.as_deref() == Some(request.target.as_str()) {
        return page(200);
    }
    let line = request.head.first.clone();
    let mut record = Record::new(worker, front, request.peer, request.local);
    let mut answer = match rules(worker, front, &mut request) {
        Some(answer) => {
            record.ended = if answer.status >= 400 { "PR" } else { "LR" };
            answer
        }
        None => through(&mut record, &mut request).await,
    };
    let back = record.back.unwrap_or(front);
    if let Some(own) =
        back.error_files.get(&answer.status).or(front.error_files.get(&answer.status))
        && record.ended != "--"
        && let Some((head, used)) = Head::parse(own)
    {
        answer = Answer {
            status: head.status().unwrap_or(answer.status),
            headers: head.headers.clone(),
            body: own[used..].to_vec(),
            drop: false,
            words: String::new(),
        };
        answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Content-Length"));
    }
    let seen = scene(worker, back, &request);
    let own_rules =
        back.answer_rules.iter().chain(front.answer_rules.iter().filter(|_| back.id != front.id));
    for rule in own_rules {
        if rule.condition.as_ref().is_none_or(|c| c.holds(&seen).unwrap_or(false)) {
            rule.on_answer(&mut answer, &seen);
        }
    }
    record.bytes = answer.body.len() + 100;
    let waited = if record.connect_ms < 0 {
        -1
    } else {
        (worker.sys.now() - record.begun).as_millis() as i64 - record.connect_ms
    };
    record.http = Some((line, answer.status, waited));
    record.tell(&seen).await;
    answer
}

/// Runs a proxy's `http-request` rules.
fn rules(worker: &Worker, proxy: &Proxy, request: &mut Request) -> Option<Answer> {
    if let Some(uri) = &proxy.stats_uri
        && request.target.starts_with(uri.as_str())
    {
        return Some(stats::page(worker, request));
    }
    for rule in &proxy.http_rules {
        let copy = request.clone();
        let seen = scene(worker, proxy, &copy);
        if !rule.condition.as_ref().is_none_or(|c| c.holds(&seen).unwrap_or(false)) {
            continue;
        }
        match rule.on_request(request, &seen) {
            Some(Done::Answer(answer)) => return Some(answer),
            Some(Done::Passed) => break,
            None => {}
        }
    }
    None
}

async fn through(record: &mut Record<'_>, request: &mut Request) -> Answer {
    let (worker, front) = (record.worker, record.front);
    let found = {
        let seen = scene(worker, front, request);
        tcp::backend(worker, front, &seen)
    };
    let Some(back) = found else {
        record.ended = "SC";
        return page(503);
    };
    record.back = found;
    if back.id != front.id {
        back.total.set(back.total.get() + 1);
        if let Some(answer) = rules(worker, back, request) {
            record.ended = "PR";
            return answer;
        }
    }
    let bytes = outgoing(front, back, request);
    let sys = &worker.sys;
    let retries = back.retries.unwrap_or(3);
    let (mut tried, mut same) = (Vec::new(), None);
    for attempt in 0..=retries {
        record.retries = attempt;
        let next = same.or_else(|| server::pick(back, request.peer.0, &tried, sys.random(1 << 16)));
        let Some((idx, server)) = next.and_then(|idx| Some((idx, back.servers.get(idx)?))) else {
            break;
        };
        let status = match ask(record, back, server, &bytes).await {
            Ok(answer) => return answer,
            Err(Fail::TimedOut) => 504,
            Err(Fail::Ended) => 502,
            Err(Fail::Connect(_) | Fail::NoName | Fail::LookupTimedOut) => 503,
        };
        if status != 503 {
            (record.ended, record.connect_ms) = (if status == 504 { "sH" } else { "SH" }, 0);
            return page(status);
        }
        same = Some(idx);
        if back.has("redispatch") && attempt + 1 >= retries {
            (same, tried) = (None, vec![idx]);
        } else if attempt < retries {
            let wait = back.timeout("connect").unwrap_or(SimTime::from_secs(1));
            web::sleep(sys, wait.min(SimTime::from_secs(1))).await;
        }
        if !server.usable() {
            same = None;
        }
    }
    record.ended = "SC";
    page(503)
}

/// One try at one server.
async fn ask(
    record: &mut Record<'_>,
    back: &Proxy,
    server: &Server,
    bytes: &[u8],
) -> Result<Answer, Fail> {
    let addr = server.addr.get().ok_or(Fail::NoName)?;
    record.server.clone_from(&server.id);
    let port = if server.port == 0 { record.target.1 } else { server.port };
    let label = format!("{}:{port}", server.host);
    let patience = Patience {
        connect: back.timeout("connect").unwrap_or(SimTime::from_secs(120)),
        read: back.timeout("server").unwrap_or(SimTime::from_secs(3600)),
    };
    server.state.borrow_mut().total += 1;
    server.state.borrow_mut().open += 1;
    let got = web::fetch_at(&record.worker.sys, &label, (addr, port), bytes, patience).await;
    server.state.borrow_mut().open -= 1;
    let answer = Answer::handed_on(got?);
    record.connect_ms = 0;
    Ok(answer)
}

/// The request as a server gets it: names in small letters, one connection for each.
fn outgoing(front: &Proxy, back: &Proxy, request: &Request) -> Vec<u8> {
    let own = |name: &str| {
        ["connection", "keep-alive", "content-length", "transfer-encoding"].contains(&name)
    };
    let lower = request.head.headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.clone()));
    let mut headers: Vec<(String, String)> = lower.filter(|(name, _)| !own(name)).collect();
    if front.has("forwardfor") || back.has("forwardfor") {
        headers.push(("x-forwarded-for".to_owned(), request.peer.0.to_string()));
    }
    if !request.body.is_empty() {
        headers.push(("content-length".to_owned(), request.body.len().to_string()));
    }
    let first = format!("{} {} HTTP/1.1", request.method, request.target);
    web::request_bytes(&first, &headers, &request.body)
}
