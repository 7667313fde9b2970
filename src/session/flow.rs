//! The lesson's way: steps, tasks that tick themselves, predictions before the run and replies
//! after it, hints, the solution.

use super::drill::Ticking;
use super::{Effect, Msg, Part, Session};
use crate::lesson::{Goal, GoalResult, Prediction, Task};
use crate::time::SimTime;
use crate::trace::What;

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    Open,
    Done,
    /// It held once, and in the present run it does not.
    HeldEarlier,
}

/// How a prediction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    NotAnswered,
    /// Answered; the run has not come so far as to tell.
    Open,
    /// What to say to the choice; where the run showed it.
    Told {
        right: bool,
        reply: String,
        because: String,
    },
}

fn told(prediction: &Prediction, choice: usize, right: usize, because: &str) -> Verdict {
    let Some(chosen) = prediction.choices.get(choice) else { return Verdict::Open };
    let (reply, because) = (chosen.reply.clone(), because.to_owned());
    Verdict::Told { right: right == choice, reply, because }
}

impl Session {
    pub(super) fn update_flow(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            Msg::Step(step) => {
                let n = self.lesson.here().map_or(0, |l| l.steps.len());
                self.bench.step = step.min(n.saturating_sub(1));
                self.address(out, true);
            }
            Msg::Predict { step, choice } => {
                self.bench.predictions.entry(step).or_insert(choice);
                self.bench.player.playing = true;
                self.touch(Part::Player);
            }
            Msg::Recall { question, answer } => {
                self.bench.recall.insert(question, answer);
            }
            Msg::Tick(task) if self.bench.done.remove(&task) => {}
            Msg::Tick(task) => {
                self.bench.done.insert(task);
            }
            Msg::DrillClock => {
                let runs = self.bench.drill.state == Ticking::Runs;
                self.drill_becomes(if runs { Ticking::Stopped } else { Ticking::Runs });
            }
            Msg::Hint => self.bench.n_hints += 1,
            Msg::LoadSolution => {
                let solution = self.lesson.here().map_or(String::new(), |l| l.solution.clone());
                self.bench.solution_seen = true;
                self.dialog = None;
                self.touch(Part::Layout);
                self.replace_text(solution, out);
            }
            _ => {}
        }
        self.touch(Part::Flow);
        self.ask_save(out);
    }

    /// The solution may be seen once something was tried.
    pub fn may_see_solution(&self) -> bool {
        let start = self.lesson.here().map_or("", |l| &l.start);
        self.bench.solution_seen || self.bench.text != start || self.bench.n_hints > 0
    }

    /// What the worker is to judge.
    pub(super) fn goals(&self) -> Vec<Goal> {
        self.lesson.here().map_or(Vec::new(), |lesson| lesson.goals())
    }

    fn seen(&self, result: &GoalResult) -> bool {
        result.holds && result.at.unwrap_or(SimTime::ZERO) <= self.bench.player.reached
    }

    /// Ticks tasks whose goals hold as far as the run was watched. A solution put into the editor
    /// ticks nothing: it was not found by the learner.
    pub(super) fn tick_tasks(&mut self, out: &mut Vec<Effect>) {
        let solution = self.lesson.here().map_or("", |l| &l.solution);
        if self.bench.solution_seen && self.bench.run.text == solution {
            return;
        }
        let Some(lesson) = self.lesson.here().cloned() else { return };
        for task in lesson.steps.iter().flat_map(|s| &s.tasks) {
            let known = self.bench.done.contains(&task.id);
            if !known && self.task_result(task).is_some_and(|r| self.seen(r)) {
                self.bench.done.insert(task.id.clone());
                self.touch(Part::Flow);
                out.push(Effect::Say(self.words.say("A task is done.")));
                self.ask_save(out);
            }
        }
    }

    pub fn task_state(&self, task: &Task) -> TaskState {
        let now = task.goal.as_ref().and_then(|g| self.bench.run.result(g));
        match (self.bench.done.contains(&task.id), now) {
            (true, Some(result)) if !result.holds => TaskState::HeldEarlier,
            (true, _) => TaskState::Done,
            (false, _) => TaskState::Open,
        }
    }

    /// What the learner's own run says about a task.
    pub fn task_result(&self, task: &Task) -> Option<&GoalResult> {
        self.bench.run.result(task.goal.as_ref()?)
    }

    pub fn all_done(&self) -> bool {
        let steps = self.lesson.here().map_or(&[][..], |l| &l.steps);
        let mut tasks = steps.iter().flat_map(|s| &s.tasks).peekable();
        tasks.peek().is_some() && tasks.all(|t| self.bench.done.contains(&t.id))
    }

    pub fn verdict(&self, step: usize, prediction: &Prediction) -> Verdict {
        let Some(choice) = self.bench.predictions.get(&step) else { return Verdict::NotAnswered };
        // About a manifest the learner need not have written: the lab has run that one.
        if let (Some(settled), Some(chosen)) =
            (&prediction.settled, prediction.choices.get(*choice))
        {
            return Verdict::Told {
                right: settled.choice as usize == *choice,
                reply: chosen.reply.clone(),
                because: settled.because.clone(),
            };
        }
        if let Some(settled) = &prediction.settled {
            return told(prediction, *choice, settled.choice as usize, &settled.because);
        }
        let start = &self.bench.start_run;
        let result = |i: usize| {
            let goal = prediction.choices.get(i)?.right_when.as_ref()?;
            start.result(goal).filter(|r| r.holds)
        };
        let right = (0..prediction.choices.len()).find(|i| result(*i).is_some());
        let shown_at = right.and_then(result).and_then(|r| r.at).unwrap_or(start.timeline.now);
        if !start.ended() || self.bench.player.reached < shown_at.min(start.timeline.now) {
            return Verdict::Open;
        }
        let because = right.and_then(result).map_or(String::new(), |r| r.because.clone());
        told(prediction, *choice, right.unwrap_or(usize::MAX), &because)
    }

    /// Where playing waits for an answer: a second after the first container starts, so that the
    /// picture is alive and the outcome still open. None where nothing is asked.
    pub fn hold(&self) -> Option<SimTime> {
        let lesson = self.lesson.here()?;
        let prediction = lesson.steps.get(self.bench.step)?.prediction.as_ref()?;
        let answered = self.bench.predictions.contains_key(&self.bench.step);
        if prediction.settled.is_some() || answered || self.bench.hold_skipped {
            return None;
        }
        let events = &self.bench.run.timeline.events;
        let started = events.iter().find(|e| matches!(e.what, What::Started { .. }))?;
        let hold = started.at + SimTime::from_secs(1);
        (self.bench.player.cursor <= hold && self.bench.player.reached <= hold).then_some(hold)
    }
}
