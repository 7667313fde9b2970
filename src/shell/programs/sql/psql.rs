//! `psql` and `pg_isready` where nobody looks on.

use super::Dialect;
use super::client::{Client, Refused, Reply, Target, knock};
use super::lex;
use super::show::Look;
use crate::shell::Sys;
use crate::shell::bytes::to_text;
use crate::shell::programs::args::not_simulated;

#[derive(Default)]
struct Options {
    target: Target,
    commands: Vec<Command>,
    look: Look,
    quiet: bool,
    stop_on_error: bool,
}

enum Command {
    Text(String),
    File(String),
}

/// Options with a value: one letter and the long name.
const VALUED: &[(char, &str)] = &[
    ('h', "host"),
    ('p', "port"),
    ('U', "username"),
    ('d', "dbname"),
    ('c', "command"),
    ('f', "file"),
    ('v', "set"),
    ('t', "timeout"),
    ('F', "field-separator"),
    ('o', "output"),
];

/// Splits an argument list as getopt does: (letter, value); a plain word has the letter ` `.
fn getopt(argv: &[String], flags: &str, valued: &str) -> Result<Vec<(char, String)>, String> {
    let mut out = Vec::new();
    let mut args = argv.iter().skip(1);
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let names = [
                ("tuples-only", 't'),
                ("no-align", 'A'),
                ("quiet", 'q'),
                ("no-psqlrc", 'X'),
                ("no-password", 'w'),
                ("password", 'W'),
                ("single-transaction", '1'),
                ("echo-all", 'a'),
                ("list", 'l'),
                ("version", 'V'),
            ];
            if let Some((letter, _)) =
                VALUED.iter().find(|(l, n)| *n == name && valued.contains(*l))
            {
                let value = value.map(str::to_owned).or_else(|| args.next().cloned());
                out.push((*letter, value.unwrap_or_default()));
            } else if let Some((_, letter)) =
                names.iter().find(|(n, l)| *n == name && flags.contains(*l))
            {
                out.push((*letter, String::new()));
            } else {
                return Err(arg.clone());
            }
        } else if let Some(letters) = arg.strip_prefix('-').filter(|l| !l.is_empty()) {
            let mut chars = letters.chars();
            while let Some(letter) = chars.next() {
                if flags.contains(letter) && letter != 't' || (letter == 't' && flags.contains('t'))
                {
                    out.push((letter, String::new()));
                } else if valued.contains(letter) {
                    let rest: String = chars.by_ref().collect();
                    let value = if rest.is_empty() { args.next().cloned() } else { Some(rest) };
                    out.push((letter, value.unwrap_or_default()));
                } else {
                    return Err(format!("-{letter}"));
                }
            }
        } else {
            out.push((' ', arg.clone()));
        }
    }
    Ok(out)
}

fn target(sys: &Sys) -> Target {
    let env = |name: &str| sys.getenv(name).unwrap_or_default();
    let user = env("PGUSER");
    let own = if sys.uid() == 0 { "root" } else { "postgres" };
    Target {
        host: env("PGHOST"),
        port: env("PGPORT").parse().unwrap_or(5432),
        user: if user.is_empty() { own.to_owned() } else { user },
        database: env("PGDATABASE"),
        password: env("PGPASSWORD"),
    }
}

/// `postgresql://user:password@host:port/database`
fn url(target: &mut Target, text: &str) -> bool {
    let rest = text.strip_prefix("postgresql://").or(text.strip_prefix("postgres://"));
    let Some(rest) = rest else { return false };
    let (place, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, place) = place.rsplit_once('@').unwrap_or(("", place));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let (host, port) = place.split_once(':').unwrap_or((place, "5432"));
    target.host = host.to_owned();
    target.port = port.parse().unwrap_or(5432);
    for (own, given) in [(&mut target.user, user), (&mut target.password, password)] {
        if !given.is_empty() {
            given.clone_into(own);
        }
    }
    target.database = database.split('?').next().unwrap_or("").to_owned();
    true
}

pub(in super::super) async fn pg_isready(sys: Sys, argv: Vec<String>) -> i32 {
    let options = match getopt(&argv, "q", "hpUdt") {
        Ok(options) => options,
        Err(arg) => {
            let text = format!("pg_isready: error: unrecognized option '{arg}'\n");
            let _ = sys.write(2, text.as_bytes()).await;
            return 3;
        }
    };
    let (mut target, mut quiet) = (target(&sys), false);
    for (letter, value) in options {
        match letter {
            'h' => target.host = value,
            'p' => target.port = value.parse().unwrap_or(5432),
            'q' => quiet = true,
            _ => {}
        }
    }
    let shown = if target.by_socket() { "/var/run/postgresql" } else { &target.host };
    let (code, words) = match knock(&sys, Dialect::Postgres, &target).await {
        Ok(fd) => {
            let _ = sys.close(fd);
            (0, "accepting connections")
        }
        Err(_) => (2, "no response"),
    };
    if !quiet {
        let text = format!("{shown}:{} - {words}\n", target.port);
        let _ = sys.write(1, text.as_bytes()).await;
    }
    code
}

