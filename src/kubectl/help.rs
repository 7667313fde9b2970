//! What kubectl says of itself: a group of commands named alone, `--help`. The texts are kubectl's.

use super::{Said, words};

/// `=== NAME out|err EXIT` before each text.
const GROUPS: &str = include_str!("groups.txt");
/// Verb, what it does, how it is written: between tabs.
const VERBS: &str = include_str!("help.txt");

/// What a group of commands says that is named alone.
pub(super) fn alone(group: &str) -> Option<Said> {
    let mut all = GROUPS.split("=== ").filter_map(|one| one.split_once('\n'));
    let (head, text) = all.find(|(head, _)| head.split(' ').next() == Some(group))?;
    let exit = head.rsplit(' ').next().and_then(|code| code.parse().ok()).unwrap_or(0);
    let text = text.to_owned();
    Some(match head.contains(" err ") {
        true => Said { err: text, exit, ..Said::default() },
        false => Said { out: text, exit, ..Said::default() },
    })
}

/// `VERB --help`, shortened: what it does, its flags by name, and how it is written.
pub(super) fn of(verb: &str, flags: &'static str) -> Said {
    let mut rows = VERBS.lines().map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
    let row = rows.find(|row| row.first() == Some(&verb)).unwrap_or_default();
    let what = row.get(1).copied().unwrap_or_default();
    let usage = row.get(2).copied().unwrap_or(verb);
    let names: String = words::names(flags).map(|(name, _)| format!("    --{name}\n")).collect();
    let options = if names.is_empty() { String::new() } else { format!("Options:\n{names}\n") };
    Said::printed(format!("{what}\n\n{options}Usage:\n  {usage}\n"))
}
