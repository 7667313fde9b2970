//! `podlab lessons`: checks what lesson folders promise, and builds what the page downloads.

use crate::export::zip;
use crate::lesson::{
    Around, Behaviours, Card, Findings, Folder, Glossary, Lesson, Pack, Relied, account,
    broken_promises, catalogue_title, language_of, name_tracks, read_behaviours, read_catalogue,
    read_glossary, read_lesson, relied, settle, translation_problems, write_pack,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

const USAGE: &str = "usage: podlab lessons check [DIR]        a line for each broken promise
       podlab lessons check TRACK/SLUG   of one lesson only
       podlab lessons build OUT [DIR]    index.bin and TRACK-SLUG.bin for the page
       podlab lessons tell TRACK/SLUG    how each manifest of a lesson fares, goal by goal
       podlab lessons pack DIR -o FILE.zip   lessons for a page that is built already
       podlab lessons visit TRACK/SLUG FILE  what a page asks its worker in that lesson

DIR holds catalogue.yaml and TRACK/SLUG/ folders; `lessons` where it is not given.";

pub(super) fn run(args: &[String]) -> ExitCode {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["check"] => check(Path::new("lessons"), None),
        ["check", id] if Path::new("lessons").join(id).join("lesson.md").is_file() => {
            check(Path::new("lessons"), Some(id))
        }
        ["check", dir] if !dir.starts_with('-') => check(Path::new(dir), None),
        ["build", out] => build(Path::new(out), Path::new("lessons")),
        ["build", out, dir] => build(Path::new(out), Path::new(dir)),
        ["tell", id] => tell(Path::new("lessons"), id),
        ["pack", dir, "-o", file] => pack(Path::new(dir), Path::new(file)),
        ["visit", id, file] => visit(Path::new("lessons"), id, Path::new(file)),
        ["--help" | "-h"] => {
            say!("{USAGE}");
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

/// Prints what is broken and a line on each lesson, or on `only` one; the number of broken
/// promises.
fn check(dir: &Path, only: Option<&str>) -> Result<usize, String> {
    let Shelf { mut folders, files, mut problems } = load(dir)?;
    let ids = in_order(&folders, &files);
    folders.retain(|folder| only.is_none_or(|id| folder.id == id));
    let behaviours = behaviours_of(&files, "", &mut problems);
    let mut unmet: BTreeSet<String> = behaviours.keys().map(str::to_owned).collect();
    let mut cards = Vec::new();
    let mut n_broken = 0;
    let is_pack = !catalogue_title(catalogue_of(&files)).is_empty();
    let around = Around { lessons: &ids, is_pack, behaviours: &behaviours };
    for (folder, found) in folders.iter().zip(all_broken(&folders, &around)) {
        let Findings { broken, relies } = found;
        unmet.retain(|key| !relies.contains(key));
        cards.push(read_lesson(folder).0.card);
        for sentence in &broken {
            say!("{}/{sentence}", folder.id);
        }
        if broken.is_empty() {
            say!("{}: keeps its promises", folder.id);
        }
        n_broken += broken.len();
    }
    if only.is_none() {
        problems.extend(read_catalogue(catalogue_of(&files), &cards).1);
        problems.extend(unmet.iter().map(|key| format!("{BEHAVIOURS}: nobody relies on {key}")));
    }
    for sentence in &problems {
        say!("{sentence}");
    }
    Ok(n_broken + problems.len())
}

/// The ids of all lessons, in the catalogue's order; those that it leaves out stand behind.
fn in_order(folders: &[Folder], files: &BTreeMap<String, String>) -> Vec<String> {
    let card = |folder: &Folder| Card { id: folder.id.clone(), ..Card::default() };
    let cards: Vec<Card> = folders.iter().map(card).collect();
    let catalogue = read_catalogue(catalogue_of(files), &cards).0;
    let listed = catalogue.tracks.into_iter().flat_map(|track| track.lessons);
    let mut ids: Vec<String> = listed.map(|card| card.id).collect();
    for folder in folders {
        if !ids.contains(&folder.id) {
            ids.push(folder.id.clone());
        }
    }
    ids
}

/// What is broken in each folder, in their order. Each is checked on its own, so all processors
/// of the machine share them.
fn all_broken(folders: &[Folder], around: &Around) -> Vec<Findings> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![Findings::default(); folders.len()]);
    let work = || {
        loop {
            let idx = next.fetch_add(1, Ordering::Relaxed);
            let Some(folder) = folders.get(idx) else { return };
            let mut here = broken_promises(folder, around);
            here.broken.extend(translation_problems(folder));
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(own) = found.get_mut(idx) {
                *own = here;
            }
        }
    };
    let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..n_threads).for_each(|_| drop(scope.spawn(work))));
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The lessons' titles in a language, by id.
fn titles(folders: &[Folder], language: &str) -> BTreeMap<String, String> {
    let title = |folder: &Folder| read_lesson(&folder.in_language(language)).0.card.title;
    folders.iter().map(|folder| (folder.id.clone(), title(folder))).collect()
}

