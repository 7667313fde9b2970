//! HTTP for servers and proxies: a listener's connections, each in a thread, and one exchange with
//! a server elsewhere. What is answered is the program's own business.

use super::threads::Threads;
use crate::shell::http::{Head, Reader};
use crate::shell::{Errno, Fd, NetError, Sys};
use crate::time::SimTime;
use std::cell::Cell;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::rc::Rc;

/// What a client asked.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query as written.
    pub(super) target: String,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    pub(super) peer: (Ipv4Addr, u16),
    pub(super) local: (Ipv4Addr, u16),
}

impl Request {
    pub(super) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or("")
    }

    pub(super) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What it gets. `Content-Length` and `Connection` are added when sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The connection is closed without a word.
    pub(super) drop: bool,
    /// What stands after the status; empty for the usual words.
    pub(super) words: String,
}

impl Answer {
    pub(super) fn text(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Answer {
        let headers = vec![("Content-Type".to_owned(), kind.to_owned())];
        Answer { status, headers, body: body.into(), ..Answer::default() }
    }

    /// A server's answer as a proxy hands it on that writes names of headers in lower case.
    pub(super) fn handed_on((head, body): (Head, Vec<u8>)) -> Answer {
        let own = |name: &str| ["connection", "keep-alive", "transfer-encoding"].contains(&name);
        let lower = head.headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.clone()));
        let headers = lower.filter(|(name, _)| !own(name)).collect();
        Answer { status: head.status().unwrap_or(502), headers, body, ..Answer::default() }
    }

    fn write(&self, closes: bool, is_head: bool) -> Vec<u8> {
        let words = if self.words.is_empty() { reason(self.status) } else { &self.words };
        let mut text = format!("HTTP/1.1 {} {words}\r\n", self.status);
        let has = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !has("Content-Length") && self.status != 204 && self.status != 304 {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        if !has("Connection") {
            let how = if closes { "close" } else { "keep-alive" };
            text.push_str(&format!("Connection: {how}\r\n"));
        }
        text.push_str("\r\n");
        let mut out = crate::shell::bytes::to_bytes(&text);
        if !is_head {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

const REASONS: &[(u16, &str)] = &[
    (200, "OK"),
    (201, "Created"),
    (202, "Accepted"),
    (204, "No Content"),
    (206, "Partial Content"),
    (301, "Moved Permanently"),
    (302, "Found"),
    (303, "See Other"),
    (304, "Not Modified"),
    (307, "Temporary Redirect"),
    (308, "Permanent Redirect"),
    (400, "Bad Request"),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (405, "Method Not Allowed"),
    (408, "Request Timeout"),
    (413, "Request Entity Too Large"),
    (429, "Too Many Requests"),
    (500, "Internal Server Error"),
    (501, "Not Implemented"),
    (502, "Bad Gateway"),
    (503, "Service Unavailable"),
    (504, "Gateway Timeout"),
];

pub(super) fn reason(status: u16) -> &'static str {
    REASONS.iter().find(|(code, _)| *code == status).map_or("", |(_, text)| text)
}

pub(super) type Handling = Pin<Box<dyn Future<Output = Answer>>>;
pub(super) type Handler = Rc<dyn Fn(Request) -> Handling>;

/// A server's settings and how many requests it is answering now.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) sys: Sys,
    pub(super) threads: Threads,
    /// How long a connection may wait for its next request; zero closes after each.
    pub(super) idle: SimTime,
    /// Requests being answered.
    pub(super) open: Rc<Cell<usize>>,
    /// No further request is taken on a connection.
    pub(super) closing: Rc<Cell<bool>>,
}

impl Server {
    pub(super) fn new(sys: &Sys, threads: &Threads, idle: SimTime) -> Server {
        Server {
            sys: sys.clone(),
            threads: threads.clone(),
            idle,
            open: Rc::default(),
            closing: Rc::default(),
        }
    }

    /// Takes connections until the listener is closed.
    pub(super) fn serve(&self, listener: Fd, handler: Handler) {
        let server = self.clone();
        self.threads.start(async move {
            loop {
                match server.sys.accept(listener, None).await {
                    Ok(fd) => {
                        let (one, handler) = (server.clone(), Rc::clone(&handler));
                        server.threads.start(async move { one.connection(fd, handler).await });
                    }
                    Err(Errno::Intr) => {}
                    Err(_) => return,
                }
            }
        });
    }

    async fn connection(&self, fd: Fd, handler: Handler) {
        let sys = &self.sys;
        let first = SimTime::from_secs(60);
        let mut reader = Reader::new(sys, fd, Some(sys.now() + first));
        while let Ok(Some(head)) = reader.head().await {
            let Some((method, target)) = head.request().map(|(m, t)| (m.to_owned(), t.to_owned()))
            else {
                let bad = Answer::text(400, "text/plain", "400 Bad Request");
                let _ = sys.write(fd, &bad.write(true, false)).await;
                break;
            };
            let has_body =
                head.get("Content-Length").is_some() || head.get("Transfer-Encoding").is_some();
            let body = match has_body {
                true => reader.body(&head).await.unwrap_or_default().0,
                false => Vec::new(),
            };
            let asks_close = head.get("Connection").map(str::to_ascii_lowercase);
            let old = head.first.ends_with("HTTP/1.0");
            let closes = self.idle == SimTime::ZERO
                || asks_close.as_deref() == Some("close")
                || (old && asks_close.as_deref() != Some("keep-alive"));
            let nowhere = (Ipv4Addr::UNSPECIFIED, 0);
            let is_head = method == "HEAD";
            let request = Request {
                method,
                target,
                head,
                body,
                peer: sys.peer_addr(fd).unwrap_or(nowhere),
                local: sys.local_addr(fd).unwrap_or(nowhere),
            };
            self.open.set(self.open.get() + 1);
            let answer = handler(request).await;
            let closes = closes || self.closing.get();
            let sent = match answer.drop {
                true => Err(Errno::ConnReset),
                false => sys.write(fd, &answer.write(closes, is_head)).await,
            };
            self.open.set(self.open.get() - 1);
            if sent.is_err() || closes {
                break;
            }
            reader.deadline = Some(sys.now() + self.idle);
        }
        let _ = sys.close(fd);
    }
}

/// Sleeps the whole span, whatever signals come.
pub(super) async fn sleep(sys: &Sys, span: SimTime) {
    let until = sys.now() + span;
    while sys.now() < until {
        sys.sleep(until - sys.now()).await;
    }
}

/// Why no answer came from a server elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fail {
    NoName,
    /// The name server did not answer in time.
    LookupTimedOut,
    Connect(Errno),
    /// The connection ended before an answer, or broke.
    Ended,
    TimedOut,
}

