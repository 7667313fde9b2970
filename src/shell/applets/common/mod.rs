//! What applets share: their context, option parsing, number formats, calendar. No applet itself.

pub(super) mod calendar;
pub(super) mod cx;
pub(super) mod escape;
pub(super) mod format;
pub(super) mod number;
pub(super) mod opts;
pub(super) mod tree;
pub(super) mod users;

pub(super) use cx::Cx;
pub(super) use opts::Opts;
