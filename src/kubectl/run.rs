//! One command line: which command it is, its flags, and what it answers at the run's instant.

use super::cluster::Cluster;
use super::words::{self, Args};
use super::{act, attach, create, describe, explain, files, get, live, logs, mark, other, rollout};
use crate::kube::{self, Desired, tree::Tree};
use crate::order::Order;
use crate::part::part;
use crate::sim::{Scenario, Simulation};
use crate::time::SimTime;
use crate::trace::Event;

/// What a command printed, and what of it is to be done to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub exit: i32,
    /// Actions in the words scenarios have for them, to be done at this instant.
    pub actions: Vec<String>,
}

impl Said {
    /// `error: WHY` and exit code 1.
    pub(super) fn error(why: &str) -> Said {
        match why.starts_with("Error from server") {
            true => Said::failed(why),
            false => Said::failed(&format!("error: {why}")),
        }
    }

    /// A group of commands asked for one it does not have.
    pub(super) fn unknown_below(group: &str, words: &[String]) -> Said {
        let words = words.join(" ");
        Said::error(&format!(
            "unknown command \"{words}\"\nSee 'kubectl {group} -h' for help and examples"
        ))
    }

    /// A line on stderr and exit code 1.
    pub(super) fn failed(line: &str) -> Said {
        Said { err: format!("{line}\n"), exit: 1, ..Said::default() }
    }

    pub(super) fn printed(out: impl Into<String>) -> Said {
        Said { out: out.into(), ..Said::default() }
    }
}

/// Simulates a scenario up to `at` and runs a command there. Actions that come of it are added to
/// the scenario, so that a later command sees them.
pub fn run_at(scenario: &mut Scenario, at: SimTime, line: &str) -> Said {
    loaded().map(|part| (part.answer)(scenario, at, line)).unwrap_or_default()
}

/// The objects there are at the simulation's present instant, as `get -o yaml` shows them.
pub fn objects(sim: &Simulation) -> Option<Desired> {
    loaded().map(|part| (part.objects)(sim))
}

/// [`run_at`] and [`objects`] themselves.
struct Commands {
    answer: fn(&mut Scenario, SimTime, &str) -> Said,
    objects: fn(&Simulation) -> Desired,
}

part! { KUBECTL: Commands = &Commands { answer: answer_at, objects: read_objects }, in Kubectl; }

fn read_objects(sim: &Simulation) -> Desired {
    let mut text = String::new();
    for object in sim.objects() {
        text.push_str("---\n");
        super::dump::json(&object, 0, 0, &mut text);
        text.push('\n');
    }
    kube::read(&text)
}

fn answer_at(scenario: &mut Scenario, at: SimTime, line: &str) -> Said {
    let mut sim = Simulation::new(scenario.clone());
    let mut past = Vec::new();
    let mut n_slices = 0;
    loop {
        let slice = sim.advance(at, SLICE_STEPS);
        past.extend(slice.events);
        if slice.end.is_some() {
            break;
        }
        n_slices += 1;
        if n_slices == SLICES_MAX {
            return Said::error(
                "not simulated: the containers are too busy to get to this instant",
            );
        }
    }
    let said = run(&mut sim, &past, line);
    scenario.actions.extend(said.actions.iter().map(|action| (at, action.clone())));
    scenario.actions.order_by_key(|(at, _)| *at);
    said
}

/// Steps between two looks at the clock, and how many looks at most.
const SLICE_STEPS: u64 = 1_000_000;
const SLICES_MAX: usize = 60;

/// Runs `kubectl LINE` (the word kubectl may be there or not) against a simulation at its present
/// instant; `past` is its trace so far. What changes the cluster comes back as actions.
pub fn run(sim: &mut Simulation, past: &[Event], line: &str) -> Said {
    let Some(words) = crate::text::words::split(line) else {
        return Said::failed("sh: syntax error: unterminated quoted string");
    };
    let (fed, words) = fed(words);
    let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let joins = ["|", ">", ">>", "<", "&&", "||", ";"];
    if let Some(sign) = words[..dashes].iter().find(|word| joins.contains(&word.as_str())) {
        return Said::error(&format!(
            "not simulated: {sign} on this command line, which has kubectl and curl and no shell \
             (echo TEXT | kubectl exec -i works)"
        ));
    }
    if words.first().is_some_and(|word| word == "curl") {
        return attach::curl(sim, &words[1..]);
    }
    let words = words.strip_prefix(&["kubectl".to_owned()][..]).unwrap_or(&words);
    let words = match words.first().map(String::as_str) {
        Some("k") => &words[1..],
        _ => words,
    };
    let at = words.iter().position(|word| !word.starts_with('-')).unwrap_or(words.len());
    let Some(verb) = words.get(at) else {
        return match words::parse("", words) {
            Ok(_) => Said::printed(USAGE),
            Err(why) => Said::error(&format!("{why}\nSee 'kubectl --help' for usage.")),
        };
    };
    let mut rest = words[..at].to_vec();
    rest.extend_from_slice(&words[at + 1..]);
    if let Some(said) = live::command(sim, past, verb, &rest, fed.as_deref()) {
        return said;
    }
    command(&look(sim, past), verb, &rest)
}

