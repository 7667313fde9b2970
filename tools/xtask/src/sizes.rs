//! What a visitor downloads: each file of dist/ raw, gzip and brotli, and the budget.

use crate::run::{Done, command, root};
use std::process::Stdio;

/// Brotli bytes for all that the first lesson needs: what we want.
const FIRST_LESSON_AIM: u64 = 400 * 1024;
/// What it must not grow past until then; it may only be lowered. Builds differ by some hundred
/// bytes.
const FIRST_LESSON_MAX: u64 = 765_000;
const EDITOR_MAX: u64 = 120 * 1024;

pub struct Size {
    pub name: String,
    pub raw: u64,
    pub gzip: u64,
    pub brotli: u64,
}

/// Measures with Node's zlib, which has brotli; Rust's own library has no compression.
pub fn measure() -> Done<Vec<Size>> {
    const SCRIPT: &str = include_str!("sizes.mjs");
    let mut node = command("node", &["--input-type=module", "-e", SCRIPT]);
    node.arg(root().join("dist")).stderr(Stdio::inherit());
    let output = node.output().map_err(|e| format!("node did not start: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |line: &str| {
        let mut words = line.split('\t');
        let name = words.next()?.to_owned();
        let mut number = || words.next()?.parse().ok();
        Some(Size { name, raw: number()?, gzip: number()?, brotli: number()? })
    };
    let sizes: Vec<Size> = text.lines().filter_map(line).collect();
    if sizes.is_empty() { Err("dist/ is empty: cargo xtask build".to_owned()) } else { Ok(sizes) }
}

pub fn print() -> Done {
    let sizes = measure()?;
    println!("{:>9} {:>9} {:>9}  file", "raw", "gzip", "brotli");
    for Size { name, raw, gzip, brotli } in &sizes {
        println!("{raw:>9} {gzip:>9} {brotli:>9}  {name}");
    }
    let total = first_lesson(&sizes);
    println!(
        "first lesson: {total} bytes of brotli; {FIRST_LESSON_MAX} at most, {FIRST_LESSON_AIM} wanted"
    );
    Ok(())
}

/// The sum over what opening the first lesson loads: all but what is asked for later or never
/// (icons of an installed page, licences, reference data, parts of the engine), and of the lessons
/// one catalogue, in the language whose own is largest, and the largest lesson.
fn first_lesson(sizes: &[Size]) -> u64 {
    let needed = |s: &&Size| {
        let lesson = s.name.starts_with("lessons-");
        let later = [".png", ".txt", ".json"].iter().any(|end| s.name.ends_with(end));
        // Chunks are what several parts share; later comes what the first lesson does not run.
        let part = ["/split_", "/chunk_", "_later."].iter().any(|kind| s.name.contains(kind));
        !lesson && !later && !part && s.name != "sw.js"
    };
    let lessons = sizes.iter().filter(|s| s.name.starts_with("lessons-"));
    let (catalogues, lessons): (Vec<&Size>, Vec<&Size>) =
        lessons.partition(|s| s.name.contains("/index."));
    let largest = |of: Vec<&Size>| of.iter().map(|s| s.brotli).max().unwrap_or(0);
    let rest: u64 = sizes.iter().filter(needed).map(|s| s.brotli).sum();
    rest + largest(catalogues) + largest(lessons)
}

/// The sentences of a broken budget.
pub fn over_budget(sizes: &[Size]) -> Vec<String> {
    let mut found = Vec::new();
    let total = first_lesson(sizes);
    if total > FIRST_LESSON_MAX {
        found.push(format!("the first lesson needs {total} bytes, {FIRST_LESSON_MAX} at most"));
    }
    for size in sizes.iter().filter(|s| s.name.starts_with("editor-") && s.brotli > EDITOR_MAX) {
        found.push(format!("{}: {} bytes, {EDITOR_MAX} at most", size.name, size.brotli));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(name: &str, brotli: u64) -> Size {
        Size { name: name.to_owned(), raw: brotli, gzip: brotli, brotli }
    }

    #[test]
    fn counts_the_catalogue_and_one_lesson() {
        let sizes = [
            size("index.html", 1),
            size("lessons-0/index.bin", 10),
            size("lessons-0/index.de.bin", 20),
            size("lessons-0/a.bin", 100),
            size("lessons-0/b.bin", 200),
            size("icon-512.png", 1000),
            size("worker-0/split_programs.wasm", 1000),
            size("worker-0/chunk_5.wasm", 1000),
        ];
        assert_eq!(first_lesson(&sizes), 221);
        assert_eq!(over_budget(&sizes).len(), 0);
    }

    #[test]
    fn a_heavy_site_is_over_budget() {
        let sizes = [size("editor-0.js", 130_000), size("podlab-0_bg.wasm", 1_000_000)];
        assert_eq!(over_budget(&sizes).len(), 2);
    }
}
