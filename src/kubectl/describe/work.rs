//! `kubectl describe` of controllers' objects.

use super::tabs::Page;
use super::{clock, containers, controlled_by, controller, head, or, tags, truth};
use crate::kube::tree::Tree;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::{kinds, select};

pub(super) fn describe(cluster: &Cluster, kind: &str, page: &mut Page, one: &Tree) {
    match kind {
        "Deployment" => deployment(cluster, page, one),
        "ReplicaSet" => replica_set(cluster, page, one),
        "StatefulSet" => stateful_set(cluster, page, one),
        "DaemonSet" => daemon_set(cluster, page, one),
        "Job" => job(page, one),
        _ => cron_job(page, one),
    }
}

fn number(page: &mut Page, label: &str, tree: &Tree, path: &str) {
    page.field(0, label, &tree.int(path).to_string());
}

fn created(page: &mut Page, one: &Tree) {
    let at = clock::written(one.text("metadata.creationTimestamp"));
    page.field(0, "CreationTimestamp", &at);
}

/// Models describeDeployment.
fn deployment(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    created(page, one);
    tags(page, one);
    page.field(0, "Selector", &select::show(spec.get("selector")));
    let [wanted, updated, total, available, unavailable] = [
        spec.int("replicas"),
        status.int("updatedReplicas"),
        status.int("replicas"),
        status.int("availableReplicas"),
        status.int("unavailableReplicas"),
    ];
    page.put(
        0,
        format_args!(
            "Replicas:\t{wanted} desired | {updated} updated | {total} total | {available} \
             available | {unavailable} unavailable\n"
        ),
    );
    page.field(0, "StrategyType", or(spec.text("strategy.type"), "RollingUpdate"));
    number(page, "MinReadySeconds", spec, "minReadySeconds");
    let rolling = spec.at("strategy.rollingUpdate");
    if !rolling.is_null() {
        let (most, more) = (rolling.get("maxUnavailable").show(), rolling.get("maxSurge").show());
        let text = format!("{most} max unavailable, {more} max surge");
        page.field(0, "RollingUpdateStrategy", &text);
    }
    containers::template(page, spec.get("template"));
    conditions(page, status);
    sets(cluster, page, one);
}

fn conditions(page: &mut Page, status: &Tree) {
    let all = status.get("conditions").items();
    if all.is_empty() {
        return;
    }
    page.line(0, "Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------");
    for one in all {
        let (kind, status, reason) = (one.text("type"), one.text("status"), one.text("reason"));
        page.put(1, format_args!("{kind} \t{status}\t{reason}\n"));
    }
}

/// The newest revision's set is the new one; old ones are all others.
fn sets(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let owner = format!("Deployment/{}", one.text("metadata.name"));
    let namespace = one.text("metadata.namespace");
    let revision = "deployment.kubernetes.io/revision";
    let newest = one.at("metadata.annotations").get(revision).show();
    let all = kinds::of("ReplicaSet").map(|kind| cluster.list(kind, Some(namespace)));
    let mine = all.into_iter().flatten().filter(|set| controller(set).as_ref() == Some(&owner));
    let (mut old, mut new) = (Vec::new(), Vec::new());
    for set in mine {
        let (name, wanted) = (set.text("metadata.name"), set.int("spec.replicas"));
        let have = set.int("status.replicas");
        let text = format!("{name} ({have}/{wanted} replicas created)");
        let is_new = set.at("metadata.annotations").get(revision).show() == newest;
        if is_new { new.push(text) } else { old.push(text) }
    }
    if !old.is_empty() || !new.is_empty() {
        page.field(0, "OldReplicaSets", or(&old.join(", "), "<none>"));
        page.field(0, "NewReplicaSet", or(&new.join(", "), "<none>"));
    }
}

/// `2 Running / 0 Waiting / 0 Succeeded / 0 Failed`. Models getPodStatusForController.
fn pods_status(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let owner = format!("{}/{}", one.text("kind"), one.text("metadata.name"));
    let pods = cluster.pods(one.text("metadata.namespace"));
    let count = |phase: &str| {
        let mine = |pod: &&&Tree| controller(pod).as_ref() == Some(&owner);
        pods.iter().filter(mine).filter(|pod| pod.text("status.phase") == phase).count()
    };
    let [running, waiting, succeeded, failed] =
        ["Running", "Pending", "Succeeded", "Failed"].map(count);
    page.put(
        0,
        format_args!(
            "Pods Status:\t{running} Running / {waiting} Waiting / {succeeded} Succeeded / \
             {failed} Failed\n"
        ),
    );
}

fn replica_set(cluster: &Cluster, page: &mut Page, one: &Tree) {
    head(page, one);
    page.field(0, "Selector", &select::show(one.at("spec.selector")));
    tags(page, one);
    controlled_by(page, one);
    let (have, wanted) = (one.int("status.replicas"), one.int("spec.replicas"));
    page.put(0, format_args!("Replicas:\t{have} current / {wanted} desired\n"));
    pods_status(cluster, page, one);
    containers::template(page, one.at("spec.template"));
    conditions(page, one.get("status"));
}

