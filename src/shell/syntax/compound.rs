//! Compound commands: `if`, `for`, `case`. Loops and groups are short enough for the grammar.

use super::parser::{Aliases, List, Parser};
use super::tokens::{Check, Token};
use super::{Arm, NodeKind, SyntaxError, is_name};

impl Parser {
    pub(super) fn if_command(&mut self, aliases: &Aliases) -> Result<NodeKind, SyntaxError> {
        let test = self.body(aliases)?;
        self.expect(Token::Then, aliases)?;
        let then = self.body(aliases)?;
        let otherwise = match self.token(aliases)? {
            Token::Elif => {
                self.enter()?;
                let (start, line) = (self.token_start, self.input.line());
                let kind = self.if_command(aliases)?;
                self.leave()?;
                Some(self.node(kind, start, line))
            }
            Token::Else => Some(self.body(aliases)?),
            _ => {
                self.push_back();
                None
            }
        };
        Ok(NodeKind::If { test, then, otherwise })
    }

    pub(super) fn for_command(&mut self, aliases: &Aliases) -> Result<NodeKind, SyntaxError> {
        let token = self.token(aliases)?;
        let name = self.word.literal().filter(|name| is_name(name)).map(str::to_owned);
        let (Token::Word, Some(name)) = (token, name) else {
            return Err(self.error("bad for loop variable"));
        };
        self.check = Check::AFTER_NEWLINES;
        let words = if self.token(aliases)? == Token::In {
            let mut words = Vec::new();
            while self.token(aliases)? == Token::Word {
                words.push(std::mem::take(&mut self.word));
            }
            if self.last != Token::Newline && self.last != Token::Semi {
                return Err(self.unexpected(None));
            }
            Some(words)
        } else {
            if self.last != Token::Semi {
                self.push_back();
            }
            None
        };
        self.check = Check::AFTER_NEWLINES;
        self.expect(Token::Do, aliases)?;
        let body = self.body(aliases)?;
        Ok(NodeKind::For { name, words, body })
    }

    pub(super) fn case_command(&mut self, aliases: &Aliases) -> Result<NodeKind, SyntaxError> {
        self.expect(Token::Word, aliases)?;
        let word = std::mem::take(&mut self.word);
        self.check = Check::AFTER_NEWLINES;
        self.expect(Token::In, aliases)?;
        let mut arms = Vec::new();
        loop {
            self.check = Check::KEYWORD_AFTER_NEWLINES;
            let token = self.token(aliases)?;
            if token == Token::Esac {
                break;
            }
            if token == Token::Open {
                self.token(aliases)?;
            }
            arms.push(self.arm(aliases)?);
            self.check = Check::KEYWORD_AFTER_NEWLINES;
            match self.token(aliases)? {
                Token::Esac => break,
                Token::CaseEnd => {}
                _ => return Err(self.unexpected(Some(Token::CaseEnd))),
            }
        }
        Ok(NodeKind::Case { word, arms })
    }

    /// A pattern list, whose first token was read, and its commands.
    fn arm(&mut self, aliases: &Aliases) -> Result<Arm, SyntaxError> {
        let mut patterns = Vec::new();
        loop {
            if self.last == Token::Word {
                patterns.push(std::mem::take(&mut self.word));
            } else if self.last == Token::End || self.last == Token::Newline {
                return Err(self.unexpected(Some(Token::Close)));
            } else {
                // Keywords are patterns like any word.
                patterns.push(std::mem::take(&mut self.word));
            }
            if self.token(aliases)? != Token::Pipe {
                break;
            }
            self.token(aliases)?;
        }
        if self.last != Token::Close {
            return Err(self.unexpected(Some(Token::Close)));
        }
        let body = self.list(List::MayBeEmpty, aliases)?;
        Ok(Arm { patterns, body })
    }
}
