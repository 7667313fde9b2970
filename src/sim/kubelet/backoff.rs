//! Waiting before another try: 10 s, doubled each time up to 5 minutes.

use crate::sim::model::{BackOff, Pod, View};
use crate::time::SimTime;

pub(crate) const INITIAL: SimTime = SimTime::from_secs(10);
const MAX: SimTime = SimTime::from_secs(300);
/// A container that ran this long since its last restart starts over.
const FORGET: SimTime = SimTime::from_secs(600);

/// The entry after one more try at `now`.
pub(crate) fn next(entry: Option<BackOff>, now: SimTime) -> BackOff {
    let delay = entry.map_or(INITIAL, |e| SimTime(e.delay.0.saturating_mul(2)).min(MAX));
    BackOff { delay, last_update: now }
}

/// The back-off that still holds `name` back, as (whole delay, when it ends); else the try is
/// counted and may go ahead.
// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go doBackOff (v1.36): measured from the exit
// seen when the sync began, so the first restart is free.
pub(crate) fn crash(
    pod: &mut Pod,
    seen: &View,
    name: &str,
    now: SimTime,
) -> Option<(SimTime, SimTime)> {
    let finished_at = seen.newest_exited(name)?.finished_at;
    let books = &mut pod.kubelet.crash_backoff;
    let entry = books.get(name).copied();
    let entry = entry.filter(|e| finished_at - e.last_update <= FORGET);
    if let Some(entry) = entry
        && now < finished_at + entry.delay
    {
        return Some((entry.delay, finished_at + entry.delay));
    }
    // Entries are made by the first restart, so that only the second one waits.
    books.insert(name.into(), next(entry, now));
    None
}

/// `1m20s`, as Go prints durations of whole seconds.
pub(crate) fn go_duration(span: SimTime) -> String {
    let secs = span.as_secs();
    let (hours, minutes, rest) = (secs / 3600, secs / 60 % 60, secs % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_five_minutes() {
        let mut entry = None;
        let mut seen = Vec::new();
        for _ in 0..7 {
            let made = next(entry, SimTime::ZERO);
            seen.push(go_duration(made.delay));
            entry = Some(made);
        }
        assert_eq!(seen, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s", "5m0s"]);
    }
}
