//! Faults a person may cause: a killed process, a full volume, a cut link.

use super::actions::pod_id;
use super::quantity;
use super::world::World;
use crate::trace::Name;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

type Done = Result<(), String>;

/// Most bytes put into a volume at once; a run has room for little more.
const FILL_MAX: u64 = 48 << 20;

/// `kill pod/x [-c app] [TERM]`: a signal to the container's first process, from outside.
pub(crate) fn kill(world: &World, target: &str, rest: &[&str]) -> Done {
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
pub(crate) fn fill(world: &World, target: &str, volume: &str, size: &str) -> Done {
    let id = pod_id(world, target)?;
    let handle = world.pod(id, |pod| pod.kubelet.volumes.get(volume).copied()).flatten();
    let handle =
        handle.ok_or_else(|| format!("filling a volume `{volume}` that is not mounted"))?;
    let bytes = quantity::units_of(&Quantity(size.to_owned()));
    let bytes = bytes.filter(|bytes| *bytes <= FILL_MAX);
    let bytes = bytes.ok_or_else(|| format!("filling a volume with {size}"))?;
    world.rt().fill(handle, bytes as usize);
    Ok(())
}

/// `cut pod/a pod/b` and `mend pod/a pod/b`: nothing passes between two pods.
pub(crate) fn cut(world: &World, a: &str, b: &str, cut: bool) -> Done {
    let sandbox = |name: &str| {
        let id = pod_id(world, name)?;
        let sandbox = world.pod(id, |pod| pod.kubelet.sandbox).flatten();
        sandbox.ok_or_else(|| format!("cutting off {name}, which has no network yet"))
    };
    let (a, b) = (sandbox(a)?, sandbox(b)?);
    world.rt().cut(a, b, cut);
    Ok(())
}
