//! The part of PromQL the lab answers: selectors with labels, `rate` and `increase` over a span,
//! sums by labels, arithmetic and comparisons with numbers.

use super::conf::duration;
use super::labels::{Labels, quote, whole};
use super::scrape::{Base, Series};
use crate::regex::Regex;

/// How long a sample stays good for an instant, in milliseconds.
const LOOKBACK: i64 = 300_000;

pub(super) enum Found {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

/// Not PromQL, or PromQL the lab does not answer.
pub(super) enum Wrong {
    Parse(String),
    NotSimulated(String),
}

enum Matcher {
    Is(String, bool),
    Fits(Regex, bool),
}

struct Query<'a> {
    base: &'a Base,
    text: &'a str,
    at: usize,
    /// Brackets open now.
    depth: usize,
}

pub(super) fn run(base: &Base, text: &str) -> Result<Found, Wrong> {
    let mut query = Query { base, text, at: 0, depth: 0 };
    let found = query.binary(0)?;
    query.space();
    if query.at < text.len() {
        return Err(query.stumble());
    }
    Ok(found)
}

const AGGREGATES: &[&str] = &["sum", "count", "avg", "min", "max"];
const LEVELS: &[&[&str]] = &[&["==", "!=", ">=", "<=", ">", "<"], &["+", "-"], &["*", "/"]];

