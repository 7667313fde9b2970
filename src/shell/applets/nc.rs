//! `nc`: connects, listens, runs programs on connections. Models networking/nc_bloaty.c, TCP only.

use super::Answer;
use super::common::{Cx, Opts, number};
use super::env::exec;
use crate::shell::{Disposition, Errno, Fd, Signal};
use crate::time::SimTime;
use std::net::Ipv4Addr;

pub(super) async fn run(cx: &mut Cx) -> Answer {
    cx.sys.set_signal(Signal::PIPE, Disposition::Ignore);
    // `-e PROG ARGS` takes the rest of the line.
    let args = cx.args().to_vec();
    let is_e = |arg: &String| {
        let letters = arg.strip_prefix('-').and_then(|a| a.strip_suffix('e'));
        letters.is_some_and(|l| l.chars().all(|c| "nuvlkz".contains(c)))
    };
    let mut program = Vec::new();
    if let Some(at) = args.iter().position(is_e) {
        program = args[at + 1..].to_vec();
        let flags = args[at].trim_end_matches('e').to_owned();
        cx.argv.truncate(at + 1);
        if flags.len() > 1 {
            cx.argv.push(flags);
        }
        if program.is_empty() {
            cx.fail("option requires an argument -- 'e'").await;
            return Err(cx.usage().await);
        }
    }
    let opts = cx.opts("np:s:vw:lkz!ubio", "").await?;
    if opts.rest.len() > 2 {
        return Err(cx.usage().await);
    }
    let wait = match opts.value('w') {
        None => None,
        Some(text) => match number::digits(text) {
            Some(n) => Some(SimTime::from_secs(n)).filter(|_| n > 0),
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        },
    };
    if opts.has('l') || opts.has('k') {
        return listen(cx, &opts, program, wait).await;
    }
    connect(cx, &opts, program, wait).await
}

async fn port(cx: &mut Cx, text: &str) -> Result<u16, i32> {
    match text.parse() {
        Ok(port) => Ok(port),
        Err(_) => Err(cx.die(&format!("bad port '{text}'")).await),
    }
}

async fn connect(cx: &mut Cx, opts: &Opts, program: Vec<String>, wait: Option<SimTime>) -> Answer {
    let [host, port_text] = &opts.rest[..] else { return Err(cx.usage().await) };
    let port = port(cx, port_text).await?;
    let deadline = wait.map(|wait| cx.sys.now() + wait);
    let since = cx.sys.now();
    let Some(addr) = cx.sys.resolve(host).await.first().copied() else {
        cx.sys.unknown_name(host, port, since);
        return Err(cx.die(&format!("bad address '{host}'")).await);
    };
    let shown = format!("{addr}:{port}");
    let label = format!("{host}:{port}");
    let fd = match cx.sys.connect_addr(&label, addr, port, deadline).await {
        Ok(fd) => fd,
        Err(errno) => {
            let n_verbose = opts.each().filter(|(letter, _)| *letter == 'v').count();
            if n_verbose > 1 || (n_verbose == 1 && errno != Errno::ConnRefused) {
                cx.fail_on(&format!("{host} ({shown})"), errno).await;
            }
            return Ok(1);
        }
    };
    if opts.has('v') {
        cx.err(&format!("{host} ({shown}) open\n")).await;
    }
    if !program.is_empty() {
        return run_on(cx, fd, program).await;
    }
    if opts.has('z') {
        return Ok(0);
    }
    relay(cx, fd, wait).await
}

async fn listen(cx: &mut Cx, opts: &Opts, program: Vec<String>, wait: Option<SimTime>) -> Answer {
    let text = opts.value('p').or(opts.rest.last().map(String::as_str)).unwrap_or("0").to_owned();
    let port = port(cx, &text).await?;
    let addr = match opts.value('s') {
        None => Ipv4Addr::UNSPECIFIED,
        Some(host) => match cx.sys.resolve(host).await.first() {
            Some(addr) => *addr,
            None => return Err(cx.die(&format!("bad address '{host}'")).await),
        },
    };
    let listener = match cx.sys.listen(addr, port) {
        Ok(listener) => listener,
        Err(errno) => return Err(cx.die(&format!("bind: {}", errno.text())).await),
    };
    let n_listen = opts.each().filter(|(letter, _)| *letter == 'l').count();
    let again = opts.has('k') || n_listen > 1;
    loop {
        let deadline = wait.map(|wait| cx.sys.now() + wait);
        let fd = match cx.sys.accept(listener, deadline).await {
            Ok(fd) => fd,
            Err(Errno::Intr) => continue,
            Err(Errno::TimedOut) => return Err(cx.die("timeout").await),
            Err(errno) => return Err(cx.die(&format!("accept: {}", errno.text())).await),
        };
        if !again || program.is_empty() {
            let _ = cx.sys.close(listener);
            if program.is_empty() {
                return relay(cx, fd, wait).await;
            }
            return run_on(cx, fd, program).await;
        }
        serve(cx, listener, fd, program.clone());
        let _ = cx.sys.close(fd);
    }
}

/// A child runs the program on the connection.
fn serve(cx: &Cx, listener: Fd, fd: Fd, program: Vec<String>) {
    cx.sys.set_signal(Signal::CHLD, Disposition::Ignore);
    let _ = cx.sys.fork(move |sys| async move {
        let _ = sys.close(listener);
        sys.set_signal(Signal::PIPE, Disposition::Default);
        let _ = sys.dup2(fd, 0);
        let _ = sys.dup2(fd, 1);
        let _ = sys.close(fd);
        let name = program.first().cloned().unwrap_or_default();
        let env = sys.env();
        let failed = match sys.find_in_path(&name) {
            Ok(path) => match sys.exec(&path, program, env).await {
                Ok(code) => return code,
                Err(errno) => errno,
            },
            Err(errno) => errno,
        };
        let text = format!("nc: can't execute '{name}': {}\n", failed.text());
        let _ = sys.write(2, text.as_bytes()).await;
        127
    });
}

async fn run_on(cx: &mut Cx, fd: Fd, program: Vec<String>) -> Answer {
    let _ = cx.sys.dup2(fd, 0);
    let _ = cx.sys.dup2(fd, 1);
    let _ = cx.sys.close(fd);
    exec(cx, program).await
}

/// Standard input to the net and the net to standard output, until the net ends.
async fn relay(cx: &mut Cx, net: Fd, wait: Option<SimTime>) -> Answer {
    let mut input_open = true;
    loop {
        let deadline = wait.filter(|_| !input_open).map(|wait| cx.sys.now() + wait);
        let both = [net, 0];
        let fds = if input_open { &both[..] } else { &both[..1] };
        let ready = match cx.sys.readable(fds, deadline).await {
            Ok(ready) => ready,
            Err(Errno::Intr) => continue,
            Err(_) => return Ok(0),
        };
        let data = match cx.sys.read(ready, 8192).await {
            Ok(data) => data,
            Err(Errno::Intr) => continue,
            Err(errno) if ready == net => {
                cx.fail_on("net read", errno).await;
                return Ok(0);
            }
            Err(_) => Vec::new(),
        };
        match (ready == net, data.is_empty()) {
            (true, true) => return Ok(0),
            (true, false) => cx.now(&data).await,
            (false, true) => {
                input_open = false;
                let _ = cx.sys.shut_write(net);
            }
            (false, false) => {
                if cx.sys.write(net, &data).await.is_err() {
                    return Ok(0);
                }
            }
        }
    }
}
