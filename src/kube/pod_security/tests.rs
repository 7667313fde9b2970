//! Pods and what the server says to them; the words are those of the server's own code.

use super::{Level, Policy, Standard, label_problems, refusal, warning};
use crate::kube::{Kind, read};
use std::collections::BTreeMap;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let name = |key: &str| format!("{}{key}", super::LABEL_PREFIX);
    pairs.iter().map(|(key, value)| (name(key), (*value).to_owned())).collect()
}

fn check(level: &str, pod: &str, expected: &str) {
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {pod}\n");
    let desired = read(&text);
    let Kind::Pod(pod) = &desired.objects[0].kind else { panic!("a pod: {text}") };
    let (level, version) = level.split_once(':').unwrap_or((level, "latest"));
    let policy = Policy::of_labels(&labels(&[("enforce", level), ("enforce-version", version)]));
    let annotations = BTreeMap::new();
    let spec = pod.spec.clone().unwrap_or_default();
    let said = refusal(&policy, &annotations, &spec).map(|(text, _)| text).unwrap_or_default();
    let said = said.split_once("\": ").map_or("", |(_, rest)| rest);
    assert_eq!(said, expected, "{text}");
}

#[test]
fn pods_are_held_against_standards() {
    let bare = "{containers: [{name: a, image: i}]}";
    let good = "{securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, \
                containers: [{name: a, image: i, securityContext: {allowPrivilegeEscalation: \
                false, capabilities: {drop: [ALL]}}}]}";
    let wild = "{hostNetwork: true, hostPID: true, volumes: [{name: v, hostPath: {path: /}}], \
                containers: [{name: a, image: i, ports: [{containerPort: 80, hostPort: 80}], \
                securityContext: {privileged: true, capabilities: {add: [SYS_ADMIN, KILL]}}}, \
                {name: b, image: i, securityContext: {privileged: true, runAsUser: 0, procMount: \
                Unmasked, seccompProfile: {type: Unconfined}}}]}";
    check("privileged", wild, "");
    check("baseline", bare, "");
    check("restricted", good, "");
    check(
        "restricted",
        bare,
        "allowPrivilegeEscalation != false (container \"a\" must set \
         securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \
         \"a\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod \
         or container \"a\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or \
         container \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\")",
    );
    check(
        "baseline",
        wild,
        "non-default capabilities (container \"a\" must not include \"SYS_ADMIN\" in \
         securityContext.capabilities.add), host namespaces (hostNetwork=true, hostPID=true), \
         hostPath volumes (volume \"v\"), hostPort (container \"a\" uses hostPort 80), \
         privileged (containers \"a\", \"b\" must not set securityContext.privileged=true), \
         procMount (container \"b\" must not set securityContext.procMount to \"Unmasked\"), \
         seccompProfile (container \"b\" must not set securityContext.seccompProfile.type to \
         \"Unconfined\")",
    );
    check(
        "restricted",
        "{hostUsers: false, containers: [{name: a, image: i, securityContext: {runAsUser: 0, \
         allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: \
         Localhost, localhostProfile: x}}}]}",
        "",
    );
    let root = "{securityContext: {runAsNonRoot: true, runAsUser: 0, sysctls: [{name: \
                net.ipv4.tcp_rmem, value: '1'}, {name: kernel.msgmax, value: '1'}]}, containers: \
                [{name: a, image: i, securityContext: {allowPrivilegeEscalation: false, \
                capabilities: {drop: [ALL]}}}]}";
    check(
        "restricted:v1.22",
        root,
        "forbidden sysctls (net.ipv4.tcp_rmem, kernel.msgmax), seccompProfile (pod or container \
         \"a\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \
         \"Localhost\")",
    );
    check("baseline:v1.32", root, "forbidden sysctls (kernel.msgmax)");
}

#[test]
fn labels_make_policies() {
    let restricted = Standard { level: Level::Restricted, minor: Some(30) };
    let policy =
        Policy::of_labels(&labels(&[("enforce", "restricted"), ("enforce-version", "v1.30")]));
    assert_eq!((policy.enforce, policy.warn), (restricted, restricted));
    assert_eq!(policy.audit, Standard::default());
    let odd = labels(&[("enforce", "strict"), ("warn-version", "v1.07"), ("warn", "baseline")]);
    let policy = Policy::of_labels(&odd);
    assert_eq!((policy.enforce.level, policy.warn.level), (Level::Restricted, Level::Baseline));
    let problems: Vec<_> = label_problems(&odd).into_iter().map(|(_, value, _)| value).collect();
    assert_eq!(problems, ["strict", "v1.07"]);
    assert!(Policy::of_labels(&BTreeMap::new()).is_free());
    let policy = Policy::of_labels(&labels(&[("warn", "baseline")]));
    let spec = k8s_openapi::api::core::v1::PodSpec { host_pid: Some(true), ..Default::default() };
    let (text, paths) = warning(&policy, &BTreeMap::new(), &spec).expect("a warning");
    assert_eq!(
        text,
        "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"
    );
    assert_eq!(paths, ["spec.hostPID"]);
}
