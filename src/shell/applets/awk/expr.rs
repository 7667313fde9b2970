//! awk's expressions, by recursive descent. An assignable one is not loaded until it is used.

use super::code::{From, Op, Ref};
use super::compile::{Compiler, DEPTH_MAX, Wrong};
use super::lex::Token;
use super::value::Value;

/// What an expression left behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    /// A value on the stack.
    Value,
    /// Nothing yet.
    Variable(Ref),
    /// The index on the stack.
    Field,
    /// The key on the stack.
    Element(Ref),
}

const ASSIGN: &[(&str, u8)] =
    &[("=", 0), ("+=", b'+'), ("-=", b'-'), ("*=", b'*'), ("/=", b'/'), ("%=", b'%'), ("^=", b'^')];

pub(super) type Parsed = Result<Place, Wrong>;

impl Compiler {
    pub(super) fn load(&mut self, place: Place) {
        match place {
            Place::Value => {}
            Place::Variable(at) => drop(self.emit(Op::Load(at))),
            Place::Field => drop(self.emit(Op::FieldLoad)),
            Place::Element(array) => drop(self.emit(Op::ElemLoad(array))),
        }
    }

    pub(super) fn store(&mut self, place: Place) {
        match place {
            Place::Value => {}
            Place::Variable(at) => drop(self.emit(Op::Store(at))),
            Place::Field => drop(self.emit(Op::FieldStore)),
            Place::Element(array) => drop(self.emit(Op::ElemStore(array))),
        }
    }

    /// An expression whose value is on the stack then.
    pub(super) fn value(&mut self) -> Result<(), Wrong> {
        let place = self.expression()?;
        self.load(place);
        Ok(())
    }

