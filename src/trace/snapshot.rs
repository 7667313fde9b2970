//! Everything as it was at one instant: the fold of a timeline's events. Logs are not in it: they
//! only grow, so a view reads them from the timeline's events up to the cursor.

use super::{
    Change, ContainerStatus, Event, EventId, FileChange, HookKind, Name, PodShape, ProbeKind,
};
use super::{Subject, What};
use crate::time::SimTime;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub at: SimTime,
    /// Shared with the keyframes around it until it changes.
    pub pods: BTreeMap<Name, Arc<PodView>>,
    /// By (kind, name): controllers, Services and what else was applied.
    pub objects: BTreeMap<(Name, Name), ObjectView>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectView {
    pub created_at: SimTime,
    pub cells: Vec<String>,
    pub ready: Vec<String>,
    pub not_ready: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodView {
    pub shape: Arc<PodShape>,
    pub created_at: SimTime,
    /// READY as (ready, total).
    pub ready: (u32, u32),
    /// STATUS exactly as kubectl prints it.
    pub status: String,
    pub restarts: u32,
    pub restarted_at: Option<SimTime>,
    pub phase: String,
    /// (status, reason, message) by condition type.
    pub conditions: BTreeMap<Name, (bool, Option<String>, Option<String>)>,
    pub reason: Option<(String, String)>,
    pub deleting: Option<(u64, SimTime)>,
    pub containers: BTreeMap<Name, ContainerView>,
    /// Files by (place, path); `place` is `volume:NAME`.
    pub files: BTreeMap<(Name, String), FileView>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerView {
    pub status: Option<ContainerStatus>,
    /// The event that made the present state, for "why?".
    pub changed_by: Option<EventId>,
    pub changed_at: SimTime,
    pub listening: BTreeMap<u16, String>,
    /// Newest result of each probe: (when, ok, detail).
    pub probes: BTreeMap<ProbeKind, (SimTime, bool, String)>,
    pub hook: Option<HookKind>,
    pub back_off: Option<(SimTime, SimTime)>,
    pub grace_until: Option<SimTime>,
    pub pulling_until: Option<SimTime>,
    pub last_log: Option<(EventId, String)>,
    pub usage: Option<(u32, u64)>,
    pub not_simulated: Option<String>,
    /// Files of the container's own writable layer, by path.
    pub files: BTreeMap<String, FileView>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileView {
    pub content: Arc<Vec<u8>>,
    pub size: u64,
    pub is_dir: bool,
    pub written_at: SimTime,
    pub written_by: Option<EventId>,
}

impl Snapshot {
    /// Folds one event in.
    pub fn apply(&mut self, event: &Event) {
        self.at = self.at.max(event.at);
        match &event.subject {
            Subject::Pod(pod) => self.apply_pod(pod, event),
            Subject::Container { pod, container } => self.apply_container(pod, container, event),
            Subject::Object { kind, name } => self.apply_object(kind, name, event),
            Subject::Cluster | Subject::Node(_) => {}
        }
    }

    fn apply_object(&mut self, kind: &Name, name: &Name, event: &Event) {
        // A pod has a view of its own.
        if &**kind == "pod" {
            return;
        }
        let key = (kind.clone(), name.clone());
        if matches!(event.what, What::Removed) {
            self.objects.remove(&key);
            return;
        }
        let fresh = || ObjectView { created_at: event.at, ..ObjectView::default() };
        let view = self.objects.entry(key).or_insert_with(fresh);
        match &event.what {
            What::ObjectRow { cells } => view.cells.clone_from(cells),
            What::Endpoints { ready, not_ready } => {
                view.ready.clone_from(ready);
                view.not_ready.clone_from(not_ready);
            }
            _ => {}
        }
    }

    fn apply_pod(&mut self, pod: &Name, event: &Event) {
        if matches!(event.what, What::Removed) {
            self.pods.remove(pod);
            return;
        }
        let view = Arc::make_mut(self.pods.entry(pod.clone()).or_default());
        match &event.what {
            What::PodAdded(shape) => {
                view.shape = Arc::new((**shape).clone());
                view.created_at = event.at;
                for container in &shape.containers {
                    view.containers.entry(container.name.clone()).or_default();
                }
            }
            What::Row { ready, total, status, restarts, restarted_at } => {
                view.ready = (*ready, *total);
                view.status.clone_from(status);
                view.restarts = *restarts;
                view.restarted_at = *restarted_at;
            }
            What::Phase { phase } => view.phase.clone_from(phase),
            What::Condition { kind, status, reason, message } => {
                let value = (*status, reason.clone(), message.clone());
                view.conditions.insert(kind.clone(), value);
            }
            What::PodReason { reason, message } => {
                view.reason = Some((reason.clone(), message.clone()));
            }
            What::Deleting { grace_secs, deadline } => {
                view.deleting = Some((*grace_secs, *deadline))
            }
            What::Wrote(change) => write(&mut view.files, change, event),
            What::Adopted { owner } => {
                Arc::make_mut(&mut view.shape).owner = Some(owner.clone());
            }
            What::Released { .. } => Arc::make_mut(&mut view.shape).owner = None,
            _ => {}
        }
    }

    fn apply_container(&mut self, pod: &Name, container: &Name, event: &Event) {
        let pod = Arc::make_mut(self.pods.entry(pod.clone()).or_default());
        if let What::Wrote(change) = &event.what
            && &*change.place != "rootfs"
        {
            write(&mut pod.files, change, event);
            return;
        }
        let view = pod.containers.entry(container.clone()).or_default();
        match &event.what {
            What::ContainerAdded(shape) => {
                Arc::make_mut(&mut pod.shape).containers.push((**shape).clone());
            }
            What::Status(status) => {
                view.status = Some(status.clone());
                view.changed_by = Some(event.id);
                view.changed_at = event.at;
            }
            What::Wrote(change) => write_own(&mut view.files, change, event),
            other => view.apply_inside(other, event),
        }
    }
}

impl ContainerView {
    fn apply_inside(&mut self, what: &What, event: &Event) {
        match what {
            What::Pulling { done_at, .. } => self.pulling_until = Some(*done_at),
            What::Started { .. } => {
                let kept = (self.status.take(), self.changed_by, self.changed_at);
                let probes = std::mem::take(&mut self.probes);
                *self = ContainerView { probes, ..ContainerView::default() };
                (self.status, self.changed_by, self.changed_at) = kept;
            }
            What::Exited { .. } => {
                self.listening.clear();
                self.grace_until = None;
                self.hook = None;
                self.usage = None;
            }
            What::Log { line, .. } => self.last_log = Some((event.id, line.clone())),
            What::Listening { address, port } => {
                self.listening.insert(*port, address.clone());
            }
            What::StoppedListening { port } => {
                self.listening.remove(port);
            }
            What::Probe { probe, ok, detail } => {
                self.probes.insert(*probe, (event.at, *ok, detail.clone()));
            }
            What::HookStarted { hook } => self.hook = Some(*hook),
            What::HookEnded { .. } => self.hook = None,
            What::BackOff { until, delay } => self.back_off = Some((*until, *delay)),
            What::Grace { until } => self.grace_until = Some(*until),
            What::Usage { cpu_millis, memory_bytes } => {
                self.usage = Some((*cpu_millis, *memory_bytes));
            }
            What::NotSimulated { what } => self.not_simulated = Some(what.clone()),
            _ => {}
        }
    }
}

fn write(files: &mut BTreeMap<(Name, String), FileView>, change: &FileChange, event: &Event) {
    let key = |path: &str| (change.place.clone(), path.to_owned());
    let old = files.remove(&key(&change.path));
    let target = match &change.change {
        Change::RenameTo { path } => key(path),
        _ => key(&change.path),
    };
    if let Some(new) = changed(old, &change.change, event) {
        files.insert(target, new);
    }
}

fn write_own(files: &mut BTreeMap<String, FileView>, change: &FileChange, event: &Event) {
    let old = files.remove(&change.path);
    let target = match &change.change {
        Change::RenameTo { path } => path,
        _ => &change.path,
    };
    if let Some(new) = changed(old, &change.change, event) {
        files.insert(target.clone(), new);
    }
}

fn changed(old: Option<FileView>, change: &Change, event: &Event) -> Option<FileView> {
    let mut view = old.unwrap_or_default();
    view.written_at = event.at;
    view.written_by = Some(event.id);
    match change {
        Change::Set { content, size } => {
            view.content = Arc::new(content.clone());
            view.size = *size;
        }
        Change::Append { content, size } => {
            Arc::make_mut(&mut view.content).extend_from_slice(content);
            view.size = *size;
        }
        Change::MakeDir => view.is_dir = true,
        Change::RenameTo { .. } => {}
        Change::Remove => return None,
    }
    Some(view)
}
