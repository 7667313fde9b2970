//! Tables and what statements do to them.

use super::expr::{Expr, Scope, Value};
use super::fail::Fail;
use super::parse::{Column, Statement};
use super::select;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one table, at most.
const ROWS_MAX: usize = 20_000;

#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Value>>,
    next: i64,
}

#[derive(Clone, Default)]
pub(super) struct Database {
    pub(super) tables: BTreeMap<String, Table>,
    indexes: BTreeSet<String>,
}

/// What a statement came to.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) titles: Vec<String>,
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) tag: String,
    pub(super) notices: Vec<String>,
    /// Whether anything may have changed.
    pub(super) writes: bool,
}

impl Answer {
    pub(super) fn rows(titles: Vec<String>, rows: Vec<Vec<Value>>) -> Answer {
        let tag = format!("SELECT {}", rows.len());
        Answer { titles, rows, tag, ..Answer::default() }
    }

    fn tag(tag: impl Into<String>) -> Answer {
        Answer { tag: tag.into(), writes: true, ..Answer::default() }
    }

    fn skipped(tag: &str, notice: String) -> Answer {
        Answer { tag: tag.to_owned(), notices: vec![notice], ..Answer::default() }
    }
}

impl Database {
    fn table(&self, name: &str, at: usize) -> Result<&Table, Fail> {
        self.tables.get(name).ok_or_else(|| Fail::NoTable(name.to_owned(), at))
    }

    /// Runs one statement that is about this database alone.
    pub(super) fn statement(
        &mut self,
        statement: Statement,
        scope: &Scope,
    ) -> Result<Answer, Fail> {
        Ok(match statement {
            Statement::Select(select) => {
                let table = match &select.table {
                    Some((name, at)) => Some(self.table(name, *at)?),
                    None => None,
                };
                select::run(&select, table, scope)?
            }
            Statement::CreateTable { name, columns, if_missing } => {
                self.create(name, columns, if_missing)?
            }
            Statement::Insert { table, at, columns, rows, ignore, returning } => {
                let made = self.insert(&table, at, &columns, &rows, ignore, scope)?;
                let mut answer = Answer::tag(format!("INSERT 0 {}", made.len()));
                if !returning.is_empty() {
                    let own = self.table(&table, at)?;
                    let names: Vec<String> = own.columns.iter().map(|c| c.name.clone()).collect();
                    for row in &made {
                        answer.rows.push(select::shown(&returning, row, scope, &names)?);
                    }
                    let star = returning.iter().any(|(expr, _)| expr.is_none());
                    let titles = returning.iter().map(|(_, title)| title.clone()).collect();
                    answer.titles = if star { names } else { titles };
                }
                answer
            }
            Statement::Update { table, at, sets, filter } => {
                self.update(&table, at, &sets, filter.as_ref(), scope)?
            }
            Statement::Delete { table, at, filter } => {
                self.table(&table, at)?;
                let gone = self.delete(table, filter.as_ref(), scope)?;
                Answer::tag(format!("DELETE {gone}"))
            }
            Statement::ShowTables => {
                let rows = self.tables.keys().map(|name| vec![Value::Text(name.clone())]).collect();
                Answer::rows(vec![format!("Tables_in_{}", scope.database)], rows)
            }
            Statement::Describe(name, at) => described(self.table(&name, at)?),
            Statement::Quiet(tag) => Answer { tag: tag.to_owned(), ..Answer::default() },
            other => self.shape(other, scope)?,
        })
    }

    /// Statements about tables, not rows.
    fn shape(&mut self, statement: Statement, scope: &Scope) -> Result<Answer, Fail> {
        Ok(match statement {
            Statement::CreateIndex { name, table, at, if_missing } => {
                self.table(&table, at)?;
                let fresh = self.indexes.insert(name.clone());
                match (fresh, if_missing) {
                    (true, _) => Answer::tag("CREATE INDEX"),
                    (false, true) => {
                        let text = format!("relation \"{name}\" already exists, skipping");
                        Answer::skipped("CREATE INDEX", text)
                    }
                    (false, false) => return Err(Fail::TableExists(name)),
                }
            }
            Statement::DropTable { names, if_there } => {
                let mut answer = Answer::tag("DROP TABLE");
                for (name, at) in names {
                    if self.tables.remove(&name).is_none() {
                        if !if_there {
                            return Err(Fail::NoTable(name, at));
                        }
                        let text = format!("table \"{name}\" does not exist, skipping");
                        answer.notices.push(text);
                    }
                }
                answer
            }
            Statement::Truncate { table, at } => {
                self.table(&table, at)?;
                self.tables.entry(table).or_default().rows.clear();
                Answer::tag("TRUNCATE TABLE")
            }
            Statement::AddColumn { table, at, column, if_missing } => {
                self.add_column(&table, at, column, if_missing, scope)?
            }
            _ => return Err(Fail::NotSimulated("this statement".to_owned())),
        })
    }

