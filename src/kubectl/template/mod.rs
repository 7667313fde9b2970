//! `-o go-template`: the part of Go's text/template that people use with kubectl. What is beyond
//! it says so.
//!
//! Models text/template exec.go and funcs.go (Go 1.26), and k8s.io/cli-runtime
//! pkg/printers/template.go (v1.36).

mod read;

use crate::kube::tree::Tree;
use read::{Arg, Node, Pipe};
use std::collections::BTreeMap;

/// Most bytes a template prints.
const OUT_MAX: usize = 200_000;
/// The template filled in with an object; the error is a reason.
pub(super) fn fill(template: &str, object: &Tree) -> Result<String, String> {
    let nodes = read::read(template)?;
    let mut run = Run { out: String::new(), vars: BTreeMap::new() };
    run.vars.insert("$".to_owned(), object.clone());
    run.nodes(&nodes, object).map_err(|why| {
        match why.starts_with("error parsing") || why.starts_with("not simulated") {
            true => why,
            false => format!(
                "error executing template {template:?}: template: output:1: executing \"output\" at \
                 <{template}>: {why}"
            ),
        }
    })?;
    Ok(run.out)
}

struct Run {
    out: String,
    vars: BTreeMap<String, Tree>,
}

impl Run {
    fn nodes(&mut self, nodes: &[Node], dot: &Tree) -> Result<(), String> {
        for node in nodes {
            if self.out.len() > OUT_MAX {
                return Err("not simulated: a template that prints as much as this".to_owned());
            }
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Print(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    self.out.push_str(&printed(&value));
                }
                Node::Set(name, pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    self.vars.insert(name.clone(), value);
                }
                Node::If(pipe, body, other) => {
                    let chosen = if truth(&self.pipe(pipe, dot)?) { body } else { other };
                    self.nodes(chosen, dot)?;
                }
                Node::With(pipe, body, other) => {
                    let value = self.pipe(pipe, dot)?;
                    match truth(&value) {
                        true => self.nodes(body, &value)?,
                        false => self.nodes(other, dot)?,
                    }
                }
                Node::Range(vars, pipe, body, other) => {
                    self.range(vars, pipe, (body, other), dot)?
                }
            }
        }
        Ok(())
    }

    fn range(
        &mut self,
        vars: &[String],
        pipe: &Pipe,
        (body, other): (&[Node], &[Node]),
        dot: &Tree,
    ) -> Result<(), String> {
        let value = self.pipe(pipe, dot)?;
        let all: Vec<(Tree, Tree)> = match value {
            Tree::List(items) => {
                items.into_iter().enumerate().map(|(i, v)| (Tree::Int(i as i64), v)).collect()
            }
            Tree::Map(all) => {
                all.into_iter().map(|(key, v)| (Tree::from(key.into_owned()), v)).collect()
            }
            Tree::Null => Vec::new(),
            other => return Err(format!("range can't iterate over {}", printed(&other))),
        };
        if all.is_empty() {
            return self.nodes(other, dot);
        }
        for (key, value) in all {
            match vars {
                [one] => drop(self.vars.insert(one.clone(), value.clone())),
                [first, second, ..] => {
                    self.vars.insert(first.clone(), key);
                    self.vars.insert(second.clone(), value.clone());
                }
                [] => {}
            }
            self.nodes(body, &value)?;
        }
        Ok(())
    }

    fn pipe(&self, pipe: &Pipe, dot: &Tree) -> Result<Tree, String> {
        let mut last = None;
        for command in pipe {
            let Some((first, rest)) = command.split_first() else { continue };
            let mut args = Vec::new();
            for arg in rest {
                args.push(self.arg(arg, dot)?);
            }
            args.extend(last.take());
            last = Some(match first {
                Arg::Call(name) => call(name, &args)?,
                first => self.arg(first, dot)?,
            });
        }
        Ok(last.unwrap_or_default())
    }

    fn arg(&self, arg: &Arg, dot: &Tree) -> Result<Tree, String> {
        match arg {
            Arg::Value(value) => Ok(value.clone()),
            Arg::Dot(path) => field(dot, path),
            Arg::Var(name, path) => {
                let value = self.vars.get(name);
                let value = value.ok_or_else(|| format!("undefined variable \"{name}\""))?;
                field(value, path)
            }
            Arg::Inner(pipe, path) => field(&self.pipe(pipe, dot)?, path),
            Arg::Call(name) => call(name, &[]),
        }
    }
}

