//! Records that the toolkits for Python and TypeScript left on a server, and those that ours leaves.
//!
//! Both were recorded at work on a real server. The caller gets the same from ours, and the records are the
//! same but for what ours adds.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use powertools::idempotency::{Builder, Error, Idempotency, KeyCodec, RedisStore};
use powertools::testing::invocation;
use powertools_tests::emulators::{RedisKind, RedisServer};
use powertools_tests::vectors::{python_redis_flows, typescript_redis_flows};
use serde_json::{Value, json};

use crate::flows::{Failure, NOW, clock, configure};

/// A toolkit, and where ours is another on purpose: the name of the case, and our error.
struct Peer {
    operation: &'static str,
    options: fn(Builder<RedisStore>, &Value) -> Builder<RedisStore>,
    deviations: &'static [(&'static str, &'static str)],
}

const PYTHON: Peer = Peer {
    operation: "orders-fn.app.lambda_handler",
    options: configure,
    // It may be anything, and the work may have been done.
    deviations: &[("a value that is no record", "Powertools.IdempotencyRecordMalformed")],
};

const TYPESCRIPT: Peer = Peer {
    operation: "orders-fn",
    options: |builder, config| configure(builder, config).codec(KeyCodec::TypeScript),
    deviations: &[
        ("a value that is no record", "Powertools.IdempotencyRecordMalformed"),
        // The function that claimed it may still run, as in Python's.
        ("in progress without a lease", "Powertools.IdempotencyInProgress"),
    ],
};

#[tokio::test]
async fn flows_are_those_of_the_python_toolkit() {
    let cases = python_redis_flows();
    assert_eq!(cases.len(), 28);
    PYTHON.check(&cases).await;
}

#[tokio::test]
async fn flows_are_those_of_the_typescript_toolkit() {
    let cases = typescript_cases();
    assert_eq!(cases.len(), 31);
    TYPESCRIPT.check(&cases).await;
}

/// The cases of the TypeScript toolkit, with the names of Python's.
fn typescript_cases() -> Vec<Value> {
    let renamed = |mut case: Value| {
        let config = case["config"].as_object_mut().unwrap();
        let options = std::mem::take(config).into_iter().map(|(name, value)| match &*name {
            "expiresAfterSeconds" => ("expires_after_seconds".to_owned(), value),
            "payloadValidationJmesPath" => ("payload_validation_jmespath".to_owned(), value),
            "throwOnNoIdempotencyKey" => ("raise_on_no_idempotency_key".to_owned(), value),
            other => panic!("an unknown option {other}"),
        });
        *config = options.collect();
        match case["raised"].as_str() {
            Some("RangeError") => case["raised"] = json!("ValueError"),
            // Of the layer, around the reason.
            Some("IdempotencyPersistenceLayerError") => {
                case["raised"] = json!("IdempotencyKeyError");
            }
            _ => {}
        }
        case
    };
    typescript_redis_flows().into_iter().map(renamed).collect()
}

impl Peer {
    async fn check(&self, cases: &[Value]) {
        for kind in RedisKind::all() {
            let server = kind.start(&[]);
            for case in cases {
                server.command::<()>(&["FLUSHALL"]);
                self.check_case(&server, case).await;
            }
        }
    }

    async fn check_case(&self, server: &RedisServer, case: &Value) {
        let name = format!("{} on {}", case["name"], server.name());
        let key = case["commands"][0][1].as_str();
        if let Some(stored) = case["stored"].as_str() {
            server.command::<()>(&["SET", key.unwrap(), stored, "EX", "3000"]);
        }

        let runs = AtomicU32::new(0);
        let outcome = self.play(server, case, &runs).await;
        let deviation = self.deviations.iter().find(|(name, _)| case["name"] == **name);
        if let Some((_, expected)) = deviation {
            let Err(Failure::Idempotency(error)) = outcome else { panic!("{name}") };
            assert_eq!(error.error_type(), *expected, "{name}");
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
        // Whoever takes a record over has locked it, and leaves the lock behind.
        let lock = format!("{key}:lock");
        assert_eq!(server.get(&lock).is_some(), !case["left"][&lock].is_null(), "{name}");
    }

    /// Checks that the records of ours which it met are those that ours writes.
    async fn met(&self, cases: &[Value]) {
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
                self.play(&server, case, &AtomicU32::new(0)).await.unwrap();
                let key = case["commands"][0][1].as_str().unwrap();
                let (ours, owner) = (server.get(key).unwrap(), "00112233445566778899aabbccddeeff");
                let own = json_of(&ours)["owner"].as_str().unwrap().to_owned();
                assert_eq!(ours.replace(&own, owner), case["stored"], "on {}", kind.name());
            }
        }
    }

    /// Does what the decorated handler did.
    async fn play(
        &self,
        server: &RedisServer,
        case: &Value,
        runs: &AtomicU32,
    ) -> Result<Value, Failure> {
        let (config, event) = (&case["config"], &case["event"]);
        let store = RedisStore::new(&server.url()).unwrap();
        let idempotency = (self.options)(Idempotency::builder(store), config).build().unwrap();

        let operation = case["key_prefix"].as_str().unwrap_or(self.operation);
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
}

/// A record without the members that theirs has not: the owner, the hash of the payload, which stays when a claim
/// is completed, so that payloads are still validated, and a null for what is undefined in TypeScript.
fn without_ours(mut record: Value, expected: &Value) -> Value {
    let members = record.as_object_mut().unwrap();
    let is_completed = members["status"] == "COMPLETED";
    members.retain(|name, value| {
        let is_extra = name == "owner"
            || name == "data" && value.is_null()
            || is_completed && name == "validation";
        !is_extra || expected.get(name).is_some()
    });
    record
}

#[tokio::test]
async fn the_other_toolkits_have_read_records_of_this_toolkit() {
    PYTHON.met(&python_redis_flows()).await;
    TYPESCRIPT.met(&typescript_cases()).await;
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
