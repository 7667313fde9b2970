//! The bar on top: where we are, how far, and the menus.

use super::app::{fill, read, send, sends, tr};
use super::el::{El, Kid, button, div, el, says, span};
use super::{catalogue, icons};
use crate::lesson::Kind;
use crate::session::drill::Ticking;
use crate::session::route::Page;
use crate::session::{Dialog, Export, Msg, Part};

pub(crate) fn view() -> El {
    let skip =
        el("a").class("skip").attr("href", "#main").say("Skip to the lab").on("click", |event| {
            // The address belongs to the router.
            event.prevent_default();
            super::browser::focus("#main");
        });
    let home = el("a")
        .class("brand")
        .attr("href", "#/")
        .label("Podlab")
        .kid(mark())
        .kid(span("", "Podlab"));
    el("header")
        .class("bar")
        .kid(skip)
        .kid(home)
        .live_kid(place)
        .kid(div("grow"))
        .live_kid(progress)
        .live_kid(drill)
        .live_kid(menus)
        .live_kid(language)
        .live_kid(theme)
        .kid(icon("?", "Help and keys", Msg::Dialog(Some(Dialog::Help))))
}

/// The sign: a pod with two containers.
fn mark() -> El {
    let rect = |x: &str, y: &str, w: &str, class: &str| {
        let rect = super::el::svg("rect").attr("x", x).attr("y", y).attr("width", w);
        rect.attr("height", w).attr("rx", "2").class(class)
    };
    super::el::svg("svg")
        .class("mark")
        .attr("viewBox", "0 0 20 20")
        .attr("aria-hidden", "true")
        .kid(rect("1.5", "1.5", "17", "mark-pod"))
        .kid(rect("4.5", "7", "5", "mark-a"))
        .kid(rect("11", "7", "5", "mark-b"))
}

fn icon(text: &str, label: &str, msg: Msg) -> El {
    button("icon", text, sends(msg)).label(label).attr("title", label)
}

fn place() -> Kid {
    let title = read(&[Part::Page], |s| match (&s.route.page, s.lesson.here()) {
        (Page::Lesson(id), Some(lesson)) => {
            let tracks = s.catalogue.here().map_or(&[][..], |c| &c.tracks);
            let slug = id.split('/').next().unwrap_or("");
            let track = tracks.iter().find(|t| t.slug == slug);
            let track = track.map_or(slug, |t| &t.title).to_owned();
            Some((track, lesson.card.title.clone(), lesson.card.kind))
        }
        (Page::Sandbox, _) => Some((String::new(), tr("Sandbox"), Kind::Lesson)),
        _ => None,
    });
    let Some((track, title, kind)) = title else { return Kid::Nothing };
    let mut place = div("place");
    if !track.is_empty() {
        place = place.kid(span("track", track)).kid(span("slash", "/"));
    }
    place.kid(el("h1").text(title)).kid(catalogue::kind_chip(kind)).into()
}

fn progress() -> Kid {
    let found = read(&[Part::Page, Part::Flow], |s| {
        let n = s.lesson.here()?.steps.len();
        (n > 1).then_some((s.bench.step, n))
    });
    let Some((step, n)) = found else { return Kid::Nothing };
    let dot = |i: usize| {
        let class = if i == step {
            "dot now"
        } else if i < step {
            "dot past"
        } else {
            "dot"
        };
        span(class, "")
    };
    div("steps-dots")
        .kid(span("steps-text", fill("step {} of {}", &[&(step + 1), &n])))
        .kid(div("dots").attr("aria-hidden", "true").kids((0..n).map(dot)))
        .into()
}

/// A drill's clock: it counts up, says what the drill is made for, and can be stopped.
fn drill() -> Kid {
    let parts = [Part::Page, Part::Player, Part::Flow];
    let found = read(&parts, |s| Some((s.drill_secs()?, s.bench.drill.state, s.all_done())));
    let Some(((spent, meant), state, done)) = found else { return Kid::Nothing };
    let clock = |secs: u64| format!("{}:{:02}", secs / 60, secs % 60);
    let text = match (state, spent > meant) {
        _ if done => fill("done in {}", &[&clock(spent)]),
        (Ticking::NotYet, _) if spent == 0 => fill("{} min from your first key", &[&(meant / 60)]),
        (_, false) => fill("{} of {}", &[&clock(spent), &clock(meant)]),
        (_, true) => fill("{} over {}", &[&clock(spent - meant), &clock(meant)]),
    };
    let out = div("drill").kid(says("hidden", "Time worked")).kid(span("drill-time", text));
    let (path, label) = match state {
        _ if done => return out.into(),
        Ticking::NotYet => return out.into(),
        Ticking::Runs => (icons::PAUSE, "Stop the drill's clock"),
        Ticking::Stopped => (icons::PLAY, "Let the drill's clock go on"),
    };
    out.kid(icons::button("quiet", path, label, Msg::DrillClock)).into()
}

/// The language of lessons and page; only where there is more than one.
fn language() -> Kid {
    let (mut all, now) = read(&[Part::Page], |s| {
        let all = s.catalogue.here().map_or(Vec::new(), |c| c.languages.clone());
        (all, s.prefs.language.clone())
    });
    if all.is_empty() {
        return Kid::Nothing;
    }
    all.insert(0, String::new());
    let at = all.iter().position(|l| *l == now).unwrap_or(0);
    let next = all[(at + 1) % all.len()].clone();
    let name = |l: &str| if l.is_empty() { "EN".to_owned() } else { l.to_ascii_uppercase() };
    let label = fill("Language: {}. Change it to {}", &[&name(&now), &name(&next)]);
    icon(&name(&now), &label, Msg::Language(next)).class("icon setting").into()
}

fn menus() -> Kid {
    let in_lesson = match read(&[Part::Page], |s| s.route.page.clone()) {
        Page::Lesson(_) => true,
        Page::Sandbox => false,
        _ => return Kid::Nothing,
    };
    let lesson = button("text lesson-toggle", "Lesson", || {
        let open = super::app::peek(|s| s.drawer);
        send(Msg::Drawer(!open));
    });
    div("menus")
        .kid(in_lesson.then_some(lesson))
        .kid(button("text", "Share", sends(Msg::Export(Export::Link))))
        .kid(button("text", "Open", sends(Msg::Dialog(Some(Dialog::Import)))))
        .kid(button("text", "Export", sends(Msg::Dialog(Some(Dialog::Export)))))
        .into()
}

fn theme() -> El {
    let name = read(&[Part::Layout], |s| s.prefs.theme.name());
    let sign = match name {
        "light" => icons::SUN,
        "dark" => icons::MOON,
        _ => icons::HALF,
    };
    icons::button("icon setting", sign, &fill("Theme: {}. Change it", &[&tr(name)]), Msg::NextTheme)
}
