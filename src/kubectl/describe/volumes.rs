//! Volumes as `describe` shows them: a table of kinds and their fields.

use super::tabs::Page;
use super::{containers, or};
use crate::kube::tree::Tree;

/// (key, what it says of itself, (label, field, word where there is none)...).
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const KINDS: &[Row] = &[
    (
        "hostPath",
        "HostPath (bare host directory volume)",
        &[("Path", "path", ""), ("HostPathType", "type", "")],
    ),
    (
        "emptyDir",
        "EmptyDir (a temporary directory that shares a pod's lifetime)",
        &[("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")],
    ),
    (
        "secret",
        "Secret (a volume populated by a Secret)",
        &[("SecretName", "secretName", ""), ("Optional", "optional", "false")],
    ),
    (
        "configMap",
        "ConfigMap (a volume populated by a ConfigMap)",
        &[("Name", "name", ""), ("Optional", "optional", "false")],
    ),
    (
        "persistentVolumeClaim",
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        &[("ClaimName", "claimName", ""), ("ReadOnly", "readOnly", "false")],
    ),
    (
        "nfs",
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        &[("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", "false")],
    ),
    (
        "csi",
        "CSI (a Container Storage Interface (CSI) volume source)",
        &[("Driver", "driver", ""), ("FSType", "fsType", ""), ("ReadOnly", "readOnly", "false")],
    ),
    (
        "image",
        "Image (a container image or OCI artifact)",
        &[("Reference", "reference", ""), ("PullPolicy", "pullPolicy", "IfNotPresent")],
    ),
    (
        "ephemeral",
        "EphemeralVolume (an inline specification for a volume that gets created and deleted with \
         the pod)",
        &[],
    ),
];

/// Models describeVolumes.
pub(super) fn list(page: &mut Page, volumes: &[Tree], indent: &str) {
    if volumes.is_empty() {
        return page.put(0, format_args!("{indent}Volumes:\t<none>\n"));
    }
    page.put(0, format_args!("{indent}Volumes:\n"));
    let lead = if indent.is_empty() { "" } else { " " };
    for volume in volumes {
        page.put(1, format_args!("{lead}{}:\n", volume.text("name")));
        if !volume.get("projected").is_null() {
            projected(page, volume.at("projected.sources").items());
        } else if !volume.get("downwardAPI").is_null() {
            downward(page, volume.at("downwardAPI.items").items());
        } else if let Some(row) = KINDS.iter().find(|row| !volume.get(row.0).is_null()) {
            plain(page, row, volume.get(row.0));
        } else {
            page.line(1, "<unknown>");
        }
    }
}

fn plain(page: &mut Page, (_, title, fields): &Row, source: &Tree) {
    page.field(2, "Type", title);
    for (label, key, none) in *fields {
        let text = source.get(key).show();
        let text = if *key == "sizeLimit" { containers::quantity(&text) } else { text };
        page.field(2, label, or(&text, none));
    }
}

fn projected(page: &mut Page, sources: &[Tree]) {
    page.field(2, "Type", "Projected (a volume that contains injected data from multiple sources)");
    for source in sources {
        if !source.get("downwardAPI").is_null() {
            page.field(2, "DownwardAPI", "true");
        }
        for (label, key) in [("SecretName", "secret"), ("ConfigMapName", "configMap")] {
            let one = source.get(key);
            if !one.is_null() {
                page.field(2, label, one.text("name"));
                page.field(2, "Optional", &one.is_true("optional").to_string());
            }
        }
        let token = source.get("serviceAccountToken");
        if !token.is_null() {
            let secs = token.int("expirationSeconds").to_string();
            page.field(2, "TokenExpirationSeconds", &secs);
        }
    }
}

fn downward(page: &mut Page, items: &[Tree]) {
    page.field(2, "Type", "DownwardAPI (a volume populated by information about the pod)");
    page.line(2, "Items:");
    for item in items {
        let from = or(item.text("fieldRef.fieldPath"), item.text("resourceFieldRef.resource"));
        page.put(3, format_args!("{from} -> {}\n", item.text("path")));
    }
}
