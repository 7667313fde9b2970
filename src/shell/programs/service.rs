//! Programs that are rows of `services.txt`: options, what must be given, lines logged, ports and
//! their pages, ends by signal. What each line of the table means is said at the table's top.

use super::threads::Threads;
use super::web::{self, Answer, Handler, Request, Server};
use super::{clock, memcached};
use crate::shell::{Disposition, Errno, Fd, NetError, Signal, Sys};
use crate::time::SimTime;
use std::net::Ipv4Addr;
use std::rc::Rc;

const TABLE: &str = include_str!("services.txt");

/// The rows of a program, where the table has it.
fn rows(name: &str) -> Option<Vec<&'static str>> {
    let mut lines = TABLE.lines();
    lines
        .find(|l| l.strip_prefix("= ").is_some_and(|names| names.split(' ').any(|n| n == name)))?;
    let own = lines.take_while(|line| !line.starts_with("= "));
    Some(own.filter(|line| !line.is_empty() && !line.starts_with('#')).collect())
}

/// What the texts of a program are filled in with.
struct Words {
    sys: Sys,
    options: Vec<(&'static str, String)>,
    rest: Vec<String>,
}

impl Words {
    fn value(&self, name: &str) -> Option<String> {
        if let Some(env) = name.strip_prefix('$') {
            return Some(self.sys.getenv(env).unwrap_or_default());
        }
        if let Ok(idx) = name.parse::<usize>() {
            return Some(self.rest.get(idx.wrapping_sub(1)).cloned().unwrap_or_default());
        }
        let own = self.options.iter().find(|(own, _)| *own == name).map(|(_, v)| v.clone());
        own.or_else(|| {
            Some(match name {
                "go" => clock::socat(&self.sys),
                "iso" => clock::iso(&self.sys),
                "stamp" => clock::iso(&self.sys).replace('T', " "),
                "ms" => format!("{:03}", clock::now(&self.sys).millis),
                "pid" => self.sys.pid().to_string(),
                "host" => self.sys.hostname(),
                "ip" => self.sys.pod_ip().map(|ip| ip.to_string()).unwrap_or_default(),
                "args" => self.rest.join(" "),
                _ => return None,
            })
        })
    }

    /// `{name}` filled in; `\n` is a line's end.
    fn fill(&self, text: &str, more: &[(&str, String)]) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            let inner = &rest[at + 1..];
            let end = inner.find('}').unwrap_or(inner.len());
            let name = &inner[..end];
            let own = more.iter().find(|(own, _)| *own == name).map(|(_, v)| v.clone());
            match own.or_else(|| self.value(name)) {
                Some(value) => {
                    out.push_str(&value);
                    rest = inner.get(end + 1..).unwrap_or("");
                }
                None => {
                    out.push('{');
                    rest = inner;
                }
            }
        }
        out.push_str(rest);
        out.replace("\\n", "\n").replace("\\t", "\t")
    }

    /// Reads the program's arguments; the exit code and text when they are wrong.
    fn parse(&mut self, rows: &[&'static str], argv: &[String]) -> Option<(i32, String)> {
        for row in rows {
            if let Some((name, default)) = split(row, "opt ") {
                let filled = self.fill(default, &[]);
                self.options.push((name, filled));
            } else if let Some(name) = row.strip_prefix("flag ") {
                self.options.push((name, String::new()));
            }
        }
        let strict = rows.iter().find_map(|row| split(row, "strict "));
        let mut args = argv.iter().skip(1);
        while let Some(arg) = args.next() {
            let Some(name) = arg.strip_prefix('-').filter(|n| !n.is_empty()) else {
                self.rest.push(arg.clone());
                continue;
            };
            let name = name.trim_start_matches('-');
            let (name, value) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v)));
            let is_flag = rows.iter().any(|row| row.strip_prefix("flag ") == Some(name));
            match self.options.iter().position(|(own, _)| *own == name) {
                Some(idx) if is_flag => self.options[idx].1 = value.unwrap_or("true").to_owned(),
                Some(idx) => {
                    let value = value.map(str::to_owned).or_else(|| args.next().cloned());
                    self.options[idx].1 = value.unwrap_or_default();
                }
                None if self.glued(name, arg) => {}
                None => match strict {
                    Some((code, text)) => {
                        let text = self.fill(text, &[("arg", arg.clone())]);
                        return Some((code.parse().unwrap_or(1), text));
                    }
                    None => {
                        let program = argv.first().map_or("", String::as_str);
                        self.sys.not_simulated(&format!("{program}: the option {arg}"), None);
                    }
                },
            }
        }
        None
    }
}

