//! Labels of a series or a target, and relabelling.

use crate::regex::{Flavor, Options, Regex};
use crate::shell::programs::nginx::posix;
use std::collections::BTreeMap;

pub(super) type Labels = BTreeMap<String, String>;

/// Without the name, `{a="b"}`.
pub(super) fn json(labels: &Labels) -> String {
    let each = labels.iter().map(|(name, value)| format!("{}:{}", quote(name), quote(value)));
    format!("{{{}}}", each.collect::<Vec<_>>().join(","))
}

pub(super) fn quote(text: &str) -> String {
    let inner = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!("\"{inner}\"")
}

/// A pattern that must fit the whole text.
pub(super) fn whole(pattern: &str) -> Option<Regex> {
    let options = Options { flavor: Flavor::Extended, ..Options::default() };
    Regex::new(format!("^({})$", posix(pattern)).as_bytes(), options).ok()
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) sources: Vec<String>,
    pub(super) separator: String,
    pub(super) regex: Regex,
    pub(super) target: String,
    pub(super) replacement: String,
    pub(super) action: String,
}

/// Applies rules in order; None when the target or sample is dropped.
// Models prometheus model/relabel.Process.
pub(super) fn relabel(rules: &[Rule], mut labels: Labels) -> Option<Labels> {
    for rule in rules {
        let of = |name: &String| labels.get(name).cloned().unwrap_or_default();
        let text = rule.sources.iter().map(of).collect::<Vec<_>>().join(&rule.separator);
        let found = rule.regex.find_at(text.as_bytes(), 0).ok().flatten();
        match rule.action.as_str() {
            "keep" if found.is_none() => return None,
            "drop" if found.is_some() => return None,
            "replace" => {
                let Some(found) = found else { continue };
                let value = fill(&rule.replacement, &text, &found);
                match value.is_empty() {
                    true => labels.remove(&rule.target),
                    false => labels.insert(rule.target.clone(), value),
                };
            }
            "lowercase" => drop(labels.insert(rule.target.clone(), text.to_lowercase())),
            "uppercase" => drop(labels.insert(rule.target.clone(), text.to_uppercase())),
            "labeldrop" | "labelkeep" => {
                let keeps = rule.action == "labelkeep";
                let fits = |name: &str| rule.regex.is_match(name.as_bytes()).unwrap_or(false);
                labels.retain(|name, _| fits(name) == keeps);
            }
            "labelmap" => {
                let mut more = Labels::new();
                for (name, value) in &labels {
                    if let Ok(Some(found)) = rule.regex.find_at(name.as_bytes(), 0) {
                        more.insert(fill(&rule.replacement, name, &found), value.clone());
                    }
                }
                labels.extend(more);
            }
            _ => {}
        }
    }
    Some(labels)
}

/// `$1` and `${1}` in a replacement; the groups stand behind the one that is the whole.
fn fill(replacement: &str, text: &str, found: &crate::regex::Match) -> String {
    let mut out = String::new();
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let inner = rest.strip_prefix('{').unwrap_or(rest);
        let end = inner.find(|c: char| !c.is_ascii_digit()).unwrap_or(inner.len());
        let group = inner[..end].parse::<usize>().ok().and_then(|n| found.group(n + 1));
        out.push_str(group.and_then(|(from, to)| text.get(from..to)).unwrap_or(""));
        rest = inner[end..].strip_prefix('}').unwrap_or(&inner[end..]);
    }
    out.push_str(rest);
    out
}
