//! Faults a person may cause: a killed process, a full volume, a cut or slow link, a node that is
//! off, an image that comes late.

use super::actions::pod_id;
use super::control::outage;
use super::runtime::SandboxRef;
use super::world::World;
use super::{images, quantity};
use crate::time::SimTime;
use crate::trace::{Change, EventId, FileChange, Name, What};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

type Done = Result<(), String>;

/// Does the faults among the actions; None for words that are none of them.
pub(crate) fn perform(world: &World, words: &[&str], event: EventId) -> Option<Done> {
    Some(match words {
        ["kill", target, rest @ ..] => kill(world, target, rest),
        ["fill", target, volume, size] => fill(world, target, volume, size, event),
        ["cut", a, b] => cut(world, a, b, true),
        ["mend", a, b] => cut(world, a, b, false),
        ["slow", a, b, by] => slow(world, a, b, by),
        ["image", name, "available"] => publish(world, name),
        ["down", node] => outage::down(world, node, event),
        ["up", node] => outage::up(world, node, event),
        ["taint", "node" | "nodes" | "no", node, specs @ ..] | ["taint", node, specs @ ..] => {
            outage::taint(world, node, specs, event)
        }
        _ => return None,
    })
}

/// Most bytes put into a volume at once; a run has room for little more.
const FILL_MAX: u64 = 48 << 20;

/// `kill pod/x [-c app] [TERM]`: a signal to the container's first process, from outside.
fn kill(world: &World, target: &str, rest: &[&str]) -> Done {
    let id = pod_id(world, target)?;
    let after = |flag: &str| {
        let at = rest.iter().position(|word| *word == flag)?;
        rest.get(at + 1).copied()
    };
    let signal = rest.iter().rfind(|word| word.chars().all(|c| c.is_ascii_uppercase()));
    let found = world.pod(id, |pod| {
        let first = || pod.containers.iter().find(|c| c.is_main()).map(|c| c.name.clone());
        let name = after("-c").map(Name::from).or_else(first)?;
        pod.kubelet.actual.newest(&name).filter(|_| pod.kubelet.actual.is_running(&name))?.handle
    });
    let handle = found.flatten().ok_or("killing a container that does not run")?;
    let now = world.now();
    world.rt().signal(now, handle, signal.copied().unwrap_or("KILL"));
    Ok(())
}

/// `fill pod/x VOLUME 20Mi`: that much more in a volume.
fn fill(world: &World, target: &str, volume: &str, size: &str, event: EventId) -> Done {
    let id = pod_id(world, target)?;
    let found = world.pod(id, |pod| {
        let handle = pod.kubelet.volumes.get(volume).copied()?;
        let volumes = pod.template.spec.volumes.iter().flatten();
        let idx = volumes.into_iter().position(|one| one.name == volume)?;
        Some((handle, pod.subject(), pod.span(&format!("spec.volumes[{idx}]"))))
    });
    let (handle, subject, origin) = found
        .flatten()
        .ok_or_else(|| format!("filling a volume `{volume}` that is not mounted"))?;
    let bytes = quantity::units_of(&Quantity(size.to_owned()));
    let bytes = bytes.filter(|bytes| *bytes <= FILL_MAX);
    let bytes = bytes.ok_or_else(|| format!("filling a volume with {size}"))?;
    world.rt().fill(handle, bytes as usize);
    let (place, path) = (format!("volume:{volume}").as_str().into(), "filled".to_owned());
    let change = Change::Set { content: Vec::new(), size: bytes };
    let what = What::Wrote(Box::new(FileChange { place, path, change }));
    world.st().emit(subject, what, Some(event), origin);
    Ok(())
}

fn sandbox(world: &World, name: &str) -> Result<SandboxRef, String> {
    let id = pod_id(world, name)?;
    let sandbox = world.pod(id, |pod| pod.kubelet.sandbox).flatten();
    sandbox.ok_or_else(|| format!("the way to {name}, which has no network yet"))
}

/// `cut pod/a pod/b` and `mend pod/a pod/b`: nothing passes between two pods.
fn cut(world: &World, a: &str, b: &str, cut: bool) -> Done {
    let (a, b) = (sandbox(world, a)?, sandbox(world, b)?);
    world.rt().cut(a, b, cut);
    if !cut {
        world.rt().slow(a, b, SimTime::ZERO);
    }
    Ok(())
}

/// `slow pod/a pod/b 300ms`: each connection between two pods takes so much longer.
fn slow(world: &World, a: &str, b: &str, by: &str) -> Done {
    let (a, b) = (sandbox(world, a)?, sandbox(world, b)?);
    let number = |text: &str| text.parse::<u64>().ok();
    let millis = match (by.strip_suffix("ms"), by.strip_suffix('s')) {
        (Some(text), _) => number(text),
        (None, Some(text)) => number(text).and_then(|secs| secs.checked_mul(1000)),
        (None, None) => None,
    };
    let millis = millis.filter(|millis| *millis <= SLOW_MAX_MILLIS);
    let millis = millis.ok_or_else(|| format!("slowing a link by `{by}`"))?;
    world.rt().slow(a, b, SimTime::from_millis(millis));
    Ok(())
}

/// Longer than any patience of a program here.
const SLOW_MAX_MILLIS: u64 = 600_000;

/// `image NAME available`: a registry has it from now on.
fn publish(world: &World, name: &str) -> Done {
    images::parse(name).map_err(|why| format!("an image named `{name}`: {why}"))?;
    world.st().published.insert(name.to_owned());
    Ok(())
}
