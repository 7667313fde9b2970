//! `xargs`: words of standard input as arguments, one command after the other or several at
//! once. Models findutils/xargs.c.

use super::Answer;
use super::common::{Cx, Opts, number};
use super::run::wait;
use crate::shell::bytes::to_text;
use crate::shell::{Errno, OpenHow, Pid, WaitFor, WaitStatus};

/// Bytes of arguments in one command, as busybox's default.
const SIZE_MAX: usize = 32 * 1024;

/// Cuts input into words: quotes and backslashes, lines for `-I`, NULs for `-0`.
struct Words {
    end: Option<u8>,
    word: Vec<u8>,
    begun: bool,
    quote: Option<u8>,
    escaped: bool,
}

impl Words {
    fn byte(&mut self, byte: u8) -> Option<String> {
        if let Some(end) = self.end {
            if byte != end {
                self.begun = true;
                self.word.push(byte);
                return None;
            }
            // Empty lines are no words, empty parts between NULs are.
            return (self.begun || end == 0).then(|| self.take());
        }
        if std::mem::take(&mut self.escaped) {
            self.word.push(byte);
            return None;
        }
        match (self.quote, byte) {
            (Some(quote), byte) if byte == quote => self.quote = None,
            (Some(_), byte) => self.word.push(byte),
            (None, b'\\') => (self.escaped, self.begun) = (true, true),
            (None, b'\'' | b'"') => (self.quote, self.begun) = (Some(byte), true),
            (None, byte) if byte.is_ascii_whitespace() => return self.begun.then(|| self.take()),
            (None, byte) => {
                self.begun = true;
                self.word.push(byte);
            }
        }
        None
    }

    fn take(&mut self) -> String {
        self.begun = false;
        to_text(&std::mem::take(&mut self.word))
    }
}

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

struct Xargs {
    command: Vec<String>,
    replace: Option<String>,
    at_most: usize,
    /// Bytes of arguments in one command line, beyond those that are fixed.
    size_max: usize,
    trace: bool,
    parallel: usize,
    running: Vec<Pid>,
    code: i32,
    /// A command came to an end that stops everything.
    stop: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let opts = cx.opts("+trn:s:e::E:0I:i::P:a:x!op", "no-run-if-empty=r null=0").await?;
    let mut command = opts.rest.clone();
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let mark =
        |letter| opts.value(letter).filter(|text| !text.is_empty()).unwrap_or("{}").to_owned();
    let replace = opts.last_of("Ii").map(mark);
    let mut counts = [usize::MAX, 1, SIZE_MAX];
    for (i, letter) in ['n', 'P', 's'].into_iter().enumerate() {
        let Some(text) = opts.value(letter) else { continue };
        match number::digits(text) {
            Some(n) => counts[i] = n as usize,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        }
    }
    let fixed: usize = command.iter().map(|arg| arg.len() + 1).sum();
    let mut xargs = Xargs {
        size_max: counts[2].min(SIZE_MAX).saturating_sub(fixed),
        command,
        at_most: if replace.is_some() { 1 } else { counts[0].max(1) },
        replace,
        trace: opts.has('t'),
        parallel: if counts[1] == 0 { 100 } else { counts[1] },
        running: Vec::new(),
        code: 0,
        stop: false,
    };
    let input = match opts.value('a') {
        None => 0,
        Some(path) => match cx.sys.open(path, OpenHow::READ).await {
            Ok(fd) => fd,
            Err(errno) => {
                cx.fail_on(&format!("can't open '{path}'"), errno).await;
                return Ok(1);
            }
        },
    };
    xargs.feed(cx, &opts, input).await?;
    while !xargs.running.is_empty() {
        xargs.reap(cx).await;
    }
    Ok(xargs.code)
}

