//! JSONPath templates: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! Models k8s.io/client-go/util/jsonpath (v1.36), without its rarer corners.

use super::dump;
use crate::kube::tree::Tree;

#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Path(Vec<Step>),
    Range(Vec<Step>, Vec<Piece>),
}

#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    /// Every entry.
    All,
    /// At any depth.
    Deep(String),
    /// Start, end, step, as slices have them; one item has only its start.
    Slice(Option<i64>, Option<i64>, bool),
    Any(Vec<Step>),
    /// Left side, comparison, right side.
    Where(Vec<Step>, String, Tree),
}

/// Fills a template; the error is kubectl's.
pub(super) fn fill(template: &str, root: &Tree) -> Result<String, String> {
    let mut rest = template;
    let pieces = pieces(&mut rest, false)
        .map_err(|why| format!("error parsing jsonpath {template}, {why}"))?;
    let mut out = String::new();
    write(&pieces, root, &mut out).map_err(|why| {
        format!(
            "error executing jsonpath {template:?}: Error executing template: {why}. Printing more \
             information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject \
             given to jsonpath engine was:\n\t\t{}\n\n",
            go(root)
        )
    })?;
    Ok(out)
}

/// The values of one path such as `.metadata.name` or `{.metadata.name}`.
pub(super) fn values<'t>(path: &str, root: &'t Tree) -> Result<Vec<&'t Tree>, String> {
    let inside = path.trim().trim_start_matches('{').trim_end_matches('}');
    let dotted =
        if inside.starts_with(['.', '[']) { inside.to_owned() } else { format!(".{inside}") };
    Ok(follow(&steps(&dotted)?, root))
}

fn pieces(rest: &mut &str, inside: bool) -> Result<Vec<Piece>, String> {
    let mut out = Vec::new();
    while !rest.is_empty() {
        let Some(at) = rest.find('{') else {
            out.push(Piece::Text(std::mem::take(rest).to_owned()));
            break;
        };
        if at > 0 {
            out.push(Piece::Text(rest[..at].to_owned()));
        }
        let after = &rest[at + 1..];
        let end = closing(after).ok_or("unclosed action")?;
        let action = after[..end].trim();
        *rest = &after[end + 1..];
        match action.split_once(' ').map_or((action, ""), |(a, b)| (a, b.trim())) {
            ("range", path) => {
                let path = steps(path)?;
                out.push(Piece::Range(path, pieces(rest, true)?));
            }
            ("end", _) if inside => return Ok(out),
            ("end", _) => return Err("not in range, nothing to end".to_owned()),
            _ => match quoted(action) {
                Some(text) => out.push(Piece::Text(text)),
                None => out.push(Piece::Path(steps(action)?)),
            },
        }
    }
    if inside { Err("unterminated range, end expected".to_owned()) } else { Ok(out) }
}

/// Where the action's brace closes, quotes aside.
fn closing(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, ch) in text.char_indices() {
        match (quote, ch) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), ch) if ch == open => quote = None,
            (None, '"' | '\'') => quote = Some(ch),
            (None, '}') => return Some(at),
            _ => {}
        }
    }
    None
}

fn quoted(action: &str) -> Option<String> {
    let open = action.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    let inside = action.get(1..)?.strip_suffix(open)?;
    let mut out = String::new();
    let mut chars = inside.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => out.extend(chars.next().map(|c| match c {
                'n' => '\n',
                't' => '\t',
                other => other,
            })),
            ch => out.push(ch),
        }
    }
    Some(out)
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut out = Vec::new();
    let mut rest = path.trim_start_matches(['$', '@']);
    while let Some(first) = rest.chars().next() {
        match first {
            '.' if rest.starts_with("..") => {
                let (name, more) = name(&rest[2..]);
                out.push(Step::Deep(name));
                rest = more;
            }
            '.' => {
                let (name, more) = name(&rest[1..]);
                match name.as_str() {
                    "" => {}
                    "*" => out.push(Step::All),
                    _ => out.push(Step::Key(name)),
                }
                rest = more;
            }
            '[' => {
                let end = bracket_end(rest).ok_or("unterminated array")?;
                out.push(bracket(&rest[1..end])?);
                rest = &rest[end + 1..];
            }
            _ => return Err(format!("unrecognized character in action: {first:?}")),
        }
    }
    Ok(out)
}

