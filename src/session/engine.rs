//! Talking with the worker: what is asked when, which answers count, and a watchdog that says so
//! and starts a worker anew when it does not answer.

use super::run::Run;
use super::{Effect, Msg, Part, Session};
use crate::diagnostic::{self, Diagnostic};
use crate::order::Order;
use crate::protocol::{FromWorker, Revision, ToWorker};
use crate::time::SimTime;

/// Runs of the lesson's start, made only to grade predictions, carry this revision.
const START: Revision = Revision(0);

/// A worker silent for so long while it owes an answer is taken for stuck, in milliseconds.
const SILENT_MAX_MS: f64 = 6000.0;
/// A clock message counts for at most this long: a sleeping computer is not a stuck worker.
const CLOCK_MAX_MS: f64 = 1500.0;
/// A worker that gets stuck so often over one text is left alone until the text changes.
const RESTARTS_MAX: u32 = 2;
/// A run still being made after so many looks of the watchdog is slow.
const SLOW_LOOKS: u32 = 2;
/// How long the text rests before it is simulated again, in milliseconds.
const REST_MS: u32 = 200;
/// How long a sandbox run is, in simulated seconds.
const SANDBOX_SECS: u64 = 300;
/// 2026-01-05 09:00 UTC, what `date` says when a run starts: the same for everyone.
const STARTED_UNIX_SECS: i64 = 1_767_603_600;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Engine {
    pub ready: bool,
    /// Why there is no engine, as a sentence.
    pub failed: Option<String>,
    silent_ms: f64,
    checking: Option<Revision>,
    simulating: Option<Revision>,
    /// For how many looks of the watchdog.
    n_looks: u32,
    restarts: u32,
    start_asked: bool,
}

impl Engine {
    pub fn busy(&self) -> bool {
        self.checking.is_some() || self.simulating.is_some()
    }
}

