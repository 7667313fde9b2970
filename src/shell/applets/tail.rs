//! `tail`: the end of files, and `-f`/`-F`, which look once a second. Models coreutils/tail.c.

use super::Answer;
use super::common::cx::{Stop, files_or_stdin};
use super::common::{Cx, Opts, number};
use crate::shell::{Errno, Fd, FileType, OpenHow, SeekTo};
use crate::time::SimTime;

struct Tail {
    count: u64,
    from_top: bool,
    bytes: bool,
    files: Vec<(String, Option<Fd>)>,
    headers: bool,
    retry: bool,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    let mut args = cx.args().to_vec();
    // `-5` and `+5` in front are `-n`.
    if let Some(first) = args.first_mut()
        && first.starts_with(['-', '+'])
        && first[1..].starts_with(|c: char| c.is_ascii_digit())
    {
        *first = format!("-n{first}");
        cx.argv.truncate(1);
        cx.argv.extend(args);
    }
    let opts = cx.opts("fc:n:qs:vF", "").await?;
    let (count, from_top) = count(cx, &opts).await?;
    let period = match opts.value('s') {
        None => 1,
        Some(text) => match number::digits(text) {
            Some(n) => n,
            None => return Err(cx.die(&format!("invalid number '{text}'")).await),
        },
    };
    let retry = opts.has('F');
    let mut follow = opts.has('f') || retry;
    if opts.rest.is_empty() && cx.sys.fstat(0).is_ok_and(|s| s.file_type == FileType::Fifo) {
        follow = retry;
    }
    let mut tail = Tail {
        count,
        from_top,
        bytes: opts.last_of("cn") == Some('c'),
        files: Vec::new(),
        headers: false,
        retry,
    };
    for path in files_or_stdin(opts.rest.clone()) {
        match cx.open_input(&path).await {
            None if !retry => {}
            fd => tail.files.push((path, fd)),
        }
    }
    if retry {
        cx.status = 0;
    }
    if tail.files.is_empty() {
        return Err(cx.die("no files").await);
    }
    tail.headers = match opts.last_of("qv") {
        Some('q') => false,
        Some(_) => true,
        None => tail.files.len() > 1,
    };
    let last = tail.ends(cx).await;
    if follow {
        tail.follow(cx, SimTime::from_secs(period), last).await;
    }
    Ok(cx.status)
}

/// How much, and whether counted from the top (`+5`).
async fn count(cx: &mut Cx, opts: &Opts) -> Result<(u64, bool), Stop> {
    let Some(letter) = opts.last_of("cn") else { return Ok((10, false)) };
    let text = opts.value(letter).unwrap_or("");
    let bare = text.trim_start_matches(['+', '-']);
    match number::with_suffix(bare) {
        Some(n) => Ok((n, text.starts_with('+'))),
        None => Err(cx.die(&format!("invalid number '{bare}'")).await),
    }
}

fn shown(path: &str) -> &str {
    if path == "-" { "standard input" } else { path }
}

impl Tail {
    /// The end of each file; tells which was last.
    async fn ends(&self, cx: &mut Cx) -> Option<usize> {
        let mut last = None;
        for (i, (path, fd)) in self.files.iter().enumerate() {
            let Some(fd) = *fd else { continue };
            if self.headers {
                let gap = if last.is_some() { "\n" } else { "" };
                cx.now(format!("{gap}==> {} <==\n", shown(path)).as_bytes()).await;
            }
            last = Some(i);
            match self.from_top {
                true => self.rest(cx, fd).await,
                false => self.end(cx, fd).await,
            }
        }
        last
    }

    /// From byte or line `count` on, passed on as it comes.
    async fn rest(&self, cx: &mut Cx, fd: Fd) {
        let mut skip = self.count.saturating_sub(1);
        while let Some(data) = read(cx, fd).await {
            let mut from = 0;
            while skip > 0 && from < data.len() {
                skip -= u64::from(self.bytes || data[from] == b'\n');
                from += 1;
            }
            cx.now(&data[from..]).await;
        }
    }

