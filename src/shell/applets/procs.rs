//! Processes: `ps`, `kill`, `killall`, `pgrep`, `pkill`, `pidof`. Models procps/*.c.

use super::Answer;
use super::common::users::Users;
use super::common::{Cx, number};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::Signal;
use crate::shell::bytes::to_bytes;
use crate::shell::sys::ProcInfo;

/// Columns of `ps -o`: name, header, width.
const COLUMNS: &[(&str, &str, usize)] = &[
    ("user", "USER", 8),
    ("group", "GROUP", 8),
    ("ruser", "RUSER", 8),
    ("rgroup", "RGROUP", 8),
    ("comm", "COMMAND", 16),
    ("args", "COMMAND", 256),
    ("pid", "PID", 5),
    ("ppid", "PPID", 5),
    ("pgid", "PGID", 5),
    ("etime", "ELAPSED", 7),
    ("nice", "NI", 5),
    ("time", "TIME", 6),
    ("tty", "TT", 6),
    ("vsz", "VSZ", 6),
    ("stat", "STAT", 4),
    ("rss", "RSS", 4),
];

pub(super) fn command_line(proc: &ProcInfo) -> String {
    match proc.argv.is_empty() {
        true => format!("[{}]", proc.comm),
        false => proc.argv.join(" "),
    }
}

pub(super) async fn ps(cx: &mut Cx) -> Answer {
    let opts = cx.opts("o:TwlaxefA!", "").await?;
    let wanted: Vec<String> = match opts.value('o') {
        None if opts.has('l') => return Err(cx.not_simulated("-l").await),
        None => ["pid", "user", "time", "args"].map(str::to_owned).to_vec(),
        Some(_) => opts.values('o').flat_map(|o| o.split(',')).map(str::to_owned).collect(),
    };
    let mut columns = Vec::new();
    for name in &wanted {
        let (name, header) =
            name.split_once('=').map_or((name.as_str(), None), |(n, h)| (n, Some(h)));
        let Some(column) = COLUMNS.iter().find(|(known, ..)| *known == name) else {
            return Err(cx.die(&format!("bad -o argument '{name}'")).await);
        };
        let default = !opts.has('o') && column.0 == "time";
        let width = if default { 5 } else { column.2 };
        columns.push((column.0, header.unwrap_or(column.1).to_owned(), width));
    }
    let users = Users::read(&cx.sys).await;
    let header: Vec<String> = columns.iter().map(|(_, header, _)| header.clone()).collect();
    row(cx, &columns, &header).await;
    let now = cx.sys.now();
    for proc in cx.sys.processes() {
        let cells: Vec<String> =
            columns.iter().map(|(name, ..)| cell(name, &proc, &users, now)).collect();
        row(cx, &columns, &cells).await;
    }
    Ok(0)
}

async fn row(cx: &mut Cx, columns: &[(&str, String, usize)], cells: &[String]) {
    let mut line = String::new();
    for (i, ((name, header, width), cell)) in columns.iter().zip(cells).enumerate() {
        if i > 0 {
            line.push(' ');
        }
        // Numbers stand to the right, but not their headers.
        let number = cell != header
            && matches!(*name, "pid" | "ppid" | "pgid" | "vsz" | "rss" | "nice" | "time" | "etime");
        if i + 1 == columns.len() && !number {
            line.push_str(cell);
        } else if number {
            line.push_str(&format!("{cell:>width$}"));
        } else {
            line.push_str(&format!("{cell:<width$}"));
        }
    }
    cx.text(&(line + "\n")).await;
}

fn cell(name: &str, proc: &ProcInfo, users: &Users, now: crate::time::SimTime) -> String {
    let clock = |seconds: u64| format!("{}:{:02}", seconds / 60, seconds % 60);
    match name {
        "user" | "ruser" => users.user(proc.uid).unwrap_or_else(|| proc.uid.to_string()),
        "group" | "rgroup" => users.group(proc.gid).unwrap_or_else(|| proc.gid.to_string()),
        "comm" => proc.comm.clone(),
        "args" => command_line(proc),
        "pid" => proc.pid.to_string(),
        "ppid" => proc.ppid.to_string(),
        "pgid" => proc.pgid.to_string(),
        "etime" => clock((now - proc.started).as_secs()),
        "nice" => "0".to_owned(),
        "time" => clock(proc.cpu_used.as_secs()),
        "tty" => "?".to_owned(),
        "vsz" => "4380".to_owned(),
        "stat" => proc.state.to_string(),
        _ => "1024".to_owned(),
    }
}

/// A leading `-9` or `-TERM`, or `-s NAME`; the rest of the arguments.
async fn signal_option(cx: &mut Cx) -> Result<(Signal, Vec<String>), i32> {
    let mut args = cx.args().to_vec();
    let Some(first) = args.first().cloned() else { return Ok((Signal::TERM, args)) };
    let name = match first.strip_prefix('-') {
        Some("s") if args.len() > 1 => {
            args.remove(0);
            args[0].clone()
        }
        Some(name) if Signal::parse(name).is_some() => name.to_owned(),
        Some(name)
            if cx.name() != "pkill" && cx.name() != "pgrep" && name.len() > 1 && name != "-" =>
        {
            return Err(cx.die(&format!("bad signal name '{name}'")).await);
        }
        _ => return Ok((Signal::TERM, args)),
    };
    let Some(signal) = Signal::parse(&name) else {
        return Err(cx.die(&format!("bad signal name '{name}'")).await);
    };
    args.remove(0);
    Ok((signal, args))
}

