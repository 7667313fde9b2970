//! What can be done to the thing that is looked at, in the words the simulator takes, and taking
//! it back. What an act does is the simulator's.

use super::bench::APPLY;
use super::{Effect, Msg, Part, Pick, Session};
use crate::order::Order;
use crate::time::SimTime;
use crate::trace::{Name, PodView, Snapshot};

/// Neighbours a pod can be cut off from, by name; more would be a long list.
const NEIGHBOURS_MAX: usize = 6;
/// What one press puts into a volume, in kubectl's words.
const FILLED: &str = "8Mi";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What it does, in English; the page has it in other languages too.
    pub title: &'static str,
    pub line: String,
    /// A value in the line is a guess: it can be changed before it is done.
    pub asks: bool,
}

fn act(title: &'static str, line: String) -> Act {
    Act { title, line, asks: false }
}

fn asks(title: &'static str, line: String) -> Act {
    Act { title, line, asks: true }
}

/// What can be done to a thing at the instant shown. `done` is what was done up to then.
pub fn offered(snapshot: &Snapshot, pick: &Pick, done: &[(SimTime, String)]) -> Vec<Act> {
    let pod_of = |name: &Name| snapshot.pods.get(name);
    match pick {
        Pick::Pod(name) => pod_of(name).map_or(vec![], |_| to_pod(snapshot, name, done)),
        Pick::Container(pod, name) => {
            pod_of(pod).map_or(vec![], |view| to_container(snapshot, pod, view, name))
        }
        Pick::Volume(pod, place) => pod_of(pod).map_or(vec![], |view| to_volume(pod, view, place)),
        Pick::Object(kind, name)
            if snapshot.objects.contains_key(&(kind.clone(), name.clone())) =>
        {
            to_object(kind, name)
        }
        Pick::Object(..) | Pick::Event(_) => Vec::new(),
    }
}

fn to_pod(snapshot: &Snapshot, name: &Name, done: &[(SimTime, String)]) -> Vec<Act> {
    let mut out = vec![
        act("Delete it", format!("delete pod/{name}")),
        act("Delete it by force", format!("delete pod/{name} --force --grace-period=0")),
        act("Evict it, as a drain does", format!("evict pod/{name}")),
    ];
    for other in snapshot.pods.keys().filter(|other| *other != name).take(NEIGHBOURS_MAX) {
        let cut = |verb: &str| {
            let pairs = [
                format!("{verb} pod/{name} pod/{other}"),
                format!("{verb} pod/{other} pod/{name}"),
            ];
            done.iter().rposition(|(at, line)| *at <= snapshot.at && pairs.contains(line))
        };
        let is_cut = cut("cut") > cut("mend");
        out.push(match is_cut {
            true => act("Mend the network", format!("mend pod/{name} pod/{other}")),
            false => act("Cut the network", format!("cut pod/{name} pod/{other}")),
        });
    }
    out
}

/// The Deployment, StatefulSet or the like that made a pod.
fn owner(snapshot: &Snapshot, view: &PodView) -> Option<(Name, Name)> {
    let (kind, name) = view.shape.owner.as_deref()?.split_once('/')?;
    let kind = kind.to_ascii_lowercase();
    let mut deployments = snapshot.objects.keys().filter(|(k, _)| &**k == "deployment");
    let above = deployments.find(|(_, d)| name.rsplit_once('-').is_some_and(|(d2, _)| d2 == &**d));
    above.filter(|_| kind == "replicaset").cloned().or(Some((kind.into(), name.into())))
}

fn to_container(snapshot: &Snapshot, pod: &Name, view: &PodView, name: &Name) -> Vec<Act> {
    let mut out = Vec::new();
    let runs = view.containers.get(name).and_then(|c| c.status.as_ref());
    if runs.is_some_and(|status| matches!(status.state, crate::trace::State::Running { .. })) {
        out.push(act("End its process (SIGTERM)", format!("kill pod/{pod} -c {name} TERM")));
        out.push(act("Kill its process (SIGKILL)", format!("kill pod/{pod} -c {name} KILL")));
    }
    let image = view.shape.containers.iter().find(|c| c.name == *name).map(|c| &c.image);
    if let (Some((kind, owner)), Some(image)) = (owner(snapshot, view), image) {
        out.push(asks("Another image", format!("set image {kind}/{owner} {name}={image}")));
    }
    out
}

