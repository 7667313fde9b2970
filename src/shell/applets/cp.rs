//! `cp`, `mv`, `ln`, `install`. Models coreutils/cp.c, mv.c, ln.c and libbb/copy_file.c.
//! The copying itself is in `copy`.

use super::Answer;
use super::common::users::Users;
use super::common::{Cx, Opts, tree};
use super::copy::{How, copy};
use super::{dirs, rm};
use crate::shell::{Errno, FileType};

pub(super) async fn cp(cx: &mut Cx) -> Answer {
    let longs = "archive=a force=f interactive=i no-clobber=n link=l dereference=L \
                 no-dereference=P recursive=R symbolic-link=s no-target-directory=T \
                 target-directory=t verbose=v update=u parents=@ remove-destination=# reflink=%";
    let opts = cx.opts("pdRPfinlsLHarTt:uv@#!%", longs).await?;
    let archive = opts.has('a');
    let recurse = archive || opts.has('R') || opts.has('r');
    // `-L` and `-H` win over what keeps links, wherever they stand.
    let stays = recurse || opts.has('P') || opts.has('d');
    let how = How {
        recurse,
        preserve: archive || opts.has('p'),
        keep_links: !opts.has('L') && stays,
        follow_args: opts.has('L') || opts.has('H') || !stays,
        link: opts.has('l'),
        symlink: opts.has('s'),
        no_clobber: opts.last_of("in") == Some('n'),
        ask: opts.last_of("in") == Some('i'),
        verbose: opts.has('v'),
        update: opts.has('u'),
        remove_first: opts.has('#'),
    };
    let Some((sources, target, into)) =
        targets(cx, &opts.rest, opts.value('t'), opts.has('T')).await?
    else {
        return Err(cx.usage().await);
    };
    if opts.has('@') && !into {
        return Err(cx.die("with --parents, the destination must be a directory").await);
    }
    for source in sources {
        let dest = match (opts.has('@'), into) {
            (true, _) => tree::join(&target, source.trim_start_matches('/')),
            (false, true) => tree::join(&target, tree::last_part(&source)),
            (false, false) => target.clone(),
        };
        if opts.has('@')
            && let Some(slash) = dest.rfind('/')
            && let Err((at, errno)) = dirs::parents(cx, &dest[..slash])
        {
            cx.fail_on(&format!("can't create directory '{at}'"), errno).await;
            return Ok(1);
        }
        copy(cx, &source, &dest, how).await;
    }
    Ok(cx.status)
}

type Targets = Option<(Vec<String>, String, bool)>;

/// Sources, the target, and whether it is a directory they go into.
async fn targets(
    cx: &mut Cx,
    rest: &[String],
    dir: Option<&str>,
    never_into: bool,
) -> Result<Targets, i32> {
    if let Some(dir) = dir {
        return Ok((!rest.is_empty()).then(|| (rest.to_vec(), dir.to_owned(), true)));
    }
    let Some((target, sources)) = rest.split_last().filter(|(_, sources)| !sources.is_empty())
    else {
        return Ok(None);
    };
    let is_dir = tree::is_dir(&cx.sys, target);
    if never_into {
        if sources.len() > 1 {
            return Ok(None);
        }
        let from_dir = sources.first().is_some_and(|source| tree::is_dir(&cx.sys, source));
        if is_dir && !from_dir {
            return Err(cx.die(&format!("'{target}' is a directory")).await);
        }
        return Ok(Some((sources.to_vec(), target.clone(), false)));
    }
    if sources.len() > 1 && !is_dir {
        return Err(cx.die(&format!("target '{target}' is not a directory")).await);
    }
    Ok(Some((sources.to_vec(), target.clone(), is_dir)))
}

pub(super) async fn mv(cx: &mut Cx) -> Answer {
    let longs = "interactive=i force=f no-clobber=n verbose=v no-target-directory=T \
                 target-directory=t";
    let opts = cx.opts("finvTt:", longs).await?;
    let Some((sources, target, into)) =
        targets(cx, &opts.rest, opts.value('t'), opts.has('T')).await?
    else {
        return Err(cx.usage().await);
    };
    for source in sources {
        let dest =
            if into { tree::join(&target, tree::last_part(&source)) } else { target.clone() };
        let asked = match opts.last_of("fin") {
            Some(letter) if letter != 'f' && cx.sys.lstat(&dest).is_ok() => {
                letter == 'i' && cx.ask(&format!("overwrite '{dest}'? ")).await
            }
            _ => true,
        };
        if asked {
            match cx.sys.rename(&source, &dest) {
                Ok(()) => {}
                Err(Errno::XDev) => across(cx, &source, &dest).await,
                Err(errno) => cx.fail_on(&format!("can't rename '{source}'"), errno).await,
            }
        }
        // The line comes even when nothing was moved.
        if opts.has('v') {
            cx.text(&format!("'{source}' -> '{dest}'\n")).await;
        }
    }
    Ok(cx.status)
}

/// From one file system to another: a copy, then the old one goes.
async fn across(cx: &mut Cx, source: &str, dest: &str) {
    if let (Ok(there), Ok(here)) = (cx.sys.lstat(dest), cx.sys.lstat(source)) {
        let dirs = (there.file_type == FileType::Dir, here.file_type == FileType::Dir);
        match dirs {
            (true, false) => {
                return cx.fail("can't overwrite directory with non-directory").await;
            }
            (false, true) => {
                return cx.fail("can't overwrite non-directory with directory").await;
            }
            _ => {}
        }
        if let Err(errno) = cx.sys.unlink(dest) {
            return cx.fail_on(&format!("can't remove '{dest}'"), errno).await;
        }
    }
    let how = How { recurse: true, preserve: true, keep_links: true, ..How::default() };
    let before = std::mem::replace(&mut cx.status, 0);
    copy(cx, source, dest, how).await;
    if cx.status == 0 {
        let how = rm::How { force: true, recurse: true, ..rm::How::default() };
        rm::remove(cx, source, how).await;
    }
    cx.status = cx.status.max(before);
}

