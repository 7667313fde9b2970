//! Diagnostics as text for terminals and bug reports. Colours and files are the caller's.

use super::{Diagnostic, Severity};
use crate::order::Order;
use crate::text::{LineIndex, Span};
use std::fmt::{self, Write};

/// Characters of a line that an excerpt shows.
const COLUMNS_MAX: usize = 160;

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hazard => "hazard",
            Severity::Practice => "practice",
        })
    }
}

impl Diagnostic {
    /// `file:line:column: severity[code]: message`, without a line break at the end.
    pub fn line(&self, file: &str, text: &str, index: &LineIndex) -> String {
        let at = index.line_col(text, self.span.start);
        let (severity, code) = (self.severity, &self.code);
        let message = self.message.replace('\n', "\n  ");
        format!("{file}:{}:{}: {severity}[{code}]: {message}", at.line, at.column)
    }

    /// The line above, the place with carets below it, related places and the help.
    pub fn excerpt(&self, file: &str, text: &str, index: &LineIndex) -> String {
        let mut out = self.line(file, text, index);
        out.push('\n');
        place(&mut out, text, index, self.span, '^', "");
        for (span, why) in &self.related {
            place(&mut out, text, index, *span, '-', why);
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "  = {help}");
        }
        for fix in &self.fixes {
            let _ = writeln!(out, "  = fix: {}", fix.title);
        }
        out
    }
}

/// All of them in the order of the text, with or without excerpts.
pub fn render(file: &str, text: &str, diagnostics: &[Diagnostic], excerpts: bool) -> String {
    let index = LineIndex::new(text);
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.order_by_key(|one| (one.span, one.severity));
    let each = sorted.into_iter().map(|one| match excerpts {
        true => one.excerpt(file, text, &index) + "\n",
        false => one.line(file, text, &index) + "\n",
    });
    each.collect()
}

/// A numbered line and marks under the part of the span that is on it.
fn place(out: &mut String, text: &str, index: &LineIndex, span: Span, mark: char, why: &str) {
    let at = index.line_col(text, span.start);
    let start = index.start_of(at.line) as usize;
    let line = text.get(start..).unwrap_or("").lines().next().unwrap_or("");
    let before = at.column as usize - 1;
    let n_marks = span.of(text).lines().next().unwrap_or("").chars().count().max(1);
    let shown: String =
        line.chars().take(COLUMNS_MAX).map(|ch| if ch.is_control() { ' ' } else { ch }).collect();
    let number = at.line.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(out, " {number} | {shown}");
    if before < COLUMNS_MAX {
        let marks = mark.to_string().repeat(n_marks.min(COLUMNS_MAX - before));
        let words = format!("{}{marks} {why}", " ".repeat(before));
        let _ = writeln!(out, " {margin} | {}", words.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Stage;

    #[test]
    fn points_at_the_place() {
        let text = "kind: Pod\nspec:\n\timäge: x\nmore: |\n  a\n  b\n";
        let at = |word: &str, len| {
            let start = text.find(word).expect("there");
            Span::new(start, start + len)
        };
        let mut one = Diagnostic::new(
            Severity::Error,
            Stage::Schema,
            "unknown-field",
            at("imäge", 6),
            "unknown field \"imäge\"",
        )
        .with_help("There is `image`.")
        .with_fix("Rename to `image`", Vec::new());
        one.related.push((at("spec", 4), "in this".into()));
        let many = Diagnostic::new(Severity::Hazard, Stage::Yaml, "b", at("|", 8), "two\nlines");
        let found = render("pod.yaml", text, &[many, one], true);
        let expected = "pod.yaml:3:2: error[unknown-field]: unknown field \"imäge\"\n \
                        3 |  imäge: x\n   |  ^^^^^\n 2 | spec:\n   | ---- in this\n  \
                        = There is `image`.\n  = fix: Rename to `image`\n\n\
                        pod.yaml:4:7: hazard[b]: two\n  lines\n 4 | more: |\n   |       ^\n\n";
        assert_eq!(found, expected);
        let past = Diagnostic::new(Severity::Error, Stage::Yaml, "c", Span::new(900, 901), "end");
        assert!(past.excerpt("f", text, &LineIndex::new(text)).starts_with("f:7:1: error[c]: end"));
    }
}
