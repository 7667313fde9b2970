//! haproxy's `tcp-request`, `http-request` and `http-response` rules: how they are read and what an
//! HTTP rule does to a request or an answer.

use super::acl::{Acl, Condition};
use super::log;
use super::sample::{Scene, replace};
use crate::regex::{Flavor, Options, Regex};
use crate::shell::Sys;
use crate::shell::programs::nginx::posix;
use crate::shell::programs::web::{Answer, Request};

#[derive(Clone)]
pub(super) struct TcpRule {
    pub(super) accepts: bool,
    pub(super) condition: Option<Condition>,
}

#[derive(Clone)]
pub(super) struct HttpRule {
    action: Action,
    pub(super) condition: Option<Condition>,
}

#[derive(Clone)]
enum Action {
    Allow,
    Deny(u16),
    Redirect { kind: String, to: String, code: u16 },
    SetHeader(String, String),
    AddHeader(String, String),
    DelHeader(String),
    SetPath(String),
    SetMethod(String),
    SetStatus(u16),
    ReplacePath(Regex, String),
    Return { status: u16, kind: String, body: String },
}

/// What a rule could not be read as.
pub(super) enum Wrong {
    /// The words of an alert.
    Alert(String),
    /// Real, but not here.
    NotSimulated(String),
}

/// Up to `if` or `unless`, and from there.
fn cut(words: &[String]) -> (&[String], &[String]) {
    let at = words.iter().position(|w| w == "if" || w == "unless").unwrap_or(words.len());
    words.split_at(at)
}

impl HttpRule {
    /// Reads `deny status 403 if ...`, without the word before it.
    pub(super) fn parse(sys: &Sys, words: &[String], acls: &[Acl]) -> Result<HttpRule, Wrong> {
        let (own, rest) = cut(words);
        let action = action(own)?;
        let condition = Condition::parse(sys, rest, acls).map_err(Wrong::Alert)?;
        Ok(HttpRule { action, condition })
    }

    /// Carries it out on a request; an answer ends the exchange.
    pub(super) fn on_request(&self, request: &mut Request, scene: &Scene) -> Option<Done> {
        let fill = |text: &str| log::fill(text, scene, &|_| None);
        match &self.action {
            Action::Allow => return Some(Done::Passed),
            Action::Deny(status) => return Some(Done::Answer(super::http::page(*status))),
            Action::Return { status, kind, body } => {
                return Some(Done::Answer(Answer::text(*status, kind, fill(body))));
            }
            Action::Redirect { kind, to, code } => {
                let to = fill(to);
                let host = request.head.get("Host").unwrap_or("");
                let to = match kind.as_str() {
                    "prefix" => format!("{to}{}", request.target),
                    "scheme" => format!("{to}://{host}{}", request.target),
                    _ => to,
                };
                let mut answer = Answer { status: *code, ..Answer::default() };
                answer.headers.push(("location".to_owned(), to));
                answer.headers.push(("cache-control".to_owned(), "no-cache".to_owned()));
                return Some(Done::Answer(answer));
            }
            Action::SetMethod(to) => request.method = fill(to),
            Action::SetPath(to) => {
                let query = request.query().to_owned();
                let mark = if query.is_empty() { "" } else { "?" };
                request.target = format!("{}{mark}{query}", fill(to));
            }
            Action::ReplacePath(regex, with) => {
                let query = request.query().to_owned();
                let mark = if query.is_empty() { "" } else { "?" };
                let path = replace(regex, request.path().as_bytes(), with, false);
                request.target = format!("{}{mark}{query}", String::from_utf8_lossy(&path));
            }
            other => other.on_headers(&mut request.head.headers, &fill),
        }
        None
    }

    pub(super) fn on_answer(&self, answer: &mut Answer, scene: &Scene) {
        if let Action::SetStatus(status) = self.action {
            answer.status = status;
        }
        self.action.on_headers(&mut answer.headers, &|text| log::fill(text, scene, &|_| None));
    }
}

/// How a request's rules ended early.
pub(super) enum Done {
    Passed,
    Answer(Answer),
}

impl Action {
    fn on_headers(&self, headers: &mut Vec<(String, String)>, fill: &dyn Fn(&str) -> String) {
        let drop = |headers: &mut Vec<(String, String)>, name: &str| {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        };
        match self {
            Action::SetHeader(name, value) => {
                let value = fill(value);
                drop(headers, name);
                headers.push((name.clone(), value));
            }
            Action::AddHeader(name, value) => headers.push((name.clone(), fill(value))),
            Action::DelHeader(name) => drop(headers, name),
            _ => {}
        }
    }
}

fn action(words: &[String]) -> Result<Action, Wrong> {
    let word = |idx: usize| words.get(idx).map_or("", String::as_str);
    let text = |idx: usize| word(idx).to_owned();
    let after = |name: &str| {
        let at = words.iter().position(|w| w == name)?;
        words.get(at + 1).map(String::as_str)
    };
    let number = |name: &str| after(name).and_then(|n| n.parse::<u16>().ok());
    Ok(match word(0) {
        "allow" => Action::Allow,
        "deny" | "reject" | "tarpit" => {
            Action::Deny(number("status").or(number("deny_status")).unwrap_or(403))
        }
        "redirect" => redirect(&words[1..])?,
        "set-header" => Action::SetHeader(text(1), text(2)),
        "add-header" => Action::AddHeader(text(1), text(2)),
        "del-header" => Action::DelHeader(text(1)),
        "set-path" | "set-uri" => Action::SetPath(text(1)),
        "set-method" => Action::SetMethod(text(1)),
        "set-status" => Action::SetStatus(word(1).parse().unwrap_or(200)),
        "replace-path" => {
            let options = Options { flavor: Flavor::Extended, ..Options::default() };
            let regex = Regex::new(posix(word(1)).as_bytes(), options);
            let bad = || Wrong::Alert(format!("regex '{}' is invalid", word(1)));
            Action::ReplacePath(regex.map_err(|_| bad())?, text(2))
        }
        "return" => {
            let body = after("lf-string").or(after("string")).unwrap_or("").to_owned();
            let kind = after("content-type").unwrap_or("text/plain").to_owned();
            Action::Return { status: number("status").unwrap_or(200), kind, body }
        }
        other => return Err(Wrong::NotSimulated(format!("the rule http-request {other}"))),
    })
}

fn redirect(words: &[String]) -> Result<Action, Wrong> {
    let kind = words.first().map_or("", String::as_str);
    if !matches!(kind, "location" | "prefix" | "scheme") {
        let text = format!(
            "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', 'drop-query', 'ignore-empty', 'keep-query' or 'append-slash' (was '{kind}')"
        );
        return Err(Wrong::Alert(text));
    }
    let to = words.get(1).cloned().unwrap_or_default();
    let at = words.iter().position(|w| w == "code");
    let code = at.and_then(|at| words.get(at + 1)).and_then(|n| n.parse().ok()).unwrap_or(302);
    Ok(Action::Redirect { kind: kind.to_owned(), to, code })
}

impl TcpRule {
    /// Reads `accept if ...`, without `tcp-request content`.
    pub(super) fn parse(sys: &Sys, words: &[String], acls: &[Acl]) -> Result<TcpRule, Wrong> {
        let (own, rest) = cut(words);
        let accepts = match own.first().map_or("", String::as_str) {
            "accept" => true,
            "reject" => false,
            other => return Err(Wrong::NotSimulated(format!("the rule tcp-request {other}"))),
        };
        let condition = Condition::parse(sys, rest, acls).map_err(Wrong::Alert)?;
        Ok(TcpRule { accepts, condition })
    }
}
