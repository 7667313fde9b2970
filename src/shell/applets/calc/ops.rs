//! The steps bc's programs are made of, and its functions. Data only.

use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Name(String),
    /// Its index is on the stack.
    Elem(String),
    Scale,
    Ibase,
    Obase,
    Last,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    /// A number as written; its base is known when it runs.
    Lit(String),
    Load(Place),
    /// With the operator of `+=` and the like.
    Store(Place, Option<&'static str>),
    /// `++x` and `x++`: by how much, and whether the old value is what counts.
    Step(Place, i64, bool),
    Neg,
    Not,
    Bin(&'static str),
    Jump(usize),
    JumpUnless(usize),
    Pop,
    Print,
    /// An item of `print`, or a string alone: with escapes, or as it is.
    PrintValue,
    PrintText(String, bool),
    /// Name and arguments: values, or arrays by name.
    Call(String, Vec<Option<String>>),
    Return(bool),
    Length,
    ArrayLength(String),
    ScaleOf,
    Sqrt,
    Read,
    Halt,
    Limits,
}

#[derive(Debug, Default)]
pub(super) struct Func {
    pub(super) params: Vec<Param>,
    pub(super) autos: Vec<Param>,
    pub(super) code: Rc<Vec<Op>>,
    pub(super) void: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) array: bool,
    pub(super) reference: bool,
}

pub(super) type Funcs = BTreeMap<String, Rc<Func>>;
