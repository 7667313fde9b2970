//! Commands run inside containers from outside, and what containers use, asked of a run.

use super::Simulation;
use super::actions::without_kind;
use super::control::api;
use super::kubelet::exec::{Ran, command, get};
use super::model::{PodId, RecordState};
use super::runtime::{Answer, Handle};
use super::world::World;
use crate::shell::kernel::Output;
use crate::time::SimTime;
use std::cell::RefCell;
use std::rc::Rc;

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Executed {
    Ended {
        code: i32,
        stdout: String,
        stderr: String,
    },
    /// It was still running when the time was up.
    Running,
    /// There is no such running container.
    NoContainer,
    /// It could not start; the runtime's words.
    Failed(String),
}

fn running(world: &World, pod: &str, container: &str) -> Option<(PodId, Handle)> {
    let state = world.st();
    let id = api::said(&state, pod)?;
    let newest = state.pods.get(&id)?.kubelet.actual.newest(container)?;
    let handle = newest.handle.filter(|_| newest.state == RecordState::Running)?;
    Some((id, handle))
}

/// Starts a command in a container and does not wait for it.
pub(crate) fn begin(
    world: &World,
    (pod, container): (&str, &str),
    argv: Vec<String>,
    limit: SimTime,
) -> Option<Rc<RefCell<Option<Ran>>>> {
    let (id, handle) = running(world, pod, container)?;
    let done = Rc::new(RefCell::new(None));
    let (copy, result) = (world.clone(), done.clone());
    world.clock.spawn(async move {
        let ran = command(&copy, id, handle, &argv, limit).await;
        *result.borrow_mut() = Some(ran);
    });
    Some(done)
}

/// What came of a request, once something did.
type Page = Rc<RefCell<Option<Option<Answer>>>>;

/// Asks a pod's port for a page, as curl does, and does not wait for the answer.
pub(crate) fn ask(world: &World, pod: &str, port: u16, (path, host): (&str, &str)) -> Option<Page> {
    let name = without_kind(pod);
    let (id, address) = {
        let state = world.st();
        let id = api::said(&state, name)?;
        (id, state.pods.get(&id).filter(|pod| pod.status.has_ip)?.ip.clone())
    };
    let done = Rc::new(RefCell::new(None));
    let (copy, result) = (world.clone(), done.clone());
    let (path, host) = (path.to_owned(), host.to_owned());
    world.clock.spawn(async move {
        let page = get(&copy, id, (&address, port, &path, &host), PAGE_MAX).await;
        *result.borrow_mut() = Some(page);
    });
    Some(done)
}

/// A page has to come within this time.
const PAGE_MAX: SimTime = SimTime::from_secs(30);

/// Interpreter steps a command may take.
const STEPS_MAX: u64 = 20_000_000;

impl Simulation {
    /// Runs a command in a container of this run until it ends, at most for `limit`.
    pub fn exec(
        &mut self,
        pod: &str,
        container: &str,
        argv: &[String],
        limit: SimTime,
    ) -> Executed {
        let until = self.now() + limit;
        let begun = begin(&self.world, (pod, container), argv.to_vec(), limit);
        let Some(done) = begun else { return Executed::NoContainer };
        let mut steps = STEPS_MAX;
        while done.borrow().is_none() && steps > 0 && self.step(until, &mut steps).is_none() {}
        match done.take() {
            Some(Ran::Done { code, output: Output { stdout, stderr, .. } }) => {
                Executed::Ended { code, stdout, stderr }
            }
            Some(Ran::Failed(why)) => Executed::Failed(why),
            Some(Ran::TimedOut) | None => Executed::Running,
        }
    }

    /// Asks a pod's port for a page: its status code and body, or why there is none; None where
    /// the pod is not there.
    pub fn fetch(
        &mut self,
        pod: &str,
        port: u16,
        path: &str,
        host: &str,
    ) -> Option<Result<(u16, String), String>> {
        let until = self.now() + PAGE_MAX;
        let done = ask(&self.world, pod, port, (path, host))?;
        let mut steps = STEPS_MAX;
        while done.borrow().is_none() && steps > 0 && self.step(until, &mut steps).is_none() {}
        Some(match done.take().flatten() {
            Some(Answer::Page { code, body }) => Ok((code, body)),
            Some(Answer::Failed(why)) => Err(why),
            Some(Answer::Connected) | None => Err("no answer within 30 s".to_owned()),
        })
    }

    /// (pod, container, thousandths of a CPU, bytes) of each running container.
    pub fn usage(&mut self) -> Vec<(String, String, u32, u64)> {
        let mut handles = Vec::new();
        for pod in self.world.st().pods.values().filter(|pod| !pod.removed) {
            for (name, records) in &pod.kubelet.actual.records {
                let newest = records.last().filter(|r| r.state == RecordState::Running);
                let handle = newest.and_then(|record| record.handle);
                handles.extend(handle.map(|h| (pod.name.to_string(), name.to_string(), h)));
            }
        }
        let now = self.now();
        let used = |(pod, name, handle)| {
            let known = self.world.st().measured.get(&handle).copied();
            let measured = || self.world.rt().used(now, handle);
            let (cpu, memory) = known.or_else(measured)?;
            Some((pod, name, cpu, memory))
        };
        handles.into_iter().filter_map(used).collect()
    }
}
