//! Tokens: operators, keywords, redirections, words.

use super::parser::{Aliases, Parser};
use super::{Redirect, SyntaxError, Target, Word};
use crate::text::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Newline,
    Redirect,
    Word,
    Semi,
    Background,
    And,
    Or,
    Pipe,
    Open,
    Close,
    CaseEnd,
    Not,
    Case,
    Do,
    Done,
    Elif,
    Else,
    Esac,
    Fi,
    For,
    Function,
    If,
    In,
    Then,
    Until,
    While,
    Begin,
    Finish,
}

const NAMES: &[(Token, &str)] = &[
    (Token::End, "end of file"),
    (Token::Newline, "newline"),
    (Token::Redirect, "redirection"),
    (Token::Word, "word"),
    (Token::Semi, ";"),
    (Token::Background, "&"),
    (Token::And, "&&"),
    (Token::Or, "||"),
    (Token::Pipe, "|"),
    (Token::Open, "("),
    (Token::Close, ")"),
    (Token::CaseEnd, ";;"),
    (Token::Not, "!"),
    (Token::Case, "case"),
    (Token::Do, "do"),
    (Token::Done, "done"),
    (Token::Elif, "elif"),
    (Token::Else, "else"),
    (Token::Esac, "esac"),
    (Token::Fi, "fi"),
    (Token::For, "for"),
    (Token::Function, "function"),
    (Token::If, "if"),
    (Token::In, "in"),
    (Token::Then, "then"),
    (Token::Until, "until"),
    (Token::While, "while"),
    (Token::Begin, "{"),
    (Token::Finish, "}"),
];

/// The first keyword in `NAMES`.
const FIRST_KEYWORD: usize = 12;

/// Whether a word is reserved.
pub fn is_keyword(text: &str) -> bool {
    NAMES[FIRST_KEYWORD..].iter().any(|(_, name)| *name == text)
}

impl Token {
    fn name(self) -> String {
        let (_, name) = NAMES.iter().find(|(t, _)| *t == self).unwrap_or(&NAMES[0]);
        match self {
            Token::End | Token::Newline | Token::Redirect | Token::Word => (*name).to_owned(),
            _ => format!("\"{name}\""),
        }
    }

    /// Tokens before which a list may be empty or ends.
    pub(super) fn ends_list(self) -> bool {
        use Token::*;
        matches!(self, End | Close | CaseEnd | Do | Done | Elif | Else | Esac | Fi | Then | Finish)
    }
}

/// What the next token may be taken for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Check {
    pub(super) aliases: bool,
    pub(super) keywords: bool,
    pub(super) newlines: bool,
    /// The delimiter of a here-document: nothing in it is expanded.
    pub(super) delimiter: bool,
}

impl Check {
    pub(super) const COMMAND: Check =
        Check { aliases: true, keywords: true, newlines: false, delimiter: false };
    pub(super) const AFTER_NEWLINES: Check = Check { newlines: true, ..Check::COMMAND };
    pub(super) const KEYWORD_AFTER_NEWLINES: Check =
        Check { aliases: false, ..Check::AFTER_NEWLINES };
    pub(super) const ALIAS: Check = Check { keywords: false, ..Check::COMMAND };
    pub(super) const DELIMITER: Check =
        Check { aliases: false, keywords: false, newlines: false, delimiter: true };
}

impl Parser {
    /// `unexpected X` or `unexpected X (expecting Y)`.
    pub(super) fn unexpected(&self, expected: Option<Token>) -> SyntaxError {
        let mut message = format!("unexpected {}", self.last.name());
        if let Some(token) = expected {
            message.push_str(&format!(" (expecting {})", token.name()));
        }
        let mut error = self.error(&message);
        error.incomplete = self.last == Token::End;
        if self.last != Token::End {
            error.offset = self.token_start as u32;
        }
        error
    }

    pub(super) fn error(&self, message: &str) -> SyntaxError {
        SyntaxError {
            message: message.to_owned(),
            offset: self.input.offset() as u32,
            line: self.input.line(),
            incomplete: false,
        }
    }

