//! sed's machine: lines through the commands. Models process_files.

use super::subst::substitute;
use super::{Command, Script};
use crate::regex::Regex;
use crate::shell::applets::common::Cx;
use crate::shell::bytes::to_text;
use crate::shell::sys::stdio::{Lines, Out};
use crate::shell::{Fd, OpenHow};
use std::rc::Rc;

/// A place lines are written to; a missing newline is made up before the next line.
struct Output {
    needs_newline: bool,
    out: Option<Out>,
}

pub(super) struct Run {
    script: Script,
    hold: Vec<u8>,
    previous: Option<Rc<Regex>>,
    appends: Vec<Vec<u8>>,
    files: Vec<Output>,
    main_needs_newline: bool,
    /// Output of `-i`, instead of stdout.
    collected: Option<Vec<u8>>,
}

/// Lines of several files, with the next one read ahead: `$` needs to know.
struct Input {
    files: std::vec::IntoIter<String>,
    lines: Option<(Lines, Fd)>,
    next: Option<(Vec<u8>, bool)>,
}

/// What becomes of a line after a command.
enum Next {
    Go,
    Jump(usize),
    /// Ends the cycle and prints.
    Print,
    /// Ends the cycle without printing.
    Discard,
    Restart,
    Quit,
}

struct Cycle {
    space: Vec<u8>,
    /// The line had its newline.
    ended: bool,
    number: i64,
    substituted: bool,
}

type Done<T> = Result<T, String>;

impl Run {
    pub(super) fn new(script: Script) -> Run {
        Run {
            script,
            hold: Vec::new(),
            previous: None,
            appends: Vec::new(),
            files: Vec::new(),
            main_needs_newline: false,
            collected: None,
        }
    }