impl Query<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn sign(&mut self, sign: &str) -> bool {
        self.space();
        let own = self.rest().starts_with(sign);
        self.at += if own { sign.len() } else { 0 };
        own
    }

    fn stumble(&self) -> Wrong {
        let at = self.at + 1;
        Wrong::Parse(match self.rest().chars().next() {
            Some(c) => format!("1:{at}: parse error: unexpected character: '{c}'"),
            None => format!("1:{at}: parse error: unexpected end of input"),
        })
    }

    fn word(&mut self) -> String {
        self.space();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let rest = self.rest();
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let word = rest[..end].to_owned();
        self.at += end;
        word
    }

    fn binary(&mut self, depth: usize) -> Result<Found, Wrong> {
        let Some(signs) = LEVELS.get(depth) else {
            self.depth += 1;
            let found = if self.depth > 40 { Err(self.stumble()) } else { self.one() };
            self.depth -= 1;
            return found;
        };
        let mut left = self.binary(depth + 1)?;
        while let Some(sign) = signs.iter().find(|sign| self.sign(sign)) {
            let right = self.binary(depth + 1)?;
            left = join(left, sign, right)?;
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Found, Wrong> {
        self.space();
        if self.sign("(") {
            let inner = self.binary(0)?;
            return if self.sign(")") { Ok(inner) } else { Err(self.stumble()) };
        }
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let rest = self.rest();
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let n = rest[..end].parse().map_err(|_| self.stumble())?;
            self.at += end;
            return Ok(Found::Scalar(n));
        }
        let from = self.at;
        let word = self.word();
        if AGGREGATES.contains(&word.as_str()) {
            return self.aggregate(&word);
        }
        self.space();
        if self.rest().starts_with('(') {
            return self.call(&word);
        }
        if word.is_empty() && !self.rest().starts_with('{') {
            self.at = from;
            return Err(self.stumble());
        }
        let matchers = self.matchers(&word)?;
        if self.sign("[") || self.rest().trim_start().starts_with("offset") {
            return Err(Wrong::NotSimulated(
                "a span or offset outside rate() and increase()".to_owned(),
            ));
        }
        let now = self.base.now_ms();
        let last = |series: &Series| {
            let (at, value) = series.samples.last()?;
            (!series.stale && now - at <= LOOKBACK).then_some(*value)
        };
        Ok(Found::Vector(self.select(&matchers, last)))
    }

    fn aggregate(&mut self, name: &str) -> Result<Found, Wrong> {
        let mut by = self.by()?;
        if !self.sign("(") {
            return Err(self.stumble());
        }
        let inner = self.binary(0)?;
        if !self.sign(")") {
            return Err(self.stumble());
        }
        if by.is_none() {
            by = self.by()?;
        }
        let Found::Vector(items) = inner else {
            return Err(Wrong::Parse("parse error: expected type instant vector".to_owned()));
        };
        let mut groups: Vec<(Labels, Vec<f64>)> = Vec::new();
        for (labels, value) in items {
            let mut key = labels;
            key.retain(|name, _| by.as_ref().is_some_and(|by| by.contains(name)));
            match groups.iter_mut().find(|(own, _)| *own == key) {
                Some((_, values)) => values.push(value),
                None => groups.push((key, vec![value])),
            }
        }
        let fold = |values: &[f64]| match name {
            "sum" => values.iter().sum(),
            "count" => values.len() as f64,
            "avg" => values.iter().sum::<f64>() / values.len() as f64,
            "min" => values.iter().copied().fold(f64::INFINITY, f64::min),
            _ => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        Ok(Found::Vector(groups.into_iter().map(|(key, values)| (key, fold(&values))).collect()))
    }

    /// `by (a, b)`.
    fn by(&mut self) -> Result<Option<Vec<String>>, Wrong> {
        let from = self.at;
        match self.word().as_str() {
            "by" => {}
            "without" => return Err(Wrong::NotSimulated("without (...)".to_owned())),
            _ => {
                self.at = from;
                return Ok(None);
            }
        }
        if !self.sign("(") {
            return Err(self.stumble());
        }
        let mut names = Vec::new();
        while !self.sign(")") {
            let name = self.word();
            if name.is_empty() {
                return Err(self.stumble());
            }
            names.push(name);
            self.sign(",");
        }
        Ok(Some(names))
    }

    fn call(&mut self, name: &str) -> Result<Found, Wrong> {
        if !matches!(name, "rate" | "increase" | "irate") {
            return Err(Wrong::NotSimulated(format!("the function {name}()")));
        }
        self.sign("(");
        let metric = self.word();
        let matchers = self.matchers(&metric)?;
        if !self.sign("[") {
            return Err(Wrong::Parse("parse error: expected type range vector".to_owned()));
        }
        let rest = self.rest();
        let end = rest.find(']').ok_or_else(|| self.stumble())?;
        let span = duration(rest[..end].trim()).ok_or_else(|| self.stumble())? as i64;
        self.at += end + 1;
        if !self.sign(")") {
            return Err(self.stumble());
        }
        let now = self.base.now_ms();
        let found = self.select(&matchers, |series| grown(series, now - span, now, name));
        let bare = |(mut labels, value): (Labels, f64)| {
            labels.remove("__name__");
            (labels, value)
        };
        Ok(Found::Vector(found.into_iter().map(bare).collect()))
    }

    fn matchers(&mut self, name: &str) -> Result<Vec<(String, Matcher)>, Wrong> {
        let mut out = Vec::new();
        if !name.is_empty() {
            out.push(("__name__".to_owned(), Matcher::Is(name.to_owned(), true)));
        }
        if !self.sign("{") {
            return Ok(out);
        }
        while !self.sign("}") {
            let label = self.word();
            let signs = ["=~", "!~", "!=", "="];
            let sign = signs.iter().find(|sign| self.sign(sign)).ok_or_else(|| self.stumble())?;
            self.space();
            let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
            let quote = quote.ok_or_else(|| self.stumble())?;
            self.at += 1;
            let rest = self.rest();
            let end = rest.find(quote).ok_or_else(|| self.stumble())?;
            let text = rest[..end].to_owned();
            self.at += end + 1;
            let yes = !sign.starts_with('!');
            let matcher = match sign.ends_with('~') {
                true => Matcher::Fits(whole(&text).ok_or_else(|| self.stumble())?, yes),
                false => Matcher::Is(text, yes),
            };
            out.push((label, matcher));
            self.sign(",");
        }
        Ok(out)
    }

    fn select(
        &self,
        matchers: &[(String, Matcher)],
        value: impl Fn(&Series) -> Option<f64>,
    ) -> Vec<(Labels, f64)> {
        let series = self.base.series.borrow();
        let fits = |labels: &Labels| {
            matchers.iter().all(|(name, matcher)| {
                let own = labels.get(name).map_or("", String::as_str);
                match matcher {
                    Matcher::Is(text, yes) => (own == text) == *yes,
                    Matcher::Fits(regex, yes) => {
                        regex.is_match(own.as_bytes()).unwrap_or(false) == *yes
                    }
                }
            })
        };
        let own = series.iter().filter(|(labels, _)| fits(labels));
        own.filter_map(|(labels, series)| Some((labels.clone(), value(series)?))).collect()
    }
}

/// What a counter grew by, stretched to the whole span.
// Models prometheus promql extrapolatedRate, without its limits at the edges.
fn grown(series: &Series, from: i64, to: i64, name: &str) -> Option<f64> {
    let inside: Vec<(i64, f64)> =
        series.samples.iter().copied().filter(|(at, _)| (from..=to).contains(at)).collect();
    let inside =
        if name == "irate" { inside.get(inside.len().checked_sub(2)?..)? } else { &inside };
    let (first, last) = (inside.first()?, inside.last()?);
    if inside.len() < 2 {
        return None;
    }
    let steps = inside.windows(2).map(|pair| {
        let (old, new) = (pair[0].1, pair[1].1);
        if new < old { new } else { new - old }
    });
    let grown: f64 = steps.sum();
    let sampled = (last.0 - first.0) as f64;
    if name == "irate" {
        return Some(grown / sampled * 1_000.0);
    }
    let average = sampled / (inside.len() - 1) as f64;
    let edge = |gap: f64| if gap < average * 1.1 { gap } else { average / 2.0 };
    let span = sampled + edge((first.0 - from) as f64) + edge((to - last.0) as f64);
    let whole = grown * span / sampled;
    Some(if name == "rate" { whole * 1_000.0 / (to - from) as f64 } else { whole })
}

fn join(left: Found, sign: &str, right: Found) -> Result<Found, Wrong> {
    let compares = LEVELS[0].contains(&sign);
    let apply = |a: f64, b: f64| match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "==" => f64::from(u8::from(a == b)),
        "!=" => f64::from(u8::from(a != b)),
        ">=" => f64::from(u8::from(a >= b)),
        "<=" => f64::from(u8::from(a <= b)),
        ">" => f64::from(u8::from(a > b)),
        _ => f64::from(u8::from(a < b)),
    };
    Ok(match (left, right) {
        (Found::Scalar(a), Found::Scalar(b)) => Found::Scalar(apply(a, b)),
        (Found::Vector(items), Found::Scalar(b)) if compares => {
            Found::Vector(items.into_iter().filter(|(_, a)| apply(*a, b) != 0.0).collect())
        }
        (Found::Vector(items), Found::Scalar(b)) => {
            let each = |(mut labels, a): (Labels, f64)| {
                labels.remove("__name__");
                (labels, apply(a, b))
            };
            Found::Vector(items.into_iter().map(each).collect())
        }
        (Found::Scalar(a), Found::Vector(items)) if !compares => {
            let each = |(mut labels, b): (Labels, f64)| {
                labels.remove("__name__");
                (labels, apply(a, b))
            };
            Found::Vector(items.into_iter().map(each).collect())
        }
        _ => return Err(Wrong::NotSimulated("joining two vectors".to_owned())),
    })
}

/// A value as the API writes it.
pub(super) fn number(n: f64) -> String {
    if n.is_nan() {
        return quote("NaN");
    }
    if n.is_infinite() {
        return quote(if n > 0.0 { "+Inf" } else { "-Inf" });
    }
    quote(&format!("{n}"))
}
