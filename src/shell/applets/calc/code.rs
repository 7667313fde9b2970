//! bc's language, a statement at a time, as steps for the machine. Nothing runs here.

pub(super) use super::ops::{Func, Op, Param, Place};
use std::rc::Rc;

/// What a text has next.
pub(super) enum Next {
    Code(Vec<Op>),
    Function(String, Func),
    /// `quit`, at the moment it is read.
    Quit,
    End,
}

type Parsed<T> = Result<T, String>;

/// Blocks and brackets in one another at most: each level is recursion of ours too.
const DEPTH_MAX: u32 = 100;

pub(super) struct Parser<'t> {
    text: &'t str,
    pub(super) at: usize,
    pub(super) code: Vec<Op>,
    pub(super) depth: u32,
    in_function: bool,
    /// Places in the code where the loops around are left or begun again, to be filled in.
    loops: Vec<Loop>,
    /// The stretch of the newest assignment.
    pub(super) assigned: (usize, usize),
}

#[derive(Default)]
struct Loop {
    breaks: Vec<usize>,
    continues: Vec<usize>,
}

pub(super) const ASSIGNMENTS: [(&str, Option<&str>); 7] = [
    ("^=", Some("^")),
    ("*=", Some("*")),
    ("/=", Some("/")),
    ("%=", Some("%")),
    ("+=", Some("+")),
    ("-=", Some("-")),
    ("=", None),
];
/// Binary operators, the loosest first.
const LEVELS: [&[&str]; 6] =
    [&["||"], &["&&"], &["==", "<=", ">=", "!=", "<", ">"], &["+", "-"], &["*", "/", "%"], &["^"]];
