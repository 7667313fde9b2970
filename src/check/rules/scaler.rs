//! HorizontalPodAutoscalers.
//! Models pkg/apis/autoscaling/validation (v1.36).

use super::meta;
use super::resources::{amount, name_objections};
use crate::check::cursor::At;
use crate::check::must::{Must, NON_NEGATIVE};
use crate::check::report::Report;
use crate::kube::names;
use crate::kube::quantity::Quantity;

const SOURCES: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];
const TYPES: &[&str] = &["ContainerResource", "External", "Object", "Pods", "Resource"];
const POSITIVE: &str = "must be greater than 0";

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    let (low, high) = (spec.get("minReplicas"), spec.get("maxReplicas"));
    let least = low.int().unwrap_or(1);
    if low.int().is_some_and(|n| n < 1) {
        r.invalid_int(&low, "must be greater than or equal to 1");
    }
    let most = high.int().unwrap_or(0);
    if most == 0 {
        r.required(&high, "must be set and greater than 0");
    } else if most < 0 {
        r.invalid_int(&high, "must be greater than or equal to 1");
    }
    if most < least {
        r.invalid_int(&high, "must be greater than or equal to `minReplicas`");
    }
    target_ref(&spec.get("scaleTargetRef"), true, r);
    metrics(&spec.get("metrics"), low.int() == Some(0), r);
    // The first version's one metric.
    let share = spec.get("targetCPUUtilizationPercentage");
    if share.int().is_some_and(|n| n < 1) {
        let path = "spec.metrics[0].resource.target.averageUtilization";
        r.invalid_int(&share.called(path), POSITIVE);
    }
    let behavior = spec.get("behavior");
    for way in ["scaleUp", "scaleDown"] {
        let at = behavior.get(way);
        if at.here() {
            scaling_rules(&at, r);
        }
    }
}

/// `grouped`: what is scaled has to say of which API group it is.
fn target_ref(at: &At, grouped: bool, r: &mut Report) {
    for key in ["kind", "name"] {
        let field = at.get(key);
        if field.str().is_empty() {
            r.required(&field, "");
        } else {
            r.must(&field, Must::Name(names::path_segment));
        }
    }
    let version = at.get("apiVersion");
    let kind = at.str_of("kind");
    if version.str().matches('/').count() > 1 {
        let text = format!("unexpected GroupVersion string: {}", version.str());
        r.invalid(&version, &text);
        return;
    }
    let has_group = version.str().split('/').count() == 2 && !version.str().starts_with('/');
    if grouped && !has_group && kind != "ReplicationController" {
        r.invalid(&version, "apiVersion must specify API group");
    }
}

fn metrics(list: &At, to_zero: bool, r: &mut Report) {
    let mut outside = false;
    for one in list.items() {
        let kind = one.get("type");
        outside |= ["Object", "External"].contains(&kind.str());
        metric(&one, r);
    }
    if to_zero && !outside {
        let text = "must specify at least one Object or External metric to support scaling to \
                    zero replicas";
        r.forbidden(list, text);
    }
}

fn metric(at: &At, r: &mut Report) {
    let kind = at.get("type");
    if kind.str().is_empty() {
        r.required(&kind, "must specify a metric source type");
    }
    let own = SOURCES.iter().find(|(name, _)| *name == kind.str());
    if own.is_none() {
        r.unsupported(&kind, TYPES);
    }
    let present: Vec<&str> =
        SOURCES.iter().map(|(_, key)| *key).filter(|key| at.get(key).here()).collect();
    if let Some(first) = present.first() {
        one_source(first, &at.get(first), r);
    }
    let own = own.map_or("", |(_, key)| *key);
    if !own.is_empty() && !present.contains(&own) {
        let text = "must populate information for the given metric source";
        r.required(&at.get(own), text);
    }
    for key in present.iter().filter(|key| present.len() > 1 && **key != own) {
        r.forbidden(&at.get(key), "must populate the given metric source only");
    }
}

