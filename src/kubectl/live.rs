//! Commands that need the running simulation and not only its objects: exec, top, wait, a rollout
//! watched to its end, a watch. What they run, they run in a copy of the cluster's future.

use super::cluster::Cluster;
use super::run::{Desk, look, read};
use super::words::Args;
use super::{
    Said, attach, clock, compare, copy, create, debug, files, get, kinds, logs, rollout, watch,
};
use crate::sim::{Executed, Simulation};
use crate::text::words::quote;
use crate::time::SimTime;
use crate::trace::Event;

const EXEC: &str = "c:container i!stdin t!tty f:filename pod-running-timeout: q!quiet";
const TOP: &str =
    "containers! l:selector A!all-namespaces no-headers! sort-by: sum! use-protocol-buffers!";
const WAIT: &str = "for: timeout: l:selector all! A!all-namespaces f:filename o:output";

/// The flags of these commands.
pub(super) fn flags(verb: &str) -> Option<&'static str> {
    Some(match verb {
        "exec" => EXEC,
        "top" => TOP,
        "wait" => WAIT,
        "rollout" => rollout::FLAGS,
        "get" => get::FLAGS,
        "attach" => attach::ATTACH,
        "run" => create::RUN,
        "cp" => copy::COPY,
        "debug" => debug::DEBUG,
        "diff" | "replace" => files::APPLY,
        _ => return None,
    })
}

/// What a command of these says; None for all others.
pub(super) fn command(
    sim: &mut Simulation,
    past: &[Event],
    verb: &str,
    rest: &[String],
    desk: &Desk,
) -> Option<Said> {
    let flags = flags(verb)?;
    let is_status = rest.iter().find(|word| !word.starts_with('-')).is_some_and(|w| w == "status");
    if verb == "rollout" && !is_status {
        return None;
    }
    let args = match read(verb, flags, rest) {
        Ok(args) => args,
        Err(said) => return Some(said),
    };
    Some(match verb {
        "exec" => exec(sim, past, &args, desk.fed.as_deref()),
        "cp" => copy::copy(sim, past, &args, desk),
        "debug" => debug::debug(sim, past, &args),
        "diff" => compare::diff(sim, past, &args, desk),
        "replace" if args.has("force") => compare::replace(sim, past, &args, desk),
        "attach" => attach::attach(sim, past, &args),
        "run" => return attach::run(sim, past, &args),
        "top" => top(sim, past, &args),
        "wait" => wait(sim, past, &args),
        "rollout" => watch_rollout(sim, past, &args),
        "get" => return watch::watch(sim, past, &args),
        _ => return None,
    })
}

/// How long a command may run before the console gives up on it.
const EXEC_MAX: SimTime = SimTime::from_secs(30);

/// Programs that only look: running them again in the run itself would change nothing.
const LOOKING: &str = "ls cat env printenv ps id whoami hostname date echo head tail grep wc wget \
     nslookup df du stat pwd mount netstat ss ip uname true false test which readlink nc";

/// What is wrong with exec's words, in kubectl's.
fn exec_misuse(args: &Args) -> Option<&'static str> {
    let no_command = args.rest.as_ref().is_none_or(Vec::is_empty);
    match (no_command, args.words.len()) {
        (true, 2..) => Some(
            "error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] \
             instead\nSee 'kubectl exec -h' for help and examples",
        ),
        (_, 0) => Some("error: pod, type/name or --filename must be specified"),
        (true, _) => Some("error: you must specify at least one command for the container"),
        _ => None,
    }
}

