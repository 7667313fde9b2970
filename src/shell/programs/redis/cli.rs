//! `redis-cli` where nobody looks on: one command from its arguments, or commands line by line
//! from stdin, replies printed bare unless asked for otherwise.

use super::options::split;
use super::resp::{self, Parsed, Reply};
use crate::shell::programs::args::not_simulated;
use crate::shell::{Errno, Fd, Lines, NetError, Sys};
use crate::time::SimTime;

#[derive(Default)]
struct Options {
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
    /// `-e`: an error reply goes to stderr and is a failure.
    fails: bool,
    /// `--no-raw`: as people in front of a terminal see it.
    formatted: bool,
    csv: bool,
    /// Times to run the command; below zero for ever.
    repeat: i64,
    interval: SimTime,
    /// `-x`: the last argument is what stdin brings.
    last_from_stdin: bool,
    scan: bool,
    pattern: Option<String>,
    /// The password stood on the command line.
    warns: bool,
    show_version: bool,
}

const WARNING: &str = "Warning: Using a password with '-a' or '-u' option on the command line \
                       interface may not be safe.\n";

pub(in super::super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let (options, mut command) = match options(&sys, &argv) {
        Ok(parsed) => parsed,
        Err(what) => return not_simulated(&sys, "redis-cli", &what).await,
    };
    if options.show_version {
        let text = format!("redis-cli {}\n", super::server::VERSION);
        let _ = sys.write(1, text.as_bytes()).await;
        return 0;
    }
    if options.warns {
        let _ = sys.write(2, WARNING.as_bytes()).await;
    }
    if options.last_from_stdin {
        let data = sys.read_all(0).await.unwrap_or_default();
        command.push(crate::shell::bytes::to_text(&data));
    }
    let fd = match connect(&sys, &options).await {
        Ok(fd) => fd,
        Err(code) => return code,
    };
    let mut talk = Talk { sys: &sys, fd, pending: Vec::new() };
    if let Some(code) = talk.sign_in(&options).await {
        return code;
    }
    if options.scan {
        command = vec!["KEYS".to_owned(), options.pattern.clone().unwrap_or("*".to_owned())];
    }
    if command.is_empty() {
        return talk.lines(&options).await;
    }
    let mut left = options.repeat;
    loop {
        let code = talk.tell(&command, &options).await;
        left -= 1;
        if code != 0 || left == 0 {
            return code;
        }
        if options.interval > SimTime::ZERO {
            sys.sleep(options.interval).await;
        }
        sys.tick().await;
    }
}

fn options(sys: &Sys, argv: &[String]) -> Result<(Options, Vec<String>), String> {
    let mut options = Options {
        host: "127.0.0.1".to_owned(),
        port: 6379,
        password: sys.getenv("REDISCLI_AUTH"),
        repeat: 1,
        ..Options::default()
    };
    let mut quiet = false;
    let mut at = 1;
    while let Some(arg) = argv.get(at).filter(|arg| arg.starts_with('-')) {
        at += 1;
        let mut value = || {
            at += 1;
            argv.get(at - 1).cloned().ok_or_else(|| format!("the option {arg} without a value"))
        };
        match arg.as_str() {
            "-h" => options.host = value()?,
            "-p" => {
                let port = value()?;
                options.port = port.parse().map_err(|_| format!("the port {port}"))?;
            }
            "-a" | "--pass" => {
                options.password = Some(value()?);
                options.warns = true;
            }
            "--user" => options.user = Some(value()?),
            "-u" => url(&mut options, &value()?)?,
            "-n" => match value()?.as_str() {
                "0" => {}
                other => return Err(format!("database {other}")),
            },
            "-r" => options.repeat = value()?.parse().unwrap_or(1),
            "-i" => {
                let secs: f64 = value()?.parse().unwrap_or(0.0);
                options.interval = SimTime((secs.clamp(0.0, 1e9) * 1_000_000.0) as u64);
            }
            "-e" => options.fails = true,
            "-x" => options.last_from_stdin = true,
            "-t" | "-s" | "-d" => drop(value()?),
            "-v" | "--version" => options.show_version = true,
            "--scan" => options.scan = true,
            "--pattern" => options.pattern = Some(value()?),
            "--no-raw" => options.formatted = true,
            "--csv" => options.csv = true,
            "--no-auth-warning" => quiet = true,
            "--raw" | "-c" | "-3" | "-2" => {}
            option => return Err(format!("the option {option}")),
        }
    }
    options.warns &= !quiet;
    Ok((options, argv.get(at..).unwrap_or(&[]).to_vec()))
}

/// `redis://user:password@host:port/0`
fn url(options: &mut Options, text: &str) -> Result<(), String> {
    let bad = || format!("the address {text}");
    let rest = text.strip_prefix("redis://").ok_or_else(bad)?;
    let rest = rest.split('/').next().unwrap_or("");
    let (who, place) = rest.rsplit_once('@').map_or((None, rest), |(who, p)| (Some(who), p));
    if let Some((user, password)) = who.and_then(|who| who.split_once(':')) {
        options.user = Some(user.to_owned()).filter(|user| !user.is_empty());
        options.password = Some(password.to_owned());
        options.warns = true;
    }
    let (host, port) = place.split_once(':').unwrap_or((place, "6379"));
    host.clone_into(&mut options.host);
    options.port = port.parse().map_err(|_| bad())?;
    Ok(())
}

