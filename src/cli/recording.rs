//! A timeline in the JSON form of recorded lifecycles, with generated names, addresses and uids
//! replaced by what stands for them, so that a simulation and a recording can be laid side by side.

use crate::time::SimTime;
use crate::trace::{ContainerStatus, Event, PodShape, State, Subject, Timeline, What};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The whole run. `namespace` is the one generated names live in.
pub(super) fn render(timeline: &Timeline, secs: u64) -> Value {
    let mut recorder = Recorder { names: Names::of(timeline), ..Recorder::default() };
    for event in &timeline.events {
        recorder.take(event);
    }
    json!({
        "secs": secs,
        "pods": recorder.pods,
        "objects": recorder.objects,
        "endpoints": recorder.endpoints,
    })
}

/// Generated names and what a recording writes for them, longest first.
#[derive(Default)]
struct Names(Vec<(String, String)>);

impl Names {
    fn of(timeline: &Timeline) -> Names {
        let mut names = Names::default();
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut number = |owner: &str| {
            let count = counts.entry(owner.to_owned()).or_default();
            *count += 1;
            *count
        };
        for event in &timeline.events {
            match (&event.subject, &event.what) {
                (Subject::Object { kind, name }, What::Applied) => {
                    let owner = owner_of(timeline, kind, name);
                    match (&**kind, owner) {
                        ("replicaset", Some(owner)) => {
                            let n = number(&format!("rs of {owner}"));
                            names.add(name, &format!("{owner}-rs{n}"));
                        }
                        ("job", Some(owner)) => names.add(name, &format!("{owner}-<minute>")),
                        _ => {}
                    }
                }
                (Subject::Pod(pod), what @ (What::PodAdded(_) | What::Adopted { .. })) => {
                    let owner = match what {
                        What::PodAdded(shape) => shape.owner.as_deref(),
                        What::Adopted { owner } => Some(owner.as_str()),
                        _ => None,
                    };
                    let owner = owner.and_then(|o| o.split_once('/'));
                    if let Some((kind, owner)) = owner
                        && kind != "StatefulSet"
                        && !names.0.iter().any(|(raw, _)| raw == &**pod)
                    {
                        let owner = names.apply(owner);
                        let n = number(&owner);
                        names.add(pod, &format!("{owner}#{n}"));
                    }
                }
                _ => {}
            }
        }
        names.0.sort_by_key(|(raw, _)| std::cmp::Reverse(raw.len()));
        names
    }

    fn add(&mut self, raw: &str, written: &str) {
        self.0.push((raw.to_owned(), written.to_owned()));
    }

    fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (raw, written) in &self.0 {
            if out.contains(raw.as_str()) {
                out = out.replace(raw.as_str(), written);
            }
        }
        out
    }

    /// A message with everything that differs from run to run replaced.
    fn message(&self, text: &str) -> String {
        let text = self.apply(text);
        let text = replace_words(&text, |w| is_uid(w).then_some("<uid>"));
        let text = replace_words(&text, |w| is_address(w).then_some("<ip>"));
        pulled(&text).unwrap_or(text)
    }
}

/// The controller a generated object belongs to: the one that made it is its cause's subject.
fn owner_of(timeline: &Timeline, kind: &str, name: &str) -> Option<String> {
    let made_by = match kind {
        "replicaset" => "deployment",
        "job" => "cronjob",
        _ => return None,
    };
    let (stem, _) = name.rsplit_once('-')?;
    timeline.events.iter().find_map(|event| match &event.subject {
        Subject::Object { kind, name } if &**kind == made_by && &**name == stem => {
            Some(stem.to_owned())
        }
        _ => None,
    })
}

fn replace_words(text: &str, with: impl Fn(&str) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        if end == 0 {
            let next = rest.find(word).unwrap_or(rest.len());
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        out.push_str(with(&rest[..end]).unwrap_or(&rest[..end]));
        rest = &rest[end..];
    }
    out
}

fn is_uid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

