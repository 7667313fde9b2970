//! Which kinds there are, which fields they have and of what type. Not what values are valid
//! beyond enumerations: that is `check`'s.
//!
//! `table.txt` is generated from k8s-openapi by `tests/schema.rs`; `values.txt` is what a running
//! server's OpenAPI adds to it. Both are read once, at first use.

mod removed;

pub use removed::{Removed, removed};

use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("table.txt");
const VALUES: &str = include_str!("values.txt");

/// A kind that kube-apiserver 1.36 serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// `v1`, `apps/v1`.
    pub api_version: &'static str,
    pub kind: &'static str,
    /// The resource's name: `deployments`.
    pub plural: &'static str,
    pub namespaced: bool,
    /// Name of the type that describes it; None where the lab knows only that it exists.
    pub type_name: Option<&'static str>,
}

/// A struct type, e.g. `core/v1.Container`.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub name: &'static str,
    /// Sorted by name.
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub required: bool,
    pub shape: Shape,
    /// What the server's OpenAPI gives as default; `kube::defaults` knows the others.
    pub default: Option<&'static str>,
    /// All allowed values of an enumeration; empty where it is none.
    pub values: Vec<&'static str>,
    /// Keys whose values together must differ between items of a list.
    pub keys: Vec<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    String,
    Int32,
    Int64,
    Double,
    Bool,
    /// Base64 in text.
    Bytes,
    Quantity,
    IntOrString,
    /// RFC 3339.
    Time,
    Any,
    /// Name of a struct type.
    Struct(&'static str),
    Array(Box<Shape>),
    Map(Box<Shape>),
}

impl Type {
    pub fn field(&self, name: &str) -> Option<&Field> {
        let idx = self.fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        self.fields.get(idx)
    }

    /// `v1.Container`, as Go's messages name the type.
    pub fn go_name(&self) -> &'static str {
        self.name.rsplit('/').next().unwrap_or(self.name)
    }
}

impl Shape {
    /// The struct type at the bottom of lists and maps.
    pub fn inner_struct(&self) -> Option<&'static Type> {
        match self {
            Shape::Struct(name) => by_name(name),
            Shape::Array(inner) | Shape::Map(inner) => inner.inner_struct(),
            _ => None,
        }
    }

    fn parse(word: &'static str) -> Shape {
        let inside = |open, close| word.strip_prefix(open).and_then(|w| w.strip_suffix(close));
        if let Some(inner) = inside('[', ']') {
            return Shape::Array(Box::new(Shape::parse(inner)));
        }
        if let Some(inner) = inside('{', '}') {
            return Shape::Map(Box::new(Shape::parse(inner)));
        }
        match word {
            "string" => Shape::String,
            "int32" => Shape::Int32,
            "int64" => Shape::Int64,
            "double" => Shape::Double,
            "bool" => Shape::Bool,
            "bytes" => Shape::Bytes,
            "quantity" => Shape::Quantity,
            "int-or-string" => Shape::IntOrString,
            "time" => Shape::Time,
            "any" => Shape::Any,
            name => Shape::Struct(name),
        }
    }
}

struct Tables {
    kinds: Vec<Kind>,
    types: BTreeMap<&'static str, Type>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables { kinds: Vec::new(), types: BTreeMap::new() };
        let mut open = Type { name: "", fields: Vec::new() };
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            if let Some(row) = line.strip_prefix("kind ") {
                tables.kinds.extend(kind_row(row));
            } else if let Some((name, shape)) = line.trim_start().split_once(' ') {
                open.fields.push(field_row(name, shape));
            } else {
                let done = std::mem::replace(&mut open, Type { name: line, fields: Vec::new() });
                tables.types.insert(done.name, done);
            }
        }
        tables.types.insert(open.name, open);
        add_list(&mut tables);
        VALUES.lines().for_each(|line| add_values(&mut tables, line));
        tables
    })
}

fn kind_row(row: &'static str) -> Option<Kind> {
    let mut words = row.split(' ');
    let mut next = || words.next();
    let (api_version, kind, plural) = (next()?, next()?, next()?);
    let namespaced = next()? == "namespaced";
    let type_name = next().filter(|name| *name != "any");
    Some(Kind { api_version, kind, plural, namespaced, type_name })
}

fn field_row(name: &'static str, shape: &'static str) -> Field {
    let bare = name.trim_end_matches('!');
    Field {
        name: bare,
        required: bare.len() < name.len(),
        shape: Shape::parse(shape),
        default: None,
        values: Vec::new(),
        keys: Vec::new(),
    }
}

