//! Images: what a container's root starts with.

use crate::shell::Program;
use crate::shell::applets;
use crate::shell::kernel::Kernel;
use crate::shell::kernel::inode::{Device, Kind, Node};
use crate::shell::kernel::pipe::Pipe;
use crate::shell::kernel::procfs::ProcEntry;
use std::cell::RefCell;
use std::rc::Rc;

/// A root file system to copy from: (path, what), parents made as needed.
#[derive(Clone, Default)]
pub struct Image {
    things: Vec<(String, Thing)>,
}

/// What can be put at a path.
#[derive(Clone)]
pub enum Thing {
    Dir {
        mode: u32,
        uid: u32,
        gid: u32,
    },
    File {
        content: Vec<u8>,
        mode: u32,
        uid: u32,
        gid: u32,
    },
    Link {
        target: String,
    },
    Fifo {
        mode: u32,
    },
    Device(Device),
    Program(Program),
    /// `/proc`.
    Proc,
    /// `/sys/fs/cgroup`.
    Cgroup,
}

impl Thing {
    /// A file of root with mode 0644.
    pub fn file(content: impl Into<Vec<u8>>) -> Thing {
        Thing::File { content: content.into(), mode: 0o644, uid: 0, gid: 0 }
    }

    /// A directory of root with mode 0755.
    pub fn dir() -> Thing {
        Thing::Dir { mode: 0o755, uid: 0, gid: 0 }
    }

    pub fn link(target: &str) -> Thing {
        Thing::Link { target: target.to_owned() }
    }
}

impl Image {
    /// Only what a runtime mounts into every container: `/dev`, `/proc`, `/sys`.
    pub fn scratch() -> Image {
        let mut image = Image::default();
        let links = [
            ("/dev/fd", "/proc/self/fd"),
            ("/dev/stdin", "/proc/self/fd/0"),
            ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
        ];
        for (path, target) in links {
            image.add(path, Thing::link(target));
        }
        let devices = [
            ("/dev/null", Device::Null),
            ("/dev/zero", Device::Zero),
            ("/dev/full", Device::Full),
            ("/dev/random", Device::Random),
            ("/dev/urandom", Device::Random),
            ("/dev/tty", Device::Tty),
        ];
        for (path, device) in devices {
            image.add(path, Thing::Device(device));
        }
        image.add("/dev/shm", Thing::Dir { mode: 0o1777, uid: 0, gid: 0 });
        image.add("/proc", Thing::Proc);
        image.add("/sys", Thing::dir());
        image.add("/sys/fs/cgroup", Thing::Cgroup);
        image
    }

    /// The busybox image: every applet in `/bin`.
    pub fn busybox() -> Image {
        let mut image = Image::scratch();
        for (name, program) in applets::APPLETS.iter().chain(crate::shell::SHELLS) {
            image.add(&format!("/bin/{name}"), Thing::Program(*program));
        }
        image.add("/usr/bin/env", Thing::link("../../bin/env"));
        image.add("/etc/passwd", Thing::file(PASSWD));
        image.add("/etc/group", Thing::file(GROUP));
        for dir in ["/etc", "/home", "/usr/sbin", "/var/spool/mail", "/var/www"] {
            image.add(dir, Thing::dir());
        }
        image.add("/root", Thing::Dir { mode: 0o700, uid: 0, gid: 0 });
        image.add("/tmp", Thing::Dir { mode: 0o1777, uid: 0, gid: 0 });
        image
    }

    /// Adds or replaces what is at an absolute path.
    pub fn add(&mut self, path: &str, thing: Thing) {
        self.things.push((path.to_owned(), thing));
    }

