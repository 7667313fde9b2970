//! Volumes of a pod: one source each, a name each.
//! Models pkg/apis/core/validation ValidateVolumes and validateVolumeSource (v1.36).

use super::claim;
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::rules::env;
use crate::check::rules::resources::amount;
use crate::kube::names;
use crate::kube::quantity::Quantity;
use std::collections::BTreeMap;

/// Volumes without a fault, by name: the kind of source each has.
pub(in crate::check) type Volumes<'a> = BTreeMap<&'a str, &'static str>;

/// In the order the server looks at them.
pub(in crate::check) const SOURCES: [&str; 30] = [
    "emptyDir",
    "hostPath",
    "gitRepo",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "secret",
    "nfs",
    "iscsi",
    "glusterfs",
    "flocker",
    "persistentVolumeClaim",
    "rbd",
    "cinder",
    "cephfs",
    "quobyte",
    "downwardAPI",
    "fc",
    "flexVolume",
    "configMap",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "storageos",
    "projected",
    "scaleIO",
    "csi",
    "ephemeral",
    "image",
];

/// Sources the server calls otherwise where there are two.
const ODD_NAMES: [(&str, &str); 2] = [("downwardAPI", "downwarAPI"), ("cephfs", "cephFS")];

const KINDS: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Checks the list; `names` that are already taken (claim templates) come in `known`.
pub(in crate::check) fn all<'a>(
    list: &At<'a>,
    pod_name: Option<&str>,
    known: Volumes<'a>,
    r: &mut Report,
) -> Volumes<'a> {
    let mut good = known;
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    for volume in list.items() {
        let before = r.found.len();
        let kind = source(&volume, pod_name, r);
        let name = volume.get("name");
        if name.str().is_empty() {
            r.required(&name, "");
        } else {
            let n_before = r.found.len();
            r.must(&name, Must::Named(names::label));
            if r.found.len() == n_before && seen.contains_key(name.str()) {
                r.duplicate(&name).code = "duplicate-name".into();
            }
        }
        if r.found.len() == before {
            seen.insert(name.str(), ());
            good.insert(name.str(), kind);
        }
    }
    good
}

fn source(volume: &At, pod_name: Option<&str>, r: &mut Report) -> &'static str {
    let mut kind = "";
    for name in SOURCES {
        let at = volume.get(name);
        if !at.here() {
            continue;
        }
        if !kind.is_empty() {
            let odd = ODD_NAMES.iter().find(|(of, _)| *of == name).map_or(name, |(_, odd)| odd);
            let at = at.called(format!("{}.{odd}", volume.path));
            r.forbidden(&at, "may not specify more than 1 volume type").code =
                "two-volume-types".into();
            continue;
        }
        kind = name;
        one_source(name, &at, r);
        if name == "iscsi" {
            super::rare::portal(&volume.get("name"), &at, r);
        }
        if name == "ephemeral" {
            ephemeral(&at, &volume.get("name"), pod_name, r);
        }
    }
    // The server fills in an emptyDir where no source stands.
    if kind.is_empty() { "emptyDir" } else { kind }
}

pub(in crate::check) fn one_source(kind: &str, at: &At, r: &mut Report) {
    // The server has another name for this one.
    let renamed = at.called(at.path.replace("gcePersistentDisk", "persistentDisk"));
    let rows = ROWS.iter().filter(|(of, ..)| *of == kind);
    for (_, key, must) in rows {
        r.must(&renamed.get(key), *must);
    }
    match kind {
        "emptyDir" => {
            let limit = at.get("sizeLimit");
            if amount(&limit) < Quantity::ZERO {
                r.forbidden(&limit, "SizeLimit field must be a valid resource quantity");
            }
        }
        "hostPath" => {
            let path = at.get("path");
            if !r.must(&path, Must::Required) {
                return;
            }
            if has_backsteps(path.str()) {
                r.invalid(&path, "must not contain '..'");
            }
            r.must(&at.get("type"), Must::OneOfOrEmpty(KINDS));
        }
        "gitRepo" => {
            let dir = at.get("directory");
            if !dir.str().is_empty() {
                local_path(&dir, r);
            }
        }
        "iscsi" | "fc" | "flocker" | "quobyte" | "azureDisk" | "flexVolume" => {
            super::rare::source(kind, at, r);
        }
        "secret" | "configMap" => modes(at, r),
        "nfs" => {
            let path = at.get("path");
            if !path.str().starts_with('/') {
                r.invalid(&path, "must be an absolute path");
            }
        }
        "downwardAPI" => downward_items(at, r),
        "projected" => projected(at, r),
        "csi" => {
            csi_driver(&at.get("driver"), r);
            let secret = at.get("nodePublishSecretRef.name");
            // The server puts this one a level too high.
            r.must(&secret.called(format!("{}.name", at.path)), Must::Name(names::subdomain));
        }
        _ => {}
    }
}

