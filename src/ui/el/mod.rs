//! One concrete view type for the whole page, and leptos' door to it.
//!
//! `view!` gives every element its own type, and every type its own build, rebuild and drop code:
//! with some hundred elements that is most of a page's wasm. Here an element is data, and one
//! function builds and one patches it. Reactivity (effects, owners, mounting) is leptos'.

mod build;
mod leptos_view;

pub(crate) use leptos_view::Page;

use super::app::tr;
use std::rc::Rc;
use wasm_bindgen::JsCast;

/// Called with the DOM event it was registered for.
pub(crate) type Handler = Rc<dyn Fn(web_sys::Event)>;

/// An element, its attributes, listeners and children. Boxed: it is handed from call to call, and
/// copying a pointer is less code than copying its parts.
pub(crate) struct El(Box<Parts>);

struct Parts {
    tag: &'static str,
    svg: bool,
    /// Elements of different keys are never patched into each other.
    key: String,
    attrs: Vec<(&'static str, Value)>,
    listeners: Vec<(&'static str, Handler)>,
    kids: Vec<Kid>,
    html: Option<String>,
    ready: Option<Box<dyn FnOnce(web_sys::Element)>>,
}

enum Value {
    Fixed(String),
    /// None removes the attribute. Runs again when what it read changes.
    Live(Rc<dyn Fn() -> Option<String>>),
}

pub(crate) enum Kid {
    El(El),
    Text(String),
    /// Runs again when what it read changes.
    Live(Rc<dyn Fn() -> Kid>),
    Nothing,
}

/// An HTML element.
pub(crate) fn el(tag: &'static str) -> El {
    make(tag, false)
}

fn make(tag: &'static str, svg: bool) -> El {
    El(Box::new(Parts {
        tag,
        svg,
        key: String::new(),
        attrs: Vec::new(),
        listeners: Vec::new(),
        kids: Vec::new(),
        html: None,
        ready: None,
    }))
}

/// An SVG element.
pub(crate) fn svg(tag: &'static str) -> El {
    make(tag, true)
}

/// A `div` with a class.
pub(crate) fn div(class: &str) -> El {
    el("div").class(class)
}

/// A `span` with a class and a text.
pub(crate) fn span(class: &str, text: impl AsRef<str>) -> El {
    el("span").class(class).text(text)
}

/// A `span` with a class and words of ours.
pub(crate) fn says(class: &str, english: &str) -> El {
    el("span").class(class).say(english)
}

/// A text in which what stands between backticks is code.
pub(crate) fn coded(mut out: El, text: &str) -> El {
    for (i, part) in text.split('`').enumerate() {
        out = if i % 2 == 1 { out.kid(el("code").text(part)) } else { out.text(part) };
    }
    out
}

/// A push button with words of ours; `does` runs when it is pressed.
pub(crate) fn button(class: &str, text: &str, does: impl Fn() + 'static) -> El {
    el("button").class(class).attr("type", "button").say(text).click(does)
}

impl El {
    pub(crate) fn key(mut self, key: impl AsRef<str>) -> El {
        self.0.key = key.as_ref().to_owned();
        self
    }

    pub(crate) fn class(self, class: &str) -> El {
        self.fixed("class", class)
    }

    /// An attribute. `style:NAME` sets a style property, `prop:NAME` a property of the node.
    pub(crate) fn attr(self, name: &'static str, value: impl AsRef<str>) -> El {
        self.fixed(name, value.as_ref())
    }

    #[inline(never)]
    fn fixed(mut self, name: &'static str, value: &str) -> El {
        // These are read by people.
        let value = match name {
            "title" | "placeholder" | "aria-label" => tr(value),
            _ => value.to_owned(),
        };
        self.0.attrs.push((name, Value::Fixed(value)));
        self
    }

    pub(crate) fn num(self, name: &'static str, value: f64) -> El {
        let rounded = (value * 100.0).round() / 100.0;
        self.attr(name, rounded.to_string())
    }

    pub(crate) fn px(self, name: &'static str, value: f64) -> El {
        self.attr(name, format!("{}px", (value * 10.0).round() / 10.0))
    }

    /// A boolean attribute, and ARIA's `true` and `false` for names that start with `aria-`.
    pub(crate) fn flag(self, name: &'static str, on: bool) -> El {
        match (name.starts_with("aria-"), on) {
            (true, _) => self.attr(name, if on { "true" } else { "false" }),
            (false, true) => self.attr(name, ""),
            (false, false) => self,
        }
    }

    /// An attribute that follows what its function reads.
    pub(crate) fn live(
        mut self,
        name: &'static str,
        value: impl Fn() -> Option<String> + 'static,
    ) -> El {
        self.0.attrs.push((name, Value::Live(Rc::new(value))));
        self
    }

    pub(crate) fn label(self, text: impl AsRef<str>) -> El {
        self.fixed("aria-label", text.as_ref())
    }

    pub(crate) fn on(self, event: &'static str, does: impl Fn(web_sys::Event) + 'static) -> El {
        self.listen(event, Rc::new(does))
    }

    #[inline(never)]
    fn listen(mut self, event: &'static str, does: Handler) -> El {
        self.0.listeners.push((event, does));
        self
    }

    pub(crate) fn click(self, does: impl Fn() + 'static) -> El {
        self.on("click", move |_| does())
    }

    /// A listener for events of one kind of DOM type.
    pub(crate) fn on_as<E: JsCast>(self, event: &'static str, does: impl Fn(E) + 'static) -> El {
        self.on(event, move |e| {
            if let Ok(e) = e.dyn_into::<E>() {
                does(e);
            }
        })
    }

    pub(crate) fn text(self, text: impl AsRef<str>) -> El {
        self.words(text.as_ref())
    }

    /// Words of ours, in the language of the page.
    #[inline(never)]
    pub(crate) fn say(self, english: &str) -> El {
        self.add(Kid::Text(tr(english)))
    }

    #[inline(never)]
    fn words(self, text: &str) -> El {
        self.add(Kid::Text(text.to_owned()))
    }

    pub(crate) fn kid(self, kid: impl Into<Kid>) -> El {
        self.add(kid.into())
    }

    #[inline(never)]
    fn add(mut self, kid: Kid) -> El {
        self.0.kids.push(kid);
        self
    }

    pub(crate) fn kids(mut self, kids: impl IntoIterator<Item = El>) -> El {
        self.0.kids.extend(kids.into_iter().map(Kid::El));
        self
    }

    /// A child that follows what its function reads.
    pub(crate) fn live_kid<K: Into<Kid>>(self, kid: impl Fn() -> K + 'static) -> El {
        self.kid(Kid::Live(Rc::new(move || kid().into())))
    }

    /// HTML made from our own markdown at build time; never text of a learner.
    pub(crate) fn trusted_html(mut self, html: &str) -> El {
        self.0.html = Some(html.to_owned());
        self
    }

    /// Called once with the DOM element when it is made.
    pub(crate) fn ready(mut self, does: impl FnOnce(web_sys::Element) + 'static) -> El {
        self.0.ready = Some(Box::new(does));
        self
    }
}

impl From<El> for Kid {
    fn from(el: El) -> Kid {
        Kid::El(el)
    }
}

impl From<Option<El>> for Kid {
    fn from(el: Option<El>) -> Kid {
        el.map_or(Kid::Nothing, Kid::El)
    }
}

impl From<String> for Kid {
    fn from(text: String) -> Kid {
        Kid::Text(text)
    }
}

impl From<&str> for Kid {
    fn from(text: &str) -> Kid {
        Kid::Text(text.to_owned())
    }
}