/// The text of `echo TEXT |` before a command, and the command.
fn fed(mut words: Vec<String>) -> (Option<String>, Vec<String>) {
    let bar = words.iter().position(|word| word == "|");
    let Some(bar) = bar.filter(|_| words[0] == "echo") else { return (None, words) };
    let rest = words.split_off(bar + 1);
    (Some(words[1..bar].join(" ") + "\n"), rest)
}

/// The cluster at the simulation's present instant.
pub(super) fn look<'a>(sim: &Simulation, past: &'a [Event]) -> Cluster<'a> {
    let scenario = sim.scenario();
    let (started, namespace) = (scenario.started_unix_secs, scenario.namespace.as_str());
    let mut cluster = Cluster::new(sim.objects(), past, sim.now(), started, namespace);
    cluster.review = scenario.review;
    let written = scenario.desired.objects.iter().filter_map(|one| one.origins.root.as_deref());
    cluster.was_applied(written.map(Tree::of_node).collect());
    cluster
}

const USAGE: &str = "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: \
                     https://kubernetes.io/docs/reference/kubectl/\n";

/// (verb, its flags, what it does).
type Command = (&'static str, &'static str, fn(&Cluster, &Args) -> Said);

const COMMANDS: &[Command] = &[
    ("get", get::FLAGS, get::run),
    ("describe", describe::FLAGS, describe::run),
    ("logs", logs::FLAGS, logs::run),
    ("delete", act::DELETE, act::delete),
    ("scale", act::SCALE, act::scale),
    ("set", act::SET, act::set),
    ("label", mark::META, |cluster, args| mark::mark(cluster, args, "label")),
    ("annotate", mark::META, |cluster, args| mark::mark(cluster, args, "annotate")),
    ("patch", mark::PATCH, mark::patch),
    ("rollout", rollout::FLAGS, rollout::run),
    ("create", create::FLAGS, create::run),
    ("run", create::RUN, create::pod),
    ("expose", create::EXPOSE, create::expose),
    ("autoscale", create::EXPOSE, create::autoscale),
    ("apply", files::APPLY, files::apply),
    ("diff", files::APPLY, files::diff),
    ("replace", files::APPLY, files::replace),
    ("edit", files::APPLY, files::edit),
    ("cp", attach::COPY, attach::copy),
    ("port-forward", attach::FORWARD, attach::forward),
    ("explain", explain::FLAGS, explain::run),
    ("api-resources", other::RESOURCES, other::api_resources),
    ("api-versions", "", |_, _| Said::printed(other::API_VERSIONS)),
    ("version", "client! o:output", other::version),
    ("auth", "list! A!all-namespaces q!quiet as: subresource:", other::auth),
    ("events", other::EVENTS, other::events),
    ("cluster-info", "", other::cluster_info),
    ("config", "minify! raw! o:output", other::config),
    ("drain", other::DRAIN, other::drain),
    ("cordon", "l:selector dry-run:", |cluster, args| other::cordon(cluster, args, "cordon")),
    ("uncordon", "l:selector dry-run:", |cluster, args| other::cordon(cluster, args, "uncordon")),
];

/// All commands, in kubectl's order: what it suggests where one is misspelt.
const ALL: &str = "create expose run set explain get edit delete rollout scale autoscale certificate \
     cluster-info top cordon uncordon drain taint describe logs attach exec port-forward proxy cp \
     auth debug events diff apply patch replace wait kustomize label annotate completion alpha \
     api-resources api-versions config plugin version";

fn command(cluster: &Cluster, verb: &str, rest: &[String]) -> Said {
    if let Some((_, flags, run)) = COMMANDS.iter().find(|(name, ..)| *name == verb) {
        return match read(verb, flags, rest) {
            Ok(args) => run(cluster, &args),
            Err(said) => said,
        };
    }
    if other::NOT_SIMULATED.split(' ').any(|known| known == verb) {
        return Said::error(&format!("not simulated: kubectl {verb}"));
    }
    let mut why = format!("unknown command \"{verb}\" for \"kubectl\"");
    let near: Vec<String> = ALL
        .split_whitespace()
        .filter(|name| distance(verb, name) <= 2 || name.starts_with(verb))
        .map(|name| format!("\t{name}\n"))
        .collect();
    if !near.is_empty() {
        why.push_str(&format!("\n\nDid you mean this?\n{}", near.concat()));
    }
    Said::error(&why)
}

/// A command's words and flags; what kubectl says where they do not fit, or are asked about.
pub(super) fn read(verb: &str, flags: &'static str, words: &[String]) -> Result<Args, Said> {
    let usage = |why| format!("error: {why}\nSee 'kubectl {verb} --help' for usage.");
    let args = words::parse(flags, words).map_err(|why| Said::failed(&usage(why)))?;
    if args.has("help") {
        let names = flags.split_whitespace().map(|spec| {
            let name = spec.split([':', '!']).rfind(|part| !part.is_empty()).unwrap_or(spec);
            format!("    --{name}\n")
        });
        let names: String = names.collect();
        return Err(Said::printed(format!(
            "Usage:\n  kubectl {verb} [flags]\n\nOptions:\n{names}"
        )));
    }
    Ok(args)
}

/// How many letters apart two words are. Models cobra's ld, which suggests commands.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(40).enumerate() {
        let mut last = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = (last + usize::from(x != *y)).min(row[j] + 1).min(row[j + 1] + 1);
            last = row[j + 1];
            row[j + 1] = cost;
        }
    }
    row.last().copied().unwrap_or(0)
}
