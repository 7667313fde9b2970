//! Commands that read files: apply, create, delete, diff and replace with `-f`, and edit. The lab
//! has the manifest of the run, `manifest.yaml`, and the small files exercises know; no others.

use super::cluster::Cluster;
use super::merge::holds;
use super::words::Args;
use super::{Said, create, get, kinds};
use crate::kube::tree::Tree;

pub(super) const APPLY: &str = "f:filename k:kustomize prune! server-side! dry-run: o:output \
     force-conflicts! validate: R!recursive l:selector all! wait! overwrite! field-manager: force! \
     grace-period: cascade: timeout: save-config!";

/// The name of the run's manifest.
const MANIFEST: &str = "manifest.yaml";

/// Small files: name, the ConfigMap in it.
const KNOWN: [(&str, &str); 2] =
    [("later-db.yaml", "later-db"), ("late-config.yaml", "late-config")];

fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

fn absent(file: &str) -> Said {
    if file == "-" {
        return Said::error("no objects passed to apply");
    }
    Said::error(&format!(
        "the path \"{file}\" does not exist\n(the lab has one file: {MANIFEST}, what the run began \
         with)"
    ))
}

/// An object of the manifest, its kind and the object of its name in the cluster.
type Pair<'c> = (&'static kinds::Kind, &'c Tree, Option<&'c Tree>);

fn pairs<'c>(cluster: &'c Cluster, args: &Args) -> Vec<Pair<'c>> {
    let usual = get::namespace(cluster, args);
    let pair = |written: &'c Tree| {
        let kind = kinds::of(written.text("kind"))?;
        let namespace = match written.text("metadata.namespace") {
            "" => usual.as_str(),
            namespace => namespace,
        };
        Some((kind, written, cluster.one(kind, namespace, written.text("metadata.name"))))
    };
    cluster.manifest.iter().filter_map(pair).collect()
}

/// Whether an object stands as its manifest wants it.
fn unchanged(written: &Tree, live: &Tree) -> bool {
    let kind = written.text("kind");
    let parts = written.entries().iter();
    let mut parts = parts.filter(|(key, _)| !["apiVersion", "kind", "metadata"].contains(&&**key));
    let marks = ["labels", "annotations"].iter().all(|key| {
        holds(written.at("metadata").get(key), live.at("metadata").get(key), "", kind)
            || written.at("metadata").get(key).is_null()
    });
    marks && parts.all(|(key, value)| holds(value, live.get(key), key, kind))
}

/// Models k8s.io/kubectl/pkg/cmd/apply (v1.36).
pub(super) fn apply(cluster: &Cluster, args: &Args) -> Said {
    let Some(file) = args.flag("filename") else {
        return Said::error("must specify one of -f and -k");
    };
    let base = base(file);
    if let Some((_, name)) = KNOWN.iter().find(|(known, _)| *known == base) {
        let namespace = get::namespace(cluster, args);
        let there = kinds::of("ConfigMap").and_then(|kind| cluster.one(kind, &namespace, name));
        return match there {
            Some(_) => Said::printed(format!("configmap/{name} unchanged\n")),
            None => Said {
                out: format!("configmap/{name} created\n"),
                actions: vec![format!("apply {base}")],
                ..Said::default()
            },
        };
    }
    if base != MANIFEST {
        return absent(file);
    }
    let note = match args.flag("dry-run") {
        None | Some("none") => "",
        Some("server") => " (server dry run)",
        Some(_) => " (dry run)",
    };
    let mut said = Said::default();
    for (kind, written, live) in pairs(cluster, args) {
        let done = match live {
            None => "created",
            Some(live) if unchanged(written, live) => "unchanged",
            Some(_) => "configured",
        };
        if args.flag("server-side").is_some() {
            let line =
                format!("{}/{} serverside-applied", kind.prefix(), written.text("metadata.name"));
            said.out.push_str(&format!("{line}{note}\n"));
        } else {
            let name = written.text("metadata.name");
            said.out.push_str(&format!("{}/{name} {done}{note}\n", kind.prefix()));
        }
        if note.is_empty() && done == "created" {
            said.actions.push(format!("create {}", create::json_line(written)));
        }
        if note.is_empty() && done == "configured" {
            said.actions.extend(back(kind, written, live.unwrap_or(written)));
        }
    }
    said
}

