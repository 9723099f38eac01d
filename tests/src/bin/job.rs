//! A function that runs a job in steps, over as many events as it takes. The effect of a step is a counter
//! in the table `EFFECTS`, which is committed with its record. The rest is sent as a line.

use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::idempotency::transaction::{Commit, Item, Update};
use powertools::idempotency::{DynamoDbStore, Idempotency};
use serde::Deserialize;

#[derive(Deserialize)]
struct Job {
    id: String,
    cursor: u64,
    steps: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let [endpoint, table, effects] =
        ["ENDPOINT", "TABLE", "EFFECTS"].map(|name| std::env::var(name).unwrap_or_default());
    let store = DynamoDbStore::new(powertools_tests::client(&endpoint), table);
    let idempotency = Idempotency::new(store)?;
    let handler = move |event| handle(idempotency.clone(), effects.clone(), event);
    Powertools::new(handler).run().await
}

async fn handle(
    idempotency: Idempotency<DynamoDbStore>,
    effects: String,
    event: LambdaEvent<Job>,
) -> Result<Option<u64>, Error> {
    let Job { id, cursor, steps } = event.payload;
    let operation = idempotency.operation("job");
    operation
        .continue_later(
            &id,
            cursor,
            Duration::from_millis(500),
            async |number| {
                let work = async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    let next = (number + 1 < steps).then_some(number + 1);
                    let counter = Item::new().set("id", number.to_string());
                    let counter = Update::new(&effects, counter).add("count", 1);
                    Ok::<_, Error>(Commit::new(next).update(counter))
                };
                idempotency.operation("step").key(&(&id, number))?.commit(work).await
            },
            async |rest| {
                // In one write, so that a killed process leaves no half of a line.
                let line = format!("rest of {cursor}: {}\n", rest.cursor);
                std::io::stdout().write_all(line.as_bytes())?;
                // A process that dies during this time has sent the rest without a record of it.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(())
            },
        )
        .await
}
