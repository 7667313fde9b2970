//! What a lesson folder promises, and which promises it breaks: a lesson is a test. Native only.

use super::goal::remarks_of;
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
struct Ran {
    checked: Checked,
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
}

/// Checks and runs a manifest, with what is typed in the console, as the page does.
fn run_to_end(manifest: &str, commands: &[(SimTime, String)], lesson: &Lesson) -> Ran {
    let checked = check_with(manifest, lesson.practices);
    let mut scenario = Scenario {
        actions: lesson.actions.clone(),
        seed: lesson.seed,
        review: Some(check::review),
        ..Scenario::new(checked.accepted())
    };
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

/// Runs the manifests that predictions are about, other than the start, and keeps the outcome.
pub fn settle(lesson: &mut Lesson) {
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

/// A sentence for each promise of this folder that does not hold, file name first.
/// `lessons` are the ids of all lessons, which links may lead to.
pub fn broken_promises(folder: &Folder, lessons: &BTreeSet<String>) -> Vec<String> {
    let (lesson, problems) = read_lesson(folder);
    let mut contract = Contract { lesson: &lesson, problems };
    contract.shape();
    contract.links(folder, lessons);
    contract.runs();
    contract.problems
}

struct Contract<'a> {
    lesson: &'a Lesson,
    problems: Vec<String>,
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
        if lesson.recall.len() < 2 && kind == Kind::Lesson {
            let n = lesson.recall.len();
            self.say(format!("lesson.md: {n} recall questions; a lesson has two"));
        }
        if !lesson.hints.last().is_some_and(|hint| hint.contains("______")) {
            self.say("lesson.md: the last hint has no gap `______` to be filled".to_owned());
        }
        for recall in &lesson.recall {
            let right = recall.answers.iter().filter(|answer| answer.right).count();
            if right != 1 {
                self.say(format!("lesson.md: a recall question has {right} right answers"));
            }
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

    fn links(&mut self, folder: &Folder, lessons: &BTreeSet<String>) {
        for (file, text) in folder.files.iter().filter(|(name, _)| name.ends_with(".md")) {
            for link in prose::links(text) {
                let good = match link.strip_prefix("lesson:") {
                    Some(id) => lessons.contains(id),
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
        self.known("start.yaml", &ran.timeline);

        let ran = run_to_end(&lesson.solution, &[], lesson);
        self.passes("solution", &lesson.solution, &ran);
        self.predictions("solution", &ran);
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

    fn predictions(&mut self, of: &str, ran: &Ran) {
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
fn images(checked: &Checked) -> BTreeSet<String> {
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
