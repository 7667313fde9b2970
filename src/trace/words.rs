//! Events as sentences for people: the list, the screen reader, and "why?". No markup.

use super::{Change, ContainerStatus, Event, EventId, Request, State, Subject, Timeline, What};

/// The answer to "why?": the event and what led to it, nearest cause first, one sentence each.
pub fn why(timeline: &Timeline, id: EventId) -> Vec<String> {
    let chain = timeline.causes(id);
    let mut out: Vec<String> = Vec::new();
    for (i, event) in chain.iter().enumerate() {
        let sentence = event.sentence();
        out.push(match i {
            0 => format!("At {} {sentence}", seconds(event)),
            _ => format!("This came of: at {} {sentence}", seconds(event)),
        });
    }
    if let Some(root) = chain.last().filter(|e| e.cause.is_none()) {
        out.push(match root.what {
            What::Acted { .. } => "Nothing in the cluster asked for it: you did.".to_owned(),
            _ => "That is where the story begins: the manifest asks for it.".to_owned(),
        });
    }
    out
}

fn seconds(event: &Event) -> String {
    let millis = event.at.as_millis();
    format!("{}.{} s", millis / 1000, millis % 1000 / 100)
}

impl Event {
    /// One plain sentence, starting in lower case unless a name starts it, with its full stop.
    pub fn sentence(&self) -> String {
        let who = who(&self.subject);
        match &self.what {
            What::Acted { action } => format!("you did `{action}`."),
            What::Applied => format!("{who} was accepted by the API server."),
            What::Removed => format!("{who} was gone from the API server."),
            What::PodAdded(shape) => match &shape.owner {
                Some(owner) => format!("{owner} created {who}."),
                None => format!("{who} was created."),
            },
            What::ContainerAdded(_) => format!("{who} was added to the pod."),
            What::Row { ready, total, status, restarts, .. } => {
                let times = if *restarts == 1 { "restart" } else { "restarts" };
                format!(
                    "kubectl showed {who} as {status}, {ready}/{total} ready, {restarts} {times}."
                )
            }
            What::Phase { phase } => format!("{who} entered phase {phase}."),
            What::Condition { kind, status, reason, message } => {
                let truth = if *status { "true" } else { "false" };
                let because = message.as_ref().or(reason.as_ref());
                let because = because.map(|b| format!(": {b}")).unwrap_or_default();
                format!("the condition {kind} of {who} became {truth}{because}.")
            }
            What::PodReason { reason, message } => format!("{who} failed, {reason}: {message}"),
            What::Deleting { grace_secs, .. } => {
                format!("{who} was asked to stop and has {grace_secs} s of grace.")
            }
            What::Adopted { owner } => format!("{owner} took {who}, which nobody owned."),
            What::Released { owner } => {
                format!("{owner} let go of {who}, which it no longer selects.")
            }
            What::Status(status) => status_sentence(&who, status),
            What::Reported { warning, reason, message, .. } => {
                let word = if *warning { "warning" } else { "event" };
                format!("{word} {reason} on {who}: {message}")
            }
            What::ObjectRow { cells } => format!("{who} now reads {}.", cells.join(" ")),
            What::Endpoints { ready, not_ready } => endpoints_sentence(&who, ready, not_ready),
            other => inside_sentence(&who, other),
        }
    }
}

fn inside_sentence(who: &str, what: &What) -> String {
    match what {
        What::Pulling { image, .. } => format!("the node pulled image {image} for {who}."),
        What::Started { .. } => format!("the process of {who} started."),
        What::Exited { oom: true, .. } => {
            format!("{who} used more memory than its limit and was killed by the kernel.")
        }
        What::Exited { code: 0, .. } => {
            format!("the process of {who} ended by itself, exit code 0.")
        }
        What::Exited { code, signal: Some(signal), .. } => {
            format!("SIG{signal} ended the process of {who}, exit code {code}.")
        }
        What::Exited { code, .. } => format!("the process of {who} ended with exit code {code}."),
        What::Log { stderr, line } => {
            let stream = if *stderr { "to stderr" } else { "to its log" };
            format!("{who} wrote {stream}: {line}")
        }
        What::Wrote(change) => {
            let place = change.place.strip_prefix("volume:");
            let place = place.map_or("its own file system".to_owned(), |v| format!("volume {v}"));
            wrote_sentence(who, &change.path, &place, &change.change)
        }
        What::Listening { port, .. } => format!("{who} began to listen on port {port}."),
        What::StoppedListening { port } => format!("{who} no longer listens on port {port}."),
        What::Request(request) => request_sentence(who, request),
        What::Probe { probe, ok: true, .. } => {
            format!("the {} probe of {who} passed.", probe.word())
        }
        What::Probe { probe, detail, .. } => {
            format!("the {} probe of {who} failed: {detail}", probe.word())
        }
        What::ProbeVerdict { probe, ok } => {
            let word = if *ok { "passed" } else { "failed" };
            format!("the {} probe of {who} {word} as often as its threshold asks.", probe.word())
        }
        What::HookStarted { hook } => format!("the {} hook of {who} began.", hook.word()),
        What::HookEnded { hook, ok: true, .. } => {
            format!("the {} hook of {who} ended.", hook.word())
        }
        What::HookEnded { hook, detail, .. } => {
            format!("the {} hook of {who} failed: {detail}", hook.word())
        }
        What::Signalled { signal } => format!("SIG{signal} was sent to {who}."),
        What::BackOff { delay, .. } => {
            format!("the kubelet waits {} s before it tries {who} again.", delay.as_secs())
        }
        What::Grace { until } => format!("{who} has until {until} s to stop by itself."),
        What::Usage { cpu_millis, memory_bytes } => {
            let mib = memory_bytes >> 20;
            format!("{who} used {cpu_millis} thousandths of a CPU and {mib} MiB of memory.")
        }
        What::NotSimulated { what } => format!("not simulated in {who}: {what}"),
        What::Limit { sentence } => sentence.clone(),
        What::Note { text } => text.clone(),
        _ => String::new(),
    }
}

