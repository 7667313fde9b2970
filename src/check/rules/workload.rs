//! Deployments, ReplicaSets, StatefulSets and DaemonSets.
//! Models pkg/apis/apps/validation (v1.36).

use super::volume::Volumes;
use super::{claim, meta, pod, selector};
use crate::check::cursor::At;
use crate::check::must::{Must, NON_NEGATIVE};
use crate::check::report::Report;
use crate::check::{fix, show};
use crate::diagnostic::Stage;
use crate::kube::names;
use crate::yaml::Value;

pub(in crate::check) const MISMATCH: &str = "`selector` does not match template `labels`";

pub(in crate::check) fn deployment(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    replica_spec(&spec, r);
    let strategy = spec.get("strategy");
    rolling_strategy(&strategy, r);
    let rows = ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"];
    for key in rows {
        r.must(&spec.get(key), Must::NonNegative);
    }
    let deadline = spec.get("progressDeadlineSeconds");
    let ready = spec.get("minReadySeconds").int().unwrap_or(0);
    if deadline.int().unwrap_or(600) <= ready {
        let shown = deadline.int().unwrap_or(600).to_string();
        r.invalid_as(&deadline, &shown, "must be greater than minReadySeconds");
    }
}

pub(in crate::check) fn replica_set(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    r.must(&spec.get("minReadySeconds"), Must::NonNegative);
    replica_spec(&spec, r);
}

/// What Deployments and ReplicaSets share.
fn replica_spec(spec: &At, r: &mut Report) {
    r.must(&spec.get("replicas"), Must::NonNegative);
    let at = spec.get("selector");
    if !at.here() {
        let fix = fix::selector_from_labels(r.text, spec);
        r.required(&at, "").fixes.extend(fix);
    } else {
        selector::label_selector(&at, r);
        empty_selector(&at, "deployment", r);
    }
    if at.here() && !selector::is_valid(&at) {
        r.invalid_as(&at, &selector::json(&at), "invalid label selector");
        return;
    }
    matching(spec, r);
    pod::template(&spec.get("template"), Volumes::new(), r);
    always(spec, "ReplicaSet", r);
}

fn empty_selector(at: &At, kind: &str, r: &mut Report) {
    if at.here() && selector::is_empty(at) {
        r.invalid_as(at, "{}", &format!("empty selector is invalid for {kind}"));
    }
}

/// The selector has to select the template's pods.
pub(in crate::check) fn matching(spec: &At, r: &mut Report) {
    let (at, labels) = (spec.get("selector"), spec.get("template.metadata.labels"));
    if at.here() && selector::matches(&at, &labels) {
        return;
    }
    mismatch(spec, r);
}

pub(in crate::check) fn mismatch(spec: &At, r: &mut Report) {
    let (at, labels) = (spec.get("selector"), spec.get("template.metadata.labels"));
    let shown = labels.node.map_or("null".to_owned(), show::text_map);
    let fixes = fix::labels_to_match(r.text, spec);
    let related = at.node.map(|_| (at.span, "the selector is here".to_owned()));
    let found = r.invalid_as(&labels, &shown, MISMATCH);
    found.code = "selector-mismatch".into();
    found.help = Some(
        "A workload finds its pods by their labels, so each label of `selector` has to stand in \
         `template.metadata.labels` with the same value."
            .to_owned(),
    );
    found.related.extend(related);
    found.fixes.extend(fixes);
}

/// Pods of these workloads are always restarted, and never end.
pub(in crate::check) fn always(spec: &At, kind: &str, r: &mut Report) {
    let policy = spec.get("template.spec.restartPolicy");
    if !["", "Always"].contains(&policy.str()) {
        r.unsupported(&policy, &["Always"]).help = Some(
            "Pods of this workload are kept running; for work that ends use a Job.".to_owned(),
        );
    }
    let deadline = spec.get("template.spec.activeDeadlineSeconds");
    if deadline.here() {
        r.forbidden(&deadline, &format!("activeDeadlineSeconds in {kind} is not Supported"));
    }
}

fn rolling_strategy(at: &At, r: &mut Report) {
    let rolling = at.get("rollingUpdate");
    match at.str_of("type") {
        "Recreate" => {
            if rolling.here() {
                let text = "may not be specified when strategy `type` is 'Recreate'";
                r.forbidden(&rolling, text);
            }
        }
        "" | "RollingUpdate" => rolling_update(&rolling, r),
        word => {
            let parts = [("MaxUnavailable", "maxUnavailable"), ("MaxSurge", "maxSurge")];
            let shown = strategy_json(word, &rolling, &parts);
            let at = At { span: at.get("type").span, ..at.clone() };
            r.unsupported_as(&at, &shown, &["Recreate", "RollingUpdate"]);
        }
    }
}

