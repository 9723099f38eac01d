//! With `powertools`. Reads a record before the first event where `WARM_UP` is set.

mod order;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use powertools::{Powertools, aws};

use self::order::{Order, TABLE, charge};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let store = DynamoDbStore::new(Client::new(aws::config().await), TABLE);
    if std::env::var_os("WARM_UP").is_some() {
        store.warm_up().await?;
    }
    let records = Idempotency::new(store)?;
    Powertools::new(move |event: LambdaEvent<Order>| {
        let records = records.clone();
        async move {
            let order = event.payload.order;
            records.run("charge", &order, async { Ok::<_, Error>(charge(&order)) }).await
        }
    })
    .run()
    .await
}
