//! The words of haproxy's `server` lines.

use super::conf::{self, Line, Said};
use super::model::{Server, State};
use std::cell::{Cell, RefCell};

/// Settings that would change a run.
const NOTED: &[&str] = &[
    "send-proxy",
    "send-proxy-v2",
    "slowstart",
    "track",
    "cookie",
    "observe",
    "on-marked-down",
    "on-marked-up",
    "error-limit",
    "agent-check",
];
/// Settings without a value.
const BARE: &[&str] = &[
    "send-proxy",
    "send-proxy-v2",
    "agent-check",
    "enabled",
    "check-ssl",
    "no-backup",
    "no-ssl",
    "tfo",
    "stick",
    "non-stick",
];

pub(super) struct ServerWords<'a> {
    pub(super) proxy: &'a str,
    pub(super) said: &'a mut Said,
}

impl ServerWords<'_> {
    pub(super) fn read(&mut self, server: &mut Server, words: &[String]) -> Result<(), String> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "check" => server.checked = true,
                "no-check" => server.checked = false,
                "backup" => server.backup = true,
                "disabled" => server.disabled = true,
                "inter" | "fastinter" | "downinter" | "fall" | "rise" | "weight" | "maxconn"
                | "port" => {
                    let text = words.next().map_or("", String::as_str);
                    let id = &server.id;
                    let bad = || format!("'server {id}' : unexpected character in '{text}'");
                    let n = conf::time(text).ok_or_else(bad)?;
                    number(server, word, n);
                }
                "init-addr" => {
                    let list = words.next().map_or("", String::as_str);
                    server.may_lack_addr = list.split(',').any(|w| w == "none");
                }
                "resolvers" => {
                    words.next();
                    server.may_lack_addr = true;
                    self.said.note("looking names up again at run time (resolvers)".to_owned());
                }
                "ssl" => {
                    self.said.note("TLS towards a server; it is asked in plain text".to_owned());
                }
                word if NOTED.contains(&word)
                    || conf::keywords("server").any(|own| own == word) =>
                {
                    if NOTED.contains(&word) {
                        self.said.note(format!("the server setting {word}"));
                    }
                    if !BARE.contains(&word) {
                        words.next();
                    }
                }
                word => {
                    let what = conf::unknown(word, "", "server").replace(" in '' section", "");
                    let (proxy, id) = (self.proxy, &server.id);
                    return Err(format!("'server {proxy}/{id}' : {what}"));
                }
            }
        }
        server.state.borrow_mut().health = server.rise;
        Ok(())
    }
}

fn number(server: &mut Server, word: &str, n: u64) {
    match word {
        "inter" => server.inter_ms = n.max(1),
        "fastinter" => server.fast_ms = Some(n),
        "downinter" => server.down_ms = Some(n),
        "fall" => server.fall = n.max(1) as u32,
        "rise" => server.rise = n.max(1) as u32,
        "weight" => server.weight = n.min(256) as i64,
        "maxconn" => server.maxconn = n as u32,
        _ => server.check_port = Some(n as u16),
    }
}

pub(super) fn server(id: String, host: &str, port: u16, line: &Line) -> Server {
    let state = State {
        up: true,
        health: 2,
        open: 0,
        total: 0,
        current: 0,
        last_check: String::new(),
        n_failed: 0,
        n_down: 0,
    };
    Server {
        id,
        line: line.clone(),
        host: host.to_owned(),
        port,
        checked: false,
        check_port: None,
        inter_ms: 2000,
        fast_ms: None,
        down_ms: None,
        fall: 3,
        rise: 2,
        weight: 1,
        backup: false,
        disabled: false,
        maxconn: 0,
        may_lack_addr: false,
        addr: Cell::new(None),
        state: RefCell::new(state),
    }
}
