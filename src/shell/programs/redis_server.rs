//! `redis-server`: one event loop over its clients. Options on the command line only; no
//! configuration file, no saving to disk, no replication.

use super::args::not_simulated;
use super::clock;
use super::resp::{self, Parsed, Reply};
use super::store::Store;
use crate::shell::{Disposition, Errno, Fd, Signal, Sys};
use std::net::Ipv4Addr;

/// A client that sends more than this without a whole command is cut off, in bytes.
const PENDING_MAX: usize = 4 << 20;

struct Options {
    port: u16,
    password: Option<String>,
    /// Whether the data set would be written on shutdown.
    saves: bool,
}

struct Client {
    fd: Fd,
    pending: Vec<u8>,
    trusted: bool,
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let options = match options(&argv) {
        Ok(options) => options,
        Err(what) => return not_simulated(&sys, "redis-server", &what).await,
    };
    for line in [
        "* oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo".to_owned(),
        format!(
            "* Redis version=7.4.2, bits=64, commit=00000000, modified=0, pid={}, just started",
            sys.pid()
        ),
    ] {
        log(&sys, 'C', &line).await;
    }
    if argv.len() == 1 {
        log(&sys, 'C', NO_CONFIG).await;
    } else {
        log(&sys, 'C', "* Configuration loaded").await;
    }
    log(&sys, 'M', "* monotonic clock: POSIX clock_gettime").await;
    let Ok(listener) = sys.listen(Ipv4Addr::UNSPECIFIED, options.port) else {
        let port = options.port;
        let bind = "bind: Address already in use";
        let text =
            format!("# Warning: Could not create server TCP listening socket *:{port}: {bind}");
        log(&sys, 'M', &text).await;
        log(&sys, 'M', &format!("# Failed listening on port {port} (tcp), aborting.")).await;
        return 1;
    };
    log(&sys, 'M', &format!("* Running mode=standalone, port={}.", options.port)).await;
    log(&sys, 'M', "* Server initialized").await;
    log(&sys, 'M', "* Ready to accept connections tcp").await;
    for signal in [Signal::TERM, Signal::INT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    serve(&sys, listener, &options).await;
    shut_down(&sys, &options).await
}

const NO_CONFIG: &str = "# Warning: no config file specified, using the default config. In order \
                         to specify a config file use redis-server /path/to/redis.conf";

fn options(argv: &[String]) -> Result<Options, String> {
    let mut options = Options { port: 6379, password: None, saves: true };
    let mut rest = argv.iter().skip(1);
    while let Some(arg) = rest.next() {
        let value = rest.next().map(String::as_str);
        match (arg.as_str(), value) {
            ("--port", Some(port)) => {
                options.port = port.parse().map_err(|_| format!("--port {port}"))?;
            }
            ("--requirepass", Some(password)) => {
                options.password = Some(password.to_owned()).filter(|p| !p.is_empty());
            }
            ("--save", Some("")) => options.saves = false,
            ("--appendonly", Some("no")) | ("--protected-mode", Some("no")) => {}
            ("--bind", Some("0.0.0.0" | "*" | "* -::*")) => {}
            (arg, value) => return Err(format!("{arg} {}", value.unwrap_or("")).trim().to_owned()),
        }
    }
    Ok(options)
}

async fn log(sys: &Sys, role: char, line: &str) {
    let text = format!("{}:{role} {} {line}\n", sys.pid(), clock::redis(sys));
    let _ = sys.write(1, text.as_bytes()).await;
}

/// Until a signal asks to stop.
async fn serve(sys: &Sys, listener: Fd, options: &Options) {
    let mut store = Store::default();
    let mut clients: Vec<Client> = Vec::new();
    loop {
        let fds: Vec<Fd> = [listener].into_iter().chain(clients.iter().map(|c| c.fd)).collect();
        let ready = sys.readable(&fds, None).await;
        if !sys.take_signals().is_empty() {
            return;
        }
        match ready {
            Ok(fd) if fd == listener => {
                if let Ok(fd) = sys.accept(listener, None).await {
                    let trusted = options.password.is_none();
                    clients.push(Client { fd, pending: Vec::new(), trusted });
                }
            }
            Ok(fd) => {
                let Some(idx) = clients.iter().position(|c| c.fd == fd) else { continue };
                let stays = match clients.get_mut(idx) {
                    Some(client) => answer(sys, client, &mut store, options).await,
                    None => true,
                };
                if !stays {
                    let _ = sys.close(fd);
                    clients.remove(idx);
                }
            }
            Err(Errno::Intr) => {}
            Err(_) => return,
        }
    }
}

/// Reads what came and answers each whole command; false when the connection is over.
async fn answer(sys: &Sys, client: &mut Client, store: &mut Store, options: &Options) -> bool {
    let data = match sys.read(client.fd, 16 << 10).await {
        Ok(data) if !data.is_empty() => data,
        Err(Errno::Intr) => return true,
        _ => return false,
    };
    client.pending.extend(data);
    let mut out = Vec::new();
    let mut stays = client.pending.len() <= PENDING_MAX;
    while stays {
        match resp::command(&client.pending) {
            Parsed::Whole(args, used) => {
                client.pending.drain(..used);
                sys.burn(20).await;
                if let Some((name, args)) = args.split_first() {
                    let name = String::from_utf8_lossy(name).to_uppercase();
                    stays = name != "QUIT";
                    execute(sys, client, store, options, &name, args).write(&mut out);
                }
            }
            Parsed::More => break,
            Parsed::Bad(why) => {
                Reply::Error(format!("ERR {why}")).write(&mut out);
                stays = false;
            }
        }
    }
    sys.write(client.fd, &out).await.is_ok() && stays
}

fn execute(
    sys: &Sys,
    client: &mut Client,
    store: &mut Store,
    options: &Options,
    name: &str,
    args: &[Vec<u8>],
) -> Reply {
    match (name, args) {
        ("AUTH", [password]) => {
            let Some(own) = &options.password else {
                return Reply::Error("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?".to_owned());
            };
            client.trusted = own.as_bytes() == password;
            match client.trusted {
                true => Reply::Simple("OK".to_owned()),
                false => Reply::Error(
                    "WRONGPASS invalid username-password pair or user is disabled.".to_owned(),
                ),
            }
        }
        ("QUIT", _) => Reply::Simple("OK".to_owned()),
        _ if !client.trusted => Reply::Error("NOAUTH Authentication required.".to_owned()),
        ("PING", []) => Reply::Simple("PONG".to_owned()),
        ("PING" | "ECHO", [text]) => Reply::Bulk(Some(text.clone())),
        ("SELECT", [db]) if db == b"0" => Reply::Simple("OK".to_owned()),
        _ => store.run(name, args, sys.now()).unwrap_or_else(|| {
            sys.not_simulated(&format!("redis-server: the command {name}"), None);
            Reply::Error(format!("ERR {name} is not simulated"))
        }),
    }
}

async fn shut_down(sys: &Sys, options: &Options) -> i32 {
    let secs = sys.wall_unix_micros() / 1_000_000;
    let text =
        format!("{}:signal-handler ({secs}) Received SIGTERM scheduling shutdown...\n", sys.pid());
    let _ = sys.write(1, text.as_bytes()).await;
    log(sys, 'M', "* User requested shutdown...").await;
    if options.saves {
        // What it would write is Redis' own binary form, which nobody here reads.
        sys.not_simulated("redis-server: writing dump.rdb (start it with --save \"\")", None);
    }
    log(sys, 'M', "# Redis is now ready to exit, bye bye...").await;
    0
}
