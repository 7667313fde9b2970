//! `debug`: a container to look round in, added to a running pod or to a copy of it. Not debugging
//! of nodes.
//!
//! Models k8s.io/kubectl/pkg/cmd/debug (v1.36) with its profile `general`.

use super::live::later;
use super::run::look;
use super::words::Args;
use super::{Said, attach, create, get, kinds};
use crate::kube::tree::Tree;
use crate::sim::{Simulation, suffix_of};
use crate::text::words::quote;
use crate::time::SimTime;
use crate::trace::{Event, Name};

pub(super) const DEBUG: &str = "arguments-only! attach! c:container copy-to: replace! env: f:filename \
     image: keep-labels! keep-annotations! keep-liveness! keep-readiness! keep-startup! \
     keep-init-containers! set-image: image-pull-policy: i!stdin q!quiet same-node! \
     share-processes! target: t!tty profile: custom:";

/// How long the new container is watched where one is attached to it.
const ATTACH_MAX: SimTime = SimTime::from_secs(30);

/// What is wrong with the flags.
fn misuse(args: &Args) -> Option<&'static str> {
    let has = |name: &str| args.flag(name).is_some();
    let command = args.rest.as_ref().is_some_and(|rest| !rest.is_empty());
    let image = has("image");
    if has("copy-to") && !image && !has("set-image") && !command {
        return Some("you must specify --image, --set-image or command arguments.");
    }
    if has("copy-to") && command && !has("container") && !image {
        return Some("you must specify an existing container or a new image when specifying args.");
    }
    if !has("copy-to") {
        for (flag, why) in [
            ("replace", "--replace may only be used with --copy-to."),
            ("same-node", "--same-node may only be used with --copy-to."),
            ("set-image", "--set-image may only be used with --copy-to."),
        ] {
            if has(flag) {
                return Some(why);
            }
        }
        if !image {
            return Some("you must specify --image when not using --copy-to.");
        }
    }
    if args.words.is_empty() {
        return Some("NAME or filename is required for debug");
    }
    if has("target") && has("copy-to") {
        return Some("--target is incompatible with --copy-to. Use --share-processes instead.");
    }
    (args.has("tty") && !args.has("stdin"))
        .then_some("-i/--stdin is required for containers with -t/--tty=true")
}

const PROFILES: [&str; 6] = ["legacy", "general", "baseline", "netadmin", "restricted", "sysadmin"];

/// What is told before anything is asked of the server.
fn heading(args: &Args) -> Said {
    let mut said = Said::default();
    if let Some(target) = args.flag("target").filter(|_| !args.has("quiet")) {
        said.out = format!(
            "Targeting container \"{target}\". If you don't see processes from this container it \
             may be because the container runtime doesn't support this feature.\n"
        );
    }
    if args.flag("profile") == Some("legacy") {
        said.err = "--profile=legacy is deprecated and planned to be removed in v1.39. It is \
                    recommended to specify other profile, for example \"--profile=general\".\n"
            .to_owned();
    }
    said
}

/// The same with what went wrong after it.
fn ending(head: Said, end: Said) -> Said {
    Said { out: head.out + &end.out, err: head.err + &end.err, ..end }
}

pub(super) fn debug(sim: &mut Simulation, past: &[Event], args: &Args) -> Said {
    if let Some(profile) = args.flag("profile").filter(|name| !PROFILES.contains(name)) {
        return Said::error(&format!("unknown profile: {profile}"));
    }
    if let Some(why) = misuse(args) {
        return Said::error(why);
    }
    let head = heading(args);
    let cluster = look(sim, past);
    let (kind, name) = args.word(0).split_once('/').unwrap_or(("pods", args.word(0)));
    let Some(kind) = kinds::find(kind) else {
        return Said::error(&format!("the server doesn't have a resource type \"{kind}\""));
    };
    let Some(object) = cluster.one(kind, &get::namespace(&cluster, args), name) else {
        return ending(head, Said::failed(&get::not_found(kind, name)));
    };
    if kind.name == "Node" {
        return Said::error("not simulated: kubectl debug of a node");
    }
    if kind.name != "Pod" {
        let version = kind.group_version();
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        return Said::error(&format!(
            "\"{group}/{version}, Kind={}\" not supported by debug",
            kind.name
        ));
    }
    if args.flag("copy-to").is_none() {
        let one = Debugged {
            pod: object.clone(),
            said: cluster.said(kind, object),
            key: cluster.key(object),
        };
        return ephemeral(sim, past, args, head, &one);
    }
    let (copied, container, told) = match copied(object, args, sim.now()) {
        Ok(made) => made,
        Err(why) => return Said::error(why),
    };
    if let Some(why) = cluster.refusal(&copied, None) {
        return Said::failed(&why);
    }
    let mut said = Said::printed(told);
    said.actions.push(format!("create {}", create::json_line(&copied)));
    if args.has("replace") {
        said.actions.push(format!("delete pod/{name} --grace-period=0 --force"));
    }
    let attaches = args.has("attach") || (args.has("stdin") && args.flag("attach").is_none());
    if attaches && !container.is_empty() {
        let name = args.flag("copy-to").unwrap_or("").to_owned();
        watched(sim, past, &mut said, (&name, &container));
    }
    said
}