/// Models k8s.io/kubectl/pkg/cmd/exec (v1.36).
fn exec(sim: &mut Simulation, past: &[Event], args: &Args, fed: Option<&str>) -> Said {
    if let Some(why) = exec_misuse(args) {
        return Said::failed(why);
    }
    let cluster = look(sim, past);
    let (found, container, told) = match logs::living(&cluster, args, "exec into a container in") {
        Ok(found) => found,
        Err(said) => return said,
    };
    let pod = cluster.said_pod(found.pod);
    let mut said = Said { err: told, ..Said::default() };
    let argv = args.rest.as_deref().unwrap_or(&[]);
    // What is piped in comes through the container's own shell.
    let through = |text: &str| {
        let script = "t=$1; shift; printf %s \"$t\" | \"$@\"";
        let mut all = ["sh", "-c", script, "sh", text].map(str::to_owned).to_vec();
        all.extend_from_slice(argv);
        all
    };
    let piped = fed.filter(|_| args.has("stdin")).map(through);
    let argv = piped.as_deref().unwrap_or(argv);
    let seen = sim.now();
    let ran = sim.exec(&pod, &container, argv, EXEC_MAX);
    let began = matches!(ran, Executed::Ended { .. } | Executed::Running);
    executed(&mut said, ran, &container, &format!("{pod}/{container}/{seen}"));
    let program = argv.first().map_or("", String::as_str);
    let looks = LOOKING.split_whitespace().any(|known| known == program);
    if began && !looks {
        let argv: Vec<String> = argv.iter().map(|word| quote(word)).collect();
        said.actions.push(format!("exec pod/{pod} -c {container} -- {}", argv.join(" ")));
    }
    said
}

pub(super) fn executed(said: &mut Said, ran: Executed, container: &str, id: &str) {
    said.exit = 1;
    said.err.push_str(&match ran {
        Executed::Ended { code, stdout, mut stderr } => {
            (said.out, said.exit) = (stdout, code);
            if code != 0 {
                stderr.push_str(&format!("command terminated with exit code {code}\n"));
            }
            stderr
        }
        Executed::Running => {
            "not simulated: a command that runs on; it was still running after 30 s\n".to_owned()
        }
        Executed::NoContainer => {
            format!("error: unable to upgrade connection: container not found (\"{container}\")\n")
        }
        Executed::Failed(why) => {
            // containerd names the exec, and ends what it does not know with a word of its own.
            let id = crate::sim::hex_of(id, 64);
            let why = why.trim_start_matches("rpc error: code = Unknown desc = ");
            let why = why.replace("start exec:", &format!("start exec \"{id}\":"));
            format!(
                "error: Internal error occurred: Internal error occurred: error executing command \
                 in container: {why}: unknown\n"
            )
        }
    });
}

/// (pod, container, thousandths of a CPU, bytes).
type Used = (String, String, u32, u64);

/// Usage as the metrics server would tell it, measured now.
fn top(sim: &mut Simulation, past: &[Event], args: &Args) -> Said {
    let used = sim.usage();
    let cluster = look(sim, past);
    match args.word(0) {
        "node" | "nodes" | "no" => top_node(&cluster, args, &used),
        "pod" | "pods" | "po" => top_pods(&cluster, args, &used),
        _ => Said::unknown_below("top", &args.words),
    }
}

fn top_node(cluster: &Cluster, args: &Args, used: &[Used]) -> Said {
    let cpu: u32 = used.iter().map(|one| one.2).sum();
    let bytes: u64 = used.iter().map(|one| one.3).sum();
    let node = kinds::of("Node").and_then(|kind| cluster.list(kind, None).first().copied());
    let share = |part: u64, name: &str| {
        let text = node.map_or("", |node| node.at("status.allocatable").text(name));
        let room = crate::kube::quantity::Quantity::parse(text).map_or(1, |q| q.milli());
        format!("{}%", part * 100 / (room as u64).max(1))
    };
    let heads = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"];
    let cells = [
        node.map_or("", |node| node.text("metadata.name")).to_owned(),
        format!("{cpu}m"),
        share(cpu.into(), "cpu"),
        format!("{}Mi", bytes >> 20),
        share(bytes.saturating_mul(1_000), "memory"),
    ];
    let lines = [heads.map(str::to_owned).to_vec(), cells.to_vec()];
    Said::printed(get::table(&lines, args.has("no-headers")))
}

