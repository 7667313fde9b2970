//! `envsubst`: standard input with `$NAME` and `${NAME}` filled in from the environment.

use crate::shell::Sys;
use crate::shell::bytes::{to_bytes, to_text};

pub(super) async fn run(sys: Sys, argv: Vec<String>) -> i32 {
    let input = to_text(&sys.read_all(0).await.unwrap_or_default());
    // With a list, only the names in it are filled in.
    let list = argv.get(1).map(|text| names(text));
    let mut out = String::new();
    let mut rest = input.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match name(rest) {
            Some((name, len)) if list.as_ref().is_none_or(|l| l.contains(&name)) => {
                out.push_str(&sys.getenv(name).unwrap_or_default());
                rest = &rest[len..];
            }
            _ => {
                out.push('$');
                rest = &rest[1..];
            }
        }
        sys.tick().await;
    }
    out.push_str(rest);
    let _ = sys.write(1, &to_bytes(&out)).await;
    0
}

/// The name after a `$` and the length of it all.
fn name(text: &str) -> Option<(&str, usize)> {
    let rest = text.strip_prefix('$')?;
    let (inner, extra) = rest.strip_prefix('{').map_or((rest, 1), |inner| (inner, 3));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = inner.find(|c| !is_name(c)).unwrap_or(inner.len());
    let good = end > 0 && !inner.starts_with(|c: char| c.is_ascii_digit());
    let closed = extra == 1 || inner[end..].starts_with('}');
    (good && closed).then(|| (&inner[..end], end + extra))
}

fn names(text: &str) -> Vec<&str> {
    text.match_indices('$').filter_map(|(at, _)| name(&text[at..])).map(|(name, _)| name).collect()
}
