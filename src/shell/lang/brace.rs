//! `$x` and `${x...}`: parameters and what is done to them.

use super::expand::{Tilde, text_of};
use super::pattern::{BREAK, Ch, MARK, Pattern, QUOTED, SPLIT};
use super::{Res, Running, Shell};
use crate::shell::syntax::{Op, Param, Word};
use std::rc::Rc;

/// What a parameter stands for.
enum Value {
    Unset,
    One(Rc<str>),
    /// `$@` and `$*`.
    Many(Rc<Vec<String>>),
}

impl Shell {
    fn value_of(&mut self, name: &str) -> Value {
        let number = |n: i64| Value::One(Rc::from(n.to_string()));
        match name {
            "@" | "*" => Value::Many(Rc::clone(&self.params.args)),
            "#" => number(self.params.args.len() as i64),
            "?" => number(i64::from(self.status)),
            "$" => number(i64::from(self.root_pid)),
            "!" if self.background == 0 => Value::Unset,
            "!" => number(i64::from(self.background)),
            "-" => Value::One(Rc::from(self.options.letters())),
            _ if name.starts_with(|c: char| c.is_ascii_digit()) => {
                let n: usize = name.parse().unwrap_or(usize::MAX);
                let arg = match n {
                    0 => Some(self.name.as_str()),
                    _ => self.params.args.get(n - 1).map(String::as_str),
                };
                arg.map_or(Value::Unset, |text| Value::One(Rc::from(text)))
            }
            _ => self.var(name).map_or(Value::Unset, Value::One),
        }
    }

    pub(super) async fn expand_param(
        &mut self,
        param: &Param,
        split: bool,
        quoted: bool,
        out: &mut Vec<Ch>,
    ) -> Res<()> {
        if let Op::Bad = param.op {
            let syntax = "syntax error: bad substitution";
            return self.raise(syntax).await;
        }
        let value = self.value_of(&param.name);
        let missing = match &value {
            Value::Unset => true,
            Value::One(text) => text.is_empty() && asks_null(&param.op),
            Value::Many(args) => {
                let empty = args.iter().all(|arg| arg.is_empty()) && args.len() < 2;
                args.is_empty() || (empty && asks_null(&param.op))
            }
        };
        match &param.op {
            Op::Default { word, .. } if missing => {
                return self.inner_word(word, split, quoted, out).await;
            }
            Op::Alternative { word, .. } => {
                if missing {
                    self.put_nothing(quoted, out);
                    return Ok(());
                }
                return self.inner_word(word, split, quoted, out).await;
            }
            Op::Assign { word, .. } if missing => {
                let text = self.boxed_text(word).await?;
                if !crate::shell::syntax::is_name(&param.name) {
                    return self.raise(&format!("{}: bad variable name", param.name)).await;
                }
                self.set_var(&param.name, &text).await?;
                self.put(&Value::One(Rc::from(text)), &param.name, split, quoted, out);
                return Ok(());
            }
            Op::Error { word, null } if missing => {
                if word.parts.is_empty() {
                    let or_null = if *null { " or null" } else { "" };
                    let message = format!("parameter not set{or_null}");
                    return self.unset_error(&param.name, &message).await;
                }
                let text = self.boxed_text(word).await?;
                return self.unset_error(&param.name, &text).await;
            }
            _ => {}
        }
        let unset = matches!(value, Value::Unset);
        let tolerant =
            matches!(param.op, Op::Default { .. } | Op::Assign { .. } | Op::Error { .. });
        if unset && !tolerant && self.options.has('u') {
            return self.unset_error(&param.name, "parameter not set").await;
        }
        self.operate(param, value, split, quoted, out).await
    }

