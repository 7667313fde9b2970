//! The lesson: prose one step at a time, tasks that tick themselves, predictions and their
//! replies, hints, the solution, the debrief from the learner's own run.

use super::app::{fill, read, send, sends};
use super::el::{El, Kid, button, coded, div, el, says, span};
use super::panels::jump_to_event;
use crate::lesson::{self, GoalResult, Lesson, Prediction, Recall, Step, Task};
use crate::session::flow::{TaskState, Verdict};
use crate::session::{Dialog, Msg, Part, Session};

pub(crate) fn view() -> El {
    el("section")
        .class("lesson pane")
        .attr("id", "lesson")
        .attr("tabindex", "-1")
        .label("Lesson")
        .live_kid(step)
        .live_kid(foot)
}

fn step() -> El {
    read(&[Part::Flow, Part::Page, Part::Run], |s| {
        let Some(lesson) = s.lesson.here() else { return div("") };
        let Some(step) = lesson.steps.get(s.bench.step) else { return div("") };
        let mut out = div("lesson-step").key(format!("step {}", s.bench.step));
        if s.bench.step == 0 {
            out = out.kid(outcomes(lesson));
        }
        out = out
            .kid(el("h2").text(&*step.title))
            .kid(div("prose").trusted_html(&step.html))
            .kid(step.prediction.as_ref().map(|p| prediction(p, s)))
            .kid(tasks(step, s));
        if s.bench.step == 0 {
            out = out.kids(recall(lesson, s));
        }
        if s.bench.step + 1 == lesson.steps.len() {
            out = out.kid(help(lesson, s)).kid(debrief(lesson, s));
        } else if !step.tasks.is_empty() {
            out = out.kid(help(lesson, s));
        }
        out
    })
}

fn outcomes(lesson: &Lesson) -> El {
    let items = lesson.card.outcomes.iter().map(|o| coded(el("li"), o));
    el("details")
        .class("outcomes")
        .kid(el("summary").text(fill("{} minutes. You will be able to", &[&lesson.card.minutes])))
        .kid(el("ul").kids(items))
}

/// Questions about earlier lessons.
fn recall(lesson: &Lesson, s: &Session) -> Vec<El> {
    let one = |(question, recall): (usize, &Recall)| {
        let chosen = s.bench.recall.get(&question).copied();
        let answers = recall.answers.iter().map(|a| a.text.as_str()).collect();
        let told = chosen.and_then(|i| recall.answers.get(i));
        let told = told.map(|a| reply(a.right, &a.reply, ""));
        let asked = Asked {
            id: format!("recall-{question}"),
            class: "prediction recall",
            label: "From an earlier lesson",
            question: &recall.question,
            answers,
            chosen,
        };
        asked.view(move |answer| Msg::Recall { question, answer }).kid(told)
    };
    lesson.recall.iter().enumerate().map(one).collect()
}

/// A question and its answers. Once one is chosen the others fold away behind the question.
struct Asked<'a> {
    id: String,
    class: &'static str,
    label: &'static str,
    question: &'a str,
    answers: Vec<&'a str>,
    chosen: Option<usize>,
}

impl Asked<'_> {
    fn view(self, msg: impl Fn(usize) -> Msg) -> El {
        let summary = format!("#{} summary", self.id);
        let choices = self.answers.iter().enumerate().map(|(i, text)| {
            let (msg, summary) = (msg(i), summary.clone());
            choice(text, self.chosen == Some(i), self.chosen.is_some(), move || {
                send(msg.clone());
                // The button has folded away under the focus.
                super::browser::focus(&summary);
            })
        });
        let fold = el("details")
            .flag("open", self.chosen.is_none())
            .kid(
                el("summary")
                    .kid(says("ask", self.label))
                    .kid(el("span").class("question").trusted_html(self.question)),
            )
            .kid(div("choices").kids(choices));
        let said = self.chosen.and_then(|i| self.answers.get(i)).map(|text| {
            let said = el("span").trusted_html(text);
            div("said").kid(says("reply-word", "You said:")).kid(said)
        });
        div(self.class)
            .attr("id", &self.id)
            .attr("role", "group")
            .label(self.label)
            .kid(fold)
            .kid(said)
    }
}

fn choice(html: &str, chosen: bool, closed: bool, does: impl Fn() + 'static) -> El {
    let class = if chosen { "choice chosen" } else { "choice" };
    button(class, "", does)
        .flag("aria-pressed", chosen)
        .flag("disabled", closed && !chosen)
        .kid(span("choice-mark", ""))
        .kid(el("span").trusted_html(html))
}

fn reply(right: bool, html: &str, because: &str) -> El {
    let word = if right { "As you said." } else { "It went another way." };
    let mut out = div(if right { "reply right" } else { "reply wrong" })
        .attr("role", "status")
        .kid(says("reply-word", word))
        .kid(el("span").trusted_html(html));
    if !because.is_empty() {
        out = out.kid(div("because").text(fill("In your run: {}", &[&because])));
    }
    out
}

