//! Commands that change the cluster: what they answer, and the action that does it. Each looks
//! first whether what it names is there, as the server would.

use super::cluster::Cluster;
use super::get::{self, Asked};
use super::kinds::Kind;
use super::words::Args;
use super::{Said, mark};
use crate::kube::tree::Tree;
use crate::text::words::quote;

pub(super) const DELETE: &str = "force! grace-period: now! all! A!all-namespaces l:selector wait! \
     cascade: timeout: ignore-not-found! o:output f:filename field-selector: dry-run: R!recursive";
pub(super) const SCALE: &str = "replicas: current-replicas: timeout: resource-version: l:selector \
     all! o:output f:filename dry-run:";
pub(super) const SET: &str = "e:env c:containers l:selector all! limits: requests: from: prefix: \
     keys: list! overwrite! resolve! o:output f:filename dry-run: local! record! user: group: serviceaccount:";

pub(super) fn dry_note(args: &Args) -> &'static str {
    match args.flag("dry-run") {
        None | Some("none") => "",
        Some("server") => " (server dry run)",
        Some(_) => " (dry run)",
    }
}

/// Objects of a command that names them, or what kubectl says where they are not there.
pub(super) fn named<'c>(
    cluster: &'c Cluster,
    args: &Args,
    words: &[String],
) -> Result<Vec<(&'static Kind, &'c Tree)>, Said> {
    let (objects, missing) = found(cluster, args, words)?;
    match missing.is_empty() || args.has("ignore-not-found") {
        true => Ok(objects),
        false => Err(Said::failed(&missing.join("\n"))),
    }
}

/// Objects by their kinds, and what is said of those that are not there.
type Named<'c> = (Vec<(&'static Kind, &'c Tree)>, Vec<String>);

fn found<'c>(cluster: &'c Cluster, args: &Args, words: &[String]) -> Result<Named<'c>, Said> {
    if words.is_empty() {
        return Err(Said::error(
            "You must provide one or more resources by argument or filename.\nExample resource \
             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
             <name>'\n   '<resource>'",
        ));
    }
    let asked = get::asked(words).map_err(|why| Said::error(&why))?;
    let chosen = args.has("all") || args.flag("selector").is_some();
    if !chosen && asked.iter().any(|one: &Asked| one.names.is_empty()) {
        return Err(Said::error("resource(s) were provided, but no name was specified"));
    }
    let (found, missing) = get::find(cluster, args, &asked).map_err(|why| Said::error(&why))?;
    let pairs = found.into_iter().flat_map(|(kind, list)| list.into_iter().map(move |o| (kind, o)));
    Ok((pairs.collect(), missing))
}

/// `deployment/web`, as actions name things.
pub(super) fn target(cluster: &Cluster, kind: &Kind, object: &Tree) -> String {
    format!("{}/{}", kind.name.to_lowercase(), cluster.said(kind, object))
}

/// `deployment.apps/web scaled` and the action that does it, for each object.
pub(super) fn each(
    cluster: &Cluster,
    args: &Args,
    words: &[String],
    word: &str,
    action: impl Fn(&Kind, &Tree) -> Result<String, String>,
) -> Said {
    let objects = match named(cluster, args, words) {
        Ok(objects) => objects,
        Err(said) => return said,
    };
    let dry = dry_note(args);
    let mut said = Said::default();
    for (kind, object) in objects {
        match action(kind, object) {
            Ok(action) => {
                let name = object.text("metadata.name");
                said.out.push_str(&format!("{}/{name} {word}{dry}\n", kind.prefix()));
                said.actions.extend((dry.is_empty() && !action.is_empty()).then_some(action));
            }
            Err(why) => {
                said.err.push_str(&format!("{why}\n"));
                said.exit = 1;
            }
        }
    }
    said
}

