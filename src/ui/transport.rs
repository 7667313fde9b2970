//! The transport bar: run, play, steps, speeds, the clock, the scrubber.

use super::app::{fill, read, send, sends};
use super::el::{El, Kid, button, div, el, says, span};
use super::icons;
use crate::session::player::SPEEDS;
use crate::session::{Dialog, Msg, Pane, Part, Session};
use crate::time::SimTime;
use wasm_bindgen::JsCast;

/// Steps of the scrubber in a second.
const SCRUB_PER_SEC: f64 = 10.0;

pub(crate) fn view() -> El {
    let speeds = SPEEDS.into_iter().map(|speed| {
        let chosen = move || read(&[Part::Player], |s| s.bench.player.speed == speed);
        button("speed", &format!("{speed}x"), sends(Msg::Speed(speed)))
            .attr("title", fill("{} simulated seconds a second", &[&speed]))
            .live("aria-pressed", move || Some(chosen().to_string()))
    });
    div("transport")
        .attr("role", "group")
        .label("Player")
        .kid(icons::button("icon", icons::PREVIOUS, "Previous event", Msg::StepEvent(false)))
        .live_kid(play)
        .kid(icons::button("icon", icons::NEXT, "Next event", Msg::StepEvent(true)))
        .kid(div("speeds").attr("role", "group").label("Speed").kids(speeds))
        .kid(span("clock", "").label("Simulated time").attr("role", "timer").live_kid(clock))
        .kid(scrubber())
        .live_kid(state)
        .live_kid(slow)
        .kid(button("faults", "Faults", sends(Msg::Dialog(Some(Dialog::Faults)))))
        .kid(button("run", "Run", sends(Msg::Run)).attr("title", "From the start (Ctrl+Enter)"))
}

fn play() -> El {
    let playing = read(&[Part::Player], |s| s.bench.player.playing);
    let (path, label) = if playing { (icons::PAUSE, "Pause") } else { (icons::PLAY, "Play") };
    icons::button("icon play", path, label, Msg::PlayPause)
}

/// `01:23.4`
pub(crate) fn clock_text(at: SimTime) -> String {
    let tenths = at.as_millis() / 100;
    format!("{:02}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

fn clock() -> String {
    read(&[Part::Cursor], |s| clock_text(s.bench.player.cursor))
}

fn scrubber() -> El {
    let units = |at: SimTime| (at.as_secs_f64() * SCRUB_PER_SEC).round().to_string();
    el("input")
        .class("scrubber")
        .attr("type", "range")
        .attr("min", "0")
        .label("Instant")
        .live("max", move || Some(read(&[Part::Run], |s| units(s.bench.run.timeline.now))))
        .live("aria-valuetext", || {
            let secs = read(&[Part::Cursor], |s| s.bench.player.cursor.as_millis() / 100);
            Some(fill("{}.{} seconds", &[&(secs / 10), &(secs % 10)]))
        })
        .live("prop:value", move || {
            // After a longer run the position on the scale is another one too.
            read(&[Part::Run, Part::Cursor], |s| Some(units(s.bench.player.cursor)))
        })
        .on("input", |event| {
            let input = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
            if let Some(value) = input.map(|i| i.value_as_number()) {
                send(Msg::Seek(SimTime((value / SCRUB_PER_SEC * 1e6) as u64)));
            }
        })
}

/// A run that takes long to make says how far it is, and can be left at that.
fn slow() -> Kid {
    let Some((now, whole)) = read(&[Part::Run], Session::slow_run) else { return Kid::Nothing };
    let far = fill("simulated {} of {} s", &[&now, &whole]);
    div("slow-run")
        .kid(span("progress-run", far))
        .kid(button("quiet", "Stop here", sends(Msg::StopRun)))
        .into()
}

/// What keeps the player, in a word.
fn state() -> Kid {
    let held = read(&[Part::Flow, Part::Run, Part::Player], |s| {
        let hold = s.hold();
        hold.is_some_and(|at| !s.bench.player.playing && s.bench.player.cursor >= at)
    });
    if held {
        return button("badge ask", "your prediction first", || {
            send(Msg::Pane(Pane::Learn));
            send(Msg::Drawer(true));
            super::browser::focus(".prediction:not(.recall) .choice");
        })
        .into();
    }
    let ready = read(&[Part::Notice, Part::Run], |s| s.engine.ready || s.engine.failed.is_some());
    if ready { Kid::Nothing } else { says("badge", "starting the simulator").into() }
}
