//! System calls on files and descriptors.

use super::Sys;
use crate::shell::Errno;
use crate::shell::kernel::fd::{FdEntry, Opened};
use crate::shell::kernel::inode::{Kind, Stat};
use crate::shell::kernel::io::{SeekTo, Step};
use crate::shell::kernel::locks::LockKind;
use crate::shell::kernel::pipe::PipeRef;
use crate::shell::kernel::{Fd, OpenHow};
use crate::time::SimTime;
use std::rc::Rc;

type Done = Result<(), Errno>;

/// Most bytes one read gives.
pub(super) const READ_MAX: usize = 65_536;

/// What a write costs the writer once it is done, in microseconds.
const WRITE_MICROS: u64 = 20;

/// What `df` tells of a file system, in bytes; no limit is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct StatFs {
    pub kind: &'static str,
    pub mounted_on: String,
    pub size: Option<u64>,
    pub used: u64,
    pub read_only: bool,
}

impl Sys {
    /// Opens a file with mode 0666 less the umask. A FIFO waits for its other end.
    pub async fn open(&self, path: &str, how: OpenHow) -> Result<Fd, Errno> {
        self.open_mode(path, how, 0o666).await
    }

    pub async fn open_mode(&self, path: &str, how: OpenHow, mode: u32) -> Result<Fd, Errno> {
        self.enter().await;
        let fd = self.k().open(self.id, path, how, mode)?;
        let file = self.k().file(self.id, fd)?;
        let waited = match &file.what {
            _ if how.nonblock => Ok(()),
            Opened::PipeRead(pipe) => self.wait_for_end(pipe, true).await,
            Opened::PipeWrite(pipe) => self.wait_for_end(pipe, false).await,
            _ => Ok(()),
        };
        drop(file);
        if let Err(errno) = waited {
            let _ = self.close(fd);
            return Err(errno);
        }
        Ok(fd)
    }

    /// Waits until a FIFO's other end was opened; one that came and went counts too.
    async fn wait_for_end(&self, pipe: &PipeRef, reader: bool) -> Done {
        let count = |pipe: &PipeRef| {
            let ends = pipe.borrow();
            let (now, ever) = match reader {
                true => (ends.writers, ends.writers_ever),
                false => (ends.readers, ends.readers_ever),
            };
            (now > 0, ever)
        };
        // `/dev/stdin` and its like are pipes whose other end may be gone; those do not wait.
        let (present, ever) = count(pipe);
        if present || pipe.borrow().readers_ever == 0 && pipe.borrow().writers_ever == 0 {
            return Ok(());
        }
        let waited = self.wait_for(None, |_| {
            let (present, since) = count(pipe);
            if present || since != ever {
                return Ok(Some(()));
            }
            pipe.borrow_mut().wait(self.id);
            Ok(None)
        });
        waited.await
    }

    /// Reads up to `max` bytes; an empty answer is the end. `EINTR` when a caught signal came.
    pub async fn read(&self, fd: Fd, max: usize) -> Result<Vec<u8>, Errno> {
        self.read_until(fd, max, None).await
    }

    /// As `read`, but gives up at `deadline` with `TimedOut`.
    pub async fn read_until(
        &self,
        fd: Fd,
        max: usize,
        deadline: Option<SimTime>,
    ) -> Result<Vec<u8>, Errno> {
        let max = max.min(READ_MAX);
        let read = self.wait_for(deadline, |kernel| match kernel.read(self.id, fd, max)? {
            Step::Done(data) => Ok(Some(data)),
            Step::Block => Ok(None),
        });
        read.await
    }

    /// Writes all of `data`. A broken pipe is SIGPIPE first and `EPIPE` if that is survived.
    pub async fn write(&self, fd: Fd, data: &[u8]) -> Done {
        let mut rest = data;
        loop {
            let wrote = self.wait_for(None, |kernel| match kernel.write(self.id, fd, rest)? {
                Step::Done(n) => Ok(Some(n)),
                Step::Block => Ok(None),
            });
            match wrote.await {
                Ok(n) => rest = &rest[n.min(rest.len())..],
                // A signal between pieces does not lose the rest.
                Err(Errno::Intr) => {}
                // SIGPIPE may have ended this process: then it never comes back from here.
                Err(Errno::Pipe) => {
                    self.enter().await;
                    return Err(Errno::Pipe);
                }
                Err(errno) => return Err(errno),
            }
            if rest.is_empty() {
                // Waking a reader takes time, and so do many bytes: a gigabyte a second.
                self.burn(WRITE_MICROS + data.len() as u64 / 1024).await;
                return Ok(());
            }
        }
    }

