//! With `powertools` and without the SDK.

mod order;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{DynamoDbStore, Idempotency, LeanClient};

use self::order::{Order, TABLE, charge};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let store = DynamoDbStore::lean(LeanClient::new()?, TABLE);
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
