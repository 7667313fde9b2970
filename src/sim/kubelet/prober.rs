//! Probe workers: one task for each (container, probe), and what they found last.

use super::endpoint::{endpoint, target};
use super::exec::{self, Ran};
use crate::sim::model::{Container, Pod, PodId, RecordState};
use crate::sim::runtime::{Answer, Handle};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name, ProbeKind, State, What};
use k8s_openapi::api::core::v1 as core;
use std::collections::BTreeMap;

/// What the probe workers of a pod know.
#[derive(Default)]
pub(crate) struct Probers {
    workers: BTreeMap<(Name, ProbeKind), Worker>,
    pub(crate) stopped: bool,
}

#[derive(Default)]
struct Worker {
    /// The run the result is about.
    run: Option<Handle>,
    /// None is unknown.
    result: Option<bool>,
    verdict: Option<EventId>,
    /// Equal results in a row, and which.
    last: bool,
    in_a_row: u32,
    on_hold: bool,
    triggered: bool,
}

impl Probers {
    fn get(&self, name: &str, kind: ProbeKind) -> Option<&Worker> {
        self.workers.get(&(Name::from(name), kind))
    }

    /// Results are about one run of a container: of another one nothing is known yet.
    fn result(&self, name: &str, kind: ProbeKind, run: Option<Handle>) -> Option<bool> {
        let worker = self.get(name, kind).filter(|w| w.run == run)?;
        worker.result
    }

    fn passes(&self, name: &str, kind: ProbeKind, run: Option<Handle>) -> bool {
        self.get(name, kind).is_none() || self.result(name, kind, run) == Some(true)
    }

    pub(crate) fn started(&self, name: &str, run: Option<Handle>) -> bool {
        self.passes(name, ProbeKind::Startup, run)
    }

    pub(crate) fn ready(&self, name: &str, run: Option<Handle>) -> bool {
        self.passes(name, ProbeKind::Readiness, run)
    }

    /// A liveness or startup verdict against the running container.
    pub(crate) fn failed(&self, name: &str, kind: ProbeKind, run: Option<Handle>) -> bool {
        self.result(name, kind, run) == Some(false)
    }

    pub(crate) fn verdict_event(&self, name: &str, kind: ProbeKind) -> Option<EventId> {
        self.get(name, kind)?.verdict
    }

    fn worker(&mut self, key: &(Name, ProbeKind)) -> Option<&mut Worker> {
        self.workers.get_mut(key)
    }
}

fn spec_of(container: &Container, kind: ProbeKind) -> Option<&core::Probe> {
    match kind {
        ProbeKind::Startup => container.spec.startup_probe.as_ref(),
        ProbeKind::Liveness => container.spec.liveness_probe.as_ref(),
        ProbeKind::Readiness => container.spec.readiness_probe.as_ref(),
    }
}

/// Starts the workers of a pod, once.
// Models pkg/kubelet/prober/prober_manager.go AddPod (v1.36).
pub(crate) fn add_pod(world: &World, id: PodId) {
    let Some(containers) = world.pod(id, |pod| pod.containers.clone()) else { return };
    let probed = containers.iter().filter(|c| c.is_main() || c.is_sidecar());
    for container in probed {
        for kind in [ProbeKind::Startup, ProbeKind::Readiness, ProbeKind::Liveness] {
            let Some(spec) = spec_of(container, kind) else { continue };
            let key = (container.name.clone(), kind);
            let fresh = world.pod(id, |pod| {
                let fresh = !pod.kubelet.probers.workers.contains_key(&key);
                pod.kubelet.probers.workers.entry(key.clone()).or_default();
                fresh
            });
            if fresh != Some(true) {
                continue;
            }
            let work = Work {
                world: world.clone(),
                id,
                container: container.clone(),
                kind,
                spec: spec.clone(),
            };
            world.clock.spawn(async move { work.run().await });
        }
    }
}

/// Ends all workers of a pod.
pub(crate) fn stop_all(world: &World, id: PodId) {
    world.pod(id, |pod| pod.kubelet.probers.stopped = true);
    super::raise(world, id);
}

/// A computed status looks at unready containers at once.
pub(crate) fn after_status(world: &World, id: PodId) {
    let any = world.pod(id, |pod| {
        let mut any = false;
        let probers = &mut pod.kubelet.probers;
        let unready = pod.status.containers.iter().filter(|(_, s)| s.started && !s.ready);
        for (name, _) in unready {
            let key = (name.clone(), ProbeKind::Readiness);
            if let Some(worker) = probers.worker(&key) {
                worker.triggered = true;
                any = true;
            }
        }
        any
    });
    if any == Some(true) {
        super::raise(world, id);
    }
}

