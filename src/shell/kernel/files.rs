//! Operations on names and inodes: make, remove, rename, link, change. Not bytes: those are
//! [`super::io`]'s.

use super::inode::{Kind, Node, Stat};
use super::path::{Found, WRITE};
use super::pipe::Pipe;
use super::{Change, ContainerId, Kernel, NoticeKind, ProcId};
use crate::order::Order;
use crate::shell::Errno;
use std::cell::RefCell;
use std::rc::Rc;

type Done = Result<(), Errno>;

impl Kernel {
    fn owner(&self, id: ProcId) -> (u32, u32) {
        self.procs.get(&id).map_or((0, 0), |p| (p.cred.uid, p.cred.gid))
    }

    fn container_of(&self, id: ProcId) -> Option<ContainerId> {
        self.procs.get(&id).map(|p| p.container)
    }

    /// Tells of a change to a watched file system.
    pub fn changed(&mut self, id: ProcId, node: &Node, place: &str, change: Change) {
        if !node.fs.watched {
            return;
        }
        let kind =
            NoticeKind::Wrote { place: node.fs.label.clone(), path: place.to_owned(), change };
        self.notice(self.container_of(id), kind);
    }

    pub fn stat(&self, id: ProcId, path: &str, follow: bool) -> Result<Stat, Errno> {
        let found = self.walk(id, path, follow)?;
        let node = found.must()?;
        if let (true, Kind::Proc(super::procfs::ProcEntry::FdLink(owner, fd))) =
            (follow, &node.kind)
        {
            let proc = self.procs.get(owner).ok_or(Errno::NoEnt)?;
            return self.stat_file(proc.fds.get(*fd)?);
        }
        Ok(node.stat())
    }

    /// Whether the process may do `want` with the file at `path`, as `access` tells.
    pub fn access(&self, id: ProcId, path: &str, want: u32) -> Done {
        let found = self.walk(id, path, true)?;
        let node = found.must()?;
        if want & WRITE != 0 && found.mount.read_only && !matches!(node.kind, Kind::Device(_)) {
            return Err(Errno::RoFs);
        }
        if self.may(id, node, want) { Ok(()) } else { Err(Errno::Access) }
    }

    pub fn readdir(&self, id: ProcId, path: &str) -> Result<Vec<String>, Errno> {
        let found = self.walk(id, path, true)?;
        let node = found.must()?;
        if node.is_dir() && !self.may(id, node, super::path::READ) {
            return Err(Errno::Access);
        }
        let mut names: Vec<String> = match &node.kind {
            Kind::Dir(entries) => entries.borrow().keys().cloned().collect(),
            Kind::Proc(entry) if entry.is_dir() => self.proc_names(id, entry),
            _ => return Err(Errno::NotDir),
        };
        names.order();
        names.dedup();
        Ok(names)
    }

    pub fn readlink(&self, id: ProcId, path: &str) -> Result<String, Errno> {
        let found = self.walk(id, path, false)?;
        match &found.must()?.kind {
            Kind::Symlink(target) => Ok(target.clone()),
            Kind::Proc(entry) => self.proc_link(id, entry).ok_or(Errno::Inval),
            _ => Err(Errno::Inval),
        }
    }

    /// The absolute path without links; the file itself need not exist.
    pub fn realpath(&self, id: ProcId, path: &str) -> Result<(String, bool), Errno> {
        let found = self.walk(id, path, true)?;
        Ok((found.path, found.node.is_some()))
    }

    /// Finds where something new is to go.
    fn vacant(&self, id: ProcId, path: &str) -> Result<Found, Errno> {
        let found = self.walk(id, path, false)?;
        if found.node.is_some() {
            return Err(Errno::Exist);
        }
        self.may_change_dir(id, &found)?;
        Ok(found)
    }

