//! StatefulSets: numbered pods, made and given up one at a time and in order.

use super::{Meta, api, claims, owner, workload};
use crate::sim::model::{Pod, PodId, PodTemplate};
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::EventId;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use std::collections::BTreeMap;
use std::rc::Rc;

#[derive(Clone)]
pub(crate) struct StatefulSet {
    pub(crate) meta: Meta,
    pub(crate) template: PodTemplate,
    pub(crate) replicas: u32,
    pub(crate) selector: LabelSelector,
    pub(crate) service_name: String,
    pub(crate) parallel: bool,
    pub(crate) on_delete: bool,
    pub(crate) partition: u32,
    pub(crate) min_ready: i32,
    pub(crate) start: u32,
    pub(crate) claims: Vec<core::PersistentVolumeClaim>,
    pub(crate) revision: u32,
    pub(crate) cause: EventId,
    /// How often in a row the server refused a pod, and when to try again.
    pub(crate) refusals: u32,
    pub(crate) retry_at: SimTime,
}

impl StatefulSet {
    /// `db-6b8f94d5c7`, as its pods are labelled.
    pub(crate) fn revision_name(&self, seed: u64) -> String {
        let name = self.meta.plain();
        format!("{name}-{}", workload::hash(seed, name, self.revision))
    }
}

pub(crate) fn reconcile(world: &World) {
    let names = workload::names(&world.st().controllers.statefulsets);
    for name in names {
        let found = world.st().controllers.statefulsets.get(&name).cloned();
        if let Some(set) = found {
            Sync::new(world, set).run();
        }
    }
}

struct Sync<'a> {
    world: &'a World,
    set: StatefulSet,
    /// By ordinal.
    pods: BTreeMap<u32, PodId>,
    cause: EventId,
}

/// What a pod looks like to its StatefulSet.
struct Look {
    terminating: bool,
    finished: bool,
    ready: bool,
    available: bool,
    current: bool,
}

