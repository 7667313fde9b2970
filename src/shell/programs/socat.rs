//! `socat`: from `TCP-LISTEN:PORT[,fork]` (or standard input and output) to `TCP:HOST:PORT`.
//! Words and timing as socat 1.7 on Alpine; other addresses and options are not simulated.

use super::args::not_simulated;
use super::clock;
use crate::shell::kernel::net::NetError;
use crate::shell::{Disposition, Errno, Fd, Signal, Sys, WaitFor};
use crate::time::SimTime;
use std::net::Ipv4Addr;

/// How long the second direction may go on after the first has ended (option `-t`).
const LINGER: SimTime = SimTime::from_millis(500);

enum Address {
    Listen { port: u16, bind: Ipv4Addr, fork: bool },
    Connect { host: String, port: u16 },
    Stdio,
}

/// The two directions of one side: where to read and where to write.
#[derive(Clone, Copy)]
struct Side {
    from: Fd,
    to: Fd,
    socket: bool,
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let words: Vec<&String> = argv.iter().skip(1).collect();
    let [left, right] = words.as_slice() else {
        return not_simulated(&sys, "socat", "other than two addresses without options").await;
    };
    let (left, right) = match (address(left), address(right)) {
        (Ok(left), Ok(right)) => (left, right),
        (Err(what), _) | (_, Err(what)) => return not_simulated(&sys, "socat", &what).await,
    };
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    match left {
        Address::Listen { port, bind, fork } => {
            sys.set_signal(Signal::TERM, Disposition::Catch);
            match sys.listen(bind, port) {
                Ok(listener) => listen(&sys, listener, fork, &right).await,
                Err(errno) => {
                    let text = errno.text();
                    error(&sys, &format!("bind(5, {{AF=2 {bind}:{port}}}, 16): {text}")).await;
                    1
                }
            }
        }
        left => match open(&sys, &left).await {
            Some(side) => join(&sys, side, &right).await,
            None => 1,
        },
    }
}

/// `TCP-LISTEN:6379,fork,reuseaddr`, `TCP:redis:6379`, `-`; names in any case.
fn address(text: &str) -> Result<Address, String> {
    let mut parts = text.split(',');
    let head = parts.next().unwrap_or("");
    let options: Vec<&str> = parts.collect();
    let (kind, rest) = head.split_once(':').unwrap_or((head, ""));
    let unknown = || format!("the address {text}");
    match kind.to_ascii_uppercase().as_str() {
        "TCP-LISTEN" | "TCP4-LISTEN" | "TCP-L" | "TCP4-L" => {
            let port = rest.parse().map_err(|_| unknown())?;
            let (mut bind, mut fork) = (Ipv4Addr::UNSPECIFIED, false);
            for option in options {
                match option.split_once('=').unwrap_or((option, "")) {
                    ("fork", "") => fork = true,
                    ("reuseaddr", "" | "1") => {}
                    ("bind", "localhost") => bind = Ipv4Addr::LOCALHOST,
                    ("bind", ip) => bind = ip.parse().map_err(|_| unknown())?,
                    _ => return Err(format!("the option {option} of {kind}")),
                }
            }
            Ok(Address::Listen { port, bind, fork })
        }
        "TCP" | "TCP4" | "TCP-CONNECT" | "TCP4-CONNECT" => {
            let (host, port) = rest.split_once(':').ok_or_else(unknown)?;
            let port = port.parse().map_err(|_| unknown())?;
            match options.first() {
                Some(option) => Err(format!("the option {option} of {kind}")),
                None => Ok(Address::Connect { host: host.to_owned(), port }),
            }
        }
        "-" | "STDIO" if options.is_empty() => Ok(Address::Stdio),
        _ => Err(unknown()),
    }
}

async fn error(sys: &Sys, text: &str) {
    let text = format!("{} socat[{}] E {text}\n", clock::socat(sys), sys.pid());
    let _ = sys.write(2, text.as_bytes()).await;
}

async fn listen(sys: &Sys, listener: Fd, fork: bool, right: &Address) -> i32 {
    loop {
        let accepted = sys.accept(listener, None).await;
        // Ended children are only counted off.
        while let Ok(Some(_)) = sys.try_wait(WaitFor::Any) {}
        if sys.take_signals().contains(&Signal::TERM) {
            return 128 + 15;
        }
        let fd = match accepted {
            Ok(fd) => fd,
            Err(Errno::Intr) => continue,
            Err(_) => return 1,
        };
        let side = Side { from: fd, to: fd, socket: true };
        if !fork {
            let _ = sys.close(listener);
            return join(sys, side, right).await;
        }
        let right = right.again();
        let child = sys.fork(move |sys| async move {
            let _ = sys.close(listener);
            sys.set_signal(Signal::TERM, Disposition::Default);
            join(&sys, side, &right).await
        });
        let _ = sys.close(fd);
        if let Err(errno) = child {
            error(sys, &format!("fork(): {}", errno.text())).await;
            return 1;
        }
    }
}

impl Address {
    fn again(&self) -> Address {
        match self {
            Address::Listen { port, bind, fork } => {
                Address::Listen { port: *port, bind: *bind, fork: *fork }
            }
            Address::Connect { host, port } => Address::Connect { host: host.clone(), port: *port },
            Address::Stdio => Address::Stdio,
        }
    }
}

async fn open(sys: &Sys, address: &Address) -> Option<Side> {
    match address {
        Address::Stdio => Some(Side { from: 0, to: 1, socket: false }),
        Address::Listen { port, bind, .. } => {
            let listener = sys.listen(*bind, *port).ok()?;
            let fd = sys.accept(listener, None).await.ok()?;
            Some(Side { from: fd, to: fd, socket: true })
        }
        Address::Connect { host, port } => match sys.connect(host, *port, None).await {
            Ok(fd) => Some(Side { from: fd, to: fd, socket: true }),
            Err(NetError::BadAddress) => {
                let text = format!(
                    "getaddrinfo(\"{host}\", \"NULL\", {{1,0,1,6}}, {{}}): Name does not resolve"
                );
                error(sys, &text).await;
                None
            }
            Err(NetError::Errno(errno)) => {
                let ip = sys.resolve(host).await.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
                let text = format!("connect(5, AF=2 {ip}:{port}, 16): {}", errno.text());
                error(sys, &text).await;
                None
            }
        },
    }
}

/// Opens the right side and carries bytes both ways until both have ended.
async fn join(sys: &Sys, left: Side, right: &Address) -> i32 {
    let Some(right) = open(sys, right).await else {
        // It ends the other side properly before it goes, so that the client reads an end.
        if left.socket {
            let _ = sys.shut_write(left.to);
            sys.sleep(SimTime::from_millis(1)).await;
        }
        return 1;
    };
    let mut ways = vec![(left, right), (right, left)];
    let mut deadline = None;
    while !ways.is_empty() {
        let fds: Vec<Fd> = ways.iter().map(|(from, _)| from.from).collect();
        let fd = match sys.readable(&fds, deadline).await {
            Ok(fd) => fd,
            Err(Errno::Intr) => continue,
            Err(_) => break,
        };
        let Some(idx) = ways.iter().position(|(from, _)| from.from == fd) else { break };
        let (_, to) = ways[idx];
        match sys.read(fd, 8 << 10).await {
            Ok(data) if !data.is_empty() => {
                if sys.write(to.to, &data).await.is_err() {
                    return 1;
                }
            }
            _ => {
                ways.remove(idx);
                deadline = Some(sys.now() + LINGER);
                if to.socket {
                    let _ = sys.shut_write(to.to);
                }
            }
        }
    }
    0
}
