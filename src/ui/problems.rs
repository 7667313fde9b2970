//! The list of problems below the editor: each jumps to its place and offers its repairs; and the
//! words of the terminal, "kubectl says".

use super::app::{fill, read, sends, tr};
use super::el::{El, Kid, button, div, el, says, span};
use crate::diagnostic::{Diagnostic, Severity};
use crate::protocol::KUBECTL;
use crate::session::{Msg, Part};
use crate::text::LineIndex;

/// Problems listed; the rest is counted.
const SHOWN_MAX: usize = 50;

pub(crate) fn view() -> El {
    let (found, index, says, known) = read(&[Part::Problems, Part::Notice], |s| {
        let known = match (s.bench.checked.0 > 0, &s.engine.failed) {
            (_, Some(_)) => "Not checked: the simulator stopped.",
            (true, _) => "No problems: a cluster would take this.",
            _ => "Checking.",
        };
        let bench = &s.bench;
        let index = LineIndex::new(if bench.diagnostics.is_empty() { "" } else { &bench.text });
        (bench.diagnostics.clone(), index, bench.says.clone(), known)
    });
    let out = el("section").class("problems").label("Problems");
    if found.is_empty() {
        let sign = if known.starts_with("No p") { "sign ok" } else { "sign practice" };
        return out.kid(div("problems-none").kid(span(sign, "")).kid(span("", tr(known))));
    }
    let rows = found.iter().enumerate().take(SHOWN_MAX).map(|(i, d)| row(i, d, &index));
    let more = found.len().saturating_sub(SHOWN_MAX);
    let more = (more > 0).then(|| el("li").text(fill("and {} more", &[&more])));
    let title = fill("Problems ({})", &[&found.len()]);
    out.kid(el("h3").text(title)).kid(el("ul").kids(rows).kid(more)).kid(kubectl_says(&says))
}

/// (style class, word)
pub(crate) fn severity(of: Severity) -> (&'static str, &'static str) {
    match of {
        Severity::Error => ("error", "error"),
        Severity::Warning => ("warning", "warning"),
        Severity::Hazard => ("hazard", "will fail"),
        Severity::Practice => ("practice", "advice"),
    }
}

fn row(i: usize, diagnostic: &Diagnostic, index: &LineIndex) -> El {
    let (class, word) = severity(diagnostic.severity);
    let line = index.line(diagnostic.span.start);
    let jump = button("problem-jump", "", sends(Msg::JumpTo(diagnostic.span)))
        .kid(span(&format!("sign {class}"), ""))
        .kid(span("problem-line", fill("line {}", &[&line])))
        .kid(says("problem-word", word))
        .kid(span("problem-text", &*diagnostic.message));
    let mut out = el("li").class("problem").kid(jump);
    if let Some(help) = &diagnostic.help {
        out = out.kid(div("problem-help").text(&**help));
    }
    let fixes = diagnostic
        .fixes
        .iter()
        .enumerate()
        .map(|(fix, f)| button("fix", &f.title, sends(Msg::ApplyFix { diagnostic: i, fix })));
    out.kid(div("fixes").kids(fixes))
}

/// What the learner would meet in a terminal, word for word.
fn kubectl_says(says: &str) -> Kid {
    if says.is_empty() {
        return Kid::Nothing;
    }
    let text = format!("$ {KUBECTL} < manifest.yaml\n{says}");
    el("details")
        .class("says")
        .kid(el("summary").say("kubectl says"))
        .kid(el("pre").attr("tabindex", "0").text(text))
        .into()
}
