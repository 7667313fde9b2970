//! Programs of images other than busybox: each a subset that says what it does not simulate. Which
//! image holds which is not known here.

mod args;
mod clock;
mod curl;
mod envoy;
mod envsubst;
mod fluent;
mod haproxy;
mod ingress;
mod memcached;
mod nginx;
mod prometheus;
mod python;
mod redis;
mod service;
mod socat;
mod sql;
mod stress;
#[cfg(test)]
mod tests;
mod threads;
mod tini;
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
    "envoy" envoy::run;
    "envsubst" envsubst::run;
    "fluent-bit" fluent::fluent_bit;
    "fluentd" fluent::fluentd;
    "haproxy" haproxy::run;
    "nginx" nginx::run;
    "nginx-ingress-controller" ingress::run;
    "prometheus" prometheus::run;
    "promtool" prometheus::promtool;
    "python" python::run;
    "python3" python::run;
    "redis-cli" redis::client;
    "redis-server" redis::server;
    "valkey-cli" redis::client;
    "valkey-server" redis::server;
    "mariadb" sql::mysql;
    "mariadb-admin" sql::mysqladmin;
    "mariadbd" sql::mariadbd;
    "mysql" sql::mysql;
    "mysqladmin" sql::mysqladmin;
    "mysqld" sql::mariadbd;
    "pg_isready" sql::pg_isready;
    "postgres" sql::postgres;
    "psql" sql::psql;
    "stress" stress::run;
    "tini" tini::run;
    "socat" socat::run;
    // Whatever is in the table of services, or nowhere.
    "*" service::run;
}

part! { LOADED: Programs = SERVERS, in Programs; }

async fn later(sys: Sys, argv: Vec<String>, name: &'static str) -> i32 {
    run_from(loaded(), sys, argv, name).await
}

/// Where a container's declared ports are written for programs that only listen.
pub const PORTS: &str = "/dev/.ports";

/// Where the version an image's tag names is written, as `2.45`.
pub const VERSION: &str = "/dev/.version";

/// That version, where the tag names one.
fn image_version(sys: &Sys) -> Option<(u16, u16)> {
    let text = crate::shell::bytes::to_text(&sys.peek_file(VERSION)?);
    let (major, minor) = text.trim().split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The program behind a name. One without code of its own is a row of a table, or a stand-in that
/// says so.
pub fn lookup(name: &str) -> Option<Program> {
    let own = |wanted: &str| PROGRAMS.iter().find(|(known, _)| *known == wanted);
    own(name).or_else(|| own("*")).map(|(_, program)| *program)
}
