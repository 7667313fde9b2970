//! The first page: the four patterns, their lessons, where one was, and the sandbox.

use super::app::{fill, read, send, sends, tr};
use super::el::{El, Kid, button, coded, div, el, says, span};
use super::{browser, catalogue_pods};
use crate::lesson::{Card, Catalogue, Kind, Track};
use crate::session::packs::Shelf;
use crate::session::work::Work;
use crate::session::{Export, Load, Msg, Part, Session};
use wasm_bindgen::JsCast;

pub(crate) fn view() -> El {
    el("main")
        .class("catalogue")
        .attr("id", "main")
        .attr("tabindex", "-1")
        .key("catalogue")
        .kid(intro())
        .live_kid(resume)
        .live_kid(tracks)
        .live_kid(packs)
        .kid(sandbox())
        .live_kid(kept)
}

fn intro() -> El {
    div("intro").kid(el("h1").say("Several containers, one pod")).kid(el("p").say(
        "Edit a real manifest, watch the pod live, take away YAML that a cluster accepts. \
             Everything runs in this page; nothing can break.",
    ))
}

/// The card of a lesson by its id, and where its work stands.
fn resume() -> Option<El> {
    read(&[Part::Page], |s| {
        let newest = s.works.values().filter(|w| w.id != "sandbox").max_by_key(|w| w.touched)?;
        let card = s.card(&newest.id).filter(|c| c.version == newest.version)?;
        let href = format!("#/lesson/{}?step={}", card.id, newest.step + 1);
        let text = fill("{}, step {}", &[&card.title, &(newest.step + 1)]);
        Some(
            el("a")
                .class("resume")
                .attr("href", href)
                .kid(says("resume-word", "Go on where you were"))
                .kid(span("resume-title", text)),
        )
    })
}

fn tracks() -> El {
    read(&[Part::Page], |s| match &s.catalogue {
        Load::Waiting => div("tracks waiting").say("The lessons are being read."),
        Load::Failed(why) => failed("The list of lessons could not be read.", why),
        Load::Here(catalogue) => grid(catalogue, s),
    })
}

/// What is shown where something did not come, and the way out.
pub(crate) fn failed(what: &str, why: &str) -> El {
    div("failed-load")
        .attr("role", "alert")
        .kid(el("h2").text(what))
        .kid(el("p").text(why))
        .kid(button("primary", "Try again", sends(Msg::Retry)))
}

fn grid(catalogue: &Catalogue, s: &Session) -> El {
    let last = s.prefs.last.split('/').next().unwrap_or("");
    let begun = catalogue.tracks.iter().any(|t| t.slug == last);
    let tracks = catalogue.tracks.iter().enumerate().map(|(i, track)| {
        // Few lessons are all seen; of many, those of the track one was in, or the first.
        let here = if begun { track.slug == last } else { i == 0 };
        let open = here || track.lessons.len() <= FEW;
        track_card(track, open, s)
    });
    div("tracks").kids(tracks)
}

/// Lessons from elsewhere, each pack under its own name.
fn packs() -> Kid {
    read(&[Part::Page], |s| {
        let packs = &s.packs;
        if packs.all.is_empty() && packs.wrong.is_empty() {
            return Kid::Nothing;
        }
        let pack = |shelf: &Shelf| {
            let index = shelf.index();
            let forget = matches!(shelf, Shelf::Opened(_)).then(|| {
                let label = fill("Forget {}", &[&index.title]);
                button("quiet", "Forget", sends(Msg::ForgetPack(index.name.clone()))).label(label)
            });
            let head = div("pack-head")
                .kid(el("h2").text(&index.title))
                .kid(says("summary", "Lessons from elsewhere"))
                .kid(forget);
            let tracks = index.tracks.iter().map(|track| track_card(track, true, s));
            el("section").class("pack").key(&index.name).kid(head).kid(div("tracks").kids(tracks))
        };
        let wrong = packs.wrong.iter().map(|why| el("p").class("pack-wrong").text(why));
        div("packs").kids(packs.all.iter().map(pack)).kids(wrong).into()
    })
}

/// So many lessons of a track are seen without opening it.
const FEW: usize = 2;

