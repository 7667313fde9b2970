//! Label and field selectors as flags write them. Models apimachinery pkg/labels (v1.36).

use crate::kube::tree::Tree;
use crate::order::Order;

/// One wish: a key, how, and the values.
struct Wish {
    key: String,
    how: How,
    values: Vec<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    In,
    NotIn,
    Exists,
    Absent,
}

/// A parsed `-l` or `--field-selector`.
#[derive(Default)]
pub(super) struct Selector(Vec<Wish>);

impl Selector {
    /// Reads `a=b,c!=d,e in (f,g),h,!i`; the error is kubectl's.
    pub(super) fn parse(text: &str) -> Result<Selector, String> {
        let mut wishes = Vec::new();
        for part in outer_commas(text).into_iter().map(str::trim).filter(|p| !p.is_empty()) {
            wishes.push(wish(part).ok_or_else(|| match part.split_once(' ') {
                Some((_, rest)) => format!(
                    "unable to parse requirement: found '{}', expected: in, notin, =, ==, !=, \
                         gt, lt",
                    rest.trim().split(' ').next().unwrap_or("")
                ),
                None => {
                    format!("unable to parse requirement: found '{part}', expected: identifier")
                }
            })?);
        }
        Ok(Selector(wishes))
    }

    fn matches(&self, value: impl Fn(&str) -> Option<String>) -> bool {
        self.0.iter().all(|wish| {
            let value = value(&wish.key);
            let listed = value.as_ref().is_some_and(|value| wish.values.contains(value));
            match wish.how {
                How::In => listed,
                How::NotIn => !listed,
                How::Exists => value.is_some(),
                How::Absent => value.is_none(),
            }
        })
    }

    pub(super) fn takes_labels(&self, object: &Tree) -> bool {
        let labels = object.at("metadata.labels");
        self.matches(|key| {
            let value = labels.get(key);
            (!value.is_null()).then(|| value.show())
        })
    }

    pub(super) fn takes_fields(&self, object: &Tree) -> bool {
        self.matches(|path| Some(object.at(path).show()))
    }
}

fn outer_commas(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|ch| {
        match ch {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        ch == ',' && depth == 0
    })
    .collect()
}

fn wish(part: &str) -> Option<Wish> {
    let made = |key: &str, how, values: Vec<&str>| Wish {
        key: key.trim().to_owned(),
        how,
        values: values.into_iter().map(|v| v.trim().to_owned()).collect(),
    };
    for (word, how) in [(" notin ", How::NotIn), (" in ", How::In)] {
        if let Some((key, list)) = part.split_once(word) {
            let list = list.trim().strip_prefix('(')?.strip_suffix(')')?;
            return Some(made(key, how, list.split(',').collect()));
        }
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(made(key, How::NotIn, vec![value]));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Some(made(key, How::In, vec![value]));
    }
    if let Some(key) = part.strip_prefix('!') {
        return Some(made(key, How::Absent, Vec::new()));
    }
    let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    plain.then(|| made(part, How::Exists, Vec::new()))
}

/// Fields the server selects by, beyond name and namespace.
const FIELDS: [(&str, &str); 9] = [
    (
        "Pod",
        "spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName \
         spec.hostNetwork status.phase status.podIP status.podIPs status.nominatedNodeName",
    ),
    (
        "Event",
        "involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid \
         involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath reason \
         reportingComponent source type",
    ),
    ("Secret", "type"),
    ("Namespace", "status.phase"),
    ("Node", "spec.unschedulable"),
    ("Job", "status.successful"),
    ("ReplicaSet", "status.replicas"),
    ("Service", "spec.clusterIP spec.type"),
    ("ReplicationController", "status.replicas"),
];

/// Whether the server selects objects of a kind by these fields.
pub(super) fn fields_of(kind: &super::kinds::Kind, selector: &Selector) -> Result<(), String> {
    let more = FIELDS.iter().find(|(name, _)| *name == kind.name).map_or("", |(_, fields)| fields);
    let known = |key: &str| {
        ["metadata.name", "metadata.namespace"].contains(&key)
            || more.split_whitespace().any(|one| one == key)
    };
    match selector.0.iter().find(|wish| !known(&wish.key)) {
        None => Ok(()),
        Some(wish) if more.is_empty() => Err(format!(
            "\"{}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            wish.key
        )),
        Some(wish) => Err(format!("field label not supported: {}", wish.key)),
    }
}

/// A typed selector as text: `app=web,tier in (a,b)`. Models metav1.FormatLabelSelector.
pub(super) fn show(selector: &Tree) -> String {
    let mut parts = Vec::new();
    for (key, value) in selector.get("matchLabels").entries() {
        parts.push(format!("{key}={}", value.str()));
    }
    for one in selector.get("matchExpressions").items() {
        let (key, mut values) = (one.text("key"), Vec::new());
        values.extend(one.get("values").items().iter().map(Tree::show));
        values.order();
        parts.push(match one.text("operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}

/// A map as text: `a=b,c=d`. Models labels.FormatLabels.
pub(super) fn show_map(map: &Tree) -> String {
    let pairs: Vec<String> =
        map.entries().iter().map(|(key, value)| format!("{key}={}", value.show())).collect();
    if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_choose_by_labels() {
        let mut labels = Tree::map();
        labels.put("app", Tree::from("web"));
        labels.put("tier", Tree::from("a"));
        let object = Tree::of(vec![("metadata", Tree::of(vec![("labels", labels)]))]);
        for (text, expected) in [
            ("app=web", true),
            ("app==web,tier!=b", true),
            ("app in (api, web),tier", true),
            ("app notin (web)", false),
            ("!gone", true),
            ("gone", false),
            ("", true),
        ] {
            let selector = Selector::parse(text).expect(text);
            assert_eq!(selector.takes_labels(&object), expected, "{text}");
        }
        assert!(Selector::parse("a b").is_err());
    }
}
