//! `mkdir`, `rmdir`, `mkfifo`, `mktemp`.

use super::Answer;
use super::common::{Cx, tree};
use crate::shell::{Errno, OpenHow};

pub(super) async fn mkdir(cx: &mut Cx) -> Answer {
    let opts = cx.opts("m:pv", "mode=m parents=p verbose=v").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let umask = cx.sys.umask(0);
    cx.sys.umask(umask);
    let mode = match opts.value('m') {
        None => None,
        Some(text) => match tree::parse_mode(text, 0o777, true, umask) {
            Some(mode) => Some(mode),
            None => return Err(cx.die(&format!("invalid mode '{text}'")).await),
        },
    };
    for path in &opts.rest {
        let old = tree::is_dir(&cx.sys, path);
        let made = match opts.has('p') {
            true => parents(cx, path),
            false => cx.sys.mkdir(path, 0o777).map_err(|errno| (path.clone(), errno)),
        };
        if made.is_ok() && opts.has('v') && !old {
            cx.text(&format!("created directory: '{path}'\n")).await;
        }
        match (made, mode) {
            (Ok(()), Some(mode)) => {
                let _ = cx.sys.chmod(path, mode);
            }
            (Ok(()), None) => {}
            (Err((at, errno)), _) => {
                cx.fail_on(&format!("can't create directory '{at}'"), errno).await;
            }
        }
    }
    Ok(cx.status)
}

/// Makes a directory and those above it; what is there already is fine.
pub(super) fn parents(cx: &Cx, path: &str) -> Result<(), (String, Errno)> {
    let mut at = String::new();
    for (i, part) in path.split('/').enumerate() {
        if i > 0 {
            at.push('/');
        }
        at.push_str(part);
        if part.is_empty() || part == "." || tree::is_dir(&cx.sys, &at) {
            continue;
        }
        if let Err(errno) = cx.sys.mkdir(&at, 0o777) {
            return Err((at, errno));
        }
    }
    Ok(())
}

pub(super) async fn rmdir(cx: &mut Cx) -> Answer {
    let longs = "parents=p ignore-fail-on-non-empty=@ verbose=v";
    let opts = cx.opts("pv@", longs).await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    for path in &opts.rest {
        let mut path = path.as_str();
        loop {
            if opts.has('v') {
                cx.text(&format!("rmdir: removing directory, '{path}'\n")).await;
            }
            match cx.sys.rmdir(path) {
                Ok(()) => {}
                Err(Errno::NotEmpty) if opts.has('@') => break,
                Err(errno) => {
                    cx.fail_on(&format!("'{path}'"), errno).await;
                    break;
                }
            }
            let above = path.trim_end_matches('/').rfind('/').map_or("", |at| &path[..at]);
            if !opts.has('p') || above.is_empty() {
                break;
            }
            path = above;
        }
    }
    Ok(cx.status)
}

pub(super) async fn mkfifo(cx: &mut Cx) -> Answer {
    let opts = cx.opts("m:", "mode=m").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let mode = match opts.value('m') {
        None => 0o666,
        Some(text) => match tree::parse_mode(text, 0o666, false, 0) {
            Some(mode) => mode,
            None => return Err(cx.die(&format!("invalid mode '{text}'")).await),
        },
    };
    for path in &opts.rest {
        match cx.sys.mkfifo(path, mode) {
            Ok(()) if opts.has('m') => {
                let _ = cx.sys.chmod(path, mode);
            }
            Ok(()) => {}
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }
    Ok(cx.status)
}

pub(super) async fn mktemp(cx: &mut Cx) -> Answer {
    let opts = cx.opts("dqtp:u", "").await?;
    let dir = match opts.value('p') {
        Some(dir) => dir.to_owned(),
        None => cx.sys.getenv("TMPDIR").unwrap_or_else(|| "/tmp".to_owned()),
    };
    let template = match opts.rest.first() {
        None => format!("{dir}/tmp.XXXXXX"),
        Some(name) if opts.has('p') || opts.has('t') => tree::join(&dir, name),
        Some(name) => name.clone(),
    };
    let bare = template.trim_end_matches('X');
    let n = template.len() - bare.len();
    if n < 6 {
        return fail(cx, opts.has('q'), Errno::Inval).await;
    }
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    for _ in 0..100 {
        let keep = template.len() - 6;
        let mut path = template[..keep].to_owned();
        for _ in 0..6 {
            let at = cx.sys.random(LETTERS.len() as u64) as usize;
            path.push(char::from(LETTERS.get(at).copied().unwrap_or(b'a')));
        }
        let made = match (opts.has('u'), opts.has('d')) {
            (true, _) => cx.sys.lstat(&path).err().map_or(Err(Errno::Exist), |_| Ok(())),
            (false, true) => cx.sys.mkdir(&path, 0o700),
            (false, false) => {
                let fd = cx.sys.open_mode(&path, OpenHow::CREATE_NEW, 0o600).await;
                fd.and_then(|fd| cx.sys.close(fd))
            }
        };
        match made {
            Ok(()) => {
                cx.text(&format!("{path}\n")).await;
                return Ok(0);
            }
            Err(Errno::Exist) => {}
            Err(errno) => return fail(cx, opts.has('q'), errno).await,
        }
    }
    Ok(1)
}

async fn fail(cx: &mut Cx, quiet: bool, errno: Errno) -> Answer {
    if !quiet {
        cx.fail(&format!(": {}", errno.text())).await;
    }
    Ok(1)
}