    /// Reads the next token under `self.check`, which it resets.
    pub(super) fn token(&mut self, aliases: &Aliases) -> Result<Token, SyntaxError> {
        let mut check = std::mem::take(&mut self.check);
        loop {
            let mut token = self.plain_token(check, aliases)?;
            while check.newlines && token == Token::Newline {
                self.read_heredocs(aliases)?;
                self.input.alias_follows = false;
                token = self.plain_token(check, aliases)?;
            }
            check.aliases |= std::mem::take(&mut self.input.alias_follows);
            if token != Token::Word || self.word.quoted {
                return Ok(token);
            }
            let Some(text) = self.word.literal() else { return Ok(token) };
            if check.keywords
                && let Some((keyword, _)) = NAMES[FIRST_KEYWORD..].iter().find(|(_, n)| *n == text)
            {
                self.last = *keyword;
                return Ok(*keyword);
            }
            if check.aliases
                && let Some(value) = aliases.get(text)
                && !self.input.in_alias(text)
            {
                let name = text.to_owned();
                self.input.push_alias(&name, value);
                continue;
            }
            return Ok(token);
        }
    }

    fn plain_token(&mut self, check: Check, aliases: &Aliases) -> Result<Token, SyntaxError> {
        if std::mem::take(&mut self.pushed_back) {
            return Ok(self.last);
        }
        self.last = self.read_token(check, aliases)?;
        Ok(self.last)
    }

    fn read_token(&mut self, check: Check, aliases: &Aliases) -> Result<Token, SyntaxError> {
        loop {
            self.input.skip_joins();
            self.token_start = self.input.offset();
            let Some(c) = self.input.peek() else { return Ok(Token::End) };
            match c {
                ' ' | '\t' => drop(self.input.next()),
                '#' => {
                    while self.input.peek_raw().is_some_and(|c| c != '\n') {
                        self.input.next_raw();
                    }
                }
                '&' if self.input.peek_second() == Some('>') => break,
                '\n' => return Ok(self.single(Token::Newline)),
                '(' => return Ok(self.single(Token::Open)),
                ')' => return Ok(self.single(Token::Close)),
                '&' => return Ok(self.double('&', Token::Background, Token::And)),
                '|' => return Ok(self.double('|', Token::Pipe, Token::Or)),
                ';' => return Ok(self.double(';', Token::Semi, Token::CaseEnd)),
                _ => break,
            }
        }
        self.word_or_redirect(check, aliases)
    }

    fn single(&mut self, token: Token) -> Token {
        self.input.next();
        token
    }

    fn double(&mut self, c: char, one: Token, two: Token) -> Token {
        self.input.next();
        if self.input.eat(c) { two } else { one }
    }

    fn word_or_redirect(&mut self, check: Check, aliases: &Aliases) -> Result<Token, SyntaxError> {
        let start = self.input.offset();
        let mut word = self.read_word(check.delimiter, aliases)?;
        word.span = Span::new(start, self.input.offset());
        let digits = match word.parts.as_slice() {
            [] => Some(""),
            _ => word.literal().filter(|text| text.bytes().all(|b| b.is_ascii_digit())),
        };
        let next = self.input.peek();
        let both = next == Some('&') && self.input.peek_second() == Some('>');
        let operator = matches!(next, Some('<' | '>')) || both;
        match digits {
            Some(digits) if operator && !word.quoted => {
                let fd = if digits.is_empty() { None } else { digits.parse().ok() };
                self.redirect_start(fd, both, start);
                Ok(Token::Redirect)
            }
            _ => {
                self.word = word;
                Ok(Token::Word)
            }
        }
    }

    /// Reads the operator; its word comes with the next token.
    fn redirect_start(&mut self, fd: Option<u32>, both: bool, start: usize) {
        let none = Word::default;
        let first = self.input.next();
        let (usual, to) = if both {
            self.input.next();
            (1, Target::WriteBoth(none()))
        } else if first == Some('>') {
            let to = match self.input.peek() {
                Some('>') => Target::Append(none()),
                Some('|') => Target::Clobber(none()),
                Some('&') => Target::Dup { word: none(), output: true },
                _ => Target::Write(none()),
            };
            if !matches!(to, Target::Write(_)) {
                self.input.next();
            }
            (1, to)
        } else {
            let to = match self.input.peek() {
                Some('<') => Target::Here(Default::default()),
                Some('&') => Target::Dup { word: none(), output: false },
                Some('>') => Target::ReadWrite(none()),
                _ => Target::Read(none()),
            };
            if !matches!(to, Target::Read(_)) {
                self.input.next();
            }
            self.strip_tabs = matches!(to, Target::Here(_)) && self.input.eat('-');
            (0, to)
        };
        let span = Span::new(start, self.input.offset());
        self.redirect = Some(Redirect { fd: fd.unwrap_or(usual), to, span });
    }
}
