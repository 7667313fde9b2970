//! haproxy's log: where lines go, what they look like, and log formats such as `%ci:%cp %[src]`.

use super::conf::Said;
use super::model::{Conf, LogTarget, Proxy};
use super::sample::{Sample, Scene};
use crate::shell::Sys;
use crate::shell::programs::clock;

const LEVELS: &[&str] = &["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const FACILITIES: &[&str] = &[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2",
    "ftp", "ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

pub(super) const EMERG: usize = 0;
pub(super) const ALERT: usize = 1;
pub(super) const NOTICE: usize = 5;
pub(super) const INFO: usize = 6;

/// Reads `stdout format raw local0 info`. A server elsewhere is not simulated.
pub(super) fn target(words: &[String], said: &mut Said) -> Option<LogTarget> {
    let place = words.first()?;
    let fd = match place.as_str() {
        "stdout" | "fd@1" => 1,
        "stderr" | "fd@2" => 2,
        other => {
            said.note(format!("a log sent to {other}"));
            return None;
        }
    };
    let mut target =
        LogTarget { fd, format: "rfc3164".to_owned(), facility: 16, level: LEVELS.len() - 1 };
    let mut words = words.iter().skip(1);
    let mut has_facility = false;
    while let Some(word) = words.next() {
        match word.as_str() {
            "format" => target.format = words.next()?.clone(),
            "len" | "sample" | "ring" => drop(words.next()),
            _ if !has_facility => {
                has_facility = true;
                target.facility = FACILITIES.iter().position(|f| f == word).unwrap_or(16);
            }
            _ => target.level = LEVELS.iter().position(|l| l == word).unwrap_or(target.level),
        }
    }
    Some(target)
}

/// Writes a line to the logs of a proxy.
pub(super) async fn send(sys: &Sys, conf: &Conf, proxy: &Proxy, level: usize, text: &str) {
    let global: &[LogTarget] = if proxy.uses_global_logs { &conf.logs } else { &[] };
    for target in global.iter().chain(&proxy.logs).filter(|t| level <= t.level) {
        let number = target.facility * 8 + level;
        let line = match target.format.as_str() {
            "raw" => format!("{text}\n"),
            "short" => format!("<{level}>{text}\n"),
            _ => format!("<{number}>{} haproxy[{}]: {text}\n", clock::syslog(sys), sys.pid()),
        };
        let _ = sys.write(target.fd as _, line.as_bytes()).await;
    }
}

/// `[NOTICE]   (1) : text`, as haproxy tells its own news on stderr.
pub(super) async fn say(sys: &Sys, kind: &str, text: &str) {
    let line = format!("{:<10} ({}) : {text}\n", format!("[{kind}]"), sys.pid());
    let _ = sys.write(2, line.as_bytes()).await;
}

/// Fills in `%[sample]`, `%{+Q}name` and `%name`; a name nobody knows is `-`.
pub(super) fn fill(text: &str, scene: &Scene, named: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(more) = rest.strip_prefix('%') {
            out.push('%');
            rest = more;
            continue;
        }
        let mut quoted = false;
        if let Some((flags, more)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            quoted = flags.contains("+Q");
            rest = more;
        }
        let value = if let Some(inner) = rest.strip_prefix('[') {
            let end = closing(inner);
            rest = inner.get(end + 1..).unwrap_or("");
            sample(&inner[..end], scene)
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let name = &rest[..end];
            rest = &rest[end..];
            named(name).unwrap_or_else(|| "-".to_owned())
        };
        if quoted {
            out.push_str(&format!("\"{value}\""));
        } else {
            out.push_str(&value);
        }
    }
    out.push_str(rest);
    out
}

/// Where the bracket that is open ends.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 0 => return at,
            ']' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

fn sample(text: &str, scene: &Scene) -> String {
    let Ok(sample) = Sample::parse(text) else { return String::new() };
    let (values, _) = sample.values(scene);
    values
        .last()
        .map_or(String::new(), |value| String::from_utf8_lossy(&value.bytes()).into_owned())
}
