//! Stages of a test run: named, timed, counted; one that fails does not hide the next.

use crate::run::{Done, words};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
}

#[derive(Default)]
pub struct Report {
    only: Vec<String>,
    total: Count,
    lines: Vec<String>,
}

impl Report {
    /// Runs the stages named in `only`; all when it names none.
    pub fn new(only: Vec<String>) -> Self {
        Report { only, ..Report::default() }
    }

    /// Runs one stage unless others were asked for. True when it was left out or went well.
    pub fn stage(&mut self, name: &str, work: impl FnOnce() -> Done<Count>) -> bool {
        if !self.only.is_empty() && !self.only.iter().any(|n| n == name) {
            return true;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let (count, trouble) = match work() {
            Ok(count) => (count, None),
            Err(message) => (Count { passed: 0, failed: 1 }, Some(message)),
        };
        if let Some(message) = &trouble {
            println!("{message}");
        }
        self.total.passed += count.passed;
        self.total.failed += count.failed;
        let secs = started.elapsed().as_secs_f64();
        let Count { passed, failed } = count;
        self.lines.push(format!("{secs:>7.1} s  {passed:>5} passed {failed:>3} failed  {name}"));
        failed == 0
    }

    /// Prints the table and the closing line.
    pub fn close(self) -> Done {
        let Count { passed, failed } = self.total;
        println!("\n{}\n\n{passed} passed, {failed} failed", self.lines.join("\n"));
        if failed == 0 && passed > 0 { Ok(()) } else { Err(String::new()) }
    }
}

/// One check: passed when the program ends well.
pub fn once(command: Command) -> Done<Count> {
    crate::run::run(command).map(|()| Count { passed: 1, failed: 0 })
}

/// Shows a test runner's lines and adds up the counts it prints.
pub fn counted(mut command: Command) -> Done<Count> {
    let words = words(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("`{words}` did not start: {e}"))?;
    let mut count = Count::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            let more = counts(&line);
            count.passed += more.passed;
            count.failed += more.failed;
        }
    }
    let status = child.wait().map_err(|e| format!("`{words}`: {e}"))?;
    if status.success() && count.passed == 0 {
        return Err(format!("`{words}` ran no test"));
    }
    if !status.success() {
        // It may have broken off before a line with counts.
        count.failed = count.failed.max(1);
        println!("`{words}` failed ({status})");
    }
    Ok(count)
}

/// Reads cargo's `test result: ok. 3 passed; 0 failed; ...` and Node's `# pass 3`, `# fail 0`.
fn counts(line: &str) -> Count {
    let mut count = Count::default();
    let line = line.trim();
    if let Some(result) = line.strip_prefix("test result: ") {
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let number = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
            match words.next() {
                Some("passed") => count.passed = number,
                Some("failed") => count.failed = number,
                _ => {}
            }
        }
    } else if let Some(rest) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ ")) {
        let number = |word: &str| rest.strip_prefix(word).and_then(|n| n.trim().parse().ok());
        count.passed = number("pass ").unwrap_or(0);
        count.failed = number("fail ").unwrap_or(0);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{Count, Report, counts};

    #[test]
    fn reads_what_runners_print() {
        let cases = [
            (
                "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; finished in 0.3s",
                12,
                0,
            ),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2),
            ("# pass 7", 7, 0),
            ("ℹ fail 2", 0, 2),
            ("# passing by", 0, 0),
            ("a test result: ok. 5 passed", 0, 0),
        ];
        for (line, passed, failed) in cases {
            assert_eq!(counts(line), Count { passed, failed }, "{line}");
        }
    }

    #[test]
    fn a_stage_that_breaks_counts_as_failed() {
        let mut report = Report::default();
        assert!(report.stage("good", || Ok(Count { passed: 2, failed: 0 })));
        assert!(!report.stage("bad", || Err("broke".to_owned())));
        assert_eq!(report.total, Count { passed: 2, failed: 1 });
        assert!(report.close().is_err());
    }

    #[test]
    fn a_stage_not_asked_for_is_left_out() {
        let mut report = Report::new(vec!["other".to_owned()]);
        assert!(report.stage("bad", || Err("not run".to_owned())));
        assert_eq!(report.total, Count::default());
    }
}
