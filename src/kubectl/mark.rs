//! `label`, `annotate` and `patch`: what is written onto objects that are there.

use super::Said;
use super::act::{each, named, pairs, target};
use super::cluster::Cluster;
use super::create::json_line;
use super::kinds::Kind;
use super::merge::{operations, plain, strategic};
use super::words::Args;
use crate::kube::names;
use crate::kube::tree::Tree;
use crate::text::words::quote;

pub(super) const META: &str = "overwrite! l:selector all! list! o:output f:filename dry-run: \
     resource-version: field-selector: local! A!all-namespaces";
pub(super) const PATCH: &str = "p:patch type: patch-file: o:output f:filename dry-run: local! \
     subresource:";

/// `label` and `annotate`.
pub(super) fn mark(cluster: &Cluster, args: &Args, verb: &str) -> Said {
    let (words, pairs) = pairs(&args.words);
    let (field, done) = match verb {
        "label" => ("labels", "labeled"),
        _ => ("annotations", "annotated"),
    };
    if args.has("list") && pairs.is_empty() {
        return list_marks(cluster, args, words, field);
    }
    if pairs.is_empty() {
        return Said::error(&format!(
            "at least one {} update is required",
            &field[..field.len() - 1]
        ));
    }
    if verb == "label"
        && let Some(why) = pairs.iter().find_map(|pair| wrong_label(pair))
    {
        return Said::error(&why);
    }
    let unchanged = |object: &Tree| {
        let all = object.at("metadata").get(field);
        pairs.iter().all(|pair| match pair.split_once('=') {
            Some((key, value)) => !all.get(key).is_null() && all.get(key).str() == value,
            None => all.get(pair.trim_end_matches('-')).is_null(),
        })
    };
    let mut said = each(cluster, args, words, done, |kind, object| {
        may_mark(kind, object, verb, field, pairs, args)?;
        if unchanged(object) {
            return Ok(String::new());
        }
        let pairs: Vec<String> = pairs.iter().map(|pair| quote(pair)).collect();
        Ok(format!("{verb} {} {}", target(cluster, kind, object), pairs.join(" ")))
    });
    let gone = verb == "label" && pairs.iter().all(|pair| !pair.contains('='));
    if said.actions.is_empty() && said.exit == 0 && args.flag("dry-run").is_none() {
        if gone {
            let line =
                |pair: &String| format!("label \"{}\" not found.\n", pair.trim_end_matches('-'));
            said.out.insert_str(0, &pairs.iter().map(line).collect::<String>());
        }
        said.out = said.out.replace(&format!(" {done}\n"), &format!(" not {done}\n"));
    } else if gone {
        said.out = said.out.replace(" labeled\n", " unlabeled\n");
    }
    said
}

/// Values that are there already stay, and keys are names.
fn may_mark(
    kind: &Kind,
    object: &Tree,
    verb: &str,
    field: &str,
    pairs: &[String],
    args: &Args,
) -> Result<(), String> {
    let all = object.at("metadata").get(field);
    for (key, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
        let old = all.get(key);
        if !old.is_null() && old.str() != value && !args.has("overwrite") {
            let old = old.str();
            return Err(match verb {
                "label" => {
                    format!("error: '{key}' already has a value ({old}), and --overwrite is false")
                }
                _ => format!(
                    "error: --overwrite is false but found the following declared \
                     annotation(s): '{key}' already has a value ({old})"
                ),
            });
        }
    }
    for key in pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(key, _)| key) {
        if let Some(why) = names::qualified(key).first() {
            return Err(format!(
                "The {} \"{}\" is invalid: metadata.{field}: Invalid value: \"{key}\": {why}",
                kind.name,
                object.text("metadata.name")
            ));
        }
    }
    Ok(())
}

/// What kubectl says of a label it does not take.
fn wrong_label(pair: &str) -> Option<String> {
    let (_, value) = pair.split_once('=')?;
    let why = names::label_value(value);
    Some(format!("invalid label value: \"{pair}\": {}", why.first()?))
}

