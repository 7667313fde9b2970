//! Redirections: opening, moving descriptors, and putting them back. Models redirect() of ash.

use super::{Res, Shell};
use crate::shell::kernel::fd::FdEntry;
use crate::shell::syntax::{Redirect, Target, Word};
use crate::shell::{Errno, FileType, OpenHow, bytes};

/// Descriptors to put back, in the order they were changed.
#[derive(Default)]
pub(in crate::shell) struct SavedFds(Vec<(u32, Option<FdEntry>)>);

/// What a redirection does, free of the tree it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write { clobber: bool },
    Append,
    ReadWrite,
    Both,
    Dup { output: bool },
    Here,
}

/// Redirections with their words expanded.
pub(super) struct Plan(Vec<(u32, Kind, Text)>);

enum Text {
    Expanded(String),
    /// A here-document is expanded where it is opened, so an error in it is a failed redirection.
    Later(Word),
}

impl Plan {
    pub(super) fn new(redirects: &[Redirect], texts: Vec<String>) -> Plan {
        let kinds = redirects.iter().zip(texts).map(|(redirect, text)| {
            let kind = match &redirect.to {
                Target::Read(_) => Kind::Read,
                Target::Write(_) => Kind::Write { clobber: false },
                Target::Clobber(_) => Kind::Write { clobber: true },
                Target::Append(_) => Kind::Append,
                Target::ReadWrite(_) => Kind::ReadWrite,
                Target::WriteBoth(_) => Kind::Both,
                Target::Dup { output, .. } => Kind::Dup { output: *output },
                Target::Here(_) => Kind::Here,
            };
            let text = match &redirect.to {
                Target::Here(word) => Text::Later(word.borrow().clone()),
                _ => Text::Expanded(text),
            };
            (redirect.fd, kind, text)
        });
        Plan(kinds.collect())
    }
}

impl Shell {
    pub(super) async fn redirect_texts(&mut self, redirects: &[Redirect]) -> Res<Vec<String>> {
        let mut texts = Vec::with_capacity(redirects.len());
        for redirect in redirects {
            texts.push(self.redirect_word(redirect).await?);
        }
        Ok(texts)
    }

    /// Redirects; `Err(())` inside is a failure that was said already and undone.
    pub(super) async fn redirect(&mut self, redirects: &[Redirect]) -> Res<Result<SavedFds, ()>> {
        let texts = self.redirect_texts(redirects).await?;
        let plan = Plan::new(redirects, texts);
        let mut saved = SavedFds::default();
        for (fd, kind, text) in &plan.0 {
            match self.one(*fd, *kind, text, Some(&mut saved)).await {
                Ok(()) => {}
                Err(super::Flow::Error(_)) => {
                    self.restore(saved);
                    self.status = 1;
                    return Ok(Err(()));
                }
                Err(flow) => return Err(flow),
            }
        }
        Ok(Ok(saved))
    }

    /// Redirects for good; a failure ends the shell.
    pub(super) async fn apply(&mut self, plan: &Plan) -> Res<()> {
        for (fd, kind, text) in &plan.0 {
            self.one(*fd, *kind, text, None).await?;
        }
        Ok(())
    }

    /// Keeps redirections for good.
    pub(super) fn keep(&self, saved: SavedFds) {
        for (_, entry) in saved.0 {
            self.sys.drop_entry(entry);
        }
    }

    pub(super) fn restore(&self, saved: SavedFds) {
        for (fd, entry) in saved.0.into_iter().rev() {
            self.sys.put_fd(fd, entry);
        }
    }

    /// Takes what is at `fd` away, to be put back or for good.
    fn vacate(&self, fd: u32, saved: Option<&mut SavedFds>) {
        let entry = self.sys.take_fd(fd);
        match saved {
            Some(saved) if !saved.0.iter().any(|(known, _)| *known == fd) => {
                saved.0.push((fd, entry));
            }
            _ => self.sys.drop_entry(entry),
        }
    }

