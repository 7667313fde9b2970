//! What containers did, told as events and entered in the kubelet's books.

use crate::sim::control::policy;
use crate::sim::model::{PodId, RecordState};
use crate::sim::runtime::{News, Notice};
use crate::sim::world::{Reply, World};
use crate::trace::{Change, EventId, FileChange, Name, Subject, What};
use std::collections::BTreeSet;

/// Enters what came together, each at its instant. With the first reply, whoever this or what
/// comes after it concerns is woken in the order of pods.
pub(crate) fn enter_all(world: &World, notices: Vec<Notice>) {
    let is_reply = |one: &Notice| matches!(one.news, News::Ran { .. } | News::Answered { .. });
    let first = notices.iter().position(is_reply).unwrap_or(notices.len());
    let concerned: BTreeSet<PodId> = {
        let state = world.st();
        let pod = |one: &Notice| match &one.news {
            News::Ran { ask, .. } | News::Answered { ask, .. } => state.asked.get(ask).copied(),
            News::Exited { .. } => state.runs.get(&one.from?).map(|(id, _)| *id),
            _ => None,
        };
        notices[first..].iter().filter_map(pod).collect()
    };
    for (idx, notice) in notices.into_iter().enumerate() {
        world.clock.set_now(notice.at);
        if idx == first {
            concerned.iter().for_each(|id| super::raise(world, *id));
        }
        enter(world, notice);
    }
}

fn enter(world: &World, notice: Notice) {
    let from = notice.from.and_then(|handle| world.st().runs.get(&handle).cloned());
    match notice.news {
        News::Ran { ask, code, output } => reply(world, ask, Reply::Ran { code, output }),
        News::Answered { ask, answer } => reply(world, ask, Reply::Answered(answer)),
        news => match from {
            Some((id, container)) => inside(world, id, &container, notice.at, news),
            None => outside(world, news),
        },
    }
}

fn reply(world: &World, ask: crate::sim::runtime::Ask, reply: Reply) {
    let state = &mut world.st();
    // Nobody waits any more for what comes too late.
    if state.asked.contains_key(&ask) {
        state.replies.insert(ask, reply);
    }
}

fn outside(world: &World, news: News) {
    let what = match news {
        News::Limit { sentence } => What::Limit { sentence },
        News::NotSimulated { what, .. } => What::NotSimulated { what },
        _ => return,
    };
    world.st().emit(Subject::Cluster, what, None, None);
}

fn inside(world: &World, id: PodId, container: &Name, at: crate::time::SimTime, news: News) {
    let Some((subject, mut cause)) = world.pod(id, |pod| {
        let newest = pod.kubelet.actual.newest(container);
        (pod.container_subject(container), newest.map(|r| r.event))
    }) else {
        return;
    };
    let mut state = world.st();
    let mut origin = None;
    let what = match news {
        News::Log { stderr, line } => {
            keep_tail(&mut state, id, container, &line);
            What::Log { stderr, line }
        }
        News::Exited { code, signal, oom } => {
            drop(state);
            exited(world, id, container, (code, signal, oom));
            return;
        }
        News::Wrote { place, path, change } => {
            let change = cut(&mut state, &subject, change, cause.unwrap_or(EventId(0)));
            What::Wrote(Box::new(FileChange { place: place.as_str().into(), path, change }))
        }
        News::Listening { address, port } => What::Listening { address, port },
        News::StoppedListening { port } => What::StoppedListening { port },
        News::Dropped(dropped) => {
            let to = dropped.to.clone();
            let (what, why, span) = policy::told(&state, &dropped);
            let event = state.emit_at(at, subject, what, why.or(cause), span);
            state.drops.insert((id, container.clone(), to), event);
            return;
        }
        News::Request { mut request, by } => {
            let lookup = (request.outcome == "bad address").then(|| "kube-dns".to_owned());
            let to = lookup.unwrap_or_else(|| request.to.clone());
            let stopped = state.drops.get(&(id, container.clone(), to)).copied();
            cause = stopped.filter(|_| !request.ok).or(cause);
            let by = by.and_then(|handle| state.runs.get(&handle).cloned());
            request.served_by = by.and_then(|(pod, container)| {
                state.pods.get(&pod).map(|pod| (pod.name.clone(), container))
            });
            What::Request(request)
        }
        News::NotSimulated { what, offset } => {
            origin = state.pods.get(&id).and_then(|pod| script_span(pod, container, offset));
            What::NotSimulated { what }
        }
        News::Limit { sentence } => What::Limit { sentence },
        News::Ran { .. } | News::Answered { .. } => return,
    };
    state.emit_at(at, subject, what, cause, origin);
}

