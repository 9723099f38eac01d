//! Shows the toolkit at work: two functions with a fake Lambda service, in one process.
//!
//! `cargo run -p tour` keeps the idempotency records in memory. `cargo run -p tour --features
//! dynamodb -- --dynamodb http://127.0.0.1:8000` keeps them at a DynamoDB endpoint, where it
//! creates two tables; it needs transactions.

#![allow(clippy::print_stdout, reason = "the tour prints its outcomes")]

use std::process::ExitCode;

use lambda_runtime::Error;

mod function;
mod memory;
mod steps;

#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(not(feature = "dynamodb"))]
#[path = "without_dynamodb.rs"]
mod dynamodb;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome: Result<bool, Error> = match arguments.as_slice() {
        [] => memory::tour().await,
        ["--dynamodb", url] => dynamodb::tour(url).await,
        _ => Err("usage: tour [--dynamodb URL]".into()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("not every outcome was the expected one");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the tour ended early: {error:?}");
            ExitCode::FAILURE
        }
    }
}