fn top_pods(cluster: &Cluster, args: &Args, used: &[Used]) -> Said {
    let Some(kind) = kinds::of("Pod") else { return Said::default() };
    let asked = [get::Asked { kind, names: args.words.get(1..).unwrap_or(&[]).to_vec() }];
    let (found, missing) = match get::find(cluster, args, &asked) {
        Ok(found) => found,
        Err(why) => return Said::error(&why),
    };
    if !missing.is_empty() {
        return Said::failed(&missing.join("\n"));
    }
    let by_container = args.has("containers");
    let heads = if by_container { vec!["POD", "NAME"] } else { vec!["NAME"] };
    let heads = heads.into_iter().chain(["CPU(cores)", "MEMORY(bytes)"]);
    let mut lines = vec![heads.map(str::to_owned).collect::<Vec<_>>()];
    for pod in found.iter().flat_map(|(_, list)| list) {
        let (name, key) = (pod.text("metadata.name"), cluster.key(pod));
        let mine: Vec<&Used> = used.iter().filter(|one| one.0 == *key).collect();
        let cells = |cpu: u32, bytes: u64| [format!("{cpu}m"), format!("{}Mi", bytes >> 20)];
        if by_container {
            for (_, container, cpu, bytes) in &mine {
                let mut line = vec![name.to_owned(), container.clone()];
                line.extend(cells(*cpu, *bytes));
                lines.push(line);
            }
        } else if !mine.is_empty() {
            let mut line = vec![name.to_owned()];
            let (cpu, bytes) = (mine.iter().map(|o| o.2).sum(), mine.iter().map(|o| o.3).sum());
            line.extend(cells(cpu, bytes));
            lines.push(line);
        }
    }
    if lines.len() == 1 {
        let err = format!("No resources found in {} namespace.\n", get::namespace(cluster, args));
        return Said { err, ..Said::default() };
    }
    Said::printed(get::table(&lines, args.has("no-headers")))
}

/// Looks at the cluster again whenever something happened, up to `limit` from now, until `test`
/// has its answer. What happens is added to `past`.
pub(super) fn later<T>(
    sim: &mut Simulation,
    past: &mut Vec<Event>,
    limit: SimTime,
    mut test: impl FnMut(&Cluster) -> Option<T>,
) -> Option<T> {
    const TICKS_MAX: u64 = 4_000;
    let mut steps = STEPS_MAX;
    let begun = sim.now();
    let tick = SimTime::from_millis((limit.as_millis() / TICKS_MAX).max(20));
    let mut changed = true;
    for n in 0..=TICKS_MAX {
        if changed && let Some(answer) = test(&look(sim, past)) {
            return Some(answer);
        }
        let next = begun + SimTime::from_millis(tick.as_millis() * (n + 1));
        if next > begun + limit {
            return None;
        }
        let events = sim.advance_within(next, &mut steps).events;
        changed = !events.is_empty();
        past.extend(events);
        if steps == 0 {
            return None;
        }
    }
    None
}

/// Interpreter steps a command that waits may take.
const STEPS_MAX: u64 = 60_000_000;

/// What a command says that was to wait until `end` and did not get there.
fn too_busy(sim: &Simulation, end: SimTime) -> Option<Said> {
    let early = sim.now() + SimTime::from_secs(1) < end;
    early.then(|| {
        Said::error(&format!(
            "not simulated: the containers are too busy to wait for; given up after {STEPS_MAX} \
             steps, {} s into the run",
            sim.now().as_secs()
        ))
    })
}

fn timeout(args: &Args, default_secs: u64) -> Result<SimTime, Said> {
    let Some(text) = args.flag("timeout") else { return Ok(SimTime::from_secs(default_secs)) };
    let wrong = || {
        Said::error(&format!(
            "invalid argument {text:?} for \"--timeout\" flag: time: invalid duration {text:?}"
        ))
    };
    clock::duration(text).map(SimTime::from_millis).ok_or_else(wrong)
}

