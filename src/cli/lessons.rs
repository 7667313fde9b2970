//! `podlab lessons`: checks what lesson folders promise, and builds what the page downloads.

use crate::lesson::{Folder, account, broken_promises, read_catalogue, read_lesson, settle};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: podlab lessons check [DIR]        a line for each broken promise
       podlab lessons build OUT [DIR]    index.bin and TRACK-SLUG.bin for the page
       podlab lessons tell TRACK/SLUG    how each manifest of a lesson fares, goal by goal

DIR holds catalogue.yaml and TRACK/SLUG/ folders; `lessons` where it is not given.";

pub(super) fn run(args: &[String]) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["check"] => check(Path::new("lessons")),
        ["check", dir] if !dir.starts_with('-') => check(Path::new(dir)),
        ["build", out] => build(Path::new(out), Path::new("lessons")),
        ["build", out, dir] => build(Path::new(out), Path::new(dir)),
        ["tell", id] => tell(Path::new("lessons"), id),
        ["--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("podlab: {error}");
            ExitCode::from(2)
        }
    }
}

/// Prints what is broken and a line on each lesson; the number of broken promises.
fn check(dir: &Path) -> Result<usize, String> {
    let (folders, catalogue) = load(dir)?;
    let ids: BTreeSet<String> = folders.iter().map(|folder| folder.id.clone()).collect();
    let mut cards = Vec::new();
    let mut n_broken = 0;
    for folder in &folders {
        cards.push(read_lesson(folder).0.card);
        let broken = broken_promises(folder, &ids);
        for sentence in &broken {
            println!("{}/{sentence}", folder.id);
        }
        if broken.is_empty() {
            println!("{}: keeps its promises", folder.id);
        }
        n_broken += broken.len();
    }
    let (_, problems) = read_catalogue(&catalogue, &cards);
    for sentence in &problems {
        println!("{sentence}");
    }
    Ok(n_broken + problems.len())
}

/// Prints what came of each manifest of one lesson.
fn tell(dir: &Path, id: &str) -> Result<usize, String> {
    let folder = Folder { files: texts(&dir.join(id))?, id: id.to_owned() };
    let (lesson, problems) = read_lesson(&folder);
    for sentence in &problems {
        println!("{sentence}");
    }
    let variants = lesson.variants.iter().map(|variant| variant.name.as_str());
    for name in ["start", "solution"].into_iter().chain(variants) {
        println!("{}", account(&lesson, name).unwrap_or_default());
    }
    Ok(problems.len())
}

/// Writes what the page downloads; refuses to where a folder cannot be read.
fn build(out: &Path, dir: &Path) -> Result<usize, String> {
    let (folders, catalogue) = load(dir)?;
    let mut cards = Vec::new();
    let mut problems = Vec::new();
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    for folder in &folders {
        let (mut lesson, found) = read_lesson(folder);
        settle(&mut lesson);
        problems.extend(found.into_iter().map(|sentence| format!("{}/{sentence}", folder.id)));
        write(&out.join(format!("{}.bin", folder.id.replace('/', "-"))), &lesson)?;
        cards.push(lesson.card);
    }
    let (catalogue, found) = read_catalogue(&catalogue, &cards);
    problems.extend(found);
    write(&out.join("index.bin"), &catalogue)?;
    for sentence in &problems {
        eprintln!("{sentence}");
    }
    Ok(problems.len())
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = postcard::to_allocvec(value).map_err(|error| told(&error))?;
    fs::write(path, bytes).map_err(|error| told(&error))
}

/// The lesson folders of a directory in order, and its catalogue.
fn load(dir: &Path) -> Result<(Vec<Folder>, String), String> {
    let catalogue = dir.join("catalogue.yaml");
    let text = fs::read_to_string(&catalogue)
        .map_err(|error| format!("{}: {error}", catalogue.display()))?;
    let mut folders = Vec::new();
    for track in directories(dir)? {
        for lesson in directories(&dir.join(&track))? {
            let id = format!("{track}/{lesson}");
            folders.push(Folder { files: texts(&dir.join(&id))?, id });
        }
    }
    Ok((folders, text))
}

fn directories(dir: &Path) -> Result<Vec<String>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(told)? {
        let entry = entry.map_err(told)?;
        if entry.path().is_dir() {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    Ok(found)
}

fn texts(dir: &Path) -> Result<BTreeMap<String, String>, String> {
    let told = |error: std::io::Error| format!("{}: {error}", dir.display());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(told)? {
        let entry = entry.map_err(told)?;
        if entry.path().is_file() {
            let text = fs::read_to_string(entry.path())
                .map_err(|error| format!("{}: {error}", entry.path().display()))?;
            found.insert(entry.file_name().to_string_lossy().into_owned(), text);
        }
    }
    Ok(found)
}
