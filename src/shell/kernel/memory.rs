//! Memory of containers: what their processes hold, what lies in memory volumes they wrote, and
//! the end of a container that holds more than it may.
//!
//! A process holds what its program needs (`claim`) and what it keeps of data (`hold`): a shell's
//! variables, awk's arrays, dd's block, lines and files read whole. What a program could keep at
//! most is bounded by the machine's own limits; what is said here is what the real one would keep.

use super::inode::Node;
use super::{ContainerId, Kernel, ProcId};
use crate::shell::Signal;

impl Kernel {
    /// What a process's program needs of memory, in bytes.
    pub fn claim_memory(&mut self, id: ProcId, bytes: u64) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        proc.memory_bytes = bytes;
        let container = proc.container;
        self.check_memory(container);
    }

    /// What data a process keeps besides, in bytes.
    pub fn hold_memory(&mut self, id: ProcId, bytes: u64) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        proc.held_bytes = bytes;
        let container = proc.container;
        self.check_memory(container);
    }

    /// A process wrote to a memory volume: what lies there is its container's.
    pub fn charge_memory_volume(&mut self, id: ProcId, node: &Node) {
        let Some(container) = self.procs.get(&id).map(|proc| proc.container) else { return };
        node.fs.charged_to.set(Some(container));
        self.check_memory(container);
    }

    /// Past the container's limit the kernel kills all of it.
    // Models memory.oom.group, which the kubelet sets (v1.36, cgroup v2).
    pub fn check_memory(&mut self, id: ContainerId) {
        let used = self.memory_used(id);
        let Some(container) = self.containers.get_mut(&id) else { return };
        container.memory_peak = container.memory_peak.max(used);
        if container.memory_limit.is_none_or(|limit| used <= limit) || container.oom {
            return;
        }
        container.oom = true;
        if let Some(init) = container.init {
            self.send_signal(init, Signal::KILL, true);
        }
    }

    /// Bytes a container's processes hold.
    pub fn anonymous_memory(&self, id: ContainerId) -> u64 {
        self.members(id).map(|p| p.memory_bytes + p.held_bytes).sum()
    }

    /// Bytes in the memory volumes a container wrote to last.
    pub fn shared_memory(&self, id: ContainerId) -> u64 {
        let Some(container) = self.containers.get(&id) else { return 0 };
        let mut seen = Vec::new();
        let mut sum = 0;
        for mount in container.mounts.iter().filter(|m| m.root.fs.is_memory()) {
            let fs = &mount.root.fs;
            if !seen.contains(&fs.id) && fs.charged_to.get() == Some(id) {
                seen.push(fs.id);
                sum += fs.used.get();
            }
        }
        sum
    }

    /// Bytes that count against a container's limit.
    pub fn memory_used(&self, id: ContainerId) -> u64 {
        self.anonymous_memory(id) + self.shared_memory(id)
    }
}
