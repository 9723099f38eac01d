//! Attributes of others that have the name of one of ours.

#![deny(warnings)]

use lambda_runtime::Error;
use powertools::{deadline, logged};

mod vendor {
    pub(crate) use tokio::main as batch;
}

mod kit {
    pub(crate) use powertools;
}

#[logged]
#[kit::powertools::deadline]
async fn ours_behind_a_path(id: u64) -> Result<u64, Error> {
    Ok(id)
}

#[deadline]
#[vendor::batch(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    ours_behind_a_path(7).await.map(drop)
}
