//! `kubectl logs`, and which pod and container a command means where it names neither.
//!
//! Models k8s.io/kubectl/pkg/cmd/logs and pkg/polymorphichelpers (v1.36).

use super::cluster::Cluster;
use super::kinds::{self, Kind};
use super::select::Selector;
use super::words::Args;
use super::{Said, clock, get};
use crate::kube::tree::Tree;
use crate::time::SimTime;
use crate::trace::{Event, Subject, What};

pub(super) const FLAGS: &str = "f!follow p!previous c:container l:selector since: since-time: tail: \
     timestamps! all-containers! prefix! limit-bytes: max-log-requests: ignore-errors! \
     pod-running-timeout: insecure-skip-tls-verify-backend! all-pods!";

/// A command's pod, and what kubectl says on the way there.
pub(super) struct Target<'c> {
    pub(super) pod: &'c Tree,
    pub(super) told: String,
}

/// The pod of `x`, `pod/x`, or the first one behind `deploy/x`, `svc/x`, `job/x`.
/// Models polymorphichelpers.AttachablePodForObject (v1.36).
pub(super) fn target<'c>(
    cluster: &'c Cluster,
    args: &Args,
    word: &str,
) -> Result<Target<'c>, String> {
    let namespace = get::namespace(cluster, args);
    let (kind, name) = word.split_once('/').unwrap_or(("pods", word));
    let missing = format!("error: the server doesn't have a resource type \"{kind}\"");
    let kind: &Kind = kinds::find(kind).ok_or(missing)?;
    let object = cluster.one(kind, &namespace, name);
    let object = object.ok_or_else(|| get::not_found(kind, name))?;
    if kind.name == "Pod" {
        return Ok(Target { pod: object, told: String::new() });
    }
    let selector = match kind.name {
        "Service" => super::select::show_map(object.at("spec.selector")),
        _ => super::select::show(object.at("spec.selector")),
    };
    let mut pods = cluster.pods(&namespace);
    let chosen = Selector::parse(&selector).unwrap_or_default();
    pods.retain(|pod| selector != "<none>" && chosen.takes_labels(pod));
    let Some(pod) = pods.first() else {
        return Err(format!(
            "error: timed out waiting for the condition: no pods of {} {name:?} found",
            kind.prefix()
        ));
    };
    let told = match pods.len() {
        1 => String::new(),
        n => format!("Found {n} pods, using pod/{}\n", pod.text("metadata.name")),
    };
    Ok(Target { pod, told })
}

/// `app, render (init)`: all containers of a pod. Models podcmd.AllContainerNames.
fn all_names(pod: &Tree) -> String {
    let mut all: Vec<String> = Vec::new();
    for (list, mark) in
        [("containers", ""), ("initContainers", " (init)"), ("ephemeralContainers", " (ephem)")]
    {
        let names = pod.at("spec").get(list).items().iter();
        all.extend(names.map(|one| format!("{}{mark}", one.text("name"))));
    }
    all.join(", ")
}

fn names(pod: &Tree) -> Vec<&str> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let all = lists.iter().flat_map(|list| pod.at("spec").get(list).items());
    all.map(|one| one.text("name")).collect()
}

/// The pod and container that a command goes into, and what is told on the way; `what` is what a
/// pod that has ended refuses.
pub(super) fn living<'c>(
    cluster: &'c Cluster,
    args: &Args,
    what: &str,
) -> Result<(Target<'c>, String, String), Said> {
    let found = target(cluster, args, args.word(0)).map_err(|why| Said::failed(&why))?;
    let phase = found.pod.text("status.phase");
    if matches!(phase, "Succeeded" | "Failed") {
        let why = format!("cannot {what} a completed pod; current phase is {phase}");
        return Err(Said::error(&why));
    }
    let asked = args.flag("container").unwrap_or("");
    let (name, told) = container(found.pod, asked).map_err(|why| Said::failed(&why))?;
    let name = name.to_owned();
    Ok((found, name, told))
}

