//! What the field under the cursor is: its path, type, default, values and a word on it.

use super::complete::shape_name;
use crate::diagnostic::Hover;
use crate::kube::schema::{self, Field, Type};
use crate::sim::images::{self, badges};
use crate::text::Span;
use crate::yaml::{self, Node, Value};

/// A word on the fields learners of multi-container pods meet: `Type.field text`, a line each.
/// `*` is any type.
const WORDS: &str = include_str!("hover.txt");

/// Defaults beyond those of the schema, and the version of Kubernetes from which on a field works
/// without a switch, where that is later than 1.14: `Type.field text`, a line each.
const DEFAULTS: &str = include_str!("defaults.txt");
const SINCE: &str = include_str!("since.txt");

/// What stands at a byte offset; None outside known fields.
pub(super) fn hover(text: &str, offset: usize) -> Option<Hover> {
    let parsed = yaml::parse(text);
    let inside =
        |doc: &&yaml::Doc| (doc.span.start as usize) <= offset && offset <= doc.span.end as usize;
    let root = parsed.docs.iter().find(inside)?.root.as_ref()?;
    let word = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or("");
    let of = schema::type_of(word("apiVersion"), word("kind"))?;
    let mut found = None;
    walk(root, of, String::new(), offset, 0, &mut found);
    found
}

fn covers(span: Span, offset: usize) -> bool {
    (span.start as usize) <= offset && offset <= span.end as usize
}

fn walk(
    node: &Node,
    of: &'static Type,
    path: String,
    offset: usize,
    depth: usize,
    found: &mut Option<Hover>,
) {
    if depth > 40 {
        return;
    }
    for entry in node.entries() {
        let whole = entry.key_span.to(entry.value.span);
        if !covers(whole, offset) {
            continue;
        }
        let Some(field) = of.field(&entry.key) else { continue };
        let below = match path.is_empty() {
            true => entry.key.clone(),
            false => format!("{path}.{}", entry.key),
        };
        let scalar = !matches!(entry.value.value, Value::Map(_) | Value::Seq(_));
        if covers(entry.key_span, offset) || scalar {
            let span = if covers(entry.key_span, offset) { entry.key_span } else { whole };
            *found = Some(Hover {
                span,
                path: below,
                type_name: shape_name(&field.shape),
                required: field.required,
                doc: doc(of, field) + &trusted(of, field, &entry.value),
                described: (of.name.to_owned(), field.name.to_owned()),
            });
            return;
        }
        let Some(inner) = field.shape.inner_struct() else { continue };
        for (i, item) in entry.value.items().iter().enumerate() {
            let path = format!("{below}[{i}]");
            walk(item, inner, path, offset, depth + 1, found);
        }
        walk(&entry.value, inner, below, offset, depth + 1, found);
    }
}

/// A word on a field of a type: ours, its values, its default.
pub fn described(of: &Type, field: &Field) -> String {
    doc(of, field)
}

/// How far the lab's picture of the image is to be trusted, a line for each of its programs.
fn trusted(of: &Type, field: &Field, value: &Node) -> String {
    let image = field.name == "image" && of.name.ends_with("Container");
    let Some(known) = value.as_str().filter(|_| image).and_then(images::find) else {
        return String::new();
    };
    let row = |(program, badge, what): badges::Row| {
        let program = if program == "*" { String::new() } else { format!("{program}: ") };
        format!("\n{}: {program}{what}.", badge.word())
    };
    let rows: String = badges::of(&known).into_iter().map(row).collect();
    format!("\nThe lab's {}:{rows}", known.name)
}

fn doc(of: &Type, field: &Field) -> String {
    let name = super::go_types::bare_name(of);
    let row_of = |table: &'static str, owner: &str| {
        table.lines().find_map(|line| {
            let (path, text) = line.split_once(' ')?;
            (path.split_once('.') == Some((owner, field.name))).then_some(text)
        })
    };
    let row = |table: &'static str| row_of(table, name);
    // What all kinds have stands there once.
    let word = row(WORDS).or_else(|| row_of(WORDS, "*"));
    let mut parts: Vec<String> = word.map(str::to_owned).into_iter().collect();
    if !field.values.is_empty() {
        parts.push(format!("One of {}.", field.values.join(", ")));
    }
    if let Some(default) = field.default.filter(|d| !d.is_empty()).or_else(|| row(DEFAULTS)) {
        parts.push(format!("{default} if absent."));
    }
    if let Some(version) = row(SINCE) {
        parts.push(format!("Since Kubernetes {version}."));
    }
    parts.join(" ")
}
