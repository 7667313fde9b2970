//! The programs of images, run in pods: `tests/programs/*.yaml` with what each container logs and
//! how it ends in the `.log` beside it. `UPDATE_EXPECT=1` writes those anew.

use podlab::check::check;
use podlab::sim::{Scenario, Simulation};
use podlab::time::SimTime;
use podlab::trace::{Event, Subject, What};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Lines by container, in order: its log, its ends, what was not simulated.
fn logs(manifest: &str) -> String {
    let first = manifest.lines().find_map(|line| line.strip_prefix("# for: "));
    let until = SimTime::from_secs(first.map_or(30, |secs| secs.parse().expect("seconds")));
    let mut scenario = Scenario::new(check(manifest).accepted());
    scenario.seed = 1;
    for line in manifest.lines() {
        if let Some((at, action)) =
            line.strip_prefix("# at: ").and_then(|rest| rest.split_once(' '))
        {
            let at = SimTime::from_secs(at.parse().expect("seconds"));
            scenario.actions.push((at, action.to_owned()));
        }
    }
    let mut simulation = Simulation::new(scenario);
    let mut by_container: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let slice = simulation.advance(until, 1_000_000);
        for event in &slice.events {
            if let Some((name, line)) = line(event) {
                let text = by_container.entry(name).or_default();
                text.push_str(&line);
                text.push('\n');
            }
        }
        if slice.end.is_some() {
            break;
        }
    }
    by_container.iter().map(|(name, text)| format!("== {name}\n{text}")).collect()
}

fn line(event: &Event) -> Option<(String, String)> {
    let Subject::Container { pod, container } = &event.subject else { return None };
    let line = match &event.what {
        What::Log { stderr, line } => format!("{} {line}", if *stderr { '!' } else { '|' }),
        What::Exited { code, signal, oom } => {
            let signal = signal.as_ref().map_or(String::new(), |s| format!(" by {s}"));
            format!("exits {code}{signal}{}", if *oom { ", out of memory" } else { "" })
        }
        What::NotSimulated { what } => format!("not simulated: {what}"),
        What::Limit { sentence } => format!("limit: {sentence}"),
        _ => return None,
    };
    Some((format!("{pod}/{container}"), line.trim_end().to_owned()))
}

#[test]
fn containers_log_what_is_written_down() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let only = std::env::var("ONLY").unwrap_or_default();
    let entries = fs::read_dir(dir).expect("tests/programs");
    let mut paths: Vec<_> = entries.map(|e| e.expect("entry").path()).collect();
    paths.sort();
    let mut problems = Vec::new();
    for path in paths.iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")) {
        if !path.to_string_lossy().contains(&only) {
            continue;
        }
        let got = logs(&fs::read_to_string(path).expect("readable"));
        let golden = path.with_extension("log");
        if update {
            fs::write(&golden, &got).expect("writable");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if let Some(difference) = difference(&expected, &got) {
            problems.push(format!("{}: {difference}", golden.display()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn difference(expected: &str, got: &str) -> Option<String> {
    let (left, right): (Vec<_>, Vec<_>) = (expected.lines().collect(), got.lines().collect());
    let at = (0..left.len().max(right.len())).find(|i| left.get(*i) != right.get(*i))?;
    let show = |lines: &[&str]| lines.get(at).map_or("nothing".to_owned(), ToString::to_string);
    Some(format!("line {}:\n  expected {}\n  got      {}", at + 1, show(&left), show(&right)))
}

#[test]
fn a_log_that_differs_is_told() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    assert!(difference("a\n", "a\nb\n").is_some_and(|d| d.contains("nothing")));
    assert!(logs("").is_empty());
}
