//! Files that grow: found by pattern, read from where they were left, followed when rotated.

use super::Part;
use crate::shell::programs::wild::wild;
use crate::shell::{Fd, OpenHow, SeekTo, Sys};
use std::collections::BTreeMap;

/// Files followed by one input.
const FILES_MAX: usize = 100;

struct Followed {
    fd: Fd,
    ino: u64,
    partial: Vec<u8>,
}

/// The files of one `tail` input.
#[derive(Default)]
pub(super) struct Tail {
    files: BTreeMap<String, Followed>,
    begun: bool,
}

fn matching(sys: &Sys, patterns: &str) -> Vec<String> {
    let mut found = Vec::new();
    for pattern in patterns.split(',').map(str::trim) {
        let (dir, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        if !name.contains(['*', '?']) {
            found.push(pattern.to_owned());
            continue;
        }
        let names = sys.readdir(dir).unwrap_or_default();
        found.extend(names.iter().filter(|n| wild(name, n)).map(|n| format!("{dir}/{n}")));
    }
    found.truncate(FILES_MAX);
    found
}

impl Tail {
    /// New lines with the path of their file, and the paths that were found just now.
    pub(super) async fn look(
        &mut self,
        sys: &Sys,
        part: &Part,
    ) -> (Vec<(String, String)>, Vec<(String, u64)>) {
        let (mut lines, mut fresh) = (Vec::new(), Vec::new());
        let exclude = part.get("Exclude_Path").unwrap_or("").to_owned();
        for path in matching(sys, part.get("Path").unwrap_or("")) {
            if exclude.split(',').any(|own| wild(own.trim(), &path)) {
                continue;
            }
            let Ok(stat) = sys.stat(&path) else { continue };
            let known = self.files.get(&path).map(|file| file.ino);
            if known == Some(stat.ino) {
                continue;
            }
            // Its last lines come out before the file that took its place is read.
            if let Some(mut old) = self.files.remove(&path) {
                read(sys, &path, &mut old, &mut lines).await;
                let _ = sys.close(old.fd);
            }
            let Ok(fd) = sys.open(&path, OpenHow::READ).await else { continue };
            let from_head = part.is_on("Read_from_Head") || self.begun;
            let left = part.get("pos_file").and_then(|notes| noted(sys, notes, &path, stat.ino));
            match left {
                Some(at) => drop(sys.seek(fd, SeekTo::Start(at))),
                None if from_head => {}
                None => drop(sys.seek(fd, SeekTo::End(0))),
            }
            fresh.push((path.clone(), stat.ino));
            self.files.insert(path, Followed { fd, ino: stat.ino, partial: Vec::new() });
        }
        self.begun = true;
        for (path, file) in &mut self.files {
            read(sys, path, file, &mut lines).await;
        }
        let changed = !lines.is_empty() || !fresh.is_empty();
        if let Some(notes) = part.get("pos_file").filter(|_| changed) {
            self.note(sys, notes).await;
        }
        (lines, fresh)
    }

    /// Writes down how far each file was read, in whole lines.
    // Models fluentd lib/fluent/plugin/in_tail/position_file.rb (v1.16).
    async fn note(&self, sys: &Sys, notes: &str) {
        let line = |(path, file): (&String, &Followed)| {
            let at = sys.seek(file.fd, SeekTo::Current(0)).unwrap_or(0);
            let at = at.saturating_sub(file.partial.len() as u64);
            format!("{path}\t{at:016x}\t{:016x}\n", file.ino)
        };
        let text: String = self.files.iter().map(line).collect();
        if let Ok(fd) = sys.open(notes, OpenHow::WRITE).await {
            let _ = sys.write(fd, text.as_bytes()).await;
            let _ = sys.close(fd);
        }
    }
}

/// Where an earlier run left the file of that inode.
fn noted(sys: &Sys, notes: &str, path: &str, ino: u64) -> Option<u64> {
    let text = String::from_utf8_lossy(&sys.peek_file(notes)?).into_owned();
    let number = |text: &str| u64::from_str_radix(text.trim(), 16).ok();
    text.lines().rev().find_map(|line| {
        let (at, of) = line.strip_prefix(path)?.strip_prefix('\t')?.split_once('\t')?;
        (number(of)? == ino).then(|| number(at))?
    })
}

async fn read(sys: &Sys, path: &str, file: &mut Followed, lines: &mut Vec<(String, String)>) {
    // A file cut short is read from its start again.
    let at = sys.seek(file.fd, SeekTo::Current(0)).unwrap_or(0);
    if sys.fstat(file.fd).is_ok_and(|stat| stat.size < at) {
        let _ = sys.seek(file.fd, SeekTo::Start(0));
        file.partial.clear();
    }
    while let Ok(data) = sys.read(file.fd, 65_536).await {
        if data.is_empty() || lines.len() > 10_000 {
            break;
        }
        file.partial.extend(data);
        while let Some(end) = file.partial.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = file.partial.drain(..=end).collect();
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
            lines.push((path.to_owned(), text));
        }
    }
}