/// A pod that gets a container, with what actions and events call it.
struct Debugged {
    pod: Tree,
    said: String,
    key: Name,
}

/// Adds an ephemeral container to a pod, and attaches to it where that is wanted.
// Models k8s.io/kubectl/pkg/cmd/debug/debug.go debugByEphemeralContainer (v1.36).
fn ephemeral(
    sim: &mut Simulation,
    past: &[Event],
    args: &Args,
    head: Said,
    debugged: &Debugged,
) -> Said {
    let pod = &debugged.pod;
    if args.flag("custom").is_some() {
        return ending(head, Said::error("not simulated: kubectl debug --custom"));
    }
    let mut said = head;
    let name = match args.flag("container").unwrap_or("") {
        "" => {
            let n_there = pod.at("spec.ephemeralContainers").items().len();
            let of = format!("{}{}{n_there}", pod.text("metadata.name"), sim.now());
            let name = format!("debugger-{}", suffix_of(&of, 5));
            if !args.has("quiet") {
                said.out.push_str(&format!("Defaulting debug container name to {name}.\n"));
            }
            name
        }
        asked => asked.to_owned(),
    };
    let user = pod.at("spec.securityContext").int("runAsUser");
    let adds =
        !matches!(args.flag("profile"), Some("baseline" | "restricted" | "sysadmin" | "legacy"));
    if user != 0 && adds {
        said.err.push_str(NON_ROOT);
    }
    let from = sim.now();
    let action = action(args, &debugged.said, &name);
    // Whether the server takes it is seen by doing it, in this copy of the cluster's future.
    if let Err(why) = sim.act(&action) {
        return ending(said, Said::failed(&why));
    }
    said.actions.push(action);
    if args.has("attach") || (args.has("stdin") && args.flag("attach").is_none()) {
        attached(sim, past, args, &mut said, (debugged, &name, from));
    }
    said
}

const NON_ROOT: &str = "Warning: Non-root user is configured for the entire target Pod, and some \
     capabilities granted by debug profile may not work. Please consider using \"--custom\" with \
     a custom profile that specifies \"securityContext.runAsUser: 0\".\n";

/// The words that add the container, as scenarios have them.
fn action(args: &Args, pod: &str, container: &str) -> String {
    let mut words = vec![format!("debug pod/{pod} -c {}", quote(container))];
    for flag in ["image", "target", "image-pull-policy", "profile"] {
        words.extend(args.flag(flag).map(|value| format!("--{flag}={}", quote(value))));
    }
    words.extend(args.all("env").iter().map(|pairs| format!("--env={}", quote(pairs))));
    for (flag, word) in [("stdin", "-i"), ("tty", "-t"), ("arguments-only", "--arguments-only")] {
        words.extend(args.has(flag).then(|| word.to_owned()));
    }
    let command = args.rest.as_deref().unwrap_or(&[]);
    if !command.is_empty() {
        words.push("--".to_owned());
        words.extend(command.iter().map(|word| quote(word)));
    }
    words.join(" ")
}

