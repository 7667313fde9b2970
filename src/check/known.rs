//! What a cluster holds when an object comes to it: what each plain one does, and what stands
//! before it in the text, for kubectl creates in order. Holds nothing against anything.

use super::cursor::At;
use crate::yaml::Node;

/// Namespaces each cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-system", "kube-public", "kube-node-lease"];

/// A cluster as one object of a text finds it.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    before: &'a [&'a Node],
    after: &'a [&'a Node],
    /// Whether all that is named is taken to be there.
    trusting: bool,
}

/// "" is `default`.
fn space<'a>(at: &At<'a>) -> &'a str {
    match at.str_of("metadata.namespace") {
        "" => "default",
        name => name,
    }
}

impl<'a> Known<'a> {
    /// As the object number `idx` of all finds it.
    pub(super) fn at(all: &'a [&'a Node], idx: usize) -> Known<'a> {
        let (before, rest) = all.split_at(idx.min(all.len()));
        Known { before, after: rest.get(1..).unwrap_or_default(), trusting: false }
    }

    /// A cluster that is not at hand.
    pub(super) fn trusting() -> Known<'a> {
        Known { trusting: true, ..Known::default() }
    }

    pub(super) fn is_trusting(&self) -> bool {
        self.trusting
    }

    /// Those of a kind that are there, in the text's order.
    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = At<'a>> {
        of_kind(self.before, kind)
    }

    pub(super) fn find(&self, kind: &str, name: &str) -> Option<At<'a>> {
        self.of_kind(kind).find(|at| at.str_of("metadata.name") == name)
    }

    pub(super) fn has_account(&self, namespace: &str, name: &str) -> bool {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
        let own = |at: &At<'_>| at.str_of("metadata.name") == name && space(at) == namespace;
        name == "default" || self.of_kind("ServiceAccount").any(|at| own(&at))
    }

    pub(super) fn has_namespace(&self, name: &str) -> bool {
        NAMESPACES.contains(&name) || self.find("Namespace", name).is_some()
    }

    /// A sentence where an object is in the text, but comes too late.
    pub(super) fn comes_later(&self, kind: &str, name: &str) -> Option<String> {
        let later = of_kind(self.after, kind).any(|at| at.str_of("metadata.name") == name);
        later.then(|| {
            format!(
                "The {kind} `{name}` stands further down, and kubectl creates objects in the \
                 order of the text: write it before this."
            )
        })
    }
}

fn of_kind<'a>(nodes: &'a [&'a Node], kind: &str) -> impl Iterator<Item = At<'a>> {
    let own = move |node: &&&Node| node.get("kind").and_then(Node::as_str) == Some(kind);
    nodes.iter().filter(own).map(|node| At::root(node))
}
