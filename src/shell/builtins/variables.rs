//! Builtins on variables: `export`, `readonly`, `local`, `unset`, `shift`, `let`.

use super::{Letters, number};
use crate::shell::lang::{Res, Shell, single_quote};
use crate::shell::syntax::is_name;
use std::rc::Rc;

/// `export` and `readonly`.
pub(super) async fn export(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let read_only = argv[0] == "readonly";
    let mut letters = Letters::new(argv);
    let mut off = false;
    while let Some((letter, _)) = letters.next(shell, "np").await? {
        off |= letter == 'n' && !read_only;
    }
    let names = letters.rest();
    if names.is_empty() {
        return list(shell, &argv[0], read_only).await;
    }
    for arg in names {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (arg.as_str(), None),
        };
        if !is_name(name) {
            return shell.raise(&format!("{arg}: bad variable name")).await;
        }
        if let Some(value) = value {
            shell.set_var(name, value).await?;
        }
        let var = shell.vars.entry(name);
        if read_only {
            var.read_only = true;
        } else {
            var.export = !off;
        }
    }
    Ok(0)
}

async fn list(shell: &mut Shell, prefix: &str, read_only: bool) -> Res {
    let mut out = String::new();
    for (name, var) in shell.vars.iter() {
        if if read_only { var.read_only } else { var.export } {
            let value = var.value.as_deref().map(|v| format!("={}", single_quote(v)));
            out.push_str(&format!("{prefix} {name}{}\n", value.unwrap_or_default()));
        }
    }
    Ok(shell.print(&out).await)
}

pub(super) async fn local(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    if shell.functions_deep == 0 || shell.vars.n_frames() == 0 {
        return shell.raise("not in a function").await;
    }
    for arg in &argv[1..] {
        match arg.split_once('=') {
            Some((name, value)) => {
                shell.make_local(name);
                shell.set_var(name, value).await?;
            }
            None => {
                let new = shell.make_local(arg);
                let keep = shell.vars.get(arg).is_some_and(|var| var.export || var.read_only);
                if new && !keep {
                    shell.vars.put(arg, None);
                }
            }
        }
    }
    Ok(0)
}

pub(super) async fn unset(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let mut functions = false;
    while let Some((letter, _)) = letters.next(shell, "vf").await? {
        functions = letter == 'f';
    }
    for name in letters.rest() {
        if !functions && !is_name(name) {
            return shell.raise(&format!("{name}: bad variable name")).await;
        }
        if functions {
            Rc::make_mut(&mut shell.functions).remove(name);
        } else {
            shell.unset_var(name).await?;
        }
    }
    Ok(0)
}

pub(super) async fn shift(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let n = match argv.get(1) {
        Some(text) => number(shell, text).await? as usize,
        None => 1,
    };
    if n > shell.params.args.len() {
        return Ok(1);
    }
    let rest = shell.params.args[n..].to_vec();
    shell.params.args = Rc::new(rest);
    shell.params.opt_index = 1;
    shell.params.opt_offset = None;
    Ok(0)
}

/// `let`: the last value decides the status.
pub(super) async fn let_(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    if argv.len() < 2 {
        return shell.raise("expression expected").await;
    }
    let mut value = 0;
    for text in &argv[1..] {
        value = match shell.arith(text) {
            Ok(value) => value,
            Err(message) => return shell.raise(&message).await,
        };
    }
    Ok(i32::from(value == 0))
}