pub(super) async fn ln(cx: &mut Cx) -> Answer {
    let opts = cx.opts("sfnbS:vT", "").await?;
    let mut rest = opts.rest.clone();
    if rest.is_empty() {
        return Err(cx.usage().await);
    }
    if rest.len() == 1 {
        rest.push(tree::last_part(&rest[0]).to_owned());
    }
    let Some((target, sources)) = rest.split_last() else { return Ok(1) };
    let no_follow = opts.has('n') || opts.has('T');
    let is_dir = match no_follow {
        true => cx.sys.lstat(target).is_ok_and(|s| s.file_type == FileType::Dir) && !opts.has('T'),
        false => tree::is_dir(&cx.sys, target),
    };
    if opts.has('T') && opts.rest.len() > 2 {
        return Err(cx.die("-T accepts 2 args max").await);
    }
    if sources.len() > 1 && !is_dir {
        return Err(cx.die(&format!("{target}: Not a directory")).await);
    }
    if opts.has('T') && cx.sys.lstat(target).is_ok_and(|s| s.file_type == FileType::Dir) {
        return Err(cx.die(&format!("'{target}' is a directory")).await);
    }
    for source in sources {
        let name =
            if is_dir { tree::join(target, tree::last_part(source)) } else { target.clone() };
        if !opts.has('s')
            && let Err(errno) = cx.sys.lstat(source)
        {
            cx.fail_on(source, errno).await;
            continue;
        }
        if opts.has('b') && cx.sys.lstat(&name).is_ok() {
            let backup = format!("{name}{}", opts.value('S').unwrap_or("~"));
            let _ = cx.sys.rename(&name, &backup);
        } else if opts.has('f') {
            let _ = cx.sys.unlink(&name);
        }
        if opts.has('v') {
            cx.text(&format!("'{name}' -> '{source}'\n")).await;
        }
        let made = match opts.has('s') {
            true => cx.sys.symlink(source, &name),
            false => cx.sys.link(source, &name),
        };
        if let Err(errno) = made {
            cx.fail_on(&name, errno).await;
        }
    }
    Ok(cx.status)
}

pub(super) async fn install(cx: &mut Cx) -> Answer {
    let opts = cx.opts("cvb:dDpsg:m:o:t:", "directory=d mode=m owner=o group=g").await?;
    let mode = match opts.value('m') {
        None => 0o755,
        Some(text) => match tree::parse_mode(text, 0o755, false, 0) {
            Some(mode) => mode,
            None => return Err(cx.die(&format!("invalid mode '{text}'")).await),
        },
    };
    if opts.has('s') {
        return Err(cx.not_simulated("-s").await);
    }
    let owner = owner(cx, &opts).await?;
    let how = How {
        follow_args: true,
        preserve: opts.has('p'),
        verbose: opts.has('v'),
        ..How::default()
    };
    if opts.has('d') {
        for path in &opts.rest {
            match dirs::parents(cx, path) {
                Err((at, errno)) => {
                    cx.fail_on(&format!("can't create directory '{at}'"), errno).await;
                }
                Ok(()) => settle(cx, path, mode, owner).await,
            }
        }
        return Ok(cx.status);
    }
    let Some((sources, target, into)) = targets(cx, &opts.rest, opts.value('t'), false).await?
    else {
        return Err(cx.usage().await);
    };
    for source in sources {
        let dest =
            if into { tree::join(&target, tree::last_part(&source)) } else { target.clone() };
        if opts.has('D')
            && let Some(at) = dest.rfind('/')
        {
            let _ = dirs::parents(cx, &dest[..at]);
        }
        let before = std::mem::replace(&mut cx.status, 0);
        copy(cx, &source, &dest, how).await;
        if cx.status == 0 {
            settle(cx, &dest, mode, owner).await;
        }
        cx.status = cx.status.max(before);
    }
    Ok(cx.status)
}

type Owner = Option<(u32, u32)>;

/// What `-o` and `-g` say; the other half is the caller's own.
async fn owner(cx: &mut Cx, opts: &Opts) -> Result<Owner, i32> {
    let users = Users::read(&cx.sys).await;
    let (mut uid, mut gid) = (cx.sys.uid(), cx.sys.gid());
    if let Some(name) = opts.value('o') {
        match name.parse().ok().or_else(|| users.uid(name)) {
            Some(id) => uid = id,
            None => return Err(cx.die(&format!("unknown user {name}")).await),
        }
    }
    if let Some(name) = opts.value('g') {
        match name.parse().ok().or_else(|| users.gid(name)) {
            Some(id) => gid = id,
            None => return Err(cx.die(&format!("unknown group {name}")).await),
        }
    }
    Ok((opts.has('o') || opts.has('g')).then_some((uid, gid)))
}

/// Mode and owner of what `install` made.
async fn settle(cx: &mut Cx, path: &str, mode: u32, owner: Owner) {
    if let Err(errno) = cx.sys.chmod(path, mode) {
        cx.fail_on(&format!("can't change permissions of {path}"), errno).await;
    }
    if let Some((uid, gid)) = owner
        && let Err(errno) = cx.sys.lchown(path, Some(uid), Some(gid))
    {
        cx.fail_on(&format!("can't change ownership of {path}"), errno).await;
    }
}
