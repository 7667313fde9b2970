//! ResourceQuotas and LimitRanges.
//! Models pkg/apis/core/validation ValidateResourceQuotaSpec and ValidateLimitRange (v1.36).

use super::meta;
use super::resources::{any_name, is_countable, is_counted, listed, name_objections};
use crate::check::cursor::At;
use crate::check::must::NON_NEGATIVE;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use crate::kube::quantity::Quantity;
use crate::order::Order;
use std::collections::BTreeMap;

/// Amounts a quota may bound.
const AMOUNTS: [&str; 10] = [
    "cpu",
    "memory",
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
    "ephemeral-storage",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.ephemeral-storage",
];
const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];
const NO_QUOTA: &str = "must be a standard resource for quota";
const NOT_FOR_RESOURCE: &str = "unsupported scope applied to resource";
const EXISTS: &str = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                      ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                      ResourceQuotaScopeNotBestEffort or \
                      ResourceQuotaScopeCrossNamespacePodAffinity";

fn is_standard(name: &str) -> bool {
    is_countable(name)
        || AMOUNTS.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

/// Models IsResourceQuotaScopeValidForResource.
fn fits(scope: &str, name: &str) -> bool {
    match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => ["persistentvolumeclaims", "requests.storage"].contains(&name),
        scope if SCOPES.contains(&scope) => name == "pods" || AMOUNTS[..6].contains(&name),
        _ => true,
    }
}

pub(in crate::check) fn quota(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    let hard = spec.get("hard").entries();
    for (entry, value) in &hard {
        let mut objections = match is_standard(&entry.key) {
            true => Vec::new(),
            false => any_name(&entry.key),
        };
        if !entry.key.contains('/') && !is_standard(&entry.key) {
            objections.push(NO_QUOTA.to_owned());
        }
        let key = At { span: entry.key_span, ..value.clone() };
        for objection in objections {
            r.invalid_as(&key, &show::quote(&entry.key), &objection);
        }
        let worth = listed(value);
        if worth < Quantity::ZERO {
            r.invalid_as(value, &show::quote(&worth.to_string()), NON_NEGATIVE);
        }
        if is_counted(&entry.key) && !worth.is_integer() {
            r.invalid_as(value, &show::quote(&worth.to_string()), "must be an integer");
        }
    }
    let standard: Vec<&str> =
        hard.iter().map(|(e, _)| e.key.as_str()).filter(|k| is_standard(k)).collect();
    let list = spec.get("scopes");
    let shown = list.node.map_or("null".to_owned(), show::text_list);
    let named: Vec<&str> = list.items().iter().map(At::str).collect();
    for scope in &named {
        if !SCOPES.contains(scope) {
            r.invalid_as(&list, &shown, "unsupported scope");
        }
        for _ in standard.iter().filter(|name| !fits(scope, name)) {
            r.invalid_as(&list, &shown, NOT_FOR_RESOURCE);
        }
    }
    conflicts(&named, &list, &shown, r);
    let chosen = spec.get("scopeSelector");
    if chosen.here() {
        selector(&chosen, &standard, &list, r);
    }
}

fn conflicts(named: &[&str], list: &At, shown: &str, r: &mut Report) {
    for pair in [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]] {
        if pair.iter().all(|scope| named.contains(scope)) {
            r.invalid_as(list, shown, "conflicting scopes");
        }
    }
}

