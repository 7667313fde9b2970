//! The worker: answers `protocol` messages with the engine. A run goes in slices with a pause
//! between them, so that a newer text never waits for an older one's run. What met a part of the
//! engine that isn't there yet (see `part`) is done again when it is.

use crate::check::{self, Checked};
use crate::export::{Bundle, bundle, needs};
use crate::kubectl;
use crate::lesson::{Goal, asks_the_cluster, judge};
use crate::part;
use crate::protocol::{BundleAsk, FromWorker, KubectlAsk, Revision, ToWorker};
use crate::sim::{Scenario, Simulation};
use crate::time::SimTime;
use crate::trace::{End, Event, Timeline};
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Interpreter steps of one slice; a few milliseconds.
const SLICE_STEPS: u64 = 20_000;
/// Goals are judged again after so many slices, and at the end.
const JUDGE_EVERY: u32 = 16;
/// So many slices are told of at once, the first ones sooner: each telling draws the run anew.
const TELL_EVERY: u32 = 8;
const NOT_LOADED: &str =
    "A part of the lab could not be loaded. Look at the connection and try again.";

/// Loads a part of the engine; answers whether it came.
pub type Load = fn(part::Name) -> Pin<Box<dyn Future<Output = bool>>>;

struct Engine {
    load: Load,
    /// Messages not answered yet, oldest first.
    waiting: VecDeque<ToWorker>,
    is_loading: bool,
    /// The newest text checked and what came of it: a run of the same text starts from it.
    checked: Option<(String, Arc<Checked>)>,
    /// Whether best practice was looked at in it.
    practices: bool,
    run: Option<Run>,
    slice_asked: bool,
}

struct Run {
    scenario: Scenario,
    revision: Revision,
    simulation: Simulation,
    until: SimTime,
    checked: Arc<Checked>,
    goals: Vec<Goal>,
    timeline: Timeline,
    n_slices: u32,
    /// Events that the page has from this run: not sent again when it starts anew.
    n_sent: usize,
}

impl Run {
    /// The events that the page does not have yet.
    fn untold(&self) -> Vec<Event> {
        self.timeline.events.get(self.n_sent..).map(<[Event]>::to_vec).unwrap_or_default()
    }
}

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

fn with_engine(work: impl FnOnce(&mut Engine)) {
    ENGINE.with_borrow_mut(|engine| engine.as_mut().map(work));
}

fn scope() -> web_sys::DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn post(message: &FromWorker) {
    let bytes = postcard::to_allocvec(message).unwrap_or_default();
    let array = js_sys::Uint8Array::from(bytes.as_slice());
    let _ = scope().post_message(&array);
}

/// Installs the message handler and says that the engine is there.
pub fn start(load: Load) {
    let engine = Engine {
        load,
        waiting: VecDeque::new(),
        is_loading: false,
        checked: None,
        practices: false,
        run: None,
        slice_asked: false,
    };
    ENGINE.set(Some(engine));
    std::panic::set_hook(Box::new(|info| {
        post(&FromWorker::Failed { message: info.to_string() });
    }));
    let on_message =
        Closure::<dyn FnMut(web_sys::MessageEvent)>::new(|e: web_sys::MessageEvent| {
            let bytes = js_sys::Uint8Array::new(&e.data()).to_vec();
            if let Ok(message) = postcard::from_bytes::<ToWorker>(&bytes) {
                with_engine(|engine| {
                    engine.waiting.push_back(message);
                    engine.answer_waiting();
                });
            }
        });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&FromWorker::Ready);
}

fn wanted() -> Option<part::Name> {
    part::Name::ALL.into_iter().find(|part| part.is_wanted())
}

fn kubectl_says(text: &str) -> String {
    let printed = check::kubectl::create(text);
    format!("{}{}", printed.stdout, printed.stderr)
}

impl Engine {
    fn answer_waiting(&mut self) {
        while !self.is_loading
            && let Some(message) = self.waiting.pop_front()
        {
            let answer = self.answer(&message);
            if self.lacks_a_part() {
                self.checked = None;
                self.waiting.push_front(message);
            } else if let Some(answer) = answer {
                post(&answer);
            }
        }
    }

    /// Whether what was just done met a part that isn't there; it is on its way then.
    fn lacks_a_part(&mut self) -> bool {
        let Some(wanted) = wanted() else { return false };
        self.is_loading = true;
        let load = self.load;
        wasm_bindgen_futures::spawn_local(async move {
            // A connection that hiccups is asked a second time.
            let came = load(wanted).await || load(wanted).await;
            with_engine(|engine| {
                if came {
                    engine.is_loading = false;
                    engine.answer_waiting();
                    engine.ask_slice();
                } else {
                    post(&FromWorker::Failed { message: NOT_LOADED.to_owned() });
                }
            });
        });
        true
    }

