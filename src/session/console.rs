//! The kubectl console: what was asked and answered, and the person's own files. The worker does
//! the work, over the run that the page shows; what changes the cluster becomes an act at the
//! cursor, and `manifest.yaml` is what the editor shows.

use super::engine::Engine;
use super::{Effect, Part, Session};
use crate::order::Order;
use crate::protocol::{Files, KubectlAsk, ToWorker};
use crate::time::SimTime;

/// Commands kept; older ones are forgotten.
const KEPT_MAX: usize = 40;
/// The longest answer shown, in bytes.
const ANSWER_MAX: usize = 60_000;
/// The editor's text among the person's own files.
const MANIFEST: &str = "/root/manifest.yaml";
/// What a terminal shows of a command that Ctrl+C ended.
const STOPPED: &str = "^C\n";

/// What the worker is asked and has not answered yet.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    Command(String),
    Completion,
}

#[derive(Debug, Default)]
pub struct Console {
    /// (command, answer), oldest first.
    pub said: Vec<(String, String)>,
    /// One thing at a time.
    pub asked: Option<Asked>,
    /// It takes long.
    pub slow: bool,
    /// How the line that was typed might go on, where there are several ways.
    pub ways: String,
    pub files: Files,
}

impl Session {
    pub(super) fn ask_kubectl(&mut self, line: &str, out: &mut Vec<Effect>) {
        self.touch(Part::Shown);
        let line = line.trim();
        if line.is_empty() || self.console.asked.is_some() {
            return;
        }
        self.console.ways.clear();
        if line == "clear" {
            self.console.said.clear();
            return;
        }
        self.drill_begins();
        if let Some(ask) = self.kubectl_ask(line.to_owned()) {
            self.console_asks(Asked::Command(line.to_owned()), ToWorker::Kubectl(ask), out);
        }
    }

    pub(super) fn complete_kubectl(&mut self, line: String, out: &mut Vec<Effect>) {
        if self.console.asked.is_some() {
            return;
        }
        self.touch(Part::Shown);
        self.console.ways.clear();
        if let Some(ask) = self.kubectl_ask(line) {
            self.console_asks(Asked::Completion, ToWorker::CompleteLine(ask), out);
        }
    }

    fn console_asks(&mut self, asked: Asked, message: ToWorker, out: &mut Vec<Effect>) {
        (self.console.asked, self.console.slow) = (Some(asked), false);
        out.push(Effect::Post(message));
    }

    /// What a line is asked about: the run that is shown, at the cursor, and the person's files.
    fn kubectl_ask(&mut self, line: String) -> Option<Box<KubectlAsk>> {
        let ToWorker::Simulate { text, actions, seed, started_unix_secs, .. } =
            self.run_message(self.bench.run.revision, self.bench.run.text.clone())
        else {
            return None;
        };
        let at = self.bench.player.cursor;
        self.console.files.insert(MANIFEST.to_owned(), self.bench.text.clone());
        let files = self.console.files.clone();
        let ask = KubectlAsk { line, at, text, actions, seed, started_unix_secs, files };
        Some(Box::new(ask))
    }

    /// The worker that runs a command is replaced: it hears nothing while it works.
    pub(super) fn stop_kubectl(&mut self, out: &mut Vec<Effect>) {
        let Some(asked) = self.console.asked.take() else { return };
        self.touch(Part::Shown);
        if let Asked::Command(line) = asked {
            self.console.said.push((line, STOPPED.to_owned()));
        }
        self.engine = Engine::default();
        self.bench.incoming = None;
        if !self.bench.run.ended() {
            // What was being made is made anew.
            self.bench.revision.0 += 1;
        }
        out.push(Effect::StartWorker);
    }

    pub(super) fn line_completed(&mut self, line: String, ways: String, out: &mut Vec<Effect>) {
        let Some(Asked::Completion) = self.console.asked.take() else { return };
        self.touch(Part::Shown);
        self.console.ways = ways;
        out.push(Effect::ConsoleLine(line));
    }

    pub(super) fn kubectl_said(
        &mut self,
        mut answer: String,
        at: SimTime,
        actions: Vec<String>,
        mut files: Files,
        out: &mut Vec<Effect>,
    ) {
        let Some(Asked::Command(line)) = self.console.asked.take() else { return };
        self.touch(Part::Shown);
        if answer.len() > ANSWER_MAX {
            let end = (0..=ANSWER_MAX).rev().find(|end| answer.is_char_boundary(*end));
            answer.truncate(end.unwrap_or(0));
            answer.push_str("\n(the rest is not shown)\n");
        }
        self.console.said.push((line, answer));
        let n_over = self.console.said.len().saturating_sub(KEPT_MAX);
        self.console.said.drain(..n_over);
        let text = files.remove(MANIFEST);
        let before = std::mem::replace(&mut self.console.files, files).remove(MANIFEST);
        if !actions.is_empty() {
            self.bench.actions.extend(actions.into_iter().map(|action| (at, action)));
            self.bench.actions.order_by_key(|a| a.0);
            self.run_again(out);
        }
        if let Some(text) = text.filter(|text| before.as_ref() != Some(text)) {
            self.replace_text(text, out);
        }
    }
}
