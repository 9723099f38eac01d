//! With `powertools`, and with or without a warm-up that reads a record before the first event.

mod order;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use powertools::{Powertools, aws};

use self::order::{Order, TABLE, charge};

#[tokio::main]
async fn main() -> Result<(), Error> {
    #[cfg(feature = "logs")]
    powertools::logging::init()?;
    #[cfg(not(feature = "logs"))]
    lambda_runtime::tracing::init_default_subscriber();
    let store = DynamoDbStore::new(Client::new(aws::config().await), TABLE);
    let records = Idempotency::new(store.clone())?;
    let function = Powertools::new(move |event: LambdaEvent<Order>| {
        let records = records.clone();
        async move {
            let order = event.payload.order;
            records.run("charge", &order, async { charge(&order) }).await
        }
    });
    #[cfg(feature = "warm-up")]
    let function = function.warm_up("table", move || {
        let store = store.clone();
        async move { store.warm_up().await }
    });
    function.run().await
}
