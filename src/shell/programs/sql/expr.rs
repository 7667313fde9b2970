//! Values of SQL and expressions over a row.

use super::fail::Fail;
use crate::shell::programs::wild::wild;
use std::cmp::Ordering;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Num(f64),
    Text(String),
}

impl Value {
    /// As a client shows it; None is NULL.
    pub(super) fn show(&self) -> Option<String> {
        Some(match self {
            Value::Null => return None,
            Value::Bool(b) => if *b { "t" } else { "f" }.to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Num(n) => format!("{n}"),
            Value::Text(text) => text.clone(),
        })
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Value::Int(_) | Value::Num(_))
    }

    fn number(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Num(n) => Some(*n),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null => None,
        }
    }

    /// None where one is NULL.
    pub(super) fn compare(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Null, _) | (_, Value::Null) => None,
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            (Value::Bool(b), Value::Text(text)) | (Value::Text(text), Value::Bool(b)) => {
                Some(b.cmp(&matches!(text.as_str(), "t" | "true" | "1" | "yes")))
            }
            (a, b) => match (a.number(), b.number()) {
                (Some(a), Some(b)) => a.partial_cmp(&b),
                _ => Some(a.show().cmp(&b.show())),
            },
        }
    }

    fn holds(&self) -> bool {
        match self {
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Value(Value),
    /// A column and where it is written.
    Column(String, usize),
    /// A function by name in small letters; `*` is no argument.
    Call(String, Vec<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>, bool),
    In(Box<Expr>, Vec<Expr>, bool),
    Binary(Box<Expr>, String, Box<Expr>),
}

/// What names mean while an expression is worked out.
pub(super) struct Scope<'a> {
    pub(super) columns: &'a [String],
    pub(super) row: &'a [Value],
    pub(super) now: &'a str,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
    pub(super) version: &'a str,
}

impl Expr {
    /// Whether it is over many rows: `count(*)`.
    pub(super) fn is_aggregate(&self) -> bool {
        match self {
            Expr::Call(name, args) => {
                matches!(name.as_str(), "count" | "sum" | "max" | "min" | "avg")
                    || args.iter().any(Expr::is_aggregate)
            }
            Expr::Binary(a, _, b) => a.is_aggregate() || b.is_aggregate(),
            _ => false,
        }
    }

    pub(super) fn value(&self, scope: &Scope) -> Result<Value, Fail> {
        Ok(match self {
            Expr::Value(value) => value.clone(),
            Expr::Column(name, at) => {
                let idx = scope.columns.iter().position(|own| own == name);
                match idx.and_then(|idx| scope.row.get(idx)) {
                    Some(value) => value.clone(),
                    None => return Err(Fail::NoColumn(name.clone(), *at)),
                }
            }
            Expr::Not(inner) => match inner.value(scope)? {
                Value::Null => Value::Null,
                value => Value::Bool(!value.holds()),
            },
            Expr::IsNull(inner, not) => Value::Bool((inner.value(scope)? == Value::Null) != *not),
            Expr::In(inner, list, not) => {
                let value = inner.value(scope)?;
                let mut found = false;
                for item in list {
                    found |= value.compare(&item.value(scope)?) == Some(Ordering::Equal);
                }
                Value::Bool(found != *not)
            }
            Expr::Binary(a, sign, b) => binary(&a.value(scope)?, sign, &b.value(scope)?)?,
            Expr::Call(name, args) => {
                let args: Result<Vec<Value>, Fail> = args.iter().map(|a| a.value(scope)).collect();
                call(name, &args?, scope)?
            }
        })
    }

    pub(super) fn holds(&self, scope: &Scope) -> Result<bool, Fail> {
        Ok(self.value(scope)?.holds())
    }
}

fn binary(a: &Value, sign: &str, b: &Value) -> Result<Value, Fail> {
    let order = a.compare(b);
    let test =
        |wanted: &[Ordering]| order.map_or(Value::Null, |o| Value::Bool(wanted.contains(&o)));
    Ok(match sign {
        "and" => Value::Bool(a.holds() && b.holds()),
        "or" => Value::Bool(a.holds() || b.holds()),
        "=" => test(&[Ordering::Equal]),
        "<>" | "!=" => test(&[Ordering::Less, Ordering::Greater]),
        "<" => test(&[Ordering::Less]),
        "<=" => test(&[Ordering::Less, Ordering::Equal]),
        ">" => test(&[Ordering::Greater]),
        ">=" => test(&[Ordering::Greater, Ordering::Equal]),
        "||" => match (a.show(), b.show()) {
            (Some(a), Some(b)) => Value::Text(a + &b),
            _ => Value::Null,
        },
        "like" | "ilike" => match (a.show(), b.show()) {
            (Some(text), Some(pattern)) => {
                let pattern = pattern.replace('%', "*").replace('_', "?");
                let fold = |t: String| if sign == "ilike" { t.to_lowercase() } else { t };
                Value::Bool(wild(&fold(pattern), &fold(text)))
            }
            _ => Value::Null,
        },
        _ => return arithmetic(a, sign, b),
    })
}

fn arithmetic(a: &Value, sign: &str, b: &Value) -> Result<Value, Fail> {
    if let (Value::Int(a), Value::Int(b)) = (a, b) {
        if matches!(sign, "/" | "%") && *b == 0 {
            return Err(Fail::DivisionByZero);
        }
        return Ok(Value::Int(match sign {
            "+" => a.saturating_add(*b),
            "-" => a.saturating_sub(*b),
            "*" => a.saturating_mul(*b),
            "/" => a.saturating_div(*b),
            _ => a.wrapping_rem(*b),
        }));
    }
    let (Some(a), Some(b)) = (a.number(), b.number()) else { return Ok(Value::Null) };
    Ok(Value::Num(match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" if b == 0.0 => return Err(Fail::DivisionByZero),
        "/" => a / b,
        _ => a % b,
    }))
}

fn call(name: &str, args: &[Value], scope: &Scope) -> Result<Value, Fail> {
    let text = |text: &str| Value::Text(text.to_owned());
    let first = || args.first().and_then(Value::show);
    Ok(match name {
        "now" | "current_timestamp" | "localtimestamp" => text(scope.now),
        "current_date" | "curdate" => text(scope.now.split(' ').next().unwrap_or("")),
        "version" => text(scope.version),
        "current_database" | "database" => text(scope.database),
        "current_user" | "user" | "session_user" => text(scope.user),
        "pg_is_in_recovery" => Value::Bool(false),
        "pg_sleep" | "sleep" => text(""),
        "lower" => first().map_or(Value::Null, |t| Value::Text(t.to_lowercase())),
        "upper" => first().map_or(Value::Null, |t| Value::Text(t.to_uppercase())),
        "length" | "char_length" => {
            first().map_or(Value::Null, |t| Value::Int(t.chars().count() as i64))
        }
        "concat" => Value::Text(args.iter().filter_map(Value::show).collect()),
        "coalesce" | "ifnull" => {
            args.iter().find(|v| **v != Value::Null).cloned().unwrap_or(Value::Null)
        }
        "abs" => match args.first() {
            Some(Value::Int(n)) => Value::Int(n.saturating_abs()),
            Some(Value::Num(n)) => Value::Num(n.abs()),
            _ => Value::Null,
        },
        name => return Err(Fail::NotSimulated(format!("the function {name}()"))),
    })
}
