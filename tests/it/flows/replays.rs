//! Records that the toolkits for Python and TypeScript wrote, met by ours.

use std::time::Duration;

use powertools::idempotency::{DynamoDbStore, Error, HashFunction, Idempotency, KeyCodec};
use powertools::testing::invocation;
use powertools_tests::emulators::Emulator;
use powertools_tests::items;
use serde_json::{Value, json};

use super::{NOW, clock};

const PYTHON: Peer = Peer {
    codec: KeyCodec::Python { hash: HashFunction::Md5 },
    operation: "orders-fn.app.lambda_handler",
    key: "orders-fn.app.lambda_handler#cbcbdb948de16bfe7e49a81f91500ab1",
};

const TYPESCRIPT: Peer = Peer {
    codec: KeyCodec::TypeScript,
    operation: "orders-fn",
    key: "orders-fn#y8vblI3ha/5+SagfkVAKsQ==",
};

/// The key attributes of a table.
const KEYS: [&[&str]; 2] = [&["id"], &["pk", "sk"]];

#[tokio::test]
async fn results_of_the_python_toolkit_are_replayed() {
    let results = [
        (None, json!(null)),
        (Some(json!({ "S": "null" })), json!(null)),
        (
            Some(json!({ "S": r#"{"n": 1.0, "name": "Zo\u00eb \u2713"}"# })),
            json!({ "n": 1.0, "name": "Zoë ✓" }),
        ),
        (Some(json!({ "S": "0.1" })), json!(0.1)),
        (Some(json!({ "S": "-12345678901234567" })), json!(-12_345_678_901_234_567_i64)),
        (Some(json!({ "S": r#""text""# })), json!("text")),
        (Some(json!({ "S": "[true, [], {}]" })), json!([true, [], {}])),
        // Written by a function that was moved here from TypeScript.
        (Some(json!({ "M": { "ok": { "BOOL": true } } })), json!({ "ok": true })),
    ];
    PYTHON.replays(&results).await;
}

#[tokio::test]
async fn results_of_the_typescript_toolkit_are_replayed() {
    let list = json!({ "L": [{ "N": "1" }, { "NULL": true }, { "M": {} }, { "L": [] }] });
    let results = [
        (None, json!(null)),
        (Some(json!({ "NULL": true })), json!(null)),
        (Some(json!({ "BOOL": false })), json!(false)),
        (Some(json!({ "N": "10.5" })), json!(10.5)),
        (Some(json!({ "N": "0.00000015" })), json!(1.5e-7)),
        (Some(json!({ "N": "18446744073709551615" })), json!(u64::MAX)),
        (Some(json!({ "S": "just text" })), json!("just text")),
        (Some(json!({ "S": "null" })), json!("null")),
        (Some(list), json!([1, null, {}, []])),
        (Some(completed_data()), completed_result()),
    ];
    TYPESCRIPT.replays(&results).await;
}

#[tokio::test]
async fn times_of_other_toolkits_keep_their_meaning() {
    let seconds = |offset: i64| json!({ "N": (NOW as i64 / 1000 + offset).to_string() });
    let millis = |offset: i64| json!({ "N": (NOW as i64 + offset).to_string() });
    let held = Err("Powertools.IdempotencyInProgress");
    let cases = [
        ("finished", "COMPLETED", seconds(60), Value::Null, Ok("stored")),
        ("finished, of a claim long ago", "COMPLETED", seconds(60), millis(-1), Ok("stored")),
        ("finished, without end", "COMPLETED", Value::Null, Value::Null, Ok("stored")),
        ("finished and expired", "COMPLETED", seconds(-1), Value::Null, Ok("new")),
        ("claimed", "INPROGRESS", seconds(60), millis(1), held),
        ("claimed by a version without leases", "INPROGRESS", seconds(60), Value::Null, held),
        ("claimed, and the lease is over", "INPROGRESS", seconds(60), millis(-1), Ok("new")),
        ("claimed and expired", "INPROGRESS", seconds(-1), Value::Null, Ok("new")),
    ];
    for emulator in Emulator::all() {
        for (what, status, expiration, lease_end, expected) in &cases {
            let mut item = json!({ "status": { "S": status }, "data": { "S": r#""stored""# } });
            for (name, value) in [("expiration", expiration), ("in_progress_expiration", lease_end)]
            {
                if !value.is_null() {
                    item[name] = value.clone();
                }
            }
            let met = PYTHON.meet(&emulator, KEYS[0], &item).await;
            let outcome = met.outcome.as_ref().map(Value::as_str).map_err(Error::error_type);
            assert_eq!(outcome, expected.map(Some), "{what} on {}", emulator.name());
            let is_new = *expected == Ok("new");
            assert_eq!(met.after != met.before, is_new, "{what} on {}", emulator.name());
        }
    }
}

#[tokio::test]
async fn results_are_stored_as_the_typescript_toolkit_stores_them() {
    let results = [
        (completed_result(), completed_data()),
        (json!("text"), json!({ "S": "text" })),
        (json!(10.5), json!({ "N": "10.5" })),
        (json!(null), json!({ "NULL": true })),
    ];
    for emulator in Emulator::all() {
        for (result, stored) in &results {
            let table = emulator.create_table(KEYS[0]).await;
            let idempotency = TYPESCRIPT.idempotency(&emulator, &table, KEYS[0]);
            TYPESCRIPT.run(&idempotency, result.clone()).await.unwrap();

            let [item] = &items::all(&emulator.client(), &table).await[..] else {
                panic!("there is one record")
            };
            assert_eq!(item["id"]["S"], TYPESCRIPT.key);
            assert_eq!(&item["data"], stored, "{}", emulator.name());
            let again = TYPESCRIPT.run(&idempotency, json!("another")).await.unwrap();
            assert_eq!(&again, result, "{}", emulator.name());
        }
    }
}

/// What the handler of the TypeScript vectors returned.
fn completed_result() -> Value {
    json!({ "ok": true, "n": 1, "z": "é", "a": [1, null] })
}

/// The record as it was in the table.
fn completed_data() -> Value {
    json!({ "M": {
        "ok": { "BOOL": true },
        "n": { "N": "1" },
        "z": { "S": "é" },
        "a": { "L": [{ "N": "1" }, { "NULL": true }] },
    } })
}

/// A toolkit whose function was moved to Rust, or shares its table with one.
struct Peer {
    codec: KeyCodec,
    operation: &'static str,
    /// What it derives from the order `o-1`.
    key: &'static str,
}

/// What came of meeting a record.
struct Met {
    outcome: Result<Value, Error>,
    before: Value,
    after: Value,
}

impl Peer {
    /// Expects each result from a record with that data, which stays as it is.
    async fn replays(&self, results: &[(Option<Value>, Value)]) {
        for emulator in Emulator::all() {
            for (data, expected) in results {
                let mut item = json!({
                    "status": { "S": "COMPLETED" },
                    "expiration": { "N": (NOW / 1000 + 60).to_string() },
                });
                if let Some(data) = data {
                    item["data"] = data.clone();
                }
                for key in KEYS {
                    let met = self.meet(&emulator, key, &item).await;
                    let what = format!("{data:?} on {}, {key:?}", emulator.name());
                    assert_eq!(&met.outcome.unwrap(), expected, "{what}");
                    assert_eq!(met.after, met.before, "{what}");
                }
            }
        }
    }

    /// Runs work whose result is `"new"` where there is a record.
    async fn meet(&self, emulator: &Emulator, key: &[&str], record: &Value) -> Met {
        let table = emulator.create_table(key).await;
        let mut before = record.clone();
        match key {
            [key] => before[key] = json!({ "S": self.key }),
            [partition, sort] => {
                before[partition] = json!({ "S": "idempotency#orders-fn" });
                before[sort] = json!({ "S": self.key });
            }
            _ => unreachable!("a key has one or two attributes"),
        }
        items::put(&emulator.client(), &table, &before).await;

        let outcome = self.run(&self.idempotency(emulator, &table, key), json!("new")).await;
        let after = items::all(&emulator.client(), &table).await.remove(0);
        Met { outcome, before, after }
    }

    fn idempotency(
        &self,
        emulator: &Emulator,
        table: &str,
        key: &[&str],
    ) -> Idempotency<DynamoDbStore> {
        let mut store = emulator.store_builder(table).key_attribute(key[0]);
        if let [_, sort] = key {
            store = store.sort_key_attribute(*sort).partition_value("idempotency#orders-fn");
        }
        Idempotency::builder(store.build().unwrap()).codec(self.codec).build().unwrap()
    }

    async fn run(
        &self,
        idempotency: &Idempotency<DynamoDbStore>,
        result: Value,
    ) -> Result<Value, Error> {
        let invocation = invocation().clock(clock()).remaining(Duration::from_secs(30)).build();
        let call = idempotency.operation(self.operation).key("o-1")?;
        assert_eq!(call.derived_key().unwrap().as_str(), self.key);
        invocation.scope(call.run(async { Ok(result) })).await
    }
}
