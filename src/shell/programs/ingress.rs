//! The ingress controller's server, as ingress-nginx configures its nginx: by host, by path, to
//! one of the addresses behind a Service. Its rules are a file that the cluster writes; TLS and
//! annotations are nobody's here.

use super::clock;
use super::threads::Threads;
use super::web::{self, Answer, Fail, Handler, Patience, Request, Server, request_bytes};
use crate::shell::http::Head;
use crate::shell::{Disposition, Errno, Signal, Sys};
use crate::time::SimTime;
use std::cell::Cell;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Where the rules are: `HOST<tab>KIND<tab>PATH<tab>UPSTREAM<tab>ADDRESSES` a line. KIND is `=`
/// for a path as a whole and `^` for its start; HOST is `_` for every host no other line has.
const RULES: &str = "/etc/ingress-controller/lab/rules";

/// How often another address is tried, and how long each may take.
const TRIES: usize = 3;
const PATIENCE: Patience =
    Patience { connect: SimTime::from_secs(5), read: SimTime::from_secs(60) };

#[derive(Clone, Debug, PartialEq)]
struct Location {
    host: String,
    exact: bool,
    path: String,
    upstream: String,
    to: Vec<(Ipv4Addr, u16)>,
}

fn parse(text: &str) -> Vec<Location> {
    let one = |line: &str| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("").to_owned();
        let (host, kind, path, upstream, to) = (cell(), cell(), cell(), cell(), cell());
        let address = |text: &str| {
            let (ip, port) = text.split_once(':')?;
            Some((ip.parse().ok()?, port.parse().ok()?))
        };
        let to = to.split(',').filter_map(address).collect();
        Location { host, exact: kind == "=", path, upstream, to }
    };
    text.lines().filter(|line| !line.is_empty()).map(one).collect()
}

/// The location nginx chooses: the server of the host, then the whole path, then the longest start.
fn choose<'a>(all: &'a [Location], host: &str, path: &str) -> Option<&'a Location> {
    let wild = host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
    let names = [Some(host.to_owned()), wild, Some("_".to_owned())];
    let mut names = names.into_iter().flatten();
    let server = names.find(|name| all.iter().any(|one| one.host == *name))?;
    let own = || all.iter().filter(|one| one.host == server);
    let whole = own().find(|one| one.exact && one.path == path);
    let starts = own().filter(|one| !one.exact && path.starts_with(&one.path));
    // Of several as long as each other the first one stays.
    let longest = || {
        starts.fold(None, |best: Option<&Location>, one| match best {
            Some(best) if best.path.len() >= one.path.len() => Some(best),
            _ => Some(one),
        })
    };
    whole.or_else(longest)
}

