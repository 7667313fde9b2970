//! Hazards between objects: who selects whom, who blocks what, what refers to nothing.

use super::{Pod, containers};
use crate::check::cursor::At;
use crate::check::fix;
use crate::check::report::Report;
use crate::check::rules::resources::amount;
use crate::check::rules::{selector, workload};

pub(super) fn of(objects: &[At], pods: &[Pod], r: &mut Report) {
    for object in objects {
        let spec = object.get("spec");
        match object.str_of("kind") {
            "Ingress" => ingress(&spec, objects, r),
            "PodDisruptionBudget" => budget(&spec, objects, r),
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

fn replicas(object: &At) -> i64 {
    object.get("spec.replicas").int().unwrap_or(1)
}

/// The workload a budget or another selector is about.
fn selected<'a, 'b>(chosen: &At, objects: &'b [At<'a>]) -> Option<&'b At<'a>> {
    let kinds = ["Deployment", "StatefulSet", "ReplicaSet"];
    objects.iter().filter(|o| kinds.contains(&o.str_of("kind"))).find(|o| {
        !selector::is_empty(chosen)
            && selector::matches(chosen, &o.get("spec.template.metadata.labels"))
    })
}

/// A budget that allows no eviction keeps a node from being drained.
fn budget(spec: &At, objects: &[At], r: &mut Report) {
    let (least, most) = (spec.get("minAvailable"), spec.get("maxUnavailable"));
    let workload = selected(&spec.get("selector"), objects);
    let share = |at: &At<'_>| workload::percentage(at);
    let blocked = if most.here() {
        (most.int() == Some(0) || share(&most) == Some(0)).then_some(&most)
    } else if share(&least) == Some(100) {
        Some(&least)
    } else {
        let kept = least.int().zip(workload).is_some_and(|(n, w)| n >= replicas(w));
        kept.then_some(&least)
    };
    if let Some(at) = blocked {
        let text = "this budget never lets a pod be evicted".to_owned();
        r.hazard("blocking-budget", at, text).help =
            Some("Draining a node then waits for ever: leave room for one pod at least.".into());
    }
    if workload.is_none() && !objects.is_empty() && !selector::is_empty(&spec.get("selector")) {
        let any = objects.iter().any(|o| o.get("spec.template").here());
        if any {
            let text = "this budget selects none of the pods in this manifest".to_owned();
            r.hazard("selects-nothing", &spec.get("selector"), text);
        }
    }
}

/// A share of the request cannot be computed without one.
fn scaler(spec: &At, objects: &[At], pods: &[Pod], r: &mut Report) {
    let target = spec.get("scaleTargetRef");
    let name = target.get("name");
    let kind = target.str_of("kind");
    if of_kind(objects, kind).next().is_some() {
        named(&name, kind, objects, r);
    }
    let pod = pods.iter().find(|p| p.kind == kind && p.name == name.str());
    let Some(pod) = pod else { return };
    for metric in spec.get("metrics").items() {
        let resource = metric.get("resource");
        let what = resource.get("name");
        if resource.get("target").str_of("type") != "Utilization" {
            continue;
        }
        let path = format!("resources.requests.{}", what.str());
        let lacks = |c: &At<'_>| !c.get(&path).here() && amount(&c.get(&path)).is_zero();
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
