//! Expansion of words: what each part becomes, before splitting and matching.

use super::pattern::{BREAK, Ch, MARK, QUOTED, SPLIT};
use super::{Flow, Res, Running, Shell, TEXT_MAX, fields, glob};
use crate::shell::syntax::{NodeRef, Part, Redirect, Target, Word};
use std::rc::Rc;

/// Where tildes count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tilde {
    No,
    /// At the start.
    Start,
    /// At the start and after colons, as in assignments.
    Assignment,
}

impl Shell {
    /// A word as one text: no splitting, no matching. For assignments, redirections, `case`.
    pub(super) async fn expand_text(&mut self, word: &Word, tilde: Tilde) -> Res<String> {
        if let [Part::Lit(text) | Part::Quoted(text)] = word.parts.as_slice()
            && (tilde == Tilde::No || !text.contains('~'))
        {
            return Ok(text.clone());
        }
        if word.parts.is_empty() {
            return Ok(String::new());
        }
        let chars = self.expand_chars(word, tilde, false).await?;
        Ok(text_of(&chars))
    }

    /// A word as a pattern.
    pub(super) async fn expand_pattern(&mut self, word: &Word) -> Res<super::Pattern> {
        let chars = self.expand_chars(word, Tilde::Start, false).await?;
        Ok(super::Pattern::new(&chars))
    }

    /// A word as arguments: split and matched against files.
    pub(super) async fn expand_fields(&mut self, word: &Word, into: &mut Vec<String>) -> Res<()> {
        if let [Part::Lit(text)] = word.parts.as_slice()
            && !text.contains(['*', '?', '[', '~', '\\'])
        {
            into.push(text.clone());
            return Ok(());
        }
        if let [Part::Quoted(text)] = word.parts.as_slice() {
            into.push(text.clone());
            return Ok(());
        }
        let chars = self.expand_chars(word, Tilde::Start, true).await?;
        let ifs = self.ifs();
        let no_glob = self.options.has('f');
        let mut total = 0;
        for field in fields::split(&chars, &ifs) {
            let magic = !no_glob
                && field.iter().any(|ch| ch.flags & QUOTED == 0 && matches!(ch.c, '*' | '?' | '['));
            let found = if magic { glob::glob(&self.sys, &field) } else { Vec::new() };
            if found.is_empty() {
                into.push(text_of(&field));
            } else {
                into.extend(found);
            }
            total += field.len();
            if total > TEXT_MAX {
                return self.raise("out of memory").await;
            }
        }
        Ok(())
    }

    pub(super) async fn expand_chars(
        &mut self,
        word: &Word,
        tilde: Tilde,
        split: bool,
    ) -> Res<Vec<Ch>> {
        let mut out = Vec::new();
        self.expand_into(word, tilde, split, false, &mut out).await?;
        Ok(out)
    }

    /// Adds what a word expands to. `split`: unquoted expansions may split. `quoted`: the word
    /// stands within double quotes.
    pub(super) async fn expand_into(
        &mut self,
        word: &Word,
        tilde: Tilde,
        split: bool,
        quoted: bool,
        out: &mut Vec<Ch>,
    ) -> Res<()> {
        let loose = if split { SPLIT } else { 0 };
        for (i, part) in word.parts.iter().enumerate() {
            match part {
                Part::Lit(text) => {
                    let last = i + 1 == word.parts.len();
                    self.literal(text, tilde, i == 0, last, out);
                }
                Part::Quoted(text) => {
                    if text.is_empty() {
                        out.push(Ch { c: '\0', flags: MARK });
                    }
                    out.extend(text.chars().map(|c| Ch { c, flags: QUOTED }));
                }
                Part::Param(param) => {
                    self.expand_param(param, split, quoted || param.quoted, out).await?;
                }
                Part::Command { body, quoted: own } => {
                    let text = self.substitute(body.as_ref()).await?;
                    let flags = if *own || quoted { QUOTED } else { loose };
                    out.extend(text.chars().map(|c| Ch { c, flags }));
                }
                Part::Arith { word, quoted: own } => {
                    let value = self.arith_word(word).await?;
                    let flags = if *own || quoted { QUOTED } else { loose };
                    out.extend(value.to_string().chars().map(|c| Ch { c, flags }));
                }
                Part::Process { body, reads } => {
                    let path = self.process_substitute(body.as_ref(), *reads).await?;
                    out.extend(path.chars().map(|c| Ch { c, flags: QUOTED }));
                }
            }
            if out.len() > TEXT_MAX {
                self.hold_text(out.len());
                self.sys.limit_reached("an expansion grew over 8 million characters");
                return self.raise("out of memory").await;
            }
        }
        Ok(())
    }

