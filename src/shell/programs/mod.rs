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

use super::Program;

/// By the name they are called by.
pub const PROGRAMS: &[(&str, Program)] = &[
    ("curl", |sys, argv| Box::pin(curl::run(sys, argv))),
    ("envsubst", |sys, argv| Box::pin(envsubst::run(sys, argv))),
    ("nginx", |sys, argv| Box::pin(nginx::run(sys, argv))),
    ("redis-cli", |sys, argv| Box::pin(redis_cli::run(sys, argv))),
    ("redis-server", |sys, argv| Box::pin(redis_server::run(sys, argv))),
    ("socat", |sys, argv| Box::pin(socat::run(sys, argv))),
];

/// The program behind a name.
pub fn lookup(name: &str) -> Option<Program> {
    PROGRAMS.iter().find(|(known, _)| *known == name).map(|(_, program)| *program)
}
