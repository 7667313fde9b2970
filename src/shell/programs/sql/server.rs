//! The database servers: start and stop, who may come in, statements one after the other, and the
//! statements kept in the data directory so that a volume holds the tables.

use super::Dialect;
use super::engine::{Answer, Database};
use super::expr::Scope;
use super::fail::Fail;
use super::parse::{Statement, parse};
use crate::shell::programs::{clock, threads::Threads, web};
use crate::shell::{Disposition, Errno, Fd, Lines, OpenHow, Signal, Sys};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::rc::Rc;

/// Where a server's Unix socket is in the lab: an address of the loopback nobody else uses.
pub(super) const SOCKET: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Statements read from disk at a start, at most.
const REPLAYED_MAX: usize = 10_000;

pub(super) fn socket_path(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "/var/run/postgresql/.s.PGSQL.5432",
        Dialect::Maria => "/run/mysqld/mysqld.sock",
    }
}

pub(super) struct Server {
    pub(super) sys: Sys,
    pub(super) dialect: Dialect,
    /// Where the statements are kept.
    pub(super) file: String,
    /// Who owns it, with what password; another user with a password.
    pub(super) owner: (String, String),
    pub(super) user: Option<(String, String)>,
    pub(super) databases: RefCell<BTreeMap<String, Database>>,
}

/// One client's state.
struct Session {
    user: String,
    database: String,
    before: Option<BTreeMap<String, Database>>,
}

pub(super) async fn log(server: &Server, text: &str) {
    let sys = &server.sys;
    let at = clock::now(sys);
    let stamp = clock::iso(sys).replace('T', " ");
    let line = format!("{stamp}.{:03} UTC [{}] {text}\n", at.millis, sys.pid());
    let _ = sys.write(2, line.as_bytes()).await;
}

/// Takes connections until a signal; which one.
pub(super) async fn serve(server: Rc<Server>, listener: Fd) -> Signal {
    let sys = server.sys.clone();
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        sys.set_signal(signal, Disposition::Catch);
    }
    sys.set_signal(Signal::PIPE, Disposition::Ignore);
    let path = socket_path(server.dialect);
    let dir = path.rsplit_once('/').map_or("", |(dir, _)| dir);
    let _ = sys.mkdir(dir, 0o755);
    if let Ok(fd) = sys.open(path, OpenHow::WRITE).await {
        let _ = sys.close(fd);
    }
    let threads = Threads::default();
    let inner = threads.clone();
    threads.start(async move {
        loop {
            match server.sys.accept(listener, None).await {
                Ok(fd) => {
                    let own = Rc::clone(&server);
                    inner.start(async move {
                        own.connection(fd).await;
                        let _ = own.sys.close(fd);
                    });
                }
                Err(Errno::Intr) => {}
                Err(_) => return,
            }
        }
    });
    let signal = threads.run(web::signal(&sys)).await;
    let _ = sys.unlink(path);
    signal
}

/// `\t`, line ends and the backslash, so that a value stays on its line.
pub(super) fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t")
}

impl Server {
    pub(super) fn silent(sys: &Sys, dialect: Dialect) -> Server {
        Server {
            sys: sys.clone(),
            dialect,
            file: String::new(),
            owner: (String::new(), String::new()),
            user: None,
            databases: RefCell::default(),
        }
    }

    /// Does again what the data directory remembers: `database<TAB>user<TAB>statement` a line.
    pub(super) async fn replay(&self) {
        let data = self.sys.peek_file(&self.file).unwrap_or_default();
        let text = String::from_utf8_lossy(&data).into_owned();
        for line in text.lines().take(REPLAYED_MAX) {
            let Some((database, sql)) = line.split_once('\t') else { continue };
            let sql = sql.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
            let mut session =
                Session { user: self.owner.0.clone(), database: database.to_owned(), before: None };
            let _ = self.run(&mut session, &sql);
        }
    }

    async fn keep(&self, database: &str, sql: &str) {
        let Ok(fd) = self.sys.open(&self.file, OpenHow::APPEND).await else { return };
        let line = format!("{database}\t{}\n", escape(sql));
        let _ = self.sys.write(fd, line.as_bytes()).await;
        let _ = self.sys.close(fd);
    }

    /// Why somebody may not come in.
    fn refuses(&self, fd: Fd, user: &str, database: &str, password: &str) -> Option<String> {
        let peer = self.sys.peer_addr(fd).map_or(Ipv4Addr::UNSPECIFIED, |(ip, _)| ip);
        let own = [Some(&self.owner), self.user.as_ref()];
        let found = own.into_iter().flatten().find(|(name, _)| name == user);
        let right = found.is_some_and(|(_, own)| own == password);
        let there = self.databases.borrow().contains_key(database);
        match self.dialect {
            Dialect::Postgres if peer.is_loopback() && found.is_none() => {
                Some(format!("FATAL:  role \"{user}\" does not exist"))
            }
            Dialect::Postgres if !peer.is_loopback() && !right => Some(match password {
                "" => "fe_sendauth: no password supplied".to_owned(),
                _ => format!("FATAL:  password authentication failed for user \"{user}\""),
            }),
            Dialect::Postgres if !there => {
                Some(format!("FATAL:  database \"{database}\" does not exist"))
            }
            Dialect::Maria if !right => {
                let host =
                    if peer.is_loopback() { "localhost".to_owned() } else { peer.to_string() };
                let using = if password.is_empty() { "NO" } else { "YES" };
                Some(format!(
                    "ERROR 1045 (28000): Access denied for user '{user}'@'{host}' (using \
                     password: {using})"
                ))
            }
            Dialect::Maria if !there && !database.is_empty() => {
                Some(format!("ERROR 1049 (42000): Unknown database '{database}'"))
            }
            _ => None,
        }
    }

