//! Marked tree -> typed objects. Values of a wrong type are left out, for `check` has reported
//! them; nothing here judges.

mod net;
mod pod;
mod volume;
mod work;

use super::tree::{Raise, Tree};
use super::{Desired, Kind, Object, Origins, schema};
use crate::yaml::{Node, Parsed, Value, base64};
use k8s_openapi::ByteString;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sets itself from a node; false, and unchanged, where the node is of another type.
pub(crate) trait Lower {
    fn set(&mut self, node: &Node) -> bool;
}

/// Fields of structs with their keys, generated once from k8s-openapi and kept by hand; both ways.
macro_rules! fields {
    ($($ty:path { $($field:ident $key:literal),* $(,)? })*) => { $(
        impl $crate::kube::lower::Lower for $ty {
            fn set(&mut self, node: &$crate::yaml::Node) -> bool {
                let $crate::yaml::Value::Map(entries) = &node.value else { return false };
                for entry in entries {
                    match entry.key.as_str() {
                        $($key => { self.$field.set(&entry.value); })*
                        _ => {}
                    }
                }
                true
            }
        }
        impl $crate::kube::tree::Raise for $ty {
            fn raise(&self) -> $crate::kube::tree::Tree {
                $crate::kube::tree::raise_fields(&[$(($key, &self.$field)),*])
            }
        }
    )* };
}
use fields;

fn put<T>(slot: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *slot = value;
            true
        }
        None => false,
    }
}

impl Lower for String {
    fn set(&mut self, node: &Node) -> bool {
        put(self, node.as_str().map(str::to_owned))
    }
}

impl Lower for bool {
    fn set(&mut self, node: &Node) -> bool {
        put(self, node.as_bool())
    }
}

impl Lower for i64 {
    fn set(&mut self, node: &Node) -> bool {
        put(self, node.as_i64())
    }
}

impl Lower for i32 {
    fn set(&mut self, node: &Node) -> bool {
        put(self, node.as_i64().and_then(|number| i32::try_from(number).ok()))
    }
}

impl Lower for Quantity {
    fn set(&mut self, node: &Node) -> bool {
        let text = match &node.value {
            Value::Str(scalar) => scalar.text.clone(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => return false,
        };
        put(self, Some(Quantity(text)))
    }
}

impl Lower for IntOrString {
    fn set(&mut self, node: &Node) -> bool {
        let mut number = 0;
        if number.set(node) {
            return put(self, Some(IntOrString::Int(number)));
        }
        put(self, node.as_str().map(|text| IntOrString::String(text.to_owned())))
    }
}

impl Lower for ByteString {
    fn set(&mut self, node: &Node) -> bool {
        put(self, node.as_str().and_then(base64::decode).map(ByteString))
    }
}

impl Raise for Quantity {
    fn raise(&self) -> Tree {
        Tree::Str(self.0.clone())
    }
}

impl Raise for IntOrString {
    fn raise(&self) -> Tree {
        match self {
            IntOrString::Int(number) => number.raise(),
            IntOrString::String(text) => text.raise(),
        }
    }
}

impl Raise for ByteString {
    fn raise(&self) -> Tree {
        Tree::Str(base64::encode(&self.0))
    }
}

impl<T: Lower + Default> Lower for Option<T> {
    fn set(&mut self, node: &Node) -> bool {
        let mut value = T::default();
        let fits = !node.is_null() && value.set(node);
        *self = fits.then_some(value);
        fits
    }
}

/// Items that do not fit stay as empty ones, so that indexes keep their meaning.
impl<T: Lower + Default> Lower for Vec<T> {
    fn set(&mut self, node: &Node) -> bool {
        let Value::Seq(items) = &node.value else { return false };
        self.clear();
        for item in items {
            let mut value = T::default();
            value.set(item);
            self.push(value);
        }
        true
    }
}

impl<T: Lower + Default> Lower for BTreeMap<String, T> {
    fn set(&mut self, node: &Node) -> bool {
        let Value::Map(entries) = &node.value else { return false };
        self.clear();
        for entry in entries {
            let mut value = T::default();
            if value.set(&entry.value) {
                self.insert(entry.key.clone(), value);
            }
        }
        true
    }
}

/// All objects of a text as written, lists unfolded, without defaults.
pub fn lower(parsed: &Parsed) -> Desired {
    let mut desired = Desired::default();
    for root in parsed.docs.iter().filter_map(|doc| doc.root.as_ref()) {
        unfold(root, &mut desired.objects, 0);
    }
    desired
}

/// A `List`'s items, or the object itself. Lists in lists are unfolded a few levels deep.
fn unfold(node: &Node, into: &mut Vec<Object>, depth: usize) {
    let text = |key| node.get(key).and_then(Node::as_str).unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    if kind.ends_with("List") && node.get("items").is_some() && depth < 4 {
        let items = node.get("items").map_or(&[][..], Node::items);
        items.iter().for_each(|item| unfold(item, into, depth + 1));
    } else if matches!(node.value, Value::Map(_)) {
        let kind = typed(api_version, kind, node);
        into.push(Object { kind, origins: Origins { root: Some(Arc::new(node.clone())) } });
    }
}

fn typed(api_version: &str, kind: &str, node: &Node) -> Kind {
    fn object<T: Lower + Default>(node: &Node) -> Box<T> {
        let mut object = Box::new(T::default());
        object.set(node);
        object
    }
    match (api_version, kind) {
        ("v1", "Pod") => Kind::Pod(object(node)),
        ("apps/v1", "Deployment") => Kind::Deployment(object(node)),
        ("apps/v1", "ReplicaSet") => Kind::ReplicaSet(object(node)),
        ("apps/v1", "StatefulSet") => Kind::StatefulSet(object(node)),
        ("apps/v1", "DaemonSet") => Kind::DaemonSet(object(node)),
        ("batch/v1", "Job") => Kind::Job(object(node)),
        ("batch/v1", "CronJob") => Kind::CronJob(object(node)),
        ("v1", "Service") => Kind::Service(object(node)),
        ("v1", "ConfigMap") => Kind::ConfigMap(object(node)),
        ("v1", "Secret") => Kind::Secret(object(node)),
        ("v1", "PersistentVolumeClaim") => Kind::PersistentVolumeClaim(object(node)),
        _ => other(api_version, kind, node),
    }
}

fn other(api_version: &str, kind: &str, node: &Node) -> Kind {
    let text = |key| node.at(["metadata", key]).and_then(Node::as_str).map(str::to_owned);
    let namespaced = schema::kind(api_version, kind).is_none_or(|kind| kind.namespaced);
    Kind::Other {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: text("name").unwrap_or_default(),
        namespace: text("namespace").filter(|_| namespaced),
    }
}
