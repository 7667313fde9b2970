//! The goals language: one readable assertion a line, over the manifest and the run. What it can
//! say is listed in `lessons/README.md`; what it cannot say is a problem with a column, never a
//! goal that silently holds or fails.

mod cluster;
mod files;
mod find;
mod judge;
mod manifest;
mod moment;
mod parse;
mod tell;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use cluster::ClusterCheck;
pub use judge::{asks_the_cluster, judge};
pub use parse::goal_problems;

pub(crate) use parse::parse;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use parse::remarks_of;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use token::duration;

use crate::regex::Regex;
use crate::text::Span;
use crate::time::SimTime;
use crate::trace::ProbeKind;

/// Why a goal cannot be read, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalProblem {
    pub span: Span,
    pub message: String,
}

/// One line of a goal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Assertion {
    /// The moment comes `times`, counting from `from` on, and by `within` where that is set.
    Happens {
        moment: Moment,
        times: Times,
        from: SimTime,
        within: Option<SimTime>,
    },
    /// The first of the one comes before the first of the other.
    Order {
        first: Moment,
        then: Moment,
    },
    /// The state that `moment` names is there at that instant; None is the end of the run.
    Is {
        moment: Moment,
        at: Option<SimTime>,
    },
    /// The state that `moment` names is there from then on.
    Stays {
        moment: Moment,
        from: SimTime,
    },
    Manifest(ManifestHas),
    /// The same of the cluster's objects when the run is over, whoever made them.
    Cluster(ManifestHas),
    NoErrors,
    NoWarnings,
    /// Best practice has nothing to remark; with codes, none of these.
    NoRemarks(Vec<String>),
    NothingUnsimulated,
    Refused(Pattern),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    AtLeast(usize),
    AtMost(usize),
    Exactly(usize),
}

/// Something that happens to somebody.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    pub(crate) who: Who,
    pub(crate) deed: Deed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A name, or the beginning of one with `*` behind it.
    Pod(String),
    Container {
        name: String,
        pod: Option<String>,
    },
    /// `volume:NAME/PATH` or `rootfs:CONTAINER/PATH`.
    File {
        place: String,
        name: String,
        path: String,
    },
    Service(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    /// The row of `kubectl get pods`.
    Row {
        ready: Option<(u32, u32)>,
        status: String,
    },
    Gone,
    /// An Event object.
    Reports {
        reason: String,
        message: Option<Pattern>,
    },
    Logs(Pattern),
    /// A state word or reason as the API server shows it.
    State(String),
    Ready(bool),
    Starts,
    Exits(Option<i32>),
    Restarts,
    Listens(u16),
    Probe {
        probe: ProbeKind,
        ok: bool,
    },
    Request {
        to: String,
        ok: bool,
        answer: Option<Pattern>,
    },
    Contains(Pattern),
    Exists,
    Endpoints(usize),
}

/// `"text"` is found anywhere; `/expression/` is a POSIX extended regular expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Pattern {
    Text(String),
    Expression(Expression),
}

#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) text: String,
    pub(crate) regex: Regex,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.text == other.text
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ManifestHas {
    /// False for `manifest has no PATH`.
    pub(crate) wanted: bool,
    pub(crate) path: Vec<Step>,
    /// The path as it was written.
    pub(crate) text: String,
    pub(crate) value: Value,
    /// `Kind/name` of the one object meant.
    pub(crate) object: Option<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    /// `[name=shipper]`
    Where(String, String),
    /// `[*]`
    Any,
    /// `[each]`: all of them, and at least one.
    Each,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Present,
    Equal(String),
    Matching(Pattern),
}
