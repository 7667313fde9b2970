//! haproxy: TCP and HTTP proxy driven by its own configuration language. TLS, stick tables, caches,
//! Lua, peers and the runtime socket are said not to be simulated.

mod acl;
mod check;
mod conf;
mod http;
mod log;
mod meaning;
mod model;
mod rules;
mod run;
mod sample;
mod server;
mod stats;
mod tcp;
mod words;

pub(super) use run::run;
