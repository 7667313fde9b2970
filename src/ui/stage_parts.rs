//! The parts of a large pod: container cards, volume drawers, lines between them, and what moves
//! along the lines at the instant of the cursor.

use super::app::{fill, read, sends, tr};
use super::browser;
use super::el::{El, Kid, button, div, el, says, span, svg};
use super::panels::size_text;
use crate::kubectl::human_duration;
use crate::session::lanes::Look;
use crate::session::picture::{self, Card, Drawer, FILES_SHOWN, Picture, Rect};
use crate::session::{Msg, Part, Pick, Session};
use crate::time::SimTime;
use crate::trace::{
    ContainerView, Event, FileView, Name, PodView, ProbeKind, Request, Role, State, Subject, What,
};
use std::f64::consts::TAU;

/// How long a pulse travels, in real milliseconds.
const PULSE_MS: f64 = 400.0;
/// Above this speed pulses merge into a glow.
const GLOW_SPEED: u32 = 20;
/// Newest events looked at for where requests go.
const WAYS_LOOKED: usize = 2000;
/// Pulses drawn at once.
const PULSES_MAX: usize = 40;

/// A pod and its picture at the instant shown.
#[derive(Clone, Copy)]
pub(crate) struct PodAt<'a> {
    pub(crate) name: &'a Name,
    pub(crate) pod: &'a PodView,
    pub(crate) s: &'a Session,
    pub(crate) picture: &'a Picture,
}

pub(crate) fn place(el: El, rect: Rect) -> El {
    el.px("style:left", rect.x)
        .px("style:top", rect.y)
        .px("style:width", rect.w)
        .px("style:height", rect.h)
}

pub(crate) fn card(card: &Card, at: PodAt) -> El {
    let empty = ContainerView::default();
    let view = at.pod.containers.get(&card.name).unwrap_or(&empty);
    let shape = at.pod.shape.containers.iter().find(|c| c.name == card.name);
    let (look, mut word) = look_of(view, at.pod);
    if card.role == Role::Init && look == Look::NotReady {
        // It is not meant to become ready; it is meant to end.
        word = "Running".to_owned();
    }
    let pick = Pick::Container(at.name.clone(), card.name.clone());
    let of_event = match at.s.bench.picked().map(|e| &e.subject) {
        Some(Subject::Container { pod, container }) => pod == at.name && *container == card.name,
        _ => false,
    };
    let picked = of_event || at.s.bench.pick.as_ref() == Some(&pick);
    let role = match card.role {
        Role::Init => "init",
        Role::Sidecar => "sidecar",
        Role::Main => "main",
        Role::Ephemeral => "ephemeral",
    };
    let class = format!(
        "card look-{} hue-{} role-{role}{}",
        look.class(),
        card.hue,
        if picked { " picked" } else { "" }
    );
    let restarts = view.status.as_ref().map_or(0, |s| s.restart_count);
    let head = div("card-head")
        .kid(span("hidden", "container "))
        .kid(span("card-name", &*card.name))
        .kid(says("card-role", role))
        .kid((restarts > 0).then(|| span("card-restarts", format!("↻ {restarts}"))))
        .kids(probe_marks(view));
    let state = div("card-state")
        .kid(span("state-box", "").class(&format!("state-box look-{}", look.class())))
        .kid(span("card-word", word))
        .kid(age(view))
        .kid(countdown(view, look));
    let mut out = place(button(&class, "", sends(Msg::Pick(Some(pick)))), card.rect);
    out = out.key(format!("card {}", card.name)).kid(head).kid(state);
    if card.role != Role::Init {
        out = out.kid(span("card-image", shape.map_or("", |s| &s.image)));
    }
    let (log, n) = match &view.last_log {
        Some((_, line)) => (line.as_str(), "card-log"),
        None => ("", "card-log none"),
    };
    out = out.kid(span(n, log));
    if let (Some(usage), Some(shape)) = (view.usage, shape) {
        out = out.kid(bars(usage, shape.cpu_limit_millis, shape.memory_limit_bytes));
    }
    out.kid(ports(view, shape)).kid(not_simulated(view))
}

