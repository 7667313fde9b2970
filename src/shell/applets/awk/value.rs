//! awk's values: numbers, strings, strings that look like numbers, arrays in busybox's order.

use super::vm::Cell;
use crate::order::Order;
use crate::shell::applets::common::format::{Spec, shortest};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone, Debug, Default)]
pub(super) enum Value {
    #[default]
    Unset,
    Number(f64),
    Text(Rc<[u8]>),
    /// From input: a number where it looks like one.
    Input(Rc<[u8]>),
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Value {
        Value::Text(Rc::from(bytes))
    }

    pub(super) fn input(bytes: &[u8]) -> Value {
        Value::Input(Rc::from(bytes))
    }

    pub(super) fn flag(holds: bool) -> Value {
        Value::Number(if holds { 1.0 } else { 0.0 })
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(n) => *n,
            Value::Text(text) | Value::Input(text) => parse_number(text).0,
        }
    }

    /// The value as text; `format` is CONVFMT or OFMT.
    pub(super) fn bytes(&self, format: &[u8]) -> Rc<[u8]> {
        match self {
            Value::Unset => Rc::from(&b""[..]),
            Value::Number(n) => Rc::from(number_text(*n, format)),
            Value::Text(text) | Value::Input(text) => Rc::clone(text),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(n) => *n != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) => match looks_numeric(text) {
                Some(n) => n != 0.0,
                None => !text.is_empty(),
            },
        }
    }

    /// The number it counts as in comparisons.
    pub(super) fn numeric(&self) -> Option<f64> {
        match self {
            Value::Unset => Some(0.0),
            Value::Number(n) => Some(*n),
            Value::Text(_) => None,
            Value::Input(text) => looks_numeric(text),
        }
    }
}

/// strtod, with where it ended.
pub(super) fn parse_number(text: &[u8]) -> (f64, usize) {
    crate::shell::applets::sort::number(text)
}

fn looks_numeric(text: &[u8]) -> Option<f64> {
    let (number, end) = parse_number(text);
    let rest = text.get(end..).unwrap_or(&[]);
    (end > 0 && rest.iter().all(u8::is_ascii_whitespace)).then_some(number)
}

fn number_text(n: f64, format: &[u8]) -> Vec<u8> {
    if n == n.trunc() && n.abs() < 9.3e18 {
        return (n as i64).to_string().into_bytes();
    }
    if format == b"%.6g" {
        return shortest(n, 6).into_bytes();
    }
    let mut out = Vec::new();
    formatted(format, || Value::Number(n), format, &mut out);
    out
}

/// printf: `next` gives the arguments in order.
pub(super) fn formatted(
    format: &[u8],
    mut next: impl FnMut() -> Value,
    convfmt: &[u8],
    out: &mut Vec<u8>,
) {
    let mut at = 0;
    while let Some(&byte) = format.get(at) {
        at += 1;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        if format.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        let (spec, used) = Spec::parse(&format[at..], || next().number() as i64);
        at += used;
        match spec.letter {
            b'd' | b'i' => spec.signed(next().number() as i64, out),
            b'o' | b'u' | b'x' | b'X' => {
                let n = next().number();
                spec.unsigned(if n < 0.0 { n as i64 as u64 } else { n as u64 }, out);
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => spec.float(next().number(), out),
            b's' => spec.bytes(&next().bytes(convfmt), out),
            b'c' => match next() {
                Value::Number(n) => spec.bytes(&[n as u32 as u8], out),
                value => {
                    let text = value.bytes(convfmt);
                    spec.bytes(&text[..text.len().min(1)], out);
                }
            },
            0 => out.push(b'%'),
            _ => {
                out.push(b'%');
                out.extend_from_slice(&format[at - used..at]);
            }
        }
    }
}

/// Hash table sizes of busybox, for the order of `for (k in a)`.
const SIZES: [usize; 6] = [61, 251, 1021, 4093, 16_381, 65_521];

#[derive(Debug, Default)]
pub(super) struct Array {
    items: BTreeMap<Vec<u8>, (u64, Value)>,
    next: u64,
    size: usize,
    /// What its keys and values take, in bytes.
    bytes: u64,
}

/// What an element takes beside its key and text.
const ELEMENT_BYTES: u64 = 48;

fn bytes_of(value: &Value) -> u64 {
    match value {
        Value::Text(text) | Value::Input(text) => text.len() as u64,
        Value::Unset | Value::Number(_) => 0,
    }
}

impl Cell {
    /// What it keeps, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Cell::Unset => 0,
            Cell::Value(value) => bytes_of(value),
            Cell::Array(array, _) => array.borrow().bytes,
        }
    }
}

pub(super) type ArrayRef = Rc<RefCell<Array>>;

impl Array {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.items.contains_key(key)
    }

    /// The element; looking makes it.
    pub(super) fn get(&mut self, key: &[u8]) -> Value {
        match self.items.get(key) {
            Some((_, value)) => value.clone(),
            None => {
                self.set(key, Value::Unset);
                Value::Unset
            }
        }
    }

    pub(super) fn set(&mut self, key: &[u8], value: Value) {
        if let Some(item) = self.items.get_mut(key) {
            self.bytes = self.bytes + bytes_of(&value) - bytes_of(&item.1);
            item.1 = value;
            return;
        }
        self.bytes += ELEMENT_BYTES + key.len() as u64 + bytes_of(&value);
        self.next += 1;
        self.items.insert(key.to_vec(), (self.next, value));
        let size = SIZES.get(self.size).copied().unwrap_or(65_521);
        if self.items.len() / size > 10 {
            self.size = (self.size + 1).min(SIZES.len() - 1);
        }
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some((_, value)) = self.items.remove(key) {
            self.bytes -= ELEMENT_BYTES + key.len() as u64 + bytes_of(&value);
        }
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }

    /// Keys in the order busybox's hash table walks them: by bucket, newest first.
    pub(super) fn keys(&self) -> Vec<Vec<u8>> {
        let size = SIZES.get(self.size).copied().unwrap_or(65_521) as u32;
        let mut keys: Vec<(u32, u64, &Vec<u8>)> =
            self.items.iter().map(|(key, (made, _))| (hash(key) % size, *made, key)).collect();
        keys.order_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        keys.into_iter().map(|(_, _, key)| key.clone()).collect()
    }
}

fn hash(name: &[u8]) -> u32 {
    let step =
        |idx: u32, byte: &u8| u32::from(*byte).wrapping_add(idx << 6).wrapping_add(idx >> 26);
    name.iter().fold(0, step)
}
