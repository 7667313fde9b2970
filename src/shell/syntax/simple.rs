//! Simple commands and function definitions.

use super::parser::{Aliases, Parser, plain_text};
use super::tokens::{Check, Token};
use super::{Assign, Node, NodeKind, NodeRef, Part, Simple, SyntaxError, Word};
use crate::text::Span;
use std::rc::Rc;

impl Parser {
    pub(super) fn simple(&mut self, aliases: &Aliases) -> Result<NodeRef, SyntaxError> {
        let mut simple = Simple::default();
        let mut check = Check::ALIAS;
        let mut in_test = false;
        let mut function = false;
        let (start, line) = (self.token_start, self.input.line());
        loop {
            self.check = check;
            match self.token(aliases)? {
                Token::Function => {
                    if self.token(aliases)? != Token::Word {
                        return Err(self.unexpected(Some(Token::Word)));
                    }
                    self.push_back();
                    function = true;
                }
                token @ (Token::And | Token::Or) if in_test => {
                    simple.words.push(self.operator_word(token));
                }
                Token::Word => {
                    let word = std::mem::take(&mut self.word);
                    match word.literal() {
                        Some("[[") => in_test = true,
                        Some("]]") => in_test = false,
                        _ => {}
                    }
                    match word.assigns_to() {
                        Some(name) if check.aliases => {
                            let name = name.to_owned();
                            simple.assigns.push(Assign { name, value: word.value_part() });
                        }
                        _ => {
                            simple.words.push(word);
                            check = Check::default();
                        }
                    }
                    if function && self.function_follows(aliases)? {
                        return self.function(simple, aliases, start, line);
                    }
                    function = false;
                }
                Token::Redirect => simple.redirects.extend(self.redirect_target(aliases)?),
                Token::Open => {
                    if is_only_a_name(&simple) {
                        self.expect(Token::Close, aliases)?;
                        return self.function(simple, aliases, start, line);
                    }
                    self.push_back();
                    break;
                }
                _ => {
                    self.push_back();
                    break;
                }
            }
        }
        let span = Span::new(start, end_of(&simple).map_or(start, |end| end as usize));
        Ok(Rc::new(Node { kind: NodeKind::Simple(simple), line, span }))
    }

    /// `&&` within `[[ ]]` is a word.
    fn operator_word(&self, token: Token) -> Word {
        let text = if token == Token::And { "&&" } else { "||" };
        let span = Span::new(self.token_start, self.input.offset());
        Word { parts: vec![Part::Quoted(text.to_owned())], span, quoted: false }
    }

    /// After `function NAME`: whether its body follows at once; parentheses come later.
    fn function_follows(&mut self, aliases: &Aliases) -> Result<bool, SyntaxError> {
        self.check = Check { aliases: false, ..Check::AFTER_NEWLINES };
        let token = self.token(aliases)?;
        self.push_back();
        match token {
            Token::Begin | Token::If | Token::Case | Token::Until | Token::While | Token::For => {
                Ok(true)
            }
            Token::Open => Ok(false),
            Token::Word if self.word.literal() == Some("[[") => Ok(true),
            _ => Err(self.unexpected(None)),
        }
    }

    fn function(
        &mut self,
        simple: Simple,
        aliases: &Aliases,
        start: usize,
        line: u32,
    ) -> Result<NodeRef, SyntaxError> {
        let name = simple.words.first().map(plain_text).unwrap_or_default();
        if !self.pushed_back {
            self.check = Check::AFTER_NEWLINES;
        }
        let body = self.command(aliases)?;
        Ok(self.node(NodeKind::Function { name, body }, start, line))
    }
}

fn is_only_a_name(simple: &Simple) -> bool {
    simple.words.len() == 1 && simple.assigns.is_empty() && simple.redirects.is_empty()
}

fn end_of(simple: &Simple) -> Option<u32> {
    let word = simple.words.last().map(|word| word.span.end);
    let redirect = simple.redirects.last().map(|redirect| redirect.span.end);
    let assigned = simple.assigns.last().map(|assign| assign.value.span.end);
    word.max(redirect).max(assigned)
}
