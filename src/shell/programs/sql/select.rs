//! SELECT and expressions: how they are read, and what a SELECT finds.

use super::engine::{Answer, Table};
use super::expr::{Expr, Scope, Value};
use super::fail::Fail;
use super::lex::Token;
use super::parse::{Parser, Select};
use crate::order::Order;
use std::cmp::Ordering;

impl Parser {
    pub(super) fn select(&mut self) -> Result<Select, Fail> {
        if self.word("distinct") {
            return Err(Fail::NotSimulated("SELECT DISTINCT".to_owned()));
        }
        let items = self.items()?;
        let table = if self.word("from") { Some(self.name()?) } else { None };
        for more in ["join", "inner join", "left join", "cross join"] {
            if self.words(more) {
                return Err(Fail::NotSimulated("JOIN".to_owned()));
            }
        }
        if self.sign(",") {
            return Err(Fail::NotSimulated("SELECT from several tables".to_owned()));
        }
        let filter = self.filter()?;
        if self.words("group by") || self.word("having") || self.word("union") {
            return Err(Fail::NotSimulated("GROUP BY, HAVING and UNION".to_owned()));
        }
        let mut order = Vec::new();
        if self.words("order by") {
            loop {
                let by = self.expr()?;
                let down = self.word("desc");
                self.word("asc");
                order.push((by, down));
                if !self.sign(",") {
                    break;
                }
            }
        }
        let mut limit = None;
        if self.word("limit") {
            limit = match self.next() {
                Some(Token::Number(n)) => n.parse().ok(),
                _ => return Err(self.stumble()),
            };
        }
        Ok(Select { items, table, filter, order, limit })
    }

    pub(super) fn items(&mut self) -> Result<Vec<(Option<Expr>, String)>, Fail> {
        let mut items = Vec::new();
        loop {
            if self.sign("*") {
                items.push((None, String::new()));
            } else {
                let from = self.here();
                let expr = self.expr()?;
                let mut title = match &expr {
                    Expr::Column(name, _) => name.clone(),
                    _ if self.maria => self.written(from),
                    Expr::Call(name, _) => name.clone(),
                    _ => "?column?".to_owned(),
                };
                if self.word("as") {
                    title = self.name()?.0;
                }
                items.push((Some(expr), title));
            }
            if !self.sign(",") {
                return Ok(items);
            }
        }
    }

    pub(super) fn expr(&mut self) -> Result<Expr, Fail> {
        /// Brackets in brackets, at most.
        const DEPTH_MAX: usize = 40;
        if self.depth > DEPTH_MAX {
            return Err(Fail::NotSimulated("an expression this deep".to_owned()));
        }
        self.depth += 1;
        let expr = self.level(0);
        self.depth -= 1;
        expr
    }

    /// One level further in, which a long row of signs may not do for ever.
    fn deeper(&mut self, level: usize) -> Result<Expr, Fail> {
        self.depth += 1;
        let inner = if self.depth > 100 { Err(self.stumble()) } else { self.level(level) };
        self.depth -= 1;
        inner
    }

    /// Operators by how tightly they bind, loosest first.
    fn level(&mut self, depth: usize) -> Result<Expr, Fail> {
        const WORDS: [&str; 2] = ["or", "and"];
        const SIGNS: &[&[&str]] =
            &[&["=", "<>", "!=", "<=", ">=", "<", ">"], &["||"], &["+", "-"], &["*", "/", "%"]];
        match depth {
            0 | 1 => {
                let mut left = self.level(depth + 1)?;
                while self.word(WORDS[depth]) {
                    let right = self.level(depth + 1)?;
                    left = Expr::Binary(Box::new(left), WORDS[depth].to_owned(), Box::new(right));
                }
                Ok(left)
            }
            2 if self.word("not") => Ok(Expr::Not(Box::new(self.deeper(2)?))),
            2 => {
                let left = self.level(3)?;
                self.after(left)
            }
            3..7 => {
                let mut left = self.level(depth + 1)?;
                while let Some(sign) = SIGNS[depth - 3].iter().find(|sign| self.sign(sign)) {
                    let right = self.level(depth + 1)?;
                    left = Expr::Binary(Box::new(left), (*sign).to_owned(), Box::new(right));
                }
                Ok(left)
            }
            _ => self.one(),
        }
    }

