//! `wait`, `jobs`, `kill`, `trap`, `bg`, `fg`.

use super::Letters;
use crate::shell::lang::{Job, Res, Shell, TrapKey, Waited, single_quote};
use crate::shell::{Signal, WaitStatus};

/// The job a `%` word names.
async fn job_named(shell: &mut Shell, name: &str) -> Res<u32> {
    let running: Vec<&Job> = shell.jobs.iter().rev().collect();
    let at = |n: usize| running.get(n).map(|job| job.id);
    let found = match name {
        "%" | "%+" | "%%" => at(0).ok_or("No current job"),
        "%-" => at(1).ok_or("No previous job"),
        _ => {
            let number = name.strip_prefix('%').and_then(|n| n.parse::<u32>().ok());
            let known = number.filter(|n| shell.job(*n).is_some());
            known.ok_or("no such job")
        }
    };
    match found {
        Ok(id) => Ok(id),
        Err("no such job") => shell.raise(&format!("{name}: no such job")).await,
        Err(message) => shell.raise(message).await,
    }
}

pub(super) async fn wait(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let mut one = false;
    while let Some((_, _)) = letters.next(shell, "n").await? {
        one = true;
    }
    let names = letters.rest();
    if names.is_empty() {
        return wait_all(shell, one).await;
    }
    let mut code = 127;
    for name in names {
        let job = if name.starts_with('%') {
            Some(job_named(shell, name).await?)
        } else {
            let pid = super::number(shell, name).await? as u32;
            shell.jobs.iter().find(|job| job.last_pid() == pid).map(|job| job.id)
        };
        let Some(id) = job else {
            code = 127;
            continue;
        };
        while shell.job(id).is_some_and(|job| !job.is_done()) {
            if let Some(code) = interrupted(shell) {
                return Ok(code);
            }
            if shell.wait_child(Some(id)).await == Waited::NoChildren {
                break;
            }
        }
        if let Some(code) = interrupted(shell) {
            return Ok(code);
        }
        code = shell.job_code(id);
        if let Some(job) = shell.jobs.iter_mut().find(|job| job.id == id) {
            job.waited = true;
        }
    }
    Ok(code)
}

/// 128 and the number of the signal whose trap is due.
fn interrupted(shell: &Shell) -> Option<i32> {
    shell.sys.peek_signal().map(|signal| 128 + i32::from(signal.0))
}

async fn wait_all(shell: &mut Shell, one: bool) -> Res {
    if one && shell.jobs.is_empty() {
        return Ok(127);
    }
    let mut waited = false;
    loop {
        for job in &mut shell.jobs {
            job.waited |= job.is_done();
        }
        if let Some(code) = interrupted(shell) {
            return Ok(code);
        }
        if shell.jobs.iter().all(Job::is_done) {
            // `wait -n` of this version mistakes a count for a status: it ends with the first
            // success, else with the last child, and then it says 129.
            return Ok(if one && waited { 129 } else { 0 });
        }
        match shell.wait_child(None).await {
            Waited::NoChildren => return Ok(0),
            Waited::Child(Some(id)) if shell.job(id).is_some_and(Job::is_done) => {
                waited = true;
                if one && shell.job_code(id) == 0 {
                    return Ok(0);
                }
            }
            Waited::Child(_) | Waited::Signal => {}
        }
    }
}

pub(super) async fn jobs(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let (mut pids, mut only_pids) = (false, false);
    while let Some((letter, _)) = letters.next(shell, "lp").await? {
        pids |= letter == 'l';
        only_pids |= letter == 'p';
    }
    shell.collect_children();
    let mut wanted = Vec::new();
    for name in letters.rest() {
        wanted.push(job_named(shell, name).await?);
    }
    if letters.rest().is_empty() {
        wanted = shell.jobs.iter().rev().map(|job| job.id).collect();
    }
    let order: Vec<u32> = shell.jobs.iter().rev().map(|job| job.id).collect();
    let mut out = String::new();
    for id in wanted {
        let Some(job) = shell.job(id) else { continue };
        let first = job.procs.first().map_or(0, |(pid, _)| *pid);
        if only_pids {
            out.push_str(&format!("{first}\n"));
            continue;
        }
        let mark = match order.iter().position(|other| *other == id) {
            Some(0) => '+',
            Some(1) => '-',
            _ => ' ',
        };
        let mut line = format!("[{id}]{mark}  ");
        if pids {
            line.push_str(&format!("{first} "));
        }
        line.push_str(&state_words(job));
        out.push_str(&format!("{line:<33}\n"));
    }
    shell.jobs.retain(|job| !job.is_done());
    Ok(shell.print(&out).await)
}

