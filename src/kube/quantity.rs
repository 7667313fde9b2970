//! Amounts such as `500m`, `1.5Gi` and `2e3`: worth, order and the server's way of writing them.
//!
//! Models apimachinery pkg/api/resource ParseQuantity and CanonicalizeBytes (v1.36).

use k8s_openapi::apimachinery::pkg::api::resource;
use std::cmp::Ordering;
use std::fmt;

/// An amount, exact to a billionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quantity {
    nano: i128,
    format: Format,
}

/// How it was written, and is written again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Format {
    Decimal,
    Binary,
    Exponent,
}

const FORMAT_WRONG: &str = "quantities must match the regular expression \
                            '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG: &str = "unable to parse quantity's suffix";

const NANO: i128 = 1_000_000_000;
/// The server caps amounts with a binary suffix at the largest 64-bit number.
const NANO_MAX: i128 = i64::MAX as i128 * NANO;
/// Others end here, where the server goes on: 10e27.
const ENOUGH: i128 = 10_i128.pow(37);

/// Decimal suffixes from a billionth up, each a thousand times the one before.
const DECIMAL: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    pub const ZERO: Quantity = Quantity { nano: 0, format: Format::Decimal };

    /// Reads an amount, or gives the server's objection.
    pub fn parse(text: &str) -> Result<Quantity, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Err(FORMAT_WRONG);
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (whole, rest) = split_digits(unsigned);
        let (fraction, suffix) = match rest.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", rest),
        };
        if !suffix_shape(suffix) {
            return Err(FORMAT_WRONG);
        }
        let (format, exponent) = scale(suffix).ok_or(SUFFIX_WRONG)?;
        let nano = worth(whole, fraction, format, exponent);
        let format = match format {
            Format::Binary if 0 < nano && nano < NANO => Format::Decimal,
            format => format,
        };
        let negative = text.starts_with('-');
        Ok(Quantity { nano: if negative { -nano } else { nano }, format })
    }

    /// The amount of a typed object's field; None where it is none.
    pub fn of(quantity: &resource::Quantity) -> Option<Quantity> {
        Quantity::parse(&quantity.0).ok()
    }

    pub fn from_milli(milli: i64) -> Quantity {
        Quantity { nano: i128::from(milli) * 1_000_000, format: Format::Decimal }
    }

    pub fn from_bytes(bytes: i64) -> Quantity {
        Quantity { nano: i128::from(bytes) * NANO, format: Format::Binary }
    }

    /// In thousandths, rounded away from zero.
    pub fn milli(self) -> i64 {
        self.in_units_of(1_000_000)
    }

    /// In whole ones (bytes, CPUs), rounded away from zero.
    pub fn value(self) -> i64 {
        self.in_units_of(NANO)
    }

    /// Whether it is so many times `page`. Models Value() % page, which of very many keeps the
    /// lowest 64 bits.
    pub fn is_multiple_of(self, page: i64) -> bool {
        let units = self.nano / NANO + (self.nano % NANO).signum();
        page > 0 && units as i64 % page == 0
    }

    pub fn is_whole(self) -> bool {
        self.nano % NANO == 0
    }

    /// Whether the server takes it for whole. Models MilliValue() % 1000, which of very many bytes
    /// keeps the lowest 64 bits.
    pub fn is_integer(self) -> bool {
        let milli = self.nano / 1_000_000 + (self.nano % 1_000_000).signum();
        match i64::try_from(milli) {
            Ok(milli) => milli % 1000 == 0,
            Err(_) => self.format != Format::Binary || milli as i64 % 1000 == 0,
        }
    }

    /// Rounded up to thousandths. Models RoundUp(Milli).
    pub fn rounded(self) -> Quantity {
        let more = self.nano % 1_000_000;
        let nano = if more == 0 { self.nano } else { self.nano - more + 1_000_000 * more.signum() };
        Quantity { nano, ..self }
    }

    pub fn is_zero(self) -> bool {
        self.nano == 0
    }

    pub fn is_negative(self) -> bool {
        self.nano < 0
    }

    fn in_units_of(self, unit: i128) -> i64 {
        let units = self.nano / unit + (self.nano % unit).signum();
        units.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
    }
}

impl std::ops::Add for Quantity {
    type Output = Quantity;

