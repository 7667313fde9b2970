//! Runs one of the benchmarks' scenarios once and says what it took, seconds and memory; also what
//! to start under a profiler: `cargo run --profile bench --example once -- rollout 400`.

use podlab::time::SimTime;
use podlab_benches::{BUSY, FOUR_LOOPS, FOUR_PROBES, LOOP, NEW_IMAGE, TWO_PODS};
use podlab_benches::{rollout, run, script};
use std::time::Instant;

fn main() {
    let mut args = std::env::args().skip(1);
    let which = args.next().unwrap_or_default();
    let n_pods = args.next().and_then(|n| n.parse().ok()).unwrap_or(1000);
    let (text, secs, actions) = match which.as_str() {
        "rollout" => (rollout(n_pods), 600, vec![NEW_IMAGE]),
        "loop" => (script(LOOP), 300, vec![]),
        "busy" => (script(BUSY), 300, vec![]),
        "loops" => (FOUR_LOOPS.to_owned(), 600, vec![]),
        "probes" => (FOUR_PROBES.to_owned(), 600, vec![]),
        "two" => (TWO_PODS.to_owned(), 600, vec![]),
        _ => return eprintln!("once: rollout [PODS], loop, busy, loops, probes or two"),
    };
    let started = Instant::now();
    let timeline = run(&text, secs, &actions);
    let took = started.elapsed();
    println!("{which}: {took:?}, {} events", timeline.events.len());
    let started = Instant::now();
    let n_seeks = 100;
    for i in 0..n_seeks {
        std::hint::black_box(timeline.at(SimTime::from_millis(i * 7919 % (secs * 1000))));
    }
    println!("a seek: {:?}", started.elapsed() / n_seeks as u32);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
}
