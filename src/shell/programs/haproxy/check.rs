//! haproxy's health checks: a connection, an HTTP request, Redis' PING or steps of send and expect;
//! and what their results make of a server.

use super::conf::Line;
use super::log;
use super::model::{Conf, Proxy, Server};
use crate::regex::{Flavor, Options, Regex, find_bytes};
use crate::shell::http::Head;
use crate::shell::programs::nginx::posix;
use crate::shell::programs::web;
use crate::shell::{Errno, Fd, Sys};
use crate::time::SimTime;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Connect,
    Http,
    Redis,
    Steps,
}

#[derive(Clone)]
enum Step {
    Connect(Option<u16>),
    Send(Vec<u8>),
    /// What must come, whether it must not, and how it is called.
    Expect(Wanted, bool, String),
}

#[derive(Clone)]
enum Wanted {
    Text(Vec<u8>),
    Regex(Regex),
    /// Status codes: single ones and ranges.
    Status(Vec<(u16, u16)>),
}

/// How servers of a backend are looked after.
#[derive(Clone, Default)]
pub(super) struct Check {
    kind: Kind,
    method: String,
    uri: String,
    version: String,
    headers: Vec<(String, String)>,
    expect: Option<(Wanted, bool)>,
    steps: Vec<Step>,
}

/// What one check came to.
struct Outcome {
    good: bool,
    /// `Layer4 connection problem`, `L4CON`.
    reason: &'static str,
    short: &'static str,
    code: Option<u16>,
    info: String,
}

impl Outcome {
    fn new(good: bool, reason: &'static str, short: &'static str) -> Outcome {
        Outcome { good, reason, short, code: None, info: String::new() }
    }

    fn info(mut self, info: impl Into<String>) -> Outcome {
        self.info = info.into();
        self
    }

    /// A check above layer 4 always tells a code.
    fn coded(mut self, code: u16) -> Outcome {
        self.code = Some(code);
        self
    }
}

fn codes(text: &str) -> Vec<(u16, u16)> {
    let one = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split(',').filter_map(one).collect()
}

impl Check {
    /// Takes `option httpchk ...` and its like; false for another option.
    pub(super) fn option(&mut self, line: &Line) -> bool {
        self.kind = match line.word(1) {
            "httpchk" => Kind::Http,
            "redis-check" => Kind::Redis,
            "tcp-check" => Kind::Steps,
            _ => return false,
        };
        if self.kind == Kind::Http {
            match (line.word(2), line.word(3), line.word(4)) {
                ("", ..) => {}
                (uri, "", _) => uri.clone_into(&mut self.uri),
                (method, uri, version) => {
                    method.clone_into(&mut self.method);
                    uri.clone_into(&mut self.uri);
                    version.clone_into(&mut self.version);
                }
            }
        }
        true
    }

    /// Takes a `tcp-check` or `http-check` line.
    pub(super) fn step(&mut self, line: &Line) -> Result<(), String> {
        let http = line.word(0) == "http-check";
        match line.word(1) {
            "connect" => {
                let at = line.words.iter().position(|w| w == "port");
                let port = at.and_then(|at| line.word(at + 1).parse().ok());
                self.steps.push(Step::Connect(port));
            }
            "send" if http => self.http_send(line),
            "send" => self.steps.push(Step::Send(line.word(2).as_bytes().to_vec())),
            "send-binary" => {
                let digits: Vec<u8> = line.word(2).bytes().collect();
                let byte = |pair: &[u8]| {
                    let text = std::str::from_utf8(pair).ok()?;
                    u8::from_str_radix(text, 16).ok()
                };
                self.steps.push(Step::Send(digits.chunks(2).filter_map(byte).collect()));
            }
            "expect" => {
                let mut words = line.rest(2).iter().map(String::as_str);
                let mut word = words.next().unwrap_or("");
                let not = word == "!";
                if not {
                    word = words.next().unwrap_or("");
                }
                let value = words.next().unwrap_or("");
                let wanted = wanted(word, value)?;
                if http {
                    self.expect = Some((wanted, not));
                } else {
                    let name = format!("expect {}{word} '{value}'", if not { "!" } else { "" });
                    self.steps.push(Step::Expect(wanted, not, name));
                }
            }
            "comment" | "disable-on-404" | "send-state" => {}
            other => return Err(format!("unknown rule '{other}'")),
        }
        Ok(())
    }