    /// `IS NULL`, `IN (...)`, `LIKE` behind a value.
    fn after(&mut self, left: Expr) -> Result<Expr, Fail> {
        if self.words("is not null") {
            return Ok(Expr::IsNull(Box::new(left), true));
        }
        if self.words("is null") {
            return Ok(Expr::IsNull(Box::new(left), false));
        }
        let not = self.word("not");
        for word in ["like", "ilike"] {
            if self.word(word) {
                let right = self.level(3)?;
                let test = Expr::Binary(Box::new(left), word.to_owned(), Box::new(right));
                return Ok(if not { Expr::Not(Box::new(test)) } else { test });
            }
        }
        if self.word("in") {
            self.need("(")?;
            let mut list = vec![self.expr()?];
            while self.sign(",") {
                list.push(self.expr()?);
            }
            self.need(")")?;
            return Ok(Expr::In(Box::new(left), list, not));
        }
        if not { Err(self.stumble()) } else { Ok(left) }
    }

    fn one(&mut self) -> Result<Expr, Fail> {
        let at = self.here();
        if self.sign("(") {
            if self.word("select") {
                return Err(Fail::NotSimulated("a SELECT inside another statement".to_owned()));
            }
            let inner = self.expr()?;
            self.need(")")?;
            return Ok(inner);
        }
        if self.sign("-") {
            let inner = self.deeper(7)?;
            let zero = Expr::Value(Value::Int(0));
            return Ok(Expr::Binary(Box::new(zero), "-".to_owned(), Box::new(inner)));
        }
        for (word, value) in
            [("null", Value::Null), ("true", Value::Bool(true)), ("false", Value::Bool(false))]
        {
            if self.word(word) {
                return Ok(Expr::Value(value));
            }
        }
        let expr = match self.peek().cloned() {
            Some(token @ (Token::Number(_) | Token::Text(_))) => {
                self.next();
                self.literal(token)?
            }
            Some(Token::Word(..)) => {
                let (name, _) = self.name()?;
                if self.sign("(") {
                    let mut args = Vec::new();
                    if !self.sign("*") && !matches!(self.peek(), Some(Token::Sign(s)) if s == ")") {
                        args.push(self.expr()?);
                        while self.sign(",") {
                            args.push(self.expr()?);
                        }
                    }
                    self.need(")")?;
                    Expr::Call(name, args)
                } else if matches!(
                    name.as_str(),
                    "current_timestamp" | "current_user" | "current_date"
                ) {
                    Expr::Call(name, Vec::new())
                } else {
                    Expr::Column(name, at)
                }
            }
            _ => return Err(self.stumble()),
        };
        if self.sign("::") {
            self.name()?;
        }
        Ok(expr)
    }
}

/// A scope over one row of a table.
pub(super) fn over<'a>(base: &Scope<'a>, columns: &'a [String], row: &'a [Value]) -> Scope<'a> {
    Scope { columns, row, ..*base }
}

