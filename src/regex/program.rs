//! The tree as a list of instructions, for both matchers.

use super::class::{ByteSet, is_word};
use super::parse::{Error, Node, Place};
use super::{Flavor, Options};

/// A slot no group has written.
pub(super) const UNSET: usize = usize::MAX;
/// More instructions are refused as too big: `(x{1,999}){1,999}` would fill memory.
const INSTRUCTIONS_MAX: usize = 20_000;

#[derive(Clone, Debug)]
pub(super) enum Inst {
    Byte(u8),
    Set(Box<ByteSet>),
    Place(Place),
    /// Try the first way, then the second.
    Split(usize, usize),
    Jump(usize),
    /// Writes the position into a slot: `2 * group` opens, `2 * group + 1` closes.
    Save(usize),
    Backref(usize),
    /// Fails when nothing was consumed since the slot was saved: ends loops over nothing.
    Progress(usize),
    Match,
}

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) insts: Vec<Inst>,
    pub(super) n_groups: usize,
    /// Two for each group and the whole match, then one for each loop that may consume nothing.
    pub(super) n_slots: usize,
    pub(super) has_backrefs: bool,
    /// The pattern is just these bytes.
    pub(super) literal: Option<Vec<u8>>,
    /// A match can only begin with one of these; none if it may be empty.
    pub(super) first: Option<Box<ByteSet>>,
    /// A match can only begin at a text's start.
    pub(super) anchored: bool,
    pub(super) newline: bool,
    pub(super) ignore_case: bool,
}

pub(super) fn compile(node: &Node, n_groups: usize, options: Options) -> Result<Program, Error> {
    let mut emitter = Emitter {
        insts: Vec::new(),
        n_slots: 2 * (n_groups + 1),
        has_backrefs: false,
        ignore_case: options.ignore_case,
    };
    emitter.node(node)?;
    emitter.push(Inst::Match)?;
    let literal = match node {
        _ if options.ignore_case => None,
        Node::Byte(byte) => Some(vec![*byte]),
        Node::Cat(parts) => parts.iter().map(byte_of).collect(),
        _ => None,
    };
    debug_assert!(options.flavor != Flavor::Fixed || literal.is_some() || options.ignore_case);
    let mut program = Program {
        insts: emitter.insts,
        n_groups,
        n_slots: emitter.n_slots,
        has_backrefs: emitter.has_backrefs,
        literal,
        first: None,
        anchored: false,
        newline: options.newline,
        ignore_case: options.ignore_case,
    };
    program.anchored = !options.newline && starts_anchored(node);
    program.first = first_bytes(&program.insts);
    Ok(program)
}

fn byte_of(node: &Node) -> Option<u8> {
    match node {
        Node::Byte(byte) => Some(*byte),
        _ => None,
    }
}

fn starts_anchored(node: &Node) -> bool {
    match node {
        Node::Place(Place::LineStart | Place::TextStart) => true,
        Node::Group(_, inner) => starts_anchored(inner),
        Node::Cat(parts) => parts.first().is_some_and(starts_anchored),
        Node::Alt(branches) => branches.iter().all(starts_anchored),
        _ => false,
    }
}

/// Bytes a match can begin with; `None` when it can be empty or begin with a back-reference.
fn first_bytes(insts: &[Inst]) -> Option<Box<ByteSet>> {
    let mut first = ByteSet::new();
    let mut seen = vec![false; insts.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        if std::mem::replace(seen.get_mut(at)?, true) {
            continue;
        }
        match insts.get(at)? {
            Inst::Byte(byte) => first.insert(*byte),
            Inst::Set(set) => first.union(set),
            Inst::Split(a, b) => open.extend([*a, *b]),
            Inst::Jump(to) => open.push(*to),
            Inst::Place(_) | Inst::Save(_) | Inst::Progress(_) => open.push(at + 1),
            Inst::Backref(_) | Inst::Match => return None,
        }
    }
    Some(Box::new(first))
}

struct Emitter {
    insts: Vec<Inst>,
    n_slots: usize,
    has_backrefs: bool,
    ignore_case: bool,
}

impl Emitter {
    fn push(&mut self, inst: Inst) -> Result<usize, Error> {
        if self.insts.len() >= INSTRUCTIONS_MAX {
            return Err(Error::TooBig);
        }
        self.insts.push(inst);
        Ok(self.insts.len() - 1)
    }

