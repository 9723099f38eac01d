//! The requests are those of the Python toolkit, with an owner.

use powertools::idempotency::DynamoDbStoreBuilder as Builder;
use powertools::idempotency::{Claim, Outcome};
use powertools::idempotency::{Data, DynamoDbStore, EpochMillis, EpochSeconds, Json, Key, Store};
use powertools::testing::store_suite::{claim, completion, read, release, renewal};
use powertools_tests::proxy::Proxy;
use powertools_tests::vectors::{python_flows, resolve_times};
use powertools_tests::via::Via;
use serde_json::{Map, Value, json};

use super::{NOW, store};

const IS_HELD: &str = "#owner = :owner AND #status = :inprogress";

#[tokio::test]
async fn requests_are_those_of_the_python_toolkit() {
    for case in python_flows() {
        let calls: Vec<(String, Value)> =
            case["calls"].as_array().unwrap().iter().map(call).collect();
        if let [(_, put), rest @ ..] = &calls[..] {
            for via in Via::ALL {
                check(via, case["name"].as_str().unwrap(), &case["table"], put, rest).await;
            }
        }
    }
}

/// Makes the requests of a case and compares them.
async fn check(via: Via, name: &str, table: &Value, put: &Value, rest: &[(String, Value)]) {
    let proxy = Proxy::alone().await;
    let builder = via.builder(proxy.endpoint(), put["TableName"].as_str().unwrap());
    let store = python_store(builder, table, put);
    let claim = claim_of(table, put);
    let owner = json!({ "S": claim.owner.as_str() });
    let owner_attribute = "owner";

    assert_eq!(store.claim(&claim).await.unwrap(), Outcome::Applied);
    let mut sent = proxy.captured().remove(0).body;
    assert_eq!(sent["Item"].as_object_mut().unwrap().remove(owner_attribute), Some(owner.clone()));
    assert_eq!(&sent, put, "{name}");

    for (position, (operation, expected)) in rest.iter().enumerate() {
        let outcome = match operation.as_str() {
            "UpdateItem" => {
                let values = &expected["ExpressionAttributeValues"];
                let mut completion = completion(&claim);
                completion.expiration = EpochSeconds(number(&values[":expiry"]));
                completion.data = Some(Data::Text(text(&values[":response_data"])));
                store.complete(&completion).await
            }
            "DeleteItem" => store.release(&release(&claim)).await,
            other => panic!("{name}: an unknown operation {other}"),
        };
        assert_eq!(outcome.unwrap(), Outcome::Applied);

        let sent = proxy.captured().remove(1 + position);
        assert_eq!(&sent.operation, operation, "{name}");
        let mut sent = sent.body;
        take_fence(&mut sent, &owner, operation);
        assert_eq!(&sent, expected, "{name}");
    }
}

/// Takes out what ours adds: the owner, its condition, the request for the old item, and what shows that a
/// completion is ours.
pub(crate) fn take_fence(request: &mut Value, owner: &Value, operation: &str) {
    let request = request.as_object_mut().unwrap();
    assert_eq!(request.remove("ConditionExpression"), Some(json!(IS_HELD)));
    assert_eq!(request.remove("ReturnValuesOnConditionCheckFailure"), Some(json!("ALL_OLD")));
    let mut take = |part: &str, name: &str| {
        let members = request.get_mut(part).and_then(Value::as_object_mut).unwrap();
        members.remove(name)
    };
    assert_eq!(take("ExpressionAttributeNames", "#owner"), Some(json!("owner")));
    assert_eq!(&take("ExpressionAttributeValues", ":owner").unwrap(), owner);
    let status = take("ExpressionAttributeValues", ":inprogress");
    assert_eq!(status, Some(json!({ "S": "INPROGRESS" })));
    if operation == "UpdateItem" {
        assert!(take("ExpressionAttributeNames", "#in_progress_expiry").is_some());
        let update = request["UpdateExpression"].as_str().unwrap();
        let theirs = update.strip_suffix(" REMOVE #in_progress_expiry").unwrap();
        request["UpdateExpression"] = json!(theirs);
    }
    if operation == "DeleteItem" {
        // Python's has none: its placeholders are only for the condition.
        let names = request.remove("ExpressionAttributeNames").unwrap();
        assert_eq!(names.as_object().unwrap().keys().collect::<Vec<_>>(), ["#status"]);
        assert_eq!(request.remove("ExpressionAttributeValues"), Some(json!({})));
    }
}

