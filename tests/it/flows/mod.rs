//! Whole flows of the engine, against what the toolkits of other languages do.
//!
//! The Python toolkit was recorded at work. Ours makes the same requests in the same order, and
//! the caller gets the same.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use powertools::idempotency::{
    Builder, DynamoDbStore, Error, HashFunction, Idempotency, KeyCodec, OnMissingKey, Store,
};
use powertools::testing::{ManualClock, invocation};
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use powertools_tests::proxy::{Captured, Proxy};
use powertools_tests::vectors::{python_flows, resolve_times};
use serde_json::{Value, json};

use crate::dynamodb::requests::{python_store, take_fence};

mod replays;

/// The time of the work, in milliseconds. A whole second, since Python rounds down and this crate up.
pub(crate) const NOW: u64 = 1_800_000_000_000;

#[tokio::test]
async fn flows_are_those_of_the_python_toolkit() {
    let cases = python_flows();
    assert_eq!(cases.len(), 17);
    for emulator in Emulator::all() {
        for case in &cases {
            let mut case = case.clone();
            resolve_times(&mut case, NOW);
            let mut attempts = 0;
            while !check(&emulator, &case).await {
                attempts += 1;
                assert!(attempts < 5, "{} was slow each time", emulator.name());
            }
        }
    }
}

/// Returns false if a request was repeated, since the emulator took longer than an attempt may: how often
/// is not compared then.
async fn check(emulator: &Emulator, case: &Value) -> bool {
    let name = format!("{} on {}", case["name"], emulator.name());
    let key: &[&str] =
        if case["table"]["sort_key_attr"].is_null() { &["id"] } else { &["pk", "sk"] };
    let table = emulator.create_table(key).await;
    if !case["stored_item"].is_null() {
        items::put(&emulator.client(), &table, &case["stored_item"]).await;
    }
    let proxy = Proxy::before(emulator.endpoint()).await;
    let put = &case["calls"][0]["request"];
    let store = python_store(emulator.via().builder(proxy.endpoint(), &table), &case["table"], put);
    let idempotency = configure(Idempotency::builder(store), &case["config"]).build().unwrap();

    let runs = AtomicU32::new(0);
    let work = async {
        runs.fetch_add(1, Ordering::Relaxed);
        match case["raised"].as_str() {
            Some("ValueError") => Err(Failure::Handler),
            _ => Ok(case["returned"].clone()),
        }
    };
    let outcome = call(&idempotency, case, work).await;

    let raised = outcome.as_ref().err().map(Failure::python_name);
    assert_eq!(raised, case["raised"].as_str(), "{name}");
    assert_eq!(outcome.unwrap_or_default(), case["returned"], "{name}");

    let expected: Vec<_> = case["calls"].as_array().unwrap().iter().collect();
    // Python's handler ran if a second request shows it, or if nothing was protected.
    let ran = expected.len() == 2 || (expected.is_empty() && raised.is_none());
    assert_eq!(runs.into_inner(), u32::from(ran), "{name}: runs");

    let captured = proxy.captured();
    if (1..captured.len()).any(|index| captured[..index].contains(&captured[index])) {
        return false;
    }
    let sent = without_reads(emulator, ran, captured);
    let sent = without_owners(sent, &table);
    let expected: Vec<_> = expected
        .iter()
        .map(|call| (call["operation"].as_str().unwrap().to_owned(), call["request"].clone()))
        .collect();
    assert_eq!(sent, expected, "{name}");
    true
}

/// Does what a decorated handler does in Python.
async fn call(
    idempotency: &Idempotency<DynamoDbStore>,
    case: &Value,
    work: impl Future<Output = Result<Value, Failure>>,
) -> Result<Value, Failure> {
    let (clock, event) = (clock(), &case["event"]);
    let invocation = invocation().clock(&clock).remaining(Duration::from_secs(30)).build();
    let mut call = idempotency.operation(operation_name(case)).key(&event["order_id"])?;
    if case["config"]["payload_validation_jmespath"] == "amount" {
        call = call.payload(&event["amount"])?;
    }
    invocation.scope(call.run(work)).await
}

/// The options that correspond to a configuration of the Python toolkit.
pub(crate) fn configure<S: Store>(builder: Builder<S>, config: &Value) -> Builder<S> {
    let hash = match config["hash_function"].as_str() {
        Some("sha256") => HashFunction::Sha256,
        _ => HashFunction::Md5,
    };
    let on_missing_key = match config["raise_on_no_idempotency_key"].as_bool() {
        Some(true) => OnMissingKey::Error,
        _ => OnMissingKey::Bypass,
    };
    let expires_after = config["expires_after_seconds"].as_u64().unwrap_or(3600);
    for option in config.as_object().unwrap().keys() {
        let known = [
            "expires_after_seconds",
            "hash_function",
            "payload_validation_jmespath",
            "raise_on_no_idempotency_key",
        ];
        assert!(known.contains(&option.as_str()), "an unknown option {option}");
    }
    builder
        .codec(KeyCodec::Python { hash })
        .grace(Duration::ZERO)
        .expires_after(Duration::from_secs(expires_after))
        .on_missing_key(on_missing_key)
}

/// The prefix of the hash in the keys of a case.
fn operation_name(case: &Value) -> String {
    let item = &case["calls"][0]["request"]["Item"];
    let key = item["sk"]["S"].as_str().or(item["id"]["S"].as_str()).unwrap_or("none#");
    key.split_once('#').unwrap().0.to_owned()
}

/// Where an emulator does not return the item that is in the way, ours reads it.
fn without_reads(emulator: &Emulator, ran: bool, sent: Vec<Captured>) -> Vec<Captured> {
    let (reads, writes): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(|request| request.operation == "GetItem");
    let expected = usize::from(!ran && !emulator.returns_old_items() && !writes.is_empty());
    assert_eq!(reads.len(), expected, "reads on {}", emulator.name());
    writes
}

/// The requests without what only ours have, and with the name of Python's table.
fn without_owners(sent: Vec<Captured>, table: &str) -> Vec<(String, Value)> {
    let mut owner = Value::Null;
    sent.into_iter()
        .map(|Captured { operation, mut body, .. }| {
            assert_eq!(body["TableName"], table);
            body["TableName"] = json!("IdempotencyTable");
            if operation == "PutItem" {
                owner = body["Item"].as_object_mut().unwrap().remove("owner").unwrap();
            } else {
                take_fence(&mut body, &owner, &operation);
            }
            (operation, body)
        })
        .collect()
}

/// A fixed clock.
pub(crate) fn clock() -> ManualClock {
    ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_millis(NOW))
}

#[derive(Debug)]
pub(crate) enum Failure {
    Handler,
    Idempotency(Error),
}

impl Failure {
    /// What the Python toolkit calls this.
    pub(crate) fn python_name(&self) -> &'static str {
        match self {
            Self::Handler => "ValueError",
            Self::Idempotency(Error::InProgress { .. }) => "IdempotencyAlreadyInProgressError",
            Self::Idempotency(Error::PayloadChanged { .. }) => "IdempotencyValidationError",
            Self::Idempotency(Error::KeyMissing { .. }) => "IdempotencyKeyError",
            Self::Idempotency(other) => panic!("not in any case: {other}"),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Idempotency(error)
    }
}
