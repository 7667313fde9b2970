//! What is on the bench: the text, its problems, its run, the cursor; and what edits and the
//! player do to them. The lesson around it is `flow`'s.

use super::changes::{self, Milestones};
use super::drill::Drill;
use super::history::{Delta, History};
use super::player::Player;
use super::run::Run;
use super::{Effect, Msg, Part, Pick, Session};
use crate::diagnostic::{Diagnostic, POD_REFUSED, Severity};
use crate::order::Order;
use crate::protocol::Revision;
use crate::text::{self, Span};
use crate::time::SimTime;
use crate::trace::{Event, EventId, Name, Snapshot, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// How an edit of the manifest reads among what was done to the cluster; its text follows.
pub(super) const APPLY: &str = "apply -f manifest.yaml\n";

/// So many looks of the watchdog a new run has to come as far as the old one is watched.
const LOOKS_MAX: u32 = 2;

#[derive(Debug, Default)]
pub struct Bench {
    /// `track/slug` or `sandbox`; empty while nothing is open.
    pub id: String,
    pub version: String,
    pub text: String,
    pub revision: Revision,
    pub diagnostics: Vec<Diagnostic>,
    /// What a terminal would show; empty where nothing is wrong.
    pub says: String,
    /// What a cluster needs besides the manifest.
    pub needs: Vec<String>,
    /// The newest revision whose problems are known.
    pub checked: Revision,
    pub run: Run,
    /// The text as it was opened or run last: what an edit could be applied to.
    pub begun: String,
    /// The text the runs begin with, where edits are applied to what runs instead of run anew.
    pub live: Option<String>,
    /// A newer run, shown as soon as it has come as far as the cursor.
    pub incoming: Option<Run>,
    /// For how many looks of the watchdog it has been coming.
    pub(super) incoming_looks: u32,
    /// Why the run shown is not of the text shown.
    pub stale: Option<String>,
    /// What the last edit or fault changed in the run.
    pub changed: Vec<String>,
    /// The run that `changed` is about.
    pub(super) told: Revision,
    /// The last change was something done to the cluster, not to the text.
    pub(super) acted: bool,
    pub(super) before: Milestones,
    pub player: Player,
    /// What the person did to the cluster and when; in the order of time.
    pub actions: Vec<(SimTime, String)>,
    pub pick: Option<Pick>,
    /// The newest event at a cursor that was put there by hand.
    pub(super) under: Option<EventId>,
    /// The one of several pods that is shown large.
    pub opened: Option<Name>,
    pub step: usize,
    pub done: BTreeSet<String>,
    pub predictions: BTreeMap<usize, usize>,
    /// Verdicts over a run of the lesson's start, for grading predictions.
    pub start_run: Run,
    /// Play was pressed while a prediction was asked for: it is not asked for again.
    pub(super) hold_skipped: bool,
    pub n_hints: usize,
    pub drill: Drill,
    pub solution_seen: bool,
    pub kept: Option<String>,
    pub history: History,
    /// The editor's own undo and folds, as it wrote them.
    pub editor_state: Option<String>,
    /// Answers to questions about earlier lessons; not kept.
    pub recall: BTreeMap<usize, usize>,
    /// Where the address asked the cursor to be, until the run has come that far.
    pub(super) wanted: Option<SimTime>,
}

impl Bench {
    /// Errors that keep the text from being run.
    pub fn n_errors(&self) -> usize {
        let errors = self.diagnostics.iter().filter(|d| d.severity == Severity::Error);
        errors.filter(|d| d.code != POD_REFUSED).count()
    }

    /// The text runs begin with.
    pub fn run_text(&self) -> &str {
        self.live.as_deref().unwrap_or(&self.text)
    }

    /// Whether there is an edit that could be applied to what runs.
    pub fn can_apply(&self) -> bool {
        let newest = self.actions.iter().rfind(|(_, action)| action.starts_with(APPLY));
        let there = newest.and_then(|(_, action)| action.strip_prefix(APPLY));
        self.n_errors() == 0 && self.text != there.unwrap_or(&self.begun)
    }

    /// Everything at the cursor.
    pub fn shown(&self) -> &Snapshot {
        self.run.shown()
    }

    /// A span of the run's text as it lies in the text now; None where an edit took it away.
    pub fn span_now(&self, span: Span) -> Option<Span> {
        moved(span, &self.run.text, &self.text)
    }

    /// "After the edit shipper now starts after app."; empty where nothing is to be told.
    pub fn changed_words(&self) -> String {
        if self.changed.is_empty() {
            return String::new();
        }
        let what = if self.acted { "fault" } else { "edit" };
        format!("After the {what} {}.", self.changed.join("; "))
    }

    /// What is looked at: what was picked, else the event that lies under the cursor line.
    fn looked_at(&self) -> Option<Pick> {
        self.pick.clone().or(self.under.map(Pick::Event))
    }

    /// The event that is looked at, where it is one.
    pub fn picked(&self) -> Option<&Event> {
        match self.looked_at() {
            Some(Pick::Event(id)) => self.run.timeline.events.get(id.0 as usize),
            _ => None,
        }
    }

    /// The event that made what is picked as it is.
    pub fn picked_event(&self) -> Option<EventId> {
        let snapshot = self.shown();
        match self.pick.as_ref()? {
            Pick::Event(id) => Some(*id),
            Pick::Container(pod, name) => snapshot.pods.get(pod)?.containers.get(name)?.changed_by,
            Pick::Volume(pod, place) => {
                let files = &snapshot.pods.get(pod)?.files;
                let newest = files.iter().filter(|((p, _), _)| p == place).map(|(_, f)| f);
                newest.filter_map(|f| f.written_by).max()
            }
            Pick::Pod(_) => None,
            Pick::Object(kind, name) => {
                let of = |e: &&Event| of_object(e, kind, name);
                self.run.past().iter().rev().find(of).map(|e| e.id)
            }
        }
    }

    /// The bytes of the manifest that say what is picked.
    pub fn picked_span(&self) -> Option<Span> {
        let snapshot = self.shown();
        let span = match &self.looked_at()? {
            Pick::Event(id) => {
                let chain = self.run.timeline.causes(*id);
                chain.iter().find_map(|event| event.origin)?
            }
            Pick::Container(pod, name) => {
                let shape = &snapshot.pods.get(pod)?.shape;
                shape.containers.iter().find(|c| c.name == *name)?.origin?
            }
            Pick::Volume(pod, place) => {
                let shape = &snapshot.pods.get(pod)?.shape;
                let name = place.strip_prefix("volume:").unwrap_or(place);
                shape.volumes.iter().find(|v| &*v.name == name)?.origin?
            }
            Pick::Pod(pod) => {
                let of_pod = |e: &&Event| matches!(&e.subject, Subject::Pod(p) if p == pod);
                self.run.timeline.events.iter().filter(of_pod).find_map(|e| e.origin)?
            }
            Pick::Object(kind, name) => {
                let events = self.run.timeline.events.iter();
                events.filter(|e| of_object(e, kind, name)).find_map(|e| e.origin)?
            }
        };
        self.span_now(span)
    }
}

fn of_object(event: &Event, kind: &Name, name: &Name) -> bool {
    matches!(&event.subject, Subject::Object { kind: k, name: n } if k == kind && n == name)
}

/// A span of `old` in `new`, where between them one stretch was changed.
pub fn moved(span: Span, old: &str, new: &str) -> Option<Span> {
    let Some(delta) = Delta::between(old, new) else { return Some(span) };
    let (start, end) = (span.start as usize, span.end as usize);
    let removed_end = delta.at + delta.removed.len();
    let shift = |at: usize| at + delta.inserted.len() - delta.removed.len();
    let start_now = if start >= removed_end { shift(start) } else { start.min(delta.at) };
    let end_now = if end >= removed_end { shift(end) } else { end.min(delta.at) };
    (start_now < end_now).then(|| Span::new(start_now, end_now))
}

impl Session {
    pub(super) fn update_text(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            Msg::Edited(text) => self.set_text(text, out),
            Msg::ApplyFix { diagnostic, fix } => {
                let found = self.bench.diagnostics.get(diagnostic).and_then(|d| d.fixes.get(fix));
                let Some(edits) = found.map(|f| f.edits.clone()) else { return };
                if self.bench.checked == self.bench.revision {
                    let text = text::apply(&self.bench.text, &edits);
                    let old = self.bench.text.clone();
                    out.push(Effect::EditorEdits { old, edits });
                    self.set_text(text, out);
                }
            }
            Msg::Undo | Msg::Redo => {
                let bench = &mut self.bench;
                let text = match msg {
                    Msg::Undo => bench.history.undo(&bench.text),
                    _ => bench.history.redo(&bench.text),
                };
                if let Some(text) = text {
                    out.push(Effect::EditorText { text: text.clone(), state: None });
                    self.new_text(text, out);
                }
            }
            Msg::Reset => {
                let start = self.lesson.here().map_or(String::new(), |l| l.start.clone());
                self.bench.live = None;
                self.bench.actions.retain(|(_, action)| !action.starts_with(APPLY));
                self.replace_text(start, out);
            }
            Msg::BringBack => {
                if let Some(kept) = self.bench.kept.clone() {
                    self.replace_text(kept, out);
                }
            }
            Msg::ApplyEdit => self.apply_edit(out),
            Msg::JumpTo(span) => {
                self.pane = super::Pane::Edit;
                self.touch(Part::Layout);
                out.push(Effect::EditorJump(span));
            }
            _ => {}
        }
    }

    /// The edited manifest is applied to what runs, at the cursor's instant; the run begins with
    /// the text it began with before.
    fn apply_edit(&mut self, out: &mut Vec<Effect>) {
        if !self.bench.can_apply() {
            return self.notice("The manifest is as it was applied, or a server refuses it.", out);
        }
        let bench = &mut self.bench;
        if bench.live.is_none() {
            bench.live = Some(bench.begun.clone());
        }
        bench.actions.push((bench.player.cursor, format!("{APPLY}{}", bench.text)));
        bench.actions.order_by_key(|a| a.0);
        bench.player.playing = true;
        self.run_again(out);
    }

    /// Another text in the editor's place; what stood there can be brought back.
    pub(super) fn replace_text(&mut self, text: String, out: &mut Vec<Effect>) {
        if text == self.bench.text {
            return;
        }
        self.bench.kept = Some(self.bench.text.clone());
        out.push(Effect::EditorText { text: text.clone(), state: None });
        self.set_text(text, out);
    }

    /// The same text with other actions is another run.
    pub(super) fn run_again(&mut self, out: &mut Vec<Effect>) {
        self.dialog = None;
        self.bench.acted = true;
        self.bench.revision.0 += 1;
        self.touch(Part::Layout);
        self.touch(Part::Player);
        self.ask_check(out);
    }

    fn set_text(&mut self, text: String, out: &mut Vec<Effect>) {
        if text != self.bench.text {
            let old = std::mem::take(&mut self.bench.text);
            self.bench.history.note(&old, &text);
            self.new_text(text, out);
        }
    }

    fn new_text(&mut self, text: String, out: &mut Vec<Effect>) {
        self.engine_tries_again(out);
        self.drill_begins();
        self.bench.text = text;
        self.bench.acted = false;
        self.bench.revision.0 += 1;
        self.touch(Part::Text);
        self.ask_check(out);
        self.ask_save(out);
    }

    /// Swaps the newer run in once it has come as far as the cursor.
    pub(super) fn swap_runs(&mut self, out: &mut Vec<Effect>) {
        let cursor = self.bench.wanted.unwrap_or(self.bench.player.cursor);
        // A script that never rests is slow to simulate: what there is of it is shown then.
        let late = self.bench.incoming_looks >= LOOKS_MAX;
        let ready = |run: &mut Run| {
            let begun = late && !run.timeline.events.is_empty();
            begun || run.timeline.now >= cursor || run.ended()
        };
        if let Some(run) = self.bench.incoming.take_if(ready) {
            let bench = &mut self.bench;
            bench.run = run;
            bench.stale = None;
            bench.player.reached = SimTime::ZERO;
            self.unlight(out);
            self.touch(Part::Run);
            self.touch(Part::Stale);
            self.show(cursor, true);
        }
        if self.bench.run.ended() && self.bench.incoming.is_none() {
            self.finish_run(out);
        }
    }

    /// A run is whole: says what an edit or a fault changed, and remembers it to compare with.
    fn finish_run(&mut self, out: &mut Vec<Effect>) {
        let bench = &mut self.bench;
        if bench.told == bench.run.revision {
            return;
        }
        bench.told = bench.run.revision;
        let is = Milestones::of(&bench.run.timeline);
        let was = std::mem::replace(&mut bench.before, is);
        let first = was == Milestones::default();
        bench.changed = if first { vec![] } else { changes::between(&was, &bench.before) };
        if bench.acted && !first && bench.changed.is_empty() {
            bench.changed.push("everything ends as before".to_owned());
        }
        if !bench.changed.is_empty() {
            out.push(Effect::Say(self.bench.changed_words()));
        }
        self.touch(Part::Run);
    }

    /// Puts the cursor at an instant and everything with it.
    pub(super) fn show(&mut self, at: SimTime, whole: bool) {
        let bench = &mut self.bench;
        bench.player.seek(at, bench.run.timeline.now);
        if bench.run.show(bench.player.cursor) || whole {
            self.touch(Part::Shown);
        }
        self.touch(Part::Cursor);
    }

    pub(super) fn update_player(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        let (now, ended) = (self.bench.run.timeline.now, self.bench.run.ended());
        let cursor = self.bench.player.cursor;
        match msg {
            Msg::Frame { dt_ms } => return self.frame(dt_ms, out),
            Msg::Run => {
                self.show(SimTime::ZERO, false);
                self.unlight(out);
                self.bench.player.playing = true;
                self.bench.begun.clone_from(&self.bench.text);
            }
            Msg::PlayPause => {
                let held = self.hold().is_some_and(|at| cursor >= at);
                self.bench.hold_skipped |= held;
                self.bench.player.toggle(now, ended);
                self.show(self.bench.player.cursor, false);
                self.unlight(out);
            }
            Msg::Pause => self.bench.player.playing = false,
            Msg::Speed(speed) => {
                self.bench.player.speed = speed;
                self.prefs.speed = speed;
                self.save_prefs(out);
            }
            Msg::Seek(at) => {
                self.show(at, false);
                self.light(out);
            }
            Msg::StepEvent(forward) => {
                self.bench.player.playing = false;
                self.step_event(forward, out);
            }
            Msg::Nudge(by_ms) => {
                let by = SimTime::from_millis(by_ms.unsigned_abs());
                self.show(if by_ms < 0 { cursor - by } else { cursor + by }, false);
                self.light(out);
            }
            _ => {}
        }
        self.touch(Part::Player);
        self.address(out, false);
    }

    fn frame(&mut self, dt_ms: f64, out: &mut Vec<Effect>) {
        let hold = self.hold();
        let bench = &mut self.bench;
        let limit = hold.unwrap_or(bench.run.timeline.now);
        if !bench.player.tick(dt_ms, limit, bench.run.ended() || hold.is_some()) {
            return;
        }
        let (cursor, playing) = (bench.player.cursor, bench.player.playing);
        self.show(cursor, false);
        self.address_ms += dt_ms;
        if !playing {
            self.touch(Part::Player);
        }
        if !playing || self.address_ms > 1000.0 {
            self.address(out, false);
        }
    }
}
