//! Copying files and trees, as `cp`, `mv` and `install` do it. Models libbb/copy_file.c.

use super::common::{Cx, tree};
use crate::shell::{Errno, FileType, OpenHow, Stat};

/// How to copy.
#[derive(Clone, Copy, Default)]
pub(super) struct How {
    pub(super) recurse: bool,
    pub(super) preserve: bool,
    /// Links are copied as links below the arguments; `follow_args` follows the arguments.
    pub(super) keep_links: bool,
    pub(super) follow_args: bool,
    pub(super) link: bool,
    pub(super) symlink: bool,
    pub(super) no_clobber: bool,
    pub(super) ask: bool,
    pub(super) verbose: bool,
    pub(super) update: bool,
    pub(super) remove_first: bool,
}

/// Copies a file or a tree; says what it can't.
pub(super) async fn copy(cx: &mut Cx, source: &str, dest: &str, how: How) {
    let stat = |path: &str| match how.keep_links && !how.follow_args {
        true => cx.sys.lstat(path),
        false => cx.sys.stat(path),
    };
    let top = match stat(source) {
        Ok(top) => top,
        Err(errno) => return cx.fail_on(&format!("can't stat '{source}'"), errno).await,
    };
    if top.file_type != FileType::Dir {
        return one(cx, source, dest, &top, how).await;
    }
    if !how.recurse {
        return cx.fail(&format!("omitting directory '{source}'")).await;
    }
    // A directory comes again after what is in it, to get its mode and times.
    let mut open = vec![(source.to_owned(), 0_usize, false)];
    // Directories made here, so that a copy into its own source ends.
    let mut made = Vec::new();
    while let Some((path, depth, done)) = open.pop() {
        cx.sys.tick().await;
        let to = format!("{dest}{}", &path[source.len()..]);
        let found = if how.keep_links { cx.sys.lstat(&path) } else { cx.sys.stat(&path) };
        let Ok(stat) = (if depth == 0 { Ok(top.clone()) } else { found }) else { continue };
        if stat.file_type != FileType::Dir {
            one(cx, &path, &to, &stat, How { follow_args: false, ..how }).await;
        } else if done {
            finish(cx, &path, &to, &stat, how).await;
        } else if made.contains(&(stat.dev, stat.ino)) {
            let text = format!("recursion detected, omitting directory '{path}'");
            cx.fail(&text).await;
        } else if directory(cx, &to, &stat).await {
            made.extend(cx.sys.stat(&to).map(|stat| (stat.dev, stat.ino)));
            open.push((path.clone(), depth, true));
            if depth < tree::DEPTH_MAX {
                let names = cx.sys.readdir(&path).unwrap_or_default();
                let below = names.iter().rev();
                open.extend(below.map(|name| (tree::join(&path, name), depth + 1, false)));
            }
        }
    }
}

async fn directory(cx: &mut Cx, dest: &str, stat: &Stat) -> bool {
    match cx.sys.stat(dest) {
        Ok(there) if there.file_type == FileType::Dir => return true,
        Ok(_) => {
            cx.fail(&format!("target '{dest}' is not a directory")).await;
            return false;
        }
        Err(_) => {}
    }
    if let Err(errno) = cx.sys.mkdir(dest, stat.mode | 0o700) {
        cx.fail_on(&format!("can't create directory '{dest}'"), errno).await;
        return false;
    }
    true
}

/// What is in the way goes, unless the answer to a question forbids it: busybox's `cp` never
/// writes into a file that is there. Models libbb/copy_file.c ask_and_unlink.
async fn unlink(cx: &mut Cx, dest: &str, why: Errno, how: How) -> bool {
    if how.ask && !how.remove_first && !cx.ask(&format!("overwrite '{dest}'? ")).await {
        return false;
    }
    if cx.sys.unlink(dest).is_ok() {
        if how.remove_first && how.verbose {
            cx.text(&format!("removed '{dest}'\n")).await;
        }
        return true;
    }
    cx.fail_on(&format!("can't create '{dest}'"), why).await;
    false
}

