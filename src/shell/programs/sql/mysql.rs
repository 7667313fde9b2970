//! `mysql` and `mysqladmin` where nobody looks on: rows with tabs between.

use super::Dialect;
use super::client::{Client, Refused, Reply, Target};
use super::lex;
use crate::shell::Sys;
use crate::shell::bytes::to_text;
use crate::shell::programs::args::not_simulated;

#[derive(Default)]
struct Options {
    target: Target,
    execute: Option<String>,
    no_titles: bool,
    boxes: bool,
    force: bool,
    words: Vec<String>,
}

fn target(sys: &Sys) -> Target {
    Target {
        port: 3306,
        user: if sys.uid() == 0 { "root" } else { "mysql" }.to_owned(),
        password: sys.getenv("MYSQL_PWD").unwrap_or_default(),
        ..Target::default()
    }
}

fn options(sys: &Sys, argv: &[String]) -> Result<Options, String> {
    let mut options = Options { target: target(sys), ..Options::default() };
    let mut args = argv.iter().skip(1);
    while let Some(arg) = args.next() {
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            let mut value =
                || value.map(str::to_owned).or_else(|| args.next().cloned()).unwrap_or_default();
            match name {
                "host" => options.target.host = value(),
                "port" => options.target.port = value().parse().unwrap_or(3306),
                "user" => options.target.user = value(),
                "password" => options.target.password = value(),
                "database" => options.target.database = value(),
                "execute" => options.execute = Some(value()),
                "skip-column-names" => options.no_titles = true,
                "table" => options.boxes = true,
                "force" => options.force = true,
                "protocol" | "connect-timeout" | "socket" | "ssl-mode" => drop(value()),
                "silent" | "batch" | "skip-ssl" => {}
                _ => return Err(format!("the option {arg}")),
            }
            continue;
        }
        let Some(letters) = arg.strip_prefix('-').filter(|l| !l.is_empty()) else {
            options.words.push(arg.clone());
            continue;
        };
        let (letter, rest) = letters.split_at(1);
        let mut value = || match rest {
            "" => args.next().cloned().unwrap_or_default(),
            rest => rest.to_owned(),
        };
        match letter {
            "h" => options.target.host = value(),
            "P" => options.target.port = value().parse().unwrap_or(3306),
            "u" => options.target.user = value(),
            // A password stands right behind its letter, or is asked for.
            "p" => rest.clone_into(&mut options.target.password),
            "D" => options.target.database = value(),
            "e" => options.execute = Some(value()),
            "S" => drop(value()),
            "N" => options.no_titles = true,
            "t" => options.boxes = true,
            "f" => options.force = true,
            "s" | "B" | "A" | "w" => options.no_titles |= letters.contains('N'),
            _ => return Err(format!("the option {arg}")),
        }
    }
    if options.target.host == "localhost" {
        options.target.host.clear();
    }
    Ok(options)
}

/// The server's words, or those of a connection that did not come about.
fn refused(target: &Target, why: &Refused) -> String {
    let host = &target.host;
    match why {
        Refused::NoSocket => "ERROR 2002 (HY000): Can't connect to local server through socket \
                              '/run/mysqld/mysqld.sock' (2)"
            .to_owned(),
        Refused::NoName => format!("ERROR 2005 (HY000): Unknown server host '{host}' (-2)"),
        Refused::Network(..) if target.by_socket() => "ERROR 2002 (HY000): Can't connect to \
            local server through socket '/run/mysqld/mysqld.sock' (111)"
            .to_owned(),
        Refused::Network(..) => {
            format!("ERROR 2002 (HY000): Can't connect to server on '{host}' (115)")
        }
        Refused::Server(_, why) => why.clone(),
    }
}

