//! What running containers use, told when it changed noticeably.

use crate::sim::model::RecordState;
use crate::sim::world::World;
use crate::time::SimTime;
use crate::trace::What;
use std::collections::BTreeMap;

const PERIOD: SimTime = SimTime::from_secs(5);
/// Changes below these are not told.
const CPU_STEP: u32 = 20;
const MEMORY_STEP: u64 = 1 << 20;

pub(crate) async fn run(world: World) {
    let mut told = BTreeMap::new();
    loop {
        world.clock.sleep(PERIOD).await;
        let mut running = Vec::new();
        for pod in world.st().pods.values() {
            for (name, records) in &pod.kubelet.actual.records {
                let newest = records.last().filter(|r| r.state == RecordState::Running);
                let handle = newest.and_then(|r| Some((r.handle?, r.event)));
                running.extend(handle.map(|h| (h, pod.container_subject(name))));
            }
        }
        for ((handle, cause), subject) in running {
            let now = world.now();
            let Some((cpu, memory)) = world.rt().used(now, handle) else { continue };
            world.st().measured.insert(handle, (cpu, memory));
            let (cpu_before, memory_before) = told.get(&handle).copied().unwrap_or((0u32, 0u64));
            let noticeable = cpu.abs_diff(cpu_before) >= CPU_STEP
                || memory.abs_diff(memory_before) >= MEMORY_STEP;
            if noticeable {
                told.insert(handle, (cpu, memory));
                let what = What::Usage { cpu_millis: cpu, memory_bytes: memory };
                world.st().emit(subject, what, Some(cause), None);
            }
        }
    }
}
