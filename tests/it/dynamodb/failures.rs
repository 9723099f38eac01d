//! What the store makes of a service that fails.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use hyper::StatusCode;
use powertools::idempotency::{
    Data, DynamoDbStore, Error, Idempotency, Outcome, Status, Store, StoreErrorKind,
};
use powertools::testing::store_suite::{claim, completion, read};
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::{Fault, Proxy};
use powertools_tests::via::Via;
use serde_json::json;
use tokio::net::TcpListener;

use super::{NOW, every_request, keep_connection, store, with_causes};

#[tokio::test]
async fn the_error_of_a_missing_table_names_it() {
    for emulator in Emulator::all() {
        let store = emulator.store("missing");
        for (operation, error) in every_request(&store).await {
            let error = error.expect(operation);
            let what = format!("{operation} on {}", emulator.name());
            assert_eq!(error.kind(), StoreErrorKind::NotFound, "{what}: {}", with_causes(&error));
            assert_eq!(error.to_string(), "table `missing` does not exist in eu-central-1");
            assert!(!error.is_retryable());
        }
    }
}

#[tokio::test]
async fn a_table_with_another_key_is_distinguished_from_a_failure() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["pk"]).await;
        let store = emulator.store(&table);
        let error = store.claim(&claim("key", NOW)).await.unwrap_err();
        let expected =
            format!("table `{table}` does not take the request; its key must be the string `id`");
        assert_eq!(error.to_string(), expected, "{}", with_causes(&error));
    }
}

#[tokio::test]
async fn denied_access_names_what_the_role_needs() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        for operation in ["PutItem", "UpdateItem", "DeleteItem", "GetItem"] {
            let denied = "User: arn:aws:sts::1:assumed-role/fn is not authorized";
            proxy.next(operation, Fault::Refuse("AccessDeniedException", denied));
        }
        for (operation, error) in every_request(&store(&proxy, via)).await {
            let error = error.expect(operation);
            assert_eq!(error.kind(), StoreErrorKind::AccessDenied);
            let message = with_causes(&error);
            for part in
                ["PutItem", "UpdateItem", "DeleteItem", "GetItem", "`orders`", "assumed-role"]
            {
                assert!(message.contains(part), "{message}");
            }
        }
        assert_eq!(proxy.operations().len(), 4, "denied access is not tried again");
    }
}

