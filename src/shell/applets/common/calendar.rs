//! Dates: seconds since 1970 to and from year, month, day; `strftime`. Time zone is UTC, or the
//! fixed offset of a POSIX `TZ`.

/// A broken-down time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Civil {
    pub(crate) fn from_unix(seconds: i64) -> Civil {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let mp = (5 * of_year + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Civil {
            year: year + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * mp + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// Seconds since 1970; fields out of range carry over as `mktime` does.
    pub(crate) fn to_unix(self) -> i64 {
        let months = self.year * 12 + self.month - 1;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let days = days_from(year, month, 1) + self.day - 1;
        days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// 0 is Sunday.
    pub(crate) fn weekday(self) -> i64 {
        (days_from(self.year, self.month, self.day) + 4).rem_euclid(7)
    }

    /// 1 is the first of January.
    pub(crate) fn day_of_year(self) -> i64 {
        days_from(self.year, self.month, self.day) - days_from(self.year, 1, 1) + 1
    }

    /// Year and week as ISO 8601 counts them.
    fn iso_week(self) -> (i64, i64) {
        let weekday = (self.weekday() + 6) % 7;
        let thursday = Civil { day: self.day + 3 - weekday, hour: 12, ..self };
        let thursday = Civil::from_unix(thursday.to_unix());
        (thursday.year, (thursday.day_of_year() - 1) / 7 + 1)
    }
}

/// A zone: its name and seconds east of Greenwich.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) name: String,
    pub(crate) east: i64,
}

impl Zone {
    /// The zone of a `TZ` value such as `UTC`, `CET-1` or `<+03>-3`; daylight saving rules and
    /// names of a zone database (which the images do not have) are UTC, as the C library does.
    pub(crate) fn parse(tz: &str) -> Zone {
        let utc = Zone { name: "UTC".to_owned(), east: 0 };
        let (name, rest) = match tz.strip_prefix('<').and_then(|t| t.split_once('>')) {
            Some(pair) => pair,
            None => {
                let end = tz.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tz.len());
                tz.split_at(end)
            }
        };
        if name.len() < 3 || rest.starts_with('/') {
            let known = tz.is_empty() || name.len() < 3;
            return if known { utc } else { Zone { name: name.to_owned(), east: 0 } };
        }
        let sign = if rest.starts_with('-') { 1 } else { -1 };
        let digits = rest.trim_start_matches(['-', '+']);
        let end = digits.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(digits.len());
        let mut parts = digits[..end].split(':').map(|p| p.parse::<i64>().unwrap_or(0));
        let hours = parts.next().unwrap_or(0);
        let minutes = parts.next().unwrap_or(0);
        Zone { name: name.to_owned(), east: sign * (hours * 3600 + minutes * 60) }
    }
}

/// `strftime` in the C locale.
pub(crate) fn strftime(format: &[u8], unix: i64, zone: &Zone) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut depth_left = 4096;
    while let Some(&byte) = format.get(at) {
        at += 1;
        depth_left -= 1;
        let Some(&letter) = format.get(at).filter(|_| byte == b'%' && depth_left > 0) else {
            out.push(byte);
            continue;
        };
        at += 1;
        // glibc's flags: `-` no padding, `_` spaces, `0` zeros.
        let (flag, letter) = match (letter, format.get(at)) {
            (b'-' | b'_' | b'0' | b'^' | b'#', Some(&next)) => {
                at += 1;
                (letter, next)
            }
            _ => (0, letter),
        };
        let text = conversion(letter, flag, unix, zone);
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn padded(value: i64, width: usize, pad: char, flag: u8) -> String {
    let pad = match flag {
        b'-' => return value.to_string(),
        b'_' => ' ',
        b'0' => '0',
        _ => pad,
    };
    match pad {
        ' ' => format!("{value:width$}"),
        _ => format!("{value:0width$}"),
    }
}

fn conversion(letter: u8, flag: u8, unix: i64, zone: &Zone) -> String {
    let t = Civil::from_unix(unix + zone.east);
    let two = |value: i64| padded(value, 2, '0', flag);
    let hour12 = (t.hour + 11) % 12 + 1;
    let name = |names: &[&'static str], idx: i64| names.get(idx as usize).copied().unwrap_or("?");
    let again = |format: &str| {
        String::from_utf8_lossy(&strftime(format.as_bytes(), unix, zone)).into_owned()
    };
    let text = match letter {
        b'a' => name(&DAYS, t.weekday())[..3].to_owned(),
        b'A' => name(&DAYS, t.weekday()).to_owned(),
        b'b' | b'h' => name(&MONTHS, t.month - 1)[..3].to_owned(),
        b'B' => name(&MONTHS, t.month - 1).to_owned(),
        b'c' => again("%a %b %e %H:%M:%S %Y"),
        b'C' => two(t.year.div_euclid(100)),
        b'd' => two(t.day),
        b'D' | b'x' => again("%m/%d/%y"),
        b'e' => padded(t.day, 2, ' ', flag),
        b'F' => again("%Y-%m-%d"),
        b'g' => two(t.iso_week().0.rem_euclid(100)),
        b'G' => t.iso_week().0.to_string(),
        b'H' => two(t.hour),
        b'I' => two(hour12),
        b'j' => padded(t.day_of_year(), 3, '0', flag),
        b'k' => padded(t.hour, 2, ' ', flag),
        b'l' => padded(hour12, 2, ' ', flag),
        b'm' => two(t.month),
        b'M' => two(t.minute),
        b'n' => "\n".to_owned(),
        b'p' => if t.hour < 12 { "AM" } else { "PM" }.to_owned(),
        b'P' => if t.hour < 12 { "am" } else { "pm" }.to_owned(),
        b'r' => again("%I:%M:%S %p"),
        b'R' => again("%H:%M"),
        b's' => unix.to_string(),
        b'S' => two(t.second),
        b't' => "\t".to_owned(),
        b'T' | b'X' => again("%H:%M:%S"),
        b'u' => ((t.weekday() + 6) % 7 + 1).to_string(),
        b'U' => two((t.day_of_year() + 6 - t.weekday()) / 7),
        b'V' => two(t.iso_week().1),
        b'w' => t.weekday().to_string(),
        b'W' => two((t.day_of_year() + 6 - (t.weekday() + 6) % 7) / 7),
        b'y' => two(t.year.rem_euclid(100)),
        b'Y' => t.year.to_string(),
        b'z' => {
            let sign = if zone.east < 0 { '-' } else { '+' };
            let minutes = zone.east.abs() / 60;
            format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
        b'Z' => zone.name.clone(),
        b'%' => "%".to_owned(),
        other => format!("%{}", char::from(other)),
    };
    if flag == b'^' { text.to_ascii_uppercase() } else { text }
}