    fn may_change_dir(&self, id: ProcId, found: &Found) -> Done {
        if matches!(found.parent.kind, Kind::Proc(_)) {
            return Err(Errno::Perm);
        }
        if found.mount.read_only {
            return Err(Errno::RoFs);
        }
        if !self.may(id, &found.parent, WRITE | super::path::EXEC) {
            return Err(Errno::Access);
        }
        Ok(())
    }

    /// Puts a new inode into a directory; a set-group-id directory hands its group down.
    pub fn add_entry(&mut self, found: &Found, node: &Node) {
        let now = self.wall_micros();
        let Some(entries) = found.parent.dir() else { return };
        let mut parent = found.parent.meta.borrow_mut();
        if parent.mode & 0o2000 != 0 {
            let mut meta = node.meta.borrow_mut();
            meta.gid = parent.gid;
            if node.is_dir() {
                meta.mode |= 0o2000;
            }
        }
        if node.is_dir() {
            parent.nlink += 1;
        }
        (parent.mtime, parent.ctime) = (now, now);
        entries.borrow_mut().insert(found.name.clone(), Rc::clone(node));
    }

    fn create(&mut self, id: ProcId, found: &Found, kind: Kind, mode: u32) -> Node {
        let node = found.parent.fs.make(kind, mode, self.owner(id), self.wall_micros());
        self.add_entry(found, &node);
        node
    }

    pub fn create_file(&mut self, id: ProcId, found: &Found, mode: u32) -> Result<Node, Errno> {
        self.may_change_dir(id, found)?;
        let node = self.create(id, found, Kind::File(RefCell::default()), mode);
        self.changed(id, &node, &found.place, Change::Set(Vec::new()));
        Ok(node)
    }

    pub fn mkdir(&mut self, id: ProcId, path: &str, mode: u32) -> Done {
        let found = self.vacant(id, path)?;
        let umask = self.procs.get(&id).map_or(0, |p| p.umask);
        let node = self.create(id, &found, Kind::Dir(RefCell::default()), mode & !umask);
        self.changed(id, &node, &found.place, Change::MakeDir);
        Ok(())
    }

    pub fn mkfifo(&mut self, id: ProcId, path: &str, mode: u32) -> Done {
        let found = self.vacant(id, path)?;
        let umask = self.procs.get(&id).map_or(0, |p| p.umask);
        self.create(id, &found, Kind::Fifo(Pipe::new()), mode & !umask);
        Ok(())
    }

    pub fn symlink(&mut self, id: ProcId, target: &str, path: &str) -> Done {
        let found = self.vacant(id, path)?;
        let node = self.create(id, &found, Kind::Symlink(target.to_owned()), 0o777);
        self.changed(id, &node, &found.place, Change::Link(target.to_owned()));
        Ok(())
    }

    pub fn link(&mut self, id: ProcId, from: &str, to: &str) -> Done {
        let source = self.walk(id, from, false)?;
        let node = Rc::clone(source.must()?);
        if node.is_dir() {
            return Err(Errno::Perm);
        }
        let found = self.vacant(id, to)?;
        if found.parent.fs.id != node.fs.id {
            return Err(Errno::XDev);
        }
        node.meta.borrow_mut().nlink += 1;
        self.add_entry(&found, &node);
        let content = content_of(&node);
        self.changed(id, &node, &found.place, Change::Set(content));
        Ok(())
    }

    /// Sticky directories let only owners remove.
    fn may_remove(&self, id: ProcId, found: &Found, node: &Node) -> Done {
        if found.is_mount {
            return Err(Errno::Busy);
        }
        self.may_change_dir(id, found)?;
        let dir = found.parent.meta.borrow();
        let (uid, _) = self.owner(id);
        let owns = uid == 0 || uid == dir.uid || uid == node.meta.borrow().uid;
        if dir.mode & 0o1000 != 0 && !owns { Err(Errno::Perm) } else { Ok(()) }
    }

