//! Schedules of five fields, in UTC: when the next time is. Pure.

/// Minutes, hours, days of month, months, days of week as sets of bits.
pub(crate) struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    any_day: bool,
    any_weekday: bool,
    every_secs: Option<i64>,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Looks at most five years ahead, as the library does.
const HORIZON_MINUTES: i64 = 5 * 366 * 24 * 60;

fn value(text: &str, names: &[&str], first: u64) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let named = names.iter().position(|name| *name == lower).map(|i| i as u64 + first);
    named.or_else(|| text.parse().ok())
}

/// Bits of one field.
fn field(text: &str, range: (u64, u64), names: &[&str]) -> Option<u64> {
    let mut bits = 0u64;
    for part in text.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, step.parse::<u64>().ok().filter(|s| *s > 0)?),
            None => (part, 1),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" || span == "?" => range,
            Some((from, to)) => (value(from, names, range.0)?, value(to, names, range.0)?),
            None => {
                let from = value(span, names, range.0)?;
                (from, if part.contains('/') { range.1 } else { from })
            }
        };
        if from < range.0 || to > range.1 || from > to {
            return None;
        }
        (from..=to).step_by(step as usize).for_each(|v| bits |= 1 << v);
    }
    Some(bits)
}

impl Schedule {
    // Models github.com/robfig/cron/v3 ParseStandard.
    pub(crate) fn parse(text: &str) -> Option<Schedule> {
        let plain = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let every = plain.strip_prefix("@every ").and_then(|span| {
            let unit = span.chars().last()?;
            let number: i64 = span.get(..span.len() - 1)?.parse().ok()?;
            let secs = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                _ => return None,
            };
            Some(number * secs).filter(|s| *s > 0)
        });
        let plain = if every.is_some() { "* * * * *" } else { plain };
        let parts: Vec<&str> = plain.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts.as_slice() else { return None };
        let week = field(&weekdays.replace('7', "0"), (0, 6), &DAYS)?;
        Some(Schedule {
            minutes: field(minutes, (0, 59), &[])?,
            hours: field(hours, (0, 23), &[])?,
            days: field(days, (1, 31), &[])?,
            months: field(months, (1, 12), &MONTHS)?,
            weekdays: week,
            any_day: days.starts_with(['*', '?']),
            any_weekday: weekdays.starts_with(['*', '?']),
            every_secs: every,
        })
    }

    /// The first time after `unix` seconds.
    pub(crate) fn next_after(&self, unix: i64) -> Option<i64> {
        if let Some(secs) = self.every_secs {
            return Some(unix + secs);
        }
        let mut minute = unix.div_euclid(60) + 1;
        let last = minute + HORIZON_MINUTES;
        while minute < last {
            let day = minute.div_euclid(24 * 60);
            if !self.has_day(day) {
                minute = (day + 1) * 24 * 60;
                continue;
            }
            let of_day = minute.rem_euclid(24 * 60);
            if self.hours >> (of_day / 60) & 1 == 1 && self.minutes >> (of_day % 60) & 1 == 1 {
                return Some(minute * 60);
            }
            minute += 1;
        }
        None
    }

    fn has_day(&self, day: i64) -> bool {
        let (month, of_month) = month_and_day(day);
        // 1970-01-01 was a Thursday.
        let weekday = (day + 4).rem_euclid(7);
        let by_day = self.days >> of_month & 1 == 1;
        let by_weekday = self.weekdays >> weekday & 1 == 1;
        let fits = if self.any_day || self.any_weekday {
            by_day && by_weekday
        } else {
            by_day || by_weekday
        };
        fits && self.months >> month & 1 == 1
    }
}

/// Month and day of a count of days since 1970, by the proleptic Gregorian calendar.
fn month_and_day(days: i64) -> (u32, u32) {
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (month as u32, day as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_times_of_schedules() {
        // 2026-01-05 09:00:00 UTC, a Monday.
        let monday = 1_767_603_600;
        let cases = [
            ("* * * * *", Some(60)),
            ("*/5 * * * *", Some(300)),
            ("30 9 * * *", Some(1800)),
            ("0 9 * * mon", Some(7 * 86_400)),
            ("0 0 1 2 *", Some(26 * 86_400 + 15 * 3600)),
            ("@hourly", Some(3600)),
            ("0 9 5-7/2 * *", Some(2 * 86_400)),
            ("61 * * * *", None),
            ("* * * *", None),
        ];
        for (text, expected) in cases {
            let next = Schedule::parse(text).and_then(|s| s.next_after(monday));
            assert_eq!(next.map(|n| n - monday), expected, "{text}");
        }
    }
}
