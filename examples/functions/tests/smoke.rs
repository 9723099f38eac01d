//! Runs each function as a process, with an event of its source.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use powertools::feature_flags;
use powertools::idempotency::{self, Key, StoreError, StoreErrorKind};
use powertools::testing::events::{self, KinesisRecord, SqsMessage};
use powertools::testing::{Event, FakeRuntime, FunctionProcess};
use serde_json::{Value, json};

#[tokio::test]
async fn orders_charges_an_order_once() {
    let (lambda, _function) = start(env!("CARGO_BIN_EXE_orders"));
    let order = json!({ "order_id": "o-1", "amount": 100 });
    let first = lambda.invoke(order.clone()).await.json::<Value>();
    assert_eq!(first["charged"], 100);
    assert_eq!(lambda.invoke(order).await.json::<Value>(), first);

    let other = lambda.invoke(json!({ "order_id": "o-1", "amount": 250 })).await;
    assert_eq!(other.error_type(), Some("Powertools.IdempotencyPayloadChanged"));
}

#[tokio::test]
async fn place_order_places_an_order_once() {
    let (lambda, _function) = start(env!("CARGO_BIN_EXE_place-order"));
    let order = json!({ "id": "o-1", "amount": 100 });
    for _ in 0..2 {
        let reply = lambda.invoke(order.clone()).await.json::<Value>();
        assert_eq!(reply, json!({ "order_id": "o-1" }));
    }
}

#[tokio::test]
async fn outbox_sender_sends_rows_that_are_written_and_not_those_that_are_removed() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_outbox-sender"));
    let key = json!({ "id": "o-1#placed" });
    let row = json!({ "id": "o-1#placed", "order_id": "o-1", "amount": 100 });
    let changes = events::dynamodb("outbox").insert(key.clone(), row.clone()).remove(key, row);
    let reply = lambda.invoke(changes.build()).await.json::<Value>();
    assert_eq!(reply, json!({ "batchItemFailures": [] }));
    assert!(function.stdout_line("\"sent\"").await.unwrap().contains("o-1#placed"));
}

