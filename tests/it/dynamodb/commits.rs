//! Commits on DynamoDB: one request, its refusals, and what is lost on the way.

use std::time::Duration;

use aws_sdk_dynamodb::types;
use http::StatusCode;
use powertools::Clock;
use powertools::idempotency::transaction::{AttributeValue, Check, Delete, Item, Put, Update};
use powertools::idempotency::{Commit, DynamoDbStore, Error, Idempotency, OnMissingKey};
use powertools::testing::invocation;
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use powertools_tests::proxy::{Fault, Proxy};
use powertools_tests::via::Via;
use serde_json::{Value, json};

use super::keep_connection;

const SECOND: Duration = Duration::from_secs(1);

/// An order of a lamp, whose stock is in the same table.
fn order(table: &str) -> Commit<String> {
    let order = Item::new().set("id", "order-7");
    Commit::new("placed".to_owned())
        .put(Put::new(table, order).if_absent("id"))
        .update(Update::new(table, Item::new().set("id", "lamp")).add("count", -1).if_exists("id"))
}

async fn place(store: DynamoDbStore, commit: Commit<String>) -> Result<String, Error> {
    let idempotency = Idempotency::new(store).unwrap();
    idempotency.operation("place").key("order-7").unwrap().commit(async { Ok(commit) }).await
}

/// Emulators that have transactions, each with a table for records and one with a lamp.
async fn shops() -> Vec<(Emulator, String, String)> {
    let mut shops = Vec::new();
    for emulator in Emulator::all().into_iter().filter(Emulator::has_transactions) {
        let (records, shop) =
            (emulator.create_table(&["id"]).await, emulator.create_table(&["id"]).await);
        let lamp = json!({ "id": { "S": "lamp" }, "count": { "N": "3" } });
        items::put(&emulator.client(), &shop, &lamp).await;
        shops.push((emulator, records, shop));
    }
    shops
}

/// How many lamps are left, and how many orders there are.
async fn state(emulator: &Emulator, shop: &str) -> (String, usize) {
    let all = items::all(&emulator.client(), shop).await;
    let is_lamp = |item: &&Value| item["id"]["S"] == "lamp";
    let lamp = all.iter().find(is_lamp).expect("the lamp is there");
    (lamp["count"]["N"].as_str().expect("a number").to_owned(), all.len() - 1)
}