/// The page nginx has for a status of its own.
fn page(status: u16) -> Answer {
    let words = match status {
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        status => web::reason(status),
    };
    let text = format!(
        "<html>\r\n<head><title>{status} {words}</title></head>\r\n<body>\r\n<center><h1>{status} \
         {words}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer { words: words.to_owned(), ..Answer::text(status, "text/html", text) }
}

/// Headers that are of one connection only.
const OF_CONNECTION: [&str; 4] =
    ["Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length"];

fn forwarded(request: &Request, host: &str, id: &str) -> Vec<u8> {
    let mut headers = vec![("Host".to_owned(), host.to_owned())];
    let peer = request.peer.0.to_string();
    for (name, value) in [
        ("X-Request-ID", id),
        ("X-Real-IP", peer.as_str()),
        ("X-Forwarded-For", peer.as_str()),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Scheme", "http"),
        ("X-Scheme", "http"),
    ] {
        headers.push((name.to_owned(), value.to_owned()));
    }
    let known = |name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let hop = |name: &str| OF_CONNECTION.iter().any(|one| one.eq_ignore_ascii_case(name));
    let own = request.head.headers.iter().filter(|(name, _)| !known(name) && !hop(name));
    let own: Vec<(String, String)> = own.cloned().collect();
    headers.extend(own);
    if !request.body.is_empty() {
        headers.push(("Content-Length".to_owned(), request.body.len().to_string()));
    }
    let first = format!("{} {} HTTP/1.1", request.method, request.target);
    request_bytes(&first, &headers, &request.body)
}

fn handed_on(head: &Head, body: Vec<u8>) -> Answer {
    let hop = |name: &str| OF_CONNECTION.iter().any(|one| one.eq_ignore_ascii_case(name));
    let headers = head.headers.iter().filter(|(name, _)| !hop(name)).cloned().collect();
    let words = head.first.splitn(3, ' ').nth(2).unwrap_or("").to_owned();
    Answer { status: head.status().unwrap_or(502), headers, body, drop: false, words }
}

struct Controller {
    sys: Sys,
    turn: Cell<usize>,
}

impl Controller {
    async fn answer(&self, request: Request) -> Answer {
        let begun = self.sys.now();
        let text = self.sys.read_file(RULES).await.unwrap_or_default();
        let rules = parse(&String::from_utf8_lossy(&text));
        let asked = request.head.get("Host").unwrap_or("").to_owned();
        let host = asked.split(':').next().unwrap_or("").to_ascii_lowercase();
        let found = choose(&rules, &host, request.path()).cloned();
        let n = self.turn.replace(self.turn.get() + 1);
        let id = format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060));
        let (answer, upstream, tried) = match found {
            None => (page(404), "upstream-default-backend".to_owned(), String::new()),
            Some(location) if location.to.is_empty() => {
                (page(503), location.upstream, String::new())
            }
            Some(location) => {
                let (answer, tried) = self.pass(&request, &location, n, (&asked, &id)).await;
                (answer, location.upstream, tried)
            }
        };
        self.log(&request, &answer, (&upstream, &tried, &id), begun).await;
        answer
    }

    /// Asks one address after the other until one answers.
    async fn pass(
        &self,
        request: &Request,
        location: &Location,
        n: usize,
        (host, id): (&str, &str),
    ) -> (Answer, String) {
        let bytes = forwarded(request, host, id);
        let mut tried = Vec::new();
        let mut status = 502;
        for k in 0..TRIES.min(location.to.len()) {
            let Some((addr, port)) = location.to.get((n + k) % location.to.len()) else { break };
            let label = format!("{addr}:{port}");
            tried.push(label.clone());
            match web::fetch_at(&self.sys, &label, (*addr, *port), &bytes, PATIENCE).await {
                Ok((head, body)) => return (handed_on(&head, body), tried.join(", ")),
                Err(fail) => status = self.failed(fail, request, &label).await,
            }
        }
        (page(status), tried.join(", "))
    }

    async fn failed(&self, fail: Fail, request: &Request, upstream: &str) -> u16 {
        let (status, why) = match fail {
            Fail::TimedOut => (
                504,
                "upstream timed out (110: Operation timed out) while reading response header \
                       from upstream",
            ),
            Fail::Connect(Errno::TimedOut) => {
                (504, "upstream timed out (110: Operation timed out) while connecting to upstream")
            }
            Fail::Ended => (
                502,
                "upstream prematurely closed connection while reading response header from \
                       upstream",
            ),
            _ => (502, "connect() failed (111: Connection refused) while connecting to upstream"),
        };
        let line = format!(
            "{} [error] 27#27: *1 {why}, client: {}, request: \"{}\", upstream: \"http://{upstream}{}\"\n",
            clock::socat(&self.sys),
            request.peer.0,
            request.head.first,
            request.target
        );
        let _ = self.sys.write(2, line.as_bytes()).await;
        status
    }

    /// A line as ingress-nginx's `upstreaminfo` format has it.
    async fn log(
        &self,
        request: &Request,
        answer: &Answer,
        (upstream, tried, id): (&str, &str, &str),
        begun: SimTime,
    ) {
        let took = (self.sys.now() - begun).as_millis();
        let took = format!("{}.{:03}", took / 1000, took % 1000);
        let agent = request.head.get("User-Agent").unwrap_or("-");
        let size = answer.body.len();
        let length = request.head.first.len() + request.body.len();
        let dash = |text: &str, none: bool| if none { "-".to_owned() } else { text.to_owned() };
        let none = tried.is_empty();
        let line = format!(
            "{} - - [{}] \"{}\" {} {size} \"-\" \"{agent}\" {length} {took} [{upstream}] [] {} {} {} \
             {} {id}\n",
            request.peer.0,
            clock::common_log(&self.sys),
            request.head.first,
            answer.status,
            dash(tried, none),
            dash(&size.to_string(), none),
            dash(&took, none),
            dash(&answer.status.to_string(), none),
        );
        let _ = self.sys.write(1, line.as_bytes()).await;
    }
}

pub(super) async fn run(sys: Sys, _: Vec<String>) -> i32 {
    for signal in [Signal::TERM, Signal::QUIT, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    let threads = Threads::default();
    let server = Server::new(&sys, &threads, SimTime::from_secs(75));
    let Ok(listener) = sys.listen(Ipv4Addr::UNSPECIFIED, 80) else {
        let _ = sys.write(2, b"bind() to 0.0.0.0:80 failed (98: Address in use)\n").await;
        return 1;
    };
    let controller = Rc::new(Controller { sys: sys.clone(), turn: Cell::new(0) });
    let handler: Handler = Rc::new(move |request| {
        let controller = Rc::clone(&controller);
        Box::pin(async move { controller.answer(request).await })
    });
    server.serve(listener, handler);
    threads
        .run(async move {
            web::signal(&sys).await;
            0
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_come_before_paths_and_long_paths_before_short_ones() {
        let rules = parse(
            "shop.example\t=\t/cart\tcart\t10.0.0.1:80\nshop.example\t^\t/cart/\tcart\t10.0.0.1:80\n\
             shop.example\t^\t/\tweb\t10.0.0.2:80,10.0.0.3:80\nshop.example\t^\t/cart/old\told\t\n\
             *.example\t^\t/\twild\t\n_\t^\t/any\tany\t\n",
        );
        for (host, path, upstream) in [
            ("shop.example", "/cart", "cart"),
            ("shop.example", "/cart/1", "cart"),
            ("shop.example", "/cart/old/1", "old"),
            ("shop.example", "/carton", "web"),
            ("blog.example", "/cart", "wild"),
            ("other.test", "/anything", "any"),
            ("other.test", "/", ""),
        ] {
            let found = choose(&rules, host, path).map_or("", |one| &one.upstream);
            assert_eq!(found, upstream, "{host}{path}");
        }
        assert_eq!(rules[2].to.len(), 2);
    }
}