/// What it takes a kubelet to get a connection under way, in milliseconds.
const CONNECT_MILLIS: u64 = 10;

struct Work {
    world: World,
    id: PodId,
    container: Container,
    kind: ProbeKind,
    spec: core::Probe,
}

/// Why a probe did not pass.
enum Trouble {
    Failed(String),
    /// The question itself could not be asked.
    Unknown(String),
}

/// What one look at the container says to do.
enum Look {
    End,
    Skip,
    Probe(Handle, EventId),
}

/// How the container a probe asks about stands.
struct Target {
    run: Option<Handle>,
    event: EventId,
    started_at: SimTime,
    /// As the API shows it, which is what probes go by.
    shown: Shown,
    started: bool,
}

#[derive(PartialEq)]
enum Shown {
    Waiting,
    Running,
    /// Whether it will be started again.
    Ended(bool),
}

fn target_of(pod: &Pod, container: &Container) -> Option<Target> {
    let record = pod.kubelet.seen.newest(&container.name).filter(|r| r.handle.is_some())?;
    let shown = match &pod.status.containers.get(&container.name)?.state {
        State::Running { .. } if record.state == RecordState::Running => Shown::Running,
        State::Terminated { exit_code, .. } if record.state == RecordState::Exited => {
            Shown::Ended(super::status::policy_restarts(pod, container, *exit_code))
        }
        _ => Shown::Waiting,
    };
    let started = pod.kubelet.probers.started(&container.name, record.handle);
    let (run, event, started_at) = (record.handle, record.event, record.started_at);
    Some(Target { run, event, started_at, shown, started })
}

fn seconds(value: Option<i32>, default: u64) -> SimTime {
    let secs = value.filter(|v| *v > 0).map_or(default, |v| v as u64);
    SimTime::from_secs(secs)
}

