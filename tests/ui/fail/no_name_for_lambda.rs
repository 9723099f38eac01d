//! An error type that Lambda cannot report.

use lambda_runtime::LambdaEvent;
use powertools::{Powertools, deadline, logged};

#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Deadline(#[from] deadline::Error),
}

#[logged]
#[deadline]
async fn charge(event: LambdaEvent<u64>) -> Result<u64, OrderError> {
    Ok(event.payload)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    Powertools::new(charge).run().await
}