const KEYWORDS: [&str; 18] = [
    "auto", "break", "continue", "define", "else", "for", "halt", "ibase", "if", "last", "length",
    "limits", "obase", "print", "quit", "read", "return", "while",
];

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Parser<'t> {
        Parser {
            text,
            at: 0,
            code: Vec::new(),
            depth: 0,
            in_function: false,
            loops: Vec::new(),
            assigned: (0, 0),
        }
    }

    /// The line it has come to, from one.
    pub(super) fn line(&self) -> usize {
        let before = self.text.get(..self.at.min(self.text.len())).unwrap_or("");
        1 + before.trim_end_matches('\n').matches('\n').count()
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn blanks(&mut self) -> Parsed<()> {
        loop {
            let rest = self.rest();
            if rest.starts_with("/*") {
                let end = rest.get(2..).and_then(|body| body.find("*/"));
                let Some(end) = end else { return Err("unterminated comment".to_owned()) };
                self.at += end + 4;
            } else if rest.starts_with('#') {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("\\\n") {
                self.at += 2;
            } else if rest.starts_with([' ', '\t', '\r']) {
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn bad<T>(&self, what: &str) -> Parsed<T> {
        let line = self.rest().split('\n').next().unwrap_or("");
        if let Some(c) = line.chars().next().filter(|c| !is_known(*c)) {
            return Err(format!("bad character '{c}'"));
        }
        Err(format!("bad {what} at '{line}'"))
    }

    pub(super) fn has(&mut self, token: &str) -> Parsed<bool> {
        self.blanks()?;
        let there = self.rest().starts_with(token);
        self.at += if there { token.len() } else { 0 };
        Ok(there)
    }

    pub(super) fn need(&mut self, token: &str) -> Parsed<()> {
        if self.has(token)? { Ok(()) } else { self.bad("expression") }
    }

    pub(super) fn word(&mut self) -> Parsed<&'t str> {
        self.blanks()?;
        let rest = self.rest();
        let tail = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        let n = match rest.starts_with(|c: char| c.is_ascii_lowercase()) {
            true => rest.find(tail).unwrap_or(rest.len()),
            false => 0,
        };
        Ok(&rest[..n])
    }

    fn newlines(&mut self) -> Parsed<()> {
        while self.has("\n")? {}
        Ok(())
    }

    /// The next statement as code of its own, or a function.
    pub(super) fn next(&mut self) -> Parsed<Next> {
        while self.has("\n")? || self.has(";")? {}
        if self.rest().is_empty() {
            return Ok(Next::End);
        }
        let next = match self.word()? {
            "define" => {
                let (name, func) = self.define()?;
                Next::Function(name, func)
            }
            "quit" => return Ok(Next::Quit),
            _ => {
                self.statement()?;
                Next::Code(std::mem::take(&mut self.code))
            }
        };
        self.blanks()?;
        let ended = self.rest().is_empty() || self.rest().starts_with(['\n', ';']);
        if ended || matches!(next, Next::Function(..)) {
            return Ok(next);
        }
        let token = self.rest().starts_with('}') || self.word()? == "else";
        self.bad(if token { "token" } else { "expression" })
    }

    fn define(&mut self) -> Parsed<(String, Func)> {
        self.at += "define".len();
        let mut name = self.word()?;
        self.at += name.len();
        let mut func = Func::default();
        if name == "void" && !self.word()?.is_empty() {
            func.void = true;
            name = self.word()?;
            self.at += name.len();
        }
        if name.is_empty() || KEYWORDS.contains(&name) {
            return self.bad("function definition");
        }
        self.need("(")?;
        func.params = self.params(")")?;
        self.newlines()?;
        self.need("{")?;
        let outer = std::mem::take(&mut self.code);
        self.in_function = true;
        while self.has("\n")? || self.has(";")? {}
        if self.word()? == "auto" {
            self.at += "auto".len();
            func.autos = self.params("")?;
        }
        let body = self.block();
        self.in_function = false;
        body?;
        func.code = Rc::new(std::mem::replace(&mut self.code, outer));
        Ok((name.to_owned(), func))
    }

    /// Names up to `end`; of `auto` up to the end of the statement.
    fn params(&mut self, end: &str) -> Parsed<Vec<Param>> {
        let mut out: Vec<Param> = Vec::new();
        if !end.is_empty() && self.has(end)? {
            return Ok(out);
        }
        loop {
            let reference = self.has("*")?;
            let name = self.word()?;
            if name.is_empty() || KEYWORDS.contains(&name) {
                return self.bad("function definition");
            }
            self.at += name.len();
            let array = self.has("[")?;
            if array {
                self.need("]")?;
            }
            out.push(Param { name: name.to_owned(), array, reference });
            if !self.has(",")? {
                break;
            }
        }
        if !end.is_empty() {
            self.need(end)?;
        }
        Ok(out)
    }

    /// Statements up to `}`.
    fn block(&mut self) -> Parsed<()> {
        loop {
            while self.has("\n")? || self.has(";")? {}
            if self.has("}")? {
                return Ok(());
            }
            if self.rest().is_empty() {
                return self.bad("expression");
            }
            self.statement()?;
            self.blanks()?;
            if !self.rest().starts_with(['\n', ';', '}']) {
                return self.bad("expression");
            }
        }
    }

    /// One level down; who comes back takes it off again.
    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        match self.depth > DEPTH_MAX {
            true => Err("too many blocks and brackets in one another".to_owned()),
            false => Ok(()),
        }
    }

    fn statement(&mut self) -> Parsed<()> {
        self.deeper()?;
        let done = self.one_statement();
        self.depth -= 1;
        done
    }

    fn one_statement(&mut self) -> Parsed<()> {
        self.blanks()?;
        if self.has("{")? {
            return self.block();
        }
        if self.rest().starts_with('"') {
            let text = self.string()?;
            self.code.push(Op::PrintText(text, false));
            return Ok(());
        }
        let word = self.word()?;
        match word {
            "if" | "while" | "for" | "print" | "return" | "halt" | "limits" => {
                self.at += word.len();
            }
            "break" | "continue" if !self.loops.is_empty() => self.at += word.len(),
            "break" | "continue" | "else" | "auto" | "define" => return self.bad("token"),
            _ => return self.expression_statement(),
        }
        match word {
            "if" => self.if_(),
            "while" => self.while_(),
            "for" => self.for_(),
            "print" => self.print(),
            "return" => self.return_(),
            "halt" | "limits" => {
                self.code.push(if word == "halt" { Op::Halt } else { Op::Limits });
                Ok(())
            }
            _ => {
                let at = self.code.len();
                self.code.push(Op::Jump(0));
                let Some(around) = self.loops.last_mut() else { return Ok(()) };
                let list = if word == "break" { &mut around.breaks } else { &mut around.continues };
                list.push(at);
                Ok(())
            }
        }
    }

    fn expression_statement(&mut self) -> Parsed<()> {
        if self.rest().starts_with('}') {
            return self.bad("token");
        }
        let from = self.at;
        self.expression(0)?;
        let assigns = self.assigned == (from, self.at);
        self.code.push(if assigns { Op::Pop } else { Op::Print });
        Ok(())
    }

    fn condition(&mut self) -> Parsed<()> {
        self.need("(")?;
        self.expression(0)?;
        self.need(")")?;
        self.newlines()
    }

    fn land(&mut self, at: usize, to: usize) {
        if let Some(Op::Jump(place) | Op::JumpUnless(place)) = self.code.get_mut(at) {
            *place = to;
        }
    }

    fn if_(&mut self) -> Parsed<()> {
        self.condition()?;
        let skip = self.code.len();
        self.code.push(Op::JumpUnless(0));
        self.statement()?;
        if self.word()? == "else" {
            self.at += "else".len();
            self.newlines()?;
            let over = self.code.len();
            self.code.push(Op::Jump(0));
            self.land(skip, self.code.len());
            self.statement()?;
            self.land(over, self.code.len());
        } else {
            self.land(skip, self.code.len());
        }
        Ok(())
    }

    /// The body of a loop; `step` is run after it, and then it goes back to `top`.
    fn body(&mut self, top: usize, step: Vec<Op>, leave: Option<usize>) -> Parsed<()> {
        self.loops.push(Loop::default());
        let done = self.statement();
        let around = self.loops.pop().unwrap_or_default();
        done?;
        let again = self.code.len();
        self.code.extend(step);
        self.code.push(Op::Jump(top));
        let end = self.code.len();
        around.breaks.iter().chain(&leave).for_each(|at| self.land(*at, end));
        around.continues.iter().for_each(|at| self.land(*at, again));
        Ok(())
    }

    fn while_(&mut self) -> Parsed<()> {
        let top = self.code.len();
        self.condition()?;
        let leave = self.code.len();
        self.code.push(Op::JumpUnless(0));
        self.body(top, Vec::new(), Some(leave))
    }

    fn for_(&mut self) -> Parsed<()> {
        self.need("(")?;
        if !self.has(";")? {
            self.expression(0)?;
            self.code.push(Op::Pop);
            self.need(";")?;
        }
        let top = self.code.len();
        let mut leave = None;
        if !self.has(";")? {
            self.expression(0)?;
            self.need(";")?;
            leave = Some(self.code.len());
            self.code.push(Op::JumpUnless(0));
        }
        let mut step = Vec::new();
        if !self.has(")")? {
            let from = self.code.len();
            self.expression(0)?;
            self.code.push(Op::Pop);
            step = self.code.split_off(from);
            self.need(")")?;
        }
        self.newlines()?;
        self.body(top, step, leave)
    }

    fn print(&mut self) -> Parsed<()> {
        loop {
            self.blanks()?;
            if self.rest().starts_with('"') {
                let text = self.string()?;
                self.code.push(Op::PrintText(text, true));
            } else {
                self.expression(0)?;
                self.code.push(Op::PrintValue);
            }
            if !self.has(",")? {
                return Ok(());
            }
        }
    }

    fn return_(&mut self) -> Parsed<()> {
        if !self.in_function {
            return Err("'return' not in a function".to_owned());
        }
        self.blanks()?;
        let bare = self.rest().is_empty() || self.rest().starts_with(['\n', ';', '}']);
        if !bare {
            self.expression(0)?;
        }
        self.code.push(Op::Return(!bare));
        Ok(())
    }

    fn string(&mut self) -> Parsed<String> {
        let rest = self.rest().get(1..).unwrap_or("");
        let Some(end) = rest.find('"') else { return Err("unterminated string".to_owned()) };
        self.at += end + 2;
        Ok(rest[..end].to_owned())
    }

    /// Binary operators of a level and all that bind closer.
    pub(super) fn expression(&mut self, level: usize) -> Parsed<()> {
        let Some(all) = LEVELS.get(level) else { return self.unary() };
        self.expression(level + 1)?;
        loop {
            self.blanks()?;
            let rest = self.rest();
            let found = all.iter().copied().find(|op| rest.starts_with(op));
            let Some(op) = found.filter(|op| !assigns(rest, op)) else { return Ok(()) };
            self.at += op.len();
            // Powers group to the right.
            self.expression(if op == "^" { level } else { level + 1 })?;
            self.code.push(Op::Bin(op));
        }
    }
}

/// `a*=b` is no product; `a==b` is no assignment.
fn assigns(rest: &str, op: &str) -> bool {
    let after = rest.get(op.len()..).unwrap_or("");
    "^*/%+-".contains(op) && after.starts_with('=')
}

fn is_known(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || c.is_ascii_whitespace()
        || "+-*/%^=<>!&|()[]{};,.\"#_\\".contains(c)
}
