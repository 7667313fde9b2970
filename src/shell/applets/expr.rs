//! `expr`. Models coreutils/expr.c.

use super::Answer;
use super::common::Cx;
use crate::regex::{Flavor, Options, Regex};
use crate::shell::bytes::{to_bytes, to_text};

#[derive(Clone, Debug)]
enum Value {
    Number(i64),
    Text(String),
}

impl Value {
    fn is_null(&self) -> bool {
        match self {
            Value::Number(n) => *n == 0,
            Value::Text(text) => text.is_empty() || text == "0",
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Text(text) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let good = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                good.then(|| text.parse().ok()).flatten()
            }
        }
    }

    fn text(&self) -> String {
        match self {
            Value::Number(n) => n.to_string(),
            Value::Text(text) => text.clone(),
        }
    }
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    cx.usage_status = 2;
    if cx.args().is_empty() {
        cx.fail("too few arguments").await;
        return Err(cx.usage().await);
    }
    let args = cx.args().to_vec();
    match evaluate(&args) {
        Ok(value) => {
            cx.text(&format!("{}\n", value.text())).await;
            Ok(i32::from(value.is_null()))
        }
        Err(message) => {
            cx.fail(message).await;
            Ok(2)
        }
    }
}

fn evaluate(args: &[String]) -> Result<Value, &'static str> {
    let mut parser = Parser { args, at: 0, depth: 0 };
    let value = parser.level(0)?;
    if parser.at < args.len() { Err("syntax error") } else { Ok(value) }
}

/// Operators from the loosest to the tightest.
const LEVELS: [&[&str]; 6] = [
    &["|"],
    &["&"],
    &["<", "<=", "=", "==", "!=", ">=", ">"],
    &["+", "-"],
    &["*", "/", "%"],
    &[":"],
];

struct Parser<'a> {
    args: &'a [String],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn next(&mut self) -> Option<String> {
        let arg = self.args.get(self.at).cloned();
        self.at += 1;
        arg
    }

    fn level(&mut self, level: usize) -> Result<Value, &'static str> {
        let Some(operators) = LEVELS.get(level) else { return self.primary() };
        let mut left = self.level(level + 1)?;
        while let Some(op) = self.args.get(self.at).filter(|a| operators.contains(&a.as_str())) {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(op, left, right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<Value, &'static str> {
        let Some(arg) = self.next() else { return Err("syntax error") };
        self.depth += 1;
        if self.depth > 200 {
            return Err("syntax error");
        }
        let value = match arg.as_str() {
            "(" => {
                let value = self.level(0)?;
                if self.next().as_deref() != Some(")") {
                    return Err("syntax error");
                }
                value
            }
            ")" => return Err("syntax error"),
            "length" if self.at < self.args.len() => {
                let text = self.primary()?.text();
                Value::Number(to_bytes(&text).len() as i64)
            }
            "match" if self.at < self.args.len() => {
                let text = self.primary()?;
                let pattern = self.primary()?;
                matched(&text, &pattern)?
            }
            "index" if self.at < self.args.len() => {
                let text = to_bytes(&self.primary()?.text());
                let set = to_bytes(&self.primary()?.text());
                let at = text.iter().position(|b| set.contains(b));
                Value::Number(at.map_or(0, |at| at as i64 + 1))
            }
            "substr" if self.at < self.args.len() => {
                let text = to_bytes(&self.primary()?.text());
                let from = self.primary()?.number();
                let length = self.primary()?.number();
                substring(&text, from, length)
            }
            "quote" if self.at < self.args.len() => Value::Text(self.next().unwrap_or_default()),
            _ => Value::Text(arg),
        };
        self.depth -= 1;
        Ok(value)
    }
}

fn substring(text: &[u8], from: Option<i64>, length: Option<i64>) -> Value {
    let (Some(from), Some(length)) = (from, length) else { return Value::Text(String::new()) };
    if from <= 0 || length <= 0 || from as usize > text.len() {
        return Value::Text(String::new());
    }
    let start = from as usize - 1;
    let end = start.saturating_add(length as usize).min(text.len());
    Value::Text(to_text(&text[start..end]))
}

fn apply(op: &str, left: Value, right: Value) -> Result<Value, &'static str> {
    match op {
        "|" => return Ok(if left.is_null() { right } else { left }),
        "&" if left.is_null() || right.is_null() => return Ok(Value::Number(0)),
        "&" => return Ok(left),
        ":" => return matched(&left, &right),
        "<" | "<=" | "=" | "==" | "!=" | ">=" | ">" => {
            let order = match (left.number(), right.number()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => to_bytes(&left.text()).cmp(&to_bytes(&right.text())),
            };
            let holds = match op {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                ">" => order.is_gt(),
                _ => order.is_eq(),
            };
            return Ok(Value::Number(i64::from(holds)));
        }
        _ => {}
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else {
        return Err("non-numeric argument");
    };
    Ok(Value::Number(match op {
        "+" => a.wrapping_add(b),
        "-" => a.wrapping_sub(b),
        "*" => a.wrapping_mul(b),
        _ if b == 0 => return Err("division by zero"),
        "/" => a.wrapping_div(b),
        _ => a.wrapping_rem(b),
    }))
}

/// `TEXT : REGEX`, anchored: the first group, or how many bytes match.
fn matched(text: &Value, pattern: &Value) -> Result<Value, &'static str> {
    let options = Options { flavor: Flavor::Basic, ..Options::default() };
    let regex = Regex::new(&to_bytes(&pattern.text()), options).map_err(|error| error.message())?;
    let text = to_bytes(&text.text());
    let found = regex.find_at(&text, 0).ok().flatten().filter(|found| found.start() == 0);
    Ok(match (found, regex.n_groups()) {
        (Some(found), 0) => Value::Number(found.end() as i64),
        (None, 0) => Value::Number(0),
        (Some(found), _) => {
            Value::Text(found.group(1).map_or_else(String::new, |(a, b)| to_text(&text[a..b])))
        }
        (None, _) => Value::Text(String::new()),
    })
}
