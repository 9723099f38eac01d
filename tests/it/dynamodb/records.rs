//! Records of other writers, and items that are not records.

use hyper::StatusCode;
use powertools::idempotency::Outcome;
use powertools::idempotency::{
    Data, EpochMillis, EpochSeconds, Json, Record, Status, Store, StoreError, StoreErrorKind,
};
use powertools::testing::store_suite::{claim, read};
use powertools_tests::emulators::Emulator;
use powertools_tests::proxy::{Fault, Proxy};
use powertools_tests::via::Via;
use serde_json::{Value, json};

use super::{NOW, store};

#[tokio::test]
async fn records_of_the_python_toolkit_are_read() {
    let item = json!({
        "id": { "S": "orders-fn.app.lambda_handler#cbcbdb948de16bfe7e49a81f91500ab1" },
        "expiration": { "N": "1800000000" },
        "in_progress_expiration": { "N": "1799996430500" },
        "status": { "S": "COMPLETED" },
        "data": { "S": r#"{"ok": true, "order_id": "o-1"}"# },
        "validation": { "S": "f899139df5e1059396431415e770c6dd" },
    });
    let mut expected = Record::new(Status::Completed);
    expected.expiration = Some(EpochSeconds(1_800_000_000));
    expected.in_progress_expiration = Some(EpochMillis(1_799_996_430_500));
    expected.data = Some(Data::Text(r#"{"ok": true, "order_id": "o-1"}"#.to_owned()));
    expected.validation = Some("f899139df5e1059396431415e770c6dd".to_owned());
    assert_eq!(read_item(item).await.unwrap(), Some(expected));
}

#[tokio::test]
async fn records_of_the_typescript_toolkit_are_read() {
    let completed = |data: Value| {
        let mut item = json!({
            "id": { "S": "my-fn#u2y1xo30ZSlByvZSo2by2A==" },
            "expiration": { "N": "1800000000" },
            "status": { "S": "COMPLETED" },
        });
        if !data.is_null() {
            item["data"] = data;
        }
        item
    };
    let number = |text: &str| Json::Number(text.parse().unwrap());
    let member = |name: &str, value| (name.to_owned(), value);
    let list = json!({ "L": [{ "NULL": true }, { "BOOL": false }, { "S": "" }] });
    let cases = [
        (Value::Null, None),
        (json!({ "S": "just text" }), Some(Data::Text("just text".to_owned()))),
        (json!({ "NULL": true }), Some(Data::Value(Json::Null))),
        (json!({ "BOOL": true }), Some(Data::Value(Json::Bool(true)))),
        (json!({ "N": "-1.50E+3" }), Some(Data::Value(number("-1.50E+3")))),
        (
            json!({ "M": { "n": { "N": "12345678901234567890123" }, "a": list, "m": { "M": {} } } }),
            Some(Data::Value(Json::Object(vec![
                member(
                    "a",
                    Json::Array(vec![Json::Null, Json::Bool(false), Json::String(String::new())]),
                ),
                member("m", Json::Object(Vec::new())),
                member("n", number("12345678901234567890123")),
            ]))),
        ),
    ];
    for (data, expected) in cases {
        let record = read_item(completed(data)).await.unwrap().unwrap();
        assert_eq!(record.data, expected);
        assert_eq!((record.in_progress_expiration, record.owner), (None, None));
    }
}

#[tokio::test]
async fn a_record_with_an_unknown_status_is_read_as_it_is() {
    let record = read_item(json!({ "status": { "S": "PAUSED" } })).await.unwrap().unwrap();
    assert_eq!(record, Record::new(Status::Other("PAUSED".to_owned())));
}

#[tokio::test]
async fn errors_name_attributes_of_wrong_types() {
    let cases = [
        ("status", json!({ "N": "1" }), "should have type S and has type N"),
        ("expiration", json!({ "S": "1800000000" }), "should have type N and has type S"),
        ("expiration", json!({ "N": "1800000000.5" }), "should be a whole number"),
        ("expiration", json!({ "N": "-1" }), "should be a whole number and is `-1`"),
        ("in_progress_expiration", json!({ "NULL": true }), "should have type N and has type NULL"),
        ("owner", json!({ "B": "b3duZXI=" }), "should have type S and has type B"),
        ("validation", json!({ "M": {} }), "should have type S and has type M"),
        ("not_stored", json!({ "BOOL": true }), "should have type S and has type BOOL"),
        (
            "data",
            json!({ "B": "AAEC" }),
            "should have type S, M, L, N, BOOL or NULL and has type B",
        ),
        ("data", json!({ "SS": ["a"] }), "has type SS; was it written by a newer version?"),
        ("data", json!({ "M": { "a": { "L": [{ "NS": ["1"] }] } } }), "holds a value of type NS"),
    ];
    for (attribute, value, expected) in cases {
        let mut item = json!({ "id": { "S": "key" }, "status": { "S": "COMPLETED" } });
        item[attribute] = value;
        let error = read_item(item).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Malformed);
        assert!(!error.is_retryable());
        let message = error.to_string();
        let place = format!("attribute `{attribute}` of record key in table `orders` ");
        assert!(message.starts_with(&place) && message.contains(expected), "{message}");
    }
}

#[tokio::test]
async fn the_error_of_a_record_without_a_status_names_it() {
    let error = read_item(json!({ "id": { "S": "key" } })).await.unwrap_err();
    let expected = "attribute `status` of record key in table `orders` is missing";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_malformed_record_in_the_way_of_a_claim_is_not_replaced() {
    use aws_sdk_dynamodb::types::AttributeValue::{B, S};

    for emulator in Emulator::all() {
        let table = emulator.create_table(&["id"]).await;
        let client = emulator.client();
        let data = B(aws_sdk_dynamodb::primitives::Blob::new([0_u8]));
        let put = client.put_item().table_name(&table).item("id", S("key".to_owned()));
        put.item("status", S("COMPLETED".to_owned())).item("data", data).send().await.unwrap();

        let store = emulator.store(table);
        let outcome = store.claim(&claim("key", NOW)).await;
        if emulator.returns_old_items() {
            assert_eq!(outcome.unwrap_err().kind(), StoreErrorKind::Malformed);
        } else {
            assert_eq!(outcome.unwrap(), Outcome::Refused(None));
        }
        let error = store.read(&read("key")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Malformed);
    }
}

/// Reads `item` from a table that holds nothing else, with both clients.
async fn read_item(item: Value) -> Result<Option<Record>, StoreError> {
    let proxy = Proxy::alone().await;
    let [sdk, lean] = Via::ALL.map(|via| {
        proxy.next("GetItem", Fault::Reply(StatusCode::OK, json!({ "Item": item })));
        store(&proxy, via)
    });
    let (sdk, lean) = (sdk.read(&read("key")).await, lean.read(&read("key")).await);
    let shown = |read: &Result<_, StoreError>| format!("{read:?}");
    assert_eq!(shown(&sdk), shown(&lean));
    sdk
}