/// The failure's exit code after it has been told.
async fn connect(sys: &Sys, options: &Options) -> Result<Fd, i32> {
    let Options { host, port, .. } = options;
    let error = match sys.connect(host, *port, None).await {
        Ok(fd) => return Ok(fd),
        // The image is Alpine's, whose C library says it in these words.
        Err(NetError::BadAddress) => "Name does not resolve".to_owned(),
        Err(NetError::Errno(errno)) => errno.text().to_owned(),
    };
    let text = format!("Could not connect to Redis at {host}:{port}: {error}\n");
    let _ = sys.write(2, text.as_bytes()).await;
    Err(1)
}

struct Talk<'a> {
    sys: &'a Sys,
    fd: Fd,
    pending: Vec<u8>,
}

impl Talk<'_> {
    /// The exit code where it ends with this.
    async fn sign_in(&mut self, options: &Options) -> Option<i32> {
        let password = options.password.clone()?;
        let mut command = vec!["AUTH".to_owned()];
        command.extend(options.user.clone());
        command.push(password);
        match self.ask(&command).await {
            Ok(Reply::Error(text)) => {
                let text = format!("AUTH failed: {text}\n");
                let _ = self.sys.write(2, text.as_bytes()).await;
                None
            }
            Ok(_) => None,
            Err(code) => Some(code),
        }
    }

    /// Commands line by line from stdin.
    async fn lines(&mut self, options: &Options) -> i32 {
        let mut lines = Lines::new(self.sys, 0);
        while let Ok(Some(line)) = lines.next().await {
            let words = split(&crate::shell::bytes::to_text(&line));
            match words.first().map(String::as_str) {
                None => continue,
                Some("quit" | "exit") => return 0,
                Some(_) => {}
            }
            let code = self.tell(&words, options).await;
            if code != 0 {
                return code;
            }
        }
        0
    }

    async fn ask(&mut self, command: &[String]) -> Result<Reply, i32> {
        if let Err(errno) = self.sys.write(self.fd, &resp::write_command(command)).await {
            return Err(self.broken(errno.text()).await);
        }
        self.next().await
    }

    async fn next(&mut self) -> Result<Reply, i32> {
        loop {
            match resp::reply(&self.pending) {
                Parsed::Whole(reply, used) => {
                    self.pending.drain(..used);
                    return Ok(reply);
                }
                Parsed::Bad(why) => return Err(self.broken(&why).await),
                Parsed::More => {}
            }
            match self.sys.read(self.fd, 16 << 10).await {
                Ok(data) if data.is_empty() => {
                    return Err(self.broken("Server closed the connection").await);
                }
                Ok(data) => self.pending.extend(data),
                Err(Errno::Intr) => {}
                Err(errno) => return Err(self.broken(errno.text()).await),
            }
        }
    }

    async fn broken(&self, why: &str) -> i32 {
        let _ = self.sys.write(2, format!("Error: {why}\n").as_bytes()).await;
        1
    }

    /// Asks and prints the answer; a subscription prints for ever.
    async fn tell(&mut self, command: &[String], options: &Options) -> i32 {
        let mut reply = match self.ask(command).await {
            Ok(reply) => reply,
            Err(code) => return code,
        };
        let name = command.first().map(|name| name.to_uppercase()).unwrap_or_default();
        let listens = matches!(name.as_str(), "SUBSCRIBE" | "PSUBSCRIBE");
        loop {
            let failed = options.fails && matches!(reply, Reply::Error(_));
            let mut out = Vec::new();
            match (options.formatted, options.csv) {
                (true, _) => out.extend(reply.formatted("").into_bytes()),
                (_, true) => out.extend(reply.csv().into_bytes()),
                _ => reply.print(&mut out),
            }
            if !options.formatted {
                out.push(b'\n');
            }
            let _ = self.sys.write(if failed { 2 } else { 1 }, &out).await;
            if !listens || matches!(reply, Reply::Error(_)) {
                return i32::from(failed);
            }
            reply = match self.next().await {
                Ok(reply) => reply,
                Err(code) => return code,
            };
        }
    }
}

impl Reply {
    /// As `redis-cli --no-raw` prints it.
    fn formatted(&self, indent: &str) -> String {
        let quoted = |bytes: &[u8]| format!("{:?}", String::from_utf8_lossy(bytes));
        match self {
            Reply::Simple(text) => format!("{text}\n"),
            Reply::Error(text) => format!("(error) {text}\n"),
            Reply::Integer(n) => format!("(integer) {n}\n"),
            Reply::Bulk(None) => "(nil)\n".to_owned(),
            Reply::Bulk(Some(bytes)) => format!("{}\n", quoted(bytes)),
            Reply::Array(items) if items.is_empty() => "(empty array)\n".to_owned(),
            Reply::Array(items) => {
                let width = items.len().to_string().len();
                let deeper = format!("{indent}{}", " ".repeat(width + 2));
                let each = |(idx, item): (usize, &Reply)| {
                    let lead = if idx == 0 { "" } else { indent };
                    format!("{lead}{:>width$}) {}", idx + 1, item.formatted(&deeper))
                };
                items.iter().enumerate().map(each).collect()
            }
        }
    }

    fn csv(&self) -> String {
        match self {
            Reply::Simple(text) => format!("\"{text}\""),
            Reply::Error(text) => format!("ERROR,\"{text}\""),
            Reply::Integer(n) => n.to_string(),
            Reply::Bulk(None) => "NULL".to_owned(),
            Reply::Bulk(Some(bytes)) => format!("{:?}", String::from_utf8_lossy(bytes)),
            Reply::Array(items) => items.iter().map(Reply::csv).collect::<Vec<_>>().join(","),
        }
    }
}
