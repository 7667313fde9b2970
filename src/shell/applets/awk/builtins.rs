//! awk's functions.

use super::code::{CONVFMT, FS, RLENGTH, RSTART, Ref};
use super::record::split;
use super::value::{Value, formatted};
use super::vm::{Machine, Need};
use crate::shell::applets::common::calendar::{Civil, Zone, strftime};
use std::rc::Rc;

impl Machine {
    pub(super) fn builtin(&mut self, name: &str, n: usize) -> Result<Option<Need>, String> {
        let mut args: Vec<Value> = (0..n).map(|_| self.pop()).collect();
        args.reverse();
        let convfmt = self.special(CONVFMT);
        let text = |idx: usize| args.get(idx).cloned().unwrap_or_default().bytes(&convfmt);
        let number = |idx: usize| args.get(idx).map_or(0.0, Value::number);
        let required = match name {
            "index" | "substr" | "match" | "atan2" | "and" | "or" | "xor" => 2,
            "length" | "rand" | "srand" | "systime" | "fflush" | "strftime" => 0,
            _ => 1,
        };
        if n < required {
            return Err("Too few arguments".to_owned());
        }
        if let Some(value) = mathematics(name, &args) {
            self.push(value);
            return Ok(None);
        }
        let value = match name {
            "length" if n == 0 => Value::Number(self.whole().len() as f64),
            "length" => Value::Number(text(0).len() as f64),
            "index" => {
                let at = crate::regex::find_bytes(&text(0), &text(1), 0);
                Value::Number(at.map_or(0.0, |at| at as f64 + 1.0))
            }
            "substr" => {
                let length = (n > 2).then(|| number(2));
                Value::text(substring(&text(0), number(1), length))
            }
            "match" => self.match_function(&text(0), &text(1))?,
            "sprintf" => {
                let mut rest = args.iter().skip(1).cloned();
                let mut out = Vec::new();
                formatted(&text(0), || rest.next().unwrap_or_default(), &convfmt, &mut out);
                Value::text(&out)
            }
            "tolower" => Value::text(&text(0).to_ascii_lowercase()),
            "toupper" => Value::text(&text(0).to_ascii_uppercase()),
            "rand" => Value::Number(self.random()),
            "srand" => {
                let seed = if n > 0 { number(0) } else { self.now_unix as f64 };
                let old = std::mem::replace(&mut self.seed, seed);
                self.rng = seed as i64 as u64;
                Value::Number(old)
            }
            "systime" => Value::Number(self.now_unix as f64),
            "strftime" => {
                let format = if n > 0 { text(0) } else { Rc::from(&b"%c"[..]) };
                let when = if n > 1 { number(1) as i64 } else { self.now_unix };
                Value::text(&strftime(&format, when, &Zone::parse("")))
            }
            "mktime" => Value::Number(mktime(&text(0)) as f64),
            "system" => return Ok(Some(Need::System(text(0).to_vec()))),
            "close" => return Ok(Some(Need::Close(text(0).to_vec()))),
            _ => return Ok(Some(Need::Flush)),
        };
        self.push(value);
        Ok(None)
    }

