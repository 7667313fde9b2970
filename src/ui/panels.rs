//! The panels beside the timeline: events, logs, files, network, kubectl, trace. All show the
//! instant of the cursor.

use super::app::{peek, read, send, sends};
use super::el::{El, Kid, button, div, el, span};
use super::transport::clock_text;
use crate::session::route::Tab;
use crate::session::{Asked, Export, Msg, Part, Pick, Session};
use crate::trace::{Event, EventId, FileView, Name, Subject, What};
use crate::{kubectl, trace};
use wasm_bindgen::JsCast;

/// Rows of a list: the newest ones.
const ROWS_MAX: usize = 250;
/// Characters of a file shown.
const FILE_CHARS_MAX: usize = 20_000;

pub(crate) fn view() -> El {
    let tabs = Tab::ALL.into_iter().map(|tab| {
        let chosen = move || read(&[Part::Layout], |s| s.tab == tab);
        button("tab", tab.name(), sends(Msg::Tab(tab)))
            .attr("role", "tab")
            .attr("id", format!("tab-{}", tab.name()))
            .attr("aria-controls", "panel")
            .live("aria-selected", move || Some(chosen().to_string()))
            .live("tabindex", move || Some(if chosen() { "0" } else { "-1" }.to_owned()))
            .on_as::<web_sys::KeyboardEvent>("keydown", move |event| walk_tabs(tab, &event))
    });
    let panel = div("panel-body")
        .attr("id", "panel")
        .attr("role", "tabpanel")
        .attr("tabindex", "0")
        .live("aria-labelledby", || {
            Some(format!("tab-{}", read(&[Part::Layout], |s| s.tab).name()))
        })
        .live_kid(body);
    el("section")
        .class("panels pane")
        .label("Details")
        .kid(div("tabs").attr("role", "tablist").label("Details").kids(tabs))
        .live_kid(changed)
        .kid(panel)
}

fn walk_tabs(tab: Tab, event: &web_sys::KeyboardEvent) {
    let n = Tab::ALL.len();
    let at = tab as usize;
    let to = match event.key().as_str() {
        "ArrowRight" => (at + 1) % n,
        "ArrowLeft" => (at + n - 1) % n,
        "Home" => 0,
        "End" => n - 1,
        _ => return,
    };
    event.prevent_default();
    event.stop_propagation();
    send(Msg::Tab(Tab::ALL[to]));
    super::browser::focus(&format!("#tab-{}", Tab::ALL[to].name()));
}

/// What the last edit or fault changed in the run, in a line.
fn changed() -> Kid {
    let told = read(&[Part::Run], |s| s.bench.changed_words());
    if told.is_empty() {
        return Kid::Nothing;
    }
    div("changed").kid(span("sign edit", "")).kid(span("", told)).into()
}

fn body() -> El {
    let tab = read(&[Part::Layout], |s| s.tab);
    let inside = match tab {
        Tab::Events => events(),
        Tab::Logs => logs(),
        Tab::Files => files(),
        Tab::Network => network(),
        Tab::Kubectl => kubectl(),
        Tab::Trace => trace_text(),
    };
    // Each begins at its top; lists that grow go to their end by themselves.
    inside.key(tab.name()).ready(|_| scroll_panel(|_| 0))
}

fn empty(text: &str) -> El {
    div("empty").say(text)
}

/// `web/app`, `pod web`, `deployment/web`.
pub(crate) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Cluster => "cluster".to_owned(),
        Subject::Node(name) => name.to_string(),
        Subject::Pod(name) => format!("pod/{name}"),
        Subject::Container { container, .. } => container.to_string(),
        Subject::Object { kind, name } => format!("{kind}/{name}"),
    }
}

/// Puts the cursor where an event happened and shows its story.
pub(crate) fn jump_to_event(id: EventId) {
    let at = peek(|s| s.bench.run.timeline.events.get(id.0 as usize).map(|e| e.at));
    if let Some(at) = at {
        send(Msg::Pause);
        send(Msg::Seek(at));
        send(Msg::Pick(Some(Pick::Event(id))));
    }
}

