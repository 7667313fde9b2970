//! `awk`: the program runs in a machine of its own; this drives it over files, pipes and commands.
//! Each print is passed on at once, as busybox does. Models editors/awk.c.

mod builtins;
mod calls;
mod code;
mod compile;
mod control;
mod expr;
mod lex;
mod ops;
mod record;
mod streams;
mod value;
mod vm;

#[cfg(test)]
mod tests;

use super::Answer;
use super::common::{Cx, escape::unescape};
use crate::shell::bytes::{to_bytes, to_text};
use code::{ARGC, ARGV, ENVIRON, FILENAME, FNR, FS, NR, RS, Ref};
use streams::{MainInput, Streams};
use value::Value;
use vm::{Cell, Machine, Need};

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+F:v:f:e:W:", "").await?;
    let mut source = Vec::new();
    let mut rest = opts.rest.clone();
    let mut program_name = "cmd. line".to_owned();
    for (letter, value) in opts.each() {
        match letter {
            'f' => {
                let read = match value {
                    "-" => cx.sys.read_all(0).await,
                    _ => cx.sys.read_file(value).await,
                };
                let Ok(text) = read else {
                    let errno = crate::shell::Errno::NoEnt;
                    cx.fail_on(&format!("can't open '{value}'"), errno).await;
                    return Ok(1);
                };
                source.extend_from_slice(&text);
                program_name = value.to_owned();
            }
            'e' => source.extend_from_slice(&to_bytes(value)),
            _ => continue,
        }
        source.push(b'\n');
    }
    if !opts.has('f') && !opts.has('e') {
        if rest.is_empty() {
            return Err(cx.usage().await);
        }
        source = to_bytes(&rest.remove(0));
    }
    let (code, lines) = match compile::compile(&source) {
        Ok(compiled) => compiled,
        Err((line, message)) => {
            return Err(cx.die(&format!("{program_name}:{line}: {message}")).await);
        }
    };
    let mut machine = Machine::new(code);
    if let Some(separator) = opts.value('F') {
        // `-Ft` is a tab, for POSIX's sake.
        let text = if separator == "t" { b"\t".to_vec() } else { unescape(&to_bytes(separator)) };
        machine.globals[FS] = Cell::Value(Value::text(&text));
    }
    for assignment in opts.values('v') {
        if !assign(&mut machine, assignment) {
            return Err(cx.usage().await);
        }
    }
    set_up(cx, &mut machine, &rest);
    let mut driver = Driver {
        machine,
        streams: Streams::default(),
        main: MainInput::default(),
        lines,
        program_name,
        n_looks: 0,
    };
    driver.whole(cx).await
}

/// `name=value` with escapes; false if it is not that.
fn assign(machine: &mut Machine, text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else { return false };
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !good {
        return false;
    }
    let value = Value::input(&unescape(&to_bytes(value)));
    if let Some(idx) = machine.code.globals.iter().position(|known| known == name) {
        machine.globals[idx] = Cell::Value(value);
    }
    true
}

fn set_up(cx: &Cx, machine: &mut Machine, rest: &[String]) {
    machine.now_unix = cx.sys.wall_unix_micros().div_euclid(1_000_000);
    machine.rng = cx.sys.random(u64::MAX);
    let arguments = machine.array(Ref::Global(ARGV));
    arguments.borrow_mut().set(b"0", Value::text(b"awk"));
    for (i, arg) in rest.iter().enumerate() {
        let key = (i + 1).to_string();
        arguments.borrow_mut().set(key.as_bytes(), Value::input(&to_bytes(arg)));
    }
    for slot in [code::NF, NR, FNR, code::RSTART] {
        machine.set_number(slot, 0.0);
    }
    machine.set_number(ARGC, rest.len() as f64 + 1.0);
    let environment = machine.array(Ref::Global(ENVIRON));
    for (name, value) in cx.sys.env().iter() {
        environment.borrow_mut().set(&to_bytes(name), Value::input(&to_bytes(value)));
    }
}

struct Driver {
    machine: Machine,
    streams: Streams,
    main: MainInput,
    lines: Vec<u32>,
    program_name: String,
    n_looks: u32,
}

/// How a stretch of the program ended.
enum Ended {
    Done,
    NextFile,
    Exit,
    Failed,
}

