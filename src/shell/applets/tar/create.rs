//! `tar c`.

use super::header::{self, Member, pad};
use super::{Tar, fits};
use crate::shell::applets::common::users::Users;
use crate::shell::applets::common::{Cx, tree};
use crate::shell::applets::{Answer, deflate};
use crate::shell::bytes::to_bytes;
use crate::shell::{Errno, FileType, OpenHow, Stat};
use std::collections::BTreeMap;

/// An archive is made in memory; more than this is refused.
const ARCHIVE_MAX: usize = 16 << 20;

struct Making {
    out: Vec<u8>,
    users: Users,
    /// Names of files with several names, by device and inode.
    linked: BTreeMap<(u32, u64), String>,
    /// The archive itself.
    own: Option<(u32, u64)>,
    failed: bool,
}

impl Tar {
    pub(super) async fn create(&mut self, cx: &mut Cx, file: &str) -> Answer {
        if self.accept.is_empty() {
            return Err(cx.die("empty archive").await);
        }
        let mut fd = 1;
        if file != "-" {
            fd = match cx.sys.open(file, OpenHow::WRITE).await {
                Ok(fd) => fd,
                Err(errno) => {
                    cx.fail_on(&format!("can't open '{file}'"), errno).await;
                    return Ok(1);
                }
            };
        }
        if let Some(dir) = self.opts.value('C')
            && let Err(errno) = cx.sys.chdir(dir)
        {
            cx.fail_on(&format!("can't change directory to '{dir}'"), errno).await;
            return Ok(1);
        }
        let mut making = Making {
            out: Vec::new(),
            users: Users::read(&cx.sys).await,
            linked: BTreeMap::new(),
            own: cx.sys.fstat(fd).ok().map(|stat| (stat.dev, stat.ino)),
            failed: false,
        };
        for path in self.accept.clone() {
            self.tree(cx, &mut making, &path).await;
        }
        making.out.resize(making.out.len() + 2 * header::BLOCK, 0);
        let packed = self.opts.has('z') || (self.opts.has('a') && file.ends_with("gz"));
        let data = match packed {
            true => deflate::gzip(&making.out),
            false => making.out,
        };
        if let Err(errno) = cx.sys.write(fd, &data).await {
            cx.fail_on("write error", errno).await;
        }
        if making.failed {
            cx.fail("error exit delayed from previous errors").await;
        }
        Ok(cx.status)
    }

    async fn tree(&mut self, cx: &mut Cx, making: &mut Making, path: &str) {
        let mut open = vec![(path.to_owned(), 0)];
        while let Some((at, depth)) = open.pop() {
            cx.sys.tick().await;
            let stat = match self.opts.has('h') {
                true => cx.sys.stat(&at),
                false => cx.sys.lstat(&at),
            };
            let stat = match stat {
                Ok(stat) => stat,
                Err(errno) => {
                    cx.fail_on(&at, errno).await;
                    making.failed = true;
                    continue;
                }
            };
            let below = self.add(cx, making, &at, &stat).await;
            let dir = stat.file_type == FileType::Dir && depth < tree::DEPTH_MAX;
            if below && dir && !self.opts.has('2') {
                let names = cx.sys.readdir(&at).unwrap_or_default();
                open.extend(names.iter().rev().map(|name| (tree::join(&at, name), depth + 1)));
            }
        }
    }

    /// Adds one file; tells whether to go below it.
    async fn add(&mut self, cx: &mut Cx, making: &mut Making, path: &str, stat: &Stat) -> bool {
        let name = self.safe(cx, path).await;
        if name.is_empty() {
            return true;
        }
        if self.reject.iter().any(|pattern| excludes(pattern, name)) {
            return false;
        }
        let id = (stat.dev, stat.ino);
        if making.own == Some(id) {
            cx.err(&format!("tar: {path}: file is the archive; skipping\n")).await;
            return true;
        }
        let user = making.users.user(stat.uid).unwrap_or_default();
        let group = making.users.group(stat.gid).unwrap_or_default();
        let mut member = header::of(stat, name, (user, group));
        let mut data = Vec::new();
        if stat.file_type != FileType::Dir && stat.nlink > 1 {
            match making.linked.get(&id) {
                Some(first) => {
                    member = Member { link: Some(first.clone()), size: 0, ..member };
                }
                None => drop(making.linked.insert(id, name.to_owned())),
            }
        }
        if stat.file_type == FileType::Symlink {
            member.link = cx.sys.readlink(path).ok();
        } else if member.link.is_none() && stat.file_type == FileType::File {
            match self.content(cx, making, path).await {
                Ok(content) => data = content,
                Err(errno) => {
                    cx.fail_on(&format!("can't open '{path}'"), errno).await;
                    making.failed = true;
                    return true;
                }
            }
            member.size = data.len();
        }
        making.out.extend(header::write(&member));
        if self.opts.has('v') {
            let slash = if member.kind == FileType::Dir { "/" } else { "" };
            let line = format!("{name}{slash}\n");
            match self.to_stderr {
                true => cx.err(&line).await,
                false => cx.put(&to_bytes(&line)).await,
            }
        }
        making.out.extend(data);
        pad(&mut making.out);
        true
    }

    async fn content(&self, cx: &Cx, making: &Making, path: &str) -> Result<Vec<u8>, Errno> {
        if making.out.len() > ARCHIVE_MAX {
            cx.sys.limit_reached("tar wanted to make an archive of more than 16 MB");
            return Err(Errno::NoMem);
        }
        cx.sys.read_file(path).await
    }
}

/// Whether a pattern fits a name or a part of it that begins and ends at slashes.
/// Models archival/tar.c exclude_file.
fn excludes(pattern: &str, name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let wanted: Vec<&str> = pattern.split('/').collect();
    let starts = if pattern.starts_with('/') { 1 } else { parts.len() };
    (0..starts).any(|at| {
        parts.len() >= at + wanted.len()
            && wanted.iter().zip(&parts[at..]).all(|(pattern, part)| fits(pattern, part))
    })
}