/// Where in the manifest an offset of the container's `-c` script stands.
fn script_span(
    pod: &crate::sim::model::Pod,
    container: &str,
    offset: Option<u32>,
) -> Option<crate::text::Span> {
    let container = pod.container(container)?;
    let whole = pod.span(&format!("{}.command", container.path));
    let Some(offset) = offset else { return whole };
    let words = container.spec.command.iter().flatten().map(String::as_str);
    let mut all: Vec<(String, &str)> = Vec::new();
    all.extend(words.enumerate().map(|(i, w)| (format!("{}.command[{i}]", container.path), w)));
    let words = container.spec.args.iter().flatten().map(String::as_str);
    all.extend(words.enumerate().map(|(i, w)| (format!("{}.args[{i}]", container.path), w)));
    let at = all.iter().position(|(_, word)| *word == "-c")?;
    let (path, _) = all.get(at + 1)?;
    pod.template.source.span_in(path, offset).or(whole)
}

fn cut(
    state: &mut crate::sim::world::State,
    subject: &Subject,
    change: Change,
    cause: EventId,
) -> Change {
    match change {
        Change::Set { content, .. } => super::volumes::set_change(state, subject, &content, cause),
        Change::Append { content, size } => {
            let content = super::volumes::told(state, subject, &content, cause);
            Change::Append { content, size }
        }
        other => other,
    }
}

fn exited(
    world: &World,
    id: PodId,
    container: &Name,
    (code, signal, oom): (i32, Option<String>, bool),
) {
    let now = world.now();
    let found = world.pod(id, |pod| {
        let newest = pod.kubelet.actual.newest(container)?;
        let running = newest.state == RecordState::Running;
        let path = pod.container(container).map(|c| c.path.clone())?;
        let limit = oom.then(|| pod.span(&format!("{path}.resources.limits.memory"))).flatten();
        let command = pod.span(&format!("{path}.command"));
        let subject = pod.container_subject(container);
        running.then(|| (subject, newest.event, limit.or(command), newest.handle))
    });
    let Some((subject, cause, origin, handle)) = found.flatten() else { return };
    let message = handle.and_then(|handle| termination_message(world, id, container, handle, code));
    let signal = signal.as_deref().map(Name::from);
    let what = What::Exited { code, signal, oom };
    let event = world.st().emit(subject, what, Some(cause), origin);
    world.pod(id, |pod| {
        let records = pod.kubelet.actual.records.get_mut(container);
        let Some(newest) = records.and_then(|list| list.last_mut()) else { return };
        newest.state = RecordState::Exited;
        newest.finished_at = now;
        newest.exit_code = code;
        newest.reason = match (oom, code) {
            (true, _) => "OOMKilled",
            (false, 0) => "Completed",
            (false, _) => "Error",
        };
        newest.message = message;
        newest.event = event;
    });
    super::raise(world, id);
}

/// Longest termination message kept, in bytes.
const MESSAGE_MAX: usize = 4096;

fn termination_message(
    world: &World,
    id: PodId,
    container: &Name,
    handle: crate::sim::runtime::Handle,
    code: i32,
) -> Option<String> {
    let path = world.pod(id, |pod| {
        let spec = &pod.container(container)?.spec;
        Some(spec.termination_message_path.clone().unwrap_or("/dev/termination-log".to_owned()))
    });
    let tail = world.pod(id, |pod| pod.kubelet.tails.remove(container)).flatten();
    let bytes = world.rt().read(handle, &path.flatten()?).unwrap_or_default();
    let text = last_bytes(&bytes, MESSAGE_MAX);
    if text.is_empty() && code != 0 {
        let lines = tail.map(|lines| lines.concat()).unwrap_or_default();
        return Some(last_bytes(lines.as_bytes(), TAIL_MAX)).filter(|t| !t.is_empty());
    }
    Some(text).filter(|t| !t.is_empty())
}

fn last_bytes(bytes: &[u8], most: usize) -> String {
    let from = bytes.len().saturating_sub(most);
    String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned()
}

/// Most lines and bytes of a log that stand in for a termination message.
// Models pkg/kubelet/container MaxContainerTerminationMessageLogLines, -LogLength (v1.36).
const TAIL_LINES: usize = 80;
const TAIL_MAX: usize = 2048;

/// Remembers the last log lines where `FallbackToLogsOnError` may want them.
fn keep_tail(state: &mut crate::sim::world::State, id: PodId, container: &Name, line: &str) {
    let Some(pod) = state.pods.get_mut(&id) else { return };
    let policy =
        pod.container(container).and_then(|c| c.spec.termination_message_policy.as_deref());
    if policy == Some("FallbackToLogsOnError") {
        let lines = pod.kubelet.tails.entry(container.clone()).or_default();
        lines.push(format!("{line}\n"));
        let n_old = lines.len().saturating_sub(TAIL_LINES);
        lines.drain(..n_old);
    }
}
