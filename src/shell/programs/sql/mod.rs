//! PostgreSQL and MariaDB as far as lessons need them: servers that keep tables, and `psql`,
//! `pg_isready`, `mysql` and `mysqladmin`. A small part of SQL; the rest says that it is not
//! simulated. Client and server speak a line protocol of the lab's own.

mod client;
mod create;
mod engine;
mod expr;
mod fail;
mod lex;
mod mysql;
mod parse;
mod psql;
mod select;
mod server;
mod show;
mod start;

pub(super) use mysql::{mysql, mysqladmin};
pub(super) use psql::{pg_isready, psql};
pub(super) use start::{mariadbd, postgres};

/// Whose words and habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Postgres,
    Maria,
}
