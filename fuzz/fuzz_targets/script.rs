//! Any text as a container's script -> a run of 30 simulated seconds, twice the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use podlab::check::check;
use podlab::sim::{Scenario, Simulation};
use podlab::time::SimTime;

/// Interpreter steps for one script; a slow one is stopped, not waited for.
const STEPS: u64 = 200_000;

fuzz_target!(|data: &[u8]| {
    let script = String::from_utf8_lossy(data);
    let manifest = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: fuzz}}\nspec:\n  restartPolicy: Never\n  \
         containers:\n  - name: app\n    image: busybox\n    command: [sh, -c, {}]\n",
        serde_json::Value::from(script.as_ref())
    );
    let checked = check(&manifest);
    let run = || {
        let mut simulation = Simulation::new(Scenario::new(checked.accepted()));
        simulation.advance(SimTime::from_secs(30), STEPS).events
    };
    assert_eq!(run(), run());
});
