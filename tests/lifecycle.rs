//! Runs of whole manifests: traces held against golden files, and what must hold in every run.
//! `UPDATE_EXPECT=1` writes the golden files anew.

use podlab::check::{check, review};
use podlab::sim::{Scenario, Simulation};
use podlab::time::SimTime;
use podlab::trace::{Event, Role, State, Subject, Timeline, What, text};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The directives in a manifest's first comments: how long, and what is done when.
fn scenario(manifest: &str, seed: u64) -> (Scenario, SimTime) {
    let mut scenario = Scenario::new(check(manifest).accepted());
    scenario.seed = seed;
    scenario.review = Some(review);
    let mut until = SimTime::from_secs(30);
    for line in manifest.lines() {
        if let Some(secs) = line.strip_prefix("# for: ") {
            until = SimTime::from_secs(secs.parse().expect("seconds"));
        } else if let Some((at, action)) =
            line.strip_prefix("# at: ").and_then(|rest| rest.split_once(' '))
        {
            let at = SimTime::from_secs(at.parse().expect("seconds"));
            scenario.actions.push((at, with_edit(action)));
        }
    }
    (scenario, until)
}

/// `apply NAME.yaml` brings the manifest of `tests/lifecycle/edits`.
fn with_edit(action: &str) -> String {
    let name = action.strip_prefix("apply ").unwrap_or("");
    let edits = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lifecycle/edits");
    match fs::read_to_string(edits.join(name)) {
        Ok(text) => format!("{action}\n{text}"),
        Err(_) => action.to_owned(),
    }
}

fn run(manifest: &str, seed: u64, budget: u64, step: SimTime) -> Timeline {
    let (scenario, until) = scenario(manifest, seed);
    let mut simulation = Simulation::new(scenario);
    let mut timeline = Timeline::default();
    let mut target = step.min(until);
    loop {
        let slice = simulation.advance(target, budget);
        timeline.extend(slice.events, slice.now);
        if slice.end.is_some() {
            if target >= until {
                timeline.end = slice.end;
                return timeline;
            }
            target = (target + step).min(until);
        }
    }
}

fn whole(manifest: &str, seed: u64) -> Timeline {
    run(manifest, seed, 1_000_000, SimTime::MAX)
}

fn manifests() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lifecycle");
    let entries = fs::read_dir(dir).expect("tests/lifecycle");
    let paths = entries.map(|e| e.expect("entry").path());
    let mut found: Vec<(String, String)> = paths
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .map(|p| (p.to_string_lossy().into_owned(), fs::read_to_string(&p).expect("readable")))
        .collect();
    found.sort();
    found
}

/// A line's number and words, and its time in milliseconds. How much a container uses is left out:
/// it is the interpreter's business, not the cluster's.
fn parts(line: &str) -> (String, f64) {
    let mut words = line.split_whitespace();
    let number = words.next().unwrap_or("");
    let secs: f64 = words.next().and_then(|time| time.parse().ok()).unwrap_or(-1.0);
    let rest: Vec<&str> = words.collect();
    let n = if rest.get(1) == Some(&"usage") { 2 } else { rest.len() };
    (format!("{number} {}", rest[..n].join(" ")), secs * 1000.0)
}

/// A script's own steps may get faster or slower by this much.
const SLACK_MILLIS: f64 = 15.0;

fn same(a: &str, b: &str) -> bool {
    let ((a, a_millis), (b, b_millis)) = (parts(a), parts(b));
    a == b && (a_millis - b_millis).abs() <= SLACK_MILLIS
}

/// The first line that differs, None where the texts are the same.
fn difference(expected: &str, got: &str) -> Option<String> {
    let mut lines = expected.lines().zip(got.lines()).enumerate();
    let line = lines.find(|(_, (a, b))| !same(a, b));
    match line {
        Some((i, (a, b))) => Some(format!("line {}:\n  expected {a}\n  got      {b}", i + 1)),
        None if expected.lines().count() != got.lines().count() => Some(format!(
            "expected {} lines, got {}",
            expected.lines().count(),
            got.lines().count()
        )),
        None => None,
    }
}

