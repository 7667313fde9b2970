//! `podlab simulate`: runs a manifest, or a recorded scenario, and prints what happened.

use super::recording;
use crate::check::{self, check};
use crate::diagnostic::Severity;
use crate::kubectl;
use crate::sim::{Scenario, Simulation};
use crate::text::LineIndex;
use crate::time::SimTime;
use crate::trace::{End, Timeline, text};
use std::process::ExitCode;

const USAGE: &str = "\
usage: podlab simulate FILE [--for SECS] [--seed N] [--do 'AT ACTION']... [--format trace|json]
       podlab simulate FILE --kubectl 'AT COMMAND'... [--for SECS] [--seed N] [--do 'AT ACTION']...
       podlab simulate --scenario FILE.json
FILE is YAML of any number of documents (- for standard input); ACTION is kubectl's words, as
'10 delete pod/web' or '10 apply edited.yaml'. Simulates 60 seconds where --for does not say.
 --kubectl prints what a kubectl command prints at that second, as '20 get pods -o wide', instead of
 the run; one that changes the cluster changes the run from there on. A second beyond --for makes
 the run as long. With --format json each answer is an object a line: t, kubectl, exit, stdout,
 stderr.";

/// Interpreter steps between two looks at the clock of the whole run.
const SLICE_STEPS: u64 = 5_000_000;

struct Options {
    manifest: String,
    path: String,
    secs: u64,
    seed: u64,
    started_unix_secs: Option<i64>,
    namespace: String,
    actions: Vec<(SimTime, String)>,
    json: bool,
    recorded: bool,
    commands: Vec<(SimTime, String)>,
}

pub(super) fn run(args: &[String]) -> ExitCode {
    let options = match parse(args) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("podlab simulate: {problem}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let checked = check(&options.manifest);
    let index = LineIndex::new(&options.manifest);
    let mut refused = false;
    for found in checked.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        refused = true;
        let at = index.line_col(&options.manifest, found.span.start);
        eprintln!("{}:{}:{}: error: {}", options.path, at.line, at.column, found.message);
    }
    if !options.commands.is_empty() {
        return kubectl(&options, &checked);
    }
    let timeline = simulate(&options, &checked);
    if options.json {
        let recorded = recording::render(&timeline, options.secs);
        say!("{recorded}");
    } else {
        put!("{}", text::render(&timeline, &options.manifest));
    }
    if let Some(End::Stopped { sentence }) = &timeline.end {
        eprintln!("podlab simulate: {sentence}");
    }
    if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn scenario(options: &Options, checked: &crate::check::Checked) -> Scenario {
    let fresh = Scenario::new(checked.accepted());
    let is_patch = |(_, action): &(SimTime, String)| {
        action.strip_prefix("kubectl ").unwrap_or(action).starts_with("patch ")
    };
    let (patches, actions): (Vec<_>, Vec<_>) = options.actions.iter().cloned().partition(is_patch);
    let mut made = Scenario {
        namespace: options.namespace.clone(),
        actions,
        review: Some(check::review),
        seed: options.seed,
        // The recorded cluster makes no volumes by itself.
        storage_class: fresh.storage_class.clone().filter(|_| !options.recorded),
        started_unix_secs: options.started_unix_secs.unwrap_or(fresh.started_unix_secs),
        ..fresh
    };
    // What a patch comes to depends on what is there by then.
    for (at, line) in patches {
        eprint!("{}", kubectl::run_at(&mut made, at, &line).err);
    }
    made
}

/// What each command prints at its second; the exit code is the last one's.
fn kubectl(options: &Options, checked: &crate::check::Checked) -> ExitCode {
    let mut scenario = scenario(options, checked);
    let (mut exit, mut files) = (0, kubectl::Files::new());
    for (at, line) in &options.commands {
        let said = kubectl::run_among(&mut scenario, *at, line, &mut files);
        exit = said.exit;
        if options.json {
            let at = at.as_millis() as f64 / 1000.0;
            say!(
                "{}",
                serde_json::json!({"t": at, "kubectl": line, "exit": exit, "stdout": said.out,
                    "stderr": said.err})
            );
            continue;
        }
        put!("{}", said.out);
        eprint!("{}", said.err);
    }
    ExitCode::from(exit.clamp(0, 255) as u8)
}

fn simulate(options: &Options, checked: &crate::check::Checked) -> Timeline {
    let mut simulation = Simulation::new(scenario(options, checked));
    let until = SimTime::from_secs(options.secs);
    let mut timeline = Timeline::default();
    while timeline.end.is_none() {
        let slice = simulation.advance(until, SLICE_STEPS);
        timeline.extend(slice.events, slice.now);
        timeline.end = slice.end;
    }
    timeline
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        manifest: String::new(),
        path: String::new(),
        secs: 60,
        seed: 1,
        started_unix_secs: None,
        namespace: "default".to_owned(),
        actions: Vec::new(),
        json: false,
        recorded: false,
        commands: Vec::new(),
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().cloned().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--for" => options.secs = number(&value()?)?,
            "--seed" => options.seed = number(&value()?)?,
            "--do" => options.actions.push(with_manifest(action(&value()?)?)),
            "--kubectl" => options.commands.push(action(&value()?)?),
            "--format" => options.json = value()? == "json",
            "--scenario" => read_scenario(&value()?, &mut options)?,
            flag if flag.starts_with("--") => return Err(format!("unknown flag {flag}")),
            path => {
                options.manifest = read(path)?;
                options.path = path.to_owned();
            }
        }
    }
    if options.path.is_empty() {
        return Err("no manifest given".to_owned());
    }
    options.actions.sort_by_key(|(at, _)| *at);
    options.commands.sort_by_key(|(at, _)| *at);
    Ok(options)
}

