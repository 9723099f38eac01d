//! A function whose spans go where its first argument says, on one thread.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::logging::Logging;
use powertools_otel::Otel;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let logging = || Logging::new().redact(["card"]);
    let function = Powertools::new(handle).warm_up("pool", async || Ok::<_, Error>(()));
    match std::env::args().nth(1).as_deref() {
        Some("logs") => function.logging(logging()).lifecycle(Otel::stdout()).run().await,
        Some("every") => {
            let otel = Otel::new().every(Duration::from_secs(600));
            function.lifecycle(otel).run().await
        }
        Some("other") => {
            logging().init()?;
            function.lifecycle(Otel::stdout()).run().await
        }
        _ => function.lifecycle(Otel::stdout()).run().await,
    }
}

async fn handle(event: LambdaEvent<String>) -> Result<String, Error> {
    charge("4111").await;
    Ok(event.payload)
}

#[tracing::instrument]
async fn charge(card: &str) {
    tracing::info!("charged");
    tokio::task::yield_now().await;
}
