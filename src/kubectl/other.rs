//! The smaller commands: api-resources, version, events, cluster-info, drain, taint.

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, act, clock, dump, get, kinds};
use crate::kube::tree::Tree;
use crate::order::Order;

/// Commands kubectl has and the lab does not play.
pub(super) const NOT_SIMULATED: &str = "certificate proxy kustomize \
     completion plugin options alpha";

pub(super) const RESOURCES: &str =
    "api-group: namespaced! no-headers! o:output verbs: sort-by: cached! categories:";
pub(super) const EVENTS: &str = "A!all-namespaces for: types: w!watch no-headers! o:output";
pub(super) const DRAIN: &str = "ignore-daemonsets! delete-emptydir-data! force! grace-period: \
     timeout: disable-eviction! l:selector pod-selector: dry-run:";

pub(super) fn api_resources(_: &Cluster, args: &Args) -> Said {
    let heads = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    for cells in kinds::resources() {
        let group = cells[2].split_once('/').map_or("", |(group, _)| group);
        let of_group = args.flag("api-group").is_none_or(|wanted| wanted == group);
        if !of_group || args.flag("namespaced").is_some_and(|wanted| wanted != cells[3]) {
            continue;
        }
        lines.push(cells.map(|cell| cell.trim_start_matches('-').to_owned()).to_vec());
    }
    if args.flag("output") == Some("name") {
        let dotted = |cells: &Vec<String>| {
            let group = cells[2].split_once('/').map_or("", |(group, _)| group);
            if group.is_empty() { cells[0].clone() } else { format!("{}.{group}", cells[0]) }
        };
        let names: Vec<String> = lines.iter().skip(1).map(dotted).collect();
        return Said::printed(names.join("\n") + "\n");
    }
    Said::printed(get::table(&lines, args.has("no-headers")))
}

/// What a plain server of 1.36 serves.
pub(super) const API_VERSIONS: &str = "admissionregistration.k8s.io/v1\napiextensions.k8s.io/v1\n\
     apiregistration.k8s.io/v1\napps/v1\nauthentication.k8s.io/v1\nauthorization.k8s.io/v1\n\
     autoscaling/v1\nautoscaling/v2\nbatch/v1\ncertificates.k8s.io/v1\ncoordination.k8s.io/v1\n\
     discovery.k8s.io/v1\nevents.k8s.io/v1\nflowcontrol.apiserver.k8s.io/v1\n\
     networking.k8s.io/v1\nnode.k8s.io/v1\npolicy/v1\nrbac.authorization.k8s.io/v1\n\
     resource.k8s.io/v1\nscheduling.k8s.io/v1\nstorage.k8s.io/v1\nv1\n";

pub(super) fn version(_: &Cluster, args: &Args) -> Said {
    if let Some(format) = args.flag("output") {
        let one = Tree::of(vec![
            ("gitVersion", Tree::from("v1.36.1")),
            ("major", Tree::from("1")),
            ("minor", Tree::from("36")),
            ("platform", Tree::from("linux/amd64")),
        ]);
        let server = if args.has("client") { Tree::Null } else { one.clone() };
        let all = Tree::of(vec![
            ("clientVersion", one),
            ("kustomizeVersion", Tree::from("v5.8.1")),
            ("serverVersion", server),
        ]);
        let mut out = String::new();
        match format {
            "yaml" => out = dump::yaml(&all),
            "json" => dump::json(&all, 2, 0, &mut out),
            _ => return Said::error("--output must be 'yaml' or 'json'"),
        }
        return Said::printed(out + "\n");
    }
    let client = "Client Version: v1.36.1\nKustomize Version: v5.8.1\n";
    let server = if args.has("client") { "" } else { "Server Version: v1.36.1\n" };
    Said::printed(format!("{client}{server}"))
}

