//! `grep`, `egrep`, `fgrep`: output is kept back until the end, as stdio does without a terminal.
//! Models findutils/grep.c.

use super::Answer;
use super::common::cx::Stop;
use super::common::{Cx, Opts, number, tree};
use crate::regex::{Flavor, Options, Regex, TooManySteps};
use crate::shell::bytes::{to_bytes, to_text};
use crate::shell::{Errno, Fd, FileType, OpenHow};
use std::collections::VecDeque;

/// Which pattern matched, and from where to where.
type Place = (usize, (usize, usize));

struct Grep {
    opts: Opts,
    patterns: Vec<Regex>,
    invert: bool,
    names: bool,
    before: usize,
    after: usize,
    most: Option<u64>,
    /// A line was printed already: groups are parted by `--` from then on.
    printed: bool,
}

/// What one file comes to.
#[derive(Default)]
struct FileState {
    line: u64,
    matches: u64,
    after_left: usize,
    last_printed: u64,
    held: VecDeque<(u64, Vec<u8>)>,
}

pub(super) async fn egrep(cx: &mut Cx) -> Answer {
    grep(cx, Flavor::Extended).await
}

pub(super) async fn fgrep(cx: &mut Cx) -> Answer {
    grep(cx, Flavor::Fixed).await
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    grep(cx, Flavor::Basic).await
}

async fn grep(cx: &mut Cx, flavor: Flavor) -> Answer {
    cx.usage_status = 2;
    let opts = cx.opts("lnqvscFiHhe:f:Lorm:wxRA:B:C:EG::!z", "color=G").await?;
    let flavor = match () {
        () if opts.has('F') => Flavor::Fixed,
        () if opts.has('E') && flavor == Flavor::Basic => Flavor::Extended,
        () => flavor,
    };
    let mut files = opts.rest.clone();
    let mut invert = opts.has('v');
    let texts = texts(cx, &opts, &mut files, &mut invert).await?;
    let patterns = patterns(cx, &texts, flavor, opts.has('i')).await?;
    let mut counts = [0; 4];
    for (i, letter) in ['A', 'B', 'C', 'm'].into_iter().enumerate() {
        let Some(text) = opts.value(letter) else { continue };
        let Some(n) = number::digits(text) else {
            cx.fail(&format!("invalid number '{text}'")).await;
            return Ok(2);
        };
        counts[i] = n;
    }
    let only_names = ['c', 'q', 'l', 'L'].iter().any(|letter| opts.has(*letter));
    let context = |own: usize, given: bool| match () {
        () if only_names => 0,
        () if given => counts[own].min(1 << 20) as usize,
        () => counts[2].min(1 << 20) as usize,
    };
    let mut grep = Grep {
        patterns,
        invert,
        names: opts.last_of("Hh").map_or(files.len() > 1, |last| last == 'H'),
        before: context(1, opts.has('B')),
        after: context(0, opts.has('A')),
        most: opts.has('m').then_some(counts[3]),
        printed: false,
        opts,
    };
    if files.is_empty() {
        files.push("-".to_owned());
    }
    grep.files(cx, files).await
}

/// The patterns' texts: of `-e`, of `-f`, or the first argument.
async fn texts(
    cx: &mut Cx,
    opts: &Opts,
    files: &mut Vec<String>,
    invert: &mut bool,
) -> Result<Vec<Vec<u8>>, Stop> {
    let mut texts: Vec<Vec<u8>> = Vec::new();
    for text in opts.values('e') {
        texts.extend(to_bytes(text).split(|b| *b == b'\n').map(<[u8]>::to_vec));
    }
    for path in opts.values('f').map(str::to_owned).collect::<Vec<_>>() {
        let data = cx.read_input(&path).await.ok_or(2)?;
        let body = data.strip_suffix(b"\n").unwrap_or(&data);
        if !data.is_empty() {
            texts.extend(body.split(|b| *b == b'\n').map(<[u8]>::to_vec));
        }
    }
    if opts.has('f') && texts.is_empty() {
        // An empty list of patterns matches nothing.
        texts.push(if opts.has('x') { b".*".to_vec() } else { Vec::new() });
        *invert = !*invert;
    } else if texts.is_empty() {
        if files.is_empty() {
            return Err(cx.usage().await);
        }
        let first = to_bytes(&files.remove(0));
        texts.extend(first.split(|b| *b == b'\n').map(<[u8]>::to_vec));
    }
    Ok(texts)
}

