//! `debug` of a running pod: an ephemeral container is added to its spec through the pod's
//! subresource. Not the copies `debug --copy-to` makes, which are pods of their own.

use super::apply::change_pod;
use super::{admission, api, change};
use crate::kube::defaults::pod::ephemeral;
use crate::kube::names;
use crate::sim::model::{Container, PodId, common};
use crate::sim::world::World;
use crate::trace::{EventId, What, plain};
use k8s_openapi::api::core::v1 as core;
use std::rc::Rc;

/// `debug pod/x -c debugger --image=busybox --target=app -- sh -c ...`, as kubectl has it.
///
/// # Errors
/// What the server says where it refuses, and a sentence where the words are no such command.
// Models pkg/registry/core/pod/strategy.go podEphemeralContainersStrategy (v1.36).
pub(crate) fn debug(world: &World, words: &[&str], event: EventId) -> Result<(), String> {
    let (target, new) = read(words)?;
    let (_, name) = change::parts(world, target);
    let id = api::by_name(&world.st(), &name).ok_or_else(|| change::missing("pod", &name))?;
    if let Some(why) = world.pod(id, |pod| refusal(&pod.containers, &new)).flatten() {
        let name = plain(&name);
        return Err(format!("The Pod \"{name}\" is invalid: spec.ephemeralContainers{why}"));
    }
    let added = new.name.clone();
    if let Some(why) = insecure(world, id, &new) {
        let name = plain(&name);
        return Err(format!("Error from server (Forbidden): pods \"{name}\" is forbidden: {why}"));
    }
    change_pod(world, &name, event, |template| {
        let mut spec = (*template.spec).clone();
        spec.ephemeral_containers.get_or_insert_default().push(new);
        template.spec = Rc::new(spec);
    })?;
    let told = world.pod(id, |pod| {
        let one = pod.container(&added)?;
        Some((pod.container_subject(&one.name), api::container_shape(pod, one)))
    });
    if let Some((subject, shape)) = told.flatten() {
        let what = What::ContainerAdded(Box::new(shape));
        world.st().emit(subject, what, Some(event), None);
    }
    Ok(())
}

/// What the namespace's Pod Security level has against the pod with this container in it, which is
/// looked at like any other.
fn insecure(world: &World, id: PodId, new: &core::EphemeralContainer) -> Option<String> {
    let (namespace, mut template) =
        world.pod(id, |pod| (pod.namespace.clone(), pod.template.clone()))?;
    let mut spec = (*template.spec).clone();
    spec.containers.push(common(new));
    template.spec = Rc::new(spec);
    admission::insecure(&world.st(), &namespace, &template).map(|(why, _)| why)
}

/// What is wrong with a further container beside those there are, after the list's path.
// Models pkg/apis/core/validation/validation.go ValidatePodEphemeralContainersUpdate,
// validateEphemeralContainers (v1.36).
fn refusal(there: &[Container], new: &core::EphemeralContainer) -> Option<String> {
    let late = there.iter().filter(|one| one.is_ephemeral());
    if late.clone().any(|one| *one.name == *new.name) {
        let name = &new.name;
        return Some(format!(
            ": Forbidden: existing ephemeral containers \"{name}\" may not be changed"
        ));
    }
    let index = late.count();
    if let Some(objection) = names::label(&new.name).first() {
        return Some(format!("[{index}].name: Invalid value: \"{}\": {objection}", new.name));
    }
    let mut others = there.iter().filter(|one| !one.is_ephemeral());
    if others.clone().any(|one| *one.name == *new.name) {
        return Some(format!("[{index}].name: Duplicate value: \"{}\"", new.name));
    }
    let target = new.target_container_name.as_deref()?;
    let known = others.any(|one| *one.name == *target);
    (!known).then(|| format!("[{index}].targetContainerName: Not found: \"{target}\""))
}

/// The pod and the container that a command's words mean.
fn read<'w>(words: &[&'w str]) -> Result<(&'w str, core::EphemeralContainer), String> {
    let end = words.iter().position(|word| *word == "--").unwrap_or(words.len());
    let command: Vec<String> = words.iter().skip(end + 1).map(|word| (*word).to_owned()).collect();
    let command = Some(command).filter(|all| !all.is_empty());
    let (mut target, mut profile, mut as_args) = (None, "general", false);
    let mut new = core::EphemeralContainer::default();
    let mut flags = words[..end].iter().copied();
    while let Some(word) = flags.next() {
        if !word.starts_with('-') {
            target = target.or(Some(word));
            continue;
        }
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let mut text = || value.or_else(|| flags.next()).map(str::to_owned);
        match flag {
            "-c" | "--container" => new.name = text().unwrap_or_default(),
            "--image" => new.image = text(),
            "--target" => new.target_container_name = text(),
            "--image-pull-policy" => new.image_pull_policy = text(),
            "--env" => variables(&mut new, &text().unwrap_or_default()),
            "--profile" => profile = value.or_else(|| flags.next()).unwrap_or("general"),
            "--arguments-only" => as_args = true,
            "-i" | "--stdin" => new.stdin = Some(true),
            "-t" | "--tty" => new.tty = Some(true),
            "-it" | "-ti" => (new.stdin, new.tty) = (Some(true), Some(true)),
            "-q" | "--quiet" | "--attach" => {}
            _ => return Err(format!("kubectl debug {flag} of a running pod")),
        }
    }
    match as_args {
        true => new.args = command,
        false => new.command = command,
    }
    if new.name.is_empty() || new.image.is_none() {
        return Err("debug needs -c NAME and --image=IMAGE".to_owned());
    }
    new.security_context = context(profile);
    ephemeral(&mut new);
    Ok((target.ok_or("debug of nothing")?, new))
}

/// `--env=A=1,B=2`.
fn variables(new: &mut core::EphemeralContainer, text: &str) {
    for (name, value) in text.split(',').filter_map(|pair| pair.split_once('=')) {
        let (name, value) = (name.to_owned(), Some(value.to_owned()));
        new.env.get_or_insert_default().push(core::EnvVar { name, value, value_from: None });
    }
}

/// What a profile lets the container do.
// Models k8s.io/kubectl/pkg/cmd/debug/profiles.go (v1.36).
fn context(profile: &str) -> Option<core::SecurityContext> {
    let add = |names: &[&str]| {
        let add = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let capabilities = Some(core::Capabilities { add, drop: None });
        Some(core::SecurityContext { capabilities, ..core::SecurityContext::default() })
    };
    match profile {
        "general" => add(&["SYS_PTRACE"]),
        "netadmin" => add(&["NET_ADMIN", "NET_RAW"]),
        "sysadmin" => {
            let privileged = Some(true);
            Some(core::SecurityContext { privileged, ..core::SecurityContext::default() })
        }
        "restricted" => {
            let drop = Some(vec!["ALL".to_owned()]);
            let seccomp = core::SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                localhost_profile: None,
            };
            Some(core::SecurityContext {
                allow_privilege_escalation: Some(false),
                capabilities: Some(core::Capabilities { add: None, drop }),
                run_as_non_root: Some(true),
                seccomp_profile: Some(seccomp),
                ..core::SecurityContext::default()
            })
        }
        _ => None,
    }
}