/// Models validateScopedResourceSelectorRequirement.
fn selector(chosen: &At, standard: &[&str], scopes: &At, r: &mut Report) {
    let list = chosen.get("matchExpressions");
    let go = |one: &At| {
        let values = one.get("values");
        let values =
            values.node.filter(|n| !n.is_null()).map_or("null".to_owned(), show::text_list);
        format!(
            "{{\"ScopeName\":{},\"Operator\":{},\"Values\":{values}}}",
            show::json_text(one.str_of("scopeName")),
            show::json_text(one.str_of("operator"))
        )
    };
    let all: Vec<String> = list.items().iter().map(go).collect();
    let shown = format!("{{\"MatchExpressions\":[{}]}}", all.join(","));
    let mut named: Vec<&str> = Vec::new();
    for one in list.items() {
        let bare = |key: &str| one.get(key).called(format!("{}.{key}", list.path));
        let (scope, operator, values) = (bare("scopeName"), bare("operator"), bare("values"));
        if !SCOPES.contains(&scope.str()) {
            r.invalid(&scope, "unsupported scope");
        }
        for _ in standard.iter().filter(|name| !fits(scope.str(), name)) {
            r.invalid_as(&list, &shown, NOT_FOR_RESOURCE);
        }
        let by_value = ["PriorityClass", "VolumeAttributesClass"].contains(&scope.str());
        if SCOPES.contains(&scope.str()) && !by_value && operator.str() != "Exists" {
            r.invalid(&operator, EXISTS);
        }
        let text = match (operator.str(), values.len()) {
            ("In" | "NotIn", 0) => {
                let text = "must be at least one value when `operator` is 'In' or 'NotIn' for \
                            scope selector";
                r.required(&values, text);
                continue;
            }
            ("In" | "NotIn", _) | ("Exists" | "DoesNotExist", 0) => "",
            ("Exists" | "DoesNotExist", _) => {
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            }
            _ => {
                r.invalid(&operator, "not a valid selector operator");
                ""
            }
        };
        if !text.is_empty() {
            r.invalid(&values, text);
        }
        named.push(scope.str());
    }
    let shown = scopes.node.map_or("null".to_owned(), show::text_list);
    conflicts(&named, scopes, &shown, r);
}

const TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];

/// What may not be greater than what; where it is told, and which of the two is shown.
const ORDERED: [(usize, usize, usize, bool, &str, &str); 6] = [
    (MIN, MAX, MIN, true, "min value", "max value"),
    (MIN, REQUEST, REQUEST, false, "min value", "default request value"),
    (REQUEST, MAX, REQUEST, true, "default request value", "max value"),
    (REQUEST, DEFAULT, REQUEST, true, "default request value", "default limit value"),
    (MIN, DEFAULT, DEFAULT, true, "min value", "default value"),
    (DEFAULT, MAX, DEFAULT, false, "default value", "max value"),
];
const LISTS: [&str; 5] = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
const MAX: usize = 0;
const MIN: usize = 1;
const DEFAULT: usize = 2;
const REQUEST: usize = 3;
const RATIO: usize = 4;

type Bounds<'a> = [BTreeMap<&'a str, At<'a>>; 5];

pub(in crate::check) fn limit_range(root: &At, r: &mut Report) {
    let meta = root.get("metadata");
    // One without a name is given a random one.
    if !meta.str_of("name").is_empty() || !meta.str_of("generateName").is_empty() {
        meta::object(&meta, names::subdomain, r);
    }
    let mut seen: Vec<&str> = Vec::new();
    for item in root.get("spec.limits").items() {
        let kind = item.get("type");
        let objections = names::qualified(kind.str());
        for objection in &objections {
            r.invalid(&kind, objection);
        }
        if objections.is_empty() && !kind.str().contains('/') && !TYPES.contains(&kind.str()) {
            r.invalid(&kind, "must be a standard limit type or fully qualified");
        }
        if seen.contains(&kind.str()) {
            r.duplicate(&kind);
        }
        seen.push(kind.str());
        let of_containers = ["Pod", "Container"].contains(&kind.str());
        let bounds = bounds(&item, kind.str());
        for (i, list) in bounds.iter().enumerate() {
            let field = item.get(LISTS[i]);
            if kind.str() == "Pod" && [DEFAULT, REQUEST].contains(&i) {
                if field.len() > 0 {
                    r.forbidden(&field, "may not be specified when `type` is 'Pod'");
                }
                continue;
            }
            for (name, at) in list {
                let objections = if of_containers { name_objections(name) } else { any_name(name) };
                for objection in objections {
                    let at = at.called(format!("{}[{name}]", field.path));
                    r.invalid_as(&at, &show::quote(name), &objection);
                }
            }
        }
        if kind.str() == "PersistentVolumeClaim"
            && ![MIN, MAX].iter().any(|i| bounds[*i].contains_key("storage"))
        {
            let text =
                "either minimum or maximum storage value is required, but neither was provided";
            r.required(&item.get("limits"), text);
        }
        compare(&item, &bounds, kind.str() == "Pod", r);
    }
}

