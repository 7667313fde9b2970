//! What can happen to a session, and what it asks the page to do: the only ways in and out.

use super::prefs::Split;
use super::route::Tab;
use super::{Dialog, Pane, Pick};
use crate::protocol::{FromWorker, Revision, ToWorker};
use crate::text::{Edit, Span};
use crate::time::SimTime;
use crate::trace::Name;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// The page is up: what storage holds, the address, whether storage can be written.
    Booted {
        stored: Vec<(String, String)>,
        hash: String,
        storage: Result<(), String>,
        /// The browser's own, by its two letters.
        language: String,
    },
    HashChanged(String),
    CatalogueCame(Result<Vec<u8>, String>),
    LessonCame(String, Result<Vec<u8>, String>),
    Retry,
    /// The list of packs beside the site.
    PacksCame(Result<Vec<u8>, String>),
    /// What a pack beside the site holds.
    PackCame(String, Result<Vec<u8>, String>),
    /// A pack somebody opened: the file's name and its bytes.
    PackOpened(String, Vec<u8>),
    ForgetPack(String),
    Worker(FromWorker),
    /// The worker broke down or could not be started.
    WorkerDied(String),
    /// A second of real time, more or less.
    Clock {
        elapsed_ms: f64,
    },
    /// A frame of the page.
    Frame {
        dt_ms: f64,
    },
    /// Simulates the text of this revision, if it is still the newest.
    Simulate(Revision),

    Edited(String),
    ApplyFix {
        diagnostic: usize,
        fix: usize,
    },
    Undo,
    Redo,
    Reset,
    BringBack,
    JumpTo(Span),
    Import {
        name: String,
        text: String,
    },

    Run,
    /// Ends a run that is slow to make where it has come to.
    StopRun,
    PlayPause,
    Pause,
    Speed(u32),
    Seek(SimTime),
    /// To the next (true) or previous event.
    StepEvent(bool),
    /// By so many milliseconds.
    Nudge(i64),
    /// Does something to the cluster at the cursor's instant, in kubectl's words.
    Act(String),
    /// Asks a kubectl command at the cursor's instant.
    Kubectl(String),
    /// How the console's line may go on, as Tab asks in a terminal.
    CompleteKubectl(String),
    /// Ends the command that works, as Ctrl+C does.
    StopKubectl,
    /// Applies the edited manifest to what runs, at the cursor's instant.
    ApplyEdit,
    /// Takes everything back that was done to it.
    ClearActs,
    /// Takes one of them back.
    TakeBack(usize),

    Pick(Option<Pick>),
    /// A tab, optionally of one container.
    Tab(Tab),
    /// One of several pods, large.
    OpenPod(Option<Name>),
    LogOf(Option<(Name, Name)>),
    FileOf(Option<(Name, String)>),
    Pane(Pane),
    Drawer(bool),
    Resize(Split, Option<u32>),
    NextTheme,
    /// Of lessons and page, by its two letters; empty for English.
    Language(String),
    Present(bool),
    Dialog(Option<Dialog>),
    Dismiss,

    Step(usize),
    Predict {
        step: usize,
        choice: usize,
    },
    Recall {
        question: usize,
        answer: usize,
    },
    /// Stops the drill's clock, or lets it go on.
    DrillClock,
    /// Ticks or clears a task that no run can see.
    Tick(String),
    Hint,
    LoadSolution,

    Export(Export),
    /// How writing to storage went.
    Storage(Result<(), String>),
    /// It is time to write work down.
    SaveNow,
    /// The editor's own state (its undo, its folds), as text it can be given again.
    Keep(Option<String>),
    ForgetWork(String),
    /// A sentence for the person.
    Say(String),
}

/// What can be taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    CopyYaml,
    Yaml,
    Zip,
    Print,
    CopyTrace,
    AllWork,
    /// A link to what is on the bench.
    Link,
}

/// What the page is to do; the only way a session reaches the outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    FetchCatalogue,
    FetchLesson(String),
    /// A file below `packs/`; its bytes come with the message this makes.
    FetchPacks,
    /// What the pack of this name holds.
    FetchPack(String),
    Post(ToWorker),
    StartWorker,
    /// Another text in the console's line.
    ConsoleLine(String),
    /// Sends the message after so many milliseconds.
    After(u32, Msg),
    Save {
        key: String,
        value: String,
    },
    Forget {
        key: String,
    },
    /// Into the address bar; `push` makes an entry to go back to.
    Address {
        hash: String,
        push: bool,
    },
    /// Another text in the editor, with a state of its own kept from earlier.
    EditorText {
        text: String,
        state: Option<String>,
    },
    /// Asks for the editor's state: `Msg::Keep`.
    EditorKeep,
    /// A repair of the old text.
    EditorEdits {
        old: String,
        edits: Vec<Edit>,
    },
    EditorJump(Span),
    EditorMark(Option<Span>),
    Download {
        name: String,
        text: String,
    },
    DownloadBytes {
        name: String,
        zip: Vec<u8>,
    },
    Copy(String),
    CopyTrace,
    /// The page's address with this after it.
    CopyLink(String),
    Print,
    /// Said to a screen reader.
    Say(String),
    Theme(&'static str),
    /// What the page says of its own language; empty for English.
    Language(String),
}
