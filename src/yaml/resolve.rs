//! Plain scalars -> booleans, numbers, null: kubectl's YAML 1.1 table. Not dates: those stay text.
//!
//! Models go.yaml.in/yaml/v2 resolve.go, and sigs.k8s.io/yaml's way from there to JSON.

use super::{Scalar, Style, Value, base64};
use crate::text::number;

const CORE: &str = "tag:yaml.org,2002:";

/// The value of a scalar, or goyaml's sentence on why there is none. An empty `tag` is none given.
pub(super) fn resolve(tag: &str, scalar: Scalar) -> Result<Value, String> {
    if tag.is_empty() && scalar.style != Style::Plain {
        return Ok(Value::Str(scalar));
    }
    // A tag that goyaml cannot resolve leaves the text as it is.
    const RESOLVED: [&str; 7] = ["str", "bool", "int", "float", "null", "timestamp", "binary"];
    let known = tag.strip_prefix(CORE).filter(|kind| RESOLVED.contains(kind));
    let kind = known.unwrap_or(if tag.is_empty() { "" } else { "?" });
    let found = match kind {
        "" | "bool" | "int" | "float" | "null" | "timestamp" => plain(&scalar.text),
        "binary" => return binary(scalar),
        _ => None,
    };
    let rtag = found.as_ref().map_or("str", name);
    let fits = match (kind, rtag) {
        ("" | "str" | "?", _) | ("timestamp", "str") | ("float", "int") => true,
        _ => kind == rtag,
    };
    if !fits {
        return Err(format!("yaml: cannot decode !!{rtag} `{}` as a !!{kind}", scalar.text));
    }
    match (kind, found) {
        ("float", Some(Value::Int(number))) => Ok(float(number as f64)),
        (_, Some(value)) => finite(value),
        (_, None) => Ok(Value::Str(scalar)),
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int",
        Value::Float(_) => "float",
        _ => "str",
    }
}

/// JSON has no infinity; whole floats print without a point and are whole numbers from there on.
fn finite(value: Value) -> Result<Value, String> {
    match value {
        Value::Float(number) if number.is_nan() => Err("json: unsupported value: NaN".into()),
        Value::Float(number) if number.is_infinite() => {
            let sign = if number < 0.0 { '-' } else { '+' };
            Err(format!("json: unsupported value: {sign}Inf"))
        }
        Value::Float(number) => Ok(float(number)),
        other => Ok(other),
    }
}

fn float(number: f64) -> Value {
    let whole = number.fract() == 0.0 && number.abs() < 9.2e18;
    if whole { Value::Int(number as i64) } else { Value::Float(number) }
}

fn binary(mut scalar: Scalar) -> Result<Value, String> {
    let Some(bytes) = base64::decode(&scalar.text) else {
        return Err("yaml: !!binary value contains invalid base64 data".into());
    };
    scalar.text = String::from_utf8_lossy(&bytes).into_owned();
    scalar.marks.truncate(1);
    Ok(Value::Str(scalar))
}

/// What a plain scalar means if it is not a string. Infinities and NaN are still floats here.
pub fn plain(text: &str) -> Option<Value> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Value::Float(f64::NEG_INFINITY),
        _ => return number(text),
    })
}

fn number(text: &str) -> Option<Value> {
    let first = text.bytes().next()?;
    if first == b'.' {
        return decimal(text).map(Value::Float);
    }
    if !(first.is_ascii_digit() || first == b'+' || first == b'-') {
        return None;
    }
    let plain: String = text.chars().filter(|ch| *ch != '_').collect();
    if let Some(whole) = integer(&plain) {
        return Some(match i64::try_from(whole) {
            Ok(whole) => Value::Int(whole),
            Err(_) => Value::Float(whole as f64),
        });
    }
    decimal(&plain).map(Value::Float)
}

/// Go's `ParseInt` and `ParseUint` with base 0.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|digit| (digit as char).is_digit(base)) {
        return None;
    }
    let whole = sign * i128::from(u64::from_str_radix(digits, base).ok()?);
    let signed = text.starts_with(['+', '-']);
    let fits = i64::try_from(whole).is_ok() || !signed;
    fits.then_some(whole)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, within the range of a double.
fn decimal(text: &str) -> Option<f64> {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", after)) => !after.is_empty() && digits(after),
        Some((before, after)) => digits(before) && digits(after),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    let exponent_ok = exponent.is_none_or(|part| {
        let part = part.strip_prefix(['-', '+']).unwrap_or(part);
        !part.is_empty() && digits(part)
    });
    let number = (mantissa_ok && exponent_ok).then(|| number::parse(text))??;
    number.is_finite().then_some(number)
}
