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
use powertools::{Clock, testing};

use self::turns::{cpu_time, median};

struct Line {
    name: &'static str,
    /// Each with its name; the first is ours.
    sides: &'static [(&'static str, fn())],
    target: &'static str,
}

const LINES: &[Line] = &[
    Line {
        name: "one counter",
        sides: &[
            ("ours", || powertools::metrics::count("OrdersAccepted", black_box(1))),
            ("floor", || ORDERS.with_borrow_mut(|orders| *orders += black_box(1.0))),
            ("embedded", || {
                let counter = metrics::counter!("OrdersAccepted", "service" => "orders");
                counter.increment(black_box(1));
            }),
        ],
        target: "60 ns",
    },
    Line {
        name: "three metrics and their line",
        sides: &[
            ("ours", || {
                powertools::metrics::count("OrdersAccepted", black_box(1));
                powertools::metrics::record("OrderSize", black_box(512.0), Unit::Bytes);
                powertools::metrics::record("Charge", black_box(3.25), Unit::Milliseconds);
                powertools::metrics::flush();
            }),
            ("floor", || by_hand(black_box(1), black_box(512.0), black_box(3.25))),
            ("embedded", || {
                let counter = metrics::counter!("OrdersAccepted", "service" => "orders");
                counter.increment(black_box(1));
                metrics::gauge!("OrderSize", "service" => "orders").set(black_box(512.0));
                metrics::gauge!("Charge", "service" => "orders").set(black_box(3.25));
                EMBEDDED.flush(Discard).expect("nothing is written");
            }),
        ],
        target: "250 ns, 0.6 of embedded",
    },
];

static EMBEDDED: LazyLock<&Collector> = LazyLock::new(|| {
    let collector = Builder::new().cloudwatch_namespace("Shop").init();
    metrics::describe_counter!("OrdersAccepted", metrics::Unit::Count, "");
    metrics::describe_gauge!("OrderSize", metrics::Unit::Bytes, "");
    metrics::describe_gauge!("Charge", metrics::Unit::Milliseconds, "");
    collector.expect("it is the first of the process")
});

thread_local! {
    static ORDERS: RefCell<f64> = const { RefCell::new(0.0) };
    static WRITTEN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The same line as ours, into a buffer that is kept.
fn by_hand(accepted: u64, size: f64, charge: f64) {
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
    time(side.1, count.parse().expect("a number"));
}

/// A line with the costs of its sides, in each turn.
type Row = (&'static Line, Vec<Vec<f64>>);

fn counted() -> Vec<Row> {
    let row = |line: &'static Line| {
        let count = |(side, _): &(&str, _)| instructions::per_run(line.name, side, [2_000, 6_000]);
        (line, vec![line.sides.iter().map(count).collect()])
    };
    LINES.iter().map(row).collect()
}

fn timed() -> Vec<Row> {
    turns::timed(
        "metrics",
        LINES,
        |line| line.name,
        |line, count| line.sides.iter().map(|(_, work)| time(*work, count)).collect(),
    )
}

/// The CPU time of `count` runs.
fn time(work: fn(), count: u64) -> Duration {
    (0..100).for_each(|_| work()); // the first ones make room for themselves
    let start = cpu_time();
    (0..count).for_each(|_| work());
    cpu_time() - start
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(rows: &[Row], unit: &str) {
    println!("| {:30} | {unit} | floor | embedded | of embedded | allocations | target |", "");
    println!("|---|---:|---:|---:|---:|---:|---|");
    for (Line { name, sides, target }, turns) in rows.iter().filter(|(_, turns)| !turns.is_empty())
    {
        let side = |at: usize| median(turns.iter().map(|turn| turn[at]));
        let ratio = median(turns.iter().map(|turn| turn[0] / turn[2]));
        let allocations = allocation_counter::measure(sides[0].1).count_total;
        println!(
            "| {name:30} | {:.1} | {:.1} | {:.1} | {ratio:.3} | {allocations} | {target} |",
            side(0),
            side(1),
            side(2),
        );
    }
}
