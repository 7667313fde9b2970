//! Services.
//! Models pkg/apis/core/validation ValidateService (v1.36).

use super::{meta, net};
use crate::check::cursor::At;
use crate::check::must::{Must, PORT};
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use std::collections::BTreeMap;

const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
pub(in crate::check) const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::label, r);
    let spec = root.get("spec");
    let kind = match spec.str_of("type") {
        "" => "ClusterIP",
        word => word,
    };
    let headless = spec.str_of("clusterIP") == "None"
        || spec.get("clusterIPs").items().first().is_some_and(|ip| ip.str() == "None");
    let list = spec.get("ports");
    if list.len() == 0 && !headless && kind != "ExternalName" {
        r.required(&list, "").help =
            Some("A Service passes traffic on: say on which `ports`.".to_owned());
    }
    by_type(&spec, kind, headless, r);
    ports(&list, r);
    meta::labels(&spec.get("selector"), r);
    r.must(&spec.get("sessionAffinity"), Must::OneOf(&["ClientIP", "None"]));
    affinity(&spec, r);
    addresses(&spec, r);
    r.must(&spec.get("type"), Must::OneOf(TYPES));
    node_ports(&spec, kind, r);
    duplicates(&list, r);
    balancer(&spec, kind, r);
    traffic(&spec, kind, r);
}

fn by_type(spec: &At, kind: &str, headless: bool, r: &mut Report) {
    if headless && ["LoadBalancer", "NodePort"].contains(&kind) {
        let text = format!("may not be set to 'None' for {kind} services");
        let at = spec.get("clusterIP").called(format!("{}.clusterIPs[0]", spec.path));
        r.invalid_as(&at, "\"None\"", &text);
    }
    if kind != "ExternalName" {
        return;
    }
    for (key, shown) in [
        ("clusterIP", "clusterIPs"),
        ("ipFamilies", "ipFamilies"),
        ("ipFamilyPolicy", "ipFamilyPolicy"),
    ] {
        let at = spec.get(key);
        if at.here() && at.len() + at.str().len() > 0 {
            let at = at.called(format!("{}.{shown}", spec.path));
            r.forbidden(&at, "may not be set for ExternalName services");
        }
    }
    let name = spec.get("externalName");
    let host = name.str().strip_suffix('.').unwrap_or(name.str());
    if host.is_empty() {
        r.required(&name, "");
    } else {
        for objection in names::subdomain(host) {
            r.invalid_as(&name, &show::quote(host), &objection);
        }
    }
}

fn ports(list: &At, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    let several = list.len() > 1;
    for one in list.items() {
        let name = one.get("name");
        if name.str().is_empty() {
            if several {
                r.required(&name, "").help =
                    Some("With several ports, each needs a name.".to_owned());
            }
        } else {
            r.must(&name, Must::Name(names::label));
            if seen.contains(&name.str()) {
                r.duplicate(&name).code = "duplicate-name".into();
            }
            seen.push(name.str());
        }
        let port = one.get("port");
        if !(1..=65535).contains(&port.int().unwrap_or(0)) {
            r.invalid_int(&port, PORT);
        }
        r.must(&one.get("protocol"), Must::OneOf(PROTOCOLS));
        target(&one, r);
        let app = one.get("appProtocol");
        if app.here() {
            for objection in names::qualified(app.str()) {
                r.invalid(&app, &objection);
            }
        }
    }
}

fn target(one: &At, r: &mut Report) {
    let at = one.get("targetPort");
    let absent =
        !at.here() || at.int() == Some(0) || at.node.is_some_and(|n| n.as_str() == Some(""));
    // An absent target is the port itself, faults and all.
    let own = one.get("port").int().unwrap_or(0);
    if absent {
        if !(1..=65535).contains(&own) {
            r.invalid_as(&at, &own.to_string(), PORT);
        }
        return;
    }
    r.must(&at, Must::PortOrName);
}

fn affinity(spec: &At, r: &mut Report) {
    let client = spec.get("sessionAffinityConfig.clientIP");
    if spec.str_of("sessionAffinity") == "ClientIP" {
        let seconds = client.get("timeoutSeconds");
        if seconds.here() && !(1..=86400).contains(&seconds.int().unwrap_or(0)) {
            r.invalid_int(&seconds, "must be greater than 0 and less than 86400");
        }
    }
}

