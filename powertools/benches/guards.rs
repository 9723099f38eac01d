//! Time guards and values made once, beside the least that could stand in their place.
//!
//! Each line is measured in turns with its floor, so that a busy machine slows both; see the README
//! beside this.

use std::env;
use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, SamplingMode};
use powertools::init::{self, SyncInitOnce};
use powertools::{Clock, Deadline, InitOnce, Invocation, deadline};

/// Two ways to do the same work, and what may lie between them.
struct Line {
    name: &'static str,
    target: Target,
    ours: fn(),
    floor: fn(),
}

#[derive(Clone, Copy)]
enum Target {
    /// So many nanoseconds more than the floor.
    More(f64),
    /// So many nanoseconds in all, and no allocation.
    Check(f64),
    None,
}

const LINES: &[Line] = &[
    Line {
        name: "InitOnce::get",
        target: Target::More(2.0),
        ours: || {
            black_box(ONCE.get());
        },
        floor: read_static,
    },
    Line {
        name: "InitOnce::get_or_try_init",
        target: Target::More(2.0),
        ours: || {
            black_box(poll(ONCE.get_or_try_init(|| ready(Ok::<_, Failure>(7)))).ok());
        },
        floor: read_static,
    },
    Line {
        name: "SyncInitOnce::get_or_try_init",
        target: Target::More(2.0),
        ours: || {
            black_box(SYNC_ONCE.get_or_try_init(|| Ok::<_, Failure>(7)).ok());
        },
        floor: read_static,
    },
    Line {
        name: "Deadline::current, ensure",
        target: Target::Check(50.0),
        ours: || {
            black_box(Deadline::current().ensure(black_box(MILLI)).is_ok());
        },
        floor: compare_times,
    },
    Line {
        name: "Deadline::current, remaining",
        target: Target::Check(50.0),
        ours: || {
            black_box(Deadline::current().remaining());
        },
        floor: compare_times,
    },
    Line {
        name: "Deadline::run of work at once",
        target: Target::None,
        ours: || {
            let work = ready(Ok::<_, deadline::Error>(black_box(7)));
            black_box(poll(Deadline::current().run(500 * MILLI, work)).is_ok());
        },
        floor: || {
            black_box(poll(tokio::time::timeout(60_000 * MILLI, ready(black_box(7)))).is_ok());
        },
    },
];

const MILLI: Duration = Duration::from_millis(1);

static PLAIN: u64 = 7;
static ONCE: InitOnce<u64> = InitOnce::new();
static SYNC_ONCE: SyncInitOnce<u64> = SyncInitOnce::new();

#[derive(Debug)]
struct Failure;

impl From<init::Error> for Failure {
    fn from(_: init::Error) -> Self {
        Self
    }
}

fn read_static() {
    black_box(&PLAIN);
}

/// What a check comes down to.
fn compare_times() {
    let now = Clock::system().now();
    black_box(black_box(std::time::SystemTime::UNIX_EPOCH).duration_since(now).is_ok());
}

/// Polls what is ready at once.
fn poll<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it is ready"),
    }
}

/// How many pairs are measured.
const SAMPLES: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be had");
    let invocation = Invocation::new(&lambda_runtime::Context::default());
    runtime.block_on(invocation.scope(async {
        let made: Result<_, Failure> = ONCE.get_or_try_init(|| ready(Ok(7))).await;
        assert_eq!(made.map_err(drop), Ok(&7));
        LINES.iter().for_each(|line| (line.ours)());
        let rows = measure();
        if env::args().any(|arg| arg == "--bench") {
            print(&rows);
        }
    }));
}

/// A measured line, in nanoseconds.
struct Row {
    line: &'static Line,
    ours: f64,
    floor: f64,
    more: f64,
    allocations: u64,
}

fn measure() -> Vec<Row> {
    let mut criterion = Criterion::default().sample_size(SAMPLES).configure_from_args();
    let mut group = criterion.benchmark_group("guards");
    group.sampling_mode(SamplingMode::Flat);
    group.warm_up_time(500 * MILLI).measurement_time(2000 * MILLI);
    let mut rows = Vec::new();
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
        let Some(first) = pairs.len().checked_sub(SAMPLES) else { continue };
        let pairs = &pairs[first..];
        rows.push(Row {
            line,
            ours: median(pairs.iter().map(|(ours, _)| *ours)),
            floor: median(pairs.iter().map(|(_, floor)| *floor)),
            more: median(pairs.iter().map(|(ours, floor)| ours - floor)),
            allocations: allocation_counter::measure(line.ours).count_total,
        });
    }
    group.finish();
    rows
}

/// Measures a line and its floor, each as often the first as the second.
fn pair(line: &Line, count: u64, round: usize) -> (Duration, Duration) {
    if round.is_multiple_of(2) {
        let ours = time(line.ours, count);
        (ours, time(line.floor, count))
    } else {
        let floor = time(line.floor, count);
        (time(line.ours, count), floor)
    }
}

fn time(work: fn(), count: u64) -> Duration {
    let start = Instant::now();
    for _ in 0..count {
        work();
    }
    start.elapsed()
}

fn per_call(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(rows: &[Row]) {
    println!("| {:30} |    ns | floor |  more | ratio | allocations | target |", "");
    println!("|{:-<32}|------:|------:|------:|------:|------------:|--------|", "");
    for Row { line, ours, floor, more, allocations } in rows {
        let (name, ratio) = (line.name, ours / floor);
        let target = match line.target {
            Target::More(most) => format!("{most} ns more"),
            Target::Check(most) => format!("{most} ns, no allocation"),
            Target::None => "-".to_owned(),
        };
        println!(
            "| {name:30} | {ours:5.1} | {floor:5.1} | {more:5.1} | {ratio:5.2} | {allocations:11} | \
             {target} |"
        );
    }
}
