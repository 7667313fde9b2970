//! Kubernetes' objects: field tables, lowering to typed objects with origins, names, quantities,
//! selectors. Types are k8s-openapi's (v1_36); nothing here runs or judges.
//!
//! Lowering is written out by a macro rather than through k8s-openapi's `Deserialize`: that one
//! costs 115 KB of compressed wasm for Pods alone. A native test holds both against each other.

pub mod defaults;
pub mod limits;
mod lower;
pub mod names;
pub mod pod_security;
pub mod quantity;
pub mod schema;
pub mod selector;
pub mod tree;

pub use lower::lower;

use crate::text::Span;
use crate::yaml;
use k8s_openapi::api::{apps::v1 as apps, batch::v1 as batch, core::v1 as core};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::sync::Arc;

/// What a manifest asks for: its objects in order, with defaults applied as the server does.
#[derive(Clone, Debug, Default)]
pub struct Desired {
    pub objects: Vec<Object>,
}

/// One object and where it was written.
#[derive(Clone, Debug)]
pub struct Object {
    pub kind: Kind,
    pub origins: Origins,
}

/// The kinds the simulator knows what to do with; all others are `Other`, shown but not run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Kind {
    Pod(Box<core::Pod>),
    Deployment(Box<apps::Deployment>),
    ReplicaSet(Box<apps::ReplicaSet>),
    StatefulSet(Box<apps::StatefulSet>),
    DaemonSet(Box<apps::DaemonSet>),
    Job(Box<batch::Job>),
    CronJob(Box<batch::CronJob>),
    Service(Box<core::Service>),
    ConfigMap(Box<core::ConfigMap>),
    Secret(Box<core::Secret>),
    PersistentVolumeClaim(Box<core::PersistentVolumeClaim>),
    Other { api_version: String, kind: String, name: String, namespace: Option<String> },
}

/// Whether YAML 1.1 reads a plain scalar as a string.
pub fn reads_as_text(plain: &str) -> bool {
    yaml::resolve_plain(plain).is_none()
}

/// The first document of a text (JSON is YAML too), nulls and all; None where it can't be read.
pub fn tree_of(text: &str) -> Option<tree::Tree> {
    let parsed = yaml::parse(text);
    let doc = parsed.docs.first().filter(|doc| doc.complete)?;
    doc.root.as_ref().map(tree::Tree::of_patch)
}

/// Every document of a text that could be read, the items of lists by themselves.
pub fn trees_of(text: &str) -> Vec<tree::Tree> {
    let parsed = yaml::parse(text);
    let roots = parsed.docs.iter().filter(|doc| doc.complete).filter_map(|doc| doc.root.as_ref());
    let trees = roots.map(tree::Tree::of_node).filter(|tree| !tree.is_null());
    let unfold = |tree: tree::Tree| match tree.text("kind") {
        "List" => tree.get("items").items().to_vec(),
        _ => vec![tree],
    };
    trees.flat_map(unfold).collect()
}

/// The objects a text asks for.
pub fn read(text: &str) -> Desired {
    desired(&yaml::parse(text))
}

/// What a text asks for, defaults applied.
pub fn desired(parsed: &yaml::Parsed) -> Desired {
    let mut desired = lower(parsed);
    defaults::apply(&mut desired);
    desired
}

impl Kind {
    /// `Pod`, as the manifest writes it.
    pub fn name(&self) -> &str {
        match self {
            Kind::Pod(_) => "Pod",
            Kind::Deployment(_) => "Deployment",
            Kind::ReplicaSet(_) => "ReplicaSet",
            Kind::StatefulSet(_) => "StatefulSet",
            Kind::DaemonSet(_) => "DaemonSet",
            Kind::Job(_) => "Job",
            Kind::CronJob(_) => "CronJob",
            Kind::Service(_) => "Service",
            Kind::ConfigMap(_) => "ConfigMap",
            Kind::Secret(_) => "Secret",
            Kind::PersistentVolumeClaim(_) => "PersistentVolumeClaim",
            Kind::Other { kind, .. } => kind,
        }
    }

