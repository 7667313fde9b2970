//! What kubectl reads: objects at an instant, Events made of the trace, log lines, table rows the
//! server makes. Prints nothing.

use super::dump;
use super::kinds::{self, Kind};
use super::run::{Desk, Files};
use crate::kube::{self, tree::Tree};
use crate::order::Order;
use crate::sim::Review;
use crate::time::SimTime;
use crate::trace::{Event, Name, Subject, What, plain};
use std::collections::{BTreeMap, BTreeSet};

/// The cluster as it stood at one instant.
pub(super) struct Cluster<'a> {
    objects: Vec<Tree>,
    /// The trace up to now.
    pub(super) past: &'a [Event],
    pub(super) now: SimTime,
    pub(super) started_unix_secs: i64,
    pub(super) namespace: String,
    rows: BTreeMap<Name, &'a What>,
    /// The server's judge, where the scenario has one.
    pub(super) review: Option<Review>,
    /// What lies before the person who asks.
    pub(super) desk: Desk,
    /// The objects the run began with, as they were written.
    pub(super) manifest: Vec<Tree>,
    /// How many pods of a name there were.
    lives: BTreeMap<Name, u32>,
    namesakes: BTreeSet<Name>,
}

impl<'a> Cluster<'a> {
    pub(super) fn new(
        mut objects: Vec<Tree>,
        past: &'a [Event],
        now: SimTime,
        started_unix_secs: i64,
        namespace: &str,
    ) -> Cluster<'a> {
        let mut rows = BTreeMap::new();
        let mut lives: BTreeMap<Name, u32> = BTreeMap::new();
        for event in past {
            if let (Subject::Pod(pod), What::PodAdded(_)) = (&event.subject, &event.what) {
                *lives.entry(pod.clone()).or_default() += 1;
            }
            if let (Subject::Pod(pod), What::Row { .. }) = (&event.subject, &event.what) {
                rows.insert(pod.clone(), &event.what);
            }
        }
        let (written, namesakes) = (versions(past), namesakes(past));
        objects.iter_mut().for_each(|object| version(object, &written, &namesakes));
        let places = places(past, &objects, &namesakes);
        objects.extend(events(past, started_unix_secs, (namespace, &places)));
        let namespace = namespace.to_owned();
        Cluster {
            objects,
            past,
            now,
            started_unix_secs,
            namespace,
            rows,
            lives,
            namesakes,
            review: None,
            desk: Desk::new(BTreeMap::new()),
            manifest: Vec::new(),
        }
    }

    /// The run begins as `kubectl apply` leaves a cluster: each object says what was applied.
    // Models k8s.io/kubectl/pkg/util/apply.go CreateApplyAnnotation (v1.36).
    pub(super) fn was_applied(&mut self, manifest: Vec<Tree>) {
        for written in &manifest {
            let mut applied = written.clone();
            let Some(metadata) = applied.get_mut("metadata") else { continue };
            if metadata.get("annotations").is_null() {
                metadata.put("annotations", Tree::map());
            }
            let kind = written.text("kind");
            if kinds::of(kind).is_some_and(|kind| kind.namespaced) {
                metadata.put_new("namespace", Tree::from(self.namespace.as_str()));
            }
            let (name, namespace) = (metadata.text("name"), metadata.text("namespace"));
            let live = self.objects.iter_mut().find(|one| {
                let there = one.get("metadata");
                one.text("kind") == kind
                    && there.text("name") == name
                    && there.text("namespace") == namespace
            });
            let Some(live) = live.and_then(|live| live.get_mut("metadata")) else { continue };
            let mut marks = live.get("annotations").clone();
            let mut json = String::new();
            dump::json(&applied, 0, 0, &mut json);
            marks.put("kubectl.kubernetes.io/last-applied-configuration", Tree::from(json + "\n"));
            live.put("annotations", marks);
        }
        self.manifest = manifest;
    }

    /// What the server says to an object that comes in place of another, or new: as `kubectl`
    /// prints it. Nothing where it is taken.
    pub(super) fn refusal(&self, new: &Tree, old: Option<&Tree>) -> Option<String> {
        let text = |tree: &Tree| {
            let mut json = String::new();
            dump::json(tree, 0, 0, &mut json);
            json
        };
        let before = old.map(|old| kube::read(&text(old)));
        let live = |_: &kube::Object| {
            let found = before.as_ref().and_then(|desired| desired.objects.first());
            found.map(|object| object.origins.clone())
        };
        (self.review?)(&text(new), &live).1.into_iter().next()
    }

    /// Milliseconds since 1970.
    pub(super) fn now_millis(&self) -> i64 {
        self.started_unix_secs * 1_000 + self.now.as_millis() as i64
    }

    /// Objects of a kind in one namespace, or in all; by name.
    pub(super) fn list(&self, kind: &Kind, namespace: Option<&str>) -> Vec<&Tree> {
        let here = |one: &&Tree| {
            let inside = one.text("metadata.namespace");
            let there = !kind.namespaced || namespace.is_none_or(|wanted| wanted == inside);
            one.text("kind") == kind.name && there
        };
        let mut found: Vec<&Tree> = self.objects.iter().filter(here).collect();
        found.order_by_key(|one| (one.text("metadata.namespace"), one.text("metadata.name")));
        found
    }

    pub(super) fn one(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Tree> {
        self.list(kind, Some(namespace)).into_iter().find(|o| o.text("metadata.name") == name)
    }

    /// Pods of a namespace.
    pub(super) fn pods(&self, namespace: &str) -> Vec<&Tree> {
        kinds::of("Pod").map(|kind| self.list(kind, Some(namespace))).unwrap_or_default()
    }

    /// What the run's events call an object; see `trace::plain`.
    pub(super) fn key(&self, object: &Tree) -> Name {
        key(object, &self.namesakes)
    }

    /// What actions call an object: `NAMESPACE/NAME` outside of the run's own namespace.
    pub(super) fn said(&self, kind: &Kind, object: &Tree) -> String {
        let (namespace, name) = (object.text("metadata.namespace"), object.text("metadata.name"));
        match kind.namespaced && namespace != self.namespace && !namespace.is_empty() {
            true => format!("{namespace}/{name}"),
            false => name.to_owned(),
        }
    }

    /// As `said`, of a pod.
    pub(super) fn said_pod(&self, pod: &Tree) -> String {
        kinds::of("Pod").map(|kind| self.said(kind, pod)).unwrap_or_default()
    }

    /// The row of `kubectl get pods` the server showed last.
    pub(super) fn pod_row(&self, pod: &Tree) -> Option<&What> {
        self.rows.get(&self.key(pod)).copied()
    }

    /// Events about an object, oldest first.
    pub(super) fn about(&self, object: &Tree) -> Vec<&Tree> {
        let (kind, name) = (object.text("kind"), object.text("metadata.name"));
        let namespace = object.text("metadata.namespace");
        let life = self.lives.get(&self.key(object)).filter(|_| kind == "Pod");
        let mine = |one: &&Tree| {
            let of = one.get("involvedObject");
            let this = life.is_none_or(|life| i64::from(*life) == of.int("life"));
            let here = namespace.is_empty() || of.text("namespace") == namespace;
            of.text("kind") == kind && of.text("name") == name && this && here
        };
        let all = kinds::of("Event").map(|kind| self.list(kind, None)).unwrap_or_default();
        all.into_iter().filter(mine).collect()
    }

    /// RFC 3339 with so many digits after the second.
    pub(super) fn stamp(&self, at: SimTime, digits: usize) -> String {
        stamp(self.started_unix_secs, at, digits)
    }
}