    /// What is left when a parameter has a value, or none that matters.
    async fn operate(
        &mut self,
        param: &Param,
        value: Value,
        split: bool,
        quoted: bool,
        out: &mut Vec<Ch>,
    ) -> Res<()> {
        let changed: Rc<str> = match &param.op {
            Op::Length => {
                let n = match &value {
                    Value::Unset => 0,
                    Value::One(text) => text.chars().count(),
                    Value::Many(args) => {
                        let chars: usize = args.iter().map(|arg| arg.chars().count()).sum();
                        chars + args.len().saturating_sub(1)
                    }
                };
                Rc::from(n.to_string())
            }
            Op::TrimSuffix { pattern, longest } => {
                let text = self.joined(&value);
                let pattern = self.boxed_pattern(pattern).await?;
                Rc::from(trim_suffix(&text, &pattern, *longest))
            }
            Op::TrimPrefix { pattern, longest } => {
                let text = self.joined(&value);
                let pattern = self.boxed_pattern(pattern).await?;
                Rc::from(trim_prefix(&text, &pattern, *longest))
            }
            Op::Substring(word) => {
                let text = self.joined(&value);
                let range = self.boxed_text(word).await?;
                match self.substring(&text, &range) {
                    Ok(part) => Rc::from(part),
                    Err(message) => return self.raise(&message).await,
                }
            }
            Op::Replace { pattern, with, all } if !matches!(value, Value::Unset) => {
                let text = self.joined(&value);
                self.replaced(&param.name, &text, (pattern, with.as_ref(), *all)).await?
            }
            _ => {
                self.put(&value, &param.name, split, quoted, out);
                return Ok(());
            }
        };
        self.put(&Value::One(changed), &param.name, split, quoted, out);
        Ok(())
    }

    /// `${name/pattern/with}`, or `//` for `all`.
    async fn replaced(
        &mut self,
        name: &str,
        text: &str,
        (pattern, with, all): (&Word, Option<&Word>, bool),
    ) -> Res<Rc<str>> {
        let pattern = self.boxed_pattern(pattern).await?;
        let with = match with {
            Some(word) => self.boxed_text(word).await?,
            None => String::new(),
        };
        if let Some(changed) = replace(text, &pattern, &with, all) {
            return Ok(Rc::from(changed));
        }
        let sentence =
            format!("a replacement in ${{{name}}} was given up: too long a value for this pattern");
        self.sys.limit_reached(&sentence);
        self.raise(&sentence).await
    }

    async fn inner_word(
        &mut self,
        word: &Word,
        split: bool,
        quoted: bool,
        out: &mut Vec<Ch>,
    ) -> Res<()> {
        if quoted && word.parts.is_empty() {
            out.push(Ch { c: '\0', flags: MARK });
        }
        let start = out.len();
        let expand: Running<'_, ()> =
            Box::pin(self.expand_into(word, Tilde::Start, split, quoted, out));
        expand.await?;
        if split && !quoted {
            // Bare characters of the word split like what a variable holds.
            for ch in &mut out[start..] {
                if ch.flags == 0 {
                    ch.flags = SPLIT;
                }
            }
        }
        Ok(())
    }

    async fn boxed_text(&mut self, word: &Word) -> Res<String> {
        let expand: Running<'_, Vec<Ch>> = Box::pin(self.expand_chars(word, Tilde::Start, false));
        Ok(text_of(&expand.await?))
    }

    async fn boxed_pattern(&mut self, word: &Word) -> Res<Pattern> {
        let expand: Running<'_, Vec<Ch>> = Box::pin(self.expand_chars(word, Tilde::Start, false));
        Ok(Pattern::new(&expand.await?))
    }

    fn put_nothing(&self, quoted: bool, out: &mut Vec<Ch>) {
        if quoted {
            out.push(Ch { c: '\0', flags: MARK });
        }
    }

    /// `$*` as one text.
    fn joined(&self, value: &Value) -> String {
        match value {
            Value::Unset => String::new(),
            Value::One(text) => text.to_string(),
            Value::Many(args) => {
                let first = self.ifs().chars().next();
                let separator = first.map(String::from).unwrap_or_default();
                args.join(&separator)
            }
        }
    }

    fn put(&self, value: &Value, name: &str, split: bool, quoted: bool, out: &mut Vec<Ch>) {
        let flags = match (quoted, split) {
            (true, _) => QUOTED,
            (false, true) => SPLIT,
            (false, false) => 0,
        };
        let args = match value {
            Value::Unset => return self.put_nothing(quoted, out),
            Value::One(text) => {
                if text.is_empty() {
                    self.put_nothing(quoted, out);
                }
                out.extend(text.chars().map(|c| Ch { c, flags }));
                return;
            }
            Value::Many(args) => args,
        };
        if !split || (quoted && name == "*") {
            let text = self.joined(value);
            self.put_nothing(quoted, out);
            out.extend(text.chars().map(|c| Ch { c, flags }));
            return;
        }
        for (i, arg) in args.iter().enumerate() {
            if i > 0 {
                let flags = if quoted { BREAK } else { BREAK | SPLIT };
                out.push(Ch { c: '\0', flags });
            }
            self.put_nothing(quoted, out);
            out.extend(arg.chars().map(|c| Ch { c, flags }));
        }
    }