/// Models k8s.io/kubectl/pkg/cmd/delete (v1.36).
pub(super) fn delete(cluster: &Cluster, args: &Args) -> Said {
    if let Some(file) = args.flag("filename") {
        return super::files::each(cluster, args, file, "delete");
    }
    let (objects, missing) = match found(cluster, args, &args.words) {
        Ok(found) => found,
        Err(said) => return said,
    };
    let force = args.has("force");
    let grace = match (args.flag("grace-period"), args.has("now"), force) {
        (Some(grace), ..) => Some(grace.to_owned()),
        (None, true, _) => Some("1".to_owned()),
        (None, false, true) => Some("0".to_owned()),
        _ => None,
    };
    let mut said = Said::default();
    if force && grace.as_deref() == Some("0") {
        said.err.push_str(
            "Warning: Immediate deletion does not wait for confirmation that the running resource \
             has been terminated. The resource may continue to run on the cluster indefinitely.\n",
        );
    }
    if objects.is_empty() && missing.is_empty() {
        said.out.push_str("No resources found\n");
    }
    let (word, note) = (if force { "force deleted" } else { "deleted" }, dry_note(args));
    for (kind, object) in objects {
        let namespace = match kind.namespaced {
            true => format!(" from {} namespace", object.text("metadata.namespace")),
            false => String::new(),
        };
        let name = object.text("metadata.name");
        said.out.push_str(&format!("{} \"{name}\" {word}{namespace}{note}\n", kind.prefix()));
        // What a deleted owner owns goes with it.
        let follows = args.has("all") && super::describe::controller(object).is_some();
        if follows || !note.is_empty() {
            continue;
        }
        let mut action = format!("delete {}", target(cluster, kind, object));
        if let Some(grace) = &grace {
            action.push_str(&format!(" --grace-period={grace}"));
        }
        if let Some(cascade) = args.flag("cascade") {
            action.push_str(&format!(" --cascade={cascade}"));
        }
        action.push_str(if force { " --force" } else { "" });
        said.actions.push(action);
    }
    if !missing.is_empty() && !args.has("ignore-not-found") {
        said.err.push_str(&(missing.join("\n") + "\n"));
        said.exit = 1;
    }
    said
}

pub(super) fn scale(cluster: &Cluster, args: &Args) -> Said {
    if args.flag("replicas").is_none() {
        return Said::error("required flag(s) \"replicas\" not set");
    }
    let Some(replicas) = args.flag("replicas").and_then(|n| n.parse::<u32>().ok()) else {
        return Said::error(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        );
    };
    let before = args.flag("current-replicas").and_then(|n| n.parse::<i64>().ok());
    each(cluster, args, &args.words, "scaled", |kind, object| {
        if !matches!(kind.name, "Deployment" | "ReplicaSet" | "StatefulSet") {
            return Err("Error from server (NotFound): the server could not find the requested \
                        resource"
                .to_owned());
        }
        let now = object.int("spec.replicas");
        if before.is_some_and(|before| before >= 0 && before != now) {
            let before = before.unwrap_or(0);
            return Err(format!("error: Expected replicas to be {before}, was {now}"));
        }
        Ok(format!("scale {} --replicas={replicas}", target(cluster, kind, object)))
    })
}

/// Words that name objects, and `k=v` pairs or `k-` after them.
pub(super) fn pairs(words: &[String]) -> (&[String], &[String]) {
    let is_pair = |word: &String| word.contains('=') || (word.ends_with('-') && word.len() > 1);
    let at = words.iter().position(is_pair).unwrap_or(words.len());
    words.split_at(at)
}

fn has_template(kind: &Kind) -> Result<(), String> {
    let has = matches!(kind.name, "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet");
    match has || kind.name == "Pod" {
        true => Ok(()),
        false => Err(format!("error: {} does not have a pod template", kind.full())),
    }
}

fn containers_of<'t>(kind: &Kind, object: &'t Tree) -> Vec<&'t Tree> {
    let spec = object.at(if kind.name == "Pod" { "spec" } else { "spec.template.spec" });
    let lists = ["initContainers", "containers"];
    lists.iter().flat_map(|list| spec.get(list).items()).collect()
}

