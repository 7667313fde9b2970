//! The timeline: one lane per container, blocks in their shapes, marks, bars, flags, the cursor
//! line. Drag scrubs, the wheel zooms, arrow keys step; a table says the same in words.

use super::app::{peek, read, send};
use super::el::{El, div, el, span, svg};
use super::panels::jump_to_event;
use crate::session::lanes::{self, Bar, Block, Lane, Look, Mark};
use crate::session::{Msg, Part, Session};
use crate::time::SimTime;
use crate::trace::{EventId, Subject};
use leptos::prelude::{ArcRwSignal, Get, GetUntracked, Set};
use std::cell::Cell;
use wasm_bindgen::JsCast;

pub(crate) const LANE_H: f64 = 30.0;
const BLOCK_H: f64 = 16.0;
const BLOCK_Y: f64 = 5.0;
const MARK_Y: f64 = 25.0;
const TOP: f64 = 20.0;
/// Drawn blocks and marks of one lane; zooming in shows the rest.
const DRAWN_MAX: usize = 400;
const ZOOM_MAX: f64 = 200.0;

thread_local! {
    /// Width of the drawing in pixels.
    static WIDTH: ArcRwSignal<f64> = ArcRwSignal::new(0.0);
    /// (zoom, first instant shown in seconds)
    static VIEW: ArcRwSignal<(f64, f64)> = ArcRwSignal::new((1.0, 0.0));
    static DRAGGING: Cell<bool> = const { Cell::new(false) };
}

/// From instants to pixels.
#[derive(Clone, Copy)]
struct Scale {
    from_secs: f64,
    per_sec: f64,
    width: f64,
}

impl Scale {
    fn read(s: &Session) -> Scale {
        let width = WIDTH.with(ArcRwSignal::get).max(10.0);
        let (zoom, from_secs) = VIEW.with(ArcRwSignal::get);
        let whole = s.bench.run.timeline.now.as_secs_f64().max(1.0);
        Scale { from_secs, per_sec: width * zoom / whole, width }
    }

    fn x(self, at: SimTime) -> f64 {
        (at.as_secs_f64() - self.from_secs) * self.per_sec
    }

    fn at(self, x: f64) -> SimTime {
        SimTime(((x / self.per_sec + self.from_secs).max(0.0) * 1e6) as u64)
    }
}

pub(crate) fn view() -> El {
    let drawing = div("lanes-drawing")
        .attr("id", "timeline")
        .attr("tabindex", "0")
        .attr("role", "slider")
        .label("Timeline")
        .attr("aria-describedby", "timeline-help")
        .live("aria-valuemax", || Some(read(&[Part::Run], |s| secs(s.bench.run.timeline.now))))
        .attr("aria-valuemin", "0")
        .live("aria-valuenow", || Some(read(&[Part::Shown], |s| secs(s.bench.player.cursor))))
        .live("aria-valuetext", || Some(read(&[Part::Shown], last_sentence)))
        .kid(
            svg("svg")
                .class("lanes-svg")
                .attr("aria-hidden", "true")
                .live_kid(drawn)
                .live_kid(cursor),
        )
        .ready(|node| super::stage::observe(&node, &WIDTH.with(Clone::clone)));
    let drawing = pointers(keys(drawing));
    el("section")
        .class("lanes pane")
        .label("Timeline")
        .live_kid(labels)
        .kid(drawing)
        .kid(div("hidden").attr("id", "timeline-help").say(
            "Arrow keys go from event to event, with Shift by seconds; Home and End to the ends.",
        ))
        .live_kid(table)
}

fn secs(at: SimTime) -> String {
    format!("{}", at.as_secs_f64().round())
}

fn last_sentence(s: &Session) -> String {
    let at = super::transport::clock_text(s.bench.player.cursor);
    match s.bench.run.past().last() {
        Some(event) => format!("{at}: {}", event.sentence()),
        None => at,
    }
}

