//! Label selectors of workloads, policies and constraints; whether they match a template.
//! Models apimachinery pkg/apis/meta/v1/validation ValidateLabelSelector (v1.36).

use super::meta;
use crate::check::cursor::At;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;

const OPERATOR: &str = "not a valid selector operator";

/// A LabelSelector, absent or not.
pub(in crate::check) fn label_selector(at: &At, r: &mut Report) {
    meta::labels(&at.get("matchLabels"), r);
    for one in at.get("matchExpressions").items() {
        requirement(&one, r);
    }
}

fn requirement(at: &At, r: &mut Report) {
    operator(at, false, r);
    label_values(at, r);
}

/// A term of node affinity. Models ValidateNodeSelectorRequirement.
pub(in crate::check) fn node_requirement(at: &At, strict: bool, r: &mut Report) {
    operator(at, true, r);
    if strict {
        label_values(at, r);
    }
}

fn label_values(at: &At, r: &mut Report) {
    for value in at.get("values").items() {
        for objection in names::label_value(value.str()) {
            r.invalid(&value, &objection).code = "bad-label".into();
        }
    }
}

/// `numbers`: nodes are compared by greater and less too.
fn operator(at: &At, numbers: bool, r: &mut Report) {
    let values = at.get("values");
    match (at.str_of("operator"), values.len()) {
        ("In" | "NotIn", 0) => {
            r.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
        }
        ("In" | "NotIn", _) | ("Exists" | "DoesNotExist", 0) => {}
        ("Exists" | "DoesNotExist", _) => {
            let text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            r.forbidden(&values, text);
        }
        ("Gt" | "Lt", n) if numbers => {
            if n != 1 {
                let text = "must be specified single value when `operator` is 'Lt' or 'Gt'";
                r.required(&values, text);
            }
        }
        _ => {
            let operator = at.get("operator");
            r.invalid_as(&operator, &operator.word(), OPERATOR);
        }
    }
    let key = at.get("key");
    for objection in names::qualified(key.str()) {
        r.invalid(&key, &objection).code = "bad-label".into();
    }
}

/// Neither labels nor expressions: selects all, or nothing, by where it stands.
pub(in crate::check) fn is_empty(at: &At) -> bool {
    at.get("matchLabels").len() + at.get("matchExpressions").len() == 0
}

/// Whether the server could turn it into a selector at all.
pub(in crate::check) fn is_valid(at: &At) -> bool {
    let mut quiet = Report::new("");
    label_selector(at, &mut quiet);
    quiet.found.is_empty()
}

fn value_of<'a>(labels: &At<'a>, key: &str) -> Option<&'a str> {
    let found = labels.entries().into_iter().find(|(e, _)| e.key == key);
    found.map(|(_, at)| at.str())
}

/// Whether labels have all these pairs.
pub(in crate::check) fn matches_labels(pairs: &At, labels: &At) -> bool {
    pairs.entries().iter().all(|(e, at)| value_of(labels, &e.key) == Some(at.str()))
}

/// Whether a selector selects these labels.
pub(in crate::check) fn matches(selector: &At, labels: &At) -> bool {
    matches_labels(&selector.get("matchLabels"), labels)
        && selector.get("matchExpressions").items().iter().all(|one| {
            let has = value_of(labels, one.str_of("key"));
            let listed = || one.get("values").items().iter().any(|v| Some(v.str()) == has);
            match one.str_of("operator") {
                "In" => listed(),
                "NotIn" => !listed(),
                "Exists" => has.is_some(),
                _ => has.is_none(),
            }
        })
}

/// A selector as the server's JSON: known fields in their order, empty ones left out.
pub(in crate::check) fn json(at: &At) -> String {
    let Some(node) = at.node else { return "null".to_owned() };
    let mut fields = Vec::new();
    if let Some(labels) = node.get("matchLabels").filter(|n| !n.entries().is_empty()) {
        fields.push(format!("\"matchLabels\":{}", show::text_map(labels)));
    }
    let expressions = node.get("matchExpressions").map_or(&[][..], |n| n.items());
    if !expressions.is_empty() {
        let one = |e| requirement_json(e);
        let all: Vec<String> = expressions.iter().map(one).collect();
        fields.push(format!("\"matchExpressions\":[{}]", all.join(",")));
    }
    format!("{{{}}}", fields.join(","))
}

fn requirement_json(node: &crate::yaml::Node) -> String {
    let text = |key| show::json_text(node.get(key).and_then(|n| n.as_str()).unwrap_or(""));
    let values = node.get("values").filter(|n| !n.items().is_empty());
    let values = values.map_or(String::new(), |v| format!(",\"values\":{}", show::json(v)));
    format!("{{\"key\":{},\"operator\":{}{values}}}", text("key"), text("operator"))
}