    fn random(&mut self) -> f64 {
        // A 64-bit mix: the numbers differ from the C library's, the range does not.
        self.rng = self
            .rng
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.rng >> 33) as f64) / f64::from(1_u32 << 31)
    }

    fn match_function(&mut self, text: &[u8], pattern: &[u8]) -> Result<Value, String> {
        let ignore_case = self.ignore_case();
        let regex = self.patterns.get(pattern, ignore_case)?;
        let found = regex.find_at(text, 0).map_err(|_| "Memory exhausted".to_owned())?;
        let (start, length) = match found {
            Some(found) => (found.start() as f64 + 1.0, (found.end() - found.start()) as f64),
            None => (0.0, -1.0),
        };
        self.set_number(RSTART, start);
        self.set_number(RLENGTH, length);
        Ok(Value::Number(start))
    }

    pub(super) fn split(&mut self, array: Ref, n: usize) {
        let separator = if n > 1 { self.pop_bytes() } else { self.special(FS) };
        let text = self.pop_bytes();
        let ignore_case = self.ignore_case();
        let parts: Vec<Vec<u8>> = split(&text, &separator, &mut self.patterns, ignore_case)
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect();
        let array = self.array(array);
        array.borrow_mut().clear();
        for (i, part) in parts.iter().enumerate() {
            array.borrow_mut().set((i + 1).to_string().as_bytes(), Value::input(part));
        }
        self.push(Value::Number(parts.len() as f64));
    }

    /// `sub` and `gsub`.
    pub(super) fn substitute(&mut self, global: bool, keyed: bool) -> Result<(), String> {
        let text = self.pop_bytes();
        let key = keyed.then(|| self.pop());
        let replacement = self.pop_bytes();
        let pattern = self.pop_bytes();
        let ignore_case = self.ignore_case();
        let regex = self.patterns.get(&pattern, ignore_case)?;
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        let mut n = 0;
        let mut previous_end = usize::MAX;
        while at <= text.len() {
            let found = regex.find_at(&text, at).map_err(|_| "Memory exhausted".to_owned())?;
            let Some(found) = found else { break };
            let (start, end) = (found.start(), found.end());
            out.extend_from_slice(&text[at..start]);
            // An empty match right behind another match is none.
            if !(start == end && previous_end == start) {
                expand(&replacement, &text[start..end], &mut out);
                n += 1;
            }
            previous_end = end;
            at = end;
            if start == end {
                out.extend(text.get(end));
                at += 1;
            }
            if !global {
                break;
            }
        }
        out.extend_from_slice(text.get(at..).unwrap_or(&[]));
        self.count = f64::from(n);
        if let Some(key) = key {
            self.push(key);
        }
        self.push(Value::text(&out));
        self.push(Value::flag(n > 0));
        Ok(())
    }
}

/// Functions of numbers alone.
fn mathematics(name: &str, args: &[Value]) -> Option<Value> {
    let number = |idx: usize| args.get(idx).map_or(0.0, Value::number);
    let bits = |idx: usize| number(idx) as i64 as u64;
    Some(match name {
        "int" => Value::Number(number(0).trunc()),
        "sqrt" => Value::Number(number(0).sqrt()),
        "exp" => Value::Number(number(0).exp()),
        "log" => Value::Number(number(0).ln()),
        "sin" => Value::Number(number(0).sin()),
        "cos" => Value::Number(number(0).cos()),
        "atan2" => Value::Number(number(0).atan2(number(1))),
        "and" => Value::Number((bits(0) & bits(1)) as f64),
        "or" => Value::Number((bits(0) | bits(1)) as f64),
        "xor" => Value::Number((bits(0) ^ bits(1)) as f64),
        "compl" => Value::Number(f64::from(!(bits(0) as u32))),
        "lshift" => Value::Number(bits(0).checked_shl(bits(1) as u32).unwrap_or(0) as f64),
        "rshift" => Value::Number(bits(0).checked_shr(bits(1) as u32).unwrap_or(0) as f64),
        _ => return None,
    })
}

/// `&` is the match, `\\&` an ampersand.
fn expand(replacement: &[u8], found: &[u8], out: &mut Vec<u8>) {
    let mut bytes = replacement.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(b'&' | b'\\')) => out.extend(bytes.next()),
            (b'&', _) => out.extend_from_slice(found),
            (byte, _) => out.push(byte),
        }
    }
}

// Models busybox editors/awk.c B_ss: a start before the text is its beginning, and nothing is taken
// off the length for it.
fn substring(text: &[u8], from: f64, length: Option<f64>) -> &[u8] {
    let len = text.len() as f64;
    let start = (from - 1.0).trunc().min(len).max(0.0);
    let n = length.map_or(len, f64::trunc).max(0.0);
    &text[start as usize..(start + n).min(len) as usize]
}

/// `YYYY MM DD HH MM SS`
fn mktime(text: &[u8]) -> i64 {
    let text = String::from_utf8_lossy(text).into_owned();
    let n: Vec<i64> = text.split_whitespace().filter_map(|part| part.parse().ok()).collect();
    let [year, month, day, hour, minute, second, ..] = n[..] else { return -1 };
    Civil { year, month, day, hour, minute, second }.to_unix()
}
