//! Changes a person makes to controllers' objects: scale, set, rollout, apply, delete.

use super::{Controllers, apply, deployment, finalizers, namespace, owner};
use crate::sim::model::PodTemplate;
use crate::sim::world::{State, World};
use crate::trace::{EventId, Name, Subject, What, plain};
use k8s_openapi::api::core::v1 as core;
use std::rc::Rc;

type Done = Result<(), String>;

/// The kind of what an action names, and what the run calls it: `deployment/web`, or with the
/// namespace `deployment/shop/web`.
pub(super) fn parts<'t>(world: &World, target: &'t str) -> (&'t str, Name) {
    let (kind, name) = target.split_once('/').unwrap_or(("pod", target));
    let kind = match kind.trim_end_matches('s') {
        "deploy" | "deployment.app" => "deployment",
        "r" | "replicaset.app" => "replicaset",
        "st" | "statefulset.app" => "statefulset",
        "d" | "daemonset.app" => "daemonset",
        "svc" => "service",
        "n" => "namespace",
        "ing" | "ingresse" | "ingre" => "ingress",
        "hpa" => "horizontalpodautoscaler",
        "netpol" | "networkpolicie" | "networkpolicy.networking.k8s.io" => "networkpolicy",
        "cm" => "configmap",
        "quota" => "resourcequota",
        "limit" => "limitrange",
        "pvc" => "persistentvolumeclaim",
        "pdb" => "poddisruptionbudget",
        "sa" => "serviceaccount",
        other => other,
    };
    (kind, world.st().called(kind, name))
}

pub(super) fn missing(kind: &str, name: &str) -> String {
    let name = plain(name);
    let plural = match kind {
        "ingress" => "ingresses.networking.k8s.io",
        "networkpolicy" => "networkpolicies.networking.k8s.io",
        "horizontalpodautoscaler" => "horizontalpodautoscalers.autoscaling",
        _ => return format!("Error from server (NotFound): {kind}s \"{name}\" not found"),
    };
    format!("Error from server (NotFound): {plural} \"{name}\" not found")
}

fn replicas_of(all: &Controllers, kind: &str, name: &Name) -> Option<(&'static str, u32)> {
    match kind {
        "deployment" => all.deployments.get(name).map(|one| ("deployment", one.replicas)),
        "replicaset" => all.replicasets.get(name).map(|one| ("replicaset", one.replicas)),
        _ => all.statefulsets.get(name).map(|one| ("statefulset", one.replicas)),
    }
}

pub(crate) fn scale(world: &World, target: &str, replicas: u32, event: EventId) -> Done {
    let (kind, name) = parts(world, target);
    let state = &mut world.st();
    if let Some((kind, was)) = replicas_of(&state.controllers, kind, &name)
        && was != replicas
    {
        state.edited(kind, &name);
    }
    let controllers = &mut state.controllers;
    let found = match kind {
        "deployment" => controllers.deployments.get_mut(&name).map(|one| {
            one.replicas = replicas;
            (one.surge, one.unavailable) = deployment::fenceposts(&one.spec, replicas);
            one.cause = event;
        }),
        "replicaset" => controllers.replicasets.get_mut(&name).map(|one| {
            one.replicas = replicas;
            one.cause = event;
        }),
        "statefulset" => controllers.statefulsets.get_mut(&name).map(|one| {
            one.replicas = replicas;
            one.cause = event;
        }),
        _ => return Err(format!("scaling a {kind}")),
    };
    state.touch();
    found.ok_or_else(|| missing(kind, &name))
}

