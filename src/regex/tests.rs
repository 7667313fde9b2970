//! Table of patterns and what they match, and the property that nothing panics or runs on.

use super::*;
use proptest::prelude::*;

fn options(flags: &str) -> Options {
    let flavor = match flags {
        f if f.contains('F') => Flavor::Fixed,
        f if f.contains('E') => Flavor::Extended,
        _ => Flavor::Basic,
    };
    Options { flavor, ignore_case: flags.contains('i'), newline: flags.contains('n') }
}

/// `(0,3)(1,2)`, `-` without a match, `!message` for a refused pattern; `()` is an unset group.
fn answer(flags: &str, pattern: &str, text: &str) -> String {
    let regex = match Regex::new(pattern.as_bytes(), options(flags)) {
        Ok(regex) => regex,
        Err(error) => return format!("!{}", error.message()),
    };
    let any = regex.is_match(text.as_bytes());
    match regex.find_at(text.as_bytes(), 0) {
        Err(TooManySteps) => "too many steps".to_owned(),
        Ok(None) => {
            assert_eq!(any, Ok(false), "{pattern}");
            "-".to_owned()
        }
        Ok(Some(found)) => {
            assert_eq!(any, Ok(true), "{pattern}");
            let pair = |g: &Option<(usize, usize)>| match g {
                Some((start, end)) => format!("({start},{end})"),
                None => "()".to_owned(),
            };
            found.groups.iter().map(pair).collect()
        }
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

/// The lines of the table that do not hold.
fn wrong(table: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in table.lines().filter(|l| !l.is_empty() && !l.starts_with("# ")) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [flags, pattern, text, expected] = cells[..] else {
            found.push(format!("not four cells: {line:?}"));
            continue;
        };
        let ours = answer(flags, pattern, &unescaped(text));
        if ours != expected {
            found.push(format!("{line}\n    ours {ours}"));
        }
    }
    found
}

#[test]
fn table_holds() {
    let wrong = wrong(include_str!("table.tsv"));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_row_is_seen() {
    assert_eq!(wrong("B\ta\tba\t(0,1)").len(), 1);
    assert_eq!(wrong("B\ta\tba").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// Whatever the pattern and text, there is an answer, and a match lies inside the text.
    #[test]
    fn never_panics(
        pattern in r"[ab.*+?(){}|\\\[\]^$0-9,:w<]{0,14}",
        text in "[ab\n]{0,40}",
        extended in any::<bool>(),
        ignore_case in any::<bool>(),
    ) {
        let flavor = if extended { Flavor::Extended } else { Flavor::Basic };
        let options = Options { flavor, ignore_case, newline: !extended };
        if let Ok(regex) = Regex::new(pattern.as_bytes(), options)
            && let Ok(found) = regex.find_at(text.as_bytes(), 0)
        {
            let any = regex.is_match(text.as_bytes());
            prop_assert!(any.is_err() || any == Ok(found.is_some()));
            if let Some(found) = found {
                prop_assert!(found.start() <= found.end() && found.end() <= text.len());
            }
        }
    }
}
