//! What may become of a recommendation: bounds, stabilisation and the speed a behaviour allows.
//! Arithmetic over what was recommended and done before; knows no object.
//!
//! Models pkg/controller/podautoscaler/horizontal.go normalizeDesiredReplicas and
//! normalizeDesiredReplicasWithBehaviors (v1.36).

use crate::time::SimTime;
use k8s_openapi::api::autoscaling::v2 as autoscaling;

/// Without a behaviour that says otherwise, replicas are given up after this long.
const DOWN_WINDOW: SimTime = SimTime::from_secs(300);
/// Nothing older than this is ever looked at.
const MEMORY: SimTime = SimTime::from_secs(3_600);

/// What was recommended and what was done, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    pub(super) recommended: Vec<(SimTime, i64)>,
    added: Vec<(SimTime, i64)>,
    taken: Vec<(SimTime, i64)>,
}

/// A condition's reason and message.
type Word = (&'static str, &'static str);

/// The number that may be, with conditions: whether it can scale, and whether it is limited.
#[derive(Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) replicas: i64,
    pub(super) able: Word,
    pub(super) limited: Option<Word>,
}

/// Replicas now and wanted, and their bounds.
#[derive(Clone, Copy)]
pub(super) struct Wish {
    pub(super) current: i64,
    pub(super) wanted: i64,
    pub(super) min: i64,
    pub(super) max: i64,
}

const READY: Word = ("ReadyForNewScale", "recommended size matches current size");
const DOWN_STABILIZED: Word = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent \
     recommendation",
);
const UP_STABILIZED: Word = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent \
     recommendation",
);
const UP_LIMIT: Word =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const DOWN_LIMIT: Word = (
    "ScaleDownLimit",
    "the desired replica count is decreasing faster than the maximum scale rate",
);
const TOO_MANY: Word =
    ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FEW: Word =
    ("TooFewReplicas", "the desired replica count is less than the minimum replica count");

pub(super) const IN_RANGE: Word =
    ("DesiredWithinRange", "the desired count is within the acceptable range");

impl Past {
    /// A recommendation or a change of long ago matters no more.
    fn forget(&mut self, now: SimTime) {
        for list in [&mut self.recommended, &mut self.added, &mut self.taken] {
            list.retain(|(at, _)| *at + MEMORY >= now);
        }
    }

    // Models storeScaleEvent.
    pub(super) fn changed(&mut self, now: SimTime, from: i64, to: i64) {
        let list = if to > from { &mut self.added } else { &mut self.taken };
        list.push((now, (to - from).abs()));
    }

    /// Bounds, the doubling rule and the five minutes before replicas are given up.
    // Models stabilizeRecommendation and convertDesiredReplicasWithRules.
    pub(super) fn plain(&mut self, wish: Wish, now: SimTime) -> Verdict {
        self.forget(now);
        let recent = self.recommended.iter().filter(|(at, _)| *at + DOWN_WINDOW >= now);
        let stable = recent.map(|(_, n)| *n).max().unwrap_or(0).max(wish.wanted);
        self.recommended.push((now, wish.wanted));
        let able = if stable == wish.wanted { READY } else { DOWN_STABILIZED };
        let fastest = (wish.current * 2).max(4);
        let (most, why) =
            if wish.max > fastest { (fastest, UP_LIMIT) } else { (wish.max, TOO_MANY) };
        let (replicas, limited) = match stable {
            n if n < wish.min => (wish.min, Some(TOO_FEW)),
            n if n > most => (most, Some(why)),
            n => (n, None),
        };
        Verdict { replicas, able, limited }
    }

    // Models stabilizeRecommendationWithBehaviors and convertDesiredReplicasWithBehaviorRate.
    pub(super) fn behaved(
        &mut self,
        wish: Wish,
        (up, down): (&autoscaling::HPAScalingRules, &autoscaling::HPAScalingRules),
        now: SimTime,
    ) -> Verdict {
        self.forget(now);
        let window = |rules: &autoscaling::HPAScalingRules, default: SimTime| {
            let secs = rules.stabilization_window_seconds;
            secs.map_or(default, |secs| SimTime::from_secs(secs.max(0) as u64))
        };
        let (up_window, down_window) = (window(up, SimTime::ZERO), window(down, DOWN_WINDOW));
        let within = |window: SimTime| {
            let list = self.recommended.iter();
            list.filter(move |(at, _)| *at + window > now).map(|(_, n)| *n)
        };
        let lowest = within(up_window).min().unwrap_or(wish.wanted).min(wish.wanted);
        let highest = within(down_window).max().unwrap_or(wish.wanted).max(wish.wanted);
        let stable = wish.current.max(lowest).min(highest);
        self.recommended.push((now, wish.wanted));
        let able = match (stable == wish.wanted, wish.wanted >= wish.current) {
            (true, _) => READY,
            (false, true) => UP_STABILIZED,
            (false, false) => DOWN_STABILIZED,
        };
        let (replicas, limited) = self.paced(Wish { wanted: stable, ..wish }, up, down, now);
        Verdict { replicas, able, limited }
    }

    fn paced(
        &self,
        wish: Wish,
        up: &autoscaling::HPAScalingRules,
        down: &autoscaling::HPAScalingRules,
        now: SimTime,
    ) -> (i64, Option<Word>) {
        if wish.wanted > wish.current {
            let fastest = self.limit(wish.current, up, true, now).max(wish.current);
            let (most, why) =
                if wish.max > fastest { (fastest, UP_LIMIT) } else { (wish.max, TOO_MANY) };
            return if wish.wanted > most { (most, Some(why)) } else { (wish.wanted, None) };
        }
        if wish.wanted < wish.current {
            let fastest = self.limit(wish.current, down, false, now).min(wish.current);
            let (least, why) =
                if wish.min < fastest { (fastest, DOWN_LIMIT) } else { (wish.min, TOO_FEW) };
            return if wish.wanted < least { (least, Some(why)) } else { (wish.wanted, None) };
        }
        (wish.wanted, None)
    }

