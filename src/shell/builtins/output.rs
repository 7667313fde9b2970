//! `echo`, `printf`, `test`: the applets' own functions, run in the shell.

use crate::shell::applets;
use crate::shell::bytes::to_text;
use crate::shell::lang::{Res, Shell};

pub(super) async fn echo(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let out = applets::echo(&argv[1..]);
    Ok(shell.print(&to_text(&out)).await)
}

pub(super) async fn printf(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let dashes = argv.get(1).is_some_and(|arg| arg == "--");
    let args = argv.get(1 + usize::from(dashes)..).unwrap_or(&[]);
    if args.is_empty() {
        shell.write_text(2, "sh: usage: printf FORMAT [ARGUMENT...]\n").await;
        return Ok(2);
    }
    let printed = applets::printf(args);
    let (mut at, mut failed) = (0, 0);
    for (place, error) in &printed.errors {
        failed |= shell.print(&to_text(&printed.out[at..*place])).await;
        at = *place;
        shell.write_text(2, &format!("sh: {error}\n")).await;
    }
    failed |= shell.print(&to_text(&printed.out[at..])).await;
    Ok(printed.code | failed)
}

pub(super) async fn test(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    match applets::test(&shell.sys, argv) {
        Ok(holds) => Ok(i32::from(!holds)),
        Err(message) => {
            if !message.is_empty() {
                shell.write_text(2, &format!("sh: {message}\n")).await;
            }
            Ok(2)
        }
    }
}
