//! What has to be fast: a check per keystroke, scripts, runs, seeking in them.
//! `BUSYBOX=/path/to/busybox` measures the shell's loop beside the real one.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use podlab::check::check;
use podlab::time::SimTime;
use podlab_benches::{BUSY, FOUR_LOOPS, FOUR_PROBES, LOOP, NEW_IMAGE, TWO_PODS};
use podlab_benches::{manifest, rollout, run, script};
use std::hint::black_box;
use std::process::Command;

fn keystroke(c: &mut Criterion) {
    let mut group = c.benchmark_group("keystroke");
    for n_lines in [50, 340, 700] {
        let text = manifest(n_lines);
        let id = BenchmarkId::from_parameter(text.lines().count());
        group.bench_with_input(id, &text, |b, text| b.iter(|| check(black_box(text))));
    }
    group.finish();
}

fn scripts(c: &mut Criterion) {
    let mut group = c.benchmark_group("shell");
    group.sample_size(10);
    let pod = script(LOOP);
    group.bench_function("100000 rounds", |b| b.iter(|| run(black_box(&pod), 300, &[])));
    if let Ok(busybox) = std::env::var("BUSYBOX") {
        group.bench_function("100000 rounds, busybox", |b| {
            b.iter(|| Command::new(&busybox).args(["sh", "-c", LOOP]).output());
        });
    }
    let pod = script(BUSY);
    group.bench_function("5 minutes of a busy loop", |b| b.iter(|| run(&pod, 300, &[])));
    group.finish();
}

fn minutes(c: &mut Criterion) {
    let mut group = c.benchmark_group("10 minutes");
    group.sample_size(10);
    let runs = [("4 loops", FOUR_LOOPS), ("4 with probes", FOUR_PROBES), ("2 pods", TWO_PODS)];
    for (name, text) in runs {
        group.bench_function(name, |b| b.iter(|| run(black_box(text), 600, &[])));
    }
    group.finish();
}

/// The time for an event has to be the same for a few pods and for many.
fn growth(c: &mut Criterion) {
    let mut group = c.benchmark_group("pods rolling");
    group.sample_size(10);
    for n_pods in [100, 200, 400, 800, 1000] {
        let text = rollout(n_pods);
        let n_events = run(&text, 600, &[NEW_IMAGE]).events.len() as u64;
        group.throughput(Throughput::Elements(n_events));
        group.bench_with_input(BenchmarkId::from_parameter(n_pods), &text, |b, text| {
            b.iter(|| run(black_box(text), 600, &[NEW_IMAGE]));
        });
    }
    group.finish();
}

fn seek(c: &mut Criterion) {
    let timeline = run(&rollout(1000), 600, &[NEW_IMAGE]);
    let mut at = 0;
    c.bench_function("seek among 1000 pods", |b| {
        b.iter(|| {
            at = (at + 7919) % 600_000;
            timeline.at(black_box(SimTime::from_millis(at)))
        });
    });
}

criterion_group!(benches, keystroke, scripts, minutes, growth, seek);
criterion_main!(benches);
