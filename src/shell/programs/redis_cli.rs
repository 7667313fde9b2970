//! `redis-cli` where nobody looks on: one command from its arguments, or commands line by line
//! from stdin, replies printed bare.

use super::args::not_simulated;
use super::resp::{self, Parsed, Reply};
use crate::shell::kernel::net::NetError;
use crate::shell::{Errno, Fd, Lines, Sys};

struct Options {
    host: String,
    port: u16,
    password: Option<String>,
    /// `-e`: an error reply goes to stderr and is a failure.
    fails: bool,
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let (options, command) = match options(&sys, &argv) {
        Ok(parsed) => parsed,
        Err(what) => return not_simulated(&sys, "redis-cli", &what).await,
    };
    let fd = match connect(&sys, &options).await {
        Ok(fd) => fd,
        Err(code) => return code,
    };
    let mut talk = Talk { sys: &sys, fd, pending: Vec::new() };
    if let Some(password) = &options.password {
        match talk.ask(&["AUTH".to_owned(), password.clone()]).await {
            Ok(Reply::Error(text)) => {
                let text = format!("AUTH failed: {text}\n");
                let _ = sys.write(2, text.as_bytes()).await;
            }
            Ok(_) => {}
            Err(code) => return code,
        }
    }
    if !command.is_empty() {
        return talk.tell(&command, &options).await;
    }
    let mut lines = Lines::new(&sys, 0);
    while let Ok(Some(line)) = lines.next().await {
        let text = String::from_utf8_lossy(&line);
        if text.contains(['"', '\'', '\\']) {
            return not_simulated(&sys, "redis-cli", "quotes in a line from stdin").await;
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if !words.is_empty() {
            let code = talk.tell(&words, &options).await;
            if code != 0 {
                return code;
            }
        }
    }
    0
}

fn options(sys: &Sys, argv: &[String]) -> Result<(Options, Vec<String>), String> {
    let password = sys.getenv("REDISCLI_AUTH");
    let mut options = Options { host: "127.0.0.1".to_owned(), port: 6379, password, fails: false };
    let mut at = 1;
    while let Some(arg) = argv.get(at).filter(|arg| arg.starts_with('-')) {
        let value = argv.get(at + 1).cloned();
        match (arg.as_str(), value) {
            ("-h", Some(host)) => options.host = host,
            ("-p", Some(port)) => {
                options.port = port.parse().map_err(|_| format!("the port {port}"))?;
            }
            ("-a" | "--pass", Some(password)) => options.password = Some(password),
            ("-e", _) => {
                options.fails = true;
                at -= 1;
            }
            ("--raw" | "--no-auth-warning", _) => at -= 1,
            (option, _) => return Err(format!("the option {option}")),
        }
        at += 2;
    }
    Ok((options, argv.get(at..).unwrap_or(&[]).to_vec()))
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
    async fn ask(&mut self, command: &[String]) -> Result<Reply, i32> {
        if let Err(errno) = self.sys.write(self.fd, &resp::write_command(command)).await {
            return Err(self.broken(errno.text()).await);
        }
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

    /// Asks and prints the answer.
    async fn tell(&mut self, command: &[String], options: &Options) -> i32 {
        let reply = match self.ask(command).await {
            Ok(reply) => reply,
            Err(code) => return code,
        };
        let failed = options.fails && matches!(reply, Reply::Error(_));
        let mut out = Vec::new();
        reply.print(&mut out);
        out.push(b'\n');
        let _ = self.sys.write(if failed { 2 } else { 1 }, &out).await;
        i32::from(failed)
    }
}
