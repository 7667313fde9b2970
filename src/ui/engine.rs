//! The page's end of the wire to the worker: bytes there and back, and its death told.

use super::app::send;
use super::{browser, editor};
use crate::protocol::{FromWorker, ToWorker};
use crate::session::Msg;
use js_sys::Reflect;
use std::cell::RefCell;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

struct Wire {
    worker: web_sys::Worker,
    _on_message: Closure<dyn FnMut(web_sys::MessageEvent)>,
    _on_error: Closure<dyn FnMut(web_sys::Event)>,
}

thread_local! {
    static WIRE: RefCell<Option<Wire>> = const { RefCell::new(None) };
}

/// Starts a worker; one that ran before is ended.
pub(crate) fn start() {
    if let Some(old) = WIRE.take() {
        old.worker.terminate();
    }
    match connect() {
        Ok(wire) => WIRE.set(Some(wire)),
        Err(why) => {
            let why = why.as_string().unwrap_or_else(|| "this browser refused it".to_owned());
            send(Msg::WorkerDied(why));
        }
    }
}

/// The worker that boot.js started ahead of the page, and what it said meanwhile.
fn ahead() -> Option<(web_sys::Worker, js_sys::Array)> {
    const NAME: &str = "podlabAhead";
    let window = browser::window();
    let ahead = Reflect::get(&window, &NAME.into()).ok()?;
    let _ = Reflect::delete_property(&window, &NAME.into());
    let worker = Reflect::get(&ahead, &"worker".into()).ok()?.dyn_into().ok()?;
    Some((worker, Reflect::get(&ahead, &"came".into()).ok()?.dyn_into().ok()?))
}

fn connect() -> Result<Wire, JsValue> {
    let options = web_sys::WorkerOptions::new();
    options.set_type(web_sys::WorkerType::Module);
    let address = browser::address_of("podlab-worker");
    let (worker, came) = match ahead() {
        Some((worker, came)) => (worker, came),
        None => (web_sys::Worker::new_with_options(&address, &options)?, js_sys::Array::new()),
    };
    let on_message = Closure::new(|event: web_sys::MessageEvent| {
        let data = event.data();
        let bytes = js_sys::Uint8Array::new(&data).to_vec();
        match postcard::from_bytes::<FromWorker>(&bytes) {
            Ok(FromWorker::Completed { ask, completions }) => editor::completed(ask, &completions),
            Ok(FromWorker::Hovered { ask, hover }) => editor::hovered(ask, hover),
            Ok(FromWorker::Linked { ask, links }) => editor::linked(ask, links),
            Ok(FromWorker::Renamed { ask, renamed }) => editor::renamed(ask, &renamed),
            Ok(answer) => send(Msg::Worker(answer)),
            Err(_) => send(Msg::WorkerDied("it is of another version".to_owned())),
        }
    });
    let on_error = Closure::new(|event: web_sys::Event| {
        event.prevent_default();
        let text = event.dyn_ref::<web_sys::ErrorEvent>().map(web_sys::ErrorEvent::message);
        send(Msg::WorkerDied(text.unwrap_or_else(|| "it could not be loaded".to_owned())));
    });
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
    for event in came.iter() {
        let listener = if event.is_instance_of::<web_sys::MessageEvent>() {
            on_message.as_ref()
        } else {
            on_error.as_ref()
        };
        let listener: &js_sys::Function = listener.unchecked_ref();
        listener.call1(&worker, &event)?;
    }
    Ok(Wire { worker, _on_message: on_message, _on_error: on_error })
}

pub(crate) fn post(message: &ToWorker) {
    let bytes = postcard::to_allocvec(message).unwrap_or_default();
    let array = js_sys::Uint8Array::from(bytes.as_slice());
    WIRE.with_borrow(|wire| {
        if let Some(wire) = wire {
            let _ = wire.worker.post_message(&array);
        }
    });
}
