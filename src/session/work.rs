//! What is kept of a person's work, and the plain text it is kept as: one record per lesson and
//! version, readable by people, lengths before free text so that nothing needs escaping.

use super::history::Delta;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// One lesson's (or the sandbox's) work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// `track/slug` or `sandbox`.
    pub id: String,
    /// The lesson's version it was made for.
    pub version: String,
    pub text: String,
    /// Counted from 0.
    pub step: usize,
    /// Ids of tasks that held once.
    pub done: BTreeSet<String>,
    /// Chosen answer by step.
    pub predictions: BTreeMap<usize, usize>,
    pub n_hints: usize,
    /// Time worked on a drill, in seconds.
    pub spent_secs: u64,
    pub solution_seen: bool,
    /// What stood in the editor before the last reset, import or solution.
    pub kept: Option<String>,
    /// The editor's own undo and folds, as it wrote them.
    pub editor_state: Option<String>,
    pub past: Vec<Delta>,
    /// Counts up with each change, so that the newest record can be told.
    pub touched: u64,
}

const FIRST_LINE: &str = "podlab-work 1";

impl Work {
    /// The key it is stored under.
    pub fn key(&self) -> String {
        format!("podlab.work.{}@{}", self.id, self.version)
    }

    pub fn encode(&self) -> String {
        let mut out = format!("{FIRST_LINE}\n");
        let done: Vec<&str> = self.done.iter().map(String::as_str).collect();
        let choices: Vec<String> =
            self.predictions.iter().map(|(s, c)| format!("{s}:{c}")).collect();
        let _ = writeln!(out, "lesson {}\nversion {}\nstep {}", self.id, self.version, self.step);
        let _ = writeln!(out, "done {}\npredictions {}", done.join(","), choices.join(","));
        let _ = writeln!(out, "hints {}\nsolution {}", self.n_hints, u8::from(self.solution_seen));
        let _ = writeln!(out, "spent {}\ntouched {}", self.spent_secs, self.touched);
        free(&mut out, "text", &self.text);
        if let Some(kept) = &self.kept {
            free(&mut out, "kept", kept);
        }
        if let Some(state) = &self.editor_state {
            free(&mut out, "editor", state);
        }
        for delta in &self.past {
            let _ = writeln!(out, "change {}", delta.at);
            free(&mut out, "removed", &delta.removed);
            free(&mut out, "inserted", &delta.inserted);
        }
        out
    }

    /// Reads what `encode` wrote; None for anything else. Unknown lines are skipped, so that an
    /// older page can read what a newer one kept.
    pub fn decode(record: &str) -> Option<Work> {
        let mut rest = record.strip_prefix(FIRST_LINE)?.strip_prefix('\n')?;
        let mut work = Work::default();
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            let mut body = || -> Option<String> {
                let len: usize = value.parse().ok()?;
                let text = rest.get(..len)?.to_owned();
                rest = rest.get(len + 1..).unwrap_or("");
                Some(text)
            };
            match name {
                "text" => work.text = body()?,
                "kept" => work.kept = Some(body()?),
                "editor" => work.editor_state = Some(body()?),
                "removed" => work.past.last_mut()?.removed = body()?,
                "inserted" => work.past.last_mut()?.inserted = body()?,
                "change" => work.past.push(Delta {
                    at: value.parse().ok()?,
                    removed: String::new(),
                    inserted: String::new(),
                }),
                _ => work.read_line(name, value),
            }
        }
        (!work.id.is_empty()).then_some(work)
    }

    fn read_line(&mut self, name: &str, value: &str) {
        let words = || value.split(',').filter(|w| !w.is_empty());
        match name {
            "lesson" => self.id = value.to_owned(),
            "version" => self.version = value.to_owned(),
            "step" => self.step = value.parse().unwrap_or(0),
            "done" => self.done = words().map(str::to_owned).collect(),
            "predictions" => {
                let pair = |w: &str| {
                    let (step, choice) = w.split_once(':')?;
                    Some((step.parse().ok()?, choice.parse().ok()?))
                };
                self.predictions = words().filter_map(pair).collect();
            }
            "hints" => self.n_hints = value.parse().unwrap_or(0),
            "solution" => self.solution_seen = value == "1",
            "spent" => self.spent_secs = value.parse().unwrap_or(0),
            "touched" => self.touched = value.parse().unwrap_or(0),
            _ => {}
        }
    }
}

fn free(out: &mut String, name: &str, text: &str) {
    let _ = writeln!(out, "{name} {}\n{text}", text.len());
}

/// All records in one file, and back.
pub fn encode_all<'a>(works: impl IntoIterator<Item = &'a Work>) -> String {
    let mut out = String::from("podlab-all 1\n");
    for work in works {
        free(&mut out, "record", &work.encode());
    }
    out
}

/// The records of a file of ours; None for any other text.
pub fn decode_all(file: &str) -> Option<Vec<Work>> {
    let mut rest = file.strip_prefix("podlab-all 1\n")?;
    let mut works = Vec::new();
    while let Some((line, after)) = rest.split_once('\n') {
        let len: usize = line.strip_prefix("record ")?.parse().ok()?;
        works.extend(Work::decode(after.get(..len)?));
        rest = after.get(len + 1..).unwrap_or("");
    }
    Some(works)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Work {
        Work {
            id: "init/wait".into(),
            version: "a1b2".into(),
            text: "a: b\n# record 7\n\ntext 3\n".into(),
            step: 2,
            done: ["one".into(), "two".into()].into(),
            predictions: [(0, 1), (3, 0)].into(),
            n_hints: 1,
            spent_secs: 83,
            solution_seen: true,
            kept: Some("日本\n".into()),
            editor_state: Some("{\"doc\":\"é\"}".into()),
            past: vec![Delta { at: 3, removed: "x\n".into(), inserted: String::new() }],
            touched: 99,
        }
    }

    #[test]
    fn records_come_back() {
        let bare = Work { id: "sandbox".into(), ..Work::default() };
        for work in [full(), bare] {
            assert_eq!(Work::decode(&work.encode()), Some(work.clone()));
        }
        let all = [full(), Work { id: "sandbox".into(), ..Work::default() }];
        assert_eq!(decode_all(&encode_all(&all)), Some(all.to_vec()));
    }

    #[test]
    fn damage_is_refused() {
        let good = full().encode();
        assert_eq!(Work::decode(""), None);
        assert_eq!(Work::decode("apiVersion: v1\nkind: Pod\n"), None);
        assert_eq!(Work::decode(&good.replace("text 24", "text 2400000")), None);
        assert_eq!(Work::decode(&good.replace("lesson init/wait\n", "")), None);
        assert_eq!(decode_all("podlab-all 1\nrecord x\n"), None);
        for cut in 0..good.len() {
            if let Some(part) = good.get(..cut) {
                let _ = Work::decode(part);
            }
        }
    }
}
