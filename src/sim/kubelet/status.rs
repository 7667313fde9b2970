//! The status a kubelet computes for a pod from what it saw last. Publishing it is `publish.rs`.

use super::restart_all;
use crate::sim::model::{Condition, Container, Pod, Record, RecordState, Status, View};
use crate::time::SimTime;
use crate::trace::{ContainerStatus, Name, Role, State};
use std::collections::BTreeMap;

/// Whole seconds, as the API server keeps times.
fn whole(at: SimTime) -> SimTime {
    SimTime::from_secs(at.as_secs())
}

// Models pkg/kubelet/kubelet_pods.go generateAPIPodStatus (v1.36).
pub(crate) fn generate(pod: &Pod, terminal: bool, now: SimTime) -> Status {
    let view = &pod.kubelet.seen;
    let mut status = Status {
        containers: container_statuses(pod, view),
        start_time: pod.status.start_time.or(Some(whole(now))),
        has_ip: view.sandbox || pod.status.has_ip,
        ..Status::default()
    };
    status.phase = phase(pod, &status.containers, terminal);
    if let Some(ending) = &pod.kubelet.ending {
        status.phase = "Failed";
        status.reason = ending.reason.to_owned();
        status.message.clone_from(&ending.message);
    } else if pod.status.is_terminal() {
        status.phase = pod.status.phase;
        status.reason.clone_from(&pod.status.reason);
        status.message.clone_from(&pod.status.message);
    }
    ready_and_started(pod, &mut status);
    status.conditions = conditions(pod, &status);
    status
}

fn default_waiting(pod: &Pod) -> &'static str {
    if pod.containers.iter().any(Container::is_init) {
        "PodInitializing"
    } else {
        "ContainerCreating"
    }
}

fn state_of(record: &Record, waiting: &str) -> State {
    match record.state {
        RecordState::Created => State::Waiting { reason: waiting.to_owned(), message: None },
        RecordState::Running => State::Running { started_at: record.started_at },
        RecordState::Exited => State::Terminated {
            reason: record.reason.to_owned(),
            exit_code: record.exit_code,
            message: record.message.clone(),
            started_at: record.started_at,
            finished_at: record.finished_at,
        },
    }
}

// Models pkg/kubelet/kubelet_pods.go convertToAPIContainerStatuses (v1.36).
fn container_statuses(pod: &Pod, view: &View) -> BTreeMap<Name, ContainerStatus> {
    let waiting = default_waiting(pod);
    let mut out = BTreeMap::new();
    for container in pod.containers.iter() {
        let records = view.records.get(&container.name).map_or(&[][..], Vec::as_slice);
        if let Some(removed) = restart_all::removed(pod, container).filter(|_| records.is_empty()) {
            out.insert(container.name.clone(), removed);
            continue;
        }
        let mut status = match records.last() {
            Some(newest) => ContainerStatus {
                state: state_of(newest, waiting),
                last: last_state(records)
                    .or_else(|| pod.status.containers.get(&container.name)?.last.clone()),
                restart_count: newest.restart_count,
                ready: false,
                started: false,
            },
            None => without_record(pod, container, waiting),
        };
        if let Some((reason, message)) = waiting_again(pod, container, view) {
            if matches!(status.state, State::Terminated { .. }) {
                status.last = Some(status.state);
            }
            let message = Some(message.clone()).filter(|m| !m.is_empty());
            status.state = State::Waiting { reason: reason.clone(), message };
        }
        out.insert(container.name.clone(), status);
    }
    out
}

fn last_state(records: &[Record]) -> Option<State> {
    let before = records.len().checked_sub(2).and_then(|i| records.get(i))?;
    (before.state == RecordState::Exited).then(|| state_of(before, ""))
}

/// A container without any record: what was shown as ended stays, all else waits.
fn without_record(pod: &Pod, container: &Container, waiting: &str) -> ContainerStatus {
    if let Some(old) = pod.status.containers.get(&container.name)
        && matches!(old.state, State::Terminated { .. })
        && !restart_all::is_due(pod)
    {
        return old.clone();
    }
    let state = State::Waiting { reason: waiting.to_owned(), message: None };
    let old = pod.status.containers.get(&container.name);
    let (last, restart_count) = old.map_or((None, 0), |old| (old.last.clone(), old.restart_count));
    ContainerStatus { state, last, restart_count, ready: false, started: false }
}

/// The reason the last sync left for a container that it could not start.
fn waiting_again<'a>(
    pod: &'a Pod,
    container: &Container,
    view: &View,
) -> Option<&'a (String, String)> {
    let newest = view.newest(&container.name);
    let done = newest.is_some_and(|r| r.state == RecordState::Exited && r.exit_code == 0);
    if container.role == Role::Init && done {
        return None;
    }
    if !should_be_restarted(pod, container, view) {
        return None;
    }
    pod.kubelet.reasons.get(&container.name)
}