/// What the new container says while somebody is attached to it.
// Models k8s.io/kubectl/pkg/cmd/debug/debug.go handleAttachPod, waitForContainer (v1.36).
fn attached(
    sim: &mut Simulation,
    past: &[Event],
    args: &Args,
    said: &mut Said,
    (debugged, container, from): (&Debugged, &str, SimTime),
) {
    let pod = &debugged.pod;
    let (name, namespace) = (pod.text("metadata.name"), pod.text("metadata.namespace"));
    let mut all = past.to_vec();
    let mut waits = String::new();
    let mut first: Option<bool> = None;
    let ended = later(sim, &mut all, ATTACH_MAX, |cluster| {
        let found = cluster.pods(namespace);
        let found = found.iter().find(|one| one.text("metadata.name") == name)?;
        let mut states = found.at("status.ephemeralContainerStatuses").items().iter();
        let state = states.find(|one| one.text("name") == container)?.get("state");
        let over = !state.get("terminated").is_null();
        if over || !state.get("running").is_null() {
            first.get_or_insert(over);
        }
        let why = state.text("waiting.message");
        if !why.is_empty() && !waits.contains(why) {
            waits.push_str(&format!("Warning: container {container}: {why}\n"));
        }
        over.then_some(())
    });
    if !args.has("quiet") {
        said.err.push_str(&waits);
    }
    let Some(was_over) = first else {
        said.err.push_str("(not simulated: waiting on for a container that does not start)\n");
        return;
    };
    if !args.has("quiet") && !was_over {
        said.err.push_str(attach::HINT);
    }
    said.out.push_str(&attach::lines(&all, &debugged.key, container, from));
    if ended.is_none() {
        said.err.push_str(
            "(not simulated: a terminal that stays open; the container runs on, and kubectl exec \
             runs commands in it)\n",
        );
        return;
    }
    if args.has("tty") && !args.has("quiet") && !was_over {
        said.out.push_str(&format!(
            "Session ended, the ephemeral container will not be restarted but may be reattached \
             using 'kubectl attach {name} -c {container} -n {namespace} -i -t' if it is still \
             running\n"
        ));
    }
}

/// What the new container says as long as its terminal is watched.
fn watched(sim: &mut Simulation, past: &[Event], said: &mut Said, (pod, container): (&str, &str)) {
    let from = sim.now();
    for action in &said.actions {
        if let Err(why) = sim.act(action) {
            said.err.push_str(&format!("{why}\n"));
            return;
        }
    }
    let mut all = past.to_vec();
    let ended = later(sim, &mut all, ATTACH_MAX, |cluster| {
        let found = cluster.pods(&cluster.namespace);
        let found = found.iter().find(|one| one.text("metadata.name") == pod)?;
        let mut states = found.at("status.containerStatuses").items().iter();
        let state = states.find(|one| one.text("name") == container)?;
        (!state.at("state.terminated").is_null()).then_some(())
    });
    said.err.push_str(attach::HINT);
    said.out.push_str(&attach::lines(&all, pod, container, from));
    if ended.is_none() {
        said.err.push_str(
            "(not simulated: a terminal that stays open; the container runs on, and kubectl exec \
             runs commands in it)\n",
        );
    }
}

/// The copy, the container in it to look at, and what is told on the way.
fn copied(pod: &Tree, args: &Args, now: SimTime) -> Result<(Tree, String, String), &'static str> {
    let mut spec = pod.get("spec").clone();
    for own in ["ephemeralContainers", "serviceAccount", "priority", "preemptionPolicy"] {
        spec.put(own, Tree::Null);
    }
    if !args.has("same-node") {
        spec.put("nodeName", Tree::Null);
    }
    if args.flag("keep-init-containers") == Some("false") {
        spec.put("initContainers", Tree::Null);
    }
    without_token(&mut spec);
    let images = images(args);
    let mut containers = spec.get("containers").items().to_vec();
    containers.iter_mut().for_each(|one| without_probes(one, args, &images));
    let asked = args.flag("container").unwrap_or("");
    let (mut name, mut told) = (asked.to_owned(), String::new());
    let place = containers.iter().position(|one| one.text("name") == asked);
    let place = match (place, args.flag("image")) {
        (Some(place), _) => Some(place),
        (None, Some(_)) => {
            if asked.is_empty() {
                let of = format!("{}{now}", pod.text("metadata.name"));
                name = format!("debugger-{}", suffix_of(&of, 5));
                if !args.has("quiet") {
                    told = format!("Defaulting debug container name to {name}.\n");
                }
            }
            containers.push(Tree::of(vec![("name", Tree::from(name.as_str()))]));
            Some(containers.len() - 1)
        }
        (None, None) if images.is_empty() => {
            return Err("you must specify image when creating new container");
        }
        (None, None) => None,
    };
    match place.and_then(|place| containers.get_mut(place)) {
        Some(one) => fill(one, args),
        None => name.clear(),
    }
    spec.put("containers", Tree::List(containers));
    let shared = args.flag("share-processes") != Some("false");
    spec.put("shareProcessNamespace", Tree::Bool(shared));
    let mut metadata = Tree::of(vec![
        ("name", Tree::from(args.flag("copy-to"))),
        ("namespace", pod.at("metadata.namespace").clone()),
    ]);
    for field in ["labels", "annotations"] {
        if args.has(&format!("keep-{field}")) {
            metadata.put(field, pod.at("metadata").get(field).clone());
        }
    }
    let copy = Tree::of(vec![
        ("apiVersion", Tree::from("v1")),
        ("kind", Tree::from("Pod")),
        ("metadata", metadata),
        ("spec", spec),
    ]);
    Ok((copy, name, told))
}

