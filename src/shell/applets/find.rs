//! `find`. Models findutils/find.c; the expression is in `find_expr`.

use super::Answer;
use super::common::users::Users;
use super::common::{Cx, tree};
use super::find_expr::{Action, Expr, Limits, parse};
use super::run::{spawn, wait};
use super::test::pattern_matches;
use crate::shell::bytes::to_bytes;
use crate::shell::{Fd, FileType, OpenHow, Stat, WaitStatus};
use std::future::Future;
use std::pin::Pin;

pub(super) struct Find {
    limits: Limits,
    users: Users,
    now: i64,
    /// Arguments gathered for each `-exec ... +`.
    batches: Vec<Vec<String>>,
    prune: bool,
    quit: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let args = cx.args().to_vec();
    let mut rest = &args[..];
    let mut follow = false;
    while let Some(first) = rest.first().filter(|a| matches!(a.as_str(), "-H" | "-L" | "-P")) {
        follow = first == "-L";
        rest = &rest[1..];
    }
    let starts = |arg: &&String| arg.starts_with('-') || matches!(arg.as_str(), "(" | "!");
    let n = rest.iter().position(|arg| starts(&arg)).unwrap_or(rest.len());
    let mut paths = rest[..n].to_vec();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let (expr, mut limits) = match parse(cx, &rest[n..]) {
        Ok(parsed) => parsed,
        Err(message) => return Err(cx.die(&message).await),
    };
    limits.follow |= follow;
    let mut find = Find {
        batches: vec![Vec::new(); limits.n_batches],
        limits,
        users: Users::read(&cx.sys).await,
        now: cx.sys.wall_unix_micros().div_euclid(1_000_000),
        prune: false,
        quit: false,
    };
    for path in paths {
        find.tree(cx, &expr, path).await;
    }
    find.flush(cx, &expr).await;
    Ok(cx.status)
}

/// What is still to be visited.
enum Visit {
    /// A path, its depth, and whether what is below was visited already.
    Path(String, usize, bool),
    /// A directory whose last entry was visited.
    Close(Fd),
}

impl Find {
    fn stat(&self, cx: &Cx, path: &str) -> Result<Stat, crate::shell::Errno> {
        match self.limits.follow {
            true => cx.sys.stat(path).or_else(|_| cx.sys.lstat(path)),
            false => cx.sys.lstat(path),
        }
    }

    async fn tree(&mut self, cx: &mut Cx, expr: &Expr, path: String) {
        let mut open = vec![Visit::Path(path, 0, false)];
        while let Some(visit) = open.pop() {
            let (path, depth, done) = match visit {
                Visit::Path(path, depth, done) => (path, depth, done),
                Visit::Close(fd) => {
                    let _ = cx.sys.close(fd);
                    continue;
                }
            };
            if self.quit {
                return;
            }
            cx.sys.tick().await;
            let stat = match self.stat(cx, &path) {
                Ok(stat) => stat,
                Err(errno) => {
                    cx.fail_on(&path, errno).await;
                    continue;
                }
            };
            let is_dir = stat.file_type == FileType::Dir && depth < self.limits.max_depth;
            self.prune = false;
            if self.limits.depth_first && is_dir && !done {
                open.push(Visit::Path(path.clone(), depth, true));
                self.below(cx, &path, depth, &mut open).await;
                continue;
            }
            if depth >= self.limits.min_depth {
                self.eval(cx, expr, &path, &stat).await;
            }
            if !self.limits.depth_first && is_dir && !self.prune && !self.quit {
                self.below(cx, &path, depth, &mut open).await;
            }
        }
    }

