//! Further changes a person makes: labels, resources, pausing, objects of a command line.

use super::change::{change_template, missing, parts};
use super::{api, deployment, load, security};
use crate::kube;
use crate::sim::world::World;
use crate::trace::EventId;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

type Done = Result<(), String>;

/// `label` and `annotate`: `key=value` sets, `key-` takes away. Labels of a namespace also say what
/// its pods may be.
pub(crate) fn mark(
    world: &World,
    verb: &str,
    target: &str,
    pairs: &[&str],
    event: EventId,
) -> Done {
    let (kind, name) = parts(world, target);
    if kind == "namespace" && verb == "label" {
        security::label_namespace(world, &name, |labels| edit(labels, pairs), event);
        return Ok(());
    }
    if kind == "node" && verb == "label" {
        let state = &mut world.st();
        let node = state.nodes.iter_mut().find(|node| *node.name == *name);
        edit(&mut node.ok_or_else(|| missing(kind, &name))?.labels, pairs);
        state.touch();
    }
    if kind != "pod" {
        let field = if verb == "label" { "labels" } else { "annotations" };
        let mut state = world.st();
        let map = state.marks.entry((kind.to_owned(), name, field)).or_default();
        for pair in pairs.iter().filter(|pair| !pair.starts_with("--")) {
            match (pair.split_once('='), pair.strip_suffix('-')) {
                (Some((key, value)), _) => map.insert(key.to_owned(), Some(value.to_owned())),
                (None, Some(key)) => map.insert(key.to_owned(), None),
                (None, None) => None,
            };
        }
        return Ok(());
    }
    let id = api::by_name(&world.st(), &name).ok_or_else(|| missing(kind, &name))?;
    world.pod(id, |pod| {
        let map = match verb {
            "label" => &mut pod.template.labels,
            _ => &mut pod.template.annotations,
        };
        edit(map, pairs);
    });
    world.st().touch();
    Ok(())
}

fn edit(map: &mut BTreeMap<String, String>, pairs: &[&str]) {
    for pair in pairs.iter().filter(|pair| !pair.starts_with("--")) {
        match (pair.split_once('='), pair.strip_suffix('-')) {
            (Some((key, value)), _) => drop(map.insert(key.to_owned(), value.to_owned())),
            (None, Some(key)) => drop(map.remove(key)),
            (None, None) => {}
        }
    }
}

/// `set resources`: `--limits=cpu=1,memory=64Mi`.
pub(crate) fn set_resources(world: &World, target: &str, flags: &[&str], event: EventId) -> Done {
    let flag = |name: &str| flags.iter().find_map(|word| word.strip_prefix(name));
    let table = |text: &str| -> BTreeMap<String, Quantity> {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).collect()
    };
    change_template(world, target, event, |template| {
        let mut spec = (*template.spec).clone();
        let chosen = flag("--containers=").unwrap_or("*");
        for one in spec.containers.iter_mut().filter(|c| chosen == "*" || chosen == c.name) {
            let resources: &mut core::ResourceRequirements = one.resources.get_or_insert_default();
            if let Some(text) = flag("--limits=") {
                resources.limits.get_or_insert_default().extend(table(text));
            }
            if let Some(text) = flag("--requests=") {
                resources.requests.get_or_insert_default().extend(table(text));
            }
        }
        template.spec = Rc::new(spec);
    })
}

/// `rollout undo --to-revision=N`.
pub(crate) fn undo_to(world: &World, target: &str, revision: u32, event: EventId) -> Done {
    let (_, name) = parts(world, target);
    let wanted = deployment::template_of_revision(world, &name, revision);
    let wanted = wanted.ok_or_else(|| format!("unable to find specified revision {revision}"))?;
    change_template(world, target, event, |template| *template = wanted)
}

/// Objects of a command line, as JSON: what `create` and `run` make.
pub(crate) fn create(world: &World, text: &str, event: EventId) -> Done {
    let desired = kube::read(text);
    if desired.objects.is_empty() {
        return Err("creating this object".to_owned());
    }
    load::apply(world, &Arc::new(desired), Some(event));
    Ok(())
}
