//! What can be typed at a place: fields by the schema, values by enumeration, names that the
//! manifest itself defines. Works in half-typed text.

use super::lines::{self, Place};
use crate::diagnostic::Completion;
use crate::kube::schema::{self, Field, Shape, Type};
use crate::order::Order;
use crate::text::Span;
use crate::yaml::{self, Node};

const COMPLETIONS_MAX: usize = 200;

/// Completions at a byte offset, most fitting first.
pub(super) fn complete(text: &str, offset: usize) -> Vec<Completion> {
    let Some(place) = lines::place(text, offset) else { return Vec::new() };
    let mut found = match place.key {
        Some(key) => values(text, &place, key),
        None => keys(&place),
    };
    let typed = place.typed.to_ascii_lowercase();
    found.retain(|c| is_part(&typed, &c.label.to_ascii_lowercase()));
    found.order_by_key(|c| !c.label.to_ascii_lowercase().starts_with(&typed));
    found.truncate(COMPLETIONS_MAX);
    let span = Span::new(place.start, offset);
    found.iter_mut().for_each(|c| c.span = span);
    found
}

/// Whether all letters of `typed` stand in `label`, in order.
fn is_part(typed: &str, label: &str) -> bool {
    let mut letters = label.chars();
    typed.trim_matches('"').chars().all(|c| letters.any(|l| l == c))
}

fn option(label: &str, insert: String, detail: String) -> Completion {
    Completion { label: label.to_owned(), insert, detail, span: Span::default() }
}

/// The type of the map the cursor is in.
fn type_at(place: &Place) -> Option<&'static Type> {
    let mut of = schema::type_of(place.api_version, place.kind)?;
    for step in &place.path {
        of = of.field(step)?.shape.inner_struct()?;
    }
    Some(of)
}

fn keys(place: &Place) -> Vec<Completion> {
    let Some(of) = type_at(place) else {
        if !place.path.is_empty() {
            return Vec::new();
        }
        let top = ["apiVersion", "kind", "metadata", "spec"];
        let top = top.iter().filter(|key| !place.taken.contains(key));
        return top.map(|key| option(key, format!("{key}: "), "field".to_owned())).collect();
    };
    let mut fields: Vec<&Field> =
        of.fields.iter().filter(|f| !place.taken.contains(&f.name) && f.name != "status").collect();
    fields.order_by_key(|f| !f.required);
    fields.iter().map(|f| option(f.name, key_text(f, place), detail(f))).collect()
}

fn key_text(field: &Field, place: &Place) -> String {
    if place.flow {
        return match &field.shape {
            Shape::Struct(_) | Shape::Map(_) => format!("{}: {{}}", field.name),
            Shape::Array(_) => format!("{}: []", field.name),
            _ => format!("{}: ", field.name),
        };
    }
    let deeper = " ".repeat(place.column + 2);
    match &field.shape {
        Shape::Struct(_) | Shape::Map(_) => format!("{}:\n{deeper}", field.name),
        Shape::Array(_) => format!("{}:\n{deeper}- ", field.name),
        _ => format!("{}: ", field.name),
    }
}

fn detail(field: &Field) -> String {
    let kind = shape_name(&field.shape);
    if field.required { format!("{kind}, required") } else { kind }
}

/// A type in a reader's words.
pub fn shape_name(shape: &Shape) -> String {
    match shape {
        Shape::String => "string".to_owned(),
        Shape::Int32 | Shape::Int64 => "integer".to_owned(),
        Shape::Double => "number".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Bytes => "base64".to_owned(),
        Shape::Quantity => "quantity".to_owned(),
        Shape::IntOrString => "integer or string".to_owned(),
        Shape::Time => "time".to_owned(),
        Shape::Any => "anything".to_owned(),
        Shape::Struct(name) => {
            let name = name.rsplit(['.', '/']).next().unwrap_or(name);
            name.to_owned()
        }
        Shape::Array(inner) => format!("list of {}", shape_name(inner)),
        Shape::Map(inner) => format!("map of {}", shape_name(inner)),
    }
}

