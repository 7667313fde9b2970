//! Deployments: one ReplicaSet per template, and the arithmetic of moving from one to the next.

use super::replicaset::{self, ReplicaSet};
use super::{Meta, namespace, owner, workload};
use crate::order::Order;
use crate::sim::model::PodTemplate;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::{EventId, Name, Subject, What};
use k8s_openapi::api::apps::v1 as apps;

#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) meta: Meta,
    pub(crate) spec: apps::DeploymentSpec,
    pub(crate) template: PodTemplate,
    pub(crate) replicas: u32,
    pub(crate) min_ready: i32,
    pub(crate) recreate: bool,
    pub(crate) surge: u32,
    pub(crate) unavailable: u32,
    pub(crate) paused: bool,
    /// What asked for the present template or number.
    pub(crate) cause: EventId,
    /// The number the ReplicaSets were last scaled for.
    pub(crate) scaled_for: u32,
    /// The most pods there could be of that number: `deployment.kubernetes.io/max-replicas`.
    pub(crate) scaled_most: u32,
}

impl Deployment {
    /// The most pods there may be at once.
    pub(crate) fn most(&self) -> u32 {
        self.replicas + if self.recreate { 0 } else { self.surge }
    }
}

/// Surge and unavailable pods of `replicas`, as numbers.
// Models pkg/controller/deployment/util ResolveFenceposts (v1.36).
pub(crate) fn fenceposts(spec: &apps::DeploymentSpec, replicas: u32) -> (u32, u32) {
    let rolling = spec.strategy.as_ref().and_then(|s| s.rolling_update.as_ref());
    let quarter = |up: bool| {
        let quarters = u64::from(replicas);
        (if up { quarters.div_ceil(4) } else { quarters / 4 }) as u32
    };
    let surge = rolling.and_then(|r| workload::share(r.max_surge.as_ref(), replicas, true));
    let unavailable =
        rolling.and_then(|r| workload::share(r.max_unavailable.as_ref(), replicas, false));
    match (surge.unwrap_or(quarter(true)), unavailable.unwrap_or(quarter(false))) {
        (0, 0) => (0, 1),
        pair => pair,
    }
}

// Models pkg/controller/deployment/deployment_controller.go syncDeployment (v1.36).
pub(crate) fn reconcile(world: &World) {
    let names = workload::names(&world.st().controllers.deployments);
    for name in names {
        let found = world.st().controllers.deployments.get(&name).cloned();
        let Some(deployment) = found else { continue };
        owner::claim_sets(world, &deployment.meta, &deployment.spec.selector);
        let sets = sets_of(world, &name);
        Sync { world, deployment, sets }.run();
    }
}

/// Its ReplicaSets, oldest first.
fn sets_of(world: &World, name: &Name) -> Vec<ReplicaSet> {
    let state = world.st();
    let all = state.controllers.replicasets.values();
    let mut sets: Vec<ReplicaSet> =
        all.filter(|set| set.owner.as_ref() == Some(name)).cloned().collect();
    sets.order_by_key(|set| (set.meta.created_at, set.revision));
    sets
}

/// The previous template, for `rollout undo`.
pub(crate) fn previous_template(world: &World, name: &Name) -> Option<PodTemplate> {
    let mut sets = sets_of(world, name);
    sets.order_by_key(|set| set.revision);
    sets.iter().rev().nth(1).map(|set| set.template.clone())
}

/// The template of one revision, for `rollout undo --to-revision`.
pub(crate) fn template_of_revision(
    world: &World,
    name: &Name,
    revision: u32,
) -> Option<PodTemplate> {
    let sets = sets_of(world, name);
    sets.into_iter().find(|set| set.revision == revision).map(|set| set.template)
}

fn same(a: &PodTemplate, b: &PodTemplate) -> bool {
    a.spec == b.spec && a.labels == b.labels && a.annotations == b.annotations
}

struct Sync<'a> {
    world: &'a World,
    deployment: Deployment,
    sets: Vec<ReplicaSet>,
}