fn track_card(track: &Track, open: bool, s: &Session) -> El {
    let n = track.lessons.len();
    let n_done = track.lessons.iter().filter(|card| is_done(card, s)).count();
    let many = n > FEW;
    let picture = catalogue_pods::view(&track.slug, &track.title).map(|picture| {
        let href = track.lessons.first().map(|card| format!("#/lesson/{}", card.id));
        let frame = if href.is_some() { el("a") } else { div("") };
        frame.class("pod-link").live("href", move || href.clone()).kid(picture)
    });
    let bar = div("track-bar")
        .attr("aria-hidden", "true")
        .kid(div("").attr("style:width", format!("{}%", n_done * 100 / n.max(1))));
    let summary = el("summary").kid(span("", fill("{} of {} done", &[&n_done, &n]))).kid(bar);
    let lessons = el("details")
        .class("track-lessons")
        .flag("open", open)
        .kid(summary)
        .kids(track.lessons.iter().map(|card| lesson_card(card, many, s)));
    el("section")
        .class(if many { "track-card many" } else { "track-card" })
        .key(&track.slug)
        .kid(picture)
        .kid(el("h2").text(&*track.title))
        .kid(el("p").class("summary").text(&*track.summary))
        .kid(lessons)
}

fn work_of<'a>(card: &Card, s: &'a Session) -> Option<&'a Work> {
    s.works.values().find(|w| w.id == card.id && w.version == card.version)
}

fn is_done(card: &Card, s: &Session) -> bool {
    work_of(card, s).is_some_and(|w| card.n_tasks > 0 && w.done.len() >= card.n_tasks as usize)
}

/// Where work on a lesson stands, in a word.
fn standing(card: &Card, s: &Session) -> Option<String> {
    let work = work_of(card, s)?;
    Some(match (is_done(card, s), work.done.len()) {
        (true, _) => s.words.say("done"),
        (_, 0) => s.words.say("begun"),
        (_, n) => s.words.fill("{} of {} tasks", &[&n, &card.n_tasks]),
    })
}

/// What is no lesson says what it is.
pub(crate) fn kind_chip(kind: Kind) -> Option<El> {
    let word = match kind {
        Kind::Lesson => return None,
        Kind::Challenge => "challenge",
        Kind::Drill => "drill",
    };
    Some(says(&format!("kind {word}"), word))
}

/// A lesson as a card; a row where there are many.
fn lesson_card(card: &Card, row: bool, s: &Session) -> El {
    let done = is_done(card, s);
    let meta = div("meta")
        .kid(kind_chip(card.kind))
        .kid(span("minutes", fill("{} min", &[&card.minutes])))
        .kid(standing(card, s).map(|text| span(if done { "done" } else { "begun" }, text)));
    let mut out = el("a")
        .class(if row { "lesson-card row-card" } else { "lesson-card" })
        .attr("href", format!("#/lesson/{}", card.id))
        .kid(el("h3").text(&*card.title))
        .kid(coded(el("p"), &card.summary));
    if !row {
        let outcomes = card.outcomes.iter().map(|o| coded(el("li"), o));
        out = out.kid(el("ul").label("You will be able to").kids(outcomes));
    }
    out.kid(meta)
}

/// A file larger than this is not read, in bytes.
const FILE_MAX: f64 = 8_388_608.0;

/// Reads a chosen or dropped file in.
pub(crate) fn open_file(file: &web_sys::File) {
    let name = file.name();
    if file.size() > FILE_MAX {
        let mib = (file.size() / 1_048_576.0).round();
        return send(Msg::Say(fill("{} has {} MiB; a manifest has 8 at most.", &[&name, &mib])));
    }
    if name.ends_with(".zip") {
        return open_pack(name, file.array_buffer());
    }
    // Bytes, not a string of the browser's: those come over in one piece, letter for letter.
    let bytes = file.array_buffer();
    wasm_bindgen_futures::spawn_local(async move {
        send(match wasm_bindgen_futures::JsFuture::from(bytes).await {
            Ok(bytes) => {
                Msg::Import { name, text: text_of(js_sys::Uint8Array::new(&bytes).to_vec()) }
            }
            Err(_) => Msg::Say(fill("{} could not be read.", &[&name])),
        });
    });
}

