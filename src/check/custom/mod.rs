//! Custom kinds that helpers of pods come with: monitors, mesh rules, certificates. Held against
//! the schemas of their CustomResourceDefinitions, in the words a server with those answers in.
//! Not checked: CEL rules, `oneOf`, formats of texts.
//!
//! `table.txt` holds a field a line, a level of indentation a level of fields: name, `!` where it
//! is required, then the letters `s` text, `b` boolean, `i` (`i32`, `i64`) integer, `n` number,
//! `q` integer or text, `o` object, `x` anything, after `[` for each list of them and `{` for each
//! map; then bounds, and last `=A|B` the values there are or `~` a pattern.

mod values;

use super::cursor::At;
use super::report::Report;
use super::{decode, rules};
use crate::diagnostic::Diagnostic;
use crate::part::part;
use crate::yaml::{Node, Value};
use std::sync::OnceLock;

const TABLE: &str = include_str!("table.txt");

part! { LOADED: str = TABLE, in Rules; }

/// Levels of nesting; no schema in the table is as deep.
const DEPTH_MAX: usize = 30;

/// A kind that software brings into a cluster.
struct Kind {
    api_versions: Vec<&'static str>,
    kind: &'static str,
    fields: Vec<Field>,
}

/// A field and what may stand there.
#[derive(Debug, Default)]
struct Field {
    name: &'static str,
    required: bool,
    /// `[`, `{` and one letter with its size, from outside to inside.
    letters: &'static str,
    /// `>=1`, `len<=63`, `items>=1`, `null`.
    bounds: Vec<&'static str>,
    allowed: Vec<&'static str>,
    pattern: &'static str,
    fields: Vec<Field>,
}

fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    let Some(table) = loaded() else { return &[] };
    KINDS.get_or_init(|| {
        let mut kinds: Vec<Kind> = Vec::new();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            if let Some(row) = line.strip_prefix("kind ") {
                let mut words = row.split(' ');
                let api_versions = words.next().unwrap_or("").split(',').collect();
                let kind = words.next().unwrap_or("");
                kinds.push(Kind { api_versions, kind, fields: Vec::new() });
            } else if let Some(kind) = kinds.last_mut() {
                let row = line.trim_start_matches(' ');
                place(&mut kind.fields, line.len() - row.len(), row);
            }
        }
        kinds
    })
}

/// Puts a row below the newest field of the level above.
fn place(mut fields: &mut Vec<Field>, level: usize, row: &'static str) {
    for _ in 1..level {
        let Some(last) = fields.last_mut() else { return };
        fields = &mut last.fields;
    }
    fields.push(field(row));
}

fn field(row: &'static str) -> Field {
    let (row, pattern) = row.split_once(" ~").unwrap_or((row, ""));
    let (row, allowed) = row.split_once(" =").unwrap_or((row, ""));
    let mut words = row.split(' ');
    let name = words.next().unwrap_or("");
    let bare = name.trim_end_matches('!');
    Field {
        name: bare,
        required: bare.len() < name.len(),
        letters: words.next().unwrap_or("x"),
        bounds: words.collect(),
        allowed: allowed.split('|').filter(|word| !word.is_empty()).collect(),
        pattern,
        fields: Vec::new(),
    }
}

/// The problems of an object of a custom kind; None where its kind is none of these.
pub(super) fn check(root: &Node, text: &str) -> Option<Vec<Diagnostic>> {
    let at = At::root(root);
    let (version, kind) = (at.str_of("apiVersion"), at.str_of("kind"));
    // Groups of the server's own have no dot but k8s.io's; no need to load anything for those.
    if !version.contains('.') || version.contains("k8s.io/") {
        return None;
    }
    let kind = kinds().iter().find(|k| k.kind == kind && k.api_versions.contains(&version))?;
    let mut r = Report::new(text);
    if let Some(meta) = at.get("metadata").node {
        decode::metadata(meta, &mut r);
    }
    rules::metadata(&at.get("metadata"), &mut r);
    fields(&at, &kind.fields, true, 0, &mut r);
    let written = at.get("kind");
    let group = version.split('/').next().unwrap_or("");
    let message = format!("only a cluster that has the definitions of {group} knows this kind");
    r.hazard("needs-definitions", &written, message).help = Some(format!(
        "A plain cluster answers: no matches for kind \"{}\" in version \"{version}\"; ensure CRDs \
         are installed first. What its controller would do is not simulated. Checked are the \
         fields of its definition, their types, values and patterns; not checked are \
         conditions between fields (CEL, oneOf) and the formats of texts.",
        kind.kind
    ));
    Some(r.found)
}

/// Holds a map against the fields it may have. `is_root`: the server's own fields stand there too.
fn fields(at: &At, known: &[Field], is_root: bool, depth: usize, r: &mut Report) {
    const OWN: [&str; 4] = ["apiVersion", "kind", "metadata", "status"];
    if depth > DEPTH_MAX {
        return;
    }
    let Some(node) = at.node else { return };
    for entry in node.last_entries() {
        match known.iter().find(|field| field.name == entry.key) {
            Some(field) => value(&at.field(&entry.key), field, field.letters, depth + 1, r),
            None if is_root && OWN.contains(&&*entry.key) => {}
            None => {
                let names: Vec<&str> = known.iter().map(|field| field.name).collect();
                let path = at.field(&entry.key).path;
                decode::unknown_among(node, entry, &names, "This", path, r);
            }
        }
    }
    for field in known.iter().filter(|field| field.required) {
        let below = at.field(field.name);
        if !below.here() {
            r.required(&below, "");
        }
    }
}

/// Holds a value against the rest of its letters.
fn value(at: &At, field: &Field, letters: &str, depth: usize, r: &mut Report) {
    let Some(node) = at.node else { return };
    if !values::fits(node, letters) {
        return values::wrong_type(at, letters, r);
    }
    values::bounds(at, field, letters, r);
    let inner = letters.get(1..).unwrap_or("");
    match (letters.as_bytes().first(), &node.value) {
        (Some(b'['), Value::Seq(_)) => {
            for item in at.items() {
                value(&item, field, inner, depth, r);
            }
        }
        (Some(b'{'), Value::Map(_)) => {
            for entry in node.last_entries() {
                value(&at.field(&entry.key), field, inner, depth, r);
            }
        }
        (Some(b'o'), Value::Map(_)) => fields(at, &field.fields, false, depth, r),
        _ => {}
    }
}
