//! Places an order exactly once: the order, a row of the outbox and the idempotency record are written in
//! one transaction.
//!
//! `outbox-sender` sends the row. The table of the records may be another one than that of the orders, but
//! not in another region.

use std::env;

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::idempotency::transaction::{Commit, Item, Put};
use powertools::idempotency::{DynamoDbStore, Idempotency, MemoryStore, TransactStore};
use powertools::logging::Logging;
use powertools::{Powertools, aws, deadline, idempotent};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Order {
    id: String,
    amount: u64,
}

#[derive(Deserialize, Serialize)]
struct Placed {
    order_id: String,
}

/// What each event needs.
#[derive(Clone)]
struct Shop<S> {
    idempotency: Idempotency<S>,
    orders: String,
    outbox: String,
}

#[idempotent(
    key = event.payload.id,
    payload = event.payload.amount,
    with = &shop.idempotency,
    name = "place-order.place",
    transaction
)]
#[deadline(reserve = "2s")]
async fn place<S: TransactStore + Clone>(
    shop: Shop<S>,
    event: LambdaEvent<Order>,
) -> Result<Commit<Placed>, Error> {
    let order = event.payload;
    let message = Item::new()
        .set("id", format!("{}#placed", order.id))
        .set("order_id", order.id.clone())
        .set("amount", order.amount);
    let put = Put::new(&shop.orders, Item::from_serialize(&order)?);
    Ok(Commit::new(Placed { order_id: order.id })
        // Also when the record has expired, an order is not placed again.
        .put(put.if_absent("id"))
        .put(Put::new(&shop.outbox, message)))
}

async fn run<S: TransactStore + Clone>(store: S) -> Result<(), Error> {
    let table = |variable, default: &str| env::var(variable).unwrap_or(default.to_owned());
    let shop = Shop {
        idempotency: Idempotency::new(store)?,
        orders: table("ORDERS_TABLE", "orders"),
        outbox: table("OUTBOX_TABLE", "outbox"),
    };
    let handler = move |event| place(shop.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => {
            let store = MemoryStore::new();
            store.create_table("orders", ["id"]);
            store.create_table("outbox", ["id"]);
            run(store).await
        }
    }
}
