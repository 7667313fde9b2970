//! Ingresses: an ingress controller that the lab brings, and the rules it is given. The server that
//! follows them is `shell::programs`'.

use super::api::{self, NewPod};
use super::{Meta, Service, admission, service};
use crate::kube::{self, Kind};
use crate::sim::kubelet::env::NODE_IP;
use crate::sim::model::{PodId, PodTemplate, Source};
use crate::sim::runtime::{VolumeFile, VolumeSpec};
use crate::sim::world::{Config, State, World};
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::networking::v1 as networking;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Default)]
pub(crate) struct Ingresses {
    /// In the order they came: the first one that says something about a path counts.
    pub(crate) all: Vec<Ingress>,
    /// What the controller was told last.
    rules: String,
    controller: Option<PodId>,
}

pub(crate) struct Ingress {
    pub(crate) name: Name,
    pub(crate) namespace: String,
    spec: networking::IngressSpec,
}

const NAMESPACE: &str = "ingress-nginx";
const NAME: &str = "ingress-nginx-controller";
/// The address of the controller's Service.
const ADDRESS: &str = "10.96.0.80";
const RULES: &str = "lab-ingress-rules";
const ANNOTATION: &str = "nginx.ingress.kubernetes.io/";

/// What a cluster gets that installs ingress-nginx, as far as the run needs it.
const CONTROLLER: &str = "
apiVersion: v1
kind: Pod
metadata:
  labels: {app.kubernetes.io/name: ingress-nginx, app.kubernetes.io/component: controller}
spec:
  containers:
  - name: controller
    image: registry.k8s.io/ingress-nginx/controller:v1.13.3
    ports: [{name: http, containerPort: 80}]
    volumeMounts: [{name: rules, mountPath: /etc/ingress-controller/lab}]
  volumes: [{name: rules, configMap: {name: lab-ingress-rules}}]
---
apiVersion: v1
kind: Service
metadata: {}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: ingress-nginx}
  ports: [{name: http, port: 80, targetPort: http, nodePort: 30080}]
";

pub(super) fn add(world: &World, name: &str, namespace: String, source: Source, applied: EventId) {
    let spec: networking::IngressSpec = source.origins.read("spec");
    let called = world.st().key("ingress", &namespace, name);
    let subject = Subject::Object { kind: "ingress".into(), name: called };
    let first = world.st().controllers.ingresses.controller.is_none();
    if first {
        let text = format!(
            "the lab brings an ingress controller as ingress-nginx installs one: ask \
             http://{NAME}.{NAMESPACE} (or http://{ADDRESS}) with the Host header of a rule"
        );
        world.st().emit(subject.clone(), What::Note { text }, Some(applied), source.span("kind"));
    }
    admit(&mut world.st(), &subject, &spec, &source, applied);
    {
        let state = &mut world.st();
        let list = &mut state.controllers.ingresses.all;
        list.retain(|one| *one.name != *name || one.namespace != namespace);
        list.push(Ingress { name: name.into(), namespace, spec });
    }
    if first {
        install(world, applied);
    }
    world.st().touch();
}

/// What the controller says of a new Ingress, and what of it nobody does here.
fn admit(
    state: &mut State,
    subject: &Subject,
    spec: &networking::IngressSpec,
    source: &Source,
    applied: EventId,
) {
    let not = |what: String, path: &str| (What::NotSimulated { what }, source.span(path));
    let mut told = Vec::new();
    if spec.tls.as_ref().is_some_and(|list| !list.is_empty()) {
        let what = "TLS of an Ingress: it answers plain HTTP on port 80, without the redirect to \
                    https";
        told.push(not(what.to_owned(), "spec.tls"));
    }
    let annotations: BTreeMap<String, String> = source.origins.read("metadata.annotations");
    for key in annotations.keys().filter(|key| key.starts_with(ANNOTATION)) {
        told.push(not(format!("the annotation {key}"), "metadata.annotations"));
    }
    match spec.ingress_class_name.as_deref() {
        Some("nginx") => {}
        None => {
            let text = "no ingressClassName: taken all the same, as where nginx is the cluster's \
                        default class; elsewhere nobody would serve it";
            told.push((What::Note { text: text.to_owned() }, source.span("spec")));
        }
        Some(other) => {
            let text =
                format!("nobody here serves the ingress class {other}: its rules do nothing");
            told.push((What::Note { text }, source.span("spec.ingressClassName")));
        }
    }
    for (what, span) in told {
        state.emit(subject.clone(), what, Some(applied), span);
    }
    if is_ours(spec) {
        let (reason, message) = ("Sync".into(), "Scheduled for sync".to_owned());
        let what = What::Reported { warning: false, reason, field_path: None, message };
        state.emit(subject.clone(), what, Some(applied), source.span("metadata.name"));
    }
}

