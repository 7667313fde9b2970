//! What one finished pod means to its Job: failure policy, indexes, success policy. Only judges.

use super::job::{Job, Verdict};
use crate::sim::model::{Pod, RecordState};
use crate::time::SimTime;
use crate::trace::State;
use k8s_openapi::api::batch::v1 as batch;
use std::collections::BTreeSet;

/// How a pod finished, as its Job sees it.
pub(crate) struct Outcome {
    pub(crate) ok: bool,
    pub(crate) index: Option<u32>,
    pub(crate) at: SimTime,
    /// Whether the failure counts towards the limits.
    pub(crate) counts: bool,
    pub(crate) fails_index: bool,
    pub(crate) verdict: Option<Verdict>,
}

/// Whether pods being deleted are replaced only once they are gone.
// Models pkg/controller/job/job_controller.go onlyReplaceFailedPods (v1.36).
pub(crate) fn replaces_failed_only(job: &Job) -> bool {
    match job.spec.pod_replacement_policy.as_deref() {
        Some(policy) => policy == "Failed",
        None => job.spec.pod_failure_policy.is_some(),
    }
}

/// None while the pod is not finished. One being deleted counts as failed already.
// Models pkg/controller/job/job_controller.go isPodFailed (v1.36).
pub(crate) fn outcome(job: &Job, pod: &Pod) -> Option<Outcome> {
    let deleted = pod.deletion.filter(|_| !replaces_failed_only(job));
    let ok = match (pod.status.phase, deleted) {
        ("Succeeded", _) => true,
        ("Failed", _) | (_, Some(_)) => false,
        _ => return None,
    };
    let at = match deleted.filter(|_| !pod.status.is_terminal()) {
        Some(deletion) => deletion.at,
        None => finished_at(pod),
    };
    let index = pod.index.filter(|_| job.spec.completion_mode.as_deref() == Some("Indexed"));
    let done = Outcome { ok, index, at, counts: true, fails_index: false, verdict: None };
    Some(if ok { done } else { judged(job, pod, done) })
}

/// When the last container of a pod ended, in whole seconds as statuses have it.
fn finished_at(pod: &Pod) -> SimTime {
    let records = pod.kubelet.actual.records.values().flatten();
    let ended = records.filter(|r| r.state == RecordState::Exited).map(|r| r.finished_at).max();
    SimTime::from_secs(ended.unwrap_or(pod.created_at).as_secs())
}

// Models pkg/controller/job/pod_failure_policy.go matchPodFailurePolicy (v1.36).
fn judged(job: &Job, pod: &Pod, mut outcome: Outcome) -> Outcome {
    let rules = job.spec.pod_failure_policy.iter().flat_map(|policy| &policy.rules);
    for (idx, rule) in rules.enumerate() {
        let matched = match (&rule.on_exit_codes, &rule.on_pod_conditions) {
            (Some(codes), _) => exit_code(pod, codes).map(|(name, code)| {
                format!(
                    "Container {name} for pod {}/{} failed with exit code {code}",
                    pod.namespace,
                    pod.plain()
                )
            }),
            (None, Some(patterns)) => condition(pod, patterns)
                .map(|kind| format!("Pod {}/{} has condition {kind}", pod.namespace, pod.plain())),
            (None, None) => None,
        };
        let Some(what) = matched else { continue };
        let action = rule.action.as_str();
        outcome.counts = action != "Ignore";
        outcome.fails_index = action == "FailIndex";
        outcome.verdict = (action == "FailJob").then(|| Verdict {
            word: "Failed",
            reason: "PodFailurePolicy",
            message: format!("{what} matching FailJob rule at index {idx}"),
        });
        break;
    }
    outcome
}

