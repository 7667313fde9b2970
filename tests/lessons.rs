//! Lesson folders keep their promises, and a folder that breaks them all is told so.

use podlab::export::{Bundle, bundle, cluster_script};
use podlab::lesson::{Folder, Pack, Task, read_lesson};
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `podlab lessons ARGS`: its lines and whether it was content.
fn lessons<A: AsRef<OsStr>>(args: &[A]) -> (String, bool) {
    let run = Command::new(env!("CARGO_BIN_EXE_podlab"))
        .arg("lessons")
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("podlab runs");
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    (text + &String::from_utf8_lossy(&run.stderr), run.status.success())
}

fn check(dir: &str) -> (String, bool) {
    lessons(&["check", dir])
}

#[test]
fn every_lesson_keeps_its_promises() {
    let (lines, content) = check("lessons");
    assert!(content, "\n{lines}");
    assert!(lines.matches("keeps its promises").count() >= 4, "\n{lines}");
}

#[test]
fn a_broken_folder_is_told_what_is_broken() {
    let (lines, content) = check("tests/lessons/broken");
    assert!(!content, "\n{lines}");
    for expected in [
        "catalogue.yaml: there is no lesson sidecar/absent",
        "catalogue.yaml: lesson sidecar/torn is in no track",
        "lesson.md: action `soon delete pod/web`",
        "lesson.md: 1 hints; a lesson has three",
        "a recall question has 0 right answers",
        "lesson.md: variant `wrong-missing` has no file",
        "lesson.md: variant `wrong-source` is made from no `wrong-other`",
        "lesson.md: `wrong-edit` edits a text that is there 0 times: nowhere to be found",
        "alternative-unnamed.yaml: lesson.md names no variant",
        "step `Read only` asks for nothing",
        "the link https://example.com/ leads nowhere",
        "the link lesson:sidecar/none leads nowhere",
        "goal line 1 column 9: `reachs` is not understood here; perhaps `reaches`",
        "task id `a` is there twice",
        "step `Ask`: one prediction a step",
        "step `Ask`: task: unknown field `txt`",
        "the prediction of `Ask` has 2 right choices",
        "variant `wrong-nothing` fails no task `nobody`",
        "2 wrong variants; at least 3 are needed",
        "0 alternatives; at least 2 are needed",
        "lesson.md: 1 recall questions; a lesson has two",
        "lesson.md: the last hint has no gap `______` to be filled",
        "solution.yaml:8: [unknown-field]",
        "solution.yaml: task `a` fails: This goal cannot be read: column 9",
        "debrief.md: `{{never: ran}}` is neither",
        "idle/lesson.md: a recall question is from `sidecar/torn`, which comes no earlier",
        "torn/lesson.md: a recall question is from ``, which is no lesson",
        "idle/lesson.md: the last hint's `kind: ______ never` leads to no good manifest",
        "idle/lesson.md: variant `wrong-same` does not say which task it fails",
        "idle/start.yaml: not so, `It has two names`: In the manifest",
        "idle/lesson.md: a claim is about `nobody`, which is no manifest",
        "idle/lesson.md: an output is of `kubectl get nothing`, which says: ",
        "behaviours.yaml: vague: `perhaps` is no badge",
        "behaviours.yaml: vague: nothing holds its badge",
        "behaviours.yaml: nobody relies on unmet",
        "idle/start.yaml: fulfils every goal before the learner has done anything",
        "idle/wrong-same.yaml: fulfils every goal, yet it is wrong",
        "idle/wrong-too.yaml: fulfils task `named`, which it is said to fail",
        "idle/alternative-fails.yaml: task `named` fails: In the manifest metadata.name is",
        "idle/solution.yaml: the lab does not know the image nobody.example/knows:1",
        "idle/debrief.md: the solution does not show `manifest has metadata.name = db`",
        "idle/wrong-beyond.yaml: at ",
        "debrief.md: the solution does not show `pod web reaches Completed`",
    ] {
        assert!(lines.contains(expected), "no {expected:?} in\n{lines}");
    }
}

