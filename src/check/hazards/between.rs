//! Hazards between objects: who selects whom, who blocks what, what refers to nothing.

use super::{Pod, containers};
use crate::check::cursor::At;
use crate::check::fix;
use crate::check::report::Report;
use crate::check::rules::{selector, workload};

pub(super) fn of(objects: &[At], pods: &[Pod], r: &mut Report) {
    for object in objects {
        let spec = object.get("spec");
        match object.str_of("kind") {
            "Ingress" => ingress(&spec, objects, r),
            "PodDisruptionBudget" => budget(object, objects, pods, r),
            "HorizontalPodAutoscaler" => scaler(&spec, objects, pods, r),
            "StatefulSet" if of_kind(objects, "Service").next().is_some() => {
                named(&spec.get("serviceName"), "Service", objects, r);
            }
            _ => {}
        }
    }
    // A Pod of its own is refused; of a workload's pods the server says so one by one, later.
    for pod in pods.iter().filter(|pod| pod.kind != "Pod") {
        named(&pod.spec.get("serviceAccountName"), "ServiceAccount", objects, r);
    }
    strangers(objects, r);
}

fn of_kind<'a, 'b>(objects: &'b [At<'a>], kind: &'b str) -> impl Iterator<Item = &'b At<'a>> {
    objects.iter().filter(move |o| o.str_of("kind") == kind)
}

/// A name that stands for another object of the manifest.
fn named(name: &At, kind: &str, objects: &[At], r: &mut Report) {
    let known: Vec<&str> =
        of_kind(objects, kind).map(|o| o.get("metadata").str_of("name")).collect();
    let given = kind == "ServiceAccount" && name.str() == "default";
    if name.str().is_empty() || given || known.contains(&name.str()) {
        return;
    }
    let repair = fix::nearest_value(r.text, name, &known);
    let text = format!("no {kind} `{}` in this manifest", name.str());
    r.hazard("dangling-reference", name, text).fixes.extend(repair);
}

/// Where requests are sent has to be a Service with that port.
fn ingress(spec: &At, objects: &[At], r: &mut Report) {
    let rules = spec.get("rules").items();
    let paths = rules.iter().flat_map(|rule| rule.get("http.paths").items());
    let backends = paths.map(|path| path.get("backend")).chain([spec.get("defaultBackend")]);
    for service in backends.map(|b| b.get("service")).filter(At::here) {
        let name = service.get("name");
        if of_kind(objects, "Service").next().is_none() {
            return;
        }
        named(&name, "Service", objects, r);
        let found =
            of_kind(objects, "Service").find(|o| o.get("metadata").str_of("name") == name.str());
        let Some(found) = found else { continue };
        let ports = found.get("spec.ports").items();
        let (by_name, by_number) = (service.get("port.name"), service.get("port.number"));
        let has = ports.iter().any(|p| {
            by_name.here() && p.str_of("name") == by_name.str()
                || by_number.here() && p.get("port").int() == by_number.int()
        });
        let at = if by_name.here() { by_name } else { by_number };
        if at.here() && !has {
            let text = format!("the Service `{}` has no such port", name.str());
            r.hazard("target-port", &at, text).help =
                Some("An Ingress names a Service's `port`, not the container's.".to_owned());
        }
    }
}

/// Whether two objects live in one namespace.
fn side_by_side(one: &At, other: &At) -> bool {
    let space = |at: &At<'_>| match at.get("metadata").str_of("namespace") {
        "" => "default".to_owned(),
        name => name.to_owned(),
    };
    space(one) == space(other)
}

/// How few and how many pods a workload has: what its autoscaler keeps it between, or its
/// `replicas` twice.
fn replicas(workload: &At, objects: &[At]) -> (i64, i64) {
    let (kind, name) = (workload.str_of("kind"), workload.get("metadata").str_of("name"));
    let own = workload.get("spec.replicas").int();
    let scaler = of_kind(objects, "HorizontalPodAutoscaler").find(|one| {
        let target = one.get("spec.scaleTargetRef");
        target.str_of("kind") == kind
            && target.str_of("name") == name
            && side_by_side(one, workload)
    });
    match scaler.map(|one| one.get("spec")).filter(|_| own != Some(0)) {
        Some(spec) => (
            spec.get("minReplicas").int().unwrap_or(1),
            spec.get("maxReplicas").int().unwrap_or(i64::MAX),
        ),
        None => (own.unwrap_or(1), own.unwrap_or(1)),
    }
}

/// The workload a budget or another selector is about.
fn selected<'a, 'b>(budget: &At, objects: &'b [At<'a>]) -> Option<&'b At<'a>> {
    let kinds = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];
    let chosen = budget.get("spec.selector");
    objects.iter().filter(|o| kinds.contains(&o.str_of("kind"))).find(|o| {
        !selector::is_empty(&chosen)
            && side_by_side(budget, o)
            && selector::matches(&chosen, &o.get("spec.template.metadata.labels"))
    })
}

/// How many of `n` pods a number or a share means. Models GetScaledValueFromIntOrPercent, rounding
/// up.
fn share_of(at: &At, n: i64) -> i64 {
    match workload::percentage(at) {
        Some(percent) => percent.saturating_mul(n).saturating_add(99) / 100,
        None => at.int().unwrap_or(0),
    }
}

