//! What a lesson folder promises, and which promises it breaks: a lesson is a test. Native only.

use super::behaviours::Behaviours;
use super::goal::remarks_of;
use super::shown::{GAP, fill_outputs, fits, gapped, printed};
use super::{
    Folder, Goal, GoalResult, Kind, Lesson, Prediction, Settled, Step, Variant, judge, prose,
    read_lesson,
};
use crate::check::{self, Checked, check_with};
use crate::diagnostic::{Diagnostic, Severity};
use crate::kube::Desired;
use crate::kubectl;
use crate::sim::{Scenario, Simulation};
use crate::text::LineIndex;
use crate::time::SimTime;
use crate::trace::{Timeline, What};
use std::collections::BTreeSet;

/// A manifest's run, as long as its lesson says.
pub(super) struct Ran {
    pub(super) checked: Checked,
    timeline: Timeline,
    /// The cluster's objects at its end.
    live: Option<Desired>,
    /// Whether anything was typed.
    typed: bool,
    /// Commands that failed, with what they said.
    failed: Vec<String>,
}

impl Ran {
    fn judge(&self, goals: &[Goal]) -> Vec<GoalResult> {
        judge(goals, &self.checked, &self.timeline, self.live.as_ref())
    }

    pub(super) fn holds(&self, goal: &Goal) -> bool {
        self.judge(std::slice::from_ref(goal)).iter().all(|result| result.holds)
    }
}

/// A manifest as the lesson has it run.
pub(super) fn scenario(manifest: &str, lesson: &Lesson) -> (Checked, Scenario) {
    let checked = check_with(manifest, lesson.practices);
    let scenario = Scenario {
        actions: lesson.actions.clone(),
        seed: lesson.seed,
        review: Some(check::review),
        ..Scenario::new(checked.accepted())
    };
    (checked, scenario)
}

/// Checks and runs a manifest, with what is typed in the console, as the page does.
pub(super) fn run_to_end(manifest: &str, commands: &[(SimTime, String)], lesson: &Lesson) -> Ran {
    let (checked, mut scenario) = scenario(manifest, lesson);
    let mut failed = Vec::new();
    for (at, line) in commands {
        let said = kubectl::run_at(&mut scenario, *at, line);
        if said.exit != 0 {
            failed.push(format!("`{line}` says: {}{}", said.out, said.err));
        }
    }
    let mut simulation = Simulation::new(scenario);
    let until = SimTime::from_secs(lesson.run_secs);
    let mut timeline = Timeline::default();
    while timeline.end.is_none() {
        let slice = simulation.advance(until, 1_000_000);
        timeline.extend(slice.events, slice.now);
        timeline.end = slice.end;
    }
    let (live, typed) = (kubectl::objects(&simulation), !commands.is_empty());
    Ran { checked, timeline, live, typed, failed }
}

/// Runs the manifests that predictions are about, other than the start, and keeps the outcome;
/// and puts what the prose shows into it.
pub fn settle(lesson: &mut Lesson) {
    fill_outputs(lesson);
    let mut steps = std::mem::take(&mut lesson.steps);
    for prediction in steps.iter_mut().filter_map(|step| step.prediction.as_mut()) {
        if prediction.of == "start" {
            continue;
        }
        let Some(manifest) = lesson.manifest(&prediction.of) else { continue };
        let ran = run_to_end(manifest, &[], lesson);
        let right = ran.judge(&goals_of(prediction)).into_iter().enumerate();
        prediction.settled = right
            .filter(|(_, result)| result.holds)
            .map(|(choice, result)| Settled { choice: choice as u32, because: result.because })
            .next();
    }
    lesson.steps = steps;
}

/// How a lesson's manifest fares: the tasks, predictions and debrief with their sentences, for the
/// eyes of its author. None where there is no manifest of that name.
pub fn account(lesson: &Lesson, name: &str) -> Option<String> {
    let typed = lesson.variants.iter().find(|variant| variant.name == name);
    let commands = typed.map_or(&[][..], |variant| &variant.commands);
    let ran = run_to_end(lesson.manifest(name)?, commands, lesson);
    let mut out = format!("{name}.yaml, {} s:\n", ran.timeline.now);
    let mut tell = |what: &str, goal: &Goal| {
        let results = ran.judge(std::slice::from_ref(goal));
        for result in results {
            let mark = if result.holds { "holds" } else { "fails" };
            out.push_str(&format!("  {mark}  {what}: {}\n", result.because));
        }
    };
    for step in &lesson.steps {
        for (task, goal) in step.tasks.iter().filter_map(|t| Some((t, t.goal.as_ref()?))) {
            tell(&format!("task {}", task.id), goal);
        }
        let prediction = step.prediction.as_ref().filter(|p| p.of == name);
        for (idx, choice) in prediction.iter().flat_map(|p| &p.choices).enumerate() {
            if let Some(goal) = &choice.right_when {
                tell(&format!("choice {} of `{}`", idx + 1, step.title), goal);
            }
        }
    }
    if name == "solution" {
        for goal in &lesson.debrief_goals {
            tell("debrief", goal);
        }
    }
    Some(out)
}

