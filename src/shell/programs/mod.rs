//! Programs of images other than busybox: each a subset that says what it does not simulate. Which
//! image holds which is not known here.

mod args;
mod clock;
mod curl;
mod envsubst;
mod nginx;
mod redis_cli;
mod redis_server;
mod resp;
mod socat;
mod store;
#[cfg(test)]
mod tests;
mod threads;
mod web;
mod wild;

use super::applets::{Programs, run_from};
use super::{Program, Sys};
use crate::part::part;

// Each: its name and its function.
macro_rules! programs {
    ($($name:literal $run:path;)*) => {
        /// By the name they are called by.
        pub const PROGRAMS: &Programs =
            &[$(($name, |sys, argv| Box::pin(later(sys, argv, $name))),)*];
        /// What a browser loads when one of them is first run.
        const SERVERS: &Programs = &[$(($name, |sys, argv| Box::pin($run(sys, argv))),)*];
    };
}

programs! {
    "curl" curl::run;
    "envsubst" envsubst::run;
    "nginx" nginx::run;
    "redis-cli" redis_cli::run;
    "redis-server" redis_server::run;
    "socat" socat::run;
}

part! { LOADED: Programs = SERVERS, in Programs; }

async fn later(sys: Sys, argv: Vec<String>, name: &'static str) -> i32 {
    run_from(loaded(), sys, argv, name).await
}

/// The program behind a name.
pub fn lookup(name: &str) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}
