//! Running a command inside a container or asking its ports, and waiting for what comes of it.

use crate::shell::kernel::Output;
use crate::sim::model::{PodId, RecordState};
use crate::sim::runtime::{Answer, Ask, Handle};
use crate::sim::world::{Reply, World};
use crate::time::SimTime;

/// What it takes a runtime at least to get into a container, in milliseconds.
const ENTER_MILLIS: u64 = 60;

#[derive(Debug)]
pub(crate) enum Ran {
    Done {
        code: i32,
        output: Output,
    },
    TimedOut,
    /// It could not even start.
    Failed(String),
}

/// Runs `argv` in a container for at most `limit`, or until the pod's container ends.
pub(crate) async fn command(
    world: &World,
    id: PodId,
    run: Handle,
    argv: &[String],
    limit: SimTime,
) -> Ran {
    let deadline = world.now() + limit;
    let enter = world.st().about(ENTER_MILLIS);
    world.pause(enter).await;
    let runs = world.pod(id, |pod| {
        let mut records = pod.kubelet.actual.records.values().flatten();
        records.any(|r| r.handle == Some(run) && r.state == RecordState::Running)
    });
    if runs != Some(true) {
        let why = "rpc error: code = Unknown desc = failed to exec in container: container is in \
                   CONTAINER_EXITED state";
        return Ran::Failed(why.to_owned());
    }
    let now = world.now();
    let made = world.rt().exec(now, run, argv);
    let ask = match made {
        Ok(ask) => ask,
        Err(error) => return Ran::Failed(error.0),
    };
    match reply(world, id, ask, deadline).await {
        Some(Reply::Ran { code, output }) => Ran::Done { code, output },
        Some(Reply::Answered(_)) => Ran::Failed("unexpected answer".to_owned()),
        None => {
            let now = world.now();
            world.rt().abandon(now, ask);
            Ran::TimedOut
        }
    }
}

async fn reply(world: &World, id: PodId, ask: Ask, deadline: SimTime) -> Option<Reply> {
    world.st().asked.insert(ask, id);
    loop {
        let reply = world.st().replies.remove(&ask);
        if reply.is_some() || world.now() >= deadline {
            world.st().asked.remove(&ask);
            return reply;
        }
        super::happens(world, id, deadline).await;
    }
}

/// Connects from the node to a pod; None when nothing came in time.
pub(crate) async fn connect(
    world: &World,
    id: PodId,
    address: &str,
    port: u16,
    limit: SimTime,
) -> Option<Answer> {
    let now = world.now();
    let ask = world.rt().connect(now, address, port);
    answer(world, id, ask, now + limit).await
}

/// Asks for a page from the node; None when nothing came in time.
pub(crate) async fn get(
    world: &World,
    id: PodId,
    (address, port, path, host): (&str, u16, &str, &str),
    limit: SimTime,
) -> Option<Answer> {
    let now = world.now();
    let ask = world.rt().get(now, address, port, path, host);
    answer(world, id, ask, now + limit).await
}

async fn answer(world: &World, id: PodId, ask: Ask, deadline: SimTime) -> Option<Answer> {
    let reply = reply(world, id, ask, deadline).await;
    if reply.is_none() {
        let now = world.now();
        world.rt().abandon(now, ask);
    }
    match reply? {
        Reply::Answered(answer) => Some(answer),
        Reply::Ran { .. } => None,
    }
}