    fn create(
        &mut self,
        name: String,
        columns: Vec<Column>,
        if_missing: bool,
    ) -> Result<Answer, Fail> {
        if self.tables.contains_key(&name) {
            if !if_missing {
                return Err(Fail::TableExists(name));
            }
            let text = format!("relation \"{name}\" already exists, skipping");
            return Ok(Answer::skipped("CREATE TABLE", text));
        }
        self.tables.insert(name, Table { columns, rows: Vec::new(), next: 1 });
        Ok(Answer::tag("CREATE TABLE"))
    }

    fn add_column(
        &mut self,
        table: &str,
        at: usize,
        column: Column,
        if_missing: bool,
        scope: &Scope,
    ) -> Result<Answer, Fail> {
        self.table(table, at)?;
        let own = self.tables.entry(table.to_owned()).or_default();
        if own.columns.iter().any(|c| c.name == column.name) {
            if !if_missing {
                return Err(Fail::ColumnExists(table.to_owned(), column.name));
            }
            let name = &column.name;
            let text =
                format!("column \"{name}\" of relation \"{table}\" already exists, skipping");
            return Ok(Answer::skipped("ALTER TABLE", text));
        }
        let value = match &column.default {
            Some(expr) => expr.value(scope)?,
            None => Value::Null,
        };
        own.rows.iter_mut().for_each(|row| row.push(value.clone()));
        own.columns.push(column);
        Ok(Answer::tag("ALTER TABLE"))
    }

    fn insert(
        &mut self,
        table: &str,
        at: usize,
        columns: &[(String, usize)],
        rows: &[Vec<Option<Expr>>],
        ignore: bool,
        scope: &Scope,
    ) -> Result<Vec<Vec<Value>>, Fail> {
        let own = self.table(table, at)?;
        let mut places = Vec::new();
        for (name, at) in columns {
            let idx = own.columns.iter().position(|c| c.name == *name);
            places.push(idx.ok_or_else(|| Fail::NoColumn(name.clone(), *at))?);
        }
        if columns.is_empty() {
            places = (0..own.columns.len()).collect();
        }
        let mut changed = own.clone();
        let mut made = Vec::new();
        for given in rows {
            if given.len() > places.len() {
                return Err(Fail::TooManyValues);
            }
            let mut row = Vec::new();
            for (idx, column) in changed.columns.clone().iter().enumerate() {
                let expr =
                    places.iter().position(|p| *p == idx).and_then(|n| given.get(n)?.as_ref());
                row.push(match (expr, &column.default) {
                    (Some(expr), _) => fit(expr.value(scope)?, &column.kind)?,
                    (None, _) if column.serial => {
                        changed.next += 1;
                        Value::Int(changed.next - 1)
                    }
                    (None, Some(default)) => fit(default.value(scope)?, &column.kind)?,
                    (None, None) => Value::Null,
                });
            }
            match changed.check(table, &row, None) {
                Err(Fail::Duplicate(..)) if ignore => continue,
                other => other?,
            }
            if changed.rows.len() < ROWS_MAX {
                changed.rows.push(row.clone());
            }
            made.push(row);
        }
        self.tables.insert(table.to_owned(), changed);
        Ok(made)
    }

    /// How many rows went.
    fn delete(
        &mut self,
        table: String,
        filter: Option<&Expr>,
        scope: &Scope,
    ) -> Result<usize, Fail> {
        let own = self.tables.entry(table).or_default();
        let names: Vec<String> = own.columns.iter().map(|c| c.name.clone()).collect();
        let mut kept = Vec::new();
        for row in &own.rows {
            let over = select::over(scope, &names, row);
            if !filter.map_or(Ok(true), |f| f.holds(&over))? {
                kept.push(row.clone());
            }
        }
        let gone = own.rows.len() - kept.len();
        own.rows = kept;
        Ok(gone)
    }