/// The folders of all lessons.
fn folders() -> Vec<Folder> {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    let mut found = Vec::new();
    let mut below = vec![dir.clone()];
    while let Some(at) = below.pop() {
        let entries =
            std::fs::read_dir(&at).expect("a folder").map(|e| e.expect("an entry").path());
        let (dirs, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        if files.iter().any(|path| path.ends_with("lesson.md")) {
            let name = |path: &std::path::Path| {
                path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned())
            };
            let text = |path| std::fs::read_to_string(path).expect("text");
            let id = at.strip_prefix(&dir).expect("below").to_string_lossy().into_owned();
            let files = files.iter().map(|path| (name(path), text(path))).collect();
            found.push(Folder { id, files, ..Folder::default() });
        }
        below.extend(dirs);
    }
    found
}

/// Whether a POSIX shell reads the script to its end.
fn is_readable(script: &str) -> bool {
    let mut sh = Command::new("sh")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    sh.stdin.take().expect("piped").write_all(script.as_bytes()).expect("written");
    sh.wait().expect("ended").success()
}

#[test]
fn exported_scripts_are_read_by_a_shell() {
    assert!(!is_readable("if true; then"), "this test could not fail");
    let folders = folders();
    assert!(folders.len() >= 4, "only {} lessons", folders.len());
    for folder in folders {
        let (lesson, _) = read_lesson(&folder);
        let tasks: Vec<Task> = lesson.steps.iter().flat_map(|step| step.tasks.clone()).collect();
        let desired = podlab::check::check(&lesson.solution).desired;
        let about = Bundle {
            name: "lesson",
            title: &lesson.card.title,
            tasks: &tasks,
            actions: &lesson.actions,
            run_secs: lesson.run_secs,
            needs: &lesson.needs,
        };
        let script = cluster_script(&about, &desired);
        assert!(is_readable(&script), "{}:\n{script}", folder.id);
        let zip = bundle(&about, &lesson.solution, &desired);
        let kept = zip.windows(lesson.solution.len()).any(|w| w == lesson.solution.as_bytes());
        assert!(kept, "{}: the manifest is not in the zip as it was", folder.id);
    }
}

/// What is wrong with a table of coverage, a line each.
fn uncovered(table: &str, lessons: &[String], words: &[String]) -> Vec<String> {
    const COUNTS: [(&str, &[(&str, usize)]); 3] = [
        ("manifests", &[("000", 5), ("001", 4), ("002", 28), ("004", 1)]),
        ("checklists", &[("000", 18), ("002", 14)]),
        ("troubleshooting", &[("000", 3), ("002", 6), ("003", 4)]),
    ];
    let table: serde_yaml::Value = serde_yaml::from_str(table).expect("YAML");
    let mut found = Vec::new();
    for (part, counts) in COUNTS {
        let rows = table[part].as_sequence().cloned().unwrap_or_default();
        let items: Vec<&str> = rows.iter().filter_map(|row| row["item"].as_str()).collect();
        let expected: Vec<String> = (counts.iter())
            .flat_map(|(text, n)| (1..=*n).map(move |i| format!("{text}/{i}")))
            .collect();
        if items != expected {
            found.push(format!("{part}: {items:?} instead of {expected:?}"));
        }
        for row in &rows {
            let taught = row["lessons"].as_sequence().cloned().unwrap_or_default();
            let told = row["glossary"].as_str().unwrap_or_default();
            let reason = row["not_yet"].as_str().unwrap_or_default();
            if (taught.is_empty() && told.is_empty()) == reason.is_empty() {
                found.push(format!("{part} {:?}: lessons, a word, or why not", row["item"]));
            }
            if !told.is_empty() && !words.iter().any(|word| word == told) {
                found.push(format!("{part} {:?}: nobody explains {told:?}", row["item"]));
            }
            for id in taught {
                if !lessons.iter().any(|lesson| Some(lesson.as_str()) == id.as_str()) {
                    found.push(format!("{part} {:?}: there is no lesson {id:?}", row["item"]));
                }
            }
        }
    }
    found
}