    /// None for `Other`, which keeps only its name and namespace.
    pub fn metadata(&self) -> Option<&ObjectMeta> {
        Some(match self {
            Kind::Pod(one) => &one.metadata,
            Kind::Deployment(one) => &one.metadata,
            Kind::ReplicaSet(one) => &one.metadata,
            Kind::StatefulSet(one) => &one.metadata,
            Kind::DaemonSet(one) => &one.metadata,
            Kind::Job(one) => &one.metadata,
            Kind::CronJob(one) => &one.metadata,
            Kind::Service(one) => &one.metadata,
            Kind::ConfigMap(one) => &one.metadata,
            Kind::Secret(one) => &one.metadata,
            Kind::PersistentVolumeClaim(one) => &one.metadata,
            Kind::Other { .. } => return None,
        })
    }

    pub fn metadata_mut(&mut self) -> Option<&mut ObjectMeta> {
        Some(match self {
            Kind::Pod(one) => &mut one.metadata,
            Kind::Deployment(one) => &mut one.metadata,
            Kind::ReplicaSet(one) => &mut one.metadata,
            Kind::StatefulSet(one) => &mut one.metadata,
            Kind::DaemonSet(one) => &mut one.metadata,
            Kind::Job(one) => &mut one.metadata,
            Kind::CronJob(one) => &mut one.metadata,
            Kind::Service(one) => &mut one.metadata,
            Kind::ConfigMap(one) => &mut one.metadata,
            Kind::Secret(one) => &mut one.metadata,
            Kind::PersistentVolumeClaim(one) => &mut one.metadata,
            Kind::Other { .. } => return None,
        })
    }
}

impl Object {
    /// The object's name; empty where it has none.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Other { name, .. } => name,
            kind => kind.metadata().and_then(|meta| meta.name.as_deref()).unwrap_or(""),
        }
    }

    /// Its namespace; None where it has none, as written or by default.
    pub fn namespace(&self) -> Option<&str> {
        match &self.kind {
            Kind::Other { namespace, .. } => namespace.as_deref(),
            kind => kind.metadata().and_then(|meta| meta.namespace.as_deref()),
        }
    }
}

/// Field path -> span of one object: the marked tree it was lowered from.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    pub root: Option<Arc<yaml::Node>>,
}

impl Origins {
    /// The span of the value at a dotted path as the server writes it,
    /// e.g. `spec.containers[0].livenessProbe`; the nearest existing parent's where it is absent.
    pub fn span(&self, path: &str) -> Option<Span> {
        let mut node = self.root.as_deref()?;
        let mut span = node.span;
        for step in
            path.split(['.', '[']).map(|s| s.trim_end_matches(']')).filter(|s| !s.is_empty())
        {
            let Some(next) = node.at([step]) else { break };
            span = match node.entry(step) {
                Some(entry) => entry.key_span.to(next.span),
                None => next.span,
            };
            node = next;
        }
        Some(span)
    }

    /// The span of the byte `offset` of the string at a dotted path.
    pub fn span_in(&self, path: &str, offset: u32) -> Option<Span> {
        let yaml::Value::Str(scalar) = &self.node(path)?.value else { return None };
        let start = scalar.source_offset(offset) as usize;
        Some(Span::new(start, start + 1))
    }

    /// The value at a dotted path as a type of the API; the default's where there is none.
    pub(crate) fn read<T: lower::Lower + Default>(&self, path: &str) -> T {
        let mut value = T::default();
        if let Some(node) = self.node(path) {
            value.set(node);
        }
        value
    }

    /// The node at a dotted path, for maps from script offsets to the manifest.
    pub fn node(&self, path: &str) -> Option<&yaml::Node> {
        let steps = path.split(['.', '[']).map(|s| s.trim_end_matches(']'));
        self.root.as_deref()?.at(steps.filter(|s| !s.is_empty()))
    }
}
