//! API objects as plain trees, as `-o json` shows them: what kubectl's words are made of. The way
//! back from typed objects; nothing here judges or prints.

use crate::order::Order;
use crate::yaml::{Node, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A JSON value. Maps are sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Tree {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Str(String),
    List(Vec<Tree>),
    Map(Vec<(Cow<'static, str>, Tree)>),
}

static NULL: Tree = Tree::Null;

impl Tree {
    pub fn map() -> Tree {
        Tree::Map(Vec::new())
    }

    /// A map of these entries, those without a value left out.
    pub fn of(entries: Vec<(&'static str, Tree)>) -> Tree {
        let mut map = Tree::map();
        for (key, value) in entries {
            map.put(key, value);
        }
        map
    }

    /// Sets an entry of a map; Null takes it out.
    pub fn put(&mut self, key: impl Into<Cow<'static, str>>, value: Tree) {
        self.put_entry(key.into(), value);
    }

    fn put_entry(&mut self, key: Cow<'static, str>, value: Tree) {
        if !matches!(self, Tree::Map(_)) {
            *self = Tree::map();
        }
        let Tree::Map(entries) = self else { return };
        let found = entries.binary_search_by(|(k, _)| k.as_ref().cmp(key.as_ref()));
        match (found, value) {
            (Ok(idx), Tree::Null) => drop(entries.remove(idx)),
            (Ok(idx), value) => entries[idx].1 = value,
            (Err(_), Tree::Null) => {}
            (Err(idx), value) => entries.insert(idx, (key, value)),
        }
    }

    /// Sets an entry that is not there yet.
    pub fn put_new(&mut self, key: &'static str, value: Tree) {
        if self.get(key).is_null() {
            self.put(key, value);
        }
    }

    /// The entry of a map; Null where there is none.
    pub fn get(&self, key: &str) -> &Tree {
        let Tree::Map(entries) = self else { return &NULL };
        let found = entries.binary_search_by(|(k, _)| k.as_ref().cmp(key));
        found.ok().and_then(|idx| entries.get(idx)).map_or(&NULL, |(_, value)| value)
    }

    pub fn get_mut(&mut self, key: &str) -> Option<&mut Tree> {
        let Tree::Map(entries) = self else { return None };
        let found = entries.binary_search_by(|(k, _)| k.as_ref().cmp(key));
        found.ok().and_then(|idx| entries.get_mut(idx)).map(|(_, value)| value)
    }

    /// Follows a dotted path of keys; numbers are places in lists.
    pub fn at(&self, path: &str) -> &Tree {
        path.split('.').fold(self, |tree, step| match tree {
            Tree::List(items) => {
                step.parse::<usize>().ok().and_then(|i| items.get(i)).unwrap_or(&NULL)
            }
            _ => tree.get(step),
        })
    }

    /// The text of a string; empty for all else.
    pub fn str(&self) -> &str {
        match self {
            Tree::Str(text) => text,
            _ => "",
        }
    }

    /// The string at a dotted path.
    pub fn text(&self, path: &str) -> &str {
        self.at(path).str()
    }

    /// The number at a dotted path; 0 where there is none.
    pub fn int(&self, path: &str) -> i64 {
        match self.at(path) {
            Tree::Int(number) => *number,
            _ => 0,
        }
    }

    pub fn is_true(&self, path: &str) -> bool {
        *self.at(path) == Tree::Bool(true)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Tree::Null)
    }

    pub fn items(&self) -> &[Tree] {
        match self {
            Tree::List(items) => items,
            _ => &[],
        }
    }

    pub fn entries(&self) -> &[(Cow<'static, str>, Tree)] {
        match self {
            Tree::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A scalar as Go's `%v` writes it; empty for lists, maps and nothing.
    pub fn show(&self) -> String {
        match self {
            Tree::Bool(truth) => truth.to_string(),
            Tree::Int(number) => number.to_string(),
            Tree::Str(text) => text.clone(),
            _ => String::new(),
        }
    }

    /// What a manifest wrote, as a tree. Floating point numbers stay as their text.
    pub fn of_node(node: &Node) -> Tree {
        Tree::of_value(node, false)
    }

    /// As `of_node`, with the entries that are null: in a patch they take a field away.
    pub fn of_patch(node: &Node) -> Tree {
        Tree::of_value(node, true)
    }

    fn of_value(node: &Node, keeps_nulls: bool) -> Tree {
        match &node.value {
            Value::Null => Tree::Null,
            Value::Bool(truth) => Tree::Bool(*truth),
            Value::Int(number) => Tree::Int(*number),
            Value::Float(number) => Tree::Str(number.to_string()),
            Value::Str(scalar) => Tree::Str(scalar.text.clone()),
            Value::Seq(items) => {
                Tree::List(items.iter().map(|item| Tree::of_value(item, keeps_nulls)).collect())
            }
            Value::Map(entries) => {
                let mut map = Tree::map();
                let mut nulls = Vec::new();
                for entry in entries {
                    match Tree::of_value(&entry.value, keeps_nulls) {
                        Tree::Null => nulls.push((entry.key.clone().into(), Tree::Null)),
                        value => map.put(entry.key.clone(), value),
                    }
                }
                if let (Tree::Map(all), true) = (&mut map, keeps_nulls) {
                    all.extend(nulls);
                    all.order_by(|a: &(Cow<str>, _), b| a.0.cmp(&b.0));
                }
                map
            }
        }
    }
}

impl From<&str> for Tree {
    fn from(text: &str) -> Tree {
        Tree::Str(text.to_owned())
    }
}

impl From<String> for Tree {
    fn from(text: String) -> Tree {
        Tree::Str(text)
    }
}

impl From<i64> for Tree {
    fn from(number: i64) -> Tree {
        Tree::Int(number)
    }
}

impl From<u32> for Tree {
    fn from(number: u32) -> Tree {
        Tree::Int(number.into())
    }
}

impl From<bool> for Tree {
    fn from(truth: bool) -> Tree {
        Tree::Bool(truth)
    }
}

impl<T: Into<Tree>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Tree {
        value.map_or(Tree::Null, Into::into)
    }
}

/// A typed value as a tree. Absent ones are Null.
pub trait Raise {
    fn raise(&self) -> Tree;
}

/// A struct's tree of its fields, in one place so that structs cost little code.
pub(super) fn raise_fields(fields: &[(&'static str, &dyn Raise)]) -> Tree {
    let mut map = Tree::map();
    for (key, field) in fields {
        map.put(*key, field.raise());
    }
    map
}

macro_rules! raise_scalar {
    ($($ty:ty),*) => { $(impl Raise for $ty {
        fn raise(&self) -> Tree {
            Tree::from(self.clone())
        }
    })* };
}
raise_scalar!(String, bool, i64);

impl Raise for i32 {
    fn raise(&self) -> Tree {
        Tree::Int(i64::from(*self))
    }
}

impl<T: Raise> Raise for Option<T> {
    fn raise(&self) -> Tree {
        self.as_ref().map_or(Tree::Null, Raise::raise)
    }
}

impl<T: Raise> Raise for Vec<T> {
    fn raise(&self) -> Tree {
        Tree::List(self.iter().map(Raise::raise).collect())
    }
}

impl<T: Raise> Raise for BTreeMap<String, T> {
    fn raise(&self) -> Tree {
        let mut map = Tree::map();
        for (key, value) in self {
            map.put(key.clone(), value.raise());
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_comes_back_as_it_was_with_its_defaults() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n\
                    \x20 - name: a\n    image: busybox\n    env: [{name: N, value: '1'}]\n\
                    \x20   resources: {limits: {cpu: 1}}\n";
        let desired = crate::kube::desired(&crate::yaml::parse(text));
        let crate::kube::Kind::Pod(pod) = &desired.objects[0].kind else { panic!("a pod") };
        let tree = pod.raise();
        for (path, shown) in [
            ("metadata.name", "x"),
            ("spec.containers.0.env.0.value", "1"),
            ("spec.containers.0.resources.limits.cpu", "1"),
            ("spec.containers.0.imagePullPolicy", "Always"),
            ("spec.terminationGracePeriodSeconds", "30"),
            ("spec.nothing.here", ""),
        ] {
            assert_eq!(tree.at(path).show(), shown, "{path}");
        }
        let written = Tree::of_node(desired.objects[0].origins.root.as_ref().expect("a root"));
        assert_eq!(written.text("spec.containers.0.image"), "busybox");
        assert!(written.at("spec.restartPolicy").is_null());
    }
}
