//! A task of a Step Functions state machine, which matches the errors of the task by name.

use aws_sdk_dynamodb::Client;
use lambda_runtime::{Error, LambdaEvent};
use powertools::events::{StepFunctionsContext, natural};
use powertools::idempotency::{self, DynamoDbStore, Idempotency, MemoryStore, Store};
use powertools::logging::Logging;
use powertools::{LambdaError, Powertools, aws, idempotent};
use serde::{Deserialize, Serialize};

/// The input. The state machine passes its context object: see `template.yaml`.
#[derive(Deserialize)]
struct Task {
    context: StepFunctionsContext,
    order_id: String,
    amount: u64,
}

#[derive(Deserialize, Serialize)]
struct Receipt {
    order_id: String,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum TaskError {
    /// To be caught (`Catch`): a retry is useless.
    #[error("the card was declined")]
    #[error_type = "CardDeclined"]
    Declined,
    /// Whether the card was charged is unknown. To be retried (`Retry`).
    #[error("the payment service does not respond")]
    #[error_type = "PaymentsDown"]
    Unavailable,
    /// Has the name of the inner error, such as `Powertools.IdempotencyInProgress`.
    #[error(transparent)]
    Idempotency(#[from] idempotency::Error),
}

#[idempotent(key = natural(&event.payload.context), with = idempotency, name = "step-task.charge")]
async fn charge<S: Store>(
    idempotency: Idempotency<S>,
    event: LambdaEvent<Task>,
) -> Result<Receipt, TaskError> {
    let Task { order_id, amount, .. } = event.payload;
    match amount {
        // Here the card is charged, once for each time that the state machine enters the state. The payment
        // service gets the key of that, too: only it knows whether a request that it did not answer had its effect.
        1..10_000 => Ok(Receipt { order_id }),
        0 => Err(TaskError::Unavailable),
        _ => Err(TaskError::Declined),
    }
}

async fn run<S: Store>(store: S) -> Result<(), Error> {
    let idempotency = Idempotency::new(store)?;
    let handler = move |event| charge(idempotency.clone(), event);
    Powertools::new(handler).logging(Logging::new()).run().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    match std::env::var("TABLE_NAME") {
        Ok(table) => run(DynamoDbStore::new(Client::new(aws::config().await), table)).await,
        // Sufficient for `cargo lambda watch`.
        Err(_) => run(MemoryStore::new()).await,
    }
}