    pub(super) fn expression(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((self.line(), "Too deep"));
        }
        let place = self.ternary()?;
        let place = self.assigned(place)?;
        self.depth -= 1;
        Ok(place)
    }

    /// An operand that is assigned to where it stands: `$1 == $2 = "x"`.
    fn assigned(&mut self, place: Place) -> Parsed {
        let op = ASSIGN.iter().find(|(op, _)| self.sees(op)).copied();
        Ok(match op {
            Some((_, op)) if place != Place::Value => {
                self.at += 1;
                self.newlines();
                if op != 0 {
                    if matches!(place, Place::Field | Place::Element(_)) {
                        self.emit(Op::Dup);
                    }
                    self.load(place);
                }
                self.value()?;
                if op != 0 {
                    self.emit(Op::Binary(op));
                }
                self.store(place);
                Place::Value
            }
            _ => place,
        })
    }

    fn ternary(&mut self) -> Parsed {
        let place = self.or()?;
        if !self.take("?") {
            return Ok(place);
        }
        self.load(place);
        let other = self.emit(Op::JumpUnless(0));
        self.newlines();
        self.value()?;
        self.newlines();
        self.must(":")?;
        self.newlines();
        let end = self.emit(Op::Jump(0));
        self.land(other);
        self.value()?;
        self.land(end);
        Ok(Place::Value)
    }

    fn or(&mut self) -> Parsed {
        let mut place = self.and()?;
        while self.take("||") {
            self.newlines();
            self.load(place);
            self.emit(Op::Flag);
            self.emit(Op::Dup);
            let end = self.emit(Op::JumpIf(0));
            self.emit(Op::Pop);
            let right = self.and()?;
            self.load(right);
            self.emit(Op::Flag);
            self.land(end);
            place = Place::Value;
        }
        Ok(place)
    }

    fn and(&mut self) -> Parsed {
        let mut place = self.membership()?;
        while self.take("&&") {
            self.newlines();
            self.load(place);
            self.emit(Op::Flag);
            self.emit(Op::Dup);
            let end = self.emit(Op::JumpUnless(0));
            self.emit(Op::Pop);
            let right = self.membership()?;
            self.load(right);
            self.emit(Op::Flag);
            self.land(end);
            place = Place::Value;
        }
        Ok(place)
    }

    fn membership(&mut self) -> Parsed {
        let mut place = self.matching()?;
        while *self.peek() == Token::Word("in") && !self.no_in {
            self.load(place);
            self.at += 1;
            let Token::Name(name) = self.peek().clone() else { return self.wrong() };
            self.at += 1;
            let array = self.variable(&name);
            self.emit(Op::In(array));
            place = Place::Value;
        }
        Ok(place)
    }

    fn matching(&mut self) -> Parsed {
        let mut place = self.comparison()?;
        while self.sees("~") || self.sees("!~") {
            let negated = self.sees("!~");
            self.at += 1;
            self.load(place);
            self.pattern_operand()?;
            self.emit(Op::Match(negated));
            place = Place::Value;
        }
        Ok(place)
    }

    /// The right side of `~`: a regex stands for itself.
    fn pattern_operand(&mut self) -> Result<(), Wrong> {
        if let Token::Regex(text) = self.peek().clone() {
            self.at += 1;
            self.emit(Op::Const(Value::text(&text)));
            return Ok(());
        }
        let place = self.comparison()?;
        self.load(place);
        Ok(())
    }

    fn comparison(&mut self) -> Parsed {
        let mut place = self.concatenation()?;
        loop {
            if self.sees("|") && *self.peek_at(1) == Token::Word("getline") {
                self.load(place);
                self.at += 2;
                place = self.getline(From::Pipe)?;
                continue;
            }
            let op = ["<=", "==", "!=", ">=", "<", ">"].into_iter().find(|op| self.sees(op));
            let Some(op) = op.filter(|op| *op != ">" || !self.no_gt) else { return Ok(place) };
            self.at += 1;
            self.load(place);
            let right = self.concatenation()?;
            let right = self.assigned(right)?;
            self.load(right);
            self.emit(Op::Compare(op));
            place = Place::Value;
        }
    }

    pub(super) fn concatenation(&mut self) -> Parsed {
        let mut place = self.additive()?;
        while self.begins_operand() {
            self.load(place);
            let right = self.additive()?;
            self.load(right);
            self.emit(Op::Concat);
            place = Place::Value;
        }
        Ok(place)
    }

    fn begins_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) | Token::Name(_) | Token::Call(_) => true,
            Token::Builtin(_) | Token::Regex(_) => true,
            Token::Op(op) => matches!(*op, "$" | "(" | "!" | "-" | "+" | "++" | "--"),
            _ => false,
        }
    }

    fn additive(&mut self) -> Parsed {
        let mut place = self.multiplicative()?;
        while let Token::Op(op @ ("+" | "-")) = *self.peek() {
            self.at += 1;
            self.load(place);
            let right = self.multiplicative()?;
            self.load(right);
            self.emit(Op::Binary(op.as_bytes()[0]));
            place = Place::Value;
        }
        Ok(place)
    }

    fn multiplicative(&mut self) -> Parsed {
        let mut place = self.unary()?;
        while let Token::Op(op @ ("*" | "/" | "%")) = *self.peek() {
            self.at += 1;
            self.load(place);
            let right = self.unary()?;
            self.load(right);
            self.emit(Op::Binary(op.as_bytes()[0]));
            place = Place::Value;
        }
        Ok(place)
    }

    fn unary(&mut self) -> Parsed {
        let op = match *self.peek() {
            Token::Op("!") => Op::Not,
            Token::Op("-") => Op::Negate,
            Token::Op("+") => Op::Number,
            _ => return self.power(),
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((self.line(), "Too deep"));
        }
        let place = self.unary()?;
        self.depth -= 1;
        self.load(place);
        self.emit(op);
        Ok(Place::Value)
    }

    fn power(&mut self) -> Parsed {
        let place = self.postfix()?;
        if !self.take("^") {
            return Ok(place);
        }
        self.load(place);
        let right = self.unary()?;
        self.load(right);
        self.emit(Op::Binary(b'^'));
        Ok(Place::Value)
    }

    fn add(&mut self, place: Place, by: f64, old: bool) -> Parsed {
        match place {
            Place::Variable(at) => drop(self.emit(Op::Add(at, by, old))),
            Place::Field => drop(self.emit(Op::AddField(by, old))),
            Place::Element(array) => drop(self.emit(Op::AddElem(array, by, old))),
            Place::Value => return self.wrong(),
        }
        Ok(Place::Value)
    }

    fn postfix(&mut self) -> Parsed {
        for (op, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op) {
                let place = self.primary()?;
                return self.add(place, by, false);
            }
        }
        let place = self.primary()?;
        if place == Place::Value {
            return Ok(place);
        }
        for (op, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op) {
                return self.add(place, by, true);
            }
        }
        Ok(place)
    }

    pub(super) fn primary(&mut self) -> Parsed {
        let token = self.peek().clone();
        self.at += 1;
        match token {
            Token::Number(n) => drop(self.emit(Op::Const(Value::Number(n)))),
            Token::Text(text) => drop(self.emit(Op::Const(Value::text(&text)))),
            Token::Regex(text) => {
                self.emit(Op::Const(Value::text(&text)));
                self.emit(Op::MatchRecord);
            }
            Token::Op("$") => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err((self.line(), "Too deep"));
                }
                let place = match self.peek() {
                    Token::Op("-") => self.unary()?,
                    _ => self.prefixed()?,
                };
                self.depth -= 1;
                self.load(place);
                return Ok(Place::Field);
            }
            Token::Op("(") => return self.parenthesis(),
            Token::Word("getline") => return self.getline(From::Main),
            Token::Name(name) => {
                let variable = self.variable(&name);
                if self.take("[") {
                    self.keys("]")?;
                    return Ok(Place::Element(variable));
                }
                return Ok(Place::Variable(variable));
            }
            Token::Call(name) => return self.call(&name),
            Token::Builtin(name) => return self.builtin(name),
            _ => {
                self.at -= 1;
                return self.wrong();
            }
        }
        Ok(Place::Value)
    }

    /// What `$` takes: `$++i`, `$i`.
    pub(super) fn prefixed(&mut self) -> Parsed {
        for (op, by) in [("++", 1.0), ("--", -1.0)] {
            if self.take(op) {
                let place = self.primary()?;
                return self.add(place, by, false);
            }
        }
        self.primary()
    }

    fn parenthesis(&mut self) -> Parsed {
        let (no_gt, no_in) =
            (std::mem::replace(&mut self.no_gt, false), std::mem::replace(&mut self.no_in, false));
        self.newlines();
        self.value()?;
        let mut n = 1;
        while self.take(",") {
            self.newlines();
            self.value()?;
            n += 1;
        }
        self.newlines();
        self.must(")")?;
        (self.no_gt, self.no_in) = (no_gt, no_in);
        if n > 1 {
            // `(i, j) in array`
            if *self.peek() != Token::Word("in") {
                return self.wrong();
            }
            self.emit(Op::Keys(n));
        }
        Ok(Place::Value)
    }

    /// Subscripts up to the closing mark, joined to one key.
    pub(super) fn keys(&mut self, close: &str) -> Result<(), Wrong> {
        let n = self.list(close)?;
        if n > 1 {
            self.emit(Op::Keys(n));
        }
        if n == 0 { self.wrong() } else { Ok(()) }
    }

    /// Expressions up to the closing mark, which is taken.
    pub(super) fn list(&mut self, close: &str) -> Result<usize, Wrong> {
        let (no_gt, no_in) =
            (std::mem::replace(&mut self.no_gt, false), std::mem::replace(&mut self.no_in, false));
        let mut n = 0;
        self.newlines();
        while !self.take(close) {
            if n > 0 {
                self.must(",")?;
                self.newlines();
            }
            self.value()?;
            self.newlines();
            n += 1;
        }
        (self.no_gt, self.no_in) = (no_gt, no_in);
        Ok(n)
    }
}
