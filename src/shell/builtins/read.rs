//! `read`. Models shell_builtin_read() of busybox.

use super::Letters;
use crate::shell::kernel::Fd;
use crate::shell::lang::{Res, Shell};
use crate::shell::syntax::is_name;
use crate::shell::{Errno, bytes};
use crate::time::SimTime;

#[derive(Default)]
struct Asked {
    raw: bool,
    count: Option<usize>,
    fd: Fd,
    delimiter: u8,
    deadline: Option<SimTime>,
    /// `-t 0`: only ask whether there is something.
    poll: bool,
}

pub(super) async fn read(shell: &mut Shell, argv: &[String], _tested: bool) -> Res {
    let mut asked = Asked { delimiter: b'\n', ..Asked::default() };
    let mut letters = Letters::new(argv);
    while let Some((letter, value)) = letters.next(shell, "p:u:rt:n:sd:").await? {
        match letter {
            'r' => asked.raw = true,
            'n' => match value.parse() {
                Ok(count) => asked.count = Some(count).filter(|n| *n > 0),
                Err(_) => return shell.raise("invalid count").await,
            },
            'u' => match value.parse() {
                Ok(fd) => asked.fd = fd,
                Err(_) => return shell.raise("invalid file descriptor").await,
            },
            'd' => asked.delimiter = bytes::to_bytes(&value).first().copied().unwrap_or(0),
            't' => match timeout(&value) {
                Some(SimTime::ZERO) => asked.poll = true,
                Some(span) => asked.deadline = Some(shell.sys.now() + span),
                None => return shell.raise("invalid timeout").await,
            },
            _ => {}
        }
    }
    let names = letters.rest();
    if let Some(bad) = names.iter().find(|name| !is_name(name)) {
        let text = format!("sh: read: '{bad}': bad variable name\n");
        shell.write_text(2, &text).await;
        return Ok(1);
    }
    if asked.poll {
        let now = shell.sys.now();
        return Ok(i32::from(shell.sys.readable(&[asked.fd], Some(now)).await.is_err()));
    }
    take(shell, &asked, names).await
}

/// Seconds with up to three decimals.
fn timeout(text: &str) -> Option<SimTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: u64 = whole.parse().ok()?;
    let digits: String = fraction.chars().take(3).collect();
    let millis: u64 = match digits.is_empty() {
        true => 0,
        false => format!("{digits:0<3}").parse().ok()?,
    };
    Some(SimTime::from_secs(whole.min(2_000_000)) + SimTime::from_millis(millis))
}

/// The state of splitting as characters come in.
struct Splitter<'n> {
    names: &'n [String],
    at: usize,
    buffer: Vec<u8>,
    /// 1: at the start of a word; 2: and one separator may still be skipped.
    start: u32,
    ifs: Vec<u8>,
}

async fn take(shell: &mut Shell, asked: &Asked, names: &[String]) -> Res {
    let ifs = bytes::to_bytes(&shell.ifs());
    let mut splitter = Splitter { names, at: 0, buffer: Vec::new(), start: 1, ifs };
    let mut left = asked.count;
    let mut escaped = false;
    let status = loop {
        let byte = match next_byte(shell, asked).await? {
            Next::Byte(byte) => byte,
            Next::End => break 1,
            // What was read so far goes to the last variable only at the end of input.
            Next::TimedOut => return Ok(1),
            Next::Signal(code) => return Ok(code),
        };
        if !asked.raw {
            if escaped {
                escaped = false;
                if byte != b'\n' {
                    splitter.buffer.push(byte);
                    splitter.start = 0;
                    if counted(&mut left) {
                        break 0;
                    }
                }
                continue;
            }
            if byte == b'\\' {
                escaped = true;
                continue;
            }
        }
        if byte == asked.delimiter {
            break 0;
        }
        if byte != 0 {
            if let Some((name, value)) = splitter.add(byte) {
                shell.set_var(&name, &value).await?;
            }
            if splitter.buffer.len() > crate::shell::lang::TEXT_MAX {
                return shell.raise("out of memory").await;
            }
        }
        if counted(&mut left) {
            break 0;
        }
    };
    splitter.finish(shell).await?;
    Ok(status)
}

fn counted(left: &mut Option<usize>) -> bool {
    match left {
        Some(n) => {
            *n = n.saturating_sub(1);
            *n == 0
        }
        None => false,
    }
}

enum Next {
    Byte(u8),
    End,
    TimedOut,
    Signal(i32),
}

async fn next_byte(shell: &mut Shell, asked: &Asked) -> Res<Next> {
    loop {
        return Ok(match shell.sys.read_until(asked.fd, 1, asked.deadline).await {
            Ok(data) => data.first().map_or(Next::End, |byte| Next::Byte(*byte)),
            Err(Errno::TimedOut) => Next::TimedOut,
            Err(Errno::Intr) if !shell.sys.has_signals() => continue,
            // The trap runs once `read` is over.
            Err(Errno::Intr) => Next::Signal(1),
            Err(_) => Next::End,
        });
    }
}

impl Splitter<'_> {
    fn is_ifs(&self, byte: u8) -> bool {
        self.ifs.contains(&byte)
    }

    /// Takes a byte; a name and its value when a word is complete.
    fn add(&mut self, byte: u8) -> Option<(String, String)> {
        if !self.names.is_empty() {
            let is_ifs = self.is_ifs(byte);
            if self.start > 0 && is_ifs {
                if byte.is_ascii_whitespace() {
                    return None;
                }
                self.start -= 1;
                if self.start == 1 {
                    return None;
                }
            }
            self.start = 0;
            if is_ifs && self.at + 1 < self.names.len() {
                let name = self.names[self.at].clone();
                let value = bytes::to_text(&std::mem::take(&mut self.buffer));
                self.at += 1;
                self.start = if byte.is_ascii_whitespace() { 2 } else { 1 };
                return Some((name, value));
            }
        }
        self.buffer.push(byte);
        None
    }

    /// The rest goes to the last name, less the separators at its end.
    async fn finish(mut self, shell: &mut Shell) -> Res<()> {
        if self.names.is_empty() {
            let text = bytes::to_text(&self.buffer);
            return shell.set_var("REPLY", &text).await;
        }
        self.trim_white();
        if let Some(last) = self.buffer.last().copied().filter(|byte| self.is_ifs(*byte)) {
            let whole = self.buffer.clone();
            self.buffer.pop();
            self.trim_white();
            // Only a single field loses the separator after it.
            if self.buffer.iter().any(|byte| self.is_ifs(*byte)) {
                self.buffer = whole;
            }
            debug_assert!(self.is_ifs(last));
        }
        let value = bytes::to_text(&self.buffer);
        for (i, name) in self.names.iter().enumerate().skip(self.at) {
            let value = if i == self.at { value.as_str() } else { "" };
            shell.set_var(name, value).await?;
        }
        Ok(())
    }

    fn trim_white(&mut self) {
        while let Some(last) = self.buffer.last()
            && last.is_ascii_whitespace()
            && self.ifs.contains(last)
        {
            self.buffer.pop();
        }
    }
}
