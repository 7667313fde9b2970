//! awk's machine: runs instructions until input, output or a command is needed, and is resumed
//! with what came of it. Knows no files.

use super::code::*;
use super::record::{Patterns, Record};
use super::value::{Array, ArrayRef, Value, formatted};
use std::cell::RefCell;
use std::rc::Rc;

/// What the machine stopped for.
pub(super) enum Need {
    /// A line of the main input; resumed with [`Machine::got_line`].
    MainLine,
    /// A line of a file or a command; the same.
    Line {
        from: From,
        name: Vec<u8>,
    },
    /// Bytes to write; resumed by running on.
    Write {
        dest: Dest,
        name: Vec<u8>,
        data: Vec<u8>,
    },
    /// A command; resumed with [`Machine::push`] of its status.
    System(Vec<u8>),
    Close(Vec<u8>),
    Flush,
    /// So many steps were taken.
    Tick,
    Next,
    NextFile,
    Exit,
    End,
    /// A runtime error.
    Failed(String),
}

#[derive(Clone, Default)]
pub(super) enum Cell {
    #[default]
    Unset,
    Value(Value),
    /// `true` until it is known to be one: a parameter nobody has used yet.
    Array(ArrayRef, bool),
}

struct Frame {
    back: usize,
    base: usize,
    iterators: usize,
    stack: usize,
}

/// Calls in calls; more is an error instead of the end of memory.
const FRAMES_MAX: usize = 10_000;
/// Steps between two ticks of the virtual clock.
const STEPS_PER_TICK: u32 = 32;

pub(super) struct Machine {
    pub(super) code: Rc<Code>,
    pub(super) globals: Vec<Cell>,
    pub(super) record: Record,
    pub(super) patterns: Patterns,
    pub(super) exit_code: i32,
    pub(super) rng: u64,
    pub(super) seed: f64,
    pub(super) now_unix: i64,
    pub(super) at: usize,
    pub(super) stack: Vec<Value>,
    /// Arrays passed to the function being called, beside the stack's placeholders.
    arrays: Vec<(usize, ArrayRef, bool)>,
    locals: Vec<Cell>,
    frames: Vec<Frame>,
    pub(super) iterators: Vec<std::vec::IntoIter<Vec<u8>>>,
    pub(super) ranges: Vec<bool>,
    pub(super) count: f64,
    line_target: bool,
    line_from: From,
}

impl Machine {
    pub(super) fn new(code: Code) -> Machine {
        let mut machine = Machine {
            globals: vec![Cell::Unset; code.globals.len()],
            ranges: vec![false; code.n_ranges],
            code: Rc::new(code),
            record: Record::default(),
            patterns: Patterns::default(),
            exit_code: 0,
            rng: 1,
            seed: 1.0,
            now_unix: 0,
            at: 0,
            stack: Vec::new(),
            arrays: Vec::new(),
            locals: Vec::new(),
            frames: Vec::new(),
            iterators: Vec::new(),
            count: 0.0,
            line_target: false,
            line_from: From::Main,
        };
        let texts: [(usize, &[u8]); 7] = [
            (FS, b" "),
            (OFS, b" "),
            (ORS, b"\n"),
            (RS, b"\n"),
            (SUBSEP, b"\x1c"),
            (CONVFMT, b"%.6g"),
            (OFMT, b"%.6g"),
        ];
        for (slot, text) in texts {
            machine.globals[slot] = Cell::Value(Value::text(text));
        }
        machine
    }

    /// Begins at an entry with nothing on the stacks.
    pub(super) fn start(&mut self, entry: usize) {
        self.at = entry;
        self.stack.clear();
        self.arrays.clear();
        self.locals.clear();
        self.frames.clear();
        self.iterators.clear();
    }

    pub(super) fn special(&self, slot: usize) -> Rc<[u8]> {
        match &self.globals[slot] {
            Cell::Value(value) => value.bytes(b"%.6g"),
            _ => Rc::from(&b""[..]),
        }
    }

    pub(super) fn special_number(&self, slot: usize) -> f64 {
        match &self.globals[slot] {
            Cell::Value(value) => value.number(),
            _ => 0.0,
        }
    }

