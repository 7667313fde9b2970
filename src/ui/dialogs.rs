//! Help, export, import and the solution, each a dialog over the page.

use super::app::{peek, read, send, sends};
use super::el::{El, Kid, button, div, el, span};
use super::{browser, catalogue, icons, keys};
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
        Dialog::Faults => ("Do something to it", faults()),
    };
    let close = icons::button("quiet", icons::CLOSE, "Close", Msg::Dialog(None));
    let head = div("dialog-head").kid(el("h2").attr("id", "dialog-title").text(title)).kid(close);
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
        .flat_map(|(keys, does)| [el("dt").kid(el("kbd").text(keys)), el("dd").text(does)]);
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
        el("li").kid(span(&format!("state-box look-{look}"), "")).kid(span("", word))
    });
    div("")
        .kid(el("dl").class("keys").kids(rows))
        .kid(el("h3").text("Shapes"))
        .kid(el("ul").class("legend").kids(legend))
}

fn export() -> El {
    let item = |title: &'static str, what: &'static str, of: Export| {
        button("menu-item", "", move || {
            send(Msg::Dialog(None));
            send(Msg::Export(of));
        })
        .kid(span("menu-title", title))
        .kid(span("menu-what", what))
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
        out = out.kid(el("h3").text("A cluster needs besides")).kid(el("ul").kids(needs));
    }
    out
}

/// What can be done to the cluster at the cursor's instant.
fn faults() -> El {
    let (actions, done) = peek(|s| {
        let snapshot = s.bench.shown();
        let mut out: Vec<(String, &'static str)> = Vec::new();
        for name in snapshot.pods.keys().take(PODS_MAX) {
            out.push((format!("delete pod/{name}"), "asks politely, waits out the grace period"));
            let force = format!("delete pod/{name} --force --grace-period=0");
            out.push((force, "gone from the API server at once"));
            out.push((format!("evict pod/{name}"), "as a drained node does"));
        }
        for (kind, name) in snapshot.objects.keys().filter(|(kind, _)| &**kind == "deployment") {
            out.push((
                format!("rollout restart {kind}/{name}"),
                "new pods take the old ones' place",
            ));
            out.push((format!("scale {kind}/{name} --replicas=0"), "no pods wanted"));
        }
        (out, s.bench.actions.clone())
    });
    let at = peek(|s| super::transport::clock_text(s.bench.player.cursor));
    if actions.is_empty() {
        return div("").text("At this instant there is nothing in the cluster to act on.");
    }
    let item = |(action, what): (String, &'static str)| {
        button("menu-item", "", sends(Msg::Act(action.clone())))
            .kid(el("span").class("menu-title mono").text(format!("kubectl {action}")))
            .kid(span("menu-what", what))
    };
    let mut out = div("menu")
        .kid(el("p").text(format!("It happens at {at}; the run goes on from there.")))
        .kids(actions.into_iter().map(item));
    if !done.is_empty() {
        let text = format!("Take back what was done ({})", done.len());
        out = out.kid(button("", &text, sends(Msg::ClearActs)));
    }
    out
}

/// Pods that can be acted on by name; more would be a long list.
const PODS_MAX: usize = 12;

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
            send(Msg::Import { name: "the pasted text".to_owned(), text });
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
            .kid(el("p").text(
                "Marked is where it differs from yours. It does not count as solved; your text \
                 stays until you say otherwise.",
            ))
            .kid(pre)
            .kid(div("row").kid(load))
    })
}
