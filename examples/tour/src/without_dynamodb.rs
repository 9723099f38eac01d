//! Explains how to run the tour with DynamoDB, in a build without it.

use lambda_runtime::Error;

pub(crate) async fn tour(_url: &str) -> Result<bool, Error> {
    Err("--dynamodb requires a feature: cargo run -p tour --features dynamodb -- --dynamodb URL"
        .into())
}
