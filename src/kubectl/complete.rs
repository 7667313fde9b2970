//! What Tab makes of a line of the console: verbs, kinds, names of the run's objects, containers,
//! namespaces and flags. Runs no command.

use super::cluster::Cluster;
use super::run::{HOME, LOOKS_MAX, flags_of, look, simulated, verbs};
use super::{Files, kinds};
use crate::order::Order;
use crate::sim::Scenario;
use crate::time::SimTime;

/// Words that lead into another command.
const GROUPS: [(&str, &str); 6] = [
    ("rollout", "history pause restart resume status undo"),
    ("set", "env image resources selector serviceaccount"),
    ("top", "node pod"),
    ("auth", "can-i whoami"),
    ("config", "current-context get-contexts set-context use-context view"),
    (
        "create",
        "clusterrole clusterrolebinding configmap cronjob deployment ingress job namespace \
         poddisruptionbudget priorityclass quota role rolebinding secret service serviceaccount",
    ),
];

/// The line completed as far as all ways to go on agree, and these where there are several.
pub(super) fn complete(
    scenario: &Scenario,
    at: SimTime,
    line: &str,
    files: &Files,
) -> (String, String) {
    // Only the last command of a line matters.
    let from = line.rfind(['|', ';', '&', '(', '`']).map_or(0, |at| at + 1);
    let words: Vec<&str> = line[from..].split_whitespace().collect();
    let fresh = line.is_empty() || line.ends_with(char::is_whitespace);
    let (before, word) = match words.split_last() {
        Some((last, before)) if !fresh => (before, *last),
        _ => (&words[..], ""),
    };
    let before = match before.first() {
        Some(&"kubectl" | &"k") => &before[1..],
        _ => before,
    };
    let simulated = simulated(scenario, at, &mut { LOOKS_MAX });
    let Some((sim, past)) = simulated else { return (line.to_owned(), String::new()) };
    let mut ways = ways(&look(&sim, &past), before, word, files);
    ways.retain(|way| way.starts_with(word));
    ways.order();
    ways.dedup();
    let Some(first) = ways.first() else { return (line.to_owned(), String::new()) };
    let same = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let n = ways.iter().map(|way| same(first, way)).min().unwrap_or(0);
    let mut out = line.to_owned();
    out.push_str(first.get(word.len()..n).unwrap_or(""));
    if ways.len() == 1 {
        out.push_str(if first.ends_with(['=', '/']) { "" } else { " " });
        return (out, String::new());
    }
    (out, ways.join("  "))
}

fn owned<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn names(cluster: &Cluster, kind: &kinds::Kind, prefix: &str) -> Vec<String> {
    let all = cluster.list(kind, Some(&cluster.namespace)).into_iter();
    all.map(|one| format!("{prefix}{}", one.text("metadata.name"))).collect()
}

fn named(cluster: &Cluster, kind: &str) -> Vec<String> {
    kinds::of(kind).map(|kind| names(cluster, kind, "")).unwrap_or_default()
}

/// All that could stand in the word's place.
fn ways(cluster: &Cluster, before: &[&str], word: &str, files: &Files) -> Vec<String> {
    let Some(verb) = before.first() else { return owned(verbs().chain(["kubectl"])) };
    match before.last() {
        Some(&"-n" | &"--namespace") => return named(cluster, "Namespace"),
        Some(&"-c" | &"--container") => return containers(cluster, before),
        Some(&"-f" | &"--filename") => {
            let mine = files.keys().filter_map(|path| path.strip_prefix(HOME));
            return owned(mine.map(|path| &path[1..]).chain(["manifest.yaml"]));
        }
        Some(&"-o" | &"--output") => {
            return owned(["custom-columns=", "json", "jsonpath=", "name", "wide", "yaml"]);
        }
        _ => {}
    }
    if word.starts_with('-') {
        return flags_of(verb);
    }
    let mut plain = before[1..].iter().filter(|word| !word.starts_with('-'));
    let (second, third) = (plain.next().copied(), plain.next());
    let group = GROUPS.iter().find(|(name, _)| name == verb);
    if let Some((_, below)) = group.filter(|_| second.is_none()) {
        return owned(below.split_whitespace());
    }
    if let Some((kind, _)) = word.split_once('/') {
        let found = kinds::find(kind);
        return found.map(|of| names(cluster, of, &format!("{kind}/"))).unwrap_or_default();
    }
    let kind = if group.is_some() { third.copied() } else { second };
    match (*verb, kind) {
        ("logs" | "exec" | "attach" | "port-forward" | "debug", None) => {
            let mut all = named(cluster, "Pod");
            all.extend(owned(["deployment/", "job/", "service/", "statefulset/"]));
            all
        }
        ("cordon" | "uncordon" | "drain", None) => named(cluster, "Node"),
        ("top", Some(_)) => named(cluster, "Pod"),
        (_, None) => owned(kinds::KINDS.iter().map(|kind| kind.plural).chain(["all"])),
        (_, Some(kind)) => kinds::find(kind).map(|of| names(cluster, of, "")).unwrap_or_default(),
    }
}

/// Containers of the pod that a command names.
fn containers(cluster: &Cluster, before: &[&str]) -> Vec<String> {
    let pods = kinds::of("Pod").map(|kind| cluster.list(kind, None)).unwrap_or_default();
    let named = |pod: &&&crate::kube::tree::Tree| {
        let name = pod.text("metadata.name");
        before.iter().any(|word| word.rsplit('/').next() == Some(name))
    };
    let pod = pods.iter().find(named).or(pods.first());
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let all = lists.iter().filter_map(|list| Some(pod?.at("spec").get(list).items()));
    all.flatten().map(|one| one.text("name").to_owned()).collect()
}