/// Kinds of projected sources, in the server's order.
/// The server drops two more, which are behind feature gates.
pub(in crate::check) const PROJECTIONS: [&str; 4] =
    ["secret", "configMap", "downwardAPI", "serviceAccountToken"];

pub(in crate::check) fn csi_driver(at: &At, r: &mut Report) {
    if at.str().len() > 63 {
        r.too_long(at, 63);
    }
    r.must(at, Must::Named(names::csi_driver));
}

const PARTITION: Must = Must::Between(0, 255, "must be between 1 and 255, inclusive");
const LUN: Must = Must::Between(0, 255, "must be between 0 and 255, inclusive");
const BLOB_KINDS: &[&str] = &["Dedicated", "Managed", "Shared"];

/// Fields that stand for themselves: source, field, constraint.
const ROWS: [(&str, &str, Must); 43] = [
    ("gitRepo", "repository", Must::Required),
    ("secret", "secretName", Must::Required),
    ("configMap", "name", Must::Required),
    ("nfs", "server", Must::Required),
    ("nfs", "path", Must::Required),
    ("persistentVolumeClaim", "claimName", Must::Required),
    ("downwardAPI", "defaultMode", Must::Mode),
    ("csi", "nodePublishSecretRef", Must::Refers),
    ("image", "reference", Must::Required),
    ("image", "pullPolicy", Must::OneOf(super::container::PULL_POLICIES)),
    ("gcePersistentDisk", "pdName", Must::Required),
    ("gcePersistentDisk", "partition", PARTITION),
    ("awsElasticBlockStore", "volumeID", Must::Required),
    ("awsElasticBlockStore", "partition", PARTITION),
    ("glusterfs", "endpoints", Must::Required),
    ("glusterfs", "path", Must::Required),
    ("rbd", "monitors", Must::Required),
    ("rbd", "image", Must::Required),
    ("cinder", "volumeID", Must::Required),
    ("cinder", "secretRef", Must::Refers),
    ("cephfs", "monitors", Must::Required),
    ("azureFile", "secretName", Must::Required),
    ("azureFile", "shareName", Must::Required),
    ("vsphereVolume", "volumePath", Must::Required),
    ("photonPersistentDisk", "pdID", Must::Required),
    ("portworxVolume", "volumeID", Must::Required),
    ("azureDisk", "diskName", Must::Required),
    ("azureDisk", "diskURI", Must::Required),
    ("azureDisk", "cachingMode", Must::OneOfOrEmpty(&["None", "ReadOnly", "ReadWrite"])),
    ("azureDisk", "kind", Must::OneOfOrEmpty(BLOB_KINDS)),
    ("scaleIO", "gateway", Must::Required),
    ("scaleIO", "system", Must::Required),
    ("scaleIO", "volumeName", Must::Required),
    ("storageos", "volumeName", Must::Named(names::label)),
    ("storageos", "volumeNamespace", Must::Name(names::label)),
    ("storageos", "secretRef", Must::Refers),
    ("flexVolume", "driver", Must::Required),
    ("quobyte", "volume", Must::Required),
    ("quobyte", "registry", Must::Set(super::rare::PAIRS)),
    ("iscsi", "targetPortal", Must::Required),
    ("iscsi", "iqn", Must::Required),
    ("iscsi", "lun", LUN),
    ("local", "path", Must::Required),
];

