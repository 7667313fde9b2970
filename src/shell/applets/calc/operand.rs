//! What stands between the operators of bc's language: numbers, names, calls, brackets, signs.

use super::code::{Op, Parser, Place};

type Parsed<T> = Result<T, String>;

impl Parser<'_> {
    pub(super) fn unary(&mut self) -> Parsed<()> {
        self.deeper()?;
        let done = self.signed();
        self.depth -= 1;
        done
    }

    fn signed(&mut self) -> Parsed<()> {
        self.blanks()?;
        for (token, by) in [("++", 1), ("--", -1)] {
            if self.has(token)? {
                let place = self.place()?;
                self.code.push(Op::Step(place, by, false));
                return Ok(());
            }
        }
        if self.has("-")? {
            self.unary()?;
            self.code.push(Op::Neg);
        } else if !self.rest().starts_with("!=") && self.has("!")? {
            self.unary()?;
            self.code.push(Op::Not);
        } else if self.has("(")? {
            self.expression(0)?;
            self.need(")")?;
        } else {
            return self.operand();
        }
        Ok(())
    }

    /// A name that can be assigned to.
    fn place(&mut self) -> Parsed<Place> {
        let word = self.word()?;
        if word.is_empty() {
            return self.bad("expression");
        }
        self.at += word.len();
        self.place_of(word.to_owned())
    }

    fn place_of(&mut self, word: String) -> Parsed<Place> {
        Ok(match word.as_str() {
            "scale" => Place::Scale,
            "ibase" => Place::Ibase,
            "obase" => Place::Obase,
            "last" => Place::Last,
            _ if self.has("[")? => {
                self.expression(0)?;
                self.need("]")?;
                Place::Elem(word)
            }
            _ => Place::Name(word),
        })
    }

    fn operand(&mut self) -> Parsed<()> {
        let from = self.at;
        let rest = self.rest();
        let digit = |c: char| c.is_ascii_digit() || c.is_ascii_uppercase();
        let word = self.word()?.to_owned();
        if rest.starts_with(|c: char| digit(c) || c == '.') {
            return self.number();
        }
        if word.is_empty() {
            return self.bad("expression");
        }
        self.at += word.len();
        if self.rest().starts_with('(') || self.rest().starts_with(" (") {
            self.blanks()?;
            return self.call(word);
        }
        let place = self.place_of(word)?;
        self.used(place, from)
    }

    fn number(&mut self) -> Parsed<()> {
        let from = self.at;
        let rest = self.rest();
        let mut text = String::new();
        let (mut points, mut used) = (0, 0);
        let mut chars = rest.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            match c {
                '.' if points == 0 => points = 1,
                '\\' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {
                    chars.next();
                    used = i + 2;
                    continue;
                }
                _ if c.is_ascii_digit() || c.is_ascii_uppercase() => {}
                _ => break,
            }
            text.push(c);
            used = i + c.len_utf8();
        }
        self.at += used;
        if text == "." {
            // The last value printed.
            return self.used(Place::Last, from);
        }
        self.code.push(Op::Lit(text));
        Ok(())
    }

    /// What is done with a place: assigned, stepped, or only looked at.
    fn used(&mut self, place: Place, from: usize) -> Parsed<()> {
        for (token, by) in [("++", 1), ("--", -1)] {
            if self.has(token)? {
                self.code.push(Op::Step(place, by, true));
                return Ok(());
            }
        }
        let rest = self.rest();
        let all = super::code::ASSIGNMENTS;
        let found = all.iter().find(|(token, _)| rest.starts_with(token));
        match found.filter(|_| !rest.starts_with("==")) {
            Some((token, op)) => {
                self.at += token.len();
                self.expression(0)?;
                self.code.push(Op::Store(place, *op));
                self.assigned = (from, self.at);
            }
            None => self.code.push(Op::Load(place)),
        }
        Ok(())
    }

    fn call(&mut self, name: String) -> Parsed<()> {
        self.need("(")?;
        if name == "read" {
            self.code.push(Op::Read);
            return self.need(")");
        }
        let mut args = Vec::new();
        while !self.has(")")? {
            if !args.is_empty() {
                self.need(",")?;
            }
            args.push(self.argument()?);
        }
        let op = match (name.as_str(), args.as_slice()) {
            ("length", [None]) => Op::Length,
            ("length", [Some(array)]) => Op::ArrayLength(array.clone()),
            ("scale", [None]) => Op::ScaleOf,
            ("sqrt", [None]) => Op::Sqrt,
            _ => Op::Call(name, args),
        };
        self.code.push(op);
        Ok(())
    }

    /// A value on the stack, or an array by its name.
    fn argument(&mut self) -> Parsed<Option<String>> {
        let (from, word) = (self.at, self.word()?.to_owned());
        if !word.is_empty() {
            self.at += word.len();
            if self.has("[")? && self.has("]")? {
                return Ok(Some(word));
            }
            self.at = from;
        }
        self.expression(0)?;
        Ok(None)
    }
}
