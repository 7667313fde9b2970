//! Programs of a few lines: `clear factor fallocate fsync link logger mountpoint`.

use super::Answer;
use super::common::users::Users;
use super::common::{Cx, number};
use crate::shell::bytes::to_text;
use crate::shell::{Errno, FileType, OpenHow};

pub(super) async fn clear(cx: &mut Cx) -> Answer {
    cx.text("\x1b[H\x1b[J").await;
    Ok(0)
}

pub(super) async fn factor(cx: &mut Cx) -> Answer {
    let mut words = cx.args().to_vec();
    if words.is_empty() {
        let data = cx.read_input("-").await.unwrap_or_default();
        words = to_text(&data).split_whitespace().map(str::to_owned).collect();
    }
    for word in words {
        let bare = word.trim_start();
        let Some(n) = number::digits(bare.strip_prefix('+').unwrap_or(bare)) else {
            return Err(cx.usage().await);
        };
        let mut line = format!("{n}:");
        let (mut rest, mut divisor) = (n, 2);
        while rest > 1 && divisor <= rest / divisor {
            if rest % divisor == 0 {
                rest /= divisor;
                line.push_str(&format!(" {divisor}"));
                continue;
            }
            divisor += if divisor == 2 { 1 } else { 2 };
            if divisor % 4096 == 1 {
                // A division takes nanoseconds; a large prime takes seconds.
                cx.sys.burn(20).await;
            }
        }
        if rest > 1 {
            line.push_str(&format!(" {rest}"));
        }
        cx.text(&(line + "\n")).await;
    }
    Ok(0)
}

pub(super) async fn fallocate(cx: &mut Cx) -> Answer {
    let opts = cx.opts("l:o:", "").await?;
    let ([path], Some(length)) = (&opts.rest[..], opts.value('l')) else {
        return Err(cx.usage().await);
    };
    let mut sizes = [0; 2];
    for (size, text) in sizes.iter_mut().zip([opts.value('o').unwrap_or("0"), length]) {
        match number::with_suffix(text) {
            Some(n) => *size = n,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    let fd = match cx.sys.open(path, OpenHow::READ_WRITE).await {
        Ok(fd) => fd,
        Err(errno) => {
            cx.fail_on(&format!("can't open '{path}'"), errno).await;
            return Ok(1);
        }
    };
    let end = sizes[0].saturating_add(sizes[1]);
    let grown = match cx.sys.fstat(fd) {
        _ if sizes[1] == 0 => Err(Errno::Inval),
        Ok(stat) if stat.size >= end => Ok(()),
        _ => cx.sys.ftruncate(fd, end),
    };
    if let Err(errno) = grown {
        cx.fail_on(&format!("fallocate '{path}'"), errno).await;
    }
    Ok(cx.status)
}

/// Nothing is ever late to the simulated disk.
pub(super) async fn fsync(cx: &mut Cx) -> Answer {
    let opts = cx.opts("d", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    for path in &opts.rest {
        match cx.sys.open(path, OpenHow { nonblock: true, ..OpenHow::READ }).await {
            Ok(fd) => drop(cx.sys.close(fd)),
            Err(errno) => cx.fail_on(&format!("can't open '{path}'"), errno).await,
        }
    }
    Ok(cx.status)
}

pub(super) async fn link(cx: &mut Cx) -> Answer {
    let opts = cx.opts("", "").await?;
    let [from, to] = &opts.rest[..] else { return Err(cx.usage().await) };
    if let Err(errno) = cx.sys.link(from, to) {
        cx.fail_on(&format!("can't create hardlink '{to}' to '{from}'"), errno).await;
    }
    Ok(cx.status)
}

const FACILITIES: &str = "auth authpriv cron daemon ftp kern lpr mail news security syslog user \
                          uucp local0 local1 local2 local3 local4 local5 local6 local7";
const LEVELS: &str = "alert crit debug emerg err error info none notice panic warn warning";

/// No container has a syslogd, so what is said is lost, but for `-s`.
pub(super) async fn logger(cx: &mut Cx) -> Answer {
    let opts = cx.opts("p:st:", "").await?;
    if let Some(priority) = opts.value('p') {
        let (facility, level) = priority.split_once('.').unwrap_or(("user", priority));
        for (kind, name, known) in [("facility", facility, FACILITIES), ("priority", level, LEVELS)]
        {
            let number = name.starts_with(|c: char| c.is_ascii_digit());
            if !number && !known.split(' ').any(|word| word.eq_ignore_ascii_case(name)) {
                let whole = if kind == "priority" { priority } else { name };
                let text = format!("unknown {kind} name: {whole}");
                return Err(cx.die(&text).await);
            }
        }
    }
    let uid = cx.sys.uid();
    let tag = match opts.value('t') {
        Some(tag) => tag.to_owned(),
        None => Users::read(&cx.sys).await.user(uid).unwrap_or_else(|| uid.to_string()),
    };
    let mut lines = cx.lines(0);
    let mut message = (!opts.rest.is_empty()).then(|| opts.rest.join(" "));
    loop {
        let line = match (message.take(), opts.rest.is_empty()) {
            (Some(message), _) => message,
            (None, false) => return Ok(0),
            (None, true) => match lines.next().await {
                Ok(Some(line)) => to_text(&line),
                _ => return Ok(0),
            },
        };
        if opts.has('s') && !line.is_empty() && line != "\n" {
            cx.err(&format!("{tag}: {}\n", line.trim_end_matches('\n'))).await;
        }
    }
}

pub(super) async fn mountpoint(cx: &mut Cx) -> Answer {
    let opts = cx.opts("qdxn", "").await?;
    let [path] = &opts.rest[..] else { return Err(cx.usage().await) };
    let quiet = opts.has('q');
    let stat = if opts.has('x') { cx.sys.stat(path) } else { cx.sys.lstat(path) };
    let failed = match stat {
        Ok(_) if opts.has('x') => {
            if !quiet {
                cx.fail(&format!("{path}: not a block device")).await;
            }
            return Ok(1);
        }
        Ok(stat) if stat.file_type == FileType::Dir => match cx.sys.stat(&format!("{path}/..")) {
            Ok(above) => {
                let real = cx.sys.realpath(path).map(|(path, _)| path).unwrap_or_default();
                let listed = cx.sys.mounts();
                let mut listed = listed.lines().filter_map(|line| line.split(' ').nth(1));
                let is = stat.dev != above.dev
                    || stat.ino == above.ino
                    || listed.any(|mount| mount == real);
                if opts.has('d') {
                    cx.text(&format!("0:{}\n", stat.dev)).await;
                }
                if opts.has('n') {
                    cx.text(&format!("UNKNOWN {path}\n")).await;
                }
                if !quiet && !opts.has('d') && !opts.has('n') {
                    let word = if is { "" } else { "not " };
                    cx.text(&format!("{path} is {word}a mountpoint\n")).await;
                }
                return Ok(i32::from(!is));
            }
            Err(errno) => errno,
        },
        Ok(_) => Errno::NotDir,
        Err(errno) => errno,
    };
    if !quiet {
        cx.fail_on(path, failed).await;
    }
    Ok(1)
}
