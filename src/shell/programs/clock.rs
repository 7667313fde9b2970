//! The date of a log line, in UTC.

use crate::shell::Sys;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month from 1, day, hour, minute, second, millisecond.
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: usize,
    pub(super) day: i64,
    pub(super) clock: String,
    pub(super) millis: i64,
}

pub(super) fn now(sys: &Sys) -> Civil {
    at(sys.wall_unix_micros())
}

fn at(micros: i64) -> Civil {
    let secs = micros.div_euclid(1_000_000);
    let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    let (year, month, day) = date(days);
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    Civil { year, month, day, clock, millis: micros.rem_euclid(1_000_000) / 1_000 }
}

/// Days since 1970 to a date: eras of 400 years that begin in March, so that leap days are last.
fn date(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as usize, day)
}

/// `02 Mar 2026 09:00:03.123`
pub(super) fn redis(sys: &Sys) -> String {
    let at = now(sys);
    let month = MONTHS.get(at.month.wrapping_sub(1)).unwrap_or(&"Jan");
    format!("{:02} {month} {} {}.{:03}", at.day, at.year, at.clock, at.millis)
}

/// `2026/03/02 09:00:03`
pub(super) fn socat(sys: &Sys) -> String {
    let at = now(sys);
    format!("{}/{:02}/{:02} {}", at.year, at.month, at.day, at.clock)
}

/// `02/Mar/2026:09:00:03 +0000`
pub(super) fn common_log(sys: &Sys) -> String {
    let at = now(sys);
    format!("{:02}/{}/{}:{} +0000", at.day, month(&at), at.year, at.clock)
}

/// `Mar  2 09:00:03`
pub(super) fn syslog(sys: &Sys) -> String {
    let at = now(sys);
    format!("{} {:2} {}", month(&at), at.day, at.clock)
}

/// `2026-03-02T09:00:03`, without zone.
pub(super) fn iso(sys: &Sys) -> String {
    iso_at(sys.wall_unix_micros())
}

/// The same of microseconds since 1970.
pub(super) fn iso_at(micros: i64) -> String {
    let at = at(micros);
    format!("{}-{:02}-{:02}T{}", at.year, at.month, at.day, at.clock)
}

/// `Mon, 02 Mar 2026 09:00:03 GMT`
pub(super) fn http(sys: &Sys) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let at = now(sys);
    let days = sys.wall_unix_micros().div_euclid(86_400_000_000).rem_euclid(7);
    let day = DAYS.get(days as usize).unwrap_or(&"Thu");
    format!("{day}, {:02} {} {} {} GMT", at.day, month(&at), at.year, at.clock)
}

fn month(at: &Civil) -> &'static str {
    MONTHS.get(at.month.wrapping_sub(1)).copied().unwrap_or("Jan")
}
