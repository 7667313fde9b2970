//! Doing something to the cluster: buttons for what is looked at, the list of everything that can
//! be done, and taking it back. What can be done is `session::acts`'.

use super::app::{fill, peek, read, send, sends};
use super::el::{El, Kid, button, div, el, says, span};
use super::transport::clock_text;
use crate::session::acts::{self, Act};
use crate::session::{Msg, Part, Pick, Session};
use leptos::prelude::{ArcRwSignal, Get, GetUntracked, Set};
use wasm_bindgen::JsCast;

/// Pods that can be acted on by name; more would be a long list.
const PODS_MAX: usize = 12;

thread_local! {
    /// A line to be changed before it is done, and whether the dialog asked.
    static ASKED: ArcRwSignal<Option<(bool, String)>> = ArcRwSignal::new(None);
}

fn ask(asked: Option<(bool, String)>) {
    ASKED.with(|signal| {
        if signal.get_untracked() != asked {
            signal.set(asked);
        }
    });
}

fn offered(pick: &Pick, s: &Session) -> Vec<Act> {
    acts::offered(s.bench.shown(), pick, &s.bench.actions)
}

fn chips(acts: Vec<Act>, in_dialog: bool) -> El {
    let chip = |act: Act| {
        let line = act.line.clone();
        let does = move || match act.asks {
            true => ask(Some((in_dialog, act.line.clone()))),
            false => {
                ask(None);
                send(Msg::Act(act.line.clone()));
            }
        };
        let out = button("act", act.title, does).kid(act.asks.then(|| span("", "…")));
        let other = line.starts_with("cut ") || line.starts_with("mend ");
        let other = other.then(|| line.rsplit("pod/").next().map(|name| span("mono", name)));
        out.attr("title", line).kid(other.flatten())
    };
    div("row").kids(acts.into_iter().map(chip))
}

/// A field for a line that asks for a value; Enter does it.
fn field(in_dialog: bool) -> Kid {
    let asked = ASKED.with(ArcRwSignal::get).filter(|(there, _)| *there == in_dialog);
    let Some((_, line)) = asked else { return Kid::Nothing };
    let input = el("input")
        .class("act-line")
        .key(&line)
        .attr("type", "text")
        .attr("spellcheck", "false")
        .attr("autocapitalize", "off")
        .attr("value", &line)
        .label("Change the value; Enter does it, Escape leaves it")
        .on_as::<web_sys::KeyboardEvent>("keydown", |event| {
            let field = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
            match (event.key().as_str(), field) {
                ("Enter", Some(field)) => {
                    ask(None);
                    send(Msg::Act(field.value()));
                }
                ("Escape", _) => ask(None),
                _ => return,
            }
            event.prevent_default();
            event.stop_propagation();
        })
        .ready(|node| {
            gloo::timers::callback::Timeout::new(0, move || {
                if let Ok(field) = node.dyn_into::<web_sys::HtmlInputElement>() {
                    let _ = field.focus();
                    // The value is what comes last.
                    let value = field.value();
                    let from = value.rfind(['=', ' ']).map_or(0, |at| at + 1) as u32;
                    let _ = field.set_selection_range(from, value.len() as u32);
                }
            })
            .forget();
        });
    div("act-ask").kid(input).kid(says("menu-what", "Enter does it")).into()
}

/// What can be done to the thing that is picked, at the cursor's instant.
pub(crate) fn menu(pick: &Pick) -> Kid {
    let (found, mine) = read(&[Part::Shown], |s| (offered(pick, s), s.act_of(pick)));
    if let Some(i) = mine {
        return div("row").kid(button("", "Take it back", sends(Msg::TakeBack(i)))).into();
    }
    if found.is_empty() {
        return Kid::Nothing;
    }
    div("acts")
        .kid(el("h4").say("Do something to it"))
        .kid(chips(found, false))
        .live_kid(|| field(false))
        .into()
}

/// Everything that can be done at the cursor's instant, by what it is done to; and what was done.
pub(crate) fn dialog() -> El {
    let (groups, done) = read(&[Part::Run], |s| (groups(s), s.bench.actions.clone()));
    let at = peek(|s| clock_text(s.bench.player.cursor));
    let mut out = div("menu");
    out = match groups.is_empty() {
        true => out.kid(el("p").say("At this instant there is nothing in the cluster to act on.")),
        false => {
            out.kid(el("p").text(fill("It happens at {}; the run goes on from there.", &[&at])))
        }
    };
    for (title, acts) in groups {
        out = out.kid(div("acts").kid(el("h3").text(title)).kid(chips(acts, true)));
    }
    out = out.live_kid(|| field(true));
    if done.is_empty() {
        return out;
    }
    let row = |(i, (at, line)): (usize, &(crate::time::SimTime, String))| {
        el("li")
            .kid(span("event-at", clock_text(*at)))
            .kid(span("mono", line.lines().next().unwrap_or("")))
            .kid(button("quiet", "Take it back", sends(Msg::TakeBack(i))))
    };
    let all = (done.len() > 1).then(|| button("", "Take everything back", sends(Msg::ClearActs)));
    out.kid(el("h3").say("What you did"))
        .kid(el("ul").class("acts-done").kids(done.iter().enumerate().map(row)))
        .kid(all)
}

fn groups(s: &Session) -> Vec<(String, Vec<Act>)> {
    let snapshot = s.bench.shown();
    let mut out = Vec::new();
    let mut add = |title: String, pick: Pick| {
        let acts = offered(&pick, s);
        if !acts.is_empty() {
            out.push((title, acts));
        }
    };
    for (name, pod) in snapshot.pods.iter().take(PODS_MAX) {
        add(format!("pod/{name}"), Pick::Pod(name.clone()));
        for container in &pod.shape.containers {
            let which = container.name.clone();
            add(format!("pod/{name} · {which}"), Pick::Container(name.clone(), which));
        }
        for volume in &pod.shape.volumes {
            let place = format!("volume:{}", volume.name).into();
            add(format!("pod/{name} · {}", volume.name), Pick::Volume(name.clone(), place));
        }
    }
    for (kind, name) in snapshot.objects.keys().filter(|(kind, _)| &**kind != "pod").take(PODS_MAX)
    {
        add(format!("{kind}/{name}"), Pick::Object(kind.clone(), name.clone()));
    }
    out
}
