//! How many replicas a metric asks for. Arithmetic over pods; knows no object.
//!
//! Models pkg/controller/podautoscaler/replica_calculator.go (v1.36).

use crate::time::SimTime;
use std::collections::{BTreeMap, BTreeSet};

/// For so long after its start a pod's processor use may be that of starting.
const CPU_INITIALIZATION: SimTime = SimTime::from_secs(300);
/// A pod that lost readiness this early was never ready.
const INITIAL_READINESS: SimTime = SimTime::from_secs(30);

/// A pod as the calculation sees it; amounts in thousandths.
#[derive(Clone, Debug)]
pub(super) struct PodView {
    pub(super) name: String,
    /// Being deleted, or failed.
    pub(super) gone: bool,
    pub(super) pending: bool,
    /// Whether it is ready, and since when it is so or not; None where that is unknown.
    pub(super) ready: Option<(bool, SimTime)>,
    pub(super) started: Option<SimTime>,
    pub(super) metric: Option<Metric>,
    /// What it asks for, or what is missing.
    pub(super) request: Result<i64, String>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Metric {
    pub(super) value: i64,
    pub(super) at: SimTime,
    pub(super) window: SimTime,
}

/// What is asked for: a share of the requests in percent, or an average amount in thousandths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    Utilization(i64),
    Average(i64),
}

/// How far off a metric may be without consequence, down and up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerances {
    pub(super) down: f64,
    pub(super) up: f64,
}

impl Tolerances {
    fn holds(&self, ratio: f64) -> bool {
        (1.0 - self.down) <= ratio && ratio <= (1.0 + self.up)
    }
}

/// What came out of one metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Proposal {
    pub(super) replicas: i64,
    /// In percent of the requests, where that was asked for.
    pub(super) utilization: Option<i64>,
    /// Per pod, in thousandths.
    pub(super) average: i64,
}

#[derive(Default)]
struct Groups {
    n_ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    /// The values of pods that count.
    values: BTreeMap<String, i64>,
}

// Models groupPods.
fn group(pods: &[PodView], is_cpu: bool, now: SimTime) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        let name = pod.name.clone();
        match pod.metric {
            _ if pod.gone => {}
            _ if pod.pending => drop(groups.unready.insert(name)),
            None => drop(groups.missing.insert(name)),
            Some(metric) if is_cpu && is_unready(pod, metric, now) => {
                groups.unready.insert(name);
            }
            Some(metric) => {
                groups.n_ready += 1;
                groups.values.insert(name, metric.value);
            }
        }
    }
    groups
}

fn is_unready(pod: &PodView, metric: Metric, now: SimTime) -> bool {
    let (Some((ready, since)), Some(started)) = (pod.ready, pod.started) else { return true };
    if started + CPU_INITIALIZATION > now {
        // One whole window must have been measured since it became ready.
        return !ready || metric.at < since + metric.window;
    }
    !ready && started + INITIAL_READINESS > since
}

// Models GetResourceReplicas and calcPlainMetricReplicas.
pub(super) fn propose(
    pods: &[PodView],
    current: i64,
    target: Target,
    tolerances: Tolerances,
    (is_cpu, now): (bool, SimTime),
) -> Result<Proposal, String> {
    if pods.is_empty() {
        return Err("no pods returned by selector while calculating replica count".to_owned());
    }
    let mut groups = group(pods, is_cpu, now);
    if groups.values.is_empty() {
        return Err("did not receive metrics for targeted pods (pods might be unready)".to_owned());
    }
    let mut requests = BTreeMap::new();
    for pod in pods.iter().filter(|_| matches!(target, Target::Utilization(_))) {
        requests.insert(pod.name.as_str(), pod.request.clone()?);
    }
    let (ratio, utilization, average) = measured(&groups.values, &requests, target)?;
    let told = |replicas: i64| Ok(Proposal { replicas, utilization, average });
    let up_with_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !up_with_unready && groups.missing.is_empty() {
        if tolerances.holds(ratio) {
            return told(current);
        }
        return told((ratio * groups.n_ready as f64).ceil() as i64);
    }
    for name in &groups.missing {
        let assumed = match target {
            _ if ratio > 1.0 => 0,
            _ if ratio == 1.0 => continue,
            Target::Utilization(percent) => {
                requests.get(name.as_str()).copied().unwrap_or(0) * percent.max(100) / 100
            }
            Target::Average(amount) => amount,
        };
        groups.values.insert(name.clone(), assumed);
    }
    if up_with_unready {
        groups.values.extend(groups.unready.iter().map(|name| (name.clone(), 0)));
    }
    let (again, ..) = measured(&groups.values, &requests, target)?;
    let turned = (ratio < 1.0 && again > 1.0) || (ratio > 1.0 && again < 1.0);
    if tolerances.holds(again) || turned {
        return told(current);
    }
    let replicas = (again * groups.values.len() as f64).ceil() as i64;
    let turned = (again < 1.0 && replicas > current) || (again > 1.0 && replicas < current);
    told(if turned { current } else { replicas })
}

