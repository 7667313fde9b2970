//! `chmod`, `chown`, `chgrp`, `truncate`, `stat`.

use super::Answer;
use super::common::calendar::{Zone, strftime};
use super::common::users::Users;
use super::common::{Cx, Opts, number, tree};
use super::ls::blocks;
use crate::shell::{Errno, FileType, OpenHow, Stat};

pub(super) async fn chmod(cx: &mut Cx) -> Answer {
    // A mode such as `-x` is no option.
    let mut args = cx.args().to_vec();
    if let Some(first) = args.first()
        && first.len() > 1
        && first.starts_with('-')
        && first[1..].chars().all(|c| "rwxXst".contains(c))
    {
        args.insert(0, "--".to_owned());
        cx.argv.truncate(1);
        cx.argv.append(&mut args);
    }
    let opts = cx.opts("Rvcf", "").await?;
    let Some((mode, files)) = opts.rest.split_first().filter(|(_, files)| !files.is_empty()) else {
        return Err(cx.usage().await);
    };
    let umask = cx.sys.umask(0);
    cx.sys.umask(umask);
    for path in each(cx, files, opts.has('R')) {
        let stat = match cx.sys.stat(&path) {
            Ok(stat) => stat,
            // Links below are not followed and not changed.
            Err(_) if opts.has('R') && cx.sys.lstat(&path).is_ok() => continue,
            Err(errno) => {
                cx.fail_on(&path, errno).await;
                continue;
            }
        };
        let dir = stat.file_type == FileType::Dir;
        let Some(new) = tree::parse_mode(mode, stat.mode, dir, umask) else {
            return Err(cx.die(&format!("invalid mode '{mode}'")).await);
        };
        match cx.sys.chmod(&path, new) {
            Ok(()) if opts.has('v') || (opts.has('c') && new != stat.mode) => {
                let letters = tree::mode_letters(&Stat { mode: new, ..stat });
                let letters = &letters[1..];
                cx.text(&format!("mode of '{path}' changed to {new:04o} ({letters})\n")).await;
            }
            Ok(()) => {}
            Err(_) if opts.has('f') => cx.status = 1,
            Err(errno) => cx.fail_on(&path, errno).await,
        }
    }
    Ok(cx.status)
}

fn each(cx: &Cx, files: &[String], recurse: bool) -> Vec<String> {
    match recurse {
        true => files.iter().flat_map(|path| tree::walk(&cx.sys, path)).collect(),
        false => files.to_vec(),
    }
}

/// Of `chown` and `chgrp`.
const LONGS: &str = "recursive=R no-dereference=h changes=c silent=f quiet=f verbose=v";

pub(super) async fn chown(cx: &mut Cx) -> Answer {
    let opts = cx.opts("Rhvcf!HLP", LONGS).await?;
    let Some((owner, files)) = opts.rest.split_first().filter(|(_, files)| !files.is_empty())
    else {
        return Err(cx.usage().await);
    };
    let users = Users::read(&cx.sys).await;
    let (user, group) = match owner.split_once(':').or_else(|| owner.split_once('.')) {
        Some((user, group)) => (user, Some(group)),
        None => (owner.as_str(), None),
    };
    let uid = match user {
        "" => None,
        name => match users.uid(name).or_else(|| name.parse().ok()) {
            Some(uid) => Some(uid),
            None => return Err(cx.die(&format!("unknown user {name}")).await),
        },
    };
    let gid = match group {
        None => None,
        Some("") => users.group_of(user),
        Some(name) => match users.gid(name).or_else(|| name.parse().ok()) {
            Some(gid) => Some(gid),
            None => return Err(cx.die(&format!("unknown group {name}")).await),
        },
    };
    change(cx, &opts, files, uid, gid).await
}

pub(super) async fn chgrp(cx: &mut Cx) -> Answer {
    let opts = cx.opts("Rhvcf!HLP", LONGS).await?;
    let Some((name, files)) = opts.rest.split_first().filter(|(_, files)| !files.is_empty()) else {
        return Err(cx.usage().await);
    };
    let users = Users::read(&cx.sys).await;
    let Some(gid) = users.gid(name).or_else(|| name.parse().ok()) else {
        return Err(cx.die(&format!("unknown group {name}")).await);
    };
    change(cx, &opts, files, None, Some(gid)).await
}

async fn change(
    cx: &mut Cx,
    opts: &Opts,
    files: &[String],
    uid: Option<u32>,
    gid: Option<u32>,
) -> Answer {
    for path in each(cx, files, opts.has('R')) {
        let link = opts.has('h') || (opts.has('R') && cx.sys.stat(&path).is_err());
        let old = cx.sys.lstat(&path).ok();
        let done = match link {
            true => cx.sys.lchown(&path, uid, gid),
            false => cx.sys.chown(&path, uid, gid),
        };
        match done {
            Ok(()) => told(cx, opts, &path, old.as_ref(), (uid, gid)).await,
            Err(_) if opts.has('f') => cx.status = 1,
            Err(errno) => cx.fail_on(&path, errno).await,
        }
    }
    Ok(cx.status)
}

/// What `-v` says of every file and `-c` of changed ones.
async fn told(
    cx: &mut Cx,
    opts: &Opts,
    path: &str,
    old: Option<&Stat>,
    (uid, gid): (Option<u32>, Option<u32>),
) {
    let before = old.map_or((0, 0), |stat| (stat.uid, stat.gid));
    let now = (uid.unwrap_or(before.0), gid.unwrap_or(before.1));
    if opts.has('v') || (opts.has('c') && now != before) {
        cx.text(&format!("changed ownership of '{path}' to {}:{}\n", now.0, now.1)).await;
    }
}

