//! `ls`: without a terminal one name a line. Models coreutils/ls.c.

use super::Answer;
use super::common::calendar::{Zone, strftime};
use super::common::users::Users;
use super::common::{Cx, Opts, number, tree};
use super::sort::version;
use crate::order::Order;
use crate::shell::bytes::to_bytes;
use crate::shell::{FileType, OpenHow, Stat};
use std::cmp::Ordering;

struct Entry {
    /// As shown.
    name: String,
    path: String,
    stat: Stat,
}

struct Ls {
    opts: Opts,
    users: Users,
    now: i64,
    zone: Zone,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let longs = "full-time=E group-directories-first=D color=G all=a almost-all=A directory=d \
                 human-readable=h reverse=r recursive=R";
    let opts = cx.opts("1AaCxdgLHRFpilnshrSXvctukw:T:QEDGZ", longs).await?;
    let users = Users::read(&cx.sys).await;
    let now = cx.sys.wall_unix_micros().div_euclid(1_000_000);
    let zone = Zone::parse(&cx.sys.getenv("TZ").unwrap_or_default());
    let ls = Ls { opts, users, now, zone };
    let mut paths = ls.opts.rest.clone();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let several = paths.len() > 1 || ls.opts.has('R');
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for path in paths {
        let follow = !(ls.long() || ls.opts.has('d') || ls.opts.has('F')) || ls.opts.has('H');
        match ls.stat(cx, &path, follow) {
            Ok(stat) => {
                let entry = Entry { name: path.clone(), path, stat };
                let dir = entry.stat.file_type == FileType::Dir && !ls.opts.has('d');
                if dir { dirs.push(entry) } else { files.push(entry) }
            }
            Err(errno) => cx.fail_on(&path, errno).await,
        }
    }
    ls.sort(&mut files);
    ls.show(cx, &files).await;
    ls.sort(&mut dirs);
    let mut first = files.is_empty();
    dirs.reverse();
    // Directories are a stack, so that `-R` shows what is below before what is beside.
    while let Some(dir) = dirs.pop() {
        if several {
            let gap = if first { "" } else { "\n" };
            cx.text(&format!("{gap}{}:\n", dir.path)).await;
        }
        first = false;
        let below = ls.directory(cx, &dir).await;
        if ls.opts.has('R') && dirs.len() < 10_000 {
            dirs.extend(below.into_iter().rev());
        }
    }
    Ok(cx.status)
}

impl Ls {
    fn long(&self) -> bool {
        ['l', 'g', 'n', 'E'].iter().any(|letter| self.opts.has(*letter))
    }

    fn stat(&self, cx: &Cx, path: &str, follow: bool) -> Result<Stat, crate::shell::Errno> {
        let follow = follow || self.opts.has('L');
        match if follow { cx.sys.stat(path) } else { cx.sys.lstat(path) } {
            // A link to nothing is still there to be listed.
            Err(crate::shell::Errno::NoEnt) if follow && !self.opts.has('L') => cx.sys.lstat(path),
            found => found,
        }
    }

    /// Shows what is in a directory; gives the directories in it.
    async fn directory(&self, cx: &mut Cx, dir: &Entry) -> Vec<Entry> {
        // The open directory is itself seen below `/proc/self/fd`.
        let how = OpenHow { directory: true, nonblock: true, ..OpenHow::READ };
        let held = cx.sys.open(&dir.path, how).await;
        let mut names = match cx.sys.readdir(&dir.path) {
            Ok(names) => names,
            Err(errno) => {
                cx.fail_on(&format!("can't open '{}'", dir.path), errno).await;
                return Vec::new();
            }
        };
        names.retain(|name| !name.starts_with('.') || self.opts.has('a') || self.opts.has('A'));
        if self.opts.has('a') {
            names.extend([".".to_owned(), "..".to_owned()]);
        }
        let mut entries = Vec::new();
        for name in names {
            let path = tree::join(&dir.path, &name);
            match self.stat(cx, &path, false) {
                Ok(stat) => entries.push(Entry { name, path, stat }),
                Err(errno) => cx.fail_on(&path, errno).await,
            }
        }
        if let Ok(fd) = held {
            let _ = cx.sys.close(fd);
        }
        self.sort(&mut entries);
        if self.long() || self.opts.has('s') {
            let blocks: u64 = entries.iter().map(|entry| blocks(&entry.stat)).sum();
            cx.text(&format!("total {}\n", blocks / 2)).await;
        }
        self.show(cx, &entries).await;
        let below = |entry: &Entry| {
            entry.stat.file_type == FileType::Dir && entry.name != "." && entry.name != ".."
        };
        entries.retain(below);
        entries
    }

    fn time(&self, stat: &Stat) -> i64 {
        match self.opts.last_of("cu") {
            Some('c') => stat.ctime,
            Some(_) => stat.atime,
            None => stat.mtime,
        }
    }

