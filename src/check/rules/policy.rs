//! NetworkPolicies and PodDisruptionBudgets.
//! Models pkg/apis/networking/validation ValidateNetworkPolicySpec and
//! pkg/apis/policy/validation (v1.36).

use super::workload::{at_most_whole, int_or_percent};
use super::{meta, net, selector};
use crate::check::cursor::At;
use crate::check::must::{Must, PORT};
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use crate::yaml::Value;

pub(in crate::check) fn network(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    selector::label_selector(&spec.get("podSelector"), r);
    for (list, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.get(list).items() {
            rule.get("ports").items().iter().for_each(|p| port(p, r));
            rule.get(peers).items().iter().for_each(|p| peer(p, r));
        }
    }
    let types = spec.get("policyTypes");
    if types.len() > 2 {
        let shown = types.node.map_or("null".to_owned(), show::json);
        r.invalid_as(&types, &shown, "may not specify more than two policyTypes");
        return;
    }
    for one in types.items() {
        r.must(&one, Must::OneOfOrEmpty(&["Ingress", "Egress"]));
        if !one.here() {
            r.unsupported(&one, &["Ingress", "Egress"]);
        }
    }
}

fn port(at: &At, r: &mut Report) {
    let protocol = at.get("protocol");
    r.must(&protocol, Must::OneOfOrEmpty(&["TCP", "UDP", "SCTP"]));
    let (port, end) = (at.get("port"), at.get("endPort"));
    match port.node.map(|n| &n.value) {
        None => {
            if end.here() {
                r.invalid_int(&end, "may not be specified when `port` is not specified");
            }
        }
        Some(Value::Str(_)) => {
            if end.here() {
                r.invalid_int(&end, "may not be specified when `port` is non-numeric");
            }
            r.must(&port, Must::PortOrName);
        }
        Some(_) => {
            r.must(&port, Must::PortOrName);
            let (low, high) = (port.int().unwrap_or(0), end.int());
            if high.is_some_and(|high| high < low) {
                r.invalid_as(&end, &low.to_string(), "must be greater than or equal to `port`");
            }
            if high.is_some() {
                r.must(&end, Must::Between(1, 65535, PORT));
            }
        }
    }
}

fn peer(at: &At, r: &mut Report) {
    let (pods, spaces) = (at.get("podSelector"), at.get("namespaceSelector"));
    let block = at.get("ipBlock");
    let n_peers = u8::from(pods.here()) + u8::from(spaces.here());
    selector::label_selector(&pods, r);
    selector::label_selector(&spaces, r);
    if block.here() {
        ip_block(&block, r);
    }
    if n_peers == 0 && !block.here() {
        r.required(at, "must specify a peer");
    } else if n_peers > 0 && block.here() {
        r.forbidden(at, "may not specify both ipBlock and another peer");
    }
}

fn ip_block(at: &At, r: &mut Report) {
    let cidr = at.get("cidr");
    if cidr.str().is_empty() {
        r.required(&cidr, "");
        return;
    }
    let objections = net::cidr(cidr.str());
    for objection in &objections {
        r.invalid(&cidr, objection);
    }
    let Some(whole) = net::range(cidr.str()) else { return };
    for one in at.get("except").items() {
        let objections = net::cidr(one.str());
        for objection in &objections {
            r.invalid(&one, objection);
        }
        if net::range(one.str()).is_some_and(|part| !whole.strictly_holds(part)) {
            r.invalid(&one, "must be a strict subset of `cidr`");
        }
    }
}

pub(in crate::check) fn disruption_budget(root: &At, r: &mut Report) {
    let n_before = r.found.len();
    let spec = root.get("spec");
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    if least.here() && most.here() {
        let shown = budget_json(&spec);
        r.invalid_as(&spec, &shown, "minAvailable and maxUnavailable cannot be both set");
    }
    for one in [&least, &most] {
        int_or_percent(one, r);
        at_most_whole(one, r);
    }
    selector::label_selector(&spec.get("selector"), r);
    let policy = spec.get("unhealthyPodEvictionPolicy");
    r.must(&policy, Must::OneOfOrEmpty(&["AlwaysAllow", "IfHealthyBudget"]));
    // The server looks at the metadata of this kind only where the rest is right.
    if r.found.len() == n_before {
        meta::object(&root.get("metadata"), names::path_segment, r);
        // By rules that any kind has, which know no standard finalizers.
        r.found.retain(|d| !d.message.ends_with(meta::NOT_STANDARD));
    }
}

/// The server prints the whole budget by its Go names.
fn budget_json(spec: &At) -> String {
    let plain = |key: &str| spec.get(key).node.map_or("null".to_owned(), show::json);
    format!(
        "{{\"MinAvailable\":{},\"Selector\":{},\"MaxUnavailable\":{},\
         \"UnhealthyPodEvictionPolicy\":{}}}",
        plain("minAvailable"),
        selector::json(&spec.get("selector")),
        plain("maxUnavailable"),
        plain("unhealthyPodEvictionPolicy")
    )
}