    /// Which of `fds` can be read without waiting; waits for one, until `deadline`.
    pub async fn readable(&self, fds: &[Fd], deadline: Option<SimTime>) -> Result<Fd, Errno> {
        let ready = self.wait_for(deadline, |kernel| {
            for fd in fds {
                let file = kernel.file(self.id, *fd)?;
                let pipe = match &file.what {
                    Opened::PipeRead(pipe) | Opened::PipeBoth(pipe) => pipe,
                    Opened::Stream(stream) => &stream.rx,
                    Opened::Listener(listener) => {
                        let mut queue = listener.queue.borrow_mut();
                        if !queue.ready.is_empty() {
                            return Ok(Some(*fd));
                        }
                        if !queue.waiting.contains(&self.id) {
                            queue.waiting.push(self.id);
                        }
                        continue;
                    }
                    _ => return Ok(Some(*fd)),
                };
                let mut ends = pipe.borrow_mut();
                if !ends.data.is_empty() || ends.writers == 0 || ends.reset {
                    return Ok(Some(*fd));
                }
                ends.wait(self.id);
            }
            Ok(None)
        });
        ready.await
    }

    /// (read end, write end)
    pub fn pipe(&self) -> Result<(Fd, Fd), Errno> {
        self.k().pipe(self.id)
    }

    pub fn close(&self, fd: Fd) -> Done {
        self.k().close(self.id, fd)
    }

    pub fn dup2(&self, from: Fd, to: Fd) -> Done {
        self.k().dup2(self.id, from, to)
    }

    /// A copy of `fd` at the lowest free number from `least` on, closed on exec.
    pub fn dup_high(&self, fd: Fd, least: Fd) -> Result<Fd, Errno> {
        self.k().dup_from(self.id, fd, least, true)
    }

    /// A copy of `fd` at the lowest free number.
    pub fn dup(&self, fd: Fd) -> Result<Fd, Errno> {
        self.k().dup_from(self.id, fd, 0, false)
    }

    pub fn is_open(&self, fd: Fd) -> bool {
        self.k().file(self.id, fd).is_ok()
    }

    /// Takes a descriptor out of the table, so that it can be put back unchanged.
    pub(crate) fn take_fd(&self, fd: Fd) -> Option<FdEntry> {
        let mut kernel = self.k();
        kernel.procs.get_mut(&self.id)?.fds.set(fd, None)
    }

    /// Puts a descriptor where it was; closes what is there now.
    pub(crate) fn put_fd(&self, fd: Fd, entry: Option<FdEntry>) {
        let mut kernel = self.k();
        let old = kernel.procs.get_mut(&self.id).and_then(|p| p.fds.set(fd, entry));
        kernel.forget(old);
    }

    /// Lets go of a descriptor taken out with `take_fd`.
    pub(crate) fn drop_entry(&self, entry: Option<FdEntry>) {
        self.k().forget(entry);
    }

    /// A regular file's bytes without opening it.
    pub fn peek_file(&self, path: &str) -> Option<Vec<u8>> {
        let kernel = self.k();
        let found = kernel.walk(self.id, path, true).ok()?;
        Some(crate::shell::kernel::files::content_of(found.node.as_ref()?))
    }

    pub fn seek(&self, fd: Fd, to: SeekTo) -> Result<u64, Errno> {
        self.k().seek(self.id, fd, to)
    }

    /// Whether the descriptor is a terminal; none ever is.
    pub fn is_tty(&self, _fd: Fd) -> bool {
        false
    }

    pub fn stat(&self, path: &str) -> Result<Stat, Errno> {
        self.k().stat(self.id, path, true)
    }

    /// Of a link itself.
    pub fn lstat(&self, path: &str) -> Result<Stat, Errno> {
        self.k().stat(self.id, path, false)
    }

    pub fn fstat(&self, fd: Fd) -> Result<Stat, Errno> {
        let kernel = self.k();
        let file = kernel.file(self.id, fd)?;
        kernel.stat_file(&file)
    }

    /// `want` is a sum of 4 (read), 2 (write), 1 (execute); 0 asks whether it exists.
    pub fn access(&self, path: &str, want: u32) -> Done {
        self.k().access(self.id, path, want)
    }

    /// Names without `.` and `..`, sorted by byte.
    pub fn readdir(&self, path: &str) -> Result<Vec<String>, Errno> {
        self.k().readdir(self.id, path)
    }

    pub fn readlink(&self, path: &str) -> Result<String, Errno> {
        self.k().readlink(self.id, path)
    }

    /// The absolute path without links, and whether its last part exists.
    pub fn realpath(&self, path: &str) -> Result<(String, bool), Errno> {
        self.k().realpath(self.id, path)
    }