    fn take_entry(&mut self, found: &Found) {
        let now = self.wall_micros();
        let Some(entries) = found.parent.dir() else { return };
        let Some(node) = entries.borrow_mut().remove(&found.name) else { return };
        let mut parent = found.parent.meta.borrow_mut();
        (parent.mtime, parent.ctime) = (now, now);
        let mut meta = node.meta.borrow_mut();
        meta.nlink = meta.nlink.saturating_sub(1);
        meta.ctime = now;
        if node.is_dir() {
            parent.nlink = parent.nlink.saturating_sub(1);
        }
        drop(meta);
        // An open file keeps its bytes; they are given back when it is forgotten, here at once,
        // which is a little generous to the size limit.
        if let (Kind::File(data), 0) = (&node.kind, node.meta.borrow().nlink) {
            let freed = data.borrow().len() as u64;
            node.fs.release(freed);
            self.stored = self.stored.saturating_sub(freed);
        }
    }

    pub fn unlink(&mut self, id: ProcId, path: &str) -> Done {
        let found = self.walk(id, path, false)?;
        let node = Rc::clone(found.must()?);
        if node.is_dir() {
            return Err(Errno::IsDir);
        }
        self.may_remove(id, &found, &node)?;
        self.take_entry(&found);
        self.changed(id, &node, &found.place, Change::Remove);
        Ok(())
    }

    pub fn rmdir(&mut self, id: ProcId, path: &str) -> Done {
        let found = self.walk(id, path, false)?;
        let node = Rc::clone(found.must()?);
        let Some(entries) = node.dir() else { return Err(Errno::NotDir) };
        self.may_remove(id, &found, &node)?;
        if !entries.borrow().is_empty() {
            return Err(Errno::NotEmpty);
        }
        self.take_entry(&found);
        self.changed(id, &node, &found.place, Change::Remove);
        Ok(())
    }

    pub fn rename(&mut self, id: ProcId, from: &str, to: &str) -> Done {
        let source = self.walk(id, from, false)?;
        let node = Rc::clone(source.must()?);
        let target = self.walk(id, to, false)?;
        if !Rc::ptr_eq(&source.mount, &target.mount) {
            return Err(Errno::XDev);
        }
        self.may_remove(id, &source, &node)?;
        self.may_change_dir(id, &target)?;
        if node.is_dir() && target.path.starts_with(&format!("{}/", source.path)) {
            return Err(Errno::Inval);
        }
        if let Some(old) = target.node.clone() {
            if Rc::ptr_eq(&old, &node) {
                return Ok(());
            }
            self.may_remove(id, &target, &old)?;
            match (node.is_dir(), old.is_dir()) {
                (true, false) => return Err(Errno::NotDir),
                (false, true) => return Err(Errno::IsDir),
                (true, true) if old.dir().is_some_and(|e| !e.borrow().is_empty()) => {
                    return Err(Errno::NotEmpty);
                }
                _ => self.take_entry(&target),
            }
        }
        // The inode itself stays: take the name away without freeing what it names.
        node.meta.borrow_mut().nlink += 1;
        self.take_entry(&source);
        self.add_entry(&target, &node);
        let change = Change::RenameTo { place: target.parent.fs.label.clone(), path: target.place };
        self.changed(id, &node, &source.place, change);
        Ok(())
    }

    /// Finds an inode whose meta data a process wants to change.
    fn to_change(&self, id: ProcId, path: &str, follow: bool) -> Result<Node, Errno> {
        let found = self.walk(id, path, follow)?;
        let node = Rc::clone(found.must()?);
        if matches!(node.kind, Kind::Proc(_)) {
            return Err(Errno::Perm);
        }
        if found.mount.read_only { Err(Errno::RoFs) } else { Ok(node) }
    }

    pub fn chmod(&mut self, id: ProcId, path: &str, mode: u32) -> Done {
        let node = self.to_change(id, path, true)?;
        let (uid, _) = self.owner(id);
        let mut meta = node.meta.borrow_mut();
        if uid != 0 && uid != meta.uid {
            return Err(Errno::Perm);
        }
        meta.mode = mode & 0o7777;
        meta.ctime = self.wall_micros();
        Ok(())
    }

