//! A function that follows the instructions in its events, for tests of whole processes.

use std::future::pending;
use std::io::Write;

use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use powertools::Invocation;
use powertools::invocation::InvocationLayer;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    /// Answer whether this is the cold start.
    Answer,
    /// Write a line, and never answer.
    Hang,
    /// End the process with this code.
    Exit(i32),
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let runtime = Runtime::new(service_fn(handle)).layer(InvocationLayer::new());
    runtime.run_concurrent().await
}

async fn handle(event: LambdaEvent<Order>) -> Result<bool, Error> {
    match event.payload {
        Order::Answer => Ok(Invocation::current().is_some_and(|own| own.is_cold_start())),
        Order::Hang => {
            writeln!(std::io::stdout(), "hanging in {}", event.context.request_id)?;
            writeln!(std::io::stderr(), "with no way out")?;
            pending().await
        }
        Order::Exit(code) => std::process::exit(code),
    }
}
