//! Repairs: small edits that keep comments and style. None is offered where the text is not
//! at hand, or where it is not plain what the writer wanted.

use super::cursor::At;
use super::edit;
use super::rules::pod::Ctx;
use super::show;
use crate::diagnostic::Fix;
use crate::kube::names;
use crate::kube::quantity::Quantity;
use crate::kube::schema::Shape;
use crate::text::{Edit, Span};
use crate::yaml::{Node, Style, Value};

/// The word of `options` that `word` was most likely meant to be.
pub(super) fn nearest<'a>(word: &str, options: &[&'a str]) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let lower = word.to_ascii_lowercase();
    let far = |option: &str| distance(&lower, &option.to_ascii_lowercase());
    let best = options.iter().filter(|o| !o.is_empty()).min_by_key(|o| far(o))?;
    (far(best) <= allowed).then_some(*best)
}

/// Inserted, dropped, changed and swapped letters between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let width = b.len() + 1;
    let mut rows = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                let swap = if swapped { rows[(i - 2) * width + j - 2] + 1 } else { usize::MAX };
                (rows[(i - 1) * width + j] + 1)
                    .min(rows[i * width + j - 1] + 1)
                    .min(rows[(i - 1) * width + j - 1] + cost)
                    .min(swap)
            };
        }
    }
    rows[a.len() * width + b.len()]
}

pub(super) fn replace(span: Span, with: &str, title: &str) -> Fix {
    Fix { title: title.to_owned(), edits: vec![Edit { span, text: with.to_owned() }] }
}

/// Changes the value at `at` to the allowed one it is nearest to.
pub(super) fn nearest_value(text: &str, at: &At, allowed: &[&str]) -> Option<Fix> {
    let node = at.node.filter(|_| !text.is_empty())?;
    // A list or a map holds more than the one value that is wrong.
    if matches!(node.value, Value::Seq(_) | Value::Map(_)) {
        return None;
    }
    let best = match allowed {
        [only] if !only.is_empty() => only,
        _ => nearest(node.as_str()?, allowed)?,
    };
    Some(replace(node.span, best, &format!("Change to `{best}`")))
}

/// Makes a name of the letters a name may have.
pub(super) fn lower_name(text: &str, at: &At) -> Option<Fix> {
    let node = at.node.filter(|_| !text.is_empty())?;
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = node.as_str()?.to_ascii_lowercase().chars().map(plain).collect();
    let name = name.trim_matches(|c| c == '-' || c == '.');
    let good = !name.is_empty() && names::label(name).is_empty() && Some(name) != node.as_str();
    good.then(|| replace(node.span, name, &format!("Rename to `{name}`")))
}

pub(super) fn remove_field(text: &str, parent: &At, key: &str, title: &str) -> Option<Fix> {
    let edit = edit::remove(text, parent.node?, key)?;
    Some(Fix { title: title.to_owned(), edits: vec![edit] })
}

pub(super) fn add_field(
    text: &str,
    parent: &At,
    key: &str,
    value: &str,
    title: &str,
) -> Option<Fix> {
    // A key that is there already would stand twice.
    if let Some(entry) = parent.node?.entry(key) {
        return matches!(entry.value.value, Value::Str(_))
            .then(|| replace(entry.value.span, value, title))
            .filter(|_| !text.is_empty());
    }
    let edit = edit::add(text, parent.node?, &[&format!("{key}: {value}")])?;
    Some(Fix { title: title.to_owned(), edits: vec![edit] })
}

/// A mount of a volume that is not there: take the nearest one, or add one.
pub(super) fn missing_volume(text: &str, ctx: &Ctx, name: &At) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if text.is_empty() || name.str().is_empty() {
        return fixes;
    }
    let known: Vec<&str> = ctx.volumes.keys().copied().collect();
    fixes.extend(nearest_value(text, name, &known));
    let written = ctx.spec.get("volumes").items();
    let faulty = written.iter().any(|v| v.str_of("name") == name.str());
    if !faulty && names::label(name.str()).is_empty() {
        let item = format!("- name: {}", name.str());
        let title = format!("Add an empty volume `{}`", name.str());
        let lines = [item.as_str(), "  emptyDir: {}"];
        let edit = match ctx.spec.get("volumes").node {
            Some(list) => edit::push(text, list, &lines),
            None => ctx
                .spec
                .node
                .and_then(|spec| edit::append(text, spec, &["volumes:", lines[0], lines[1]])),
        };
        fixes.extend(edit.map(|edit| Fix { title, edits: vec![edit] }));
    }
    fixes
}

/// Writes the selector that selects the template's labels.
pub(super) fn selector_from_labels(text: &str, spec: &At) -> Option<Fix> {
    let labels = spec.get("template.metadata.labels").entries();
    if text.is_empty() || labels.is_empty() {
        return None;
    }
    let mut lines = vec!["selector:".to_owned(), "  matchLabels:".to_owned()];
    lines.extend(labels.iter().map(|(e, v)| format!("    {}: {}", e.key, scalar(v.str()))));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let edit = edit::prepend(text, spec.node?, &lines)?;
    Some(Fix { title: "Add a selector for the template's labels".to_owned(), edits: vec![edit] })
}

