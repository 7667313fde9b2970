//! What a machine tells the simulator that happened inside its containers.

use super::wall::Dropped;
use super::{ClientId, ContainerId, ExecId};
use crate::shell::Signal;
use crate::time::SimTime;
use std::net::Ipv4Addr;

/// Something happened. `container` is `None` for things outside of all containers.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub at: SimTime,
    pub container: Option<ContainerId>,
    pub kind: NoticeKind,
}

/// What a command printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// All of it in its order, as probes and hooks see it.
    pub all: String,
    pub stdout: String,
    pub stderr: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum NoticeKind {
    /// A line of the container's log, without its newline. `cut` where no newline came: the
    /// stream ended, or the line was longer than a log line may be. Bytes that are not UTF-8 are
    /// as [`crate::shell::bytes`] writes them.
    LogLine {
        stderr: bool,
        line: String,
        cut: bool,
    },
    /// The container's first process ended, and with it the container.
    Exited {
        code: i32,
        signal: Option<Signal>,
        oom: bool,
    },
    /// A probe's or hook's command ended, with all it printed.
    ExecDone {
        exec: ExecId,
        code: i32,
        output: Output,
    },
    /// A file changed. `place` is the file system's label, `path` is below its root.
    Wrote {
        place: String,
        path: String,
        change: Change,
    },
    Listening {
        addr: Ipv4Addr,
        port: u16,
    },
    StoppedListening {
        addr: Ipv4Addr,
        port: u16,
    },
    /// A connection that `container` made is over.
    Request(Box<Request>),
    /// A connection is stopped on its way: nothing comes back.
    Dropped(Box<Dropped>),
    /// A program or script asked for something that is not simulated. `offset` is the byte of the
    /// script it happened at, where it happened in the container's own `-c` script.
    NotSimulated {
        what: String,
        offset: Option<u32>,
    },
    /// A limit was reached.
    Limit {
        sentence: String,
    },
    /// A connection or request from outside is over.
    ClientDone {
        client: ClientId,
        result: ClientResult,
    },
}

/// What happened to a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The whole new content.
    Set(Vec<u8>),
    Append(Vec<u8>),
    MakeDir,
    /// A symbolic link to this.
    Link(String),
    Remove,
    RenameTo {
        place: String,
        path: String,
    },
}

/// A connection and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// As asked: `redis-service:6379`.
    pub to: String,
    pub addr: Option<Ipv4Addr>,
    pub port: u16,
    pub served_by: Option<ContainerId>,
    /// The first line sent, where it is text.
    pub summary: String,
    /// The first line of the answer, or `connection refused`, `bad address`, ...
    pub outcome: String,
    pub ok: bool,
    pub took: SimTime,
}

/// What a client outside got.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientResult {
    /// TCP: it connected. HTTP: the status and the beginning of the body.
    Connected,
    Http {
        status: u16,
        body: String,
        location: Option<String>,
    },
    /// In Go's words: `connect: connection refused`, `i/o timeout`, `EOF`.
    Failed {
        error: String,
    },
}
