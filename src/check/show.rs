//! Values as Go prints them in messages: `%q`, JSON of maps, numbers. Not YAML.

use crate::text::quote as quoted;
use crate::yaml::{Node, Value};
use std::fmt::Write;

/// A value as a field error shows it.
pub(super) fn value(node: &Node) -> String {
    match &node.value {
        Value::Str(scalar) => quote(&scalar.text),
        _ => json(node),
    }
}

/// Go's `%q`.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            // Go calls no space but the ASCII one printable.
            '\u{a0}' | '\u{feff}' | '\u{200b}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", ch as u32);
            }
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Text as Go's `encoding/json` writes it.
pub(super) fn json_text(text: &str) -> String {
    quoted::json(text, quoted::GO_HIDES)
}

/// A number as JSON has it after kubectl's conversion.
pub(super) fn float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        // Go writes at least two digits and a sign: 1e+21, 1e-07.
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, power) = match power.strip_prefix('-') {
            Some(rest) => ('-', rest),
            None => ('+', power),
        };
        return format!("{digits}e{sign}{power:0>2}");
    }
    format!("{number}")
}

/// The JSON of a node, map keys sorted.
pub(super) fn json(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => float(*number),
        Value::Str(scalar) => json_text(&scalar.text),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Value::Map(entries) => {
            let sorted: std::collections::BTreeMap<&str, &Node> =
                entries.iter().map(|e| (e.key.as_str(), &e.value)).collect();
            let fields: Vec<String> =
                sorted.iter().map(|(key, v)| format!("{}:{}", json_text(key), json(v))).collect();
            format!("{{{}}}", fields.join(","))
        }
    }
}

/// The JSON of a map of texts, in which null reads as "".
pub(super) fn text_map(node: &Node) -> String {
    json(node).replace(":null", ":\"\"")
}

/// The JSON of a list of texts, in which null reads as "".
pub(super) fn text_list(node: &Node) -> String {
    let text = |item: &Node| json_text(item.as_str().unwrap_or(""));
    let items: Vec<String> = node.items().iter().map(text).collect();
    format!("[{}]", items.join(","))
}

/// `"A", "B"` as a list of supported values.
pub(super) fn list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|w| quote(w)).collect();
    words.join(", ")
}
