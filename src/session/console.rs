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
/// What Ctrl+C sends.
pub const STOP: &str = "^C";

#[derive(Debug, Default)]
pub struct Console {
    /// (command, answer), oldest first.
    pub said: Vec<(String, String)>,
    /// A command not answered yet. One that begins with a tab is to be completed.
    pub asked: Option<String>,
    /// It takes long.
    pub slow: bool,
    /// How the line that was typed might go on, where there are several ways.
    pub ways: String,
    pub files: Files,
}

impl Session {
    pub(super) fn ask_kubectl(&mut self, line: &str, out: &mut Vec<Effect>) {
        self.touch(Part::Shown);
        if line == STOP {
            return self.stop_kubectl(out);
        }
        let line = if line.starts_with('\t') { line } else { line.trim() };
        if line.is_empty() || self.console.asked.is_some() {
            return;
        }
        self.console.ways.clear();
        if line == "clear" {
            self.console.said.clear();
            return;
        }
        self.drill_begins();
        (self.console.asked, self.console.slow) = (Some(line.to_owned()), false);
        let ToWorker::Simulate { text, actions, seed, started_unix_secs, .. } =
            self.run_message(self.bench.run.revision, self.bench.run.text.clone())
        else {
            return;
        };
        let (line, at) = (line.to_owned(), self.bench.player.cursor);
        self.console.files.insert(MANIFEST.to_owned(), self.bench.text.clone());
        let files = self.console.files.clone();
        let ask = KubectlAsk { line, at, text, actions, seed, started_unix_secs, files };
        out.push(Effect::Post(ToWorker::Kubectl(Box::new(ask))));
    }

    /// The worker that runs a command is replaced: it hears nothing while it works.
    fn stop_kubectl(&mut self, out: &mut Vec<Effect>) {
        let Some(line) = self.console.asked.take() else { return };
        self.console.said.push((line, format!("{STOP}\n")));
        self.engine = Engine::default();
        self.bench.incoming = None;
        if !self.bench.run.ended() {
            // What was being made is made anew.
            self.bench.revision.0 += 1;
        }
        out.push(Effect::StartWorker);
    }

    pub(super) fn kubectl_said(
        &mut self,
        mut answer: String,
        at: SimTime,
        actions: Vec<String>,
        mut files: Files,
        out: &mut Vec<Effect>,
    ) {
        let Some(line) = self.console.asked.take() else { return };
        self.touch(Part::Shown);
        if line.starts_with('\t') {
            let (line, ways) = answer.split_once('\n').unwrap_or((&answer, ""));
            self.console.ways = ways.to_owned();
            return out.push(Effect::ConsoleLine(line.to_owned()));
        }
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