impl Xargs {
    async fn feed(&mut self, cx: &mut Cx, opts: &Opts, input: u32) -> Result<(), i32> {
        let end = match () {
            () if opts.has('0') => Some(0),
            () if self.replace.is_some() => Some(b'\n'),
            () => None,
        };
        let mut words = Words { end, word: Vec::new(), begun: false, quote: None, escaped: false };
        let end_word = opts.last_of("eE").and_then(|l| opts.value(l)).filter(|w| !w.is_empty());
        let mut batch: Vec<String> = Vec::new();
        let (mut size, mut ran, mut over) = (0, false, false);
        while !over && !self.stop {
            let mut data = match cx.sys.read(input, 4096).await {
                Ok(data) => data,
                Err(Errno::Intr) => continue,
                Err(_) => Vec::new(),
            };
            if data.is_empty() {
                over = true;
                if words.quote.is_some() {
                    let kind = if words.quote == Some(b'\'') { "single" } else { "double" };
                    return Err(cx.die(&format!("unmatched {kind} quote")).await);
                }
                if words.begun {
                    data.push(words.end.unwrap_or(b'\n'));
                }
            }
            for byte in data {
                let Some(word) = words.byte(byte) else { continue };
                if Some(word.as_str()) == end_word {
                    over = true;
                    break;
                }
                if self.replace.is_some() && word.trim_start_matches(is_blank).is_empty() {
                    continue;
                }
                if size + word.len() + 1 > self.size_max {
                    if batch.is_empty() {
                        return Err(cx.die("argument line too long").await);
                    }
                    (ran, size) = (true, 0);
                    self.one(cx, std::mem::take(&mut batch)).await;
                }
                size += word.len() + 1;
                batch.push(word);
                if batch.len() >= self.at_most {
                    (ran, size) = (true, 0);
                    self.one(cx, std::mem::take(&mut batch)).await;
                }
                if self.stop {
                    break;
                }
            }
        }
        let empty_run = !ran && !opts.has('r') && self.replace.is_none();
        if !self.stop && (!batch.is_empty() || empty_run) {
            self.one(cx, batch).await;
        }
        Ok(())
    }

    async fn one(&mut self, cx: &mut Cx, batch: Vec<String>) {
        let argv: Vec<String> = match (&self.replace, batch.first()) {
            (Some(mark), Some(word)) => {
                let word = word.trim_start_matches(is_blank);
                self.command.iter().map(|arg| arg.replace(mark, word)).collect()
            }
            _ => self.command.iter().cloned().chain(batch).collect(),
        };
        if self.trace {
            cx.err(&(argv.join(" ") + "\n")).await;
        }
        let name = argv.first().cloned().unwrap_or_default();
        let shown = name.clone();
        while self.running.len() >= self.parallel {
            self.reap(cx).await;
        }
        if self.stop {
            return;
        }
        if let Err(errno) = cx.sys.find_in_path(&name) {
            cx.fail_on(&name, errno).await;
            self.code = if errno == Errno::NoEnt { 127 } else { 126 };
            self.stop = true;
            return;
        }
        let started = cx.sys.spawn(argv, move |_, errno| {
            format!("xargs: {shown}: {}\n", errno.text()).into_bytes()
        });
        match started {
            Ok(pid) if self.parallel > 1 => self.running.push(pid),
            Ok(pid) => {
                let status = wait(&cx.sys, pid).await;
                self.ended(cx, &name, status).await;
            }
            Err(errno) => {
                cx.fail_on("vfork", errno).await;
                self.stop = true;
                self.code = 1;
            }
        }
    }

    async fn reap(&mut self, cx: &mut Cx) {
        match cx.sys.wait(WaitFor::Any).await {
            Ok((pid, status)) => {
                self.running.retain(|running| *running != pid);
                let name = self.command.first().cloned().unwrap_or_default();
                self.ended(cx, &name, status).await;
            }
            Err(Errno::Intr) => {}
            Err(_) => self.running.clear(),
        }
    }

    async fn ended(&mut self, cx: &mut Cx, name: &str, status: WaitStatus) {
        match status {
            WaitStatus::Exited(0) => {}
            WaitStatus::Exited(255) => {
                cx.fail(&format!("{name}: exited with status 255; aborting")).await;
                (self.code, self.stop) = (124, true);
            }
            WaitStatus::Exited(code @ (126 | 127)) => (self.code, self.stop) = (code, true),
            WaitStatus::Exited(_) => self.code = 123,
            WaitStatus::Signaled(signal) | WaitStatus::Stopped(signal) => {
                cx.fail(&format!("'{name}' terminated by signal {}", signal.0)).await;
                (self.code, self.stop) = (125, true);
            }
        }
    }
}
