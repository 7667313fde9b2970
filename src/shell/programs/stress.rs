//! `stress`: processes that burn CPU and hold memory. Disk and I/O hogs only wait.

use super::args::not_simulated;
use super::web;
use crate::shell::{Signal, Sys, WaitFor, WaitStatus};
use crate::time::SimTime;

/// Most hogs started.
const HOGS_MAX: u64 = 32;

/// `128M`, `1G`, plain bytes.
fn bytes(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_shl(unit)
}

fn seconds(text: &str) -> Option<u64> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let per = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    Some(digits.parse::<u64>().ok()? * per)
}

#[derive(Clone, Copy)]
enum Hog {
    Cpu,
    Memory(u64),
    Idle,
}

async fn hog(sys: Sys, kind: Hog) -> i32 {
    match kind {
        Hog::Memory(bytes) => {
            // It touches page after page: a gigabyte takes about half a second.
            let (steps, mut claimed) = (16, 0);
            for _ in 0..steps {
                claimed += bytes / steps;
                sys.claim_memory(claimed);
                sys.burn((bytes >> 20) * 500 / steps).await;
            }
            loop {
                sys.burn(100_000).await;
            }
        }
        Hog::Cpu => loop {
            sys.burn(100_000).await;
        },
        Hog::Idle => loop {
            web::sleep(&sys, SimTime::from_secs(3600)).await;
        },
    }
}

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let (mut cpu, mut io, mut vm, mut hdd) = (0, 0, 0, 0);
    let (mut vm_bytes, mut timeout) = (256 << 20, None);
    let mut rest = argv.iter().skip(1);
    while let Some(arg) = rest.next() {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(n, v)| (n, Some(v)));
        if matches!(name, "--vm-keep" | "-v" | "--verbose" | "-q" | "--quiet") {
            continue;
        }
        let value = value.map(str::to_owned).or_else(|| rest.next().cloned()).unwrap_or_default();
        let number = value.parse::<u64>().ok().map(|n| n.min(HOGS_MAX));
        match (name, number) {
            ("--cpu" | "-c", Some(n)) => cpu = n,
            ("--io" | "-i", Some(n)) => io = n,
            ("--vm" | "-m", Some(n)) => vm = n,
            ("--hdd" | "-d", Some(n)) => hdd = n,
            ("--vm-bytes", _) => vm_bytes = bytes(&value).unwrap_or(vm_bytes),
            ("--timeout" | "-t", _) => timeout = seconds(&value),
            ("--vm-hang" | "--backoff" | "--hdd-bytes" | "--vm-stride", _) => {}
            _ => return not_simulated(&sys, "stress", &format!("the option {arg}")).await,
        }
    }
    let pid = sys.pid();
    if cpu + io + vm + hdd == 0 {
        let usage = "`stress' imposes certain types of compute stress on your system\n\n\
                     Usage: stress [OPTION [ARG]] ...\n";
        let _ = sys.write(1, usage.as_bytes()).await;
        return 0;
    }
    let text =
        format!("stress: info: [{pid}] dispatching hogs: {cpu} cpu, {io} io, {vm} vm, {hdd} hdd\n");
    let _ = sys.write(1, text.as_bytes()).await;
    let hogs = [(cpu, Hog::Cpu), (io, Hog::Idle), (vm, Hog::Memory(vm_bytes)), (hdd, Hog::Idle)];
    let mut children = Vec::new();
    for (n, kind) in hogs {
        for _ in 0..n {
            children.extend(sys.fork(move |sys| hog(sys, kind)));
        }
    }
    wait(&sys, &children, timeout).await
}

/// Until the time is over or a hog ends, which is a failure.
async fn wait(sys: &Sys, children: &[u32], timeout: Option<u64>) -> i32 {
    let (pid, begun) = (sys.pid(), sys.now());
    let deadline = timeout.map(|secs| begun + SimTime::from_secs(secs));
    let ended = sys.wait_until(WaitFor::Any, deadline).await;
    let took = (sys.now() - begun).as_secs();
    for child in children {
        let _ = sys.kill(i64::from(*child), Some(Signal::KILL));
    }
    match ended {
        Ok((child, status)) => {
            let why = match status {
                WaitStatus::Signaled(signal) => format!("got signal {}", signal.0),
                status => format!("returned error {}", status.code()),
            };
            let text = format!(
                "stress: FAIL: [{pid}] (425) <-- worker {child} {why}\nstress: WARN: [{pid}] (427) \
                 now reaping child worker processes\nstress: FAIL: [{pid}] (461) failed run \
                 completed in {took}s\n"
            );
            let _ = sys.write(2, text.as_bytes()).await;
            1
        }
        Err(_) => {
            let text = format!("stress: info: [{pid}] successful run completed in {took}s\n");
            let _ = sys.write(1, text.as_bytes()).await;
            0
        }
    }
}
