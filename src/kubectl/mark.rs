//! `label`, `annotate` and `patch`: what is written onto objects that are there.

use super::Said;
use super::act::{each, named, pairs, target};
use super::cluster::Cluster;
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
        let all = object.at("metadata").get(field);
        for (key, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            let old = all.get(key);
            if !old.is_null() && old.str() != value && !args.has("overwrite") {
                let old = old.str();
                return Err(match verb {
                    "label" => format!(
                        "error: '{key}' already has a value ({old}), and --overwrite is false"
                    ),
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
        if unchanged(object) {
            return Ok(String::new());
        }
        let pairs: Vec<String> = pairs.iter().map(|pair| quote(pair)).collect();
        Ok(format!("{verb} {} {}", target(kind, object), pairs.join(" ")))
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

/// `patch`: replicas and a template's images are simulated, all else says that it is not.
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
    let Some(patch) = crate::kube::tree_of(text).filter(|tree| !tree.entries().is_empty()) else {
        return Said::error("unable to parse the patch: it is neither JSON nor YAML");
    };
    let mut said = each(cluster, args, &args.words, "patched", |kind, object| {
        let target = target(kind, object);
        let Some((top, inside)) = patch.entries().first() else { return Ok(String::new()) };
        let replicas = inside.get("replicas");
        let single = patch.entries().len() == 1 && inside.entries().len() == 1;
        match (top.as_ref(), replicas) {
            ("spec", Tree::Int(n)) if single => Ok(format!("scale {target} --replicas={n}")),
            ("metadata", _) if single => marks(inside, &target),
            _ => Err("not simulated: patches other than of spec.replicas, metadata.labels and \
                      metadata.annotations"
                .to_owned()),
        }
    });
    // One patch may hold several actions.
    said.actions = said.actions.iter().flat_map(|all| all.split('\n')).map(str::to_owned).collect();
    said
}

fn marks(metadata: &Tree, target: &str) -> Result<String, String> {
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
