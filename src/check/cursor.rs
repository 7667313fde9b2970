//! A place in a marked tree and its path as the server writes it. Absent places are places too:
//! they read as empty, as a missing field does in Go, and know what to point at.

use crate::text::Span;
use crate::yaml::{Entry, Node, Value};

/// One place; cheap enough to make for every field a rule looks at.
#[derive(Clone)]
pub(super) struct At<'a> {
    /// None where the field is absent or null, which the server does not tell apart.
    pub node: Option<&'a Node>,
    /// Dotted path, e.g. `spec.containers[0].name`; empty at the root.
    pub path: String,
    /// What to underline: the value, or the key of the nearest parent that exists.
    pub span: Span,
}

impl<'a> At<'a> {
    pub(super) fn root(node: &'a Node) -> At<'a> {
        // A missing field of the root is best shown at the document's first key.
        let span = node.entries().first().map_or(node.span, |e| e.key_span);
        At { node: Some(node), path: String::new(), span }
    }

    fn below(&self, path: String, node: Option<&'a Node>, key: Option<Span>) -> At<'a> {
        let node = node.filter(|n| !n.is_null());
        let span = match (node, key) {
            (Some(node), _) if !matches!(node.value, Value::Map(_) | Value::Seq(_)) => node.span,
            (_, Some(key)) => key,
            (Some(node), None) => first_line(node),
            (None, None) => self.span,
        };
        At { node, path, span }
    }

    /// The field `key`; dots in `key` go down several fields.
    pub(super) fn get(&self, key: &str) -> At<'a> {
        match key.split_once('.') {
            None => self.field(key),
            Some((step, rest)) => self.field(step).get(rest),
        }
    }

    /// The field `key` itself, dots and all.
    pub(super) fn field(&self, key: &str) -> At<'a> {
        let path =
            if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let entry = self.node.and_then(|n| n.entry(key));
        self.below(path, entry.map(|e| &e.value), entry.map(|e| e.key_span))
    }

    /// The same place under another path, for the server's odd ones.
    pub(super) fn called(&self, path: impl Into<String>) -> At<'a> {
        At { path: path.into(), ..self.clone() }
    }

    /// The same place, its path ended by `suffix`.
    pub(super) fn plus(&self, suffix: &str) -> At<'a> {
        self.called(format!("{}{suffix}", self.path))
    }

    pub(super) fn here(&self) -> bool {
        self.node.is_some()
    }

    /// The items of a list, by index.
    pub(super) fn items(&self) -> Vec<At<'a>> {
        let items = self.node.map_or(&[][..], Node::items);
        items
            .iter()
            .enumerate()
            .map(|(i, node)| self.below(format!("{}[{i}]", self.path), Some(node), None))
            .collect()
    }

    /// The entries of a map, by key; of a key that stands twice only the last, as kubectl sends it.
    pub(super) fn entries(&self) -> Vec<(&'a Entry, At<'a>)> {
        let entries = self.node.map_or(Vec::new(), Node::last_entries);
        entries
            .into_iter()
            .map(|e| {
                let path = format!("{}[{}]", self.path, e.key);
                (e, self.below(path, Some(&e.value), Some(e.key_span)))
            })
            .collect()
    }

    /// The text, or "" as Go has it for an absent string.
    pub(super) fn str(&self) -> &'a str {
        self.node.and_then(Node::as_str).unwrap_or("")
    }

    /// The text of the field `key`, or "".
    pub(super) fn str_of(&self, key: &str) -> &'a str {
        // No path is made for what is only read.
        let found = key.split('.').try_fold(self.node, |node, step| Some(node?.get(step)));
        found.flatten().and_then(Node::as_str).unwrap_or("")
    }

    pub(super) fn int(&self) -> Option<i64> {
        match self.node?.value {
            Value::Int(number) => Some(number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(number as i64)
            }
            _ => None,
        }
    }

    pub(super) fn bool(&self) -> bool {
        self.node.and_then(Node::as_bool).unwrap_or(false)
    }

    /// How many items or entries.
    pub(super) fn len(&self) -> usize {
        self.node.map_or(0, |n| n.items().len().max(n.entries().len()))
    }

    /// The value as field errors show it: text quoted as Go does, the rest as JSON.
    pub(super) fn shown(&self) -> String {
        match self.node {
            None => "\"\"".to_owned(),
            Some(node) => super::show::value(node),
        }
    }

    /// The value as field errors show it where its Go type is a string of its own: as JSON.
    pub(super) fn word(&self) -> String {
        self.node.map_or_else(|| self.shown(), super::show::json)
    }
}

/// The part of a node worth underlining when it has no key of its own.
fn first_line(node: &Node) -> Span {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.span, |e| e.key_span),
        Value::Seq(items) => items.first().map_or(node.span, first_line),
        _ => node.span,
    }
}
