//! Schedules of CronJobs, read as the server's cron library reads them, and time zones.
//! Models github.com/robfig/cron/v3 ParseStandard. Does not compute when a job runs.

use crate::check::show::quote;

/// Fields in order: lowest, highest value, names that count from the lowest.
const FIELDS: [(i64, i64, &[&str]); 5] = [
    (0, 59, &[]),
    (0, 23, &[]),
    (1, 31, &[]),
    (1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    (0, 6, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

const DESCRIPTORS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Whether a schedule can be read, or the library's objection.
pub(in crate::check) fn parse(text: &str) -> Result<(), String> {
    if text.starts_with('@') {
        return descriptor(text);
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != 5 {
        let n = fields.len();
        return Err(format!("expected exactly 5 fields, found {n}: [{}]", fields.join(" ")));
    }
    for (field, bounds) in fields.iter().zip(FIELDS) {
        for part in field.split(',').filter(|p| !p.is_empty()) {
            range(part, bounds)?;
        }
    }
    Ok(())
}

fn descriptor(text: &str) -> Result<(), String> {
    if DESCRIPTORS.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(duration) if is_duration(duration) => Ok(()),
        Some(duration) => Err(format!(
            "failed to parse duration {text}: time: invalid duration {}",
            quote(duration)
        )),
        None => Err(format!("unrecognized descriptor: {text}")),
    }
}

/// `1h30m`, `90s`.
fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let n = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let tail = &rest[n..];
        let units = ["ns", "us", "µs", "ms", "s", "m", "h"];
        let unit = units.iter().filter(|u| tail.starts_with(**u)).max_by_key(|u| u.len());
        match unit {
            Some(unit) if n > 0 => rest = &tail[unit.len()..],
            _ => return false,
        }
    }
    true
}

fn range(text: &str, (low, high, names): (i64, i64, &[&str])) -> Result<(), String> {
    let halves: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = halves[0].split('-').collect();
    let mut single = ends.len() == 1;
    let (start, mut end) = if ends[0] == "*" || ends[0] == "?" {
        single = false;
        (low, high)
    } else {
        let start = number(ends[0], low, names)?;
        let end = match ends[..] {
            [_] => start,
            [_, end] => number(end, low, names)?,
            _ => return Err(format!("too many hyphens: {text}")),
        };
        (start, end)
    };
    let step = match halves[..] {
        [_] => 1,
        [_, step] => {
            if single {
                end = high;
            }
            natural(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < low {
        return Err(format!("beginning of range ({start}) below minimum ({low}): {text}"));
    }
    if end > high {
        return Err(format!("end of range ({end}) above maximum ({high}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number(text: &str, low: i64, names: &[&str]) -> Result<i64, String> {
    match names.iter().position(|n| n.eq_ignore_ascii_case(text)) {
        Some(idx) => Ok(low + idx as i64),
        None => natural(text),
    }
}

fn natural(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(number),
        Err(_) => Err(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {}: invalid syntax",
            quote(text)
        )),
    }
}

/// How many indexes a text such as `0,3-5` names. Models validateIndexesFormat.
pub(in crate::check) fn indexes(text: &str, completions: i64) -> Result<i64, String> {
    let number = |part: &str| match part.parse::<i64>() {
        Ok(n) if n >= completions => Err(format!("too large index: {}", quote(part))),
        Ok(n) => Ok(n),
        Err(_) => Err(format!("cannot convert string to integer for index: {}", quote(part))),
    };
    let order = |last: i64, now: i64| {
        Err(format!("non-increasing order, previous: {last}, current: {now}"))
    };
    let (mut total, mut last) = (0, None);
    for part in text.split(',').filter(|_| !text.is_empty()) {
        let ends: Vec<&str> = part.split('-').collect();
        if ends.len() > 2 {
            return Err(format!(
                "the fragment {} violates the requirement that an index interval can have at most \
                 two parts separated by '-'",
                quote(part)
            ));
        }
        let from = number(ends[0])?;
        let to = ends.get(1).map_or(Ok(from), |end| number(end))?;
        if ends.len() == 2 && from >= to {
            return order(from, to);
        }
        if let Some(last) = last.filter(|last| *last >= from) {
            return order(last, from);
        }
        total += to - from + 1;
        last = Some(to);
    }
    Ok(total)
}

/// Region and its places a line; `-` for zones without a region.
const ZONES: &str = include_str!("zones.txt");

/// Objection to a time zone.
pub(in crate::check) fn zone_objection(zone: &str) -> Option<String> {
    if zone.is_empty() {
        return Some("timeZone must be nil or non-empty string".to_owned());
    }
    if zone.eq_ignore_ascii_case("local") {
        let text = "timeZone must be an explicit time zone as defined in \
                    https://www.iana.org/time-zones";
        return Some(text.to_owned());
    }
    let (region, place) = zone.split_once('/').unwrap_or(("-", zone));
    let row = ZONES.lines().find_map(|line| line.strip_prefix(region)?.strip_prefix(' '));
    let known = row.is_some_and(|places| places.split(' ').any(|known| known == place));
    (!known).then(|| format!("unknown time zone {zone}"))
}
