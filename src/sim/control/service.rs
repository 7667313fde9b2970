//! Services: who is behind them, where their addresses lead, and the variables pods get of them.

use super::{Meta, Service};
use crate::sim::model::Pod;
use crate::sim::runtime::Route;
use crate::sim::world::{State, World};
use crate::time::SimTime;
use crate::trace::{Name, What};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const KUBERNETES_IP: &str = "10.96.0.1";

/// Brings endpoints and routes up to date.
// Models pkg/controller/endpoint/endpoints_controller.go syncService (v1.36).
pub(crate) fn reconcile(world: &World) {
    let names: Vec<Name> = world.st().controllers.services.keys().cloned().collect();
    let mut routes = Vec::new();
    for name in names {
        let state = &mut world.st();
        let Some(service) = state.controllers.services.get(&name) else { continue };
        let (ready, not_ready) = endpoints(state, service);
        routes.push(route(state, service));
        let shown = (ready, not_ready);
        let bare = service.spec.selector.is_none() || is_external(service);
        if service.shown.as_ref() == Some(&shown) || bare {
            continue;
        }
        let subject = service.meta.subject();
        let newest = behind(state, service).map(|pod| pod.changed_by).max();
        let cause = newest.unwrap_or(service.meta.applied);
        let origin = service.meta.source.span("spec.selector");
        let (ready, not_ready) = shown.clone();
        state.emit(subject, What::Endpoints { ready, not_ready }, Some(cause), origin);
        if let Some(service) = state.controllers.services.get_mut(&name) {
            service.shown = Some(shown);
        }
    }
    propagate(world, routes);
}

/// What the nodes' proxies know of Services, which is a little behind.
#[derive(Default)]
pub(crate) struct Proxy {
    wanted: Vec<Route>,
    synced_at: Option<SimTime>,
    waits: bool,
}

/// From a changed endpoint to changed rules on a node, and the least time between two changes of
/// those.
// Models pkg/proxy/iptables/proxier.go minSyncPeriod (v1.36); the first span is a small cluster's.
const HOP: SimTime = SimTime::from_millis(150);
const SYNC_PERIOD: SimTime = SimTime::from_secs(1);

fn propagate(world: &World, routes: Vec<Route>) {
    let at = {
        let now = world.now();
        let proxy = &mut world.st().controllers.proxy;
        if proxy.wanted == routes {
            return;
        }
        proxy.wanted = routes;
        if std::mem::replace(&mut proxy.waits, true) {
            return;
        }
        let last = proxy.synced_at.map_or(SimTime::ZERO, |last| last + SYNC_PERIOD);
        last.max(now + HOP)
    };
    let copy = world.clone();
    world.clock.spawn(async move {
        copy.clock.sleep_until(at).await;
        let (routes, places) = {
            let state = &mut copy.st();
            let proxy = &mut state.controllers.proxy;
            (proxy.waits, proxy.synced_at) = (false, Some(at));
            let routes = proxy.wanted.clone();
            (routes, places(state))
        };
        copy.rt().routes(&routes, places);
    });
}

/// The node of each pod, as its place among the nodes.
fn places(state: &State) -> BTreeMap<Ipv4Addr, u32> {
    let one = |pod: &Pod| {
        let node = pod.node.as_ref()?;
        let place = state.nodes.iter().position(|known| known.name == *node)?;
        Some((pod.ip.parse().ok()?, place as u32))
    };
    state.pods.values().filter(|pod| !pod.removed).filter_map(one).collect()
}

/// A new Service with the addresses and ports the server gives it.
// Models pkg/registry/core/service/storage/alloc.go (v1.36), in order instead of at random.
pub(super) fn add(world: &World, meta: Meta, mut spec: core::ServiceSpec) {
    let state = &mut world.st();
    let n = state.controllers.services.len();
    let outside = matches!(spec.type_.as_deref(), Some("NodePort" | "LoadBalancer"));
    for (i, port) in spec.ports.iter_mut().flatten().enumerate().filter(|_| outside) {
        port.node_port.get_or_insert(30_000 + ((n * 577 + i * 131 + 89) % 2_768) as i32);
    }
    let mut service = Service { meta, spec, ip: None, shown: None };
    let known = state.controllers.services.get(&service.meta.name);
    let known = known.and_then(|known| known.ip.clone());
    let headless = service.spec.cluster_ip.as_deref() == Some("None");
    let written = service.spec.cluster_ip.clone().filter(|ip| !ip.is_empty());
    if !headless && !is_external(&service) {
        service.ip = Some(written.or(known).unwrap_or_else(|| cluster_ip(n)));
    }
    state.controllers.services.insert(service.meta.name.clone(), service);
}

fn behind<'a>(state: &'a State, service: &'a Service) -> impl Iterator<Item = &'a Pod> {
    let selector = service.spec.selector.as_ref();
    state.pods.values().filter(move |pod| {
        let chosen = selector.is_some_and(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|(k, v)| pod.template.labels.get(k) == Some(v))
        });
        let there = !pod.removed && pod.status.has_ip && !pod.status.is_terminal();
        chosen && there && pod.namespace == service.meta.namespace
    })
}

fn is_ready(service: &Service, pod: &Pod) -> bool {
    let always = service.spec.publish_not_ready_addresses.unwrap_or(false);
    always || (pod.is_ready() && pod.deletion.is_none())
}

fn target_port(pod: &Pod, port: &core::ServicePort) -> Option<u16> {
    match &port.target_port {
        None => u16::try_from(port.port).ok(),
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok(),
        Some(IntOrString::String(name)) => {
            let ports = pod.containers.iter().flat_map(|c| c.spec.ports.iter().flatten());
            let named = ports.filter(|p| p.name.as_ref() == Some(name));
            named.filter_map(|p| u16::try_from(p.container_port).ok()).next()
        }
    }
}

