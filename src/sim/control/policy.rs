//! NetworkPolicies: which connections between pods may begin, as a network plugin that enforces
//! them has it. Builds walls; the network holds connections against them.

use crate::kube::selector;
use crate::shell::kernel::wall::{Dropped, NAME_SERVER, Pass, Peer, Ports, Side, Wall};
use crate::sim::model::{Pod, Source};
use crate::sim::world::{State, World};
use crate::text::Span;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::networking::v1 as networking;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

type Labels = BTreeMap<String, String>;

/// By namespace and name.
pub(crate) type Policies = BTreeMap<(String, Name), Policy>;

pub(crate) struct Policy {
    spec: networking::NetworkPolicySpec,
    source: Source,
    applied: EventId,
}

pub(super) fn add(world: &World, name: &str, namespace: String, source: Source, applied: EventId) {
    let state = &mut world.st();
    if state.controllers.policies.is_empty() {
        let name = state.key("networkpolicy", &namespace, name);
        let subject = Subject::Object { kind: "networkpolicy".into(), name };
        let text = "NetworkPolicies are enforced here as Calico or Cilium enforce them; a cluster \
                    whose network plugin does not, such as Flannel, keeps them and lets \
                    everything pass";
        let what = What::Note { text: text.to_owned() };
        state.emit(subject, what, Some(applied), source.span("kind"));
    }
    let policy = Policy { spec: source.origins.read("spec"), source, applied };
    state.controllers.policies.insert((namespace, name.into()), policy);
    state.touch();
}

/// Builds all walls anew. Without policies there are none.
pub(super) fn reconcile(world: &World) {
    let walls = {
        let state = world.st();
        // Without policies there are none, and no need to look at anyone.
        let some = !state.controllers.policies.is_empty();
        let ends = if some { ends(&state) } else { Vec::new() };
        let live = |pod: &&Pod| some && !pod.removed && !pod.status.is_terminal();
        let pods = state.pods.values().filter(live);
        let one = |pod: &Pod| {
            let at: Ipv4Addr = pod.ip.parse().ok()?;
            wall(&state, &ends, pod).map(|wall| (at, wall))
        };
        pods.filter_map(one).collect()
    };
    world.rt().walls(walls);
}

/// Somebody rules can let pass: a pod, with its named ports as (name, is UDP, number).
struct End {
    namespace: String,
    labels: Labels,
    at: Ipv4Addr,
    ports: Vec<(String, bool, u16)>,
}

fn ends(state: &State) -> Vec<End> {
    let pods = state.pods.values().filter(|pod| !pod.removed);
    let one = |pod: &Pod| {
        let ports = pod.containers.iter().flat_map(|c| c.spec.ports.iter().flatten());
        let named = |p: &k8s_openapi::api::core::v1::ContainerPort| {
            let number = u16::try_from(p.container_port).ok()?;
            Some((p.name.clone()?, p.protocol.as_deref() == Some("UDP"), number))
        };
        Some(End {
            namespace: pod.namespace.clone(),
            labels: pod.template.labels.clone(),
            at: pod.ip.parse().ok()?,
            ports: ports.filter_map(named).collect(),
        })
    };
    let dns = End {
        namespace: "kube-system".to_owned(),
        labels: [("k8s-app".to_owned(), "kube-dns".to_owned())].into(),
        at: NAME_SERVER,
        ports: vec![("dns".to_owned(), true, 53), ("dns-tcp".to_owned(), false, 53)],
    };
    pods.filter_map(one).chain([dns]).collect()
}

/// A namespace's labels; the server gives each its name as one.
fn namespace_labels(state: &State, name: &str) -> Labels {
    let known = state.rules.namespaces.get(name).map(|known| known.labels.clone());
    let mut labels = known.unwrap_or_default();
    labels.insert("kubernetes.io/metadata.name".to_owned(), name.to_owned());
    labels
}

