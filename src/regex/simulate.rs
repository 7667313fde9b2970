//! The matcher without back-references: all threads at once, one text position after the other.
//! The whole match is the longest; which of several ways to it counts for the groups is the first
//! tried, as in glibc (POSIX would have the leftmost groups as long as can be).

use super::program::{Inst, Program, UNSET};
use super::{STEPS_MAX, TooManySteps};

/// Threads of one position: each instruction at most once, with its slots.
struct Threads {
    order: Vec<usize>,
    present: Vec<bool>,
    slots: Vec<usize>,
}

impl Threads {
    fn new(program: &Program, n_slots: usize) -> Threads {
        let n = program.insts.len();
        Threads { order: Vec::new(), present: vec![false; n], slots: vec![UNSET; n * n_slots] }
    }

    fn clear(&mut self) {
        for &at in &self.order {
            self.present[at] = false;
        }
        self.order.clear();
    }
}

struct Run<'a> {
    program: &'a Program,
    text: &'a [u8],
    n_slots: usize,
    steps: usize,
    best: Option<Vec<usize>>,
    scratch: Vec<usize>,
    stack: Vec<Frame>,
}

enum Frame {
    Visit(usize),
    Restore(usize, usize),
}

/// The best match at `from` or later as slots; `any` is content with the first one it sees.
pub(super) fn find(
    program: &Program,
    text: &[u8],
    from: usize,
    any: bool,
) -> Result<Option<Vec<usize>>, TooManySteps> {
    let n_slots = if any { 2 } else { 2 * (program.n_groups + 1) };
    let mut now = Threads::new(program, n_slots);
    let mut next = Threads::new(program, n_slots);
    let mut run = Run {
        program,
        text,
        n_slots,
        steps: 0,
        best: None,
        scratch: vec![UNSET; n_slots],
        stack: Vec::new(),
    };
    let mut at = from;
    loop {
        if now.order.is_empty() {
            if run.best.is_some() || (program.anchored && at > 0) {
                break;
            }
            match program.next_start(text, at) {
                Some(start) => at = start,
                None => break,
            }
        }
        if run.best.is_none() && !(program.anchored && at > 0) {
            run.scratch.fill(UNSET);
            run.scratch[0] = at;
            run.add(&mut now, 0, at)?;
        }
        if any && run.best.is_some() {
            break;
        }
        let Some(&byte) = text.get(at) else { break };
        run.step(&mut now, &mut next, byte, at + 1)?;
        now.clear();
        std::mem::swap(&mut now, &mut next);
        at += 1;
    }
    Ok(run.best)
}

impl Run<'_> {
    fn step(
        &mut self,
        now: &mut Threads,
        next: &mut Threads,
        byte: u8,
        to: usize,
    ) -> Result<(), TooManySteps> {
        for i in 0..now.order.len() {
            let at = now.order[i];
            let takes = match &self.program.insts[at] {
                Inst::Byte(b) => *b == byte,
                Inst::Set(set) => set.contains(byte),
                _ => false,
            };
            self.steps += 1;
            if takes {
                let from = at * self.n_slots;
                self.scratch.copy_from_slice(&now.slots[from..from + self.n_slots]);
                self.add(next, at + 1, to)?;
            }
        }
        Ok(())
    }

    /// Puts a thread with the scratch slots at `inst`, following what consumes nothing.
    fn add(&mut self, list: &mut Threads, inst: usize, pos: usize) -> Result<(), TooManySteps> {
        self.stack.push(Frame::Visit(inst));
        while let Some(frame) = self.stack.pop() {
            match frame {
                Frame::Restore(slot, value) => self.scratch[slot] = value,
                Frame::Visit(at) => {
                    self.steps += 1;
                    if self.steps > STEPS_MAX {
                        return Err(TooManySteps);
                    }
                    if self.settle(list, at) {
                        self.follow(at, pos);
                    }
                }
            }
        }
        Ok(())
    }

    /// Records the thread unless one tried earlier is there already.
    fn settle(&mut self, list: &mut Threads, at: usize) -> bool {
        if std::mem::replace(&mut list.present[at], true) {
            return false;
        }
        list.order.push(at);
        let from = at * self.n_slots;
        list.slots[from..from + self.n_slots].copy_from_slice(&self.scratch);
        true
    }

    fn follow(&mut self, at: usize, pos: usize) {
        match &self.program.insts[at] {
            Inst::Split(a, b) => self.stack.extend([Frame::Visit(*b), Frame::Visit(*a)]),
            Inst::Jump(to) => self.stack.push(Frame::Visit(*to)),
            Inst::Place(place) => {
                if self.program.holds(*place, self.text, pos) {
                    self.stack.push(Frame::Visit(at + 1));
                }
            }
            Inst::Save(slot) => {
                if let Some(value) = self.scratch.get_mut(*slot) {
                    let old = std::mem::replace(value, pos);
                    self.stack.push(Frame::Restore(*slot, old));
                }
                self.stack.push(Frame::Visit(at + 1));
            }
            Inst::Progress(_) => self.stack.push(Frame::Visit(at + 1)),
            Inst::Match => {
                let mut found = self.scratch.clone();
                found[1] = pos;
                if self.best.as_ref().is_none_or(|best| better(&found, best)) {
                    self.best = Some(found);
                }
            }
            Inst::Byte(_) | Inst::Set(_) | Inst::Backref(_) => {}
        }
    }
}

/// Further left counts first, then longer; of two equal ones the first way tried stays.
pub(super) fn better(new: &[usize], old: &[usize]) -> bool {
    new[0] < old[0] || (new[0] == old[0] && new[1] > old[1])
}
