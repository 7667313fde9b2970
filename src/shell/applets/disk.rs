//! `df`, `du`, `free`, `dd`.

use super::Answer;
use super::common::{Cx, number, tree};
use super::ls::blocks;
use crate::shell::{Errno, FileType, OpenHow};
use std::collections::BTreeSet;

/// What a file system without a limit of its own says: the node's disk, in bytes.
const DISK_BYTES: u64 = 100 << 30;

/// Most bytes one read brings.
const READ_MAX: usize = 65_536;

pub(super) async fn df(cx: &mut Cx) -> Answer {
    let opts = cx.opts("kmhTPaiB:t:", "").await?;
    if opts.has('i') || opts.has('B') || opts.has('t') {
        return Err(cx.not_simulated("-i, -B and -t").await);
    }
    let mut paths = opts.rest.clone();
    if paths.is_empty() {
        let mounts = cx.sys.mounts();
        paths = mounts.lines().filter_map(|l| l.split(' ').nth(1)).map(str::to_owned).collect();
    }
    let unit = match opts.last_of("kmh") {
        Some('h') => "     Size",
        Some('m') => "1M-blocks",
        _ => "1K-blocks",
    };
    let kind = if opts.has('T') { "Type       " } else { "" };
    cx.text(&format!("Filesystem           {kind}{unit}      Used Available Use% Mounted on\n"))
        .await;
    let mut seen = BTreeSet::new();
    for path in paths {
        let fs = match cx.sys.statfs(&path) {
            Ok(fs) => fs,
            Err(errno) => {
                cx.fail_on(&path, errno).await;
                continue;
            }
        };
        let pseudo = matches!(fs.kind, "proc" | "sysfs" | "cgroup2" | "devpts" | "mqueue");
        if (pseudo && opts.rest.is_empty() && !opts.has('a')) || !seen.insert(fs.mounted_on.clone())
        {
            continue;
        }
        let size = fs.size.unwrap_or(DISK_BYTES);
        let free = size.saturating_sub(fs.used);
        let show = |bytes: u64| match opts.last_of("kmh") {
            Some('h') => number::human(bytes),
            Some('m') => bytes.div_ceil(1 << 20).to_string(),
            _ => bytes.div_ceil(1024).to_string(),
        };
        let percent = if size == 0 { 0 } else { (fs.used * 100).div_ceil(size) };
        let kind = if opts.has('T') { format!("{:<10} ", fs.kind) } else { String::new() };
        cx.text(&format!(
            "{:<20} {kind}{:>9} {:>9} {:>9} {percent:>3}% {}\n",
            fs.kind,
            show(size),
            show(fs.used),
            show(free),
            fs.mounted_on
        ))
        .await;
    }
    Ok(cx.status)
}

pub(super) async fn du(cx: &mut Cx) -> Answer {
    let opts = cx.opts("aHkLsxd:lchmb", "").await?;
    let depth = match opts.value('d').map(number::digits) {
        None if opts.has('s') => 0,
        None => u64::MAX,
        Some(Some(depth)) => depth,
        Some(None) => return Err(cx.usage().await),
    };
    let mut paths = opts.rest.clone();
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let show = |bytes: u64| match opts.last_of("hmkb") {
        Some('b') => bytes.to_string(),
        Some('h') => number::human(bytes),
        Some('m') => bytes.div_ceil(1 << 20).to_string(),
        _ => bytes.div_ceil(1024).to_string(),
    };
    let mut total = 0;
    for path in paths {
        if let Err(errno) = cx.sys.lstat(&path) {
            cx.fail_on(&path, errno).await;
            continue;
        }
        // Children come after their parents, so sums are made from the end.
        let all = tree::walk(&cx.sys, &path);
        let size = |at: &String| match cx.sys.lstat(at) {
            Ok(stat) if opts.has('b') => stat.size,
            Ok(stat) => blocks(&stat) * 512,
            Err(_) => 0,
        };
        let own: Vec<u64> = all.iter().map(size).collect();
        let level = |at: &str| at[path.len().min(at.len())..].matches('/').count() as u64;
        let mut rows = Vec::new();
        for (i, at) in all.iter().enumerate().rev() {
            let inside = format!("{}/", at.trim_end_matches('/'));
            let below = all.iter().zip(&own).filter(|(name, _)| name.starts_with(&inside));
            let sum = own[i] + below.map(|(_, size)| size).sum::<u64>();
            let dir = cx.sys.lstat(at).is_ok_and(|s| s.file_type == FileType::Dir);
            if i == 0 {
                total += sum;
            }
            if (dir || opts.has('a') || i == 0) && level(at) <= depth {
                rows.push(format!("{}\t{at}\n", show(sum)));
            }
        }
        for row in rows {
            cx.text(&row).await;
        }
    }
    if opts.has('c') {
        cx.text(&format!("{}\ttotal\n", show(total))).await;
    }
    Ok(cx.status)
}

