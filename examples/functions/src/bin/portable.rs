//! The Lambda adapter of a core that is independent of Lambda. `portable-cli` is another adapter.

use functions::quote::{Parcel, Quote, quote};
use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::logging::Logging;

async fn handle(event: LambdaEvent<Parcel>) -> Result<Quote, Error> {
    Ok(quote(&event.payload)?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    Powertools::new(handle).logging(Logging::new()).run().await
}
