//! Small things asked of the browser: addresses, files, storage, clipboard, focus.

use gloo::storage::{LocalStorage, Storage};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    /// The part of the address after `#` as last read or written here.
    static SEEN: RefCell<String> = const { RefCell::new(String::new()) };
}

pub(crate) fn window() -> web_sys::Window {
    web_sys::window().expect("a page has a window")
}

pub(crate) fn document() -> web_sys::Document {
    window().document().expect("a page has a document")
}

/// Where something of ours lies, as a `meta` tag of the page names it; the build puts content
/// hashes into these names.
pub(crate) fn address_of(name: &str) -> String {
    let tag = document().query_selector(&format!("meta[name={name}]")).ok().flatten();
    let path = tag.and_then(|t| t.get_attribute("content")).unwrap_or_default();
    let base = document().base_uri().ok().flatten().unwrap_or_default();
    let whole = web_sys::Url::new_with_base(&path, &base);
    whole.map_or(path, |url| url.href())
}

fn hash() -> String {
    window().location().hash().unwrap_or_default()
}

/// The part of the address after `#`, read to be followed.
pub(crate) fn read_hash() -> String {
    SEEN.set(hash());
    hash()
}

/// Writes where we are into the address, as a new entry of the history or over the last one. A
/// browser tells of a followed link only later; a run that plays would write over where it leads.
pub(crate) fn write_hash(text: &str, push: bool) {
    let followed = SEEN.with_borrow(|seen| *seen != hash());
    let Ok(history) = window().history() else { return };
    let _ = match push {
        true => history.push_state_with_url(&JsValue::NULL, "", Some(text)),
        false if followed => return,
        false => history.replace_state_with_url(&JsValue::NULL, "", Some(text)),
    };
    SEEN.set(hash());
}

/// All records of ours, and whether more can be written.
pub(crate) fn stored() -> (Vec<(String, String)>, Result<(), String>) {
    let probe = probe();
    if probe.is_err() {
        return (Vec::new(), probe);
    }
    let raw = LocalStorage::raw();
    let keys = (0..LocalStorage::length()).filter_map(|i| raw.key(i).ok().flatten());
    let ours: Vec<String> = keys.filter(|k| k.starts_with("podlab.")).collect();
    let value = |key: String| raw.get_item(&key).ok().flatten().map(|v| (key, v));
    (ours.into_iter().filter_map(value).collect(), probe)
}

/// Said where the browser lets the page keep nothing.
const FORBIDDEN: &str = "this browser forbids the page to store anything. Download your manifest \
                         before you close the tab.";

/// `LocalStorage::raw` panics where storage is forbidden, so that is asked first.
fn probe() -> Result<(), String> {
    match window().local_storage() {
        Ok(Some(_)) => save("podlab.probe", "1").map(|()| forget("podlab.probe")),
        _ => Err(FORBIDDEN.to_owned()),
    }
}

pub(crate) fn save(key: &str, value: &str) -> Result<(), String> {
    let full = "the browser's storage for this page is full. Download your work, then forget \
                lessons you no longer need.";
    match window().local_storage() {
        Ok(Some(_)) => LocalStorage::raw().set_item(key, value).map_err(|_| full.to_owned()),
        _ => Err(FORBIDDEN.to_owned()),
    }
}

pub(crate) fn forget(key: &str) {
    if let Ok(Some(_)) = window().local_storage() {
        LocalStorage::delete(key);
    }
}

/// The bytes of a file of ours, or what went wrong as a sentence.
pub(crate) async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let offline = |_: JsValue| "It could not be downloaded. Check the connection.".to_owned();
    let answer = window().fetch_with_str(url);
    let answer = wasm_bindgen_futures::JsFuture::from(answer).await.map_err(offline)?;
    let answer: web_sys::Response = answer.dyn_into().map_err(offline)?;
    if !answer.ok() {
        return Err(format!("The server answered {} for {url}.", answer.status()));
    }
    let body = answer.array_buffer().map_err(offline)?;
    let body = wasm_bindgen_futures::JsFuture::from(body).await.map_err(offline)?;
    Ok(js_sys::Uint8Array::new(&body).to_vec())
}

pub(crate) fn download(name: &str, mime: &str, bytes: &[u8]) {
    let blob = gloo::file::Blob::new_with_options(bytes, Some(mime));
    let url = gloo::file::ObjectUrl::from(blob);
    if let Ok(link) = document().create_element("a") {
        let link: web_sys::HtmlAnchorElement = link.unchecked_into();
        link.set_href(&url);
        link.set_download(name);
        link.click();
        // Let go of it only once the browser has surely begun to read it.
        gloo::timers::callback::Timeout::new(10_000, move || drop(url)).forget();
    }
}

pub(crate) async fn copy(text: String) -> Result<(), String> {
    let refused = || "The browser refused the clipboard. Download instead.".to_owned();
    let navigator = window().navigator();
    if js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_undefined()) {
        return Err(refused());
    }
    let promise = navigator.clipboard().write_text(&text);
    wasm_bindgen_futures::JsFuture::from(promise).await.map(|_| ()).map_err(|_| refused())
}

pub(crate) fn focus(selector: &str) {
    if let Ok(Some(found)) = document().query_selector(selector)
        && let Some(found) = found.dyn_ref::<web_sys::HtmlElement>()
    {
        let _ = found.focus();
    }
}

pub(crate) fn matches_media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|m| m.matches())
}