fn field(value: &Tree, path: &[String]) -> Result<Tree, String> {
    let mut here = value;
    for step in path {
        if !matches!(here, Tree::Map(_) | Tree::Null) {
            return Err(format!("can't evaluate field {step} in type interface {{}}"));
        }
        here = here.get(step);
    }
    Ok(here.clone())
}

fn truth(value: &Tree) -> bool {
    match value {
        Tree::Null => false,
        Tree::Bool(truth) => *truth,
        Tree::Int(number) => *number != 0,
        Tree::Str(text) => !text.is_empty(),
        Tree::List(items) => !items.is_empty(),
        Tree::Map(entries) => !entries.is_empty(),
    }
}

/// As `%v` writes it.
fn printed(value: &Tree) -> String {
    match value {
        Tree::Null => "<no value>".to_owned(),
        Tree::List(items) => {
            format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(" "))
        }
        Tree::Map(entries) => {
            let all = entries.iter().map(|(key, value)| format!("{key}:{}", printed(value)));
            format!("map[{}]", all.collect::<Vec<_>>().join(" "))
        }
        other => other.show(),
    }
}

fn call(name: &str, args: &[Tree]) -> Result<Tree, String> {
    let order = |a: &Tree, b: &Tree| match (a, b) {
        (Tree::Int(a), Tree::Int(b)) => a.cmp(b),
        (a, b) => a.show().cmp(&b.show()),
    };
    let pair = || match args {
        [a, b, ..] => Ok((a, b)),
        _ => Err(format!("wrong number of args for {name}: want at least 1 got {}", args.len())),
    };
    Ok(match name {
        "eq" => {
            let (first, _) = pair()?;
            Tree::Bool(args[1..].iter().any(|other| other == first))
        }
        "ne" => pair().map(|(a, b)| Tree::Bool(a != b))?,
        "lt" => pair().map(|(a, b)| Tree::Bool(order(a, b).is_lt()))?,
        "le" => pair().map(|(a, b)| Tree::Bool(order(a, b).is_le()))?,
        "gt" => pair().map(|(a, b)| Tree::Bool(order(a, b).is_gt()))?,
        "ge" => pair().map(|(a, b)| Tree::Bool(order(a, b).is_ge()))?,
        "not" => Tree::Bool(!args.first().is_some_and(truth)),
        "and" => args.iter().find(|a| !truth(a)).or(args.last()).cloned().unwrap_or_default(),
        "or" => args.iter().find(|a| truth(a)).or(args.last()).cloned().unwrap_or_default(),
        "len" => Tree::Int(match args.first() {
            Some(Tree::List(items)) => items.len() as i64,
            Some(Tree::Map(entries)) => entries.len() as i64,
            Some(Tree::Str(text)) => text.len() as i64,
            _ => return Err("error calling len: len of nil pointer".to_owned()),
        }),
        "index" => index(args)?,
        "exists" => Tree::Bool(index(args).is_ok_and(|found| !found.is_null())),
        "print" => Tree::from(args.iter().map(printed).collect::<Vec<_>>().join(" ")),
        "println" => Tree::from(args.iter().map(printed).collect::<Vec<_>>().join(" ") + "\n"),
        "printf" => Tree::from(format(args)),
        "base64decode" => {
            let text = args.first().map_or("", Tree::str);
            let bytes = base64_decoded(text).ok_or("illegal base64 data")?;
            Tree::from(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => {
            return Err(match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                true => format!(
                    "error parsing template, template: output:1: function \"{name}\" not defined"
                ),
                false => format!("not simulated: {name} in a template"),
            });
        }
    })
}

fn index(args: &[Tree]) -> Result<Tree, String> {
    let Some((first, keys)) = args.split_first() else {
        return Err("wrong number of args for index: want at least 1 got 0".to_owned());
    };
    let mut here = first;
    for key in keys {
        here = match (here, key) {
            (Tree::List(items), Tree::Int(at)) => {
                let found = usize::try_from(*at).ok().and_then(|at| items.get(at));
                let out =
                    || format!("error calling index: reflect: slice index out of range: {at}");
                found.ok_or_else(out)?
            }
            (Tree::Map(_), key) => here.get(&key.show()),
            (Tree::Null, _) => return Err("error calling index: index of untyped nil".to_owned()),
            _ => return Err("error calling index: can't index item of this type".to_owned()),
        };
    }
    Ok(here.clone())
}

fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut out, mut bits, mut n) = (Vec::new(), 0u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let six = LETTERS.iter().position(|letter| *letter == byte)?;
        bits = bits << 6 | six as u32;
        n += 6;
        if n >= 8 {
            n -= 8;
            out.push((bits >> n) as u8);
        }
    }
    Some(out)
}

