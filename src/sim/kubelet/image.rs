//! Having a container's image on the node: policy, pull, back-off.

use super::backoff;
use super::start::Failure;
use crate::sim::images::{self, Image};
use crate::sim::model::{Container, PodId};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, What};

/// How fast a node pulls, in bytes of compressed image a second.
const BYTES_PER_SECOND: u64 = 60_000_000;
const MEGABYTE: u64 = 1_000_000;

fn policy(container: &Container) -> &str {
    let written = container.spec.image_pull_policy.as_deref();
    written.unwrap_or_else(|| match images::parse(container.image()) {
        Ok(reference) if reference.tag == "latest" && !reference.digest => "Always",
        _ => "IfNotPresent",
    })
}

// Models pkg/kubelet/images/image_manager.go EnsureImageExists (v1.36).
pub(crate) async fn ensure(
    world: &World,
    id: PodId,
    container: &Container,
    cause: EventId,
) -> Result<Image, Failure> {
    let result = find_or_pull(world, id, container, cause).await;
    if let Err(failure) = &result {
        let message = format!("Error: {}", failure.reason);
        world.st().report(id, Some(container), "Failed", message, Some(cause));
    }
    result
}

async fn find_or_pull(
    world: &World,
    id: PodId,
    container: &Container,
    cause: EventId,
) -> Result<Image, Failure> {
    let name = container.image();
    if let Err(error) = images::parse(name) {
        let message = format!(
            "Failed to apply default image tag \"{name}\": couldn't parse image name \"{name}\": \
             {error}"
        );
        let report = message.clone();
        world.st().report(id, Some(container), "InspectFailed", report, Some(cause));
        return Err(Failure { reason: "InvalidImageName", message });
    }
    let present = world.st().images.contains(name);
    let policy = policy(container);
    if present && policy != "Always" {
        let message = format!(
            "Container image \"{name}\" already present on machine and can be accessed by the pod"
        );
        world.st().report(id, Some(container), "Pulled", message, Some(cause));
        return find(world, name).map_err(|message| Failure { reason: "ErrImagePull", message });
    }
    if policy == "Never" {
        let message =
            format!("Container image \"{name}\" is not present with pull policy of Never");
        let report = message.clone();
        world.st().report(id, Some(container), "ErrImageNeverPull", report, Some(cause));
        return Err(Failure { reason: "ErrImageNeverPull", message });
    }
    held_back(world, id, container, cause)?;
    pull(world, id, container, cause).await
}

/// What a registry has of that name now.
fn find(world: &World, name: &str) -> Result<Image, String> {
    let published = world.st().published.contains(name);
    images::pull(name).or_else(|why| if published { Ok(images::published(name)) } else { Err(why) })
}

fn held_back(
    world: &World,
    id: PodId,
    container: &Container,
    cause: EventId,
) -> Result<(), Failure> {
    let (name, now) = (container.image(), world.now());
    let held = world.pod(id, |pod| {
        let entry = pod.kubelet.image_backoff.get(name).copied()?;
        let until = entry.last_update + entry.delay;
        let error = pod.kubelet.image_errors.get(name).cloned().unwrap_or_default();
        let subject = pod.container_subject(&container.name);
        (now < until).then_some((until, entry.delay, error, subject))
    });
    let Some((until, delay, error, subject)) = held.flatten() else { return Ok(()) };
    let text = format!("Back-off pulling image \"{name}\"");
    let mut state = world.st();
    let cause = state.report(id, Some(container), "BackOff", text.clone(), Some(cause));
    state.emit(subject, What::BackOff { until, delay }, Some(cause), None);
    let message = format!("{text}: ErrImagePull: {error}");
    Err(Failure { reason: "ImagePullBackOff", message })
}

async fn pull(
    world: &World,
    id: PodId,
    container: &Container,
    cause: EventId,
) -> Result<Image, Failure> {
    let name = container.image();
    let found = find(world, name);
    let (now, cached) = (world.now(), world.st().images.contains(name));
    let bytes = match &found {
        Ok(image) if !cached => u64::from(image.megabytes) * MEGABYTE,
        _ => 0,
    };
    let span = SimTime::from_millis(50 + bytes * 1000 / BYTES_PER_SECOND);
    let done_at = now.max(world.st().pulling_until) + span;
    let message = format!("Pulling image \"{name}\"");
    let pulling = {
        let mut state = world.st();
        state.pulling_until = done_at;
        let cause = state.report(id, Some(container), "Pulling", message, Some(cause));
        let pod = state.pods.get(&id);
        let place = pod.map(|pod| {
            (pod.container_subject(&container.name), pod.span(&format!("{}.image", container.path)))
        });
        let what = What::Pulling { image: name.to_owned(), done_at };
        place.map_or(cause, |(subject, origin)| state.emit(subject, what, Some(cause), origin))
    };
    world.clock.sleep_until(done_at).await;
    match found {
        Ok(image) => {
            let waited = world.now() - now;
            let size = u64::from(image.megabytes) * MEGABYTE * 5 / 2;
            let message = format!(
                "Successfully pulled image \"{name}\" in {} ({} including waiting). Image size: \
                 {size} bytes.",
                short(span),
                short(waited)
            );
            let mut state = world.st();
            state.images.insert(name.to_owned());
            state.report(id, Some(container), "Pulled", message, Some(pulling));
            Ok(image)
        }
        Err(error) => Err(failed(world, id, container, error, pulling)),
    }
}

fn failed(
    world: &World,
    id: PodId,
    container: &Container,
    error: String,
    cause: EventId,
) -> Failure {
    let (name, now) = (container.image().to_owned(), world.now());
    world.pod(id, |pod| {
        let entry = pod.kubelet.image_backoff.get(&name).copied();
        pod.kubelet.image_backoff.insert(name.clone(), backoff::next(entry, now));
        pod.kubelet.image_errors.insert(name.clone(), error.clone());
    });
    let message = format!("Failed to pull image \"{name}\": {error}");
    world.st().report(id, Some(container), "Failed", message, Some(cause));
    Failure { reason: "ErrImagePull", message: error }
}

/// `71ms`, `1.234s`.
fn short(span: SimTime) -> String {
    match span.as_millis() {
        millis if millis < 1000 => format!("{millis}ms"),
        millis => format!("{}.{:03}s", millis / 1000, millis % 1000),
    }
}