fn to_volume(pod: &Name, view: &PodView, place: &Name) -> Vec<Act> {
    let name = place.strip_prefix("volume:").unwrap_or(place);
    let Some(volume) = view.shape.volumes.iter().find(|v| &*v.name == name) else { return vec![] };
    let key = || {
        let files = view.files.iter().filter(|((at, _), f)| at == place && !f.is_dir);
        files.map(|((_, path), _)| path.as_str()).next().unwrap_or("key").to_owned()
    };
    match volume.kind.as_str() {
        "emptyDir" => vec![asks("Fill it", format!("fill pod/{pod} {name} {FILLED}"))],
        kind @ ("configMap" | "secret") => {
            let source = format!("{}/{}", kind.to_ascii_lowercase(), volume.detail);
            vec![asks("Change its data", format!("set data {source} {}=changed", key()))]
        }
        _ => Vec::new(),
    }
}

fn to_object(kind: &Name, name: &Name) -> Vec<Act> {
    let target = format!("{kind}/{name}");
    let mut out = Vec::new();
    let scales = matches!(&**kind, "deployment" | "replicaset" | "statefulset");
    if scales {
        out.push(asks("Scale it", format!("scale {target} --replicas=3")));
    }
    if scales && &**kind != "replicaset" || &**kind == "daemonset" {
        out.push(asks("Another image", format!("set image {target} *=busybox:1.37")));
        out.push(act("Restart it", format!("rollout restart {target}")));
        out.push(act("Back to the version before", format!("rollout undo {target}")));
    }
    match &**kind {
        "configmap" | "secret" => {
            out.push(asks("Change its data", format!("set data {target} key=changed")));
        }
        "node" => {
            out.push(act("Take no more pods", format!("cordon {name}")));
            out.push(act("Empty it", format!("drain {name}")));
            out.push(act("Take pods again", format!("uncordon {name}")));
            return out;
        }
        _ => {}
    }
    out.push(act("Delete it", format!("delete {target}")));
    out
}

impl Session {
    /// Which of the person's own acts an event of the run is.
    pub fn act_of(&self, pick: &Pick) -> Option<usize> {
        let Pick::Event(id) = pick else { return None };
        let event = self.bench.run.timeline.events.get(id.0 as usize)?;
        let crate::trace::What::Acted { action } = &event.what else { return None };
        let is = |line: &str| line.lines().next() == Some(action);
        self.bench.actions.iter().position(|(at, line)| *at == event.at && is(line))
    }

    pub(super) fn update_acts(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            Msg::Act(line) => {
                let at = self.bench.player.cursor;
                self.bench.actions.push((at, line));
                self.bench.actions.order_by_key(|a| a.0);
                self.bench.player.playing = true;
            }
            Msg::TakeBack(i) if i < self.bench.actions.len() => {
                self.bench.actions.remove(i);
            }
            Msg::TakeBack(_) => return,
            _ => self.bench.actions.clear(),
        }
        if !self.bench.actions.iter().any(|(_, line)| line.starts_with(APPLY)) {
            self.bench.live = None;
        }
        // An event picked in this run is another one in the next.
        if matches!(self.bench.pick, Some(Pick::Event(_))) {
            self.bench.pick = None;
            self.touch(Part::Pick);
        }
        self.run_again(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::fixture;

    fn lines(secs: u64, pick: Pick, done: &[(SimTime, String)]) -> Vec<String> {
        let snapshot = fixture::timeline().at(SimTime::from_secs(secs));
        offered(&snapshot, &pick, done).into_iter().map(|act| act.line).collect()
    }

    #[test]
    fn each_thing_offers_what_can_be_done_to_it_then() {
        let app = || Pick::Container("web".into(), "app".into());
        assert_eq!(lines(10, app(), &[]), ["kill pod/web -c app TERM", "kill pod/web -c app KILL"]);
        assert_eq!(lines(25, app(), &[]), [""; 0], "it waits for its restart");
        assert_eq!(lines(10, Pick::Pod("web".into()), &[]).len(), 3);
        assert_eq!(lines(10, Pick::Pod("gone".into()), &[]), [""; 0]);
        let volume = Pick::Volume("web".into(), "volume:logs".into());
        assert_eq!(lines(10, volume, &[]), ["fill pod/web logs 8Mi"]);
    }

    #[test]
    fn a_network_that_is_cut_can_be_mended() {
        let mut snapshot = fixture::timeline().at(SimTime::from_secs(10));
        snapshot.pods.insert("db".into(), snapshot.pods["web"].clone());
        let last = |done: &[&str]| {
            let done: Vec<_> =
                done.iter().map(|l| (SimTime::from_secs(1), (*l).to_owned())).collect();
            offered(&snapshot, &Pick::Pod("web".into()), &done).last().map(|a| a.line.clone())
        };
        assert_eq!(last(&[]).as_deref(), Some("cut pod/web pod/db"));
        let cut = ["cut pod/db pod/web"];
        assert_eq!(last(&cut).as_deref(), Some("mend pod/web pod/db"));
        let both = ["cut pod/db pod/web", "mend pod/web pod/db"];
        assert_eq!(last(&both).as_deref(), Some("cut pod/web pod/db"));
    }
}
