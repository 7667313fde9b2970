//! The stage: pods as pictures that follow the cursor. One pod large, several as cards, a crowd as
//! a grid of states. Positions are `session::picture`'s.

use super::app::{fill, read, send, sends};
use super::el::{El, Kid, button, div, el, span, svg};
use super::inspector;
use super::stage_parts::{self as parts, PodAt};
use crate::kubectl::human_duration;
use crate::order::Order;
use crate::session::lanes::Look;
use crate::session::picture::{self, Picture};
use crate::session::{Msg, Part, Pick, Session};
use crate::trace::{Name, ObjectView, PodView, Snapshot, Subject};
use leptos::prelude::{ArcRwSignal, Get, GetUntracked, Set};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// So many pods are drawn large, one under the other.
const LARGE_MAX: usize = 3;
/// Above this many pods cards become cells.
const CARDS_MAX: usize = 24;
/// Pods drawn at all; more are counted.
const PODS_MAX: usize = 400;

/// What is watched, and what must live as long.
type Observed = (web_sys::Element, web_sys::ResizeObserver, Closure<dyn FnMut()>);

thread_local! {
    static WIDTH: ArcRwSignal<f64> = ArcRwSignal::new(0.0);
    static OBSERVED: RefCell<Vec<Observed>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a signal at an element's width; watchers of elements that are gone are let go.
pub(crate) fn observe(node: &web_sys::Element, width: &ArcRwSignal<f64>) {
    let (watched, width) = (node.clone(), width.clone());
    let closure = Closure::<dyn FnMut()>::new(move || {
        let now = f64::from(watched.client_width());
        // A hidden pane has no width; its picture stays as it was.
        if now > 0.0 && (now - width.get_untracked()).abs() >= 1.0 {
            width.set(now);
        }
    });
    let Ok(observer) = web_sys::ResizeObserver::new(closure.as_ref().unchecked_ref()) else {
        return;
    };
    observer.observe(node);
    OBSERVED.with_borrow_mut(|all| all.push((node.clone(), observer, closure)));
    // Nodes are made before they come into the page, so not at once.
    gloo::timers::callback::Timeout::new(1000, forget_gone).forget();
}

fn forget_gone() {
    OBSERVED.with_borrow_mut(|all| {
        all.retain(|(node, observer, _)| {
            let here = node.is_connected();
            if !here {
                observer.disconnect();
            }
            here
        });
    });
}

pub(crate) fn pane() -> El {
    let scroller = div("stage-scroll")
        .attr("id", "stage")
        .attr("tabindex", "-1")
        .ready(|node| observe(&node, &WIDTH.with(Clone::clone)))
        .live_kid(view);
    let inside = div("stage-box").kid(scroller).live_kid(inspector::view);
    el("section").class("stage-pane pane").label("Stage").kid(inside)
}

/// The pods to draw large: the opened one, or all where they are few, those with most
/// containers first. Empty where all are small.
fn large(s: &Session) -> Vec<Name> {
    let pods = &s.bench.shown().pods;
    if let Some(name) = s.bench.opened.as_ref().filter(|name| pods.contains_key(*name)) {
        return vec![name.clone()];
    }
    if pods.len() > LARGE_MAX {
        return Vec::new();
    }
    let mut names: Vec<Name> = pods.keys().cloned().collect();
    names.order_by_key(|name| std::cmp::Reverse(pods[name].shape.containers.len()));
    names
}

fn view() -> El {
    read(&[Part::Shown, Part::Run, Part::Pick], |s| {
        let snapshot = s.bench.shown();
        // Changes while somebody types, when nothing else of it is to be drawn anew.
        let class = || {
            let stale = read(&[Part::Stale], |s| s.bench.stale.is_some());
            Some(if stale { "stage stale" } else { "stage" }.to_owned())
        };
        let out = el("div").live("class", class).live_kid(stale_word);
        if snapshot.pods.is_empty() {
            let why = || read(&[Part::Shown, Part::Run, Part::Problems], nothing);
            return out.live_kid(why).kid(objects(s));
        }
        let large = large(s);
        if large.is_empty() {
            return out.kid(crowd(snapshot)).kid(objects(s));
        }
        let back = (snapshot.pods.len() > large.len())
            .then(|| button("quiet", "‹ all pods", sends(Msg::OpenPod(None))));
        let pictures = large.iter().map(|name| pod(name, &snapshot.pods[name], s));
        out.kid(back).kids(pictures).kid(objects(s))
    })
}

fn stale_word() -> Kid {
    let why = read(&[Part::Stale], |s| s.bench.stale.clone());
    why.map(|why| div("stale-word").say(&why)).into()
}

fn nothing(s: &Session) -> El {
    let text = if s.bench.n_errors() > 0 {
        "A cluster would refuse this manifest, so nothing runs. The problems below the editor say why."
    } else if s.bench.run.ended() && s.bench.run.timeline.events.is_empty() {
        "The manifest asks for no pod."
    } else if !s.bench.run.timeline.events.is_empty() {
        "No pod at this instant."
    } else {
        "The node is empty. The pod comes as soon as the manifest is checked."
    };
    div("empty-node").say(text)
}

/// One pod, large: lines under the cards, what moves over them.
fn pod(name: &Name, pod: &PodView, s: &Session) -> El {
    let width = WIDTH.with(ArcRwSignal::get);
    let place = |volume: &str| format!("volume:{volume}");
    let n_files = |volume: &str| {
        let at = place(volume);
        pod.files.iter().filter(|((p, _), f)| **p == *at && !f.is_dir).count()
    };
    let hue = |container: &Name| s.bench.run.lanes.hue(container);
    let picture = picture::picture(&pod.shape, width, n_files, hue);
    let at = PodAt { name, pod, s, picture: &picture };
    let cards = picture.cards.iter().map(|card| parts::card(card, at));
    let chips = picture.chips.iter().map(|(chip, hue, rect)| parts::chip(chip, *hue, *rect));
    let drawers = picture.drawers.iter().map(|drawer| parts::drawer(drawer, at));
    let narrow = if picture.w < picture::NARROW { "pod-frame-box narrow" } else { "pod-frame-box" };
    let of_pod = matches!(s.bench.picked().map(|e| &e.subject), Some(Subject::Pod(p)) if p == name);
    let frame = parts::place(div(narrow), picture.frame).kid(title(name, pod));
    let frame = frame.flag("data-picked", of_pod);
    let moves = |under: bool| {
        let (which, picture) = (name.clone(), picture.clone());
        move || parts::moving(&which, &picture, under)
    };
    let under = layer("under", &picture).kids(parts::lines(at)).live_kid(moves(true));
    let over = layer("over", &picture).live_kid(moves(false));
    div("pod-picture")
        .key(format!("pod {name}"))
        .px("style:width", picture.w)
        .px("style:height", picture.h)
        .kid(frame)
        .kid(under)
        .kids(cards)
        .kids(chips)
        .kids(drawers)
        .kid(over)
}

fn layer(class: &str, picture: &Picture) -> El {
    svg("svg")
        .class(class)
        .attr("viewBox", format!("0 0 {} {}", picture.w, picture.h))
        .num("width", picture.w)
        .num("height", picture.h)
        .attr("aria-hidden", "true")
}

/// The frame's line of words: exactly kubectl's.
fn title(name: &Name, pod: &PodView) -> El {
    let row = |label: &'static str, text: String| {
        div("pod-cell").kid(span("pod-cell-head", label)).kid(span("pod-cell-text", text))
    };
    let created = pod.created_at;
    let age = el("span").class("pod-cell-text").live_kid(move || {
        read(&[Part::Cursor], |s| human_duration(s.bench.player.cursor - created))
    });
    let pick = Pick::Pod(name.clone());
    let open = button("pod-name", &format!("pod {name}"), sends(Msg::Pick(Some(pick))));
    div("pod-title")
        .kid(open)
        .kid(row("READY", format!("{}/{}", pod.ready.0, pod.ready.1)))
        .kid(row("STATUS", pod.status.clone()).class(&format!("pod-cell {}", status_class(pod))))
        .kid(row("RESTARTS", pod.restarts.to_string()))
        .kid(div("pod-cell").kid(span("pod-cell-head", "AGE")).kid(age))
        .kid(parts::grace(pod))
}

