//! What is asked now and then, by a cursor or an edit that is applied; a browser loads it when it
//! is first asked. Not how any of it is answered: each has a module of its own.

use super::links::rename as rename_at;
use super::{complete::complete as complete_at, hover::hover as hover_at};
use super::{links::links as links_at, review::review as judge};
use crate::diagnostic::{Completion, Hover, Links, Renamed};
use crate::kube::{self, Desired, Object, Origins};
use crate::part::part;

struct Answers {
    complete: fn(&str, usize) -> Vec<Completion>,
    hover: fn(&str, usize) -> Option<Hover>,
    links: fn(&str, usize) -> Option<Links>,
    rename: fn(&str, usize, &str) -> Renamed,
    review: fn(&str, Live) -> (Desired, Vec<String>),
}

/// The object of that kind and name as it was applied last.
type Live<'a> = &'a dyn Fn(&Object) -> Option<Origins>;

part! {
    ANSWERS: Answers =
        &Answers {
            complete: complete_at,
            hover: hover_at,
            links: links_at,
            rename: rename_at,
            review: judge,
        },
    in Rules;
}

/// Completions at a byte offset, most fitting first.
pub fn complete(text: &str, offset: usize) -> Vec<Completion> {
    loaded().map(|answers| (answers.complete)(text, offset)).unwrap_or_default()
}

/// What stands at a byte offset, in words; None where nothing is known of it.
pub fn hover(text: &str, offset: usize) -> Option<Hover> {
    (loaded()?.hover)(text, offset)
}

/// The symbol at a byte offset: where it is given, and where it is used; None where no name stands.
pub fn links(text: &str, offset: usize) -> Option<Links> {
    (loaded()?.links)(text, offset)
}

/// The edits that call the symbol at a byte offset `to`; a sentence where it cannot be.
pub fn rename(text: &str, offset: usize, to: &str) -> Renamed {
    loaded().map(|answers| (answers.rename)(text, offset, to)).unwrap_or_default()
}

/// Judges the objects of a text that is applied to what is there.
pub fn review(text: &str, live: Live) -> (Desired, Vec<String>) {
    match loaded() {
        Some(answers) => (answers.review)(text, live),
        None => (kube::read(text), Vec::new()),
    }
}