/// How long to wait for a connection and then for an answer.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    pub(super) connect: SimTime,
    pub(super) read: SimTime,
}

/// The address of a name, asked for no longer than `patience`.
pub(super) async fn find(
    sys: &Sys,
    (host, port): (&str, u16),
    patience: SimTime,
) -> Result<Ipv4Addr, Fail> {
    let since = sys.now();
    if sys.lost_lookup(host).is_some_and(|lost| lost > patience) {
        sys.sleep(patience).await;
        return Err(Fail::LookupTimedOut);
    }
    let found = sys.resolve(host).await.first().copied();
    found.ok_or_else(|| {
        sys.unknown_name(host, port, since);
        Fail::NoName
    })
}

/// As `fetch`, to what `find` found.
pub(super) async fn fetch_found(
    sys: &Sys,
    (host, found, port): (&str, Result<Ipv4Addr, Fail>, u16),
    request: &[u8],
    patience: Patience,
) -> Result<(Head, Vec<u8>), Fail> {
    fetch_at(sys, &format!("{host}:{port}"), (found?, port), request, patience).await
}

/// As `fetch`, to an address known already; `label` is what is shown to have been asked for.
pub(super) async fn fetch_at(
    sys: &Sys,
    label: &str,
    (addr, port): (Ipv4Addr, u16),
    request: &[u8],
    patience: Patience,
) -> Result<(Head, Vec<u8>), Fail> {
    let until = Some(sys.now() + patience.connect);
    let fd = sys.connect_addr(label, addr, port, until).await.map_err(Fail::Connect)?;
    let is_head = request.starts_with(b"HEAD ");
    let answer = ask(sys, fd, request, sys.now() + patience.read, is_head).await;
    let _ = sys.close(fd);
    answer
}

/// Sends `request` to `host:port` and reads one answer, whose connection is then closed.
pub(super) async fn fetch(
    sys: &Sys,
    (host, port): (&str, u16),
    request: &[u8],
    patience: Patience,
) -> Result<(Head, Vec<u8>), Fail> {
    let fd = match sys.connect(host, port, Some(sys.now() + patience.connect)).await {
        Ok(fd) => fd,
        Err(NetError::BadAddress) => return Err(Fail::NoName),
        Err(NetError::Errno(Errno::TimedOut)) => return Err(Fail::Connect(Errno::TimedOut)),
        Err(NetError::Errno(errno)) => return Err(Fail::Connect(errno)),
    };
    let is_head = request.starts_with(b"HEAD ");
    let answer = ask(sys, fd, request, sys.now() + patience.read, is_head).await;
    let _ = sys.close(fd);
    answer
}

async fn ask(
    sys: &Sys,
    fd: Fd,
    request: &[u8],
    deadline: SimTime,
    is_head: bool,
) -> Result<(Head, Vec<u8>), Fail> {
    let fail = |errno| if errno == Errno::TimedOut { Fail::TimedOut } else { Fail::Ended };
    sys.write(fd, request).await.map_err(fail)?;
    let mut reader = Reader::new(sys, fd, Some(deadline));
    loop {
        let Some(head) = reader.head().await.map_err(fail)? else { return Err(Fail::Ended) };
        let Some(status) = head.status() else { return Err(Fail::Ended) };
        if status == 100 {
            continue;
        }
        if is_head || matches!(status, 204 | 304) {
            return Ok((head, Vec::new()));
        }
        let (body, _) = reader.body(&head).await.map_err(fail)?;
        return Ok((head, body));
    }
}

/// A request's bytes: first line, headers, an empty line, the body.
pub(super) fn request_bytes(first: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{first}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut out = crate::shell::bytes::to_bytes(&text);
    out.extend_from_slice(body);
    out
}

/// Waits until one of the caught signals came, and gives it.
pub(super) async fn signal(sys: &Sys) -> crate::shell::Signal {
    loop {
        if let Some(signal) = sys.take_signals().first() {
            return *signal;
        }
        sys.sleep(SimTime::from_secs(100_000)).await;
    }
}
