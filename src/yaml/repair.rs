//! Repairs for text that cannot be read as YAML. Each is tried before it is offered.

use super::build::Builder;
use super::mark::Complaint;
use super::read::{Chunk, line_around};
use super::scan::Scanner;
use crate::diagnostic::Fix;
use crate::text::{Edit, Span, apply};

/// Repairs after which reading gets further than `complaint`.
pub(super) fn repairs(text: &str, chunk: Chunk, complaint: &Complaint) -> Vec<Fix> {
    let mut fixes = candidates(text, chunk, complaint);
    fixes.retain(|fix| helps(text, chunk, fix, complaint.at.at));
    fixes
}

fn helps(text: &str, chunk: Chunk, fix: &Fix, was_at: usize) -> bool {
    let tried = apply(&text[..chunk.end], &fix.edits);
    let mut builder = Builder::new(Scanner::new(&tried, chunk.from, tried.len()));
    builder.document();
    let grown = tried.len() as i64 - chunk.end as i64;
    let still = builder.scanner.complaint.map(|complaint| complaint.at.at as i64);
    still.is_none_or(|at| at > was_at as i64 + grown.max(0))
}

fn candidates(text: &str, chunk: Chunk, complaint: &Complaint) -> Vec<Fix> {
    let at = complaint.at.at;
    let began = complaint.context.map_or(at, |context| context.at);
    let problem = complaint.problem.as_str();
    let mut fixes = Vec::new();
    match problem {
        "found character that cannot start any token" if text[at..].starts_with('\t') => {
            fixes.push(spaces_for_tabs(text, chunk));
        }
        "found character that cannot start any token" => fixes.extend(quote(text, at)),
        "could not find expected ':'" => fixes.extend(colon(text, began)),
        "mapping values are not allowed in this context" => {
            let (start, _) = line_around(text, at);
            let value = text[start..at].find(": ").map(|colon| start + colon + 2);
            fixes.extend(value.and_then(|value| quote(text, value)));
        }
        "found unexpected end of stream" => {
            let mark = text[began..].get(..1).unwrap_or("'");
            fixes.push(append(text, began, mark, "Close the quote"));
        }
        "did not find expected ',' or ']'" => {
            fixes.push(append(text, began, "]", "Close the list"));
        }
        "did not find expected ',' or '}'" => {
            fixes.push(append(text, began, "}", "Close the map"));
        }
        _ if problem.starts_with("found a tab") => fixes.push(spaces_for_tabs(text, chunk)),
        _ => {}
    }
    fixes
}

fn fix(title: &str, edits: Vec<Edit>) -> Fix {
    Fix { title: title.to_owned(), edits }
}

/// Two spaces for each tab in the indentation of all lines.
fn spaces_for_tabs(text: &str, chunk: Chunk) -> Fix {
    let mut edits = Vec::new();
    let mut at = chunk.from;
    for line in text[chunk.from..chunk.end].split_inclusive('\n') {
        let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
        if indent.contains('\t') {
            let span = Span::new(at, at + indent.len());
            edits.push(Edit { span, text: indent.replace('\t', "  ") });
        }
        at += line.len();
    }
    fix("Replace tabs by spaces", edits)
}

/// Puts the rest of the line, without a comment, in quotes.
fn quote(text: &str, at: usize) -> Option<Fix> {
    let (_, end) = line_around(text, at);
    let rest = &text[at..end];
    let rest = rest.split(" #").next().unwrap_or(rest).trim_end();
    let mark = if rest.contains('\'') { '"' } else { '\'' };
    if rest.is_empty() || rest.contains(['"', '\\']) && mark == '"' {
        return None;
    }
    let edits =
        vec![Edit { span: Span::new(at, at + rest.len()), text: format!("{mark}{rest}{mark}") }];
    Some(fix("Put the value in quotes", edits))
}

/// `name:web` and `name web` -> `name: web`.
fn colon(text: &str, at: usize) -> Vec<Fix> {
    let (_, end) = line_around(text, at);
    let line = &text[at..end];
    let n_word = line.find(|ch: char| !(ch.is_ascii_alphanumeric() || "-_./".contains(ch)));
    let word = at + n_word.unwrap_or(line.trim_end().len());
    let insert = |at, text: &str| vec![Edit { span: Span::new(at, at), text: text.to_owned() }];
    if text[word..].starts_with(':') {
        vec![fix("Put a space after the colon", insert(word + 1, " "))]
    } else {
        vec![fix("Put a colon after the key", insert(word, ":"))]
    }
}

/// Adds what is missing to the end of the line where the construct began.
fn append(text: &str, began: usize, missing: &str, title: &str) -> Fix {
    let (start, end) = line_around(text, began);
    let end = start + text[start..end].trim_end().len();
    fix(title, vec![Edit { span: Span::new(end, end), text: missing.to_owned() }])
}
