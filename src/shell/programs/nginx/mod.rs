//! nginx: the web server and proxy, driven by its own configuration language. HTTP only; TLS,
//! mail and stream are said not to be simulated.

mod conf;
mod content;
mod find;
mod log;
mod meaning;
mod proxy;
mod run;
mod serve;
mod values;
mod vars;

pub(super) use find::posix;
pub(super) use run::run;
