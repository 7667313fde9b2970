//! The shared state of a run: objects, pods, events so far, clock, containers' runtime.
//! Borrow it for a moment, never across an await.

use super::control::Controllers;
use super::control::admission::Rules;
use super::control::budget::Budget;
use super::control::claims::Storage;
use super::control::node::Node;
use super::exec::{Clock, Flag};
use super::model::{Container, Pod, PodId};
use super::runtime::{Answer, Ask, Handle, Runtime, VolumeRef};
use super::{Limits, Scenario};
use crate::kube::Object;
use crate::rng::Rng;
use crate::shell::kernel::Output;
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::{Event, EventId, Name, Subject, What};
use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(crate) type World = Rc<Cluster>;

pub(crate) struct Cluster {
    pub(crate) clock: Clock,
    pub(crate) scenario: Scenario,
    state: RefCell<State>,
    runtime: RefCell<Box<dyn Runtime>>,
}

/// A ConfigMap or Secret: decoded values by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) data: BTreeMap<String, Vec<u8>>,
    pub(crate) created_at: SimTime,
    /// What made its values what they are, where that was not the beginning.
    pub(crate) changed_by: Option<EventId>,
}

/// What came back of a command run in a container.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Ran { code: i32, output: Output },
    Answered(Answer),
}

pub(crate) struct State {
    clock: Clock,
    /// Where objects without a namespace of their own live.
    home: String,
    pub(crate) out: Vec<Event>,
    next_event: u32,
    limits: Limits,
    /// Why the run can't go on.
    pub(crate) stopped: Option<String>,
    /// Bytes of file contents told so far.
    pub(crate) told_bytes: u64,
    pub(crate) pods: BTreeMap<PodId, Pod>,
    pub(crate) next_pod: u32,
    /// `KIND/NAMESPACE/NAME` of objects whose name another namespace had first.
    namesakes: BTreeSet<Name>,
    /// Names of pods the API server has: of others nothing is told any more.
    pub(crate) live: BTreeSet<Name>,
    /// By (kind, namespace, name), kind `configmap` or `secret`.
    pub(crate) configs: BTreeMap<(&'static str, String, String), Config>,
    /// Objects as manifests said them last, by kind, namespace and name.
    pub(crate) applied: BTreeMap<(String, String, String), Object>,
    pub(crate) controllers: Controllers,
    /// Pods the scheduler thinks away while it looks whether that would help.
    pub(crate) ignored: BTreeSet<PodId>,
    /// What pods can be bound to.
    pub(crate) nodes: Vec<Node>,
    /// The pods bound to each node.
    pub(crate) bound: BTreeMap<String, BTreeSet<PodId>>,
    /// Pods that others were sent away for.
    pub(crate) nominees: BTreeSet<PodId>,
    /// Some pod of this run will not be near others.
    pub(crate) has_anti_affinity: bool,
    pub(crate) rules: Rules,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) storage: Storage,
    /// Directories of nodes that pods mounted, by node and path.
    pub(crate) host_paths: BTreeMap<(String, String), VolumeRef>,
    pub(crate) names: Rng,
    jitter: Option<Rng>,
    /// Until when each node's kubelet is busy telling the API server of its pods.
    telling: BTreeMap<Option<String>, SimTime>,
    pub(crate) images: BTreeSet<String>,
    /// Images somebody put into a registry while the cluster ran.
    pub(crate) published: BTreeSet<String>,
    /// Pulls go one after another on a node.
    pub(crate) pulling_until: SimTime,
    pub(crate) runs: BTreeMap<Handle, (PodId, Name)>,
    /// The newest stopped connection of a container, by where it was to go.
    pub(crate) drops: BTreeMap<(PodId, Name, String), EventId>,
    /// What running containers used last: thousandths of a processor, bytes.
    pub(crate) measured: BTreeMap<Handle, (u32, u64)>,
    pub(crate) replies: BTreeMap<Ask, Reply>,
    /// The pods for which somebody waits for a reply.
    pub(crate) asked: BTreeMap<Ask, PodId>,
    spam: BTreeMap<(Subject, bool), (u32, SimTime)>,
    similar: BTreeMap<(Subject, bool, Name), (BTreeSet<String>, SimTime)>,
    /// Raised when a controller should look.
    pub(crate) api_flag: Flag,
    pub(crate) api_dirty: bool,
    /// How often the spec of an object was changed, by kind and name: what its generation grew by.
    edits: BTreeMap<(&'static str, Name), i64>,
    /// Labels, annotations and finalizers given or taken later, by kind, name and field; pods keep
    /// their own labels and annotations.
    pub(crate) marks: BTreeMap<(String, Name, &'static str), BTreeMap<String, Option<String>>>,
    /// The kubelet's last look at all pods.
    pub(crate) relisted_at: SimTime,
}

impl Cluster {
    pub(crate) fn new(clock: Clock, scenario: Scenario, runtime: Box<dyn Runtime>) -> World {
        let seed = scenario.seed;
        let state = State {
            clock: clock.clone(),
            home: scenario.namespace.clone(),
            out: Vec::new(),
            next_event: 0,
            limits: scenario.limits.clone(),
            stopped: None,
            told_bytes: 0,
            pods: BTreeMap::new(),
            next_pod: 0,
            namesakes: BTreeSet::new(),
            live: BTreeSet::new(),
            configs: BTreeMap::new(),
            applied: BTreeMap::new(),
            controllers: Controllers::default(),
            ignored: BTreeSet::new(),
            nodes: Vec::new(),
            bound: BTreeMap::new(),
            nominees: BTreeSet::new(),
            has_anti_affinity: false,
            rules: Rules::default(),
            budgets: Vec::new(),
            storage: Storage::default(),
            host_paths: BTreeMap::new(),
            names: Rng::new(seed, "names"),
            // The first seed takes the middle of every range, so that lessons read evenly.
            telling: BTreeMap::new(),
            jitter: (seed > 1).then(|| Rng::new(seed, "jitter")),
            edits: BTreeMap::new(),
            marks: BTreeMap::new(),
            images: BTreeSet::new(),
            published: BTreeSet::new(),
            pulling_until: SimTime::ZERO,
            runs: BTreeMap::new(),
            drops: BTreeMap::new(),
            measured: BTreeMap::new(),
            replies: BTreeMap::new(),
            asked: BTreeMap::new(),
            spam: BTreeMap::new(),
            similar: BTreeMap::new(),
            api_flag: Flag::default(),
            api_dirty: false,
            relisted_at: SimTime::ZERO,
        };
        let (state, runtime) = (RefCell::new(state), RefCell::new(runtime));
        Rc::new(Cluster { clock, scenario, state, runtime })
    }

    pub(crate) fn st(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    pub(crate) fn rt(&self) -> RefMut<'_, Box<dyn Runtime>> {
        self.runtime.borrow_mut()
    }

    pub(crate) fn now(&self) -> SimTime {
        self.clock.now()
    }

    /// Reads or changes one pod; None when it is gone for good.
    pub(crate) fn pod<T>(&self, id: PodId, look: impl FnOnce(&mut Pod) -> T) -> Option<T> {
        self.st().pods.get_mut(&id).map(look)
    }

    /// Sleeps for `millis` of virtual time.
    pub(crate) async fn pause(&self, millis: u64) {
        self.clock.sleep(SimTime::from_millis(millis)).await;
    }
}

/// What one status takes on its way to the API server and from there to the controllers.
const TELL: SimTime = SimTime::from_millis(50);
/// Longest burst of events about one object; more are dropped by the client that sends them.
const EVENT_BURST: u32 = 25;
const EVENT_REFILL: SimTime = SimTime::from_secs(300);
/// So many variants of an event within so long become one.
const SIMILAR_MAX: usize = 10;
const SIMILAR_FOR: SimTime = SimTime::from_secs(600);

impl State {
    pub(crate) fn now(&self) -> SimTime {
        self.clock.now()
    }

    pub(crate) fn emit(
        &mut self,
        subject: Subject,
        what: What,
        cause: Option<EventId>,
        origin: Option<Span>,
    ) -> EventId {
        let at = self.now();
        self.emit_at(at, subject, what, cause, origin)
    }

    /// Events keep time order: one told late counts as told now.
    pub(crate) fn emit_at(
        &mut self,
        at: SimTime,
        subject: Subject,
        what: What,
        cause: Option<EventId>,
        origin: Option<Span>,
    ) -> EventId {
        let id = EventId(self.next_event);
        if self.stopped.is_some() || self.is_gone(&subject) {
            return cause.unwrap_or(EventId(0));
        }
        self.next_event += 1;
        let at = self.out.last().map_or(at, |last| at.max(last.at));
        self.out.push(Event { id, at, subject, what, cause, origin });
        if self.next_event as usize >= self.limits.events {
            let sentence = format!("stopped after {} events", self.limits.events);
            let what = What::Limit { sentence: sentence.clone() };
            let (id, subject) = (EventId(self.next_event), Subject::Cluster);
            self.next_event += 1;
            self.out.push(Event { id, at, subject, what, cause: None, origin: None });
            self.stopped = Some(sentence);
        }
        id
    }

    fn is_gone(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Pod(pod) | Subject::Container { pod, .. } => !self.live.contains(pod),
            _ => false,
        }
    }

    /// An Event object about a pod, or about one container of it.
    pub(crate) fn report(
        &mut self,
        pod: PodId,
        container: Option<&Container>,
        reason: &str,
        message: String,
        cause: Option<EventId>,
    ) -> EventId {
        let none = EventId(self.next_event);
        let warning = is_warning(reason, &message);
        let Some(pod) = self.pods.get(&pod) else { return none };
        let subject = match container {
            Some(one) => pod.container_subject(&one.name),
            None => pod.subject(),
        };
        let origin = container.and_then(|one| pod.span(&one.path));
        let (about, reason) = (pod.subject(), Name::from(reason));
        let key = (about.clone(), warning);
        if !self.passes_spam_filter(key) {
            return cause.unwrap_or(none);
        }
        let field_path = container.map(Container::field);
        let message = self.combined((about, warning, reason.clone()), message);
        let what = What::Reported { warning, reason, field_path, message };
        self.emit(subject, what, cause, origin)
    }

    /// Ten events of one reason that differ only in their words are told as one.
    // Models client-go tools/record/events_cache.go EventAggregator (v1.36).
    pub(crate) fn combined(&mut self, key: (Subject, bool, Name), message: String) -> String {
        let now = self.now();
        let (seen, last) = self.similar.entry(key).or_default();
        if now - *last > SIMILAR_FOR {
            seen.clear();
        }
        *last = now;
        seen.insert(message.clone());
        if seen.len() < SIMILAR_MAX {
            return message;
        }
        seen.pop_first();
        format!("(combined from similar events): {message}")
    }

    // Models client-go tools/record/events_cache.go EventSourceObjectSpamFilter.
    fn passes_spam_filter(&mut self, key: (Subject, bool)) -> bool {
        let now = self.now();
        let (tokens, since) = self.spam.entry(key).or_insert((EVENT_BURST, now));
        let refills = (now - *since).0 / EVENT_REFILL.0;
        if refills > 0 {
            *tokens = EVENT_BURST.min(*tokens + refills as u32);
            *since = *since + SimTime(refills * EVENT_REFILL.0);
        }
        let passes = *tokens > 0;
        *tokens = tokens.saturating_sub(1);
        passes
    }

    /// Binds a pod to a node.
    pub(crate) fn bind(&mut self, id: PodId, node: String) {
        let Some(pod) = self.pods.get_mut(&id) else { return };
        (pod.scheduled, pod.node, pod.nominated) = (true, Some(node.clone()), None);
        self.nominees.remove(&id);
        self.bound.entry(node).or_default().insert(id);
    }

    /// Nothing of a pod is left, in the API or on its node.
    pub(crate) fn forget(&mut self, id: PodId) {
        let node = self.pods.remove(&id).and_then(|pod| pod.node);
        if let Some(pods) = node.and_then(|node| self.bound.get_mut(&node)) {
            pods.remove(&id);
        }
    }

    /// What the run calls an object: its name, or `NAMESPACE/NAME`; see `trace::plain`.
    pub(crate) fn key(&self, kind: &str, namespace: &str, name: &str) -> Name {
        let whole = format!("{kind}/{namespace}/{name}");
        match self.namesakes.contains(whole.as_str()) {
            true => format!("{namespace}/{name}").into(),
            false => name.into(),
        }
    }

    /// What the run calls an object that an action names: `NAME` or `NAMESPACE/NAME`.
    pub(crate) fn called(&self, kind: &str, name: &str) -> Name {
        match name.split_once('/') {
            Some((namespace, name)) => self.key(kind, namespace, name),
            None => self.key(kind, &self.home, name),
        }
    }

    /// What the run calls an object that comes now, where `taken` says that its name is another's.
    pub(crate) fn new_key(
        &mut self,
        kind: &str,
        (namespace, name): (&str, &str),
        taken: bool,
    ) -> Name {
        if taken {
            self.namesakes.insert(format!("{kind}/{namespace}/{name}").into());
        }
        self.key(kind, namespace, name)
    }

    /// The spec of an object has changed.
    pub(crate) fn edited(&mut self, kind: &'static str, name: &Name) {
        *self.edits.entry((kind, name.clone())).or_default() += 1;
    }

    /// `metadata.generation` of an object.
    pub(crate) fn generation(&self, kind: &'static str, name: &Name) -> i64 {
        1 + self.edits.get(&(kind, name.clone())).copied().unwrap_or(0)
    }

    /// Something controllers watch has changed.
    pub(crate) fn touch(&mut self) {
        self.api_dirty = true;
        let clock = self.clock.clone();
        self.api_flag.raise(&clock);
    }

    /// A wait of `span` times 1 to 1.5, as kubelets spread their retries.
    pub(crate) fn jittered(&mut self, span: SimTime) -> SimTime {
        let thousandths = match &mut self.jitter {
            Some(rng) => rng.below(500),
            None => 250,
        };
        SimTime(span.0 + span.0 / 1000 * thousandths)
    }

    /// When the kubelet of this pod's node gets to tell the API server of it: one pod at a time,
    /// so that controllers see what happens at once one after the other.
    // Models pkg/kubelet/status/status_manager.go syncBatch (v1.36).
    pub(crate) fn turn_to_tell(&mut self, pod: PodId) -> SimTime {
        let node = self.pods.get(&pod).and_then(|pod| pod.node.clone());
        let now = self.now();
        let until = self.telling.entry(node).or_default();
        *until = now.max(*until) + TELL;
        *until
    }

    /// Between so many milliseconds and twice as many, for what a busy machine does.
    pub(crate) fn about(&mut self, millis: u64) -> u64 {
        let more = self.jitter.as_mut().map_or(millis / 2, |rng| rng.below(millis));
        millis + more
    }

    /// Where in its second a loop with a phase of its own ticks.
    pub(crate) fn phase(&mut self) -> SimTime {
        match &mut self.jitter {
            Some(rng) => SimTime::from_millis(100 + rng.below(800)),
            None => SimTime::from_millis(500),
        }
    }

    /// `n` symbols as generated names have them.
    // Models staging/src/k8s.io/apimachinery/pkg/util/rand (v1.36).
    pub(crate) fn suffix(&mut self, n: usize) -> String {
        const SYMBOLS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let one = |rng: &mut Rng| {
            let idx = rng.below(SYMBOLS.len() as u64) as usize;
            SYMBOLS.get(idx).copied().unwrap_or(b'x') as char
        };
        (0..n).map(|_| one(&mut self.names)).collect()
    }

    pub(crate) fn uid(&mut self) -> String {
        let (high, low) = (self.names.next_u64(), self.names.next_u64());
        let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0xfff);
        let (d, e) = ((low >> 48) & 0x3fff | 0x8000, low & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }
}

/// The reasons of a kubelet's and scheduler's events that warn.
fn is_warning(reason: &str, message: &str) -> bool {
    match reason {
        // A crash loop warns, a failing pull does not.
        "BackOff" => message.starts_with("Back-off restarting"),
        "Failed" | "FailedScheduling" | "FailedMount" | "Unhealthy" | "ProbeWarning" => true,
        "FailedPostStartHook" => message == "PostStartHook failed",
        "NodeNotReady" | "FailedPreStopHook" | "InspectFailed" | "ErrImageNeverPull"
        | "Evicted" => true,
        "FailedCreatePodSandBox" | "FailedKillPod" | "FailedSync" => true,
        "BackoffLimitExceeded" | "FailedCreate" | "DeadlineExceeded" => {
            message != "Pod was active on the node longer than the specified deadline"
        }
        _ => false,
    }
}