fn state_words(job: &Job) -> String {
    match job.procs.last().and_then(|(_, status)| *status).filter(|_| job.is_done()) {
        None => "Running".to_owned(),
        Some(WaitStatus::Exited(0)) => "Done".to_owned(),
        Some(WaitStatus::Exited(code)) => format!("Done({code})"),
        Some(WaitStatus::Signaled(signal) | WaitStatus::Stopped(signal)) => signal.words(),
    }
}

pub(super) async fn bg_fg(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let name = argv.get(1).map_or("%", String::as_str);
    let id = job_named(shell, name).await?;
    shell
        .raise(&format!(
            "job {} not created under job control",
            argv.get(1).map_or_else(|| "(null)".to_owned(), |_| format!("%{id}"))
        ))
        .await
}

pub(super) async fn kill(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut args: Vec<String> = argv[1..].to_vec();
    if args.first().is_some_and(|arg| arg == "-l") {
        return list_signals(shell, &args[1..]).await;
    }
    let mut signal = Some(Signal::TERM);
    if let Some(first) = args.first().cloned()
        && let Some(mut name) = first.strip_prefix('-').map(str::to_owned)
    {
        args.remove(0);
        if name != "-" {
            if name == "s" && !args.is_empty() {
                name = args.remove(0);
            }
            signal = match (name.as_str(), Signal::parse(&name)) {
                (_, Some(signal)) => Some(signal),
                ("0" | "EXIT" | "SIGEXIT", None) => None,
                _ => return complain(shell, &format!("bad signal name '{name}'")).await,
            };
        }
    }
    if args.is_empty() {
        return complain(shell, "you need to specify whom to kill").await;
    }
    let mut errors = 0;
    for arg in args {
        for target in targets(shell, &arg).await? {
            let Ok(pid) = target.parse::<i64>() else {
                errors += 1;
                complain(shell, &format!("invalid number '{target}'")).await?;
                continue;
            };
            if let Err(errno) = shell.sys.kill(pid, signal) {
                errors += 1;
                complain(shell, &format!("can't kill pid {pid}: {errno}")).await?;
            }
        }
    }
    Ok(errors)
}

/// Process numbers of a word: a job's processes that live, or the word itself.
async fn targets(shell: &mut Shell, word: &str) -> Res<Vec<String>> {
    if !word.starts_with('%') {
        return Ok(vec![word.to_owned()]);
    }
    let id = job_named(shell, word).await?;
    let procs = shell.job(id).map(|job| job.procs.clone()).unwrap_or_default();
    let alive = procs.into_iter().filter(|(_, status)| status.is_none());
    Ok(alive.map(|(pid, _)| pid.to_string()).collect())
}

async fn complain(shell: &mut Shell, text: &str) -> Res {
    shell.write_text(2, &format!("sh: {text}\n")).await;
    Ok(1)
}

async fn list_signals(shell: &mut Shell, names: &[String]) -> Res {
    let mut out = String::new();
    if names.is_empty() {
        for number in 1..32 {
            out.push_str(&format!("{number:2}) {}\n", Signal(number).name()));
        }
    }
    for name in names {
        if let Ok(number) = name.parse::<u32>() {
            let number = (number & 0x7f) as u8;
            let known = if number == 0 { "EXIT".to_owned() } else { Signal(number).name() };
            out.push_str(&format!("{known}\n"));
            continue;
        }
        match Signal::parse(name) {
            Some(signal) => out.push_str(&format!("{}\n", signal.0)),
            None => {
                shell.print(&out).await;
                return complain(shell, &format!("unknown signal '{name}'")).await;
            }
        }
    }
    Ok(shell.print(&out).await)
}

pub(super) async fn trap(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    while let Some((_, _)) = letters.next(shell, "").await? {}
    let args = letters.rest();
    if args.is_empty() {
        let line = |(key, action): (&TrapKey, &String)| {
            format!("trap -- {} {}\n", single_quote(action), key.name())
        };
        let out: String = shell.listed_traps().iter().map(line).collect();
        return Ok(shell.print(&out).await);
    }
    let numeric = args[0].bytes().all(|b| b.is_ascii_digit()) && !args[0].is_empty();
    let (action, keys) = match args.len() > 1 && !numeric {
        true => (Some(args[0].as_str()), &args[1..]),
        false => (None, args),
    };
    let mut code = 0;
    for name in keys {
        match TrapKey::parse(name) {
            Some(key) => shell.set_trap(key, action.filter(|action| *action != "-")),
            None => {
                shell.complain(&format!("{name}: invalid signal specification")).await;
                code = 1;
            }
        }
    }
    Ok(code)
}
