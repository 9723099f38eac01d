//! Cached values and feature flags, beside the least that could stand in their place.
//!
//! Each line is measured in turns with its floor by the time of its thread, so that a busy machine counts little.
//! `--instructions` counts instructions instead, and `--threads` reads on several threads at once.

mod instructions;
mod turns;

use std::hint::black_box;
use std::pin::pin;
use std::sync::{Arc, Barrier, LazyLock, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use powertools::feature_flags::FeatureFlags;
use powertools::parameters::{Memory, Parameter, Parameters};
use powertools::testing::FakeRuntime;
use powertools::{Clock, Invocation, Powertools};
use serde::Serialize;

use self::turns::{cpu_time, median};

/// Two ways to do the same work.
struct Line {
    name: &'static str,
    ours: fn(),
    floor: fn(),
    target: &'static str,
}

const LINES: &[Line] = &[
    Line {
        name: "cached value",
        ours: read_value,
        floor: || {
            black_box(**POINTER.load());
        },
        target: "25 ns more, no allocation",
    },
    Line {
        name: "cached value, and the time",
        ours: read_value,
        floor: || {
            black_box(Clock::system().now());
            black_box(**POINTER.load());
        },
        target: "-",
    },
    Line {
        name: "flag by the third of three rules",
        ours: || {
            let on: bool = FLAGS.evaluate("checkout", black_box(&CUSTOMER)).unwrap_or_default();
            assert!(black_box(on));
        },
        floor: || assert!(black_box(by_hand(black_box(&CUSTOMER)))),
        target: "1,500 ns, no allocation",
    },
    Line {
        name: "flag by default, with a schedule",
        ours: || {
            let on: bool = FLAGS.evaluate("weekend", black_box(&CUSTOMER)).unwrap_or_default();
            assert!(!black_box(on));
        },
        floor: || {
            black_box(Clock::system().now());
        },
        target: "-",
    },
];

static LIMIT: Parameter<u64> = Parameter::json("/orders/limit");
static POINTER: LazyLock<ArcSwap<u64>> = LazyLock::new(|| ArcSwap::new(Arc::new(25)));
static READY: OnceLock<()> = OnceLock::new();

static FLAGS: LazyLock<FeatureFlags> = LazyLock::new(|| {
    let document = r#"{
        "checkout": { "default": false, "rules": {
            "staff": { "when_match": true, "conditions": [
                { "action": "EQUALS", "key": "is_staff", "value": true }] },
            "partners": { "when_match": true, "conditions": [
                { "action": "IN", "key": "tier", "value": ["partner", "reseller", "agency"] }] },
            "premium": { "when_match": true, "conditions": [
                { "action": "EQUALS", "key": "tier", "value": "premium" },
                { "action": "KEY_GREATER_THAN_VALUE", "key": "orders", "value": 10 }] }
        } },
        "weekend": { "default": false, "rules": {
            "never": { "when_match": true, "conditions": [
                { "action": "SCHEDULE_BETWEEN_TIME_RANGE", "key": "CURRENT_TIME",
                  "value": { "START": "02:00", "END": "02:00", "TIMEZONE": "Europe/Berlin" } },
                { "action": "EQUALS", "key": "is_staff", "value": true }] }
        } }
    }"#;
    document.parse().expect("it is valid")
});

#[derive(Serialize)]
struct Customer {
    id: u64,
    tier: &'static str,
    country: &'static str,
    orders: u32,
    is_staff: bool,
}

const CUSTOMER: Customer =
    Customer { id: 7, tier: "premium", country: "NO", orders: 12, is_staff: false };

fn by_hand(customer: &Customer) -> bool {
    customer.is_staff
        || ["partner", "reseller", "agency"].contains(&customer.tier)
        || customer.tier == "premium" && customer.orders > 10
}

fn read_value() {
    assert!(READY.get().is_some());
    black_box(poll(LIMIT.get()).map(|limit| *limit).unwrap_or_default());
}