#[tokio::test]
async fn errors_of_the_service_are_distinguished() {
    for via in Via::ALL {
        use StoreErrorKind::{AccessDenied, Invalid, NotFound, Other, Throttled};

        // With the number of attempts. The status is 400.
        let kinds = [
            ("ResourceNotFoundException", NotFound, 1),
            ("AccessDeniedException", AccessDenied, 1),
            ("UnrecognizedClientException", AccessDenied, 1),
            ("ExpiredTokenException", AccessDenied, 1),
            ("ProvisionedThroughputExceededException", Throttled, 3),
            ("RequestLimitExceeded", Throttled, 3),
            ("ThrottlingException", Throttled, 3),
            ("ValidationException", Invalid, 1),
            ("TransactionConflictException", Other, 3),
            ("TransactionInProgressException", Other, 3),
            ("ReplicatedWriteConflictException", Other, 3),
            ("InternalServerError", Other, 1),
            ("SomethingNew", Other, 1),
        ];
        for (code, kind, attempts) in kinds {
            let proxy = Proxy::alone().await;
            for _ in 0..3 {
                proxy.next("PutItem", Fault::Refuse(code, "because"));
            }
            let error = store(&proxy, via).claim(&claim("key", NOW)).await.unwrap_err();
            assert_eq!(error.kind(), kind, "{code}");
            let message = with_causes(&error);
            assert!(message.contains("`orders`") && message.contains("because"), "{message}");
            assert_eq!(proxy.operations().len(), attempts, "{code} with {via:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_not_one_of_dynamodb_is_an_error() {
    for via in Via::ALL {
        for status in [200, 307, 400, 403] {
            let proxy = Proxy::alone().await;
            let status = StatusCode::from_u16(status).unwrap();
            proxy.next("PutItem", Fault::Reply(status, json!("the page of a proxy")));
            let error = store(&proxy, via).claim(&claim("key", NOW)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Other, "{status} with {via:?}");
            assert_eq!(proxy.operations().len(), 1, "{status} with {via:?}");
        }
    }
}

/// It would keep everyone out until its lease ends.
#[tokio::test]
async fn a_claim_that_may_have_been_written_before_a_refusal_is_released() {
    for via in Via::ALL {
        for (first, sent, error_type) in [
            (Fault::Close, &["PutItem", "PutItem", "DeleteItem"][..], "IdempotencyStore"),
            (Fault::Throttle, &["PutItem", "PutItem"], "IdempotencyStoreAccessDenied"),
        ] {
            for is_kept in [false, true] {
                let proxy = Proxy::alone().await;
                let store = store(&proxy, via);
                if is_kept {
                    keep_connection(&store).await;
                }
                proxy.next("PutItem", first.clone());
                proxy.next("PutItem", Fault::Refuse("ExpiredTokenException", "old"));
                let idempotency = Idempotency::new(store).unwrap();
                let call = idempotency.operation("place").key("order-7").unwrap();
                let error = call.run(async { Ok::<_, Error>(7) }).await.unwrap_err();
                assert_eq!(error.error_type(), format!("Powertools.{error_type}"), "{via:?}");
                let operations = &proxy.operations()[usize::from(is_kept)..];
                assert_eq!(operations, sent, "{via:?}, kept: {is_kept}");
            }
        }
    }
}

#[tokio::test]
async fn a_result_that_is_invalid_is_so_in_each_attempt() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        proxy.next("UpdateItem", Fault::Close);
        proxy.next("UpdateItem", Fault::Refuse("ValidationException", "too deep"));
        let mut done = completion(&claim("key", NOW));
        done.data = Some(Data::Text("result".to_owned()));
        let error = store(&proxy, via).complete(&done).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::ResultTooLarge, "{}", with_causes(&error));
        assert!(with_causes(&error).contains("too deep"), "{}", with_causes(&error));
        assert_eq!(proxy.operations().len(), 2, "{via:?}");
    }
}

#[tokio::test]
async fn a_throttled_request_is_retried() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        for _ in 0..2 {
            proxy.next("PutItem", Fault::Throttle);
        }
        let outcome = store(&proxy, via).claim(&claim("key", NOW)).await.unwrap();
        assert_eq!(outcome, Outcome::Applied);
        assert_eq!(proxy.operations(), ["PutItem"; 3]);
    }
}

#[tokio::test]
async fn a_conflict_with_a_transaction_is_retried() {
    for via in Via::ALL {
        for code in ["TransactionConflictException", "TransactionInProgressException"] {
            let proxy = Proxy::alone().await;
            for operation in ["PutItem", "UpdateItem", "DeleteItem", "GetItem"] {
                proxy.next(operation, Fault::Refuse(code, "another transaction"));
            }
            for (operation, error) in every_request(&store(&proxy, via)).await {
                assert!(error.is_none(), "{operation}: {error:?}");
            }
            assert_eq!(proxy.operations().len(), 8, "{code}");
        }
    }
}

