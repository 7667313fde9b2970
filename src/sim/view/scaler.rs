//! HorizontalPodAutoscalers as the API server shows them.

use super::{View, object};
use crate::kube::tree::{Raise, Tree};
use crate::sim::control::hpa::{Condition, Current, Scaler};
use crate::sim::world::State;
use k8s_openapi::api::autoscaling::v2 as autoscaling;

pub(super) fn all(view: &View, state: &State) -> Vec<Tree> {
    state.controllers.scalers.all.values().map(|one| scaler(view, state, one)).collect()
}

fn scaler(view: &View, state: &State, one: &Scaler) -> Tree {
    let mut spec = one.spec.raise();
    // What the manifest wrote of metrics that are only kept.
    let written = one.meta.source.origins.node("spec.metrics").map(Tree::of_node);
    if let Some(written) = written.filter(|list| !list.items().is_empty()) {
        spec.put("metrics", written);
    }
    let status = &one.status;
    let specs = one.spec.metrics.as_deref().unwrap_or_default();
    let metrics = specs.iter().zip(&status.metrics).map(|(spec, value)| match value {
        Some(value) => metric(spec, value),
        None => Tree::of(vec![("type", Tree::from(""))]),
    });
    let metrics: Vec<Tree> = metrics.collect();
    let conditions: Vec<Tree> = status.conditions.iter().map(|c| condition(view, c)).collect();
    let list = |items: Vec<Tree>| if items.is_empty() { Tree::Null } else { Tree::List(items) };
    let metadata = view.metadata(state, &one.meta);
    let mut tree = object("autoscaling/v2", "HorizontalPodAutoscaler", metadata);
    tree.put("spec", spec);
    tree.put(
        "status",
        Tree::of(vec![
            ("conditions", list(conditions)),
            ("currentMetrics", list(metrics)),
            ("currentReplicas", Tree::Int(status.current)),
            ("desiredReplicas", Tree::Int(status.desired)),
            ("lastScaleTime", status.last_scale.map_or(Tree::Null, |at| view.stamp(at))),
        ]),
    );
    tree
}

fn metric(spec: &autoscaling::MetricSpec, value: &Current) -> Tree {
    let now = Tree::of(vec![
        ("averageUtilization", Tree::from(value.utilization)),
        ("averageValue", Tree::from(value.average.as_str())),
    ]);
    let one = |name: &str, container: Option<&str>| {
        Tree::of(vec![
            ("container", Tree::from(container)),
            ("current", now.clone()),
            ("name", Tree::from(name)),
        ])
    };
    let (key, body) = match (&spec.container_resource, &spec.resource) {
        (Some(source), _) => {
            ("containerResource", one(&source.name, Some(source.container.as_str())))
        }
        (None, Some(source)) => ("resource", one(&source.name, None)),
        (None, None) => return Tree::map(),
    };
    Tree::of(vec![(key, body), ("type", Tree::from(spec.type_.as_str()))])
}

fn condition(view: &View, one: &Condition) -> Tree {
    Tree::of(vec![
        ("lastTransitionTime", view.stamp(one.since)),
        ("message", Tree::from(one.message.as_str())),
        ("reason", Tree::from(one.reason.as_str())),
        ("status", Tree::from(if one.status { "True" } else { "False" })),
        ("type", Tree::from(one.kind)),
    ])
}
