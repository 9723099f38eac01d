//! Records that the toolkits for Python and TypeScript left on a server, and those that ours leaves.
//!
//! The Python toolkit was recorded at work on a real server. The caller gets the same from ours, and the
//! records are the same but for what ours adds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use powertools::idempotency::{Error, Idempotency, KeyCodec, RedisStore};
use powertools::testing::invocation;
use powertools_tests::emulators::{RedisKind, RedisServer};
use powertools_tests::vectors::python_redis_flows;
use serde_json::{Value, json};

use crate::flows::{Failure, NOW, clock, configure};

#[tokio::test]
async fn flows_are_those_of_the_python_toolkit() {
    let cases = python_redis_flows();
    assert_eq!(cases.len(), 28);
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        for case in &cases {
            server.command::<()>(&["FLUSHALL"]);
            check(&server, case).await;
        }
    }
}

async fn check(server: &RedisServer, case: &Value) {
    let name = format!("{} on {}", case["name"], server.name());
    let key = case["commands"][0][1].as_str();
    if let Some(stored) = case["stored"].as_str() {
        server.command::<()>(&["SET", key.unwrap(), stored, "EX", "3000"]);
    }

    let runs = AtomicU32::new(0);
    let outcome = play(server, case, &runs).await;
    if case["name"] == "a value that is no record" {
        // Python's overwrites it. It may be anything, and the work may have been done.
        let Err(Failure::Idempotency(error)) = outcome else { panic!("{name}") };
        assert_eq!(error.error_type(), "Powertools.IdempotencyRecordMalformed", "{name}");
        assert_eq!(server.get(key.unwrap()).as_deref(), case["stored"].as_str(), "{name}");
        return;
    }

    let raised = outcome.as_ref().err().map(Failure::python_name);
    assert_eq!(raised, case["raised"].as_str(), "{name}");
    assert_eq!(outcome.unwrap_or_default(), case["returned"], "{name}");
    assert_eq!(runs.into_inner(), case["runs"].as_u64().unwrap() as u32, "{name}: runs");

    let Some(key) = key else { return };
    let theirs = &case["left"][key];
    let Some(ours) = server.get(key) else { return assert!(theirs.is_null(), "{name}") };
    let (ours, expected) = (json_of(&ours), json_of(theirs["value"].as_str().unwrap()));
    assert_eq!(without_ours(ours, &expected), expected, "{name}");
    // Ours lives until the second of its expiration is over.
    let (ttl, left) = (theirs["ttl"].as_i64().unwrap(), server.command::<i64>(&["TTL", key]));
    assert!((ttl - 3..=ttl + 1).contains(&left), "{name}: {left} s instead of {ttl} s");
    // Python's locks a record while it takes it over; ours compares it.
    assert_eq!(server.get(&format!("{key}:lock")), None, "{name}");
}

/// A record without the members that Python's has not: the owner, and what stays from a claim when it is
/// completed, so that payloads are still validated.
fn without_ours(mut record: Value, expected: &Value) -> Value {
    let members = record.as_object_mut().unwrap();
    let is_completed = members["status"] == "COMPLETED";
    members.retain(|name, _| {
        let is_extra = name == "owner"
            || is_completed && ["in_progress_expiration", "validation"].contains(&&**name);
        !is_extra || expected.get(name).is_some()
    });
    record
}

#[tokio::test]
async fn the_python_toolkit_has_read_records_of_this_toolkit() {
    let cases = python_redis_flows();
    let met: Vec<_> = cases
        .iter()
        .filter(|case| case["name"].as_str().unwrap().starts_with("ours, completed"))
        .filter(|case| case["raised"].is_null())
        .collect();
    assert_eq!(met.len(), 2);
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        for case in &met {
            server.command::<()>(&["FLUSHALL"]);
            play(&server, case, &AtomicU32::new(0)).await.unwrap();
            let key = case["commands"][0][1].as_str().unwrap();
            let (ours, owner) = (server.get(key).unwrap(), "00112233445566778899aabbccddeeff");
            let own = json_of(&ours)["owner"].as_str().unwrap().to_owned();
            assert_eq!(ours.replace(&own, owner), case["stored"], "on {}", kind.name());
        }
    }
}

/// Does what the decorated handler did in Python.
async fn play(server: &RedisServer, case: &Value, runs: &AtomicU32) -> Result<Value, Failure> {
    let (config, event) = (&case["config"], &case["event"]);
    let store = RedisStore::new(&server.url()).unwrap();
    let idempotency = configure(Idempotency::builder(store), config).build().unwrap();

    let operation = case["key_prefix"].as_str().unwrap_or("orders-fn.app.lambda_handler");
    let mut call = idempotency.operation(operation).key(&event["order_id"])?;
    if config["payload_validation_jmespath"] == "amount" {
        call = call.payload(&event["amount"])?;
    }
    let work = async {
        runs.fetch_add(1, Ordering::Relaxed);
        match case["raised"].as_str() {
            Some("ValueError") => Err(Failure::Handler),
            _ => Ok(case["returned"].clone()),
        }
    };
    let invocation = invocation().clock(clock()).remaining(Duration::from_secs(30)).build();
    invocation.scope(call.run(work)).await
}

/// Values under the key of the order `o-1`, as the TypeScript toolkit's layer for caches writes them: compact,
/// with the result as a value.
#[tokio::test]
async fn results_of_the_typescript_toolkit_are_replayed_and_stored() {
    let results = [
        (None, json!(null)),
        (Some("null"), json!(null)),
        (Some("false"), json!(false)),
        (Some("10.5"), json!(10.5)),
        (Some("18446744073709551615"), json!(u64::MAX)),
        (Some(r#""just text""#), json!("just text")),
        (Some(r#"[1,null,{},[]]"#), json!([1, null, {}, []])),
        (Some(r#"{"ok":true,"n":1,"z":"é"}"#), json!({ "ok": true, "n": 1, "z": "é" })),
    ];
    let key = "orders-fn#y8vblI3ha/5+SagfkVAKsQ==";
    for kind in RedisKind::all() {
        let server = kind.start(&[]);
        for (data, result) in &results {
            let member = data.map(|data| format!(r#","data":{data}"#)).unwrap_or_default();
            let end = NOW / 1000 + 60;
            let record = format!(r#"{{"status":"COMPLETED","expiration":{end}{member}}}"#);
            server.command::<()>(&["SET", key, &record]);
            let replayed = typescript(&server, key, json!("new")).await;
            assert_eq!(&replayed, result, "{record} on {}", kind.name());
            assert_eq!(server.get(key), Some(record));

            let Some(data) = data else { continue };
            server.command::<()>(&["DEL", key]);
            typescript(&server, key, result.clone()).await;
            let stored = &json_of(&server.get(key).unwrap())["data"];
            assert_eq!(stored, &json_of(data), "on {}", kind.name());
        }
    }
}

async fn typescript(server: &RedisServer, key: &str, result: Value) -> Value {
    let store = RedisStore::new(&server.url()).unwrap();
    let idempotency = Idempotency::builder(store).codec(KeyCodec::TypeScript).build().unwrap();
    let invocation = invocation().clock(clock()).remaining(Duration::from_secs(30)).build();
    let call = idempotency.operation("orders-fn").key("o-1").unwrap();
    assert_eq!(call.derived_key().unwrap().as_str(), key);
    invocation.scope(call.run(async { Ok::<_, Error>(result) })).await.unwrap()
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
