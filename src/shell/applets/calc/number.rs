//! Decimal numbers of any length: a whole magnitude and how many of its digits come after the
//! point. Truncates where bc and dc truncate; prints in any base.

use std::cmp::Ordering;

/// Digits of a number at most; more is an error with a sentence.
pub(super) const DIGITS_MAX: usize = 50_000;
/// A limb holds nine decimal digits.
const LIMB: u64 = 1_000_000_000;
const LIMB_DIGITS: usize = 9;
/// Characters of an output line, the backslash that continues it left out.
pub(super) const LINE: usize = 68;

#[derive(Clone, Debug, Default)]
pub(super) struct Num {
    neg: bool,
    /// Least significant limb first, no zeros at the end.
    mag: Vec<u32>,
    pub(super) scale: usize,
}

fn trim(mag: &mut Vec<u32>) {
    while mag.last() == Some(&0) {
        mag.pop();
    }
}

fn compare(a: &[u32], b: &[u32]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

fn plus(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len().max(b.len()) + 1);
    let mut carry = 0;
    for i in 0..a.len().max(b.len()) {
        let of = |list: &[u32]| u64::from(list.get(i).copied().unwrap_or(0));
        let sum = of(a) + of(b) + carry;
        out.push((sum % LIMB) as u32);
        carry = sum / LIMB;
    }
    out.push(carry as u32);
    trim(&mut out);
    out
}

/// `a` is not smaller.
fn minus(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = Vec::with_capacity(a.len());
    let mut borrow = 0;
    for (i, limb) in a.iter().enumerate() {
        let less = u64::from(b.get(i).copied().unwrap_or(0)) + borrow;
        let own = u64::from(*limb);
        borrow = u64::from(own < less);
        out.push((own + borrow * LIMB - less) as u32);
    }
    trim(&mut out);
    out
}

fn times(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut out = vec![0u32; a.len() + b.len()];
    for (i, x) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, y) in b.iter().enumerate() {
            let sum = u64::from(out[i + j]) + u64::from(*x) * u64::from(*y) + carry;
            out[i + j] = (sum % LIMB) as u32;
            carry = sum / LIMB;
        }
        out[i + b.len()] = carry as u32;
    }
    trim(&mut out);
    out
}

fn times_small(a: &mut Vec<u32>, by: u32, add: u32) {
    let mut carry = u64::from(add);
    for limb in a.iter_mut() {
        let sum = u64::from(*limb) * u64::from(by) + carry;
        *limb = (sum % LIMB) as u32;
        carry = sum / LIMB;
    }
    if carry > 0 {
        a.push(carry as u32);
    }
    trim(a);
}

/// Divides in place; gives the rest.
fn over_small(a: &mut Vec<u32>, by: u32) -> u32 {
    let mut rest = 0u64;
    for limb in a.iter_mut().rev() {
        let whole = rest * LIMB + u64::from(*limb);
        *limb = (whole / u64::from(by)) as u32;
        rest = whole % u64::from(by);
    }
    trim(a);
    rest as u32
}

/// Quotient and rest of magnitudes; `b` is not zero. Long division, a limb at a time.
fn divide(a: &[u32], b: &[u32]) -> (Vec<u32>, Vec<u32>) {
    if compare(a, b) == Ordering::Less {
        return (Vec::new(), a.to_vec());
    }
    if let [only] = b {
        let mut quotient = a.to_vec();
        let rest = over_small(&mut quotient, *only);
        return (quotient, if rest == 0 { Vec::new() } else { vec![rest] });
    }
    // The highest limb of the divisor is made large, so that a guess is off by two at most.
    let top = b.last().copied().unwrap_or(1);
    let factor = (LIMB / (u64::from(top) + 1)) as u32;
    let (mut rest, mut by) = (a.to_vec(), b.to_vec());
    times_small(&mut rest, factor, 0);
    times_small(&mut by, factor, 0);
    rest.resize(rest.len().max(a.len()) + 1, 0);
    let n = by.len();
    let high = u64::from(by[n - 1]);
    let mut quotient = vec![0; rest.len() - n];
    for at in (0..rest.len() - n).rev() {
        let head = u64::from(rest[at + n]) * LIMB + u64::from(rest[at + n - 1]);
        let mut guess = (head / high).min(LIMB - 1);
        loop {
            let mut part = by.clone();
            times_small(&mut part, guess as u32, 0);
            let mut window = rest[at..=at + n].to_vec();
            trim(&mut window);
            if compare(&window, &part) != Ordering::Less {
                let mut left = minus(&window, &part);
                left.resize(n + 1, 0);
                rest[at..=at + n].copy_from_slice(&left);
                break;
            }
            guess -= 1;
        }
        quotient[at] = guess as u32;
    }
    trim(&mut quotient);
    trim(&mut rest);
    over_small(&mut rest, factor);
    (quotient, rest)
}

