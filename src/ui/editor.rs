//! The editor's glue: a plain text field from the first moment, CodeMirror over it when its bundle
//! has come. Offsets are bytes on our side, UTF-16 units on the editor's.

use super::app::{fill, peek, read, send};
use super::el::{El, Kid, div, el};
use super::{browser, engine};
use crate::diagnostic::{self, Completion, Diagnostic, Hover, Links, Renamed, Severity};
use crate::protocol::ToWorker;
use crate::session::{Msg, Part, Session};
use crate::text::{Edit, Span, Units, from_utf16, to_utf16};
use js_sys::{Array, Function, Object, Reflect};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// JavaScript's own `import(address)`.
    #[wasm_bindgen(js_name = "import", catch)]
    fn import_module(address: &str) -> Result<js_sys::Promise, JsValue>;
}

/// What takes the answer, and the text that was asked about.
type Asked = (Function, String);

/// Open questions kept at most.
const ASKED_MAX: usize = 16;

thread_local! {
    static EDITOR: RefCell<Option<Object>> = const { RefCell::new(None) };
    /// Descriptions by type and field, once fetched.
    static DOCS: RefCell<JsValue> = const { RefCell::new(JsValue::UNDEFINED) };
    /// Open questions by number.
    static ASKED: RefCell<BTreeMap<u32, Asked>> = const { RefCell::new(BTreeMap::new()) };
}

