//! The functions of `bc -l`: each works with more digits than asked for and cuts at the end.

use super::number::Num;

/// More digits than the answer has.
const GUARD: usize = 12;

/// A function of the library by name; None where there is none, or it got too long.
pub(super) fn call(name: &str, args: &[Num], scale: usize) -> Option<Num> {
    let x = args.last()?;
    let work = scale + GUARD + x.scaled(0).n_digits();
    let found = match (name, args.len()) {
        ("e", 1) => exp(x, scale)?,
        ("l", 1) => ln(x, scale)?,
        ("s", 1) => sine(x, work)?,
        ("c", 1) => sine(&x.plus(&pi(work)?.over(&Num::from(2), work)?), work)?,
        ("a", 1) => arctangent(x, work)?,
        ("j", 2) => bessel(args.first()?.whole()?, x, work)?,
        _ => return None,
    };
    // What differs from a whole last digit only in digits nobody asked for is that digit.
    let half = Num::from(5).over(&Num::from(10).power(scale as i64 + 5, 0)?, scale + 5)?;
    let half = if found.is_negative() { half.negated() } else { half };
    Some(found.plus(&half).scaled(scale + 4).scaled(scale))
}

pub(super) fn is_known(name: &str) -> bool {
    ["e", "l", "s", "c", "a", "j"].contains(&name)
}

fn int(n: i64) -> Num {
    Num::from(n)
}

fn is_over(x: &Num, than: &Num) -> bool {
    x.order(than).is_gt()
}

fn exp(x: &Num, scale: usize) -> Option<Num> {
    let size = x.whole()?.unsigned_abs() as usize;
    let mut work = scale + GUARD + size * 44 / 100;
    if work > super::number::DIGITS_MAX {
        return None;
    }
    let (mut small, mut n_halved) = (if x.is_negative() { x.negated() } else { x.clone() }, 0);
    work += 2 * size.checked_ilog2().unwrap_or(0) as usize;
    while is_over(&small, &int(1)) {
        small = small.over(&int(2), work)?;
        n_halved += 1;
    }
    let (mut sum, mut term, mut i) = (int(1), int(1), 0);
    while !term.is_zero() {
        i += 1;
        term = term.times(&small, work).over(&int(i), work)?;
        sum = sum.plus(&term);
    }
    for _ in 0..n_halved {
        sum = sum.times(&sum, work).scaled(work);
    }
    if x.is_negative() { int(1).over(&sum, work) } else { Some(sum) }
}

fn ln(x: &Num, scale: usize) -> Option<Num> {
    if x.is_zero() || x.is_negative() {
        return Some(int(1).minus(&int(10).power(scale as i64, 0)?));
    }
    let work = scale + GUARD + x.length();
    let (mut near, mut n_roots) = (x.scaled(work), 0);
    while is_over(&near, &Num::parse("1.1", 10)) || is_over(&Num::parse("0.9", 10), &near) {
        near = near.root(work)?;
        n_roots += 1;
    }
    let t = near.minus(&int(1)).over(&near.plus(&int(1)), work)?;
    let square = t.times(&t, work).scaled(work);
    let (mut sum, mut power, mut i) = (t.clone(), t, 1);
    loop {
        power = power.times(&square, work).scaled(work);
        i += 2;
        let term = power.over(&int(i), work)?;
        if term.is_zero() {
            break;
        }
        sum = sum.plus(&term);
    }
    Some(sum.times(&int(2).power(n_roots + 1, 0)?, work))
}

fn pi(work: usize) -> Option<Num> {
    // Machin's formula.
    let part = |factor: i64, of: i64| -> Option<Num> {
        let (square, mut sum, mut i) = (int(of * of), Num::default(), 1);
        let mut power = int(factor).over(&int(of), work)?;
        while !power.is_zero() {
            let term = power.over(&int(i), work)?;
            sum = if i % 4 == 1 { sum.plus(&term) } else { sum.minus(&term) };
            power = power.over(&square, work)?;
            i += 2;
        }
        Some(sum)
    };
    Some(part(16, 5)?.minus(&part(4, 239)?))
}

fn sine(x: &Num, work: usize) -> Option<Num> {
    let turn = pi(work)?.times(&int(2), work);
    let turns = x.over(&turn, 0)?;
    let x = x.minus(&turns.times(&turn, work)).scaled(work);
    let square = x.times(&x, work).scaled(work);
    let (mut sum, mut term, mut i) = (x.clone(), x, 1);
    while !term.is_zero() {
        term = term.times(&square, work).over(&int((i + 1) * (i + 2)), work)?.negated();
        sum = sum.plus(&term);
        i += 2;
    }
    Some(sum)
}

fn arctangent(x: &Num, work: usize) -> Option<Num> {
    let one = int(1);
    let (mut small, mut n_halved) = (x.scaled(work), 0);
    let limit = Num::parse("0.1", 10);
    while is_over(&small, &limit) || is_over(&limit.negated(), &small) {
        let below = one.plus(&one.plus(&small.times(&small, work)).root(work)?);
        small = small.over(&below, work)?;
        n_halved += 1;
    }
    let square = small.times(&small, work).scaled(work);
    let (mut sum, mut power, mut i) = (small.clone(), small, 1);
    while !power.is_zero() {
        power = power.times(&square, work).scaled(work).negated();
        i += 2;
        sum = sum.plus(&power.over(&int(i), work)?);
    }
    Some(sum.times(&int(2).power(n_halved, 0)?, work))
}

fn bessel(n: i64, x: &Num, work: usize) -> Option<Num> {
    let order = n.abs();
    let half = x.over(&int(2), work)?;
    let square = half.times(&half, work).scaled(work);
    let mut term = int(1);
    for i in 1..=order.min(1000) {
        term = term.times(&half, work).over(&int(i), work)?;
    }
    let (mut sum, mut i) = (term.clone(), 0);
    while !term.is_zero() {
        i += 1;
        term = term.times(&square, work).over(&int(i * (i + order)), work)?.negated();
        sum = sum.plus(&term);
    }
    Some(if n < 0 && n % 2 != 0 { sum.negated() } else { sum })
}