    pub(super) async fn open_outputs(&mut self, cx: &mut Cx) -> Done<()> {
        for path in self.script.files.clone() {
            let out = match cx.sys.open(&path, OpenHow::WRITE).await {
                Ok(fd) => Out::new(&cx.sys, fd),
                Err(errno) => return Err(format!("can't open '{path}': {}", errno.text())),
            };
            self.files.push(Output { needs_newline: false, out: Some(out) });
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self, cx: &mut Cx) {
        cx.out.flush().await;
        for file in &mut self.files {
            if let Some(out) = &mut file.out {
                out.flush().await;
            }
        }
    }

    /// Before a file of `-i`.
    pub(super) fn start_file(&mut self) {
        self.collected = Some(Vec::new());
        self.main_needs_newline = false;
        for command in &mut self.script.commands {
            command.begin_line = command.begin_line_orig;
            command.in_match = false;
        }
    }

    pub(super) fn take_output(&mut self) -> Vec<u8> {
        self.collected.take().unwrap_or_default()
    }

    pub(super) async fn process(&mut self, cx: &mut Cx, files: Vec<String>) -> Done<()> {
        let mut input = Input { files: files.into_iter(), lines: None, next: None };
        input.advance(cx).await;
        let mut number = 0;
        while let Some((space, ended)) = input.next.take() {
            input.advance(cx).await;
            number += 1;
            let mut cycle = Cycle { space, ended, number, substituted: false };
            let last = self.cycle(cx, &mut cycle, &mut input).await?;
            number = cycle.number;
            if !matches!(last, Next::Discard) && !self.script.quiet {
                self.put(cx, &cycle.space, cycle.ended).await;
            }
            self.flush_appends(cx).await;
            if matches!(last, Next::Quit) || cx.out.failed().is_some() {
                break;
            }
        }
        Ok(())
    }

    async fn cycle(&mut self, cx: &mut Cx, cycle: &mut Cycle, input: &mut Input) -> Done<Next> {
        let mut at = 0;
        while at < self.script.commands.len() {
            cx.sys.tick().await;
            let selected = self.selects(at, cycle, input.next.is_none())?;
            let letter = self.script.commands[at].letter;
            if letter == b'{' {
                at = if selected { at + 1 } else { self.block_end(at)? + 1 };
                continue;
            }
            if !selected {
                at += 1;
                continue;
            }
            let command = self.script.commands[at].clone();
            if let Some(regex) = &command.begin_match {
                self.previous = Some(Rc::clone(regex));
            }
            match self.command(cx, &command, cycle, input).await? {
                Next::Go => at += 1,
                Next::Jump(to) => at = to,
                Next::Restart => at = 0,
                end => return Ok(end),
            }
        }
        Ok(Next::Print)
    }

    fn block_end(&self, open: usize) -> Done<usize> {
        let mut depth = 0;
        for (i, command) in self.script.commands.iter().enumerate().skip(open) {
            match command.letter {
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(i);
                    }
                }
                _ => {}
            }
        }
        Err("unterminated {".to_owned())
    }

    /// Whether the command is for this line; keeps ranges going.
    fn selects(&mut self, at: usize, cycle: &Cycle, last: bool) -> Done<bool> {
        let is_match = |regex: &Option<Rc<Regex>>| match regex {
            Some(regex) => regex.is_match(&cycle.space).map_err(|_| too_many()),
            None => Ok(false),
        };
        let Some(command) = self.script.commands.get_mut(at) else { return Ok(false) };
        let was_in = command.in_match;
        if !was_in {
            command.end_line = command.end_line_orig;
        }
        let has_end = command.end_line != 0 || command.end_match.is_some();
        let no_address = command.begin_line == 0 && command.begin_match.is_none() && !has_end;
        let by_number = command.begin_line > 0
            && match has_end {
                true => command.begin_line <= cycle.number,
                false => command.begin_line == cycle.number,
            };
        let by_match = !was_in && !no_address && is_match(&command.begin_match)?;
        if by_match {
            self.previous = command.begin_match.clone();
        }
        let matched =
            was_in || no_address || by_number || by_match || (command.begin_line == -1 && last);
        command.in_match = matched;
        if matched {
            if command.end_line <= -2 {
                command.end_line = cycle.number + (-command.end_line - 2);
            }
            // A range that began at a line number never begins again.
            if command.begin_line > 0 {
                command.begin_line = -2;
            }
            let over = match command.end_line {
                0 => command.end_match.is_none(),
                -1 => last,
                end => end <= cycle.number,
            };
            let closed = over || (was_in && is_match(&command.end_match)?);
            command.in_match = !closed;
        }
        Ok(matched != command.invert)
    }

    async fn command(
        &mut self,
        cx: &mut Cx,
        command: &Command,
        cycle: &mut Cycle,
        input: &mut Input,
    ) -> Done<Next> {
        match command.letter {
            b'=' => self.put(cx, cycle.number.to_string().as_bytes(), true).await,
            b'P' => {
                let end = cycle.space.iter().position(|b| *b == b'\n');
                let line = cycle.space[..end.unwrap_or(cycle.space.len())].to_vec();
                self.put(cx, &line, true).await;
            }
            b'p' => self.put(cx, &cycle.space, true).await,
            b'D' => {
                let Some(end) = cycle.space.iter().position(|b| *b == b'\n') else {
                    return Ok(Next::Discard);
                };
                cycle.space.drain(..=end);
                return Ok(Next::Restart);
            }
            b'd' => return Ok(Next::Discard),
            b's' => self.substitution(cx, command, cycle).await?,
            b'a' => self.appends.push(command.text.clone()),
            b'i' => self.put(cx, &command.text, true).await,
            b'c' => {
                // Only at the end of a range.
                if !command.in_match {
                    self.put(cx, &command.text, true).await;
                }
                return Ok(Next::Discard);
            }
            b'r' => self.append_file(cx, &command.text).await,
            b'w' => self.put_file(command.file, &cycle.space, cycle.ended).await,
            b'n' | b'N' => return self.next_line(cx, command.letter, cycle, input).await,
            b'q' => return Ok(Next::Quit),
            b't' | b'T' | b'b' => {
                let skip = match command.letter {
                    b't' => !std::mem::take(&mut cycle.substituted),
                    b'T' => cycle.substituted,
                    _ => false,
                };
                if !skip {
                    return self.jump(&command.text);
                }
            }
            b'y' => transliterate(&mut cycle.space, &command.text),
            _ => self.hold_command(command.letter, cycle),
        }
        Ok(Next::Go)
    }

    async fn append_file(&mut self, cx: &mut Cx, path: &[u8]) {
        let data = cx.sys.read_file(&to_text(path)).await.unwrap_or_default();
        let body = data.strip_suffix(b"\n").unwrap_or(&data);
        if !data.is_empty() {
            self.appends.extend(body.split(|b| *b == b'\n').map(<[u8]>::to_vec));
        }
    }

    fn hold_command(&mut self, letter: u8, cycle: &mut Cycle) {
        match letter {
            b'g' => cycle.space = self.hold.clone(),
            b'G' => {
                cycle.space.push(b'\n');
                cycle.space.extend_from_slice(&self.hold);
                cycle.ended = true;
            }
            b'h' => self.hold = cycle.space.clone(),
            b'H' => {
                self.hold.push(b'\n');
                self.hold.extend_from_slice(&cycle.space);
            }
            b'x' => {
                std::mem::swap(&mut self.hold, &mut cycle.space);
                cycle.ended = true;
            }
            _ => {}
        }
    }

    fn jump(&self, label: &[u8]) -> Done<Next> {
        if label.is_empty() {
            return Ok(Next::Print);
        }
        let target = |command: &Command| command.letter == b':' && command.text == label;
        match self.script.commands.iter().position(target) {
            Some(at) => Ok(Next::Jump(at)),
            None => Err(format!("can't find label for jump to '{}'", to_text(label))),
        }
    }

    async fn next_line(
        &mut self,
        cx: &mut Cx,
        letter: u8,
        cycle: &mut Cycle,
        input: &mut Input,
    ) -> Done<Next> {
        if letter == b'n' && !self.script.quiet {
            self.put(cx, &cycle.space, cycle.ended).await;
        }
        let Some((line, ended)) = input.next.take() else {
            return Ok(if letter == b'n' { Next::Discard } else { Next::Print });
        };
        if letter == b'n' {
            cycle.space = line;
            cycle.substituted = false;
        } else {
            cycle.space.push(b'\n');
            cycle.space.extend_from_slice(&line);
        }
        cycle.ended = ended;
        cycle.number += 1;
        self.flush_appends(cx).await;
        input.advance(cx).await;
        Ok(Next::Go)
    }

    async fn substitution(
        &mut self,
        cx: &mut Cx,
        command: &Command,
        cycle: &mut Cycle,
    ) -> Done<()> {
        let regex = command.regex.clone().or_else(|| self.previous.clone());
        let Some(regex) = regex else { return Err("no previous regexp".to_owned()) };
        let changed = substitute(command, &regex, &cycle.space).map_err(|_| too_many())?;
        self.previous = Some(regex);
        let Some(changed) = changed else { return Ok(()) };
        cycle.space = changed;
        cycle.substituted = true;
        if command.print {
            self.put(cx, &cycle.space, cycle.ended).await;
        }
        if command.file.is_some() {
            self.put_file(command.file, &cycle.space, cycle.ended).await;
        }
        Ok(())
    }

    /// A line of output; `ended` says whether it gets its newline now.
    async fn put(&mut self, cx: &mut Cx, line: &[u8], ended: bool) {
        let mut text = Vec::with_capacity(line.len() + 2);
        if std::mem::replace(&mut self.main_needs_newline, !ended) {
            text.push(b'\n');
        }
        text.extend_from_slice(line);
        if ended {
            text.push(b'\n');
        }
        match &mut self.collected {
            Some(collected) => collected.extend_from_slice(&text),
            None => cx.put(&text).await,
        }
    }

    async fn put_file(&mut self, file: Option<usize>, line: &[u8], ended: bool) {
        let Some(file) = file.and_then(|idx| self.files.get_mut(idx)) else { return };
        let Some(out) = &mut file.out else { return };
        if std::mem::replace(&mut file.needs_newline, !ended) {
            out.put(b"\n").await;
        }
        out.put(line).await;
        if ended {
            out.put(b"\n").await;
        }
    }

    async fn flush_appends(&mut self, cx: &mut Cx) {
        for line in std::mem::take(&mut self.appends) {
            self.put(cx, &line, true).await;
        }
    }
}