fn is_address(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 4 && word.starts_with("10.") && parts.iter().all(|p| p.parse::<u8>().is_ok())
}

/// `Successfully pulled image "X" in 1.2s (1.2s including waiting). Image size: 3 bytes.`
fn pulled(text: &str) -> Option<String> {
    let (head, tail) = text.strip_prefix("Successfully pulled image ")?.split_once(" in ")?;
    tail.contains("Image size: ").then(|| {
        format!(
            "Successfully pulled image {head} in <time> (<time> including waiting). \
             Image size: <n> bytes."
        )
    })
}

#[derive(Default)]
struct Recorder {
    names: Names,
    pods: Map<String, Value>,
    objects: Map<String, Value>,
    endpoints: Map<String, Value>,
    /// Where in a list of events an event already stands, by (list, raw key).
    seen: BTreeMap<(String, String), usize>,
}

impl Recorder {
    fn take(&mut self, event: &Event) {
        let t = seconds(event.at);
        match &event.subject {
            Subject::Pod(pod) => self.pod(&self.names.apply(pod), t, event),
            Subject::Container { pod, container } => {
                self.container(&self.names.apply(pod), container, t, &event.what);
            }
            Subject::Object { kind, name } => self.object(kind, &self.names.apply(name), t, event),
            Subject::Cluster | Subject::Node(_) => {}
        }
    }

    fn pod(&mut self, pod: &str, t: f64, event: &Event) {
        match &event.what {
            What::PodAdded(shape) => self.add_pod(pod, shape),
            What::Row { ready, total, status, restarts, .. } => {
                let row = json!([t, format!("{ready}/{total}"), status, restarts]);
                self.push(pod, &["rows"], row);
            }
            What::Removed => self.push(pod, &["rows"], json!([t, "DELETED"])),
            What::Phase { phase } => self.push(pod, &["phases"], json!([t, phase])),
            What::Condition { kind, status, reason, .. } => {
                let status = if *status { "True" } else { "False" };
                self.push(pod, &["conditions", kind], json!([t, status, reason]));
            }
            What::PodReason { reason, message } => {
                let message = self.names.message(message);
                self.push(pod, &["reasons"], json!([t, reason, message]));
            }
            What::Reported { warning, reason, field_path, message } => {
                let row = self.report(*warning, reason, field_path.as_deref(), message, t);
                let list = format!("pod {pod}");
                self.add_report(&list, message, row, |r, row| r.push(pod, &["events"], row));
            }
            _ => {}
        }
    }

    fn add_pod(&mut self, pod: &str, shape: &PodShape) {
        if self.pods.contains_key(pod) {
            return;
        }
        let names = shape.containers.iter().map(|c| (c.name.to_string(), json!([])));
        let containers: Map<String, Value> = names.collect();
        self.pods.insert(
            pod.to_owned(),
            json!({
                "rows": [], "phases": [], "containers": containers, "conditions": {},
                "reasons": [], "events": [], "logs": {},
            }),
        );
    }

    fn container(&mut self, pod: &str, container: &str, t: f64, what: &What) {
        match what {
            What::Status(status) => self.push(pod, &["containers", container], state(t, status)),
            What::Started { .. } => {
                let logs = self.pods.get_mut(pod).and_then(|p| p.get_mut("logs"));
                if let Some(logs) = logs.and_then(Value::as_object_mut)
                    && let Some(old) = logs.remove(container)
                {
                    logs.insert(format!("{container}/previous"), old);
                }
            }
            What::Log { line, .. } => self.push(pod, &["logs", container], json!([t, line])),
            What::Reported { warning, reason, field_path, message } => {
                let row = self.report(*warning, reason, field_path.as_deref(), message, t);
                let list = format!("pod {pod}");
                self.add_report(&list, message, row, |r, row| r.push(pod, &["events"], row));
            }
            _ => {}
        }
    }

