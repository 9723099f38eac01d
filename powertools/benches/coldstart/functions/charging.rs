//! What the programs with `powertools` have in common, whatever the client of their store is.

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::{DynamoDbStore, Idempotency};

use crate::order::{Order, charge};

/// Charges each order once, with or without a warm-up that reads a record before the first event.
pub(crate) async fn run(store: DynamoDbStore) -> Result<(), Error> {
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
