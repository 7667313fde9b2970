//! The decoding stage: types of values, unknown fields. Messages are those of the server's JSON
//! decoder; the server stops at the first type error, we report all.

use super::report::Report;
use super::{fix, go_types, show};
use crate::diagnostic::{Diagnostic, Severity, Stage};
use crate::kube::quantity::Quantity;
use crate::kube::schema::{self, Shape, Type};
use crate::text::Span;
use crate::yaml::{Entry, Node, Value, base64};

/// Levels of nesting; no type of the API is as deep.
const DEPTH_MAX: usize = 60;

/// Where a value stands: the owning struct, its field, and two ways to write the path.
#[derive(Clone)]
struct Slot<'a> {
    owner: &'a Type,
    field: &'a str,
    /// As decoding errors write it: embedded structs named, indexes left out.
    go_path: String,
    /// As all other errors write it.
    path: String,
    key_span: Span,
    depth: usize,
}

/// Holds an object against its type.
pub(super) fn object(root: &Node, of: &'static Type, r: &mut Report) {
    fields(root, of, "", "", 0, r);
}

/// Holds the metadata of an object of any kind against its type.
pub(super) fn metadata(node: &Node, r: &mut Report) {
    if let Some(of) = schema::by_name("meta/v1.ObjectMeta") {
        fields(node, of, "metadata", "metadata", 0, r);
    }
}

fn fields(node: &Node, of: &Type, go_path: &str, path: &str, depth: usize, r: &mut Report) {
    if depth > DEPTH_MAX {
        return;
    }
    for entry in node.last_entries() {
        let below = join(path, &entry.key);
        let Some(field) = of.field(&entry.key) else {
            unknown(node, entry, of, below, r);
            continue;
        };
        let go_path = match go_types::embedded(of, field.name) {
            Some(part) => join(&join(go_path, part), field.name),
            None => join(go_path, field.name),
        };
        let slot = Slot {
            owner: of,
            field: field.name,
            go_path,
            path: below,
            key_span: entry.key_span,
            depth: depth + 1,
        };
        value(&entry.value, &field.shape, &slot, r);
    }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

fn unknown(parent: &Node, entry: &Entry, of: &Type, path: String, r: &mut Report) {
    let names: Vec<&str> = of.fields.iter().map(|f| f.name).collect();
    let kind = format!("A {}", go_types::bare_name(of));
    unknown_among(parent, entry, &names, &kind, path, r);
}

/// Says that `kind` ("A Container") has no such field, and which of `names` may have been meant.
pub(super) fn unknown_among(
    parent: &Node,
    entry: &Entry,
    names: &[&str],
    kind: &str,
    path: String,
    r: &mut Report,
) {
    // Nobody reads on after so many; looking for names takes its time.
    let few = r.found.len() < super::DIAGNOSTICS_MAX;
    let nearest = few.then(|| fix::nearest(&entry.key, names)).flatten();
    let nearest = nearest.filter(|name| parent.get(name).is_none());
    let message = format!("unknown field {}", show::quote(&path));
    let mut one =
        Diagnostic::new(Severity::Error, Stage::Decode, "unknown-field", entry.key_span, message)
            .at_field(path);
    one.help = Some(match nearest {
        Some(name) => format!("{kind} has no `{}`; did you mean `{name}`?", entry.key),
        None => {
            let some: Vec<&str> = names.iter().copied().take(12).collect();
            format!("{kind} has no `{}`; it has {}.", entry.key, some.join(", "))
        }
    });
    // Of a key that stands twice, the other one would stay.
    let alone = || parent.entries().iter().filter(|other| other.key == entry.key).count() == 1;
    if let Some(name) = nearest.filter(|_| !r.text.is_empty() && alone()) {
        one.fixes.push(fix::replace(entry.key_span, name, &format!("Rename to `{name}`")));
    }
    r.push(one);
}

fn value(node: &Node, shape: &Shape, slot: &Slot, r: &mut Report) {
    match (shape, &node.value) {
        (_, Value::Null) | (Shape::Any, _) => {}
        (Shape::Struct(name), Value::Map(_)) => {
            if let Some(of) = schema::by_name(name) {
                fields(node, of, &slot.go_path, &slot.path, slot.depth, r);
            }
        }
        (Shape::Array(inner), Value::Seq(items)) => {
            for (i, item) in items.iter().enumerate() {
                let path = format!("{}[{i}]", slot.path);
                value(item, inner, &Slot { path, ..slot.clone() }, r);
            }
        }
        (Shape::Map(inner), Value::Map(_)) => {
            for entry in node.entries() {
                let path = format!("{}[{}]", slot.path, entry.key);
                let key_span = entry.key_span;
                value(&entry.value, inner, &Slot { path, key_span, ..slot.clone() }, r);
            }
        }
        (Shape::Quantity, _) => amount(node, slot, r),
        (Shape::Bytes, Value::Seq(items)) => {
            // Go reads a list as bytes, each a number of its own.
            if let Some(bad) = items.iter().find(|i| whole(&i.value).is_none()) {
                mismatch_as(bad, false, "uint8", slot, r);
            }
        }
        _ => scalar(node, shape, slot, r),
    }
}

fn scalar(node: &Node, shape: &Shape, slot: &Slot, r: &mut Report) {
    let fits = match (shape, &node.value) {
        (Shape::String | Shape::IntOrString, Value::Str(_)) | (Shape::Bool, Value::Bool(_)) => true,
        (Shape::Int32 | Shape::IntOrString, value) => {
            whole(value).is_some_and(|n| i32::try_from(n).is_ok())
        }
        (Shape::Int64, value) => whole(value).is_some(),
        (Shape::Double, Value::Int(_) | Value::Float(_)) => true,
        (Shape::Bytes, Value::Str(text)) => {
            if let Err(at) = base64::decode_at(&text.text) {
                let message = format!("illegal base64 data at input byte {at}");
                error(node, slot, message, r).help = Some(
                    "`data` holds base64; write plain text under `stringData` of a Secret or \
                     `data` of a ConfigMap."
                        .to_owned(),
                );
            }
            true
        }
        (Shape::Time, Value::Str(text)) => time(node, &text.text, slot, r),
        _ => false,
    };
    if !fits {
        mismatch(node, shape, slot, r);
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Some(*number as i64)
        }
        _ => None,
    }
}

