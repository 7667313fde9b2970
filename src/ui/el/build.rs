//! Builds an `El` into DOM nodes, and patches nodes built earlier into a newer `El` in place, so
//! that focus, scroll positions and listeners stay.

use super::{El, Handler, Kid, Value};
use leptos::prelude::RenderEffect;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

const SVG: &str = "http://www.w3.org/2000/svg";

/// DOM nodes and what is needed to patch them.
pub(super) enum Built {
    El(Box<BuiltEl>),
    Text(web_sys::Text, String),
    Live(BuiltLive),
    Nothing(web_sys::Comment),
}

pub(super) struct BuiltEl {
    node: web_sys::Element,
    tag: &'static str,
    key: String,
    attrs: Vec<BuiltAttr>,
    listeners: Vec<BuiltListener>,
    kids: Vec<Built>,
    html: Option<String>,
}

impl Drop for BuiltEl {
    /// An event may be on its way up through nodes that its first listener has just taken away;
    /// a listener still registered would then be called after its closure is gone.
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.unhook(&self.node);
        }
    }
}

impl BuiltListener {
    fn unhook(&self, node: &web_sys::Element) {
        let callback = self.closure.as_ref().unchecked_ref();
        let _ = node.remove_event_listener_with_callback(self.event, callback);
    }
}

struct BuiltAttr {
    name: &'static str,
    /// What is set now; shared with the effect that sets it again.
    set: Rc<RefCell<Option<String>>>,
    _effect: Option<RenderEffect<()>>,
}

struct BuiltListener {
    event: &'static str,
    handler: Rc<RefCell<Handler>>,
    closure: Closure<dyn FnMut(web_sys::Event)>,
}

pub(super) struct BuiltLive {
    now: Rc<RefCell<Option<Built>>>,
    _effect: RenderEffect<()>,
}

fn document() -> web_sys::Document {
    web_sys::window().and_then(|w| w.document()).expect("a page has a document")
}

impl Built {
    /// The one DOM node that stands for it.
    pub(super) fn node(&self) -> web_sys::Node {
        match self {
            Built::El(built) => built.node.clone().into(),
            Built::Text(node, _) => node.clone().into(),
            Built::Nothing(node) => node.clone().into(),
            Built::Live(live) => {
                let now = live.now.borrow();
                now.as_ref().map_or_else(|| document().create_comment("").into(), Built::node)
            }
        }
    }
}

pub(super) fn build(kid: Kid) -> Built {
    match kid {
        Kid::El(el) => Built::El(Box::new(build_el(el))),
        Kid::Text(text) => Built::Text(document().create_text_node(&text), text),
        Kid::Live(make) => Built::Live(build_live(make, Rc::default())),
        Kid::Nothing => Built::Nothing(document().create_comment("")),
    }
}

fn build_live(make: Rc<dyn Fn() -> Kid>, now: Rc<RefCell<Option<Built>>>) -> BuiltLive {
    let mine = Rc::clone(&now);
    let effect = RenderEffect::new(move |_| {
        let kid = make();
        let old = mine.borrow_mut().take();
        let new = match old {
            Some(old) => patch(old, kid),
            None => build(kid),
        };
        *mine.borrow_mut() = Some(new);
    });
    BuiltLive { now, _effect: effect }
}

fn build_el(el: El) -> BuiltEl {
    let el = *el.0;
    let document = document();
    let node = match el.svg {
        true => document.create_element_ns(Some(SVG), el.tag),
        false => document.create_element(el.tag),
    }
    .expect("tags are ours and valid");
    let mut built = BuiltEl {
        node,
        tag: el.tag,
        key: el.key,
        attrs: Vec::new(),
        listeners: Vec::new(),
        kids: Vec::new(),
        html: None,
    };
    set_html(&mut built, el.html);
    for kid in el.kids {
        let kid = build(kid);
        let _ = built.node.append_child(&kid.node());
        built.kids.push(kid);
    }
    // After the children: `value` of a select needs its options.
    patch_attrs(&mut built, el.attrs);
    patch_listeners(&mut built, el.listeners);
    if let Some(ready) = el.ready {
        ready(built.node.clone());
    }
    built
}

