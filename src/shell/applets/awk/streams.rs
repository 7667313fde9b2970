//! The files, pipes and commands of a running awk program.

use super::code::{Dest, From};
use super::record::{Patterns, next_record};
use crate::shell::applets::common::Cx;
use crate::shell::bytes::to_text;
use crate::shell::{Errno, Fd, OpenHow, Pid, WaitFor, WaitStatus};
use std::collections::BTreeMap;

/// Buffered input, cut into records.
#[derive(Default)]
struct Input {
    fd: Fd,
    data: Vec<u8>,
    at: usize,
    at_end: bool,
    child: Option<Pid>,
}

impl Input {
    async fn record(
        &mut self,
        cx: &Cx,
        separator: &[u8],
        patterns: &mut Patterns,
    ) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            let rest = &self.data[self.at..];
            if let Some((end, used)) = next_record(rest, separator, self.at_end, patterns) {
                let skip = match separator {
                    b"" => rest.iter().take_while(|b| **b == b'\n').count(),
                    _ => 0,
                };
                let line = rest[skip.min(end)..end].to_vec();
                self.at += used;
                return Ok(Some(line));
            }
            if self.at_end {
                return Ok(None);
            }
            self.data.drain(..self.at);
            self.at = 0;
            match cx.sys.read(self.fd, 65_536).await {
                Ok(more) => {
                    self.at_end = more.is_empty();
                    self.data.extend_from_slice(&more);
                }
                Err(Errno::Intr) => {}
                Err(errno) => {
                    self.at_end = true;
                    return Err(errno);
                }
            }
        }
    }
}

/// The files of the command line, one after the other.
#[derive(Default)]
pub(super) struct MainInput {
    input: Option<Input>,
    /// Index into ARGV of the file being read.
    pub(super) argument: usize,
    /// A file was named: standard input is not read then.
    pub(super) used_file: bool,
}

impl MainInput {
    pub(super) async fn open(&mut self, cx: &mut Cx, path: &str) -> bool {
        let fd = match path {
            "-" => Ok(0),
            path => cx.sys.open(path, OpenHow::READ).await,
        };
        match fd {
            Ok(fd) => {
                self.input = Some(Input { fd, ..Input::default() });
                true
            }
            Err(errno) => {
                cx.fail_on(path, errno).await;
                false
            }
        }
    }

    pub(super) async fn next(
        &mut self,
        cx: &mut Cx,
        separator: &[u8],
        patterns: &mut Patterns,
    ) -> Option<Vec<u8>> {
        let input = self.input.as_mut()?;
        match input.record(cx, separator, patterns).await {
            Ok(Some(line)) => Some(line),
            _ => {
                self.skip_file(cx);
                None
            }
        }
    }

    pub(super) fn skip_file(&mut self, cx: &Cx) {
        if let Some(input) = self.input.take() {
            cx.close_input(input.fd);
        }
    }
}

struct Output {
    fd: Fd,
    child: Option<Pid>,
    data: Vec<u8>,
}

/// Open streams by the name the program used.
#[derive(Default)]
pub(super) struct Streams {
    inputs: BTreeMap<Vec<u8>, Input>,
    outputs: BTreeMap<Vec<u8>, Output>,
}

impl Streams {
    pub(super) async fn line(
        &mut self,
        cx: &mut Cx,
        from: From,
        name: &[u8],
        separator: &[u8],
        patterns: &mut Patterns,
    ) -> Result<Option<Vec<u8>>, ()> {
        if !self.inputs.contains_key(name) {
            self.flush(cx).await;
            let text = to_text(name);
            let input = match from {
                From::Pipe => pipe_from(cx, text).map(|(fd, pid)| Input {
                    fd,
                    child: Some(pid),
                    ..Input::default()
                }),
                _ if text == "-" => Ok(Input::default()),
                _ => cx
                    .sys
                    .open(&text, OpenHow::READ)
                    .await
                    .map(|fd| Input { fd, ..Input::default() }),
            };
            self.inputs.insert(name.to_vec(), input.map_err(|_| ())?);
        }
        let Some(input) = self.inputs.get_mut(name) else { return Err(()) };
        input.record(cx, separator, patterns).await.map_err(|_| ())
    }

