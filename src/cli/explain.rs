//! `podlab explain CODE | FIELD | practices | image NAME`: the page of a rule, what a field is, how
//! far an image is simulated.

use crate::check;
use crate::kube::schema::{self, Field, Type};
use std::process::ExitCode;

const PAGES: &str = include_str!("../../docs/rules.md");
const USAGE: &str = "usage: podlab explain CODE        the page of a rule: volume-not-found
       podlab explain practices   the fourth level, off unless asked for
       podlab explain image NAME  how far an image's programs are simulated: haproxy:2.8
       podlab explain FIELD       what a field is: pod.spec.containers.livenessProbe";

pub(super) fn run(args: &[String]) -> ExitCode {
    if let [what, name] = args
        && what == "image"
    {
        return image(name);
    }
    let [word] = args else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let found = match word.as_str() {
        "practices" => Some(practices()),
        word => page(word).or_else(|| practice(word)).or_else(|| field(word)),
    };
    match found {
        Some(text) => {
            say!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("podlab: neither a rule nor a field: {word}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// The badges of an image's programs.
fn image(name: &str) -> ExitCode {
    match crate::sim::images::badges::explain(name) {
        Some(text) => {
            say!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        None => {
            eprintln!(
                "podlab: nothing is known of the image {name}; it runs as a stand-in that answers \
                 on its declared ports, and the run says so"
            );
            ExitCode::FAILURE
        }
    }
}

/// The page of a code, its heading with it.
fn page(code: &str) -> Option<String> {
    let at = PAGES.find(&format!("\n## {code}\n"))? + 1;
    let rest = &PAGES[at..];
    let end = rest[1..].find("\n#").map_or(rest.len(), |n| n + 1);
    Some(rest[..end].to_owned())
}

fn practice(code: &str) -> Option<String> {
    let [code, what, why] = check::practices().find(|[own, ..]| *own == code)?;
    Some(format!("## {code}\nBest practice: {what}. {why}"))
}

fn practices() -> String {
    let line = |[code, what, why]: [&str; 3]| format!("{code}: {what}. {why}\n");
    check::practices().map(line).collect()
}

/// `pod.spec.containers`: a kind in any case, then the fields down to the one asked for.
fn field(path: &str) -> Option<String> {
    let (kind, rest) = path.split_once('.').unwrap_or((path, ""));
    let kinds = schema::kinds().iter();
    let mut known = kinds.filter(|k| k.kind.eq_ignore_ascii_case(kind) || k.plural == kind);
    let kind = known.next()?;
    let root = schema::by_name(kind.type_name?)?;
    let found = (!rest.is_empty()).then(|| schema::field_at(root, rest));
    let mut owner = root;
    let steps: Vec<&str> = rest.split('.').collect();
    for step in &steps[..steps.len() - 1] {
        owner = owner.field(step)?.shape.inner_struct()?;
    }
    let mut out = format!("{} ({})", kind.kind, kind.api_version);
    let inner = match found {
        None => Some(root),
        Some(field) => {
            let field = field?;
            out = format!("{out} {rest}: {}", about(owner, field));
            field.shape.inner_struct()
        }
    };
    for field in inner.iter().flat_map(|of| &of.fields) {
        let of = inner.unwrap_or(root);
        out.push_str(&format!("\n  {}: {}", field.name, about(of, field)));
    }
    Some(out)
}

fn about(of: &Type, field: &Field) -> String {
    let must = if field.required { ", required" } else { "" };
    let doc = check::described(of, field);
    let doc = if doc.is_empty() { doc } else { format!(". {doc}") };
    format!("{}{must}{doc}", check::shape_name(&field.shape))
}