fn stamp(started: i64, at: SimTime, digits: usize) -> String {
    let whole = crate::sim::stamp(started + at.as_secs() as i64);
    let millis = at.as_millis() % 1_000;
    match digits {
        0 => whole,
        _ => {
            let zeros = "0".repeat(digits.saturating_sub(3));
            format!("{}.{millis:03}{zeros}Z", whole.trim_end_matches('Z'))
        }
    }
}

/// `KIND/NAMESPACE/NAME` of all objects that events call by their namespaces.
fn namesakes(past: &[Event]) -> BTreeSet<Name> {
    let called = past.iter().filter_map(|event| match &event.subject {
        Subject::Pod(name) if name.contains('/') => Some(format!("pod/{name}").into()),
        Subject::Object { kind, name } if name.contains('/') => {
            Some(format!("{kind}/{name}").into())
        }
        _ => None,
    });
    called.collect()
}

fn key(object: &Tree, namesakes: &BTreeSet<Name>) -> Name {
    let (namespace, name) = (object.text("metadata.namespace"), object.text("metadata.name"));
    let whole = format!("{}/{namespace}/{name}", object.text("kind").to_lowercase());
    match namesakes.contains(whole.as_str()) {
        true => format!("{namespace}/{name}").into(),
        false => name.into(),
    }
}

