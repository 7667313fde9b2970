//! Moments in a run: the events at which what a moment says becomes true.

use super::{Deed, Moment, Pattern, Who, files};
use crate::trace::{ContainerStatus, Event, Name, ProbeKind, State, Subject, Timeline, What};
use std::collections::BTreeMap;

/// Indices of the events that show it, in order. A state counts when it begins, not while it lasts.
pub(super) fn find(moment: &Moment, timeline: &Timeline) -> Vec<usize> {
    if let Who::File { place, name, path } = &moment.who {
        return files::find(place, name, path, &moment.deed, timeline);
    }
    let mut holds: BTreeMap<&Subject, bool> = BTreeMap::new();
    let mut seen = Seen::default();
    let mut found = Vec::new();
    for (idx, event) in timeline.events.iter().enumerate() {
        if !moment.who.is(&event.subject) {
            continue;
        }
        match matches(&moment.deed, event, &mut seen) {
            Match::No => {}
            Match::Yes => found.push(idx),
            Match::State(now) => {
                let before = holds.insert(&event.subject, now).unwrap_or(false);
                if now && !before {
                    found.push(idx);
                }
            }
        }
    }
    found
}

enum Match {
    No,
    Yes,
    /// The state asked for holds from here on, or does not.
    State(bool),
}

/// What has to be remembered from event to event.
#[derive(Default)]
struct Seen<'a> {
    restarts: BTreeMap<&'a Subject, u32>,
}

fn matches<'a>(deed: &Deed, event: &'a Event, seen: &mut Seen<'a>) -> Match {
    let yes = |truth: bool| if truth { Match::Yes } else { Match::No };
    match (deed, &event.what) {
        (Deed::Row { ready, status }, What::Row { ready: r, total, status: s, .. }) => {
            Match::State(row(*ready, status, (*r, *total), s))
        }
        (Deed::Gone, What::Removed) => Match::Yes,
        (Deed::Reports { reason, message }, What::Reported { reason: r, message: m, .. }) => {
            yes(**r == **reason && message.as_ref().is_none_or(|p| p.finds(m)))
        }
        (Deed::Logs(pattern), What::Log { line, .. }) => yes(pattern.finds(line)),
        (Deed::State(word), What::Status(status)) => Match::State(in_state(status, word)),
        (Deed::Ready(want), What::Status(status)) => {
            let running = matches!(status.state, State::Running { .. });
            Match::State(status.ready == *want && (*want || running))
        }
        (Deed::Starts, What::Started { .. }) => Match::Yes,
        (Deed::Exits(None), What::Exited { .. }) => Match::Yes,
        (Deed::Exits(Some(want)), What::Exited { code, .. }) => yes(code == want),
        (Deed::Restarts, What::Status(status)) => yes(more(event, status.restart_count, seen)),
        (Deed::Restarts, What::Row { restarts, .. }) => yes(more(event, *restarts, seen)),
        (Deed::Listens(want), What::Listening { port, .. }) => yes(port == want),
        (Deed::Probe { probe: p, ok: o }, What::Probe { probe, ok, .. }) => {
            yes(p == probe && o == ok)
        }
        (Deed::Request { to, ok, answer }, What::Request(request)) => yes(request.ok == *ok
            && asked(to, &request.to, &request.summary)
            && answer.as_ref().is_none_or(|p| p.finds(&request.outcome))),
        (Deed::Endpoints(n), What::Endpoints { ready, .. }) => Match::State(ready.len() == *n),
        _ => Match::No,
    }
}

fn more<'a>(event: &'a Event, restarts: u32, seen: &mut Seen<'a>) -> bool {
    let before = seen.restarts.insert(&event.subject, restarts).unwrap_or(0);
    restarts > before
}

pub(super) fn row(ready: Option<(u32, u32)>, status: &str, is: (u32, u32), shown: &str) -> bool {
    status == shown && ready.is_none_or(|want| want == is)
}

fn in_state(status: &ContainerStatus, word: &str) -> bool {
    match &status.state {
        State::Waiting { reason, .. } => word == "Waiting" || word == reason,
        State::Running { .. } => word == "Running",
        State::Terminated { reason, .. } => word == "Terminated" || word == reason,
    }
}

/// `localhost:9102/metrics` asks for the address and the path; `localhost:9102` for the address;
/// host and port may be `*`.
fn asked(want: &str, to: &str, summary: &str) -> bool {
    let is_there = |want: &str| match want.strip_prefix("*:") {
        Some("*") => true,
        Some(port) => to.rsplit(':').next() == Some(port),
        None => want == to,
    };
    match want.split_once('/') {
        None => is_there(want),
        Some((address, path)) => {
            let path = format!("/{path}");
            is_there(address) && summary.split(' ').nth(1).is_some_and(|p| p == path)
        }
    }
}

impl Who {
    pub(super) fn is(&self, subject: &Subject) -> bool {
        match (self, subject) {
            (Who::Pod(name), Subject::Pod(pod)) => is_named(name, pod),
            (Who::Container { name, pod: None }, Subject::Container { container, .. }) => {
                is_named(name, container)
            }
            (Who::Container { name, pod: Some(of) }, Subject::Container { pod, container }) => {
                is_named(name, container) && is_named(of, pod)
            }
            (Who::Service(name), Subject::Object { kind, name: own }) => {
                &**kind == "service" && is_named(name, own)
            }
            _ => false,
        }
    }

    /// As it is said in a sentence.
    pub(super) fn said(&self) -> String {
        match self {
            Who::Pod(name) => format!("pod {name}"),
            Who::Container { name, .. } => name.clone(),
            Who::File { path, .. } => path.clone(),
            Who::Service(name) => format!("Service {name}"),
        }
    }
}

fn is_named(want: &str, name: &Name) -> bool {
    match want.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => want == &**name,
    }
}

impl Pattern {
    pub(super) fn finds(&self, text: &str) -> bool {
        match self {
            Pattern::Text(part) => text.contains(part.as_str()),
            // A search that gives up finds nothing.
            Pattern::Expression(e) => e.regex.is_match(text.as_bytes()).unwrap_or(false),
        }
    }

    pub(super) fn said(&self) -> String {
        match self {
            Pattern::Text(text) => format!("\"{text}\""),
            Pattern::Expression(e) => format!("/{}/", e.text),
        }
    }
}

pub(super) fn probe_word(probe: ProbeKind) -> &'static str {
    match probe {
        ProbeKind::Startup => "startup",
        ProbeKind::Liveness => "liveness",
        ProbeKind::Readiness => "readiness",
    }
}
