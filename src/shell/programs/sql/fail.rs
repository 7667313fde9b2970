//! What can be wrong with a statement, in PostgreSQL's and in MariaDB's words.

use super::Dialect;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fail {
    /// The word it stumbled over; nothing is the end.
    Syntax(String, usize),
    NoTable(String, usize),
    NoColumn(String, usize),
    TableExists(String),
    ColumnExists(String, String),
    DatabaseExists(String),
    NoDatabase(String),
    /// Table, column, value, whether it is the primary key.
    Duplicate(String, String, String, bool),
    /// Table, column, the row.
    Null(String, String, String),
    /// Type and text.
    BadValue(String, String),
    TooManyValues,
    DivisionByZero,
    NoneSelected,
    NotSimulated(String),
}

impl Fail {
    /// The message: for PostgreSQL with its detail and the line with a mark under the place.
    pub(super) fn text(&self, dialect: Dialect, sql: &str, database: &str) -> String {
        match dialect {
            Dialect::Postgres => self.postgres(sql),
            Dialect::Maria => {
                let (number, state, text) = self.maria(sql, database);
                format!("ERROR {number} ({state}) at line {{line}}: {text}")
            }
        }
    }

    /// Severity and sentence, as the log has them too.
    pub(super) fn sentence(&self) -> String {
        match self {
            Fail::Syntax(near, _) if near.is_empty() => "syntax error at end of input".to_owned(),
            Fail::Syntax(near, _) => format!("syntax error at or near \"{near}\""),
            Fail::NoTable(name, _) => format!("relation \"{name}\" does not exist"),
            Fail::NoColumn(name, _) => format!("column \"{name}\" does not exist"),
            Fail::TableExists(name) => format!("relation \"{name}\" already exists"),
            Fail::ColumnExists(table, column) => {
                format!("column \"{column}\" of relation \"{table}\" already exists")
            }
            Fail::DatabaseExists(name) => format!("database \"{name}\" already exists"),
            Fail::NoDatabase(name) => format!("database \"{name}\" does not exist"),
            Fail::Duplicate(table, column, _, primary) => {
                let key = match primary {
                    true => format!("{table}_pkey"),
                    false => format!("{table}_{column}_key"),
                };
                format!("duplicate key value violates unique constraint \"{key}\"")
            }
            Fail::Null(table, column, _) => format!(
                "null value in column \"{column}\" of relation \"{table}\" violates not-null \
                 constraint"
            ),
            Fail::BadValue(kind, text) => {
                format!("invalid input syntax for type {kind}: \"{text}\"")
            }
            Fail::TooManyValues => "INSERT has more expressions than target columns".to_owned(),
            Fail::DivisionByZero => "division by zero".to_owned(),
            Fail::NoneSelected => "no database selected".to_owned(),
            Fail::NotSimulated(what) => format!("not simulated: {what}"),
        }
    }

    fn postgres(&self, sql: &str) -> String {
        let mut out = format!("ERROR:  {}", self.sentence());
        match self {
            Fail::Duplicate(_, column, value, _) => {
                out.push_str(&format!("\nDETAIL:  Key ({column})=({value}) already exists."));
            }
            Fail::Null(_, _, row) => {
                out.push_str(&format!("\nDETAIL:  Failing row contains ({row})."));
            }
            Fail::Syntax(_, at) | Fail::NoTable(_, at) | Fail::NoColumn(_, at) => {
                let before = sql.get(..*at).unwrap_or(sql);
                let from = before.rfind('\n').map_or(0, |at| at + 1);
                let line = sql[from..].lines().next().unwrap_or("");
                let head = format!("LINE {}: ", before.matches('\n').count() + 1);
                let blank = " ".repeat(
                    head.len() + sql[from..].get(..at - from).map_or(0, |t| t.chars().count()),
                );
                out.push_str(&format!("\n{head}{line}\n{blank}^"));
            }
            _ => {}
        }
        out
    }

    fn maria(&self, sql: &str, database: &str) -> (u16, &'static str, String) {
        match self {
            Fail::Syntax(_, at) => {
                let near: String = sql.get(*at..).unwrap_or("").chars().take(80).collect();
                let text = "You have an error in your SQL syntax; check the manual that \
                            corresponds to your MariaDB server version for the right syntax to use";
                (1064, "42000", format!("{text} near '{near}' at line 1"))
            }
            Fail::NoTable(name, _) => {
                (1146, "42S02", format!("Table '{database}.{name}' doesn't exist"))
            }
            Fail::NoColumn(name, _) => {
                (1054, "42S22", format!("Unknown column '{name}' in 'field list'"))
            }
            Fail::TableExists(name) => (1050, "42S01", format!("Table '{name}' already exists")),
            Fail::ColumnExists(_, column) => {
                (1060, "42S21", format!("Duplicate column name '{column}'"))
            }
            Fail::DatabaseExists(name) => {
                (1007, "HY000", format!("Can't create database '{name}'; database exists"))
            }
            Fail::NoDatabase(name) => (1049, "42000", format!("Unknown database '{name}'")),
            Fail::Duplicate(_, column, value, primary) => {
                let key = if *primary { "PRIMARY" } else { column };
                (1062, "23000", format!("Duplicate entry '{value}' for key '{key}'"))
            }
            Fail::Null(_, column, _) => {
                (1048, "23000", format!("Column '{column}' cannot be null"))
            }
            Fail::BadValue(kind, text) => {
                (1366, "22007", format!("Incorrect {kind} value: '{text}'"))
            }
            Fail::TooManyValues => {
                (1136, "21S01", "Column count doesn't match value count at row 1".to_owned())
            }
            Fail::DivisionByZero => (1365, "22012", "Division by 0".to_owned()),
            Fail::NoneSelected => (1046, "3D000", "No database selected".to_owned()),
            Fail::NotSimulated(what) => (1235, "42000", format!("not simulated: {what}")),
        }
    }
}