fn keys(drawing: El) -> El {
    drawing.on_as::<web_sys::KeyboardEvent>("keydown", |event| {
        let shift = event.shift_key();
        let msg = match event.key().as_str() {
            "ArrowRight" if shift => Msg::Nudge(1000),
            "ArrowLeft" if shift => Msg::Nudge(-1000),
            "ArrowRight" => Msg::StepEvent(true),
            "ArrowLeft" => Msg::StepEvent(false),
            "Home" => Msg::Seek(SimTime::ZERO),
            "End" => Msg::Seek(SimTime::MAX),
            "+" | "=" => return zoom(1.5, None),
            "-" => return zoom(1.0 / 1.5, None),
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        send(msg);
    })
}

fn pointers(drawing: El) -> El {
    drawing
        .on_as::<web_sys::PointerEvent>("pointerdown", |event| {
            if let Some(node) =
                event.current_target().and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            {
                let _ = node.set_pointer_capture(event.pointer_id());
                DRAGGING.set(true);
                scrub(&event, &node);
            }
        })
        .on_as::<web_sys::PointerEvent>("pointermove", |event| {
            let node = event.current_target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
            if let Some(node) = node.filter(|_| DRAGGING.get()) {
                scrub(&event, &node);
            }
        })
        .on("pointerup", |_| DRAGGING.set(false))
        .on("pointercancel", |_| DRAGGING.set(false))
        .on_as::<web_sys::WheelEvent>("wheel", |event| {
            event.prevent_default();
            let node = event.current_target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
            let left = node.map_or(0.0, |n| n.get_bounding_client_rect().left());
            let x = f64::from(event.client_x()) - left;
            if event.delta_x().abs() > event.delta_y().abs() {
                return pan(event.delta_x());
            }
            zoom((-event.delta_y() / 300.0).exp(), Some(x));
        })
}

fn scrub(event: &web_sys::PointerEvent, node: &web_sys::Element) {
    // Enlarged for a room, a pixel of the drawing is more than one on the screen.
    let shown = node.get_bounding_client_rect();
    let x = (f64::from(event.client_x()) - shown.left()) * f64::from(node.client_width());
    let x = x / shown.width().max(1.0);
    let at = peek(Scale::read).at(x);
    send(Msg::Seek(at));
}

/// Zooms so that what is under `x` (the cursor line without one) stays where it is.
fn zoom(by: f64, x: Option<f64>) {
    let (scale, cursor, whole) = peek(|s| {
        (Scale::read(s), s.bench.player.cursor, s.bench.run.timeline.now.as_secs_f64().max(1.0))
    });
    let x = x.unwrap_or_else(|| scale.x(cursor));
    let fixed = scale.at(x).as_secs_f64();
    let zoomed = (VIEW.with(ArcRwSignal::get_untracked).0 * by).clamp(1.0, ZOOM_MAX);
    let per_sec = scale.width * zoomed / whole;
    set_view(zoomed, fixed - x / per_sec, whole);
}

fn pan(by_px: f64) {
    let (scale, whole) =
        peek(|s| (Scale::read(s), s.bench.run.timeline.now.as_secs_f64().max(1.0)));
    let zoom = VIEW.with(ArcRwSignal::get_untracked).0;
    set_view(zoom, scale.from_secs + by_px / scale.per_sec, whole);
}

fn set_view(zoom: f64, from_secs: f64, whole: f64) {
    let most = whole - whole / zoom;
    VIEW.with(|view| view.set((zoom, from_secs.clamp(0.0, most.max(0.0)))));
}

fn labels() -> El {
    read(&[Part::Run], |s| {
        let lanes = &s.bench.run.lanes;
        let many = lanes.many_pods();
        let label = |lane: &Lane| {
            let name = lane.container.as_deref().unwrap_or("");
            let text = match &lane.pod {
                Some(pod) if many => format!("{pod}/{name}"),
                _ => name.to_owned(),
            };
            div("lane-label")
                .kid(span(&format!("hue-dot hue-{}", lane.hue), ""))
                .kid(span("", text))
        };
        div(if many { "lane-labels many" } else { "lane-labels" })
            .attr("aria-hidden", "true")
            .kids(lanes.lanes.iter().map(label))
    })
}

fn drawn() -> El {
    read(&[Part::Run, Part::Flow], |s| {
        let scale = Scale::read(s);
        let class =
            || read(&[Part::Stale], |s| s.bench.stale.is_some().then(|| "stale".to_owned()));
        let mut out = svg("g").live("class", class);
        out = out.kid(ruler(scale, s.bench.run.timeline.now));
        // What an open prediction asks about is not given away.
        let hidden_from = s.hold();
        for (i, lane) in s.bench.run.lanes.lanes.iter().enumerate() {
            out = out.kid(lane_view(i, lane, scale, s.bench.run.timeline.now, hidden_from));
        }
        let told = |at: SimTime| hidden_from.is_none_or(|limit| at <= limit);
        for (at, action, event) in s.bench.run.lanes.flags.iter().filter(|f| told(f.0)) {
            out = out.kid(flag(scale.x(*at), s.bench.run.lanes.lanes.len(), action, *event));
        }
        out
    })
}

/// Ticks at round seconds, about 90 pixels apart.
fn ruler(scale: Scale, end: SimTime) -> El {
    let steps = [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    let step = steps.into_iter().find(|s| s * scale.per_sec >= 70.0).unwrap_or(7200.0);
    let first = (scale.from_secs / step).ceil();
    let n = (scale.width / (step * scale.per_sec)).floor() + 1.0;
    let mut out = svg("g").class("ruler");
    for i in 0..(n as i32).clamp(0, 100) {
        let at = (first + f64::from(i)) * step;
        let x = (at - scale.from_secs) * scale.per_sec;
        if at > end.as_secs_f64() + 0.01 {
            break;
        }
        out = out
            .kid(line(x, TOP - 5.0, x, TOP + 2000.0))
            .kid(svg("text").num("x", x + 4.0).num("y", 12.0).text(format!("{at} s")));
    }
    out
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> El {
    svg("line").num("x1", x1).num("y1", y1).num("x2", x2).num("y2", y2)
}

fn lane_view(
    i: usize,
    lane: &Lane,
    scale: Scale,
    now: SimTime,
    hidden_from: Option<SimTime>,
) -> El {
    let y = TOP + i as f64 * LANE_H;
    let limit = hidden_from.unwrap_or(now);
    let mut out = svg("g").class("lane").attr("transform", format!("translate(0 {y})"));
    let seen = |from: SimTime, to: SimTime| {
        from <= limit && scale.x(to) >= 0.0 && scale.x(from) <= scale.width
    };
    let blocks = lane.blocks.iter().filter(|b| seen(b.from, b.to.unwrap_or(now)));
    for block in blocks.take(DRAWN_MAX) {
        let end = block.to.unwrap_or(if lane.gone { block.from } else { now }).min(limit);
        out = out.kid(block_view(block, scale.x(block.from), scale.x(end)));
    }
    for bar in lane.bars.iter().filter(|b| seen(b.from, b.until)).take(DRAWN_MAX) {
        out = out.kid(bar_view(bar, scale, limit));
    }
    let marks: Vec<_> =
        lane.marks.iter().filter(|m| seen(m.0, m.0)).copied().take(DRAWN_MAX * 20).collect();
    let gap = SimTime((7.0 / scale.per_sec * 1e6) as u64);
    for (at, n, mark, event) in lanes::cluster(&marks, gap).into_iter().take(DRAWN_MAX) {
        out = out.kid(mark_view(scale.x(at), n, mark, event));
    }
    out
}

fn picks(el: El, event: EventId) -> El {
    el.on("pointerdown", move |e| {
        e.stop_propagation();
        jump_to_event(event);
    })
}

fn rect(x: f64, y: f64, w: f64, h: f64) -> El {
    svg("rect").num("x", x).num("y", y).num("width", w.max(0.5)).num("height", h)
}

/// A block in its state's shape; its word where there is room.
fn block_view(block: &Block, x1: f64, x2: f64) -> El {
    let (x1, x2) = (x1.max(-20.0), x2.max(x1 + 1.5));
    let w = x2 - x1;
    let look = block.look.class();
    let mut out = svg("g").class(&format!("block look-{look}"));
    out = out.kid(svg("title").text(&*block.word));
    out = out.kid(rect(x1, BLOCK_Y, w, BLOCK_H).attr("rx", "2").class("body"));
    if block.look == Look::NotReady {
        let mut x = x1 + 5.0;
        let mut path = String::new();
        while x < x2 - 2.0 && path.len() < 8000 {
            path.push_str(&format!("M{x:.1} {} l-4 {} ", BLOCK_Y + 1.0, BLOCK_H - 2.0));
            x += 8.0;
        }
        out = out.kid(svg("path").class("stripes").attr("d", path));
    }
    if w > 14.0 {
        out = out.kids(sign(block.look, x1 + 9.0, BLOCK_Y + BLOCK_H / 2.0));
    }
    let room = ((w - 22.0) / 7.0).floor().max(0.0) as usize;
    let whole = block.word.chars().count();
    if room >= whole || room >= 7 {
        let mut word: String = block.word.chars().take(room).collect();
        if room < whole {
            word.pop();
            word.push('…');
        }
        let text = svg("text").class("word").num("x", x1 + 18.0).num("y", BLOCK_Y + 12.0);
        out = out.kid(text.text(word));
    }
    picks(out, block.event)
}

/// The sign of a state: tick, cross, ring; nothing for what its fill says already.
fn sign(look: Look, x: f64, y: f64) -> Option<El> {
    let path = |d: String| Some(svg("path").class("sign").attr("d", d));
    match look {
        Look::Completed => path(format!("M{} {y} l3 3 l5 -7", x - 4.0)),
        Look::Failed => path(format!("M{} {} l7 7 m0 -7 l-7 7", x - 3.5, y - 3.5)),
        Look::BackOff => path(format!("M{x} {} a4 4 0 1 1 -4 4 m0 0 l-2 -2 m2 2 l2 -2", y - 4.0)),
        _ => None,
    }
}

fn bar_view(bar: &Bar, scale: Scale, limit: SimTime) -> El {
    let (x1, x2) = (scale.x(bar.from), scale.x(bar.until.min(limit)));
    let y = BLOCK_Y + BLOCK_H - 4.0;
    let d = format!("M{x1:.1} {y} H{x2:.1} L{x1:.1} {} Z", y + 4.0);
    let class = if bar.grace { "bar-grace" } else { "bar-backoff" };
    svg("path").class(class).attr("d", d)
}

fn mark_view(x: f64, n: usize, mark: Mark, event: EventId) -> El {
    let y = MARK_Y;
    let (class, d) = match mark {
        Mark::Probe { ok: true } => {
            ("mark ok", format!("M{} {y} a2.5 2.5 0 1 0 5 0 a2.5 2.5 0 1 0 -5 0", x - 2.5))
        }
        Mark::Probe { ok: false } => {
            ("mark bad", format!("M{x} {} l3.5 3.5 l-3.5 3.5 l-3.5 -3.5 z", y - 3.5))
        }
        Mark::Report { warning: true } => ("mark warn", format!("M{x} {} l3.5 6 h-7 z", y - 3.5)),
        Mark::Report { warning: false } => ("mark tick", format!("M{x} {} v6", y - 3.0)),
        Mark::Exit { ok } => {
            (if ok { "mark exit ok" } else { "mark exit" }, format!("M{x} {} v-16", y - 3.0))
        }
        Mark::NotSimulated => ("mark warn", format!("M{} {} h5 v5 h-5 z", x - 2.5, y - 2.5)),
    };
    let mut out = svg("g").class(class).kid(svg("path").attr("d", d));
    if n > 1 {
        out = out.kid(svg("title").text(format!("{n} of these")));
    }
    picks(out, event)
}

fn flag(x: f64, n_lanes: usize, action: &str, event: EventId) -> El {
    let h = TOP + n_lanes as f64 * LANE_H;
    let out = svg("g")
        .class("flag")
        .kid(svg("title").text(action))
        .kid(line(x, 4.0, x, h))
        .kid(svg("path").attr("d", format!("M{x} 4 h10 l-3 4 l3 4 h-10 z")));
    picks(out, event)
}

/// A ring around the event that is looked at, in its lane; above all lanes where it has none.
fn picked(s: &Session, scale: Scale) -> Option<El> {
    let event = s.bench.picked()?;
    let lane = match &event.subject {
        Subject::Container { pod, container } => s.bench.run.lanes.place(pod, container),
        _ => None,
    };
    let y = lane.map_or(TOP - 8.0, |i| TOP + i as f64 * LANE_H + BLOCK_Y + BLOCK_H / 2.0);
    let ring = svg("circle").num("cx", scale.x(event.at)).num("cy", y).attr("r", "9");
    Some(ring.class("picked-ring"))
}

fn cursor() -> El {
    read(&[Part::Cursor, Part::Run, Part::Pick], |s| {
        let scale = Scale::read(s);
        let line_at = svg("g")
            .class("cursor")
            .attr("transform", format!("translate({:.1} 0)", scale.x(s.bench.player.cursor)))
            .kid(line(0.0, 4.0, 0.0, 2000.0))
            .kid(svg("path").attr("d", "M-5 2 h10 l-5 7 z"));
        svg("g").kid(picked(s, scale)).kid(line_at)
    })
}

/// The lanes in words, for whoever walks them cell by cell.
fn table() -> El {
    read(&[Part::Run, Part::Flow], |s| {
        let limit = s.hold().unwrap_or(SimTime::MAX);
        let row = |lane: &Lane| {
            let name = lane.container.as_deref().unwrap_or("").to_owned();
            let cells = lane.blocks.iter().filter(|b| b.from <= limit).take(DRAWN_MAX).map(|b| {
                let to = b.to.map_or("the end".to_owned(), |t| format!("{} s", t.as_secs()));
                el("td").text(format!("{}, {} s to {to}", b.word, b.from.as_secs()))
            });
            el("tr").kid(el("th").attr("scope", "row").text(name)).kids(cells)
        };
        let rows = s.bench.run.lanes.lanes.iter().map(row);
        let caption = el("caption").say("States of each container in order");
        div("hidden").kid(el("table").kid(caption).kid(el("tbody").kids(rows)))
    })
}
