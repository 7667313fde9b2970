//! Single values against what a schema says of them, in the words of the server's validator.
//! Models k8s.io/kube-openapi/pkg/validation (v1.36) and apiextensions'
//! kubeOpenAPIResultToFieldErrors. Which fields there are is `mod`'s.

use super::Field;
use crate::check::cursor::At;
use crate::check::report::Report;
use crate::check::show;
use crate::regex::{Flavor, Options, Regex};
use crate::text::number;
use crate::yaml::{Node, Value};

fn is_whole(node: &Node) -> bool {
    match node.value {
        Value::Int(_) => true,
        Value::Float(number) => number.fract() == 0.0,
        _ => false,
    }
}

pub(super) fn fits(node: &Node, letters: &str) -> bool {
    let Some(first) = letters.chars().next() else { return true };
    match (first, &node.value) {
        ('x', _) | (_, Value::Null) | ('[', Value::Seq(_)) | ('{' | 'o', Value::Map(_)) => true,
        ('s' | 'q', Value::Str(_)) | ('b', Value::Bool(_)) => true,
        ('n', Value::Int(_) | Value::Float(_)) => true,
        ('i' | 'q', _) => is_whole(node),
        _ => false,
    }
}

/// Name and format of a value's type.
fn found(node: &Node) -> (&'static str, &'static str) {
    match node.value {
        Value::Null => ("null", ""),
        Value::Bool(_) => ("boolean", ""),
        Value::Int(_) => ("integer", "int64"),
        Value::Float(_) => ("number", "double"),
        Value::Str(_) => ("string", ""),
        Value::Seq(_) => ("array", ""),
        Value::Map(_) => ("object", ""),
    }
}

/// Models typeValidator.Validate.
pub(super) fn wrong_type(at: &At, letters: &str, r: &mut Report) {
    let Some(node) = at.node else { return };
    let (kind, format) = found(node);
    let sized = match letters {
        "i32" => "int32",
        "i64" => "int64",
        _ => "",
    };
    let by_format = !sized.is_empty() && !matches!(node.value, Value::Str(_) | Value::Seq(_));
    let wanted = match letters.chars().next() {
        _ if by_format => sized,
        Some('s') => "string",
        Some('b') => "boolean",
        Some('i') => "integer",
        Some('n') => "number",
        Some('q') => "integer,string",
        Some('[') => "array",
        _ => "object",
    };
    let shown = show::quote(if by_format { format } else { kind });
    let text = format!("{} in body must be of type {wanted}: {shown}", at.path);
    r.invalid_as(at, &shown, &text).code = "wrong-type".into();
}

/// Enumeration, pattern, least and most; each at the level of lists and maps it is about.
pub(super) fn bounds(at: &At, field: &Field, letters: &str, r: &mut Report) {
    let Some(node) = at.node else { return };
    let is_scalar = !matches!(node.value, Value::Seq(_) | Value::Map(_) | Value::Null);
    if is_scalar && !field.allowed.is_empty() && !field.allowed.contains(&at.str()) {
        r.unsupported_text(at, &field.allowed);
    }
    let few = r.found.len() < super::super::DIAGNOSTICS_MAX;
    if few && is_scalar && !field.pattern.is_empty() && matches!(node.value, Value::Str(_)) {
        pattern(at, field.pattern, r);
    }
    let outermost = letters.len() == field.letters.len();
    for bound in &field.bounds {
        let fits_level = match bound {
            b if b.starts_with("items") || b.starts_with("fields") => outermost,
            _ => is_scalar,
        };
        if fits_level {
            one(at, bound, r);
        }
    }
}

/// A pattern that takes too long, or that is none of ours, objects to nothing.
fn pattern(at: &At, pattern: &str, r: &mut Report) {
    let options = Options { flavor: Flavor::Extended, ignore_case: false, newline: false };
    let matched = Regex::new(pattern.as_bytes(), options).ok();
    let matched = matched.and_then(|regex| regex.is_match(at.str().as_bytes()).ok());
    if matched == Some(false) {
        let text = format!("{} in body should match '{pattern}'", at.path);
        r.invalid(at, &text);
    }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

fn one(at: &At, bound: &str, r: &mut Report) {
    let Some((what, limit)) = bound.split_once(['<', '>']) else { return };
    let Some(limit) = limit.strip_prefix('=') else { return };
    let (least, worth) = (bound.contains(">="), number::parse(limit).unwrap_or(0.0));
    let size = match what {
        "len" => at.node.and_then(Node::as_str).map(|text| text.chars().count() as f64),
        "items" | "fields" => Some(at.len() as f64),
        _ => at.node.and_then(number),
    };
    let Some(size) = size else { return };
    if (least && size >= worth) || (!least && size <= worth) {
        return;
    }
    if !what.is_empty() && !least {
        let max = worth as usize;
        let _ = if what == "len" { r.too_long(at, max) } else { r.too_many(at, at.len(), max) };
        return;
    }
    let more = match (what, least) {
        ("", true) => format!("should be greater than or equal to {limit}"),
        ("", false) => format!("should be less than or equal to {limit}"),
        ("len", true) => format!("should be at least {limit} chars long"),
        ("items", true) => format!("should have at least {limit} items"),
        ("fields", true) => format!("should have at least {limit} properties"),
        _ => return,
    };
    let shown = if matches!(what, "items" | "fields") { at.len().to_string() } else { at.shown() };
    r.invalid_as(at, &shown, &format!("{} in body {more}", at.path));
}