fn values(text: &str, place: &Place, key: &str) -> Vec<Completion> {
    if place.path.is_empty() && key == "kind" {
        return kinds(place);
    }
    if place.path.is_empty() && key == "apiVersion" {
        return versions(place);
    }
    let named = names(text, place, key);
    if !named.is_empty() {
        return named;
    }
    let Some(field) = type_at(place).and_then(|of| of.field(key)) else { return Vec::new() };
    let value = |v: &str| {
        let word = if field.default == Some(v) { "default" } else { "value" };
        option(v, v.to_owned(), word.to_owned())
    };
    match field.shape {
        Shape::Bool => ["true", "false"].into_iter().map(value).collect(),
        _ => field.values.iter().map(|v| value(v)).collect(),
    }
}

fn kinds(place: &Place) -> Vec<Completion> {
    let fits = |k: &&schema::Kind| {
        (place.api_version.is_empty() || k.api_version == place.api_version)
            && k.type_name.is_some()
    };
    let all = schema::kinds().iter().filter(fits);
    all.map(|k| option(k.kind, k.kind.to_owned(), k.api_version.to_owned())).collect()
}

fn versions(place: &Place) -> Vec<Completion> {
    let mut found: Vec<Completion> = Vec::new();
    let own = |k: &&schema::Kind| place.kind.is_empty() || k.kind == place.kind;
    for kind in schema::kinds().iter().filter(own).filter(|k| k.type_name.is_some()) {
        if !found.iter().any(|c| c.label == kind.api_version) {
            let detail = format!("{}, ...", kind.kind);
            found.push(option(kind.api_version, kind.api_version.to_owned(), detail));
        }
    }
    found
}

/// Names the text defines that fit a reference: volumes, containers, ConfigMaps and the like.
fn names(text: &str, place: &Place, key: &str) -> Vec<Completion> {
    let last = place.path.last().copied().unwrap_or("");
    let kind = match (last, key) {
        ("volumeMounts" | "volumeDevices", "name") => "volume",
        ("resourceFieldRef" | "onExitCodes", "containerName") => "container",
        ("configMapRef" | "configMapKeyRef" | "configMap", "name") => "ConfigMap",
        ("secretRef" | "secretKeyRef", "name") | ("secret", "secretName" | "name") => "Secret",
        ("persistentVolumeClaim", "claimName") => "PersistentVolumeClaim",
        ("service", "name") | (_, "serviceName") => "Service",
        ("scaleTargetRef", "name") => "Deployment",
        ("httpGet" | "tcpSocket", "port") | (_, "targetPort") => "port",
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let parsed = yaml::parse(text);
    for root in parsed.docs.iter().filter_map(|doc| doc.root.as_ref()) {
        match kind {
            "volume" | "container" | "port" => collect(root, kind, 0, &mut found),
            _ => {
                let own = root.get("kind").and_then(Node::as_str) == Some(kind);
                let name = root.at(["metadata", "name"]).and_then(Node::as_str);
                found.extend(name.filter(|_| own).map(str::to_owned));
            }
        }
    }
    found.order();
    found.dedup();
    found.retain(|name| name != place.typed && !name.is_empty());
    found.iter().map(|name| option(name, name.clone(), kind.to_owned())).collect()
}

fn collect(node: &Node, kind: &str, depth: usize, into: &mut Vec<String>) {
    let lists: &[&str] = match kind {
        "volume" => &["volumes", "volumeClaimTemplates"],
        "container" => &["containers", "initContainers"],
        _ => &["ports"],
    };
    if depth > 12 {
        return;
    }
    for entry in node.entries() {
        if lists.contains(&entry.key.as_str()) {
            let name = |item: &Node| {
                let own = item.get("name").or_else(|| item.at(["metadata", "name"]));
                own.and_then(Node::as_str).map(str::to_owned)
            };
            into.extend(entry.value.items().iter().filter_map(name));
        }
        collect(&entry.value, kind, depth + 1, into);
        entry.value.items().iter().for_each(|item| collect(item, kind, depth + 1, into));
    }
}