/// The server prints an update strategy by its Go names.
fn strategy_json(kind: &str, rolling: &At, parts: &[(&str, &str)]) -> String {
    let inner = if rolling.here() {
        let part = |(name, key): &(&str, &str)| {
            let absent = if key.is_empty() { "null" } else { "0" };
            let value = rolling.get(key).node.map_or(absent.to_owned(), show::json);
            format!("\"{name}\":{value}")
        };
        let parts: Vec<String> = parts.iter().map(part).collect();
        format!("{{{}}}", parts.join(","))
    } else {
        "null".to_owned()
    };
    format!("{{\"Type\":{},\"RollingUpdate\":{inner}}}", show::json_text(kind))
}

/// A count or a percentage.
pub(in crate::check) fn int_or_percent(at: &At, r: &mut Report) {
    match at.node.map(|n| &n.value) {
        Some(Value::Str(text)) => {
            for objection in names::percent(&text.text) {
                r.invalid(at, &objection);
            }
        }
        Some(_) if at.int().is_some_and(|n| n < 0) => drop(r.invalid_int(at, NON_NEGATIVE)),
        _ => {}
    }
}

/// The number, of a percentage too; `default` where absent.
fn number(at: &At, default: i64) -> i64 {
    match at.node {
        None => default,
        Some(_) => {
            percentage(at).or_else(|| at.int()).or_else(|| at.str().parse().ok()).unwrap_or(0)
        }
    }
}

pub(in crate::check) fn percentage(at: &At) -> Option<i64> {
    let digits = at.str().strip_suffix('%')?;
    // A sign makes it no percentage.
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(in crate::check) fn at_most_whole(at: &At, r: &mut Report) {
    if percentage(at).is_some_and(|p| p > 100) {
        r.invalid(at, "must not be greater than 100%");
    }
}

fn rolling_update(at: &At, r: &mut Report) {
    let (down, up) = (at.get("maxUnavailable"), at.get("maxSurge"));
    int_or_percent(&down, r);
    int_or_percent(&up, r);
    if number(&down, 25) == 0 && number(&up, 25) == 0 {
        let shown = down.shown();
        r.invalid_as(&down, &shown, "may not be 0 when `maxSurge` is 0");
    }
    at_most_whole(&down, r);
}

pub(in crate::check) fn stateful_set(root: &At, r: &mut Report) {
    let name = root.get("metadata");
    meta::object(&name, names::label, r);
    let spec = root.get("spec");
    let policy = spec.get("podManagementPolicy");
    if !["", "OrderedReady", "Parallel"].contains(&policy.str()) {
        r.invalid(&policy, "must be 'OrderedReady' or 'Parallel'");
    }
    stateful_strategy(&spec.get("updateStrategy"), r);
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    for key in ["whenDeleted", "whenScaled"] {
        r.must(&retention.get(key), Must::OneOf(&["Retain", "Delete"]));
    }
    let mut claims = Volumes::new();
    for one in spec.get("volumeClaimTemplates").items() {
        claim::spec(&one.get("spec"), false, r);
        claims.insert(one.get("metadata").str_of("name"), "persistentVolumeClaim");
    }
    for key in ["replicas", "minReadySeconds"] {
        r.must(&spec.get(key), Must::NonNegative);
    }
    r.must(&spec.get("ordinals.start"), Must::NonNegative);
    let service = spec.get("serviceName");
    r.must(&service, Must::Name(names::label));
    let at = spec.get("selector");
    if !at.here() {
        let fix = fix::selector_from_labels(r.text, &spec);
        r.required(&at, "").fixes.extend(fix);
    } else {
        selector::label_selector(&at, r);
        empty_selector(&at, "statefulset", r);
    }
    if at.here() && !selector::is_valid(&at) {
        r.invalid_as(&at, &selector::json(&at), "");
    } else {
        matching(&spec, r);
        stateful_template(&spec, claims, r);
    }
    always(&spec, "StatefulSet", r);
}

/// Claim templates stand in for volumes, and take the place of those of the same name.
fn stateful_template<'a>(spec: &At<'a>, claims: Volumes<'a>, r: &mut Report) {
    let volume_path = format!("{}.template.spec.volumes", spec.path);
    for (i, one) in spec.get("volumeClaimTemplates").items().iter().enumerate() {
        let name = one.get("metadata.name").called(format!("{volume_path}[{i}].name"));
        if name.str().is_empty() {
            let source = format!("{volume_path}[{i}].persistentVolumeClaim.claimName");
            r.required(&name.called(source), "");
            r.required(&name, "");
        } else {
            r.must(&name, Must::Name(names::label));
        }
    }
    let template = spec.get("template");
    let n_before = r.found.len();
    let names: Vec<&str> = claims.keys().copied().collect();
    pod::template(&template, claims, r);
    let written = r.found.split_off(n_before);
    r.found.extend(written.into_iter().filter_map(|mut one| {
        if !names.is_empty() {
            one.field = moved(&one.field, &volume_path, &template, &names)?;
        }
        Some(one)
    }));
    // The controller writes these two itself, so the server does not look at them.
    let own = ["hostname", "subdomain"].map(|key| template.get("spec").get(key).path);
    r.found.retain(|d| d.stage != Stage::Validation || !own.contains(&d.field));
}