fn shift_up(mag: &[u32], n_digits: usize) -> Vec<u32> {
    if mag.is_empty() {
        return Vec::new();
    }
    let mut out = vec![0; n_digits / LIMB_DIGITS];
    out.extend_from_slice(mag);
    times_small(&mut out, 10u32.pow((n_digits % LIMB_DIGITS) as u32), 0);
    out
}

fn shift_down(mag: &[u32], n_digits: usize) -> Vec<u32> {
    let mut out = mag.get(n_digits / LIMB_DIGITS..).unwrap_or(&[]).to_vec();
    over_small(&mut out, 10u32.pow((n_digits % LIMB_DIGITS) as u32));
    out
}

fn root(mag: &[u32]) -> Vec<u32> {
    if mag.is_empty() {
        return Vec::new();
    }
    // Newton's way down from above.
    let mut guess = shift_up(&[1], mag.len().div_ceil(2) * LIMB_DIGITS);
    loop {
        let mut next = plus(&guess, &divide(mag, &guess).0);
        over_small(&mut next, 2);
        if compare(&next, &guess) != Ordering::Less {
            return guess;
        }
        guess = next;
    }
}

impl From<i64> for Num {
    fn from(n: i64) -> Num {
        let mut mag = Vec::new();
        let mut left = n.unsigned_abs();
        while left > 0 {
            mag.push((left % LIMB) as u32);
            left /= LIMB;
        }
        Num { neg: n < 0, mag, scale: 0 }
    }
}

impl Num {
    /// Reads digits of a base, letters for those from ten on. A digit too large counts as the
    /// largest, except alone.
    pub(super) fn parse(text: &str, base: u32) -> Num {
        let value = |c: u8| match c {
            b'A'..=b'Z' => u32::from(c - b'A') + 10,
            _ => u32::from(c.wrapping_sub(b'0')),
        };
        let digits: Vec<u8> = text.bytes().filter(|c| *c != b'.').collect();
        let significant = digits.iter().skip_while(|digit| **digit == b'0').count();
        let least = if significant <= 1 { 35 } else { base - 1 };
        let scale = text.split_once('.').map_or(0, |(_, after)| after.len());
        let mut out = Num::default();
        for digit in &digits {
            times_small(&mut out.mag, base, value(*digit).min(least));
            if out.mag.is_empty() && value(*digit) > 0 {
                out.mag.push(value(*digit).min(least));
            }
        }
        if base == 10 || out.is_zero() {
            return Num { scale: if out.is_zero() { 0 } else { scale }, ..out };
        }
        let below = Num::from(i64::from(base)).power(scale as i64, 0);
        match below.filter(|_| scale > 0).and_then(|below| out.over(&below, scale)) {
            Some(part) => part,
            None => out,
        }
    }

    fn with_sign(neg: bool, mag: Vec<u32>, scale: usize) -> Num {
        Num { neg: neg && !mag.is_empty(), mag, scale }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.mag.is_empty()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.neg
    }

    pub(super) fn negated(&self) -> Num {
        Num::with_sign(!self.neg, self.mag.clone(), self.scale)
    }

    /// Cut or filled up to so many digits after the point.
    pub(super) fn scaled(&self, scale: usize) -> Num {
        let mag = match scale.cmp(&self.scale) {
            Ordering::Less => shift_down(&self.mag, self.scale - scale),
            _ => shift_up(&self.mag, scale - self.scale),
        };
        Num::with_sign(self.neg, mag, scale)
    }