    /// Adds a program, where there is one.
    pub fn extend_program(&mut self, path: &str, program: Option<Program>) {
        if let Some(program) = program {
            self.add(path, Thing::Program(program));
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.things.iter().any(|(own, _)| own == path)
    }

    /// Adds a user and a group of one name, where there are such lists.
    pub fn add_user(&mut self, name: &str, uid: u32, gid: u32) {
        let lines = [
            ("/etc/passwd", format!("{name}:x:{uid}:{gid}::/:/sbin/nologin\n")),
            ("/etc/group", format!("{name}:x:{gid}:\n")),
        ];
        for (path, line) in lines {
            let own = self.things.iter_mut().find(|(at, _)| at == path);
            if let Some((_, Thing::File { content, .. })) = own {
                content.extend_from_slice(line.as_bytes());
            }
        }
    }

    /// The home of a user, as a runtime looks it up; `/` where nobody wrote it down.
    pub fn home(&self, uid: u32) -> String {
        let passwd = self.things.iter().rev().find_map(|(path, thing)| match thing {
            Thing::File { content, .. } if path == "/etc/passwd" => Some(content),
            _ => None,
        });
        let text = passwd.map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let home = text.lines().find_map(|line| {
            let mut fields = line.split(':').skip(2);
            let own = fields.next()?.parse() == Ok(uid);
            fields.nth(2).filter(|home| own && !home.is_empty()).map(str::to_owned)
        });
        home.unwrap_or_else(|| "/".to_owned())
    }

    /// Takes away the programs of these names.
    pub fn without(&mut self, names: &[&str]) {
        let keeps = |path: &str| !names.contains(&path.rsplit('/').next().unwrap_or(""));
        self.things.retain(|(path, thing)| !matches!(thing, Thing::Program(_)) || keeps(path));
    }

    /// Copies everything below `root`.
    pub(super) fn copy_to(&self, kernel: &mut Kernel, root: &Node, time: Option<i64>) {
        for (path, thing) in &self.things {
            put(kernel, root, path, thing, time);
        }
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    daemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
    bin:x:2:2:bin:/bin:/bin/false\n\
    sys:x:3:3:sys:/dev:/bin/false\n\
    sync:x:4:100:sync:/bin:/bin/sync\n\
    mail:x:8:8:mail:/var/spool/mail:/bin/false\n\
    www-data:x:33:33:www-data:/var/www:/bin/false\n\
    operator:x:37:37:Operator:/var:/bin/false\n\
    nobody:x:65534:65534:nobody:/home:/bin/false\n";

const GROUP: &str = "root:x:0:\n\
    daemon:x:1:\n\
    bin:x:2:\n\
    sys:x:3:\n\
    adm:x:4:\n\
    tty:x:5:\n\
    disk:x:6:\n\
    mail:x:8:\n\
    www-data:x:33:\n\
    utmp:x:43:\n\
    users:x:100:\n\
    nobody:x:65534:\n";

/// Puts a thing at a path below `root`; parents are made. `time` is its date, in microseconds
/// since 1970; the present when absent.
pub(super) fn put(kernel: &mut Kernel, root: &Node, path: &str, thing: &Thing, time: Option<i64>) {
    let now = time.unwrap_or_else(|| kernel.wall_micros());
    let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let Some((last, dirs)) = parts.split_last() else {
        if let Thing::Dir { mode, uid, gid } = thing {
            let mut meta = root.meta.borrow_mut();
            (meta.mode, meta.uid, meta.gid) = (*mode, *uid, *gid);
        }
        return;
    };
    let mut dir = Rc::clone(root);
    for name in dirs {
        let Some(entries) = dir.dir() else { return };
        let next = entries.borrow().get(*name).cloned();
        let next = next.unwrap_or_else(|| {
            let made = dir.fs.make_dir(0o755, (0, 0), now);
            entries.borrow_mut().insert((*name).to_owned(), Rc::clone(&made));
            made
        });
        dir = next;
    }
    let Some(entries) = dir.dir() else { return };
    let existing = entries.borrow().get(*last).cloned();
    if let (Some(node), Thing::Dir { mode, uid, gid }) = (&existing, thing)
        && node.is_dir()
    {
        let mut meta = node.meta.borrow_mut();
        (meta.mode, meta.uid, meta.gid) = (*mode, *uid, *gid);
        return;
    }
    let node = make(kernel, &dir, thing, now);
    entries.borrow_mut().insert((*last).to_owned(), node);
}

/// Books out the bytes of a tree that was taken away.
pub(super) fn release(kernel: &mut Kernel, node: &Node) {
    if let Some(entries) = node.dir() {
        entries.borrow().values().for_each(|below| release(kernel, below));
    } else if let Kind::File(data) = &node.kind {
        let size = data.borrow().len() as u64;
        node.fs.release(size);
        kernel.stored = kernel.stored.saturating_sub(size);
    }
}

fn make(kernel: &mut Kernel, dir: &Node, thing: &Thing, now: i64) -> Node {
    let fs = &dir.fs;
    match thing {
        Thing::Dir { mode, uid, gid } => fs.make_dir(*mode, (*uid, *gid), now),
        Thing::File { content, mode, uid, gid } => {
            let size = content.len() as u64;
            fs.used.set(fs.used.get() + size);
            kernel.stored += size;
            fs.make(Kind::File(RefCell::new(content.clone())), *mode, (*uid, *gid), now)
        }
        Thing::Link { target } => fs.make(Kind::Symlink(target.clone()), 0o777, (0, 0), now),
        Thing::Fifo { mode } => fs.make(Kind::Fifo(Pipe::new()), *mode, (0, 0), now),
        Thing::Device(device) => fs.make(Kind::Device(*device), 0o666, (0, 0), now),
        Thing::Program(program) => fs.make(Kind::Program(*program), 0o755, (0, 0), now),
        Thing::Proc => fs.make(Kind::Proc(ProcEntry::Root), 0o555, (0, 0), now),
        Thing::Cgroup => fs.make(Kind::Proc(ProcEntry::Cgroup), 0o555, (0, 0), now),
    }
}