/// An error and its causes, as people see them.
fn with_causes(error: &Error) -> String {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_commit_is_one_transaction_after_the_claim() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        place(super::store(&proxy, via), order("shop")).await.unwrap();
        assert_eq!(proxy.operations(), ["PutItem", "TransactWriteItems"]);
        let body = &proxy.captured()[1].body;
        assert_eq!(body["ClientRequestToken"].as_str().map(str::len), Some(32));
        let actions = body["TransactItems"].as_array().unwrap();
        assert_eq!(actions.len(), 3);
        let own = &actions[0]["Update"];
        assert_eq!(own["ConditionExpression"], "#owner = :owner AND #status = :inprogress");
        let put = &actions[1]["Put"];
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(#pt0)");
        assert_eq!(put["ExpressionAttributeNames"], json!({ "#pt0": "id" }));
        let update = &actions[2]["Update"];
        assert_eq!(update["UpdateExpression"], "ADD #pt1 :pt2");
        for action in [own, put, update] {
            assert_eq!(action["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
        }
    }
}

#[tokio::test]
async fn effects_and_record_are_written_once() {
    for (emulator, records, shop) in shops().await {
        for _ in 0..2 {
            let store = emulator.store(&records);
            assert_eq!(place(store, order(&shop)).await.unwrap(), "placed", "{}", emulator.name());
        }
        assert_eq!(state(&emulator, &shop).await, ("2".to_owned(), 1), "{}", emulator.name());
    }
}

#[tokio::test]
async fn a_commit_completes_the_record_in_its_shard() {
    for (emulator, _, shop) in shops().await {
        let records = emulator.create_table(&["pk", "sk"]).await;
        let store = || {
            let builder = emulator.store_builder(&records).key_attribute("pk");
            let builder = builder.sort_key_attribute("sk").partition_value("orders");
            builder.partition_shards(8).build().unwrap()
        };
        for _ in 0..2 {
            let placed = place(store(), order(&shop)).await.unwrap();
            assert_eq!(placed, "placed", "{}", emulator.name());
        }
        assert_eq!(state(&emulator, &shop).await, ("2".to_owned(), 1), "{}", emulator.name());
        let records = items::all(&emulator.client(), &records).await;
        let [record] = &records[..] else { panic!("{records:#?}") };
        assert_eq!(record["status"]["S"], "COMPLETED");
        assert!(record["pk"]["S"].as_str().unwrap().starts_with("orders#"), "{record}");
    }
}

#[tokio::test]
async fn a_lost_reply_is_read_from_the_own_record() {
    for (emulator, records, shop) in shops().await {
        let proxy = Proxy::before(emulator.endpoint()).await;
        proxy.next("TransactWriteItems", Fault::DropReply);
        proxy.next("TransactWriteItems", Fault::DropReply);
        let store = emulator.via().store(proxy.endpoint(), &records);
        assert_eq!(place(store, order(&shop)).await.unwrap(), "placed", "{}", emulator.name());
        assert_eq!(state(&emulator, &shop).await, ("2".to_owned(), 1), "{}", emulator.name());
    }
}

/// The other toolkits complete a record by its key alone. That is no sign that the writes of a commit were applied.
#[tokio::test]
async fn a_completion_by_another_toolkit_is_no_success_of_a_commit() {
    for (emulator, records, shop) in shops().await {
        let work = async {
            let [claim] = &items::all(&emulator.client(), &records).await[..] else {
                panic!("there is one record")
            };
            let theirs = emulator
                .client()
                .update_item()
                .table_name(&records)
                .set_key(Some(items::from_json(&json!({ "id": claim["id"] }))))
                .update_expression("SET #data = :data, #expiry = :expiry, #status = :status")
                .expression_attribute_names("#data", "data")
                .expression_attribute_names("#expiry", "expiration")
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":data", text(r#""theirs""#))
                .expression_attribute_values(":status", text("COMPLETED"))
                .expression_attribute_values(
                    ":expiry",
                    types::AttributeValue::N(claim["expiration"]["N"].as_str().unwrap().into()),
                );
            theirs.send().await.unwrap();
            Ok::<_, Error>(order(&shop))
        };
        let idempotency = Idempotency::new(emulator.store(&records)).unwrap();
        let placed = idempotency.operation("place").key("order-7").unwrap().commit(work).await;
        let name = emulator.name();
        assert!(matches!(placed, Err(Error::LeaseLost { .. })), "{name}: {placed:?}");
        assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 0), "{name}");
        let replayed = place(emulator.store(&records), order(&shop)).await;
        assert_eq!(replayed.unwrap(), "theirs", "{name}");
    }
}

fn text(text: &str) -> types::AttributeValue {
    types::AttributeValue::S(text.to_owned())
}

/// Its condition is the claim, which its own release or another invocation has ended by then.
#[tokio::test]
async fn a_commit_that_arrives_after_it_was_given_up_has_no_effect() {
    for (emulator, records, shop) in shops().await {
        for is_released in [true, false] {
            let proxy = Proxy::before(emulator.endpoint()).await;
            proxy.next("TransactWriteItems", Fault::Late);
            // It ends: with its result, after the lost answer and again, and without.
            for _ in 0..3 {
                let invalid = Fault::Refuse("ValidationException", "as the test has it");
                proxy.next("TransactWriteItems", invalid);
            }
            if !is_released {
                proxy.next("DeleteItem", Fault::Refuse("AccessDeniedException", "not now"));
            }
            let store = emulator.via().store(proxy.endpoint(), &records);
            let own = invocation().remaining(30 * SECOND).build();
            let error = own.scope(place(store, order(&shop))).await.unwrap_err();
            let is_expected = match &error {
                Error::CommitInvalid { .. } => is_released,
                Error::CommitUnknown { .. } => !is_released,
                _ => false,
            };
            assert!(is_expected, "{}: {error:?}", emulator.name());
            assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 0), "{}", emulator.name());
            assert_eq!(items::all(&emulator.client(), &records).await.is_empty(), is_released);

            // Another invocation takes the claim over when its lease has ended.
            let mut expected = ("3".to_owned(), 0);
            if !is_released {
                let later = Clock::from_fn(|| Clock::system().now() + 60 * SECOND);
                let other = invocation().clock(later).remaining(30 * SECOND).build();
                let placed = other.scope(place(emulator.store(&records), order(&shop))).await;
                assert_eq!(placed.unwrap(), "placed", "{}", emulator.name());
                expected = ("2".to_owned(), 1);
            }
            proxy.deliver_late().await;
            assert_eq!(state(&emulator, &shop).await, expected, "{}", emulator.name());
        }
    }
}