#[tokio::test]
async fn sqs_orders_reports_the_message_that_failed() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_sqs-orders"));
    let order = |id: &str, amount: u64| {
        SqsMessage::from(json!({ "id": id, "amount": amount })).id(format!("m-{id}"))
    };
    let messages = events::sqs("orders")
        .message(order("o-1", 100))
        .message(SqsMessage::from("not JSON").id("m-bad"))
        .message(order("o-2", 0)); // set aside
    let reply = lambda.invoke(messages.build()).await.json::<Value>();
    assert_eq!(reply, json!({ "batchItemFailures": [{ "itemIdentifier": "m-bad" }] }));
    let line = function.stdout_line("\"OrdersCharged\":1").await.expect("it is measured");
    assert!(line.contains(r#""AmountCharged":100"#), "{line}");
}

#[tokio::test]
async fn fifo_ledger_stops_only_the_account_that_failed() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_fifo-ledger"));
    let entry = |id: &str, account: &str, body: &str| SqsMessage::from(body).id(id).group(account);
    let messages = events::sqs("ledger.fifo")
        .message(entry("a-1", "a", "{}")) // has no amount
        .message(entry("a-2", "a", r#"{"cents":5}"#))
        .message(entry("b-1", "b", r#"{"cents":7}"#));
    let reply = lambda.invoke(messages.build()).await.json::<Value>();
    let failed = json!([{ "itemIdentifier": "a-1" }, { "itemIdentifier": "a-2" }]);
    assert_eq!(reply["batchItemFailures"], failed);
    assert!(function.stdout_line(r#""cents":7"#).await.is_some());
}

#[tokio::test]
async fn kinesis_clicks_skips_a_record_that_cannot_be_parsed() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_kinesis-clicks"));
    let records = events::kinesis("clicks")
        .record(KinesisRecord::json("ada", json!({ "page": "/" })))
        .record(KinesisRecord::new("ada", "not JSON"))
        .record(KinesisRecord::json("bob", json!({ "page": "/" })));
    let reply = lambda.invoke(records.build()).await.json::<Value>();
    assert_eq!(reply, json!({ "batchItemFailures": [] }));
    assert!(function.stdout_line("counted").await.unwrap().contains(r#"\"/\": 2"#));
}

#[tokio::test]
async fn stream_projector_follows_the_changes_of_the_table() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_stream-projector"));
    let key = json!({ "sku": "mug" });
    let item = |stock: u32| json!({ "sku": "mug", "stock": stock });
    let changes = events::dynamodb("items")
        .insert(key.clone(), item(3))
        .modify(key.clone(), item(3), item(0))
        .remove(key, item(0));
    let reply = lambda.invoke(changes.build()).await.json::<Value>();
    assert_eq!(reply, json!({ "batchItemFailures": [] }));
    assert!(function.stdout_line(r#""message":"show""#).await.is_some());
    assert!(function.stdout_line(r#""message":"hide""#).await.is_some());
}

#[tokio::test]
async fn http_api_maps_errors_to_their_status() {
    let (lambda, _function) = start(env!("CARGO_BIN_EXE_http-api"));
    let charge_as = async |caller: Option<&str>, path: &str, key: Option<&str>, amount: u64| {
        let mut request = events::api_gateway_v2("POST", path).json(json!({ "amount": amount }));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let mut event = request.build();
        if let Some(caller) = caller {
            event["requestContext"]["authorizer"] = json!({ "iam": { "userArn": caller } });
        }
        lambda.invoke(event).await.json::<Value>()
    };
    let charge = async |key, amount| charge_as(Some("ada"), "/charges", key, amount).await;
    let first = charge(Some("k-1"), 100).await;
    assert_eq!(first["statusCode"], 200);
    assert_eq!(first["body"], r#"{"charged":100}"#);
    assert_eq!(charge(Some("k-1"), 100).await["body"], first["body"]);
    assert_eq!(charge(Some("k-1"), 250).await["statusCode"], 422);
    assert_eq!(charge(None, 100).await["statusCode"], 400);

    // The same key of another caller, or for another resource, is another charge.
    let other_caller = charge_as(Some("bob"), "/charges", Some("k-1"), 250).await;
    assert_eq!(other_caller["body"], r#"{"charged":250}"#);
    let other_path = charge_as(Some("ada"), "/charges/2", Some("k-1"), 70).await;
    assert_eq!(other_path["body"], r#"{"charged":70}"#);
    let nobody = charge_as(None, "/charges", Some("k-1"), 100).await;
    assert_eq!(nobody["statusCode"], 500, "the route has lost its authorizer");
}

#[tokio::test]
async fn step_task_names_its_errors() {
    let (lambda, _function) = start(env!("CARGO_BIN_EXE_step-task"));
    let task = async |entered: &str, amount: u64| {
        let state = json!({ "Name": "Charge", "EnteredTime": entered });
        let context = json!({ "Execution": { "Id": "e-1" }, "State": state });
        let task = json!({ "context": context, "order_id": "o-1", "amount": amount });
        lambda.invoke(task).await
    };
    assert_eq!(task("t-1", 0).await.error_type(), Some("PaymentsDown"));
    assert_eq!(task("t-1", 100).await.json::<Value>(), json!({ "order_id": "o-1" }));
    assert_eq!(task("t-1", 0).await.json::<Value>(), json!({ "order_id": "o-1" }));
    assert_eq!(task("t-2", 20_000).await.error_type(), Some("CardDeclined"));

    let nameless = lambda.invoke(json!({ "context": {}, "order_id": "o-1", "amount": 1 })).await;
    assert_eq!(nameless.error_type(), Some("Powertools.IdempotencyKeyMissing"));
}

#[tokio::test]
async fn checkout_api_has_new_features_for_some_customers() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_checkout-api"));
    let checkout = async |tier: &str, number: &str| {
        let request = events::api_gateway_v2("GET", "/checkout");
        let request = request.query("tier", tier).query("number", number);
        lambda.invoke(request.build()).await.json::<Value>()
    };
    let premium = checkout("premium", "7").await;
    assert_eq!(premium["body"], r#"{"express":true,"discount_percent":20}"#);
    assert_eq!(checkout("basic", "7").await["body"], r#"{"express":false,"discount_percent":0}"#);
    assert_eq!(checkout("basic", "20").await["body"], r#"{"express":true,"discount_percent":0}"#);
    assert_eq!(checkout("basic", "").await["statusCode"], 400);
    let explained = r#"express_checkout is true by the rule \"one in ten\""#;
    assert!(function.stdout_line(explained).await.is_some());
}

#[test]
fn the_features_of_checkout_api_are_valid() {
    assert_eq!(feature_flags::check(include_str!("../features.json")), []);
}

#[tokio::test]
async fn nightly_import_imports_each_page_once_for_a_night() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_nightly-import"));
    let night =
        |time: &str| json!({ "schedule": { "schedule_arn": "s-1", "scheduled_time": time } });
    let import = |pages: u32| json!({ "pages": pages, "continues_with": null });
    assert_eq!(lambda.invoke(night("t-1")).await.json::<Value>(), import(4));
    assert!(function.stdout_line(r#""PricesImported":"#).await.is_some());
    // A retry imports nothing again; the next night does.
    assert_eq!(lambda.invoke(night("t-1")).await.json::<Value>(), import(0));
    assert_eq!(lambda.invoke(night("t-2")).await.json::<Value>(), import(4));
}

/// Except the errors of commits, which the task has none of.
#[test]
fn the_state_machine_retries_what_is_retryable() {
    use idempotency::Error;

    let key = || Key::from("k");
    let store = |kind| StoreError::new(kind, "");
    let stores = [
        StoreErrorKind::NotFound,
        StoreErrorKind::AccessDenied,
        StoreErrorKind::Invalid,
        StoreErrorKind::Throttled,
        StoreErrorKind::Timeout,
        StoreErrorKind::Malformed,
        StoreErrorKind::Other,
    ];
    let errors = [
        Error::KeyMissing { operation: String::new() },
        Error::PayloadChanged { key: key() },
        Error::InProgress { key: key(), until: None },
        Error::Contended { key: key() },
        Error::NoTime { remaining: Duration::ZERO },
        Error::OutOfTime { key: key() },
        Error::LeaseExpired { key: key() },
        Error::LeaseLost { key: key() },
        Error::RecordGone { key: key() },
        Error::NotSaved { key: key(), source: store(StoreErrorKind::Timeout) },
        Error::ResultNotStored { key: key(), reason: String::new() },
        Error::StatusUnknown { key: key(), status: String::new() },
        Error::Config(String::new()),
    ];
    let template = include_str!("../template.yaml");
    let retried = |name: &str| template.lines().any(|line| line.trim() == format!("- {name}"));
    for error in errors.into_iter().chain(stores.map(|kind| store(kind).into())) {
        assert_eq!(retried(error.error_type()), error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn nightly_import_continues_later_with_what_does_not_fit() {
    let (lambda, function) = start(env!("CARGO_BIN_EXE_nightly-import"));
    let night = json!({ "schedule": { "schedule_arn": "s-1", "scheduled_time": "t-1" } });
    let short = Event::new(night.clone()).timeout(Duration::from_millis(900));
    assert_eq!(lambda.invoke(short).await.error_type(), Some("Powertools.IdempotencyNoTime"));

    // Four pages take 1.6 s, and the last second of the time is kept.
    let event = Event::new(night).timeout(Duration::from_millis(2500));
    let first = lambda.invoke(event.clone()).await.json::<Value>();
    let next = first["continues_with"].as_u64().expect("not all pages fit");
    assert_eq!(first["pages"], next);
    let line = function.stdout_line("continue with this event").await.unwrap();
    let rest: Value = serde_json::from_str(&line).unwrap();
    let rest = rest["body"].as_str().unwrap();
    // A retry of the event does not send it again.
    assert_eq!(lambda.invoke(event).await.json::<Value>()["continues_with"], next);

    let message = events::sqs("rest.fifo").message(SqsMessage::from(rest).group("g"));
    let reply = lambda.invoke(message.build()).await.json::<Value>();
    assert_eq!(reply, json!({ "batchItemFailures": [] }));
    function.kill().await;
    let lines = function.stdout();
    let count = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!((count(r#""message":"imported""#), count("continue with this event")), (4, 1));
    // Of the secret, nothing is logged.
    assert_eq!((count("partner-user"), count("partner-password")), (0, 0));
}

#[tokio::test]
async fn portable_quotes_a_price() {
    let (lambda, _function) = start(env!("CARGO_BIN_EXE_portable"));
    let quote = lambda.invoke(json!({ "weight": 1_200 })).await;
    assert_eq!(quote.json::<Value>(), json!({ "price": 590 }));
    let heavy = lambda.invoke(json!({ "weight": 31_000 })).await;
    assert_eq!(heavy.diagnostic().unwrap().error_message, "a parcel of 31000 g is too heavy");
}

#[test]
fn portable_also_runs_as_a_plain_program() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_portable-cli"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(br#"{"weight": 1200}"#).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout, b"{\"price\":590}\n");
}

/// Starts a function with a fake Lambda service of its own. Its idempotency records are in memory.
fn start(binary: &str) -> (FakeRuntime, FunctionProcess) {
    let lambda = FakeRuntime::new();
    let function = lambda.spawn(Command::new(binary)).expect("the binary was built");
    (lambda, function)
}
