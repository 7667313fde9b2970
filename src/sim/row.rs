//! The line of `kubectl get pods` as the server prints it: READY, STATUS, RESTARTS.

use super::model::{Container, Pod, Status};
use crate::time::SimTime;
use crate::trace::{ContainerStatus, State};

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) ready: u32,
    pub(crate) total: u32,
    pub(crate) status: String,
    pub(crate) restarts: u32,
    pub(crate) restarted_at: Option<SimTime>,
}

/// What is counted while containers are looked at.
#[derive(Default)]
struct Restarts {
    count: u32,
    newest: Option<SimTime>,
}

impl Restarts {
    fn add(&mut self, status: &ContainerStatus) {
        self.count += status.restart_count;
        if let Some(State::Terminated { finished_at, .. }) = &status.last {
            self.newest = self.newest.max(Some(*finished_at));
        }
    }
}

// Models pkg/printers/internalversion/printers.go printPod (v1.36).
pub(crate) fn of(pod: &Pod) -> Row {
    let status = &pod.status;
    let inits: Vec<&Container> = pod.containers.iter().filter(|c| c.is_init()).collect();
    let n_counted = pod.containers.iter().filter(|c| c.is_main() || c.is_sidecar()).count();
    let mut word = match status.reason.as_str() {
        "" => status.phase.to_owned(),
        reason => reason.to_owned(),
    };
    let gate = status.condition("PodScheduled").and_then(|c| c.reason);
    if let Some(gate) = gate.filter(|reason| *reason == "SchedulingGated") {
        word = gate.to_owned();
    }
    let mut ready = 0;
    let mut restarts = Restarts::default();
    let mut sidecar_restarts = Restarts::default();
    let mut initializing = false;
    for (i, container) in inits.iter().enumerate() {
        let Some(one) = status.containers.get(&container.name) else { continue };
        restarts.add(one);
        if container.is_sidecar() {
            sidecar_restarts.add(one);
        }
        if let Some(stop) = init_word(container, one, i, inits.len()) {
            word = stop;
            initializing = true;
            break;
        }
        if container.is_sidecar() && one.ready {
            ready += 1;
        }
    }
    if !initializing || status.is("Initialized") {
        restarts = sidecar_restarts;
        let (word_of_mains, n_ready) = mains(pod, status, word, &mut restarts);
        word = word_of_mains;
        ready += n_ready;
    }
    if pod.deletion.is_some() && !status.is_terminal() {
        word = "Terminating".to_owned();
    }
    let restarted_at = restarts.newest.filter(|_| restarts.count > 0);
    Row { ready, total: n_counted as u32, status: word, restarts: restarts.count, restarted_at }
}

/// STATUS where this init container is the one that holds the pod up.
fn init_word(
    container: &Container,
    status: &ContainerStatus,
    index: usize,
    n_inits: usize,
) -> Option<String> {
    match &status.state {
        State::Terminated { exit_code: 0, .. } => None,
        _ if container.is_sidecar() && status.started => None,
        State::Terminated { reason, exit_code, .. } if reason.is_empty() => {
            Some(format!("Init:ExitCode:{exit_code}"))
        }
        State::Terminated { reason, .. } => Some(format!("Init:{reason}")),
        State::Waiting { reason, .. } if !reason.is_empty() && reason != "PodInitializing" => {
            Some(format!("Init:{reason}"))
        }
        _ => Some(format!("Init:{index}/{n_inits}")),
    }
}

fn mains(pod: &Pod, status: &Status, word: String, restarts: &mut Restarts) -> (String, u32) {
    let mut word = word;
    let (mut ready, mut has_running, mut error) = (0, false, None);
    // Statuses are kept sorted by name, and looked at from the last to the first.
    let by_name = status.containers.iter().rev();
    let is_main = |name: &str| pod.container(name).is_some_and(Container::is_main);
    for (_, one) in by_name.filter(|(name, _)| is_main(name)) {
        restarts.add(one);
        match &one.state {
            State::Waiting { reason, .. } if !reason.is_empty() => word.clone_from(reason),
            State::Terminated { reason, exit_code, .. } => {
                word = match reason.as_str() {
                    "" => format!("ExitCode:{exit_code}"),
                    reason => reason.to_owned(),
                };
                if *exit_code != 0 {
                    error = Some(word.clone());
                }
            }
            State::Running { .. } if one.ready => {
                has_running = true;
                ready += 1;
            }
            _ => {}
        }
    }
    if word == "Completed" {
        if has_running && pod.is_ready() {
            word = "Running".to_owned();
        } else if let Some(error) = error {
            word = error;
        } else if has_running {
            word = "NotReady".to_owned();
        }
    }
    (word, ready)
}
