//! Podlab: a manifest goes in, a trace comes out, both are text; the app is a picture of the trace.
//!
//! Modules in reading order, each naming only what `tests/tidy.rs` lists for it:
//! `time`, `rng` and `part` (leaves) -> `text` -> `diagnostic` -> `yaml` -> `kube` -> `check`: from
//! a keystroke to a verdict. `regex` -> `shell` (a small operating system) -> `sim` (a cluster) ->
//! `trace` (what happened): from objects to a run. `lesson`, `export`, `kubectl`: what people do
//! with a run. `protocol`, `session`, `ui`, `cli`: the faces.
//!
//! Invariants: user input is never an `Err` or a panic; time comes in as an argument; the same
//! manifest, seed and actions give the same bytes; events are the only truth and a snapshot is
//! their fold; every loop over user input has a limit, and reaching it is a sentence on the screen.

pub mod check;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod diagnostic;
pub mod export;
pub mod kube;
pub mod kubectl;
pub mod lesson;
pub mod order;
pub mod part;
pub mod protocol;
pub mod regex;
pub mod rng;
pub mod session;
pub mod shell;
pub mod sim;
pub mod text;
pub mod time;
pub mod trace;
#[cfg(target_arch = "wasm32")]
pub mod ui;
pub mod yaml;
