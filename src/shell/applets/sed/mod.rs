//! `sed`: options, files, `-i`. Output is kept back until the end. Models editors/sed.c.

mod parse;
mod run;
mod subst;

use super::Answer;
use super::common::Cx;
use crate::regex::Regex;
use crate::shell::bytes::to_bytes;
use crate::shell::{Errno, OpenHow};
use run::Run;
use std::rc::Rc;

/// One command of a script. Line numbers are sed.c's: 0 is none, -1 the last line.
#[derive(Clone, Debug, Default)]
struct Command {
    begin_line: i64,
    begin_match: Option<Rc<Regex>>,
    end_line: i64,
    end_match: Option<Rc<Regex>>,
    begin_line_orig: i64,
    end_line_orig: i64,
    in_match: bool,
    invert: bool,
    letter: u8,
    /// Text, label, replacement, file name or pairs of `y`.
    text: Vec<u8>,
    /// Of `s`; none is the regex used last.
    regex: Option<Rc<Regex>>,
    /// Which match `s` replaces; 0 is all.
    which: u32,
    print: bool,
    /// Index of the file that `w` or `s///w` writes.
    file: Option<usize>,
}

/// A script with the files it writes.
#[derive(Debug, Default)]
struct Script {
    commands: Vec<Command>,
    files: Vec<String>,
    quiet: bool,
}

const LONGS: &str = "in-place=i regexp-extended=r quiet=n silent=n expression=e file=f";

pub(super) async fn run(cx: &mut Cx) -> Answer {
    if cx.args().first().is_some_and(|arg| arg == "--version") {
        cx.text("This is not GNU sed version 4.0\n").await;
        return Ok(0);
    }
    let opts = cx.opts("i::rEne:f:!sz", LONGS).await?;
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut files = opts.rest.clone();
    let split = |text: &str| to_bytes(text).split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    for text in opts.values('e') {
        let mut more: Vec<Vec<u8>> = split(text);
        lines.append(&mut more);
    }
    for path in opts.values('f').map(str::to_owned).collect::<Vec<String>>() {
        let Some(data) = cx.read_input(&path).await else { return Ok(1) };
        let text = data.strip_suffix(b"\n").unwrap_or(&data);
        lines.extend(text.split(|b| *b == b'\n').map(<[u8]>::to_vec));
    }
    if !opts.has('e') && !opts.has('f') {
        if files.is_empty() {
            return Err(cx.usage().await);
        }
        lines = split(&files.remove(0));
    }
    let extended = opts.has('r') || opts.has('E');
    let mut script = match parse::parse(&lines, extended) {
        Ok(script) => script,
        Err(message) => return Err(cx.die(&message).await),
    };
    script.quiet |= opts.has('n');
    let mut run = Run::new(script);
    if let Err(message) = run.open_outputs(cx).await {
        return Err(cx.die(&message).await);
    }
    let ended = match opts.value('i') {
        None => {
            let files = super::common::cx::files_or_stdin(files);
            run.process(cx, files).await
        }
        Some(_) if files.is_empty() => Err("option requires an argument -- i".to_owned()),
        Some(suffix) => in_place(cx, &mut run, files, suffix).await,
    };
    run.flush(cx).await;
    if let Err(message) = ended {
        return Err(cx.die(&message).await);
    }
    Ok(cx.status)
}

/// Each file by itself, replaced by a new one, as a real `sed -i` does.
async fn in_place(
    cx: &mut Cx,
    run: &mut Run,
    files: Vec<String>,
    suffix: &str,
) -> Result<(), String> {
    for path in files {
        let stat = match cx.sys.stat(&path) {
            Ok(stat) => stat,
            Err(errno) => {
                cx.fail_on(&path, errno).await;
                continue;
            }
        };
        run.start_file();
        run.process(cx, vec![path.clone()]).await?;
        let text = run.take_output();
        let temporary = format!("{path}{:06}", cx.sys.random(1_000_000));
        let failed = |errno: Errno| format!("{temporary}: {}", errno.text());
        let fd =
            cx.sys.open_mode(&temporary, OpenHow::CREATE_NEW, 0o600).await.map_err(|errno| {
                format!("can't create temp file '{path}XXXXXX': {}", errno.text())
            })?;
        cx.sys.write(fd, &text).await.map_err(failed)?;
        let _ = cx.sys.close(fd);
        let _ = cx.sys.chmod(&temporary, stat.mode);
        let _ = cx.sys.chown(&temporary, Some(stat.uid), Some(stat.gid));
        if !suffix.is_empty() {
            let _ = cx.sys.rename(&path, &format!("{path}{suffix}"));
        }
        cx.sys
            .rename(&temporary, &path)
            .map_err(|errno| format!("can't move '{temporary}' to '{path}': {}", errno.text()))?;
    }
    Ok(())
}