impl Driver {
    async fn whole(&mut self, cx: &mut Cx) -> Answer {
        let code = std::rc::Rc::clone(&self.machine.code);
        let mut ended = Ended::Done;
        if let Some(entry) = code.begin {
            ended = self.stretch(cx, entry).await;
        }
        let reads = code.main.is_some() || code.end.is_some();
        while matches!(ended, Ended::Done | Ended::NextFile) && reads {
            if matches!(ended, Ended::NextFile) {
                self.main.skip_file(cx);
            }
            let Ok(Some(line)) = self.main_line(cx).await else { break };
            self.machine.record.set(&line);
            for slot in [NR, FNR] {
                let n = self.machine.special_number(slot);
                self.machine.set_number(slot, n + 1.0);
            }
            self.look_at_memory(cx);
            if let Some(entry) = code.main {
                ended = self.stretch(cx, entry).await;
            }
        }
        if let (Some(entry), false) = (code.end, matches!(ended, Ended::Failed)) {
            ended = self.stretch(cx, entry).await;
        }
        cx.out.flush().await;
        self.streams.close_all(cx).await;
        if matches!(ended, Ended::Failed) {
            return Ok(1);
        }
        let code = self.machine.exit_code;
        Ok(if code == 0 { cx.status } else { code })
    }

    /// Now and then counts what variables and arrays keep.
    fn look_at_memory(&mut self, cx: &Cx) {
        /// Ticks and records between two looks.
        const EVERY: u32 = 64;
        /// Less is part of what awk is taken to need, in bytes.
        const HELD_MIN: u64 = 256 << 10;
        self.n_looks = self.n_looks.wrapping_add(1);
        let held = if self.n_looks.is_multiple_of(EVERY) { self.machine.held() } else { 0 };
        if held > HELD_MIN {
            cx.sys.hold(held);
        }
    }

    /// Runs from an entry to its end.
    async fn stretch(&mut self, cx: &mut Cx, entry: usize) -> Ended {
        self.machine.start(entry);
        loop {
            match self.machine.run() {
                Need::Tick => {
                    self.look_at_memory(cx);
                    cx.sys.tick().await;
                }
                Need::MainLine => {
                    let line = self.main_line(cx).await;
                    self.machine.got_line(line);
                }
                Need::Line { from, name } => {
                    cx.out.flush().await;
                    let separator = self.machine.special(RS);
                    let patterns = &mut self.machine.patterns;
                    let line = self.streams.line(cx, from, &name, &separator, patterns).await;
                    self.machine.got_line(line);
                }
                Need::Write { dest, name, data } => {
                    if let Err(message) = self.streams.write(cx, dest, &name, &data).await {
                        cx.fail(&message).await;
                        return Ended::Failed;
                    }
                }
                Need::System(command) => {
                    cx.out.flush().await;
                    let status = streams::system(cx, &to_text(&command)).await;
                    self.machine.push(Value::Number(f64::from(status)));
                }
                Need::Close(name) => {
                    let status = self.streams.close(cx, &name).await;
                    self.machine.push(Value::Number(f64::from(status)));
                }
                Need::Flush => {
                    self.streams.flush(cx).await;
                    self.machine.push(Value::Number(0.0));
                }
                Need::Next | Need::End => return Ended::Done,
                Need::NextFile => return Ended::NextFile,
                Need::Exit => return Ended::Exit,
                Need::Failed(message) => {
                    cx.out.flush().await;
                    let line =
                        self.lines.get(self.machine.at.wrapping_sub(1)).copied().unwrap_or(1);
                    cx.fail(&format!("{}:{line}: {message}", self.program_name)).await;
                    return Ended::Failed;
                }
            }
        }
    }

    /// The next record of the files in ARGV, assignments among them carried out on the way.
    async fn main_line(&mut self, cx: &mut Cx) -> Result<Option<Vec<u8>>, ()> {
        loop {
            let separator = self.machine.special(RS);
            if let Some(line) = self.main.next(cx, &separator, &mut self.machine.patterns).await {
                return Ok(Some(line));
            }
            let n = self.machine.special_number(ARGC) as usize;
            let arguments = self.machine.array(Ref::Global(ARGV));
            let mut opened = false;
            while self.main.argument + 1 < n && !opened {
                self.main.argument += 1;
                let key = self.main.argument.to_string();
                if !arguments.borrow().has(key.as_bytes()) {
                    continue;
                }
                let arg = to_text(&arguments.borrow_mut().get(key.as_bytes()).bytes(b"%.6g"));
                if arg.is_empty() || assign(&mut self.machine, &arg) {
                    continue;
                }
                self.main.used_file = true;
                opened = self.main.open(cx, &arg).await;
                self.machine.globals[FILENAME] = Cell::Value(Value::input(&to_bytes(&arg)));
                self.machine.set_number(FNR, 0.0);
            }
            if opened {
                continue;
            }
            if self.main.used_file {
                return Ok(None);
            }
            self.main.used_file = true;
            self.main.open(cx, "-").await;
        }
    }
}