/// `set image`, `set env`, `set resources`.
pub(super) fn set(cluster: &Cluster, args: &Args) -> Said {
    let what = args.word(0);
    let rest = args.words.get(1..).unwrap_or(&[]);
    let (words, pairs) = pairs(rest);
    match what {
        "image" => {
            if pairs.is_empty() {
                return Said::error("at least one image update is required");
            }
            each(cluster, args, words, "image updated", |kind, object| {
                has_template(kind)?;
                for (name, _) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
                    let known = containers_of(kind, object);
                    if name != "*" && !known.iter().any(|c| c.text("name") == name) {
                        return Err(format!("error: unable to find container named \"{name}\""));
                    }
                }
                if kind.name == "Pod" {
                    return pod_images(cluster, kind, object, pairs);
                }
                Ok(format!("set image {} {}", target(cluster, kind, object), pairs.join(" ")))
            })
        }
        "env" if args.has("list") => list_env(cluster, args, words),
        "env" => {
            let mut all = args.all("env").to_vec();
            all.extend_from_slice(pairs);
            if all.is_empty() && args.flag("from").is_none() {
                return Said::default();
            }
            let vars = match super::env::from(cluster, args) {
                Ok(vars) => vars,
                Err(said) => return said,
            };
            let wanted = args.flag("containers").unwrap_or("*");
            each(cluster, args, words, "env updated", |kind, object| {
                has_template(kind)?;
                if kind.name == "Pod" {
                    let why = immutable_pod(object).replacen("The Pod", "Pod", 1);
                    return Err(format!(
                        "error: failed to patch env update to pod template: {why}"
                    ));
                }
                if !vars.is_empty() || wanted != "*" {
                    return super::env::set(cluster, (kind, object), (&vars, &all), wanted);
                }
                let all: Vec<String> = all.iter().map(|pair| quote(pair)).collect();
                Ok(format!("set env {} {}", target(cluster, kind, object), all.join(" ")))
            })
        }
        "resources" => set_resources(cluster, args, rest),
        "selector" => super::env::selector(cluster, args, (words, pairs)),
        "serviceaccount" | "sa" => super::env::account(cluster, args, rest),
        "subject" => super::env::subject(cluster, args, rest),
        _ => Said::unknown_below("set", &args.words),
    }
}

/// New images of a running pod.
fn pod_images(
    cluster: &Cluster,
    kind: &Kind,
    object: &Tree,
    pairs: &[String],
) -> Result<String, String> {
    let base = mark::base(cluster, kind, object)?;
    let mut new = base.clone();
    for list in ["containers", "initContainers"] {
        let all = new.get_mut("spec").and_then(|spec| spec.get_mut(list));
        let Some(Tree::List(all)) = all else { continue };
        for one in all {
            let name = one.text("name").to_owned();
            let mut given = pairs.iter().filter_map(|pair| pair.split_once('='));
            if let Some((_, image)) = given.find(|(of, _)| *of == "*" || *of == name) {
                one.put("image", Tree::from(image));
            }
        }
    }
    mark::change(cluster, &target(cluster, kind, object), &base, &new)
}

fn set_resources(cluster: &Cluster, args: &Args, words: &[String]) -> Said {
    let mut flags = String::new();
    for name in ["limits", "requests", "containers"] {
        if let Some(value) = args.flag(name) {
            flags.push_str(&format!(" --{name}={value}"));
        }
    }
    if args.flag("limits").is_none() && args.flag("requests").is_none() {
        return Said::error(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        );
    }
    each(cluster, args, words, "resource requirements updated", |kind, object| {
        has_template(kind)?;
        match kind.name {
            "Pod" => Err(immutable_pod(object)),
            _ => Ok(format!("set resources {}{flags}", target(cluster, kind, object))),
        }
    })
}

/// What the server says to a change of a running pod's spec, shortened to its first sentence.
fn immutable_pod(object: &Tree) -> String {
    let name = object.text("metadata.name");
    format!(
        "The Pod \"{name}\" is invalid: spec: Forbidden: pod updates may not change fields other \
         than `spec.containers[*].image`,`spec.initContainers[*].image`,\
         `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),\
         `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously \
         negative)"
    )
}

