//! Opening pages: the address, what comes over the network, what was kept, imports.

use super::bench::Bench;
use super::history::History;
use super::prefs::Prefs;
use super::route::{Page, Route, Tab};
use super::run::Run;
use super::words::Words;
use super::work::{self, Work};
use super::{Effect, Load, Msg, Pane, Part, Session};
use crate::export;
use crate::lesson::{Catalogue, Lesson};
use crate::protocol::Revision;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Wait after a change before work is written down, in milliseconds.
const SAVE_MS: u32 = 400;
/// A text longer than this is opened, but not kept in the browser, in bytes.
const KEEP_MAX: usize = 1 << 20;
/// A file longer than this is not opened, in bytes.
const IMPORT_MAX: usize = 8 << 20;
/// So much of a file is looked at to tell whether it is text, in characters.
const LOOKED_MAX: usize = 4096;

/// What an empty sandbox starts with.
const SANDBOX: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: sandbox
spec:
  volumes:
    - name: shared
      emptyDir: {}
  containers:
    - name: writer
      image: busybox:1.37
      command: [sh, -c, 'while true; do date >> /out/log; sleep 2; done']
      volumeMounts:
        - { name: shared, mountPath: /out }
    - name: reader
      image: busybox:1.37
      command: [sh, -c, 'tail -F /in/log']
      volumeMounts:
        - { name: shared, mountPath: /in, readOnly: true }
";

fn decode<T: DeserializeOwned>(bytes: &Result<Vec<u8>, String>) -> Load<Arc<T>> {
    match bytes {
        Err(why) => Load::Failed(why.clone()),
        Ok(bytes) => match postcard::from_bytes(bytes) {
            Ok(value) => Load::Here(Arc::new(value)),
            Err(_) => Load::Failed(
                "It came, but is not of this version of the lab. Load the page again.".to_owned(),
            ),
        },
    }
}

/// Whether a file is a picture, a program or the like: more than every twentieth character is none
/// that people write.
fn is_no_text(text: &str) -> bool {
    let odd = |c: &char| *c == char::REPLACEMENT_CHARACTER || c.is_control() && !c.is_whitespace();
    let looked = || text.chars().take(LOOKED_MAX);
    looked().filter(odd).count() * 20 > looked().count()
}

impl Session {
    pub(super) fn update_load(&mut self, msg: Msg, out: &mut Vec<Effect>) {
        match msg {
            Msg::Booted { stored, hash, storage, language } => {
                self.browser_speaks = language;
                self.packs_unasked = true;
                self.boot(stored, &hash, storage, out);
            }
            Msg::HashChanged(hash) if hash == self.route.to_string() => {}
            Msg::HashChanged(hash) => self.go(Route::parse(&hash), out),
            Msg::CatalogueCame(Err(_)) if !self.prefs.language.is_empty() => {
                // This site is not translated, or no longer.
                self.speak(String::new(), out);
            }
            Msg::Language(language) => self.speak(language, out),
            Msg::CatalogueCame(bytes) => {
                self.catalogue = decode::<Catalogue>(&bytes);
                self.touch(Part::Page);
                self.listen_to_browser(out);
                if std::mem::take(&mut self.packs_unasked) {
                    out.push(Effect::FetchPacks);
                }
            }
            Msg::LessonCame(id, bytes) => self.lesson_came(&id, &bytes, out),
            Msg::Retry => {
                if matches!(self.catalogue, Load::Failed(_)) {
                    self.catalogue = Load::Waiting;
                    out.push(Effect::FetchCatalogue);
                }
                if let (Load::Failed(_), Page::Lesson(id)) = (&self.lesson, &self.route.page) {
                    let id = id.clone();
                    self.lesson = Load::Waiting;
                    self.packs.wrong.clear();
                    self.fetch_lesson(id, out);
                }
                self.touch(Part::Page);
            }
            Msg::Storage(result) => self.storage_said(result, out),
            Msg::SaveNow => out.push(Effect::EditorKeep),
            Msg::Keep(state) => {
                self.save_asked = false;
                self.bench.editor_state = state;
                if let Some(work) = self.keep_work() {
                    let (key, value) = (work.key(), work.encode());
                    out.push(Effect::Save { key, value });
                }
            }
            Msg::ForgetWork(key) => {
                self.works.remove(&key);
                out.push(Effect::Forget { key });
                self.touch(Part::Page);
            }
            Msg::Import { name, text } => self.import(&name, text, out),
            _ => self.update_packs(msg, out),
        }
    }

    /// The page's words come with the catalogue. Who never chose a language gets the browser's,
    /// where there is something in it.
    fn listen_to_browser(&mut self, out: &mut Vec<Effect>) {
        let Load::Here(catalogue) = &self.catalogue else { return };
        let words = Words::new(&catalogue.words);
        let theirs = std::mem::take(&mut self.browser_speaks);
        if !self.prefs.chosen && catalogue.languages.contains(&theirs) {
            return self.speak(theirs, out);
        }
        if words != self.words {
            self.words = words;
            self.touch(Part::Words);
        }
    }

