//! A container's exit that restarts its whole pod in place: sandbox, address and volumes stay.

use super::status::Truth;
use super::{kill, want_sync};
use crate::order::Order;
use crate::sim::model::{Container, Pod, PodId, RecordState, Status};
use crate::sim::world::World;
use crate::trace::{ContainerStatus, EventId, Name, State};

pub(crate) const KIND: &str = "AllContainersRestarting";
pub(crate) const ACTION: &str = "RestartAllContainers";
const REASON: &str = "RestartingAllContainers";
const MESSAGE: &str = "The container is removed because RestartAllContainers in place";

/// The action of the first rule that matches an exit code.
// Models pkg/api/v1/pod/util.go FindMatchingContainerRestartRule (v1.36).
pub(crate) fn rule(container: &Container, exit_code: i32) -> Option<&str> {
    let matches = |rule: &&k8s_openapi::api::core::v1::ContainerRestartRule| {
        rule.exit_codes.as_ref().is_some_and(|codes| {
            let listed = codes.values.iter().flatten().any(|value| *value == exit_code);
            listed == (codes.operator == "In")
        })
    };
    let mut rules = container.spec.restart_policy_rules.iter().flatten();
    rules.find(matches).map(|rule| rule.action.as_str())
}

fn triggered(pod: &Pod, container: &Container) -> bool {
    let newest = pod.kubelet.seen.newest(&container.name);
    let exited = newest.filter(|record| record.state == RecordState::Exited);
    exited.is_some_and(|record| rule(container, record.exit_code) == Some(ACTION))
}

// Models pkg/kubelet/container/helpers.go ShouldAllContainersRestart (v1.36).
pub(crate) fn is_due(pod: &Pod) -> bool {
    pod.status.is(KIND) || pod.containers.iter().any(|container| triggered(pod, container))
}

/// The condition of pods that have such a rule.
// Models pkg/kubelet/status/generate.go GenerateAllContainersRestartingCondition (v1.36).
pub(crate) fn condition(pod: &Pod, status: &Status) -> Option<Truth> {
    let mut rules =
        pod.containers.iter().flat_map(|c| c.spec.restart_policy_rules.iter().flatten());
    rules.find(|rule| rule.action == ACTION)?;
    let over = match status.phase {
        "Succeeded" => Some("PodCompleted"),
        "Failed" => Some("PodFailed"),
        _ => None,
    };
    if over.is_some() || !is_due(pod) || pod.kubelet.seen.records.is_empty() {
        return Some(Truth { status: false, reason: over, message: None });
    }
    let message = Some("container exited with restart policy rule".to_owned());
    Some(Truth { status: true, reason: Some("RestartAllContainersStarted"), message })
}

/// What a container shows whose records are gone for the restart.
// Models pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses (v1.36).
pub(crate) fn removed(pod: &Pod, container: &Container) -> Option<ContainerStatus> {
    let old = pod.status.containers.get(&container.name).filter(|_| is_due(pod))?;
    if matches!(old.state, State::Waiting { .. }) {
        return None;
    }
    let at = pod.kubelet.seen_at;
    Some(ContainerStatus {
        state: State::Waiting { reason: REASON.to_owned(), message: Some(MESSAGE.to_owned()) },
        last: Some(State::Terminated {
            reason: REASON.to_owned(),
            exit_code: 137,
            message: Some(MESSAGE.to_owned()),
            started_at: at,
            finished_at: at,
        }),
        restart_count: old.restart_count + 1,
        ready: false,
        started: false,
    })
}

/// Whether the container waits for its new run after such a restart.
pub(crate) fn was_removed(status: &ContainerStatus) -> bool {
    let waits = matches!(status.state, State::Waiting { .. });
    let removed =
        |last: &State| matches!(last, State::Terminated { reason, .. } if reason == REASON);
    waits && status.last.as_ref().is_some_and(removed)
}

/// Ends and removes all containers, main ones first, those that caused it last; then starts over.
// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go getContainersToReset (v1.36).
pub(crate) async fn reset(world: &World, id: PodId, cause: EventId) {
    let order = world.pod(id, |pod| {
        let mut order: Vec<(bool, bool, Name)> = pod
            .containers
            .iter()
            .map(|c| (triggered(pod, c), c.is_init(), c.name.clone()))
            .collect();
        order.order();
        order
    });
    for (_, _, name) in order.into_iter().flatten() {
        kill::at_once(world, id, &name, cause).await;
    }
    world.pod(id, |pod| {
        pod.kubelet.actual.records.clear();
        pod.kubelet.reasons.clear();
    });
    want_sync(world, id, cause);
}