fn read(path: &str) -> Result<String, String> {
    let bytes = match path {
        "-" => {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes).map(|_| bytes)
        }
        _ => std::fs::read(path),
    };
    let bytes = bytes.map_err(|e| format!("{path}: {e}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number"))
}

fn action(text: &str) -> Result<(SimTime, String), String> {
    let (at, what) = text.split_once(' ').ok_or(format!("{text:?} is not 'SECONDS ACTION'"))?;
    Ok((seconds(number::<f64>(at)?), what.to_owned()))
}

/// `apply FILE` carries the file's text with it; a file that can't be read is the run's to tell of.
fn with_manifest((at, what): (SimTime, String)) -> (SimTime, String) {
    let file = what.strip_prefix("kubectl ").unwrap_or(&what).strip_prefix("apply ");
    let file = file.map(|rest| rest.trim().trim_start_matches("-f ").trim());
    match file.and_then(|file| read(file).ok()) {
        Some(text) => (at, format!("{what}\n{text}")),
        None => (at, what),
    }
}

fn seconds(secs: f64) -> SimTime {
    SimTime::from_millis((secs.max(0.0) * 1000.0) as u64)
}

/// A recorded scenario: `manifest`, `secs`, `actions`, `started`; its answers are not looked at.
fn read_scenario(path: &str, options: &mut Options) -> Result<(), String> {
    let wrong = |what: &str| format!("{path}: {what}");
    let file: serde_json::Value =
        serde_json::from_str(&read(path)?).map_err(|e| wrong(&e.to_string()))?;
    options.path = path.to_owned();
    (options.json, options.recorded) = (true, true);
    options.manifest = file["manifest"].as_str().ok_or(wrong("no manifest"))?.to_owned();
    options.secs = file["secs"].as_f64().unwrap_or(60.0) as u64;
    options.namespace = file["name"].as_str().unwrap_or("default").to_owned();
    options.started_unix_secs = file["started"].as_str().and_then(unix_secs);
    for one in file["actions"].as_array().into_iter().flatten() {
        let what = one["do"].as_str().unwrap_or_default().to_owned();
        options.actions.push((seconds(one["t"].as_f64().unwrap_or_default()), what));
    }
    Ok(())
}

/// `2026-11-20T19:11:47+00:00` (always UTC here) as seconds since 1970.
fn unix_secs(stamp: &str) -> Option<i64> {
    let number = |from: usize, to: usize| stamp.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days from a civil date, counting years from March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719_469;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    #[test]
    fn stamps_become_unix_seconds() {
        for (stamp, secs) in [
            ("1970-01-01T00:00:00+00:00", Some(0)),
            ("2026-11-20T19:11:47+00:00", Some(1_795_201_907)),
            ("2024-02-29T12:00:00+00:00", Some(1_709_208_000)),
            ("yesterday", None),
        ] {
            assert_eq!(super::unix_secs(stamp), secs, "{stamp}");
        }
    }
}
