//! `kubectl rollout status` and `history`, and which revisions there are.
//!
//! Models k8s.io/kubectl/pkg/polymorphichelpers rollout_status.go and history.go (v1.36).

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, act, describe, get, kinds};
use crate::kube::tree::Tree;
use crate::order::Order;

pub(super) const FLAGS: &str = "w!watch timeout: revision: to-revision: l:selector o:output \
     f:filename dry-run: R!recursive";

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    let verb = args.word(0);
    match verb {
        "status" | "history" => {}
        "pause" | "resume" | "restart" | "undo" => return act::rollout(cluster, args, verb),
        "" => return Said::printed("Manage the rollout of one or many resources.\n"),
        _ => return Said::unknown_below("rollout", &args.words),
    }
    let words = args.words.get(1..).unwrap_or(&[]);
    if words.is_empty() {
        return Said::error("required resource not specified");
    }
    let found = get::asked(words).and_then(|asked| get::find(cluster, args, &asked));
    let (found, missing) = match found {
        Ok(found) => found,
        Err(why) => return Said::error(&why),
    };
    if !missing.is_empty() {
        return Said::failed(&missing.join("\n"));
    }
    let mut said = Said::default();
    for (kind, object) in found.iter().flat_map(|(k, list)| list.iter().map(move |o| (k, o))) {
        let one = match (verb, kind.name) {
            ("status", "Deployment" | "StatefulSet" | "DaemonSet") => {
                status(args, kind.name, object)
            }
            ("status", name) => {
                Said::error(&format!("no status viewer has been implemented for {name}"))
            }
            (_, "Deployment") => history(cluster, args, object),
            (_, name) => Said::error(&format!("not simulated: the rollout history of a {name}")),
        };
        said.out.push_str(&one.out);
        said.err.push_str(&one.err);
        said.exit = said.exit.max(one.exit);
    }
    said
}

/// The status of what a command names.
pub(super) fn status_of(cluster: &Cluster, args: &Args) -> Tree {
    let words = args.words.get(1..).unwrap_or(&[]);
    let found = get::asked(words).and_then(|asked| get::find(cluster, args, &asked));
    let Ok((found, _)) = found else { return Tree::Null };
    let all = found.iter().flat_map(|(_, list)| list.iter().map(|one| one.get("status").clone()));
    Tree::List(all.collect())
}

/// What it says now, and that it would wait: an instant has no later.
fn status(args: &Args, kind: &str, one: &Tree) -> Said {
    let name = one.text("metadata.name");
    let (wanted, of) = (one.int("spec.replicas"), one.get("status"));
    let progress = of.get("conditions").items().iter().find(|c| c.text("type") == "Progressing");
    if progress.is_some_and(|c| c.text("reason") == "ProgressDeadlineExceeded") {
        return Said::error(&format!("deployment \"{name}\" exceeded its progress deadline"));
    }
    let strategy = one.text("spec.updateStrategy.type");
    if kind != "Deployment" && strategy == "OnDelete" {
        return Said::error("rollout status is only available for RollingUpdate strategy type");
    }
    let (line, done) = match kind {
        "Deployment" => deployment(name, wanted, of),
        "DaemonSet" => {
            let wanted = of.int("desiredNumberScheduled");
            let (updated, ready) = (of.int("updatedNumberScheduled"), of.int("numberAvailable"));
            let waiting = format!("Waiting for daemon set \"{name}\" rollout to finish:");
            if updated < wanted {
                (
                    format!("{waiting} {updated} out of {wanted} new pods have been updated..."),
                    false,
                )
            } else if ready < wanted {
                (format!("{waiting} {ready} of {wanted} updated pods are available..."), false)
            } else {
                (format!("daemon set \"{name}\" successfully rolled out"), true)
            }
        }
        _ => {
            let (ready, updated) = (of.int("readyReplicas"), of.int("updatedReplicas"));
            let new = wanted - one.int("spec.updateStrategy.rollingUpdate.partition");
            match wanted - ready {
                n @ 1.. => (format!("Waiting for {n} pods to be ready..."), false),
                _ if updated < new => (
                    format!(
                        "Waiting for partitioned roll out to finish: {updated} out of {new} new \
                         pods have been updated..."
                    ),
                    false,
                ),
                _ => (
                    format!(
                        "partitioned roll out complete: {updated} new pods have been updated..."
                    ),
                    true,
                ),
            }
        }
    };
    let mut said = Said::printed(format!("{line}\n"));
    if !done && args.flag("watch") != Some("false") {
        said.err = "error: timed out waiting for the condition\n".to_owned();
        said.exit = 1;
    }
    said
}