/// Changes a controller's pod template; a new template is a new revision.
pub(super) fn change_template(
    world: &World,
    target: &str,
    event: EventId,
    change: impl FnOnce(&mut PodTemplate),
) -> Done {
    let (kind, name) = parts(world, target);
    let state = &mut world.st();
    let controllers: &mut Controllers = &mut state.controllers;
    let (kind, template, cause, revision) = match kind {
        "deployment" => {
            let found = controllers.deployments.get_mut(&name);
            let one = found.ok_or_else(|| missing(kind, &name))?;
            ("deployment", &mut one.template, &mut one.cause, None)
        }
        "statefulset" => {
            let found = controllers.statefulsets.get_mut(&name);
            let one = found.ok_or_else(|| missing(kind, &name))?;
            ("statefulset", &mut one.template, &mut one.cause, Some(&mut one.revision))
        }
        "daemonset" => {
            let found = controllers.daemonsets.get_mut(&name);
            let one = found.ok_or_else(|| missing(kind, &name))?;
            ("daemonset", &mut one.template, &mut one.cause, Some(&mut one.revision))
        }
        _ => return Err(format!("changing a {kind}")),
    };
    let before = template.clone();
    change(template);
    *cause = event;
    let same = before.spec == template.spec && before.annotations == template.annotations;
    if let Some(revision) = revision.filter(|_| !same) {
        *revision += 1;
    }
    if !same {
        state.edited(kind, &name);
    }
    state.touch();
    Ok(())
}

pub(crate) fn set_image(world: &World, target: &str, pairs: &[&str], event: EventId) -> Done {
    let change = |template: &mut PodTemplate| {
        let mut spec = (*template.spec).clone();
        for (name, image) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            let inits = spec.init_containers.iter_mut().flatten();
            for one in inits.chain(&mut spec.containers) {
                if name == "*" || one.name == name {
                    one.image = Some(image.to_owned());
                }
            }
        }
        template.spec = Rc::new(spec);
    };
    match parts(world, target) {
        ("pod", name) => apply::change_pod(world, &name, event, change),
        _ => change_template(world, target, event, change),
    }
}

pub(crate) fn set_env(world: &World, target: &str, pairs: &[&str], event: EventId) -> Done {
    change_template(world, target, event, |template| {
        let mut spec = (*template.spec).clone();
        for pair in pairs.iter().filter(|pair| !pair.starts_with("--")) {
            for one in &mut spec.containers {
                let env = one.env.get_or_insert_with(Vec::new);
                match (pair.split_once('='), pair.strip_suffix('-')) {
                    (Some((name, value)), _) => set_one(env, name, value),
                    (None, Some(name)) => env.retain(|var| var.name != name),
                    (None, None) => {}
                }
            }
        }
        template.spec = Rc::new(spec);
    })
}

fn set_one(env: &mut Vec<core::EnvVar>, name: &str, value: &str) {
    let var =
        core::EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None };
    match env.iter_mut().find(|old| old.name == name) {
        Some(old) => *old = var,
        None => env.push(var),
    }
}

pub(crate) fn undo(world: &World, target: &str, event: EventId) -> Done {
    let (kind, name) = parts(world, target);
    if kind != "deployment" {
        return Err(format!("rolling back a {kind}"));
    }
    let previous = deployment::previous_template(world, &name);
    let previous = previous.ok_or_else(|| format!("no rollout history found for {target}"))?;
    change_template(world, target, event, |template| *template = previous)
}

/// `rollout pause` and `rollout resume`.
pub(crate) fn pause(world: &World, target: &str, paused: bool, event: EventId) -> Done {
    let (kind, name) = parts(world, target);
    if kind != "deployment" {
        return Err(format!("pausing a {kind}"));
    }
    let state = &mut world.st();
    let one = state.controllers.deployments.get_mut(&name).ok_or_else(|| missing(kind, &name))?;
    one.paused = paused;
    one.cause = event;
    state.edited("deployment", &name);
    state.touch();
    Ok(())
}

pub(crate) fn restart(world: &World, target: &str, event: EventId) -> Done {
    let at = world.scenario.started_unix_secs + world.now().as_secs() as i64;
    change_template(world, target, event, |template| {
        let key = "kubectl.kubernetes.io/restartedAt".to_owned();
        template.annotations.insert(key, at.to_string());
    })
}

