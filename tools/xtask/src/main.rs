//! Podlab's own commands, run as `cargo xtask NAME`. Zero dependencies, so that a fresh clone
//! starts within seconds; everything else it needs it installs below `target/tools`.

mod fingerprint;
mod notices;
mod publish;
mod run;
mod site;
mod sizes;
mod stages;
mod tests;
mod tools;
mod worker;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  serve [--port N]          build the lab and serve it, rebuilding on each change
  build [--public-url URL]  make dist/, for any static file host
  test [STAGE...]           run every test, or the named stages only
  setup                     install the pinned tools into target/tools

Needs Rust (rustup), Node 20 or newer with npm, and for `test` a Chromium; what is missing and
can be installed is installed, and said.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["setup"] => tools::setup().map(|_| ()),
        ["serve", rest @ ..] => site::serve(rest),
        ["build", rest @ ..] => site::build(rest),
        ["test", rest @ ..] => tests::test(rest),
        // What trunk calls, see Trunk.toml.
        ["hook-lessons"] => site::lessons_hook(),
        ["hook-worker"] => worker::hook(),
        ["hook-publish"] => publish::hook(),
        ["--help" | "-h" | "help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