fn addresses(spec: &At, r: &mut Report) {
    let mut seen: Vec<&str> = Vec::new();
    for one in spec.get("ipFamilies").items() {
        r.must(&one, Must::Among(&["IPv4", "IPv6"]));
        if seen.contains(&one.str()) {
            r.duplicate(&one);
        }
        seen.push(one.str());
    }
    r.must(
        &spec.get("ipFamilyPolicy"),
        Must::OneOfOrEmpty(&["PreferDualStack", "RequireDualStack", "SingleStack"]),
    );
    if spec.str_of("type") != "ExternalName" {
        cluster_ips(spec, r);
    }
    for one in spec.get("externalIPs").items() {
        for objection in external_ip(one.str()) {
            r.invalid(&one, &objection);
        }
    }
}

/// Models ValidateServiceClusterIPsRelatedFields, after NormalizeClusterIPs.
fn cluster_ips(spec: &At, r: &mut Report) {
    let (own, list) = (spec.get("clusterIP"), spec.get("clusterIPs"));
    let shown = list.node.map_or("null".to_owned(), show::json).replace("null", "\"\"");
    let mut all = list.items();
    if all.is_empty() && !own.str().is_empty() {
        all.push(own.called(format!("{}[0]", list.path)));
    }
    let first = all.first().map_or("", At::str);
    if own.str().is_empty() && !all.is_empty() {
        r.invalid_as(&list, &shown, "must be empty when `clusterIP` is not specified");
    } else if first != own.str() {
        r.invalid_as(&list, &shown, "first value must match `clusterIP`");
    }
    let mut wrong = false;
    for (i, one) in all.iter().enumerate() {
        if i == 0 && one.str() == "None" {
            if all.len() > 1 {
                wrong = true;
                r.invalid_as(&list, &shown, "'None' must be the first and only value");
            }
            continue;
        }
        wrong |= !r.must(one, Must::Is(net::ip));
    }
    if all.len() > 2 {
        r.invalid_as(&list, &shown, "may only hold up to 2 values");
    }
    if wrong || first == "None" {
        return;
    }
    let six = |at: &At<'_>| at.str().contains(':');
    if all.len() > 1 && (all.iter().all(six) || !all.iter().any(six)) {
        r.invalid_as(&list, &shown, "may specify no more than one IP for each IP family");
    }
    for (i, (one, family)) in all.iter().zip(spec.get("ipFamilies").items()).enumerate() {
        let fits = match family.str() {
            "IPv4" => !six(one),
            "IPv6" => six(one),
            _ => true,
        };
        if !fits {
            let text =
                format!("expected an {} value as indicated by `ipFamilies[{i}]`", family.str());
            r.invalid(one, &text);
        }
    }
}

fn external_ip(text: &str) -> Vec<String> {
    let found = net::ip(text);
    if text.parse::<std::net::IpAddr>().is_err() { found } else { special_ip(text) }
}

/// Objections to addresses that are no other machine's. Models ValidateEndpointIP.
pub(in crate::check) fn special_ip(text: &str) -> Vec<String> {
    let Ok(address) = text.parse::<std::net::IpAddr>() else { return Vec::new() };
    let link_local = match address {
        std::net::IpAddr::V4(four) => four.is_link_local(),
        std::net::IpAddr::V6(six) => six.segments()[0] & 0xffc0 == 0xfe80,
    };
    let rules = [
        (address.is_unspecified(), "may not be unspecified (0.0.0.0)"),
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (
            is_link_multicast(address),
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
        ),
    ];
    rules.iter().filter(|(hit, _)| *hit).map(|(_, text)| (*text).to_owned()).collect()
}

fn is_link_multicast(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(four) => four.octets()[..3] == [224, 0, 0],
        std::net::IpAddr::V6(six) => six.segments()[0] & 0xff0f == 0xff02,
    }
}

fn protocol<'a>(port: &At<'a>) -> &'a str {
    match port.str_of("protocol") {
        "" => "TCP",
        word => word,
    }
}