async fn one(cx: &mut Cx, source: &str, dest: &str, stat: &Stat, how: How) {
    let mut there = cx.sys.lstat(dest).ok();
    if let Some(there) = cx.sys.stat(dest).ok().or_else(|| there.clone()) {
        if (there.dev, there.ino) == (stat.dev, stat.ino) {
            return cx.fail(&format!("'{source}' and '{dest}' are the same file")).await;
        }
        if how.no_clobber || (how.update && there.mtime >= stat.mtime) {
            return;
        }
    }
    if how.remove_first && there.take().is_some() && !unlink(cx, dest, Errno::Exist, how).await {
        return;
    }
    if how.link || how.symlink {
        return link(cx, source, dest, how).await;
    }
    if stat.file_type == FileType::Symlink {
        if there.is_some() && !unlink(cx, dest, Errno::Exist, how).await {
            return;
        }
        let target = cx.sys.readlink(source).unwrap_or_default();
        if let Err(errno) = cx.sys.symlink(&target, dest) {
            let text = format!("can't create symlink '{dest}' to '{target}'");
            return cx.fail_on(&text, errno).await;
        }
        return told(cx, source, dest, how).await;
    }
    if stat.file_type == FileType::Fifo && how.recurse {
        if there.is_some() && !unlink(cx, dest, Errno::Exist, how).await {
            return;
        }
        if let Err(errno) = cx.sys.mkfifo(dest, stat.mode) {
            return cx.fail_on(&format!("can't create '{dest}'"), errno).await;
        }
        return finish(cx, source, dest, stat, how).await;
    }
    if content(cx, source, dest, stat, how).await {
        finish(cx, source, dest, stat, how).await;
    }
}

async fn link(cx: &mut Cx, source: &str, dest: &str, how: How) {
    let make = |cx: &Cx| match how.link {
        true => cx.sys.link(source, dest),
        false => cx.sys.symlink(source, dest),
    };
    let Err(errno) = make(cx) else { return };
    if unlink(cx, dest, errno, how).await
        && let Err(errno) = make(cx)
    {
        cx.fail_on(&format!("can't create link '{dest}'"), errno).await;
    }
}

async fn finish(cx: &mut Cx, source: &str, dest: &str, stat: &Stat, how: How) {
    preserve(cx, dest, stat, how).await;
    told(cx, source, dest, how).await;
}

async fn told(cx: &mut Cx, source: &str, dest: &str, how: How) {
    if how.verbose {
        cx.text(&format!("'{source}' -> '{dest}'\n")).await;
    }
}

async fn content(cx: &mut Cx, source: &str, dest: &str, stat: &Stat, how: How) -> bool {
    let from = match cx.sys.open(source, OpenHow::READ).await {
        Ok(from) => from,
        Err(errno) => {
            cx.fail_on(&format!("can't open '{source}'"), errno).await;
            return false;
        }
    };
    let mode = if stat.file_type == FileType::File { stat.mode & 0o777 } else { 0o666 };
    let mut opened = cx.sys.open_mode(dest, OpenHow::CREATE_NEW, mode).await;
    if let Err(errno) = opened {
        if !unlink(cx, dest, errno, how).await {
            let _ = cx.sys.close(from);
            return false;
        }
        opened = cx.sys.open_mode(dest, OpenHow::CREATE_NEW, mode).await;
    }
    let to = match opened {
        Ok(to) => to,
        Err(errno) => {
            let _ = cx.sys.close(from);
            cx.fail_on(&format!("can't open '{dest}'"), errno).await;
            return false;
        }
    };
    let mut good = true;
    loop {
        match cx.sys.read(from, 65_536).await {
            Ok(data) if data.is_empty() => break,
            Ok(data) => {
                if let Err(errno) = cx.sys.write(to, &data).await {
                    cx.fail_on("write error", errno).await;
                    good = false;
                    break;
                }
            }
            Err(Errno::Intr) => {}
            Err(errno) => {
                cx.fail_on("read error", errno).await;
                good = false;
                break;
            }
        }
    }
    let _ = cx.sys.close(from);
    let _ = cx.sys.close(to);
    good
}

async fn preserve(cx: &mut Cx, dest: &str, stat: &Stat, how: How) {
    if !how.preserve {
        return;
    }
    if let Err(errno) = cx.sys.utimes(dest, stat.atime, stat.mtime) {
        cx.fail_on(&format!("can't preserve times of '{dest}'"), errno).await;
    }
    if let Err(errno) = cx.sys.chown(dest, Some(stat.uid), Some(stat.gid)) {
        cx.fail_on(&format!("can't preserve ownership of '{dest}'"), errno).await;
    }
    if let Err(errno) = cx.sys.chmod(dest, stat.mode) {
        cx.fail_on(&format!("can't preserve permissions of '{dest}'"), errno).await;
    }
}