fn prediction(prediction: &Prediction, s: &Session) -> El {
    let step = s.bench.step;
    let chosen = s.bench.predictions.get(&step).copied();
    let asked = Asked {
        id: "predict".to_owned(),
        class: "prediction",
        label: "Predict first",
        question: &prediction.question,
        answers: prediction.choices.iter().map(|c| c.text.as_str()).collect(),
        chosen,
    };
    let out = asked.view(move |choice| Msg::Predict { step, choice });
    match s.verdict(step, prediction) {
        Verdict::NotAnswered => out,
        Verdict::Open => out.kid(div("reply open").say("Now watch. The run will tell.")),
        Verdict::Told { right, reply: html, because } => out.kid(reply(right, &html, &because)),
    }
}

fn tasks(step: &Step, s: &Session) -> Kid {
    if step.tasks.is_empty() {
        return Kid::Nothing;
    }
    let rows = step.tasks.iter().map(|t| task(t, s));
    el("ul").class("tasks").label("Tasks").kids(rows).into()
}

fn task(task: &Task, s: &Session) -> El {
    let state = s.task_state(task);
    let (class, word) = match state {
        TaskState::Open => ("task", "open"),
        TaskState::Done => ("task done", "done"),
        TaskState::HeldEarlier => ("task done earlier", "done in an earlier run"),
    };
    let text = el("span").class("task-text").trusted_html(&task.text);
    let mut out = el("li").class(class).key(&*task.id);
    if task.goal.is_none() {
        let mark = button("task-mark", "", sends(Msg::Tick(task.id.clone())))
            .attr("role", "checkbox")
            .flag("aria-checked", state == TaskState::Done)
            .label("Done");
        return out.kid(mark).kid(text);
    }
    out = out.kid(span("task-mark", "").attr("role", "img").label(word)).kid(text);
    match s.task_result(task) {
        Some(result) if !result.because.is_empty() => out.kid(because(result)),
        _ => out,
    }
}

/// The sentence from the run, and the way to its moment.
fn because(result: &GoalResult) -> El {
    let out = div("because").kid(span("", &*result.because));
    match (result.holds, result.event) {
        (true, Some(event)) => out.kid(button("why", "show", move || jump_to_event(event))),
        _ => out,
    }
}

fn help(lesson: &Lesson, s: &Session) -> El {
    let n = s.bench.n_hints.min(lesson.hints.len());
    let hints = lesson.hints[..n].iter().map(|h| el("li").trusted_html(h));
    let mut out = div("help-box").kid(el("ol").class("hints").kids(hints));
    let mut row = div("row");
    if n < lesson.hints.len() {
        let text = fill("Hint {} of {}", &[&(n + 1), &lesson.hints.len()]);
        row = row.kid(button("quiet", &text, sends(Msg::Hint)));
    }
    let may = s.may_see_solution();
    let solution = button("quiet", "Solution", sends(Msg::Dialog(Some(Dialog::Solution))))
        .flag("disabled", !may)
        .attr("title", if may { "Look; your text stays" } else { "Once you have tried something" });
    row = row.kid(solution);
    out = out.kid(row);
    out
}

fn debrief(lesson: &Lesson, s: &Session) -> Kid {
    if !s.all_done() || lesson.debrief_html.is_empty() {
        return Kid::Nothing;
    }
    let result = |goal| s.bench.run.result(goal).cloned().unwrap_or_default();
    let results: Vec<GoalResult> = lesson.debrief_goals.iter().map(result).collect();
    div("debrief")
        .kid(el("h2").say("What happened"))
        .kid(div("prose").trusted_html(&lesson::fill_debrief(&lesson.debrief_html, &results)))
        .kid(el("a").class("button").attr("href", "#/").say("All lessons"))
        .into()
}

fn foot() -> Kid {
    let (step, n) = read(&[Part::Flow, Part::Page], |s| {
        (s.bench.step, s.lesson.here().map_or(0, |l| l.steps.len()))
    });
    if n < 2 {
        return Kid::Nothing;
    }
    let go = move |to: usize| {
        move || {
            send(Msg::Step(to));
            if let Some(pane) = super::browser::document().get_element_by_id("lesson") {
                pane.set_scroll_top(0);
            }
        }
    };
    let back = button("", "Back", go(step.saturating_sub(1))).flag("disabled", step == 0);
    let next = button("primary", "Next step", go(step + 1)).flag("disabled", step + 1 == n);
    div("lesson-foot")
        .kid(back)
        .kid(span("steps-text", format!("{} / {n}", step + 1)))
        .kid(next)
        .into()
}