/// A running container of a pod that is being deleted is terminating.
fn look_of(view: &ContainerView, pod: &PodView) -> (Look, String) {
    let Some(status) = &view.status else {
        let word = if view.pulling_until.is_some() { "Pulling" } else { "Waiting" };
        return (Look::Waiting, word.to_owned());
    };
    let (look, word) = Look::of(status);
    let runs = matches!(look, Look::Ready | Look::NotReady);
    if runs && (pod.deleting.is_some() || view.grace_until.is_some()) {
        return (Look::Terminating, "Terminating".to_owned());
    }
    (look, word)
}

/// The newest word of each probe: a dot where it went well, else a diamond.
fn probe_marks(view: &ContainerView) -> Vec<El> {
    let mark = |(kind, (at, ok, detail)): (&ProbeKind, &(SimTime, bool, String))| {
        let word = if *ok { tr("ok") } else { fill("failed: {}", &[detail]) };
        let title = fill("{} probe at {} s: {}", &[&kind.word(), at, &word]);
        span(if *ok { "probe-mark ok" } else { "probe-mark bad" }, "").attr("title", title)
    };
    view.probes.iter().map(mark).collect()
}

/// How long the state has lasted at the cursor.
fn age(view: &ContainerView) -> El {
    let since = match view.status.as_ref().map(|s| &s.state) {
        Some(State::Running { started_at }) => *started_at,
        Some(State::Terminated { finished_at, .. }) => *finished_at,
        _ => view.changed_at,
    };
    el("span")
        .class("card-age")
        .live_kid(move || read(&[Part::Cursor], |s| human_duration(s.bench.player.cursor - since)))
}

/// A draining ring: until the next start, or until the kill.
fn countdown(view: &ContainerView, look: Look) -> Kid {
    let (from, until, word) = match (look, view.back_off, view.grace_until) {
        (Look::BackOff, Some((until, delay)), _) => (until - delay, until, "restart in {} s"),
        (Look::Terminating, _, Some(until)) => (view.changed_at, until, "killed in {} s"),
        _ => return Kid::Nothing,
    };
    let left = move |s: &Session| until - s.bench.player.cursor;
    let whole = (until - from).as_secs_f64().max(0.001);
    let ring = svg("circle").attr("cx", "7").attr("cy", "7").attr("r", "5").class("ring").live(
        "stroke-dasharray",
        move || {
            let part = read(&[Part::Cursor], left).as_secs_f64() / whole;
            let length = TAU * 5.0;
            Some(format!("{:.1} {length:.1}", length * part.clamp(0.0, 1.0)))
        },
    );
    let text = el("span").live_kid(move || {
        let secs = read(&[Part::Cursor], left).as_secs_f64().ceil();
        fill(word, &[&secs])
    });
    span("countdown", "")
        .kid(svg("svg").class("ring-box").attr("viewBox", "0 0 14 14").kid(ring))
        .kid(text)
        .into()
}

/// The pod's own countdown once it is being deleted.
pub(crate) fn grace(pod: &PodView) -> Kid {
    let Some((secs, deadline)) = pod.deleting else { return Kid::Nothing };
    let text = el("span").class("pod-grace").live_kid(move || {
        let left = read(&[Part::Cursor], |s| deadline - s.bench.player.cursor);
        fill("grace {} of {} s", &[&left.as_secs_f64().ceil(), &secs])
    });
    text.into()
}

