//! Programs and what they print, without any files.

use super::compile::compile;
use super::vm::{Machine, Need};

/// What a program prints with these lines as its input; errors in brackets.
fn output(source: &str, input: &str) -> String {
    let (code, _) = match compile(source.as_bytes()) {
        Ok(compiled) => compiled,
        Err((line, message)) => return format!("[{line}: {message}]"),
    };
    let mut machine = Machine::new(code);
    let mut out = Vec::new();
    let mut lines = input.lines();
    let code = std::rc::Rc::clone(&machine.code);
    let mut exited = false;
    if let Some(entry) = code.begin {
        exited = stretch(&mut machine, entry, &mut lines, &mut out);
    }
    while !exited && (code.main.is_some() || code.end.is_some()) {
        let Some(line) = lines.next() else { break };
        machine.record.set(line.as_bytes());
        for slot in [super::NR, super::FNR] {
            let n = machine.special_number(slot);
            machine.set_number(slot, n + 1.0);
        }
        if let Some(entry) = code.main {
            exited = stretch(&mut machine, entry, &mut lines, &mut out);
        }
    }
    if let Some(entry) = code.end {
        stretch(&mut machine, entry, &mut lines, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn stretch(
    machine: &mut Machine,
    entry: usize,
    lines: &mut std::str::Lines<'_>,
    out: &mut Vec<u8>,
) -> bool {
    machine.start(entry);
    for _ in 0..100_000 {
        match machine.run() {
            Need::Write { data, .. } => out.extend_from_slice(&data),
            Need::MainLine => machine.got_line(Ok(lines.next().map(|l| l.as_bytes().to_vec()))),
            Need::Tick => {}
            Need::Exit => return true,
            Need::Failed(message) => {
                out.extend_from_slice(format!("[{message}]").as_bytes());
                return true;
            }
            Need::Next | Need::End | Need::NextFile => return false,
            _ => machine.push(super::Value::Number(0.0)),
        }
    }
    true
}

/// Rows of program, input and output that do not hold.
fn wrong(table: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<String> =
            line.split('\t').map(|cell| cell.replace("%%", "\n").replace("%T", "\t")).collect();
        let [source, input, expected] = &cells[..] else {
            found.push(format!("not three cells: {line}"));
            continue;
        };
        let ours = output(source, input);
        if ours != *expected {
            found.push(format!("{line}\n    ours {ours:?}"));
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
    assert_eq!(wrong("BEGIN{print 1}\t\t2%%").len(), 1);
}
