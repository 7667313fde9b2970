//! Where a pod may run: affinity, tolerations, spread.
//! Models pkg/apis/core/validation validateAffinity, ValidateTolerations,
//! validateTopologySpreadConstraints (v1.36).

use super::selector;
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";
const WEIGHT: &str = "must be in the range 1-100";

pub(in crate::check) fn affinity(at: &At, r: &mut Report) {
    node(&at.get("nodeAffinity"), r);
    pods(&at.get("podAffinity"), r);
    pods(&at.get("podAntiAffinity"), r);
}

/// Models ValidateNodeSelector.
pub(in crate::check) fn node_selector(required: &At, r: &mut Report) {
    let terms = required.get("nodeSelectorTerms");
    if terms.len() == 0 {
        r.required(&terms, "must have at least one node selector term");
    }
    for term in terms.items() {
        node_term(&term, true, r);
    }
}

fn node(at: &At, r: &mut Report) {
    let required = at.get(REQUIRED);
    if required.here() {
        node_selector(&required, r);
    }
    for one in at.get(PREFERRED).items() {
        weight(&one, r);
        node_term(&one.get("preference"), false, r);
    }
}

/// `strict`: values have to be label values; what is merely preferred may name others.
fn node_term(at: &At, strict: bool, r: &mut Report) {
    for one in at.get("matchExpressions").items() {
        selector::node_requirement(&one, strict, r);
    }
    for one in at.get("matchFields").items() {
        let (operator, values) = (one.get("operator"), one.get("values"));
        if !["In", "NotIn"].contains(&operator.str()) {
            r.invalid_as(&operator, &operator.word(), "not a valid selector operator");
        } else if values.len() != 1 {
            let text = "must be only one value when `operator` is 'In' or 'NotIn' for node \
                        field selector";
            r.required(&values, text);
        }
        let key = one.get("key");
        if key.str() != "metadata.name" {
            r.invalid(&key, "not a valid field selector key");
        } else {
            for value in values.items() {
                r.must(&value, Must::Is(names::subdomain));
            }
        }
    }
}

fn weight(at: &At, r: &mut Report) {
    let weight = at.get("weight");
    if !(1..=100).contains(&weight.int().unwrap_or(0)) {
        r.invalid_int(&weight, WEIGHT);
    }
}

fn pods(at: &At, r: &mut Report) {
    for one in at.get(REQUIRED).items() {
        pod_term(&one, r);
    }
    for one in at.get(PREFERRED).items() {
        weight(&one, r);
        pod_term(&one.get("podAffinityTerm"), r);
    }
}

fn pod_term(at: &At, r: &mut Report) {
    selector::label_selector(&at.get("labelSelector"), r);
    selector::label_selector(&at.get("namespaceSelector"), r);
    for one in at.get("namespaces").items() {
        let named = one.called(format!("{}.namespace", at.path));
        for objection in names::label(one.str()) {
            r.invalid(&named, &objection);
        }
    }
    let pairs = ["matchLabelKeys", "mismatchLabelKeys"];
    pairs.iter().for_each(|key| label_keys(at, key, r));
    let other = at.get("mismatchLabelKeys").items();
    for key in at.get("matchLabelKeys").items() {
        if other.iter().any(|o| o.str() == key.str()) {
            r.invalid(&key, "exists in both matchLabelKeys and mismatchLabelKeys");
        }
    }
    topology_key(&at.get("topologyKey"), r);
}

fn topology_key(at: &At, r: &mut Report) {
    if at.str().is_empty() {
        r.required(at, "can not be empty");
    }
    for objection in names::qualified(at.str()) {
        r.invalid(at, &objection);
    }
}

