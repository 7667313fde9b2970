//! awk's `if` and loops.

use super::code::Op;
use super::compile::{Compiler, Loop, Wrong};
use super::lex::Token;

impl Compiler {
    pub(super) fn if_statement(&mut self) -> Result<(), Wrong> {
        self.must("(")?;
        self.value()?;
        self.must(")")?;
        let skip = self.emit(Op::JumpUnless(0));
        self.body()?;
        let before = self.at;
        self.separators();
        if !self.take_word("else") {
            self.at = before;
            self.land(skip);
            return Ok(());
        }
        let end = self.emit(Op::Jump(0));
        self.land(skip);
        self.body()?;
        self.land(end);
        Ok(())
    }

    /// Ends a loop: `continue` goes to `again`, `break` goes behind.
    fn end_loop(&mut self, again: usize) {
        let Some(ended) = self.loops.pop() else { return };
        for jump in ended.continues {
            self.point(jump, again);
        }
        for jump in ended.breaks {
            self.land(jump);
        }
    }

    pub(super) fn while_statement(&mut self) -> Result<(), Wrong> {
        let start = self.here();
        self.must("(")?;
        self.value()?;
        self.must(")")?;
        let out = self.emit(Op::JumpUnless(0));
        self.loops.push(Loop { breaks: vec![out], continues: Vec::new() });
        self.body()?;
        self.emit(Op::Jump(start));
        self.end_loop(start);
        Ok(())
    }

    pub(super) fn do_statement(&mut self) -> Result<(), Wrong> {
        let start = self.here();
        self.loops.push(Loop::default());
        self.body()?;
        self.separators();
        if !self.take_word("while") {
            return self.wrong();
        }
        let again = self.here();
        self.must("(")?;
        self.value()?;
        self.must(")")?;
        self.emit(Op::JumpIf(start));
        self.end_loop(again);
        self.terminator()
    }

    pub(super) fn for_statement(&mut self) -> Result<(), Wrong> {
        self.must("(")?;
        if let (Token::Name(name), Token::Word("in"), Token::Name(array)) =
            (self.peek().clone(), self.peek_at(1).clone(), self.peek_at(2).clone())
            && *self.peek_at(3) == Token::Op(")")
        {
            self.at += 4;
            return self.for_in(&name, &array);
        }
        if !self.sees(";") {
            self.no_in = true;
            let parsed = self.simple();
            self.no_in = false;
            parsed?;
        }
        self.must(";")?;
        self.newlines();
        let condition = self.here();
        let mut breaks = Vec::new();
        if !self.sees(";") {
            self.value()?;
            breaks.push(self.emit(Op::JumpUnless(0)));
        }
        self.must(";")?;
        self.newlines();
        let into = self.emit(Op::Jump(0));
        let again = self.here();
        if !self.sees(")") {
            self.simple()?;
        }
        self.must(")")?;
        self.emit(Op::Jump(condition));
        self.land(into);
        self.loops.push(Loop { breaks, continues: Vec::new() });
        self.body()?;
        self.emit(Op::Jump(again));
        self.end_loop(again);
        Ok(())
    }

    fn for_in(&mut self, name: &str, array: &str) -> Result<(), Wrong> {
        let array = self.variable(array);
        let name = self.variable(name);
        self.emit(Op::ForIn(array));
        let start = self.here();
        let out = self.emit(Op::ForNext(0));
        self.emit(Op::Store(name));
        self.emit(Op::Pop);
        self.loops.push(Loop { breaks: vec![out], continues: Vec::new() });
        self.body()?;
        self.emit(Op::Jump(start));
        self.end_loop(start);
        self.emit(Op::ForEnd);
        Ok(())
    }
}