#[test]
fn traces_are_as_written_down() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let found = manifests();
    assert!(found.len() >= 8, "only {} manifests", found.len());
    let mut problems = Vec::new();
    for (path, manifest) in found {
        let got = text::render(&whole(&manifest, 1), &manifest);
        let golden = path.replace(".yaml", ".trace");
        if update {
            fs::write(&golden, &got).expect("writable");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        problems.extend(difference(&expected, &got).map(|d| format!("{golden}: {d}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_trace_that_differs_is_told() {
    let text = "#0 1.000 web/app log | a\n#1 2.000 web/app log | b\n";
    assert_eq!(difference(text, text), None);
    assert_eq!(difference(text, &text.replace("2.000", "2.009")), None);
    assert!(difference(text, &text.replace("2.000", "2.100")).is_some());
    let other = difference(text, &text.replace("| b", "| c"));
    assert!(other.is_some_and(|d| d.starts_with("line 2")));
    assert!(difference(text, "#0 1.000 web/app log | a\n").is_some());
}

#[test]
fn the_same_run_gives_the_same_bytes_whole_or_sliced() {
    for (path, manifest) in manifests() {
        let once = text::render(&whole(&manifest, 5), &manifest);
        let again = text::render(&whole(&manifest, 5), &manifest);
        assert!(once == again, "{path} twice: {:?}", difference(&once, &again));
        let sliced = run(&manifest, 5, 700, SimTime::from_millis(1700));
        let sliced = text::render(&sliced, &manifest);
        assert!(once == sliced, "{path} in slices: {:?}", difference(&once, &sliced));
    }
}

/// What no run may do, whatever the manifest; the sentences of what it did.
fn broken_rules(timeline: &Timeline) -> Vec<String> {
    let mut rules = Rules::default();
    for event in &timeline.events {
        rules.take(event);
    }
    rules.broken
}

#[derive(Default)]
struct Rules {
    broken: Vec<String>,
    at: SimTime,
    restarts: BTreeMap<Subject, u32>,
    phases: BTreeMap<Subject, String>,
    deleting: BTreeMap<String, SimTime>,
    initialized: BTreeMap<String, bool>,
    running: BTreeMap<Subject, bool>,
    mains: BTreeMap<String, Vec<String>>,
}

impl Rules {
    fn say(&mut self, event: &Event, what: &str) {
        self.broken.push(format!("#{} at {}: {what}", event.id.0, event.at));
    }

    fn take(&mut self, event: &Event) {
        if event.at < self.at {
            self.say(event, "time went back");
        }
        self.at = event.at;
        if event.cause.is_some_and(|cause| cause >= event.id) {
            self.say(event, "a cause that comes after its effect");
        }
        match &event.subject {
            Subject::Container { pod, container } => {
                let (pod, container) = (pod.to_string(), container.to_string());
                self.container(event, &pod, &container);
            }
            Subject::Pod(pod) => self.pod(event, pod),
            _ => {}
        }
    }

    fn container(&mut self, event: &Event, pod: &str, container: &str) {
        match &event.what {
            What::Status(status) => {
                let key = event.subject.clone();
                let old = self.restarts.insert(key, status.restart_count).unwrap_or(0);
                if status.restart_count < old || status.restart_count > old + 2 {
                    self.say(event, "restartCount jumps");
                }
                if status.ready && matches!(status.state, State::Waiting { .. }) {
                    self.say(event, "ready while waiting");
                }
            }
            What::Started { .. } => {
                if self.deleting.contains_key(pod) {
                    self.say(event, "started after its pod's deletion");
                }
                let is_main =
                    self.mains.get(pod).is_some_and(|m| m.iter().any(|name| name == container));
                if is_main && self.initialized.get(pod) == Some(&false) {
                    self.say(event, "a main container started before the pod was initialized");
                }
                if self.running.insert(event.subject.clone(), true) == Some(true) {
                    self.say(event, "started while it runs");
                }
            }
            What::Exited { .. } => {
                self.running.insert(event.subject.clone(), false);
                let limit = self.deleting.get(pod).copied();
                if limit.is_some_and(|at| event.at > at + SimTime::from_millis(3500)) {
                    self.say(event, "outlived its grace");
                }
            }
            _ => {}
        }
    }

    fn pod(&mut self, event: &Event, pod: &str) {
        match &event.what {
            What::PodAdded(shape) => {
                // A sidecar that ends at once is restarted while main containers start, so only
                // pods without one are held to the order.
                let mut roles = shape.containers.iter().map(|c| c.role);
                let ordered = !roles.any(|role| role == Role::Sidecar);
                let mains = shape.containers.iter().filter(|c| ordered && c.role == Role::Main);
                self.mains.insert(pod.to_owned(), mains.map(|c| c.name.to_string()).collect());
                self.phases.remove(&event.subject);
                self.deleting.remove(pod);
                self.initialized.remove(pod);
                // A StatefulSet's next pod has the same name and counts anew.
                let mine =
                    |s: &Subject| matches!(s, Subject::Container { pod: p, .. } if **p == *pod);
                self.restarts.retain(|subject, _| !mine(subject));
                self.running.retain(|subject, _| !mine(subject));
            }
            What::Phase { phase } => {
                let old = self.phases.insert(event.subject.clone(), phase.clone());
                if old.is_some_and(|old| old == "Succeeded" || old == "Failed") {
                    self.say(event, "a phase that ends a pod was left");
                }
                let mine =
                    |s: &Subject| matches!(s, Subject::Container { pod: p, .. } if **p == *pod);
                let runs = self.running.iter().any(|(s, runs)| *runs && mine(s));
                if runs && (phase == "Succeeded" || phase == "Failed") {
                    self.say(event, "ended while something runs");
                }
            }
            What::Condition { kind, status, .. } if &**kind == "Initialized" => {
                self.initialized.insert(pod.to_owned(), *status);
            }
            What::Deleting { deadline, .. } => {
                self.deleting.insert(pod.to_owned(), *deadline);
            }
            _ => {}
        }
    }
}

#[test]
fn rules_can_be_broken() {
    let manifest = &manifests()[0].1;
    let mut timeline = whole(manifest, 1);
    assert_eq!(broken_rules(&timeline), [""; 0]);
    timeline.events.reverse();
    assert!(!broken_rules(&timeline).is_empty());
}

const SCRIPTS: &[&str] = &[
    "exit 0",
    "exit 3",
    "sleep 2; exit 1",
    "sleep 4",
    "sleep 600",
    "trap 'exit 0' TERM; while true; do sleep 1; done",
    "echo x >> /d/n; test $(wc -l < /d/n) -ge 2",
];

prop_compose! {
    fn container()(script in 0..SCRIPTS.len(), probe in 0..4u8, always in any::<bool>())
        -> (usize, u8, bool) {
        (script, probe, always)
    }
}

fn manifest(
    inits: &[(usize, u8, bool)],
    mains: &[(usize, u8, bool)],
    policy: &str,
    delete_at: u64,
) -> String {
    let mut out = format!("# for: 60\n# at: {delete_at} delete pod/p\n");
    out.push_str("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n");
    out.push_str(&format!("  restartPolicy: {policy}\n  terminationGracePeriodSeconds: 4\n"));
    out.push_str("  volumes: [{name: d, emptyDir: {}}]\n");
    for (list, items) in [("initContainers", inits), ("containers", mains)] {
        if !items.is_empty() {
            out.push_str(&format!("  {list}:\n"));
        }
        for (i, (script, probe, always)) in items.iter().enumerate() {
            let sidecar = list == "initContainers" && *always;
            out.push_str(&format!("  - name: {list}-{i}\n", list = &list.to_lowercase()[..4]));
            out.push_str(&format!(
                "    image: busybox\n    command: [sh, -c, {:?}]\n",
                SCRIPTS[*script]
            ));
            out.push_str("    volumeMounts: [{name: d, mountPath: /d}]\n");
            if sidecar {
                out.push_str("    restartPolicy: Always\n");
            }
            let probe = match probe {
                1 => "readinessProbe: {exec: {command: [test, -f, /d/n]}, periodSeconds: 1}",
                2 => "livenessProbe: {exec: {command: [test, -f, /d/n]}, periodSeconds: 2}",
                3 => "startupProbe: {exec: {command: [test, -d, /d]}, periodSeconds: 1}",
                _ => continue,
            };
            if sidecar || list == "containers" {
                out.push_str(&format!("    {probe}\n"));
            }
        }
    }
    out
}

/// What people do to controllers, whatever state those are in.
const DEEDS: &[&str] = &[
    "scale KIND/x --replicas=0",
    "scale KIND/x --replicas=3",
    "set env KIND/x V=2",
    "set image KIND/x app=registry.invalid/x",
    "rollout undo KIND/x",
    "rollout pause KIND/x",
    "rollout resume KIND/x",
    "deletefirst app=x",
    "drain node-1",
    "uncordon node-1",
    "delete KIND/x",
    "kill pod/x-0",
    "nonsense",
];

fn controlled(kind: &str, replicas: u8, script: usize, deeds: &[(u64, usize)]) -> String {
    let mut out = String::from("# for: 60\n");
    for (at, deed) in deeds {
        out.push_str(&format!("# at: {at} {}\n", DEEDS[*deed].replace("KIND", kind)));
    }
    let (group, name) = match kind {
        "job" => ("batch/v1", "Job"),
        "statefulset" => ("apps/v1", "StatefulSet"),
        "daemonset" => ("apps/v1", "DaemonSet"),
        _ => ("apps/v1", "Deployment"),
    };
    out.push_str(&format!("apiVersion: {group}\nkind: {name}\nmetadata: {{name: x}}\nspec:\n"));
    out.push_str(&match kind {
        "job" => format!("  completions: {replicas}\n  parallelism: 2\n"),
        "daemonset" => "  selector: {matchLabels: {app: x}}\n".to_owned(),
        _ => format!("  replicas: {replicas}\n  selector: {{matchLabels: {{app: x}}}}\n"),
    });
    if kind == "statefulset" {
        out.push_str("  serviceName: x\n");
    }
    let policy = if kind == "job" { "Never" } else { "Always" };
    out.push_str("  template:\n    metadata: {labels: {app: x}}\n    spec:\n");
    out.push_str("      volumes: [{name: d, emptyDir: {}}]\n");
    out.push_str(&format!("      restartPolicy: {policy}\n      containers:\n"));
    out.push_str("      - name: app\n        image: busybox\n");
    out.push_str("        volumeMounts: [{name: d, mountPath: /d}]\n");
    out.push_str(&format!("        command: [sh, -c, {:?}]\n", SCRIPTS[script]));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_deed_breaks_the_rules(
        kind in prop::sample::select(vec!["deployment", "statefulset", "daemonset", "job"]),
        replicas in 0u8..4,
        script in 0..SCRIPTS.len(),
        mut deeds in prop::collection::vec((1u64..50, 0..DEEDS.len()), 0..5),
        seed in 1u64..5,
    ) {
        deeds.sort_unstable();
        let manifest = controlled(kind, replicas, script, &deeds);
        let timeline = whole(&manifest, seed);
        prop_assert!(timeline.events.len() < 5_000, "it never rests:\n{manifest}");
        let broken = broken_rules(&timeline);
        prop_assert!(broken.is_empty(), "{}\n{manifest}", broken.join("\n"));
        let whole_run = timeline.at(timeline.now);
        let mut replayed = Timeline::default();
        for event in timeline.events.clone() {
            let at = event.at;
            replayed.extend(vec![event], at);
        }
        prop_assert!(whole_run == replayed.at(timeline.now), "a replay differs:\n{manifest}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn no_run_breaks_the_rules(
        inits in prop::collection::vec(container(), 0..3),
        mains in prop::collection::vec(container(), 1..3),
        policy in prop::sample::select(vec!["Always", "OnFailure", "Never"]),
        delete_at in 1u64..50,
        seed in 1u64..5,
    ) {
        let manifest = manifest(&inits, &mains, policy, delete_at);
        let timeline = whole(&manifest, seed);
        prop_assert!(timeline.events.len() > 10, "nothing happened:\n{manifest}");
        let broken = broken_rules(&timeline);
        prop_assert!(broken.is_empty(), "{}\n{manifest}", broken.join("\n"));
    }
}