/// Makes `old` show `kid`, reusing its nodes where tag and key are the same.
pub(super) fn patch(old: Built, kid: Kid) -> Built {
    match (old, kid) {
        (Built::El(mut built), Kid::El(el)) if built.tag == el.0.tag && built.key == el.0.key => {
            patch_el(&mut built, el);
            Built::El(built)
        }
        (Built::Text(node, old), Kid::Text(text)) => {
            if old != text {
                node.set_data(&text);
            }
            Built::Text(node, text)
        }
        (Built::Nothing(node), Kid::Nothing) => Built::Nothing(node),
        (Built::Live(live), Kid::Live(make)) => {
            let now = Rc::clone(&live.now);
            drop(live);
            Built::Live(build_live(make, now))
        }
        (old, kid) => {
            let new = build(kid);
            let node = old.node();
            if let Some(parent) = node.parent_node() {
                let _ = parent.replace_child(&new.node(), &node);
            }
            new
        }
    }
}

fn patch_el(built: &mut BuiltEl, el: El) {
    let el = *el.0;
    set_html(built, el.html);
    let mut old = std::mem::take(&mut built.kids).into_iter();
    for kid in el.kids {
        let kid = match old.next() {
            Some(old) => patch(old, kid),
            None => {
                let new = build(kid);
                let _ = built.node.append_child(&new.node());
                new
            }
        };
        built.kids.push(kid);
    }
    for gone in old {
        let node = gone.node();
        if let Some(parent) = node.parent_node() {
            let _ = parent.remove_child(&node);
        }
    }
    patch_attrs(built, el.attrs);
    patch_listeners(built, el.listeners);
}

fn set_html(built: &mut BuiltEl, html: Option<String>) {
    if built.html != html {
        built.node.set_inner_html(html.as_deref().unwrap_or(""));
        built.html = html;
    }
}

fn patch_attrs(built: &mut BuiltEl, attrs: Vec<(&'static str, Value)>) {
    let mut old = std::mem::take(&mut built.attrs);
    for (name, value) in attrs {
        let found = old.iter().position(|a| a.name == name);
        let set = found.map(|i| old.swap_remove(i).set).unwrap_or_default();
        let effect = match value {
            Value::Fixed(text) => {
                set_attr(&built.node, name, &set, Some(text));
                None
            }
            Value::Live(make) => {
                let (node, set) = (built.node.clone(), Rc::clone(&set));
                Some(RenderEffect::new(move |_| set_attr(&node, name, &set, make())))
            }
        };
        built.attrs.push(BuiltAttr { name, set, _effect: effect });
    }
    for gone in old {
        set_attr(&built.node, gone.name, &gone.set, None);
    }
}

fn set_attr(
    node: &web_sys::Element,
    name: &str,
    set: &RefCell<Option<String>>,
    value: Option<String>,
) {
    if *set.borrow() == value && !name.starts_with("prop:") {
        return;
    }
    let text = value.as_deref();
    if let Some(property) = name.strip_prefix("style:") {
        // Through the object model: a style attribute would break the content security policy.
        let style = node.unchecked_ref::<web_sys::HtmlElement>().style();
        let _ = style.set_property(property, text.unwrap_or(""));
    } else if let Some(property) = name.strip_prefix("prop:") {
        set_property(node, property, text);
    } else if let Some(text) = text {
        let _ = node.set_attribute(name, text);
    } else {
        let _ = node.remove_attribute(name);
    }
    *set.borrow_mut() = value;
}

/// `checked` and `open` are on where a value is given; others take it as text. Only differences
/// are written, so that a caret in a field stays where it is.
fn set_property(node: &web_sys::Element, name: &str, text: Option<&str>) {
    let value = match name {
        "checked" | "open" => JsValue::from_bool(text.is_some()),
        _ => JsValue::from_str(text.unwrap_or("")),
    };
    let name = JsValue::from_str(name);
    if js_sys::Reflect::get(node, &name).ok().as_ref() != Some(&value) {
        let _ = js_sys::Reflect::set(node, &name, &value);
    }
}

fn patch_listeners(built: &mut BuiltEl, listeners: Vec<(&'static str, Handler)>) {
    let mut old = std::mem::take(&mut built.listeners);
    for (event, handler) in listeners {
        if let Some(i) = old.iter().position(|l| l.event == event) {
            let kept = old.swap_remove(i);
            *kept.handler.borrow_mut() = handler;
            built.listeners.push(kept);
            continue;
        }
        let handler = Rc::new(RefCell::new(handler));
        let called = Rc::clone(&handler);
        let closure = Closure::<dyn FnMut(web_sys::Event)>::new(move |e| {
            let does = Rc::clone(&called.borrow());
            does(e);
        });
        let _ =
            built.node.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
        built.listeners.push(BuiltListener { event, handler, closure });
    }
    for gone in old {
        gone.unhook(&built.node);
    }
}
