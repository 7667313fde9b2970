//! Which fields Envoy's messages have, as far as the lab looks at them.

use super::conf::get;
use crate::yaml::{Node, Value};

/// A message and its fields a line; `field:Message` is looked into.
const MESSAGES: &str = include_str!("fields.txt");

fn message(name: &str) -> Option<&'static str> {
    MESSAGES.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
}

/// `loadAssignment` as `load_assignment`.
pub(super) fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    if name.starts_with('@') { name.to_owned() } else { out }
}

/// The message behind a `typed_config`'s `@type`.
pub(super) fn typed(node: &Node) -> &str {
    let url = get(node, "@type").and_then(Node::as_str).unwrap_or("");
    url.rsplit('/').next().unwrap_or("")
}

/// The first field nobody knows, in Envoy's words.
pub(super) fn unknown(node: &Node, kind: &str, path: &str) -> Option<String> {
    let fields = message(kind)?;
    for entry in node.entries() {
        let name = snake(&entry.key);
        let known = fields.split(' ').find(|f| f.split(':').next() == Some(name.as_str()));
        let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let Some(known) = known else {
            let at = if path.is_empty() { String::new() } else { format!(" @ {path}") };
            return Some(format!(
                "Protobuf message (type envoy.config.bootstrap.v3.Bootstrap reason \
                 INVALID_ARGUMENT: invalid JSON in envoy.config.bootstrap.v3.Bootstrap{at}: \
                 message {kind}: no such field: '{}') has unknown fields",
                entry.key
            ));
        };
        let inner = match name.as_str() {
            "typed_config" => typed(&entry.value),
            _ => known.split_once(':').map_or("", |(_, inner)| inner),
        };
        let found = match &entry.value.value {
            Value::Seq(items) => {
                let each =
                    |(idx, item): (usize, &Node)| unknown(item, inner, &format!("{here}[{idx}]"));
                items.iter().enumerate().find_map(each)
            }
            _ => unknown(&entry.value, inner, &here),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
