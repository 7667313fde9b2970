//! Applets that run others: `timeout`, `nohup`, `nice`, `time`, `setsid`, `busybox`; and `sync`.

use super::Answer;
use super::common::{Cx, number};
use super::env::exec;
use crate::shell::{Disposition, Errno, OpenHow, Pid, Signal, Sys, WaitFor, WaitStatus};
use crate::time::SimTime;

/// Starts a program as a child; 127 or 126 and a message when it cannot be run.
pub(super) fn spawn(cx: &Cx, argv: Vec<String>) -> Result<Pid, Errno> {
    let prefix = cx.name();
    let name = argv.first().cloned().unwrap_or_default();
    cx.sys.spawn(argv, move |_, errno| {
        format!("{prefix}: can't execute '{name}': {}\n", errno.text()).into_bytes()
    })
}

/// Waits for one child to its end.
pub(super) async fn wait(sys: &Sys, pid: Pid) -> WaitStatus {
    loop {
        match sys.wait(WaitFor::Pid(pid)).await {
            Ok((_, WaitStatus::Stopped(_))) | Err(Errno::Intr) => {}
            Ok((_, status)) => return status,
            Err(_) => return WaitStatus::Exited(127),
        }
    }
}

/// The program replaces this process; a process beside it sends the signal. Whole seconds count.
pub(super) async fn timeout(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+s:k:", "signal=s kill-after=k").await?;
    let Some((text, argv)) = opts.rest.split_first().filter(|(_, argv)| !argv.is_empty()) else {
        return Err(cx.usage().await);
    };
    let signal = match opts.value('s') {
        None => Signal::TERM,
        Some(name) => match Signal::parse(name) {
            Some(signal) => signal,
            None => return Err(cx.die(&format!("unknown signal '{name}'")).await),
        },
    };
    let mut spans = Vec::new();
    for text in [Some(text.as_str()), opts.value('k')] {
        match text.map(|text| (text, number::duration_micros(text))) {
            Some((text, None)) => {
                return Err(cx.die(&format!("invalid number '{text}'")).await);
            }
            Some((_, Some(micros))) => spans.push((micros / 1_000_000).max(1)),
            None => {}
        }
    }
    let target = i64::from(cx.sys.pid());
    // A child's child, so that the program never meets it in `wait`.
    let child = cx.sys.fork(move |sys| async move {
        let watcher = sys.fork(move |sys| watch_over(sys, target, signal, spans));
        i32::from(watcher.is_err())
    });
    if let Ok(pid) = child {
        wait(&cx.sys, pid).await;
    }
    exec(cx, argv.to_vec()).await
}

async fn watch_over(sys: Sys, target: i64, signal: Signal, spans: Vec<u64>) -> i32 {
    // Files of the program's must end with it.
    for fd in 0..3 {
        let _ = sys.close(fd);
    }
    for (i, seconds) in spans.into_iter().enumerate() {
        for _ in 0..seconds {
            sys.sleep(SimTime::from_secs(1)).await;
            if sys.kill(target, None).is_err() {
                return 0;
            }
        }
        let _ = sys.kill(target, Some(if i == 0 { signal } else { Signal::KILL }));
    }
    0
}

pub(super) async fn nohup(cx: &mut Cx) -> Answer {
    cx.usage_status = 125;
    if cx.args().is_empty() {
        return Err(cx.usage().await);
    }
    cx.sys.set_signal(Signal::HUP, Disposition::Ignore);
    let argv = cx.args().to_vec();
    exec(cx, argv).await
}

pub(super) async fn nice(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+n:", "").await?;
    if opts.rest.is_empty() {
        cx.text("0\n").await;
        return Ok(0);
    }
    exec(cx, opts.rest.clone()).await
}

pub(super) async fn setsid(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+c", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let _ = cx.sys.set_pgid(0, 0);
    exec(cx, opts.rest.clone()).await
}

pub(super) async fn time(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+vpao:f:", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    if ['v', 'a', 'o', 'f'].iter().any(|letter| opts.has(*letter)) {
        return Err(cx.not_simulated("all options but -p").await);
    }
    let start = cx.sys.now();
    let status = match spawn(cx, opts.rest.clone()) {
        Ok(pid) => wait(&cx.sys, pid).await,
        Err(errno) => return Err(cx.die(&format!("vfork: {}", errno.text())).await),
    };
    let micros = (cx.sys.now() - start).0;
    let text = match opts.has('p') {
        true => format!("real {:.2}\nuser 0.00\nsys 0.00\n", micros as f64 / 1e6),
        false => {
            let (minutes, seconds) = (micros / 60_000_000, micros % 60_000_000);
            format!(
                "real\t{minutes}m {:.2}s\nuser\t0m 0.00s\nsys\t0m 0.00s\n",
                seconds as f64 / 1e6
            )
        }
    };
    cx.err(&text).await;
    Ok(status.code())
}

/// `busybox APPLET ARGS`, `busybox --list`.
pub(super) async fn busybox(cx: &mut Cx) -> Answer {
    let args = cx.args().to_vec();
    let Some(name) = args.first() else {
        cx.text("BusyBox v1.36.1 (2024-09-26 21:31:42 UTC) multi-call binary.\n").await;
        return Ok(0);
    };
    if name == "--list" {
        for (name, _) in super::APPLETS {
            cx.text(&format!("{name}\n")).await;
        }
        return Ok(0);
    }
    let Some(program) = super::lookup(name) else {
        cx.err(&format!("{name}: applet not found\n")).await;
        return Ok(127);
    };
    Ok(program(cx.sys.clone(), args).await)
}

/// Nothing is ever late to the simulated disk.
pub(super) async fn sync(cx: &mut Cx) -> Answer {
    let opts = cx.opts("df", "").await?;
    for path in &opts.rest {
        match cx.sys.open(path, OpenHow { nonblock: true, ..OpenHow::READ }).await {
            Ok(fd) => {
                let _ = cx.sys.close(fd);
            }
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }
    Ok(cx.status)
}
