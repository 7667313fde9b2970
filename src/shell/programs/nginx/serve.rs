//! A worker of nginx answering requests: rewriting, access, then a page, a file or a server
//! behind it; and the access line.

use super::conf::Directive;
use super::find;
use super::log::Logs;
use super::meaning::{Conf, Shared, millis};
use super::run::version;
use crate::shell::programs::web::{Answer, Handler, Request, Server};
use crate::shell::programs::{clock, threads::Threads, web};
use crate::shell::{Disposition, Fd, FileType, Signal, Sys};
use crate::time::SimTime;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Internal redirections of one request.
const TURNS_MAX: usize = 10;

/// What a worker has.
pub(super) struct Worker {
    pub(super) sys: Sys,
    pub(super) conf: Shared,
    pub(super) logs: Logs,
    pub(super) n_accepted: Cell<u64>,
    pub(super) n_requests: Cell<u64>,
    pub(super) open: Rc<Cell<usize>>,
}

pub(super) async fn worker(
    sys: Sys,
    conf: Shared,
    logs: Logs,
    listeners: BTreeMap<(Ipv4Addr, u16), Fd>,
    serves: bool,
) -> i32 {
    for signal in [Signal::QUIT, Signal::TERM, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    for signal in [Signal::HUP, Signal::PIPE] {
        sys.set_signal(signal, Disposition::Ignore);
    }
    sys.set_signal(Signal::CHLD, Disposition::Default);
    let threads = Threads::default();
    let idle = conf.http().and_then(|http| http.get("keepalive_timeout"));
    let idle = SimTime::from_millis(idle.map_or(75_000, |d| millis(d.arg(0))));
    let server = Server::new(&sys, &threads, idle);
    let worker = Rc::new(Worker {
        sys: sys.clone(),
        conf,
        logs,
        n_accepted: Cell::new(0),
        n_requests: Cell::new(0),
        open: Rc::clone(&server.open),
    });
    let own = Rc::clone(&worker);
    let handler: Handler = Rc::new(move |request| {
        let worker = Rc::clone(&own);
        Box::pin(async move { worker.answer(&request).await })
    });
    for fd in listeners.values().filter(|_| serves) {
        server.serve(*fd, Rc::clone(&handler));
    }
    threads.run(worker.until_told(&server, &listeners)).await
}

impl Worker {
    async fn until_told(&self, server: &Server, listeners: &BTreeMap<(Ipv4Addr, u16), Fd>) -> i32 {
        let chain: [&Directive; 1] = [&self.conf.root];
        if web::signal(&self.sys).await == Signal::QUIT {
            self.logs.error(&self.sys, &chain, "notice", "gracefully shutting down").await;
            server.closing.set(true);
            for fd in listeners.values() {
                let _ = self.sys.close(*fd);
            }
            while server.open.get() > 0 && self.sys.take_signals().is_empty() {
                self.sys.sleep(SimTime::from_millis(10)).await;
            }
        }
        self.logs.error(&self.sys, &chain, "notice", "exiting").await;
        self.logs.error(&self.sys, &chain, "notice", "exit").await;
        0
    }

    async fn answer(&self, request: &Request) -> Answer {
        self.n_requests.set(self.n_requests.get() + 1);
        self.n_accepted.set(self.n_accepted.get() + 1);
        let host = request.head.get("Host").unwrap_or("");
        let conf: &Conf = &self.conf;
        let (Some(http), Some(server)) = (conf.http(), find::server(conf, request.local, host))
        else {
            return Answer { drop: true, ..Answer::default() };
        };
        let (path, query) = (request.path(), request.query());
        let decoded = crate::shell::http::percent_decode(path).unwrap_or_default();
        let mut exchange = Exchange {
            worker: self,
            request,
            http,
            server,
            chain: vec![http, server],
            uri: crate::shell::bytes::to_text(&decoded),
            args: query.to_owned(),
            own: BTreeMap::new(),
            captures: Vec::new(),
            since: self.sys.now(),
            number: self.n_requests.get(),
            upstream: Upstream::default(),
            proxied: String::new(),
            sent: (0, 0),
        };
        let mut answer = exchange.turns().await;
        exchange.finish(&mut answer);
        exchange.sent = (answer.status, answer.body.len());
        exchange.access_line(&answer).await;
        answer
    }
}

/// What is known of the server behind.
#[derive(Default)]
pub(super) struct Upstream {
    pub(super) addr: String,
    pub(super) status: String,
    pub(super) millis: Option<u64>,
    pub(super) length: usize,
}

/// One request on its way.
pub(super) struct Exchange<'c> {
    pub(super) worker: &'c Worker,
    pub(super) request: &'c Request,
    pub(super) http: &'c Directive,
    pub(super) server: &'c Directive,
    /// Blocks it is in, outermost first.
    pub(super) chain: Vec<&'c Directive>,
    pub(super) uri: String,
    pub(super) args: String,
    /// Variables that were set.
    pub(super) own: BTreeMap<String, String>,
    pub(super) captures: Vec<String>,
    pub(super) since: SimTime,
    pub(super) number: u64,
    pub(super) upstream: Upstream,
    /// `$proxy_host`.
    pub(super) proxied: String,
    pub(super) sent: (u16, usize),
}