    /// `None` leaves that id as it is.
    pub fn chown(
        &mut self,
        id: ProcId,
        path: &str,
        owner: (Option<u32>, Option<u32>),
        follow: bool,
    ) -> Done {
        let node = self.to_change(id, path, follow)?;
        let cred = Rc::clone(&self.procs.get(&id).ok_or(Errno::Srch)?.cred);
        let mut meta = node.meta.borrow_mut();
        let (uid, gid) = (owner.0.unwrap_or(meta.uid), owner.1.unwrap_or(meta.gid));
        let own_group = meta.uid == cred.uid && uid == meta.uid && cred.in_group(gid);
        let privileged = cred.is_root() && self.may_chown(id);
        if !privileged && !own_group {
            return Err(Errno::Perm);
        }
        (meta.uid, meta.gid) = (uid, gid);
        meta.ctime = self.wall_micros();
        Ok(())
    }

    fn may_chown(&self, id: ProcId) -> bool {
        let container = self.container_of(id).and_then(|c| self.containers.get(&c));
        container.is_none_or(|c| !c.no_chown)
    }

    /// Sets access and modification time, in microseconds since 1970.
    pub fn utimes(&mut self, id: ProcId, path: &str, times: (i64, i64), follow: bool) -> Done {
        let node = self.to_change(id, path, follow)?;
        let (uid, _) = self.owner(id);
        let owns = uid == 0 || uid == node.meta.borrow().uid;
        if !owns && !self.may(id, &node, WRITE) {
            return Err(Errno::Access);
        }
        let mut meta = node.meta.borrow_mut();
        (meta.atime, meta.mtime, meta.ctime) = (times.0, times.1, self.wall_micros());
        Ok(())
    }

    pub fn truncate(&mut self, id: ProcId, path: &str, size: u64) -> Done {
        let found = self.walk(id, path, true)?;
        let node = Rc::clone(found.must()?);
        if node.is_dir() {
            return Err(Errno::IsDir);
        }
        if found.mount.read_only {
            return Err(Errno::RoFs);
        }
        if !self.may(id, &node, WRITE) {
            return Err(Errno::Access);
        }
        self.resize(id, &node, &found.place, size)
    }

    /// Cuts or lengthens a regular file.
    pub fn resize(&mut self, id: ProcId, node: &Node, place: &str, size: u64) -> Done {
        let Kind::File(data) = &node.kind else { return Err(Errno::Inval) };
        let old = data.borrow().len() as u64;
        if size > old {
            self.reserve(node, size - old)?;
        } else {
            node.fs.release(old - size);
            self.stored = self.stored.saturating_sub(old - size);
        }
        data.borrow_mut().resize(size as usize, 0);
        let now = self.wall_micros();
        let mut meta = node.meta.borrow_mut();
        (meta.mtime, meta.ctime) = (now, now);
        drop(meta);
        let content = content_of(node);
        self.changed(id, node, place, Change::Set(content));
        Ok(())
    }

    /// Books room for `more` bytes of a file.
    pub fn reserve(&mut self, node: &Node, more: u64) -> Done {
        if self.stored.saturating_add(more) > self.limits.memory_bytes {
            return Err(Errno::NoSpc);
        }
        node.fs.reserve(more)?;
        self.stored += more;
        Ok(())
    }
}

/// Longest content a notice carries, in bytes.
const NOTICE_CONTENT_MAX: usize = 64 << 10;

/// The beginning of a regular file's bytes.
pub fn content_of(node: &Node) -> Vec<u8> {
    match &node.kind {
        Kind::File(data) => {
            let data = data.borrow();
            data[..data.len().min(NOTICE_CONTENT_MAX)].to_vec()
        }
        _ => Vec::new(),
    }
}