#[tokio::test]
async fn a_refused_condition_returns_the_item_and_releases_the_claim() {
    for (emulator, records, shop) in shops().await {
        let taken = json!({ "id": { "S": "order-7" }, "by": { "S": "another" } });
        items::put(&emulator.client(), &shop, &taken).await;
        let store = emulator.store(&records);
        let error = place(store, order(&shop)).await.unwrap_err();
        let Error::TransactionRefused { index: 0, item: Some(item) } = error else {
            panic!("{}: {error:?}", emulator.name())
        };
        assert_eq!(item.get("by"), Some(&"another".into()));
        assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 1));
        assert!(items::all(&emulator.client(), &records).await.is_empty());
    }
}

#[tokio::test]
async fn the_first_of_two_refused_conditions_is_reported() {
    for (emulator, records, shop) in shops().await {
        let taken = json!({ "id": { "S": "order-7" }, "by": { "S": "another" } });
        items::put(&emulator.client(), &shop, &taken).await;
        let id = |id: &str| Item::new().set("id", id);
        let commit = Commit::new("never".to_owned())
            .check(Check::new(&shop, id("lamp")).if_exists("count"))
            .put(Put::new(&shop, id("order-7")).if_absent("id"))
            .delete(Delete::new(&shop, id("rug")).if_exists("id"));
        let error = place(emulator.store(&records), commit).await.unwrap_err();
        let Error::TransactionRefused { index: 1, item: Some(item) } = error else {
            panic!("{}: {error:?}", emulator.name())
        };
        assert_eq!(item.get("by"), Some(&"another".into()));
        assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 1));
    }
}

#[tokio::test]
async fn a_commit_that_the_service_rejects_applies_nothing_and_is_released() {
    for (emulator, records, shop) in shops().await {
        let id = |value: AttributeValue| Item::new().set("id", value);
        let wide = "x".repeat(380 * 1024);
        let large = json!({ "id": { "S": "large" }, "a": { "S": wide } });
        items::put(&emulator.client(), &shop, &large).await;
        let growing = Update::new(&shop, id("large".into())).set("b", "x".repeat(40 * 1024));
        let writes = [
            order(&shop).put(Put::new("no-such-table", id("x".into()))),
            order(&shop).put(Put::new(&shop, id(7.into()))),
            order(&shop).update(growing),
        ];
        for (at, commit) in writes.into_iter().enumerate() {
            let store = emulator.store(&records);
            let error = place(store, commit).await.unwrap_err();
            let expected =
                ["Powertools.IdempotencyStoreNotFound", "Powertools.IdempotencyCommitInvalid"];
            assert_eq!(error.error_type(), expected[at.min(1)], "{}: {error:?}", emulator.name());
            assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 1), "{}", emulator.name());
            assert!(items::all(&emulator.client(), &records).await.is_empty());
        }
    }
}

/// The most that the items of a transaction may have together, in bytes.
const TRANSACTION: usize = 4 * 1024 * 1024;

/// The record is one of them. DynamoDB Local counts the text of expressions, too, and what they
/// refer to; AWS's documentation names the items only.
#[tokio::test]
async fn a_commit_over_4_mb_is_not_sent_and_one_that_the_service_rejects_applies_nothing() {
    for (emulator, records, shop) in shops().await {
        if !emulator.limits_transactions() {
            continue;
        }
        let fill = async |bytes| {
            let commit = filled(&shop, bytes, "placed");
            place(emulator.store(&records), commit).await
        };
        // As if nothing but the items counted.
        let counted = refusal(fill(TRANSACTION).await);
        let counted = counted.split(' ').find_map(|word| word.parse::<usize>().ok());
        let own = counted.expect("the number of bytes") - TRANSACTION;
        for (bytes, sent) in [(TRANSACTION - own + 1, false), (TRANSACTION - own, true)] {
            let reason = refusal(fill(bytes).await);
            let expected = if sent { "DynamoDB rejects the commit" } else { "have 4194305 bytes" };
            assert!(reason.contains(expected), "{reason}");
            assert_eq!(state(&emulator, &shop).await, ("3".to_owned(), 0));
            assert!(items::all(&emulator.client(), &records).await.is_empty());
        }
        assert_eq!(fill(TRANSACTION - own - 512).await.unwrap(), "placed");
    }
}

