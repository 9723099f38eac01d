//! A function, or a program, that logs by the environment and to its standard output.

use std::fmt;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::logging::{self, Logging};

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("lines") => write_lines(),
        Some("nested") => {
            logging::init()?;
            tracing::info!(value = ?Logs, "outer {:?}", Logs);
            Ok(())
        }
        Some("twice") => Ok(logging::init().and_then(|()| logging::init())?),
        _ => {
            let logging = Logging::new().buffer(20 * 1024);
            Powertools::new(handle).logging(logging).run().await
        }
    }
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    tracing::debug!("kept");
    match event.payload.as_str() {
        "panic" => panic!("on purpose"),
        "overrun" => std::future::pending().await,
        "panic in a task" => {
            let panics = powertools::Invocation::carry(async { panic!("in a task") });
            let _ = tokio::spawn(panics).await;
            Ok(event.payload)
        }
        "caught" => {
            let _ = std::panic::catch_unwind(|| panic!("caught"));
            Err("something else".into())
        }
        _ => Ok(event.payload),
    }
}

/// Writes lines of all lengths.
fn write_lines() -> Result<(), Error> {
    logging::init()?;
    for number in 0..100 {
        tracing::info!(number, "{}", "x".repeat(50 * number));
    }
    eprintln!("done");
    Ok(())
}

/// A value that logs when it is looked at.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!(inner = true, "inner");
        f.write_str("value")
    }
}