impl Words {
    /// `-uroot`: an option of one letter with its value.
    fn glued(&mut self, name: &str, arg: &str) -> bool {
        let Some(letter) = name.get(..1).filter(|_| !arg.starts_with("--") && name.len() > 1)
        else {
            return false;
        };
        let own = self.options.iter_mut().find(|(own, _)| *own == letter);
        own.map(|(_, value)| *value = name[1..].to_owned()).is_some()
    }
}

/// The first word after `kind` and the rest of the row.
fn split<'a>(row: &'a str, kind: &str) -> Option<(&'a str, &'a str)> {
    let rest = row.strip_prefix(kind)?;
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

struct Service {
    words: Rc<Words>,
    server: Server,
    /// Which program this is, and its rows.
    rows: Rc<Vec<&'static str>>,
    ends: Vec<(Signal, i32, &'static str)>,
    listeners: Vec<Fd>,
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let name = argv.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name));
    let Some(rows) = rows(name) else { return stand_in(sys, name).await };
    let mut words = Words { sys: sys.clone(), options: Vec::new(), rest: Vec::new() };
    if let Some((code, text)) = words.parse(&rows, &argv) {
        let _ = sys.write(2, format!("{text}\n").as_bytes()).await;
        return code;
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    let threads = Threads::default();
    let server = Server::new(&sys, &threads, SimTime::from_secs(60));
    let mut service = Service {
        words: Rc::new(words),
        server,
        rows: Rc::new(rows),
        ends: Vec::new(),
        listeners: Vec::new(),
    };
    threads.run(service.live()).await
}

impl Service {
    async fn say(&self, fd: Fd, text: &str, more: &[(&str, String)]) {
        let text = self.words.fill(text, more);
        let _ = self.words.sys.write(fd, format!("{text}\n").as_bytes()).await;
    }

    async fn live(&mut self) -> i32 {
        let rows = Rc::clone(&self.rows);
        let mut at = 0;
        while let Some(row) = rows.get(at) {
            at += 1;
            if let Some(code) = self.row(row, at).await {
                return code;
            }
        }
        loop {
            let signal = web::signal(&self.words.sys).await;
            if let Some((_, code, text)) = self.ends.iter().find(|end| end.0 == signal) {
                for line in text.split(" | ").filter(|line| !line.is_empty()) {
                    self.say(2, line, &[]).await;
                }
                return *code;
            }
        }
    }

    /// Does one row; the exit code when the program ends with it.
    async fn row(&mut self, row: &'static str, at: usize) -> Option<i32> {
        let (kind, rest) = row.split_once(' ').unwrap_or((row, ""));
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let sys = self.words.sys.clone();
        match kind {
            "out" => self.say(1, rest, &[]).await,
            "err" => self.say(2, rest, &[]).await,
            "wait" => web::sleep(&sys, SimTime::from_millis(first.parse().unwrap_or(0))).await,
            "mem" => sys.claim_memory(first.parse::<u64>().unwrap_or(0) << 20),
            "note" => sys.not_simulated(&self.words.fill(rest, &[]), None),
            "end" => return first.parse().ok(),
            "need" if self.words.fill(first, &[]).is_empty() => {
                let (code, text) = more.split_once(' ').unwrap_or((more, ""));
                self.say(2, text, &[]).await;
                return code.parse().ok();
            }
            "file" => {
                let path = self.words.fill(first, &[]);
                if let Err(errno) = sys.access(&path, 4) {
                    let (code, text) = more.split_once(' ').unwrap_or((more, ""));
                    self.say(2, text, &[("why", errno.text().to_lowercase())]).await;
                    return code.parse().ok();
                }
            }
            "signal" => {
                let (code, text) = more.split_once(' ').unwrap_or((more, ""));
                for name in first.split(',') {
                    if let Some(signal) = Signal::parse(name) {
                        sys.set_signal(signal, Disposition::Catch);
                        self.ends.push((signal, code.parse().unwrap_or(0), text));
                    }
                }
            }
            "listen" => return self.listen(first, more, at).await,
            "connect" => return Some(self.connect(rest).await),
            _ => {}
        }
        None
    }

    async fn listen(&mut self, place: &str, more: &'static str, at: usize) -> Option<i32> {
        let sys = self.words.sys.clone();
        let place = self.words.fill(place, &[]);
        let (host, port) = place.rsplit_once(':').unwrap_or(("", &place));
        let port: u16 = port.parse().unwrap_or(0);
        let addr = match host {
            "" | "*" | "[::]" => Ipv4Addr::UNSPECIFIED,
            "localhost" => Ipv4Addr::LOCALHOST,
            host => host.parse().unwrap_or(Ipv4Addr::UNSPECIFIED),
        };
        let listener = match sys.listen(addr, port) {
            Ok(listener) => listener,
            Err(errno) => {
                let (code, text) = more.split_once(' ').unwrap_or(("1", ""));
                let why = errno.text();
                let lower = why.to_lowercase();
                self.say(2, text, &[("why", lower), ("Why", why.to_owned())]).await;
                return Some(code.parse().unwrap_or(1));
            }
        };
        self.listeners.push(listener);
        let pages: Vec<&'static str> =
            self.rows[at..].iter().take_while(|row| !row.starts_with("listen ")).copied().collect();
        if pages.contains(&"hold") {
            self.hold(listener);
        } else if pages.contains(&"memcached") {
            memcached::serve(&self.server, listener);
        } else {
            let words = Rc::clone(&self.words);
            let handler: Handler = Rc::new(move |request| {
                let (words, pages) = (Rc::clone(&words), pages.clone());
                Box::pin(async move { answer(&words, &pages, &request).await })
            });
            self.server.serve(listener, handler);
        }
        None
    }

    /// Takes connections and only reads from them.
    fn hold(&self, listener: Fd) {
        let (sys, threads) = (self.words.sys.clone(), self.server.threads.clone());
        let inner = threads.clone();
        threads.start(async move {
            loop {
                match sys.accept(listener, None).await {
                    Ok(fd) => {
                        let sys = sys.clone();
                        inner.start(async move {
                            while matches!(sys.read(fd, 4096).await, Ok(d) if !d.is_empty()) {}
                            let _ = sys.close(fd);
                        });
                    }
                    Err(Errno::Intr) => {}
                    Err(_) => return,
                }
            }
        });
    }

    /// `HOST PORT CODE TEXT | CODE TEXT | CODE TEXT`: connected, refused, no such name.
    async fn connect(&self, rest: &str) -> i32 {
        let (target, outcomes) = rest.split_once(" ? ").unwrap_or((rest, ""));
        let target = self.words.fill(target, &[]);
        let (host, port) = target.split_once(' ').unwrap_or((&target, "0"));
        let host = if host.is_empty() || host.starts_with('/') { "127.0.0.1" } else { host };
        let sys = &self.words.sys;
        let deadline = sys.now() + SimTime::from_secs(10);
        let made = sys.connect(host, port.parse().unwrap_or(0), Some(deadline)).await;
        let addr = match made {
            Err(NetError::BadAddress) => Vec::new(),
            _ => sys.resolve(host).await,
        };
        let addr = addr.first().map(ToString::to_string).unwrap_or_default();
        let (idx, why) = match made {
            Ok(fd) => {
                let _ = sys.close(fd);
                (0, "")
            }
            Err(NetError::Errno(errno)) => (1, errno.text()),
            Err(NetError::BadAddress) => (2, "Name does not resolve"),
        };
        let list = outcomes.split(" | ");
        let outcome = list.clone().nth(idx).or_else(|| list.last()).unwrap_or("1");
        let (code, text) = outcome.split_once(' ').unwrap_or((outcome, ""));
        let fd = if idx == 0 { 1 } else { 2 };
        let (fd, text) = text.strip_prefix("out ").map_or((fd, text), |text| (1, text));
        if let Some(what) = text.strip_prefix("note ") {
            sys.not_simulated(what, None);
            self.say(2, &format!("not simulated: {what}"), &[]).await;
            return code.parse().unwrap_or(1);
        }
        if !text.is_empty() {
            self.say(fd, text, &[("why", why.to_owned()), ("addr", addr)]).await;
        }
        code.parse().unwrap_or(1)
    }
}

async fn answer(words: &Words, rows: &[&'static str], request: &Request) -> Answer {
    let path = request.path();
    let rows_of = |kind: &'static str| rows.iter().filter_map(move |row| row.strip_prefix(kind));
    let fits = |pattern: &str| super::wild::wild(pattern, path);
    let page = rows_of("get ").find(|row| fits(row.split(' ').next().unwrap_or("")));
    let mut cells = page.unwrap_or("* 404 text/plain 404 page not found\\n").splitn(4, ' ').skip(1);
    let mut cell = || cells.next().unwrap_or("");
    let (status, kind, body) = (cell(), cell(), cell());
    let status = words.fill(status, &[]).parse().unwrap_or(200);
    let header = |name: &str| request.head.get(name).unwrap_or("").to_owned();
    let head: String = request.head.headers.iter().map(|(n, v)| format!("{n}: {v}\n")).collect();
    let mut more = vec![
        ("method", request.method.clone()),
        ("target", request.target.clone()),
        ("query", request.query().to_owned()),
        ("peer", format!("{}:{}", request.peer.0, request.peer.1)),
        ("from", header("Host")),
        ("agent", header("User-Agent")),
        ("first", request.head.first.clone()),
        ("headers", head),
        ("status", status.to_string()),
    ];
    for millis in rows_of("cpu ") {
        words.sys.burn(millis.parse::<u64>().unwrap_or(0) * 1000).await;
    }
    let body = words.fill(body, &more);
    more.push(("size", body.len().to_string()));
    let quiet = rows_of("quiet ").any(fits);
    for row in rows_of("access ").filter(|_| !quiet) {
        let line = words.fill(row, &more);
        let _ = words.sys.write(1, format!("{line}\n").as_bytes()).await;
    }
    let mut answer = Answer::text(status, &kind.replace('_', " "), body);
    for row in rows_of("header ") {
        if let Some((name, value)) = row.split_once(' ') {
            answer.headers.push((name.to_owned(), words.fill(value, &more)));
        }
    }
    answer
}

/// A program nobody described takes connections: as a container's first process it stays until it
/// is stopped, as any other it fails.
async fn stand_in(sys: Sys, name: &str) -> i32 {
    let ports = sys.peek_file(super::PORTS).unwrap_or_default();
    let ports = String::from_utf8_lossy(&ports).into_owned();
    let first = sys.is_init();
    let does = match (first, ports.trim()) {
        (false, _) => "nothing of it happens".to_owned(),
        (true, "") => "it only stays until it is stopped".to_owned(),
        (true, ports) => format!("it only stays, and answers on port {ports}"),
    };
    sys.not_simulated(&format!("the program {name}: {does}"), None);
    let text = format!("not simulated: the program {name}; {does}\n");
    let _ = sys.write(2, text.as_bytes()).await;
    if !first {
        return 127;
    }
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::USR1, Signal::WINCH] {
        sys.set_signal(signal, Disposition::Catch);
    }
    let threads = Threads::default();
    let server = Server::new(&sys, &threads, SimTime::from_secs(60));
    for port in ports.split_whitespace().filter_map(|port| port.parse().ok()) {
        let Ok(listener) = sys.listen(Ipv4Addr::UNSPECIFIED, port) else {
            let text = format!("bind: port {port} is already in use\n");
            let _ = sys.write(2, text.as_bytes()).await;
            return 1;
        };
        let text = "a stand-in: the lab does not simulate this program\n";
        let handler: Handler =
            Rc::new(move |_| Box::pin(async move { Answer::text(200, "text/plain", text) }));
        server.serve(listener, handler);
    }
    threads.run(web::signal(&sys)).await;
    143
}