fn mismatch(node: &Node, shape: &Shape, slot: &Slot, r: &mut Report) {
    let numeric = matches!(shape, Shape::Int32 | Shape::Int64 | Shape::IntOrString);
    let wanted = go_types::name(slot.owner, slot.field, shape);
    let text = r.text;
    let one = mismatch_as(node, numeric, &wanted, slot, r);
    one.help = Some(help(node, shape, slot.field));
    one.fixes.extend(fix::change_type(text, node, shape));
    if matches!(shape, Shape::IntOrString | Shape::Time) {
        give_up(r);
    }
}

/// A type that reads itself ends the server's decoding where it refuses; the decoder goes on after
/// its own errors and tells the first. So the newest problem goes before those.
fn give_up(r: &mut Report) {
    if !r.gave_up {
        r.gave_up = true;
        r.found.rotate_right(1);
    }
}

fn mismatch_as<'r>(
    node: &Node,
    numeric: bool,
    wanted: &str,
    slot: &Slot,
    r: &'r mut Report,
) -> &'r mut Diagnostic {
    let found = match &node.value {
        Value::Map(_) => "object".to_owned(),
        Value::Seq(_) => "array".to_owned(),
        Value::Str(_) => "string".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        _ if numeric => format!("number {}", show::json(node)),
        _ => "number".to_owned(),
    };
    let owner = go_types::bare_name(slot.owner);
    let message = format!(
        "json: cannot unmarshal {found} into Go struct field {owner}.{} of type {wanted}",
        slot.go_path
    );
    error(node, slot, message, r)
}

fn help(node: &Node, shape: &Shape, field: &str) -> String {
    let wanted = match shape {
        Shape::String => "text",
        Shape::Int32 | Shape::Int64 => "a whole number",
        Shape::IntOrString => "a whole number or a name",
        Shape::Bool => "true or false",
        Shape::Array(_) => "a list",
        Shape::Struct(_) | Shape::Map(_) => "fields of its own",
        _ => "another type of value",
    };
    let found = match &node.value {
        Value::Bool(_) => "YAML reads this as true or false",
        Value::Int(_) | Value::Float(_) => "YAML reads this as a number",
        Value::Str(_) => "this is text",
        Value::Seq(_) => "this is a list",
        _ => "this is a map",
    };
    let quote = match (shape, &node.value) {
        (Shape::String, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
            "; put quotes round it"
        }
        _ => "",
    };
    format!("`{field}` takes {wanted}, and {found}{quote}.")
}

fn amount(node: &Node, slot: &Slot, r: &mut Report) {
    let text = node.as_str().map_or_else(|| show::json(node), str::to_owned);
    if let Err(message) = Quantity::parse(&text) {
        let source = r.text;
        let one = error(node, slot, message.to_owned(), r);
        one.code = "bad-quantity".into();
        one.help = Some(
            "Amounts are a number and a suffix: `500m` of a CPU, `64Mi` or `1Gi` of memory."
                .to_owned(),
        );
        one.fixes.extend(fix::quantity(source, node));
        give_up(r);
    }
}

/// `2006-01-02T15:04:05Z`.
fn time(node: &Node, text: &str, slot: &Slot, r: &mut Report) -> bool {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && "dddd-dd-ddTdd:dd:dd".bytes().zip(bytes).all(|(want, got)| match want {
            b'd' => got.is_ascii_digit(),
            other => other == *got,
        });
    if !shaped {
        let layout = "\"2006-01-02T15:04:05Z07:00\"";
        let message = format!(
            "parsing time {0} as {layout}: cannot parse {0} as \"2006\"",
            show::quote(text)
        );
        error(node, slot, message, r);
        give_up(r);
    }
    true
}

fn error<'r>(node: &Node, slot: &Slot, message: String, r: &'r mut Report) -> &'r mut Diagnostic {
    let span = match node.value {
        Value::Map(_) | Value::Seq(_) => slot.key_span,
        _ => node.span,
    };
    let one = Diagnostic::new(Severity::Error, Stage::Decode, "wrong-type", span, message);
    r.push(one.at_field(slot.path.clone()))
}
