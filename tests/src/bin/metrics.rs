//! A function that writes metrics to its standard output, with the settings of the environment.

use std::future::pending;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, Runtime};
use powertools::Powertools;
use powertools::invocation::InvocationLayer;
use powertools::logging::Logging;
use powertools::metrics::{self, MetricSet as _, Metrics, Namespace};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

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
        Some("before") => {
            // By the environment alone, which has no namespace.
            metrics::count("Boot", 1);
            let metrics = Metrics::new().namespace(Namespace::from_static("Shop"));
            let warm_up = || async {
                metrics::count("WarmUps", 1);
                Ok::<_, Error>(())
            };
            Powertools::new(handle).metrics(metrics).warm_up("count", warm_up).run().await
        }
        Some("counted") => {
            tracing_subscriber::registry().with(CountWarnings).init();
            let invocation = powertools::testing::invocation().build();
            invocation.sync_scope(|| match std::env::args().nth(2) {
                Some(_) => metrics::dimension("", "none"),
                None => metrics::count("Runs", 1),
            });
            metrics::count("Runs", 1);
            Ok(())
        }
        Some("silent") => {
            metrics::count("Runs", 1);
            metrics::count("Runs", 1);
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

/// A layer that measures, also in an invocation of its own.
struct CountWarnings;

impl<S: Subscriber> Layer<S> for CountWarnings {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        metrics::count("Warnings", 1);
        let invocation = powertools::testing::invocation().build();
        invocation.sync_scope(|| metrics::count("Warnings", 1));
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
