//! Whether a goal holds, and one sentence from the learner's own run that says why.

use super::find::{find, row};
use super::manifest::{self, Found};
use super::tell::{is_like, kind_of, last_line, n_times, now, participle, past, short, tell};
use super::{Assertion, Deed, ManifestHas, Moment, Times, Value, Who, files, parse};
use crate::check::Checked;
use crate::diagnostic::Severity;
use crate::kube::Desired;
use crate::lesson::{Goal, GoalResult};
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{Event, Timeline, What};

/// One result for each goal, in order.
/// `live` are the cluster's objects at the end of the run, where it is over and goals ask.
pub fn judge(
    goals: &[Goal],
    checked: &Checked,
    timeline: &Timeline,
    live: Option<&Desired>,
) -> Vec<GoalResult> {
    let judge = Judge { checked, timeline, live };
    goals.iter().map(|goal| judge.one(goal)).collect()
}

/// Whether any goal looks at the cluster's objects.
pub fn asks_the_cluster(goals: &[Goal]) -> bool {
    goals.iter().any(|goal| goal.0.contains("cluster has"))
}

/// What one line came to.
#[derive(Default)]
struct Shown<'a> {
    holds: bool,
    because: String,
    at: Option<SimTime>,
    event: Option<&'a Event>,
    origin: Option<Span>,
}

impl<'a> Shown<'a> {
    fn no(because: String) -> Shown<'a> {
        Shown { because, ..Shown::default() }
    }

    fn yes(because: String) -> Shown<'a> {
        Shown { holds: true, because, ..Shown::default() }
    }

    fn by(mut self, event: Option<&'a Event>) -> Shown<'a> {
        self.at = event.map(|event| event.at);
        self.event = event;
        self
    }
}

struct Judge<'a> {
    checked: &'a Checked,
    timeline: &'a Timeline,
    live: Option<&'a Desired>,
}

impl<'a> Judge<'a> {
    /// All lines must hold: the first that does not explains; else the one an event showed last.
    fn one(&self, goal: &Goal) -> GoalResult {
        let lines = parse(goal);
        if lines.is_empty() {
            let because = "This goal says nothing, so nothing can fulfil it.".to_owned();
            return GoalResult { goal: goal.clone(), because, ..GoalResult::default() };
        }
        let mut best: Option<Shown> = None;
        let mut since = None;
        for (_, line) in lines {
            let shown = match line {
                Ok(assertion) => self.assertion(&assertion),
                Err(problem) => Shown::no(format!(
                    "This goal cannot be read: column {}: {}.",
                    problem.span.start + 1,
                    problem.message
                )),
            };
            let holds = shown.holds;
            since = since.max(shown.at);
            let weight = |shown: &Shown| (shown.event.map(|event| event.at), shown.at);
            if !holds || best.as_ref().is_none_or(|b| weight(b) <= weight(&shown)) {
                best = Some(shown);
            }
            if !holds {
                break;
            }
        }
        let shown = best.unwrap_or_default();
        GoalResult {
            goal: goal.clone(),
            holds: shown.holds,
            because: shown.because,
            at: if shown.holds { since } else { shown.at },
            event: shown.event.map(|event| event.id),
            origin: shown.origin.or_else(|| shown.event.and_then(|event| event.origin)),
        }
    }

