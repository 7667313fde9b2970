//! Descriptors and bytes: open, read, write, seek, close. Calls that would block say so and leave
//! the process on the waiting list of what it waits for.

use super::fd::{FdEntry, FileRef, OpenFile, Opened, Sink};
use super::inode::{Device, Kind, Node, Stat};
use super::path::{READ, WRITE};
use super::pipe::Pipe;
use super::procfs::ProcEntry;
use super::{Change, Fd, Kernel, OpenHow, ProcId};
use crate::shell::Errno;
use std::cell::Cell;
use std::rc::Rc;

/// The result of a call that may have to wait.
#[derive(Debug)]
pub enum Step<T> {
    Done(T),
    /// Wait to be woken, then ask again.
    Block,
}

/// What `readlink /proc/self/fd/N` shows.
pub fn describe(file: &FileRef) -> String {
    match &file.what {
        Opened::Inode { path, .. } => path.clone(),
        Opened::Text(_) => "/proc".to_owned(),
        Opened::PipeRead(p) | Opened::PipeWrite(p) | Opened::PipeBoth(p) => {
            format!("pipe:[{}]", 50_000 + p.borrow().number)
        }
        Opened::Stream(s) => format!("socket:[{}]", 40_000 + s.link),
        Opened::Listener(l) => format!("socket:[{}]", 30_000 + u32::from(l.port)),
        Opened::Sink(Sink::Log { stderr, .. }) => format!("pipe:[{}]", 20_001 + i32::from(*stderr)),
        Opened::Sink(Sink::Exec { exec, .. }) => format!("pipe:[{}]", 21_000 + exec.0),
    }
}

impl Kernel {
    pub fn file(&self, id: ProcId, fd: Fd) -> Result<FileRef, Errno> {
        self.procs.get(&id).ok_or(Errno::Srch)?.fds.get(fd).cloned()
    }

    pub fn new_fd(&mut self, id: ProcId, what: Opened, how: OpenHow) -> Result<Fd, Errno> {
        let file = Rc::new(OpenFile { what, how, offset: Cell::new(0) });
        let proc = self.procs.get_mut(&id).ok_or(Errno::Srch)?;
        proc.fds.insert(file, 0, false)
    }

    /// Opens a path. A FIFO's ends count from here on; the caller waits for the other side.
    pub fn open(&mut self, id: ProcId, path: &str, how: OpenHow, mode: u32) -> Result<Fd, Errno> {
        let found = self.walk(id, path, !(how.create && how.exclusive))?;
        if found.node.is_none() {
            if !how.create {
                return Err(Errno::NoEnt);
            }
            if path.ends_with('/') {
                return Err(Errno::IsDir);
            }
            let umask = self.procs.get(&id).map_or(0, |p| p.umask);
            let node = self.create_file(id, &found, mode & !umask)?;
            let what = Opened::Inode { node, path: found.path, place: found.place };
            return self.new_fd(id, what, how);
        }
        let node = Rc::clone(found.must()?);
        if how.create && how.exclusive {
            return Err(Errno::Exist);
        }
        self.may_open(id, &node, how, found.mount.read_only)?;
        match &node.kind {
            Kind::Proc(ProcEntry::FdLink(owner, fd)) => self.reopen(id, *owner, *fd, how),
            Kind::Proc(entry) if !entry.is_dir() => {
                let text = self.proc_text(id, entry).unwrap_or_default();
                self.new_fd(id, Opened::Text(text.into_bytes()), how)
            }
            Kind::Fifo(pipe) => {
                let what = match (how.read, how.write) {
                    (true, true) => Opened::PipeBoth(Rc::clone(pipe)),
                    (_, true) => Opened::PipeWrite(Rc::clone(pipe)),
                    _ => Opened::PipeRead(Rc::clone(pipe)),
                };
                self.pipe_opened(pipe, how);
                self.new_fd(id, what, how)
            }
            _ => {
                if how.truncate && how.write && node.size() > 0 {
                    self.resize(id, &node, &found.place, 0)?;
                } else if how.truncate && how.write && matches!(node.kind, Kind::File(_)) {
                    node.meta.borrow_mut().mtime = self.wall_micros();
                }
                let what = Opened::Inode { node, path: found.path, place: found.place };
                self.new_fd(id, what, how)
            }
        }
    }

