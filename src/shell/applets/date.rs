//! `date`: shows the virtual clock. Models coreutils/date.c and libbb/time.c parse_datestr.

use super::Answer;
use super::common::Cx;
use super::common::calendar::{Civil, MONTHS, Zone, strftime};
use crate::shell::bytes::to_bytes;

const LONGS: &str = "rfc-822=R rfc-2822=R set=s utc=u date=d reference=r iso-8601=I";
/// What `-d` understands, as strptime formats.
const FORMATS: [&str; 13] = [
    "%R",
    "%T",
    "%m.%d-%R",
    "%m.%d-%T",
    "%Y.%m.%d-%R",
    "%Y.%m.%d-%T",
    "%b %d %T %Y",
    "%Y-%m-%d %R",
    "%Y-%m-%d %T",
    "%Y-%m-%d %R %z",
    "%Y-%m-%d %T %z",
    "%Y-%m-%d %H",
    "%Y-%m-%d",
];

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("Rs:ud:r:I::D:", LONGS).await?;
    let zone = match opts.has('u') {
        true => Zone::parse("UTC0"),
        false => Zone::parse(&cx.sys.getenv("TZ").unwrap_or_default()),
    };
    let iso = match opts.value('I') {
        None => None,
        Some("") => Some(0),
        Some(word) => {
            let known = ["date", "hours", "minutes", "seconds", "ns"];
            match known.iter().position(|name| name.starts_with(word)) {
                Some(idx) => Some(idx),
                None => return Err(cx.usage().await),
            }
        }
    };
    let mut rest = opts.rest.iter();
    let mut next = rest.next();
    let format = next.and_then(|arg| arg.strip_prefix('+')).map(str::to_owned);
    if format.is_some() {
        next = rest.next();
    }
    let setting = opts.value('s').or(next.map(String::as_str));
    if opts.has('D') && opts.value('D') != Some("%s") {
        return Err(cx.not_simulated("-D").await);
    }
    let mut unix = cx.sys.wall_unix_micros().div_euclid(1_000_000);
    if let Some(path) = opts.value('r') {
        unix = match cx.sys.stat(path) {
            Ok(stat) => stat.mtime.div_euclid(1_000_000),
            Err(errno) => {
                cx.fail_on(&format!("can't stat '{path}'"), errno).await;
                return Ok(1);
            }
        };
    }
    if let Some(text) = opts.value('d').or(setting) {
        let parsed = match opts.value('D') {
            Some(_) => text.parse().ok(),
            None => parse(text, unix, &zone),
        };
        let Some(when) = parsed else {
            return Err(cx.die(&format!("invalid date '{text}'")).await);
        };
        unix = when;
        if opts.value('d').is_none() {
            cx.err("date: can't set date: Operation not permitted\n").await;
        }
    }
    let mut out = match (format, iso) {
        (Some(format), _) => strftime(&to_bytes(&format), unix, &zone),
        (None, Some(idx)) => iso_text(idx, unix, &zone).into_bytes(),
        (None, None) if opts.has('R') => strftime(b"%a, %d %b %Y %H:%M:%S %z", unix, &zone),
        (None, None) => strftime(b"%a %b %e %H:%M:%S %Z %Y", unix, &zone),
    };
    out.push(b'\n');
    cx.put(&out).await;
    Ok(0)
}

