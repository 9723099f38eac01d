//! What a request takes in a function of HTTP, beside the same router under `lambda_http::run`; and a replay by the
//! header `Idempotency-Key`.
//!
//! Each side is a process of its own, as a function is, with the loop of the runtime. The Runtime API is another
//! process, so its time does not count. See the README beside this folder. `--instructions` counts instructions
//! instead of CPU time.

mod function;
#[path = "../instructions.rs"]
mod instructions;
mod replay;
mod runtime_api;
#[path = "../served.rs"]
mod served;

use std::env;

use self::function::{Case, Side};

/// Pairs of measurements, and requests in each of them.
const ROUNDS: usize = 15;
const REQUESTS: u64 = 3_000;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        [runtime_api::SERVE, event] => runtime_api::serve(event),
        [function::RUN, case, side, count] => function::run(case, side, count),
        [instructions::RUN, line, side, count] => replay::run(line, side, count),
        _ if args.contains(&"--instructions") => {
            print("instructions", &Case::ALL.map(counted));
            replay::print("instructions", &replay::counted());
        }
        _ if args.contains(&"--bench") => {
            print("µs", &Case::ALL.map(|case| timed(case, ROUNDS, REQUESTS)));
            replay::print("µs", &replay::timed(30, 3_000));
        }
        // `cargo test --benches` only wants to know that it works.
        _ => {
            _ = Case::ALL.map(|case| timed(case, 1, 3));
            _ = replay::timed(1, 2);
        }
    }
}

/// What a request takes in ours and in `lambda_http`, and the ratio.
struct Row {
    case: Case,
    ours: f64,
    floor: f64,
    ratio: f64,
}

fn counted(case: Case) -> Row {
    let [ours, floor] = [Side::Ours, Side::LambdaHttp].map(|side| case.instructions(side));
    Row { case, ours, floor, ratio: ours / floor }
}

fn timed(case: Case, rounds: usize, requests: u64) -> Row {
    let pairs: Vec<_> = (0..rounds)
        .map(|round| {
            let [first, second] = if round.is_multiple_of(2) {
                [Side::Ours, Side::LambdaHttp]
            } else {
                [Side::LambdaHttp, Side::Ours]
            };
            let (one, other) = (case.time(first, requests), case.time(second, requests));
            if first == Side::Ours { (one, other) } else { (other, one) }
        })
        .collect();
    Row {
        case,
        ours: median(pairs.iter().map(|(ours, _)| *ours)),
        floor: median(pairs.iter().map(|(_, floor)| *floor)),
        ratio: median(pairs.iter().map(|(ours, floor)| ours / floor)),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
fn print(unit: &str, rows: &[Row]) {
    println!("| one request, {unit} | ours | lambda_http | ratio | target |");
    println!("|---|---:|---:|---:|---:|");
    for Row { case, ours, floor, ratio } in rows {
        let name = case.name();
        println!("| {name} | {ours:.1} | {floor:.1} | {ratio:.3} | 1.15 |");
    }
}