    fn may_open(
        &self,
        id: ProcId,
        node: &Node,
        how: OpenHow,
        read_only: bool,
    ) -> Result<(), Errno> {
        if node.is_dir() && how.write {
            return Err(Errno::IsDir);
        }
        if how.directory && !node.is_dir() {
            return Err(Errno::NotDir);
        }
        if matches!(node.kind, Kind::Proc(ProcEntry::FdLink(..))) {
            return Ok(());
        }
        let want = if how.read { READ } else { 0 } | if how.write { WRITE } else { 0 };
        if !self.may(id, node, want) {
            return Err(Errno::Access);
        }
        if how.write && read_only && matches!(node.kind, Kind::File(_) | Kind::Program(_)) {
            return Err(Errno::RoFs);
        }
        if how.write && matches!(node.kind, Kind::Proc(ProcEntry::CgroupFile(_))) {
            return Err(Errno::RoFs);
        }
        if how.write && matches!(node.kind, Kind::Proc(_) | Kind::Program(_)) {
            return Err(Errno::Access);
        }
        Ok(())
    }

    /// Opening `/proc/PID/fd/N`: pipes are shared, files are opened afresh.
    fn reopen(&mut self, id: ProcId, owner: ProcId, fd: Fd, how: OpenHow) -> Result<Fd, Errno> {
        let file = self.file(owner, fd)?;
        match &file.what {
            Opened::Inode { node, path, place } => {
                if how.truncate && how.write && node.size() > 0 {
                    let (node, place) = (Rc::clone(node), place.clone());
                    self.resize(id, &node, &place, 0)?;
                }
                let what = Opened::Inode {
                    node: Rc::clone(node),
                    path: path.clone(),
                    place: place.clone(),
                };
                self.new_fd(id, what, how)
            }
            _ => {
                let proc = self.procs.get_mut(&id).ok_or(Errno::Srch)?;
                proc.fds.insert(file, 0, false)
            }
        }
    }

    /// `dup2`: `to` becomes another name for `from`.
    pub fn dup2(&mut self, id: ProcId, from: Fd, to: Fd) -> Result<(), Errno> {
        if to >= super::fd::FDS_MAX {
            return Err(Errno::BadF);
        }
        let file = self.file(id, from)?;
        if from == to {
            return Ok(());
        }
        let proc = self.procs.get_mut(&id).ok_or(Errno::Srch)?;
        let old = proc.fds.set(to, Some(FdEntry { file, close_on_exec: false }));
        self.forget(old);
        Ok(())
    }

    /// A copy of `fd` at the lowest free number from `least` on.
    pub fn dup_from(
        &mut self,
        id: ProcId,
        fd: Fd,
        least: Fd,
        close_on_exec: bool,
    ) -> Result<Fd, Errno> {
        let file = self.file(id, fd)?;
        let proc = self.procs.get_mut(&id).ok_or(Errno::Srch)?;
        proc.fds.insert(file, least, close_on_exec)
    }

    pub fn close(&mut self, id: ProcId, fd: Fd) -> Result<(), Errno> {
        let proc = self.procs.get_mut(&id).ok_or(Errno::Srch)?;
        let old = proc.fds.set(fd, None);
        if old.is_none() {
            return Err(Errno::BadF);
        }
        self.forget(old);
        Ok(())
    }

    /// Lets go of a descriptor's file; the last one closes it.
    pub fn forget(&mut self, entry: Option<FdEntry>) {
        let Some(entry) = entry else { return };
        if Rc::strong_count(&entry.file) > 1 {
            return;
        }
        match &entry.file.what {
            Opened::PipeRead(pipe) => self.end_closed(pipe, true, false),
            Opened::PipeWrite(pipe) => self.end_closed(pipe, false, true),
            Opened::PipeBoth(pipe) => self.end_closed(pipe, true, true),
            Opened::Stream(stream) => self.stream_closed(stream),
            Opened::Listener(listener) => self.listener_closed(listener),
            Opened::Inode { .. } => self.unlock(&entry.file),
            Opened::Text(_) | Opened::Sink(_) => {}
        }
    }