fn iso_text(idx: usize, unix: i64, zone: &Zone) -> String {
    let format = ["%Y-%m-%d", "%Y-%m-%dT%H", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let text = |f: &str| String::from_utf8_lossy(&strftime(f.as_bytes(), unix, zone)).into_owned();
    let mut out = text(format[idx.min(3)]);
    if idx == 4 {
        out.push_str(",000000000");
    }
    if idx > 0 {
        let offset = text("%z");
        out.push_str(&offset[..3]);
        out.push(':');
        out.push_str(&offset[3..]);
    }
    out
}

/// Unix seconds of a date text; what it does not say is today's, at midnight.
pub(super) fn parse(text: &str, now: i64, zone: &Zone) -> Option<i64> {
    let today = Civil::from_unix(now + zone.east);
    parse_from(text, Civil { hour: 0, minute: 0, second: 0, ..today }, zone)
}

/// As `touch` does: what the text does not say is as it is now.
pub(super) fn parse_now(text: &str, now: i64, zone: &Zone) -> Option<i64> {
    parse_from(text, Civil::from_unix(now + zone.east), zone)
}

fn parse_from(text: &str, start: Civil, zone: &Zone) -> Option<i64> {
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    for format in FORMATS {
        if let Some((civil, offset)) = strptime(text.as_bytes(), format.as_bytes(), start) {
            return Some(civil.to_unix() - offset.unwrap_or(zone.east));
        }
    }
    compact(text, start).map(|civil| civil.to_unix() - zone.east)
}

/// `[[CC]YY]MMDDhhmm[.ss]`
fn compact(text: &str, today: Civil) -> Option<Civil> {
    let (digits, second) = match text.split_once('.') {
        Some((digits, second)) if second.len() == 2 => (digits, second.parse().ok()?),
        Some(_) => return None,
        None => (text, 0),
    };
    if !digits.bytes().all(|b| b.is_ascii_digit()) || !matches!(digits.len(), 8 | 10 | 12) {
        return None;
    }
    let (year, rest) = digits.split_at(digits.len() - 8);
    let part = |at: usize| rest[at..at + 2].parse::<i64>().ok();
    let year = match year.len() {
        0 => today.year,
        2 => year.parse::<i64>().ok().map(|y| if y < 69 { 2000 + y } else { 1900 + y })?,
        _ => year.parse().ok()?,
    };
    let civil =
        Civil { year, month: part(0)?, day: part(2)?, hour: part(4)?, minute: part(6)?, second };
    in_range(civil).then_some(civil)
}

fn in_range(t: Civil) -> bool {
    (1..=12).contains(&t.month)
        && (1..=31).contains(&t.day)
        && (0..24).contains(&t.hour)
        && (0..60).contains(&t.minute)
        && (0..=60).contains(&t.second)
}

/// The part of strptime that [`FORMATS`] needs; the whole text must be used up.
fn strptime(text: &[u8], format: &[u8], start: Civil) -> Option<(Civil, Option<i64>)> {
    let format = String::from_utf8_lossy(format).replace("%R", "%H:%M").replace("%T", "%H:%M:%S");
    let mut scan = Scan { text, at: 0 };
    let mut t = start;
    let mut offset = None;
    let mut letters = format.bytes();
    while let Some(letter) = letters.next() {
        match letter {
            b' ' => scan.blanks(),
            b'%' => match letters.next()? {
                b'Y' => t.year = scan.number(4)?,
                b'm' => t.month = scan.number(2)?,
                b'd' => t.day = scan.number(2)?,
                b'H' => t.hour = scan.number(2)?,
                b'M' => t.minute = scan.number(2)?,
                b'S' => t.second = scan.number(2)?,
                b'b' => t.month = scan.month()?,
                b'z' => offset = Some(scan.offset()?),
                _ => return None,
            },
            other => scan.byte(other)?,
        }
    }
    (scan.at == text.len() && in_range(t)).then_some((t, offset))
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn byte(&mut self, byte: u8) -> Option<()> {
        let here = self.text.get(self.at) == Some(&byte);
        self.at += 1;
        here.then_some(())
    }

    fn number(&mut self, most: usize) -> Option<i64> {
        self.blanks();
        let digits = self.text.get(self.at..)?.iter().take(most);
        let n = digits.take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.text[self.at..self.at + n]).ok()?;
        self.at += n;
        text.parse().ok()
    }

    fn month(&mut self) -> Option<i64> {
        let rest = self.text.get(self.at..)?;
        for (i, name) in MONTHS.iter().enumerate() {
            for length in [name.len(), 3] {
                let here = rest.get(..length);
                if here.is_some_and(|h| h.eq_ignore_ascii_case(&name.as_bytes()[..length])) {
                    self.at += length;
                    return Some(i as i64 + 1);
                }
            }
        }
        None
    }

    fn offset(&mut self) -> Option<i64> {
        self.blanks();
        let sign = match self.text.get(self.at)? {
            b'Z' => {
                self.at += 1;
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        let hours = self.number(2)?;
        if self.text.get(self.at) == Some(&b':') {
            self.at += 1;
        }
        let minutes = self.number(2).unwrap_or(0);
        Some(sign * (hours * 3600 + minutes * 60))
    }
}
