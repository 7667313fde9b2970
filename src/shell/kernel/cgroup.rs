//! `/sys/fs/cgroup` as a container sees it: its own cgroup, version 2. Files are made at each
//! look, as those of `/proc`; nothing is stored and nothing can be written.

use super::inode::{Kind, Node};
use super::procfs::ProcEntry;
use super::{Container, Kernel, ProcId};

pub const FILES: &[&str] = &[
    "cgroup.controllers",
    "cgroup.events",
    "cgroup.procs",
    "cgroup.type",
    "cpu.max",
    "cpu.stat",
    "cpu.weight",
    "memory.current",
    "memory.events",
    "memory.high",
    "memory.low",
    "memory.max",
    "memory.min",
    "memory.oom.group",
    "memory.peak",
    "memory.stat",
    "memory.swap.current",
    "memory.swap.max",
    "pids.current",
    "pids.max",
    "pids.peak",
];

impl Kernel {
    /// A file of the cgroup's directory.
    pub fn cgroup_child(&self, name: &str) -> Option<Node> {
        let name = FILES.iter().copied().find(|known| *known == name)?;
        let kind = Kind::Proc(ProcEntry::CgroupFile(name));
        Some(self.pseudo_fs.make(kind, 0o444, (0, 0), self.wall_micros()))
    }

    /// What a file of the cgroup of a process's container says now.
    pub fn cgroup_text(&self, viewer: ProcId, name: &str) -> Option<String> {
        let id = self.procs.get(&viewer)?.container;
        let container = self.containers.get(&id)?;
        let procs = || self.members(id);
        let limit = |most: Option<u64>| most.map_or("max".to_owned(), |n| n.to_string());
        Some(match name {
            "cgroup.controllers" => "cpuset cpu io memory hugetlb pids rdma misc\n".to_owned(),
            "cgroup.events" => "populated 1\nfrozen 0\n".to_owned(),
            "cgroup.procs" => procs().map(|p| format!("{}\n", p.pid)).collect(),
            "cgroup.type" => "domain\n".to_owned(),
            "cpu.max" => match container.cpu_millis {
                Some(millis) => format!("{} 100000\n", u64::from(millis) * 100),
                None => "max 100000\n".to_owned(),
            },
            "cpu.stat" => cpu_stat(container),
            "cpu.weight" => format!("{}\n", weight(container)),
            "memory.current" => format!("{}\n", self.memory_used(id)),
            "memory.max" => limit(container.memory_limit) + "\n",
            "memory.high" | "memory.swap.max" | "pids.max" => "max\n".to_owned(),
            "memory.peak" => format!("{}\n", container.memory_peak.max(self.memory_used(id))),
            "memory.events" => {
                let killed = u8::from(container.oom);
                format!(
                    "low 0\nhigh 0\nmax {killed}\noom {killed}\noom_kill {killed}\n\
                     oom_group_kill {killed}\n"
                )
            }
            "memory.stat" => {
                let (anon, shmem) = (self.anonymous_memory(id), self.shared_memory(id));
                let file =
                    shmem + container.mounts.last().map_or(0, |root| root.root.fs.used.get());
                format!(
                    "anon {anon}\nfile {file}\nkernel 0\nshmem {shmem}\nfile_mapped 0\n\
                     file_dirty 0\nfile_writeback 0\ninactive_anon {anon}\nactive_anon 0\n\
                     inactive_file {}\nactive_file 0\npgfault 0\npgmajfault 0\n",
                    file - shmem
                )
            }
            "memory.oom.group" => "1\n".to_owned(),
            "pids.current" | "pids.peak" => format!("{}\n", procs().count()),
            _ => "0\n".to_owned(),
        })
    }
}

// Models runc libcontainer/cgroups ConvertCPUSharesToCgroupV2Value: a container without a
// request has two shares, and what it may use is taken for what it asks.
fn weight(container: &Container) -> u64 {
    let shares = container.cpu_millis.map_or(2, |millis| u64::from(millis) * 1024 / 1000).max(2);
    1 + (shares - 2) * 9999 / 262_142
}

fn cpu_stat(container: &Container) -> String {
    let (used, pace) = (container.cpu_used.0, &container.pace);
    format!(
        "usage_usec {used}\nuser_usec {used}\nsystem_usec 0\nnr_periods {}\nnr_throttled {}\n\
         throttled_usec {}\nnr_bursts 0\nburst_usec 0\n",
        pace.n_periods, pace.n_throttled, pace.throttled.0
    )
}