/// The volumes of the template stand behind those of the claims, and lose the ones of their names.
fn moved(field: &str, volumes: &str, template: &At, claims: &[&str]) -> Option<String> {
    let Some(rest) = field.strip_prefix(volumes).and_then(|rest| rest.strip_prefix('[')) else {
        return Some(field.to_owned());
    };
    let (idx, rest) = rest.split_once(']')?;
    let idx: usize = idx.parse().ok()?;
    let list = template.get("spec.volumes").items();
    let replaced = |one: &At<'_>| claims.contains(&one.str_of("name"));
    if list.get(idx).is_some_and(replaced) {
        return None;
    }
    let n_kept = list.iter().take(idx).filter(|one| !replaced(one)).count();
    Some(format!("{volumes}[{}]{rest}", claims.len() + n_kept))
}

fn stateful_strategy(at: &At, r: &mut Report) {
    let rolling = at.get("rollingUpdate");
    match at.str_of("type") {
        "OnDelete" => {
            if rolling.here() {
                let text = "only allowed for updateStrategy 'RollingUpdate'";
                let shown = strategy_json_of_rolling(&rolling);
                r.invalid_as(&rolling, &shown, text);
            }
        }
        "" | "RollingUpdate" => {
            r.must(&rolling.get("partition"), Must::NonNegative);
            // maxUnavailable is behind a feature gate; the server drops it.
        }
        word => {
            // The server has dropped maxUnavailable by then.
            let parts = [("Partition", "partition"), ("MaxUnavailable", "")];
            let shown = strategy_json(word, &rolling, &parts);
            let at = At { span: at.get("type").span, ..at.clone() };
            r.invalid_as(&at, &shown, "must be 'RollingUpdate' or 'OnDelete'");
        }
    }
}

fn strategy_json_of_rolling(rolling: &At) -> String {
    let partition = rolling.get("partition").int().unwrap_or(0);
    format!("{{\"Partition\":{partition},\"MaxUnavailable\":null}}")
}

pub(in crate::check) fn daemon_set(root: &At, r: &mut Report) {
    meta::object(&root.get("metadata"), names::subdomain, r);
    let spec = root.get("spec");
    let at = spec.get("selector");
    selector::label_selector(&at, r);
    if !at.here() || selector::is_valid(&at) && !selector::is_empty(&at) {
        matching(&spec, r);
    }
    empty_selector(&at, "daemonset", r);
    pod::template(&spec.get("template"), Volumes::new(), r);
    always(&spec, "DaemonSet", r);
    r.must(&spec.get("minReadySeconds"), Must::NonNegative);
    daemon_strategy(&spec.get("updateStrategy"), r);
    r.must(&spec.get("revisionHistoryLimit"), Must::NonNegative);
}

fn daemon_strategy(at: &At, r: &mut Report) {
    let rolling = at.get("rollingUpdate");
    match at.str_of("type") {
        "OnDelete" => {}
        "" | "RollingUpdate" => {
            let (down, up) = (rolling.get("maxUnavailable"), rolling.get("maxSurge"));
            for one in [&down, &up] {
                int_or_percent(one, r);
                at_most_whole(one, r);
            }
            let (n_down, n_up) = (number(&down, 1), number(&up, 0));
            if n_down != 0 && n_up != 0 {
                r.invalid(&up, "may not be set when maxUnavailable is non-zero");
            } else if n_down == 0 && n_up == 0 {
                r.required(&down, "cannot be 0 when maxSurge is 0");
            }
        }
        word => {
            let parts = [("MaxUnavailable", "maxUnavailable"), ("MaxSurge", "maxSurge")];
            let shown = strategy_json(word, &rolling, &parts);
            let at = At { span: at.get("type").span, ..at.clone() };
            r.unsupported_as(&at, &shown, &["RollingUpdate", "OnDelete"]);
        }
    }
}
