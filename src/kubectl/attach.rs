//! Commands that connect to a pod and stay: run with a terminal, attach, port-forward, cp; and the
//! curl that reaches a forwarded port. What they do, they do in a copy of the cluster's future.

use super::cluster::Cluster;
use super::live::later;
use super::run::{look, read};
use super::words::Args;
use super::{Said, create, get, kinds, logs};
use crate::kube::tree::Tree;
use crate::sim::Simulation;
use crate::time::SimTime;
use crate::trace::{Event, Subject, What};

pub(super) const ATTACH: &str = "c:container i!stdin t!tty q!quiet pod-running-timeout: \
     f:filename detach-keys:";
pub(super) const FORWARD: &str = "address: pod-running-timeout: f:filename";

/// How long a pod may take to run what it was made for.
const RUN_MAX: SimTime = SimTime::from_secs(60);
/// How long an attached terminal is watched.
const ATTACH_MAX: SimTime = SimTime::from_secs(10);

pub(super) const HINT: &str = "All commands and output from this session will be recorded in container logs, \
     including credentials and sensitive information passed through the command prompt.\nIf you \
     don't see a command prompt, try pressing enter.\n";

pub(super) fn lines(past: &[Event], pod: &str, container: &str, from: SimTime) -> String {
    let mut out = String::new();
    for event in past.iter().filter(|event| event.at >= from) {
        if let (Subject::Container { pod: p, container: c }, What::Log { line, .. }) =
            (&event.subject, &event.what)
            && &**p == pod
            && &**c == container
        {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// `run -i`, `run --rm -it`: makes the pod, waits for its end, prints what it said.
pub(super) fn run(sim: &mut Simulation, past: &[Event], args: &Args) -> Option<Said> {
    if !create::attaches(args) {
        return None;
    }
    let mut said = create::pod(&look(sim, past), args);
    let [action] = &said.actions[..] else { return Some(said) };
    let (name, from) = (args.word(0).to_owned(), sim.now());
    if let Err(why) = sim.act(action) {
        return Some(Said::failed(&why));
    }
    said.out.clear();
    let mut all = past.to_vec();
    let ended = later(sim, &mut all, RUN_MAX, |cluster| {
        let pod = pod(cluster, args, &name)?;
        let once = pod.text("spec.restartPolicy") != "Always";
        let state = pod.at("status.containerStatuses.0.state.terminated");
        let done = matches!(pod.text("status.phase"), "Succeeded" | "Failed");
        let again = pod.at("status.containerStatuses.0.lastState.terminated");
        let seen = if again.is_null() { state } else { again };
        (done || (!once && !seen.is_null())).then(|| seen.clone())
    });
    if !args.has("quiet") {
        said.err.push_str(HINT);
    }
    said.out.push_str(&lines(&all, &name, &name, from));
    let namespace = get::namespace(&look(sim, &all), args);
    match ended {
        Some(end) if end.int("exitCode") != 0 => {
            said.exit = end.int("exitCode") as i32;
            if args.flag("restart").is_some_and(|restart| restart != "Always") {
                let reason = end.text("reason");
                said.err.push_str(&format!("pod {namespace}/{name} terminated ({reason})\n"));
            }
        }
        Some(_) => {}
        None => said.err.push_str(
            "not simulated: a terminal that stays open; the pod was watched for 60 s. Say what to \
             run after --, and use --restart=Never\n",
        ),
    }
    if args.has("rm") {
        said.out.push_str(&format!("pod \"{name}\" deleted from {namespace} namespace\n"));
        let secs = (sim.now() - from).as_millis() as f64 / 1000.0;
        said.actions.push(format!("after {secs} delete pod/{name}"));
    }
    Some(said)
}

fn pod<'c>(cluster: &'c Cluster, args: &Args, name: &str) -> Option<&'c Tree> {
    let namespace = get::namespace(cluster, args);
    kinds::of("Pod").and_then(|kind| cluster.one(kind, &namespace, name))
}

/// `attach`: what a container says in the next seconds.
pub(super) fn attach(sim: &mut Simulation, past: &[Event], args: &Args) -> Said {
    let cluster = look(sim, past);
    if args.words.is_empty() {
        return Said::error("at least 1 argument is required for attach");
    }
    let (found, container, told) = match logs::living(&cluster, args, "attach a container in") {
        Ok(found) => found,
        Err(said) => return said,
    };
    let pod = found.pod.text("metadata.name").to_owned();
    if !logs::is_running(found.pod, &container) {
        return Said::error(&format!(
            "unable to upgrade connection: container {container} not found in pod {pod}_{}",
            found.pod.text("metadata.namespace")
        ));
    }
    let from = sim.now();
    let mut all = past.to_vec();
    later(sim, &mut all, ATTACH_MAX, |_| None::<()>);
    let newer: Vec<Event> = all.into_iter().filter(|event| event.at > from).collect();
    let mut err = told;
    if args.has("stdin") && !args.has("quiet") {
        err.push_str(HINT);
    }
    err.push_str("(not simulated: a terminal that stays open; these are the next 10 s)\n");
    Said { out: lines(&newer, &pod, &container, from), err, ..Said::default() }
}

/// The pod's port a Service's port leads to.
fn target_port(service: &Tree, pod: &Tree, port: &str) -> Result<i64, String> {
    let (name, all) = (service.text("metadata.name"), service.at("spec.ports").items());
    let by_name = all.iter().find(|one| one.text("name") == port);
    let found = by_name.or_else(|| all.iter().find(|one| one.int("port").to_string() == port));
    let Some(found) = found else {
        return Err(match port.parse::<i64>() {
            Ok(_) => format!("Service {name} does not have a service port {port}"),
            Err(_) => format!("Service '{name}' does not have a named port '{port}'"),
        });
    };
    match found.get("targetPort") {
        Tree::Str(named) => named_port(pod, named),
        Tree::Int(number) => Ok(*number),
        _ => Ok(found.int("port")),
    }
}

fn named_port(pod: &Tree, name: &str) -> Result<i64, String> {
    let ports = pod.at("spec.containers").items().iter().flat_map(|one| one.get("ports").items());
    let mut ports = ports.filter(|port| port.text("name") == name);
    let wrong =
        || format!("Pod '{}' does not have a named port '{name}'", pod.text("metadata.name"));
    ports.next().map(|port| port.int("containerPort")).ok_or_else(wrong)
}

/// Models k8s.io/kubectl/pkg/cmd/portforward (v1.36): the ports stay open for `curl` here.
pub(super) fn forward(cluster: &Cluster, args: &Args) -> Said {
    let (word, ports) = (args.word(0), args.words.get(1..).unwrap_or(&[]));
    if word.is_empty() || ports.is_empty() {
        return Said::failed(
            "error: TYPE/NAME and list of ports are required for port-forward\nSee 'kubectl \
             port-forward -h' for help and examples",
        );
    }
    let found = match logs::target(cluster, args, word) {
        Ok(found) => found,
        Err(why) => return Said::failed(&why),
    };
    let (pod, phase) = (found.pod, found.pod.text("status.phase"));
    if phase != "Running" {
        return Said::error(&format!(
            "unable to forward port because pod is not running. Current status={phase}"
        ));
    }
    let mut said = Said::default();
    for pair in ports {
        let (local, remote) = pair.split_once(':').unwrap_or((pair, pair));
        let (kind, name) = word.split_once('/').unwrap_or(("pod", word));
        let service = kinds::find(kind).filter(|kind| kind.name == "Service");
        let service =
            service.and_then(|kind| cluster.one(kind, &get::namespace(cluster, args), name));
        let port = match (service, remote.parse::<i64>()) {
            (Some(service), _) => target_port(service, pod, remote),
            (None, Ok(port)) if (1..65_536).contains(&port) => Ok(port),
            (None, Ok(_)) => Err(format!("Remote port must be > 0 and < 65536: {remote}")),
            (None, Err(_)) => named_port(pod, remote),
        };
        let port = match port {
            Ok(port) => port,
            Err(why) => return Said::error(&why),
        };
        let local = match (local, local == remote) {
            ("", _) => "40000".to_owned(),
            (_, true) if service.is_none() => port.to_string(),
            (local, _) => local.to_owned(),
        };
        for host in ["127.0.0.1", "[::1]"] {
            said.out.push_str(&format!("Forwarding from {host}:{local} -> {port}\n"));
        }
        let pod = cluster.said_pod(pod);
        said.actions.push(format!("port-forward pod/{pod} {local}:{port}"));
    }
    said.err = "(the ports stay open here: curl localhost:PORT)\n".to_owned();
    said
}

const CURL: &str = "s!silent S!show-error i!include v!verbose H:header o:output L!location \
     X:request d:data f!fail m:max-time I!head k!insecure";

/// The pod and its port behind a forwarded port of this machine.
fn forwarded(sim: &Simulation, port: &str) -> Option<(String, u16)> {
    let now = sim.now();
    let past = sim.scenario().actions.iter().rev().filter(|(at, _)| *at <= now);
    past.filter_map(|(_, action)| {
        let (pod, ports) = action.strip_prefix("port-forward pod/")?.split_once(' ')?;
        let (local, remote) = ports.split_once(':')?;
        (local == port).then_some((pod.to_owned(), remote.parse().ok()?))
    })
    .next()
}

/// curl's own error.
fn failed(code: i32, why: &str) -> Said {
    Said { err: format!("curl: ({code}) {why}\n"), exit: code, ..Said::default() }
}

/// `curl` of a forwarded port.
pub(super) fn curl(sim: &mut Simulation, words: &[String]) -> Said {
    let args = match read("curl", CURL, words) {
        Ok(args) => args,
        Err(said) => return said,
    };
    let url = args.word(0).trim_start_matches("http://");
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let (name, port) = host.split_once(':').unwrap_or((host, "80"));
    if url.is_empty() {
        return failed(2, "no URL specified");
    }
    if !["localhost", "127.0.0.1"].contains(&name) {
        return failed(
            6,
            &format!(
                "Could not resolve host: {name}\n(this is your own machine: only forwarded ports \
                 of localhost can be reached from here)"
            ),
        );
    }
    if let Some(flag) = args.outside(&["silent show-error include fail max-time header"]) {
        return Said::error(&format!("not simulated: curl --{flag}"));
    }
    let closed =
        format!("Failed to connect to {name} port {port} after 0 ms: Could not connect to server");
    let Some((pod, remote)) = forwarded(sim, port) else { return failed(7, &closed) };
    match sim.fetch(&pod, remote, &format!("/{path}"), host) {
        Some(Ok((code, _))) if args.has("fail") && code >= 400 => {
            failed(22, &format!("The requested URL returned error: {code}"))
        }
        Some(Ok((code, body))) => {
            let head = match args.has("include") {
                true => format!("HTTP/1.1 {code}\n\n"),
                false => String::new(),
            };
            let actions = vec![format!("request pod/{pod} {remote} /{path}")];
            Said { out: head + &body, actions, ..Said::default() }
        }
        Some(Err(why)) => {
            let mut said = failed(52, "Empty reply from server");
            let told = format!(
                "error: an error occurred forwarding {port} -> {remote}: error forwarding port \
                 {remote} to pod: {why}\n"
            );
            said.err.insert_str(0, &told);
            said
        }
        None => failed(7, &closed),
    }
}
