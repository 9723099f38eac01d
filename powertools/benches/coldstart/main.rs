//! What a cold start takes: a function by hand and with `powertools`, over each TLS stack.
//!
//! Each program is started as Lambda starts it, with a Runtime API and a DynamoDB behind TLS on
//! loopback, and answers two events. See the README of the benches.

mod endpoint;
mod programs;
mod report;
mod start;

use std::path::PathBuf;

use self::endpoint::Endpoint;
use self::programs::{VARIANTS, Variant};
use self::report::Measured;

/// How often each program is started. One start of each, in changing order, makes a round.
const ROUNDS: usize = 40;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` does not have the time for release builds.
    let Some(flag) = names.iter().position(|name| name == "--bench") else { return Ok(()) };
    names.remove(flag);

    let folder = programs::target().join("coldstart");
    let mut built = Vec::new();
    let named = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part));
    for variant in VARIANTS.into_iter().filter(|variant| named(variant.name)) {
        eprintln!("building: {}", variant.name);
        match variant.build() {
            Ok(program) => built.push((variant, program)),
            Err(reason) => eprintln!("left out: {}\n{reason}", variant.name),
        }
    }
    let endpoint = Endpoint::start(&folder).await?;
    let mut measured = Vec::new();
    for (variant, program) in &built {
        let instructions = start::instructions(program, &endpoint).await;
        let binary = std::fs::metadata(program)?.len();
        measured.push(Measured { name: variant.name, binary, instructions, starts: Vec::new() });
    }
    rounds(&built, &endpoint, &mut measured).await;
    report::print(&measured);
    Ok(())
}

async fn rounds(built: &[(Variant, PathBuf)], endpoint: &Endpoint, measured: &mut [Measured]) {
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for turn in 0..built.len() {
            let index = (turn + round) % built.len();
            let (_, program) = &built[index];
            measured[index].starts.push(start::start(program, endpoint).await);
        }
    }
}
