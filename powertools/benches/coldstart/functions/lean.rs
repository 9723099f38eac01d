//! With `powertools` and without the SDK.

mod charging;
mod order;

use lambda_runtime::Error;
use powertools::idempotency::{DynamoDbStore, LeanClient};

#[cfg_attr(feature = "one-thread", tokio::main(flavor = "current_thread"))]
#[cfg_attr(not(feature = "one-thread"), tokio::main)]
async fn main() -> Result<(), Error> {
    #[cfg(feature = "logs")]
    powertools::logging::init()?;
    #[cfg(not(feature = "logs"))]
    lambda_runtime::tracing::init_default_subscriber();
    charging::run(DynamoDbStore::lean(LeanClient::new()?, order::TABLE)).await
}