/// `label POD --list`.
fn list_marks(cluster: &Cluster, args: &Args, words: &[String], field: &str) -> Said {
    let objects = match named(cluster, args, words) {
        Ok(objects) => objects,
        Err(said) => return said,
    };
    let many = objects.len() > 1;
    let mut out = String::new();
    for (kind, object) in objects {
        if many {
            let name = object.text("metadata.name");
            out.push_str(&format!(
                "Listing {field} for {}.{}/{name}:\n",
                kind.name,
                kind.group_version()
            ));
        }
        for (key, value) in object.at("metadata").get(field).entries() {
            out.push_str(&format!("{}{key}={}\n", if many { " " } else { "" }, value.show()));
        }
    }
    Said::printed(out)
}

/// Models k8s.io/kubectl/pkg/cmd/patch (v1.36).
pub(super) fn patch(cluster: &Cluster, args: &Args) -> Said {
    let Some(text) = args.flag("patch") else {
        return Said::error(
            "must specify --patch or --patch-file containing the contents of the patch",
        );
    };
    let type_ = args.flag("type").unwrap_or("strategic");
    if !["json", "merge", "strategic"].contains(&type_) {
        return Said::error(&format!(
            "--type must be one of [json merge strategic], not \"{type_}\""
        ));
    }
    if let Some(odd) = text.trim().strip_prefix('{').and_then(|rest| rest.trim().chars().next())
        && odd != '"'
        && odd != '}'
    {
        return Said::failed(&format!(
            "Error from server (BadRequest): invalid character '{odd}' looking for beginning of \
             object key string"
        ));
    }
    let patch = match crate::kube::tree_of(text) {
        Some(patch @ Tree::Map(_)) if type_ != "json" => patch,
        Some(patch @ Tree::List(_)) if type_ == "json" => patch,
        _ => return Said::error("unable to parse the patch: it is neither JSON nor YAML"),
    };
    let same = std::cell::Cell::new(false);
    let mut said = each(cluster, args, &args.words, "patched", |kind, object| {
        let target = target(cluster, kind, object);
        if let [(top, inside)] = patch.entries()
            && top == "metadata"
            && inside.entries().len() == 1
            && inside.entries().iter().all(|(key, _)| key != "finalizers")
        {
            return marks(inside, &target);
        }
        if let [(top, inside)] = patch.entries()
            && top == "spec"
            && inside.entries().len() == 1
            && let (Tree::Int(n @ 0..), now) = (inside.get("replicas"), object.at("spec.replicas"))
        {
            same.set(now == &Tree::Int(*n));
            return Ok(format!("scale {target} --replicas={n}"));
        }
        let base = base(cluster, kind, object)?;
        let mut new = base.clone();
        match type_ {
            "json" => operations(&mut new, &patch)?,
            "merge" => plain(&mut new, &patch),
            _ => strategic(&mut new, &patch, kind.name),
        }
        same.set(new == base);
        change(cluster, &target, &base, &new)
    });
    if same.get() {
        said.out = said.out.replace(" patched\n", " patched (no change)\n");
    }
    said
}

/// An object as it could be applied: without what only the server writes. Of a pod as it was
/// applied, for the server has filled in what may not be changed.
pub(super) fn base(cluster: &Cluster, kind: &Kind, object: &Tree) -> Result<Tree, String> {
    let mut base = object.clone();
    if kind.name == "Pod" {
        let name = object.text("metadata.name");
        let mine = |one: &&Tree| one.text("kind") == "Pod" && one.text("metadata.name") == name;
        let written = cluster.manifest.iter().find(mine);
        base = written.cloned().ok_or("not simulated: patches of pods that others made")?;
        images_of(&mut base, object);
        if let Some(metadata) = base.get_mut("metadata") {
            metadata.put("finalizers", object.at("metadata.finalizers").clone());
        }
    }
    Ok(bare(&base))
}

