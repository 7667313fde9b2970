//! The command line: `podlab check | explain | simulate | sh | lessons ...`. Native only; the one
//! place with files, arguments and printing.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line prints")]

mod check;
mod explain;
mod lessons;
mod recording;
mod sh;
mod simulate;

use std::process::ExitCode;

const USAGE: &str =
    "usage: podlab check | explain | simulate | sh | lessons ...   (podlab COMMAND --help)";

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match command.as_str() {
        "check" => check::run(rest),
        "explain" => explain::run(rest),
        "simulate" => simulate::run(rest),
        "sh" => sh::run(rest),
        "lessons" => lessons::run(rest),
        "--help" | "-h" | "help" => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("podlab: no command {command:?}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