    /// Characters outside quotes, tildes replaced.
    fn literal(&self, text: &str, tilde: Tilde, first: bool, last: bool, out: &mut Vec<Ch>) {
        let mut at_start = first && tilde != Tilde::No;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c == '~' && at_start {
                let stop = |c: char| c == '/' || (tilde == Tilde::Assignment && c == ':');
                let end = rest[1..].find(stop).map(|n| n + 1);
                // A quote or expansion right after the name makes it no tilde at all.
                let name = match end {
                    Some(end) => Some(&rest[1..end]),
                    None if last => Some(&rest[1..]),
                    None => None,
                };
                if let Some(name) = name
                    && let Some(home) = self.home_of(name)
                {
                    out.extend(home.chars().map(|c| Ch { c, flags: QUOTED }));
                    rest = &rest[1 + name.len()..];
                    at_start = false;
                    continue;
                }
            }
            out.push(Ch { c, flags: 0 });
            at_start = tilde == Tilde::Assignment && c == ':';
            rest = &rest[c.len_utf8()..];
        }
    }

    fn home_of(&self, user: &str) -> Option<String> {
        if user.is_empty() {
            return self.vars.value("HOME").map(|home| home.to_string());
        }
        let passwd = self.sys.peek_file("/etc/passwd")?;
        let text = String::from_utf8_lossy(&passwd).into_owned();
        let mut rows = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        rows.find(|row| row.first() == Some(&user)).and_then(|row| Some(row.get(5)?.to_string()))
    }

    pub(super) async fn arith_word(&mut self, word: &Word) -> Res<i64> {
        let mut chars = Vec::new();
        let expand: Running<'_, ()> =
            Box::pin(self.expand_into(word, Tilde::No, false, true, &mut chars));
        expand.await?;
        match self.arith(&text_of(&chars)) {
            Ok(value) => Ok(value),
            Err(message) => self.raise(&message).await,
        }
    }

    /// The output of commands, less its last newlines.
    async fn substitute(&mut self, body: Option<&NodeRef>) -> Res<String> {
        let Some(body) = body else {
            self.substitution_status = 0;
            return Ok(String::new());
        };
        let (read, write) = match self.sys.pipe() {
            Ok(ends) => ends,
            Err(errno) => return self.raise(&format!("can't create pipe: {errno}")).await,
        };
        let node = Rc::clone(body);
        let pid = self
            .fork(body, super::jobs::Fork::NoJob, move |mut child| async move {
                let sys = child.sys.clone();
                let _ = sys.close(read);
                let _ = sys.dup2(write, 1);
                if write != 1 {
                    let _ = sys.close(write);
                }
                let result = child.eval(&node, false, true).await;
                child.finish(result).await
            })
            .await?;
        let _ = self.sys.close(write);
        let job = self.add_job(pid);
        let mut data = Vec::new();
        loop {
            match self.sys.read(read, 65_536).await {
                Ok(more) if more.is_empty() => break,
                Ok(more) if data.len() + more.len() <= TEXT_MAX => data.extend(more),
                Ok(_) => {
                    self.hold_text(data.len());
                    self.sys.limit_reached("a command's output grew over 8 million characters");
                    break;
                }
                Err(crate::shell::Errno::Intr) => {}
                Err(_) => break,
            }
        }
        let _ = self.sys.close(read);
        self.substitution_status = self.wait_for_job(job).await;
        data.retain(|byte| *byte != 0);
        let end = data.iter().rposition(|byte| *byte != b'\n').map_or(0, |at| at + 1);
        Ok(crate::shell::bytes::to_text(&data[..end]))
    }

    /// `<(..)`: a pipe to the commands, named by its descriptor.
    async fn process_substitute(&mut self, body: Option<&NodeRef>, reads: bool) -> Res<String> {
        let (read, write) = match self.sys.pipe() {
            Ok(ends) => ends,
            Err(errno) => return self.raise(&format!("can't create pipe: {errno}")).await,
        };
        let (own, theirs, number) = if reads { (read, write, 1) } else { (write, read, 0) };
        if let Some(body) = body {
            let node = Rc::clone(body);
            let fork = self.fork(body, super::jobs::Fork::NoJob, move |mut child| async move {
                let sys = child.sys.clone();
                let _ = sys.close(own);
                let _ = sys.dup2(theirs, number);
                if theirs != number {
                    let _ = sys.close(theirs);
                }
                let result = child.eval(&node, false, true).await;
                child.finish(result).await
            });
            fork.await?;
        }
        let _ = self.sys.close(theirs);
        self.process_fds.push(own);
        Ok(format!("/dev/fd/{own}"))
    }

    /// The text a redirection's word names.
    pub(super) async fn redirect_word(&mut self, redirect: &Redirect) -> Res<String> {
        match &redirect.to {
            Target::Read(word)
            | Target::Write(word)
            | Target::Clobber(word)
            | Target::Append(word)
            | Target::ReadWrite(word)
            | Target::WriteBoth(word)
            | Target::Dup { word, .. } => self.expand_text(word, Tilde::Start).await,
            // Its text is expanded where it is opened.
            Target::Here(_) => Ok(String::new()),
        }
    }

    pub(super) async fn here_text(&mut self, word: &Word) -> Res<String> {
        self.expand_text(word, Tilde::No).await
    }

    /// `${x?word}` and its like: says so and ends the script.
    pub(super) async fn unset_error<T>(&mut self, name: &str, message: &str) -> Res<T> {
        self.complain(&format!("{name}: {message}")).await;
        self.status = 2;
        Err(Flow::Error(2))
    }
}

/// The characters without the marks between them.
pub(super) fn text_of(chars: &[Ch]) -> String {
    chars.iter().filter(|ch| ch.flags & (MARK | BREAK) == 0).map(|ch| ch.c).collect()
}
