//! A lesson folder's files -> a `Lesson` and everything that is wrong with them. Native only;
//! reads no disk: the files come as texts. Their form is described in `lessons/README.md`.

use super::glossary::Glossary;
use super::goal::goal_problems;
use super::translation::language_of;
use super::{
    Answer, Card, Catalogue, Choice, Claim, Goal, Kind, Lesson, Output, Prediction, Recall,
};
use super::{Step, Task, Track, Variant, prose};
use crate::time::SimTime;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The texts of one lesson's folder by file name.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// `track/slug`
    pub id: String,
    pub files: BTreeMap<String, String>,
    /// The words that its prose explains.
    pub glossary: Arc<Glossary>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    #[serde(default)]
    kind: Kind,
    title: String,
    summary: String,
    minutes: u32,
    outcomes: Vec<String>,
    run_secs: u64,
    #[serde(default)]
    seed: u64,
    /// `45s delete pod/web`
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    practices: bool,
    /// Codes of hazards that its good manifests may have, and why.
    #[serde(default)]
    allows: BTreeMap<String, String>,
    hints: Vec<String>,
    #[serde(default)]
    recall: Vec<FrontRecall>,
    /// What makes the solution of the start, where there is no solution.yaml.
    #[serde(default)]
    solution: Vec<Edit>,
    /// By file name without `.yaml`.
    #[serde(default)]
    variants: BTreeMap<String, FrontVariant>,
}