/// The ratio of what is used to what is wanted, the utilization, and the use per pod.
// Models metrics/utilization.go GetResourceUtilizationRatio and GetMetricUsageRatio.
fn measured(
    values: &BTreeMap<String, i64>,
    requests: &BTreeMap<&str, i64>,
    target: Target,
) -> Result<(f64, Option<i64>, i64), String> {
    let total: i64 = values.values().sum();
    let average = total / (values.len() as i64).max(1);
    let percent = match target {
        Target::Average(wanted) => {
            return Ok((average as f64 / wanted.max(1) as f64, None, average));
        }
        Target::Utilization(percent) => percent,
    };
    let asked: i64 = values.keys().filter_map(|name| requests.get(name.as_str())).sum();
    if asked == 0 {
        return Err("no metrics returned matched known pods".to_owned());
    }
    let utilization = total * 100 / asked;
    Ok((utilization as f64 / percent.max(1) as f64, Some(utilization), average))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SimTime = SimTime::from_secs(1_000);

    /// Pods by a letter each: a number is its use, `m` has no metrics, `u` is not ready, `p`
    /// pends, `d` is being deleted. All ask for 100.
    fn replicas(pods: &str, current: i64, target: Target, is_cpu: bool) -> i64 {
        let one = |(i, word): (usize, &str)| {
            let used = word.trim_matches(char::is_alphabetic).parse().ok();
            PodView {
                name: format!("p{i}"),
                gone: word.starts_with('d'),
                pending: word == "p",
                ready: Some((!word.starts_with('u'), SimTime::from_secs(10))),
                started: Some(SimTime::from_secs(5)),
                metric: used.map(|value| Metric { value, at: NOW, window: SimTime::ZERO }),
                request: Ok(100),
            }
        };
        let pods: Vec<PodView> = pods.split(' ').enumerate().map(one).collect();
        let tolerances = Tolerances { down: 0.1, up: 0.1 };
        let made = propose(&pods, current, target, tolerances, (is_cpu, NOW));
        made.map_or(-1, |proposal| proposal.replicas)
    }

    #[test]
    fn replicas_follow_the_formula() {
        use Target::{Average, Utilization};
        for (pods, current, target, is_cpu, expected) in [
            ("100 100", 2, Utilization(50), true, 4),
            ("52 56", 2, Utilization(50), true, 2),
            ("20 20 20", 3, Utilization(50), true, 2),
            // Without metrics: nothing on the way up, all of the request on the way down.
            ("150 m", 2, Utilization(50), true, 3),
            ("10 m", 2, Utilization(50), true, 2),
            ("m m", 2, Utilization(50), true, -1),
            // Pods that never became ready do not count as used, and stop a scale-up.
            ("150 u90", 2, Utilization(50), true, 3),
            ("70 u0 p", 3, Utilization(50), true, 3),
            ("70 u70", 2, Utilization(50), false, 3),
            ("100 d500", 1, Utilization(50), true, 2),
            ("300 100", 2, Average(100), false, 4),
            ("20 m", 2, Average(100), false, 2),
        ] {
            assert_eq!(replicas(pods, current, target, is_cpu), expected, "{pods} {target:?}");
        }
    }
}
