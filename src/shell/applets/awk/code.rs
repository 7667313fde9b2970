//! awk's compiled form: instructions of a stack machine.

use super::value::Value;

/// Where a variable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ref {
    Global(usize),
    Local(usize),
}

/// Where output goes; for all but stdout the name is on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dest {
    Stdout,
    File,
    Append,
    Pipe,
}

/// Where `getline` reads from; names are on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Main,
    File,
    Pipe,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Const(Value),
    Load(Ref),
    /// Keeps the value on the stack.
    Store(Ref),
    /// A bare name as an argument: a value, or the array itself.
    LoadAny(Ref),
    FieldLoad,
    /// index, value -> value
    FieldStore,
    /// key -> value
    ElemLoad(Ref),
    /// key, value -> value
    ElemStore(Ref),
    In(Ref),
    Delete(Ref),
    DeleteAll(Ref),
    /// Joins so many keys by SUBSEP.
    Keys(usize),
    Binary(u8),
    Compare(&'static str),
    Concat,
    /// text, pattern -> flag; true turns it round.
    Match(bool),
    /// pattern -> whether $0 matches
    MatchRecord,
    Not,
    Negate,
    Number,
    Flag,
    Dup,
    Pop,
    /// Adds to a variable; true leaves the old value.
    Add(Ref, f64, bool),
    AddField(f64, bool),
    AddElem(Ref, f64, bool),
    Jump(usize),
    JumpIf(usize),
    JumpUnless(usize),
    /// Jumps when the range pattern of that number is open.
    JumpIfRange(usize, usize),
    SetRange(usize, bool),
    ForIn(Ref),
    /// The next key, or the way out.
    ForNext(usize),
    ForEnd,
    Call(usize, usize),
    Return,
    /// A function's name and how many arguments it got.
    Builtin(&'static str, usize),
    /// `split`, with the array.
    Split(Ref, usize),
    /// pattern, replacement, place?, text -> place?, new text, whether anything changed; `gsub`
    /// where true. The number of replacements is kept for `Count`.
    Substitute {
        global: bool,
        keyed: bool,
    },
    /// The number the last `Substitute` or `Getline` kept.
    Count,
    Swap,
    /// `print` of so many values.
    Print(Dest, usize),
    Printf(Dest, usize),
    /// name? -> status; with `true` -> line, whether there was one, and the status is kept.
    Getline(From, bool),
    Next,
    NextFile,
    /// The code is on the stack where `true`.
    Exit(bool),
    /// Length of a variable that may be an array.
    Length(Ref),
    End,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    pub(super) n_params: usize,
    pub(super) entry: Option<usize>,
}

/// Names of globals with a meaning, in the order of their slots.
pub(super) const SPECIAL: &[&str] = &[
    "NF",
    "NR",
    "FNR",
    "FS",
    "OFS",
    "ORS",
    "RS",
    "SUBSEP",
    "CONVFMT",
    "OFMT",
    "FILENAME",
    "RSTART",
    "RLENGTH",
    "ENVIRON",
    "ARGC",
    "ARGV",
    "ERRNO",
    "IGNORECASE",
];
pub(super) const NF: usize = 0;
pub(super) const NR: usize = 1;
pub(super) const FNR: usize = 2;
pub(super) const FS: usize = 3;
pub(super) const OFS: usize = 4;
pub(super) const ORS: usize = 5;
pub(super) const RS: usize = 6;
pub(super) const SUBSEP: usize = 7;
pub(super) const CONVFMT: usize = 8;
pub(super) const OFMT: usize = 9;
pub(super) const FILENAME: usize = 10;
pub(super) const RSTART: usize = 11;
pub(super) const RLENGTH: usize = 12;
pub(super) const ENVIRON: usize = 13;
pub(super) const ARGC: usize = 14;
pub(super) const ARGV: usize = 15;
pub(super) const IGNORECASE: usize = 17;

#[derive(Clone, Debug, Default)]
pub(super) struct Code {
    pub(super) ops: Vec<Op>,
    pub(super) functions: Vec<Function>,
    pub(super) globals: Vec<String>,
    pub(super) begin: Option<usize>,
    pub(super) main: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) n_ranges: usize,
}