fn bars(usage: (u32, u64), cpu_limit: Option<u32>, memory_limit: Option<u64>) -> El {
    let bar = |part: f64, text: String, class: &str| {
        let fill = div("fill").attr("style:width", format!("{:.0}%", part.clamp(0.0, 1.0) * 100.0));
        div(&format!("usage {class}{}", if part > 0.9 { " high" } else { "" }))
            .attr("title", text)
            .kid(fill)
    };
    let (cpu, memory) = usage;
    let mut out = div("bars");
    if let Some(limit) = cpu_limit.filter(|l| *l > 0) {
        let text = fill("CPU {}m of {}m", &[&cpu, &limit]);
        out = out.kid(bar(f64::from(cpu) / f64::from(limit), text, "cpu"));
    }
    if let Some(limit) = memory_limit.filter(|l| *l > 0) {
        let text = fill("memory {} of {}", &[&size_text(memory), &size_text(limit)]);
        out = out.kid(bar(memory as f64 / limit as f64, text, "memory"));
    }
    out
}

/// Declared ports, filled where something listens.
fn ports(view: &ContainerView, shape: Option<&crate::trace::ContainerShape>) -> El {
    let declared = shape.map_or(&[][..], |s| &s.ports);
    let mut all: Vec<u16> = declared.iter().map(|p| p.0).collect();
    all.extend(view.listening.keys().copied().filter(|p| !declared.iter().any(|d| d.0 == *p)));
    let tab = |port: &u16| {
        let on = view.listening.contains_key(port);
        let title = match view.listening.get(port) {
            Some(address) => fill("listens on {}:{}", &[address, port]),
            None => fill("port {} is declared; nothing listens on it now", &[port]),
        };
        span(if on { "port on" } else { "port" }, format!(":{port}")).attr("title", title)
    };
    div("ports").kids(all.iter().take(4).map(tab))
}

fn not_simulated(view: &ContainerView) -> Kid {
    match &view.not_simulated {
        Some(what) => span("card-not-simulated", fill("not simulated: {}", &[what])).into(),
        None => Kid::Nothing,
    }
}

pub(crate) fn chip(name: &Name, hue: usize, rect: Rect) -> El {
    place(div(&format!("chain-chip hue-{hue}")), rect)
        .key(format!("chip {name}"))
        .text(fill("starts {}", &[name]))
}

pub(crate) fn drawer(drawer: &Drawer, at: PodAt) -> El {
    let place_name: Name = format!("volume:{}", drawer.name).into();
    let volume = at.pod.shape.volumes.iter().find(|v| v.name == drawer.name);
    let kind = volume.map_or(String::new(), |v| format!("{} {}", v.kind, v.detail));
    let pick = Pick::Volume(at.name.clone(), place_name.clone());
    let files: Vec<(&String, &FileView)> = at
        .pod
        .files
        .iter()
        .filter(|((place, _), f)| *place == place_name && !f.is_dir)
        .map(|((_, path), f)| (path, f))
        .collect();
    let row = |(path, file): &(&String, &FileView)| {
        let (at, path_text) = (file.written_at, format!("/{path}"));
        div("drawer-file")
            .live("data-fresh", move || read(&[Part::Cursor], |s| fresh(s, at)).then(String::new))
            .kid(span("drawer-path", path_text))
            .kid(span("drawer-size", size_text(file.size)))
    };
    let more = files.len().saturating_sub(FILES_SHOWN);
    let head = div("drawer-head")
        .kid(span("hidden", "volume "))
        .kid(span("drawer-name", &*drawer.name))
        .kid(span("drawer-kind", kind.trim()));
    let of_event = match at.s.bench.picked().map(|e| &e.what) {
        Some(What::Wrote(change)) => change.place == place_name,
        _ => false,
    };
    let picked = of_event || at.s.bench.pick.as_ref() == Some(&pick);
    let class = if picked { "drawer picked" } else { "drawer" };
    place(button(class, "", sends(Msg::Pick(Some(pick)))), drawer.rect)
        .key(format!("drawer {}", drawer.name))
        .kid(head)
        .kids(files.iter().take(FILES_SHOWN).map(row))
        .kid((more > 0).then(|| div("drawer-file").text(fill("and {} more", &[&more]))))
}