pub(super) enum Flow {
    On,
    Again,
    Done(Answer),
}

impl<'c> Exchange<'c> {
    /// The directive in force here.
    pub(super) fn get(&self, name: &str) -> Option<&'c Directive> {
        self.chain.iter().rev().find_map(|block| block.get(name))
    }

    /// All of a name on the innermost level that has any.
    pub(super) fn all(&self, name: &'static str) -> Vec<&'c Directive> {
        let level = self.chain.iter().rev().find(|block| block.get(name).is_some());
        level.map_or(Vec::new(), |block| block.block.iter().filter(|d| d.name == name).collect())
    }

    pub(super) async fn error(&self, level: &str, what: &str) {
        let request = &self.request;
        let name = self.server.get("server_name").map_or("", |d| d.arg(0));
        let mut text = format!(
            "*{} {what}, client: {}, server: {name}, request: \"{}\"",
            self.number, request.peer.0, request.head.first
        );
        if !self.upstream.addr.is_empty() && what.contains("upstream") {
            let uri = self.target();
            text.push_str(&format!(", upstream: \"http://{}{uri}\"", self.upstream.addr));
        }
        if let Some(host) = request.head.get("Host") {
            text.push_str(&format!(", host: \"{host}\""));
        }
        self.worker.logs.error(&self.worker.sys, &self.chain, level, &text).await;
    }

    /// Path and query as they are now.
    pub(super) fn target(&self) -> String {
        let mark = if self.args.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.uri, self.args)
    }

    async fn turns(&mut self) -> Answer {
        for turn in 0..TURNS_MAX {
            if turn == 0
                && let Flow::Done(answer) = self.rewrite(self.server)
            {
                return answer;
            }
            self.chain = vec![self.http, self.server];
            let (server, uri) = (self.server, self.uri.clone());
            self.chain.extend(find::locations(server, &uri, &mut self.captures));
            let flow = self.one_turn().await;
            match flow {
                Flow::Done(answer) if answer.status >= 300 => match self.error_page(&answer) {
                    Some(code) => {
                        let mut page = Box::pin(self.turn_for_error()).await;
                        page.status = code.unwrap_or(page.status);
                        return page;
                    }
                    None => return answer,
                },
                Flow::Done(answer) => return answer,
                Flow::On | Flow::Again => {}
            }
        }
        self.error("error", "rewrite or internal redirection cycle while processing").await;
        self.page(500)
    }

    /// The page that `error_page` names, found at the present URI.
    async fn turn_for_error(&mut self) -> Answer {
        let before = self.uri.clone();
        if let Some(named) =
            before.strip_prefix('@').and_then(|_| find::named(self.server, &before))
        {
            self.chain = vec![self.http, self.server, named];
            return match self.one_turn().await {
                Flow::Done(answer) => answer,
                _ => self.page(500),
            };
        }
        for _ in 0..TURNS_MAX {
            self.chain = vec![self.http, self.server];
            let (server, uri) = (self.server, self.uri.clone());
            self.chain.extend(find::locations(server, &uri, &mut self.captures));
            if let Flow::Done(answer) = self.one_turn().await {
                return answer;
            }
        }
        self.page(500)
    }

    /// Sets the URI to the error page's; the status to answer with, where one is given.
    fn error_page(&mut self, answer: &Answer) -> Option<Option<u16>> {
        if answer.headers.iter().any(|(name, _)| name == "X-Proxied") {
            let on = self.get("proxy_intercept_errors").is_some_and(|d| d.arg(0) == "on");
            if !on {
                return None;
            }
        }
        let code = answer.status.to_string();
        let pages = self.all("error_page");
        let page = pages.into_iter().find(|page| page.args.contains(&code))?;
        let uri = self.text(page.args.last()?);
        if !uri.starts_with(['/', '@']) {
            return None;
        }
        self.uri = uri;
        let given = page.args.iter().find_map(|arg| arg.strip_prefix('='));
        Some(match given {
            Some("") => None,
            Some(code) => code.parse().ok(),
            None => Some(answer.status),
        })
    }

    async fn one_turn(&mut self) -> Flow {
        for block in self.chain.clone().into_iter().skip(2) {
            match self.rewrite(block) {
                Flow::On => {}
                other => return other,
            }
        }
        if self.get("internal").is_some() && self.uri == self.request.path() {
            return Flow::Done(self.page(404));
        }
        if !self.allowed() {
            self.error("error", "access forbidden by rule").await;
            return Flow::Done(self.page(403));
        }
        let block = self.chain.last().copied().filter(|_| self.chain.len() > 2);
        if let Some(tries) =
            block.and_then(|b| b.get("try_files")).or_else(|| self.server.get("try_files"))
            && self.uri_is_untried(tries)
        {
            return self.try_files(tries);
        }
        if let Some(pass) = block.and_then(|b| b.get("proxy_pass")) {
            return Flow::Done(self.pass(pass).await);
        }
        if block.is_some_and(|b| b.get("stub_status").is_some()) {
            return Flow::Done(self.status());
        }
        self.file().await
    }

    fn uri_is_untried(&mut self, tries: &Directive) -> bool {
        // Once a file was found, its URI falls to the same location again.
        self.own.insert("\0tried".to_owned(), tries.place.to_string()).as_deref()
            != Some(&*tries.place)
    }

    fn try_files(&mut self, tries: &Directive) -> Flow {
        let last = tries.args.len().saturating_sub(1);
        for (idx, arg) in tries.args.iter().enumerate() {
            let text = self.text(arg);
            if idx == last {
                if let Some(code) = text.strip_prefix('=').and_then(|c| c.parse().ok()) {
                    return Flow::Done(self.page(code));
                }
                self.own.remove("\0tried");
                let (uri, args) = text.split_once('?').unwrap_or((&text, ""));
                (self.uri, self.args) = (uri.to_owned(), args.to_owned());
                if let Some(named) = find::named(self.server, &self.uri) {
                    self.uri = self.request.path().to_owned();
                    self.chain = vec![self.http, self.server, named];
                    return Flow::Again;
                }
                return Flow::Again;
            }
            let path = self.place_of(&text);
            let wants_dir = text.ends_with('/');
            let stat = self.worker.sys.stat(path.trim_end_matches('/')).ok();
            if stat.is_some_and(|s| (s.file_type == FileType::Dir) == wants_dir) {
                self.uri = text;
                return Flow::Again;
            }
        }
        Flow::Done(self.page(404))
    }

    fn allowed(&self) -> bool {
        let level = self
            .chain
            .iter()
            .rev()
            .find(|block| block.block.iter().any(|d| d.name == "allow" || d.name == "deny"));
        let Some(level) = level else { return true };
        let peer = u32::from(self.request.peer.0);
        let fits = |text: &str| {
            let (addr, bits) = text.split_once('/').unwrap_or((text, "32"));
            let bits: u32 = bits.parse().unwrap_or(32).min(32);
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            text == "all"
                || addr.parse::<Ipv4Addr>().is_ok_and(|a| u32::from(a) & mask == peer & mask)
        };
        let rule = level.block.iter().filter(|d| d.name == "allow" || d.name == "deny");
        rule.into_iter().find(|d| fits(d.arg(0))).is_none_or(|d| d.name == "allow")
    }

    // Models src/http/modules/ngx_http_rewrite_module.c.
    fn rewrite(&mut self, block: &'c Directive) -> Flow {
        for directive in &block.block {
            match directive.name.as_str() {
                "set" => {
                    let value = self.text(directive.arg(1));
                    let name = directive.arg(0).trim_start_matches('$').to_owned();
                    self.own.insert(name, value);
                }
                "return" => return Flow::Done(self.returned(directive)),
                "break" => return Flow::On,
                "if" if self.holds(&directive.args) => {
                    self.chain.push(directive);
                    match self.rewrite(directive) {
                        Flow::On => {}
                        other => return other,
                    }
                }
                "rewrite" => {
                    let Some(groups) = find::search(directive.arg(0), &self.uri, false) else {
                        continue;
                    };
                    self.captures = groups;
                    let to = self.text(directive.arg(1));
                    let how = directive.arg(2);
                    if to.contains("://") || matches!(how, "redirect" | "permanent") {
                        let code = if how == "permanent" { 301 } else { 302 };
                        return Flow::Done(self.moved(code, &to));
                    }
                    let (uri, args) = to.split_once('?').unwrap_or((&to, ""));
                    if !args.is_empty() {
                        self.args = args.to_owned();
                    }
                    self.uri = uri.to_owned();
                    match how {
                        "break" => return Flow::On,
                        "last" if block.name != "server" => return Flow::Again,
                        "last" => return Flow::On,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Flow::On
    }

    /// The condition of an `if`, in its parentheses.
    fn holds(&mut self, args: &[String]) -> bool {
        let text = args.join(" ");
        let text = text.trim_start_matches('(').strip_suffix(')').unwrap_or(&text).trim();
        let mut words = text.splitn(3, ' ');
        let (left, operator) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let right = words.next().unwrap_or("").trim_matches('"');
        if let Some(test) = left.strip_prefix('!').unwrap_or(left).strip_prefix('-') {
            let path = self.text(operator);
            let stat = self.worker.sys.stat(&path).ok().map(|s| s.file_type);
            let is = match test {
                "f" => stat == Some(FileType::File),
                "d" => stat == Some(FileType::Dir),
                _ => stat.is_some(),
            };
            return is != left.starts_with('!');
        }
        let value = self.text(left);
        match operator {
            "=" => value == self.text(right),
            "!=" => value != self.text(right),
            "~" | "~*" | "!~" | "!~*" => {
                let found = find::search(right, &value, operator.ends_with('*'));
                let is = found.is_some();
                if let Some(groups) = found {
                    self.captures = groups;
                }
                is != operator.starts_with('!')
            }
            _ => !value.is_empty() && value != "0",
        }
    }

    /// Headers every answer gets.
    fn finish(&mut self, answer: &mut Answer) {
        let hidden = self.get("server_tokens").is_some_and(|d| d.arg(0) == "off");
        let version = version(&self.worker.sys);
        let server = if hidden { "nginx".to_owned() } else { format!("nginx/{version}") };
        let date = clock::http(&self.worker.sys);
        answer.headers.retain(|(name, _)| name != "X-Proxied");
        let first = [("Server".to_owned(), server), ("Date".to_owned(), date)];
        answer.headers.splice(0..0, first);
        self.sent = (answer.status, answer.body.len());
        let plain = matches!(answer.status, 200..=206 | 301..=304 | 307 | 308);
        for directive in self.all("add_header") {
            let value = self.text(directive.arg(1));
            if !value.is_empty() && (plain || directive.arg(2) == "always") {
                answer.headers.push((directive.arg(0).to_owned(), value));
            }
        }
    }
}
