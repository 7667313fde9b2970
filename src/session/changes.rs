//! What an edit changed in a run, in a line or two: "shipper now starts after app". Compares
//! milestones of two finished runs; small shifts of time are not news.

use crate::time::SimTime;
use crate::trace::{Event, Name, Subject, Timeline, What};
use std::collections::BTreeMap;

/// The milestones of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Milestones {
    containers: BTreeMap<Name, Life>,
    /// In order of first start.
    order: Vec<Name>,
    /// The last STATUS of each pod, pods in name order; names themselves may be random.
    statuses: Vec<String>,
    /// When the first pod was gone, and how many were.
    gone: Option<SimTime>,
    n_gone: u32,
    end: SimTime,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Life {
    started: Option<SimTime>,
    n_exits: u32,
    last_exit: Option<i32>,
    exited: Option<SimTime>,
    ready: Option<SimTime>,
    n_lines: u32,
}

/// Sentences at most; more would be a report.
const SENTENCES_MAX: usize = 3;
/// Shifts smaller than this are not told.
const SHIFT_MIN: SimTime = SimTime::from_secs(2);

impl Milestones {
    pub fn of(timeline: &Timeline) -> Milestones {
        let mut found = Milestones { end: timeline.now, ..Milestones::default() };
        let mut statuses: BTreeMap<Name, String> = BTreeMap::new();
        for event in &timeline.events {
            match (&event.subject, &event.what) {
                (Subject::Pod(pod), What::Row { status, .. }) => {
                    statuses.insert(pod.clone(), status.clone());
                }
                (Subject::Pod(_), What::PodAdded(shape)) => {
                    for container in &shape.containers {
                        found.containers.entry(container.name.clone()).or_default();
                    }
                }
                (Subject::Pod(_), What::Removed) => {
                    found.gone.get_or_insert(event.at);
                    found.n_gone += 1;
                }
                (Subject::Container { container, .. }, what) => found.note(container, what, event),
                _ => {}
            }
        }
        found.statuses = statuses.into_values().collect();
        found
    }

    fn note(&mut self, name: &Name, what: &What, event: &Event) {
        let life = self.containers.entry(name.clone()).or_default();
        match what {
            What::Started { .. } if life.started.is_none() => {
                life.started = Some(event.at);
                self.order.push(name.clone());
            }
            What::Exited { code, .. } => {
                life.n_exits += 1;
                life.last_exit = Some(*code);
                life.exited.get_or_insert(event.at);
            }
            What::Status(status) if status.ready => {
                life.ready.get_or_insert(event.at);
            }
            What::Log { .. } => life.n_lines += 1,
            _ => {}
        }
    }
}

/// What is new in `new`, most telling first; empty where nothing worth a line changed.
pub fn between(old: &Milestones, new: &Milestones) -> Vec<String> {
    let mut out = Vec::new();
    for name in new.containers.keys().filter(|n| !old.containers.contains_key(*n)) {
        out.push(format!("container {name} is new"));
    }
    for name in old.containers.keys().filter(|n| !new.containers.contains_key(*n)) {
        out.push(format!("container {name} is gone"));
    }
    if let (Some(was), Some(is)) = (old.statuses.first(), new.statuses.first())
        && was != is
    {
        out.push(format!("the pod now ends as {is} (was {was})"));
    }
    out.extend(order(old, new));
    out.extend(gone(old, new));
    for (name, is) in &new.containers {
        if let Some(was) = old.containers.get(name) {
            out.extend(life(name, was, is));
        }
    }
    out.truncate(SENTENCES_MAX);
    out
}

fn gone(old: &Milestones, new: &Milestones) -> Option<String> {
    match (old.gone, new.gone) {
        (None, Some(at)) => Some(format!("a pod is gone at {} s", at.as_secs())),
        (Some(_), None) => Some("no pod goes any more".to_owned()),
        _ if old.n_gone != new.n_gone => {
            Some(format!("{} pods go in all (was {})", new.n_gone, old.n_gone))
        }
        (Some(was), Some(is)) => shift(was, is).map(|by| format!("the pod is gone {by}")),
        _ => None,
    }
}

/// "12 s earlier"; None for a shift too small to be told.
fn shift(was: SimTime, is: SimTime) -> Option<String> {
    let (by, word) = if is < was { (was - is, "earlier") } else { (is - was, "later") };
    (by > SHIFT_MIN).then(|| format!("{} s {word}", by.as_secs()))
}