/// Written within the last pulse.
fn fresh(s: &Session, at: SimTime) -> bool {
    s.bench.player.cursor - at < pulse_span(s).max(SimTime::from_millis(400))
}

fn path_of(points: &[(f64, f64)]) -> String {
    let mut out = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        out.push_str(&format!("{}{x:.1} {y:.1} ", if i == 0 { 'M' } else { 'L' }));
    }
    out
}

/// An arrow's head at the end of a line that arrives going down (or up).
fn head(x: f64, y: f64, down: bool) -> String {
    let back = if down { -6.0 } else { 6.0 };
    format!("M{:.1} {:.1} L{x:.1} {y:.1} L{:.1} {:.1}", x - 4.0, y + back, x + 4.0, y + back)
}

/// Mounts and the chain of init containers.
pub(crate) fn lines(at: PodAt) -> Vec<El> {
    let mut out = Vec::new();
    out.extend(ways(at));
    for points in &at.picture.chain {
        out.push(svg("path").class("chain-line").attr("d", path_of(points)));
        if let [.., (x0, y0), (x, y)] = points[..] {
            let d = match y0 == y {
                true => format!(
                    "M{:.1} {:.1} L{x:.1} {y:.1} L{:.1} {:.1}",
                    x - 6.0,
                    y - 4.0,
                    x - 6.0,
                    y + 4.0
                ),
                false => head(x0, y, true),
            };
            out.push(svg("path").class("chain-line").attr("d", d));
        }
    }
    for mount in &at.picture.mounts {
        let class =
            format!("mount hue-line-{}{}", mount.hue, if mount.read_only { " ro" } else { "" });
        let mut group = svg("g").class(&class).kid(svg("path").attr("d", path_of(&mount.points)));
        if let ([first, ..], [.., last]) = (&mount.points[..], &mount.points[..]) {
            // Bytes go to whoever may only read; else they go down into the volume.
            let d = if mount.read_only {
                head(first.0, first.1, false)
            } else {
                head(last.0, last.1, true)
            };
            group = group.kid(svg("path").attr("d", d));
        }
        out.push(group);
    }
    out
}

fn pulse_span(s: &Session) -> SimTime {
    SimTime((PULSE_MS * 1000.0 * f64::from(s.bench.player.speed.min(GLOW_SPEED))) as u64)
}

/// Pulses at the cursor: writes along mounts, requests along arcs, probes from the kubelet's edge.
/// `under`: those below the cards.
pub(crate) fn moving(pod: &Name, picture: &Picture, under: bool) -> El {
    let still = browser::matches_media("(prefers-reduced-motion: reduce)");
    read(&[Part::Cursor, Part::Run], |s| {
        let span = pulse_span(s);
        let cursor = s.bench.player.cursor;
        let past = s.bench.run.past();
        let first = past.partition_point(|e| e.at + span < cursor);
        let events = past.get(first..).unwrap_or(&[]).iter().rev();
        let of_pod =
            events.filter(|e| matches!(&e.subject, Subject::Container { pod: p, .. } if p == pod));
        let here = of_pod.filter(|e| matches!(e.what, What::Wrote(_)) == under);
        let pulses = here.filter_map(|event| {
            let f = (cursor - event.at).as_secs_f64() / span.as_secs_f64().max(1e-6);
            pulse(event, picture, if still { 1.0 } else { f })
        });
        svg("g").kids(pulses.take(PULSES_MAX))
    })
}

