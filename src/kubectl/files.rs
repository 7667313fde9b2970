//! Commands that read files: apply, create, delete, diff and replace with `-f`, and edit. The lab
//! has the manifest of the run, `manifest.yaml`, and the small files exercises know; no others.

use super::cluster::Cluster;
use super::mark;
use super::merge::{holds, strategic};
use super::words::Args;
use super::{Said, act, create, get, kinds};
use crate::kube::tree::Tree;
use crate::sim;

pub(super) const APPLY: &str = "f:filename k:kustomize prune! server-side! dry-run: o:output \
     force-conflicts! validate: R!recursive l:selector all! wait! overwrite! field-manager: force! \
     grace-period: cascade: timeout: save-config!";

/// The name of the run's manifest.
const MANIFEST: &str = "manifest.yaml";

/// What a file holds; nothing where the lab has no such file.
fn objects(cluster: &Cluster, file: &str) -> Option<Vec<Tree>> {
    if file.rsplit('/').next() == Some(MANIFEST) {
        return Some(cluster.manifest.clone());
    }
    sim::small_file(file).map(|text| crate::kube::tree_of(text).into_iter().collect())
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

fn pairs<'c>(cluster: &'c Cluster, args: &Args, written: &'c [Tree]) -> Vec<Pair<'c>> {
    let usual = get::namespace(cluster, args);
    let pair = |written: &'c Tree| {
        let kind = kinds::of(written.text("kind"))?;
        let namespace = match written.text("metadata.namespace") {
            "" => usual.as_str(),
            namespace => namespace,
        };
        Some((kind, written, cluster.one(kind, namespace, written.text("metadata.name"))))
    };
    written.iter().filter_map(pair).collect()
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
    let Some(written) = objects(cluster, file) else { return absent(file) };
    let note = match args.flag("dry-run") {
        None | Some("none") => "",
        Some("server") => " (server dry run)",
        Some(_) => " (dry run)",
    };
    let mut said = Said::default();
    for (kind, written, live) in pairs(cluster, args, &written) {
        let (done, actions) = match live {
            None => ("created", Ok(vec![format!("create {}", create::json_line(written))])),
            Some(live) if unchanged(written, live) => ("unchanged", Ok(Vec::new())),
            Some(live) => ("configured", back(cluster, kind, written, live)),
        };
        let actions = match actions {
            Ok(actions) => actions,
            Err(why) => {
                said.err.push_str(&format!("{}\n", why.trim_end()));
                said.exit = 1;
                continue;
            }
        };
        let done = if args.flag("server-side").is_some() { "serverside-applied" } else { done };
        let name = written.text("metadata.name");
        said.out.push_str(&format!("{}/{name} {done}{note}\n", kind.prefix()));
        if note.is_empty() {
            said.actions.extend(actions);
        }
    }
    said
}

/// What brings an object back to what is written; the error is the server's refusal.
fn back(
    cluster: &Cluster,
    kind: &kinds::Kind,
    written: &Tree,
    live: &Tree,
) -> Result<Vec<String>, String> {
    let target = act::target(kind, live);
    let mut actions = Vec::new();
    for field in ["labels", "annotations"] {
        let have = live.at("metadata").get(field);
        let all = written.at("metadata").get(field).entries().iter();
        let other = all.filter(|(key, value)| have.get(key) != value).cloned();
        let other = Tree::Map(other.collect());
        if !other.entries().is_empty() {
            let metadata = Tree::of(vec![(field, other)]);
            actions.push(mark::marks(&metadata, &target)?);
        }
    }
    let base = mark::base(cluster, kind, live)?;
    let (mut new, mut parts) = (base.clone(), written.clone());
    parts.put("metadata", Tree::Null);
    strategic(&mut new, &parts, kind.name);
    let change = mark::change(cluster, &target, &base, &new)?;
    actions.extend(Some(change).filter(|change| !change.is_empty()));
    Ok(actions)
}

/// `create -f` and `delete -f`.
pub(super) fn each(cluster: &Cluster, args: &Args, file: &str, verb: &str) -> Said {
    let Some(written) = objects(cluster, file) else { return absent(file) };
    let mut said = Said::default();
    for (kind, written, live) in pairs(cluster, args, &written) {
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
    let Some(written) = objects(cluster, file) else { return Said { exit: 2, ..absent(file) } };
    let other = |(_, written, live): &Pair| !live.is_some_and(|live| unchanged(written, live));
    let changed: Vec<Pair> = pairs(cluster, args, &written).into_iter().filter(other).collect();
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
pub(super) fn replace(cluster: &Cluster, args: &Args) -> Said {
    match args.flag("filename") {
        None => Said::error("must specify one of -f and -k"),
        Some(file) if objects(cluster, file).is_some() => {
            Said::error("not simulated: kubectl replace")
        }
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
