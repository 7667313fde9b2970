//! What the person does to the cluster, in kubectl's words.

use super::command;
use super::control::{
    api, apply, budget, change, debug, edit, finalizers, load, node as nodes, work,
};
use super::faults;
use super::model::PodId;
use super::world::World;
use crate::order::Order;
use crate::text::{number, words};
use crate::time::SimTime;
use crate::trace::{EventId, Subject, What, plain};

/// The run's first instant, then each action at its time.
pub(crate) async fn run(world: World) {
    let desired = world.scenario.desired.clone();
    load::apply(&world, &desired, None);
    let actions = world.scenario.actions.clone();
    for (at, action) in actions {
        world.clock.sleep_until(at).await;
        // A manifest comes after the words that apply it.
        let words = action.lines().next().unwrap_or("").to_owned();
        let what = What::Acted { action: words };
        let event = world.st().emit(Subject::Cluster, what, None, None);
        let Some(work) = work() else { return };
        if let Err(why) = (work.perform)(&world, &action, event) {
            // A server that says no is part of the picture.
            let no = ["Error from server", "The Pod "].iter().any(|head| why.starts_with(head));
            let what = match no {
                true => What::Note { text: why },
                false => What::NotSimulated { what: why },
            };
            world.st().emit(Subject::Cluster, what, Some(event), None);
        }
    }
}

/// Does something now that no scenario knew of.
pub(crate) fn act(world: &World, action: &str) -> Result<(), String> {
    let what = What::Acted { action: action.to_owned() };
    let event = world.st().emit(Subject::Cluster, what, None, None);
    let Some(work) = work() else { return Ok(()) };
    (work.perform)(world, action, event)
}

/// `12.5 delete pod/x`: an action so many seconds later.
fn act_later(world: &World, words: &str, event: EventId) -> Result<(), String> {
    let (secs, action) = words.split_once(' ').unwrap_or((words, ""));
    let secs = number::parse(secs).ok_or_else(|| format!("the action `after {words}`"))?;
    let (copy, action) = (world.clone(), action.to_owned());
    let span = SimTime::from_millis((secs.clamp(0.0, 86_400.0) * 1000.0) as u64);
    world.clock.spawn(async move {
        copy.clock.sleep(span).await;
        if let Err(what) = perform(&copy, &action, event) {
            copy.st().emit(Subject::Cluster, What::NotSimulated { what }, Some(event), None);
        }
    });
    Ok(())
}

/// An action that carries manifests.
fn whole(world: &World, head: &str, text: &str, event: EventId) {
    match head.starts_with("patch ") {
        true => apply::patch(world, text, event),
        false => apply::apply(world, text, event),
    }
}

/// `scale deployment web` as `scale deployment/web`.
fn join_target(words: &mut Vec<String>) {
    let at = match words.first().map(String::as_str) {
        Some("scale") => 1,
        Some("set" | "rollout") => 2,
        _ => return,
    };
    let is_plain = |word: &String| !word.contains(['/', '=']) && !word.starts_with('-');
    if words.get(at).is_some_and(is_plain) && words.get(at + 1).is_some_and(is_plain) {
        let name = words.remove(at + 1);
        words[at] = format!("{}/{name}", words[at]);
    }
}

