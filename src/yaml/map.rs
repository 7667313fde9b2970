//! A map while it is read: who wins where keys repeat or are merged.

use super::{Entry, Node, Value};
use crate::text::Span;
use std::collections::BTreeMap;

/// Maps up to this size are searched, larger ones get an index.
const SEARCHED_MAX: usize = 16;

/// A map being read.
#[derive(Default)]
pub(super) struct Map {
    entries: Vec<Entry>,
    /// Parallel to `entries`: how each came and whether it still counts.
    states: Vec<State>,
    /// Key -> its last entry, of the first entries.
    index: BTreeMap<String, usize>,
    n_indexed: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Written,
    Merged,
    Replaced,
}

impl Map {
    /// The last entry with this key.
    fn find(&mut self, key: &str) -> Option<usize> {
        if self.entries.len() > SEARCHED_MAX {
            for idx in self.n_indexed..self.entries.len() {
                self.index.insert(self.entries[idx].key.clone(), idx);
            }
            self.n_indexed = self.entries.len();
            return self.index.get(key).copied();
        }
        self.entries.iter().rposition(|entry| entry.key == key)
    }

    /// Adds an entry; the key's span of an earlier one, where the text itself repeats the key.
    pub(super) fn put(&mut self, entry: Entry) -> Option<Span> {
        let old = self.find(&entry.key);
        self.entries.push(entry);
        self.states.push(State::Written);
        let old = old?;
        if self.states[old] == State::Merged {
            self.states[old] = State::Replaced;
            return None;
        }
        Some(self.entries[old].key_span)
    }

    /// Adds another map's entries, which win over those before and lose to those after.
    pub(super) fn merge(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            if let Some(old) = self.find(&entry.key) {
                self.states[old] = State::Replaced;
            }
            self.entries.push(entry);
            self.states.push(State::Merged);
        }
    }

    pub(super) fn node(mut self, start: usize, end: usize) -> Node {
        if self.states.contains(&State::Replaced) {
            let mut states = self.states.iter();
            self.entries.retain(|_| states.next() != Some(&State::Replaced));
        }
        Node { span: Span::new(start, end.max(start)), value: Value::Map(self.entries) }
    }
}
