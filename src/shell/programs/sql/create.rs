//! CREATE and ALTER: how they are read.

use super::fail::Fail;
use super::lex::Token;
use super::parse::{Column, Parser, Statement};

impl Parser {
    pub(super) fn create(&mut self) -> Result<Statement, Fail> {
        if self.word("table") {
            return self.create_table();
        }
        let unique = self.word("unique");
        if self.word("index") {
            let if_missing = self.words("if not exists");
            let (name, _) = self.name()?;
            self.need_words("on")?;
            let (table, at) = self.name()?;
            self.brackets()?;
            if unique {
                return Err(Fail::NotSimulated("CREATE UNIQUE INDEX".to_owned()));
            }
            return Ok(Statement::CreateIndex { name, table, at, if_missing });
        }
        if self.word("database") {
            let if_missing = self.words("if not exists");
            let (name, _) = self.name()?;
            self.skip_rest();
            return Ok(Statement::CreateDatabase { name, if_missing });
        }
        if self.word("user") || self.word("role") {
            self.skip_rest();
            return Ok(Statement::Quiet("CREATE ROLE"));
        }
        match self.peek() {
            Some(Token::Word(what, false)) => {
                Err(Fail::NotSimulated(format!("CREATE {}", what.to_uppercase())))
            }
            _ => Err(self.stumble()),
        }
    }

    /// Skips `( ... )`.
    pub(super) fn brackets(&mut self) -> Result<(), Fail> {
        self.need("(")?;
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(Token::Sign(s)) if s == "(" => depth += 1,
                Some(Token::Sign(s)) if s == ")" => depth -= 1,
                Some(_) => {}
                None => return Err(self.stumble()),
            }
        }
        Ok(())
    }

    fn create_table(&mut self) -> Result<Statement, Fail> {
        let if_missing = self.words("if not exists");
        let (name, _) = self.name()?;
        self.need("(")?;
        let mut columns: Vec<Column> = Vec::new();
        loop {
            if self.words("primary key") || self.word("unique") {
                let primary = matches!(self.before(),
                    Some(Token::Word(w, _)) if w.eq_ignore_ascii_case("key"));
                self.need("(")?;
                let (own, at) = self.name()?;
                if !self.sign(")") {
                    return Err(Fail::NotSimulated("a key of several columns".to_owned()));
                }
                let column = columns.iter_mut().find(|c| c.name == own);
                let column = column.ok_or(Fail::NoColumn(own, at))?;
                column.unique = true;
                column.primary |= primary;
                column.not_null |= primary;
            } else if self.word("constraint") || self.word("foreign") || self.word("check") {
                return Err(Fail::NotSimulated("constraints between tables".to_owned()));
            } else {
                columns.push(self.column()?);
            }
            if !self.sign(",") {
                break;
            }
        }
        self.need(")")?;
        // What stands behind is about how a server stores it.
        while matches!(self.peek(), Some(Token::Word(..))) {
            self.next();
            self.sign("=");
            if matches!(self.peek(), Some(Token::Number(_) | Token::Text(_))) {
                self.next();
            }
        }
        Ok(Statement::CreateTable { name, columns, if_missing })
    }

    fn column(&mut self) -> Result<Column, Fail> {
        let (name, _) = self.name()?;
        let (first, _) = self.name()?;
        let mut kind = first;
        for more in ["varying", "precision", "unsigned", "without time zone", "with time zone"] {
            if self.words(more) {
                kind = format!("{kind} {more}");
            }
        }
        if self.sign("(") {
            let mut inner = String::new();
            while let Some(token) = self.next() {
                match token {
                    Token::Sign(s) if s == ")" => break,
                    Token::Sign(text) | Token::Number(text) | Token::Word(text, _) => {
                        inner.push_str(&text);
                    }
                    Token::Text(text) => inner.push_str(&format!("'{text}'")),
                }
            }
            kind = format!("{kind}({inner})");
        }
        for more in ["with time zone", "without time zone", "unsigned"] {
            self.words(more);
        }
        let mut column = Column { name, kind, ..Column::default() };
        column.serial = matches!(column.kind.as_str(), "serial" | "bigserial" | "smallserial");
        column.not_null = column.serial;
        loop {
            if self.words("primary key") {
                (column.primary, column.unique, column.not_null) = (true, true, true);
            } else if self.words("not null") {
                column.not_null = true;
            } else if self.word("unique") {
                column.unique = true;
            } else if self.word("auto_increment")
                || self.words("generated always as identity")
                || self.words("generated by default as identity")
            {
                (column.serial, column.not_null) = (true, true);
            } else if self.word("default") {
                column.default = Some(self.expr()?);
            } else if self.word("references") || self.word("check") {
                return Err(Fail::NotSimulated("constraints between tables".to_owned()));
            } else if self.words("on update current_timestamp") || self.word("null") {
                // Says nothing new.
            } else {
                return Ok(column);
            }
        }
    }

    pub(super) fn alter(&mut self) -> Result<Statement, Fail> {
        self.words("if exists");
        let (table, at) = self.name()?;
        if !self.word("add") {
            return Err(Fail::NotSimulated("this ALTER TABLE".to_owned()));
        }
        self.word("column");
        let if_missing = self.words("if not exists");
        let column = self.column()?;
        Ok(Statement::AddColumn { table, at, column, if_missing })
    }
}