#[tokio::test]
async fn the_retries_of_other_clients_do_not_exhaust_those_of_the_store() {
    let proxy = Proxy::alone().await;
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    // A region of its own, since the quota of a region is that of the whole process.
    let config = proxy.client().config().to_builder().retry_config(retries);
    let region = aws_sdk_dynamodb::config::Region::from_static("af-south-1");
    let client = Client::from_conf(config.region(region).build());

    let throttled = async || {
        for _ in 0..3 {
            proxy.next("GetItem", Fault::Throttle);
        }
        let before = proxy.operations().len();
        let key = aws_sdk_dynamodb::types::AttributeValue::S("a".to_owned());
        // What is not retried leaves faults behind, which the next request meets.
        let _ = client.get_item().table_name("t").key("id", key).send().await;
        proxy.operations().len() - before
    };
    let mut attempts = throttled().await;
    assert_eq!(attempts, 3);
    for _ in 0..200 {
        attempts = throttled().await;
        if attempts == 1 {
            break;
        }
    }
    assert_eq!(attempts, 1, "the user's own quota is exhausted");

    let store = DynamoDbStore::new(client, "orders");
    for _ in 0..2 {
        proxy.next("PutItem", Fault::Throttle);
    }
    assert_eq!(store.claim(&claim("key", NOW)).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn a_request_is_made_three_times_at_most() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        for operation in ["PutItem", "UpdateItem", "DeleteItem", "GetItem"] {
            for _ in 0..3 {
                proxy.next(operation, Fault::Throttle);
            }
        }
        for (operation, error) in every_request(&store(&proxy, via)).await {
            let error = error.expect(operation);
            assert_eq!(error.kind(), StoreErrorKind::Throttled, "{operation}");
            assert!(error.is_retryable());
        }
        assert_eq!(proxy.operations().len(), 12);
    }
}

#[tokio::test]
async fn retries_do_not_depend_on_the_client() {
    for retries in [RetryConfig::disabled(), RetryConfig::adaptive().with_max_attempts(9)] {
        let proxy = Proxy::alone().await;
        let config = proxy.client().config().to_builder().retry_config(retries).build();
        let store = DynamoDbStore::new(Client::from_conf(config), "orders");
        for _ in 0..3 {
            proxy.next("PutItem", Fault::Throttle);
        }
        let error = store.claim(&claim("key", NOW)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Throttled);
        assert_eq!(proxy.operations().len(), 3);
    }
}

#[tokio::test]
async fn time_limits_do_not_depend_on_the_client() {
    let proxy = Proxy::alone().await;
    let timeouts = TimeoutConfig::builder()
        .operation_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_secs(60));
    let config = proxy.client().config().to_builder().timeout_config(timeouts.build()).build();
    proxy.next("PutItem", Fault::Stall);
    let start = Instant::now();
    let store = DynamoDbStore::new(Client::from_conf(config), "orders");
    assert_eq!(store.claim(&claim("key", NOW)).await.unwrap(), Outcome::Applied);
    assert_eq!(proxy.operations(), ["PutItem"; 2]);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let store = store(&proxy, via);
        store.read(&read("key")).await.unwrap();
        // The connection that was just used, and is in the pool, is dead.
        proxy.next("PutItem", Fault::Close);
        assert_eq!(store.claim(&claim("key", NOW)).await.unwrap(), Outcome::Applied);
        assert_eq!(proxy.operations(), ["GetItem", "PutItem", "PutItem"]);
    }
}

#[tokio::test]
async fn a_failure_of_the_service_is_retried() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let body = json!({ "__type": "InternalServerError", "message": "sorry" });
        proxy.next("PutItem", Fault::Reply(StatusCode::INTERNAL_SERVER_ERROR, body));
        assert_eq!(store(&proxy, via).claim(&claim("key", NOW)).await.unwrap(), Outcome::Applied);
    }
}

