//! Which page is shown, and the bench's panes with the borders that can be moved.

use super::app::{fill, peek, read, send, sends, tr};
use super::el::{El, Kid, button, div, el};
use super::{
    browser, catalogue, editor, icons, lane_view, lesson_pane, panels, problems, stage, transport,
};
use crate::session::prefs::Split;
use crate::session::route::Page;
use crate::session::{Load, Msg, Pane, Part};

enum Shown {
    Catalogue,
    Bench { id: String, lesson: bool },
    Waiting,
    Failed(String),
    Unknown(String),
}

pub(crate) fn main() -> El {
    let shown = read(&[Part::Page], |s| match (&s.route.page, &s.lesson) {
        (Page::Catalogue, _) => Shown::Catalogue,
        (Page::Sandbox, _) => Shown::Bench { id: s.bench.id.clone(), lesson: false },
        (Page::Unknown(path), _) => Shown::Unknown(path.clone()),
        (Page::Lesson(id), Load::Here(_)) => Shown::Bench { id: id.clone(), lesson: true },
        (Page::Lesson(_), Load::Waiting) => Shown::Waiting,
        (Page::Lesson(_), Load::Failed(why)) => Shown::Failed(why.clone()),
    });
    let plain = || el("main").class("plain").attr("id", "main").attr("tabindex", "-1").key("plain");
    match shown {
        Shown::Catalogue => catalogue::view(),
        Shown::Bench { id, lesson } => bench(id, lesson),
        Shown::Waiting => plain().say("The lesson is being read."),
        Shown::Failed(why) => plain()
            .kid(catalogue::failed("The lesson could not be read.", &why))
            .kid(el("a").attr("href", "#/").say("All lessons")),
        Shown::Unknown(path) => plain()
            .kid(el("h1").say("There is nothing here"))
            .kid(el("p").text(fill("No page of the lab is called {}.", &[&path])))
            .kid(el("a").attr("href", "#/").say("All lessons")),
    }
}

/// Each lesson has nodes of its own: the editor's undo must not reach into another's text.
fn bench(id: String, lesson: bool) -> El {
    let mut upper = div("upper");
    if lesson {
        upper = upper.kid(lesson_pane::view()).kid(handle(Split::Lesson));
    }
    let upper = upper.kid(editor_pane()).kid(handle(Split::Editor)).kid(stage::pane());
    let body =
        div("lower-body").kid(lane_view::view()).kid(handle(Split::Lanes)).kid(panels::view());
    let busy = || {
        let parts = [Part::Text, Part::Problems, Part::Run, Part::Player, Part::Notice];
        Some((!read(&parts, |s| s.settled())).to_string())
    };
    let lower = el("section").class("lower").label("Time").live("aria-busy", busy);
    let lower = lower.kid(transport::view()).kid(body);
    let mut out = el("main")
        .class(if lesson { "bench has-lesson" } else { "bench" })
        .attr("id", "main")
        .attr("tabindex", "-1")
        .key(id)
        .live("data-pane", || Some(read(&[Part::Layout], |s| pane_name(s.pane)).to_owned()))
        .live("data-folded", || Some(read(&[Part::Layout], |s| s.prefs.folded())))
        .live("data-drawer", || read(&[Part::Layout], |s| s.drawer.then(String::new)));
    for (property, split) in [
        ("style:--split-lesson", Split::Lesson),
        ("style:--split-editor", Split::Editor),
        ("style:--split-lower", Split::Lower),
        ("style:--split-lanes", Split::Lanes),
    ] {
        out = out.live(property, move || {
            Some(read(&[Part::Layout], |s| s.prefs.size(split)).to_string())
        });
    }
    out.kid(pane_tabs(lesson)).kid(upper).kid(handle(Split::Lower)).kid(lower)
}

fn pane_name(pane: Pane) -> &'static str {
    match pane {
        Pane::Learn => "learn",
        Pane::Edit => "edit",
        Pane::Watch => "watch",
        Pane::Below => "watch below",
    }
}

/// Only seen where the window is narrow.
fn pane_tabs(lesson: bool) -> El {
    let tab = |pane: Pane, text: &str| {
        let here = move |p: Pane| p == pane || (p, pane) == (Pane::Below, Pane::Watch);
        let chosen = move || read(&[Part::Layout], |s| here(s.pane));
        button("pane-tab", text, sends(Msg::Pane(pane)))
            .live("aria-pressed", move || Some(chosen().to_string()))
    };
    let mut tabs = el("nav").class("pane-tabs").label("Panes");
    if lesson {
        tabs = tabs.kid(tab(Pane::Learn, "Learn"));
    }
    tabs.kid(tab(Pane::Edit, "Edit")).kid(tab(Pane::Watch, "Watch"))
}

fn editor_pane() -> El {
    let tools = div("pane-head")
        .kid(el("h2").say("manifest.yaml"))
        .live_kid(stale)
        .kid(div("grow"))
        .kid(icons::button("quiet", icons::UNDO, "Undo", Msg::Undo))
        .kid(icons::button("quiet", icons::REDO, "Redo", Msg::Redo))
        .live_kid(reset);
    let pane = el("section").class("editor-pane pane").label("Manifest");
    catalogue::droppable(pane.kid(tools).kid(editor::view()).live_kid(problems::view))
}

