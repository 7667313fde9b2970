//! Words for what cannot be read: keys as JSON wants them, Go's way of printing values, and one
//! sentence of ours for each of goyaml's.

use super::{Node, Value};
use crate::order::Order;
use std::fmt::Write;

/// A key as sigs.k8s.io/yaml turns it into a JSON key, or why it cannot.
pub(super) fn key(key: Value, value: &Value) -> Result<String, String> {
    Ok(match key {
        Value::Str(scalar) => scalar.text,
        Value::Int(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Float(number) => float_key(number as f32),
        Value::Null => {
            let value = go(value, false);
            return Err(format!(
                "unsupported map key of type: %!s(<nil>), key: <nil>, value: {value}"
            ));
        }
        Value::Seq(_) | Value::Map(_) => {
            return Err(format!("yaml: invalid map key: {}", go(&key, false)));
        }
    })
}

/// Go's `strconv.FormatFloat(f, 'g', -1, 32)`.
fn float_key(number: f32) -> String {
    let written = format!("{number:e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..21).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// Go's `%#v` of a decoded value; inside a list or map each is an `interface {}`.
fn go(value: &Value, inner: bool) -> String {
    match value {
        Value::Null if inner => "interface {}(nil)".into(),
        Value::Null => "<nil>".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Str(scalar) => format!("{:?}", scalar.text),
        Value::Seq(items) => {
            let items: Vec<String> = items.iter().map(|item| go(&item.value, true)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Map(entries) => {
            let mut sorted: Vec<(&str, &Node)> =
                entries.iter().map(|entry| (entry.key.as_str(), &entry.value)).collect();
            sorted.order_by_key(|(key, _)| *key);
            let mut out = String::from("map[interface {}]interface {}{");
            for (i, (key, node)) in sorted.into_iter().enumerate() {
                let comma = if i > 0 { ", " } else { "" };
                let _ = write!(out, "{comma}{key:?}:{}", go(&node.value, true));
            }
            out + "}"
        }
    }
}

/// (goyaml's words, what to tell a learner). The first whose words occur decides.
const HELP: &[(&str, &str)] = &[
    (
        "did not find expected key",
        "This line does not fit the indentation of the lines above it: keys of one map stand in one \
         column, and list items start with `- `.",
    ),
    (
        "did not find expected '-' indicator",
        "A list has begun in this column, so each line here must start with `- ` or be indented \
         further.",
    ),
    ("could not find expected ':'", "A key needs a colon and a space after it, as in `name: web`."),
    (
        "mapping values are not allowed",
        "There is a second `: ` on this line, or the line is indented too far: quote the text if the \
         colon belongs to it.",
    ),
    (
        "mapping keys are not allowed",
        "`? ` starts a key, which cannot stand here: quote the text if it belongs to a value.",
    ),
    (
        "block sequence entries are not allowed",
        "A list item cannot start here: put the `-` on a line of its own, below its key.",
    ),
    (
        "found character that cannot start any token",
        "YAML cannot start a value with this character: indent with spaces instead of tabs, and put \
         text that starts with `@`, `%` or a backtick in quotes.",
    ),
    ("found a tab character", "Tabs cannot indent YAML: use spaces."),
    (
        "did not find expected ',' or ']'",
        "A list in brackets needs commas between its items and a closing `]`.",
    ),
    (
        "did not find expected ',' or '}'",
        "A map in braces needs commas between its entries and a closing `}`.",
    ),
    ("found unexpected end of stream", "A quote was opened here and never closed."),
    (
        "found unexpected document indicator",
        "A quote was opened before this `---` and never closed.",
    ),
    (
        "found unknown escape character",
        "In double quotes a backslash starts an escape: write `\\\\` for a backslash, or use single \
         quotes.",
    ),
    (
        "unknown anchor",
        "`*name` repeats what was marked `&name` before; quote the text if the star belongs to it.",
    ),
    (
        "did not find expected alphabetic or numeric character",
        "`*` and `&` start a reference: put text that begins with them in quotes.",
    ),
    ("did not find expected node content", "A value is missing here."),
    (
        "did not find expected comment or line break",
        "After `|` or `>` the text starts on the next line.",
    ),
    (
        "control characters are not allowed",
        "There is an invisible control character here: delete it, or retype the line.",
    ),
    (
        "excessive aliasing",
        "The aliases of this document repeat each other so often that it would grow beyond all \
         measure.",
    ),
    ("value contains itself", "This alias stands inside the very value that it repeats."),
    (
        "invalid map key",
        "Braces at the start of a value begin a map: quote the value; templates such as \
         `{{ .Values.x }}` must be rendered first.",
    ),
    ("unsupported map key", "A key is empty here: give it a name, or quotes."),
    ("map merge requires", "`<<` takes a map, or a list of maps."),
    ("cannot decode", "The tag before this value does not fit the value."),
    ("unsupported value", "JSON, and so Kubernetes, has no infinity and no NaN."),
    ("found undefined tag handle", "Quote the text if the `!` belongs to it."),
    ("invalid Yaml document separator", "Only a comment may follow `---` on its line."),
];

/// One sentence of ours for goyaml's.
pub(super) fn help(words: &str) -> &'static str {
    let found = HELP.iter().find(|(theirs, _)| words.contains(theirs));
    found.map_or("kubectl cannot read this as YAML.", |(_, ours)| ours)
}
