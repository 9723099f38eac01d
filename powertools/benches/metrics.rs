//! Metrics, beside the least that could stand in their place and beside `metrics_cloudwatch_embedded`.
//!
//! All sides discard the lines and are measured in turns by the time of their thread, so that a busy machine counts
//! little. `--instructions` counts instructions instead.

mod instructions;
mod turns;

use std::cell::RefCell;
use std::hint::black_box;
use std::io::Write;
use std::sync::LazyLock;
use std::time::Duration;

use metrics_cloudwatch_embedded::{Builder, Collector};
use powertools::metrics::{Metrics, Namespace, Unit};
use powertools::{Clock, Invocation, testing};

use self::turns::{cpu_time, median};

/// The name of a side, and what measures so many runs of it.
type Side = (&'static str, fn(u64) -> Duration);

struct Line {
    name: &'static str,
    /// The first is ours.
    sides: &'static [Side],
    target: &'static str,
}

/// The metrics of the lines, recorded and written.
const WHOLE: &str = "three metrics and their line";
/// The line alone. Without a side of `metrics_cloudwatch_embedded`, which has one set of values for the process.
const FLUSH: &str = "the line of three metrics";

const LINES: &[Line] = &[
    Line {
        name: "one counter",
        sides: &[
            ("ours", |count| {
                time(|| powertools::metrics::count("OrdersAccepted", black_box(1)), count)
            }),
            ("floor", |count| {
                time(|| ORDERS.with_borrow_mut(|orders| *orders += black_box(1.0)), count)
            }),
            ("embedded", |count| time(count_embedded, count)),
        ],
        target: "60 ns",
    },
    Line {
        name: WHOLE,
        sides: &[
            ("ours", |count| {
                let whole = || {
                    record();
                    powertools::metrics::flush();
                };
                time(whole, count)
            }),
            ("floor", |count| time(by_hand, count)),
            ("embedded", |count| {
                let whole = || {
                    count_embedded();
                    metrics::gauge!("OrderSize", "service" => "orders").set(black_box(512.0));
                    metrics::gauge!("Charge", "service" => "orders").set(black_box(3.25));
                    EMBEDDED.flush(Discard).expect("nothing is written");
                };
                time(whole, count)
            }),
        ],
        target: "0.6 of embedded",
    },
    Line {
        name: FLUSH,
        sides: &[("ours", flushes), ("floor", |count| time(by_hand, count))],
        target: "250 ns",
    },
];

fn record() {
    powertools::metrics::count("OrdersAccepted", black_box(1));
    powertools::metrics::record("OrderSize", black_box(512.0), Unit::Bytes);
    powertools::metrics::record("Charge", black_box(3.25), Unit::Milliseconds);
}

fn count_embedded() {
    let counter = metrics::counter!("OrdersAccepted", "service" => "orders");
    counter.increment(black_box(1));
}

static EMBEDDED: LazyLock<&Collector> = LazyLock::new(|| {
    let collector = Builder::new().cloudwatch_namespace("Shop").init();
    metrics::describe_counter!("OrdersAccepted", metrics::Unit::Count, "");
    metrics::describe_gauge!("OrderSize", metrics::Unit::Bytes, "");
    metrics::describe_gauge!("Charge", metrics::Unit::Milliseconds, "");
    collector.expect("it is the first of the process")
});

thread_local! {
    /// As many as make the clock of the thread, which takes longer than a flush, count little.
    static EVENTS: Vec<Invocation> = (0..100).map(|_| testing::invocation().build()).collect();
    static ORDERS: RefCell<f64> = const { RefCell::new(0.0) };
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The same line as ours, into a buffer that is kept.
fn by_hand() {
    let (accepted, size, charge): (u64, f64, f64) = black_box((1, 512.0, 3.25));
    WRITTEN.with_borrow_mut(|line| {
        line.clear();
        let now = Clock::system().now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let (now, mut numbers) = (now.as_millis(), zmij::Buffer::new());
        line.extend(br#"{"_aws":{"Timestamp":"#);
        line.extend(itoa::Buffer::new().format(now).as_bytes());
        line.extend(br#","CloudWatchMetrics":[{"Namespace":"Shop","Dimensions":[["service"]],"Metrics":[{"Name":"OrdersAccepted","Unit":"Count"},{"Name":"OrderSize","Unit":"Bytes"},{"Name":"Charge","Unit":"Milliseconds"}]}]},"service":"orders","OrdersAccepted":"#);
        line.extend(itoa::Buffer::new().format(accepted).as_bytes());
        line.extend(br#","OrderSize":"#);
        line.extend(numbers.format(size).as_bytes());
        line.extend(br#","Charge":"#);
        line.extend(numbers.format(charge).as_bytes());
        line.extend(b"}\n");
        black_box(&line);
    });
}

struct Discard;

impl Write for Discard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        black_box(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn main() {
    let metrics = Metrics::new().namespace(Namespace::from_static("Shop")).service("orders");
    let metrics = metrics.environment([("", "")]).writer(|line| {
        black_box(line);
    });
    metrics.init().expect("nothing was measured before");
    LazyLock::force(&EMBEDDED);

    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    testing::invocation().build().sync_scope(|| match args[..] {
        [instructions::RUN, name, side, count] => run(name, side, count),
        _ if args.contains(&"--instructions") => print(&counted(), "instructions"),
        _ => print(&timed(), "ns"),
    });
}

fn run(name: &str, side: &str, count: &str) {
    let line = LINES.iter().find(|line| line.name == name).expect("a line has this name");
    let side = line.sides.iter().find(|(own, _)| *own == side).expect("a side has this name");
    (side.1)(count.parse().expect("a number"));
}

/// A line with the costs of its sides, in each turn.
type Row = (&'static Line, Vec<Vec<f64>>);

fn counted() -> Vec<Row> {
    let row = |line: &'static Line| {
        let count = |(side, _): &(&str, _)| instructions::per_run(line.name, side, [2_000, 6_000]);
        (line, vec![line.sides.iter().map(count).collect()])
    };
    // Instructions would be those of the recording, too.
    LINES.iter().filter(|line| line.name != FLUSH).map(row).collect()
}

fn timed() -> Vec<Row> {
    turns::timed(
        "metrics",
        LINES,
        |line| line.name,
        |line, count| line.sides.iter().map(|(_, side)| side(count)).collect(),
    )
}

/// The CPU time of `count` runs.
fn time(work: fn(), count: u64) -> Duration {
    (0..100).for_each(|_| work()); // the first ones make room for themselves
    let start = cpu_time();
    (0..count).for_each(|_| work());
    cpu_time() - start
}

/// The CPU time of `count` flushes of events that have recorded before, each in the scope of its event.
fn flushes(count: u64) -> Duration {
    EVENTS.with(|events| {
        let each = |work: fn(), count: usize| {
            let start = cpu_time();
            events[..count].iter().for_each(|event| event.clone().sync_scope(work));
            cpu_time() - start
        };
        let (mut left, mut taken) = (count as usize, Duration::ZERO);
        while left > 0 {
            let some = left.min(events.len());
            each(record, some);
            taken += each(powertools::metrics::flush, some);
            left -= some;
        }
        taken
    })
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(rows: &[Row], unit: &str) {
    println!("| {:30} | {unit} | floor | embedded | of embedded | allocations | target |", "");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for (Line { name, sides, target }, turns) in rows.iter().filter(|(_, turns)| !turns.is_empty())
    {
        let side = |at: usize| median(turns.iter().map(|turn| turn[at]));
        let (embedded, ratio) = match sides.len() {
            2 => ("-".to_owned(), "-".to_owned()),
            _ => {
                let ratio = median(turns.iter().map(|turn| turn[0] / turn[2]));
                (format!("{:.1}", side(2)), format!("{ratio:.3}"))
            }
        };
        let allocated = |runs| allocation_counter::measure(|| _ = sides[0].1(runs)).count_total;
        let allocations = allocated(200).saturating_sub(allocated(100)) / 100;
        println!(
            "| {name:30} | {:.1} | {:.1} | {embedded} | {ratio} | {allocations} | {target} |",
            side(0),
            side(1),
        );
    }
}
