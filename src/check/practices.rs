//! Best practice: the fourth level, off unless asked for. What runs well in a lab and badly in
//! production, as a table (`practices.txt`): code, what it is about, field, when it speaks, what
//! it says, and why in a sentence; of an owner `-` the functions below look for it.

use super::cursor::At;
use super::hazards::{Pod, containers};
use super::report::Report;
use super::rules::selector;
use crate::diagnostic::{Severity, Stage};
use crate::part::part;

const ROWS: &str = include_str!("practices.txt");

/// The table's rows: code, owner, field, when, what, why.
pub(super) fn table() -> impl Iterator<Item = [&'static str; 6]> {
    ROWS.lines().filter_map(|line| {
        let mut cells = line.split('|');
        let mut next = || cells.next();
        Some([next()?, next()?, next()?, next()?, next()?, next()?])
    })
}

type Look = fn(&[At], &[Pod], &mut Report);

part! { LOOK: Look = &(look as Look), in Rules; }

/// Looks at all objects of a manifest.
pub(super) fn of(objects: &[At], pods: &[Pod], r: &mut Report) {
    if let Some(look) = loaded() {
        look(objects, pods, r);
    }
}

fn look(objects: &[At], pods: &[Pod], r: &mut Report) {
    for pod in pods {
        let security = pod.spec.get("securityContext");
        for (list, staying) in [("initContainers", false), ("containers", true)] {
            for one in pod.spec.get(list).items() {
                let stays = (staying || one.str_of("restartPolicy") == "Always")
                    && !matches!(pod.kind, "Job" | "CronJob");
                let name = one.get("name");
                rows("container", &one, &name, Some(&security), r);
                if stays {
                    rows("staying", &one, &name, None, r);
                }
            }
        }
        rows("pod", &pod.spec, &pod.spec, None, r);
        for volume in pod.spec.get("volumes").items() {
            for kind in ["emptyDir", "hostPath"] {
                if volume.get(kind).here() {
                    rows(kind, &volume.get(kind), &volume.get("name"), None, r);
                }
            }
        }
        containers(&pod.spec).iter().for_each(|one| container(one, r));
    }
    for object in objects {
        let name = object.get("metadata.name");
        rows(object.str_of("kind"), object, &name, None, r);
        match object.str_of("kind") {
            "Role" | "ClusterRole" => role(object, r),
            "RoleBinding" | "ClusterRoleBinding" => binding(object, r),
            "ConfigMap" => config(object, r),
            "Deployment" | "StatefulSet" => workload(object, objects, r),
            _ => {}
        }
    }
}

/// What a role allows beyond what its purpose can be.
fn role(object: &At, r: &mut Report) {
    for rule in object.get("rules").items() {
        let has = |list: &str, words: &[&str]| {
            rule.get(list).items().into_iter().find(|at| words.contains(&at.str()))
        };
        let any = ["apiGroups", "resources", "verbs"].iter().find_map(|list| has(list, &["*"]));
        if let Some(at) = any {
            coded("wildcard-rule", &at, r);
        }
        let reads = has("verbs", &["get", "list", "watch", "*"]).is_some();
        if let Some(at) = has("resources", &["secrets"]).filter(|_| reads) {
            coded("reads-secrets", &at, r);
        }
        let makes = has("verbs", &["create", "*"]).is_some();
        if let Some(at) = has("resources", &["pods", "pods/exec"]).filter(|_| makes) {
            coded("makes-pods", &at, r);
        }
    }
}

fn binding(object: &At, r: &mut Report) {
    let role = object.get("roleRef").get("name");
    if role.str() == "cluster-admin" {
        coded("cluster-admin", &role, r);
    }
}

/// Words in names of what should be in a Secret.
const SECRET: [&str; 5] = ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY"];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    SECRET.iter().any(|word| name.contains(word))
}

fn config(object: &At, r: &mut Report) {
    for (entry, value) in object.get("data").entries() {
        if is_secret(&entry.key) && !value.str().is_empty() && !value.str().contains('\n') {
            coded("secret-in-config", &value, r);
        }
    }
}