/// Does one action; the error says what of it we do not understand or find.
pub(super) fn perform(world: &World, action: &str, event: EventId) -> Result<(), String> {
    let action = action.strip_prefix("kubectl ").unwrap_or(action);
    if let Some(text) = action.strip_prefix("create ").filter(|text| text.starts_with('{')) {
        return edit::create(world, text, event);
    }
    let carries = |head: &str| ["apply", "patch "].iter().any(|word| head.starts_with(word));
    if let Some((head, text)) = action.split_once('\n').filter(|(head, _)| carries(head)) {
        whole(world, head, text, event);
        return Ok(());
    }
    if let Some(later) = action.strip_prefix("after ") {
        return act_later(world, later, event);
    }
    let mut split = words::split(action).unwrap_or_default();
    join_target(&mut split);
    let words: &[&str] = &split.iter().map(String::as_str).collect::<Vec<_>>();
    let flag = |name: &str| {
        words.iter().find_map(|w| w.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
    };
    match words {
        ["delete", target, rest @ ..] => {
            let force = rest.contains(&"--force");
            let now = rest.contains(&"--now").then_some(1);
            let grace = flag("--grace-period").and_then(|g| g.parse::<i64>().ok()).or(now);
            delete(world, target, rest, grace.filter(|g| *g >= 0), force, event)
        }
        ["scale", target, ..] => {
            let replicas = flag("--replicas").and_then(|n| n.parse().ok());
            change::scale(world, target, replicas.ok_or("scale needs --replicas=N")?, event)
        }
        ["set", "image", target, pairs @ ..] => change::set_image(world, target, pairs, event),
        ["set", "env", target, pairs @ ..] => change::set_env(world, target, pairs, event),
        ["set", "resources", target, flags @ ..] => {
            edit::set_resources(world, target, flags, event)
        }
        [verb @ ("label" | "annotate"), rest @ ..] => mark(world, verb, rest, event),
        ["debug", rest @ ..] => debug::debug(world, rest, event),
        ["exec", target, "-c", container, "--", argv @ ..] => exec(world, target, container, argv),
        ["rollout", "undo", target, ..] if flag("--to-revision").is_some() => {
            let revision = flag("--to-revision").and_then(|n| n.parse().ok()).unwrap_or(0);
            edit::undo_to(world, target, revision, event)
        }
        ["rollout", "undo", target, ..] => change::undo(world, target, event),
        ["rollout", word @ ("pause" | "resume"), target, ..] => {
            change::pause(world, target, *word == "pause", event)
        }
        ["rollout", "restart", target, ..] => change::restart(world, target, event),
        ["apply", file] | ["apply", "-f", file] => change::apply(world, file, event),
        ["deletefirst", label, ..] => delete_first(world, label, event),
        ["set", "data", target, pairs @ ..] => change::set_data(world, target, pairs, event),
        ["cordon", node] => nodes::cordon(world, node, true, event),
        ["uncordon", node] => nodes::cordon(world, node, false, event),
        ["drain", node, ..] => nodes::drain(world, node, event),
        ["finalizers", target, names @ ..] => finalizers::set(world, target, names),
        ["evict", target, ..] => evict(world, target, event),
        _ => outside(world, words)
            .or_else(|| faults::perform(world, words, event))
            .unwrap_or_else(|| Err(format!("the action `{action}`"))),
    }
}

/// `label pod/x a=b` and `label pod x a=b`.
fn mark(world: &World, verb: &str, words: &[&str], event: EventId) -> Result<(), String> {
    let is_pair = |word: &str| word.contains('=') || word.ends_with('-');
    match words {
        [kind, name, pairs @ ..] if !kind.contains('/') && !is_pair(name) => {
            edit::mark(world, verb, &format!("{kind}/{name}"), pairs, event)
        }
        [target, pairs @ ..] => edit::mark(world, verb, target, pairs, event),
        [] => Err(format!("`{verb}` of nothing")),
    }
}

/// What no API server is asked for: faults, requests of a person's own machine.
fn outside(world: &World, words: &[&str]) -> Option<Result<(), String>> {
    Some(match words {
        // A forwarded port stays open on the person's own machine; nothing changes in the cluster.
        ["port-forward", ..] => Ok(()),
        ["request", target, port, path] => {
            let asked = command::ask(world, target, port.parse().unwrap_or(0), (path, "localhost"));
            asked.map(|_| ()).ok_or_else(|| format!("{target} does not run"))
        }
        _ => return None,
    })
}

/// Starts a command in a container; what it prints is not kept.
fn exec(world: &World, target: &str, container: &str, argv: &[&str]) -> Result<(), String> {
    let name = target.split_once('/').map_or(target, |(_, name)| name);
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let begun = command::begin(world, (name, container), argv, EXEC_MAX);
    begun.map(|_| ()).ok_or_else(|| format!("container {container} of pod {name} does not run"))
}

/// A command in a container ends after this long at the latest.
const EXEC_MAX: SimTime = SimTime::from_secs(3_600);

/// `pod/web` and `pod/shop/web` without the kind.
pub(super) fn without_kind(target: &str) -> &str {
    match target.split_once('/') {
        Some(("pod" | "pods" | "po", name)) => name,
        _ => target,
    }
}

pub(super) fn pod_id(world: &World, name: &str) -> Result<PodId, String> {
    let name = without_kind(name);
    let found = api::said(&world.st(), name);
    let name = plain(name);
    found.ok_or_else(|| format!("Error from server (NotFound): pods \"{name}\" not found"))
}

fn delete(
    world: &World,
    target: &str,
    rest: &[&str],
    grace: Option<i64>,
    force: bool,
    event: EventId,
) -> Result<(), String> {
    let names = rest.iter().filter(|w| !w.starts_with('-'));
    let (kind, name) = match (target.split_once('/'), names.into_iter().next()) {
        (Some(pair), _) => pair,
        (None, Some(name)) => (target, *name),
        (None, None) => return Err(format!("deleting `{target}`")),
    };
    match kind {
        "pod" | "pods" | "po" => {
            let id = pod_id(world, name)?;
            if force && grace == Some(0) {
                api::force_delete(world, id, event);
            } else {
                api::delete_pod(world, id, grace.map(|g| (g as u64).max(1)), event);
            }
            Ok(())
        }
        _ => change::delete(world, kind, name, rest, event),
    }
}

/// The first pod by name that has the label `key=value`.
fn delete_first(world: &World, label: &str, event: EventId) -> Result<(), String> {
    let (key, value) = label.split_once('=').unwrap_or((label, ""));
    let mut found: Vec<(crate::trace::Name, PodId)> = Vec::new();
    for pod in world.st().pods.values().filter(|p| !p.removed) {
        if pod.template.labels.get(key).is_some_and(|v| v == value) {
            found.push((pod.name.clone(), pod.id));
        }
    }
    found.order();
    let (_, id) = found.first().ok_or_else(|| format!("no pod has the label {label}"))?;
    api::delete_pod(world, *id, None, event);
    Ok(())
}

fn evict(world: &World, target: &str, event: EventId) -> Result<(), String> {
    let name = target.split_once('/').map_or(target, |(_, name)| name);
    let id = pod_id(world, name)?;
    budget::evict(world, id, event)
}
