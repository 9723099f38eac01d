use std::time::Duration;

use aws_sdk_dynamodb::Client;
use powertools::idempotency::{DynamoDbStore, EpochMillis, Store, StoreErrorKind};
use powertools::testing::store_suite;
use powertools_tests::proxy::{Fault, Proxy};
use powertools_tests::via::Via;
use serde_json::json;
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::loader;

#[tokio::test]
async fn a_warm_up_makes_the_connection_that_the_first_event_uses() {
    let endpoint = Endpoint::answering().await;
    let config = loader(endpoint.url()).load().await;
    let sdk = DynamoDbStore::new(Client::new(&config), "orders");
    let lean = Via::Lean.store(endpoint.url(), "orders");
    for (store, number) in [(sdk, 1), (lean, 2)] {
        store.warm_up().await.unwrap();
        assert_eq!((endpoint.requests().len(), endpoint.connections()), (2 * number - 1, number));

        let claim = store_suite::claim("key", EpochMillis(1_800_000_000_000));
        let _ = store.claim(&claim).await.unwrap();
        assert_eq!((endpoint.requests().len(), endpoint.connections()), (2 * number, number));
    }
}

#[tokio::test]
async fn a_warm_up_reads_half_a_unit_of_the_key_alone() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let store = via
            .builder(proxy.endpoint(), "orders")
            .key_attribute("pk")
            .sort_key_attribute("sk")
            .partition_value("records")
            .build()
            .unwrap();
        store.warm_up().await.unwrap();
        let [request] = &proxy.captured()[..] else { panic!("not one request") };
        assert_eq!(request.operation, "GetItem");
        assert_eq!(
            request.body,
            json!({
                "TableName": "orders",
                "Key": { "pk": { "S": "records" }, "sk": { "S": "powertools-warm-up" } },
                "ProjectionExpression": "#id",
                "ExpressionAttributeNames": { "#id": "pk" },
            })
        );
    }
}

#[tokio::test]
async fn a_warm_up_reports_a_problem_with_the_table() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        proxy.next("GetItem", Fault::Refuse("ResourceNotFoundException", "no such table"));
        let error = via.store(proxy.endpoint(), "orders").warm_up().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn a_warm_up_ends() {
    let endpoint = Endpoint::silent().await;
    let config = loader(endpoint.url()).load().await;
    let sdk = DynamoDbStore::new(Client::new(&config), "orders");
    for store in [sdk, Via::Lean.store(endpoint.url(), "orders")] {
        let start = Instant::now();
        let error = store.warm_up().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
        assert!(start.elapsed() <= Duration::from_secs(4), "{:?}", start.elapsed());
    }
}
