//! `set -x`, and quoting as the shell prints it.

use super::Shell;
use super::expand::Tilde;
use crate::shell::syntax::{Parser, Word};
use std::rc::Rc;

/// A text between single quotes, its own ones between double quotes.
pub(in crate::shell) fn single_quote(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'').unwrap_or(rest.len());
        out.push('\'');
        out.push_str(&rest[..end]);
        out.push('\'');
        rest = &rest[end..];
        if rest.is_empty() {
            return out;
        }
        let n = rest.len() - rest.trim_start_matches('\'').len();
        out.push('"');
        out.push_str(&rest[..n]);
        out.push('"');
        rest = &rest[n..];
        if rest.is_empty() {
            return out;
        }
    }
}

fn quote_if_needed(text: &str) -> String {
    let plain = |c: char| {
        let special = c < '+' || (';'..='?').contains(&c) || matches!(c, '`' | '[' | '\\');
        !special && c <= 'z'
    };
    if text.chars().all(plain) { text.to_owned() } else { single_quote(text) }
}

impl Shell {
    /// Prints a command about to run: assignments, then words.
    /// `to` is stderr as it was before the command's own redirections; it is closed.
    pub(super) async fn trace(
        &mut self,
        assigns: &[(String, String)],
        words: &[String],
        to: Option<u32>,
    ) {
        if self.options.has('x') && !self.in_xtrace {
            self.print_trace(assigns, words, to.unwrap_or(2)).await;
        }
        if let Some(fd) = to {
            let _ = self.sys.close(fd);
        }
    }

    async fn print_trace(&mut self, assigns: &[(String, String)], words: &[String], to: u32) {
        self.in_xtrace = true;
        let ps4 = self.vars.value("PS4").unwrap_or_else(|| Rc::from("+ "));
        let prefix = self.expand_prompt(&ps4).await;
        self.in_xtrace = false;
        let mut line = prefix;
        let assigned =
            assigns.iter().map(|(name, value)| format!("{name}={}", quote_if_needed(value)));
        let quoted = words.iter().map(|word| {
            if crate::shell::syntax::is_keyword(word) {
                single_quote(word)
            } else {
                quote_if_needed(word)
            }
        });
        line.push_str(&assigned.chain(quoted).collect::<Vec<_>>().join(" "));
        line.push('\n');
        self.write_text(to, &line).await;
    }

    /// A prompt is expanded like the text between double quotes.
    async fn expand_prompt(&mut self, text: &str) -> String {
        if !text.contains(['$', '`', '\\']) {
            return text.to_owned();
        }
        let mut parser = Parser::new(Rc::from(text), self.line);
        let parts = parser.prompt(&self.aliases.clone()).unwrap_or_default();
        let word = Word { parts, ..Word::default() };
        let expand: super::Running<'_, String> = Box::pin(self.expand_text(&word, Tilde::No));
        expand.await.unwrap_or_else(|_| text.to_owned())
    }
}
