//! `manifest has PATH = VALUE`: read from words, and found in what the learner wrote, or in what
//! there is in the cluster.

use super::parse::{Read, Reader};
use super::{Assertion, ManifestHas, Pattern, Step, Value};
use crate::kube::Desired;
use crate::text::Span;

impl Reader<'_> {
    /// What stands behind the word `manifest`.
    pub(super) fn manifest(&mut self) -> Read<Assertion> {
        if self.take("is") {
            self.expect("refused")?;
            self.expect("with")?;
            return Ok(Assertion::Refused(self.pattern()?));
        }
        Ok(Assertion::Manifest(self.has()?))
    }

    /// `has PATH`, `has no PATH = VALUE in Kind/name`, and what else `has` may be followed by.
    pub(super) fn has(&mut self) -> Read<ManifestHas> {
        self.expect("has")?;
        let wanted = !self.take("no");
        let text = self.word("a path such as `spec.volumes[name=logs].emptyDir`")?.to_owned();
        let Some(path) = steps(&text) else {
            self.at -= 1;
            return Err(self.problem("a path is keys with `.`, `[0]`, `[*]` or `[name=web]`"));
        };
        let value = if self.take("=") {
            match self.maybe_pattern() {
                Some(Pattern::Text(text)) => Value::Equal(text),
                Some(expression) => Value::Matching(expression),
                None => Value::Equal(self.word("a value")?.to_owned()),
            }
        } else if self.take("contains") {
            Value::Matching(self.pattern()?)
        } else {
            Value::Present
        };
        // `has Deployment/web`: that it is there.
        let (path, named) = match text.split_once('/').filter(|_| !text.contains('[')) {
            Some((kind, name)) => {
                let path = vec![Step::Key("kind".to_owned())];
                (path, Some((kind.to_owned(), name.to_owned())))
            }
            None => (path, None),
        };
        let object = if self.take("in") {
            let word = self.word("an object such as `Pod/web`")?;
            let Some((kind, name)) = word.split_once('/') else {
                self.at -= 1;
                return Err(self.problem("an object is written `Kind/name`"));
            };
            Some((kind.to_owned(), name.to_owned()))
        } else {
            named
        };
        Ok(ManifestHas { wanted, path, text, value, object })
    }
}

/// `spec.initContainers[name=shipper].restartPolicy` in steps.
fn steps(text: &str) -> Option<Vec<Step>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let end = inner.find(']')?;
            found.push(bracket(&inner[..end])?);
            rest = &inner[end + 1..];
        } else {
            let key = rest.strip_prefix('.').unwrap_or(rest);
            let end = key.find(['.', '[']).unwrap_or(key.len());
            if end == 0 {
                return None;
            }
            found.push(Step::Key(key[..end].to_owned()));
            rest = &key[end..];
        }
    }
    (!found.is_empty()).then_some(found)
}

fn bracket(inner: &str) -> Option<Step> {
    if let Some(key) = inner.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return Some(Step::Key(key.to_owned()));
    }
    if inner == "*" {
        return Some(Step::Any);
    }
    if inner == "each" {
        return Some(Step::Each);
    }
    if let Some((key, value)) = inner.split_once('=') {
        return Some(Step::Where(key.to_owned(), value.to_owned()));
    }
    inner.parse().ok().map(Step::Index)
}

/// What became of looking for it.
pub(super) enum Found {
    /// With the place of the value.
    Yes(Span, String),
    /// The path is there, but with this value.
    Other(Span, String),
    No,
}

pub(super) fn find(has: &ManifestHas, desired: &Desired) -> Found {
    let mut other = Found::No;
    for object in &desired.objects {
        let Some(root) = object.origins.root.as_deref() else { continue };
        let name = root.at(["metadata", "name"]).and_then(|n| n.as_str());
        let kind = root.get("kind").and_then(|n| n.as_str());
        if let Some((want_kind, want_name)) = &has.object
            && (kind != Some(want_kind) || name != Some(want_name))
        {
            continue;
        }
        match walk(root, &has.path, root.span, &has.value) {
            Found::No => {}
            Found::Other(span, value) => other = Found::Other(span, value),
            yes => return yes,
        }
    }
    other
}

/// Depth is bounded by the goal's own path.
fn walk(node: &crate::yaml::Node, path: &[Step], span: Span, value: &Value) -> Found {
    let Some((step, rest)) = path.split_first() else { return compare(node, span, value) };
    let named = |item: &crate::yaml::Node, key: &str, want: &str| {
        item.get(key).is_some_and(|own| text_of(own) == want)
    };
    let mut other = Found::No;
    let mut try_one = |next: &crate::yaml::Node, span: Span| match walk(next, rest, span, value) {
        Found::No => None,
        Found::Other(span, text) => {
            other = Found::Other(span, text);
            None
        }
        yes => Some(yes),
    };
    let yes = match step {
        Step::Key(key) if key == "*" => {
            node.entries().iter().find_map(|e| try_one(&e.value, e.key_span.to(e.value.span)))
        }
        Step::Key(key) => {
            node.entry(key).and_then(|e| try_one(&e.value, e.key_span.to(e.value.span)))
        }
        Step::Index(idx) => node.items().get(*idx).and_then(|item| try_one(item, item.span)),
        Step::Where(key, want) => node
            .items()
            .iter()
            .filter(|item| named(item, key, want))
            .find_map(|item| try_one(item, item.span)),
        Step::Any => node.items().iter().find_map(|item| try_one(item, item.span)),
        Step::Each => return each(node, rest, value),
    };
    yes.unwrap_or(other)
}

/// The first item, if all of them have it; else what the first one without it has instead.
fn each(node: &crate::yaml::Node, path: &[Step], value: &Value) -> Found {
    let mut first = Found::No;
    for item in node.items() {
        match walk(item, path, item.span, value) {
            Found::Yes(span, text) if matches!(first, Found::No) => first = Found::Yes(span, text),
            Found::Yes(..) => {}
            not => return not,
        }
    }
    first
}

fn compare(node: &crate::yaml::Node, span: Span, value: &Value) -> Found {
    let text = text_of(node);
    let same = match value {
        Value::Present => true,
        Value::Equal(want) => text == *want,
        Value::Matching(pattern) => pattern.finds(&text),
    };
    if same { Found::Yes(span, text) } else { Found::Other(span, text) }
}

/// A scalar as text; lists and maps have none.
fn text_of(node: &crate::yaml::Node) -> String {
    if let Some(text) = node.as_str() {
        return text.to_owned();
    }
    let number = node.as_i64().map(|n| n.to_string());
    number.or_else(|| node.as_bool().map(|b| b.to_string())).unwrap_or_default()
}