fn who(subject: &Subject) -> String {
    match subject {
        Subject::Cluster => "the cluster".to_owned(),
        Subject::Node(name) => format!("node {name}"),
        Subject::Pod(name) => format!("pod {name}"),
        Subject::Container { pod, container } => format!("container {container} of pod {pod}"),
        Subject::Object { kind, name } => format!("{kind} {name}"),
    }
}

fn status_sentence(who: &str, status: &ContainerStatus) -> String {
    match &status.state {
        State::Waiting { reason, message: Some(message) } => {
            format!("{who} was waiting, {reason}: {message}")
        }
        State::Waiting { reason, .. } => format!("{who} was waiting, {reason}."),
        State::Running { .. } if status.ready => format!("{who} was running and ready."),
        State::Running { .. } => format!("{who} was running, not ready yet."),
        State::Terminated { reason, exit_code, .. } => {
            format!("{who} had ended, {reason}, exit code {exit_code}.")
        }
    }
}

fn endpoints_sentence(who: &str, ready: &[String], not_ready: &[String]) -> String {
    match (ready.len(), not_ready.len()) {
        (0, 0) => format!("{who} has nobody behind it."),
        (0, n) => format!("{who} has nobody ready behind it, {n} not ready."),
        (n, 0) => format!("{who} sends requests to {n} ready: {}.", ready.join(", ")),
        (n, m) => format!("{who} sends requests to {n} ready, {m} more are not ready."),
    }
}

fn wrote_sentence(who: &str, path: &str, place: &str, change: &Change) -> String {
    match change {
        Change::Set { size, .. } => format!("{who} wrote {path} in {place}, {size} bytes."),
        Change::Append { content, .. } => {
            format!("{who} added {} bytes to {path} in {place}.", content.len())
        }
        Change::MakeDir => format!("{who} made the directory {path} in {place}."),
        Change::Remove => format!("{who} removed {path} from {place}."),
        Change::RenameTo { path: to } => format!("{who} renamed {path} to {to} in {place}."),
    }
}

fn request_sentence(who: &str, request: &Request) -> String {
    let asked = match request.summary.as_str() {
        "" => format!("{who} connected to {}", request.to),
        summary => format!("{who} asked {} for {summary}", request.to),
    };
    let by = match &request.served_by {
        Some((pod, container)) => format!(", answered by container {container} of pod {pod}"),
        None => String::new(),
    };
    format!("{asked}: {}{by}.", request.outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SimTime;
    use crate::trace::ProbeKind;

    fn timeline() -> Timeline {
        let app = Subject::Container { pod: "web".into(), container: "app".into() };
        let probe = What::Probe { probe: ProbeKind::Liveness, ok: false, detail: "refused".into() };
        let whats = [
            (Subject::Object { kind: "pod".into(), name: "web".into() }, What::Applied, None),
            (app.clone(), What::Started { pid: 1 }, Some(0)),
            (app.clone(), probe, Some(1)),
            (app, What::Signalled { signal: "TERM".into() }, Some(2)),
        ];
        let events = whats.into_iter().enumerate().map(|(i, (subject, what, cause))| Event {
            id: EventId(i as u32),
            at: SimTime::from_millis(i as u64 * 1500),
            subject,
            what,
            cause: cause.map(EventId),
            origin: None,
        });
        let mut timeline = Timeline::default();
        timeline.extend(events, SimTime::from_secs(10));
        timeline
    }

    #[test]
    fn why_tells_the_chain_nearest_cause_first() {
        let expected = [
            "At 4.5 s SIGTERM was sent to container app of pod web.",
            "This came of: at 3.0 s the liveness probe of container app of pod web failed: refused",
            "This came of: at 1.5 s the process of container app of pod web started.",
            "This came of: at 0.0 s pod web was accepted by the API server.",
            "That is where the story begins: the manifest asks for it.",
        ];
        assert_eq!(why(&timeline(), EventId(3)), expected);
        assert_eq!(why(&timeline(), EventId(99)), [""; 0]);
    }

    #[test]
    fn a_line_holds_number_time_subject_word_details_and_cause() {
        let text = crate::trace::text::render(&timeline(), "");
        let line = text.lines().nth(2).expect("three events");
        assert_eq!(
            line,
            "#2        3.000  web/app              probe         liveness failed refused  <- #1"
        );
    }
}