/// The lists of an item, those of containers filled in from each other.
/// Models SetDefaults_LimitRangeItem.
fn bounds<'a>(item: &At<'a>, kind: &str) -> Bounds<'a> {
    let mut lists: Bounds =
        LISTS.map(|key| item.get(key).entries().into_iter().map(|(e, at)| (&*e.key, at)).collect());
    if kind == "Container" {
        for (from, to) in [(MAX, DEFAULT), (DEFAULT, REQUEST), (MIN, REQUEST)] {
            for (name, at) in lists[from].clone() {
                lists[to].entry(name).or_insert(at);
            }
        }
    }
    lists
}

fn compare(item: &At, bounds: &Bounds, of_pod: bool, r: &mut Report) {
    let mut names: Vec<&str> = bounds.iter().flat_map(|list| list.keys().copied()).collect();
    names.order();
    names.dedup();
    for name in names {
        let get = |i: usize| {
            let kept = !(of_pod && [DEFAULT, REQUEST].contains(&i));
            bounds[i].get(name).filter(|_| kept).map(|at| (at, listed(at)))
        };
        let path = |i: usize| format!("{}.{}[{name}]", item.path, LISTS[i]);
        for (low, high, told, show_low, low_words, high_words) in ORDERED {
            let (Some((low_at, low_worth)), Some((high_at, high_worth))) = (get(low), get(high))
            else {
                continue;
            };
            if low_worth > high_worth {
                let shown = if show_low { low_worth } else { high_worth };
                let at = if told == low { low_at } else { high_at };
                let at = at.called(path(told));
                let text =
                    format!("{low_words} {low_worth} is greater than {high_words} {high_worth}");
                r.invalid_as(&at, &show::quote(&shown.to_string()), &text);
            }
        }
        if let Some((at, ratio)) = get(RATIO) {
            let at = at.called(path(RATIO));
            ratio_of(&at, ratio, get(MIN).map(|m| m.1), get(MAX).map(|m| m.1), r);
        }
        let (default, request) = (get(DEFAULT), get(REQUEST));
        if (name.contains('/') || name.starts_with("hugepages-"))
            && let (Some((_, default)), Some((at, request))) = (default, request)
            && (default > request || request > default)
        {
            let text = format!(
                "default value {default} must equal to defaultRequest value {request} in {name}"
            );
            r.invalid_as(&at.called(path(REQUEST)), &show::quote(&request.to_string()), &text);
        }
    }
}

fn ratio_of(
    at: &At,
    ratio: Quantity,
    min: Option<Quantity>,
    max: Option<Quantity>,
    r: &mut Report,
) {
    let shown = show::quote(&ratio.to_string());
    if ratio.milli() < 1000 {
        r.invalid_as(at, &shown, &format!("ratio {ratio} is less than 1"));
    }
    let (Some(min), Some(max)) = (min, max) else { return };
    if min.milli() == 0 {
        return;
    }
    let most = max.milli() as f64 / min.milli() as f64;
    if ratio.milli() as f64 / 1000.0 > most {
        let text = format!("ratio {ratio} is greater than max/min = {most:.6}");
        r.invalid_as(at, &shown, &text);
    }
}
