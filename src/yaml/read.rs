//! A text -> documents: split as kubectl splits it, each read for itself, so that one broken
//! document leaves the others whole.
//!
//! Models k8s.io/apimachinery pkg/util/yaml `YAMLReader.Read` (v1.36).

use super::build::Builder;
use super::mark::Complaint;
use super::scan::Scanner;
use super::{Doc, Node, Parsed, Value, json, repair, words};
use crate::diagnostic::{self, Diagnostic, Severity, Stage};
use crate::text::Span;
use std::borrow::Cow;

const DOCS_MAX: usize = 2000;
/// Texts up to this size get broken lines blanked out to find what is right behind them.
const RETRY_BYTES_MAX: usize = 200_000;
const RETRIES_MAX: usize = 12;
/// Problems after which no more is tried to repair any.
const REPAIRED_MAX: usize = 10;

/// Reads any text. Messages are what kubectl prints after `error parsing FILE: `.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    if let Some(one) = diagnostic::too_large(text) {
        parsed.diagnostics.push(one);
        return parsed;
    }
    // kubectl ends each line it hands on with a line break, the last one too.
    let ended: Cow<str> =
        if text.ends_with('\n') { text.into() } else { format!("{text}\n").into() };
    let json = JsonPart::of(&ended);
    let mut chunks = json.chunks.clone();
    match &json.objection {
        Some((at, words)) if chunks.len() > 1 => {
            let span = char_span(&ended, *at);
            parsed.diagnostics.push(problem("json-syntax", span, words.clone()));
        }
        _ if json.rest < ended.len() || chunks.is_empty() => {
            chunks.extend(split(&ended, json.rest, &mut parsed.diagnostics));
        }
        _ => {}
    }
    if let Some(next) = chunks.get(DOCS_MAX).copied() {
        let words = "more than 2000 documents: the lab reads the first 2000";
        let span = Span::new(next.start, next.end);
        parsed.diagnostics.push(problem("too-large", span, words.to_owned()));
        chunks.truncate(DOCS_MAX);
    }
    for (i, chunk) in chunks.into_iter().enumerate() {
        let n_before = parsed.diagnostics.len();
        let doc = document(&ended, chunk, &mut parsed.diagnostics);
        if i == json.chunks.len() && !doc.complete {
            json.blame(&ended, &mut parsed.diagnostics[n_before..]);
        }
        parsed.docs.push(doc);
    }
    clip(&mut parsed, text.len() as u32);
    parsed
}

/// One document's lines.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    start: usize,
    pub(super) end: usize,
    /// Where the YAML reader starts to count lines; before `start` if it is handed the `---` too.
    pub(super) from: usize,
}

/// What of a text is a stream of JSON objects, and where YAML goes on.
///
/// Models k8s.io/apimachinery pkg/util/yaml `YAMLOrJSONDecoder.Decode` (v1.36).
struct JsonPart {
    chunks: Vec<Chunk>,
    /// Where and why it stopped being JSON.
    objection: Option<(usize, String)>,
    /// Where the YAML reader takes over.
    rest: usize,
}

impl JsonPart {
    fn of(text: &str) -> JsonPart {
        let mut part = JsonPart { chunks: Vec::new(), objection: None, rest: 0 };
        if !text.trim_start().starts_with('{') {
            return part;
        }
        while part.chunks.len() < DOCS_MAX {
            let rest = &text[part.rest..];
            let start = part.rest + rest.len() - rest.trim_start().len();
            if start == text.len() {
                part.rest = start;
                break;
            }
            match json::value_end(&text[start..]) {
                Ok(n) => {
                    part.chunks.push(Chunk { start, end: start + n, from: start });
                    part.rest = start + n;
                }
                Err((at, words)) => {
                    part.objection = Some((start + at, words));
                    let line_end = text[part.rest..start].find('\n');
                    part.rest = line_end.map_or(start, |n| part.rest + n + 1);
                    break;
                }
            }
        }
        part
    }

    /// Where neither JSON nor YAML can read on, kubectl tells what JSON objected to.
    fn blame(&self, text: &str, found: &mut [Diagnostic]) {
        let Some((at, words)) = &self.objection else { return };
        let Some(first) = found.iter_mut().find(|d| d.severity == Severity::Error) else { return };
        let ended = *at + 1 >= text.len();
        first.message = match ended {
            true => "unexpected EOF".to_owned(),
            false => format!("json: offset {}: {words}", at + 1),
        };
        first.code = "json-syntax".into();
        first.span = char_span(text, (*at).min(text.len()));
    }
}

