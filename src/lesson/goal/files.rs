//! Moments of files: when one came to be, or came to hold something.

use super::Deed;
use crate::trace::{Change, FileChange, Subject, Timeline, What};
use std::collections::BTreeMap;

pub(super) fn find(
    place: &str,
    name: &str,
    path: &str,
    deed: &Deed,
    timeline: &Timeline,
) -> Vec<usize> {
    let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let mut held = false;
    let mut found = Vec::new();
    for (idx, event) in timeline.events.iter().enumerate() {
        let What::Wrote(change) = &event.what else { continue };
        if !is_place(place, name, change, &event.subject) {
            continue;
        }
        fold(&mut files, change);
        let holds = files.get(path).is_some_and(|content| match deed {
            Deed::Contains(pattern) => pattern.finds(&String::from_utf8_lossy(content)),
            _ => true,
        });
        if holds && !held {
            found.push(idx);
        }
        held = holds;
    }
    found
}

/// What the file held after the last event, for the sentence that says what is missing.
pub(super) fn last(place: &str, name: &str, path: &str, timeline: &Timeline) -> Option<String> {
    let mut files = BTreeMap::new();
    for event in &timeline.events {
        if let What::Wrote(change) = &event.what
            && is_place(place, name, change, &event.subject)
        {
            fold(&mut files, change);
        }
    }
    files.get(path).map(|content| String::from_utf8_lossy(content).into_owned())
}

fn is_place(place: &str, name: &str, change: &FileChange, subject: &Subject) -> bool {
    match (place, subject) {
        ("rootfs", Subject::Container { container, .. }) => {
            &*change.place == "rootfs" && &**container == name
        }
        ("rootfs", _) => false,
        _ => change.place.strip_prefix("volume:") == Some(name),
    }
}

fn fold<'a>(files: &mut BTreeMap<&'a str, Vec<u8>>, change: &'a FileChange) {
    match &change.change {
        Change::Set { content, .. } => {
            files.insert(&change.path, content.clone());
        }
        Change::Append { content, .. } => {
            files.entry(&change.path).or_default().extend_from_slice(content);
        }
        Change::MakeDir => {
            files.insert(&change.path, Vec::new());
        }
        Change::Remove => {
            files.remove(change.path.as_str());
        }
        Change::RenameTo { path } => {
            if let Some(content) = files.remove(change.path.as_str()) {
                files.insert(path, content);
            }
        }
    }
}
