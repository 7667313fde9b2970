//! `tar`: makes, lists and unpacks archives, with gzip or without. Models archival/tar.c.

mod create;
mod extract;
mod header;

use super::common::{Cx, Opts};
use super::{Answer, deflate};
use crate::shell::applets::test::pattern_matches;
use crate::shell::bytes::{to_bytes, to_text};

const LONGS: &str = "list=t extract=x directory=C file=f to-stdout=O no-same-owner=o \
    same-permissions=p verbose=v keep-old=k create=c dereference=h files-from=T exclude-from=X \
    gzip=z auto-compress=a touch=m strip-components=1 no-recursion=2 numeric-owner=3 \
    no-same-permissions=4 overwrite=5 exclude=6 bzip2=j xz=J compress=Z lzma=7 to-command=8";

/// A `tar` on its way.
struct Tar {
    opts: Opts,
    /// Names given, without slashes at their ends.
    accept: Vec<String>,
    reject: Vec<String>,
    /// The word about stripped names was said.
    warned: bool,
    /// Lines about members go there when the archive itself goes to standard output.
    to_stderr: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    if cx.args().first().is_some_and(|arg| arg == "--version") {
        cx.text("tar (busybox) 1.36.1\n").await;
        return Ok(0);
    }
    old_style(cx);
    let opts = cx.opts("txC:f:OopvkchT:X:zam1:23456:!jJZ78", LONGS).await?;
    let modes = ['c', 't', 'x'].into_iter().filter(|letter| opts.has(*letter)).count();
    if modes != 1 {
        return Err(cx.usage().await);
    }
    let mut reject = list(cx, &opts, 'X').await?;
    reject.extend(opts.values('6').map(str::to_owned));
    let mut accept = list(cx, &opts, 'T').await?;
    accept.extend(opts.rest.iter().map(|name| bare(name)));
    let file = opts.value('f').unwrap_or("-").to_owned();
    let to_stderr = opts.has('c') && file == "-";
    let mut tar = Tar { opts, accept, reject, warned: false, to_stderr };
    match tar.opts.has('c') {
        true => tar.create(cx, &file).await,
        false => tar.read(cx, &file).await,
    }
}

/// `tar xf FILE`: the letters stand first without a dash, and `f` counts as the last of them.
fn old_style(cx: &mut Cx) {
    let Some(first) = cx.argv.get_mut(1) else { return };
    if first.is_empty() || first.starts_with('-') {
        return;
    }
    let mut letters = first.replacen('f', "", 1);
    if letters.len() < first.len() {
        letters.push('f');
    }
    *first = format!("-{letters}");
}

fn bare(name: &str) -> String {
    match name.strip_suffix('/') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => name.to_owned(),
    }
}

/// The lines of the files given with a letter.
async fn list(cx: &mut Cx, opts: &Opts, letter: char) -> Result<Vec<String>, i32> {
    let mut names = Vec::new();
    for path in opts.values(letter).map(str::to_owned).collect::<Vec<_>>() {
        let read = match path.as_str() {
            "-" => cx.sys.read_all(0).await,
            _ => cx.sys.read_file(&path).await,
        };
        match read {
            Ok(data) => names.extend(to_text(&data).lines().map(bare)),
            Err(errno) => {
                cx.fail_on(&format!("can't open '{path}'"), errno).await;
                return Err(1);
            }
        }
    }
    Ok(names)
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern_matches(&to_bytes(pattern), &to_bytes(text))
}

/// Whether a pattern fits as many leading parts of the name as it has itself.
/// Models archival/libarchive/find_list_entry.c.
fn fits_front(pattern: &str, name: &str) -> bool {
    let n_slashes = pattern.matches('/').count();
    let end = name.match_indices('/').nth(n_slashes).map_or(name.len(), |(at, _)| at);
    fits(pattern, &name[..end])
}

impl Tar {
    /// A member's name without a dangerous beginning; says so the first time.
    async fn safe<'a>(&mut self, cx: &mut Cx, name: &'a str) -> &'a str {
        let (rest, cut) = header::safe(name);
        if !cut.is_empty() && !std::mem::replace(&mut self.warned, true) {
            // A warning, not a failure.
            cx.err(&format!("tar: removing leading '{cut}' from member names\n")).await;
        }
        rest
    }

    async fn read(&mut self, cx: &mut Cx, file: &str) -> Answer {
        let read = match file {
            "-" => cx.sys.read_all(0).await,
            _ => cx.sys.read_file(file).await,
        };
        let mut data = match read {
            Ok(data) => data,
            Err(errno) => {
                cx.fail_on(&format!("can't open '{file}'"), errno).await;
                return Ok(1);
            }
        };
        if let Some(dir) = self.opts.value('C')
            && let Err(errno) = cx.sys.chdir(dir)
        {
            let text = format!("can't change directory to '{dir}'");
            cx.fail_on(&text, errno).await;
            return Ok(1);
        }
        if deflate::is_gzip(&data) || self.opts.has('z') {
            cx.sys.burn(data.len() as u64 / 64).await;
            data = match deflate::gunzip(&data) {
                Ok(plain) => plain,
                Err(message) => {
                    cx.fail(message).await;
                    return Err(cx.die("short read").await);
                }
            };
        }
        self.members(cx, &data).await
    }
}
