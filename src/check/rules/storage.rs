//! PersistentVolumes and StorageClasses.
//! Models pkg/apis/core/validation ValidatePersistentVolumeSpec and pkg/apis/storage/validation
//! ValidateStorageClass (v1.36).

use super::resources::listed;
use super::{affinity, claim, meta, volume};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use crate::kube::quantity::Quantity;
use std::collections::BTreeMap;

const POLICIES: &[&str] = &["Delete", "Recycle", "Retain"];
const SOURCES: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
];
const SECRETS: [&str; 4] = [
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
];

pub(in crate::check) fn is_source(field: &str) -> bool {
    field == "csi" || SOURCES.contains(&field)
}

pub(in crate::check) fn volume(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    claim::modes(&spec, "", r);
    capacity(&spec.get("capacity"), r);
    let policy = spec.get("persistentVolumeReclaimPolicy");
    r.must(&policy, Must::OneOf(POLICIES));
    let place = spec.get("nodeAffinity");
    if place.here() && !place.get("required").here() {
        r.required(&place.get("required"), "must specify required node constraints");
    } else if place.here() {
        affinity::node_selector(&place.get("required"), r);
    }
    sources(&spec, r);
    let host = spec.str_of("hostPath.path");
    if policy.str() == "Recycle" && !host.is_empty() && host.trim_end_matches('/').is_empty() {
        r.forbidden(&policy, "may not be 'recycle' for a hostPath mount of '/'");
    }
    r.must(&spec.get("storageClassName"), Must::Name(names::subdomain));
    r.must(&spec.get("volumeMode"), Must::OneOfOrEmpty(&["Block", "Filesystem"]));
    let class = spec.get("volumeAttributesClassName");
    if class.here() {
        if class.str().is_empty() {
            r.required(&class, "an empty string is disallowed");
        } else {
            r.must(&class, Must::Name(names::subdomain));
        }
        if !spec.get("csi").here() {
            let text = "has to be specified when using volumeAttributesClassName";
            r.required(&spec.get("csi"), text);
        }
    }
}

fn capacity(at: &At, r: &mut Report) {
    if at.len() == 0 {
        r.required(at, "");
    }
    let entries = at.entries();
    if entries.len() != 1 || !entries.iter().any(|(e, _)| e.key == "storage") {
        // Amounts as the server writes them.
        let written: BTreeMap<&str, String> =
            entries.iter().map(|(e, value)| (&*e.key, listed(value).to_string())).collect();
        let fields =
            written.iter().map(|(key, worth)| format!("{}:\"{worth}\"", show::json_text(key)));
        let shown = match at.node {
            Some(_) => format!("{{{}}}", fields.collect::<Vec<_>>().join(",")),
            None => "null".to_owned(),
        };
        r.unsupported_as(at, &shown, &["storage"]);
    }
    for (_, value) in entries {
        let worth = listed(&value);
        if worth <= Quantity::ZERO {
            if worth < Quantity::ZERO {
                let text = "must be a valid resource quantity";
                let shown = worth.value().to_string();
                r.invalid_as(&value, &shown, text);
            }
            let shown = show::quote(&worth.to_string());
            r.invalid_as(&value, &shown, "must be greater than zero");
        }
    }
}

fn sources(spec: &At, r: &mut Report) {
    let mut n_seen = 0;
    for kind in SOURCES.iter().chain(&["csi"]) {
        let at = spec.get(kind);
        if !at.here() {
            continue;
        }
        n_seen += 1;
        if n_seen > 1 {
            let at = at.called(at.path.replace("cephfs", "cephFS"));
            r.forbidden(&at, "may not specify more than 1 volume type");
            continue;
        } else if *kind == "csi" {
            volume::csi_driver(&at.get("driver"), r);
            r.must(&at.get("volumeHandle"), Must::Required);
            let (name, space) = (Must::Named(names::subdomain), Must::Named(names::label));
            for secret in SECRETS.iter().map(|key| at.get(key)).filter(At::here) {
                r.all(&secret, &[("name", name), ("namespace", space)]);
            }
        } else {
            volume::one_source(kind, &at, r);
        }
        let space = at.get("endpointsNamespace");
        if *kind == "glusterfs" && space.here() && space.str().is_empty() {
            r.invalid(&space, "if the endpointnamespace is set, it must be a valid namespace name");
        } else if *kind == "glusterfs" {
            r.must(&space, Must::Name(names::label));
        }
        if *kind == "local" {
            let path = at.get("path");
            if volume::has_backsteps(path.str()) {
                r.invalid(&path, "must not contain '..'");
            }
            let place = spec.get("nodeAffinity");
            if !place.here() {
                r.required(&place, "Local volume requires node affinity");
            }
        }
    }
    if n_seen == 0 {
        r.required(spec, "must specify a volume type");
    }
}

pub(in crate::check) fn class(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let by = root.get("provisioner");
    if by.str().is_empty() {
        r.required(&by, "");
    } else {
        for objection in names::qualified(&by.str().to_ascii_lowercase()) {
            r.invalid_as(&by, &show::quote(&by.str().to_ascii_lowercase()), &objection);
        }
    }
    for (_, value) in root.get("parameters").entries().iter().filter(|(e, _)| e.key.is_empty()) {
        let at = value.called("parameters");
        r.invalid_as(&at, "\"\"", "field can not be empty.");
    }
    r.must(&root.get("reclaimPolicy"), Must::OneOf(&["Delete", "Retain"]));
    let modes = Must::OneOfOrEmpty(&["Immediate", "WaitForFirstConsumer"]);
    r.must(&root.get("volumeBindingMode"), modes);
    let mut terms: Vec<String> = vec!["[]".to_owned()];
    for term in root.get("allowedTopologies").items() {
        let list = term.get("matchLabelExpressions");
        let mut keys: Vec<&str> = Vec::new();
        for one in list.items() {
            let key = one.get("key");
            topology_values(&one.get("values"), r);
            r.must(&key, Must::Is(names::qualified));
            if keys.contains(&key.str()) {
                r.duplicate(&key);
            }
            keys.push(key.str());
        }
        let shown = list.node.map_or("[]".to_owned(), show::json);
        if terms.contains(&shown) {
            r.duplicate_as(&list, "\"\"");
        }
        terms.push(shown);
    }
}

fn topology_values(list: &At, r: &mut Report) {
    if list.len() == 0 {
        r.required(list, "");
    }
    let mut seen: Vec<&str> = Vec::new();
    for value in list.items() {
        if seen.contains(&value.str()) {
            r.duplicate(&value);
        }
        seen.push(value.str());
    }
}
