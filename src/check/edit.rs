//! Where in a text a field or an item goes in or out, in block and in flow style.
//! Works on the lines around marked nodes; never writes a document anew.

use crate::text::{Edit, Span};
use crate::yaml::{Node, Value};

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|t| t.find('\n')).map_or(text.len(), |i| at + i)
}

fn is_flow(text: &str, node: &Node) -> bool {
    node.span.of(text).starts_with(['{', '['])
}

/// The column of the first key or dash of a block collection, counted in bytes from 0.
fn column(text: &str, node: &Node) -> Option<usize> {
    let at = match &node.value {
        Value::Map(entries) => entries.first()?.key_span.start as usize,
        Value::Seq(_) => {
            let first = node.items().first()?;
            let before = text.get(..first_byte(first))?;
            before.rfind('-')?
        }
        _ => return None,
    };
    Some(at - line_start(text, at))
}

fn first_byte(node: &Node) -> usize {
    match &node.value {
        Value::Map(entries) => {
            entries.first().map_or(node.span.start as usize, |e| e.key_span.start as usize)
        }
        _ => node.span.start as usize,
    }
}

/// The end of a node's last line that holds something.
fn last_line_end(text: &str, node: &Node) -> usize {
    let end = (node.span.end as usize).min(text.len());
    let trimmed = text.get(..end).map_or(end, |t| t.trim_end().len());
    line_end(text, trimmed)
}

fn insert(at: usize, text: String) -> Option<Edit> {
    Some(Edit { span: Span::new(at, at), text })
}

/// Lines as fields of a flow map: only those of one line can go there.
fn flow_add(text: &str, node: &Node, lines: &[&str], at_start: bool) -> Option<Edit> {
    let [line] = lines else { return None };
    let empty = node.entries().is_empty() && node.items().is_empty();
    if at_start {
        let comma = if empty { "" } else { ", " };
        return insert(node.span.start as usize + 1, format!("{line}{comma}"));
    }
    let end = (node.span.end as usize).checked_sub(1)?;
    let inner = text.get(..end)?.trim_end().len();
    insert(inner, if empty { (*line).to_owned() } else { format!(", {line}") })
}

fn indented(lines: &[&str], column: usize) -> String {
    let pad = " ".repeat(column);
    let lines: Vec<String> = lines.iter().map(|l| format!("{pad}{l}")).collect();
    lines.join("\n")
}

/// Adds a field of `lines` after the first field that fits one line, or before all.
pub(super) fn add(text: &str, map: &Node, lines: &[&str]) -> Option<Edit> {
    if text.is_empty() {
        return None;
    }
    if is_flow(text, map) {
        return flow_add(text, map, lines, false);
    }
    let simple = map.entries().iter().find(|e| {
        let value = &e.value;
        matches!(value.value, Value::Str(_) | Value::Int(_) | Value::Bool(_))
            && !value.span.of(text).contains('\n')
    });
    match simple {
        Some(entry) => {
            let at = line_end(text, entry.value.span.end as usize);
            insert(at, format!("\n{}", indented(lines, column(text, map)?)))
        }
        None => prepend(text, map, lines),
    }
}

/// Adds a field before all others.
pub(super) fn prepend(text: &str, map: &Node, lines: &[&str]) -> Option<Edit> {
    if text.is_empty() {
        return None;
    }
    if is_flow(text, map) {
        return flow_add(text, map, lines, true);
    }
    let column = column(text, map)?;
    let at = map.entries().first()?.key_span.start as usize;
    let body = indented(lines, column);
    insert(at, format!("{}\n{}", body.trim_start(), " ".repeat(column)))
}

/// Adds a field after all others.
pub(super) fn append(text: &str, map: &Node, lines: &[&str]) -> Option<Edit> {
    if text.is_empty() {
        return None;
    }
    if is_flow(text, map) {
        return flow_add(text, map, lines, false);
    }
    insert(last_line_end(text, map), format!("\n{}", indented(lines, column(text, map)?)))
}

/// Adds an item at the end of a list.
pub(super) fn push(text: &str, list: &Node, lines: &[&str]) -> Option<Edit> {
    if is_flow(text, list) {
        let joined: Vec<&str> = lines.iter().map(|l| l.trim_start_matches("- ").trim()).collect();
        return flow_add(text, list, &[&format!("{{{}}}", joined.join(", "))], false);
    }
    insert(last_line_end(text, list), format!("\n{}", indented(lines, column(text, list)?)))
}

/// Takes a field out, its lines with it.
pub(super) fn remove(text: &str, map: &Node, key: &str) -> Option<Edit> {
    if text.is_empty() {
        return None;
    }
    let idx = map.entries().iter().position(|e| e.key == key)?;
    let (entry, rest) = map.entries().get(idx..)?.split_first()?;
    if rest.iter().any(|other| other.key == key) {
        return None;
    }
    let start = entry.key_span.start as usize;
    if is_flow(text, map) {
        let end = entry.value.span.end as usize;
        let span = match map.entries().get(idx + 1) {
            Some(next) => Span::new(start, next.key_span.start as usize),
            None => match idx.checked_sub(1).and_then(|i| map.entries().get(i)) {
                Some(before) => Span::new(before.value.span.end as usize, end),
                None => Span::new(start, end),
            },
        };
        return Some(Edit { span, text: String::new() });
    }
    let from = line_start(text, start);
    let to = last_line_end(text, &entry.value).max(line_end(text, start));
    if text.get(from..start)?.trim().is_empty() {
        return Some(Edit { span: Span::new(from, (to + 1).min(text.len())), text: String::new() });
    }
    // First in a list item: the dash stays for the next field.
    let next = map.entries().get(idx + 1)?;
    Some(Edit { span: Span::new(start, next.key_span.start as usize), text: String::new() })
}