#[tokio::test]
async fn a_request_without_an_answer_times_out() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        proxy.next("PutItem", Fault::Stall);
        let mut claim = claim("key", NOW);
        claim.timeout = Duration::from_millis(100);
        let start = Instant::now();
        let error = store(&proxy, via).claim(&claim).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Timeout, "{}", with_causes(&error));
        assert_eq!(error.to_string(), "table `orders` did not answer in time");
        assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_request_without_an_answer_for_a_second_is_retried() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        proxy.next("PutItem", Fault::Stall);
        let start = Instant::now();
        assert_eq!(store(&proxy, via).claim(&claim("key", NOW)).await.unwrap(), Outcome::Applied);
        assert_eq!(proxy.operations(), ["PutItem"; 2]);
        assert!(start.elapsed() >= Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_unreachable_endpoint_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for via in Via::ALL {
        for (operation, error) in every_request(&via.store(&endpoint, "orders")).await {
            let error = error.expect(operation);
            assert_eq!(error.kind(), StoreErrorKind::Other, "{}", with_causes(&error));
            assert_eq!(error.to_string(), "table `orders` cannot be reached");
        }
    }
}

#[tokio::test]
async fn a_write_whose_reply_was_lost_is_recognised_by_its_owner() {
    for emulator in Emulator::all().into_iter().filter(Emulator::returns_old_items) {
        let table = emulator.create_table(&["id"]).await;
        let proxy = Proxy::before(emulator.endpoint()).await;
        let store = emulator.via().store(proxy.endpoint(), table);

        proxy.next("PutItem", Fault::DropReply);
        let claim = claim("key", NOW);
        let Outcome::Refused(Some(record)) = store.claim(&claim).await.unwrap() else {
            panic!("the second attempt succeeded")
        };
        assert_eq!(record.owner.as_deref(), Some(claim.owner.as_str()));
        assert_eq!(record.status, Status::InProgress);

        proxy.next("UpdateItem", Fault::DropReply);
        let Outcome::Refused(Some(record)) = store.complete(&completion(&claim)).await.unwrap()
        else {
            panic!("the second attempt succeeded")
        };
        assert_eq!(record.owner.as_deref(), Some(claim.owner.as_str()));
        assert_eq!(record.status, Status::Completed);
        assert_eq!(proxy.operations(), ["PutItem", "PutItem", "UpdateItem", "UpdateItem"]);
    }
}

#[tokio::test]
async fn a_result_over_the_limit_is_not_sent() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let mut done = completion(&claim("key", NOW));
        done.data = Some(Data::Text("é".repeat(205 * 1024)));
        let error = store(&proxy, via).complete(&done).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::ResultTooLarge);
        let expected = "the result makes a record of 419917 bytes, and table `orders` takes 409600";
        assert_eq!(error.to_string(), expected);
        assert_eq!(proxy.operations().len(), 0);
    }
}

#[tokio::test]
async fn a_result_that_just_fits_is_stored() {
    for emulator in Emulator::all() {
        let table = emulator.create_table(&["id"]).await;
        let store = emulator.store(table);
        let claim = claim("key", NOW);
        let _ = store.claim(&claim).await.unwrap();

        let mut done = completion(&claim);
        // moto allows less than the service, and counts every digit.
        let limit = if emulator.has_smaller_items() { 404_900 } else { 409_600 };
        // What an update carries counts as well, which is more here than the rest of the item.
        done.data = Some(Data::Text("x".repeat(limit - 118)));
        assert_eq!(store.complete(&done).await.unwrap(), Outcome::Applied, "{}", emulator.name());
    }
}

#[tokio::test]
async fn a_result_that_the_service_rejects_counts_as_too_large() {
    for via in Via::ALL {
        let reasons = [
            "Item size to update has exceeded the maximum allowed size",
            "Item size has exceeded the maximum allowed size",
            "Nesting Levels have exceeded supported limits",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
        ];
        for reason in reasons {
            let proxy = Proxy::alone().await;
            proxy.next("UpdateItem", Fault::Refuse("ValidationException", reason));
            let mut done = completion(&claim("key", NOW));
            done.data = Some(Data::Text("result".to_owned()));
            let error = store(&proxy, via).complete(&done).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::ResultTooLarge);
            assert_eq!(error.to_string(), "table `orders` does not take the result");
            assert!(with_causes(&error).contains(reason), "{}", with_causes(&error));
        }
    }
}