/// The address an Ingress is served at, once the controller runs.
pub(crate) fn address(state: &State, namespace: &str, name: &str) -> Option<&'static str> {
    let ingresses = &state.controllers.ingresses;
    let controller = ingresses.controller.and_then(|id| state.pods.get(&id));
    let mut all = ingresses.all.iter();
    let known =
        all.any(|one| *one.name == *name && one.namespace == namespace && is_ours(&one.spec));
    (known && controller.is_some_and(|pod| pod.is_ready())).then_some(NODE_IP)
}

fn is_ours(spec: &networking::IngressSpec) -> bool {
    spec.ingress_class_name.as_deref().is_none_or(|class| class == "nginx")
}

/// Makes the controller's namespace, pod and Service.
fn install(world: &World, cause: EventId) {
    let labels = [("kubernetes.io/metadata.name".to_owned(), NAMESPACE.to_owned())].into();
    let rules = rules(&world.st());
    {
        let state = &mut world.st();
        let namespaces = &mut state.rules.namespaces;
        namespaces
            .entry(NAMESPACE.to_owned())
            .or_insert(admission::Namespace { labels, ..admission::Namespace::default() });
        let mut config = Config { created_at: state.now(), ..Config::default() };
        config.data.insert("rules".to_owned(), rules.clone().into_bytes());
        state.configs.insert(("configmap", NAMESPACE.to_owned(), RULES.to_owned()), config);
        state.controllers.ingresses.rules = rules;
    }
    for object in kube::read(CONTROLLER).objects {
        match object.kind {
            Kind::Pod(pod) => {
                let template = PodTemplate {
                    labels: pod.metadata.labels.unwrap_or_default(),
                    annotations: BTreeMap::new(),
                    spec: Rc::new(pod.spec.unwrap_or_default()),
                    source: Rc::default(),
                };
                let (name, namespace) = (NAME.to_owned(), NAMESPACE.to_owned());
                let new = NewPod {
                    name,
                    namespace,
                    owner: None,
                    index: None,
                    target: None,
                    template,
                    cause,
                };
                let id = api::create_pod(world, new);
                world.st().controllers.ingresses.controller = Some(id);
            }
            Kind::Service(one) => keep_service(world, one.spec.unwrap_or_default(), cause),
            _ => {}
        }
    }
}

fn keep_service(world: &World, spec: k8s_openapi::api::core::v1::ServiceSpec, cause: EventId) {
    let now: SimTime = world.now();
    let meta = Meta {
        kind: "service",
        name: NAME.into(),
        namespace: NAMESPACE.to_owned(),
        source: Rc::default(),
        applied: cause,
        created_at: now,
        row: Vec::new(),
        shown_at: now,
        deleted_by: None,
    };
    let service = Service { meta, spec, ip: Some(ADDRESS.to_owned()), shown: None };
    world.st().controllers.services.insert(NAME.into(), service);
}

