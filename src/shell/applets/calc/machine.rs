//! bc's machine: variables, arrays, calls. Runs some steps at a time and says what it needs.

use super::maths;
use super::number::{DIGITS_MAX, Num};
use super::ops::{Func, Funcs, Op, Param, Place};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

type Array = Rc<RefCell<BTreeMap<u64, Num>>>;

#[derive(Default)]
pub(super) struct Machine {
    vars: BTreeMap<String, Num>,
    arrays: BTreeMap<String, Array>,
    pub(super) funcs: Funcs,
    /// Values; a function that gives none leaves None.
    stack: Vec<Option<Num>>,
    frames: Vec<Frame>,
    pub(super) scale: usize,
    ibase: u32,
    obase: u32,
    last: Num,
    /// Whether the functions of `-l` are there.
    pub(super) maths: bool,
    pub(super) out: String,
    /// Characters of an output line.
    line: usize,
    code: Rc<Vec<Op>>,
    at: usize,
}

struct Frame {
    code: Rc<Vec<Op>>,
    at: usize,
    vars: Vec<(String, Option<Num>)>,
    arrays: Vec<(String, Option<Array>)>,
    stack: usize,
    void: bool,
}

pub(super) enum Status {
    /// The steps are used up.
    More,
    Done,
    /// A number is to be read, and given to `got`.
    Read,
    Halt,
    Failed(String),
}

/// Calls in calls; more is an error instead of the end of memory.
const FRAMES_MAX: usize = 2_000;
/// Elements of all arrays.
const ELEMENTS_MAX: usize = 1 << 20;

type Ran<T> = Result<T, String>;

fn fail<T>(text: &str) -> Ran<T> {
    Err(text.to_owned())
}

/// A result, where it is not too long to go on with.
pub(super) fn bounded(found: Option<Num>) -> Ran<Num> {
    let found = found.filter(|num| num.n_digits() <= DIGITS_MAX && num.scale <= DIGITS_MAX);
    found.ok_or_else(|| format!("a number of more than {DIGITS_MAX} digits"))
}

/// A binary operation as bc and dc both do it.
pub(super) fn compute(op: &str, a: &Num, b: &Num, scale: usize) -> Ran<Num> {
    if a.n_digits() + b.n_digits() + scale > 2 * DIGITS_MAX {
        return bounded(None);
    }
    let zero = || "divide by zero".to_owned();
    let found = match op {
        "+" => a.plus(b),
        "-" => a.minus(b),
        "*" => a.times(b, scale),
        "/" => a.over(b, scale).ok_or_else(zero)?,
        "%" => a.rest(b, scale).ok_or_else(zero)?,
        _ if !b.is_whole() => return fail("not an integer"),
        _ if a.is_zero() && b.is_negative() => Num::default(),
        _ => bounded(b.whole().and_then(|n| a.power(n, scale)))?,
    };
    bounded(Some(found))
}

impl Machine {
    pub(super) fn new(maths: bool, line: usize) -> Machine {
        let scale = if maths { 20 } else { 0 };
        Machine { ibase: 10, obase: 10, scale, maths, line, ..Machine::default() }
    }

    pub(super) fn start(&mut self, code: Vec<Op>) {
        (self.code, self.at) = (Rc::new(code), 0);
        self.stack.clear();
    }

