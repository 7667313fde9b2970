//! `netstat`, `nslookup`, `ping`: what a container sees of its network.

use super::Answer;
use super::common::{Cx, number};
use crate::time::SimTime;

pub(super) async fn netstat(cx: &mut Cx) -> Answer {
    let opts = cx.opts("laentuwxrWp", "").await?;
    if opts.has('r') {
        return Err(cx.not_simulated("-r").await);
    }
    let (title, columns) = match () {
        () if opts.has('a') => ("(servers and established)", true),
        () if opts.has('l') => ("(only servers)", true),
        () => ("(w/o servers)", false),
    };
    cx.text(&format!("Active Internet connections {title}\n")).await;
    let program = if opts.has('p') { "PID/Program name    " } else { "" };
    cx.text(&format!(
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       {program}\n"
    ))
    .await;
    let table = cx.sys.read_file("/proc/net/tcp").await.unwrap_or_default();
    for line in String::from_utf8_lossy(&table).lines().skip(1) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, state, ..] = cells[..] else { continue };
        let listens = state == "0A";
        let shown = match () {
            () if opts.has('a') => true,
            () if opts.has('l') => listens,
            () => !listens,
        };
        if !shown || (opts.has('u') && !opts.has('t')) {
            continue;
        }
        let state = match state {
            "01" => "ESTABLISHED",
            "0A" => "LISTEN",
            "06" => "TIME_WAIT",
            "08" => "CLOSE_WAIT",
            _ => "UNKNOWN",
        };
        let (local, remote) = (address(local, listens), address(remote, listens));
        let owner = if opts.has('p') { "-                   " } else { "" };
        let text = format!("tcp        0      0 {local:<23} {remote:<23} {state:<11} {owner}");
        cx.text(&(text + "\n")).await;
    }
    if !columns && !opts.has('t') && !opts.has('u') {
        cx.text("Active UNIX domain sockets (w/o servers)\n").await;
        cx.text("Proto RefCnt Flags       Type       State         I-Node Path\n").await;
    }
    Ok(0)
}

/// `0100007F:1F90` as `127.0.0.1:8080`. A listener on every address is one of both families, as
/// programs that prefer IPv6 make them.
fn address(hex: &str, listens: bool) -> String {
    let (addr, port) = hex.split_once(':').unwrap_or((hex, "0"));
    let bits = u32::from_str_radix(addr, 16).unwrap_or(0);
    let port = u16::from_str_radix(port, 16).unwrap_or(0);
    let port = if port == 0 { "*".to_owned() } else { port.to_string() };
    match bits {
        0 if listens => format!(":::{port}"),
        bits => {
            let [a, b, c, d] = bits.to_le_bytes();
            format!("{a}.{b}.{c}.{d}:{port}")
        }
    }
}

pub(super) async fn nslookup(cx: &mut Cx) -> Answer {
    let args: Vec<String> = cx.args().iter().filter(|arg| !arg.starts_with('-')).cloned().collect();
    let Some(name) = args.first().cloned() else { return Err(cx.usage().await) };
    let conf = cx.sys.read_file("/etc/resolv.conf").await.unwrap_or_default();
    let conf = String::from_utf8_lossy(&conf).into_owned();
    let named = |line: &str| line.strip_prefix("nameserver ").map(|s| s.trim().to_owned());
    let Some(server) = args.get(1).cloned().or_else(|| conf.lines().find_map(named)) else {
        cx.text(";; connection timed out; no servers could be reached\n\n").await;
        return Ok(1);
    };
    if cx.sys.lost_lookup(&name).is_some() {
        cx.sys.sleep(SimTime::from_secs(5)).await;
        cx.text(";; connection timed out; no servers could be reached\n\n").await;
        return Ok(1);
    }
    cx.text(&format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n")).await;
    let addrs = cx.sys.resolve(&name).await;
    if addrs.is_empty() {
        cx.text(&format!("** server can't find {name}: NXDOMAIN\n\n")).await;
        return Ok(1);
    }
    for addr in addrs {
        cx.text(&format!("Name:\t{name}\nAddress: {addr}\n")).await;
    }
    cx.text("\n").await;
    Ok(0)
}

/// Round trip of an echo, in microseconds.
const ECHO_MICROS: u64 = 62;

pub(super) async fn ping(cx: &mut Cx) -> Answer {
    let opts = cx.opts("qc:s:t:w:W:i:I:np:A46", "").await?;
    let [host] = &opts.rest[..] else { return Err(cx.usage().await) };
    let mut numbers = [u64::MAX, 56, 10, u64::MAX];
    for (i, letter) in ['c', 's', 'W', 'w'].into_iter().enumerate() {
        let Some(text) = opts.value(letter) else { continue };
        match number::digits(text) {
            Some(n) => numbers[i] = n,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    let [wanted, size, wait, deadline] = numbers;
    let Some(addr) = cx.sys.resolve(host).await.first().copied() else {
        return Err(cx.die(&format!("bad address '{host}'")).await);
    };
    cx.now(format!("PING {host} ({addr}): {size} data bytes\n").as_bytes()).await;
    let own = addr.is_loopback() || cx.sys.pod_ip() == Some(addr);
    // Others answer when a packet for them has a way: a refused connection is an answer too.
    let tried = cx
        .sys
        .connect_addr(&format!("{host}:7"), addr, 7, Some(cx.sys.now() + SimTime::from_secs(1)))
        .await;
    let alive = own || matches!(tried, Ok(_) | Err(crate::shell::Errno::ConnRefused));
    let start = cx.sys.now();
    let (mut sent, mut got) = (0, 0);
    while sent < wanted && (cx.sys.now() - start).as_secs() < deadline {
        sent += 1;
        if alive {
            cx.sys.sleep(SimTime(ECHO_MICROS)).await;
            got += 1;
            if !opts.has('q') {
                let line = format!(
                    "{} bytes from {addr}: seq={} ttl=64 time=0.0{ECHO_MICROS} ms\n",
                    size + 8,
                    sent - 1
                );
                cx.now(line.as_bytes()).await;
            }
        }
        let more = sent < wanted;
        let pause = if more {
            1
        } else if alive {
            0
        } else {
            wait
        };
        cx.sys.sleep(SimTime::from_secs(pause)).await;
    }
    let text = statistics(host, sent, got);
    cx.text(&text).await;
    Ok(i32::from(got == 0))
}

fn statistics(host: &str, sent: u64, got: u64) -> String {
    let loss = ((sent - got) * 100).checked_div(sent).unwrap_or(0);
    let mut text = format!(
        "\n--- {host} ping statistics ---\n\
         {sent} packets transmitted, {got} packets received, {loss}% packet loss\n"
    );
    if got > 0 {
        text.push_str(&format!(
            "round-trip min/avg/max = 0.0{ECHO_MICROS}/0.0{ECHO_MICROS}/0.0{ECHO_MICROS} ms\n"
        ));
    }
    text
}
