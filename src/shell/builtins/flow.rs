//! Builtins that steer: `break`, `return`, `exit`, `eval`, `exec`, `.`.

use super::{Letters, number};
use crate::shell::Errno;
use crate::shell::lang::{Flow, Found, Params, Res, Shell};
use std::rc::Rc;

pub(super) async fn yes(_shell: &mut Shell, _argv: &[String], _tested: bool) -> Res {
    Ok(0)
}

pub(super) async fn no(_shell: &mut Shell, _argv: &[String], _tested: bool) -> Res {
    Ok(1)
}

pub(super) async fn break_continue(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let wanted = match argv.get(1) {
        Some(text) => number(shell, text).await?,
        None => 1,
    };
    if wanted <= 0 {
        return shell.raise(&format!("Illegal number: {wanted}")).await;
    }
    let n = (wanted as u32).min(shell.loops);
    match n {
        0 => Ok(0),
        n if argv[0] == "continue" => Err(Flow::Continue(n)),
        n => Err(Flow::Break(n)),
    }
}

pub(super) async fn return_(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let status = match argv.get(1) {
        Some(text) => number(shell, text).await?,
        None => shell.status,
    };
    shell.status = status;
    shell.bare_return = argv.len() < 2;
    Err(Flow::Return(status))
}

pub(super) async fn exit(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let status = match argv.get(1) {
        Some(text) => number(shell, text).await?,
        None => shell.trap_status.unwrap_or(shell.status),
    };
    Err(Flow::Exit(status))
}

pub(super) async fn eval(shell: &mut Shell, argv: &[String], tested: bool) -> Res {
    let text = argv[1..].join(" ");
    let own = std::mem::replace(&mut shell.in_own_script, false);
    let result = shell.run_text(&text, tested, false).await;
    shell.in_own_script = own;
    result
}

pub(super) async fn exec(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let mut name = None;
    while let Some((_, value)) = letters.next(shell, "a:").await? {
        name = Some(value);
    }
    let mut args = letters.rest().to_vec();
    let Some(program) = args.first().cloned() else { return Ok(0) };
    let found = match program.contains('/') {
        true => Ok(program.clone()),
        false => {
            let path = shell.vars.value("PATH").unwrap_or_else(|| Rc::from(""));
            shell.sys.find_regular(&path, &program)
        }
    };
    if let Some(name) = name {
        args[0] = name;
    }
    let env = Rc::new(shell.vars.exported());
    let code = match found {
        Ok(path) => shell.replace_by(&path, args, env).await,
        Err(errno) => {
            let missing = errno == Errno::NoEnt;
            let why = if missing { "not found" } else { errno.text() };
            shell.complain(&format!("{program}: {why}")).await;
            if missing { 127 } else { 126 }
        }
    };
    // The EXIT trap went with the shell.
    shell.traps.clear();
    Err(Flow::Exit(code))
}

/// `.` and `source`.
pub(super) async fn dot(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let letters = match argv.get(1).is_some_and(|arg| arg == "--") {
        true => &argv[2..],
        false => &argv[1..],
    };
    let Some((name, args)) = letters.split_first() else { return Ok(2) };
    let path = match name.contains('/') {
        true => name.clone(),
        false => {
            let path = shell.vars.value("PATH").unwrap_or_else(|| Rc::from(""));
            match shell.sys.find_regular(&path, name) {
                Ok(found) => found,
                Err(_) => return shell.raise(&format!("{name}: not found")).await,
            }
        }
    };
    let text = match shell.read_script(&path).await {
        Ok(text) => text,
        Err(errno) => {
            let why = match errno {
                Errno::NoEnt | Errno::NotDir => "No such file or directory",
                other => other.text(),
            };
            return shell.raise(&format!("can't open '{path}': {why}")).await;
        }
    };
    let params = (!args.is_empty()).then(|| {
        let args = Rc::new(args.to_vec());
        let new = Params { args, opt_index: 1, opt_offset: None };
        std::mem::replace(&mut shell.params, new)
    });
    shell.command_name = Some(path);
    let (line, own) = (shell.line, std::mem::replace(&mut shell.in_own_script, false));
    shell.line = 1;
    let result = shell.run_text(&text, false, false).await;
    shell.line = line;
    shell.in_own_script = own;
    if let Some(params) = params {
        shell.params = params;
    }
    match result {
        Err(Flow::Return(status)) => Ok(status),
        result => result,
    }
}

/// What a name runs, for `type` and `command -v`; `None` when nothing does.
pub(super) fn lookup(shell: &mut Shell, name: &str, path: Option<&str>) -> Option<Found> {
    match shell.find(name, false, path) {
        Found::Unknown(_) => None,
        Found::Path(found) if name.contains('/') && shell.sys.stat(&found).is_err() => None,
        found => Some(found),
    }
}
