//! Which labels a selector selects. Not whether it is well-formed.
//!
//! Models apimachinery pkg/apis/meta/v1 LabelSelectorAsSelector (v1.36).

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use std::collections::BTreeMap;

pub type Labels = BTreeMap<String, String>;

/// An empty selector selects everything; an unknown operator nothing.
pub fn matches(selector: &meta::LabelSelector, labels: &Labels) -> bool {
    let pairs = selector.match_labels.as_ref();
    let expressions = selector.match_expressions.iter().flatten();
    pairs.is_none_or(|pairs| matches_pairs(pairs, labels))
        && expressions.into_iter().all(|one| matches_one(one, labels))
}

/// The plain form of Services: all pairs are among the labels.
pub fn matches_pairs(pairs: &Labels, labels: &Labels) -> bool {
    pairs.iter().all(|(key, value)| labels.get(key) == Some(value))
}

fn matches_one(one: &meta::LabelSelectorRequirement, labels: &Labels) -> bool {
    let value = labels.get(&one.key);
    let listed = || value.is_some_and(|value| one.values.iter().flatten().any(|v| v == value));
    match one.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_by_pairs_and_expressions() {
        let labels = Labels::from([("app".into(), "web".into()), ("tier".into(), "a".into())]);
        let cases = [
            ("", "", "", true),
            ("app", "In", "web api", true),
            ("app", "In", "api", false),
            ("app", "NotIn", "api", true),
            ("gone", "NotIn", "api", true),
            ("app", "NotIn", "web", false),
            ("app", "Exists", "", true),
            ("gone", "Exists", "", false),
            ("gone", "DoesNotExist", "", true),
            ("app", "Like", "web", false),
        ];
        for (key, operator, values, expected) in cases {
            let one = meta::LabelSelectorRequirement {
                key: key.into(),
                operator: operator.into(),
                values: Some(values.split_whitespace().map(str::to_owned).collect()),
            };
            let expressions = if key.is_empty() { None } else { Some(vec![one]) };
            let selector =
                meta::LabelSelector { match_expressions: expressions, match_labels: None };
            assert_eq!(matches(&selector, &labels), expected, "{key} {operator} {values}");
        }
        let pairs = Labels::from([("app".into(), "api".into())]);
        assert!(!matches_pairs(&pairs, &labels));
    }
}
