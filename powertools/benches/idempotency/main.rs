//! What the engine takes, beside the same work written by hand.
//!
//! Each line is measured in turns with its floor, so that a busy machine slows both; see the
//! README beside this. `--instructions` counts instead of timing.

mod by_hand;
#[path = "../instructions.rs"]
mod instructions;
mod lines;
mod order;
mod table;

use std::env;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};

use self::lines::{LINES, Line};
use self::table::Row;

const SAMPLES: usize = 60;

fn main() {
    lines::check();

    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [instructions::RUN, line, side, count] => run(line, side, count),
        _ if args.contains(&"--instructions") => table::print("instructions", &instructions()),
        _ => table::print("ns", &time()),
    }
}

/// Lets criterion time all lines that its filter selects.
fn time() -> Vec<Row> {
    let mut criterion = Criterion::default()
        .sample_size(SAMPLES)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();

    let mut rows = Vec::new();
    let mut group = criterion.benchmark_group("idempotency");
    group.sampling_mode(SamplingMode::Flat);
    for line in LINES {
        let mut pairs = Vec::new();
        group.bench_function(BenchmarkId::from_parameter(line.name), |bencher| {
            bencher.iter_custom(|count| {
                let (ours, floor) = pair(line, count, pairs.len());
                pairs.push((per_call(ours, count), per_call(floor, count)));
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
    let side = if side == "ours" { line.ours } else { line.floor };
    side(count.parse().expect("a number"));
}

/// Counts the instructions of all lines.
fn instructions() -> Vec<Row> {
    let row = |line: &'static Line| {
        let count = |side| instructions::per_run(line.name, side, [1_000, 3_000]);
        let (ours, floor) = (count("ours"), count("floor"));
        Row { line, ours, floor, ratio: ours / floor }
    };
    LINES.iter().map(row).collect()
}

/// Measures a line and its floor, each as often the first as the second.
fn pair(line: &Line, count: u64, round: usize) -> (Duration, Duration) {
    if round.is_multiple_of(2) {
        let ours = (line.ours)(count);
        (ours, (line.floor)(count))
    } else {
        let floor = (line.floor)(count);
        ((line.ours)(count), floor)
    }
}

fn per_call(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}