    async fn connection(&self, fd: Fd) {
        let mut lines = Lines::new(&self.sys, fd);
        let Ok(Some(head)) = lines.next().await else { return };
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut parts = head.trim_end_matches('\n').split('\t');
        let mut part = || parts.next().unwrap_or("").to_owned();
        let (user, database, password) = (part(), part(), part());
        if let Some(why) = self.refuses(fd, &user, &database, &password) {
            if self.dialect == Dialect::Postgres && why.starts_with("FATAL") {
                log(self, &why).await;
            }
            let _ = self.sys.write(fd, format!("E{}\n", escape(&why)).as_bytes()).await;
            return;
        }
        let _ = self.sys.write(fd, b"Z\n").await;
        let mut session = Session { user, database, before: None };
        while let Ok(Some(line)) = lines.next().await {
            let line = String::from_utf8_lossy(&line).into_owned();
            let line = line.trim_end_matches('\n');
            let sql = line.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\");
            self.sys.burn(200).await;
            let out = self.answer(&mut session, &sql).await;
            if self.sys.write(fd, out.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, session: &mut Session, sql: &str) -> String {
        let mut out = String::new();
        match self.run(session, sql) {
            Ok(answer) => {
                if answer.writes {
                    self.keep(&session.database, sql).await;
                }
                for notice in &answer.notices {
                    out.push_str(&format!("N{}\n", escape(notice)));
                }
                if !answer.titles.is_empty() {
                    let titles: Vec<String> = answer.titles.iter().map(|t| escape(t)).collect();
                    out.push_str(&format!("C{}\n", titles.join("\t")));
                }
                for row in &answer.rows {
                    let cell = |value: &super::expr::Value| {
                        let mark = if value.is_number() { "#" } else { "=" };
                        value.show().map_or("-".to_owned(), |t| format!("{mark}{}", escape(&t)))
                    };
                    let cells: Vec<String> = row.iter().map(cell).collect();
                    out.push_str(&format!("R{}\n", cells.join("\t")));
                }
                out.push_str(&format!("T{}\t{}\n", answer.tag, escape(&session.database)));
            }
            Err(fail) => {
                if let Fail::NotSimulated(what) = &fail {
                    self.sys.not_simulated(&format!("SQL: {what}"), None);
                }
                if self.dialect == Dialect::Postgres {
                    log(self, &format!("ERROR:  {}", fail.sentence())).await;
                    log(self, &format!("STATEMENT:  {sql}")).await;
                }
                let text = fail.text(self.dialect, sql, &session.database);
                out.push_str(&format!("E{}\n", escape(&text)));
            }
        }
        out.push_str("Z\n");
        out
    }

    fn run(&self, session: &mut Session, sql: &str) -> Result<Answer, Fail> {
        let statement = parse(sql, self.dialect)?;
        let mut databases = self.databases.borrow_mut();
        let tag = |tag: &str| Answer { tag: tag.to_owned(), ..Answer::default() };
        match statement {
            Statement::Begin => {
                session.before = Some(databases.clone());
                return Ok(tag("BEGIN"));
            }
            Statement::Commit => {
                session.before = None;
                return Ok(tag("COMMIT"));
            }
            Statement::Rollback => {
                if let Some(before) = session.before.take() {
                    *databases = before;
                }
                return Ok(Answer { writes: false, ..tag("ROLLBACK") });
            }
            Statement::CreateDatabase { name, if_missing } => {
                if databases.contains_key(&name) && !if_missing {
                    return Err(Fail::DatabaseExists(name));
                }
                databases.entry(name).or_default();
                return Ok(Answer { writes: true, ..tag("CREATE DATABASE") });
            }
            Statement::Use(name) => {
                if !databases.contains_key(&name) {
                    return Err(Fail::NoDatabase(name));
                }
                session.database = name;
                return Ok(tag("USE"));
            }
            Statement::ShowDatabases => {
                let names = databases.keys().map(|n| vec![super::expr::Value::Text(n.clone())]);
                return Ok(Answer::rows(vec!["Database".to_owned()], names.collect()));
            }
            _ => {}
        }
        let now = format!("{}.000000", clock::iso(&self.sys).replace('T', " "));
        let version = match self.dialect {
            Dialect::Postgres => "PostgreSQL 16.10 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit",
            Dialect::Maria => "10.11.14-MariaDB",
        };
        let (user, database) = (session.user.clone(), session.database.clone());
        let scope =
            Scope { columns: &[], row: &[], now: &now, database: &database, user: &user, version };
        match databases.get_mut(&database) {
            Some(own) => own.statement(statement, &scope),
            None if matches!(&statement, Statement::Select(s) if s.table.is_none()) => {
                Database::default().statement(statement, &scope)
            }
            None => Err(Fail::NoneSelected),
        }
    }
}
