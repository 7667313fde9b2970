//! Patterns against the names of files.

use super::pattern::{Ch, Pattern};
use crate::order::Order;
use crate::shell::{FileType, Sys};

/// More matches than this are not looked for.
const MATCHES_MAX: usize = 10_000;

/// The paths a field matches, sorted; none when it is no pattern or nothing matches.
pub(super) fn glob(sys: &Sys, field: &[Ch]) -> Vec<String> {
    if !Pattern::new(field).is_magic() {
        return Vec::new();
    }
    let mut parts: Vec<&[Ch]> = field.split(|ch| ch.c == '/').collect();
    let absolute = field.first().is_some_and(|ch| ch.c == '/');
    let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
    if absolute {
        parts.remove(0);
    }
    let n_parts = parts.len();
    for (i, part) in parts.into_iter().enumerate() {
        let pattern = Pattern::new(part);
        found = match pattern.is_magic() {
            true => found.iter().flat_map(|dir| in_dir(sys, dir, &pattern)).collect(),
            false => {
                let name = pattern.plain();
                found.iter().map(|dir| format!("{dir}{name}")).collect()
            }
        };
        found.truncate(MATCHES_MAX);
        if i + 1 < n_parts {
            found.retain(|path| path.is_empty() || is_dir(sys, path));
            for path in &mut found {
                path.push('/');
            }
        } else if !pattern.is_magic() {
            found.retain(|path| sys.lstat(path).is_ok());
        }
    }
    found.order();
    found
}

fn is_dir(sys: &Sys, path: &str) -> bool {
    sys.stat(path).is_ok_and(|stat| stat.file_type == FileType::Dir)
}

fn in_dir(sys: &Sys, dir: &str, pattern: &Pattern) -> Vec<String> {
    let mut names = sys.readdir(if dir.is_empty() { "." } else { dir }).unwrap_or_default();
    if pattern.starts_with_dot() {
        names.extend([".".to_owned(), "..".to_owned()]);
    }
    let fits = |name: &String| {
        (pattern.starts_with_dot() || !name.starts_with('.'))
            && pattern.matches(&name.chars().collect::<Vec<_>>())
    };
    names.into_iter().filter(fits).map(|name| format!("{dir}{name}")).collect()
}
