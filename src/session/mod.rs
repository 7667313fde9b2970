//! The page's state and everything it decides: `Session::update(Msg) -> Vec<Effect>`. Plain data,
//! no browser types, so that each decision is tested natively; `ui` shows it and runs the effects.

pub mod acts;
pub mod bench;
pub mod changes;
pub mod console;
pub mod drill;
mod engine;
#[cfg(test)]
pub(crate) mod fixture;
pub mod flow;
pub mod history;
pub mod lanes;
mod load;
mod msg;
pub mod packs;
pub mod picture;
pub mod player;
pub mod prefs;
pub mod route;
pub mod run;
#[cfg(test)]
mod tests;
mod under;
pub mod words;
pub mod work;

pub use msg::{Effect, Export, Msg};

use crate::lesson::{Catalogue, Lesson};
use crate::protocol::{BundleAsk, ToWorker};
use crate::trace::{EventId, Name};
use bench::Bench;
pub use console::Asked;
use console::Console;
use engine::Engine;
use packs::Packs;
use prefs::Prefs;
use route::{Page, Route, Tab};
use std::collections::BTreeMap;
use std::sync::Arc;
use words::Words;
use work::Work;

/// Something that comes over the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Load<T> {
    #[default]
    Waiting,
    /// What happened, as a sentence.
    Failed(String),
    Here(T),
}

impl<T> Load<T> {
    pub fn here(&self) -> Option<&T> {
        match self {
            Load::Here(value) => Some(value),
            _ => None,
        }
    }
}

/// What is looked at closely: its story, its causes, its place in the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Event(EventId),
    Pod(Name),
    Container(Name, Name),
    /// (pod, `volume:NAME`)
    Volume(Name, Name),
    /// (kind, name) of anything else in the cluster.
    Object(Name, Name),
}

/// The panes of a narrow window, one at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    Learn,
    Edit,
    #[default]
    Watch,
    /// What lies below the stage, in a room; elsewhere as `Watch`.
    Below,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    Help,
    Export,
    Solution,
    Import,
    Faults,
}

/// What views read, in parts, so that a change redraws only what shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Which page, its lesson or catalogue.
    Page,
    /// Step, tasks, predictions, hints.
    Flow,
    Text,
    Problems,
    /// The run's events, lanes and verdicts.
    Run,
    /// Whether and why the run shown is of another text.
    Stale,
    /// The cursor, each frame while playing.
    Cursor,
    /// Everything as it is at the cursor, when an event passed.
    Shown,
    /// Playing, speed.
    Player,
    Pick,
    /// Panes, sizes, tabs, theme, dialogs.
    Layout,
    /// Notices and the engine's health.
    Notice,
    /// The language of the page.
    Words,
}

pub const PARTS: usize = 13;

/// The state of the page.
#[derive(Debug, Default)]
pub struct Session {
    pub route: Route,
    pub catalogue: Load<Arc<Catalogue>>,
    pub lesson: Load<Arc<Lesson>>,
    pub packs: Packs,
    pub bench: Bench,
    pub works: BTreeMap<String, Work>,
    pub words: Words,
    pub prefs: Prefs,
    pub engine: Engine,
    pub pane: Pane,
    pub drawer: bool,
    pub dialog: Option<Dialog>,
    pub notice: Option<String>,
    pub console: Console,
    /// Why work is not kept, where it is not.
    pub storage: Option<String>,
    pub tab: Tab,
    pub log_of: Option<(Name, Name)>,
    pub file_of: Option<(Name, String)>,
    changed: u32,
    save_asked: bool,
    /// The browser's language, until the catalogue says whether the lab has it.
    browser_speaks: String,
    /// Packs are asked for once, after the site's own lessons.
    packs_unasked: bool,
    address_ms: f64,
}

