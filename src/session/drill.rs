//! A drill's clock: counts up while a learner works, beside the minutes the drill is made for. It
//! starts with the first edit, can be stopped and ends with the last task; nothing depends on it.

use super::{Part, Session};
use crate::lesson::Kind;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drill {
    /// Time worked, in milliseconds.
    pub spent_ms: f64,
    pub state: Ticking,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ticking {
    /// Until the first edit.
    #[default]
    NotYet,
    Runs,
    Stopped,
}

impl Session {
    pub fn is_drill(&self) -> bool {
        self.lesson.here().is_some_and(|l| l.card.kind == Kind::Drill)
    }

    /// (worked, meant to take) in seconds; None outside a drill.
    pub fn drill_secs(&self) -> Option<(u64, u64)> {
        let lesson = self.lesson.here().filter(|_| self.is_drill())?;
        Some(((self.bench.drill.spent_ms / 1000.0) as u64, u64::from(lesson.card.minutes) * 60))
    }

    /// The text was edited: the clock starts where it has not been yet.
    pub(super) fn drill_begins(&mut self) {
        if self.is_drill() && self.bench.drill.state == Ticking::NotYet {
            self.drill_becomes(Ticking::Runs);
        }
    }

    pub(super) fn drill_becomes(&mut self, state: Ticking) {
        self.bench.drill.state = state;
        self.touch(Part::Player);
    }

    pub(super) fn drill_tick(&mut self, elapsed_ms: f64) {
        if self.bench.drill.state != Ticking::Runs {
            return;
        }
        match self.all_done() {
            true => self.drill_becomes(Ticking::Stopped),
            false => {
                self.bench.drill.spent_ms += elapsed_ms;
                self.touch(Part::Player);
            }
        }
    }
}