/// A name up to the next dot or bracket; `\.` is a dot of the name.
fn name(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, ch)) = chars.next() {
        match ch {
            '\\' => out.extend(chars.next().map(|(_, c)| c)),
            '.' | '[' | ' ' => return (out, text[at..].trim_start()),
            ch => out.push(ch),
        }
    }
    (out, "")
}

fn bracket_end(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0, None);
    for (at, ch) in text.char_indices() {
        match (quote, ch) {
            (Some(open), ch) if ch == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(ch),
            (None, '[') => depth += 1,
            (None, ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn bracket(inside: &str) -> Result<Step, String> {
    let inside = inside.trim();
    if let Some(test) = inside.strip_prefix("?(").and_then(|t| t.strip_suffix(')')) {
        return condition(test);
    }
    if inside == "*" {
        return Ok(Step::All);
    }
    if let Some(key) = quoted(inside) {
        return Ok(Step::Key(key));
    }
    if inside.contains(',') {
        let all: Result<Vec<Step>, String> = inside.split(',').map(bracket).collect();
        return all.map(Step::Any);
    }
    let number = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i64>().map(Some).map_err(|_| format!("invalid array index {inside}")),
    };
    match inside.split_once(':') {
        Some((from, to)) => {
            Ok(Step::Slice(number(from)?, number(to.split(':').next().unwrap_or(""))?, true))
        }
        None => Ok(Step::Slice(number(inside)?, None, false)),
    }
}

fn condition(test: &str) -> Result<Step, String> {
    for sign in ["==", "!=", ">=", "<=", ">", "<"] {
        let Some((left, right)) = test.split_once(sign) else { continue };
        let right = right.trim();
        let value = match (quoted(right), right.parse::<i64>(), right) {
            (Some(text), ..) => Tree::Str(text),
            (None, Ok(number), _) => Tree::Int(number),
            (None, _, "true" | "false") => Tree::Bool(right == "true"),
            _ => return Err(format!("unrecognized value {right}")),
        };
        return Ok(Step::Where(steps(left.trim())?, sign.to_owned(), value));
    }
    Ok(Step::Where(steps(test.trim())?, String::new(), Tree::Null))
}

fn follow<'t>(steps: &[Step], root: &'t Tree) -> Vec<&'t Tree> {
    let mut found = vec![root];
    for step in steps {
        found = found.into_iter().flat_map(|tree| one(step, tree)).collect();
    }
    found
}

fn one<'t>(step: &Step, tree: &'t Tree) -> Vec<&'t Tree> {
    match step {
        Step::Key(key) => match tree {
            Tree::List(items) => items.iter().flat_map(|item| one(step, item)).collect(),
            _ => Some(tree.get(key)).filter(|t| !t.is_null()).into_iter().collect(),
        },
        Step::All => children(tree),
        Step::Deep(key) => {
            let mut out: Vec<&Tree> =
                Some(tree.get(key)).filter(|t| !t.is_null()).into_iter().collect();
            for child in children(tree) {
                out.extend(one(step, child));
            }
            out
        }
        Step::Slice(from, to, is_range) => slice(tree.items(), *from, *to, *is_range),
        Step::Any(steps) => steps.iter().flat_map(|step| one(step, tree)).collect(),
        Step::Where(left, sign, right) => {
            tree.items().iter().filter(|item| holds(item, left, sign, right)).collect()
        }
    }
}

fn children(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::List(items) => items.iter().collect(),
        _ => tree.entries().iter().map(|(_, value)| value).collect(),
    }
}

fn slice(items: &[Tree], from: Option<i64>, to: Option<i64>, is_range: bool) -> Vec<&Tree> {
    let n = items.len() as i64;
    let place = |idx: i64| (if idx < 0 { idx + n } else { idx }).clamp(0, n) as usize;
    if is_range {
        let (from, to) = (place(from.unwrap_or(0)), place(to.unwrap_or(n)));
        return items.get(from..to).unwrap_or(&[]).iter().collect();
    }
    let idx = from.unwrap_or(0);
    let idx = if idx < 0 { idx + n } else { idx };
    usize::try_from(idx).ok().and_then(|idx| items.get(idx)).into_iter().collect()
}