    pub fn mkdir(&self, path: &str, mode: u32) -> Done {
        self.k().mkdir(self.id, path, mode)
    }

    pub fn rmdir(&self, path: &str) -> Done {
        self.k().rmdir(self.id, path)
    }

    pub fn unlink(&self, path: &str) -> Done {
        self.k().unlink(self.id, path)
    }

    pub fn rename(&self, from: &str, to: &str) -> Done {
        self.k().rename(self.id, from, to)
    }

    /// Makes `to` another name of `from`.
    pub fn link(&self, from: &str, to: &str) -> Done {
        self.k().link(self.id, from, to)
    }

    /// Makes `path` a link that reads `target`.
    pub fn symlink(&self, target: &str, path: &str) -> Done {
        self.k().symlink(self.id, target, path)
    }

    pub fn mkfifo(&self, path: &str, mode: u32) -> Done {
        self.k().mkfifo(self.id, path, mode)
    }

    pub fn chmod(&self, path: &str, mode: u32) -> Done {
        self.k().chmod(self.id, path, mode)
    }

    /// `None` leaves that id as it is.
    pub fn chown(&self, path: &str, uid: Option<u32>, gid: Option<u32>) -> Done {
        self.k().chown(self.id, path, (uid, gid), true)
    }

    /// Of a link itself.
    pub fn lchown(&self, path: &str, uid: Option<u32>, gid: Option<u32>) -> Done {
        self.k().chown(self.id, path, (uid, gid), false)
    }

    /// Access and modification time, in microseconds since 1970.
    pub fn utimes(&self, path: &str, atime: i64, mtime: i64) -> Done {
        self.k().utimes(self.id, path, (atime, mtime), true)
    }

    pub fn truncate(&self, path: &str, size: u64) -> Done {
        self.k().truncate(self.id, path, size)
    }

    pub fn ftruncate(&self, fd: Fd, size: u64) -> Done {
        let mut kernel = self.k();
        let file = kernel.file(self.id, fd)?;
        match &file.what {
            Opened::Inode { node, place, .. } if file.how.write => {
                kernel.resize(self.id, node, place, size)
            }
            _ => Err(Errno::Inval),
        }
    }

    /// Locks what a descriptor has open; without `wait` a lock held by another is `Again`.
    pub async fn flock(&self, fd: Fd, kind: LockKind, wait: bool) -> Done {
        let locked = self.wait_for(None, |kernel| {
            let file = kernel.file(self.id, fd)?;
            match kernel.flock(self.id, &file, kind)? {
                true => Ok(Some(())),
                false if wait => Ok(None),
                false => Err(Errno::Again),
            }
        });
        locked.await
    }

    /// The file system a path is in.
    pub fn statfs(&self, path: &str) -> Result<StatFs, Errno> {
        let kernel = self.k();
        let found = kernel.walk(self.id, path, true)?;
        let fs = Rc::clone(&found.must()?.fs);
        Ok(StatFs {
            kind: fs.kind,
            mounted_on: found.mount.at.clone(),
            size: fs.size_limit.get(),
            used: fs.used.get(),
            read_only: found.mount.read_only,
        })
    }

    /// `/proc/mounts`.
    pub fn mounts(&self) -> String {
        self.k().mounts_text(self.id)
    }

    /// Whether a path names one of the machine's own programs.
    pub fn is_program(&self, path: &str) -> bool {
        let kernel = self.k();
        let found = kernel.walk(self.id, path, true).ok().and_then(|f| f.node);
        found.is_some_and(|node| matches!(node.kind, Kind::Program(_)))
    }

    /// Opens for reading, reads everything, closes. At most 16 MB.
    pub async fn read_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let fd = self.open(path, OpenHow::READ).await?;
        let data = self.read_all(fd).await;
        let _ = self.close(fd);
        data
    }

    /// Reads to the end. At most 16 MB.
    pub async fn read_all(&self, fd: Fd) -> Result<Vec<u8>, Errno> {
        /// More than any file of a simulated container holds.
        const ALL_MAX: usize = 16 << 20;
        /// Less is part of what any program is taken to need.
        const HOLD_MIN: usize = 256 << 10;
        let mut all = Vec::new();
        loop {
            let data = self.read(fd, READ_MAX).await?;
            if data.is_empty() {
                return Ok(all);
            }
            if all.len() + data.len() > ALL_MAX {
                self.limit_reached("a program wanted to hold more than 16 MB in memory");
                return Err(Errno::NoMem);
            }
            all.extend_from_slice(&data);
            if all.len() >= HOLD_MIN {
                self.hold(all.len() as u64);
            }
        }
    }
}