    fn speak(&mut self, language: String, out: &mut Vec<Effect>) {
        self.keep_work();
        out.push(Effect::Language(language.clone()));
        self.prefs.language = language;
        self.prefs.chosen = true;
        self.save_prefs(out);
        out.push(Effect::FetchCatalogue);
        if let Page::Lesson(id) = self.route.page.clone() {
            self.fetch_lesson(id, out);
        }
    }

    fn boot(
        &mut self,
        stored: Vec<(String, String)>,
        hash: &str,
        storage: Result<(), String>,
        out: &mut Vec<Effect>,
    ) {
        for (key, value) in stored {
            if key == Prefs::KEY {
                self.prefs = Prefs::decode(&value);
            } else if let Some(work) = Work::decode(&value) {
                self.works.insert(key, work);
            }
        }
        self.storage = storage.err();
        out.push(Effect::Theme(self.prefs.theme.name()));
        out.push(Effect::Language(self.prefs.language.clone()));
        out.push(Effect::FetchCatalogue);
        out.push(Effect::StartWorker);
        self.bench.revision = Revision(1);
        self.go(Route::parse(hash), out);
    }

    /// Shows a route; opens its lesson where another or none is open.
    pub(super) fn go(&mut self, route: Route, out: &mut Vec<Effect>) {
        self.touch(Part::Page);
        self.touch(Part::Layout);
        self.tab = route.tab.unwrap_or(self.tab);
        let id = match &route.page {
            Page::Lesson(id) => id.clone(),
            Page::Sandbox => "sandbox".to_owned(),
            _ => String::new(),
        };
        self.route = route;
        if id != self.bench.id {
            self.keep_work();
            self.close();
            match &self.route.page.clone() {
                Page::Lesson(id) => self.fetch_lesson(id.clone(), out),
                Page::Sandbox => self.open("sandbox", "1", SANDBOX, out),
                _ => {}
            }
        } else if !id.is_empty() {
            self.arrive();
        }
    }

    /// Step and instant as the address says.
    fn arrive(&mut self) {
        if let Some(step) = self.route.step {
            let n = self.lesson.here().map_or(1, |l| l.steps.len());
            self.bench.step = (step - 1).min(n.saturating_sub(1));
            self.touch(Part::Flow);
        }
        if let Some(at) = self.route.at {
            self.bench.player.playing = false;
            self.bench.wanted = Some(at).filter(|at| *at > self.bench.run.timeline.now);
            self.show(at, true);
        }
    }

    fn close(&mut self) {
        let revision = Revision(self.bench.revision.0 + 1);
        self.bench = Bench { revision, ..Bench::default() };
        self.bench.player.speed = self.prefs.speed;
        self.lesson = Load::Waiting;
        (self.dialog, self.drawer, self.log_of, self.file_of) = (None, false, None, None);
        self.engine_moves_on();
        for part in [Part::Flow, Part::Text, Part::Problems, Part::Run, Part::Shown, Part::Cursor] {
            self.touch(part);
        }
        self.touch(Part::Player);
        self.touch(Part::Pick);
    }

    fn lesson_came(&mut self, id: &str, bytes: &Result<Vec<u8>, String>, out: &mut Vec<Effect>) {
        if self.route.page != Page::Lesson(id.to_owned()) {
            return;
        }
        match self.packed_lesson(id, bytes) {
            Some(lesson) => self.lesson_is(id, lesson, out),
            None => {
                self.lesson = decode::<Lesson>(bytes);
                self.lesson_opens(id, out);
            }
        }
    }

    pub(super) fn lesson_is(
        &mut self,
        id: &str,
        lesson: Result<Lesson, String>,
        out: &mut Vec<Effect>,
    ) {
        self.lesson = lesson.map_or_else(Load::Failed, |lesson| Load::Here(Arc::new(lesson)));
        self.lesson_opens(id, out);
    }

    fn lesson_opens(&mut self, id: &str, out: &mut Vec<Effect>) {
        self.touch(Part::Page);
        self.touch(Part::Flow);
        if let Load::Here(lesson) = self.lesson.clone() {
            self.open(id, &lesson.card.version, &lesson.start, out);
            id.clone_into(&mut self.prefs.last);
            self.save_prefs(out);
        }
    }

