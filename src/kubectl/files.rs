//! Commands that read files: apply, create, delete and replace with `-f`, and edit. There are the
//! person's own files, the manifest of the run and the small files exercises know; no others.

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

/// What the files of a command hold; the error is what kubectl says of one it cannot read.
pub(super) fn objects(cluster: &Cluster, args: &Args, verb: &str) -> Result<Vec<Tree>, Said> {
    let mut found = Vec::new();
    for file in args.all("filename").iter().flat_map(|one| one.split(',')) {
        let small = || sim::small_file(file).map(|text| vec![text]);
        match cluster.desk.read(file).or_else(small) {
            Some(texts) => {
                for text in texts {
                    found.extend(read(cluster, file, text)?);
                }
            }
            None if file.trim_start_matches("./") == MANIFEST => {
                found.extend(cluster.manifest.iter().cloned());
            }
            None if file == "-" => {}
            None => return Err(Said::error(&format!("the path \"{file}\" does not exist"))),
        }
    }
    match found.is_empty() {
        true => Err(Said::error(&format!("no objects passed to {verb}"))),
        false => Ok(found),
    }
}

/// The objects of one text, or why it is none.
fn read(cluster: &Cluster, file: &str, text: &str) -> Result<Vec<Tree>, Said> {
    let found = crate::kube::trees_of(text);
    let odd = found.iter().any(|one| one.text("kind").is_empty());
    let refused = cluster.review.filter(|_| found.is_empty() || odd);
    let said = refused.and_then(|review| review(text, &|_| None).1.into_iter().next());
    match said {
        Some(why) => {
            let name = if file == "-" { "STDIN" } else { file };
            Err(Said::failed(why.replace("STDIN", name).trim_end()))
        }
        None => Ok(found),
    }
}

/// An object of the manifest, its kind and the object of its name in the cluster.
pub(super) type Pair<'c> = (&'static kinds::Kind, &'c Tree, Option<&'c Tree>);