#[tokio::test]
async fn values_are_written_in_types_of_dynamodb() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let claim = claim("key", NOW);
        let mut done = completion(&claim);
        let member = |name: &str, value| (name.to_owned(), value);
        done.data = Some(Data::Value(Json::Object(vec![
            member("list", Json::Array(vec![Json::Null, Json::Bool(true)])),
            member("text", Json::String("1".to_owned())),
        ])));
        let _ = store(&proxy, via).complete(&done).await.unwrap();

        let values = &proxy.captured()[0].body["ExpressionAttributeValues"];
        let list = json!({ "L": [{ "NULL": true }, { "BOOL": true }] });
        let expected = json!({ "M": { "list": list, "text": { "S": "1" } } });
        assert_eq!(values[":response_data"], expected);
    }
}

#[tokio::test]
async fn a_completion_writes_the_reason_where_the_result_would_be() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let mut done = completion(&claim("key", NOW));
        done.not_stored = Some("too large".to_owned());
        let _ = store(&proxy, via).complete(&done).await.unwrap();

        let request = &proxy.captured()[0].body;
        let expected = "SET #expiry = :expiry, #status = :status, #not_stored = :not_stored \
                        REMOVE #in_progress_expiry";
        assert_eq!(request["UpdateExpression"], expected);
        assert_eq!(request["ExpressionAttributeNames"]["#not_stored"], "not_stored");
        assert_eq!(
            request["ExpressionAttributeValues"][":not_stored"],
            json!({ "S": "too large" })
        );
    }
}

#[tokio::test]
async fn a_renewal_moves_both_times_forwards_only() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let claim = claim("key", NOW);
        let _ = store(&proxy, via).renew(&renewal(&claim)).await.unwrap();

        let request = &proxy.captured()[0].body;
        let condition = format!("{IS_HELD} AND #in_progress_expiry < :in_progress_expiry");
        assert_eq!(request["ConditionExpression"], condition);
        let update = "SET #in_progress_expiry = :in_progress_expiry, #expiry = :expiry";
        assert_eq!(request["UpdateExpression"], update);
        assert_eq!(request["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        let values = &request["ExpressionAttributeValues"];
        assert_eq!(values[":in_progress_expiry"]["N"], (claim.lease_end.0 + 30_000).to_string());
        assert_eq!(values[":expiry"]["N"], (claim.expiration.0 + 1).to_string());
    }
}

#[tokio::test]
async fn reads_are_consistent() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        assert_eq!(store(&proxy, via).read(&read("key")).await.unwrap(), None);
        let expected = json!({ "TableName": "orders", "Key": { "id": { "S": "key" } }, "ConsistentRead": true });
        assert_eq!(proxy.captured()[0].body, expected);
    }
}

/// The name and the body of a recorded call, with [`NOW`] for its time.
fn call(call: &Value) -> (String, Value) {
    let mut body = call["request"].clone();
    resolve_times(&mut body, NOW.0);
    (call["operation"].as_str().unwrap().to_owned(), body)
}

/// The store with the names that `table` configures. `put` has the partition, where there is one.
pub(crate) fn python_store(mut builder: Builder, table: &Value, put: &Value) -> DynamoDbStore {
    for (option, name) in table.as_object().unwrap_or(&Map::new()) {
        let name = name.as_str().unwrap();
        builder = match option.as_str() {
            "key_attr" => builder.key_attribute(name),
            // The default has the function's name, which the environment of a test lacks.
            "sort_key_attr" => {
                let partition = &put["Item"][table["key_attr"].as_str().unwrap()];
                builder.sort_key_attribute(name).partition_value(text(partition))
            }
            "static_pk_value" => builder.partition_value(name),
            "expiry_attr" => builder.expiration_attribute(name),
            "in_progress_expiry_attr" => builder.in_progress_expiration_attribute(name),
            "status_attr" => builder.status_attribute(name),
            "data_attr" => builder.data_attribute(name),
            "validation_key_attr" => builder.validation_attribute(name),
            other => panic!("an unknown option {other}"),
        };
    }
    builder.build().unwrap()
}

/// The claim that makes the request `put`.
fn claim_of(table: &Value, put: &Value) -> Claim {
    let item =
        |option: &str, default: &str| &put["Item"][table[option].as_str().unwrap_or(default)];
    let key = match item("sort_key_attr", "") {
        Value::Null => item("key_attr", "id"),
        sort_key => sort_key,
    };
    let mut claim = claim(Key::from(text(key)), NOW);
    claim.expiration = EpochSeconds(number(item("expiry_attr", "expiration")));
    claim.lease_end =
        EpochMillis(number(item("in_progress_expiry_attr", "in_progress_expiration")));
    claim.validation = item("validation_key_attr", "validation")["S"].as_str().map(str::to_owned);
    claim
}

fn text(attribute: &Value) -> String {
    attribute["S"].as_str().unwrap().to_owned()
}

fn number(attribute: &Value) -> u64 {
    attribute["N"].as_str().unwrap().parse().unwrap()
}