    /// The whole part, where it is small enough.
    pub(super) fn whole(&self) -> Option<i64> {
        let mag = self.scaled(0).mag;
        let mut out: i64 = 0;
        for limb in mag.iter().rev() {
            out = out.checked_mul(LIMB as i64)?.checked_add(i64::from(*limb))?;
        }
        Some(if self.neg { -out } else { out })
    }

    pub(super) fn is_whole(&self) -> bool {
        self.scale == 0 || self.scaled(0).scaled(self.scale).mag == self.mag
    }

    /// Decimal digits of the magnitude.
    pub(super) fn n_digits(&self) -> usize {
        let top = self.mag.last().map_or(0, |top| top.checked_ilog10().unwrap_or(0) as usize + 1);
        top + self.mag.len().saturating_sub(1) * LIMB_DIGITS
    }

    /// As bc's `length` counts: zero has as many digits as it shows after the point.
    pub(super) fn length(&self) -> usize {
        self.n_digits().max(if self.is_zero() { self.scale.max(1) } else { 1 })
    }

    pub(super) fn plus(&self, other: &Num) -> Num {
        // Nothing added leaves a number as it is written.
        match (self.is_zero(), other.is_zero()) {
            (true, false) => return other.clone(),
            (false, true) => return self.clone(),
            _ => {}
        }
        let scale = self.scale.max(other.scale);
        let (a, b) = (self.scaled(scale), other.scaled(scale));
        if a.neg == b.neg {
            return Num::with_sign(a.neg, plus(&a.mag, &b.mag), scale);
        }
        match compare(&a.mag, &b.mag) {
            Ordering::Less => Num::with_sign(b.neg, minus(&b.mag, &a.mag), scale),
            _ => Num::with_sign(a.neg, minus(&a.mag, &b.mag), scale),
        }
    }

    pub(super) fn minus(&self, other: &Num) -> Num {
        self.plus(&other.negated())
    }

    pub(super) fn times(&self, other: &Num, scale: usize) -> Num {
        let whole = self.scale + other.scale;
        let kept = whole.min(scale.max(self.scale).max(other.scale));
        let mag = times(&self.mag, &other.mag);
        Num::with_sign(self.neg != other.neg, mag, whole).scaled(kept)
    }

    /// None where the divisor is zero.
    pub(super) fn over(&self, other: &Num, scale: usize) -> Option<Num> {
        if other.is_zero() {
            return None;
        }
        let up = scale + other.scale;
        let a = match up.checked_sub(self.scale) {
            Some(more) => shift_up(&self.mag, more),
            None => shift_down(&self.mag, self.scale - up),
        };
        Some(Num::with_sign(self.neg != other.neg, divide(&a, &other.mag).0, scale))
    }

    pub(super) fn rest(&self, other: &Num, scale: usize) -> Option<Num> {
        let quotient = self.over(other, scale)?;
        let wide = self.scale.max(scale + other.scale);
        Some(self.minus(&quotient.times(other, wide)).scaled(wide))
    }

    /// None where it would get too long, or zero is to be inverted.
    pub(super) fn power(&self, exponent: i64, scale: usize) -> Option<Num> {
        let n = exponent.unsigned_abs();
        if self.n_digits() as u64 * n > DIGITS_MAX as u64 && self.n_digits() > 1 || n > 1 << 16 {
            return None;
        }
        let mut out = Num::from(1);
        for bit in (0..64).rev().skip_while(|bit| n >> bit & 1 == 0) {
            out = out.times(&out, usize::MAX);
            if n >> bit & 1 == 1 {
                out = out.times(self, usize::MAX);
            }
        }
        if exponent < 0 {
            return Num::from(1).over(&out, scale);
        }
        let whole = self.scale.saturating_mul(n as usize);
        Some(out.scaled(whole.min(scale.max(self.scale))))
    }

