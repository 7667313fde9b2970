//! `podlab check`: manifests on disk judged for people and tools, or a stream of cases answered
//! as the API server or kubectl would.

use super::json::{Json, plain};
use crate::check::{self, kubectl, server};
use crate::diagnostic::{Diagnostic, Severity};
use crate::text::LineIndex;
use crate::yaml::{Node, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

const USAGE: &str =
    "usage: podlab check [--practices] [--format text|json] FILE...   (- is standard input)
       podlab check --as-server --jsonl      objects with `doc` on standard input
       podlab check --as-kubectl [--jsonl]   objects with `manifest`, or one manifest";

pub(super) fn run(args: &[String]) -> ExitCode {
    let has = |flag: &str| args.iter().any(|a| a == flag);
    let json =
        has("--format=json") || args.windows(2).any(|w| w[0] == "--format" && w[1] == "json");
    let values = ["json", "text"];
    let files: Vec<&str> = args
        .iter()
        .enumerate()
        .filter(|(i, a)| {
            let value = *i > 0 && args[i - 1] == "--format" && values.contains(&a.as_str());
            (!a.starts_with("--") || *a == "-") && !value
        })
        .map(|(_, a)| a.as_str())
        .collect();
    if has("--as-server") {
        return each_line("doc", as_server);
    }
    if has("--as-kubectl") {
        return if has("--jsonl") { each_line("manifest", as_kubectl) } else { one_for_kubectl() };
    }
    if files.is_empty() || has("--help") {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    check_files(&files, json, has("--practices"))
}

/// Answers standard input line by line.
fn each_line(key: &str, answer: fn(&Node) -> serde_json::Value) -> ExitCode {
    let absent = plain(Value::Null);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { return ExitCode::from(2) };
        if line.trim().is_empty() {
            continue;
        }
        let case: BTreeMap<String, Json> = match serde_json::from_str(&line) {
            Ok(case) => case,
            Err(error) => {
                eprintln!("podlab: not a JSON object a line: {error}");
                return ExitCode::from(2);
            }
        };
        if writeln!(out, "{}", answer(case.get(key).map_or(&absent, |found| &found.0))).is_err() {
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn as_server(doc: &Node) -> serde_json::Value {
    let answer = server::answer(doc);
    let cause = |c: &server::Cause| serde_json::json!({"reason": c.reason, "message": c.message, "field": c.field});
    let causes: Vec<_> = answer.causes.iter().map(cause).collect();
    let mut out = serde_json::json!({
        "code": answer.code, "causes": causes, "warnings": answer.warnings,
    });
    if answer.code >= 300 {
        out["reason"] = answer.reason.into();
        out["message"] = answer.message.into();
    }
    out
}

fn as_kubectl(manifest: &Node) -> serde_json::Value {
    let printed = kubectl::create(manifest.as_str().unwrap_or(""));
    serde_json::json!({
        "exit": printed.exit, "stdout": printed.stdout, "stderr": printed.stderr,
    })
}

fn one_for_kubectl() -> ExitCode {
    let mut bytes = Vec::new();
    if std::io::stdin().lock().read_to_end(&mut bytes).is_err() {
        return ExitCode::from(2);
    }
    let printed = kubectl::create(&String::from_utf8_lossy(&bytes));
    put!("{}", printed.stdout);
    eprint!("{}", printed.stderr);
    ExitCode::from(u8::try_from(printed.exit).unwrap_or(1))
}

fn check_files(files: &[&str], json: bool, practices: bool) -> ExitCode {
    let mut refused = false;
    let mut all = Vec::new();
    for file in files {
        let bytes = match *file {
            "-" => {
                let mut bytes = Vec::new();
                std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
            }
            path => std::fs::read(path),
        };
        let text = match bytes {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                eprintln!("podlab: {file}: {error}");
                return ExitCode::from(2);
            }
        };
        let lines = LineIndex::new(&text);
        for one in check::check_with(&text, practices).diagnostics {
            refused |= one.severity == Severity::Error;
            if json {
                all.push(as_json(file, &text, &lines, &one));
            } else {
                print_one(file, &text, &lines, &one);
            }
        }
    }
    if json {
        say!("{}", serde_json::Value::Array(all));
    }
    ExitCode::from(u8::from(refused))
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hazard => "hazard",
        Severity::Practice => "practice",
    }
}

fn message(one: &Diagnostic) -> String {
    let named = one.stage == crate::diagnostic::Stage::Validation
        && one.severity == Severity::Error
        && !one.field.is_empty();
    if named { format!("{}: {}", one.field, one.message) } else { one.message.clone() }
}

fn print_one(file: &str, text: &str, lines: &LineIndex, one: &Diagnostic) {
    let at = lines.line_col(text, one.span.start);
    let (line, column) = (at.line, at.column);
    say!("{file}:{line}:{column}: {}[{}]: {}", word(one.severity), one.code, message(one));
    if !std::io::stdout().is_terminal() {
        return;
    }
    let start = lines.start_of(line) as usize;
    let source = text.get(start..).and_then(|t| t.lines().next()).unwrap_or("");
    let width = one.span.of(text).lines().next().map_or(1, |l| l.chars().count().max(1));
    say!("  {line:>4} | {source}");
    say!("       | {}{}", " ".repeat(column as usize - 1), "^".repeat(width));
    if let Some(help) = &one.help {
        say!("       = {help}");
    }
    for fix in &one.fixes {
        say!("       = fix: {}", fix.title);
    }
}

fn as_json(file: &str, text: &str, lines: &LineIndex, one: &Diagnostic) -> serde_json::Value {
    let (from, to) = (lines.line_col(text, one.span.start), lines.line_col(text, one.span.end));
    let fix = |f: &crate::diagnostic::Fix| {
        let edits: Vec<_> = f
            .edits
            .iter()
            .map(|e| serde_json::json!({"start": e.span.start, "end": e.span.end, "text": e.text}))
            .collect();
        serde_json::json!({"title": f.title, "edits": edits})
    };
    serde_json::json!({
        "file": file, "line": from.line, "column": from.column,
        "endLine": to.line, "endColumn": to.column,
        "severity": word(one.severity), "code": one.code, "message": one.message,
        "field": one.field, "help": one.help,
        "fixes": one.fixes.iter().map(fix).collect::<Vec<_>>(),
    })
}
