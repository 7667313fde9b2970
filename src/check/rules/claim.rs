//! PersistentVolumeClaims.
//! Models pkg/apis/core/validation ValidatePersistentVolumeClaimSpec (v1.36).

use super::resources::amount;
use super::{meta, selector};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::names;
use crate::check::report::Report;
use crate::kube::quantity::Quantity;

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

pub(in crate::check) fn object(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    spec(&root.get("spec"), r);
}

pub(in crate::check) fn spec(at: &At, r: &mut Report) {
    let modes = at.get("accessModes");
    if modes.len() == 0 {
        r.required(&modes, "at least 1 access mode is required");
    }
    selector::label_selector(&at.get("selector"), r);
    let mut alone = false;
    for mode in modes.items() {
        let named = mode.called(modes.path.clone());
        alone |= mode.str() == "ReadWriteOncePod";
        if !MODES.contains(&mode.str()) {
            r.unsupported(&named, MODES);
        }
    }
    if alone && modes.len() > 1 {
        r.forbidden(&modes, "may not use ReadWriteOncePod with other access modes");
    }
    storage(at, r);
    let class = at.get("storageClassName");
    r.must(&class, Must::Name(names::subdomain));
    r.must(&at.get("volumeMode"), Must::OneOfOrEmpty(&["Block", "Filesystem"]));
    let source = at.get("dataSource");
    if source.here() {
        r.all(&source, &[("name", Must::Required), ("kind", Must::Required)]);
        let kind = source.get("kind");
        let group = source.str_of("apiGroup");
        if group.is_empty() && !["", "PersistentVolumeClaim"].contains(&kind.str()) {
            let text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            r.invalid(&kind, text);
        }
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
            if amount(&value) <= Quantity::ZERO {
                let at = value.called(path);
                let shown = super::super::show::quote(&amount(&value).to_string());
                r.invalid_as(&at, &shown, "must be greater than zero");
            }
        }
    }
}