/// Tells the controller what changed.
pub(super) fn reconcile(world: &World) {
    let Some(id) = world.st().controllers.ingresses.controller else { return };
    let rules = rules(&world.st());
    if world.st().controllers.ingresses.rules == rules {
        return;
    }
    let content = rules.clone().into_bytes();
    {
        let state = &mut world.st();
        let key = ("configmap", NAMESPACE.to_owned(), RULES.to_owned());
        if let Some(config) = state.configs.get_mut(&key) {
            config.data.insert("rules".to_owned(), content.clone());
        }
        state.controllers.ingresses.rules = rules;
    }
    let volume = world.pod(id, |pod| pod.kubelet.volumes.get("rules").copied()).flatten();
    if let Some(volume) = volume {
        let file = VolumeFile { path: "rules".to_owned(), content, mode: 0o644 };
        let label = "volume:rules".to_owned();
        let spec =
            VolumeSpec { label, projected: true, files: vec![file], ..VolumeSpec::default() };
        world.rt().refresh(volume, &spec);
    }
}

/// All rules, a line for each location of nginx.
fn rules(state: &State) -> String {
    let mut out: Vec<Line> = Vec::new();
    for one in state.controllers.ingresses.all.iter().filter(|one| is_ours(&one.spec)) {
        let mut hosts: Vec<String> = Vec::new();
        for rule in one.spec.rules.iter().flatten() {
            let host = rule.host.clone().filter(|host| !host.is_empty()).unwrap_or("_".to_owned());
            hosts.push(host.clone());
            for path in rule.http.iter().flat_map(|http| &http.paths) {
                let to = behind(state, &one.namespace, &path.backend);
                for (kind, path) in locations(&path.path_type, path.path.as_deref()) {
                    put(&mut out, (host.clone(), kind, path), to.clone());
                }
            }
        }
        if let Some(backend) = &one.spec.default_backend {
            let to = behind(state, &one.namespace, backend);
            hosts.push("_".to_owned());
            for host in hosts {
                put(&mut out, (host, "^", "/".to_owned()), to.clone());
            }
        }
    }
    let line = |((host, kind, path), to): Line| format!("{host}\t{kind}\t{path}\t{to}\n");
    out.into_iter().map(line).collect()
}

/// A location's host, kind and path, and where it leads.
type Line = ((String, &'static str, String), String);

/// The first Ingress that names a location has it.
fn put(out: &mut Vec<Line>, key: (String, &'static str, String), to: String) {
    if !out.iter().any(|(known, _)| *known == key) {
        out.push((key, to));
    }
}

/// What ingress-nginx makes of a path.
// Models kubernetes/ingress-nginx internal/ingress/controller/location.go updateServerLocations.
fn locations(kind: &str, path: Option<&str>) -> Vec<(&'static str, String)> {
    let path = path.filter(|path| !path.is_empty()).unwrap_or("/");
    let bare = path.trim_end_matches('/');
    match kind {
        "Exact" => vec![("=", path.to_owned())],
        "Prefix" if !bare.is_empty() => vec![("=", bare.to_owned()), ("^", format!("{bare}/"))],
        _ => vec![("^", path.to_owned())],
    }
}

/// `default-web-80<tab>10.244.0.5:8080`; no addresses where there is nobody.
fn behind(state: &State, namespace: &str, backend: &networking::IngressBackend) -> String {
    let Some(wanted) = &backend.service else { return "upstream-default-backend\t".to_owned() };
    let port = wanted.port.clone().unwrap_or_default();
    let word = port.number.map(|n| n.to_string()).or(port.name.clone()).unwrap_or_default();
    let called = state.key("service", namespace, &wanted.name);
    let found = state.controllers.services.get(&called);
    let found = found.filter(|service| service.meta.namespace == namespace);
    let to = found.and_then(|service| {
        let mut ports = service.spec.ports.iter().flatten();
        let own = ports.find(|one| match &port.name {
            Some(name) => one.name.as_ref() == Some(name),
            None => Some(one.port) == port.number,
        });
        Some(service::backends(state, service, own?))
    });
    let to: Vec<String> =
        to.unwrap_or_default().into_iter().map(|(ip, port)| format!("{ip}:{port}")).collect();
    format!("{namespace}-{}-{word}\t{}", wanted.name, to.join(","))
}