/// Node ports as they stand after the server has given numbers to those without: in a dry run the
/// next one after the highest, and the same one for the same service port.
/// Models pkg/registry/core/service/storage/alloc.go initNodePorts.
fn allocated(spec: &At, kind: &str) -> Vec<i64> {
    let ports = spec.get("ports").items();
    let own = |port: &At<'_>, key: &str| port.get(key).int().unwrap_or(0);
    let unwanted =
        spec.get("allocateLoadBalancerNodePorts").node.is_some_and(|n| n.as_bool() == Some(false));
    let gives = kind == "NodePort" || kind == "LoadBalancer" && !unwanted;
    let mut given: BTreeMap<i64, i64> = BTreeMap::new();
    let mut highest = None;
    let mut numbers = Vec::new();
    for port in &ports {
        let (service, mut node) = (own(port, "port"), own(port, "nodePort"));
        if gives && node == 0 {
            let wished = ports.iter().filter(|p| own(p, "port") == service);
            let wished = wished.map(|p| own(p, "nodePort")).find(|n| *n != 0);
            node = given.get(&service).copied().or(wished).unwrap_or(highest.unwrap_or(32767) + 1);
        }
        if node != 0 {
            highest = highest.max(Some(node));
            given.entry(service).or_insert(node);
        }
        numbers.push(node);
    }
    numbers
}

fn node_ports(spec: &At, kind: &str, r: &mut Report) {
    let mut seen: Vec<(&str, i64)> = Vec::new();
    let numbers = allocated(spec, kind);
    for (one, number) in spec.get("ports").items().iter().zip(numbers) {
        let at = one.get("nodePort");
        if number == 0 {
            continue;
        }
        if kind == "ClusterIP" {
            r.forbidden(&at, "may not be used when `type` is 'ClusterIP'").help =
                Some("Only a Service of `type: NodePort` opens a port on the nodes.".to_owned());
            continue;
        }
        let key = (protocol(one), number);
        if seen.contains(&key) {
            r.duplicate_as(&at, &number.to_string()).code = "duplicate-port".into();
        }
        seen.push(key);
    }
}

fn duplicates(list: &At, r: &mut Report) {
    let mut seen: Vec<(&str, i64)> = Vec::new();
    for one in list.items() {
        let number = one.get("port").int().unwrap_or(0);
        let key = (protocol(&one), number);
        if seen.contains(&key) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{number},\
                 \"TargetPort\":0,\"NodePort\":0}}",
                show::json_text(key.0)
            );
            r.duplicate_as(&one, &shown).code = "duplicate-port".into();
        }
        seen.push(key);
    }
}

fn balancer(spec: &At, kind: &str, r: &mut Report) {
    let only = "may only be used when `type` is 'LoadBalancer'";
    let ranges = spec.get("loadBalancerSourceRanges");
    if ranges.len() > 0 {
        let odd = ranges.called(format!("{}.LoadBalancerSourceRanges", spec.path));
        if kind != "LoadBalancer" {
            r.forbidden(&odd, only);
        }
        for (i, one) in ranges.items().iter().enumerate() {
            for objection in net::cidr(one.str().trim()) {
                r.invalid(&one.called(format!("{}[{i}]", odd.path)), &objection);
            }
        }
    }
    for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"] {
        let at = spec.get(key);
        if at.here() && kind != "LoadBalancer" {
            r.forbidden(&at, only);
        }
    }
    if spec.get("loadBalancerClass").here() && kind == "LoadBalancer" {
        r.must(&spec.get("loadBalancerClass"), Must::Is(names::qualified));
    }
}

fn traffic(spec: &At, kind: &str, r: &mut Report) {
    let external = spec.get("externalTrafficPolicy");
    let reachable = ["LoadBalancer", "NodePort"].contains(&kind)
        || kind == "ClusterIP" && spec.get("externalIPs").len() > 0;
    if !external.str().is_empty() {
        if !reachable {
            r.invalid(&external, "may only be set for externally-accessible services");
        } else {
            r.must(&external, Must::OneOf(&["Cluster", "Local"]));
        }
    }
    let health = spec.get("healthCheckNodePort");
    let local = kind == "LoadBalancer" && external.str() == "Local";
    if health.int().is_some_and(|n| n != 0) && !local {
        let text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is \
                    'Local'";
        r.invalid(&health, text);
    } else if local && health.int() != Some(0) {
        // An absent one is given by the server.
        r.must(&health, Must::Port);
    }
    r.must(&spec.get("internalTrafficPolicy"), Must::OneOfOrEmpty(&["Cluster", "Local"]));
    let near = Must::OneOfOrEmpty(&["PreferClose", "PreferSameZone", "PreferSameNode"]);
    r.must(&spec.get("trafficDistribution"), near);
}