    fn object(&mut self, kind: &str, name: &str, t: f64, event: &Event) {
        let key = format!("{kind}s/{name}");
        match &event.what {
            What::ObjectRow { cells } if kind != "service" => {
                let mut row = vec![json!(t)];
                row.extend(cells.iter().map(|c| json!(c)));
                self.push_object(&key, "rows", Value::Array(row));
            }
            What::Endpoints { ready, not_ready } => {
                let rows = self.endpoints.entry(name.to_owned()).or_insert_with(|| json!([]));
                if let Some(rows) = rows.as_array_mut() {
                    rows.push(json!([t, ready.len(), not_ready.len()]));
                }
            }
            What::Reported { warning, reason, field_path, message } => {
                let row = self.report(*warning, reason, field_path.as_deref(), message, t);
                self.add_report(&key, message, row, |r, row| r.push_object(&key, "events", row));
            }
            _ => {}
        }
    }

    fn report(
        &self,
        warning: bool,
        reason: &str,
        field_path: Option<&str>,
        message: &str,
        t: f64,
    ) -> Value {
        let kind = if warning { "Warning" } else { "Normal" };
        json!([t, kind, reason, field_path, self.names.message(message), []])
    }

    /// Counts a repeat of an event already there, as the event recorder does; else adds it.
    fn add_report(
        &mut self,
        list: &str,
        raw: &str,
        row: Value,
        push: impl FnOnce(&mut Recorder, Value),
    ) {
        // What is combined is one Event object, whatever it says last.
        let raw = if raw.starts_with("(combined from similar events)") { "combined" } else { raw };
        let raw_key = format!("{} {} {} {raw}", row[1], row[2], row[3]);
        let key = (list.to_owned(), raw_key);
        let n_before = self.seen.keys().filter(|(l, _)| l == list).count();
        let Some(&idx) = self.seen.get(&key) else {
            self.seen.insert(key, n_before);
            push(self, row);
            return;
        };
        let rows = match list.strip_prefix("pod ") {
            Some(pod) => self.pods.get_mut(pod),
            None => self.objects.get_mut(list),
        };
        let repeats = rows.and_then(|r| r.get_mut("events")?.get_mut(idx)?.get_mut(5));
        if let Some(repeats) = repeats.and_then(Value::as_array_mut) {
            repeats.push(row[0].clone());
        }
    }

    fn push(&mut self, pod: &str, path: &[&str], row: Value) {
        let Some(mut place) = self.pods.get_mut(pod) else { return };
        for step in path {
            let Some(map) = place.as_object_mut() else { return };
            place = map.entry((*step).to_owned()).or_insert_with(|| json!({}));
        }
        append(place, row, ["events", "logs"].contains(&path[0]));
    }

    fn push_object(&mut self, key: &str, list: &str, row: Value) {
        let fresh = || json!({"rows": [], "events": []});
        let object = self.objects.entry(key.to_owned()).or_insert_with(fresh);
        if let Some(rows) = object.get_mut(list) {
            append(rows, row, list == "events");
        }
    }
}

/// Adds a row; lists of states hold changes only, so one equal to the row before it, time aside,
/// is left out. Events and log lines are all kept.
fn append(list: &mut Value, row: Value, all: bool) {
    if !list.is_array() {
        *list = json!([]);
    }
    let Some(rows) = list.as_array_mut() else { return };
    let tail = |row: &Value| row.as_array().map(|r| r[1..].to_vec());
    if all || rows.last().map(tail) != Some(tail(&row)) {
        rows.push(row);
    }
}

fn state(t: f64, status: &ContainerStatus) -> Value {
    let (word, reason, code) = match &status.state {
        State::Waiting { reason, .. } => ("waiting", Some(reason), None),
        State::Running { .. } => ("running", None, None),
        State::Terminated { reason, exit_code, .. } => {
            ("terminated", Some(reason), Some(*exit_code))
        }
    };
    json!([t, word, reason, code, status.restart_count, status.ready, status.started])
}

/// Seconds with one decimal, as recordings have them.
fn seconds(at: SimTime) -> f64 {
    (at.as_millis() as f64 / 100.0).round() / 10.0
}
