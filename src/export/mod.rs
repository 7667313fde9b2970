//! What a learner takes away: a zip with the manifest as written, what a real cluster needs, and
//! the lesson's checks as a script for it. Pure: bytes in, bytes out.

mod bundle;
mod needs;
mod script;
mod share;
#[cfg(test)]
mod tests;
mod zip;

pub use bundle::{Bundle, bundle};
pub use needs::needs;
pub use script::cluster_script;
pub use share::{share, unshare};
pub use zip::zip;
