//! What a line takes, beside the same line of `tracing-subscriber` and `json-subscriber`.
//!
//! All sides discard what they write, but for those that write to a pipe. They are measured in turns by the time of their
//! thread, so that a busy machine counts little. After criterion's report the ratios are printed: the median of all turns.
//! `--instructions` counts instructions instead.

mod instructions;
mod turns;

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{Read as _, Write as _, pipe, sink};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use powertools::logging::{Logging, observe};
use powertools::testing;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, debug, dispatcher, info, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

use self::turns::{cpu_time, median};

/// One line as it is written in code.
type Log = fn();

struct Case {
    name: &'static str,
    log: Log,
    /// What is around the line.
    within: Within,
    ours: fn() -> Dispatch,
    floors: Vec<Floor>,
}

#[derive(Clone, Copy, PartialEq)]
enum Within {
    Nothing,
    /// A span of two fields.
    Span,
    /// A handler with this many lines, and its end.
    Handler(u64),
}

struct Floor {
    name: &'static str,
    dispatch: fn() -> Dispatch,
    log: Log,
    /// Ours takes at most this share of its time.
    limit: f64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [instructions::RUN, case, side, count] => run(case, side, count),
        _ if args.contains(&"--instructions") => print("instructions", &counted()),
        _ => print("ns", &timed()),
    }
}

/// Writes the lines of one side of a case.
fn run(name: &str, side: &str, count: &str) {
    let case = cases().into_iter().find(|case| case.name == name).expect("a case has this name");
    let count = count.parse().expect("a number");
    match case.floors.iter().find(|floor| floor.name == side) {
        None => time((case.ours)(), case.log, case.within, true, count),
        Some(floor) => floor.time(case.within, count),
    };
}

type Table = Vec<(Case, Vec<Vec<f64>>)>;

/// Counts the instructions of all cases, in one turn.
fn counted() -> Table {
    let turn = |case: &Case| {
        let sides = std::iter::once("ours").chain(case.floors.iter().map(|floor| floor.name));
        sides.map(|side| instructions::per_run(case.name, side, [1_000, 3_000])).collect()
    };
    cases()
        .into_iter()
        .map(|case| {
            let turns = vec![turn(&case)];
            (case, turns)
        })
        .collect()
}

/// Lets criterion time all cases that its filter selects.
fn timed() -> Table {
    turns::timed(
        "logging",
        cases(),
        |case| case.name,
        |case, count| {
            let ours = time((case.ours)(), case.log, case.within, true, count);
            let floors = case.floors.iter().map(|floor| floor.time(case.within, count));
            std::iter::once(ours).chain(floors).collect()
        },
    )
}

#[expect(clippy::print_stdout, reason = "it is what a bench is for")]
fn print(unit: &str, table: &Table) {
    println!("| line | {unit} | beside | its {unit} | ratio | at most |");
    println!("|---|---:|---|---:|---:|---:|");
    for (case, turns) in table.iter().filter(|(_, turns)| !turns.is_empty()) {
        for (at, floor) in case.floors.iter().enumerate() {
            let ours = median(turns.iter().map(|turn| turn[0]));
            let its = median(turns.iter().map(|turn| turn[at + 1]));
            let ratio = median(turns.iter().map(|turn| turn[0] / turn[at + 1]));
            let Case { name, .. } = case;
            let Floor { name: beside, limit, .. } = floor;
            println!("| {name} | {ours:.1} | {beside} | {its:.1} | {ratio:.3} | {limit} |");
        }
    }
}