/// The look of a STATUS word, for colour beside the word.
fn status_class(pod: &PodView) -> &'static str {
    let bad = ["Error", "BackOff", "OOMKilled", "Evicted", "Invalid", "Failed"];
    match pod.status.as_str() {
        "Running" if pod.ready.0 == pod.ready.1 => "look-ready",
        "Running" => "look-notready",
        "Completed" | "Succeeded" => "look-completed",
        "Terminating" => "look-terminating",
        status if status.contains("CrashLoopBackOff") => "look-backoff",
        status if bad.iter().any(|b| status.contains(b)) => "look-failed",
        _ => "look-waiting",
    }
}

/// Several pods: cards of the same grammar, or cells where there are many.
fn crowd(snapshot: &Snapshot) -> El {
    let many = snapshot.pods.len() > CARDS_MAX;
    let more = snapshot.pods.len().saturating_sub(PODS_MAX);
    let shown = snapshot.pods.iter().take(PODS_MAX).map(|(name, pod)| {
        let class =
            format!("{} {}", if many { "pod-dot-cell" } else { "pod-card" }, status_class(pod));
        let which = name.clone();
        let label = format!("{name}: {}, {}/{} ready", pod.status, pod.ready.0, pod.ready.1);
        let mut out = button(&class, "", move || send(Msg::OpenPod(Some(which.clone()))));
        out = out.key(&**name).attr("title", label.clone());
        if many {
            return out.label(label);
        }
        let states = pod.shape.containers.iter().map(|container| {
            let view = pod.containers.get(&container.name);
            let look =
                view.and_then(|v| v.status.as_ref()).map_or(Look::Waiting, |s| Look::of(s).0);
            span(&format!("state-box look-{}", look.class()), "")
        });
        out.kid(span("pod-card-name", &**name))
            .kid(span("pod-card-status", format!("{}/{} {}", pod.ready.0, pod.ready.1, pod.status)))
            .kid(div("state-boxes").kids(states))
    });
    let grid = div(if many { "crowd cells" } else { "crowd" }).kids(shown);
    let grid = match many {
        true => div("").kid(census(snapshot)).kid(grid),
        false => grid,
    };
    match more {
        0 => grid,
        n => grid.kid(span("more", fill("and {} more", &[&n]))),
    }
}

