//! The shell as a program: its state, and how it reads and runs a script. Models busybox 1.36 ash.

mod arith;
mod brace;
mod command;
mod eval;
mod expand;
mod fields;
mod glob;
mod jobs;
mod options;
mod pattern;
mod redirect;
mod start;
mod traps;
mod vars;
mod xtrace;

pub(super) use command::Found;
pub(super) use jobs::{Job, Waited};
pub(in crate::shell) use options::Options;
pub(in crate::shell) use pattern::Pattern;
pub(super) use start::run;
pub(super) use traps::TrapKey;
pub(super) use vars::Vars;
pub(super) use xtrace::single_quote;

use super::syntax::{NodeRef, Parsed, Parser, SyntaxError};
use super::{Pid, Sys};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// Why a command did not simply end with a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Break(u32),
    Continue(u32),
    Return(i32),
    /// The shell ends (`exit`, `set -e`), after its EXIT trap.
    Exit(i32),
    /// An error that ends a script; a builtin that is not special survives it.
    Error(i32),
}

pub(super) type Res<T = i32> = Result<T, Flow>;
pub(super) type Running<'a, T = i32> = Pin<Box<dyn Future<Output = Res<T>> + 'a>>;

/// Commands within commands (functions, groups, `eval`, traps); deeper ones end the shell with a
/// sentence, because each level is recursion of ours too.
const DEPTH_MAX: u32 = 128;

/// Longest text a variable or a command's arguments may grow to, in characters.
pub(super) const TEXT_MAX: usize = 8 << 20;

/// Arguments of the script or function.
#[derive(Clone, Debug, Default)]
pub(super) struct Params {
    pub(super) args: Rc<Vec<String>>,
    /// `getopts`: the next argument, counted from 1, and the place within it.
    pub(super) opt_index: usize,
    pub(super) opt_offset: Option<usize>,
}

/// A shell. Cloning it is what `fork` does.
#[derive(Clone)]
pub(super) struct Shell {
    pub(super) sys: Sys,
    pub(super) vars: Vars,
    pub(super) params: Params,
    pub(super) functions: Rc<BTreeMap<String, NodeRef>>,
    pub(super) aliases: Rc<BTreeMap<String, String>>,
    pub(super) options: Options,
    pub(super) traps: BTreeMap<TrapKey, String>,
    /// The parent's traps, for a bare `trap` in a command substitution to show.
    pub(super) shown_traps: Option<BTreeMap<TrapKey, String>>,
    pub(super) may_have_traps: bool,
    /// `$?` before the trap that runs now: what a bare `exit` in it means.
    pub(super) trap_status: Option<i32>,
    /// The `return` that is under way named no status: after a trap it means the one before.
    pub(super) bare_return: bool,
    pub(super) in_err_trap: bool,
    /// `$?`
    pub(super) status: i32,
    /// The status of the newest command substitution, for a command that has no name.
    pub(super) substitution_status: i32,
    /// `$!`, 0 when there is none.
    pub(super) background: Pid,
    pub(super) root_pid: Pid,
    pub(super) jobs: Vec<Job>,
    pub(super) loops: u32,
    pub(super) functions_deep: u32,
    pub(super) depth: u32,
    pub(super) line: u32,
    pub(super) name: String,
    /// Who complains: the builtin, or the script's own name.
    pub(super) command_name: Option<String>,
    pub(super) is_root_shell: bool,
    /// What is being read is the container's own `-c` script: offsets in it mean something.
    pub(super) in_own_script: bool,
    pub(super) offset: u32,
    pub(super) hash: BTreeMap<String, (String, u32)>,
    pub(super) in_xtrace: bool,
    /// Ends of `<(..)` pipes that close with the command.
    pub(super) process_fds: Vec<u32>,
    /// Ignored when the shell started: a script cannot change that.
    pub(super) hard_ignored: std::collections::BTreeSet<u8>,
}

impl Shell {
    /// A message as ash words it: `sh: cd: line 3: ...`.
    pub(super) async fn complain(&self, text: &str) {
        let mut message = format!("{}: ", self.name);
        if let Some(command) = &self.command_name {
            if *command != self.name {
                message.push_str(&format!("{command}: "));
            }
            message.push_str(&format!("line {}: ", self.line));
        }
        message.push_str(text);
        message.push('\n');
        self.write_text(2, &message).await;
    }

    /// Complains, and gives the error that ends a script.
    pub(super) async fn raise<T>(&mut self, text: &str) -> Res<T> {
        self.complain(text).await;
        self.status = 2;
        Err(Flow::Error(2))
    }

    pub(super) async fn raise_syntax<T>(&mut self, error: &SyntaxError) -> Res<T> {
        self.line = error.line;
        self.raise(&format!("syntax error: {}", error.message)).await
    }

    /// Writes to a descriptor, errors unsaid.
    pub(super) async fn write_text(&self, fd: u32, text: &str) {
        let _ = self.sys.write(fd, &super::bytes::to_bytes(text)).await;
    }

    /// A builtin's output. A failed write is its failure; only `echo` says so.
    pub(super) async fn print(&mut self, text: &str) -> i32 {
        if text.is_empty() {
            return 0;
        }
        match self.sys.write(1, &super::bytes::to_bytes(text)).await {
            Ok(()) => 0,
            Err(errno) => {
                if self.command_name.as_deref() == Some("echo") {
                    self.write_text(2, &format!("sh: write error: {errno}\n")).await;
                }
                1
            }
        }
    }

    /// Runs a text command by command. `last` says that nothing comes after it, so that its last
    /// command may take the shell's place.
    pub(super) async fn run_text(&mut self, text: &str, tested: bool, last: bool) -> Res {
        let mut parser = Parser::new(Rc::from(text), self.line);
        let mut status = 0;
        loop {
            let aliases = Rc::clone(&self.aliases);
            match parser.next_command(&aliases) {
                Ok(Parsed::End) => return Ok(status),
                Ok(Parsed::Nothing) => {
                    self.sys.tick().await;
                    self.run_traps().await?;
                }
                Ok(Parsed::Command(node)) => {
                    let exits = last && parser.at_end();
                    status = self.eval(&node, tested, exits).await?;
                }
                Err(error) => return self.raise_syntax(&error).await,
            }
        }
    }

    /// What a shell that is done answers: runs the EXIT trap and gives the exit code.
    pub(super) async fn finish(&mut self, result: Res) -> i32 {
        self.status = match result {
            Ok(status) => status,
            Err(Flow::Exit(status) | Flow::Return(status) | Flow::Error(status)) => status,
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
        };
        if let Some(action) = self.traps.remove(&TrapKey::EXIT) {
            // The action's own status counts only when it says `exit N`.
            let status = self.status;
            self.trap_status = Some(status);
            self.status = match self.run_text(&action, false, false).await {
                Err(Flow::Exit(own) | Flow::Error(own)) => own,
                Ok(_) | Err(_) => status,
            };
        }
        self.status & 0xff
    }

    /// One more level of nesting; too many end the shell, as a real one's stack would.
    pub(super) async fn deeper(&mut self) -> Res<()> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let sentence = format!("commands ran within each other {DEPTH_MAX} deep");
        self.sys.limit_reached(&sentence);
        self.complain(&format!("not simulated: {sentence}")).await;
        Err(Flow::Exit(139))
    }

    /// Says that something is not simulated, with its place in the script.
    pub(super) fn not_simulated(&self, what: &str) {
        let offset = self.in_own_script.then_some(self.offset);
        self.sys.not_simulated(what, offset);
    }
}