    async fn below(&self, cx: &mut Cx, path: &str, depth: usize, open: &mut Vec<Visit>) {
        if depth > tree::DEPTH_MAX {
            return;
        }
        // The open directory is itself seen below `/proc/self/fd`.
        let how = OpenHow { directory: true, nonblock: true, ..OpenHow::READ };
        let held = cx.sys.open(path, how).await;
        match cx.sys.readdir(path) {
            Ok(names) => {
                open.extend(held.ok().map(Visit::Close));
                let row = |name: &String| Visit::Path(tree::join(path, name), depth + 1, false);
                open.extend(names.iter().rev().map(row));
            }
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }

    fn eval<'a>(
        &'a mut self,
        cx: &'a mut Cx,
        expr: &'a Expr,
        path: &'a str,
        stat: &'a Stat,
    ) -> Pin<Box<dyn Future<Output = bool> + 'a>> {
        Box::pin(async move {
            match expr {
                Expr::Or(parts) => {
                    for part in parts {
                        if self.eval(cx, part, path, stat).await {
                            return true;
                        }
                    }
                    false
                }
                Expr::And(parts) => {
                    for part in parts {
                        if !self.eval(cx, part, path, stat).await {
                            return false;
                        }
                    }
                    true
                }
                Expr::Not(inner) => !self.eval(cx, inner, path, stat).await,
                Expr::Do(action) => self.act(cx, action, path, stat).await,
            }
        })
    }

    async fn act(&mut self, cx: &mut Cx, action: &Action, path: &str, stat: &Stat) -> bool {
        match action {
            Action::Print => cx.text(&format!("{path}\n")).await,
            Action::Print0 => cx.text(&format!("{path}\0")).await,
            Action::Prune => self.prune = true,
            Action::Quit => self.quit = true,
            Action::Delete => {
                let removed = match stat.file_type {
                    FileType::Dir if path == "." => Ok(()),
                    FileType::Dir => cx.sys.rmdir(path),
                    _ => cx.sys.unlink(path),
                };
                if let Err(errno) = removed {
                    cx.fail_on(path, errno).await;
                    return false;
                }
            }
            Action::Exec(argv) => {
                let argv = argv.iter().map(|arg| arg.replace("{}", path)).collect();
                cx.out.flush().await;
                return match spawn(cx, argv) {
                    Ok(pid) => wait(&cx.sys, pid).await == WaitStatus::Exited(0),
                    Err(_) => false,
                };
            }
            Action::ExecPlus(idx, _) => {
                if let Some(batch) = self.batches.get_mut(*idx) {
                    batch.push(path.to_owned());
                }
            }
            test => return self.test(cx, test, path, stat),
        }
        true
    }

    fn test(&self, cx: &Cx, test: &Action, path: &str, stat: &Stat) -> bool {
        let lower = |text: &str| to_bytes(text).to_ascii_lowercase();
        match test {
            Action::Name(pattern, false) => {
                pattern_matches(&to_bytes(pattern), &to_bytes(tree::last_part(path)))
            }
            Action::Name(pattern, true) => {
                pattern_matches(&lower(pattern), &lower(tree::last_part(path)))
            }
            Action::Path(pattern, false) => pattern_matches(&to_bytes(pattern), &to_bytes(path)),
            Action::Path(pattern, true) => pattern_matches(&lower(pattern), &lower(path)),
            Action::Regex(regex) => {
                let text = to_bytes(path);
                let found = regex.find_at(&text, 0).ok().flatten();
                found.is_some_and(|m| (m.start(), m.end()) == (0, text.len()))
            }
            Action::Type(letter) => match (letter, stat.file_type) {
                ('f', FileType::File) => true,
                (letter, kind) => kind.letter() == *letter,
            },
            Action::Perm(sign, mode) => match sign {
                '-' => stat.mode & mode == *mode,
                '/' => *mode == 0 || stat.mode & mode != 0,
                _ => stat.mode == *mode,
            },
            Action::Age(sign, n, unit) => {
                let age = self.now - stat.mtime.div_euclid(1_000_000);
                match sign {
                    '+' => age >= (n + 1) * unit,
                    '-' => age < n * unit,
                    _ => age >= n * unit && age < (n + 1) * unit,
                }
            }
            Action::Newer(time) => stat.mtime.div_euclid(1_000_000) > *time,
            Action::Size(sign, size) => compare(*sign, stat.size, *size),
            Action::Links(sign, n) => compare(*sign, u64::from(stat.nlink), *n),
            Action::Inode(n) => stat.ino == *n,
            Action::Empty => match stat.file_type {
                FileType::Dir => cx.sys.readdir(path).is_ok_and(|names| names.is_empty()),
                FileType::File => stat.size == 0,
                _ => false,
            },
            Action::User(name) => {
                self.users.uid(name).or_else(|| name.parse().ok()) == Some(stat.uid)
            }
            Action::Group(name) => {
                self.users.gid(name).or_else(|| name.parse().ok()) == Some(stat.gid)
            }
            Action::Executable => cx.sys.access(path, 1).is_ok(),
            Action::Constant(holds) => *holds,
            _ => true,
        }
    }

    /// Runs what `-exec ... +` gathered.
    fn flush<'a>(
        &'a mut self,
        cx: &'a mut Cx,
        expr: &'a Expr,
    ) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            match expr {
                Expr::Or(parts) | Expr::And(parts) => {
                    for part in parts {
                        self.flush(cx, part).await;
                    }
                }
                Expr::Not(inner) => self.flush(cx, inner).await,
                Expr::Do(Action::ExecPlus(idx, argv)) => {
                    let batch = self.batches.get_mut(*idx).map(std::mem::take).unwrap_or_default();
                    if batch.is_empty() {
                        return;
                    }
                    let mut whole = Vec::new();
                    for arg in argv {
                        if arg == "{}" {
                            whole.extend(batch.iter().cloned());
                        } else {
                            whole.push(arg.clone());
                        }
                    }
                    cx.out.flush().await;
                    let status = match spawn(cx, whole) {
                        Ok(pid) => wait(&cx.sys, pid).await,
                        Err(_) => WaitStatus::Exited(1),
                    };
                    if status != WaitStatus::Exited(0) {
                        cx.status = 1;
                    }
                }
                Expr::Do(_) => {}
            }
        })
    }
}

fn compare(sign: char, value: u64, bound: u64) -> bool {
    match sign {
        '+' => value > bound,
        '-' => value < bound,
        _ => value == bound,
    }
}
