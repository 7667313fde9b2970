//! Endpoints and EndpointSlices.
//! Models pkg/apis/core/validation validateEndpointSubsets and pkg/apis/discovery/validation
//! (v1.36).

use super::{meta, net, service};
use crate::check::cursor::At;
use crate::check::must::{Must, PORT};
use crate::check::report::Report;
use crate::kube::names;

pub(in crate::check) fn endpoints(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    for subset in root.get("subsets").items() {
        let lists = ["addresses", "notReadyAddresses"].map(|key| subset.get(key));
        if lists.iter().all(|list| list.len() == 0) {
            r.required(&subset, "must specify `addresses` or `notReadyAddresses`");
        }
        for one in lists.iter().flat_map(At::items) {
            let ip = one.get("ip");
            address(&ip, r);
            r.must(&one.get("hostname"), Must::Name(names::label));
            if one.get("nodeName").here() {
                r.must(&one.get("nodeName"), Must::Is(names::subdomain));
            }
        }
        let ports = subset.get("ports").items();
        for port in &ports {
            let name = port.get("name");
            if ports.len() > 1 && name.str().is_empty() {
                r.required(&name, "");
            }
            r.must(&name, Must::Name(names::label));
            let number = port.get("port");
            if !(1..=65535).contains(&number.int().unwrap_or(0)) {
                r.invalid_int(&number, PORT);
            }
            port_words(port, r);
        }
    }
}

fn port_words(port: &At, r: &mut Report) {
    r.must(&port.get("protocol"), Must::OneOf(service::PROTOCOLS));
    app_protocol(port, r);
}

fn app_protocol(port: &At, r: &mut Report) {
    if port.get("appProtocol").here() {
        r.must(&port.get("appProtocol"), Must::Is(names::qualified));
    }
}

/// An address traffic can be sent to.
fn address(at: &At, r: &mut Report) {
    let found = net::ip(at.str());
    let good = found.is_empty();
    for objection in &found {
        r.invalid(at, objection);
    }
    if !good && net::range(&format!("{}/0", at.str())).is_none() {
        r.invalid(at, "must be a valid IP address");
    }
    for objection in service::special_ip(at.str()) {
        let objection = objection.replace("0.0.0.0", at.str());
        r.invalid(at, &objection);
    }
}

pub(in crate::check) fn slice(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let kind = root.get("addressType");
    if kind.str().is_empty() {
        r.required(&kind, "");
    } else {
        r.must(&kind, Must::OneOf(&["FQDN", "IPv4", "IPv6"]));
    }
    let mut seen: Vec<&str> = Vec::new();
    for port in root.get("ports").items() {
        let name = port.get("name");
        r.must(&name, Must::Name(names::label));
        if seen.contains(&name.str()) {
            r.duplicate(&name);
        }
        seen.push(name.str());
        r.must(&port.get("protocol"), Must::OneOfOrEmpty(service::PROTOCOLS));
        app_protocol(&port, r);
    }
    for one in root.get("endpoints").items() {
        let list = one.get("addresses");
        r.must(&list, Must::Set("must contain at least 1 address"));
        if list.len() > 100 {
            r.too_many(&list, list.len(), 100);
        }
        for at in list.items() {
            slice_address(&at, &list, kind.str(), r);
        }
        if one.get("nodeName").here() {
            r.must(&one.get("nodeName"), Must::Is(names::subdomain));
        }
        if one.get("hostname").here() {
            r.must(&one.get("hostname"), Must::Is(names::label));
        }
        hints(&one.get("hints"), r);
    }
}

fn slice_address(at: &At, list: &At, kind: &str, r: &mut Report) {
    match kind {
        "IPv4" | "IPv6" => {
            let found = net::ip(at.str());
            if found.is_empty() {
                if at.str().contains(':') != (kind == "IPv6") {
                    let named = at.called(list.path.clone());
                    r.invalid(&named, &format!("must be an {kind} address"));
                }
                for objection in service::special_ip(at.str()) {
                    r.invalid(at, &objection.replace("0.0.0.0", at.str()));
                }
            }
            for objection in &found {
                r.invalid(at, objection);
            }
        }
        "FQDN" if at.str().is_empty() => drop(r.required(at, "")),
        "FQDN" => {
            let name = at.str().strip_suffix('.').unwrap_or(at.str());
            let found = names::subdomain(name);
            if !found.is_empty() {
                r.invalid_as(at, &crate::check::show::quote(name), &found.join(","));
            } else if !name.contains('.') {
                let text = "should be a domain with at least two segments separated by dots";
                r.invalid(at, text);
            }
        }
        _ => {}
    }
}

fn hints(at: &At, r: &mut Report) {
    for (list, rule) in [
        ("forZones", names::label_value as fn(&str) -> Vec<String>),
        ("forNodes", names::subdomain),
    ] {
        let list = at.get(list);
        if list.len() > 8 {
            r.too_many(&list, list.len(), 8);
            return;
        }
        let mut seen: Vec<&str> = Vec::new();
        for one in list.items() {
            let name = one.get("name");
            if seen.contains(&name.str()) {
                r.duplicate(&name);
            }
            seen.push(name.str());
            r.must(&name, Must::Is(rule));
        }
    }
}