/// What a SELECT finds in `table`.
pub(super) fn run(select: &Select, table: Option<&Table>, base: &Scope) -> Result<Answer, Fail> {
    let names: Vec<String> =
        table.map_or(Vec::new(), |t| t.columns.iter().map(|c| c.name.clone()).collect());
    let one = [Vec::new()];
    let all: &[Vec<Value>] = table.map_or(&one, |table| &table.rows);
    let mut rows: Vec<&Vec<Value>> = Vec::new();
    for row in all {
        let scope = over(base, &names, row);
        if select.filter.as_ref().map_or(Ok(true), |filter| filter.holds(&scope))? {
            rows.push(row);
        }
    }
    let mut titles = Vec::new();
    for (expr, title) in &select.items {
        match expr {
            Some(_) => titles.push(title.clone()),
            None => titles.extend(names.iter().cloned()),
        }
    }
    if select.items.iter().any(|(expr, _)| expr.as_ref().is_some_and(Expr::is_aggregate)) {
        let mut row = Vec::new();
        for (expr, _) in &select.items {
            let Some(expr) = expr else { return Err(Fail::NotSimulated("GROUP BY".to_owned())) };
            row.push(aggregate(expr, &rows, base, &names)?);
        }
        return Ok(Answer::rows(titles, vec![row]));
    }
    sort(select, &mut rows, base, &names)?;
    let mut out = Vec::new();
    for row in rows.into_iter().take(select.limit.unwrap_or(usize::MAX)) {
        out.push(shown(&select.items, row, base, &names)?);
    }
    Ok(Answer::rows(titles, out))
}

/// A row as the list of a SELECT or RETURNING wants it.
pub(super) fn shown(
    items: &[(Option<Expr>, String)],
    row: &[Value],
    base: &Scope,
    names: &[String],
) -> Result<Vec<Value>, Fail> {
    let mut out = Vec::new();
    for (expr, _) in items {
        match expr {
            Some(expr) => out.push(expr.value(&over(base, names, row))?),
            None => out.extend(row.iter().cloned()),
        }
    }
    Ok(out)
}

fn sort(
    select: &Select,
    rows: &mut [&Vec<Value>],
    base: &Scope,
    names: &[String],
) -> Result<(), Fail> {
    for (by, down) in select.order.iter().rev() {
        let by = match by {
            Expr::Value(Value::Int(n)) => {
                let item = usize::try_from(*n - 1).ok().and_then(|n| select.items.get(n));
                item.and_then(|(expr, _)| expr.clone()).unwrap_or_else(|| by.clone())
            }
            _ => by.clone(),
        };
        if let Some(row) = rows.first() {
            by.value(&over(base, names, row))?;
        }
        let key = |row: &Vec<Value>| by.value(&over(base, names, row)).unwrap_or(Value::Null);
        rows.order_by(|a, b| {
            let (a, b) = (key(a), key(b));
            let order = match (a == Value::Null, b == Value::Null) {
                (false, false) => a.compare(&b).unwrap_or(Ordering::Equal),
                (a, b) => a.cmp(&b),
            };
            if *down { order.reverse() } else { order }
        });
    }
    Ok(())
}

fn aggregate(
    expr: &Expr,
    rows: &[&Vec<Value>],
    base: &Scope,
    names: &[String],
) -> Result<Value, Fail> {
    let Expr::Call(name, args) = expr else {
        return Err(Fail::NotSimulated("GROUP BY".to_owned()));
    };
    let Some(inner) = args.first() else { return Ok(Value::Int(rows.len() as i64)) };
    let mut values = Vec::new();
    for row in rows {
        let value = inner.value(&over(base, names, row))?;
        if value != Value::Null {
            values.push(value);
        }
    }
    let most = |wanted: Ordering| {
        values.iter().cloned().reduce(|a, b| if b.compare(&a) == Some(wanted) { b } else { a })
    };
    let sum = || {
        values.iter().try_fold(Value::Int(0), |sum, value| {
            let plus = Expr::Binary(
                Box::new(Expr::Value(sum)),
                "+".to_owned(),
                Box::new(Expr::Value(value.clone())),
            );
            plus.value(base)
        })
    };
    Ok(match name.as_str() {
        "count" => Value::Int(values.len() as i64),
        "max" => most(Ordering::Greater).unwrap_or(Value::Null),
        "min" => most(Ordering::Less).unwrap_or(Value::Null),
        _ if values.is_empty() => Value::Null,
        "sum" => sum()?,
        "avg" => {
            let n = values.len() as f64;
            match sum()? {
                Value::Int(sum) => Value::Num(sum as f64 / n),
                Value::Num(sum) => Value::Num(sum / n),
                other => other,
            }
        }
        name => return Err(Fail::NotSimulated(format!("{name}() over many rows"))),
    })
}
