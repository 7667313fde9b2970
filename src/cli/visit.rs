//! `podlab lessons visit`: what the page of a person who does a lesson asks its worker, as bytes
//! that a build plays to the worker's program. Not how they are answered.

use crate::lesson::Lesson;
use crate::protocol::{Revision, ToWorker};
use crate::sim::STARTED_UNIX_SECS;
use crate::time::SimTime;

/// Between two places of the text that are pointed at, in bytes.
const POINT_EVERY: usize = 7;

/// The messages, each with its length in four bytes before it, the lowest first.
pub(super) fn visit(lesson: &Lesson) -> Vec<u8> {
    let mut asked = Vec::new();
    look(lesson, &lesson.start, &mut asked);
    let manifests = lesson.variants.iter().map(|variant| &variant.manifest);
    for manifest in std::iter::once(&lesson.solution).chain(manifests) {
        write(&lesson.start, manifest, &mut asked);
        look(lesson, manifest, &mut asked);
    }
    let mut bytes = Vec::new();
    for message in asked {
        let one = postcard::to_allocvec(&message).unwrap_or_default();
        bytes.extend(u32::try_from(one.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(one);
    }
    bytes
}

fn check(text: &str) -> ToWorker {
    ToWorker::Check { revision: Revision(0), text: text.to_owned(), practices: false }
}

/// Checks a text, points at it all over, and runs it.
fn look(lesson: &Lesson, text: &str, asked: &mut Vec<ToWorker>) {
    asked.push(check(text));
    for at in (0..text.len()).step_by(POINT_EVERY) {
        let (ask, text, at) = (0, text.to_owned(), u32::try_from(at).unwrap_or(0));
        asked.push(ToWorker::Hover { ask, text: text.clone(), at });
        asked.push(ToWorker::Links { ask, text, at });
    }
    asked.push(ToWorker::Simulate {
        revision: Revision(0),
        text: text.to_owned(),
        actions: lesson.actions.clone(),
        seed: lesson.seed,
        started_unix_secs: STARTED_UNIX_SECS,
        until: SimTime::from_secs(lesson.run_secs),
        goals: lesson.goals(),
    });
}

/// Makes one text of another as somebody would who deletes what differs and types what is to be
/// there, with completions on the way.
fn write(from: &str, to: &str, asked: &mut Vec<ToWorker>) {
    let n_same = from.chars().zip(to.chars()).take_while(|(a, b)| a == b);
    let head: usize = n_same.map(|(c, _)| c.len_utf8()).sum();
    let (was, typed) = (from.get(head..).unwrap_or(""), to.get(head..).unwrap_or(""));
    let n_same = was.chars().rev().zip(typed.chars().rev()).take_while(|(a, b)| a == b);
    let tail: usize = n_same.map(|(c, _)| c.len_utf8()).sum();
    let rest = was.get(was.len() - tail..).unwrap_or("");
    let typed = typed.get(..typed.len() - tail).unwrap_or("");
    for (n, _) in typed.char_indices() {
        let before = format!("{}{}", to.get(..head).unwrap_or(""), typed.get(..n).unwrap_or(""));
        let text = format!("{before}{rest}");
        asked.push(check(&text));
        let at = u32::try_from(before.len()).unwrap_or(0);
        asked.push(ToWorker::Complete { ask: 0, text, at });
    }
}