/// The first container, main ones first, that ended with one of these codes.
fn exit_code(
    pod: &Pod,
    rule: &batch::PodFailurePolicyOnExitCodesRequirement,
) -> Option<(String, i32)> {
    let (inits, mains): (Vec<_>, Vec<_>) = pod.containers.iter().partition(|c| c.is_init());
    mains.into_iter().chain(inits).find_map(|container| {
        let name = container.name.to_string();
        let State::Terminated { exit_code, .. } = pod.status.containers.get(&*name)?.state else {
            return None;
        };
        let named = rule.container_name.as_ref().is_none_or(|wanted| *wanted == name);
        let listed = rule.values.contains(&exit_code) == (rule.operator == "In");
        (named && exit_code != 0 && listed).then_some((name, exit_code))
    })
}

fn condition(
    pod: &Pod,
    patterns: &[batch::PodFailurePolicyOnPodConditionsPattern],
) -> Option<&'static str> {
    let is = |status: bool, wanted: Option<&str>| {
        wanted.unwrap_or("True") == if status { "True" } else { "False" }
    };
    let found = pod.status.conditions.iter().find(|condition| {
        patterns
            .iter()
            .any(|p| p.type_ == condition.kind && is(condition.status, p.status.as_deref()))
    });
    found.map(|condition| condition.kind)
}

/// Enters a failure in the books of its index.
// Models pkg/controller/job/indexed_job_utils.go isIndexFailed (v1.36).
pub(crate) fn count_index(job: &mut Job, outcome: &Outcome) {
    let Some(index) = outcome.index else { return };
    let (counted, all, last) = job.index_failures.entry(index).or_default();
    let before = *counted;
    *counted += u32::from(outcome.counts);
    *all += 1;
    *last = outcome.at;
    let Some(limit) = job.spec.backoff_limit_per_index else { return };
    if outcome.fails_index || (outcome.counts && i64::from(before) >= i64::from(limit)) {
        job.failed_indexes.insert(index);
    }
}

/// Too many indexes were given up, or none is left to try.
pub(crate) fn indexes_failed(job: &Job) -> Option<Verdict> {
    job.spec.backoff_limit_per_index?;
    let n_failed = job.failed_indexes.len() as i64;
    let n_over = n_failed + job.done_indexes.len() as i64;
    let (reason, message) = if job.spec.max_failed_indexes.is_some_and(|m| n_failed > i64::from(m))
    {
        let message = "Job has exceeded the specified maximal number of failed indexes";
        ("MaxFailedIndexesExceeded", message)
    } else if n_failed > 0 && n_over >= i64::from(job.spec.completions.unwrap_or(1)) {
        ("FailedIndexes", "Job has failed indexes")
    } else {
        return None;
    };
    Some(Verdict { word: "Failed", reason, message: message.to_owned() })
}

/// Enough of the indexes that matter are done.
// Models pkg/controller/job/success_policy.go matchSuccessPolicy (v1.36).
pub(crate) fn success_policy(job: &Job) -> Option<Verdict> {
    let completions = job.spec.completions.unwrap_or(1).max(0) as u32;
    let met = job.spec.success_policy.iter().flat_map(|policy| &policy.rules).any(|rule| {
        let wanted = rule.succeeded_indexes.as_deref().map(|text| indexes(text, completions));
        let done = match &wanted {
            Some(wanted) => job.done_indexes.intersection(wanted).count(),
            None => job.done_indexes.len(),
        };
        let enough = rule.succeeded_count.map(|n| n.max(0) as usize);
        enough.or(wanted.map(|wanted| wanted.len())).is_some_and(|n| done >= n)
    });
    let message = "Job completed".to_owned();
    met.then_some(Verdict { word: "Complete", reason: "Completed", message })
}

/// `0,2-4` as a set.
fn indexes(text: &str, end: u32) -> BTreeSet<u32> {
    let ranges = text.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse::<u32>().ok()?..=last.trim().parse::<u32>().ok()?)
    });
    ranges.flat_map(|range| *range.start()..end.min(range.end().saturating_add(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_lists_are_read_as_the_server_writes_them() {
        let cases = [("0", "0"), ("0,2-4", "0 2 3 4"), ("3-9", "3 4"), ("", ""), ("x", "")];
        for (text, expected) in cases {
            let found: Vec<String> = indexes(text, 5).iter().map(u32::to_string).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}
