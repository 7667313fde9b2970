//! The smaller commands: explain, api-resources, version, auth can-i, events, apply, drain.

use super::cluster::Cluster;
use super::words::Args;
use super::{Said, clock, get, kinds};
use crate::kube::schema::{self, Shape, Type};
use crate::kube::tree::Tree;

/// Commands kubectl has and the lab does not play.
pub(super) const NOT_SIMULATED: &str = "replace certificate taint proxy debug kustomize \
     completion plugin options alpha";

pub(super) const EXPLAIN: &str = "recursive! api-version: o:output output:";
pub(super) const RESOURCES: &str =
    "api-group: namespaced: no-headers! o:output verbs: sort-by: cached! categories:";
pub(super) const EVENTS: &str = "A!all-namespaces for: types: w!watch no-headers! o:output";
pub(super) const DRAIN: &str = "ignore-daemonsets! delete-emptydir-data! force! grace-period: \
     timeout: disable-eviction! l:selector pod-selector: dry-run:";

/// `pod.spec.containers`. Models k8s.io/kubectl/pkg/explain (v1.36); descriptions are not kept.
pub(super) fn explain(_: &Cluster, args: &Args) -> Said {
    let path = args.word(0).trim_end_matches('.');
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    if path.is_empty() {
        return Said::failed(
            "error: You must specify the type of resource to explain. Use \"kubectl api-resources\" \
             for a complete list of supported resources.",
        );
    }
    let Some(kind) = kinds::find(first) else {
        return Said::error(&format!("couldn't find resource for \"{first}\""));
    };
    let version = kind.version;
    let mut head = String::new();
    if !kind.group.is_empty() {
        head.push_str(&format!("GROUP:      {}\n", kind.group));
    }
    head.push_str(&format!("KIND:       {}\nVERSION:    {version}\n\n", kind.name));
    let api_version = match kind.group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let Some(root) = schema::type_of(&api_version, kind.name) else {
        return Said::error(&format!("not simulated: explain {first}"));
    };
    let mut inside = Some(root);
    let mut field = None;
    for step in rest.split('.').filter(|step| !step.is_empty()) {
        let Some(found) = inside.and_then(|ty| ty.field(step)) else {
            let err = format!("error: field \"{step}\" does not exist\n");
            return Said { out: head, err, exit: 1, ..Said::default() };
        };
        inside = found.shape.inner_struct();
        field = Some(found);
    }
    if let Some(field) = field {
        let required = if field.required { " -required-" } else { "" };
        head.push_str(&format!("FIELD: {} <{}>{required}\n\n", field.name, shape(&field.shape)));
        if !field.values.is_empty() {
            head.push_str(&format!("ENUM:\n    {}\n", field.values.join("\n    ")));
        }
    }
    head.push_str(
        "\nDESCRIPTION:\n    (not simulated: descriptions are not kept in the lab)\n    \n",
    );
    if let Some(ty) = inside {
        head.push_str("FIELDS:\n");
        fields(ty, args.has("recursive"), 1, &mut head);
    }
    Said::printed(head + "\n")
}

const DEPTH_MAX: usize = 12;

fn fields(ty: &Type, recursive: bool, depth: usize, out: &mut String) {
    for field in &ty.fields {
        let required = if field.required { " -required-" } else { "" };
        let pad = "  ".repeat(depth);
        out.push_str(&format!("{pad}{}\t<{}>{required}\n", field.name, shape(&field.shape)));
        if let Some(inner) = field.shape.inner_struct().filter(|_| recursive && depth < DEPTH_MAX) {
            fields(inner, true, depth + 1, out);
        }
    }
}

/// As OpenAPI names types: `[]Container`, `map[string]string`, `integer`.
fn shape(shape: &Shape) -> String {
    match shape {
        Shape::String | Shape::Bytes | Shape::Time => "string".to_owned(),
        Shape::Int32 | Shape::Int64 => "integer".to_owned(),
        Shape::Double => "number".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Quantity => "Quantity".to_owned(),
        Shape::IntOrString => "IntOrString".to_owned(),
        Shape::Any => "Object".to_owned(),
        Shape::Struct(name) => name.rsplit('.').next().unwrap_or(name).to_owned(),
        Shape::Array(inner) => format!("[]{}", self::shape(inner)),
        Shape::Map(inner) => format!("map[string]{}", self::shape(inner)),
    }
}

pub(super) fn api_resources(_: &Cluster, args: &Args) -> Said {
    let heads = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    for kind in kinds::KINDS {
        let of_group = args.flag("api-group").is_none_or(|group| group == kind.group);
        let inside = kind.namespaced.to_string();
        if !of_group || args.flag("namespaced").is_some_and(|wanted| wanted != inside) {
            continue;
        }
        let version = match kind.group {
            "" => kind.version.to_owned(),
            group => format!("{group}/{}", kind.version),
        };
        let cells = [kind.plural, kind.short, &version, &inside, kind.name];
        lines.push(cells.map(str::to_owned).to_vec());
    }
    Said::printed(get::table(&lines, args.has("no-headers")))
}

pub(super) fn version(_: &Cluster, args: &Args) -> Said {
    let client = "Client Version: v1.36.1\nKustomize Version: v5.8.1\n";
    let server = if args.has("client") { "" } else { "Server Version: v1.36.1\n" };
    Said::printed(format!("{client}{server}"))
}

/// Whoever uses the lab may do everything.
pub(super) fn auth(_: &Cluster, args: &Args) -> Said {
    match (args.word(0), args.word(1), args.word(2)) {
        ("can-i", verb, what) if !verb.is_empty() && !what.is_empty() => {
            let mut said = Said::printed("yes\n");
            let name = what.split('/').next().unwrap_or(what);
            if kinds::find(name).is_none() && name != "*" && !name.starts_with('/') {
                said.err = format!("Warning: the server doesn't have a resource type '{name}'\n\n");
            }
            said
        }
        ("whoami", ..) => Said::printed("ATTRIBUTE   VALUE\nUsername    kubernetes-admin\n"),
        ("can-i", ..) => Said::error(
            "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
        ),
        (verb, ..) => Said::error(&format!("unknown command \"{verb}\" for \"kubectl auth\"")),
    }
}

/// `kubectl events`: by time, not by name.
pub(super) fn events(cluster: &Cluster, args: &Args) -> Said {
    let namespace = get::namespace(cluster, args);
    let within = (!args.has("all-namespaces")).then_some(namespace.as_str());
    let mut all = kinds::of("Event").map(|kind| cluster.list(kind, within)).unwrap_or_default();
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
    all.sort_by_key(|one| newest(one));
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

pub(super) fn config(cluster: &Cluster, args: &Args) -> Said {
    match args.word(0) {
        "current-context" => Said::printed("podlab\n"),
        "get-contexts" => Said::printed(format!(
            "CURRENT   NAME     CLUSTER   AUTHINFO           NAMESPACE\n*         podlab   podlab    \
             kubernetes-admin   {}\n",
            cluster.namespace
        )),
        verb => Said::error(&format!("not simulated: kubectl config {verb}")),
    }
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
    let name = args.word(0).trim_start_matches("node/");
    if kinds::of("Node").and_then(|kind| cluster.one(kind, "", name)).is_none() {
        let why = format!("Error from server (NotFound): nodes \"{name}\" not found");
        return Said::failed(&why);
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
