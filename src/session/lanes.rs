//! The timeline's lanes: one per container in start order, with blocks, marks and bars. Grows with
//! the events, so that a streamed run is not read again and again. Not where they are on a screen.

use crate::time::SimTime;
use crate::trace::{ContainerStatus, Event, EventId, Name, Role, State, Subject, What};
use std::collections::BTreeMap;

/// How a stretch of a container's life looks. Each has its own shape, not only its own colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    Waiting,
    NotReady,
    Ready,
    Completed,
    Failed,
    BackOff,
    Terminating,
}

impl Look {
    /// The CSS class, also the word for tests.
    pub fn class(self) -> &'static str {
        match self {
            Look::Waiting => "waiting",
            Look::NotReady => "notready",
            Look::Ready => "ready",
            Look::Completed => "completed",
            Look::Failed => "failed",
            Look::BackOff => "backoff",
            Look::Terminating => "terminating",
        }
    }

    /// Of a status as the API shows it, and the word kubectl has for it.
    pub fn of(status: &ContainerStatus) -> (Look, String) {
        match &status.state {
            State::Waiting { reason, .. } if reason.contains("BackOff") => {
                (Look::BackOff, reason.clone())
            }
            State::Waiting { reason, .. } => {
                let bad = reason.starts_with("Err") || reason.contains("Error");
                let look =
                    if bad || reason == "InvalidImageName" { Look::Failed } else { Look::Waiting };
                (look, if reason.is_empty() { "Waiting".to_owned() } else { reason.clone() })
            }
            State::Running { .. } if status.ready => (Look::Ready, "Running".to_owned()),
            State::Running { .. } => (Look::NotReady, "Running, not ready".to_owned()),
            State::Terminated { exit_code: 0, reason, .. } => (Look::Completed, reason.clone()),
            State::Terminated { exit_code, reason, .. } => {
                (Look::Failed, format!("{reason} ({exit_code})"))
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub from: SimTime,
    /// None while it lasts.
    pub to: Option<SimTime>,
    pub look: Look,
    pub word: String,
    pub event: EventId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Probe {
        ok: bool,
    },
    Report {
        warning: bool,
    },
    /// A process ended, well where its code is 0.
    Exit {
        ok: bool,
    },
    NotSimulated,
}

/// A stretch that runs out: back-off (a restart waits for it) or grace (a kill waits for it).
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub from: SimTime,
    pub until: SimTime,
    pub grace: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    pub pod: Option<Name>,
    pub container: Option<Name>,
    pub role: Option<Role>,
    /// Index into the eight container hues.
    pub hue: usize,
    pub blocks: Vec<Block>,
    pub marks: Vec<(SimTime, Mark, EventId)>,
    pub bars: Vec<Bar>,
    pub gone: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lanes {
    pub lanes: Vec<Lane>,
    /// What people and faults did, as vertical flags.
    pub flags: Vec<(SimTime, String, EventId)>,
    by_name: BTreeMap<(Name, Name), usize>,
    /// By container name in order of appearance: replicas share one, different containers have
    /// different ones while there are enough.
    hues: BTreeMap<Name, usize>,
}

/// Hues in the colour-blind-safe set.
pub const HUES: usize = 8;

impl Lanes {
    /// No lanes yet, for a next run in which every container keeps its hue.
    pub fn next(&self) -> Lanes {
        Lanes { hues: self.hues.clone(), ..Lanes::default() }
    }

    pub fn push(&mut self, event: &Event) {
        match (&event.subject, &event.what) {
            (_, What::Acted { action }) => self.flags.push((event.at, action.clone(), event.id)),
            (Subject::Pod(pod), What::PodAdded(shape)) => {
                for container in &shape.containers {
                    self.open(pod, &container.name, Some(container.role), event);
                }
            }
            (Subject::Container { pod, container }, What::ContainerAdded(shape)) => {
                self.open(pod, container, Some(shape.role), event);
            }
            (Subject::Pod(pod), What::Deleting { .. }) => self.each(pod, |lane| {
                let running =
                    |b: &Block| b.to.is_none() && matches!(b.look, Look::Ready | Look::NotReady);
                if lane.blocks.last().is_some_and(running) {
                    lane.begin(event, Look::Terminating, "Terminating".to_owned());
                }
            }),
            (Subject::Pod(pod), What::Removed) => self.each(pod, |lane| {
                lane.end(event.at);
                lane.gone = true;
            }),
            (Subject::Container { pod, container }, what) => {
                let key = (pod.clone(), container.clone());
                let Some(lane) = self.by_name.get(&key).and_then(|i| self.lanes.get_mut(*i)) else {
                    return;
                };
                lane.push(event, what);
            }
            _ => {}
        }
    }

    fn open(&mut self, pod: &Name, name: &Name, role: Option<Role>, event: &Event) {
        let next = self.hues.len() % HUES;
        let hue = *self.hues.entry(name.clone()).or_insert(next);
        let key = (pod.clone(), name.clone());
        if self.by_name.contains_key(&key) {
            return;
        }
        let mut lane = Lane {
            pod: Some(pod.clone()),
            container: Some(name.clone()),
            role,
            hue,
            ..Lane::default()
        };
        lane.begin(event, Look::Waiting, "Pending".to_owned());
        self.by_name.insert(key, self.lanes.len());
        self.lanes.push(lane);
    }

    fn each(&mut self, pod: &Name, mut does: impl FnMut(&mut Lane)) {
        self.lanes.iter_mut().filter(|l| l.pod.as_ref() == Some(pod)).for_each(&mut does);
    }

    /// The hue of a container wherever it is drawn.
    pub fn hue(&self, container: &Name) -> usize {
        self.hues.get(container).copied().unwrap_or(0)
    }

    /// Which lane is a container's.
    pub fn place(&self, pod: &Name, container: &Name) -> Option<usize> {
        self.by_name.get(&(pod.clone(), container.clone())).copied()
    }

    /// True where more than one pod has lanes, so that labels must name the pod.
    pub fn many_pods(&self) -> bool {
        self.lanes.windows(2).any(|pair| pair[0].pod != pair[1].pod)
    }
}

impl Lane {
    fn begin(&mut self, event: &Event, look: Look, word: String) {
        if let Some(last) = self.blocks.last_mut() {
            if last.to.is_none() && last.look == look && last.word == word {
                return;
            }
            last.to.get_or_insert(event.at);
        }
        self.blocks.push(Block { from: event.at, to: None, look, word, event: event.id });
    }

    fn end(&mut self, at: SimTime) {
        if let Some(last) = self.blocks.last_mut() {
            last.to.get_or_insert(at);
        }
    }

    fn push(&mut self, event: &Event, what: &What) {
        let mark = match what {
            What::Status(status) => {
                let (look, word) = Look::of(status);
                let ending = self.blocks.last().is_some_and(|b| b.look == Look::Terminating);
                let runs = matches!(look, Look::Ready | Look::NotReady);
                if !(ending && runs) {
                    self.begin(event, look, word);
                }
                return;
            }
            What::BackOff { until, .. } => {
                self.bars.push(Bar { from: event.at, until: *until, grace: false });
                return;
            }
            What::Grace { until } => {
                self.bars.push(Bar { from: event.at, until: *until, grace: true });
                return;
            }
            What::Exited { code, .. } => {
                self.cut_bars(event.at);
                Mark::Exit { ok: *code == 0 }
            }
            What::Probe { ok, .. } => Mark::Probe { ok: *ok },
            What::Reported { warning, .. } => Mark::Report { warning: *warning },
            What::NotSimulated { .. } => Mark::NotSimulated,
            _ => return,
        };
        self.marks.push((event.at, mark, event.id));
    }

    /// A grace period is over when the container is.
    fn cut_bars(&mut self, at: SimTime) {
        for bar in self.bars.iter_mut().filter(|b| b.grace && b.from <= at) {
            bar.until = bar.until.min(at);
        }
    }
}

/// Which marks stand together within `gap` of each other: (first, how many, worst).
pub fn cluster(
    marks: &[(SimTime, Mark, EventId)],
    gap: SimTime,
) -> Vec<(SimTime, usize, Mark, EventId)> {
    let mut out: Vec<(SimTime, usize, Mark, EventId)> = Vec::new();
    for (at, mark, event) in marks {
        let same = |last: &Mark| std::mem::discriminant(last) == std::mem::discriminant(mark);
        match out.last_mut() {
            Some((from, n, worst, id)) if same(worst) && *at - *from < gap => {
                *n += 1;
                if bad(mark) && !bad(worst) {
                    (*worst, *id) = (*mark, *event);
                }
            }
            _ => out.push((*at, 1, *mark, *event)),
        }
    }
    out
}

fn bad(mark: &Mark) -> bool {
    matches!(
        mark,
        Mark::Probe { ok: false } | Mark::Report { warning: true } | Mark::Exit { ok: false }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    fn words(lanes: &Lanes, container: &str) -> String {
        let lane = lanes.lanes.iter().find(|l| l.container.as_deref() == Some(container)).unwrap();
        let word = |b: &Block| {
            let to = b.to.map_or("..".to_owned(), |t| t.as_secs().to_string());
            format!("{}-{to} {}", b.from.as_secs(), b.look.class())
        };
        lane.blocks.iter().map(word).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn blocks_follow_the_states() {
        let mut lanes = Lanes::default();
        fixture::timeline().events.iter().for_each(|e| lanes.push(e));
        assert_eq!(words(&lanes, "setup"), "0-1 waiting, 1-3 notready, 3-.. completed");
        assert_eq!(words(&lanes, "shipper"), "0-4 waiting, 4-.. ready");
        assert_eq!(
            words(&lanes, "app"),
            "0-5 waiting, 5-9 notready, 9-20 ready, 20-21 failed, 21-31 backoff, 31-.. ready"
        );
        assert!(!lanes.many_pods());
    }

    #[test]
    fn a_container_keeps_its_hue_from_pod_to_pod() {
        let mut lanes = Lanes::default();
        let timeline = fixture::timeline();
        let added = timeline.events.iter().find(|e| matches!(e.what, What::PodAdded(_))).unwrap();
        let mut add = |pod: &str, names: &[&str]| {
            let mut event = added.clone();
            event.subject = Subject::Pod(pod.into());
            let What::PodAdded(shape) = &mut event.what else { return };
            let mut shape_now = (**shape).clone();
            shape_now.containers.truncate(names.len());
            for (container, name) in shape_now.containers.iter_mut().zip(names) {
                container.name = (*name).into();
            }
            *shape = shape_now.into();
            lanes.push(&event);
        };
        add("web-1", &["web"]);
        add("db", &["db", "exporter"]);
        add("web-2", &["web"]);
        let hues: Vec<usize> = lanes.lanes.iter().map(|l| l.hue).collect();
        assert_eq!(hues, [0, 1, 2, 0]);
        assert_eq!(lanes.next().hue(&"exporter".into()), 2);
    }

    #[test]
    fn near_marks_are_one() {
        let at = |s: u64, ok: bool| (SimTime::from_secs(s), Mark::Probe { ok }, EventId(s as u32));
        let marks = [at(0, true), at(1, false), at(2, true), at(10, true)];
        let found = cluster(&marks, SimTime::from_secs(5));
        let short: Vec<_> = found.iter().map(|(t, n, m, _)| (t.as_secs(), *n, bad(m))).collect();
        assert_eq!(short, [(0, 3, true), (10, 1, false)]);
        assert_eq!(cluster(&marks, SimTime::ZERO).len(), 4);
    }
}