    fn patch(&mut self, at: usize, inst: Inst) {
        if let Some(place) = self.insts.get_mut(at) {
            *place = inst;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Byte(byte) => self.byte(*byte)?,
            Node::Set(set) => {
                self.push(Inst::Set(set.clone()))?;
            }
            Node::Place(place) => {
                self.push(Inst::Place(*place))?;
            }
            Node::Group(idx, inner) => {
                self.push(Inst::Save(2 * idx))?;
                self.node(inner)?;
                self.push(Inst::Save(2 * idx + 1))?;
            }
            Node::Cat(parts) => {
                for part in parts {
                    self.node(part)?;
                }
            }
            Node::Alt(branches) => self.alternatives(branches)?,
            Node::Repeat { node, min, max } => self.repeat(node, *min, *max)?,
            Node::Backref(idx) => {
                self.has_backrefs = true;
                self.push(Inst::Backref(*idx))?;
            }
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) -> Result<(), Error> {
        if self.ignore_case && byte.is_ascii_alphabetic() {
            let mut set = ByteSet::new();
            set.insert(byte);
            set.fold_case();
            self.push(Inst::Set(Box::new(set)))?;
        } else {
            self.push(Inst::Byte(byte))?;
        }
        Ok(())
    }

    fn alternatives(&mut self, branches: &[Node]) -> Result<(), Error> {
        let mut exits = Vec::new();
        for (i, branch) in branches.iter().enumerate() {
            if i + 1 == branches.len() {
                self.node(branch)?;
                break;
            }
            let split = self.push(Inst::Jump(0))?;
            self.node(branch)?;
            exits.push(self.push(Inst::Jump(0))?);
            self.patch(split, Inst::Split(split + 1, self.insts.len()));
        }
        let end = self.insts.len();
        for exit in exits {
            self.patch(exit, Inst::Jump(end));
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>) -> Result<(), Error> {
        if max == Some(0) {
            return Ok(());
        }
        for _ in 0..min {
            self.node(node)?;
        }
        let Some(max) = max else { return self.star(node) };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push(self.push(Inst::Jump(0))?);
            self.node(node)?;
        }
        let end = self.insts.len();
        for split in splits {
            self.patch(split, Inst::Split(split + 1, end));
        }
        Ok(())
    }

    fn star(&mut self, node: &Node) -> Result<(), Error> {
        let split = self.push(Inst::Jump(0))?;
        let mark = nullable(node).then_some(self.n_slots);
        if let Some(slot) = mark {
            self.n_slots += 1;
            self.push(Inst::Save(slot))?;
        }
        self.node(node)?;
        if let Some(slot) = mark {
            self.push(Inst::Progress(slot))?;
        }
        self.push(Inst::Jump(split))?;
        self.patch(split, Inst::Split(split + 1, self.insts.len()));
        Ok(())
    }
}

fn nullable(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Place(_) | Node::Backref(_) => true,
        Node::Byte(_) | Node::Set(_) => false,
        Node::Group(_, inner) => nullable(inner),
        Node::Cat(parts) => parts.iter().all(nullable),
        Node::Alt(branches) => branches.iter().any(nullable),
        Node::Repeat { node, min, .. } => *min == 0 || nullable(node),
    }
}

impl Program {
    /// Whether a place holds at `at`.
    pub(super) fn holds(&self, place: Place, text: &[u8], at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|i| text.get(i)).copied();
        let after = text.get(at).copied();
        let word_before = before.is_some_and(is_word);
        let word_after = after.is_some_and(is_word);
        match place {
            Place::TextStart => before.is_none(),
            Place::TextEnd => after.is_none(),
            Place::LineStart => before.is_none() || (self.newline && before == Some(b'\n')),
            Place::LineEnd => after.is_none() || (self.newline && after == Some(b'\n')),
            Place::WordStart => !word_before && word_after,
            Place::WordEnd => word_before && !word_after,
            Place::WordEdge => word_before != word_after,
            Place::NotWordEdge => word_before == word_after,
        }
    }

    /// The next position from `at` at which a match could begin.
    pub(super) fn next_start(&self, text: &[u8], at: usize) -> Option<usize> {
        match &self.first {
            Some(first) => {
                text.get(at..)?.iter().position(|&b| first.contains(b)).map(|skip| at + skip)
            }
            None => (at <= text.len()).then_some(at),
        }
    }
}