fn cases() -> Vec<Case> {
    let beside = |log: Log, json: f64, tracing: f64| {
        vec![
            Floor { name: "json-subscriber", dispatch: json_subscriber, log, limit: json },
            Floor { name: "tracing-subscriber", dispatch: tracing_subscriber, log, limit: tracing },
        ]
    };
    let written = vec![Floor { name: "written", dispatch: ours, log: two_fields, limit: 1.2 }];
    let to_a_pipe = |limit| {
        let dispatch = || to_pipe(Logging::new());
        vec![Floor { name: "written one by one", dispatch, log: two_fields, limit }]
    };
    let disabled = vec![Floor {
        name: "tracing-subscriber",
        dispatch: tracing_subscriber,
        log: disabled_line,
        limit: 1.0,
    }];
    vec![
        Case {
            name: "two fields",
            log: two_fields,
            within: Within::Nothing,
            ours,
            floors: beside(two_fields, 0.25, 0.08),
        },
        Case {
            name: "two fields, two of a span",
            log: two_fields,
            within: Within::Span,
            ours,
            floors: beside(two_fields, 0.4, 0.12),
        },
        Case {
            name: "disabled",
            log: disabled_line,
            within: Within::Nothing,
            ours,
            floors: disabled,
        },
        Case {
            name: "buffered",
            log: two_fields_below,
            within: Within::Nothing,
            ours: || with(Logging::new().buffer(20 * 1024)),
            floors: written,
        },
        Case {
            name: "100 lines of a handler to a pipe, together",
            log: two_fields,
            within: Within::Handler(100),
            ours: || to_pipe(Logging::new().together(true)),
            floors: to_a_pipe(0.35),
        },
        Case {
            name: "2 lines of a handler to a pipe, together",
            log: two_fields,
            within: Within::Handler(2),
            ours: || to_pipe(Logging::new().together(true)),
            floors: to_a_pipe(1.0),
        },
        Case {
            name: "not sampled",
            log: disabled_line,
            within: Within::Nothing,
            ours: || with(Logging::new().sample_rate(1e-9)),
            floors: Vec::new(),
        },
    ]
}

fn two_fields() {
    info!(order_id = black_box(7), customer = black_box("Ada"), "order accepted");
}

fn two_fields_below() {
    debug!(order_id = black_box(7), customer = black_box("Ada"), "order accepted");
}

fn disabled_line() {
    debug!(order_id = black_box(7), customer = black_box("Ada"), "order looked at");
}

fn ours() -> Dispatch {
    with(Logging::new())
}

fn with(logging: Logging) -> Dispatch {
    written_by(logging, |line| {
        black_box(line);
    })
}

/// Writes to a pipe that a thread reads.
fn to_pipe(logging: Logging) -> Dispatch {
    let (mut reader, writer) = pipe().expect("the system has one");
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(1..) = reader.read(&mut buffer) {}
    });
    written_by(logging, move |lines| (&writer).write_all(lines).expect("it is read"))
}

fn written_by(logging: Logging, write: impl Fn(&[u8]) + Send + Sync + 'static) -> Dispatch {
    let logging = logging.environment([("", "")]).service("orders").writer(write);
    Dispatch::new(tracing_subscriber::registry().with(logging.layer().expect("it is valid")))
}

fn json_subscriber() -> Dispatch {
    let layer = json_subscriber::layer()
        .with_writer(sink)
        .flatten_event(true)
        // It keeps the text of spans that are nested, and is faster so than with flat ones.
        .with_current_span(false)
        .with_span_list(true)
        .with_line_number(true);
    Dispatch::new(tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)))
}

fn tracing_subscriber() -> Dispatch {
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .with_writer(sink)
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(true)
        .with_line_number(true);
    Dispatch::new(tracing_subscriber::registry().with(layer.with_filter(LevelFilter::INFO)))
}

impl Floor {
    fn time(&self, within: Within, count: u64) -> Duration {
        // A floor of ours is inside the invocation, too.
        let own = self.name.starts_with("written");
        time((self.dispatch)(), self.log, within, own, count)
    }
}

/// Writes `count` lines, each with what the invocation says.
fn time(dispatch: Dispatch, log: Log, within: Within, own: bool, count: u64) -> Duration {
    let invocation = testing::invocation().build();
    let run = |count: u64| {
        let Within::Handler(lines) = within else { return (0..count).for_each(|_| log()) };
        for _ in 0..count.div_ceil(lines) {
            let handler = observe(async {
                (0..lines).for_each(|_| log());
                Ok::<_, Infallible>(())
            });
            let invocation = testing::invocation().build();
            invocation.scope(handler).now_or_never().expect("it never waits").expect("no error");
        }
    };
    let lines = || {
        // The first lines of a new layer make room for themselves.
        run(100);
        let start = cpu_time();
        run(count);
        cpu_time() - start
    };
    let in_span = || {
        let span = (within == Within::Span)
            .then(|| info_span!("charge", card = "visa", amount = 9.5).entered());
        let taken = lines();
        drop(span);
        taken
    };
    dispatcher::with_default(&dispatch, || {
        if own {
            return invocation.sync_scope(in_span);
        }
        let _span = info_span!(
            "invocation",
            service = "orders",
            cold_start = invocation.is_cold_start(),
            function_name = invocation.function_name(),
            function_memory_size = invocation.memory_mb(),
            function_arn = invocation.function_arn(),
            function_request_id = invocation.request_id(),
            xray_trace_id = invocation.xray_trace_id(),
        )
        .entered();
        in_span()
    })
}