/// One place of a manifest, and what stands there instead.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    find: String,
    put: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontVariant {
    title: String,
    #[serde(default)]
    fails: Vec<String>,
    /// The manifest that `edits` change: `solution`, `start` or a variant that is a file. Without
    /// it the solution; for `commands` the start.
    from: Option<String>,
    /// `5s kubectl scale deployment web --replicas=2`, typed in the console one after the other.
    #[serde(default)]
    commands: Vec<String>,
    /// What makes this variant, where it has no file of its own.
    #[serde(default)]
    edits: Vec<Edit>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontRecall {
    /// The lesson that taught it.
    #[serde(default)]
    from: String,
    question: String,
    answers: Vec<FrontAnswer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontAnswer {
    text: String,
    reply: String,
    #[serde(default)]
    right: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskBlock {
    id: String,
    text: String,
    goal: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputBlock {
    #[serde(default = "start")]
    of: String,
    at: String,
    run: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PredictBlock {
    question: String,
    #[serde(default = "start")]
    of: String,
    choices: Vec<ChoiceBlock>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceBlock {
    text: String,
    reply: String,
    when: String,
}

fn start() -> String {
    "start".to_owned()
}

/// What was read, whole or not, and a sentence for each thing wrong, file name first.
pub fn read_lesson(folder: &Folder) -> (Lesson, Vec<String>) {
    let mut reading = Reading { folder, problems: Vec::new() };
    let lesson = reading.lesson();
    (lesson, reading.problems)
}

struct Reading<'a> {
    folder: &'a Folder,
    problems: Vec<String>,
}

impl Reading<'_> {
    fn file(&mut self, name: &str) -> String {
        let text = self.folder.files.get(name);
        if text.is_none() {
            self.problems.push(format!("{name}: there is no such file"));
        }
        text.cloned().unwrap_or_default()
    }

    fn yaml<T: for<'de> Deserialize<'de>>(&mut self, what: &str, text: &str) -> Option<T> {
        match serde_yaml::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(format!("{what}: {error}"));
                None
            }
        }
    }

    fn goal(&mut self, what: &str, text: &str) -> Goal {
        let goal = Goal(text.trim().to_owned());
        for problem in goal_problems(&goal) {
            let line = goal.0.get(..problem.span.start as usize).unwrap_or("");
            let column = problem.span.start as usize - line.rfind('\n').map_or(0, |at| at + 1) + 1;
            let line = line.matches('\n').count() + 1;
            self.problems
                .push(format!("{what}: goal line {line} column {column}: {}", problem.message));
        }
        goal
    }

    fn lesson(&mut self) -> Lesson {
        let text = self.file("lesson.md");
        let (front, body) = split_front(&text);
        let mut lesson = Lesson { start: self.file("start.yaml"), ..Lesson::default() };
        if let Some(front) = self.yaml::<Front>("lesson.md: front matter", front) {
            self.front(&mut lesson, front);
        }
        for section in prose::sections(body) {
            self.section(&mut lesson, section);
        }
        self.debrief(&mut lesson);
        lesson.card.id.clone_from(&self.folder.id);
        lesson.card.version = version(&self.folder.files);
        lesson.card.n_tasks = lesson.steps.iter().map(|s| s.tasks.len() as u32).sum();
        lesson
    }

    fn front(&mut self, lesson: &mut Lesson, front: Front) {
        lesson.solution = match front.solution.as_slice() {
            [] => self.file("solution.yaml"),
            edits => self.edited("solution", &lesson.start, edits),
        };
        let card = &mut lesson.card;
        card.kind = front.kind;
        (card.title, card.summary) = (front.title, front.summary);
        (card.minutes, card.outcomes) = (front.minutes, front.outcomes);
        (lesson.run_secs, lesson.seed) = (front.run_secs, front.seed);
        lesson.hints = front.hints.iter().map(|hint| prose::block(hint)).collect();
        lesson.practices = front.practices;
        lesson.allows = front.allows;
        lesson.needs = front.needs.iter().map(|need| prose::inline(need)).collect();
        lesson.actions = self.timed("action", front.actions);
        lesson.recall = front.recall.into_iter().map(recall).collect();
        self.variants(lesson, front.variants);
    }

    fn variants(&mut self, lesson: &mut Lesson, mut told: BTreeMap<String, FrontVariant>) {
        for (file, manifest) in &self.folder.files {
            let Some(name) = file.strip_suffix(".yaml") else { continue };
            if !name.starts_with("alternative-") && !name.starts_with("wrong-") {
                continue;
            }
            match told.remove(name) {
                Some(front) => {
                    let made = self.variant(name, front, manifest.clone());
                    lesson.variants.push(made);
                }
                None => self.problems.push(format!("{file}: lesson.md names no variant `{name}`")),
            }
        }
        for (name, front) in told {
            if front.edits.is_empty() && front.commands.is_empty() {
                self.problems.push(format!("lesson.md: variant `{name}` has no file {name}.yaml"));
                continue;
            }
            let from = front.from.as_deref();
            let from = from.unwrap_or(if front.commands.is_empty() { "solution" } else { "start" });
            let Some(manifest) = lesson.manifest(from) else {
                self.problems.push(format!("lesson.md: variant `{name}` is made from no `{from}`"));
                continue;
            };
            let manifest = self.edited(&name, manifest, &front.edits);
            let made = self.variant(&name, front, manifest);
            lesson.variants.push(made);
        }
    }

    fn variant(&mut self, name: &str, front: FrontVariant, manifest: String) -> Variant {
        let FrontVariant { title, fails, commands, .. } = front;
        let commands = self.timed("command", commands);
        let passes = name.starts_with("alternative-");
        Variant { name: name.to_owned(), title, manifest, commands, passes, fails }
    }

    /// Times and words behind them.
    fn timed(&mut self, what: &str, texts: Vec<String>) -> Vec<(SimTime, String)> {
        let mut found = Vec::new();
        for text in texts {
            match action(&text) {
                Some(one) => found.push(one),
                None => self.problems.push(format!(
                    "lesson.md: {what} `{text}` is not a time and kubectl's words: `45s delete pod/web`"
                )),
            }
        }
        found
    }

    /// The text with each edit made at the one place that it names.
    fn edited(&mut self, name: &str, text: &str, edits: &[Edit]) -> String {
        let mut text = text.to_owned();
        for edit in edits {
            let n_found = text.matches(&edit.find).count();
            if n_found != 1 {
                let find = &edit.find;
                let sentence = format!(
                    "lesson.md: `{name}` edits a text that is there {n_found} times: {find}"
                );
                self.problems.push(sentence);
            }
            text = text.replacen(&edit.find, &edit.put, 1);
        }
        text
    }

    fn section(&mut self, lesson: &mut Lesson, section: prose::Section) {
        if section.title.is_empty() {
            self.problems.push("lesson.md: there is text before the first `## Title`".to_owned());
            return;
        }
        let scope = format!("w{}-", lesson.steps.len());
        let html = self.folder.glossary.explain(&section.html, &scope);
        let mut step = Step { title: section.title, html, ..Step::default() };
        let what = format!("lesson.md: step `{}`", step.title);
        self.claims(&what, section.claims, lesson);
        for (number, (kind, yaml)) in section.blocks.into_iter().enumerate() {
            if kind == prose::OUTPUT {
                let place = format!("{{{{output {}}}}}", lesson.outputs.len());
                step.html = step.html.replace(&format!("{{{{shown {number}}}}}"), &place);
                let block = self.yaml::<OutputBlock>(&format!("{what}: output"), &yaml);
                lesson.outputs.push(self.output(&what, block));
            } else if kind == "notes" {
                // Seen in the presenter's window only.
                let notes = prose::block(&yaml);
                step.html.push_str(&format!("<aside class=\"notes\" hidden>{notes}</aside>"));
            } else if kind == "task" {
                if let Some(block) = self.yaml::<TaskBlock>(&format!("{what}: task"), &yaml) {
                    let goal = block.goal.map(|text| self.goal(&what, &text));
                    let text = prose::inline(&block.text);
                    step.tasks.push(Task { id: block.id, text, goal });
                }
            } else if let Some(block) =
                self.yaml::<PredictBlock>(&format!("{what}: predict"), &yaml)
            {
                if step.prediction.is_some() {
                    self.problems.push(format!("{what}: one prediction a step"));
                }
                step.prediction = Some(self.prediction(&what, block));
            }
        }
        lesson.steps.push(step);
    }

    fn output(&mut self, what: &str, block: Option<OutputBlock>) -> Output {
        let Some(OutputBlock { of, at, run }) = block else { return Output::default() };
        let found = super::goal::duration(&at);
        if found.is_none() {
            self.problems.push(format!("{what}: output: `{at}` is no time such as `20s`"));
        }
        Output { of, at: found.unwrap_or_default(), run }
    }

    fn claims(&mut self, what: &str, claims: Vec<Claim>, lesson: &mut Lesson) {
        for mut claim in claims {
            claim.goal = self.goal(what, &claim.goal.0);
            lesson.claims.push(claim);
        }
    }

    fn prediction(&mut self, what: &str, block: PredictBlock) -> Prediction {
        let choices = block.choices.into_iter().map(|choice| Choice {
            text: prose::inline(&choice.text),
            reply: prose::inline(&choice.reply),
            right_when: Some(self.goal(what, &choice.when)),
        });
        let choices = choices.collect();
        Prediction {
            question: prose::inline(&block.question),
            of: block.of,
            settled: None,
            choices,
        }
    }

    /// Takes `{{because: GOAL}}` and `{{at: GOAL}}` out before the prose is rendered.
    fn debrief(&mut self, lesson: &mut Lesson) {
        let text = self.file("debrief.md");
        let mut markdown = String::new();
        let mut rest = text.as_str();
        while let Some((before, from)) = rest.split_once("{{") {
            markdown.push_str(before);
            let (inner, after) = from.split_once("}}").unwrap_or((from, ""));
            match inner.split_once(':') {
                Some((what @ ("because" | "at"), goal)) => {
                    let goal = self.goal("debrief.md", goal);
                    markdown.push_str(&format!("{{{{{what} {}}}}}", lesson.debrief_goals.len()));
                    lesson.debrief_goals.push(goal);
                }
                _ => self.problems.push(format!(
                    "debrief.md: `{{{{{inner}}}}}` is neither `{{{{because: GOAL}}}}` nor `{{{{at: GOAL}}}}`"
                )),
            }
            rest = after;
        }
        markdown.push_str(rest);
        self.claims("debrief.md", prose::claims(&markdown), lesson);
        lesson.debrief_html = self.folder.glossary.explain(&prose::block(&markdown), "debrief-");
    }
}

/// The text between two lines `---` and what comes behind them.
fn split_front(text: &str) -> (&str, &str) {
    let inner = text.strip_prefix("---\n").unwrap_or("");
    inner.split_once("\n---\n").unwrap_or(("", text))
}

/// `45s delete pod/web`
fn action(text: &str) -> Option<(SimTime, String)> {
    let (at, words) = text.split_once(' ')?;
    Some((super::goal::duration(at)?, words.trim().to_owned()))
}

fn recall(front: FrontRecall) -> Recall {
    let answers = front.answers.into_iter().map(|answer| Answer {
        text: prose::inline(&answer.text),
        reply: prose::inline(&answer.reply),
        right: answer.right,
    });
    let answers = answers.collect();
    Recall { question: prose::inline(&front.question), answers, from: front.from }
}

/// A short word that changes with any byte of the folder (FNV-1a), translations aside: work done
/// in one language goes on in another.
fn version(files: &BTreeMap<String, String>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let own = files.iter().filter(|(name, _)| language_of(name).is_none());
    for text in own.flat_map(|(name, text)| [name, text]) {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CatalogueFile {
    /// Of a pack.
    #[serde(default)]
    title: String,
    tracks: Vec<TrackFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrackFile {
    slug: String,
    title: String,
    summary: String,
    lessons: Vec<String>,
}

/// The title that `catalogue.yaml` gives a pack; empty where it gives none.
pub fn catalogue_title(text: &str) -> String {
    serde_yaml::from_str::<CatalogueFile>(text).map_or(String::new(), |file| file.title)
}

/// Puts the cards in the order of `catalogue.yaml`, and says which of the two lacks what.
pub fn read_catalogue(text: &str, cards: &[Card]) -> (Catalogue, Vec<String>) {
    let file: CatalogueFile = match serde_yaml::from_str(text) {
        Ok(file) => file,
        Err(error) => return (Catalogue::default(), vec![format!("catalogue.yaml: {error}")]),
    };
    let mut problems = Vec::new();
    let mut left: Vec<&Card> = cards.iter().collect();
    let mut tracks = Vec::new();
    for track in file.tracks {
        let mut lessons = Vec::new();
        for slug in &track.lessons {
            let id = format!("{}/{slug}", track.slug);
            match left.iter().position(|card| card.id == id) {
                Some(idx) => lessons.push(left.remove(idx).clone()),
                None => problems.push(format!("catalogue.yaml: there is no lesson {id}")),
            }
        }
        let TrackFile { slug, title, summary, .. } = track;
        tracks.push(Track { slug, title, summary, lessons });
    }
    for card in left {
        problems.push(format!("catalogue.yaml: lesson {} is in no track", card.id));
    }
    (Catalogue { tracks, ..Catalogue::default() }, problems)
}