// Models pkg/kubelet/container/helpers.go ShouldContainerBeRestarted (v1.36).
pub(crate) fn should_be_restarted(pod: &Pod, container: &Container, view: &View) -> bool {
    if pod.deletion.is_some() {
        return false;
    }
    match view.newest(&container.name) {
        None => true,
        Some(record) => match record.state {
            RecordState::Running => false,
            RecordState::Created => true,
            RecordState::Exited => policy_restarts(pod, container, record.exit_code),
        },
    }
}

// Models pkg/api/v1/pod/util.go ContainerShouldRestart (v1.36).
pub(crate) fn policy_restarts(pod: &Pod, container: &Container, exit_code: i32) -> bool {
    if container.is_sidecar() {
        return true;
    }
    if matches!(restart_all::rule(container, exit_code), Some("Restart" | restart_all::ACTION)) {
        return true;
    }
    let policy = container.spec.restart_policy.as_deref().unwrap_or(pod.restart_policy());
    match (policy, container.role) {
        ("Always", Role::Init) | ("OnFailure", _) => exit_code != 0,
        ("Never", _) => false,
        _ => true,
    }
}

/// Counts of containers in one state, for the phase.
#[derive(Default)]
struct Counts {
    running: u32,
    waiting: u32,
    stopped: u32,
    succeeded: u32,
    will_restart: u32,
    init_pending: bool,
    sidecar_pending: bool,
    init_failed: bool,
}

// Models pkg/kubelet/kubelet_pods.go getPhase (v1.36).
fn phase(pod: &Pod, statuses: &BTreeMap<Name, ContainerStatus>, terminal: bool) -> &'static str {
    let mut counts = Counts::default();
    for container in pod.containers.iter() {
        let Some(status) = statuses.get(&container.name) else { continue };
        match container.role {
            Role::Init => count_init(pod, container, status, &mut counts),
            Role::Sidecar => count_sidecar(status, &mut counts),
            Role::Main => count_main(pod, container, status, &mut counts),
            // A pod's phase is not of those who look round in it.
            Role::Ephemeral => {}
        }
    }
    if counts.init_failed {
        return "Failed";
    }
    let sidecar_pending = counts.sidecar_pending && !has_initialized(pod);
    if counts.init_pending || sidecar_pending || counts.waiting > 0 {
        return "Pending";
    }
    if counts.running > 0 {
        return "Running";
    }
    let result = if counts.stopped == counts.succeeded { "Succeeded" } else { "Failed" };
    match counts.stopped {
        0 => "Pending",
        _ if terminal => result,
        _ if counts.will_restart > 0 => "Running",
        _ => result,
    }
}

fn count_init(pod: &Pod, container: &Container, status: &ContainerStatus, counts: &mut Counts) {
    if restart_all::was_removed(status) {
        return;
    }
    let ended = match (&status.state, &status.last) {
        (State::Terminated { exit_code, .. }, _) => Some(*exit_code),
        (State::Waiting { .. }, Some(State::Terminated { exit_code, .. })) => Some(*exit_code),
        _ => None,
    };
    match ended {
        None => counts.init_pending = true,
        Some(0) => {}
        // What comes after it waits, and that is what keeps the pod pending.
        Some(code) if policy_restarts(pod, container, code) => {}
        Some(_) => counts.init_failed = true,
    }
}

fn count_sidecar(status: &ContainerStatus, counts: &mut Counts) {
    match &status.state {
        State::Running { .. } => counts.running += 1,
        State::Waiting { .. } if status.last.is_none() => counts.waiting += 1,
        _ => {}
    }
    let running = matches!(status.state, State::Running { .. });
    let ran = matches!(status.state, State::Terminated { .. }) || status.last.is_some();
    counts.sidecar_pending |= !ran && (!running || !status.started);
}

fn count_main(pod: &Pod, container: &Container, status: &ContainerStatus, counts: &mut Counts) {
    let code = match (&status.state, &status.last) {
        (State::Running { .. }, _) => {
            counts.running += 1;
            return;
        }
        (State::Terminated { exit_code, .. }, _) => *exit_code,
        (_, Some(State::Terminated { exit_code, .. })) => *exit_code,
        _ => {
            counts.waiting += 1;
            return;
        }
    };
    counts.stopped += 1;
    counts.succeeded += u32::from(code == 0);
    let restarts = restart_all::was_removed(status) || policy_restarts(pod, container, code);
    counts.will_restart += u32::from(restarts);
}

/// Whether any main container was ever made in this sandbox.
pub(crate) fn has_initialized(pod: &Pod) -> bool {
    let view = &pod.kubelet.seen;
    pod.containers.iter().any(|c| c.is_main() && view.newest(&c.name).is_some())
}

// Models pkg/kubelet/prober/prober_manager.go UpdatePodStatus (v1.36).
fn ready_and_started(pod: &Pod, status: &mut Status) {
    for container in pod.containers.iter() {
        let Some(one) = status.containers.get_mut(&container.name) else { continue };
        let running = matches!(one.state, State::Running { .. });
        if container.is_ephemeral() {
            (one.started, one.ready) = (false, false);
            continue;
        }
        if container.role == Role::Init {
            one.started = running;
            one.ready = matches!(one.state, State::Terminated { exit_code: 0, .. });
            continue;
        }
        let probers = &pod.kubelet.probers;
        let run = pod.kubelet.seen.newest(&container.name).and_then(|r| r.handle);
        one.started = running && probers.started(&container.name, run);
        one.ready = one.started && probers.ready(&container.name, run);
    }
}

