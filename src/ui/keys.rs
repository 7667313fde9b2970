//! Keys that work anywhere on the page, and their list for the help dialog.

use super::app::{peek, send};
use super::{browser, editor};
use crate::session::route::Tab;
use crate::session::{Msg, Pane};
use gloo::events::{EventListener, EventListenerOptions};
use std::cell::Cell;
use wasm_bindgen::JsCast;

/// Two presses are one gesture within so many milliseconds.
const TWICE_MS: f64 = 600.0;

thread_local! {
    /// When Escape was pressed last in the editor, in the browser's milliseconds.
    static ESCAPED: Cell<f64> = const { Cell::new(f64::NEG_INFINITY) };
}

/// (keys, what they do)
pub(crate) const HELP: [(&str, &str); 20] = [
    ("?", "this help"),
    ("Ctrl+Enter or Cmd+Enter", "run from the start"),
    ("Space", "play or pause"),
    (".  ,", "next or previous event"),
    ("Left, Right on the timeline", "previous or next event"),
    ("Shift+Left, Shift+Right", "a second back or on"),
    ("Home, End on the timeline", "first or last instant"),
    ("Enter on a border", "fold its pane away, or open it"),
    ("E", "editor"),
    ("S", "stage"),
    ("T", "timeline"),
    ("L", "logs"),
    ("K", "kubectl"),
    ("P", "large, for a room; again to leave"),
    ("N in a room", "your notes, in a window of their own"),
    ("F8", "next problem (in the editor)"),
    ("Ctrl+.", "quick fix (in the editor)"),
    ("F12, Shift+F12", "where a name is given, and on through its uses (in the editor)"),
    ("F2", "rename everywhere (in the editor)"),
    ("Esc", "back to the lesson (twice in the editor), close a dialog"),
];

pub(crate) fn listen() {
    let options = EventListenerOptions::enable_prevent_default();
    let listener =
        EventListener::new_with_options(&browser::document(), "keydown", options, |event| {
            if let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() {
                on_key(event);
            }
        });
    listener.forget();
}

/// True where keys belong to a field, a button or the editor.
fn is_taken(event: &web_sys::KeyboardEvent, key: &str) -> bool {
    let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
    let Some(target) = target else { return false };
    let inside = |selector: &str| target.closest(selector).ok().flatten().is_some();
    inside("input, textarea, select, [contenteditable=true], .cm-editor, [role=dialog]")
        || (key == " " && inside("button, a, summary, [role=button], [role=tab], label"))
}

fn on_key(event: &web_sys::KeyboardEvent) {
    let key = event.key();
    let opened = peek(|s| !s.bench.id.is_empty());
    if key == "Enter" && (event.ctrl_key() || event.meta_key()) && opened {
        event.prevent_default();
        return send(Msg::Run);
    }
    if key == "Escape" {
        return escape(event);
    }
    if event.ctrl_key() || event.meta_key() || event.alt_key() || is_taken(event, &key) {
        return;
    }
    let done = match key.as_str() {
        "?" => {
            send(Msg::Dialog(Some(crate::session::Dialog::Help)));
            true
        }
        _ => opened && bench_key(&key),
    };
    if done {
        event.prevent_default();
    }
}

fn bench_key(key: &str) -> bool {
    match key {
        " " => send(Msg::PlayPause),
        "." => send(Msg::StepEvent(true)),
        "," => send(Msg::StepEvent(false)),
        "e" | "E" => {
            send(Msg::Pane(Pane::Edit));
            once_shown(editor::focus);
        }
        "s" | "S" => {
            send(Msg::Pane(Pane::Watch));
            once_shown(|| browser::focus("#stage"));
        }
        "p" | "P" => {
            send(Msg::Present(!peek(|s| s.route.present)));
            // Its script is loaded by then: see boot.js.
            if let Ok(event) = web_sys::CustomEvent::new("podlab-present") {
                let _ = browser::window().dispatch_event(&event);
            }
        }
        "t" | "T" => {
            send(Msg::Pane(Pane::Below));
            once_shown(|| browser::focus("#timeline"));
        }
        "l" | "L" => tab(Tab::Logs),
        "k" | "K" => tab(Tab::Kubectl),
        _ => return false,
    }
    true
}

/// In a room a pane has to be seen before it can have the focus.
fn once_shown(does: impl FnOnce() + 'static) {
    if peek(|s| s.route.present) {
        gloo::timers::callback::Timeout::new(0, does).forget();
    } else {
        does();
    }
}

fn tab(tab: Tab) {
    send(Msg::Pane(Pane::Below));
    send(Msg::Tab(tab));
    once_shown(|| browser::focus("#panel"));
}

/// True where Escape was pressed a moment ago: `now_ms` is the browser's clock.
fn again(now_ms: f64) -> bool {
    let before = ESCAPED.replace(now_ms);
    now_ms - before < TWICE_MS
}

fn escape(event: &web_sys::KeyboardEvent) {
    let target = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok());
    let in_editor = target.is_some_and(|t| t.closest(".cm-editor").ok().flatten().is_some());
    let (dialog, drawer, picked) = peek(|s| (s.dialog.is_some(), s.drawer, s.bench.pick.is_some()));
    match (dialog, drawer, picked) {
        (true, ..) => send(Msg::Dialog(None)),
        // In the editor Escape closes its own popups and lets Tab out; a second one leaves it.
        _ if in_editor && !again(event.time_stamp()) => {}
        (_, true, _) => send(Msg::Drawer(false)),
        (.., true) => send(Msg::Pick(None)),
        _ => {
            send(Msg::Pane(Pane::Learn));
            once_shown(|| browser::focus("#lesson"));
        }
    }
}