    pub fn stat_file(&self, file: &FileRef) -> Result<Stat, Errno> {
        let fifo = |size: usize| {
            let node = self.pseudo_fs.make(Kind::Fifo(Pipe::new()), 0o600, (0, 0), 0);
            let mut stat = node.stat();
            stat.size = size as u64;
            stat
        };
        match &file.what {
            Opened::Inode { node, .. } => Ok(node.stat()),
            Opened::Stream(_) | Opened::Listener(_) => {
                let mut stat = fifo(0);
                stat.file_type = super::inode::FileType::Socket;
                Ok(stat)
            }
            Opened::Text(_) => {
                let mut stat = fifo(0);
                stat.file_type = super::inode::FileType::File;
                Ok(stat)
            }
            _ => Ok(fifo(0)),
        }
    }

    /// Reads up to `max` bytes; none means the end.
    pub fn read(&mut self, id: ProcId, fd: Fd, max: usize) -> Result<Step<Vec<u8>>, Errno> {
        let step = self.read_step(id, fd, max)?;
        if let Step::Done(data) = &step {
            self.moved(id, data.len());
        }
        Ok(step)
    }

    fn read_step(&mut self, id: ProcId, fd: Fd, max: usize) -> Result<Step<Vec<u8>>, Errno> {
        let file = self.file(id, fd)?;
        if !file.how.read && !matches!(file.what, Opened::Stream(_)) {
            return Err(Errno::BadF);
        }
        match &file.what {
            Opened::Inode { node, .. } => self.read_node(&file, node, max).map(Step::Done),
            Opened::Text(text) => {
                let at = (file.offset.get() as usize).min(text.len());
                let end = at.saturating_add(max).min(text.len());
                file.offset.set(end as u64);
                Ok(Step::Done(text[at..end].to_vec()))
            }
            Opened::PipeRead(pipe) | Opened::PipeBoth(pipe) => self.read_pipe(id, pipe, max),
            Opened::Stream(stream) => {
                let step = self.read_pipe(id, &stream.rx, max)?;
                if let Step::Done(data) = &step {
                    self.net.saw(stream, data, false);
                }
                Ok(step)
            }
            Opened::PipeWrite(_) => Err(Errno::BadF),
            Opened::Listener(_) => Err(Errno::NotConn),
            Opened::Sink(_) => Err(Errno::BadF),
        }
    }

    fn read_node(&mut self, file: &FileRef, node: &Node, max: usize) -> Result<Vec<u8>, Errno> {
        match &node.kind {
            Kind::File(data) => {
                let data = data.borrow();
                let at = (file.offset.get() as usize).min(data.len());
                let end = at.saturating_add(max).min(data.len());
                if end > at {
                    file.offset.set(end as u64);
                }
                Ok(data[at..end].to_vec())
            }
            Kind::Dir(_) => Err(Errno::IsDir),
            Kind::Proc(entry) if entry.is_dir() => Err(Errno::IsDir),
            Kind::Program(_) => {
                let at = file.offset.get();
                let all = b"\x7fELF\x02\x01\x01";
                let from = (at as usize).min(all.len());
                file.offset.set(all.len() as u64);
                Ok(all[from..].to_vec())
            }
            Kind::Device(device) => Ok(self.read_device(*device, max)),
            _ => Ok(Vec::new()),
        }
    }

    fn read_device(&mut self, device: Device, max: usize) -> Vec<u8> {
        match device {
            Device::Null | Device::Tty => Vec::new(),
            Device::Zero | Device::Full => vec![0; max],
            Device::Random => {
                let mut out = Vec::with_capacity(max + 8);
                while out.len() < max {
                    out.extend_from_slice(&self.rng.next_u64().to_le_bytes());
                }
                out.truncate(max);
                out
            }
        }
    }

