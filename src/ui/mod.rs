//! The page: leptos mounts it and keeps it reactive, components show, effects are run. Decides
//! nothing: that is `session`. Each component is a function that gives an `El`.

mod acts;
mod app;
mod bar;
mod browser;
mod catalogue;
mod catalogue_pods;
mod dialogs;
mod editor;
mod effects;
mod el;
mod engine;
mod frame;
mod icons;
mod inspector;
mod keys;
mod lane_view;
mod layout;
mod lesson_pane;
mod panels;
mod problems;
mod stage;
mod stage_parts;
mod transport;
pub mod worker;

use crate::session::{Msg, Part};
use app::{read, send};
use el::{El, Kid, Page, div};
use gloo::events::EventListener;
use gloo::timers::callback::Interval;

/// How often the watchdog looks, in milliseconds.
const CLOCK_MS: u32 = 1000;

/// Mounts the page.
pub fn start() {
    std::panic::set_hook(Box::new(failed));
    let (stored, storage) = browser::stored();
    let hash = browser::read_hash();
    let language = browser::window().navigator().language().unwrap_or_default();
    let language = language.split('-').next().unwrap_or("").to_ascii_lowercase();
    send(Msg::Booted { stored, hash, storage, language });
    leptos::mount::mount_to_body(|| Page(root));
    if let Some(shell) = browser::document().get_element_by_id("shell") {
        shell.remove();
    }
    let on_hash = EventListener::new(&browser::window(), "hashchange", |_| {
        send(Msg::HashChanged(browser::read_hash()));
    });
    on_hash.forget();
    keys::listen();
    Interval::new(CLOCK_MS, || send(Msg::Clock { elapsed_ms: f64::from(CLOCK_MS) })).forget();
}

/// A panic ends the page: the static page behind it says so and offers the work.
fn failed(info: &std::panic::PanicHookInfo<'_>) {
    console_error_panic_hook::hook(info);
    let init = web_sys::CustomEventInit::new();
    init.set_detail(&info.to_string().into());
    if let Ok(event) = web_sys::CustomEvent::new_with_event_init_dict("podlab-failed", &init) {
        let _ = browser::window().dispatch_event(&event);
    }
}

fn root() -> El {
    div("root").live_kid(shell)
}

/// The whole page; another language makes it anew.
fn shell() -> El {
    div("app")
        .key(read(&[Part::Words], |s| s.prefs.language.clone()))
        .attr("id", "app")
        .live("data-present", || {
            read(&[Part::Page, Part::Layout], |s| s.route.present.then(String::new))
        })
        .kid(bar::view())
        .live_kid(layout::main)
        .live_kid(notice)
        .live_kid(dialogs::view)
        .kid(div("hidden").attr("id", "said").attr("role", "status").attr("aria-live", "polite"))
}

/// What the page has to say of itself: the newest notice, lost storage, a lost simulator.
fn notice() -> Kid {
    let (notice, storage, failed) = read(&[Part::Notice], |s| {
        let storage = s
            .storage
            .as_ref()
            .map(|why| s.words.fill("Work is not being kept: {}", &[&s.words.say(why)]));
        (s.notice.clone(), storage, s.engine.failed.clone())
    });
    let lasting = failed.or(storage);
    if notice.is_none() && lasting.is_none() {
        return Kid::Nothing;
    }
    let mut box_ = el::el("section").class("notices").label("Notices");
    if let Some(text) = lasting {
        box_ = box_.kid(div("notice lasting").text(text));
    }
    if let Some(text) = notice {
        let close = icons::button("quiet", icons::CLOSE, "Dismiss", Msg::Dismiss);
        box_ = box_.kid(div("notice").kid(el::span("", text)).kid(close));
    }
    box_.into()
}