/// One goal for each choice.
fn goals_of(prediction: &Prediction) -> Vec<Goal> {
    prediction.choices.iter().map(|c| c.right_when.clone().unwrap_or_default()).collect()
}

/// What was found when a folder was checked.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// A sentence for each promise that does not hold, file name first.
    pub broken: Vec<String>,
    /// Keys of behaviours that its start or its solution relies on.
    pub relies: BTreeSet<String>,
}

/// What a folder is checked against.
pub struct Around<'a> {
    /// The ids of all lessons, in the catalogue's order.
    pub lessons: &'a [String],
    /// Whether they go to a page that has others: a pack may name those, too.
    pub is_pack: bool,
    pub behaviours: &'a Behaviours,
}

impl Around<'_> {
    fn place(&self, id: &str) -> Option<usize> {
        self.lessons.iter().position(|own| own == id)
    }

    /// Whether it is a lesson, as far as can be told from here.
    fn knows(&self, id: &str) -> bool {
        self.place(id).is_some() || self.is_pack && id.matches('/').count() == 1
    }
}

/// Checks a folder.
pub fn broken_promises(folder: &Folder, around: &Around) -> Findings {
    let (lesson, problems) = read_lesson(folder);
    let relies = BTreeSet::new();
    let mut contract = Contract { lesson: &lesson, problems, around, relies };
    contract.shape();
    contract.recall();
    contract.hints();
    contract.outputs();
    contract.links(folder);
    contract.runs();
    Findings { broken: contract.problems, relies: contract.relies }
}

struct Contract<'a> {
    lesson: &'a Lesson,
    problems: Vec<String>,
    around: &'a Around<'a>,
    relies: BTreeSet<String>,
}

