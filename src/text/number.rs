//! Decimal numbers as doubles, rounded as IEEE 754 wants it. Not how they are printed.
//!
//! The standard library does the same with a table of 10 KB, which each visitor would download
//! twice; nothing here parses numbers by the thousand.

use std::cmp::Ordering;

/// Significant digits that are looked at one by one; of the rest it matters whether all are 0.
const DIGITS_MAX: usize = 800;
const EXACT_POWERS: i64 = 22;

/// What `text.parse::<f64>()` gives: `1`, `-.5`, `2.`, `6e23`, `inf`, `nan`.
pub fn parse(text: &str) -> Option<f64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1.0, &text[1..]),
        b'+' => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if ["inf", "infinity"].iter().any(|word| rest.eq_ignore_ascii_case(word)) {
        return Some(sign * f64::INFINITY);
    }
    if rest.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], whole(&rest[at + 1..])?),
        None => (rest, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || before.bytes().chain(after.bytes());
    if digits().next().is_none() || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: Vec<u8> =
        digits().map(|byte| byte - b'0').skip_while(|digit| *digit == 0).collect();
    let exponent = exponent.saturating_sub(after.len() as i64);
    Some(sign * value(&digits, exponent))
}

/// An exponent; those past all doubles are as good as the last one.
fn whole(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| sign * digits.parse().unwrap_or(i64::from(i32::MAX)))
}

/// `digits` times ten to the `exponent`.
fn value(digits: &[u8], exponent: i64) -> f64 {
    let size = digits.len() as i64 + exponent;
    if digits.is_empty() || size < -330 {
        return 0.0;
    }
    if size > 310 {
        return f64::INFINITY;
    }
    if digits.len() <= 15 && exponent.abs() <= EXACT_POWERS {
        // Both are doubles without an error, so the one rounding is the right one.
        let whole = digits.iter().fold(0.0, |whole, digit| whole * 10.0 + f64::from(*digit));
        let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
        return if exponent < 0 { whole / power } else { whole * power };
    }
    let (kept, dropped) = digits.split_at(digits.len().min(DIGITS_MAX));
    // A 1 in the place of all that is dropped keeps the number off the middle of two doubles.
    let (sticky, dropped) = (dropped.iter().any(|digit| *digit > 0), dropped.len() as i64);
    let kept = kept.iter().copied().chain(sticky.then_some(1));
    let whole = kept.fold(Big::default(), |big, digit| big.scaled(10, u32::from(digit)));
    let exponent = exponent + dropped - i64::from(sticky);
    let ten = |big: Big| (0..exponent.abs()).fold(big, |big, _| big.scaled(10, 0));
    let one = Big::default().scaled(1, 1);
    if exponent < 0 { quotient(&whole, &ten(one)) } else { quotient(&ten(whole), &one) }
}

/// The double nearest to `above / below`, the even one of two as near.
fn quotient(above: &Big, below: &Big) -> f64 {
    // The last bit weighs 2^shift: there are 53 bits, fewer below the normal numbers.
    let mut shift = (above.bits() - below.bits() - 53).max(-1074);
    let mut rounded = divide(above, below, shift);
    if rounded.0 >> 53 > 0 {
        shift += 1;
        rounded = divide(above, below, shift);
    }
    let (bits, up) = rounded;
    let half = shift / 2;
    (bits + u64::from(up)) as f64 * two_to(half) * two_to(shift - half)
}

/// The whole part of `above / (below * 2^shift)`, below 2^54, and whether what is left rounds up.
fn divide(above: &Big, below: &Big, shift: i64) -> (u64, bool) {
    let (mut above, below) = (above.shifted(-shift.min(0)), below.shifted(shift.max(0)));
    let mut bits = 0;
    for bit in (0..54).rev() {
        let part = below.shifted(bit);
        if above >= part {
            above = above.minus(&part);
            bits |= 1 << bit;
        }
    }
    let twice = above.shifted(1);
    (bits, twice > below || (twice == below && bits % 2 == 1))
}

fn two_to(power: i64) -> f64 {
    let base = if power < 0 { 0.5 } else { 2.0 };
    (0..power.abs()).fold(1.0, |value, _| value * base)
}

/// A whole number of any size, in words of 32 bits, the lowest first and none above that is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Big(Vec<u32>);

impl Ord for Big {
    fn cmp(&self, other: &Big) -> Ordering {
        let words = |big: &Big| big.0.iter().rev().copied().collect::<Vec<u32>>();
        self.0.len().cmp(&other.0.len()).then_with(|| words(self).cmp(&words(other)))
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Big) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Big {
    /// `self * factor + more`
    fn scaled(mut self, factor: u32, more: u32) -> Big {
        let mut carry = u64::from(more);
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
        self
    }

    fn bits(&self) -> i64 {
        let top = self.0.last().map_or(0, |word| i64::from(word.leading_zeros()));
        self.0.len() as i64 * 32 - top
    }

    /// `self * 2^by`, `by` not below 0.
    fn shifted(&self, by: i64) -> Big {
        let mut words = vec![0; (by / 32) as usize];
        words.extend(&self.0);
        Big(words).scaled(1 << (by % 32), 0)
    }

    /// `self - other`, which is not above it.
    fn minus(mut self, other: &Big) -> Big {
        let mut borrow = 0;
        for (at, word) in self.0.iter_mut().enumerate() {
            let less = i64::from(other.0.get(at).copied().unwrap_or(0)) + borrow;
            let left = i64::from(*word) - less;
            borrow = i64::from(left < 0);
            *word = left as u32;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn same(text: &str) {
        let (ours, theirs) = (parse(text), text.parse::<f64>().ok());
        assert_eq!(
            ours.map(f64::to_bits),
            theirs.map(f64::to_bits),
            "{text:?}: {ours:?} {theirs:?}"
        );
    }

    #[test]
    fn agrees_with_the_standard_library() {
        for text in [
            "",
            "-",
            ".",
            "e",
            "1e",
            "1e+",
            "0",
            "-0",
            "+1",
            "1.",
            ".5",
            "1_0",
            " 1",
            "0x1",
            "infinit",
            "inf",
            "-Infinity",
            "nan",
            "1e22",
            "1e23",
            "9007199254740993",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "5e-324",
            "2e-324",
            "3e-324",
            "2.2250738585072011e-308",
            "1e400",
            "1e-400",
            "0e999999999999",
            "123456789012345678901234567890",
            "0.1",
            "6.02214076e23",
        ] {
            same(text);
        }
        // Halfway between two doubles, and a digit beyond.
        let half = format!("{}", 1_u64 << 53) + ".99999999999";
        for tail in ["", "0", "1", &"0".repeat(900), &("0".repeat(900) + "1")] {
            same(&format!("9007199254740993{}{tail}", if tail.is_empty() { "" } else { "." }));
            same(&format!("{half}{tail}"));
        }
        let mut seed = 7_u64;
        for _ in 0..2_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bits = f64::from_bits(seed ^ (seed >> 29));
            same(&format!("{bits:e}"));
            same(&format!("{:.*e}", (seed % 30) as usize, bits));
            same(&format!("{}.{}", seed % 1000, seed % 977));
        }
    }
}