pub(super) async fn free(cx: &mut Cx) -> Answer {
    let opts = cx.opts("bkmgh", "").await?;
    let text = cx.sys.read_file("/proc/meminfo").await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let show = |kib: u64| match opts.last_of("bkmgh") {
        Some('b') => (kib * 1024).to_string(),
        Some('m') => (kib >> 10).to_string(),
        Some('g') => (kib >> 20).to_string(),
        Some('h') => number::human(kib * 1024),
        _ => kib.to_string(),
    };
    let (total, free) = (value("MemTotal:"), value("MemFree:"));
    let cache = value("Buffers:") + value("Cached:") + value("SReclaimable:");
    let available = value("MemAvailable:");
    let used = total.saturating_sub(free + cache);
    let swap = (value("SwapTotal:"), value("SwapFree:"));
    cx.text("              total        used        free      shared  buff/cache   available\n")
        .await;
    let cells = [total, used, free, value("Shmem:"), cache, available].map(show);
    let [a, b, c, d, e, f] = &cells;
    cx.text(&format!("Mem:    {a:>11} {b:>11} {c:>11} {d:>11} {e:>11} {f:>11}\n")).await;
    let (a, b, c) = (show(swap.0), show(swap.0.saturating_sub(swap.1)), show(swap.1));
    cx.text(&format!("Swap:   {a:>11} {b:>11} {c:>11}\n")).await;
    Ok(0)
}

/// One `dd`: `if of bs ibs obs count skip seek conv status`.
#[derive(Default)]
struct Dd {
    input: Option<String>,
    output: Option<String>,
    block: u64,
    count: Option<u64>,
    skip: u64,
    seek: u64,
    keep: bool,
    /// Short blocks are filled up with zeros.
    fill: bool,
    /// The words of `iflag` and `oflag`.
    flags: String,
    quiet: bool,
    no_transfer: bool,
}

pub(super) async fn dd(cx: &mut Cx) -> Answer {
    let mut dd = Dd { block: 512, ..Dd::default() };
    for arg in cx.args().to_vec() {
        let Some((key, value)) = arg.split_once('=') else { return Err(cx.usage().await) };
        let n = number::with_suffix(value);
        match (key, n) {
            ("if", _) => dd.input = Some(value.to_owned()),
            ("of", _) => dd.output = Some(value.to_owned()),
            ("bs" | "ibs" | "obs", Some(n)) if n > 0 => {
                // The whole block is in memory, however much of it is really kept here.
                cx.sys.hold(n);
                dd.block = n.min(1 << 24);
            }
            ("count", Some(n)) => dd.count = Some(n),
            ("skip", Some(n)) => dd.skip = n,
            ("seek", Some(n)) => dd.seek = n,
            ("conv", _)
                if value
                    .split(',')
                    .all(|w| matches!(w, "notrunc" | "fsync" | "noerror" | "sync")) =>
            {
                dd.keep |= value.contains("notrunc");
                dd.fill |= value.split(',').any(|word| word == "sync");
            }
            ("iflag", _)
                if value
                    .split(',')
                    .all(|w| matches!(w, "count_bytes" | "skip_bytes" | "fullblock")) =>
            {
                dd.flags.push_str(value);
            }
            ("oflag", _)
                if value.split(',').all(|w| matches!(w, "seek_bytes" | "append" | "direct")) =>
            {
                dd.flags.push_str(value);
            }
            ("status", _) => {
                dd.quiet = value == "none";
                dd.no_transfer = value == "noxfer";
            }
            ("bs" | "ibs" | "obs" | "count" | "skip" | "seek", _) => {
                return Err(cx.die(&format!("invalid number '{value}'")).await);
            }
            ("conv" | "iflag" | "oflag", _) => return Err(cx.not_simulated(&arg).await),
            _ => return Err(cx.usage().await),
        }
    }
    dd.run(cx).await
}