/// Whoever answers a recall question otherwise finds the way back to where it was taught.
fn lead_back(lesson: &mut Lesson, titles: &BTreeMap<String, String>) {
    for recall in &mut lesson.recall {
        let Some(title) = titles.get(&recall.from) else { continue };
        let link = format!(" <a href=\"#/lesson/{}\">{title}</a>", recall.from);
        for answer in recall.answers.iter_mut().filter(|answer| !answer.right) {
            answer.reply.push_str(&link);
        }
    }
}

/// Prints what came of each manifest of one lesson.
fn tell(dir: &Path, id: &str) -> Result<usize, String> {
    let folder = Folder { files: texts(&dir.join(id))?, id: id.to_owned(), ..Folder::default() };
    let (lesson, problems) = read_lesson(&folder);
    for sentence in &problems {
        say!("{sentence}");
    }
    let variants = lesson.variants.iter().map(|variant| variant.name.as_str());
    for name in ["start", "solution"].into_iter().chain(variants) {
        say!("{}", account(&lesson, name).unwrap_or_default());
    }
    Ok(problems.len())
}

/// Writes what the page downloads, once for each language; refuses to where a folder cannot be
/// read.
fn build(out: &Path, dir: &Path) -> Result<usize, String> {
    let Shelf { folders, files, mut problems } = load(dir)?;
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut languages: BTreeSet<String> = folders.iter().flat_map(Folder::languages).collect();
    languages.extend(files.keys().filter_map(|name| language_of(name)).map(str::to_owned));
    let mut trusted: BTreeMap<String, Relied> = BTreeMap::new();
    for language in [String::new()].iter().chain(&languages) {
        let glossary = glossary_of(&files, language, &mut problems);
        let behaviours = behaviours_of(&files, language, &mut problems);
        let end = if language.is_empty() { ".bin".to_owned() } else { format!(".{language}.bin") };
        let mut cards = Vec::new();
        let titles = titles(&folders, language);
        for folder in &folders {
            let told = Folder { glossary: glossary.clone(), ..folder.in_language(language) };
            let (mut lesson, found) = read_lesson(&told);
            settle(&mut lesson);
            lead_back(&mut lesson, &titles);
            let entry = trusted.entry(folder.id.clone());
            let relied = entry.or_insert_with(|| relied(&lesson, &behaviours));
            if let Some(step) = lesson.steps.last_mut() {
                step.html.push_str(&behaviours.told(relied));
            }
            problems.extend(found.into_iter().map(|sentence| format!("{}/{sentence}", folder.id)));
            lesson.card.version = read_lesson(folder).0.card.version;
            write(&out.join(format!("{}{end}", folder.id.replace('/', "-"))), &lesson)?;
            cards.push(lesson.card);
        }
        let (mut catalogue, found) = read_catalogue(catalogue_of(&files), &cards);
        problems.extend(found);
        let name = format!("catalogue.{language}.yaml");
        if let Some(text) = files.get(&name) {
            let found = name_tracks(&mut catalogue, text);
            problems.extend(found.into_iter().map(|sentence| format!("{name}: {sentence}")));
        }
        catalogue.languages = languages.iter().cloned().collect();
        let words = files.get(&format!("page.{language}.yaml"));
        let words = words.map(|text| serde_yaml::from_str::<BTreeMap<String, String>>(text));
        match words.unwrap_or_else(|| Ok(BTreeMap::new())) {
            Ok(words) => catalogue.words = words.into_iter().collect(),
            Err(error) => problems.push(format!("page.{language}.yaml: {error}")),
        }
        write(&out.join(format!("index{end}")), &catalogue)?;
    }
    for sentence in &problems {
        eprintln!("{sentence}");
    }
    Ok(problems.len())
}