/// `kubectl events`: by time, not by name.
pub(super) fn events(cluster: &Cluster, args: &Args) -> Said {
    let namespace = get::namespace(cluster, args);
    let within = (!args.has("all-namespaces")).then_some(namespace.as_str());
    let mut all = kinds::of("Event").map(|kind| cluster.list(kind, within)).unwrap_or_default();
    if args.flag("for").is_some_and(|target| !target.contains('/')) {
        return Said::error("--for must be in resource/name form");
    }
    if let Some((kind, name)) = args.flag("for").and_then(|target| target.split_once('/')) {
        let kind = kinds::find(kind).map_or("", |kind| kind.name);
        all.retain(|one| {
            let of = one.get("involvedObject");
            of.text("kind") == kind && of.text("name") == name
        });
    }
    if let Some(types) = args.flag("types") {
        all.retain(|one| types.split(',').any(|wanted| wanted == one.text("type")));
    }
    if all.is_empty() {
        let err = match within {
            Some(namespace) => format!("No events found in {namespace} namespace.\n"),
            None => "No events found.\n".to_owned(),
        };
        return Said { err, ..Said::default() };
    }
    let newest = |one: &Tree| {
        let at = ["lastTimestamp", "eventTime"].map(|key| one.text(key).to_owned());
        clock::millis(if at[0].is_empty() { &at[1] } else { &at[0] }).unwrap_or(0)
    };
    all.order_by_key(|one| newest(one));
    let heads = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    let now = cluster.now_millis();
    for one in all {
        let last = ["lastTimestamp", "eventTime"].map(|key| one.text(key));
        let last = if last[0].is_empty() { last[1] } else { last[0] };
        let mut seen = clock::since(last, now);
        if one.int("count") > 1 {
            let first = clock::since(one.text("firstTimestamp"), now);
            seen = format!("{seen} (x{} over {first})", one.int("count"));
        }
        let of = one.get("involvedObject");
        let target = format!("{}/{}", of.text("kind"), of.text("name"));
        let cells = [seen.as_str(), one.text("type"), one.text("reason"), &target];
        let mut line = cells.map(str::to_owned).to_vec();
        line.push(one.text("message").trim().to_owned());
        lines.push(line);
    }
    Said::printed(get::table(&lines, args.has("no-headers")))
}

pub(super) fn cluster_info(_: &Cluster, _: &Args) -> Said {
    Said::printed(
        "Kubernetes control plane is running at https://10.96.0.1:443\n\nTo further debug and \
         diagnose cluster problems, use 'kubectl cluster-info dump'.\n",
    )
}

/// A pod that leaves a drained node: full name, name, and what stands against it.
struct Leaving {
    full: String,
    name: String,
    daemon: bool,
    local: bool,
    alone: bool,
}

fn leaving(pod: &Tree) -> Leaving {
    let name = pod.text("metadata.name").to_owned();
    let done = matches!(pod.text("status.phase"), "Succeeded" | "Failed");
    let owner = super::describe::controller(pod).unwrap_or_default();
    let volumes = pod.at("spec.volumes").items();
    let local = volumes.iter().any(|volume| !volume.get("emptyDir").is_null());
    let full = format!("{}/{name}", pod.text("metadata.namespace"));
    let daemon = owner.starts_with("DaemonSet/");
    Leaving { full, name, daemon, local: local && !done, alone: owner.is_empty() && !done }
}

/// Evicts what runs on the node. Models k8s.io/kubectl/pkg/drain (v1.36).
pub(super) fn drain(cluster: &Cluster, args: &Args) -> Said {
    if args.words.is_empty() {
        return Said::error(
            "USAGE: drain NODE [flags]\nSee 'kubectl drain -h' for help and examples",
        );
    }
    let name = args.word(0).trim_start_matches("node/");
    if kinds::of("Node").and_then(|kind| cluster.one(kind, "", name)).is_none() {
        return Said::failed(&format!("Error from server (NotFound): nodes \"{name}\" not found"));
    }
    let pods = kinds::of("Pod").map(|kind| cluster.list(kind, None)).unwrap_or_default();
    let (daemons, pods): (Vec<Leaving>, Vec<Leaving>) =
        pods.into_iter().map(leaving).partition(|pod| pod.daemon);
    let full = |list: Vec<&Leaving>| {
        list.into_iter().map(|pod| pod.full.clone()).collect::<Vec<_>>().join(", ")
    };
    let why: Vec<String> = [
        (
            "ignore-daemonsets",
            full(daemons.iter().collect()),
            "delete DaemonSet-managed Pods",
            "ignore",
        ),
        (
            "delete-emptydir-data",
            full(pods.iter().filter(|pod| pod.local).collect()),
            "delete Pods with local storage",
            "override",
        ),
        (
            "force",
            full(pods.iter().filter(|pod| pod.alone).collect()),
            "delete Pods that declare no controller",
            "override",
        ),
    ]
    .into_iter()
    .filter(|(flag, list, ..)| !list.is_empty() && !args.has(flag))
    .map(|(flag, list, what, verb)| format!("cannot {what} (use --{flag} to {verb}): {list}"))
    .collect();
    let mut said = Said::printed(format!("node/{name} cordoned\n"));
    if !why.is_empty() {
        said.exit = 1;
        said.actions.push(format!("cordon {name}"));
        said.err = format!(
            "error: unable to drain node \"{name}\" due to error: [{}], continuing command...\nThere \
             are pending nodes to be drained:\n {name}\n{}\n",
            why.join(", "),
            why.join("\n")
        );
        return said;
    }
    for pod in pods {
        let (full, pod) = (pod.full, pod.name);
        said.out.push_str(&format!("evicting pod {full}\npod/{pod} evicted\n"));
    }
    said.actions.push(format!("drain {name}"));
    said.out.push_str(&format!("node/{name} drained\n"));
    said
}

