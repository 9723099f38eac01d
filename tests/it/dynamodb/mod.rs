//! The DynamoDB store beyond the rules of the suite: its requests, its errors, foreign records.

use powertools::idempotency::{DynamoDbStore, EpochMillis, Store, StoreError};
use powertools_tests::proxy::Proxy;
use powertools_tests::via::Via;

mod both_clients;
mod commits;
mod failures;
mod records;
pub(super) mod requests;

/// The present time in the tests.
const NOW: EpochMillis = EpochMillis(1_800_000_000_000);

/// Returns a store whose requests pass `proxy`.
fn store(proxy: &Proxy, via: Via) -> DynamoDbStore {
    via.store(proxy.endpoint(), "orders")
}

/// Makes a request, whose connection the next one uses.
async fn keep_connection(store: &impl Store) {
    store.read(&powertools::testing::store_suite::read("another key")).await.unwrap();
}

/// An error and its causes, as people see them.
fn with_causes(error: &StoreError) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Makes each of the four requests, and returns how it ended.
async fn every_request(store: &impl Store) -> [(&'static str, Option<StoreError>); 4] {
    use powertools::testing::store_suite::{claim, completion, read, release};

    let claim = claim("key", NOW);
    [
        ("PutItem", store.claim(&claim).await.err()),
        ("UpdateItem", store.complete(&completion(&claim)).await.err()),
        ("DeleteItem", store.release(&release(&claim)).await.err()),
        ("GetItem", store.read(&read("key")).await.err()),
    ]
}
