//! Times of objects: reading their stamps, telling how long ago they were, writing them out.

use super::human_duration;
use crate::time::SimTime;

/// Milliseconds since 1970 of `2026-11-20T19:32:36Z`, fractions included.
pub(super) fn millis(stamp: &str) -> Option<i64> {
    let number = |from: usize, to: usize| stamp.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let thousandths = match stamp.get(19..20) {
        Some(".") => number(20, 23)?,
        _ => 0,
    };
    // Days from a civil date, counting years from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60_000 + second * 1_000 + thousandths)
}

/// How long before `now` (milliseconds since 1970) a stamp was, as `12s`.
pub(super) fn since(stamp: &str, now: i64) -> String {
    match millis(stamp) {
        Some(at) => human_duration(SimTime::from_millis((now - at).max(0) as u64)),
        None => "<unknown>".to_owned(),
    }
}

/// The time between two stamps.
pub(super) fn between(from: &str, to: &str) -> String {
    match millis(to) {
        Some(to) => since(from, to),
        None => String::new(),
    }
}

/// RFC 1123 with a numeric zone, as `describe` writes times: `Fri, 20 Nov 2026 19:32:36 +0000`.
pub(super) fn written(stamp: &str) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Some(at) = millis(stamp) else {
        return "Mon, 01 Jan 0001 00:00:00 +0000".to_owned();
    };
    let weekday = DAYS[at.div_euclid(86_400_000).rem_euclid(7) as usize];
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or("");
    let month = part(5, 7).parse::<usize>().unwrap_or(1).clamp(1, 12);
    let (year, time) = (part(0, 4), part(11, 19));
    format!("{weekday}, {} {} {year} {time} +0000", part(8, 10), MONTHS[month - 1])
}

/// Seconds of a Go duration such as `1h5m10.5s`, in milliseconds.
pub(super) fn duration(text: &str) -> Option<u64> {
    let (mut rest, mut total) = (text, 0u64);
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, more) = after.split_at(unit_end);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let tenths = fraction.get(..1).and_then(|d| d.parse::<u64>().ok()).unwrap_or(0);
        let whole: u64 = whole.parse().ok()?;
        total = total.checked_add(whole.checked_mul(millis)?)?.checked_add(tenths * millis / 10)?;
        rest = more;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_and_written() {
        assert_eq!(millis("2026-11-20T19:11:47Z"), Some(1_795_201_907_000));
        assert_eq!(millis("2026-11-20T19:11:47.250000Z"), Some(1_795_201_907_250));
        assert_eq!(millis("soon"), None);
        assert_eq!(written("2026-11-20T19:32:36Z"), "Fri, 20 Nov 2026 19:32:36 +0000");
        assert_eq!(written("2026-01-05T09:00:00Z"), "Mon, 05 Jan 2026 09:00:00 +0000");
        assert_eq!(since("2026-11-20T19:11:47Z", 1_795_201_919_900), "12s");
        let durations = [("10s", Some(10_000)), ("1h5m", Some(3_900_000)), ("1.5s", Some(1_500))];
        for (text, millis) in durations.into_iter().chain([("5", None), ("", None), ("s", None)]) {
            assert_eq!(duration(text), millis, "{text}");
        }
    }
}