    fn update(
        &mut self,
        table: &str,
        at: usize,
        sets: &[(String, usize, Expr)],
        filter: Option<&Expr>,
        scope: &Scope,
    ) -> Result<Answer, Fail> {
        let own = self.table(table, at)?;
        let names: Vec<String> = own.columns.iter().map(|c| c.name.clone()).collect();
        let mut changed = own.clone();
        let mut n = 0;
        for idx in 0..changed.rows.len() {
            let old = changed.rows[idx].clone();
            let over = select::over(scope, &names, &old);
            if !filter.map_or(Ok(true), |f| f.holds(&over))? {
                continue;
            }
            let mut row = old.clone();
            for (name, at, expr) in sets {
                let place = names.iter().position(|own| own == name);
                let place = place.ok_or_else(|| Fail::NoColumn(name.clone(), *at))?;
                row[place] = fit(expr.value(&over)?, &changed.columns[place].kind)?;
            }
            changed.check(table, &row, Some(idx))?;
            changed.rows[idx] = row;
            n += 1;
        }
        self.tables.insert(table.to_owned(), changed);
        Ok(Answer::tag(format!("UPDATE {n}")))
    }
}

impl Table {
    /// Whether a row may stand in the table; `own` is the place it has already.
    fn check(&self, table: &str, row: &[Value], own: Option<usize>) -> Result<(), Fail> {
        for (idx, column) in self.columns.iter().enumerate() {
            let value = row.get(idx).unwrap_or(&Value::Null);
            if *value == Value::Null {
                if column.not_null {
                    let shown: Vec<String> =
                        row.iter().map(|v| v.show().unwrap_or("null".to_owned())).collect();
                    let row = shown.join(", ");
                    return Err(Fail::Null(table.to_owned(), column.name.clone(), row));
                }
                continue;
            }
            let same = |(at, other): (usize, &Vec<Value>)| {
                Some(at) != own && other.get(idx) == Some(value)
            };
            if column.unique && self.rows.iter().enumerate().any(same) {
                let shown = value.show().unwrap_or_default();
                let name = column.name.clone();
                return Err(Fail::Duplicate(table.to_owned(), name, shown, column.primary));
            }
        }
        Ok(())
    }
}

/// A value as a column of this type holds it.
fn fit(value: Value, kind: &str) -> Result<Value, Fail> {
    let base = kind.split(['(', ' ']).next().unwrap_or("");
    let whole =
        ["int", "integer", "bigint", "smallint", "serial", "bigserial", "tinyint", "int4", "int8"];
    let broken = ["numeric", "decimal", "real", "double", "float", "float8"];
    Ok(match (value, base) {
        (Value::Text(text), base) if whole.contains(&base) => match text.trim().parse() {
            Ok(n) => Value::Int(n),
            Err(_) => return Err(Fail::BadValue("integer".to_owned(), text)),
        },
        (Value::Num(n), base) if whole.contains(&base) => Value::Int(n.round() as i64),
        (Value::Text(text), base) if broken.contains(&base) => match text.trim().parse() {
            Ok(n) => Value::Num(n),
            Err(_) => return Err(Fail::BadValue(base.to_owned(), text)),
        },
        (Value::Int(n), "boolean" | "bool") => Value::Bool(n != 0),
        (Value::Text(text), "boolean" | "bool") => match text.to_lowercase().as_str() {
            "t" | "true" | "1" | "yes" | "on" => Value::Bool(true),
            "f" | "false" | "0" | "no" | "off" => Value::Bool(false),
            _ => return Err(Fail::BadValue("boolean".to_owned(), text)),
        },
        (value @ (Value::Int(_) | Value::Num(_)), "text" | "varchar" | "char" | "character") => {
            Value::Text(value.show().unwrap_or_default())
        }
        (value, _) => value,
    })
}

/// MariaDB's `DESCRIBE`.
fn described(table: &Table) -> Answer {
    let text = |text: &str| Value::Text(text.to_owned());
    let titles = ["Field", "Type", "Null", "Key", "Default", "Extra"];
    let row = |column: &Column| {
        let kind = match column.kind.as_str() {
            "int" | "integer" => "int(11)",
            "bigint" => "bigint(20)",
            other => other,
        };
        let key = match (column.primary, column.unique) {
            (true, _) => "PRI",
            (_, true) => "UNI",
            _ => "",
        };
        let default = match &column.default {
            Some(Expr::Value(value)) => text(&value.show().unwrap_or_default()),
            _ => Value::Null,
        };
        let extra = if column.serial { "auto_increment" } else { "" };
        let null = if column.not_null { "NO" } else { "YES" };
        vec![text(&column.name), text(kind), text(null), text(key), default, text(extra)]
    };
    let rows = table.columns.iter().map(row).collect();
    Answer::rows(titles.iter().map(|t| (*t).to_owned()).collect(), rows)
}
