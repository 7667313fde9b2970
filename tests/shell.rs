//! Shell cases as data: `tests/shell/*.txt` hold scripts and what they print, return and when.
//! Also what no script may do: panic, run for ever, or differ from one run to the next.

use podlab::shell::kernel::{Limits, NoticeKind};
use podlab::shell::machine::{ContainerSpec, Image, Machine};
use podlab::time::SimTime;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;

/// What came of a script.
#[derive(Debug, Default, PartialEq)]
struct Ran {
    out: String,
    err: String,
    /// `None` when it had to be stopped.
    exit: Option<i32>,
    millis: u64,
    steps: u64,
}

const STEPS_MAX: u64 = 300_000;

fn run(script: &str, args: &[&str]) -> Ran {
    run_for(script, args, STEPS_MAX)
}

/// Runs with four megabytes of stack, as the page has; unoptimised code needs most of it.
fn run_for(script: &str, args: &[&str], steps: u64) -> Ran {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(4 << 20);
        let ran = thread.spawn_scoped(scope, || run_here(script, args, steps));
        ran.expect("a thread").join().expect("no panic")
    })
}

fn run_here(script: &str, args: &[&str], steps: u64) -> Ran {
    let mut machine = Machine::new(7, 1_700_000_000, Limits::default());
    let network = machine.new_network("10.0.0.9".parse().ok(), Vec::new());
    let pids = machine.new_pid_namespace(false);
    let mut argv = vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    argv.extend(args.iter().map(|arg| (*arg).to_owned()));
    let id = machine.create(&ContainerSpec {
        env: vec![
            ("PATH".to_owned(), "/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
            ("HOME".to_owned(), "/root".to_owned()),
        ],
        hostname: "box".to_owned(),
        ..ContainerSpec::plain("case", Image::busybox(), argv, (network, pids))
    });
    machine.start(id).expect("sh is in the image");
    let mut budget = steps;
    machine.run_until(SimTime::from_secs(600), &mut budget);
    let mut ran = Ran { steps: steps - budget, ..Ran::default() };
    for notice in machine.drain() {
        match notice.kind {
            NoticeKind::LogLine { stderr, line, cut } => {
                let into = if stderr { &mut ran.err } else { &mut ran.out };
                let _ = write!(into, "{line}{}", if cut { "" } else { "\n" });
            }
            NoticeKind::Exited { code, .. } => {
                ran.exit = Some(code);
                ran.millis = notice.at.as_millis();
            }
            _ => {}
        }
    }
    ran
}

/// The differences between a case's text and what really happens, in the same form.
fn differences(name: &str, script: &str, expected: &str) -> Option<String> {
    let ran = run(script, &[]);
    let mut got = ran.out;
    for line in ran.err.lines() {
        let _ = writeln!(got, "stderr: {line}");
    }
    match ran.exit {
        Some(0) => {}
        Some(code) => drop(writeln!(got, "exit: {code}")),
        None => got.push_str("never ends\n"),
    }
    let wants_time = expected.lines().find_map(|line| line.strip_prefix("about ms: "));
    if let Some(wanted) = wants_time {
        let wanted: u64 = wanted.parse().expect("a number of milliseconds");
        let near = ran.millis.abs_diff(wanted) < 60;
        let _ = writeln!(got, "about ms: {}", if near { wanted } else { ran.millis });
    }
    (got != expected).then(|| format!("== {name}\nexpected:\n{expected}got:\n{got}"))
}

/// Cases of one file: `### name`, the script, `---`, what comes of it.
fn check_text(text: &str) -> Vec<String> {
    let cases = text.split("### ").skip(1);
    let mut found = Vec::new();
    for case in cases {
        let (name, rest) = case.split_once('\n').expect("a name line");
        let (script, expected) = rest.split_once("---\n").expect("a line `---`");
        let expected = expected.trim_end_matches('\n');
        let expected = if expected.is_empty() { String::new() } else { format!("{expected}\n") };
        found.extend(differences(name, script, &expected));
    }
    found
}

#[test]
fn cases() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shell");
    let mut files: Vec<_> =
        std::fs::read_dir(dir).expect("a directory").flatten().map(|f| f.path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut found = Vec::new();
    for file in files {
        found.extend(check_text(&std::fs::read_to_string(file).expect("readable cases")));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn a_wrong_case_fails() {
    let found = check_text("### wrong\necho a\n---\nb\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("expected:\nb\ngot:\na\n"), "{}", found[0]);
}

#[test]
fn arguments_and_name() {
    let ran = run("echo \"$0 $# $2\"", &["name", "a", "b c"]);
    assert_eq!((ran.out.as_str(), ran.exit), ("name 2 b c\n", Some(0)));
}

/// Scripts that would run for ever, or take everything.
#[test]
fn nothing_runs_past_its_budget() {
    let scripts = [
        "while :; do :; done",
        ":(){ :|:& };:",
        "f() { f; }; f",
        "f() { f | f; }; f",
        "x=x; while :; do x=$x$x; done",
        "yes | cat > /dev/null",
        "while :; do echo y; done >> /tmp/f",
        "eval 'trap \"kill -USR1 $$\" USR1'; kill -USR1 $$; while :; do :; done",
        "until false; do sleep 0; done",
    ];
    for script in scripts {
        let ran = run(script, &[]);
        assert!(ran.steps <= STEPS_MAX, "{script}: {} steps", ran.steps);
        assert!(ran.out.len() + ran.err.len() < 4 << 20, "{script}: too much output");
    }
}

/// Each level of nesting is polls within polls, here as in the page.
#[test]
fn the_deepest_nesting_fits_the_stack() {
    let scripts = [
        "f() { f; }; f",
        "f() { if :; then while :; do case x in x) f $(echo y);; esac; done; fi; }; f",
        "f() { { eval '{ f; }' > /dev/null; } < /dev/null; }; f",
        "t() { trap t USR1; kill -USR1 $$; :; }; t",
    ];
    for script in scripts {
        let ran = run(script, &[]);
        assert!(ran.err.contains("within each other"), "{script}: {}", ran.err);
        assert_eq!(ran.exit, Some(139), "{script}");
    }
}

/// Long lists are not deep ones.
#[test]
fn long_lists_run_whole() {
    let body = ":; ".repeat(3000);
    let chain = "true && ".repeat(500);
    let elifs = "elif false; then :; ".repeat(60);
    let script = format!(
        "f() {{ {body} echo list; }}; f; f() {{ {chain} echo chain; }}; f; \
         if false; then :; {elifs} else echo elif; fi"
    );
    assert_eq!(run(&script, &[]).out, "list\nchain\nelif\n");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let script = "for i in 1 2 3; do (echo $RANDOM; echo x$i >&2) & done; wait; \
                  yes | head -n 2; echo $$ $RANDOM; sleep 0.5 & sleep 0.1; kill $!; wait $!";
    assert_eq!(run(script, &[]), run(script, &[]));
    assert!(run(script, &[]).out.lines().count() == 6);
}

/// Pieces of scripts, so that random texts come near the grammar.
fn any_script() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "echo ",
        "a",
        "$x",
        "${x",
        "}",
        "${x:-",
        "$(",
        ")",
        "`",
        "\"",
        "'",
        "\\",
        "\n",
        "; ",
        " && ",
        " || ",
        " | ",
        "& ",
        "if ",
        "then ",
        "else ",
        "fi ",
        "while ",
        "do ",
        "done ",
        "for i in ",
        "case x in ",
        "x) ",
        ";; ",
        "esac ",
        "{ ",
        "} ",
        "( ",
        "f() ",
        "<<E\n",
        "E\n",
        "> f ",
        "< ",
        ">& ",
        "2>&1 ",
        "$((",
        "))",
        "1+",
        "[[ ",
        "]] ",
        "* ",
        "[a-",
        "!",
        "x=",
        "#",
        "read x ",
        "set -e ",
        "trap ",
        "exit ",
        "local ",
        "eval ",
        "é",
        "\u{0}",
        "${#",
        "%%",
        "/",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_or_runs_away(script in any_script()) {
        let steps = 20_000;
        let ran = run_for(&script, &[], steps);
        prop_assert!(ran.steps <= steps);
    }

    #[test]
    fn the_parser_answers_about_any_text(script in "\\PC{0,200}") {
        if let Some((offset, message)) = podlab::shell::syntax::parse_check(&script) {
            prop_assert!(offset as usize <= script.len());
            prop_assert!(message.starts_with("syntax error: "));
        }
    }
}