    /// The furthest number the policies allow now.
    // Models calculateScaleUpLimitWithScalingRules, calculateScaleDownLimitWithBehaviors.
    fn limit(
        &self,
        current: i64,
        rules: &autoscaling::HPAScalingRules,
        up: bool,
        now: SimTime,
    ) -> i64 {
        let select = rules.select_policy.as_deref().unwrap_or("Max");
        if select == "Disabled" {
            return current;
        }
        let proposals = rules.policies.iter().flatten().map(|policy| {
            let period = SimTime::from_secs(policy.period_seconds.max(0) as u64);
            let sum = |list: &[(SimTime, i64)]| -> i64 {
                list.iter().filter(|(at, _)| *at + period > now).map(|(_, n)| n).sum()
            };
            let start = current - sum(&self.added) + sum(&self.taken);
            let value = i64::from(policy.value);
            let share = f64::from(policy.value) / 100.0;
            match (policy.type_.as_str(), up) {
                ("Pods", true) => start + value,
                ("Pods", false) => start - value,
                (_, true) => (start as f64 * (1.0 + share)).ceil() as i64,
                (_, false) => (start as f64 * (1.0 - share)) as i64,
            }
        });
        let furthest = (select == "Min") != up;
        let chosen = if furthest { proposals.max() } else { proposals.min() };
        chosen.unwrap_or(current)
    }
}

/// The rules as written, with defaults for what they do not say.
// Models pkg/apis/autoscaling/v2/defaults.go SetDefaults_HorizontalPodAutoscalerBehavior (v1.36).
pub(super) fn with_defaults(
    written: Option<&autoscaling::HPAScalingRules>,
    up: bool,
) -> autoscaling::HPAScalingRules {
    let policy = |type_: &str, value| autoscaling::HPAScalingPolicy {
        type_: type_.to_owned(),
        value,
        period_seconds: 15,
    };
    let usual = match up {
        true => vec![policy("Pods", 4), policy("Percent", 100)],
        false => vec![policy("Percent", 100)],
    };
    let mut rules = written.cloned().unwrap_or_default();
    rules.select_policy.get_or_insert_with(|| "Max".to_owned());
    rules.policies.get_or_insert(usual);
    if up {
        rules.stabilization_window_seconds.get_or_insert(0);
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::from_secs(secs)
    }

    fn wish(current: i64, wanted: i64) -> Wish {
        Wish { current, wanted, min: 1, max: 10 }
    }

    #[test]
    fn without_behaviour_growth_doubles_and_shrinking_waits() {
        let mut past = Past { recommended: vec![(at(0), 1)], ..Past::default() };
        let verdict = past.plain(wish(1, 9), at(15));
        assert_eq!((verdict.replicas, verdict.limited), (4, Some(UP_LIMIT)));
        let verdict = past.plain(wish(4, 20), at(30));
        assert_eq!((verdict.replicas, verdict.limited), (8, Some(UP_LIMIT)));
        let verdict = past.plain(wish(8, 12), at(45));
        assert_eq!((verdict.replicas, verdict.limited), (10, Some(TOO_MANY)));
        let verdict = past.plain(wish(10, 1), at(60));
        assert_eq!((verdict.replicas, verdict.able), (10, DOWN_STABILIZED));
        let verdict = past.plain(wish(10, 0), at(361));
        assert_eq!((verdict.replicas, verdict.limited), (1, Some(TOO_FEW)));
        let verdict = past.plain(wish(1, 0), at(700));
        assert_eq!((verdict.replicas, verdict.able, verdict.limited), (1, READY, Some(TOO_FEW)));
    }

    #[test]
    fn behaviours_pace_both_ways() {
        let rules = |select: &str, pods: i32, window| autoscaling::HPAScalingRules {
            policies: Some(vec![autoscaling::HPAScalingPolicy {
                type_: "Pods".to_owned(),
                value: pods,
                period_seconds: 60,
            }]),
            select_policy: Some(select.to_owned()),
            stabilization_window_seconds: window,
            tolerance: None,
        };
        let (up, down) = (rules("Max", 2, Some(0)), rules("Max", 1, Some(30)));
        let mut past = Past::default();
        let verdict = past.behaved(wish(2, 8), (&up, &down), at(15));
        assert_eq!((verdict.replicas, verdict.limited), (4, Some(UP_LIMIT)));
        past.changed(at(15), 2, 4);
        let verdict = past.behaved(wish(4, 8), (&up, &down), at(30));
        assert_eq!((verdict.replicas, verdict.limited), (4, Some(UP_LIMIT)));
        let verdict = past.behaved(wish(4, 1), (&up, &down), at(45));
        assert_eq!((verdict.replicas, verdict.able), (4, DOWN_STABILIZED));
        let verdict = past.behaved(wish(4, 1), (&up, &down), at(80));
        assert_eq!((verdict.replicas, verdict.limited), (3, Some(DOWN_LIMIT)));
        let never = rules("Disabled", 1, Some(0));
        let verdict = past.behaved(wish(4, 1), (&up, &never), at(200));
        assert_eq!((verdict.replicas, verdict.limited), (4, Some(DOWN_LIMIT)));
    }
}