    fn open(&mut self, id: &str, version: &str, start: &str, out: &mut Vec<Effect>) {
        let key = Work { id: id.into(), version: version.into(), ..Work::default() }.key();
        let bench = &mut self.bench;
        (bench.id, bench.version) = (id.to_owned(), version.to_owned());
        start.clone_into(&mut bench.text);
        if let Some(work) = self.works.get(&key) {
            bench.text.clone_from(&work.text);
            bench.step = work.step;
            bench.done.clone_from(&work.done);
            bench.predictions.clone_from(&work.predictions);
            bench.n_hints = work.n_hints;
            bench.drill.spent_ms = work.spent_secs as f64 * 1000.0;
            bench.solution_seen = work.solution_seen;
            bench.kept.clone_from(&work.kept);
            bench.editor_state.clone_from(&work.editor_state);
            bench.history = History::with_past(work.past.clone());
        }
        bench.run = Run::default();
        self.engine_tries_again(out);
        self.take_shared(start, out);
        let bench = &mut self.bench;
        bench.begun.clone_from(&bench.text);
        // What an address names is shown as it is; otherwise the run plays by itself.
        bench.player.playing = self.route.at.is_none();
        bench.wanted = self.route.at;
        (self.pane, self.tab) = match self.is_drill() {
            // An empty editor has nothing to watch, and a console is what an exam has.
            true => (Pane::Learn, self.route.tab.unwrap_or(Tab::Kubectl)),
            false => (Pane::Watch, self.tab),
        };
        out.push(Effect::EditorText {
            text: self.bench.text.clone(),
            state: self.bench.editor_state.clone(),
        });
        self.arrive();
        self.touch(Part::Text);
        self.ask_check(out);
    }

    /// The text of a link takes the place of what was kept, which can be brought back.
    fn take_shared(&mut self, start: &str, out: &mut Vec<Effect>) {
        let Some(link) = self.route.shared.take() else { return };
        match export::unshare(start, &link) {
            Ok(text) => {
                let own = std::mem::replace(&mut self.bench.text, text);
                self.bench.kept = Some(own).filter(|own| own != start);
                self.bench.editor_state = None;
                self.ask_save(out);
            }
            Err(why) => self.notice(why, out),
        }
    }

    /// The address of what is on the bench now, text and all.
    pub(super) fn link(&self) -> String {
        let start = self.lesson.here().map_or(SANDBOX, |l| &l.start);
        let shared = (self.bench.text != start).then(|| export::share(start, &self.bench.text));
        Route { shared, ..self.route.clone() }.to_string()
    }

    /// The bench as a record among the others.
    pub(super) fn keep_work(&mut self) -> Option<&Work> {
        let bench = &self.bench;
        if bench.id.is_empty() || bench.text.len() > KEEP_MAX {
            return None;
        }
        let touched = self.works.values().map(|w| w.touched).max().unwrap_or(0) + 1;
        let work = Work {
            id: bench.id.clone(),
            version: bench.version.clone(),
            text: bench.text.clone(),
            step: bench.step,
            done: bench.done.clone(),
            predictions: bench.predictions.clone(),
            n_hints: bench.n_hints,
            spent_secs: (bench.drill.spent_ms / 1000.0) as u64,
            solution_seen: bench.solution_seen,
            kept: bench.kept.clone(),
            editor_state: bench.editor_state.clone(),
            past: bench.history.past.clone(),
            touched,
        };
        let key = work.key();
        self.works.insert(key.clone(), work);
        self.works.get(&key)
    }

    /// Writes work down soon; many changes in a row become one.
    pub(super) fn ask_save(&mut self, out: &mut Vec<Effect>) {
        if !self.save_asked {
            self.save_asked = true;
            out.push(Effect::After(SAVE_MS, Msg::SaveNow));
        }
    }

    fn storage_said(&mut self, result: Result<(), String>, out: &mut Vec<Effect>) {
        match result {
            Err(why) => {
                if self.storage.is_none() {
                    out.push(Effect::Say(format!("Work is not being kept: {why}")));
                }
                self.storage = Some(why);
                self.touch(Part::Notice);
            }
            Ok(()) if self.storage.take().is_some() => self.touch(Part::Notice),
            Ok(()) => {}
        }
    }

    /// A file or pasted text: work of ours goes among the works, anything else into the sandbox.
    fn import(&mut self, name: &str, text: String, out: &mut Vec<Effect>) {
        self.dialog = None;
        self.touch(Part::Layout);
        if text.len() > IMPORT_MAX {
            let mib = text.len() >> 20;
            return self.notice(format!("{name} has {mib} MiB; a manifest has 8 at most."), out);
        }
        if is_no_text(&text) {
            let says = "{} holds bytes that are no text: nothing was opened.";
            return self.notice(self.words.fill(says, &[&name]), out);
        }
        if let Some(works) = work::decode_all(&text) {
            self.notice(format!("{} pieces of work were read from {name}.", works.len()), out);
            for work in works {
                out.push(Effect::Save { key: work.key(), value: work.encode() });
                self.works.insert(work.key(), work);
            }
            self.bench.id.clear();
            return self.go(self.route.clone(), out);
        }
        if self.route.page != Page::Sandbox {
            self.go(Route { page: Page::Sandbox, ..Route::default() }, out);
        }
        self.replace_text(text, out);
        self.address(out, true);
    }
}
