//! Does what a session asks for. Decides nothing; what comes back goes in as a message.

use super::app::{peek, send};
use super::{browser, editor, engine};
use crate::diagnostic;
use crate::lesson::{file_of, index_file_of};
use crate::session::{Effect, Msg};
use gloo::timers::callback::Timeout;

/// What is wrong with a text that is too large is to be seen before the editor is busy with it.
const LARGE_AFTER_MS: u32 = 40;

pub(crate) fn run(effect: Effect) {
    match effect {
        Effect::FetchCatalogue => fetch(format!("index{}", ending()), Msg::CatalogueCame),
        Effect::FetchPacks => fetch_pack("index.json", Msg::PacksCame),
        Effect::FetchPack(name) => {
            fetch_pack(&index_file_of(&name), move |bytes| Msg::PackCame(name, bytes));
        }
        Effect::FetchLesson(id) => {
            if let Some(file) = file_of(&id) {
                return fetch_pack(&file, move |bytes| Msg::LessonCame(id, bytes));
            }
            let file = format!("{}{}", id.replace('/', "-"), ending());
            fetch(file, move |bytes| Msg::LessonCame(id, bytes));
        }
        Effect::Post(message) => engine::post(&message),
        Effect::StartWorker => engine::start(),
        Effect::ConsoleLine(line) => super::panels::set_console(&line),
        Effect::After(ms, msg) => {
            Timeout::new(ms, move || send(msg)).forget();
        }
        Effect::Save { key, value } => send(Msg::Storage(browser::save(&key, &value))),
        Effect::Forget { key } => browser::forget(&key),
        Effect::Address { hash, push } => browser::write_hash(&hash, push),
        Effect::EditorText { text, .. } if diagnostic::too_large(&text).is_some() => {
            Timeout::new(LARGE_AFTER_MS, editor::refresh).forget();
        }
        Effect::EditorText { text, state } => editor::set_text(&text, state.as_deref()),
        Effect::EditorKeep => send(Msg::Keep(editor::keep())),
        Effect::EditorEdits { old, edits } => editor::apply_edits(&old, &edits),
        Effect::EditorJump(span) => editor::jump(span),
        Effect::EditorMark(span) => editor::mark(span),
        Effect::Download { name, text } => {
            browser::download(&name, "text/plain;charset=utf-8", text.as_bytes());
        }
        Effect::DownloadBytes { name, zip } => browser::download(&name, "application/zip", &zip),
        Effect::Copy(text) => copy(text),
        Effect::CopyTrace => {
            copy(peek(|s| crate::trace::text::render(&s.bench.run.timeline, &s.bench.run.text)))
        }
        Effect::CopyLink(hash) => {
            let href = browser::window().location().href().unwrap_or_default();
            copy(format!("{}{hash}", href.split('#').next().unwrap_or("")));
        }
        Effect::Print => {
            let _ = browser::window().print();
        }
        Effect::Say(sentence) => say(&sentence),
        Effect::Theme(name) => root_attribute("data-theme", name),
        Effect::Language(language) => {
            root_attribute("lang", if language.is_empty() { "en" } else { &language });
        }
    }
}

fn root_attribute(name: &str, value: &str) {
    if let Some(root) = browser::document().document_element() {
        let _ = root.set_attribute(name, value);
    }
}

fn ending() -> String {
    peek(|s| s.prefs.ending())
}

type Came = Result<Vec<u8>, String>;

fn fetch(file: String, msg: impl FnOnce(Came) -> Msg + 'static) {
    fetch_url(format!("{}{file}", browser::address_of("podlab-lessons")), Box::new(msg));
}

fn fetch_pack(file: &str, msg: impl FnOnce(Came) -> Msg + 'static) {
    fetch_url(format!("{}{file}", browser::address_of("podlab-packs")), Box::new(msg));
}

fn fetch_url(url: String, msg: Box<dyn FnOnce(Came) -> Msg>) {
    wasm_bindgen_futures::spawn_local(async move {
        send(msg(browser::fetch(&url).await));
    });
}

fn copy(text: String) {
    wasm_bindgen_futures::spawn_local(async move {
        let said = browser::copy(text).await;
        send(Msg::Say(said.err().unwrap_or_else(|| "Copied.".to_owned())));
    });
}

/// Into the live region; the same sentence twice is said twice.
fn say(sentence: &str) {
    if let Some(region) = browser::document().get_element_by_id("said") {
        region.set_text_content(None);
        let sentence = sentence.to_owned();
        Timeout::new(50, move || region.set_text_content(Some(&sentence))).forget();
    }
}
