//! Volume sources few manifests use, as far as they take more than a row of a table.
//! Models pkg/apis/core/validation validateISCSIVolumeSource and its neighbours (v1.36).

use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;

pub(super) const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
const MANAGED: &str = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/\
                       microsoft.compute/disks/{disk-id}";
const BLOB: &str = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

pub(super) fn source(kind: &str, at: &At, r: &mut Report) {
    match kind {
        "iscsi" => iscsi(at, r),
        "fc" => fibre(at, r),
        "flocker" => flocker(at, r),
        "quobyte" => quobyte(at, r),
        "azureDisk" => azure_disk(at, r),
        _ => {
            for (entry, value) in at.get("options").entries() {
                let space = entry.key.split('/').next().unwrap_or("").to_ascii_lowercase();
                let space = format!(".{space}");
                if space.ends_with(".kubernetes.io") || space.ends_with(".k8s.io") {
                    let text = "kubernetes.io and k8s.io namespaces are reserved";
                    r.invalid_as(&value, &show::quote(&entry.key), text);
                }
            }
        }
    }
}

/// The initiator's name is made of the volume's and the portal.
pub(super) fn portal(name: &At, iscsi: &At, r: &mut Report) {
    let length = name.str().len() + 1 + iscsi.str_of("targetPortal").len();
    if iscsi.get("initiatorName").here() && length > 64 {
        let text = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 \
                    characters if iscsi.initiatorName is specified.";
        r.invalid(name, text);
    }
}

fn iscsi(at: &At, r: &mut Report) {
    let logs_in = ["chapAuthDiscovery", "chapAuthSession"].iter().any(|k| at.get(k).bool());
    let secret = at.get("secretRef");
    if logs_in && !secret.here() {
        r.required(&secret, "");
    }
    let initiator = at.get("initiatorName").called(format!("{}.initiatorname", at.path));
    for (name, both) in [(at.get("iqn"), !at.str_of("iqn").is_empty()), (initiator.clone(), false)]
    {
        let text = name.str();
        let start = ["iqn", "eui", "naa"].iter().find(|s| text.starts_with(**s));
        if (both || name.here()) && start.is_none() && (both || name.path == initiator.path) {
            r.invalid(&name, "must be valid format starting with iqn, eui, or naa");
        }
        if start.is_some_and(|start| !is_target(start, text)) {
            r.invalid(&name, "must be valid format");
        }
    }
}

/// `iqn.2001-04.com.example:disk`, `eui.` and 16, `naa.` and 32 letters or digits.
fn is_target(start: &str, text: &str) -> bool {
    let rest = text.get(4..).unwrap_or("");
    let plain = |n: usize| rest.len() == n && rest.bytes().all(|b| b.is_ascii_alphanumeric());
    match start {
        "eui" => plain(16),
        "naa" => plain(32),
        _ => {
            let (date, tail) = rest.split_at_checked(8).unwrap_or(("", ""));
            let digits = date.bytes().enumerate().all(|(i, b)| match i {
                4 => b == b'-',
                7 => b == b'.',
                _ => b.is_ascii_digit(),
            });
            let parts = tail.split_once(':');
            let host = |h: &str| h.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            let name = |n: &str| !n.contains([',', ';', '*', '&', '$', '|', ' ', '\t']);
            let good = |(h, n): (&str, &str)| !h.is_empty() && host(h) && !n.is_empty() && name(n);
            digits && !date.is_empty() && parts.is_some_and(good)
        }
    }
}

fn fibre(at: &At, r: &mut Report) {
    let (targets, ids, lun) = (at.get("targetWWNs"), at.get("wwids"), at.get("lun"));
    if targets.len() + ids.len() == 0 {
        r.required(&targets, "must specify either targetWWNs or wwids, but not both");
    }
    if targets.len() > 0 && ids.len() > 0 {
        let shown = targets.node.map_or(String::new(), show::json);
        let text = "targetWWNs and wwids can not be specified simultaneously";
        r.invalid_as(&targets, &shown, text);
    }
    if targets.len() > 0 && !lun.here() {
        r.required(&lun, "lun is required if targetWWNs is specified");
    } else if targets.len() > 0 {
        r.must(&lun, Must::Between(0, 255, "must be between 0 and 255, inclusive"));
    }
}

fn flocker(at: &At, r: &mut Report) {
    let (name, id) = (at.get("datasetName"), at.get("datasetUUID"));
    match (name.str().is_empty(), id.str().is_empty()) {
        (true, true) => drop(r.required(at, "one of datasetName and datasetUUID is required")),
        (false, false) => {
            let text = "datasetName and datasetUUID can not be specified simultaneously";
            r.invalid_as(at, "\"resource\"", text);
        }
        _ => {}
    }
    if name.str().contains('/') {
        r.invalid(&name, "must not contain '/'");
    }
}

fn quobyte(at: &At, r: &mut Report) {
    let (registry, tenant) = (at.get("registry"), at.get("tenant"));
    if registry.str().is_empty() {
        return;
    }
    if tenant.str().len() >= 65 {
        r.required(&tenant, "must be a UUID and may not exceed a length of 64 characters");
        return;
    }
    let pair = |text: &str| text.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':'));
    for _ in registry.str().split(',').filter(|text| !pair(text)) {
        r.invalid(&registry, PAIRS);
    }
}

fn azure_disk(at: &At, r: &mut Report) {
    let (kind, uri) = (at.get("kind"), at.get("diskURI"));
    let managed = kind.str() == "Managed";
    let (start, words) =
        if managed { ("/subscriptions/", [MANAGED]) } else { ("https://", [BLOB]) };
    // An absent kind is filled in as Shared.
    if !uri.str().starts_with(start) {
        r.unsupported_text(&uri, &words);
    }
}
