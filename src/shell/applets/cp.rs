//! `cp`, `mv`, `ln`, `install`. Models coreutils/cp.c, mv.c, ln.c and libbb/copy_file.c.

use super::Answer;
use super::common::{Cx, tree};
use super::{dirs, rm};
use crate::shell::{Errno, FileType, OpenHow, Stat};

/// How to copy.
#[derive(Clone, Copy, Default)]
struct How {
    recurse: bool,
    force: bool,
    preserve: bool,
    /// Links are copied as links below the arguments; `follow_args` follows the arguments.
    keep_links: bool,
    follow_args: bool,
    link: bool,
    symlink: bool,
    no_clobber: bool,
    update: bool,
}

pub(super) async fn cp(cx: &mut Cx) -> Answer {
    let longs = "archive=a force=f interactive=i no-clobber=n link=l dereference=L \
                 no-dereference=P recursive=R symbolic-link=s no-target-directory=T \
                 target-directory=t verbose=v update=u preserve=p parents=!";
    let opts = cx.opts("pdRPfinlsLHarTt:uv", longs).await?;
    let archive = opts.has('a');
    let recurse = archive || opts.has('R') || opts.has('r');
    let follows = opts.last_of("PdLHa");
    let how = How {
        recurse,
        force: opts.has('f'),
        preserve: archive || opts.has('p'),
        keep_links: match follows {
            Some('L') => false,
            Some(_) => true,
            None => recurse,
        },
        follow_args: matches!(follows, Some('H' | 'L')) || (follows.is_none() && !recurse),
        link: opts.has('l'),
        symlink: opts.has('s'),
        no_clobber: opts.has('n'),
        update: opts.has('u'),
    };
    let Some((sources, target, into)) =
        targets(cx, &opts.rest, opts.value('t'), opts.has('T')).await?
    else {
        return Err(cx.usage().await);
    };
    for source in sources {
        let dest =
            if into { tree::join(&target, tree::last_part(&source)) } else { target.clone() };
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
    if never_into && is_dir {
        return Err(cx.die(&format!("'{target}' is a directory")).await);
    }
    if sources.len() > 1 && !is_dir {
        return Err(cx.die(&format!("target '{target}' is not a directory")).await);
    }
    Ok(Some((sources.to_vec(), target.clone(), is_dir)))
}

/// Copies a file or a tree; says what it can't.
async fn copy(cx: &mut Cx, source: &str, dest: &str, how: How) {
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
    let inside = cx.sys.realpath(dest).map(|(path, _)| path).unwrap_or_default();
    let real = cx.sys.realpath(source).map(|(path, _)| path).unwrap_or_default();
    if inside.starts_with(&(real.clone() + "/")) {
        let text = format!("recursion detected, omitting directory '{source}'");
        return cx.fail(&text).await;
    }
    for path in tree::walk(&cx.sys, source) {
        let to = format!("{dest}{}", &path[source.len()..]);
        let found = if how.keep_links { cx.sys.lstat(&path) } else { cx.sys.stat(&path) };
        let Ok(stat) = found else { continue };
        if stat.file_type == FileType::Dir {
            directory(cx, &path, &to, &stat, how).await;
        } else {
            one(cx, &path, &to, &stat, How { follow_args: false, ..how }).await;
        }
        cx.sys.tick().await;
    }
}

async fn directory(cx: &mut Cx, source: &str, dest: &str, stat: &Stat, how: How) {
    match cx.sys.stat(dest) {
        Ok(there) if there.file_type == FileType::Dir => return,
        Ok(_) => return cx.fail(&format!("target '{dest}' is not a directory")).await,
        Err(_) => {}
    }
    match cx.sys.mkdir(dest, stat.mode | 0o700) {
        Ok(()) => preserve(cx, source, dest, stat, how).await,
        Err(errno) => cx.fail_on(&format!("can't create directory '{dest}'"), errno).await,
    }
}

async fn one(cx: &mut Cx, source: &str, dest: &str, stat: &Stat, how: How) {
    let there = cx.sys.stat(dest).ok();
    if let Some(there) = &there {
        if (there.dev, there.ino) == (stat.dev, stat.ino) {
            return cx.fail(&format!("'{source}' and '{dest}' are the same file")).await;
        }
        if how.no_clobber || (how.update && there.mtime >= stat.mtime) {
            return;
        }
    }
    if how.link || how.symlink {
        let made = if how.link { cx.sys.link(source, dest) } else { cx.sys.symlink(source, dest) };
        if let Err(errno) = made {
            cx.fail_on(&format!("can't create link '{dest}'"), errno).await;
        }
        return;
    }
    if stat.file_type == FileType::Symlink {
        let target = cx.sys.readlink(source).unwrap_or_default();
        let _ = cx.sys.unlink(dest);
        if let Err(errno) = cx.sys.symlink(&target, dest) {
            let text = format!("can't create symlink '{dest}' to '{target}'");
            cx.fail_on(&text, errno).await;
        }
        return;
    }
    if stat.file_type == FileType::Fifo && how.recurse {
        if let Err(errno) = cx.sys.mkfifo(dest, stat.mode) {
            cx.fail_on(&format!("can't create '{dest}'"), errno).await;
        }
        return;
    }
    if content(cx, source, dest, stat, how).await {
        preserve(cx, source, dest, stat, how).await;
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
    let mut opened = cx.sys.open_mode(dest, OpenHow::WRITE, stat.mode & 0o777).await;
    if opened.is_err() && how.force && cx.sys.unlink(dest).is_ok() {
        opened = cx.sys.open_mode(dest, OpenHow::WRITE, stat.mode & 0o777).await;
    }
    let to = match opened {
        Ok(to) => to,
        Err(errno) => {
            let _ = cx.sys.close(from);
            match errno {
                Errno::NoEnt if dest.ends_with('/') || cx.sys.lstat(dest).is_err() => {
                    cx.fail_on(&format!("can't create '{dest}'"), errno).await;
                }
                errno => cx.fail_on(&format!("can't create '{dest}'"), errno).await,
            }
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

async fn preserve(cx: &mut Cx, _source: &str, dest: &str, stat: &Stat, how: How) {
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
        if opts.last_of("fin") == Some('n') && cx.sys.lstat(&dest).is_ok() {
            continue;
        }
        match cx.sys.rename(&source, &dest) {
            Ok(()) => {}
            Err(Errno::XDev) => across(cx, &source, &dest).await,
            Err(errno) => cx.fail_on(&format!("can't rename '{source}'"), errno).await,
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
        rm::remove(cx, source, true, true).await;
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
    if sources.len() > 1 && !is_dir {
        return Err(cx.die(&format!("{target}: Not a directory")).await);
    }
    for source in sources {
        let name =
            if is_dir { tree::join(target, tree::last_part(source)) } else { target.clone() };
        if !opts.has('s')
            && let Err(errno) = cx.sys.stat(source)
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
    if opts.has('g') || opts.has('o') {
        return Err(cx.not_simulated("-o and -g").await);
    }
    if opts.has('d') {
        for path in &opts.rest {
            if let Err((at, errno)) = dirs::parents(cx, path) {
                cx.fail_on(&format!("can't create directory '{at}'"), errno).await;
            }
            let _ = cx.sys.chmod(path, mode);
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
        let how = How { follow_args: true, preserve: opts.has('p'), ..How::default() };
        copy(cx, &source, &dest, how).await;
        if let Err(errno) = cx.sys.chmod(&dest, mode) {
            cx.fail_on(&format!("can't change permissions of {dest}"), errno).await;
        }
    }
    Ok(cx.status)
}
