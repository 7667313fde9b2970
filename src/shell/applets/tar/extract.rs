//! `tar x` and `tar t`. Models archival/libarchive/data_extract_all.c.

use super::header::{self, BLOCK, Member, Read};
use super::{Tar, fits, fits_front};
use crate::shell::applets::common::calendar::{Zone, strftime};
use crate::shell::applets::common::users::Users;
use crate::shell::applets::common::{Cx, tree};
use crate::shell::applets::{Answer, dirs, gzip};
use crate::shell::bytes::to_text;
use crate::shell::{Errno, FileType, OpenHow, Stat};

/// Links that are made when everything else is there: hard, name, target.
type Links = Vec<(bool, String, String)>;

/// Where in an archive the next header stands.
struct Reader<'a> {
    data: &'a [u8],
    at: usize,
    /// There was a header at all.
    seen: bool,
    /// Empty blocks in a row: two are the end.
    zeros: u32,
}

impl<'a> Reader<'a> {
    /// The next member and what it holds; `None` at the end.
    async fn next(&mut self, cx: &mut Cx) -> Result<Option<(Member, &'a [u8])>, i32> {
        let (mut long_name, mut long_link) = (None, None);
        while self.zeros < 2 {
            let Some(block) = self.data.get(self.at..self.at + BLOCK) else {
                if self.at < self.data.len() {
                    return Err(cx.die("invalid tar magic").await);
                }
                // Said, but no failure: members may have come before.
                cx.err("tar: short read\n").await;
                return Ok(None);
            };
            self.at += BLOCK;
            cx.sys.tick().await;
            match header::read(block) {
                Read::Zero => (self.seen, self.zeros) = (true, self.zeros + 1),
                Read::Bad(_) if !self.seen && gzip::other(self.data) => {
                    return Err(gzip::not_gzip(cx, self.data, "").await);
                }
                Read::Bad(message) => return Err(cx.die(&message).await),
                Read::Skip(letter, size) => {
                    if let Some(letter) = letter {
                        cx.err(&format!("tar: warning: skipping header '{letter}'\n")).await;
                    }
                    self.at += size.next_multiple_of(BLOCK);
                }
                Read::Long(letter, size) => {
                    let text = self.data.get(self.at..self.at + size).unwrap_or(&[]);
                    let text = to_text(text.split(|byte| *byte == 0).next().unwrap_or(&[]));
                    let into = if letter == b'L' { &mut long_name } else { &mut long_link };
                    *into = Some(text);
                    self.at += size.next_multiple_of(BLOCK);
                }
                Read::Member(mut member) => {
                    (self.seen, self.zeros) = (true, 0);
                    member.name = long_name.take().unwrap_or(member.name);
                    member.link = long_link.take().or(member.link);
                    let end = self.at + member.size;
                    let Some(content) = self.data.get(self.at..end) else {
                        return Err(cx.die("short read").await);
                    };
                    self.at = end.next_multiple_of(BLOCK);
                    return Ok(Some((member, content)));
                }
            }
        }
        Ok(None)
    }
}

impl Tar {
    /// Goes through an archive.
    pub(super) async fn members(&mut self, cx: &mut Cx, data: &[u8]) -> Answer {
        let users = Users::read(&cx.sys).await;
        let mut reader = Reader { data, at: 0, seen: false, zeros: 0 };
        let (mut links, mut passed) = (Links::new(), Vec::new());
        while let Some((mut member, content)) = reader.next(cx).await? {
            member.name = self.safe(cx, &member.name.clone()).await.to_owned();
            if !self.wanted(&member.name) {
                continue;
            }
            self.show(cx, &member).await;
            let bare = member.name.trim_end_matches('/').to_owned();
            let member = Member { name: bare.clone(), ..member };
            self.member(cx, &member, content, &users, &mut links).await?;
            passed.push(bare);
        }
        make_links(cx, links).await?;
        for name in &self.accept {
            let rejected = self.reject.iter().any(|pattern| fits(pattern, name));
            if !rejected && !passed.iter().any(|done| fits(done, name)) {
                return Err(cx.die(&format!("{name}: not found in archive")).await);
            }
        }
        // No header at all is no archive.
        Ok(if reader.seen { cx.status } else { 1 })
    }

    fn wanted(&self, name: &str) -> bool {
        let front = |list: &[String]| list.iter().any(|pattern| fits_front(pattern, name));
        !front(&self.reject) && (self.accept.is_empty() || front(&self.accept))
    }

    async fn show(&self, cx: &mut Cx, member: &Member) {
        let n = self.opts.each().filter(|(letter, _)| matches!(letter, 't' | 'v')).count();
        let name = &member.name;
        match n {
            0 => {}
            1 => cx.text(&format!("{name}\n")).await,
            _ => {
                let or = |text: &str, id: u32| match text {
                    "" => id.to_string(),
                    text => text.to_owned(),
                };
                let zone = Zone::parse(&cx.sys.getenv("TZ").unwrap_or_default());
                let time = strftime(b"%Y-%m-%d %H:%M:%S", member.mtime, &zone);
                let letters = tree::mode_letters(&stat_of(member));
                let link = member.link.as_ref().map(|link| format!(" -> {link}"));
                let line = format!(
                    "{letters} {}/{} {:9} {} {name}{}\n",
                    or(&member.user, member.uid),
                    or(&member.group, member.gid),
                    member.size,
                    to_text(&time),
                    link.unwrap_or_default()
                );
                cx.text(&line).await;
            }
        }
    }

