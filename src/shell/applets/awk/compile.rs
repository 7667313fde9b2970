//! awk's grammar: rules and statements straight to instructions. Expressions are in `expr`.

use super::code::{Code, Dest, Op, Ref, SPECIAL};
use super::expr::Place;
use super::lex::{Token, tokens};
use std::collections::BTreeMap;

/// A line and what is wrong there.
pub(super) type Wrong = (u32, &'static str);

/// Blocks in blocks, parentheses in parentheses; deeper is refused.
pub(super) const DEPTH_MAX: usize = 200;

pub(super) struct Compiler {
    pub(super) tokens: Vec<(Token, u32)>,
    pub(super) at: usize,
    pub(super) code: Code,
    pub(super) lines: Vec<u32>,
    names: BTreeMap<String, usize>,
    function_names: BTreeMap<String, usize>,
    params: Vec<String>,
    pub(super) loops: Vec<Loop>,
    pub(super) no_gt: bool,
    pub(super) no_in: bool,
    pub(super) depth: usize,
}

/// Jumps of `break` and `continue` to be pointed when the loop ends.
#[derive(Default)]
pub(super) struct Loop {
    pub(super) breaks: Vec<usize>,
    pub(super) continues: Vec<usize>,
}

/// A program ready to run and the source line of each instruction.
pub(super) fn compile(source: &[u8]) -> Result<(Code, Vec<u32>), Wrong> {
    let mut compiler = Compiler {
        tokens: tokens(source)?,
        at: 0,
        code: Code::default(),
        lines: Vec::new(),
        names: BTreeMap::new(),
        function_names: BTreeMap::new(),
        params: Vec::new(),
        loops: Vec::new(),
        no_gt: false,
        no_in: false,
        depth: 0,
    };
    for name in SPECIAL {
        compiler.global(name);
    }
    compiler.program()?;
    Ok((compiler.code, compiler.lines))
}

impl Compiler {
    pub(super) fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens.get(self.at + ahead).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, line)| *line)
    }

    pub(super) fn wrong<T>(&self) -> Result<T, Wrong> {
        Err((self.line(), "Unexpected token"))
    }

    pub(super) fn sees(&self, op: &str) -> bool {
        matches!(self.peek(), Token::Op(here) if *here == op)
    }

    pub(super) fn take(&mut self, op: &str) -> bool {
        let seen = self.sees(op);
        self.at += usize::from(seen);
        seen
    }

    pub(super) fn must(&mut self, op: &str) -> Result<(), Wrong> {
        if self.take(op) { Ok(()) } else { self.wrong() }
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let seen = matches!(self.peek(), Token::Word(here) if *here == word);
        self.at += usize::from(seen);
        seen
    }

    pub(super) fn newlines(&mut self) {
        while *self.peek() == Token::Newline {
            self.at += 1;
        }
    }

    pub(super) fn separators(&mut self) {
        while *self.peek() == Token::Newline || self.sees(";") {
            self.at += 1;
        }
    }

    pub(super) fn emit(&mut self, op: Op) -> usize {
        self.lines.push(self.line());
        self.code.ops.push(op);
        self.code.ops.len() - 1
    }

    pub(super) fn here(&self) -> usize {
        self.code.ops.len()
    }

    /// Points a jump at the next instruction.
    pub(super) fn land(&mut self, jump: usize) {
        let here = self.here();
        self.point(jump, here);
    }

    pub(super) fn point(&mut self, jump: usize, to: usize) {
        if let Some(
            Op::Jump(at)
            | Op::JumpIf(at)
            | Op::JumpUnless(at)
            | Op::ForNext(at)
            | Op::JumpIfRange(_, at),
        ) = self.code.ops.get_mut(jump)
        {
            *at = to;
        }
    }

    pub(super) fn global(&mut self, name: &str) -> usize {
        if let Some(idx) = self.names.get(name) {
            return *idx;
        }
        let idx = self.code.globals.len();
        self.code.globals.push(name.to_owned());
        self.names.insert(name.to_owned(), idx);
        idx
    }

    pub(super) fn variable(&mut self, name: &str) -> Ref {
        match self.params.iter().position(|param| param == name) {
            Some(idx) => Ref::Local(idx),
            None => Ref::Global(self.global(name)),
        }
    }

    pub(super) fn function(&mut self, name: &str) -> usize {
        if let Some(idx) = self.function_names.get(name) {
            return *idx;
        }
        let idx = self.code.functions.len();
        self.code.functions.push(super::code::Function::default());
        self.function_names.insert(name.to_owned(), idx);
        idx
    }

    fn program(&mut self) -> Result<(), Wrong> {
        // Entries and the jumps at their ends, for BEGIN, the patterns and END.
        let mut chains: [Vec<(usize, usize)>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        self.separators();
        while *self.peek() != Token::End {
            if self.take_word("function") {
                self.function_definition()?;
                self.separators();
                continue;
            }
            let entry = self.here();
            let chain = if self.take_word("BEGIN") {
                self.block()?;
                0
            } else if self.take_word("END") {
                self.block()?;
                2
            } else {
                self.rule()?;
                1
            };
            let end = self.emit(Op::Jump(0));
            chains[chain].push((entry, end));
            self.separators();
        }
        let last = self.emit(Op::End);
        for chain in &chains {
            for (i, (_, end)) in chain.iter().enumerate() {
                let to = chain.get(i + 1).map_or(last, |(entry, _)| *entry);
                self.point(*end, to);
            }
        }
        let first = |chain: &Vec<(usize, usize)>| chain.first().map(|(entry, _)| *entry);
        self.code.begin = first(&chains[0]);
        self.code.main = first(&chains[1]);
        self.code.end = first(&chains[2]);
        Ok(())
    }

    fn function_definition(&mut self) -> Result<(), Wrong> {
        let name = match self.peek().clone() {
            Token::Name(name) | Token::Call(name) => name,
            _ => return self.wrong(),
        };
        self.at += 1;
        self.must("(")?;
        self.params.clear();
        let mut more = false;
        while more || !self.take(")") {
            self.newlines();
            let Token::Name(param) = self.peek().clone() else { return self.wrong() };
            self.params.push(param);
            self.at += 1;
            self.newlines();
            more = !self.sees(")");
            if more {
                self.must(",")?;
            }
        }
        self.newlines();
        let idx = self.function(&name);
        let entry = self.here();
        self.code.functions[idx] =
            super::code::Function { n_params: self.params.len(), entry: Some(entry) };
        self.block()?;
        self.emit(Op::Const(super::value::Value::Unset));
        self.emit(Op::Return);
        self.params.clear();
        Ok(())
    }

    fn rule(&mut self) -> Result<(), Wrong> {
        let mut skip = None;
        if !self.sees("{") {
            // Becomes a jump into the range, should this be one.
            let open = self.emit(Op::Jump(0));
            self.land(open);
            self.value()?;
            if self.take(",") {
                let range = self.code.n_ranges;
                self.code.n_ranges += 1;
                skip = Some(self.emit(Op::JumpUnless(0)));
                self.emit(Op::SetRange(range, true));
                let here = self.here();
                if let Some(op) = self.code.ops.get_mut(open) {
                    *op = Op::JumpIfRange(range, here);
                }
                self.newlines();
                self.value()?;
                let body = self.emit(Op::JumpUnless(0));
                self.emit(Op::SetRange(range, false));
                self.land(body);
            } else {
                skip = Some(self.emit(Op::JumpUnless(0)));
            }
        }
        if self.sees("{") {
            self.block()?;
        } else {
            self.emit(Op::Print(Dest::Stdout, 0));
        }
        if let Some(skip) = skip {
            self.land(skip);
        }
        Ok(())
    }

    fn block(&mut self) -> Result<(), Wrong> {
        self.newlines();
        self.must("{")?;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((self.line(), "Too deep"));
        }
        self.separators();
        while !self.take("}") {
            if *self.peek() == Token::End {
                return self.wrong();
            }
            self.statement()?;
            self.separators();
        }
        self.depth -= 1;
        Ok(())
    }

    /// The end of a simple statement.
    pub(super) fn terminator(&mut self) -> Result<(), Wrong> {
        if self.take(";") || self.sees("}") {
            return Ok(());
        }
        match self.peek() {
            Token::Newline => {
                self.at += 1;
                Ok(())
            }
            Token::End => Ok(()),
            _ => self.wrong(),
        }
    }

    pub(super) fn body(&mut self) -> Result<(), Wrong> {
        self.newlines();
        if self.take(";") {
            return Ok(());
        }
        self.statement()
    }

    fn statement(&mut self) -> Result<(), Wrong> {
        if self.sees("{") {
            return self.block();
        }
        let Token::Word(word) = *self.peek() else { return self.simple_statement() };
        if !matches!(word, "if" | "while" | "do" | "for") {
            return self.simple_statement();
        }
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err((self.line(), "Too deep"));
        }
        match word {
            "if" => self.if_statement()?,
            "while" => self.while_statement()?,
            "do" => self.do_statement()?,
            _ => self.for_statement()?,
        }
        self.depth -= 1;
        Ok(())
    }

    fn simple_statement(&mut self) -> Result<(), Wrong> {
        self.simple()?;
        self.terminator()
    }

    fn at_end_of_simple(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End) || self.sees(";") || self.sees("}")
    }

    /// A statement that has no block.
    pub(super) fn simple(&mut self) -> Result<(), Wrong> {
        let Token::Word(word) = *self.peek() else {
            self.value()?;
            self.emit(Op::Pop);
            return Ok(());
        };
        self.at += 1;
        match word {
            "print" | "printf" => return self.print(word == "printf"),
            "next" => drop(self.emit(Op::Next)),
            "nextfile" => drop(self.emit(Op::NextFile)),
            "exit" => {
                let has_code = !self.at_end_of_simple();
                if has_code {
                    self.value()?;
                }
                self.emit(Op::Exit(has_code));
            }
            "return" => {
                if self.at_end_of_simple() {
                    self.emit(Op::Const(super::value::Value::Unset));
                } else {
                    self.value()?;
                }
                self.emit(Op::Return);
            }
            "break" | "continue" => {
                let jump = self.emit(Op::Jump(0));
                match self.loops.last_mut() {
                    Some(inside) if word == "break" => inside.breaks.push(jump),
                    Some(inside) => inside.continues.push(jump),
                    None if word == "break" => return Err((self.line(), "'break' not in a loop")),
                    None => return Err((self.line(), "'continue' not in a loop")),
                }
            }
            "delete" => return self.delete(),
            _ => {
                self.at -= 1;
                self.value()?;
                self.emit(Op::Pop);
            }
        }
        Ok(())
    }

    fn delete(&mut self) -> Result<(), Wrong> {
        if self.at_end_of_simple() {
            return Err((self.line(), "Too few arguments"));
        }
        let Token::Name(name) = self.peek().clone() else { return self.wrong() };
        self.at += 1;
        let array = self.variable(&name);
        if self.take("[") {
            self.keys("]")?;
            self.emit(Op::Delete(array));
        } else {
            self.emit(Op::DeleteAll(array));
        }
        Ok(())
    }

    fn print(&mut self, formatted: bool) -> Result<(), Wrong> {
        let mut n = 0;
        let start = (self.at, self.here());
        let depth = self.depth;
        let mut listed = false;
        if self.take("(") {
            // A list in parentheses, unless what follows shows it was only an operand.
            if let Ok(found) = self.list(")") {
                let after =
                    self.at_end_of_simple() || [">", ">>", "|"].iter().any(|op| self.sees(op));
                if after && found == 0 {
                    return Err((self.line(), "Empty sequence"));
                }
                listed = after;
                n = found;
            }
            if !listed {
                self.at = start.0;
                self.depth = depth;
                self.code.ops.truncate(start.1);
                self.lines.truncate(start.1);
                n = 0;
            }
        }
        let redirects = |c: &Compiler| [">", ">>", "|"].iter().any(|op| c.sees(op));
        if !listed && !self.at_end_of_simple() && !redirects(self) {
            self.no_gt = true;
            loop {
                let parsed = self.value();
                if parsed.is_err() {
                    self.no_gt = false;
                    return parsed;
                }
                n += 1;
                if !self.take(",") {
                    break;
                }
                self.newlines();
            }
            self.no_gt = false;
        }
        let dest = match self.peek() {
            Token::Op(">") => Dest::File,
            Token::Op(">>") => Dest::Append,
            Token::Op("|") => Dest::Pipe,
            _ => Dest::Stdout,
        };
        if dest != Dest::Stdout {
            self.at += 1;
            self.no_gt = true;
            let place = self.concatenation();
            self.no_gt = false;
            let place: Place = place?;
            self.load(place);
        }
        self.emit(if formatted { Op::Printf(dest, n) } else { Op::Print(dest, n) });
        Ok(())
    }
}