async fn patterns(
    cx: &mut Cx,
    texts: &[Vec<u8>],
    flavor: Flavor,
    ignore_case: bool,
) -> Result<Vec<Regex>, Stop> {
    let mut patterns = Vec::new();
    for text in texts {
        match Regex::new(text, Options { flavor, ignore_case, newline: false }) {
            Ok(regex) => patterns.push(regex),
            Err(error) => {
                let message = format!("bad regex '{}': {}", to_text(text), error.message());
                cx.fail(&message).await;
                return Err(2);
            }
        }
    }
    Ok(patterns)
}

impl Grep {
    async fn files(&mut self, cx: &mut Cx, files: Vec<String>) -> Answer {
        let mut matched = false;
        let mut failed = false;
        for path in files {
            let recurse = self.opts.has('r') || self.opts.has('R');
            let found = if path == "-" {
                self.file(cx, 0, "(standard input)").await
            } else if recurse && tree::is_dir(&cx.sys, &path) {
                self.names = self.opts.last_of("Hh") != Some('h');
                self.tree(cx, &path).await
            } else {
                self.named(cx, &path).await
            };
            match found {
                Ok(true) if self.opts.has('q') => return Ok(0),
                Ok(found) => matched |= found,
                Err(()) => failed = true,
            }
        }
        Ok(if failed { 2 } else { i32::from(!matched) })
    }

    async fn tree(&mut self, cx: &mut Cx, dir: &str) -> Result<bool, ()> {
        let mut matched = false;
        let mut failed = false;
        // A link named on the command line is followed, those below are not.
        let mut paths = tree::walk(&cx.sys, dir);
        if paths.len() == 1 {
            let names = cx.sys.readdir(dir).unwrap_or_default();
            let below = names.iter().flat_map(|name| tree::walk(&cx.sys, &tree::join(dir, name)));
            paths.extend(below.collect::<Vec<_>>());
        }
        for path in paths {
            let Ok(stat) = cx.sys.lstat(&path) else { continue };
            let link_to_dir = stat.file_type == FileType::Symlink && tree::is_dir(&cx.sys, &path);
            if stat.file_type == FileType::Dir || link_to_dir {
                continue;
            }
            match self.named(cx, &path).await {
                Ok(true) if self.opts.has('q') => return Ok(true),
                Ok(found) => matched |= found,
                Err(()) => failed = true,
            }
        }
        if failed { Err(()) } else { Ok(matched) }
    }

    async fn named(&mut self, cx: &mut Cx, path: &str) -> Result<bool, ()> {
        match cx.sys.open(path, OpenHow::READ).await {
            Ok(fd) => {
                let found = self.file(cx, fd, path).await;
                let _ = cx.sys.close(fd);
                found
            }
            Err(errno) => {
                if !self.opts.has('s') {
                    cx.fail_on(path, errno).await;
                }
                Err(())
            }
        }
    }

    /// Whether a file counts as a match; an error is an error.
    async fn file(&mut self, cx: &mut Cx, fd: Fd, name: &str) -> Result<bool, ()> {
        let mut state = FileState::default();
        let mut lines = cx.lines(fd);
        loop {
            let line = match lines.next().await {
                Ok(Some(line)) => line,
                Ok(None) | Err(Errno::IsDir) => break,
                Err(Errno::Intr) => continue,
                Err(_) => break,
            };
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let mut out = Vec::new();
            match self.line(line, name, &mut state, &mut out) {
                Ok(None) => cx.put(&out).await,
                Ok(Some(answer)) => {
                    cx.put(&out).await;
                    if let Some(answer) = answer {
                        return Ok(answer);
                    }
                    break;
                }
                Err(TooManySteps) => {
                    cx.sys.limit_reached("grep gave up on a pattern that takes too many steps");
                    cx.fail("Memory exhausted").await;
                    return Err(());
                }
            }
        }
        if self.opts.has('c') {
            let prefix = if self.names { format!("{name}:") } else { String::new() };
            cx.text(&format!("{prefix}{}\n", state.matches)).await;
        }
        if self.opts.has('L') {
            cx.text(&format!("{name}\n")).await;
            return Ok(true);
        }
        Ok(state.matches > 0)
    }