    async fn end(&self, cx: &mut Cx, fd: Fd) {
        let mut kept: Vec<u8> = Vec::new();
        let mut full = 1 << 20;
        while let Some(data) = read(cx, fd).await {
            kept.extend_from_slice(&data);
            if kept.len() > full {
                kept.drain(..self.start_of_end(&kept));
                full = kept.len().max(full / 2) * 2;
                // What has no line ends fills the memory: `tail /dev/zero`.
                cx.sys.hold(kept.len() as u64 * 2);
            }
        }
        let start = self.start_of_end(&kept);
        cx.now(&kept[start..]).await;
    }

    fn start_of_end(&self, data: &[u8]) -> usize {
        if self.bytes {
            return data.len().saturating_sub(self.count as usize);
        }
        let mut left = self.count;
        let body = data.strip_suffix(b"\n").unwrap_or(data);
        if left == 0 {
            return data.len();
        }
        for (i, byte) in body.iter().enumerate().rev() {
            if *byte == b'\n' {
                left -= 1;
                if left == 0 {
                    return i + 1;
                }
            }
        }
        0
    }

    async fn follow(&mut self, cx: &mut Cx, period: SimTime, last: Option<usize>) {
        let mut last = last;
        loop {
            cx.sys.sleep(period).await;
            for i in 0..self.files.len() {
                let replaced = if self.retry { self.look(cx, i).await } else { None };
                self.news(cx, i, replaced, &mut last).await;
                if cx.out.failed().is_some() {
                    return;
                }
            }
        }
    }

    /// Whether another file has the name now: the new one, opened.
    async fn look(&mut self, cx: &mut Cx, i: usize) -> Option<Fd> {
        let (path, fd) = self.files.get(i)?.clone();
        let here = cx.sys.stat(&path).ok();
        let mine = fd.and_then(|fd| cx.sys.fstat(fd).ok());
        if let (Some(a), Some(b)) = (&here, &mine)
            && (a.dev, a.ino) == (b.dev, b.ino)
        {
            return None;
        }
        match cx.sys.open(&path, OpenHow::READ).await {
            Ok(new) => {
                let how = if fd.is_none() { "appeared" } else { "been replaced" };
                cx.err(&format!("tail: {path} has {how}; following end of new file\n")).await;
                if fd.is_some() {
                    return Some(new);
                }
                self.files[i].1 = Some(new);
            }
            Err(errno) if fd.is_some() => {
                let text = errno.text();
                cx.err(&format!("tail: {path} has been renamed or deleted: {text}\n")).await;
            }
            Err(_) => {}
        }
        None
    }

    async fn news(
        &mut self,
        cx: &mut Cx,
        i: usize,
        replaced: Option<Fd>,
        last: &mut Option<usize>,
    ) {
        let Some((path, Some(fd))) = self.files.get(i).cloned() else { return };
        let mut fd = fd;
        let mut replaced = replaced;
        loop {
            // A file that was cut short is read again from its start.
            if let (Ok(stat), Ok(at)) = (cx.sys.fstat(fd), cx.sys.seek(fd, SeekTo::Current(0)))
                && stat.size > 0
                && stat.size < at
            {
                let _ = cx.sys.seek(fd, SeekTo::Start(0));
            }
            match read(cx, fd).await {
                Some(data) => {
                    if self.headers && *last != Some(i) {
                        cx.now(format!("\n==> {} <==\n", shown(&path)).as_bytes()).await;
                        *last = Some(i);
                    }
                    cx.now(&data).await;
                }
                None => match replaced.take() {
                    Some(new) => {
                        cx.close_input(fd);
                        fd = new;
                        self.files[i].1 = Some(new);
                    }
                    None => return,
                },
            }
        }
    }
}

/// The next bytes; nothing at the end or on an error, which is said.
async fn read(cx: &mut Cx, fd: Fd) -> Option<Vec<u8>> {
    loop {
        match cx.sys.read(fd, 65_536).await {
            Ok(data) if data.is_empty() => return None,
            Ok(data) => return Some(data),
            Err(Errno::Intr) => {}
            Err(errno) => {
                cx.fail_on("read error", errno).await;
                return None;
            }
        }
    }
}