fn endpoints(state: &State, service: &Service) -> (Vec<String>, Vec<String>) {
    let (mut ready, mut not_ready) = (Vec::new(), Vec::new());
    let ports = service.spec.ports.as_deref().unwrap_or_default();
    for pod in behind(state, service) {
        let list = if is_ready(service, pod) { &mut ready } else { &mut not_ready };
        if ports.is_empty() {
            list.push(pod.ip.clone());
        }
        for port in ports.iter().filter_map(|p| target_port(pod, p)) {
            list.push(format!("{}:{port}", pod.ip));
        }
    }
    (ready, not_ready)
}

fn route(state: &State, service: &Service) -> Route {
    let name = format!("{}.{}.svc.cluster.local", service.meta.plain(), service.meta.namespace);
    let live = || behind(state, service).filter(|pod| is_ready(service, pod));
    let ports = || service.spec.ports.iter().flatten();
    let at = |port: i32, of: &core::ServicePort| {
        Some((u16::try_from(port).ok()?, backends(state, service, of)))
    };
    let sticky = service.spec.session_affinity.as_deref() == Some("ClientIP");
    let config = service.spec.session_affinity_config.as_ref();
    let secs = config.and_then(|c| c.client_ip.as_ref()?.timeout_seconds).unwrap_or(10_800);
    let host = |pod: &Pod| {
        let spec = &pod.template.spec;
        let mine = spec.subdomain.as_deref() == Some(service.meta.plain());
        mine.then(|| crate::sim::kubelet::env::hostname(pod))
    };
    Route {
        name,
        ip: service.ip.clone(),
        ports: ports().filter_map(|port| at(port.port, port)).collect(),
        node_ports: ports().filter_map(|port| at(port.node_port?, port)).collect(),
        affinity: sticky.then(|| SimTime::from_secs(secs.max(0) as u64)),
        local: service.spec.internal_traffic_policy.as_deref() == Some("Local"),
        alias: service.spec.external_name.clone().filter(|_| is_external(service)),
        pods: live().map(|pod| (pod.ip.clone(), host(pod))).collect(),
    }
}

/// An alias of a name elsewhere: no addresses, no endpoints.
pub(crate) fn is_external(service: &Service) -> bool {
    service.spec.type_.as_deref() == Some("ExternalName")
}

/// Where connections to one port go: the ready pods; without any, those that still serve while
/// they end.
// Models pkg/proxy/topology.go CategorizeEndpoints (v1.36).
pub(crate) fn backends(
    state: &State,
    service: &Service,
    port: &core::ServicePort,
) -> Vec<(String, u16)> {
    let at = |pod: &Pod| Some((pod.ip.clone(), target_port(pod, port)?));
    let live: Vec<(String, u16)> =
        behind(state, service).filter(|pod| is_ready(service, pod)).filter_map(at).collect();
    if !live.is_empty() {
        return live;
    }
    let ending = |pod: &&Pod| pod.is_ready() && pod.deletion.is_some();
    behind(state, service).filter(ending).filter_map(at).collect()
}

/// The address of the `n`th Service of a run.
pub(crate) fn cluster_ip(n: usize) -> String {
    format!("10.96.{}.{}", 1 + n / 250, 10 + n % 240)
}

// Models pkg/kubelet/envvars/envvars.go FromServices (v1.36).
pub(crate) fn variables(state: &State, namespace: &str) -> Vec<(String, String)> {
    let mut out = kubernetes_variables();
    let services = state.controllers.services.values();
    for service in services.filter(|s| s.meta.namespace == namespace) {
        let Some(ip) = &service.ip else { continue };
        let ports = service.spec.ports.iter().flatten();
        let ports = ports.map(|p| (p.port as u16, p.name.as_deref(), protocol(p)));
        out.extend(service_variables(service.meta.plain(), ip, &ports.collect::<Vec<_>>()));
    }
    out
}

fn protocol(port: &core::ServicePort) -> &str {
    port.protocol.as_deref().unwrap_or("TCP")
}

pub(crate) fn kubernetes_variables() -> Vec<(String, String)> {
    service_variables("kubernetes", KUBERNETES_IP, &[(443, Some("https"), "TCP")])
}

fn service_variables(
    name: &str,
    ip: &str,
    ports: &[(u16, Option<&str>, &str)],
) -> Vec<(String, String)> {
    let upper = |text: &str| text.replace('-', "_").to_ascii_uppercase();
    let prefix = upper(name);
    let Some((first, _, first_protocol)) = ports.first() else { return Vec::new() };
    let url =
        |port: u16, protocol: &str| format!("{}://{ip}:{port}", protocol.to_ascii_lowercase());
    let mut out = vec![
        (format!("{prefix}_SERVICE_HOST"), ip.to_owned()),
        (format!("{prefix}_SERVICE_PORT"), first.to_string()),
    ];
    for (port, name, _) in ports {
        if let Some(name) = name {
            out.push((format!("{prefix}_SERVICE_PORT_{}", upper(name)), port.to_string()));
        }
    }
    out.push((format!("{prefix}_PORT"), url(*first, first_protocol)));
    for (port, _, protocol) in ports {
        let stem = format!("{prefix}_PORT_{port}_{protocol}");
        out.push((stem.clone(), url(*port, protocol)));
        out.push((format!("{stem}_PROTO"), protocol.to_ascii_lowercase()));
        out.push((format!("{stem}_PORT"), port.to_string()));
        out.push((format!("{stem}_ADDR"), ip.to_owned()));
    }
    out
}
