//! One command line: which command it is, its flags, and what it answers at the run's instant.

use super::cluster::Cluster;
use super::words::{self, Args};
use super::{
    access, act, attach, complete, create, describe, explain, files, get, help, line, live,
};
use super::{logs, mark, other, rollout};
use crate::kube::{self, Desired, tree::Tree};
use crate::order::Order;
use crate::part::part;
use crate::sim::{Scenario, Simulation};
use crate::time::SimTime;
use crate::trace::Event;
use std::collections::BTreeMap;

/// What a command printed, and what of it is to be done to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub out: String,
    pub err: String,
    pub exit: i32,
    /// Actions in the words scenarios have for them, to be done at this instant.
    pub actions: Vec<String>,
    /// Files of the person's own that it wrote: path and text.
    pub written: Vec<(String, String)>,
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

/// Simulates a scenario up to `at` and runs a command there, or a script of them. Actions that
/// come of it are added to the scenario, so that a later command sees them.
pub fn run_at(scenario: &mut Scenario, at: SimTime, line: &str) -> Said {
    run_among(scenario, at, line, &mut Files::new())
}

/// The same with files of the person's own, which the line may read and change.
pub fn run_among(scenario: &mut Scenario, at: SimTime, line: &str, files: &mut Files) -> Said {
    loaded().map(|part| (part.answer)(scenario, at, line, files)).unwrap_or_default()
}

/// What Tab makes of a line at an instant: the line as far as all ways to go on agree, and these
/// with two spaces between them where there are several. Nothing is run.
pub fn complete_line(
    scenario: &Scenario,
    at: SimTime,
    line: &str,
    files: &Files,
) -> (String, String) {
    loaded().map(|part| (part.complete)(scenario, at, line, files)).unwrap_or_default()
}

/// The objects there are at the simulation's present instant, as `get -o yaml` shows them.
pub fn objects(sim: &Simulation) -> Option<Desired> {
    loaded().map(|part| (part.objects)(sim))
}

/// Texts of files by their paths.
pub type Files = BTreeMap<String, String>;

/// [`run_among`], [`complete_line`] and [`objects`] themselves.
struct Commands {
    answer: fn(&mut Scenario, SimTime, &str, &mut Files) -> Said,
    complete: fn(&Scenario, SimTime, &str, &Files) -> (String, String),
    objects: fn(&Simulation) -> Desired,
}

part! {
    KUBECTL: Commands =
        &Commands { answer: answer_at, complete: complete::complete, objects: read_objects },
    in Kubectl;
}

fn read_objects(sim: &Simulation) -> Desired {
    let mut text = String::new();
    for object in sim.objects() {
        text.push_str("---\n");
        super::dump::json(&object, 0, 0, &mut text);
        text.push('\n');
    }
    kube::read(&text)
}

/// What lies before a person who types a command.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) cwd: String,
    pub(super) files: Files,
    /// What comes on standard input.
    pub(super) fed: Option<String>,
}

/// A person's own directory.
pub(super) const HOME: &str = "/root";

impl Desk {
    pub(super) fn new(files: Files) -> Desk {
        Desk { cwd: HOME.to_owned(), files, fed: None }
    }

    /// Where a name leads.
    pub(super) fn path(&self, name: &str) -> String {
        match name.strip_prefix("~/") {
            Some(rest) => format!("{HOME}/{rest}"),
            None if name.starts_with('/') => name.to_owned(),
            None => format!("{}/{}", self.cwd, name.trim_start_matches("./")),
        }
    }

    /// The texts of a file, of a directory's manifests, or of standard input as `-`.
    pub(super) fn read(&self, name: &str) -> Option<Vec<&str>> {
        if name == "-" {
            return self.fed.as_deref().map(|text| vec![text]);
        }
        let path = self.path(name.trim_end_matches('/'));
        if let Some(text) = self.files.get(&path) {
            return Some(vec![text]);
        }
        let inside = |one: &&String| {
            let rest = one.strip_prefix(&path).and_then(|rest| rest.strip_prefix('/'));
            let manifest = [".yaml", ".yml", ".json"].iter().any(|end| one.ends_with(end));
            rest.is_some_and(|rest| !rest.contains('/')) && manifest
        };
        let found: Vec<&str> =
            self.files.keys().filter(inside).map(|path| self.files[path].as_str()).collect();
        (!found.is_empty()).then_some(found)
    }
}

fn answer_at(scenario: &mut Scenario, at: SimTime, line: &str, files: &mut Files) -> Said {
    let mut desk = Desk::new(std::mem::take(files));
    let said = match line::wants_shell(line) {
        true => line::play(scenario, at, line, &mut desk),
        false => match crate::text::words::split(line) {
            Some(words) => {
                let said = at_instant(scenario, at, &words, &desk, &mut { LOOKS_MAX }).0;
                desk.files.extend(said.written.iter().cloned());
                said
            }
            None => Said::failed("sh: syntax error: unterminated quoted string"),
        },
    };
    *files = desk.files;
    said
}

/// The simulation at an instant, and its trace; None where the containers are too busy.
pub(super) fn simulated(
    scenario: &Scenario,
    at: SimTime,
    looks: &mut usize,
) -> Option<(Simulation, Vec<Event>)> {
    let mut sim = Simulation::new(scenario.clone());
    let mut past = Vec::new();
    while *looks > 0 {
        let slice = sim.advance(at, SLICE_STEPS);
        past.extend(slice.events);
        if slice.end.is_some() {
            return Some((sim, past));
        }
        *looks -= 1;
    }
    None
}