pub(in crate::check) fn tolerations(list: &At, r: &mut Report) {
    for one in list.items() {
        let (key, operator) = (one.get("key"), one.get("operator"));
        r.must(&key, Must::Name(names::qualified));
        if key.str().is_empty() && operator.str() != "Exists" {
            let text = "operator must be Exists when `key` is empty, which means \"match all \
                        values and all keys\"";
            r.invalid(&operator, text);
        }
        let effect = one.get("effect");
        if one.get("tolerationSeconds").here() && effect.str() != "NoExecute" {
            r.invalid(&effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }
        let value = one.get("value");
        match operator.str() {
            "" | "Equal" => {
                let objections = names::label_value(value.str());
                if !objections.is_empty() {
                    let at = operator.clone();
                    r.invalid_as(&at, &show::quote(value.str()), &objections.join(";"));
                }
            }
            "Exists" if !value.str().is_empty() => {
                let text = "value must be empty when `operator` is 'Exists'";
                r.invalid_as(&operator, &show::quote(value.str()), text);
            }
            "Exists" => {}
            "Lt" | "Gt" => drop(r.unsupported(&operator, &["Equal", "Exists", "Lt", "Gt"])),
            _ => drop(r.unsupported(&operator, &["Equal", "Exists"])),
        }
        r.must(&effect, Must::OneOf(&["NoSchedule", "PreferNoSchedule", "NoExecute"]));
    }
}

/// Those of a RuntimeClass, each of which stands once.
/// Models pkg/apis/node/validation validateTolerations.
pub(in crate::check) fn own_tolerations(list: &At, r: &mut Report) {
    tolerations(list, r);
    let mut seen: Vec<[&str; 4]> = Vec::new();
    for one in list.items() {
        let key = ["key", "operator", "value", "effect"].map(|key| one.str_of(key));
        if seen.contains(&key) {
            let [name, operator, value, effect] = key.map(show::json_text);
            let seconds = one.get("tolerationSeconds").int();
            let seconds = seconds.map_or("null".to_owned(), |n| n.to_string());
            let shown = format!(
                "{{\"Key\":{name},\"Operator\":{operator},\"Value\":{value},\"Effect\":{effect},\
                 \"TolerationSeconds\":{seconds}}}"
            );
            r.duplicate_as(&one, &shown);
        }
        seen.push(key);
    }
}

pub(in crate::check) fn spread(list: &At, r: &mut Report) {
    let pair_of = |one: &At<'_>| {
        (one.str_of("topologyKey").to_owned(), one.str_of("whenUnsatisfiable").to_owned())
    };
    let all = list.items();
    for (i, one) in all.iter().enumerate() {
        let skew = one.get("maxSkew");
        if skew.int().unwrap_or(0) <= 0 {
            r.invalid_int(&skew, "must be greater than zero");
        }
        let topology = one.get("topologyKey");
        if topology.str().is_empty() {
            r.required(&topology, "can not be empty");
        }
        let action = one.get("whenUnsatisfiable");
        if !["DoNotSchedule", "ScheduleAnyway"].contains(&action.str()) {
            r.unsupported(&action, &["DoNotSchedule", "ScheduleAnyway"]);
        }
        let pair = pair_of(one);
        if all[i + 1..].iter().any(|later| pair_of(later) == pair) {
            let shown = format!("{{{}, {}}}", pair.0, pair.1);
            let at = one.plus(".{topologyKey, whenUnsatisfiable}");
            r.duplicate_as(&at, &show::quote(&shown));
        }
        min_domains(one, action.str(), r);
        let policies = Must::OneOfOrEmpty(&["Honor", "Ignore"]);
        r.all(one, &[("nodeAffinityPolicy", policies), ("nodeTaintsPolicy", policies)]);
        label_keys(one, "matchLabelKeys", r);
        selector::label_selector(&one.get("labelSelector"), r);
    }
}

fn min_domains(one: &At, action: &str, r: &mut Report) {
    let domains = one.get("minDomains");
    let Some(number) = domains.int() else { return };
    if number <= 0 {
        r.invalid_int(&domains, "must be greater than zero");
    }
    if action != "DoNotSchedule" {
        let text =
            format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        r.invalid_int(&domains, &text);
    }
}

fn label_keys(one: &At, field: &str, r: &mut Report) {
    let keys = one.get(field);
    if keys.len() > 0 && !one.get("labelSelector").here() {
        r.forbidden(&keys, "must not be specified when labelSelector is not set");
        return;
    }
    for key in keys.items() {
        for objection in names::qualified(key.str()) {
            r.invalid(&key, &objection);
        }
    }
}