/// The namespaces of what events call by names alone, by `KIND/NAME`.
fn places(past: &[Event], objects: &[Tree], namesakes: &BTreeSet<Name>) -> Files {
    let mut out = Files::new();
    for object in objects {
        let key = key(object, namesakes);
        if !key.contains('/') {
            let namespace = object.text("metadata.namespace").to_owned();
            out.insert(format!("{}/{key}", object.text("kind")), namespace);
        }
    }
    for event in past {
        if let (Subject::Pod(pod), What::PodAdded(shape)) = (&event.subject, &event.what) {
            out.insert(format!("Pod/{pod}"), shape.namespace.clone());
        }
    }
    out
}

/// Kind in lower case, name.
type Key = (String, Name);

/// The last write of each object: the number of the event that told of it.
fn versions(past: &[Event]) -> BTreeMap<Key, u32> {
    let mut out = BTreeMap::new();
    for event in past {
        let key = match (&event.subject, &event.what) {
            (_, What::Reported { .. } | What::Log { .. } | What::Note { .. }) => continue,
            (Subject::Pod(pod) | Subject::Container { pod, .. }, _) => {
                ("pod".to_owned(), pod.clone())
            }
            (Subject::Object { kind, name }, _) => (kind.to_string(), name.clone()),
            _ => continue,
        };
        out.insert(key, event.id.0);
    }
    out
}

/// The version a cluster's store has before anything of the run is written to it.
const FIRST_VERSION: u32 = 1_000;

fn version(object: &mut Tree, written: &BTreeMap<Key, u32>, namesakes: &BTreeSet<Name>) {
    let key = (object.text("kind").to_lowercase(), key(object, namesakes));
    let number = written.get(&key).copied().unwrap_or(0);
    if let Some(metadata) = object.get_mut("metadata") {
        metadata.put("resourceVersion", Tree::from((FIRST_VERSION + number).to_string()));
    }
}

/// Who writes an event of this reason about this kind of object.
fn source(kind: &str, reason: &str) -> &'static str {
    match (kind, reason) {
        ("Pod", "Scheduled" | "FailedScheduling" | "Preempted") => "default-scheduler",
        ("Pod", "TaintManagerEviction") => "taint-eviction-controller",
        ("Pod", _) => "kubelet",
        ("Deployment", _) => "deployment-controller",
        ("ReplicaSet", _) => "replicaset-controller",
        ("StatefulSet", _) => "statefulset-controller",
        ("DaemonSet", _) => "daemonset-controller",
        ("Job", _) => "job-controller",
        ("CronJob", _) => "cronjob-controller",
        ("HorizontalPodAutoscaler", _) => "horizontal-pod-autoscaler",
        ("Ingress", _) => "nginx-ingress-controller",
        ("PersistentVolumeClaim", _) => "persistentvolume-controller",
        ("PodDisruptionBudget", _) => "controllermanager",
        ("Node", _) => "node-controller",
        _ => "",
    }
}

fn pod_of(subject: &Subject) -> Option<&Name> {
    match subject {
        Subject::Pod(pod) | Subject::Container { pod, .. } => Some(pod),
        _ => None,
    }
}

/// The kind and name of what an event is about.
fn about(subject: &Subject) -> Option<(&'static str, &str)> {
    Some(match subject {
        Subject::Pod(pod) | Subject::Container { pod, .. } => ("Pod", &**pod),
        Subject::Node(name) => ("Node", &**name),
        Subject::Object { kind, name } => (kinds::find(kind).map_or("", |kind| kind.name), &**name),
        Subject::Cluster => return None,
    })
}

