//! Text between double quotes as JSON has it. Not Go's `%q`, which is `check::show`.

use std::fmt::Write;

/// What Go's `encoding/json` hides besides what JSON must: harmless inside a page's script.
pub const GO_HIDES: &[char] = &['<', '>', '&', '\u{2028}', '\u{2029}'];

/// The text as a JSON string, quotes included. Control characters and `hidden` ones are written as
/// `\u` and four hexadecimal digits.
pub fn json(text: &str, hidden: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ch if ch < ' ' || hidden.contains(&ch) => {
                let _ = write!(out, "\\u{:04x}", ch as u32);
            }
            ch => out.push(ch),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_it_is_told_to() {
        for (text, hidden, expected) in [
            ("a\"b\\c\n\t\r", GO_HIDES, r#""a\"b\\c\n\t\r""#),
            ("\u{8}\u{c}\u{1}", GO_HIDES, r#""\b\f\u0001""#),
            ("<a>&\u{2028}", GO_HIDES, r#""\u003ca\u003e\u0026\u2028""#),
            ("<a>&", &[], r#""<a>&""#),
        ] {
            assert_eq!(json(text, hidden), expected);
        }
    }
}