/// The container meant, and the line that says which was taken.
/// Models podcmd.FindOrDefaultContainerByName (v1.36).
pub(super) fn container<'c>(pod: &'c Tree, asked: &str) -> Result<(&'c str, String), String> {
    let name = pod.text("metadata.name");
    if !asked.is_empty() {
        let found = names(pod).into_iter().find(|one| *one == asked);
        let all = all_names(pod);
        let wrong = format!("error: container {asked} is not valid for pod {name} out of: {all}");
        return found.map(|one| (one, String::new())).ok_or(wrong);
    }
    let annotated = pod.at("metadata.annotations").get("kubectl.kubernetes.io/default-container");
    if let Some(one) = names(pod).into_iter().find(|one| *one == annotated.str()) {
        return Ok((one, String::new()));
    }
    let first = pod.text("spec.containers.0.name");
    let told = match names(pod).len() {
        0 | 1 => String::new(),
        _ => format!("Defaulted container \"{first}\" out of: {}\n", all_names(pod)),
    };
    Ok((first, told))
}

pub(super) fn run(cluster: &Cluster, args: &Args) -> Said {
    let selector = args.flag("selector");
    if selector.is_some() && !args.words.is_empty() {
        return usage("only a selector (-l) or a POD name is allowed");
    }
    if let Some(selector) = selector {
        return of_selector(cluster, args, selector);
    }
    let (first, second) = (args.word(0), args.word(1));
    if first.is_empty() {
        return usage(
            "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command",
        );
    }
    let found = match target(cluster, args, first) {
        Ok(found) => found,
        Err(why) => return Said::failed(&in_namespace(cluster, args, &why)),
    };
    let asked = args.flag("container").unwrap_or(second);
    let mut said = Said { err: found.told, ..Said::default() };
    let chosen = match args.has("all-containers") {
        true => Ok((names(found.pod), String::new())),
        false => container(found.pod, asked).map(|(name, told)| (vec![name], told)),
    };
    match chosen {
        Ok((chosen, told)) => {
            said.err.push_str(&told);
            for name in chosen {
                one(cluster, args, found.pod, name, &mut said);
            }
        }
        Err(why) => {
            said.err.push_str(&format!("{why}\n"));
            said.exit = 1;
        }
    }
    said
}

fn usage(why: &str) -> Said {
    Said::failed(&format!("error: {why}\nSee 'kubectl logs -h' for help and examples"))
}

/// Logs names the namespace where a pod is not found.
fn in_namespace(cluster: &Cluster, args: &Args, why: &str) -> String {
    match why.strip_prefix("Error from server (NotFound): ") {
        Some(rest) => {
            let namespace = get::namespace(cluster, args);
            format!("error: error from server (NotFound): {rest} in namespace \"{namespace}\"")
        }
        None => why.to_owned(),
    }
}

fn of_selector(cluster: &Cluster, args: &Args, selector: &str) -> Said {
    let namespace = get::namespace(cluster, args);
    let selector = match Selector::parse(selector) {
        Ok(selector) => selector,
        Err(why) => return Said::error(&why),
    };
    let mut pods = cluster.pods(&namespace);
    pods.retain(|pod| selector.takes_labels(pod));
    if pods.is_empty() {
        let err = format!("No resources found in {namespace} namespace.\n");
        return Said { err, ..Said::default() };
    }
    let mut said = Said::default();
    for pod in pods {
        let chosen = match args.has("all-containers") {
            true => Ok((names(pod), String::new())),
            false => container(pod, args.flag("container").unwrap_or(""))
                .map(|(name, told)| (vec![name], told)),
        };
        match chosen {
            Ok((chosen, told)) => {
                said.err.push_str(&told);
                chosen.into_iter().for_each(|name| one(cluster, args, pod, name, &mut said));
            }
            Err(why) => {
                said.err.push_str(&format!("{why}\n"));
                said.exit = 1;
            }
        }
    }
    said
}

/// The run before one that has ended too: its container is gone, for one dead one is kept.
/// Models pkg/kubelet/pod_container_deletor.go deleteContainersInPod (v1.36).
fn collected<'t>(pod: &'t Tree, container: &str) -> Option<&'t str> {
    let status = status_of(pod, container)?;
    let before = status.text("lastState.terminated.containerID");
    (!status.at("state.terminated").is_null() && !before.is_empty()).then_some(before)
}

