//! `rm`, `unlink`, `shred`-less. Models coreutils/rm.c and libbb/remove_file.c.

use super::Answer;
use super::common::{Cx, tree};
use crate::shell::{Errno, FileType};

/// How to remove.
#[derive(Clone, Copy, Default)]
pub(super) struct How {
    pub(super) force: bool,
    pub(super) recurse: bool,
    pub(super) ask: bool,
    pub(super) verbose: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("fiRrv", "").await?;
    let how = How {
        force: opts.last_of("fi") == Some('f'),
        recurse: opts.has('r') || opts.has('R'),
        ask: opts.last_of("fi") == Some('i'),
        verbose: opts.has('v'),
    };
    if opts.rest.is_empty() && !how.force {
        return Err(cx.usage().await);
    }
    for path in &opts.rest {
        let last = tree::last_part(path);
        if last == "." || last == ".." {
            cx.fail("can't remove '.' or '..'").await;
            continue;
        }
        remove(cx, path, how).await;
    }
    Ok(cx.status)
}

/// Removes a file or a tree, and says what it can't.
pub(super) async fn remove(cx: &mut Cx, path: &str, how: How) {
    // A directory comes twice: before what is in it, and after, with the failures counted then.
    let mut open = vec![(path.to_owned(), 0_usize, None)];
    let mut n_failed = 0_usize;
    while let Some((at, depth, before)) = open.pop() {
        cx.sys.tick().await;
        if let Some(before) = before {
            n_failed += usize::from(!directory(cx, &at, n_failed == before, how).await);
            continue;
        }
        let stat = match cx.sys.lstat(&at) {
            Ok(stat) => stat,
            Err(Errno::NoEnt | Errno::NotDir) if how.force => continue,
            Err(errno) => {
                let what = if errno == Errno::NoEnt { "remove" } else { "stat" };
                cx.fail_on(&format!("can't {what} '{at}'"), errno).await;
                n_failed += 1;
                continue;
            }
        };
        if stat.file_type != FileType::Dir {
            n_failed += usize::from(!file(cx, &at, how).await);
            continue;
        }
        if !how.recurse {
            return cx.fail(&format!("'{at}' is a directory")).await;
        }
        if how.ask && !cx.ask(&format!("descend into directory '{at}'? ")).await {
            continue;
        }
        open.push((at.clone(), depth, Some(n_failed)));
        if depth < tree::DEPTH_MAX {
            let names = cx.sys.readdir(&at).unwrap_or_default();
            open.extend(names.iter().rev().map(|name| (tree::join(&at, name), depth + 1, None)));
        }
    }
}

async fn file(cx: &mut Cx, path: &str, how: How) -> bool {
    if how.ask && !cx.ask(&format!("remove '{path}'? ")).await {
        return true;
    }
    if let Err(errno) = cx.sys.unlink(path) {
        cx.fail_on(&format!("can't remove '{path}'"), errno).await;
        return false;
    }
    if how.verbose {
        cx.text(&format!("removed '{path}'\n")).await;
    }
    true
}

/// A directory whose content is gone, if that went well.
async fn directory(cx: &mut Cx, path: &str, emptied: bool, how: How) -> bool {
    if how.ask && !cx.ask(&format!("remove directory '{path}'? ")).await {
        return emptied;
    }
    if emptied && let Err(errno) = cx.sys.rmdir(path) {
        cx.fail_on(&format!("can't remove '{path}'"), errno).await;
        return false;
    }
    if how.verbose {
        cx.text(&format!("removed directory: '{path}'\n")).await;
    }
    emptied
}

pub(super) async fn unlink(cx: &mut Cx) -> Answer {
    let [path] = cx.args() else { return Err(cx.usage().await) };
    let path = path.clone();
    if let Err(errno) = cx.sys.unlink(&path) {
        cx.fail_on(&format!("can't remove '{path}'"), errno).await;
    }
    Ok(cx.status)
}
