//! The kubectl console: what was asked and answered. The worker does the work, over the run that
//! the page shows; what changes the cluster becomes an act at the cursor.

use super::{Effect, Part, Session};
use crate::order::Order;
use crate::protocol::{KubectlAsk, ToWorker};
use crate::time::SimTime;

/// Commands kept; older ones are forgotten.
const KEPT_MAX: usize = 40;
/// The longest answer shown, in bytes.
const ANSWER_MAX: usize = 60_000;

#[derive(Debug, Default)]
pub struct Console {
    /// (command, answer), oldest first.
    pub said: Vec<(String, String)>,
    /// A command not answered yet.
    pub asked: Option<String>,
}

impl Session {
    pub(super) fn ask_kubectl(&mut self, line: &str, out: &mut Vec<Effect>) {
        let line = line.trim();
        if line.is_empty() || self.console.asked.is_some() {
            return;
        }
        self.touch(Part::Shown);
        if line == "clear" {
            self.console.said.clear();
            return;
        }
        self.drill_begins();
        self.console.asked = Some(line.to_owned());
        let ToWorker::Simulate { text, actions, seed, started_unix_secs, .. } =
            self.run_message(self.bench.run.revision, self.bench.run.text.clone())
        else {
            return;
        };
        let (line, at) = (line.to_owned(), self.bench.player.cursor);
        let ask = KubectlAsk { line, at, text, actions, seed, started_unix_secs };
        out.push(Effect::Post(ToWorker::Kubectl(Box::new(ask))));
    }

    pub(super) fn kubectl_said(
        &mut self,
        mut answer: String,
        at: SimTime,
        actions: Vec<String>,
        out: &mut Vec<Effect>,
    ) {
        let Some(line) = self.console.asked.take() else { return };
        self.touch(Part::Shown);
        if answer.len() > ANSWER_MAX {
            let end = (0..=ANSWER_MAX).rev().find(|end| answer.is_char_boundary(*end));
            answer.truncate(end.unwrap_or(0));
            answer.push_str("\n(the rest is not shown)\n");
        }
        self.console.said.push((line, answer));
        let n_over = self.console.said.len().saturating_sub(KEPT_MAX);
        self.console.said.drain(..n_over);
        if !actions.is_empty() {
            self.bench.actions.extend(actions.into_iter().map(|action| (at, action)));
            self.bench.actions.order_by_key(|a| a.0);
            self.run_again(out);
        }
    }
}
