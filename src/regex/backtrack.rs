//! The matcher for patterns with back-references: tries every way, keeps the longest, counts steps.

use super::program::{Inst, Program, UNSET};
use super::simulate::better;
use super::{STEPS_MAX, TooManySteps};

enum Frame {
    Try(usize, usize),
    Restore(usize, usize),
}

/// The best match at `from` or later, as slots.
pub(super) fn find(
    program: &Program,
    text: &[u8],
    from: usize,
) -> Result<Option<Vec<usize>>, TooManySteps> {
    let mut run = Run { program, text, steps: 0, slots: Vec::new(), best: None };
    let mut at = from;
    while let Some(start) = program.next_start(text, at) {
        if program.anchored && start > 0 {
            break;
        }
        run.from(start)?;
        if run.best.is_some() {
            break;
        }
        at = start + 1;
    }
    Ok(run.best)
}

struct Run<'a> {
    program: &'a Program,
    text: &'a [u8],
    steps: usize,
    slots: Vec<usize>,
    best: Option<Vec<usize>>,
}

impl Run<'_> {
    fn from(&mut self, start: usize) -> Result<(), TooManySteps> {
        self.slots = vec![UNSET; self.program.n_slots];
        self.slots[0] = start;
        let mut stack = vec![Frame::Try(0, start)];
        while let Some(frame) = stack.pop() {
            match frame {
                Frame::Restore(slot, value) => self.slots[slot] = value,
                Frame::Try(mut inst, mut at) => {
                    while let Some((next, pos)) = self.step(inst, at, &mut stack)? {
                        (inst, at) = (next, pos);
                    }
                }
            }
        }
        Ok(())
    }

    /// One instruction: where to go on, or nothing when this way ends.
    fn step(
        &mut self,
        inst: usize,
        at: usize,
        stack: &mut Vec<Frame>,
    ) -> Result<Option<(usize, usize)>, TooManySteps> {
        self.steps += 1;
        if self.steps > STEPS_MAX / 4 {
            return Err(TooManySteps);
        }
        let byte = self.text.get(at).copied();
        Ok(match &self.program.insts[inst] {
            Inst::Byte(b) => (byte == Some(*b)).then_some((inst + 1, at + 1)),
            Inst::Set(set) => byte.is_some_and(|b| set.contains(b)).then_some((inst + 1, at + 1)),
            Inst::Place(place) => {
                self.program.holds(*place, self.text, at).then_some((inst + 1, at))
            }
            Inst::Split(a, b) => {
                stack.push(Frame::Try(*b, at));
                Some((*a, at))
            }
            Inst::Jump(to) => Some((*to, at)),
            Inst::Save(slot) => {
                stack.push(Frame::Restore(*slot, self.slots[*slot]));
                self.slots[*slot] = at;
                Some((inst + 1, at))
            }
            Inst::Progress(slot) => (self.slots[*slot] != at).then_some((inst + 1, at)),
            Inst::Backref(idx) => self.backref(*idx, at).map(|end| (inst + 1, end)),
            Inst::Match => {
                let mut found = self.slots[..2 * (self.program.n_groups + 1)].to_vec();
                found[1] = at;
                if self.best.as_ref().is_none_or(|best| better(&found, best)) {
                    self.best = Some(found);
                }
                None
            }
        })
    }

    fn backref(&self, idx: usize, at: usize) -> Option<usize> {
        let (start, end) = (self.slots[2 * idx], self.slots[2 * idx + 1]);
        let before = self.text.get(start..end)?;
        let here = self.text.get(at..at + before.len())?;
        let same = match self.program.ignore_case {
            true => here.eq_ignore_ascii_case(before),
            false => here == before,
        };
        same.then_some(at + before.len())
    }
}