/// `kind: List` is no resource, but kubectl unfolds it.
fn add_list(tables: &mut Tables) {
    let fields = [
        ("apiVersion", "string"),
        ("items!", "[any]"),
        ("kind", "string"),
        ("metadata", "meta/v1.ListMeta"),
    ];
    let fields = fields.into_iter().map(|(name, shape)| field_row(name, shape)).collect();
    let name = "core/v1.List";
    tables.types.insert(name, Type { name, fields });
    let meta = [
        ("continue", "string"),
        ("remainingItemCount", "int64"),
        ("resourceVersion", "string"),
        ("selfLink", "string"),
    ];
    let fields = meta.into_iter().map(|(name, shape)| field_row(name, shape)).collect();
    tables.types.insert("meta/v1.ListMeta", Type { name: "meta/v1.ListMeta", fields });
    tables.kinds.push(Kind {
        api_version: "v1",
        kind: "List",
        plural: "lists",
        namespaced: false,
        type_name: Some(name),
    });
}

/// A line `core/v1.ContainerPort.protocol =TCP SCTP|TCP|UDP [keys]`.
fn add_values(tables: &mut Tables, line: &'static str) {
    let mut words = line.split(' ');
    let Some((type_name, field)) = words.next().and_then(|path| path.rsplit_once('.')) else {
        return;
    };
    let Some(found) = tables.types.get_mut(type_name) else { return };
    let Some(field) = found.fields.iter_mut().find(|f| f.name == field) else { return };
    for word in words {
        if let Some(default) = word.strip_prefix('=') {
            field.default = Some(default);
        } else if let Some(keys) = word.strip_prefix('[') {
            field.keys = keys.trim_end_matches(']').split(',').filter(|k| !k.is_empty()).collect();
        } else {
            field.values = word.split('|').collect();
        }
    }
}

/// The kind that this apiVersion serves under this name.
pub fn kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    kinds().iter().find(|one| one.api_version == api_version && one.kind == kind)
}

/// All kinds, those the lab knows best first.
pub fn kinds() -> &'static [Kind] {
    &tables().kinds
}

/// The type that describes a kind.
pub fn type_of(api_version: &str, kind_name: &str) -> Option<&'static Type> {
    by_name(kind(api_version, kind_name)?.type_name?)
}

/// A type by its name in the table, e.g. `core/v1.Container`.
pub fn by_name(name: &str) -> Option<&'static Type> {
    tables().types.get(name)
}

/// The field at a dotted path of a kind, list indexes left out: `spec.containers.ports`.
pub fn field_at(root: &'static Type, path: &str) -> Option<&'static Field> {
    let mut found: Option<&'static Field> = None;
    for step in path.split('.') {
        let step = step.split('[').next().unwrap_or(step);
        let within = match found {
            Some(field) => field.shape.inner_struct()?,
            None => root,
        };
        found = Some(within.field(step)?);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_hold_together() {
        let mut n_fields = 0;
        for (name, ty) in &tables().types {
            for field in &ty.fields {
                n_fields += 1;
                let mut shape = &field.shape;
                while let Shape::Array(inner) | Shape::Map(inner) = shape {
                    shape = inner;
                }
                if let Shape::Struct(to) = shape {
                    assert!(by_name(to).is_some(), "{name}.{} names unknown {to}", field.name);
                }
                assert_eq!(ty.field(field.name), Some(field), "{name}: fields are not sorted");
            }
        }
        assert!(n_fields > 1000, "only {n_fields} fields");
        for kind in kinds() {
            assert!(kind.type_name.is_none_or(|name| by_name(name).is_some()), "{kind:?}");
        }
        let unknown: Vec<&str> = VALUES
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(' ').next()?.rsplit_once('.'))
            .filter(|(ty, _)| by_name(ty).is_some())
            .filter(|(ty, field)| by_name(ty).is_some_and(|ty| ty.field(field).is_none()))
            .map(|(_, field)| field)
            .collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn looks_up_kinds_fields_and_values() {
        let pod = type_of("v1", "Pod").expect("known");
        let cases = [
            ("metadata.labels", Shape::Map(Box::new(Shape::String))),
            ("spec.containers.ports.containerPort", Shape::Int32),
            ("spec.containers[0].resources.limits", Shape::Map(Box::new(Shape::Quantity))),
            ("spec.containers.livenessProbe.httpGet.port", Shape::IntOrString),
            ("spec.terminationGracePeriodSeconds", Shape::Int64),
            ("spec.containers.restartPolicyRules", {
                Shape::Array(Box::new(Shape::Struct("core/v1.ContainerRestartRule")))
            }),
        ];
        for (path, shape) in cases {
            assert_eq!(field_at(pod, path).map(|f| &f.shape), Some(&shape), "{path}");
        }
        let protocol = field_at(pod, "spec.containers.ports.protocol").expect("known");
        assert_eq!(protocol.values, ["SCTP", "TCP", "UDP"]);
        assert_eq!(protocol.default, Some("TCP"));
        let containers = field_at(pod, "spec.containers").expect("known");
        assert!(containers.required && containers.keys == ["name"]);
        assert!(field_at(pod, "spec.container").is_none());
        assert!(kind("apps/v1", "Pod").is_none());
        assert_eq!(pod.go_name(), "v1.Pod");
    }
}
