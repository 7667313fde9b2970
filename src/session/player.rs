//! The cursor on the virtual clock: playing, speed, steps. Real time comes in as an argument.

use crate::time::SimTime;

/// Simulated seconds in one real second.
pub const SPEEDS: [u32; 4] = [1, 5, 20, 60];

/// A frame longer than this (a hidden tab, a slow phone) counts as this long, in milliseconds.
const FRAME_MAX_MS: f64 = 100.0;

#[derive(Clone, Debug, PartialEq)]
pub struct Player {
    pub cursor: SimTime,
    pub playing: bool,
    pub speed: u32,
    /// The farthest instant that was on the screen in this run.
    pub reached: SimTime,
}

impl Default for Player {
    fn default() -> Player {
        Player { cursor: SimTime::ZERO, playing: false, speed: 5, reached: SimTime::ZERO }
    }
}

impl Player {
    /// One frame: moves a playing cursor on by `dt_ms` of real time, at most to `limit`, the
    /// instant simulated so far. Where the run ends there, playing ends too. True when it moved.
    pub fn tick(&mut self, dt_ms: f64, limit: SimTime, ended: bool) -> bool {
        if !self.playing {
            return false;
        }
        let dt_ms = dt_ms.clamp(0.0, FRAME_MAX_MS);
        let step = SimTime((dt_ms * 1000.0 * f64::from(self.speed)) as u64);
        let before = self.cursor;
        self.seek(self.cursor + step, limit);
        if self.cursor >= limit && ended {
            self.playing = false;
        }
        self.cursor != before || !self.playing
    }

    pub fn seek(&mut self, to: SimTime, limit: SimTime) {
        self.cursor = to.min(limit);
        self.reached = self.reached.max(self.cursor);
    }

    /// Starts or stops; from the end of a run it starts again at its beginning.
    pub fn toggle(&mut self, limit: SimTime, ended: bool) {
        self.playing = !self.playing;
        if self.playing && ended && self.cursor >= limit {
            self.cursor = SimTime::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(speed: u32, frames: &[f64], limit_secs: u64, ended: bool) -> (u64, bool) {
        let mut player = Player { playing: true, speed, ..Player::default() };
        for dt in frames {
            player.tick(*dt, SimTime::from_secs(limit_secs), ended);
        }
        (player.cursor.as_millis(), player.playing)
    }

    #[test]
    fn frames_move_the_cursor() {
        assert_eq!(after(1, &[16.0, 16.0], 10, true), (32, true));
        assert_eq!(after(60, &[50.0], 10, true), (3000, true));
        assert_eq!(after(1, &[60_000.0], 10, true), (100, true), "a hidden tab does not jump");
        assert_eq!(after(60, &[100.0; 4], 10, true), (10_000, false), "stops where the run ends");
        assert_eq!(after(60, &[100.0; 4], 10, false), (10_000, true), "waits for what comes");
    }

    #[test]
    fn play_at_the_end_starts_again() {
        let limit = SimTime::from_secs(5);
        let mut player = Player::default();
        player.seek(SimTime::from_secs(9), limit);
        assert_eq!(player.cursor, limit);
        player.toggle(limit, true);
        assert_eq!((player.cursor, player.playing), (SimTime::ZERO, true));
        assert_eq!(player.reached, limit, "what was seen stays seen");
    }
}
