//! Lessons as data: catalogue, steps, goals as assertions over a run, and how they are judged.
//! Folders are read and prose is rendered at build time; the page gets these types as bytes.

#[cfg(not(target_arch = "wasm32"))]
mod behaviours;
#[cfg(not(target_arch = "wasm32"))]
mod contract;
mod debrief;
#[cfg(not(target_arch = "wasm32"))]
mod glossary;
mod goal;
mod pack;
#[cfg(not(target_arch = "wasm32"))]
mod prose;
#[cfg(not(target_arch = "wasm32"))]
mod read;
#[cfg(not(target_arch = "wasm32"))]
mod shown;
#[cfg(not(target_arch = "wasm32"))]
mod translation;

#[cfg(not(target_arch = "wasm32"))]
pub use behaviours::{Behaviours, Relied, read_behaviours, relied};
#[cfg(not(target_arch = "wasm32"))]
pub use contract::{Around, Findings, account, broken_promises, settle};
pub use debrief::fill_debrief;
#[cfg(not(target_arch = "wasm32"))]
pub use glossary::{Glossary, read_glossary};
pub use goal::{ClusterCheck, GoalProblem, asks_the_cluster, goal_problems, judge};
#[cfg(not(target_arch = "wasm32"))]
pub use pack::write_pack;
pub use pack::{PACK_BYTES_MAX, Pack, PackIndex, file_of, index_file_of, pack_names};
#[cfg(not(target_arch = "wasm32"))]
pub use read::{Folder, catalogue_title, read_catalogue, read_lesson};
#[cfg(not(target_arch = "wasm32"))]
pub use translation::{language_of, name_tracks, translation_problems};

use crate::text::Span;
use crate::time::SimTime;
use crate::trace::EventId;
use serde::{Deserialize, Serialize};
#[cfg(not(target_arch = "wasm32"))]
use std::collections::BTreeMap;

/// What the first page shows; small, so that it loads at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalogue {
    pub tracks: Vec<Track>,
    /// Languages other than English that something is written in: `de`.
    pub languages: Vec<String>,
    /// The page's own words: (English, in the catalogue's language).
    pub words: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// `sidecar`, `ambassador`, `adapter`, `init`.
    pub slug: String,
    pub title: String,
    pub summary: String,
    pub lessons: Vec<Card>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// `track/slug`, also its folder below `lessons/`.
    pub id: String,
    pub kind: Kind,
    pub title: String,
    pub summary: String,
    pub minutes: u32,
    /// "You will be able to ..." phrases.
    pub outcomes: Vec<String>,
    /// How many tasks there are to be done.
    pub n_tasks: u32,
    /// Changes with the lesson's content, so that saved work knows what it was made for.
    pub version: String,
}

/// How much a lesson leads: a lesson asks for recall and predictions, a challenge for a prediction
/// before its repair, a drill only for the result, in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Lesson,
    Challenge,
    Drill,
}

impl Catalogue {
    /// The card of a lesson by its id.
    pub fn card(&self, id: &str) -> Option<&Card> {
        self.tracks.iter().flat_map(|t| &t.lessons).find(|c| c.id == id)
    }
}

/// One lesson, whole: `lessons/<track>-<slug>.bin` of a built site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    pub card: Card,
    pub steps: Vec<Step>,
    /// The manifest the learner starts from.
    pub start: String,
    pub solution: String,
    pub variants: Vec<Variant>,
    /// How long a run of this lesson is, in simulated seconds.
    pub run_secs: u64,
    pub seed: u64,
    /// What happens to the pod from outside during a run: (when, kubectl's words).
    pub actions: Vec<(SimTime, String)>,
    /// Three, from a nudge to a half-written line.
    pub hints: Vec<String>,
    /// HTML told after all goals hold, with `{{because 0}}` and `{{at 0}}` where a sentence or an
    /// instant of the learner's own run belongs: see `fill_debrief`.
    pub debrief_html: String,
    /// What the numbers in `debrief_html` ask of the run.
    pub debrief_goals: Vec<Goal>,
    /// Questions about earlier lessons, asked at the start.
    pub recall: Vec<Recall>,
    /// What a real cluster needs besides the manifest.
    pub needs: Vec<String>,
    /// Whether best practice is looked at as the learner types.
    pub practices: bool,
    /// Codes of hazards that its good manifests may have, and why; only the check asks for them.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(skip)]
    pub allows: BTreeMap<String, String>,
    /// What its prose says that a run has to hold; only the check asks for it.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(skip)]
    pub claims: Vec<Claim>,
    /// What its prose shows, at `{{output N}}`, until `settle` has put it there.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(skip)]
    pub outputs: Vec<Output>,
}