pub(in super::super) async fn mysql(sys: Sys, argv: Vec<String>) -> i32 {
    let mut options = match options(&sys, &argv) {
        Ok(options) => options,
        Err(what) => return not_simulated(&sys, "mysql", &what).await,
    };
    if let Some(database) = options.words.first() {
        options.target.database.clone_from(database);
    }
    let mut client = match Client::connect(&sys, Dialect::Maria, &options.target).await {
        Ok(client) => client,
        Err(why) => {
            let text = format!("{}\n", refused(&options.target, &why));
            let _ = sys.write(2, text.as_bytes()).await;
            return 1;
        }
    };
    let from_stdin = options.execute.is_none();
    let text = match options.execute.take() {
        Some(text) => text,
        None => to_text(&sys.read_all(0).await.unwrap_or_default()),
    };
    let (mut all, rest) = lex::statements(&text);
    if !rest.is_empty() {
        all.push((rest, text.trim_end().matches('\n').count() + 1));
    }
    for (statement, line) in all {
        let reply = client.ask(&statement).await;
        match &reply.error {
            Some(error) => {
                let error = error.replace("{line}", &line.to_string());
                let shown = if from_stdin {
                    format!("--------------\n{statement}\n--------------\n\n")
                } else {
                    String::new()
                };
                let _ = sys.write(2, format!("{shown}{error}\n").as_bytes()).await;
                if !options.force {
                    return 1;
                }
            }
            None => {
                let _ = sys.write(1, show(&reply, &options).as_bytes()).await;
            }
        }
    }
    0
}

fn show(reply: &Reply, options: &Options) -> String {
    if reply.titles.is_empty() || reply.rows.is_empty() {
        return String::new();
    }
    let cell = |cell: &Option<(String, bool)>| match cell {
        Some((text, _)) => text.clone(),
        None => "NULL".to_owned(),
    };
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !options.no_titles {
        lines.push(reply.titles.clone());
    }
    lines.extend(reply.rows.iter().map(|row| row.iter().map(cell).collect()));
    if !options.boxes {
        return lines.iter().map(|line| format!("{}\n", line.join("\t"))).collect();
    }
    let width = |idx: usize| {
        lines.iter().filter_map(|line| line.get(idx)).map(|t| t.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..reply.titles.len()).map(width).collect();
    let rule: String = widths.iter().map(|w| format!("+{}", "-".repeat(w + 2))).collect();
    let mut out = format!("{rule}+\n");
    for (idx, line) in lines.iter().enumerate() {
        for (text, w) in line.iter().zip(&widths) {
            match text.parse::<f64>().is_ok() && idx + 1 > usize::from(!options.no_titles) {
                true => out.push_str(&format!("| {text:>w$} ")),
                false => out.push_str(&format!("| {text:<w$} ")),
            }
        }
        out.push_str("|\n");
        if idx == 0 && !options.no_titles {
            out.push_str(&format!("{rule}+\n"));
        }
    }
    out.push_str(&format!("{rule}+\n"));
    out
}

pub(in super::super) async fn mysqladmin(sys: Sys, argv: Vec<String>) -> i32 {
    let options = match options(&sys, &argv) {
        Ok(options) => options,
        Err(what) => return not_simulated(&sys, "mysqladmin", &what).await,
    };
    let word = options.words.first().map_or("", String::as_str);
    let made = Client::connect(&sys, Dialect::Maria, &options.target).await;
    let (code, fd, text) = match (word, made) {
        // Who may not come in has heard from the server all the same.
        ("ping", Ok(_) | Err(Refused::Server(..))) => (0, 1, "mysqld is alive".to_owned()),
        (_, Err(why)) => {
            let host = if options.target.by_socket() { "localhost" } else { &options.target.host };
            let why = refused(&options.target, &why);
            let why = why.split_once(": ").map_or("", |(_, why)| why).to_owned();
            (1, 2, format!("mysqladmin: connect to server at '{host}' failed\nerror: '{why}'"))
        }
        (other, Ok(_)) => return not_simulated(&sys, "mysqladmin", other).await,
    };
    let _ = sys.write(fd, format!("{text}\n").as_bytes()).await;
    code
}
