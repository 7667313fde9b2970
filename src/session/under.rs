//! The event that lies under the cursor line: lit in list, log, lanes, stage and manifest at once.
//! The cursor itself is `player`'s.

use super::{Effect, Part, Pick, Session};
use crate::time::SimTime;
use crate::trace::{Event, What};

/// Books kept by the way; nothing anybody did.
fn is_figure(event: &Event) -> bool {
    matches!(event.what, What::Usage { .. } | What::Condition { .. } | What::Phase { .. })
}

impl Session {
    /// Lights up what lies under the cursor line that was put there by hand; a story that is open
    /// goes along with it.
    pub(super) fn light(&mut self, out: &mut Vec<Effect>) {
        let bench = &mut self.bench;
        let under = match bench.player.playing {
            true => None,
            false => bench.run.past().iter().rev().find(|e| !is_figure(e)).map(|e| e.id),
        };
        if under == bench.under {
            return;
        }
        bench.under = under;
        if let (Some(Pick::Event(id)), Some(under)) = (&mut bench.pick, under) {
            *id = under;
        }
        self.touch(Part::Pick);
        out.push(Effect::EditorMark(self.bench.picked_span()));
    }

    /// The cursor goes on by itself, or over another run.
    pub(super) fn unlight(&mut self, out: &mut Vec<Effect>) {
        if self.bench.under.take().is_some() {
            self.touch(Part::Pick);
            out.push(Effect::EditorMark(self.bench.picked_span()));
        }
    }

    /// To the nearest instant before or after at which something happens; to that event's story.
    pub(super) fn step_event(&mut self, forward: bool, out: &mut Vec<Effect>) {
        let bench = &self.bench;
        let (cursor, events) = (bench.player.cursor, &bench.run.timeline.events);
        let found = if forward {
            events.get(bench.run.timeline.upto(cursor))
        } else {
            let n = events.partition_point(|e| e.at < cursor);
            n.checked_sub(1).and_then(|i| events.get(i))
        };
        match found.map(|e| (e.at, e.id)) {
            Some((at, id)) => {
                self.show(at, false);
                self.bench.pick = Some(Pick::Event(id));
                self.touch(Part::Pick);
                out.push(Effect::EditorMark(self.bench.picked_span()));
            }
            None if forward => self.show(self.bench.run.timeline.now, false),
            None => self.show(SimTime::ZERO, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Msg;
    use crate::session::tests::{opened, run};

    #[test]
    fn steps_go_from_event_to_event() {
        let mut session = opened();
        run(&mut session, vec![]);
        session.update(Msg::Seek(SimTime::from_secs(10)));
        session.update(Msg::StepEvent(true));
        assert_eq!(session.bench.player.cursor, SimTime::from_secs(11));
        session.update(Msg::StepEvent(false));
        session.update(Msg::StepEvent(false));
        assert_eq!(session.bench.player.cursor, SimTime::from_secs(9));
        assert!(matches!(session.bench.pick, Some(Pick::Event(_))));
    }

    #[test]
    fn what_lies_under_the_cursor_line_is_looked_at_until_it_plays_on() {
        let mut session = opened();
        run(&mut session, vec![]);
        let marks = |effects: &[Effect]| {
            effects.iter().filter(|e| matches!(e, Effect::EditorMark(_))).count()
        };
        session.update(Msg::Pause);
        let effects = session.update(Msg::Seek(SimTime::from_secs(10)));
        assert_eq!(marks(&effects), 1);
        let under = session.bench.picked().map(|e| e.at);
        assert!(under.is_some_and(|at| at <= SimTime::from_secs(10)), "{under:?}");
        assert_eq!(session.bench.pick, None, "no story is opened by it");
        let effects = session.update(Msg::Seek(SimTime::from_secs(10)));
        assert_eq!(marks(&effects), 0, "nothing new lies there");
        session.update(Msg::StepEvent(true));
        session.update(Msg::Seek(SimTime::from_secs(31)));
        let followed = session.bench.picked().map(|e| Pick::Event(e.id));
        assert_eq!(session.bench.pick, followed, "an open story goes along");
        session.update(Msg::Pick(None));
        let effects = session.update(Msg::PlayPause);
        assert_eq!(marks(&effects), 1);
        assert_eq!(session.bench.picked(), None);
    }
}
