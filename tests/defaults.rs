//! What the server fills in, as a table: the manifest's fields, a path, and what stands there.

use podlab::kube::{Kind, desired, lower};
use serde_json::{Value, json};

fn typed(kind: &Kind) -> Value {
    let shown = match kind {
        Kind::Pod(one) => serde_json::to_value(one),
        Kind::Deployment(one) => serde_json::to_value(one),
        Kind::StatefulSet(one) => serde_json::to_value(one),
        Kind::DaemonSet(one) => serde_json::to_value(one),
        Kind::Job(one) => serde_json::to_value(one),
        Kind::CronJob(one) => serde_json::to_value(one),
        Kind::Service(one) => serde_json::to_value(one),
        Kind::Secret(one) => serde_json::to_value(one),
        Kind::PersistentVolumeClaim(one) => serde_json::to_value(one),
        _ => Ok(Value::Null),
    };
    shown.expect("objects make JSON")
}

fn filled(text: &str) -> Value {
    let desired = desired(&podlab::yaml::parse(text));
    typed(&desired.objects.first().expect("one object").kind)
}

fn pod(spec: &str) -> String {
    format!("{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{spec}}}}}")
}

/// Kind, spec, JSON pointer below `spec`, what is there.
#[test]
fn defaults_are_the_servers() {
    let app = "containers: [{name: a, image: b}]";
    let probe = "containers: [{name: a, image: 'b:1', livenessProbe: {httpGet: {port: 80}}}]";
    let port = "hostNetwork: true, containers: [{name: a, image: 'b@sha256:0', ports: \
                [{containerPort: 80}]}]";
    let limits = "containers: [{name: a, image: b, resources: {limits: {cpu: 1}}}]";
    let files = "volumes: [{name: x}, {name: c, configMap: {name: c}}, {name: h, hostPath: \
                 {path: /}}, {name: p, projected: {sources: [{serviceAccountToken: {path: t}}]}}]";
    let pods = [
        (app, "/restartPolicy", json!("Always")),
        (app, "/dnsPolicy", json!("ClusterFirst")),
        (app, "/terminationGracePeriodSeconds", json!(30)),
        (app, "/schedulerName", json!("default-scheduler")),
        (app, "/securityContext", json!({})),
        (app, "/serviceAccountName", json!("default")),
        (app, "/enableServiceLinks", json!(true)),
        (app, "/priority", json!(0)),
        (app, "/tolerations/1/key", json!("node.kubernetes.io/unreachable")),
        (app, "/containers/0/imagePullPolicy", json!("Always")),
        (app, "/containers/0/terminationMessagePath", json!("/dev/termination-log")),
        (app, "/containers/0/terminationMessagePolicy", json!("File")),
        (probe, "/containers/0/imagePullPolicy", json!("IfNotPresent")),
        (probe, "/containers/0/livenessProbe", {
            json!({"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}, "timeoutSeconds": 1,
                "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3})
        }),
        (port, "/containers/0/imagePullPolicy", json!("IfNotPresent")),
        (port, "/containers/0/ports/0", {
            json!({"containerPort": 80, "hostPort": 80, "protocol": "TCP"})
        }),
        (limits, "/containers/0/resources/requests", json!({"cpu": "1"})),
        (files, "/volumes/0", json!({"name": "x", "emptyDir": {}})),
        (files, "/volumes/1/configMap/defaultMode", json!(420)),
        (files, "/volumes/2/hostPath/type", json!("")),
        (files, "/volumes/3/projected/sources/0/serviceAccountToken/expirationSeconds", {
            json!(3600)
        }),
    ];
    for (spec, pointer, expected) in pods {
        let found = filled(&pod(spec));
        assert_eq!(found["spec"].pointer(pointer), Some(&expected), "{pointer}");
    }
}

#[test]
fn defaults_of_other_kinds() {
    let cases = [
        ("apps/v1", "Deployment", "", "/spec/replicas", json!(1)),
        ("apps/v1", "Deployment", "", "/spec/strategy", {
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%",
                "maxUnavailable": "25%"}})
        }),
        ("apps/v1", "Deployment", "strategy: {type: Recreate}", "/spec/strategy", {
            json!({"type": "Recreate"})
        }),
        ("apps/v1", "Deployment", "", "/spec/progressDeadlineSeconds", json!(600)),
        ("apps/v1", "StatefulSet", "", "/spec/podManagementPolicy", json!("OrderedReady")),
        ("apps/v1", "StatefulSet", "", "/spec/updateStrategy/rollingUpdate/partition", json!(0)),
        ("apps/v1", "DaemonSet", "", "/spec/updateStrategy/rollingUpdate/maxUnavailable", json!(1)),
        ("batch/v1", "Job", "", "/spec/completions", json!(1)),
        ("batch/v1", "Job", "", "/spec/backoffLimit", json!(6)),
        ("batch/v1", "Job", "backoffLimitPerIndex: 1", "/spec/backoffLimit", json!(i32::MAX)),
        ("batch/v1", "Job", "parallelism: 2", "/spec/parallelism", json!(2)),
        ("batch/v1", "CronJob", "schedule: x", "/spec/concurrencyPolicy", json!("Allow")),
        ("v1", "Service", "ports: [{port: 80}]", "/spec/ports/0", {
            json!({"port": 80, "protocol": "TCP", "targetPort": 80})
        }),
        ("v1", "Service", "type: NodePort", "/spec/externalTrafficPolicy", json!("Cluster")),
        ("v1", "Service", "sessionAffinity: ClientIP", "/spec/sessionAffinityConfig", {
            json!({"clientIP": {"timeoutSeconds": 10800}})
        }),
        ("v1", "PersistentVolumeClaim", "", "/spec/volumeMode", json!("Filesystem")),
        ("v1", "PersistentVolumeClaim", "", "/metadata/namespace", json!("default")),
    ];
    for (api_version, kind, spec, pointer, expected) in cases {
        let text = format!("{{apiVersion: {api_version}, kind: {kind}, spec: {{{spec}}}}}");
        assert_eq!(filled(&text).pointer(pointer), Some(&expected), "{kind} {pointer}");
    }
    let secret = filled("{apiVersion: v1, kind: Secret, stringData: {a: hi}, data: {a: eA==}}");
    assert_eq!((&secret["data"], &secret["type"]), (&json!({"a": "aGk="}), &json!("Opaque")));
    let parallel = filled("{apiVersion: batch/v1, kind: Job, spec: {parallelism: 2}}");
    assert_eq!(parallel["spec"].get("completions"), None);
}

/// What the manifest says stays, and without defaults nothing is added.
#[test]
fn what_is_written_stays() {
    let text = pod("restartPolicy: Never, dnsPolicy: None, serviceAccountName: x, containers: \
                    [{name: a, image: b, imagePullPolicy: Never}]");
    let found = filled(&text);
    assert_eq!(found["spec"]["restartPolicy"], "Never");
    assert_eq!(found["spec"]["serviceAccountName"], "x");
    assert_eq!(found["spec"]["containers"][0]["imagePullPolicy"], "Never");
    let bare = typed(&lower(&podlab::yaml::parse(&pod("containers: []"))).objects[0].kind);
    assert_eq!(bare["spec"], json!({"containers": []}));
}