    async fn one(
        &mut self,
        fd: u32,
        kind: Kind,
        text: &Text,
        mut saved: Option<&mut SavedFds>,
    ) -> Res<()> {
        let here;
        let text = match text {
            Text::Expanded(text) => text.as_str(),
            Text::Later(word) => {
                here = Box::pin(self.here_text(word)).await?;
                &here
            }
        };
        let opened = match kind {
            Kind::Dup { output } => return self.dup(fd, text, output, saved).await,
            Kind::Read => self.open_or_raise(text, OpenHow::READ, false).await?,
            Kind::ReadWrite => self.open_or_raise(text, OpenHow::READ_WRITE, true).await?,
            Kind::Append => self.open_or_raise(text, OpenHow::APPEND, true).await?,
            Kind::Write { clobber } => self.open_write(text, clobber).await?,
            Kind::Both => self.open_write(text, false).await?,
            Kind::Here => self.here(text).await?,
        };
        self.place(opened, fd, saved.as_deref_mut()).await?;
        if kind == Kind::Both {
            self.vacate(2, saved);
            let _ = self.sys.dup2(fd, 2);
        }
        Ok(())
    }

    /// Moves a fresh descriptor to where it is wanted.
    async fn place(&mut self, opened: u32, fd: u32, saved: Option<&mut SavedFds>) -> Res<()> {
        if opened == fd {
            // It was free before: closing it again puts it back.
            if let Some(saved) = saved
                && !saved.0.iter().any(|(known, _)| *known == fd)
            {
                saved.0.push((fd, None));
            }
            return Ok(());
        }
        self.vacate(fd, saved);
        let moved = self.sys.dup2(opened, fd);
        let _ = self.sys.close(opened);
        match moved {
            Ok(()) => Ok(()),
            Err(errno) => self.raise(&format!("{fd}: {errno}")).await,
        }
    }

    async fn dup(
        &mut self,
        fd: u32,
        text: &str,
        output: bool,
        mut saved: Option<&mut SavedFds>,
    ) -> Res<()> {
        if text == "-" {
            self.vacate(fd, saved);
            return Ok(());
        }
        let number = text.parse::<u32>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
        let Some(from) = number else {
            if output && fd == 1 {
                let opened = self.open_write(text, false).await?;
                self.place(opened, 1, saved.as_deref_mut()).await?;
                self.vacate(2, saved);
                let _ = self.sys.dup2(1, 2);
                return Ok(());
            }
            return self.raise("syntax error: bad fd number").await;
        };
        if from == fd {
            return Ok(());
        }
        if !self.sys.is_open(from) {
            return self.raise(&format!("{from}: Bad file descriptor")).await;
        }
        self.vacate(fd, saved);
        match self.sys.dup2(from, fd) {
            Ok(()) => Ok(()),
            Err(errno) => self.raise(&format!("{from}: {errno}")).await,
        }
    }

    async fn open_or_raise(&mut self, path: &str, how: OpenHow, creates: bool) -> Res<u32> {
        loop {
            let errno = match self.sys.open(path, how).await {
                Ok(fd) => return Ok(fd),
                Err(Errno::Intr) => {
                    self.run_traps().await?;
                    continue;
                }
                Err(errno) => errno,
            };
            let (verb, missing) = if creates {
                ("create", "nonexistent directory")
            } else {
                ("open", "no such file")
            };
            let why = match errno {
                Errno::NoEnt | Errno::NotDir => missing,
                other => other.text(),
            };
            return self.raise(&format!("can't {verb} {path}: {why}")).await;
        }
    }

    async fn open_write(&mut self, path: &str, clobber: bool) -> Res<u32> {
        if clobber || !self.options.has('C') {
            return self.open_or_raise(path, OpenHow::WRITE, true).await;
        }
        match self.sys.stat(path) {
            Err(_) => self.open_or_raise(path, OpenHow::CREATE_NEW, true).await,
            Ok(stat) if stat.file_type == FileType::File => {
                self.raise(&format!("can't create {path}: {}", Errno::Exist)).await
            }
            Ok(_) => {
                let how = OpenHow { create: false, truncate: false, ..OpenHow::WRITE };
                self.open_or_raise(path, how, true).await
            }
        }
    }

    /// A here-document: a pipe that holds it, fed by a process of its own when it is long.
    async fn here(&mut self, text: &str) -> Res<u32> {
        let (read, write) = match self.sys.pipe() {
            Ok(ends) => ends,
            Err(errno) => return self.raise(&format!("can't create pipe: {errno}")).await,
        };
        let data = bytes::to_bytes(text);
        if data.len() <= 4096 {
            let _ = self.sys.write(write, &data).await;
        } else {
            let fed = self.sys.fork(move |sys| async move {
                let _ = sys.close(read);
                let _ = sys.write(write, &data).await;
                0
            });
            if fed.is_err() {
                return self.raise("can't fork: Resource temporarily unavailable").await;
            }
        }
        let _ = self.sys.close(write);
        Ok(read)
    }
}