/// Runs one command; also says what time it is in the cluster after it.
pub(super) fn at_instant(
    scenario: &mut Scenario,
    at: SimTime,
    words: &[String],
    desk: &Desk,
    looks: &mut usize,
) -> (Said, SimTime) {
    let Some((mut sim, past)) = simulated(scenario, at, looks) else {
        let why = "not simulated: the containers are too busy to get to this instant";
        return (Said::error(why), at);
    };
    let said = run(&mut sim, &past, words, desk);
    scenario.actions.extend(said.actions.iter().map(|action| (at, action.clone())));
    scenario.actions.order_by_key(|(at, _)| *at);
    (said, sim.now())
}

/// Steps between two looks at the clock, and how many looks at most.
const SLICE_STEPS: u64 = 1_000_000;
pub(super) const LOOKS_MAX: usize = 60;

/// Runs a command (the word kubectl may be there or not) against a simulation at its present
/// instant; `past` is its trace so far. What changes the cluster comes back as actions.
fn run(sim: &mut Simulation, past: &[Event], words: &[String], desk: &Desk) -> Said {
    if words.first().is_some_and(|word| word == "curl") {
        return attach::curl(sim, &words[1..]);
    }
    let words = words.strip_prefix(&["kubectl".to_owned()][..]).unwrap_or(words);
    let words = match words.first().map(String::as_str) {
        Some("k") => &words[1..],
        _ => words,
    };
    let at = words::command_at(words);
    let Some(verb) = words.get(at) else {
        return match words::parse("", words) {
            Ok(_) => Said::printed(USAGE),
            Err(why) => Said::error(&format!("{why}\nSee 'kubectl --help' for usage.")),
        };
    };
    let mut rest = words[..at].to_vec();
    rest.extend_from_slice(&words[at + 1..]);
    if let Some(said) = help::alone(verb).filter(|_| rest.is_empty()) {
        return said;
    }
    let own = rest.split(|word| word == "--").next().unwrap_or(&[]);
    let named = own.iter().any(|word| word.starts_with("-n") || word.starts_with("--namespace"));
    if let Some(namespace) = desk.files.get(access::CONFIG_FILE).filter(|_| !named) {
        rest.insert(0, format!("--context-namespace={namespace}"));
    }
    if let Some(said) = live::command(sim, past, verb, &rest, desk) {
        return said;
    }
    let mut cluster = look(sim, past);
    cluster.desk = desk.clone();
    command(&cluster, verb, &rest)
}

/// Names of all commands.
pub(super) fn verbs() -> impl Iterator<Item = &'static str> {
    ALL.split_whitespace()
}

/// `--name` of each flag of a command.
pub(super) fn flags_of(verb: &str) -> Vec<String> {
    let found = COMMANDS.iter().find(|(name, ..)| *name == verb).map(|(_, flags, _)| *flags);
    let flags = found.or_else(|| live::flags(verb)).unwrap_or("");
    words::names(flags)
        .map(|(name, switch)| format!("--{name}{}", if switch { "" } else { "=" }))
        .collect()
}

/// Whether a line that begins so is one of kubectl's.
pub(super) fn is_verb(word: &str) -> bool {
    verbs().any(|verb| verb == word)
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
    ("replace", files::APPLY, files::replace),
    ("edit", files::APPLY, files::edit),
    ("port-forward", attach::FORWARD, attach::forward),
    ("explain", explain::FLAGS, explain::run),
    ("api-resources", other::RESOURCES, other::api_resources),
    ("api-versions", "", |_, _| Said::printed(other::API_VERSIONS)),
    ("version", "client! o:output", other::version),
    ("auth", access::AUTH, access::auth),
    ("events", other::EVENTS, other::events),
    ("cluster-info", "", other::cluster_info),
    ("config", access::CONFIG, access::config),
    ("drain", other::DRAIN, other::drain),
    (
        "taint",
        "overwrite! all! l:selector dry-run: o:output validate: field-manager:",
        other::taint,
    ),
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
    match (verb, rest.first().map(String::as_str)) {
        ("completion", None) => {
            return Said::error(
                "Shell not specified.\nSee 'kubectl completion -h' for help and examples",
            );
        }
        ("kustomize", dir) => {
            return Said::error(&format!(
                "unable to find one of 'kustomization.yaml', 'kustomization.yml' or \
                 'Kustomization' in directory '{}'",
                cluster.desk.path(dir.unwrap_or(".")).trim_end_matches("/.")
            ));
        }
        ("plugin", Some("list")) => {
            return Said::error("unable to find any kubectl plugins in your PATH");
        }
        _ => {}
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
    Said::error(why.trim_end())
}

/// A command's words and flags; what kubectl says where they do not fit, or are asked about.
pub(super) fn read(verb: &str, flags: &'static str, words: &[String]) -> Result<Args, Said> {
    let usage = |why| format!("error: {why}\nSee 'kubectl {verb} --help' for usage.");
    let args = words::parse(flags, words).map_err(|why| Said::failed(&usage(why)))?;
    if args.has("help") {
        return Err(help::of(verb, flags));
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
