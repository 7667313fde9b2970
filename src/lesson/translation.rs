//! Lessons in other languages: `lesson.de.md` beside `lesson.md`. What is not translated stays
//! English; what is has to ask and check the same. Native only.

use super::{Catalogue, Folder, Lesson, read_lesson};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// `de` of `lesson.de.md` and `glossary.de.yaml`; None for a file of no language.
pub fn language_of(name: &str) -> Option<&str> {
    let mut parts = name.split('.');
    let (stem, language) = (parts.next()?, parts.next()?);
    let known =
        ["lesson", "debrief", "glossary", "catalogue", "page", "behaviours"].contains(&stem);
    let short = language.len() == 2 && language.bytes().all(|b| b.is_ascii_lowercase());
    (known && short && parts.next().is_some()).then_some(language)
}

impl Folder {
    /// Languages that some of its prose is written in, English aside.
    pub fn languages(&self) -> BTreeSet<String> {
        self.files.keys().filter_map(|name| language_of(name)).map(str::to_owned).collect()
    }

    /// The same lesson in a language; English where nothing is translated.
    pub fn in_language(&self, language: &str) -> Folder {
        let mut folder = self.clone();
        for stem in ["lesson", "debrief"] {
            if let Some(text) = self.files.get(&format!("{stem}.{language}.md")) {
                folder.files.insert(format!("{stem}.md"), text.clone());
            }
        }
        folder
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackNames {
    title: String,
    summary: String,
}

/// Gives the tracks their names in a language, by slug; what the text leaves out stays English.
pub fn name_tracks(catalogue: &mut Catalogue, text: &str) -> Vec<String> {
    let mut names = match serde_yaml::from_str::<BTreeMap<String, TrackNames>>(text) {
        Ok(names) => names,
        Err(error) => return vec![error.to_string()],
    };
    for track in &mut catalogue.tracks {
        if let Some(own) = names.remove(&track.slug) {
            (track.title, track.summary) = (own.title, own.summary);
        }
    }
    names.into_keys().map(|slug| format!("there is no track {slug}")).collect()
}

/// What a translation does otherwise than the lesson itself, a sentence each.
pub fn translation_problems(folder: &Folder) -> Vec<String> {
    let mut problems = Vec::new();
    let english = asked(&read_lesson(folder).0);
    for language in folder.languages() {
        let (lesson, found) = read_lesson(&folder.in_language(&language));
        problems.extend(found.into_iter().map(|sentence| format!("in {language}: {sentence}")));
        let here = asked(&lesson);
        if here.len() != english.len() {
            let (n, m) = (here.len(), english.len());
            problems.push(format!("in {language}: {n} tasks, choices and goals; English has {m}"));
        }
        for (ours, theirs) in here.iter().zip(&english).filter(|(a, b)| a != b) {
            problems.push(format!("in {language}: `{ours}` where English has `{theirs}`"));
        }
    }
    problems
}

/// Everything a run decides, in order: it may not depend on the language.
fn asked(lesson: &Lesson) -> Vec<String> {
    let mut out = Vec::new();
    for (i, step) in lesson.steps.iter().enumerate() {
        out.push(format!("step {}", i + 1));
        for choice in step.prediction.iter().flat_map(|p| &p.choices) {
            out.push(choice.right_when.as_ref().map_or(String::new(), |g| g.0.clone()));
        }
        for task in &step.tasks {
            let goal = task.goal.as_ref().map_or("", |g| &g.0);
            out.push(format!("{}: {goal}", task.id));
        }
    }
    let claims = lesson.claims.iter().map(|claim| format!("{}: {}", claim.of, claim.goal.0));
    let shown = lesson.outputs.iter().map(|o| format!("{} at {} s: {}", o.of, o.at, o.run));
    let taught = lesson.recall.iter().map(|recall| {
        let right = recall.answers.iter().position(|answer| answer.right);
        format!("from {}, right is answer {right:?}", recall.from)
    });
    out.extend(claims.chain(shown).chain(taught));
    out.extend(lesson.debrief_goals.iter().map(|g| g.0.clone()));
    out.push(format!("{} s, seed {}, {:?}", lesson.run_secs, lesson.seed, lesson.actions));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::Track;

    #[test]
    fn languages_are_read_from_names() {
        let cases = [
            ("lesson.de.md", Some("de")),
            ("page.fr.yaml", Some("fr")),
            ("lesson.md", None),
            ("wrong-a.de.yaml", None),
            ("lesson.DE.md", None),
        ];
        for (name, language) in cases {
            assert_eq!(language_of(name), language, "{name}");
        }
    }

    #[test]
    fn tracks_take_the_names_that_are_there() {
        let track =
            |slug: &str| Track { slug: slug.into(), title: "English".into(), ..Track::default() };
        let tracks = vec![track("init"), track("adapter")];
        let mut catalogue = Catalogue { tracks, ..Catalogue::default() };
        let text = "init: {title: Vorher, summary: s}\nnone: {title: t, summary: s}\n";
        assert_eq!(name_tracks(&mut catalogue, text), ["there is no track none"]);
        let titles: Vec<&str> = catalogue.tracks.iter().map(|t| t.title.as_str()).collect();
        assert_eq!(titles, ["Vorher", "English"]);
        assert_eq!(name_tracks(&mut catalogue, "init: [").len(), 1);
    }

    #[test]
    fn a_translation_asks_the_same() {
        let text = |title: &str, goal: &str| {
            format!(
                "---\ntitle: {title}\nsummary: s\nminutes: 1\noutcomes: []\nrun_secs: 9\n\
                 hints: []\n---\n## {title}\n\n```task\nid: a\ntext: t\ngoal: {goal}\n```\n"
            )
        };
        let mut folder = Folder::default();
        folder.files.insert("lesson.md".into(), text("One", "container app starts"));
        let de = |folder: &mut Folder, goal: &str| {
            folder.files.insert("lesson.de.md".into(), text("Eins", goal));
            let own = |p: &String| !p.contains("there is no such file");
            translation_problems(folder).into_iter().filter(own).collect::<Vec<_>>()
        };
        let version = read_lesson(&folder).0.card.version;
        assert_eq!(de(&mut folder, "container app starts"), [""; 0]);
        assert_eq!(read_lesson(&folder).0.card.version, version);
        assert_eq!(read_lesson(&folder.in_language("de")).0.card.title, "Eins");
        let wrong = de(&mut folder, "container app exits");
        assert_eq!(
            wrong,
            ["in de: `a: container app exits` where English has `a: container app starts`"]
        );
    }
}