    fn sort(&self, entries: &mut [Entry]) {
        let by = self.opts.last_of("SXvt");
        let order = |a: &Entry, b: &Entry| {
            let extension = |name: &str| name.rsplit_once('.').map_or("", |(_, e)| e).to_owned();
            let first = match by {
                Some('S') => b.stat.size.cmp(&a.stat.size),
                Some('t') => self
                    .time(&b.stat)
                    .div_euclid(1_000_000)
                    .cmp(&self.time(&a.stat).div_euclid(1_000_000)),
                Some('X') => extension(&a.name).cmp(&extension(&b.name)),
                Some('v') => version(a.name.as_bytes(), b.name.as_bytes()),
                _ => Ordering::Equal,
            };
            let order = first.then_with(|| to_bytes(&a.name).cmp(&to_bytes(&b.name)));
            let order = if self.opts.has('r') { order.reverse() } else { order };
            let dirs = |e: &Entry| self.opts.has('D') && e.stat.file_type == FileType::Dir;
            dirs(b).cmp(&dirs(a)).then(order)
        };
        entries.order_by(order);
    }

    async fn show(&self, cx: &mut Cx, entries: &[Entry]) {
        let columns = self.opts.last_of("1Clx").is_some_and(|l| l == 'C' || l == 'x');
        if columns && !self.long() {
            return self.columns(cx, entries).await;
        }
        for entry in entries {
            let line = self.line(cx, entry);
            cx.text(&(line + "\n")).await;
        }
    }

    /// `-C` and `-x`: as many columns as 80 (or `-w`) characters take.
    async fn columns(&self, cx: &mut Cx, entries: &[Entry]) {
        let lines: Vec<String> = entries.iter().map(|entry| self.line(cx, entry)).collect();
        let width = self.opts.value('w').and_then(|w| w.parse().ok()).unwrap_or(80_usize);
        let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) + 2;
        let n_columns = (width / widest).max(1);
        let n_rows = lines.len().div_ceil(n_columns);
        for row in 0..n_rows {
            let mut out = String::new();
            for column in 0..n_columns {
                let idx = match self.opts.has('x') {
                    true => row * n_columns + column,
                    false => column * n_rows + row,
                };
                let Some(name) = lines.get(idx) else { break };
                let filled = out.chars().count();
                out.push_str(&" ".repeat((column * widest).saturating_sub(filled)));
                out.push_str(name);
            }
            cx.text(&(out + "\n")).await;
        }
    }

    fn line(&self, cx: &Cx, entry: &Entry) -> String {
        let stat = &entry.stat;
        let mut out = String::new();
        if self.opts.has('i') {
            out.push_str(&format!("{:>7} ", stat.ino));
        }
        if self.opts.has('s') {
            out.push_str(&format!("{:>6} ", blocks(stat) / 2));
        }
        if self.long() {
            self.long_part(stat, &mut out);
        }
        out.push_str(&match self.opts.has('Q') {
            true => format!("\"{}\"", entry.name),
            false => entry.name.clone(),
        });
        if self.long() && stat.file_type == FileType::Symlink {
            out.push_str(" -> ");
            out.push_str(&cx.sys.readlink(&entry.path).unwrap_or_default());
        } else if self.opts.has('F') || self.opts.has('p') {
            let mark = match stat.file_type {
                FileType::Dir => "/",
                _ if self.opts.has('p') && !self.opts.has('F') => "",
                FileType::Symlink => "@",
                FileType::Fifo => "|",
                FileType::Socket => "=",
                FileType::File if stat.mode & 0o111 != 0 => "*",
                _ => "",
            };
            out.push_str(mark);
        }
        out
    }

    fn long_part(&self, stat: &Stat, out: &mut String) {
        out.push_str(&format!("{} {:>4} ", tree::mode_letters(stat), stat.nlink));
        let user = self.users.user(stat.uid).unwrap_or_else(|| stat.uid.to_string());
        let group = self.users.group(stat.gid).unwrap_or_else(|| stat.gid.to_string());
        let (user, group) = match self.opts.has('n') {
            true => (stat.uid.to_string(), stat.gid.to_string()),
            false => (user, group),
        };
        if !self.opts.has('g') {
            out.push_str(&format!("{user:<8.8} "));
        }
        out.push_str(&format!("{group:<8.8} "));
        match (stat.file_type, self.opts.has('h')) {
            (FileType::Device, _) => {
                out.push_str(&format!("{:>4}, {:>3} ", stat.rdev.0, stat.rdev.1));
            }
            (_, true) => out.push_str(&format!("{:>9} ", number::human(stat.size))),
            (_, false) => out.push_str(&format!("{:>9} ", stat.size)),
        }
        let time = self.time(stat).div_euclid(1_000_000);
        let age = self.now - time;
        let format = match () {
            () if self.opts.has('E') => "%Y-%m-%d %H:%M:%S %z ",
            () if age < 3600 * 24 * 365 / 2 && age > -15 * 60 => "%b %e %H:%M ",
            () => "%b %e  %Y ",
        };
        out.push_str(&String::from_utf8_lossy(&strftime(format.as_bytes(), time, &self.zone)));
    }
}

/// 512-byte blocks, as a disk with 4 KiB pages would use them.
pub(super) fn blocks(stat: &Stat) -> u64 {
    match stat.file_type {
        FileType::File => stat.size.div_ceil(4096) * 8,
        FileType::Dir => 8,
        _ => 0,
    }
}