/// The pane's inside. The text field goes when the editor is there.
pub(crate) fn view() -> El {
    let field = el("textarea")
        .class("plain-editor")
        .attr("id", "plain-editor")
        .attr("spellcheck", "false")
        .attr("autocapitalize", "off")
        .attr("autocomplete", "off")
        .attr("wrap", "off")
        .label("Manifest")
        .attr("prop:value", peek(|s| s.bench.text.clone()))
        .on("input", |event| {
            let field =
                event.target().and_then(|t| t.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
            if let Some(field) = field {
                send(Msg::Edited(field.value()));
            }
        });
    let holder = div("editor-holder").attr("id", "editor-holder").kid(field).ready(|holder| {
        close();
        wasm_bindgen_futures::spawn_local(load(holder));
    });
    // A live child without a picture: hands new problems to the editor.
    holder
        .live_kid(|| {
            // Copied out first: the editor may call back while it is told.
            let found = read(&[Part::Problems], problems);
            show_problems(&found);
            Kid::Nothing
        })
        .live_kid(|| {
            let stale = read(&[Part::Stale], |s| s.bench.stale.clone());
            call("setStaleMark", &[text_or_null(stale.as_deref())]);
            Kid::Nothing
        })
}

async fn load(holder: web_sys::Element) {
    let Ok(promise) = import_module(&browser::address_of("podlab-editor")) else { return };
    // Without the bundle the text field stays: everything works, with less comfort.
    let Ok(module) = wasm_bindgen_futures::JsFuture::from(promise).await else { return };
    let Ok(create) = Reflect::get(&module, &"createEditor".into()) else { return };
    let Some(create) = create.dyn_ref::<Function>() else { return };
    if !holder.is_connected() {
        return;
    }
    let made = create.call2(&JsValue::NULL, &holder, &options());
    let Some(editor) = made.ok().and_then(|e| e.dyn_into::<Object>().ok()) else { return };
    EDITOR.set(Some(editor));
    if let Ok(Some(content)) = holder.query_selector(".cm-content") {
        // Editable is focusable, but not every reader of the page knows.
        let _ = content.set_attribute("tabindex", "0");
    }
    holder.class_list().add_1("has-editor").unwrap_or_default();
    let state = peek(|s| s.bench.editor_state.clone());
    if let Some(state) = state {
        call("restoreState", &[state.into()]);
    }
    refresh();
}

/// The text and its problems as they are now.
pub(crate) fn refresh() {
    let (text, found) = peek(|s| (s.bench.text.clone(), problems(s)));
    set_text(&text, None);
    show_problems(&found);
}

fn options() -> Object {
    let options = Object::new();
    let set = |name: &str, value: &JsValue| Reflect::set(&options, &name.into(), value).is_ok();
    set("text", &peek(|s| s.bench.text.clone()).into());
    set("label", &"Manifest".into());
    let change = Closure::<dyn Fn(String)>::new(|text| send(Msg::Edited(text)));
    set("onChange", &change.into_js_value());
    let fix = Closure::<dyn Fn(u32, u32)>::new(|diagnostic, fix| {
        send(Msg::ApplyFix { diagnostic: diagnostic as usize, fix: fix as usize });
    });
    set("onFix", &fix.into_js_value());
    let complete =
        |text: String, at: u32| ask(text, at, |ask, text, at| ToWorker::Complete { ask, text, at });
    let complete = Closure::<dyn Fn(String, u32) -> js_sys::Promise>::new(complete);
    set("complete", &complete.into_js_value());
    let hover =
        |text: String, at: u32| ask(text, at, |ask, text, at| ToWorker::Hover { ask, text, at });
    let hover = Closure::<dyn Fn(String, u32) -> js_sys::Promise>::new(hover);
    set("hover", &hover.into_js_value());
    let links =
        |text: String, at: u32| ask(text, at, |ask, text, at| ToWorker::Links { ask, text, at });
    let links = Closure::<dyn Fn(String, u32) -> js_sys::Promise>::new(links);
    set("links", &links.into_js_value());
    let rename = |text: String, at: u32, to: String| {
        ask(text, at, |ask, text, at| ToWorker::Rename { ask, text, at, to })
    };
    let rename = Closure::<dyn Fn(String, u32, String) -> js_sys::Promise>::new(rename);
    set("rename", &rename.into_js_value());
    let refused = Closure::<dyn Fn(u32)>::new(|units: u32| {
        let says = "{} MiB are too much for the editor, which takes 8: nothing was changed.";
        send(Msg::Say(fill(says, &[&(units >> 20)])));
    });
    set("onRefused", &refused.into_js_value());
    options
}

/// A question to the engine; the promise holds once it answers.
fn ask(text: String, units: u32, of: impl FnOnce(u32, String, u32) -> ToWorker) -> js_sys::Promise {
    if diagnostic::too_large(&text).is_some() {
        return js_sys::Promise::resolve(&JsValue::NULL);
    }
    let at = from_utf16(&text, units);
    let mut of = Some(of);
    js_sys::Promise::new(&mut |resolve, _| {
        let Some(of) = of.take() else { return };
        let ask = ASKED.with_borrow_mut(|asked| {
            let ask = asked.last_key_value().map_or(1, |(last, _)| last.wrapping_add(1));
            // An editor that asks on and on is answered the newest.
            while asked.len() >= ASKED_MAX {
                asked.pop_first();
            }
            asked.insert(ask, (resolve, text.clone()));
            ask
        });
        engine::post(&of(ask, text.clone(), at));
    })
}

fn answer(ask: u32, make: impl FnOnce(&str) -> JsValue) {
    if let Some((resolve, text)) = ASKED.with_borrow_mut(|asked| asked.remove(&ask)) {
        let _ = resolve.call1(&JsValue::NULL, &make(&text));
    }
}

pub(crate) fn completed(ask: u32, found: &[Completion]) {
    answer(ask, |text| {
        let Some(first) = found.first() else { return JsValue::NULL };
        let (from, to) = units(text, first.span);
        let option = |c: &Completion| {
            object(&[
                ("label", c.label.as_str().into()),
                ("insert", c.insert.as_str().into()),
                ("detail", c.detail.as_str().into()),
            ])
        };
        let options: Array = found.iter().map(option).collect();
        object(&[("from", from.into()), ("to", to.into()), ("options", options.into())]).into()
    });
}

/// Answers with what the engine knows and, once its file has come, Kubernetes' description.
pub(crate) fn hovered(ask: u32, hover: Option<Hover>) {
    let Some(hover) = hover else { return answer(ask, |_| JsValue::NULL) };
    wasm_bindgen_futures::spawn_local(async move {
        let description = description(&hover.described).await.unwrap_or_default();
        answer(ask, |text| {
            let (from, to) = units(text, hover.span);
            let needed = if hover.required { ", required" } else { "" };
            let kind = format!("{}{needed}", hover.type_name);
            object(&[
                ("from", from.into()),
                ("to", to.into()),
                ("title", hover.path.as_str().into()),
                ("kind", kind.into()),
                ("text", hover.doc.as_str().into()),
                ("more", description.trim().into()),
            ])
            .into()
        });
    });
}

pub(crate) fn linked(ask: u32, links: Option<Links>) {
    answer(ask, |text| {
        let Some(links) = links else { return JsValue::NULL };
        let places = |spans: &[Span]| -> JsValue {
            let place = |span: &Span| {
                let (from, to) = units(text, *span);
                object(&[("from", from.into()), ("to", to.into())])
            };
            spans.iter().map(place).collect::<Array>().into()
        };
        object(&[
            ("what", links.what.as_str().into()),
            ("name", links.name.as_str().into()),
            ("definitions", places(&links.definitions)),
            ("uses", places(&links.uses)),
        ])
        .into()
    });
}

pub(crate) fn renamed(ask: u32, renamed: &Renamed) {
    answer(ask, |text| {
        let edits = changes(text, &renamed.edits);
        object(&[("edits", edits.into()), ("problem", renamed.problem.as_str().into())]).into()
    });
}

/// Kubernetes' own words on a field: from a file that is fetched at the first question.
async fn description((of, field): &(String, String)) -> Option<String> {
    let mut docs = DOCS.with_borrow(Clone::clone);
    if docs.is_undefined() {
        let bytes = browser::fetch("schema-docs-v1_36.json").await.ok()?;
        docs = js_sys::JSON::parse(&String::from_utf8_lossy(&bytes)).ok()?;
        DOCS.set(docs.clone());
    }
    let about = Reflect::get(&docs, &of.as_str().into()).ok()?;
    Reflect::get(&about, &field.as_str().into()).ok()?.as_string()
}

fn call(method: &str, args: &[JsValue]) -> JsValue {
    EDITOR
        .with_borrow(|editor| {
            let editor = editor.as_ref()?;
            let method = Reflect::get(editor, &method.into()).ok()?.dyn_into::<Function>().ok()?;
            method.apply(editor, &args.iter().collect::<Array>()).ok()
        })
        .unwrap_or(JsValue::UNDEFINED)
}

/// The page leaves the bench: the editor goes with it.
fn close() {
    call("destroy", &[]);
    EDITOR.set(None);
}

fn plain_field() -> Option<web_sys::HtmlTextAreaElement> {
    browser::document().get_element_by_id("plain-editor")?.dyn_into().ok()
}

pub(crate) fn set_text(text: &str, state: Option<&str>) {
    if EDITOR.with_borrow(Option::is_some) {
        if let Some(state) = state {
            call("restoreState", &[state.into()]);
        }
        call("setText", &[text.into()]);
    } else if let Some(field) = plain_field() {
        field.set_value(text);
    }
}

/// The editor's own undo and folds as text; None where only the plain field is there.
pub(crate) fn keep() -> Option<String> {
    call("saveState", &[]).as_string()
}

fn units(text: &str, span: Span) -> (u32, u32) {
    (to_utf16(text, span.start), to_utf16(text, span.end))
}

/// Applies a repair; the text on the bench is already the repaired one.
pub(crate) fn apply_edits(old: &str, edits: &[Edit]) {
    if EDITOR.with_borrow(Option::is_none) {
        if let Some(field) = plain_field() {
            field.set_value(&crate::text::apply(old, edits));
        }
        return;
    }
    call("applyEdits", &[changes(old, edits).into()]);
}

/// Edits of a text as the editor takes them.
fn changes(text: &str, edits: &[Edit]) -> Array {
    let change = |edit: &Edit| {
        let (from, to) = units(text, edit.span);
        let insert = edit.text.as_str().into();
        object(&[("from", from.into()), ("to", to.into()), ("insert", insert)])
    };
    edits.iter().map(change).collect()
}

pub(crate) fn jump(span: Span) {
    let (from, to) = peek(|s| units(&s.bench.text, span));
    if EDITOR.with_borrow(Option::is_some) {
        call("highlight", &[from.into(), to.into()]);
        call("jumpTo", &[from.into()]);
    } else if let Some(field) = plain_field() {
        let _ = field.focus();
        let _ = field.set_selection_range(from, to);
    }
}

/// Lights a stretch up, or none.
pub(crate) fn mark(span: Option<Span>) {
    match span {
        Some(span) => {
            let (from, to) = peek(|s| units(&s.bench.text, span));
            call("highlight", &[from.into(), to.into()]);
        }
        None => {
            call("highlight", &[JsValue::NULL]);
        }
    }
}

pub(crate) fn focus() {
    if EDITOR.with_borrow(Option::is_some) {
        call("focus", &[]);
    } else if let Some(field) = plain_field() {
        let _ = field.focus();
    }
}

fn object(pairs: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in pairs {
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object
}

fn text_or_null(text: Option<&str>) -> JsValue {
    text.map_or(JsValue::NULL, JsValue::from_str)
}

/// The problems, and where they are in the editor's units.
fn problems(session: &Session) -> Vec<(Diagnostic, u32, u32)> {
    // They come in order; the text is not counted through for each.
    let mut units = Units::new(&session.bench.text);
    let place = |d: &Diagnostic| (d.clone(), units.at(d.span.start), units.at(d.span.end));
    session.bench.diagnostics.iter().map(place).collect()
}

fn show_problems(problems: &[(Diagnostic, u32, u32)]) {
    if EDITOR.with_borrow(Option::is_none) {
        return;
    }
    let found = Array::new();
    for (diagnostic, from, to) in problems {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning | Severity::Hazard => "warning",
            Severity::Practice => "info",
        };
        let fixes: Array = diagnostic
            .fixes
            .iter()
            .map(|f| object(&[("title", f.title.as_str().into())]))
            .collect();
        found.push(&object(&[
            ("from", (*from).into()),
            ("to", (*to).into()),
            ("severity", severity.into()),
            ("message", diagnostic.message.as_str().into()),
            ("help", text_or_null(diagnostic.help.as_deref())),
            ("code", diagnostic.code.as_ref().into()),
            ("fixes", fixes.into()),
        ]));
    }
    call("setDiagnostics", &[found.into()]);
}