    fn assertion(&self, assertion: &Assertion) -> Shown<'a> {
        match assertion {
            Assertion::Happens { moment, times, from, within } => {
                self.happens(moment, *times, *from, *within)
            }
            Assertion::Order { first, then } => self.order(first, then),
            Assertion::Is { moment, at } => self.is(moment, *at),
            Assertion::Stays { moment, from } => self.stays(moment, *from),
            Assertion::Manifest(has) => written(has, &self.checked.desired),
            Assertion::Cluster(has) => self.cluster(has),
            Assertion::NoErrors => self.none_of("error", |s| s == Severity::Error),
            Assertion::NoWarnings => self.none_of("warning", |s| s <= Severity::Warning),
            Assertion::NoRemarks(codes) => self.no_remarks(codes),
            Assertion::NothingUnsimulated => self.nothing_unsimulated(),
            Assertion::Refused(pattern) => {
                let mut errors =
                    self.checked.diagnostics.iter().filter(|d| d.severity == Severity::Error);
                match errors.find(|d| pattern.finds(&d.message)) {
                    Some(d) => Shown {
                        origin: Some(d.span),
                        ..Shown::yes(format!("The API server refuses it: {}", d.message))
                    },
                    None => Shown::no(format!("No refusal says {}.", pattern.said())),
                }
            }
        }
    }

    fn none_of(&self, word: &str, bad: fn(Severity) -> bool) -> Shown<'a> {
        match self.checked.diagnostics.iter().find(|d| bad(d.severity)) {
            Some(d) => Shown {
                origin: Some(d.span),
                ..Shown::no(format!("The manifest has a problem: {}", d.message))
            },
            None => Shown::yes(format!("The API server has no {word} to report.")),
        }
    }

    fn no_remarks(&self, codes: &[String]) -> Shown<'a> {
        let meant = |code: &str| codes.is_empty() || codes.iter().any(|own| own == code);
        let mut remarks =
            self.checked.diagnostics.iter().filter(|d| d.severity == Severity::Practice);
        match remarks.find(|d| meant(d.code.as_ref())) {
            Some(d) => {
                Shown { origin: Some(d.span), ..Shown::no(format!("To mend: {}", d.message)) }
            }
            None => Shown::yes("Best practice has nothing to remark here.".to_owned()),
        }
    }

    fn nothing_unsimulated(&self) -> Shown<'a> {
        let mut events = self.timeline.events.iter();
        match events.find(|event| matches!(event.what, What::NotSimulated { .. })) {
            Some(event) => {
                let What::NotSimulated { what } = &event.what else { return Shown::default() };
                Shown::no(format!("The lab could not simulate this: {what}.")).by(Some(event))
            }
            None => Shown::yes("Everything in this run was simulated.".to_owned()),
        }
    }

    fn cluster(&self, has: &ManifestHas) -> Shown<'a> {
        let Some(live) = self.live else { return self.too_early() };
        let shown = written(has, live);
        let because = shown.because.replacen("manifest", "cluster", 1);
        Shown { because, origin: None, ..shown }
    }

    fn too_early(&self) -> Shown<'a> {
        Shown::no(format!("It is only {} s in this run.", self.timeline.now))
    }

    /// Whether nothing more can come that would change the count by `within`.
    fn over(&self, within: Option<SimTime>) -> bool {
        self.timeline.end.is_some() || within.is_some_and(|within| self.timeline.now > within)
    }

    fn happens(
        &self,
        moment: &Moment,
        times: Times,
        from: SimTime,
        within: Option<SimTime>,
    ) -> Shown<'a> {
        let found = find(moment, self.timeline);
        let all: Vec<&'a Event> = found
            .iter()
            .filter_map(|idx| self.timeline.events.get(*idx))
            .filter(|event| event.at >= from)
            .collect();
        let in_time = all.iter().filter(|e| within.is_none_or(|end| e.at <= end)).count();
        match times {
            Times::AtLeast(n) if in_time >= n => {
                let event = n.checked_sub(1).and_then(|idx| all.get(idx).copied());
                self.it_happened(moment, event, n)
            }
            Times::AtLeast(n) => self.too_few(moment, &all, n, in_time, within),
            Times::AtMost(n) | Times::Exactly(n) if in_time > n => {
                let event = all.get(n).copied();
                let told = event.map_or(String::new(), |event| tell(moment, event));
                let limit = match n {
                    0 => "never".to_owned(),
                    n => format!("{} at most", n_times(n)),
                };
                Shown::no(format!("{told}; it should have been {limit}.")).by(event)
            }
            Times::Exactly(n) if in_time < n => self.too_few(moment, &all, n, in_time, within),
            Times::AtMost(_) | Times::Exactly(_) if !self.over(within) => {
                let now = self.timeline.now;
                Shown::no(format!("So far so good at {now} s; the run is not over."))
            }
            Times::AtMost(_) | Times::Exactly(_) => {
                let who = moment.who.said();
                let told = match all.get(in_time.wrapping_sub(1)) {
                    Some(event) => format!("{}, {} in all.", tell(moment, event), n_times(in_time)),
                    None => match within {
                        Some(end) => format!("{who} never {} by {end} s.", past(&moment.deed)),
                        None => format!("{who} never {}.", past(&moment.deed)),
                    },
                };
                let end = within.map_or(self.timeline.now, |end| end.min(self.timeline.now));
                Shown { at: Some(end), ..Shown::yes(told) }
            }
        }
    }

    fn it_happened(&self, moment: &Moment, event: Option<&'a Event>, n: usize) -> Shown<'a> {
        let told = event.map_or(String::new(), |event| tell(moment, event));
        let which = if n > 1 { format!(", number {n}") } else { String::new() };
        Shown::yes(format!("{told}{which}.")).by(event)
    }

    fn too_few(
        &self,
        moment: &Moment,
        all: &[&'a Event],
        n: usize,
        in_time: usize,
        within: Option<SimTime>,
    ) -> Shown<'a> {
        if let (Some(event), Some(within)) = (n.checked_sub(1).and_then(|i| all.get(i)), within) {
            let told = tell(moment, event);
            return Shown::no(format!("{told}, later than the {within} s asked for."))
                .by(Some(event));
        }
        if in_time > 0 {
            let event = all.last().copied();
            let told = event.map_or(String::new(), |event| tell(moment, event));
            let so_far = n_times(in_time);
            return Shown::no(format!("{told}: {so_far} so far, {n} are asked for.")).by(event);
        }
        let (because, event) = self.missing(moment);
        Shown::no(because).by(event)
    }

    /// The nearest thing to what did not happen.
    fn missing(&self, moment: &Moment) -> (String, Option<&'a Event>) {
        let who = moment.who.said();
        let did = format!("{who} has not {}", participle(&moment.deed));
        if let Who::File { place, name, path } = &moment.who {
            return match files::last(place, name, path, self.timeline) {
                Some(text) if text.is_empty() => (format!("{path} is empty."), None),
                Some(text) => (format!("{path} holds {} instead.", short(last_line(&text))), None),
                None => (format!("There is no file {path} in {place} {name}."), None),
            };
        }
        let events = &self.timeline.events;
        let mine = |event: &&Event| moment.who.is(&event.subject);
        let near = events.iter().rev().filter(mine).find(|e| is_like(&moment.deed, &e.what));
        if let Some(event) = near {
            return (format!("{did}; at {} s {}.", event.at, now(event)), Some(event));
        }
        if events.iter().any(|event| mine(&event)) {
            return (format!("{did}."), None);
        }
        (format!("There is no {} in this run.", kind_of(&moment.who)), None)
    }

    fn order(&self, first: &Moment, then: &Moment) -> Shown<'a> {
        let of = |moment| {
            let idx = find(moment, self.timeline).first().copied()?;
            Some((idx, self.timeline.events.get(idx)?))
        };
        match (of(first), of(then)) {
            (Some((a, early)), Some((b, late))) => {
                let holds = a < b;
                let word = if holds { "before" } else { "but" };
                let late_told = tell(then, late).replacen("At ", "at ", 1);
                let because = format!("{}, {word} {late_told}.", tell(first, early));
                Shown { holds, because, ..Shown::default() }.by(Some(late))
            }
            (None, _) => {
                let (because, event) = self.missing(first);
                Shown::no(because).by(event)
            }
            (_, None) => {
                let (because, event) = self.missing(then);
                Shown::no(because).by(event)
            }
        }
    }

    /// The rows of a pod up to `at`, or its end.
    fn is(&self, moment: &Moment, at: Option<SimTime>) -> Shown<'a> {
        let now = self.timeline.now;
        let over = self.timeline.end.is_some() || at.is_some_and(|at| now >= at);
        let at = at.unwrap_or(SimTime::MAX);
        if !over {
            return self.too_early();
        }
        let mut rows = self.timeline.events.iter().filter(|event| {
            let told = matches!(event.what, What::Row { .. } | What::Removed);
            event.at <= at && told && moment.who.is(&event.subject)
        });
        let Some(event) = rows.next_back() else {
            return Shown::no(format!("There is no {} in this run.", kind_of(&moment.who)));
        };
        let holds = is_in(&moment.deed, &event.what);
        let because = format!("From {} s on {}.", event.at, super::tell::now(event));
        Shown { holds, because, ..Shown::default() }.by(Some(event))
    }

    fn stays(&self, moment: &Moment, from: SimTime) -> Shown<'a> {
        let start = self.is(moment, Some(from));
        if !start.holds {
            return start;
        }
        let mut later = self.timeline.events.iter().filter(|event| {
            let told = matches!(event.what, What::Row { .. } | What::Removed);
            event.at > from && told && moment.who.is(&event.subject)
        });
        if let Some(event) = later.find(|event| !is_in(&moment.deed, &event.what)) {
            return Shown::no(format!("At {} s {}.", event.at, now(event))).by(Some(event));
        }
        if self.timeline.end.is_none() {
            let now = self.timeline.now;
            return Shown::no(format!("So far so good at {now} s; the run is not over."));
        }
        Shown { at: Some(self.timeline.now), ..start }
    }
}

/// What the objects say to `has`.
fn written<'a>(has: &ManifestHas, desired: &Desired) -> Shown<'a> {
    let path = &has.text;
    let (there, origin, because) = match manifest::find(has, desired) {
        Found::Yes(span, value) if has.value == Value::Present || value.is_empty() => {
            (true, Some(span), format!("The manifest has {path}."))
        }
        Found::Yes(span, value) => {
            (true, Some(span), format!("The manifest has {path}: {}.", short(&value)))
        }
        Found::Other(span, value) => {
            (false, Some(span), format!("In the manifest {path} is {}.", short(&value)))
        }
        Found::No => (false, None, format!("The manifest has no {path}.")),
    };
    Shown { holds: there == has.wanted, because, origin, ..Shown::default() }
}

fn is_in(deed: &Deed, what: &What) -> bool {
    match (deed, what) {
        (Deed::Row { ready, status }, What::Row { ready: r, total, status: s, .. }) => {
            row(*ready, status, (*r, *total), s)
        }
        (Deed::Gone, What::Removed) => true,
        _ => false,
    }
}