/// What brings an object's number of pods back to what is written; other changes of a running
/// object are the editor's to make.
fn back(kind: &kinds::Kind, written: &Tree, live: &Tree) -> Option<String> {
    let (wanted, now) = (written.at("spec.replicas"), live.at("spec.replicas"));
    let name = written.text("metadata.name");
    match wanted {
        Tree::Int(n) if wanted != now => {
            Some(format!("scale {}/{name} --replicas={n}", kind.name.to_lowercase()))
        }
        _ => None,
    }
}

/// `create -f` and `delete -f`.
pub(super) fn each(cluster: &Cluster, args: &Args, file: &str, verb: &str) -> Said {
    if base(file) != MANIFEST {
        return absent(file);
    }
    let mut said = Said::default();
    for (kind, written, live) in pairs(cluster, args) {
        let name = written.text("metadata.name");
        match (verb, live) {
            ("create", None) => {
                said.out.push_str(&format!("{}/{name} created\n", kind.prefix()));
                said.actions.push(format!("create {}", create::json_line(written)));
            }
            ("create", Some(_)) => {
                said.err.push_str(&format!(
                    "Error from server (AlreadyExists): error when creating \"{file}\": {} \
                     \"{name}\" already exists\n",
                    kind.full()
                ));
                said.exit = 1;
            }
            (_, Some(live)) => {
                let from = match kind.namespaced {
                    true => format!(" from {} namespace", live.text("metadata.namespace")),
                    false => String::new(),
                };
                said.out.push_str(&format!("{} \"{name}\" deleted{from}\n", kind.prefix()));
                said.actions.push(format!("delete {}/{name}", kind.name.to_lowercase()));
            }
            (_, None) => {
                said.err.push_str(&format!(
                    "Error from server (NotFound): error when deleting \"{file}\": {} \"{name}\" \
                     not found\n",
                    kind.full()
                ));
                said.exit = 1;
            }
        }
    }
    said
}

/// `diff -f`: what stands otherwise than it is written, by name.
pub(super) fn diff(cluster: &Cluster, args: &Args) -> Said {
    let Some(file) = args.flag("filename") else {
        return Said::error("must specify one of -f and -k");
    };
    if base(file) != MANIFEST {
        return Said { exit: 2, ..absent(file) };
    }
    let other = |(_, written, live): &Pair| !live.is_some_and(|live| unchanged(written, live));
    let changed: Vec<Pair> = pairs(cluster, args).into_iter().filter(other).collect();
    if changed.is_empty() {
        return Said::default();
    }
    let line = |(kind, written, live): Pair| {
        let how = if live.is_some() { "differs" } else { "is not there" };
        format!(
            "(not simulated: the lines of a diff) {}/{} {how}\n",
            kind.prefix(),
            written.text("metadata.name")
        )
    };
    Said { out: changed.into_iter().map(line).collect(), exit: 1, ..Said::default() }
}

/// `replace -f`: only a file that is there could be.
pub(super) fn replace(_: &Cluster, args: &Args) -> Said {
    match args.flag("filename") {
        None => Said::error("must specify one of -f and -k"),
        Some(file) if base(file) == MANIFEST => Said::error("not simulated: kubectl replace"),
        Some(file) => absent(file),
    }
}

pub(super) fn edit(cluster: &Cluster, args: &Args) -> Said {
    let found = get::asked(&args.words).and_then(|asked| get::find(cluster, args, &asked));
    match found {
        Ok((_, missing)) if !missing.is_empty() => return Said::failed(&missing.join("\n")),
        Err(why) if !args.words.is_empty() => return Said::error(&why),
        _ => {}
    }
    Said::error(
        "not simulated: kubectl's own editor. Change the manifest in the editor of this page, or \
         use kubectl set, scale, patch, label or annotate here",
    )
}
