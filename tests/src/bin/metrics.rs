//! A function that writes metrics to its standard output, with the settings of the environment.

use std::future::pending;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, Runtime};
use powertools::Powertools;
use powertools::invocation::InvocationLayer;
use powertools::logging::Logging;
use powertools::metrics::{self, MetricSet as _, Metrics};

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::args().nth(1).as_deref() {
        Some("outside") => {
            powertools::logging::init()?;
            for _ in 0..2 {
                metrics::count("Runs", 1);
            }
            metrics::with("kind", "nightly").count("Runs", 1);
            metrics::dimension("lost", "x");
            Ok(())
        }
        Some("plain") => {
            Metrics::new().init()?;
            let runtime = Runtime::new(tower::service_fn(handle));
            runtime.layer(InvocationLayer::new()).run().await
        }
        _ => {
            let metrics = Metrics::new().count_cold_starts();
            Powertools::new(handle).logging(Logging::new()).metrics(metrics).run().await
        }
    }
}

#[derive(Metrics)]
struct Step {
    #[property]
    step: &'static str,
    #[unit(Count)]
    done: u32,
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    metrics::count("Received", 1);
    match &*event.payload {
        "hang" => pending().await,
        "block" => {
            Step { step: "first", done: 1 }.emit();
            metrics::flush();
            metrics::count("Lost", 1);
            std::thread::sleep(Duration::from_secs(600));
        }
        _ => {}
    }
    Ok(event.payload)
}