/// Splits at lines that begin with `---`. The first line stays with its document.
fn split(text: &str, offset: usize, diagnostics: &mut Vec<Diagnostic>) -> Vec<Chunk> {
    let mut found = Vec::new();
    let (mut from, mut start, mut at) = (offset, offset, offset);
    for line in text[offset..].split_inclusive('\n') {
        let next = at + line.len();
        if let Some(after) = line.strip_prefix("---") {
            let rest = after.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                let words = format!("invalid Yaml document separator: {rest}");
                let span = Span::new(at, at + line.trim_end().len());
                diagnostics.push(problem("yaml-separator", span, words));
            }
            if from < at {
                found.push(Chunk { start, end: at, from });
                from = next;
            } else {
                from = at;
            }
            start = next;
        }
        at = next;
    }
    if from < at || found.is_empty() {
        found.push(Chunk { start, end: at, from });
    }
    found
}

fn problem(code: &'static str, span: Span, words: String) -> Diagnostic {
    let help = words::help(&words);
    Diagnostic::new(Severity::Error, Stage::Yaml, code, span, words).with_help(help)
}

fn document(text: &str, chunk: Chunk, diagnostics: &mut Vec<Diagnostic>) -> Doc {
    let control = control_at(text, chunk);
    let mut builder = Builder::new(Scanner::new(text, chunk.from, control.unwrap_or(chunk.end)));
    let (mut root, ignored) = builder.document();
    let comments = std::mem::take(&mut builder.scanner.comments);
    let n_before = diagnostics.len();
    let deep = builder.too_deep.take();
    let complaint = builder.scanner.complaint.take();
    if let Some(span) = deep {
        let words = "nested more than 200 levels deep: the lab stops here".to_owned();
        diagnostics.push(problem("yaml-depth", span, words));
    } else if let Some(at) = control.filter(|at| meets_control(chunk.from, *at, &complaint)) {
        let words = "error converting YAML to JSON: yaml: control characters are not allowed";
        diagnostics.push(problem("yaml-syntax", char_span(text, at), words.to_owned()));
    } else if let Some(complaint) = &complaint {
        let mut diagnostic = syntax(text, complaint);
        let small = chunk.end - chunk.from <= RETRY_BYTES_MAX;
        let tried = small && diagnostics.len() < REPAIRED_MAX;
        if tried {
            diagnostic.fixes = repair::repairs(text, chunk, complaint);
        }
        diagnostics.push(diagnostic);
        if let Some(better) = tried.then(|| retry(text, chunk, complaint)).flatten() {
            root = Some(better);
        }
    } else if let Some(refusal) = builder.refusal {
        let words = format!("error converting YAML to JSON: {}", refusal.words);
        diagnostics.push(problem("yaml-value", refusal.span, words));
    }
    let complete = diagnostics.len() == n_before;
    for twice in builder.duplicates {
        let words = format!("key \"{}\" stands twice in this map", twice.key);
        let mut diagnostic =
            Diagnostic::new(Severity::Hazard, Stage::Yaml, "duplicate-key", twice.second, words)
                .with_help("kubectl says nothing, takes the last one and forgets the first.");
        diagnostic.related.push((twice.first, "this one is forgotten".into()));
        diagnostics.push(diagnostic);
    }
    if let Some(at) = ignored {
        let end = at + text[at..chunk.end].trim_end().len();
        let words = "kubectl ignores everything from here to the next `---`";
        diagnostics.push(
            Diagnostic::new(
                Severity::Hazard,
                Stage::Yaml,
                "ignored-text",
                Span::new(at, end.max(at)),
                words,
            )
            .with_help("The document has ended before this line: start a new one with `---`."),
        );
    }
    Doc { span: Span::new(chunk.start, chunk.end), root, complete, comments }
}

