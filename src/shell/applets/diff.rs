//! `diff`: two files, unified. Models editors/diff.c's output; directories are not compared.

use super::Answer;
use super::common::{Cx, Opts, number, tree};

/// Lines on each side; more would take too long to compare.
const LINES_MAX: usize = 3000;

/// One step of the way from the first file to the second.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Same,
    Removed,
    Added,
}

pub(super) async fn run(cx: &mut Cx) -> Answer {
    cx.usage_status = 2;
    let opts = cx.opts("abdiL:NqrsS:tTU:wuB", "").await?;
    let [first, second] = &opts.rest[..] else { return Err(cx.usage().await) };
    let context = match opts.value('U').map(number::digits) {
        None => 3,
        Some(Some(n)) => n as usize,
        Some(None) => return Err(cx.usage().await),
    };
    if first == "-" && second == "-" {
        return Ok(0);
    }
    let inside = |dir: &str, other: &str| match tree::is_dir(&cx.sys, dir) {
        true => tree::join(dir, tree::last_part(other)),
        false => dir.to_owned(),
    };
    if first != "-" && tree::is_dir(&cx.sys, first) && tree::is_dir(&cx.sys, second) {
        return Err(cx.not_simulated("of two directories").await);
    }
    let paths = [inside(first, second), inside(second, first)];
    let mut texts = Vec::new();
    for path in &paths {
        match read(cx, &opts, path).await {
            Some(text) => texts.push(text),
            None => return Ok(2),
        }
    }
    let (a, b) = (lines(&texts[0]), lines(&texts[1]));
    if a.len().max(b.len()) > LINES_MAX {
        cx.sys.limit_reached("diff compares files of up to 3000 lines");
        return Err(cx.die("files are too long").await);
    }
    cx.sys.burn((a.len() * b.len()) as u64 / 100).await;
    let steps = steps(&a, &b, |line| comparable(line, &opts));
    if steps.iter().all(|step| *step == Step::Same) {
        if opts.has('s') {
            cx.text(&format!("Files {} and {} are identical\n", paths[0], paths[1])).await;
        }
        return Ok(0);
    }
    if opts.has('q') {
        cx.text(&format!("Files {} and {} differ\n", paths[0], paths[1])).await;
        return Ok(1);
    }
    let labels: Vec<&str> = opts.values('L').collect();
    let label = |i: usize| labels.get(i).copied().unwrap_or(&paths[i]).to_owned();
    cx.text(&format!("--- {}\n+++ {}\n", label(0), label(1))).await;
    let mut out = Vec::new();
    hunks(&steps, &a, &b, context, &mut out);
    cx.put(&out).await;
    Ok(1)
}

async fn read(cx: &mut Cx, opts: &Opts, path: &str) -> Option<Vec<u8>> {
    if opts.has('N') && path != "-" && cx.sys.stat(path).is_err() {
        return Some(Vec::new());
    }
    if path == "-" {
        return cx.read_input(path).await;
    }
    match cx.sys.read_file(path).await {
        Ok(data) => Some(data),
        Err(errno) => {
            cx.fail_on(&format!("can't stat '{path}'"), errno).await;
            None
        }
    }
}

fn lines(data: &[u8]) -> Vec<&[u8]> {
    data.split_inclusive(|b| *b == b'\n').collect()
}

/// A line as it is compared under `-i -b -w`.
fn comparable(line: &[u8], opts: &Opts) -> Vec<u8> {
    let mut out = line.to_vec();
    if opts.has('i') {
        out.make_ascii_lowercase();
    }
    if opts.has('w') {
        out.retain(|b| !b.is_ascii_whitespace());
    } else if opts.has('b') {
        let words = out.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let front = if line.first().is_some_and(|b| *b == b' ' || *b == b'\t') { " " } else { "" };
        out = [front.as_bytes(), &words.collect::<Vec<_>>().join(&b' ')].concat();
    }
    out
}

/// The way with the most lines kept, by the longest common subsequence.
fn steps(a: &[&[u8]], b: &[&[u8]], key: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Step> {
    let a: Vec<Vec<u8>> = a.iter().map(|line| key(line)).collect();
    let b: Vec<Vec<u8>> = b.iter().map(|line| key(line)).collect();
    let width = b.len() + 1;
    let mut best = vec![0_u16; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            best[i * width + j] = match a[i] == b[j] {
                true => best[(i + 1) * width + j + 1] + 1,
                false => best[(i + 1) * width + j].max(best[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < a.len() || j < b.len() {
        let step = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y => Step::Same,
            (Some(_), None) => Step::Removed,
            (Some(_), Some(_)) if best[(i + 1) * width + j] >= best[i * width + j + 1] => {
                Step::Removed
            }
            _ => Step::Added,
        };
        i += usize::from(step != Step::Added);
        j += usize::from(step != Step::Removed);
        steps.push(step);
    }
    steps
}

/// Groups of changes with their context.
fn hunks(steps: &[Step], a: &[&[u8]], b: &[&[u8]], context: usize, out: &mut Vec<u8>) {
    let changed: Vec<usize> =
        steps.iter().enumerate().filter(|(_, s)| **s != Step::Same).map(|(i, _)| i).collect();
    let mut at = 0;
    while let Some(&first) = changed.get(at) {
        let mut last = first;
        while let Some(&next) = changed.get(at).filter(|next| **next <= last + 2 * context + 1) {
            last = next;
            at += 1;
        }
        let range = first.saturating_sub(context)..(last + context + 1).min(steps.len());
        let before = |kinds: [Step; 2], to: usize| {
            steps[..to].iter().filter(|step| kinds.contains(step)).count()
        };
        let (olds, news) = ([Step::Same, Step::Removed], [Step::Same, Step::Added]);
        let (mut i, mut j) = (before(olds, range.start), before(news, range.start));
        let (n_old, n_new) = (before(olds, range.end) - i, before(news, range.end) - j);
        let place = |start: usize, n: usize| match n {
            0 => format!("{start},0"),
            1 => format!("{}", start + 1),
            n => format!("{},{n}", start + 1),
        };
        let header = format!("@@ -{} +{} @@\n", place(i, n_old), place(j, n_new));
        out.extend_from_slice(header.as_bytes());
        for step in &steps[range] {
            let (mark, line) = match step {
                Step::Same => (b' ', a.get(i)),
                Step::Removed => (b'-', a.get(i)),
                Step::Added => (b'+', b.get(j)),
            };
            i += usize::from(*step != Step::Added);
            j += usize::from(*step != Step::Removed);
            let line = line.copied().unwrap_or(&[]);
            out.push(mark);
            out.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                out.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    }
}