fn status_of<'t>(pod: &'t Tree, container: &str) -> Option<&'t Tree> {
    ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"]
        .iter()
        .flat_map(|list| pod.at("status").get(list).items())
        .find(|status| status.text("name") == container)
}

pub(super) fn is_running(pod: &Tree, container: &str) -> bool {
    status_of(pod, container).is_some_and(|status| !status.at("state.running").is_null())
}

/// Why there is no log yet. Models pkg/kubelet/kubelet_pods.go validateContainerLogStatus (v1.36).
fn refusal(pod: &Tree, container: &str, previous: bool) -> Option<String> {
    let name = pod.text("metadata.name");
    let status = status_of(pod, container)?;
    let ended = !status.at("lastState.terminated").is_null();
    if previous && !ended {
        return Some(format!(
            "previous terminated container \"{container}\" in pod \"{name}\" not found"
        ));
    }
    let waiting = status.at("state.waiting");
    if previous || waiting.is_null() || ended {
        return None;
    }
    let why = match waiting.text("reason") {
        "ErrImagePull" => "image can't be pulled",
        "ImagePullBackOff" => "trying and failing to pull image",
        reason => reason,
    };
    Some(format!("container \"{container}\" in pod \"{name}\" is waiting to start: {why}"))
}

fn one(cluster: &Cluster, args: &Args, pod: &Tree, container: &str, said: &mut Said) {
    let previous = args.has("previous");
    if let Some(why) = refusal(pod, container, previous) {
        said.err.push_str(&format!("Error from server (BadRequest): {why}\n"));
        said.exit = 1;
        return;
    }
    if let Some(id) = collected(pod, container).filter(|_| previous) {
        said.out.push_str(&format!("unable to retrieve container logs for {id}"));
        return;
    }
    let name = pod.text("metadata.name");
    let mut lines = lines_of(cluster.past, &cluster.key(pod), container, previous);
    if let Some(span) = args.flag("since") {
        let Some(span) = clock::duration(span) else {
            let why = format!(
                "invalid argument {span:?} for \"--since\" flag: time: invalid duration {span:?}"
            );
            *said = usage(&why);
            return;
        };
        lines.retain(|(at, _)| *at + SimTime::from_millis(span) >= cluster.now);
    }
    if let Some(from) = args.flag("since-time").and_then(clock::millis) {
        let from = from - cluster.started_unix_secs * 1_000;
        lines.retain(|(at, _)| at.as_millis() as i64 >= from);
    }
    // Through a selector only the last ten lines of each are shown, where nothing else is asked.
    let most = match args.flag("tail").map(str::parse::<i64>) {
        Some(Ok(most)) => most,
        Some(Err(_)) => -1,
        None if args.flag("selector").is_some() => 10,
        None => -1,
    };
    if let Ok(most) = usize::try_from(most) {
        lines.drain(..lines.len().saturating_sub(most));
    }
    for (at, line) in lines {
        if args.has("prefix") {
            said.out.push_str(&format!("[pod/{name}/{container}] "));
        }
        if args.has("timestamps") {
            said.out.push_str(&cluster.stamp(at, 9));
            said.out.push(' ');
        }
        said.out.push_str(line);
        said.out.push('\n');
    }
}

/// The lines of a container's newest run, or of the one before.
fn lines_of<'e>(
    past: &'e [Event],
    pod: &str,
    container: &str,
    previous: bool,
) -> Vec<(SimTime, &'e str)> {
    let (mut now, mut before) = (Vec::new(), Vec::new());
    for event in past {
        match (&event.subject, &event.what) {
            (Subject::Pod(name), What::PodAdded(_)) if &**name == pod => {
                now.clear();
                before.clear();
            }
            (Subject::Container { pod: p, container: c }, what)
                if &**p == pod && &**c == container =>
            {
                match what {
                    What::Started { .. } => before = std::mem::take(&mut now),
                    What::Log { line, .. } => now.push((event.at, line.as_str())),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    if previous { before } else { now }
}
