//! Paths to inodes: mounts, symbolic links, `..`, search permission.

use super::inode::{Kind, Node};
use super::procfs::ProcEntry;
use super::{Kernel, Mount, ProcId};
use crate::shell::Errno;
use std::rc::Rc;

/// Where a path led.
#[derive(Clone, Debug)]
pub struct Found {
    /// The directory that holds (or would hold) it.
    pub parent: Node,
    /// Its name there; empty for `/`.
    pub name: String,
    pub node: Option<Node>,
    /// The mount it is (or would be) in.
    pub mount: Rc<Mount>,
    /// Absolute, without links.
    pub path: String,
    /// Below its file system's root, no leading slash.
    pub place: String,
    /// It is a mount's root: it cannot be removed or renamed.
    pub is_mount: bool,
}

impl Found {
    pub fn must(&self) -> Result<&Node, Errno> {
        self.node.as_ref().ok_or(Errno::NoEnt)
    }
}

/// Want of permission.
pub const READ: u32 = 4;
pub const WRITE: u32 = 2;
pub const EXEC: u32 = 1;

const LINKS_MAX: u32 = 40;
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4096;

struct Step {
    name: String,
    node: Node,
    mount: Rc<Mount>,
    mount_root: bool,
}

struct Walk<'k> {
    kernel: &'k Kernel,
    id: ProcId,
    mounts: &'k [Rc<Mount>],
    stack: Vec<Step>,
    links: u32,
    /// Where in the stack the root of another container stands, whose mounts are meant from there.
    base: usize,
}

impl Kernel {
    /// Finds `path` for a process. `follow` says whether a link at the very end is followed.
    /// A missing last part gives `node: None`; a missing earlier part is an error.
    pub fn walk(&self, id: ProcId, path: &str, follow: bool) -> Result<Found, Errno> {
        let proc = self.procs.get(&id).ok_or(Errno::Srch)?;
        let container = self.containers.get(&proc.container).ok_or(Errno::Srch)?;
        if path.is_empty() {
            return Err(Errno::NoEnt);
        }
        if path.len() >= PATH_MAX {
            return Err(Errno::NameTooLong);
        }
        let root = container.mounts.iter().find(|m| m.at == "/").ok_or(Errno::NoEnt)?;
        let bottom = Step {
            name: String::new(),
            node: Rc::clone(&root.root),
            mount: Rc::clone(root),
            mount_root: true,
        };
        let mut walk = Walk {
            kernel: self,
            id,
            mounts: &container.mounts,
            stack: vec![bottom],
            links: 0,
            base: 0,
        };
        if !path.starts_with('/') {
            walk.enter_cwd(&proc.cwd)?;
        }
        walk.go(path, follow)
    }

    /// Whether a process may do `want` (READ, WRITE, EXEC or their sum) with an inode.
    pub fn may(&self, id: ProcId, node: &Node, want: u32) -> bool {
        let Some(proc) = self.procs.get(&id) else { return false };
        let meta = node.meta.borrow();
        if proc.cred.is_root() {
            let executable = meta.mode & 0o111 != 0 || node.is_dir();
            return want & EXEC == 0 || executable;
        }
        let bits = if meta.uid == proc.cred.uid {
            meta.mode >> 6
        } else if proc.cred.in_group(meta.gid) {
            meta.mode >> 3
        } else {
            meta.mode
        };
        bits & want == want
    }
}

