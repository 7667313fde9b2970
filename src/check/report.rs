//! The list of problems a check fills: one method per kind of field error the server has.

use super::cursor::At;
use super::must::Must;
use super::show;
use crate::diagnostic::{Diagnostic, Severity, Stage};

/// Collects the problems of one document.
pub(super) struct Report<'t> {
    /// The manifest's text, for repairs; empty when the document never was text.
    pub text: &'t str,
    pub found: Vec<Diagnostic>,
    /// Whether the first problem is one at which the server stops decoding.
    pub gave_up: bool,
}

impl<'t> Report<'t> {
    pub(super) fn new(text: &'t str) -> Report<'t> {
        Report { text, found: Vec::new(), gave_up: false }
    }

    /// A field error of the validation stage; `body` in the server's words.
    pub(super) fn field(&mut self, code: &'static str, at: &At, body: String) -> &mut Diagnostic {
        let one = Diagnostic::new(Severity::Error, Stage::Validation, code, at.span, body);
        self.push(one.at_field(at.path.clone()))
    }

    pub(super) fn push(&mut self, one: Diagnostic) -> &mut Diagnostic {
        self.found.push(one);
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    pub(super) fn required(&mut self, at: &At, detail: &str) -> &mut Diagnostic {
        self.field("required", at, with_detail("Required value", detail))
    }

    pub(super) fn forbidden(&mut self, at: &At, detail: &str) -> &mut Diagnostic {
        self.field("forbidden", at, with_detail("Forbidden", detail))
    }

    /// The value there is wrong; shows it.
    pub(super) fn invalid(&mut self, at: &At, detail: &str) -> &mut Diagnostic {
        let shown = at.shown();
        self.invalid_as(at, &shown, detail)
    }

    /// The value there is wrong; `shown` is how the server prints it.
    pub(super) fn invalid_as(&mut self, at: &At, shown: &str, detail: &str) -> &mut Diagnostic {
        self.field("invalid-value", at, with_detail(&format!("Invalid value: {shown}"), detail))
    }

    /// A number that is absent reads as 0.
    pub(super) fn invalid_int(&mut self, at: &At, detail: &str) -> &mut Diagnostic {
        let shown = at.int().unwrap_or(0).to_string();
        self.invalid_as(at, &shown, detail)
    }

    pub(super) fn unsupported(&mut self, at: &At, allowed: &[&str]) -> &mut Diagnostic {
        let shown = at.word();
        self.unsupported_as(at, &shown, allowed)
    }

    /// Where the Go type is `string` itself and no name of its own.
    pub(super) fn unsupported_text(&mut self, at: &At, allowed: &[&str]) -> &mut Diagnostic {
        let shown = at.shown();
        self.unsupported_as(at, &shown, allowed)
    }

    pub(super) fn unsupported_as(
        &mut self,
        at: &At,
        shown: &str,
        allowed: &[&str],
    ) -> &mut Diagnostic {
        let fix = super::fix::nearest_value(self.text, at, allowed);
        let body = format!("Unsupported value: {shown}: supported values: {}", show::list(allowed));
        let one = self.field("unsupported-value", at, body);
        one.fixes.extend(fix);
        one
    }

    pub(super) fn duplicate(&mut self, at: &At) -> &mut Diagnostic {
        let shown = at.shown();
        self.duplicate_as(at, &shown)
    }

    pub(super) fn duplicate_as(&mut self, at: &At, shown: &str) -> &mut Diagnostic {
        self.field("duplicate-value", at, format!("Duplicate value: {shown}"))
    }

    pub(super) fn not_found(&mut self, at: &At) -> &mut Diagnostic {
        let shown = at.shown();
        self.field("not-found", at, format!("Not found: {shown}"))
    }

    pub(super) fn too_long(&mut self, at: &At, max: usize) -> &mut Diagnostic {
        self.field("too-long", at, format!("Too long: may not be more than {max} bytes"))
    }

    pub(super) fn too_many(&mut self, at: &At, n: usize, max: usize) -> &mut Diagnostic {
        let body = format!("Too many: {n}: must have at most {max} items");
        self.field("too-many", at, body)
    }

    /// A warning of the server, printed only where nothing was refused.
    pub(super) fn warn(&mut self, code: &'static str, at: &At, text: String) -> &mut Diagnostic {
        let one = Diagnostic::new(Severity::Warning, Stage::Validation, code, at.span, text);
        self.push(one.at_field(at.path.clone()))
    }

    /// Accepted by the server, but it will fail or mislead.
    pub(super) fn hazard(&mut self, code: &'static str, at: &At, text: String) -> &mut Diagnostic {
        let one = Diagnostic::new(Severity::Hazard, Stage::Beyond, code, at.span, text);
        self.push(one.at_field(at.path.clone()))
    }

    /// Holds the value at `at` against one constraint; says whether it was kept.
    pub(super) fn must(&mut self, at: &At, must: Must) -> bool {
        let before = self.found.len();
        must.check(at, self);
        self.found.len() == before
    }

    /// Holds several fields of a map against their constraints, in order.
    pub(super) fn all(&mut self, at: &At, rows: &[(&str, Must)]) {
        for (key, must) in rows {
            self.must(&at.get(key), *must);
        }
    }
}

fn with_detail(kind: &str, detail: &str) -> String {
    if detail.is_empty() { kind.to_owned() } else { format!("{kind}: {detail}") }
}