    /// None of a negative number.
    pub(super) fn root(&self, scale: usize) -> Option<Num> {
        if self.neg {
            return None;
        }
        let scale = scale.max(self.scale);
        let mag = shift_up(&self.mag, 2 * scale - self.scale);
        Some(Num::with_sign(false, root(&mag), scale))
    }

    pub(super) fn order(&self, other: &Num) -> Ordering {
        let difference = self.minus(other);
        match (difference.is_zero(), difference.neg) {
            (true, _) => Ordering::Equal,
            (_, true) => Ordering::Less,
            _ => Ordering::Greater,
        }
    }

    /// As bc prints it in a base; what is longer than `line` goes on after a backslash.
    pub(super) fn show(&self, base: u32, line: usize) -> String {
        let mut text = String::from(if self.neg { "-" } else { "" });
        match (self.is_zero(), base) {
            (true, _) => text.push('0'),
            (_, 10) => text.push_str(&self.decimal()),
            _ => self.other_base(base, &mut text),
        }
        let mut out = String::with_capacity(text.len());
        for (i, c) in text.chars().enumerate() {
            if i > 0 && i % line.max(1) == 0 {
                out.push_str("\\\n");
            }
            out.push(c);
        }
        out
    }

    fn decimal(&self) -> String {
        let mut digits: String = self.mag.iter().rev().map(|limb| format!("{limb:09}")).collect();
        digits = digits.trim_start_matches('0').to_owned();
        if self.scale > 0 {
            digits = format!("{digits:0>width$}", width = self.scale);
            digits.insert(digits.len() - self.scale, '.');
        }
        digits
    }

    fn other_base(&self, base: u32, out: &mut String) {
        let width = (base - 1).to_string().len();
        let digit = |n: u32, first: bool| match base {
            0..=16 => char::from_digit(n, 16).map_or(String::new(), |c| c.to_uppercase().collect()),
            _ => format!("{}{n:0width$}", if first { "" } else { " " }),
        };
        let mut whole = self.scaled(0).mag;
        let mut digits = Vec::new();
        while !whole.is_empty() {
            digits.push(over_small(&mut whole, base));
        }
        out.extend(digits.iter().rev().map(|n| digit(*n, false)));
        if self.scale == 0 {
            return;
        }
        out.push('.');
        let one = shift_up(&[1], self.scale);
        let mut part = divide(&self.mag, &one).1;
        // As many digits as tell apart what so many decimal ones do.
        let mut reached = Num::from(1);
        let mut first = true;
        while reached.n_digits() <= self.scale {
            times_small(&mut part, base, 0);
            let (n, rest) = divide(&part, &one);
            out.push_str(&digit(n.first().copied().unwrap_or(0), first));
            (part, first) = (rest, false);
            times_small(&mut reached.mag, base, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_bc_counts() {
        let n = |text: &str| match text.strip_prefix('-') {
            Some(rest) => Num::parse(rest, 10).negated(),
            None => Num::parse(text, 10),
        };
        let show = |num: Option<Num>| num.map_or("none".to_owned(), |num| num.show(10, LINE));
        assert_eq!(show(n("1").over(&n("3"), 5)), ".33333");
        assert_eq!(show(n("-7").rest(&n("3"), 3)), "-.001");
        assert_eq!(show(n("5").rest(&n(".7"), 3)), ".0006");
        assert_eq!(show(n("1.55").power(3, 0)), "3.72");
        assert_eq!(show(n("2").power(-2, 5)), ".25000");
        assert_eq!(show(n("2").root(10)), "1.4142135623");
        assert_eq!(show(n("1").over(&n("0"), 5)), "none");
        assert_eq!(n("5.125").show(2, LINE), "101.0010000000");
        assert_eq!(n("399.5").show(20, LINE), " 19 19.10");
        assert_eq!(Num::parse("A.8", 16).show(10, LINE), "10.5");
        let (a, b) = (n("123456789012345678901234567890"), n("9876543210987654321"));
        let product = a.times(&b, 0);
        assert_eq!(show(product.over(&b, 0)), a.show(10, LINE));
        assert_eq!(show(product.plus(&n("17")).rest(&b, 0)), "17");
    }
}
