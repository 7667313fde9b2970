//! The worker: answers `protocol` messages with the engine. A run goes in slices with a pause
//! between them, so that a newer text never waits for an older one's run.

use crate::check::{self, Checked};
use crate::diagnostic::Severity;
use crate::export::{Bundle, bundle, needs};
use crate::lesson::{Goal, judge};
use crate::protocol::{BundleAsk, FromWorker, Revision, ToWorker};
use crate::sim::{Scenario, Simulation};
use crate::time::SimTime;
use crate::trace::Timeline;
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// Interpreter steps of one slice; a few milliseconds.
const SLICE_STEPS: u64 = 20_000;
/// Goals are judged again after so many slices, and at the end.
const JUDGE_EVERY: u32 = 16;

#[derive(Default)]
struct Engine {
    /// The newest text checked and what came of it: a run of the same text starts from it.
    checked: Option<(String, Arc<Checked>)>,
    run: Option<Run>,
    slice_asked: bool,
}

struct Run {
    revision: Revision,
    simulation: Simulation,
    until: SimTime,
    checked: Arc<Checked>,
    goals: Vec<Goal>,
    timeline: Timeline,
    n_slices: u32,
}

thread_local! {
    static ENGINE: RefCell<Engine> = RefCell::new(Engine::default());
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
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        post(&FromWorker::Failed { message: info.to_string() });
    }));
    let on_message =
        Closure::<dyn FnMut(web_sys::MessageEvent)>::new(|e: web_sys::MessageEvent| {
            let bytes = js_sys::Uint8Array::new(&e.data()).to_vec();
            if let Ok(message) = postcard::from_bytes::<ToWorker>(&bytes) {
                ENGINE.with_borrow_mut(|engine| engine.take(message));
            }
        });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    post(&FromWorker::Ready);
}

fn kubectl_says(text: &str) -> String {
    let printed = check::kubectl::create(text);
    format!("{}{}", printed.stdout, printed.stderr)
}

impl Engine {
    fn take(&mut self, message: ToWorker) {
        match message {
            ToWorker::Check { revision, text } => {
                let checked = self.checked(&text);
                let diagnostics = checked.diagnostics.clone();
                let needs = needs(&checked.desired);
                let wrong = diagnostics.iter().any(|d| d.severity == Severity::Error);
                let says = if wrong { kubectl_says(&text) } else { String::new() };
                post(&FromWorker::Checked { revision, diagnostics, needs, says });
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
                let checked = self.checked(&text);
                let scenario = Scenario {
                    actions,
                    seed,
                    started_unix_secs,
                    ..Scenario::new(checked.accepted())
                };
                self.run = Some(Run {
                    revision,
                    simulation: Simulation::new(scenario),
                    until,
                    checked,
                    goals,
                    timeline: Timeline::default(),
                    n_slices: 0,
                });
                self.ask_slice();
            }
            ToWorker::Bundle(ask) => self.bundle(&ask),
            ToWorker::Complete { ask, text, at } => {
                let completions = check::complete(&text, at as usize);
                post(&FromWorker::Completed { ask, completions });
            }
            ToWorker::Hover { ask, text, at } => {
                let hover = check::hover(&text, at as usize);
                post(&FromWorker::Hovered { ask, hover });
            }
        }
    }

    fn bundle(&mut self, ask: &BundleAsk) {
        let about = Bundle {
            name: &ask.name,
            title: &ask.title,
            tasks: &ask.tasks,
            actions: &ask.actions,
            run_secs: ask.run_secs,
            needs: &ask.needs,
        };
        let zip = bundle(&about, &ask.text, &self.checked(&ask.text).desired);
        post(&FromWorker::Bundled { name: format!("{}.zip", ask.name), zip });
    }

    fn checked(&mut self, text: &str) -> Arc<Checked> {
        match &self.checked {
            Some((known, checked)) if known == text => Arc::clone(checked),
            _ => {
                let checked = Arc::new(check::check(text));
                self.checked = Some((text.to_owned(), Arc::clone(&checked)));
                checked
            }
        }
    }

    /// The next slice comes after the messages that wait.
    fn ask_slice(&mut self) {
        if !std::mem::replace(&mut self.slice_asked, true) {
            Timeout::new(0, || ENGINE.with_borrow_mut(Engine::slice)).forget();
        }
    }

    fn slice(&mut self) {
        self.slice_asked = false;
        let Some(run) = &mut self.run else { return };
        let slice = run.simulation.advance(run.until, SLICE_STEPS);
        run.timeline.extend(slice.events.iter().cloned(), slice.now);
        run.timeline.end.clone_from(&slice.end);
        let ended = slice.end.is_some();
        let revision = run.revision;
        if ended || run.n_slices.is_multiple_of(JUDGE_EVERY) {
            let results = judge(&run.goals, &run.checked, &run.timeline);
            post(&FromWorker::Judged { revision, results });
        }
        run.n_slices += 1;
        let (events, now, end) = (slice.events, slice.now, slice.end);
        post(&FromWorker::Ran { revision, events, now, end });
        match ended {
            true => self.run = None,
            false => self.ask_slice(),
        }
    }
}
