//! A timeline as text: one event a line in fixed columns, the same for goldens, the command line,
//! the copy button and bug reports.
//!
//! ```text
//! #7        2.104  web/app              started       pid 1                    <- #5  @14:5
//! ```
//! Columns: number, seconds, subject, word, details, cause, place in the manifest.

use super::{Change, Event, State, Subject, Timeline, What};
use crate::text::LineIndex;

/// The whole run; `manifest` is the text the origins point into.
pub fn render(timeline: &Timeline, manifest: &str) -> String {
    render_upto(timeline, manifest, timeline.events.len())
}

/// The first `n` events.
pub fn render_upto(timeline: &Timeline, manifest: &str, n: usize) -> String {
    let index = LineIndex::new(manifest);
    let mut out = String::new();
    for event in timeline.events.iter().take(n) {
        out.push_str(&line(event, manifest, &index));
        out.push('\n');
    }
    out
}

/// One line, without its end.
pub fn line(event: &Event, manifest: &str, index: &LineIndex) -> String {
    let number = format!("#{}", event.id.0);
    let subject = event.subject.to_string();
    let (word, details) = (event.what.word(), event.what.details());
    let mut out = format!("{number:<6}{:>9}  {subject:<20} {word:<13} {details}", event.at);
    out.truncate(out.trim_end().len());
    if let Some(cause) = event.cause {
        out.push_str(&format!("  <- #{}", cause.0));
    }
    if let Some(origin) = event.origin {
        let at = index.line_col(manifest, origin.start);
        out.push_str(&format!("  @{}:{}", at.line, at.column));
    }
    out
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Subject::Cluster => "cluster".to_owned(),
            Subject::Node(name) => format!("node/{name}"),
            Subject::Pod(name) => format!("pod/{name}"),
            Subject::Container { pod, container } => format!("{pod}/{container}"),
            Subject::Object { kind, name } => format!("{kind}/{name}"),
        };
        f.pad(&text)
    }
}