impl Dd {
    async fn open(&self, cx: &mut Cx) -> Result<(u32, u32), i32> {
        let from = match &self.input {
            None => 0,
            Some(path) => match cx.sys.open(path, OpenHow::READ).await {
                Ok(fd) => fd,
                Err(errno) => {
                    cx.fail_on(&format!("can't open '{path}'"), errno).await;
                    return Err(1);
                }
            },
        };
        let to = match &self.output {
            None => 1,
            Some(path) => {
                let append = self.flags.contains("append");
                let truncate = !self.keep && self.seek == 0 && !append;
                let how = OpenHow { truncate, append, ..OpenHow::WRITE };
                match cx.sys.open(path, how).await {
                    Ok(fd) => fd,
                    Err(errno) => {
                        cx.fail_on(&format!("can't open '{path}'"), errno).await;
                        return Err(1);
                    }
                }
            }
        };
        Ok((from, to))
    }

    /// What one read gives, a file or device always the whole block; with `fullblock` as many
    /// reads as that takes.
    async fn block_of(&self, cx: &mut Cx, from: u32, most: u64) -> Result<Vec<u8>, Errno> {
        let mut data = cx.sys.read(from, most as usize).await?;
        let mut got = data.len();
        let full = self.flags.contains("fullblock");
        while got > 0 && (got == READ_MAX || full) && (data.len() as u64) < most {
            let more = cx.sys.read(from, most as usize - data.len()).await?;
            got = more.len();
            data.extend(more);
        }
        Ok(data)
    }

    async fn run(&self, cx: &mut Cx) -> Answer {
        let (from, to) = self.open(cx).await?;
        let unit = |flag: &str| if self.flags.contains(flag) { 1 } else { self.block };
        let mut left = self.skip.saturating_mul(unit("skip_bytes"));
        while left > 0 {
            match cx.sys.read(from, left.min(65_536) as usize).await {
                Ok(data) if !data.is_empty() => left -= data.len() as u64,
                _ => break,
            }
        }
        if self.seek > 0 {
            let _ = cx.sys.seek(
                to,
                crate::shell::SeekTo::Start(self.seek.saturating_mul(unit("seek_bytes"))),
            );
        }
        let start = cx.sys.now();
        let (mut whole, mut partial, mut bytes) = (0_u64, 0_u64, 0_u64);
        let (mut whole_out, mut partial_out) = (0_u64, 0_u64);
        let in_bytes = self.flags.contains("count_bytes");
        loop {
            let done = if in_bytes { bytes } else { whole + partial };
            if self.count.is_some_and(|count| done >= count) {
                break;
            }
            let most = self.count.filter(|_| in_bytes).map_or(self.block, |n| n - bytes);
            let data = match self.block_of(cx, from, most.min(self.block)).await {
                Ok(data) if data.is_empty() => break,
                Ok(data) => data,
                Err(errno) => {
                    cx.fail_on("read error", errno).await;
                    break;
                }
            };
            let is_whole = data.len() as u64 == self.block;
            whole += u64::from(is_whole);
            partial += u64::from(!is_whole);
            let mut data = data;
            if self.fill && !in_bytes {
                data.resize(self.block as usize, 0);
            }
            if let Err(errno) = cx.sys.write(to, &data).await {
                let name = self.output.clone().unwrap_or_else(|| "standard output".to_owned());
                cx.fail_on(&format!("error writing '{name}'"), errno).await;
                break;
            }
            whole_out += u64::from(is_whole);
            partial_out += u64::from(!is_whole);
            bytes += data.len() as u64;
        }
        if !self.quiet {
            let seconds = (cx.sys.now() - start).0.max(1) as f64 / 1e6;
            let records =
                format!("{whole}+{partial} records in\n{whole_out}+{partial_out} records out\n");
            self.report(cx, records, bytes, seconds).await;
        }
        Ok(cx.status)
    }

    async fn report(&self, cx: &Cx, mut text: String, bytes: u64, seconds: f64) {
        if !self.no_transfer {
            let rate = number::human((bytes as f64 / seconds) as u64);
            let size = number::human(bytes);
            text.push_str(&format!(
                "{bytes} bytes ({size}B) copied, {seconds:.6} seconds, {rate}B/s\n"
            ));
        }
        cx.err(&text).await;
    }
}