    fn http_send(&mut self, line: &Line) {
        let mut words = line.rest(2).iter();
        while let Some(word) = words.next() {
            let mut next = || words.next().cloned().unwrap_or_default();
            match word.as_str() {
                "meth" => self.method = next(),
                "uri" => self.uri = next(),
                "ver" => self.version = next(),
                "hdr" => {
                    let (name, value) = (next(), next());
                    self.headers.push((name, value));
                }
                _ => {}
            }
        }
    }

    async fn run(&self, sys: &Sys, proxy: &Proxy, server: &Server) -> Outcome {
        let inter = SimTime::from_millis(server.inter_ms);
        let connect = proxy.timeout("connect").map_or(inter, |t| t.min(inter));
        let whole = proxy.timeout("check").map_or(connect, |t| connect + t);
        let deadline = sys.now() + if self.kind == Kind::Connect { connect } else { whole };
        let Some(addr) = server.addr.get() else {
            return Outcome::new(false, "Layer4 connection problem", "L4CON").info("no address");
        };
        let steps = self.kind == Kind::Steps && !self.steps.is_empty();
        let own_port = self.steps.iter().find_map(|step| match step {
            Step::Connect(port) if steps => Some(*port),
            _ => None,
        });
        let port = own_port.flatten().or(server.check_port).unwrap_or(server.port);
        let label = format!("{}:{port}", server.host);
        let fd = match sys.connect_addr(&label, addr, port, Some(sys.now() + connect)).await {
            Ok(fd) => fd,
            Err(errno) => return refused(errno, steps),
        };
        let mut talk = Talk { sys, fd, data: Vec::new(), ended: false, deadline };
        let outcome = match self.kind {
            Kind::Connect => Outcome::new(true, "Layer4 check passed", "L4OK"),
            Kind::Steps if self.steps.is_empty() => {
                Outcome::new(true, "Layer4 check passed", "L4OK")
            }
            Kind::Http => self.http(&mut talk).await,
            Kind::Redis => redis(&mut talk).await,
            Kind::Steps => self.steps(&mut talk).await,
        };
        let _ = sys.close(fd);
        outcome
    }

    async fn http(&self, talk: &mut Talk<'_>) -> Outcome {
        let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
        let (method, uri) = (or(&self.method, "OPTIONS"), or(&self.uri, "/"));
        let version = or(&self.version, "HTTP/1.0");
        let mut headers = self.headers.clone();
        headers.push(("connection".to_owned(), "close".to_owned()));
        let first = format!("{method} {uri} {version}");
        talk.send(&web::request_bytes(&first, &headers, b"")).await;
        let head = loop {
            if let Some((head, _)) = Head::parse(&talk.data) {
                break head;
            }
            match talk.more().await {
                Ok(true) => {}
                Ok(false) => {
                    return Outcome::new(false, "Layer7 invalid response", "L7RSP").coded(0);
                }
                Err(_) => return Outcome::new(false, "Layer7 timeout", "L7TOUT").coded(0),
            }
        };
        let Some(status) = head.status() else {
            return Outcome::new(false, "Layer7 invalid response", "L7RSP").coded(0);
        };
        let good = match &self.expect {
            None => (200..400).contains(&status),
            Some((Wanted::Status(list), not)) => {
                list.iter().any(|(from, to)| (from..=to).contains(&&status)) != *not
            }
            Some((wanted, not)) => {
                while matches!(talk.more().await, Ok(true)) {}
                wanted.is_in(&talk.data) != *not
            }
        };
        let words = head.first.splitn(3, ' ').nth(2).unwrap_or("").to_owned();
        match good {
            true => Outcome::new(true, "Layer7 check passed", "L7OK").coded(status),
            false => Outcome::new(false, "Layer7 wrong status", "L7STS").coded(status).info(words),
        }
    }