/// How many pods are in which state: a legend to the cells, in their order of appearance.
fn census(snapshot: &Snapshot) -> El {
    let mut found: Vec<(&str, &'static str, usize)> = Vec::new();
    for pod in snapshot.pods.values() {
        let class = status_class(pod);
        match found.iter_mut().find(|(status, look, _)| (*status, *look) == (&pod.status, class)) {
            Some((.., n)) => *n += 1,
            None => found.push((&pod.status, class, 1)),
        }
    }
    let row = |(status, class, n): (&str, &str, usize)| {
        let sign = span(&format!("state-box {class}"), "");
        el("li").kid(sign).kid(span("", format!("{n} {status}")))
    };
    el("ul").class("census").label("Pods by status").kids(found.into_iter().map(row))
}

/// Controllers, Services and the like: a line each.
fn objects(s: &Session) -> Kid {
    let snapshot = s.bench.shown();
    let others = || snapshot.objects.iter().filter(|((kind, _), _)| &**kind != "pod");
    if others().next().is_none() {
        return Kid::Nothing;
    }
    let row = |((kind, name), view): (&(Name, Name), &ObjectView)| {
        let mut words: Vec<String> = view.cells.clone();
        if !view.ready.is_empty() || !view.not_ready.is_empty() {
            let ready = view.ready.join(", ");
            words.push(format!(
                "endpoints: {}",
                if ready.is_empty() { "none ready" } else { &ready }
            ));
        }
        let pick = Pick::Object(kind.clone(), name.clone());
        let picked = s.bench.pick.as_ref() == Some(&pick);
        el("li")
            .kid(
                button("object-name", "", sends(Msg::Pick(Some(pick))))
                    .flag("aria-pressed", picked)
                    .kid(span("", format!("{kind}/{name}"))),
            )
            .kid(span("object-cells", words.join("  ")))
    };
    el("ul").class("objects").label("Objects").kids(others().map(row)).into()
}