pub(super) fn pairs<'c>(cluster: &'c Cluster, args: &Args, written: &'c [Tree]) -> Vec<Pair<'c>> {
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
    if args.flag("filename").is_none() {
        return Said::error("must specify one of -f and -k");
    }
    let written = match objects(cluster, args, "apply") {
        Ok(written) => written,
        Err(said) => return said,
    };
    let note = match args.flag("dry-run") {
        None | Some("none") => "",
        Some("server") => " (server dry run)",
        Some(_) => " (dry run)",
    };
    let mut said = Said::default();
    for (kind, written, live) in pairs(cluster, args, &written) {
        let (done, actions) = match live {
            None => ("created", made(cluster, written)),
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
    let target = act::target(cluster, kind, live);
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

/// The action that makes an object; the error is the server's refusal.
fn made(cluster: &Cluster, written: &Tree) -> Result<Vec<String>, String> {
    match cluster.refusal(written, None) {
        Some(why) => Err(why),
        None => Ok(vec![format!("create {}", create::json_line(written))]),
    }
}

/// `create -f` and `delete -f`.
pub(super) fn each(cluster: &Cluster, args: &Args, file: &str, verb: &str) -> Said {
    let written = match objects(cluster, args, verb) {
        Ok(written) => written,
        Err(said) => return said,
    };
    let (mut said, dry) = (Said::default(), act::dry_note(args));
    for (kind, written, live) in pairs(cluster, args, &written) {
        let name = written.text("metadata.name");
        match (verb, live) {
            ("create", None) => match made(cluster, written) {
                Ok(actions) => {
                    said.out.push_str(&format!("{}/{name} created{dry}\n", kind.prefix()));
                    said.actions.extend(actions.into_iter().filter(|_| dry.is_empty()));
                }
                Err(why) => {
                    said.err.push_str(&format!("{}\n", why.trim_end()));
                    said.exit = 1;
                }
            },
            ("create", Some(_)) => {
                let file = if file == "-" { "STDIN" } else { file };
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
                said.out.push_str(&format!("{} \"{name}\" deleted{from}{dry}\n", kind.prefix()));
                let grace = args.flag("grace-period").filter(|_| !args.has("now"));
                let grace = grace.or(args.has("now").then_some("1"));
                let grace = grace.or(args.has("force").then_some("0"));
                let grace = grace.map_or(String::new(), |n| format!(" --grace-period={n}"));
                let force = if args.has("force") { " --force" } else { "" };
                let target = act::target(cluster, kind, live);
                let action = format!("delete {target}{grace}{force}");
                said.actions.extend(dry.is_empty().then_some(action));
            }
            (_, None) if args.has("ignore-not-found") => {}
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

/// `replace -f`: objects become what is written, whatever they were.
/// Models k8s.io/kubectl/pkg/cmd/replace (v1.36).
pub(super) fn replace(cluster: &Cluster, args: &Args) -> Said {
    let forced = args.has("force");
    let grace = args.flag("grace-period").and_then(|n| n.parse::<i64>().ok()).unwrap_or(-1);
    match args.flag("filename") {
        None => return Said::error("must specify one of -f and -k"),
        _ if grace >= 0 && !forced => {
            return Said::error("--grace-period must have --force specified");
        }
        _ if args.flag("timeout").is_some() && !forced => {
            return Said::error("--timeout must have --force specified");
        }
        _ => {}
    }
    let written = match objects(cluster, args, "replace") {
        Ok(written) => written,
        Err(said) => return said,
    };
    let (mut said, dry) = (Said::default(), act::dry_note(args));
    for (kind, written, live) in pairs(cluster, args, &written) {
        let name = written.text("metadata.name");
        let done = match live {
            None => {
                let file = args.flag("filename").unwrap_or("");
                Err(format!(
                    "Error from server (NotFound): error when replacing \"{file}\": {} \"{name}\" \
                     not found",
                    kind.full()
                ))
            }
            Some(live) => anew(cluster, kind, written, live),
        };
        match done {
            Ok(action) => {
                said.out.push_str(&format!("{}/{name} replaced{dry}\n", kind.prefix()));
                said.actions.extend((dry.is_empty() && !action.is_empty()).then_some(action));
            }
            Err(why) => {
                said.err.push_str(&format!("{}\n", why.trim_end()));
                said.exit = 1;
            }
        }
    }
    said
}

/// The action that puts what is written in an object's place.
fn anew(
    cluster: &Cluster,
    kind: &kinds::Kind,
    written: &Tree,
    live: &Tree,
) -> Result<String, String> {
    // A pod is compared as it is: what the server filled in may not be left out.
    let base = match kind.name {
        "Pod" => mark::bare(live),
        _ => mark::base(cluster, kind, live)?,
    };
    let mut new = mark::bare(written);
    if let Some(metadata) = new.get_mut("metadata") {
        metadata.put_new("namespace", base.at("metadata.namespace").clone());
    }
    let template = written.at("spec.template");
    if let Some(spec) = new.get_mut("spec").filter(|_| !template.is_null()) {
        let same = template == live.at("spec.template");
        spec.put("template", if same { base.at("spec.template") } else { template }.clone());
    }
    mark::change(cluster, &act::target(cluster, kind, live), &base, &new)
}

pub(super) fn edit(cluster: &Cluster, args: &Args) -> Said {
    let found = get::asked(&args.words).and_then(|asked| get::find(cluster, args, &asked));
    match found {
        Ok((_, missing)) if !missing.is_empty() => return Said::failed(&missing.join("\n")),
        Err(why) if !args.words.is_empty() => return Said::error(&why),
        _ => {}
    }
    Said::error(
        "not simulated: an editor in a terminal. Use kubectl set, scale, patch, label or annotate; \
         or: kubectl get ... -o yaml > x.yaml, sed -i on it, kubectl replace -f x.yaml",
    )
}