impl Contract<'_> {
    fn say(&mut self, sentence: String) {
        self.problems.push(sentence);
    }

    /// What can be seen without running anything.
    fn shape(&mut self) {
        let lesson = self.lesson;
        if lesson.hints.len() != 3 {
            self.say(format!("lesson.md: {} hints; a lesson has three", lesson.hints.len()));
        }
        if lesson.card.outcomes.is_empty() || lesson.card.minutes == 0 || lesson.run_secs == 0 {
            self.say("lesson.md: outcomes, minutes and run_secs are needed".to_owned());
        }
        let kind = lesson.card.kind;
        if kind != Kind::Drill && !lesson.start.contains("# ") {
            self.say("start.yaml: no comment says what its parts are for".to_owned());
        }
        if kind != Kind::Drill && lesson.steps.iter().all(|step| step.prediction.is_none()) {
            self.say("lesson.md: nothing is predicted".to_owned());
        }
        let asks = |step: &Step| step.prediction.is_some() || !step.tasks.is_empty();
        for step in lesson.steps.iter().filter(|step| !asks(step)) {
            self.say(format!("lesson.md: step `{}` asks for nothing", step.title));
        }
        self.ids();
        self.remarks();
        let about = lesson.steps.iter().filter_map(|step| step.prediction.as_ref());
        for of in about.map(|prediction| prediction.of.as_str()) {
            let known = ["start", "solution"].contains(&of);
            if !known && !lesson.variants.iter().any(|variant| variant.name == of) {
                self.say(format!("lesson.md: a prediction is about `{of}`, which is no manifest"));
            }
        }
        let count = |passes| lesson.variants.iter().filter(|v| v.passes == passes).count();
        for (passes, least, word) in [(true, 2, "alternatives"), (false, 3, "wrong variants")] {
            if count(passes) < least {
                self.say(format!("{} {word}; at least {least} are needed", count(passes)));
            }
        }
    }

    fn ids(&mut self) {
        let lesson = self.lesson;
        let mut seen = BTreeSet::new();
        for task in lesson.steps.iter().flat_map(|step| &step.tasks) {
            if !seen.insert(task.id.as_str()) {
                self.say(format!("lesson.md: task id `{}` is there twice", task.id));
            }
        }
        for variant in &lesson.variants {
            for id in variant.fails.iter().filter(|id| !seen.contains(id.as_str())) {
                self.say(format!("lesson.md: variant `{}` fails no task `{id}`", variant.name));
            }
        }
    }

    /// What best practice remarks is known only where the lesson asks for it, by its own codes.
    fn remarks(&mut self) {
        let tasks = self.lesson.steps.iter().flat_map(|step| &step.tasks);
        for goal in tasks.filter_map(|task| task.goal.as_ref()) {
            let Some(codes) = remarks_of(goal) else { continue };
            if !self.lesson.practices {
                self.problems.push("lesson.md: `no remarks` needs `practices: true`".to_owned());
            }
            let known: BTreeSet<&str> = check::practices().map(|[code, ..]| code).collect();
            for code in codes.iter().filter(|code| !known.contains(code.as_str())) {
                self.problems.push(format!("lesson.md: best practice has no code `{code}`"));
            }
        }
    }

    /// Two questions, each from a lesson that comes earlier; before the first one there is none.
    fn recall(&mut self) {
        let lesson = self.lesson;
        let n = lesson.recall.len();
        if n < 2 && lesson.card.kind == Kind::Lesson {
            self.say(format!("lesson.md: {n} recall questions; a lesson has two"));
        }
        let here = self.around.place(&lesson.card.id);
        for recall in &lesson.recall {
            let right = recall.answers.iter().filter(|answer| answer.right).count();
            if right != 1 {
                self.say(format!("lesson.md: a recall question has {right} right answers"));
            }
            let from = recall.from.as_str();
            if from.is_empty() && here == Some(0) {
                continue;
            }
            match self.around.place(from) {
                Some(there) if here.is_none_or(|here| there < here) => {}
                Some(_) => self.say(format!(
                    "lesson.md: a recall question is from `{from}`, which comes no earlier"
                )),
                None if self.around.knows(from) => {}
                None => self.say(format!(
                    "lesson.md: a recall question is from `{from}`, which is no lesson"
                )),
            }
        }
    }

    /// The last one is half-written, and what is there stands in a good answer, too.
    fn hints(&mut self) {
        let lesson = self.lesson;
        let Some(last) = lesson.hints.last().filter(|hint| hint.contains(GAP)) else {
            self.say("lesson.md: the last hint has no gap `______` to be filled".to_owned());
            return;
        };
        let good = lesson.variants.iter().filter(|variant| variant.passes);
        let mut texts = vec![lesson.solution.as_str()];
        for variant in good {
            texts.push(&variant.manifest);
            texts.extend(variant.commands.iter().map(|(_, line)| line.as_str()));
        }
        for line in gapped(last) {
            if !texts.iter().any(|text| fits(&line, text)) {
                self.say(format!("lesson.md: the last hint's `{line}` leads to no good manifest"));
            }
        }
    }

    fn outputs(&mut self) {
        let lesson = self.lesson;
        for output in &lesson.outputs {
            if let Err(why) = printed(output, lesson) {
                self.say(format!("lesson.md: an output is of {why}"));
            }
        }
        let named = |of: &str| lesson.manifest(of).is_some();
        for claim in lesson.claims.iter().filter(|claim| !named(&claim.of)) {
            self.say(format!("lesson.md: a claim is about `{}`, which is no manifest", claim.of));
        }
    }

    fn links(&mut self, folder: &Folder) {
        for (file, text) in folder.files.iter().filter(|(name, _)| name.ends_with(".md")) {
            for link in prose::links(text) {
                let good = match link.strip_prefix("lesson:") {
                    Some(id) => self.around.knows(id),
                    None => link.starts_with("https://kubernetes.io/"),
                };
                if !good {
                    self.say(format!("{file}: the link {link} leads nowhere we know"));
                }
            }
        }
    }

    fn runs(&mut self) {
        let lesson = self.lesson;
        let ran = run_to_end(&lesson.start, &[], lesson);
        if self.failing(&ran).is_empty() {
            self.say("start.yaml: fulfils every goal before the learner has done anything".into());
        }
        self.predictions("start", &ran);
        self.relies.extend(self.around.behaviours.relied_on(|goal| ran.holds(goal)));
        self.known("start.yaml", &ran.timeline);

        let ran = run_to_end(&lesson.solution, &[], lesson);
        self.passes("solution", &lesson.solution, &ran);
        self.predictions("solution", &ran);
        self.relies.extend(self.around.behaviours.relied_on(|goal| ran.holds(goal)));
        self.debrief(&ran);

        for variant in &lesson.variants {
            let ran = run_to_end(&variant.manifest, &variant.commands, lesson);
            let name = &variant.name;
            for failed in &ran.failed {
                self.say(format!("lesson.md: {name}: {}", failed.trim_end()));
            }
            if variant.passes {
                self.passes(name, &variant.manifest, &ran);
            } else {
                self.known(&format!("{name}.yaml"), &ran.timeline);
                let failed = self.failing(&ran);
                self.fails(variant, &failed);
            }
            self.predictions(name, &ran);
        }
    }

    /// Ids of the tasks whose goals this run does not fulfil, each with why.
    fn failing(&self, ran: &Ran) -> Vec<(String, String)> {
        let tasks = self.lesson.steps.iter().flat_map(|step| &step.tasks);
        let (ids, goals): (Vec<_>, Vec<_>) =
            tasks.filter_map(|task| Some((task.id.clone(), task.goal.clone()?))).unzip();
        let results = ran.judge(&goals);
        let failed = ids.into_iter().zip(results).filter(|(_, result)| !result.holds);
        failed.map(|(id, result)| (id, result.because)).collect()
    }

    fn fails(&mut self, variant: &Variant, failed: &[(String, String)]) {
        let name = &variant.name;
        if failed.is_empty() {
            self.say(format!("{name}.yaml: fulfils every goal, yet it is wrong"));
        }
        if variant.fails.is_empty() {
            self.say(format!("lesson.md: variant `{name}` does not say which task it fails"));
        }
        for id in variant.fails.iter().filter(|id| !failed.iter().any(|(own, _)| own == *id)) {
            self.say(format!("{name}.yaml: fulfils task `{id}`, which it is said to fail"));
        }
    }

    fn passes(&mut self, name: &str, text: &str, ran: &Ran) {
        let checked = &ran.checked;
        let lines = LineIndex::new(text);
        let allowed = |code: &str| self.lesson.allows.contains_key(code);
        let counts = |problem: &&Diagnostic| match problem.severity {
            Severity::Practice => false,
            Severity::Hazard => !allowed(problem.code.as_ref()),
            _ => true,
        };
        let problems: Vec<&Diagnostic> = checked.diagnostics.iter().filter(counts).collect();
        for problem in problems {
            let line = lines.line(problem.span.start);
            let (code, message) = (&problem.code, &problem.message);
            self.say(format!("{name}.yaml:{line}: [{code}] {message}"));
        }
        if checked.desired.objects.is_empty() && !ran.typed {
            self.say(format!("{name}.yaml: no object in it was understood"));
        }
        for image in images(checked) {
            if crate::sim::images::find(&image).is_none() {
                self.say(format!("{name}.yaml: the lab does not know the image {image}"));
            }
        }
        for (id, because) in self.failing(ran) {
            self.say(format!("{name}.yaml: task `{id}` fails: {because}"));
        }
        self.known(&format!("{name}.yaml"), &ran.timeline);
    }

    /// Nothing in a lesson may be beyond the lab.
    fn known(&mut self, file: &str, timeline: &Timeline) {
        for event in &timeline.events {
            match &event.what {
                What::NotSimulated { what } => {
                    let at = event.at;
                    self.say(format!(
                        "{file}: at {at} s {:?}: not simulated: {what}",
                        event.subject
                    ));
                    return;
                }
                What::Limit { sentence } => {
                    self.say(format!("{file}: at {} s: {sentence}", event.at));
                    return;
                }
                _ => {}
            }
        }
    }

    /// What the prose says about this run has to be so.
    fn claims(&mut self, of: &str, ran: &Ran) {
        for claim in self.lesson.claims.iter().filter(|claim| claim.of == of) {
            for result in ran.judge(std::slice::from_ref(&claim.goal)) {
                if !result.holds {
                    let (says, because) = (&claim.says, &result.because);
                    self.problems.push(format!("{of}.yaml: not so, `{says}`: {because}"));
                }
            }
        }
    }

    fn predictions(&mut self, of: &str, ran: &Ran) {
        self.claims(of, ran);
        for step in &self.lesson.steps {
            let Some(prediction) = step.prediction.as_ref().filter(|p| p.of == of) else {
                continue;
            };
            let results = ran.judge(&goals_of(prediction));
            let right = results.iter().filter(|r| r.holds).count();
            if right != 1 {
                let because: Vec<_> = results.iter().map(|r| r.because.as_str()).collect();
                let title = &step.title;
                let sentence = format!(
                    "{of}.yaml: the prediction of `{title}` has {right} right choices: {}",
                    because.join(" | ")
                );
                self.problems.push(sentence);
            }
        }
    }

    fn debrief(&mut self, ran: &Ran) {
        for result in ran.judge(&self.lesson.debrief_goals) {
            if !result.holds {
                let (goal, because) = (&result.goal.0, &result.because);
                self.say(format!("debrief.md: the solution does not show `{goal}`: {because}"));
            }
        }
    }
}

/// Every `image:` of a manifest.
pub(super) fn images(checked: &Checked) -> BTreeSet<String> {
    let roots = checked.desired.objects.iter().filter_map(|object| object.origins.root.as_deref());
    let mut left: Vec<&crate::yaml::Node> = roots.collect();
    let mut found = BTreeSet::new();
    while let Some(node) = left.pop() {
        left.extend(node.items());
        for entry in node.entries() {
            if entry.key == "image" {
                found.extend(entry.value.as_str().map(str::to_owned));
            }
            left.push(&entry.value);
        }
    }
    found
}
