//! One conversion of C's printf, for `printf`, `awk` and whoever else prints by format.

/// `%-08.3f`: flags, width, precision, letter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spec {
    pub(crate) minus: bool,
    pub(crate) plus: bool,
    pub(crate) space: bool,
    pub(crate) alt: bool,
    pub(crate) zero: bool,
    pub(crate) width: usize,
    pub(crate) precision: Option<usize>,
    pub(crate) letter: u8,
}

/// Wider than this nobody prints; it bounds the memory a format can ask for.
const WIDTH_MAX: usize = 100_000;

impl Spec {
    /// Reads what follows a `%`; `star` gives the number for a `*`. Returns the bytes used; the
    /// letter is 0 when the text ends first.
    pub(crate) fn parse(after: &[u8], mut star: impl FnMut() -> i64) -> (Spec, usize) {
        let mut spec = Spec::default();
        let mut at = 0;
        while let Some(byte) = after.get(at) {
            match byte {
                b'-' => spec.minus = true,
                b'+' => spec.plus = true,
                b' ' => spec.space = true,
                b'#' => spec.alt = true,
                b'0' => spec.zero = true,
                _ => break,
            }
            at += 1;
        }
        if after.get(at) == Some(&b'*') {
            let width = star();
            spec.minus |= width < 0;
            spec.width = (width.unsigned_abs() as usize).min(WIDTH_MAX);
            at += 1;
        } else {
            spec.width = number(after, &mut at);
        }
        if after.get(at) == Some(&b'.') {
            at += 1;
            if after.get(at) == Some(&b'*') {
                let precision = star();
                spec.precision = usize::try_from(precision).ok().map(|p| p.min(WIDTH_MAX));
                at += 1;
            } else {
                spec.precision = Some(number(after, &mut at));
            }
        }
        while matches!(after.get(at), Some(b'l' | b'L' | b'h' | b'z')) {
            at += 1;
        }
        spec.letter = after.get(at).copied().unwrap_or(0);
        let used = at + usize::from(spec.letter != 0);
        (spec, used)
    }

    fn pad(&self, sign: &str, body: &[u8], zero: bool, out: &mut Vec<u8>) {
        let length = sign.len() + body.len();
        let fill = self.width.saturating_sub(length);
        if !self.minus && !zero {
            out.extend(std::iter::repeat_n(b' ', fill));
        }
        out.extend_from_slice(sign.as_bytes());
        if !self.minus && zero {
            out.extend(std::iter::repeat_n(b'0', fill));
        }
        out.extend_from_slice(body);
        if self.minus {
            out.extend(std::iter::repeat_n(b' ', fill));
        }
    }

    pub(crate) fn bytes(&self, text: &[u8], out: &mut Vec<u8>) {
        let end = self.precision.map_or(text.len(), |p| p.min(text.len()));
        self.pad("", &text[..end], false, out);
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    /// `d i`.
    pub(crate) fn signed(&self, value: i64, out: &mut Vec<u8>) {
        let digits = value.unsigned_abs().to_string();
        self.digits(self.sign(value < 0), digits, value == 0, out);
    }

    /// `o u x X`.
    pub(crate) fn unsigned(&self, value: u64, out: &mut Vec<u8>) {
        let (prefix, digits) = match self.letter {
            b'o' if self.alt && value != 0 => ("0", format!("{value:o}")),
            b'o' => ("", format!("{value:o}")),
            b'x' if self.alt && value != 0 => ("0x", format!("{value:x}")),
            b'x' => ("", format!("{value:x}")),
            b'X' if self.alt && value != 0 => ("0X", format!("{value:X}")),
            b'X' => ("", format!("{value:X}")),
            _ => ("", value.to_string()),
        };
        self.digits(prefix, digits, value == 0, out);
    }

    fn digits(&self, sign: &str, mut digits: String, is_zero: bool, out: &mut Vec<u8>) {
        if let Some(precision) = self.precision {
            if is_zero && precision == 0 {
                digits.clear();
            }
            let missing = precision.saturating_sub(digits.len());
            digits.insert_str(0, &"0".repeat(missing));
        }
        self.pad(sign, digits.as_bytes(), self.zero && self.precision.is_none(), out);
    }

    /// `e E f F g G`.
    pub(crate) fn float(&self, value: f64, out: &mut Vec<u8>) {
        let sign = self.sign(value.is_sign_negative() && !value.is_nan());
        let size = value.abs();
        let upper = self.letter.is_ascii_uppercase();
        if !size.is_finite() {
            let word = if size.is_nan() { "nan" } else { "inf" };
            let word = if upper { word.to_ascii_uppercase() } else { word.to_owned() };
            return self.pad(sign, word.as_bytes(), false, out);
        }
        let precision = self.precision.unwrap_or(6).min(1000);
        let text = match self.letter.to_ascii_lowercase() {
            b'e' => exponential(size, precision),
            b'g' => general(size, precision.max(1), self.alt),
            _ => format!("{size:.precision$}"),
        };
        let text = if upper { text.to_ascii_uppercase() } else { text };
        self.pad(sign, text.as_bytes(), self.zero, out);
    }
}

fn number(after: &[u8], at: &mut usize) -> usize {
    let mut value: usize = 0;
    while let Some(digit @ b'0'..=b'9') = after.get(*at) {
        value = (value * 10 + usize::from(digit - b'0')).min(WIDTH_MAX);
        *at += 1;
    }
    value
}

/// C's `%e`: at least two exponent digits.
fn exponential(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// C's `%g`: the shorter of the two forms, without trailing zeros.
fn general(value: f64, precision: usize, keep_zeros: bool) -> String {
    let text = format!("{value:.*e}", precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let small = exponent < -4 || exponent >= precision as i32;
    let text = match small {
        true => exponential(value, precision - 1),
        false => format!("{value:.*}", (precision as i32 - 1 - exponent).max(0) as usize),
    };
    if keep_zeros || !text.contains('.') {
        return text;
    }
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text.as_str(), None),
    };
    let short = mantissa.trim_end_matches('0').trim_end_matches('.');
    match exponent {
        Some(exponent) => format!("{short}e{exponent}"),
        None => short.to_owned(),
    }
}

/// C's `%.NUMBERg`, as `awk` prints numbers.
pub(crate) fn shortest(value: f64, precision: usize) -> String {
    let sign = if value.is_sign_negative() && !value.is_nan() { "-" } else { "" };
    if !value.is_finite() {
        return format!("{sign}{}", if value.is_nan() { "nan" } else { "inf" });
    }
    format!("{sign}{}", general(value.abs(), precision.max(1), false))
}