fn list_env(cluster: &Cluster, args: &Args, words: &[String]) -> Said {
    let objects = match named(cluster, args, words) {
        Ok(objects) => objects,
        Err(said) => return said,
    };
    let mut out = String::new();
    for (kind, object) in objects {
        for one in containers_of(kind, object) {
            let name = object.text("metadata.name");
            out.push_str(&format!("# {} {name}, container {}\n", kind.name, one.text("name")));
            for var in one.get("env").items() {
                let (name, from) = (var.text("name"), var.get("valueFrom"));
                out.push_str(&match (from.get("configMapKeyRef"), from.get("secretKeyRef")) {
                    _ if from.is_null() => format!("{name}={}\n", var.text("value")),
                    (Tree::Map(_), _) => format!(
                        "# {name} from configmap {}, key {}\n",
                        from.text("configMapKeyRef.name"),
                        from.text("configMapKeyRef.key")
                    ),
                    (_, Tree::Map(_)) => format!(
                        "# {name} from secret {}, key {}\n",
                        from.text("secretKeyRef.name"),
                        from.text("secretKeyRef.key")
                    ),
                    _ => format!("# {name} from field path {}\n", from.text("fieldRef.fieldPath")),
                });
            }
        }
    }
    Said::printed(out)
}

/// `rollout pause|resume|restart|undo`.
pub(super) fn rollout(cluster: &Cluster, args: &Args, verb: &str) -> Said {
    let words = args.words.get(1..).unwrap_or(&[]);
    let done = match verb {
        "pause" => "paused",
        "resume" => "resumed",
        "restart" => "restarted",
        _ => "rolled back",
    };
    let mut said = each(cluster, args, words, done, |kind, object| {
        let (name, paused) = (object.text("metadata.name"), object.is_true("spec.paused"));
        let full = format!("{} \"{name}\"", kind.full());
        match (kind.name, verb, paused) {
            ("Deployment", "pause", true) => Err(format!("error: {full} is already paused")),
            ("Deployment", "resume", false) => Err(format!("error: {full} is not paused")),
            ("Deployment", "undo", _) if super::rollout::n_revisions(cluster, object) < 2 => {
                Err(format!("error: no rollout history found for deployment \"{name}\""))
            }
            ("Deployment", "undo", true) => {
                Err("error: you cannot rollback a paused deployment; resume it first with \
                 'kubectl rollout resume' and try again"
                    .to_owned())
            }
            ("Deployment", "restart", true) => Err(format!(
                "error: {full} can't restart paused deployment (run rollout resume first)"
            )),
            ("StatefulSet" | "DaemonSet", "pause" | "resume", _) => {
                let ing = if verb == "pause" { "pausing" } else { "resuming" };
                Err(format!("error: {} \"{name}\" {ing} is not supported", kind.full()))
            }
            ("Deployment" | "StatefulSet" | "DaemonSet", ..) => {
                let mut action = format!("rollout {verb} {}", target(cluster, kind, object));
                if let Some(revision) = args.flag("to-revision").filter(|r| *r != "0") {
                    super::rollout::has_revision(cluster, object, revision)?;
                    action.push_str(&format!(" --to-revision={revision}"));
                }
                Ok(action)
            }
            _ => Err(format!("error: no rollbacker has been implemented for \"{}\"", kind.name)),
        }
    });
    if verb == "undo" {
        said.err.insert_str(0, &applied_before(cluster, args, words));
    }
    said
}

/// What kubectl says before it rolls back what was applied.
fn applied_before(cluster: &Cluster, args: &Args, words: &[String]) -> String {
    let Ok(objects) = named(cluster, args, words) else { return String::new() };
    let key = "kubectl.kubernetes.io/last-applied-configuration";
    let applied =
        objects.iter().filter(|(_, object)| !object.at("metadata.annotations").get(key).is_null());
    let line = |(kind, object): &(&Kind, &Tree)| {
        format!(
            "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back \
             will not update the {key} annotation, which may cause unexpected behavior on future \
             'kubectl apply' operations. Consider using 'kubectl apply' with your previous \
             configuration file instead.\n",
            kind.plural,
            object.text("metadata.name")
        )
    };
    applied.map(line).collect()
}