#[tokio::test]
async fn a_result_that_the_transaction_has_no_room_for_is_left_out() {
    for (emulator, records, shop) in shops().await {
        if !emulator.limits_transactions() {
            continue;
        }
        let result = "x".repeat(10_000);
        let commit = filled(&shop, TRANSACTION - 2_000, &result);
        assert_eq!(place(emulator.store(&records), commit).await.unwrap(), result);
        let again = place(emulator.store(&records), order(&shop)).await;
        assert!(matches!(again, Err(Error::ResultNotStored { .. })), "{again:?}");
    }
}

const ITEMS: usize = 11;

/// A commit of new items that have this many bytes together.
fn filled(table: &str, bytes: usize, result: &str) -> Commit<String> {
    (0..ITEMS).fold(Commit::new(result.to_owned()), |commit, at| {
        let size = bytes / ITEMS + usize::from(at < bytes % ITEMS);
        let id = format!("item-{at:02}");
        let rest = "x".repeat(size - "id".len() - id.len() - "rest".len());
        commit.put(Put::new(table, Item::new().set("id", id).set("rest", rest)))
    })
}

/// Why a commit is invalid.
fn refusal(result: Result<String, Error>) -> String {
    match result {
        Err(Error::CommitInvalid { reason }) => reason,
        other => panic!("{other:?}"),
    }
}

/// The answer to a transaction that was cancelled for these reasons, one for each action.
fn cancelled(reasons: &[&str]) -> Fault {
    let codes: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled [{}]", reasons.join(", ")),
        "CancellationReasons": codes,
    });
    Fault::Reply(StatusCode::BAD_REQUEST, body)
}

/// Without a record, an earlier request that was not answered can still be applied after a later one was refused.
#[tokio::test]
async fn a_refusal_is_final_without_a_key_unless_an_earlier_request_is_in_doubt() {
    let conflict = || cancelled(&["TransactionConflict", "None"]);
    for via in Via::ALL {
        for (first, is_kept, is_final) in [
            (conflict(), false, true),
            (Fault::Throttle, false, true),
            (Fault::Close, false, false),
            (Fault::Close, true, false),
        ] {
            let proxy = Proxy::alone().await;
            let store = super::store(&proxy, via);
            if is_kept {
                keep_connection(&store).await;
            }
            proxy.next("TransactWriteItems", first.clone());
            for _ in 0..2 {
                let refused = cancelled(&["ConditionalCheckFailed", "None"]);
                proxy.next("TransactWriteItems", refused);
            }
            let options = Idempotency::builder(store);
            let options = options.on_missing_key(OnMissingKey::Bypass).build().unwrap();
            let call = options.operation("place").key("").unwrap();
            let error = call.commit(async { Ok::<_, Error>(order("shop")) }).await.unwrap_err();
            let is_expected = match &error {
                Error::TransactionRefused { index: 0, .. } => is_final,
                Error::CommitUnknown { key: None, .. } => !is_final,
                _ => false,
            };
            assert!(is_expected, "{via:?}, {first:?}, kept: {is_kept}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_conflict_is_retried_with_the_same_token() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let conflict = cancelled(&["None", "TransactionConflict", "None"]);
        proxy.next("TransactWriteItems", conflict);
        proxy.next("TransactWriteItems", Fault::Throttle);
        proxy.next("TransactWriteItems", Fault::Refuse("TransactionInProgressException", ""));
        place(super::store(&proxy, via), order("shop")).await.unwrap();
        let sent: Vec<_> = proxy
            .captured()
            .into_iter()
            .filter(|it| it.operation == "TransactWriteItems")
            .collect();
        assert_eq!(sent.len(), 4);
        let token = |at: usize| sent[at].body["ClientRequestToken"].clone();
        assert!((0..4).all(|at| token(at) == token(0)));
    }
}

#[tokio::test]
async fn errors_contain_nothing_of_the_items() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let message = "1 validation error detected: Value '[TransactWriteItem(4111-card)]'";
        for _ in 0..2 {
            proxy.next("TransactWriteItems", Fault::Refuse("ValidationException", message));
        }
        let error = place(super::store(&proxy, via), order("shop")).await.unwrap_err();
        let chain = with_causes(&error);
        assert!(!format!("{error:?} {chain}").contains("4111"), "{error:?}");
        assert_eq!(error.error_type(), "Powertools.IdempotencyCommitInvalid");
        assert_eq!(proxy.operations().last().map(String::as_str), Some("DeleteItem"));
    }
}

