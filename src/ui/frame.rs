//! One message a frame while the player plays; none otherwise.

use super::app::{peek, send};
use super::browser;
use crate::session::Msg;
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// What the browser calls at each frame, with its clock in milliseconds.
type OnFrame = Closure<dyn FnMut(f64)>;

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
    /// When the last frame was, in the browser's milliseconds; None after a rest.
    static LAST: Cell<Option<f64>> = const { Cell::new(None) };
    static ON_FRAME: RefCell<Option<OnFrame>> = const { RefCell::new(None) };
}

/// Asks for a frame where one is needed.
pub(crate) fn wake() {
    if !peek(|s| s.bench.player.playing) {
        LAST.set(None);
        return;
    }
    if ASKED.replace(true) {
        return;
    }
    ON_FRAME.with_borrow_mut(|on_frame| {
        let closure = on_frame.get_or_insert_with(|| Closure::new(frame));
        let _ = browser::window().request_animation_frame(closure.as_ref().unchecked_ref());
    });
}

fn frame(now_ms: f64) {
    ASKED.set(false);
    let dt_ms = LAST.replace(Some(now_ms)).map_or(0.0, |last| now_ms - last);
    send(Msg::Frame { dt_ms });
}
