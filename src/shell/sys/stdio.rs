//! Standard output and line input for programs, with the C library's buffering: without a
//! terminal, stdout is kept back until 4096 bytes or the end.

use super::Sys;
use crate::shell::Errno;
use crate::shell::kernel::Fd;

/// A C stream's buffer, in bytes.
const BUFFER: usize = 4096;

/// Buffered output. `flush` before the end; a program that is killed loses what is kept back.
pub struct Out {
    sys: Sys,
    fd: Fd,
    buffer: Vec<u8>,
    failed: Option<Errno>,
}

impl Out {
    /// As stdio keeps it back.
    pub fn new(sys: &Sys, fd: Fd) -> Out {
        Out { sys: sys.clone(), fd, buffer: Vec::new(), failed: None }
    }

    /// Adds bytes; passes full buffers on.
    pub async fn put(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
        while self.buffer.len() >= BUFFER {
            let rest = self.buffer.split_off(BUFFER);
            self.flush().await;
            self.buffer = rest;
        }
    }

    /// Adds text, bytes in it coming out as they went in.
    pub async fn text(&mut self, text: &str) {
        self.put(&crate::shell::bytes::to_bytes(text)).await;
    }

    /// Passes on what is kept back. The first error stays and is told again.
    pub async fn flush(&mut self) -> Option<Errno> {
        let data = std::mem::take(&mut self.buffer);
        if !data.is_empty()
            && self.failed.is_none()
            && let Err(errno) = self.sys.write(self.fd, &data).await
        {
            self.failed = Some(errno);
        }
        self.failed
    }

    /// The first error, if any write failed.
    pub fn failed(&self) -> Option<Errno> {
        self.failed
    }
}

/// Lines up to this long are part of what any program is taken to need, in bytes.
const LONG_LINE: usize = 256 << 10;

/// Buffered line input.
pub struct Lines {
    sys: Sys,
    fd: Fd,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Lines {
    pub fn new(sys: &Sys, fd: Fd) -> Lines {
        Lines { sys: sys.clone(), fd, buffer: Vec::new(), at: 0, ended: false }
    }

    /// The next line with its newline (the last may have none); `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Errno> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(n) = rest.iter().position(|b| *b == b'\n') {
                let line = rest[..=n].to_vec();
                self.at += n + 1;
                self.sys.tick().await;
                return Ok(Some(line));
            }
            if self.ended {
                self.at = self.buffer.len();
                let line = rest_of(rest);
                return Ok(line);
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let more = self.sys.read(self.fd, super::files::READ_MAX).await?;
            self.ended = more.is_empty();
            self.buffer.extend_from_slice(&more);
            // A line that never ends fills the memory: `grep x /dev/zero`.
            if self.buffer.len() > LONG_LINE {
                self.sys.hold(self.buffer.len() as u64);
            }
        }
    }
}

fn rest_of(rest: &[u8]) -> Option<Vec<u8>> {
    (!rest.is_empty()).then(|| rest.to_vec())
}
