//! Here-documents: their bodies follow the line they are announced on.

use super::parser::{Aliases, Parser};
use super::word::Mode;
use super::{Part, SyntaxError, Word};
use crate::text::Span;
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Pending {
    pub(super) body: Rc<RefCell<Word>>,
    pub(super) delimiter: String,
    /// The delimiter was quoted: nothing in the body is expanded.
    pub(super) quoted: bool,
    pub(super) strip_tabs: bool,
}

impl Parser {
    /// Reads the bodies that were announced, at the start of the line after.
    pub(super) fn read_heredocs(&mut self, aliases: &Aliases) -> Result<(), SyntaxError> {
        for pending in std::mem::take(&mut self.heredocs) {
            let start = self.input.offset();
            let mut text = String::new();
            // A line after a backslash at a line's end is the same line still.
            let mut joined = false;
            while let Some(line) = self.input.raw_line() {
                let line = match pending.strip_tabs && !joined {
                    true => line.trim_start_matches('\t'),
                    false => line.as_str(),
                };
                if line == pending.delimiter && !joined {
                    break;
                }
                let n_backslashes = line.len() - line.trim_end_matches('\\').len();
                joined = !pending.quoted && n_backslashes % 2 == 1;
                text.push_str(line);
                text.push('\n');
            }
            let span = Span::new(start, self.input.offset());
            let parts = if pending.quoted {
                vec![Part::Quoted(text)]
            } else {
                self.inner(&text, self.input.line(), |inner| inner.parts(Mode::Here, aliases))?
            };
            *pending.body.borrow_mut() = Word { parts, span, quoted: true };
        }
        Ok(())
    }
}