fn deployment(name: &str, wanted: i64, of: &Tree) -> (String, bool) {
    let (updated, total) = (of.int("updatedReplicas"), of.int("replicas"));
    let available = of.int("availableReplicas");
    let waiting = format!("Waiting for deployment \"{name}\" rollout to finish:");
    if updated < wanted {
        (format!("{waiting} {updated} out of {wanted} new replicas have been updated..."), false)
    } else if total > updated {
        let old = total - updated;
        (format!("{waiting} {old} old replicas are pending termination..."), false)
    } else if available < updated {
        (format!("{waiting} {available} of {updated} updated replicas are available..."), false)
    } else {
        (format!("deployment \"{name}\" successfully rolled out"), true)
    }
}

/// (revision, ReplicaSet) of a Deployment, oldest first.
fn revisions<'c>(cluster: &'c Cluster, one: &Tree) -> Vec<(i64, &'c Tree)> {
    let owner = format!("Deployment/{}", one.text("metadata.name"));
    let namespace = one.text("metadata.namespace");
    let all = kinds::of("ReplicaSet").map(|kind| cluster.list(kind, Some(namespace)));
    let mine = all.into_iter().flatten();
    let mine = mine.filter(|set| describe::controller(set).as_ref() == Some(&owner));
    let numbered = mine.map(|set| {
        let text = set.at("metadata.annotations").get("deployment.kubernetes.io/revision").show();
        (text.parse().unwrap_or(0), set)
    });
    let mut all: Vec<(i64, &Tree)> = numbered.collect();
    all.order_by_key(|(revision, _)| *revision);
    all
}

pub(super) fn n_revisions(cluster: &Cluster, one: &Tree) -> usize {
    revisions(cluster, one).len()
}

pub(super) fn has_revision(cluster: &Cluster, one: &Tree, revision: &str) -> Result<(), String> {
    let known = revisions(cluster, one);
    match known.iter().any(|(number, _)| number.to_string() == revision) {
        true => Ok(()),
        false => Err(format!("error: unable to find specified revision {revision} in history")),
    }
}

fn history(cluster: &Cluster, args: &Args, one: &Tree) -> Said {
    let name = one.text("metadata.name");
    let all = revisions(cluster, one);
    if let Some(wanted) = args.flag("revision").filter(|r| *r != "0") {
        let found = all.iter().find(|(revision, _)| revision.to_string() == wanted);
        let Some((_, set)) = found else {
            return Said::error("unable to find the specified revision");
        };
        let template = describe::pod_template(set.at("spec.template"));
        return Said::printed(format!(
            "deployment.apps/{name} with revision #{wanted}\n{template}\n"
        ));
    }
    let mut lines = vec![vec!["REVISION".to_owned(), "CHANGE-CAUSE".to_owned()]];
    for (revision, set) in all {
        let cause = set.at("metadata.annotations").get("kubernetes.io/change-cause").show();
        let cause = if cause.is_empty() { "<none>".to_owned() } else { cause };
        lines.push(vec![revision.to_string(), cause]);
    }
    // The history's columns are two apart, as `describe` makes them.
    let lines: Vec<String> = lines.iter().map(|line| line.join("\t")).collect();
    let table = describe::columns(&format!("{}\n", lines.join("\n")));
    Said::printed(format!("deployment.apps/{name} \n{table}\n"))
}