impl Session {
    /// Takes one message in; what it returns is to be done in order.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut out = Vec::new();
        match msg {
            Msg::Booted { .. }
            | Msg::HashChanged(_)
            | Msg::CatalogueCame(_)
            | Msg::LessonCame(..)
            | Msg::Retry
            | Msg::PacksCame(_)
            | Msg::PackCame(..)
            | Msg::PackOpened(..)
            | Msg::ForgetPack(_)
            | Msg::Storage(_)
            | Msg::SaveNow
            | Msg::Keep(_)
            | Msg::ForgetWork(_)
            | Msg::Language(_)
            | Msg::Import { .. } => self.update_load(msg, &mut out),
            Msg::Worker(_)
            | Msg::WorkerDied(_)
            | Msg::Clock { .. }
            | Msg::StopRun
            | Msg::Simulate(_) => {
                self.update_engine(msg, &mut out);
            }
            Msg::Edited(_)
            | Msg::ApplyFix { .. }
            | Msg::Undo
            | Msg::Redo
            | Msg::Reset
            | Msg::BringBack
            | Msg::ApplyEdit
            | Msg::JumpTo(_) => self.update_text(msg, &mut out),
            Msg::Act(_) | Msg::ClearActs | Msg::TakeBack(_) => self.update_acts(msg, &mut out),
            Msg::Run
            | Msg::PlayPause
            | Msg::Pause
            | Msg::Speed(_)
            | Msg::Seek(_)
            | Msg::StepEvent(_)
            | Msg::Nudge(_)
            | Msg::Frame { .. } => self.update_player(msg, &mut out),
            Msg::Step(_)
            | Msg::Predict { .. }
            | Msg::Recall { .. }
            | Msg::Tick(_)
            | Msg::DrillClock
            | Msg::Hint
            | Msg::LoadSolution => self.update_flow(msg, &mut out),
            Msg::Export(export) => self.export(export, &mut out),
            Msg::Kubectl(line) => self.ask_kubectl(&line, &mut out),
            Msg::CompleteKubectl(line) => self.complete_kubectl(line, &mut out),
            Msg::StopKubectl => self.stop_kubectl(&mut out),
            _ => self.update_layout(msg, &mut out),
        }
        if self.changed & (1 << Part::Cursor as u32 | 1 << Part::Flow as u32) != 0 {
            self.tick_tasks(&mut out);
        }
        out
    }

    fn update_layout(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        self.touch(Part::Layout);
        match msg {
            Msg::Pick(pick) => {
                self.touch(Part::Pick);
                self.bench.pick = pick;
                out.push(Effect::EditorMark(self.bench.picked_span()));
            }
            Msg::Tab(tab) => {
                self.tab = tab;
                self.address(out, false);
            }
            Msg::OpenPod(pod) => {
                self.bench.opened = pod;
                self.touch(Part::Shown);
            }
            Msg::LogOf(of) => (self.log_of, self.tab) = (of, Tab::Logs),
            Msg::FileOf(of) => (self.file_of, self.tab) = (of, Tab::Files),
            Msg::Pane(pane) => self.pane = pane,
            Msg::Drawer(open) => self.drawer = open,
            Msg::Resize(split, size) => {
                self.prefs.set_size(split, size);
                self.save_prefs(out);
            }
            Msg::NextTheme => {
                self.prefs.theme = self.prefs.theme.next();
                out.push(Effect::Theme(self.prefs.theme.name()));
                self.save_prefs(out);
            }
            Msg::Present(on) => {
                self.route.present = on;
                self.address(out, false);
            }
            Msg::Say(sentence) => self.notice(sentence, out),
            Msg::Dialog(dialog) => {
                self.dialog = dialog;
                if dialog == Some(Dialog::Solution) {
                    self.bench.solution_seen = true;
                    self.touch(Part::Flow);
                    self.ask_save(out);
                }
            }
            Msg::Dismiss => {
                self.notice = None;
                self.touch(Part::Notice);
            }
            _ => {}
        }
    }

    fn export(&mut self, export: Export, out: &mut Vec<Effect>) {
        let text = self.bench.text.clone();
        let slug = self.bench.id.replace('/', "-");
        let effect = match export {
            Export::CopyYaml => Effect::Copy(text),
            Export::Yaml => Effect::Download { name: format!("{slug}.yaml"), text },
            Export::Zip => Effect::Post(ToWorker::Bundle(Box::new(self.bundle_ask(text, slug)))),
            Export::Print => Effect::Print,
            Export::CopyTrace => Effect::CopyTrace,
            Export::Link => Effect::CopyLink(self.link()),
            Export::AllWork => {
                self.keep_work();
                let text = work::encode_all(self.works.values());
                Effect::Download { name: "podlab-work.txt".to_owned(), text }
            }
        };
        out.push(effect);
    }

    fn bundle_ask(&self, text: String, name: String) -> BundleAsk {
        let Some(lesson) = self.lesson.here() else {
            let title = "Sandbox".to_owned();
            return BundleAsk { text, name, title, ..BundleAsk::default() };
        };
        BundleAsk {
            text,
            name,
            title: lesson.card.title.clone(),
            tasks: lesson.steps.iter().flat_map(|s| s.tasks.iter().cloned()).collect(),
            actions: lesson.actions.clone(),
            run_secs: lesson.run_secs,
            needs: lesson.needs.clone(),
        }
    }

    fn save_prefs(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Save { key: Prefs::KEY.to_owned(), value: self.prefs.encode() });
    }

    /// Writes where we are into the address.
    fn address(&mut self, out: &mut Vec<Effect>, push: bool) {
        let open = matches!(self.route.page, Page::Lesson(_) | Page::Sandbox);
        if open {
            let lesson = self.lesson.here().is_some_and(|l| l.steps.len() > 1);
            self.route.step = lesson.then_some(self.bench.step + 1);
            self.route.at = Some(self.bench.player.cursor);
            self.route.tab = Some(self.tab);
        }
        self.address_ms = 0.0;
        out.push(Effect::Address { hash: self.route.to_string(), push });
    }

    fn notice(&mut self, sentence: impl Into<String>, out: &mut Vec<Effect>) {
        let sentence = self.words.say(&sentence.into());
        out.push(Effect::Say(sentence.clone()));
        self.notice = Some(sentence);
        self.touch(Part::Notice);
    }

    fn touch(&mut self, part: Part) {
        self.changed |= 1 << part as u32;
    }

    /// The parts that changed since this was last asked.
    pub fn take_changed(&mut self) -> u32 {
        std::mem::take(&mut self.changed)
    }
}
