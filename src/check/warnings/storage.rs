//! Warnings about claims and the volumes behind them. Not those about volumes of a pod.

use super::{GONE, LABELS};
use crate::check::cursor::At;
use crate::check::report::Report;

/// Models pkg/api/persistentvolume{,claim}/util.go; `mounts` for volumes.
pub(super) fn annotations(notes: &At, mounts: bool, r: &mut Report) {
    for (entry, value) in notes.entries() {
        let text = match entry.key.as_str() {
            "volume.beta.kubernetes.io/storage-class" => {
                "deprecated since v1.8; use \"storageClassName\" attribute instead"
            }
            "volume.beta.kubernetes.io/mount-options" if mounts => {
                "deprecated since v1.31; use \"mountOptions\" attribute instead"
            }
            _ => continue,
        };
        r.warn("deprecated-annotation", &value, format!("{}: {text}", value.path));
    }
}

/// Models pkg/api/persistentvolume/util.go warningsForPersistentVolumeSpecAndMeta.
pub(super) fn volume(spec: &At, r: &mut Report) {
    let policy = spec.get("persistentVolumeReclaimPolicy");
    if policy.str() == "Recycle" {
        let text = "The Recycle reclaim policy is deprecated. Instead, the recommended approach \
                    is to use dynamic provisioning.";
        r.warn("deprecated-value", &policy, format!("{}: {text}", policy.path));
    }
    for term in spec.get("nodeAffinity.required.nodeSelectorTerms").items() {
        for one in term.get("matchExpressions").items() {
            let key = one.get("key");
            if let Some((old, since, now)) = LABELS.iter().find(|(old, ..)| *old == key.str()) {
                let text = format!("{old} is deprecated since {since}; use \"{now}\" instead");
                r.warn("deprecated-label", &key, format!("{}: {text}", key.path));
            }
        }
    }
    for (kind, text) in GONE.iter().filter(|(kind, _)| !STILL.contains(kind)) {
        let at = spec.get(if *kind == "storageOS" { "storageos" } else { kind });
        if at.here() {
            r.warn("deprecated-volume", &at, format!("{}.{kind}: {text}", spec.path));
        }
    }
}

/// Kinds of pods' volumes that nothing is said of in a PersistentVolume.
const STILL: [&str; 3] = ["gitRepo", "flocker", "quobyte"];
