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
    format!(
        "---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{i}
  labels: {{app: web-{i}}}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: web-{i}}}
  template:
    metadata:
      labels: {{app: web-{i}}}
    spec:
      containers:
      - name: app
        image: nginx:1.27
        ports:
        - {{name: http, containerPort: 80}}
        readinessProbe:
          httpGet: {{path: /, port: http}}
        resources:
          requests: {{cpu: 100m, memory: 64Mi}}
          limits: {{memory: 128Mi}}
        volumeMounts:
        - {{name: logs, mountPath: /var/log/nginx}}
      - name: shipper
        image: busybox:1.36
        command:
        - sh
        - -c
        - |
          tail -F /logs/access.log | while read -r line; do
            echo \"shipped $line\"
          done
        volumeMounts:
        - {{name: logs, mountPath: /logs}}
      volumes:
      - name: logs
        emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata: {{name: web-{i}}}
spec:
  selector: {{app: web-{i}}}
  ports:
  - {{port: 80, targetPort: http}}
"
    )
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