pub(in super::super) async fn psql(sys: Sys, argv: Vec<String>) -> i32 {
    let listed = match getopt(&argv, "tAqXwW1aeEbnLlV", "hpUdcfvFo") {
        Ok(listed) => listed,
        Err(arg) => return not_simulated(&sys, "psql", &format!("the option {arg}")).await,
    };
    let mut options = Options { target: target(&sys), ..Options::default() };
    let mut words = 0;
    for (letter, value) in listed {
        match letter {
            'h' => options.target.host = value,
            'p' => options.target.port = value.parse().unwrap_or(5432),
            'U' => options.target.user = value,
            'd' | ' ' if url(&mut options.target, &value) => {}
            ' ' if words == 1 => options.target.user = value,
            'd' | ' ' => {
                words += 1;
                options.target.database = value;
            }
            'c' => options.commands.push(Command::Text(value)),
            'f' => options.commands.push(Command::File(value)),
            'v' => {
                options.stop_on_error |=
                    value.starts_with("ON_ERROR_STOP=") && !value.ends_with("=0")
            }
            'F' => options.look.separator = Some(value),
            't' => options.look.tuples_only = true,
            'A' => options.look.unaligned = true,
            'q' => options.quiet = true,
            'l' => options.commands.push(Command::Text("\\l".to_owned())),
            'V' => {
                let _ = sys.write(1, b"psql (PostgreSQL) 16.10\n").await;
                return 0;
            }
            'o' => return not_simulated(&sys, "psql", "the option -o").await,
            _ => {}
        }
    }
    if options.target.database.is_empty() {
        options.target.database.clone_from(&options.target.user);
    }
    match Client::connect(&sys, Dialect::Postgres, &options.target).await {
        Ok(client) => Shell { sys, options, client }.run().await,
        Err(why) => {
            let text = refused(&options.target, &why);
            let _ = sys.write(2, text.as_bytes()).await;
            2
        }
    }
}

fn refused(target: &Target, why: &Refused) -> String {
    let (host, port) = (&target.host, target.port);
    let place = |addr: &str| match target.by_socket() {
        true => format!("on socket \"/var/run/postgresql/.s.PGSQL.{port}\""),
        false => format!("at \"{host}\" ({addr}), port {port}"),
    };
    let head = "psql: error: connection to server";
    match why {
        Refused::NoSocket => format!(
            "{head} {} failed: No such file or directory\n\tIs the server running locally and \
             accepting connections on that socket?\n",
            place("")
        ),
        Refused::NoName => format!(
            "psql: error: could not translate host name \"{host}\" to address: Name or service \
             not known\n"
        ),
        Refused::Network(addr, why) => format!(
            "{head} {} failed: {why}\n\tIs the server running on that host and accepting TCP/IP \
             connections?\n",
            place(addr)
        ),
        Refused::Server(addr, why) => format!("{head} {} failed: {why}\n", place(addr)),
    }
}

struct Shell {
    sys: Sys,
    options: Options,
    client: Client,
}

impl Shell {
    async fn run(&mut self) -> i32 {
        let commands = std::mem::take(&mut self.options.commands);
        if commands.is_empty() {
            let data = self.sys.read_all(0).await.unwrap_or_default();
            return self.script(&to_text(&data), Some("<stdin>")).await;
        }
        let mut code = 0;
        for command in commands {
            code = match command {
                Command::Text(text) => self.script(&text, None).await,
                Command::File(path) if path == "-" => {
                    let data = self.sys.read_all(0).await.unwrap_or_default();
                    self.script(&to_text(&data), Some("<stdin>")).await
                }
                Command::File(path) => match self.sys.read_file(&path).await {
                    Ok(data) => self.script(&to_text(&data), Some(&path)).await,
                    Err(errno) => {
                        let text = format!("psql: error: {path}: {}\n", errno.text());
                        let _ = self.sys.write(2, text.as_bytes()).await;
                        1
                    }
                },
            };
            if code != 0 {
                return code;
            }
        }
        code
    }

    /// Statements and backslash commands; `file` is named before an error.
    async fn script(&mut self, text: &str, file: Option<&str>) -> i32 {
        let mut sql = String::new();
        let mut at = 0;
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines {
            if line.trim_start().starts_with('\\') {
                let code = self.sql(&std::mem::take(&mut sql), file, at).await;
                if code != 0 {
                    return code;
                }
                match line.split_whitespace().next() {
                    Some("\\q") => return 0,
                    _ => self.meta(line.trim()).await,
                }
                at += 1;
                continue;
            }
            sql.push_str(line);
            sql.push('\n');
        }
        self.sql(&sql, file, at).await
    }

