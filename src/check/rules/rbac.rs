//! Roles and RoleBindings.
//! Models pkg/apis/rbac/validation (v1.36).

use super::meta;
use crate::check::cursor::At;
use crate::check::must::Must;
use crate::check::names;
use crate::check::report::Report;

const GROUP: &[&str] = &["rbac.authorization.k8s.io"];

pub(in crate::check) fn role(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::path_segment, r);
    for rule in root.get("rules").items() {
        r.must(&rule.get("verbs"), Must::Set("verbs must contain at least one value"));
        let urls = rule.get("nonResourceURLs");
        if urls.len() > 0 {
            let text = "namespaced rules cannot apply to non-resource URLs";
            let shown = urls.node.map_or("null".to_owned(), super::super::show::json);
            r.invalid_as(&urls, &shown, text);
            continue;
        }
        let groups = "resource rules must supply at least one api group";
        r.must(&rule.get("apiGroups"), Must::Set(groups));
        let resources = "resource rules must supply at least one resource";
        r.must(&rule.get("resources"), Must::Set(resources));
    }
}

pub(in crate::check) fn role_binding(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::path_segment, r);
    let role = root.get("roleRef");
    r.must(&role.get("apiGroup"), Must::OneOf(GROUP));
    let kind = role.get("kind");
    if !["Role", "ClusterRole"].contains(&kind.str()) {
        r.unsupported(&kind, &["Role", "ClusterRole"]);
    }
    r.must(&role.get("name"), Must::Named(names::path_segment));
    for one in root.get("subjects").items() {
        subject(&one, r);
    }
}

fn subject(at: &At, r: &mut Report) {
    let (name, group) = (at.get("name"), at.get("apiGroup"));
    if name.str().is_empty() {
        r.required(&name, "");
    }
    match at.str_of("kind") {
        "ServiceAccount" => {
            r.must(&name, Must::Name(names::subdomain));
            if !group.str().is_empty() {
                r.unsupported(&group, &[""]);
            }
        }
        "User" | "Group" => {
            r.must(&group, Must::OneOf(GROUP));
        }
        _ => {
            r.unsupported(&at.get("kind"), &["ServiceAccount", "User", "Group"]);
        }
    }
}
