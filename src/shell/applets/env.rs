//! `env`, `printenv`, `true`, `false`.

use super::Answer;
use super::common::Cx;
use crate::shell::Errno;
use std::rc::Rc;

pub(super) async fn yes_exit(_cx: &mut Cx) -> Answer {
    Ok(0)
}

pub(super) async fn no(_cx: &mut Cx) -> Answer {
    Ok(1)
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+iu:!0", "ignore-environment=i unset=u").await?;
    let mut env: Vec<(String, String)> = cx.sys.env().to_vec();
    let mut rest = &opts.rest[..];
    if rest.first().is_some_and(|arg| arg == "-") {
        rest = &rest[1..];
        env.clear();
    }
    if opts.has('i') {
        env.clear();
    }
    for name in opts.values('u') {
        env.retain(|(key, _)| key != name);
    }
    while let Some((name, value)) = rest.first().and_then(|arg| arg.split_once('=')) {
        set(&mut env, name, value);
        rest = &rest[1..];
    }
    if rest.is_empty() {
        for (name, value) in &env {
            cx.text(&format!("{name}={value}\n")).await;
        }
        return Ok(0);
    }
    let path = env.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let path = path.unwrap_or_else(|| "/sbin:/usr/sbin:/bin:/usr/bin".to_owned());
    exec_in(cx, rest.to_vec(), Rc::new(env), &path).await
}

fn set(env: &mut Vec<(String, String)>, name: &str, value: &str) {
    match env.iter_mut().find(|(key, _)| key == name) {
        Some((_, old)) => *old = value.to_owned(),
        None => env.push((name.to_owned(), value.to_owned())),
    }
}

async fn exec_in(cx: &mut Cx, argv: Vec<String>, env: crate::shell::Env, path: &str) -> Answer {
    cx.out.flush().await;
    let name = argv.first().cloned().unwrap_or_default();
    let found = match name.contains('/') {
        true => Ok(name.clone()),
        false => cx.sys.find_in(path, &name),
    };
    let failed = match found {
        Ok(file) => match cx.sys.exec(&file, argv, env).await {
            Ok(code) => return Ok(code),
            Err(errno) => errno,
        },
        Err(errno) => errno,
    };
    cx.fail_on(&format!("can't execute '{name}'"), failed).await;
    Ok(if failed == Errno::NoEnt { 127 } else { 126 })
}

/// Becomes another program with the same environment; says why when that fails.
pub(super) async fn exec(cx: &mut Cx, argv: Vec<String>) -> Answer {
    let path = cx.sys.getenv("PATH");
    let path = path.unwrap_or_else(|| "/sbin:/usr/sbin:/bin:/usr/bin".to_owned());
    exec_in(cx, argv, cx.sys.env(), &path).await
}

pub(super) async fn printenv(cx: &mut Cx) -> Answer {
    let env = cx.sys.env();
    if cx.args().is_empty() {
        for (name, value) in env.iter() {
            cx.text(&format!("{name}={value}\n")).await;
        }
        return Ok(0);
    }
    let mut code = 0;
    for wanted in cx.args().to_vec() {
        match env.iter().find(|(name, _)| *name == wanted) {
            Some((_, value)) => cx.text(&format!("{value}\n")).await,
            None => code = 1,
        }
    }
    Ok(code)
}