#[test]
fn the_tutorials_are_covered() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons/coverage.yaml");
    let table = std::fs::read_to_string(&path).expect("the table");
    let lessons: Vec<String> = folders().into_iter().map(|folder| folder.id).collect();
    let words = std::fs::read_to_string(path.with_file_name("glossary.yaml")).expect("words");
    let words: std::collections::BTreeMap<String, serde_yaml::Value> =
        serde_yaml::from_str(&words).expect("YAML");
    let words: Vec<String> = words.into_keys().collect();
    let uncovered = |table: &str| uncovered(table, &lessons, &words);
    assert_eq!(uncovered(&table), Vec::<String>::new());
    // The same with a line less, a lesson that is not there, and a line that says nothing.
    let short = table.replacen("  - {item: 001/1,", "  - {item: 001/9,", 1);
    assert_eq!(uncovered(&short).len(), 1);
    let torn = table.replacen("[init/first-init]", "[init/nowhere]", 1);
    assert_eq!(uncovered(&torn).len(), 1);
    let mute = table.replacen("lessons: [init/first-init]", "lessons: []", 1);
    assert_eq!(uncovered(&mute).len(), 1);
    let dumb = table.replacen("glossary: runbook", "glossary: nobody knows", 1);
    assert_eq!(uncovered(&dumb).len(), 1);
}

/// A lesson's folder, into another directory.
fn copy(id: &str, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons").join(id);
    for entry in std::fs::read_dir(from).expect("the lesson").map(|e| e.expect("an entry")) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
    }
}

fn pack(dir: &std::path::Path, file: &std::path::Path) -> (String, bool) {
    lessons(&["pack".as_ref(), dir.as_os_str(), "-o".as_ref(), file.as_os_str()])
}

#[test]
fn a_folder_becomes_a_pack_if_it_keeps_its_promises() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pack");
    let own = dir.join("sidecar/last-words");
    copy("sidecar/last-words", &own);
    let tracks =
        "title: Ours\ntracks:\n  - {slug: sidecar, title: S, summary: s, lessons: [last-words]}\n";
    std::fs::write(dir.join("catalogue.yaml"), tracks).expect("written");
    let file = dir.join("team-basics.zip");
    let (lines, content) = pack(&dir, &file);
    assert!(content, "\n{lines}");
    let read = Pack::from_zip(&std::fs::read(&file).expect("the zip")).expect("a pack");
    assert_eq!((read.index.name.as_str(), read.index.title.as_str()), ("team-basics", "Ours"));
    let lesson = read.lesson("team-basics/sidecar/last-words").expect("the lesson");
    let settled = lesson.steps.iter().filter_map(|s| s.prediction.as_ref()?.settled.as_ref());
    assert_eq!(settled.count(), 1);
    // Our own prose passes as it is.
    assert_eq!(lesson.steps[0].html, lessons_html(&own));

    std::fs::remove_file(&file).expect("there");
    std::fs::remove_file(own.join("wrong-order.yaml")).expect("there");
    let (lines, content) = pack(&dir, &file);
    assert!(!content && !file.exists(), "\n{lines}");
    assert!(lines.contains("variant `wrong-order` has no file"), "\n{lines}");
}

#[test]
fn the_guides_own_lesson_keeps_its_promises() {
    let guide = include_str!("../lessons/README.md");
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    let own = dir.join("ours/first");
    std::fs::create_dir_all(&own).expect("a folder");
    let files = guide.split("\n````text ").skip(1).map(|rest| {
        let block = rest.split("\n````").next().unwrap_or_default();
        block.split_once('\n').expect("a name and a text")
    });
    let names: Vec<&str> = files
        .map(|(name, text)| {
            std::fs::write(own.join(name), text.to_owned() + "\n").expect("written");
            name
        })
        .collect();
    assert_eq!(names, ["start.yaml", "lesson.md", "debrief.md"]);
    // A pack, since its questions from memory are about a lesson of ours.
    let tracks = "title: T\ntracks:\n  - {slug: ours, title: O, summary: s, lessons: [first]}\n";
    std::fs::write(dir.join("catalogue.yaml"), tracks).expect("written");
    let (lines, content) = check(&dir.to_string_lossy());
    assert!(content, "\n{lines}");
}

/// The first step of a lesson as its folder has it.
fn lessons_html(dir: &std::path::Path) -> String {
    let text = std::fs::read_to_string(dir.join("lesson.md")).expect("text");
    let files = [("lesson.md".to_owned(), text)].into();
    let folder = Folder { id: "sidecar/last-words".into(), files, ..Folder::default() };
    read_lesson(&folder).0.steps[0].html.clone()
}
