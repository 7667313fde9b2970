//! `top -b` and `watch`. Models procps/top.c and watch.c.

use super::Answer;
use super::common::calendar::{Zone, strftime};
use super::common::users::Users;
use super::common::{Cx, number};
use super::procs::command_line;
use super::run::wait;
use crate::order::Order;
use crate::shell::bytes::to_text;
use crate::shell::sys::ProcInfo;
use crate::time::SimTime;

/// Kilobytes every process is said to have, as in `/proc`.
const VSZ: u64 = 4380;
/// How long CPU use is measured before the first screen.
const SAMPLE_MICROS: u64 = 100_000;
const CPUS: u64 = 2;

pub(super) async fn top(cx: &mut Cx) -> Answer {
    let opts = cx.opts("bn:d:!mH", "").await?;
    if !opts.has('b') {
        return Err(cx.not_simulated("without -b").await);
    }
    let interval = match opts.value('d').map(number::duration_micros) {
        None => 5_000_000,
        Some(Some(micros)) => micros,
        Some(None) => return Err(cx.die("invalid number").await),
    };
    let n = match opts.value('n').map(number::digits) {
        None => u64::MAX,
        Some(Some(n)) => n,
        Some(None) => return Err(cx.die("invalid number").await),
    };
    let users = Users::read(&cx.sys).await;
    let mut before = cx.sys.processes();
    let mut span = SAMPLE_MICROS;
    cx.sys.sleep(SimTime(span)).await;
    for round in 1..=n {
        let now = cx.sys.processes();
        screen(cx, &users, &before, &now, span).await;
        cx.out.flush().await;
        if round == n {
            break;
        }
        (before, span) = (now, interval.max(1));
        cx.sys.sleep(SimTime(span)).await;
    }
    Ok(0)
}

/// Tenths of a percent.
fn tenths(part: u64, whole: u64) -> u64 {
    (part * 1000 / whole.max(1)).min(1000)
}

fn percent(part: u64, whole: u64) -> String {
    match tenths(part, whole) {
        1000 => "  100% ".to_owned(),
        t => format!(" {:>2}.{}% ", t / 10, t % 10),
    }
}

async fn screen(cx: &mut Cx, users: &Users, before: &[ProcInfo], now: &[ProcInfo], span: u64) {
    let text = to_text(&cx.sys.read_file("/proc/meminfo").await.unwrap_or_default());
    let memory = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let (total, free) = (memory("MemTotal:"), memory("MemFree:"));
    let old = |pid: u32| before.iter().find(|p| p.pid == pid).map_or(0, |p| p.cpu_used.0);
    let mut rows: Vec<(u64, &ProcInfo)> =
        now.iter().map(|p| (p.cpu_used.0.saturating_sub(old(p.pid)), p)).collect();
    let busy: u64 = rows.iter().map(|(used, _)| used).sum();
    let whole = span * CPUS;
    rows.order_by_key(|(used, p)| std::cmp::Reverse((tenths(*used, whole), p.cpu_used.0 / 10_000)));
    let load = to_text(&cx.sys.read_file("/proc/loadavg").await.unwrap_or_default());
    let zero = percent(0, 1);
    cx.text(&format!(
        "Mem: {}K used, {free}K free, {}K shrd, {}K buff, {}K cached\n\
         CPU:{}usr{zero}sys{zero}nic{}idle{zero}io{zero}irq{zero}sirq\n\
         Load average: {}\n  PID  PPID USER     STAT   VSZ %VSZ CPU %CPU COMMAND\n",
        total.saturating_sub(free),
        memory("Shmem:"),
        memory("Buffers:"),
        memory("Cached:"),
        percent(busy, whole),
        percent(whole.saturating_sub(busy), whole),
        load.trim_end(),
    ))
    .await;
    let vsz = tenths(VSZ, total);
    for (used, p) in rows {
        let user = users.user(p.uid).unwrap_or_else(|| p.uid.to_string());
        let cpu = tenths(used, whole);
        cx.text(&format!(
            "{:5} {:5} {user:<8.8} {}    {VSZ:5} {:3}.{}   0 {:3}.{} {}\n",
            p.pid,
            p.ppid,
            p.state,
            vsz / 10,
            vsz % 10,
            cpu / 10,
            cpu % 10,
            command_line(p),
        ))
        .await;
    }
}

pub(super) async fn watch(cx: &mut Cx) -> Answer {
    /// Columns of a screen that is none.
    const WIDTH: usize = 80;
    let opts = cx.opts("+dtn:", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let command = opts.rest.join(" ");
    let period = match number::duration_micros(opts.value('n').unwrap_or("2")) {
        Some(micros) => micros,
        None => {
            let text = format!("invalid number '{}'", opts.value('n').unwrap_or(""));
            return Err(cx.die(&text).await);
        }
    };
    loop {
        cx.text("\x1b[H\x1b[J").await;
        if !opts.has('t') {
            let now = cx.sys.wall_unix_micros().div_euclid(1_000_000);
            let zone = Zone::parse(&cx.sys.getenv("TZ").unwrap_or_default());
            let clock = to_text(&strftime(b"%Y-%m-%d %H:%M:%S", now, &zone));
            let tenths = (period + 50_000) / 100_000;
            let front = format!("Every {}.{}s: {command}", tenths / 10, tenths % 10);
            let room = WIDTH - clock.len() - 1;
            cx.text(&format!("{front:<room$.room$}{clock}\n\n")).await;
        }
        cx.out.flush().await;
        let argv = ["sh", "-c", &command].map(str::to_owned).to_vec();
        if let Ok(pid) = cx.sys.spawn(argv, |_, _| Vec::new()) {
            wait(&cx.sys, pid).await;
        }
        cx.sys.sleep(SimTime(period.max(1))).await;
    }
}