/// No step asks for an item that a list does not have.
fn within(steps: &[Step], root: &Tree) -> Result<(), String> {
    let mut found = vec![root];
    for step in steps {
        if let Step::Slice(Some(idx), _, false) = step {
            for n in found.iter().map(|tree| tree.items().len() as i64) {
                if *idx >= n || *idx < -n {
                    return Err(format!("array index out of bounds: index {idx}, length {n}"));
                }
            }
        }
        found = found.into_iter().flat_map(|tree| one(step, tree)).collect();
    }
    Ok(())
}

/// A value as Go's `%#v` writes it.
fn go(tree: &Tree) -> String {
    match tree {
        Tree::Map(entries) => {
            let all: Vec<String> =
                entries.iter().map(|(key, value)| format!("{key:?}:{}", go(value))).collect();
            format!("map[string]interface {{}}{{{}}}", all.join(", "))
        }
        Tree::List(items) => {
            let all: Vec<String> = items.iter().map(go).collect();
            format!("[]interface {{}}{{{}}}", all.join(", "))
        }
        Tree::Str(text) => format!("{text:?}"),
        Tree::Null => "interface {}(nil)".to_owned(),
        scalar => scalar.show(),
    }
}

fn holds(item: &Tree, left: &[Step], sign: &str, right: &Tree) -> bool {
    let found = follow(left, item);
    let Some(value) = found.first() else { return false };
    let order = match (value, right) {
        (Tree::Int(a), Tree::Int(b)) => a.cmp(b),
        (value, right) => value.show().cmp(&right.show()),
    };
    match sign {
        "==" => order.is_eq(),
        "!=" => order.is_ne(),
        ">" => order.is_gt(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        "<=" => order.is_le(),
        _ => true,
    }
}

/// A value in a text: scalars plain, all else as JSON.
pub(super) fn shown(tree: &Tree) -> String {
    match tree {
        Tree::List(_) | Tree::Map(_) => {
            let mut out = String::new();
            dump::json(tree, 0, 0, &mut out);
            out
        }
        scalar => scalar.show(),
    }
}

fn write(pieces: &[Piece], here: &Tree, out: &mut String) -> Result<(), String> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Path(path) => {
                within(path, here)?;
                let all: Vec<String> = follow(path, here).into_iter().map(shown).collect();
                out.push_str(&all.join(" "));
            }
            Piece::Range(path, inside) => {
                for item in follow(path, here) {
                    write(inside, item, out)?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled() {
        let text = "items:\n- {metadata: {name: a, labels: {app.io/x: one}}, m: 1}\n- {metadata: \
                    {name: b}, m: 2, t: [{type: Ready, s: 'True'}, {type: Other, s: 'False'}]}\n";
        let tree = crate::kube::tree_of(text).expect("a tree");
        for (template, expected) in [
            ("{.items[*].metadata.name}", Ok("a b")),
            ("{.items[0].metadata}", Ok(r#"{"labels":{"app.io/x":"one"},"name":"a"}"#)),
            (r"{.items[0].metadata.labels.app\.io/x}", Ok("one")),
            ("{.items[0].metadata.labels['app.io/x']}", Ok("one")),
            (r#"{range .items[*]}{.metadata.name}{"\t"}{.m}{"\n"}{end}"#, Ok("a\t1\nb\t2\n")),
            (r#"{.items[1].t[?(@.type=="Ready")].s}"#, Ok("True")),
            ("{.items[?(@.m>1)].metadata.name}", Ok("b")),
            ("{.items[-1:].metadata.name}", Ok("b")),
            ("{..name}", Ok("a b")),
            ("m={.items[1].m}", Ok("m=2")),
            ("{.items[0", Err("error parsing jsonpath {.items[0, unclosed action")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(fill(template, &tree), expected, "{template}");
        }
    }
}