    async fn steps(&self, talk: &mut Talk<'_>) -> Outcome {
        for (idx, step) in self.steps.iter().enumerate() {
            let no = idx + 1;
            match step {
                Step::Connect(_) => {}
                Step::Send(data) => talk.send(data).await,
                Step::Expect(wanted, not, name) => loop {
                    if wanted.is_in(&talk.data) != *not && (!*not || !talk.data.is_empty()) {
                        talk.data.clear();
                        break;
                    }
                    let late = format!(" at step {no} of tcp-check ({name})");
                    match talk.more().await {
                        Ok(true) if *not && wanted.is_in(&talk.data) => {
                            return mismatch(no, talk, name);
                        }
                        Ok(true) => {}
                        Ok(false) => return mismatch(no, talk, name),
                        Err(_) => {
                            let out = Outcome::new(false, "Layer7 timeout", "L7TOUT");
                            return out.coded(0).info(late);
                        }
                    }
                },
            }
        }
        Outcome::new(true, "Layer7 check passed", "L7OK").coded(0).info("(tcp-check)")
    }
}

fn mismatch(no: usize, talk: &Talk, name: &str) -> Outcome {
    let info = match talk.data.is_empty() {
        true => format!("Connection closed at step {no} of tcp-check ({name})"),
        false => {
            let wanted = name.split_once('\'').map_or("", |(_, rest)| rest.trim_end_matches('\''));
            format!("TCPCHK did not match content '{wanted}' at step {no}")
        }
    };
    Outcome::new(false, "Layer7 invalid response", "L7RSP").coded(0).info(info)
}

fn refused(errno: Errno, steps: bool) -> Outcome {
    let at = if steps { " at step 1 of tcp-check (connect)" } else { "" };
    match errno {
        Errno::TimedOut => Outcome::new(false, "Layer4 timeout", "L4TOUT").info(at),
        errno => {
            let info = format!("{}{at}", errno.text());
            Outcome::new(false, "Layer4 connection problem", "L4CON").info(info)
        }
    }
}

async fn redis(talk: &mut Talk<'_>) -> Outcome {
    talk.send(b"*1\r\n$4\r\nPING\r\n").await;
    while !talk.data.ends_with(b"\n") {
        match talk.more().await {
            Ok(true) => {}
            Ok(false) => {
                let out = Outcome::new(false, "Layer7 invalid response", "L7RSP");
                return out.coded(0);
            }
            Err(_) => return Outcome::new(false, "Layer7 timeout", "L7TOUT").coded(0),
        }
    }
    if talk.data.starts_with(b"+PONG\r\n") {
        let out = Outcome::new(true, "Layer7 check passed", "L7OK");
        return out.coded(0).info("Redis server is ok");
    }
    let said = String::from_utf8_lossy(&talk.data).trim_end().to_owned();
    Outcome::new(false, "Layer7 wrong status", "L7STS").coded(0).info(said)
}

fn wanted(kind: &str, value: &str) -> Result<Wanted, String> {
    Ok(match kind {
        "string" => Wanted::Text(value.as_bytes().to_vec()),
        "status" => Wanted::Status(codes(value)),
        "rstring" | "rstatus" => {
            let options = Options { flavor: Flavor::Extended, ..Options::default() };
            let regex = Regex::new(posix(value).as_bytes(), options);
            Wanted::Regex(regex.map_err(|_| format!("regex '{value}' is invalid"))?)
        }
        other => {
            return Err(format!(
                "'expect' only supports '!', 'string', 'binary', 'rstring', 'rbinary' (got '{other}')"
            ));
        }
    })
}

impl Wanted {
    fn is_in(&self, data: &[u8]) -> bool {
        match self {
            Wanted::Text(text) => find_bytes(data, text, 0).is_some(),
            Wanted::Regex(regex) => regex.is_match(data).unwrap_or(false),
            Wanted::Status(_) => false,
        }
    }
}

struct Talk<'a> {
    sys: &'a Sys,
    fd: Fd,
    data: Vec<u8>,
    ended: bool,
    deadline: SimTime,
}

impl Talk<'_> {
    async fn send(&self, data: &[u8]) {
        let _ = self.sys.write(self.fd, data).await;
    }

    /// More bytes; false at the end; an error when it is too late.
    async fn more(&mut self) -> Result<bool, ()> {
        while !self.ended && self.data.len() < 16_384 {
            match self.sys.read_until(self.fd, 4096, Some(self.deadline)).await {
                Ok(data) => {
                    self.ended = data.is_empty();
                    self.data.extend_from_slice(&data);
                    return Ok(!self.ended);
                }
                Err(Errno::Intr) => {}
                Err(Errno::TimedOut) => return Err(()),
                Err(_) => self.ended = true,
            }
        }
        Ok(false)
    }
}