/// A budget that allows no eviction keeps a node from being drained.
fn budget(object: &At, objects: &[At], pods: &[Pod], r: &mut Report) {
    let spec = object.get("spec");
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    let workload = selected(object, objects);
    let blocks = |n: i64| match most.here() {
        true => share_of(&most, n) <= 0,
        false => n > 0 && share_of(&least, n) >= n,
    };
    // Of an unknown number of pods nothing is left only by 100 % of them, or by none.
    let whole = workload::percentage(&least) == Some(100);
    let unknown = if most.here() || whole { (1, 1) } else { (i64::MAX, i64::MAX) };
    let (few, many) = workload.map_or(unknown, |one| replicas(one, objects));
    let text = match (blocks(many), blocks(few)) {
        (true, _) if many > 0 => "this budget never lets a pod be evicted",
        (false, true) => "this budget lets no pod be evicted while the autoscaler keeps the fewest",
        _ => "",
    };
    if !text.is_empty() {
        let at = if most.here() { &most } else { &least };
        r.hazard("blocking-budget", at, text.to_owned()).help =
            Some("Draining a node then waits for ever: leave room for one pod at least.".into());
    }
    let chosen = spec.get("selector");
    let made = |o: &At<'_>| o.get("spec.template").here();
    let takes = |labels: &At<'_>| selector::matches(&chosen, labels);
    if !selector::is_empty(&chosen)
        && objects.iter().any(made)
        && !pods.iter().any(|pod| takes(&pod.labels))
        && !objects.iter().any(|o| made(o) && takes(&o.get("spec.template.metadata.labels")))
    {
        let text = "this budget selects none of the pods in this manifest".to_owned();
        r.hazard("selects-nothing", &chosen, text);
    }
}

/// A share of the request cannot be computed without one.
///
/// Models pkg/controller/podautoscaler replica_calculator.go calculateRequests: containers that
/// end do not count, and what the pod as a whole requests stands for all of them.
fn scaler(spec: &At, objects: &[At], pods: &[Pod], r: &mut Report) {
    let target = spec.get("scaleTargetRef");
    let name = target.get("name");
    let kind = target.str_of("kind");
    if of_kind(objects, kind).next().is_some() {
        named(&name, kind, objects, r);
    }
    let pod = pods.iter().find(|p| p.kind == kind && p.name == name.str());
    let Some(pod) = pod.filter(|pod| !pod.spec.get("resources").here()) else { return };
    let stays =
        |c: &At<'_>| c.path.contains(".containers[") || c.str_of("restartPolicy") == "Always";
    for metric in spec.get("metrics").items() {
        let resource = metric.get("resource");
        let what = resource.get("name");
        let given = of_kind(objects, "LimitRange").any(|range| gives(range, what.str()));
        if resource.get("target").str_of("type") != "Utilization" || given {
            continue;
        }
        let listed = |c: &At<'_>, list: &str| {
            c.get("resources").get(list).entries().iter().any(|(e, _)| e.key == what.str())
        };
        let lacks = |c: &At<'_>| stays(c) && !listed(c, "requests") && !listed(c, "limits");
        if let Some(one) = containers(&pod.spec).iter().find(|c| lacks(c)) {
            let text = format!("container `{}` requests no {}", one.str_of("name"), what.str());
            let found = r.hazard("scaler-without-request", &what, text);
            found.help = Some(
                "Utilization is a share of the requests of all containers; without them the \
                 autoscaler does nothing."
                    .to_owned(),
            );
            found.related.push((one.get("name").span, "this container".to_owned()));
        }
    }
}

/// Whether a LimitRange gives containers a request they do not make.
fn gives(range: &At, resource: &str) -> bool {
    let lists = ["defaultRequest", "default"];
    let limits = range.get("spec.limits").items();
    let mut found = limits.iter().filter(|one| one.str_of("type") == "Container");
    found.any(|one| {
        let given = lists.iter().flat_map(|list| one.get(list).entries());
        given.into_iter().any(|(entry, _)| entry.key == resource)
    })
}

/// Two workloads whose selectors take each other's pods.
fn strangers(objects: &[At], r: &mut Report) {
    let kinds = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"];
    let all: Vec<&At> = objects.iter().filter(|o| kinds.contains(&o.str_of("kind"))).collect();
    for (i, one) in all.iter().enumerate().take(100) {
        let chosen = one.get("spec.selector");
        let space = one.get("metadata").str_of("namespace");
        let other = all.iter().enumerate().take(100).find(|(j, other)| {
            *j != i
                && other.get("metadata").str_of("namespace") == space
                && other.str_of("kind") == one.str_of("kind")
                && other.get("metadata").str_of("name") != one.get("metadata").str_of("name")
                && !selector::is_empty(&chosen)
                && selector::matches(&chosen, &other.get("spec.template.metadata.labels"))
        });
        if let Some((_, other)) = other {
            let name = other.get("metadata").str_of("name");
            let text = format!("this also selects the pods of `{name}`");
            let found = r.hazard("selects-strangers", &chosen, text);
            found.help =
                Some("Give each workload a label of its own, and select by that.".to_owned());
            let labels = other.get("spec.template.metadata.labels");
            found.related.push((labels.span, "the labels of the others are here".to_owned()));
        }
    }
}