fn one_source(kind: &str, at: &At, r: &mut Report) {
    let target = at.get("target");
    match kind {
        "resource" | "containerResource" => {
            let name = at.get("name");
            if name.str().is_empty() {
                r.required(&name, "must specify a resource name");
            } else if kind == "containerResource" {
                for objection in name_objections(name.str()) {
                    r.invalid(&name, &objection);
                }
            }
            let container = at.get("container");
            if kind == "containerResource" && container.str().is_empty() {
                r.required(&container, "must specify a container");
            } else if kind == "containerResource" {
                r.must(&container, Must::Name(names::label));
            }
            metric_target(&target, r);
            resource_target(&target, r);
        }
        _ => {
            if kind == "object" {
                target_ref(&at.get("describedObject"), false, r);
            }
            let name = at.get("metric.name");
            if name.str().is_empty() {
                r.required(&name, "must specify a metric name");
            } else {
                r.must(&name, Must::Name(names::path_segment));
            }
            metric_target(&target, r);
            let (value, average) = (target.get("value"), target.get("averageValue"));
            if kind == "pods" && !average.here() {
                r.required(&average, "must specify a positive target averageValue");
            } else if kind != "pods" && !value.here() && !average.here() {
                let text = match kind {
                    "object" => "must set either a target value or averageValue",
                    _ => "must set either a target value for metric or a per-pod target",
                };
                r.required(&average, text);
            }
            if kind == "external" && value.here() && average.here() {
                let text = "may not set both a target value for metric and a per-pod target";
                r.forbidden(&value, text);
            }
        }
    }
}

fn metric_target(at: &At, r: &mut Report) {
    let kind = at.get("type");
    if kind.str().is_empty() {
        r.required(&kind, "must specify a metric target type");
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind.str()) {
        r.invalid(&kind, "must be either Utilization, Value, or AverageValue");
    }
    for key in ["value", "averageValue"] {
        let field = at.get(key);
        if field.here() && amount(&field) <= Quantity::ZERO {
            let shown = super::super::show::quote(&amount(&field).to_string());
            r.invalid_as(&field, &shown, "must be positive");
        }
    }
    let share = at.get("averageUtilization");
    if share.int().is_some_and(|n| n < 1) {
        r.invalid_int(&share, POSITIVE);
    }
}

fn resource_target(at: &At, r: &mut Report) {
    let (share, value) = (at.get("averageUtilization"), at.get("averageValue"));
    if !share.here() && !value.here() {
        r.required(&share, "must set either a target raw value or a target utilization");
    }
    if share.here() && value.here() {
        r.forbidden(&value, "may not set both a target raw value and a target utilization");
    }
}

fn scaling_rules(at: &At, r: &mut Report) {
    let window = at.get("stabilizationWindowSeconds");
    match window.int() {
        Some(n) if n < 0 => {
            r.invalid_int(&window, "must be greater than or equal to zero");
        }
        Some(n) if n > 3600 => drop(r.invalid_int(&window, "must be less than or equal to 3600")),
        _ => {}
    }
    let tolerance = at.get("tolerance");
    if amount(&tolerance) < Quantity::ZERO {
        let shown = super::super::show::quote(&amount(&tolerance).to_string());
        r.invalid_as(&tolerance, &shown, NON_NEGATIVE);
    }
    r.must(&at.get("selectPolicy"), Must::OneOfOrEmpty(&["Disabled", "Max", "Min"]));
    let policies = at.get("policies");
    if policies.here() && policies.len() == 0 {
        r.required(&policies, "must specify at least one Policy");
    }
    for one in policies.items() {
        let kind = one.get("type");
        if !["Percent", "Pods"].contains(&kind.str()) {
            r.unsupported(&kind, &["Percent", "Pods"]);
        }
        for (key, most) in [("value", i64::MAX), ("periodSeconds", 1800)] {
            let field = one.get(key);
            let number = field.int().unwrap_or(0);
            if number <= 0 {
                r.invalid_int(&field, "must be greater than zero");
            } else if number > most {
                r.invalid_int(&field, &format!("must be less than or equal to {most}"));
            }
        }
    }
}