pub(super) async fn truncate(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cs:", "").await?;
    let Some(text) = opts.value('s') else { return Err(cx.usage().await) };
    let (sign, bare) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => ('=', text),
    };
    let Some(size) = number::with_suffix(bare) else {
        return Err(cx.die(&format!("invalid number '{bare}'")).await);
    };
    for path in &opts.rest {
        let old = cx.sys.stat(path).map(|stat| stat.size);
        if old == Err(Errno::NoEnt) {
            if opts.has('c') {
                continue;
            }
            let how = OpenHow { truncate: false, ..OpenHow::WRITE };
            match cx.sys.open(path, how).await {
                Ok(fd) => {
                    let _ = cx.sys.close(fd);
                }
                Err(errno) => {
                    cx.fail_on(&format!("{path}: open"), errno).await;
                    continue;
                }
            }
        }
        let old = old.unwrap_or(0);
        let size = match sign {
            '+' => old.saturating_add(size),
            '-' => old.saturating_sub(size),
            _ => size,
        };
        if let Err(errno) = cx.sys.truncate(path, size) {
            cx.fail_on(&format!("{path}: truncate"), errno).await;
        }
    }
    Ok(cx.status)
}

pub(super) async fn stat(cx: &mut Cx) -> Answer {
    let opts = cx.opts("Lc:t!fZ", "format=c terse=t").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let users = Users::read(&cx.sys).await;
    for path in &opts.rest {
        let found = if opts.has('L') { cx.sys.stat(path) } else { cx.sys.lstat(path) };
        let stat = match found {
            Ok(stat) => stat,
            Err(errno) => {
                cx.fail_on(&format!("can't stat '{path}'"), errno).await;
                continue;
            }
        };
        let one = One { cx, users: &users, path, stat: &stat };
        let text = match opts.value('c') {
            Some(format) => one.format(format) + "\n",
            None if opts.has('t') => one.format("%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o\n"),
            None => one.whole(),
        };
        cx.text(&text).await;
    }
    Ok(cx.status)
}

struct One<'a> {
    cx: &'a Cx,
    users: &'a Users,
    path: &'a str,
    stat: &'a Stat,
}

impl One<'_> {
    fn whole(&self) -> String {
        let name = match self.stat.file_type {
            FileType::Symlink => "%N",
            _ => "%n",
        };
        self.format(&format!(
            "  File: {name}\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n\
             Device: %Dh/%dd\tInode: %-10i  Links: %h\n\
             Access: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n\
             Access: %x\nModify: %y\nChange: %z\n"
        ))
    }

    fn format(&self, format: &str) -> String {
        let mut out = String::new();
        let mut chars = format.chars().peekable();
        while let Some(ch) = chars.next() {
            if ch != '%' {
                out.push(ch);
                continue;
            }
            let mut flags = String::new();
            while let Some(flag) = chars.next_if(|c| "-0123456789".contains(*c)) {
                flags.push(flag);
            }
            let value = match chars.next() {
                Some(letter) => self.value(letter),
                None => "%".to_owned(),
            };
            let left = flags.starts_with('-');
            let zero = flags.starts_with('0');
            let width: usize = flags.trim_start_matches('-').parse().unwrap_or(0).min(1000);
            out.push_str(&match (left, zero) {
                (true, _) => format!("{value:<width$}"),
                (_, true) => format!("{value:0>width$}"),
                _ => format!("{value:>width$}"),
            });
        }
        out
    }

    fn value(&self, letter: char) -> String {
        let stat = self.stat;
        let time = |micros: i64| {
            let zone = Zone::parse("");
            let text = strftime(b"%Y-%m-%d %H:%M:%S", micros.div_euclid(1_000_000), &zone);
            let nanos = micros.rem_euclid(1_000_000) * 1000;
            format!("{}.{nanos:09} +0000", String::from_utf8_lossy(&text))
        };
        let unknown = || "UNKNOWN".to_owned();
        match letter {
            'n' => self.path.to_owned(),
            'N' => match self.cx.sys.readlink(self.path) {
                Ok(target) => format!("'{}' -> '{target}'", self.path),
                Err(_) => format!("'{}'", self.path),
            },
            'd' => stat.dev.to_string(),
            'D' => format!("{:x}", stat.dev),
            'i' => stat.ino.to_string(),
            'a' => format!("{:o}", stat.mode),
            'A' => tree::mode_letters(stat),
            'f' => format!("{:x}", tree::full_mode(stat)),
            'F' => match stat.file_type {
                FileType::File if stat.size == 0 => "regular empty file",
                FileType::File => "regular file",
                FileType::Dir => "directory",
                FileType::Symlink => "symbolic link",
                FileType::Fifo => "fifo",
                FileType::Device => "character special file",
                FileType::Socket => "socket",
            }
            .to_owned(),
            'h' => stat.nlink.to_string(),
            'u' => stat.uid.to_string(),
            'U' => self.users.user(stat.uid).unwrap_or_else(unknown),
            'g' => stat.gid.to_string(),
            'G' => self.users.group(stat.gid).unwrap_or_else(unknown),
            't' | 'T' => "0".to_owned(),
            's' => stat.size.to_string(),
            'B' => "512".to_owned(),
            'b' => blocks(stat).to_string(),
            'o' => "4096".to_owned(),
            'x' => time(stat.atime),
            'X' => stat.atime.div_euclid(1_000_000).to_string(),
            'y' => time(stat.mtime),
            'Y' => stat.mtime.div_euclid(1_000_000).to_string(),
            'z' => time(stat.ctime),
            'Z' => stat.ctime.div_euclid(1_000_000).to_string(),
            '%' => "%".to_owned(),
            other => format!("%{other}"),
        }
    }
}
