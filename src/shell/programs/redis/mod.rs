//! Redis: server, client, protocol, and what it writes to disk. No scripts, streams, cluster or
//! sentinel.

mod cli;
mod commands;
mod disk;
mod hashes;
mod info;
mod keys;
mod lists;
mod options;
mod persist;
mod replica;
mod resp;
mod server;
mod sorted;
mod store;
mod talk;

pub(super) use cli::run as client;
pub(super) use server::run as server;
