//! How a program says that it was asked for something the lab does not simulate.

use crate::shell::Sys;

/// Says so in the run and on stderr; the caller then ends with what this returns.
pub(super) async fn not_simulated(sys: &Sys, program: &str, what: &str) -> i32 {
    sys.not_simulated(&format!("{program}: {what}"), None);
    let _ = sys.write(2, format!("{program}: not simulated: {what}\n").as_bytes()).await;
    1
}