impl Walk<'_> {
    fn enter_cwd(&mut self, cwd: &str) -> Result<(), Errno> {
        for name in cwd.split('/').filter(|n| !n.is_empty()) {
            let node = self.child(name)?.ok_or(Errno::NoEnt)?;
            if !self.enter_root(name, &node)? {
                self.push(name, node);
            }
        }
        Ok(())
    }

    /// `/proc/PID/root` of another container's process leads to the files that container sees.
    // Models fs/proc/base.c proc_root_link: who may trace the process may.
    fn enter_root(&mut self, name: &str, node: &Node) -> Result<bool, Errno> {
        let Kind::Proc(ProcEntry::ProcessLink(id, "root")) = &node.kind else { return Ok(false) };
        let both = self.kernel.procs.get(id).zip(self.kernel.procs.get(&self.id));
        let Some((proc, me)) = both.filter(|(proc, me)| proc.container != me.container) else {
            return Ok(false);
        };
        if !me.cred.is_root() && me.cred.uid != proc.cred.uid {
            return Err(Errno::Access);
        }
        let container = self.kernel.containers.get(&proc.container).ok_or(Errno::Access)?;
        let root = container.mounts.iter().find(|m| m.at == "/").ok_or(Errno::NoEnt)?;
        (self.base, self.mounts) = (self.stack.len(), &container.mounts);
        let (node, mount) = (Rc::clone(&root.root), Rc::clone(root));
        self.stack.push(Step { name: name.to_owned(), node, mount, mount_root: true });
        Ok(true)
    }

    /// The mounts of the process's own container again.
    fn at_home(&mut self) {
        let own = self.kernel.procs.get(&self.id).map(|proc| proc.container);
        let own = own.and_then(|id| self.kernel.containers.get(&id));
        (self.base, self.mounts) = (0, own.map_or(&[][..], |container| &container.mounts));
    }

    fn top(&self) -> Result<&Step, Errno> {
        self.stack.last().ok_or(Errno::NoEnt)
    }

    fn path(&self) -> String {
        self.path_from(0)
    }

    fn path_from(&self, base: usize) -> String {
        let names: Vec<&str> = self.stack[base + 1..].iter().map(|s| s.name.as_str()).collect();
        format!("/{}", names.join("/"))
    }

    /// The entry `name` of the directory at the top, without crossing into a mount.
    fn child(&self, name: &str) -> Result<Option<Node>, Errno> {
        let top = self.top()?;
        match &top.node.kind {
            Kind::Dir(entries) => Ok(entries.borrow().get(name).cloned()),
            Kind::Proc(entry) => Ok(self.kernel.proc_child(self.id, entry, name)),
            _ => Err(Errno::NotDir),
        }
    }

    fn push(&mut self, name: &str, node: Node) {
        let (path, mount) = match self.stack.last() {
            Some(top) => (self.path_from(self.base), Rc::clone(&top.mount)),
            None => return,
        };
        let full = if path == "/" { format!("/{name}") } else { format!("{path}/{name}") };
        let crossed = self.mounts.iter().find(|m| m.at == full).map(Rc::clone);
        let step = match crossed {
            Some(mount) => Step {
                name: name.to_owned(),
                node: Rc::clone(&mount.root),
                mount,
                mount_root: true,
            },
            None => Step { name: name.to_owned(), node, mount, mount_root: false },
        };
        self.stack.push(step);
    }

    fn go(mut self, path: &str, follow: bool) -> Result<Found, Errno> {
        let mut todo: Vec<String> = Vec::new();
        self.expand_into(&mut todo, path);
        while let Some(name) = todo.pop() {
            let last = todo.is_empty();
            let top = self.top()?;
            if !top.node.is_dir() {
                return Err(Errno::NotDir);
            }
            if name == "." || name.is_empty() {
                continue;
            }
            if !self.kernel.may(self.id, &top.node, EXEC) {
                return Err(Errno::Access);
            }
            if name == ".." {
                if self.stack.len() > 1 {
                    self.stack.pop();
                }
                if self.stack.len() <= self.base {
                    self.at_home();
                }
                continue;
            }
            if name.len() > NAME_MAX {
                return Err(Errno::NameTooLong);
            }
            let Some(node) = self.child(&name)? else {
                // `mkdir new/` may name something new with a slash at its end.
                let only_slashes = todo.iter().all(String::is_empty);
                return if only_slashes { self.missing(name) } else { Err(Errno::NoEnt) };
            };
            if (!last || follow) && self.enter_root(&name, &node)? {
                continue;
            }
            match self.link_of(&node) {
                Some(target) if !last || follow => {
                    self.links += 1;
                    if self.links > LINKS_MAX {
                        return Err(Errno::Loop);
                    }
                    if target.starts_with('/') {
                        self.stack.truncate(1);
                        self.at_home();
                    }
                    self.expand_into(&mut todo, &target);
                }
                _ => self.push(&name, node),
            }
        }
        self.found()
    }

    /// The target of a link; the magic links of `/proc/PID/fd` are not followed as text.
    fn link_of(&self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Symlink(target) => Some(target.clone()),
            Kind::Proc(ProcEntry::FdLink(..)) => None,
            Kind::Proc(entry) => self.kernel.proc_link(self.id, entry),
            _ => None,
        }
    }

    fn expand_into(&self, todo: &mut Vec<String>, path: &str) {
        // A trailing slash leaves an empty last part, which asks for a directory.
        todo.extend(path.split('/').rev().map(str::to_owned));
    }

    fn place(&self) -> String {
        let from = self.stack.iter().rposition(|s| s.mount_root).unwrap_or(0);
        let prefix = self.stack.get(from).map_or("", |s| s.mount.prefix.as_str());
        let below = self.stack[from + 1..].iter().map(|s| s.name.as_str());
        let parts: Vec<&str> =
            std::iter::once(prefix).chain(below).filter(|p| !p.is_empty()).collect();
        parts.join("/")
    }

    fn missing(self, name: String) -> Result<Found, Errno> {
        let (path, place) = (self.path(), self.place());
        let top = self.top()?;
        let join = |dir: &str| match dir {
            "" => name.clone(),
            "/" => format!("/{name}"),
            _ => format!("{dir}/{name}"),
        };
        Ok(Found {
            parent: Rc::clone(&top.node),
            node: None,
            mount: Rc::clone(&top.mount),
            path: join(&path),
            place: join(&place),
            is_mount: false,
            name,
        })
    }

    fn found(self) -> Result<Found, Errno> {
        let (path, place) = (self.path(), self.place());
        let top = self.top()?;
        let parent = self.stack.iter().rev().nth(1).unwrap_or(top);
        Ok(Found {
            parent: Rc::clone(&parent.node),
            name: top.name.clone(),
            node: Some(Rc::clone(&top.node)),
            mount: Rc::clone(&top.mount),
            is_mount: top.mount_root,
            path,
            place,
        })
    }
}
