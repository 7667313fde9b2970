//! What is picked, closely: its state, the chain of causes, where the manifest says so.

use super::app::{fill, read, send, sends};
use super::el::{Kid, button, div, el};
use super::panels::subject;
use super::{acts, icons};
use crate::kubectl::human_duration;
use crate::session::lanes::Look;
use crate::session::{Msg, Part, Pick, Session};
use crate::trace::{self, ContainerView, Name};

/// Sentences of a story shown.
const STORY_MAX: usize = 12;

pub(crate) fn view() -> Kid {
    let found = read(&[Part::Pick, Part::Shown, Part::Run], |s| {
        let pick = s.bench.pick.clone()?;
        Some((title(&pick, s), facts(&pick, s), story(s), s.bench.picked_span(), pick))
    });
    let Some((title, facts, story, span_, pick)) = found else { return Kid::Nothing };
    let head = div("inspector-head").kid(el("h3").text(title)).kid(icons::button(
        "quiet",
        icons::CLOSE,
        "Close the story",
        Msg::Pick(None),
    ));
    let gone = facts.is_empty();
    let rows = facts.into_iter().flat_map(|(k, v)| [el("dt").say(k), el("dd").text(v)]);
    let mut out = el("aside").class("inspector").label("What is picked").kid(head);
    let mut actions = div("row");
    if let Some(place) = span_ {
        actions = actions.kid(button("primary", "Show in manifest", sends(Msg::JumpTo(place))));
    }
    if let Pick::Container(pod, name) = &pick {
        actions =
            actions.kid(button("", "Logs", sends(Msg::LogOf(Some((pod.clone(), name.clone()))))));
    }
    if let Pick::Volume(_, place) = &pick {
        let place = place.clone();
        actions = actions.kid(button("", "Files", move || {
            send(Msg::FileOf(Some((place.clone(), String::new()))));
        }));
    }
    out = out.kid(actions).kid(acts::menu(&pick)).kid(el("dl").kids(rows));
    if gone {
        out = out.kid(div("empty").say("Not there at this instant."));
    }
    if !story.is_empty() {
        let steps = story.into_iter().take(STORY_MAX).map(|text| el("li").text(text));
        out = out.kid(el("h4").say("Why?")).kid(el("ol").class("story").kids(steps));
    }
    out.into()
}

fn title(pick: &Pick, s: &Session) -> String {
    match pick {
        Pick::Event(id) => {
            let event = s.bench.run.timeline.events.get(id.0 as usize);
            event.map_or(String::new(), |e| fill("{} at {} s", &[&subject(&e.subject), &e.at]))
        }
        Pick::Pod(name) => format!("pod {name}"),
        Pick::Container(_, name) => format!("container {name}"),
        Pick::Volume(_, place) => {
            format!("volume {}", place.strip_prefix("volume:").unwrap_or(place))
        }
        Pick::Object(kind, name) => format!("{kind}/{name}"),
    }
}

/// The event's why, or that of what made the picked thing as it is.
fn story(s: &Session) -> Vec<String> {
    let event = s.bench.picked_event();
    event.map_or(Vec::new(), |id| trace::words::why(&s.bench.run.timeline, id))
}

fn facts(pick: &Pick, s: &Session) -> Vec<(&'static str, String)> {
    let pods = &s.bench.shown().pods;
    match pick {
        Pick::Event(id) => {
            let event = s.bench.run.timeline.events.get(id.0 as usize);
            event.map_or(Vec::new(), |e| vec![("what", e.sentence())])
        }
        Pick::Pod(name) => pods.get(name).map_or(Vec::new(), |pod| {
            let mut out = vec![
                ("status", pod.status.clone()),
                ("phase", pod.phase.clone()),
                ("restart policy", pod.shape.restart_policy.clone()),
                ("grace", format!("{} s", pod.shape.grace_secs)),
            ];
            if let Some((reason, message)) = &pod.reason {
                out.push(("reason", format!("{reason}: {message}")));
            }
            for (kind, (status, reason, _)) in &pod.conditions {
                let reason = reason.as_ref().map_or(String::new(), |r| format!(" ({r})"));
                out.push(("condition", format!("{kind} is {status}{reason}")));
            }
            out
        }),
        Pick::Container(pod, name) => {
            let found = pods.get(pod).and_then(|p| p.containers.get(name).map(|c| (p, c)));
            found.map_or(Vec::new(), |(pod, container)| container_facts(pod, name, container))
        }
        Pick::Volume(pod, place) => pods.get(pod).map_or(Vec::new(), |p| {
            let name = place.strip_prefix("volume:").unwrap_or(place);
            let volume = p.shape.volumes.iter().find(|v| &*v.name == name);
            let kind = volume.map_or(String::new(), |v| format!("{} {}", v.kind, v.detail));
            let n = p.files.iter().filter(|((at, _), f)| at == place && !f.is_dir).count();
            vec![("kind", kind.trim().to_owned()), ("files", n.to_string())]
        }),
        Pick::Object(kind, name) => {
            let view = s.bench.shown().objects.get(&(kind.clone(), name.clone()));
            view.map_or(Vec::new(), |view| {
                let age = human_duration(s.bench.player.cursor - view.created_at);
                let mut out = vec![("kind", kind.to_string()), ("age", age)];
                if !view.cells.is_empty() {
                    out.push(("status", view.cells.join("  ")));
                }
                let lists = [("ready", &view.ready), ("not ready", &view.not_ready)];
                let some = lists.into_iter().filter(|(_, list)| !list.is_empty());
                out.extend(some.map(|(word, list)| (word, list.join(", "))));
                out
            })
        }
    }
}

fn container_facts(
    pod: &trace::PodView,
    name: &Name,
    container: &ContainerView,
) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    if let Some(shape) = pod.shape.containers.iter().find(|c| c.name == *name) {
        out.push(("image", shape.image.clone()));
        if !shape.command.is_empty() {
            out.push(("command", shape.command.join(" ")));
        }
        for mount in &shape.mounts {
            let only = if mount.read_only { ", read only" } else { "" };
            out.push(("mount", format!("{} at {}{only}", mount.volume, mount.path)));
        }
    }
    if let Some(status) = &container.status {
        let (look, word) = Look::of(status);
        out.push(("state", word));
        if look != Look::Completed {
            out.push(("ready", status.ready.to_string()));
        }
        out.push(("restarts", status.restart_count.to_string()));
        if let Some(last) = &status.last {
            out.push(("before", last_word(last)));
        }
    }
    for (port, address) in &container.listening {
        out.push(("listens", format!("{address}:{port}")));
    }
    for (kind, (_, ok, detail)) in &container.probes {
        let word = if *ok { "ok" } else { "failed" };
        out.push(("probe", format!("{} {word} {detail}", kind.word())));
    }
    if let Some(what) = &container.not_simulated {
        out.push(("not simulated", what.clone()));
    }
    out
}

fn last_word(state: &trace::State) -> String {
    match state {
        trace::State::Terminated { reason, exit_code, .. } => format!("{reason}, code {exit_code}"),
        trace::State::Waiting { reason, .. } => reason.clone(),
        trace::State::Running { .. } => "Running".to_owned(),
    }
}
