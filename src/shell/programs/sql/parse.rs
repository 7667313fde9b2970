//! Statements of SQL: the small part the lab runs.

use super::Dialect;
use super::expr::{Expr, Value};
use super::fail::Fail;
use super::lex::{Placed, Token, tokens};

#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    pub(super) name: String,
    /// As `\d` shows it.
    pub(super) kind: String,
    pub(super) not_null: bool,
    pub(super) primary: bool,
    pub(super) unique: bool,
    /// Counts by itself.
    pub(super) serial: bool,
    pub(super) default: Option<Expr>,
}

#[derive(Clone, Debug)]
pub(super) struct Select {
    /// Each with its title; None is `*`.
    pub(super) items: Vec<(Option<Expr>, String)>,
    pub(super) table: Option<(String, usize)>,
    pub(super) filter: Option<Expr>,
    /// Column, title or number, and whether it goes down.
    pub(super) order: Vec<(Expr, bool)>,
    pub(super) limit: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    CreateTable {
        name: String,
        columns: Vec<Column>,
        if_missing: bool,
    },
    CreateIndex {
        name: String,
        table: String,
        at: usize,
        if_missing: bool,
    },
    CreateDatabase {
        name: String,
        if_missing: bool,
    },
    DropTable {
        names: Vec<(String, usize)>,
        if_there: bool,
    },
    Truncate {
        table: String,
        at: usize,
    },
    AddColumn {
        table: String,
        at: usize,
        column: Column,
        if_missing: bool,
    },
    Insert {
        table: String,
        at: usize,
        columns: Vec<(String, usize)>,
        rows: Vec<Vec<Option<Expr>>>,
        ignore: bool,
        returning: Vec<(Option<Expr>, String)>,
    },
    Update {
        table: String,
        at: usize,
        sets: Vec<(String, usize, Expr)>,
        filter: Option<Expr>,
    },
    Delete {
        table: String,
        at: usize,
        filter: Option<Expr>,
    },
    Select(Select),
    Begin,
    Commit,
    Rollback,
    Use(String),
    ShowTables,
    ShowDatabases,
    Describe(String, usize),
    /// Changes nothing here; its tag.
    Quiet(&'static str),
}

/// How real statements begin that the lab does not run.
const REAL: &[&str] = &[
    "with",
    "explain",
    "analyze",
    "vacuum",
    "copy",
    "merge",
    "call",
    "do",
    "alter",
    "drop",
    "revoke",
    "lock",
    "listen",
    "notify",
    "prepare",
    "execute",
    "show",
    "replace",
    "values",
    "table",
    "declare",
    "fetch",
    "reindex",
    "cluster",
    "refresh",
    "load",
    "savepoint",
];

pub(super) fn parse(sql: &str, dialect: Dialect) -> Result<Statement, Fail> {
    let tokens = tokens(sql);
    let maria = dialect == Dialect::Maria;
    let mut parser = Parser { tokens, at: 0, sql: sql.to_owned(), maria, depth: 0 };
    let statement = parser.statement()?;
    parser.sign(";");
    match parser.tokens.get(parser.at) {
        None => Ok(statement),
        Some(_) => Err(parser.stumble()),
    }
}

pub(super) struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    sql: String,
    /// A column without a name of its own is called as it is written.
    pub(super) maria: bool,
    /// Brackets open now.
    pub(super) depth: usize,
}