/// Models k8s.io/kubectl/pkg/cmd/wait (v1.36).
fn wait(sim: &mut Simulation, past: &[Event], args: &Args) -> Said {
    let limit = match timeout(args, 30) {
        Ok(limit) => limit,
        Err(said) => return said,
    };
    let goal = match goal(args) {
        Ok(goal) => goal,
        Err(why) => return Said::error(&why),
    };
    let asked = match get::asked(&args.words) {
        Ok(asked) => asked,
        Err(why) => return Said::error(&why),
    };
    let mut names: Option<Vec<String>> = None;
    let end = sim.now() + limit;
    let done = later(sim, &mut past.to_vec(), limit, |cluster| {
        let found = get::find(cluster, args, &asked);
        let (found, missing) = match found {
            Ok(found) => found,
            Err(why) => return Some(Said::error(&why)),
        };
        let gone = goal == "delete";
        if !missing.is_empty() && !gone && goal != "create" {
            return Some(Said::failed(&missing.join("\n")));
        }
        let all: Vec<_> =
            found.iter().flat_map(|(kind, list)| list.iter().map(move |one| (kind, one))).collect();
        if names.is_none() {
            if all.is_empty() && !gone {
                return Some(Said::error("no matching resources found"));
            }
            let name = |(kind, one): &(_, &&crate::kube::tree::Tree)| {
                let kind: &&&kinds::Kind = kind;
                format!("{}/{}", kind.prefix(), one.text("metadata.name"))
            };
            names = Some(all.iter().map(name).collect());
        }
        let met = match gone {
            true => all.is_empty(),
            false => all.iter().all(|(_, one)| is_met(one, &goal)),
        };
        let names = names.as_deref().unwrap_or(&[]);
        met.then(|| {
            let line = |name: &String| format!("{name} condition met\n");
            Said::printed(names.iter().map(line).collect::<String>())
        })
    });
    if let Some(said) = too_busy(sim, end).filter(|_| done.is_none()) {
        return said;
    }
    done.unwrap_or_else(|| {
        let names = names.unwrap_or_default();
        let line = |name: &String| {
            let (kind, name) = name.split_once('/').unwrap_or(("", name));
            let plural = kinds::find(kind).map_or(kind.to_owned(), |kind| kind.plural.to_owned());
            format!("error: timed out waiting for the condition on {plural}/{name}\n")
        };
        Said { err: names.iter().map(line).collect(), exit: 1, ..Said::default() }
    })
}

/// What is waited for.
fn goal(args: &Args) -> Result<String, String> {
    let goal = args.flag("for").unwrap_or("");
    let known = ["create", "delete"].contains(&goal.to_lowercase().as_str());
    match goal {
        "" => Err("unrecognized condition: []".to_owned()),
        _ if known || goal.starts_with("condition=") || goal.starts_with("jsonpath=") => {
            Ok(goal.to_owned())
        }
        _ => Err(format!("unrecognized condition: \"{goal}\"")),
    }
}

fn is_met(one: &crate::kube::tree::Tree, goal: &str) -> bool {
    if let Some(condition) = goal.strip_prefix("condition=") {
        let (kind, value) = condition.split_once('=').unwrap_or((condition, "True"));
        let all = one.at("status.conditions").items();
        return all.iter().any(|c| {
            c.text("type").eq_ignore_ascii_case(kind)
                && c.text("status").eq_ignore_ascii_case(value)
        });
    }
    if let Some(path) = goal.strip_prefix("jsonpath=") {
        let path = path.trim_matches('\'');
        let (path, value) = path.rsplit_once("}=").map_or((path, None), |(p, v)| (p, Some(v)));
        let found = super::jsonpath::values(path, one).unwrap_or_default();
        return match value {
            Some(value) => found.iter().any(|tree| tree.show() == value),
            None => !found.is_empty(),
        };
    }
    goal == "create"
}

/// `rollout status` waits, line by line, as long as its timeout allows.
fn watch_rollout(sim: &mut Simulation, past: &[Event], args: &Args) -> Said {
    let limit = match timeout(args, 600) {
        Ok(limit) if args.flag("watch") != Some("false") => limit,
        Ok(_) => SimTime::ZERO,
        Err(said) => return said,
    };
    let mut lines = String::new();
    let mut last = Said::default();
    let mut seen = None;
    let end = sim.now() + limit;
    let done = later(sim, &mut past.to_vec(), limit, |cluster| {
        // A line for each change of the object's status, as a watch brings them.
        let status = rollout::status_of(cluster, args);
        if seen.as_ref() == Some(&status) {
            return None;
        }
        seen = Some(status);
        let said = rollout::run(cluster, args);
        lines.push_str(&said.out);
        let over = said.exit == 0 || !said.err.contains("timed out waiting");
        last = said.clone();
        over.then_some(said)
    });
    if let Some(said) = too_busy(sim, end).filter(|_| done.is_none()) {
        return Said { out: lines, ..said };
    }
    let said = done.unwrap_or(last);
    Said { out: lines, ..said }
}
