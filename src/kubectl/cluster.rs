//! What kubectl reads: objects at an instant, Events made of the trace, log lines, table rows the
//! server makes. Prints nothing.

use super::kinds::{self, Kind};
use crate::kube::tree::Tree;
use crate::time::SimTime;
use crate::trace::{Event, Name, Subject, What};
use std::collections::BTreeMap;

/// The cluster as it stood at one instant.
pub(super) struct Cluster<'a> {
    objects: Vec<Tree>,
    /// The trace up to now.
    pub(super) past: &'a [Event],
    pub(super) now: SimTime,
    pub(super) started_unix_secs: i64,
    pub(super) namespace: String,
    rows: BTreeMap<Name, &'a What>,
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
        for event in past {
            if let (Subject::Pod(pod), What::Row { .. }) = (&event.subject, &event.what) {
                rows.insert(pod.clone(), &event.what);
            }
        }
        objects.extend(events(past, started_unix_secs, namespace));
        let namespace = namespace.to_owned();
        Cluster { objects, past, now, started_unix_secs, namespace, rows }
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
        found.sort_by_key(|one| (one.text("metadata.namespace"), one.text("metadata.name")));
        found
    }

    pub(super) fn one(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Tree> {
        self.list(kind, Some(namespace)).into_iter().find(|o| o.text("metadata.name") == name)
    }

    /// Pods of a namespace.
    pub(super) fn pods(&self, namespace: &str) -> Vec<&Tree> {
        kinds::of("Pod").map(|kind| self.list(kind, Some(namespace))).unwrap_or_default()
    }

    /// The row of `kubectl get pods` the server showed last.
    pub(super) fn pod_row(&self, name: &str) -> Option<&What> {
        self.rows.get(name).copied()
    }

    /// Events about an object, oldest first.
    pub(super) fn about(&self, object: &Tree) -> Vec<&Tree> {
        let (kind, name) = (object.text("kind"), object.text("metadata.name"));
        let mine = |one: &&Tree| {
            one.text("involvedObject.kind") == kind && one.text("involvedObject.name") == name
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
        ("PersistentVolumeClaim", _) => "persistentvolume-controller",
        ("PodDisruptionBudget", _) => "controllermanager",
        ("Node", _) => "node-controller",
        _ => "",
    }
}

/// Event objects: equal reports counted together, as the recorder of client-go does.
// Models staging/src/k8s.io/client-go/tools/record/events_cache.go eventObserve (v1.36).
fn events(past: &[Event], started: i64, namespace: &str) -> Vec<Tree> {
    let mut out: Vec<Tree> = Vec::new();
    let mut known: BTreeMap<(&Subject, &str, Option<&str>, &str), usize> = BTreeMap::new();
    for event in past {
        let What::Reported { warning, reason, field_path, message } = &event.what else { continue };
        let key = (&event.subject, &**reason, field_path.as_deref(), message.as_str());
        let last = Tree::from(stamp(started, event.at, 0));
        // Each pull takes its own milliseconds, so its message is never said twice; the simulated
        // ones may take the same.
        let pulled = message.starts_with("Successfully pulled image");
        if let Some(one) = known.get(&key).filter(|_| !pulled).and_then(|idx| out.get_mut(*idx)) {
            let count = one.int("count") + 1;
            one.put("count", Tree::Int(count));
            one.put("lastTimestamp", last);
            one.put("seriesAt", Tree::from(stamp(started, event.at, 6)));
            continue;
        }
        let (kind, name) = match &event.subject {
            Subject::Pod(pod) | Subject::Container { pod, .. } => ("Pod", &**pod),
            Subject::Node(name) => ("Node", &**name),
            Subject::Object { kind, name } => {
                (kinds::find(kind).map_or("", |kind| kind.name), &**name)
            }
            Subject::Cluster => continue,
        };
        known.insert(key, out.len());
        let by = source(kind, reason);
        // The scheduler writes events of the newer API, which carry another time.
        let newer = by == "default-scheduler";
        let object = Tree::of(vec![
            ("fieldPath", Tree::from(field_path.as_deref())),
            ("kind", Tree::from(kind)),
            ("name", Tree::from(name)),
            ("namespace", Tree::from(namespace)),
        ]);
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
            ("involvedObject", object),
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
