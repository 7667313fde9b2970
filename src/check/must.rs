//! The constraints a single value can be under, so that rules are rows of a table.
//! What a name or a quantity is belongs to `kube`; this only says which rule a field is under.

use super::cursor::At;
use super::report::Report;
use crate::kube::names;
use crate::yaml::Value;

pub(super) const NON_NEGATIVE: &str = "must be greater than or equal to 0";
pub(super) const PORT: &str = "must be between 1 and 65535, inclusive";

/// A constraint on one field. Absent fields pass all but `Required`, `Set` and `Listed`.
#[derive(Clone, Copy)]
pub(super) enum Must {
    /// Not "" or absent.
    Required,
    /// As `Required`, with a word on why.
    Set(&'static str),
    NonNegative,
    /// Present ports only; 0 is out of range.
    Port,
    /// User and group ids.
    Id,
    /// File modes.
    Mode,
    Between(i64, i64, &'static str),
    /// One of these; "" counts as absent, as the server's defaults see it.
    OneOf(&'static [&'static str]),
    /// One of these, where the server keeps "" apart from absent.
    OneOfOrEmpty(&'static [&'static str]),
    /// One of these; absent counts as "", which is none of them.
    Among(&'static [&'static str]),
    /// A reference that, where it stands, names something.
    Refers,
    /// A name, where there is one.
    Name(Rule),
    /// A name, absent read as "".
    Is(Rule),
    /// A name that must be there.
    Named(Rule),
    /// A number of a port or a name of one.
    PortOrName,
}

/// Kinds of names: functions from a text to the server's objections.
pub(super) type Rule = fn(&str) -> Vec<String>;

impl Must {
    pub(super) fn check(self, at: &At, r: &mut Report) {
        match self {
            Must::Required => required(at, "", r),
            Must::Set(why) => required(at, why, r),
            Must::NonNegative => range(at, 0, i64::MAX, NON_NEGATIVE, r),
            Must::Port => range(at, 1, 65535, PORT, r),
            Must::Id => {
                let text = "must be between 0 and 2147483647, inclusive";
                range(at, 0, i64::from(i32::MAX), text, r);
            }
            Must::Mode => {
                let text = "must be a number between 0 and 0777 (octal), both inclusive";
                range(at, 0, 0o777, text, r);
            }
            Must::Between(low, high, text) => range(at, low, high, text, r),
            Must::OneOf(words) => {
                if !at.str().is_empty() && !words.contains(&at.str()) {
                    r.unsupported(at, words);
                }
            }
            Must::OneOfOrEmpty(words) => {
                if at.here() && !words.contains(&at.str()) {
                    r.unsupported(at, words);
                }
            }
            Must::Among(words) if !words.contains(&at.str()) => drop(r.unsupported(at, words)),
            Must::Among(_) => {}
            Must::Refers if at.here() => required(&at.get("name"), "", r),
            Must::Refers => {}
            Must::Is(rule) => objections(at, rule, r),
            Must::Name(rule) => name(at, rule, r),
            Must::Named(_) if at.str().is_empty() => required(at, "", r),
            Must::Named(rule) => name(at, rule, r),
            Must::PortOrName => port_or_name(at, r),
        }
    }
}

fn required(at: &At, why: &str, r: &mut Report) {
    let empty = match at.node.map(|n| &n.value) {
        None => true,
        Some(Value::Str(text)) => text.text.is_empty(),
        Some(Value::Seq(items)) => items.is_empty(),
        Some(_) => false,
    };
    if empty {
        r.required(at, why);
    }
}

fn range(at: &At, low: i64, high: i64, text: &str, r: &mut Report) {
    if at.int().is_some_and(|number| number < low || number > high) {
        r.invalid_int(at, text);
    }
}

fn name(at: &At, rule: Rule, r: &mut Report) {
    if !at.str().is_empty() {
        objections(at, rule, r);
    }
}

fn objections(at: &At, rule: Rule, r: &mut Report) {
    for objection in rule(at.str()) {
        r.invalid(at, &objection).code = "bad-name".into();
    }
}

fn port_or_name(at: &At, r: &mut Report) {
    match at.node.map(|n| &n.value) {
        Some(Value::Str(text)) => {
            for objection in names::port_name(&text.text) {
                r.invalid(at, &objection);
            }
        }
        // An absent number reads as 0.
        _ if !(1..=65535).contains(&at.int().unwrap_or(0)) => drop(r.invalid_int(at, PORT)),
        _ => {}
    }
}
