//! Manifests the benchmarks run over, and how. Measures nothing itself.

use podlab::check::check;
use podlab::sim::{Scenario, Simulation};
use podlab::time::SimTime;
use podlab::trace::Timeline;
use std::fmt::Write;

/// A manifest of about so many lines: Deployments with a sidecar, Services, ConfigMaps.
pub fn manifest(n_lines: usize) -> String {
    let mut text = String::new();
    for i in 0.. {
        if text.lines().count() + 20 > n_lines {
            break;
        }
        let _ = write!(text, "{}", application(i));
    }
    text
}

fn application(i: usize) -> String {
    // tests/e2e/measure.mjs makes the same of it.
    include_str!("application.yaml").replace("web-0", &format!("web-{i}"))
}

/// A pod of four containers that each do something every second.
pub const FOUR_LOOPS: &str = "apiVersion: v1
kind: Pod
metadata: {name: loops}
spec:
  volumes: [{name: logs, emptyDir: {}}]
  containers:
  - name: writer
    image: busybox:1.36
    command: [sh, -c, 'while true; do date >> /logs/a; sleep 1; done']
    volumeMounts: [{name: logs, mountPath: /logs}]
  - name: reader
    image: busybox:1.36
    command: [sh, -c, 'while true; do wc -l < /logs/a; sleep 1; done']
    volumeMounts: [{name: logs, mountPath: /logs}]
  - name: counter
    image: busybox:1.36
    command: [sh, -c, 'while true; do i=$((i+1)); echo $i; sleep 1; done']
  - name: judge
    image: busybox:1.36
    command: [sh, -c, 'while true; do test -e /tmp/stop && exit; sleep 1; done']
";

/// A pod of four containers with a probe of each kind.
pub const FOUR_PROBES: &str = "apiVersion: v1
kind: Pod
metadata: {name: probes}
spec:
  containers:
  - name: web
    image: nginx:1.27
    readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}
    livenessProbe: {httpGet: {port: 80}, periodSeconds: 10}
  - name: echo
    image: hashicorp/http-echo:1.0
    args: ['-text=hello', '-listen=:8080']
    readinessProbe: {httpGet: {port: 8080}, periodSeconds: 5}
  - name: cache
    image: redis:7
    readinessProbe: {tcpSocket: {port: 6379}, periodSeconds: 5}
  - name: shell
    image: busybox:1.36
    command: [sh, -c, 'touch /tmp/ok; sleep 3600']
    startupProbe: {exec: {command: [cat, /tmp/ok]}, periodSeconds: 1}
    livenessProbe: {exec: {command: [cat, /tmp/ok]}, periodSeconds: 5}
";

/// Two pods of a server that is probed each second, and each five; all answers are 200.
pub const TWO_PODS: &str = "apiVersion: v1
kind: Pod
metadata: {name: one}
spec:
  containers:
  - name: app
    image: hashicorp/http-echo:1.0
    args: ['-text=hello', '-listen=:8080']
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
    livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 5}
---
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  containers:
  - name: app
    image: hashicorp/http-echo:1.0
    args: ['-text=hello', '-listen=:8080']
    readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1}
    livenessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 5}
";

/// A Deployment of so many pods, on nodes that hold them.
pub fn rollout(n_pods: usize) -> String {
    let mut text = String::new();
    for i in 0..=n_pods / 100 {
        let _ = write!(
            text,
            "apiVersion: v1\nkind: Node\nmetadata: {{name: node-{i}}}\nstatus:\n  allocatable: \
             {{cpu: '64', memory: 256Gi, pods: '250'}}\n---\n"
        );
    }
    let _ = write!(
        text,
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: \
         {n_pods}\n  selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: \
         {{app: web}}}}\n    spec:\n      containers: [{{name: app, image: 'nginx:1.27'}}]\n"
    );
    text
}

/// Counts to a hundred thousand.
pub const LOOP: &str = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i";

/// A pod that runs a script once.
pub fn script(text: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  restartPolicy: Never\n  \
         containers:\n  - name: app\n    image: busybox\n    command: [sh, -c, '{text}']\n"
    )
}

/// Never sleeps.
pub const BUSY: &str = "while :; do :; done";

/// What is done to the Deployment of `rollout`: when, and in kubectl's words.
pub const NEW_IMAGE: (u64, &str) = (60, "set image deployment/web app=nginx:1.28");

/// Runs a manifest for so many simulated seconds.
pub fn run(text: &str, secs: u64, actions: &[(u64, &str)]) -> Timeline {
    let actions = actions.iter().map(|(at, what)| (SimTime::from_secs(*at), (*what).to_owned()));
    let scenario = Scenario { actions: actions.collect(), ..Scenario::new(check(text).accepted()) };
    let mut simulation = Simulation::new(scenario);
    let mut timeline = Timeline::default();
    while timeline.end.is_none() {
        let slice = simulation.advance(SimTime::from_secs(secs), 5_000_000);
        timeline.extend(slice.events, slice.now);
        timeline.end = slice.end;
    }
    timeline
}