    pub(super) async fn write(
        &mut self,
        cx: &mut Cx,
        dest: Dest,
        name: &[u8],
        data: &[u8],
    ) -> Result<(), String> {
        if dest == Dest::Stdout {
            cx.now(data).await;
            return Ok(());
        }
        if !self.outputs.contains_key(name) {
            let text = to_text(name);
            let opened = match dest {
                Dest::Pipe => pipe_to(cx, text.clone()).map(|(fd, pid)| (fd, Some(pid))),
                _ if text == "-" || text == "/dev/stdout" => Ok((1, None)),
                _ if text == "/dev/stderr" => Ok((2, None)),
                Dest::Append => cx.sys.open(&text, OpenHow::APPEND).await.map(|fd| (fd, None)),
                _ => cx.sys.open(&text, OpenHow::WRITE).await.map(|fd| (fd, None)),
            };
            let (fd, child) =
                opened.map_err(|errno| format!("can't open '{text}': {}", errno.text()))?;
            self.outputs.insert(name.to_vec(), Output { fd, child, data: Vec::new() });
        }
        if let Some(output) = self.outputs.get_mut(name) {
            output.data.extend_from_slice(data);
            flush_one(cx, output).await;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self, cx: &mut Cx) {
        cx.out.flush().await;
        for output in self.outputs.values_mut() {
            flush_one(cx, output).await;
        }
    }

    pub(super) async fn close(&mut self, cx: &mut Cx, name: &[u8]) -> i32 {
        let mut status = -1;
        if let Some(output) = self.outputs.remove(name) {
            status = end_output(cx, output).await;
        }
        if let Some(input) = self.inputs.remove(name) {
            cx.close_input(input.fd);
            status = wait(cx, input.child).await;
        }
        status
    }

    pub(super) async fn close_all(&mut self, cx: &mut Cx) {
        for (_, output) in std::mem::take(&mut self.outputs) {
            end_output(cx, output).await;
        }
        for (_, input) in std::mem::take(&mut self.inputs) {
            cx.close_input(input.fd);
            wait(cx, input.child).await;
        }
    }
}

async fn flush_one(cx: &Cx, output: &mut Output) {
    let data = std::mem::take(&mut output.data);
    if !data.is_empty() {
        let _ = cx.sys.write(output.fd, &data).await;
    }
}

async fn end_output(cx: &mut Cx, mut output: Output) -> i32 {
    flush_one(cx, &mut output).await;
    if output.fd > 2 {
        let _ = cx.sys.close(output.fd);
    }
    wait(cx, output.child).await
}

async fn wait(cx: &Cx, child: Option<Pid>) -> i32 {
    let Some(pid) = child else { return 0 };
    loop {
        match cx.sys.wait(WaitFor::Pid(pid)).await {
            Ok((_, WaitStatus::Exited(code))) => return code,
            Ok((_, status)) => return status.code(),
            Err(Errno::Intr) => {}
            Err(_) => return -1,
        }
    }
}

fn shell(cx: &Cx, command: String, fds: Option<(Fd, Fd, Fd)>) -> Result<Pid, Errno> {
    cx.sys.fork(move |sys| async move {
        if let Some((from, to, other)) = fds {
            let _ = sys.dup2(from, to);
            let _ = sys.close(from);
            let _ = sys.close(other);
        }
        let argv = vec!["sh".to_owned(), "-c".to_owned(), command];
        let env = sys.env();
        sys.exec("/bin/sh", argv, env).await.unwrap_or(127)
    })
}

/// A command whose output is read.
fn pipe_from(cx: &Cx, command: String) -> Result<(Fd, Pid), Errno> {
    let (read, write) = cx.sys.pipe()?;
    let pid = shell(cx, command, Some((write, 1, read)));
    let _ = cx.sys.close(write);
    pid.map(|pid| (read, pid))
}

/// A command that is written to.
fn pipe_to(cx: &Cx, command: String) -> Result<(Fd, Pid), Errno> {
    let (read, write) = cx.sys.pipe()?;
    let pid = shell(cx, command, Some((read, 0, write)));
    let _ = cx.sys.close(read);
    pid.map(|pid| (write, pid))
}

/// Runs a command to its end.
pub(super) async fn system(cx: &Cx, command: &str) -> i32 {
    match shell(cx, command.to_owned(), None) {
        Ok(pid) => wait(cx, Some(pid)).await,
        Err(_) => -1,
    }
}