fn order(old: &Milestones, new: &Milestones) -> Option<String> {
    let place = |m: &Milestones, name: &Name| m.order.iter().position(|n| n == name);
    for pair in new.order.windows(2) {
        let [before, after] = pair else { continue };
        if let (Some(a), Some(b)) = (place(old, before), place(old, after))
            && a > b
        {
            return Some(format!("{after} now starts after {before}"));
        }
    }
    None
}

fn life(name: &Name, was: &Life, is: &Life) -> Option<String> {
    match (was.started, is.started) {
        (None, Some(at)) => return Some(format!("{name} now starts, at {} s", at.as_secs())),
        (Some(_), None) => return Some(format!("{name} no longer starts")),
        _ => {}
    }
    match (was.n_exits, is.n_exits) {
        (0, n) if n > 0 => {
            let code = is.last_exit.unwrap_or(0);
            return Some(format!("{name} now exits (code {code})"));
        }
        (n, 0) if n > 0 => return Some(format!("{name} no longer exits")),
        (a, b) if a != b => return Some(format!("{name} now exits {b} times (was {a})")),
        _ => {}
    }
    if was.last_exit != is.last_exit {
        let code = is.last_exit.unwrap_or(0);
        return Some(format!("{name} now exits with code {code}"));
    }
    match (was.ready, is.ready) {
        (None, Some(at)) => return Some(format!("{name} is now ready, at {} s", at.as_secs())),
        (Some(_), None) => return Some(format!("{name} is no longer ready")),
        (Some(a), Some(b)) => {
            if let Some(by) = shift(a, b) {
                return Some(format!("{name} is ready {by}"));
            }
        }
        _ => {}
    }
    if let (Some(a), Some(b)) = (was.exited, is.exited)
        && let Some(by) = shift(a, b)
    {
        return Some(format!("{name} exits {by}"));
    }
    match (was.n_lines, is.n_lines) {
        (0, n) if n > 0 => Some(format!("{name} now logs")),
        (n, 0) if n > 0 => Some(format!("{name} no longer logs")),
        (a, b) if a.abs_diff(b) * 5 > a => Some(format!("{name} logs {b} lines (was {a})")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(order: &[&str], status: &str, exits: &[(&str, i32)]) -> Milestones {
        let mut m = Milestones { statuses: vec![status.into()], ..Milestones::default() };
        for (i, name) in order.iter().enumerate() {
            let started = Some(SimTime::from_secs(i as u64));
            m.containers.insert((*name).into(), Life { started, ..Life::default() });
            m.order.push((*name).into());
        }
        for (name, code) in exits {
            let life = m.containers.get_mut(*name).unwrap();
            (life.n_exits, life.last_exit) = (1, Some(*code));
        }
        m
    }

    #[test]
    fn changes_are_told_in_a_line() {
        let base = run(&["app", "shipper"], "Running", &[]);
        let cases = [
            (run(&["app", "shipper"], "Running", &[]), vec![]),
            (run(&["shipper", "app"], "Running", &[]), vec!["app now starts after shipper"]),
            (run(&["app"], "Running", &[]), vec!["container shipper is gone"]),
            (
                run(&["app", "shipper"], "Error", &[("app", 1)]),
                vec!["the pod now ends as Error (was Running)", "app now exits (code 1)"],
            ),
        ];
        for (new, expected) in cases {
            assert_eq!(between(&base, &new), expected);
        }
        let ending = |at: u64| {
            let mut m = run(&["app"], "Running", &[("app", 143)]);
            m.containers.get_mut("app").unwrap().exited = Some(SimTime::from_secs(at));
            (m.gone, m.n_gone) = (Some(SimTime::from_secs(at + 1)), 1);
            m
        };
        assert_eq!(
            between(&ending(40), &ending(12)),
            ["the pod is gone 28 s earlier", "app exits 28 s earlier"]
        );
        assert_eq!(between(&ending(40), &ending(41)), [""; 0]);
    }

    #[test]
    fn milestones_are_read_from_a_run() {
        let timeline = crate::session::fixture::timeline();
        let found = Milestones::of(&timeline);
        assert_eq!(found.statuses, ["Running"]);
        assert_eq!(found.containers["app"].n_exits, 1);
        assert_eq!(found.containers["app"].ready, Some(SimTime::from_secs(9)));
    }
}
