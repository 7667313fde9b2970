//! A run on the page: its timeline as far as it has come, its lanes, what was judged of it, and
//! everything as it was at the cursor.

use super::lanes::Lanes;
use crate::lesson::{Goal, GoalResult};
use crate::protocol::Revision;
use crate::time::SimTime;
use crate::trace::{End, Event, Snapshot, Timeline};

#[derive(Clone, Debug, Default)]
pub struct Run {
    pub revision: Revision,
    /// The text it was simulated from; its events' spans are of this text.
    pub text: String,
    pub timeline: Timeline,
    pub lanes: Lanes,
    pub results: Vec<GoalResult>,
    shown: Snapshot,
    /// How many events `shown` has folded in.
    upto: usize,
}

impl Run {
    pub fn new(revision: Revision, text: String) -> Run {
        Run { revision, text, ..Run::default() }
    }

    pub fn extend(&mut self, events: Vec<Event>, now: SimTime, end: Option<End>) {
        events.iter().for_each(|e| self.lanes.push(e));
        self.timeline.extend(events, now);
        if end.is_some() {
            self.timeline.end = end;
        }
    }

    pub fn ended(&self) -> bool {
        self.timeline.end.is_some()
    }

    pub fn result(&self, goal: &Goal) -> Option<&GoalResult> {
        self.results.iter().find(|r| r.goal == *goal)
    }

    /// Everything at the instant last shown.
    pub fn shown(&self) -> &Snapshot {
        &self.shown
    }

    /// The events up to the instant last shown.
    pub fn past(&self) -> &[Event] {
        self.timeline.events.get(..self.upto).unwrap_or(&[])
    }

    /// Moves what is shown to an instant; true where something other than the clock changed.
    pub fn show(&mut self, at: SimTime) -> bool {
        let n = self.timeline.upto(at);
        let before = self.upto;
        if n < before {
            self.shown = self.timeline.at(at);
        } else {
            for event in self.timeline.events.get(before..n).unwrap_or(&[]) {
                self.shown.apply(event);
            }
        }
        self.shown.at = at;
        self.upto = n;
        n != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    #[test]
    fn going_on_and_going_back_show_the_same() {
        let mut run = Run::default();
        run.extend(fixture::events(), SimTime::from_secs(60), Some(End::Horizon));
        for secs in [0, 5, 60, 3, 21, 20, 59, 1] {
            let at = SimTime::from_secs(secs);
            run.show(at);
            assert_eq!(run.shown(), &run.timeline.at(at), "at {secs} s");
        }
        assert!(!run.show(SimTime::from_millis(1500)), "only the clock moved");
    }
}