impl Session {
    pub(super) fn update_engine(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            Msg::Worker(answer) => {
                self.engine.silent_ms = 0.0;
                self.answer(answer, out);
            }
            Msg::WorkerDied(why) => self.restart(why, out),
            Msg::Clock { elapsed_ms } => {
                self.drill_tick(elapsed_ms.min(CLOCK_MAX_MS));
                self.clock(elapsed_ms, out);
            }
            Msg::Simulate(revision) => self.ask_run(revision, out),
            Msg::StopRun if self.slow_run().is_some() => out.push(Effect::Post(ToWorker::Stop)),
            _ => {}
        }
    }

    fn answer(&mut self, answer: FromWorker, out: &mut Vec<Effect>) {
        match answer {
            FromWorker::Ready => {
                self.engine.ready = true;
                self.engine.failed = None;
                self.touch(Part::Notice);
                self.ask_check(out);
            }
            FromWorker::Checked { revision, diagnostics, needs } => {
                self.checked(revision, diagnostics, needs, out);
            }
            FromWorker::Says { revision, says } => {
                if revision == self.bench.revision {
                    self.bench.says = says;
                    self.touch(Part::Problems);
                }
            }
            FromWorker::Ran { revision, events, now, end } => {
                if end.is_some() && self.engine.simulating == Some(revision) {
                    self.engine.simulating = None;
                }
                let Some(run) = self.run_of(revision) else { return };
                run.extend(events, now, end);
                self.ran(revision, out);
            }
            FromWorker::Judged { revision, results } => {
                if let Some(run) = self.run_of(revision) {
                    run.results = results;
                    self.touch(Part::Flow);
                }
            }
            FromWorker::Kubectl { answer, at, actions, files } => {
                self.kubectl_said(answer, at, actions, files, out);
            }
            FromWorker::LineCompleted { line, ways } => self.line_completed(line, ways, out),
            FromWorker::Bundled { name, zip } => out.push(Effect::DownloadBytes { name, zip }),
            // Asked by the editor's glue, which takes them before they come here.
            FromWorker::Completed { .. }
            | FromWorker::Hovered { .. }
            | FromWorker::Linked { .. }
            | FromWorker::Renamed { .. } => {}
            FromWorker::Failed { message } => self.restart(message, out),
        }
    }

    fn checked(
        &mut self,
        revision: Revision,
        diagnostics: Vec<Diagnostic>,
        needs: Vec<String>,
        out: &mut Vec<Effect>,
    ) {
        if self.engine.checking == Some(revision) {
            self.engine.checking = None;
        }
        if revision != self.bench.revision {
            return self.ask_check(out);
        }
        self.bench.diagnostics = diagnostics;
        (self.bench.needs, self.bench.says) = (needs, String::new());
        self.bench.checked = revision;
        self.touch(Part::Problems);
        self.engine.restarts = 0;
        if self.bench.n_errors() > 0 {
            if diagnostic::too_large(&self.bench.text).is_none() {
                let text = self.bench.text.clone();
                out.push(Effect::Post(ToWorker::Says { revision, text }));
            }
            self.mark_stale();
        } else if self.bench.run.revision == START {
            self.ask_run(revision, out);
        } else {
            out.push(Effect::After(REST_MS, Msg::Simulate(revision)));
        }
    }

    fn run_of(&mut self, revision: Revision) -> Option<&mut Run> {
        if revision == START {
            return Some(&mut self.bench.start_run);
        }
        let bench = &mut self.bench;
        match &mut bench.incoming {
            Some(run) if run.revision == revision => Some(run),
            _ if bench.run.revision == revision => Some(&mut bench.run),
            _ => None,
        }
    }

    fn ran(&mut self, revision: Revision, out: &mut Vec<Effect>) {
        if self.bench.incoming.as_ref().is_some_and(|r| r.revision == revision) {
            self.swap_runs(out);
        } else if self.bench.run.revision == revision {
            self.touch(Part::Run);
            if let Some(at) = self.bench.wanted.take_if(|at| *at <= self.bench.run.timeline.now) {
                self.show(at, true);
            } else {
                self.show(self.bench.player.cursor, false);
            }
            self.swap_runs(out);
        }
        if self.bench.run.ended() {
            self.bench.wanted = None;
            self.ask_start_run(out);
        }
    }

    /// (how far, of how much) in seconds a run has come that takes long to make.
    pub fn slow_run(&self) -> Option<(u64, u64)> {
        let revision = self.engine.simulating.filter(|_| self.engine.n_looks >= SLOW_LOOKS)?;
        let coming = self.bench.incoming.as_ref().filter(|run| run.revision == revision);
        let run = coming.unwrap_or(&self.bench.run);
        let whole = self.lesson.here().map_or(SANDBOX_SECS, |l| l.run_secs.max(1));
        (revision != START).then_some((run.timeline.now.as_secs_f64() as u64, whole))
    }

    /// What is shown is of the text there is, whole: nothing is under way.
    pub fn settled(&self) -> bool {
        let bench = &self.bench;
        let ran = bench.run.revision == bench.revision && bench.run.ended();
        self.engine.failed.is_some()
            || bench.checked == bench.revision && (ran || bench.n_errors() > 0)
    }

    /// A text that asked for nothing left no run that could be older than this one.
    fn mark_stale(&mut self) {
        let run = &self.bench.run;
        if run.revision != START && !run.timeline.events.is_empty() {
            let n = self.bench.n_errors();
            let errors = match n {
                1 => self.words.say("1 error"),
                _ => self.words.fill("{} errors", &[&n]),
            };
            let why = "The manifest has {}; this is the run of its last good text.";
            let why = self.words.fill(why, &[&errors]);
            if self.bench.stale.replace(why.clone()) != Some(why) {
                self.touch(Part::Stale);
            }
        }
    }

    pub(super) fn ask_check(&mut self, out: &mut Vec<Effect>) {
        let bench = &self.bench;
        if !self.engine.ready || self.engine.checking.is_some() || bench.id.is_empty() {
            return;
        }
        let revision = bench.revision;
        if let Some(one) = diagnostic::too_large(&bench.text) {
            // Nobody has to carry it to and fro for that.
            return self.checked(revision, vec![one], Vec::new(), out);
        }
        self.engine.checking = Some(revision);
        self.engine.silent_ms = 0.0;
        let text = bench.text.clone();
        let practices = self.lesson.here().is_some_and(|lesson| lesson.practices);
        out.push(Effect::Post(ToWorker::Check { revision, text, practices }));
    }

    fn ask_run(&mut self, revision: Revision, out: &mut Vec<Effect>) {
        let bench = &mut self.bench;
        let known = bench.run.revision == revision
            || bench.incoming.as_ref().is_some_and(|run| run.revision == revision);
        if revision != bench.revision || known {
            return;
        }
        let text = bench.run_text().to_owned();
        let mut run = Run::new(revision, text.clone());
        run.lanes = bench.run.lanes.next();
        bench.incoming = Some(run);
        bench.incoming_looks = 0;
        self.post_run(revision, text, out);
    }

    /// Predictions are about the lesson's start; where the learner's text is another, the start
    /// is run as well, unseen.
    fn ask_start_run(&mut self, out: &mut Vec<Effect>) {
        let Some(lesson) = self.lesson.here() else { return };
        let needed = lesson.steps.iter().any(|step| step.prediction.is_some());
        if !needed || self.engine.start_asked {
            return;
        }
        self.engine.start_asked = true;
        if self.bench.run.text == lesson.start {
            self.bench.start_run = self.bench.run.clone();
            self.touch(Part::Flow);
        } else {
            let start = lesson.start.clone();
            self.post_run(START, start, out);
        }
    }

    fn post_run(&mut self, revision: Revision, text: String, out: &mut Vec<Effect>) {
        self.engine.simulating = Some(revision);
        self.engine.n_looks = 0;
        self.engine.silent_ms = 0.0;
        out.push(Effect::Post(self.run_message(revision, text)));
    }

    /// What asks for a run of a text as this lesson runs it.
    pub(super) fn run_message(&self, revision: Revision, text: String) -> ToWorker {
        let lesson = self.lesson.here();
        let secs = lesson.map_or(SANDBOX_SECS, |l| l.run_secs.max(1));
        let mut actions = lesson.map_or(Vec::new(), |l| l.actions.clone());
        if revision != START {
            actions.extend(self.bench.actions.iter().cloned());
            actions.order_by_key(|a| a.0);
        }
        ToWorker::Simulate {
            revision,
            text,
            actions,
            seed: lesson.map_or(1, |l| l.seed),
            started_unix_secs: STARTED_UNIX_SECS,
            until: SimTime::from_secs(secs),
            goals: self.goals(),
        }
    }

    fn clock(&mut self, elapsed_ms: f64, out: &mut Vec<Effect>) {
        if self.console.asked.is_some() {
            self.console.slow = true;
            self.touch(Part::Shown);
        }
        if !self.engine.ready || !self.engine.busy() {
            return;
        }
        if self.bench.incoming.is_some() {
            self.bench.incoming_looks += 1;
            self.swap_runs(out);
        }
        if self.engine.simulating.is_some() {
            self.engine.n_looks += 1;
            self.touch(Part::Run);
        }
        self.engine.silent_ms += elapsed_ms.min(CLOCK_MAX_MS);
        if self.engine.silent_ms > SILENT_MAX_MS {
            self.restart("it did not answer for 6 seconds".to_owned(), out);
        }
    }

    fn restart(&mut self, why: String, out: &mut Vec<Effect>) {
        let restarts = self.engine.restarts + 1;
        self.engine = Engine { restarts, ..Engine::default() };
        self.bench.incoming = None;
        self.console.asked = None;
        if restarts > RESTARTS_MAX {
            self.engine.failed = Some(format!(
                "The simulator stopped {restarts} times ({why}). Your text is safe; change it, or \
                 load the page again."
            ));
            self.notice = None;
            self.bench.stale =
                Some("The simulator stopped; this is the last run it made.".to_owned());
            let parts = [Part::Notice, Part::Problems, Part::Run, Part::Stale];
            parts.into_iter().for_each(|part| self.touch(part));
            return;
        }
        out.push(Effect::StartWorker);
        let says = "The simulator stopped ({}) and was started again.";
        self.notice(self.words.fill(says, &[&why]), out);
    }

    /// Another text may be one that a simulator can live with.
    pub(super) fn engine_tries_again(&mut self, out: &mut Vec<Effect>) {
        if self.engine.failed.take().is_some() {
            self.engine.restarts = 0;
            self.touch(Part::Notice);
            out.push(Effect::StartWorker);
        }
    }

    /// Forgets what was asked for another lesson.
    pub(super) fn engine_moves_on(&mut self) {
        self.engine.start_asked = false;
        self.engine.checking = None;
        self.engine.simulating = None;
        self.engine.restarts = 0;
    }
}