/// `--set-image`.
fn images(args: &Args) -> Vec<(&str, &str)> {
    let all = args.all("set-image").iter().flat_map(|one| one.split(','));
    all.filter_map(|pair| pair.split_once('=')).collect()
}

/// A copied container: no probes, and the image that is wanted.
fn without_probes(one: &mut Tree, args: &Args, images: &[(&str, &str)]) {
    for probe in ["liveness", "readiness", "startup"] {
        if !args.has(&format!("keep-{probe}")) {
            one.put(format!("{probe}Probe"), Tree::Null);
        }
    }
    let named = images.iter().find(|(name, _)| *name == one.text("name"));
    let all = images.iter().find(|(name, _)| *name == "*");
    if let Some((_, image)) = named.or(all) {
        one.put("image", Tree::from(*image));
    }
}

/// The container to look round in, as the flags want it; it may trace processes.
fn fill(one: &mut Tree, args: &Args) {
    let words = args.rest.as_deref().unwrap_or(&[]);
    let words = Tree::List(words.iter().map(|word| Tree::from(word.as_str())).collect());
    if !words.items().is_empty() {
        let (key, other) = match args.has("arguments-only") {
            true => ("args", one.get("command").clone()),
            false => ("command", Tree::Null),
        };
        one.put("args", Tree::Null);
        one.put("command", other);
        one.put(key, words);
    }
    for (flag, key) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
        if let Some(value) = args.flag(flag) {
            one.put(key, Tree::from(value));
        }
    }
    let vars = args.all("env").iter().flat_map(|one| one.split(','));
    let vars: Vec<Tree> = vars
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| Tree::of(vec![("name", name.into()), ("value", Tree::from(value))]))
        .collect();
    if !vars.is_empty() {
        one.put("env", Tree::List(vars));
    }
    for (flag, key) in [("stdin", "stdin"), ("tty", "tty")] {
        one.put(key, if args.has(flag) { Tree::Bool(true) } else { Tree::Null });
    }
    let mut context = one.get("securityContext").clone();
    let mut capabilities = context.get("capabilities").clone();
    let mut add = capabilities.get("add").items().to_vec();
    if !add.iter().any(|one| one.str() == "SYS_PTRACE") {
        add.push(Tree::from("SYS_PTRACE"));
    }
    capabilities.put("add", Tree::List(add));
    context.put("capabilities", capabilities);
    one.put("securityContext", context);
}

/// Takes away the token volume that admission gave the pod: the copy gets its own.
fn without_token(spec: &mut Tree) {
    let token = |one: &Tree| one.text("name").starts_with("kube-api-access-");
    for list in ["containers", "initContainers"] {
        let Some(Tree::List(all)) = spec.get_mut(list) else { continue };
        for one in all {
            if let Some(Tree::List(mounts)) = one.get_mut("volumeMounts") {
                mounts.retain(|mount| !token(mount));
            }
        }
    }
    if let Some(Tree::List(volumes)) = spec.get_mut("volumes") {
        volumes.retain(|volume| !token(volume));
    }
}