/// Only where an edit could change what runs instead of beginning it anew.
fn apply() -> Kid {
    let parts = [Part::Text, Part::Problems, Part::Run, Part::Shown];
    let can = read(&parts, |s| {
        s.bench.can_apply()
            && s.bench.checked == s.bench.revision
            && !s.bench.shown().pods.is_empty()
    });
    let title = "kubectl apply at this instant: what runs is changed, not begun anew";
    can.then(|| button("quiet", "apply", sends(Msg::ApplyEdit)).attr("title", title)).into()
}

/// Only while the run is of an older text; the stage and the editor say why.
fn stale() -> Kid {
    let stale = read(&[Part::Stale], |s| s.bench.stale.is_some());
    stale.then(|| el("span").class("badge warn").say("run is older")).into()
}

fn reset() -> Kid {
    let (lesson, changed, kept) = read(&[Part::Text, Part::Page], |s| {
        let start = s.lesson.here().map(|l| l.start.clone());
        (start.is_some(), start.is_some_and(|t| t != s.bench.text), s.bench.kept.is_some())
    });
    let mut out = div("row").live_kid(apply);
    if kept {
        let back = button("quiet", "bring back", sends(Msg::BringBack));
        out = out.kid(back.attr("title", "What stood here before the last reset or import"));
    }
    if lesson {
        let reset = button("quiet", "reset", sends(Msg::Reset)).flag("disabled", !changed);
        out = out.kid(reset.attr("title", "The lesson's start again; yours can be brought back"));
    }
    out.into()
}

/// A border: drag, arrow keys, double-click for the usual size. Enter, or dragging it to the edge,
/// folds its pane away; the border of a folded pane opens it at a click.
fn handle(split: Split) -> El {
    let (_, _, most) = split.range();
    let tall = split != Split::Lower;
    let (name, pane) = match split {
        Split::Lesson => ("Width of the lesson", "Lesson"),
        Split::Editor => ("Width of the editor", "Manifest"),
        Split::Lower => ("Height of the lower part", "Timeline and panels"),
        Split::Lanes => ("Width of the timeline", "Timeline"),
    };
    let folded = move || peek(|s| s.prefs.size(split)) == 0;
    div(if tall { "handle upright" } else { "handle level" })
        .class(&format!(
            "handle {} handle-{}",
            if tall { "upright" } else { "level" },
            split.name()
        ))
        .attr("role", "separator")
        .attr("tabindex", "0")
        .attr("aria-orientation", if tall { "vertical" } else { "horizontal" })
        .label(name)
        .attr("title", "Drag; double-click for the usual size; Enter folds")
        .attr("data-pane", tr(pane))
        .num("aria-valuemin", 0.0)
        .num("aria-valuemax", f64::from(most) / 10.0)
        .live("aria-valuenow", move || {
            Some((read(&[Part::Layout], |s| s.prefs.size(split)) / 10).to_string())
        })
        .on("dblclick", move |_| send(Msg::Resize(split, None)))
        .on("click", move |_| {
            if folded() {
                send(Msg::Resize(split, None));
            }
        })
        .on_as::<web_sys::PointerEvent>("pointerdown", |event| {
            event.prevent_default();
            if let Some(target) = target_of(&event) {
                let _ = target.set_pointer_capture(event.pointer_id());
            }
        })
        .on_as::<web_sys::PointerEvent>("pointermove", move |event| {
            let captured = |t: web_sys::Element| t.has_pointer_capture(event.pointer_id());
            // A folded pane opens at a click, which moves a little too.
            if target_of(&event).is_some_and(captured) && !folded() {
                drag(split, f64::from(event.client_x()), f64::from(event.client_y()));
            }
        })
        .on_as::<web_sys::KeyboardEvent>("keydown", move |event| {
            let size = peek(|s| s.prefs.size(split));
            let size = match event.key().as_str() {
                "Enter" if size > 0 => Some(0),
                "Enter" | "ArrowRight" | "ArrowUp" if size == 0 => None,
                "ArrowLeft" | "ArrowDown" => Some(size.saturating_sub(20)),
                "ArrowRight" | "ArrowUp" => Some(size + 20),
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            send(Msg::Resize(split, size));
        })
}

fn target_of(event: &web_sys::PointerEvent) -> Option<web_sys::Element> {
    use wasm_bindgen::JsCast;
    event.target().and_then(|t| t.dyn_into().ok())
}

fn drag(split: Split, x: f64, y: f64) {
    let side = |v: Result<wasm_bindgen::JsValue, _>| v.ok().and_then(|v| v.as_f64()).unwrap_or(1.0);
    let (w, h) = (side(browser::window().inner_width()), side(browser::window().inner_height()));
    let lesson = peek(|s| match s.lesson.here() {
        Some(_) => f64::from(s.prefs.size(Split::Lesson)),
        None => 0.0,
    });
    // Below this width the lesson lies over the panes and takes no room among them.
    let lesson = if w < 1100.0 { 0.0 } else { lesson };
    let size = match split {
        Split::Lesson | Split::Lanes => x / w * 1000.0,
        Split::Editor => x / w * 1000.0 - lesson,
        Split::Lower => (h - y) / h * 1000.0,
    };
    send(Msg::Resize(split, Some(size.max(0.0) as u32)));
}