/// Events worth a row: not each log line, byte and usage figure.
fn is_told(event: &Event) -> bool {
    !matches!(
        event.what,
        What::Log { .. }
            | What::Usage { .. }
            | What::Wrote(_)
            | What::Condition { .. }
            | What::Phase { .. }
            | What::Probe { ok: true, .. }
    )
}

fn events() -> El {
    read(&[Part::Shown, Part::Pick, Part::Run], |s| {
        let told: Vec<&Event> =
            s.bench.run.past().iter().rev().filter(|e| is_told(e)).take(ROWS_MAX).collect();
        if told.is_empty() {
            return empty("Nothing has happened yet. Press play.");
        }
        let picked = s.bench.picked().map(|e| e.id);
        let rows = told.iter().rev().map(|event| event_row(event, picked, s));
        scrolled(el("ol").class("events").kids(rows))
    })
}

fn event_row(event: &Event, picked: Option<EventId>, s: &Session) -> El {
    let id = event.id;
    let warning = match &event.what {
        What::Reported { warning, .. } => *warning,
        What::NotSimulated { .. } | What::Limit { .. } => true,
        What::Exited { code, .. } => *code != 0,
        What::Probe { ok, .. } | What::ProbeVerdict { ok, .. } => !*ok,
        _ => false,
    };
    let hue = match &event.subject {
        Subject::Container { container, .. } => {
            format!("hue-dot hue-{}", s.bench.run.lanes.hue(container))
        }
        _ => "hue-dot none".to_owned(),
    };
    let class = match (picked == Some(id), warning) {
        (true, _) => "event picked",
        (false, true) => "event warning",
        (false, false) => "event",
    };
    let row = button(class, "", move || jump_to_event(id))
        .flag("aria-current", picked == Some(id))
        .kid(span("event-at", clock_text(event.at)))
        .kid(span(&hue, ""))
        .kid(span("event-word", if warning { "!" } else { "" }))
        .kid(span("event-text", event.sentence()));
    el("li").kid(row)
}

/// A list that stays at its end as it grows.
fn scrolled(list: El) -> El {
    list.live("data-end", || {
        read(&[Part::Shown, Part::Layout], |_| ());
        let to_end = || scroll_panel(web_sys::Element::scroll_height);
        gloo::timers::callback::Timeout::new(0, to_end).forget();
        None
    })
}

fn scroll_panel(to: impl Fn(&web_sys::Element) -> i32) {
    if let Some(panel) = super::browser::document().get_element_by_id("panel") {
        panel.set_scroll_top(to(&panel));
    }
}

/// A choice among containers; None is all.
fn containers(s: &Session) -> Vec<(Name, Name, usize)> {
    let lanes = s.bench.run.lanes.lanes.iter();
    lanes.filter_map(|l| Some((l.pod.clone()?, l.container.clone()?, l.hue))).collect()
}

fn logs() -> El {
    read(&[Part::Shown, Part::Run, Part::Layout, Part::Pick], |s| {
        let all = button("chip", "all", sends(Msg::LogOf(None)));
        let all = all.flag("aria-pressed", s.log_of.is_none());
        let chips = containers(s).into_iter().map(|(pod, name, hue)| {
            let chosen = s.log_of.as_ref() == Some(&(pod.clone(), name.clone()));
            button("chip", "", sends(Msg::LogOf(Some((pod, name.clone())))))
                .flag("aria-pressed", chosen)
                .kid(span(&format!("hue-dot hue-{hue}"), ""))
                .kid(span("", &*name))
        });
        let lines: Vec<El> =
            s.bench.run.past().iter().rev().filter_map(|e| log_line(e, s)).take(ROWS_MAX).collect();
        let shown = match lines.is_empty() {
            true => empty("No lines yet."),
            false => scrolled(el("ol").class("log").kids(lines.into_iter().rev())),
        };
        div("").kid(div("chips").kid(all).kids(chips)).kid(shown)
    })
}