/// `%s`, `%v`, `%d`, `%q`, `%t` with widths.
fn format(args: &[Tree]) -> String {
    let (mut out, mut rest) = (String::new(), args.get(1..).unwrap_or(&[]).iter());
    let mut chars = args.first().map_or("", Tree::str).chars().peekable();
    while let Some(ch) = chars.next() {
        if ch != '%' {
            out.push(ch);
            continue;
        }
        let left = chars.next_if_eq(&'-').is_some();
        let mut width = String::new();
        while let Some(digit) = chars.next_if(char::is_ascii_digit) {
            width.push(digit);
        }
        let width: usize = width.parse::<usize>().unwrap_or(0).min(200);
        let verb = chars.next().unwrap_or('%');
        let text = match (verb, rest.len()) {
            ('%', _) => "%".to_owned(),
            (_, 0) => format!("%!{verb}(MISSING)"),
            ('q', _) => format!("{:?}", rest.next().map(printed).unwrap_or_default()),
            _ => rest.next().map(printed).unwrap_or_default().replace("<no value>", "<nil>"),
        };
        match left {
            true => out.push_str(&format!("{text:<width$}")),
            false => out.push_str(&format!("{text:>width$}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn templates_print_what_go_prints() {
        let object = crate::kube::tree_of(
            "items: [{metadata: {name: a, labels: {app: x}}, size: 1}, {metadata: {name: b}, size: 2}]\n\
             data: {k: aGk=}\nmap: {z: 1, x: 2}\n",
        )
        .expect("a tree");
        for (template, expected) in [
            ("{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}", Ok("a\nb\n")),
            ("{{range $i, $e := .items}}{{$i}}={{$e.size}} {{end}}", Ok("0=1 1=2 ")),
            (
                "{{range .items}}{{if eq .size 1}}one{{else if eq .size 2}}two{{else}}?{{end}},{{end}}",
                Ok("one,two,"),
            ),
            ("{{(index .items 1).metadata.name}} {{index .map \"x\"}} {{len .items}}", Ok("b 2 2")),
            ("{{.none}} {{.items | len}} {{.map}}", Ok("<no value> 2 map[x:2 z:1]")),
            ("{{- with .none}}yes{{else}}no{{end}} x {{- /* c */ -}} y", Ok("no xy")),
            ("{{printf \"%-3s|%3d|%q\" \"a\" 7 \"b\"}}", Ok("a  |  7|\"b\"")),
            ("{{.data.k | base64decode}}{{range .none}}x{{else}}-{{end}}", Ok("hi-")),
            ("{{range .items}}{{.metadata.labels.app}} {{end}}", Ok("x <no value> ")),
            ("{{if and .items (not .none)}}{{or .none \"z\"}}{{end}}", Ok("z")),
            ("{{.items", Err("unclosed action")),
            ("{{range .items}}", Err("unexpected EOF")),
            ("{{nosuch .items}}", Err("function \"nosuch\" not defined")),
            ("{{index .items 7}}", Err("out of range")),
        ] {
            match (fill(template, &object), expected) {
                (Ok(out), Ok(expected)) => assert_eq!(out, expected, "{template}"),
                (Err(why), Err(expected)) => assert!(why.contains(expected), "{template}: {why}"),
                (got, _) => panic!("{template}: {got:?}"),
            }
        }
    }
}
