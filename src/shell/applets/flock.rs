//! `flock`. Models util-linux/flock.c.

use super::Answer;
use super::common::{Cx, number};
use super::run::{spawn, wait};
use crate::shell::kernel::locks::LockKind;
use crate::shell::{Errno, OpenHow};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+sxnu", "shared=s exclusive=x unlock=u nonblock=n").await?;
    let Some((target, rest)) = opts.rest.split_first() else { return Err(cx.usage().await) };
    let fd = match rest.is_empty() {
        true => match number::digits(target) {
            Some(fd) => fd as u32,
            None => return Err(cx.die(&format!("invalid number '{target}'")).await),
        },
        false => open(cx, target).await?,
    };
    let mut argv = rest.to_vec();
    if argv.first().is_some_and(|arg| arg == "-c" || arg == "--command") {
        if argv.len() > 2 {
            return Err(cx.die("-c takes only one argument").await);
        }
        argv.splice(..1, ["/bin/sh".to_owned(), "-c".to_owned()]);
    }
    let kind = match () {
        () if opts.has('u') => LockKind::Unlock,
        () if opts.has('s') => LockKind::Shared,
        () => LockKind::Exclusive,
    };
    loop {
        match cx.sys.flock(fd, kind, !opts.has('n')).await {
            Ok(()) => break,
            Err(Errno::Again) => return Ok(1),
            Err(Errno::Intr) => {}
            Err(errno) => return Err(cx.die(errno.text()).await),
        }
    }
    let Some(name) = argv.first().cloned() else { return Ok(0) };
    if let Err(errno) = cx.sys.find_in_path(&name) {
        cx.fail_on(&name, errno).await;
        return Ok(255);
    }
    match spawn(cx, argv) {
        Ok(pid) => Ok(wait(&cx.sys, pid).await.code()),
        Err(errno) => Err(cx.die(&format!("vfork: {}", errno.text())).await),
    }
}

async fn open(cx: &mut Cx, path: &str) -> Result<u32, i32> {
    let how = OpenHow { create: true, ..OpenHow::READ };
    let opened = match cx.sys.open(path, how).await {
        Err(Errno::IsDir) => cx.sys.open(path, OpenHow::READ).await,
        opened => opened,
    };
    match opened {
        Ok(fd) => Ok(fd),
        Err(errno) => {
            cx.fail_on(&format!("can't open '{path}'"), errno).await;
            Err(1)
        }
    }
}