    /// One line; `Some` ends the file, with the file's answer where it is known.
    fn line(
        &mut self,
        line: &[u8],
        name: &str,
        state: &mut FileState,
        out: &mut Vec<u8>,
    ) -> Result<Option<Option<bool>>, TooManySteps> {
        state.line += 1;
        let found = self.matching(line)?;
        if found.is_some() != self.invert {
            state.matches += 1;
            if self.opts.has('q') {
                return Ok(Some(Some(true)));
            }
            if self.opts.has('l') {
                out.extend_from_slice(format!("{name}\n").as_bytes());
                return Ok(Some(Some(true)));
            }
            if self.opts.has('L') {
                return Ok(Some(Some(false)));
            }
            if self.most.is_some_and(|most| state.matches > most) {
                state.matches -= 1;
                return Ok(Some(None));
            }
            if !self.opts.has('c') {
                for (number, held) in std::mem::take(&mut state.held) {
                    self.print(&held, number, b'-', name, state, out);
                }
                state.after_left = self.after;
                match self.opts.has('o') {
                    true => self.only(line, found, name, state, out)?,
                    false => self.print(line, state.line, b':', name, state, out),
                }
            }
        } else if state.after_left > 0 {
            state.after_left -= 1;
            self.print(line, state.line, b'-', name, state, out);
        } else if self.before > 0 {
            if state.held.len() == self.before {
                state.held.pop_front();
            }
            state.held.push_back((state.line, line.to_vec()));
        }
        let enough = self.most == Some(state.matches) && state.after_left == 0;
        Ok(enough.then_some(None))
    }

    /// The pattern that matches a line and where it does.
    fn matching(&self, line: &[u8]) -> Result<Option<Place>, TooManySteps> {
        let whole = self.opts.has('x');
        let word = self.opts.has('w');
        for (i, pattern) in self.patterns.iter().enumerate() {
            if !whole && !word && !self.opts.has('o') {
                if pattern.is_match(line)? {
                    return Ok(Some((i, (0, 0))));
                }
                continue;
            }
            let mut from = 0;
            while let Some(found) = pattern.find_at(line, from)? {
                let range = (found.start(), found.end());
                let good = match (whole, word) {
                    (true, _) => range == (0, line.len()),
                    (_, true) => is_word_range(line, range),
                    _ => true,
                };
                if good {
                    return Ok(Some((i, range)));
                }
                // An empty match would be found again for ever.
                if whole || range.1 == from {
                    break;
                }
                from = range.1;
            }
        }
        Ok(None)
    }

    fn print(
        &mut self,
        line: &[u8],
        number: u64,
        mark: u8,
        name: &str,
        state: &mut FileState,
        out: &mut Vec<u8>,
    ) {
        let context = self.before > 0 || self.after > 0;
        if context && self.printed && state.last_printed + 1 != number {
            out.extend_from_slice(b"--\n");
        }
        self.printed = true;
        state.last_printed = number;
        if self.names {
            out.extend_from_slice(&to_bytes(name));
            out.push(mark);
        }
        if self.opts.has('n') {
            out.extend_from_slice(number.to_string().as_bytes());
            out.push(mark);
        }
        if !(self.opts.has('o') && self.invert) {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }

    /// `-o`: each part that matches on a line of its own.
    fn only(
        &mut self,
        line: &[u8],
        found: Option<(usize, (usize, usize))>,
        name: &str,
        state: &mut FileState,
        out: &mut Vec<u8>,
    ) -> Result<(), TooManySteps> {
        let number = state.line;
        let Some((idx, mut range)) = found else {
            self.print(line, number, b':', name, state, out);
            return Ok(());
        };
        loop {
            if range.1 > range.0 {
                self.print(&line[range.0..range.1], number, b':', name, state, out);
            }
            let from = if range.1 > range.0 { range.1 } else { range.1 + 1 };
            let next = match self.patterns.get(idx) {
                Some(pattern) if from < line.len() => pattern.find_at(line, from)?,
                _ => None,
            };
            match next {
                Some(next) => range = (next.start(), next.end()),
                None => return Ok(()),
            }
        }
    }
}

fn is_word_range(line: &[u8], (start, end): (usize, usize)) -> bool {
    let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let before = start.checked_sub(1).and_then(|i| line.get(i)).is_some_and(word);
    let after = line.get(end).is_some_and(word);
    !before && !after && end > start
}