    /// Writes what fits; the number says how much. Broken pipes raise SIGPIPE.
    pub fn write(&mut self, id: ProcId, fd: Fd, data: &[u8]) -> Result<Step<usize>, Errno> {
        let file = self.file(id, fd)?;
        if !file.how.write && !matches!(file.what, Opened::Stream(_)) {
            return Err(Errno::BadF);
        }
        match &file.what {
            Opened::Inode { node, place, .. } => {
                self.write_node(id, &file, node, place, data).map(Step::Done)
            }
            Opened::PipeWrite(pipe) | Opened::PipeBoth(pipe) => self.write_pipe(id, pipe, data),
            Opened::Stream(stream) => {
                if stream.shut_write.get() {
                    return self.broken(id);
                }
                let step = self.write_pipe(id, &stream.tx, data)?;
                if let Step::Done(n) = &step {
                    self.net.saw(stream, &data[..*n], true);
                }
                Ok(step)
            }
            Opened::Sink(Sink::Log { container, stderr }) => {
                self.log(*container, *stderr, data);
                Ok(Step::Done(data.len()))
            }
            Opened::Sink(Sink::Exec { exec, stderr }) => {
                /// Longest output of a probe or hook that is kept, in bytes.
                const OUTPUT_MAX: usize = 64 << 10;
                if let Some([stdout, errors, all]) = self.exec_output.get_mut(exec) {
                    let room = OUTPUT_MAX.saturating_sub(all.len());
                    let kept = &data[..data.len().min(room)];
                    all.extend_from_slice(kept);
                    if *stderr { errors } else { stdout }.extend_from_slice(kept);
                }
                Ok(Step::Done(data.len()))
            }
            Opened::Listener(_) => Err(Errno::NotConn),
            Opened::Text(_) | Opened::PipeRead(_) => Err(Errno::BadF),
        }
    }

    fn write_node(
        &mut self,
        id: ProcId,
        file: &FileRef,
        node: &Node,
        place: &str,
        data: &[u8],
    ) -> Result<usize, Errno> {
        let bytes = match &node.kind {
            Kind::File(bytes) => bytes,
            Kind::Device(Device::Full) => return Err(Errno::NoSpc),
            Kind::Device(_) => return Ok(data.len()),
            _ => return Err(Errno::Inval),
        };
        if data.is_empty() {
            return Ok(0);
        }
        let old = bytes.borrow().len();
        let at = if file.how.append { old } else { file.offset.get() as usize };
        let mut n = data.len();
        let mut grown = (at + n).saturating_sub(old);
        if grown > 0 && self.reserve(node, grown as u64).is_err() {
            // What still fits is written; nothing at all is the error.
            let room = node.fs.room().min(self.limits.memory_bytes.saturating_sub(self.stored));
            let fits = (old + room as usize).saturating_sub(at).min(n);
            if fits == 0 {
                return Err(Errno::NoSpc);
            }
            n = fits;
            grown = (at + n).saturating_sub(old);
            self.reserve(node, grown as u64)?;
        }
        let mut content = bytes.borrow_mut();
        if content.len() < at {
            content.resize(at, 0);
        }
        let overlap = content.len().saturating_sub(at).min(n);
        content[at..at + overlap].copy_from_slice(&data[..overlap]);
        content.extend_from_slice(&data[overlap..n]);
        drop(content);
        if node.fs.is_memory() {
            self.charge_memory_volume(id, node);
        }
        file.offset.set((at + n) as u64);
        let now = self.wall_micros();
        node.meta.borrow_mut().mtime = now;
        node.meta.borrow_mut().ctime = now;
        if node.fs.watched {
            let change = if at == old {
                Change::Append(data[..n].to_vec())
            } else {
                Change::Set(super::files::content_of(node))
            };
            self.changed(id, node, place, change);
        }
        Ok(n)
    }

    /// Moves a file's position; gives the new one.
    pub fn seek(&mut self, id: ProcId, fd: Fd, to: SeekTo) -> Result<u64, Errno> {
        let file = self.file(id, fd)?;
        let size = match &file.what {
            Opened::Inode { node, .. } => node.size(),
            Opened::Text(text) => text.len() as u64,
            _ => return Err(Errno::SPipe),
        };
        let at = match to {
            SeekTo::Start(at) => at as i64,
            SeekTo::Current(by) => file.offset.get() as i64 + by,
            SeekTo::End(by) => size as i64 + by,
        };
        let at = u64::try_from(at).map_err(|_| Errno::Inval)?;
        file.offset.set(at);
        Ok(at)
    }
}

/// Where a seek goes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeekTo {
    Start(u64),
    Current(i64),
    End(i64),
}
