//! What has to be fast: a check per keystroke, scripts, runs, seeking in them.
//! `BUSYBOX=/path/to/busybox` measures the shell's loop beside the real one.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use podlab::check::check;
use podlab::sim::{Scenario, Simulation};
use podlab::time::SimTime;
use podlab::trace::Timeline;
use podlab_benches::{FOUR_CONTAINERS, LOOP, manifest, rollout};
use std::hint::black_box;
use std::process::Command;

fn run(text: &str, secs: u64, actions: &[(u64, &str)]) -> Timeline {
    let actions = actions.iter().map(|(at, what)| (SimTime::from_secs(*at), (*what).to_owned()));
    let scenario =
        Scenario { actions: actions.collect(), ..Scenario::new(check(text).accepted()) };
    let mut simulation = Simulation::new(scenario);
    let mut timeline = Timeline::default();
    while timeline.end.is_none() {
        let slice = simulation.advance(SimTime::from_secs(secs), 5_000_000);
        timeline.extend(slice.events, slice.now);
        timeline.end = slice.end;
    }
    timeline
}

fn keystroke(c: &mut Criterion) {
    let mut group = c.benchmark_group("keystroke");
    for n_lines in [50, 340, 700] {
        let text = manifest(n_lines);
        let id = BenchmarkId::from_parameter(text.lines().count());
        group.bench_with_input(id, &text, |b, text| b.iter(|| check(black_box(text))));
    }
    group.finish();
}

fn script(c: &mut Criterion) {
    let mut group = c.benchmark_group("shell loop");
    group.sample_size(10);
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  restartPolicy: Never\n  \
         containers:\n  - name: app\n    image: busybox\n    command: [sh, -c, '{LOOP}']\n"
    );
    group.bench_function("podlab", |b| b.iter(|| run(black_box(&pod), 300, &[])));
    if let Ok(busybox) = std::env::var("BUSYBOX") {
        group.bench_function("busybox", |b| {
            b.iter(|| Command::new(&busybox).args(["sh", "-c", LOOP]).output());
        });
    }
    group.finish();
}

fn simulation(c: &mut Criterion) {
    let mut group = c.benchmark_group("run");
    group.sample_size(10);
    group.bench_function("10 minutes of 4 containers", |b| {
        b.iter(|| run(black_box(FOUR_CONTAINERS), 600, &[]));
    });
    let text = rollout(1000);
    group.bench_function("1000 pods rolling", |b| {
        b.iter(|| run(black_box(&text), 300, &[(60, "set image deployment/web app=nginx:1.28")]));
    });
    group.finish();
}

fn seek(c: &mut Criterion) {
    let timeline = run(FOUR_CONTAINERS, 600, &[]);
    let mut at = 0;
    c.bench_function("seek", |b| {
        b.iter(|| {
            at = (at + 7919) % 600_000;
            timeline.at(black_box(SimTime::from_millis(at)))
        });
    });
}

criterion_group!(benches, keystroke, script, simulation, seek);
criterion_main!(benches);
