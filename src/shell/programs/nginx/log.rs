//! nginx's logs: the files it keeps open, error lines by level, access lines by format.

use super::conf::Directive;
use super::meaning::Shared;
use crate::shell::programs::clock;
use crate::shell::{Fd, OpenHow, Sys};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const LEVELS: &[&str] =
    &["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

pub(super) const ERROR_LOG: &str = "/var/log/nginx/error.log";
pub(super) const ACCESS_LOG: &str = "/var/log/nginx/access.log";

/// Open log files by path, shared by a master and its workers.
#[derive(Clone, Default)]
pub(super) struct Logs {
    pub(super) fds: Rc<BTreeMap<String, Fd>>,
}

fn full(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/etc/nginx/{path}") }
}

fn paths(block: &Directive, out: &mut Vec<String>) {
    for directive in &block.block {
        let path = directive.arg(0);
        let special = path == "stderr" || path.starts_with("syslog:") || path.contains('$');
        match directive.name.as_str() {
            "error_log" if !special => out.push(full(path)),
            "access_log" if !special && path != "off" => out.push(full(path)),
            _ => paths(directive, out),
        }
    }
}

impl Logs {
    /// Opens all logs of a configuration; the error is nginx's sentence.
    pub(super) async fn open(sys: &Sys, conf: &Shared) -> Result<Logs, String> {
        let mut wanted = Vec::new();
        paths(&conf.root, &mut wanted);
        if conf.root.get("error_log").is_none() {
            wanted.insert(0, ERROR_LOG.to_owned());
        }
        if conf.http().is_some_and(|http| http.get("access_log").is_none()) {
            wanted.push(ACCESS_LOG.to_owned());
        }
        let mut fds = BTreeMap::new();
        for path in wanted {
            if fds.contains_key(&path) {
                continue;
            }
            match sys.open(&path, OpenHow::APPEND).await {
                Ok(fd) => drop(fds.insert(path, fd)),
                Err(errno) => {
                    let why = format!("({}: {})", errno.number(), errno.text());
                    return Err(format!("open() \"{path}\" failed {why}"));
                }
            }
        }
        Ok(Logs { fds: Rc::new(fds) })
    }

    pub(super) fn fd(&self, path: &str) -> Option<Fd> {
        if path == "stderr" {
            return Some(2);
        }
        self.fds.get(&full(path)).copied()
    }

    /// An error line to the log of the innermost of `chain` that names one.
    pub(super) async fn error(&self, sys: &Sys, chain: &[&Directive], level: &str, text: &str) {
        let own = chain.iter().rev().find_map(|block| block.get("error_log"));
        let (path, least) = match own {
            Some(log) if log.args.len() > 1 => (log.arg(0), log.arg(1)),
            Some(log) => (log.arg(0), "error"),
            None => (ERROR_LOG, "error"),
        };
        let rank = |level: &str| LEVELS.iter().position(|l| *l == level).unwrap_or(3);
        if rank(level) > rank(least) {
            return;
        }
        if let Some(fd) = self.fd(path) {
            let _ = sys.write(fd, line(sys, level, text).as_bytes()).await;
        }
    }
}

/// `2026/03/02 09:00:00 [notice] 1#1: text`
pub(super) fn line(sys: &Sys, level: &str, text: &str) -> String {
    let pid = sys.pid();
    format!("{} [{level}] {pid}#{pid}: {text}\n", clock::socat(sys))
}

/// Text in an access line: bytes that could break it are written `\xHH`.
pub(super) fn escape(text: &str, json: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' if json => out.extend(['\\', c]),
            '\n' if json => out.push_str("\\n"),
            '\t' if json => out.push_str("\\t"),
            '\r' if json => out.push_str("\\r"),
            c if json && (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            '"' => out.push_str("\\x22"),
            '\\' if !json => out.push_str("\\x5C"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                out.push_str(&format!("\\x{:02X}", c as u32));
            }
            c => out.push(c),
        }
    }
    out
}