/// `pairs` is from, to, from, to, ...
fn transliterate(space: &mut [u8], pairs: &[u8]) {
    for byte in space {
        if let Some(pair) = pairs.chunks_exact(2).find(|pair| pair[0] == *byte) {
            *byte = pair[1];
        }
    }
}

fn too_many() -> String {
    "Memory exhausted".to_owned()
}

impl Input {
    async fn advance(&mut self, cx: &mut Cx) {
        loop {
            if let Some((lines, fd)) = &mut self.lines {
                match lines.next().await {
                    Ok(Some(mut line)) => {
                        let ended = line.last() == Some(&b'\n');
                        if ended {
                            line.pop();
                        }
                        self.next = Some((line, ended));
                        return;
                    }
                    Err(crate::shell::Errno::Intr) => continue,
                    _ => {
                        let fd = *fd;
                        cx.close_input(fd);
                        self.lines = None;
                    }
                }
            }
            let Some(path) = self.files.next() else { return };
            let opened = match path.as_str() {
                "-" => Ok(0),
                path => cx.sys.open(path, OpenHow::READ).await,
            };
            match opened {
                Ok(fd) => self.lines = Some((cx.lines(fd), fd)),
                Err(errno) => cx.fail_on(&path, errno).await,
            }
        }
    }
}
