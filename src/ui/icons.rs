//! Icons as paths on a grid of 16: fonts of some systems lack such signs.

use super::app::sends;
use super::el::{El, svg};
use crate::session::Msg;

pub(crate) const PLAY: &str = "M4 2.5 L13 8 L4 13.5 Z";
pub(crate) const PAUSE: &str = "M4 2.5 h3 v11 h-3 Z M9 2.5 h3 v11 h-3 Z";
pub(crate) const NEXT: &str = "M3 3 L10 8 L3 13 Z M11 3 h2 v10 h-2 Z";
pub(crate) const PREVIOUS: &str = "M13 3 L6 8 L13 13 Z M3 3 h2 v10 h-2 Z";
pub(crate) const UNDO: &str =
    "M6 2 L2 6 L6 10 V7 H9.5 a2.5 2.5 0 0 1 0 5 H6 v2 h3.5 a4.5 4.5 0 0 0 0 -9 H6 Z";
pub(crate) const REDO: &str =
    "M10 2 L14 6 L10 10 V7 H6.5 a2.5 2.5 0 0 0 0 5 H10 v2 H6.5 a4.5 4.5 0 0 1 0 -9 H10 Z";
pub(crate) const CLOSE: &str =
    "M3 4.4 L4.4 3 L8 6.6 L11.6 3 L13 4.4 L9.4 8 L13 11.6 L11.6 13 L8 9.4 L4.4 13 L3 11.6 L6.6 8 Z";
pub(crate) const SUN: &str = "M8 4.5 a3.5 3.5 0 1 0 0.01 0 Z M7.3 0.5 h1.4 v2.5 h-1.4 Z M7.3 13 h1.4 v2.5 h-1.4 Z M0.5 7.3 h2.5 v1.4 h-2.5 Z M13 7.3 h2.5 v1.4 h-2.5 Z";
pub(crate) const MOON: &str = "M9.5 1.5 a6.5 6.5 0 1 0 5 10 a5.5 5.5 0 0 1 -5 -10 Z";
/// Half light, half dark: as the system says.
pub(crate) const HALF: &str = "M8 1.5 a6.5 6.5 0 1 0 0.01 0 Z M8 3 a5 5 0 0 1 0 10 Z";

pub(crate) fn icon(path: &'static str) -> El {
    svg("svg")
        .class("icon-path")
        .attr("viewBox", "0 0 16 16")
        .attr("aria-hidden", "true")
        .kid(svg("path").attr("d", path).attr("fill-rule", "evenodd"))
}

/// A button that is only an icon; its label is also its tooltip.
pub(crate) fn button(class: &str, path: &'static str, label: &str, msg: Msg) -> El {
    let button = super::el::el("button").class(class).attr("type", "button");
    button.label(label).attr("title", label).click(sends(msg)).kid(icon(path))
}