    pub(super) fn set_number(&mut self, slot: usize, n: f64) {
        self.globals[slot] = Cell::Value(Value::Number(n));
    }

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or_default()
    }

    pub(super) fn pop_bytes(&mut self) -> Rc<[u8]> {
        let convfmt = self.special(CONVFMT);
        self.pop().bytes(&convfmt)
    }

    pub(super) fn ignore_case(&self) -> bool {
        self.special_number(IGNORECASE) != 0.0
    }

    pub(super) fn cell(&mut self, at: Ref) -> &mut Cell {
        let base = self.frames.last().map_or(0, |frame| frame.base);
        let (cells, idx) = match at {
            Ref::Global(idx) => (&mut self.globals, idx),
            Ref::Local(idx) => (&mut self.locals, base + idx),
        };
        if cells.len() <= idx {
            cells.resize(idx + 1, Cell::Unset);
        }
        &mut cells[idx]
    }

    pub(super) fn array(&mut self, at: Ref) -> ArrayRef {
        let cell = self.cell(at);
        if !matches!(cell, Cell::Array(..)) {
            *cell = Cell::Array(ArrayRef::default(), false);
        }
        match cell {
            Cell::Array(array, maybe) => {
                *maybe = false;
                Rc::clone(array)
            }
            _ => ArrayRef::default(),
        }
    }

    pub(super) fn load(&mut self, at: Ref) -> Value {
        if at == Ref::Global(NF) {
            return Value::Number(self.n_fields() as f64);
        }
        match self.cell(at) {
            Cell::Value(value) => value.clone(),
            _ => Value::Unset,
        }
    }

    pub(super) fn store(&mut self, at: Ref, value: Value) {
        if at == Ref::Global(NF) {
            self.n_fields();
            self.record.set_count(value.number().max(0.0) as usize);
        }
        // The record that was read is still cut as it was read.
        if at == Ref::Global(FS) {
            self.n_fields();
        }
        *self.cell(at) = Cell::Value(value);
    }

    pub(super) fn n_fields(&mut self) -> usize {
        let separator = self.special(FS);
        let ignore_case = self.ignore_case();
        self.record.count(&separator, &mut self.patterns, ignore_case)
    }

    pub(super) fn whole(&mut self) -> Rc<[u8]> {
        let (joiner, convfmt) = (self.special(OFS), self.special(CONVFMT));
        self.record.whole(&joiner, &convfmt)
    }

    pub(super) fn field(&mut self, idx: f64) -> Result<Value, String> {
        if idx < 0.0 {
            return Err("Access to negative field".to_owned());
        }
        if idx < 1.0 {
            return Ok(Value::Input(self.whole()));
        }
        self.n_fields();
        Ok(self.record.field(idx as usize))
    }

    pub(super) fn set_field(&mut self, idx: f64, value: &Value) -> Result<(), String> {
        if idx < 0.0 {
            return Err("Access to negative field".to_owned());
        }
        if idx < 1.0 {
            let convfmt = self.special(CONVFMT);
            let text = value.bytes(&convfmt);
            self.record.set(&text);
            return Ok(());
        }
        self.n_fields();
        match self.record.set_field(idx as usize, value.clone()) {
            true => Ok(()),
            false => Err("Too many fields".to_owned()),
        }
    }

    /// What its variables and arrays keep, in bytes.
    pub(super) fn held(&self) -> u64 {
        self.globals.iter().map(Cell::bytes).sum()
    }

    /// Runs on until something is needed.
    pub(super) fn run(&mut self) -> Need {
        let code = Rc::clone(&self.code);
        for _ in 0..STEPS_PER_TICK {
            let Some(op) = code.ops.get(self.at) else { return Need::End };
            self.at += 1;
            match self.step(op) {
                Ok(None) => {}
                Ok(Some(need)) => return need,
                Err(message) => return Need::Failed(message),
            }
        }
        Need::Tick
    }

    fn step(&mut self, op: &Op) -> Result<Option<Need>, String> {
        match op {
            Op::Const(value) => self.push(value.clone()),
            Op::Load(at) => {
                let value = self.load(*at);
                self.push(value);
            }
            Op::Store(at) => {
                let value = self.stack.last().cloned().unwrap_or_default();
                self.store(*at, value);
            }
            Op::FieldLoad => {
                let idx = self.pop().number();
                let value = self.field(idx)?;
                self.push(value);
            }
            Op::FieldStore => {
                let value = self.pop();
                let idx = self.pop().number();
                self.set_field(idx, &value)?;
                self.push(value);
            }
            Op::Concat => {
                let right = self.pop_bytes();
                let left = self.pop_bytes();
                self.push(Value::Text(Rc::from([&left[..], &right[..]].concat())));
            }
            Op::Dup => {
                let value = self.stack.last().cloned().unwrap_or_default();
                self.push(value);
            }
            Op::Swap => {
                let (b, a) = (self.pop(), self.pop());
                self.push(b);
                self.push(a);
            }
            Op::Pop => drop(self.pop()),
            Op::Count => self.push(Value::Number(self.count)),
            Op::Print(..) | Op::Printf(..) => return Ok(Some(self.output(op))),
            Op::Getline(from, target) => return Ok(Some(self.getline(*from, *target))),
            Op::Next => return Ok(Some(Need::Next)),
            Op::NextFile => return Ok(Some(Need::NextFile)),
            Op::Exit(has_code) => {
                if *has_code {
                    self.exit_code = self.pop().number() as i64 as i32 & 0xff;
                }
                return Ok(Some(Need::Exit));
            }
            Op::End => return Ok(Some(Need::End)),
            Op::Builtin(name, n) => return self.builtin(name, *n),
            Op::Call(function, n) => self.call(*function, *n)?,
            Op::Return => self.end_call(),
            Op::LoadAny(at) => self.load_any(*at),
            _ => return self.operate(op).map(|()| None),
        }
        Ok(None)
    }

    pub(super) fn matches(&mut self, text: &[u8], pattern: &[u8]) -> Result<bool, String> {
        let ignore_case = self.ignore_case();
        let regex = self.patterns.get(pattern, ignore_case)?;
        regex.is_match(text).map_err(|_| "Memory exhausted".to_owned())
    }

    fn load_any(&mut self, at: Ref) {
        if at == Ref::Global(NF) {
            let value = self.load(at);
            return self.push(value);
        }
        let cell = self.cell(at);
        if matches!(cell, Cell::Unset) {
            *cell = Cell::Array(ArrayRef::new(RefCell::new(Array::default())), true);
        }
        match cell.clone() {
            Cell::Array(array, maybe) => {
                self.arrays.push((self.stack.len(), array, maybe));
                self.push(Value::Unset);
            }
            Cell::Value(value) => self.push(value),
            Cell::Unset => self.push(Value::Unset),
        }
    }

    fn call(&mut self, function: usize, n: usize) -> Result<(), String> {
        let code = Rc::clone(&self.code);
        let known = code.functions.get(function).filter(|function| function.entry.is_some());
        let Some(function) = known else {
            return Err("Call to undefined function".to_owned());
        };
        if self.frames.len() >= FRAMES_MAX {
            return Err("too many nested calls".to_owned());
        }
        let base = self.locals.len();
        let first = self.stack.len() - n.min(self.stack.len());
        for (i, value) in self.stack.drain(first..).enumerate() {
            let array = self.arrays.iter().position(|(at, ..)| *at == first + i);
            self.locals.push(match array {
                Some(found) => {
                    let (_, array, maybe) = self.arrays.remove(found);
                    Cell::Array(array, maybe)
                }
                None => Cell::Value(value),
            });
        }
        // Arguments too many were only evaluated.
        self.locals.resize(base + function.n_params, Cell::Unset);
        let frame =
            Frame { back: self.at, base, iterators: self.iterators.len(), stack: self.stack.len() };
        self.frames.push(frame);
        self.at = function.entry.unwrap_or(usize::MAX);
        Ok(())
    }

    fn end_call(&mut self) {
        let value = self.pop();
        let Some(frame) = self.frames.pop() else {
            self.at = usize::MAX;
            return;
        };
        self.locals.truncate(frame.base);
        self.iterators.truncate(frame.iterators);
        self.stack.truncate(frame.stack);
        self.at = frame.back;
        self.push(value);
    }

    fn output(&mut self, op: &Op) -> Need {
        let (Op::Print(dest, n) | Op::Printf(dest, n)) = op else { return Need::End };
        let name = match dest {
            Dest::Stdout => Vec::new(),
            _ => self.pop_bytes().to_vec(),
        };
        let mut values: Vec<Value> = (0..*n).map(|_| self.pop()).collect();
        values.reverse();
        let mut data = Vec::new();
        if let Op::Printf(..) = op {
            let convfmt = self.special(CONVFMT);
            let mut values = values.into_iter();
            let format = values.next().unwrap_or_default().bytes(&convfmt);
            formatted(&format, || values.next().unwrap_or_default(), &convfmt, &mut data);
        } else {
            if values.is_empty() {
                values.push(Value::Input(self.whole()));
            }
            let (ofmt, ofs) = (self.special(OFMT), self.special(OFS));
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    data.extend_from_slice(&ofs);
                }
                data.extend_from_slice(&value.bytes(&ofmt));
            }
            data.extend_from_slice(&self.special(ORS));
        }
        Need::Write { dest: *dest, name, data }
    }

    fn getline(&mut self, from: From, target: bool) -> Need {
        self.line_target = target;
        self.line_from = from;
        match from {
            From::Main => Need::MainLine,
            from => Need::Line { from, name: self.pop_bytes().to_vec() },
        }
    }

    /// Resumes a `getline`: a line, the end (`Ok(None)`), or a failure.
    pub(super) fn got_line(&mut self, line: Result<Option<Vec<u8>>, ()>) {
        self.count = match &line {
            Ok(Some(_)) => 1.0,
            Ok(None) => 0.0,
            Err(()) => -1.0,
        };
        let found = line.ok().flatten();
        if found.is_some() && self.line_from != From::File {
            let nr = self.special_number(NR);
            self.set_number(NR, nr + 1.0);
            if self.line_from == From::Main {
                let fnr = self.special_number(FNR);
                self.set_number(FNR, fnr + 1.0);
            }
        }
        if self.line_target {
            let has = found.is_some();
            self.push(Value::input(&found.unwrap_or_default()));
            self.push(Value::flag(has));
        } else {
            if let Some(line) = found {
                self.record.set(&line);
            }
            self.push(Value::Number(self.count));
        }
    }
}