/// Checks one server for ever.
pub(super) async fn watch(
    sys: Sys,
    conf: std::rc::Rc<Conf>,
    place: (usize, usize),
    first: SimTime,
) {
    let Some(proxy) = conf.proxies.get(place.0) else { return };
    let Some(server) = proxy.servers.get(place.1) else { return };
    web::sleep(&sys, first).await;
    loop {
        let begun = sys.now();
        let outcome = proxy.check.run(&sys, proxy, server).await;
        let took = (sys.now() - begun).as_millis();
        judge(&sys, &conf, proxy, server, &outcome, took).await;
        let (up, health) = {
            let state = server.state.borrow();
            (state.up, state.health)
        };
        let settled = if up { health == server.rise + server.fall - 1 } else { health == 0 };
        let wait = match (settled, up) {
            (true, true) => server.inter_ms,
            (_, false) => server.down_ms.or(server.fast_ms).unwrap_or(server.inter_ms),
            (false, true) => server.fast_ms.unwrap_or(server.inter_ms),
        };
        let spent = sys.now() - begun;
        let wait = SimTime::from_millis(wait);
        web::sleep(&sys, if wait > spent { wait - spent } else { SimTime::ZERO }).await;
    }
}

/// Counts a result in; whether the server changed sides.
fn count(server: &Server, outcome: &Outcome, took: u64) -> bool {
    let mut state = server.state.borrow_mut();
    let was = state.up;
    state.last_check = format!("{} in {took}ms", outcome.short);
    if outcome.good {
        state.health = match state.health + 1 {
            health if health >= server.rise => server.rise + server.fall - 1,
            health => health,
        };
    } else {
        state.n_failed += 1;
        state.health = if state.health > server.rise { state.health - 1 } else { 0 };
    }
    state.up = state.health >= server.rise;
    state.n_down += u32::from(was && !state.up);
    was != state.up
}

/// Counts a result in and tells when the server changed sides.
async fn judge(
    sys: &Sys,
    conf: &Conf,
    proxy: &Proxy,
    server: &Server,
    outcome: &Outcome,
    took: u64,
) {
    let turned = count(server, outcome, took);
    if !turned && !proxy.has("log-health-checks") {
        return;
    }
    let backup = if server.backup { "Backup " } else { "" };
    let name = format!("{backup}Server {}/{}", proxy.id, server.id);
    let code = outcome.code.map_or(String::new(), |code| format!(", code: {code}"));
    let info = match outcome.info.is_empty() {
        true => String::new(),
        false => format!(", info: \"{}\"", outcome.info),
    };
    let reason = format!("reason: {}{code}{info}, check duration: {took}ms", outcome.reason);
    if !turned {
        let how = if outcome.good { "succeeded" } else { "failed" };
        let text = format!("Health check for {} {how}, {reason}.", name.to_lowercase());
        log::say(sys, "WARNING", &text).await;
        return;
    }
    let (active, backup) = proxy.n_up();
    let on = if active == 0 && backup > 0 { " Running on backup." } else { "" };
    let servers = format!("{active} active and {backup} backup servers");
    let open = server.state.borrow().open;
    let (word, rest, level) = match outcome.good {
        false => {
            let rest =
                format!("left.{on} {open} sessions active, 0 requeued, 0 remaining in queue");
            ("DOWN", rest, log::ALERT)
        }
        true => {
            let rest = format!("online.{on} 0 sessions requeued, 0 total in queue");
            ("UP", rest, log::NOTICE)
        }
    };
    let text = format!("{name} is {word}, {reason}. {servers} {rest}.");
    log::say(sys, "WARNING", &text).await;
    log::send(sys, conf, proxy, level, &text).await;
    if active + backup == 0 && !outcome.good {
        let kind = proxy.type_name();
        log::say(sys, "ALERT", &format!("{kind} '{}' has no server available!", proxy.id)).await;
        let text = format!("{kind} {} has no server available!", proxy.id);
        log::send(sys, conf, proxy, log::EMERG, &text).await;
    }
}