pub(super) async fn kill(cx: &mut Cx) -> Answer {
    if cx.args().first().is_some_and(|arg| arg == "-l") {
        let wanted = cx.args()[1..].to_vec();
        for arg in wanted {
            let text = match arg.parse::<u8>() {
                Ok(n) => Signal(n & 0x7f).name(),
                Err(_) => Signal::parse(&arg).map_or_else(String::new, |s| s.0.to_string()),
            };
            cx.text(&format!("{text}\n")).await;
        }
        if cx.args().len() == 1 {
            for n in 1..=31 {
                cx.text(&format!("{n:2}) {}\n", Signal(n).name())).await;
            }
        }
        return Ok(0);
    }
    let zero = cx.args().first().is_some_and(|arg| arg == "-0");
    let (signal, mut args) = match zero {
        true => (Signal::TERM, cx.args()[1..].to_vec()),
        false => signal_option(cx).await?,
    };
    if args.first().is_some_and(|arg| arg == "--") {
        args.remove(0);
    }
    if args.is_empty() {
        return Err(cx.die("you need to specify whom to kill").await);
    }
    for arg in args {
        let Ok(pid) = arg.parse::<i64>() else {
            cx.fail(&format!("invalid number '{arg}'")).await;
            continue;
        };
        if let Err(errno) = cx.sys.kill(pid, (!zero).then_some(signal)) {
            cx.fail_on(&format!("can't kill pid {pid}"), errno).await;
        }
    }
    Ok(cx.status)
}

/// Processes of a name: of the program or of what it was started as.
fn named(cx: &Cx, name: &str) -> Vec<ProcInfo> {
    let fits = |proc: &ProcInfo| {
        let started = proc.argv.first().map(|a| a.rsplit('/').next().unwrap_or(a));
        proc.comm == name.chars().take(15).collect::<String>() || started == Some(name)
    };
    cx.sys.processes().into_iter().filter(fits).collect()
}

pub(super) async fn killall(cx: &mut Cx) -> Answer {
    let quiet = cx.args().first().is_some_and(|arg| arg == "-q");
    if quiet {
        cx.argv.remove(1);
    }
    let (signal, names) = signal_option(cx).await?;
    if names.is_empty() {
        return Err(cx.die("you need to specify whom to kill").await);
    }
    let me = cx.sys.pid();
    for name in names {
        let mut found = named(cx, &name);
        found.retain(|proc| proc.pid != me);
        if found.is_empty() {
            cx.status = 1;
            if !quiet {
                cx.fail(&format!("{name}: no process killed")).await;
            }
        }
        for proc in found {
            if let Err(errno) = cx.sys.kill(i64::from(proc.pid), Some(signal)) {
                cx.fail_on(&format!("can't kill pid {}", proc.pid), errno).await;
            }
        }
    }
    Ok(cx.status)
}

pub(super) async fn pidof(cx: &mut Cx) -> Answer {
    let opts = cx.opts("so:", "").await?;
    let mut pids: Vec<u32> =
        opts.rest.iter().flat_map(|name| named(cx, name)).map(|proc| proc.pid).collect();
    pids.reverse();
    pids.retain(|pid| !opts.values('o').any(|omit| omit == pid.to_string()));
    if opts.has('s') {
        pids.truncate(1);
    }
    if pids.is_empty() {
        return Ok(1);
    }
    let words: Vec<String> = pids.iter().map(u32::to_string).collect();
    cx.text(&(words.join(" ") + "\n")).await;
    Ok(0)
}

pub(super) async fn pgrep(cx: &mut Cx) -> Answer {
    find(cx, None).await
}

pub(super) async fn pkill(cx: &mut Cx) -> Answer {
    let (signal, args) = signal_option(cx).await?;
    cx.argv.truncate(1);
    cx.argv.extend(args);
    find(cx, Some(signal)).await
}

async fn find(cx: &mut Cx, signal: Option<Signal>) -> Answer {
    cx.usage_status = 2;
    let opts = cx.opts("vlafxonP:!s", "").await?;
    let parent = match opts.value('P').map(number::digits) {
        Some(None) => return Err(cx.usage().await),
        parent => parent.flatten(),
    };
    let pattern = match &opts.rest[..] {
        [pattern] => pattern.clone(),
        [] if parent.is_some() => String::new(),
        _ => return Err(cx.usage().await),
    };
    let options = Options { flavor: Flavor::Extended, ..Options::default() };
    let regex = match Regex::new(&to_bytes(&pattern), options) {
        Ok(regex) => regex,
        Err(error) => {
            return Err(cx.die(&format!("bad regex '{pattern}': {}", error.message())).await);
        }
    };
    let me = cx.sys.pid();
    let fits = |proc: &ProcInfo| {
        let text = to_bytes(&if opts.has('f') { command_line(proc) } else { proc.comm.clone() });
        let found = regex.find_at(&text, 0).ok().flatten();
        let good = found.is_some_and(|m| !opts.has('x') || (m.start(), m.end()) == (0, text.len()));
        (good != opts.has('v')) && parent.is_none_or(|ppid| u64::from(proc.ppid) == ppid)
    };
    let mut found: Vec<ProcInfo> =
        cx.sys.processes().into_iter().filter(|p| p.pid != me && fits(p)).collect();
    if opts.has('n') {
        found = found.pop().into_iter().collect();
    } else if opts.has('o') {
        found.truncate(1);
    }
    for proc in &found {
        match signal {
            Some(signal) => {
                let _ = cx.sys.kill(i64::from(proc.pid), Some(signal));
            }
            None if opts.has('a') => {
                cx.text(&format!("{} {}\n", proc.pid, command_line(proc))).await;
            }
            None if opts.has('l') => cx.text(&format!("{} {}\n", proc.pid, proc.comm)).await,
            None => cx.text(&format!("{}\n", proc.pid)).await,
        }
    }
    Ok(i32::from(found.is_empty()))
}
