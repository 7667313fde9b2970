//! The cluster: from desired objects to a timeline. Never sees YAML text or rules.
//!
//! What is not simulated. A run that uses one of the first group says so with a note; the second
//! group is the shape of this cluster, which a manifest cannot ask for otherwise.
//!
//! | matter | what happens instead |
//! |---|---|
//! | VerticalPodAutoscaler | a note; requests stay |
//! | metrics of pods, objects and the outside | no adapter serves any: the autoscaler says so |
//! | TLS and annotations of an Ingress | a note; it routes plain HTTP by host and path |
//! | Gateway, HTTPRoute | a note; nothing comes from outside |
//! | RuntimeClass, custom resources | a note; nobody acts on them |
//! | gRPC health checks of a server that listens | the probe errors, with a note in its words |
//! | volumes of NFS, iSCSI, CSI, images and the like | a note; an empty directory |
//! | what a node has at a hostPath | a note; an empty directory, the same for all its pods |
//! | what is in a service account's token | its files are mounted; beyond its head it says so |
//! | GPUs and other devices | no node has any: `Insufficient nvidia.com/gpu` |
//! | load balancers, service meshes | addresses stay pending; no proxies are injected |
//! | process pressure, soft eviction | only hard limits of memory and disk evict |
//! | pressure on a node of 1 GiB and more | never: nothing that runs here can fill one |
//! | graceful node shutdown | a machine is off at once; `drain`, `down` and `up` work |
//! | image registries | a table of well-known images; others run as a stand-in, with a note |
//! | scores of the scheduler beyond spreading and room | the emptier node with fewer siblings |

mod actions;
mod command;
mod containers;
mod control;
mod exec;
mod faults;
pub mod images;
mod kubelet;
mod model;
mod quantity;
mod rootfs;
mod row;
mod runtime;
mod view;
mod world;
mod written;

pub use command::Executed;
pub(crate) use kubelet::token::TOKEN;
pub use view::{hex_of, stamp, suffix_of};

use crate::kube::tree::Tree;
use crate::kube::{Desired, Object, Origins};
use crate::time::SimTime;
use crate::trace::{End, Event};
use exec::Tasks;
use std::sync::Arc;
use world::{Cluster, World};

pub use control::fill as fill_controllers;
pub use images::files::fill as fill_images;

/// Everything a run depends on. Same scenario, same bytes.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub desired: Arc<Desired>,
    /// Where objects without a namespace of their own go.
    pub namespace: String,
    /// What the person does and when, in kubectl's words; sorted by time.
    pub actions: Vec<(SimTime, String)>,
    pub seed: u64,
    /// Unix time (seconds) of the run's start, what `date` shows.
    pub started_unix_secs: i64,
    pub limits: Limits,
    /// The storage class claims get that name none, where the cluster has one.
    pub storage_class: Option<String>,
    /// What judges a manifest that is applied while the cluster runs; all is taken where none does.
    pub review: Option<Review>,
}

/// The server's verdict over a manifest applied to a running cluster: the objects it takes, and
/// what it says to the others. The function asked gives an object of that kind and name as it was
/// applied last. Given by who starts the run, for this module knows no rules.
pub type Review = fn(&str, &dyn Fn(&Object) -> Option<Origins>) -> (Desired, Vec<String>);

/// Small files that exercises and recordings apply while they run: name and text.
const SMALL_FILES: [(&str, &str); 2] = [
    (
        "later-db.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: later-db}\ndata: {go: 'yes'}\n",
    ),
    (
        "late-config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: late-config}\ndata: {key: value}\n",
    ),
];

/// The text of a small file, wherever it is said to lie.
pub fn small_file(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    SMALL_FILES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Scenario {
    /// The scenario of a manifest alone: namespace `default`, seed 1, nothing done to it.
    pub fn new(desired: Arc<Desired>) -> Scenario {
        Scenario {
            desired,
            namespace: "default".to_owned(),
            actions: Vec::new(),
            seed: 1,
            started_unix_secs: STARTED_UNIX_SECS,
            limits: Limits::default(),
            storage_class: Some("standard".to_owned()),
            review: None,
        }
    }
}

/// The clock of a run nobody gave a date: 2026-01-05 09:00:00 UTC, a Monday.
pub const STARTED_UNIX_SECS: i64 = 1_767_603_600;

/// Reaching one ends or bends the run with a sentence on the screen.
#[derive(Clone, Debug)]
pub struct Limits {
    pub events: usize,
    /// Interpreter steps of one container in one simulated second.
    pub steps_per_second: u64,
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { events: 200_000, steps_per_second: 200_000, memory_bytes: 64 << 20 }
    }
}

/// A run in progress.
pub struct Simulation {
    tasks: Tasks,
    world: World,
    end: Option<End>,
}

/// How far a slice came.
#[derive(Debug)]
pub struct Slice {
    pub events: Vec<Event>,
    pub now: SimTime,
    pub end: Option<End>,
}

impl Simulation {
    pub fn new(scenario: Scenario) -> Simulation {
        let runtime = containers::runtime(&scenario);
        let tasks = Tasks::default();
        let world = Cluster::new(tasks.clock.clone(), scenario, runtime);
        kubelet::start(&world);
        control::start(&world);
        let copy = world.clone();
        world.clock.spawn(async move { actions::run(copy).await });
        Simulation { tasks, world, end: None }
    }

    /// Runs up to `until` or until about `budget` interpreter steps are spent, whichever is first.
    pub fn advance(&mut self, until: SimTime, budget: u64) -> Slice {
        self.advance_within(until, &mut budget.max(1))
    }

    /// The same with a budget that several calls share.
    pub fn advance_within(&mut self, until: SimTime, steps: &mut u64) -> Slice {
        let mut end = self.end.clone();
        while end.is_none() && *steps > 0 {
            end = self.step(until, steps);
        }
        if matches!(end, Some(End::Stopped { .. })) {
            self.end.clone_from(&end);
        }
        let events = std::mem::take(&mut self.world.st().out);
        Slice { events, now: self.world.now(), end }
    }

    /// Whatever is due next: containers first, then the cluster's own tasks of that instant.
    fn step(&mut self, until: SimTime, steps: &mut u64) -> Option<End> {
        let due = self.tasks.next().filter(|at| *at <= until);
        let target = due.unwrap_or(until);
        let now = self.world.now();
        if target > now || self.world.rt().next().is_some_and(|at| at <= target) {
            let (_, notices) = self.world.rt().run(target, steps);
            if !notices.is_empty() {
                kubelet::notices::enter_all(&self.world, notices);
                return self.stopped();
            }
            if *steps == 0 {
                return None;
            }
        }
        if due.is_none() {
            self.world.clock.set_now(until);
            return Some(End::Horizon);
        }
        *steps -= 1;
        self.tasks.step();
        self.stopped()
    }

    pub fn now(&self) -> SimTime {
        self.world.now()
    }

    /// Does one thing to the cluster at this instant, in the words scenarios have for it.
    pub fn act(&mut self, action: &str) -> Result<(), String> {
        actions::act(&self.world, action)
    }

    pub fn scenario(&self) -> &Scenario {
        &self.world.scenario
    }

    /// The API server's objects at this instant.
    pub fn objects(&self) -> Vec<Tree> {
        view::all(&self.world)
    }

    fn stopped(&self) -> Option<End> {
        let sentence = self.world.st().stopped.clone()?;
        Some(End::Stopped { sentence })
    }
}
