//! `flock(2)`: locks of open file descriptions on what they opened. No record locks.

use super::fd::{FileRef, Opened};
use super::{Kernel, ProcId};
use crate::shell::Errno;
use std::rc::Rc;

/// What `flock` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    Shared,
    Exclusive,
    Unlock,
}

struct Lock {
    /// The address of the description, which lives as long as its lock.
    holder: usize,
    /// File system and inode.
    on: (u32, u64),
    exclusive: bool,
}

/// All locks of a machine, and who waits for one to go.
#[derive(Default)]
pub struct Locks {
    held: Vec<Lock>,
    waiting: Vec<ProcId>,
}

impl Kernel {
    /// Takes, changes or gives back a lock; `false` while another holds it.
    pub fn flock(&mut self, id: ProcId, file: &FileRef, kind: LockKind) -> Result<bool, Errno> {
        let on = match &file.what {
            Opened::Inode { node, .. } => (node.fs.id, node.ino),
            // Nobody else ever has the same of these.
            _ => return Ok(true),
        };
        let holder = Rc::as_ptr(file) as usize;
        let exclusive = kind == LockKind::Exclusive;
        let clash =
            |lock: &Lock| lock.on == on && lock.holder != holder && (exclusive || lock.exclusive);
        if kind != LockKind::Unlock && self.locks.held.iter().any(clash) {
            if !self.locks.waiting.contains(&id) {
                self.locks.waiting.push(id);
            }
            return Ok(false);
        }
        self.unlock(file);
        if kind != LockKind::Unlock {
            self.locks.held.push(Lock { holder, on, exclusive });
        }
        Ok(true)
    }

    /// A description's lock goes, with its last descriptor at the latest.
    pub(super) fn unlock(&mut self, file: &FileRef) {
        let holder = Rc::as_ptr(file) as usize;
        let before = self.locks.held.len();
        self.locks.held.retain(|lock| lock.holder != holder);
        if self.locks.held.len() < before {
            let waiting = std::mem::take(&mut self.locks.waiting);
            self.wake_all(waiting);
        }
    }
}