impl Parser {
    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.sql.len(), |(_, at)| *at)
    }

    pub(super) fn stumble(&self) -> Fail {
        let near = match self.tokens.get(self.at).map(|(token, _)| token) {
            None => String::new(),
            Some(Token::Word(text, _) | Token::Number(text) | Token::Sign(text)) => text.clone(),
            Some(Token::Text(text)) => format!("'{text}'"),
        };
        Fail::Syntax(near, self.place())
    }

    /// Takes a keyword if it comes next.
    pub(super) fn word(&mut self, wanted: &str) -> bool {
        let own = matches!(self.tokens.get(self.at),
            Some((Token::Word(text, false), _)) if text.eq_ignore_ascii_case(wanted));
        self.at += usize::from(own);
        own
    }

    /// Takes several keywords if all of them come next.
    pub(super) fn words(&mut self, wanted: &str) -> bool {
        let from = self.at;
        let all = wanted.split(' ').all(|word| self.word(word));
        if !all {
            self.at = from;
        }
        all
    }

    pub(super) fn sign(&mut self, wanted: &str) -> bool {
        let own = matches!(self.tokens.get(self.at), Some((Token::Sign(s), _)) if s == wanted);
        self.at += usize::from(own);
        own
    }

    pub(super) fn need(&mut self, sign: &str) -> Result<(), Fail> {
        if self.sign(sign) { Ok(()) } else { Err(self.stumble()) }
    }

    pub(super) fn need_words(&mut self, words: &str) -> Result<(), Fail> {
        if self.words(words) { Ok(()) } else { Err(self.stumble()) }
    }

    /// A name, without its schema; in small letters unless quoted.
    pub(super) fn name(&mut self) -> Result<(String, usize), Fail> {
        let at = self.place();
        let Some((Token::Word(text, quoted), _)) = self.tokens.get(self.at).cloned() else {
            return Err(self.stumble());
        };
        self.at += 1;
        if self.sign(".") {
            return self.name();
        }
        Ok((if quoted { text } else { text.to_lowercase() }, at))
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).map(|(token, _)| token.clone());
        self.at += 1;
        token
    }

    /// The token just taken.
    pub(super) fn before(&self) -> Option<&Token> {
        self.tokens.get(self.at.checked_sub(1)?).map(|(token, _)| token)
    }

    /// Takes whatever else stands there.
    pub(super) fn skip_rest(&mut self) {
        self.at = self.tokens.len();
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    /// What is written between two places.
    pub(super) fn written(&self, from: usize) -> String {
        self.sql.get(from..self.place()).unwrap_or("").trim().to_owned()
    }

    pub(super) fn here(&self) -> usize {
        self.place()
    }

    fn statement(&mut self) -> Result<Statement, Fail> {
        if self.word("select") {
            return self.select().map(Statement::Select);
        }
        if self.words("insert into") {
            return self.insert(false);
        }
        if self.words("insert ignore into") {
            return self.insert(true);
        }
        if self.word("create") {
            return self.create();
        }
        if self.word("update") {
            return self.update();
        }
        if self.words("delete from") {
            let (table, at) = self.name()?;
            return Ok(Statement::Delete { table, at, filter: self.filter()? });
        }
        if self.words("drop table") {
            let if_there = self.words("if exists");
            let mut names = vec![self.name()?];
            while self.sign(",") {
                names.push(self.name()?);
            }
            self.word("cascade");
            return Ok(Statement::DropTable { names, if_there });
        }
        if self.word("truncate") {
            self.word("table");
            let (table, at) = self.name()?;
            return Ok(Statement::Truncate { table, at });
        }
        if self.words("alter table") {
            return self.alter();
        }
        self.small()
    }

    fn small(&mut self) -> Result<Statement, Fail> {
        if self.word("begin") || self.words("start transaction") {
            self.word("transaction");
            return Ok(Statement::Begin);
        }
        if self.word("commit") || self.word("end") {
            return Ok(Statement::Commit);
        }
        if self.word("rollback") {
            return Ok(Statement::Rollback);
        }
        if self.word("use") {
            return Ok(Statement::Use(self.name()?.0));
        }
        if self.words("show tables") {
            return Ok(Statement::ShowTables);
        }
        if self.words("show databases") {
            return Ok(Statement::ShowDatabases);
        }
        if self.word("describe") || self.word("desc") {
            let (name, at) = self.name()?;
            return Ok(Statement::Describe(name, at));
        }
        for (head, tag) in
            [("grant", "GRANT"), ("set", "SET"), ("flush", "FLUSH"), ("comment", "COMMENT")]
        {
            if self.word(head) {
                self.at = self.tokens.len();
                return Ok(Statement::Quiet(tag));
            }
        }
        Err(self.unknown())
    }

    fn insert(&mut self, ignore: bool) -> Result<Statement, Fail> {
        let (table, at) = self.name()?;
        let mut columns = Vec::new();
        if self.sign("(") {
            loop {
                columns.push(self.name()?);
                if !self.sign(",") {
                    break;
                }
            }
            self.need(")")?;
        }
        if !self.word("values") {
            if matches!(self.peek(), Some(Token::Word(w, false)) if w.eq_ignore_ascii_case("select"))
            {
                return Err(Fail::NotSimulated("INSERT ... SELECT".to_owned()));
            }
            return Err(self.stumble());
        }
        let mut rows = Vec::new();
        loop {
            self.need("(")?;
            let mut row = Vec::new();
            loop {
                row.push(if self.word("default") { None } else { Some(self.expr()?) });
                if !self.sign(",") {
                    break;
                }
            }
            self.need(")")?;
            rows.push(row);
            if !self.sign(",") {
                break;
            }
        }
        let mut ignore = ignore;
        if self.words("on conflict") {
            if matches!(self.peek(), Some(Token::Sign(s)) if s == "(") {
                self.brackets()?;
            }
            if !self.words("do nothing") {
                return Err(Fail::NotSimulated("ON CONFLICT DO UPDATE".to_owned()));
            }
            ignore = true;
        }
        if self.words("on duplicate key") {
            return Err(Fail::NotSimulated("ON DUPLICATE KEY UPDATE".to_owned()));
        }
        let returning = if self.word("returning") { self.items()? } else { Vec::new() };
        Ok(Statement::Insert { table, at, columns, rows, ignore, returning })
    }

    fn update(&mut self) -> Result<Statement, Fail> {
        let (table, at) = self.name()?;
        self.need_words("set")?;
        let mut sets = Vec::new();
        loop {
            let (name, place) = self.name()?;
            self.need("=")?;
            sets.push((name, place, self.expr()?));
            if !self.sign(",") {
                break;
            }
        }
        Ok(Statement::Update { table, at, sets, filter: self.filter()? })
    }

    /// Why nothing of a statement is known: real, but not here; or no statement at all.
    fn unknown(&self) -> Fail {
        match self.peek() {
            Some(Token::Word(word, false)) if REAL.contains(&word.to_lowercase().as_str()) => {
                Fail::NotSimulated(format!("the statement {}", word.to_uppercase()))
            }
            _ => self.stumble(),
        }
    }

    pub(super) fn filter(&mut self) -> Result<Option<Expr>, Fail> {
        if self.word("where") { self.expr().map(Some) } else { Ok(None) }
    }

    pub(super) fn literal(&mut self, token: Token) -> Result<Expr, Fail> {
        Ok(Expr::Value(match token {
            Token::Number(text) if text.contains('.') => Value::Num(text.parse().unwrap_or(0.0)),
            Token::Number(text) => Value::Int(text.parse().unwrap_or(i64::MAX)),
            Token::Text(text) => Value::Text(text),
            _ => return Err(self.stumble()),
        }))
    }
}