pub(in crate::check) fn has_backsteps(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// Mode and items of a ConfigMap or Secret volume.
fn modes(at: &At, r: &mut Report) {
    r.must(&at.get("defaultMode"), Must::Mode);
    for item in at.get("items").items() {
        key_to_path(&item, r);
    }
}

fn key_to_path(item: &At, r: &mut Report) {
    r.must(&item.get("key"), Must::Required);
    let path = item.get("path");
    if r.must(&path, Must::Required) {
        local_non_reserved(&path, r);
    }
    r.must(&item.get("mode"), Must::Mode);
}

/// A path that stays inside.
pub(in crate::check) fn local_path(at: &At, r: &mut Report) {
    for objection in names::local_path(at.str()) {
        r.invalid(at, &objection);
    }
}

/// Names that begin with `..` are the kubelet's own.
pub(in crate::check) fn local_non_reserved(at: &At, r: &mut Report) {
    local_path(at, r);
    if at.str().starts_with("..") && !at.str().starts_with("../") {
        r.invalid(at, "must not start with '..'");
    }
}

/// `items` of a downwardAPI; the server leaves their index out of the path.
fn downward_items(at: &At, r: &mut Report) {
    for item in at.get("items").items() {
        let item = item.called(at.path.clone());
        let path = item.get("path");
        if r.must(&path, Must::Required) {
            local_non_reserved(&path, r);
        }
        let (field, resource) = (item.get("fieldRef"), item.get("resourceFieldRef"));
        if field.here() {
            env::field_ref(&field, env::VOLUME_FIELDS, r);
            if resource.here() {
                let text = "fieldRef and resourceFieldRef can not be specified simultaneously";
                r.invalid_as(&item, "\"resource\"", text);
            }
        } else if resource.here() {
            env::resource_ref(&resource, true, r);
        } else {
            r.required(&item, "one of fieldRef and resourceFieldRef is required");
        }
        r.must(&item.get("mode"), Must::Mode);
    }
}

fn projected(at: &At, r: &mut Report) {
    r.must(&at.get("defaultMode"), Must::Mode);
    let mut paths: Vec<&str> = Vec::new();
    for one in at.get("sources").items() {
        let mut n_seen = 0;
        for kind in PROJECTIONS {
            let from = one.get(kind);
            if from.here() {
                n_seen += 1;
                projection(kind, &from, at, &mut paths, r);
            }
        }
        if n_seen > 1 {
            r.forbidden(&one, "may not specify more than 1 volume type per source");
        }
    }
}

fn projection<'a>(kind: &str, from: &At<'a>, whole: &At, paths: &mut Vec<&'a str>, r: &mut Report) {
    match kind {
        "serviceAccountToken" => token(from, whole, r),
        "downwardAPI" => downward_items(from, r),
        _ => {
            r.must(&from.get("name"), Must::Required);
            from.get("items").items().iter().for_each(|item| key_to_path(item, r));
        }
    }
    let items = from.get("items").items();
    let files = items.iter().map(|i| i.get("path")).filter(|p| !p.str().is_empty());
    for path in files {
        if paths.contains(&path.str()) {
            let at = At { span: path.span, ..whole.clone() };
            let shown = match kind {
                "secret" | "configMap" => from.get("name").shown(),
                _ => path.shown(),
            };
            r.invalid_as(&at, &shown, "conflicting duplicate paths");
        }
        paths.push(path.str());
    }
}

fn token(from: &At, whole: &At, r: &mut Report) {
    let seconds = from.get("expirationSeconds");
    match seconds.int() {
        Some(s) if s < 600 => {
            r.invalid(&seconds, "may not specify a duration less than 10 minutes");
        }
        Some(s) if s > 1 << 32 => {
            r.invalid(&seconds, "may not specify a duration larger than 2^32 seconds");
        }
        _ => {}
    }
    let path = from.get("path").called(format!("{}.path", whole.path));
    if path.str().is_empty() {
        r.required(&path, "");
    } else {
        local_non_reserved(&path, r);
    }
}

fn ephemeral(at: &At, name: &At, pod_name: Option<&str>, r: &mut Report) {
    let template = at.get("volumeClaimTemplate");
    if !template.here() {
        r.required(&template, "");
        return;
    }
    super::meta::labels(&template.get("metadata.labels"), r);
    super::meta::annotations(&template.get("metadata.annotations"), r);
    for key in ["name", "generateName", "namespace", "ownerReferences", "finalizers"] {
        let at = template.get("metadata").get(key);
        if at.here() && at.node.and_then(|n| n.as_str()) != Some("") {
            r.forbidden(&at, "cannot be set");
        }
    }
    claim::spec(&template.get("spec"), false, r);
    if let Some(pod) = pod_name.filter(|pod| !pod.is_empty() && !name.str().is_empty()) {
        let whole = super::super::show::quote(&format!("{pod}-{}", name.str()));
        for objection in names::subdomain(&format!("{pod}-{}", name.str())) {
            r.invalid(name, &format!("PVC name {whole}: {objection}"));
        }
    }
}
