//! What kubectl prints, from snapshots and timelines: tables, ages. Runs and decides nothing.

mod access;
mod act;
mod attach;
mod clock;
mod cluster;
mod compare;
mod complete;
mod copy;
mod create;
mod debug;
mod describe;
mod dump;
mod env;
mod explain;
mod files;
mod get;
mod help;
mod jsonpath;
mod kinds;
mod line;
mod live;
mod logs;
mod mark;
mod merge;
mod other;
mod rollout;
mod rows;
mod run;
mod select;
mod table;
mod template;
mod watch;
mod words;

pub use run::{Files, Said, complete_line, fill, objects, run_among, run_at};
pub use table::{Table, human_duration};

use crate::time::SimTime;
use crate::trace::{Event, Name, PodView, Snapshot, Subject, Timeline, What, plain};

const POD_COLUMNS: [&str; 5] = ["NAME", "READY", "STATUS", "RESTARTS", "AGE"];

/// `kubectl get pods` at the snapshot's instant, by name; empty where there is none.
pub fn get_pods(snapshot: &Snapshot) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (name, pod) in &snapshot.pods {
        rows.push(pod_cells(name, pod, snapshot.at));
    }
    print_table(&POD_COLUMNS, &rows)
}

/// `kubectl get pods -w` as it stands after the first `n` events of a run it watched from the
/// start: a line for each change of a pod as the API server showed it.
///
/// Models `staging/src/k8s.io/kubectl/pkg/cmd/get/get.go` watch (v1.36): column widths only grow.
pub fn get_pods_watch(timeline: &Timeline, n: usize) -> String {
    let mut watch = Watch::default();
    let mut snapshot = Snapshot::default();
    for event in timeline.events.iter().take(n) {
        let shown = shown_pod(event);
        let removed = matches!(event.what, What::Removed);
        if !removed {
            snapshot.apply(event);
        }
        // A deleted object is printed once more as it last was.
        if let Some(pod) = shown
            && let Some(view) = snapshot.pods.get(pod)
        {
            // Where one terminal shows two of a name, the later one keeps its namespace.
            let alone = !snapshot.pods.contains_key(plain(pod));
            watch.print(pod_cells(if alone { plain(pod) } else { pod }, view, event.at));
        }
        if removed {
            snapshot.apply(event);
        }
    }
    watch.out
}

#[derive(Default)]
struct Watch {
    table: Table,
    out: String,
}

impl Watch {
    /// The header comes with the first line and is as wide as that.
    fn print(&mut self, cells: Vec<String>) {
        if self.out.is_empty() {
            self.table.widen(&cells);
            self.out = self.table.line(&POD_COLUMNS.map(str::to_owned));
        }
        self.out.push_str(&self.table.line(&cells));
    }
}

/// The pod whose line an event changes.
fn shown_pod(event: &Event) -> Option<&Name> {
    match (&event.subject, &event.what) {
        (Subject::Pod(pod), What::Row { .. } | What::Removed) => Some(pod),
        _ => None,
    }
}

/// Models `pkg/printers/internalversion/printers.go` printPod (v1.36); STATUS and the counts
/// come from the event, ages are told at `now`.
fn pod_cells(name: &str, pod: &PodView, now: SimTime) -> Vec<String> {
    let restarts = match pod.restarted_at {
        Some(at) if pod.restarts > 0 => {
            format!("{} ({} ago)", pod.restarts, human_duration(now - at))
        }
        _ => pod.restarts.to_string(),
    };
    vec![
        name.to_owned(),
        format!("{}/{}", pod.ready.0, pod.ready.1),
        pod.status.clone(),
        restarts,
        human_duration(now - pod.created_at),
    ]
}

/// `kubectl get KIND` of every controller and Service of a snapshot, a table for each kind.
pub fn get_objects(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for (kind, prefix, columns) in OBJECT_TABLES {
        let mut rows = Vec::new();
        for ((_, name), object) in snapshot.objects.iter().filter(|((k, _), _)| &**k == *kind) {
            let mut cells = vec![format!("{prefix}/{name}")];
            cells.extend(object.cells.iter().cloned());
            cells.push(human_duration(snapshot.at - object.created_at));
            rows.push(cells);
        }
        if rows.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&print_table(columns, &rows));
    }
    out
}

/// (kind as subjects spell it, kubectl's prefix, columns), in the order of `kubectl get all`.
const OBJECT_TABLES: &[(&str, &str, &[&str])] = &[
    ("service", "service", &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]),
    (
        "daemonset",
        "daemonset.apps",
        &["NAME", "DESIRED", "CURRENT", "READY", "UP-TO-DATE", "AVAILABLE", "NODE SELECTOR", "AGE"],
    ),
    ("deployment", "deployment.apps", &["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"]),
    ("replicaset", "replicaset.apps", &["NAME", "DESIRED", "CURRENT", "READY", "AGE"]),
    ("statefulset", "statefulset.apps", &["NAME", "READY", "AGE"]),
    (
        "cronjob",
        "cronjob.batch",
        &["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"],
    ),
    ("job", "job.batch", &["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"]),
];

fn print_table(columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let header: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let mut table = Table::default();
    table.widen(&header);
    for row in rows {
        table.widen(row);
    }
    let mut out = table.line(&header);
    for row in rows {
        out.push_str(&table.line(row));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::EventId;

    fn run() -> Timeline {
        let row = |ready, status: &str, restarts, ago: Option<u64>| What::Row {
            ready,
            total: 1,
            status: status.to_owned(),
            restarts,
            restarted_at: ago.map(SimTime::from_secs),
        };
        let whats = [
            (0, What::PodAdded(Box::default())),
            (0, row(0, "Pending", 0, None)),
            (0, row(0, "ContainerCreating", 0, None)),
            (1, row(1, "Running", 0, None)),
            (3, row(1, "Running", 1, Some(2))),
            (75, row(1, "Terminating", 1, Some(2))),
            (80, What::Removed),
        ];
        let events = whats.into_iter().enumerate().map(|(i, (secs, what))| Event {
            id: EventId(i as u32),
            at: SimTime::from_secs(secs),
            subject: Subject::Pod("web".into()),
            what,
            cause: None,
            origin: None,
        });
        let mut timeline = Timeline::default();
        timeline.extend(events, SimTime::from_secs(100));
        timeline
    }

    #[test]
    fn a_watch_prints_a_line_per_change_with_widths_that_only_grow() {
        let expected = "\
NAME   READY   STATUS    RESTARTS   AGE
web    0/1     Pending   0          0s
web    0/1     ContainerCreating   0          0s
web    1/1     Running             0          1s
web    1/1     Running             1 (1s ago)   3s
web    1/1     Terminating         1 (73s ago)   75s
web    1/1     Terminating         1 (78s ago)   80s
";
        assert_eq!(get_pods_watch(&run(), 99), expected);
    }

    #[test]
    fn a_list_is_as_wide_as_its_widest_cells() {
        let expected = "\
NAME   READY   STATUS    RESTARTS      AGE
web    1/1     Running   1 (38s ago)   40s
";
        assert_eq!(get_pods(&run().at(SimTime::from_secs(40))), expected);
        assert_eq!(get_pods(&Snapshot::default()), "");
    }
}