    pub(super) fn got(&mut self, text: &str) {
        let (neg, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let num = Num::parse(digits, self.ibase);
        self.stack.push(Some(if neg { num.negated() } else { num }));
    }

    pub(super) fn run(&mut self, n_steps: u32) -> Status {
        for _ in 0..n_steps {
            let code = Rc::clone(&self.code);
            let Some(op) = code.get(self.at) else {
                if self.frames.is_empty() {
                    return Status::Done;
                }
                // A function that ends without `return` gives zero.
                self.leave(Some(Num::default()));
                continue;
            };
            self.at += 1;
            match op {
                Op::Read => return Status::Read,
                Op::Halt => return Status::Halt,
                _ => {}
            }
            if let Err(why) = self.step(op) {
                self.frames.clear();
                return Status::Failed(why);
            }
        }
        Status::More
    }

    fn pop(&mut self) -> Num {
        self.stack.pop().flatten().unwrap_or_default()
    }

    fn push(&mut self, num: Num) {
        self.stack.push(Some(num));
    }

    fn step(&mut self, op: &Op) -> Ran<()> {
        match op {
            Op::Lit(text) => self.push(Num::parse(text, self.ibase)),
            Op::Load(place) => {
                let index = self.index(place)?;
                let value = self.load(place, index);
                self.push(value);
            }
            Op::Store(place, with) => self.assign(place, *with)?,
            Op::Step(place, by, old) => {
                let index = self.index(place)?;
                let before = self.load(place, index);
                let after = before.plus(&Num::from(*by));
                self.store(place, index, after.clone())?;
                self.push(if *old { before } else { after });
            }
            Op::Bin(op) => self.binary(op)?,
            Op::Jump(to) => self.at = *to,
            Op::JumpUnless(to) => {
                if self.pop().is_zero() {
                    self.at = *to;
                }
            }
            Op::Pop => drop(self.stack.pop()),
            Op::Print | Op::PrintValue => {
                let Some(value) = self.stack.pop().flatten() else { return Ok(()) };
                self.out.push_str(&value.show(self.obase, self.line));
                if matches!(op, Op::Print) {
                    self.out.push('\n');
                }
                self.last = value;
            }
            Op::PrintText(text, escapes) => match escapes {
                true => self.out.push_str(&unescaped(text)),
                false => self.out.push_str(text),
            },
            Op::Call(name, args) => self.call(name, args)?,
            Op::Return(has) => {
                let value = if *has { self.pop() } else { Num::default() };
                self.leave(Some(value));
            }
            Op::Limits => self.out.push_str(LIMITS),
            Op::Read | Op::Halt => {}
            of_top => {
                let value = self.unary(of_top)?;
                self.push(value);
            }
        }
        Ok(())
    }

    /// What is asked of one value.
    fn unary(&mut self, op: &Op) -> Ran<Num> {
        Ok(match op {
            Op::Neg => self.pop().negated(),
            Op::Not => Num::from(i64::from(self.pop().is_zero())),
            Op::Length => Num::from(self.pop().length() as i64),
            Op::ScaleOf => Num::from(self.pop().scale as i64),
            Op::ArrayLength(name) => {
                let array = self.arrays.get(name);
                let last = array.and_then(|array| array.borrow().keys().next_back().copied());
                Num::from(last.map_or(0, |last| last as i64 + 1))
            }
            _ => self.pop().root(self.scale).ok_or("negative number")?,
        })
    }

    fn binary(&mut self, op: &str) -> Ran<()> {
        let (b, a) = (self.pop(), self.pop());
        let order = || a.order(&b);
        let truth = match op {
            "||" => !a.is_zero() || !b.is_zero(),
            "&&" => !a.is_zero() && !b.is_zero(),
            "==" => order().is_eq(),
            "!=" => order().is_ne(),
            "<" => order().is_lt(),
            "<=" => order().is_le(),
            ">" => order().is_gt(),
            ">=" => order().is_ge(),
            _ => {
                let value = compute(op, &a, &b, self.scale)?;
                self.push(value);
                return Ok(());
            }
        };
        self.push(Num::from(i64::from(truth)));
        Ok(())
    }

    /// The element an array's place means, its index taken off the stack.
    fn index(&mut self, place: &Place) -> Ran<u64> {
        if !matches!(place, Place::Elem(_)) {
            return Ok(0);
        }
        let index = self.pop();
        if index.is_negative() {
            return fail("negative number");
        }
        let index = index.whole().and_then(|n| u64::try_from(n).ok());
        index.ok_or_else(|| "array too long".to_owned())
    }

    fn load(&mut self, place: &Place, index: u64) -> Num {
        match place {
            Place::Name(name) => self.vars.get(name).cloned().unwrap_or_default(),
            Place::Elem(name) => {
                let array = self.arrays.get(name);
                array.and_then(|array| array.borrow().get(&index).cloned()).unwrap_or_default()
            }
            Place::Scale => Num::from(self.scale as i64),
            Place::Ibase => Num::from(i64::from(self.ibase)),
            Place::Obase => Num::from(i64::from(self.obase)),
            Place::Last => self.last.clone(),
        }
    }

    fn store(&mut self, place: &Place, index: u64, value: Num) -> Ran<()> {
        let base = |most: i64, name: &str| {
            let found = value.whole().filter(|n| (2..=most).contains(n));
            found.map(|n| n as u32).ok_or_else(|| format!("bad {name}; must be [2,{most}]"))
        };
        match place {
            Place::Name(name) => drop(self.vars.insert(name.clone(), value)),
            Place::Elem(name) => {
                let array = self.arrays.entry(name.clone()).or_default();
                if array.borrow().len() >= ELEMENTS_MAX {
                    return fail("array too long");
                }
                array.borrow_mut().insert(index, value);
            }
            Place::Scale if value.is_negative() => return fail("negative number"),
            Place::Scale => {
                let scale = value.whole().and_then(|n| usize::try_from(n).ok());
                let scale = scale.filter(|n| *n <= DIGITS_MAX / 2);
                self.scale = scale.ok_or_else(|| format!("scale over {}", DIGITS_MAX / 2))?;
            }
            Place::Ibase => self.ibase = base(16, "ibase")?,
            Place::Obase => self.obase = base(999, "obase")?,
            Place::Last => self.last = value,
        }
        Ok(())
    }

    fn assign(&mut self, place: &Place, with: Option<&'static str>) -> Ran<()> {
        let value = self.pop();
        let index = self.index(place)?;
        let value = match with {
            Some(op) => compute(op, &self.load(place, index), &value, self.scale)?,
            None => value,
        };
        self.store(place, index, value.clone())?;
        self.push(value);
        Ok(())
    }

    fn call(&mut self, name: &str, args: &[Option<String>]) -> Ran<()> {
        let Some(func) = self.funcs.get(name).cloned() else {
            return self.library(name, args);
        };
        if func.params.len() != args.len() {
            let (has, given) = (func.params.len(), args.len());
            return Err(format!("function has {has} parameters, but called with {given}"));
        }
        if self.frames.len() >= FRAMES_MAX {
            return fail("too many calls in one another");
        }
        let mut given: Vec<(Param, Option<Num>, Option<Array>)> = Vec::new();
        for (param, arg) in func.params.iter().zip(args).rev() {
            given.push(match arg {
                Some(array) => {
                    let array = Rc::clone(self.arrays.entry(array.clone()).or_default());
                    (param.clone(), None, Some(array))
                }
                None => (param.clone(), Some(self.pop()), None),
            });
        }
        self.enter(&func, given)
    }

    fn enter(&mut self, func: &Func, given: Vec<(Param, Option<Num>, Option<Array>)>) -> Ran<()> {
        let mut frame = Frame {
            code: std::mem::replace(&mut self.code, Rc::clone(&func.code)),
            at: std::mem::replace(&mut self.at, 0),
            vars: Vec::new(),
            arrays: Vec::new(),
            stack: self.stack.len(),
            void: func.void,
        };
        let autos = func.autos.iter().map(|auto| (auto.clone(), None, None));
        for (param, value, array) in given.into_iter().chain(autos) {
            let name = param.name;
            if param.array {
                let array = array.unwrap_or_default();
                let array = match param.reference {
                    true => array,
                    false => Rc::new(RefCell::new(array.borrow().clone())),
                };
                let old = self.arrays.insert(name.clone(), array);
                frame.arrays.push((name, old));
            } else {
                let old = self.vars.insert(name.clone(), value.unwrap_or_default());
                frame.vars.push((name, old));
            }
        }
        self.frames.push(frame);
        Ok(())
    }

    fn leave(&mut self, value: Option<Num>) {
        let Some(frame) = self.frames.pop() else { return };
        for (name, old) in frame.vars.into_iter().rev() {
            match old {
                Some(old) => drop(self.vars.insert(name, old)),
                None => drop(self.vars.remove(&name)),
            }
        }
        for (name, old) in frame.arrays.into_iter().rev() {
            match old {
                Some(old) => drop(self.arrays.insert(name, old)),
                None => drop(self.arrays.remove(&name)),
            }
        }
        (self.code, self.at) = (frame.code, frame.at);
        self.stack.truncate(frame.stack);
        self.stack.push(value.filter(|_| !frame.void));
    }

    fn library(&mut self, name: &str, args: &[Option<String>]) -> Ran<()> {
        if !self.maths || !maths::is_known(name) {
            return fail("undefined function");
        }
        let mut values: Vec<Num> = args.iter().map(|_| self.pop()).collect();
        values.reverse();
        let found = maths::call(name, &values, self.scale);
        self.push(bounded(found)?);
        Ok(())
    }
}

const LIMITS: &str = "BC_BASE_MAX     = 999\nBC_DIM_MAX      = 2147483647\n\
    BC_SCALE_MAX    = 4294967295\nBC_STRING_MAX   = 4294967294\n\
    MAX Exponent    = 999999999\nNumber of vars  = 999999999\n";

/// Escapes of `print`; an unknown one stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('\\') | Some('e') => out.push('\\'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('q') => out.push('"'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