/// Writes the zip that the page takes; refuses to where the lessons do not keep their promises.
fn pack(dir: &Path, out: &Path) -> Result<usize, String> {
    let n_broken = check(dir, None)?;
    if n_broken > 0 {
        return Ok(n_broken);
    }
    let Shelf { folders, files, .. } = load(dir)?;
    let lessons: Vec<Lesson> = (folders.iter())
        .map(|folder| {
            let mut lesson = read_lesson(folder).0;
            settle(&mut lesson);
            lesson
        })
        .collect();
    let cards: Vec<Card> = lessons.iter().map(|lesson| lesson.card.clone()).collect();
    let catalogue = read_catalogue(catalogue_of(&files), &cards).0;
    let name = out.file_stem().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let title = Some(catalogue_title(catalogue_of(&files))).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| name.clone());
    let zip = zip(&write_pack(&name, &title, &catalogue, &lessons)?);
    Pack::from_zip(&zip)?;
    fs::write(out, &zip).map_err(|error| format!("{}: {error}", out.display()))?;
    say!("{}: {} lessons, {} bytes", out.display(), lessons.len(), zip.len());
    Ok(0)
}

/// Writes what a person who does a lesson has the page ask.
fn visit(dir: &Path, id: &str, out: &Path) -> Result<usize, String> {
    let folder = Folder { files: texts(&dir.join(id))?, id: id.to_owned(), ..Folder::default() };
    let (lesson, problems) = read_lesson(&folder);
    let told = |error: std::io::Error| format!("{}: {error}", out.display());
    fs::write(out, super::visit::visit(&lesson)).map_err(told)?;
    Ok(problems.len())
}

fn catalogue_of(files: &BTreeMap<String, String>) -> &str {
    files.get("catalogue.yaml").map_or("", String::as_str)
}

fn glossary_of(
    files: &BTreeMap<String, String>,
    language: &str,
    problems: &mut Vec<String>,
) -> Arc<Glossary> {
    let name = match language {
        "" => "glossary.yaml".to_owned(),
        _ => format!("glossary.{language}.yaml"),
    };
    let Some(text) = files.get(&name) else { return Arc::default() };
    let (glossary, found) = read_glossary(&name, text);
    problems.extend(found);
    Arc::new(glossary)
}

const BEHAVIOURS: &str = "behaviours.yaml";

/// What lessons rely on, told in a language.
fn behaviours_of(
    files: &BTreeMap<String, String>,
    language: &str,
    problems: &mut Vec<String>,
) -> Behaviours {
    let Some(text) = files.get(BEHAVIOURS) else { return Behaviours::default() };
    let (mut behaviours, found) = read_behaviours(BEHAVIOURS, text);
    problems.extend(found);
    let name = format!("behaviours.{language}.yaml");
    if let Some(text) = files.get(&name) {
        problems.extend(behaviours.translate(&name, text));
    }
    behaviours
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = postcard::to_allocvec(value).map_err(|error| told(&error))?;
    fs::write(path, bytes).map_err(|error| told(&error))
}

/// What lies in a directory of lessons.
struct Shelf {
    /// In order of their names.
    folders: Vec<Folder>,
    /// `catalogue.yaml` and its neighbours.
    files: BTreeMap<String, String>,
    problems: Vec<String>,
}

fn load(dir: &Path) -> Result<Shelf, String> {
    if !dir.is_dir() {
        let name = dir.display();
        return Err(format!("{name}: neither a folder of lessons nor TRACK/SLUG below lessons/"));
    }
    let files = texts(dir)?;
    if !files.contains_key("catalogue.yaml") {
        return Err(format!("{}: there is no catalogue.yaml", dir.display()));
    }
    let mut problems = Vec::new();
    let glossary = glossary_of(&files, "", &mut problems);
    let mut folders = Vec::new();
    for track in directories(dir)? {
        for lesson in directories(&dir.join(&track))? {
            let id = format!("{track}/{lesson}");
            let glossary = glossary.clone();
            folders.push(Folder { files: texts(&dir.join(&id))?, id, glossary });
        }
    }
    Ok(Shelf { folders, files, problems })
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
