//! With `powertools`.

mod charging;
mod order;

use aws_sdk_dynamodb::Client;
use lambda_runtime::Error;
use powertools::aws;
use powertools::idempotency::DynamoDbStore;

#[tokio::main]
async fn main() -> Result<(), Error> {
    #[cfg(feature = "logs")]
    powertools::logging::init()?;
    #[cfg(not(feature = "logs"))]
    lambda_runtime::tracing::init_default_subscriber();
    let client = Client::new(aws::config().await);
    charging::run(DynamoDbStore::new(client, order::TABLE)).await
}
