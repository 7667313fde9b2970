//! `gzip`, `gunzip`, `zcat`. Models archival/bbunzip.c and gzip.c.

use super::Answer;
use super::common::{Cx, Opts, cx::files_or_stdin};
use super::deflate;
use crate::shell::OpenHow;

/// What bzip2, xz and compress files begin with; busybox would unpack them.
const OTHERS: &[&[u8]] = &[b"BZh", b"\xfd7zXZ", b"\x1f\x9d"];

pub(super) async fn gzip(cx: &mut Cx) -> Answer {
    let longs = "stdout=c to-stdout=c force=f verbose=v decompress=d uncompress=d test=t quiet=q \
                 fast=1 best=9 no-name=n";
    let opts = cx.opts("cfkqdtn123456789!v", longs).await?;
    let unpack = opts.has('d') || opts.has('t');
    each(cx, &opts, unpack).await
}

pub(super) async fn gunzip(cx: &mut Cx) -> Answer {
    let longs = "stdout=c to-stdout=c force=f test=t no-name=n";
    let opts = cx.opts("cfkqdtn!v", longs).await?;
    each(cx, &opts, true).await
}

pub(super) async fn zcat(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cfkqdtn!v", "").await?;
    for path in files_or_stdin(opts.rest) {
        let Some(data) = cx.read_input(&path).await else { continue };
        if !deflate::is_gzip(&data) {
            return Err(not_gzip(cx, &data, "no gzip/bzip2/xz magic").await);
        }
        match deflate::gunzip(&data) {
            Ok(plain) => cx.put(&plain).await,
            Err(message) => cx.fail(message).await,
        }
    }
    Ok(cx.status)
}

/// Whether busybox would unpack it some other way.
pub(super) fn other(data: &[u8]) -> bool {
    OTHERS.iter().any(|magic| data.starts_with(magic))
}

/// The message about a file of another kind, or that its kind is not simulated.
pub(super) async fn not_gzip(cx: &mut Cx, data: &[u8], message: &str) -> i32 {
    match other(data) {
        true => cx.not_simulated("compression other than gzip").await,
        false => cx.die(message).await,
    }
}

async fn each(cx: &mut Cx, opts: &Opts, unpack: bool) -> Answer {
    for path in files_or_stdin(opts.rest.clone()) {
        one(cx, opts, &path, unpack).await;
    }
    Ok(cx.status)
}

async fn one(cx: &mut Cx, opts: &Opts, path: &str, unpack: bool) {
    let stat = cx.sys.stat(path);
    let Some(data) = cx.read_input(path).await else { return };
    cx.sys.burn(data.len() as u64 / 64).await;
    let to_file = path != "-" && !opts.has('c') && !opts.has('t');
    let name = match (unpack, path.rsplit_once('.')) {
        (false, _) => format!("{path}.gz"),
        (true, Some((bare, "gz"))) => bare.to_owned(),
        (true, Some((bare, "tgz"))) => format!("{bare}.tar"),
        (true, _) if to_file => return cx.fail(&format!("{path}: unknown suffix - ignored")).await,
        (true, _) => String::new(),
    };
    let result = match unpack {
        true => deflate::gunzip(&data),
        false => Ok(deflate::gzip(&data)),
    };
    let made = match result {
        Ok(made) => made,
        Err(message) => return cx.fail(message).await,
    };
    if !to_file {
        if !opts.has('t') {
            cx.put(&made).await;
        }
        return;
    }
    if opts.has('f') {
        let _ = cx.sys.unlink(&name);
    }
    let mode = stat.as_ref().map_or(0o666, |stat| stat.mode);
    let fd = match cx.sys.open_mode(&name, OpenHow::CREATE_NEW, mode).await {
        Ok(fd) => fd,
        Err(errno) => return cx.fail_on(&format!("can't open '{name}'"), errno).await,
    };
    let wrote = cx.sys.write(fd, &made).await;
    let _ = cx.sys.close(fd);
    if let Err(errno) = wrote {
        return cx.fail_on("write error", errno).await;
    }
    if let Ok(stat) = stat {
        let _ = cx.sys.utimes(&name, stat.atime, stat.mtime);
    }
    if !opts.has('k')
        && let Err(errno) = cx.sys.unlink(path)
    {
        cx.fail_on(&format!("can't remove file '{path}'"), errno).await;
    }
}