    fn answer(&mut self, message: &ToWorker) -> Option<FromWorker> {
        match message {
            ToWorker::Check { revision, text, practices } => {
                Some(self.check(*revision, text, *practices))
            }
            ToWorker::Stop => self.stop(),
            ToWorker::Says { revision, text } => {
                Some(FromWorker::Says { revision: *revision, says: kubectl_says(text) })
            }
            ToWorker::Simulate {
                revision,
                text,
                actions,
                seed,
                started_unix_secs,
                until,
                goals,
            } => {
                let checked = self.checked(text);
                let scenario = Scenario {
                    actions: actions.clone(),
                    review: Some(check::review),
                    seed: *seed,
                    started_unix_secs: *started_unix_secs,
                    ..Scenario::new(checked.accepted())
                };
                self.run = Some(Run {
                    revision: *revision,
                    simulation: Simulation::new(scenario.clone()),
                    scenario,
                    until: *until,
                    checked,
                    goals: goals.clone(),
                    timeline: Timeline::default(),
                    n_slices: 0,
                    n_sent: 0,
                });
                self.ask_slice();
                None
            }
            ToWorker::Kubectl(ask) => Some(self.kubectl(ask)),
            ToWorker::CompleteLine(ask) => Some(self.complete_line(ask)),
            ToWorker::Bundle(ask) => Some(self.bundle(ask)),
            ToWorker::Complete { ask, text, at } => {
                let completions = check::complete(text, *at as usize);
                Some(FromWorker::Completed { ask: *ask, completions })
            }
            ToWorker::Hover { ask, text, at } => {
                Some(FromWorker::Hovered { ask: *ask, hover: check::hover(text, *at as usize) })
            }
            ToWorker::Links { ask, text, at } => {
                Some(FromWorker::Linked { ask: *ask, links: check::links(text, *at as usize) })
            }
            ToWorker::Rename { ask, text, at, to } => {
                let renamed = check::rename(text, *at as usize, to);
                Some(FromWorker::Renamed { ask: *ask, renamed })
            }
        }
    }

    fn check(&mut self, revision: Revision, text: &str, practices: bool) -> FromWorker {
        if self.practices != practices {
            self.practices = practices;
            self.checked = None;
        }
        let checked = self.checked(text);
        let diagnostics = checked.diagnostics.clone();
        let needs = needs(&checked.desired);
        FromWorker::Checked { revision, diagnostics, needs }
    }

    /// The person has seen enough of a run that is slow to make.
    fn stop(&mut self) -> Option<FromWorker> {
        let run = self.run.take()?;
        let (revision, now) = (run.revision, run.timeline.now);
        post(&FromWorker::Judged {
            revision,
            results: judge(&run.goals, &run.checked, &run.timeline, None),
        });
        let sentence = format!("stopped by you at {} s", now.as_secs_f64());
        let events = run.untold();
        Some(FromWorker::Ran { revision, events, now, end: Some(End::Stopped { sentence }) })
    }

    fn scenario_of(&mut self, ask: &KubectlAsk) -> Scenario {
        Scenario {
            actions: ask.actions.clone(),
            review: Some(check::review),
            seed: ask.seed,
            started_unix_secs: ask.started_unix_secs,
            ..Scenario::new(self.checked(&ask.text).accepted())
        }
    }

    fn complete_line(&mut self, ask: &KubectlAsk) -> FromWorker {
        let scenario = self.scenario_of(ask);
        let (line, ways) = kubectl::complete_line(&scenario, ask.at, &ask.line, &ask.files);
        FromWorker::LineCompleted { line, ways }
    }

    fn kubectl(&mut self, ask: &KubectlAsk) -> FromWorker {
        let mut scenario = self.scenario_of(ask);
        let mut files = ask.files.clone();
        let said = kubectl::run_among(&mut scenario, ask.at, &ask.line, &mut files);
        let answer = said.out + &said.err;
        FromWorker::Kubectl { answer, at: ask.at, actions: said.actions, files }
    }

    fn bundle(&mut self, ask: &BundleAsk) -> FromWorker {
        let about = Bundle {
            name: &ask.name,
            title: &ask.title,
            tasks: &ask.tasks,
            actions: &ask.actions,
            run_secs: ask.run_secs,
            needs: &ask.needs,
        };
        let zip = bundle(&about, &ask.text, &self.checked(&ask.text).desired);
        FromWorker::Bundled { name: format!("{}.zip", ask.name), zip }
    }

    fn checked(&mut self, text: &str) -> Arc<Checked> {
        match &self.checked {
            Some((known, checked)) if known == text => Arc::clone(checked),
            _ => {
                let checked = Arc::new(check::check_with(text, self.practices));
                self.checked = Some((text.to_owned(), Arc::clone(&checked)));
                checked
            }
        }
    }

    /// The next slice comes after the messages that wait.
    fn ask_slice(&mut self) {
        if !std::mem::replace(&mut self.slice_asked, true) {
            Timeout::new(0, || with_engine(Engine::slice)).forget();
        }
    }

    fn slice(&mut self) {
        self.slice_asked = false;
        if self.is_loading {
            return;
        }
        let Some(run) = &mut self.run else { return };
        let slice = run.simulation.advance(run.until, SLICE_STEPS);
        let looks = slice.end.is_some() && asks_the_cluster(&run.goals);
        let live = looks.then(|| kubectl::objects(&run.simulation)).flatten();
        if wanted().is_some() {
            run.simulation = Simulation::new(run.scenario.clone());
            run.timeline = Timeline::default();
            self.lacks_a_part();
            return;
        }
        run.timeline.extend(slice.events.iter().cloned(), slice.now);
        run.timeline.end.clone_from(&slice.end);
        let ended = slice.end.is_some();
        let revision = run.revision;
        if ended || run.n_slices.is_multiple_of(JUDGE_EVERY) {
            let results = judge(&run.goals, &run.checked, &run.timeline, live.as_ref());
            post(&FromWorker::Judged { revision, results });
        }
        run.n_slices += 1;
        if ended || run.n_slices.is_power_of_two() || run.n_slices.is_multiple_of(TELL_EVERY) {
            let events = run.untold();
            run.n_sent = run.n_sent.max(run.timeline.events.len());
            post(&FromWorker::Ran { revision, events, now: slice.now, end: slice.end });
        }
        match ended {
            true => self.run = None,
            false => self.ask_slice(),
        }
    }
}
