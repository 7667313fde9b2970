//! Help, export, import and the solution, each a dialog over the page.

use super::app::{peek, read, send, sends, tr};
use super::el::{El, Kid, button, div, el, says, span};
use super::{acts, browser, catalogue, icons, keys};
use crate::session::history::Delta;
use crate::session::{Dialog, Export, Msg, Part, Session};
use wasm_bindgen::JsCast;

pub(crate) fn view() -> Kid {
    let Some(dialog) = read(&[Part::Layout], |s| s.dialog) else { return Kid::Nothing };
    let (title, inside) = match dialog {
        Dialog::Help => ("Keys and words", help()),
        Dialog::Export => ("Take it away", export()),
        Dialog::Import => ("Open a manifest", import()),
        Dialog::Solution => ("One solution", solution()),
        Dialog::Faults => ("Do something to it", acts::dialog()),
    };
    let close = icons::button("quiet", icons::CLOSE, "Close", Msg::Dialog(None));
    let head = div("dialog-head").kid(el("h2").attr("id", "dialog-title").say(title)).kid(close);
    let box_ = el("dialog")
        .class("dialog")
        .key(title)
        .attr("aria-labelledby", "dialog-title")
        .on("cancel", |event| {
            event.prevent_default();
            send(Msg::Dialog(None));
        })
        .on("click", |event| {
            // A click on the dialog itself, not on what is in it, is one on the ground behind.
            if event.target() == event.current_target() {
                send(Msg::Dialog(None));
            }
        })
        .ready(|node| {
            gloo::timers::callback::Timeout::new(0, move || {
                let show = js_sys::Reflect::get(&node, &"showModal".into());
                if let Some(show) = show.ok().and_then(|f| f.dyn_into::<js_sys::Function>().ok()) {
                    let _ = show.call0(&node);
                }
            })
            .forget();
        });
    box_.kid(div("dialog-inside").kid(head).kid(inside)).into()
}

fn help() -> El {
    let rows = keys::HELP
        .into_iter()
        .flat_map(|(keys, does)| [el("dt").kid(el("kbd").say(keys)), el("dd").say(does)]);
    let looks = [
        ("ready", "running, ready"),
        ("notready", "running, not ready"),
        ("waiting", "waiting, creating"),
        ("completed", "completed"),
        ("failed", "failed"),
        ("backoff", "waits before a restart"),
        ("terminating", "terminating"),
    ];
    let legend = looks.into_iter().map(|(look, word)| {
        el("li").kid(span(&format!("state-box look-{look}"), "")).kid(says("", word))
    });
    div("")
        .kid(el("dl").class("keys").kids(rows))
        .kid(el("h3").say("Shapes"))
        .kid(el("ul").class("legend").kids(legend))
}

fn export() -> El {
    let item = |title: &'static str, what: &'static str, of: Export| {
        button("menu-item", "", move || {
            send(Msg::Dialog(None));
            send(Msg::Export(of));
        })
        .kid(says("menu-title", title))
        .kid(says("menu-what", what))
    };
    let needs = peek(|s| s.bench.needs.clone());
    let mut out = div("menu")
        .kid(item("Copy", "the manifest, byte for byte", Export::CopyYaml))
        .kid(item("Download .yaml", "comments and order kept exactly", Export::Yaml))
        .kid(item("Download .zip", "manifest, kustomization, README, checks", Export::Zip))
        .kid(item("Print", "the manifest and its run", Export::Print))
        .kid(item("Copy the trace", "what happened, an event a line", Export::CopyTrace))
        .kid(item("Download all work", "every lesson, to read in elsewhere", Export::AllWork));
    if !needs.is_empty() {
        let needs = needs.into_iter().map(|n| el("li").text(n));
        out = out.kid(el("h3").say("A cluster needs besides")).kid(el("ul").kids(needs));
    }
    out
}

fn import() -> El {
    let field = el("textarea")
        .class("paste")
        .attr("rows", "8")
        .attr("id", "import-text")
        .attr("spellcheck", "false")
        .attr("placeholder", "Paste YAML, or drop a file")
        .label("YAML");
    let open = button("primary", "Open in the sandbox", || {
        let field = browser::document().get_element_by_id("import-text");
        let field = field.and_then(|f| f.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
        if let Some(text) = field.map(|f| f.value()).filter(|t| !t.trim().is_empty()) {
            send(Msg::Import { name: tr("the pasted text"), text });
        }
    });
    let row = div("row").kid(open).kid(catalogue::file_input("open-dialog"));
    catalogue::droppable(div("").kid(field).kid(row))
}

/// The solution beside what the learner has: only the stretch that differs is marked.
fn solution() -> El {
    read(&[Part::Page], |s: &Session| {
        let Some(lesson) = s.lesson.here() else { return div("") };
        let text = lesson.solution.clone();
        let delta = Delta::between(&s.bench.text, &text);
        let mut pre = el("pre").class("solution").attr("tabindex", "0");
        match delta {
            None => pre = pre.text(text),
            Some(delta) => {
                let end = delta.at + delta.inserted.len();
                pre = pre
                    .kid(span("", text.get(..delta.at).unwrap_or("")))
                    .kid(el("mark").text(&*delta.inserted))
                    .kid(span("", text.get(end..).unwrap_or("")));
            }
        }
        let load = button("", "Put it into the editor", sends(Msg::LoadSolution))
            .attr("title", "Yours can be brought back; tasks are not counted by it");
        div("")
            .kid(el("p").say(
                "Marked is where it differs from yours. It does not count as solved; your text \
                 stays until you say otherwise.",
            ))
            .kid(pre)
            .kid(div("row").kid(load))
    })
}