impl What {
    /// One lower-case word (hyphens allowed) that names the kind of event.
    pub fn word(&self) -> &'static str {
        match self {
            What::Acted { .. } => "acted",
            What::Applied => "applied",
            What::Removed => "removed",
            What::PodAdded(_) => "pod-added",
            What::ContainerAdded(_) => "container-added",
            What::Row { .. } => "row",
            What::Phase { .. } => "phase",
            What::Condition { .. } => "condition",
            What::PodReason { .. } => "reason",
            What::Deleting { .. } => "deleting",
            What::Adopted { .. } => "adopted",
            What::Released { .. } => "released",
            What::Status(_) => "status",
            What::Reported { warning: false, .. } => "event",
            What::Reported { warning: true, .. } => "warning",
            What::ObjectRow { .. } => "row",
            What::Endpoints { .. } => "endpoints",
            What::Pulling { .. } => "pulling",
            What::Started { .. } => "started",
            What::Exited { .. } => "exited",
            What::Log { .. } => "log",
            What::Wrote(_) => "wrote",
            What::Listening { .. } => "listening",
            What::StoppedListening { .. } => "not-listening",
            What::Request(_) => "request",
            What::Probe { .. } => "probe",
            What::ProbeVerdict { .. } => "probe-verdict",
            What::HookStarted { .. } => "hook-started",
            What::HookEnded { .. } => "hook-ended",
            What::Signalled { .. } => "signal",
            What::BackOff { .. } => "back-off",
            What::Grace { .. } => "grace",
            What::Usage { .. } => "usage",
            What::NotSimulated { .. } => "not-simulated",
            What::Limit { .. } => "limit",
            What::Note { .. } => "note",
        }
    }

    /// The rest of the line, on one line whatever the content.
    pub fn details(&self) -> String {
        one_line(&match self {
            What::Applied | What::Removed => String::new(),
            What::PodAdded(shape) => {
                let names: Vec<&str> = shape.containers.iter().map(|c| &*c.name).collect();
                names.join(" ")
            }
            What::ContainerAdded(shape) => format!("{} {}", shape.image, shape.command.join(" ")),
            What::Row { ready, total, status, restarts, .. } => {
                format!("{ready}/{total} {status} {restarts}")
            }
            What::Condition { kind, status, reason, .. } => {
                let status = if *status { "True" } else { "False" };
                format!("{kind}={status} {}", reason.as_deref().unwrap_or(""))
            }
            What::Status(status) => status_words(status),
            What::Reported { reason, message, .. } => format!("{reason}: {message}"),
            What::Endpoints { ready, not_ready } => {
                format!("ready [{}] not ready [{}]", ready.join(" "), not_ready.join(" "))
            }
            What::Request(request) => {
                let word = if request.summary.is_empty() { "connect" } else { &request.summary };
                format!("{} {word}: {}", request.to, request.outcome)
            }
            What::Wrote(change) => {
                format!("{}/{} {}", change.place, change.path, change_words(&change.change))
            }
            other => other.plain_details(),
        })
    }

    fn plain_details(&self) -> String {
        match self {
            What::Acted { action: text }
            | What::Phase { phase: text }
            | What::NotSimulated { what: text }
            | What::Limit { sentence: text }
            | What::Note { text } => text.clone(),
            What::PodReason { reason, message } => format!("{reason}: {message}"),
            What::Deleting { grace_secs, deadline } => {
                format!("grace {grace_secs}s until {deadline}")
            }
            What::Adopted { owner } | What::Released { owner } => format!("by {owner}"),
            What::ObjectRow { cells } => cells.join(" "),
            What::Pulling { image, done_at } => format!("{image} until {done_at}"),
            What::Started { pid } => format!("pid {pid}"),
            What::Exited { code, signal, oom } => {
                let signal = signal.as_ref().map(|s| format!(" by SIG{s}")).unwrap_or_default();
                format!("{code}{signal}{}", if *oom { " out of memory" } else { "" })
            }
            What::Log { stderr, line } => format!("{} {line}", if *stderr { "!" } else { "|" }),
            What::Listening { address, port } => format!("{address}:{port}"),
            What::StoppedListening { port } => format!(":{port}"),
            What::Probe { probe, ok, detail } => {
                format!("{} {} {detail}", probe.word(), if *ok { "ok" } else { "failed" })
            }
            What::ProbeVerdict { probe, ok } => {
                format!("{} {}", probe.word(), if *ok { "success" } else { "failure" })
            }
            What::HookStarted { hook } => hook.word().to_owned(),
            What::HookEnded { hook, ok, detail } => {
                format!("{} {} {detail}", hook.word(), if *ok { "ok" } else { "failed" })
            }
            What::Signalled { signal } => format!("SIG{signal}"),
            What::BackOff { until, delay } => format!("{delay}s until {until}"),
            What::Grace { until } => format!("until {until}"),
            What::Usage { cpu_millis, memory_bytes } => {
                format!("cpu {cpu_millis}m memory {memory_bytes}")
            }
            _ => String::new(),
        }
    }
}

fn status_words(status: &super::ContainerStatus) -> String {
    let state = match &status.state {
        State::Waiting { reason, .. } => format!("waiting {reason}"),
        State::Running { .. } => "running".to_owned(),
        State::Terminated { reason, exit_code, .. } => format!("terminated {reason} {exit_code}"),
    };
    let flag = |on: bool, word: &'static str| if on { word } else { "" };
    let (ready, started) = (flag(status.ready, " ready"), flag(status.started, " started"));
    format!("{state} restarts {}{ready}{started}", status.restart_count)
}

fn change_words(change: &Change) -> String {
    match change {
        Change::Set { size, .. } => format!("set, {size} bytes"),
        Change::Append { content, size } => format!("+{}, {size} bytes", content.len()),
        Change::MakeDir => "made".to_owned(),
        Change::Remove => "removed".to_owned(),
        Change::RenameTo { path } => format!("renamed to {path}"),
    }
}

/// Control characters written as escapes, so that an event never breaks its line.
fn one_line(text: &str) -> String {
    if !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if ch.is_control() {
            out.extend(ch.escape_default());
        } else {
            out.push(ch);
        }
    }
    out
}

impl super::ProbeKind {
    /// As the manifest spells its field, without `Probe`.
    pub fn word(self) -> &'static str {
        match self {
            super::ProbeKind::Startup => "startup",
            super::ProbeKind::Liveness => "liveness",
            super::ProbeKind::Readiness => "readiness",
        }
    }
}

impl super::HookKind {
    /// As the manifest spells it.
    pub fn word(self) -> &'static str {
        match self {
            super::HookKind::PostStart => "postStart",
            super::HookKind::PreStop => "preStop",
        }
    }
}
