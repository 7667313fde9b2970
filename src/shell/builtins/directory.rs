//! `cd`, `pwd`, `umask`.

use super::Letters;
use crate::shell::FileType;
use crate::shell::lang::{Res, Shell};
use std::rc::Rc;

pub(super) async fn pwd(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let physical = argv.iter().skip(1).rev().find(|a| *a == "-P" || *a == "-L");
    let dir = match physical {
        Some(flag) if flag == "-P" => shell.sys.cwd(),
        _ => logical(shell),
    };
    Ok(shell.print(&format!("{dir}\n")).await)
}

/// The directory as the user got there.
fn logical(shell: &Shell) -> String {
    let cwd = shell.sys.cwd();
    match shell.vars.value("PWD") {
        Some(pwd) if shell.sys.realpath(&pwd).is_ok_and(|(real, _)| real == cwd) => pwd.to_string(),
        _ => cwd,
    }
}

/// A path with `.` and `..` taken away as text.
fn tidy(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { from };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

pub(super) async fn cd(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let mut physical = false;
    while let Some((letter, _)) = letters.next(shell, "LP").await? {
        physical = letter == 'P';
    }
    let mut print = false;
    let mut dest = match letters.rest().first() {
        None => shell.vars.value("HOME").map_or(String::new(), |home| home.to_string()),
        Some(dash) if dash == "-" => {
            print = true;
            shell.vars.value("OLDPWD").map_or(String::new(), |old| old.to_string())
        }
        Some(dest) => dest.clone(),
    };
    let named = dest.clone();
    if dest.is_empty() {
        dest = ".".to_owned();
    }
    let dotted = dest == "." || dest == ".." || dest.starts_with("./") || dest.starts_with("../");
    if !dest.starts_with('/')
        && !dotted
        && let Some(found) = in_cdpath(shell, &dest)
    {
        print |= found.1;
        dest = found.0;
    }
    let old = logical(shell);
    let target = if physical { dest.clone() } else { tidy(&old, &dest) };
    if let Err(errno) = shell.sys.chdir(&target) {
        return shell.raise(&format!("can't cd to {named}: {errno}")).await;
    }
    let new = if physical { shell.sys.cwd() } else { target };
    shell.set_var_export("OLDPWD", &old, true).await?;
    shell.set_var_export("PWD", &new, true).await?;
    if print {
        return Ok(shell.print(&format!("{new}\n")).await);
    }
    Ok(0)
}

/// The directory that `CDPATH` gives, and whether it is to be printed.
fn in_cdpath(shell: &Shell, dest: &str) -> Option<(String, bool)> {
    let cdpath = shell.vars.value("CDPATH").unwrap_or_else(|| Rc::from(""));
    for dir in cdpath.split(':') {
        let full = if dir.is_empty() { dest.to_owned() } else { format!("{dir}/{dest}") };
        if shell.sys.stat(&full).is_ok_and(|s| s.file_type == FileType::Dir) {
            return Some((full, !dir.is_empty()));
        }
    }
    None
}

pub(super) async fn umask(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut letters = Letters::new(argv);
    let mut symbolic = false;
    while let Some((_, _)) = letters.next(shell, "S").await? {
        symbolic = true;
    }
    let mask = shell.sys.umask(0);
    shell.sys.umask(mask);
    let Some(text) = letters.rest().first() else {
        let out = if symbolic { symbols(mask) } else { format!("{mask:04o}") };
        return Ok(shell.print(&format!("{out}\n")).await);
    };
    let numeric = text.starts_with(|c: char| c.is_ascii_digit());
    let new = match numeric {
        true => u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777),
        false => parse_symbols(text, !mask & 0o777).map(|mode| !mode & 0o777),
    };
    match new {
        Some(mask) => {
            shell.sys.umask(mask);
            Ok(0)
        }
        None => shell.raise(&format!("illegal mode: {text}")).await,
    }
}

fn symbols(mask: u32) -> String {
    let part = |who: char, shift: u32| {
        let allowed = !mask >> shift & 7;
        let letter =
            |bit: u32, c: char| if allowed & bit != 0 { c.to_string() } else { String::new() };
        format!("{who}={}{}{}", letter(4, 'r'), letter(2, 'w'), letter(1, 'x'))
    };
    format!("{},{},{}", part('u', 6), part('g', 3), part('o', 0))
}

/// `u=rwx,g+w,o-x` applied to what is allowed now.
fn parse_symbols(text: &str, allowed: u32) -> Option<u32> {
    let mut allowed = allowed;
    for clause in text.split(',') {
        let at = clause.find(['=', '+', '-'])?;
        let mut who = 0;
        for c in clause[..at].chars() {
            who |= match c {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        if at == 0 {
            who = 0o777;
        }
        let mut bits = 0;
        for c in clause[at + 1..].chars() {
            bits |= match c {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                _ => return None,
            };
        }
        allowed = match clause.as_bytes()[at] {
            b'=' => allowed & !who | bits & who,
            b'+' => allowed | bits & who,
            _ => allowed & !(bits & who),
        };
    }
    Some(allowed)
}