/// What the policies that select a pod leave open; None where none does.
fn wall(state: &State, ends: &[End], pod: &Pod) -> Option<Wall> {
    let mut wall = Wall::default();
    for ((namespace, name), policy) in &state.controllers.policies {
        let wanted = policy.spec.pod_selector.clone().unwrap_or_default();
        if *namespace != pod.namespace || !selector::matches(&wanted, &pod.template.labels) {
            continue;
        }
        let spec = &policy.spec;
        let view = View { state, ends, namespace };
        if is_of_type(spec, "Ingress") {
            let side = wall.ingress.get_or_insert_default();
            side.by.push(name.to_string());
            let own = ends.iter().find(|end| end.at.to_string() == pod.ip);
            for rule in spec.ingress.iter().flatten() {
                let (peers, ports) = (view.peers(&rule.from), own_ports(own, &rule.ports));
                side.passes.push(Pass { peers, ports });
            }
        }
        if is_of_type(spec, "Egress") {
            let side = wall.egress.get_or_insert_default();
            side.by.push(name.to_string());
            for rule in spec.egress.iter().flatten() {
                view.let_out(&rule.to, &rule.ports, side);
            }
        }
    }
    (wall != Wall::default()).then_some(wall)
}

// Models pkg/apis/networking/v1/defaults.go SetDefaults_NetworkPolicy (v1.36).
fn is_of_type(spec: &networking::NetworkPolicySpec, kind: &str) -> bool {
    match spec.policy_types.as_deref() {
        Some(types) if !types.is_empty() => types.iter().any(|one| one == kind),
        _ => kind == "Ingress" || spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()),
    }
}

/// A policy's rules, seen from its namespace.
struct View<'a> {
    state: &'a State,
    ends: &'a [End],
    namespace: &'a str,
}

impl View<'_> {
    /// No peers, or an empty list of them, is everybody.
    fn peers(&self, list: &Option<Vec<networking::NetworkPolicyPeer>>) -> Option<Vec<Peer>> {
        let list = list.as_ref().filter(|list| !list.is_empty())?;
        Some(list.iter().flat_map(|peer| self.addresses(peer)).collect())
    }

    fn addresses(&self, peer: &networking::NetworkPolicyPeer) -> Vec<Peer> {
        if let Some(block) = &peer.ip_block {
            let except = block.except.iter().flatten().filter_map(|text| cidr(text)).collect();
            return cidr(&block.cidr).map(|net| Peer { net, except }).into_iter().collect();
        }
        let chosen = self.ends.iter().filter(|end| self.selects(peer, end));
        chosen.map(|end| Peer { net: (end.at, 32), except: Vec::new() }).collect()
    }

    fn selects(&self, peer: &networking::NetworkPolicyPeer, end: &End) -> bool {
        let fits = |wanted: &Option<meta::LabelSelector>, labels: &Labels| {
            wanted.as_ref().is_none_or(|wanted| selector::matches(wanted, labels))
        };
        let near = match &peer.namespace_selector {
            None => end.namespace == self.namespace,
            wanted => fits(wanted, &namespace_labels(self.state, &end.namespace)),
        };
        near && fits(&peer.pod_selector, &end.labels)
    }

    /// Ports with names are those of whoever is called, so each has a pass of its own.
    fn let_out(
        &self,
        to: &Option<Vec<networking::NetworkPolicyPeer>>,
        ports: &Option<Vec<networking::NetworkPolicyPort>>,
        side: &mut Side,
    ) {
        let named = ports.iter().flatten().any(|p| matches!(p.port, Some(IntOrString::String(_))));
        side.passes.push(Pass { peers: self.peers(to), ports: own_ports(None, ports) });
        if !named {
            return;
        }
        let peers = to.as_ref().filter(|list| !list.is_empty());
        for end in self.ends {
            if peers.is_none_or(|list| list.iter().any(|peer| self.selects(peer, end))) {
                let peers = Some(vec![Peer { net: (end.at, 32), except: Vec::new() }]);
                side.passes.push(Pass { peers, ports: own_ports(Some(end), ports) });
            }
        }
    }
}