/// What goyaml refuses anywhere in the text: its reader's table of characters.
fn control_at(text: &str, chunk: Chunk) -> Option<usize> {
    let good = |ch: char| {
        let (plain, wide) = (' '..='~', '\u{A0}'..='\u{FFFD}');
        let breaks = ['\t', '\n', '\r', '\u{85}'];
        breaks.contains(&ch) || plain.contains(&ch) || wide.contains(&ch) || ch > '\u{FFFF}'
    };
    text[chunk.from..chunk.end].find(|ch| !good(ch)).map(|at| chunk.from + at)
}

/// goyaml reads ahead in pieces of 512 bytes and complains of a control character when its piece
/// is read, even if the scanner is still before it.
fn meets_control(from: usize, control: usize, complaint: &Option<Complaint>) -> bool {
    let piece = from + (control - from) / 512 * 512;
    complaint.as_ref().is_none_or(|complaint| complaint.at.at + 4 >= piece)
}

fn char_span(text: &str, at: usize) -> Span {
    let width = text[at..].chars().next().map_or(0, char::len_utf8);
    Span::new(at, at + width)
}

fn syntax(text: &str, complaint: &Complaint) -> Diagnostic {
    let words = format!("error converting YAML to JSON: yaml: {}", complaint.words());
    let (start, end) = line_around(text, culprit(text, complaint));
    let line = &text[start..end];
    let indent = line.len() - line.trim_start().len();
    let at = complaint.at.at;
    let from = if (start..end).contains(&at) { at } else { start + indent };
    let mut diagnostic =
        problem("yaml-syntax", Span::new(from, start + line.trim_end().len()), words);
    if let Some(context) = complaint.context
        && context.at + 1 < from
    {
        let (_, line_end) = line_around(text, context.at);
        diagnostic.related.push((
            Span::new(context.at, line_end.max(context.at)),
            "what began here could not be finished".into(),
        ));
    }
    diagnostic
}

/// The place most likely to be wrong: where a key or quote began, else where reading stopped.
fn culprit(text: &str, complaint: &Complaint) -> usize {
    let began = ["could not find expected ':'", "found unexpected end of stream"];
    match complaint.context {
        Some(context) if began.contains(&complaint.problem.as_str()) => context.at,
        _ if complaint.at.at >= text.trim_end().len() => {
            complaint.context.map_or(complaint.at.at, |context| context.at)
        }
        _ => complaint.at.at,
    }
}

/// Start and end of the line at an offset, without its break.
pub(super) fn line_around(text: &str, at: usize) -> (usize, usize) {
    let at = at.min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let end = text[at..].find('\n').map_or(text.len(), |after| at + after);
    (start, end)
}

/// Blanks out the lines that stop the reader one by one, to find what is right behind them.
fn retry(text: &str, chunk: Chunk, first: &Complaint) -> Option<Node> {
    let mut bytes = text.as_bytes()[..chunk.end].to_vec();
    let mut at = culprit(text, first);
    for _ in 0..RETRIES_MAX {
        let (start, end) = line_around(text, at);
        let line = bytes.get_mut(start.max(chunk.from)..end.min(chunk.end))?;
        if line.iter().all(|byte| *byte == b' ') {
            return None;
        }
        line.fill(b' ');
        let tried = String::from_utf8_lossy(&bytes);
        let mut builder = Builder::new(Scanner::new(&tried, chunk.from, chunk.end));
        let (root, _) = builder.document();
        match builder.scanner.complaint.take() {
            None => return root,
            Some(complaint) => at = culprit(&tried, &complaint),
        }
    }
    None
}

/// Marks may point to the line break that `parse` has added.
fn clip(parsed: &mut Parsed, end: u32) {
    let clip = |span: &mut Span| {
        span.start = span.start.min(end);
        span.end = span.end.min(end);
    };
    for doc in &mut parsed.docs {
        clip(&mut doc.span);
        let mut last = doc.root.as_mut();
        while let Some(node) = last {
            clip(&mut node.span);
            last = match &mut node.value {
                Value::Seq(items) => items.last_mut(),
                Value::Map(entries) => entries.last_mut().map(|entry| &mut entry.value),
                _ => None,
            };
        }
        doc.comments.iter_mut().for_each(clip);
    }
    for diagnostic in &mut parsed.diagnostics {
        clip(&mut diagnostic.span);
        diagnostic.related.iter_mut().for_each(|(span, _)| clip(span));
    }
}
