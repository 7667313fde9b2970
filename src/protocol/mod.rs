//! What page and worker say to each other, as postcard bytes. Plain data, no engine types.

use crate::diagnostic::{Completion, Diagnostic, Hover, Links, Renamed};
use crate::lesson::{Goal, GoalResult, Task};
use crate::time::SimTime;
use crate::trace::{End, Event};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The command whose words `says` holds.
pub const KUBECTL: &str = "kubectl create --dry-run=server --validate=strict -f -";

/// One per keystroke; late answers are recognised by it and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Revision(pub u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    Check {
        revision: Revision,
        text: String,
        /// Whether best practice is looked at too.
        practices: bool,
    },
    /// Ends the run that is being made where it is.
    Stop,
    /// What a terminal would show for this text.
    Says {
        revision: Revision,
        text: String,
    },
    /// Simulates the text of `revision` from zero, streaming slices back until `until`.
    Simulate {
        revision: Revision,
        text: String,
        actions: Vec<(SimTime, String)>,
        seed: u64,
        started_unix_secs: i64,
        until: SimTime,
        /// Judged again after each slice.
        goals: Vec<Goal>,
    },
    /// Runs a kubectl command over a run at one instant.
    Kubectl(Box<KubectlAsk>),
    /// How the console's line may go on; nothing is run. The editor's is `Complete`.
    CompleteLine(Box<KubectlAsk>),
    /// Asks for the files to take away, as one zip.
    Bundle(Box<BundleAsk>),
    /// What could be written at a byte of the text, and what stands there. `ask` comes back.
    Complete {
        ask: u32,
        text: String,
        at: u32,
    },
    Hover {
        ask: u32,
        text: String,
        at: u32,
    },
    /// Where the name at a byte of the text is given, and where it is used.
    Links {
        ask: u32,
        text: String,
        at: u32,
    },
    /// Edits that call the name at a byte of the text `to`, everywhere.
    Rename {
        ask: u32,
        text: String,
        at: u32,
        to: String,
    },
}

/// A kubectl command, when it runs, and the run it is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KubectlAsk {
    pub line: String,
    pub at: SimTime,
    pub text: String,
    pub actions: Vec<(SimTime, String)>,
    pub seed: u64,
    pub started_unix_secs: i64,
    pub files: Files,
}

/// The person's own files by their paths.
pub type Files = BTreeMap<String, String>;

/// What a bundle is made of, besides what the text says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BundleAsk {
    pub text: String,
    /// The folder's name in the zip.
    pub name: String,
    pub title: String,
    pub tasks: Vec<Task>,
    pub actions: Vec<(SimTime, String)>,
    pub run_secs: u64,
    pub needs: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    Ready,
    Checked {
        revision: Revision,
        diagnostics: Vec<Diagnostic>,
        /// What a cluster needs besides the manifest, a line each.
        needs: Vec<String>,
    },
    /// What a terminal would show for `KUBECTL`. Asked once problems are known: it needs a part of
    /// the engine that they need not wait for.
    Says {
        revision: Revision,
        says: String,
    },
    Ran {
        revision: Revision,
        events: Vec<Event>,
        now: SimTime,
        end: Option<End>,
    },
    /// One result for each goal asked, in order.
    Judged {
        revision: Revision,
        results: Vec<GoalResult>,
    },
    /// What kubectl printed, and what of it is to be done to the cluster at that instant.
    Kubectl {
        answer: String,
        at: SimTime,
        actions: Vec<String>,
        files: Files,
    },
    /// The console's line as far as all ways to go on agree, and these where there are several.
    LineCompleted {
        line: String,
        ways: String,
    },
    Bundled {
        name: String,
        zip: Vec<u8>,
    },
    Completed {
        ask: u32,
        completions: Vec<Completion>,
    },
    Hovered {
        ask: u32,
        hover: Option<Hover>,
    },
    /// None where no name stands.
    Linked {
        ask: u32,
        links: Option<Links>,
    },
    Renamed {
        ask: u32,
        renamed: Renamed,
    },
    /// The worker could not go on; the page offers to start it again.
    Failed {
        message: String,
    },
}
