//! Roles and RoleBindings, of a namespace and of the cluster.
//! Models pkg/apis/rbac/validation (v1.36).

use super::{meta, selector};
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::report::Report;
use crate::check::show;
use crate::kube::names;

const GROUP: &[&str] = &["rbac.authorization.k8s.io"];

pub(in crate::check) fn role(root: &At, r: &mut Report) {
    rules(root, true, r);
}

pub(in crate::check) fn cluster_role(root: &At, r: &mut Report) {
    rules(root, false, r);
    let aggregation = root.get("aggregationRule");
    if aggregation.here() {
        let text = "at least one clusterRoleSelector required if aggregationRule is non-nil";
        let list = aggregation.get("clusterRoleSelectors");
        r.must(&list, Must::Set(text));
        for one in list.items() {
            selector::label_selector(&one, r);
            if !selector::is_valid(&one) {
                r.invalid_as(&one, "null", "invalid label selector.");
            }
        }
    }
}

fn rules(root: &At, namespaced: bool, r: &mut Report) {
    meta::object(&root.get("metadata"), names::path_segment, r);
    for rule in root.get("rules").items() {
        r.must(&rule.get("verbs"), Must::Set("verbs must contain at least one value"));
        let urls = rule.get("nonResourceURLs");
        if urls.len() > 0 {
            let shown = urls.node.map_or("null".to_owned(), show::json);
            if namespaced {
                let text = "namespaced rules cannot apply to non-resource URLs";
                r.invalid_as(&urls, &shown, text);
            }
            if ["apiGroups", "resources", "resourceNames"].iter().any(|k| rule.get(k).len() > 0) {
                let text = "rules cannot apply to both regular resources and non-resource URLs";
                r.invalid_as(&urls, &shown, text);
            }
            continue;
        }
        let groups = "resource rules must supply at least one api group";
        r.must(&rule.get("apiGroups"), Must::Set(groups));
        let resources = "resource rules must supply at least one resource";
        r.must(&rule.get("resources"), Must::Set(resources));
    }
}

pub(in crate::check) fn role_binding(root: &At, r: &mut Report) {
    binding(root, &["Role", "ClusterRole"], r);
}

pub(in crate::check) fn cluster_role_binding(root: &At, r: &mut Report) {
    binding(root, &["ClusterRole"], r);
}

fn binding(root: &At, kinds: &'static [&'static str], r: &mut Report) {
    meta::object(&root.get("metadata"), names::path_segment, r);
    let role = root.get("roleRef");
    known_group(&role.get("apiGroup"), r);
    let kind = role.get("kind");
    if !kinds.contains(&kind.str()) {
        r.unsupported_text(&kind, kinds);
    }
    r.must(&role.get("name"), Must::Named(names::path_segment));
    for one in root.get("subjects").items() {
        subject(&one, kinds.len() == 1, r);
    }
}

fn known_group(group: &At, r: &mut Report) {
    if !group.str().is_empty() && !GROUP.contains(&group.str()) {
        r.unsupported_text(group, GROUP);
    }
}

fn subject(at: &At, of_cluster: bool, r: &mut Report) {
    let (name, group, space) = (at.get("name"), at.get("apiGroup"), at.get("namespace"));
    if name.str().is_empty() {
        r.required(&name, "");
    }
    match at.str_of("kind") {
        "ServiceAccount" => {
            r.must(&name, Must::Name(names::subdomain));
            if !group.str().is_empty() {
                r.unsupported_text(&group, &[""]);
            }
            if of_cluster && space.str().is_empty() {
                r.required(&space, "");
            }
        }
        "User" | "Group" => {
            known_group(&group, r);
        }
        _ => {
            r.unsupported_text(&at.get("kind"), &["ServiceAccount", "User", "Group"]);
        }
    }
}