    /// Keeps the left one's way of writing; where that is zero, the right one's.
    fn add(self, other: Quantity) -> Quantity {
        let nano = self.nano.saturating_add(other.nano);
        Quantity { nano, format: if self.nano == 0 { other.format } else { self.format } }
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.nano.cmp(&other.nano))
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// `[eEinumkKMGTP]*[-+]?[0-9]*`
fn suffix_shape(suffix: &str) -> bool {
    let rest = suffix.trim_start_matches(|ch: char| "eEinumkKMGTP".contains(ch));
    let rest = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    rest.bytes().all(|byte| byte.is_ascii_digit())
}

/// The power of ten, or of 1024, that a suffix stands for.
fn scale(suffix: &str) -> Option<(Format, i32)> {
    if let Some(idx) = DECIMAL.iter().position(|known| *known == suffix) {
        return Some((Format::Decimal, 3 * (idx as i32 - 3)));
    }
    if let Some(idx) = BINARY.iter().position(|known| *known == suffix) {
        return Some((Format::Binary, idx as i32));
    }
    let power: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    Some((Format::Exponent, power.clamp(-60, 60) as i32))
}

/// Billionths, capped at the largest amount; any part of a billionth counts as a whole one.
fn worth(whole: &str, fraction: &str, format: Format, exponent: i32) -> i128 {
    let digits = |text: &str, number: i128| {
        text.bytes().fold(number, |number, digit| {
            number.saturating_mul(10).saturating_add(i128::from(digit - b'0'))
        })
    };
    // More digits than these change nothing but the last place.
    let kept = &fraction[..fraction.len().min(18)];
    let mut number = digits(kept, digits(whole, 0));
    if fraction[kept.len()..].bytes().any(|digit| digit != b'0') {
        number = number.saturating_add(1);
    }
    let mut shift = 9 - kept.len() as i32;
    match format {
        Format::Binary => number = number.saturating_mul(1 << (10 * exponent)),
        Format::Decimal | Format::Exponent => shift += exponent,
    }
    let power = 10_i128.saturating_pow(shift.unsigned_abs());
    let nano = match shift {
        0.. => number.saturating_mul(power),
        _ => number / power + i128::from(number % power != 0),
    };
    nano.min(if format == Format::Binary { NANO_MAX } else { ENOUGH })
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut amount = self.nano;
        let small = amount.abs() < 1024 * NANO;
        if self.format == Format::Binary && !small && self.is_whole() {
            amount /= NANO;
            let mut idx = 0;
            while amount % 1024 == 0 && idx + 1 < BINARY.len() {
                amount /= 1024;
                idx += 1;
            }
            return write!(f, "{amount}{}", BINARY[idx]);
        }
        if amount == 0 {
            return f.write_str("0");
        }
        let mut idx = 0;
        while amount % 1000 == 0 {
            amount /= 1000;
            idx += 1;
        }
        match (self.format, 3 * (idx as i32 - 3)) {
            (Format::Exponent, 0) => write!(f, "{amount}"),
            (Format::Exponent, power) => write!(f, "{amount}e{power}"),
            // The server drops a suffix it has no letter for.
            _ => write!(f, "{amount}{}", DECIMAL.get(idx).unwrap_or(&"")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text; canonical text and thousandths, or the objection.
    type Case = (&'static str, Result<(&'static str, i64), &'static str>);
    const CASES: &[Case] = &[
        ("0", Ok(("0", 0))),
        ("500m", Ok(("500m", 500))),
        ("0.5", Ok(("500m", 500))),
        ("1000m", Ok(("1", 1000))),
        ("1500", Ok(("1500", 1_500_000))),
        ("1000", Ok(("1k", 1_000_000))),
        ("64Mi", Ok(("64Mi", 67_108_864_000))),
        ("1024Mi", Ok(("1Gi", 1_073_741_824_000))),
        ("1.5Gi", Ok(("1536Mi", 1_610_612_736_000))),
        ("0.5Ki", Ok(("512", 512_000))),
        ("0.1Mi", Ok(("104857600m", 104_857_600))),
        ("100Ki", Ok(("100Ki", 102_400_000))),
        ("1e3", Ok(("1e3", 1_000_000))),
        ("2E2", Ok(("200", 200_000))),
        ("1E", Ok(("1E", i64::MAX))),
        ("1n", Ok(("1n", 1))),
        ("0.1n", Ok(("1n", 1))),
        ("-1.5", Ok(("-1500m", -1500))),
        ("+1", Ok(("1", 1000))),
        ("1.", Ok(("1", 1000))),
        (".5", Ok(("500m", 500))),
        ("9999999999999999999", Ok(("9999999999999999999", i64::MAX))),
        ("1e+20", Ok(("100e18", i64::MAX))),
        ("1e+21", Ok(("1e21", i64::MAX))),
        ("10000000000000000000000", Ok(("10", i64::MAX))),
        ("9999999999999999999Ki", Ok(("9223372036854775807", i64::MAX))),
        ("", Err(FORMAT_WRONG)),
        ("abc", Err(FORMAT_WRONG)),
        ("1 Gi", Err(FORMAT_WRONG)),
        ("64MB", Err(FORMAT_WRONG)),
        ("1.2.3", Err(FORMAT_WRONG)),
        ("0x10", Err(FORMAT_WRONG)),
        ("1K", Err(SUFFIX_WRONG)),
        ("1mi", Err(SUFFIX_WRONG)),
        ("1e", Err(SUFFIX_WRONG)),
        ("1Gi2", Err(SUFFIX_WRONG)),
    ];

    #[test]
    fn reads_and_writes_as_the_server_does() {
        for (text, expected) in CASES {
            let found = Quantity::parse(text);
            let found = found.map(|one| (one.to_string(), one.milli()));
            let expected = expected.map(|(canonical, milli)| (canonical.to_owned(), milli));
            assert_eq!(found, expected, "{text:?}");
        }
        let whole = |text| Quantity::parse(text).expect("good").is_integer();
        assert_eq!(["5", "5m", "1E", "1Ei", "4Pi"].map(whole), [true, false, true, false, true]);
        assert_eq!(Quantity::parse("1001u").expect("good").rounded().to_string(), "2m");
        let sum = Quantity::from_milli(1500) + Quantity::from_milli(500);
        assert_eq!((sum.to_string(), sum.value()), ("2".to_owned(), 2));
        assert!(Quantity::parse("1Gi").expect("good") > Quantity::from_bytes(1_000_000_000));
    }
}