    async fn sql(&mut self, sql: &str, file: Option<&str>, lines_before: usize) -> i32 {
        let (mut all, rest) = lex::statements(sql);
        // From a file, what has no semicolon is never sent.
        if !rest.is_empty() && file.is_none() {
            all.push((rest, 1));
        }
        for (statement, line) in all {
            let reply = self.client.ask(&statement).await;
            for notice in &reply.notices {
                let text = format!("NOTICE:  {notice}\n");
                let _ = self.sys.write(2, text.as_bytes()).await;
            }
            if let Some(error) = &reply.error {
                let head =
                    file.map_or(String::new(), |f| format!("psql:{f}:{}: ", line + lines_before));
                let _ = self.sys.write(2, format!("{head}{error}\n").as_bytes()).await;
                match (file, self.options.stop_on_error) {
                    (None, _) => return 1,
                    (_, true) => return 3,
                    _ => continue,
                }
            }
            self.show(&reply).await;
        }
        0
    }

    async fn show(&self, reply: &Reply) {
        let text = match reply.titles.is_empty() {
            false => self.options.look.table(reply, None),
            true => String::new(),
        };
        let tag = match self.options.quiet || reply.tag.starts_with("SELECT") {
            true => String::new(),
            false => format!("{}\n", reply.tag),
        };
        let _ = self.sys.write(1, format!("{text}{tag}").as_bytes()).await;
    }

    async fn meta(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (name, arg) = (words.next().unwrap_or(""), words.next());
        let owner = self.options.target.user.clone();
        let list = match (name, arg) {
            ("\\dt" | "\\dt+" | "\\d", None) => Some(("SHOW TABLES", "List of relations")),
            ("\\l", None) => Some(("SHOW DATABASES", "List of databases")),
            _ => None,
        };
        let cell = |text: &str| Some((text.to_owned(), false));
        if let Some((sql, title)) = list {
            let mut reply = self.client.ask(sql).await;
            let tables = title.ends_with("relations");
            if reply.rows.is_empty() && tables {
                let text = "Did not find any relations.\n";
                let _ = self.sys.write(1, text.as_bytes()).await;
                return;
            }
            let titles: &[&str] =
                if tables { &["Schema", "Name", "Type", "Owner"] } else { &["Name", "Owner"] };
            reply.titles = titles.iter().map(|t| (*t).to_owned()).collect();
            for row in &mut reply.rows {
                let name = row.pop().flatten();
                *row = match tables {
                    true => vec![cell("public"), name, cell("table"), cell(&owner)],
                    false => vec![name, cell(&owner)],
                };
            }
            let text = self.options.look.table(&reply, Some(title));
            let _ = self.sys.write(1, text.as_bytes()).await;
            return;
        }
        match (name, arg) {
            ("\\d", Some(table)) => self.columns(table).await,
            ("\\echo", _) => {
                let text = line.strip_prefix("\\echo").unwrap_or("").trim();
                let _ = self.sys.write(1, format!("{text}\n").as_bytes()).await;
            }
            ("\\set" | "\\timing" | "\\x" | "\\pset", _) => {}
            ("\\c" | "\\connect", Some(database)) => {
                let reply = self.client.ask(&format!("USE {database}")).await;
                let text = match reply.error {
                    Some(_) => {
                        format!("\\connect: FATAL:  database \"{database}\" does not exist\n")
                    }
                    None => format!(
                        "You are now connected to database \"{database}\" as user \"{owner}\".\n"
                    ),
                };
                let _ = self.sys.write(1, text.as_bytes()).await;
            }
            _ => drop(not_simulated(&self.sys, "psql", name).await),
        }
    }

    /// `\d TABLE`, columns only.
    async fn columns(&mut self, table: &str) {
        let mut reply = self.client.ask(&format!("DESCRIBE {table}")).await;
        if reply.error.is_some() {
            let text = format!("Did not find any relation named \"{table}\".\n");
            let _ = self.sys.write(2, text.as_bytes()).await;
            return;
        }
        let titles = ["Column", "Type", "Collation", "Nullable", "Default"];
        reply.titles = titles.iter().map(|t| (*t).to_owned()).collect();
        for row in &mut reply.rows {
            let text = |idx: usize, row: &[Option<(String, bool)>]| {
                row.get(idx).cloned().flatten().map(|c| c.0).unwrap_or_default()
            };
            let kind = match text(1, row).split('(').next() {
                Some("int") => "integer".to_owned(),
                Some("serial") => "integer".to_owned(),
                Some("varchar") => text(1, row).replace("varchar", "character varying"),
                _ => text(1, row),
            };
            let null = if text(2, row) == "NO" { "not null" } else { "" };
            let cell = |text: &str| Some((text.to_owned(), false));
            *row =
                vec![cell(&text(0, row)), cell(&kind), cell(""), cell(null), cell(&text(4, row))];
        }
        let text = self.options.look.table(&reply, Some(&format!("Table \"public.{table}\"")));
        let text = text.rsplit_once('(').map_or(text.clone(), |(head, _)| format!("{head}\n"));
        let _ = self.sys.write(1, text.as_bytes()).await;
    }
}