impl Work {
    // Models pkg/kubelet/prober/worker.go run (v1.36).
    async fn run(self) {
        let period = seconds(self.spec.period_seconds, 10);
        let mut tick = self.world.now() + period;
        loop {
            super::outage::powered(&self.world, self.id).await;
            if !self.probe_once().await {
                return;
            }
            loop {
                let triggered = self.change(|w| std::mem::take(&mut w.triggered));
                let now = self.world.now();
                match triggered {
                    None => return,
                    Some(true) => {
                        tick = now + period;
                        break;
                    }
                    Some(false) if now >= tick => {
                        let late = (now - tick).0 / period.0 + 1;
                        tick = tick + SimTime(late * period.0);
                        break;
                    }
                    Some(false) => super::happens(&self.world, self.id, tick).await,
                }
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Worker) -> T) -> Option<T> {
        let key = (self.container.name.clone(), self.kind);
        let done = self.world.pod(self.id, |pod| {
            let probers = &mut pod.kubelet.probers;
            if probers.stopped { None } else { probers.worker(&key).map(change) }
        });
        done.flatten()
    }

    /// What to do now, and whether what is known of the container changed by looking.
    // Models pkg/kubelet/prober/worker.go doProbe (v1.36).
    fn look(&self) -> (Look, bool) {
        let (kind, now) = (self.kind, self.world.now());
        let delay = seconds(self.spec.initial_delay_seconds, 0);
        let key = (self.container.name.clone(), kind);
        let look = self.world.pod(self.id, |pod| {
            let over = pod.kubelet.terminating && kind != ProbeKind::Readiness;
            let stopped = pod.kubelet.probers.stopped || pod.status.is_terminal();
            if stopped || (over && self.container.is_main()) {
                return (Look::End, false);
            }
            let target = target_of(pod, &self.container);
            let Some(worker) = pod.kubelet.probers.worker(&key) else { return (Look::End, false) };
            let Some(target) = target else { return (Look::Skip, false) };
            let fresh = worker.run != target.run;
            if fresh && target.shown == Shown::Waiting {
                return (Look::Skip, false);
            }
            if fresh {
                // What the run before it answered last goes on counting.
                let (last, in_a_row) = (worker.last, worker.in_a_row);
                *worker = Worker { run: target.run, last, in_a_row, ..Worker::default() };
                worker.result = match kind {
                    ProbeKind::Liveness => Some(true),
                    ProbeKind::Readiness => Some(false),
                    ProbeKind::Startup => None,
                };
            }
            // The first word on a run is news, except that it lives, which all suppose.
            let news = fresh && kind != ProbeKind::Liveness;
            if worker.on_hold {
                return (Look::Skip, false);
            }
            if target.shown != Shown::Running {
                let news = worker.result.replace(false) != Some(false);
                let last = target.shown == Shown::Ended(false);
                return (if last { Look::End } else { Look::Skip }, news);
            }
            // The status that says since when it runs counts whole seconds.
            // Models pkg/kubelet/status/status_manager.go normalizeStatus (v1.36).
            let started_at = SimTime::from_secs(target.started_at.as_secs());
            let early = (now - started_at).as_secs() < delay.as_secs();
            if early || target.started == (kind == ProbeKind::Startup) {
                return (Look::Skip, news);
            }
            (target.run.map_or(Look::Skip, |handle| Look::Probe(handle, target.event)), news)
        });
        look.unwrap_or((Look::End, false))
    }

    /// False when the worker is done for good.
    async fn probe_once(&self) -> bool {
        let (look, news) = self.look();
        if news {
            let cause = self.world.pod(self.id, |pod| pod.changed_by);
            super::want_sync(&self.world, self.id, cause.unwrap_or(EventId(0)));
        }
        let (handle, cause) = match look {
            Look::End => return false,
            Look::Skip => return true,
            Look::Probe(handle, cause) => (handle, cause),
        };
        let outcome = self.perform(handle).await;
        let runs = self.change(|w| w.run == Some(handle));
        if runs.is_none() {
            return false;
        }
        let (ok, detail) = match outcome {
            Ok(detail) => (true, detail),
            Err(Trouble::Failed(detail)) => (false, detail),
            Err(Trouble::Unknown(_)) if self.is_terminating() => return true,
            Err(Trouble::Unknown(detail)) => {
                // What could not be asked says nothing about the container.
                self.tell(false, "errored and resulted in unknown state", &detail, cause);
                return true;
            }
        };
        let event = self.tell(ok, "failed", &detail, cause);
        self.count(ok, handle, event).await;
        true
    }

    fn is_terminating(&self) -> bool {
        self.world.pod(self.id, |pod| pod.kubelet.terminating).unwrap_or(true)
    }

    fn tell(&self, ok: bool, word: &str, detail: &str, cause: EventId) -> EventId {
        let path = format!("{}.{}Probe", self.container.path, self.kind.word());
        let mut state = self.world.st();
        let place = state.pods.get(&self.id);
        let place = place.map(|pod| (pod.container_subject(&self.container.name), pod.span(&path)));
        let Some((subject, origin)) = place else { return cause };
        let what = What::Probe { probe: self.kind, ok, detail: detail.to_owned() };
        let event = state.emit(subject, what, Some(cause), origin);
        if !ok {
            let kind = match self.kind {
                ProbeKind::Startup => "Startup",
                ProbeKind::Liveness => "Liveness",
                ProbeKind::Readiness => "Readiness",
            };
            let message = format!("{kind} probe {word}: {detail}");
            state.report(self.id, Some(&self.container), "Unhealthy", message, Some(event));
        }
        event
    }

    /// Counts a result, and acts when it crosses its threshold.
    async fn count(&self, ok: bool, handle: Handle, event: EventId) {
        let wanted = match ok {
            true => self.spec.success_threshold.unwrap_or(1),
            false => self.spec.failure_threshold.unwrap_or(3),
        };
        let kind = self.kind;
        let crossed = self.change(|w| {
            if w.run != Some(handle) {
                return false;
            }
            w.in_a_row = if w.last == ok { w.in_a_row + 1 } else { 1 };
            w.last = ok;
            if i64::from(w.in_a_row) < i64::from(wanted) {
                return false;
            }
            let changed = w.result != Some(ok);
            w.result = Some(ok);
            w.on_hold = kind == ProbeKind::Startup || (kind == ProbeKind::Liveness && !ok);
            if w.on_hold {
                w.in_a_row = 0;
            }
            changed
        });
        if crossed == Some(true) {
            self.verdict(ok, event).await;
        }
    }

    async fn verdict(&self, ok: bool, cause: EventId) {
        let verdict = {
            let mut state = self.world.st();
            let place = state.pods.get(&self.id);
            let place = place.map(|pod| pod.container_subject(&self.container.name));
            let Some(subject) = place else { return };
            let what = What::ProbeVerdict { probe: self.kind, ok };
            state.emit(subject, what, Some(cause), None)
        };
        self.change(|w| w.verdict = Some(verdict));
        if self.kind != ProbeKind::Liveness {
            let turn = self.world.st().turn_to_tell(self.id);
            self.world.clock.sleep_until(turn).await;
            self.show(verdict);
        }
        super::want_sync(&self.world, self.id, verdict);
    }

    /// Readiness and startup verdicts reach the API without waiting for a sync.
    // Models pkg/kubelet/status/status_manager.go SetContainerReadiness (v1.36).
    fn show(&self, cause: EventId) {
        let name = &self.container.name;
        let status = self.world.pod(self.id, |pod| {
            let mut status = super::status::reprobed(pod);
            let shown = pod.status.containers.contains_key(name);
            if pod.status.is_terminal() || !shown {
                status = pod.status.clone();
            }
            status
        });
        if let Some(status) = status {
            super::publish::publish(&mut self.world.st(), self.id, status, cause);
        }
    }

    // Models pkg/kubelet/prober/prober.go runProbe (v1.36).
    async fn perform(&self, handle: Handle) -> Result<String, Trouble> {
        let limit = seconds(self.spec.timeout_seconds, 1);
        let (world, id) = (&self.world, self.id);
        if let Some(argv) = self.spec.exec.as_ref().and_then(|e| e.command.as_ref()) {
            return match exec::command(world, id, handle, argv, limit).await {
                Ran::Done { code: 0, output } => Ok(output.all),
                Ran::Done { output, .. } => Err(Trouble::Failed(output.all)),
                Ran::TimedOut => Err(Trouble::Failed(format!(
                    "command timed out: \"{}\" timed out after {}s",
                    argv.join(" "),
                    limit.as_secs()
                ))),
                Ran::Failed(why) => Err(Trouble::Unknown(why)),
            };
        }
        world.pause(CONNECT_MILLIS).await;
        if let Some(get) = &self.spec.http_get {
            return self.get(get, limit).await.map_err(Trouble::Failed);
        }
        if let Some(tcp) = &self.spec.tcp_socket {
            let host = tcp.host.clone().unwrap_or_default();
            let Some((host, port)) = endpoint(world, id, &self.container, &host, &tcp.port) else {
                return Err(Trouble::Unknown(format!("couldn't resolve port {:?}", tcp.port)));
            };
            let refused =
                |why: &str| Err(Trouble::Failed(format!("dial tcp {host}:{port}: {why}")));
            return match exec::connect(world, id, &host, port, limit).await {
                Some(Answer::Failed(why)) => refused(&why),
                None => refused("i/o timeout"),
                Some(_) => Ok(String::new()),
            };
        }
        let grpc = self.spec.grpc.as_ref().map(|grpc| grpc.port);
        match grpc.and_then(|port| u16::try_from(port).ok()) {
            Some(port) => self.grpc(port, limit).await,
            None => Err(Trouble::Unknown("no probe handler".to_owned())),
        }
    }

    /// Nothing simulated speaks gRPC; what refuses connections is tried until time is up.
    // Models pkg/probe/grpc/grpc.go Probe (v1.36).
    async fn grpc(&self, port: u16, limit: SimTime) -> Result<String, Trouble> {
        let (world, id) = (&self.world, self.id);
        let until = world.now() + limit;
        let ip = world.pod(id, |pod| pod.ip.clone()).unwrap_or_default();
        let answer = exec::connect(world, id, &ip, port, limit).await;
        if matches!(answer, Some(Answer::Connected | Answer::Page { .. })) {
            return Err(Trouble::Unknown("not simulated: gRPC health checks".to_owned()));
        }
        world.clock.sleep_until(until).await;
        Err(Trouble::Failed(format!(
            "timeout: failed to connect service \"{ip}:{port}\" within {}s: context deadline \
             exceeded",
            limit.as_secs()
        )))
    }

    async fn get(&self, get: &core::HTTPGetAction, limit: SimTime) -> Result<String, String> {
        let (world, id) = (&self.world, self.id);
        let Some((host, port, path)) = target(world, id, &self.container, get) else {
            return Err(format!("couldn't resolve port {:?}", get.port));
        };
        let scheme = get.scheme.as_deref().unwrap_or("HTTP").to_ascii_lowercase();
        let url = format!("{scheme}://{host}:{port}{path}");
        match exec::get(world, id, (&host, port, &path, ""), limit).await {
            Some(Answer::Page { code, body }) if (200..400).contains(&code) => Ok(body),
            Some(Answer::Page { code, .. }) => {
                Err(format!("HTTP probe failed with statuscode: {code}"))
            }
            Some(Answer::Failed(why)) if why.starts_with("connect:") || why == "i/o timeout" => {
                Err(format!("Get \"{url}\": dial tcp {host}:{port}: {why}"))
            }
            Some(Answer::Failed(why)) => Err(format!("Get \"{url}\": {why}")),
            Some(Answer::Connected) => Ok(String::new()),
            None => Err(format!(
                "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting \
                 headers)"
            )),
        }
    }
}