fn pulse(event: &Event, picture: &Picture, f: f64) -> Option<El> {
    let Subject::Container { container, .. } = &event.subject else { return None };
    let card = picture.card(container)?;
    match &event.what {
        What::Wrote(change) => {
            let volume = change.place.strip_prefix("volume:")?;
            let of = |m: &&picture::Mount| m.container == *container && &*m.volume == volume;
            let mount = picture.mounts.iter().find(of)?;
            let (x, y) = picture::along(&mount.points, f);
            Some(dot(x, y, 4.0, &format!("pulse hue-{}", mount.hue)))
        }
        What::Request(request) => Some(request_pulse(request, card, picture, f)),
        What::Probe { ok, .. } => {
            let from = (card.rect.right() - 18.0, picture.frame.y);
            let (x, y) = picture::along(&[from, (from.0, card.rect.y)], f);
            Some(match ok {
                true => dot(x, y, 4.0, "pulse probe-ok"),
                false => svg("path")
                    .class("pulse probe-bad")
                    .attr("d", format!("M{x:.1} {:.1} l5 5 l-5 5 l-5 -5 z", y - 5.0)),
            })
        }
        _ => None,
    }
}

fn dot(x: f64, y: f64, r: f64, class: &str) -> El {
    svg("circle").class(class).num("cx", x).num("cy", y).num("r", r)
}

fn is_local(to: &str) -> bool {
    ["localhost", "127.", "[::1]", "0.0.0.0"].iter().any(|host| to.starts_with(host))
}

/// Where a request goes: to another container of the pod in an arc, else out through the frame.
fn way(request: &Request, from: &Card, picture: &Picture) -> [(f64, f64); 3] {
    let start = (from.rect.x + from.rect.w / 2.0, from.rect.y);
    let server = request.served_by.as_ref().and_then(|(_, name)| picture.card(name));
    let end = match server {
        Some(card) => (card.rect.right() - 26.0, card.rect.y),
        // Nobody listens there: it turns back within the pod.
        None if is_local(&request.to) => (from.rect.right() - 26.0, from.rect.y),
        None => (picture.frame.right(), from.rect.y - 6.0),
    };
    let top = start.1.min(end.1) - 16.0;
    [start, ((start.0 + end.0) / 2.0, top), end]
}

fn arc([a, b, c]: [(f64, f64); 3]) -> String {
    format!("M{:.1} {:.1} Q{:.1} {:.1} {:.1} {:.1}", a.0, a.1, b.0, b.1, c.0, c.1)
}

/// The ways requests of this pod have lately gone: they stay to be seen between the pulses.
fn ways(at: PodAt) -> Vec<El> {
    let mut seen: Vec<(String, bool)> = Vec::new();
    for event in at.s.bench.run.past().iter().rev().take(WAYS_LOOKED) {
        let What::Request(request) = &event.what else { continue };
        let Subject::Container { pod, container } = &event.subject else { continue };
        let Some(from) = at.picture.card(container).filter(|_| pod == at.name) else { continue };
        let d = arc(way(request, from, at.picture));
        if seen.iter().all(|(known, _)| *known != d) && seen.len() < PULSES_MAX {
            seen.push((d, request.ok));
        }
    }
    let line = |(d, ok): (String, bool)| {
        svg("path").class(if ok { "way" } else { "way bad" }).attr("d", d)
    };
    seen.into_iter().map(line).collect()
}

/// The request itself on its way, and what it is or what came of it.
fn request_pulse(request: &Request, from: &Card, picture: &Picture, f: f64) -> El {
    let points @ [start, mid, end] = way(request, from, picture);
    let bend = |a: f64, b: f64, c: f64| (1.0 - f).powi(2) * a + 2.0 * f * (1.0 - f) * b + f * f * c;
    let (x, y) = (bend(start.0, mid.0, end.0), bend(start.1, mid.1, end.1));
    let class = if request.ok { "request" } else { "request bad" };
    let word = match (request.ok, request.summary.is_empty()) {
        (true, true) => request.to.clone(),
        (true, false) => request.summary.clone(),
        (false, _) => request.outcome.clone(),
    };
    let hue = format!("pulse hue-{}", from.hue);
    svg("g")
        .class(class)
        .kid(svg("path").attr("d", arc(points)))
        .kid(dot(x, y, 4.0, &hue))
        .kid(svg("text").num("x", mid.0).num("y", mid.1 + 4.0).text(word))
}