impl Sync<'_> {
    fn run(mut self) {
        if self.deployment.meta.deleted_by.is_some() {
            return self.show();
        }
        let found = self.sets.iter().position(|s| same(&s.template, &self.deployment.template));
        let Some(new) = found else {
            if self.deployment.paused {
                self.scale_paused();
            } else if self.deployment.recreate && self.old_pods_remain() {
                self.scale_down_all_old(None);
            } else {
                self.create_new_set();
            }
            return self.show();
        };
        self.renumber(new);
        if self.deployment.scaled_for != self.deployment.replicas {
            self.scale(new);
        } else if self.deployment.paused {
            // Only scaling goes on.
        } else if self.deployment.recreate {
            if !self.scale_down_all_old(Some(new)) {
                self.scale_to(new, self.deployment.replicas);
            }
        } else if !self.scale_new_up(new) {
            self.scale_old_down(new);
        }
        self.show();
    }

    fn total(&self) -> u32 {
        self.sets.iter().map(|s| s.replicas).sum()
    }

    fn old_pods_remain(&self) -> bool {
        let state = self.world.st();
        let mine = |pod: &&crate::sim::model::Pod| {
            !pod.removed
                && !pod.status.is_terminal()
                && pod
                    .owner
                    .as_ref()
                    .is_some_and(|o| self.sets.iter().any(|set| set.meta.name == o.name))
        };
        state.pods.values().any(|pod| mine(&pod))
    }

    /// True when it had something to scale.
    fn scale_down_all_old(&mut self, new: Option<usize>) -> bool {
        let old: Vec<usize> = (0..self.sets.len())
            .filter(|i| Some(*i) != new && self.sets.get(*i).is_some_and(|s| s.replicas > 0))
            .collect();
        for idx in &old {
            self.scale_to(*idx, 0);
        }
        !old.is_empty()
    }

    fn create_new_set(&mut self) {
        let deployment = &self.deployment;
        let world = self.world;
        let revision = self.sets.iter().map(|s| s.revision).max().unwrap_or(0) + 1;
        let hash = workload::hash(world.scenario.seed, deployment.meta.plain(), revision);
        let called = format!("{}-{hash}", deployment.meta.plain());
        let namespace = &deployment.meta.namespace;
        let name = namespace::enter(&mut world.st(), "replicaset", namespace, &called);
        let room = self.room();
        let replicas = deployment.replicas.min(room);
        let message = format!("Scaled up replica set {called} from 0 to {replicas}");
        let applied = {
            let state = &mut world.st();
            let kind = "replicaset";
            let subject = Subject::Object { kind: kind.into(), name: name.clone() };
            let origin = deployment.meta.source.span("spec.template");
            let applied = state.emit(subject, What::Applied, Some(deployment.cause), origin);
            if replicas > 0 {
                let (meta, reason) = (&deployment.meta, "ScalingReplicaSet");
                workload::report(state, meta, reason, message, applied);
            }
            applied
        };
        let mut selector = deployment.spec.selector.clone();
        let pairs = selector.match_labels.get_or_insert_default();
        pairs.insert(replicaset::HASH.to_owned(), hash.clone());
        let meta = Meta {
            kind: "replicaset",
            name,
            applied,
            created_at: world.now(),
            row: Vec::new(),
            ..deployment.meta.clone()
        };
        let set = ReplicaSet {
            meta,
            owner: Some(deployment.meta.name.clone()),
            template: deployment.template.clone(),
            selector,
            hash,
            replicas,
            revision,
            min_ready: deployment.min_ready,
            cause: applied,
            status: replicaset::Counts::default(),
            refusals: 0,
            retry_at: SimTime::ZERO,
            refused_at: EventId(0),
        };
        self.deployment.scaled_for = self.deployment.replicas;
        self.deployment.scaled_most = self.deployment.most();
        self.sets.push(set.clone());
        replicaset::announce(world, set);
    }

    /// A paused rollout still follows the wanted number.
    fn scale_paused(&mut self) {
        let newest = self.sets.iter().rposition(|set| set.replicas > 0);
        if let Some(newest) = newest.or(self.sets.len().checked_sub(1))
            && self.deployment.scaled_for != self.deployment.replicas
        {
            self.scale(newest);
        }
    }

    /// How many pods may still be added.
    fn room(&self) -> u32 {
        self.deployment.most().saturating_sub(self.total())
    }

    /// An old template that is wanted again gets the newest revision.
    fn renumber(&mut self, new: usize) {
        let max = self.sets.iter().map(|s| s.revision).max().unwrap_or(0);
        let Some(set) = self.sets.get_mut(new).filter(|s| s.revision < max) else { return };
        set.revision = max + 1;
        let (name, revision) = (set.meta.name.clone(), set.revision);
        if let Some(kept) = self.world.st().controllers.replicasets.get_mut(&name) {
            kept.revision = revision;
        }
    }

    fn scale_to(&mut self, idx: usize, replicas: u32) -> bool {
        let Some(set) = self.sets.get_mut(idx).filter(|s| s.replicas != replicas) else {
            return false;
        };
        let (name, before) = (set.meta.name.clone(), set.replicas);
        set.replicas = replicas;
        let direction = if replicas > before { "up" } else { "down" };
        let called = set.meta.plain();
        let message =
            format!("Scaled {direction} replica set {called} from {before} to {replicas}");
        let state = &mut self.world.st();
        let cause = self
            .deployment
            .cause
            .max(self.sets.iter().map(|s| s.cause).max().unwrap_or(self.deployment.cause));
        let meta = &self.deployment.meta;
        let event = workload::report(state, meta, "ScalingReplicaSet", message, cause);
        if let Some(kept) = state.controllers.replicasets.get_mut(&name) {
            kept.replicas = replicas;
            kept.cause = event;
        }
        state.edited("replicaset", &name);
        state.touch();
        true
    }

    /// The wanted number changed: the only active set takes it; in the middle of a rollout several
    /// share it.
    // Models pkg/controller/deployment/sync.go scale (v1.36).
    fn scale(&mut self, new: usize) {
        let (wanted, before) = (self.deployment.replicas, self.deployment.scaled_most);
        (self.deployment.scaled_for, self.deployment.scaled_most) =
            (wanted, self.deployment.most());
        let active: Vec<usize> = (0..self.sets.len()).filter(|i| self.size(*i) > 0).collect();
        match active.as_slice() {
            [] => drop(self.scale_to(new, wanted)),
            [only] => drop(self.scale_to(*only, wanted)),
            _ if self.deployment.recreate => {}
            _ => self.share(active, before),
        }
    }

    fn size(&self, idx: usize) -> i64 {
        self.sets.get(idx).map_or(0, |set| i64::from(set.replicas))
    }

    /// Each set grows or shrinks by its part of the whole; what is left over falls to the largest.
    // Models pkg/controller/deployment/util GetReplicaSetProportion (v1.36).
    fn share(&mut self, mut active: Vec<usize>, before: u32) {
        let (wanted, most) = (self.deployment.replicas, i64::from(self.deployment.most()));
        let total: i64 = i64::from(self.total());
        let before = if before == 0 { total } else { i64::from(before) };
        let to_add = if wanted == 0 { -total } else { most - total };
        // Of equal ones the newer grows first, the older shrinks first.
        let age = |idx: usize| if to_add > 0 { -(idx as i64) } else { idx as i64 };
        active.order_by_key(|idx| (-self.size(*idx), age(*idx)));
        let mut left = to_add;
        let mut sizes = Vec::new();
        for idx in active {
            let size = self.size(idx);
            let part = match wanted {
                0 => -size,
                // Rounded to the nearest.
                _ => (2 * size * most + before) / (2 * before) - size,
            };
            let part = if to_add > 0 { part.min(left) } else { part.max(left) };
            let part = if left == 0 { 0 } else { part };
            left -= part;
            sizes.push((idx, size + part));
        }
        for (i, (idx, size)) in sizes.into_iter().enumerate() {
            let size = if i == 0 { size + left } else { size };
            self.scale_to(idx, u32::try_from(size).unwrap_or(0));
        }
    }

    // Models pkg/controller/deployment/util NewRSNewReplicas (v1.36).
    fn scale_new_up(&mut self, new: usize) -> bool {
        let own = self.sets.get(new).map_or(0, |s| s.replicas);
        let wanted = self.deployment.replicas;
        if own > wanted {
            return self.scale_to(new, wanted);
        }
        let target = wanted.min(own + self.room());
        own < wanted && target > own && self.scale_to(new, target)
    }

    // Models pkg/controller/deployment/rolling.go reconcileOldReplicaSets (v1.36).
    fn scale_old_down(&mut self, new: usize) -> bool {
        let wanted = self.deployment.replicas;
        let min_available = wanted.saturating_sub(self.deployment.unavailable);
        let (new_spec, new_available) =
            self.sets.get(new).map_or((0, 0), |s| (s.replicas, s.status.available));
        let new_missing = new_spec.saturating_sub(new_available);
        let mut over = self.total().saturating_sub(min_available).saturating_sub(new_missing);
        if over == 0 {
            return false;
        }
        let old: Vec<usize> = (0..self.sets.len()).filter(|i| *i != new).collect();
        let mut acted = false;
        // Those that are not even available go first.
        for idx in &old {
            let Some(set) = self.sets.get(*idx).filter(|set| set.replicas > 0) else { continue };
            if over > 0 && set.status.available > set.replicas {
                // Its status is behind: the numbers of this look are worth nothing.
                return acted;
            }
            let sick = set.replicas.saturating_sub(set.status.available).min(over);
            if sick > 0 {
                over -= sick;
                acted |= self.scale_to(*idx, set.replicas - sick);
            }
        }
        let available: u32 = self.sets.iter().map(|s| s.status.available).sum();
        let mut spare = available.saturating_sub(min_available);
        for idx in &old {
            let Some(set) = self.sets.get(*idx) else { continue };
            let n = set.replicas.min(spare);
            if n > 0 {
                spare -= n;
                acted |= self.scale_to(*idx, set.replicas - n);
            }
        }
        acted
    }

    fn show(mut self) {
        let new = self.sets.iter().find(|s| same(&s.template, &self.deployment.template));
        let updated = new.map_or(0, |s| s.status.replicas);
        let ready: u32 = self.sets.iter().map(|s| s.status.ready).sum();
        let available: u32 = self.sets.iter().map(|s| s.status.available).sum();
        let cells = vec![
            format!("{ready}/{}", self.deployment.replicas),
            updated.to_string(),
            available.to_string(),
        ];
        let state = &mut self.world.st();
        let cause = self.deployment.cause;
        workload::show_row(state, &mut self.deployment.meta, cells, cause);
        let name = self.deployment.meta.name.clone();
        if let Some(kept) = state.controllers.deployments.get_mut(&name) {
            (kept.meta.row, kept.meta.shown_at) =
                (self.deployment.meta.row, self.deployment.meta.shown_at);
            kept.scaled_for = self.deployment.scaled_for;
            kept.scaled_most = self.deployment.scaled_most;
        }
    }
}
