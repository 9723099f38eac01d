//! Functions that return a commit.

#![deny(warnings)]
#![allow(dead_code)]

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent};
use powertools::batch::Message;
use powertools::idempotency::transaction::{Commit, Item, Put};
use powertools::idempotency::{Idempotency, MemoryStore, TransactStore};
use powertools::{batch, deadline, idempotent, logged};

type Records = Idempotency<MemoryStore>;
type Committed<R> = Result<Commit<R>, Error>;

fn order(id: u64) -> Put {
    Put::new("orders", Item::new().set("id", id)).if_absent("id")
}

#[idempotent(key = id, with = records, name = "place", transaction)]
async fn place(records: &Records, id: u64) -> Result<Commit<u64>, Error> {
    Ok(Commit::new(id).put(order(id)))
}

#[idempotent(key = id, with = records, name = "alias", transaction)]
async fn alias(records: &Records, id: u64) -> Committed<String> {
    if id == 0 {
        return Err("no order".into());
    }
    Ok(Commit::new(id.to_string()))
}

#[logged]
#[idempotent(key = event.payload, with = records, name = "stacked", transaction)]
#[deadline(reserve = "1s")]
async fn stacked(records: Records, event: LambdaEvent<u64>) -> Result<Commit<u64>, Error> {
    Ok(Commit::new(event.payload).put(order(event.payload)))
}

#[idempotent(key = id, with = records, name = "generic", transaction)]
async fn generic<S: TransactStore>(records: &Idempotency<S>, id: u64) -> Committed<u64> {
    Ok(Commit::new(id))
}

#[batch(sqs)]
#[idempotent(key = message.body, with = records, name = "each", transaction)]
async fn each(records: Arc<Records>, message: Message<u64>) -> Result<Commit<()>, Error> {
    Ok(Commit::new(()).put(order(message.body)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let store = MemoryStore::new();
    store.create_table("orders", ["id"]);
    let records = Idempotency::new(store)?;
    for _ in 0..2 {
        let placed: u64 = place(&records, 7).await?;
        assert_eq!(placed, 7);
    }
    assert_eq!(records.store().items("orders").len(), 1);
    assert_eq!(alias(&records, 8).await?, "8");
    assert_eq!(generic(&records, 9).await?, 9);
    Ok(())
}
