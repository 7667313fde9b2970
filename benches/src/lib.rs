//! Manifests the benchmarks run over. Measures nothing itself.

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

/// A pod of four containers that talk and write for as long as they are let.
pub const FOUR_CONTAINERS: &str = "apiVersion: v1
kind: Pod
metadata: {name: four}
spec:
  volumes: [{name: logs, emptyDir: {}}]
  containers:
  - name: writer
    image: busybox:1.36
    command: [sh, -c, 'while true; do date >> /logs/a; sleep 1; done']
    volumeMounts: [{name: logs, mountPath: /logs}]
  - name: reader
    image: busybox:1.36
    command: [sh, -c, 'tail -F /logs/a']
    volumeMounts: [{name: logs, mountPath: /logs}]
  - name: web
    image: nginx:1.27
    readinessProbe: {httpGet: {port: 80}, periodSeconds: 5}
  - name: caller
    image: busybox:1.36
    command: [sh, -c, 'while true; do wget -qO- http://localhost/ > /dev/null; sleep 2; done']
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
