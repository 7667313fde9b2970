//! What to do about a pod, given what was seen of it: pure, and never more than one new init
//! container at a time.

use super::status::{policy_restarts, should_be_restarted};
use crate::order::Order;
use crate::sim::model::{Container, Pod, RecordState, View};
use crate::trace::{Name, ProbeKind, Role};

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) kill_pod: bool,
    /// All containers go and come again.
    pub(crate) reset: bool,
    pub(crate) create_sandbox: bool,
    pub(crate) kills: Vec<Victim>,
    /// Indexes into the pod's containers, init containers first.
    pub(crate) starts: Vec<usize>,
}

impl Plan {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Plan::default()
    }
}

#[derive(Debug, PartialEq)]
pub(crate) struct Victim {
    pub(crate) name: Name,
    pub(crate) message: String,
    /// The probe whose failure kills it.
    pub(crate) probe: Option<ProbeKind>,
}

// Models pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions (v1.36).
pub(crate) fn compute(pod: &Pod) -> Plan {
    let view = &pod.kubelet.seen;
    if pod.status.is(super::restart_all::KIND) {
        return Plan { reset: true, ..Plan::default() };
    }
    if !view.sandbox {
        return without_sandbox(pod, view);
    }
    let mut plan = with_sandbox(pod, view);
    if !plan.kill_pod {
        // They start whether or not the pod is initialized, and never again.
        let late = pod
            .containers
            .iter()
            .enumerate()
            .filter(|(_, c)| c.is_ephemeral() && view.newest(&c.name).is_none());
        plan.starts.splice(0..0, late.map(|(idx, _)| idx));
    }
    plan
}

fn with_sandbox(pod: &Pod, view: &View) -> Plan {
    let mut plan = Plan::default();
    let initialized = inits(pod, view, &mut plan);
    if plan.kill_pod || !initialized {
        return plan;
    }
    let mut keeps = 0;
    for (idx, container) in pod.containers.iter().enumerate().filter(|(_, c)| c.is_main()) {
        if !view.is_running(&container.name) {
            if should_be_restarted(pod, container, view) {
                plan.starts.push(idx);
            }
            continue;
        }
        if changed(container, view) {
            let message =
                format!("Container {} definition changed, will be restarted", container.name);
            plan.starts.push(idx);
            plan.kills.push(Victim { name: container.name.clone(), message, probe: None });
            continue;
        }
        match failed_probe(pod, container) {
            None => keeps += 1,
            Some(probe) => {
                let mut message =
                    format!("Container {} failed {} probe", container.name, { probe.word() });
                let policy = container.spec.restart_policy.as_deref();
                if policy.unwrap_or(pod.restart_policy()) != "Never" {
                    message.push_str(", will be restarted");
                    plan.starts.push(idx);
                }
                let name = container.name.clone();
                plan.kills.push(Victim { name, message, probe: Some(probe) });
            }
        }
    }
    let main_starts = |plan: &Plan| {
        plan.starts.iter().any(|i| pod.containers.get(*i).is_some_and(Container::is_main))
    };
    if keeps == 0 && !main_starts(&plan) {
        return Plan { kill_pod: true, ..Plan::default() };
    }
    plan
}

fn without_sandbox(pod: &Pod, view: &View) -> Plan {
    let policy = pod.restart_policy();
    if view.had_sandbox && policy == "Never" && !view.records.is_empty() {
        return Plan { kill_pod: true, ..Plan::default() };
    }
    let starts: Vec<usize> = (pod.containers.iter().enumerate())
        .filter(|(_, c)| c.is_main() && should_be_restarted(pod, c, view))
        .map(|(idx, _)| idx)
        .collect();
    if starts.is_empty() {
        return Plan { kill_pod: true, ..Plan::default() };
    }
    let first_init = pod.containers.iter().position(Container::is_init);
    let starts = first_init.map_or(starts, |idx| vec![idx]);
    Plan { create_sandbox: true, starts, ..Plan::default() }
}