/// As browsers read a file: without a byte order mark, U+FFFD for what is no UTF-8.
fn text_of(mut bytes: Vec<u8>) -> String {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// A zip is a pack of lessons.
fn open_pack(name: String, bytes: js_sys::Promise) {
    wasm_bindgen_futures::spawn_local(async move {
        let bytes = wasm_bindgen_futures::JsFuture::from(bytes).await;
        send(match bytes {
            Ok(bytes) => Msg::PackOpened(name, js_sys::Uint8Array::new(&bytes).to_vec()),
            Err(_) => Msg::Say(fill("{} could not be read.", &[&name])),
        });
    });
}

/// A button that opens a file, and a place to drop one.
pub(crate) fn file_input(id: &'static str) -> El {
    let input = el("input")
        .attr("type", "file")
        .attr("id", id)
        .attr("accept", ".yaml,.yml,.json,.txt,.zip,text/*,application/yaml")
        .class("file-input")
        .on("change", |event| {
            let input = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
            let file = input.and_then(|i| i.files()).and_then(|files| files.get(0));
            if let Some(file) = file {
                open_file(&file);
            }
        });
    el("label").class("button").attr("for", id).say("Open a file").kid(input)
}

pub(crate) fn droppable(el: El) -> El {
    el.on("dragover", |event| event.prevent_default()).on_as::<web_sys::DragEvent>(
        "drop",
        |event| {
            event.prevent_default();
            let data = event.data_transfer();
            let file = data.as_ref().and_then(|d| d.files()).and_then(|files| files.get(0));
            let text = data.and_then(|d| d.get_data("text").ok()).filter(|t| !t.is_empty());
            match (file, text) {
                (Some(file), _) => open_file(&file),
                (None, Some(text)) => send(Msg::Import { name: tr("the dropped text"), text }),
                _ => {}
            }
        },
    )
}

fn sandbox() -> El {
    let field = el("textarea")
        .class("paste")
        .attr("rows", "3")
        .attr("spellcheck", "false")
        .attr("id", "paste")
        .attr("placeholder", "Paste any Kubernetes YAML here, or drop a file")
        .label("Paste a manifest")
        .on("paste", |_| {
            // The text is in the field once the browser is through with the event.
            gloo::timers::callback::Timeout::new(0, || {
                let field = browser::document().get_element_by_id("paste");
                let field = field.and_then(|f| f.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
                if let Some(field) = field.filter(|f| !f.value().trim().is_empty()) {
                    let name = tr("the pasted text");
                    send(Msg::Import { name, text: field.value() });
                }
            })
            .forget();
        });
    let blank = el("a").class("button").attr("href", "#/sandbox").say("Open the sandbox");
    let words = div("")
        .kid(el("h2").say("Sandbox"))
        .kid(
            el("p")
                .class("summary")
                .say("Your own manifest on the same simulator; or a pack of lessons, as a zip."),
        )
        .kid(div("row").kid(blank).kid(file_input("open-catalogue")));
    droppable(el("section").class("sandbox-card").kid(words).kid(field))
}

/// Work of lessons that have changed since, and all work as one file.
fn kept() -> Kid {
    let rows: Vec<El> = read(&[Part::Page], |s| {
        let row = |(key, work): (&String, &Work)| {
            let card = s.card(&work.id);
            let name = card.map_or(work.id.as_str(), |c| &c.title).to_owned();
            let old = card.is_some_and(|c| c.version != work.version);
            let forget = button("quiet", "Forget", sends(Msg::ForgetWork(key.clone())));
            el("li")
                .key(key)
                .kid(span(
                    "",
                    if old { fill("{} (an older version)", &[&name]) } else { name.clone() },
                ))
                .kid(forget.label(fill("Forget {}", &[&name])))
        };
        s.works.iter().map(row).collect()
    });
    if rows.is_empty() {
        return Kid::Nothing;
    }
    let all = el("details")
        .kid(el("summary").text(fill("What is kept ({})", &[&rows.len()])))
        .kid(el("ul").kids(rows));
    el("footer")
        .class("kept")
        .kid(says("", "Your work is kept in this browser."))
        .kid(button("text", "Download all of it", sends(Msg::Export(Export::AllWork))))
        .kid(all)
        .into()
}
