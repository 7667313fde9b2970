//! How the two database servers start and stop.

use super::Dialect;
use super::engine::Database;
use super::server::{SOCKET, Server, log, serve, socket_path};
use crate::shell::programs::{clock, web};
use crate::shell::{Signal, Sys};
use crate::time::SimTime;
use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

pub(in super::super) async fn postgres(sys: Sys, argv: Vec<String>) -> i32 {
    let (port, socket_only) = settings(&sys, &argv);
    let data = sys.getenv("PGDATA").unwrap_or_default();
    if sys.access(&format!("{data}/PG_VERSION"), 4).is_err() && !socket_only {
        let text = format!(
            "postgres: could not access the server configuration file \"{data}/postgresql.conf\": \
             No such file or directory\n"
        );
        let _ = sys.write(2, text.as_bytes()).await;
        return 2;
    }
    sys.claim_memory(29 << 20);
    let user =
        sys.getenv("POSTGRES_USER").filter(|u| !u.is_empty()).unwrap_or("postgres".to_owned());
    let password = sys.getenv("POSTGRES_PASSWORD").unwrap_or_default();
    let server = Server {
        sys: sys.clone(),
        dialect: Dialect::Postgres,
        file: format!("{data}/lab-statements.sql"),
        owner: (user.clone(), password),
        user: None,
        databases: RefCell::default(),
    };
    server.databases.borrow_mut().insert("postgres".to_owned(), Database::default());
    log(&server, "LOG:  starting PostgreSQL 16.10 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit")
        .await;
    web::sleep(&sys, SimTime::from_millis(90)).await;
    let addr = if socket_only { SOCKET } else { Ipv4Addr::UNSPECIFIED };
    let listener = match sys.listen(addr, port) {
        Ok(listener) => listener,
        Err(errno) => {
            let why = errno.text();
            log(&server, &format!("LOG:  could not bind IPv4 address \"0.0.0.0\": {why}")).await;
            log(&server, "FATAL:  could not create any TCP/IP sockets").await;
            return 1;
        }
    };
    if !socket_only {
        log(&server, &format!("LOG:  listening on IPv4 address \"0.0.0.0\", port {port}")).await;
        log(&server, &format!("LOG:  listening on IPv6 address \"::\", port {port}")).await;
    }
    let path = socket_path(Dialect::Postgres);
    log(&server, &format!("LOG:  listening on Unix socket \"{path}\"")).await;
    server.replay().await;
    log(&server, "LOG:  database system is ready to accept connections").await;
    let signal = serve(Rc::new(server), listener).await;
    stopped(&sys, signal).await;
    0
}

/// Port, and whether only the Unix socket is served.
fn settings(sys: &Sys, argv: &[String]) -> (u16, bool) {
    let mut port = 5432;
    let mut socket_only = false;
    let mut args = argv.iter().skip(1);
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next().map(String::as_str)) {
            ("-p", Some(n)) => port = n.parse().unwrap_or(5432),
            ("-c", Some(setting)) => {
                let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
                match name {
                    "listen_addresses" => socket_only = value.trim_matches('\'').is_empty(),
                    "port" => port = value.parse().unwrap_or(5432),
                    _ => sys.not_simulated(&format!("postgres: the setting {name}"), None),
                }
            }
            _ => sys.not_simulated(&format!("postgres: the option {arg}"), None),
        }
    }
    (port, socket_only)
}

async fn stopped(sys: &Sys, signal: Signal) {
    let server = Server::silent(sys, Dialect::Postgres);
    let how = if signal == Signal::TERM { "smart" } else { "fast" };
    log(&server, &format!("LOG:  received {how} shutdown request")).await;
    if signal != Signal::TERM {
        log(&server, "LOG:  aborting any active transactions").await;
    }
    log(&server, "LOG:  shutting down").await;
    log(&server, "LOG:  database system is shut down").await;
}

pub(in super::super) async fn mariadbd(sys: Sys, argv: Vec<String>) -> i32 {
    let (port, socket_only, addr) = maria_settings(&sys, &argv);
    sys.claim_memory(98 << 20);
    let env = |name: &str| {
        let value = sys.getenv(&format!("MARIADB_{name}")).filter(|v| !v.is_empty());
        value.or_else(|| sys.getenv(&format!("MYSQL_{name}"))).unwrap_or_default()
    };
    let user = env("USER");
    let server = Server {
        sys: sys.clone(),
        dialect: Dialect::Maria,
        file: "/var/lib/mysql/lab-statements.sql".to_owned(),
        owner: ("root".to_owned(), env("ROOT_PASSWORD")),
        user: (!user.is_empty()).then(|| (user, env("PASSWORD"))),
        databases: RefCell::default(),
    };
    web::sleep(&sys, SimTime::from_millis(400)).await;
    let stamp = || format!("{} 0", clock::iso(&sys).replace('T', " "));
    let ip = if socket_only { SOCKET } else { addr.parse().unwrap_or(Ipv4Addr::UNSPECIFIED) };
    let listener = match sys.listen(ip, port) {
        Ok(listener) => listener,
        Err(errno) => {
            let why = errno.text();
            let text = format!(
                "{} [ERROR] Can't start server: Bind on TCP/IP port. Got error: 98: {why}\n",
                stamp()
            );
            let _ = sys.write(2, text.as_bytes()).await;
            return 1;
        }
    };
    server.replay().await;
    let shown = if socket_only { 0 } else { port };
    let socket = if socket_only {
        String::new()
    } else {
        format!("{} [Note] Server socket created on IP: '{addr}'.\n", stamp())
    };
    let text = format!(
        "{socket}{} [Note] mariadbd: ready for connections.\nVersion: '10.11.14-MariaDB'  socket: \
         '/run/mysqld/mysqld.sock'  port: {shown}\n",
        stamp()
    );
    let _ = sys.write(2, text.as_bytes()).await;
    serve(Rc::new(server), listener).await;
    let text = format!(
        "{0} [Note] mariadbd (initiated by: unknown): Normal shutdown\n{0} [Note] mariadbd: \
         Shutdown complete\n",
        stamp()
    );
    let _ = sys.write(2, text.as_bytes()).await;
    0
}

/// Port, whether only the Unix socket is served, and the address.
fn maria_settings(sys: &Sys, argv: &[String]) -> (u16, bool, String) {
    let (mut port, mut socket_only, mut addr) = (3306, false, "0.0.0.0".to_owned());
    for arg in argv.iter().skip(1) {
        let (name, value) = arg.split_once('=').unwrap_or((arg, ""));
        match name {
            "--port" => port = value.parse().unwrap_or(3306),
            "--bind-address" => value.clone_into(&mut addr),
            "--skip-networking" => socket_only = true,
            "--character-set-server"
            | "--collation-server"
            | "--max-connections"
            | "--user"
            | "--max_connections"
            | "--default-authentication-plugin" => {}
            _ => sys.not_simulated(&format!("mariadbd: the option {name}"), None),
        }
    }
    (port, socket_only, addr)
}