impl Sync<'_> {
    fn new(world: &World, set: StatefulSet) -> Sync<'_> {
        let is_member = |pod: &Pod| {
            let parent = pod.plain().rsplit_once('-');
            parent.is_some_and(|(parent, ordinal)| {
                parent == set.meta.plain() && ordinal.parse::<u32>().is_ok()
            })
        };
        owner::claim(world, "StatefulSet", &set.meta, &set.selector, &is_member);
        let state = world.st();
        let ids = api::owned(&state, "StatefulSet", &set.meta.name);
        let cause = workload::newest_cause(&state, &ids, set.cause);
        let pods = ids.iter().filter_map(|id| Some((state.pods.get(id)?.index?, *id))).collect();
        drop(state);
        Sync { world, set, pods, cause }
    }

    fn look(&self, id: PodId) -> Look {
        let (now, revision) = (self.world.now(), self.set.revision_name(self.world.scenario.seed));
        let look = self.world.pod(id, |pod| Look {
            terminating: pod.deletion.is_some(),
            finished: pod.status.is_terminal(),
            ready: pod.status.phase == "Running" && pod.is_ready(),
            available: workload::is_available(pod, self.set.min_ready, now),
            current: pod.template.labels.get(REVISION) == Some(&revision),
        });
        let gone = Look {
            terminating: true,
            finished: true,
            ready: false,
            available: false,
            current: false,
        };
        look.unwrap_or(gone)
    }

    // Models pkg/controller/statefulset/stateful_set_control.go updateStatefulSet (v1.36).
    fn run(mut self) {
        self.show();
        if self.set.meta.deleted_by.is_some() {
            return;
        }
        let wanted = self.set.start..self.set.start + self.set.replicas;
        for ordinal in wanted.clone() {
            if !self.keep(ordinal) && !self.set.parallel {
                return;
            }
        }
        let condemned: Vec<(u32, PodId)> = self
            .pods
            .iter()
            .rev()
            .filter(|(o, _)| !wanted.contains(o))
            .map(|(o, id)| (*o, *id))
            .collect();
        for (_, id) in condemned {
            let look = self.look(id);
            if !look.terminating {
                self.delete(id);
            }
            if !self.set.parallel {
                return;
            }
        }
        if !self.set.on_delete {
            self.update(wanted);
        }
    }

    /// Whether the pod of this ordinal is as it should be, so that the next one may follow.
    fn keep(&mut self, ordinal: u32) -> bool {
        let Some(id) = self.pods.get(&ordinal).copied() else {
            self.create(ordinal);
            return false;
        };
        let look = self.look(id);
        if look.finished && !look.terminating {
            self.delete(id);
            return false;
        }
        if look.ready && !look.available {
            workload::look_again(self.world, self.set.min_ready);
        }
        !look.terminating && look.ready && look.available
    }

    fn create(&mut self, ordinal: u32) {
        let set = &mut self.set;
        if self.world.now() < set.retry_at {
            return;
        }
        let name = format!("{}-{ordinal}", set.meta.plain());
        let mut template = set.template.clone();
        let labels = [
            ("statefulset.kubernetes.io/pod-name", name.clone()),
            ("apps.kubernetes.io/pod-index", ordinal.to_string()),
            (REVISION, set.revision_name(self.world.scenario.seed)),
        ];
        template.labels.extend(labels.map(|(key, value)| (key.to_owned(), value)));
        let mut spec = (*template.spec).clone();
        spec.hostname = Some(name.clone());
        spec.subdomain = Some(set.service_name.clone());
        let volumes = spec.volumes.get_or_insert_with(Vec::new);
        for claim in &set.claims {
            let source = core::PersistentVolumeClaimVolumeSource {
                claim_name: format!("{}-{name}", claim_name(claim)),
                read_only: None,
            };
            volumes.push(core::Volume {
                name: claim_name(claim),
                persistent_volume_claim: Some(source),
                ..core::Volume::default()
            });
        }
        template.spec = Rc::new(spec);
        for claim in &set.claims {
            claims::for_pod(self.world, &set.meta, claim, &name, self.cause);
        }
        let (kind, index) = ("StatefulSet", Some(ordinal));
        let new = workload::Child { kind, name, index, target: None, template };
        (set.refusals, set.retry_at) =
            match workload::create(self.world, &set.meta, new, self.cause) {
                true => (0, SimTime::ZERO),
                false => (set.refusals + 1, workload::retry(self.world, set.refusals)),
            };
        let (refusals, retry_at) = (set.refusals, set.retry_at);
        let mut state = self.world.st();
        if let Some(kept) = state.controllers.statefulsets.get_mut(&set.meta.name) {
            (kept.refusals, kept.retry_at) = (refusals, retry_at);
        }
    }

    fn delete(&self, id: PodId) {
        let Some(name) = self.world.pod(id, |pod| pod.plain().to_owned()) else { return };
        let meta = &self.set.meta;
        let message = format!("Delete Pod {name} in StatefulSet {} successful", meta.plain());
        let state = &mut self.world.st();
        let event = workload::report(state, meta, "SuccessfulDelete", message, self.cause);
        let (world, id) = (self.world.clone(), id);
        self.world.clock.spawn(async move { api::delete_pod(&world, id, None, event) });
    }

    /// From the highest ordinal down to the partition, one old pod at a time.
    fn update(&self, wanted: std::ops::Range<u32>) {
        let from = wanted.start + self.set.partition;
        for ordinal in wanted.rev().filter(|o| *o >= from) {
            let Some(id) = self.pods.get(&ordinal) else { return };
            let look = self.look(*id);
            if !look.current {
                if !look.terminating {
                    self.delete(*id);
                }
                return;
            }
            if look.terminating || !look.ready || !look.available {
                return;
            }
        }
    }

    fn show(&mut self) {
        let ready = self.pods.values().filter(|id| self.look(**id).ready).count();
        let cells = vec![format!("{ready}/{}", self.set.replicas)];
        let state = &mut self.world.st();
        workload::show_row(state, &mut self.set.meta, cells, self.cause);
        if let Some(kept) = state.controllers.statefulsets.get_mut(&self.set.meta.name) {
            kept.meta.row.clone_from(&self.set.meta.row);
            kept.meta.shown_at = self.set.meta.shown_at;
        }
    }
}

pub(crate) fn claim_name(claim: &core::PersistentVolumeClaim) -> String {
    claim.metadata.name.clone().unwrap_or_default()
}

pub(crate) const REVISION: &str = "controller-revision-hash";