fn log_line(event: &Event, s: &Session) -> Option<El> {
    let What::Log { stderr, line } = &event.what else { return None };
    let Subject::Container { pod, container } = &event.subject else { return None };
    let of = s.log_of.as_ref().is_none_or(|(p, c)| p == pod && c == container);
    if !of {
        return None;
    }
    let hue = s.bench.run.lanes.hue(container);
    let id = event.id;
    let mut class = if *stderr { "log-line stderr" } else { "log-line" }.to_owned();
    // What a container printed at the very instant belongs to what is looked at.
    if s.bench
        .picked()
        .is_some_and(|e| e.id == id || (e.at, &e.subject) == (event.at, &event.subject))
    {
        class.push_str(" picked");
    }
    let mut row = el("li")
        .class(&class)
        .kid(button("log-at", &clock_text(event.at), move || jump_to_event(id)));
    if s.log_of.is_none() {
        row = row.kid(span(&format!("log-who hue-text-{hue}"), &**container));
    }
    Some(row.kid(span("log-text", &**line)))
}

fn files() -> El {
    read(&[Part::Shown, Part::Layout, Part::Run], |s| {
        let mut list: Vec<(Name, String, &FileView)> = Vec::new();
        for pod in s.bench.shown().pods.values() {
            list.extend(
                pod.files.iter().map(|((place, path), f)| (place.clone(), path.clone(), f)),
            );
            for (name, container) in &pod.containers {
                let place: Name = format!("rootfs of {name}").into();
                list.extend(
                    container.files.iter().map(|(path, f)| (place.clone(), path.clone(), f)),
                );
            }
        }
        list.retain(|(.., file)| !file.is_dir);
        if list.is_empty() {
            return empty("No files written yet.");
        }
        let open = s.file_of.clone().filter(|o| list.iter().any(|f| f.0 == o.0 && f.1 == o.1));
        let open = open.unwrap_or_else(|| (list[0].0.clone(), list[0].1.clone()));
        let shown = list.iter().find(|f| f.0 == open.0 && f.1 == open.1).map(|f| f.2);
        let rows = list.iter().take(ROWS_MAX).map(|(place, path, file)| {
            let chosen = open.0 == *place && open.1 == *path;
            let of = (place.clone(), path.clone());
            button("file", "", sends(Msg::FileOf(Some(of))))
                .flag("aria-pressed", chosen)
                .kid(span("file-place", place.strip_prefix("volume:").unwrap_or(place)))
                .kid(span("file-path", format!("/{path}")))
                .kid(span("file-size", size_text(file.size)))
        });
        div("files")
            .kid(div("file-list").kids(rows))
            .kid(el("pre").attr("tabindex", "0").text(shown.map_or(String::new(), file_text)))
    })
}