    async fn member(
        &self,
        cx: &mut Cx,
        member: &Member,
        content: &[u8],
        users: &Users,
        links: &mut Links,
    ) -> Result<(), i32> {
        if self.opts.has('O') {
            if member.kind == FileType::File {
                cx.put(content).await;
            }
            return Ok(());
        }
        if !self.opts.has('x') {
            return Ok(());
        }
        let Some((name, link)) = self.stripped(member) else { return Ok(()) };
        if let Some(slash) = name.rfind('/') {
            let _ = dirs::parents(cx, &name[..slash]);
        }
        let hard = member.kind == FileType::File && link.is_some();
        if member.kind != FileType::Dir && !self.opts.has('k') && !self.opts.has('5') {
            if hard && link.as_deref() == Some(&name) {
                return Ok(());
            }
            let removed = cx.sys.unlink(&name);
            if let Err(errno) = removed.or_else(|e| if e == Errno::NoEnt { Ok(()) } else { Err(e) })
            {
                cx.fail_on(&format!("can't remove old file {name}"), errno).await;
                return Err(1);
            }
        }
        match (member.kind, link) {
            (FileType::File, None) => self.file(cx, &name, member, content).await?,
            (FileType::File, Some(target)) => {
                links.push((true, name, target));
                return Ok(());
            }
            (FileType::Symlink, target) => {
                let target = target.unwrap_or_default();
                // Links that lead out wait until nothing can be written through them.
                links.push((false, name, target));
                if !links.last().is_some_and(|(_, _, to)| to.starts_with('/') || to.contains(".."))
                {
                    let link: Links = links.pop().into_iter().collect();
                    return make_links(cx, link).await;
                }
                return Ok(());
            }
            _ => special(cx, &name, member).await,
        }
        self.settle(cx, &name, member, users);
        Ok(())
    }

    /// Name and link without their first parts; `None` when nothing is left.
    fn stripped(&self, member: &Member) -> Option<(String, Option<String>)> {
        let n: usize = self.opts.value('1').and_then(|n| n.parse().ok()).unwrap_or(0);
        let strip = |name: &str| match n {
            0 => Some(name.to_owned()),
            n => name.splitn(n + 1, '/').nth(n).filter(|rest| !rest.is_empty()).map(str::to_owned),
        };
        let link = match (&member.link, member.kind) {
            (Some(link), FileType::File) => Some(strip(link)?),
            (link, _) => link.clone(),
        };
        Some((strip(&member.name)?, link))
    }

    async fn file(
        &self,
        cx: &mut Cx,
        name: &str,
        member: &Member,
        content: &[u8],
    ) -> Result<(), i32> {
        let how = if self.opts.has('5') { OpenHow::WRITE } else { OpenHow::CREATE_NEW };
        let done = match cx.sys.open_mode(name, how, member.mode).await {
            Ok(fd) => {
                let wrote = cx.sys.write(fd, content).await;
                let _ = cx.sys.close(fd);
                wrote.map_err(|errno| ("write error".to_owned(), errno))
            }
            Err(errno) => Err((format!("can't open '{name}'"), errno)),
        };
        let Err((what, errno)) = done else { return Ok(()) };
        cx.fail_on(&what, errno).await;
        Err(1)
    }

    /// Owner, mode and time.
    fn settle(&self, cx: &Cx, name: &str, member: &Member, users: &Users) {
        let root = cx.sys.uid() == 0;
        if !self.opts.has('o') {
            let by_name = !self.opts.has('3');
            let uid = users.uid(&member.user).filter(|_| by_name).unwrap_or(member.uid);
            let gid = users.gid(&member.group).filter(|_| by_name).unwrap_or(member.gid);
            let _ = cx.sys.chown(name, Some(uid), Some(gid));
        }
        if root && !self.opts.has('4') {
            let _ = cx.sys.chmod(name, member.mode);
        }
        if !self.opts.has('m') {
            let micros = member.mtime.saturating_mul(1_000_000);
            let _ = cx.sys.utimes(name, micros, micros);
        }
    }
}

/// Directories, FIFOs, and what no container may make.
async fn special(cx: &mut Cx, name: &str, member: &Member) {
    let (made, what) = match member.kind {
        FileType::Dir => (cx.sys.mkdir(name, member.mode), "make dir"),
        FileType::Fifo => (cx.sys.mkfifo(name, member.mode), "create node"),
        _ => (Err(Errno::Perm), "create node"),
    };
    match made {
        Err(Errno::Exist) if member.kind == FileType::Dir => {}
        Err(errno) => cx.fail_on(&format!("can't {what} {name}"), errno).await,
        Ok(()) => {}
    }
}

async fn make_links(cx: &mut Cx, links: Links) -> Result<(), i32> {
    for (hard, name, target) in links {
        let (made, word) = match hard {
            true => (cx.sys.link(&target, &name), "hard"),
            false => (cx.sys.symlink(&target, &name), "sym"),
        };
        if let Err(errno) = made {
            cx.fail_on(&format!("can't create {word}link '{name}' to '{target}'"), errno).await;
            return Err(1);
        }
    }
    Ok(())
}

fn stat_of(member: &Member) -> Stat {
    Stat {
        dev: 0,
        ino: 0,
        file_type: member.kind,
        mode: member.mode,
        nlink: 1,
        uid: member.uid,
        gid: member.gid,
        rdev: (0, 0),
        size: member.size as u64,
        atime: 0,
        mtime: 0,
        ctime: 0,
    }
}