/// Polls what is ready at once.
fn poll<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("it is ready"),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be had");
    let parameters = Parameters::new().source(Memory::new().with("/orders/limit", "25"));
    if args.contains(&"--threads") {
        return runtime.block_on(threads(parameters));
    }
    let invocation = Invocation::new(&lambda_runtime::Context::default());
    runtime.block_on(parameters.scope(invocation.scope(async {
        assert_eq!(*LIMIT.get().await.expect("it is in memory"), 25);
        READY.get_or_init(|| ());
        match args[..] {
            [instructions::RUN, name, side, count] => run(name, side, count),
            _ if args.contains(&"--instructions") => print(&counted(), "instructions"),
            _ => print(&timed(), "ns"),
        }
    })));
}

fn run(name: &str, side: &str, count: &str) {
    let line = LINES.iter().find(|line| line.name == name).expect("a line has this name");
    let work = if side == "ours" { line.ours } else { line.floor };
    time(work, count.parse().expect("a number"));
}

/// Reads the value that a function has cached, on 1, 2 and 16 threads at once.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
async fn threads(parameters: Parameters) {
    const READS: u64 = 20_000_000;

    let lambda = FakeRuntime::new();
    let handler = async |_: lambda_runtime::LambdaEvent<()>| LIMIT.get().await.map(|limit| *limit);
    let _function = lambda.run(Powertools::new(handler).parameters(parameters).run());
    assert_eq!(lambda.invoke(serde_json::json!(null)).await.json::<u64>(), 25);
    READY.get_or_init(|| ());

    println!("| threads | ns of a thread for a read | reads/s, all threads |");
    println!("|---:|---:|---:|");
    for count in [1, 2, 16] {
        let each = READS / count;
        let barrier = Barrier::new(count as usize);
        let read = || {
            barrier.wait();
            let start = Instant::now();
            (time(read_value, each), start.elapsed())
        };
        let taken: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..count).map(|_| scope.spawn(read)).collect();
            threads.into_iter().map(|thread| thread.join().expect("it only reads")).collect()
        });
        let own: Duration = taken.iter().map(|(own, _)| *own).sum();
        let longest = taken.iter().map(|(_, wall)| *wall).max().unwrap_or_default();
        let all = READS as f64 / longest.as_secs_f64() / 1e6;
        println!("| {count} | {:.1} | {all:.1} million |", per_run(own, READS));
    }
}

/// A line with the costs of both sides, in each turn.
type Row = (&'static Line, Vec<Vec<f64>>);

fn counted() -> Vec<Row> {
    let count = |line: &Line, side| instructions::per_run(line.name, side, [10_000, 30_000]);
    let row = |line| (line, vec![vec![count(line, "ours"), count(line, "floor")]]);
    LINES.iter().map(row).collect()
}

fn timed() -> Vec<Row> {
    turns::timed(
        "parameters",
        LINES,
        |line| line.name,
        |line, count| vec![time(line.ours, count), time(line.floor, count)],
    )
}

/// The CPU time of `count` runs.
fn time(work: fn(), count: u64) -> Duration {
    let start = cpu_time();
    (0..count).for_each(|_| work());
    cpu_time() - start
}

fn per_run(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(rows: &[Row], unit: &str) {
    println!("| {:32} | {unit} | floor | more | allocations | target |", "");
    println!("|---|---:|---:|---:|---:|---|");
    for (Line { name, ours, target, .. }, turns) in rows {
        if turns.is_empty() {
            continue;
        }
        let [its, floor] = [0, 1].map(|side| median(turns.iter().map(|turn| turn[side])));
        let more = median(turns.iter().map(|turn| turn[0] - turn[1]));
        ours(); // what is made once is not counted
        let allocations = allocation_counter::measure(*ours).count_total;
        println!("| {name:32} | {its:.1} | {floor:.1} | {more:.1} | {allocations} | {target} |");
    }
}