/// New values in a ConfigMap or Secret: mounted files follow later, variables never.
pub(crate) fn set_data(world: &World, target: &str, pairs: &[&str], event: EventId) -> Done {
    let (kind, name) = parts(world, target);
    let kind = match kind {
        "configmap" => "configmap",
        "secret" => "secret",
        _ => return Err(format!("setting data of a {kind}")),
    };
    let state = &mut world.st();
    let said = said_namespace(target);
    let found = state.configs.iter_mut().find(|((k, of, n), _)| {
        *k == kind && n == plain(&name) && said.is_none_or(|said| said == of)
    });
    let (_, config) = found.ok_or_else(|| missing(kind, &name))?;
    for (key, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
        config.data.insert(key.to_owned(), value.as_bytes().to_vec());
    }
    config.changed_by = Some(event);
    let subject = Subject::Object { kind: kind.into(), name };
    state.emit(subject, What::Applied, Some(event), None);
    state.touch();
    Ok(())
}

/// Applies one of the small files that exercises and recordings apply while they run.
pub(crate) fn apply(world: &World, file: &str, event: EventId) -> Done {
    let text = crate::sim::small_file(file).ok_or_else(|| format!("there is no file {file}"))?;
    super::apply::apply(world, text, event);
    Ok(())
}

/// Deletes an object that is no pod, and what it owns.
pub(crate) fn delete(
    world: &World,
    kind: &str,
    name: &str,
    words: &[&str],
    event: EventId,
) -> Done {
    let target = format!("{kind}/{name}");
    let (kind, name) = parts(world, &target);
    let cascade = owner::Cascade::of(words)?;
    if kind == "namespace" {
        return namespace::delete(world, &name, event);
    }
    let of = namespace_of(world, &target);
    if finalizers::hold(&world.st(), kind, &of, &name) {
        finalizers::delete(world, (kind, &name), &target, words, event);
        return Ok(());
    }
    if owner::owns(kind) {
        return owner::delete(world, (kind, &name), cascade, event);
    }
    if !remove(world, kind, &of, &name) {
        return Err(missing(kind, &name));
    }
    let subject = Subject::Object { kind: kind.into(), name: name.clone() };
    world.st().emit(subject, What::Removed, Some(event), None);
    world.st().marks.retain(|(of, one, _), _| (of.as_str(), one) != (kind, &name));
    world.st().touch();
    Ok(())
}

/// The namespace of what an action names.
pub(super) fn namespace_of(world: &World, target: &str) -> String {
    said_namespace(target).unwrap_or(&world.scenario.namespace).to_owned()
}

/// The namespace an action names: `shop` of `service/shop/web`.
fn said_namespace(target: &str) -> Option<&str> {
    target.split_once('/')?.1.split_once('/').map(|(namespace, _)| namespace)
}

fn remove(world: &World, kind: &str, namespace: &str, name: &Name) -> bool {
    let state = &mut world.st();
    let own = plain(name);
    let key = |kind: &'static str| (kind, namespace.to_owned(), own.to_owned());
    match kind {
        "service" => state.controllers.services.remove(name).is_some(),
        "horizontalpodautoscaler" => state.controllers.scalers.all.remove(name).is_some(),
        "ingress" => {
            let before = state.controllers.ingresses.all.len();
            state
                .controllers
                .ingresses
                .all
                .retain(|one| &*one.name != own || one.namespace != namespace);
            state.controllers.ingresses.all.len() < before
        }
        "networkpolicy" => {
            let before = state.controllers.policies.len();
            state.controllers.policies.retain(|(of, known), _| of != namespace || &**known != own);
            let known = state.controllers.policies.len() < before;
            forget(state, kind, namespace, own) || known
        }
        "configmap" => state.configs.remove(&key("configmap")).is_some(),
        "secret" => state.configs.remove(&key("secret")).is_some(),
        _ => forget(state, kind, namespace, own),
    }
}

/// Objects that only say what others may be, or that nobody acts on.
fn forget(state: &mut State, kind: &str, namespace: &str, name: &str) -> bool {
    let pair = (namespace.to_owned(), name.to_owned());
    match kind {
        "poddisruptionbudget" => {
            state.budgets.retain(|one| one.name != name || one.namespace != namespace);
        }
        "resourcequota" => drop(state.rules.quotas.remove(&pair)),
        "limitrange" => drop(state.rules.ranges.remove(&pair)),
        "serviceaccount" => drop(state.rules.accounts.remove(&pair)),
        _ => {}
    }
    state.applied.remove(&(kind.to_owned(), pair.0, pair.1)).is_some()
}
