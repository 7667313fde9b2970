//! A small operating system on a virtual clock: processes, files, pipes, signals, sockets, and
//! busybox's shell and applets running in it. Knows no Kubernetes.
//!
//! Reading order: [`machine`] is what a simulator drives (containers, volumes, time); [`Sys`] is
//! what a program sees; [`kernel`] is the state both work on; [`applets`] are the programs.
//!
//! Processes are futures over one cooperative kernel. The design sketch asked for cloneable
//! byte-code processes so that a run could fork from any instant; runs are deterministic and short
//! (minutes of virtual time in milliseconds), so replaying from zero does the same, and programs
//! stay plain sequential code. Seeking in a finished run never needs the world: it folds events.

pub mod applets;
mod builtins;
pub mod bytes;
pub mod errno;
pub mod http;
pub mod kernel;
mod lang;
pub mod machine;
pub mod programs;
pub mod signal;
pub mod syntax;
pub mod sys;

pub use applets::Program;
pub use errno::Errno;
pub use kernel::fd::{Fd, OpenHow};
pub use kernel::inode::{FileType, Stat};
pub use kernel::io::SeekTo;
pub use kernel::net::NetError;
pub use kernel::procs::WaitFor;
pub use kernel::{Credentials, Disposition, Env, Pid, WaitStatus};
pub use machine::Machine;
pub use signal::Signal;
pub use sys::Sys;
pub use sys::stdio::{Lines, Out};

/// The shell's names in the busybox image.
pub const SHELLS: &[(&str, Program)] = &[
    ("ash", |sys, argv| Box::pin(lang::run(sys, argv))),
    ("sh", |sys, argv| Box::pin(lang::run(sys, argv))),
];