/// The ports of a rule, names read as `end` has them; None is every port.
fn own_ports(
    end: Option<&End>,
    list: &Option<Vec<networking::NetworkPolicyPort>>,
) -> Option<Vec<Ports>> {
    let list = list.as_ref().filter(|list| !list.is_empty())?;
    let one = |port: &networking::NetworkPolicyPort| -> Vec<Ports> {
        let udp = port.protocol.as_deref() == Some("UDP");
        if port.protocol.as_deref() == Some("SCTP") {
            return Vec::new();
        }
        match &port.port {
            None => vec![Ports { udp, from: 0, to: u16::MAX }],
            Some(IntOrString::Int(number)) => {
                let from = u16::try_from(*number).unwrap_or(0);
                let to = port.end_port.and_then(|end| u16::try_from(end).ok()).unwrap_or(from);
                vec![Ports { udp, from, to }]
            }
            Some(IntOrString::String(name)) => {
                let own = end.iter().flat_map(|end| &end.ports);
                let own = own.filter(|(known, is_udp, _)| known == name && *is_udp == udp);
                own.map(|(_, udp, at)| Ports { udp: *udp, from: *at, to: *at }).collect()
            }
        }
    };
    Some(list.iter().flat_map(one).collect())
}

/// `10.0.0.0/8`.
fn cidr(text: &str) -> Option<(Ipv4Addr, u8)> {
    let (net, bits) = text.split_once('/')?;
    Some((net.parse().ok()?, bits.parse().ok()?))
}

/// How a stopped connection is told: the event, the policy's own, and where that is written.
pub(crate) fn told(state: &State, dropped: &Dropped) -> (What, Option<EventId>, Option<Span>) {
    let at = dropped.wall.to_string();
    let pod = state.pods.values().find(|pod| !pod.removed && pod.ip == at);
    let (namespace, name) = pod.map_or(("", ""), |pod| (&*pod.namespace, pod.plain()));
    let side = if dropped.ingress { "ingress" } else { "egress" };
    let word = if dropped.by.len() == 1 { "NetworkPolicy" } else { "NetworkPolicies" };
    let verb = if dropped.by.len() == 1 { "isolates" } else { "isolate" };
    let protocol = if dropped.udp { "UDP" } else { "TCP" };
    let text = format!(
        "packets to {} ({} {protocol} {}) are dropped: {word} {} {verb} pod {name} for {side} and \
         no rule lets this pass",
        dropped.to,
        dropped.addr,
        dropped.port,
        dropped.by.join(", ")
    );
    let first = dropped.by.first().map_or("", String::as_str);
    let policy = state.controllers.policies.get(&(namespace.to_owned(), first.into()));
    let span = policy.and_then(|policy| {
        let rules = if dropped.ingress { "spec.ingress" } else { "spec.egress" };
        let written = policy.source.origins.node(rules).is_some();
        policy.source.span(if written { rules } else { "spec.podSelector" })
    });
    (What::Note { text }, policy.map(|policy| policy.applied), span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_types_have_defaults() {
        let spec = |types: &[&str], egress: usize| networking::NetworkPolicySpec {
            policy_types: Some(types.iter().map(|t| (*t).to_owned()).collect()),
            egress: Some(vec![networking::NetworkPolicyEgressRule::default(); egress]),
            ..networking::NetworkPolicySpec::default()
        };
        for (types, egress, expected) in [
            (&[][..], 0, (true, false)),
            (&[], 1, (true, true)),
            (&["Egress"], 0, (false, true)),
            (&["Ingress"], 1, (true, false)),
            (&["Ingress", "Egress"], 0, (true, true)),
        ] {
            let spec = spec(types, egress);
            let got = (is_of_type(&spec, "Ingress"), is_of_type(&spec, "Egress"));
            assert_eq!(got, expected, "{types:?} {egress}");
        }
        assert_eq!(cidr("10.0.0.0/8"), Some((Ipv4Addr::new(10, 0, 0, 0), 8)));
        assert_eq!(cidr("10.0.0.0"), None);
    }
}
