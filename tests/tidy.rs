//! What the compiler cannot enforce: module arrows, sizes, headers, banned calls.
//! Every check is a function over (path, text) so that its own test can feed it a wrong file.

use std::fs;
use std::path::{Path, PathBuf};

/// (module, modules it may name). `lib.rs`, `main.rs` and `worker.rs` may name all; all may name
/// `order`.
const ARROWS: &[(&str, &str)] = &[
    ("time", ""),
    ("rng", ""),
    ("part", ""),
    ("order", ""),
    ("text", ""),
    ("diagnostic", "text"),
    ("yaml", "text diagnostic"),
    ("regex", ""),
    ("shell", "text diagnostic yaml regex time rng part"),
    ("trace", "text time"),
    ("kube", "text diagnostic yaml time"),
    ("check", "text diagnostic yaml regex shell kube sim::images part"),
    ("sim", "text trace kube shell time rng part"),
    ("kubectl", "text trace kube shell sim time part"),
    ("lesson", "text diagnostic regex yaml kube check sim kubectl trace time"),
    ("export", "text yaml kube lesson time"),
    ("protocol", "text diagnostic trace lesson export time"),
    ("session", "text diagnostic trace lesson export protocol time"),
    ("cli", "*"),
    ("ui", "*"),
];

/// Only these may touch the browser, files, arguments or the terminal.
const BROWSER_ONLY: &[&str] = &["leptos", "web_sys", "gloo", "wasm_bindgen", "js_sys"];
const NATIVE_ONLY: &[&str] = &["std::fs", "std::env", "std::io", "std::process"];
const SORTS: &[&str] = &[".sort()", ".sort_by", ".sort_unstable"];

const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 60;
const COLUMNS_MAX: usize = 100;

/// Files older than their limits: they may shrink, never grow. (path, lines)
const RATCHET: &[(&str, usize)] = &[];

fn module_of(path: &str) -> &str {
    path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or("")
}

/// The problem sentences of one file.
fn problems(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(header(path, text));
    found.extend(arrows(path, text));
    found.extend(banned(path, text));
    found.extend(sizes(path, text));
    found
}

fn header(path: &str, text: &str) -> Option<String> {
    let good = text.starts_with("//! ") || text.starts_with("// @generated");
    (!good).then(|| format!("{path}:1: say in a //! line what this file is, and what it is not"))
}

fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(i, l)| (i + 1, l));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn arrows(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        let known = ["lib", "main", "worker"].contains(&module);
        return if known { vec![] } else { vec![format!("{path}: `{module}` has no arrows")] };
    };
    let mut found = Vec::new();
    for (line_no, line) in code_lines(text) {
        for rest in line.split("crate::").skip(1) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let named = &rest[..end];
            let whole = rest.split([';', ',', '(', ' ', '{']).next().unwrap_or("");
            let allowed =
                |one: &str| one == named || (one.contains("::") && whole.starts_with(one));
            let known = ARROWS.iter().any(|(name, _)| *name == named);
            let free = named == module || named == "order";
            if known && !free && *may != "*" && !may.split(' ').any(allowed) {
                found.push(format!("{path}:{line_no}: `{module}` may not name `{named}`"));
            }
        }
    }
    found
}

fn banned(path: &str, text: &str) -> Vec<String> {
    let module = module_of(path);
    let mut found = Vec::new();
    for (line_no, line) in code_lines(text) {
        for word in BROWSER_ONLY.iter().filter(|_| !["ui", "main", "worker"].contains(&module)) {
            if line.contains(&format!("{word}::")) {
                found.push(format!("{path}:{line_no}: `{word}` belongs in `ui`"));
            }
        }
        for word in NATIVE_ONLY.iter().filter(|_| !["cli", "main"].contains(&module)) {
            if line.contains(word) {
                found.push(format!("{path}:{line_no}: `{word}` belongs in `cli`"));
            }
        }
        for word in SORTS.iter().filter(|_| !["cli", "order"].contains(&module)) {
            if line.contains(word) {
                found.push(format!("{path}:{line_no}: `{word}` costs a download: crate::order"));
            }
        }
    }
    found
}

fn sizes(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.starts_with("// @generated") {
        return found;
    }
    let n_lines = text.lines().count();
    let allowed = RATCHET.iter().find(|(p, _)| *p == path).map_or(LINES_MAX, |(_, n)| *n);
    if n_lines > allowed {
        found.push(format!("{path}: {n_lines} lines, {allowed} at most: make it two rooms"));
    }
    let mut open: Option<(usize, String, usize)> = None;
    for (i, line) in text.lines().enumerate() {
        if line.chars().count() > COLUMNS_MAX && !line.contains("http") && !line.contains('"') {
            found.push(format!("{path}:{}: over {COLUMNS_MAX} columns", i + 1));
        }
        let indent = line.len() - line.trim_start().len();
        let starts = line.trim_start().starts_with("fn ") || line.contains(" fn ");
        if open.is_none() && starts && !line.trim_start().starts_with("//") && !line.contains(';') {
            open = Some((i, line.trim().to_owned(), indent));
        } else if let Some((from, name, at)) = &open
            && line.trim_end() == format!("{}}}", " ".repeat(*at))
        {
            let n = i - from + 1;
            if n > FUNCTION_LINES_MAX {
                found.push(format!("{path}:{}: {n} lines in `{name}`", from + 1));
            }
            open = None;
        }
    }
    found
}

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    files.sort();
    assert!(files.len() > 10, "found only {} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let name =
            file.strip_prefix(root).expect("below root").to_string_lossy().replace('\\', "/");
        found.extend(problems(&name, &fs::read_to_string(&file).expect("readable source")));
    }
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn each_check_can_fail() {
    let long = format!("//! x\nfn a() {{\n{}}}\n", "    b();\n".repeat(60));
    let cases = [
        ("src/sim/a.rs", "use crate::text::Span;\n", "say in a //! line"),
        ("src/text/a.rs", "//! x\nuse crate::sim::World;\n", "may not name `sim`"),
        ("src/check/a.rs", "//! x\nuse crate::sim::World;\n", "may not name `sim`"),
        ("src/new/a.rs", "//! x\n", "has no arrows"),
        ("src/sim/a.rs", "//! x\nuse web_sys::window;\n", "belongs in `ui`"),
        ("src/sim/a.rs", "//! x\nuse std::fs;\n", "belongs in `cli`"),
        ("src/sim/a.rs", "//! x\nfn a() {\n    b.sort_by_key(c);\n}\n", "costs a download"),
        ("src/sim/a.rs", long.as_str(), "62 lines in"),
    ];
    for (path, text, expected) in cases {
        let found = problems(path, text).join("\n");
        assert!(found.contains(expected), "{path}: {found:?} lacks {expected:?}");
    }
    assert_eq!(problems("src/check/a.rs", "//! x\nuse crate::sim::images::Image;\n"), [""; 0]);
}