/// The object without what only the server writes.
pub(super) fn bare(object: &Tree) -> Tree {
    let mut base = object.clone();
    base.put("status", Tree::Null);
    if base.text("kind") == "Job" && !base.is_true("spec.manualSelector") {
        without_generated(&mut base);
    }
    plain_containers(&mut base);
    if let Some(metadata) = base.get_mut("metadata") {
        for own in ["creationTimestamp", "generation", "resourceVersion", "uid"] {
            metadata.put(own, Tree::Null);
        }
        if let Some(marks) = metadata.get_mut("annotations") {
            marks.put("kubectl.kubernetes.io/last-applied-configuration", Tree::Null);
        }
    }
    base
}

/// Takes the selector and the labels away that the server gave a Job.
fn without_generated(job: &mut Tree) {
    let Some(spec) = job.get_mut("spec") else { return };
    spec.put("selector", Tree::Null);
    let metadata = spec.get_mut("template").and_then(|template| template.get_mut("metadata"));
    let Some(labels) = metadata.and_then(|metadata| metadata.get_mut("labels")) else { return };
    for own in ["controller-uid", "job-name"] {
        labels.put(own, Tree::Null);
        labels.put(format!("batch.kubernetes.io/{own}"), Tree::Null);
    }
}

/// Gives a pod's containers the images they run now: these alone may have changed.
fn images_of(pod: &mut Tree, live: &Tree) {
    let Some(spec) = pod.get_mut("spec") else { return };
    for list in ["containers", "initContainers"] {
        let Some(Tree::List(all)) = spec.get_mut(list) else { continue };
        for one in all.iter_mut() {
            let now = live.at("spec").get(list).items().iter();
            let mut now = now.filter(|now| now.get("name") == one.get("name"));
            if let Some(now) = now.next() {
                one.put("image", now.get("image").clone());
            }
        }
    }
}

/// Takes away the empty `resources` the server shows where none were asked for.
fn plain_containers(object: &mut Tree) {
    let template = object.get_mut("spec").and_then(|spec| spec.get_mut("template"));
    let Some(spec) = template.and_then(|template| template.get_mut("spec")) else { return };
    for list in ["containers", "initContainers"] {
        let Some(Tree::List(all)) = spec.get_mut(list) else { continue };
        for one in all.iter_mut().filter(|one| one.get("resources").entries().is_empty()) {
            one.put("resources", Tree::Null);
        }
    }
}

/// The action that makes an object from what it is into what it is to be; the error is the
/// server's refusal.
pub(super) fn change(
    cluster: &Cluster,
    target: &str,
    base: &Tree,
    new: &Tree,
) -> Result<String, String> {
    if new == base {
        return Ok(String::new());
    }
    let mut freed = base.clone();
    if let Some(metadata) = freed.get_mut("metadata") {
        metadata.put("finalizers", new.at("metadata.finalizers").clone());
    }
    let alone = freed == *new;
    match cluster.refusal(new, Some(base)) {
        Some(why) => Err(why),
        None if alone => {
            let names = new.at("metadata.finalizers").items().iter().map(Tree::str);
            let words: Vec<&str> = ["finalizers", target].into_iter().chain(names).collect();
            Ok(words.join(" "))
        }
        None => Ok(format!("patch {target}\n{}\n---\n{}", json_line(base), json_line(new))),
    }
}

/// The action that sets or takes away labels or annotations.
pub(super) fn marks(metadata: &Tree, target: &str) -> Result<String, String> {
    let verb = match metadata.entries().first().map(|(key, _)| key.as_ref()) {
        Some("labels") => "label",
        Some("annotations") => "annotate",
        _ => return Err("not simulated: this patch of metadata".to_owned()),
    };
    let all = metadata.entries().iter().flat_map(|(_, map)| map.entries());
    let pairs = all.map(|(key, value)| match value {
        Tree::Null => format!("{key}-"),
        value => quote(&format!("{key}={}", value.show())),
    });
    Ok(format!("{verb} {target} {}", pairs.collect::<Vec<_>>().join(" ")))
}
