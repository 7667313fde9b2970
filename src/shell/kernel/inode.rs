//! Inodes: what is in the in-memory file systems. Not how paths find them.

use super::pipe::PipeRef;
use crate::shell::applets::Program;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// One inode, shared by its hard links and its openers.
pub type Node = Rc<Inode>;

/// A file system: a container's root, or a volume that outlives containers.
#[derive(Debug)]
pub struct FileSystem {
    pub id: u32,
    /// `rootfs`, or `volume:NAME` as the trace writes it.
    pub label: String,
    /// Size in bytes past which writes get `No space left on device`.
    pub size_limit: Cell<Option<u64>>,
    pub used: Cell<u64>,
    pub next_ino: Cell<u64>,
    /// Changes become notices.
    pub watched: bool,
    /// Who wrote last: a memory volume counts as this container's memory.
    pub charged_to: Cell<Option<super::ContainerId>>,
    /// What `df` and `mount` call its type, e.g. `overlay`, `tmpfs`.
    pub kind: &'static str,
}

#[derive(Debug)]
pub struct Inode {
    pub ino: u64,
    pub fs: Rc<FileSystem>,
    pub meta: RefCell<Meta>,
    pub kind: Kind,
}

/// Owner, permissions, times (microseconds since 1970).
#[derive(Clone, Debug)]
pub struct Meta {
    /// The lowest twelve bits of `st_mode`.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub nlink: u32,
    pub atime: i64,
    pub mtime: i64,
    pub ctime: i64,
}

#[derive(Debug)]
pub enum Kind {
    File(RefCell<Vec<u8>>),
    Dir(RefCell<BTreeMap<String, Node>>),
    Symlink(String),
    Fifo(PipeRef),
    Device(Device),
    /// A program of this simulation: running it runs Rust.
    Program(Program),
    /// Something below `/proc`, made at each look.
    Proc(super::procfs::ProcEntry),
}

/// Character devices. The two logs are the container's own stdout and stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    Null,
    Zero,
    Full,
    Random,
    Tty,
}

/// What kind of thing `stat` found; the letter `ls -l` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileType {
    File,
    Dir,
    Symlink,
    Fifo,
    Device,
    Socket,
}

impl FileType {
    pub fn letter(self) -> char {
        match self {
            FileType::File => '-',
            FileType::Dir => 'd',
            FileType::Symlink => 'l',
            FileType::Fifo => 'p',
            FileType::Device => 'c',
            FileType::Socket => 's',
        }
    }
}

/// What `stat` tells.
#[derive(Clone, Debug)]
pub struct Stat {
    pub dev: u32,
    pub ino: u64,
    pub file_type: FileType,
    pub mode: u32,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    /// (major, minor) of a device.
    pub rdev: (u32, u32),
    pub size: u64,
    /// Times in microseconds since 1970.
    pub atime: i64,
    pub mtime: i64,
    pub ctime: i64,
}

/// Program inodes say this size: about that of the busybox binary.
const PROGRAM_SIZE: u64 = 1_131_168;

impl Inode {
    pub fn dir(&self) -> Option<&RefCell<BTreeMap<String, Node>>> {
        match &self.kind {
            Kind::Dir(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn is_dir(&self) -> bool {
        match &self.kind {
            Kind::Dir(_) => true,
            Kind::Proc(entry) => entry.is_dir(),
            _ => false,
        }
    }

    pub fn file_type(&self) -> FileType {
        match &self.kind {
            Kind::File(_) | Kind::Program(_) => FileType::File,
            Kind::Dir(_) => FileType::Dir,
            Kind::Symlink(_) => FileType::Symlink,
            Kind::Fifo(_) => FileType::Fifo,
            Kind::Device(_) => FileType::Device,
            Kind::Proc(entry) => entry.file_type(),
        }
    }

    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(data) => data.borrow().len() as u64,
            Kind::Symlink(target) => target.len() as u64,
            Kind::Dir(_) => 4096,
            Kind::Program(_) => PROGRAM_SIZE,
            _ => 0,
        }
    }

    pub fn stat(&self) -> Stat {
        let meta = self.meta.borrow();
        let rdev = match &self.kind {
            Kind::Device(Device::Null) => (1, 3),
            Kind::Device(Device::Zero) => (1, 5),
            Kind::Device(Device::Full) => (1, 7),
            Kind::Device(Device::Random) => (1, 9),
            Kind::Device(Device::Tty) => (5, 0),
            _ => (0, 0),
        };
        Stat {
            dev: self.fs.id,
            ino: self.ino,
            file_type: self.file_type(),
            mode: meta.mode,
            nlink: meta.nlink,
            uid: meta.uid,
            gid: meta.gid,
            rdev,
            size: self.size(),
            atime: meta.atime,
            mtime: meta.mtime,
            ctime: meta.ctime,
        }
    }
}

impl FileSystem {
    pub fn new(id: u32, label: String, kind: &'static str, watched: bool) -> Rc<FileSystem> {
        Rc::new(FileSystem {
            id,
            label,
            size_limit: Cell::new(None),
            used: Cell::new(0),
            next_ino: Cell::new(2),
            charged_to: Cell::new(None),
            watched,
            kind,
        })
    }

    /// A new inode of this file system, owned as told, all times `now`.
    pub fn make(self: &Rc<Self>, kind: Kind, mode: u32, owner: (u32, u32), now: i64) -> Node {
        let ino = self.next_ino.get();
        self.next_ino.set(ino + 1);
        let nlink = if matches!(kind, Kind::Dir(_)) { 2 } else { 1 };
        let (uid, gid) = owner;
        let meta = Meta { mode, uid, gid, nlink, atime: now, mtime: now, ctime: now };
        Rc::new(Inode { ino, fs: Rc::clone(self), meta: RefCell::new(meta), kind })
    }

    pub fn make_dir(self: &Rc<Self>, mode: u32, owner: (u32, u32), now: i64) -> Node {
        self.make(Kind::Dir(RefCell::default()), mode, owner, now)
    }

    /// Books `more` bytes, or refuses when the limit would be passed.
    pub fn reserve(&self, more: u64) -> Result<(), crate::shell::Errno> {
        let used = self.used.get() + more;
        if self.size_limit.get().is_some_and(|limit| used > limit) {
            return Err(crate::shell::Errno::NoSpc);
        }
        self.used.set(used);
        Ok(())
    }

    pub fn release(&self, bytes: u64) {
        self.used.set(self.used.get().saturating_sub(bytes));
    }

    /// Whether its files lie in memory.
    pub fn is_memory(&self) -> bool {
        self.kind == "tmpfs"
    }

    /// Bytes that still fit.
    pub fn room(&self) -> u64 {
        self.size_limit.get().map_or(u64::MAX, |limit| limit.saturating_sub(self.used.get()))
    }
}