/// Conditions the kubelet writes.
const OWN: [&str; 6] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
    restart_all::KIND,
];

// Models pkg/kubelet/status/generate.go (v1.36).
fn conditions(pod: &Pod, status: &Status) -> Vec<Condition> {
    let make = |kind: &'static str, truth: Truth| {
        let old = pod.status.condition(kind).filter(|c| c.status == truth.status);
        let since = old.map_or(SimTime::MAX, |c| c.since);
        let Truth { status, reason, message } = truth;
        Condition { kind, status, reason, message, since }
    };
    let sandbox = Truth { status: pod.kubelet.seen.sandbox, reason: None, message: None };
    let mut conditions = vec![
        make("PodReadyToStartContainers", sandbox),
        make("Initialized", initialized(pod, status)),
        make("Ready", ready(pod, status)),
        make("ContainersReady", containers_ready(pod, status)),
        make("PodScheduled", Truth { status: true, reason: None, message: None }),
    ];
    conditions.extend(restart_all::condition(pod, status).map(|t| make(restart_all::KIND, t)));
    // What others than the kubelet say stays.
    let others = pod.status.conditions.iter().filter(|one| !OWN.contains(&one.kind));
    conditions.extend(others.cloned());
    conditions
}

pub(crate) struct Truth {
    pub(crate) status: bool,
    pub(crate) reason: Option<&'static str>,
    pub(crate) message: Option<String>,
}

fn initialized(pod: &Pod, status: &Status) -> Truth {
    if status.phase == "Succeeded" {
        return Truth { status: true, reason: Some("PodCompleted"), message: None };
    }
    let waits = |c: &&Container| {
        let one = status.containers.get(&c.name);
        one.is_none_or(|s| if c.is_sidecar() { !s.started } else { !s.ready })
    };
    let inits = pod.containers.iter().filter(|c| c.is_init());
    let names: Vec<&str> = inits.filter(waits).map(|c| &*c.name).collect();
    // Once a main container ran, the pod was initialized, whatever a sidecar does now.
    let main_ran = pod.containers.iter().filter(|c| c.is_main()).any(|c| {
        let state = status.containers.get(&c.name).map(|s| &s.state);
        matches!(state, Some(State::Running { .. } | State::Terminated { .. }))
    });
    // Once initialized it stays so.
    if names.is_empty() || main_ran || pod.status.is("Initialized") {
        return Truth { status: true, reason: None, message: None };
    }
    let message = format!("containers with incomplete status: [{}]", names.join(" "));
    Truth { status: false, reason: Some("ContainersNotInitialized"), message: Some(message) }
}

/// All containers are ready, and so says everybody the pod asks.
fn ready(pod: &Pod, status: &Status) -> Truth {
    let containers = containers_ready(pod, status);
    let gates = pod.template.spec.readiness_gates.iter().flatten();
    let mut wrong = Vec::new();
    for gate in gates {
        let kind = gate.condition_type.as_str();
        match pod.status.condition(kind) {
            None => wrong.push(format!(
                "corresponding condition of pod readiness gate \"{kind}\" does not exist."
            )),
            Some(one) if !one.status => wrong.push(format!(
                "the status of pod readiness gate \"{kind}\" is not \"True\", but False"
            )),
            Some(_) => {}
        }
    }
    if !containers.status || wrong.is_empty() {
        return containers;
    }
    let reason = Some("ReadinessGatesNotReady");
    Truth { status: false, reason, message: Some(wrong.join(", ")) }
}

fn containers_ready(pod: &Pod, status: &Status) -> Truth {
    let over = match status.phase {
        "Succeeded" => Some("PodCompleted"),
        "Failed" => Some("PodFailed"),
        _ => None,
    };
    if over.is_some() {
        return Truth { status: false, reason: over, message: None };
    }
    let counted = pod.containers.iter().filter(|c| c.is_main() || c.is_sidecar());
    let unready = counted.filter(|c| status.containers.get(&c.name).is_none_or(|s| !s.ready));
    let names: Vec<&str> = unready.map(|c| &*c.name).collect();
    if names.is_empty() {
        return Truth { status: true, reason: None, message: None };
    }
    let message = format!("containers with unready status: [{}]", names.join(" "));
    Truth { status: false, reason: Some("ContainersNotReady"), message: Some(message) }
}

/// The status shown now with what probes found since.
// Models pkg/kubelet/status/status_manager.go SetContainerReadiness (v1.36).
pub(crate) fn reprobed(pod: &Pod) -> Status {
    let mut status = pod.status.clone();
    ready_and_started(pod, &mut status);
    status.conditions = conditions(pod, &status);
    status
}