/// Gives the template the labels its selector asks for.
pub(super) fn labels_to_match(text: &str, spec: &At) -> Option<Fix> {
    let selector = spec.get("selector");
    let wanted = selector.get("matchLabels").entries();
    // What expressions want is not in one label each.
    if text.is_empty() || wanted.is_empty() || selector.get("matchExpressions").len() > 0 {
        return None;
    }
    let title = "Give the template the labels of the selector".to_owned();
    let template = spec.get("template");
    let labels = template.get("metadata.labels");
    let mut edits = Vec::new();
    let mut missing = Vec::new();
    for (entry, value) in &wanted {
        let found = labels.entries().into_iter().find(|(e, _)| e.key == entry.key);
        match found.and_then(|(_, at)| at.node) {
            Some(node) if node.as_str() == Some(value.str()) => {}
            Some(node) => edits.push(Edit { span: node.span, text: scalar(value.str()) }),
            None => missing.push(format!("{}: {}", entry.key, scalar(value.str()))),
        }
    }
    if !missing.is_empty() {
        let lines: Vec<&str> = missing.iter().map(String::as_str).collect();
        edits.push(add_labels(text, &template, &lines)?);
    }
    Some(Fix { title, edits })
}

fn add_labels(text: &str, template: &At, lines: &[&str]) -> Option<Edit> {
    let deeper = |by: usize| lines.iter().map(move |l| format!("{}{l}", " ".repeat(by)));
    let under = |head: &[&str], by: usize| -> Vec<String> {
        head.iter().map(|h| (*h).to_owned()).chain(deeper(by)).collect()
    };
    let metadata = template.get("metadata");
    let labels = metadata.get("labels");
    // A key with nothing behind it would stand twice.
    let empty = |at: &At<'_>, key: &str| {
        at.node.and_then(|node| node.entry(key)).is_some_and(|entry| entry.value.is_null())
    };
    if empty(template, "metadata") || empty(&metadata, "labels") {
        return None;
    }
    let (node, lines) = match (labels.node, metadata.node, template.node) {
        (Some(labels), _, _) => (labels, under(&[], 0)),
        (None, Some(metadata), _) => (metadata, under(&["labels:"], 2)),
        (None, None, Some(template)) => (template, under(&["metadata:", "  labels:"], 4)),
        _ => return None,
    };
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    edit::prepend(text, node, &lines)
}

/// A restart policy that lets a Job end.
pub(super) fn restart_policy(text: &str, policy: &At, template: &At) -> Vec<Fix> {
    let mut fixes = Vec::new();
    if text.is_empty() {
        return fixes;
    }
    for word in ["Never", "OnFailure"] {
        let title = format!("Set `restartPolicy: {word}`");
        let fix = match (policy.node, template.get("spec").node) {
            (Some(node), _) => Some(replace(node.span, word, &title)),
            (None, Some(spec)) => edit::prepend(text, spec, &[&format!("restartPolicy: {word}")])
                .map(|edit| Fix { title, edits: vec![edit] }),
            _ => None,
        };
        fixes.extend(fix);
    }
    fixes
}

/// Plain YAML for a text, quoted where YAML would read something else.
pub(super) fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let safe = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(plain)
        && crate::yaml::resolve_plain(text).is_none();
    if safe { text.to_owned() } else { show::json_text(text) }
}

/// Puts quotes on or takes them off.
pub(super) fn change_type(text: &str, node: &Node, shape: &Shape) -> Option<Fix> {
    if text.is_empty() {
        return None;
    }
    let written = node.span.of(text);
    match (shape, &node.value) {
        (Shape::String, Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
            Some(replace(node.span, &format!("\"{written}\""), "Put quotes round it"))
        }
        (Shape::Int32 | Shape::Int64 | Shape::IntOrString, Value::Str(s)) => {
            s.text.trim().parse::<i32>().ok()?;
            Some(replace(node.span, s.text.trim(), "Take the quotes off"))
        }
        (Shape::Bool, Value::Str(s)) => {
            let word = match s.text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => "true",
                "false" | "no" | "off" => "false",
                _ => return None,
            };
            Some(replace(node.span, word, &format!("Change to `{word}`")))
        }
        (Shape::Array(inner), Value::Str(s)) if **inner == Shape::String => {
            if matches!(s.style, Style::Literal | Style::Folded) {
                return None;
            }
            let quoted = show::json_text(&s.text);
            if s.text.trim().contains([' ', '\n', '|', '>']) {
                let list = format!("[\"sh\", \"-c\", {quoted}]");
                return Some(replace(node.span, &list, "Run it through a shell"));
            }
            Some(replace(node.span, &format!("[{quoted}]"), "Make it a list"))
        }
        _ => None,
    }
}

/// The amount that was probably meant.
pub(super) fn quantity(text: &str, node: &Node) -> Option<Fix> {
    let written = node.as_str().filter(|_| !text.is_empty())?;
    let packed: String = written.chars().filter(|c| !c.is_whitespace() && *c != '_').collect();
    let n = packed.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, suffix) = packed.split_at(n);
    let bare = suffix.trim_end_matches(['B', 'b']);
    let mut letters = bare.chars();
    let first =
        letters.next().map(|c| if c == 'k' || c == 'K' { 'k' } else { c.to_ascii_uppercase() });
    let rest: String = letters.as_str().to_ascii_lowercase();
    let fixed = match first {
        Some('k') if rest == "i" => "Ki".to_owned(),
        Some(c) => format!("{c}{rest}"),
        None => String::new(),
    };
    let best = format!("{number}{fixed}");
    let good = !number.is_empty() && Quantity::parse(&best).is_ok() && best != written;
    good.then(|| replace(node.span, &best, &format!("Change to `{best}`")))
}
