//! Undo that survives a reload: changes of the text as deltas, capped, coalesced while typing.

/// `removed` stood at byte `at` and `inserted` took its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    pub at: usize,
    pub removed: String,
    pub inserted: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    pub past: Vec<Delta>,
    future: Vec<Delta>,
}

/// Deltas kept, and the bytes they may hold together; older ones are forgotten first.
const DELTAS_MAX: usize = 300;
const BYTES_MAX: usize = 128 * 1024;
/// Typing at one place is one step up to this many bytes.
const TYPED_MAX: usize = 24;

impl Delta {
    /// The smallest change that turns `old` into `new`; None where they are equal.
    pub fn between(old: &str, new: &str) -> Option<Delta> {
        if old == new {
            return None;
        }
        let (a, b) = (old.as_bytes(), new.as_bytes());
        let mut start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
        while !(old.is_char_boundary(start) && new.is_char_boundary(start)) {
            start -= 1;
        }
        let room = a.len().min(b.len()) - start;
        let mut tail =
            a.iter().rev().zip(b.iter().rev()).take(room).take_while(|(x, y)| x == y).count();
        let cut = |tail: usize| {
            old.is_char_boundary(old.len() - tail) && new.is_char_boundary(new.len() - tail)
        };
        while !cut(tail) {
            tail -= 1;
        }
        Some(Delta {
            at: start,
            removed: old.get(start..old.len() - tail)?.to_owned(),
            inserted: new.get(start..new.len() - tail)?.to_owned(),
        })
    }

    fn on(&self, text: &str, out: &str, into: &str) -> Option<String> {
        let end = self.at.checked_add(out.len())?;
        if text.get(self.at..end) != Some(out) {
            return None;
        }
        Some(format!("{}{}{}", &text[..self.at], into, &text[end..]))
    }

    /// Typing on where the last change ended, on the same line.
    fn continues(&self, last: &Delta) -> bool {
        (self.removed.is_empty() && last.removed.is_empty())
            && !self.inserted.contains('\n')
            && !last.inserted.contains('\n')
            && self.at == last.at + last.inserted.len()
            && last.inserted.len() + self.inserted.len() <= TYPED_MAX
    }
}

impl History {
    pub fn with_past(past: Vec<Delta>) -> History {
        History { past, future: Vec::new() }
    }

    pub fn note(&mut self, old: &str, new: &str) {
        let Some(delta) = Delta::between(old, new) else { return };
        self.future.clear();
        match self.past.last_mut() {
            Some(last) if delta.continues(last) => last.inserted.push_str(&delta.inserted),
            _ => self.past.push(delta),
        }
        let bytes = |d: &Delta| d.removed.len() + d.inserted.len();
        let mut total: usize = self.past.iter().map(bytes).sum();
        while self.past.len() > DELTAS_MAX || (total > BYTES_MAX && !self.past.is_empty()) {
            total -= bytes(&self.past.remove(0));
        }
    }

    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }

    /// The text before the last change; None where there is none or it does not fit the text.
    pub fn undo(&mut self, text: &str) -> Option<String> {
        let delta = self.past.pop()?;
        let before = delta.on(text, &delta.inserted, &delta.removed);
        self.future.push(delta);
        before
    }

    pub fn redo(&mut self, text: &str) -> Option<String> {
        let delta = self.future.pop()?;
        let after = delta.on(text, &delta.removed, &delta.inserted);
        self.past.push(delta);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes each text after the first, undoes all, redoes all.
    fn round(texts: &[&str]) -> usize {
        let mut history = History::default();
        for pair in texts.windows(2) {
            history.note(pair[0], pair[1]);
        }
        let steps = history.past.len();
        let mut text = texts.last().unwrap().to_string();
        while history.can_undo() {
            text = history.undo(&text).expect("fits");
        }
        assert_eq!(text, texts[0]);
        while history.can_redo() {
            text = history.redo(&text).expect("fits");
        }
        assert_eq!(&text, texts.last().unwrap());
        steps
    }

    #[test]
    fn undo_and_redo_come_back_to_the_same_text() {
        assert_eq!(round(&["", "a", "ab", "abc"]), 1, "typing is one step");
        assert_eq!(round(&["x\n", "x\ny", "x\n", "z"]), 3);
        assert_eq!(round(&["aaa", "aa", "aaaa"]), 2);
        assert_eq!(round(&["é", "è", "日本", "日本語", ""]), 5 - 1);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let stray = Delta { at: 7, removed: String::new(), inserted: "b".into() };
        assert_eq!(History::with_past(vec![stray]).undo("abc"), None);
    }

    #[test]
    fn old_changes_are_forgotten() {
        let mut history = History::default();
        let big = "x".repeat(BYTES_MAX);
        history.note("", "a\n");
        history.note("a\n", &big);
        assert!(history.past.len() <= 1);
    }
}
