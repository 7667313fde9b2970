//! `kubectl explain`: the fields of a kind, and what Kubernetes says of them.

use super::Said;
use super::cluster::Cluster;
use super::kinds;
use super::words::Args;
use crate::kube::schema::{self, Field, Shape, Type};

pub(super) const FLAGS: &str = "recursive! api-version: o:output output:";

/// Descriptions by type and field; the same file the editor's hovers fetch.
const DOCS: &str = include_str!("../../public/schema-docs-v1_36.json");

/// What is said of the values of enumerations: type and field, then a line for each value.
const ENUMS: &str = include_str!("enums.txt");

/// What is said of a field, and the values it may have.
fn about(of: &Type, field: &Field) -> String {
    let text = said(of, field.name);
    if field.values.is_empty() || is_list(field) {
        return text;
    }
    let head = format!("\n{} {}\n", of.name, field.name);
    let lines: Vec<String> = match ENUMS.split_once(&head) {
        Some((_, rest)) => {
            rest.lines().take_while(|line| line.starts_with(" - ")).map(str::to_owned).collect()
        }
        None => field.values.iter().map(|value| format!(" - `\"{value}\"`")).collect(),
    };
    format!("{text}\n\nPossible enum values:\n{}", lines.join("\n"))
}

/// The values of an enumeration as they are shown.
fn values(field: &Field) -> Vec<&'static str> {
    let quoted = |one: &&'static str| if one.is_empty() { "\"\"" } else { *one };
    field.values.iter().map(quoted).collect()
}

/// OpenAPI tells no values of the items of lists.
fn is_list(field: &Field) -> bool {
    matches!(field.shape, Shape::Array(_))
}

/// Names of other objects are as good as required, and yet the server takes empty ones.
fn is_required(of: &Type, field: &Field) -> bool {
    field.required && !said(of, field.name).contains("is allowed to be empty")
}

/// What is said of a type's field, or of the type where the field is empty.
fn said(of: &Type, field: &str) -> String {
    let start = format!("\"{}\":{{", of.name);
    let Some(at) = DOCS.find(&start) else { return String::new() };
    let mut rest = &DOCS[at + start.len()..];
    // Entries are pairs of strings, one after another, up to the brace.
    while let Some((key, after)) = string(rest.trim_start_matches(',')) {
        let Some((text, more)) = string(after.trim_start_matches(':')) else { break };
        if key == field {
            return text;
        }
        rest = more;
    }
    String::new()
}

/// A JSON string at the start of a text, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut out = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '"' => return Some((out, &inside[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'u' => {
                    let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                    out.extend(u32::from_str_radix(&code, 16).ok().and_then(char::from_u32));
                }
                other => out.push(other),
            },
            ch => out.push(ch),
        }
    }
    None
}

/// Lines of at most 80 columns, four of them blank.
// Models k8s.io/kubectl/pkg/explain/v2 wrap (v1.36).
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 76;
    let mut out = String::new();
    for part in text.lines().map(str::trim_end) {
        let mut words = part.split(' ');
        // A line may begin with a space of its own.
        let mut line = words.next().unwrap_or("").to_owned();
        for word in words {
            if line.len() + 1 + word.len() > WIDTH {
                out.push_str(&format!("    {}\n", line.trim_end()));
                line.clear();
            } else {
                line.push(' ');
            }
            line.push_str(word);
        }
        out.push_str(&format!("    {line}\n"));
    }
    out
}

/// `pod.spec.containers`. Models k8s.io/kubectl/pkg/explain (v1.36).
pub(super) fn run(_: &Cluster, args: &Args) -> Said {
    let path = args.word(0).trim_end_matches('.');
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if path.is_empty() {
        return Said::failed(
            "error: You must specify the type of resource to explain. Use \"kubectl api-resources\" \
             for a complete list of supported resources.",
        );
    }
    let Some(kind) = kinds::find(first) else {
        return Said::failed(&format!("the server doesn't have a resource type \"{first}\""));
    };
    let version = kind.version;
    let mut head = String::new();
    if !kind.group.is_empty() {
        head.push_str(&format!("GROUP:      {}\n", kind.group));
    }
    head.push_str(&format!("KIND:       {}\nVERSION:    {version}\n\n", kind.name));
    let api_version = match kind.group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let Some(root) = schema::type_of(&api_version, kind.name) else {
        return Said::error(&format!("not simulated: explain {first}"));
    };
    let mut inside = Some(root);
    let mut field = None;
    let mut texts = vec![wrapped(&said(root, ""))];
    for step in rest.split('.').filter(|step| !step.is_empty()) {
        let Some(found) = inside.and_then(|ty| ty.field(step)) else {
            let err = format!("error: field \"{step}\" does not exist\n");
            return Said { out: head, err, exit: 1, ..Said::default() };
        };
        texts = inside.map(|of| wrapped(&about(of, found))).into_iter().collect();
        inside = found.shape.inner_struct();
        texts.extend(inside.map(|of| wrapped(&said(of, ""))));
        field = Some(found);
    }
    if let Some(field) = field {
        let told = !field.values.is_empty() && !is_list(field);
        let blank = if told { "" } else { "\n" };
        head.push_str(&format!("FIELD: {} <{}>\n{blank}", field.name, type_word(field)));
        if told {
            head.push_str(&format!("ENUM:\n    {}\n", values(field).join("\n    ")));
        }
    }
    let before = if field.is_some() { "\n" } else { "" };
    head.push_str(&format!("{before}DESCRIPTION:\n{}    \n", texts.join("")));
    if let Some(ty) = inside {
        head.push_str("FIELDS:\n");
        fields(ty, args.has("recursive"), 1, &mut head);
    }
    Said::printed(head + "\n")
}

const DEPTH_MAX: usize = 12;
/// Values of an enumeration that a list of fields shows.
const VALUES_MAX: usize = 4;

fn fields(ty: &Type, recursive: bool, depth: usize, out: &mut String) {
    for field in &ty.fields {
        let required = if is_required(ty, field) { " -required-" } else { "" };
        let pad = "  ".repeat(depth);
        out.push_str(&format!("{pad}{}\t<{}>{required}\n", field.name, type_word(field)));
        if !field.values.is_empty() && !is_list(field) {
            let mut some = values(field);
            some.truncate(VALUES_MAX);
            let more = if field.values.len() > VALUES_MAX { ", ...." } else { "" };
            out.push_str(&format!("{pad}enum: {}{more}\n", some.join(", ")));
        }
        if !recursive {
            out.push_str(&format!("{}\n", wrapped(&about(ty, field))));
        } else if let Some(inner) = field.shape.inner_struct().filter(|_| depth < DEPTH_MAX) {
            fields(inner, true, depth + 1, out);
        }
    }
}

fn type_word(field: &Field) -> String {
    match field.name {
        "fieldsV1" => "FieldsV1".to_owned(),
        _ => shape(&field.shape),
    }
}

/// As OpenAPI names types: `[]Container`, `map[string]string`, `integer`.
fn shape(shape: &Shape) -> String {
    match shape {
        Shape::String | Shape::Bytes | Shape::Time => "string".to_owned(),
        Shape::Int32 | Shape::Int64 => "integer".to_owned(),
        Shape::Double => "number".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Quantity => "Quantity".to_owned(),
        Shape::IntOrString => "IntOrString".to_owned(),
        Shape::Any => "Object".to_owned(),
        Shape::Struct(name) => name.rsplit('.').next().unwrap_or(name).to_owned(),
        Shape::Array(inner) => format!("[]{}", self::shape(inner)),
        Shape::Map(inner) => format!("map[string]{}", self::shape(inner)),
    }
}