/// The namespace of what events call so.
fn place<'a>(called: &'a str, kind: &str, home: &'a str, places: &'a Files) -> &'a str {
    match called.split_once('/') {
        Some((namespace, _)) => namespace,
        None => {
            let found = places.get(&format!("{kind}/{called}")).filter(|one| !one.is_empty());
            found.map_or(home, String::as_str)
        }
    }
}

fn involved(
    kind: &'static str,
    life: i64,
    (namespace, name): (&str, &str),
    field_path: Option<&str>,
) -> Tree {
    Tree::of(vec![
        ("fieldPath", Tree::from(field_path)),
        ("kind", Tree::from(kind)),
        ("life", if life == 0 { Tree::Null } else { Tree::Int(life) }),
        ("name", Tree::from(name)),
        ("namespace", Tree::from(namespace)),
    ])
}

/// Event objects: equal reports counted together, as the recorder of client-go does, and combined
/// ones, whatever they say last.
// Models staging/src/k8s.io/client-go/tools/record/events_cache.go eventObserve (v1.36).
fn events(past: &[Event], started: i64, (home, places): (&str, &Files)) -> Vec<Tree> {
    let mut out: Vec<Tree> = Vec::new();
    let mut known: BTreeMap<(&Subject, i64, &str, Option<&str>, &str), usize> = BTreeMap::new();
    let mut lives: BTreeMap<&Name, i64> = BTreeMap::new();
    for event in past {
        if let (Subject::Pod(pod), What::PodAdded(_)) = (&event.subject, &event.what) {
            *lives.entry(pod).or_default() += 1;
        }
        let What::Reported { warning, reason, field_path, message } = &event.what else { continue };
        let life = pod_of(&event.subject).and_then(|pod| lives.get(pod)).copied().unwrap_or(0);
        let combined = message.starts_with("(combined from similar events)");
        let words = if combined { "" } else { message.as_str() };
        let key = (&event.subject, life, &**reason, field_path.as_deref(), words);
        let last = Tree::from(stamp(started, event.at, 0));
        // Each pull takes its own milliseconds, so its message is never said twice; the simulated
        // ones may take the same.
        let pulled = message.starts_with("Successfully pulled image");
        if let Some(one) = known.get(&key).filter(|_| !pulled).and_then(|idx| out.get_mut(*idx)) {
            let count = one.int("count") + 1;
            one.put("count", Tree::Int(count));
            one.put("message", Tree::from(message.as_str()));
            one.put("lastTimestamp", last);
            one.put("seriesAt", Tree::from(stamp(started, event.at, 6)));
            continue;
        }
        let Some((kind, called)) = about(&event.subject) else { continue };
        let (name, namespace) = (plain(called), place(called, kind, home, places));
        known.insert(key, out.len());
        let by = source(kind, reason);
        // The scheduler writes events of the newer API, which carry another time.
        let newer = by == "default-scheduler";
        let of = involved(kind, life, (namespace, name), field_path.as_deref());
        let nanos = (started as u64 * 1_000 + event.at.as_millis()) * 1_000_000 + out.len() as u64;
        let metadata = Tree::of(vec![
            ("creationTimestamp", last.clone()),
            ("name", Tree::from(format!("{name}.{nanos:x}"))),
            ("namespace", Tree::from(namespace)),
        ]);
        out.push(Tree::of(vec![
            ("apiVersion", Tree::from("v1")),
            ("count", Tree::Int(1)),
            ("eventTime", Tree::from(newer.then(|| stamp(started, event.at, 6)))),
            ("firstTimestamp", if newer { Tree::Null } else { last.clone() }),
            ("involvedObject", of),
            ("kind", Tree::from("Event")),
            ("lastTimestamp", if newer { Tree::Null } else { last }),
            ("message", Tree::from(message.as_str())),
            ("metadata", metadata),
            ("reason", Tree::from(&**reason)),
            ("source", Tree::of(vec![("component", Tree::from(by))])),
            ("type", Tree::from(if *warning { "Warning" } else { "Normal" })),
        ]));
    }
    out
}
