//! The context an applet runs in: its process, arguments, buffered output and its error texts.

use super::opts::{Opts, Wrong};
use crate::shell::applets::Applet;
use crate::shell::sys::stdio::{Lines, Out};
use crate::shell::{Errno, Fd, OpenHow, Sys};

/// Applets that open by themselves and say `can't open`; the others use stdio and do not.
const OPENERS: &[&str] = &[
    "bc",
    "cat",
    "cksum",
    "dc",
    "md5sum",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "split",
    "sum",
    "tail",
    "uniq",
];

/// An early end: the exit code.
pub(crate) type Stop = i32;

pub(crate) struct Cx {
    pub(crate) sys: Sys,
    /// The name it was called by first.
    pub(crate) argv: Vec<String>,
    pub(crate) out: Out,
    /// Exit code so far: errors that do not end the applet set it.
    pub(crate) status: i32,
    /// Exit code of usage errors.
    pub(crate) usage_status: i32,
    applet: &'static Applet,
}

impl Cx {
    pub(crate) fn new(sys: Sys, argv: Vec<String>, applet: &'static Applet) -> Cx {
        let out = Out::new(&sys, 1);
        Cx { sys, argv, out, status: 0, usage_status: 1, applet }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.applet.name
    }

    /// Arguments after the name.
    pub(crate) fn args(&self) -> &[String] {
        self.argv.get(1..).unwrap_or(&[])
    }

    pub(crate) async fn put(&mut self, data: &[u8]) {
        self.out.put(data).await;
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.out.text(text).await;
    }

    /// Writes past the buffer, as programs do that pass things on at once.
    pub(crate) async fn now(&mut self, data: &[u8]) {
        self.out.put(data).await;
        self.out.flush().await;
    }

    /// Standard error text as it is.
    pub(crate) async fn err(&self, text: &str) {
        let _ = self.sys.write(2, &crate::shell::bytes::to_bytes(text)).await;
    }

    /// `NAME: message`; the exit code becomes 1.
    pub(crate) async fn fail(&mut self, message: &str) {
        self.err(&format!("{}: {message}\n", self.name())).await;
        self.status = 1;
    }

    /// `NAME: what: strerror`; the exit code becomes 1.
    pub(crate) async fn fail_on(&mut self, what: &str, errno: Errno) {
        self.fail(&format!("{what}: {}", errno.text())).await;
    }

    /// Asks on standard error and reads a line: `y` first is yes. Models bb_ask_y_confirmation.
    pub(crate) async fn ask(&mut self, question: &str) -> bool {
        self.err(&format!("{}: {question}", self.name())).await;
        self.out.flush().await;
        let mut first = None;
        loop {
            match self.sys.read(0, 1).await {
                Ok(byte) if byte.is_empty() || byte == b"\n" => break,
                Ok(byte) if byte == b" " || byte == b"\t" => {}
                Ok(byte) => first = first.or(byte.first().copied()),
                Err(Errno::Intr) => {}
                Err(_) => break,
            }
        }
        matches!(first, Some(b'y' | b'Y'))
    }

    /// As `fail`, and the applet ends.
    pub(crate) async fn die(&mut self, message: &str) -> Stop {
        self.fail(message).await;
        1
    }

    /// The usage screen; busybox's long list of options is left out.
    pub(crate) async fn usage(&mut self) -> Stop {
        let text = format!(
            "BusyBox v1.36.1 (2024-09-26 21:31:42 UTC) multi-call binary.\n\nUsage: {} {}\n",
            self.name(),
            self.applet.usage
        );
        self.err(&text).await;
        self.usage_status
    }

    /// Says that busybox has this and the simulation does not; the applet then ends.
    pub(crate) async fn not_simulated(&mut self, what: &str) -> Stop {
        let text = format!("{} {what}", self.name());
        self.sys.not_simulated(&text, None);
        self.fail(&format!("not simulated: {what}")).await;
        1
    }

    /// The options of the arguments. `spec` is getopt's, with what is not simulated after a `!`;
    /// `longs` is `name=letter` words. A `+` in front stops at the first other argument.
    pub(crate) async fn opts(&mut self, spec: &str, longs: &str) -> Result<Opts, Stop> {
        match Opts::parse(self.args(), spec, longs) {
            Ok(opts) => Ok(opts),
            Err(Wrong::Usage(message)) => {
                self.fail(&message).await;
                Err(self.usage().await)
            }
            Err(Wrong::NotSimulated(option)) => Err(self.not_simulated(&option).await),
        }
    }

    /// Opens a file to read; `-` is standard input. Says why if that fails.
    pub(crate) async fn open_input(&mut self, path: &str) -> Option<Fd> {
        if path == "-" {
            return Some(0);
        }
        match self.sys.open(path, OpenHow::READ).await {
            Ok(fd) => Some(fd),
            Err(errno) => {
                match OPENERS.contains(&self.name()) {
                    true => self.fail_on(&format!("can't open '{path}'"), errno).await,
                    false => self.fail_on(path, errno).await,
                }
                None
            }
        }
    }

    /// Everything a file or standard input holds, with the error said if there is one.
    pub(crate) async fn read_input(&mut self, path: &str) -> Option<Vec<u8>> {
        let fd = self.open_input(path).await?;
        let read = self.sys.read_all(fd).await;
        self.close_input(fd);
        match read {
            Ok(data) => Some(data),
            Err(errno) => {
                self.fail_on(path, errno).await;
                None
            }
        }
    }

    pub(crate) fn close_input(&self, fd: Fd) {
        if fd != 0 {
            let _ = self.sys.close(fd);
        }
    }

    pub(crate) fn lines(&self, fd: Fd) -> Lines {
        Lines::new(&self.sys, fd)
    }

    /// Flushes and gives the exit code, with busybox's word when stdout could not be written.
    pub(crate) async fn finish(&mut self, code: i32) -> i32 {
        match self.out.flush().await {
            None => code,
            Some(errno) => {
                self.fail_on("write error", errno).await;
                1
            }
        }
    }
}

/// Files named, or standard input when there are none.
pub(crate) fn files_or_stdin(files: Vec<String>) -> Vec<String> {
    if files.is_empty() { vec!["-".to_owned()] } else { files }
}
