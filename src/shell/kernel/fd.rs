//! Open files and the table of descriptors of a process.

use super::inode::Node;
use super::pipe::PipeRef;
use super::{ContainerId, ExecId};
use crate::shell::Errno;
use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;

/// A descriptor's number.
pub type Fd = u32;

/// Descriptors a process may hold, as `ulimit -n` says.
pub const FDS_MAX: u32 = 1024;

/// How to open a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHow {
    pub read: bool,
    pub write: bool,
    pub append: bool,
    pub create: bool,
    /// With `create`: fail if it exists (`O_EXCL`).
    pub exclusive: bool,
    pub truncate: bool,
    /// Do not wait for a FIFO's other end.
    pub nonblock: bool,
    /// Fail unless it is a directory.
    pub directory: bool,
}

impl OpenHow {
    /// `O_RDONLY`
    pub const READ: OpenHow = OpenHow {
        read: true,
        write: false,
        append: false,
        create: false,
        exclusive: false,
        truncate: false,
        nonblock: false,
        directory: false,
    };
    /// `O_WRONLY|O_CREAT|O_TRUNC`
    pub const WRITE: OpenHow =
        OpenHow { read: false, write: true, create: true, truncate: true, ..OpenHow::READ };
    /// `O_WRONLY|O_CREAT|O_APPEND`
    pub const APPEND: OpenHow = OpenHow { truncate: false, append: true, ..OpenHow::WRITE };
    /// `O_RDWR|O_CREAT`
    pub const READ_WRITE: OpenHow = OpenHow { read: true, truncate: false, ..OpenHow::WRITE };
    /// `O_WRONLY|O_CREAT|O_EXCL`
    pub const CREATE_NEW: OpenHow = OpenHow { exclusive: true, truncate: false, ..OpenHow::WRITE };
}

/// An open file description: shared by duplicated and inherited descriptors.
#[derive(Debug)]
pub struct OpenFile {
    pub what: Opened,
    pub how: OpenHow,
    /// Byte position in a regular file, entry position in a directory.
    pub offset: Cell<u64>,
}

pub type FileRef = Rc<OpenFile>;

#[derive(Debug)]
pub enum Opened {
    /// A file, directory or device. `path` as the process sees it, `place` below its file system.
    Inode {
        node: Node,
        path: String,
        place: String,
    },
    /// What a `/proc` file held when it was opened.
    Text(Vec<u8>),
    PipeRead(PipeRef),
    PipeWrite(PipeRef),
    /// A FIFO opened for both.
    PipeBoth(PipeRef),
    Stream(Stream),
    Listener(Listener),
    Sink(Sink),
}

/// A connected stream socket.
#[derive(Debug)]
pub struct Stream {
    pub rx: PipeRef,
    pub tx: PipeRef,
    pub local: (Ipv4Addr, u16),
    pub peer: (Ipv4Addr, u16),
    pub shut_write: Cell<bool>,
    /// Index of the watched connection, for the request notice.
    pub link: u32,
    /// The side that called `connect`.
    pub client: bool,
}

/// A listening socket; its queue lives in the network namespace.
#[derive(Debug)]
pub struct Listener {
    pub netns: super::NetNsId,
    pub addr: Ipv4Addr,
    pub port: u16,
    pub queue: Rc<RefCell<AcceptQueue>>,
}

#[derive(Debug, Default)]
pub struct AcceptQueue {
    pub ready: std::collections::VecDeque<Stream>,
    pub waiting: Vec<super::ProcId>,
    pub closed: bool,
}

/// Where a container's or an exec's output goes.
#[derive(Debug)]
pub enum Sink {
    /// The container's log.
    Log { container: ContainerId, stderr: bool },
    /// The output of a probe or hook run by the kubelet.
    Exec { exec: ExecId, stderr: bool },
}

#[derive(Clone, Debug)]
pub struct FdEntry {
    pub file: FileRef,
    pub close_on_exec: bool,
}

/// The descriptors of a process. Cloned on fork.
#[derive(Clone, Debug, Default)]
pub struct FdTable {
    entries: Vec<Option<FdEntry>>,
}

impl FdTable {
    pub fn get(&self, fd: Fd) -> Result<&FileRef, Errno> {
        self.entry(fd).map(|entry| &entry.file).ok_or(Errno::BadF)
    }

    pub fn entry(&self, fd: Fd) -> Option<&FdEntry> {
        self.entries.get(fd as usize)?.as_ref()
    }

    pub fn entry_mut(&mut self, fd: Fd) -> Option<&mut FdEntry> {
        self.entries.get_mut(fd as usize)?.as_mut()
    }

    /// Puts `file` at the lowest free number from `from` on.
    pub fn insert(&mut self, file: FileRef, from: Fd, close_on_exec: bool) -> Result<Fd, Errno> {
        let fd = (from..FDS_MAX).find(|fd| self.entry(*fd).is_none()).ok_or(Errno::MFile)?;
        let old = self.set(fd, Some(FdEntry { file, close_on_exec }));
        debug_assert!(old.is_none());
        Ok(fd)
    }

    /// Replaces what is at `fd` and gives back what was there.
    pub fn set(&mut self, fd: Fd, entry: Option<FdEntry>) -> Option<FdEntry> {
        let at = fd as usize;
        if at >= self.entries.len() {
            entry.as_ref()?;
            self.entries.resize(at + 1, None);
        }
        std::mem::replace(&mut self.entries[at], entry)
    }

    /// Numbers in use, ascending.
    pub fn open_fds(&self) -> Vec<Fd> {
        let numbered = self.entries.iter().enumerate();
        numbered.filter(|(_, e)| e.is_some()).map(|(i, _)| i as Fd).collect()
    }

    pub fn take_all(&mut self) -> Vec<FdEntry> {
        std::mem::take(&mut self.entries).into_iter().flatten().collect()
    }
}
