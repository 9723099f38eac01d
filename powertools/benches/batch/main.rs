//! What handling a batch takes, beside the same work written by hand.
//!
//! Each line is measured in turns with its floor, so that a busy machine slows both; see the
//! README beside this. `--memory` measures the memory of one batch instead, `--instructions` counts
//! instructions.

#[path = "../instructions.rs"]
mod instructions;
mod lines;
mod memory;
mod messages;
mod table;
mod waits;

use std::env;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};

use self::lines::{LINES, Line};
use self::table::Row;

const SAMPLES: usize = 30;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [memory::RUN, side, length] => memory::run(side, length),
        [instructions::RUN, line, side, count] => run(line, side, count),
        _ if args.contains(&"--memory") => memory::print(),
        _ if args.contains(&"--instructions") => table::print("instructions", &instructions()),
        _ => {
            lines::check();
            let rows = time();
            table::print("ns", &rows);
            if !args.contains(&"--test") {
                waits::print();
            }
        }
    }
}

/// Lets criterion time all lines that its filter selects.
fn time() -> Vec<Row> {
    let mut criterion = Criterion::default()
        .sample_size(SAMPLES)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();

    let mut rows = Vec::new();
    let mut group = criterion.benchmark_group("batch");
    group.sampling_mode(SamplingMode::Flat);
    for line in LINES {
        let mut pairs = Vec::new();
        let (ours, floor) = (line.prepare)();
        group.bench_function(BenchmarkId::from_parameter(line.name), |bencher| {
            bencher.iter_custom(|count| {
                let (ours, floor) = pair(&*ours, &*floor, count, pairs.len());
                pairs.push((per_record(line, ours, count), per_record(line, floor, count)));
                ours
            });
        });
        // What comes before the samples is the warm-up; a test run and a filter leave no samples.
        if let Some(first) = pairs.len().checked_sub(SAMPLES) {
            rows.push(Row::median(line, &pairs[first..]));
        }
    }
    group.finish();
    rows
}

/// Does one side of a line.
fn run(name: &str, side: &str, count: &str) {
    let line = LINES.iter().find(|line| line.name == name).expect("a line has this name");
    let (ours, floor) = (line.prepare)();
    let side = if side == "ours" { ours } else { floor };
    for _ in 0..count.parse().expect("a number") {
        side();
    }
}

/// Counts the instructions of all lines.
fn instructions() -> Vec<Row> {
    let row = |line: &'static Line| {
        let count = |side| instructions::per_run(line.name, side, [1, 2]) / line.records as f64;
        let (ours, floor) = (count("ours"), count("floor"));
        Row { line, ours, floor, ratio: ours / floor }
    };
    LINES.iter().map(row).collect()
}

/// Measures a line and its floor, each as often the first as the second.
fn pair(
    ours: &dyn Fn() -> Duration,
    floor: &dyn Fn() -> Duration,
    count: u64,
    round: usize,
) -> (Duration, Duration) {
    let (mut our_time, mut floor_time) = (Duration::ZERO, Duration::ZERO);
    for turn in 0..count {
        if (round as u64 + turn).is_multiple_of(2) {
            our_time += ours();
            floor_time += floor();
        } else {
            floor_time += floor();
            our_time += ours();
        }
    }
    (our_time, floor_time)
}

fn per_record(line: &Line, time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / (count as f64 * line.records as f64)
}