/// Whether the spec has another image for a container than what runs was made of.
// Models pkg/kubelet/kuberuntime containerChanged and kubecontainer.HashContainer (v1.36).
fn changed(container: &Container, view: &View) -> bool {
    view.newest(&container.name).is_some_and(|record| record.image != container.image())
}

/// The probe whose failure says that this running container has to go.
fn failed_probe(pod: &Pod, container: &Container) -> Option<ProbeKind> {
    let probers = &pod.kubelet.probers;
    let run = pod.kubelet.seen.newest(&container.name).and_then(|r| r.handle);
    [ProbeKind::Liveness, ProbeKind::Startup]
        .into_iter()
        .find(|kind| probers.failed(&container.name, *kind, run))
}

/// Plans init containers; true when main containers may run.
// Models pkg/kubelet/kuberuntime/kuberuntime_container.go computeInitContainerActions (v1.36).
fn inits(pod: &Pod, view: &View, plan: &mut Plan) -> bool {
    let all: Vec<(usize, &Container)> =
        pod.containers.iter().enumerate().filter(|(_, c)| c.is_init()).collect();
    if all.is_empty() {
        return true;
    }
    let mains_ran = super::status::has_initialized(pod);
    let frontier = all.iter().rposition(|(_, c)| view.newest(&c.name).is_some());
    let Some(frontier) = frontier else {
        plan.starts.extend(all.first().map(|(idx, _)| *idx));
        return false;
    };
    let mut done = mains_ran;
    if !mains_ran {
        let (idx, container) = all[frontier];
        let next = all.get(frontier + 1).map(|(idx, _)| *idx);
        match progress(pod, view, container) {
            Progress::Passed => match next {
                Some(next) => plan.starts.push(next),
                None => done = true,
            },
            Progress::Again => plan.starts.push(idx),
            Progress::Failed => plan.kill_pod = true,
            Progress::Waits => {}
        }
    }
    // Sidecars before the frontier, and all of them once initialized, are kept running.
    let upto = if mains_ran { all.len() } else { frontier + 1 };
    for (idx, container) in all.iter().take(upto).filter(|(_, c)| c.is_sidecar()) {
        if view.is_running(&container.name) && changed(container, view) {
            let message = format!("Init container {} definition changed", container.name);
            plan.kills.push(Victim { name: container.name.clone(), message, probe: None });
            plan.starts.push(*idx);
        } else if let Some(probe) =
            failed_probe(pod, container).filter(|_| view.is_running(&container.name))
        {
            let message =
                format!("Init container {} failed {} probe", container.name, probe.word());
            let name = container.name.clone();
            plan.kills.push(Victim { name, message, probe: Some(probe) });
            plan.starts.push(*idx);
        } else if !view.is_running(&container.name) && !plan.starts.contains(idx) {
            plan.starts.push(*idx);
        }
    }
    plan.starts.order();
    plan.starts.dedup();
    done
}

enum Progress {
    /// The next one may start.
    Passed,
    Waits,
    Again,
    Failed,
}

fn progress(pod: &Pod, view: &View, container: &Container) -> Progress {
    let Some(record) = view.newest(&container.name) else { return Progress::Again };
    match record.state {
        RecordState::Created => Progress::Again,
        RecordState::Running if container.role == Role::Init => Progress::Waits,
        RecordState::Running if pod.kubelet.probers.started(&container.name, record.handle) => {
            Progress::Passed
        }
        RecordState::Running => Progress::Waits,
        RecordState::Exited if container.is_sidecar() => Progress::Again,
        RecordState::Exited if record.exit_code == 0 && record.reason != "OOMKilled" => {
            Progress::Passed
        }
        RecordState::Exited if policy_restarts(pod, container, record.exit_code) => Progress::Again,
        RecordState::Exited => Progress::Failed,
    }
}
