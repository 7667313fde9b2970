//! What a lesson's runs rely on, each with its badge: verified, modelled or not simulated. Read
//! from `lessons/behaviours.yaml`; what holds a badge up is written there. Native only.

use super::contract::{images, run_to_end};
use super::goal::goal_problems;
use super::{Goal, Lesson, prose};
use crate::order::Order;
use crate::sim::images::badges::{self, Badge};
use crate::sim::images::find;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    says: String,
    badge: String,
    held_by: String,
    #[serde(default)]
    when: Vec<String>,
}

struct Behaviour {
    key: String,
    says: String,
    badge: Badge,
    /// Any of them shows it; where there is none, every run does.
    when: Vec<Goal>,
}

/// The rows of `behaviours.yaml`, in the order of badges and then of keys.
#[derive(Default)]
pub struct Behaviours {
    rows: Vec<Behaviour>,
    /// In another language, by key or English word.
    words: BTreeMap<String, String>,
}

/// What was read, whole or not, and a sentence for each thing wrong.
pub fn read_behaviours(name: &str, text: &str) -> (Behaviours, Vec<String>) {
    let entries: BTreeMap<String, Entry> = match serde_yaml::from_str(text) {
        Ok(entries) => entries,
        Err(error) => return (Behaviours::default(), vec![format!("{name}: {error}")]),
    };
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (key, entry) in entries {
        let when: Vec<Goal> = entry.when.into_iter().map(Goal).collect();
        for problem in when.iter().flat_map(goal_problems) {
            problems.push(format!("{name}: {key}: {}", problem.message));
        }
        if entry.held_by.trim().is_empty() {
            problems.push(format!("{name}: {key}: nothing holds its badge"));
        }
        match Badge::read(&entry.badge) {
            Some(badge) => rows.push(Behaviour { key, says: entry.says, badge, when }),
            None => problems.push(format!("{name}: {key}: `{}` is no badge", entry.badge)),
        }
    }
    rows.order_by_key(|row: &Behaviour| row.badge as u8);
    (Behaviours { rows, words: BTreeMap::new() }, problems)
}

/// What the runs of one lesson rely on.
#[derive(Clone, Debug, Default)]
pub struct Relied {
    /// Of behaviours.
    pub keys: BTreeSet<String>,
    /// The images in its solution.
    pub images: BTreeSet<String>,
}

/// What a lesson's start and solution rely on when they are run.
pub fn relied(lesson: &Lesson, behaviours: &Behaviours) -> Relied {
    let mut relied = Relied::default();
    for manifest in [&lesson.start, &lesson.solution] {
        let ran = run_to_end(manifest, &[], lesson);
        relied.keys.extend(behaviours.relied_on(|goal| ran.holds(goal)));
        relied.images = images(&ran.checked);
    }
    relied
}

impl Behaviours {
    /// Takes the words of another language; what it leaves out stays English.
    pub fn translate(&mut self, name: &str, text: &str) -> Vec<String> {
        match serde_yaml::from_str(text) {
            Ok(words) => self.words = words,
            Err(error) => return vec![format!("{name}: {error}")],
        }
        let own = [HEADING, "verified", "modelled", "not simulated"];
        let known = |word: &str| own.contains(&word) || self.keys().any(|key| key == word);
        let strange = self.words.keys().filter(|word| !known(word));
        strange.map(|word| format!("{name}: nothing is called `{word}`")).collect()
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.key.as_str())
    }

    /// The keys of those that a run relies on; `holds` judges a goal by it.
    pub(super) fn relied_on(&self, holds: impl Fn(&Goal) -> bool) -> BTreeSet<String> {
        let shown = |row: &&Behaviour| row.when.is_empty() || row.when.iter().any(&holds);
        self.rows.iter().filter(shown).map(|row| row.key.clone()).collect()
    }

    /// The badges of those, as HTML; nothing where there are none.
    pub fn told(&self, relied: &Relied) -> String {
        let word = |key: &str| self.words.get(key).cloned();
        let mut out = String::new();
        for row in self.rows.iter().filter(|row| relied.keys.contains(&row.key)) {
            let badge = word(row.badge.word()).unwrap_or_else(|| match row.badge {
                Badge::Verified => "verified on Kubernetes 1.36".to_owned(),
                other => other.word().to_owned(),
            });
            let says = word(&row.key).unwrap_or_else(|| row.says.clone());
            out.push_str(&format!("<li><em>{badge}</em>: {}.</li>\n", prose::inline(&says)));
        }
        let known = relied.images.iter().filter_map(|name| find(name));
        let rows: BTreeSet<_> = known.flat_map(|image| badges::of(&image)).map(badge_row).collect();
        for (_, program, badge, what) in rows.into_iter().filter(|row| row.1 != "*") {
            let badge = word(badge).unwrap_or_else(|| badge.to_owned());
            out.push_str(&format!("<li><em>{badge}</em>: {program}: {what}.</li>\n"));
        }
        if out.is_empty() {
            return out;
        }
        let heading = word(HEADING).unwrap_or_else(|| HEADING.to_owned());
        format!("<details><summary>{heading}</summary>\n<ul>\n{out}</ul>\n</details>\n")
    }
}

/// To be put in order: the badge's number, and what is printed.
fn badge_row(
    (program, badge, what): badges::Row,
) -> (u8, &'static str, &'static str, &'static str) {
    (badge as u8, program, badge.word(), what)
}

const HEADING: &str = "How far this run can be trusted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn badges_are_read_relied_on_and_told() {
        let text = "a: {says: It `ends`, badge: modelled, held_by: x, when: [no errors]}\n\
                    b: {says: All, badge: verified, held_by: x}\n";
        let (mut own, problems) = read_behaviours("b.yaml", text);
        assert_eq!(problems, [""; 0]);
        assert_eq!(own.relied_on(|_| false), ["b".to_owned()].into());
        let all = own.relied_on(|goal| goal.0 == "no errors");
        let all = Relied { keys: all, images: ["haproxy:2.4".to_owned()].into() };
        let html = own.told(&all);
        assert!(html.contains("<em>not simulated</em>: haproxy: TLS"), "{html}");
        assert!(html.contains("<em>verified on Kubernetes 1.36</em>: All."), "{html}");
        assert!(html.contains("<em>modelled</em>: It <code>ends</code>."), "{html}");
        assert_eq!(own.told(&Relied::default()), "");
        assert_eq!(own.translate("b.de.yaml", "b: Alles\nc: x\n").len(), 1);
        assert!(own.told(&all).contains("Alles"));
    }

    #[test]
    fn what_holds_no_badge_is_told() {
        let cases = [
            ("a: {says: s, badge: sure, held_by: x}", "`sure` is no badge"),
            ("a: {says: s, badge: modelled, held_by: ' '}", "nothing holds its badge"),
            ("a: {says: s, badge: modelled, held_by: x, when: [pod]}", "a: "),
            ("a: {says: s}", "missing field"),
        ];
        for (text, expected) in cases {
            let problems = read_behaviours("b.yaml", text).1;
            assert!(problems.iter().any(|p| p.contains(expected)), "{expected} in {problems:?}");
        }
    }
}
