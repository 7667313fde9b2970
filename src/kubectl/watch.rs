//! `get -w`: what a watch from the start of the run has printed up to now. It does not go on: a
//! command here ends.

use super::cluster::Cluster;
use super::live::later;
use super::run::look;
use super::words::Args;
use super::{Said, Table, get, kinds};
use crate::kube::tree::Tree;
use crate::sim::Simulation;
use crate::trace::{Event, Name, Subject, Timeline, What};
use std::collections::BTreeMap;

/// Models k8s.io/kubectl/pkg/cmd/get/get.go watch (v1.36).
pub(super) fn watch(sim: &Simulation, past: &[Event], args: &Args) -> Option<Said> {
    if !args.has("watch") && !args.has("watch-only") {
        return None;
    }
    let asked = get::asked(&args.words).ok()?;
    let [one] = &asked[..] else {
        return Some(Said::error("you may only specify a single resource type"));
    };
    let cluster = look(sim, past);
    let (found, missing) = get::find(&cluster, args, &asked).ok()?;
    if !missing.is_empty() {
        return None;
    }
    let plain = ["output", "show-labels", "label-columns", "all-namespaces", "no-headers"];
    if one.kind.name == "Pod" && plain.iter().all(|flag| args.flag(flag).is_none()) {
        let names = found.iter().flat_map(|(_, list)| list).map(|one| cluster.key(one));
        let namespace = get::namespace(&cluster, args);
        return Some(pods(sim, past, (args, &namespace), &names.collect::<Vec<_>>()));
    }
    let mut seen = Seen::default();
    let mut again = Simulation::new(sim.scenario().clone());
    later(&mut again, &mut Vec::new(), sim.now(), |cluster| seen.look(cluster, args, &asked));
    if let Some(why) = seen.wrong {
        return Some(Said::error(&why));
    }
    Some(Said::printed(seen.out))
}

/// What was printed, and each object as it was last.
#[derive(Default)]
struct Seen {
    out: String,
    table: Table,
    last: BTreeMap<(String, String), Tree>,
    wrong: Option<String>,
}

impl Seen {
    fn look(&mut self, cluster: &Cluster, args: &Args, asked: &[get::Asked]) -> Option<()> {
        // What is named may come later.
        let (found, _) = get::find(cluster, args, asked).ok()?;
        let (kind, list) = found.into_iter().next()?;
        for object in list {
            let metadata = object.get("metadata");
            let key = (metadata.text("namespace").to_owned(), metadata.text("name").to_owned());
            if self.last.get(&key) == Some(object) {
                continue;
            }
            self.last.insert(key, object.clone());
            if let Err(why) = self.print(cluster, args, kind, object) {
                self.wrong = Some(why);
                return Some(());
            }
        }
        None
    }

    fn print(
        &mut self,
        cluster: &Cluster,
        args: &Args,
        kind: &'static kinds::Kind,
        object: &Tree,
    ) -> Result<(), String> {
        if let Some(format) = args.flag("output").filter(|format| *format != "wide") {
            let text = get::formatted(format, args, &[(kind, vec![object])])?;
            let columns = format.starts_with("custom-columns") && !self.out.is_empty();
            let text = match text.split_once('\n').filter(|_| columns) {
                Some((_, rest)) => rest.to_owned(),
                None => text,
            };
            let again = format == "yaml" && !self.out.is_empty();
            self.out.push_str(if again { "---\n" } else { "" });
            self.out.push_str(&text);
            return Ok(());
        }
        let lines = get::lines(cluster, args, kind, &[object], args.has("show-kind"));
        let first = self.out.is_empty();
        lines.iter().filter(|_| first).for_each(|line| self.table.widen(line));
        let skipped = usize::from(!first || args.has("no-headers"));
        for line in lines.iter().skip(skipped) {
            self.out.push_str(&self.table.line(line));
        }
        Ok(())
    }
}

/// Pods as the server showed them, from the trace alone.
fn pods(
    sim: &Simulation,
    past: &[Event],
    (args, namespace): (&Args, &str),
    names: &[Name],
) -> Said {
    let added = past.iter().filter_map(|event| match (&event.subject, &event.what) {
        (Subject::Pod(pod), What::PodAdded(shape)) if shape.namespace == namespace => Some(pod),
        _ => None,
    });
    let near: Vec<&Name> = added.collect();
    let chosen = args.words.len() > 1 || args.flag("selector").is_some();
    let mine = |event: &&Event| match (&event.subject, &event.what) {
        (Subject::Pod(pod), What::PodAdded(_) | What::Row { .. } | What::Removed) => {
            near.contains(&pod) && (!chosen || names.contains(pod))
        }
        _ => false,
    };
    let events: Vec<Event> = past.iter().filter(mine).cloned().collect();
    let n = events.len();
    let mut timeline = Timeline::default();
    timeline.extend(events, sim.now());
    Said::printed(super::get_pods_watch(&timeline, n))
}
