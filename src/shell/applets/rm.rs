//! `rm`, `unlink`, `shred`-less. Models coreutils/rm.c and libbb/remove_file.c.

use super::Answer;
use super::common::{Cx, tree};
use crate::shell::{Errno, FileType};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("fiRrv", "").await?;
    let force = opts.last_of("fi") == Some('f');
    let recurse = opts.has('r') || opts.has('R');
    if opts.rest.is_empty() && !force {
        return Err(cx.usage().await);
    }
    for path in &opts.rest {
        let last = tree::last_part(path);
        if last == "." || last == ".." {
            cx.fail("can't remove '.' or '..'").await;
            continue;
        }
        remove(cx, path, force, recurse).await;
    }
    Ok(cx.status)
}

/// Removes a file or a tree, and says what it can't.
pub(super) async fn remove(cx: &mut Cx, path: &str, force: bool, recurse: bool) {
    let stat = match cx.sys.lstat(path) {
        Ok(stat) => stat,
        Err(Errno::NoEnt) if force => return,
        Err(Errno::NoEnt) => {
            return cx.fail_on(&format!("can't remove '{path}'"), Errno::NoEnt).await;
        }
        Err(Errno::NotDir) if force => return,
        Err(errno) => return cx.fail_on(&format!("can't stat '{path}'"), errno).await,
    };
    if stat.file_type != FileType::Dir {
        if let Err(errno) = cx.sys.unlink(path) {
            cx.fail_on(&format!("can't remove '{path}'"), errno).await;
        }
        return;
    }
    if !recurse {
        return cx.fail(&format!("'{path}' is a directory")).await;
    }
    // Children come after their parents in a walk, so the other way round is the order to remove.
    for at in tree::walk(&cx.sys, path).iter().rev() {
        let dir = cx.sys.lstat(at).is_ok_and(|stat| stat.file_type == FileType::Dir);
        let removed = if dir { cx.sys.rmdir(at) } else { cx.sys.unlink(at) };
        if let Err(errno) = removed {
            cx.fail_on(&format!("can't remove '{at}'"), errno).await;
        }
        cx.sys.tick().await;
    }
}

pub(super) async fn unlink(cx: &mut Cx) -> Answer {
    let [path] = cx.args() else { return Err(cx.usage().await) };
    let path = path.clone();
    if let Err(errno) = cx.sys.unlink(&path) {
        cx.fail_on(&format!("can't remove '{path}'"), errno).await;
    }
    Ok(cx.status)
}
