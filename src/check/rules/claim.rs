//! PersistentVolumeClaims.
//! Models pkg/apis/core/validation ValidatePersistentVolumeClaimSpec (v1.36).

use super::resources::listed;
use super::{meta, selector};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;
use crate::kube::quantity::Quantity;

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// How often a volume is mounted at a time.
pub(in crate::check) fn modes(at: &At, why: &str, r: &mut Report) {
    let modes = at.get("accessModes");
    if modes.len() == 0 {
        r.required(&modes, why);
    }
    let (mut alone, mut other) = (false, false);
    for mode in modes.items() {
        let named = mode.called(modes.path.clone());
        alone |= mode.str() == "ReadWriteOncePod";
        other |= mode.str() != "ReadWriteOncePod" && MODES.contains(&mode.str());
        r.must(&named, Must::Among(MODES));
    }
    if alone && other {
        r.forbidden(&modes, "may not use ReadWriteOncePod with other access modes");
    }
}

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    spec(&root.get("spec"), true, r);
}

/// `own`: a claim of its own, whose data sources the server makes alike first.
pub(in crate::check) fn spec(at: &At, own: bool, r: &mut Report) {
    modes(at, "at least 1 access mode is required", r);
    selector::label_selector(&at.get("selector"), r);
    storage(at, r);
    let class = at.get("storageClassName");
    r.must(&class, Must::Name(names::subdomain));
    r.must(&at.get("volumeMode"), Must::OneOfOrEmpty(&["Block", "Filesystem"]));
    data_sources(at, own, r);
    r.must(&at.get("volumeAttributesClassName"), Must::Name(names::subdomain));
}

/// Models pkg/api/persistentvolumeclaim NormalizeDataSources and validateDataSource.
fn data_sources(at: &At, own: bool, r: &mut Report) {
    let (mut old, mut new) = (at.get("dataSource"), at.get("dataSourceRef"));
    if own && !new.str_of("namespace").is_empty() {
        // Behind a feature gate: the server drops the whole reference.
        new.node = None;
    }
    let spaced = !new.str_of("namespace").is_empty();
    if own && !new.here() && old.here() {
        let kept = match old.str_of("kind") {
            "PersistentVolumeClaim" => "",
            "VolumeSnapshot" => "snapshot.storage.k8s.io",
            _ => return,
        };
        if old.str_of("apiGroup") != kept {
            return;
        }
        new = old.called(new.path);
    } else if own && new.here() && !old.here() && !spaced {
        old = new.called(old.path);
    }
    for source in [&old, &new].into_iter().filter(|source| source.here()) {
        r.all(source, &[("name", Must::Required), ("kind", Must::Required)]);
        let (kind, group) = (source.get("kind"), source.get("apiGroup"));
        if group.str().is_empty() && kind.str() != "PersistentVolumeClaim" {
            let text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            let named = kind.called(source.path.clone());
            r.invalid_as(&named, &show::quote(kind.str()), text);
        }
        r.must(&group, Must::Name(names::subdomain));
    }
    r.must(&new.get("namespace"), Must::Name(names::label));
    let differ = ["apiGroup", "kind", "name"].iter().any(|k| old.str_of(k) != new.str_of(k));
    if old.here() && new.here() && (spaced || differ) {
        let text = match spaced {
            true => "may not be specified when dataSourceRef.namespace is specified",
            false => "must match dataSourceRef",
        };
        // The server prints a path here, which it cannot.
        r.invalid_as(at, "{}", text);
    }
}

fn storage(at: &At, r: &mut Report) {
    let requests = at.get("resources.requests");
    let found = requests.entries().into_iter().find(|(e, _)| e.key == "storage");
    let path = format!("{}.resources[storage]", at.path);
    match found {
        None => {
            let at = requests.called(path);
            r.required(&at, "");
        }
        Some((_, value)) => {
            if listed(&value) <= Quantity::ZERO {
                let at = value.called(path);
                let shown = super::super::show::quote(&listed(&value).to_string());
                r.invalid_as(&at, &shown, "must be greater than zero");
            }
        }
    }
}
