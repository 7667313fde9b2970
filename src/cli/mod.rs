//! The command line: `podlab check | explain | simulate | sh | lessons ...`. Native only; the one
//! place with files, arguments and printing.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line prints")]

/// Prints a line. Whoever reads it may have gone away (`| head`): that ends the program in silence.
macro_rules! say {
    ($($part:tt)*) => {
        $crate::cli::printed({
            use std::io::Write as _;
            writeln!(std::io::stdout(), $($part)*)
        })
    };
}

/// As `say!`, without the line's end.
macro_rules! put {
    ($($part:tt)*) => {
        $crate::cli::printed({
            use std::io::Write as _;
            write!(std::io::stdout(), $($part)*)
        })
    };
}

mod check;
mod explain;
mod json;
mod lessons;
mod recording;
mod sh;
mod simulate;
mod visit;

use std::process::ExitCode;

const USAGE: &str =
    "usage: podlab check | explain | simulate | sh | lessons ...   (podlab COMMAND --help)";

/// What a shell says of a program that wrote to a pipe nobody reads.
const NOBODY_READS: i32 = 141;

fn printed(done: std::io::Result<()>) {
    if done.is_err() {
        std::process::exit(NOBODY_READS);
    }
}

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
            say!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("podlab: no command {command:?}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
