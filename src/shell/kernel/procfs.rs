//! `/proc` as far as scripts read it. Entries are made at each look; nothing is stored.

use super::inode::{FileType, Kind, Node};
use super::process::{Proc, ProcState};
use super::{Disposition, Fd, Kernel, ProcId};
use std::fmt::Write as _;

/// What an inode below `/proc` stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum ProcEntry {
    Root,
    /// `/proc/self`
    SelfLink,
    /// `/proc/net`, `/proc/sys`, ...: a directory by its path below `/proc`.
    Dir(&'static str),
    /// A file by its path below `/proc`.
    File(&'static str),
    Process(ProcId),
    ProcessFile(ProcId, &'static str),
    ProcessLink(ProcId, &'static str),
    FdDir(ProcId),
    FdLink(ProcId, Fd),
    /// `/sys/fs/cgroup`, and a file there.
    Cgroup,
    CgroupFile(&'static str),
}

const FILES: &[&str] = &[
    "cmdline",
    "cpuinfo",
    "filesystems",
    "loadavg",
    "meminfo",
    "mounts",
    "stat",
    "swaps",
    "uptime",
    "version",
    "net/dev",
    "net/route",
    "net/tcp",
    "net/tcp6",
    "sys/kernel/hostname",
    "sys/kernel/osrelease",
    "sys/kernel/pid_max",
    "sys/kernel/random/boot_id",
    "sys/kernel/random/uuid",
    "sys/net/core/somaxconn",
    "sys/vm/overcommit_memory",
];
const DIRS: &[&str] =
    &["net", "sys", "sys/kernel", "sys/kernel/random", "sys/net", "sys/net/core", "sys/vm"];
const PROCESS_FILES: &[&str] = &[
    "cgroup",
    "cmdline",
    "comm",
    "environ",
    "limits",
    "mountinfo",
    "mounts",
    "oom_score_adj",
    "stat",
    "statm",
    "status",
];
const PROCESS_LINKS: &[&str] = &["cwd", "exe", "root"];

impl ProcEntry {
    pub fn is_dir(&self) -> bool {
        matches!(
            self,
            ProcEntry::Root
                | ProcEntry::Dir(_)
                | ProcEntry::Process(_)
                | ProcEntry::FdDir(_)
                | ProcEntry::Cgroup
        )
    }

    pub fn file_type(&self) -> FileType {
        match self {
            _ if self.is_dir() => FileType::Dir,
            ProcEntry::SelfLink | ProcEntry::ProcessLink(..) | ProcEntry::FdLink(..) => {
                FileType::Symlink
            }
            _ => FileType::File,
        }
    }
}

fn below(list: &'static [&'static str], dir: &str, name: &str) -> Option<&'static str> {
    list.iter().copied().find(|path| match path.rsplit_once('/') {
        Some((parent, last)) => parent == dir && last == name,
        None => dir.is_empty() && *path == name,
    })
}

impl Kernel {
    fn proc_node(&self, entry: ProcEntry) -> Node {
        let mode = match &entry {
            ProcEntry::SelfLink | ProcEntry::ProcessLink(..) => 0o777,
            ProcEntry::FdLink(..) => 0o700,
            ProcEntry::FdDir(_) => 0o500,
            _ if entry.is_dir() => 0o555,
            _ => 0o444,
        };
        let owner = match &entry {
            ProcEntry::Process(id)
            | ProcEntry::FdDir(id)
            | ProcEntry::FdLink(id, _)
            | ProcEntry::ProcessFile(id, _) => {
                self.procs.get(id).map_or((0, 0), |p| (p.cred.uid, p.cred.gid))
            }
            _ => (0, 0),
        };
        self.pseudo_fs.make(Kind::Proc(entry), mode, owner, self.wall_micros())
    }

    /// The process a number names for `viewer`.
    pub fn by_pid(&self, viewer: ProcId, pid: u32) -> Option<ProcId> {
        let ns = self.procs.get(&viewer)?.pidns;
        self.pid_namespaces.get(&ns)?.by_pid.get(&pid).copied()
    }

    pub fn proc_child(&self, viewer: ProcId, dir: &ProcEntry, name: &str) -> Option<Node> {
        let entry = match dir {
            ProcEntry::Root if name == "self" || name == "thread-self" => ProcEntry::SelfLink,
            ProcEntry::Root if name.bytes().all(|b| b.is_ascii_digit()) => {
                ProcEntry::Process(self.by_pid(viewer, name.parse().ok()?)?)
            }
            ProcEntry::Root | ProcEntry::Dir(_) => {
                let at = if let ProcEntry::Dir(at) = dir { at } else { "" };
                match below(DIRS, at, name) {
                    Some(path) => ProcEntry::Dir(path),
                    None => ProcEntry::File(below(FILES, at, name)?),
                }
            }
            ProcEntry::Process(id) if name == "fd" => ProcEntry::FdDir(*id),
            ProcEntry::Process(id) => match below(PROCESS_LINKS, "", name) {
                Some(link) => ProcEntry::ProcessLink(*id, link),
                None => ProcEntry::ProcessFile(*id, below(PROCESS_FILES, "", name)?),
            },
            ProcEntry::FdDir(id) => {
                let fd: Fd = name.parse().ok()?;
                self.procs.get(id)?.fds.entry(fd)?;
                ProcEntry::FdLink(*id, fd)
            }
            ProcEntry::Cgroup => return self.cgroup_child(name),
            _ => return None,
        };
        Some(self.proc_node(entry))
    }

    /// Names in a directory of `/proc`.
    pub fn proc_names(&self, viewer: ProcId, dir: &ProcEntry) -> Vec<String> {
        let children = |at: &str| -> Vec<String> {
            let split = |path: &&str| match path.rsplit_once('/') {
                Some((parent, last)) => (parent == at).then(|| last.to_owned()),
                None => at.is_empty().then(|| (*path).to_owned()),
            };
            FILES.iter().chain(DIRS).filter_map(split).collect()
        };
        match dir {
            ProcEntry::Root => {
                let mut names = children("");
                names.push("self".to_owned());
                let ns = self.procs.get(&viewer).and_then(|p| self.pid_namespaces.get(&p.pidns));
                names.extend(ns.iter().flat_map(|ns| ns.by_pid.keys()).map(u32::to_string));
                names
            }
            ProcEntry::Dir(at) => children(at),
            ProcEntry::Cgroup => super::cgroup::FILES.iter().map(|n| (*n).to_owned()).collect(),
            ProcEntry::Process(_) => {
                let mut names = vec!["fd".to_owned()];
                names.extend(PROCESS_FILES.iter().chain(PROCESS_LINKS).map(|n| (*n).to_owned()));
                names
            }
            ProcEntry::FdDir(id) => {
                let fds = self.procs.get(id).map(|p| p.fds.open_fds()).unwrap_or_default();
                fds.iter().map(u32::to_string).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The text of a symbolic link of `/proc`.
    pub fn proc_link(&self, viewer: ProcId, entry: &ProcEntry) -> Option<String> {
        match entry {
            ProcEntry::SelfLink => Some(self.procs.get(&viewer)?.pid.to_string()),
            ProcEntry::ProcessLink(id, what) => {
                let proc = self.procs.get(id)?;
                Some(match *what {
                    "cwd" => proc.cwd.to_string(),
                    "exe" if &*proc.comm == "pause" => "/pause".to_owned(),
                    "exe" => "/bin/busybox".to_owned(),
                    _ => "/".to_owned(),
                })
            }
            ProcEntry::FdLink(id, fd) => {
                let file = self.procs.get(id)?.fds.get(*fd).ok()?;
                Some(super::io::describe(file))
            }
            _ => None,
        }
    }

    /// What reading a file of `/proc` gives now.
    pub fn proc_text(&self, viewer: ProcId, entry: &ProcEntry) -> Option<String> {
        match entry {
            ProcEntry::File(name) => Some(self.system_file(viewer, name)),
            ProcEntry::ProcessFile(id, name) => {
                self.procs.get(id).map(|proc| self.process_file(proc, name))
            }
            ProcEntry::CgroupFile(name) => self.cgroup_text(viewer, name),
            _ => None,
        }
    }

    fn system_file(&self, viewer: ProcId, name: &str) -> String {
        let container = self.procs.get(&viewer).and_then(|p| self.containers.get(&p.container));
        match name {
            "uptime" => {
                let up = self.now.as_secs_f64() + 1000.0;
                format!("{up:.2} {:.2}\n", up * 1.9)
            }
            "loadavg" => {
                let n = self.procs.len();
                let newest = self.procs.keys().next_back().map_or(1, |id| id.0);
                format!("0.10 0.12 0.09 1/{n} {newest}\n")
            }
            "meminfo" => meminfo(self.procs.values().map(|p| p.held_bytes >> 10).sum()),
            "cpuinfo" => cpuinfo(),
            "stat" => self.stat_text(),
            "net/tcp6" => TCP_HEAD.to_owned(),
            "swaps" => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n".to_owned(),
            "version" => "Linux version 6.1.0 (builder@host) (gcc 12.2.0) #1 SMP PREEMPT_DYNAMIC\n"
                .to_owned(),
            "filesystems" => "nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\n\text4\n".to_owned(),
            "cmdline" => "BOOT_IMAGE=/boot/vmlinuz ro quiet\n".to_owned(),
            "mounts" => self.mounts_text(viewer),
            "net/tcp" => self.tcp_table(viewer),
            "net/dev" => NET_DEV.to_owned(),
            "net/route" => NET_ROUTE.to_owned(),
            "sys/kernel/hostname" => format!("{}\n", container.map_or("", |c| &c.hostname)),
            "sys/kernel/osrelease" => "6.1.0\n".to_owned(),
            "sys/kernel/pid_max" => "4194304\n".to_owned(),
            "sys/kernel/random/boot_id" | "sys/kernel/random/uuid" => {
                let mut rng = self.rng.clone();
                let (a, b) = (rng.next_u64(), rng.next_u64());
                let (time, mid) = (a >> 32, (a >> 16) & 0xffff);
                let (clock, node) = ((b >> 48) & 0x3fff | 0x8000, b & 0xffff_ffff_ffff);
                format!("{time:08x}-{mid:04x}-4{:03x}-{clock:04x}-{node:012x}\n", a & 0xfff)
            }
            "sys/net/core/somaxconn" => "4096\n".to_owned(),
            _ => "0\n".to_owned(),
        }
    }

    /// `/proc/stat`: two processors since the node started, in hundredths of a second.
    fn stat_text(&self) -> String {
        let used = 2_000 + self.cpu_used.0 / 10_000;
        let idle = (self.now.0 / 10_000 * 2 + 200_000).saturating_sub(used);
        let line = |name: &str, user: u64, idle: u64| {
            format!("{name} {user} 0 {} {idle} 0 0 0 0 0 0\n", user / 5)
        };
        format!(
            "{}{}{}intr 0\nctxt 0\nbtime {}\nprocesses {}\nprocs_running 1\nprocs_blocked 0\n",
            line("cpu ", used, idle),
            line("cpu0", used / 2, idle / 2),
            line("cpu1", used / 2, idle / 2),
            self.start_unix_micros / 1_000_000 - 1000,
            self.procs.keys().next_back().map_or(1, |id| id.0)
        )
    }

    /// The mounts of a process's container as `/proc/mounts` lists them.
    pub fn mounts_text(&self, viewer: ProcId) -> String {
        let mut out = String::new();
        let container = self.procs.get(&viewer).and_then(|p| self.containers.get(&p.container));
        for mount in container.iter().flat_map(|c| c.mounts.iter().rev()) {
            let kind = mount.root.fs.kind;
            let mode = if mount.read_only { "ro" } else { "rw" };
            let _ = writeln!(out, "{kind} {} {kind} {mode},relatime 0 0", mount.at);
        }
        out
    }

    fn process_file(&self, proc: &Proc, name: &str) -> String {
        match name {
            "cmdline" => proc.argv.iter().map(|a| format!("{a}\0")).collect(),
            "comm" => format!("{}\n", proc.comm),
            "environ" => proc.env.iter().map(|(k, v)| format!("{k}={v}\0")).collect(),
            "cgroup" => "0::/\n".to_owned(),
            "oom_score_adj" => "0\n".to_owned(),
            "mounts" | "mountinfo" => self.mounts_text(proc.id),
            "stat" => {
                let ppid = self.ppid(proc);
                let ticks = proc.cpu_used.0 / 10_000;
                let start = proc.started.0 / 10_000 + 100_000;
                format!(
                    "{} ({}) {} {ppid} {} 0 0 -1 4194304 0 0 0 0 {ticks} 0 0 0 20 0 1 0 {start} \
                     {} {} 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n",
                    proc.pid,
                    proc.comm,
                    state_letter(proc),
                    proc.pgid,
                    virtual_kb(proc) << 10,
                    resident_kb(proc) / 4
                )
            }
            "status" => self.status_text(proc),
            "statm" => {
                let (size, resident) = (virtual_kb(proc) / 4, resident_kb(proc) / 4);
                format!("{size} {resident} {} 200 0 60 0\n", resident.min(230))
            }
            _ => format!(
                "{:<26}{:<21}{:<21}{:<10}\n{:<26}{:<21}{:<21}{:<10}\n",
                "Limit",
                "Soft Limit",
                "Hard Limit",
                "Units",
                "Max open files",
                "1024",
                "1048576",
                "files"
            ),
        }
    }

    fn status_text(&self, proc: &Proc) -> String {
        let state = match state_letter(proc) {
            'R' => "R (running)",
            'Z' => "Z (zombie)",
            'T' => "T (stopped)",
            _ => "S (sleeping)",
        };
        let (uid, gid) = (proc.cred.uid, proc.cred.gid);
        let groups: Vec<String> = proc.cred.groups.iter().map(u32::to_string).collect();
        format!(
            "Name:\t{}\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\n\
             PPid:\t{}\nTracerPid:\t0\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n\
             Gid:\t{gid}\t{gid}\t{gid}\t{gid}\nFDSize:\t64\nGroups:\t{} \n\
             VmPeak:\t{size:8} kB\nVmSize:\t{size:8} kB\nVmHWM:\t{resident:8} kB\n\
             VmRSS:\t{resident:8} kB\nThreads:\t1\nSigQ:\t0/96076\n\
             SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n\
             SigBlk:\t0000000000000000\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n",
            proc.comm,
            proc.umask,
            self.ppid(proc),
            groups.join(" "),
            proc.signals.mask(Disposition::Ignore),
            proc.signals.mask(Disposition::Catch),
            pid = proc.pid,
            size = virtual_kb(proc),
            resident = resident_kb(proc),
        )
    }

    pub fn ppid(&self, proc: &Proc) -> u32 {
        let parent = proc.parent.and_then(|id| self.procs.get(&id));
        parent.filter(|p| p.pidns == proc.pidns).map_or(0, |p| p.pid)
    }
}

/// R, S, T or Z.
pub fn state_letter(proc: &Proc) -> char {
    match proc.state {
        ProcState::Zombie(_) => 'Z',
        ProcState::Running if proc.stopped.is_some() => 'T',
        ProcState::Running if proc.scheduled.is_none() && proc.running => 'R',
        ProcState::Running => 'S',
    }
}

/// What a process has in memory, in kilobytes.
fn resident_kb(proc: &Proc) -> u64 {
    (proc.memory_bytes + proc.held_bytes).max(1 << 20) >> 10
}

/// With the program's own text, which all share.
fn virtual_kb(proc: &Proc) -> u64 {
    resident_kb(proc) + 3356
}

fn meminfo(held_kb: u64) -> String {
    let rows = [
        ("MemTotal", 24_576_000),
        ("MemFree", 18_000_000_u64.saturating_sub(held_kb)),
        ("MemAvailable", 21_000_000_u64.saturating_sub(held_kb)),
        ("Buffers", 200_000),
        ("Cached", 2_800_000),
        ("SwapCached", 0),
        ("Active", 2_000_000),
        ("Inactive", 1_500_000),
        ("SwapTotal", 0),
        ("SwapFree", 0),
        ("Shmem", 10_000),
        ("SReclaimable", 150_000),
    ];
    let line = |(name, kb): (&str, u64)| format!("{:<16}{kb:>8} kB\n", format!("{name}:"));
    rows.into_iter().map(line).collect()
}

fn cpuinfo() -> String {
    let one = |n: u32| {
        format!(
            "processor\t: {n}\nvendor_id\t: GenuineIntel\nmodel name\t: Virtual CPU\n\
             cpu MHz\t\t: 2400.000\ncpu cores\t: 2\nflags\t\t: fpu\n\n"
        )
    };
    one(0) + &one(1)
}

const NET_DEV: &str = concat!(
    "Inter-|   Receive                                                |",
    "  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|",
    "bytes    packets errs drop fifo colls carrier compressed\n",
    "    lo:       0       0    0    0    0     0          0         0",
    "        0       0    0    0    0     0       0          0\n",
    "  eth0:       0       0    0    0    0     0          0         0",
    "        0       0    0    0    0     0       0          0\n",
);
const TCP_HEAD: &str = "  sl  local_address                         remote_address                        \
     st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const NET_ROUTE: &str =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