pub(crate) fn size_text(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn file_text(file: &FileView) -> String {
    match std::str::from_utf8(&file.content) {
        Ok(text) => {
            let mut out: String = text.chars().take(FILE_CHARS_MAX).collect();
            if out.len() < text.len() || (text.len() as u64) < file.size {
                out.push_str("\n(the rest is not shown)");
            }
            out
        }
        Err(_) => format!("{} that are not text", size_text(file.size)),
    }
}

fn network() -> El {
    read(&[Part::Shown, Part::Run], |s| {
        let past = s.bench.run.past().iter().rev();
        let rows: Vec<El> = past.filter_map(request_row).take(ROWS_MAX).collect();
        if rows.is_empty() {
            return empty("No requests yet.");
        }
        let head = ["at", "from", "request", "to", "answer"].map(|t| el("th").say(t));
        let head = el("thead").kid(el("tr").kids(head));
        scrolled(
            el("table").class("requests").kid(head).kid(el("tbody").kids(rows.into_iter().rev())),
        )
    })
}

fn request_row(event: &Event) -> Option<El> {
    let What::Request(request) = &event.what else { return None };
    let id = event.id;
    let answer = match &request.served_by {
        Some((_, container)) => format!("{} from {container}", request.outcome),
        None => request.outcome.clone(),
    };
    let cells = [subject(&event.subject), request.summary.clone(), request.to.clone()];
    Some(
        el("tr")
            .class(if request.ok { "" } else { "bad" })
            .kid(el("td").kid(button("log-at", &clock_text(event.at), move || jump_to_event(id))))
            .kids(cells.map(|c| el("td").text(c)))
            .kid(el("td").text(format!("{} {answer}", if request.ok { "✓" } else { "✕" }))),
    )
}

/// A watch of the pods as it stands, what was asked since, and a line to ask more. Only answers
/// are read aloud: the watch changes all the time.
fn kubectl() -> El {
    let told = read(&[Part::Shown, Part::Run], |s| {
        let watch = kubectl::get_pods_watch(&s.bench.run.timeline, s.bench.run.past().len());
        let mut text = format!("$ kubectl get pods --watch\n{watch}");
        let objects = kubectl::get_objects(s.bench.shown());
        if !objects.is_empty() {
            text.push_str(&format!("\n$ kubectl get all\n{objects}"));
        }
        text
    });
    let answers = read(&[Part::Shown, Part::Run], |s| {
        let mut text = String::new();
        for (line, answer) in &s.console.said {
            text.push_str(&format!("\n$ {line}\n{answer}"));
        }
        if let Some(Asked::Command(line)) = &s.console.asked {
            let slow = if s.console.slow { "(it works; Ctrl+C stops it)" } else { "" };
            text.push_str(&format!("\n$ {line}\n{slow}"));
        }
        text + &s.console.ways
    });
    let line = el("textarea")
        .class("kubectl-line")
        .attr("rows", "1")
        .attr("autocomplete", "off")
        .attr("autocapitalize", "off")
        .attr("spellcheck", "false")
        .attr("placeholder", "kubectl describe pods")
        .label("A kubectl command at this instant. Enter runs it, arrows bring back earlier ones")
        .on_as::<web_sys::KeyboardEvent>("keydown", |event| console_key(&event));
    let answers = scrolled(el("pre").class("terminal").attr("aria-live", "polite").text(answers));
    div("")
        .kid(el("pre").class("terminal").text(told))
        .kid(answers)
        .kid(el("label").class("kubectl-ask").kid(span("", "$ ")).kid(line))
}

/// Puts a text into the console's line.
pub(crate) fn set_console(line: &str) {
    let found = super::browser::document().query_selector(".kubectl-line").ok().flatten();
    if let Some(Ok(field)) = found.map(|f| f.dyn_into::<web_sys::HtmlTextAreaElement>()) {
        field.set_value(line);
    }
}

/// Enter asks, Tab completes; the arrows walk through what was asked before. Tab in an empty line
/// leads on, as everywhere.
fn console_key(event: &web_sys::KeyboardEvent) {
    let input = event.target().and_then(|t| t.dyn_into::<web_sys::HtmlTextAreaElement>().ok());
    let Some(input) = input else { return };
    let value = input.value();
    let idle = peek(|s| s.console.asked.is_none());
    let older = match event.key().as_str() {
        "Enter" if !event.shift_key() => {
            event.prevent_default();
            if idle {
                input.set_value("");
                send(Msg::Kubectl(value));
            }
            return;
        }
        "Tab" if !event.shift_key() && !value.is_empty() => {
            event.prevent_default();
            return send(Msg::CompleteKubectl(value));
        }
        "l" if event.ctrl_key() => {
            event.prevent_default();
            return send(Msg::Kubectl("clear".to_owned()));
        }
        "c" if event.ctrl_key() && !idle => return send(Msg::StopKubectl),
        "ArrowUp" => true,
        "ArrowDown" => false,
        _ => return,
    };
    event.prevent_default();
    let line = peek(|s| {
        let said = &s.console.said;
        let at = said.iter().rposition(|(line, _)| *line == value);
        let to = match (at, older) {
            (Some(at), true) => at.checked_sub(1).or(Some(0)),
            (Some(at), false) => Some(at + 1),
            (None, true) => said.len().checked_sub(1),
            (None, false) => None,
        };
        to.and_then(|to| said.get(to)).map(|(line, _)| line.clone())
    });
    input.set_value(&line.unwrap_or_default());
}

fn trace_text() -> El {
    read(&[Part::Shown, Part::Run], |s| {
        let run = &s.bench.run;
        let text = trace::text::render_upto(&run.timeline, &run.text, run.past().len());
        let tail: Vec<&str> = text.lines().rev().take(ROWS_MAX).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        div("")
            .kid(div("chips").kid(button(
                "chip",
                "copy all",
                sends(Msg::Export(Export::CopyTrace)),
            )))
            .kid(scrolled(el("pre").class("terminal").text(tail.join("\n"))))
    })
}
