//! The bar on top: where we are, how far, and the menus.

use super::app::{read, send, sends};
use super::el::{El, Kid, button, div, el, span};
use super::icons;
use crate::session::route::Page;
use crate::session::{Dialog, Export, Msg, Part};

pub(crate) fn view() -> El {
    let skip =
        el("a").class("skip").attr("href", "#main").text("Skip to the lab").on("click", |event| {
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
        .live_kid(menus)
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
            let track = id.split('/').next().unwrap_or("").to_owned();
            Some((track, lesson.card.title.clone()))
        }
        (Page::Sandbox, _) => Some((String::new(), "Sandbox".to_owned())),
        _ => None,
    });
    let Some((track, title)) = title else { return Kid::Nothing };
    let mut place = div("place");
    if !track.is_empty() {
        place = place.kid(span("track", track)).kid(span("slash", "/"));
    }
    place.kid(el("h1").text(title)).into()
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
        .kid(span("steps-text", format!("step {} of {n}", step + 1)))
        .kid(div("dots").attr("aria-hidden", "true").kids((0..n).map(dot)))
        .into()
}

fn menus() -> Kid {
    let opened = read(&[Part::Page], |s| matches!(s.route.page, Page::Lesson(_) | Page::Sandbox));
    if !opened {
        return Kid::Nothing;
    }
    let lesson = button("text lesson-toggle", "Lesson", || {
        let open = super::app::peek(|s| s.drawer);
        send(Msg::Drawer(!open));
    });
    div("menus")
        .kid(lesson)
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
    icons::button("icon", sign, &format!("Theme: {name}. Change it"), Msg::NextTheme)
}