    /// `offset:length` of `${x:offset:length}`.
    fn substring(&mut self, text: &str, range: &str) -> Result<String, String> {
        let (offset, length) = match range.split_once(':') {
            Some((offset, length)) => (offset, Some(length)),
            None => (range, None),
        };
        let chars: Vec<char> = text.chars().collect();
        let total = chars.len() as i64;
        let mut from = self.arith(offset)?;
        let mut len = match length {
            Some(length) => self.arith(length)?,
            None => total,
        };
        if from < 0 {
            from += total;
        }
        if from < 0 || from >= total {
            return Ok(String::new());
        }
        if len < 0 {
            len += total - from;
        }
        let len = len.clamp(0, total - from);
        Ok(chars[from as usize..(from + len) as usize].iter().collect())
    }
}

/// Whether an operation takes an empty value for none.
fn asks_null(op: &Op) -> bool {
    match op {
        Op::Default { null, .. }
        | Op::Assign { null, .. }
        | Op::Error { null, .. }
        | Op::Alternative { null, .. } => *null,
        _ => false,
    }
}

fn trim_suffix(text: &str, pattern: &Pattern, longest: bool) -> String {
    let turned: Vec<char> = text.chars().rev().collect();
    let cut = pattern.backwards().prefix_end(&turned, longest, 0).0.unwrap_or(0);
    turned[cut..].iter().rev().collect()
}

fn trim_prefix(text: &str, pattern: &Pattern, longest: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let cut = pattern.prefix_end(&chars, longest, 0).0.unwrap_or(0);
    chars[cut..].iter().collect()
}

/// Looks at characters of one replacement before it is given up: a pattern with `*` that never
/// matches looks at the rest of the text from each place.
const REPLACE_LOOKS_MAX: usize = 2_000_000;

/// Replaces the longest match at each place; None when that costs too much.
fn replace(text: &str, pattern: &Pattern, with: &str, all: bool) -> Option<String> {
    let chars: Vec<char> = text.chars().collect();
    if pattern.is_empty() {
        return Some(text.to_owned());
    }
    if chars.is_empty() && pattern.matches(&chars) {
        return Some(with.to_owned());
    }
    let mut out = String::new();
    let (mut at, mut looks) = (0, 0);
    while at < chars.len() {
        let (longest, looked) = pattern.prefix_end(&chars[at..], true, 1);
        looks += looked;
        if looks > REPLACE_LOOKS_MAX {
            return None;
        }
        match longest {
            Some(length) => {
                out.push_str(with);
                at += length;
                if !all {
                    break;
                }
            }
            None => {
                out.push(chars[at]);
                at += 1;
            }
        }
    }
    out.extend(&chars[at..]);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        let chars: Vec<Ch> = text.chars().map(|c| Ch { c, flags: 0 }).collect();
        Pattern::new(&chars)
    }

    #[test]
    fn trims_and_replaces() {
        for (word, text, of, expected) in [
            ("#", "a/b/c", "*/", "b/c"),
            ("##", "a/b/c", "*/", "c"),
            ("%", "a/b/c", "/*", "a/b"),
            ("%%", "a/b/c", "/*", "a"),
            ("%", "app.log", "", "app.log"),
            ("%", "app.log", ".l?g", "app"),
            ("#", "app.log", "x*", "app.log"),
            ("//", "a-b-c", "-", "a+b+c"),
            ("/", "a-b-c", "-", "a+b-c"),
            ("//", "aXbXc", "X*X", "a+c"),
            ("//", "abc", "[b-c]", "a++"),
            ("//", "abc", "x*", "abc"),
        ] {
            let of = pattern(of);
            let got = match word {
                "#" | "##" => trim_prefix(text, &of, word == "##"),
                "%" | "%%" => trim_suffix(text, &of, word == "%%"),
                _ => replace(text, &of, "+", word == "//").expect("cheap"),
            };
            assert_eq!(got, expected, "{word} {text}");
        }
        assert_eq!(replace(&"a".repeat(1 << 20), &pattern("a*b"), "+", true), None);
    }
}