/// A sentence of the prose, and what holds it.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// The manifest whose run is meant.
    pub of: String,
    pub says: String,
    pub goal: Goal,
}

/// What a command prints at an instant of a manifest's run.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    pub of: String,
    pub at: SimTime,
    /// A line of the console: `kubectl get pods`.
    pub run: String,
}

impl Lesson {
    /// What a run of it is judged by: each task's goal, then each prediction's, then what its
    /// debrief asks; each once.
    pub fn goals(&self) -> Vec<Goal> {
        let tasks = self.steps.iter().flat_map(|s| &s.tasks).filter_map(|t| t.goal.clone());
        let predictions = self.steps.iter().filter_map(|s| s.prediction.as_ref());
        let choices = predictions.flat_map(|p| &p.choices).filter_map(|c| c.right_when.clone());
        let mut goals: Vec<Goal> = Vec::new();
        for goal in tasks.chain(choices).chain(self.debrief_goals.iter().cloned()) {
            if !goals.contains(&goal) {
                goals.push(goal);
            }
        }
        goals
    }

    /// The manifest of that name: `start`, `solution`, or a variant's.
    #[cfg(not(target_arch = "wasm32"))]
    fn manifest(&self, name: &str) -> Option<&str> {
        match name {
            "start" => Some(&self.start),
            "solution" => Some(&self.solution),
            _ => self.variants.iter().find(|v| v.name == name).map(|v| v.manifest.as_str()),
        }
    }
}

/// A named manifest beside the solution: another good one, or a wrong one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The file's name without `.yaml`: `alternative-native`, `wrong-mount-path`.
    pub name: String,
    /// What it shows; for a wrong one, the misconception it stands for.
    pub title: String,
    pub manifest: String,
    /// What is typed in the console of that manifest's run, and when; needed only to keep the
    /// lesson's promises.
    #[serde(skip)]
    pub commands: Vec<(SimTime, String)>,
    pub passes: bool,
    /// Task ids that a wrong variant fails; empty where any will do.
    pub fails: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub title: String,
    pub html: String,
    pub prediction: Option<Prediction>,
    pub tasks: Vec<Task>,
}

/// Asked before the run, graded by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// HTML, inline only.
    pub question: String,
    /// Which manifest the question is about: `start`, `solution` or a variant's name. About the
    /// start the learner's own run decides; about another one, which the learner need not have
    /// written, `settled` does.
    pub of: String,
    /// What a run of `of` showed when the lesson was built; None about the start.
    pub settled: Option<Settled>,
    pub choices: Vec<Choice>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// HTML, inline only.
    pub text: String,
    /// HTML, inline only; said after the run when this was chosen.
    pub reply: String,
    /// Right when this holds in the learner's own run.
    pub right_when: Option<Goal>,
}

/// The outcome of a prediction in a run of the manifest it is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// Index of the choice that came true.
    pub choice: u32,
    pub because: String,
}

/// A question from memory; no run decides it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// HTML, inline only, as are the answers.
    pub question: String,
    pub answers: Vec<Answer>,
    /// The lesson that taught it, `track/slug`; empty where nothing was taught before.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(skip)]
    pub from: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub text: String,
    pub reply: String,
    pub right: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unique in its lesson.
    pub id: String,
    /// HTML, inline only.
    pub text: String,
    /// None where the learner ticks it: the run cannot see it.
    pub goal: Option<Goal>,
}

/// Assertions over the text's objects and the run, in the words of `lessons/README.md`; one a
/// line, all of which must hold. Kept as text; `judge` parses it, and `podlab lessons check`
/// refuses what it can't read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal(pub String);

/// What came of one goal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GoalResult {
    pub goal: Goal,
    pub holds: bool,
    /// One sentence from the learner's own run: what showed it, or what is missing.
    pub because: String,
    /// When it came true, and what showed it.
    pub at: Option<SimTime>,
    pub event: Option<EventId>,
    pub origin: Option<Span>,
}
