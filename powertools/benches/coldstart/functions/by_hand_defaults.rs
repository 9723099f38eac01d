//! By hand, with what the SDK brings by default.

mod by_hand;
mod order;

use aws_sdk_dynamodb::Client;
use lambda_runtime::Error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    by_hand::run(Client::new(&config)).await
}