#[tokio::test]
async fn a_write_on_the_record_itself_is_never_sent() {
    for via in Via::ALL {
        for table in ["orders", "arn:aws:dynamodb:eu-central-1:1:table/orders"] {
            let proxy = Proxy::alone().await;
            let idempotency = Idempotency::new(super::store(&proxy, via)).unwrap();
            let call = idempotency.operation("place").key("order-7").unwrap();
            let key = Item::new().set("id", call.derived_key().unwrap().as_str());
            let commit = Commit::new(()).update(Update::new(table, key).remove("owner"));
            let error = call.commit(async { Ok::<_, Error>(commit) }).await.unwrap_err();
            assert_eq!(error.error_type(), "Powertools.IdempotencyCommitInvalid");
            assert_eq!(proxy.operations(), ["PutItem", "DeleteItem"]);
        }
    }
}

#[tokio::test]
async fn a_denied_table_is_an_error_that_names_the_actions() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        proxy.next("TransactWriteItems", Fault::Refuse("AccessDeniedException", "no 4111"));
        let error = place(super::store(&proxy, via), order("shop")).await.unwrap_err();
        assert_eq!(error.error_type(), "Powertools.IdempotencyStoreAccessDenied");
        let chain = with_causes(&error);
        assert!(
            chain.contains("dynamodb:ConditionCheckItem") && !chain.contains("4111"),
            "{chain}"
        );
    }
}

#[tokio::test]
async fn writes_of_the_sdk_are_sent_as_they_are() {
    for via in Via::ALL {
        let proxy = Proxy::alone().await;
        let put = types::Put::builder()
            .table_name("shop")
            .item("id", types::AttributeValue::S("order-7".to_owned()))
            .item("tags", types::AttributeValue::Ss(vec!["a".to_owned()]))
            .condition_expression("attribute_not_exists(#i)")
            .expression_attribute_names("#i", "id")
            .build()
            .unwrap();
        let update = types::Update::builder()
            .table_name("shop")
            .key("id", types::AttributeValue::S("lamp".to_owned()))
            .update_expression("ADD #c :one")
            .expression_attribute_names("#c", "count")
            .expression_attribute_values(":one", types::AttributeValue::N("-1".to_owned()))
            .build()
            .unwrap();
        let commit = Commit::new(String::new()).put(put).update(update);
        place(super::store(&proxy, via), commit).await.unwrap();
        let sent = proxy.captured().remove(1).body["TransactItems"].take();
        let (put, update) = (&sent[1]["Put"], &sent[2]["Update"]);
        assert_eq!(put["Item"], json!({ "id": { "S": "order-7" }, "tags": { "SS": ["a"] } }));
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(#i)");
        assert_eq!(update["UpdateExpression"], "ADD #c :one");
        assert_eq!(update["ExpressionAttributeValues"], json!({ ":one": { "N": "-1" } }));
    }
}

/// Nothing tells whether the first attempt was applied, but one with the same token.
#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_written() {
    for via in Via::ALL {
        let commit = async |is_kept: bool, refusals: usize| {
            let proxy = Proxy::alone().await;
            let store = super::store(&proxy, via);
            if is_kept {
                keep_connection(&store).await;
            }
            proxy.next("TransactWriteItems", Fault::Close);
            for _ in 0..refusals {
                proxy.next("TransactWriteItems", Fault::Refuse("ExpiredTokenException", "old"));
            }
            let idempotency = Idempotency::builder(store);
            let idempotency = idempotency.on_missing_key(OnMissingKey::Bypass).build().unwrap();
            let call = idempotency.operation("place").key("").unwrap();
            let result = call.commit(async { Ok::<_, Error>(order("shop")) }).await;
            (result, proxy.operations().split_off(usize::from(is_kept)))
        };
        for is_kept in [false, true] {
            let (result, sent) = commit(is_kept, 1).await;
            assert_eq!(result.unwrap(), "placed", "{via:?}, kept: {is_kept}");
            assert_eq!(sent, ["TransactWriteItems"; 3]);
            let (result, _) = commit(is_kept, 5).await;
            let error = result.unwrap_err();
            assert!(matches!(error, Error::CommitUnknown { key: None, .. }), "{via:?}: {error:?}");
        }
    }
}
