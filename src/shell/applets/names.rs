//! Applets about names: `basename dirname pwd readlink realpath which`.

use super::Answer;
use super::common::{Cx, tree};
use crate::shell::FileType;

pub(super) async fn basename(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+as:", "").await?;
    let mut names = opts.rest.clone();
    let mut suffix = opts.value('s').map(str::to_owned);
    if !opts.has('a') && !opts.has('s') {
        if names.is_empty() || names.len() > 2 {
            return Err(cx.usage().await);
        }
        suffix = (names.len() == 2).then(|| names.remove(1));
    }
    for name in names {
        let base = tree::last_part(&name);
        let cut = suffix.as_deref().and_then(|suffix| base.strip_suffix(suffix));
        let shown = cut.filter(|cut| !cut.is_empty()).unwrap_or(base);
        cx.text(&format!("{shown}\n")).await;
    }
    Ok(0)
}

pub(super) async fn dirname(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+", "").await?;
    let [path] = &opts.rest[..] else { return Err(cx.usage().await) };
    let bare = path.trim_end_matches('/');
    let dir = match bare.rfind('/') {
        None if bare.is_empty() && !path.is_empty() => "/",
        None => ".",
        Some(at) => match bare[..at].trim_end_matches('/') {
            "" => "/",
            dir => dir,
        },
    };
    let line = format!("{dir}\n");
    cx.text(&line).await;
    Ok(0)
}

pub(super) async fn pwd(cx: &mut Cx) -> Answer {
    let cwd = cx.sys.cwd();
    cx.text(&format!("{cwd}\n")).await;
    Ok(0)
}

pub(super) async fn readlink(cx: &mut Cx) -> Answer {
    let opts = cx.opts("fnvsq", "").await?;
    let [path] = &opts.rest[..] else { return Err(cx.usage().await) };
    let found = match opts.has('f') {
        true => cx.sys.realpath(path).map(|(path, _)| path),
        false => cx.sys.readlink(path),
    };
    match found {
        Ok(target) => {
            let end = if opts.has('n') { "" } else { "\n" };
            cx.text(&format!("{target}{end}")).await;
            Ok(0)
        }
        Err(errno) => {
            if opts.has('v') {
                cx.fail_on(path, errno).await;
            }
            Ok(1)
        }
    }
}

pub(super) async fn realpath(cx: &mut Cx) -> Answer {
    let opts = cx.opts("", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    for path in &opts.rest {
        match cx.sys.realpath(path) {
            Ok((path, _)) => cx.text(&format!("{path}\n")).await,
            Err(errno) => cx.fail_on(path, errno).await,
        }
    }
    Ok(cx.status)
}

pub(super) async fn which(cx: &mut Cx) -> Answer {
    let opts = cx.opts("a", "").await?;
    if opts.rest.is_empty() {
        return Err(cx.usage().await);
    }
    let path = cx.sys.getenv("PATH").unwrap_or_else(|| "/sbin:/usr/sbin:/bin:/usr/bin".into());
    for name in &opts.rest {
        let mut places: Vec<String> = match name.contains('/') {
            true => vec![name.clone()],
            false => path.split(':').map(|dir| tree::join(dir, name)).collect(),
        };
        places.retain(|place| {
            let stat = cx.sys.stat(place);
            stat.is_ok_and(|s| s.file_type == FileType::File && s.mode & 0o111 != 0)
        });
        if places.is_empty() {
            cx.status = 1;
        }
        if !opts.has('a') {
            places.truncate(1);
        }
        for place in places {
            cx.text(&format!("{place}\n")).await;
        }
    }
    Ok(cx.status)
}
