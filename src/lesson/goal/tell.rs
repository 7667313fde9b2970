//! The words of a because-sentence: what an event shows, and what a moment asks for.

use super::find::probe_word;
use super::{Deed, Moment, Who};
use crate::trace::{Event, Request, State, Subject, What};

/// "shipper logged "ERROR disk" at 3.000 s"
pub(super) fn tell(moment: &Moment, event: &Event) -> String {
    let who = match &event.subject {
        Subject::Pod(name) => format!("pod {name}"),
        _ => moment.who.said(),
    };
    let at = event.at;
    match (&moment.deed, &event.what) {
        (Deed::Logs(_), What::Log { line, .. }) => {
            format!("{who} logged {} at {at} s", short(line))
        }
        (Deed::Row { .. }, What::Row { .. }) => format!("At {at} s {}", now(event)),
        (Deed::Reports { .. }, What::Reported { reason, message, .. }) => {
            format!("{who} reported {reason} at {at} s: {}", short(message))
        }
        (Deed::Exits(_), What::Exited { .. }) => format!("At {at} s {}", now(event)),
        (Deed::Probe { .. }, What::Probe { .. }) => format!("At {at} s {}", now(event)),
        (Deed::Request { .. }, What::Request(request)) => {
            format!("{who} asked {} at {at} s: {}", request.to, answer(request))
        }
        (deed, _) => format!("{who} {} at {at} s", past(deed)),
    }
}

/// What an event shows, as a clause.
pub(super) fn now(event: &Event) -> String {
    let who = match &event.subject {
        Subject::Pod(name) => format!("pod {name}"),
        Subject::Container { container, .. } => container.to_string(),
        Subject::Object { kind, name } => format!("{kind} {name}"),
        Subject::Node(name) => format!("node {name}"),
        Subject::Cluster => "the cluster".to_owned(),
    };
    match &event.what {
        What::Row { ready, total, status, .. } => format!("{who} was {ready}/{total} {status}"),
        What::Removed => format!("{who} was gone"),
        What::Log { line, .. } => format!("it logged {}", short(line)),
        What::Reported { reason, .. } => format!("it reported {reason}"),
        What::Status(status) => match &status.state {
            State::Waiting { reason, .. } => format!("it was waiting: {reason}"),
            State::Running { .. } if status.ready => "it was running and ready".to_owned(),
            State::Running { .. } => "it was running, not ready".to_owned(),
            State::Terminated { reason, exit_code, .. } => {
                format!("it had ended: {reason}, exit code {exit_code}")
            }
        },
        What::Exited { code, signal: Some(signal), .. } => {
            format!("{who} was killed by {signal}, exit code {code}")
        }
        What::Exited { code, .. } => format!("{who} exited with {code}"),
        What::Listening { port, .. } => format!("it listened on {port}"),
        What::Probe { probe, ok, detail } => {
            let verb = if *ok { "passed" } else { "failed" };
            let why =
                if detail.is_empty() { String::new() } else { format!(": {}", short(detail)) };
            format!("{who} {verb} its {} probe{why}", probe_word(*probe))
        }
        What::Request(request) => format!("it asked {}: {}", request.to, answer(request)),
        What::Endpoints { ready, .. } => format!("{who} had {} endpoints", ready.len()),
        _ => "it was there".to_owned(),
    }
}

fn answer(request: &Request) -> String {
    let outcome = if request.outcome.is_empty() { "no answer" } else { &request.outcome };
    short(outcome)
}

/// Whether an event is of the kind that a deed is looked for in.
pub(super) fn is_like(deed: &Deed, what: &What) -> bool {
    matches!(
        (deed, what),
        (Deed::Row { .. } | Deed::Gone, What::Row { .. } | What::Removed)
            | (Deed::Reports { .. }, What::Row { .. })
            | (Deed::Logs(_), What::Log { .. })
            | (
                Deed::State(_) | Deed::Ready(_) | Deed::Starts | Deed::Exits(_) | Deed::Restarts,
                What::Status(_),
            )
            | (Deed::Listens(_), What::Listening { .. } | What::Status(_))
            | (Deed::Probe { .. }, What::Probe { .. })
            | (Deed::Request { .. }, What::Request(_))
            | (Deed::Endpoints(_), What::Endpoints { .. })
    )
}

/// Behind "has not".
pub(super) fn participle(deed: &Deed) -> String {
    let past = past(deed);
    for (past_word, word) in [("became ", "become "), ("went ", "gone "), ("came ", "come ")] {
        if let Some(rest) = past.strip_prefix(past_word) {
            return format!("{word}{rest}");
        }
    }
    past
}

/// "logged /ERROR/": behind a name or "never".
pub(super) fn past(deed: &Deed) -> String {
    match deed {
        Deed::Row { ready: Some((ready, total)), status } => {
            format!("reached {ready}/{total} {status}")
        }
        Deed::Row { ready: None, status } => format!("reached {status}"),
        Deed::Gone => "went away".to_owned(),
        Deed::Reports { reason, .. } => format!("reported {reason}"),
        Deed::Logs(pattern) => format!("logged {}", pattern.said()),
        Deed::State(word) => format!("became {word}"),
        Deed::Ready(true) => "became ready".to_owned(),
        Deed::Ready(false) => "became not ready".to_owned(),
        Deed::Starts => "started".to_owned(),
        Deed::Exits(Some(code)) => format!("exited with {code}"),
        Deed::Exits(None) => "exited".to_owned(),
        Deed::Restarts => "restarted".to_owned(),
        Deed::Listens(port) => format!("listened on {port}"),
        Deed::Probe { probe, ok } => {
            let verb = if *ok { "passed" } else { "failed" };
            format!("{verb} its {} probe", probe_word(*probe))
        }
        Deed::Request { to, ok: true, .. } => format!("got an answer from {to}"),
        Deed::Request { to, ok: false, .. } => format!("failed to reach {to}"),
        Deed::Contains(pattern) => format!("held {}", pattern.said()),
        Deed::Exists => "came to be".to_owned(),
        Deed::Endpoints(n) => format!("had {n} endpoints"),
    }
}

/// "pod web", "container shipper".
pub(super) fn kind_of(who: &Who) -> String {
    match who {
        Who::Container { name, .. } => format!("container {name}"),
        other => other.said(),
    }
}

pub(super) fn n_times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

pub(super) fn last_line(text: &str) -> &str {
    text.trim_end().rsplit('\n').next().unwrap_or("")
}

/// Quoted, and cut where it would make the sentence long.
pub(super) fn short(text: &str) -> String {
    const CHARS_MAX: usize = 90;
    match text.char_indices().nth(CHARS_MAX) {
        Some((cut, _)) => format!("\"{}...\"", text.get(..cut).unwrap_or("")),
        None => format!("\"{text}\""),
    }
}