fn stateful_set(cluster: &Cluster, page: &mut Page, one: &Tree) {
    let spec = one.get("spec");
    head(page, one);
    created(page, one);
    page.field(0, "Selector", &select::show(spec.get("selector")));
    tags(page, one);
    let pods = cluster.pods(one.text("metadata.namespace"));
    let owner = format!("StatefulSet/{}", one.text("metadata.name"));
    let total = pods.iter().filter(|pod| controller(pod).as_ref() == Some(&owner)).count();
    let wanted = spec.int("replicas");
    page.put(0, format_args!("Replicas:\t{wanted} desired | {total} total\n"));
    page.field(0, "Update Strategy", spec.text("updateStrategy.type"));
    let partition = spec.at("updateStrategy.rollingUpdate.partition");
    if !partition.is_null() {
        page.field(1, "Partition", &partition.show());
    }
    pods_status(cluster, page, one);
    containers::template(page, spec.get("template"));
    let claims = spec.get("volumeClaimTemplates").items();
    if claims.is_empty() {
        return page.field(0, "Volume Claims", "<none>");
    }
    page.line(0, "Volume Claims:");
    for claim in claims {
        page.field(1, "Name", claim.text("metadata.name"));
        page.field(1, "StorageClass", claim.text("spec.storageClassName"));
        super::labels(page, "  ", "Labels", claim.at("metadata.labels"));
        super::labels(page, "  ", "Annotations", claim.at("metadata.annotations"));
        let size = claim.at("spec.resources.requests.storage").show();
        page.field(1, "Capacity", or(&containers::quantity(&size), "<default>"));
        let modes: Vec<&str> = claim.at("spec.accessModes").items().iter().map(Tree::str).collect();
        page.put(1, format_args!("Access Modes:\t[{}]\n", modes.join(" ")));
    }
}

fn daemon_set(cluster: &Cluster, page: &mut Page, one: &Tree) {
    head(page, one);
    page.field(0, "Selector", &select::show(one.at("spec.selector")));
    let nodes = select::show_map(one.at("spec.template.spec.nodeSelector"));
    page.field(0, "Node-Selector", &nodes);
    tags(page, one);
    for (label, key) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        page.put(0, format_args!("{label}: {}\n", one.get("status").int(key)));
    }
    pods_status(cluster, page, one);
    containers::template(page, one.at("spec.template"));
}

/// Models describeJob.
fn job(page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    page.field(0, "Selector", &select::show(spec.get("selector")));
    tags(page, one);
    controlled_by(page, one);
    number(page, "Parallelism", spec, "parallelism");
    page.field(0, "Completions", or(&spec.get("completions").show(), "<unset>"));
    page.field(0, "Completion Mode", or(spec.text("completionMode"), "NonIndexed"));
    page.field(0, "Suspend", &spec.is_true("suspend").to_string());
    page.field(0, "Backoff Limit", &spec.get("backoffLimit").show());
    if !spec.get("ttlSecondsAfterFinished").is_null() {
        number(page, "TTL Seconds After Finished", spec, "ttlSecondsAfterFinished");
    }
    let (from, to) = (status.text("startTime"), status.text("completionTime"));
    if !from.is_empty() {
        page.field(0, "Start Time", &clock::written(from));
    }
    if !to.is_empty() {
        page.field(0, "Completed At", &clock::written(to));
        page.field(0, "Duration", &clock::between(from, to));
    }
    if !spec.get("activeDeadlineSeconds").is_null() {
        let secs = spec.int("activeDeadlineSeconds");
        page.field(0, "Active Deadline Seconds", &format!("{secs}s"));
    }
    let [active, ready, succeeded, failed] =
        ["active", "ready", "succeeded", "failed"].map(|key| status.int(key));
    page.put(
        0,
        format_args!(
            "Pods Statuses:\t{active} Active ({ready} Ready) / {succeeded} Succeeded / {failed} \
             Failed\n"
        ),
    );
    if spec.text("completionMode") == "Indexed" {
        page.field(0, "Completed Indexes", or(status.text("completedIndexes"), "<none>"));
    }
    containers::template(page, spec.get("template"));
}

/// Models describeCronJob.
fn cron_job(page: &mut Page, one: &Tree) {
    let (spec, status) = (one.get("spec"), one.get("status"));
    head(page, one);
    tags(page, one);
    page.field(0, "Schedule", spec.text("schedule"));
    page.field(0, "Concurrency Policy", or(spec.text("concurrencyPolicy"), "Allow"));
    page.field(0, "Suspend", truth(spec.get("suspend")));
    page.field(0, "Time Zone", or(spec.text("timeZone"), "<unset>"));
    for (label, key) in [
        ("Successful Job History Limit", "successfulJobsHistoryLimit"),
        ("Failed Job History Limit", "failedJobsHistoryLimit"),
    ] {
        page.field(0, label, or(&spec.get(key).show(), "<unset>"));
    }
    let late = match spec.get("startingDeadlineSeconds") {
        Tree::Int(secs) => format!("{secs}s"),
        _ => "<unset>".to_owned(),
    };
    page.field(0, "Starting Deadline Seconds", &late);
    let inside = spec.at("jobTemplate.spec");
    let selector = match inside.get("selector") {
        Tree::Null => "<unset>".to_owned(),
        selector => select::show(selector),
    };
    page.field(0, "Selector", &selector);
    for (label, key) in [("Parallelism", "parallelism"), ("Completions", "completions")] {
        page.field(0, label, or(&inside.get(key).show(), "<unset>"));
    }
    containers::template(page, inside.get("template"));
    let last = match status.text("lastScheduleTime") {
        "" => "<unset>".to_owned(),
        at => clock::written(at),
    };
    page.field(0, "Last Schedule Time", &last);
    let active: Vec<&str> =
        status.get("active").items().iter().map(|job| job.text("name")).collect();
    page.field(0, "Active Jobs", or(&active.join(", "), "<none>"));
}
