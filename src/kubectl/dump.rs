//! Trees as text: JSON as Go writes it, YAML as `sigs.k8s.io/yaml` (go-yaml v2) writes it.

use crate::kube::tree::Tree;
use crate::text::quote;

/// JSON; `indent` of 4 is `-o json`, 0 is one line.
pub(super) fn json(tree: &Tree, indent: usize, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        if indent > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Str(text) => out.push_str(&quote::json(text, quote::GO_HIDES)),
        Tree::List(items) if items.is_empty() => out.push_str("[]"),
        Tree::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Tree::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                json(item, indent, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Tree::Map(entries) => {
            out.push('{');
            for (i, (key, value)) in entries.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                out.push_str(&quote::json(key, quote::GO_HIDES));
                out.push_str(if indent > 0 { ": " } else { ":" });
                json(value, indent, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
        scalar => out.push_str(&scalar.show()),
    }
}

/// A block of YAML, each line ended.
pub(super) fn yaml(tree: &Tree) -> String {
    let mut out = String::new();
    match tree {
        Tree::Map(_) | Tree::List(_) => block(tree, 0, &mut out),
        scalar => inline(scalar, 0, &mut out),
    }
    out
}

fn is_block(tree: &Tree) -> bool {
    match tree {
        Tree::List(items) => !items.is_empty(),
        Tree::Map(entries) => !entries.is_empty(),
        _ => false,
    }
}

/// Lists stand at the indentation of their key.
fn block(tree: &Tree, depth: usize, out: &mut String) {
    let pad = |out: &mut String, depth: usize| out.extend(std::iter::repeat_n(' ', depth));
    for item in tree.items() {
        pad(out, depth);
        out.push_str("- ");
        if is_block(item) {
            let mut inner = String::new();
            block(item, depth + 2, &mut inner);
            out.push_str(inner.trim_start_matches(' '));
        } else {
            inline(item, depth + 2, out);
        }
    }
    for (key, value) in tree.entries() {
        pad(out, depth);
        scalar(key, depth, out);
        out.push(':');
        if is_block(value) {
            out.push('\n');
            let deeper = if matches!(value, Tree::List(_)) { depth } else { depth + 2 };
            block(value, deeper, out);
        } else {
            out.push(' ');
            inline(value, depth + 2, out);
        }
    }
}

fn inline(tree: &Tree, depth: usize, out: &mut String) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::List(_) => out.push_str("[]"),
        Tree::Map(_) => out.push_str("{}"),
        Tree::Str(text) if text.contains('\n') && literal_fits(text) => {
            return literal(text, depth, out);
        }
        Tree::Str(text) => scalar(text, depth, out),
        other => out.push_str(&other.show()),
    }
    out.push('\n');
}

/// A literal block cannot hold spaces before line ends or other control characters.
fn literal_fits(text: &str) -> bool {
    !text.contains(" \n") && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

fn literal(text: &str, depth: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    if !text.ends_with('\n') {
        out.push('-');
    } else if text.ends_with("\n\n") || text == "\n" {
        out.push('+');
    }
    out.push('\n');
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', depth));
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Lines are folded at the first space after so many columns.
const WIDTH: usize = 80;

fn scalar(text: &str, depth: usize, out: &mut String) {
    let control = text.chars().any(char::is_control);
    if control || reads_as_other(text) {
        return out.push_str(&quote::json(text, &[]));
    }
    let single = needs_quotes(text);
    let text = if single { text.replace('\'', "''") } else { text.to_owned() };
    let mut column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    if single {
        out.push('\'');
    }
    let bytes = text.as_bytes();
    for (at, ch) in text.char_indices() {
        let next = bytes.get(at + 1);
        let alone = at > 0 && bytes[at - 1] != b' ' && next.is_some_and(|b| *b != b' ');
        if ch == ' ' && alone && column > WIDTH {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', depth));
            column = depth;
        } else {
            out.push(ch);
            column += 1;
        }
    }
    if single {
        out.push('\'');
    }
}

/// Strings that YAML 1.1 would read as something else get double quotes.
fn reads_as_other(text: &str) -> bool {
    let stamp = text.len() >= 10 && super::clock::millis(text).is_some();
    text.is_empty() || stamp || !crate::kube::reads_as_text(text)
}

fn needs_quotes(text: &str) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let second = text.chars().nth(1);
    let opens = match first {
        '-' | '?' | ':' => second.is_none_or(|c| c == ' '),
        _ => " #,[]{}&*!|>'\"%@`".contains(first),
    };
    opens
        || text.ends_with([' ', ':'])
        || text.contains(": ")
        || text.contains(" #")
        || text.starts_with("---")
        || text.starts_with("...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_written_as_kubectl_writes_it() {
        let written = "data: {index.html: \"hello\\n\", a: \"x\\ny\"}\nm: 3\n\
                       list: [{k: v, m: [1]}, s]\ntext: '3'\nempty: {}\nsure: 'true'\n\
                       q: 'a: b'\nstar: '*x'\nblank: ''\nturned: 'on'\n\
                       at: '2026-11-20T19:32:36Z'\nv: v1.36.1\n";
        let parsed = crate::kube::tree_of(written).expect("a tree");
        let expected = "at: \"2026-11-20T19:32:36Z\"\nblank: \"\"\ndata:\n  a: |-\n    x\n    y\n\
                        \x20 index.html: |\n    hello\nempty: {}\nlist:\n- k: v\n  m:\n  - 1\n\
                        - s\nm: 3\nq: 'a: b'\nstar: '*x'\nsure: \"true\"\ntext: \"3\"\n\
                        turned: \"on\"\nv: v1.36.1\n";
        assert_eq!(yaml(&parsed), expected);
    }

    #[test]
    fn json_is_written_as_go_writes_it() {
        let parsed = crate::kube::tree_of("a: [1, {b: \"x\\ty\"}]\nc: {}\n").expect("a tree");
        let mut line = String::new();
        json(&parsed, 0, 0, &mut line);
        assert_eq!(line, r#"{"a":[1,{"b":"x\ty"}],"c":{}}"#);
        let mut block = String::new();
        json(&parsed, 4, 0, &mut block);
        assert!(block.starts_with("{\n    \"a\": [\n        1,\n        {\n"), "{block}");
    }
}
