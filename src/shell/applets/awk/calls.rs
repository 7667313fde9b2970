//! awk's calls: functions, builtins, `split`, `sub`, `getline`.

use super::code::{From, Op};
use super::compile::{Compiler, Wrong};
use super::expr::{Parsed, Place};
use super::lex::Token;
use super::value::Value;

impl Compiler {
    pub(super) fn call(&mut self, name: &str) -> Parsed {
        let function = self.function(name);
        self.must("(")?;
        let saved =
            (std::mem::replace(&mut self.no_gt, false), std::mem::replace(&mut self.no_in, false));
        let mut n = 0;
        self.newlines();
        while !self.take(")") {
            if n > 0 {
                self.must(",")?;
                self.newlines();
            }
            let bare = matches!(self.peek_at(1), Token::Op("," | ")"));
            match self.peek().clone() {
                // A bare name may be an array.
                Token::Name(name) if bare => {
                    self.at += 1;
                    let variable = self.variable(&name);
                    self.emit(Op::LoadAny(variable));
                }
                _ => self.value()?,
            }
            self.newlines();
            n += 1;
        }
        (self.no_gt, self.no_in) = saved;
        self.emit(Op::Call(function, n));
        Ok(Place::Value)
    }

    pub(super) fn builtin(&mut self, name: &'static str) -> Parsed {
        if !self.take("(") {
            if name != "length" {
                return self.wrong();
            }
            self.emit(Op::Builtin(name, 0));
            return Ok(Place::Value);
        }
        match name {
            "length" => {
                if let (Token::Name(variable), Token::Op(")")) =
                    (self.peek().clone(), self.peek_at(1))
                {
                    self.at += 2;
                    let variable = self.variable(&variable);
                    self.emit(Op::Length(variable));
                    return Ok(Place::Value);
                }
            }
            "split" => return self.split(),
            "sub" | "gsub" => return self.substitution(name == "gsub"),
            _ => {}
        }
        let n = match name {
            "match" => {
                self.value()?;
                self.must(",")?;
                self.newlines();
                self.pattern_argument()?;
                self.must(")")?;
                2
            }
            _ => self.list(")")?,
        };
        self.emit(Op::Builtin(name, n));
        Ok(Place::Value)
    }

    /// An argument that is a pattern: a regex stands for itself.
    fn pattern_argument(&mut self) -> Result<(), Wrong> {
        let bare = matches!(self.peek_at(1), Token::Op("," | ")"));
        match self.peek().clone() {
            Token::Regex(text) if bare => {
                self.at += 1;
                self.emit(Op::Const(Value::text(&text)));
                Ok(())
            }
            _ => self.value(),
        }
    }

    fn split(&mut self) -> Parsed {
        self.value()?;
        self.must(",")?;
        self.newlines();
        let Token::Name(name) = self.peek().clone() else { return self.wrong() };
        self.at += 1;
        let array = self.variable(&name);
        let mut n = 1;
        if self.take(",") {
            self.newlines();
            self.pattern_argument()?;
            n = 2;
        }
        self.must(")")?;
        self.emit(Op::Split(array, n));
        Ok(Place::Value)
    }

    /// `sub(pattern, replacement [, target])`: the target's place comes first on the stack.
    fn substitution(&mut self, global: bool) -> Parsed {
        self.pattern_argument()?;
        self.must(",")?;
        self.newlines();
        self.value()?;
        let mut target = Place::Field;
        if self.take(",") {
            self.newlines();
            target = self.expression()?;
        } else {
            self.emit(Op::Const(Value::Number(0.0)));
        }
        self.must(")")?;
        // The new value goes back through its place, then the count is left.
        if matches!(target, Place::Field | Place::Element(_)) {
            self.emit(Op::Dup);
        }
        self.load(target);
        let keyed = matches!(target, Place::Field | Place::Element(_));
        self.emit(Op::Substitute { global, keyed });
        match target {
            Place::Value => drop(self.emit(Op::Pop)),
            Place::Variable(_) => {
                let end = self.emit(Op::JumpUnless(0));
                self.store(target);
                self.land(end);
                self.emit(Op::Pop);
            }
            _ => {
                let same = self.emit(Op::JumpUnless(0));
                self.store(target);
                let end = self.emit(Op::Jump(0));
                self.land(same);
                // Place and text go unused.
                self.emit(Op::Pop);
                self.land(end);
                self.emit(Op::Pop);
            }
        }
        self.emit(Op::Count);
        Ok(Place::Value)
    }

    /// Behind the word: an optional target, for the main input an optional file.
    pub(super) fn getline(&mut self, from: From) -> Parsed {
        let target = match self.peek() {
            Token::Name(_) | Token::Op("$") => Some(self.primary()?),
            _ => None,
        };
        let mut from = from;
        if let (Some(Place::Field | Place::Element(_)), From::Pipe) = (target, from) {
            // The command is below the target's key; Getline wants it on top.
            self.emit(Op::Swap);
        }
        if from == From::Main && self.take("<") {
            let file = self.prefixed()?;
            self.load(file);
            from = From::File;
        }
        self.emit(Op::Getline(from, target.is_some()));
        if let Some(target) = target {
            // key?, line, flag: stores where there was a line.
            let none = self.emit(Op::JumpUnless(0));
            self.store(target);
            if matches!(target, Place::Variable(_)) {
                self.land(none);
                self.emit(Op::Pop);
            } else {
                let end = self.emit(Op::Jump(0));
                self.land(none);
                self.emit(Op::Pop);
                self.land(end);
                self.emit(Op::Pop);
            }
            self.emit(Op::Count);
        }
        Ok(Place::Value)
    }
}
