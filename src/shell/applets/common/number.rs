//! Numbers in arguments, as busybox's xatou and its suffix tables read them.

/// `k`, `m`, `g` and busybox's other multipliers, for `head -c`, `tail`, `dd`, `truncate`.
const SUFFIXES: &[(&str, u64)] = &[
    ("c", 1),
    ("w", 2),
    ("b", 512),
    ("kD", 1000),
    ("kB", 1000),
    ("KB", 1000),
    ("k", 1024),
    ("K", 1024),
    ("MB", 1_000_000),
    ("M", 1 << 20),
    ("m", 1 << 20),
    ("GB", 1_000_000_000),
    ("G", 1 << 30),
    ("g", 1 << 30),
    ("T", 1 << 40),
];

/// Digits alone.
pub(crate) fn digits(text: &str) -> Option<u64> {
    let only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    only.then(|| text.parse().ok()).flatten()
}

/// Digits with an optional suffix (`10k`).
pub(crate) fn with_suffix(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = digits(&text[..end])?;
    let suffix = &text[end..];
    if suffix.is_empty() {
        return Some(number);
    }
    let factor = SUFFIXES.iter().find(|(name, _)| *name == suffix)?.1;
    number.checked_mul(factor)
}

/// Seconds as `sleep` and `timeout` take them: `1.5`, `2m`, `1h`, `1d`, in microseconds.
pub(crate) fn duration_micros(text: &str) -> Option<u64> {
    let (number, unit) = match text.as_bytes().last()? {
        b's' => (&text[..text.len() - 1], 1.0),
        b'm' => (&text[..text.len() - 1], 60.0),
        b'h' => (&text[..text.len() - 1], 3600.0),
        b'd' => (&text[..text.len() - 1], 86400.0),
        _ => (text, 1.0),
    };
    let seconds = crate::text::number::parse(number)?;
    if seconds.is_nan() || seconds < 0.0 || number.starts_with('-') {
        return None;
    }
    Some((seconds * unit * 1e6) as u64)
}

/// A size for people: `1.5K`, `12M`, as `ls -h` and `df -h` print it.
pub(crate) fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < 6 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        return bytes.to_string();
    }
    // One decimal below ten thousand tenths, as busybox's make_human_readable_str rounds.
    let letter = ["", "K", "M", "G", "T", "P", "E"][unit];
    format!("{value:.1}{letter}")
}