/// Models k8s.io/kubectl/pkg/cmd/taint (v1.36).
pub(super) fn taint(cluster: &Cluster, args: &Args) -> Said {
    let is_taint = |word: &String| word.contains(['=', ':']) || word.ends_with('-');
    let at = args.words.iter().position(is_taint).unwrap_or(args.words.len());
    let (words, specs) = args.words.split_at(at);
    if let Some(word) = specs.iter().find(|word| !is_taint(word)) {
        let why = format!("all resources must be specified before taint changes: {word}");
        return Said::error(&why);
    }
    if words.is_empty() {
        return Said::error("one or more resources must be specified as <resource> <name>");
    }
    if specs.is_empty() {
        return Said::error("at least one taint update is required");
    }
    for spec in specs {
        let effect = spec.trim_end_matches('-').split_once(':').map(|(_, effect)| effect);
        let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
        if effect.is_none() && !spec.ends_with('-') {
            return Said::failed(&format!(
                "error: invalid taint spec: {spec}\nSee 'kubectl taint -h' for help and examples"
            ));
        }
        if let Some(effect) = effect.filter(|effect| !known.contains(effect)) {
            return Said::failed(&format!(
                "error: invalid taint effect: {effect}, unsupported taint effect\nSee 'kubectl taint \
                 -h' for help and examples"
            ));
        }
    }
    if kinds::find(&words[0]).is_none_or(|kind| kind.name != "Node") {
        let why = format!("invalid resource type {}, only node types are supported", words[0]);
        return Said::error(&why);
    }
    if words.len() < 2 && !args.has("all") {
        return Said::error(
            "at least one resource name must be specified since 'all' parameter is not set",
        );
    }
    let n_gone = specs.iter().filter(|spec| spec.ends_with('-')).count();
    let done = match n_gone {
        0 => "tainted",
        n if n == specs.len() => "untainted",
        _ => "modified",
    };
    act::each(cluster, args, words, done, |_, node| tainted(node, specs, args))
}

/// The action that taints a node; the error says what stands against it.
fn tainted(node: &Tree, specs: &[String], args: &Args) -> Result<String, String> {
    let name = node.text("metadata.name");
    let parts = |spec: &str| {
        let (pair, effect) = spec.split_once(':').unwrap_or((spec, ""));
        (pair.split_once('=').map_or(pair, |(key, _)| key).to_owned(), effect.to_owned())
    };
    for spec in specs {
        let (key, effect) = parts(spec.trim_end_matches('-'));
        let mine = |one: &&Tree| {
            one.text("key") == key && (effect.is_empty() || one.text("effect") == effect)
        };
        let there = node.at("spec.taints").items().iter().any(|one| mine(&one));
        if spec.ends_with('-') && !there {
            let shown = if effect.is_empty() { key } else { format!("{key}:{effect}") };
            return Err(format!("error: taint \"{shown}\" not found"));
        }
        if !spec.ends_with('-') && there && !args.has("overwrite") {
            return Err(format!(
                "error: node {name} already has {key} taint(s) with same effect(s) and --overwrite \
                 is false"
            ));
        }
    }
    Ok(format!("taint nodes {name} {}", specs.join(" ")))
}

/// `cordon` and `uncordon`.
pub(super) fn cordon(cluster: &Cluster, args: &Args, verb: &str) -> Said {
    let mut said = Said::default();
    for word in &args.words {
        let name = word.trim_start_matches("node/");
        let node = kinds::of("Node").and_then(|kind| cluster.one(kind, "", name));
        let Some(node) = node else {
            said.err = format!("Error from server (NotFound): nodes \"{name}\" not found\n");
            said.exit = 1;
            continue;
        };
        let already = node.is_true("spec.unschedulable") == (verb == "cordon");
        let note = if already { "already " } else { "" };
        said.out.push_str(&format!("node/{name} {note}{verb}ed\n"));
        if !already {
            said.actions.push(format!("{verb} {name}"));
        }
    }
    if args.words.is_empty() {
        return Said::error(&format!(
            "USAGE: {verb} NODE [flags]\nSee 'kubectl {verb} -h' for help and examples"
        ));
    }
    said
}