/// What is said of a workload by other objects, or should be.
fn workload(object: &At, objects: &[At], r: &mut Report) {
    let (kind, name) = (object.str_of("kind"), object.get("metadata.name"));
    let labels = object.get("spec.template.metadata.labels");
    let of = |kind: &'static str| objects.iter().filter(move |o| o.str_of("kind") == kind);
    let replicas = object.get("spec.replicas");
    let scaled = of("HorizontalPodAutoscaler").any(|one| {
        let target = one.get("spec.scaleTargetRef");
        target.str_of("kind") == kind && target.str_of("name") == name.str()
    });
    if scaled && replicas.here() {
        coded("fixed-replicas", &replicas, r);
    }
    let takes = |at: At<'_>| selector::matches(&at, &labels);
    let several = scaled || replicas.int().is_some_and(|n| n > 1);
    if several && !of("PodDisruptionBudget").any(|one| takes(one.get("spec.selector"))) {
        coded("no-budget", &name, r);
    }
    if !of("NetworkPolicy").any(|one| takes(one.get("spec.podSelector"))) {
        coded("open-network", &name, r);
    }
}

/// All rows of an owner; `shown` is underlined where the field is absent.
fn rows(owner: &str, at: &At, shown: &At, security: Option<&At>, r: &mut Report) {
    let whole = at.path.is_empty();
    for [code, of, path, when, what, why] in table() {
        if (of == "*" && whole || of.split(' ').any(|kind| kind == owner))
            && speaks(at, path, when, security)
        {
            let field = at.get(path);
            speak(code, if field.here() { &field } else { shown }, what, why, r);
        }
    }
}

fn speaks(at: &At, path: &str, when: &str, security: Option<&At>) -> bool {
    let field = at.get(path);
    let (when, word) = when.split_once(' ').unwrap_or((when, ""));
    match when {
        "absent" => !field.here() || field.node.is_some_and(|n| super::show::json(n).len() == 2),
        "set" => field.here(),
        "true" => field.bool(),
        "not-true" => !field.bool(),
        "not-false" => field.node.is_none_or(|n| n.as_bool() != Some(false)),
        "default" => ["", "default"].contains(&field.str()),
        "lacks" => !field.items().iter().any(|item| item.str() == word),
        "unsafe" => {
            let own = at.get("securityContext").get(path);
            !own.here() && security.is_none_or(|pod| !pod.get(path).here())
        }
        _ => is(&field, word),
    }
}

/// Absent fields have the value the server fills in.
fn is(field: &At, word: &str) -> bool {
    match field.int() {
        Some(number) => number.to_string() == word,
        None if !field.here() => ["1", "File", "Allow", "default"].contains(&word),
        None => field.str() == word,
    }
}

/// Says what the table has on a code that the code here looks for.
fn coded(code: &str, at: &At, r: &mut Report) {
    if let Some([code, .., what, why]) = table().find(|row| row[0] == code) {
        speak(code, at, what, why, r);
    }
}

fn speak(code: &'static str, at: &At, what: &str, why: &str, r: &mut Report) {
    let one = r.hazard(code, at, what.to_owned());
    one.severity = Severity::Practice;
    one.stage = Stage::Beyond;
    one.help = Some(why.to_owned());
}

/// Tags that move, passwords in the open, probes that ask the same.
fn container(container: &At, r: &mut Report) {
    let image = container.get("image");
    let name = image.str().rsplit('/').next().unwrap_or("");
    let open = !name.contains(':') || name.ends_with(":latest");
    if !name.is_empty() && !name.contains('@') && open {
        coded("latest-tag", &image, r);
    }
    for one in container.get("env").items() {
        if is_secret(one.str_of("name")) && !one.str_of("value").is_empty() {
            coded("secret-in-env", &one.get("value"), r);
        }
    }
    for port in container.get("ports").items() {
        let of_node = port.get("hostPort");
        if of_node.int().is_some_and(|n| n > 0) {
            coded("host-port", &of_node, r);
        }
        let number = port.get("containerPort");
        if number.int() == Some(22) {
            coded("ssh-port", &number, r);
        }
    }
    let (live, ready) = (container.get("livenessProbe"), container.get("readinessProbe"));
    let asks = |at: &At<'_>| {
        ["httpGet", "tcpSocket", "exec", "grpc"].map(|key| at.get(key).node.map(super::show::json))
    };
    if live.here() && ready.here() && asks(&live) == asks(&ready) {
        coded("same-probes", &live, r);
    }
}
